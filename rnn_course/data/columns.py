"""The columns of a user's table, by name or by number."""

from pathlib import Path


def find_column(path: Path, heading: list[str], wanted: str | int, *, names: tuple[str, str]) -> int:
    """Find a column in the first line of a table.

    Args:
        path: the file, for the error.
        heading: the cells of that line.
        wanted: the column's name, or its number from 0.
        names: what the reader calls its two columns, for the error.

    Returns:
        The column's number from 0.

    Raises:
        ValueError: where there is no such column; says what is there and what to pass.
    """
    if isinstance(wanted, int) and 0 <= wanted < len(heading):
        return wanted
    if isinstance(wanted, str) and wanted in heading:
        return heading.index(wanted)
    first, second = names
    raise ValueError(
        f"{path.name} has no column {wanted!r}; a line of it gives {[cell[:20] for cell in heading]}. Pass the names "
        f"in its first line as `{first}` and `{second}`, or, where it has no such line, the columns' numbers from 0: "
        f"{first}=0, {second}=1. Where the line is not cut as it should be, pass `delimiter`."
    )
