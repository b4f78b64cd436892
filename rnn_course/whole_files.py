"""Files that are written whole or not at all, whatever happens on the way: Ctrl-C, a full disk, a killed process.

What is not complete lies beside its place, under a hidden name that says which process it belongs to. A process that
is killed cannot take it away; the next one that writes to the same place does.
"""

import contextlib
import hashlib
import os
import platform
import re
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a place beside `path` to write to; when the block ends well, what is there moves to `path` in one step.

    Whoever reads `path` at any moment, a power cut included, finds the old file or the new one, never half of one. A
    block that fails leaves the old file and nothing beside it.

    Args:
        path: the file to be written; its folder is there.

    Yields:
        The path of a file that is not there yet.

    Raises:
        OSError: where the file cannot be written or moved.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with written_whole(Path(folder, "mine.txt")) as part:
        ...         _ = part.write_text("complete")
        ...     [file.name for file in Path(folder).iterdir()]
        ['mine.txt']
    """
    path = Path(path)
    for abandoned in abandoned_beside(path):
        with contextlib.suppress(OSError):
            abandoned.unlink()
    part = name_beside(path, f"{uuid.uuid4().hex}.part")
    try:
        yield part
        with open(part, "rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def name_beside(path: Path, ending: str) -> Path:
    """Make up a hidden name beside a path that says which process of which machine it belongs to.

    Args:
        path: the place that it is for.
        ending: what tells it from the process's other ones for the same place.

    Returns:
        The path; nothing is made there.
    """
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}.{ending}")


def abandoned_beside(path: Path) -> list[Path]:
    """Find what processes of this machine that run no more have left under names of `name_beside`.

    Args:
        path: the place that it was for.

    Returns:
        The paths, sorted; none where the folder cannot be read.
    """
    ours = re.compile(rf"\.{re.escape(path.name)}\.{_machine()}-(\d+)\..+")
    found = []
    with contextlib.suppress(OSError):
        found = [(each, ours.fullmatch(each.name)) for each in sorted(path.parent.iterdir())]
    return [each for each, match in found if match and not _runs(int(match[1]))]


def _machine() -> str:
    """Name this machine, or the container on it: the number of a process says nothing about another one's."""
    try:
        numbered = os.readlink("/proc/self/ns/pid")  # Linux: two containers may have one name and their own numbers
    except OSError:
        numbered = ""
    return hashlib.sha256(f"{platform.node()} {numbered}".encode()).hexdigest()[:8]


def _runs(process: int) -> bool:
    """Tell whether a process runs; where that cannot be asked without harm, as on Windows, it does."""
    if not hasattr(os, "getpgid"):
        return True
    try:
        os.getpgid(process)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
