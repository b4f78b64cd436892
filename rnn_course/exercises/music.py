"""Exercises of lesson 11: nats of a frame, keeping every note, a chord voice by voice, parallel fifths, free keys.

Minutes: q1 10, q2 10, q3 5, q4 10, q5 5.
"""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def frame_nll(logits, targets):
    """Mean negative log-likelihood of a frame in nats, a scalar; logits and targets (0 or 1) are `(time, keys)`."""
    nats = np.logaddexp(0, logits) - logits * targets  # -ln p where a key sounds, -ln(1 - p) where it does not
    return nats.sum(axis=1).mean()


def _draw_frames(rng):
    """Draw logits and targets `(time, keys)`, now and then so large that a sigmoid is 0 or 1 for a computer."""
    logits = rng.normal(size=(rng.integers(2, 4), 5), scale=2)
    return logits * rng.choice([1, 1, 1000]), rng.integers(2, size=logits.shape)


def _of_keys(reduce):
    """An answer that makes one number of the nats of every key, `(time, keys)`, by `reduce`."""
    return lambda logits, targets: reduce(np.logaddexp(0, logits) - logits * targets)


def _of_chances(chances_of):
    """An answer that takes the logarithm of probabilities, `(time, keys)`, which `chances_of(logits)` gives."""

    def answer(logits, targets):
        chances = chances_of(logits)
        return -np.log(np.where(targets == 1, chances, 1 - chances)).sum(axis=1).mean()

    return answer


def _softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


q1 = Exercise(
    asks="Write `frame_nll(logits, targets)`: one number, the negative log-likelihood in nats, summed over the keys of "
    "a frame and averaged over the frames. Both are `(time, keys)`; a target is 1 where the key sounds, else 0, and a "
    "logit is that of the key's own sigmoid. Logits may be as large as 5000.",
    starter="def frame_nll(logits, targets): ...",
    reference=frame_nll,
    draw=_draw_frames,
    mistakes=(
        Mistake(
            _of_keys(np.mean),
            "the mean runs over the keys too, so the number is too small by the number of keys. A frame's likelihood "
            "is the PRODUCT over its keys: sum their nats.",
        ),
        Mistake(_of_keys(np.sum), "the frames were added up as well, so a longer tune looks worse. Average over time."),
        Mistake(
            _of_keys(lambda nats: nats.sum(axis=0).mean()),
            "the axes are the wrong way round: this sums over time and averages over keys.",
        ),
        Mistake(
            _of_chances(lambda logits: 1 / (1 + np.exp(-logits))),
            "right until the logits are large: the sigmoid of 1000 is exactly 1, and ln(1 - 1) infinite. Take both "
            "logarithms before rounding can: -ln sigmoid(x) is `np.logaddexp(0, -x)`.",
        ),
        Mistake(
            _of_chances(lambda logits: logits),
            "the logits were taken for probabilities: the sigmoid is missing.",
        ),
        Mistake(
            lambda logits, targets: (np.logaddexp(0, -logits) * targets).sum(axis=1).mean(),
            "only the keys that sound were counted. Silence is predicted too: -ln(1 - p) for every other key.",
        ),
        Mistake(
            _of_keys(lambda nats: -nats.sum(axis=1).mean()),
            "the sign is lost: this is the log-likelihood, and it is below zero.",
        ),
        Mistake(
            _of_keys(lambda nats: nats.sum(axis=1).mean() / np.log(2)),
            "those are bits; nats come from the natural logarithm.",
        ),
        Mistake(
            _of_chances(_softmax),
            "a softmax lets the keys compete for ONE note. In a chord each key has a sigmoid of its own.",
        ),
    ),
    hints=(
        "A key costs -ln p if it sounds and -ln(1 - p) if it does not. Sum over which axis, average over which?",
        "-ln(1 - sigmoid(x)) is `np.logaddexp(0, x)`, and -ln sigmoid(x) is the same minus x. Then "
        "`.sum(axis=1).mean()`.",
    ),
    why="The keys of a frame are predicted independently, so their probabilities multiply and their nats add up; "
    "frames are averaged, so that tunes of any length compare. Keras' binary cross-entropy averages over the keys: "
    "times their number, it is this figure. `logaddexp` never forms the probability, which would round to 0 or 1.",
)


