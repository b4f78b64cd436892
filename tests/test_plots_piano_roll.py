"""Piano rolls: bars and images where the notes are, octaves named, and activity beat under beat."""

import io
import time

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from pictures import line_of, new_axes, texts_of

from rnn_course.plots import figure_grid, plot_activity, plot_piano_roll, plot_roll_with_activity
from rnn_course.plots.style import DIVERGING, MAGNITUDE, SERIES_COLORS, contrast

VOICES = np.array([[72, 64, 55, 48], [72, 65, 57, 41], [0, 64, 55, 48]])
ROLL = (VOICES[:, :, None] == 21 + np.arange(88)).any(axis=1)


def bars_of(ax):
    """The bars of each voice by its name: (left, bottom, width, height), rounded."""
    return {
        voice.get_label(): [
            tuple(np.round(path.get_extents().bounds, 6).tolist()) for path in voice.get_paths() if len(path.vertices)
        ]
        for voice in ax.collections
    }


def ticks_of(ax):
    return dict(zip(ax.get_yticks().tolist(), [text.get_text() for text in ax.get_yticklabels()], strict=True))


# --- voices -----------------------------------------------------------------------------------------------------------


def test_a_note_is_one_bar_as_long_as_it_is_held_and_a_rest_is_none():
    assert bars_of(plot_piano_roll(VOICES, ax=new_axes())) == {
        "soprano": [(0, 71.5, 2, 1)],
        "alto": [(0, 63.5, 1, 1), (1, 64.5, 1, 1), (2, 63.5, 1, 1)],
        "tenor": [(0, 54.5, 1, 1), (1, 56.5, 1, 1), (2, 54.5, 1, 1)],
        "bass": [(0, 47.5, 1, 1), (1, 40.5, 1, 1), (2, 47.5, 1, 1)],
    }


def test_every_voice_has_a_color_of_its_own_and_its_name_at_its_end():
    ax = plot_piano_roll(VOICES, ax=new_axes())
    colors = [voice.get_facecolor()[0] for voice in ax.collections]
    assert all(same_color(color, wanted) for color, wanted in zip(colors, SERIES_COLORS, strict=False))
    assert texts_of(ax) == ["soprano", "alto", "tenor", "bass"]
    assert [text.xy[1] for text in ax.texts] == [72, 64, 55, 48]
    ax = plot_piano_roll([[72, 60], [71, 62], [0, 64]], ax=new_axes())
    assert [text.xy[1] for text in ax.texts] == [71, 64]  # the last note, not the rest after it
    assert texts_of(plot_piano_roll(VOICES[:, :2], ax=new_axes())) == ["voice 0", "voice 1"]
    assert texts_of(plot_piano_roll(VOICES[:, :2], labels=["flute", "harp"], ax=new_axes())) == ["flute", "harp"]


def test_voices_on_the_same_key_share_its_height_from_above():
    # Two frames together on 60: halves; then three on 62: thirds.
    bars = bars_of(plot_piano_roll([[60, 60, 50], [60, 60, 52], [62, 62, 62]], ax=new_axes()))
    assert bars == {
        "voice 0": [(0, 60, 2, 0.5), (2, 62.166667, 1, 0.333333)],
        "voice 1": [(0, 59.5, 2, 0.5), (2, 61.833333, 1, 0.333333)],
        "voice 2": [(0, 49.5, 1, 1), (1, 51.5, 1, 1), (2, 61.5, 1, 0.333333)],
    }


def test_two_resting_voices_share_nothing():
    bars = bars_of(plot_piano_roll([[60, 0, 0], [60, 50, 0]], ax=new_axes()))
    assert bars == {"voice 0": [(0, 59.5, 2, 1)], "voice 1": [(1, 49.5, 1, 1)], "voice 2": []}


# --- rolls and probabilities ------------------------------------------------------------------------------------------


def test_a_roll_is_one_image_in_beats_and_midi_numbers():
    ax = plot_piano_roll(ROLL, ax=new_axes())
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array().filled(False), ROLL.T)
    assert image.get_extent() == [0, 3, 20.5, 108.5]  # key 0 is MIDI 21, and 88 keys end at 108
    assert image.origin == "lower" and same_color(image.get_cmap()(1.0), SERIES_COLORS[0])
    assert np.ma.getmaskarray(image.get_array()).sum() == (~ROLL).sum()  # silence is absent, so the lines at C show


