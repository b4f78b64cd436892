"""Writing a file whole or not at all."""

import os
import uuid
from pathlib import Path


def checked_path(path, endings):
    """The path of a file to be written, or an error that says what is wrong with it; takes and returns no arrays."""
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise ValueError(f"The name must end in {' or '.join(endings)}; got {path.name!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} for {path.name}; make it first, or name another.")
    return path


def replace_whole(path, write):
    """Let `write(stream)` fill a file beside `path`, and move it there when it is complete; there are no arrays."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(part, "xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path
