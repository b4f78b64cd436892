"""Where in the data a unit, or a group of units, is active: the strongest contexts, and ranges that look alike."""

from typing import NamedTuple

import numpy as np

from rnn_course.probes.states import states_and_mask


class Context(NamedTuple):
    """A step at which a unit is strongly active, and the steps around it; holds no arrays.

    Attributes:
        example: which sequence.
        step: which step of it.
        start: the first step of the window.
        stop: the step after the last one of the window.
        value: the unit's state at `step`.
    """

    example: int
    step: int
    start: int
    stop: int
    value: float


def top_activating_contexts(states, unit, *, mask=None, count=10, before=10, after=5, sign=+1, one_per_sequence=False):
    """List the steps at which a unit is highest, with the steps around them, strongest first.

    Each step of a sequence is listed in one window at most: of two steps whose windows would overlap, the stronger
    stands for both. Of equal steps the earlier one comes first.

    Args:
        states: `(batch, time, units)`, such as `Trace.hidden`, `.cell` or one of `.gates`; NaN counts as padding.
        unit: index of the unit.
        mask: `(batch, time)` bool; padding takes no part. All steps when None.
        count: how many are listed, at most.
        before: steps of the window before the strong one; fewer where the sequence begins.
        after: steps of the window after it; fewer where the sequence ends.
        sign: +1 for the highest values, -1 for the lowest.
        one_per_sequence: whether a sequence is listed only once.

    Returns:
        A list of `Context`.

    Raises:
        ValueError: shapes that do not fit, no such unit, another sign, or a count or window below its least.

    >>> states = np.array([[0.1, 0.9, 0.2, 0.3], [0.5, 0.0, 0.0, 0.8]])[:, :, None]
    >>> top_activating_contexts(states, 0, count=2, before=1, after=0)[0]
    Context(example=0, step=1, start=0, stop=2, value=0.9)
    """
    states, real = checked(states, mask)
    if unit != int(unit) or not 0 <= unit < states.shape[2]:
        raise ValueError(f"There is no unit {unit}; the states have units 0 to {states.shape[2] - 1}.")
    if sign not in (1, -1):
        raise ValueError(f"sign is {sign!r}; pass +1 for the highest values or -1 for the lowest.")
    if count < 1 or before < 0 or after < 0:
        raise ValueError(f"count is {count}, before {before}, after {after}; expected count >= 1, the others >= 0.")
    values = states[:, :, int(unit)]
    left = np.where(real, sign * values, -np.inf)  # what may still be listed
    contexts = []
    while len(contexts) < count and left.max() > -np.inf:
        example, step = map(int, np.unravel_index(left.argmax(), left.shape))
        steps = np.flatnonzero(real[example])
        start, stop = max(step - before, int(steps[0])), min(step + after, int(steps[-1])) + 1
        contexts.append(Context(example, step, start, stop, float(values[example, step])))
        reach = before + after
        near = slice(None) if one_per_sequence else slice(max(0, step - reach), step + reach + 1)
        left[example, near] = -np.inf
    return contexts


class Match(NamedTuple):
    """A range in which much the same units stay on as in the marked one.

    Attributes:
        example: which sequence.
        start: its first step.
        stop: the step after its last one.
        score: units that stay on in both ranges, as a share of those that stay on in either: from 0 to 1.
        units: `(units,)` indices of those that stay on in both, in rising order.
    """

    example: int
    start: int
    stop: int
    score: float
    units: np.ndarray


