"""`rnn-course lab`: the notebooks in JupyterLab."""

import argparse
import subprocess
import sys

from rnn_course.cli.messages import FAILED, complain


def open_lab(arguments: argparse.Namespace) -> int:
    """Start JupyterLab on the notebooks, and end with its exit code."""
    from importlib.util import find_spec

    from rnn_course.lessons import course_folder

    notebooks = course_folder() / "notebooks"
    if not notebooks.is_dir():
        return complain("the notebooks are not in the installed package; run this in a clone of the course.", FAILED)
    if find_spec("jupyterlab") is None:
        return complain('JupyterLab is not installed; `pip install "rnn-course[lab]"` adds it.', FAILED)
    options = ["--no-browser"] if arguments.no_browser else []
    command = [sys.executable, "-m", "jupyterlab", str(notebooks), *options, *arguments.rest]
    return _wait_for(subprocess.Popen(command))


def _wait_for(process: subprocess.Popen) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # JupyterLab gets it too, and asks whether it is meant
            continue
