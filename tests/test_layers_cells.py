"""Recurrent layers by name: which they are, and that no builder has a list of its own."""

import re
from pathlib import Path

import keras
import pytest

from rnn_course.layers import FusedGRU, FusedLSTM, FusedSimpleRNN, recurrent_layer

MODELS = sorted((Path(__file__).parents[1] / "rnn_course" / "models").glob("*.py"))


@pytest.mark.parametrize(("cell", "kind"), [("lstm", FusedLSTM), ("gru", FusedGRU), ("simple_rnn", FusedSimpleRNN)])
def test_a_name_stands_for_the_fused_layer_with_all_its_options(cell, kind):
    layer = recurrent_layer(cell, 3, return_sequences=True, name="memory")
    assert type(layer) is kind
    assert (layer.units, layer.return_sequences, layer.name) == (3, True, "memory")
    assert layer(keras.ops.ones((2, 4, 5))).shape == (2, 4, 3)


def test_another_name_is_refused_with_the_list():
    with pytest.raises(ValueError, match="cell is 'rnn'; pass one of: 'lstm', 'gru', 'simple_rnn'"):
        recurrent_layer("rnn", 3)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_no_builder_names_a_recurrent_layer_of_its_own(path):
    assert not re.findall(r"\b(?:LSTM|GRU|SimpleRNN)\(", path.read_text(encoding="utf-8"))
