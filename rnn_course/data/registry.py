"""Which real data sets the course knows: address, sum, license and citation of every file.

The facts live in `registry.toml`, one row a file; this module reads them and changes nothing.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

REGISTRY = Path(__file__).with_name("registry.toml")


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes:
        path: where it lies below the data set's folder in the cache, with forward slashes.
        bytes: its size.
        sha256: its SHA-256 sum, 64 hexadecimal digits.
        url: where it is downloaded from, pinned to a commit or a release.
    """

    path: str
    bytes: int
    sha256: str
    url: str


@dataclass(frozen=True)
class DataSet:
    """One real data set: its files and what one has to know before using them.

    Attributes:
        name: the name that loaders take and the folder in the cache.
        license: under which terms the data may be used.
        citation: what to cite.
        files: a `DataFile` each.
    """

    name: str
    license: str
    citation: str
    files: tuple[DataFile, ...]

    @property
    def bytes(self) -> int:
        """Size of all its files together, in bytes."""
        return sum(file.bytes for file in self.files)


def data_sets(path: Path | None = None) -> dict[str, DataSet]:
    """Read the registry.

    Args:
        path: another registry file; the course's own when `None`.

    Returns:
        Every `DataSet` by its name, in the order of the file.

    Raises:
        ValueError: where the file is no registry; says what is wrong with it.

    Example:
        >>> data_sets()["sst2"].bytes
        1026806
    """
    path = path or REGISTRY
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {name: _read_table(name, table) for name, table in tables.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is no registry of data sets ({error!r}). Each needs a table with license, citation and files, and "
            "each file path, bytes, sha256 and url; if it is the course's own, install the course again."
        ) from error


def data_set(name: str) -> DataSet:
    """Look one data set up.

    Args:
        name: its name, as `data_sets()` lists it.

    Returns:
        The `DataSet`.

    Raises:
        ValueError: where there is none of that name.
    """
    known = data_sets()
    if name not in known:
        raise ValueError(f"There is no data set {name!r}. Pass one of: {', '.join(known)}.")
    return known[name]


def shipped(*parts: str) -> Path:
    """Find a file that travels with the course, in a clone as in an installed wheel.

    Args:
        parts: its path from the top of the repository, such as `"data", "cards", "sst2.md"`.

    Returns:
        Its path: below `rnn_course/shipped` where the wheel put it, otherwise in the clone.

    Raises:
        FileNotFoundError: where it is in neither.

    Example:
        >>> shipped("data", "cards", "sst2.md").name
        'sst2.md'
    """
    package = Path(__file__).resolve().parents[1]
    places = [root.joinpath(*parts) for root in (package / "shipped", package.parent)]
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(
        f"{'/'.join(parts)} is missing: looked for {places[0]} (an installed course) and {places[1]} (a clone). "
        "Install the course again, or check the file out."
    )


def _read_table(name: str, table: dict) -> DataSet:
    files = tuple(DataFile(**row) for row in table["files"])
    return DataSet(name, table["license"], table["citation"], files)
