"""Your own sequences, DNA, protein or another alphabet's, from FASTA files and from tables."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.biosequences import DNA, Alphabet
from rnn_course.data.columns import find_column, refuse_wide_row
from rnn_course.data.encodings import decode_file, existing_file
from rnn_course.data.labelled_sequences import LabelledSequences, SequenceSplits, split_sequences

ENDINGS = (".tsv", ".tab")
DELIMITERS = ("\t", ";", ",")
SHARED = 40  # letters in a row that keep two sequences in one split

Paths = str | Path | Sequence[str | Path]
Labels = Callable[[str], str] | str


class _Record(NamedTuple):
    """One sequence of a file, and how an error names it."""

    where: str
    label: str
    sequence: str


def read_fasta(
    paths: Paths | Mapping[str, Paths],
    *,
    labels: Labels | None = None,
    alphabet: Alphabet = DNA,
    shared: int | None = SHARED,
    conflicts: str = "raise",
    seed: int = 0,
) -> SequenceSplits:
    r"""Read your own FASTA files of sequences with one class each, and split them.

    Lower-case letters are raised. A sequence that is there more than once is kept once; sequences with a stretch of
    `shared` letters in common are in the same split, because genomes and protein families are full of near copies.

    Args:
        paths: `{class: path}` or `{class: [path, …]}`, the files of each class; a list of files, each a class with the
            file's name, without its ending; or, with `labels`, one file or a list of files.
        labels: how the class is read from a record's header, the line without its ">": a function from header to
            class, or a regular expression whose first group, or whole match, is the class; `None`: from the files.
        alphabet: the `Alphabet` that the sequences are written with, such as `DNA` or `PROTEIN`.
        shared: so many consecutive letters keep two sequences in one split; `None`: only equal ones are near copies.
        conflicts: "raise" where one sequence is there with two classes, or "drop" it.
        seed: of the splits.

    Returns:
        `SequenceSplits` with 70 / 10 / 20 % of every class in train / dev / test; its `label_names` are sorted, and its
        card counts what was left out.

    Raises:
        ValueError: where a file is in another encoding or no FASTA, a record is empty or holds a wrong letter (named by
            file, record and position), a header gives no class, a sequence is there with two classes, or a class has
            too few sequences for three splits.
        FileNotFoundError: where a file is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path, lines = Path(folder, "mine.fasta"), []
        ...     for i in range(12):
        ...         lines += [f">record{i} class={'ab'[i % 2]}", "ACGT"[i % 4] * (i + 9)]
        ...     _ = path.write_text(chr(10).join(lines))
        ...     read_fasta(path, labels=r"class=(\w+)")
        SequenceSplits(source='mine.fasta', label_names=('a', 'b'), train / dev / test = 8 / 2 / 2)
    """
    records = []
    files = _files(paths, labels)
    for label, path in files:
        records += _read_fasta(path, label, labels)
    names = list(dict.fromkeys(path.name for _, path in files))
    return _split(records, names, alphabet, shared, conflicts, seed)


def read_sequences(
    path: str | Path,
    *,
    sequence: str | int = "sequence",
    label: str | int = "label",
    delimiter: str | None = None,
    encoding: str = "utf-8-sig",
    alphabet: Alphabet = DNA,
    shared: int | None = SHARED,
    conflicts: str = "raise",
    seed: int = 0,
) -> SequenceSplits:
    """Read your own CSV or TSV file of sequences with one class each, and split it as `read_fasta` does.

    Columns are given by their names in the file's first line, or, for a file without such a line, by their numbers
    from 0.

    Args:
        path: the file, one sequence a row.
        sequence: name or number of the column with the sequences.
        label: name or number of the column with the classes; any strings.
        delimiter: what separates columns; `None`: a tab in files called `.tsv` or `.tab`, otherwise whichever of tab,
            semicolon and comma is most frequent in the first line.
        encoding: how the file's bytes become characters; a byte-order mark is dropped.
        alphabet: the `Alphabet` that the sequences are written with.
        shared: so many consecutive letters keep two sequences in one split; `None`: only equal ones are near copies.
        conflicts: "raise" where one sequence is there with two classes, or "drop" it.
        seed: of the splits.

    Returns:
        `SequenceSplits`, as `read_fasta`.

    Raises:
        ValueError: where the file is empty or in another encoding, a column is missing, a row has too few columns or
            more than the heading, an empty sequence or class, or a wrong letter (named by line and position), and as in
            `read_fasta`.
        FileNotFoundError: where the file is not there.

    Example:
        >>> import tempfile
        >>> rows = ["sequence,label", *(f"{'ACGT'[i % 4] * (i + 9)},{'ab'[i % 2]}" for i in range(12))]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "mine.csv")
        ...     _ = path.write_text(chr(10).join(rows))
        ...     read_sequences(path)
        SequenceSplits(source='mine.csv', label_names=('a', 'b'), train / dev / test = 8 / 2 / 2)
    """
    path = _existing(path)
    rows = _rows(path, decode_file(path, encoding).removeprefix("\ufeff"), delimiter)
    named = isinstance(sequence, str) or isinstance(label, str)
    heading = rows[0][1] if named else max((row for _, row in rows), key=len)
    columns = [find_column(path, heading, wanted, names=("sequence", "label")) for wanted in (sequence, label)]
    widest = len(heading) if named else None
    records = [_record(path, line, row, columns, widest) for line, row in (rows[1:] if named else rows)]
    if not records:
        raise ValueError(f"{path.name} has no row below its heading {heading}; expected one sequence a row.")
    return _split(records, [path.name], alphabet, shared, conflicts, seed)


def _files(paths: Paths | Mapping[str, Paths], labels: Labels | None) -> list[tuple[str, Path]]:
    """List (class, file); the class of a list's files is their name without its ending."""
    if isinstance(paths, Mapping):
        return [(str(label), path) for label, files in paths.items() for path in _existing_all(files)]
    if isinstance(paths, str | Path) and labels is None:
        raise ValueError(
            f"Came one file, {Path(paths).name}, and no `labels`. Pass {{class: path}} with a file for each class, or "
            "say with `labels` how a record's header gives its class: a function, or a regular expression."
        )
    files = [(path.stem, path) for path in _existing_all(paths)]
    if labels is None and len({label for label, _ in files}) < len(files):
        raise ValueError(
            f"Two of the files {[path.name for _, path in files][:5]} have the same name, which would be their class. "
            "Pass {class: path} instead of a list."
        )
    return files


