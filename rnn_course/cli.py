"""The `rnn-course` command: list and run lessons, open them, fetch their data, look the machine over.

Exit codes: 0 all is well; 1 the run, the data or the machine failed; 2 a wrong name or option; 130 Ctrl-C.
Everything heavy is imported where it is used, so that `--help` answers at once.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130


class UsageError(Exception):
    """What was typed cannot be done; the message says what can."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: its arguments; those of this process when `None`.

    Returns:
        The exit code.

    Raises:
        SystemExit: with code 2 for an unknown option, with code 0 after `--help`.
    """
    parser = build_parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.act is not _lab:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    arguments.rest = rest
    try:
        return arguments.act(arguments)
    except UsageError as error:
        return _complain(error, WRONG_USE)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing half-written was left behind.", INTERRUPTED)


def _complain(message: object, code: int) -> int:
    print(f"rnn-course: {message}", file=sys.stderr)
    return code


# --- what can be typed -----------------------------------------------------------------------------------------


def build_parser() -> argparse.ArgumentParser:
    """Describe the subcommands, each with enough examples to use it.

    Returns:
        The parser; what it parses carries the function to call as `act`.
    """
    parser = argparse.ArgumentParser(
        prog="rnn-course",
        description="Recurrent networks in Keras, trained on real data and then opened.",
        epilog="First steps:\n  rnn-course doctor\n  rnn-course list\n  rnn-course run sentiment\n\n"
        "`rnn-course COMMAND --help` shows what a command takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "list", _list, "list the lessons with their minutes", "rnn-course list")
    _describe_run(commands)
    lab = _add(
        commands,
        "lab",
        _lab,
        "open the notebooks in JupyterLab",
        "rnn-course lab\nrnn-course lab --no-browser --port 9999   (all options of `jupyter lab` are passed on)",
    )
    lab.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    _describe_data(commands)
    _add(commands, "doctor", _doctor, "check this machine, with one small training step", "rnn-course doctor")
    return parser


def _add(commands, name: str, act: Callable, purpose: str, examples: str) -> argparse.ArgumentParser:
    indented = "\n".join(f"  {line}" for line in examples.splitlines())
    command = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=f"Examples:\n{indented}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(act=act)
    return command


def _describe_run(commands) -> None:
    run = _add(
        commands,
        "run",
        _run,
        "run a lesson from top to bottom on a fresh kernel",
        "rnn-course run sentiment\n"
        "rnn-course run 6 --fast --source sample   (under a minute, no network)\n"
        "rnn-course run sentiment --source sst2 --out my_run\n"
        "rnn-course run my_lessons/42_my_text.py   (a lesson of your own)",
    )
    run.add_argument("lesson", metavar="LESSON", help="its number or slug, as `rnn-course list` shows them")
    run.add_argument("--fast", action="store_true", help="a small run of the same code, under a minute")
    run.add_argument(
        "--source",
        metavar="auto|sample|NAME",
        help="the data: the real set if it can be had, else the bundled sample (auto, the default); "
        "the sample; or a data set by its name",
    )
    run.add_argument(
        "--out",
        metavar="DIR",
        help="folder for the notebook, the figures and results.json; an earlier run of the lesson in it is "
        "replaced once this one has succeeded (default: runs/NN_slug)",
    )


def _describe_data(commands) -> None:
    data = commands.add_parser(
        "data",
        help="list, fetch and verify the real data sets",
        description="List, fetch and verify the real data sets.",
        epilog="They are kept in the folder that RNN_COURSE_DATA names, or in the user's cache folder.\n"
        "Examples:\n  rnn-course data list\n  rnn-course data fetch sst2 sms_spam\n  rnn-course data verify",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    acts = data.add_subparsers(metavar="ACTION", required=True)
    _add(acts, "list", _data_list, "list the data sets: size, cached or not, license", "rnn-course data list")
    fetch = _add(
        acts,
        "fetch",
        _data_fetch,
        "download data sets that are not cached yet, checked by their SHA-256",
        "rnn-course data fetch sst2",
    )
    fetch.add_argument("names", metavar="NAME", nargs="+", help="a data set, as `rnn-course data list` shows them")
    verify = _add(
        acts,
        "verify",
        _data_verify,
        "hold cached files against their SHA-256",
        "rnn-course data verify\nrnn-course data verify sst2",
    )
    verify.add_argument("names", metavar="NAME", nargs="*", help="a data set; all that are cached when left out")


# --- list ------------------------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace) -> int:
    from rnn_course.lessons import course_folder, find_lessons

    rows = [["no", "slug", "title", "minutes"]]
    for lesson in find_lessons():
        minutes = _minutes(course_folder() / "results" / f"{lesson.name}.json")
        rows.append([f"{lesson.number:02}", lesson.slug, lesson.plain_title, minutes])
    _print_table(rows)
    return 0


def _minutes(path: Path) -> str:
    return f"{json.loads(path.read_text(encoding='utf-8'))['minutes']:.1f}" if path.is_file() else "–"


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


# --- run -------------------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    from rnn_course.lessons import LessonError, find_lesson

    try:
        lesson = find_lesson(arguments.lesson)
        parameters = _parameters(arguments, lesson)
    except ValueError as error:
        raise UsageError(error) from error
    out = Path(arguments.out or Path("runs") / lesson.name)
    _refuse_foreign_folder(out, lesson.name)
    try:
        with _work_folder(out) as work:
            execution = _execute(lesson, parameters, work)
            _save_run(execution, lesson.name, work)
            _put_in_place(work, out)
    except LessonError as error:
        return _complain(f"{error}\n{_keep_failed(error.notebook, lesson.name, out)}", FAILED)
    except OSError as error:
        return _complain(f"the run could not be saved in {out}: {error}", FAILED)
    _report(lesson, execution, out)
    return 0


def _parameters(arguments: argparse.Namespace, lesson) -> dict[str, object]:
    """Collect what the options change, refusing what the lesson does not know."""
    from rnn_course.data.registry import data_sets
    from rnn_course.lessons import build_notebook, inject_parameters

    parameters = {"FAST": True} if arguments.fast else {}
    if arguments.source is not None:
        known = ["auto", "sample", *data_sets()]
        if arguments.source not in known:
            raise ValueError(f"There is no data source {arguments.source!r}. Pass one of: {', '.join(known)}.")
        parameters["SOURCE"] = arguments.source
    inject_parameters(build_notebook(lesson.path), parameters)
    return parameters


def _refuse_foreign_folder(out: Path, name: str) -> None:
    """Stop before replacing a folder that holds anything but an earlier run of this lesson."""
    if out.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise UsageError(f"{out} is the folder you are in, or holds it; a run needs a folder of its own.")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file; pass --out a folder.")
    ours = re.compile(rf"{name}(\.failed)?\.ipynb|results\.json|figure_\d+_\w+\.png|files")
    foreign = sorted(path.name for path in out.iterdir() if not ours.fullmatch(path.name))
    if foreign:
        raise UsageError(f"{out} holds {foreign[0]!r}, which no run of {name} has left; pass --out a new folder.")


@contextmanager
def _work_folder(out: Path) -> Iterator[Path]:
    """Make a hidden folder beside `out`; whatever is still in it at the end goes."""
    parents = [parent for parent in out.absolute().parents if not parent.exists()]
    work = out.absolute().with_name(f".{out.name}-{os.getpid()}")
    (work / "files").mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for parent in parents:  # made for nothing, if the run has left nothing
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _execute(lesson, parameters: dict[str, object], work: Path):
    """Run the lesson in `work/files`, so that what a lesson writes is found beside its notebook."""
    from rnn_course.lessons import build_notebook, execute

    notebook = build_notebook(lesson.path)
    with ProgressLine(sys.stderr) as progress:
        return execute(notebook, parameters=parameters, progress=progress, cwd=work / "files")


class ProgressLine:
    """Shows how far a run is: one line that is redrawn on a terminal, a line per cell elsewhere."""

    def __init__(self, stream):
        """Write to `stream`, an open text file."""
        self.stream = stream
        self.redraws = stream.isatty()

    def __enter__(self):
        """Begin; nothing is written yet."""
        return self

    def __exit__(self, *reason) -> None:
        """Take the redrawn line away."""
        if self.redraws:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()

    def __call__(self, progress) -> None:
        """Show a `CellProgress`: the cell's number, its section, its seconds."""
        width = len(str(progress.total))
        place = f"[{progress.position:{width}}/{progress.total}]"
        line = f"{place} {progress.heading}  {progress.seconds:.0f} s"
        if self.redraws:
            room = shutil.get_terminal_size().columns - 1
            self.stream.write(f"\r\x1b[2K{line[:room]}")
            self.stream.flush()
        elif progress.done:
            print(line, file=self.stream, flush=True)