def test_bars_and_image_of_the_same_tune_lie_in_the_same_places():
    voices, keys = plot_piano_roll(VOICES, ax=new_axes()), plot_piano_roll(ROLL, ax=new_axes())
    assert (voices.get_xlim(), voices.get_ylim()) == (keys.get_xlim(), keys.get_ylim())
    left, right, bottom, _ = keys.images[0].get_extent()
    cells = {((right - left) / 3 * frame + left, key + bottom) for frame, key in np.argwhere(ROLL)}
    bars = [bar for found in bars_of(voices).values() for bar in found]
    starts = {(start + frame, low) for start, low, width, _ in bars for frame in range(int(width))}
    assert cells == starts


def test_probabilities_are_an_image_from_zero_to_one_with_a_dot_on_each_key_that_sounds():
    chances = np.linspace(0, 0.4, ROLL.size).reshape(ROLL.shape)
    for tune in (ROLL, VOICES):
        ax = plot_piano_roll(tune, probabilities=chances, step=2, ax=new_axes())
        (image,) = ax.images
        np.testing.assert_array_equal(image.get_array(), chances.T)
        assert image.get_clim() == (0, 1) and image.get_cmap() == MAGNITUDE
        assert image.colorbar.ax.get_ylabel() == "probability"
        dots = line_of(ax, "sounds").get_xydata().tolist()
        assert dots == [[2 * frame + 1, key + 21] for frame, key in np.argwhere(ROLL)]
        assert len(ax.collections) == 0


def test_a_dot_is_white_with_a_black_rim_and_fits_between_its_neighbors():
    ax = plot_piano_roll(ROLL, probabilities=0.5 * ROLL, ax=new_axes(3.5))
    dots = line_of(ax, "sounds")
    assert same_color(dots.get_color(), "white") and len(dots.get_path_effects()) == 2
    backgrounds = MAGNITUDE(np.linspace(0, 1, 20))
    assert min(max(contrast(color, "white"), contrast(color, "black")) for color in backgrounds) > 3
    key = ax.get_window_extent().height / np.ptp(ax.get_ylim()) * 72 / ax.figure.dpi
    assert dots.get_markersize() <= key


# --- axes -------------------------------------------------------------------------------------------------------------


def test_octaves_are_named_at_every_c():
    # What sounds goes from 41 to 72, with two keys around it: C3 (48), C4 (60) and C5 (72).
    ax = plot_piano_roll(VOICES, ax=new_axes())
    assert ticks_of(ax) == {48: "C3", 60: "C4", 72: "C5"}
    assert ax.get_ylim() == (38.5, 74.5)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (beats)", "pitch")


@pytest.mark.parametrize("key", [1, 61, 66, 71, 108, 127])
def test_a_tune_on_one_key_still_shows_a_c(key):
    assert ticks_of(plot_piano_roll([[key]], ax=new_axes()))


def test_the_keys_can_be_shared_between_pictures():
    for tune in (VOICES, ROLL):
        ax = plot_piano_roll(tune, keys=(36, 84), ax=new_axes())
        assert ax.get_ylim() == (35.5, 84.5) and list(ticks_of(ax)) == [36, 48, 60, 72, 84]


def test_what_was_likely_but_did_not_sound_is_inside_the_picture():
    chances = 0.5 * ROLL
    chances[1, 100 - 21], chances[1, 105 - 21] = 0.3, 0.05
    assert plot_piano_roll(ROLL, probabilities=chances, ax=new_axes()).get_ylim() == (38.5, 102.5)


def test_time_is_counted_in_beats_from_where_the_tune_begins():
    for tune in (VOICES, ROLL):
        assert plot_piano_roll(tune, step=0.25, start=4, ax=new_axes()).get_xlim() == (4, 4.75)
    bars = bars_of(plot_piano_roll(VOICES, step=0.25, start=4, ax=new_axes()))
    assert bars["bass"] == [(4, 47.5, 0.25, 1), (4.25, 40.5, 0.25, 1), (4.5, 47.5, 0.25, 1)]