def match_state_pattern(states, *, example, start, stop, threshold=0.3, mask=None, count=10, slack=0, off_around=False):
    """Find the ranges in which the same units stay on as in a marked range: LSTMVis's question.

    A unit stays on in a range when its state is at or above `threshold` at every step of it. The units that stay on in
    the marked range are the pattern; with `off_around` only those that are also below it at the step before the range
    and at the step after it, so that they switch on with it and off with it (where the sequence begins or ends, there
    is no such step to look at). Every other range of that length, give or take `slack`, is scored by the overlap of
    its own such units with the pattern: the size of their intersection over that of their union (Jaccard 1912), so that
    a range in which a hundred more units are on is no good match. Strobelt et al. (2018) ask the same question with
    thresholds; the score is this course's own.

    The marked range itself is left out, with all that overlap it; of matches that overlap one another the best stands
    for all. Of equal scores the one nearest in length comes first, then the earlier one. Where no unit is shared,
    there is no match.

    Args:
        states: `(batch, time, units)`, such as `Trace.hidden` or `.cell`; NaN counts as padding. For units that are on
            when they are low, pass the negative.
        example: the sequence with the marked range.
        start: first step of the marked range.
        stop: the step after its last one.
        threshold: the state from which on a unit is on.
        mask: `(batch, time)` bool; no range holds padding. All steps when None.
        count: how many are listed, at most.
        slack: how many steps longer or shorter a match may be.
        off_around: whether the units have to be off right before and right after.

    Returns:
        A list of `Match`, the highest score first.

    Raises:
        ValueError: shapes that do not fit, no such range, padding in it, or no unit that stays on in it.
    """
    states, real = checked(states, mask)
    refuse_range(real, example, start, stop)
    if count < 1 or slack < 0:
        raise ValueError(f"count is {count} and slack {slack}; expected count >= 1 and slack >= 0.")
    on = real[:, :, None] & (states >= threshold)
    pattern = staying_on(on, stop - start, off_around=off_around)[example, start]
    if not pattern.any():
        raise ValueError(
            f"No unit is at or above {threshold} at every step from {start} to {stop - 1} of example {example}"
            f"{' and below it right before and after' if off_around else ''}. Lower the threshold or shorten the range."
        )
    lengths = [stop - start + change for change in sorted(range(-slack, slack + 1), key=abs)]
    lengths = [length for length in lengths if 1 <= length <= states.shape[1]]
    scores = np.stack([overlaps(on, pattern, length, off_around=off_around) for length in lengths])
    forget_overlapping(scores, lengths, example, start, stop)
    matches = []
    while len(matches) < count and scores.max() > 0:
        which, found, first = map(int, np.unravel_index(scores.argmax(), scores.shape))
        last, score = first + lengths[which], float(scores[which, found, first])
        shared = pattern & staying_on(on, lengths[which], off_around=off_around)[found, first]
        matches.append(Match(found, first, last, score, np.flatnonzero(shared)))
        forget_overlapping(scores, lengths, found, first, last)
    return matches


def refuse_range(real, example, start, stop):
    """Raise ValueError unless a range of steps is real throughout, `real` being `(batch, time)` bool."""
    batch, time = real.shape
    if not (0 <= example < batch and 0 <= start < stop <= time):
        raise ValueError(
            f"There is no range from step {start} to before step {stop} of example {example}: the states have "
            f"{batch} examples of {time} steps, counted from 0."
        )
    if not real[example, start:stop].all():
        raise ValueError(f"Example {example} has padding between step {start} and step {stop}. Mark real steps alone.")


def checked(states, mask):
    """States `(batch, time, units)` as an array, and which steps are real, `(batch, time)` bool.

    Raises:
        ValueError: they do not fit, or no step is real.
    """
    states, mask = states_and_mask(states, mask)
    real = mask & ~np.isnan(states).any(axis=2)
    if not real.any():
        raise ValueError("No step is real: at each one mask is False or a state is NaN. True marks the real steps.")
    return states, real


def staying_on(on, length, *, off_around):
    """Which units are on all through each range of a length, and with `off_around` off right before and after it.

    Args:
        on: `(batch, time, units)` bool.
        length: an int, the steps of a range.
        off_around: bool.

    Returns:
        `(batch, time - length + 1, units)` bool; the range at t begins at step t.
    """
    edge = np.zeros_like(on[:, :1])
    total = np.cumsum(np.concatenate([edge, on], axis=1), axis=1, dtype="int32")
    stays = total[:, length:] - total[:, :-length] == length
    if not off_around:
        return stays
    ranges = stays.shape[1]
    beyond = np.concatenate([edge, on, edge], axis=1)  # (batch, 1 + time + 1, units)
    return stays & ~beyond[:, :ranges] & ~beyond[:, length + 1 :]


def overlaps(on, pattern, length, *, off_around):
    """Score every range of a length against a pattern.

    Args:
        on: `(batch, time, units)` bool.
        pattern: `(units,)` bool.
        length: an int, the steps of a range.
        off_around: bool, as in `staying_on`.

    Returns:
        `(batch, time)`: the Jaccard overlap of the range that begins at each step; 0 where none does.
    """
    stays = staying_on(on, length, off_around=off_around)
    shared = (stays & pattern).sum(axis=2)
    scores = np.zeros(on.shape[:2])
    scores[:, : stays.shape[1]] = shared / (stays.sum(axis=2) + pattern.sum() - shared)
    return scores


def forget_overlapping(scores, lengths, example, start, stop):
    """Set the scores `(lengths, batch, time)` of all ranges of an example that overlap one of its ranges to zero."""
    for row, length in zip(scores, lengths, strict=True):
        row[example, max(0, start - length + 1) : stop] = 0
