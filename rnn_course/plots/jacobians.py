"""Pictures of how much of a state arrives later: singular values, connectivity, and what is left at each lag."""

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

from rnn_course.plots.decades import MOST_DECADES, ZERO_MARKERS, draw_band, draw_line, floor_below, name_the_floor
from rnn_course.plots.page import size_in_points
from rnn_course.plots.steps import as_numbers, label_steps, one_sequence, real_steps, words_at
from rnn_course.plots.style import MAGNITUDE, TEXT_SIZE, axes_or_new, colors_of, label_axes, label_lines

REFERENCE_STYLE = {"color": "#8C8C8C", "linewidth": 0.9, "zorder": 1}
ZERO_COLOR = "#E4E4E4"
HATCH = {"facecolor": "none", "edgecolor": "#B5B5B5", "hatch": "////", "linewidth": 0, "zorder": 0.4}


def plot_spectrum(
    singular_values,
    *,
    example=0,
    mask=None,
    against="step",
    colors=None,
    quantity="singular values of ∂h_T/∂h_t",
    title=None,
    ax=None,
):
    """Draw the singular values of the way from every step to the last one, for several cells in one Axes.

    The solid line is the largest of them, the dashed line their median, the band runs on down to the smallest. The gray
    line at 1 is where a change arrives as large as it set out. What is exactly zero is marked on a gray line of its
    own, named "exactly 0".

    Args:
        singular_values: label -> (batch, time, units), or (time, units) of one sequence, largest first; such as
            `Spectrum.singular_values`. A label that names a cell gets the cell's color.
        example: which sequence of a batch.
        mask: (batch, time) or (time,) bool, True at the real steps; not needed where NaN stands at the others.
        against: "step", or "lag": steps back from the last real one, 0 at the right.
        colors: label -> matplotlib color.
        quantity: what the values are.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line of each label holds its largest values, the line "label, median" the medians, (time,).

    Raises:
        ValueError: a shape does not fit, a value is negative or infinite, or `against` is neither word.

    >>> from matplotlib.figure import Figure
    >>> ax = plot_spectrum({"LSTM": [[0.5, 0.25], [1.0, 1.0]]}, ax=Figure().subplots())
    >>> ax.lines[1].get_ydata().tolist()
    [0.5, 1.0]
    """
    if against not in ("step", "lag"):
        raise ValueError(f'`against` must be "step" or "lag"; got {against!r}.')
    spectra = {
        label: _spectrum(values, mask, example, f"singular_values[{label!r}]")
        for label, values in _by_label(singular_values, "singular_values", "spectrum.singular_values").items()
    }
    curves = {label: _curves_of_spectrum(rows, against) for label, rows in spectra.items()}
    colors = colors_of(curves, colors)
    ax = axes_or_new(ax)
    ax.axhline(1, **REFERENCE_STYLE)
    _draw_curves(ax, curves, colors)
    units = sorted({rows.shape[1] for rows in spectra.values()})
    of = f"{units[0]}" if len(units) == 1 else f"{units[0]} to {units[-1]}"
    note = f"solid: largest of {of}, dashed: median, band: to the smallest"
    _label_time(ax, curves.values(), against, note)
    label_axes(ax, y=quantity, title=title)
    _label_right_ends(ax, curves, colors, against)
    return ax


def plot_lag_profile(profiles, *, colors=None, quantity="gradient norm", title=None, ax=None):
    """Draw what is left of a quantity at each number of steps back, for several cells in one Axes, on a log scale.

    The line is the median, the band the middle half. Lag 0 stands at the right, as time runs from left to right. What
    is exactly zero is marked on a gray line of its own, named "exactly 0".

    Args:
        profiles: label -> something with `lag`, `median`, `low` and `high`, each (lag,), as attributes or as keys;
            such as a `LagProfile`. A label that names a cell gets the cell's color.
        colors: label -> matplotlib color.
        quantity: what the values are, with their unit.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; the line of each label holds its medians, (lag,), NaN where there is none or it is exactly zero.

    Raises:
        ValueError: a part is missing, a shape does not fit, or a value is negative or infinite.
    """
    profiles = _by_label(profiles, "profiles", "lag_profile(flow.norm())")
    curves = {label: _curve_of_profile(profile, f"profiles[{label!r}]") for label, profile in profiles.items()}
    colors = colors_of(curves, colors)
    ax = axes_or_new(ax)
    _draw_curves(ax, curves, colors)
    _label_time(ax, curves.values(), "lag", "line: median, band: the middle half")
    label_axes(ax, y=quantity, title=title)
    _label_right_ends(ax, curves, colors, "lag")
    return ax


