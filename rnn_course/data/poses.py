"""People as stick figures: 15 joints a frame, one action a clip, from real videos or drawn by the course."""

import io
import pickle
import pickletools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.cache import fetch
from rnn_course.data.sources import card_of, real_or_sample, refuse_unknown
from rnn_course.data.stick_figures import ACTIONS, JOINTS, PoseTruth, make_stick_figures

SOURCES = ("auto", "sample", "jhmdb_poses")
SIZES = (280, 40, 140)  # clips of the sample
DEV = 7  # every class gives a seventh of its official training clips, the last ones of the file, for dev
# Pairs of joints that a picture joins.
BONES = (
    ("neck", "face"), ("neck", "belly"), ("neck", "right shoulder"), ("neck", "left shoulder"),
    ("right shoulder", "right elbow"), ("right elbow", "right wrist"),
    ("left shoulder", "left elbow"), ("left elbow", "left wrist"), ("belly", "right hip"), ("belly", "left hip"),
    ("right hip", "right knee"), ("right knee", "right ankle"), ("left hip", "left knee"), ("left knee", "left ankle"),
)  # fmt: skip
NAMES = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"), ("numpy", "ndarray")}


class Poses(NamedTuple):
    """Clips of poses with one action each and, where they were made, the truth about them.

    Attributes:
        clips: for each clip `(time, 15, 2)` float64: to the right and down, in the order of `JOINTS`.
        labels: `(batch,)` int64, the index of each clip's action.
        truth: the `PoseTruth`; `None` where no truth is known, as in all real data.
    """

    clips: tuple[np.ndarray, ...]
    labels: np.ndarray
    truth: PoseTruth | None = None

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of joints."""
        lengths = sorted(map(len, self.clips)) or [0]
        known = "" if self.truth is None else ", truth known"
        return f"Poses({len(self.clips):,} clips of {lengths[0]} to {lengths[-1]} frames{known})"

    def at(self, indices: Sequence[int]) -> "Poses":
        """Return the clips at some indices, with their labels and truth.

        Args:
            indices: `(count,)` positions, in the order wanted.
        """
        chosen = np.asarray(indices, int)
        truth = self.truth and PoseTruth(*(part[chosen] for part in self.truth))
        return Poses(tuple(self.clips[index] for index in chosen), self.labels[chosen], truth)


class PoseSplits(NamedTuple):
    """A classification of poses with its splits.

    Attributes:
        train: the `Poses` to learn from.
        dev: the ones to choose by.
        test: the ones to report on, once.
        label_names: the names of the actions by their index.
        joint_names: the names of the joints by their index.
        source: where they come from: "sample" or a data set's name.
        card: what one has to know before using them, as Markdown.
    """

    train: Poses
    dev: Poses
    test: Poses
    label_names: tuple[str, ...]
    joint_names: tuple[str, ...]
    source: str
    card: str

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of joints."""
        sizes = " / ".join(f"{len(split.clips):,}" for split in self[:3])
        return (
            f"PoseSplits(source={self.source!r}, {len(self.label_names)} actions, train / dev / test = {sizes} clips)"
        )


def load_poses(source: str = "auto") -> PoseSplits:
    """Load clips of people who do something, 15 joints in every frame.

    Args:
        source: "jhmdb_poses" (14 actions from real videos, the joints marked by hand, official split 1), "sample"
            (stick figures that the course draws: no network is touched, and what they do is known) or "auto":
            jhmdb_poses where it is cached or can be downloaded, otherwise the sample. "auto" prints one line that says
            which and why.

    Returns:
        `PoseSplits`: train, dev and test with `clips`, `labels` and, in the sample, `truth`; the names of actions and
        joints, the source that was taken and its card. The test of the real set is the official one; dev is a seventh
        of the official training clips of every action.

    Raises:
        ValueError: where there is no source of that name.
        DataError: where the real set is asked for by name and cannot be had.

    Example:
        >>> load_poses("sample").test
        Poses(140 clips of 15 to 40 frames, truth known)
    """
    refuse_unknown(source, SOURCES, "poses")
    if source == "auto":
        sample = "the sample, stick figures drawn by the course"
        return real_or_sample(load_poses, "jhmdb_poses", sample, about="people in real videos")
    if source == "sample":
        made = (make_stick_figures(size, seed=seed) for seed, size in enumerate(SIZES))
        return PoseSplits(*(Poses(*part) for part in made), ACTIONS, JOINTS, source, card_of("stick_figures"))
    files = fetch("jhmdb_poses")
    (learned, actions), (tested, tested_actions) = (
        read_pose_file(files[f"GT_{part}_1.pkl"]) for part in ("train", "test")
    )
    names = tuple(sorted(set(actions)))
    labels, test_labels = (np.array([names.index(each) for each in part]) for part in (actions, tested_actions))
    official = Poses(learned, labels)
    train, dev = _hold_out(labels)
    test = Poses(tested, test_labels)
    return PoseSplits(official.at(train), official.at(dev), test, names, JOINTS, source, card_of(source))


