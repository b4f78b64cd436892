"""Exercises of lesson 04: masked means, poisoned states, padding, windows for a carried state, and reading backward."""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def _mask_of_lengths(lengths, time):
    """True at the real steps of right-padded sequences, `(batch, time)` from lengths `(batch,)`."""
    return np.arange(time) < lengths[:, None]


def masked_mean(states, mask):
    """Mean over the real steps, `(batch, units)` from states `(batch, time, units)` and a mask `(batch, time)`."""
    real = mask[:, :, None]  # (batch, time, 1)
    return np.where(real, states, 0).sum(axis=1) / real.sum(axis=1)


def _draw_states(rng):
    """States as Keras leaves them (the last real one repeated), but NaN at the padding of the first sequence."""
    mask = _mask_of_lengths(rng.permutation([2, 4, 6]), 7)
    states = rng.normal(size=(3, 7, 2))
    last = mask.sum(axis=1) - 1
    states = np.where(mask[:, :, None], states, states[np.arange(3), last][:, None])
    states[0] = np.where(mask[0][:, None], states[0], np.nan)
    return states, mask


q1 = Exercise(
    asks="Write `masked_mean(states, mask)`: the repaired mean over the real steps, `(batch, units)`.",
    starter="def masked_mean(states, mask): ...",
    reference=masked_mean,
    draw=_draw_states,
    mistakes=(
        Mistake(
            lambda states, mask: (states * mask[:, :, None]).mean(axis=1),
            "this is the mean as it was handed to you: NaN times 0 is NaN, and `mean` divides by every step.",
        ),
        Mistake(
            lambda states, mask: (states * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True),
            "the divisor is right, but NaN times 0 is NaN: padding must be replaced, it cannot be multiplied away.",
        ),
        Mistake(
            lambda states, mask: np.where(mask[:, :, None], states, 0).mean(axis=1),
            "padding is out of the sum, but not out of the divisor: short sequences come out too small.",
        ),
        Mistake(
            lambda states, mask: np.nanmean(states, axis=1),
            "not all padding is NaN: Keras repeats the last real state there, and that was counted again.",
        ),
        Mistake(
            lambda states, mask: np.where(mask[:, :, None], states, 0).sum(axis=1) / mask.sum(),
            "the sum was divided by the real steps of the whole batch; each sequence has a number of its own.",
        ),
        Mistake(
            lambda states, mask: states[mask].mean(axis=0),
            "that is one mean over all sequences; one for each was asked for.",
        ),
    ),
    hints=(
        "There are two faults. Try it on one sequence with the states 2, 4 and one step of padding.",
        "`np.where(condition, a, b)` takes b whatever stands in a. By how many steps must each row be divided?",
    ),
    why="A mask must act twice: on what is summed and on what it is divided by. And it must choose (`where`), as a "
    "product with 0 lets NaN through.",
)


def padded_state():
    """State of h_t = 0.5 h_{t-1} + x_t after the inputs 4, 2, 8 and three steps of padding at x = 1; a scalar."""
    hidden = 0.0
    for x in (4, 2, 8, 1, 1, 1):
        hidden = 0.5 * hidden + x
    return hidden


q2 = Exercise(
    asks="Predict the last state of h_t = 0.5 h_{t-1} + x_t after 4, 2, 8 and three steps of padding with x = 1.",
    starter="my_prediction = ...",
    reference=padded_state,
    tolerance=1e-3,
    mistakes=(
        Mistake(10.0, "that is the state at the last real step, which a mask would have kept."),
        Mistake(1.25, "index 0 has a vector like any other unless it is masked: here its x is 1, not 0."),
        Mistake(6.0, "that is the state after one step of padding; there are three."),
        Mistake(2.0, "that is where endless padding would lead; after three steps some of the sequence is left."),
        Mistake(10.21875, "that is left padding: the three steps come after the sequence, not before it."),
        Mistake(17.0, "the inputs were added up, but every step halves what was there before."),
    ),
    hints=(
        "First the real inputs: which state do 4, 2, 8 leave? Then go on with the padding as if it were text.",
        "Each step of padding halves the distance to the one state that such a step does not change.",
    ),
    why="Padding pulls the state toward its own resting point, h = 0.5 h + 1, so h = 2. Three steps leave an eighth of "
    "the distance: 2 + (10 - 2) / 8.",
)


def pad_left(sequences):
    """Left-padded values and their mask, two arrays `(batch, time)`, from a list of sequences of any values."""
    time = max(len(sequence) for sequence in sequences)
    values, mask = np.zeros((len(sequences), time)), np.zeros((len(sequences), time), bool)
    for row, sequence in enumerate(sequences):
        start = time - len(sequence)
        values[row, start:] = sequence
        mask[row, start:] = True
    return values, mask


def _padded_right(sequences):
    values, mask = pad_left([sequence[::-1] for sequence in sequences])
    return values[:, ::-1], mask[:, ::-1]


def _mask_by_value(sequences):
    values, _ = pad_left(sequences)
    return values, values != 0


def _mask_on_the_other_side(sequences):
    return pad_left(sequences)[0], _padded_right(sequences)[1]


def _mirrored(sequences):
    values, mask = _padded_right(sequences)
    return values[:, ::-1], mask[:, ::-1]


def _draw_sequences(rng):
    """Temperatures of three lengths, in whole degrees; each sequence starts at 0 degrees and measures it again."""
    lengths = rng.permutation([3, 4, 6])
    return ([[0.0, *map(float, rng.permutation(np.arange(1, length))), 0.0] for length in lengths],)


