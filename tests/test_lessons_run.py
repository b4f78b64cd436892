"""Every lesson, run small on its bundled sample: the same code path as the full run, in under a minute."""

import os

import pytest

from rnn_course.lessons import build_notebook, default_parameters, execute, find_lessons

LESSONS = {lesson.name: lesson for lesson in find_lessons()}

# What others read in a lesson's results, beside `minutes` and `source`.
FIGURES = {
    "02_vanishing_gradients": ("adding_mse_lstm", "adding_mse_gru", "adding_mse_simple_rnn"),
    "05_language_model": ("valid_nats_per_char",),
    "06_sentiment": ("test_accuracy", "baseline_accuracy"),
    "08_translation": ("bleu", "chrf", "token_accuracy", "bleu_without_attention"),
    "11_music": ("test_nll_per_frame", "joint_nll_per_frame"),
    "12_video": ("test_accuracy", "frame_only_accuracy", "poses_test_accuracy"),
    "13_dna": ("test_accuracy", "macro_f1", "baseline_accuracy"),
    "16_streaming": ("step_microseconds",),
    "20_fast_layers": ("step_milliseconds", "baseline_step_milliseconds"),
}


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_keeps_to_the_rhythm_of_the_course(name):
    notebook = build_notebook(LESSONS[name].path)
    first, set_up = notebook.cells[0], next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert first.cell_type == "markdown" and first.source.startswith(f"# {name[:2]}. ")
    assert lines_of_code(set_up) <= 8 and "import rnn_course" in set_up.source
    parameters = default_parameters(notebook)
    assert (parameters["SOURCE"], parameters["FAST"]) == ("auto", False)
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if cell.cell_type == "code":
            assert lines_of_code(cell) <= 15, cell.source
            assert before.cell_type == "markdown", f"no prose before:\n{cell.source}"


def lines_of_code(cell):
    return sum(bool(line.strip()) for line in cell.source.splitlines())


@pytest.mark.parametrize("name", LESSONS)
def test_a_small_run_on_the_sample_ends_within_a_minute_with_its_figures(name, tmp_path):
    notebook = build_notebook(LESSONS[name].path)
    before = processor_seconds()
    execution = execute(notebook, parameters={"FAST": True, "SOURCE": "sample"}, timeout=180, cwd=tmp_path)
    missing = {"minutes", "source", *FIGURES.get(name, ())} - set(execution.results)
    assert not missing
    # The clock of a busy machine says little about the lesson: then the processor's own seconds count.
    assert min(execution.seconds, processor_seconds() - before) <= 60


def processor_seconds():
    """Seconds that finished child processes, kernels among them, have spent on a processor."""
    spent = os.times()
    return spent.children_user + spent.children_system
