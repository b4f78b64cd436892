"""Pictures of music: the keys that sound, beat by beat, and under them what a network's units did meanwhile."""

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import ListedColormap
from matplotlib.patheffects import Normal, Stroke

from rnn_course.plots.page import settle, size_in_points
from rnn_course.plots.states import symmetric_limit
from rnn_course.plots.steps import as_numbers
from rnn_course.plots.style import (
    DIVERGING,
    MAGNITUDE,
    SERIES_COLORS,
    axes_or_new,
    color_of,
    figure_grid,
    label_axes,
    label_lines,
    show_not_finite,
)

LOWEST_KEY = 21  # the MIDI number of a roll's first key
OCTAVE = 12
KEYS = 88  # of a piano
MARGIN = 2  # keys left free above and below what sounds
LIKELY = 0.1  # probabilities from here on are always inside the picture
CHOIR = ("soprano", "alto", "tenor", "bass")
GRID_STYLE = {"color": "#D5D5D5", "linewidth": 0.8, "zorder": 0.5}
SOUNDING_STYLE = {"marker": "o", "markeredgewidth": 0, "linestyle": "none", "color": "white", "label": "sounds"}


def plot_piano_roll(
    roll_or_voices, *, probabilities=None, labels=None, step=1.0, start=0.0, keys=None, title=None, ax=None
):
    """Draw which keys sound at which beat: a bar in its voice's color for each note, or one image of a roll.

    Voices that meet on a key share its height, so that each of them is seen. With `probabilities` the image is theirs,
    its colors from 0 to 1 in every picture, and a white dot lies on each key that sounds.

    Args:
        roll_or_voices: `(time, keys)` bool, key k being MIDI number 21 + k; or `(time, voices)` MIDI numbers, integers,
            0 where a voice rests.
        probabilities: `(time, keys)` from 0 to 1, such as what a network gave to each key before the frame; or `None`.
        labels: names of the voices, written at their ends; soprano, alto, tenor and bass for four when `None`.
        step: float, how many beats a frame lasts.
        start: float, the beat at which the first frame begins.
        keys: lowest and highest MIDI number to be drawn, for pictures that are compared; what sounds when `None`.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes. It holds one collection of bars for each voice, or one image of shape (keys, time); with
        `probabilities` also the line "sounds" with a (beat, MIDI number) for each key that sounds.

    Raises:
        ValueError: the shape or kind of an array does not fit, `step` is not above 0, or there is not a label for each
            voice.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_piano_roll([[72, 48], [72, 50]], labels=["upper", "lower"], ax=Figure().subplots())
    >>> {voice.get_label(): len(voice.get_paths()) for voice in ax.collections}
    {'upper': 1, 'lower': 2}
    """
    notes = _checked_notes(roll_or_voices)
    chances = _checked_chances(probabilities, len(notes))
    edges = beats(len(notes), step, start)
    ax = axes_or_new(ax)
    _frame(ax, edges, _limits(notes, chances, keys))
    label_axes(ax, x="time (beats)", y="pitch", title=title)
    if chances is not None:
        image = _draw_keys(ax, chances, edges, MAGNITUDE)
        ax.figure.colorbar(image, ax=ax, label="probability", pad=0.02, aspect=18, ticks=[0, 0.25, 0.5, 0.75, 1])
        _draw_dots(ax, _sounding(notes), edges)
    elif notes.dtype == bool:
        _draw_keys(ax, np.ma.masked_equal(notes, False), edges, ListedColormap([SERIES_COLORS[0]]))
    else:
        _draw_voices(ax, notes, edges, labels)
    return ax


