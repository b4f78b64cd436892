"""Clips that move: what each motion is, that the frames show it, and that no frame alone gives it away."""

import gzip
import hashlib
import re
from itertools import combinations

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.stats import kstest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnn_course.data import cache, draw_shapes, load_clips, make_clips, moving_digits, registry
from rnn_course.data.motions import MOTIONS, PAIRS, reverse_of
from rnn_course.data.moving_digits import DIGITS, read_idx
from rnn_course.data.moving_shapes import SHAPES

DISC = (np.hypot(*np.mgrid[-13.5:14, -13.5:14]) < 9).astype(np.uint8)[None] * 255
ALL = ("columns", "rows", "angles", "sizes")


@pytest.fixture(scope="module")
def many():
    """4,000 clips of drawn shapes; the first 2,500 to learn from."""
    return make_clips(*draw_shapes(600, seed=1), 4_000, seed=2)


def steps(clips, motion, name, motions=MOTIONS):
    """The changes from frame to frame of one motion's clips, as the shortest way round the circle, -1/2 to 1/2."""
    values = getattr(clips.truth, name)[clips.labels == motions.index(motion)]
    places = np.log2(values / 0.45) if name == "sizes" else values / {"angles": 360}.get(name, 32)
    return (np.diff(places, axis=1) + 0.5) % 1 - 0.5


# --- what each motion is ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("motion", "name", "sign", "slowest", "fastest"),
    [
        ("moves left", "columns", -1, 0.03, 0.07), ("moves right", "columns", 1, 0.03, 0.07),
        ("moves up", "rows", -1, 0.03, 0.07), ("moves down", "rows", 1, 0.03, 0.07),
        ("turns left", "angles", 1, 0.02, 0.07), ("turns right", "angles", -1, 0.02, 0.07),
        ("grows", "sizes", 1, 0.04, 0.1), ("shrinks", "sizes", -1, 0.04, 0.1),
    ],
)  # fmt: skip
def test_a_steady_motion_goes_on_in_one_direction_at_one_speed(many, motion, name, sign, slowest, fastest):
    speed = steps(many, motion, name) * sign
    assert len(speed) > 300 and np.abs(speed - speed[:, :1]).max() < 1e-9
    assert slowest <= speed.min() < slowest * 1.1 and fastest * 0.95 < speed.max() <= fastest
    for other in set(ALL) - {name}:
        assert np.abs(steps(many, motion, other)).max() == 0, other


@pytest.mark.parametrize(("motion", "name"), [("sways", "columns"), ("bounces", "rows")])
def test_what_goes_to_and_fro_turns_back_and_stays_within_its_reach(many, motion, name):
    moves = steps(many, motion, name)
    course = np.cumsum(moves, axis=1)
    assert np.ptp(course, axis=1).max() <= 0.25 + 1e-9
    assert (moves > 0).any(axis=1).all() and (moves < 0).any(axis=1).all()
    for other in set(ALL) - {name}:
        assert np.abs(steps(many, motion, other)).max() == 0, other


@pytest.mark.parametrize("motions", [MOTIONS, PAIRS])
def test_played_backwards_a_clip_shows_the_reverse_motion(motions):
    clips = make_clips(DISC, [0], 400, seed=3, motions=motions)
    backwards = clips._replace(
        truth=clips.truth._replace(**{name: getattr(clips.truth, name)[:, ::-1] for name in ALL})
    )
    for motion in motions:
        for name in ALL:
            there, back = (
                np.sign(steps(each, way, name, motions).round(6))
                for each, way in ((clips, reverse_of(motion)), (backwards, motion))
            )
            to_and_fro = motion in ("sways", "bounces")
            assert set(np.unique(there)) == set(np.unique(back)) and (to_and_fro or len(np.unique(back)) == 1)


@pytest.mark.parametrize("motion", ["flies", "moves left and", "moves left and moves right"])
def test_an_unknown_motion_has_no_reverse(motion):
    with pytest.raises(ValueError, match="There is no motion"):
        reverse_of(motion)


