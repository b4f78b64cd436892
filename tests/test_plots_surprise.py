"""What was expected and what came: the band is where it should be, changes and alarms stand at their steps."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import line_of, new_axes

from rnn_course.plots import plot_forecast, plot_surprise
from rnn_course.plots.style import CELL_COLORS

VALUES, MEAN, SPREAD = np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.0, 2.0]), np.array([0.5, 0.1, 0.25])


def changes_in(ax):
    return [line.get_xdata()[0] for line in ax.lines if line.get_label().startswith("change ")]


def test_lines_hold_what_came_and_what_was_expected_from_the_step_that_is_told():
    ax = plot_forecast(VALUES, MEAN, SPREAD, start=100, ax=new_axes())
    np.testing.assert_array_equal(line_of(ax, "came").get_ydata(), VALUES)
    np.testing.assert_array_equal(line_of(ax, "expected").get_ydata(), MEAN)
    assert line_of(ax, "came").get_xdata().tolist() == [100, 101, 102]
    assert ax.get_xlim() == (100, 102)
    assert same_color(line_of(ax, "expected").get_color(), CELL_COLORS["lstm"])
    assert ax.get_ylabel() == "sensor"


def test_the_band_is_two_standard_deviations_on_either_side():
    ax = plot_forecast(VALUES, MEAN, SPREAD, color="red", ax=new_axes())
    (band,) = ax.collections
    corners = {tuple(np.round(vertex, 9)) for vertex in band.get_paths()[0].vertices}
    assert corners >= {(0, 0.5), (1, 1.8), (2, 1.5), (0, 2.5), (1, 2.2), (2, 2.5)}
    assert same_color(band.get_facecolor()[0, :3], "red")


@pytest.mark.parametrize("draw", [plot_surprise, lambda row, **options: plot_forecast(row, row, row, **options)])
def test_changes_stand_at_their_steps_and_those_outside_are_left_out(draw):
    ax = draw(np.ones(50), changes=[9, 10, 30, 59, 60], start=10, ax=new_axes())
    assert changes_in(ax) == [10, 30, 59]


def test_surprise_threshold_and_alarms():
    ax = plot_surprise(VALUES, threshold=2.5, alarms=[4, 5, 7, 8], start=5, quantity="sum (nats)", ax=new_axes())
    np.testing.assert_array_equal(line_of(ax, "surprise").get_ydata(), VALUES)
    assert line_of(ax, "threshold").get_ydata()[0] == 2.5
    assert line_of(ax, "alarm").get_xdata().tolist() == [5, 7]
    assert ax.get_ylabel() == "sum (nats)"


def test_without_threshold_or_alarms_none_are_drawn():
    ax = plot_surprise(VALUES, ax=new_axes())
    assert line_of(ax, "alarm").get_xdata().size == 0
    assert not [line for line in ax.lines if line.get_label() == "threshold"]
    assert ax.get_ylabel() == "surprise (nats)"


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: plot_forecast(VALUES, MEAN[:2], SPREAD, ax=ax), r"equally long rows .* 'mean': \(2,\)"),
        (lambda ax: plot_forecast(VALUES[:, None], MEAN, SPREAD, ax=ax), r"'values': \(3, 1\).* Pick one stream"),
        (lambda ax: plot_surprise([], ax=ax), r"'surprise': \(0,\)"),
    ],
)
def test_wrong_rows_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw(new_axes())