def _save_run(execution, name: str, work: Path) -> None:
    import nbformat

    from rnn_course.lessons import figures

    nbformat.write(execution.notebook, work / f"{name}.ipynb")
    for number, (section, png) in enumerate(figures(execution.notebook), start=1):
        (work / f"figure_{number:02}_{section}.png").write_bytes(png)
    (work / "results.json").write_text(json.dumps(execution.results, indent=2) + "\n", encoding="utf-8")
    if not any((work / "files").iterdir()):
        (work / "files").rmdir()


def _put_in_place(work: Path, out: Path) -> None:
    """Move the finished run to its place, and an earlier one out of it, or change nothing."""
    out = out.resolve()
    earlier = work.with_name(f"{work.name}-earlier")
    if out.exists():
        os.replace(out, earlier)
    try:
        os.replace(work, out)
    except BaseException:
        if earlier.exists():
            os.replace(earlier, out)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _keep_failed(notebook, name: str, out: Path) -> str:
    import nbformat

    kept, part = out / f"{name}.failed.ipynb", out / f".{name}-{os.getpid()}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, part)
        os.replace(part, kept)
    except OSError as error:
        return f"What was executed until then could not be kept in {out}: {error}"
    return f"What was executed until then is in {kept}."


def _report(lesson, execution, out: Path) -> None:
    from rnn_course.lessons import compare, figures, show_figure

    rows = [["metric", "model", "baseline", "published"]]
    for row in compare(execution.results):
        cells = ((row.model, row.spread), (row.baseline, row.baseline_spread), (row.published, None))
        rows.append([row.metric, *(show_figure(row.metric, value, spread) for value, spread in cells)])
    source = execution.results["source"]
    known = " (the small one that comes with the course, not the real data)" if source == "sample" else ""
    pictures = len(figures(execution.notebook))
    print(f"{lesson.number:02}. {lesson.plain_title}\n")
    _print_table(rows)
    print(f"\nData: {source}{known}. Time: {execution.seconds / 60:.1f} minutes.")
    print(f"In {out}: {lesson.name}.ipynb, results.json and {pictures} figure{'' if pictures == 1 else 's'}.")