def plot_activity(
    activity, *, labels=None, step=1.0, start=0.0, limit=None, quantity="hidden state", title=None, ax=None
):
    """Draw what units did in each frame of a tune, on the time axis of its piano roll.

    Args:
        activity: `(time,)` of one unit, drawn as a line with a stair for each frame; or `(time, units)`, drawn as one
            image with a row for each unit.
        labels: names of the units; "unit 0", … when `None`.
        step: float, how many beats a frame lasts.
        start: float, the beat at which the first frame begins.
        limit: the value at both ends of the scale; the largest size in the picture when `None`.
        quantity: what the values are, with their unit if they have one.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; it holds an image of shape (units, time), or a line of (1 + time,) values, the last one twice.

    Raises:
        ValueError: the shape does not fit, no value is finite, `step` or `limit` is not above 0, or there is not a
            label for each unit.
    """
    values = as_numbers(activity, "activity")
    if values.ndim not in (1, 2) or 0 in values.shape:
        raise ValueError(
            f"`activity` has shape {values.shape}; expected (time,) of one unit or (time, units), and no empty axis. "
            "Pick one tune, such as hidden[0]."
        )
    edges, limit = beats(len(values), step, start), symmetric_limit(values, limit)
    ax = axes_or_new(ax)
    ax.set_xlim(edges[0], edges[-1])
    _count_beats(ax)
    ax.set_xlabel("time (beats)")
    show_not_finite(ax, values, sign="hatched" if values.ndim == 2 else "gap")
    label_axes(ax, title=title)
    if values.ndim == 1:
        _draw_unit(ax, values, edges, limit, quantity if labels is None else f"{_one_label(labels)}: {quantity}")
    else:
        _draw_units(ax, values, edges, limit, quantity, labels)
    return ax


def plot_roll_with_activity(
    roll_or_voices,
    activity,
    *,
    probabilities=None,
    unit_labels=None,
    step=1.0,
    start=0.0,
    keys=None,
    quantity="hidden state",
    title=None,
    axes=None,
):
    """Draw a piano roll, and under it what units did meanwhile, beat under beat.

    Args:
        roll_or_voices: `(time, keys)` bool or `(time, voices)` MIDI numbers, integers, as in `plot_piano_roll`.
        activity: `(time,)` of one unit, or `(time, units)`, as in `plot_activity`.
        probabilities: `(time, keys)` from 0 to 1, as in `plot_piano_roll`; or `None`.
        unit_labels: names of the units; "unit 0", … when `None`.
        step: float, how many beats a frame lasts.
        start: float, the beat at which the first frame begins.
        keys: lowest and highest MIDI number to be drawn; what sounds when `None`.
        quantity: what the activity is, with its unit if it has one.
        title: the finding, above the roll.
        axes: two Axes one above the other, such as those of `figure_grid(2, 1)`; a new figure when `None`.

    Returns:
        The Axes, shape (2,): that of the roll and that of the activity.

    Raises:
        ValueError: roll and activity have different numbers of frames, `axes` are not two, or as in the two functions.
    """
    if len(roll_or_voices) != len(activity):
        raise ValueError(
            f"The tune has {len(roll_or_voices)} frames, `activity` has {len(activity)}; pass the same steps of both."
        )
    axes = figure_grid(2, 1, row_height=2.2)[1] if axes is None else axes
    axes = np.asarray(axes).ravel()
    if axes.size != 2:
        raise ValueError(f"`axes` holds {axes.size} Axes; pass two, such as those of `figure_grid(2, 1)`.")
    place = {"step": step, "start": start}
    plot_piano_roll(roll_or_voices, probabilities=probabilities, keys=keys, title=title, ax=axes[0], **place)
    plot_activity(activity, labels=unit_labels, quantity=quantity, ax=axes[1], **place)
    axes[0].set_xlabel("")
    axes[0].tick_params(labelbottom=False)
    return axes


def beats(frames, step, start=0.0):
    """Where frames begin and end on a time axis of beats.

    Args:
        frames: int, how many there are.
        step: float, how many beats each of them lasts.
        start: float, the beat at which the first one begins.

    Returns:
        float array (1 + frames,).

    Raises:
        ValueError: `step` is not above 0.
    """
    if not 0 < step < np.inf:
        raise ValueError(f"`step` is {step}; pass how many beats a frame lasts, a number above 0.")
    return start + step * np.arange(frames + 1)