def _existing_all(paths: Paths) -> list[Path]:
    return [_existing(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]


def _existing(path: str | Path) -> Path:
    return existing_file(path, "a file")


def _read_fasta(path: Path, label: str, labels: Labels | None) -> list[_Record]:
    """Read one file; its records are of the class `label`, or of the one that `labels` finds in their headers."""
    from Bio.SeqIO.FastaIO import SimpleFastaParser

    content = decode_file(path, "utf-8-sig")
    if not content.lstrip().startswith(">"):
        first = content.lstrip().partition("\n")[0][:40]
        found = f"begins with {first!r}" if first else f"is empty ({path.stat().st_size} bytes)"
        raise ValueError(f"{path.name} {found}; a FASTA file begins with '>' and the first record's name.")
    records = []
    for number, (header, sequence) in enumerate(SimpleFastaParser(io.StringIO(content, newline=None)), start=1):
        name = header.split(maxsplit=1)[0] if header.strip() else f"number {number:,}"
        found = label if labels is None else _label_of(header, labels, path)
        records.append(_Record(f"{path.name}, record {name}", found, sequence))
    return records


def _label_of(header: str, labels: Labels, path: Path) -> str:
    if callable(labels):
        found = labels(header)
    else:
        try:
            match = re.search(labels, header)
        except re.error as error:
            raise ValueError(f"labels={labels!r} is no regular expression: {error}. Correct it.") from error
        found = match and match[1 if match.re.groups else 0]
    if not isinstance(found, str) or not found:
        raise ValueError(
            f"{path.name}, record {header[:60]!r}: `labels` gives {found!r} for its class, expected a string. Pass a "
            "function or a regular expression that fits every header."
        )
    return found


def _rows(path: Path, content: str, delimiter: str | None) -> list[tuple[int, list[str]]]:
    """Cut a table into (line number, stripped cells); blank rows are left out."""
    chosen = delimiter or _find_delimiter(path, content)
    try:
        reader = csv.reader(io.StringIO(content, newline=""), delimiter=chosen, strict=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"delimiter={delimiter!r}; pass a single character, such as a comma, or None.") from error
    try:
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise ValueError(
            f"{path.name}, line {reader.line_num:,}: {error}. Pass another `delimiter`, or mend the quotation marks."
        ) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise ValueError(f"{path.name} is empty ({path.stat().st_size} bytes); expected one sequence and class a row.")
    return rows


def _find_delimiter(path: Path, content: str) -> str:
    if path.suffix.lower() in ENDINGS:
        return "\t"
    first = next(iter(content.lstrip().splitlines()), "")
    return max(DELIMITERS, key=first.count)


def _record(path: Path, line: int, row: list[str], columns: list[int], widest: int | None) -> _Record:
    where = f"{path.name}, line {line:,}"
    refuse_wide_row(where, row, widest)
    if len(row) <= max(columns):
        raise ValueError(f"{where} has {len(row)} columns, expected at least {max(columns) + 1}. Fill it, or drop it.")
    sequence, label = (row[column] for column in columns)
    if not label:
        raise ValueError(f"{where} has an empty class. Fill it, or leave the row out.")
    return _Record(where, label, sequence)


def _split(
    records: list[_Record], names: list[str], alphabet: Alphabet, shared: int | None, conflicts: str, seed: int
) -> SequenceSplits:
    """Check all sequences, leave copies out, and split the rest."""
    if conflicts not in ("raise", "drop"):
        raise ValueError(f"conflicts={conflicts!r}; pass 'raise' or 'drop'.")
    if not records:
        raise ValueError("There is no file to read; pass at least one.")
    kept: dict[str, _Record] = {}
    dropped: set[str] = set()
    for record in records:
        sequence = _checked(record, alphabet)
        other = kept.setdefault(sequence, record)
        if other.label != record.label:
            dropped.add(sequence)
            if conflicts == "raise":
                _refuse_conflict(other, record)
    kept = {sequence: record for sequence, record in kept.items() if sequence not in dropped}
    label_names = tuple(sorted({record.label for record in records}))
    labels = np.array([label_names.index(record.label) for record in kept.values()], np.int64)
    data = LabelledSequences(list(kept), labels)
    source = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    try:
        splits = split_sequences(data, label_names, shared=shared, seed=seed)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    return SequenceSplits(
        *splits, label_names, source, _own_card(source, data, label_names, len(records), len(dropped))
    )


def _checked(record: _Record, alphabet: Alphabet) -> str:
    if not record.sequence:
        raise ValueError(f"{record.where}: the sequence is empty. Fill it, or leave it out.")
    return alphabet.checked(record.sequence, where=record.where)


def _refuse_conflict(first: _Record, second: _Record) -> None:
    raise ValueError(
        f"{second.where} has the same sequence as {first.where}, but the class {second.label!r} instead of "
        f"{first.label!r}. Correct one of them, or pass conflicts='drop' to leave all such sequences out."
    )


def _own_card(source: str, data: LabelledSequences, names: Sequence[str], read: int, dropped: int) -> str:
    counts = np.bincount(data.labels, minlength=len(names))
    sizes = "\n".join(f"- {name}: {count:,}" for name, count in zip(names, counts, strict=True))
    return (
        f"# {source}\n\n{read:,} sequences were read, {len(data.sequences):,} different ones kept. {dropped:,} were "
        f"there with two classes and left out.\n\n{sizes}\n"
    )
