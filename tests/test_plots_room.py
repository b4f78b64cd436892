"""What holds for every picture: it stays in its Axes, changes no setting, and can be read."""

import subprocess
import sys
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.text import Text

from rnn_course import plots

RNG = np.random.default_rng(7)
WORDS = ["the", "film", "is", "not", "good", ",", "but", "the", "actors", "are", "wonderful", "."]
MASK = np.arange(16) < 12
STATES = np.tanh(RNG.normal(size=(16, 10)).cumsum(axis=0))
OPEN = 1 / (1 + np.exp(-RNG.normal(size=(16, 64)).cumsum(axis=0)))
PATHS = RNG.normal(size=(3, 12, 2)).cumsum(axis=1)
NORMS = np.exp(RNG.normal(size=(8, 30)).cumsum(axis=1))
LAST_ONLY = np.where(np.arange(30) == 29, NORMS, 0.0)
COURSES = {"LSTM": np.stack([LAST_ONLY, NORMS, np.nan * NORMS]), "GRU": np.stack([NORMS, NORMS * 2, NORMS * 3])}
SPECTRUM = np.sort(np.exp(-np.arange(30)[::-1, None] * np.linspace(0.1, 1, 20)), axis=1)[:, ::-1]
CONNECTED = np.tril(np.exp(-np.maximum(np.arange(16)[:, None] - np.arange(16), 0.0)))
LEFT = {"lag": np.arange(30), "median": SPECTRUM[::-1, 5], "low": SPECTRUM[::-1, 9], "high": SPECTRUM[::-1, 2]}
VALUES = RNG.normal(size=12)
CURVES = {"loss": [0.7, 0.5, 0.4, 0.3], "val_loss": [0.7, 0.6, 0.55, 0.6]}
SHUT = {name: RNG.uniform(0, 0.5, 64) for name in ("input", "forget", "output")}
KEPT = RNG.uniform(0.8, 0.98, 64) ** np.arange(40)[:, None]
CAME = RNG.normal(size=300).cumsum()
STEPS_BEFORE = 10 ** np.arange(6)
EIGENVALUES = np.exp(2j * np.pi * RNG.uniform(size=64))
CHARACTERS = [chr(code) for code in range(32, 99)]
CHANCES = RNG.dirichlet(np.full(67, 0.05), size=30)
MINUTES = np.array([[1.0, 3.0, 9.0], [1.1, 3.2, 9.2]])
READ = RNG.dirichlet(np.full(12, 0.2), size=10)
CHORALE = np.array([72, 67, 60, 48]) + RNG.integers(-3, 4, size=(32, 4))
SOUNDING = (CHORALE[:, :, None] == 21 + np.arange(88)).any(axis=1)
BY_LENGTH = np.linspace(0.6, 0.2, 6) + RNG.normal(0, 0.02, size=(3, 6))
MOTIF = np.random.default_rng(5).dirichlet(np.full(4, 0.3), size=30)
SPLICED = np.random.default_rng(6).integers(4, size=60)
CHANGED = np.random.default_rng(6).normal(size=(60, 4)) * (1 - np.eye(4)[SPLICED])
CLASSES = np.random.default_rng(9).integers(3, size=500)
SURE = np.random.default_rng(8).dirichlet(np.full(3, 0.2), size=500)
CLIP = np.random.default_rng(10).integers(0, 256, size=(16, 32, 32))
BODY = np.random.default_rng(11).normal(size=(40, 4, 2)).cumsum(axis=1)
RECOGNIZED = np.random.default_rng(12).dirichlet(np.full(12, 0.3), size=16)
TITLE = "The state turns over at the word that negates the sentence"