def test_two_motions_at_once_are_both_there():
    clips = make_clips(DISC, [0], 400, seed=0, motions=PAIRS, side=32)
    for motion in PAIRS:
        move, _, change = motion.partition(" and ")
        name, sign = {"left": ("columns", -1), "right": ("columns", 1), "up": ("rows", -1), "down": ("rows", 1)}[
            move.split()[1]
        ]
        assert (steps(clips, motion, name, PAIRS) * sign > 0.029).all()
        assert (steps(clips, motion, "sizes", PAIRS) * (1 if change == "grows" else -1) > 0.039).all()
    assert not clips.truth.angles.any()  # nothing turns, so all stay upright


def test_all_motions_and_all_kinds_are_about_equally_frequent(many):
    assert np.bincount(many.labels, minlength=10).min() > 400 - 4 * 19  # a standard deviation is 19
    assert np.bincount(many.truth.kinds, minlength=6).min() > 500
    assert 0 <= many.truth.noise.min() < 0.001 and 0.099 < many.truth.noise.max() <= 0.1


# --- what the frames show ---------------------------------------------------------------------------------------------


def centers(frames):
    """Where the light of each frame lies, from the left and from the top; edges are joined, so on a circle."""
    turn = np.exp(2j * np.pi * (np.arange(32) + 0.5) / 32)
    light = frames[..., 0].astype(float)
    return [np.angle((light.sum(axis=axis) * turn).sum(axis=-1)) / (2 * np.pi) * 32 % 32 for axis in (-2, -1)]


def apart(left, right):
    return np.abs((left - right + 16) % 32 - 16)


def test_the_light_is_where_the_truth_says_and_grows_with_the_square_of_the_size():
    clips = make_clips(DISC, [0], 200, seed=0, noise=0)
    columns, rows = centers(clips.frames)
    assert apart(columns, clips.truth.columns).max() < 0.15
    assert apart(rows, clips.truth.rows).max() < 0.15
    light = clips.frames.sum(axis=(2, 3, 4)) / 255
    expected = DISC.sum() / 255 * (clips.truth.sizes * 32 / 28) ** 2
    np.testing.assert_allclose(light, expected, rtol=0.06)


def test_turning_left_is_counterclockwise():
    # A dot 9 pixels above the picture's center; at 90 degrees it is to the left of it.
    dot = np.zeros((1, 28, 28), np.uint8)
    dot[0, 4:6, 13:15] = 255
    clips = make_clips(dot, [0], 60, seed=0, noise=0)
    reach, angle = 9 * clips.truth.sizes * 32 / 28, np.radians(clips.truth.angles)
    columns, rows = centers(clips.frames)
    assert apart(columns, clips.truth.columns - reach * np.sin(angle)).max() < 0.5
    assert apart(rows, clips.truth.rows - reach * np.cos(angle)).max() < 0.5
    assert np.ptp(clips.truth.angles) > 300


def test_every_pixel_is_interpolated_from_the_four_around_its_place_in_the_picture():
    pictures, kinds = draw_shapes(20, seed=3)
    clips = make_clips(pictures, kinds, 12, seed=1, noise=0, side=32)
    row, column = np.mgrid[0.5:32, 0.5:32]
    for clip, time in ((0, 0), (3, 5), (7, 15), (11, 9)):
        truth = {name: getattr(clips.truth, name)[clip, time] for name in ALL}
        right = (column - truth["columns"] + 16) % 32 - 16
        down = (row - truth["rows"] + 16) % 32 - 16
        around = (down + 1j * right) * np.exp(-1j * np.radians(truth["angles"])) * 28 / (truth["sizes"] * 32)
        picture = pictures[clips.truth.pictures[clip]].astype(float)
        expected = map_coordinates(picture, [around.real + 13.5, around.imag + 13.5], order=1, mode="grid-constant")
        assert np.abs(clips.frames[clip, time, ..., 0] - expected).max() <= 0.51


def test_the_noise_has_the_strength_that_the_truth_says():
    clips = make_clips(np.full((1, 28, 28), 128, np.uint8), [0], 60, seed=0)
    around = np.arange(-3, 3)  # the picture is at least 14 pixels wide, so all 36 pixels are 128 but for noise
    rows, columns = ((part.astype(int)[..., None] + around) % 32 for part in (clips.truth.rows, clips.truth.columns))
    clip, time = np.ogrid[:60, :16]
    patches = clips.frames[clip[..., None, None], time[..., None, None], rows[..., None], columns[..., None, :], 0]
    assert abs(patches.mean() - 128) < 0.5
    spread = patches.reshape(60, -1).std(axis=1) / 255  # of 576 pixels: known to 3 percent
    np.testing.assert_allclose(spread, clips.truth.noise, rtol=0.12, atol=0.002)


