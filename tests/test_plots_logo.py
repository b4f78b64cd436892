"""Logos, read back letter by letter, and the image of all changes of one letter."""

import time
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.colors import to_hex
from pictures import box_of, line_of, new_axes
from test_plots_style import SIGHT, cielab

from rnn_course.plots import plot_mutagenesis, plot_sequence_logo
from rnn_course.plots.logo import LETTER_WIDTH, stacked
from rnn_course.plots.style import DIVERGING, NUCLEOTIDE_COLORS, OTHER_LETTER, RESIDUE_COLORS, letter_colors

PROTEIN = "ACDEFGHIKLMNPQRSTVWY"
SEQUENCE = "GATTACA"
EFFECT = np.random.default_rng(2).normal(size=(7, 4))


def boxes_of(ax):
    """The extents of every letter that is drawn, `(letters, 4)`: left, bottom, right, top."""
    return np.array([path.get_extents().extents for path in ax.collections[0].get_paths()])


# --- logos ------------------------------------------------------------------------------------------------------------


def test_letters_stand_on_one_another_the_highest_on_top():
    # At 1, C of 0.25 under T of 0.75 under A of 1; at 2, G of 2 alone.
    ax = plot_sequence_logo([[1.0, 0.25, 0, 0.75], [0, 0, 2.0, 0]], "ACGT", ax=new_axes())
    by_column = [[1, 1.0, 2.0], [1, 0, 0.25], [2, 0, 2.0], [1, 0.25, 1.0]]  # A, C, G, T: position, bottom, top
    boxes = boxes_of(ax)
    np.testing.assert_allclose(np.c_[boxes[:, [0, 2]].mean(1), boxes[:, [1, 3]]], by_column, atol=1e-9)
    np.testing.assert_allclose(boxes[:, 2] - boxes[:, 0], LETTER_WIDTH, atol=1e-9)
    colors = [to_hex(color).upper() for color in ax.collections[0].get_facecolors()]
    assert colors == [NUCLEOTIDE_COLORS[letter] for letter in "ACGT"]
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 2
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("position", "information (bits)")


def test_negative_letters_hang_below_the_axis_the_longest_at_the_bottom():
    ax = plot_sequence_logo([[1.0, -0.5, -2.0, 0.5]], "ACGT", quantity="effect (nats)", ax=new_axes())
    np.testing.assert_allclose(boxes_of(ax)[:, [1, 3]], [[0.5, 1.5], [-0.5, 0], [-2.5, -0.5], [0, 0.5]], atol=1e-9)
    assert ax.get_ylim()[0] < -2.5 and ax.get_ylim()[1] > 1.5
    assert [line.get_ydata()[0] for line in ax.lines] == [0]  # the axis
    assert ax.get_ylabel() == "effect (nats)"


@pytest.mark.parametrize("seed", range(3))
def test_no_letter_lies_on_another(seed):
    heights = np.random.default_rng(seed).normal(size=(6, 5))
    bottoms = stacked(heights)
    tops = bottoms + np.abs(heights)
    for t in range(6):
        ends = sorted(zip(bottoms[t], tops[t], strict=True))
        assert all(lower[1] <= upper[0] + 1e-12 for lower, upper in pairwise(ends))
        np.testing.assert_allclose(tops[t].max(), heights[t][heights[t] > 0].sum(), atol=1e-12)
        np.testing.assert_allclose(bottoms[t].min(), heights[t][heights[t] < 0].sum(), atol=1e-12)


def test_positions_are_numbered_from_the_start_and_spans_are_shaded():
    ax = plot_sequence_logo(np.ones((9, 4)), "ACGT", start=-3, highlight=[(1, 2), (5, 5)], ax=new_axes())
    centers = sorted({round(float(box[[0, 2]].mean()), 6) for box in boxes_of(ax)})
    assert centers == list(range(-3, 6))
    assert [box_of(patch)[::2] for patch in ax.patches] == [(0.5, 2.5), (4.5, 5.5)]
    assert ax.get_xlim() == pytest.approx((-3.6, 5.6))


