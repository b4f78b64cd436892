"""A unit is held against chance, and what its loss costs is drawn from zero."""

import numpy as np
import pytest
from pictures import box_of, new_axes

from rnn_course.plots import plot_ablation, plot_unit_concept

CORRELATION = np.array([0.1, -0.7, 0.3, 0.0])
NULL = np.linspace(0.2, 0.4, 101)


def test_units_are_sorted_by_strength_whatever_their_sign():
    ax = plot_unit_concept(CORRELATION, NULL, concept="inside a negation", ax=new_axes())
    negative, positive = (points.get_offsets().tolist() for points in ax.collections)
    assert negative == [[1, 0.7]]
    assert positive == [[2, 0.3], [3, 0.1], [4, 0.0]]
    assert all(tick == round(tick) for tick in ax.get_xticks())
    assert ax.get_ylabel() == "|correlation| with\ninside a negation"
    assert ax.get_xlabel().startswith("4 units, strongest first")


def test_the_best_unit_is_named_with_its_sign():
    ax = plot_unit_concept(CORRELATION, NULL, ax=new_axes())
    (best,) = [text for text in ax.texts if text.get_text().startswith("unit")]
    assert best.get_text() == "unit 1: r = −0.70"
    assert best.xy == (1, 0.7)


def test_the_band_is_what_the_best_unit_reaches_by_chance():
    ax = plot_unit_concept(CORRELATION, NULL, ax=new_axes())
    (band,) = ax.patches
    assert box_of(band)[1::2] == pytest.approx((0.21, 0.39))
    assert any("best of 4 units" in text.get_text() and "101 shuffles" in text.get_text() for text in ax.texts)


@pytest.mark.parametrize(
    ("correlation", "null", "message"),
    [
        ([[0.1]], NULL, r"`correlation` must be \(units,\) numbers from -1 to 1; got shape \(1, 1\)"),
        ([], NULL, r"`correlation` must be \(units,\)"),
        ([0.1], [3.0], r"`null` must be \(permutations,\) numbers from -1 to 1"),
        ([np.nan], NULL, "`correlation` must be"),
    ],
)
def test_numbers_that_are_no_correlations_are_refused(correlation, null, message):
    with pytest.raises(ValueError, match=message):
        plot_unit_concept(correlation, null, ax=new_axes())


SCORES = {"intact": 0.8, "unit 1 removed": 0.6, "a random unit removed": [0.78, 0.8, 0.79]}


def test_bars_start_at_zero_and_end_at_the_mean_the_first_on_top():
    ax = plot_ablation(SCORES, ax=new_axes())
    assert [(bar.get_x(), round(bar.get_width(), 6)) for bar in ax.patches] == [(0, 0.8), (0, 0.6), (0, 0.79)]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(SCORES)
    bottom, top = ax.get_ylim()
    assert bottom > top
    assert ax.get_xlim()[0] == 0


def test_numbers_stand_beside_the_bars_with_their_range():
    ax = plot_ablation(SCORES, quantity="test accuracy", ax=new_axes())
    assert [text.get_text() for text in ax.texts] == ["0.800", "0.600", "0.790 (0.780 – 0.800)"]
    (spread,) = ax.lines
    np.testing.assert_array_equal(spread.get_xdata(), [0.78, 0.8])
    assert ax.get_xlabel() == "test accuracy\nmean of up to 3 runs (lowest – highest)"


def test_the_baseline_is_dashed_black_and_named():
    ax = plot_ablation(SCORES, baseline={"bag of words": 0.7}, ax=new_axes())
    (line,) = [line for line in ax.lines if line.get_label() == "bag of words"]
    assert (line.get_color(), line.get_linestyle()) == ("black", "--")
    assert set(line.get_xdata()) == {0.7}
    assert "bag of words" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(
    ("scores", "baseline", "message"),
    [
        ({}, None, "`scores` must be a dict such as"),
        ([0.8, 0.6], None, "`scores` must be a dict such as"),
        ({"intact": []}, None, r"`scores\['intact'\]` must be one finite number or \(seeds,\) of them; got \[\]"),
        ({"intact": np.nan}, None, "must be one finite number"),
        (SCORES, [0.5, 0.6], "`baseline` must be a finite number, or a dict of label -> number"),
    ],
)
def test_wrong_scores_are_refused_with_what_to_do(scores, baseline, message):
    with pytest.raises(ValueError, match=message):
        plot_ablation(scores, baseline=baseline, ax=new_axes())
