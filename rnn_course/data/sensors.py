"""The stream of a sensor that never ends: noise around a mean, whose manner changes at steps that are known.

Four manners, called regimes, take turns. Where one ends and the next begins is a change point, and nothing in the
stream says so:

    level         jumps to another level and stays there
    oscillation   swings around the level it found, with a period and an amplitude of its own
    drift         moves in a straight line from the level it found to another
    rough         stays where it is, with several times the noise

Now and then a single value is a spike, far from all others, which means nothing: no change point, and the bait for
every alarm. The density that each value was drawn from is known too, so one can say what no forecast can beat.
"""

from typing import NamedTuple

import numpy as np

REGIMES = ("level", "oscillation", "drift", "rough")
LEVELS = (-1.5, 1.5)
PERIODS, AMPLITUDES = (12, 72), (0.5, 1.2)  # a period in steps
CALM, ROUGH = (0.05, 0.15), (0.3, 0.6)  # standard deviation of the noise
SPIKE = (5, 8)  # how far a spike lies from the mean, in standard deviations of the noise


class SensorStream(NamedTuple):
    """A sensor's values and the known truth behind each of them.

    Attributes:
        values: `(steps,)` float64, what the sensor says.
        regime: `(steps,)` int64, indices into `regimes`.
        changes: `(changes,)` int64, the first step of every regime but the first.
        spikes: `(steps,)` bool, True where the value is a spike.
        mean: `(steps,)` float64, the value without its noise.
        spread: `(steps,)` float64, standard deviation of the noise.
        nats: `(steps,)` float64, -ln of the density that each value was drawn from: the surprise of an observer who is
            told regime, mean and spread, and the least that a forecast can cost on average.
        regimes: the names of the regimes.
    """

    values: np.ndarray
    regime: np.ndarray
    changes: np.ndarray
    spikes: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    nats: np.ndarray
    regimes: tuple[str, ...]


def make_sensor_stream(
    steps: int,
    *,
    shortest: int = 100,
    longest: int = 400,
    spikes: float = 0.002,
    rng: np.random.Generator | int,
) -> SensorStream:
    """Draw a stream of any length, and say where its manner changes.

    Each regime lasts `shortest` to `longest` steps, all lengths being equally likely, and is of another kind than the
    one before it. Only "level" begins with a jump; the others take over the level they find, so that their beginning
    shows in what follows and not at once (an oscillation that ends leaves from wherever it swung).

    Args:
        steps: how many values.
        shortest: the fewest steps of a regime; the last one is cut where the stream ends.
        longest: the most.
        spikes: share of the values that are spikes, from 0 to below 1.
        rng: where the chance comes from; a generator, or a seed for one.

    Returns:
        A `SensorStream`.

    Raises:
        ValueError: `steps` or `shortest` below 1, `longest` below `shortest`, or `spikes` outside 0 to 1.

    >>> stream = make_sensor_stream(1_000, rng=np.random.default_rng(3))
    >>> [(int(step), stream.regimes[stream.regime[step]]) for step in stream.changes]
    [(125, 'level'), (253, 'oscillation'), (401, 'rough'), (630, 'drift')]
    """
    _refuse_nonsense(steps, shortest, longest, spikes)
    rng = np.random.default_rng(rng)
    regime, mean, spread = np.empty(steps, np.int64), np.empty(steps), np.empty(steps)
    starts, kind, level = [0], rng.integers(len(REGIMES)), rng.uniform(*LEVELS)
    while starts[-1] < steps:
        length = int(rng.integers(shortest, longest + 1))
        here = slice(starts[-1], starts[-1] + length)
        course, level = _course(REGIMES[kind], length, level, rng)
        regime[here], mean[here] = kind, course[: steps - here.start]
        spread[here] = rng.uniform(*(ROUGH if REGIMES[kind] == "rough" else CALM))
        starts.append(here.stop)
        kind = (kind + rng.integers(1, len(REGIMES))) % len(REGIMES)
    is_spike, standing = _noise(steps, spikes, rng)
    values, nats = mean + spread * standing, np.log(spread) + _surprise(standing, spikes)
    return SensorStream(values, regime, np.array(starts[1:-1], np.int64), is_spike, mean, spread, nats, REGIMES)


def _refuse_nonsense(steps: int, shortest: int, longest: int, spikes: float) -> None:
    """Raise ValueError for sizes of which no stream can be made."""
    if steps < 1:
        raise ValueError(f"steps is {steps}; pass at least 1.")
    if not 1 <= shortest <= longest:
        raise ValueError(
            f"A regime cannot last from {shortest} to {longest} steps; pass 1 or more, and longest not below shortest."
        )
    if not 0 <= spikes < 1:
        raise ValueError(f"spikes is {spikes}; pass a share from 0 to below 1: most values are none.")


def _course(kind: str, length: int, level: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """The mean of one regime, `(length,)`, and the level it leaves behind."""
    time = np.arange(length)
    other = rng.uniform(*LEVELS)
    if kind == "level":
        return np.full(length, other), other
    if kind == "drift":
        return level + (other - level) * time / length, other
    if kind == "oscillation":
        period = np.exp(rng.uniform(*np.log(PERIODS)))
        return level + rng.uniform(*AMPLITUDES) * np.sin(2 * np.pi * time / period), level
    return np.full(length, level), level


def _noise(steps: int, spikes: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Which steps are spikes, `(steps,)` bool, and each value's distance from the mean in standard deviations."""
    is_spike = rng.random(steps) < spikes
    far = rng.uniform(*SPIKE, size=steps) * rng.choice([-1, 1], size=steps)
    return is_spike, np.where(is_spike, far, rng.normal(size=steps))


def _surprise(standing: np.ndarray, spikes: float) -> np.ndarray:
    """-ln density of distances in standard deviations, `(steps,)`: a normal one, or two plateaus of spikes."""
    normal = np.exp(-0.5 * standing**2) / np.sqrt(2 * np.pi)
    plateaus = (np.abs(standing) >= SPIKE[0]) & (np.abs(standing) <= SPIKE[1])
    return -np.log((1 - spikes) * normal + spikes * plateaus / (2 * (SPIKE[1] - SPIKE[0])))
