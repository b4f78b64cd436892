"""The networks of letters: what they are called, that padding is not read, and that places and lengths may vary."""

import keras
import numpy as np
import pytest

from rnn_course.biosequences import DNA, PROTEIN, encode
from rnn_course.models import build_bilstm, build_conv_bilstm
from rnn_course.probes import find_rnn_layers, gradient_flow, trace

BUILDERS = {"bilstm": build_bilstm, "conv_bilstm": build_conv_bilstm}
every_builder = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)


def small(build, **options):
    keras.utils.set_random_seed(3)
    return build(**{"letters": 4, "classes": 3, "units": 5, "hidden": 6} | options)


def drawn(lengths, alphabet=DNA, *, length=None):
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list(alphabet.letters), size)) for size in lengths]
    return encode(texts, alphabet, length=length)


def of_a_free_length(build):
    return small(build, filters=7, pool=3) if build is build_conv_bilstm else small(build)


@pytest.mark.parametrize("length", [None, 20])
@every_builder
def test_there_is_a_logit_for_every_class_and_every_layer_has_its_name(build, length):
    model = small(build, length=length)
    assert model(drawn([20, 20])).shape == (2, 3)
    summary = "pooling" if length is None else "flatten"
    rest = {"letters", "bilstm", "bilstm_dropout", summary, "hidden", "hidden_dropout", "logits"}
    convolution = {"convolution", "to_the_end", "max_pooling", "filter_dropout"}
    assert {layer.name for layer in model.layers} == rest | (convolution if build is build_conv_bilstm else set())
    assert not model.compiled


@every_builder
@pytest.mark.parametrize("longer", [41, 42, 43, 60])
def test_padding_of_any_length_changes_no_logit(build, longer):
    model = of_a_free_length(build)
    short, padded = drawn([40, 17]), drawn([40, 17], length=longer)
    assert short.shape[1] < padded.shape[1]
    np.testing.assert_allclose(model(short), model(padded), atol=1e-6)


@every_builder
def test_a_sequence_answers_the_same_alone_and_beside_a_longer_one(build):
    model = of_a_free_length(build)
    both = drawn([400, 301])
    np.testing.assert_allclose(model(both)[1:], model(both[1:, :301]), atol=1e-5)


@every_builder
def test_padding_is_not_read_by_the_lstm_either(build):
    model = of_a_free_length(build)
    read = trace(model, drawn([40, 17]), "bilstm", direction="forward")
    steps = {build_bilstm: [40, 17], build_conv_bilstm: [14, 6]}[build]  # one in three, the last window not full
    assert read.mask.sum(axis=1).tolist() == steps


@every_builder
def test_windows_of_one_length_have_weights_for_every_place_and_all_letters_count(build):
    model = small(build, length=20)
    letters = drawn([20])
    for place in range(20):
        other = letters.copy()
        other[0, place] = other[0, place, ::-1]
        assert np.abs(np.array(model(other)) - np.array(model(letters))).max() > 1e-7


@every_builder
def test_twenty_letters_and_seven_classes_are_as_good_as_four_and_three(build):
    model = small(build, letters=20, classes=7)
    proteins = drawn([300, 120], PROTEIN)
    assert model(proteins).shape == (2, 7)
    assert np.isfinite(model(proteins)).all()


@every_builder
def test_an_ambiguous_letter_is_read_as_a_letter_and_not_as_padding(build):
    model = of_a_free_length(build)
    known, open_end = encode(["ACGTA"], DNA, length=6), encode(["ACGTAN"], DNA)
    assert np.abs(np.array(model(known)) - np.array(model(open_end))).max() > 1e-6


@every_builder
def test_the_gradient_through_time_can_be_followed_past_the_mask(build):
    model = of_a_free_length(build)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    flow = gradient_flow(model, drawn([30, 16]), np.array([0, 2]), "bilstm", loss=loss)
    assert (flow.norm()[flow.mask] > 0).all()
    assert len(find_rnn_layers(model)) == 2


@every_builder
def test_a_saved_network_comes_back_whole(build, tmp_path):
    model = of_a_free_length(build)
    model.save(tmp_path / "dna.keras")
    again = keras.saving.load_model(tmp_path / "dna.keras")
    np.testing.assert_array_equal(model(drawn([30, 16])), again(drawn([30, 16])))


@every_builder
def test_dropout_is_for_training_alone_and_can_be_turned_off(build):
    shares = (0.5, 0.5, 0.5) if build is build_conv_bilstm else (0.5, 0.5)
    model = small(build, dropout=shares)
    letters = drawn([20])
    np.testing.assert_array_equal(model(letters), model(letters))
    assert np.abs(np.array(model(letters, training=True)) - np.array(model(letters))).max() > 0
    still = small(build, dropout=(0,) * len(shares))
    np.testing.assert_allclose(still(letters, training=True), still(letters), atol=1e-6)