def test_what_cannot_be_seen_is_left_out_and_nan_is_nothing():
    ax = plot_sequence_logo([[2.0, 1e-3], [np.nan, np.nan], [0, 0.01]], "AC", ax=new_axes())
    assert len(boxes_of(ax)) == 2
    empty = plot_sequence_logo(np.zeros((3, 4)), "ACGT", ax=new_axes())
    assert len(empty.collections[0].get_paths()) == 0 and empty.get_ylim() == (0, 1)


def test_an_i_stays_a_stroke_and_other_letters_are_equally_wide():
    ax = plot_sequence_logo(np.ones((1, 20)), PROTEIN, ax=new_axes())
    widths = dict(zip(PROTEIN, np.diff(boxes_of(ax)[:, [0, 2]])[:, 0], strict=True))
    assert widths.pop("I") < 0.6 * LETTER_WIDTH
    np.testing.assert_allclose(list(widths.values()), LETTER_WIDTH, atol=1e-9)


def test_a_logo_of_a_thousand_bases_takes_a_tenth_of_a_second():
    heights = np.random.default_rng(0).dirichlet(np.ones(4), size=1000)
    took = []
    for _ in range(5):
        ax = new_axes()
        begin = time.process_time()
        plot_sequence_logo(heights, "ACGT", ax=ax)
        took.append(time.process_time() - begin)
    assert min(took) <= 0.1, took
    assert len(ax.collections) == 1 and len(ax.patches) == 0


@pytest.mark.parametrize(
    ("heights", "letters", "options", "message"),
    [
        (np.ones((2, 3, 4)), "ACGT", {}, r"shape \(2, 3, 4\) and there are 4 letters; expected \(time, letters\)"),
        (np.ones((3, 4)), "ACG", {}, r"shape \(3, 4\) and there are 3 letters"),
        (np.ones((0, 4)), "ACGT", {}, r"shape \(0, 4\)"),
        (np.full((2, 4), [1, 0, 0, -np.inf]), "ACGT", {}, r"Row 0 holds an infinite number\. .*add a pseudocount"),
        (np.ones((2, 2)), ["A", "Cys"], {}, "'Cys' is not one letter"),
        (np.ones((2, 2)), "A ", {}, "' ' is not one letter; pass a single character that can"),
        (np.ones((2, 2)), "AC", {"highlight": [(1, 3)]}, r"\(first, last\) positions from 1 to 2; got \[\(1, 3\)\]"),
        (np.ones((2, 2)), "AC", {"highlight": (1, 2)}, r"must be a list of \(first, last\) positions"),
        (np.ones((2, 2)), "AC", {"highlight": [(2, 1)]}, "ends before it begins"),
    ],
)
def test_a_logo_that_cannot_be_drawn_is_refused_with_what_to_do(heights, letters, options, message):
    with pytest.raises(ValueError, match=message):
        plot_sequence_logo(heights, letters, ax=new_axes(), **options)


# --- colors of letters ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("colors", [NUCLEOTIDE_COLORS, RESIDUE_COLORS], ids=["nucleotides", "residues"])
def test_letters_can_be_told_apart_by_color(colors, sight):
    for first, second in combinations(sorted(set(colors.values())), 2):
        distance = np.linalg.norm(cielab(first, sight) - cielab(second, sight))
        assert distance >= 12, (first, second, distance)


def test_a_letter_has_the_color_of_its_alphabet():
    assert letter_colors("acgu") == [NUCLEOTIDE_COLORS[letter] for letter in "ACGU"]
    assert letter_colors("ACGTN") == [*letter_colors("ACGT"), OTHER_LETTER]
    assert letter_colors(PROTEIN) == [RESIDUE_COLORS[letter] for letter in PROTEIN]
    assert letter_colors("DE*") == [RESIDUE_COLORS["D"], RESIDUE_COLORS["D"], OTHER_LETTER]
    assert len(RESIDUE_COLORS) == 20
    groups = ["KRH", "DE", "ILVF", "STNQ"]  # textbooks agree on these
    assert [len(set(letter_colors(PROTEIN + group)[20:])) for group in groups] == [1, 1, 1, 1]