def transpositions(roll, shifts):
    """The roll moved up by each of the shifts that keep all notes on the keyboard, a list of `(time, keys)` bool."""
    sounding = np.flatnonzero(roll.any(axis=0))
    low, high = sounding.min(), sounding.max()
    room = [shift for shift in shifts if low + shift >= 0 and high + shift < roll.shape[1]]
    return [np.roll(roll, shift, axis=1) for shift in room]  # what goes round is silent


def _draw_roll(rng, frames=2, keys=7):
    """Draw a roll `(time, keys)` of a small keyboard, which sounds somewhere, and shifts in both directions."""
    low = rng.integers(0, 3)
    high = low + rng.integers(2, 4)
    roll = np.zeros((frames, keys), bool)
    roll[0, low] = roll[1, high] = True
    roll[0, low + 1] = rng.random() < 0.5
    return roll, [-3, -2, -1, 0, 1, 2, 3, 4]


def _cut(roll, shift):
    """The roll moved up; what leaves the keyboard is lost."""
    moved = np.zeros_like(roll)
    sources = np.arange(roll.shape[1]) - shift
    inside = (sources >= 0) & (sources < roll.shape[1])
    moved[:, inside] = roll[:, sources[inside]]
    return moved


def _where(keeps):
    """An answer that moves by the shifts for which `keeps(lowest key, highest key, shift, keys)` is true."""

    def answer(roll, shifts):
        sounding = np.flatnonzero(roll.any(axis=0))
        ends = sounding.min(), sounding.max()
        return [_cut(roll, shift) for shift in shifts if keeps(*ends, shift, roll.shape[1])]

    return answer


q2 = Exercise(
    asks="Write `transpositions(roll, shifts)`: the list of the tunes that you get by moving `roll`, `(time, keys)` "
    "bool, up by each shift (down where it is negative), in the order of `shifts`; leave out every shift that would "
    "move a note off the keyboard.",
    starter="def transpositions(roll, shifts): ...",
    reference=transpositions,
    draw=_draw_roll,
    mistakes=(
        Mistake(
            lambda roll, shifts: [np.roll(roll, shift, axis=1) for shift in shifts],
            "no shift was left out, and `np.roll` goes round: a note that leaves at the top comes in at the bottom.",
        ),
        Mistake(
            lambda roll, shifts: [_cut(roll, shift) for shift in shifts],
            "no shift was left out: some tunes have lost the notes that left the keyboard, so their chords are others.",
        ),
        Mistake(
            lambda roll, shifts: transpositions(roll, [-shift for shift in shifts]),
            "up and down are exchanged: key k must move to key k + shift.",
        ),
        Mistake(
            lambda roll, shifts: [np.roll(roll, shift, axis=0) for shift in shifts],
            "the tune was moved in TIME; the keys are the last axis.",
        ),
        Mistake(
            _where(lambda low, high, shift, keys: low + shift > 0 and high + shift < keys - 1),
            "the two outermost keys are keys as well: a note may land on 0 and on the last one.",
        ),
        Mistake(
            _where(lambda low, high, shift, keys: high + shift < keys),
            "only the top was looked at; the lowest note can leave the keyboard as well.",
        ),
    ),
    hints=(
        "Which two notes of the whole tune decide whether a shift is possible?",
        "`np.flatnonzero(roll.any(axis=0))` are the keys that ever sound; the lowest plus the shift must be 0 or more, "
        "the highest plus the shift below `roll.shape[1]`.",
    ),
    why="A tune in another key is another true example, so a training set grows up to twelvefold; harmony stays, as "
    "all intervals do. A tune that lost its bass would be a false one. Augment the training tunes only: valid and test "
    "measure what real tunes are like.",
)


def chord_probability(soprano, alto, bass, chord):
    """Probability, a scalar, of three notes that are chosen one after another, each knowing those before it."""
    first, second, third = chord
    return soprano[first] * alto[first, second] * bass[first, second, third]


def _draw_conditionals(rng, notes=3):
    """Draw a distribution for each voice, given those before it, and a chord whose three indices differ."""
    shapes = (notes,), (notes, notes), (notes, notes, notes)
    conditionals = [rng.dirichlet(np.ones(notes), size=shape[:-1]) for shape in shapes]
    return *conditionals, tuple(rng.permutation(notes).tolist())


