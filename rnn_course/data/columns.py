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
        ValueError: where there is no such column, or two of that name; says what is there and what to pass.
    """
    heading = [cell.strip() for cell in heading]
    if isinstance(wanted, int) and 0 <= wanted < len(heading):
        return wanted
    if isinstance(wanted, str) and heading.count(wanted) > 1:
        raise ValueError(
            f"{path.name} has {heading.count(wanted)} columns {wanted!r} in its first line, {heading}. Give each a "
            "name of its own."
        )
    if isinstance(wanted, str) and wanted in heading:
        return heading.index(wanted)
    first, second = names
    raise ValueError(
        f"{path.name} has no column {wanted!r}; a line of it gives {[cell[:20] for cell in heading]}. Pass the names "
        f"in its first line as `{first}` and `{second}`, or, where it has no such line, the columns' numbers from 0: "
        f"{first}=0, {second}=1. Where the line is not cut as it should be, pass `delimiter`."
    )


def refuse_wide_row(where: str, row: list[str], widest: int | None) -> None:
    """Raise an error for a row that has more cells than its heading: a text was cut at a delimiter inside it.

    Args:
        where: file and line, for the error.
        row: the cells of the row; empty ones at its end do not count.
        widest: how many cells the heading has; `None` where there is no heading.

    Raises:
        ValueError: where there are more cells than that.
    """
    if widest is not None and any(map(str.strip, row[widest:])):
        raise ValueError(
            f"{where} has {len(row)} columns, the heading {widest}: {[cell[:20] for cell in row]}. A text that holds "
            "the delimiter must be enclosed in quotation marks."
        )