def _checked_notes(given):
    """The tune as (time, keys) bool or (time, voices) int, checked."""
    notes = np.asarray(given)
    if notes.ndim != 2 or 0 in notes.shape:
        raise ValueError(
            f"The tune has shape {notes.shape}; expected (time, keys) or (time, voices), and no empty axis. Pick one "
            "tune, such as rolls[0]."
        )
    if notes.dtype.kind not in "iub" or (notes.dtype != bool and notes.shape[1] > OCTAVE and notes.max() <= 1):
        raise ValueError(
            f"The tune holds {notes.dtype}, shape {notes.shape}; a roll must be bool, such as roll > 0.5, and voices "
            "must be MIDI numbers, integers."
        )
    if notes.dtype == bool and notes.shape[1] > KEYS:
        raise ValueError(
            f"The roll has {notes.shape[1]} keys; a piano has {KEYS}, the first of them MIDI number {LOWEST_KEY}. Of "
            f"128 MIDI numbers pass roll[:, {LOWEST_KEY}:{LOWEST_KEY + KEYS}]."
        )
    if notes.dtype != bool and (notes.min() < 0 or notes.max() > 127):
        raise ValueError(f"The voices hold numbers from {notes.min()} to {notes.max()}; MIDI goes from 0 to 127.")
    return notes


def _checked_chances(probabilities, frames):
    """The probabilities (time, keys), checked; None stays None."""
    if probabilities is None:
        return None
    chances = as_numbers(probabilities, "probabilities")
    if chances.ndim != 2 or len(chances) != frames or not ((chances >= 0) & (chances <= 1 + 1e-6)).all():
        raise ValueError(
            f"`probabilities` must be ({frames}, keys) from 0 to 1, a row for each frame of the tune; got shape "
            f"{chances.shape}, from {chances.min()} to {chances.max()}. Logits need a sigmoid first."
        )
    return chances


def _sounding(notes):
    """Every (frame, MIDI number) that sounds, (notes, 2), once."""
    frames, columns = np.nonzero(notes)
    keys = columns + LOWEST_KEY if notes.dtype == bool else notes[frames, columns]
    return np.unique(np.column_stack([frames, keys]), axis=0)


def _limits(notes, chances, keys):
    """Lowest and highest MIDI number to draw: what was asked for, or what sounds and what was likely to."""
    if keys is not None:
        low, high = keys
        if not 0 <= low < high <= 127:
            raise ValueError(f"`keys` must be the lowest and the highest MIDI number, from 0 to 127; got {keys!r}.")
        return low, high
    drawn = _sounding(notes)[:, 1]
    if chances is not None:
        drawn = np.append(drawn, np.flatnonzero((chances >= LIKELY).any(axis=0)) + LOWEST_KEY)
    drawn = drawn if drawn.size else np.array([60])
    low, high = drawn.min() - MARGIN, drawn.max() + MARGIN
    return low, max(high, low + OCTAVE)  # an octave, so that some C names the keys


