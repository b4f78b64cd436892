"""Pictures of video: a strip of frames or of poses, and under it, frame under frame, what the network knew and did."""

import numpy as np
from matplotlib import colormaps
from matplotlib.collections import LineCollection

from rnn_course.plots.page import size_in_points, text_width
from rnn_course.plots.states import plot_states, symmetric_limit
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import (
    COLOR_STEPS,
    DIVERGING,
    MAGNITUDE,
    SERIES_COLORS,
    TEXT_SIZE,
    axes_or_new,
    color_of,
    figure_grid,
    label_axes,
    label_lines,
)

MOST = 16  # frames side by side, that they can still be seen
GAP = 0.03  # share of a cell's width that stays white at each side
STRIP_WIDTH = 6.0  # inches, the most that a strip has of a picture 7 inches wide
PANEL_HEIGHT = 1.25
TALLEST = 2.5  # the height of a cell of a pose, in widths
OTHERS = "#B5B5B5"
GREY = colormaps["gray"].resampled(COLOR_STEPS)
ORDINALS = {1: "", 2: ", every second is shown", 3: ", every third is shown"}


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
        The Axes, whose horizontal axis counts frames from 0; it holds one image, or two with saliency.

    Raises:
        ValueError: a shape or value that does not fit.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_frames(np.zeros((40, 8, 8)), ax=Figure().subplots())
    >>> ax.get_xlabel(), ax.get_xticks().tolist()[:4]
    ('frame, every third is shown', [1, 4, 7, 10])
    """
    colors = _checked_frames(frames)
    time, height, width = colors.shape[:3]
    counted = None if saliency is None else _checked_saliency(saliency, colors.shape[:3])
    every = _checked_every(every, time)
    rows = 1 if counted is None else 2
    cell = every * (1 - 2 * GAP) * height / width
    ax = _strip_axes(ax, time, every, rows * cell + (rows - 1) * 2 * GAP * every, title)
    _draw_strip(ax, colors, every, 0, cell, cmap=GREY, vmin=0, vmax=1)
    if counted is not None:
        image = _draw_strip(ax, counted, every, cell + 2 * GAP * every, cell, **_scale(counted, limit))
        _add_scale(ax, image, cell / max(ax.get_ylim()))
        ax.set_yticks([cell / 2, 1.5 * cell + 2 * GAP * every], ["frame", quantity])
    return ax


def plot_poses(
    points, bones, *, saliency=None, quantity="saliency", limit=None, downward=True, every=None, title=None, ax=None
):
    """Draw a moving body as a strip of stick figures from left to right.

    All figures have one scale. Each is in the middle of its cell, and as high above the ground as it was.

    Args:
        points: `(time, joints, 2)` places, NaN for joints that were not seen.
        bones: `(bones, 2)` int, the two joints that each one connects.
        saliency: `(time, joints)` numbers, such as one example of `input_attribution(…).values`; a dot in its color on
            each joint, on a scale centered at zero, or from zero up where none is negative. None: no dots.
        quantity: what the saliency is.
        limit: the value at the end of its scale; the largest size in the clip when `None`.
        downward: the second coordinate grows from top to bottom, as it does in pictures.
        every: each how-manieth pose is shown; as many as can be seen, at most 16, when `None`.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes, whose horizontal axis counts frames from 0; its first collection holds a line for each bone of each
        pose that is shown, the second, with saliency, the dots.

    Raises:
        ValueError: a shape that does not fit, a bone without a joint, or no joint that was seen.
    """
    points, bones = _checked_poses(points, bones)
    counted = None if saliency is None else _checked_saliency(saliency, points.shape[:2])
    every = _checked_every(every, len(points))
    placed, cell = _placed(points, every, downward)
    ax = _strip_axes(ax, len(points), every, cell, title)
    bare = placed[:, bones].reshape(-1, 2, 2)
    thick = float(np.clip(2.4 * 12 / len(placed), 1.2, 2.4))
    style = {
        "color": SERIES_COLORS[0] if counted is None else "#8C8C8C",
        "linewidth": thick,
        "capstyle": "round",
        "clip_on": False,
    }
    ax.add_collection(LineCollection(bare[np.isfinite(bare).all(axis=(1, 2))], **style), autolim=False)
    if counted is not None:
        shown = counted[_shown(len(points), every)]
        dots = {"s": (2.2 * thick) ** 2, "linewidths": 0.5, "edgecolors": "black", "zorder": 3, "clip_on": False}
        image = ax.scatter(*placed.reshape(-1, 2).T, c=shown.ravel(), **_scale(counted, limit), **dots)
        _add_scale(ax, image, label=quantity)
    return ax


def plot_recognition(probabilities, *, labels=None, truth=None, title=None, ax=None):
    """Draw how probable each class was after each frame: when did the network know?

    Named are the classes that were ahead after some frame, five at most, and the true one; the others are grey.

    Args:
        probabilities: `(time, classes)` from 0 to 1.
        labels: names of the classes; "class 0", … when `None`.
        truth: an int, the true class: its line is thicker.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; it holds a line of `time` probabilities for each class, labelled by its name.

    Raises:
        ValueError: numbers that are no probabilities, or labels or a truth that do not fit.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_recognition([[0.5, 0.5], [0.9, 0.1]], labels=["left", "right"], ax=Figure().subplots())
    >>> [(line.get_label(), line.get_ydata().tolist()) for line in ax.lines]
    [('left', [0.5, 0.9]), ('right', [0.5, 0.1])]
    """
    chances = _checked_chances(probabilities)
    time, classes = chances.shape
    names = [f"class {index}" for index in range(classes)] if labels is None else [str(label) for label in labels]
    if len(names) != classes or (truth is not None and not 0 <= truth < classes):
        raise ValueError(
            f"There are {classes} classes, {len(names)} labels, and the truth is {truth}; pass a label for each class "
            f"and an index from 0 to {classes - 1}."
        )
    named = _named(chances, truth)
    ax = axes_or_new(ax)
    ax.set(xlim=(-0.5, time - 0.5), ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
    ax.xaxis.get_major_locator().set_params(integer=True, nbins=8)
    label_axes(ax, x="frame", y="probability", title=title)
    ends = []
    for index in range(classes):
        style = {"color": OTHERS, "linewidth": 1, "zorder": 1}
        if index in named:
            color = color_of("", named.index(index))
            style = {"color": color, "linewidth": 2.6 if index == truth else 1.6, "marker": ".", "zorder": 2}
            ends.append((chances[-1, index], names[index] + (" (true)" if index == truth else ""), color))
        ax.plot(chances[:, index], label=names[index], **style)
    label_lines(ax, ends)
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
    panels = _panels(shape[0], probabilities, label_names, truth, activity, unit_labels)
    return _stack(draw, height * _checked_every(every, shape[0]) / shape[0], panels, title, axes)


def plot_pose_strip(
    points,
    bones,
    *,
    probabilities=None,
    label_names=None,
    truth=None,
    activity=None,
    unit_labels=None,
    saliency=None,
    downward=True,
    every=None,
    title=None,
    axes=None,
):
    """Draw a strip of stick figures and under it, frame under frame, what the network knew and what its units did.

    Args:
        points: `(time, joints, 2)` places, as in `plot_poses`.
        bones: `(bones, 2)` int, the two joints that each one connects.
        probabilities: `(time, classes)` from 0 to 1 of a network that answers after every frame; or `None`.
        label_names: names of the classes.
        truth: an int, the true class.
        activity: `(time, units)` numbers, such as the hidden state; or `None`.
        unit_labels: names of the units.
        saliency: `(time, joints)` numbers, a dot on each joint; or `None`.
        downward: the second coordinate grows from top to bottom, as it does in pictures.
        every: each how-manieth pose is shown; as many as can be seen, at most 16, when `None`.
        title: the finding.
        axes: one Axes for the strip and one for each of `probabilities` and `activity` that is given, such as those of
            `figure_grid`; a new figure when `None`.

    Returns:
        The Axes from top to bottom, shape (1,), (2,) or (3,).

    Raises:
        ValueError: something that does not have a row for each frame, too many or too few `axes`, or as in
            `plot_poses`, `plot_recognition` and `plot_states`.
    """

    def draw(title, ax):
        options = {"saliency": saliency, "downward": downward, "every": every}
        return plot_poses(points, bones, title=title, ax=ax, **options)

    checked, _ = _checked_poses(points, bones)
    _, cell = _placed(checked, _checked_every(every, len(checked)), downward)
    panels = _panels(len(checked), probabilities, label_names, truth, activity, unit_labels)
    return _stack(draw, cell / len(checked), panels, title, axes)


# ------------------------------------------------------------------------------------------------- strips


def _strip_axes(ax, time, every, height, title):
    """An Axes whose axis counts frames and whose vertical one, in the same unit, goes from 0 down to `height`."""
    ax = axes_or_new(ax, height=1.0 + STRIP_WIDTH * height / time)
    ax.set(xlim=(-0.5, time - 0.5), ylim=(height, 0), yticks=[])
    ax.set_aspect("equal", adjustable="box")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    label_axes(ax, x=f"frame{ORDINALS.get(every, f', every {every}th is shown')}", title=title)
    shown = _shown(time, every)
    room = size_in_points(ax)[0] / time * every
    apart = int(np.ceil((text_width(str(shown[-1]), TEXT_SIZE) + 4) / room))
    ax.set_xticks(shown[::apart])
    return ax


def _shown(time, every):
    """The frames that are shown: the middle one of each whole run of `every`."""
    return np.arange(time // every) * every + (every - 1) // 2


def _draw_strip(ax, pictures, every, top, cell, **scale):
    """Draw the frames that are shown, (time, height, width, …), as one image from `top` down to `top + cell`."""
    shown = pictures[_shown(len(pictures), every)]
    count, height, width = shown.shape[:3]
    gap = max(1, round(GAP * width / (1 - 2 * GAP)))
    strip = np.ma.array(np.zeros((height, count, width + 2 * gap, *shown.shape[3:])), mask=True)
    strip[:, :, gap:-gap] = np.moveaxis(np.ma.masked_invalid(shown), 0, 1)
    strip = strip.reshape(height, -1, *shown.shape[3:])
    if shown.ndim == 4:
        strip = strip.filled(1.0)  # white between the frames
    place = (-0.5, count * every - 0.5, top + cell, top)
    return ax.imshow(strip, extent=place, aspect=ax.get_aspect(), interpolation="nearest", **scale)


def _scale(values, limit):
    """Colors and limits of signed numbers, or of numbers from zero up, `(…)`."""
    limit = symmetric_limit(values, limit)
    if np.nanmin(values) < 0:
        return {"cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    return {"cmap": MAGNITUDE, "vmin": 0, "vmax": limit}


def _add_scale(ax, image, share=1.0, *, label=None):
    """Put a color bar close to the right of an Axes, as high as the lower `share` of it."""
    ends = image.get_clim()
    bar = ax.figure.colorbar(image, cax=ax.inset_axes([1.012, 0, 0.014, share]), ticks=ends, label=label)
    bar.ax.set_yticklabels([f"{end:.2g}".replace("-", "−") for end in ends])
    bar.outline.set_visible(False)


def _placed(points, every, downward):
    """The poses that are shown, (poses, joints, 2), each in its cell of a strip, and the height of the cells."""
    high = points[..., 1] if downward else -points[..., 1]
    tall = max(np.nanmax(high) - np.nanmin(high), 1e-9)
    left, right = _ends(points[..., 0])
    wide = max(np.nanmax(right - left), 1e-9)
    room = every * (1 - 4 * GAP)
    scale = min(room / wide, TALLEST * room / tall)
    shown = _shown(len(points), every)
    cells = np.arange(len(shown)) * every + (every - 1) / 2
    across = (points[shown, :, 0] - ((left + right) / 2)[shown, None]) * scale + cells[:, None]
    margin = 2 * GAP * every
    return np.stack([across, (high[shown] - np.nanmin(high)) * scale + margin], axis=-1), tall * scale + 2 * margin


def _ends(values):
    """Smallest and largest of each row of (time, joints), NaN where a row has no number."""
    seen = np.isfinite(values)
    low, high = (np.where(seen, values, fill) for fill in (np.inf, -np.inf))
    none = ~seen.any(axis=1)
    return np.where(none, np.nan, low.min(axis=1)), np.where(none, np.nan, high.max(axis=1))


def _named(chances, truth):
    """Which classes get a name, best first: those ahead after some frame, five at most, and the true one."""
    ahead = np.unique(chances.argmax(axis=1))
    named = sorted(ahead.tolist(), key=lambda index: -chances[:, index].max())
    first = [] if truth is None else [int(truth)]
    return (first + [index for index in named if index not in first])[: len(SERIES_COLORS)]


# ------------------------------------------------------------------------------------------------- strip and panels


def _panels(time, probabilities, label_names, truth, activity, unit_labels):
    """What is drawn under a strip, as functions of an Axes."""
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
    _add_scale(ax, image, label="hidden state")
    units = len(image.get_array())
    if labels is not None:
        if len(labels) != units:
            raise ValueError(f"There are {len(labels)} labels for {units} units; pass one for each of them.")
        ax.set_yticks(range(units), [str(label) for label in labels])
        ax.set_ylabel("")
    ax.set_xlabel("frame")


def _stack(draw, height, panels, title, axes):
    """Draw a strip, `height` widths high, and panels one below the other."""
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


# ------------------------------------------------------------------------------------------------- what came


def _checked_frames(frames):
    """Frames from 0 to 1, grey (time, height, width) or colored (time, height, width, 3), checked."""
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


def _checked_saliency(saliency, shape):
    """The saliency as numbers of the shape wanted."""
    values = as_numbers(saliency, "saliency")
    if values.shape != shape:
        raise ValueError(
            f"`saliency` has shape {values.shape}; expected {shape}, a number for each place. Pick one example, "
            "such as values[0]."
        )
    return values


def _checked_every(every, time):
    """Each how-manieth frame is shown."""
    if every is None:
        return -(-time // MOST)
    if not 1 <= every <= time or every != int(every):
        raise ValueError(f"`every` is {every}; pass a whole number from 1 to the {time} frames.")
    return int(every)


def _checked_poses(points, bones):
    """Points (time, joints, 2) and bones (bones, 2) int, checked."""
    points, bones = as_numbers(points, "points"), np.asarray(bones)
    if points.ndim != 3 or points.shape[2] != 2 or 0 in points.shape or not np.isfinite(points).any():
        raise ValueError(
            f"`points` has shape {points.shape}; expected (time, joints, 2) with joints that were seen. Pick one clip, "
            "such as poses[0]; of three dimensions, two."
        )
    joints = points.shape[1]
    fits = bones.ndim == 2 and bones.shape[1] == 2 and bones.dtype.kind in "iu"
    if not fits or not ((bones >= 0) & (bones < joints)).all():
        raise ValueError(f"`bones` must be (bones, 2): pairs of joints from 0 to {joints - 1}; got {bones.tolist()}.")
    return points, bones


def _checked_chances(probabilities):
    """The probabilities (time, classes), checked."""
    chances = as_numbers(probabilities, "probabilities")
    if chances.ndim != 2 or 0 in chances.shape or not ((chances >= 0) & (chances <= 1 + 1e-6)).all():
        shown = f"from {chances.min():g} to {chances.max():g}" if chances.size else "empty"
        raise ValueError(
            f"`probabilities` must be (time, classes) from 0 to 1; got shape {chances.shape}, {shown}. Logits need a "
            "softmax first; of a batch, pick one example."
        )
    return chances
