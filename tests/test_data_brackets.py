"""The bracket language: its truth is true, the question is fair, and neither place nor last symbol gives it away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.data import make_brackets


def made(count=400, seed=0, **sizes):
    return make_brackets(count, rng=np.random.default_rng(seed), **sizes)


def count_open(row, symbols):
    """Depth after each symbol as a reader of the row would count it, and where a bracket closes what is not open."""
    depth, counted = 0, []
    for token in row:
        depth += {"(": 1, ")": -1}.get(symbols[token], 0)
        counted.append(depth)
    return counted


@given(st.integers(0, 2**32), st.integers(2, 12), st.sampled_from([0.0, 0.3, 0.9]))
@settings(max_examples=20, deadline=None)
def test_the_depth_is_what_a_reader_of_the_row_counts(seed, deepest, letters):
    rows = made(20, seed, time=40, deepest=deepest, letters=letters)
    np.testing.assert_array_equal(rows.depth, [count_open(row, rows.symbols) for row in rows.tokens])
    assert rows.depth.min() >= 0  # nothing is closed that is not open
    assert rows.depth.max() <= deepest


def test_the_answer_is_yes_where_nothing_is_open():
    rows = made()
    np.testing.assert_array_equal(rows.targets, rows.depth == 0)


def test_the_question_is_put_at_closing_brackets_and_yes_is_right_half_of_the_time():
    rows = made()
    assert set(np.array(rows.symbols)[rows.tokens[rows.mask]]) == {")"}
    assert rows.targets[rows.mask].mean() == 0.5
    assert rows.mask.sum(axis=1).mean() > 4  # per row of 60


def test_every_bracket_that_closes_the_last_one_is_asked_and_the_others_by_lot():
    rows = made(2_000, deepest=5)
    closing = np.array(rows.symbols)[rows.tokens] == ")"
    np.testing.assert_array_equal(rows.mask & (rows.depth == 0), closing & (rows.depth == 0))
    others = closing & (rows.depth > 0)
    assert 0 < (rows.mask & others).sum() < others.sum()
    for axis in (0, 1):  # neither early rows nor early places are preferred
        asked, asked_or_not = (np.nonzero(where)[axis].mean() for where in (rows.mask & others, others))
        assert asked == pytest.approx(asked_or_not, rel=0.03)


def test_where_open_ones_are_the_fewer_each_kind_is_asked_equally_often():
    rows = made(500, deepest=2)
    closing = np.array(rows.symbols)[rows.tokens] == ")"
    assert (closing & (rows.depth > 0)).sum() < (closing & (rows.depth == 0)).sum()
    assert rows.targets[rows.mask].mean() == 0.5


def test_the_depth_goes_up_as_often_as_down_and_the_place_tells_little_about_it():
    rows = made(4_000)
    places = np.broadcast_to(np.arange(60), rows.depth.shape)
    assert abs(np.corrcoef(places.ravel(), rows.depth.ravel())[0, 1]) < 0.1
    kinds = np.bincount(rows.tokens[:, 20:].ravel(), minlength=5) / rows.tokens[:, 20:].size
    assert kinds[0] == pytest.approx(kinds[1], abs=0.02)


def test_letters_are_as_frequent_as_asked_for_and_each_as_frequent_as_the_others():
    rows = made(2_000, letters=0.3)
    shares = np.bincount(rows.tokens.ravel(), minlength=5) / rows.tokens.size
    np.testing.assert_allclose(shares[2:], 0.1, atol=0.005)
    assert made(letters=0.0).tokens.max() == 1


def test_every_depth_is_visited():
    visited = np.bincount(made(1_000, deepest=10).depth.ravel()) / 60_000
    assert len(visited) == 11
    assert visited.min() > 0.01


def test_a_row_can_be_long_and_deep():
    rows = made(20, time=400, deepest=60)
    assert rows.tokens.shape == (20, 400)
    assert 50 < rows.depth.max() <= 60


def test_arrays_have_the_shape_of_the_rows_and_are_whole_numbers_or_bool():
    rows = made(3, time=7)
    assert [(part.shape, part.dtype) for part in rows[:3]] == [((3, 7), np.int64)] * 3
    assert (rows.mask.shape, rows.mask.dtype) == ((3, 7), bool)
    assert rows.symbols == ("(", ")", "a", "b", "c")
    with pytest.raises(AttributeError):
        rows.depth = None


def test_the_same_generator_makes_the_same_rows_and_another_one_others():
    once, again, other = made(seed=1), made(seed=1), made(seed=2)
    for left, right in zip(once[:4], again[:4], strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(once.tokens, other.tokens)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"count": 0}, "0 rows of 60 symbols; pass a count and a time of at least 1"),
        ({"time": 0}, "400 rows of 0 symbols; pass a count and a time of at least 1"),
        ({"deepest": 1}, "deepest is 1; pass at least 2, or every closing bracket is the last one open"),
        ({"letters": 1.0}, "letters is 1.0; pass a share from 0 to below 1: some symbols must be brackets"),
        ({"letters": -0.1}, "letters is -0.1; pass a share from 0 to below 1"),
    ],
)
def test_sizes_of_which_no_rows_can_be_made_are_refused(sizes, said):
    with pytest.raises(ValueError) as problem:
        made(**sizes)
    assert said in str(problem.value)
