"""A picture of where attention looks: which words of one text were read for each word of another."""

import numpy as np
from matplotlib.patheffects import Normal, Stroke

from rnn_course.plots.page import settle, size_in_points
from rnn_course.plots.steps import as_numbers, label_steps, readable
from rnn_course.plots.style import MAGNITUDE, TEXT_SIZE, axes_or_new, label_axes

JOINER = "￭"
ROW_POINTS = 1.35 * TEXT_SIZE
TRUTH_STYLE = {"marker": "s", "markerfacecolor": "none", "linestyle": "none", "color": "white", "label": "true link"}


def plot_alignment(weights, *, source, target, truth=None, title=None, ax=None):
    """Draw the attention weights of one pair of texts as one image: a row for each word made, a column for each read.

    Colors run from 0 to 1 in every picture, so that two of them can be compared. True links are hollow squares.

    Args:
        weights: (target, source), from 0 to 1, such as one example of `AttentionWeights.weights`. Rows and columns
            beyond the words are padding and left out.
        source: (source,) words that were read; a joiner mark ￭ is not shown.
        target: (target,) words that were made, row by row.
        truth: (links, 2) int, pairs of a source and a target word, counted from 0; none when `None`.
        title: the finding.
        ax: where to draw; a new figure, higher for more than a dozen target words, when `None`.

    Returns:
        The Axes; its image has the shape (target, source), the line "true link" one point for each link.

    Raises:
        ValueError: there are no words, more words than weights, weight on what has no word, weights that are not from
            0 to 1, or a link beyond the words.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_alignment([[0.9, 0.1]], source=["buenos", "días"], target=["morning"], ax=Figure().subplots())
    >>> ax.images[0].get_array().tolist()
    [[0.9, 0.1]]
    """
    source, target = ([shown_word(word) for word in words] for words in (source, target))
    weights = _checked_weights(weights, len(target), len(source))
    links = _checked_links(truth, len(target), len(source))
    ax = axes_or_new(ax, height=max(3.0, 1.5 + len(target) * ROW_POINTS / 72))
    image = ax.imshow(weights, aspect="auto", interpolation="nearest", cmap=MAGNITUDE, vmin=0, vmax=1)
    ax.figure.colorbar(image, ax=ax, label="attention weight", pad=0.02, aspect=18, ticks=[0, 0.25, 0.5, 0.75, 1])
    label_axes(ax, x="word that was read", y="word that was made", title=title)
    _label_rows(ax, target)
    label_steps(ax, np.ones(len(source), bool), tokens=source)
    ax.set_xlabel("word that was read" + ("" if links is None else "\n□ true link"))
    if links is not None:
        _draw_links(ax, links)
    return ax


def shown_word(token):
    """A token as it is shown: without the mark ￭ that says where it was joined to its neighbor.

    Args:
        token: a word or a sign.

    Returns:
        A str.

    >>> shown_word("￭?"), shown_word("￭")
    ('?', '￭')
    """
    return readable(str(token).replace(JOINER, "") or token)


def _checked_weights(weights, rows, columns):
    """The weights that have words, (rows, columns), checked."""
    weights = as_numbers(weights, "weights")
    if weights.ndim != 2 or not rows or not columns or weights.shape[0] < rows or weights.shape[1] < columns:
        raise ValueError(
            f"`weights` has shape {weights.shape} and there are {rows} target and {columns} source words; expected "
            "(target, source), at least as large, and a word each at least. Pick one example, such as weights[0]."
        )
    weights = weights[:rows]
    if not ((weights >= 0) & (weights <= 1 + 1e-3)).all():
        raise ValueError(f"`weights` must be from 0 to 1; got {weights.min()} to {weights.max()}.")
    if weights[:, columns:].any():
        raise ValueError(
            f"There is weight on source step {columns + int(weights[:, columns:].any(0).argmax())}, and there are only "
            f"{columns} source words. Pass a word for each step that is not padding."
        )
    return weights[:, :columns]


def _checked_links(truth, rows, columns):
    """The true links, (links, 2) int, checked; None stays None."""
    if truth is None:
        return None
    links = as_numbers(truth, "truth").reshape(-1, 2) if np.size(truth) == 0 else as_numbers(truth, "truth")
    inside = links.ndim == 2 and links.shape[1] == 2 and ((links >= 0) & (links < [columns, rows])).all()
    if not inside:
        raise ValueError(
            f"`truth` must be (links, 2): pairs of a source word below {columns} and a target word below {rows}; got "
            f"{np.asarray(truth).tolist()}."
        )
    return links.astype(int)


def _label_rows(ax, words):
    """Write the target words down the side, as many as there is room for."""
    settle(ax)
    every = max(1, int(np.ceil(1.15 * TEXT_SIZE * len(words) / size_in_points(ax)[1])))
    for label in ax.set_yticks(range(0, len(words), every), words[::every], size=TEXT_SIZE):
        label.label1.set_parse_math(False)
    settle(ax)  # the words take room from the columns


def _draw_links(ax, links):
    """Draw a hollow square on every link, white with a black rim, so that it is seen on every color."""
    settle(ax)
    rows, columns = ax.images[0].get_array().shape
    size = float(np.clip(0.75 * (size_in_points(ax) / (columns, rows)).min(), 4, 16))
    edge = float(np.clip(size / 8, 0.7, 1.6))
    rim = [Stroke(linewidth=2.2 * edge, foreground="black"), Normal()]
    ax.plot(*links.T, markersize=size, markeredgewidth=edge, path_effects=rim, **TRUTH_STYLE)
