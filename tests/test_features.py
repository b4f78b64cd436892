"""Features of a frozen network: those of every frame, computed once, and never those of another network or clip."""

import keras
import numpy as np
import pytest
from keras import layers

from rnn_course.features import extract_features, fingerprint

RNG = np.random.default_rng(0)
CLIPS = [RNG.integers(1, 256, size=(time, 6, 4, 3), dtype="uint8") for time in (5, 2, 3)]


def eye(seed=1, *, channels=3, activation="relu", name=None, head=(layers.GlobalAveragePooling2D,)):
    """A small network with weights of its own, and a layer that behaves differently while training."""
    keras.utils.set_random_seed(seed)
    parts = [layers.Conv2D(7, 3, activation=activation), layers.BatchNormalization(), layers.Dropout(0.5)]
    return keras.Sequential([keras.Input((6, 4, channels)), *parts, *[make() for make in head]], name=name)


class Counting:
    """Stands before a model and counts the frames that it is shown."""

    def __init__(self, model):
        self.model, self.sizes = model, []
        self.input_shape, self.layers, self.get_weights = model.input_shape, model.layers, model.get_weights

    def predict_on_batch(self, frames):
        self.sizes.append(len(frames))
        return self.model.predict_on_batch(frames)


def test_every_frame_has_the_features_that_the_network_gives_it_alone():
    model = eye()
    found = extract_features(model, CLIPS, batch_size=2)
    assert found.shape == (3, 5, 7) and found.dtype == np.float32
    for clip, rows in zip(CLIPS, found, strict=True):
        for frame, row in zip(clip, rows, strict=False):
            np.testing.assert_allclose(
                row, np.array(model(frame[None].astype("float32"), training=False))[0], rtol=1e-4
            )
        assert (rows[len(clip) :] == 0).all()


def test_black_frames_are_padding_and_are_not_looked_at():
    model = Counting(eye())
    array = np.zeros((3, 6, 6, 4, 3), "uint8")
    for row, clip in zip(array, CLIPS, strict=True):
        row[: len(clip)] = clip
    found = extract_features(model, array, batch_size=1)
    assert len(model.sizes) == 5 + 2 + 3
    np.testing.assert_allclose(found[:, :5], extract_features(model, CLIPS), rtol=1e-5)
    assert (found[:, 5] == 0).all()
    behind = extract_features(model, np.pad(CLIPS[1], [(2, 0), (0, 0), (0, 0), (0, 0)])[None])
    np.testing.assert_allclose(behind[0], np.pad(found[1, :2], [(2, 0), (0, 0)]), rtol=1e-5)
    black = extract_features(model, [CLIPS[0], np.zeros((2, 6, 4, 3))])
    assert black.shape == (2, 5, 7) and (black[1] == 0).all()


def test_the_network_always_sees_batches_of_one_size():
    model = Counting(eye())
    extract_features(model, CLIPS, batch_size=4)
    assert model.sizes == [4, 4, 4, 4]  # 5 frames in two, 2 and 3 in one each


def test_nothing_in_the_network_changes():
    model = eye()
    before, trainable = model.get_weights(), [layer.trainable for layer in model.layers]
    extract_features(model, CLIPS)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert [layer.trainable for layer in model.layers] == trainable and not model.compiled


def test_frames_are_prepared_as_the_network_wants_them_and_the_clips_stay_as_they_are():
    clips = [clip.astype("float32") for clip in CLIPS]

    def spoil(frames):
        frames /= 255  # in place, as some of Keras' own do
        return frames

    found = extract_features(eye(), clips, preprocess=spoil)
    np.testing.assert_allclose(found, extract_features(eye(), [clip / 255 for clip in clips]), rtol=1e-5)
    np.testing.assert_array_equal(clips[0], CLIPS[0])


def test_gray_frames_are_given_to_a_colored_network_three_times_over():
    gray = [clip[..., :1] for clip in CLIPS]
    colored = [np.repeat(clip, 3, axis=-1) for clip in gray]
    np.testing.assert_array_equal(extract_features(eye(), gray), extract_features(eye(), colored))


def test_clips_may_come_one_at_a_time():
    np.testing.assert_array_equal(extract_features(eye(), iter(CLIPS)), extract_features(eye(), CLIPS))


# --- the cache --------------------------------------------------------------------------------------------------------


