"""What every picture of the course shares: colors with one meaning, figures, labels, and the hatching of padding.

A color means the same thing everywhere:

* `CELL_COLORS`: SimpleRNN gray, GRU orange, LSTM blue, any other cell wine red.
* `GATE_COLORS`: red-orange is the gate that decides how much of the OLD state survives (LSTM `forget`, GRU
  `update`, where Keras keeps the old state at 1); green is the gate at the door of what is NEW (LSTM `input`, GRU
  `reset`, which decides how much of the old state the proposal sees); purple is the LSTM's `output`; gray is the
  `candidate`, which is a proposal and not a gate.
* `NUCLEOTIDE_COLORS`: A green, C blue, G orange, T and U red; `RESIDUE_COLORS`: amino acids by what their side chains
  are, hydrophobic dark gray, polar green, basic blue, acidic red; `OTHER_LETTER`: any other letter, gray.
* `SERIES_COLORS`: lines that are neither a cell nor a gate, in this order.
* `DIVERGING`: signed values, blue below zero, white at zero, orange above; the limits are always symmetric.
* `MAGNITUDE`: values that are never negative.
* `BASELINE_STYLE`: the honest baseline, dashed and black; `PUBLISHED_STYLE`: a published figure, dotted.

The colors are built on the palettes of Okabe and Ito ("Color Universal Design", 2008) and of Paul Tol ("Colour
Schemes", 2021) and moved apart in lightness, so that they survive the common color-blindnesses and a gray print.
Nothing here writes matplotlib's rcParams.
"""

import re

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

from rnn_course.plots.page import points_of, settle, size_in_points, spread, wrapped

CELL_COLORS = {"simple_rnn": "#7A7A7A", "gru": "#E69F00", "lstm": "#005AA3", "custom": "#701B47"}
CELL_LABELS = {"simple_rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM", "custom": "custom cell"}
GATE_COLORS = {
    "input": "#45B48C",
    "reset": "#45B48C",
    "forget": "#D1490C",
    "update": "#D1490C",
    "candidate": "#858585",
    "output": "#64288C",
}
NUCLEOTIDE_COLORS = {"A": "#2FA37C", "C": "#0A4F8F", "G": "#E69F00", "T": "#B5361C", "U": "#B5361C"}
RESIDUE_GROUPS = {"AVLIPWFM": "#3A3A3A", "GSTYCQN": "#2FA37C", "KRH": "#0A4F8F", "DE": "#B5361C"}
RESIDUE_COLORS = {letter: color for group, color in RESIDUE_GROUPS.items() for letter in group}
OTHER_LETTER = "#8C8C8C"
SERIES_COLORS = ("#332288", "#C4566A", "#B9A33B", "#3FA796", "#7FC4EA")
BASELINE_STYLE = {"color": "black", "linestyle": "--", "linewidth": 1.4}
NOT_FINITE_STYLE = {"facecolor": "white", "edgecolor": "#8A8A8A", "hatch": "//////", "linewidth": 0}
PUBLISHED_STYLE = {"color": "#555555", "linestyle": ":", "linewidth": 1.8}
COLOR_STEPS = 33  # more cannot be told apart, and make a picture of 64 units twice as many bytes
DIVERGING = LinearSegmentedColormap.from_list(
    "rnn_course_diverging",
    ["#0A4F8F", "#3F8AC4", "#A6CBE6", "#F7F7F7", "#F7BE86", "#DE7E22", "#963C00"],
    N=COLOR_STEPS,
)
MAGNITUDE = colormaps["viridis"].resampled(COLOR_STEPS)
NEGATIVE, POSITIVE = to_hex(DIVERGING(0.12)), to_hex(DIVERGING(0.88))

DPI = 110
TEXT_SIZE = 10
TITLE_SIZE = 12
BAND_ALPHA = 0.2
LEFT_LABELS = 58  # points that axis label and tick labels take left of an Axes


def axes_or_new(ax=None, *, width=7.0, height=3.0):
    """Hand back the Axes that was given, or make one in a figure of its own.

    A new figure is made through `pyplot`, so that a notebook shows it below the cell and `pyplot.show()` shows it
    in a script; a figure that is handed in is never touched outside its `ax`.

    Args:
        ax: a matplotlib `Axes`, or `None` for a new figure.
        width: inches of a new figure.
        height: inches of a new figure.

    Returns:
        One matplotlib `Axes`.

    Raises:
        ValueError: `ax` is something else, such as the (rows, columns) array of a grid.
    """
    if ax is None:
        return figure_grid(1, 1, width=width, row_height=height)[1][0, 0]
    if not isinstance(ax, Axes):
        shape = f" of shape {ax.shape}: pick one of them, such as axes[0, 0]" if isinstance(ax, np.ndarray) else ""
        raise ValueError(f"`ax` must be one matplotlib Axes or None; got {type(ax).__name__}{shape}.")
    return ax


