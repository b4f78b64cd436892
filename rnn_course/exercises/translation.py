"""Exercises of lesson 08: attention by hand, its mask, one step of a beam, the price of brevity, teacher forcing.

Minutes: q1 10, q2 10, q3 10, q4 5, q5 5.
"""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def dot_attention(queries, keys, values):
    """What each query reads from the source, `(target, features)`: an average of the values by how well the keys fit.

    Queries are `(target, units)`, keys `(source, units)`, values `(source, features)`.
    Source: Vaswani et al. 2017, equation 1; without the scale, Luong et al. 2015.
    """
    scores = queries @ keys.T / np.sqrt(keys.shape[-1])  # (target, source)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights @ values


def _draw_attention(rng):
    """Draw queries, keys and values; no two axes have the same length."""
    target, source = rng.integers(2, 4), rng.integers(5, 7)
    return rng.normal(size=(target, 7)), rng.normal(size=(source, 7)), rng.normal(size=(source, 4))


def _softmax(scores, axis=-1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def _scaled(queries, keys):
    return queries @ keys.T / np.sqrt(keys.shape[-1])


q1 = Exercise(
    asks="Write `dot_attention(queries, keys, values)`: from queries `(target, units)`, keys `(source, units)` and "
    "values `(source, features)` what each query reads, `(target, features)`. The scores are dot products divided by "
    "the square root of `units`.",
    starter="def dot_attention(queries, keys, values): ...",
    reference=dot_attention,
    draw=_draw_attention,
    mistakes=(
        Mistake(
            lambda queries, keys, values: _softmax(queries @ keys.T) @ values,
            "the scores are not scaled; divide them by the square root of `units`.",
        ),
        Mistake(
            lambda queries, keys, values: _softmax(queries @ keys.T / keys.shape[-1]) @ values,
            "the scores were divided by `units` itself; a sum of that many products grows like its SQUARE ROOT.",
        ),
        Mistake(
            lambda queries, keys, values: _softmax(queries @ keys.T) @ values / np.sqrt(keys.shape[-1]),
            "the scale stands behind the softmax, where it only shrinks the result. It belongs to the scores.",
        ),
        Mistake(
            lambda queries, keys, values: _softmax(_scaled(queries, keys), axis=0) @ values,
            "the softmax runs over the targets: all queries share out each source position. Use the last axis, so that "
            "each QUERY shares out itself.",
        ),
        Mistake(
            lambda queries, keys, values: _scaled(queries, keys) @ values,
            "there is no softmax: scores may be negative and sum to anything, so this is no average.",
        ),
        Mistake(
            lambda queries, keys, values: _softmax(_scaled(queries, keys)),
            "those are the weights, `(target, source)`; the average of the values is still to be taken with them.",
        ),
        Mistake(
            lambda queries, keys, values: _softmax(_scaled(queries, keys)) @ keys,
            "the keys were averaged. They only say where to look; what is read there are the values.",
        ),
    ),
    hints=(
        "Three steps: a score for every pair of target and source, weights that sum to 1 for each target, an average.",
        "`queries @ keys.T / np.sqrt(units)` is `(target, source)`; a softmax over `axis=-1`; then `weights @ values`.",
    ),
    why="A dot product of `units` random numbers of size 1 has size sqrt(units). Without the scale, the softmax of a "
    "wide layer begins nearly one-hot, and its gradient near 0. Wherever in the source the best key is, this average "
    "reaches it in one step, however long the sentence.",
)


def masked_attention(scores, mask):
    """Attention weights `(target, source)` that sum to 1 over the real source positions and are 0 at padding.

    Scores are `(target, source)`, the mask `(source,)` bool, True at real positions. Where there is none, all are 0.
    """
    if not mask.any():
        return np.zeros_like(scores)
    kept = np.where(mask, scores, -np.inf)
    weights = np.exp(kept - kept.max(axis=-1, keepdims=True))  # exp(-inf) is exactly 0
    return weights / weights.sum(axis=-1, keepdims=True)


def _draw_padded_scores(rng):
    """Draw scores and a mask with real steps before padding; often a source that is padding altogether."""
    target, source = rng.integers(2, 4), rng.integers(5, 7)
    real = 0 if rng.random() < 0.5 else rng.integers(2, source - 1)
    return rng.normal(size=(target, source), scale=1.5), np.arange(source) < real


def _read_when_empty(seen, scores, mask):
    """Tell whether weights are right, but sum to 1 over padding where nothing else is there."""
    return np.allclose(seen, masked_attention(scores, mask)) if mask.any() else np.allclose(seen.sum(axis=-1), 1)


q2 = Exercise(
    asks="Write `masked_attention(scores, mask)`: attention weights of scores, both `(target, source)`. The mask, "
    "`(source,)` bool, is True at real positions: over these each row sums to 1, and padding gets exactly 0. A source "
    "that is padding altogether gets zeros everywhere.",
    starter="def masked_attention(scores, mask): ...",
    reference=masked_attention,
    draw=_draw_padded_scores,
    mistakes=(
        Mistake(
            lambda scores, mask: _softmax(np.where(mask, scores, -np.inf)),
            "it is right until all is padding; then the row divides 0 by 0, or takes infinity from infinity, and one "
            "empty sentence makes the loss of its whole batch NaN.",
        ),
        Mistake(
            lambda scores, mask: _softmax(scores) * mask, "padding took its share before: rows sum to less than 1."
        ),
        Mistake(lambda scores, mask: _softmax(scores * mask), "a SCORE of 0 is no weight of 0, since exp(0) is 1."),
        Mistake(lambda scores, mask: _softmax(scores), "nothing is masked: padding is read like a word."),
        Mistake(
            lambda scores, mask: _softmax(np.where(mask, scores, -1e9)),
            "a large negative number gives 0, until ALL is padding: what is the same for all scores of a row changes "
            "nothing, and padding is read.",
            when=_read_when_empty,
        ),
        Mistake(
            lambda scores, mask: np.nan_to_num(_softmax(np.where(mask, -np.inf, scores))),
            "the mask is the wrong way round: padding is read, and the words are not. True marks the real positions.",
        ),
    ),
    hints=(
        "Which score has an exponential of exactly 0? And what is the sum of a row where every score is that one?",
        "`np.where(mask, scores, -np.inf)` before the softmax; look at `mask.any()` before everything.",
    ),
    why="The mask must come BEFORE the softmax, so that the words share the whole weight. An empty source has nothing "
    "to share: zeros are the only answer that is neither NaN nor reads padding. For a whole batch it is written "
    "without `if`: the exponentials are multiplied by the mask, and a sum of 0 is replaced by 1.",
)


def beam_step(log_probabilities, scores, width):
    """One step of a beam search: new scores, which beam each comes from and which token it adds, all `(width,)`.

    The best comes first. Log probabilities of the next token are `(beams, vocabulary)`, scores `(beams,)` sums so far.
    """
    totals = scores[:, None] + log_probabilities  # (beams, vocabulary)
    best = np.argsort(-totals.ravel())[:width]
    beams, tokens = np.divmod(best, log_probabilities.shape[1])
    return totals.ravel()[best], beams, tokens


def _draw_beams(rng):
    """Draw log probabilities and scores; the width is not the number of beams."""
    beams = rng.integers(3, 5)
    logits = rng.normal(size=(beams, 6), scale=1.5)
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    return log_probabilities, np.sort(rng.uniform(-6, -3, size=beams))[::-1], int(rng.choice([2, 5]))


def _best(totals, width):
    return np.argsort(-totals.ravel())[:width]


def _step_with(order=_best, *, combine=np.add, divisor=lambda log_probabilities: log_probabilities.shape[1]):
    """A beam step that takes the flat candidates which `order(totals, width)` lists."""

    def answer(log_probabilities, scores, width):
        totals = combine(scores[:, None], log_probabilities)
        best = order(totals, width)
        return totals.ravel()[best], *np.divmod(best, divisor(log_probabilities))

    return answer


def _one_of_each_beam(log_probabilities, scores, width):
    tokens = log_probabilities.argmax(axis=-1)
    totals = scores + log_probabilities.max(axis=-1)
    order = np.argsort(-totals)[:width]
    return totals[order], order, tokens[order]


def _one_child_each(seen, log_probabilities, scores, width):
    """Tell whether no beam has two children and each adds its beam's best token, in whatever order or number."""
    _, beams, tokens = seen
    return len(set(beams)) == len(beams) and np.array_equal(tokens, log_probabilities.argmax(axis=-1)[beams])


def _of_the_last_token(log_probabilities, scores, width):
    best = _best(log_probabilities, width)
    beams, tokens = np.divmod(best, log_probabilities.shape[1])
    return (scores[:, None] + log_probabilities).ravel()[best], beams, tokens


q3 = Exercise(
    asks="Write `beam_step(log_probabilities, scores, width)`: of all ways to extend a beam by a token take the best, "
    "`width` many. Log probabilities are `(beams, vocabulary)`, scores `(beams,)` sums so far. Return a tuple of three "
    "arrays `(width,)`, best first: the new scores, which beam each comes from, which token it adds.",
    starter="def beam_step(log_probabilities, scores, width): ...",
    reference=beam_step,
    draw=_draw_beams,
    mistakes=(
        Mistake(
            _one_of_each_beam,
            "every beam was extended by its own best token, so no beam can have two children or none. All extensions "
            "of all beams compete.",
            when=_one_child_each,
        ),
        Mistake(_of_the_last_token, "the last token alone decided; what a beam has summed so far counts, too."),
        Mistake(
            _step_with(combine=lambda scores, log_probabilities: log_probabilities),
            "what the beams have summed so far is forgotten: the new scores are those of one token.",
        ),
        Mistake(_step_with(combine=np.multiply), "scores were multiplied; it is sums of LOGARITHMS that are compared."),
        Mistake(
            _step_with(lambda totals, width: np.argsort(totals.ravel())[:width]),
            "those are the WORST: `np.argsort` sorts upward, and -20 comes before -2.",
        ),
        Mistake(
            _step_with(lambda totals, width: np.argsort(totals.ravel())[-width:]),
            "the right ones, but the best comes last. Turn them round.",
        ),
        Mistake(
            _step_with(divisor=lambda log_probabilities: len(log_probabilities)),
            "the places in the flat list were divided by the number of BEAMS; each beam has `vocabulary` places in it.",
        ),
        Mistake(
            lambda log_probabilities, scores, width: [
                beam_step(log_probabilities, scores, width)[place] for place in (0, 2, 1)
            ],
            "beam and token have changed places: the order is scores, beams, tokens.",
        ),
    ),
    hints=(
        "Make a table of all candidates, a row for each beam; its entries are what the beam WOULD have summed up.",
        "`scores[:, None] + log_probabilities`, flat; `np.argsort` of its negative; `np.divmod` by `vocabulary` gives "
        "beam and token back.",
    ),
    why="One beam may have several children and another none: this is how a search drops a beginning that was good at "
    "first only. Sorting all candidates is more than is needed; compiled code takes the `width` largest and no more.",
)


def brevity_penalty(hypothesis_length, reference_lengths):
    """BLEU's penalty for one short translation, a scalar from 0 to 1; the lengths are ints and a list of ints.

    Source: Papineni et al. 2002, section 2.2.2.
    """
    closest = min(reference_lengths, key=lambda length: (abs(length - hypothesis_length), length))
    if hypothesis_length >= closest:
        return 1.0
    return float(np.exp(1 - closest / hypothesis_length))


def _draw_lengths(rng):
    """Draw lengths in any order: the closest is a shorter one, a longer one, or one of two; another is much longer."""
    length, near = int(rng.integers(8, 14)), int(rng.integers(1, 3))
    below, above = [(near, near), (near, near), (near, near + 1), (near + 2, near)][rng.integers(4)]
    lengths = rng.permutation([length - below, length + above, length + 7])
    return length, [int(each) for each in lengths]


def _against(choose, penalty=lambda length, reference: min(1.0, float(np.exp(1 - reference / length)))):
    """A penalty against the reference length that `choose(length, lengths)` takes."""
    return lambda length, lengths: penalty(length, choose(length, lengths))


def _closest(length, lengths):
    return min(lengths, key=lambda each: (abs(each - length), each))


q4 = Exercise(
    asks="Write `brevity_penalty(hypothesis_length, reference_lengths)`: what BLEU multiplies by when a translation is "
    "short, with r the reference length that is closest to its own length c (of two equally close ones the shorter): "
    "1 where c is r or more, exp(1 - r / c) where it is less. Lengths are whole numbers from 1 on.",
    starter="def brevity_penalty(hypothesis_length, reference_lengths): ...",
    reference=brevity_penalty,
    draw=_draw_lengths,
    draws=60,
    mistakes=(
        Mistake(
            _against(lambda length, lengths: min(lengths, key=lambda each: (abs(each - length), -each))),
            "of two equally close lengths the LONGER was taken.",
        ),
        Mistake(
            _against(lambda length, lengths: min(lengths, key=lambda each: abs(each - length))),
            "of two equally close lengths the first in the list was taken; the order of references must not matter.",
        ),
        Mistake(
            _against(lambda length, lengths: min(lengths)), "the SHORTEST was taken: one short reference excuses all."
        ),
        Mistake(_against(lambda length, lengths: max(lengths)), "the LONGEST was taken, even where another one fits."),
        Mistake(
            _against(_closest, lambda length, reference: float(np.exp(1 - reference / length))),
            "a long translation is rewarded with more than 1. Stop at 1: words too many already cost precision.",
        ),
        Mistake(
            _against(_closest, lambda length, reference: min(1.0, float(np.exp(1 - length / reference)))),
            "the fraction is upside down, so it is the LONG translations that pay.",
        ),
        Mistake(
            _against(_closest, lambda length, reference: min(1.0, length / reference)),
            "that is the ratio of the lengths itself; the penalty falls faster, as exp(1 - r / c).",
        ),
    ),
    hints=(
        "Two questions, one after the other: which reference length counts, and is the translation shorter than it?",
        "`min(lengths, key=lambda r: (abs(r - c), r))` sorts by distance, then by length.",
    ),
    why="Precision alone could be had by writing one sure word. Recall would not do either: with several references "
    "nobody should use all their words. So length stands in for recall. In BLEU, c and r are added up over the corpus "
    "first: short and long sentences may even out.",
)


def teacher_forcing(targets, start):
    """What a decoder reads in training, `(batch, time)`: `start`, then the targets one step late; padding stays 0.

    Targets are `(batch, time)` token ids with padding, 0, after the last; `start` is an int.
    """
    inputs = np.full_like(targets, start)
    inputs[:, 1:] = targets[:, :-1]
    return np.where(targets != 0, inputs, 0)


def _draw_targets(rng):
    """Draw targets that end in 3; one row fills all steps, the others have padding behind."""
    batch, time = rng.integers(3, 5), rng.integers(6, 9)
    lengths = rng.permutation(np.append(rng.integers(3, time, size=batch - 1), time))
    targets = rng.integers(4, 30, size=(batch, time))
    targets[np.arange(batch), lengths - 1] = 3
    return np.where(np.arange(time) < lengths[:, None], targets, 0), 2


def _late(targets, first):
    """Move `(batch, time)` targets one step to the right; `first` is `(batch, 1)` or a scalar."""
    return np.concatenate([np.broadcast_to(first, (len(targets), 1)), targets[:, :-1]], axis=1)


def _start_instead(targets, start):
    inputs = targets.copy()
    inputs[:, 0] = start
    return inputs


q5 = Exercise(
    asks="Write `teacher_forcing(targets, start)`: what a decoder reads in training so that step t must predict "
    "`targets[:, t]`. Targets are `(batch, time)` token ids, 0 where padding follows the end; `start`, an int, is read "
    "first. The result is `(batch, time)`, and 0 wherever the target is.",
    starter="def teacher_forcing(targets, start): ...",
    reference=teacher_forcing,
    draw=_draw_targets,
    mistakes=(
        Mistake(
            lambda targets, start: targets, "each step is shown the token that it must predict; it learns to copy."
        ),
        Mistake(
            lambda targets, start: np.concatenate([targets[:, 1:], np.zeros_like(targets[:, :1])], axis=1),
            "the shift goes the wrong way: each step is shown the token AFTER the one to predict.",
        ),
        Mistake(_late, "the end of a short sentence is read, too; there the target is 0, and so must the input be."),
        Mistake(
            lambda targets, start: _late(targets, targets[:, -1:]),
            "the last column came round to the front (`np.roll` does that); the first thing to read is `start`.",
        ),
        Mistake(_start_instead, "`start` replaced the first token, but nothing moved: the rest is shown its answer."),
        Mistake(
            lambda targets, start: np.concatenate([np.full_like(targets[:, :1], start), targets], axis=1),
            "there is one step too many. The last token is only predicted, never read.",
        ),
        Mistake(
            lambda targets, start: _late(targets, 0) * (targets != 0),
            "the first step reads padding instead of `start`, and a masked step passes no state on.",
        ),
    ),
    hints=(
        "When the third word is to be predicted, which word has just been written?",
        "Fill an array with `start`, write `targets[:, :-1]` into its columns from 1 on; look where targets are 0.",
    ),
    why="In training the right words are known, so all steps can be learned at once, each from what SHOULD stand "
    "before it. In use the decoder reads its own words, mistakes included, which it never met in training: exposure "
    "bias (Ranzato et al. 2016). Whenever a loss is too good, look at this shift first.",
)
