"""Sentences with a sentiment, and text messages that are spam or not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from rnn_course.data.cache import fetch
from rnn_course.data.labelled_text import LabelledText, Sentiment, split_by_label
from rnn_course.data.registry import shipped
from rnn_course.data.reviews import LABELS, read_reviews
from rnn_course.data.sources import card_of, real_or_sample, refuse_unknown


def load_sentiment(source: str = "auto") -> Sentiment:
    """Load a text classification task with two classes.

    Args:
        source: "sst2" (film reviews, the official splits), "sms_spam" (text messages, repeated ones removed, cut
            80 / 10 / 10 % with a fixed seed), "sample" (reviews written by the course's own grammar, bundled: no
            network is touched, and every word's truth is known) or "auto": sst2 where it is cached or can be
            downloaded, otherwise the sample. "auto" prints one line that says which and why.

    Returns:
        A `Sentiment`: train, dev and test with `texts` and `labels` `(batch,)`, the names of the classes,
        the source that was taken and its card.

    Raises:
        ValueError: where there is no source of that name.
        DataError: where a real set is asked for by name and cannot be had.

    Example:
        >>> load_sentiment("sample")
        Sentiment(source='sample', labels=('negative', 'positive'), train / dev / test = 3,200 / 600 / 1,000)
    """
    refuse_unknown(source, ("auto", "sample", *REAL), "sentiment")
    if source == "auto":
        sample = "the bundled sample, written by the course's grammar"
        return real_or_sample(load_sentiment, "sst2", sample, about="real film reviews")
    if source == "sample":
        return _load_sample()
    return REAL[source](fetch(source))


def _load_sample() -> Sentiment:
    splits = read_reviews(shipped("data", "samples", "reviews.tsv"))
    return Sentiment(**splits, labels=LABELS, source="sample", card=card_of("reviews"))


def _load_sst2(files: dict[str, Path]) -> Sentiment:
    splits = (_read_sst2(files[f"stsa.binary.{split}"]) for split in ("train", "dev", "test"))
    return Sentiment(*splits, labels=LABELS, source="sst2", card=card_of("sst2"))


def _read_sst2(path: Path) -> LabelledText:
    # UTF-8, although often described as latin-1: read so, "cliché" becomes "clichÃ©".
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    labels, _, texts = zip(*(line.partition(" ") for line in lines), strict=True)
    return LabelledText(list(texts), np.array(labels).astype(np.int64))


def _load_sms_spam(files: dict[str, Path]) -> Sentiment:
    lines = files["sms.tsv"].read_text(encoding="utf-8").removesuffix("\n").split("\n")
    names, _, texts = zip(*(line.partition("\t") for line in dict.fromkeys(lines)), strict=True)
    labels = ("ham", "spam")
    messages = LabelledText(list(texts), np.array([labels.index(name) for name in names], np.int64))
    return Sentiment(*split_by_label(messages, labels), labels=labels, source="sms_spam", card=card_of("sms_spam"))


REAL: dict[str, Callable[[dict[str, Path]], Sentiment]] = {"sst2": _load_sst2, "sms_spam": _load_sms_spam}
