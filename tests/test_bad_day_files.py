"""A bad day: full disks, killed processes, folders that cannot be written, tables that are not what they seem.

Whatever happens, an old file stays until a new one is whole, and an error says what to do. Of downloads, of states and
of what a run leaves in other cases, the tests of these modules tell.
"""

import contextlib
import importlib.util
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rnn_course import cli, lessons
from rnn_course.cli import run
from rnn_course.data import cache, read_labelled_text, read_sequences
from rnn_course.data.registry import DataFile, DataSet
from rnn_course.features import extract_features
from rnn_course.lessons import Execution, LessonError, find
from rnn_course.music import Sound, write_midi
from rnn_course.plots import highlight_text
from rnn_course.plots.animation import AnimatedPicture
from rnn_course.streaming.numpy_stream import State, save_state
from rnn_course.whole_files import abandoned_beside, name_beside, written_whole

ROOT = Path(__file__).resolve().parents[1]
SOURCE_ROOT = {**os.environ, "PYTHONPATH": str(ROOT)}
LESSON = """\
# %% [markdown]
# # 42. A tiny lesson

# %% tags=["parameters"]
SOURCE, FAST = "sample", False

# %%
results = {"test_accuracy": 0.75, "minutes": 0.1, "source": SOURCE}
"""
RESULTS = {"test_accuracy": 0.75, "minutes": 0.1, "source": "sample"}


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def gone_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    process.wait()
    return process.pid


def left_by(process, path, ending):
    """Where a process would have put what it had not finished for a path."""
    beside = name_beside(path, ending)
    return beside.with_name(beside.name.replace(f"-{os.getpid()}.", f"-{process}."))


