"""The cache of real data against every fault a disk or a network can have; the network is a server on the loopback."""

import builtins
import errno
import hashlib
import io
import os
import pickle
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from rnn_course.data import cache
from rnn_course.data.cache import DataError, fetch, status, verify
from rnn_course.data.registry import DataFile, DataSet

WORDS = b"a recurrent network is a machine you can open\n" * 400


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200 if self.path in self.server.files else 404)
        self.end_headers()

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.before_answer()
        body = self.server.files.get(self.path)
        self.send_response(404 if body is None else 200)
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        cut = self.server.cuts.pop(0) if self.server.cuts else None
        halt = self.server.halts.pop(0) if self.server.halts else 0
        self.wfile.write((body or b"")[:halt])
        self.server.at_halt(halt)
        self.wfile.write((body or b"")[halt:cut])
        if cut is not None:
            self.server.after_cut()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    """Serves `files`; each number in `cuts` ends one answer after so many bytes, each in `halts` halts one."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.files, running.cuts, running.asked = {"/words.txt": WORDS}, [], []
        running.halts, running.at_halt = [], lambda halt: None
        running.tells_length = True
        running.before_answer = running.after_cut = lambda: None
        running.url = f"http://127.0.0.1:{running.server_port}/words.txt"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def closed_url():
    """An address where nobody listens, as on a machine without a network."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    return f"http://127.0.0.1:{port}/words.txt"


def tiny(url, content=WORDS):
    file = DataFile("deep/words.txt", len(content), hashlib.sha256(content).hexdigest(), url)
    return DataSet("tiny", "MIT", "nobody", (file,))


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def put(folder, content):
    path = folder / "tiny" / "deep" / "words.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_file_is_downloaded_once_into_the_folder_of_its_data_set(server, tmp_path):
    paths = fetch(tiny(server.url), directory=tmp_path)
    assert paths == {"deep/words.txt": tmp_path / "tiny" / "deep" / "words.txt"}
    assert paths["deep/words.txt"].read_bytes() == WORDS
    assert fetch(tiny(server.url), directory=tmp_path) == paths
    assert server.asked == ["/words.txt"]
    assert files_below(tmp_path) == ["tiny/deep/words.txt"]


def test_a_downloaded_file_may_be_read_by_whom_the_umask_allows(server, tmp_path):
    path = fetch(tiny(server.url), directory=tmp_path)["deep/words.txt"]
    beside = tmp_path / "ordinary.txt"
    beside.write_text("")
    assert path.stat().st_mode == beside.stat().st_mode


def test_another_file_than_expected_is_refused_with_both_sums(server, tmp_path):
    wanted = tiny(server.url)
    server.files["/words.txt"] = other = WORDS.replace(b"machine", b"riddle!")
    with pytest.raises(DataError) as caught:
        fetch(wanted, directory=tmp_path)
    message = str(caught.value)
    assert "sent another file than the registry expects" in message
    assert hashlib.sha256(other).hexdigest() in message
    assert wanted.files[0].sha256 in message
    assert "source='sample'" in message
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    ("tells_length", "came"),
    [(True, "2000 bytes read, 16400 more expected"), (False, "2,000 of 18,400 bytes came")],
)
def test_a_download_that_is_cut_twice_says_how_much_came_and_leaves_nothing(server, tmp_path, tells_length, came):
    server.tells_length = tells_length
    server.cuts = [1_000, 2_000]
    with pytest.raises(DataError, match=r"The download from the server 127.0.0.1:\d+ failed") as caught:
        fetch(tiny(server.url), directory=tmp_path)
    assert came in str(caught.value)
    assert server.asked == ["/words.txt"] * 2
    assert files_below(tmp_path) == []


def test_a_download_that_is_cut_once_is_tried_again(server, tmp_path):
    server.cuts = [1_000]
    path = fetch(tiny(server.url), directory=tmp_path)["deep/words.txt"]
    assert path.read_bytes() == WORDS