def plot_connectivity(
    values,
    *,
    example=0,
    mask=None,
    tokens=None,
    decades=6,
    limit=None,
    quantity="‖∂h_s/∂x_t‖",
    title=None,
    ax=None,
):
    """Draw how strongly the state at every step depends on every step before it, as one image on a log scale.

    A row is a state h_s, a column what stood at step t: read a row from right to left to see how far back a state
    looks. What a layer reads later, and masked steps, stay blank; what could have arrived and is exactly zero is gray.

    Args:
        values: (batch, time, time), or (time, time) of one sequence, first s, then t; such as `Connectivity.values`.
        example: which sequence of a batch.
        mask: (batch, time) or (time,) bool, True at the real steps; not needed where NaN stands at the others.
        tokens: (time,) words, or one for each real step, written along both axes.
        decades: how many powers of ten the color scale covers; what is smaller has its lowest color.
        limit: the value at the upper end of the scale, which then covers all `decades`, so that pictures can be
            compared; from the largest value down to the smallest when `None`.
        quantity: what the values are.
        title: the finding.
        ax: where to draw; a new figure when `None`.

    Returns:
        The Axes; its image has the shape (time, time).

    Raises:
        ValueError: a shape does not fit, a value is negative or infinite, or none is above zero; `decades` or `limit`
            is not.
    """
    values = one_sequence(values, axes=("time", "time"), name="values", example=example)
    if values.shape[0] != values.shape[1]:
        raise ValueError(f"`values` has shape {values.shape}; expected (time, time): states s by steps t.")
    real = real_steps(mask, values, example=example)
    values = _checked(np.where(real[:, None] & real, values, np.nan), "values")
    if not (values > 0).any():
        raise ValueError("No value is above zero, so there is nothing to draw on a log scale.")
    if not decades > 0:
        raise ValueError(f"`decades` must be above zero; got {decades}.")
    if limit is not None and not 0 < limit < np.inf:
        raise ValueError(f"`limit` must be a number above zero, such as the largest of all values; got {limit}.")
    ax = axes_or_new(ax, height=3.6)
    notes = ["gray: exactly 0"] if _draw_zeros(ax, values) else []
    notes += ["hatched: not finite"] if _hatch_cells(ax, np.isnan(values) & real[:, None] & real) else []
    note = "; ".join(notes) or None
    _draw_connections(ax, values, decades, limit, quantity)
    label_steps(ax, real, tokens=tokens, note=note)
    ax.set_xlabel(ax.get_xlabel().replace("time step", "time step t", 1))
    _label_rows(ax, real, tokens)
    _hatch_rows(ax, real)
    label_axes(ax, y="state after step s", title=title)
    return ax


# ------------------------------------------------------------------------------------------------------------- checks


def _by_label(entries, name, example):
    """A dict that is not empty, or ValueError."""
    if not isinstance(entries, Mapping) or not entries:
        raise ValueError(f'`{name}` must be a dict such as {{"LSTM": {example}}}; got {type(entries).__name__}.')
    return entries


def _checked(values, name):
    """Values that are never negative nor infinite, and not all NaN, or ValueError."""
    if (values < 0).any() or np.isinf(values).any():
        raise ValueError(f"`{name}` must be finite and never negative; got {np.nanmin(values)} to {np.nanmax(values)}.")
    if np.isnan(values).all():
        raise ValueError(f"Every value of `{name}` is masked or NaN, so there is nothing to draw.")
    return values


def _spectrum(values, mask, example, name):
    """One sequence's singular values, (time, units), NaN at the masked steps."""
    rows = one_sequence(values, axes=("time", "units"), name=name, example=example)
    return _checked(np.where(real_steps(mask, rows, example=example)[:, None], rows, np.nan), name)


def _curve_of_profile(profile, name):
    """The one curve of a profile: where, lower edge, line and upper edge, (4, lag), under the ending ""."""
    parts = ("lag", "low", "median", "high")
    read = profile.get if isinstance(profile, Mapping) else lambda part: getattr(profile, part, None)
    missing = [part for part in parts if read(part) is None]
    if missing:
        raise ValueError(
            f"`{name}` has no {', '.join(missing)}; pass a `LagProfile`, or a dict with {', '.join(parts)}."
        )
    arrays = [as_numbers(read(part), f"{name}.{part}") for part in parts]
    shapes = {part: array.shape for part, array in zip(parts, arrays, strict=True)}
    if len(set(shapes.values())) > 1 or arrays[0].ndim != 1 or not arrays[0].size:
        raise ValueError(f"All parts of `{name}` must be (lag,); got {shapes}.")
    return {"": _checked(np.array(arrays), name)}


# ------------------------------------------------------------------------------------------------------------ drawing


def _curves_of_spectrum(rows, against):
    """By their endings, each (4, time): the largest value (where, lower edge, line, upper edge), and the median."""
    steps = np.arange(len(rows))
    if against == "lag":
        steps = np.flatnonzero(~np.isnan(rows).any(axis=1))[-1] - steps
    largest, median, smallest = rows[:, 0], np.median(rows, axis=1), rows[:, -1]
    return {"": np.array([steps, smallest, largest, largest]), ", median": np.array([steps, median, median, median])}


