"""Exercises of lesson 05: temperature, perplexity, a loop that forgets, top-p, and a model as a compressor.

Minutes: q1 5, q2 10, q3 10, q4 10, q5 5.
"""

from dataclasses import dataclass

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def with_temperature(logits, temperature):
    """Probabilities `(batch, vocabulary)` of logits `(batch, vocabulary)` at a temperature, a scalar above 0."""
    scaled = logits / temperature
    weights = np.exp(scaled - scaled.max(axis=-1, keepdims=True))  # the largest is exp(0) = 1
    return weights / weights.sum(axis=-1, keepdims=True)


def _draw_logits(rng):
    """Draw logits `(batch, vocabulary)`, now and then so large that their exponential is infinite."""
    logits = rng.normal(size=(rng.integers(2, 4), 5), scale=1.5)
    temperature = rng.uniform(0.3, 0.8) if rng.random() < 0.5 else rng.uniform(1.3, 2.5)
    return logits + rng.choice([0, 0, 3000]), temperature


def _bare_softmax(scaled):
    return np.exp(scaled) / np.exp(scaled).sum(axis=-1, keepdims=True)


def _softmax_over(axis):
    def answer(logits, temperature):
        weights = np.exp((logits - logits.max()) / temperature)
        return weights / weights.sum(axis=axis, keepdims=True)

    return answer


q1 = Exercise(
    asks="Write `with_temperature(logits, temperature)`: the probabilities, `(batch, vocabulary)`, of the next "
    "character at a temperature, a number above 0, from logits of the same shape. Logits may be as large as 3000.",
    starter="def with_temperature(logits, temperature): ...",
    reference=with_temperature,
    draw=_draw_logits,
    mistakes=(
        Mistake(
            lambda logits, temperature: _bare_softmax(logits / temperature),
            "the softmax is right until the logits are large: exp(1000) is infinite. Take each row's maximum off "
            "before the exponential; the probabilities stay the same.",
        ),
        Mistake(
            lambda logits, temperature: with_temperature(logits, 1 / temperature),
            "you multiplied by the temperature; then a HIGH one makes the model sure of itself. Divide.",
        ),
        Mistake(
            lambda logits, temperature: _bare_softmax(logits * temperature),
            "two things at once: the temperature multiplies, and the exponential of large logits is infinite.",
        ),
        Mistake(
            lambda logits, temperature: with_temperature(logits, 1) / temperature,
            "you divided the PROBABILITIES; they no longer sum to 1. Divide the logits, before the softmax.",
        ),
        Mistake(
            lambda logits, temperature: with_temperature(logits, 1),
            "the temperature has no effect. (Dividing all probabilities and making them sum to 1 again undoes itself.)",
        ),
        Mistake(_softmax_over(0), "the softmax runs over the batch: each COLUMN sums to 1. Use the last axis."),
        Mistake(_softmax_over(None), "all examples together sum to 1; each row must. Sum over the last axis."),
    ),
    hints=(
        "At temperature 2 a lead of 4 counts like a lead of 2. What is divided, then?",
        "Divide the logits, subtract each row's maximum, exponentiate, divide by each row's sum: "
        "`axis=-1, keepdims=True`.",
    ),
    why="Only differences of logits matter, so a row's maximum may be taken off, and exp never sees a number above 0. "
    "Dividing the differences by the temperature raises every probability to the power of 1 / temperature, before "
    "they are made to sum to 1: below 1 the likely becomes likelier, above 1 all come closer to each other.",
)


def perplexity(logits, targets, mask):
    """Perplexity, a scalar: exp of the mean nats of the targets over the real steps.

    Logits are `(batch, time, vocabulary)`, targets `(batch, time)` indices, the mask `(batch, time)` bool.
    """
    largest = logits.max(axis=-1, keepdims=True)
    log_sum = largest[..., 0] + np.log(np.exp(logits - largest).sum(axis=-1))
    chosen = np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    nats = log_sum - chosen  # (batch, time)
    return np.exp(nats[mask].mean())


def _of_nats(reduce):
    """An answer that makes one number of nats and mask, both `(batch, time)`, by `reduce`."""

    def answer(logits, targets, mask):
        probabilities = with_temperature(logits, 1)
        chosen = np.take_along_axis(probabilities, targets[..., None], axis=-1)[..., 0]
        return reduce(-np.log(chosen), mask)

    return answer


