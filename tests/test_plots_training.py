"""Learning curves and held-out scores."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import line_of, new_axes, texts_of

from rnn_course.plots import plot_history, plot_scores
from rnn_course.plots.style import CELL_COLORS

CURVES = {
    "loss": [0.7, 0.5, 0.3, 0.1],
    "val_loss": [0.7, 0.6, 0.5, 0.8],
    "accuracy": [0.5, 0.7, 0.8, 0.9],
    "val_accuracy": [0.5, 0.7, 0.6, 0.65],
}


def dots_of(ax):
    return [
        line.get_xydata()[0].tolist() for line in ax.lines if line.get_marker() == "o" and line.get_markersize() == 7
    ]


def test_training_is_dashed_validation_solid_and_epochs_start_at_one():
    ax = plot_history(CURVES, quantity="loss (nats)", ax=new_axes())
    training, validation = line_of(ax, "training"), line_of(ax, "validation")
    assert (training.get_linestyle(), validation.get_linestyle()) == ("--", "-")
    assert training.get_xdata().tolist() == validation.get_xdata().tolist() == [1, 2, 3, 4]
    assert training.get_ydata().tolist() == CURVES["loss"]
    assert validation.get_ydata().tolist() == CURVES["val_loss"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss (nats)")
    assert {"training", "validation"} <= set(texts_of(ax))


def test_the_lowest_loss_and_the_highest_accuracy_are_marked():
    ax = plot_history(CURVES, metric="loss", ax=new_axes())
    assert dots_of(ax) == [[3, 0.5]] and "epoch 3: 0.500" in texts_of(ax)
    ax = plot_history(CURVES, metric="accuracy", ax=new_axes())
    assert dots_of(ax) == [[2, 0.7]] and "epoch 2: 0.700" in texts_of(ax)


def test_the_best_epoch_can_be_told_or_left_out():
    history = {"score": [1.0, 3.0, 2.0], "val_score": [1.0, 3.0, 0.5]}
    assert dots_of(plot_history(history, metric="score", best="lowest", ax=new_axes())) == [[3, 0.5]]
    assert dots_of(plot_history(history, metric="score", best="highest", ax=new_axes())) == [[2, 3.0]]
    assert dots_of(plot_history(history, metric="score", best=None, ax=new_axes())) == []
    with pytest.raises(ValueError, match="Is a low 'score' good"):
        plot_history(history, metric="score", ax=new_axes())
    with pytest.raises(ValueError, match="`best` must be"):
        plot_history(history, metric="score", best="first", ax=new_axes())


def test_seeds_are_a_mean_with_a_band_over_their_range():
    seeds = [{"loss": [3.0, 1.0]}, {"loss": [5.0, 2.0]}, {"loss": [4.0, 3.0]}]
    ax = plot_history(seeds, ax=new_axes())
    assert line_of(ax, "training").get_ydata().tolist() == [4.0, 2.0]
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices
    assert {(x, y) for x, y in heights.tolist()} >= {(1, 3.0), (1, 5.0), (2, 1.0), (2, 3.0)}
    assert "mean and range of 3 seeds" in ax.get_xlabel()


def test_seeds_of_different_lengths_are_lines_of_their_own():
    seeds = [CURVES, {key: values[:3] for key, values in CURVES.items()}]
    ax = plot_history(seeds, ax=new_axes())
    lines = [line for line in ax.lines if line.get_label() == "validation"]
    assert sorted(len(line.get_xdata()) for line in lines) == [3, 4]
    assert len(ax.collections) == 0
    assert "one line a seed" in ax.get_xlabel()
    assert dots_of(ax) == [[3, 0.5], [3, 0.5]]


def test_several_models_keep_their_colors_and_are_named_at_the_right():
    ax = plot_history({"LSTM": [CURVES, CURVES], "GRU": CURVES}, metric="accuracy", ax=new_axes())
    assert same_color(line_of(ax, "LSTM validation").get_color(), CELL_COLORS["lstm"])
    assert same_color(line_of(ax, "GRU training").get_color(), CELL_COLORS["gru"])
    assert texts_of(ax) == ["LSTM", "GRU"]
    assert "dashed: training, solid: validation" in ax.get_xlabel()


def test_two_models_of_one_cell_have_different_colors():
    ax = plot_history({"LSTM, 4 units": CURVES, "LSTM, 8 units": CURVES}, ax=new_axes())
    first, second = (line_of(ax, f"LSTM, {units} units validation").get_color() for units in (4, 8))
    assert same_color(first, CELL_COLORS["lstm"]) and not same_color(first, second)


def test_one_named_model_is_drawn_like_an_unnamed_one():
    assert set(texts_of(plot_history({"LSTM": CURVES}, ax=new_axes()))) >= {"training", "validation"}


def test_arrays_and_a_single_epoch_will_do():
    ax = plot_history({"loss": np.array([0.5])}, ax=new_axes())
    ax.figure.draw_without_rendering()
    assert line_of(ax, "training").get_markersize() > 0
    assert texts_of(ax) == ["training"]


@pytest.mark.parametrize(
    ("histories", "metric", "message"),
    [
        (CURVES, "auc", r"no 'auc' in `histories\[''\]`; it has loss, val_loss, accuracy, val_accuracy"),
        ({"LSTM": CURVES, "GRU": {"loss": []}}, "loss", r"`histories\['GRU'\]\['loss'\]` must be \(epochs,\)"),
        ([], "loss", "must be a dict of metric -> numbers"),
        ([0.5, 0.4], "loss", "pass `History.history`"),
        ({"LSTM": CURVES, "GRU": [0.5]}, "loss", r"`histories\['GRU'\]` must be a dict"),
    ],
)
def test_wrong_histories_are_refused_with_what_to_do(histories, metric, message):
    with pytest.raises(ValueError, match=message):
        plot_history(histories, metric=metric, ax=new_axes())


SCORES = {"BiLSTM": [0.82, 0.84, 0.83], "GRU": 0.81}
REFERENCES = {"baseline": {"TF-IDF": 0.815}, "published": {"Zhao 2018": 0.832}}


def test_every_seed_is_a_small_dot_and_the_mean_a_large_one():
    ax = plot_scores(SCORES, ax=new_axes())
    small = [line.get_xdata().tolist() for line in ax.lines if line.get_markersize() == 4]
    large = [line.get_xydata()[0].tolist() for line in ax.lines if line.get_markersize() == 10]
    assert small == [[0.82, 0.84, 0.83], [0.81]]
    np.testing.assert_allclose(large, [[0.83, 0], [0.81, 1]])
    assert texts_of(ax) == ["0.830 (0.820 – 0.840)", "0.810"]
    assert ax.get_xlabel() == "test accuracy\nmean of up to 3 seeds (lowest – highest)"


def test_a_label_that_names_a_cell_has_its_color():
    ax = plot_scores({"GRU": 0.8}, ax=new_axes())
    assert all(same_color(line.get_color(), CELL_COLORS["gru"]) for line in ax.lines)


def test_the_baseline_is_dashed_black_the_published_figure_dotted_and_both_are_named():
    ax = plot_scores(SCORES, **REFERENCES, ax=new_axes())
    baseline, published = line_of(ax, "TF-IDF"), line_of(ax, "Zhao 2018")
    assert (baseline.get_color(), baseline.get_linestyle()) == ("black", "--")
    assert published.get_linestyle() == ":"
    assert set(baseline.get_xdata()) == {0.815} and set(published.get_xdata()) == {0.832}
    assert {"TF-IDF", "Zhao 2018"} <= set(texts_of(ax))


def test_lines_to_beat_are_in_sight_wherever_they_lie():
    ax = plot_scores({"GRU": [0.8, 0.81]}, baseline=0.2, published=0.99, ax=new_axes())
    low, high = ax.get_xlim()
    assert low < 0.2 and high > 0.99
    assert {"baseline", "published"} <= set(texts_of(ax))


def test_scores_may_be_written_in_another_form():
    assert texts_of(plot_scores({"RNN": 8.912}, value_format=".1f", ax=new_axes())) == ["8.9"]


def test_a_published_figure_that_is_none_is_refused():
    with pytest.raises(ValueError, match="`published` must be a finite number"):
        plot_scores(SCORES, published={"Zhao 2018": np.nan}, ax=new_axes())


def test_a_training_that_has_exploded_is_drawn_without_a_best_epoch():
    ax = plot_history({"loss": [2.0, np.nan], "val_loss": [np.nan, np.nan]}, ax=new_axes())
    assert line_of(ax, "training").get_ydata()[0] == 2
    assert not [text for text in texts_of(ax) if text.startswith("epoch")]
