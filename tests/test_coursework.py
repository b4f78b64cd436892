"""The example for coursework runs, uses every probe and every picture, and finds what is known to be there."""

import ast
import importlib.util
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from matplotlib import pyplot

from rnn_course import plots, probes

SCRIPT = Path(__file__).resolve().parents[1] / "examples" / "coursework.py"
RESULTS = {  # they are what a probe gives back: nobody makes one
    *("AlignmentAgreement", "AttentionWeights", "Attribution", "Connectivity", "Context", "FilterMatrices"),
    *("GateSaturation", "GradientFlow", "LagProfile", "LayerRef", "Match", "MemoryHalfLife", "Mutagenesis"),
    *("Projection", "ReadBack", "Retention", "SpectralRadius", "Spectrum", "Trace", "UnitConcept"),
}


@pytest.fixture(scope="module")
def coursework():
    spec = importlib.util.spec_from_file_location("coursework", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["coursework"] = module  # Keras looks the module of a registered cell up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["coursework"]


# --- the script -------------------------------------------------------------------------------------------------------


def used(module):
    """The names that the script takes from a module it has imported, such as `probes`."""
    nodes = ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8")))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node.value) == module}


def test_every_probe_is_used_but_for_the_names_of_results():
    assert set(probes.__all__) - used("probes") == RESULTS


def test_every_picture_is_drawn():
    assert {name for name in plots.__all__ if name.startswith("plot_")} - used("plots") == set()


def test_the_script_finds_what_was_planted_and_leaves_its_pictures(coursework, tmp_path, capsys):
    found = coursework.main([str(tmp_path), "--epochs", "3"])
    assert found["verdict_found"] > 0.9  # the one word that decides
    assert found["motif_found"] > 0.9  # TATAAT, within one letter
    assert found["saliency_on_square"] > 0.5  # the square is a sixteenth of a frame
    assert found["tune_surprise"] < 0.7 * found["tune_chance"]
    names = {path.name for path in tmp_path.iterdir()}
    assert {"gradients.gif", "texts.html", "logo.png", "frame_strip.png", "piano_roll.png"} <= names
    assert not pyplot.get_fignums()
    said = capsys.readouterr()
    assert "recurrent layers: ['reader/forward', 'reader/backward']" in said.out
    assert "Build one recurrent layer for each cell" in said.out
    assert said.err == ""


# --- models that the package never saw, and what is true of them ------------------------------------------------------


def test_a_cell_of_one_s_own_has_the_total_gradient_that_autodiff_finds(coursework):
    # The loop is written out once more, with a zero added to the state of each step, and the tape asked for its part.
    cell = coursework.LeakyCell(3)
    inputs = keras.Input((5, 2))
    model = keras.Model(inputs, layers.Dense(1, name="head")(layers.RNN(cell)(inputs)))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    given, wanted = rng.normal(size=(4, 5, 2)).astype("float32"), rng.normal(size=(4, 1)).astype("float32")
    kernel, recurrent, bias, rate, head, offset = model.get_weights()
    nudges = tf.zeros((5, 4, 3))
    with tf.GradientTape() as tape:
        tape.watch(nudges)
        hidden = tf.zeros((4, 3))
        for t in range(5):
            target = tf.tanh(given[:, t] @ kernel + hidden @ recurrent + bias)
            hidden = hidden + tf.sigmoid(rate) * (target - hidden) + nudges[t]
        loss = tf.reduce_mean((hidden @ head + offset - wanted) ** 2)
    known = tape.gradient(loss, nudges).numpy().swapaxes(0, 1)  # (batch, time, units)
    found = probes.gradient_flow(model, given, wanted, loss="mse")
    assert found.cell_type == "custom"
    np.testing.assert_allclose(found.values, known, rtol=1e-4, atol=1e-6)


def test_of_a_subclassed_model_that_adds_its_inputs_up_each_input_is_its_own_share():
    class Adding(keras.Model):
        def __init__(self):
            super().__init__(name="adding")
            self.add = layers.SimpleRNN(1, activation="linear", use_bias=False, name="add")

        def call(self, numbers):
            return self.add(numbers)

    model = Adding()
    numbers = np.random.default_rng(1).normal(size=(3, 6, 1)).astype("float32")
    model(numbers)
    model.add.set_weights([np.ones((1, 1)), np.ones((1, 1))])
    for method in ("gradient_x_input", "integrated_gradients"):
        found = probes.input_attribution(model, numbers, method=method)
        np.testing.assert_allclose(found.values, numbers[..., 0], rtol=1e-5)
    np.testing.assert_allclose(found.score, numbers.sum((1, 2)), rtol=1e-5)


def test_in_a_nested_model_mutagenesis_finds_the_one_letter_that_counts():
    # The inner model is 2 at a G and the outer one adds up: a G lost costs 2, one of three changes elsewhere brings 2.
    filters = layers.Conv1D(1, 1, use_bias=False, name="motifs")
    inner = keras.Sequential([keras.Input((None, 4)), filters], name="scanner")
    letters = keras.Input((None, 4))
    total = layers.SimpleRNN(1, activation="linear", use_bias=False, name="count")
    model = keras.Model(letters, total(inner(letters)), name="counter")
    filters.set_weights([np.array([[[0.0], [0.0], [2.0], [0.0]]])])
    total.set_weights([np.ones((1, 1)), np.ones((1, 1))])
    found = probes.in_silico_mutagenesis(model, np.eye(4)[[[0, 3, 2, 1, 0]]])
    np.testing.assert_allclose(found.importance()[0], np.where(np.arange(5) == 2, 2, -2 / 3), rtol=1e-5)
    assert probes.motif_position(found.importance(), 1).tolist() == [2]
    assert probes.filter_matrix(model, np.eye(4)[[[0, 3, 2, 1, 0]]]).probabilities.tolist() == [[[0, 0, 1, 0]]]
