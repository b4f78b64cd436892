"""The gradient over a training: medians at each lag, one scale, exact zeros and missing numbers in sight."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from pictures import line_of, new_axes

from rnn_course.plots import plot_gradient_history, plot_gradient_stage
from rnn_course.plots.histories import ZERO_COLOR
from rnn_course.plots.style import CELL_COLORS, MAGNITUDE

# Four steps; the weight of a linear network grows from 1/4 over 1/2 to 1, so its powers do. Sequences differ
# by a factor.
WEIGHTS = np.array([0.25, 0.5, 1.0])
POWERS = WEIGHTS[:, None] ** np.arange(4)  # (records, lag)
NORMS = POWERS[:, None, ::-1] * np.array([1.0, 2.0, 9.0])[:, None]  # (records, batch, time)


def edges_of(mesh):
    """Where the columns and rows of an image begin and end."""
    corners = mesh.get_coordinates()
    return corners[0, :, 0].tolist(), corners[:, 0, 1].tolist()


def test_the_image_holds_the_median_of_each_record_at_each_lag():
    ax = plot_gradient_history(NORMS, ax=new_axes())
    image = ax.collections[0]
    np.testing.assert_allclose(image.get_array(), 2 * POWERS.T)
    assert edges_of(image) == ([-0.5, 0.5, 1.5, 2.5], [-0.5, 0.5, 1.5, 2.5, 3.5])
    assert image.get_cmap() is MAGNITUDE
    assert (image.norm.vmin, image.norm.vmax) == (2 / 64, 2.0)
    assert "median of n = 3 sequences" in ax.get_xlabel()
    assert ax.get_ylabel() == "lag: steps before the last one"


def test_equal_factors_are_equal_steps_of_color():
    norm = plot_gradient_history(NORMS, limits=(1e-4, 1.0), ax=new_axes()).collections[0].norm
    np.testing.assert_allclose(norm([1e-4, 1e-3, 1e-2, 1e-1, 1.0]), [0, 0.25, 0.5, 0.75, 1])


def test_records_are_as_wide_as_the_time_between_them():
    ax = plot_gradient_history(NORMS, epochs=[0, 1, 5], unit="batch", ax=new_axes())
    assert edges_of(ax.collections[0])[0] == [-0.5, 0.5, 3.0, 7.0]
    assert ax.get_xlabel().startswith("batch")


def test_one_scale_can_be_shared_and_drawn_once():
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    for ax, norms in ((left, NORMS), (right, 100 * NORMS)):
        plot_gradient_history(norms, limits=(0.1, 10), color_bar=ax is right, quantity="size", ax=ax)
        image = ax.collections[0]
        assert (image.norm.vmin, image.norm.vmax) == (0.1, 10)
    assert [ax.get_ylabel() for ax in figure.axes[2:]] == ["size"]
    assert right.collections[0].colorbar.extend == "max"


def test_the_scale_spans_no_more_than_ten_decades():
    norms = np.array([[1e-30, 1e-3, 1.0]])
    image = plot_gradient_history(norms, ax=new_axes()).collections[0]
    assert (image.norm.vmin, image.norm.vmax) == (1e-10, 1.0)
    assert image.colorbar.extend == "min"


def test_exactly_zero_is_gray_and_named():
    norms = NORMS.copy()
    norms[0, :, 0] = 0.0
    ax = plot_gradient_history(norms, ax=new_axes())
    image, zeros = ax.collections
    assert image.get_array().mask.tolist() == [[False] * 3] * 3 + [[True, False, False]]
    assert zeros.get_array().mask.tolist() == [[True] * 3] * 3 + [[False, True, True]]
    assert same_color(zeros.get_cmap()(0.0), ZERO_COLOR)
    assert "gray: exactly 0" in ax.get_xlabel() and "hatched" not in ax.get_xlabel()
    assert ax.patch.get_hatch() is None


def test_where_there_is_no_finite_number_the_picture_is_hatched():
    norms = NORMS.copy()
    norms[1], norms[2, :, 0] = np.nan, np.inf
    ax = plot_gradient_history(norms, ax=new_axes())
    (image,) = ax.collections
    assert image.get_array().mask.tolist() == [[False, True, False]] * 3 + [[False, True, True]]
    assert ax.patch.get_hatch() == "////"
    assert "hatched: not finite" in ax.get_xlabel()


def test_lag_zero_is_each_sequence_s_own_last_real_step():
    nothing = np.nan
    norms = [[[0.25, 0.5, 1.0, nothing], [nothing, 0.25, 0.5, 1.0], [nothing, nothing, nothing, 1.0]]]
    ax = plot_gradient_history(norms, ax=new_axes())
    assert ax.collections[0].get_array().tolist() == [[1.0], [0.5], [0.25]]


def test_a_sequence_that_is_lost_in_one_record_keeps_its_lags_in_the_others():
    norms = np.stack([NORMS[2], NORMS[0]])
    norms[0, 1:] = np.nan  # two of three sequences have no number at first
    ax = plot_gradient_history(norms, ax=new_axes())
    np.testing.assert_allclose(ax.collections[0].get_array(), np.stack([POWERS[2], 2 * POWERS[0]], axis=1))


def test_a_single_record_and_a_gradient_that_is_zero_everywhere_are_drawn():
    for norms in (NORMS[:1], np.zeros((2, 3, 4)), np.ones((1, 1))):
        plot_gradient_history(norms, ax=new_axes()).figure.draw_without_rendering()


def test_a_stage_shows_one_record_of_every_cell_on_the_axes_of_all():
    histories = {"LSTM": NORMS, "SimpleRNN": NORMS / 2}
    for record, name in ((0, "epoch 0"), (-1, "epoch 8")):
        ax = plot_gradient_stage(histories, record=record, epochs=[0, 4, 8], ax=new_axes())
        np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), 2 * POWERS[record])
        np.testing.assert_allclose(line_of(ax, "SimpleRNN").get_ydata(), POWERS[record])
        assert ax.get_ylim()[0] == 1 / 64 and 2 < ax.get_ylim()[1] < 5
        assert ax.get_xlim() == (3.5, -0.5)
        assert {text.get_text() for text in ax.texts} == {name, "LSTM", "SimpleRNN"}
        assert ax.get_yscale() == "log"
        for label, cell in (("LSTM", "lstm"), ("SimpleRNN", "simple_rnn")):
            assert same_color(line_of(ax, label).get_color(), CELL_COLORS[cell])


def test_zeros_are_crosses_on_a_line_of_their_own_below_a_stage():
    norms = NORMS.copy()
    norms[0, :, :2] = 0.0
    ax = plot_gradient_stage({"LSTM": norms, "GRU": NORMS}, record=0, ax=new_axes())
    crosses = line_of(ax, "LSTM: exactly 0")
    assert crosses.get_markevery() == [2, 3] and (crosses.get_marker(), crosses.get_linestyle()) == ("x", "None")
    (floor,) = set(crosses.get_ydata())
    assert ax.get_ylim()[0] < floor < 2 / 64 / 9
    assert ax.get_yticklabels()[0].get_text() == "exactly 0" and ax.get_yticks()[0] == floor
    assert np.isnan(line_of(ax, "LSTM").get_ydata()).tolist() == [False, False, True, True]
    assert not [line for line in ax.lines if line.get_label() == "GRU: exactly 0"]
    later = plot_gradient_stage({"LSTM": norms}, record=1, ax=new_axes())
    assert line_of(later, "LSTM: exactly 0").get_markevery() == []
    assert later.get_yticklabels()[0].get_text() == "exactly 0"


def test_a_line_below_the_scale_of_a_stage_is_left_out():
    ax = plot_gradient_stage({"LSTM": NORMS}, record=0, limits=(0.1, 10), ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), [2, 0.5, 0.125, np.nan])


def test_a_cell_without_a_finite_number_at_a_record_is_neither_drawn_nor_named():
    lost = NORMS.copy()
    lost[2] = np.nan
    ax = plot_gradient_stage({"LSTM": lost, "GRU": NORMS}, ax=new_axes())
    assert np.isnan(line_of(ax, "LSTM").get_ydata()).all()
    assert [text.get_text() for text in ax.texts] == ["epoch 2", "GRU"]


def test_names_may_be_left_out_beside_another_stage():
    ax = plot_gradient_stage({"LSTM": NORMS}, named=False, ax=new_axes())
    assert [text.get_text() for text in ax.texts] == ["epoch 2"]


@pytest.mark.parametrize(
    ("norms", "change", "message"),
    [
        (NORMS[0, 0], {}, r"`norms` has shape \(4,\); expected \(records, batch, time\)"),
        (NORMS[:0], {}, "no empty axis"),
        (-NORMS, {}, "never negative; got -9.0"),
        (NORMS * np.nan, {}, "No number in `norms` is finite"),
        (NORMS, {"epochs": [0, 1]}, r"`epochs` must be 3 growing numbers, one for each record; got \[0.0, 1.0\]"),
        (NORMS, {"epochs": [0, 2, 2]}, "`epochs` must be 3 growing numbers"),
        (NORMS, {"limits": (0, 1)}, r"`limits` must be two positive numbers, the lower one first; got \(0, 1\)"),
        (NORMS, {"limits": 3}, "`limits` must be two positive numbers"),
    ],
)
def test_wrong_histories_are_refused_with_what_to_do(norms, change, message):
    with pytest.raises(ValueError, match=message):
        plot_gradient_history(norms, **change, ax=new_axes())


@pytest.mark.parametrize(
    ("histories", "change", "message"),
    [
        (NORMS, {}, "`histories` must be a dict such as"),
        ({}, {}, "`histories` must be a dict such as"),
        ({"LSTM": NORMS[0, 0]}, {}, r"`histories\['LSTM'\]` has shape \(4,\)"),
        ({"LSTM": NORMS, "GRU": NORMS[:2]}, {}, "equally many records; got {'LSTM': 3, 'GRU': 2}. Cut the longer"),
        ({"LSTM": NORMS}, {"record": 3}, "no record 3: the histories hold 3, counted from 0"),
    ],
)
def test_wrong_stages_are_refused_with_what_to_do(histories, change, message):
    with pytest.raises(ValueError, match=message):
        plot_gradient_stage(histories, **change, ax=new_axes())


@pytest.mark.parametrize("norms", [[[2.0, 3.0, 6.0]], [[2.0, 3.0, 60.0]], [[2.0, 3.0, 6e4]]])
def test_the_scales_have_numbers_however_little_the_gradients_differ(norms):
    stage = plot_gradient_stage({"LSTM": norms}, ax=new_axes())
    bar = plot_gradient_history(norms, ax=new_axes()).figure.axes[-1]
    for ax in (stage, bar):
        ax.figure.canvas.draw()
        low, high = ax.get_ylim()
        labels = ax.yaxis.get_ticklabels(which="both")
        assert [text for text in labels if text.get_text() and low <= text.get_position()[1] <= high]
