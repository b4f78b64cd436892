"""A figure by ordered groups: means and bands of seeds, counts below the groups, what is to be beaten."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import line_of, new_axes, texts_of

from rnn_course.plots import plot_breakdown
from rnn_course.plots.style import CELL_COLORS

SEEDS = np.array([[0.6, 0.4, 0.2], [0.8, 0.5, 0.1]])
OPTIONS = {"groups": ["1–5", "6–10", "11–20"], "x": "words in the sentence", "y": "BLEU"}


def ticks_of(ax):
    return dict(zip(ax.get_xticks().tolist(), [text.get_text() for text in ax.get_xticklabels()], strict=True))


def test_seeds_are_averaged_group_by_group_with_a_band_over_their_range():
    ax = plot_breakdown({"LSTM": SEEDS}, **OPTIONS, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "LSTM").get_xdata(), [0, 1, 2])
    np.testing.assert_allclose(line_of(ax, "LSTM").get_ydata(), [0.7, 0.45, 0.15])
    corners = ax.collections[0].get_paths()[0].vertices.round(6).tolist()
    assert all(corner in corners for corner in ([0, 0.6], [0, 0.8], [1, 0.4], [1, 0.5], [2, 0.1], [2, 0.2]))
    assert same_color(line_of(ax, "LSTM").get_color(), CELL_COLORS["lstm"])
    assert texts_of(ax) == ["LSTM"]
    assert ax.get_xlabel() == "words in the sentence\nmean and range of 2 seeds"
    assert ax.get_ylabel() == "BLEU"


def test_labels_with_different_numbers_of_seeds_are_told_apart_in_the_note():
    curves = {"LSTM": np.concatenate([SEEDS, SEEDS[:1]]), "GRU": SEEDS, "counts": SEEDS[0]}
    ax = plot_breakdown(curves, **OPTIONS, ax=new_axes())
    assert ax.get_xlabel() == "words in the sentence\nmean and range of 2 or 3 seeds"


def test_one_seed_is_a_line_without_a_band():
    ax = plot_breakdown({"GRU": SEEDS[0]}, **OPTIONS, ax=new_axes())
    assert line_of(ax, "GRU").get_ydata().tolist() == [0.6, 0.4, 0.2]
    assert len(ax.collections) == 0 and ax.get_xlabel() == "words in the sentence"


def test_groups_stand_in_order_with_their_counts_below():
    ax = plot_breakdown({"GRU": SEEDS[0]}, counts=[12000, 310, np.int64(7)], **OPTIONS, ax=new_axes())
    assert ticks_of(ax) == {0: "1–5\n12,000", 1: "6–10\n310", 2: "11–20\n7"}
    assert ax.get_xlabel() == "words in the sentence\nbelow each: number of examples"


def test_groups_that_are_numbers_are_written_as_whole_ones_and_thinned_out_where_there_is_no_room():
    curve = np.linspace(1, 0, 30)
    ax = plot_breakdown({"GRU": curve}, groups=np.arange(30.0), x="position", y="share", ax=new_axes(3.5))
    shown = ticks_of(ax)
    assert shown[0] == "0" and 4 < len(shown) < 30
    assert all(label == f"{place:g}" and place % 1 == 0 for place, label in shown.items())
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_counts_have_room_at_half_width_beside_long_names():
    seeds = np.ones((3, 1)) * np.linspace(0.9, 0.2, 12)
    curves = {"LSTM, last state only": seeds, "LSTM with attention": seeds + 0.1}
    counts = np.arange(12) + 10000
    ax = plot_breakdown(curves, groups=range(12), counts=counts, x="position", y="share", ax=new_axes(3.5))
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    label = ax.xaxis.label.get_window_extent()
    assert label.x0 > -1 and label.x1 < ax.figure.bbox.x1 + 1


def test_a_baseline_is_dashed_and_black_level_or_group_by_group():
    baseline = {"phrase table": 0.3, "most frequent word": [0.2, 0.1, 0.05]}
    ax = plot_breakdown({"GRU": SEEDS[0]}, baseline=baseline, **OPTIONS, ax=new_axes())
    level, chance = line_of(ax, "phrase table"), line_of(ax, "most frequent word")
    for line in (level, chance):
        assert (line.get_linestyle(), line.get_color()) == ("--", "black")
    assert set(level.get_ydata()) == {0.3}
    assert (level.get_xdata()[0], level.get_xdata()[-1]) == pytest.approx(ax.get_xlim())
    assert chance.get_xydata().tolist() == [[0, 0.2], [1, 0.1], [2, 0.05]]
    assert texts_of(ax) == ["GRU", "phrase table", "most frequent word"]
    assert line_of(plot_breakdown({"GRU": [1]}, groups=["all"], x="", y="", baseline=0.5, ax=new_axes()), "baseline")


def test_a_group_without_a_value_is_a_gap_and_the_name_stands_at_the_last_value():
    ax = plot_breakdown({"GRU": [0.6, 0.4, np.nan], "LSTM": [0.1, np.nan, 0.9]}, **OPTIONS, ax=new_axes())
    np.testing.assert_array_equal(line_of(ax, "GRU").get_ydata(), [0.6, 0.4, np.nan])
    heights = {text.get_text(): text.xy[1] for text in ax.texts}
    assert heights == {"GRU": 0.4, "LSTM": 0.9}


def test_two_lines_of_one_cell_have_different_colors():
    ax = plot_breakdown({"LSTM, last state": SEEDS[0], "LSTM, attention": SEEDS[1]}, **OPTIONS, ax=new_axes())
    assert not same_color(line_of(ax, "LSTM, last state").get_color(), line_of(ax, "LSTM, attention").get_color())


@pytest.mark.parametrize(
    ("curves", "changed", "message"),
    [
        ({}, {}, "`curves` must be a dict such as .* a value for each of at least one group; got {} and 3 groups"),
        ([0.5], {}, r"`curves` must be a dict such as .* got \[0.5\]"),
        ({"GRU": []}, {"groups": []}, "and 0 groups"),
        (
            {"GRU": [1, 2]},
            {},
            r"`curves\['GRU'\]` has shape \(2,\); expected \(3,\) or \(seeds, 3\) finite numbers, one",
        ),
        ({"GRU": np.ones((1, 2, 3))}, {}, r"has shape \(1, 2, 3\)"),
        ({"GRU": [1, 2, np.inf]}, {}, "NaN where there is none"),
        ({"GRU": [1, 2, 3]}, {"counts": [1, 2]}, r"`counts` must be \(3,\) numbers of examples"),
        ({"GRU": [1, 2, 3]}, {"counts": [1, 2, 2.5]}, r"`counts` must be \(3,\) numbers of examples"),
        ({"GRU": [1, 2, 3]}, {"baseline": [1, 2]}, r"`baseline\['baseline'\]` must be a finite number or \(3,\) of"),
        ({"GRU": [1, 2, 3]}, {"baseline": {"table": np.nan}}, r"`baseline\['table'\]` must be a finite number"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(curves, changed, message):
    with pytest.raises(ValueError, match=message):
        plot_breakdown(curves, **(OPTIONS | changed), ax=new_axes())
