"""Exercises of lesson 13: one-hot letters, the other strand, a motif's scan, a leaking split, every change of a letter.

Minutes: q1 5, q2 5, q3 10, q4 10, q5 10.
"""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def one_hot(sequence, letters):
    """Encode a string as `(time, letters)`; a character that is none of the letters is spread evenly over all."""
    encoded = np.full((len(sequence), len(letters)), 1 / len(letters))
    for place, letter in enumerate(sequence):
        if letter in letters:
            encoded[place] = 0
            encoded[place, letters.index(letter)] = 1
    return encoded


def _draw_sequence(rng):
    """Draw letters of an alphabet in an order that is not the alphabet's, some unknown ones among them."""
    letters = "".join(rng.permutation(list("ACGTU"))[: rng.integers(4, 6)])
    known = rng.choice(list(letters), size=rng.integers(7, 11))
    known[rng.choice(len(known), size=2, replace=False)] = "N"
    return "".join(known), letters


def _rows(sequence, letters, unknown):
    """Encode with a row of one's own, `(letters,)`, for unknown letters."""
    return np.array([np.eye(len(letters))[letters.index(s)] if s in letters else unknown for s in sequence])


def _without_unknown(sequence, letters):
    return one_hot("".join(letter for letter in sequence if letter in letters), letters)


q1 = Exercise(
    asks="Write `one_hot(sequence, letters)`: a string as an array `(time, letters)` with a row for each character and "
    "a column for each letter, in the order of `letters`. A letter's row has one 1; a character that is none of the "
    "letters is spread evenly over all of them.",
    starter="def one_hot(sequence, letters): ...",
    reference=one_hot,
    draw=_draw_sequence,
    mistakes=(
        Mistake(
            lambda sequence, letters: _rows(sequence, letters, np.zeros(len(letters))),
            "an unknown letter became zeros. That row is what padding looks like: the network would be told that the "
            "sequence has a hole there, and a mask would pass over it.",
        ),
        Mistake(
            lambda sequence, letters: _rows(sequence, letters, np.ones(len(letters))),
            "an unknown letter became all ones: as if every letter stood there at once, for sure. One letter stands "
            "there, so that the row must still sum to 1.",
        ),
        Mistake(
            lambda sequence, letters: _rows(sequence, letters, np.eye(len(letters))[0]),
            "an unknown letter became the FIRST letter of the alphabet, a guess that nobody can tell from knowledge.",
        ),
        Mistake(
            lambda sequence, letters: np.eye(len(letters))[[letters.find(letter) for letter in sequence]],
            "an unknown letter became the LAST one: `find` answers -1, and index -1 is the last row.",
        ),
        Mistake(
            _without_unknown,
            "unknown letters were left out, so that everything behind them moved to the left; the splice site with it.",
        ),
        Mistake(
            lambda sequence, letters: one_hot(sequence, letters).T,
            "rows and columns have changed places: a recurrent network reads `(time, letters)`.",
        ),
        Mistake(
            lambda sequence, letters: np.array([letters.find(letter) for letter in sequence]),
            "those are numbers of letters. As inputs they would say that G is twice C.",
        ),
    ),
    hints=(
        "Begin with the row of a character about which nothing is known, and put it everywhere.",
        "`np.full((len(sequence), len(letters)), 1 / len(letters))`; then overwrite each row whose character is in "
        "`letters`, at `letters.index(character)`.",
    ),
    why="Each row is a probability over letters: a sequenced letter is certain, an N is not. A convolution then gives "
    "an N the mean of what it would give the letters, and padding, the only row of zeros, stays recognizable.",
)


def reverse_complement(encoded):
    """The other strand of DNA in its own direction, `(time, 4)` with the columns A, C, G, T."""
    return encoded[::-1, ::-1]


def _draw_strand(rng):
    """Draw a strand of letters and probabilities whose other strand is not its own."""
    encoded = np.eye(4)[rng.integers(4, size=rng.integers(6, 10))]
    encoded[0], encoded[-1] = np.eye(4)[0], np.eye(4)[1]
    encoded[2] = rng.dirichlet(np.ones(4))
    return (encoded,)


