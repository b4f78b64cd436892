"""From logits to choices: known answers, what must hold for any logits, and how often each choice is drawn."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnn_course.decoding import ROUNDING, choose, distribution, greedy, log_softmax, sample, top_k, top_p

FINITE = arrays.arrays("float64", st.integers(1, 12), elements=st.floats(-1e4, 1e4))
TIED = arrays.arrays("float64", st.integers(1, 12), elements=st.integers(-2, 2).map(float))
LOGITS = (FINITE | TIED).flatmap(
    lambda logits: st.sets(st.integers(1, 12), max_size=6).map(
        lambda ruled_out: np.where(np.isin(np.arange(len(logits)), list(ruled_out)), -np.inf, logits)
    )
)  # index 0 always stays
QUIET = settings(deadline=None, max_examples=150)


def test_probabilities_of_four_to_one_become_two_to_one_at_temperature_two():
    # A temperature T raises every probability to the power 1/T: 4:1 becomes 2:1, and 16:1 at T = 1/2.
    logits = np.log([4.0, 1.0]) + 7
    np.testing.assert_allclose(np.exp(log_softmax(logits)), [4 / 5, 1 / 5])
    np.testing.assert_allclose(np.exp(log_softmax(logits, 2.0)), [2 / 3, 1 / 3])
    np.testing.assert_allclose(np.exp(log_softmax(logits, temperature=0.5)), [16 / 17, 1 / 17])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_huge_logits_neither_overflow_nor_lose_their_differences(dtype):
    logits = np.array([[1e4, 1e4 - 8, -1e4], [-1e4, -1e4, -np.inf]], dtype)
    found = log_softmax(logits)
    assert found.dtype == np.float64
    np.testing.assert_allclose(
        found[0], [-np.log1p(np.exp(-8)), -8 - np.log1p(np.exp(-8)), -2e4 - np.log1p(np.exp(-8))], rtol=1e-12
    )
    np.testing.assert_allclose(found[1], [-np.log(2), -np.log(2), -np.inf])


def test_the_smallest_temperature_is_greedy_and_a_large_one_uniform():
    logits = np.array([3.0, -1e4, 3.001, -np.inf])
    np.testing.assert_array_equal(distribution(logits, temperature=1e-308), [0, 0, 1, 0])
    np.testing.assert_allclose(distribution(logits, temperature=1e12), [1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-7)


@given(LOGITS, st.floats(0.01, 100))
@QUIET
def test_probabilities_sum_to_one_and_keep_the_order(logits, temperature):
    chances = np.exp(log_softmax(logits, temperature))
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    assert (np.diff(chances[np.argsort(logits)]) >= 0).all()
    assert (chances[logits == -np.inf] == 0).all()


def test_top_k_keeps_the_largest_and_of_equal_ones_the_first():
    logits = np.array([[1.0, 2.0, 2.0, 2.0], [4.0, 3.0, -np.inf, 5.0]])
    keep, out = True, False
    np.testing.assert_array_equal(np.isfinite(top_k(logits, 2)), [[out, keep, keep, out], [keep, out, out, keep]])
    np.testing.assert_array_equal(top_k(logits, 1), [[-np.inf, 2, -np.inf, -np.inf], [-np.inf, -np.inf, -np.inf, 5]])
    np.testing.assert_array_equal(top_k(logits, 9), logits)


@given(LOGITS, st.integers(1, 15))
@QUIET
def test_top_k_keeps_k_values_and_none_that_is_less_than_one_it_drops(logits, k):
    filtered = top_k(logits, k)
    kept = np.isfinite(filtered)
    assert kept.sum() == min(k, np.isfinite(logits).sum())
    np.testing.assert_array_equal(filtered[kept], logits[kept])
    assert logits[kept].min() >= logits[~kept].max(initial=-np.inf)


@pytest.mark.parametrize(
    ("p", "kept"),
    [
        (1e-9, [1]),
        (0.5, [1]),
        (0.50001, [1, 3]),
        (0.8, [1, 3]),  # 0.5 + 0.3 reaches 0.8, whatever its last binary digit
        (0.81, [0, 1, 3]),
        (0.95, [0, 1, 3]),
        (0.9500011, [0, 1, 2, 3]),
        (1, [0, 1, 2, 3]),
    ],
)
def test_top_p_keeps_the_smallest_set_that_reaches_p(p, kept):
    logits = np.log([0.15, 0.5, 0.05, 0.3])
    assert np.flatnonzero(np.isfinite(top_p(logits, p))).tolist() == kept
    assert np.flatnonzero(np.isfinite(top_p(np.stack([logits[::-1], logits]), p)[1])).tolist() == kept


def test_top_p_of_equal_choices_keeps_the_first():
    assert np.flatnonzero(np.isfinite(top_p(np.zeros(10), 0.9))).tolist() == list(range(9))
    assert np.flatnonzero(np.isfinite(top_p(np.zeros(10), 0.91))).tolist() == list(range(10))


def test_all_of_the_probability_keeps_even_what_is_nearly_impossible():
    np.testing.assert_array_equal(top_p([0.0, -40.0, -1e4, -np.inf], 1.0), [0.0, -40.0, -1e4, -np.inf])


@given(LOGITS, st.floats(0.01, 1))
@QUIET
def test_top_p_is_a_set_that_reaches_p_and_is_not_one_without_its_least_likely(logits, p):
    filtered, chances = top_p(logits, p), np.exp(log_softmax(logits))
    kept = np.isfinite(filtered)
    np.testing.assert_array_equal(filtered[kept], logits[kept])
    assert kept[greedy(logits)]
    assert chances[kept].sum() >= p - 2 * ROUNDING
    if p < 1:
        assert chances[kept].sum() - chances[kept].min() < p
    assert chances[kept].min() >= chances[~kept].max(initial=0)


def test_greedy_takes_the_first_of_the_most_likely():
    np.testing.assert_array_equal(greedy([[0.0, 2.0, 2.0], [-np.inf, -1e4, -np.inf]]), [1, 1])


def test_the_temperature_comes_first_then_top_k_then_top_p_of_what_is_left():
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    # top-k leaves 4/9, 3/9, 2/9; 7/9 of that is more than 0.75. Of all four it would take 0.9 to pass 0.75.
    np.testing.assert_allclose(distribution(logits, top_k=3, top_p=0.75), [4 / 7, 3 / 7, 0, 0])
    np.testing.assert_allclose(distribution(logits, top_p=0.75), [4 / 9, 3 / 9, 2 / 9, 0])
    # At temperature 1/2 the probabilities are as 16 : 9 : 4 : 1, and 25/30 passes 0.75.
    np.testing.assert_allclose(distribution(logits, temperature=0.5, top_p=0.75), [16 / 25, 9 / 25, 0, 0])
    np.testing.assert_allclose(distribution(logits, temperature=0.5), np.array([16, 9, 4, 1]) / 30)


def test_a_number_is_looked_up_in_the_cumulative_distribution():
    chances = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    numbers = [0.0, 0.2499, 0.25, 0.7499, 0.75, np.nextafter(1, 0)]
    np.testing.assert_array_equal(choose(np.tile(chances, (6, 1)), numbers), [1, 1, 3, 3, 4, 4])
    np.testing.assert_array_equal(choose(np.tile(8 * chances, (6, 1)), numbers), [1, 1, 3, 3, 4, 4])


@given(LOGITS, st.floats(0, 1, exclude_max=True))
@QUIET
def test_what_is_ruled_out_is_never_chosen(logits, uniform):
    chances = np.exp(log_softmax(logits))
    chosen = choose(chances, uniform)
    assert chances[chosen] > 0
    assert chances[:chosen].sum() <= uniform + 1e-12
    assert uniform < chances[: chosen + 1].sum() + 1e-12


@given(arrays.arrays("float64", (3, 2, 5), elements=st.floats(-5, 5)), st.integers(0, 2**32))
@QUIET
def test_a_batch_draws_what_its_rows_draw_one_after_the_other(logits, seed):
    options = {"temperature": 0.7, "top_k": 4, "top_p": 0.9}
    together = sample(logits, rng=np.random.default_rng(seed), **options)
    rng = np.random.default_rng(seed)
    one_by_one = [int(sample(row, rng=rng, **options)) for row in logits.reshape(-1, 5)]
    assert together.shape == (3, 2)
    assert together.ravel().tolist() == one_by_one
    assert rng.random() == np.random.default_rng(seed).random(7)[-1]  # six numbers were taken, not more


@given(LOGITS, st.integers(0, 2**32))
@QUIET
def test_sampling_one_of_the_most_likely_is_greedy(logits, seed):
    rng = np.random.default_rng(seed)
    assert sample(logits, top_k=1, rng=rng) == greedy(logits)
    assume((np.exp(log_softmax(logits)) == np.exp(log_softmax(logits)).max()).sum() == 1)  # not equal to the last digit
    assert sample(logits, top_p=1e-9, rng=rng) == greedy(logits)


@pytest.mark.parametrize("options", [{}, {"temperature": 1.7}, {"top_k": 3}, {"top_p": 0.8}])
def test_every_choice_is_drawn_as_often_as_its_probability_says(options):
    logits, draws = np.array([0.3, -1.0, 2.0, -np.inf, 1.0, 1.0]), 200_000
    drawn = sample(np.tile(logits, (draws, 1)), rng=np.random.default_rng(5), **options)
    expected = distribution(logits, **options)
    counts = np.bincount(drawn, minlength=6)
    spread = np.sqrt(draws * expected * (1 - expected))
    assert (np.abs(counts - draws * expected) <= 4 * spread).all()  # exactly 0 where the probability is


@pytest.mark.parametrize("temperature", [0, -1.0, np.inf, np.nan])
def test_a_temperature_that_is_none_is_refused_and_greedy_named(temperature):
    with pytest.raises(ValueError, match=rf"temperature is {temperature}; pass a number above 0.*use `greedy`"):
        sample([0.0, 1.0], temperature=temperature, rng=np.random.default_rng(0))


@pytest.mark.parametrize("k", [0, -3, 1.5])
def test_a_k_that_leaves_nothing_is_refused(k):
    with pytest.raises(ValueError, match=rf"k is {k}; pass how many choices stay, a whole number from 1 on"):
        top_k([0.0, 1.0], k)


@pytest.mark.parametrize("p", [0, -0.1, 1.01, np.nan])
def test_a_p_that_is_no_share_is_refused(p):
    with pytest.raises(ValueError, match=rf"p is {p}; pass the probability to keep, above 0 and at most 1"):
        top_p([0.0, 1.0], p)


@pytest.mark.parametrize("function", [greedy, log_softmax, lambda x: top_k(x, 1), lambda x: top_p(x, 0.5)])
@pytest.mark.parametrize(
    ("logits", "complaint"),
    [
        ([0.0, np.nan], r"hold NaN or \+inf"),
        ([[0.0, 1.0], [0.0, np.inf]], r"hold NaN or \+inf"),
        ([[0.0, 1.0], [-np.inf, -np.inf]], "everything is ruled out. Leave at least one finite"),
        (1.0, r"shape \(\), expected \(…, size\)"),
        (np.zeros((3, 0)), r"shape \(3, 0\), expected \(…, size\)"),
    ],
)
def test_logits_without_a_distribution_are_refused(function, logits, complaint):
    with pytest.raises(ValueError, match=complaint):
        function(logits)


def test_uniform_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"probabilities \(2, 3\) and uniforms \(3,\) do not fit"):
        choose(np.ones((2, 3)), np.zeros(3))
    with pytest.raises(ValueError, match=r"outside \[0, 1\)\. Draw them with `rng.random`"):
        choose(np.ones((2, 3)), [0.5, 1.0])


@pytest.mark.parametrize("row", [[0.0, 0.0], [1.5, -0.5], [np.nan, 1.0]])
def test_a_row_that_is_no_distribution_is_refused(row):
    with pytest.raises(ValueError, match=r"negative or NaN, or a row holds only 0\. Pass such as `distribution`"):
        choose([[0.5, 0.5], row], [0.1, 0.1])


def test_nothing_is_written_into_the_logits():
    logits = np.array([1.0, 3.0, 2.0])
    logits.flags.writeable = False
    sample(logits, temperature=0.5, top_k=2, top_p=0.5, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(logits, [1.0, 3.0, 2.0])