# --- no frame gives the motion away -----------------------------------------------------------------------------------

LEARNED = 2_500  # of the 4,000 clips
FRAMES = (0, 7, 15)


def factors(clips, time):
    """All that there is to know about one frame."""
    truth = clips.truth
    parts = [part[:, time] for part in (truth.columns, truth.rows, truth.angles, truth.sizes)]
    waves = [
        wave(2 * np.pi * part / top)
        for part, top in zip(parts, (32, 32, 360), strict=False)
        for wave in (np.sin, np.cos)
    ]
    return np.stack([*parts, *waves, truth.kinds, truth.noise], axis=1)


def pixels(clips, time):
    """One frame, at half the resolution."""
    return clips.frames[:, time, ..., 0].reshape(-1, 16, 2, 16, 2).mean(axis=(2, 4)).reshape(-1, 256) / 255


CLASSIFIERS = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500)),
    "forest": lambda: RandomForestClassifier(30, min_samples_leaf=5, random_state=0),
    "nearest neighbors": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier(15)),
}


def accuracy(classifier, inputs, labels):
    return classifier.fit(inputs[:LEARNED], labels[:LEARNED]).score(inputs[LEARNED:], labels[LEARNED:])


@pytest.mark.parametrize("view", [factors, pixels])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_best_that_a_classifier_of_single_frames_does_is_chance(many, name, view):
    scores = [accuracy(CLASSIFIERS[name](), view(many, time), many.labels) for time in FRAMES]
    error = np.sqrt(0.1 * 0.9 / (4_000 - LEARNED))  # the standard error of chance
    assert np.abs(np.array(scores) - 0.1).max() < 3 * error


def test_two_frames_give_it_away():
    # The test above could tell: shown two neighboring frames' facts, the same forest knows most motions.
    clips = make_clips(*draw_shapes(100, seed=1), 4_000, seed=2, side=8)
    both = [
        np.concatenate([factors(clips, time), factors(clips, time + 1) - factors(clips, time)], axis=1)
        for time in FRAMES[:2]
    ]
    assert min(accuracy(CLASSIFIERS["forest"](), inputs, clips.labels) for inputs in both) > 0.8


@pytest.mark.parametrize("motions", [MOTIONS, PAIRS])
def test_places_angles_and_sizes_are_spread_alike_in_every_frame_of_every_motion(motions):
    clips = make_clips(DISC, [0], 12_000, seed=5, motions=motions, side=8, frames=16)
    tops = {"columns": 8, "rows": 8, "angles": 360}
    for label, motion in enumerate(motions):
        here = clips.labels == label
        for time, name in [(time, name) for time in FRAMES for name in ALL]:
            values = getattr(clips.truth, name)[here, time]
            if name == "angles" and motions is PAIRS:
                continue
            places = np.log2(values / 0.45) if name == "sizes" else values / tops[name]
            assert kstest(places, "uniform").pvalue > 1e-4, (motion, time, name)


# --- chance and errors ------------------------------------------------------------------------------------------------


def test_the_seed_decides_and_fewer_are_the_beginning_of_more():
    shapes = draw_shapes(5, seed=0)
    few, more, other = (make_clips(*shapes, count, seed=seed) for count, seed in ((5, 3), (70, 3), (5, 4)))
    np.testing.assert_array_equal(few.frames, more.frames[:5])
    for left, right in zip(few.truth, more.at(range(5)).truth, strict=True):
        np.testing.assert_array_equal(left, right)
    assert (few.frames != other.frames).any()
    np.testing.assert_array_equal(draw_shapes(9, seed=0)[0][:5], shapes[0])


