"""The gradient picture: medians on a log scale, masked steps left out, exact zeros in sight."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import box_of, line_of, new_axes

from rnn_course.plots import plot_gradient_flow
from rnn_course.plots.style import CELL_COLORS

# Three sequences of a linear network with weight 1/2: the norm halves with each step back from the last one.
HALVING = np.array([[2.0 ** -(3 - t) for t in range(4)]] * 3) * [[1.0], [2.0], [4.0]]
DIRECT = np.array([[0.0, 0.0, 0.0, 1.0]] * 3)


def hatched(ax):
    return [patch for patch in ax.patches if patch.get_hatch()]


def test_the_line_is_the_median_over_the_batch_on_a_log_scale():
    ax = plot_gradient_flow({"LSTM": HALVING, "GRU": 3 * HALVING}, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), [0.25, 0.5, 1, 2])
    np.testing.assert_allclose(line_of(ax, "GRU").get_ydata(), [0.75, 1.5, 3, 6])
    assert ax.get_yscale() == "log"
    assert ax.get_ylabel() == "gradient norm ‖∂L/∂h‖"
    assert "median of n = 3 sequences, band 10–90 %" in ax.get_xlabel()
    assert {text.get_text() for text in ax.texts} == {"LSTM", "GRU"}


def test_the_band_runs_from_the_tenth_to_the_ninetieth_percentile():
    ax = plot_gradient_flow({"LSTM": HALVING}, ax=new_axes())
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    low, high = np.percentile(HALVING, (10, 90), axis=0)
    assert (edges.min(), edges.max()) == pytest.approx((low.min(), high.max()))


def test_cells_keep_their_colors_and_a_caller_may_choose_others():
    ax = plot_gradient_flow({"LSTM": HALVING, "gru": HALVING, "total": HALVING}, colors={"total": "red"}, ax=new_axes())
    assert same_color(line_of(ax, "LSTM").get_color(), CELL_COLORS["lstm"])
    assert same_color(line_of(ax, "gru").get_color(), CELL_COLORS["gru"])
    assert same_color(line_of(ax, "total").get_color(), "red")


def test_a_second_line_of_one_cell_is_dashed():
    ax = plot_gradient_flow({"LSTM, total": HALVING, "GRU": HALVING, "LSTM, inputs": 2 * HALVING}, ax=new_axes())
    styles = [line_of(ax, label).get_linestyle() for label in ("LSTM, total", "GRU", "LSTM, inputs")]
    assert styles == ["-", "-", "--"]
    assert same_color(line_of(ax, "LSTM, inputs").get_color(), CELL_COLORS["lstm"])


def test_steps_that_no_sequence_has_are_left_out_and_hatched():
    mask = np.array([[True, True, False, False], [True, True, True, False], [True, True, True, False]])
    ax = plot_gradient_flow({"LSTM": np.where(mask, HALVING, 0.0)}, mask=mask, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), [0.25, 0.5, 1.5, np.nan])
    (patch,) = hatched(ax)
    assert box_of(patch)[::2] == (2.5, 3.5)
    assert not any("exactly 0" in str(line.get_label()) for line in ax.lines)


def test_a_nan_is_a_masked_step():
    norms = HALVING.copy()
    norms[:, 0] = np.nan
    ax = plot_gradient_flow({"LSTM": norms}, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), [np.nan, 0.5, 1, 2])
    assert len(hatched(ax)) == 1


def test_exact_zeros_are_crosses_on_a_line_of_their_own():
    # With a loss on the last step only, the direct gradient of every earlier step is exactly zero.
    ax = plot_gradient_flow({"total": HALVING, "direct": DIRECT}, ax=new_axes())
    crosses = line_of(ax, "direct: exactly 0")
    assert crosses.get_xdata().tolist() == [0, 1, 2]
    assert crosses.get_marker() == "x" and crosses.get_linestyle() == "None"
    floor = crosses.get_ydata()[0]
    assert (crosses.get_ydata() == floor).all() and floor < HALVING.min() / 5
    assert ax.get_ylim()[0] < floor
    named = {label.get_text(): height for label, height in zip(ax.get_yticklabels(), ax.get_yticks(), strict=True)}
    assert named["exactly 0"] == floor
    assert {text.get_text(): text.xy[1] for text in ax.texts} == {"total": 2.0, "direct": floor}
    np.testing.assert_array_equal(line_of(ax, "direct").get_ydata(), [np.nan, np.nan, np.nan, 1.0])


def test_a_single_step_above_zero_is_marked_as_a_line_of_one_point_would_not_be_seen():
    ax = plot_gradient_flow({"direct": DIRECT, "total": HALVING}, ax=new_axes())
    assert line_of(ax, "direct").get_markevery() == [3]
    assert line_of(ax, "total").get_markevery() == []


def test_a_gradient_that_is_zero_everywhere_is_drawn_too():
    ax = plot_gradient_flow({"direct": np.zeros((2, 3))}, ax=new_axes())
    ax.figure.draw_without_rendering()
    assert line_of(ax, "direct: exactly 0").get_xdata().tolist() == [0, 1, 2]


def test_two_curves_of_zeros_have_different_crosses():
    ax = plot_gradient_flow({"a": DIRECT, "b": DIRECT}, ax=new_axes())
    assert line_of(ax, "a: exactly 0").get_marker() != line_of(ax, "b: exactly 0").get_marker()


def test_the_lag_counts_back_from_each_sequence_s_own_last_step():
    # Both halve with each step back, one is padded on the right and one on the left.
    norms = np.array([[0.25, 0.5, 1.0, np.nan, np.nan], [np.nan, 0.125, 0.25, 0.5, 1.0]])
    ax = plot_gradient_flow({"LSTM": norms}, against="lag", ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), [1.0, 0.5, 0.25, 0.125])
    assert "lag: steps before the last one" in ax.get_xlabel()
    left, right = ax.get_xlim()
    assert left > right, "time runs from left to right, so lag 0 stands at the right"


def test_curves_of_different_length_share_one_axes():
    ax = plot_gradient_flow({"short": HALVING[:, :2], "long": HALVING}, ax=new_axes())
    assert hatched(ax) == []
    assert len(line_of(ax, "short").get_ydata()) == 2


def test_one_sequence_says_that_it_is_one():
    ax = plot_gradient_flow({"LSTM": HALVING[:1]}, ax=new_axes())
    assert "one sequence (n = 1)" in ax.get_xlabel()


@pytest.mark.parametrize(
    ("norms", "change", "message"),
    [
        (HALVING, {}, "must be a dict such as"),
        ({}, {}, "must be a dict such as"),
        ({"LSTM": np.zeros((2, 3, 4))}, {}, r"`norms\['LSTM'\]` has shape \(2, 3, 4\); expected \(batch, time\)"),
        ({"LSTM": -HALVING}, {}, "never negative; got -4.0 to -0.125"),
        ({"LSTM": HALVING * np.inf}, {}, "must hold finite norms"),
        ({"LSTM": np.full((2, 3), np.nan)}, {}, "masked or NaN"),
        ({"LSTM": HALVING}, {"mask": [True] * 4}, r"`mask` has shape \(4,\), `norms\['LSTM'\]` has \(3, 4\)"),
        ({"LSTM": HALVING}, {"against": "time"}, '`against` must be "step" or "lag"; got \'time\''),
    ],
)
def test_wrong_norms_are_refused_with_what_to_do(norms, change, message):
    with pytest.raises(ValueError, match=message):
        plot_gradient_flow(norms, **change, ax=new_axes())
