"""`rnn-course lab`: the notebooks in JupyterLab."""

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from rnn_course.cli.messages import FAILED, complain


def open_lab(arguments: argparse.Namespace) -> int:
    """Start JupyterLab on the notebooks, and end with its exit code."""
    from importlib.util import find_spec

    from rnn_course.lessons import course_folder, find_lessons

    notebooks = course_folder() / "notebooks"
    if not notebooks.is_dir():
        return complain("the notebooks are not in the installed package; run this in a clone of the course.", FAILED)
    if find_spec("jupyterlab") is None:
        return complain('JupyterLab is not installed; `pip install "rnn-course[lab]"` adds it.', FAILED)
    trust([notebooks / f"{lesson.name}.ipynb" for lesson in find_lessons()])
    options = ["--no-browser"] if arguments.no_browser else []
    command = [sys.executable, "-m", "jupyterlab", str(notebooks), *options, *arguments.rest]
    return _wait_for(subprocess.Popen(command))


def trust(paths: Iterable[Path]) -> None:
    """Sign the course's own notebooks, as `jupyter trust` would; what is not there or cannot be read stays unsigned.

    From a notebook that nobody has signed, JupyterLab takes the colors of highlighted texts away.
    """
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            notary.sign(nbformat.v4.reads(path.read_text(encoding="utf-8")))
    notary.store.close()


def _wait_for(process: subprocess.Popen) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # JupyterLab gets it too, and asks whether it is meant
            continue
