"""Where genes are cut: windows of 60 bases around the start of an intron, around its end, or around neither."""

from functools import partial
from pathlib import Path

import numpy as np

from rnn_course.data.cache import fetch
from rnn_course.data.labelled_sequences import LabelledSequences, SequenceSplits, split_sequences
from rnn_course.data.planted_motifs import SPLICE_LABELS, WINDOW, read_splice_sites
from rnn_course.data.registry import shipped
from rnn_course.data.sources import card_of, real_or_sample, refuse_unknown

SOURCES = ("auto", "sample", "splice_junctions", "splice_junctions_all")
CLASSES = {"EI": "donor", "IE": "acceptor", "N": "neither"}  # exon to intron, intron to exon
UCI_ROWS = 2_990  # they come first
# Bases in a row that keep two windows in one split; by chance, not one pair in a hundred such files has them.
SHARED = 20


def load_splice_sites(source: str = "auto", *, shared: int | None = SHARED) -> SequenceSplits:
    """Load windows of 60 bases that hold a donor site, an acceptor site, or neither.

    An intron begins behind base 30 of a donor window and ends with base 30 of an acceptor window. Windows that are
    there twice are kept once, and those that are there with two classes not at all, before anything is split.

    Args:
        source: "splice_junctions" (primate genes, the UCI set: rows 1 to 2,990 of the file), "splice_junctions_all"
            (the whole file, with the human windows of HS3D cut to their middle 60 bases), "sample" (written by the
            course's own grammar, bundled: no network is touched, and the place of every motif is known) or "auto":
            splice_junctions where it is cached or can be downloaded, otherwise the sample. "auto" prints one line that
            says which and why.
        shared: windows of a real set with so many consecutive bases in common are in the same split; `None`: any two
            different windows may be in different ones, so that the test holds near copies of what was learned. The
            sample has none, and its splits stay as they are.

    Returns:
        `SequenceSplits`: train, dev and test (70 / 10 / 20 % of every class) with `sequences`, `labels` and, in the
        sample, `truth`; the names of the classes, the source that was taken and its card.

    Raises:
        ValueError: where there is no source of that name.
        DataError: where a real set is asked for by name and cannot be had.

    Example:
        >>> load_splice_sites("sample").test
        LabelledSequences(400 sequences of 60 letters, motifs known)
    """
    refuse_unknown(source, SOURCES, "splice sites")
    if source == "auto":
        sample = "the bundled sample, windows written by the course's grammar"
        load = partial(load_splice_sites, shared=shared)
        return real_or_sample(load, "splice_junctions", sample, about="splice sites of primate genes")
    if source == "sample":
        splits = read_splice_sites(shipped("data", "samples", "splice_sites.tsv"))
        return SequenceSplits(**splits, label_names=SPLICE_LABELS, source=source, card=card_of("splice_sites"))
    rows = _read_rows(fetch("splice_junctions")["full_data.csv"])
    windows = _distinct(rows[:UCI_ROWS] if source == "splice_junctions" else rows)
    splits = split_sequences(windows, SPLICE_LABELS, shared=shared)
    return SequenceSplits(*splits, label_names=SPLICE_LABELS, source=source, card=card_of("splice_junctions"))


def _read_rows(path: Path) -> list[tuple[str, int]]:
    """Read (window, class index), in the order of the file; longer windows are cut to their middle."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        rest, sequence = line.rsplit(",", 1)  # a name may hold commas: `12,EI,"AB000381 1,2,2",CTCC…`
        margin = (len(sequence) - WINDOW) // 2
        label = SPLICE_LABELS.index(CLASSES[rest.split(",", 2)[1]])
        rows.append((sequence[margin : margin + WINDOW], label))
    return rows


def _distinct(rows: list[tuple[str, int]]) -> LabelledSequences:
    """Keep every window once, and none whose copies are of different classes."""
    classes: dict[str, set[int]] = {}
    for window, label in rows:
        classes.setdefault(window, set()).add(label)
    kept = {window: min(labels) for window, labels in classes.items() if len(labels) == 1}
    return LabelledSequences(list(kept), np.array(list(kept.values()), np.int64))
