"""How good an answer is: known answers, and what must hold for any logits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnn_course.metrics import bits, cross_entropy, perplexity, surprisal

LOGITS = arrays.arrays("float64", (2, 3, 4), elements=st.floats(-1e4, 1e4))
TARGETS = arrays.arrays("int32", (2, 3), elements=st.integers(0, 3))
QUIET = settings(deadline=None, max_examples=100)


def test_the_surprisal_is_the_log_of_one_over_the_probability():
    chances = np.array([[0.5, 0.25, 0.25], [0.125, 0.875, 0.0]])
    with np.errstate(divide="ignore"):
        logits = np.log(chances) + 3
    np.testing.assert_allclose(surprisal(logits, [1, 0]), [np.log(4), np.log(8)])
    np.testing.assert_array_equal(surprisal(logits, [0, 2]), [np.log(2), np.inf])


def test_a_uniform_guess_costs_the_log_of_the_number_of_choices():
    nats = cross_entropy(np.full((4, 9, 67), -12.5, "float32"), np.arange(36).reshape(4, 9))
    assert isinstance(nats, float)
    assert nats == pytest.approx(np.log(67), rel=1e-12)
    assert perplexity(nats) == pytest.approx(67)
    assert bits(nats) == pytest.approx(np.log2(67))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_huge_logits_neither_overflow_nor_vanish(dtype):
    logits = np.array([[1e4, -1e4], [-1e4, -1e4], [1e4, 1e4 - 8]], dtype)
    np.testing.assert_allclose(surprisal(logits, [1, 0, 0]), [2e4, np.log(2), np.log1p(np.exp(-8))], rtol=1e-12)
    uneven = np.array([1e4, 0.3], dtype)  # their difference has more digits than either
    np.testing.assert_allclose(surprisal(uneven, 1), float(uneven[0]) - float(uneven[1]), rtol=1e-12)


def test_only_real_steps_count_and_each_of_them_once():
    # Surprisals log 2 and log 4 in a long sequence, log 16 in a short one: 7/3 log 2 on average over three steps.
    logits = np.zeros((2, 2, 16))
    logits[0, 0, 2:] = logits[0, 1, 4:] = -np.inf
    mask = [[True, True], [True, False]]
    assert cross_entropy(logits, np.ones((2, 2), int), mask=mask) == pytest.approx(7 / 3 * np.log(2))


def test_what_stands_at_masked_steps_does_not_matter():
    logits, targets, mask = np.zeros((1, 4, 5)), np.array([[1, 2, -1, 99]]), [[True, True, False, False]]
    logits[0, 2:] = np.nan
    assert cross_entropy(logits, targets, mask=mask) == pytest.approx(np.log(5))


@given(LOGITS, TARGETS, st.floats(-1e3, 1e3))
@QUIET
def test_a_constant_added_to_all_logits_changes_nothing(logits, targets, constant):
    np.testing.assert_allclose(surprisal(logits + constant, targets), surprisal(logits, targets), atol=1e-8)


@given(LOGITS)
@QUIET
def test_the_probabilities_of_all_targets_sum_to_one(logits):
    chances = [np.exp(-surprisal(logits, np.full((2, 3), target))) for target in range(4)]
    np.testing.assert_allclose(np.sum(chances, axis=0), 1)


@given(LOGITS, TARGETS, arrays.arrays(bool, (2, 3)))
@QUIET
def test_a_masked_mean_is_the_mean_of_the_steps_that_are_left(logits, targets, mask):
    mask[0, 0] = True
    chosen = [surprisal(logits, targets)[place] for place in zip(*np.nonzero(mask), strict=True)]
    assert cross_entropy(logits, targets, mask=mask) == pytest.approx(sum(chosen) / len(chosen))


def test_nats_bits_and_perplexity_of_a_coin():
    np.testing.assert_allclose(bits(np.log([2.0, 4.0])), [1, 2])
    np.testing.assert_allclose(perplexity(np.log([2.0, 4.0])), [2, 4])
    assert perplexity(0.0) == 1
    assert perplexity(np.inf) == np.inf == perplexity(1e4)


@pytest.mark.parametrize(
    ("logits", "targets", "complaint"),
    [
        (np.zeros((2, 3)), [0, 1, 2], r"logits \(2, 3\) and targets \(3,\) do not fit; expected \(…, size\) and \(…\)"),
        (np.zeros((2, 3)), [0.0, 1.0], "of type float64, expected integers: indices, not one-hot vectors"),
        (np.zeros((2, 3)), [0, 3], r"Targets \[3\] are outside the 3 choices of the logits \(0 to 2\)"),
        (np.zeros((2, 3)), [-1, 0], r"Targets \[-1\] are outside"),
        ([[np.nan, 0.0]], [0], "NaN"),
        ([[0.0, np.inf]], [0], r"\+inf"),
        ([[-np.inf, -np.inf]], [0], "all -inf"),
    ],
)
def test_what_has_no_surprisal_is_refused(logits, targets, complaint):
    with pytest.raises(ValueError, match=complaint):
        surprisal(logits, targets)


def test_a_mask_that_fits_nothing_or_hides_everything_is_refused():
    with pytest.raises(ValueError, match=r"targets \(3,\) and mask \(2,\) do not fit; expected \(…, size\), \(…\)"):
        cross_entropy(np.zeros((3, 4)), [0, 1, 2], mask=[True, True])
    with pytest.raises(ValueError, match=r"no real step to average over\. Pass a mask that is True somewhere"):
        cross_entropy(np.zeros((3, 4)), [0, 1, 2], mask=np.zeros(3, bool))
