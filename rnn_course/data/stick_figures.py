"""Stick figures that do something: poses from a few angles, of which each action moves one and the others stand still.

    clap    both forearms swing to one another
    jump    the whole figure leaves the ground and comes back
    kick    the right leg swings out
    squat   both knees bend, and the trunk goes down
    walk    legs and arms swing against each other, on the spot
    wave    the right forearm swings

All six angles are somewhere in every figure: who waves may have a leg in the air. So a single pose does not tell what
the figure does, as little as the mean of a few; what moves tells. Height, place, tempo and length differ, too.
"""

import math
import random
from typing import NamedTuple

import numpy as np

JOINTS = (
    "neck", "belly", "face", "right shoulder", "left shoulder", "right hip", "left hip", "right elbow", "left elbow",
    "right knee", "left knee", "right wrist", "left wrist", "right ankle", "left ankle",
)  # fmt: skip
ACTIONS = ("clap", "jump", "kick", "squat", "walk", "wave")
LENGTHS, PERIODS, HEIGHTS = (15, 40), (8, 20), (0.8, 1.2)  # frames, frames, and a factor
TRUNK, NECK, SHOULDER, HIP, UPPER_ARM, FOREARM, THIGH, SHIN = 0.36, 0.1, 0.1, 0.06, 0.16, 0.15, 0.22, 0.22
SHAKE = 0.006  # standard deviation of each joint, as if it had been marked by hand


class PoseTruth(NamedTuple):
    """What is known about every stick figure.

    Attributes:
        heights: `(batch,)` float64, how tall it is, 1 on average.
        periods: `(batch,)` float64, how many frames its movement takes until it comes again.
        phases: `(batch, actions)` float64, where in each movement the first frame is, 0 to 1; all but one stay there.
        mirrored: `(batch,)` bool, whether it is seen from behind, its right side at the right.
    """

    heights: np.ndarray
    periods: np.ndarray
    phases: np.ndarray
    mirrored: np.ndarray


def make_stick_figures(count: int, *, seed: int) -> tuple[tuple[np.ndarray, ...], np.ndarray, PoseTruth]:
    """Draw clips of stick figures, one action each.

    Args:
        count: how many.
        seed: of all that chance decides; the same seed gives the same clips with every version of Python and NumPy, and
            fewer clips are the beginning of more.

    Returns:
        The clips, `(time, 15, 2)` float64 each, to the right and down in the order of `JOINTS`; their labels,
        `(batch,)` int64, indices into `ACTIONS`; and the `PoseTruth`.

    Raises:
        ValueError: where `count` is less than 1.

    Example:
        >>> clips, labels, truth = make_stick_figures(2, seed=0)
        >>> clips[0].shape, ACTIONS[labels[0]], bool(truth.mirrored[0])
        ((34, 15, 2), 'wave', False)
    """
    if count < 1:
        raise ValueError(f"Cannot draw {count} stick figures; pass a `count` of at least 1.")
    rng = random.Random(seed)
    clips, labels, facts = zip(*(_draw(rng) for _ in range(count)), strict=True)
    heights, periods, phases, mirrored = zip(*facts, strict=True)
    truth = PoseTruth(np.array(heights), np.array(periods), np.array(phases), np.array(mirrored, bool))
    return clips, np.array(labels, np.int64), truth


def _draw(rng: random.Random) -> tuple[np.ndarray, int, tuple[float, float, list[float], bool]]:
    """Decide everything about one figure, and draw its frames."""
    label = int(rng.random() * len(ACTIONS))
    length = LENGTHS[0] + int(rng.random() * (LENGTHS[1] - LENGTHS[0] + 1))
    height, period, mirrored = _between(rng, HEIGHTS), _between(rng, PERIODS), rng.random() < 0.5
    right, down = _between(rng, (-0.2, 0.2)), _between(rng, (-0.1, 0.1))
    phases = [rng.random() for _ in ACTIONS]
    across = -height if mirrored else height
    frames = []
    for time in range(length):
        turns = [phase + time / period * (place == label) for place, phase in enumerate(phases)]
        joints = _figure(dict(zip(ACTIONS, turns, strict=True)))
        frames.append([(x * across + right + _shake(rng), y * height + down + _shake(rng)) for x, y in joints])
    return np.array(frames), label, (height, period, phases, mirrored)


def _figure(turns: dict[str, float]) -> list[tuple[float, float]]:
    """Place the 15 joints, with each movement at its turn. Angles are from straight down, in radians, to the right."""
    swing, wave = _swing(turns["walk"]), 0.7 * _swing(turns["wave"])
    clap, kick, bend = (size * _push(turns[name]) for name, size in (("clap", 1.2), ("kick", 1.2), ("squat", 0.9)))
    lift = 0.3 * max(0.0, _swing(turns["jump"]))
    arms = [(-0.6 + 0.3 * swing, -0.9 + 0.3 * swing + clap + wave), (0.6 - 0.3 * swing, 0.9 - 0.3 * swing - clap)]
    stride = 0.4 * swing
    legs = [(-bend - stride - kick, bend - stride - kick), (bend + stride, stride - bend)]
    sink = (THIGH + SHIN) * (1 - math.cos(bend))  # keeps straight legs' feet on the ground
    return _joints(sink - lift, arms, legs)


def _swing(turn: float) -> float:
    """To and fro, from -1 to 1."""
    return math.sin(2 * math.pi * turn)


def _push(turn: float) -> float:
    """There and back, from 0 to 1."""
    return (1 - math.cos(2 * math.pi * turn)) / 2


def _joints(down: float, arms: list, legs: list) -> list[tuple[float, float]]:
    """Hang limbs of these angles, upper and lower, right and left, on a trunk."""
    neck, belly = (0.0, down - TRUNK / 2), (0.0, down + TRUNK / 2)
    shoulders = [(side * SHOULDER, neck[1] + 0.04) for side in (-1, 1)]
    hips = [(side * HIP, belly[1] + 0.06) for side in (-1, 1)]
    elbows = [_hang(at, angles[0], UPPER_ARM) for at, angles in zip(shoulders, arms, strict=True)]
    wrists = [_hang(at, angles[1], FOREARM) for at, angles in zip(elbows, arms, strict=True)]
    knees = [_hang(at, angles[0], THIGH) for at, angles in zip(hips, legs, strict=True)]
    ankles = [_hang(at, angles[1], SHIN) for at, angles in zip(knees, legs, strict=True)]
    return [neck, belly, (0.0, neck[1] - NECK), *shoulders, *hips, *elbows, *knees, *wrists, *ankles]


def _hang(at: tuple[float, float], angle: float, length: float) -> tuple[float, float]:
    return at[0] + length * math.sin(angle), at[1] + length * math.cos(angle)


def _between(rng: random.Random, ends: tuple[float, float]) -> float:
    return ends[0] + rng.random() * (ends[1] - ends[0])


def _shake(rng: random.Random) -> float:
    """A nearly normal number: the sum of four even ones, each with a variance of a twelfth."""
    return SHAKE * math.sqrt(3) * (rng.random() + rng.random() + rng.random() + rng.random() - 2)
