"""Turn a percent script into a notebook, and set its parameters: all that happens before a run."""

import ast
import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnn_course.lessons.find import script_text

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def build_notebook(path: Path, *, link: str | None = None) -> Any:
    """Turn a percent script into a notebook without outputs; the same script gives the same bytes.

    Args:
        path: the percent script.
        link: Markdown that is put below the title, such as `colab_link` gives; none when `None`.

    Returns:
        An `nbformat` notebook (version 4.5). A cell's id comes from its type and text, so that an edit changes
        the ids of the edited cells alone.

    Raises:
        ValueError: the script is not UTF-8.
    """
    import jupytext

    notebook = jupytext.reads(script_text(path), fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = type(notebook.metadata)({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    if link is not None:
        title, _, text = notebook.cells[0].source.partition("\n")
        notebook.cells[0].source = f"{title}\n\n{link}\n{text}"
    _set_cell_ids(notebook)
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
    return notebook


def _set_cell_ids(notebook: Any) -> None:
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def source_hash(notebook: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the cells' types, texts and tags: what a run depends on, and nothing it leaves.

    Args:
        notebook: an `nbformat` notebook or the plain mapping read from an `.ipynb` file.

    Returns:
        64 hexadecimal digits.
    """
    cells = [
        [cell["cell_type"], "".join(cell["source"]), sorted(cell["metadata"].get("tags", []))]
        for cell in notebook["cells"]
    ]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def default_parameters(notebook: Any) -> dict[str, Any]:
    """Read what the cell tagged `parameters` assigns.

    Args:
        notebook: a lesson's notebook.

    Returns:
        Literal values by name (numbers, text, tuples, …), in the order of the cell; empty without such a cell.

    Raises:
        ValueError: the cell is no Python.
    """
    index = _tagged(notebook, "parameters")
    if index is None:
        return {}
    try:
        statements = ast.parse(notebook.cells[index].source).body
    except SyntaxError as error:
        where = f"line {error.lineno}, {(error.text or '').strip()!r}"
        raise ValueError(f"The cell tagged `parameters` is no Python: {error.msg} ({where}). Correct it.") from error
    values = {}
    for statement in statements:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                values[statement.targets[0].id] = ast.literal_eval(statement.value)
            except ValueError:  # computed from other parameters: nothing to inject
                continue
    return values


def inject_parameters(notebook: Any, parameters: Mapping[str, Any]) -> Any:
    """Add a cell that overrides parameters right after the cell that sets them.

    Args:
        notebook: a lesson's notebook; not changed.
        parameters: new values by name; a value that equals the default is left out.

    Returns:
        A copy with one more cell, tagged `injected-parameters`, or without it where all is at its default.

    Raises:
        ValueError: the lesson has no parameter of that name, or its cell of parameters is no Python.
    """
    import nbformat.v4

    defaults = default_parameters(notebook)
    unknown = sorted(set(parameters) - set(defaults))
    if unknown:
        known = ", ".join(defaults) or "none"
        raise ValueError(f"The lesson has no parameter {', '.join(unknown)}; its parameters are: {known}.")
    notebook = copy.deepcopy(notebook)
    changed = {name: value for name, value in parameters.items() if value != defaults[name]}
    if changed:
        lines = "\n".join(f"{name} = {value!r}" for name, value in changed.items())
        cell = nbformat.v4.new_code_cell(lines, metadata={"tags": ["injected-parameters"]})
        cell.id = "injected-parameters"
        notebook.cells.insert(_tagged(notebook, "parameters") + 1, cell)
    return notebook


def _tagged(notebook: Any, tag: str) -> int | None:
    indices = (i for i, cell in enumerate(notebook.cells) if tag in cell.metadata.get("tags", []))
    return next(indices, None)
