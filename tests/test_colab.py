"""Colab: a notebook opens with its own address there, its first cell installs the course; other versions are tried."""

import ast
import importlib.util
import json
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from rnn_course import __version__
from rnn_course.lessons import (
    REPOSITORY,
    build_notebook,
    colab_link,
    execute,
    find_lessons,
    install_address,
)

ROOT = Path(__file__).resolve().parents[1]
every_lesson = pytest.mark.parametrize("lesson", find_lessons(ROOT / "lessons"), ids=lambda lesson: lesson.name)


def load_tool():
    spec = importlib.util.spec_from_file_location("versions_tool", ROOT / "tools" / "versions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


def first_code(notebook):
    return next(cell for cell in notebook.cells if cell.cell_type == "code")


# --- the lessons and their notebooks --------------------------------------------------------------------------------


@every_lesson
def test_a_notebook_opens_with_its_title_and_its_own_address_in_colab(lesson):
    notebook = json.loads((ROOT / "notebooks" / f"{lesson.name}.ipynb").read_text(encoding="utf-8"))
    assert "".join(notebook["cells"][0]["source"]).splitlines()[:4] == [
        f"# {lesson.number:02}. {lesson.title}",
        "",
        f"[Open in Colab](https://colab.research.google.com/github/{REPOSITORY}/blob/v{__version__}"
        f"/notebooks/{lesson.name}.ipynb)",
        "",
    ]


@every_lesson
def test_the_first_cell_installs_this_version_where_the_course_is_missing(lesson):
    before, line, after = first_code(build_notebook(lesson.path)).source.partition("    %pip install -q --no-deps ")
    assert before.endswith("try:\n    import rnn_course\nexcept ImportError:\n")
    assert line and after.partition(" ")[0].partition("\n")[0] == f'"{install_address(__version__)}"'
    assert after.partition("\n")[2].startswith("    import rnn_course")


# What Colab lacks, by the helpers that import it when they are called.
LACKING = {
    **dict.fromkeys(("bleu", "chrf"), "sacrebleu"),
    **dict.fromkeys(("read_midi", "write_midi"), "mido"),
    "read_clips": "av",
    "read_fasta": "biopython",
}


@every_lesson
def test_the_first_cell_installs_what_the_lesson_needs_and_colab_lacks(lesson):
    nodes = ast.walk(ast.parse(lesson.path.read_text(encoding="utf-8")))
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    needed = {LACKING[name] for name in imported & set(LACKING)}
    assert needed <= tool.with_wheel(build_notebook(lesson.path), Path("course.whl"))


def test_the_course_is_cited_from_where_it_is_installed():
    assert install_address("1.2.0") == f"git+https://github.com/{REPOSITORY}@v1.2.0"
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == f"https://github.com/{REPOSITORY}"


def test_a_link_stands_below_the_title_and_in_no_notebook_that_asks_for_none(tmp_path):
    script = tmp_path / "42_mine.py"
    script.write_text("# %% [markdown]\n# # 42. Mine\n#\n# Words.\n", encoding="utf-8")
    link = colab_link("42_mine", "1.2.0")
    assert build_notebook(script, link=link).cells[0].source == f"# 42. Mine\n\n{link}\n\nWords."
    assert build_notebook(script).cells[0].source == "# 42. Mine\n\nWords."


def test_a_lesson_can_run_on_another_interpreter(tmp_path):
    venv.create(tmp_path / "other", with_pip=False, symlinks=sys.platform != "win32")
    paths = sysconfig.get_paths("venv", vars={"base": str(tmp_path / "other"), "platbase": str(tmp_path / "other")})
    Path(paths["purelib"], "ours.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    notebook = new_notebook(cells=[new_code_cell("import sys\nresults = {'minutes': 0, 'source': sys.prefix}")])
    python = next(Path(paths["scripts"]).glob("python*"))
    assert execute(notebook, cwd=tmp_path, python=python).results["source"] == str(tmp_path / "other")


# --- tools/versions.py ----------------------------------------------------------------------------------------------


def with_first_cell(line):
    return new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell(line), new_code_cell(line)])