def _of_bare_logits(logits, targets, mask):
    return np.exp(-np.take_along_axis(logits, targets[..., None], axis=-1)[..., 0][mask].mean())


def _draw_predictions(rng, vocabulary=5):
    """Draw logits, targets and a mask of sequences with different lengths, padded on the right."""
    batch, time = rng.integers(2, 4), rng.integers(5, 7)
    lengths = np.append(rng.integers(2, 4, size=batch - 1), 4)
    targets = rng.integers(vocabulary, size=(batch, time))
    return rng.normal(size=(batch, time, vocabulary)), targets, np.arange(time) < lengths[:, None]


q2 = Exercise(
    asks="Write `perplexity(logits, targets, mask)`: one number, exp of the mean nats over the real steps. Logits are "
    "`(batch, time, vocabulary)`, targets `(batch, time)` indices, the mask `(batch, time)` bool, True at real steps.",
    starter="def perplexity(logits, targets, mask): ...",
    reference=perplexity,
    draw=_draw_predictions,
    mistakes=(
        Mistake(
            _of_nats(lambda nats, mask: np.exp(nats)[mask].mean()),
            "that is the mean of each character's own perplexity; one bad guess rules it. Average the nats, THEN exp.",
        ),
        Mistake(
            _of_nats(lambda nats, mask: np.exp2(nats[mask].mean())),
            "2 to the power of NATS: the base must be that of the logarithm. Powers of 2 go with bits.",
        ),
        Mistake(_of_nats(lambda nats, mask: np.exp(nats.mean())), "padding was averaged too; nobody predicted it."),
        Mistake(
            _of_nats(lambda nats, mask: np.exp((nats * mask).mean())),
            "padding counts as characters that were known for sure: the sum is right, but it is divided by all steps.",
        ),
        Mistake(
            _of_nats(lambda nats, mask: np.exp(nats[mask].sum())),
            "the nats were added up, so a longer text looks worse. Take their mean.",
        ),
        Mistake(_of_nats(lambda nats, mask: nats[mask].mean()), "those are the mean nats; perplexity is exp of them."),
        Mistake(
            _of_nats(lambda nats, mask: np.exp(-nats[mask].mean())),
            "a sign is lost: this is the mean probability (the geometric one), the perplexity upside down.",
        ),
        Mistake(
            _of_nats(lambda nats, mask: np.exp(np.mean((nats * mask).sum(axis=1) / mask.sum(axis=1)))),
            "every SEQUENCE counted equally, so a character in a short one weighs more. All real steps weigh the same.",
        ),
        Mistake(
            _of_bare_logits,
            "a logit is no log-probability yet: subtract the logarithm of the sum of all exponentials.",
        ),
    ),
    hints=(
        "Logits to log-probabilities, pick the targets', average over the real steps, exponentiate: in this order.",
        "`np.take_along_axis(log_probabilities, targets[..., None], axis=-1)[..., 0]` picks; `[mask]` leaves out the "
        "padding.",
    ),
    why="exp of the mean nats is the number of equally likely characters that would be as hard to guess. The mean "
    "comes first, because it is what training lowers: over a text nats add up, where probabilities multiply.",
)


def next_characters(step, first, state, uniforms):
    """Indices of the characters that a network writes after `first`, a list of ints, one for each of `uniforms`.

    `step(character, state)` returns probabilities `(vocabulary,)` and the new state; `uniforms`, `(count,)` numbers
    from 0 to 1, are the chance.
    """
    written, character = [], first
    for uniform in uniforms:
        probabilities, state = step(character, state)
        character = int(np.searchsorted(np.cumsum(probabilities), uniform))
        written.append(character)
    return written


def forgetful(step, first, state, uniforms):
    """Write characters, a list of ints, like `next_characters`, but with a bug: this is the loop to mend."""
    written, states, character = [], [state], first
    for uniform in uniforms:
        probabilities, after = step(character, states[0])
        character = int(np.searchsorted(np.cumsum(probabilities), uniform))
        written.append(character)
        states.append(after)
    return written


@dataclass(frozen=True, eq=False, repr=False)
class _Step:
    """One step of a small recurrent network that is not trained; changes nothing."""

    recurrent: np.ndarray
    reads: np.ndarray
    writes: np.ndarray

    def __call__(self, character, state):
        state = np.tanh(state @ self.recurrent + self.reads[character])
        return with_temperature(state @ self.writes, 1), state

    def __repr__(self):
        return "a step of a small network"


