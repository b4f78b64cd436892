"""Sequences of letters with one class each: their types, and splits in which no sequence has a near copy elsewhere.

Genomes repeat themselves. Two windows that overlap, or that were cut from copies of one gene, are different strings,
and a model that has seen the one knows the other. So sequences that share a stretch of letters stay in one split.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

DEV, TEST = 0.1, 0.2  # shares of the sequences
FEWEST = 3  # sequences of a class: one each for train, dev and test


class PlantedMotifs(NamedTuple):
    """Where a generator planted which motif.

    Attributes:
        names: the motifs' names.
        widths: how many letters each is wide.
        starts: `(batch, motifs)` int64, the position of each motif's first letter, from 0; -1 where it was not planted.
    """

    names: tuple[str, ...]
    widths: tuple[int, ...]
    starts: np.ndarray


class LabelledSequences(NamedTuple):
    """Sequences with their classes and, where a generator wrote them, the truth about their motifs.

    Attributes:
        sequences: `batch` strings.
        labels: `(batch,)` int64, the class index of each.
        truth: the `PlantedMotifs`; `None` where no truth is known, as in all real data.
    """

    sequences: list[str]
    labels: np.ndarray
    truth: PlantedMotifs | None = None

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of letters."""
        lengths = sorted({len(sequence) for sequence in self.sequences}) or [0]
        span = f"{lengths[0]:,}" if len(lengths) == 1 else f"{lengths[0]:,} to {lengths[-1]:,}"
        known = "" if self.truth is None else ", motifs known"
        return f"LabelledSequences({len(self.sequences):,} sequences of {span} letters{known})"

    def at(self, indices: Sequence[int]) -> "LabelledSequences":
        """Return the sequences at some indices, with their labels and truth.

        Args:
            indices: `(count,)` positions, in the order wanted.
        """
        chosen = np.asarray(indices, int)
        truth = self.truth and self.truth._replace(starts=self.truth.starts[chosen])
        return LabelledSequences([self.sequences[index] for index in chosen], self.labels[chosen], truth)


