"""The cache of real data: files are downloaded once, checked by their SHA-256, and never half written.

Layout: `<cache>/<data set>/<file>`. The cache is the folder named by the environment variable
`RNN_COURSE_DATA`, or the user's own cache folder. A cache that holds the right files is only read.
"""

import contextlib
import errno
import hashlib
import os
import threading
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from rnn_course.data.registry import DataFile, DataSet, data_set
from rnn_course.whole_files import written_whole

NO_ROOM = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows knows no quota
TO_DO = "Try again when the network is back, or use the bundled sample (source='sample')."
TO_DO_CACHE = (
    "Set the environment variable RNN_COURSE_DATA to a folder you can write, "
    "or use the bundled sample (source='sample')."
)


class DataError(RuntimeError):
    """A data set cannot be had; the message says what came, what was expected and what to do.

    Attributes:
        reason: what happened, one short clause without paths.
        details: the rest of the message.
    """

    def __init__(self, reason: str, details: str):
        """Keep both parts; `str` joins them to one message."""
        super().__init__(reason, details)
        self.reason = reason
        self.details = details

    def __str__(self) -> str:
        """Return the whole message."""
        return f"{self.reason[0].upper()}{self.reason[1:]}. {self.details}"


class FileStatus(NamedTuple):
    """How one file of a data set stands in the cache.

    Attributes:
        file: its row in the registry.
        path: where it lies, or would lie.
        state: "cached" (right size), "verified" (right sum), "missing" or "damaged".
        detail: what came and what was expected where it is damaged, otherwise "".
    """

    file: DataFile
    path: Path
    state: str
    detail: str = ""


def cache_directory() -> Path:
    """Return the folder of the cache: `RNN_COURSE_DATA` where it is set, else the user's cache folder."""
    chosen = os.environ.get("RNN_COURSE_DATA", "")
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("rnn_course"))


def status(name: str | DataSet, *, directory: Path | None = None) -> tuple[FileStatus, ...]:
    """Look which files of a data set are cached, by their size alone (quick).

    Args:
        name: of a data set in the registry, or a `DataSet`.
        directory: the cache; `cache_directory()` when `None`.

    Returns:
        A `FileStatus` a file: "cached", "missing" or "damaged".
    """
    return tuple(_size_status(file, path) for file, path in _places(name, directory))


def verify(name: str | DataSet, *, directory: Path | None = None) -> tuple[FileStatus, ...]:
    """Hold every cached file of a data set against its SHA-256; downloads nothing.

    Args:
        name: of a data set in the registry, or a `DataSet`.
        directory: the cache; `cache_directory()` when `None`.

    Returns:
        A `FileStatus` a file: "verified", "missing" or "damaged".
    """
    return tuple(_sum_status(file, path) for file, path in _places(name, directory))


def fetch(
    name: str | DataSet, *, directory: Path | None = None, timeout: float = 8.0, progress: bool = True
) -> dict[str, Path]:
    """Return the files of a data set, downloading those that the cache lacks.

    A file is used only if its SHA-256 is right. A download goes to a file of its own beside its place and
    moves there in one step once it is complete and right, so that two processes may fetch at once and a
    damaged file is replaced only by a good one.

    Args:
        name: of a data set in the registry, or a `DataSet`.
        directory: the cache; `cache_directory()` when `None`.
        timeout: seconds to wait for the server's first answer, and between two of its packets.
        progress: draw a progress bar while downloading, where the error stream is a terminal.

    Returns:
        The path of every file by its name in the registry.

    Raises:
        DataError: where a file is neither cached nor to be had: no network, an answer that is cut or has
            the wrong sum, a cache that cannot be written, a full disk.
        ValueError: where the registry has no data set of that name.
    """
    places = _places(name, directory)
    lacking = [found for found in (_sum_status(*place) for place in places) if found.state != "verified"]
    for found in lacking:
        try:
            _download(found.file, found.path, timeout=timeout, progress=progress)
        except DataError as error:
            raise _with_damage(error, found) from None  # the message names the cause; its chain is pages long
    return {file.path: path for file, path in places}


def _places(name: str | DataSet, directory: Path | None) -> list[tuple[DataFile, Path]]:
    chosen = name if isinstance(name, DataSet) else data_set(name)
    folder = (directory or cache_directory()) / chosen.name
    return [(file, folder / file.path) for file in chosen.files]


def _size_status(file: DataFile, path: Path) -> FileStatus:
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return FileStatus(file, path, "missing")
    except OSError as error:
        return _unreadable(file, path, error)
    if size != file.bytes:
        return FileStatus(file, path, "damaged", f"{size:,} bytes, expected {file.bytes:,}")
    return FileStatus(file, path, "cached")


def _sum_status(file: DataFile, path: Path) -> FileStatus:
    found = _size_status(file, path)
    if found.state != "cached":
        return found
    try:
        digest = _sha256(path)
    except OSError as error:
        return _unreadable(file, path, error)
    if digest != file.sha256:
        return FileStatus(file, path, "damaged", f"SHA-256 {digest}, expected {file.sha256}")
    return FileStatus(file, path, "verified")


