"""The adding problem and copy memory: the question is in the inputs, guesses cost what they should."""

import numpy as np
import pytest

from rnn_course.data import copy_memory_guess, make_adding_problem, make_copy_memory


def adding(count=500, time=20, seed=0):
    return make_adding_problem(count, time=time, rng=np.random.default_rng(seed))


def copying(count=500, seed=0, **sizes):
    return make_copy_memory(count, rng=np.random.default_rng(seed), **{"delay": 7, **sizes})


# --- adding problem ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time", [2, 3, 20, 21])
def test_each_half_of_a_row_has_exactly_one_mark(time):
    marks = adding(time=time).inputs[:, :, 1]
    assert set(np.unique(marks)) <= {0, 1}
    np.testing.assert_array_equal(marks[:, : time // 2].sum(axis=1), 1)
    np.testing.assert_array_equal(marks[:, time // 2 :].sum(axis=1), 1)


def test_every_step_is_marked_about_equally_often():
    marks = adding(count=20_000, time=10).inputs[:, :, 1]
    np.testing.assert_allclose(marks.mean(axis=0), 0.2, atol=0.015)  # five standard deviations


def test_the_target_is_the_sum_of_the_two_marked_numbers():
    rows = adding()
    for (numbers, marks), target in zip(np.moveaxis(rows.inputs, 2, 1), rows.targets, strict=True):
        first, second = numbers[np.flatnonzero(marks)]
        assert target[0] == pytest.approx(first + second, rel=1e-6)


def test_always_answering_one_costs_a_sixth_and_no_other_constant_costs_less():
    # Var(U) = 1/12 each, so 1/6 for the sum; its mean is 1.
    rows = adding(count=100_000, time=2)
    assert np.mean((rows.targets - 1) ** 2) == pytest.approx(1 / 6, rel=0.02)
    assert np.mean(rows.targets) == pytest.approx(1, abs=0.01)


def test_the_numbers_fill_zero_to_one_evenly():
    numbers = adding(count=2_000).inputs[:, :, 0]
    share, _ = np.histogram(numbers, bins=10, range=(0, 1))
    assert share.sum() == numbers.size
    np.testing.assert_allclose(share / numbers.size, 0.1, atol=0.01)


def test_adding_rows_have_the_shapes_and_types_that_keras_wants():
    rows = adding(count=3, time=7)
    assert (rows.inputs.shape, rows.inputs.dtype) == ((3, 7, 2), np.float32)
    assert (rows.targets.shape, rows.targets.dtype) == ((3, 1), np.float32)


# --- copy memory ------------------------------------------------------------------------------------------------------


def test_a_row_is_symbols_blanks_delimiter_blanks_and_the_target_the_symbols_at_the_end():
    rows = copying(count=200, delay=4, symbols=5, length=3)
    for row, target in zip(rows.inputs.tolist(), rows.targets.tolist(), strict=True):
        kept = row[:3]
        assert set(kept) <= {1, 2, 3, 4, 5}
        assert row == [*kept, 0, 0, 0, 6, 0, 0, 0]
        assert target == [0, 0, 0, 0, 0, 0, 0, *kept]


def test_a_delay_of_one_has_the_delimiter_right_after_the_symbols():
    rows = copying(count=1, delay=1, length=2)
    assert rows.inputs[0, 2:].tolist() == [9, 0, 0]


def test_every_symbol_is_about_equally_likely_at_every_place():
    first = copying(count=16_000).inputs[:, :10]
    for symbol in range(1, 9):
        np.testing.assert_allclose((first == symbol).mean(axis=0), 1 / 8, atol=0.014)


def test_copy_rows_are_delay_and_twice_length_long_and_whole_numbers():
    rows = copying(count=3, delay=1_000)
    assert (rows.inputs.shape, rows.inputs.dtype) == ((3, 1_020), np.int32)
    assert (rows.targets.shape, rows.targets.dtype) == ((3, 1_020), np.int32)


def test_guessing_costs_what_a_model_that_knows_only_when_pays():
    # Zero at a blank, ln(symbols) at each of the last `length` steps, averaged over all.
    rows = copying(count=10, delay=30, symbols=4, length=5)
    probability = np.where(rows.targets == 0, 1.0, 1 / 4)
    assert copy_memory_guess(delay=30, symbols=4, length=5) == pytest.approx(-np.log(probability).mean(), rel=1e-6)


def test_the_guess_is_the_published_figure():
    # 10 ln 8 / 1020 (Bai et al. 2018, T = 1000).
    assert copy_memory_guess(delay=1_000) == pytest.approx(0.0204, abs=5e-5)


# --- both -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [adding, copying])
def test_the_same_generator_makes_the_same_rows_and_another_one_others(make):
    once, again, other = make(seed=1), make(seed=1), make(seed=2)
    np.testing.assert_array_equal(once.inputs, again.inputs)
    np.testing.assert_array_equal(once.targets, again.targets)
    assert not np.array_equal(once.inputs, other.inputs)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: adding(count=0), "`count` must be at least 1; got 0. Ask for a larger one."),
        (lambda: adding(time=1), "`time` must be at least 2; got 1."),
        (lambda: copying(count=-1), "`count` must be at least 1; got -1."),
        (lambda: copying(delay=0), "`delay` must be at least 1; got 0."),
        (lambda: copying(symbols=0), "`symbols` must be at least 1; got 0."),
        (lambda: copying(length=0), "`length` must be at least 1; got 0."),
        (lambda: copy_memory_guess(delay=0), "`delay` must be at least 1; got 0."),
    ],
)
def test_a_size_that_no_row_can_have_is_refused(make, said):
    with pytest.raises(ValueError) as error:
        make()
    assert said in str(error.value)
