"""What came and what was expected: every cell's symbol, color and frame."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import same_color, to_hex
from matplotlib.patches import Rectangle
from pictures import new_axes

from rnn_course.plots import plot_next_token
from rnn_course.plots.next_token import CAME, PROBABILITY
from rnn_course.plots.style import DIVERGING, contrast

TOKENS = ["a", "b", "\n", " "]
EXPECTED = np.array([[0.6, 0.3, 0.08, 0.02], [0.1, 0.2, 0.3, 0.4], [0.0, 1.0, 0.0, 0.0]])
CAME_IDS = [1, 0, 1]  # second, fourth, first


def drawn(**options):
    return plot_next_token(EXPECTED, TOKENS, ax=new_axes(), **{"chosen": CAME_IDS, "top": 2} | options)


def row_of(ax, height):
    texts = [text for text in ax.texts if text.get_position()[1] == height]
    return [text.get_text() for text in sorted(texts, key=lambda text: text.get_position()[0])]


def frames_of(ax):
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    return [(patch.get_x() + 0.5, patch.get_y() + 0.5) for patch in frames]


def test_under_each_position_stand_the_likeliest_in_order_and_white_space_is_visible():
    ax = drawn()
    assert row_of(ax, 0) == ["a", "␣", "b"]
    assert row_of(ax, 1) == ["b", "↵", "a"]
    np.testing.assert_allclose(ax.collections[0].get_array(), [[0.6, 0.4, 1.0], [0.3, 0.3, 0.0]])


def test_what_came_stands_above_with_its_probability_and_is_framed_where_it_is_among_the_likeliest():
    ax = drawn()
    assert row_of(ax, CAME) == ["b", "a", "b"]
    np.testing.assert_allclose(ax.collections[1].get_array(), [[0.3, 0.1, 1.0]])
    assert frames_of(ax) == [(0, 1), (2, 0)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["what came", "likeliest", "2."]
    assert "framed" in ax.get_xlabel()
    low, high = sorted(ax.get_ylim())
    assert low < CAME - 0.5 and high > 1.5 and ax.yaxis_inverted()


def test_without_what_came_there_is_neither_its_row_nor_a_frame():
    ax = drawn(chosen=None)
    assert len(ax.texts) == 6 and len(ax.collections) == 1 and frames_of(ax) == []
    assert ax.get_xlabel() == "position in the text"


def test_no_probability_is_pale_certainty_is_strong_and_the_scale_is_that_of_highlighted_text():
    ax = plot_next_token([[0.6, 0.4]], ["a", "b"], chosen=[1], top=2, ax=new_axes())
    assert [image.get_clim() for image in ax.collections[:2]] == [(0, 1), (0, 1)]
    assert same_color(PROBABILITY(0.0), DIVERGING(0.5)) and same_color(PROBABILITY(1.0), DIVERGING(1.0))
    paleness = [contrast(to_hex(PROBABILITY(p)), "white") for p in np.linspace(0, 1, 11)]
    assert (np.diff(paleness) > 0).all()


def test_every_symbol_can_be_read_on_its_cell():
    probabilities = np.stack([np.linspace(0, 1, 21), np.linspace(1, 0, 21)], axis=1)
    ax = plot_next_token(probabilities, ["a", "b"], chosen=[0] * 21, top=2, ax=new_axes())
    ranked = {0: probabilities.max(axis=1), 1: probabilities.min(axis=1), CAME: probabilities[:, 0]}
    for text in ax.texts:
        time, height = text.get_position()
        assert contrast(text.get_color(), to_hex(PROBABILITY(ranked[height][int(time)]))) >= 4.5


def test_sixty_characters_do_not_touch():
    rows = np.full((60, 2), 0.5)
    ax = plot_next_token(rows, ["W", "m"], chosen=[0] * 60, top=2, ax=new_axes())
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_position()[1] == 0]
    assert len(boxes) == 60
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
    assert min(text.get_fontsize() for text in ax.texts) >= 9


def test_dollar_signs_are_shown_and_not_set_as_formulas():
    ax = plot_next_token([[0.5, 0.5]], ["$a$", "_"], top=2, ax=new_axes())
    assert [text.get_parse_math() for text in ax.texts] == [False, False]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probabilities": EXPECTED[0]}, r"`probabilities` must be \(time, vocabulary\).* got shape \(4,\)"),
        ({"probabilities": EXPECTED[:, :3]}, r"each of the 4 tokens; got shape \(3, 3\)"),
        ({"probabilities": np.full((61, 4), 0.25)}, r"1 to 60 steps.* got shape \(61, 4\)"),
        ({"probabilities": np.log(EXPECTED + 0.1)}, "Pass them after the softmax"),
        ({"probabilities": 2 * EXPECTED}, "sum to 1"),
        ({"chosen": [0, 1]}, r"`chosen` must be \(time,\) = \(3,\) integers from 0 to 3"),
        ({"chosen": [0, 1, 4]}, "integers from 0 to 3"),
        ({"chosen": [0.0, 1.0, 2.0]}, "got float64"),
        ({"top": 5}, "`top` is 5; pass 1 to 4"),
        ({"top": 0}, "`top` is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_what_to_do(change, message):
    given = {"probabilities": EXPECTED, "tokens": TOKENS, "chosen": CAME_IDS, "top": 2} | change
    with pytest.raises(ValueError, match=message):
        plot_next_token(**given, ax=new_axes())
