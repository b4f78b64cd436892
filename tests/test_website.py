"""The site shows the whole course, needs no network, and is made without anything being written twice."""

import ast
import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import rnn_course

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load_tool():
    spec = importlib.util.spec_from_file_location("website_tool", ROOT / "tools" / "website.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The folder that Sphinx would read."""
    folder = tmp_path_factory.mktemp("site") / "source"
    tool.write_sources(ROOT, folder)
    return folder


@pytest.fixture
def package(tmp_path):
    """A small package with a room in one file and a room with two modules."""
    texts = {
        "__init__": '"""A course.\n\n    words   texts -> words\n    probes  a model -> arrays\n"""\n',
        "words": '"""Words."""\n',
        "probes/__init__": (
            '"""Probes.\n\n* `states`: what a layer holds.\n"""\n'
            "from rnn_course.probes.gates import Gate, open_gate\n"
            "from rnn_course.probes.states import trace\n"
            '__all__ = ["HERE", "Gate", "open_gate", "trace"]\nHERE = 1\n'
        ),
        "probes/gates": "def open_gate(): ...\ndef hidden(): ...\nclass Gate: ...\n",
        "probes/states": "def trace(): ...\n",
    }
    for name, text in texts.items():
        path = tmp_path / "rnn_course" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Course\n", encoding="utf-8")
    return tmp_path / "rnn_course"


# --- the course itself -----------------------------------------------------------------------------------------


def test_every_room_of_the_package_has_its_page_and_a_line_in_the_list(sources):
    rooms = {module.name for module in pkgutil.iter_modules(rnn_course.__path__)}
    pages = {path.stem: path.read_text(encoding="utf-8") for path in (sources / "reference").iterdir()}
    index = pages.pop("index")
    assert set(pages) == rooms
    assert all(f"* :doc:`{room} <{room}>`: " in index and f"\n   {room}\n" in index for room in rooms)
    assert all(f".. automodule:: rnn_course.{room}\n" in pages[room] for room in rooms)


def test_the_readme_names_every_room():
    named = re.findall(r"`rnn_course/(\w+)(?:\.py|/)`", README.partition("## The rooms")[2])
    assert sorted(named) == sorted(module.name for module in pkgutil.iter_modules(rnn_course.__path__))


@pytest.mark.parametrize("room", sorted({path.parent.name for path in (ROOT / "rnn_course").glob("*/__init__.py")}))
def test_every_public_name_of_a_room_stands_on_its_page_once(sources, room):
    source = (ROOT / "rnn_course" / room / "__init__.py").read_text(encoding="utf-8")
    public = re.search(r"^__all__ = (\[.*?\])", source, re.MULTILINE | re.DOTALL)
    page = (sources / "reference" / f"{room}.rst").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. auto(?:class|function|data):: (\w+)$", page, re.MULTILINE)
    assert sorted(shown) == sorted(ast.literal_eval(public[1]) if public else [])
    assert public or room == "exercises"


def test_the_page_of_the_exercises_shows_how_one_is_made_and_no_answers(sources):
    page = (sources / "reference" / "exercises.rst").read_text(encoding="utf-8")
    assert page.count("automodule::") == 2
    assert ".. automodule:: rnn_course.exercises.exercise\n   :members:\n" in page


def test_every_notebook_is_shown_and_listed(sources):
    listed = (sources / "lessons.md").read_text(encoding="utf-8").partition("```{toctree}")[2]
    pattern = re.search(r"^notebooks/\S+$", listed, re.MULTILINE)[0]
    assert ":glob:" in listed
    shown = sorted(path for path in sources.glob(pattern) if path.suffix == ".ipynb")
    notebooks = sorted((ROOT / "notebooks").glob("*.ipynb"))
    assert [path.name for path in shown] == [path.name for path in notebooks]
    assert all(copy.read_bytes() == path.read_bytes() for copy, path in zip(shown, notebooks, strict=True))


def test_what_the_pages_take_from_the_readme_is_found_there_once(sources):
    pages = [path.read_text(encoding="utf-8") for path in sources.glob("*.md") if path.name != "README.md"]
    mark = re.compile(r'^:(?:start-after|end-before): "(.+)"$', re.MULTILINE)
    marks = [found for page in pages for found in mark.findall(page)]
    assert len(marks) == 5
    assert {found: README.count(f"\n{found}\n") for found in marks} == dict.fromkeys(marks, 1)


def test_every_picture_and_notebook_that_the_readme_shows_is_in_the_site(sources):
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README.partition("## The rooms")[0]) if "://" not in link]
    assert links
    assert [link for link in links if not (sources / link).is_file()] == []


