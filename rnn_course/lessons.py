"""Find the lessons, build their notebooks, and execute them from top to bottom.

A lesson is edited as a percent script, `lessons/NN_slug.py`. This module turns it into a notebook, runs that
notebook on a fresh kernel, reads the lesson's `results` back, and cleans what the run left behind, so that the
`rnn-course` command and the notebook builder do the same thing in the same way.
"""

import ast
import asyncio
import base64
import copy
import difflib
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

_PACKAGE = Path(__file__).resolve().parent
_SCRIPT_NAME = re.compile(r"(\d\d)_([a-z0-9_]+)")
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

# Metrics between 0 and 1 that tables show in percent.
_SHARES = frozenset({"accuracy", "f1", "precision", "recall"})

# What each lesson's `results` must hold, whatever else it measures.
REQUIRED_RESULTS = ("minutes", "source")


class Lesson(NamedTuple):
    """One lesson: its stable number, its slug, its title, and the percent script it is written in."""

    number: int
    slug: str
    title: str
    path: Path

    @property
    def name(self) -> str:
        """Number and slug as they stand in file names, such as `06_sentiment`."""
        return f"{self.number:02}_{self.slug}"

    @property
    def plain_title(self) -> str:
        """The title without Markdown's marks, for a terminal."""
        return _plain(self.title)


class CellProgress(NamedTuple):
    """How far a run has come: code cell `position` of `total`, under `heading`, for `seconds`, `done` or not."""

    position: int
    total: int
    heading: str
    seconds: float
    done: bool


class Execution(NamedTuple):
    """A finished run: the executed notebook, the lesson's flat `results`, and the seconds it took."""

    notebook: Any
    results: dict[str, Any]
    seconds: float


class Comparison(NamedTuple):
    """One metric of a lesson beside its baseline and the published figure; `None` where there is none.

    `spread` and `baseline_spread` are standard deviations over the lesson's seeds, in the metric's own unit.
    """

    metric: str
    model: float | None
    spread: float | None
    baseline: float | None
    baseline_spread: float | None
    published: float | None


class LessonError(RuntimeError):
    """A lesson did not run to its end; `notebook` is what was executed until then."""

    def __init__(self, message: str, notebook: Any):
        """Keep the message and the partly executed notebook."""
        super().__init__(message)
        self.notebook = notebook


# --- finding ---------------------------------------------------------------------------------------------------


def course_folder() -> Path:
    """Return the folder that holds `lessons/`: the clone, or what travels inside the installed wheel."""
    shipped = _PACKAGE / "shipped"
    return shipped if shipped.is_dir() else _PACKAGE.parent


def find_lessons(folder: Path | None = None) -> tuple[Lesson, ...]:
    """List the lessons in order of their numbers.

    Args:
        folder: where the percent scripts are; the course's own `lessons/` when `None`.

    Returns:
        One `Lesson` per file named `NN_slug.py`; other files are no lessons.
    """
    folder = folder or course_folder() / "lessons"
    scripts = sorted(path for path in folder.glob("*.py") if _SCRIPT_NAME.fullmatch(path.stem))
    return tuple(read_lesson(path) for path in scripts)


