"""Pictures of what a model expected to come next, symbol by symbol, and what came."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from rnn_course.plots.page import size_in_points, text_width
from rnn_course.plots.steps import as_numbers, readable
from rnn_course.plots.style import COLOR_STEPS, DIVERGING, TEXT_SIZE, axes_or_new, label_axes, text_on

MOST_STEPS = 60
PROBABILITY = ListedColormap(DIVERGING(np.linspace(0.5, 1, COLOR_STEPS // 2 + 1)), "rnn_course_probability")
UNLIKELY, UNLIKELY_COLOR = 0.05, "#6B6B6B"
CAME = -1.4  # the height of the row of what came, above the first rank at 0
FRAME = {"fill": False, "edgecolor": "black", "linewidth": 1.5, "zorder": 3}
FONT = "DejaVu Sans Mono"  # comes with matplotlib and has ↵ and ␣


def plot_next_token(probabilities, tokens, *, chosen=None, top=5, title=None, ax=None):
    """Draw what came at every position, and under it what was likeliest to come, the likeliest on top.

    The stronger the color, the higher the probability, on the scale of `highlight_text`. Where what came is among the
    likeliest it is framed; in a column without a frame it came from further down. Less than 5 % is written in gray.

    Args:
        probabilities: (time, vocabulary) of what comes at each position, given all before it.
        tokens: (vocabulary,) strings, such as `Vocabulary.tokens`; a line break is shown as ↵, a space as ␣.
        chosen: (time,) integers, which token came at each position; without them neither row nor frames.
        top: int, how many of the likeliest are shown at each position.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; `ax.collections[0]` is the image, (top, time), `ax.collections[1]` the row of what came, (1, time).

    Raises:
        ValueError: a shape does not fit, `time` is above 60 (the characters that there is room for), a row is no
            probabilities, or `top` is not between 1 and the size of the vocabulary.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_next_token([[0.75, 0.25], [0.5, 0.5]], ["a", " "], chosen=[1, 0], top=1, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts]
    ['a', 'a', '␣', 'a']
    """
    probabilities, tokens = _checked(probabilities, tokens, top)
    likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]  # (time, top)
    rows = {float(rank): likeliest[:, rank] for rank in range(top)}
    ax = axes_or_new(ax)
    image = _draw_cells(ax, np.take_along_axis(probabilities, likeliest, axis=1).T, first=0)
    ax.figure.colorbar(image, ax=ax, label="probability", pad=0.02, aspect=18)
    if chosen is not None:
        rows[CAME] = _checked_choice(chosen, probabilities)
        _draw_cells(ax, np.take_along_axis(probabilities, rows[CAME][:, None], axis=1).T, first=CAME)
        _frame(ax, np.argwhere(likeliest == rows[CAME][:, None]))
    _name_rows(ax, rows)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=6)
    label_axes(ax, x="position in the text" + ("" if chosen is None else " (framed: what came)"), title=title)
    _write_tokens(ax, rows, probabilities, tokens)
    return ax


def _draw_cells(ax, values, *, first):
    """Draw values (rows, time) as cells with white between them, the first row at height `first`."""
    edges = np.arange(values.shape[1] + 1) - 0.5, first + np.arange(len(values) + 1) - 0.5
    return ax.pcolormesh(*edges, values, cmap=PROBABILITY, vmin=0, vmax=1, edgecolor="white", linewidth=1)


def _checked(probabilities, tokens, top):
    """The probabilities as (time, vocabulary) floats and the tokens as they are shown, or an error."""
    probabilities, tokens = as_numbers(probabilities, "probabilities"), [readable(token) for token in tokens]
    if probabilities.ndim != 2 or probabilities.shape[1] != len(tokens) or not 0 < len(probabilities) <= MOST_STEPS:
        raise ValueError(
            f"`probabilities` must be (time, vocabulary) with 1 to {MOST_STEPS} steps and one column for each of the "
            f"{len(tokens)} tokens; got shape {probabilities.shape}. Pass one short stretch of one text."
        )
    if not ((probabilities >= 0).all() and np.allclose(probabilities.sum(axis=1), 1, atol=1e-3)):
        raise ValueError("Each row of `probabilities` must be at least 0 and sum to 1. Pass them after the softmax.")
    if not 1 <= top <= len(tokens):
        raise ValueError(f"`top` is {top}; pass 1 to {len(tokens)}, the size of the vocabulary.")
    return probabilities, tokens


def _checked_choice(chosen, probabilities):
    """What came, as (time,) indices, checked."""
    chosen, (time, vocabulary) = np.asarray(chosen), probabilities.shape
    if chosen.shape != (time,) or chosen.dtype.kind not in "iu" or not ((chosen >= 0) & (chosen < vocabulary)).all():
        raise ValueError(
            f"`chosen` must be (time,) = ({time},) integers from 0 to {vocabulary - 1}; got {chosen.dtype} of shape "
            f"{chosen.shape}. Pass what came at each position, as an index."
        )
    return chosen


def _frame(ax, places):
    """Frame what came, at each (time, rank) where it is."""
    for time, rank in places:
        ax.add_patch(Rectangle((time - 0.5, rank - 0.5), 1, 1, **FRAME))


def _name_rows(ax, rows):
    """Name the rows at the left: the ranks from 1, and what came."""
    heights = sorted(rows)
    names = ["what came" if height < 0 else "likeliest" if height == 0 else f"{height + 1:.0f}." for height in heights]
    ax.set_yticks(heights, names, size=TEXT_SIZE)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set_ylim(max(heights) + 0.6, min(heights) - 0.6)


def _write_tokens(ax, rows, probabilities, tokens):
    """Write each token into its cell, as large as the cells allow but no smaller than can be read."""
    widest = max(text_width(tokens[token], TEXT_SIZE) for row in rows.values() for token in row)
    size = min(12, max(9, TEXT_SIZE * 0.9 * size_in_points(ax)[0] / len(probabilities) / widest))
    place = {"ha": "center", "va": "center_baseline", "family": FONT, "size": size, "parse_math": False}
    for height, row in rows.items():
        for time, token in enumerate(row):
            probability = probabilities[time, token]
            faint = probability < UNLIKELY and height >= 0
            color = UNLIKELY_COLOR if faint else text_on(PROBABILITY(probability))
            ax.text(time, height, tokens[token], color=color, **place)