def _draw_writer(rng, vocabulary=6, units=5):
    """Draw a network, its first character and state, and the chance for 12 characters."""
    shapes = (units, units), (vocabulary, units), (units, vocabulary)
    step = _Step(*(rng.normal(size=shape, scale=1.2) for shape in shapes))
    return step, int(rng.integers(vocabulary)), rng.uniform(-0.5, 0.5, size=units), rng.uniform(0.001, 0.999, size=12)


def _writer(probabilities_of):
    """A loop whose distribution comes from `probabilities_of(step, first, character, state, start)`."""

    def answer(step, first, state, uniforms):
        start, written, character = state, [], first
        for uniform in uniforms:
            probabilities, state = probabilities_of(step, first, character, state, start)
            character = int(np.searchsorted(np.cumsum(probabilities), uniform))
            written.append(character)
        return written

    return answer


q3 = Exercise(
    asks="`exercises.forgetful` writes characters, but not those that its network means. Mend it: "
    "`next_characters(step, first, state, uniforms)` returns the list of written indices, one for each number in "
    "`uniforms`, drawn where the cumulative probabilities pass that number.",
    starter="def next_characters(step, first, state, uniforms): ...",
    reference=next_characters,
    draw=_draw_writer,
    mistakes=(
        Mistake(
            forgetful,
            "it is the same as before: every step starts from the state at the beginning, so the network remembers "
            "one character and no more. The state that a step returns must go into the next one.",
        ),
        Mistake(
            _writer(lambda step, first, character, state, start: step(first, start)),
            "every character is drawn from the FIRST distribution. The step must be taken inside the loop.",
        ),
        Mistake(
            _writer(lambda step, first, character, state, start: step(first, state)),
            "the state moves on, but the network reads the first character again and again, not what it wrote.",
        ),
        Mistake(
            _writer(lambda step, first, character, state, start: step(character, step(character, state)[1])),
            "the step is taken twice for each character, so the network reads everything twice. One call gives both "
            "the probabilities and the new state.",
        ),
        Mistake(
            lambda step, first, state, uniforms: [first, *next_characters(step, first, state, uniforms)[:-1]],
            "the first character was handed in, not written: the list begins with the one drawn after it.",
        ),
    ),
    hints=(
        "Which state goes into the third step? It should be the one that the second step returned.",
        "Two things must travel from one step to the next: the character that was drawn, and the state that the step "
        "returned.",
    ),
    why="The bug raises no error, and its text looks almost right: the network still sees the last character, so pairs "
    "of letters fit, as from a bigram model. What it knew of the word, the line and the speaker is in the state. A "
    "stateful layer hides the same mistake: resetting its states between two characters.",
)


def keep_top_p(probabilities, p):
    """Probabilities `(vocabulary,)` of the nucleus: the fewest likely characters that reach p, made to sum to 1.

    Source: Holtzman et al. 2020, "The curious case of neural text degeneration".
    """
    order = np.argsort(-probabilities)
    before = np.cumsum(probabilities[order]) - probabilities[order]  # what the likelier ones hold together
    kept = np.zeros_like(probabilities)
    kept[order[before < p]] = probabilities[order[before < p]]
    return kept / kept.sum()


def _draw_nucleus(rng):
    """Draw probabilities in random order and a p well between two of their cumulative sums."""
    weights = rng.permutation(0.7 ** np.arange(6)) * rng.uniform(0.9, 1.1, size=6)
    probabilities = weights / weights.sum()
    cumulative = np.append(0, np.cumsum(np.sort(probabilities)[::-1]))
    crossing = rng.integers(4)  # this many are kept before the one that crosses p
    return probabilities, cumulative[crossing] + rng.uniform(0.4, 0.8) * np.diff(cumulative)[crossing]


def _nucleus(keep, sign=-1):
    """A filter that keeps those in descending order for which `keep(cumulative, p)` is true, made to sum to 1."""

    def answer(probabilities, p):
        order = np.argsort(sign * probabilities)
        chosen = order[keep(np.cumsum(probabilities[order]), p)]
        kept = np.zeros_like(probabilities)
        kept[chosen] = probabilities[chosen]
        return kept / kept.sum()

    return answer


def _reaching(cumulative, p):
    return np.append(0, cumulative[:-1]) < p


