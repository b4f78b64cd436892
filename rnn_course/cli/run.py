"""`rnn-course run`: one lesson from top to bottom, in a folder that holds a whole run or none."""

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnn_course.cli.messages import FAILED, UsageError, complain, print_table
from rnn_course.cli.progress import ProgressLine

EARLIER = "-earlier"  # ends the name of a run that makes room for a new one


def run_lesson(arguments: argparse.Namespace) -> int:
    """Run a lesson, put what it made in its folder, and print its results."""
    from rnn_course.lessons import LessonError, figures, find_lesson

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
            _show_results(lesson, execution, arguments)  # before they are saved: a full disk does not take them away
            _save_run(execution, lesson.name, work)
            put_in_place(work, out)
    except LessonError as error:
        return complain(f"{error}\n{_keep_failed(error.notebook, lesson.name, out)}", FAILED)
    except OSError as error:
        advice = "Pass --out a folder that you may write to, on a disk with room."
        return complain(f"the run could not be saved in {out}: {error}. {advice}", FAILED)
    pictures = len(figures(execution.notebook))
    print(f"In {out}: {lesson.name}.ipynb, results.json and {pictures} figure{'' if pictures == 1 else 's'}.")
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
    from rnn_course.whole_files import name_beside

    out = out.absolute()
    parents = [parent for parent in out.parents if not parent.exists()]
    _take_up_killed_runs(out)
    work = name_beside(out, "part")
    (work / "files").mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for parent in parents:  # made for nothing, if the run has left nothing
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()


def _take_up_killed_runs(out: Path) -> None:
    """Put an earlier run back that a killed one had moved out of its place, and remove what that one had begun."""
    from rnn_course.whole_files import abandoned_beside

    for left in abandoned_beside(out):
        if left.name.endswith(EARLIER) and not out.exists():
            os.replace(left, out)
        else:
            shutil.rmtree(left, ignore_errors=True)


def _execute(lesson, parameters: dict[str, object], work: Path):
    """Run the lesson in `work/files`, so that what a lesson writes is found beside its notebook."""
    from rnn_course.lessons import build_notebook, execute

    notebook = build_notebook(lesson.path)
    with ProgressLine(sys.stderr) as progress:
        return execute(notebook, parameters=parameters, progress=progress, cwd=work / "files")


def _save_run(execution, name: str, work: Path) -> None:
    import nbformat

    from rnn_course.lessons import figures

    nbformat.write(execution.notebook, work / f"{name}.ipynb")
    for number, (section, png) in enumerate(figures(execution.notebook), start=1):
        (work / f"figure_{number:02}_{section}.png").write_bytes(png)
    (work / "results.json").write_text(json.dumps(execution.results, indent=2) + "\n", encoding="utf-8")
    if not any((work / "files").iterdir()):
        (work / "files").rmdir()


def put_in_place(work: Path, out: Path) -> None:
    """Move the finished run to its place, and an earlier one out of it, or change nothing."""
    out = out.resolve()
    earlier = work.with_name(work.name + EARLIER)
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

    from rnn_course.whole_files import written_whole

    kept = out / f"{name}.failed.ipynb"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with written_whole(kept) as part:
            nbformat.write(notebook, part)
    except OSError as error:
        return f"What was executed until then could not be kept in {out}: {error}"
    return f"What was executed until then is in {kept}."


def _show_results(lesson, execution, arguments: argparse.Namespace) -> None:
    from rnn_course.lessons import compare, show_figure

    rows = [["metric", "model", "baseline", "published"]]
    for row in compare(execution.results):
        cells = ((row.model, row.spread), (row.baseline, row.baseline_spread), (row.published, None))
        rows.append([row.metric, *(show_figure(row.metric, value, spread) for value, spread in cells)])
    source = execution.results["source"]
    why = "" if arguments.source == "sample" else "; the notebook says why"
    known = f" (the small one that comes with the course, not the real data{why})" if source == "sample" else ""
    small = " A small run (--fast): its figures are no result." if arguments.fast else ""
    print(f"{lesson.number:02}. {lesson.plain_title}\n")
    print_table(rows)
    print(f"\nData: {source}{known}. Time: {execution.seconds / 60:.1f} minutes.{small}", flush=True)