# --- lab -------------------------------------------------------------------------------------------------------


def _lab(arguments: argparse.Namespace) -> int:
    from importlib.util import find_spec

    from rnn_course.lessons import course_folder

    notebooks = course_folder() / "notebooks"
    if not notebooks.is_dir():
        return _complain("the notebooks are not in the installed package; run this in a clone of the course.", FAILED)
    if find_spec("jupyterlab") is None:
        return _complain('JupyterLab is not installed; `pip install "rnn-course[lab]"` adds it.', FAILED)
    options = ["--no-browser"] if arguments.no_browser else []
    command = [sys.executable, "-m", "jupyterlab", str(notebooks), *options, *arguments.rest]
    return _wait_for(subprocess.Popen(command))


def _wait_for(process: subprocess.Popen) -> int:
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # JupyterLab gets it too, and asks whether it is meant
            continue


# --- data ------------------------------------------------------------------------------------------------------


def _data_list(arguments: argparse.Namespace) -> int:
    from rnn_course.data.cache import cache_directory
    from rnn_course.data.registry import data_sets

    cached = _cached_data()
    rows = [["name", "MB", "cached", "license"]]
    for name, chosen in data_sets().items():
        rows.append([name, f"{chosen.bytes / 1e6:.1f}", "yes" if name in cached else "no", chosen.license])
    _print_table(rows)
    print(f"\nCache: {cache_directory()}")
    return 0


def _cached_data() -> list[str]:
    """Name the data sets whose files all lie in the cache."""
    from rnn_course.data.cache import status
    from rnn_course.data.registry import data_sets

    return [name for name in data_sets() if all(found.state == "cached" for found in status(name))]


def _data_fetch(arguments: argparse.Namespace) -> int:
    from rnn_course.data.cache import DataError, fetch

    _refuse_unknown_data(arguments.names)
    code = 0
    for name in arguments.names:
        try:
            paths = fetch(name)
        except DataError as error:
            code = _complain(f"{name}: {error}", FAILED)
        else:
            print(f"{name}: {len(paths)} file{'' if len(paths) == 1 else 's'} ready")
    return code


