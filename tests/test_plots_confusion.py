"""A confusion matrix, read back cell by cell."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import new_axes, texts_of

from rnn_course.plots import plot_confusion
from rnn_course.plots.style import MAGNITUDE, contrast

COUNTS = [[1500, 300, 200], [3, 1, 0], [0, 0, 0]]
NAMES = ["donor", "acceptor", "neither"]


def test_colors_are_shares_of_the_row_so_that_rare_classes_are_seen_as_well():
    ax = plot_confusion(COUNTS, NAMES, ax=new_axes())
    np.testing.assert_allclose(ax.images[0].get_array(), [[0.75, 0.15, 0.1], [0.75, 0.25, 0], [0, 0, 0]])
    assert ax.images[0].get_clim() == (0, 1) and ax.images[0].get_cmap() == MAGNITUDE
    assert ax.images[0].colorbar.ax.get_ylabel() == "share of the true class"


def test_rows_are_true_and_columns_are_predicted():
    ax = plot_confusion(COUNTS, NAMES, ax=new_axes())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert [label.get_text() for label in ax.get_yticklabels()] == NAMES
    assert [label.get_text() for label in ax.get_xticklabels()] == NAMES
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert written[1, 0] == "300\n15%" and written[0, 1] == "3\n75%"  # (predicted, true)
    assert ax.get_ylim() == (2.5, -0.5)  # the first class is on top


def test_every_number_can_be_read_on_its_color():
    ax = plot_confusion(COUNTS, NAMES, ax=new_axes())
    for text in ax.texts:
        column, row = text.get_position()
        assert contrast(to_hex(text.get_color()), MAGNITUDE(float(ax.images[0].get_array()[row, column]))) >= 4.5


def test_narrow_cells_hold_the_share_alone_and_small_ones_nothing():
    many = np.arange(1, 145).reshape(12, 12) * 100
    names = [f"class {number}" for number in range(12)]
    assert all(text.endswith("%") and "\n" not in text for text in texts_of(plot_confusion(many, names, ax=new_axes())))
    assert texts_of(plot_confusion(many, names, ax=new_axes(3.0))) == []


@pytest.mark.parametrize("width", [3.5, 7])
def test_no_text_in_a_cell_is_wider_than_the_cell(width):
    ax = plot_confusion(COUNTS, NAMES, ax=new_axes(width))
    ax.figure.draw_without_rendering()
    room = ax.get_window_extent().width / 3
    assert ax.texts and all(text.get_window_extent().width <= room for text in ax.texts)


@pytest.mark.parametrize("names", [[f"class {number}" for number in range(12)], ["a long name of a class", "another"]])
def test_names_below_do_not_touch(names):
    ax = plot_confusion(np.eye(len(names)), names, ax=new_axes(3.5))
    ax.figure.draw_without_rendering()
    labels = ax.get_xticklabels()
    if labels[0].get_rotation() == 90:
        boxes = [label.get_window_extent() for label in labels]
        assert all(left.x1 <= right.x0 + 1 for left, right in pairwise(boxes))
    else:
        assert labels[0].get_rotation() == 45  # slanted: as far apart as a line is high, or more
        gap = ax.get_window_extent().width / len(names) * 72 / ax.figure.dpi
        assert gap * np.sin(np.pi / 4) > labels[0].get_fontsize()


@pytest.mark.parametrize(
    ("counts", "names", "message"),
    [
        (COUNTS, NAMES[:2], r"`counts` has shape \(3, 3\) and there are 2 names; expected \(classes, classes\)"),
        ([[1, 2]], ["a"], r"shape \(1, 2\) and there are 1 names"),
        (np.zeros((0, 0)), [], r"there are 0 names"),
        ([[0.5, 0.5], [0, 1]], ["a", "b"], r"must be whole numbers from 0 on; pass how many, not shares"),
        ([[1, -1], [0, 1]], ["a", "b"], "must be whole numbers from 0 on"),
    ],
)
def test_what_are_no_counts_is_refused_with_what_to_do(counts, names, message):
    with pytest.raises(ValueError, match=message):
        plot_confusion(counts, names, ax=new_axes())