# --- a full disk ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def disk_with_room(size):
    """Let no file of this process grow beyond some bytes: the system itself breaks a write off there, root's too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Mean:
    """Stands for an image network whose features are as many as its pixels."""

    input_shape, layers, get_weights = (None, 40, 40, 1), [], list

    @staticmethod
    def predict_on_batch(frames):
        return frames.reshape(len(frames), -1)


def write_tagged(path):
    """Write as the builder of the notebooks does."""
    load_tool()._write(path, "a notebook " * 200)


WRITERS = {
    "a state": ("state.npz", lambda path: save_state(path, State(("h",), (np.ones((1, 999)),)))),
    "a tune": ("a.mid", lambda path: write_midi([[60 + i % 9] for i in range(300)], path)),
    "a sound": ("a.wav", lambda path: Sound(np.zeros(2_000, np.float32), 8_000).save(path)),
    "a moving picture": ("a.gif", lambda path: AnimatedPicture(b"GIF89a" * 400, 1, "").save(path)),
    "a page": ("a.html", lambda path: highlight_text(["word"] * 99, [0.5] * 99).save(path)),
    "a notebook": ("a.ipynb", write_tagged),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(name, tmp_path):
    file, write = WRITERS[name]
    path = tmp_path / file
    path.write_bytes(b"old")
    with disk_with_room(1_000), pytest.raises(OSError, match="File too large"):
        write(path)
    assert files_below(tmp_path) == [file] and path.read_bytes() == b"old"
    write(path)
    assert files_below(tmp_path) == [file] and path.stat().st_size > 1_000


def test_features_that_find_no_room_leave_those_that_were_kept(tmp_path):
    clip = np.ones((1, 1, 40, 40, 1))
    extract_features(Mean, clip, cache=tmp_path)
    kept = {name: (tmp_path / name).read_bytes() for name in files_below(tmp_path)}
    with disk_with_room(1_000), pytest.raises(OSError, match="File too large"):
        extract_features(Mean, clip + 1, cache=tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in files_below(tmp_path)} == kept


# --- tables that are not what they seem -------------------------------------------------------------------------------

READERS = {"text": (read_labelled_text, "word"), "sequence": (read_sequences, "ACGT")}
every_reader = pytest.mark.parametrize("column", READERS)


def rows_of(column, change=str, heading=None):
    """Twelve rows of two classes below a heading, as text; each content is there once."""
    word = READERS[column][1]
    rows = [f"{word * (number // 2 + 1)}{'TA'[number % 2]},{'ab'[number % 2]}" for number in range(12)]
    return "\n".join([heading or f"{column},label", *map(change, rows)])


def read_table(column, folder, content, **options):
    path = folder / "mine.csv"
    path.write_bytes(content.encode())
    return READERS[column][0](path, **options)


def count(splits):
    return sum(len(part[0]) for part in splits[:3])


@every_reader
def test_a_name_that_two_columns_have_is_refused(column, tmp_path):
    content = rows_of(column, lambda row: f"{row},c", f"{column},label,label")
    with pytest.raises(ValueError, match=r"mine\.csv has 2 columns 'label' in its first line, .*a name of its own"):
        read_table(column, tmp_path, content)


@every_reader
def test_a_row_wider_than_the_heading_is_named_and_never_cut_at_a_wrong_place(column, tmp_path):
    wide = rows_of(column).replace("\n", "\nACGT, ", 1)
    with pytest.raises(ValueError, match=r"mine\.csv, line 2 has 3 columns, the heading 2: .*in quotation marks"):
        read_table(column, tmp_path, wide)
    assert count(read_table(column, tmp_path, rows_of(column, lambda row: f"{row},,"))) == 12  # empty cells are none


@every_reader
def test_a_mark_at_the_beginning_and_white_space_in_the_heading_are_no_part_of_a_name(column, tmp_path):
    content = rows_of(column, heading=f"\ufeff{column} , label")
    assert count(read_table(column, tmp_path, content, encoding="utf-8")) == 12


@every_reader
def test_line_breaks_of_windows_and_white_space_make_no_other_class(column, tmp_path):
    content = rows_of(column, lambda row: f"{row} ").replace("\n", "\r\n")
    names = next(part for part in read_table(column, tmp_path, content)[3:] if isinstance(part, tuple))
    assert names == ("a", "b")


@every_reader
def test_a_file_that_is_not_there_and_a_delimiter_that_is_none_are_refused_with_what_to_pass(column, tmp_path):
    read = READERS[column][0]
    with pytest.raises(FileNotFoundError, match=r"There is no file .*none\.csv \(looked in .*\)\. Pass the path of a"):
        read(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match=r"is a folder\. Pass the path of a"):
        read(tmp_path)
    with pytest.raises(ValueError, match=r"delimiter='::'; pass a single character"):
        read_table(column, tmp_path, rows_of(column), delimiter="::")


# --- lessons and results that are damaged -----------------------------------------------------------------------------


def test_a_script_of_another_encoding_or_without_python_for_parameters_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("43_mine.py").write_bytes(LESSON.replace("tiny", "th\xe9").encode("latin-1"))
    Path("44_mine.py").write_text(LESSON.replace('"sample"', '"sample'), encoding="utf-8")
    said = []
    for name in ("43_mine.py", "44_mine.py"):
        assert cli.main(["run", name]) == 2
        said.append(capsys.readouterr().err)
    assert re.match(r"rnn-course: 43_mine\.py is not UTF-8 \(line 2: .* save it as UTF-8", said[0])
    assert "The cell tagged `parameters` is no Python" in said[1]
    assert files_below(tmp_path) == ["43_mine.py", "44_mine.py"]


def test_damaged_results_are_named_and_the_other_lessons_listed_all_the_same(tmp_path, monkeypatch, capsys):
    for name in ("lessons", "results"):
        (tmp_path / name).mkdir()
    for number in (42, 43):
        (tmp_path / "lessons" / f"{number}_tiny.py").write_text(LESSON, encoding="utf-8")
    damaged = tmp_path / "results" / "42_tiny.json"
    damaged.write_text('{"minutes": 4.')
    (tmp_path / "results" / "43_tiny.json").write_text('{"minutes": 4.26}')
    monkeypatch.setattr(find, "__file__", str(tmp_path / "rnn_course" / "lessons" / "find.py"))
    assert cli.main(["list"]) == 1
    said = capsys.readouterr()
    assert [line.split()[-1] for line in said.out.splitlines()] == ["minutes", "–", "4.3"]
    assert re.match(r"rnn-course: .*42_tiny\.json is damaged \(.*Run its lesson again", said.err)
    damaged.write_text('["minutes"]')
    with pytest.raises(ValueError, match=r"42_tiny\.json holds no dict with a number of `minutes`"):
        lessons.read_results(damaged)


# --- runs that cannot be saved ----------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder with a lesson of one's own, in which one is; the lesson is not executed, and gives RESULTS."""

    def executed(notebook, **options):
        return Execution(notebook, dict(RESULTS), 6.0)

    (tmp_path / "42_tiny.py").write_text(LESSON, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lessons, "execute", executed)
    return tmp_path


def test_a_run_that_finds_no_room_shows_its_results_and_leaves_the_earlier_one(course, capsys):
    assert cli.main(["run", "42_tiny.py"]) == 0
    earlier = (course / "runs" / "42_tiny" / "results.json").read_bytes()
    capsys.readouterr()
    with disk_with_room(20):
        code = cli.main(["run", "42_tiny.py"])
    said = capsys.readouterr()
    assert code == 1 and "75.0 %" in said.out and "In runs" not in said.out
    assert re.search(
        r"could not be saved in runs.42_tiny: .*File too large.*Pass --out a folder .*, on a disk with", said.err
    )
    assert (course / "runs" / "42_tiny" / "results.json").read_bytes() == earlier
    assert files_below(course) == ["42_tiny.py", "runs/42_tiny/42_tiny.ipynb", "runs/42_tiny/results.json"]