PICTURES = {
    "states": lambda ax: plots.plot_states(STATES, mask=MASK, tokens=WORDS, title=TITLE, ax=ax),
    "unit": lambda ax: plots.plot_unit_over_time(STATES[:, :3], mask=MASK, tokens=WORDS, title=TITLE, ax=ax),
    "trajectories": lambda ax: plots.plot_trajectories(
        PATHS, labels=["good", "not good", "good, but long"], tokens=[WORDS] * 3, title=TITLE, ax=ax
    ),
    "gates": lambda ax: plots.plot_gates(
        {"input": OPEN, "forget": OPEN**0.3, "candidate": 2 * OPEN - 1, "output": 1 - OPEN},
        mask=MASK,
        tokens=WORDS,
        title=TITLE,
        ax=ax,
    ),
    "gate image": lambda ax: plots.plot_gate_image(OPEN, gate="forget", mask=MASK, tokens=WORDS, title=TITLE, ax=ax),
    "gate saturation": lambda ax: plots.plot_gate_saturation(SHUT, SHUT, title=TITLE, ax=ax),
    "retention": lambda ax: plots.plot_retention(
        {"LSTM": KEPT, "GRU": KEPT**2, "SimpleRNN": -(KEPT**8)},
        predicted={"LSTM": KEPT**1.2, "GRU": KEPT**1.5, "SimpleRNN": None},
        title=TITLE,
        ax=ax,
    ),
    "eigenvalues": lambda ax: plots.plot_eigenvalues(
        {"before training": EIGENVALUES, "after training": 1.3 * EIGENVALUES}, title=TITLE, ax=ax
    ),
    "gate weights": lambda ax: plots.plot_gate_weights(
        {name: RNG.normal(size=(64, 64)) for name in ("input", "forget", "candidate", "output")}, title=TITLE, ax=ax
    ),
    "gradient flow": lambda ax: plots.plot_gradient_flow({"total": NORMS, "direct": LAST_ONLY}, title=TITLE, ax=ax),
    "gradient by lag": lambda ax: plots.plot_gradient_flow(
        {"LSTM": NORMS, "GRU": NORMS * 1.1, "SimpleRNN": NORMS**2}, against="lag", title=TITLE, ax=ax
    ),
    "gradient history": lambda ax: plots.plot_gradient_history(COURSES["LSTM"], title=TITLE, ax=ax),
    "gradient stage": lambda ax: plots.plot_gradient_stage(COURSES, record=2, title=TITLE, ax=ax),
    "spectrum": lambda ax: plots.plot_spectrum(
        {"LSTM": SPECTRUM, "GRU": SPECTRUM**2, "cut": np.where(SPECTRUM == 1, 1.0, 0.0)}, title=TITLE, ax=ax
    ),
    "connectivity": lambda ax: plots.plot_connectivity(CONNECTED, mask=MASK, tokens=WORDS, title=TITLE, ax=ax),
    "lag profile": lambda ax: plots.plot_lag_profile({"LSTM": LEFT, "GRU": LEFT}, title=TITLE, ax=ax),
    "latency": lambda ax: plots.plot_latency(
        {"model.predict": NORMS[0] * 4e4, "tf.function": NORMS[1] * 100, "LSTM, NumPy": 11.0},
        baseline={"a line": 3.0},
        title=TITLE,
        ax=ax,
    ),
    "cost": lambda ax: plots.plot_cost(
        {"LSTM": (STEPS_BEFORE, np.full(6, 11.0)), "Transformer": (STEPS_BEFORE, 30 + STEPS_BEFORE / 10)},
        bands={"LSTM": np.outer([10, 13], np.ones(6))},
        quantity="time of a step (µs)",
        title=TITLE,
        ax=ax,
    ),
    "forecast": lambda ax: plots.plot_forecast(
        CAME, CAME + 0.2, np.full(300, 1.0), changes=[90, 180], title=TITLE, ax=ax
    ),
    "surprise": lambda ax: plots.plot_surprise(
        CAME**2, threshold=30, changes=[90, 180], alarms=[95, 200], title=TITLE, ax=ax
    ),
    "attribution": lambda ax: plots.plot_attribution(WORDS, VALUES, title=TITLE, ax=ax),
    "highlighted": lambda ax: plots.plot_highlighted_texts([(WORDS, VALUES), (WORDS, -VALUES)], title=TITLE, ax=ax),
    "concept": lambda ax: plots.plot_unit_concept(
        RNG.uniform(-0.3, 0.3, 64), RNG.uniform(0.2, 0.4, 200), title=TITLE, ax=ax
    ),
    "ablation": lambda ax: plots.plot_ablation(
        {"intact": 0.82, "unit 17 removed": 0.74, "a random unit removed": [0.81, 0.82]},
        baseline={"majority": 0.52},
        title=TITLE,
        ax=ax,
    ),
    "history": lambda ax: plots.plot_history(CURVES, title=TITLE, ax=ax),
    "next token": lambda ax: plots.plot_next_token(CHANCES, CHARACTERS, chosen=np.arange(30), title=TITLE, ax=ax),
    "alignment": lambda ax: plots.plot_alignment(
        READ, source=WORDS, target=WORDS[:10], truth=[(i, i) for i in range(10)], title=TITLE, ax=ax
    ),
    "piano roll": lambda ax: plots.plot_piano_roll(CHORALE, title=TITLE, ax=ax),
    "piano roll of keys": lambda ax: plots.plot_piano_roll(SOUNDING, step=0.5, title=TITLE, ax=ax),
    "piano roll of probabilities": lambda ax: plots.plot_piano_roll(
        SOUNDING, probabilities=0.6 * SOUNDING, title=TITLE, ax=ax
    ),
    "activity": lambda ax: plots.plot_activity(RNG.uniform(-1, 1, size=(32, 64)), title=TITLE, ax=ax),
    "activity of a unit": lambda ax: plots.plot_activity(RNG.uniform(-1, 1, size=32), title=TITLE, ax=ax),
    "frames": lambda ax: plots.plot_frames(CLIP, title=TITLE, ax=ax),
    "frames and saliency": lambda ax: plots.plot_frames(CLIP, saliency=CLIP - 99.0, title=TITLE, ax=ax),
    "poses": lambda ax: plots.plot_poses(BODY, [(0, 1), (1, 2), (2, 3)], saliency=BODY[..., 0], title=TITLE, ax=ax),
    "recognition": lambda ax: plots.plot_recognition(RECOGNIZED, labels=WORDS, truth=3, title=TITLE, ax=ax),
    "breakdown": lambda ax: plots.plot_breakdown(
        {"LSTM, last state only": BY_LENGTH, "LSTM with attention": BY_LENGTH + 0.2},
        groups=["1–3", "4–6", "7–9", "10–12", "13–16", "17–24"],
        counts=[1200, 15200, 8012, 2100, 500, 42],
        x="words in the source sentence",
        y="chrF",
        baseline={"word by word": 0.3},
        title=TITLE,
        ax=ax,
    ),
    "against minutes": lambda ax: plots.plot_against_minutes(
        {"LSTM": (MINUTES, 1.5 + 2 / MINUTES), "GRU": (MINUTES[0], 1.55 + 2 / MINUTES[0])},
        marks={"nanoGPT on a CPU": (3, 1.88), "nanoGPT on an A100": (3, 1.47), "minGRU": 1.548},
        levels={"5-gram": 1.5612, "7-gram": 1.5165, "unigram": 3.35},
        title=TITLE,
        ax=ax,
    ),
    "logo": lambda ax: plots.plot_sequence_logo(MOTIF, "ACGT", start=-14, highlight=[(1, 2)], title=TITLE, ax=ax),
    "logo of importance": lambda ax: plots.plot_sequence_logo(
        -CHANGED.mean(1)[:, None] * np.eye(4)[SPLICED], "ACGT", quantity="importance (nats)", title=TITLE, ax=ax
    ),
    "mutagenesis": lambda ax: plots.plot_mutagenesis(
        CHANGED, "ACGT", ["ACGT"[place] for place in SPLICED], highlight=[(31, 32)], title=TITLE, ax=ax
    ),
    "calibration": lambda ax: plots.plot_calibration(SURE, CLASSES, title=TITLE, ax=ax),
    "confusion": lambda ax: plots.plot_confusion(
        [[140, 5, 8], [3, 150, 4], [20, 11, 297]], ["donor", "acceptor", "neither"], title=TITLE, ax=ax
    ),
    "histories": lambda ax: plots.plot_history({"LSTM": [CURVES] * 3, "GRU": CURVES}, title=TITLE, ax=ax),
    "scores": lambda ax: plots.plot_scores(
        {"LSTM": [0.82, 0.83], "GRU": [0.81, 0.84]},
        baseline={"TF-IDF": 0.815},
        published={"LSTM (Zhao 2018)": 0.806, "BiLSTM (Zhao 2018)": 0.832},
        title=TITLE,
        ax=ax,
    ),
}
every_picture = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


