"""Finding lessons, building their notebooks, cleaning and comparing what a run leaves."""

import asyncio
import base64
import json
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from rnn_course import lessons
from rnn_course.lessons import find, run

SCRIPT = """\
# %% [markdown]
# # 06. Words that *turn*
#
# Which word turns a review?

# %%
import math

# %% tags=["parameters"]
SOURCE = "auto"
FAST = False
SEEDS = (0, 1, 2)
STEPS = 10 * len(SEEDS)

# %% [markdown]
# ## Padding poisons the `last` state

# %%
print(SOURCE)

# %%
print(SOURCE)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "06_sentiment.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "00_start_here.py").write_text("# %% [markdown]\n# # 00. Start here\n", encoding="utf-8")
    (tmp_path / "12_no_heading.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "notes.py").write_text("# # 99. Not a lesson\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def notebook(folder):
    return lessons.build_notebook(folder / "06_sentiment.py")


def with_outputs(*outputs):
    cell = new_code_cell("x", outputs=list(outputs), execution_count=1)
    return new_notebook(cells=[new_markdown_cell("# Title"), cell])


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def cleaned(*outputs, places=None):
    return lessons.clean_outputs(with_outputs(*outputs), places=places or {}).cells[1].outputs


def test_lessons_come_in_the_order_of_their_numbers_with_their_titles(folder):
    found = lessons.find_lessons(folder)
    assert [(lesson.number, lesson.slug, lesson.title) for lesson in found] == [
        (0, "start_here", "Start here"),
        (6, "sentiment", "Words that *turn*"),
        (12, "no_heading", "no heading"),
    ]
    assert found[1].plain_title == "Words that turn"
    assert [lesson.name for lesson in found] == ["00_start_here", "06_sentiment", "12_no_heading"]


@pytest.mark.parametrize("name", ["6", "06", "sentiment", "06_sentiment"])
def test_a_lesson_is_found_by_number_slug_or_both(folder, name):
    assert lessons.find_lesson(name, folder).path == folder / "06_sentiment.py"


def test_a_lesson_of_ones_own_is_found_by_the_path_of_its_script(folder, tmp_path):
    assert lessons.find_lesson(str(folder / "12_no_heading.py")).number == 12


def test_lessons_and_recorded_results_are_found_in_a_clone_and_in_a_wheel(tmp_path, monkeypatch):
    monkeypatch.setattr(find, "__file__", str(tmp_path / "rnn_course" / "lessons" / "find.py"))
    for place, minutes in ((tmp_path, 4), (tmp_path / "rnn_course" / "shipped", 5)):  # the wheel's own goes first
        (place / "lessons").mkdir(parents=True)
        (place / "lessons" / "06_sentiment.py").write_text(SCRIPT, encoding="utf-8")
        (lesson,) = lessons.find_lessons()
        assert lesson.path == place / "lessons" / "06_sentiment.py"
        assert lessons.recorded_results(lesson) == {}
        (place / "results").mkdir()
        (place / "results" / "06_sentiment.json").write_text(f'{{"minutes": {minutes}}}', encoding="utf-8")
        assert lessons.recorded_results(lesson) == {"minutes": minutes}


def test_a_script_with_another_name_is_no_lesson(folder):
    with pytest.raises(ValueError, match=r"'notes\.py' is not the name of a lesson; name it NN_slug\.py"):
        lessons.find_lesson(str(folder / "notes.py"))


def test_a_wrong_name_lists_the_right_ones_and_suggests_the_nearest(folder):
    with pytest.raises(ValueError) as caught:
        lessons.find_lesson("sentimant", folder)
    assert str(caught.value) == (
        "There is no lesson 'sentimant'. Did you mean 'sentiment'? "
        "The lessons are: 00 start_here, 06 sentiment, 12 no_heading."
    )
    with pytest.raises(ValueError) as caught:
        lessons.find_lesson("7", folder)
    assert "Did you mean" not in str(caught.value)


def test_a_built_notebook_is_valid_and_the_same_each_time(folder, notebook):
    nbformat.validate(notebook)
    again = lessons.build_notebook(folder / "06_sentiment.py")
    assert nbformat.writes(notebook) == nbformat.writes(again)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code", "markdown", "code", "code"]


def test_an_edit_changes_the_id_of_the_edited_cell_alone(folder, notebook):
    (folder / "06_sentiment.py").write_text(SCRIPT.replace("import math", "import cmath"), encoding="utf-8")
    edited = lessons.build_notebook(folder / "06_sentiment.py")
    same = [old.id == new.id for old, new in zip(notebook.cells, edited.cells, strict=True)]
    assert same == [True, False, True, True, True, True]
    assert len({cell.id for cell in notebook.cells}) == 6  # the last two cells have the same text


def test_the_source_hash_depends_on_text_and_tags_and_not_on_outputs(notebook):
    before = lessons.source_hash(notebook)
    notebook.cells[1].outputs = [stream("a result\n")]
    assert lessons.source_hash(json.loads(nbformat.writes(notebook))) == before
    notebook.cells[2].metadata.tags = []
    assert lessons.source_hash(notebook) != before


def test_parameters_are_the_literals_of_their_cell(notebook):
    assert lessons.default_parameters(notebook) == {"SOURCE": "auto", "FAST": False, "SEEDS": (0, 1, 2)}
    assert lessons.default_parameters(new_notebook()) == {}


def test_only_changed_parameters_are_injected_right_after_their_cell(notebook):
    changed = lessons.inject_parameters(notebook, {"FAST": True, "SOURCE": "auto"})
    assert changed.cells[3].source == "FAST = True"
    assert changed.cells[3].metadata.tags == ["injected-parameters"]
    assert len(notebook.cells) == 6
    nbformat.validate(changed)
    assert len(lessons.inject_parameters(notebook, {"FAST": False}).cells) == 6


def test_an_unknown_parameter_is_refused_with_the_known_ones(notebook):
    with pytest.raises(ValueError, match="no parameter SPEED; its parameters are: SOURCE, FAST, SEEDS"):
        lessons.inject_parameters(notebook, {"SPEED": 2})


def test_a_cell_is_named_by_the_heading_above_it(notebook):
    title, padding = "06. Words that turn", "Padding poisons the last state"
    assert lessons.section_names(notebook) == [title, title, title, padding, padding, padding]
    assert lessons.section_names(new_notebook(cells=[new_code_cell("x")])) == ["start"]


def test_figures_are_the_pictures_in_order_under_the_name_of_their_section():
    pictures = [base64.b64encode(content).decode() for content in (b"first", b"second")]
    notebook = with_outputs(
        new_output("display_data", {"image/png": pictures[0]}),
        stream("no picture"),
        new_output("display_data", {"image/png": pictures[1]}),
    )
    notebook.cells[0].source = "# Title\n\n## The forget gate closes at the comma: ‖∂L/∂h‖"
    name = "the_forget_gate_closes_at_the_comma_l_h"
    assert lessons.figures(notebook) == [(name, b"first"), (name, b"second")]


def test_a_redrawn_line_is_kept_in_its_last_state_alone():
    outputs = cleaned(stream("epoch 1\repo"), stream("ch 2\r"), stream("\x1b[2Kepoch 3\nnext\n"))
    assert [output.text for output in outputs] == ["epoch 3\nnext\n"]
    assert [output.text for output in cleaned(stream("\x08 9%\x08\x0810%\n"))] == [" 10%\n"]


def test_prints_on_either_side_of_a_picture_stay_there():
    picture = new_output("display_data", {"text/plain": "<Figure size 700x300 with 1 Axes>"})
    outputs = cleaned(stream("before\n"), picture, stream("after\n"))
    assert [output.get("text", "picture") for output in outputs] == ["before\n", "picture", "after\n"]


def test_start_up_lines_of_tensorflow_go_and_other_errors_stay():
    noise = (
        "2026-11-20 12:17:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.\n"
        "To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow.\n"
        "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
        "I0000 00:00:1795177480.208080    7376 cudart_stub.cc:31] Could not find cuda drivers.\n"
        "E0000 00:00:1795177484.570129    7376 cuda_platform.cc:52] failed call to cuInit\n"
    )
    assert cleaned(stream(noise, "stderr")) == []
    kept = cleaned(stream(noise + "Something is really wrong\n", "stderr"))
    assert [output.text for output in kept] == ["Something is really wrong\n"]
    assert [output.text for output in cleaned(stream(noise))] == [noise]  # what a lesson prints is its own


def test_paths_and_addresses_of_the_machine_are_replaced_by_words():
    places = {"/home/ada": "~", "/home/ada/course": ".", "/data": "<data>"}
    outputs = cleaned(
        stream("read /home/ada/course/data/x.csv, /home/ada/y and /database\n"),
        new_output("execute_result", {"text/plain": "<keras.History at 0x7f3a12bc>"}, execution_count=1),
        new_output("error", ename="E", evalue="in /data/z", traceback=["\x1b[31m/data/z\x1b[0m"]),
        places=places,
    )
    assert outputs[0].text == "read ./data/x.csv, ~/y and /database\n"
    assert outputs[1].data["text/plain"] == "<keras.History>"
    assert (outputs[2].evalue, outputs[2].traceback) == ("in <data>/z", ["<data>/z"])


def test_times_of_execution_go_and_the_notebook_given_stays_as_it_was():
    notebook = with_outputs(stream("a\rb\n"))
    notebook.cells[1].metadata.execution = {"iopub.status.busy": "2026-11-20T12:00:00Z"}
    notebook.metadata.widgets = {}
    clean = lessons.clean_outputs(notebook, places={})
    assert "execution" not in clean.cells[1].metadata and "widgets" not in clean.metadata
    assert notebook.cells[1].outputs[0].text == "a\rb\n" and "widgets" in notebook.metadata


def test_the_places_of_this_machine_never_hold_the_root_of_the_file_system(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    places = lessons.machine_places()
    assert "/" not in places
    assert places[str(tmp_path)] == "<data>"
    assert places[str(lessons.course_folder())] == "."


def test_a_metric_stands_beside_its_baseline_and_the_published_figure():
    results = {
        "steps_per_second": 40,
        "test_accuracy": 0.824,
        "test_accuracy_std": 0.003,
        "baseline_accuracy": 0.815,
        "published_accuracy": 0.832,
        "bleu": 21.5,
        "baseline_bleu": 3.0,
        "baseline_bleu_std": 0.5,
        "published_frame_nll": 8.43,
        "minutes": 4.2,
        "source": "sst2",
        "seeds": 3,
        "converged": True,
    }
    assert [tuple(row) for row in lessons.compare(results)] == [
        ("accuracy", 0.824, 0.003, 0.815, None, 0.832),
        ("bleu", 21.5, None, 3.0, 0.5, None),
        ("frame_nll", None, None, None, None, 8.43),
        ("steps_per_second", 40, None, None, None, None),
    ]


def test_the_figure_of_the_test_split_is_the_models():
    for results in ({"test_mse": 1.0, "mse": 2.0}, {"mse": 2.0, "test_mse": 1.0}):
        assert [row.model for row in lessons.compare({"baseline_mse": 3.0, **results})] == [1.0]


@pytest.mark.parametrize(
    ("metric", "value", "spread", "shown"),
    [
        ("accuracy", None, None, "–"),
        ("macro_f1", 0.5, None, "50.0 %"),
        ("negated_accuracy_unit_held", 0.8078, 0.01, "80.8 ± 1.0 %"),
        ("mse", 0.00012347, 0.000012345, "0.0001235 ± 1.2e-05"),
        ("words", 6920, None, "6,920"),
        ("step_microseconds", 51055.2, 12.0, "51,055 ± 12"),
    ],
)
def test_a_figure_is_shown_in_its_own_unit(metric, value, spread, shown):
    assert lessons.show_figure(metric, value, spread) == shown


def test_a_kernel_that_cannot_start_says_why(monkeypatch, notebook, tmp_path):
    (tmp_path / "ipykernel_launcher.py").write_text("raise SystemExit('no kernel today')", encoding="utf-8")
    monkeypatch.setattr(run, "kernel_environment", lambda: {"PYTHONPATH": str(tmp_path)})
    with pytest.raises(lessons.LessonError, match="The kernel did not start") as caught:
        lessons.execute(notebook, cwd=tmp_path)
    assert "no kernel today" in str(caught.value)
    assert caught.value.notebook.cells[0].source == notebook.cells[0].source


REFUSED = {
    "del results": "left no `results`; its last cell must assign that dict.",
    "results = [1]": "`results` must be a dict, not a list.",
    "results = {'losses': [1, 2]}": "`results` must be flat: 'losses' holds a list",
    "results = {'nll': float('nan')}": "`results` hold nan under 'nll'",
    "results = {'minutes': 1}": "`results` lack 'source'.",
    "results = {'minutes': 1, 'source': print}": "`results` cannot be saved: 'builtin_function_or_method'",
}


async def read_results_after_each(sources):
    from jupyter_client.manager import start_new_async_kernel

    manager, channels = await start_new_async_kernel(kernel_name="python3")
    client, said = SimpleNamespace(kc=channels, nb=None), []
    try:
        for source in sources:
            await channels.execute(f"results = {{}}\n{source}", reply=True, timeout=60)
            try:
                said.append(await run.read_results(client))
            except lessons.LessonError as error:
                said.append(str(error))
    finally:
        channels.stop_channels()
        await manager.shutdown_kernel(now=True)
    return said


def test_results_are_plain_figures_and_anything_else_is_refused_with_its_name():
    good = "import numpy as np\nresults = {'minutes': np.float32(0.5), 'source': 'it\\'s', 'n': np.int64(3)}"
    first, *others = asyncio.run(read_results_after_each([good, *REFUSED]))
    assert first == {"minutes": 0.5, "source": "it's", "n": 3}
    assert [type(value) for value in first.values()] == [float, str, int]
    for said, fault in zip(others, REFUSED.values(), strict=True):
        assert fault in said