def test_a_failed_run_that_finds_no_room_says_so_and_leaves_nothing_half_written(course, monkeypatch, capsys):
    def fail(notebook, **options):
        raise LessonError("Cell 1 of 2 failed", notebook)

    monkeypatch.setattr(lessons, "execute", fail)
    with disk_with_room(20):
        assert cli.main(["run", "42_tiny.py"]) == 1
    said = capsys.readouterr().err
    assert re.search(r"Cell 1 of 2 failed\n.*could not be kept in runs.42_tiny: .*File too large", said)
    assert files_below(course) == ["42_tiny.py"]


def test_a_folder_that_cannot_be_made_is_named_before_anything_runs(course, monkeypatch, capsys):
    (course / "runs").write_text("a file where the folder of all runs would be")
    monkeypatch.setattr(lessons, "execute", None)  # it would not be callable
    assert cli.main(["run", "42_tiny.py"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"rnn-course: the run could not be saved in {Path('runs', '42_tiny')}: ")
    assert "Pass --out a folder that you may write to" in said


def test_what_a_killed_run_left_is_removed_and_what_it_had_moved_away_is_put_back(course, capsys):
    assert cli.main(["run", "42_tiny.py"]) == 0
    out, process = course / "runs" / "42_tiny", gone_process()
    out.rename(left_by(process, out, f"part{run.EARLIER}"))  # killed between the two moves
    begun = left_by(process, out, "part")
    (begun / "files").mkdir(parents=True)
    alive = name_beside(out, "part")  # this process is not gone
    alive.mkdir()
    with disk_with_room(20):
        assert cli.main(["run", "42_tiny.py"]) == 1
    assert json.loads((out / "results.json").read_text()) == RESULTS
    assert not begun.exists() and not abandoned_beside(out)


def test_a_home_that_cannot_be_written_stops_neither_a_run_nor_the_search_for_data(tmp_path):
    # Below /dev/null nobody can make a folder, not even root.
    (tmp_path / "42_tiny.py").write_text(LESSON, encoding="utf-8")
    places = ("RNN_COURSE_DATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "IPYTHONDIR", "KERAS_HOME")
    environment = {name: value for name, value in SOURCE_ROOT.items() if name not in places}
    environment["HOME"] = f"{os.devnull}/home"
    command = [sys.executable, "-m", "rnn_course.cli"]
    options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run([*command, "run", "42_tiny.py"], **options)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "runs" / "42_tiny" / "results.json").read_text()) == RESULTS
    done = subprocess.run([*command, "data", "list"], **options)
    assert done.returncode == 0 and done.stdout.endswith(f"Cache: {os.devnull}/home/.cache/rnn_course\n")


# --- killed processes -------------------------------------------------------------------------------------------------


def test_what_a_killed_process_left_goes_with_the_next_write_and_what_a_living_one_writes_stays(tmp_path):
    path = tmp_path / "a.txt"
    abandoned, other = left_by(gone_process(), path, "1.part"), left_by(gone_process(), tmp_path / "b.txt", "1.part")
    living = name_beside(path, "1.part")
    for part in (abandoned, other, living):
        part.write_text("half")
    with written_whole(path) as part:
        assert not abandoned.exists()
        part.write_text("whole")
    assert path.read_text() == "whole"
    assert files_below(tmp_path) == sorted(each.name for each in (path, other, living))


def test_what_a_power_cut_left_beside_a_state_goes_an_hour_later_with_the_next_one(tmp_path):
    old, new, another = (tmp_path / f".state.npz.{ending}" for ending in ("0" * 32, "1" * 32, "backup"))
    for part, age in ((old, 3_700), (new, 3_500), (another, 9_999)):
        part.write_text("half")
        os.utime(part, (time.time() - age, time.time() - age))
    save_state(tmp_path / "state.npz", State(("h",), (np.ones((1, 1)),)))
    assert files_below(tmp_path) == [new.name, another.name, "state.npz"]


