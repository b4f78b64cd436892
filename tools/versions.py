"""Run the lessons, small and on their samples, with other versions than those that are installed here.

    python tools/versions.py colab                  every lesson as Colab runs it, its installing first cell included
    python tools/versions.py colab 08 11            two of them
    python tools/versions.py lowest                 every lesson with the oldest versions that pyproject.toml allows
    python tools/versions.py lowest 06 tests/test_reference.py      one of them, and a file of tests
    python tools/versions.py colab --python 3.13    with another Python than the one that runs this

uv makes an environment for the occasion and removes it afterwards. In `colab` it holds what tools/colab.txt lists
and not the course: that, and what else it needs, is left to the lesson's first cell, which gets a wheel of this
course in place of the address, and must change no version that was there before.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rnn_course.lessons import Lesson, LessonError, build_notebook, execute, find_lesson, find_lessons

ROOT = Path(__file__).resolve().parents[1]
COLAB = ROOT / "tools" / "colab.txt"
MAIN = ("tensorflow", "keras", "numpy", "matplotlib")
SMALL = {"FAST": True, "SOURCE": "sample"}
INSTALL = re.compile(r'^( *%pip install -q --no-deps )"(git\+https://[^"]+)"(.*)$', re.MULTILINE)


class Outcome(NamedTuple):
    """What became of a lesson or a file of tests: its name, the seconds, and what is wrong, empty when nothing is."""

    name: str
    seconds: float
    fault: str


class Environment(NamedTuple):
    """A throw-away environment: its interpreter, and a wheel of the course, None where that is in it already."""

    python: Path
    wheel: Path | None

    def describe(self) -> str:
        """Name Python and the libraries that matter most, with their versions."""
        said = subprocess.run([self.python, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        versions = installed(self.python)
        return ", ".join([said, *(f"{name} {versions[name]}" for name in MAIN)])


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for, print a row for each, and return 1 if anything failed."""
    arguments = build_parser().parse_args(argv)
    os.environ.pop("PYTHONPATH", None)  # a kernel would find the course in it, and no first cell would install it
    try:
        lessons, tests = chosen(arguments.what)
        with environment(arguments.versions, arguments.python) as made:
            print(made.describe(), flush=True)
            faults = [show(outcome) for outcome in run_all(made, lessons, tests)]
    except ValueError as error:
        print(f"versions: {error}", file=sys.stderr)
        return 2
    return 1 if any(faults) else 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", choices=("colab", "lowest"), help="whose versions")
    parser.add_argument(
        "what", nargs="*", metavar="NN|FILE", help="lessons, files of tests; every lesson when left out"
    )
    parser.add_argument("--python", default=sys.executable, help="version or path; the one that runs this by default")
    return parser


def chosen(what: Sequence[str]) -> tuple[list[Lesson], list[str]]:
    """Tell lessons from files of tests; every lesson where neither is named."""
    tests = [name for name in what if name.endswith(".py")]
    lessons = [find_lesson(name) for name in what if name not in tests]
    missing = [name for name in tests if not (ROOT / name).is_file()]
    if missing:
        raise ValueError(
            f"There is no file {', '.join(missing)} in the course; name it from the top, as tests/test_x.py."
        )
    return (lessons if what else list(find_lessons())), tests


# --- the environment -------------------------------------------------------------------------------------------