def figure_grid(rows, columns, *, width=7.0, row_height=2.4, sharex=False, sharey=False):
    """Make a figure with a grid of Axes whose labels keep out of each other's way.

    Args:
        rows: number of rows, at least 1.
        columns: number of columns, at least 1.
        width: inches of the whole figure.
        row_height: inches of each row.
        sharex: the columns share their horizontal axis, as in `matplotlib.pyplot.subplots`.
        sharey: the rows share their vertical axis, as in `matplotlib.pyplot.subplots`.

    Returns:
        The `Figure` and a NumPy array of Axes, always of shape (rows, columns).

    Raises:
        ValueError: `rows` or `columns` is below 1.
    """
    from matplotlib import pyplot  # here, so that importing the plots does not choose a backend

    if rows < 1 or columns < 1:
        raise ValueError(f"A grid needs at least one row and one column; got {rows} by {columns}.")
    return pyplot.subplots(
        rows,
        columns,
        figsize=(width, rows * row_height),
        dpi=DPI,
        layout="constrained",
        squeeze=False,
        sharex=sharex,
        sharey=sharey,
    )


def label_axes(ax, *, x=None, y=None, title=None):
    """Write the axis labels and the finding above them, and take away the two spines that carry nothing.

    Args:
        ax: the Axes.
        x: quantity and unit of the horizontal axis.
        y: quantity and unit of the vertical axis.
        title: the finding, wrapped to the width of the Axes and set flush left.
    """
    ax.spines[["top", "right"]].set_visible(False)
    if x is not None:
        ax.set_xlabel(x)
    if y is not None:
        ax.set_ylabel(y)
    if title is not None:
        ax.set_title(wrapped(title, _room_for_title(ax), TITLE_SIZE), loc="left", fontsize=TITLE_SIZE)


def _room_for_title(ax):
    """Points from the left end of an Axes to the end of its cell of the figure."""
    cell = ax.get_subplotspec()
    if cell is None:
        return size_in_points(ax)[0]
    cell = cell.get_topmost_subplotspec()
    columns = len(cell.colspan) / cell.get_gridspec().ncols
    return 72 * ax.figure.canvas.figure.get_figwidth() * columns - LEFT_LABELS


def hatch_masked(ax, mask):
    """Hatch the steps that the network never read, so that padding cannot be taken for a value of zero.

    Args:
        ax: an Axes whose horizontal axis counts time steps from 0.
        mask: (time,) bool, True at the real steps.

    Returns:
        The hatched patches, one for each run of masked steps.

    Raises:
        ValueError: `mask` is not one-dimensional.
    """
    mask = np.asarray(mask)
    if mask.ndim != 1:
        raise ValueError(f"`mask` must be (time,); got shape {mask.shape}. Pick one example, such as mask[0].")
    edges = np.flatnonzero(np.diff(np.concatenate([[True], mask.astype(bool), [True]])))
    return [_hatch(ax, start - 0.5, stop - 0.5) for start, stop in edges.reshape(-1, 2)]


def _hatch(ax, left, right):
    """Hatch one span and name it where there is room for the word."""
    patch = ax.axvspan(left, right, facecolor="white", edgecolor="#B5B5B5", hatch="////", linewidth=0, zorder=0.5)
    points = (right - left) / np.ptp(ax.get_xlim()) * size_in_points(ax)[0]
    if points > 1.8 * TEXT_SIZE:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        middle, transform = (left + right) / 2, ax.get_xaxis_transform()
        place = {"transform": transform, "ha": "center", "va": "center", "rotation": 90}
        ax.text(middle, 0.5, "masked", color="#555555", size=TEXT_SIZE, bbox=box, zorder=0.6, **place)
    return patch


def show_not_finite(ax, values, *, sign="hatched"):
    """Say that numbers which are NaN or infinite at steps that were read are none, so that they pass for no value.

    An image is left open at them; the hatching behind it is seen there. Call it when the axes have their labels.

    Args:
        ax: an Axes, with its image or lines.
        values: numbers of any shape, at the real steps only.
        sign: "hatched" for an image; what a reader sees instead where lines are drawn, such as "gap".

    Returns:
        Whether there are any.
    """
    if np.isfinite(values).all():
        return False
    if sign == "hatched":
        ax.patch.set(**NOT_FINITE_STYLE)
    ax.set_xlabel(f"{ax.get_xlabel()}\n{sign}: not finite".strip())
    return True


def band_note(counts):
    """Say what a band stands for, as the note under an axis.

    Args:
        counts: an int for each label, how many seeds it has; a label with one has no band.

    Returns:
        A str such as "mean and range of 3 seeds", or "of 2 or 3 seeds" where labels differ; "" where none has a band.
    """
    several = sorted({count for count in counts if count > 1})
    return f"mean and range of {' or '.join(map(str, several))} seeds" if several else ""