def test_the_frames_are_those_that_they_have_always_been():
    # Written down once: it holds Python, NumPy and the processor to what the docstring promises.
    clips = make_clips(*draw_shapes(20, seed=0), 20, seed=0)
    assert hashlib.sha256(clips.frames.tobytes()).hexdigest()[:16] == "f130302f352c328f"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"motions": ("flies",)}, "There is no motion 'flies'. Pass one of 'moves left'"),
        ({"motions": ("moves left and moves right",)}, "or several that change different things"),
        ({"motions": ("moves left and",)}, "There is no motion"),
        ({"motions": ()}, "pass at least one, and each once"),
        ({"motions": ("grows", "grows")}, "pass at least one, and each once"),
        ({"count": 0}, "count=0, frames=16, side=32, noise=0.1; pass at least 1 clip"),
        ({"frames": 1}, "2 frames"),
        ({"noise": 1.5}, "noise from 0 to 1"),
        ({"pictures": DISC.astype(float)}, "dtype float64 .* Pass square pictures"),
        ({"pictures": DISC[0]}, r"shape \(28, 28\)"),
        ({"pictures": DISC[:, :20]}, "Pass square pictures"),
        ({"pictures": DISC[:0], "kinds": []}, "at least one"),
        ({"kinds": [0, 1]}, r"with kinds of shape \(2,\)"),
    ],
)
def test_options_that_make_no_sense_are_refused(wrong, message):
    options = {"pictures": DISC, "kinds": [0], "count": 1, "seed": 0} | wrong
    with pytest.raises(ValueError, match=message):
        make_clips(**options)


def test_no_shapes_are_refused():
    with pytest.raises(ValueError, match="Cannot draw 0 shapes; pass a `count` of at least 1"):
        draw_shapes(0, seed=0)


def test_a_shape_is_one_piece_within_the_picture_and_no_two_are_equal():
    pictures, kinds = draw_shapes(700, seed=0)
    assert set(kinds.tolist()) == set(range(len(SHAPES))) and pictures.max() == 255
    assert len({picture.tobytes() for picture in pictures}) == 700
    assert not pictures[:, [0, -1]].any() and not pictures[:, :, [0, -1]].any()
    # By hand: an upright square has sides of 1.5 x 10 pixels, stretched by 0.85 to 1.15 and bent by 0.8 at a corner.
    areas = pictures[kinds == SHAPES.index("square")].sum(axis=(1, 2)) / 255
    assert 11 < np.sqrt(areas.min()) < 14 and 16 < np.sqrt(areas.max()) < 19


# --- splits and sources -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [1, 2])
def test_the_splits_of_the_sample_share_no_picture_and_know_their_truth(facts):
    clips = load_clips("sample", facts=facts)
    assert clips.label_names == (MOTIONS if facts == 1 else PAIRS) and clips.kind_names == SHAPES
    assert [len(part.labels) for part in clips[:3]] == [1_000, 200, 400]
    seen = [set(part.truth.pictures.tolist()) for part in clips[:3]]
    assert all(not left & right for left, right in combinations(seen, 2))
    kinds = draw_shapes(700, seed=0)[1]
    for part in clips[:3]:
        np.testing.assert_array_equal(part.truth.kinds, kinds[part.truth.pictures])
        assert part.frames.shape == (len(part.labels), 16, 32, 32, 1) and part.frames.dtype == np.uint8
    assert (clips.train.frames[:200] != clips.dev.frames).any(axis=(1, 2, 3, 4)).all()


def test_captions_say_what_is_there_and_what_it_does():
    clips = load_clips("sample", facts=2)
    part = clips.test.at([4, 0])
    for caption, kind, label in zip(clips.captions(part), part.truth.kinds, part.labels, strict=True):
        assert caption == f"the {SHAPES[kind]} {PAIRS[label]}"
    assert len(set(clips.captions(clips.train))) == 6 * 8


def test_facts_are_one_or_two():
    with pytest.raises(ValueError, match="facts is 3; pass 1 for the motion alone, or 2"):
        load_clips("sample", facts=3)


def idx(array):
    head = bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(head + array.tobytes())


