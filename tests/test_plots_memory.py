"""What is left of a nudge: medians as lines, predictions dashed, the half-life where the line says it is."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import line_of, new_axes

from rnn_course.plots import plot_retention
from rnn_course.plots.style import CELL_COLORS

LAGS = np.arange(6)[:, None]
UNITS = np.array([0.5, 0.8, 0.9]) ** LAGS  # the median is 0.8 to the power of the lag: 0.8 0.64 0.512 0.41
ALONE = 0.5 ** LAGS[:, 0]


def marks(ax):
    return [(*line.get_xdata(), *line.get_ydata()) for line in ax.lines if line.get_marker() == "o"]


def test_the_line_is_the_median_over_the_units_and_the_band_their_middle_half():
    ax = plot_retention({"LSTM": UNITS}, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), 0.8 ** LAGS[:, 0])
    assert same_color(line_of(ax, "LSTM").get_color(), CELL_COLORS["lstm"])
    edges = ax.collections[0].get_paths()[0].vertices[:, 1]
    low, high = np.percentile(UNITS, (25, 75), axis=1)
    assert (edges.min(), edges.max()) == pytest.approx((low.min(), high.max()))
    assert ax.get_yscale() == "log"
    assert "median of 3 units, band: the middle half" in ax.get_xlabel()


def test_what_the_gates_promise_is_dashed_in_the_same_color():
    ax = plot_retention(
        {"GRU": UNITS, "SimpleRNN": UNITS}, predicted={"GRU": UNITS**2, "SimpleRNN": None}, ax=new_axes()
    )
    line = line_of(ax, "GRU, predicted")
    np.testing.assert_allclose(line.get_ydata(), 0.64 ** LAGS[:, 0])
    assert line.get_linestyle() == "--" and line_of(ax, "GRU").get_linestyle() == "-"
    assert same_color(line.get_color(), CELL_COLORS["gru"])
    assert not [line for line in ax.lines if line.get_label() == "SimpleRNN, predicted"]
    assert "dashed: if the gates alone decided" in ax.get_xlabel()
    assert "dashed" not in plot_retention({"GRU": UNITS}, ax=new_axes()).get_xlabel()


def test_the_half_life_is_marked_on_the_line_and_written_beside_its_name():
    ax = plot_retention({"LSTM": UNITS, "GRU": ALONE, "slow": np.full(6, 0.9)}, ax=new_axes())
    assert marks(ax) == [pytest.approx((4, 0.8**4)), pytest.approx((1, 0.5))]
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["½", "LSTM: half after 4", "GRU: half after 1", "slow"]
    plain = plot_retention({"LSTM": UNITS}, half_life=False, ax=new_axes())
    assert marks(plain) == [] and [text.get_text() for text in plain.texts] == ["½", "LSTM"]


def test_one_unit_has_no_band():
    ax = plot_retention({"unit 3": ALONE}, colors={"unit 3": "red"}, ax=new_axes())
    assert len(ax.collections) == 0
    assert ax.get_xlabel() == "steps since the nudge"
    np.testing.assert_array_equal(line_of(ax, "unit 3").get_ydata(), ALONE)
    assert same_color(line_of(ax, "unit 3").get_color(), "red")


def test_a_share_that_has_turned_over_is_a_gap_on_the_log_scale_and_a_value_on_the_linear_one():
    turning = np.array([1.0, -0.6, 0.36, 0.0])
    log, linear = (plot_retention({"a": turning}, scale=scale, ax=new_axes()) for scale in ("log", "linear"))
    np.testing.assert_array_equal(line_of(log, "a").get_ydata(), [1.0, np.nan, 0.36, np.nan])
    np.testing.assert_array_equal(line_of(linear, "a").get_ydata(), turning)
    assert linear.get_yscale() == "linear" and linear.get_ylim()[0] < -0.6


def test_one_unit_below_zero_takes_nothing_from_the_median_of_the_others():
    shares = np.array([[1.0, 1.0, 1.0], [-0.2, 0.5, 0.6]])
    np.testing.assert_array_equal(line_of(plot_retention({"a": shares}, ax=new_axes()), "a").get_ydata(), [1.0, 0.5])


def test_the_log_scale_ends_where_it_is_told_to_and_the_name_stays_in_the_picture():
    ax = plot_retention({"a": 0.1 ** LAGS[:, 0]}, lowest=1e-2, ax=new_axes())
    assert ax.get_ylim()[0] == pytest.approx(1e-2)
    assert ax.texts[-1].xy[1] == pytest.approx(1e-2)
    assert 1 < ax.get_ylim()[1] < 2


@pytest.mark.parametrize(
    ("measured", "change", "message"),
    [
        (UNITS, {}, "`measured` must be a dict such as .* got ndarray"),
        ({}, {}, "`measured` must be a dict"),
        (
            {"a": np.zeros((2, 3, 4))},
            {},
            r"`measured\['a'\]` has shape \(2, 3, 4\); expected finite shares",
        ),
        ({"a": [1.0, np.nan]}, {}, "expected finite shares"),
        ({"a": UNITS}, {"predicted": {"a": ALONE}}, r"`predicted\['a'\]` has shape \(6, 1\), .* has shape \(6, 3\)"),
        ({"a": UNITS}, {"predicted": {"b": UNITS}}, r"`measured\['b'\]` has nothing"),
        ({"a": UNITS}, {"scale": "symlog"}, '`scale` must be "log" or "linear"; got \'symlog\''),
    ],
)
def test_wrong_shares_are_refused_with_what_to_do(measured, change, message):
    with pytest.raises(ValueError, match=message):
        plot_retention(measured, **change, ax=new_axes())
