"""What strips of frames and of poses share: their axis, their scale, and the panels under them."""

import numpy as np

from rnn_course.plots.page import size_in_points, text_width
from rnn_course.plots.recognition import plot_recognition
from rnn_course.plots.states import plot_states, symmetric_limit
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import DIVERGING, MAGNITUDE, TEXT_SIZE, axes_or_new, figure_grid, label_axes

MOST = 16  # frames side by side, that they can still be seen
GAP = 0.03  # share of a cell's width that stays white at each side
STRIP_WIDTH = 6.0  # inches, the most that a strip has of a picture 7 inches wide
PANEL_HEIGHT = 1.25
ORDINALS = {1: "", 2: ", every second is shown", 3: ", every third is shown"}


def strip_axes(ax, time, every, height, title):
    """Prepare an Axes whose axis counts frames and whose vertical one, in the same unit, goes from 0 down to `height`.

    Args:
        ax: an Axes, or `None` for a new figure.
        time: an int, how many frames the clip has.
        every: an int, each how-manieth of them is shown.
        height: a number, how high the strip is, in widths of a frame.
        title: a str, the finding, or `None`.

    Returns:
        The Axes.
    """
    ax = axes_or_new(ax, height=1.0 + STRIP_WIDTH * height / time)
    ax.set(xlim=(-0.5, time - 0.5), ylim=(height, 0), yticks=[])
    ax.set_aspect("equal", adjustable="box")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    label_axes(ax, x=f"frame{ORDINALS.get(every, f', every {every}th is shown')}", title=title)
    shown = shown_frames(time, every)
    room = size_in_points(ax)[0] / time * every
    apart = int(np.ceil((text_width(str(shown[-1]), TEXT_SIZE) + 4) / room))
    ax.set_xticks(shown[::apart])
    return ax


def shown_frames(time, every):
    """Say which of `time` frames are shown, `(shown,)` int: the middle one of each whole run of `every`."""
    return np.arange(time // every) * every + (every - 1) // 2


def scale_of(values, limit):
    """Choose colors and limits for signed numbers, or for numbers from zero up, `(…)`, as options of an image."""
    limit = symmetric_limit(values, limit)
    if np.nanmin(values) < 0:
        return {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    return {"cmap": MAGNITUDE, "vmin": 0, "vmax": limit}


def add_scale(ax, image, share=1.0, *, label=None):
    """Put a color bar close to the right of an Axes, as high as the lower `share` (a scalar) of it."""
    ends = image.get_clim()
    bar = ax.figure.colorbar(image, cax=ax.inset_axes([1.012, 0, 0.014, share]), ticks=ends, label=label)
    bar.ax.set_yticklabels([f"{end:.2g}".replace("-", "−") for end in ends])
    bar.outline.set_visible(False)


def panels_under(time, probabilities, label_names, truth, activity, unit_labels):
    """Say what is drawn under a strip, as functions of an Axes.

    Args:
        time: an int, how many frames the clip has.
        probabilities: `(time, classes)`, or `None`.
        label_names: names of the classes, or `None`.
        truth: an int, the true class, or `None`.
        activity: `(time, units)`, or `None`.
        unit_labels: names of the units, or `None`.

    Returns:
        A list of functions; no array.

    Raises:
        ValueError: something that does not have a row for each frame.
    """
    panels = []
    for name, values in (("probabilities", probabilities), ("activity", activity)):
        if values is not None and len(values) != time:
            raise ValueError(
                f"The clip has {time} frames, `{name}` has {len(values)} rows; pass the same frames of both."
            )
    if probabilities is not None:
        panels.append(lambda ax: plot_recognition(probabilities, labels=label_names, truth=truth, ax=ax))
    if activity is not None:
        panels.append(lambda ax: _draw_activity(ax, activity, unit_labels))
    return panels


def _draw_activity(ax, activity, labels):
    """Draw (time, units) as `plot_states` does, on an axis that counts frames."""
    plot_states(activity, ax=ax)
    image = ax.images[0]
    image.colorbar.remove()  # it would stand outside the names of the classes
    add_scale(ax, image, label="hidden state")
    units = len(image.get_array())
    if labels is not None:
        if len(labels) != units:
            raise ValueError(f"There are {len(labels)} labels for {units} units; pass one for each of them.")
        ax.set_yticks(range(units), [str(label) for label in labels])
        ax.set_ylabel("")
    ax.set_xlabel("frame")


def stack_panels(draw, height, panels, title, axes):
    """Draw a strip and panels one below the other.

    Args:
        draw: a function of a title and an Axes.
        height: a number, how high the strip is, in widths of the whole strip.
        panels: functions of an Axes; no arrays.
        title: a str, the finding, or `None`.
        axes: one Axes for each, or `None` for a new figure.

    Returns:
        The Axes from top to bottom, `(1 + panels,)`.

    Raises:
        ValueError: another number of `axes`.
    """
    if axes is None:
        tall = [0.1 + 0.35 * (title is not None) + STRIP_WIDTH * height, *[PANEL_HEIGHT] * len(panels)]
        tall[-1] += 0.45  # the time axis
        axes = figure_grid(len(tall), 1, row_height=sum(tall) / len(tall))[1]
        axes[0, 0].get_gridspec().set_height_ratios(tall)
    axes = np.asarray(axes).ravel()
    if axes.size != 1 + len(panels):
        raise ValueError(f"`axes` holds {axes.size} Axes; pass {1 + len(panels)}, one for the strip and each panel.")
    draw(title, axes[0])
    for panel, ax in zip(panels, axes[1:], strict=True):
        panel(ax)
    for ax in axes[:-1]:
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    if panels:
        axes[0].tick_params(bottom=False)
        axes[0].spines["bottom"].set_visible(False)
    return axes


def checked_saliency(saliency, shape):
    """Return the saliency `(time, …)` as numbers, refused with a ValueError where its shape is not the one wanted."""
    values = as_numbers(saliency, "saliency")
    if values.shape != shape:
        raise ValueError(
            f"`saliency` has shape {values.shape}; expected {shape}, a number for each place. Pick one example, "
            "such as values[0]."
        )
    return values


def checked_every(every, time):
    """Return which how-manieth of `time` frames is shown, as an int; refuse what is no such number."""
    if every is None:
        return -(-time // MOST)
    if not 1 <= every <= time or every != int(every):
        raise ValueError(f"`every` is {every}; pass a whole number from 1 to the {time} frames.")
    return int(every)