def _of_factors(combine):
    """An answer that combines the three conditional probabilities of a chord."""

    def answer(soprano, alto, bass, chord):
        first, second, third = chord
        return combine(np.array([soprano[first], alto[first, second], bass[first, second, third]]))

    return answer


def _of_marginals(soprano, alto, bass, chord):
    both = soprano[:, None] * alto
    return soprano[chord[0]] * both.sum(axis=0)[chord[1]] * (both[:, :, None] * bass).sum(axis=(0, 1))[chord[2]]


q3 = Exercise(
    asks="Write `chord_probability(soprano, alto, bass, chord)`: the probability of a chord, a tuple of three note "
    "indices. `soprano[i]` is the probability of note i in the soprano, `alto[i, j]` that of note j in the alto given "
    "i, `bass[i, j, k]` that of note k in the bass given both.",
    starter="def chord_probability(soprano, alto, bass, chord): ...",
    reference=chord_probability,
    draw=_draw_conditionals,
    mistakes=(
        Mistake(_of_factors(np.sum), "the three were added; that all of them happen is their PRODUCT."),
        Mistake(_of_factors(np.mean), "that is the average of the three; a chord needs all of them at once: multiply."),
        Mistake(
            _of_factors(lambda factors: np.prod(factors) ** (1 / 3)),
            "that is the probability of a NOTE (the geometric mean); the chord's is the product itself.",
        ),
        Mistake(
            lambda soprano, alto, bass, chord: bass[chord],
            "that is the bass alone, given the others; they had to be chosen first.",
        ),
        Mistake(
            lambda soprano, alto, bass, chord: soprano[chord[0]] * alto[chord[1], chord[0]] * bass[chord],
            "the alto's axes are exchanged: the first one is what is given, the last one what is chosen.",
        ),
        Mistake(
            _of_marginals,
            "each voice was taken by itself, whatever the others sing. Then voices can clash, as keys do in a "
            "frame-wise model: use the conditionals as they are.",
        ),
    ),
    hints=(
        "The soprano sings first. How likely is the alto's note, once that of the soprano is known?",
        "p(i, j, k) = p(i) p(j | i) p(k | i, j): index each array with the notes up to its own voice.",
    ),
    why="The chain rule is exact for ANY joint distribution and any order of the voices; nothing is assumed to be "
    "independent. Nats add up, so the nats of a frame are the sum over its voices, and they compare with the sum over "
    "the keys of a frame-wise model: both are -ln of a whole frame's probability. (Where the same keys can be dealt to "
    "the voices in several ways, the sum over the voices is an upper bound for that of the keys.)",
)


def fifths_in_parallel(upper, lower):
    """Frames, a list of ints, that a parallel fifth leads to; both voices are `(time,)` MIDI numbers, 0 for a rest."""
    sounding = (upper > 0) & (lower > 0)
    fifth = sounding & ((upper - lower) % 12 == 7)
    up, down = np.sign(np.diff(upper)), np.sign(np.diff(lower))
    return (np.flatnonzero(fifth[:-1] & fifth[1:] & (up == down) & (up != 0)) + 1).tolist()


def _draw_voices(rng):
    """Draw two voices `(time,)`: two frames of each of four kinds, and another frame after them."""
    low = int(rng.integers(49, 54))
    kinds = [
        ((low + 7, low), (low + 9, low + 2)),  # parallel
        ((low + 7, low), (low + 7, low)),  # held
        ((low + 19, low), (low + 21, low + 2)),  # parallel twelfths
        ((low + 7, low), (low + 8, low - 11)),  # a fifth and a twelfth, in opposite directions
        ((low + 12, low), (low + 14, low + 2)),  # octaves
        ((low + 4, low), (low + 9, low + 2)),  # third to fifth
        ((55, 0), (low + 7, low)),  # a rest is no note, although 55 is 7 and whole octaves
    ]
    frames = [frame for kind in rng.permutation(len(kinds))[:4] for frame in (*kinds[kind], (low + 3, low))]
    return tuple(np.array(frames).T)


def _fifths(holds, *, of=lambda upper, lower: (upper - lower) % 12 == 7, shift=1, lowest=1):
    """An answer that looks for pairs of frames which are both `of` a kind and whose motion `holds`."""

    def answer(upper, lower):
        found = (upper >= lowest) & (lower >= lowest) & of(upper, lower)
        motion = holds(np.sign(np.diff(upper)), np.sign(np.diff(lower)))
        return (np.flatnonzero(found[:-1] & found[1:] & motion) + shift).tolist()

    return answer


