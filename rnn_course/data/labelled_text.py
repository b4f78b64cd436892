"""Texts with one label each: their type, their splits, and a reader for a user's own CSV or TSV file."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.columns import find_column, refuse_wide_row
from rnn_course.data.encodings import decode_file, existing_file

SHARES = (0.8, 0.1, 0.1)  # train, dev, test
DELIMITERS = ("\t", ";", ",")
FEWEST = 3  # texts of a label: one each for train, dev and test


class LabelledText(NamedTuple):
    """Texts with their labels and, where a grammar wrote them, the truth about every word.

    Attributes:
        texts: `batch` strings.
        labels: `(batch,)` int64, the class index of each text.
        negated: for each text `(time,)` bool, one value for every word of `text.split()`: the word stands
            in the scope of a negator. `None` where no truth is known, as in all real data.
        polarity: for each text `(time,)` int8: the word's own polarity, -1, 0 or +1; or `None`.
        decides: for each text `(time,)` bool: the word belongs to a clause that decides the label; or `None`.
    """

    texts: list[str]
    labels: np.ndarray
    negated: tuple[np.ndarray, ...] | None = None
    polarity: tuple[np.ndarray, ...] | None = None
    decides: tuple[np.ndarray, ...] | None = None

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of texts."""
        return f"LabelledText({len(self.texts):,} texts{'' if self.negated is None else ', truth known'})"

    def at(self, indices: Sequence[int]) -> "LabelledText":
        """Return the texts at some indices, with their labels and truth.

        Args:
            indices: `(count,)` positions, in the order wanted.
        """
        texts = [self.texts[index] for index in indices]
        truth = (part and tuple(part[index] for index in indices) for part in self[2:])
        return LabelledText(texts, self.labels[np.asarray(indices, int)], *truth)


