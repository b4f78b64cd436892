"""Pictures of what each word adds to an answer: bars, and words on colored boxes."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, to_hex

from rnn_course.plots.highlighted import checked_line, highlight_texts
from rnn_course.plots.page import settle, size_in_points, text_width
from rnn_course.plots.states import symmetric_limit
from rnn_course.plots.steps import label_steps
from rnn_course.plots.style import DIVERGING, NEGATIVE, POSITIVE, axes_or_new, label_axes, text_on

BOX_SIZE = 12
BOX_HEIGHT = 22


def plot_attribution(tokens, values, *, quantity="attribution (in logits)", title=None, ax=None):
    """Draw one bar for each word: how much it pushed the answer, and which way.

    Args:
        tokens: (words,) strings.
        values: (words,) numbers; a word with NaN gets no bar.
        quantity: what the values are, with their unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes, with one bar for each word.

    Raises:
        ValueError: words and values differ in number, or a value is infinite.
    """
    words, values = checked_line(tokens, values)
    limit = symmetric_limit(values)
    ax = axes_or_new(ax)
    ax.bar(range(len(words)), values, color=np.where(values < 0, NEGATIVE, POSITIVE), width=0.75)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_ylim(-1.1 * limit if (values < 0).any() else 0, 1.1 * limit if (values > 0).any() else 0.05 * limit)
    label_steps(ax, ~np.isnan(values), tokens=words)
    label_axes(ax, x="words in reading order", y=quantity, title=title)
    return ax


def plot_highlighted_text(tokens, values, *, limit=None, quantity="attribution", title=None, ax=None):
    """Draw the words of one text on colored boxes: `highlight_text` as a picture, for pages that strip styles.

    Args:
        tokens: (words,) strings.
        values: (words,) numbers; a word with NaN gets no box.
        limit: the size that gets the strongest color; the largest size when `None`.
        quantity: the label of the color scale, with the unit if there is one.
        title: the finding.
        ax: where to draw; a new figure of the height that the text needs when `None`.

    Returns:
        The Axes, with one text for each word.

    Raises:
        ValueError: words and values differ in number, a value is infinite, `limit` is not above zero, or the text
            does not fit into `ax`.
    """
    return plot_highlighted_texts([(tokens, values)], limit=limit, quantity=quantity, title=title, ax=ax)


def plot_highlighted_texts(texts, *, limit=None, quantity="attribution", title=None, ax=None):
    """Draw the words of several texts on colored boxes, on one scale: `highlight_texts` as a picture.

    Args:
        texts: a list of (tokens, values) pairs, each (words,) strings and (words,) numbers.
        limit: the size that gets the strongest color; the largest size of all texts when `None`.
        quantity: the label of the color scale, with the unit if there is one.
        title: the finding.
        ax: where to draw; a new figure of the height that the texts need when `None`.

    Returns:
        The Axes, with one text for each word.

    Raises:
        ValueError: as `highlight_texts`; or the texts do not fit into `ax`.
    """
    text = highlight_texts(texts, limit=limit)
    norm = Normalize(-text.limit, text.limit)
    if ax is None:
        rows = len(_rows_of_words(text.lines, width=0.94 * 7 * 72))
        ax = axes_or_new(height=(rows * BOX_HEIGHT) / 72 + 0.75 + 0.3 * bool(title))
    ax = axes_or_new(ax)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    label_axes(ax, title=title)
    bar = {"location": "bottom", "fraction": 0.06, "pad": 0.02, "aspect": 40, "shrink": 0.6, "label": quantity}
    ax.figure.colorbar(ScalarMappable(norm, DIVERGING), ax=ax, **bar)
    settle(ax)
    _write_words(ax, text, norm)
    return ax


def _rows_of_words(lines, width):
    """Break texts into rows of (word, value, x in points) that are no wider than `width` points."""
    rows = []
    for words, values in lines:
        rows.append([])
        x = 4.0
        for word, value in zip(words, values, strict=True):
            needed = text_width(word, BOX_SIZE) + 9
            if rows[-1] and x + needed > width:
                rows.append([])
                x = 4.0
            rows[-1].append((word, value, x))
            x += needed
    return rows


def _write_words(ax, text, norm):
    """Write every word on its box, from the upper left corner of the Axes."""
    width, height = size_in_points(ax)
    rows = _rows_of_words(text.lines, width)
    if len(rows) * BOX_HEIGHT > height + 6:
        raise ValueError(
            f"The text needs {len(rows)} rows, {len(rows) * BOX_HEIGHT / 72:.1f} inches; the Axes is "
            f"{height / 72:.1f} inches high. Pass a taller one, or leave `ax` out."
        )
    for number, row in enumerate(rows):
        for word, value, x in row:
            color = "white" if np.isnan(value) else to_hex(DIVERGING(norm(value)))
            ax.annotate(
                word,
                xy=(0, 1),
                xycoords="axes fraction",
                xytext=(x, -(number + 0.5) * BOX_HEIGHT),
                textcoords="offset points",
                va="center_baseline",
                color=text_on(color),
                size=BOX_SIZE,
                parse_math=False,
                bbox={"facecolor": color, "edgecolor": "none", "boxstyle": "round,pad=0.2,rounding_size=0.15"},
            )
