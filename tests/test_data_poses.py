"""Poses: a pickle that is read without being run, official splits, and stick figures whose movements are known."""

import builtins
import hashlib
import os
import pickle
import re
from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from rnn_course.data import cache, load_poses, make_stick_figures, registry
from rnn_course.data.poses import BONES, read_pose_file
from rnn_course.data.stick_figures import ACTIONS, JOINTS


def pose_of(rng, time=4):
    return rng.normal(size=(time, 15, 2)).round(3)


def save(path, content, protocol=3):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


# --- a pickle is a program --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_poses_come_back_as_they_were_saved(tmp_path, protocol):
    clips = [pose_of(np.random.default_rng(0)), np.asfortranarray(pose_of(np.random.default_rng(1), 7))]
    content = {"pose": [*clips, clips[0].astype(">f8")], "label": ["clap", "wave", "clap"]}
    if protocol == 2:  # bytes are not known to it, and it asks for a function that makes them: that is refused
        with pytest.raises(ValueError, match=r"names _codecs\.encode"):
            read_pose_file(save(tmp_path / "a.pkl", content, protocol))
        return
    found, labels = read_pose_file(save(tmp_path / "a.pkl", content, protocol))
    assert labels == ("clap", "wave", "clap")
    for clip, expected in zip(found, [*clips, clips[0]], strict=True):
        np.testing.assert_array_equal(clip, expected)
        assert clip.dtype == np.float64 and clip.flags.writeable


