"""Build, check and tabulate the notebooks.

    python tools/notebooks.py build        execute every lesson in full and write notebooks/ and results/
    python tools/notebooks.py build 06     the same for one
    python tools/notebooks.py prose 06     put changed prose beside the last outputs; refused where code changed
    python tools/notebooks.py check        prove that notebooks/, results/ and README.md belong to lessons/
    python tools/notebooks.py table        rewrite the lesson table of README.md from results/

A lesson is edited in lessons/; notebooks/ and results/ are derived from it and are never edited. Build with the real
data at hand: fetched (`rnn-course data fetch`), or in the folder that RNN_COURSE_DATA names.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rnn_course import __version__
from rnn_course.cli import ProgressLine
from rnn_course.lessons import (
    Execution,
    Lesson,
    LessonError,
    build_notebook,
    colab_link,
    compare,
    default_parameters,
    execute,
    find_lesson,
    find_lessons,
    machine_places,
    machine_size,
    read_results,
    show_figure,
    source_hash,
)
from rnn_course.whole_files import written_whole

ROOT = Path(__file__).resolve().parents[1]
LARGEST_NOTEBOOK = 1_000_000  # bytes
PACKAGES = ("tensorflow", "keras", "numpy", "matplotlib", "scikit-learn", "rnn-course")
INSTALL = re.compile(r"^ +%pip install .*$", re.MULTILINE)
TABLE = re.compile(r"(<!-- lessons:begin -->\n).*?(<!-- lessons:end -->)", re.DOTALL)


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Run one of the four commands on the course in `root`; return the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        return arguments.act(arguments, root)
    except (LessonError, ValueError) as error:
        print(f"notebooks: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"notebooks: {error}; what was there before is as it was. Make room and build again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("notebooks: interrupted; nothing half-written was left behind.", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="execute lessons in full and write what is derived from them")
    build.add_argument("lessons", nargs="*", metavar="NN", help="numbers or slugs; every lesson when left out")
    build.add_argument("--allow-sample", action="store_true", help="accept a run on the bundled sample")
    build.set_defaults(act=run_build)
    prose = commands.add_parser("prose", help="take over changed prose without a run")
    prose.add_argument("lessons", nargs="+", metavar="NN", help="numbers or slugs")
    prose.set_defaults(act=run_prose)
    commands.add_parser("check", help="compare what is derived with its source").set_defaults(act=run_check)
    commands.add_parser("table", help="rewrite the README's table").set_defaults(act=run_table)
    return parser


def source_of(lesson: Lesson) -> Any:
    """A lesson's notebook without outputs, as it is published: with the link that opens it in Colab."""
    return build_notebook(lesson.path, link=colab_link(lesson.name, __version__))


def notebook_path(lesson: Lesson, root: Path) -> Path:
    return root / "notebooks" / f"{lesson.name}.ipynb"


def results_path(lesson: Lesson, root: Path) -> Path:
    return root / "results" / f"{lesson.name}.json"


def picture_path(lesson: Lesson, root: Path) -> Path:
    return root / "notebooks" / f"{lesson.name}.png"


# --- build -----------------------------------------------------------------------------------------------------


def run_build(arguments: argparse.Namespace, root: Path) -> int:
    folder = root / "lessons"
    chosen = [find_lesson(name, folder) for name in arguments.lessons] or find_lessons(folder)
    faults = []
    for lesson in chosen:
        build(lesson, root, allow_sample=arguments.allow_sample)
        faults += [f"{lesson.name}: {fault}" for fault in faults_of_lesson(lesson, root)]
    if TABLE.search(_read(root / "README.md")):
        run_table(arguments, root)
    return _tell(faults)


def build(lesson: Lesson, root: Path, *, allow_sample: bool = False) -> None:
    """Execute one lesson in full, then write its notebook and its results."""
    source = source_of(lesson)
    print(f"{lesson.name}: running", file=sys.stderr)
    with tempfile.TemporaryDirectory() as scratch, ProgressLine(sys.stderr) as progress:
        execution = execute(source, progress=progress, cwd=Path(scratch))
    if execution.results["source"] == "sample" and not allow_sample:
        raise ValueError(
            f"{lesson.name} ran on the bundled sample, not on the real data, and was not written. "
            "Fetch the data (`rnn-course data fetch`) or set RNN_COURSE_DATA; --allow-sample writes it all the same."
        )
    _write(notebook_path(lesson, root), serialize(execution, source))
    _write(results_path(lesson, root), json.dumps(record(execution, source), indent=2, ensure_ascii=False) + "\n")
    picture = tagged_picture(execution.notebook)
    if picture is not None:
        _write(picture_path(lesson, root), picture)
    print(f"{lesson.name}: written after {execution.seconds / 60:.1f} minutes", file=sys.stderr)


