"""A strip of frames and under it, frame under frame, what the network knew and did."""

import numpy as np
from matplotlib import colormaps
from matplotlib.patches import Rectangle

from rnn_course.plots.steps import as_numbers
from rnn_course.plots.strips import (
    GAP,
    add_scale,
    checked_every,
    checked_saliency,
    panels_under,
    scale_of,
    shown_frames,
    stack_panels,
    strip_axes,
)
from rnn_course.plots.style import COLOR_STEPS, NOT_FINITE_STYLE, show_not_finite

GRAY = colormaps["gray"].resampled(COLOR_STEPS)


def plot_frames(frames, *, saliency=None, quantity="saliency", limit=None, every=None, title=None, ax=None):
    """Draw a clip as a strip of frames from left to right, and under each what counted in it.

    Args:
        frames: `(time, height, width)` or `(time, height, width, channels)`, 1 or 3 channels, from 0 to 1, or to 255.
        saliency: `(time, height, width)` numbers, such as one example of `input_attribution(…).values`; a second strip
            on a scale centered at zero, or from zero up where none is negative. None: no second strip.
        quantity: what the saliency is.
        limit: the value at the end of its scale; the largest size in the clip when `None`.
        every: each how-manieth frame is shown; as many as can be seen, at most 16, when `None`.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes, whose horizontal axis counts frames from 0; it holds one image, or two with saliency. A saliency that
        is NaN or infinite is hatched, and the axis says so.

    Raises:
        ValueError: a shape or value that does not fit.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_frames(np.zeros((40, 8, 8)), ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_xticks().tolist()[:4]
    ('frame, every third is shown', [1, 4, 7, 10])
    """
    colors = _checked_frames(frames)
    time, height, width = colors.shape[:3]
    counted = None if saliency is None else checked_saliency(saliency, colors.shape[:3])
    every = checked_every(every, time)
    rows = 1 if counted is None else 2
    cell = every * (1 - 2 * GAP) * height / width
    ax = strip_axes(ax, time, every, rows * cell + (rows - 1) * 2 * GAP * every, title)
    _draw_strip(ax, colors, every, 0, cell, cmap=GRAY, vmin=0, vmax=1)
    if counted is not None:
        image = _draw_strip(ax, counted, every, cell + 2 * GAP * every, cell, **scale_of(counted, limit))
        add_scale(ax, image, cell / max(ax.get_ylim()))
        _hatch_not_finite(ax, counted, every, cell + 2 * GAP * every, cell)
        ax.set_yticks([cell / 2, 1.5 * cell + 2 * GAP * every], ["frame", quantity])
    return ax


def plot_frame_strip(
    frames,
    *,
    probabilities=None,
    label_names=None,
    truth=None,
    activity=None,
    unit_labels=None,
    saliency=None,
    every=None,
    title=None,
    axes=None,
):
    """Draw a strip of frames and under it, frame under frame, what the network knew and what its units did.

    Args:
        frames: `(time, height, width)` or `(time, height, width, channels)`, as in `plot_frames`.
        probabilities: `(time, classes)` from 0 to 1 of a network that answers after every frame; or `None`.
        label_names: names of the classes.
        truth: an int, the true class.
        activity: `(time, units)` numbers, such as the hidden state; or `None`.
        unit_labels: names of the units.
        saliency: `(time, height, width)` numbers, a second strip; or `None`.
        every: each how-manieth frame is shown; as many as can be seen, at most 16, when `None`.
        title: the finding.
        axes: one Axes for the strip and one for each of `probabilities` and `activity` that is given, such as those of
            `figure_grid`; a new figure when `None`.

    Returns:
        The Axes from top to bottom, shape (1,), (2,) or (3,).

    Raises:
        ValueError: something that does not have a row for each frame, too many or too few `axes`, or as in
            `plot_frames`, `plot_recognition` and `plot_states`.
    """

    def draw(title, ax):
        return plot_frames(frames, saliency=saliency, every=every, title=title, ax=ax)

    shape = _checked_frames(frames).shape
    height = shape[1] / shape[2] * (1 if saliency is None else 2.1)
    panels = panels_under(shape[0], probabilities, label_names, truth, activity, unit_labels)
    return stack_panels(draw, height * checked_every(every, shape[0]) / shape[0], panels, title, axes)


def _draw_strip(ax, pictures, every, top, cell, **scale):
    """Draw the frames that are shown, (time, height, width, …), as one image from `top` down to `top + cell`."""
    shown = pictures[shown_frames(len(pictures), every)]
    count, height, width = shown.shape[:3]
    gap = _gap(width)
    strip = np.ma.array(np.zeros((height, count, width + 2 * gap, *shown.shape[3:])), mask=True)
    strip[:, :, gap:-gap] = np.moveaxis(np.ma.masked_invalid(shown), 0, 1)
    strip = strip.reshape(height, -1, *shown.shape[3:])
    if shown.ndim == 4:
        strip = strip.filled(1.0)  # white between the frames
    place = (-0.5, count * every - 0.5, top + cell, top)
    return ax.imshow(strip, extent=place, aspect=ax.get_aspect(), interpolation="nearest", **scale)


def _gap(width):
    """Pixels that stay white at each side of a frame of so many."""
    return max(1, round(GAP * width / (1 - 2 * GAP)))


def _hatch_not_finite(ax, values, every, top, cell):
    """Hatch what lies behind a shown frame of (time, height, width) that holds a NaN or infinity, and say so."""
    shown = values[shown_frames(len(values), every)]
    wide = every * shown.shape[2] / (shown.shape[2] + 2 * _gap(shown.shape[2]))
    broken = np.flatnonzero(~np.isfinite(shown).all(axis=(1, 2)))
    for index in broken:
        left = (index + 0.5) * every - 0.5 - wide / 2
        ax.add_patch(Rectangle((left, top), wide, cell, zorder=-1, **NOT_FINITE_STYLE))
    show_not_finite(ax, shown, sign="hatched in its frame")


def _checked_frames(frames):
    """Frames from 0 to 1, gray (time, height, width) or colored (time, height, width, 3), checked."""
    values = as_numbers(frames, "frames")
    values = values[..., 0] if values.shape[3:] == (1,) else values
    if 0 in values.shape or not (values.ndim == 3 or (values.ndim == 4 and values.shape[3] == 3)):
        raise ValueError(
            f"`frames` has shape {np.shape(frames)}; expected (time, height, width) or (time, height, width, channels) "
            "with 1 or 3 channels, and no empty axis. Pick one clip, such as clips[0]."
        )
    low, high = values.min(), values.max()
    if not 0 <= low <= high <= 255:
        raise ValueError(f"`frames` goes from {low:g} to {high:g}; expected pixels from 0 to 1, or to 255.")
    bytes_came = high > 1 or np.asarray(frames).dtype == np.uint8
    return values / (255 if bytes_came else 1)
