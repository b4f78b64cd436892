"""Pictures of training: learning curves, and the held-out result beside what it must beat."""

from collections.abc import Mapping

import numpy as np

from rnn_course.plots.rows import (
    checked_scores,
    draw_references,
    reference_lines,
    rows_axes,
    spread_note,
    write_values,
)
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import (
    BAND_ALPHA,
    TEXT_SIZE,
    axes_or_new,
    band_note,
    color_of,
    ink,
    label_axes,
    label_lines,
    last_finite,
    show_not_finite,
)

LOW_IS_GOOD = ("loss", "error", "mse", "mae", "perplexity", "nll", "crossentropy")
HIGH_IS_GOOD = ("acc", "auc", "f1", "precision", "recall", "bleu")
LINE_STYLES = {"training": "--", "validation": "-"}


def plot_history(histories, *, metric="loss", best="auto", quantity=None, title=None, ax=None):
    """Draw learning curves: training dashed, validation solid, the best validation epoch marked.

    Several seeds of one model are drawn as their mean with a band from the lowest to the highest; seeds that stopped
    after different numbers of epochs as one thin line each, since a mean over fewer and fewer seeds would mislead.

    Args:
        histories: what `fit` left in `History.history` (metric -> (epochs,) numbers); or a list of them, one for
            each seed; or label -> one of these two, for several models.
        metric: its name; `"val_" + metric` is drawn too where it is there.
        best: "lowest", "highest", "auto" (by the metric's name), or `None` for no mark.
        quantity: the label of the vertical axis, with the unit; the metric's name when `None`.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the lines run over epochs counted from 1.

    Raises:
        ValueError: a history lacks the metric or holds no epoch, `best` is none of these words, or "auto" does not
            know the metric.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_history({"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 2.5, 2.7]}, ax=Figure().subplots())
    >>> [text.get_text() for text in ax.texts]
    ['epoch 2: 2.50', 'training', 'validation']
    """
    models = _models(histories, metric)
    pick = _picker(best, metric)
    ax = axes_or_new(ax)
    ends, colors = {}, {}
    for index, (label, parts) in enumerate(models.items()):
        colors[label] = color_of(label, index, taken=colors.values())
        for part, seeds in parts.items():
            ends[label, part] = _draw_seeds(ax, seeds, colors[label], part, label)
    ax.margins(x=0.03, y=0.16)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    for label, parts in models.items():
        _mark_best(ax, parts.get("validation", []), colors[label], pick, named=len(models) == 1)
    label_axes(ax, x=f"epoch\n{_note(models, pick)}".rstrip(), y=quantity or metric.replace("_", " "), title=title)
    measured = [seed for parts in models.values() for seeds in parts.values() for seed in seeds]
    show_not_finite(ax, np.concatenate(measured), sign="gap")
    label_lines(ax, _end_labels(models, ends, colors))
    return ax


def _models(histories, metric):
    """Bring every accepted form to label -> part -> list of (epochs,) arrays, one for each seed."""
    if isinstance(histories, Mapping) and any(map(_is_model, histories.values())):
        models = dict(histories)
    else:
        models = {"": histories}
    return {label: _parts(history, metric, f"histories[{label!r}]") for label, history in models.items()}


def _is_model(entry):
    """Whether an entry is a history, or a list of them, rather than the numbers of one metric."""
    return isinstance(entry, Mapping) or (
        isinstance(entry, list | tuple) and any(isinstance(e, Mapping) for e in entry)
    )


def _parts(seeds, metric, name):
    """The curves of one model: "training", and "validation" where it was measured."""
    seeds = [seeds] if isinstance(seeds, Mapping) else seeds
    if not isinstance(seeds, list | tuple) or not seeds or not all(isinstance(seed, Mapping) for seed in seeds):
        raise ValueError(f"`{name}` must be a dict of metric -> numbers, or a list of them: pass `History.history`.")
    parts = {"training": metric, "validation": f"val_{metric}"}
    kept = {part: key for part, key in parts.items() if all(key in seed for seed in seeds)}
    if not kept:
        raise ValueError(f"There is no {metric!r} in `{name}`; it has {', '.join(map(str, seeds[0]))}.")
    return {part: [_epochs(seed[key], f"{name}[{key!r}]") for seed in seeds] for part, key in kept.items()}


def _epochs(values, name):
    """One curve as (epochs,), checked."""
    curve = as_numbers(values, name)
    if curve.ndim != 1 or not curve.size:
        raise ValueError(f"`{name}` must be (epochs,) numbers, at least one; got shape {curve.shape}.")
    return curve


def _picker(best, metric):
    """The function that finds the best epoch, or `None`."""
    name = metric.lower()
    if best == "auto":
        low, high = (any(word in name for word in words) for words in (LOW_IS_GOOD, HIGH_IS_GOOD))
        if low == high:
            raise ValueError(f'Is a low {metric!r} good? Pass best="lowest", best="highest", or best=None.')
        best = "lowest" if low else "highest"
    pickers = {"lowest": np.nanargmin, "highest": np.nanargmax, None: None}
    if best not in pickers:
        raise ValueError(f'`best` must be "lowest", "highest", "auto" or None; got {best!r}.')
    return pickers[best]