# --- how the pages are made ------------------------------------------------------------------------------------


def test_a_room_is_shown_module_by_module_as_its_docstring_lists_them(package):
    page = tool.page(package.parent, "probes")
    directives = re.findall(r"^\.\. (\w+):: (\S+)$", page, re.MULTILINE)
    assert directives == [
        ("automodule", "rnn_course.probes"),
        ("currentmodule", "rnn_course.probes"),
        ("autodata", "HERE"),
        ("automodule", "rnn_course.probes.states"),
        ("currentmodule", "rnn_course.probes"),
        ("autofunction", "trace"),
        ("automodule", "rnn_course.probes.gates"),
        ("currentmodule", "rnn_course.probes"),
        ("autofunction", "open_gate"),
        ("autoclass", "Gate"),
    ]
    assert "\nstates\n------\n" in page
    assert ".. autoclass:: Gate\n   :members:\n" in page


def test_a_room_in_one_file_shows_all_that_is_public_in_it(package):
    assert tool.page(package.parent, "words") == "words\n=====\n\n.. automodule:: rnn_course.words\n   :members:\n"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda package: (package / "frames.py").touch(), "frames"),
        (lambda package: (package / "words.py").unlink(), "words"),
    ],
)
def test_a_room_without_a_line_in_the_packages_docstring_is_named(package, change, named):
    assert tool.find_rooms(package) == {"words": "texts -> words", "probes": "a model -> arrays"}
    change(package)
    with pytest.raises(ValueError, match=rf"rnn_course/__init__.py and the rooms beside it differ in {named}\. Give"):
        tool.find_rooms(package)


# --- how it is built -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ('<script defer src="https://cdn.example.org/a.js"></script>', ["https://cdn.example.org/a.js"]),
        ('<link rel="stylesheet" href="//example.org/a.css">', ["//example.org/a.css"]),
        ("<img alt=x\n src='http://example.org/a.png'>", ["http://example.org/a.png"]),
        ('@import "https://example.org/a.css";', ["https://example.org/a.css"]),
        ("src: url(https://example.org/a.woff2)", ["https://example.org/a.woff2"]),
        ('<a href="https://example.org/">there</a> <img src="_images/a.png">', []),
        ('<img src="data:image/png;base64,//8="> <svg xmlns="http://www.w3.org/2000/svg">', []),
        ('&lt;script src="https://example.org/a.js"&gt; src: url("fonts/a.woff2")', []),
    ],
)
def test_what_a_page_would_fetch_from_elsewhere_is_found(text, addresses):
    assert tool.fetched_addresses(text) == addresses


def stand_in_for_sphinx(monkeypatch, page, code):
    """Let the tool find a Sphinx that notes how it was called, writes one page and gives an exit code."""
    calls = []

    def build(arguments):
        calls.append(arguments)
        folder = Path(arguments[-1])
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(page, encoding="utf-8")
        return code

    sphinx = ModuleType("sphinx.cmd.build")
    sphinx.main = build
    for name, module in (("sphinx", ModuleType("sphinx")), ("sphinx.cmd", ModuleType("sphinx.cmd"))):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setitem(sys.modules, "sphinx.cmd.build", sphinx)
    return calls


def test_a_site_is_built_with_warnings_as_errors_and_its_place_is_told(tmp_path, package, monkeypatch, capsys):
    calls = stand_in_for_sphinx(monkeypatch, "<p>All well</p>", 0)
    assert tool.main([str(tmp_path)], root=package.parent) == 0
    assert calls[0][-2:] == [str(tmp_path / "source"), str(tmp_path / "html")]
    assert "-W" in calls[0]
    assert capsys.readouterr().out == f"Written: {tmp_path / 'html' / 'index.html'}\n"


@pytest.mark.parametrize(
    ("page", "code", "said"),
    [
        ("<p>Not all well</p>", 2, ""),
        (
            '<script src="https://example.org/a.js">',
            0,
            "website: index.html fetches https://example.org/a.js; keep it in the site or leave it out\n",
        ),
    ],
)
def test_a_site_with_a_warning_or_an_address_fails(tmp_path, package, monkeypatch, capsys, page, code, said):
    stand_in_for_sphinx(monkeypatch, page, code)
    assert tool.main([str(tmp_path)], root=package.parent) > 0
    assert capsys.readouterr() == ("", said)


def test_without_sphinx_the_command_that_brings_it_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "sphinx", None)
    assert tool.main([str(tmp_path)]) == 1
    assert "run `uv run --extra docs python tools/website.py`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
