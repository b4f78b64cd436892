"""The names of the files that are written."""

from pathlib import Path


def checked_path(path, endings):
    """The path of a file to be written, or an error that says what is wrong with it; takes and returns no arrays."""
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise ValueError(f"The name must end in {' or '.join(endings)}; got {path.name!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} for {path.name}; make it first, or name another.")
    return path