q2 = Exercise(
    asks="Write `reverse_complement(encoded)`: the other strand of a piece of DNA `(time, 4)`, columns A, C, G, T, "
    "read in its own direction. A faces T and C faces G, and the other strand is read from the other end.",
    starter="def reverse_complement(encoded): ...",
    reference=reverse_complement,
    draw=_draw_strand,
    mistakes=(
        Mistake(
            lambda encoded: encoded[:, ::-1],
            "that is the complement, letter under letter. The other strand runs the other way: turn the time, too.",
        ),
        Mistake(
            lambda encoded: encoded[::-1],
            "that is the same strand backwards, which no enzyme reads. Its letters must be exchanged for partners.",
        ),
        Mistake(
            lambda encoded: encoded[::-1][:, [1, 0, 3, 2]],
            "A was paired with C and G with T, the neighbors in the order of columns. A faces T, and C faces G.",
        ),
    ),
    hints=(
        "Two things are turned round: the order of the rows, and which column belongs to which letter.",
        "With columns A, C, G, T, the partners T, G, C, A are the columns from behind: both axes take `[::-1]`.",
    ),
    why="The order A, C, G, T is chosen so that the complement is the columns backwards. A probability row needs "
    "nothing special. With padding at the end, however, this would move the padding to the front: reverse the real "
    "rows only.",
)


def scan(encoded, log_odds):
    """Hold a motif `(width, letters)` against every place of `(time, letters)`: scores `(time - width + 1,)`.

    Source: Stormo 2000, Bioinformatics 16.
    """
    width = len(log_odds)
    return np.array([(encoded[start : start + width] * log_odds).sum() for start in range(len(encoded) - width + 1)])


def _draw_motif(rng):
    """Draw a sequence and a motif of another width; no axis is as long as another."""
    width = int(rng.choice([3, 5]))
    return np.eye(4)[rng.integers(4, size=rng.integers(10, 14))], rng.normal(size=(width, 4), scale=2)


def _each_window(score):
    """A scan that gives every window `(width, letters)` a score of its own."""

    def answer(encoded, log_odds):
        width = len(log_odds)
        return np.array([score(encoded[at : at + width], log_odds) for at in range(len(encoded) - width + 1)])

    return answer


def _over_the_end(encoded, log_odds):
    return scan(np.pad(encoded, [(0, len(log_odds) - 1), (0, 0)]), log_odds)


def _convolved(encoded, log_odds):
    return sum(np.convolve(encoded[:, letter], log_odds[:, letter], mode="valid") for letter in range(4))


q3 = Exercise(
    asks="Write `scan(encoded, log_odds)`: hold a motif against every place of a sequence. The sequence is "
    "`(time, letters)`, the motif `(width, letters)` in bits; the score of a place is the sum of the weights of the "
    "letters that stand there. Return `(time - width + 1,)`: only places where the whole motif fits.",
    starter="def scan(encoded, log_odds): ...",
    reference=scan,
    draw=_draw_motif,
    mistakes=(
        Mistake(
            lambda encoded, log_odds: scan(encoded, log_odds)[:-1],
            "the last place is missing: a motif of the width w fits at `time - w + 1` places.",
        ),
        Mistake(
            _over_the_end,
            "the motif was held over the end, where its last letters meet nothing; such places score too little.",
        ),
        Mistake(
            _convolved,
            "the motif was turned round: a convolution in the sense of mathematics (`np.convolve`) reads it backwards, "
            "a `Conv1D` does not.",
        ),
        Mistake(
            _each_window(lambda window, log_odds: (window * 2**log_odds).sum()),
            "the ratios were added up. Independent chances multiply, so it is their LOGARITHMS that are added.",
        ),
        Mistake(
            _each_window(lambda window, log_odds: (window * log_odds).sum() / len(window)),
            "the mean was taken instead of the sum: the score is then no longer the log-odds of the whole motif.",
        ),
        Mistake(
            _each_window(lambda window, log_odds: (window * log_odds).max()),
            "the single best letter was taken; a motif needs all of its letters together.",
        ),
    ),
    hints=(
        "What is the score of ONE window that is as wide as the motif? A one-hot row picks one weight.",
        "`(encoded[start : start + width] * log_odds).sum()` for each `start` in `range(time - width + 1)`.",
    ),
    why="Log-odds of independent places add up, so that a score of s bits means: 2**s times likelier in a motif than "
    "in the background. It is exactly what one filter of a `Conv1D` with padding='valid' computes: the network's first "
    "layer IS a set of such scans, with weights that it finds itself.",
)


