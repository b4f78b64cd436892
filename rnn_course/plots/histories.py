"""Pictures of how far back the gradient reaches while a network learns."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import ListedColormap, LogNorm

from rnn_course.plots.decades import floor_below, name_the_floor
from rnn_course.plots.page import size_in_points, wrapped
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import MAGNITUDE, TEXT_SIZE, axes_or_new, color_of, label_axes, label_lines

ZERO_COLOR = "#C4C4C4"
SHOWN_DECADES = 10  # a gradient that much smaller than another adds nothing to it in single precision
LAG = "lag: steps before the last one"
NORM = "gradient norm ‖∂L/∂h‖"


def plot_gradient_history(
    norms, *, epochs=None, unit="epoch", limits=None, color_bar=True, quantity=NORM, title=None, ax=None
):
    """Draw the gradient at every lag, from the first record of a training to the last, as one image.

    The color is the median over the batch on a log scale. Sequences are laid one on another at their own last real
    step, which is lag 0. A median of exactly zero is gray, and where there is no finite number the picture is hatched.

    Args:
        norms: `(records, batch, time)` norms, NaN at the masked steps, such as `GradientFlowCallback.history["norm"]`;
            or `(records, time)` of one sequence or of a mean.
        epochs: `(records,)` growing numbers, when each record was made; 0, 1, 2, … when `None`.
        unit: str, what `epochs` counts.
        limits: the two ends of the color scale, to compare several Axes; when `None`, the largest median and the
            smallest above zero, but no more than ten decades.
        color_bar: whether to draw the scale beside the image.
        quantity: what the norms are, with their unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; `ax.collections[0]` is the image and holds the medians, `(lag, records)`.

    Raises:
        ValueError: a shape does not fit, a norm is negative, `epochs` do not grow, or `limits` are no two positive
            numbers in order.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_gradient_history([[0.25, 0.5, 1.0], [1.0, 1.0, 1.0]], ax=Figure().subplots())
    >>> ax.collections[0].get_array().tolist()
    [[1.0, 1.0], [0.5, 1.0], [0.25, 1.0]]
    """
    medians = medians_by_lag(norms, "norms")
    epochs = growing(epochs, len(medians))
    limits = log_limits([medians], limits)
    ax = axes_or_new(ax)
    image = _draw_image(ax, epochs, medians.T, limits)
    if color_bar:
        _draw_scale(ax, image, medians, limits, quantity)
    label_axes(ax, y=LAG, title=title)
    ax.set_xlabel(f"{unit}\n{wrapped(_note(norms, medians), size_in_points(ax)[0], TEXT_SIZE)}".rstrip())
    ax.locator_params(integer=True, min_n_ticks=1, nbins=6)
    return ax


def _draw_image(ax, epochs, medians, limits):
    """Draw medians (lag, records) as cells of the width that their epochs have; zeros gray, no number hatched."""
    edges = _edges(epochs), np.arange(len(medians) + 1) - 0.5
    image = ax.pcolormesh(*edges, np.ma.masked_where(~(medians > 0), medians), cmap=MAGNITUDE, norm=LogNorm(*limits))
    if (medians == 0).any():
        ax.pcolormesh(*edges, np.ma.masked_where(medians != 0, medians), cmap=ListedColormap([ZERO_COLOR]))
    if np.isnan(medians).any():
        ax.patch.set(facecolor="white", edgecolor="#B5B5B5", hatch="////", linewidth=0)
    return image


def _edges(epochs):
    """Where the cells of records begin and end, (records + 1,): half way between neighbors."""
    gaps = np.diff(epochs) if len(epochs) > 1 else np.ones(1)
    return np.concatenate([[epochs[0] - gaps[0] / 2], (epochs[1:] + epochs[:-1]) / 2, [epochs[-1] + gaps[-1] / 2]])


def _draw_scale(ax, image, medians, limits, quantity):
    """Draw the color scale, pointed where the picture holds numbers beyond its ends."""
    shown = medians[medians > 0]
    low, high = (shown < limits[0]).any(), (shown > limits[1]).any()
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[low, high]
    bar = ax.figure.colorbar(image, ax=ax, label=quantity, pad=0.02, aspect=18, extend=extend)
    _clear_minor_ticks(bar.ax, limits)


def _clear_minor_ticks(ax, limits):
    """Leave the powers of ten alone on a log scale between two limits, where there is one to be read."""
    low, high = np.log10(limits)
    if np.ceil(low) <= np.floor(high):
        ax.minorticks_off()


def _note(norms, medians):
    """Say over how many sequences the median is, and what gray and hatching mean where they occur."""
    notes = [f"median of n = {np.shape(norms)[1]} sequences"] if np.ndim(norms) == 3 else []
    notes += ["gray: exactly 0"] if (medians == 0).any() else []
    notes += ["hatched: not finite"] if np.isnan(medians).any() else []
    return "; ".join(notes)


def plot_gradient_stage(
    histories, *, record=-1, epochs=None, unit="epoch", limits=None, named=True, quantity=NORM, title=None, ax=None
):
    """Draw the gradient against the lag as it was at one record of a training, for several cells in one Axes.

    The axes are those of the whole training, so that pictures of several records can be compared. A line is the median
    over the batch, left out below the lower limit. A median of exactly zero is a cross on a gray line of its own, named
    "exactly 0", below the scale.

    Args:
        histories: label -> `(records, batch, time)` norms, NaN at the masked steps, such as
            `GradientFlowCallback.history["norm"]`, or `(records, time)`; as many records for each label.
        record: int, which one, counted from 0, or from the end if negative.
        epochs: `(records,)` growing numbers, when each record was made; 0, 1, 2, … when `None`.
        unit: str, what `epochs` counts.
        limits: the two ends of the vertical axis; when `None`, the largest median of all records and the smallest
            above zero, but no more than ten decades.
        named: whether to write the labels beside the lines; in one of several Axes is enough.
        quantity: what the norms are, with their unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line of each label holds its medians, `(lag,)`, NaN where there is no number or an exact zero.

    Raises:
        ValueError: as in `plot_gradient_history`, the labels differ in their number of records, or there is no such
            record.
    """
    medians = checked_histories(histories)
    epochs = growing(epochs, len(next(iter(medians.values()))))
    if not -len(epochs) <= record < len(epochs):
        raise ValueError(f"There is no record {record}: the histories hold {len(epochs)}, counted from 0.")
    limits = log_limits(medians.values(), limits)
    medians = on_scale(medians, limits)
    ax = axes_or_new(ax)
    prepare_stage(ax, medians, limits, quantity)
    label_axes(ax, title=title)
    show_stage(ax, medians, record, f"{unit} {epochs[record]:g}")
    if named:
        name_lines(ax, {label: curves[record, 0] for label, curves in medians.items()})
    return ax


def on_scale(medians, limits):
    """Leave out what is too small for a log scale; an exact zero stays.

    Args:
        medians: label -> `(records, lag)`.
        limits: the two ends of the scale, shape (2,).

    Returns:
        A dict of label -> `(records, lag)`, NaN where a median lies between zero and the lower end.
    """
    return {label: np.where((curves > 0) & (curves < limits[0]), np.nan, curves) for label, curves in medians.items()}


def prepare_stage(ax, medians, limits, quantity):
    """Draw what all records of a training share: axes, an empty line for each label, and its crosses if it has zeros.

    Args:
        ax: the Axes to draw in.
        medians: label -> `(records, lag)`.
        limits: the two ends of the scale, shape (2,); some room is added above, for the name of the record.
        quantity: str, what the medians are.
    """
    longest = max(curves.shape[1] for curves in medians.values())
    ax.set_yscale("log")
    ax.set(xlim=(longest - 0.5, -0.5), ylim=(limits[0], limits[1] * (limits[1] / limits[0]) ** 0.15))
    ax.set(xlabel=wrapped(LAG, size_in_points(ax)[0], TEXT_SIZE), ylabel=quantity)
    _clear_minor_ticks(ax, limits)
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=4)
    floor = floor_below([limits])
    if any((curves == 0).any() for curves in medians.values()):
        name_the_floor(ax, floor)
    for label, color in colors_of(medians).items():
        ax.plot([], [], color=color, label=label)
        if (medians[label] == 0).any():
            ax.plot(np.full(longest, floor), "x", color=color, markersize=5, label=f"{label}: exactly 0", markevery=[])
    place = {"transform": ax.transAxes, "ha": "left", "va": "top", "gid": "record"}
    ax.text(0.02, 0.97, "", size=TEXT_SIZE + 1, weight="bold", **place)


def show_stage(ax, medians, record, name):
    """Move the lines of a prepared Axes to one record.

    Args:
        ax: an Axes that `prepare_stage` has drawn in.
        medians: label -> `(records, lag)`.
        record: int.
        name: str, what is written in the picture, such as "epoch 3".
    """
    lines = {line.get_label(): line for line in ax.lines}
    for label, curves in medians.items():
        curve = curves[record]
        lines[label].set_data(np.arange(len(curve)), np.where(curve > 0, curve, np.nan))
        if f"{label}: exactly 0" in lines:
            lines[f"{label}: exactly 0"].set_markevery(np.flatnonzero(curve == 0).tolist())
    (text,) = [text for text in ax.texts if text.get_gid() == "record"]
    text.set_text(name)


def name_lines(ax, ends):
    """Write the name of each line beside the Axes.

    Args:
        ax: an Axes that `prepare_stage` has drawn in.
        ends: label -> a scalar, the height at which the line ends; NaN for a line that is not there.
    """
    low, high = ax.get_ylim()
    colors = colors_of(ends)
    label_lines(ax, [(np.clip(end, low, high), label, colors[label]) for label, end in ends.items()])


def colors_of(labels):
    """The color of each line of a picture; a cell's name gets the cell's color, once.

    Args:
        labels: a list of str, or a dict with such keys.

    Returns:
        A dict of label -> hexadecimal color.
    """
    colors = {}
    for index, label in enumerate(labels):
        colors[label] = color_of(label, index, taken=colors.values())
    return colors


def checked_histories(histories):
    """The medians of several histories that hold equally many records.

    Args:
        histories: label -> `(records, batch, time)` or `(records, time)`.

    Returns:
        A dict of label -> float array `(records, lag)`.

    Raises:
        ValueError: they are no such dict, or differ in their number of records.
    """
    if not isinstance(histories, Mapping) or not histories:
        raise ValueError(
            f'`histories` must be a dict such as {{"LSTM": watch.history["norm"]}}; got {type(histories).__name__}.'
        )
    medians = {label: medians_by_lag(norms, f"histories[{label!r}]") for label, norms in histories.items()}
    counts = {label: len(curves) for label, curves in medians.items()}
    if len(set(counts.values())) > 1:
        raise ValueError(f"All histories must hold equally many records; got {counts}. Cut the longer ones.")
    return medians


def medians_by_lag(norms, name):
    """The median over the batch at each lag behind each sequence's own last real step.

    Args:
        norms: `(records, batch, time)`, NaN at the masked steps, or `(records, time)`.
        name: str, what the caller calls them, for the message.

    Returns:
        float array `(records, lag)`, NaN where there is no finite number.

    Raises:
        ValueError: the shape fits neither form, a norm is negative, or no number is finite.
    """
    values = as_numbers(norms, name)
    values = values[:, None] if values.ndim == 2 else values
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(
            f"`{name}` has shape {np.shape(norms)}; expected (records, batch, time) such as "
            '`GradientFlowCallback.history["norm"]`, or (records, time), and no empty axis.'
        )
    if (values < 0).any():
        raise ValueError(f"`{name}` must hold norms, which are never negative; got {np.nanmin(values)}.")
    if not np.isfinite(values).any():
        raise ValueError(f"No number in `{name}` is finite, so there is nothing to draw.")
    return _medians(_aligned(values))


def _aligned(values):
    """Move (records, batch, time) to (records, lag, batch): lag 0 is the last step of an example in any record."""
    aligned = np.full_like(values, np.nan)
    for example in range(values.shape[1]):
        real = np.flatnonzero(~np.isnan(values[:, example]).all(axis=0))
        aligned[:, example, real[-1:] - real] = values[:, example, real]
    known = np.flatnonzero(~np.isnan(aligned).all(axis=(0, 1)))
    return aligned[:, :, : known[-1] + 1].transpose(0, 2, 1)


def _medians(values):
    """The median over the last axis of (records, lag, batch), NaN where there is none or it is infinite."""
    medians = np.full(values.shape[:2], np.nan)
    known = ~np.isnan(values).all(axis=2)
    medians[known] = np.nanmedian(values[known], axis=1)
    return np.where(np.isinf(medians), np.nan, medians)


def growing(epochs, records):
    """Read when the records were made.

    Args:
        epochs: `(records,)` growing numbers, or `None` for 0, 1, 2, ….
        records: int, how many there are.

    Returns:
        float array `(records,)`.

    Raises:
        ValueError: there are more or fewer, or they do not grow.
    """
    epochs = np.arange(records, dtype=float) if epochs is None else as_numbers(epochs, "epochs")
    if epochs.shape != (records,) or not (np.diff(epochs) > 0).all():
        raise ValueError(f"`epochs` must be {records} growing numbers, one for each record; got {epochs.tolist()}.")
    return epochs


def log_limits(medians, limits):
    """The ends of a log scale.

    Args:
        medians: a list of arrays, each `(records, lag)`.
        limits: a wish of the caller's, two positive numbers in order, shape (2,); or `None`.

    Returns:
        A tuple of floats, shape (2,): when `limits` is `None`, the smallest positive median, or what lies ten decades
        below the largest if that is more, and the largest.

    Raises:
        ValueError: the wish is something else.
    """
    if limits is not None:
        if np.shape(limits) != (2,) or not 0 < limits[0] < limits[1] < np.inf:
            raise ValueError(f"`limits` must be two positive numbers, the lower one first; got {limits!r}.")
        return float(limits[0]), float(limits[1])
    values = np.concatenate([curves.ravel() for curves in medians])
    positive = values[values > 0]
    if not positive.size:
        return 0.1, 1.0
    high = positive.max()
    low = max(positive.min(), high / 10.0**SHOWN_DECADES)
    return (float(low), float(high)) if low < high else (float(high) / 10, float(high))