def _one_length(seeds):
    """Whether all seeds ran for the same number of epochs."""
    return len({len(seed) for seed in seeds}) == 1


def _draw_seeds(ax, seeds, color, part, label):
    """Draw the seeds of one curve; returns the height of its right end."""
    style = {"color": color, "linestyle": LINE_STYLES[part], "label": f"{label} {part}".strip()}
    if not _one_length(seeds):
        for seed in seeds:
            ax.plot(np.arange(1, len(seed) + 1), seed, linewidth=1, **style)
        return last_finite(max(seeds, key=len))
    epochs, mean = np.arange(1, len(seeds[0]) + 1), np.mean(seeds, axis=0)
    if len(seeds) > 1:
        ax.fill_between(epochs, *np.percentile(seeds, (0, 100), axis=0), color=color, alpha=BAND_ALPHA, linewidth=0)
    known = np.concatenate([[False], np.isfinite(mean), [False]])
    alone = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:])  # a line of one point would not be seen
    ax.plot(epochs, mean, marker="o", markersize=4, markevery=alone.tolist(), **style)
    return last_finite(mean)


def _mark_best(ax, seeds, color, pick, *, named):
    """Mark the best epoch of a validation curve, and write it if `named`; of ragged seeds, each one's own."""
    if pick is None or not seeds:
        return
    curves = [np.mean(seeds, axis=0)] if _one_length(seeds) else seeds
    curves = [np.where(np.isfinite(curve), curve, np.nan) for curve in curves]
    for curve in [curve for curve in curves if not np.isnan(curve).all()]:
        epoch = pick(curve)
        ax.plot([epoch + 1], [curve[epoch]], "o", color=color, markersize=7, markeredgecolor="white", zorder=4)
        if named and len(curves) == 1:
            above = 1 if pick is np.nanargmax else -1
            place = {"xytext": (0, above * 12), "textcoords": "offset points", "ha": "center", "va": "center"}
            place["bbox"] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}
            text = f"epoch {epoch + 1}: {curve[epoch]:#.3g}"
            ax.annotate(text, xy=(epoch + 1, curve[epoch]), color=ink(color), size=TEXT_SIZE, zorder=5, **place)


def _end_labels(models, ends, colors):
    """The names at the right: of the two curves of one model, or of the several models."""
    if len(models) == 1:
        return [(height, part, colors[label]) for (label, part), height in ends.items()]
    lasts = {label: ends[label, list(parts)[-1]] for label, parts in models.items()}
    return [(height, label, colors[label]) for label, height in lasts.items()]


def _note(models, pick):
    """Say what dashes, bands, thin lines and dots mean."""
    band = band_note(len(curves) for parts in models.values() for curves in parts.values())
    ragged = not all(_one_length(curves) for parts in models.values() for curves in parts.values())
    notes = []
    if len(models) > 1 and any(len(parts) > 1 for parts in models.values()):
        notes.append("dashed: training, solid: validation")
    if ragged:
        notes.append("one line a seed")
    elif band:
        notes.append(band)
    if pick is not None and notes:
        notes.append("dot: best epoch")
    return "; ".join(notes)


def plot_scores(
    scores, *, baseline=None, published=None, quantity="test accuracy", value_format=".3f", title=None, ax=None
):
    """Draw held-out scores, one row for each model, beside the baseline and what others published.

    A large dot is the mean over seeds, small ones are the seeds. The axis need not start at zero, as dots have no
    length that could mislead.

    Args:
        scores: label -> a number, or (seeds,) numbers; a label that names a cell gets the cell's color.
        baseline: a number, or label -> number, drawn dashed and black.
        published: a number, or label -> number, drawn dotted.
        quantity: what the scores are, with their unit.
        value_format: how the numbers at the right are written.
        title: the finding.
        ax: where to draw; a new figure as high as the rows need when `None`.

    Returns:
        The Axes, the first row on top.

    Raises:
        ValueError: there are no scores, or one is not a finite number.
    """
    rows, references = checked_scores(scores), reference_lines(baseline, published)
    ax = rows_axes(ax, rows, references)
    for height, (label, values) in enumerate(rows.items()):
        color = color_of(label, 0)
        ax.plot(values, np.full(len(values), height), "o", color=color, markersize=4, alpha=0.6, zorder=2)
        ax.plot([values.mean()], [height], "o", color=color, markersize=10, zorder=3)
    ax.set_xmargin(0.08)
    _include(ax, [value for _, value, _ in references])
    write_values(ax, rows, value_format)
    draw_references(ax, references)
    label_axes(ax, x=quantity + spread_note(rows, "seed"), title=title)
    return ax


def _include(ax, values):
    """Widen the horizontal axis to hold further values, with a margin."""
    if values:
        low, high = min(*ax.get_xlim(), *values), max(*ax.get_xlim(), *values)
        ax.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
