"""Clips of small pictures that move, on frames of which none alone says how its picture moves.

    moves left, moves right, moves up, moves down   out at one edge of the frame and in again at the opposite one
    turns left, turns right                         all the way round
    grows, shrinks                                  and from the last size at once back to the first
    sways, bounces                                  to and fro, and up and down, again and again

A thing that only moved left would be at the right in the first frame and at the left in the last: its place would give
the motion away. So places, angles and sizes go round in circles, on which every clip begins anywhere. In every frame,
the first as the last, all of them are then equally likely, whatever the motion: only what changes between frames tells.
"""

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

COLUMN, ROW, ANGLE, SIZE = range(4)
# What each motion changes, and how: round the circle forward (1) or back (-1), or a curve to and fro.
COURSES = {
    "moves left": (COLUMN, -1), "moves right": (COLUMN, 1), "moves up": (ROW, -1), "moves down": (ROW, 1),
    "turns left": (ANGLE, 1), "turns right": (ANGLE, -1), "grows": (SIZE, 1), "shrinks": (SIZE, -1),
    "sways": (COLUMN, "sways"), "bounces": (ROW, "bounces"),
}  # fmt: skip
MOTIONS = tuple(COURSES)
PAIRS = tuple(f"{move} and {change}" for move in MOTIONS[:4] for change in ("grows", "shrinks"))
SPEEDS = {COLUMN: (0.03, 0.07), ROW: (0.03, 0.07), ANGLE: (0.02, 0.07), SIZE: (0.04, 0.1)}  # rounds a frame
PERIODS, REACH = (6, 10), (0.12, 0.25)  # of what goes to and fro: in frames, and in widths or heights of the frame
SMALLEST, LARGEST = 0.45, 0.9  # the picture's side, as a share of the frame's
NOISE = 0.1  # the most, as a share of the brightest pixel
SPREAD = math.sqrt((256**2 - 1) / 6)  # of the sum of two random bytes
AT_ONCE = 128  # frames that are drawn together


class ClipTruth(NamedTuple):
    """What is known about every clip that was made.

    Attributes:
        kinds: `(batch,)` int64, what moves: a digit, or an index into the names of the kinds.
        pictures: `(batch,)` int64, which of the pictures that were given it is.
        noise: `(batch,)` float64, the noise's standard deviation as a share of the brightest pixel.
        columns: `(batch, time)` float64, where the center is, in pixels from the left; from 0 to the frame's width.
        rows: `(batch, time)` float64, likewise from the top.
        angles: `(batch, time)` float64, in degrees counterclockwise, from 0 to 360.
        sizes: `(batch, time)` float64, the side of the picture as a share of the frame's, from 0.45 to 0.9.
    """

    kinds: np.ndarray
    pictures: np.ndarray
    noise: np.ndarray
    columns: np.ndarray
    rows: np.ndarray
    angles: np.ndarray
    sizes: np.ndarray


