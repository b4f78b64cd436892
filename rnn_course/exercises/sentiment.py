"""Exercises of lesson 06: what a bag of words cannot tell, what a test set can, and what a model has read where.

Minutes: q1 5, q2 5, q3 10, q4 10, q5 10.
"""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def same_bag(first, second):
    """Whether two sentences (strings, spaces between all words and signs) hold the same words equally often; a bool."""
    return sorted(first.lower().split()) == sorted(second.lower().split())


def _draw_sentences(rng):
    """Draw two sentences that differ in one way: not at all, in order, in counts, in a word, in letters' order."""
    a, b, c = rng.permutation(["good", "dull", "warm", "loud", "witty", "slow"])[:3]
    pairs = (
        [(a, b, b), (a, b, b)],
        [(a, b, b), (b, a, b)],
        [(a, b, b), (a, a, b)],
        [(a, b, b), (a, b, c)],
        [(a, b, c), (a, b, b)],
        [(a, b, "evil"), (a, b, "vile")],
    )
    first, second = pairs[rng.integers(len(pairs))]
    return _written(first, rng), _written(second, rng)


def _written(words, rng):
    """Write three adjectives into a sentence, now and then with a capital letter or a second space."""
    the, space = ("the", "The")[rng.integers(2)], (" ", "  ")[rng.integers(2)]
    return f"{the} film was not {words[0]} ,{space}but {words[1]} and {words[2]} ."


q1 = Exercise(
    asks="Write `same_bag(first, second)`: True where two sentences hold the same words equally often, so that a bag "
    "of words must score them alike. Words and signs are separated by spaces; capitals and second spaces mean nothing.",
    starter="def same_bag(first, second): ...",
    reference=same_bag,
    draw=_draw_sentences,
    draws=60,
    mistakes=(
        Mistake(
            lambda first, second: set(first.lower().split()) == set(second.lower().split()),
            "a set forgets how often a word occurs; a bag of words counts.",
        ),
        Mistake(
            lambda first, second: set(first.split()) == set(second.split()),
            'two things at once: a set forgets the counts, and "The" is held to be another word than "the".',
        ),
        Mistake(
            lambda first, second: first.lower().split() == second.lower().split(),
            "you compared the words in their order, which is what a bag does not know.",
        ),
        Mistake(
            lambda first, second: first == second,
            "you compared the texts letter by letter; the question is which words are in them.",
        ),
        Mistake(
            lambda first, second: sorted(first.split()) == sorted(second.split()),
            'the counting is right, but "The" and "the" are counted as two words.',
        ),
        Mistake(
            lambda first, second: sorted(first.lower().split(" ")) == sorted(second.lower().split(" ")),
            '`split(" ")` makes an empty word of every second space; `split()` does not.',
        ),
        Mistake(
            lambda first, second: sorted(first.lower()) == sorted(second.lower()),
            "a string was sorted, so the LETTERS were compared; cut it into words before.",
        ),
        Mistake(
            lambda first, second: set(first.lower().split()) <= set(second.lower().split()),
            "you looked in one direction only: the second sentence may hold more than the first.",
        ),
    ),
    hints=(
        "What is left of a sentence when its words are cut out and shaken? Not their order, but how many of each.",
        "Cut with `lower().split()`; then bring both lists into one order (`sorted`) or count (`collections.Counter`).",
    ),
    why="A bag of words hands the classifier a table of counts. Equal tables get equal scores from every classifier, "
    'however well trained: of "not dull , but good" and "not good , but dull" it must get one wrong. Counting pairs of '
    "words tells these two apart, and fails where the negator stands farther away.",
)


def margin(accuracy, count):
    """Half the 95 % interval's width of an accuracy, 0 to 1, on `count` sentences; a scalar (Laplace 1812)."""
    return 1.96 * np.sqrt(accuracy * (1 - accuracy) / count)


