"""The networks of music: what they are called, what each frame may know, and that they are honest likelihoods."""

from itertools import combinations

import keras
import numpy as np
import pytest

from rnn_course.frames import choice_nats, list_choices, previous_frames
from rnn_course.models import build_frame_model, build_voice_model

FRAMES = (np.random.default_rng(0).random((2, 6, 5)) < 0.4).astype("float32")  # (batch, time, keys)
HEARD = previous_frames(FRAMES)
CHOICES = list_choices(FRAMES, slots=5)


def small_voices(**options):
    keras.utils.set_random_seed(1)
    return build_voice_model(**{"keys": 5, "slots": 5, "units": 4, "hidden": 6} | options)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_the_frame_model_gives_a_logit_for_every_key(cell):
    model = build_frame_model(keys=5, units=4, cell=cell)
    assert model(HEARD).shape == (2, 6, 5)
    names = ["heard", "heard_dropout", "embedding", cell, "dropout", "logits"]
    assert [layer.name for layer in model.layers] == names
    assert not model.compiled


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_the_voice_model_gives_logits_for_every_choice(cell):
    model = small_voices(cell=cell)
    assert model([HEARD, CHOICES]).shape == (2, 6, 5, 6)
    assert {"heard", cell, "memory", "choices", "pressed", "logits"} <= {layer.name for layer in model.layers}
    assert not model.compiled


@pytest.mark.parametrize("build", [build_frame_model, build_voice_model])
def test_another_cell_is_refused_with_the_list(build):
    with pytest.raises(ValueError, match="cell is 'rnn'; pass one of: 'lstm', 'gru', 'simple_rnn'"):
        build(cell="rnn")


def test_a_frame_is_foretold_from_the_frames_before_alone():
    later = HEARD.copy()
    later[:, 4] = 1 - later[:, 4]
    for model, rest in ((build_frame_model(keys=5, units=4), []), (small_voices(), [CHOICES])):
        before, after = (np.array(model([heard, *rest] if rest else heard)) for heard in (HEARD, later))
        np.testing.assert_array_equal(before[:, :4], after[:, :4])
        assert np.abs(before[:, 4:] - after[:, 4:]).max() > 0


def test_a_slot_knows_the_choices_before_it_and_not_its_own():
    model = small_voices()
    choices = np.tile(np.array([5, 4, 3, 2, 1]), (2, 6, 1))
    other = choices.copy()
    other[:, :, 2:] = [2, 1, 0]
    one, two = (np.array(model([HEARD, each])) for each in (choices, other))
    np.testing.assert_array_equal(one[:, :, :3], two[:, :, :3])
    assert np.abs(one[:, :, 3, 1] - two[:, :, 3, 1]).max() > 0


def test_the_probabilities_of_all_sets_of_keys_sum_to_one():
    model = small_voices()
    sets = [keys for size in range(6) for keys in combinations(range(5), size)]
    frames = np.zeros((len(sets), 1, 5))
    for frame, keys in zip(frames, sets, strict=True):
        frame[0, [*keys]] = 1
    choices = list_choices(frames, slots=5)
    nats = choice_nats(model([np.zeros_like(frames), choices]), choices)
    np.testing.assert_allclose(np.exp(-nats).sum(), 1, rtol=1e-5)


def test_a_saved_voice_model_comes_back_whole(tmp_path):
    model = small_voices()
    model.save(tmp_path / "voices.keras")
    again = keras.saving.load_model(tmp_path / "voices.keras")
    np.testing.assert_array_equal(model([HEARD, CHOICES]), again([HEARD, CHOICES]))


def test_dropout_is_for_training_alone():
    model = small_voices(dropout=(0.5, 0.5))
    np.testing.assert_array_equal(model([HEARD, CHOICES]), model([HEARD, CHOICES]))
    assert np.abs(np.array(model([HEARD, CHOICES], training=True)) - np.array(model([HEARD, CHOICES]))).max() > 0


def test_no_dense_layer_is_handed_four_axes_which_crashes_tensorflow_2_20():
    layers = [layer for layer in build_voice_model(keys=5, slots=2).layers if isinstance(layer, keras.layers.Dense)]
    assert [layer.name for layer in layers if layer.input.ndim != 3] == []
    assert layers
