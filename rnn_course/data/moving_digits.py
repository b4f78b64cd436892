"""Clips of handwritten digits that move, and of drawn shapes that do; the motion is asked for."""

import gzip
import math
import zlib
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.cache import fetch
from rnn_course.data.motions import MOTIONS, PAIRS, Clips, make_clips
from rnn_course.data.moving_shapes import SHAPES, draw_shapes
from rnn_course.data.sources import card_of, real_or_sample, refuse_unknown

SOURCES = ("auto", "sample", "moving_digits")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FACTS = {1: MOTIONS, 2: PAIRS}
PARTS = ("train", "dev", "test")
SIZES = {"sample": (1_000, 200, 400), "moving_digits": (4_000, 500, 1_000)}  # clips
SHARES = (0.7, 0.1, 0.2)  # of the pictures
SHAPES_DRAWN = 700


class ClipSplits(NamedTuple):
    """A classification of clips with its splits.

    Attributes:
        train: the `Clips` to learn from.
        dev: the ones to choose by.
        test: the ones to report on, once.
        label_names: the names of the classes by their index: what a clip's picture does.
        kind_names: the names of the kinds by their index: what is in the picture.
        source: where they come from: "sample" or a data set's name.
        card: what one has to know before using them, as Markdown.
    """

    train: Clips
    dev: Clips
    test: Clips
    label_names: tuple[str, ...]
    kind_names: tuple[str, ...]
    source: str
    card: str

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of pixels."""
        sizes = " / ".join(f"{len(split.labels):,}" for split in self[:3])
        return (
            f"ClipSplits(source={self.source!r}, {len(self.label_names)} motions, train / dev / test = {sizes} clips)"
        )

    def captions(self, clips: Clips) -> list[str]:
        """Say in a sentence what each clip shows: "the seven moves left and grows".

        Args:
            clips: `batch` clips of these splits.

        Returns:
            `batch` strings.
        """
        pairs = zip(clips.truth.kinds.tolist(), clips.labels.tolist(), strict=True)
        return [f"the {self.kind_names[kind]} {self.label_names[label]}" for kind, label in pairs]


def load_clips(source: str = "auto", *, facts: int = 1) -> ClipSplits:
    """Load clips of 16 frames of 32 by 32 pixels, each with a small picture that moves.

    The clips are made anew from their seeds at every call. No picture is in two splits, and no single frame says which
    motion it is from.

    Args:
        source: "moving_digits" (the 10,000 handwritten digits of MNIST's test set), "sample" (shapes that the course
            draws itself: no network is touched) or "auto": moving_digits where MNIST is cached or can be downloaded,
            otherwise the sample. "auto" prints one line that says which and why.
        facts: how much is to be said about a clip. 1: one of the ten `MOTIONS`; 2: one of four directions and whether
            the picture grows or shrinks, the eight `PAIRS`.

    Returns:
        `ClipSplits`: train, dev and test with `frames`, `labels` and `truth`; the names of classes and kinds, the
        source that was taken and its card.

    Raises:
        ValueError: where there is no source of that name, or `facts` is neither 1 nor 2.
        DataError: where the real digits are asked for by name and cannot be had.

    Example:
        >>> clips = load_clips("sample", facts=2)
        >>> clips
        ClipSplits(source='sample', 8 motions, train / dev / test = 1,000 / 200 / 400 clips)
        >>> clips.captions(clips.test)[:2]
        ['the hook moves left and shrinks', 'the triangle moves right and shrinks']
    """
    refuse_unknown(source, SOURCES, "clips")
    if facts not in FACTS:
        raise ValueError(f"facts is {facts!r}; pass 1 for the motion alone, or 2 for direction and change of size.")
    if source == "auto":
        load, sample = partial(load_clips, facts=facts), "the sample, moving shapes drawn by the course"
        return real_or_sample(load, "moving_digits", sample, about="handwritten digits of MNIST", files="mnist")
    if source == "sample":
        return _animate(*draw_shapes(SHAPES_DRAWN, seed=0), SHAPES, facts, source, "moving_shapes")
    files = fetch("mnist")
    pictures, digits = (read_idx(files[f"t10k-{name}"]) for name in ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"))
    return _animate(pictures, digits, DIGITS, facts, source, "moving_digits")


def read_idx(path: Path) -> np.ndarray:
    """Read bytes in the IDX format of MNIST, gzipped.

    Args:
        path: the file.

    Returns:
        uint8, of the shape that the file's head says: `(count, height, width)` for pictures, `(count,)` for labels.

    Raises:
        ValueError: where the file is no gzipped IDX file of bytes, or is cut.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path.name} is not gzipped, or cut ({error}). Pass a file such as MNIST's.") from error
    if content[:3] != b"\0\0\x08" or len(content) < 4 or len(content) < 4 + 4 * content[3]:
        raise ValueError(
            f"{path.name} is no IDX file of bytes: it begins with {content[:4]!r}. Pass one such as MNIST's."
        )
    start = 4 + 4 * content[3]
    shape = tuple(int.from_bytes(content[place : place + 4], "big") for place in range(4, start, 4))
    if len(content) - start != math.prod(shape):
        raise ValueError(
            f"{path.name} holds {len(content) - start:,} bytes, its head says {shape}. It is cut; fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _animate(
    pictures: np.ndarray, kinds: np.ndarray, names: tuple[str, ...], facts: int, source: str, card: str
) -> ClipSplits:
    """Deal the pictures out to train, dev and test, and let each part's move."""
    order = np.random.RandomState(0).permutation(len(pictures))  # its streams are frozen
    ends = np.cumsum(np.round(np.array(SHARES) * len(order)).astype(int))
    splits = {}
    for seed, (part, chosen) in enumerate(zip(PARTS, np.split(order, ends[:-1]), strict=True)):
        made = make_clips(
            pictures[chosen], kinds[chosen], SIZES[source][seed], seed=3 * facts + seed, motions=FACTS[facts]
        )
        truth = made.truth._replace(pictures=chosen[made.truth.pictures])
        splits[part] = made._replace(truth=truth)
    return ClipSplits(**splits, label_names=FACTS[facts], kind_names=names, source=source, card=card_of(card))