q2 = Exercise(
    asks="Write `margin(accuracy, count)`: half the width of the 95 % interval (normal approximation) of an accuracy, "
    "a share between 0 and 1, that was measured on `count` test sentences.",
    starter="def margin(accuracy, count): ...",
    reference=margin,
    draw=lambda rng: (rng.uniform(0.55, 0.95), int(rng.integers(100, 3000))),
    mistakes=(
        Mistake(
            lambda accuracy, count: np.sqrt(accuracy * (1 - accuracy) / count),
            "that is one standard error, which covers 68 %; for 95 % it takes 1.96 of them.",
        ),
        Mistake(
            lambda accuracy, count: 1.96 * accuracy * (1 - accuracy) / count,
            "that is 1.96 times the variance; the standard error is its square root.",
        ),
        Mistake(
            lambda accuracy, count: 1.96 * np.sqrt(accuracy * (1 - accuracy)) / count,
            "the count stands outside the root: four times the sentences HALVE the margin, they do not quarter it.",
        ),
        Mistake(
            lambda accuracy, count: 1.96 * np.sqrt(accuracy * (100 - accuracy) / count),
            "the accuracy comes as a share, so the rest is 1 - accuracy, not 100 - accuracy.",
        ),
        Mistake(
            lambda accuracy, count: 196 * np.sqrt(accuracy * (1 - accuracy) / count),
            "that is in percentage points; the accuracy is a share, so give its margin as a share too.",
        ),
        Mistake(
            lambda accuracy, count: 2 * margin(accuracy, count), "that is the whole width; half of it was asked for."
        ),
        Mistake(
            lambda accuracy, count: (accuracy - margin(accuracy, count), accuracy + margin(accuracy, count)),
            "those are the two ends of the interval; half its width was asked for.",
        ),
        Mistake(
            lambda accuracy, count: 1.96 * np.sqrt(accuracy / count),
            "the share of wrong answers is missing: a model that is never wrong does not vary.",
        ),
    ),
    hints=(
        "Each sentence is a coin that falls right with probability p. How much does the mean of n such coins vary?",
        "One coin has variance p (1 - p), the mean of n has 1/n of it. A normal variable lies within 1.96 standard "
        "deviations of its mean 95 % of the time.",
    ),
    why=f"At 82.5 % on 1,821 sentences it is {100 * margin(0.825, 1821):.1f} points, so a test set of this size alone "
    "does not tell 82.5 % from 81.5 %. Two models that read the same sentences can be compared more sharply by the "
    "sentences on which exactly one of them is right (McNemar 1947); other seeds are a second source of chance, which "
    "this margin does not contain.",
)


def last_real(hidden, mask):
    """The states at each sentence's last real step, `(batch, units)`, of `(batch, time, units)` and a bool mask.

    The mask is `(batch, time)`, true at real steps; padding stands on the right.
    """
    last = mask.sum(axis=1) - 1  # (batch,)
    return hidden[np.arange(len(hidden)), last]


def _draw_padded(rng, features=3):
    """Draw `(batch, time, features)` numbers and a mask `(batch, time)`, padded on the right."""
    batch, time = rng.integers(2, 5), rng.integers(5, 8)
    lengths = rng.integers(1, time + 1, size=batch)
    return rng.normal(size=(batch, time, features)), np.arange(time) < lengths[:, None]


q3 = Exercise(
    asks="Write `last_real(hidden, mask)`: the state at each sentence's last real step, `(batch, units)`, of states "
    "`(batch, time, units)` from a layer that read on through the padding. The mask, `(batch, time)` bool, is True at "
    "real steps; padding stands on the right.",
    starter="def last_real(hidden, mask): ...",
    reference=last_real,
    draw=_draw_padded,
    mistakes=(
        Mistake(lambda hidden, mask: hidden[:, -1], "that is the last step of the array; in short sentences, padding."),
        Mistake(
            lambda hidden, mask: hidden[np.arange(len(hidden)), mask.sum(axis=1)],
            "off by one: in a sentence of 5 words the last one has index 4. Index 5 is padding, or does not exist.",
        ),
        Mistake(
            lambda hidden, mask: hidden[np.arange(len(hidden)), mask.argmax(axis=1)],
            "`argmax` of a mask finds the FIRST true step.",
        ),
        Mistake(
            lambda hidden, mask: hidden[:, mask[0].sum() - 1],
            "every sentence was cut at the first one's length; each has its own.",
        ),
        Mistake(
            lambda hidden, mask: hidden[:, mask.sum(axis=1) - 1],
            "`:` pairs every sentence with every length; number the sentences with `np.arange` instead.",
        ),
        Mistake(lambda hidden, mask: hidden[mask][-1], "that is one state, of the last sentence alone."),
        Mistake(lambda hidden, mask: hidden.mean(axis=1), "that is the mean over all steps, with the padding in it."),
        Mistake(
            lambda hidden, mask: (hidden * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True),
            "that is the mean over the real steps; the last of them was asked for.",
        ),
    ),
    hints=(
        "How long is each sentence? The mask knows, and True counts as 1.",
        "Index with two arrays of length batch, one of sentences and one of steps: `hidden[rows, steps]`.",
    ),
    why="Two index arrays of one length are read in pairs, (0, last_0), (1, last_1), …: one state a sentence. A Keras "
    "layer that is handed the mask does this for you, by standing still on padding; one that is not reads padding like "
    "words, and what it answers depends on how long the batch's longest sentence is.",
)


def p_value(observed, null):
    """Two-sided p of a correlation, a scalar, under permuted ones, `(permutations,)` (Phipson and Smyth 2010)."""
    extreme = np.abs(null) >= np.abs(observed)
    return (1 + extreme.sum()) / (1 + len(null))


def _draw_correlations(rng):
    """Draw one correlation and a null `(permutations,)`, in tenths so that ties occur."""
    observed = rng.choice([-1, 1]) * rng.integers(1, 10) / 10
    return observed, rng.integers(-10, 11, size=rng.integers(9, 30)) / 10