def _frame(ax, edges, limits):
    """Set both axes, and name the keys at every C."""
    low, high = limits
    ax.set(xlim=(edges[0], edges[-1]), ylim=(low - 0.5, high + 0.5))
    every_c = np.arange(-(-low // OCTAVE) * OCTAVE, high + 1, OCTAVE)
    ax.set_yticks(every_c, [f"C{key // OCTAVE - 1}" for key in every_c.tolist()])
    for key in every_c:
        ax.axhline(key, **GRID_STYLE)
    _count_beats(ax)


def _count_beats(ax):
    """Write whole beats under the time axis, every fourth or eighth of them where they are many."""
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=8, steps=[1, 2, 4, 8, 10])


def _draw_keys(ax, values, edges, cmap):
    """Draw (time, keys) numbers from 0 to 1 as one image in beats and MIDI numbers."""
    bottom = LOWEST_KEY - 0.5
    place = (edges[0], edges[-1], bottom, bottom + values.shape[1])
    look = {"aspect": "auto", "interpolation": "nearest", "origin": "lower"}
    return ax.imshow(values.T, extent=place, cmap=cmap, vmin=0, vmax=1, zorder=1, **look)


def _draw_dots(ax, sounding, edges):
    """Put a white dot with a black rim in the middle of each (frame, MIDI number), seen on every color."""
    settle(ax)
    room = (size_in_points(ax) / [len(edges) - 1, np.ptp(ax.get_ylim())]).min()
    size = float(np.clip(0.5 * room, 1.2, 6))
    rim = [Stroke(linewidth=max(0.5, size / 3), foreground="black"), Normal()]
    frames, keys = sounding.T
    ax.plot((edges[frames] + edges[frames + 1]) / 2, keys, markersize=size, path_effects=rim, **SOUNDING_STYLE)


def _draw_voices(ax, voices, edges, labels):
    """Draw the bars of each voice, and its name at the right end at the height of its last note."""
    labels = _labels(labels, voices.shape[1], "voice", CHOIR)
    ends = []
    for column, label in enumerate(labels):
        color = color_of("", column)
        bars = [_corners(edges, bar) for bar in _bars(voices, column)]
        ax.add_collection(PolyCollection(bars, facecolor=color, linewidth=0, label=label, zorder=2), autolim=False)
        sung = voices[voices[:, column] > 0, column]
        if sung.size:
            ends.append((np.clip(sung[-1], *ax.get_ylim()), label, color))
    label_lines(ax, ends)


def _bars(voices, column):
    """The notes of one voice as (first frame, frame after the last, lower edge, upper edge) in MIDI numbers.

    Voices on the same key share its height, the first one on top.
    """
    voice = voices[:, column, None]
    share = (voices == voice).sum(axis=1)
    above = (voices[:, :column] == voice).sum(axis=1)
    top = voice[:, 0] + 0.5 - above / share
    rows = np.column_stack([top - 1 / share, top])
    starts = np.flatnonzero(np.append(True, (rows[1:] != rows[:-1]).any(axis=1)))
    stops = np.append(starts[1:], len(rows))
    return [(first, last, *rows[first]) for first, last in zip(starts, stops, strict=True) if voices[first, column]]


def _corners(edges, bar):
    """The four corners (4, 2) of a bar."""
    first, last, low, high = bar
    left, right = edges[first], edges[last]
    return [(left, low), (right, low), (right, high), (left, high)]


def _labels(labels, count, kind, choir=()):
    """One name for each voice or unit, checked."""
    if labels is None:
        return list(choir) if count == len(choir) else [f"{kind} {number}" for number in range(count)]
    if len(labels) != count:
        raise ValueError(f"There are {len(labels)} labels for {count} {kind}s; pass one for each of them.")
    return list(labels)


def _one_label(labels):
    """The name of a single unit, given as a str or as a list of one."""
    return labels if isinstance(labels, str) else _labels(labels, 1, "unit")[0]


def _draw_unit(ax, values, edges, limit, quantity):
    """Draw one unit, (time,), as stairs: level within a frame."""
    ax.axhline(0, color="#B5B5B5", linewidth=0.8, zorder=1)
    ax.plot(edges, np.append(values, values[-1]), drawstyle="steps-post", color=SERIES_COLORS[0], label=quantity)
    ax.set_ylim(-1.05 * limit, 1.05 * limit)
    ax.set_ylabel(quantity)


def _draw_units(ax, values, edges, limit, quantity, labels):
    """Draw (time, units) as one image, the first unit on top."""
    units = values.shape[1]
    look = {"aspect": "auto", "interpolation": "nearest", "cmap": DIVERGING, "vmin": -limit, "vmax": limit}
    shown = np.ma.masked_invalid(values.T)
    image = ax.imshow(shown, extent=(edges[0], edges[-1], units - 0.5, -0.5), **look)
    bar = ax.figure.colorbar(image, ax=ax, label=quantity, pad=0.02, aspect=18)
    bar.ax.locator_params(axis="y", nbins=5)
    if labels is None:
        ax.set_ylabel("unit")
        ax.locator_params(axis="y", nbins=5, integer=True, min_n_ticks=1)
    else:
        ax.set_yticks(range(units), _labels(labels, units, "unit"))
