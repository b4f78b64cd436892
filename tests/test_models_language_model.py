"""The language model: what it sees, what it keeps from batch to batch, and that both ways of reading share weights."""

import numpy as np
import pytest

from rnn_course.layers import FusedGRU, FusedLSTM, FusedSimpleRNN
from rnn_course.models import build_language_model

IDS = np.array([[3, 8, 2, 5, 7, 1], [6, 4, 9, 2, 3, 3]], "int32")
CELLS = {"lstm": FusedLSTM, "gru": FusedGRU, "simple_rnn": FusedSimpleRNN}


def small(seed=1, **sizes):
    """A small model, every weight with its own value."""
    model = build_language_model(**{"vocabulary": 10, "embedding": 4, "units": (5, 3), **sizes})
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.7, variable.shape))
    return model


def logits(model, ids):
    return np.asarray(model(ids, training=False))


@pytest.mark.parametrize("cell", CELLS)
def test_the_layers_have_the_names_that_lessons_use(cell):
    model = small(cell=cell)
    names = [layer.name for layer in model.layers]
    assert names == ["tokens", "embedding", f"{cell}_1", "dropout_1", f"{cell}_2", "dropout_2", "logits"]
    assert [model.get_layer(f"{cell}_{number}").units for number in (1, 2)] == [5, 3]
    assert type(model.get_layer(f"{cell}_1")) is CELLS[cell]
    assert not model.compiled


def test_there_is_a_logit_for_every_token_at_every_step():
    assert small().output_shape == (None, None, 10)
    assert logits(small(), IDS).shape == (2, 6, 10)


@pytest.mark.parametrize("cell", CELLS)
def test_no_step_sees_a_later_one(cell):
    model, changed = small(cell=cell), IDS.copy()
    changed[:, 4] = 9 - changed[:, 4]
    before, after = logits(model, IDS), logits(model, changed)
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 1e-3


@pytest.mark.parametrize("cell", CELLS)
def test_with_a_batch_size_the_state_is_kept_from_batch_to_batch(cell):
    keeps, forgets = small(cell=cell, batch=2), small(cell=cell)
    pieces = [logits(keeps, IDS[:, :2]), logits(keeps, IDS[:, 2:])]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), logits(forgets, IDS), atol=1e-6)
    assert np.abs(logits(forgets, IDS[:, 2:]) - pieces[1]).max() > 1e-3


def test_weights_trained_with_a_kept_state_fit_the_model_without():
    trained, reader = small(seed=1, batch=2), small(seed=2)
    trained(IDS)  # its state is no weight
    reader.set_weights(trained.get_weights())
    for number in (1, 2):
        trained.get_layer(f"lstm_{number}").reset_states()
    np.testing.assert_allclose(logits(reader, IDS), logits(trained, IDS), atol=1e-6)


def test_dropout_works_in_training_alone():
    model = small(dropout=0.9)
    np.testing.assert_array_equal(logits(model, IDS), logits(model, IDS))
    assert np.abs(np.asarray(model(IDS, training=True)) - logits(model, IDS)).max() > 1e-3
    assert all(model.get_layer(f"dropout_{number}").rate == 0.9 for number in (1, 2))


def test_dropout_takes_the_same_units_away_at_every_step_of_a_row():
    model = small(dropout=0.5)
    dropped = np.asarray(model.get_layer("dropout_1")(np.ones((4, 6, 5), "float32"), training=True))
    assert np.ptp(dropped, axis=1).max() == 0
    assert {0.0, 2.0} == set(np.unique(dropped))


def test_another_cell_is_refused_with_the_list():
    with pytest.raises(ValueError, match="cell is 'rnn'; pass one of: 'lstm', 'gru', 'simple_rnn'"):
        small(cell="rnn")


def test_a_model_without_memory_is_refused():
    with pytest.raises(ValueError, match="units is empty: without a recurrent layer nothing is remembered"):
        small(units=())
