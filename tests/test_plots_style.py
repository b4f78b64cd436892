"""Colors that can be told apart, figures, hatching and labels."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from pictures import box_of

from rnn_course.plots.page import free_place, spread, wrapped
from rnn_course.plots.style import (
    BASELINE_STYLE,
    CELL_COLORS,
    CELL_LABELS,
    DIVERGING,
    GATE_COLORS,
    MAGNITUDE,
    SERIES_COLORS,
    axes_or_new,
    color_of,
    contrast,
    figure_grid,
    hatch_masked,
    ink,
    label_axes,
    label_lines,
    text_on,
)

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
SIGHT = {
    "common": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
LSTM_GATES = ("input", "forget", "candidate", "output")
GRU_GATES = ("update", "reset", "candidate")
TOGETHER = {
    "cells": list(CELL_COLORS.values()),
    "LSTM gates": [GATE_COLORS[name] for name in LSTM_GATES],
    "GRU gates": [GATE_COLORS[name] for name in GRU_GATES],
    "series": list(SERIES_COLORS),
    "signs": [DIVERGING(0.0), DIVERGING(0.5), DIVERGING(1.0)],
}


def cielab(color, sight="common"):
    """A color as (lightness, a, b), as somebody with that sight sees it; distance 2.3 is just noticeable."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SIGHT[sight] @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_measuring_stick_itself_is_right():
    # Known values of CIELAB under D65.
    np.testing.assert_allclose(cielab("white"), [100, 0, 0], atol=0.1)
    np.testing.assert_allclose(cielab("red"), [53.24, 80.09, 67.20], atol=0.1)
    red, green = cielab("#C00000", "deuteranopia"), cielab("#607000", "deuteranopia")
    assert np.linalg.norm(red - green) < np.linalg.norm(cielab("#C00000") - cielab("#607000")) / 3


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colors", TOGETHER.values(), ids=TOGETHER)
def test_colors_used_together_can_be_told_apart(colors, sight):
    for first, second in combinations(colors, 2):
        distance = np.linalg.norm(cielab(first, sight) - cielab(second, sight))
        assert distance >= 12, (first, second, distance)


def test_the_three_cells_and_the_three_gates_differ_in_a_gray_print():
    cells = [CELL_COLORS[name] for name in ("simple_rnn", "gru", "lstm")]
    gates = [GATE_COLORS[name] for name in ("input", "forget", "output")]
    for colors in (cells, gates):
        lightness = sorted(cielab(color)[0] for color in colors)
        assert np.diff(lightness).min() >= 12, lightness


def test_the_diverging_map_is_lightest_at_zero_and_as_dark_on_both_sides():
    lightness = np.array([cielab(DIVERGING(level))[0] for level in range(DIVERGING.N)])
    middle = DIVERGING.N // 2
    assert DIVERGING.N % 2 == 1
    assert (np.diff(lightness[: middle + 1]) > 0).all()
    assert (np.diff(lightness[middle:]) < 0).all()
    assert np.abs(lightness - lightness[::-1]).max() < 8
    assert np.linalg.norm(cielab(DIVERGING(middle))[1:]) < 2


def test_magnitudes_grow_lighter_step_by_step():
    lightness = np.array([cielab(MAGNITUDE(level))[0] for level in range(MAGNITUDE.N)])
    assert (np.diff(lightness) > 0).all()


def test_fixed_meanings():
    assert set(CELL_COLORS) == set(CELL_LABELS) == {"simple_rnn", "lstm", "gru", "custom"}
    assert GATE_COLORS["forget"] == GATE_COLORS["update"] != GATE_COLORS["input"] == GATE_COLORS["reset"]
    assert (BASELINE_STYLE["color"], BASELINE_STYLE["linestyle"]) == ("black", "--")
    assert color_of("lstm", 0) == color_of("LSTM", 4) == CELL_COLORS["lstm"]
    named = [color_of(label, 4) for label in ("LSTM, total", "bidirectional LSTM", "BiLSTM + n-grams")]
    assert set(named) == {CELL_COLORS["lstm"]}
    assert color_of("LSTM or GRU", 1) == color_of("LSTM, 8 units", 1, taken=named) == SERIES_COLORS[1]
    assert [color_of("total", index) for index in range(6)] == [*SERIES_COLORS, SERIES_COLORS[0]]


