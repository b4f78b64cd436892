"""The loss against the minutes: means and bands of seeds, published points, baselines."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import line_of, new_axes, texts_of

from rnn_course.plots import plot_against_minutes
from rnn_course.plots.style import CELL_COLORS, PUBLISHED_STYLE

MINUTES = np.array([[1.0, 2.0, 4.0], [1.2, 2.2, 4.4]])
VALUES = np.array([[3.0, 2.0, 1.5], [3.2, 2.4, 1.7]])


def test_seeds_are_averaged_at_the_mean_of_their_minutes_with_a_band_over_their_range():
    ax = plot_against_minutes({"LSTM": (MINUTES, VALUES)}, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_xdata(), [1.1, 2.1, 4.2])
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), [3.1, 2.2, 1.6])
    corners = ax.collections[0].get_paths()[0].vertices.round(6).tolist()
    assert [1.1, 3.0] in corners and [1.1, 3.2] in corners and [4.2, 1.5] in corners and [4.2, 1.7] in corners
    assert same_color(line_of(ax, "LSTM").get_color(), CELL_COLORS["lstm"])
    assert ax.get_xlabel() == "minutes of training\nmean and range of 2 seeds"
    assert ax.get_ylabel() == "validation loss (nats per character)"
    assert texts_of(ax) == ["LSTM 1.60"]


def test_runs_with_different_numbers_of_seeds_are_told_apart_in_the_note():
    run = (np.concatenate([MINUTES, MINUTES]), np.concatenate([VALUES, VALUES]))
    ax = plot_against_minutes({"LSTM": (MINUTES, VALUES), "GRU": run}, ax=new_axes())
    assert ax.get_xlabel() == "minutes of training\nmean and range of 2 or 4 seeds"


def test_one_seed_is_a_line_without_a_band_and_one_point_is_a_dot():
    ax = plot_against_minutes({"GRU": (MINUTES[0], VALUES[0])}, ax=new_axes())
    assert line_of(ax, "GRU").get_ydata().tolist() == [3.0, 2.0, 1.5]
    assert len(ax.collections) == 0
    assert ax.get_xlabel() == "minutes of training"
    assert line_of(ax, "GRU").get_markersize() == 0
    ax = plot_against_minutes({"GRU": ([2.0], [1.5])}, ax=new_axes())
    assert line_of(ax, "GRU").get_markersize() > 0


def test_two_runs_of_one_cell_have_different_colors():
    run = (MINUTES[0], VALUES[0])
    ax = plot_against_minutes({"LSTM, 1 layer": run, "LSTM, 2 layers": run}, ax=new_axes())
    assert not same_color(line_of(ax, "LSTM, 1 layer").get_color(), line_of(ax, "LSTM, 2 layers").get_color())


def test_a_published_result_is_a_diamond_at_its_minute_with_a_line_to_its_name():
    ax = plot_against_minutes({"GRU": (MINUTES[0], VALUES[0])}, marks={"other": (3, 1.88)}, ax=new_axes())
    assert line_of(ax, "other").get_xydata().tolist() == [[3.0, 1.88]]
    assert line_of(ax, "other").get_marker() == "D"
    leader = ax.lines[-1]
    assert leader.get_xydata().tolist() == [[3.0, 1.88], [ax.get_xlim()[1], 1.88]]
    assert leader.get_linestyle() == ":"
    assert "other 1.88" in texts_of(ax)


def test_a_published_result_without_minutes_is_dotted_and_a_baseline_is_dashed_and_black():
    run = {"GRU": (MINUTES[0], VALUES[0])}
    ax = plot_against_minutes(run, marks={"other": 1.548}, levels={"5-gram": 1.5612, "unigram": 3.35}, ax=new_axes())
    assert line_of(ax, "other").get_ydata() == [1.548, 1.548]
    assert same_color(line_of(ax, "other").get_color(), PUBLISHED_STYLE["color"])
    baseline = line_of(ax, "5-gram")
    assert (baseline.get_linestyle(), baseline.get_color(), baseline.get_ydata()) == ("--", "black", [1.5612, 1.5612])
    assert {"other 1.55", "5-gram 1.56", "unigram 3.35"} <= set(texts_of(ax))
    assert ax.get_ylim()[1] > 3.35


def test_limits_cut_the_picture_and_what_is_beyond_is_not_named():
    run = {"GRU": (MINUTES[0], VALUES[0])}
    ax = plot_against_minutes(run, levels={"5-gram": 1.56, "unigram": 3.35}, limits=(1.4, 2.4), ax=new_axes())
    assert ax.get_ylim() == (1.4, 2.4)
    assert texts_of(ax) == ["GRU 1.50", "5-gram 1.56"]


def test_minutes_begin_at_zero_or_are_plain_numbers_on_a_log_scale():
    run = {"GRU": ([0.5, 1.0, 20.0], VALUES[0])}
    ax = plot_against_minutes(run, ax=new_axes())
    assert ax.get_xscale() == "linear" and ax.get_xlim()[0] == 0
    ax = plot_against_minutes(run, log_minutes=True, ax=new_axes())
    assert ax.get_xscale() == "log"
    ax.figure.draw_without_rendering()
    assert {"0.5", "1", "2", "5", "10", "20"} <= {text.get_text() for text in ax.get_xticklabels()}


@pytest.mark.parametrize(
    ("curves", "options", "message"),
    [
        ({}, {}, r"`curves` must be a dict such as"),
        ([1, 2], {}, r"`curves` must be a dict such as"),
        ({"GRU": ([1, 2], [3, 4], [5, 6])}, {}, r"`curves\['GRU'\]` must be \(minutes, values\).* shape \(3, 1, 2\)"),
        ({"GRU": ([1, 2], [3])}, {}, r"`curves\['GRU'\]` must hold numbers in equally long rows"),
        ({"GRU": ([1, 2], [3, np.nan])}, {}, "and finite"),
        ({"GRU": ([2, 1], [3, 4])}, {}, r"minutes of `curves\['GRU'\]` must grow"),
        ({"GRU": ([0, 1], [3, 4])}, {"log_minutes": True}, "above 0 on a log scale"),
        ({"GRU": ([1, 2], [3, 4])}, {"marks": {"A": (1, 2, 3)}}, r"`marks\['A'\]` must be \(minute, value\)"),
        ({"GRU": ([1, 2], [3, 4])}, {"marks": {"A": (0, 2)}, "log_minutes": True}, "with a minute above 0"),
        ({"GRU": ([1, 2], [3, 4])}, {"levels": {"5-gram": np.nan}}, "`baseline` must be a finite number"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(curves, options, message):
    with pytest.raises(ValueError, match=message):
        plot_against_minutes(curves, ax=new_axes(), **options)