class Runs:
    """An object whose pickle calls a function when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


ARRAY = np.zeros((2, 15, 2))
EVIL = {
    "os.system": lambda mark: Runs(os.system, f"echo > {mark}"),
    "builtins.eval": lambda mark: Runs(builtins.eval, f"open({str(mark)!r}, 'w')"),
    "builtins.getattr": lambda mark: Runs(builtins.getattr, "", "join"),
    "numpy.save": lambda mark: Runs(np.save, str(mark), ARRAY),
    "numpy.fromfile": lambda mark: Runs(np.fromfile, str(mark)),
    "numpy.load": lambda mark: Runs(np.load, str(mark), None, True),
    "numpy.memmap": lambda mark: Runs(np.memmap, str(mark), "f8", "w+", 0, (2,)),
    "numpy.ones": lambda mark: Runs(np.ones, (10**9, 10**9)),
    "numpy.f2py": lambda mark: Runs(Named("numpy.f2py.diagnose", "run_command"), f"echo > {mark}"),
    "operator.attrgetter": lambda mark: Runs(Named("operator", "attrgetter"), "system"),
}


class Named:
    """A function that is saved under any name."""

    def __init__(self, module, name):
        self.__module__, self.__qualname__, self.__name__ = module, name, name

    def __call__(self):
        raise AssertionError


def dumps(content):
    """Pickle, with functions by whatever name they carry."""

    class Pickler(pickle._Pickler):
        def save_global(self, thing, name=None):
            if isinstance(thing, Named):
                self.write(pickle.GLOBAL + f"{thing.__module__}\n{thing.__name__}\n".encode())
            else:
                super().save_global(thing, name)

        def save(self, thing, save_persistent_id=True):
            if isinstance(thing, Named):
                return self.save_global(thing)
            return super().save(thing, save_persistent_id)

    import io

    stream = io.BytesIO()
    Pickler(stream, 3).dump(content)
    return stream.getvalue()


@pytest.mark.parametrize("name", EVIL)
@pytest.mark.parametrize("where", ["alone", "among the poses", "as a label"])
def test_a_pickle_that_calls_anything_is_refused_and_nothing_happens(tmp_path, name, where):
    mark, evil = tmp_path / "mark", EVIL[name](tmp_path / "mark")
    content = {"pose": [ARRAY], "label": ["clap"]}
    content = {
        "alone": evil,
        "among the poses": content | {"pose": [ARRAY, evil]},
        "as a label": content | {"label": [evil]},
    }[where]
    path = tmp_path / "evil.pkl"
    path.write_bytes(dumps(content))
    with pytest.raises(ValueError, match=r"evil\.pkl is no pickle of poses, .*it names .*only arrays are allowed"):
        read_pose_file(path)
    assert not mark.exists()


def test_the_attack_would_work_on_a_reader_that_trusts_its_file(tmp_path):
    mark = tmp_path / "mark"
    pickle.loads(dumps(EVIL["os.system"](mark)))
    assert mark.exists()


def test_even_the_allowed_names_call_nothing_of_numpy(tmp_path):
    # ndarray((10**6, 10**6)) would ask for 8 terabytes; dtype(…) could build types of objects.
    huge = Runs(np.ndarray, (10**6, 10**6))
    objects = np.array([{"a": 1}, None], dtype=object)
    for poses in ([huge], [objects], [ARRAY.astype(np.float32)], [np.zeros((2, 15, 2), np.int64)]):
        path = tmp_path / "odd.pkl"
        path.write_bytes(dumps({"pose": poses, "label": ["clap"]}))
        with pytest.raises(ValueError, match=r"odd\.pkl is no pickle of poses"):
            read_pose_file(path)


def test_the_stand_ins_themselves_cannot_be_changed_by_a_file(tmp_path):
    # BUILD on the class instead of an instance: sets attributes of the class where it has no __setstate__.
    path = tmp_path / "build.pkl"
    path.write_bytes(b"\x80\x03cnumpy\nndarray\n}U\x01aK\x01sb.")
    with pytest.raises(ValueError, match=r"build\.pkl is no pickle of poses"):
        read_pose_file(path)
    assert read_pose_file(save(tmp_path / "good.pkl", {"pose": [ARRAY], "label": ["clap"]}))[1] == ("clap",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"pose": [ARRAY], "label": ["a", "b"]}, "holds 1 clips and 2 labels, and 0 clips are no"),
        ({"pose": [ARRAY[:, :14]], "label": ["a"]}, "1 clips are no"),
        ({"pose": [ARRAY[:0]], "label": ["a"]}, "1 clips are no"),
        ({"pose": [ARRAY * np.nan], "label": ["a"]}, "1 clips are no"),
        ({"pose": [ARRAY], "label": [3]}, "each a string"),
        ({"pose": [], "label": []}, "holds 0 clips"),
        ({"poses": [ARRAY]}, "no pickle of poses, or a damaged one"),
        ([ARRAY], "no pickle of poses, or a damaged one"),
        ({"pose": [[1.0]], "label": ["a"]}, "no pickle of poses, or a damaged one"),
    ],
)
def test_other_contents_are_named(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read_pose_file(save(tmp_path / "other.pkl", content))


@pytest.mark.parametrize("size", [0, 1, 40, 300])
def test_a_file_that_is_cut_is_named(tmp_path, size):
    whole = pickle.dumps({"pose": [ARRAY], "label": ["a"]}, protocol=3)
    (tmp_path / "cut.pkl").write_bytes(whole[:size])
    with pytest.raises(ValueError, match=r"cut\.pkl is no pickle of poses, or a damaged one"):
        read_pose_file(tmp_path / "cut.pkl")


# --- sources ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def real_files(tmp_path, monkeypatch):
    """A cache with few clips in the format of the real ones, and the registry that goes with it."""
    folder, rng = tmp_path / "jhmdb_poses", np.random.default_rng(0)
    folder.mkdir()
    rows = []
    for part, repeats in (("train", 15), ("test", 3)):
        labels = ["wave"] * repeats + ["clap"] * (repeats - 2)
        path = save(
            folder / f"GT_{part}_1.pkl",
            {"pose": [pose_of(rng, 15 + at) for at, _ in enumerate(labels)], "label": labels},
        )
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        rows.append(
            f'{{ path = "{path.name}", bytes = {path.stat().st_size}, sha256 = "{digest}", '
            f'url = "http://127.0.0.1:1/{path.name}" }}'
        )
    table = f'[jhmdb_poses]\nlicense = "none"\ncitation = "none"\nfiles = [\n{rows[0]},\n{rows[1]},\n]\n'
    (tmp_path / "registry.toml").write_text(table)
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return folder


def test_the_test_is_the_official_one_and_dev_the_last_seventh_of_every_action(real_files):
    poses = load_poses("jhmdb_poses")
    assert (poses.source, poses.label_names, poses.joint_names) == ("jhmdb_poses", ("clap", "wave"), JOINTS)
    # Clips were given the lengths 15, 16, …: their lengths are their places in the file.
    places = [[len(clip) - 15 for clip in part.clips] for part in poses[:3]]
    assert places[1] == [13, 14, 27]  # 15 // 7 = 2 of wave, 13 // 7 = 1 of clap
    assert sorted(places[0] + places[1]) == list(range(28)) and places[2] == [0, 1, 2, 3]
    assert poses.dev.labels.tolist() == [1, 1, 0] and poses.test.labels.tolist() == [1, 1, 1, 0]
    assert poses.train.truth is None and poses.train.labels.dtype == np.int64


def test_auto_takes_the_cached_real_set_and_says_so_in_one_line(real_files, capsys):
    assert load_poses().source == "jhmdb_poses"
    assert capsys.readouterr().out == "Data: jhmdb_poses, people in real videos, found in the cache.\n"


def test_auto_downloads_what_is_missing_and_says_so(real_files, monkeypatch, capsys):
    contents = {path.name: path.read_bytes() for path in real_files.iterdir()}

    def fetch(name):
        for file, content in contents.items():
            (real_files / file).write_bytes(content)
        return {file: real_files / file for file in contents}

    next(real_files.iterdir()).unlink()
    monkeypatch.setattr("rnn_course.data.poses.fetch", fetch)
    assert load_poses().source == "jhmdb_poses"
    assert capsys.readouterr().out.endswith(", downloaded just now.\n")


def test_auto_without_a_network_takes_the_sample_and_says_why_in_one_line(real_files, capsys):
    next(real_files.iterdir()).unlink()
    assert load_poses("auto").source == "sample"
    assert capsys.readouterr().out == (
        "Data: the sample, stick figures drawn by the course, because the server 127.0.0.1:1 cannot be reached.\n"
    )


def test_the_real_set_asked_for_by_name_is_never_replaced_by_the_sample(real_files):
    next(real_files.iterdir()).write_bytes(b"damaged")
    with pytest.raises(cache.DataError, match="is damaged"):
        load_poses("jhmdb_poses")


# --- stick figures ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figures():
    return make_stick_figures(300, seed=0)


def test_bones_keep_their_length_but_for_the_hand_that_marked_them(figures):
    clips, _, truth = figures
    for bone, length in (
        (("right elbow", "right wrist"), 0.15),
        (("left hip", "left knee"), 0.22),
        (("neck", "belly"), 0.36),
    ):
        one, other = (JOINTS.index(name) for name in bone)
        for clip, height in zip(clips, truth.heights, strict=True):
            found = np.linalg.norm(clip[:, one] - clip[:, other], axis=1)
            assert abs(found.mean() - length * height) < 0.01 and found.std() < 0.02
    assert {name for bone in BONES for name in bone} == set(JOINTS) and len(BONES) == 14


MOVED = {
    "clap": {"right wrist", "left wrist"},
    "jump": set(JOINTS),
    "kick": {"right knee", "right ankle"},
    "squat": set(JOINTS),
    "walk": {f"{side} {part}" for side in ("right", "left") for part in ("elbow", "wrist", "knee", "ankle")},
    "wave": {"right wrist"},
}


def test_each_action_moves_what_it_should_and_nothing_else(figures):
    clips, labels, truth = figures
    for clip, label, period in zip(clips, labels, truth.periods, strict=True):
        if len(clip) > period:  # else it may not have come far
            far = clip.std(axis=0).max(axis=1)
            moved = {name for name, spread in zip(JOINTS, far, strict=True) if spread > 0.014}
            assert moved <= MOVED[ACTIONS[label]], ACTIONS[label]
            wanted = MOVED[ACTIONS[label]] - {"right elbow", "left elbow"}
            if ACTIONS[label] != "squat":
                assert moved >= wanted, (ACTIONS[label], wanted - moved)
            else:
                assert moved >= {"neck", "belly", "right knee", "left knee"}


def test_a_movement_comes_again_after_its_period(figures):
    clips, labels, truth = figures
    for clip, label, period in zip(clips, labels, truth.periods, strict=True):
        if len(clip) < period + 5 or ACTIONS[label] == "jump":
            continue

        # The pose a period later, between two frames; half a period later it is another one.
        def apart(later, clip=clip):
            times = np.arange(int(len(clip) - later))
            whole, part = int(later), later - int(later)
            shifted = (1 - part) * clip[times + whole] + part * clip[np.minimum(times + whole + 1, len(clip) - 1)]
            return np.abs(clip[times] - shifted).max(axis=(1, 2)).mean()

        assert apart(period) < 0.06 < 2 * apart(period / 2), ACTIONS[label]


def test_a_figure_from_behind_has_its_right_side_at_the_right(figures):
    clips, _, truth = figures
    right, left = JOINTS.index("right shoulder"), JOINTS.index("left shoulder")
    for clip, mirrored in zip(clips, truth.mirrored, strict=True):
        assert ((clip[:, right, 0] > clip[:, left, 0]) == mirrored).all()
        assert (clip[:, JOINTS.index("face"), 1] < clip[:, JOINTS.index("belly"), 1]).all()  # y goes down


def test_a_single_pose_does_not_tell_the_action_and_what_moves_does():
    (clips, labels, _), (others, answers, _) = (
        make_stick_figures(size, seed=seed) for size, seed in ((1_500, 1), (1_000, 2))
    )
    error = np.sqrt(1 / 6 * 5 / 6 / 1_000)
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2_000)),
        make_pipeline(StandardScaler(), KNeighborsClassifier(15)),
    ]
    for model in models:
        for frame in (0, 14):
            first, other = (np.array([clip[frame].ravel() for clip in part]) for part in (clips, others))
            assert abs(model.fit(first, labels).score(other, answers) - 1 / 6) < 3 * error
        spread, other = (np.array([clip.std(axis=0).ravel() for clip in part]) for part in (clips, others))
        assert model.fit(spread, labels).score(other, answers) > 0.97


def test_the_seed_decides_and_fewer_are_the_beginning_of_more():
    (few, labels, truth), (more, more_labels, _) = (make_stick_figures(count, seed=3) for count in (5, 9))
    for left, right in zip(few, more[:5], strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(labels, more_labels[:5])
    assert not np.array_equal(truth.heights, make_stick_figures(5, seed=4)[2].heights)
    with pytest.raises(ValueError, match="Cannot draw 0 stick figures"):
        make_stick_figures(0, seed=0)


def test_clips_can_be_chosen_with_their_truth():
    test = load_poses("sample").test
    chosen = test.at([3, 1])
    np.testing.assert_array_equal(chosen.clips[1], test.clips[1])
    np.testing.assert_array_equal(chosen.truth.periods, test.truth.periods[[3, 1]])
    assert (
        repr(load_poses("sample"))
        == "PoseSplits(source='sample', 6 actions, train / dev / test = 280 / 40 / 140 clips)"
    )


# --- the cards --------------------------------------------------------------------------------------------------------

CACHED = all(file.state == "cached" for file in cache.status("jhmdb_poses"))


def fixed(clips):
    """Each clip as 16 frames, moved so that its first belly is at 0: `(batch, 16 * 30)`."""
    rows = []
    for clip in clips:
        places = np.linspace(0, len(clip) - 1, 16).round().astype(int)
        rows.append((clip - clip[0, JOINTS.index("belly")])[places].ravel())
    return np.array(rows)


def means(clips):
    """The mean pose of each clip, seen from its belly: `(batch, 30)`."""
    return np.array([(clip - clip[:, [JOINTS.index("belly")]]).mean(axis=0).ravel() for clip in clips])


@pytest.mark.parametrize("source", ["sample", *(["jhmdb_poses"] if CACHED else [])])
def test_the_card_tells_what_was_measured(source):
    poses = load_poses(source)
    card = " ".join(poses.card.split())
    counts = [Counter(part.labels.tolist()) for part in poses[:3]]
    for label, name in enumerate(poses.label_names):
        assert f"| {name} | {' | '.join(str(part[label]) for part in counts)} |" in card, name
    assert f"| all | {' | '.join(str(len(part.clips)) for part in poses[:3])} |" in card
    lengths = [len(clip) for part in poses[:3] for clip in part.clips]
    assert (min(lengths), max(lengths)) == (15, 40)
    train, test = poses.train, poses.test
    commonest = (test.labels == np.bincount(train.labels).argmax()).mean()
    logistic = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=3_000))
    inputs, other = fixed(train.clips), fixed(test.clips)
    scores = [
        commonest,
        KNeighborsClassifier(1).fit(inputs, train.labels).score(other, test.labels),
        logistic.fit(inputs, train.labels).score(other, test.labels),
        logistic.fit(inputs[:, :30], train.labels).score(other[:, :30], test.labels),
        logistic.fit(means(train.clips), train.labels).score(means(test.clips), test.labels),
    ]
    told = re.findall(r"([\d.]+) %", re.search(r"mean pose, from the belly \|\n.*\n(.*)", poses.card)[1])
    np.testing.assert_allclose(np.array(told, float), 100 * np.array(scores), atol=1.2)  # two clips of the real test