# --- all changes of one letter ----------------------------------------------------------------------------------------


def test_rows_are_letters_columns_are_positions_and_dots_are_the_sequence():
    ax = plot_mutagenesis(EFFECT, "ACGT", SEQUENCE, start=11, ax=new_axes())
    image = ax.images[0]
    np.testing.assert_array_equal(image.get_array(), EFFECT.T)
    assert image.get_extent() == [10.5, 17.5, 3.5, -0.5]
    assert image.get_clim() == pytest.approx((-np.abs(EFFECT).max(), np.abs(EFFECT).max()))
    assert image.get_cmap() == DIVERGING
    rows = ["ACGT".index(letter) for letter in SEQUENCE]
    assert line_of(ax, "sequence").get_xydata().tolist() == [[11 + place, row] for place, row in enumerate(rows)]
    assert [label.get_text() for label in ax.get_yticklabels()] == list("ACGT")
    assert image.colorbar.ax.get_ylabel() == "effect (log-odds, nats)"


def test_padding_is_left_out_and_ambiguous_letters_have_no_dot():
    ax = plot_mutagenesis(np.pad(EFFECT, ((0, 3), (0, 0))), "ACGT", "gatNaca", ax=new_axes())
    assert ax.images[0].get_array().shape == (4, 7)
    assert line_of(ax, "sequence").get_xdata().tolist() == [1, 2, 3, 5, 6, 7]


def test_a_framed_span_is_as_wide_as_its_positions():
    ax = plot_mutagenesis(EFFECT, "ACGT", SEQUENCE, highlight=[(2, 3)], limit=5, ax=new_axes())
    (frame,) = ax.patches
    assert (frame.get_x(), frame.get_width(), frame.get_height(), frame.get_fill()) == (1.5, 2, 4, False)
    assert ax.images[0].get_clim() == (-5, 5)


@pytest.mark.parametrize("length", [7, 60, 600])
def test_dots_fit_into_their_cells(length):
    letters = np.random.default_rng(0).choice(list("ACGT"), length)
    ax = plot_mutagenesis(np.ones((length, 4)), "ACGT", letters, ax=new_axes(3.5))
    ax.figure.draw_without_rendering()
    cell = ax.get_window_extent().width * 72 / ax.figure.dpi / length
    assert line_of(ax, "sequence").get_markersize() <= max(cell, 1.2)


def test_twenty_letters_are_thinned_out_where_they_do_not_fit():
    ax = plot_mutagenesis(np.ones((5, 20)), PROTEIN, "MKVLA", ax=new_axes(7, 2.5))
    shown = [label.get_text() for label in ax.get_yticklabels()]
    assert 5 < len(shown) < 20 and [PROTEIN[int(place)] for place in ax.get_yticks()] == shown


@pytest.mark.parametrize(
    ("effect", "sequence", "options", "message"),
    [
        (EFFECT[None], SEQUENCE, {}, r"shape \(1, 7, 4\) and there are 4 letters"),
        (EFFECT, SEQUENCE + "A", {}, "The sequence has 8 letters and the effects 7 positions"),
        (EFFECT, "", {}, "The sequence has 0 letters"),
        (EFFECT, SEQUENCE, {"limit": 0}, "`limit` must be above zero"),
        (EFFECT, "GAT", {"highlight": [(2, 4)]}, "positions from 1 to 3"),
        (np.where(np.arange(7)[:, None] == 2, np.inf, EFFECT), SEQUENCE, {}, "Row 2 holds an infinite number"),
    ],
)
def test_changes_that_cannot_be_drawn_are_refused_with_what_to_do(effect, sequence, options, message):
    with pytest.raises(ValueError, match=message):
        plot_mutagenesis(effect, "ACGT", sequence, ax=new_axes(), **options)
