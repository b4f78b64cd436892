"""The translator: what its parts are called, what flows from where to where, and what attention alone changes."""

import keras
import numpy as np
import pytest

from rnn_course.models import build_translator

SOURCE = np.array([[3, 4, 5, 0], [6, 7, 8, 9]])  # (batch, source)
TARGET = np.array([[1, 2, 3], [1, 4, 5]])  # (batch, target)


def small(**options):
    keras.utils.set_random_seed(1)
    sizes = {"source_vocabulary": 10, "target_vocabulary": 12, "embedding": 5, "units": 6}
    return build_translator(**sizes | options)


@pytest.mark.parametrize("cell", ["gru", "lstm", "simple_rnn"])
@pytest.mark.parametrize("attention", ["dot", "additive", None])
def test_two_rows_of_ids_become_logits_for_every_target_step(cell, attention):
    model = small(cell=cell, attention=attention)
    assert model([SOURCE, TARGET]).shape == (2, 3, 12)
    assert not model.compiled
    names = [layer.name for layer in model.layers]
    assert {"source", "source_embedding", "encoder", "summary", "state_1", "target", "target_embedding"} < set(names)
    assert {"decoder", "combined", "norm", "dropout"} < set(names)
    assert ("state_2" in names) == (cell == "lstm")
    assert ("attention" in names) == (attention is not None)


@pytest.mark.parametrize("attention", ["dot", None])
def test_longer_padding_of_the_source_changes_nothing(attention):
    model = small(attention=attention)
    longer = np.pad(SOURCE, ((0, 0), (0, 7)))
    np.testing.assert_allclose(model([longer, TARGET]), model([SOURCE, TARGET]), atol=1e-6)


def test_a_logit_depends_on_the_target_before_it_and_not_on_what_follows():
    model, other = small(), TARGET.copy()
    other[:, 2] = 11
    before, after = np.array(model([SOURCE, TARGET])), np.array(model([SOURCE, other]))
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert np.abs(before[:, 2] - after[:, 2]).min() > 0


def context_of(model):
    """The decoder's states and what it is given beside them, (batch, target, features) each."""
    both = np.array(keras.Model(model.inputs, model.get_layer("hidden_and_context").output)([SOURCE, TARGET]))
    return both[..., :6], both[..., 6:]


def test_without_attention_every_word_is_given_the_same_summary():
    model = small(attention=None)
    summary = np.array(keras.Model(model.inputs[0], model.get_layer("summary").output)(SOURCE))
    _, context = context_of(model)
    np.testing.assert_array_equal(context, np.repeat(summary[:, None], 3, axis=1))


def test_the_summary_holds_the_state_after_the_last_real_word_and_after_the_first():
    model = small(attention=None)
    memory, summary = keras.Model(
        model.inputs[0], [model.get_layer("encoder").output[0], model.get_layer("summary").output]
    )(SOURCE)
    forward, backward = np.split(np.array(memory), 2, axis=-1)
    np.testing.assert_allclose(summary[0], np.concatenate([forward[0, 2], backward[0, 0]]), atol=1e-6)
    np.testing.assert_allclose(summary[1], np.concatenate([forward[1, 3], backward[1, 0]]), atol=1e-6)


def test_with_attention_the_context_is_the_weighted_mean_of_the_encoder_states():
    model = small()
    memory = np.array(keras.Model(model.inputs[0], model.get_layer("encoder").output[0])(SOURCE))
    weights = np.array(keras.Model(model.inputs, model.get_layer("attention").output[1])([SOURCE, TARGET]))
    _, context = context_of(model)
    np.testing.assert_allclose(context, weights @ memory, atol=1e-6)
    assert (weights[0, :, 3] == 0).all()


def test_both_kinds_differ_in_nothing_but_the_two_matrices_that_compare():
    with_attention, without = small(), small(attention=None)
    assert with_attention.count_params() - without.count_params() == 2 * 6 * 6


def test_what_is_read_and_what_is_chosen_are_one_table_also_after_saving(tmp_path):
    small().save(tmp_path / "translator.keras")
    for model in (small(), keras.models.load_model(tmp_path / "translator.keras")):
        assert "logits" not in [layer.name for layer in model.layers]
        before = np.array(model([SOURCE, TARGET]))
        vectors, bias = model.get_layer("target_embedding").get_weights()
        vectors[11] = 7.0  # a word that the target does not hold: only its own logit may change
        model.get_layer("target_embedding").set_weights([vectors, bias])
        after = np.array(model([SOURCE, TARGET]))
        np.testing.assert_array_equal(before[..., :11], after[..., :11])
        assert np.abs(before[..., 11] - after[..., 11]).min() > 0


def test_a_saved_translator_says_the_same(tmp_path):
    model = small(attention="additive")
    model.save(tmp_path / "translator.keras")
    again = keras.models.load_model(tmp_path / "translator.keras")
    np.testing.assert_allclose(again([SOURCE, TARGET]), model([SOURCE, TARGET]), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": "rnn"}, "cell is 'rnn'; pass one of: 'lstm', 'gru', 'simple_rnn'"),
        ({"units": 7}, "units is 7; pass an even"),
    ],
)
def test_another_cell_or_an_odd_number_of_units_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small(**options)
