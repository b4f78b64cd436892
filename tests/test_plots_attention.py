"""Attention weights as an image: the same scale in every picture, words on both sides, true links on top."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import line_of, new_axes

from rnn_course.plots import plot_alignment
from rnn_course.plots.attention import shown_word
from rnn_course.plots.style import MAGNITUDE, contrast

WEIGHTS = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]])
WORDS = {"source": ["la", "casa", "￭."], "target": ["house", "￭."]}


def ticks_of(axis):
    return dict(zip(axis.get_ticklocs().tolist(), [text.get_text() for text in axis.get_ticklabels()], strict=True))


def test_rows_are_target_words_and_columns_are_source_words_without_their_marks():
    ax = plot_alignment(WEIGHTS, **WORDS, ax=new_axes())
    np.testing.assert_array_equal(ax.images[0].get_array(), WEIGHTS)
    assert ticks_of(ax.xaxis) == {0: "la", 1: "casa", 2: "."}
    assert ticks_of(ax.yaxis) == {0: "house", 1: "."}
    assert ax.get_ylim() == (1.5, -0.5)  # the first word is on top
    assert ax.get_xlim() == (-0.5, 2.5)
    assert ax.get_xlabel() == "word that was read" and ax.get_ylabel() == "word that was made"


def test_colors_run_from_nothing_to_all_whatever_the_largest_weight_is():
    ax = plot_alignment(WEIGHTS / 10, **WORDS, ax=new_axes())
    assert ax.images[0].get_clim() == (0, 1)
    assert ax.images[0].get_cmap() == MAGNITUDE
    assert ax.images[0].colorbar.ax.get_ylabel() == "attention weight"


def test_true_links_are_hollow_squares_with_a_rim_at_source_and_target():
    ax = plot_alignment(WEIGHTS, **WORDS, truth=[(1, 0), (2, 1)], ax=new_axes())
    links = line_of(ax, "true link")
    assert links.get_xydata().tolist() == [[1, 0], [2, 1]]
    assert (links.get_marker(), links.get_markerfacecolor(), links.get_linestyle()) == ("s", "none", "None")
    assert ax.get_xlabel().endswith("□ true link")
    # White inside black: on every color of the scale one of the two has a contrast of 3, WCAG's demand of graphics.
    assert same_color(links.get_color(), "white") and len(links.get_path_effects()) == 2
    backgrounds = MAGNITUDE(np.linspace(0, 1, 20))
    assert min(max(contrast(color, "white"), contrast(color, "black")) for color in backgrounds) > 3


@pytest.mark.parametrize("words", [3, 9, 25])
def test_a_square_fits_into_its_cell(words):
    names = [f"word{i}" for i in range(words)]
    ax = plot_alignment(np.eye(words), source=names, target=names, truth=[(0, 0)], ax=new_axes(3.5))
    ax.figure.draw_without_rendering()
    box = ax.get_window_extent()
    cell = min(box.width, box.height) / words * 72 / ax.figure.dpi
    assert line_of(ax, "true link").get_markersize() <= max(cell, 4)


def test_without_links_there_is_nothing_on_the_image():
    ax = plot_alignment(WEIGHTS, **WORDS, ax=new_axes())
    assert len(ax.lines) == 0 and "link" not in ax.get_xlabel()
    ax = plot_alignment(WEIGHTS, **WORDS, truth=[], ax=new_axes())
    assert line_of(ax, "true link").get_xydata().shape == (0, 2)


def test_padding_beyond_the_words_is_left_out():
    padded = np.pad(WEIGHTS, ((0, 2), (0, 3)))
    padded[2:] = 0.2  # rows of padding read something too
    ax = plot_alignment(padded, **WORDS, ax=new_axes())
    np.testing.assert_array_equal(ax.images[0].get_array(), WEIGHTS)


def test_many_words_are_thinned_out_until_none_lies_on_another():
    names = [f"wort{i}" for i in range(30)]
    ax = plot_alignment(np.eye(30), source=names, target=names, ax=new_axes(3.5))
    shown = ticks_of(ax.yaxis)
    assert len(shown) < 30 and all(names[int(place)] == word for place, word in shown.items())
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(upper.y0 >= lower.y1 - 1 for upper, lower in pairwise(boxes))


def test_a_mark_alone_and_a_dollar_are_shown_as_they_are():
    assert [shown_word(word) for word in ("￭", "￭'￭", "a￭")] == ["￭", "'", "a"]
    ax = plot_alignment([[1.0, 0.0]], source=["$x$", "$"], target=["$y_$"], ax=new_axes())
    ax.figure.draw_without_rendering()
    assert not any(label.get_parse_math() for label in (*ax.get_xticklabels(), *ax.get_yticklabels()))


@pytest.mark.parametrize(
    ("weights", "changed", "message"),
    [
        (
            WEIGHTS[None],
            {},
            r"`weights` has shape \(1, 2, 3\) and there are 2 target and 3 source words; expected \(ta",
        ),
        (WEIGHTS, {"target": ["a"] * 3}, r"shape \(2, 3\) and there are 3 target and 3 source words"),
        (WEIGHTS, {"source": []}, "there are 2 target and 0 source words; expected .* a word each at least"),
        (WEIGHTS, {"source": ["la", "casa"]}, "There is weight on source step 2, and there are only 2 source words"),
        (WEIGHTS - 0.2, {}, r"`weights` must be from 0 to 1; got -0.1 to 0.49"),
        (WEIGHTS * 2, {}, r"`weights` must be from 0 to 1"),
        (WEIGHTS, {"truth": [(3, 0)]}, r"pairs of a source word below 3 and a target word below 2; got \[\[3, 0\]\]"),
        (WEIGHTS, {"truth": [(0, 0, 1)]}, r"`truth` must be \(links, 2\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(weights, changed, message):
    with pytest.raises(ValueError, match=message):
        plot_alignment(weights, **(WORDS | changed), ax=new_axes())
