"""The `rnn-course` command, with a tiny lesson in place of the real ones."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import matplotlib.image
import nbformat
import pytest
from nbformat.sign import NotebookNotary

import rnn_course
from rnn_course import cli, lessons
from rnn_course.cli import doctor, run
from rnn_course.lessons import find

LESSON = """\
# %% [markdown]
# # 42. A tiny lesson

# %%
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# %% tags=["parameters"]
SOURCE = "auto"
FAST = False

# %% [markdown]
# ## The line *rises*

# %%
plt.plot([1, 2])
plt.show()

# %% [markdown]
# ## What was measured

# %%
Path("line.txt").write_text("1 2")
results = {
    "test_accuracy": np.float32(0.5),
    "test_accuracy_std": 0.01,
    "baseline_accuracy": 0.25,
    "steps": np.int64(12),
    "fast": FAST,
    "minutes": 0.01,
    "source": SOURCE,
}
"""
RESULTS = {
    "test_accuracy": 0.5,
    "test_accuracy_std": 0.01,
    "baseline_accuracy": 0.25,
    "steps": 12,
    "fast": False,
    "minutes": 0.01,
    "source": "auto",
}


def best_of(count, seconds):
    return min(seconds() for _ in range(count))


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    (folder / "42_tiny.py").write_text(LESSON, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(folder):
    """One run of the tiny lesson as a learner starts it: (folder it left, what it printed)."""
    command = [sys.executable, "-m", "rnn_course.cli", "run", "42_tiny.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "42_tiny", done


# --- run -------------------------------------------------------------------------------------------------------


def test_a_run_leaves_the_notebook_its_figures_its_files_and_its_results(finished):
    out, _ = finished
    assert files_in(out) == ["42_tiny.ipynb", "figure_01_the_line_rises.png", "files", "results.json"]
    assert files_in(out.parent) == ["42_tiny"]  # and nothing beside it
    assert json.loads((out / "results.json").read_text()) == RESULTS
    assert (out / "files" / "line.txt").read_text() == "1 2"
    assert matplotlib.image.imread(out / "figure_01_the_line_rises.png").ndim == 3
    notebook = nbformat.read(out / "42_tiny.ipynb", as_version=4)
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [1, 2, 3, 4]


def test_a_run_prints_its_results_beside_the_baseline_and_says_which_data_it_read(finished):
    _, done = finished
    assert done.stdout.splitlines()[:5] == [
        "42. A tiny lesson",
        "",
        "metric    model         baseline  published",
        "accuracy  50.0 ± 1.0 %  25.0 %    –",
        "steps     12            –         –",
    ]
    assert re.search(r"^Data: auto\. Time: 0\.\d minutes\.$", done.stdout, re.MULTILINE)
    assert f"In {os.path.join('runs', '42_tiny')}: 42_tiny.ipynb, results.json and 1 figure.\n" in done.stdout


def test_a_run_reports_every_cell_on_a_line_of_its_own(finished):
    lines = finished[1].stderr.splitlines()
    assert [re.sub(r"  \d+ s$", "", line) for line in lines] == [
        "[1/4] 42. A tiny lesson",
        "[2/4] 42. A tiny lesson",
        "[3/4] The line rises",
        "[4/4] What was measured",
    ]


def test_a_second_run_with_other_parameters_takes_the_place_of_the_first(finished, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    out = finished[0].with_name("again")
    out.mkdir()
    (out / "figure_07_stale.png").write_bytes(b"")
    code = cli.main(["run", "42_tiny.py", "--fast", "--source", "sample", "--out", str(out)])
    assert code == 0
    assert files_in(out) == ["42_tiny.ipynb", "figure_01_the_line_rises.png", "files", "results.json"]
    assert json.loads((out / "results.json").read_text()) == {**RESULTS, "fast": True, "source": "sample"}
    injected = nbformat.read(out / "42_tiny.ipynb", as_version=4).cells[3]
    assert injected.source == "FAST = True\nSOURCE = 'sample'"
    said = capsys.readouterr().out
    assert "Data: sample (the small one that comes with the course, not the real data). Time: 0." in said
    assert " minutes. A small run (--fast): its figures are no result.\n" in said


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["run", "sentimant"], "There is no lesson 'sentimant'."),
        (["run", "42_tiny.py", "--source", "imdb"], "There is no data source 'imdb'. Pass one of: auto, sample, sst2,"),
        (["run", "43_bare.py", "--fast"], "The lesson has no parameter FAST; its parameters are: none."),
        (["run", "42_tiny.py", "--out", "."], ". is the folder you are in, or holds it"),
        (["run", "42_tiny.py", "--out", ".."], ".. is the folder you are in, or holds it"),
        (["run", "42_tiny.py", "--out", "42_tiny.py"], "42_tiny.py is a file; pass --out a folder."),
        (["run", "42_tiny.py", "--out", "mine"], "mine holds 'thesis.tex', which no run of 42_tiny has left"),
        (["data", "fetch", "imdb"], "There is no data set 'imdb'. Pass one of: sst2,"),
        (["data", "verify", "imdb"], "There is no data set 'imdb'. Pass one of: sst2,"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(folder, monkeypatch, capsys, typed, said):
    monkeypatch.chdir(folder)
    (folder / "43_bare.py").write_text("# %%\nresults = {}\n", encoding="utf-8")
    (folder / "mine").mkdir(exist_ok=True)
    (folder / "mine" / "thesis.tex").touch()
    before = files_in(folder)
    assert cli.main(typed) == 2
    assert f"rnn-course: {said}" in capsys.readouterr().err
    assert files_in(folder) == before


def test_a_run_that_fell_back_on_the_sample_says_where_the_reason_stands(folder, capsys):
    execution = lessons.Execution(nbformat.v4.new_notebook(), {"minutes": 0.01, "source": "sample"}, 1.0)
    arguments = cli.build_parser().parse_args(["run", "42_tiny.py"])
    run._show_results(find.read_lesson(folder / "42_tiny.py"), execution, arguments)
    assert "not the real data; the notebook says why). Time: 0.0 minutes.\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "usage"),
    [
        (["walk"], "usage: rnn-course [-h] [--version] COMMAND"),
        (["run"], "usage: rnn-course run "),
        (["run", "6", "--sorce", "sample"], "usage: rnn-course run "),
        (["list", "--all"], "usage: rnn-course list "),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_shows_what_that_command_takes(typed, usage, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(typed)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(usage)


@pytest.mark.parametrize(("typed", "shown"), [([], "rnn-course run sentiment"), (["data"], "rnn-course data verify")])
def test_a_command_without_its_words_shows_the_help_and_exits_with_2(typed, shown, capsys):
    assert cli.main(typed) == 2
    assert shown in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"rnn-course {rnn_course.__version__}\n"


def test_a_reader_that_stops_early_gets_no_traceback():
    reading, writing = os.pipe()
    os.close(reading)  # as `rnn-course list | head -0` would
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run([sys.executable, "-m", "rnn_course.cli", "list"], stdout=pipe, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_failing_cell_is_named_and_what_ran_is_kept_under_a_name_that_says_so(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    failing = LESSON.replace('Path("line.txt").write_text("1 2")', 'raise ValueError("the line fell")')
    (folder / "44_failing.py").write_text(failing, encoding="utf-8")
    assert cli.main(["run", "44_failing.py", "--out", "deep/er"]) == 1
    said = capsys.readouterr()
    assert 'Cell 4 of 4 (What was measured) failed at `raise ValueError("the line fell")' in said.err
    assert "\nValueError: the line fell\n" in said.err
    assert said.out == ""
    kept = folder / "deep" / "er" / "44_failing.failed.ipynb"
    assert files_in(folder / "deep") == ["er"] and files_in(kept.parent) == [kept.name]
    outputs = [cell.outputs for cell in nbformat.read(kept, as_version=4).cells if cell.cell_type == "code"]
    assert [len(output) for output in outputs] == [0, 0, 1, 1]


def test_ctrl_c_in_the_middle_of_a_cell_stops_the_kernel_and_leaves_nothing(folder, tmp_path):
    sleeping = LESSON.replace("plt.show()", 'Path("here").write_text(str(__import__("os").getpid())); time.sleep(60)')
    (tmp_path / "45_sleeping.py").write_text(sleeping, encoding="utf-8")
    command = [sys.executable, "-m", "rnn_course.cli", "run", "45_sleeping.py"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts)
    kernel = wait_for_kernel(tmp_path)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.endswith("rnn-course: interrupted; nothing half-written was left behind.\n")
    assert "Traceback" not in said
    assert files_in(tmp_path) == ["45_sleeping.py"]
    assert not is_alive(kernel)


def heed_interrupts():
    """Undo what a shell does to the commands it starts in the background: they ignore Ctrl-C, and so would theirs."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for_kernel(folder):
    """Wait until the lesson's cell has written down the process it runs in."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        for path in folder.glob("runs/.*/files/here"):
            if path.read_text():
                return int(path.read_text())
        time.sleep(0.1)
    raise AssertionError("the sleeping cell was never reached")


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_earlier_run_stays_where_the_new_one_cannot_be_put_in_its_place(tmp_path, monkeypatch):
    out, work = tmp_path / "run", tmp_path / ".run-1"
    out.mkdir()
    (out / "results.json").write_text("earlier")
    work.mkdir()
    replace = os.replace

    def fail_on_work(source, target):
        if source == work:
            raise OSError("disk full")
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail_on_work)
    with pytest.raises(OSError, match="disk full"):
        run.put_in_place(work, out)
    assert (out / "results.json").read_text() == "earlier"
    assert files_in(tmp_path) == [".run-1", "run"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_one_line_is_redrawn_and_taken_away_at_the_end(monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")
    terminal = Terminal()
    step = lessons.CellProgress(3, 12, "Padding poisons the last state", 0.0, False)
    with cli.ProgressLine(terminal) as progress:
        progress(step)
        progress(step._replace(heading="Start", seconds=7.4, done=True))
    assert terminal.getvalue().split("\r\x1b[2K") == ["", "[ 3/12] Padding poisons", "[ 3/12] Start  7 s", ""]


# --- list, lab, data, doctor -----------------------------------------------------------------------------------


@pytest.fixture
def house(folder, tmp_path, monkeypatch):
    """A course with one lesson, not yet run in full."""
    for name in ("lessons", "notebooks", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "lessons" / "42_tiny.py").write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(find, "__file__", str(tmp_path / "rnn_course" / "lessons" / "find.py"))
    return tmp_path


def test_list_shows_number_slug_title_and_the_minutes_of_the_last_full_run(house, capsys):
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out == (
        "no  slug  title          minutes\n42  tiny  A tiny lesson  –\n"  # not run yet
    )
    (house / "results" / "42_tiny.json").write_text('{"minutes": 4.26}')
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out.endswith("42  tiny  A tiny lesson  4.3\n")


class Process:
    """Stands in for JupyterLab: notes its command, is interrupted once, ends with 3."""

    def __init__(self, command):
        Process.command, self.interrupted = command, False

    def wait(self):
        if not self.interrupted:
            self.interrupted = True
            raise KeyboardInterrupt
        return 3


def test_lab_opens_the_notebooks_and_passes_every_option_on(house, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(house / "jupyter"))
    assert cli.main(["lab", "--no-browser", "--port", "9999"]) == 3
    notebooks = str(house / "notebooks")
    assert Process.command == [sys.executable, "-m", "jupyterlab", notebooks, "--no-browser", "--port", "9999"]


def test_lab_trusts_the_lessons_notebooks_and_no_others(house, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(house / "jupyter"))
    texts = [f"print({name!r})" for name in ("the lesson's", "a stranger's")]
    lesson, stranger = (nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)]) for text in texts)
    (house / "lessons" / "43_cut.py").write_text("# %%\n", encoding="utf-8")
    (house / "notebooks" / "43_cut.ipynb").write_text("{", encoding="utf-8")  # cannot be read, and stops nothing
    nbformat.write(lesson, house / "notebooks" / "42_tiny.ipynb")
    nbformat.write(stranger, house / "notebooks" / "stranger.ipynb")
    assert cli.main(["lab"]) == 3
    notary = NotebookNotary()
    trusted = [notary.check_signature(notebook) for notebook in (lesson, stranger)]
    notary.store.close()
    assert trusted == [True, False]


def test_lab_says_what_is_missing(house, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["lab"]) == 1
    assert 'JupyterLab is not installed; `pip install "rnn-course[lab]"` adds it.' in capsys.readouterr().err
    (house / "notebooks").rmdir()
    assert cli.main(["lab"]) == 1
    assert "run this in a clone of the course" in capsys.readouterr().err


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_data_list_says_what_is_cached(cache, capsys):
    assert cli.main(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "MB", "cached", "license"]
    assert lines[1].split()[:4] == ["sst2", "1.0", "no", "not"]
    assert lines[-1] == f"Cache: {cache}"


def test_data_verify_fails_for_what_is_damaged_or_missing(cache, capsys):
    assert cli.main(["data", "verify"]) == 0
    assert capsys.readouterr().out == "No data set is cached; `rnn-course data fetch NAME` gets one.\n"
    (cache / "sms_spam").mkdir(parents=True)
    (cache / "sms_spam" / "sms.tsv").write_text("cut")
    assert cli.main(["data", "verify"]) == 1
    assert capsys.readouterr().out == "damaged   sms_spam/sms.tsv: 3 bytes, expected 477,907\n"
    assert cli.main(["data", "verify", "tinyshakespeare"]) == 1
    assert capsys.readouterr().out == "missing   tinyshakespeare/input.txt\n"


def test_data_fetch_goes_on_after_a_failure_and_remembers_it(cache, monkeypatch, capsys):
    from rnn_course.data import cache as data_cache

    def fetch(name):
        if name == "sst2":
            raise data_cache.DataError("no network", "Try again.")
        return {"sms.tsv": cache}

    monkeypatch.setattr(data_cache, "fetch", fetch)
    assert cli.main(["data", "fetch", "sst2", "sms_spam"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("sms_spam: 1 file ready\n", "rnn-course: sst2: No network. Try again.\n")
    assert cli.main(["data", "fetch", "sms_spam"]) == 0


def test_the_doctor_finds_this_machine_well(house, cache, capfd):
    assert cli.main(["doctor"]) == 0
    said = capfd.readouterr()
    lines = said.out.splitlines()
    assert [line[:18].split() for line in lines[:5]] == [
        ["ok", name] for name in ("packages", "lessons", "keras", "cache", "training")
    ]
    assert re.search(r"python 3\.\d+\.\d+, tensorflow 2\.\S+, keras 3\.", lines[0])
    assert re.search(r"backend tensorflow on .*cpu:0; \d+ cores, \d+ GiB memory", lines[2])
    assert lines[3].endswith(f"{cache}, writable; cached: nothing yet")
    assert re.search(r"one step of a small LSTM, compiled and run in \d+\.\d s", lines[4])
    assert lines[5] == "All is well."
    assert said.err == ""


def test_the_doctor_says_what_is_broken_and_what_to_do(house, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path / "file" / "cache"))
    (house / "lessons" / "42_tiny.py").unlink()
    for heavy in ("check_keras", "check_training"):
        monkeypatch.setattr(doctor, heavy, lambda: "well")
    assert cli.main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert f"BROKEN  lessons   RuntimeError: {house / 'lessons'} holds no lesson\n" in said
    assert f"cache     RuntimeError: {tmp_path / 'file' / 'cache'} cannot be written and holds no data set\n" in said
    assert "Set RNN_COURSE_DATA to a folder that you may write to.\n" in said
    assert said.endswith("2 of 5 checks failed.\n")


def test_the_doctor_notices_a_package_that_is_too_old(monkeypatch):
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["numpy>=99", 'nothing; extra == "lab"'])
    with pytest.raises(RuntimeError, match=r"numpy is \d\S+, needed is >=99"):
        doctor.check_packages()


def test_what_libraries_log_past_python_is_hidden_unless_they_fail(capfd):
    with doctor.quiet_stderr():
        os.write(2, b"oneDNN custom operations are on\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), doctor.quiet_stderr():
        os.write(2, b"libcuda is broken\n")
        raise ImportError
    os.write(2, b"and back\n")
    assert capfd.readouterr().err == "libcuda is broken\nand back\n"


# --- speed -----------------------------------------------------------------------------------------------------


def test_help_answers_at_once_and_imports_nothing_heavy():
    heavy = ("tensorflow", "keras", "numpy", "matplotlib", "nbclient", "nbformat", "jupytext", "rnn_course.lessons")
    script = f"""if True:
        import sys
        from rnn_course.cli import main
        try:
            main(["--help"])
        except SystemExit as end:
            assert end.code == 0
        print([name for name in {heavy} if name in sys.modules])
    """

    def seconds():
        before = os.times()
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        after = os.times()  # the processor's seconds: the clock of a busy machine says little about the command
        assert done.stdout.splitlines()[-1] == "[]"
        return sum(after[2:4]) - sum(before[2:4])  # those of finished children

    assert best_of(5, seconds) < 0.3


@pytest.mark.parametrize("command", ["list", "run", "lab", "data", "data list", "data fetch", "data verify", "doctor"])
def test_the_help_of_every_command_shows_an_example(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main([*command.split(), "--help"])
    assert caught.value.code == 0
    assert f"rnn-course {command}" in capsys.readouterr().out.partition("Examples:")[2]


def test_importing_the_package_takes_less_than_50_ms():
    script = (
        "import time; start = time.perf_counter(); import rnn_course; print(time.perf_counter() - start); "
        "import sys; assert not {'numpy', 'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)"
    )

    def seconds():
        return float(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout)

    assert best_of(5, seconds) < 0.05