q3 = Exercise(
    asks="Write `pad_left(sequences)`: two arrays `(batch, time)`, the values padded on the left and their bool mask.",
    starter="def pad_left(sequences): ...",
    reference=pad_left,
    draw=_draw_sequences,
    mistakes=(
        Mistake(_padded_right, "that is padding on the right: the last real value belongs into the last column."),
        Mistake(
            _mask_by_value, "a measured 0 is real. The mask must come from the lengths; `values != 0` is for indices."
        ),
        Mistake(_mask_on_the_other_side, "the values are on the left as they should be, the mask is on the right."),
        Mistake(
            lambda sequences: (pad_left(sequences)[0], ~pad_left(sequences)[1]),
            "the mask is the wrong way round: True stands for a real step.",
        ),
        Mistake(_mirrored, "the padding is on the left, but the values run backward: reverse the place, not the time."),
        Mistake(lambda sequences: pad_left(sequences)[0], "the values are right; the mask was asked for as well."),
    ),
    hints=(
        "How long is the longest sequence, and in which column does a sequence of three steps begin?",
        "Write both arrays in one loop with the same slice, `row, start:`; then no value can be taken for padding.",
    ),
    why="Values and mask are written with the same slice, so they cannot disagree. With words, where index 0 is "
    "reserved, the mask can be read off the values; with measurements it cannot.",
)


def carried_windows(stream, rows, length):
    """Windows for a carried state, `(windows, rows, length)` from a stream `(time,)`; what is left over is dropped."""
    count = len(stream) // (rows * length)
    strands = stream[: count * rows * length].reshape(rows, count * length)  # each row is one unbroken stretch
    return strands.reshape(rows, count, length).swapaxes(0, 1)


def _side_by_side(stream, rows, length):
    count = len(stream) // (rows * length)
    return stream[: count * rows * length].reshape(count, rows, length)


def _rows_first(stream, rows, length):
    return carried_windows(stream, rows, length).swapaxes(0, 1)


def _interleaved(stream, rows, length):
    count = len(stream) // (rows * length)
    return stream[: count * rows * length].reshape(count, length, rows).swapaxes(1, 2)


def _one_copy_a_row(stream, rows, length):
    count = len(stream) // (rows * length)
    return np.repeat(stream[: count * length].reshape(count, 1, length), rows, axis=1)


q4 = Exercise(
    asks="Write `carried_windows(stream, rows, length)`: `(windows, rows, length)`, every row an unbroken stretch.",
    starter="def carried_windows(stream, rows, length): ...",
    reference=carried_windows,
    draw=lambda rng: (rng.integers(1, 100, size=int(rng.integers(24, 30))), 2, 3),
    mistakes=(
        Mistake(
            _side_by_side,
            "neighboring windows lie side by side in one batch: row 0 of the next batch does not go on where row 0 "
            "stopped, so the carried state belongs to other text.",
        ),
        Mistake(_rows_first, "the axes are (rows, windows, length); windows come first, as they are read one by one."),
        Mistake(_interleaved, "neighboring steps were dealt out to different rows; a row must be unbroken."),
        Mistake(_one_copy_a_row, "every row reads the same text; each was to have a stretch of its own."),
    ),
    hints=(
        "First cut the stream into as many long strands as there are rows; only then cut the strands into windows.",
        "`stream.reshape(rows, windows * length)` gives the strands. Which axis must come first in the end?",
    ),
    why="A stateful layer hands the state of row r to row r of the next batch. So row r must be one unbroken stretch "
    "of the stream, cut across all batches.",
)


def reverse_real(indices, mask):
    """Real steps in reverse and padding in its place, `(batch, time)` from indices and a mask of that shape."""
    reversed_ = indices.copy()
    for row, real in zip(reversed_, mask, strict=True):
        row[real] = row[real][::-1]
    return reversed_


def _by_the_longest(indices, mask):
    longest = mask.sum(axis=1).max()
    return np.concatenate([indices[:, :longest][:, ::-1], indices[:, longest:]], axis=1)


def _draw_indices(rng):
    """Three right-padded sequences of different lengths, in which no index comes twice."""
    mask = _mask_of_lengths(rng.permutation([2, 4, 6]), 8)
    return np.where(mask, rng.permutation(np.arange(1, 25)).reshape(3, 8), 0), mask


q5 = Exercise(
    asks="Write `reverse_real(indices, mask)`: the real steps of each sequence reversed, padding still on the right.",
    starter="def reverse_real(indices, mask): ...",
    reference=reverse_real,
    draw=_draw_indices,
    mistakes=(
        Mistake(
            lambda indices, mask: indices[:, ::-1],
            "the padding was reversed too: it now comes first, and the backward reader begins with it.",
        ),
        Mistake(
            lambda indices, mask: np.where(mask, indices[:, ::-1], 0),
            "reversed with the padding and then masked in the old places: the first words are lost.",
        ),
        Mistake(_by_the_longest, "that is right for the longest sequence only; each row has its own last real step."),
        Mistake(lambda indices, mask: indices[::-1], "the order of the sequences was reversed, not that of the steps."),
        Mistake(lambda indices, mask: indices, "nothing was reversed."),
    ),
    hints=(
        "Take one row, [5, 3, 9, 0, 0]. What should come out? Now do the same to every row.",
        "`row[real]` picks the real steps of a row, and `row[real] = …` puts others in their places.",
    ),
    why="Only the real steps trade places. Keras' Bidirectional reverses whole rows and relies on the mask to wait "
    "until the padding is over; without a mask its backward half begins with padding.",
)
