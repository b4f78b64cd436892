"""Where things lie on the page, in points (1/72 inch): sizes, places that are still free, and labels moved apart."""

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path


def settle(ax):
    """Lay the figure out as it stands, so that distances on the page are known before anything is drawn.

    Args:
        ax: an Axes of the figure.
    """
    ax.figure.canvas.figure.draw_without_rendering()


def size_in_points(ax):
    """Width and height of an Axes in points (1/72 inch).

    Args:
        ax: the Axes.

    Returns:
        A NumPy array (width, height), shape (2,).
    """
    box = ax.get_window_extent()
    return np.array([box.width, box.height]) * 72 / ax.figure.dpi


def points_of(ax, x, y):
    """Where data coordinates lie on the page, in points (1/72 inch) from the figure's lower left corner.

    Args:
        ax: the Axes.
        x: a number or (points,) numbers.
        y: the same shape as `x`.

    Returns:
        float array, (2,) or (points, 2).
    """
    ax.get_xlim(), ax.get_ylim()  # asking for them brings pending limits up to date
    return ax.transData.transform(np.stack([x, y], axis=-1)) * 72 / ax.figure.dpi


def text_width(text, size, *, weight="normal"):
    """Width of a text in points (1/72 inch) in the font that is set, without drawing it.

    Args:
        text: characters on one line.
        size: float, the font size in points.
        weight: font weight, such as "bold".

    Returns:
        A float.
    """
    font = FontProperties(size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def wrapped(text, width, size):
    """Break a text into lines no wider than a number of points (1/72 inch), a longer word alone on its line.

    Args:
        text: words with white space between them.
        width: float, the points there are.
        size: float, the font size in points.

    Returns:
        A str with line breaks.
    """
    lines = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def spread(positions, gap, *, highest=np.inf):
    """Move numbers apart to at least `gap`, keeping their order and moving them as little as possible.

    This is the least-squares answer (isotonic regression by pooling neighbors).

    Args:
        positions: (labels,) numbers in any order.
        gap: the smallest distance wanted between neighbors.
        highest: no number is moved or left above this one.

    Returns:
        (labels,) float, in the order of `positions`.

    >>> spread([0.0, 1.0, 10.0], gap=3.0).tolist()
    [-1.0, 2.0, 10.0]
    """
    positions = np.asarray(positions, dtype=float)
    order = np.argsort(positions, kind="stable")
    ladder = gap * np.arange(len(order))
    pools = []
    for value in positions[order] - ladder:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    ideal = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools]) + ladder
    moved = np.empty_like(positions)
    moved[order] = np.minimum(ideal, highest - ladder[::-1])
    return moved


def walls(ax):
    """Boxes around an Axes, so that nothing is placed outside it.

    Args:
        ax: the Axes.

    Returns:
        A list of boxes in points, each (4,): left, bottom, right, top.
    """
    left, bottom, right, top = ax.get_window_extent().extents * 72 / ax.figure.dpi
    far = 1e5
    sides = [(-far, -far, left, far), (right, -far, far, far), (-far, -far, far, bottom), (-far, top, far, far)]
    return [np.array(side) for side in sides]


def boxes_along(path, *, size=5.0, distance=6.0):
    """Small boxes along a path, so that nothing is placed on it.

    Args:
        path: (time, 2) places on the page, in points.
        size: width and height of a box.
        distance: how far apart two boxes are at most.

    Returns:
        A list of boxes in points, each (4,): left, bottom, right, top.
    """
    counts = np.hypot(*np.diff(path, axis=0).T) // distance + 2
    pieces = [np.linspace(a, b, int(count)) for a, b, count in zip(path[:-1], path[1:], counts, strict=True)]
    return [box_around(place, np.array([size, size])) for place in np.concatenate([path[:1], *pieces])]


def box_around(place, size):
    """A box with its center at a place.

    Args:
        place: (2,) in points.
        size: (2,) width and height in points.

    Returns:
        float array (4,): left, bottom, right, top.
    """
    return np.concatenate([place - size / 2, place + size / 2])


def free_place(place, size, taken):
    """Find where around a place a box covers least of what is taken already.

    Args:
        place: (2,) in points.
        size: (2,) width and height of the box in points.
        taken: a list of boxes in points, each (4,): left, bottom, right, top.

    Returns:
        The offset of the box's center from the place, (2,) in points, and the area that it covers there, a float.

    >>> offset, covered = free_place(np.zeros(2), np.array([20.0, 10.0]), taken=[np.array([-9, 1, 9, 99])])
    >>> offset.round().tolist(), float(covered)
    ([-0.0, -10.0], 0.0)
    """
    angles = np.deg2rad([90, 270, 0, 180, 45, 135, 315, 225])
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    offsets = np.concatenate([around * (size / 2 + distance) for distance in (5, 11, 18)])
    covered = [_overlap(box_around(place + offset, size), np.array(taken)) for offset in offsets]
    return offsets[np.argmin(covered)], min(covered)


def _overlap(box, boxes):
    """The area that a box (4,) shares with others (boxes, 4)."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    return np.prod(np.maximum(sides, 0), axis=1).sum()