def test_beats_are_numbered_in_fours_where_they_are_many():
    ax = plot_piano_roll(np.full((32, 1), 60), ax=new_axes())
    assert ax.get_xticks().tolist() == [0, 4, 8, 12, 16, 20, 24, 28, 32]


def test_silence_is_an_empty_picture():
    assert bars_of(plot_piano_roll(np.zeros((4, 2), int), ax=new_axes())) == {"voice 0": [], "voice 1": []}
    assert plot_piano_roll(np.zeros((4, 88), bool), ax=new_axes()).get_xlim() == (0, 4)


# --- activity ---------------------------------------------------------------------------------------------------------


def test_units_are_an_image_with_the_first_on_top_centered_at_zero():
    activity = np.array([[0.1, -0.8], [0.2, 0.4], [0.3, 0.0]])
    ax = plot_activity(activity, step=0.5, start=2, ax=new_axes())
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), activity.T)
    assert image.get_extent() == [2, 3.5, 1.5, -0.5] and image.origin == "upper"
    assert image.get_clim() == (-0.8, 0.8) and image.get_cmap() == DIVERGING
    assert image.colorbar.ax.get_ylabel() == "hidden state" and ax.get_ylabel() == "unit"
    assert ticks_of(plot_activity(activity, labels=["major", "minor"], ax=new_axes())) == {0: "major", 1: "minor"}


def test_a_unit_is_a_stair_for_each_frame():
    ax = plot_activity([0.5, -0.25, 0.75], step=2, start=1, quantity="cell state", ax=new_axes())
    stairs = line_of(ax, "cell state")
    assert stairs.get_xydata().tolist() == [[1, 0.5], [3, -0.25], [5, 0.75], [7, 0.75]]
    assert stairs.get_drawstyle() == "steps-post"
    assert ax.get_xlim() == (1, 7) and ax.get_ylim() == pytest.approx((-0.7875, 0.7875))
    ax = plot_activity([0.5], labels="unit 17", limit=2, ax=new_axes())
    assert ax.get_ylabel() == "unit 17: hidden state" and ax.get_ylim() == pytest.approx((-2.1, 2.1))


@pytest.mark.parametrize("activity", [np.eye(3), np.eye(3)[0]], ids=["units", "one unit"])
@pytest.mark.parametrize("chances", [None, 0.5 * ROLL], ids=["voices", "probabilities"])
def test_roll_and_activity_lie_beat_under_beat(activity, chances):
    axes = plot_roll_with_activity(VOICES, activity, probabilities=chances, step=0.5, start=1, title="Why", axes=None)
    upper, lower = axes
    figure = upper.figure
    try:
        figure.draw_without_rendering()
        boxes = [ax.get_window_extent() for ax in axes]
        assert (boxes[0].x0, boxes[0].x1) == pytest.approx((boxes[1].x0, boxes[1].x1), abs=0.5)
        assert boxes[0].y0 > boxes[1].y1
        assert upper.get_xlim() == lower.get_xlim() == (1, 2.5)
        assert (upper.get_xlabel(), lower.get_xlabel()) == ("", "time (beats)")
        assert upper.get_title(loc="left") == "Why" and lower.get_title(loc="left") == ""
        assert figure.get_figwidth() == 7 and figure.get_figheight() <= 4.5
    finally:
        pyplot.close(figure)


def test_a_pair_can_be_drawn_beside_another():
    figure, axes = figure_grid(2, 2)
    try:
        drawn = plot_roll_with_activity(VOICES, np.eye(3), axes=axes[:, 1])
        assert list(drawn) == [axes[0, 1], axes[1, 1]]
        assert not any(ax.has_data() for ax in axes[:, 0])
        assert texts_of(axes[0, 1]) == ["soprano", "alto", "tenor", "bass"] and len(axes[1, 1].images) == 1
    finally:
        pyplot.close(figure)