def serialize(execution: Execution, source: Any) -> str:
    """Write an executed notebook as text, sealed with the hashes of its source and of its outputs."""
    import nbformat

    notebook = json.loads(nbformat.writes(execution.notebook))
    notebook["metadata"]["rnn_course"] = {
        "outputs_sha256": outputs_hash(notebook),
        "results": execution.results,
        "source_sha256": source_hash(source),
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def run_prose(arguments: argparse.Namespace, root: Path) -> int:
    chosen = [find_lesson(name, root / "lessons") for name in arguments.lessons]
    for lesson in chosen:
        _write(notebook_path(lesson, root), with_prose(lesson, root))
    return _tell([f"{lesson.name}: {fault}" for lesson in chosen for fault in faults_of_lesson(lesson, root)])


def with_prose(lesson: Lesson, root: Path) -> str:
    """The notebook of a lesson with the prose that the lesson has now, and the outputs that it had."""
    import nbformat

    path, source = notebook_path(lesson, root), source_of(lesson)
    again = f"run `python tools/notebooks.py build {lesson.number:02}`"
    if not path.is_file():
        raise ValueError(f"{lesson.name} has no notebook whose outputs could be kept; {again}.")
    notebook = _read_notebook(path, again)
    if notebook["metadata"].get("rnn_course", {}).get("outputs_sha256") != outputs_hash(notebook):
        raise ValueError(f"{lesson.name}: the outputs were changed after the run and are not kept; {again}.")
    cells = json.loads(nbformat.writes(source))["cells"]
    new, old = (list(filter(_is_code, part)) for part in (cells, notebook["cells"]))
    if [_meaning(cell) for cell in new] != [_meaning(cell) for cell in old]:
        raise ValueError(f"{lesson.name}: its code is not the code that was run, so its outputs are old; {again}.")
    for cell, executed in zip(new, old, strict=True):
        cell.update({name: executed[name] for name in ("outputs", "execution_count")})
    notebook["cells"] = cells
    notebook["metadata"]["rnn_course"] |= {
        "outputs_sha256": outputs_hash(notebook),
        "source_sha256": source_hash(source),
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _is_code(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code"


def _meaning(cell: dict[str, Any]) -> tuple[str, list[str]]:
    """What of a code cell decides on its outputs: not what it would install where the course is missing."""
    return INSTALL.sub("", "".join(cell["source"])), sorted(cell["metadata"].get("tags", []))


def tagged_picture(notebook: dict[str, Any]) -> bytes | None:
    """The figure of the cell tagged `picture`, as PNG, for pages that show one picture of the lesson; or None."""
    for cell in notebook["cells"]:
        if "picture" in cell["metadata"].get("tags", ()):
            shown = [output.get("data", {}) for output in cell["outputs"]]
            return base64.b64decode(next("".join(data["image/png"]) for data in shown if "image/png" in data))
    return None


def outputs_hash(notebook: dict[str, Any]) -> str:
    outputs = [cell.get("outputs", []) for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(outputs, sort_keys=True).encode()).hexdigest()


def record(execution: Execution, source: Any) -> dict[str, Any]:
    """Add to a run's results what someone needs to repeat it."""
    from importlib.metadata import version

    parameters = default_parameters(source)
    conditions = {
        "seeds": parameters.get("SEEDS", parameters.get("SEED")),
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}},
        "machine": machine_size(),
    }
    return {**execution.results, **{k: v for k, v in conditions.items() if k not in execution.results}}


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with written_whole(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


# --- check -----------------------------------------------------------------------------------------------------


def run_check(arguments: argparse.Namespace, root: Path) -> int:
    return _tell(check(root))


def _tell(faults: Sequence[str]) -> int:
    for fault in faults:
        print(fault)
    if not faults:
        print("notebooks/, results/ and README.md are in step with lessons/.")
    return 1 if faults else 0


def check(root: Path = ROOT) -> list[str]:
    """Say everything that is not as it should be; nothing is executed.

    Args:
        root: the folder that holds `lessons/`, `notebooks/`, `results/` and `README.md`.

    Returns:
        One sentence a fault, with the file it is in; empty when all is well.
    """
    lessons = find_lessons(root / "lessons")
    faults = [f"{lesson.name}: {fault}" for lesson in lessons for fault in faults_of_lesson(lesson, root)]
    return faults + list(_orphans(lessons, root)) + list(_faults_of_table(lessons, root))


def faults_of_lesson(lesson: Lesson, root: Path) -> list[str]:
    again = f"run `python tools/notebooks.py build {lesson.number:02}`"
    path = notebook_path(lesson, root)
    if not path.is_file():
        return [f"there is no notebook; {again}"]
    notebook = _read_notebook(path, again)
    faults = list(_faults_of_source(notebook, source_of(lesson), again))
    faults += _faults_of_outputs(notebook, again)
    faults += _faults_of_results(notebook, results_path(lesson, root), again)
    picture, kept = tagged_picture(notebook), picture_path(lesson, root)
    if picture != (kept.read_bytes() if kept.is_file() else None):
        faults.append(f"notebooks/{kept.name} is not the notebook's tagged picture; {again}")
    size = path.stat().st_size
    if size > LARGEST_NOTEBOOK:
        faults.append(f"the notebook has {size:,} bytes, more than {LARGEST_NOTEBOOK:,}; draw smaller figures")
    return faults


def _faults_of_source(notebook: dict[str, Any], source: Any, again: str) -> Iterator[str]:
    found = [(cell["cell_type"], "".join(cell["source"]), cell["id"]) for cell in notebook["cells"]]
    wanted = [(cell.cell_type, cell.source, cell.id) for cell in source.cells]
    if found != wanted:
        pairs = enumerate(zip(found, wanted, strict=False), start=1)
        first = next((i for i, (left, right) in pairs if left != right), min(len(found), len(wanted)) + 1)
        yield f"the notebook is stale: from cell {first} on it is not what the lesson says; {again}"
    if notebook["metadata"].get("rnn_course", {}).get("source_sha256") != source_hash(source):
        yield f"the notebook was executed from another version of the lesson; {again}"


def _faults_of_outputs(notebook: dict[str, Any], again: str) -> Iterator[str]:
    if notebook["metadata"].get("rnn_course", {}).get("outputs_sha256") != outputs_hash(notebook):
        yield f"the outputs were changed after the run; {again}"
    for number, cell in enumerate(notebook["cells"], start=1):
        for fault in _faults_of_cell(cell):
            yield f"cell {number} {fault}"


def _faults_of_cell(cell: dict[str, Any]) -> Iterator[str]:
    if "execution" in cell["metadata"]:
        yield "carries the times of its execution"
    if cell["cell_type"] != "code":
        return
    if "".join(cell["source"]).strip() and cell["execution_count"] is None:
        yield "was not executed"
    for output in cell["outputs"]:
        if output["output_type"] == "error":
            yield f"failed: {output['ename']}"
        if output.get("name") == "stderr":
            yield f"has output on stderr: {_excerpt(''.join(output['text']))}"
        if any("widget" in kind for kind in output.get("data", {})):
            yield "shows a widget, which is dead without its kernel"
        yield from (f"shows {debris}" for debris in debris_in(_text_of(output)))


def _text_of(output: dict[str, Any]) -> str:
    data = (value for kind, value in output.get("data", {}).items() if kind.startswith("text/") or "svg" in kind)
    parts = [output.get("text", ""), *data, output.get("traceback", "")]
    return re.sub(r"data:[\w/+.-]+;base64,[\w+/=]+", "", "\n".join("".join(part) for part in parts))


# No pattern begins with a repetition: an output may be one line of a megabyte.
DEBRIS = {
    "a path of the machine": re.compile(
        r"(?<![\w.:/])/(?:home|root|Users|tmp|var|opt|mnt|private|usr|srv)/\w[^\s'\"<]*"
        r"|\b[A-Z]:\\Users\\[^\s'\"<]*"
    ),
    "a memory address": re.compile(r"\bat 0x[0-9a-fA-F]{6,}"),
    "a warning": re.compile(r"Warning: .*|^WARNING.*", re.MULTILINE),
    "a log line": re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.,]\d{3,}: ?\w .*"),
    "what a progress bar left": re.compile(r"[\r\x08].*|\d%\|.*|━{4}.*|\d/\d+ \[=.*"),
    "terminal codes": re.compile(r"\x1b\[.*"),
}


def debris_in(text: str) -> Iterator[str]:
    """Name what in an output is no result, with an excerpt."""
    for name, pattern in DEBRIS.items():
        match = pattern.search(text)
        if match:
            yield f"{name}: {_excerpt(match[0])}"
    for place in machine_places():
        if re.search(rf"(?<![\w/]){re.escape(place)}(?!\w)", text):
            yield f"a folder of this machine: {place}"


def _excerpt(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return repr(line if len(line) <= 80 else f"{line[:79]}…")


def _faults_of_results(notebook: dict[str, Any], path: Path, again: str) -> Iterator[str]:
    if not path.is_file():
        yield f"there is no {path.parent.name}/{path.name}; {again}"
        return
    saved = read_results(path)
    measured = notebook["metadata"].get("rnn_course", {}).get("results", {})
    differing = sorted(name for name in measured if name not in saved or saved[name] != measured[name])
    unknown = sorted(set(saved) - set(measured) - {"seeds", "versions", "machine"})
    if differing or unknown:
        names = ", ".join(differing + unknown)
        yield f"{path.parent.name}/{path.name} does not hold what the notebook measured ({names}); {again}"
    missing = [name for name in ("minutes", "source", "seeds", "versions", "machine") if name not in saved]
    if missing:
        yield f"{path.parent.name}/{path.name} lacks {', '.join(missing)}; {again}"


def _orphans(lessons: Sequence[Lesson], root: Path) -> Iterator[str]:
    names = {lesson.name for lesson in lessons}
    for path in [*root.glob("notebooks/*.ipynb"), *root.glob("notebooks/*.png"), *root.glob("results/*.json")]:
        if path.stem not in names:
            yield f"{path.parent.name}/{path.name} belongs to no lesson; remove it"


# --- table -----------------------------------------------------------------------------------------------------


def run_table(arguments: argparse.Namespace, root: Path) -> int:
    readme = root / "README.md"
    text = _read(readme)
    if not TABLE.search(text):
        raise ValueError("README.md has no lines <!-- lessons:begin --> and <!-- lessons:end --> to put the table in.")
    _write(readme, _with_table(text, find_lessons(root / "lessons"), root))
    return 0


def _faults_of_table(lessons: Sequence[Lesson], root: Path) -> Iterator[str]:
    text = _read(root / "README.md")
    if lessons and not TABLE.search(text):
        yield "README.md: no lines <!-- lessons:begin --> and <!-- lessons:end --> for the table of lessons"
    elif text != _with_table(text, lessons, root):
        yield "README.md: the table of lessons is out of step; run `python tools/notebooks.py table`"


def _with_table(text: str, lessons: Sequence[Lesson], root: Path) -> str:
    table = lesson_table(lessons, root)
    return TABLE.sub(lambda match: match[1] + table + match[2], text)


def lesson_table(lessons: Sequence[Lesson], root: Path) -> str:
    """Write the README's table: one row a lesson, with the first of its metrics that has a baseline."""
    rows = ["| no | lesson | minutes | measured | model | baseline | published |", "|---|---|---|---|---|---|---|"]
    for lesson in lessons:
        path = results_path(lesson, root)
        results = read_results(path) if path.is_file() else {}
        minutes = f"{results['minutes']:.1f}" if "minutes" in results else "–"
        link = f"[{lesson.title}](notebooks/{lesson.name}.ipynb)"
        rows.append(f"| {lesson.number:02} | {link} | {minutes} | {' | '.join(_headline(results))} |")
    return "\n".join([*rows, "", _conditions(lessons, root)]) + "\n"


def _conditions(lessons: Sequence[Lesson], root: Path) -> str:
    """Say on what machine the minutes of the table were measured, and what its ± is."""
    paths = [results_path(lesson, root) for lesson in lessons]
    machines = [read_results(path).get("machine", {}) for path in paths if path.is_file()]
    sizes = sorted({f"{machine['cores']} cores and {machine['memory_gib']} GiB" for machine in machines if machine})
    return f"Minutes on {' or '.join(sizes) or 'no machine yet'}; ± is the standard deviation over the seeds."


def _headline(results: dict[str, Any]) -> list[str]:
    rows = [row for row in compare(results) if row.model is not None]
    if not rows:
        return ["–"] * 4
    first = rows[0]
    return [
        first.metric.replace("_", " "),
        show_figure(first.metric, first.model, first.spread),
        show_figure(first.metric, first.baseline, first.baseline_spread),
        show_figure(first.metric, first.published),
    ]


def _read_notebook(path: Path, again: str) -> dict[str, Any]:
    try:
        notebook = json.loads(_read(path))
        [(cell["cell_type"], cell["metadata"], cell["source"], cell["id"]) for cell in notebook["cells"]]
        notebook["metadata"].get("rnn_course", {})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path.parent.name}/{path.name} is damaged ({error!r}); {again}.") from error
    return notebook


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