@pytest.mark.parametrize("color", ["#E69F00", "#45B48C", "white", "black", "#777777"])
def test_text_can_be_read_in_any_color_and_on_any_color(color):
    assert contrast(ink(color), "white") >= 4.5
    assert contrast(text_on(color), color) >= 4.5


def test_contrast_is_the_one_of_the_web_guidelines():
    assert contrast("white", "white") == 1
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.005)


def test_axes_or_new_hands_back_what_it_gets_and_refuses_a_grid():
    ax = Figure().subplots()
    assert axes_or_new(ax) is ax
    with pytest.raises(ValueError, match=r"one matplotlib Axes or None; got ndarray of shape \(1, 2\).*axes\[0, 0\]"):
        axes_or_new(Figure().subplots(1, 2, squeeze=False))
    with pytest.raises(ValueError, match="got Figure"):
        axes_or_new(Figure())


def test_a_grid_is_always_an_array_of_rows_and_columns():
    figure, axes = figure_grid(2, 1, width=5, row_height=2)
    try:
        assert axes.shape == (2, 1)
        assert figure.get_size_inches().tolist() == [5, 4]
        assert figure.dpi == 110
    finally:
        pyplot.close(figure)
    with pytest.raises(ValueError, match="at least one row and one column; got 0 by 3"):
        figure_grid(0, 3)


def test_every_run_of_masked_steps_is_hatched_once():
    ax = Figure(figsize=(7, 3)).subplots()
    ax.set_xlim(-0.5, 7.5)
    patches = hatch_masked(ax, [False, True, True, False, False, True, True, False])
    spans = [box_of(patch)[::2] for patch in patches]
    assert spans == [(-0.5, 0.5), (2.5, 4.5), (6.5, 7.5)]
    assert all(patch.get_hatch() for patch in patches)
    assert {text.get_text() for text in ax.texts} == {"masked"}


def test_nothing_is_hatched_where_all_steps_are_real_and_a_batch_is_refused():
    ax = Figure().subplots()
    assert hatch_masked(ax, np.ones(5, dtype=bool)) == []
    with pytest.raises(ValueError, match=r"must be \(time,\); got shape \(2, 5\).*mask\[0\]"):
        hatch_masked(ax, np.ones((2, 5), dtype=bool))


def test_numbers_too_close_move_apart_evenly_and_the_others_stay():
    assert spread([5, 0, 5, 20], gap=3).tolist() == [3.5, 0, 6.5, 20]
    assert spread([1, 1, 1], gap=2).tolist() == [-1, 1, 3]


def test_numbers_that_may_not_rise_are_pushed_down():
    assert spread([10, 10, 10], gap=2, highest=10).tolist() == [6, 8, 10]


def test_labels_of_lines_that_end_together_do_not_touch():
    ax = Figure(figsize=(7, 3), layout="constrained").subplots()
    ax.plot([0, 1], [0, 1])
    texts = label_lines(ax, [(1.0, "LSTM", "blue"), (1.0, "GRU", "orange"), (np.nan, "gone", "gray")])
    assert [text.get_text() for text in texts] == ["LSTM", "GRU"]
    boxes = [text.get_window_extent() for text in texts]
    assert boxes[0].y0 >= boxes[1].y1 or boxes[1].y0 >= boxes[0].y1
    assert all(box.x0 > ax.get_window_extent().x1 for box in boxes)


def test_long_findings_are_broken_between_words():
    lines = wrapped("one two three four", 60, 12).split("\n")
    assert len(lines) > 1 and " ".join(lines) == "one two three four"
    assert wrapped("unbreakable", 1, 12) == "unbreakable"


def test_a_box_is_placed_where_nothing_lies_yet():
    wall_above = np.array([-50.0, 0.0, 50.0, 99.0])
    offset, covered = free_place(np.zeros(2), np.array([20.0, 10.0]), [wall_above])
    assert (offset.round(6).tolist(), covered) == ([0, -10], 0)
    offset, covered = free_place(np.zeros(2), np.array([20.0, 10.0]), [wall_above, -wall_above[[2, 3, 0, 1]]])
    assert covered > 0


def test_titles_stand_at_the_left_and_two_spines_go():
    ax = Figure(figsize=(7, 3)).subplots()
    label_axes(ax, x="time step", y="opening", title="It closes")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")) == ("time step", "opening", "It closes")
    assert not ax.spines["top"].get_visible() and ax.spines["left"].get_visible()