def _data_verify(arguments: argparse.Namespace) -> int:
    from rnn_course.data.cache import status, verify
    from rnn_course.data.registry import data_sets

    _refuse_unknown_data(arguments.names)
    cached = [name for name in data_sets() if any(found.state != "missing" for found in status(name))]
    code = 0
    for name in arguments.names or cached:
        for found in verify(name):
            print(f"{found.state:9} {name}/{found.file.path}{found.detail and ': ' + found.detail}")
            code = code if found.state == "verified" else FAILED
    if not arguments.names and not cached:
        print("No data set is cached; `rnn-course data fetch NAME` gets one.")
    return code


def _refuse_unknown_data(names: Sequence[str]) -> None:
    from rnn_course.data.registry import data_set

    for name in names:
        try:
            data_set(name)
        except ValueError as error:
            raise UsageError(error) from error


# --- doctor ----------------------------------------------------------------------------------------------------


def _doctor(arguments: argparse.Namespace) -> int:
    checks = {
        "packages": (_check_packages, 'Install again: `pip install "rnn-course"`, or `uv run rnn-course doctor`.'),
        "lessons": (_check_lessons, "Install the package again, or clone the repository again."),
        "keras": (_check_keras, "Install again; if a GPU driver is in the way, set CUDA_VISIBLE_DEVICES=-1."),
        "cache": (_check_cache, "Set RNN_COURSE_DATA to a folder that you may write to."),
        "training": (_check_training, "Keras starts but cannot train; install tensorflow and keras again."),
    }
    broken = 0
    for name, (check, advice) in checks.items():
        try:
            print(f"ok      {name:9} {check()}", flush=True)
        except Exception as error:  # whatever is broken is what the doctor is to report
            broken += 1
            print(f"BROKEN  {name:9} {type(error).__name__}: {error}\n{'':18}{advice}", flush=True)
    print("All is well." if not broken else f"{broken} of {len(checks)} checks failed.")
    return FAILED if broken else 0


def _check_packages() -> str:
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement

    wanted = [Requirement(line) for line in requires("rnn-course") or []]
    for requirement in wanted:
        if requirement.marker is None and version(requirement.name) not in requirement.specifier:
            raise RuntimeError(f"{requirement.name} is {version(requirement.name)}, needed is {requirement.specifier}")
    shown = ("tensorflow", "keras", "numpy", "matplotlib", "rnn-course")
    return ", ".join([f"python {sys.version.split()[0]}", *(f"{name} {version(name)}" for name in shown)])


def _check_lessons() -> str:
    from rnn_course.lessons import course_folder, find_lessons

    lessons = find_lessons()
    if not lessons:
        raise RuntimeError(f"{course_folder() / 'lessons'} holds no lesson")
    return f"{len(lessons)} in {course_folder() / 'lessons'}"


def _check_keras() -> str:
    from rnn_course.lessons import machine_size

    with _quiet_stderr():
        import keras

        devices = ", ".join(keras.distribution.list_devices())
    backend = keras.backend.backend()
    tested = "" if backend == "tensorflow" else " (the course is tested on tensorflow)"
    machine = machine_size()
    return f"backend {backend}{tested} on {devices}; {machine['cores']} cores, {machine['memory_gib']} GiB memory"


def _check_cache() -> str:
    from rnn_course.data.cache import cache_directory

    folder = cache_directory()
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    cached = _cached_data()
    if not writable and not cached:
        raise RuntimeError(f"{folder} cannot be written and holds no data set")
    return f"{folder}, {'writable' if writable else 'read-only'}; cached: {', '.join(cached) or 'nothing yet'}"


def _check_training() -> str:
    import numpy as np

    start = time.perf_counter()
    with _quiet_stderr():
        from keras import Sequential, layers

        model = Sequential([layers.Input((10, 3)), layers.LSTM(8), layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        before = [weight.copy() for weight in model.get_weights()]
        loss = model.train_on_batch(np.ones((4, 10, 3), "float32"), np.ones((4, 1), "float32"))
    changed = any((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    if not (np.isfinite(loss) and changed):
        raise RuntimeError(f"one step gave the loss {loss} and {'changed' if changed else 'left'} the weights")
    return f"one step of a small LSTM, compiled and run in {time.perf_counter() - start:.1f} s"


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Keep what compiled code logs away from the terminal, and show it if the block fails.

    TensorFlow writes its start-up lines past Python, to file descriptor 2, and has no switch for all of them.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        terminal = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)


if __name__ == "__main__":
    sys.exit(main())
