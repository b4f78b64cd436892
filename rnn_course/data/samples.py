"""The small data sets that the course wrote itself and ships: `python -m rnn_course.data.samples` writes them anew."""

import sys
from pathlib import Path

from rnn_course.data.bilingual import write_sentence_pairs
from rnn_course.data.harmony import write_chorales
from rnn_course.data.planted_motifs import write_splice_sites
from rnn_course.data.plays import write_play
from rnn_course.data.registry import shipped
from rnn_course.data.reviews import write_reviews

WRITERS = {
    "chorales.json": write_chorales,
    "play.txt": write_play,
    "reviews.tsv": write_reviews,
    "sentence_pairs.tsv": write_sentence_pairs,
    "splice_sites.tsv": write_splice_sites,
}


def write_samples(folder: Path) -> list[Path]:
    """Write every bundled sample from its seed.

    Args:
        folder: where to, created where it is missing; the course's own lie in `data/samples`.

    Returns:
        The paths of the written files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in WRITERS.items():
        write(folder / name)
    return [folder / name for name in WRITERS]


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else shipped("data", "samples")
    for path in write_samples(chosen):
        print(f"{path.name}: {path.stat().st_size:,} bytes")
