"""A strip of stick figures and under it, frame under frame, what the network knew and did."""

import numpy as np
from matplotlib.collections import LineCollection

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
from rnn_course.plots.style import SERIES_COLORS, show_not_finite

TALLEST = 2.5  # the height of a cell of a pose, in widths


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
        pose that is shown, the second, with saliency, the dots. A saliency that is NaN or infinite has none, and the
        axis says so.

    Raises:
        ValueError: a shape that does not fit, an infinite place, a bone without a joint, or no joint that was seen.
    """
    points, bones = _checked_poses(points, bones)
    counted = None if saliency is None else checked_saliency(saliency, points.shape[:2])
    every = checked_every(every, len(points))
    placed, cell = _placed(points, every, downward)
    ax = strip_axes(ax, len(points), every, cell, title)
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
        shown = counted[shown_frames(len(points), every)]
        dots = {"s": (2.2 * thick) ** 2, "linewidths": 0.5, "edgecolors": "black", "zorder": 3, "clip_on": False}
        image = ax.scatter(*placed.reshape(-1, 2).T, c=shown.ravel(), **scale_of(counted, limit), **dots)
        add_scale(ax, image, label=quantity)
        show_not_finite(ax, shown[np.isfinite(placed).all(axis=-1)], sign="no dot")
    return ax


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
    _, cell = _placed(checked, checked_every(every, len(checked)), downward)
    panels = panels_under(len(checked), probabilities, label_names, truth, activity, unit_labels)
    return stack_panels(draw, cell / len(checked), panels, title, axes)


def _placed(points, every, downward):
    """The poses that are shown, (poses, joints, 2), each in its cell of a strip, and the height of the cells."""
    high = points[..., 1] if downward else -points[..., 1]
    tall = max(np.nanmax(high) - np.nanmin(high), 1e-9)
    left, right = _ends(points[..., 0])
    wide = max(np.nanmax(right - left), 1e-9)
    room = every * (1 - 4 * GAP)
    scale = min(room / wide, TALLEST * room / tall)
    shown = shown_frames(len(points), every)
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


def _checked_poses(points, bones):
    """Points (time, joints, 2) and bones (bones, 2) int, checked."""
    points, bones = as_numbers(points, "points"), np.asarray(bones)
    if points.ndim != 3 or points.shape[2] != 2 or 0 in points.shape or not np.isfinite(points).any():
        raise ValueError(
            f"`points` has shape {points.shape}; expected (time, joints, 2) with joints that were seen. Pick one clip, "
            "such as poses[0]; of three dimensions, two."
        )
    if np.isinf(points).any():
        raise ValueError("`points` holds an infinite place; pass NaN for a joint that was not seen.")
    joints = points.shape[1]
    fits = bones.ndim == 2 and bones.shape[1] == 2 and bones.dtype.kind in "iu"
    if not fits or not ((bones >= 0) & (bones < joints)).all():
        raise ValueError(f"`bones` must be (bones, 2): pairs of joints from 0 to {joints - 1}; got {bones.tolist()}.")
    return points, bones