def last_finite(line):
    """The last finite number of a (time,) line, where its name is written; NaN where there is none."""
    known = np.asarray(line)[np.isfinite(line)]
    return known[-1] if len(known) else np.nan


def label_lines(ax, labels):
    """Write the name of each line at its right end, moved apart where two would overlap.

    Call it last: the places follow from the limits the Axes has by then.

    Args:
        ax: the Axes that holds the lines.
        labels: a list of (y, text, color), y being the line's last value; non-finite ones are left out.

    Returns:
        The texts, in the order of `labels`.
    """
    labels = [entry for entry in labels if np.isfinite(entry[0])]
    if not labels:
        return []
    ax.set_ylim(ax.get_ylim())
    settle(ax)
    heights = np.array([points_of(ax, ax.get_xlim()[0], y)[1] for y, _, _ in labels])
    top = points_of(ax, ax.get_xlim()[0], ax.get_ylim()[1])[1]
    shifts = spread(heights, 1.25 * TEXT_SIZE, highest=top) - heights
    return [_end_label(ax, label, shift) for label, shift in zip(labels, shifts, strict=True)]


def _end_label(ax, label, shift):
    """Write one (y, text, color) right of the Axes, `shift` points above its height."""
    y, text, color = label
    return ax.annotate(
        text,
        xy=(1, y),
        xycoords=ax.get_yaxis_transform(),
        xytext=(5, shift),
        textcoords="offset points",
        va="center",
        color=ink(color),
        size=TEXT_SIZE,
        annotation_clip=False,
    )


def color_of(label, index, *, taken=()):
    """The fixed color of the cell that a label names, or the next color of the series.

    Args:
        label: str, what a line is called; "lstm", "LSTM, total" and "bidirectional LSTM" are all the LSTM.
        index: the line's place, from 0, for labels that name no cell, or several.
        taken: colors that other lines of the picture have; a cell's color among them is not given again.

    Returns:
        A hexadecimal color.

    >>> color_of("LSTM, total", 3) == CELL_COLORS["lstm"]
    True
    """
    words = {word.removeprefix("Bi") for word in re.findall(r"\w+", str(label))}
    cells = [color for cell, color in CELL_COLORS.items() if words & {cell, CELL_LABELS[cell]}]
    if len(cells) == 1 and cells[0] not in taken:
        return cells[0]
    return SERIES_COLORS[index % len(SERIES_COLORS)]


def colors_of(labels, colors=None):
    """The color of each of some lines: the one it is given, or that of `color_of`.

    Args:
        labels: a list of str, what the lines are called, in order.
        colors: a dict of label -> matplotlib color; `None` for none given.

    Returns:
        A dict of label -> matplotlib color, for every label.

    >>> colors_of(["LSTM", "mine"], {"mine": "black"}) == {"LSTM": CELL_COLORS["lstm"], "mine": "black"}
    True
    """
    return {label: color_of(label, index) for index, label in enumerate(labels)} | dict(colors or {})


def letter_colors(letters):
    """The fixed colors of the letters of an alphabet: of nucleotides where there are no others, else of amino acids.

    Args:
        letters: a string, or list of characters, such as "ACGT"; small ones are colored like large ones.

    Returns:
        (letters,) hexadecimal colors, a list.

    >>> letter_colors("AG") == ["#2FA37C", "#E69F00"], letter_colors("AGW")[0] == RESIDUE_COLORS["A"]
    (True, True)
    """
    letters = [str(letter).upper() for letter in letters]
    colors = NUCLEOTIDE_COLORS if set(letters) <= set(NUCLEOTIDE_COLORS) | {"N"} else RESIDUE_COLORS
    return [colors.get(letter, OTHER_LETTER) for letter in letters]


def contrast(first, second):
    """Contrast ratio of two colors, from 1 (equal) to 21 (black on white).

    Source: WCAG 2.2, "contrast ratio"; level AA asks for at least 4.5 for text.

    Args:
        first: a matplotlib color.
        second: a matplotlib color.

    Returns:
        A float.

    >>> contrast("black", "white")
    21.0
    """
    rgb = np.array([to_rgb(first), to_rgb(second)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    dark, light = sorted(linear @ [0.2126, 0.7152, 0.0722])
    return float((light + 0.05) / (dark + 0.05))


def ink(color):
    """Darken a color until text written in it reads on white (contrast of 4.5).

    Args:
        color: a matplotlib color.

    Returns:
        A hexadecimal color; dark ones come back as they are.
    """
    rgb = np.array(to_rgb(color))
    while contrast(rgb, "white") < 4.55:
        rgb = 0.97 * rgb
    return to_hex(rgb)


def text_on(background):
    """Black or white, whichever reads better on a background; the contrast is never below 4.5.

    Args:
        background: a matplotlib color.

    Returns:
        "#000000" or "#ffffff".
    """
    return max("#000000", "#ffffff", key=lambda color: contrast(color, background))
