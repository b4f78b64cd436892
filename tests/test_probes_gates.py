"""How often a gate is shut or open, counted by hand and in every setting in which a layer can stand."""

import dataclasses

import numpy as np
import pytest
from keras import layers
from small_models import CELLS, SETTINGS, UNITS, as_custom, build, fill, path_of, sequences

from rnn_course.probes.gates import gate_saturation
from rnn_course.probes.states import Trace, trace

# One sequence of four steps and one of two; the padding would count as open if it counted.
MASK = np.array([[True] * 4, [True, True, False, False]])
FORGET = np.array([[[0.95], [0.99], [0.5], [0.05]], [[0.91], [0.9], [1.0], [1.0]]])


def handmade(**gates):
    inputs = np.zeros((*MASK.shape, 1))
    return Trace(inputs, inputs, gates, inputs, MASK, "lstm", "forward")


def test_the_shares_are_those_that_one_counts_by_hand():
    # Real steps: 0.95 0.99 0.5 0.05 0.91 0.9. Above 0.9: three of six. Below 0.1: one.
    found = gate_saturation(handmade(forget=FORGET))
    np.testing.assert_allclose(found.open["forget"], [3 / 6])
    np.testing.assert_allclose(found.shut["forget"], [1 / 6])
    assert found.count == 6
    assert found.thresholds == (0.1, 0.9)


def test_the_thresholds_move_what_counts():
    found = gate_saturation(handmade(forget=FORGET), shut=0.6, open=0.94)
    np.testing.assert_allclose(found.shut["forget"], [2 / 6])
    np.testing.assert_allclose(found.open["forget"], [2 / 6])
    assert found.thresholds == (0.6, 0.94)


def test_every_gate_and_unit_has_its_own_share_and_the_candidate_none():
    gates = {"input": np.full((2, 4, 2), [0.95, 0.5]), "candidate": -np.ones((2, 4, 2)), "output": np.zeros((2, 4, 2))}
    found = gate_saturation(handmade(**gates))
    assert list(found.open) == list(found.shut) == ["input", "output"]
    assert found.open["input"].tolist() == [1.0, 0.0]
    assert found.shut["input"].tolist() == [0.0, 0.0]
    assert found.shut["output"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["lstm", "gru", "gru_reset_before"])
def test_pinned_gates_are_found_where_they_were_pinned(name, setting):
    # Weights zero and biases of ±5: sigmoid(5) = 0.993, sigmoid(-5) = 0.007; unit 0 of the keep gate is at 1/2.
    model = fill(build(setting, *CELLS[name]))
    pin_gates(trained_layers(model, path_of(setting)))
    for direction in ("forward", "backward") if setting == "bidirectional" else ("forward",):
        found = gate_saturation(trace(model, sequences(), path_of(setting), direction=direction))
        opened, shut, half = ("forget", "input", "forget") if name == "lstm" else ("update", "reset", "update")
        assert found.open[opened].tolist() == [0.0] + [1.0] * (UNITS - 1)
        assert found.shut[half].tolist() == [0.0] * UNITS
        assert found.shut[shut].tolist() == [1.0] * UNITS
        assert found.open[shut].tolist() == [0.0] * UNITS


def trained_layers(model, path):
    """The layers at a path: two of a Bidirectional."""
    for name in path.split("/"):
        model = model.get_layer(name)
    return [getattr(model, half) for half in ("forward_layer", "backward_layer") if hasattr(model, half)] or [model]


def pin_gates(pinned):
    """Shut the first gate of an LSTM and the second of a GRU, open the other one except in unit 0."""
    for layer in pinned:
        kernel, recurrent, bias = layer.get_weights()
        new = np.zeros_like(bias).reshape(-1, bias.shape[-1])
        opened, shut = (1, 0) if isinstance(layer, layers.LSTM) else (0, 1)
        new[0, opened * UNITS + 1 : (opened + 1) * UNITS] = 5
        new[0, shut * UNITS : (shut + 1) * UNITS] = -5
        layer.set_weights([0 * kernel, 0 * recurrent, new.reshape(bias.shape)])


@pytest.mark.parametrize("cell", [layers.SimpleRNN, as_custom(layers.LSTM)])
def test_a_cell_without_known_gates_is_refused(cell):
    seen = trace(build("plain", cell), sequences())
    with pytest.raises(
        ValueError, match=rf"A {seen.cell_type} has no gates .* Trace an LSTM or a GRU; .* memory_retention"
    ):
        gate_saturation(seen)


@pytest.mark.parametrize(
    ("change", "asked", "message"),
    [
        ({"mask": MASK & False}, {}, "The mask of the trace is False everywhere: no step is real. Pass inputs"),
        ({}, {"shut": 0.9, "open": 0.1}, "shut is 0.9 and open is 0.1; expected 0 <= shut < open <= 1"),
        ({}, {"open": 1.5}, "open is 1.5; expected"),
    ],
)
def test_questions_without_an_answer_are_refused(change, asked, message):
    with pytest.raises(ValueError, match=message):
        gate_saturation(dataclasses.replace(handmade(forget=FORGET), **change), **asked)