def _unreadable(file: DataFile, path: Path, error: OSError) -> FileStatus:
    return FileStatus(file, path, "damaged", f"bytes that cannot be read ({error.strerror})")


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _with_damage(error: DataError, found: FileStatus) -> DataError:
    """Say beside a failed download that a damaged file lies in the cache, where one does."""
    if found.state != "damaged":
        return error
    return DataError(
        f"the cached {found.path.name} is damaged and {error.reason}",
        f"{found.path} holds {found.detail}. It was left as it is and is not used. {error.details}",
    )


def _download(file: DataFile, target: Path, *, timeout: float, progress: bool) -> None:
    """Download one file to `target`, or raise a `DataError` and leave `target` as it was."""
    _knock(file.url, timeout)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(target) as part:
            _receive_whole(file, part, timeout=timeout, progress=progress)
            _refuse_other_bytes(file, part)
    except OSError as error:
        if not _is_right(file, target):  # otherwise another process was quicker
            raise _explain(error, file, target) from error


def _knock(url: str, timeout: float) -> None:
    """Raise a `DataError` unless the server gives any answer within `timeout` seconds.

    Looking a name up knows no time-out and each address of a server has its own, so the question is put
    in a thread that is left behind when the time is over.
    """
    answers: list[Exception | None] = []
    thread = threading.Thread(target=_ask, args=(url, timeout, answers), daemon=True)
    thread.start()
    thread.join(timeout)
    server = f"the server {urlsplit(url).netloc}"
    if not answers:
        raise DataError(f"{server} gave no answer within {timeout:g} s", TO_DO)
    if answers[0] is not None:
        raise DataError(f"{server} cannot be reached", f"{_root(answers[0])}. {TO_DO}")


def _ask(url: str, timeout: float, answers: list[Exception | None]) -> None:
    from pooch import HTTPDownloader

    try:
        HTTPDownloader(timeout=timeout)(url, None, None, check_only=True)
        answers.append(None)
    except Exception as error:
        answers.append(error)


def _receive_whole(file: DataFile, part: Path, *, timeout: float, progress: bool) -> None:
    """Receive a file into `part`; a connection that is cut gets a second try."""
    for last in (False, True):
        try:
            return _receive(file, part, timeout=timeout, progress=progress)
        except OSError as error:
            refused = getattr(error, "response", None) is not None
            if last or refused or _is_of_the_disk(error):
                raise


def _receive(file: DataFile, part: Path, *, timeout: float, progress: bool) -> None:
    from pooch import HTTPDownloader
    from tqdm import tqdm

    hidden = None if progress else True  # None: shown where the error stream is a terminal
    bar = tqdm(total=file.bytes, desc=file.path, unit="B", unit_scale=True, leave=False, disable=hidden)
    with contextlib.ExitStack() as opened:

        def close_later(answer, **_):  # pooch leaves an answer open that is cut
            opened.callback(answer.close)

        hooks = {"response": close_later}
        download = HTTPDownloader(opened.enter_context(bar), 65_536, timeout=timeout, hooks=hooks)
        download(file.url, opened.enter_context(open(part, "wb")), None)
    size = part.stat().st_size
    if size < file.bytes:
        raise ConnectionError(f"{size:,} of {file.bytes:,} bytes came")


def _refuse_other_bytes(file: DataFile, part: Path) -> None:
    came = _sha256(part)
    if came != file.sha256:
        raise DataError(
            f"the server {urlsplit(file.url).netloc} sent another file than the registry expects",
            f"{file.url} gave {part.stat().st_size:,} bytes with SHA-256 {came}; expected {file.bytes:,} bytes "
            f"with {file.sha256}. Nothing was kept. A proxy or a sign-in page may have answered instead; "
            "try from another network, or use the bundled sample (source='sample').",
        )


def _is_right(file: DataFile, path: Path) -> bool:
    return _sum_status(file, path).state == "verified"


def _is_of_the_disk(error: OSError) -> bool:
    """Errors of the system carry a number; those that requests raises about the network do not."""
    return error.errno is not None


def _explain(error: OSError, file: DataFile, target: Path) -> DataError:
    """Say of a failed download what came, what was expected and what to do."""
    wanted = f"{file.path} ({file.bytes:,} bytes)"
    if error.errno in NO_ROOM:
        return DataError(
            "the disk of the cache is full",
            f"{target.parent} has no room for {wanted}. Free some space, or: {TO_DO_CACHE}",
        )
    if _is_of_the_disk(error):
        return DataError(
            "the cache cannot be written",
            f"Writing {wanted} below {target.parent} gave: {error.strerror}. {TO_DO_CACHE}",
        )
    return DataError(
        f"the download from the server {urlsplit(file.url).netloc} failed",
        f"{_root(error)}; expected {wanted} from {file.url}. {TO_DO}",
    )


def _root(error: BaseException) -> BaseException:
    """Find what a chain of errors began with: the shortest of their messages and the most to the point."""
    while error.__context__ is not None:
        error = error.__context__
    return error