def texts_of(figure):
    """Every text that a reader sees, after the layout is settled; ticks beyond the limits are not drawn."""
    figure.draw_without_rendering()
    texts = {text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()}
    for ax in figure.axes:
        for axis, limits in ((ax.xaxis, sorted(ax.get_xlim())), (ax.yaxis, sorted(ax.get_ylim()))):
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            beyond = [tick for tick in ticks if not limits[0] <= tick.get_loc() <= limits[1]]
            texts -= {label for tick in beyond for label in (tick.label1, tick.label2)}
    return texts


@pytest.fixture
def new_figure():
    """A function that draws a picture in a figure of its own, closed afterwards."""
    made = []

    def draw_new(draw):
        made.append(draw(None).figure)
        return made[-1]

    yield draw_new
    for figure in made:
        pyplot.close(figure)


@every_picture
def test_a_picture_is_drawn_into_the_axes_it_is_given_and_nowhere_else(draw):
    figure = Figure(figsize=(14, 6), layout="constrained")
    left, right = figure.subplots(1, 2)
    untouched = [type(artist) for artist in left.get_children()]

    assert draw(right) is right

    assert [type(artist) for artist in left.get_children()] == untouched
    assert not left.has_data()
    assert left.get_xlabel() == left.get_ylabel() == left.get_title(loc="left") == ""
    assert len(left.texts) == 0
    assert right.get_title(loc="left").replace("\n", " ") == TITLE