def _same(up, down):
    return (up == down) & (up != 0)


q4 = Exercise(
    asks="Write `fifths_in_parallel(upper, lower)`: the frames at which a parallel fifth ends. Both voices are "
    "`(time,)` arrays of MIDI numbers, 0 for a rest. Two voices make one if they sound 7 semitones, or 7 and whole "
    "octaves, apart in a frame and in the next, and both move in the same direction.",
    starter="def fifths_in_parallel(upper, lower): ...",
    reference=fifths_in_parallel,
    draw=_draw_voices,
    mistakes=(
        Mistake(
            _fifths(lambda up, down: up == down),
            "a fifth that is held was counted: where no voice moves, none is parallel to another.",
        ),
        Mistake(
            _fifths(_same, of=lambda upper, lower: upper - lower == 7),
            "a fifth and an octave is a fifth to the ear: take the difference modulo 12.",
        ),
        Mistake(
            _fifths(lambda up, down: (up != 0) & (down != 0)),
            "two fifths were counted although one voice rises and the other falls; both must move the same way.",
        ),
        Mistake(
            _fifths(_same, shift=0),
            "you name the frame in which it begins; the one in which it ends comes after it.",
        ),
        Mistake(
            _fifths(_same, lowest=0),
            "a rest was taken for a note: 55 - 0 is 7 and four octaves, but nothing sounds below it.",
        ),
        Mistake(
            lambda upper, lower: np.flatnonzero((upper > 0) & (lower > 0) & ((upper - lower) % 12 == 7)).tolist(),
            "every fifth was counted; a single one is welcome, only two in a row can be parallel.",
        ),
        Mistake(
            lambda upper, lower: len(fifths_in_parallel(upper, lower)),
            "that is how many there are; asked is where.",
        ),
    ),
    hints=(
        "Three questions to each pair of neighboring frames: is the first a fifth, is the second, and which way did "
        "the voices go?",
        "`np.sign(np.diff(upper))` is 1, 0 or -1. Compare it with that of the other voice, leave out 0, and remember "
        "that entry t of a difference belongs to frame t + 1.",
    ),
    why="Two voices in parallel fifths melt into one, which is why part writing avoids them. A network never hears of "
    "the rule: how often it breaks it, beside how often Bach does, measures what it has learned of independent voices.",
)


def share():
    """How likely it is, a scalar, that six keys which are drawn independently are one of the two chords."""
    first = 0.6**3 * (1 - 0.4) ** 3  # its three keys sound, the three others do not
    second = 0.4**3 * (1 - 0.6) ** 3
    return first + second


q5 = Exercise(
    asks="Predict `share`: at a certain place six frames in ten are the chord C-E-G and four the chord D-F-A. A "
    "frame-wise network has learned exactly how often each of the six keys sounds there, and draws every key by "
    "itself. Which share of its frames, from 0 to 1, is one of the two chords?",
    starter="share = ...",
    reference=share,
    tolerance=0.001,
    mistakes=(
        Mistake(
            1.0,
            "it knows how often each KEY sounds, and that is all it knows: nothing tells it that C comes with E.",
        ),
        Mistake(
            0.6**3 + 0.4**3,
            "the three keys that sound are in it, but the three others must be silent, and that is not certain.",
        ),
        Mistake(0.6**6, "that is the first chord alone; the second can be drawn as well."),
        Mistake(0.6**2 + 0.4**2, "all six keys are drawn, each by itself: there is a factor for each of them."),
        Mistake(
            2 / 64, "you gave every key one half; those of the first chord sound in 60 % of the frames, others in 40 %."
        ),
        Mistake(0.6**3 * 0.4**3 * 2, "where the first chord is drawn, D, F and A must be silent: 1 - 0.4 each."),
    ),
    hints=(
        "For C-E-G, six things must happen at once: three keys sound, and three do not.",
        "A key of the first chord sounds with 0.6, one of the second with 0.4 and is silent with 0.6.",
    ),
    why="Right about every key, and still nineteen of twenty frames are chords that nobody wrote. No temperature mends "
    "that: at 0 every key above one half sounds, so it is always the first chord and never the second. A network that "
    "chooses voice by voice can be right about chords, since each note knows those before it.",
)
