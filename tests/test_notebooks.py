"""The notebooks' builder and its check: on the course itself, and on a small one that is spoiled on purpose."""

import base64
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_course.lessons import machine_size

ROOT = Path(__file__).resolve().parents[1]

LESSON = """\
# %% [markdown]
# # 42. A tiny lesson

# %%
import sys

# %% tags=["parameters"]
SOURCE = "reviews"
SEEDS = (0, 1, 2)

# %% [markdown]
# ## What was measured

# %%
print("epoch 1\\repoch 2")
print(sys.prefix)
results = {"test_accuracy": 0.824, "test_accuracy_std": 0.003, "baseline_accuracy": 0.815}
results |= {"minutes": 4.26, "source": SOURCE}
"""
README = "# Course\n\n<!-- lessons:begin -->\n<!-- lessons:end -->\n\nThe end.\n"
TABLE = """\
| no | lesson | minutes | measured | model | baseline | published |
|---|---|---|---|---|---|---|
| 42 | [A tiny lesson](notebooks/42_tiny.ipynb) | 4.3 | accuracy | 82.4 ± 0.3 % | 81.5 % | – |

Minutes on {cores} cores and {memory_gib} GiB; ± is the standard deviation over the seeds.
""".format(**machine_size())


def load_tool():
    spec = importlib.util.spec_from_file_location("notebooks_tool", ROOT / "tools" / "notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tool = load_tool()


def course_in(folder, lesson=LESSON):
    (folder / "lessons").mkdir()
    (folder / "lessons" / "42_tiny.py").write_text(lesson, encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    course = course_in(tmp_path_factory.mktemp("built"))
    assert tool.main(["build", "42"], root=course) == 0
    return course


@pytest.fixture
def course(built, tmp_path):
    """A copy of the built course, to be spoiled."""
    return shutil.copytree(built, tmp_path / "course")


def edit(path, change):
    """Change a JSON file in place: `change` gets what it holds."""
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_outputs(course, change):
    """Change the outputs of the last cell, and seal the notebook again as a build would."""

    def reseal(notebook):
        change(notebook["cells"][-1])
        notebook["metadata"]["rnn_course"]["outputs_sha256"] = tool.outputs_hash(notebook)

    edit(course / "notebooks" / "42_tiny.ipynb", reseal)


# --- the course itself -----------------------------------------------------------------------------------------


def test_the_notebooks_results_and_table_of_the_course_are_in_step_with_its_lessons():
    assert tool.check(ROOT) == []


def test_the_check_takes_less_than_five_seconds_and_does_not_import_tensorflow(built):
    script = (
        "import runpy, sys, time; from pathlib import Path\n"
        f"tool = runpy.run_path({str(ROOT / 'tools' / 'notebooks.py')!r})\n"
        f"assert tool['check'](Path({str(built)!r})) == []\n"
        f"tool['check']()\n"
        "print(time.process_time(), {'tensorflow', 'keras', 'nbclient', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, heavy = done.stdout.split(maxsplit=1)
    assert heavy == "set()\n"
    assert float(seconds) < 5


# --- build -----------------------------------------------------------------------------------------------------


def test_a_build_writes_clean_outputs_results_with_their_conditions_and_the_table(built):
    notebook = json.loads((built / "notebooks" / "42_tiny.ipynb").read_text(encoding="utf-8"))
    assert notebook["cells"][-1]["outputs"][0]["text"] == ["epoch 2\n", "<python>\n"]
    assert not any("injected-parameters" in cell["metadata"].get("tags", []) for cell in notebook["cells"])
    saved = json.loads((built / "results" / "42_tiny.json").read_text(encoding="utf-8"))
    assert list(saved)[:5] == ["test_accuracy", "test_accuracy_std", "baseline_accuracy", "minutes", "source"]
    assert saved["seeds"] == [0, 1, 2]
    assert saved["machine"]["cores"] >= 1
    assert set(saved["versions"]) == {"python", *tool.PACKAGES}
    assert (built / "README.md").read_text(encoding="utf-8") == README.replace("begin -->\n", "begin -->\n" + TABLE)


def test_a_built_course_has_no_faults(built, capsys):
    assert tool.main(["check"], root=built) == 0
    assert capsys.readouterr().out == "notebooks/, results/ and README.md are in step with lessons/.\n"


def in_lesson(course, old, new):
    """Edit the small course's lesson."""
    path = course / "lessons" / "42_tiny.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_changed_prose_is_taken_over_without_a_run(course, monkeypatch, capsys):
    monkeypatch.setattr(tool, "execute", None)
    before = json.loads((course / "notebooks" / "42_tiny.ipynb").read_text(encoding="utf-8"))
    in_lesson(course, "## What was measured", "## What was measured, and a word more")
    in_lesson(course, "# 42. A tiny lesson\n", "# 42. A tiny lesson\n\n# %% [markdown]\n# Another cell.\n")
    assert tool.main(["check"], root=course) == 1
    assert tool.main(["prose", "42"], root=course) == 0
    assert tool.main(["check"], root=course) == 0
    after = json.loads((course / "notebooks" / "42_tiny.ipynb").read_text(encoding="utf-8"))
    assert len(after["cells"]) == len(before["cells"]) + 1
    assert after["cells"][-1] == before["cells"][-1]
    assert any("a word more" in "".join(cell["source"]) for cell in after["cells"])


def test_what_the_first_cell_would_install_is_changed_without_a_run(tmp_path, monkeypatch):
    lines = "try:\n    import sys\nexcept ImportError:\n    # %pip install -q one\n    import sys\n"
    course = course_in(tmp_path, LESSON.replace("import sys\n", lines))
    execution = tool.Execution(
        executed(tool.source_of(tool.find_lesson("42", course / "lessons"))), {"minutes": 0, "source": "-"}, 1.0
    )
    monkeypatch.setattr(tool, "execute", lambda *args, **options: execution)
    tool.main(["build", "42"], root=course)
    in_lesson(course, "# %pip install -q one", "# %pip install -q one two")
    assert tool.main(["prose", "42"], root=course) == 0
    assert "    %pip install -q one two\\n" in (course / "notebooks" / "42_tiny.ipynb").read_text(encoding="utf-8")
    in_lesson(course, "    # %pip install -q one two\n    import sys", "    import os")
    assert tool.main(["prose", "42"], root=course) == 1


def executed(notebook):
    """Number the code cells as a run would."""
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
    return notebook


@pytest.mark.parametrize(
    ("old", "new"),
    [("4.26", "4.27"), ('"reviews"', '"reviews "'), (' tags=["parameters"]', ' tags=["parameters", "picture"]')],
)
def test_changed_code_is_not_given_old_outputs(course, capsys, old, new):
    before = (course / "notebooks" / "42_tiny.ipynb").read_bytes()
    in_lesson(course, old, new)
    assert tool.main(["prose", "42"], root=course) == 1
    assert "its code is not the code that was run" in capsys.readouterr().err
    assert (course / "notebooks" / "42_tiny.ipynb").read_bytes() == before


def test_prose_is_not_put_beside_outputs_that_were_touched_or_are_not_there(course, capsys):
    notebook = course / "notebooks" / "42_tiny.ipynb"
    edit(notebook, lambda content: content["cells"][-1]["outputs"].clear())
    assert tool.main(["prose", "42"], root=course) == 1
    assert "the outputs were changed after the run" in capsys.readouterr().err
    notebook.unlink()
    assert tool.main(["prose", "42"], root=course) == 1
    assert "has no notebook" in capsys.readouterr().err


def test_a_run_on_the_sample_is_not_written_unless_that_is_allowed(tmp_path, monkeypatch, capsys):
    course = course_in(tmp_path)
    execution = tool.Execution(tool.build_notebook(course / "lessons" / "42_tiny.py"), {"source": "sample"}, 1.0)
    monkeypatch.setattr(tool, "execute", lambda *args, **options: execution)
    assert tool.main(["build"], root=course) == 1
    assert "42_tiny ran on the bundled sample, not on the real data, and was not written." in capsys.readouterr().err
    assert not (course / "notebooks").exists() and not (course / "results").exists()
    tool.main(["build", "--allow-sample"], root=course)
    assert (course / "notebooks" / "42_tiny.ipynb").is_file()


def test_a_build_of_a_wrong_lesson_lists_the_right_ones(course, capsys):
    assert tool.main(["build", "tinny"], root=course) == 1
    assert "Did you mean 'tiny'? The lessons are: 42 tiny." in capsys.readouterr().err


# --- check: every way to spoil a course has its sentence -------------------------------------------------------


def spoil_source(course):
    path = course / "lessons" / "42_tiny.py"
    path.write_text(LESSON.replace("import sys", "import os, sys"), encoding="utf-8")


def spoil_tags(course):
    path = course / "lessons" / "42_tiny.py"
    path.write_text(LESSON.replace('tags=["parameters"]', ""), encoding="utf-8")


def spoil_notebook_text(course):
    edit(course / "notebooks" / "42_tiny.ipynb", lambda notebook: notebook["cells"][0].update(source=["# 42. Edited"]))


def spoil_notebook_length(course):
    edit(course / "notebooks" / "42_tiny.ipynb", lambda notebook: notebook["cells"].pop())


def spoil_cell_id(course):
    edit(course / "notebooks" / "42_tiny.ipynb", lambda notebook: notebook["cells"][1].update(id="another"))


def spoil_output(course):
    path = course / "notebooks" / "42_tiny.ipynb"
    path.write_text(path.read_text(encoding="utf-8").replace("epoch 2", "epoch 3"), encoding="utf-8")


def spoil_hash(course):
    path = course / "notebooks" / "42_tiny.ipynb"
    edit(path, lambda notebook: notebook["metadata"]["rnn_course"].update(outputs_sha256="0" * 64))


def spoil_execution(course):
    edit_outputs(course, lambda cell: cell.update(execution_count=None))


def spoil_times(course):
    edit_outputs(course, lambda cell: cell["metadata"].update(execution={"iopub.status.busy": "12:00"}))


def spoil_notebook(course):
    (course / "notebooks" / "42_tiny.ipynb").unlink()


def spoil_size(course):
    edit_outputs(course, lambda cell: cell["outputs"][0].update(text=["x" * 1_000_000]))


def spoil_results(course):
    (course / "results" / "42_tiny.json").unlink()


def spoil_result(course):
    edit(course / "results" / "42_tiny.json", lambda results: results.update(test_accuracy=0.99))


def spoil_result_names(course):
    edit(course / "results" / "42_tiny.json", lambda results: results.update(recall=1.0))


def spoil_conditions(course):
    edit(course / "results" / "42_tiny.json", lambda results: results.pop("machine"))


def spoil_table(course):
    path = course / "README.md"
    path.write_text(path.read_text(encoding="utf-8").replace("82.4", "92.4"), encoding="utf-8")


def spoil_markers(course):
    (course / "README.md").write_text("# Course\n", encoding="utf-8")


def spoil_picture(course):
    (course / "notebooks" / "42_tiny.png").write_bytes(b"drawn by hand")


def spoil_family(course):
    (course / "notebooks" / "41_orphan.ipynb").write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_source, "42_tiny: the notebook is stale: from cell 2 on it is not what the lesson says; run `python"),
        (spoil_source, "42_tiny: the notebook was executed from another version of the lesson"),
        (spoil_tags, "42_tiny: the notebook was executed from another version of the lesson"),
        (spoil_notebook_text, "42_tiny: the notebook is stale: from cell 1 on"),
        (spoil_notebook_length, "42_tiny: the notebook is stale: from cell 5 on"),
        (spoil_cell_id, "42_tiny: the notebook is stale: from cell 2 on"),
        (spoil_output, "42_tiny: the outputs were changed after the run"),
        (spoil_hash, "42_tiny: the outputs were changed after the run"),
        (spoil_execution, "42_tiny: cell 5 was not executed"),
        (spoil_times, "42_tiny: cell 5 carries the times of its execution"),
        (spoil_notebook, "42_tiny: there is no notebook; run `python tools/notebooks.py build 42`"),
        (spoil_size, "bytes, more than 1,000,000; draw smaller figures"),
        (spoil_results, "42_tiny: there is no results/42_tiny.json"),
        (spoil_result, "42_tiny: results/42_tiny.json does not hold what the notebook measured (test_accuracy)"),
        (spoil_result_names, "42_tiny: results/42_tiny.json does not hold what the notebook measured (recall)"),
        (spoil_conditions, "42_tiny: results/42_tiny.json lacks machine"),
        (spoil_table, "README.md: the table of lessons is out of step; run `python tools/notebooks.py table`"),
        (spoil_markers, "README.md: no lines <!-- lessons:begin --> and <!-- lessons:end -->"),
        (spoil_picture, "42_tiny: notebooks/42_tiny.png is not the notebook's tagged picture"),
        (spoil_family, "notebooks/41_orphan.ipynb belongs to no lesson; remove it"),
    ],
)
def test_the_check_names_what_is_spoiled(course, capsys, spoil, said):
    spoil(course)
    assert tool.main(["check"], root=course) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("read /home/ada/reviews.csv", "shows a path of the machine: '/home/ada/reviews.csv'"),
        (r"C:\Users\ada\reviews.csv", r"shows a path of the machine: 'C:\\Users\\ada\\reviews.csv'"),
        (f"{ROOT}", f"shows a folder of this machine: {ROOT}"),
        ("<History at 0x7f3a12bc44d0>", "shows a memory address: 'at 0x7f3a12bc44d0'"),
        ("x.py:3: UserWarning: mind the gap", "shows a warning: 'Warning: mind the gap'"),
        ("2026-11-20 12:17:00.123456: I tensorflow", "shows a log line: '2026-11-20 12:17:00.123456: I tensorflow'"),
        ("epoch 1\repoch 2", "shows what a progress bar left: "),
        (" 40%|████      | 4/10 [00:01<00:02]", "shows what a progress bar left: "),
        ("\x1b[1m12/12\x1b[0m", "shows terminal codes: "),
    ],
)
@pytest.mark.parametrize("kind", ["stream", "html"])
def test_the_check_names_debris_in_an_output(course, capsys, output, said, kind):
    shown = {
        "stream": {"output_type": "stream", "name": "stdout", "text": [output]},
        "html": {"output_type": "display_data", "metadata": {}, "data": {"text/html": [f"<b>{output}</b>"]}},
    }[kind]
    edit_outputs(course, lambda cell: cell.update(outputs=[shown]))
    assert tool.main(["check"], root=course) == 1
    assert said.removesuffix("'") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"output_type": "stream", "name": "stderr", "text": ["oops\n"]}, "cell 5 has output on stderr: 'oops'"),
        ({"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": []}, "cell 5 failed: ValueError"),
        (
            {"output_type": "display_data", "metadata": {}, "data": {"application/vnd.jupyter.widget-view+json": {}}},
            "cell 5 shows a widget",
        ),
    ],
)
def test_the_check_names_an_output_of_the_wrong_kind(course, capsys, output, said):
    edit_outputs(course, lambda cell: cell.update(outputs=[output]))
    assert tool.main(["check"], root=course) == 1
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    "output",
    [
        "82.4 % at 2014-07-01 00:00:00, 7/10 and/or /ˈkæt/ <br/> </var/>",
        "https://example.org/home/ada and ./data/home/x",
        '<img src="data:image/png;base64,AAAA+/home/xyz">',
        "<Figure size 700x300 with 1 Axes>",
        "good ██████████ 0.9",
    ],
)
def test_the_check_does_not_mind_an_honest_output(output):
    shown = {"output_type": "stream", "name": "stdout", "text": [output]}
    cell = {"cell_type": "code", "metadata": {}, "source": ["x"], "execution_count": 1, "outputs": [shown]}
    assert list(tool._faults_of_cell(cell)) == []


def test_the_picture_is_the_first_figure_of_the_cell_with_its_tag():
    def cell(tags, *images):
        outputs = [{"output_type": "stream", "text": ["drawn"]}]
        outputs += [{"data": {"image/png": base64.b64encode(image).decode()}} for image in images]
        return {"cell_type": "code", "metadata": {"tags": tags}, "outputs": outputs}

    cells = [cell([], b"other"), cell(["picture"], b"this one", b"not this"), cell(["picture"], b"nor this")]
    assert tool.tagged_picture({"cells": cells}) == b"this one"
    assert tool.tagged_picture({"cells": cells[:1]}) is None


def test_table_needs_its_markers(course, capsys):
    spoil_markers(course)
    assert tool.main(["table"], root=course) == 1
    assert "README.md has no lines <!-- lessons:begin -->" in capsys.readouterr().err


def test_table_shows_a_dash_for_what_was_not_measured(course):
    spoil_results(course)
    assert tool.main(["table"], root=course) == 0
    row = "| 42 | [A tiny lesson](notebooks/42_tiny.ipynb) | – | – | – | – | – |\n"
    assert row in (course / "README.md").read_text(encoding="utf-8")