def leaked(train, test):
    """Which test sequences stand in the training set too, as they are or as their other strand: bool `(test,)`."""
    partners = str.maketrans("ACGT", "TGCA")
    seen = set(train) | {sequence[::-1].translate(partners) for sequence in train}
    return np.array([sequence in seen for sequence in test])


_PARTNERS = str.maketrans("ACGT", "TGCA")


def _other_strand(sequence):
    return sequence[::-1].translate(_PARTNERS)


def _new(rng):
    """Draw a sequence of 12 letters."""
    return "".join(rng.choice(list("ACGT"), size=12))


def _near(sequence):
    """Change the last letter to its partner."""
    return sequence[:-1] + sequence[-1].translate(_PARTNERS)


def _draw_split(rng):
    """Draw a split whose test holds what leaks, and what only looks alike: near, backward, complement, a piece."""
    train = [_new(rng) for _ in range(7)]
    first, second, third, fourth, fifth, sixth, _ = train
    fresh = [_new(rng) for _ in range(2)]
    almost = [_near(third), fourth[::-1], fifth.translate(_PARTNERS), sixth[:6]]
    test = [first, _other_strand(second), *almost, *fresh, fresh[0]]
    return train, [test[place] for place in rng.permutation(len(test))]


def _any_in(check):
    """An answer that asks `check(train sequence, test sequence)` of every pair."""
    return lambda train, test: np.array([any(check(known, sequence) for known in train) for sequence in test])


q4 = Exercise(
    asks="Find the leak. Write `leaked(train, test)`: for each test sequence whether the training set holds the same "
    "piece of DNA, as the same string or as its reverse complement. Both are lists of strings of A, C, G, T; return "
    "bool `(test,)`. Similar sequences, or parts of one, do not count here.",
    starter="def leaked(train, test): ...",
    reference=leaked,
    draw=_draw_split,
    mistakes=(
        Mistake(
            _any_in(lambda known, sequence: known == sequence),
            "the same strings were found, their other strands were not: one molecule has two spellings.",
        ),
        Mistake(
            _any_in(lambda known, sequence: known == _other_strand(sequence)),
            "only the other strands were found; the same string is a leak, too.",
        ),
        Mistake(
            _any_in(lambda known, sequence: sequence in (known, known[::-1])),
            "a sequence read backwards was taken for its other strand; its letters must be exchanged as well.",
        ),
        Mistake(
            _any_in(lambda known, sequence: sequence in (known, known.translate(_PARTNERS))),
            "the complement was taken without turning it round; the other strand is read from its other end.",
        ),
        Mistake(
            _any_in(lambda known, sequence: sequence in known or sequence in _other_strand(known)),
            "a PIECE of a training sequence was called the same: `in` between two strings looks for parts. Here whole "
            "sequences count; in a set they are looked up whole, and at once.",
        ),
        Mistake(
            lambda train, test: ~leaked(train, test),
            "the answer is the wrong way round: True marks the test sequences that must go.",
        ),
        Mistake(
            lambda train, test: np.flatnonzero(leaked(train, test)),
            "those are the places of the leaks; return True or False for EVERY test sequence.",
        ),
        Mistake(
            lambda train, test: leaked(test, train),
            "the two sets have changed places: one answer for each TEST sequence is asked.",
        ),
    ),
    hints=(
        "How many strings describe one double-stranded piece of DNA?",
        "Put the training sequences into a `set` and their reverse complements, too: `sequence[::-1]` and "
        "`str.maketrans('ACGT', 'TGCA')`; then ask `in` for each test sequence.",
    ),
    why="A network that has met a sequence in training answers from memory, and the test measures that. Duplicates "
    "must go BEFORE the split. A set needs one look-up for each sequence; comparing all pairs of 100,000 with 100,000 "
    "would take hours. Shifted windows of one gene, and genes of one family, leak as well: these are split by gene "
    "or by similarity, which no comparison of strings will do.",
)