class SequenceSplits(NamedTuple):
    """A classification of sequences with its splits.

    Attributes:
        train: the `LabelledSequences` to learn from.
        dev: the ones to choose by.
        test: the ones to report on, once.
        label_names: the names of the classes by their index.
        source: where they come from: "sample", a data set's name, or the names of a user's files.
        card: what one has to know before using them, as Markdown.
    """

    train: LabelledSequences
    dev: LabelledSequences
    test: LabelledSequences
    label_names: tuple[str, ...]
    source: str
    card: str

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of letters."""
        sizes = " / ".join(f"{len(split.sequences):,}" for split in self[:3])
        names = str(self.label_names) if len(self.label_names) <= 5 else f"({len(self.label_names)} classes)"
        return f"SequenceSplits(source={self.source!r}, label_names={names}, train / dev / test = {sizes})"


def split_sequences(
    data: LabelledSequences,
    label_names: Sequence[str],
    *,
    dev: float = DEV,
    test: float = TEST,
    shared: int | None = None,
    seed: int = 0,
) -> tuple[LabelledSequences, LabelledSequences, LabelledSequences]:
    """Cut sequences into train, dev and test with the same share of every class, and no near copy across.

    The groups of `overlap_groups` are drawn in random order, for test while there is room for all their sequences in
    their classes, then for dev, and at last for train: a large group often ends there.

    Args:
        data: `batch` sequences.
        label_names: the names of the classes by their index.
        dev: share of every class for dev, above 0; at least one sequence is taken.
        test: share of every class for test, likewise.
        shared: sequences with so many consecutive letters in common stay together; `None`: only equal ones do.
        seed: of the draw; the same seed gives the same splits with every version of NumPy.

    Returns:
        Train, dev and test, each in shuffled order.

    Raises:
        ValueError: where the shares leave nothing for train, there are fewer than two classes, or a class has too few
            sequences, or too few that are free of the others, for three splits.
    """
    if not (dev > 0 and test > 0 and dev + test < 1):
        raise ValueError(f"dev={dev} and test={test}; pass two shares above 0 whose sum is below 1, such as {DEV}.")
    counts = np.bincount(data.labels, minlength=len(label_names))
    _refuse_rare_classes(counts, label_names)
    groups = overlap_groups(data.sequences, shared=shared)
    members = np.split(np.argsort(groups, kind="stable"), np.flatnonzero(np.diff(np.sort(groups))) + 1)
    parts: dict[str, list[int]] = {"test": [], "dev": [], "train": []}
    rooms = {"test": test * counts, "dev": dev * counts, "train": np.full(len(counts), len(data.labels))}
    rooms = {name: np.maximum(1, np.round(room)).astype(int) for name, room in rooms.items()}
    rng = np.random.RandomState(seed)  # its streams are frozen, those of default_rng may change
    for chosen in rng.permutation(len(members)):
        weight = np.bincount(data.labels[members[chosen]], minlength=len(counts))
        name = next(name for name in parts if (weight <= rooms[name]).all())
        rooms[name] -= weight
        parts[name].extend(members[chosen])
    _refuse_missing_classes(parts, data.labels, label_names, shared)
    train, dev_part, test_part = (data.at(rng.permutation(parts[name])) for name in ("train", "dev", "test"))
    return train, dev_part, test_part


def overlap_groups(sequences: Sequence[str], *, shared: int | None) -> np.ndarray:
    """Number groups of sequences so that two of different groups have no stretch of `shared` letters in common.

    A group may hold sequences that share nothing, where others link them. Sequences shorter than `shared` are grouped
    with equal ones alone; the other strand of DNA is not looked at.

    Args:
        sequences: `batch` strings.
        shared: so many consecutive letters link two sequences; `None`: only equal ones are linked.

    Returns:
        `(batch,)` int64, the number of each sequence's group, from 0 in the order of their first members.

    Raises:
        ValueError: where `shared` is below 1.

    Example:
        >>> overlap_groups(["AACCG", "ACCGT", "GTTTT", "AACCG"], shared=4).tolist()
        [0, 0, 1, 0]
    """
    first: dict[str, int] = {}
    equal = np.array([first.setdefault(sequence, place) for place, sequence in enumerate(sequences)], np.int64)
    links = np.stack([np.arange(len(equal)), equal], axis=1)
    if shared is not None:
        owners, stretches = _stretches(sequences, shared)
        order = np.argsort(stretches, kind="stable")
        same = stretches[order][1:] == stretches[order][:-1]
        pairs = np.stack([owners[order][1:][same], owners[order][:-1][same]], axis=1)
        links = np.concatenate([links, np.unique(pairs, axis=0)])
    return _components(len(equal), links)


def _stretches(sequences: Sequence[str], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Number every stretch of `length` letters, equal ones alike, and say which sequence it is in; both `(stretches,)`.

    The numbers are hashes of 64 bits, exact but for a chance of about one in a million with millions of stretches,
    which would group two sequences too many.
    """
    if length < 1:
        raise ValueError(f"shared={length}; pass a number of letters of at least 1, or None.")
    codes = np.frombuffer("".join(sequences).encode("utf-32-le", errors="surrogatepass"), "<u4").astype(np.uint64)
    codes = (codes + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    codes ^= codes >> np.uint64(29)
    if len(codes) < length:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    hashes = np.zeros(len(codes) - length + 1, np.uint64)
    for place in range(length):
        hashes = hashes * np.uint64(0xD6E8FEB86659FD93) + codes[place : place + len(hashes)]
    owners = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    inside = owners[: len(hashes)] == owners[length - 1 :]
    return owners[: len(hashes)][inside], hashes[inside]


def _components(size: int, links: np.ndarray) -> np.ndarray:
    """Number the connected parts of a graph, `(size,)`, in the order of their first members."""
    parents = list(range(size))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for left, right in links.tolist():
        low, high = sorted((root(left), root(right)))
        parents[high] = low
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root(place), len(numbers)) for place in range(size)], np.int64)


def _refuse_rare_classes(counts: np.ndarray, names: Sequence[str]) -> None:
    rare = [f"{name!r} ({count})" for name, count in zip(names, counts, strict=True) if count < FEWEST]
    if rare:
        raise ValueError(
            f"These classes have fewer than {FEWEST} different sequences and cannot be split: {', '.join(rare)}. A "
            "class needs one each for train, dev and test: add sequences, or leave the class out."
        )
    if len(names) < 2:
        raise ValueError(f"All sequences are of the class {names[0]!r}; a classifier needs at least two.")


def _refuse_missing_classes(
    parts: dict[str, list[int]], labels: np.ndarray, names: Sequence[str], shared: int | None
) -> None:
    for part, indices in parts.items():
        missing = [names[label] for label in range(len(names)) if label not in labels[indices]]
        if missing:
            raise ValueError(
                f"No sequence of {missing} is left for {part}: too many of them share {shared} letters with others and "
                "must stay together. Pass a larger `shared`, larger shares, or None to split by equal sequences alone."
            )
