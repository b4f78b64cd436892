"""The networks of video: what they are called, what order and padding can do to them, and how they are taken apart."""

import keras
import numpy as np
import pytest

from rnn_course.models import (
    build_caption_model,
    build_clip_model,
    build_feature_caption_model,
    build_feature_model,
    build_frame_average_model,
    build_late_fusion_model,
    build_pose_model,
)

RNG = np.random.default_rng(0)
CLIPS = RNG.integers(0, 256, size=(3, 5, 8, 6, 1), dtype="uint8")  # (batch, time, height, width, channels)
POSES = RNG.normal(size=(3, 5, 4, 2))  # (batch, time, joints, dimensions)
TOKENS = np.array([[1, 3, 4], [1, 5, 2], [1, 2, 0]])  # (batch, words)
FRAMES = {"height": 8, "width": 6, "filters": (3, 4), "features": 5}
WITH_CLIPS = {
    "clip": lambda **options: build_clip_model(**FRAMES | {"classes": 4, "units": 6} | options),
    "frame average": lambda **options: build_frame_average_model(**FRAMES | {"classes": 4} | options),
    "late fusion": lambda **options: build_late_fusion_model(**FRAMES | {"classes": 4, "hidden": 6} | options),
}
every_clip_model = pytest.mark.parametrize("build", WITH_CLIPS.values(), ids=WITH_CLIPS)


def small(build, **options):
    """Build a model whose weights, biases included, all have a value of their own."""
    keras.utils.set_random_seed(1)
    model = build(**options)
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.2, variable.shape))
    return model


def small_captions(**options):
    return small(build_caption_model, **FRAMES | {"vocabulary": 7, "units": 6, "embedding": 3} | options)


def small_poses(**options):
    return small(build_pose_model, **{"joints": 4, "classes": 3, "units": 6} | options)


def names_of(model):
    return [layer.name for layer in model.layers]


def inner_of(model, name, inputs):
    return np.array(keras.Model(model.inputs[0], model.get_layer(name).output)(inputs))


# --- what they are ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("every_frame", [False, True])
def test_the_clip_model_answers_at_the_end_or_after_every_frame(cell, every_frame):
    model = small(WITH_CLIPS["clip"], cell=cell, every_frame=every_frame)
    assert model(CLIPS).shape == ((3, 5, 4) if every_frame else (3, 4))
    assert model(CLIPS[:, :2]).shape[0] == 3  # any number of frames
    assert names_of(model) == [
        "clips",
        "brightness",
        "frames",
        "norm",
        "features_dropout",
        cell,
        "states_dropout",
        "logits",
    ]
    assert not model.compiled


def test_the_baselines_give_a_logit_for_every_class():
    for build, own in (("frame average", ["frame_logits", "pooling"]), ("late fusion", ["pooling", "hidden"])):
        model = small(WITH_CLIPS[build])
        assert model(CLIPS).shape == (3, 4) and not model.compiled
        assert {"clips", "brightness", "frames", "features_dropout", "logits", *own} <= set(names_of(model))


def test_all_three_look_at_frames_with_the_same_convolutions():
    shapes = [
        [weight.shape for weight in small(build).get_layer("frames").get_weights()] for build in WITH_CLIPS.values()
    ]
    # 5 x 5 and 3 x 3 filters; 8 x 6 pixels are 4 x 3 and then 2 x 2 places of 4 filters: 16 numbers for 5 features.
    assert shapes == [[(5, 5, 1, 3), (3,), (3, 3, 3, 4), (4,), (16, 5), (5,)]] * 3
    for build in WITH_CLIPS.values():
        model = small(build)
        encoder = model.get_layer("frames").layer
        alone = [np.array(encoder(CLIPS[:, step] / np.float32(255))) for step in range(5)]
        np.testing.assert_allclose(inner_of(model, "frames", CLIPS), np.stack(alone, axis=1), atol=1e-5)