def mutants(encoded):
    """Every change of one letter of a one-hot sequence `(time, letters)`: `(time * (letters - 1), time, letters)`.

    Position by position; at each the other letters in the order of columns.
    """
    time, letters = encoded.shape
    where, letter = np.nonzero(encoded == 0)  # row by row: the letters that do not stand there
    changed = np.repeat(encoded[None], time * (letters - 1), axis=0)
    changed[np.arange(len(where)), where] = np.eye(letters)[letter]
    return changed


def _draw_one_hot(rng):
    """Draw a one-hot sequence; never as many positions as letters."""
    letters = int(rng.integers(3, 6))
    return (np.eye(letters)[rng.integers(letters, size=letters + 1 + rng.integers(2))],)


def _all_letters(encoded):
    time, letters = encoded.shape
    changed = np.repeat(encoded[None], time * letters, axis=0)
    changed[np.arange(time * letters), np.repeat(np.arange(time), letters)] = np.tile(np.eye(letters), (time, 1))
    return changed


def _added(encoded):
    where, letter = np.nonzero(encoded == 0)
    changed = np.repeat(encoded[None], len(where), axis=0)
    changed[np.arange(len(where)), where, letter] = 1
    return changed


def _by_letter(encoded):
    letter, where = np.nonzero(encoded.T == 0)
    changed = np.repeat(encoded[None], len(where), axis=0)
    changed[np.arange(len(where)), where] = np.eye(encoded.shape[1])[letter]
    return changed


def _piled_up(encoded):
    where, letter = np.nonzero(encoded == 0)
    same, changed = encoded.copy(), []
    for place, column in zip(where, letter, strict=True):
        same[place] = np.eye(encoded.shape[1])[column]
        changed.append(same.copy())
    return np.array(changed)


q5 = Exercise(
    asks="Write `mutants(encoded)`: every change of one letter of a one-hot sequence `(time, letters)`, as one batch "
    "`(time * (letters - 1), time, letters)`. The changes of the first position come first; at each position the other "
    "letters come in the order of the columns. The sequence itself is not among them.",
    starter="def mutants(encoded): ...",
    reference=mutants,
    draw=_draw_one_hot,
    mistakes=(
        Mistake(
            _all_letters,
            "the letter that stands there was put in as well: for every position one mutant is the sequence itself.",
        ),
        Mistake(
            _added,
            "the new letter was added and the old one left: such a row has two ones, and there is no such letter.",
        ),
        Mistake(
            _by_letter,
            "the right mutants in another order: all positions for the first letter, then for the second. Position by "
            "position is asked.",
        ),
        Mistake(
            _piled_up,
            "the changes pile up: each mutant keeps those of the ones before. Begin each from the sequence itself; "
            "an array that is changed stays changed.",
        ),
        Mistake(
            lambda encoded: mutants(encoded).reshape(len(encoded), encoded.shape[1] - 1, *encoded.shape),
            "the right mutants with an axis too many; a model takes one batch axis: `reshape(-1, time, letters)`.",
        ),
    ),
    hints=(
        "How many letters can be put at one position, and what must each mutant begin as?",
        "`np.nonzero(encoded == 0)` gives positions and letters in the order that is asked; repeat the sequence that "
        "many times and overwrite one row in each.",
    ),
    why="One batch is one call: the network answers 180 mutants of 60 bases in little more time than one, while 180 "
    "calls cost 180 times the overhead. A mutant must be a sequence that could exist, with one 1 in each row; "
    "otherwise the network is asked about something that it has never seen and that means nothing.",
)