q4 = Exercise(
    asks="Write `p_value(observed, null)`: `observed` is one unit's signed correlation with a concept, `null` the "
    "signed ones, `(permutations,)`, after the concept was dealt out anew. Return the share of all arrangements, the "
    "observed one among them, whose correlation lies at least as far from zero as the observed one.",
    starter="def p_value(observed, null): ...",
    reference=p_value,
    draw=_draw_correlations,
    mistakes=(
        Mistake(
            lambda observed, null: np.mean(np.abs(null) >= np.abs(observed)),
            "the observed arrangement is left out above and below; so a p of exactly 0 could come out.",
        ),
        Mistake(
            lambda observed, null: (1 + np.sum(np.abs(null) >= np.abs(observed))) / len(null),
            "one arrangement more is counted above than below; so a p above 1 could come out.",
        ),
        Mistake(
            lambda observed, null: (1 + np.sum(null >= observed)) / (1 + len(null)),
            "the signs were compared too: a unit that falls where the concept rises follows it as well.",
        ),
        Mistake(
            lambda observed, null: np.mean(null >= observed),
            "two things at once: signs were compared, and the observed arrangement is not counted.",
        ),
        Mistake(
            lambda observed, null: (1 + np.sum(null >= np.abs(observed))) / (1 + len(null)),
            "the sign of `observed` is gone, but that of `null` is not: half of chance was overlooked.",
        ),
        Mistake(
            lambda observed, null: (1 + np.sum(np.abs(null) > np.abs(observed))) / (1 + len(null)),
            "ties count against you: a permutation that does exactly as well shows that chance can.",
        ),
        Mistake(
            lambda observed, null: (1 + np.sum(np.abs(null) <= np.abs(observed))) / (1 + len(null)),
            "you counted where chance does worse; then a strong unit gets a p near 1.",
        ),
        Mistake(
            lambda observed, null: 1 + np.sum(np.abs(null) >= np.abs(observed)),
            "that is a count; a share was asked for.",
        ),
    ),
    hints=(
        "If the unit had nothing to do with the concept, the observed arrangement would be one like all others.",
        "Compare absolute values with >=. The observed arrangement does as well as itself: where does this 1 go?",
    ),
    why="Under the null hypothesis the observed arrangement is one more draw, and it ties with itself: 1 above, 1 "
    "below. So p is never smaller than 1 / (permutations + 1). For the BEST of many units the null must be the best of "
    "as many, as in `unit_concept_correlation`.",
)


def word_shares(vectors, gradients, mask):
    """Gradient times input of every word, `(batch, time)`, NaN at padding (Shrikumar et al. 2016).

    `vectors` and `gradients` are `(batch, time, features)`, the mask `(batch, time)` bool is true at real steps.
    """
    shares = (vectors * gradients).sum(axis=-1)  # (batch, time)
    return np.where(mask, shares, np.nan)


def _draw_words(rng):
    vectors, mask = _draw_padded(rng, features=4)
    return vectors, rng.normal(size=vectors.shape), mask


q5 = Exercise(
    asks="Write `word_shares(vectors, gradients, mask)`: gradient times input of every word, `(batch, time)`, from "
    "word vectors and gradients, both `(batch, time, features)`; NaN where the mask, `(batch, time)` bool, is False.",
    starter="def word_shares(vectors, gradients, mask): ...",
    reference=word_shares,
    draw=_draw_words,
    mistakes=(
        Mistake(
            lambda vectors, gradients, mask: np.where(mask[:, :, None], vectors * gradients, np.nan),
            "every feature still has a share of its own; a word's is their sum.",
        ),
        Mistake(
            lambda vectors, gradients, mask: (vectors * gradients).sum(axis=1),
            "you summed over time, so each FEATURE got a share; sum over the last axis.",
        ),
        Mistake(
            lambda vectors, gradients, mask: np.where(mask, np.linalg.norm(gradients, axis=-1), np.nan),
            "that is the length of the gradient: how sensitive the score is, without a sign and without the word.",
        ),
        Mistake(
            lambda vectors, gradients, mask: (vectors * gradients).sum(axis=-1) * mask,
            "padding got 0, which says that a word stood there and did not matter; there was no word.",
        ),
        Mistake(
            lambda vectors, gradients, mask: (vectors * gradients).sum(axis=-1),
            "padding still has shares; nobody read a word there.",
        ),
        Mistake(
            lambda vectors, gradients, mask: (vectors * gradients).sum(axis=-1)[mask],
            "indexing with the mask strings all words of the batch together; the result keeps the shape (batch, time).",
        ),
        Mistake(
            lambda vectors, gradients, mask: np.where(mask, np.abs(vectors * gradients).sum(axis=-1), np.nan),
            "the sign is gone: with absolute values no word can speak AGAINST the score.",
        ),
        Mistake(
            lambda vectors, gradients, mask: np.where(mask, (vectors * gradients).mean(axis=-1), np.nan),
            "that is the mean over the features; the parts of a change add up.",
        ),
    ),
    hints=(
        "Push one word's vector from zero to where it is. By how much does a linear score change?",
        "That is the dot product of vector and gradient, word by word; then `np.where` with `np.nan` for the padding.",
    ),
    why="The dot product is the first-order change of the score when a word's vector goes from zero to where it "
    "stands. Where the score is linear in the vectors the shares add up to all that the words did; a network bends on "
    "the way, and integrated gradients average over it. NaN keeps padding out of pictures and of means (`np.nanmean`).",
)