def test_a_file_that_is_gone_from_the_server_is_named_and_not_asked_for_twice(server, tmp_path):
    wanted = tiny(server.url)
    server.files.clear()
    with pytest.raises(DataError, match="404") as caught:
        fetch(wanted, directory=tmp_path)
    assert server.url in str(caught.value)
    assert server.asked == ["/words.txt"]


def test_without_a_network_the_reason_is_short_and_says_what_to_do(closed_url, tmp_path):
    with pytest.raises(DataError) as caught:
        fetch(tiny(closed_url), directory=tmp_path)
    assert caught.value.reason == f"the server {closed_url.split('/')[2]} cannot be reached"
    assert "refused" in str(caught.value)
    assert "source='sample'" in str(caught.value)
    assert files_below(tmp_path) == []


def test_a_server_that_never_answers_is_given_up_in_time(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(DataError, match=r"gave no answer within 0\.3 s|cannot be reached"):
            fetch(tiny(f"http://127.0.0.1:{silent.getsockname()[1]}/x"), directory=tmp_path, timeout=0.3)
        assert time.monotonic() - begun < 3


def test_a_name_that_is_looked_up_for_ever_is_given_up_in_time(tmp_path, monkeypatch):
    # The look-up of names knows no time-out: a laptop on a network without a way out hangs here.
    over = threading.Event()
    look_up = socket.getaddrinfo

    def hang(*arguments, **options):
        over.wait(20)
        return look_up("127.0.0.1", 1)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begun = time.monotonic()
    with pytest.raises(DataError, match=r"gave no answer within 0\.3 s"):
        fetch(tiny("http://far.invalid/words.txt"), directory=tmp_path, timeout=0.3)
    assert time.monotonic() - begun < 3
    over.set()


def test_a_server_that_falls_silent_in_the_middle_is_given_up_in_time(server, tmp_path):
    over = threading.Event()
    server.cuts = [1_000, 1_000]
    server.after_cut = lambda: over.wait(20)
    begun = time.monotonic()
    with pytest.raises(DataError, match="timed out"):
        fetch(tiny(server.url), directory=tmp_path, timeout=0.3)
    assert time.monotonic() - begun < 5
    over.set()
    assert files_below(tmp_path) == []


@pytest.fixture
def read_only(tmp_path, monkeypatch):
    """Refuses every way of writing below the folder, as a read-only disk does, also to root."""

    def refusing(function, error):
        def guarded(path, *arguments, **options):
            reads = function.__name__ == "open" and not set("wax+") & set("".join(arguments[:1]))
            if str(path).startswith(str(tmp_path)) and not reads:
                raise OSError(error, os.strerror(error), str(path))
            return function(path, *arguments, **options)

        return guarded

    def switch_on(error=errno.EROFS):
        for room, name in ((builtins, "open"), (io, "open"), *((os, each) for each in ("mkdir", "replace", "unlink"))):
            monkeypatch.setattr(room, name, refusing(getattr(room, name), error))

    return switch_on


def test_a_read_only_cache_with_the_right_files_needs_no_writing(closed_url, tmp_path, read_only):
    path = put(tmp_path, WORDS)
    read_only()
    assert fetch(tiny(closed_url), directory=tmp_path) == {"deep/words.txt": path}
    assert verify(tiny(closed_url), directory=tmp_path)[0].state == "verified"
    with pytest.raises(OSError, match="Read-only"):  # the hook does refuse
        path.write_bytes(b"")


@pytest.mark.parametrize("error", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_read_only_cache_without_the_file_says_where_to_put_it(server, tmp_path, read_only, error):
    read_only(error)
    with pytest.raises(DataError) as caught:
        fetch(tiny(server.url), directory=tmp_path)
    assert caught.value.reason == "the cache cannot be written"
    assert os.strerror(error) in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert "RNN_COURSE_DATA" in str(caught.value)


def test_a_folder_in_the_place_of_a_file_is_an_error_and_stays(server, tmp_path):
    folder = tmp_path / "tiny" / "deep" / "words.txt"
    folder.mkdir(parents=True)
    with pytest.raises(DataError, match="cannot be written"):
        fetch(tiny(server.url), directory=tmp_path)
    assert folder.is_dir()
    assert files_below(tmp_path) == []


class FullDisk(io.BufferedWriter):
    """A file on a disk that has room for 1,000 bytes."""

    room = 1_000

    def write(self, content):
        self.room -= len(content)
        if self.room < 0:
            super().write(content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


def test_a_full_disk_says_how_much_room_is_needed_and_leaves_nothing(server, tmp_path, monkeypatch):
    def open_full(path, mode):
        return FullDisk(io.FileIO(path, "w")) if "w" in mode else open(path, mode)

    damaged = put(tmp_path, b"older bytes")
    monkeypatch.setattr(cache, "open", open_full, raising=False)
    with pytest.raises(DataError) as caught:
        fetch(tiny(server.url), directory=tmp_path)
    assert "the disk of the cache is full" in caught.value.reason
    assert "18,400 bytes" in str(caught.value)
    assert server.asked == ["/words.txt"]
    assert files_below(tmp_path) == ["tiny/deep/words.txt"]
    assert damaged.read_bytes() == b"older bytes"


@pytest.mark.parametrize("damaged", [WORDS[:-5], WORDS.replace(b"open", b"shut"), b""], ids=["cut", "other", "empty"])
def test_a_damaged_cached_file_is_replaced_and_until_then_stays(server, tmp_path, damaged):
    path = put(tmp_path, damaged)
    seen = []
    server.before_answer = lambda: seen.append(path.read_bytes())
    assert fetch(tiny(server.url), directory=tmp_path)["deep/words.txt"].read_bytes() == WORDS
    assert seen == [damaged]
    assert files_below(tmp_path) == ["tiny/deep/words.txt"]


@pytest.mark.parametrize("damaged", [WORDS[:-5], WORDS.replace(b"open", b"shut")], ids=["cut", "other"])
def test_a_damaged_cached_file_is_never_used_and_never_lost_without_a_network(closed_url, tmp_path, damaged):
    path = put(tmp_path, damaged)
    with pytest.raises(DataError) as caught:
        fetch(tiny(closed_url), directory=tmp_path)
    assert caught.value.reason.startswith("the cached words.txt is damaged and the server 127.0.0.1")
    came = "18,395 bytes, expected 18,400" if len(damaged) < len(WORDS) else hashlib.sha256(damaged).hexdigest()
    assert came in str(caught.value)
    assert "left as it is" in str(caught.value)
    assert path.read_bytes() == damaged


def test_a_damaged_cached_file_is_not_replaced_by_a_wrong_one(server, tmp_path):
    path = put(tmp_path, b"mine")
    wanted = tiny(server.url)
    server.files["/words.txt"] = WORDS[::-1]
    with pytest.raises(DataError, match=r"words\.txt is damaged and .* sent another file"):
        fetch(wanted, directory=tmp_path)
    assert path.read_bytes() == b"mine"


def test_an_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    def interrupt(self, url, stream, pooch, check_only=False):
        if not check_only:
            stream.write(WORDS[:100])
            raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(tiny(server.url), directory=tmp_path)
    assert files_below(tmp_path) == []


FETCH = """
import sys
from pathlib import Path
from rnn_course.data.cache import fetch
from rnn_course.data.registry import DataFile, DataSet
url, size, digest, folder = sys.argv[1:]
tiny = DataSet("tiny", "MIT", "nobody", (DataFile("deep/words.txt", int(size), digest, url),))
print(fetch(tiny, directory=Path(folder))["deep/words.txt"].stat().st_size)
"""


def test_two_processes_at_once_both_get_the_whole_file(server, tmp_path):
    # The second begins when the first has three quarters, and has one quarter when the first ends.
    content = server.files["/words.txt"] = WORDS * 40
    target = tmp_path / "tiny" / "deep" / "words.txt"
    server.halts = [len(content) * 3 // 4, len(content) // 4]
    reached = {halt: threading.Event() for halt in server.halts}
    first, second = server.halts

    def at_halt(halt):
        reached[halt].set()
        if halt == first:
            reached[second].wait(30)
        given_up = time.monotonic() + 5
        while halt == second and not target.exists() and time.monotonic() < given_up:
            time.sleep(0.01)

    server.at_halt = at_halt
    file = tiny(server.url, content).files[0]
    command = [sys.executable, "-c", FETCH, file.url, str(file.bytes), file.sha256, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True)]
    assert reached[first].wait(30)
    running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    assert [process.communicate(timeout=60)[0] for process in running] == [f"{len(content)}\n"] * 2
    assert server.asked == ["/words.txt"] * 2
    assert target.read_bytes() == content
    assert files_below(tmp_path) == ["tiny/deep/words.txt"]


def test_a_replacement_that_cannot_be_moved_leaves_the_old_file(server, tmp_path, monkeypatch):
    def refuse(part, target):
        raise OSError(errno.EIO, "Input/output error")

    path = put(tmp_path, b"older bytes")
    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(DataError, match="the cache cannot be written"):
        fetch(tiny(server.url), directory=tmp_path)
    assert path.read_bytes() == b"older bytes"
    assert files_below(tmp_path) == ["tiny/deep/words.txt"]


def test_a_file_that_another_process_put_there_meanwhile_is_taken(server, tmp_path, monkeypatch):
    # Windows refuses to move a file onto one that another process reads.
    def refuse(part, target):
        Path(target).write_bytes(WORDS)
        raise PermissionError(errno.EACCES, "in use")

    monkeypatch.setattr(os, "replace", refuse)
    assert fetch(tiny(server.url), directory=tmp_path)["deep/words.txt"].read_bytes() == WORDS
    assert files_below(tmp_path) == ["tiny/deep/words.txt"]


def test_status_looks_at_sizes_and_verify_at_sums(closed_url, tmp_path):
    wanted = tiny(closed_url)
    states = []
    for content in (None, b"short", WORDS[::-1], WORDS):
        folder = tmp_path / str(len(states))
        if content is not None:
            put(folder, content)
        states.append((status(wanted, directory=folder)[0].state, verify(wanted, directory=folder)[0].state))
    assert states == [("missing", "missing"), ("damaged", "damaged"), ("cached", "damaged"), ("cached", "verified")]
    assert verify(wanted, directory=tmp_path / "1")[0].detail == "5 bytes, expected 18,400"


def test_a_file_that_cannot_be_read_is_damaged_and_says_why(closed_url, tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(errno.EACCES, "Permission denied")

    put(tmp_path, WORDS)
    monkeypatch.setattr(cache, "open", refuse, raising=False)
    found = verify(tiny(closed_url), directory=tmp_path)[0]
    assert (found.state, found.detail) == ("damaged", "bytes that cannot be read (Permission denied)")


def test_the_environment_names_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    assert cache.cache_directory() == tmp_path
    monkeypatch.setenv("RNN_COURSE_DATA", "~/corpora")
    assert cache.cache_directory() == Path.home() / "corpora"
    for unset in ("", None):
        monkeypatch.setenv("RNN_COURSE_DATA", unset) if unset == "" else monkeypatch.delenv("RNN_COURSE_DATA")
        assert cache.cache_directory() == Path(pooch.os_cache("rnn_course"))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_sees_a_progress_bar_and_a_notebook_does_not(server, tmp_path, monkeypatch):
    for stream, progress, shown in ((Terminal(), True, True), (io.StringIO(), True, False), (Terminal(), False, False)):
        monkeypatch.setattr(sys, "stderr", stream)
        fetch(tiny(server.url), directory=tmp_path / str(id(stream)), progress=progress)
        assert ("deep/words.txt" in stream.getvalue()) == shown


def test_an_unknown_data_set_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no data set 'imdb'. Pass one of: sst2, sms_spam, "):
        fetch("imdb")


def test_the_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(DataError("the disk is full", "Free some.")))
    assert (str(error), error.reason) == ("The disk is full. Free some.", "the disk is full")
