"""Read a notebook by its headings: what section a cell stands in, and the pictures of each section."""

import base64
import re
from typing import Any


def section_names(notebook: Any) -> list[str]:
    """Name each cell by the nearest Markdown heading at or above it.

    Args:
        notebook: a lesson's notebook.

    Returns:
        One name per cell, without Markdown's marks; `"start"` above the first heading.
    """
    names, current = [], "start"
    for cell in notebook.cells:
        headings = re.findall(r"^#+ +(.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
        current = plain_text(headings[-1]) if headings else current
        names.append(current)
    return names


def plain_text(markdown: str) -> str:
    """Take Markdown's marks out of a line of text.

    >>> plain_text("Words that *turn*")
    'Words that turn'
    """
    return re.sub(r"[*`_$]", "", markdown).strip()


def figures(notebook: Any) -> list[tuple[str, bytes]]:
    """Take the pictures out of an executed notebook.

    Args:
        notebook: an executed notebook.

    Returns:
        In order of appearance, the name of the section a picture stands in, fit for a file name, and its PNG bytes.
    """
    pictures = []
    for cell, name in zip(notebook.cells, section_names(notebook), strict=True):
        for output in cell.get("outputs", []):
            encoded = output.get("data", {}).get("image/png")
            if encoded is not None:
                pictures.append((_file_name(name), base64.b64decode("".join(encoded))))
    return pictures


def _file_name(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    name = "_".join(words)[:48].strip("_")
    return name or "figure"
