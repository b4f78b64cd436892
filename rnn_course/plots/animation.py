"""Pictures that move: a training from its first record to its last, as a GIF that needs nothing to be played."""

import base64
import html
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from rnn_course.plots.histories import (
    NORM,
    checked_histories,
    colors_of,
    growing,
    log_limits,
    name_lines,
    on_scale,
    prepare_stage,
    show_stage,
)
from rnn_course.plots.page import wrapped
from rnn_course.plots.steps import as_numbers, last_known
from rnn_course.plots.style import BASELINE_STYLE, TITLE_SIZE, label_axes
from rnn_course.whole_files import written_whole

WIDTH, HEIGHT, DOTS = 7.0, 3.0, 92  # inches, and dots an inch: 644 pixels wide
FRAMES_A_SECOND, HELD_SECONDS = 4, 2
COLUMNS = (1.7, 1)  # widths of the gradient and the scores
MARGIN = 6  # points left of the title


@dataclass(frozen=True)
class AnimatedPicture:
    """A picture that moves; a notebook shows it by itself, and plays it again and again.

    Attributes:
        gif: the bytes of the GIF.
        frames: int, how many pictures it shows.
        alt: str, what is to be seen, for those who do not see it.
    """

    gif: bytes = field(repr=False)
    frames: int
    alt: str

    def save(self, path):
        """Write the GIF.

        Args:
            path: where to, ending in ".gif"; an existing file is replaced only by a complete one.

        Returns:
            The `pathlib.Path` that was written.

        Raises:
            ValueError: the path ends in something else.
        """
        path = Path(path)
        if path.suffix.lower() != ".gif":
            raise ValueError(f"An AnimatedPicture is a GIF; save it under a name that ends in .gif, not {path.name!r}.")
        with written_whole(path) as part:
            part.write_bytes(self.gif)
        return path

    def _repr_html_(self):
        """The picture in the page itself, no wider than the page."""
        alt, width = html.escape(self.alt, quote=True), round(WIDTH * DOTS)
        data = base64.b64encode(self.gif).decode()
        return f'<img alt="{alt}" style="width:{width}px;max-width:100%" src="data:image/gif;base64,{data}">'


def animate_gradient_flow(
    histories,
    *,
    epochs=None,
    unit="epoch",
    scores=None,
    score_name="loss",
    baseline=None,
    limits=None,
    quantity=NORM,
    title=None,
):
    """Show how the gradient against the lag changes while several cells learn, and beside it what they have learned.

    One frame is one record; the last one stays for two seconds. Both axes are those of the whole training. Lines,
    crosses and colors are those of `plot_gradient_stage`, which draws one frame where nothing can move.

    Args:
        histories: label -> `(records, batch, time)` norms, NaN at the masked steps, such as
            `GradientFlowCallback.history["norm"]`, or `(records, time)`; as many records for each label.
        epochs: `(records,)` growing numbers, when each record was made; 0, 1, 2, … when `None`.
        unit: str, what `epochs` counts.
        scores: label -> `(records,)` numbers, such as the loss, drawn up to the frame's record; or `None`.
        score_name: what the scores are, with their unit.
        baseline: a number among the scores, drawn dashed and black; or `None`.
        limits: the two ends of the gradient's axis, as in `plot_gradient_stage`.
        quantity: what the norms are, with their unit.
        title: the finding.

    Returns:
        An `AnimatedPicture`, 644 × 276 pixels, about 5 kB a frame.

    Raises:
        ValueError: as in `plot_gradient_stage`, or scores of other labels or another number of records.
    """
    medians = checked_histories(histories)
    epochs = growing(epochs, len(next(iter(medians.values()))))
    scores = {} if scores is None else _checked_scores(scores, medians, len(epochs))
    limits = log_limits(medians.values(), limits)
    medians = on_scale(medians, limits)
    figure, left, right = _new_figure(title, panels=2 if scores else 1)
    prepare_stage(left, medians, limits, quantity)
    label_axes(left)
    if scores:
        _prepare_scores(right, scores, epochs, baseline)
        label_axes(right, x=unit, y=score_name)
    name_lines(left, {label: last_known(curves[:, 0]) for label, curves in medians.items()})
    freeze(figure)

    def show(record):
        show_stage(left, medians, record, f"{unit} {epochs[record]:g}")
        for label, values in scores.items():
            _show_score(right, label, epochs[: record + 1], values[: record + 1])

    alt = f"{title or quantity} ({', '.join(map(str, medians))}; {unit} {epochs[0]:g} to {epochs[-1]:g})"
    return AnimatedPicture(gif_of(figure, show, len(epochs)), len(epochs), alt)