def test_a_clip_is_looked_at_once(tmp_path):
    model = Counting(eye())
    first = extract_features(model, CLIPS, cache=tmp_path / "new")
    shown = len(model.sizes)
    np.testing.assert_array_equal(extract_features(model, CLIPS[::-1], cache=tmp_path / "new"), first[::-1])
    assert len(model.sizes) == shown
    more = extract_features(model, [*CLIPS, CLIPS[0][:1]], cache=tmp_path / "new")
    assert len(model.sizes) == shown + 1
    np.testing.assert_array_equal(more[:3], first)
    (file,) = (tmp_path / "new").iterdir()  # nothing else is left behind
    assert file.suffix == ".npz"


def test_a_network_by_another_name_finds_what_the_first_one_left(tmp_path):
    extract_features(eye(name="first"), CLIPS, cache=tmp_path)
    again = Counting(eye(name="second"))
    extract_features(again, CLIPS, cache=tmp_path)
    assert again.sizes == []


def test_another_network_or_another_preparation_is_never_given_what_was_kept(tmp_path):
    kept = [{}, {"seed": 2}, {"activation": "tanh"}]
    found = [extract_features(eye(**options), CLIPS, cache=tmp_path) for options in kept]
    found.append(extract_features(eye(), CLIPS, cache=tmp_path, preprocess=lambda frames: frames / 255))
    found.append(extract_features(eye(), CLIPS, cache=tmp_path, preprocess=lambda frames: frames / 127))
    for one in range(5):
        for other in range(one):
            assert np.abs(found[one] - found[other]).max() > 1e-3
    assert len({fingerprint(eye(**options)) for options in kept}) == 3


def test_one_pixel_makes_another_clip(tmp_path):
    other = CLIPS[0].copy()
    other[3, 2, 1, 0] ^= 255
    one, two = (extract_features(eye(), [clip], cache=tmp_path) for clip in (CLIPS[0], other))
    assert np.abs(one - two)[0, 3].max() > 1e-3 and np.abs(one - two)[0, [0, 1, 2, 4]].max() < 1e-3


def test_a_weight_that_was_trained_on_makes_another_network():
    model = eye()
    before = fingerprint(model)
    model.layers[0].bias.assign_add([1e-6] * 7)
    assert fingerprint(model) != before
    nested = keras.Sequential([keras.Input((6, 4, 3)), model, layers.Dense(2)])
    assert fingerprint(nested) not in (before, fingerprint(model))


def test_a_layer_without_settings_is_known_by_its_kind():
    class Own(layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, inputs):
            return self.factor * inputs

    model = keras.Sequential([keras.Input((2, 2, 1)), Own(3), layers.Flatten()])
    assert extract_features(model, np.ones((1, 2, 2, 2, 1))).tolist() == [[[3, 3, 3, 3]] * 2]


def test_a_cut_cache_file_is_named(tmp_path):
    extract_features(eye(), CLIPS, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=rf"The features in {file.name} cannot be read .*; delete the file"):
        extract_features(eye(), CLIPS, cache=tmp_path)


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "clips", "message"),
    [
        (eye, CLIPS[0], r"Clip 0 has shape \(6, 4, 3\) of uint8; expected numbers \(time, height, width, channels\)"),
        (eye, [CLIPS[0], CLIPS[1][:0]], r"Clip 1 has shape \(0, 6, 4, 3\)"),
        (eye, [np.full((1, 6, 4, 3), "a")], "Clip 0 has shape .* of <U1; expected numbers"),
        (
            eye,
            [CLIPS[0][:, :5]],
            r"frames of shape \(5, 4, 3\), the model takes \(6, 4, 3\)\. Read the clips in that size",
        ),
        (lambda: eye(channels=1), CLIPS, r"the model takes \(6, 4, 1\)"),
        (lambda: eye(head=()), CLIPS, r'answers with shape \(32, 4, 2, 7\); .*include_top=False and pooling="avg"'),
        (eye, [], "There is no clip; pass at least one"),
        (eye, 7, "`clips` is int; pass an array or an iterable of clips"),
        (eye, "clips", "`clips` is str"),
    ],
)
def test_what_has_no_features_is_refused_with_what_to_do(model, clips, message):
    with pytest.raises(ValueError, match=message):
        extract_features(model(), clips)


def test_a_cache_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="no space left"):
        extract_features(eye(), CLIPS, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []
