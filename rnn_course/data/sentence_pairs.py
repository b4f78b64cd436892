"""Sentences with their translations: their type, their splits, and a reader for a user's own file."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.encodings import decode_file, existing_file
from rnn_course.words import JOINER

SHARE = 0.025  # of the pairs, for dev and for test


class SentencePairs(NamedTuple):
    """Sentences, one translation of each and, where a grammar wrote them, which word stands for which.

    Attributes:
        sources: `batch` sentences to be translated; one that has several translations is there several times.
        targets: `batch` translations.
        alignments: for each pair `(links, 2)` int64, a position in `split_words(source)` and one in
            `split_words(target)`. `None` where no truth is known, as in all real data.
    """

    sources: list[str]
    targets: list[str]
    alignments: tuple[np.ndarray, ...] | None = None

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of sentences."""
        return f"SentencePairs({len(self.sources):,} pairs{'' if self.alignments is None else ', alignments known'})"

    def at(self, indices: Sequence[int]) -> "SentencePairs":
        """Return the pairs at some indices, with their truth.

        Args:
            indices: `(count,)` positions, in the order wanted.
        """
        parts = ([part[index] for index in indices] for part in self[:2])
        links = self.alignments and tuple(self.alignments[index] for index in indices)
        return SentencePairs(*parts, links)

    def at_most(self, words: int) -> "SentencePairs":
        """Return the pairs whose sentences both have at most so many words, in the order they are in.

        Args:
            words: how many; what white space separates counts as one.
        """
        lengths = (max(len(side.split()) for side in pair) for pair in zip(self.sources, self.targets, strict=True))
        return self.at([index for index, length in enumerate(lengths) if length <= words])

    def references(self) -> tuple[list[str], list[list[str]]]:
        """Return every source once, in the order of its first appearance, and beside it all its different targets."""
        found: dict[str, dict[str, None]] = {}
        for source, target in zip(self.sources, self.targets, strict=True):
            found.setdefault(source, {})[target] = None
        return list(found), [list(targets) for targets in found.values()]


class Translation(NamedTuple):
    """A translation task with its splits.

    Attributes:
        train: the `SentencePairs` to learn from.
        dev: the ones to choose by.
        test: the ones to report on, once.
        languages: the names of the source's language and the target's.
        source: where it comes from: "sample", a data set's name, or the name of a user's file.
        card: what one has to know before using it, as Markdown.
    """

    train: SentencePairs
    dev: SentencePairs
    test: SentencePairs
    languages: tuple[str, str]
    source: str
    card: str

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of sentences."""
        sizes = " / ".join(f"{len(split.sources):,}" for split in self[:3])
        return f"Translation(source={self.source!r}, languages={self.languages}, train / dev / test = {sizes} pairs)"


def split_pairs(
    pairs: SentencePairs, *, dev: float = SHARE, test: float = SHARE, seed: int = 0
) -> tuple[SentencePairs, SentencePairs, SentencePairs]:
    """Cut pairs into train, dev and test so that no sentence of either language is in two of them.

    Pairs that share a source or a target stay together, and so do all that are linked by a chain of such pairs (the
    connected components of the graph of sentences). Sentences are compared by `bare_words`. Groups are drawn at random
    for test, then for dev; one that is too large for what is left there goes to train, with all others.

    Args:
        pairs: `batch` pairs.
        dev: share of the pairs for dev, above 0; at least one pair is taken.
        test: share of the pairs for test, likewise.
        seed: of the shuffle; the same seed gives the same splits with every version of NumPy.

    Returns:
        Train, dev and test, each in shuffled order. A split is smaller than its share where the groups are too large.

    Raises:
        ValueError: where the shares leave nothing for train, or there are too few groups for three splits.
    """
    if not (dev > 0 and test > 0 and dev + test < 1):
        raise ValueError(f"dev={dev} and test={test}; pass two shares above 0 whose sum is below 1, such as {SHARE}.")
    rng = np.random.RandomState(seed)  # its streams are frozen, those of default_rng may change
    groups = _groups(pairs)
    shuffled = [groups[index] for index in rng.permutation(len(groups))]
    size = len(pairs.sources)
    chosen, shuffled = _fill(shuffled, max(1, round(test * size)))
    others, rest = _fill(shuffled, max(1, round(dev * size)))
    parts = [[index for group in part for index in group] for part in (rest, others, chosen)]
    if not all(parts):
        raise ValueError(
            f"{size} pairs are too few to split: those that share a sentence make {len(groups)} groups, the largest of "
            f"{max(map(len, groups), default=0)} pairs, and train, dev and test need a group each that fits. Add pairs "
            "of other sentences."
        )
    train, dev_pairs, test_pairs = (pairs.at(rng.permutation(part)) for part in parts)
    return train, dev_pairs, test_pairs


def bare_words(text: str) -> str:
    """Return what two sentences must share to count as the same: their letters and digits, accents included.

    Case, signs and white space are left out; a sentence of signs alone stays as it is.

    Args:
        text: any string.

    Returns:
        A string to compare by.

    Example:
        >>> bare_words("¡No, él  NO!") == bare_words("No él no.")
        True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = "".join(sign for sign in folded if sign.isalnum() or unicodedata.category(sign)[0] == "M")
    return kept or "".join(text.split())