@contextlib.contextmanager
def stalling_server(content):
    """A server that sends half of a file and then nothing more, until it is told to."""
    over, stalled = threading.Event(), threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(120)

    def serve():
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            with caller:
                asked = caller.recv(65_536)
                whole = over.is_set()
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()
                with contextlib.suppress(OSError):
                    caller.sendall(head)
                    if asked.startswith(b"GET"):
                        caller.sendall(content if whole else content[: len(content) // 2])
                        stalled.set()
                        over.wait(120)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/words.txt", stalled, over
    finally:
        over.set()
        listening.close()


FETCH = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from rnn_course.data import cache, registry
url, size, digest, folder = sys.argv[1:]
tiny = registry.DataSet("tiny", "MIT", "nobody", (registry.DataFile("words.txt", int(size), digest, url),))
cache.fetch(tiny, directory=Path(folder), timeout=100)
"""


def test_a_killed_download_is_never_read_and_the_next_one_takes_it_away_while_ctrl_c_leaves_nothing(tmp_path):
    content = b"open sesame\n" * 20_000
    with stalling_server(content) as (url, stalled, over):
        file = DataFile("words.txt", len(content), cache.hashlib.sha256(content).hexdigest(), url)
        command = [sys.executable, "-c", FETCH, url, str(file.bytes), file.sha256, str(tmp_path)]
        left = []
        for sign in (signal.SIGINT, signal.SIGKILL):
            stalled.clear()
            process = subprocess.Popen(command, env=SOURCE_ROOT, stderr=subprocess.DEVNULL)
            assert stalled.wait(120)
            wait_until(lambda: any(path.stat().st_size for path in (tmp_path / "tiny").iterdir()))
            process.send_signal(sign)
            process.wait(120)
            left.append(files_below(tmp_path))
            over.set()  # the server lets this caller go
            over.clear()
        assert left[0] == [] and len(left[1]) == 1 and left[1][0].startswith("tiny/.words.txt.")
        over.set()
        tiny = DataSet("tiny", "MIT", "nobody", (file,))
        assert cache.status(tiny, directory=tmp_path)[0].state == "missing"
        assert cache.fetch(tiny, directory=tmp_path)["words.txt"].read_bytes() == content
    assert files_below(tmp_path) == ["tiny/words.txt"]


def wait_until(fact, seconds=180):
    """Wait for a fact to become true."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(process):
    """Tell whether a process runs; one that has ended and waits to be asked for does not."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat")
        return not (state.is_file() and state.read_text().rpartition(")")[2].split()[0] == "Z")
    return False


def load_tool():
    spec = importlib.util.spec_from_file_location("notebooks_tool", ROOT / "tools" / "notebooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


README = "# Course\n\n<!-- lessons:begin -->\n<!-- lessons:end -->\n"
BUILD = """
import runpy, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
main = runpy.run_path(sys.argv[1])["main"]
sys.exit(main(["build", "42", "--allow-sample"], root=Path(sys.argv[2])))
"""
SLEEPY = """
# %%
import os, pathlib, time
place = pathlib.Path(PLACE)
if place.is_dir():
    (place / "part").write_text(str(os.getpid()))
    (place / "part").rename(place / "here")
    time.sleep(300)
"""


def test_a_build_that_is_killed_or_interrupted_leaves_the_old_notebook_whole_and_no_kernel(tmp_path):
    place, course = tmp_path / "place", tmp_path / "course"
    (course / "lessons").mkdir(parents=True)
    script = LESSON + SLEEPY.replace("PLACE", repr(str(place)))
    (course / "lessons" / "42_tiny.py").write_text(script, encoding="utf-8")
    (course / "README.md").write_text(README, encoding="utf-8")
    command = [sys.executable, "-c", BUILD, str(ROOT / "tools" / "notebooks.py"), str(course)]
    options = {"env": SOURCE_ROOT, "stderr": subprocess.PIPE, "text": True}
    for old in (course / "notebooks" / "42_tiny.ipynb", course / "results" / "42_tiny.json"):
        old.parent.mkdir()
        old.write_text("as an earlier build left it")
    before = {name: (course / name).read_bytes() for name in files_below(course)}
    ended = {}
    for sign in (signal.SIGINT, signal.SIGKILL):
        place.mkdir()
        process = subprocess.Popen(command, **options)
        wait_until((place / "here").exists)
        kernel = int((place / "here").read_text())
        process.send_signal(sign)
        ended[sign] = process.communicate(timeout=180)[1], process.returncode
        wait_until(lambda number=kernel: not is_alive(number), seconds=30)
        assert {name: (course / name).read_bytes() for name in files_below(course)} == before
        (place / "here").unlink()
        place.rmdir()
    said, code = ended[signal.SIGINT]
    assert code == 130 and said.endswith("notebooks: interrupted; nothing half-written was left behind.\n")
    assert ended[signal.SIGKILL][1] == -signal.SIGKILL
    done = subprocess.run(command, **options)
    assert done.returncode == 0, done.stderr
    assert set(files_below(course)) == set(before)
    assert json.loads((course / "results" / "42_tiny.json").read_text())["test_accuracy"] == 0.75