class Sentiment(NamedTuple):
    """A text classification task with its splits.

    Attributes:
        train: the `LabelledText` to learn from.
        dev: the one to choose by.
        test: the one to report on, once.
        labels: the names of the classes by their index.
        source: where it comes from: "sample", a data set's name, or the name of a user's file.
        card: what one has to know before using it, as Markdown.
    """

    train: LabelledText
    dev: LabelledText
    test: LabelledText
    labels: tuple[str, ...]
    source: str
    card: str

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of texts."""
        sizes = " / ".join(f"{len(split.texts):,}" for split in (self.train, self.dev, self.test))
        return f"Sentiment(source={self.source!r}, labels={self.labels}, train / dev / test = {sizes})"


def split_by_label(
    data: LabelledText, labels: Sequence[str], *, seed: int = 0
) -> tuple[LabelledText, LabelledText, LabelledText]:
    """Cut texts into train (80 %), dev (10 %) and test (10 %) with the same share of every label in each.

    Args:
        data: `batch` texts, each of them once: a text that is there twice may end in two splits.
        labels: the names of the classes by their index.
        seed: of the shuffle; the same seed gives the same splits with every version of NumPy.

    Returns:
        Train, dev and test, each in shuffled order.

    Raises:
        ValueError: where a label has fewer than three texts, so that a split would lack it.
    """
    _refuse_rare_labels(data.labels, labels)
    rng = np.random.RandomState(seed)  # its streams are frozen, those of default_rng may change
    parts: tuple[list[int], ...] = ([], [], [])
    for label in range(len(labels)):
        indices = rng.permutation(np.flatnonzero(data.labels == label))
        dev, test = (max(1, round(share * len(indices))) for share in SHARES[1:])
        for part, piece in zip(parts, np.split(indices, [-dev - test, -test]), strict=True):
            part.extend(piece)
    train, dev, test = (data.at(rng.permutation(part)) for part in parts)
    return train, dev, test


def read_labelled_text(
    path: str | Path,
    *,
    text: str | int = "text",
    label: str | int = "label",
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    seed: int = 0,
) -> Sentiment:
    """Read your own CSV or TSV file of texts with one label each, and split it.

    Columns are given by their names in the file's first line, or, for a file without such a line, by their
    numbers from 0. In a tab-separated file quotation marks are part of the text; elsewhere they enclose a
    text that holds the delimiter or a line break. A text that is there more than once is kept once (the
    first time), so that no test text was seen in training; the card says how many were left out.

    Args:
        path: the file, one text a row.
        text: name or number of the column with the texts.
        label: name or number of the column with the labels; any strings.
        delimiter: what separates columns; `None`: a tab in files called `.tsv` or `.tab`, otherwise
            whichever of tab, semicolon and comma cuts the first rows into equally many columns.
        encoding: how the file's bytes become characters; a byte-order mark is dropped.
        seed: of the splits.

    Returns:
        A `Sentiment` with 80 / 10 / 10 % of every label in train / dev / test; its labels are sorted.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is empty or in another encoding, a column is missing or there twice, a row has too
            few columns, more than the heading or an empty text, or a label has fewer than three texts.

    Example:
        >>> import tempfile
        >>> rows = ["text,label", *(f"film {i},{'good' if i % 2 else 'bad'}" for i in range(10))]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "mine.csv")
        ...     _ = path.write_text(chr(10).join(rows))
        ...     read_labelled_text(path)
        Sentiment(source='mine.csv', labels=('bad', 'good'), train / dev / test = 6 / 2 / 2)
    """
    path = existing_file(path, "a CSV or TSV file")
    content = decode_file(path, encoding).removeprefix("\ufeff")
    if not content.strip():
        raise ValueError(f"{path.name} is empty ({path.stat().st_size} bytes); expected one text and label a row.")
    pairs = _pairs(_rows(path, content, delimiter), path, text, label)
    distinct = dict(reversed(pairs))  # reversed, so that the first of equal texts stays
    texts = [each for each in dict(pairs)]
    names = tuple(sorted({distinct[each] for each in texts}))
    data = LabelledText(texts, np.array([names.index(distinct[each]) for each in texts], np.int64))
    card = _own_card(path, data.labels, names, repeated=len(pairs) - len(texts))
    try:
        splits = split_by_label(data, names, seed=seed)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None
    return Sentiment(*splits, names, path.name, card)


def _refuse_rare_labels(labels: np.ndarray, names: Sequence[str]) -> None:
    counts = np.bincount(labels, minlength=len(names))
    rare = [f"{name!r} ({count})" for name, count in zip(names, counts, strict=True) if count < FEWEST]
    if rare:
        raise ValueError(
            f"These labels have fewer than {FEWEST} texts and cannot be split: {', '.join(rare)}. A label needs a "
            "text each for train, dev and test: add texts, or leave the label out. (Where such a label is the "
            "heading of its column, give the columns by name.)"
        )
    if len(names) < 2:
        raise ValueError(f"All texts carry the label {names[0]!r}; a classifier needs at least two labels.")


def _rows(path: Path, content: str, delimiter: str | None) -> list[tuple[int, list[str]]]:
    """Cut a file into its non-empty rows, each with the number of its last line."""
    chosen = delimiter or _find_delimiter(path, content)
    try:
        reader = _reader(content, chosen)
    except (TypeError, ValueError) as error:
        raise ValueError(f"delimiter={delimiter!r}; pass a single character, such as a comma, or None.") from error
    try:
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise ValueError(
            f"{path.name}, line {reader.line_num:,}: {error}. A quotation mark inside a text must be doubled "
            "and its text enclosed in quotation marks."
        ) from error
    if not rows:
        raise ValueError(f"{path.name} is empty but for {chosen!r} and white space; expected one text and label a row.")
    return rows


def _reader(content: str, delimiter: str):
    quoting = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    return csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, quoting=quoting, strict=True)


def _find_delimiter(path: Path, content: str) -> str:
    if path.suffix.lower() in (".tsv", ".tab"):
        return "\t"
    first = content.lstrip().splitlines()[0]
    present = [delimiter for delimiter in DELIMITERS if delimiter in first]
    fitting = present if len(present) == 1 else [each for each in present if _cuts_evenly(content, each)]
    if fitting:
        return fitting[0]
    raise ValueError(
        f"Neither tab, semicolon nor comma cuts the first rows of {path.name} into equally many columns "
        f"(its first line: {first[:80]!r}). Pass `delimiter`, or enclose texts that hold it in quotation marks."
    )


def _cuts_evenly(content: str, delimiter: str, *, rows: int = 20) -> bool:
    reader = _reader(content, delimiter)
    try:
        widths = {len(row) for row, _ in zip(reader, range(rows), strict=False) if any(map(str.strip, row))}
    except csv.Error:
        return False
    return len(widths) == 1 and widths.pop() > 1


def _pairs(rows: list[tuple[int, list[str]]], path: Path, text: str | int, label: str | int) -> list[tuple[str, str]]:
    """Take the text and the label out of every row."""
    named = isinstance(text, str) or isinstance(label, str)
    heading = rows[0][1] if named else max((row for _, row in rows), key=len)
    columns = [find_column(path, heading, wanted, names=("text", "label")) for wanted in (text, label)]
    below = rows[1:] if named else rows
    if not below:
        raise ValueError(f"{path.name} has no row below its heading {heading}; expected one text a row.")
    widest = len(heading) if named else None
    for line, row in below:
        refuse_wide_row(f"{path.name}, line {line:,}", row, widest)
    return [_pair(path, line, row, columns) for line, row in below]


def _pair(path: Path, line: int, row: list[str], columns: list[int]) -> tuple[str, str]:
    if len(row) <= max(columns):
        raise ValueError(
            f"{path.name}, line {line:,} has {len(row)} columns, expected at least {max(columns) + 1}: {row}. "
            "A text that holds the delimiter must be enclosed in quotation marks."
        )
    text, label = (row[column].strip() for column in columns)
    if not text or not label:
        raise ValueError(f"{path.name}, line {line:,} has an empty text or label: {row}. Fill it or leave it out.")
    return text, label


def _own_card(path: Path, labels: np.ndarray, names: tuple[str, ...], *, repeated: int) -> str:
    counts = np.bincount(labels, minlength=len(names))
    sizes = "\n".join(f"- {name}: {count:,}" for name, count in zip(names, counts, strict=True))
    return f"# {path.name}\n\n{len(labels):,} different texts; {repeated:,} repeated ones were left out.\n\n{sizes}\n"