def _checked_scores(scores, medians, records):
    """The scores by label, each (records,)."""
    if set(scores) != set(medians):
        raise ValueError(f"`scores` has the labels {list(scores)}, `histories` has {list(medians)}; pass the same.")
    checked = {label: as_numbers(scores[label], f"scores[{label!r}]") for label in medians}
    for label, values in checked.items():
        if values.shape != (records,):
            raise ValueError(
                f"`scores[{label!r}]` has shape {values.shape}; expected ({records},), one number for each record."
            )
    if not any(np.isfinite(values).any() for values in checked.values()):
        raise ValueError("None of the `scores` is finite, so there is nothing to draw.")
    return checked


def _new_figure(title, *, panels):
    """A figure that no notebook shows by itself, and its Axes, left and right; the same one twice if it is alone."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DOTS, layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False, width_ratios=COLUMNS[:panels])[0]
    if title is not None:
        room = 72 * WIDTH - 2 * MARGIN
        place = {"x": MARGIN / (72 * WIDTH), "ha": "left", "fontsize": TITLE_SIZE}
        figure.suptitle(wrapped(title, room, TITLE_SIZE), **place)
    return figure, axes[0], axes[-1]


def _prepare_scores(ax, scores, epochs, baseline):
    """Draw what all frames share: axes that hold zero and every score, the baseline, and empty lines and dots."""
    known = np.concatenate([np.append(values[np.isfinite(values)], baseline or 0) for values in scores.values()])
    low, high = min(known.min(), 0), known.max()
    margin = 0.06 * (high - low or 1)
    ax.set(xlim=(epochs[0], epochs[-1] + 0.04 * np.ptp(epochs) + 1e-9), ylim=(low - margin, high + margin))
    ax.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=5)
    if baseline is not None:
        ax.axhline(baseline, **BASELINE_STYLE, label="baseline")
    for label, color in colors_of(scores).items():
        ax.plot([], [], color=color, label=label)
        ax.plot([], [], "o", color=color, markersize=6, label=f"{label}: now", clip_on=False, in_layout=False)


def _show_score(ax, label, epochs, values):
    """Draw one line up to now, (records so far,), and a dot where it stands."""
    lines = {line.get_label(): line for line in ax.lines}
    lines[label].set_data(epochs, values)
    lines[f"{label}: now"].set_data(epochs[-1:], values[-1:])


def freeze(figure):
    """Put an image of everything that is drawn so far in its place; what is drawn from then on moves over it.

    A frame then takes a tenth of the time, and nothing that is to stand still can jump.

    Args:
        figure: a `Figure` whose moving lines are still empty, and whose moving texts are "".
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")
    figure.figimage(np.array(canvas.buffer_rgba()), zorder=-1)
    for ax in figure.axes:
        ax.set_axis_off()
    for text in figure.findobj(lambda artist: isinstance(artist, Text) and artist.get_text()):
        text.set_visible(False)


def gif_of(figure, show, count):
    """Take a picture of a figure for each frame.

    Args:
        figure: a matplotlib `Figure` that is drawn at its own resolution.
        show: a function of the frame's index, an int, that changes the figure; takes no arrays.
        count: int, how many frames.

    Returns:
        The bytes of a GIF that plays for ever and rests on its last frame; a finite number of them, no array.
    """
    writer = PillowWriter(fps=FRAMES_A_SECOND)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames.gif"
        with writer.saving(figure, path, dpi=figure.dpi):
            for frame in [*range(count), *[count - 1] * (HELD_SECONDS * FRAMES_A_SECOND - 1)]:
                show(frame)
                writer.grab_frame()
        return path.read_bytes()