@pytest.mark.parametrize(
    "build", [*WITH_CLIPS.values(), small_captions, small_poses], ids=[*WITH_CLIPS, "captions", "poses"]
)
@pytest.mark.parametrize("cell", ["rnn", "GRU"])
def test_another_cell_is_refused_with_the_list(build, cell):
    if build in (WITH_CLIPS["frame average"], WITH_CLIPS["late fusion"]):
        with pytest.raises(TypeError, match="cell"):
            build(cell=cell)
    else:
        with pytest.raises(ValueError, match=f"cell is '{cell}'; pass one of: 'lstm', 'gru', 'simple_rnn'"):
            build(cell=cell)


# --- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", ["frame average", "late fusion"])
def test_shuffled_frames_change_nothing_for_a_baseline(build):
    model, order = small(WITH_CLIPS[build]), np.array([3, 0, 4, 2, 1])
    np.testing.assert_allclose(model(CLIPS[:, order]), model(CLIPS), atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_shuffled_frames_change_what_the_recurrent_network_says(cell):
    model, order = small(WITH_CLIPS["clip"], cell=cell), np.array([3, 0, 4, 2, 1])
    assert np.abs(np.array(model(CLIPS[:, order])) - np.array(model(CLIPS))).max() > 1e-3


def test_the_frame_average_is_the_mean_of_what_the_frames_say_alone():
    model = small(WITH_CLIPS["frame average"])
    alone = [np.array(model(CLIPS[:, [step]])) for step in range(5)]
    np.testing.assert_allclose(model(CLIPS), np.mean(alone, axis=0), atol=1e-5)
    np.testing.assert_allclose(inner_of(model, "frame_logits", CLIPS), np.stack(alone, axis=1), atol=1e-5)


def test_late_fusion_keeps_the_largest_and_the_mean_of_each_feature():
    model = small(WITH_CLIPS["late fusion"])
    seen = inner_of(model, "norm", CLIPS)
    np.testing.assert_allclose(
        inner_of(model, "pooling", CLIPS), np.concatenate([seen.max(1), seen.mean(1)], axis=-1), atol=1e-5
    )


@pytest.mark.parametrize("pairs", [False, True])
def test_an_answer_depends_on_the_frames_so_far_alone(pairs):
    model, other = small(WITH_CLIPS["clip"], every_frame=True, pairs=pairs), CLIPS.copy()
    other[:, 3] = 255 - other[:, 3]
    before, after = np.array(model(CLIPS)), np.array(model(other))
    np.testing.assert_allclose(before[:, :3], after[:, :3], atol=1e-6)
    assert np.abs(before[:, 3:] - after[:, 3:]).min(axis=(0, 2)).max() > 0


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("mask_zero", [False, True])
def test_with_the_same_weights_the_last_answer_is_the_only_one(cell, mask_zero):
    last, each = (WITH_CLIPS["clip"](cell=cell, every_frame=every, mask_zero=mask_zero) for every in (False, True))
    each.set_weights(last.get_weights())
    np.testing.assert_allclose(np.array(each(CLIPS))[:, -1], last(CLIPS), atol=1e-6)
    np.testing.assert_allclose(np.array(each(CLIPS))[:, 1], last(CLIPS[:, :2]), atol=1e-6)


def test_pairs_are_a_frame_and_the_one_before_it():
    model, bright = small(WITH_CLIPS["clip"], pairs=True), CLIPS / np.float32(255)
    pairs = inner_of(model, "pairs", CLIPS)
    assert pairs.shape == (3, 5, 8, 6, 2)
    np.testing.assert_allclose(pairs[..., :1], bright, atol=1e-6)
    np.testing.assert_allclose(pairs[:, 1:, ..., 1:], bright[:, :-1], atol=1e-6)
    np.testing.assert_allclose(pairs[:, 0, ..., 1:], bright[:, 0], atol=1e-6)  # nothing has moved yet


def test_pairs_of_neighbors_may_vote_and_the_order_of_the_pairs_is_lost():
    # Five frames A B C D E; turned about two times each: what pairs of neighbors there are decides, not their order.
    average, late = (small(WITH_CLIPS[build], pairs=True) for build in ("frame average", "late fusion"))
    there_and_back = CLIPS[:, [0, 1, 2, 1, 0]]
    begun_later = CLIPS[:, [2, 1, 0, 1, 2]]  # the same four pairs; the first frame's own one differs
    for model in (average, late):
        assert np.abs(np.array(model(CLIPS)) - np.array(model(CLIPS[:, ::-1]))).max() > 1e-3
    votes = inner_of(average, "frame_logits", there_and_back)[:, 1:]
    others = inner_of(average, "frame_logits", begun_later)[:, 1:]
    np.testing.assert_allclose(votes, others[:, [2, 3, 0, 1]], atol=1e-5)


def test_features_are_brought_to_one_scale_while_training():
    # The features of a batch, after the norm, have a mean of 0 and a spread of 1, each by itself.
    model = WITH_CLIPS["clip"]()
    inner = keras.Model(model.inputs[0], [model.get_layer(name).output for name in ("frames", "norm")])
    seen, scaled = (np.array(each) for each in inner(CLIPS, training=True))
    assert seen.std(axis=(0, 1)).max() < 0.5
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(scaled, (seen - seen.mean((0, 1))) / np.sqrt(seen.var((0, 1)) + 1e-3), atol=1e-3)


# --- padding ----------------------------------------------------------------------------------------------------------


def padded(sequences):
    """Two more steps of zeros after the last one."""
    return np.pad(sequences, [(0, 0), (0, 2)] + [(0, 0)] * (sequences.ndim - 2))


@every_clip_model
def test_frames_of_zeros_are_padding_where_that_is_asked_for(build):
    with_mask, without = small(build, mask_zero=True), small(build)
    without.set_weights(with_mask.get_weights())
    np.testing.assert_allclose(with_mask(padded(CLIPS)), with_mask(CLIPS), atol=1e-5)
    np.testing.assert_allclose(with_mask(CLIPS), without(CLIPS), atol=1e-5)
    assert np.abs(np.array(without(padded(CLIPS))) - np.array(without(CLIPS))).max() > 1e-3  # black frames are frames


def test_after_padding_the_last_real_answer_stands():
    model = small(WITH_CLIPS["clip"], mask_zero=True, every_frame=True)
    answers = np.array(model(padded(CLIPS)))
    np.testing.assert_allclose(answers[:, :5], model(CLIPS), atol=1e-5)
    np.testing.assert_allclose(answers[:, 5:], np.repeat(answers[:, [4]], 2, axis=1), atol=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_changes_no_answer_about_poses(bidirectional):
    model = small_poses(bidirectional=bidirectional)
    np.testing.assert_allclose(model(padded(POSES)), model(POSES), atol=1e-5)
    before = np.pad(POSES, [(0, 0), (2, 0), (0, 0), (0, 0)])
    np.testing.assert_allclose(model(before), model(POSES), atol=1e-5)


def test_padding_has_no_part_in_the_scale_that_poses_are_brought_to():
    short, long = small_poses(), small_poses()
    short(POSES, training=True)
    long(padded(POSES), training=True)
    for one, other in zip(short.get_layer("norm").get_weights(), long.get_layer("norm").get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    _, _, mean, _ = short.get_layer("norm").get_weights()
    np.testing.assert_allclose(mean[:8], 0.1 * POSES.reshape(15, 8).mean(0), atol=1e-5)  # momentum 0.9, from 0


@every_clip_model
def test_padding_has_no_part_in_the_scale_that_features_are_brought_to(build):
    short, long, without = small(build, mask_zero=True), small(build, mask_zero=True), small(build)
    short(CLIPS, training=True)
    long(padded(CLIPS), training=True)
    without(padded(CLIPS), training=True)
    norms = [model.get_layer("norm").get_weights() for model in (short, long, without)]
    for one, other in zip(*norms[:2], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert np.abs(norms[0][2] - norms[2][2]).max() > 1e-3  # black frames are frames


def test_padding_changes_no_caption():
    model = small_captions(mask_zero=True)
    np.testing.assert_allclose(model([padded(CLIPS), TOKENS]), model([CLIPS, TOKENS]), atol=1e-5)


def test_padding_changes_no_answer_about_features():
    model, given = small(build_feature_model, features=4, classes=3, units=6), POSES[..., 0]
    np.testing.assert_allclose(model(padded(given)), model(given), atol=1e-5)


# --- poses and features -----------------------------------------------------------------------------------------------


def test_a_pose_is_read_with_what_moved_in_one_frame_and_in_two():
    read = inner_of(small_poses(), "positions_and_motion", POSES)
    flat = POSES.reshape(3, 5, 8)
    np.testing.assert_allclose(read[..., :8], flat, atol=1e-6)
    np.testing.assert_allclose(read[:, 1:, 8:16], np.diff(flat, axis=1), atol=1e-6)
    np.testing.assert_allclose(read[:, 2:, 16:], flat[:, 2:] - flat[:, :-2], atol=1e-6)
    assert (read[:, 0, 8:] == 0).all() and (read[:, :2, 16:] == 0).all()


def test_nothing_moves_between_a_body_and_padding():
    read = inner_of(small_poses(), "positions_and_motion", np.pad(POSES, [(0, 0), (2, 2), (0, 0), (0, 0)]))
    for lag, motion in ((1, read[..., 8:16]), (2, read[..., 16:])):  # real are frames 2 to 6
        assert (motion[:, : 2 + lag] == 0).all() and (motion[:, 7:] == 0).all() and (motion[:, 2 + lag : 7] != 0).all()


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_pose_model_reads_bodies_in_the_plane_and_in_space(cell, bidirectional):
    for dimensions in (2, 3):
        model = small_poses(cell=cell, bidirectional=bidirectional, dimensions=dimensions)
        assert model(RNG.normal(size=(2, 6, 4, dimensions))).shape == (2, 3)
    assert (f"bi_{cell}" in names_of(model)) == bidirectional and (cell in names_of(model)) != bidirectional
    assert {"poses", "positions", "positions_and_motion", "norm", "pooling", "logits"} <= set(names_of(model))
    assert model.get_layer("pooling").output.shape == (None, 24 if bidirectional else 12) and not model.compiled


@pytest.mark.parametrize("every_frame", [False, True])
def test_the_feature_model_is_the_recurrent_half_of_the_clip_model(every_frame):
    model = small(build_feature_model, features=4, classes=3, units=6, every_frame=every_frame)
    assert model(POSES[..., 0]).shape == ((3, 5, 3) if every_frame else (3, 3))
    assert {"features", "norm", "features_dropout", "gru", "states_dropout", "logits"} <= set(names_of(model))


# --- captions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_caption_model_gives_logits_for_every_word(cell):
    model = small_captions(cell=cell)
    assert model([CLIPS, TOKENS]).shape == (3, 3, 7) and not model.compiled
    names = set(names_of(model))
    assert {"clips", "frames", "watcher", "state_1", "tokens", "embedding", "writer", "logits"} <= names
    assert ("state_2" in names) == (cell == "lstm")


def test_a_word_depends_on_the_clip_and_on_the_words_before_it():
    model, other = small_captions(), TOKENS.copy()
    other[:, 2] = 6
    before, after = np.array(model([CLIPS, TOKENS])), np.array(model([CLIPS, other]))
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-6)
    assert np.abs(before[:, 2] - after[:, 2]).max() > 1e-3
    assert np.abs(np.array(model([CLIPS[::-1], TOKENS]))[0] - before[0]).max() > 1e-3


def test_the_writer_begins_with_what_the_watcher_saw_last():
    # With the writer's input at zero its first state is a function of the two states it is given alone.
    model = small_captions(cell="gru")
    watcher, first = model.get_layer("watcher"), model.get_layer("state_1")
    _, last = watcher(inner_of(model, "norm", CLIPS))
    given = first(last)
    words = model.get_layer("embedding")(TOKENS)
    written = model.get_layer("writer")(words, initial_state=[given], mask=TOKENS != 0)
    wanted, found = (
        np.array(each)[TOKENS != 0] for each in (model.get_layer("logits")(written), model([CLIPS, TOKENS]))
    )
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_from_the_features_of_a_caption_model_the_same_words_follow():
    whole = small_captions(mask_zero=True)
    sizes = {"features": FRAMES["features"], "vocabulary": 7, "units": 6, "embedding": 3}
    half = build_feature_caption_model(**sizes)
    for layer in ("watcher", "state_1", "state_2", "embedding", "writer", "logits"):
        half.get_layer(layer).set_weights(whole.get_layer(layer).get_weights())
    seen = np.array(keras.Model(whole.inputs[0], whole.get_layer("norm").output)(CLIPS))
    np.testing.assert_allclose(half([seen, TOKENS]), whole([CLIPS, TOKENS]), atol=1e-6)
    padded_rows = np.pad(seen, [(0, 0), (0, 2), (0, 0)])
    np.testing.assert_allclose(half([padded_rows, TOKENS]), half([seen, TOKENS]), atol=1e-6)
    assert not half.compiled


def write(model, clips, *, start=1, end=2, longest=6):
    """Append the likeliest word until every row has ended, (batch, words)."""
    written = np.full((len(clips), 1), start)
    for _ in range(longest):
        words = np.array(model([clips, written]))[:, -1].argmax(axis=-1)
        words = np.where((written == end).any(axis=1), end, words)
        written = np.concatenate([written, words[:, None]], axis=1)
        if (written == end).any(axis=1).all():
            break
    return written[:, 1:]


def test_a_clip_and_its_reverse_can_be_told_apart_in_words():
    # Two clips with the same frames: 1 3 2 for the one, 1 4 2 for its reverse.
    clips = np.stack([CLIPS[0], CLIPS[0, ::-1]])
    captions = np.array([[1, 3, 2], [1, 4, 2]])
    model = small_captions(dropout=0.0, units=12)
    model.compile(keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(60):
        model.train_on_batch([clips, captions[:, :-1]], captions[:, 1:])
    assert write(model, clips).tolist() == [[3, 2], [4, 2]]


# --- training and saving ----------------------------------------------------------------------------------------------


@every_clip_model
def test_dropout_is_for_training_alone(build):
    model = small(build, dropout=0.5)
    np.testing.assert_array_equal(model(CLIPS), model(CLIPS))
    assert np.abs(np.array(model(CLIPS, training=True)) - np.array(model(CLIPS))).max() > 0


def test_the_same_features_are_dropped_at_all_frames():
    # With every_frame the logits of equal states differ by nothing but time: a dropped unit is dropped throughout.
    model = small(WITH_CLIPS["clip"], dropout=0.5, every_frame=True)
    for name in ("features_dropout", "states_dropout"):
        kept = np.array(model.get_layer(name)(np.ones((3, 5, 40), "float32"), training=True)) > 0
        assert (kept == kept[:, :1]).all() and 0 < kept.mean() < 1


def test_the_brightest_pixel_is_one_to_the_network():
    bright, plain = small(WITH_CLIPS["clip"]), small(WITH_CLIPS["clip"], brightest=1)
    np.testing.assert_allclose(bright(CLIPS), plain(CLIPS / np.float32(255)), atol=1e-5)
    assert np.ptp(inner_of(bright, "brightness", CLIPS)) == pytest.approx(np.ptp(CLIPS / 255), abs=1e-5)


@pytest.mark.parametrize("build", [*WITH_CLIPS.values(), small_poses], ids=[*WITH_CLIPS, "poses"])
def test_a_saved_model_comes_back_whole(build, tmp_path):
    given = POSES if build is small_poses else CLIPS
    model = small(build)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "model.keras")(given), model(given), atol=1e-6)