def read_sentence_pairs(
    path: str | Path,
    *,
    source: int = 0,
    target: int = 1,
    delimiter: str = "\t",
    encoding: str = "utf-8-sig",
    seed: int = 0,
    languages: tuple[str, str] = ("source", "target"),
) -> Translation:
    r"""Read your own file of sentences and their translations, one pair a line, and split it.

    A pair that is there more than once is kept once. Lines of white space are left out, and columns other than the two
    may hold anything. Between tabs quotation marks are part of a sentence; with another delimiter they enclose a
    sentence that holds it. The card says how many pairs and sentences there are.

    Args:
        path: the file, without a heading.
        source: number of the column with the sentences to be translated, from 0.
        target: number of the column with the translations.
        delimiter: what separates columns, one character.
        encoding: how the file's bytes become characters; a byte-order mark is dropped.
        seed: of the splits, which are those of `split_pairs`.
        languages: the names of the source's language and the target's.

    Returns:
        A `Translation`; its source is the file's name.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is empty or in another encoding, a line lacks a column or holds an empty sentence or
            the mark with which tokens are joined, or the pairs are too few to split.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "mine.tsv")
        ...     _ = path.write_text("".join(f"zin {i}\tsentence {i}\n" for i in range(100)))
        ...     read_sentence_pairs(path, languages=("Dutch", "English"))
        Translation(source='mine.tsv', languages=('Dutch', 'English'), train / dev / test = 96 / 2 / 2 pairs)
    """
    path = existing_file(path, "a text file, one pair a line")
    if min(source, target) < 0 or source == target:
        raise ValueError(f"source={source} and target={target}; pass the numbers of two columns, from 0.")
    text = decode_file(path, encoding).removeprefix("\ufeff")
    found = pairs_in(text, path.name, columns=(source, target), delimiter=delimiter)
    distinct = list(dict.fromkeys(found))
    pairs = SentencePairs([each for each, _ in distinct], [each for _, each in distinct])
    try:
        splits = split_pairs(pairs, seed=seed)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return Translation(*splits, languages, path.name, _own_card(path.name, pairs, len(found) - len(distinct)))


def pairs_in(text: str, name: str, *, columns: tuple[int, int], delimiter: str = "\t") -> list[tuple[str, str]]:
    """Take two columns out of every line of a text that is not all white space.

    Args:
        text: lines of columns.
        name: what an error calls the file.
        columns: the numbers of the two, from 0.
        delimiter: what separates columns, one character.

    Returns:
        A list of pairs, without white space around their sentences.

    Raises:
        ValueError: as `read_sentence_pairs` does, with the line's number.
    """
    pairs = [_pair(name, line, row, columns) for line, row in _rows(text, name, delimiter)]
    if not pairs:
        raise ValueError(f"{name} is empty or all white space; expected one pair of sentences a line.")
    return pairs


def _groups(pairs: SentencePairs) -> list[list[int]]:
    """Return the indices of the pairs that share sentences, directly or by a chain of others."""
    parents: dict[tuple[int, str], tuple[int, str]] = {}
    ends = []
    for sentences in zip(pairs.sources, pairs.targets, strict=True):
        left, right = (_root(parents, (side, bare_words(text))) for side, text in enumerate(sentences))
        parents[right] = left
        ends.append(left)
    groups: dict[tuple[int, str], list[int]] = {}
    for index, end in enumerate(ends):
        groups.setdefault(_root(parents, end), []).append(index)
    return list(groups.values())


def _root(parents: dict, sentence: tuple[int, str]) -> tuple[int, str]:
    """Find what stands for the group of a sentence, and shorten the way to it by half."""
    while parents.setdefault(sentence, sentence) != sentence:
        parents[sentence] = parents[parents[sentence]]
        sentence = parents[sentence]
    return sentence


def _fill(groups: list[list[int]], room: int) -> tuple[list[list[int]], list[list[int]]]:
    """Take groups in their order as long as they fit; return those and the others."""
    taken: list[list[int]] = []
    left: list[list[int]] = []
    for group in groups:
        fits = len(group) <= room
        (taken if fits else left).append(group)
        room -= len(group) if fits else 0
    return taken, left


def _rows(text: str, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Cut a text into its rows that hold something, each with the number of its last line."""
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise ValueError(f"The delimiter is {delimiter!r}; pass one character that separates columns, such as a tab.")
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, strict=True)
    try:
        yield from ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
    except csv.Error as error:
        raise ValueError(
            f"{name}, line {reader.line_num:,}: {error}. Between delimiters other than tabs a quotation mark inside a "
            "sentence must be doubled and its sentence enclosed in quotation marks."
        ) from error


def _pair(name: str, line: int, row: list[str], columns: tuple[int, int]) -> tuple[str, str]:
    if len(row) <= max(columns):
        raise ValueError(
            f"{name}, line {line:,} has {len(row)} columns, expected at least {max(columns) + 1}: {row}. Pass the "
            "numbers of the columns with the two sentences, from 0, and the delimiter that stands between them."
        )
    source, target = (row[column].strip() for column in columns)
    if not source or not target:
        raise ValueError(f"{name}, line {line:,} has an empty sentence: {row}. Fill it or leave the line out.")
    if JOINER in source + target:
        raise ValueError(
            f"{name}, line {line:,} holds {JOINER!r}, the mark with which the course joins tokens: {row}. Replace it "
            "by another sign or leave the line out."
        )
    return source, target


def _own_card(name: str, pairs: SentencePairs, repeated: int) -> str:
    sides = (("sources", pairs.sources), ("targets", pairs.targets))
    counts = "".join(f"- {len(set(texts)):,} different {side}\n" for side, texts in sides)
    return f"# {name}\n\n{len(pairs.sources):,} different pairs; {repeated:,} repeated ones were left out.\n\n{counts}"
