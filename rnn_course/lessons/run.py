"""Execute a lesson's notebook from top to bottom on a fresh kernel, and read its `results` back."""

import ast
import asyncio
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rnn_course.lessons.notebook import KERNEL, inject_parameters
from rnn_course.lessons.outputs import clean_outputs, without_terminal_codes
from rnn_course.lessons.results import fault_of_results
from rnn_course.lessons.sections import section_names


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


class LessonError(RuntimeError):
    """A lesson did not run to its end; `notebook` is what was executed until then."""

    def __init__(self, message: str, notebook: Any):
        """Keep the message and the partly executed notebook."""
        super().__init__(message)
        self.notebook = notebook


def execute(
    notebook: Any,
    *,
    parameters: Mapping[str, Any] | None = None,
    timeout: float | None = None,
    progress: Callable[[CellProgress], None] | None = None,
    cwd: Path | None = None,
    python: Path | None = None,
) -> Execution:
    """Run a lesson's notebook on a fresh kernel and read its `results`.

    A Ctrl-C ends the kernel at once and is passed on as `KeyboardInterrupt`.

    Args:
        notebook: a lesson's notebook; not changed.
        parameters: values that replace those of the cell tagged `parameters`.
        timeout: seconds that one cell may take; no limit when `None`.
        progress: called as each code cell starts, once a second while it runs, and when it is done.
        cwd: the folder the kernel runs in; this process's own when `None`.
        python: the interpreter that runs the cells, which has ipykernel; the one that runs this when `None`.

    Returns:
        The executed, cleaned notebook, the lesson's results and the seconds.

    Raises:
        LessonError: a cell failed, ran out of time or lost its kernel, or the lesson left no usable `results`.
        ValueError: a parameter that the lesson does not have.
    """
    notebook = inject_parameters(notebook, parameters or {})
    start = time.perf_counter()
    try:
        results = asyncio.run(_execute(notebook, timeout, progress or _no_progress, cwd, python))
    except LessonError as error:
        error.notebook = clean_outputs(error.notebook)
        raise
    return Execution(clean_outputs(notebook), results, time.perf_counter() - start)


def _no_progress(progress: CellProgress) -> None:
    """Report nothing."""


async def _execute(notebook, timeout, progress, cwd, python) -> dict[str, Any]:
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    # No kernel folders: the interpreter that runs the course is the kernel, whatever else is registered.
    kernels = KernelSpecManager(kernel_dirs=[])
    manager = AsyncKernelManager(kernel_name=KERNEL["name"], kernel_spec_manager=kernels)
    if python is not None:
        manager.kernel_spec.argv[0] = str(python)
    client = NotebookClient(notebook, km=manager, timeout=timeout, record_timing=False)
    # What the kernel says is in the notebook; what its libraries write past it goes to a file, not the terminal.
    with tempfile.TemporaryFile() as log:
        try:
            await _start_kernel(client, cwd, log)
            await _execute_cells(client, progress)
            return await read_results(client)
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            await manager.shutdown_kernel(now=True)


async def _start_kernel(client, cwd, log) -> None:
    folder = str(cwd or Path.cwd())
    await client.km.start_kernel(env=kernel_environment(), cwd=folder, stdout=log, stderr=log)
    try:
        await client.async_start_new_kernel_client()
    except RuntimeError as error:
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
        raise LessonError(f"The kernel did not start: {error}\n{said}", client.nb) from error


def kernel_environment() -> dict[str, str]:
    """Return the environment variables that a lesson's kernel starts with."""
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
        return f"{place}\n{error.ename}: {_shorten(without_terminal_codes(error.evalue))}"
    if isinstance(error, TimeoutError):
        return f"{place}\nIt took longer than it may."
    return f"{place}\nThe kernel died; most often the machine ran out of memory."


def _shorten(text: str, *, lines: int = 6) -> str:
    kept = text.strip().splitlines()
    return "\n".join(kept[:lines] + ["…"] * (len(kept) > lines))


async def read_results(client: Any) -> dict[str, Any]:
    """Ask a kernel for the lesson's `results`, without leaving a trace in its notebook.

    Args:
        client: a notebook client; its `kc` talks to the kernel, its `nb` goes into an error.

    Returns:
        The flat results, NumPy's scalars as Python's.

    Raises:
        LessonError: there are none, they cannot be saved, or they are not as `fault_of_results` wants them.
    """
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
    fault = fault_of_results(results)
    if fault:
        raise LessonError(f"The lesson's `results` {fault}", client.nb)
    return results
