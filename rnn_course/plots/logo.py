"""Pictures of sequences of letters: logos, whose letters are as high as they count, and all changes of one letter."""

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.colors import to_rgba_array
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from rnn_course.plots.page import settle, size_in_points
from rnn_course.plots.states import symmetric_limit
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import DIVERGING, TEXT_SIZE, axes_or_new, label_axes, letter_colors, show_not_finite

FONT = FontProperties(family="DejaVu Sans", weight="bold")
LETTER_WIDTH = 0.92  # of the distance between two positions
FULL_WIDTH = 0.5  # of its height: a glyph at least as wide as this fills the letter's whole width
UNSEEN = 1e-3  # share of the picture's height below which a letter is left out
HIGHLIGHT = "#F3E7B3"
ROW_POINTS = 1.3 * TEXT_SIZE


def plot_sequence_logo(heights, letters, *, start=1, highlight=(), quantity="information (bits)", title=None, ax=None):
    """Draw a sequence logo: at each position the letters on top of one another, each as high as it counts.

    The highest letter is on top; letters of negative height hang below the axis, the longest at the bottom. Letters too
    low to be seen are left out. Source: Schneider & Stephens (1990), Nucleic Acids Research 18.

    Args:
        heights: (time, letters), such as probabilities times the information of their position, or one example of
            `Mutagenesis.heights()`; NaN where there is nothing to draw.
        letters: a string, or list of characters, one for each column.
        start: the number of the first position.
        highlight: a list of (first, last) positions, in the numbering of the axis, that are shaded.
        quantity: what the heights are, with their unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its one collection holds a path for each letter that is drawn, column by column.

    Raises:
        ValueError: the shapes do not fit, a height is infinite, a letter is no single character that can be seen, or a
            span lies outside the positions.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_sequence_logo([[2, 0], [0.5, 0.5]], "AC", ax=Figure().subplots())
    >>> len(ax.collections[0].get_paths()), ax.get_ylabel()
    (3, 'information (bits)')
    """
    heights, letters = _checked_heights(heights, letters)
    spans = _checked_spans(highlight, start, len(heights))
    heights = np.nan_to_num(heights)
    bottoms = stacked(heights)
    low, high = bottoms.min(initial=0), (bottoms + np.abs(heights)).max(initial=0)
    ax = axes_or_new(ax)
    for first, last in spans:
        ax.axvspan(first - 0.5, last + 0.5, color=HIGHLIGHT, linewidth=0, zorder=0)
    _draw_letters(ax, heights, bottoms, letters, start=start, least=UNSEEN * (high - low))
    if low < 0:
        ax.axhline(0, color="black", linewidth=0.8)
    ax.set_ylim((1.05 * low, 1.05 * high) if high > low else (0, 1))
    _number_positions(ax, start, len(heights))
    label_axes(ax, x="position", y=quantity, title=title)
    return ax


def plot_mutagenesis(
    effect,
    letters,
    sequence,
    *,
    start=1,
    highlight=(),
    limit=None,
    quantity="effect (log-odds, nats)",
    title=None,
    ax=None,
):
    """Draw what every change of one letter does as one image, a row for each letter, centered at zero.

    Args:
        effect: (time, letters), such as one example of `Mutagenesis.effect`; positions beyond the sequence are padding
            and left out.
        letters: a string, or list of characters, one for each column.
        sequence: a string, or list of characters, the letters that stand there: each has a dot, unless it is ambiguous.
        start: the number of the first position.
        highlight: a list of (first, last) positions, in the numbering of the axis, that are framed.
        limit: the value at both ends of the color scale; the largest size in the picture when `None`.
        quantity: what the effects are, with their unit.
        title: the finding.
        ax: where to draw; a new figure, higher for more than a dozen letters, when `None`.

    Returns:
        The Axes; its image has the shape (letters, time), its line a point at each letter of the sequence.

    Raises:
        ValueError: the shapes do not fit, the sequence is empty or longer than the effects, an effect is infinite, a
            span lies outside the positions, or `limit` is not above zero.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_mutagenesis([[0, -2], [1, 0]], "AC", "AC", ax=Figure().subplots())
    >>> ax.images[0].get_array().tolist(), ax.lines[0].get_xydata().tolist()
    ([[0.0, 1.0], [-2.0, 0.0]], [[1.0, 0.0], [2.0, 1.0]])
    """
    effect, letters = _checked_heights(effect, letters)
    sequence = [str(letter).upper() for letter in sequence]
    if not 0 < len(sequence) <= len(effect):
        raise ValueError(
            f"The sequence has {len(sequence)} letters and the effects {len(effect)} positions; expected a letter at "
            "least, and no more than positions."
        )
    effect = effect[: len(sequence)]
    spans = _checked_spans(highlight, start, len(effect))
    limit = symmetric_limit(effect, limit)
    ax = axes_or_new(ax, height=max(3.0, 1.3 + len(letters) * ROW_POINTS / 72))
    extent = (start - 0.5, start + len(effect) - 0.5, len(letters) - 0.5, -0.5)
    shown = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit, "extent": extent}
    image = ax.imshow(np.ma.masked_invalid(effect.T), aspect="auto", interpolation="nearest", **shown)
    ax.figure.colorbar(image, ax=ax, label=quantity, pad=0.02, aspect=18)
    for first, last in spans:
        frame = {"fill": False, "edgecolor": "black", "linewidth": 1.4, "zorder": 3}
        ax.add_patch(Rectangle((first - 0.5, -0.5), last - first + 1, len(letters), **frame))
    _number_positions(ax, start, len(effect))
    ax.set_xlabel("position\n● letter of the sequence")
    show_not_finite(ax, effect)
    label_axes(ax, y="changed to", title=title)
    _label_letters(ax, letters)
    _mark_sequence(ax, sequence, letters, start)
    return ax