q4 = Exercise(
    asks="Write `keep_top_p(probabilities, p)`: of `(vocabulary,)` probabilities keep the fewest likeliest ones that "
    "hold p or more together, set the others to 0, and make the result sum to 1, each in its old place.",
    starter="def keep_top_p(probabilities, p): ...",
    reference=keep_top_p,
    draw=_draw_nucleus,
    mistakes=(
        Mistake(
            _nucleus(lambda cumulative, p: cumulative <= p),
            "the one that crosses p is left out: what you keep holds less than p, and nothing at all where the "
            "likeliest alone is above it.",
        ),
        Mistake(
            lambda probabilities, p: np.where(keep_top_p(probabilities, p) > 0, probabilities, 0),
            "the right ones are kept, but they no longer sum to 1.",
        ),
        Mistake(
            _nucleus(_reaching, sign=1), "`np.argsort` sorts upward, so you kept the LEAST likely ones. Sort downward."
        ),
        Mistake(
            lambda probabilities, p: np.sort(keep_top_p(probabilities, p))[::-1],
            "the numbers are right, but in sorted order: they now belong to other characters.",
        ),
        Mistake(
            _nucleus(lambda cumulative, p: np.arange(len(cumulative)) <= (cumulative < p).sum() + 1),
            "one too many is kept: stop after the one that reaches p.",
        ),
        Mistake(
            lambda probabilities, p: keep_top_p(probabilities, p)[keep_top_p(probabilities, p) > 0],
            "the others must stay as zeros; without them nobody knows which character a number belongs to.",
        ),
        Mistake(
            lambda probabilities, p: np.where(probabilities >= p, probabilities, 0),
            "each probability was compared with p by itself; it is their SUM, from the likeliest on, that counts.",
        ),
        Mistake(lambda probabilities, p: probabilities, "nothing was left out; all have kept their places and sizes."),
    ),
    hints=(
        "Sort downward and add up. A character is kept if those before it have not reached p yet.",
        "`order = np.argsort(-probabilities)`; `before` is the cumulative sum without the character itself; write "
        "`kept[order[before < p]]`.",
    ),
    why="Asking what came BEFORE keeps the one that crosses p, so at least one character is always left. The number "
    "kept follows the model: one where it is sure, dozens where it is not; top-k keeps k in both cases.",
)


def compressed_bytes(nats, characters):
    """Bytes, a scalar, that an ideal arithmetic coder needs for a text, from mean nats and a number of characters."""
    bits = nats / np.log(2) * characters
    return bits / 8


q5 = Exercise(
    asks="Write `compressed_bytes(nats, characters)`: how many bytes a text of so many characters takes if an ideal "
    "arithmetic coder packs it with a model whose mean is `nats` per character. Fractions of a byte do not matter.",
    starter="def compressed_bytes(nats, characters): ...",
    reference=compressed_bytes,
    draw=lambda rng: (rng.uniform(1.2, 3.5), int(rng.integers(200_000, 2_000_000))),
    tolerance=1e-4,
    mistakes=(
        Mistake(lambda nats, n: nats * n / 8, "nats were taken for bits. A nat is 1 / ln 2 bits, about 1.44."),
        Mistake(lambda nats, n: nats / np.log(2) * n, "those are bits; a byte has eight."),
        Mistake(
            lambda nats, n: nats * np.log(2) * n / 8,
            "ln 2 stands on the wrong side: a bit is SMALLER than a nat, so there are more bits than nats.",
        ),
        Mistake(lambda nats, n: nats * n, "those are the text's nats; divide by ln 2 for bits, by 8 for bytes."),
        Mistake(lambda nats, n: nats / np.log(2) / 8, "that is one character's share; the text has many."),
        Mistake(
            lambda nats, n: compressed_bytes(nats, n) / 1024, "those are units of 1024 bytes; bytes were asked for."
        ),
    ),
    hints=(
        "A coder spends -log2 p bits on a character that the model gave the probability p (Shannon 1948).",
        "Nats to bits: divide by ln 2. Then all characters, then eight bits a byte.",
    ),
    why="Predicting and compressing are one task: -log2 p bits a character, plus two bits in all (Rissanen and Langdon "
    "1979). Who unpacks needs the same model, so a fair comparison with gzip or bz2 adds the bytes of the weights, or "
    "of the text that they were learned from.",
)