def read_pose_file(path: Path) -> tuple[tuple[np.ndarray, ...], tuple[str, ...]]:
    """Read a pickle of poses without running anything that it names.

    A pickle is a program: whoever wrote it decides which functions are called when it is read. Here a file may name
    three things, which stand for an array, for its type, and for the function that puts an array together. Even these
    are not NumPy's own, but stand-ins that keep what they are given until it has been checked.

    Args:
        path: the file; it holds {"pose": [arrays of (time, 15, 2)], "label": [one string each]}.

    Returns:
        The clips, `(time, 15, 2)` float64 each, and their actions.

    Raises:
        ValueError: where the file names anything else, is damaged, or holds other things than poses.
    """
    try:
        written = path.read_bytes()
        _refuse_far_notes(written)
        content = _ArrayUnpickler(io.BytesIO(written)).load()
        clips, actions = tuple(part.to_array() for part in content["pose"]), tuple(content["label"])
    except Exception as error:  # a damaged pickle can raise anything
        raise ValueError(
            f"{path.name} is no pickle of poses, or a damaged one ({error}). Nothing in it was run; fetch it again."
        ) from error
    wrong = [clip for clip in clips if clip.shape[1:] != (15, 2) or not clip.size or not np.isfinite(clip).all()]
    if wrong or not clips or len(clips) != len(actions) or not all(isinstance(action, str) for action in actions):
        raise ValueError(
            f"{path.name} holds {len(clips)} clips and {len(actions)} labels, and {len(wrong)} clips are no "
            "(time, 15, 2) of finite numbers. Expected as many labels, each a string, as clips; fetch it again."
        )
    return clips, actions


def _refuse_far_notes(content: bytes) -> None:
    """Raise a ValueError where a pickle numbers what it notes beyond its own bytes: so much memory would be filled."""
    for opcode, number, _ in pickletools.genops(content):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and number > len(content):
            raise ValueError(f"it notes something under the number {number:,}")


class _Type:
    """Stands for a NumPy type: kept as its name and byte order."""

    def __init__(self, name: str, *_):
        self.name, self.order = name, "<"

    def __setstate__(self, state: tuple):
        self.order = state[1]


class _Array:
    """Stands for a NumPy array, and for the function that begins one: keeps what the file says about it."""

    def __init__(self, *_):
        self.state = None

    def __setstate__(self, state: tuple):
        self.state = state

    def to_array(self) -> np.ndarray:
        """Build the array, `(…)` float64, where it is one of floats; ValueError otherwise."""
        _, shape, kind, is_fortran, content = self.state
        if type(kind) is not _Type or (kind.name, kind.order) not in (("f8", "<"), ("f8", ">")):
            raise ValueError("an array in it is not of 64-bit floats")
        order = "F" if is_fortran else "C"
        return np.frombuffer(content, f"{kind.order}f8").reshape(shape, order=order).astype(np.float64)


class _ArrayUnpickler(pickle.Unpickler):
    """Reads pickles that name nothing but the parts of an array."""

    def find_class(self, module: str, name: str) -> type:
        """Return the stand-in for the name, or refuse it."""
        if (module, name) in NAMES:
            return _Array
        if (module, name) == ("numpy", "dtype"):
            return _Type
        raise pickle.UnpicklingError(f"it names {module}.{name}, and only arrays are allowed")


def _hold_out(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices for train and dev; dev is cut off, not drawn: clips of one recording may be neighbors."""
    dev = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    dev = np.concatenate([places[len(places) - max(1, len(places) // DEV) :] for places in dev])
    return np.setdiff1d(np.arange(len(labels)), dev), np.sort(dev)