def test_units_are_named_and_keys_chosen_through_the_pair():
    upper, lower = plot_roll_with_activity(
        VOICES, np.eye(3), unit_labels=["a", "b", "c"], keys=(36, 84), quantity="gate", axes=Figure().subplots(2)
    )
    assert upper.get_ylim() == (35.5, 84.5) and list(ticks_of(lower).values()) == ["a", "b", "c"]
    assert lower.images[0].colorbar.ax.get_ylabel() == "gate"


# --- size and errors --------------------------------------------------------------------------------------------------


def test_two_hundred_frames_are_drawn_at_once_and_take_little_room():
    rng = np.random.default_rng(3)
    voices = np.array([72, 67, 60, 48]) + rng.integers(-3, 4, size=(200, 4))
    began = time.process_time()
    ax = plot_piano_roll(voices, ax=new_axes())
    stream = io.BytesIO()
    ax.figure.savefig(stream, format="png", dpi=110)
    assert time.process_time() - began < 2
    assert len(stream.getvalue()) < 60_000
    assert len(ax.collections) == 4


@pytest.mark.parametrize(
    ("tune", "options", "message"),
    [
        (VOICES[None], {}, r"The tune has shape \(1, 3, 4\); expected \(time, keys\) or .* such as rolls\[0\]"),
        (np.zeros((0, 4), int), {}, "no empty axis"),
        (ROLL.astype(float), {}, r"The tune holds float64, shape \(3, 88\); a roll must be bool, such as roll > 0.5"),
        (ROLL.astype(int), {}, r"a roll must be bool"),
        (VOICES - 70, {}, "numbers from -70 to 2; MIDI goes from 0 to 127"),
        (VOICES, {"labels": ["a"]}, "There are 1 labels for 4 voices; pass one for each of them"),
        (VOICES, {"step": 0}, "`step` is 0; pass how many beats a frame lasts, a number above 0"),
        (VOICES, {"keys": (60, 60)}, r"`keys` must be the lowest and the highest MIDI number, .* got \(60, 60\)"),
        (ROLL, {"probabilities": ROLL[:2]}, r"`probabilities` must be \(3, keys\) from 0 to 1, a row for each frame"),
        (ROLL, {"probabilities": ROLL * 3.0}, "from 0.0 to 3.0. Logits need a sigmoid first"),
        (ROLL, {"probabilities": ROLL * np.nan}, "from nan to nan"),
    ],
)
def test_what_is_no_tune_is_refused_with_what_to_do(tune, options, message):
    with pytest.raises(ValueError, match=message):
        plot_piano_roll(tune, ax=new_axes(), **options)


@pytest.mark.parametrize(
    ("activity", "options", "message"),
    [
        (np.zeros((1, 3, 4)), {}, r"`activity` has shape \(1, 3, 4\); expected \(time,\) .* such as hidden\[0\]"),
        (np.full(3, np.nan), {}, "None of the values is finite"),
        (np.zeros((3, 2)), {"labels": ["a"]}, "There are 1 labels for 2 units"),
        (np.zeros(3), {"limit": 0}, "`limit` must be above zero"),
        (np.zeros(3), {"step": -1}, "`step` is -1"),
    ],
)
def test_what_is_no_activity_is_refused_with_what_to_do(activity, options, message):
    with pytest.raises(ValueError, match=message):
        plot_activity(activity, ax=new_axes(), **options)


def test_a_pair_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="The tune has 3 frames, `activity` has 2; pass the same steps of both"):
        plot_roll_with_activity(VOICES, np.zeros(2))
    with pytest.raises(ValueError, match=r"`axes` holds 1 Axes; pass two, such as those of `figure_grid\(2, 1\)`"):
        plot_roll_with_activity(VOICES, np.zeros(3), axes=new_axes())


def test_a_roll_of_all_128_midi_numbers_is_refused_since_it_would_be_drawn_21_keys_too_high():
    roll = np.zeros((4, 128), bool)
    roll[:, 60] = True
    with pytest.raises(ValueError, match=r"The roll has 128 keys; a piano has 88, .* pass roll\[:, 21:109\]"):
        plot_piano_roll(roll, ax=new_axes())
    ax = plot_piano_roll(roll[:, 21:109], ax=new_axes())
    low, high = ax.get_ylim()
    assert low < 60 < high