@contextmanager
def environment(versions: str, python: str) -> Iterator[Environment]:
    """Make an environment with these versions, and remove it at the end."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "environment"
        uv("venv", "--python", python, str(place))
        interpreter = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        install = ("pip", "install", "--python", str(interpreter))
        if versions == "lowest":
            uv(*install, "--resolution", "lowest-direct", "--editable", ".[dev]")
            yield Environment(interpreter, None)
        else:
            uv(*install, "--requirements", str(COLAB))
            uv("build", "--wheel", "--out-dir", folder)
            (wheel,) = Path(folder).glob("*.whl")
            yield Environment(interpreter, wheel)


def uv(*arguments: str) -> str:
    """Run uv in the course's folder, and return what it prints."""
    if shutil.which("uv") is None:
        raise ValueError("uv is not installed here; `pip install uv`.")
    done = subprocess.run(["uv", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"`uv {' '.join(arguments)}` failed:\n{done.stderr.strip()}")
    return done.stdout


def installed(python: Path) -> dict[str, str]:
    """List what an environment holds: {name: version, or the place it came from}."""
    lines = uv("pip", "freeze", "--python", str(python)).splitlines()
    return dict(re.split(r"==| @ ", line, maxsplit=1) for line in lines if not line.startswith("-e "))


# --- a run -----------------------------------------------------------------------------------------------------


def run_all(made: Environment, lessons: Sequence[Lesson], tests: Sequence[str]) -> Iterator[Outcome]:
    yield from (run_lesson(lesson, made) for lesson in lessons)
    yield from (run_tests(name, made) for name in tests)


def run_lesson(lesson: Lesson, made: Environment) -> Outcome:
    """Run one lesson, and put the environment back as it was."""
    notebook, before, start = build_notebook(lesson.path), installed(made.python), time.perf_counter()
    try:
        wanted = with_wheel(notebook, made.wheel) if made.wheel else set()
        with tempfile.TemporaryDirectory() as scratch:
            execute(notebook, parameters=SMALL, timeout=600, cwd=Path(scratch), python=made.python)
        fault = fault_of_change(before, installed(made.python), wanted)
    except (LessonError, ValueError) as error:
        fault = str(error)
    seconds = time.perf_counter() - start
    added = sorted(set(installed(made.python)) - set(before))
    if added:
        uv("pip", "uninstall", "--python", str(made.python), *added)
    return Outcome(lesson.name, seconds, fault)


def with_wheel(notebook: Any, wheel: Path) -> set[str]:
    """Let a lesson's first cell install a wheel in place of the address.

    Args:
        notebook: a lesson's notebook; its first code cell is changed.
        wheel: the course as a wheel.

    Returns:
        The names of all that the cell installs.

    Raises:
        ValueError: the cell does not install the course without what it depends on.
    """
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    match = INSTALL.search(cell.source)
    if match is None:
        raise ValueError('Its first cell has no line `%pip install -q --no-deps "git+https://…"`.')
    cell.source = INSTALL.sub(lambda found: f'{found[1]}"{wheel}"{found[3]}', cell.source)
    return {"rnn-course", *match[3].split()}


def fault_of_change(before: dict[str, str], after: dict[str, str], wanted: set[str]) -> str:
    """Say what a first cell did beyond installing what it names, or nothing.

    Args:
        before: versions by name, before the lesson.
        after: the same after it.
        wanted: the names that its first cell installs.

    Returns:
        A sentence, empty where only `wanted` was added.
    """
    changed = [f"{name} {version} → {after.get(name, 'gone')}" for name, version in before.items()]
    changed = [line for line, name in zip(changed, before, strict=True) if after.get(name) != before[name]]
    if changed:
        return f"Its first cell changed what was there: {', '.join(changed)}."
    added = set(after) - set(before)
    if added != wanted:
        return f"Its first cell should have added {sorted(wanted)} and added {sorted(added)}."
    return ""


def run_tests(name: str, made: Environment) -> Outcome:
    """Run one file of tests; that old libraries warn of one another is no fault of the course."""
    start = time.perf_counter()
    command = [made.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default", name]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "MPLBACKEND": "agg"}, capture_output=True, text=True)
    return Outcome(name, time.perf_counter() - start, done.stdout + done.stderr if done.returncode else "")


def show(outcome: Outcome) -> bool:
    """Print one row of the table, below it what is wrong, and tell whether something is."""
    print(f"{outcome.name:40} {outcome.seconds:7.1f} s  {'FAILED' if outcome.fault else 'ok'}")
    if outcome.fault:
        print("\n".join(f"    {line}" for line in outcome.fault.splitlines()))
    sys.stdout.flush()
    return bool(outcome.fault)


if __name__ == "__main__":
    sys.exit(main())