def test_the_first_cell_gets_the_wheel_and_says_what_else_it_installs():
    notebook = with_first_cell('try:\n    %pip install -q --no-deps "git+https://here/there@v1" mido av\n    pass')
    assert tool.with_wheel(notebook, Path("course.whl")) == {"rnn-course", "mido", "av"}
    assert notebook.cells[1].source == 'try:\n    %pip install -q --no-deps "course.whl" mido av\n    pass'
    assert "git+https" in notebook.cells[2].source


@pytest.mark.parametrize("line", ["import keras", '%pip install -q "git+https://here/there@v1"'])
def test_a_first_cell_that_would_touch_what_is_there_is_refused(line):
    with pytest.raises(ValueError, match=r"no line `%pip install -q --no-deps"):
        tool.with_wheel(with_first_cell(line), Path("course.whl"))


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"numpy": "2.1", "keras": "3.13", "rnn-course": "0.1"}, ""),
        ({"numpy": "2.4", "keras": "3.13", "rnn-course": "0.1"}, "changed what was there: numpy 2.1 → 2.4."),
        ({"numpy": "2.1", "rnn-course": "0.1"}, "changed what was there: keras 3.13 → gone."),
        ({"numpy": "2.1", "keras": "3.13"}, "should have added ['rnn-course'] and added []."),
        (
            {"numpy": "2.1", "keras": "3.13", "rnn-course": "0.1", "av": "14"},
            "should have added ['rnn-course'] and added ['av', 'rnn-course'].",
        ),
    ],
)
def test_a_first_cell_may_add_what_it_names_and_change_nothing(after, said):
    found = tool.fault_of_change({"numpy": "2.1", "keras": "3.13"}, after, {"rnn-course"})
    assert found == (f"Its first cell {said}" if said else "")


def test_every_lesson_is_tried_unless_some_or_tests_are_named():
    assert [lesson.name for lesson in tool.chosen([])[0]] == [lesson.name for lesson in find_lessons()]
    lessons, tests = tool.chosen(["06", "tests/test_colab.py", "music"])
    assert [lesson.number for lesson in lessons] == [6, 11]
    assert tests == ["tests/test_colab.py"]
    assert tool.chosen(["tests/test_colab.py"])[0] == []


@pytest.mark.parametrize(
    ("what", "said"),
    [("tests/test_nothing.py", "There is no file tests/test_nothing.py"), ("77", "There is no lesson '77'")],
)
def test_what_is_not_there_is_said_before_anything_is_installed(monkeypatch, capsys, what, said):
    monkeypatch.setattr(tool, "uv", None)
    assert tool.main(["lowest", what]) == 2
    assert said in capsys.readouterr().err


def test_one_failure_among_many_is_shown_and_fails_the_command(monkeypatch, capsys):
    installs = []
    frozen = "tensorflow==2\nkeras==3\nnumpy==2\nmatplotlib==3\nmine @ file:///here\n-e file:///course"
    monkeypatch.setattr(tool, "uv", lambda *arguments: installs.append(arguments) or frozen)
    monkeypatch.setattr(tool.Environment, "describe", lambda made: "some Python")
    outcomes = {"06_sentiment": "", "11_music": "Cell 3 failed\nValueError: no"}
    monkeypatch.setattr(tool, "run_lesson", lambda lesson, _: tool.Outcome(lesson.name, 12.34, outcomes[lesson.name]))
    assert tool.main(["lowest", "06"]) == 0
    assert tool.main(["lowest", "06", "11"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split() for line in said[-3:-1]] == [["11_music", "12.3", "s", "FAILED"], ["Cell", "3", "failed"]]
    assert said[-4].split() == ["06_sentiment", "12.3", "s", "ok"]
    assert "lowest-direct" in installs[-1]