class Clips(NamedTuple):
    """Clips of frames with one class each and, where they were made, the truth about them.

    Attributes:
        frames: `(batch, time, height, width, channels)` uint8.
        labels: `(batch,)` int64, the class index of each.
        truth: the `ClipTruth`; `None` where no truth is known, as in all real video.
    """

    frames: np.ndarray
    labels: np.ndarray
    truth: ClipTruth | None = None

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of pixels."""
        count, time, height, width, _ = self.frames.shape
        known = "" if self.truth is None else ", truth known"
        return f"Clips({count:,} clips of {time} frames, {height} x {width} pixels{known})"

    def at(self, indices: Sequence[int]) -> "Clips":
        """Return the clips at some indices, with their labels and truth.

        Args:
            indices: `(count,)` positions, in the order wanted.
        """
        chosen = np.asarray(indices, int)
        truth = self.truth and ClipTruth(*(part[chosen] for part in self.truth))
        return Clips(self.frames[chosen], self.labels[chosen], truth)


class _Plan(NamedTuple):
    """What chance decided for one clip; the course has one number a frame for each of the four that can change."""

    label: int
    picture: int
    noise: float
    courses: list[list[float]]


def make_clips(
    pictures: np.ndarray,
    kinds: Sequence[int],
    count: int,
    *,
    seed: int,
    motions: Sequence[str] = MOTIONS,
    frames: int = 16,
    side: int = 32,
    noise: float = NOISE,
) -> Clips:
    """Let small pictures move in square frames; the motion is the class.

    Which picture moves, where, how fast, in what size and with how much noise is drawn for each clip and says nothing
    about the motion. Pictures stay upright where no motion turns them.

    Args:
        pictures: `(count, side, side)` uint8, bright on black, such as handwritten digits. A part that is farther from
            the center than half the frame is cut off.
        kinds: `(count,)` int, what each picture shows.
        count: how many clips.
        seed: of all that chance decides; the same seed gives the same clips with every version of Python and NumPy, and
            fewer clips are the beginning of more.
        motions: the classes: names of `MOTIONS`, or several that change different things, joined by " and ": "moves
            left and grows". `PAIRS` are the eight of these.
        frames: how many a clip has.
        side: the frames' height and width in pixels.
        noise: the most noise that a clip gets, a share of the brightest pixel.

    Returns:
        `Clips` with `truth` and one channel; a label is an index into `motions`.

    Raises:
        ValueError: where the pictures are of another form, a motion is unknown, or a number makes no sense.

    Example:
        >>> pictures = np.full((1, 28, 28), 255, np.uint8)
        >>> clips = make_clips(pictures, [0], 2, seed=1, frames=4)
        >>> clips
        Clips(2 clips of 4 frames, 32 x 32 pixels, truth known)
        >>> MOTIONS[clips.labels[0]], clips.truth.columns[0].round(1).tolist()
        ('moves right', [8.2, 10.1, 12.1, 14.1])
    """
    pictures, kinds = np.asarray(pictures), np.asarray(kinds)
    _refuse_pictures(pictures, kinds)
    _refuse_nonsense(count, frames, side, noise)
    plans = [_parse(motion) for motion in motions]
    if len(set(motions)) < max(1, len(motions)):
        raise ValueError(f"Came the motions {tuple(motions)}; pass at least one, and each once.")
    upright = all(attribute != ANGLE for plan in plans for attribute in plan)
    rng = random.Random(seed)
    drawn = [_draw(rng, plans, len(pictures), frames, noise, upright) for _ in range(count)]
    truth = _truth(drawn, kinds, side)
    labels = np.array([plan.label for plan in drawn], np.int64)
    return Clips(_render(pictures, truth, side, np.random.RandomState(seed % 2**32)), labels, truth)


def reverse_of(motion: str) -> str:
    """Name the motion that a clip shows when it is played backwards; what goes to and fro is its own reverse.

    Args:
        motion: one of `MOTIONS`, or several that change different things, such as "moves left and grows".

    Returns:
        A name of the same kind, such as "moves right and shrinks".

    Raises:
        ValueError: a motion that is unknown.

    Example:
        >>> reverse_of("moves left and grows"), reverse_of("sways")
        ('moves right and shrinks', 'sways')
    """
    _parse(motion)
    names = {course: name for name, course in COURSES.items()}
    courses = [COURSES[part] for part in motion.split(" and ")]
    return " and ".join(names[what, way if isinstance(way, str) else -way] for what, way in courses)


def _parse(motion: str) -> dict[int, int | str]:
    """Return what a motion changes, and how."""
    parts = motion.split(" and ")
    if not set(parts) <= set(COURSES) or len({COURSES[part][0] for part in parts if part in COURSES}) < len(parts):
        raise ValueError(
            f"There is no motion {motion!r}. Pass one of {', '.join(map(repr, MOTIONS))}, or several that change "
            "different things, such as 'moves left and grows'."
        )
    return dict(COURSES[part] for part in parts)


def _draw(rng: random.Random, plans: list[dict], pictures: int, frames: int, noise: float, upright: bool) -> _Plan:
    """Decide everything about one clip, in the same order and with as many draws whatever its motion is."""
    label, picture = int(rng.random() * len(plans)), int(rng.random() * pictures)
    strength = rng.random() * noise
    starts = [rng.random() for _ in range(4)]
    if upright:
        starts[ANGLE] = 0.0
    pace, phase, reach = rng.random(), rng.random(), _between(rng.random(), REACH)
    period = _between(rng.random(), PERIODS)
    courses = [[start] * frames for start in starts]
    for attribute, way in plans[label].items():
        if way == "sways":
            steps = [reach / 2 * math.sin(2 * math.pi * (time / period + phase)) for time in range(frames)]
        elif way == "bounces":
            steps = [-reach * abs(math.sin(math.pi * (time / period + phase))) for time in range(frames)]
        else:
            speed = way * _between(pace, SPEEDS[attribute])
            steps = [speed * time for time in range(frames)]
        courses[attribute] = [(starts[attribute] + step) % 1.0 for step in steps]
    return _Plan(label, picture, strength, courses)


def _between(chance: float, ends: tuple[float, float]) -> float:
    return ends[0] + chance * (ends[1] - ends[0])


def _truth(plans: list[_Plan], kinds: np.ndarray, side: int) -> ClipTruth:
    """Turn places on the circles into pixels, degrees and sizes."""
    courses = np.array([plan.courses for plan in plans])  # (batch, 4, time)
    growth = math.log(LARGEST / SMALLEST)
    sizes = [[SMALLEST * math.exp(growth * place) for place in plan.courses[SIZE]] for plan in plans]
    chosen = np.array([plan.picture for plan in plans], np.int64)
    return ClipTruth(
        kinds=kinds.astype(np.int64)[chosen],
        pictures=chosen,
        noise=np.array([plan.noise for plan in plans]),
        columns=courses[:, COLUMN] * side,
        rows=courses[:, ROW] * side,
        angles=courses[:, ANGLE] * 360,
        sizes=np.array(sizes),
    )


def _render(pictures: np.ndarray, truth: ClipTruth, side: int, rng: np.random.RandomState) -> np.ndarray:
    """Draw the frames, `(batch, time, side, side, 1)` uint8. The streams of a RandomState are frozen."""
    batch, time = truth.sizes.shape
    canvas = np.pad(pictures, ((0, 0), (1, 2), (1, 2))).astype(np.float32)  # a black rim, to look up what is outside
    drawn = np.empty((batch, time, side, side, 1), np.uint8)
    step = max(1, AT_ONCE // time)
    for start in range(0, batch, step):
        here = slice(start, start + step)
        light = _sample(canvas, ClipTruth(*(part[here] for part in truth)), side)
        random_bytes = np.frombuffer(rng.bytes(2 * light.size), np.uint8).reshape(-1, 2, time, side, side)
        noise = random_bytes[:, 0].astype(np.float32) + random_bytes[:, 1] - np.float32(255)
        strength = (truth.noise[here] * 255 / SPREAD).astype(np.float32)
        noise *= strength[:, None, None, None]
        light += noise
        drawn[here, ..., 0] = np.clip(light, 0, 255, out=light) + np.float32(0.5)
    return drawn


def _sample(canvas: np.ndarray, truth: ClipTruth, side: int) -> np.ndarray:
    """Look up, for every pixel of every frame, how bright its place in the picture is: `(batch, time, side, side)`."""
    width = canvas.shape[1] - 3
    across, along = _lookups(truth, side, width)
    left, top = across.astype(np.int32), along.astype(np.int32)  # all positive: this rounds down
    across -= left
    along -= top
    top *= canvas.shape[2]
    top += left
    top += (truth.pictures * (canvas.shape[1] * canvas.shape[2])).astype(np.int32)[:, None, None, None]
    flat, below = canvas.ravel(), canvas.shape[2]
    upper, lower = flat.take(top), flat.take(top + below)
    upper += across * (flat.take(top + 1) - upper)
    lower += across * (flat.take(top + below + 1) - lower)
    upper += along * (lower - upper)
    return upper


def _lookups(truth: ClipTruth, side: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel lies in the picture with its rim, from the left and from the top: turned and scaled back."""
    pixels = np.arange(side) + 0.5
    half = side / 2
    right = ((pixels - truth.columns[..., None] + half) % side - half).astype(np.float32)[:, :, None, :]
    down = ((pixels - truth.rows[..., None] + half) % side - half).astype(np.float32)[:, :, :, None]
    scale = width / (truth.sizes * side)
    radians = [[math.radians(angle) for angle in angles] for angles in truth.angles.tolist()]
    cosine = np.array([[math.cos(angle) for angle in angles] for angles in radians]) * scale
    sine = np.array([[math.sin(angle) for angle in angles] for angles in radians]) * scale
    cosine, sine = (part.astype(np.float32)[:, :, None, None] for part in (cosine, sine))
    middle = np.float32(width / 2 + 0.5)  # the first pixel behind the rim has its center at 1
    ends = np.float32(0), np.float32(width + 1)
    across = right * cosine + (middle - down * sine)
    along = right * sine + (middle + down * cosine)
    return np.clip(across, *ends, out=across), np.clip(along, *ends, out=along)


def _refuse_pictures(pictures: np.ndarray, kinds: np.ndarray) -> None:
    square = pictures.ndim == 3 and pictures.shape[1] == pictures.shape[2] and pictures.size
    if not square or pictures.dtype != np.uint8 or kinds.shape != pictures.shape[:1]:
        raise ValueError(
            f"Came pictures of shape {pictures.shape} and dtype {pictures.dtype} with kinds of shape {kinds.shape}. "
            "Pass square pictures, (count, side, side) uint8, at least one, and a kind for each, (count,) int."
        )


def _refuse_nonsense(count: int, frames: int, side: int, noise: float) -> None:
    if not (count >= 1 and frames >= 2 and side >= 8 and 0 <= noise <= 1):
        raise ValueError(
            f"count={count}, frames={frames}, side={side}, noise={noise}; pass at least 1 clip, 2 frames and 8 pixels, "
            "and a noise from 0 to 1."
        )
