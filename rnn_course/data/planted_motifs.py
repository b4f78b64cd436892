"""DNA with planted motifs: splice sites and promoters from seeded grammars, with the truth about where each motif is.

    donor      …exon  MAG|GTRAGT  intron…            "|" is where the RNA is cut: behind letter 30 of 60
    acceptor   …intron  YYYYYYYYYYYY … NYAG|G  exon…
    promoter   …  TATAWAWR  … 18 to 24 letters …  YYANWYY  …

Letters are drawn from the motifs' probabilities, so that most copies miss the consensus somewhere. What holds no motif
is made by shuffling a sequence that does: counting letters does not tell them apart.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rnn_course.data.labelled_sequences import LabelledSequences, PlantedMotifs

LETTERS = "ACGT"
WINDOW, CUT = 60, 30  # letters of a splice window, and before the place where it is cut

# Chances of A, C, G and T in percent, a row for each letter of the motif.
DONOR = np.array([
    [35, 35, 20, 10], [62, 12, 12, 14], [10, 3, 80, 7], [0, 0, 100, 0], [0, 0, 0, 100],
    [54, 3, 41, 2], [70, 8, 12, 10], [8, 5, 80, 7], [16, 16, 20, 48],
]) / 100  # fmt: skip
ACCEPTOR = np.array([[25, 25, 25, 25], [5, 66, 1, 28], [100, 0, 0, 0], [0, 0, 100, 0], [25, 13, 50, 12]]) / 100
TRACT = np.array([[7, 36, 7, 50]] * 12) / 100
SPLICE_MOTIFS = {"donor": DONOR, "acceptor": ACCEPTOR, "tract": TRACT}
STARTS = {"donor": CUT - 3, "acceptor": CUT - 4}
TRACT_STARTS = (6, 14)  # the first and the last

TATA = np.array([
    [4, 10, 4, 82], [92, 2, 2, 4], [2, 2, 2, 94], [94, 2, 2, 2], [66, 2, 2, 30], [92, 2, 4, 2], [60, 2, 6, 32],
    [40, 10, 42, 8],
]) / 100  # fmt: skip
INITIATOR = np.array([
    [6, 44, 10, 40], [6, 50, 8, 36], [94, 2, 2, 2], [20, 28, 32, 20], [40, 6, 6, 48], [6, 50, 8, 36], [8, 42, 10, 40],
]) / 100  # fmt: skip
PROMOTER_MOTIFS = {"tata": TATA, "initiator": INITIATOR}

SPLICE_LABELS = ("donor", "acceptor", "neither")
PROMOTER_LABELS = ("background", "promoter")
SPLICE_DECOYS = 0.25  # of the windows without a site: GT or AG stands where a site has it
FARTHER = 20  # letters by which a promoter's motifs are at least too far apart in a decoy
SIZES = {"train": 1_200, "dev": 200, "test": 400}  # windows of the bundled sample
HEADING = ("split", "label", "sequence", *SPLICE_MOTIFS)


def make_splice_sites(count: int, *, seed: int) -> LabelledSequences:
    """Write windows of 60 letters around the start of an intron (donor), its end (acceptor), or neither.

    A quarter are donors, a quarter acceptors; their motifs stand at fixed places, but for the acceptor's tract of C and
    T. A window without a site is one with a site whose letters were shuffled; in a quarter of them GT or AG was then
    put, by exchanging letters, where a site has it. So the rule "GT behind the middle, AG before it" errs, and what
    stands around the two letters tells.

    Args:
        count: how many.
        seed: of the grammar's choices; the same seed gives the same windows with every version of Python and NumPy, and
            fewer windows are the beginning of more.

    Returns:
        `LabelledSequences` with `truth`; labels 0, 1 and 2 are `SPLICE_LABELS`: donor, acceptor, neither.

    Raises:
        ValueError: where `count` is less than 1.

    Example:
        >>> made = make_splice_sites(3, seed=0)
        >>> made
        LabelledSequences(3 sequences of 60 letters, motifs known)
        >>> made.truth.names, made.truth.widths
        (('donor', 'acceptor', 'tract'), (9, 5, 12))
    """
    _refuse_count(count)
    rng = random.Random(seed)
    return _collect([_splice_window(rng) for _ in range(count)], SPLICE_MOTIFS)


def make_promoters(
    count: int,
    *,
    seed: int,
    length: tuple[int, int] = (80, 400),
    motifs: Mapping[str, np.ndarray] = PROMOTER_MOTIFS,
    gap: tuple[int, int] = (18, 24),
    decoys: float = 0.5,
) -> LabelledSequences:
    """Write sequences of many lengths, half of them with motifs in the right order and distance, somewhere.

    What is no promoter is a promoter whose letters, motifs included, were shuffled one by one (pairs of neighbors are
    not kept); or a decoy, with all the motifs in the reverse order or too far apart: there, only order and distance
    tell.

    Args:
        count: how many.
        seed: of the grammar's choices; the same seed gives the same sequences with every version of Python and NumPy,
            and fewer sequences are the beginning of more.
        length: the fewest and the most letters of a sequence; all numbers between are equally likely.
        motifs: for each name, in the order in which they stand, `(width, 4)` probabilities of A, C, G and T.
        gap: the fewest and the most letters between two motifs.
        decoys: share of decoys among the sequences that are no promoters, 0 to 1; none with a single motif.

    Returns:
        `LabelledSequences` with `truth`, that of decoys included; labels 0 and 1 are `PROMOTER_LABELS`: background,
        promoter.

    Raises:
        ValueError: where `count` is less than 1, a motif is no probabilities, or the motifs do not fit into the
            shortest sequence.

    Example:
        >>> made = make_promoters(4, seed=4, length=(100, 120))
        >>> made.labels.tolist(), made.truth.starts.tolist()
        ([1, 1, 0, 0], [[10, 38], [58, 90], [-1, -1], [0, 91]])
    """
    _refuse_count(count)
    motifs = {name: np.asarray(rows, float) for name, rows in motifs.items()}
    _refuse_motifs(motifs, length, gap, decoys)
    rng = random.Random(seed)
    return _collect([_promoter(rng, length, motifs, gap, decoys) for _ in range(count)], motifs)


def write_splice_sites(path: Path) -> None:
    """Write the bundled sample, one window a row, tab-separated.

    Args:
        path: the file to write. Its columns are split, label, sequence and, for each motif, where it starts, or -1.
    """
    made = make_splice_sites(sum(SIZES.values()), seed=0)
    splits = [split for split, size in SIZES.items() for _ in range(size)]
    rows = [HEADING]
    for split, sequence, label, starts in zip(splits, made.sequences, made.labels, made.truth.starts, strict=True):
        rows.append((split, SPLICE_LABELS[label], sequence, *map(str, starts)))
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def read_splice_sites(path: Path) -> dict[str, LabelledSequences]:
    """Read the bundled sample.

    Args:
        path: a file that `write_splice_sites` wrote.

    Returns:
        The `LabelledSequences` of each split ("train", "dev" and "test"), truth included.
    """
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    items = {split: [] for split in SIZES}
    for split, label, sequence, *starts in rows:
        items[split].append((sequence, SPLICE_LABELS.index(label), list(map(int, starts))))
    return {split: _collect(part, SPLICE_MOTIFS) for split, part in items.items()}


def _splice_window(rng: random.Random) -> tuple[str, int, list[int]]:
    """Write one window: its letters, its class, and the starts of donor, acceptor and tract."""
    chance = rng.random()
    label = 0 if chance < 0.25 else 1 if chance < 0.5 else 2
    shape = label if label < 2 else int(rng.random() * 2)
    starts = [STARTS["donor"], -1, -1] if shape == 0 else [-1, STARTS["acceptor"], _between(rng, TRACT_STARTS)]
    window = _plant(rng, WINDOW, dict(zip(SPLICE_MOTIFS, starts, strict=True)), SPLICE_MOTIFS)
    if label < 2:
        return window, label, starts
    window = _shuffle(rng, window)
    if rng.random() < SPLICE_DECOYS:
        window = _exchange(rng, window, *((CUT, "GT") if rng.random() < 0.5 else (CUT - 2, "AG")))
    return window, label, [-1, -1, -1]


def _promoter(
    rng: random.Random, length: tuple[int, int], motifs: Mapping[str, np.ndarray], gap: tuple[int, int], decoys: float
) -> tuple[str, int, list[int]]:
    """Write one sequence: its letters, its class, and the start of every motif."""
    size, label = _between(rng, length), int(rng.random() < 0.5)
    is_decoy = not label and len(motifs) > 1 and rng.random() < decoys
    order, gaps = list(motifs), [_between(rng, gap) for _ in list(motifs)[1:]]
    if is_decoy:
        spare = size - sum(map(len, motifs.values())) - sum(gaps) + gaps[-1] - gap[1] - FARTHER
        if spare < 0 or rng.random() < 0.5:
            order.reverse()
        else:
            gaps[-1] = gap[1] + FARTHER + _between(rng, (0, spare))
    starts = _starts(rng, size, [(name, len(motifs[name])) for name in order], gaps)
    sequence = _plant(rng, size, starts, motifs)
    if not label and not is_decoy:
        return _shuffle(rng, sequence), label, [-1] * len(motifs)
    return sequence, label, [starts[name] for name in motifs]


def _starts(rng: random.Random, size: int, widths: Sequence[tuple[str, int]], gaps: Sequence[int]) -> dict[str, int]:
    """Choose where motifs of these widths start, in this order and with these gaps between them."""
    place = _between(rng, (0, size - sum(width for _, width in widths) - sum(gaps)))
    starts = {}
    for (name, width), after in zip(widths, [*gaps, 0], strict=True):
        starts[name] = place
        place += width + after
    return starts


def _plant(rng: random.Random, size: int, starts: Mapping[str, int], motifs: Mapping[str, np.ndarray]) -> str:
    """Write letters that are all equally likely, and over them the motifs; those that start at -1 are left out."""
    letters = [LETTERS[int(rng.random() * 4)] for _ in range(size)]
    for name, start in starts.items():
        if start >= 0:
            letters[start : start + len(motifs[name])] = [_draw(rng, row) for row in motifs[name]]
    return "".join(letters)


def _draw(rng: random.Random, chances: np.ndarray) -> str:
    point, total = rng.random() * float(chances.sum()), 0.0
    for letter, chance in zip(LETTERS, chances.tolist(), strict=True):
        total += chance
        if point < total:
            return letter
    return LETTERS[int(chances.argmax())]  # rounding left the point just behind the last


def _shuffle(rng: random.Random, sequence: str) -> str:
    return "".join(sorted(sequence, key=lambda _: rng.random()))


def _exchange(rng: random.Random, sequence: str, start: int, wanted: str) -> str:
    """Bring letters to a place by exchanging each with one that stands elsewhere."""
    letters = list(sequence)
    for place, letter in enumerate(wanted, start=start):
        others = [at for at, there in enumerate(letters) if there == letter and at not in range(start, place)]
        if others:  # a window without such a letter stays as it is
            other = others[int(rng.random() * len(others))]
            letters[place], letters[other] = letters[other], letters[place]
    return "".join(letters)


def _between(rng: random.Random, span: tuple[int, int]) -> int:
    # Only the stream of `random()` is promised to stay the same in every version of Python.
    return span[0] + int(rng.random() * (span[1] - span[0] + 1))


def _collect(items: list[tuple[str, int, list[int]]], motifs: Mapping[str, np.ndarray]) -> LabelledSequences:
    sequences, labels, starts = zip(*items, strict=True)
    truth = PlantedMotifs(tuple(motifs), tuple(map(len, motifs.values())), np.array(starts, np.int64))
    return LabelledSequences(list(sequences), np.array(labels, np.int64), truth)


def _refuse_count(count: int) -> None:
    if count < 1:
        raise ValueError(f"Cannot write {count} sequences; pass a `count` of at least 1.")


def _refuse_motifs(
    motifs: Mapping[str, np.ndarray], length: tuple[int, int], gap: tuple[int, int], decoys: float
) -> None:
    for name, rows in motifs.items():
        good = rows.ndim == 2 and rows.shape[1:] == (4,) and len(rows) > 0 and (rows >= 0).all()
        if not good or not np.allclose(rows.sum(axis=1), 1):
            raise ValueError(
                f"The motif {name!r} has the shape {rows.shape}; pass (width, 4) probabilities of A, C, G and T, the "
                "sum of each row 1."
            )
    if not (motifs and 0 <= gap[0] <= gap[1] and length[0] <= length[1] and 0 <= decoys <= 1):
        raise ValueError(
            f"{len(motifs)} motifs, gap={gap}, length={length}, decoys={decoys}; pass at least one motif, the fewest "
            "letters before the most, and a share from 0 to 1."
        )
    widest = sum(map(len, motifs.values())) + (len(motifs) - 1) * gap[1]
    if length[0] < widest:
        raise ValueError(
            f"The motifs and the gaps between them take up to {widest} letters, the shortest sequence has {length[0]}. "
            "Pass a larger `length` or a smaller `gap`."
        )
