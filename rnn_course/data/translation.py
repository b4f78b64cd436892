"""Spanish sentences with their English translations: real ones, or those of the course's own grammar."""

import zipfile
from pathlib import Path

from rnn_course.data.bilingual import read_aligned_pairs
from rnn_course.data.cache import fetch
from rnn_course.data.registry import shipped
from rnn_course.data.sentence_pairs import SentencePairs, Translation, pairs_in, split_pairs
from rnn_course.data.sources import card_of, real_or_sample, refuse_unknown

LANGUAGES = ("Spanish", "English")
SOURCES = ("auto", "sample", "tatoeba_spa_eng")


def load_translation(source: str = "auto") -> Translation:
    """Load Spanish sentences to be translated into English, with the translations of people or of a grammar.

    Args:
        source: "tatoeba_spa_eng" (118,112 different pairs that learners and teachers wrote; no sentence of either
            language is in two splits), "sample" (pairs written by the course's own grammar, bundled: no network is
            touched, and it is known which word stands for which) or "auto": tatoeba_spa_eng where it is cached or can
            be downloaded, otherwise the sample. "auto" prints one line that says which and why.

    Returns:
        A `Translation`: train, dev and test with `sources`, `targets` and, in the sample, `alignments`; the names of
        the two languages, the source that was taken and its card.

    Raises:
        ValueError: where there is no source of that name.
        DataError: where the real set is asked for by name and cannot be had.

    Example:
        >>> load_translation("sample")
        Translation(source='sample', languages=('Spanish', 'English'), train / dev / test = 3,000 / 300 / 500 pairs)
    """
    refuse_unknown(source, SOURCES, "translation")
    if source == "auto":
        sample, about = "the bundled sample, written by the course's grammar", "real sentences with their translations"
        return real_or_sample(load_translation, "tatoeba_spa_eng", sample, about=about)
    if source == "sample":
        splits = read_aligned_pairs(shipped("data", "samples", "sentence_pairs.tsv"))
        return Translation(**splits, languages=LANGUAGES, source="sample", card=card_of("sentence_pairs"))
    splits = split_pairs(_read_archive(fetch(source)["spa-eng.zip"]))
    return Translation(*splits, LANGUAGES, source, card_of(source))


def _read_archive(path: Path) -> SentencePairs:
    """Read the one member that holds the sentences, English before Spanish; nothing is extracted."""
    with zipfile.ZipFile(path) as archive:
        text = archive.read("spa.txt").decode("utf-8")
    pairs = dict.fromkeys(pairs_in(text, "spa.txt", columns=(1, 0)))
    return SentencePairs([spanish for spanish, _ in pairs], [english for _, english in pairs])