@every_picture
def test_a_picture_changes_no_setting_and_leaves_no_figure_behind(draw):
    settings, figures = dict(matplotlib.rcParams), pyplot.get_fignums()

    draw(Figure(figsize=(7, 3)).subplots())

    assert dict(matplotlib.rcParams) == settings
    assert pyplot.get_fignums() == figures


@every_picture
def test_without_axes_there_is_one_new_figure_seven_inches_wide(draw, new_figure):
    before = set(pyplot.get_fignums())
    figure = new_figure(draw)
    assert len(set(pyplot.get_fignums()) - before) == 1
    assert figure.get_figwidth() == 7
    assert figure.get_figheight() <= 3.6
    assert figure.dpi == 110


@every_picture
def test_no_text_is_smaller_than_nine_points(draw, new_figure):
    sizes = {text.get_text(): text.get_fontsize() for text in texts_of(new_figure(draw))}
    assert min(sizes.values()) >= 9, sizes


@every_picture
def test_no_text_lies_on_another_or_outside_the_figure(draw, new_figure):
    figure = new_figure(draw)
    # A slanted word's box overlaps its neighbor's although the words do not.
    boxes = {text: text.get_window_extent() for text in texts_of(figure) if text.get_rotation() in (0, 90)}
    for (first, one), (second, other) in combinations(boxes.items(), 2):
        shared = one.intersection(one, other)
        area = 0 if shared is None else shared.width * shared.height
        assert area < 12, (first.get_text(), second.get_text())
    for text, box in boxes.items():
        assert box.x0 > -1 and box.y0 > -1, text.get_text()
        assert box.x1 < figure.bbox.x1 + 1 and box.y1 < figure.bbox.y1 + 1, text.get_text()


def test_the_room_is_entered_without_keras_or_a_chosen_backend():
    code = (
        "import sys, rnn_course.plots\n"
        "print([name for name in ('keras', 'tensorflow', 'sklearn', 'matplotlib.pyplot') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_everything_that_is_exported_exists_and_is_named_once():
    assert sorted(set(plots.__all__)) == plots.__all__
    assert all(callable(getattr(plots, name)) for name in plots.__all__)


def test_a_subfigure_is_as_good_as_a_figure():
    figure = Figure(figsize=(7, 3), layout="constrained")
    ax = figure.subfigures(1, 2)[1].subplots()
    plots.plot_trajectories(PATHS, labels=["a", "b", "c"], title=TITLE, ax=ax)
    plots.plot_highlighted_text(["good"], [1.0], ax=figure.subfigs[0].subplots(), title="Good")
    figure.draw_without_rendering()
    assert len(ax.texts) == 3
