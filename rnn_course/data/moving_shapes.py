"""Drawn shapes, each a little different: what moves in the clips that the course makes without any file."""

import random

import numpy as np

# A picture's side and a shape's radius in pixels; each pixel is the mean of 3 x 3 points.
SIDE, RADIUS, FINE = 28, 10, 3
JITTER, STRETCH = 0.08, (0.85, 1.15)  # how far a corner moves, and how much wider or higher a shape is

# Corners of the outlines, a unit from the center at most in each direction: to the right, and down.
STAR = [
    (0.0, -1.0), (0.26, -0.36), (0.95, -0.31), (0.43, 0.14), (0.59, 0.81),
    (0.0, 0.45), (-0.59, 0.81), (-0.43, 0.14), (-0.95, -0.31), (-0.26, -0.36),
]  # fmt: skip
CROSS = [
    (-0.3, -1.0), (0.3, -1.0), (0.3, -0.3), (1.0, -0.3), (1.0, 0.3), (0.3, 0.3),
    (0.3, 1.0), (-0.3, 1.0), (-0.3, 0.3), (-1.0, 0.3), (-1.0, -0.3), (-0.3, -0.3),
]  # fmt: skip
ARROW = [(0.0, -1.0), (0.8, -0.1), (0.3, -0.1), (0.3, 1.0), (-0.3, 1.0), (-0.3, -0.1), (-0.8, -0.1)]
OUTLINES = {
    "triangle": [(0.0, -1.0), (0.9, 0.7), (-0.9, 0.7)],
    "square": [(-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75)],
    "cross": CROSS,
    "arrow": ARROW,
    "star": STAR,
    "hook": [(-0.6, -1.0), (-0.1, -1.0), (-0.1, 0.5), (0.7, 0.5), (0.7, 1.0), (-0.6, 1.0)],
}
SHAPES = tuple(OUTLINES)


def draw_shapes(count: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw triangles, squares, crosses, arrows, stars and hooks whose corners are not quite where they belong.

    Args:
        count: how many.
        seed: of kinds and corners; the same seed gives the same pictures with every version of Python and NumPy, and
            fewer pictures are the beginning of more.

    Returns:
        The pictures, `(count, 28, 28)` uint8, bright on black, and their kinds, `(count,)` int64, indices into
        `SHAPES`.

    Raises:
        ValueError: where `count` is less than 1.

    Example:
        >>> pictures, kinds = draw_shapes(4, seed=0)
        >>> pictures.shape, [SHAPES[kind] for kind in kinds]
        ((4, 28, 28), ['hook', 'square', 'cross', 'square'])
    """
    if count < 1:
        raise ValueError(f"Cannot draw {count} shapes; pass a `count` of at least 1.")
    rng = random.Random(seed)
    pictures, kinds = np.empty((count, SIDE, SIDE), np.uint8), np.empty(count, np.int64)
    for place in range(count):
        kinds[place] = int(rng.random() * len(SHAPES))
        pictures[place] = _fill(_bend(rng, OUTLINES[SHAPES[kinds[place]]]))
    return pictures, kinds


def _bend(rng: random.Random, outline: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretch an outline and move its corners a little; in pixels from the center."""
    widths = [STRETCH[0] + rng.random() * (STRETCH[1] - STRETCH[0]) for _ in range(2)]
    return [
        tuple(RADIUS * (at * width + JITTER * (2 * rng.random() - 1)) for at, width in zip(corner, widths, strict=True))
        for corner in outline
    ]


def _fill(corners: list[tuple[float, float]]) -> np.ndarray:
    """Draw a filled outline, `(28, 28)` uint8: inside, a ray to the right crosses an odd number of edges."""
    points = (np.arange(SIDE * FINE) + 0.5) / FINE - SIDE / 2
    across, down = points[None, :], points[:, None]
    inside = np.zeros((len(points), len(points)), bool)
    for (left, top), (right, bottom) in zip(corners, corners[1:] + corners[:1], strict=True):
        if top != bottom:
            inside ^= ((top > down) != (bottom > down)) & (
                across < left + (down - top) * (right - left) / (bottom - top)
            )
    share = inside.reshape(SIDE, FINE, SIDE, FINE).sum(axis=(1, 3))
    return ((share * 255 + FINE * FINE // 2) // (FINE * FINE)).astype(np.uint8)
