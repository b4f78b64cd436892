"""Running text for character models: real plays, one written by a grammar, or your own file."""

from math import ceil
from pathlib import Path
from typing import NamedTuple

from rnn_course.data.cache import fetch
from rnn_course.data.encodings import decode_file, existing_file
from rnn_course.data.registry import shipped
from rnn_course.data.sources import card_of, real_or_sample, refuse_unknown

VALID_SHARE = 0.1  # the end of the text, the usual cut of tinyshakespeare
SOURCES = ("auto", "sample", "tinyshakespeare")


class Text(NamedTuple):
    """A text in two parts, cut by position: first what is learned from, then what is foretold.

    The second part may hold characters that the first lacks. `Vocabulary.from_texts([list(text.train)])` gives them
    index 1, unknown.

    Attributes:
        train: the beginning.
        valid: the end, which goes on where `train` stops.
        source: where it comes from: "sample", a data set's name, or the name of a user's file.
        card: what one has to know before using it, as Markdown.
    """

    train: str
    valid: str
    source: str
    card: str

    def __repr__(self) -> str:
        """Return a short form that does not print the text."""
        return f"Text(source={self.source!r}, train / valid = {len(self.train):,} / {len(self.valid):,} characters)"


def load_text(source: str = "auto") -> Text:
    """Load a text, its first 90 % to learn from and the rest to measure on.

    Args:
        source: "tinyshakespeare" (scenes of several plays, 1.1 million characters), "sample" (a play written by the
            course's own grammar, bundled: no network is touched; `sample_play` gives the truth about every character,
            and with it the least possible loss) or "auto": tinyshakespeare where it is cached or can be downloaded,
            otherwise the sample. "auto" prints one line that says which and why.

    Returns:
        A `Text`: train and valid, the source that was taken and its card.

    Raises:
        ValueError: where there is no source of that name.
        DataError: where the real text is asked for by name and cannot be had.

    Example:
        >>> load_text("sample")
        Text(source='sample', train / valid = 126,000 / 14,000 characters)
    """
    refuse_unknown(source, SOURCES, "text")
    if source == "auto":
        sample = "the bundled sample, a play written by the course's grammar"
        return real_or_sample(load_text, "tinyshakespeare", sample, about="scenes of real plays")
    if source == "sample":
        return _load_file(shipped("data", "samples", "play.txt"), "sample", card="play")
    return _load_file(fetch("tinyshakespeare")["input.txt"], "tinyshakespeare", card="tinyshakespeare")


def read_text(path: str | Path, *, valid_share: float = VALID_SHARE, encoding: str = "utf-8") -> Text:
    r"""Read your own text file, and cut it in two by position.

    Line breaks of other systems ("\r\n", "\r") become "\n", and a byte-order mark at the beginning is dropped; the card
    says so, and which characters stand in the second part alone.

    Args:
        path: the file, plain text.
        valid_share: how much of its end is set aside to measure on, between 0 and 1.
        encoding: how the file's bytes become characters.

    Returns:
        A `Text`: the beginning as `train`, the end as `valid`; its source is the file's name.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is empty, in another encoding, or too short to leave two characters for each part,
            or where the share is not between 0 and 1.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "mine.txt")
        ...     _ = path.write_text("The quick brown fox. " * 10)
        ...     read_text(path)
        Text(source='mine.txt', train / valid = 189 / 21 characters)
    """
    if not 0 < valid_share < 1:
        raise ValueError(f"valid_share is {valid_share}; pass a share between 0 and 1, such as {VALID_SHARE}.")
    path = existing_file(path, "a text file")
    decoded = decode_file(path, encoding)
    text = decoded.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise ValueError(f"{path.name} is empty or all white space; expected a text.")
    train, valid = _cut(text, valid_share, path.name)
    return Text(train, valid, path.name, _own_card(path.name, decoded, train, valid))


def _load_file(path: Path, source: str, *, card: str) -> Text:
    text = path.read_text(encoding="utf-8")
    return Text(*_cut(text, VALID_SHARE, source), source, card_of(card))


def _cut(text: str, valid_share: float, name: str) -> tuple[str, str]:
    at = len(text) - ceil(len(text) * valid_share)
    if min(at, len(text) - at) < 2:
        raise ValueError(
            f"{name} has {len(text)} characters, too few to cut: with valid_share={valid_share} its parts would have "
            f"{at} and {len(text) - at}, and each needs at least 2, one to read, one to foretell. Pass a longer text."
        )
    return text[:at], text[at:]


def _own_card(name: str, decoded: str, train: str, valid: str) -> str:
    unseen = sorted(set(valid) - set(train))
    foreign = decoded.count("\r")  # "\r\n" is one, too
    said = [
        f"{len(train) + len(valid):,} characters, {len(set(train + valid))} different ones; cut by position into "
        f"{len(train):,} (train) and {len(valid):,} (valid).",
        f"{foreign:,} line breaks of another system were made \\n." if foreign else "All line breaks are \\n.",
        f"Only valid holds {', '.join(map(repr, unseen))}: a vocabulary of train gives them index 1, unknown."
        if unseen
        else "Every character of valid is in train.",
    ]
    if decoded.startswith("\ufeff"):
        said.append("A byte-order mark at the beginning was dropped.")
    return f"# {name}\n\n" + "".join(f"- {each}\n" for each in said)
