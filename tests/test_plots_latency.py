"""What a step costs: a dot at the median of each row, and lines against the steps before, both on log scales."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import line_of, new_axes

from rnn_course.plots import plot_cost, plot_latency
from rnn_course.plots.style import CELL_COLORS, SERIES_COLORS

TIMES = {"predict": np.arange(1_000.0, 1_101), "LSTM, NumPy": [9.0, 20.0, 28.0], "AR": 3.14}
STEPS = np.array([1, 10, 100])
COSTS = {"LSTM": (STEPS, [20.0, 20.0, 21.0]), "Transformer": (STEPS, [30.0, 60.0, 500.0])}


# --- ways to take a step ----------------------------------------------------------------------------------------------


def test_each_row_has_a_dot_at_its_median_and_its_number_at_the_right():
    ax = plot_latency(TIMES, ax=new_axes())
    for height, (label, median) in enumerate([("predict", 1_050), ("LSTM, NumPy", 20), ("AR", 3.14)]):
        assert line_of(ax, label).get_xdata().tolist() == [pytest.approx(median)]
        assert line_of(ax, label).get_ydata().tolist() == [height]
    assert [label.get_text() for label in ax.get_yticklabels()] == list(TIMES)
    assert [text.get_text() for text in ax.texts] == ["1,050 µs", "20 µs", "3.1 µs"]
    assert ax.get_xscale() == "log" and ax.yaxis_inverted()


def test_the_bar_runs_over_the_middle_eight_tenths():
    ax = plot_latency(TIMES, ax=new_axes())
    (bar,) = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] == 0]
    assert bar.get_xdata().tolist() == [pytest.approx(1_010), pytest.approx(1_090)]
    assert "bars: the middle eight tenths" in ax.get_xlabel()
    assert "bars" not in plot_latency({"AR": 3.0}, ax=new_axes()).get_xlabel()


def test_a_row_has_the_color_of_its_cell_or_the_one_it_is_given():
    ax = plot_latency(TIMES, colors={"AR": "red"}, ax=new_axes())
    colors = [line_of(ax, label).get_color() for label in TIMES]
    wanted = [SERIES_COLORS[0], CELL_COLORS["lstm"], "red"]
    assert all(map(same_color, colors, wanted))


def test_the_baseline_is_dashed_and_named_and_the_unit_stands_on_the_axis():
    ax = plot_latency(TIMES, baseline={"deadline": 100.0}, unit="ms", ax=new_axes())
    assert line_of(ax, "deadline").get_xdata().tolist() == [100, 100]
    assert line_of(ax, "deadline").get_linestyle() == "--"
    far = plot_latency({"a": 10.0}, baseline={"near": 0.5, "far": 2_000.0}, ax=new_axes()).get_xlim()
    assert far[0] < 0.5 and far[1] > 2_000
    assert "deadline" in [text.get_text() for text in ax.texts]
    assert ax.get_xlabel().startswith("time of one step (ms)")


@pytest.mark.parametrize(
    ("times", "options", "message"),
    [
        ({}, {}, "`times` must be a dict"),
        ([1.0], {}, "`times` must be a dict"),
        ({"a": [1.0, np.nan]}, {}, r"`times\['a'\]` must be one finite number"),
        ({"a": [1.0, 0.0]}, {}, "The time of 'a' must be above 0 to stand on a log scale; got 0.0"),
        ({"a": 1.0}, {"baseline": {"b": -1.0}}, "The time of 'b' must be above 0 .* got -1.0"),
    ],
)
def test_wrong_times_are_refused(times, options, message):
    with pytest.raises(ValueError, match=message):
        plot_latency(times, **options, ax=new_axes())


# --- against the steps before -----------------------------------------------------------------------------------------


def test_each_cost_is_a_line_over_its_steps_on_two_log_scales():
    ax = plot_cost(COSTS, quantity="time of one step (µs)", ax=new_axes())
    for label, (steps, values) in COSTS.items():
        np.testing.assert_array_equal(line_of(ax, label).get_xdata(), steps)
        np.testing.assert_array_equal(line_of(ax, label).get_ydata(), values)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in ax.get_yticklabels(minor=True) if text.get_text()] == []
    assert same_color(line_of(ax, "LSTM").get_color(), CELL_COLORS["lstm"])
    assert [text.get_text() for text in ax.texts] == ["LSTM", "Transformer"]
    assert ax.get_ylabel() == "time of one step (µs)"
    assert len(ax.collections) == 0


def test_a_band_has_the_edges_that_are_handed_in_and_the_color_of_its_line():
    band = np.array([[10.0, 12.0, 11.0], [90.0, 80.0, 70.0]])
    ax = plot_cost(COSTS, quantity="µs", bands={"LSTM": band}, colors={"LSTM": "red"}, ax=new_axes())
    (collection,) = ax.collections
    heights = collection.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (10, 90)
    assert same_color(collection.get_facecolor()[0, :3], "red")
    assert same_color(line_of(ax, "LSTM").get_color(), "red")


def test_the_axis_begins_where_it_is_told_to():
    assert plot_cost(COSTS, quantity="µs", lowest=1.0, ax=new_axes()).get_ylim()[0] == 1


@pytest.mark.parametrize(
    ("costs", "bands", "message"),
    [
        ({}, None, "`costs` must be a dict"),
        ({"a": ([0, 1], [1, 1])}, None, r"`costs\['a'\]` must be two .* Count steps from 1: a log scale has no 0"),
        ({"a": [1.0, 2.0]}, None, r"got shape \(2,\)"),
        ({"a": ([1, 2], [1, np.nan])}, None, "positive numbers"),
        (COSTS, {"LSTM": [[1, 1], [2, 2]]}, r"`bands\['LSTM'\]` has shape \(2, 2\); expected \(2, 3\)"),
    ],
)
def test_wrong_costs_are_refused(costs, bands, message):
    with pytest.raises(ValueError, match=message):
        plot_cost(costs, quantity="µs", bands=bands, ax=new_axes())


@pytest.mark.parametrize("costs", [[2.0, 3.0, 6.0], [20.0, 80.0, 200.0], [1.0, 50.0, 900.0]])
def test_the_axis_of_costs_has_numbers_however_little_they_differ(costs):
    ax = plot_cost({"LSTM": (STEPS, costs)}, quantity="a step (ms)", ax=new_axes())
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    labels = ax.yaxis.get_ticklabels(which="both")
    assert [text for text in labels if text.get_text() and low <= text.get_position()[1] <= high]