@pytest.fixture
def real_files(tmp_path, monkeypatch):
    """A cache with 50 digits in the format of MNIST, all different, and the registry that goes with it."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    pictures = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    digits = np.arange(50, dtype=np.uint8) % 10
    rows = []
    for name, array in (("images-idx3", pictures), ("labels-idx1", digits)):
        path = folder / f"t10k-{name}-ubyte.gz"
        path.write_bytes(idx(array))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append(
            f'{{ path = "{path.name}", bytes = {path.stat().st_size}, sha256 = "{digest}", '
            f'url = "http://127.0.0.1:1/{path.name}" }}'
        )
    table = f'[mnist]\nlicense = "none"\ncitation = "none"\nfiles = [\n{rows[0]},\n{rows[1]},\n]\n'
    (tmp_path / "registry.toml").write_text(table)
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setattr(moving_digits, "SIZES", {"sample": (20, 10, 10), "moving_digits": (60, 20, 30)})
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


def test_real_digits_move_and_no_picture_is_in_two_splits(real_files):
    clips = load_clips("moving_digits")
    assert (clips.source, clips.kind_names, len(clips.label_names)) == ("moving_digits", DIGITS, 10)
    assert [len(part.labels) for part in clips[:3]] == [60, 20, 30]
    seen = [set(part.truth.pictures.tolist()) for part in clips[:3]]
    assert all(not left & right for left, right in combinations(seen, 2))
    assert max(map(len, seen)) <= 35 and set.union(*seen) <= set(range(50))
    for part in clips[:3]:
        np.testing.assert_array_equal(part.truth.kinds, part.truth.pictures % 10)


def test_auto_takes_the_cached_digits_and_says_so_in_one_line(real_files, capsys):
    assert load_clips().source == "moving_digits"
    assert capsys.readouterr().out == "Data: moving_digits, handwritten digits of MNIST, found in the cache.\n"


def test_auto_downloads_what_is_missing_and_says_so(real_files, monkeypatch, capsys):
    contents = {path.name: path.read_bytes() for path in real_files.iterdir()}

    def fetch(name):
        for file, content in contents.items():
            (real_files / file).write_bytes(content)
        return {file: real_files / file for file in contents}

    next(real_files.iterdir()).unlink()
    monkeypatch.setattr("rnn_course.data.moving_digits.fetch", fetch)
    assert load_clips(facts=2).label_names == PAIRS
    assert capsys.readouterr().out.endswith(", downloaded just now.\n")


def test_auto_without_a_network_takes_the_sample_and_says_why_in_one_line(real_files, capsys):
    next(real_files.iterdir()).unlink()
    clips = load_clips("auto", facts=2)
    assert (clips.source, clips.label_names) == ("sample", PAIRS)
    assert capsys.readouterr().out == (
        "Data: the sample, moving shapes drawn by the course, because the server 127.0.0.1:1 cannot be reached.\n"
    )


def test_the_real_digits_asked_for_by_name_are_never_replaced_by_the_sample(real_files):
    next(real_files.iterdir()).write_bytes(b"damaged")
    with pytest.raises(cache.DataError, match="is damaged"):
        load_clips("moving_digits")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no gzip", "digits.gz is not gzipped, or cut"),
        (idx(np.zeros((2, 3), np.uint8))[:-9], "digits.gz is not gzipped, or cut"),
        (gzip.compress(b"\0\0\x0d\x01"), "is no IDX file of bytes: it begins with"),
        (gzip.compress(b""), "is no IDX file of bytes"),
        (gzip.compress(b"\0\0\x08\x03\0\0\0\x01"), "is no IDX file of bytes"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x05abc"), r"holds 3 bytes, its head says \(5,\). It is cut"),
    ],
)
def test_a_file_of_digits_that_is_broken_is_named(tmp_path, content, message):
    path = tmp_path / "digits.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_idx(path)


# --- the real digits, on machines whose cache holds them --------------------------------------------------------------

CACHED = all(file.state == "cached" for file in cache.status("mnist"))


@pytest.mark.parametrize("source", ["sample", *(["moving_digits"] if CACHED else [])])
def test_the_card_counts_clips_and_pictures(source):
    clips = load_clips(source)
    card = " ".join(clips.card.split())
    total = {"sample": 700, "moving_digits": 10_000}[source]
    for name, part, share in zip(("train", "dev", "test"), clips[:3], (0.7, 0.1, 0.2), strict=True):
        assert f"| {name} | {len(part.labels):,} | {round(total * share):,} |" in card
    neighbors = CLASSIFIERS["nearest neighbors"]()
    scores = []
    for time in FRAMES:
        neighbors.fit(pixels(clips.train, time), clips.train.labels)
        scores.append(neighbors.score(pixels(clips.test, time), clips.test.labels))
    told = re.findall(r"([\d.]+) %", re.search(r"15 nearest neighbors on pixels \|([^|]+\|){3}", card)[0])
    np.testing.assert_allclose(np.array(told, float), 100 * np.array(scores), atol=0.3)
    error = np.sqrt(0.1 * 0.9 / len(clips.test.labels))
    assert f"chance is 10.0 %, its standard error {100 * error:.1f} points" in card
