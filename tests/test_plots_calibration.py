"""A reliability diagram, read back bin by bin."""

import numpy as np
import pytest
from pictures import line_of, new_axes

from rnn_course.metrics import expected_calibration_error
from rnn_course.plots import plot_calibration

# In five bins: 0.55 and 0.6 (one right) in the third, which holds its upper end; 0.7 (right) in the fourth; 0.95 three
# times (two right) in the fifth.
CHANCES = np.array([[0.55, 0.45], [0.4, 0.6], [0.7, 0.3], [0.95, 0.05], [0.05, 0.95], [0.95, 0.05]])
LABELS = np.array([0, 0, 0, 0, 1, 1])


def counts_of(ax):
    """The numbers on top, {bin's center: text}."""
    (top,) = ax.child_axes
    return dict(
        zip(top.get_xticks().round(6).tolist(), [text.get_text() for text in top.get_xticklabels()], strict=True)
    )


def test_each_bin_has_a_dot_at_its_mean_confidence_and_accuracy():
    ax = plot_calibration(CHANCES, LABELS, bins=5, ax=new_axes())
    dots = line_of(ax, "accuracy").get_xydata()
    np.testing.assert_allclose(dots, [[0.575, 0.5], [0.7, 1], [0.95, 2 / 3]])
    assert counts_of(ax) == {0.5: "2", 0.7: "1", 0.9: "3"}
    np.testing.assert_allclose([bar.get_height() for bar in ax.patches], [0, 0, 2 / 6, 1 / 6, 3 / 6])
    np.testing.assert_allclose([bar.get_x() + bar.get_width() / 2 for bar in ax.patches], [0.1, 0.3, 0.5, 0.7, 0.9])


def test_a_classifier_that_keeps_its_word_lies_on_the_dashed_line():
    ax = plot_calibration(CHANCES, LABELS, ax=new_axes())
    kept = line_of(ax, "as sure as right")
    assert kept.get_xydata().tolist() == [[0, 0], [1, 1]] and kept.get_linestyle() == "--"


def test_the_bar_is_the_interval_of_wilson():
    # 2 of 3: by hand (2/3 + 3.8416/6 ± 1.96 sqrt(2/27 + 3.8416/36)) / (1 + 3.8416/3) is 0.2077 to 0.9385.
    ax = plot_calibration(CHANCES, LABELS, bins=5, ax=new_axes())
    ends = [segment[:, 1] for segment in ax.collections[0].get_segments()]
    np.testing.assert_allclose(ends[2], [0.2077, 0.9385], atol=1e-4)
    assert all(0 <= low < high <= 1 for low, high in ends)


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_the_gaps_of_the_picture_add_up_to_the_calibration_error(bins):
    rng = np.random.default_rng(0)
    chances, labels = rng.dirichlet(np.ones(3), size=300), rng.integers(3, size=300)
    ax = plot_calibration(chances, labels, bins=bins, ax=new_axes())
    confidence, accuracy = line_of(ax, "accuracy").get_xydata().T
    shares = np.array([bar.get_height() for bar in ax.patches])
    error = (shares[shares > 0] * np.abs(accuracy - confidence)).sum()
    assert error == pytest.approx(expected_calibration_error(chances, labels, bins=bins))


def test_the_axis_begins_where_the_predictions_do():
    assert plot_calibration(CHANCES, LABELS, bins=5, ax=new_axes()).get_xlim()[0] == pytest.approx(0.38)
    assert plot_calibration(np.full((2, 20), 0.05), [0, 1], ax=new_axes()).get_xlim()[0] == 0


def test_numbers_are_thinned_out_where_they_do_not_fit_and_the_last_is_kept():
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(2), size=40_000)
    shown = counts_of(plot_calibration(chances, np.zeros(40_000, int), bins=40, ax=new_axes(3.5)))
    assert 1 < len(shown) < 15 and max(shown) == 0.9875
    assert all(text[0].isdigit() and "," in text for text in shown.values())


@pytest.mark.parametrize(
    ("probabilities", "labels", "options", "message"),
    [
        (CHANCES[:, 0], LABELS, {}, r"`probabilities` has shape \(6,\) and `labels` \(6,\); .* np\.stack"),
        (CHANCES[:, :1], LABELS, {}, r"with two classes or more"),
        (CHANCES, LABELS[:3], {}, r"shape \(6, 2\) and `labels` \(3,\)"),
        (np.log(CHANCES), LABELS, {}, "must be rows of probabilities.*Take the softmax of logits first"),
        (
            np.zeros((0, 2)),
            np.zeros(0, int),
            {},
            r"`probabilities` \(0, 2\) must be rows of probabilities, one at least",
        ),
        (CHANCES, LABELS + 1, {}, "`labels` of type int64 must be classes: integers from 0 to 1"),
        (CHANCES, LABELS.astype(float), {}, "`labels` of type float64 must be classes"),
        (CHANCES, LABELS, {"bins": 0}, "bins is 0; pass 1 or more"),
    ],
)
def test_what_is_no_classifier_is_refused_with_what_to_do(probabilities, labels, options, message):
    with pytest.raises(ValueError, match=message):
        plot_calibration(probabilities, labels, ax=new_axes(), **options)