def _draw_curves(ax, curves, colors):
    """Draw the lines of each label, the second one dashed, and the bands below the first ones."""
    ax.set_yscale("log")
    heights = [curve[1:] for lines in curves.values() for curve in lines.values()]
    floor = floor_below(heights)
    with_zeros = [label for label, lines in curves.items() if any((curve[2] == 0).any() for curve in lines.values())]
    for label, lines in curves.items():
        marker = ZERO_MARKERS[with_zeros.index(label) % 5] if label in with_zeros else None
        for style, (ending, (steps, low, line, high)) in zip(("-", "--"), lines.items(), strict=False):
            options = {"color": colors[label], "linestyle": style, "linewidth": 1.8 if style == "-" else 1.2}
            draw_band(ax, steps, low, high, floor, color=colors[label])
            draw_line(ax, steps, line, floor, label=f"{label}{ending}", marker=marker, **options)
    if any((height == 0).any() for height in heights):
        name_the_floor(ax, floor)


def _label_time(ax, curves, against, note):
    """Label the horizontal axis; time runs from left to right in both forms."""
    steps = np.concatenate([next(iter(lines.values()))[0] for lines in curves])
    if against == "lag":
        ax.set_xlim(steps.max() + 0.5, -0.5)
        ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        ax.set_xlabel(f"lag: steps before the last one\n{note}")
        return
    real = np.zeros(int(steps.max()) + 1, bool)
    for lines in curves:
        at, _, line, _ = lines[""]
        real[at[~np.isnan(line)].astype(int)] = True
    label_steps(ax, real, note=note)


def _label_right_ends(ax, curves, colors, against):
    """Name each label at the right end of its first line; where several meet there, in the order of their left ends."""
    floor = floor_below([curve[1:] for lines in curves.values() for curve in lines.values()])
    ends = []
    for label, lines in curves.items():
        steps, _, line, _ = lines[""][:, ~np.isnan(lines[""][2])]
        from_left = line[np.argsort(-steps if against == "lag" else steps)]
        ends.append((from_left[0], (from_left[-1] or floor, label, colors[label])))
    label_lines(ax, [end for _, end in sorted(ends, key=lambda entry: entry[0])])


def _draw_connections(ax, values, decades, limit, quantity):
    """Draw what is above zero as an image with its color scale."""
    shown = np.ma.masked_where(~(values > 0), values)
    high = shown.max() if limit is None else limit
    low = max(shown.min() if limit is None else 0, high / 10.0**decades)
    scale = LogNorm(low if low < high else high / 10, high)
    image = ax.imshow(shown, aspect="auto", interpolation="nearest", cmap=MAGNITUDE, norm=scale)
    beyond = bool(shown.min() < low), bool(shown.max() > high)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[beyond]
    bar = ax.figure.colorbar(image, ax=ax, label=quantity, pad=0.02, aspect=18, extend=extend)
    ticks = 10.0 ** np.arange(np.ceil(np.log10(scale.vmin)), np.floor(np.log10(scale.vmax)) + 1)
    if len(ticks) > 1:
        bar.set_ticks(ticks[:: -(-len(ticks) // MOST_DECADES)])
    else:
        bar.set_ticks([scale.vmin, scale.vmax], labels=[f"{value:.2g}" for value in (scale.vmin, scale.vmax)])
    bar.ax.minorticks_off()


def _draw_zeros(ax, values):
    """Gray what is exactly zero outside the triangle that was not read; returns whether anything is."""
    zero = values == 0
    later = [np.triu(np.ones(values.shape, bool), 1), np.tril(np.ones(values.shape, bool), -1)]
    unread = [part for part in later if not (values[part] > 0).any()]
    shown = zero & ~unread[0] if unread else zero
    if shown.any():
        picture = np.zeros((*values.shape, 4))
        picture[shown] = (*[int(ZERO_COLOR[at : at + 2], 16) / 255 for at in (1, 3, 5)], 1)
        ax.imshow(picture, aspect="auto", interpolation="nearest")
    return bool(shown.any())


def _hatch_cells(ax, cells):
    """Hatch single cells, (time, time) bool; returns whether there are any."""
    for s, t in np.argwhere(cells):
        ax.add_patch(Rectangle((t - 0.5, s - 0.5), 1, 1, **HATCH))
    return bool(cells.any())


def _label_rows(ax, real, tokens):
    """Give the rows their words, as many as there is room for, or step numbers."""
    if tokens is None:
        ax.yaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=6)
        return
    words, steps = words_at(tokens, real), np.flatnonzero(real)
    every = max(1, int(np.ceil(1.25 * TEXT_SIZE * len(real) / size_in_points(ax)[1])))
    for label in ax.set_yticks(steps[::every], [words[step] for step in steps[::every]], size=TEXT_SIZE):
        label.label1.set_parse_math(False)


def _hatch_rows(ax, real):
    """Hatch the rows of the masked steps as their columns are."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], real, [True]])))
    for start, stop in edges.reshape(-1, 2):
        ax.axhspan(start - 0.5, stop - 0.5, **HATCH)
