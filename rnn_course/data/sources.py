"""What `source` means to every loader: "auto", "sample" or the name of a real data set; and the card of each."""

from collections.abc import Callable, Iterable
from typing import Any

from rnn_course.data.cache import DataError, status
from rnn_course.data.registry import shipped


def refuse_unknown(source: str, known: Iterable[str], what: str) -> None:
    """Raise a ValueError for a source that a loader does not have.

    Args:
        source: what came.
        known: the names it may be.
        what: what the loader loads, for the error.

    Example:
        >>> refuse_unknown("mnist", ("auto", "sample"), "poses")
        Traceback (most recent call last):
            ...
        ValueError: There is no source 'mnist' of poses. Pass one of: 'auto', 'sample'.
    """
    known = tuple(known)
    if source not in known:
        raise ValueError(f"There is no source {source!r} of {what}. Pass one of: {', '.join(map(repr, known))}.")


def real_or_sample(load: Callable[[str], Any], real: str, sample: str, *, about: str, files: str | None = None) -> Any:
    """Load the real set where it can be had, otherwise the sample, and print one line that says which and why.

    Args:
        load: the loader, a function of a source's name.
        real: the name of the real source.
        sample: what the sample is, for the line.
        about: what the real source is, for the line.
        files: the data set in the registry whose files it takes; the one of its own name when `None`.

    Returns:
        What `load` returns.
    """
    found = all(file.state == "cached" for file in status(files or real))
    try:
        loaded = load(real)
    except DataError as error:
        print(f"Data: {sample}, because {error.reason}.")
        return load("sample")
    print(f"Data: {real}, {about}, {'found in the cache' if found else 'downloaded just now'}.")
    return loaded


def card_of(name: str) -> str:
    """Read the card of a real data set or of a sample, as Markdown.

    Args:
        name: the card's name, such as "sst2"; a FileNotFoundError where there is none.

    Returns:
        Its text.
    """
    return shipped("data", "cards", f"{name}.md").read_text(encoding="utf-8")