def stacked(heights):
    """Where each letter of a logo begins.

    Args:
        heights: (time, letters) finite numbers.

    Returns:
        (time, letters), the lower end of each letter: positive ones stand on one another from 0 up, the highest on top;
        negative ones hang from 0 down, the longest at the bottom.

    >>> stacked(np.array([[1.0, 2.0, -3.0, -0.5]])).tolist()
    [[0.0, 1.0, -3.5, -0.5]]
    """
    ends = []
    for part in (np.maximum(heights, 0), np.maximum(-heights, 0)):
        order = np.argsort(part, axis=1, kind="stable")
        ends.append(np.empty_like(part))
        np.put_along_axis(ends[-1], order, np.take_along_axis(part, order, axis=1).cumsum(axis=1), axis=1)
    return np.where(heights > 0, ends[0] - heights, np.where(heights < 0, -ends[1], 0))


def _draw_letters(ax, heights, bottoms, letters, *, start, least):
    """Draw every letter that is higher than `least` as one path of one collection."""
    paths, colors = [], []
    for column, (letter, color) in enumerate(zip(letters, to_rgba_array(letter_colors(letters)), strict=True)):
        vertices, codes = _glyph(letter)
        rows = np.flatnonzero(np.abs(heights[:, column]) > least)
        size = np.stack([np.full(len(rows), LETTER_WIDTH), np.abs(heights[rows, column])], axis=1)
        place = np.stack([start + rows, bottoms[rows, column]], axis=1)
        paths += [Path(each, codes) for each in vertices * size[:, None] + place[:, None]]
        colors.append(np.tile(color, (len(rows), 1)))
    ax.add_collection(PathCollection(paths, facecolors=np.concatenate(colors), linewidths=0), autolim=False)


def _glyph(letter):
    """The outline of a letter, (vertices, 2) from 0 to 1 upward and around 0 in width, and its codes (vertices,)."""
    path = TextPath((0, 0), letter, size=1, prop=FONT)
    box = path.get_extents()
    width = min(1, box.width / box.height / FULL_WIDTH)  # an I stays a stroke
    middle = [(box.x0 + box.x1) / 2, box.y0]
    return (path.vertices - middle) / [box.width, box.height] * [width, 1], path.codes


def _checked_heights(heights, letters):
    """The numbers as (time, letters), not all of them NaN, and the letters as a list, checked."""
    heights, letters = as_numbers(heights, "heights"), [str(letter) for letter in letters]
    if heights.ndim != 2 or 0 in heights.shape or heights.shape[1] != len(letters):
        raise ValueError(
            f"The numbers have shape {heights.shape} and there are {len(letters)} letters; expected (time, letters), "
            "none of them empty. Pick one example of a batch, such as heights[0]."
        )
    if np.isinf(heights).any():
        place = int(np.isinf(heights).any(axis=1).argmax())
        raise ValueError(
            f"Row {place} holds an infinite number. Log-odds of letters that were never seen are -inf: add a "
            "pseudocount."
        )
    wrong = [letter for letter in letters if len(letter) != 1 or letter.isspace() or not letter.isprintable()]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not one letter; pass a single character that can be seen for each column.")
    if np.isnan(heights).all():
        raise ValueError("Every number is NaN, so there is nothing to draw; look for what made them.")
    return heights, letters


def _checked_spans(highlight, start, count):
    """The spans as a list of (first, last), checked against the positions."""
    spans = as_numbers(list(highlight), "highlight")
    spans = spans.reshape(-1, 2) if spans.size == 0 else spans
    last = start + count - 1
    if spans.ndim != 2 or spans.shape[1] != 2 or not ((start <= spans) & (spans <= last)).all():
        raise ValueError(
            f"`highlight` must be a list of (first, last) positions from {start} to {last}; got {highlight!r}."
        )
    if (spans[:, 0] > spans[:, 1]).any():
        raise ValueError(f"A span of `highlight` ends before it begins: {highlight!r}.")
    return spans.tolist()


def _number_positions(ax, start, count):
    """Give an Axes its horizontal axis of positions."""
    ax.set_xlim(start - 0.6, start + count - 0.4)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=8)


def _label_letters(ax, letters):
    """Write the letters down the side, as many as there is room for."""
    settle(ax)
    every = max(1, int(np.ceil(1.15 * TEXT_SIZE * len(letters) / size_in_points(ax)[1])))
    ax.set_yticks(range(0, len(letters), every), letters[::every], size=TEXT_SIZE)
    ax.tick_params(axis="y", length=0)


def _mark_sequence(ax, sequence, letters, start):
    """Draw a dot at each letter of the sequence that is one of the rows, as large as its cell allows."""
    settle(ax)
    rows = {letter.upper(): row for row, letter in enumerate(letters)}
    dots = [(start + place, rows[letter]) for place, letter in enumerate(sequence) if letter in rows]
    cell = (size_in_points(ax) / (len(sequence), len(letters))).min()
    size = float(np.clip(0.5 * cell, 1.2, 6))
    ax.plot(*np.reshape(dots, (-1, 2)).T, "o", color="black", markersize=size, markeredgewidth=0, label="sequence")