def read_lesson(path: Path) -> Lesson:
    """Read number and slug from a script's name, and the title from its first Markdown heading.

    Args:
        path: a percent script named `NN_slug.py`.

    Returns:
        The `Lesson`; a script without a heading takes its slug as its title.

    Raises:
        ValueError: the name is not of the form `NN_slug.py`.
    """
    match = _SCRIPT_NAME.fullmatch(path.stem)
    if match is None:
        raise ValueError(f"{path.name!r} is not the name of a lesson; name it NN_slug.py, such as 42_my_text.py.")
    heading = re.search(r"^# # (?:\d+\. *)?(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    title = heading[1].strip() if heading else match[2].replace("_", " ")
    return Lesson(int(match[1]), match[2], title, path)


def find_lesson(name: str, folder: Path | None = None) -> Lesson:
    """Find one lesson by what a learner would type.

    Args:
        name: a number (`"6"`, `"06"`), a slug (`"sentiment"`), both (`"06_sentiment"`), or the path of a script
            of your own that is named `NN_slug.py`.
        folder: where the percent scripts are; the course's own `lessons/` when `None`.

    Returns:
        The `Lesson`.

    Raises:
        ValueError: nothing has that name; the message lists the lessons and suggests the nearest.
    """
    if name.endswith(".py") and Path(name).is_file():
        return read_lesson(Path(name).resolve())
    lessons = find_lessons(folder)
    for lesson in lessons:
        if name in (lesson.slug, lesson.name) or (name.isdecimal() and int(name) == lesson.number):
            return lesson
    raise ValueError(_no_such_lesson(name, lessons))


def _no_such_lesson(name: str, lessons: tuple[Lesson, ...]) -> str:
    names = [spelling for lesson in lessons for spelling in (lesson.slug, lesson.name)]
    nearest = difflib.get_close_matches(name.lower().replace("-", "_"), names, n=1)
    suggestion = f"Did you mean {nearest[0]!r}? " if nearest else ""
    known = ", ".join(f"{lesson.number:02} {lesson.slug}" for lesson in lessons) or "none yet"
    return f"There is no lesson {name!r}. {suggestion}The lessons are: {known}."


# --- building --------------------------------------------------------------------------------------------------


def build_notebook(path: Path) -> Any:
    """Turn a percent script into a notebook without outputs; the same script gives the same bytes.

    Args:
        path: the percent script.

    Returns:
        An `nbformat` notebook (version 4.5). A cell's id comes from its type and text, so that an edit changes
        the ids of the edited cells alone.
    """
    import jupytext

    notebook = jupytext.reads(Path(path).read_text(encoding="utf-8"), fmt="py:percent")
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = type(notebook.metadata)({"kernelspec": _KERNEL, "language_info": {"name": "python"}})
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
    """
    index = _tagged(notebook, "parameters")
    if index is None:
        return {}
    values = {}
    for statement in ast.parse(notebook.cells[index].source).body:
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
        ValueError: the lesson has no parameter of that name.
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


# --- executing -------------------------------------------------------------------------------------------------


def execute(
    notebook: Any,
    *,
    parameters: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    progress: Callable[[CellProgress], None] | None = None,
    cwd: Path | None = None,
) -> Execution:
    """Run a lesson's notebook on a fresh kernel and read its `results`.

    A Ctrl-C ends the kernel at once and is passed on as `KeyboardInterrupt`.

    Args:
        notebook: a lesson's notebook; not changed.
        parameters: values that replace those of the cell tagged `parameters`.
        timeout: seconds that one cell may take; no limit when `None`.
        progress: called as each code cell starts, once a second while it runs, and when it is done.
        cwd: the folder the kernel runs in; this process's own when `None`.

    Returns:
        The executed, cleaned notebook, the lesson's results and the seconds.

    Raises:
        LessonError: a cell failed, ran out of time or lost its kernel, or the lesson left no usable `results`.
        ValueError: a parameter that the lesson does not have.
    """
    notebook = inject_parameters(notebook, parameters or {})
    start = time.perf_counter()
    try:
        results = asyncio.run(_execute(notebook, timeout, progress or _no_progress, cwd))
    except LessonError as error:
        error.notebook = clean_outputs(error.notebook)
        raise
    return Execution(clean_outputs(notebook), results, time.perf_counter() - start)


def _no_progress(progress: CellProgress) -> None:
    """Report nothing."""


async def _execute(notebook, timeout, progress, cwd) -> dict[str, Any]:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    # No kernel folders: the interpreter that runs the course is the kernel, whatever else is registered.
    kernels = KernelSpecManager(kernel_dirs=[])
    manager = AsyncKernelManager(kernel_name=_KERNEL["name"], kernel_spec_manager=kernels)
    client = NotebookClient(notebook, km=manager, timeout=timeout, record_timing=False)
    # What the kernel says is in the notebook; what its libraries write past it goes to a file, not the terminal.
    with tempfile.TemporaryFile() as log:
        try:
            await _start_kernel(client, cwd, log)
            await _execute_cells(client, progress)
            return await _read_results(client)
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            await manager.shutdown_kernel(now=True)


async def _start_kernel(client, cwd, log) -> None:
    folder = str(cwd or Path.cwd())
    await client.km.start_kernel(env=_kernel_environment(), cwd=folder, stdout=log, stderr=log)
    try:
        await client.async_start_new_kernel_client()
    except RuntimeError as error:
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
        raise LessonError(f"The kernel did not start: {error}\n{said}", client.nb) from error


def _kernel_environment() -> dict[str, str]:
    # The inline backend collects the figures; a backend chosen for the tests must not reach the kernel.
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    return {**os.environ, **quiet, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}


async def _execute_cells(client, progress) -> None:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    names = section_names(client.nb)
    runnable = [i for i, cell in enumerate(client.nb.cells) if cell.cell_type == "code" and cell.source.strip()]
    for position, index in enumerate(runnable, start=1):
        start = CellProgress(position, len(runnable), names[index], 0.0, False)
        try:
            await _execute_cell(client, index, start, progress)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise LessonError(_failure(start, client.nb.cells[index].source, error), client.nb) from error


async def _execute_cell(client, index, start, progress) -> None:
    began = time.perf_counter()
    progress(start)
    cell = asyncio.create_task(client.async_execute_cell(client.nb.cells[index], index))
    try:
        while not (await asyncio.wait({cell}, timeout=1))[0]:
            progress(start._replace(seconds=time.perf_counter() - began))
    except asyncio.CancelledError:
        # The client would take a cancelled cell for a dead kernel: end it here, and pass on what came.
        cell.cancel()
        await asyncio.gather(cell, return_exceptions=True)
        raise
    cell.result()
    progress(start._replace(seconds=time.perf_counter() - began, done=True))


def _failure(progress: CellProgress, source: str, error: Exception) -> str:
    first_line = source.strip().splitlines()[0]
    place = f"Cell {progress.position} of {progress.total} ({progress.heading}) failed at `{first_line}`"
    if hasattr(error, "ename"):
        return f"{place}\n{error.ename}: {_shorten(_ANSI.sub('', error.evalue))}"
    if isinstance(error, TimeoutError):
        return f"{place}\nIt took longer than it may."
    return f"{place}\nThe kernel died; most often the machine ran out of memory."


def _shorten(text: str, *, lines: int = 6) -> str:
    kept = text.strip().splitlines()
    return "\n".join(kept[:lines] + ["…"] * (len(kept) > lines))


async def _read_results(client) -> dict[str, Any]:
    expression = "__import__('json').dumps(results, default=lambda value: value.item())"
    reply = await client.kc.execute(
        "", silent=True, store_history=False, user_expressions={"results": expression}, reply=True, timeout=60
    )
    answer = reply["content"]["user_expressions"]["results"]
    if answer["status"] == "error":
        if answer["ename"] == "NameError":
            raise LessonError("The lesson left no `results`; its last cell must assign that dict.", client.nb)
        raise LessonError(f"The lesson's `results` cannot be saved: {answer['evalue']}", client.nb)
    results = json.loads(ast.literal_eval(answer["data"]["text/plain"]))
    fault = _fault_of_results(results)
    if fault:
        raise LessonError(f"The lesson's `results` {fault}", client.nb)
    return results


def _fault_of_results(results: Any) -> str | None:
    if not isinstance(results, dict):
        return f"must be a dict, not a {type(results).__name__}."
    for name, value in results.items():
        if isinstance(value, dict | list):
            return f"must be flat: {name!r} holds a {type(value).__name__}; give each figure a name of its own."
        if isinstance(value, float) and value - value != 0:
            return f"hold {value} under {name!r}, which no table can show; leave it out or say it in words."
    missing = [name for name in REQUIRED_RESULTS if name not in results]
    return f"lack {', '.join(repr(name) for name in missing)}." if missing else None


# --- reading an executed notebook ------------------------------------------------------------------------------


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
        current = _plain(headings[-1]) if headings else current
        names.append(current)
    return names


def _plain(markdown: str) -> str:
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


# --- cleaning --------------------------------------------------------------------------------------------------

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
        text = _last_state(_ANSI.sub("", output.text))
        output.text = _without_places(_without_noise(text) if output.name == "stderr" else text, places)
    elif output.output_type == "error":
        output.evalue = _without_places(_ANSI.sub("", output.evalue), places)
        output.traceback = [_without_places(_ANSI.sub("", line), places) for line in output.traceback]
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


def machine_places() -> dict[str, str]:
    """Return this machine's own folders and the words that stand for them in a notebook.

    Returns:
        Absolute paths to `.` (the course), `<data>`, `<python>`, `<temporary>` and `~`.
    """
    named = [
        (Path.home(), "~"),
        (Path(tempfile.gettempdir()), "<temporary>"),
        (Path(sys.base_prefix), "<python>"),
        (Path(sys.prefix), "<python>"),
        (course_folder(), "."),
    ]
    if os.environ.get("RNN_COURSE_DATA"):
        named.append((Path(os.environ["RNN_COURSE_DATA"]).expanduser().absolute(), "<data>"))
    named = [(path, word) for path, word in named if len(path.parts) > 1]  # never the root itself
    return {str(spelling): word for path, word in named for spelling in (path, path.resolve())}


def machine_size() -> dict[str, int]:
    """Measure the machine that a run's minutes belong to.

    Returns:
        `cores` that this process may use, and `memory_gib`, the memory in GiB (0 where the system does not tell).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    known = hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else 0
    return {"cores": cores, "memory_gib": round(memory / 2**30)}


# --- comparing -------------------------------------------------------------------------------------------------


def compare(results: Mapping[str, Any]) -> list[Comparison]:
    """Set each metric beside its baseline and the published figure.

    The model's value of a metric M stands under `test_M` or `M`, the others under `baseline_M` and
    `published_M`; a spread stands under its figure's name and `_std`.

    Args:
        results: a lesson's flat results.

    Returns:
        The metrics that have something to be compared with, then the others, both in the order of `results`.

    >>> row = compare({"test_accuracy": 0.82, "baseline_accuracy": 0.81})[0]
    >>> row.metric, row.model, row.baseline, row.published
    ('accuracy', 0.82, 0.81, None)
    """
    numbers = {name: value for name, value in results.items() if _is_figure(name, value)}
    keys: dict[str, str | None] = {}  # the metric's name to the key of the model's value
    for name in numbers:
        prefix, _, rest = name.partition("_")
        if name.endswith("_std") and name.removesuffix("_std") in numbers:
            continue
        if prefix in ("baseline", "published"):
            keys.setdefault(rest, None)
        elif prefix == "test":
            keys[rest] = name
        elif keys.get(name) is None:  # a figure on another split does not hide that of the test split
            keys[name] = name
    rows = [_comparison(metric, key, numbers) for metric, key in keys.items()]
    return sorted(rows, key=lambda row: row.baseline is None and row.published is None)


def _is_figure(name: str, value: Any) -> bool:
    counted = name in ("minutes", "seed", "seeds")
    return isinstance(value, int | float) and not isinstance(value, bool) and not counted


def _comparison(metric: str, key: str | None, numbers: Mapping[str, float]) -> Comparison:
    return Comparison(
        metric=metric,
        model=numbers.get(key),
        spread=numbers.get(f"{key}_std"),
        baseline=numbers.get(f"baseline_{metric}"),
        baseline_spread=numbers.get(f"baseline_{metric}_std"),
        published=numbers.get(f"published_{metric}"),
    )


def show_figure(metric: str, value: float | None, spread: float | None = None) -> str:
    """Write a figure as a table shows it: shares as percentages, all else with four digits.

    Args:
        metric: the metric's name; one with the word `accuracy`, `f1`, `precision` or `recall` is a share between
            0 and 1.
        value: the figure, or `None`.
        spread: its standard deviation, in the same unit.

    Returns:
        Text such as `82.4 ± 0.3 %`, or `–` where there is no figure.

    >>> show_figure("accuracy", 0.8243, 0.0031)
    '82.4 ± 0.3 %'
    >>> show_figure("nats_per_char", 1.51234)
    '1.512'
    """
    if value is None:
        return "–"
    if _SHARES.intersection(metric.split("_")):
        around = "" if spread is None else f" ± {100 * spread:.1f}"
        return f"{100 * value:.1f}{around} %"
    around = "" if spread is None else f" ± {spread:.2g}"
    return f"{value}{around}" if isinstance(value, int) else f"{value:.4g}{around}"
