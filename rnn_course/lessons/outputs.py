"""Clean what a run leaves in a notebook, so that only its results stay."""

import copy
import re
from collections.abc import Mapping
from typing import Any

from rnn_course.lessons.machine import machine_places

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}")
_TEXT_TYPES = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml")
_STARTUP_NOISE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "  # TensorFlow's own log lines
    r"|^[IWE]\d{4} \d\d:\d\d:\d+\.\d+ "  # absl's
    r"|^WARNING: All log messages before absl"
    r"|^To enable the following instructions:"
    r"|oneDNN custom operations are on"
    r"|TF-TRT Warning"
)


def clean_outputs(notebook: Any, *, places: Mapping[str, str] | None = None) -> Any:
    """Remove what a run leaves in a notebook that is no result: logs, redrawn lines, times, paths, addresses.

    Args:
        notebook: an executed notebook; not changed.
        places: absolute folders of this machine and what to write instead; `machine_places()` when `None`.

    Returns:
        A cleaned copy: TensorFlow's start-up lines gone from stderr, consecutive prints joined, a line that was
        redrawn kept in its last state, no execution times, no machine path, no memory address.
    """
    notebook = copy.deepcopy(notebook)
    places = machine_places() if places is None else places
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        for key in ("execution", "collapsed", "scrolled"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _clean_cell(cell.outputs, places)
    return notebook


def _clean_cell(outputs: list[Any], places: Mapping[str, str]) -> list[Any]:
    kept = []
    for output in outputs:
        before = kept[-1] if kept else {}
        joins = output.output_type == "stream" and before.get("name") == output.name
        if joins:
            before["text"] += output.text
        else:
            kept.append(output)
    for output in kept:
        _clean_output(output, places)
    return [output for output in kept if output.output_type != "stream" or output.text.strip()]


def _clean_output(output: Any, places: Mapping[str, str]) -> None:
    if output.output_type == "stream":
        text = _last_state(without_terminal_codes(output.text))
        output.text = _without_places(_without_noise(text) if output.name == "stderr" else text, places)
    elif output.output_type == "error":
        output.evalue = _without_places(without_terminal_codes(output.evalue), places)
        output.traceback = [_without_places(without_terminal_codes(line), places) for line in output.traceback]
    else:
        for kind in _TEXT_TYPES:
            if kind in output.data:
                output.data[kind] = _without_places(output.data[kind], places)


def _last_state(text: str) -> str:
    """Show redrawn lines as a terminal does at the end: only what was written last."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(_without_backspaces(line.rstrip("\r").rsplit("\r", 1)[-1]).rstrip() for line in lines)


def _without_backspaces(line: str) -> str:
    while "\x08" in line:
        line = re.sub(r"[^\x08]\x08|^\x08+", "", line)
    return line


def _without_noise(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not _STARTUP_NOISE.search(line))


def _without_places(text: str, places: Mapping[str, str]) -> str:
    text = _ADDRESS.sub("", text)
    if not places:
        return text
    longest_first = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    return re.sub(rf"(?<![\w/])({longest_first})(?!\w)", lambda match: places[match[1]], text)


def without_terminal_codes(text: str) -> str:
    """Take out what colors a terminal or moves its cursor.

    >>> without_terminal_codes("\\x1b[31mred\\x1b[0m")
    'red'
    """
    return _ANSI.sub("", text)
