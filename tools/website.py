"""Build the course as a site that needs no network: the lessons as they were executed, and a reference to search.

    uv run --extra docs python tools/website.py            into docs/_build/html; open its index.html
    uv run --extra docs python tools/website.py elsewhere  into elsewhere/html

What is written by hand is in docs/ and in README.md. The reference comes from the docstrings: a page for every room of
the package, a section for every module of the room, and in it what the room's `__all__` names.
"""

import argparse
import ast
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
ROOM = re.compile(r"^    (\w+) +(.+)$", re.MULTILINE)  # a line of the package's docstring
SHOWN_FILES = ("README.md", "notebooks/*.ipynb", "notebooks/*.png", "benchmarks/*.png")
SHOWN_MODULES = {"exercises": ("exercise",)}  # the others hold what a learner is asked for


def main(argv: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Write the sources of the site, build it and look it over; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=root / "docs" / "_build", help="where to write")
    folder = parser.parse_args(argv).folder
    try:
        from sphinx.cmd.build import main as sphinx
    except ImportError:
        print("website: Sphinx is missing; run `uv run --extra docs python tools/website.py`.", file=sys.stderr)
        return 1
    shutil.rmtree(folder / "html", ignore_errors=True)
    write_sources(root, folder / "source")
    code = sphinx(["-q", "-W", "-E", "-d", str(folder / "cache"), str(folder / "source"), str(folder / "html")])
    faults = list(faults_of_site(folder / "html"))
    for fault in faults:
        print(f"website: {fault}", file=sys.stderr)
    if not code and not faults:
        print(f"Written: {folder / 'html' / 'index.html'}")
    return code or int(bool(faults))


# --- the sources -----------------------------------------------------------------------------------------------


def write_sources(root: Path, folder: Path) -> None:
    """Lay out what Sphinx reads: the pages of docs/, README.md, the notebooks and a page for every room."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "docs", folder, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    for name in SHOWN_FILES:
        for path in sorted(root.glob(name)):
            (folder / path.relative_to(root)).parent.mkdir(exist_ok=True)
            shutil.copy(path, folder / path.relative_to(root))
    (folder / "reference").mkdir()
    rooms = find_rooms(root / "rnn_course")
    for name, text in {"index": reference_index(rooms), **{room: page(root, room) for room in rooms}}.items():
        (folder / "reference" / f"{name}.rst").write_text(text, encoding="utf-8")


def find_rooms(package: Path) -> dict[str, str]:
    """List the rooms of the package and what is in them, as its docstring does.

    Args:
        package: the folder of the package.

    Returns:
        What is in each room, by its name, in the order of the docstring.

    Raises:
        ValueError: the docstring leaves a room out or names one that is not there.
    """
    told = dict(ROOM.findall(ast.get_docstring(_syntax(package / "__init__.py"), clean=False) or ""))
    there = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    differing = sorted(set(told) ^ (there - {"__init__"}))
    if differing:
        raise ValueError(
            f"The docstring of {package.name}/__init__.py and the rooms beside it differ in {', '.join(differing)}. "
            "Give every room one line there, its name and what is in it."
        )
    return told


def reference_index(rooms: dict[str, str]) -> str:
    lines = [f"* :doc:`{room} <{room}>`: {text}" for room, text in rooms.items()]
    toctree = [".. toctree::", "   :hidden:", "", *(f"   {room}" for room in rooms)]
    return "\n".join([*_heading("Reference", "="), *lines, "", *toctree, ""])


def page(root: Path, room: str) -> str:
    """Write the page of one room: its docstring, then its modules with their public names."""
    folder = root / "rnn_course" / room
    title = _heading(room, "=")
    if not folder.is_dir():
        return "\n".join([*title, *_automodule(f"rnn_course.{room}", ":members:")])
    lines = [*title, *_automodule(f"rnn_course.{room}")]
    for module in SHOWN_MODULES.get(room, ()):
        lines += [*_heading(module, "-"), *_automodule(f"rnn_course.{room}.{module}", ":members:")]
    for module, names in public_names(folder).items():
        if module != "__init__":
            lines += [*_heading(module, "-"), *_automodule(f"rnn_course.{room}.{module}")]
        lines += [f".. currentmodule:: rnn_course.{room}", ""]
        for name in names:
            members = ["   :members:"] if name.kind == "class" else []
            lines += [f".. auto{name.kind}:: {name.name}", *members, ""]
    return "\n".join(lines)


def _heading(text: str, line: str) -> list[str]:
    return [text, line * len(text), ""]


def _automodule(name: str, *options: str) -> list[str]:
    return [f".. automodule:: {name}", *(f"   {option}" for option in options), ""]


class PublicName(NamedTuple):
    """A name that a room shows, and which of Sphinx' directives fits it: `class`, `function` or `data`."""

    name: str
    kind: str


def public_names(room: Path) -> dict[str, list[PublicName]]:
    """Read off the source what a room shows, module by module.

    Args:
        room: the folder of the room.

    Returns:
        The names in the room's `__all__` by the module that defines them, in the order of their definition;
        `__init__` first, where it defines some itself, and the others as the room's docstring lists them.
    """
    tree = _syntax(room / "__init__.py")
    defined = dict(_definitions(tree))
    if "__all__" not in defined:
        return {}
    shown = set(ast.literal_eval(defined["__all__"].value))
    modules = [node.module.rpartition(".")[2] for node in tree.body if _is_from(node, f"rnn_course.{room.name}.")]
    docstring = ast.get_docstring(tree) or ""
    modules.sort(key=lambda module: docstring.find(f"`{module}`:") % sys.maxsize)  # -1, unnamed, comes last
    found = {}
    for module in ("__init__", *modules):
        names = [PublicName(name, _kind(node)) for name, node in _definitions(_syntax(room / f"{module}.py"))]
        found[module] = [name for name in names if name.name in shown]
    return {module: names for module, names in found.items() if names}


def _syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _is_from(node: ast.stmt, start: str) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith(start)


def _definitions(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((target.id, node) for target in targets if isinstance(target, ast.Name))


def _kind(node: ast.stmt) -> str:
    return {ast.ClassDef: "class", ast.FunctionDef: "function"}.get(type(node), "data")


# --- the pages -------------------------------------------------------------------------------------------------

# What a browser fetches by itself: anything but the address of a link.
FETCHED = re.compile(
    r"<(?:script|img|iframe|audio|video|source|embed|link)\b[^>]*?\b(?:src|href)\s*=\s*[\"']?((?:https?:)?//[^\s\"'>]+)"
    r"|@import\s+(?:url\()?[\"']?((?:https?:)?//[^\s\"')]+)"
    r"|url\(\s*[\"']?((?:https?:)?//[^\s\"')]+)",
    re.IGNORECASE,
)


def faults_of_site(folder: Path) -> Iterator[str]:
    """Say which pages and style sheets would fetch something from elsewhere."""
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".html", ".css")):
        for address in fetched_addresses(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(folder).as_posix()} fetches {address}; keep it in the site or leave it out"


def fetched_addresses(text: str) -> list[str]:
    """List the addresses on other machines that a page or a style sheet fetches as soon as it is shown."""
    return sorted({"".join(groups) for groups in FETCHED.findall(text)})


if __name__ == "__main__":
    sys.exit(main())
