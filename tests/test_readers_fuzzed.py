"""Readers of files, given bytes at random and damaged copies of good files: they read, or say what is wrong.

MIDI, FASTA and tables of sequences have such tests beside their others.
"""

import contextlib
import gzip
import io
import json
import pickle
import resource
import shutil
import tempfile
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rnn_course.data import read_clips, read_labelled_text, read_sentence_pairs, read_text
from rnn_course.data.moving_digits import read_idx
from rnn_course.data.poses import read_pose_file
from rnn_course.data.registry import data_sets
from rnn_course.features import extract_features, fingerprint
from rnn_course.lessons import build_notebook, default_parameters, read_lesson, read_results
from rnn_course.streaming.numpy_stream import (
    STATE_FORMAT,
    WEIGHTS_FORMAT,
    NumpyStream,
    State,
    load_state,
    save_state,
    write_arrays,
)

EXAMPLES = 30
ROOM = 2**31  # bytes that a reader may ask for
FUZZED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # without shrinking: what is found is short
    deadline=timedelta(seconds=30),  # a reader that hangs; a machine that is busy is not meant
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


# --- good files -------------------------------------------------------------------------------------------------------


def video(ending):
    """Six frames of 16 × 16 pixels."""
    stream = io.BytesIO()
    with av.open(stream, "w", format={".gif": "gif", ".mp4": "mp4", ".avi": "avi"}[ending]) as file:
        pictures = file.add_stream("gif" if ending == ".gif" else "mpeg4", rate=10)
        pictures.height = pictures.width = 16
        pictures.pix_fmt = "rgb8" if ending == ".gif" else "yuv420p"
        for light in range(20, 140, 20):
            frame = av.VideoFrame.from_ndarray(np.full((16, 16, 3), light, np.uint8), format="rgb24")
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode())
    return stream.getvalue()


def written(write):
    """The bytes of what `write(path)` puts into a file."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "good"))
        return Path(folder, "good").read_bytes()


def weights(path):
    """An LSTM of two units and a logit, as `export_weights` writes them."""
    described = [
        {"kind": "LSTM", "name": "lstm", "units": 2, "reset_after": False},
        {"kind": "Dense", "name": "logit", "units": 1, "activation": "sigmoid"},
    ]
    ports = {"states": ["hidden", "cell"], "sizes": [2, 2], "dtype": "float32", "features": [3], "ids": False}
    arrays = {"0_kernel": (3, 8), "0_recurrent_kernel": (2, 8), "0_bias": (8,), "1_kernel": (2, 1), "1_bias": (1,)}
    write_arrays(
        path,
        {"format": WEIGHTS_FORMAT, "description": json.dumps({"layers": described} | ports)}
        | {name: np.full(shape, 0.5, np.float32) for name, shape in arrays.items()},
    )


class Mean:
    """Stands for an image network."""

    input_shape, layers, get_weights = (None, 2, 2, 1), [], list

    @staticmethod
    def predict_on_batch(frames):
        return frames.mean(axis=(1, 2))


CLIPS = [np.full((2, 2, 2, 1), 3), np.full((1, 2, 2, 1), 5)]


def features(path):
    """The cache file of two clips."""
    folder = path.with_name("cache")
    extract_features(Mean, CLIPS, cache=folder)
    next(folder.iterdir()).rename(path)


def read_features(path):
    """Let `extract_features` find a file as its cache."""
    return extract_features(Mean, CLIPS, cache=path.rename(path.with_name(f"features-{fingerprint(Mean)}.npz")).parent)


def read_video(path):
    """Read the file as a clip of one class beside a second one."""
    for name in ("one", "two"):
        (path.parent / name).mkdir(exist_ok=True)
        (path.parent / name / path.name).write_bytes(path.read_bytes())
    return read_clips(path.parent, frames=3, size=(8, 8))[0]


def read_script(path):
    """Read a lesson of one's own, up to its parameters."""
    script = path.rename(path.with_name("42_mine.py"))
    read_lesson(script)
    return default_parameters(build_notebook(script))


def run_stream(path):
    """Load weights and take a step."""
    stream = NumpyStream.load(path)
    return stream.step(np.zeros((1, 3), np.float32), stream.initial_state())


SCRIPT = '# %% [markdown]\n# # 42. Mine\n\n# %% tags=["parameters"]\nSOURCE, FAST = "auto", False\nSEEDS = (0, 1)\n'
TABLE = "text,label\n" + "".join(f'"film, {i}",{"good" if i % 2 else "bad"}\n' for i in range(12))
REGISTRY = """\
[mine]
license = "MIT"
citation = "Somebody"
files = [{ path = "a.txt", bytes = 3, sha256 = "00", url = "https://example.org/a.txt" }]
"""
POSES = {"pose": [np.ones((2, 15, 2)), np.zeros((3, 15, 2))], "label": ["clap", "wave"]}


class Reader(NamedTuple):
    """A reader, the ending of its files, and a good one."""

    read: object
    ending: str
    good: bytes


TABS = TABLE.replace(",", "\t").replace("\t ", ", ").encode("utf-8-sig")
READERS = {
    "text": Reader(read_text, ".txt", ("The café, open.\r\n" * 9).encode()),
    "labelled text": Reader(read_labelled_text, ".csv", TABLE.encode()),
    "labelled text between tabs": Reader(read_labelled_text, ".tsv", TABS),
    "sentence pairs": Reader(read_sentence_pairs, ".tsv", "".join(f"zin {i}\tline {i}\n" for i in range(9)).encode()),
    **{f"clips {ending}": Reader(read_video, ending, video(ending)) for ending in (".gif", ".mp4", ".avi")},
    "poses": Reader(read_pose_file, ".pkl", pickle.dumps(POSES, protocol=3)),
    "digits": Reader(read_idx, ".gz", gzip.compress(b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01abcd")),
    "state": Reader(load_state, ".npz", written(lambda path: save_state(path, State(("h",), (np.ones((1, 3)),))))),
    "weights": Reader(run_stream, ".npz", written(weights)),
    "features": Reader(read_features, ".npz", written(features)),
    "results": Reader(read_results, ".json", b'{"minutes": 4.2, "source": "sample", "seeds": [0, 1]}'),
    "registry": Reader(data_sets, ".toml", REGISTRY.encode()),
    "lesson": Reader(read_script, ".py", SCRIPT.encode()),
}
every_reader = pytest.mark.parametrize("name", READERS)


# --- what is done to them ---------------------------------------------------------------------------------------------

SIZES = (b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\xff" * 8, b"\0" * 4)  # that a header may claim


def damaged(content, places):
    """A copy with some damages: (where from 0 to 1, what is done, with what)."""
    content = bytearray(content)
    for share, kind, number, piece in places:
        place = int(share * len(content))
        if kind == "flip" and content:
            content[min(place, len(content) - 1)] ^= 1 << number % 8
        elif kind == "cut":
            del content[place : place + number]
        elif kind == "end":
            del content[place:]
        else:
            content[place : place + (len(piece) if kind == "replace" else 0)] = piece
    return bytes(content)


KINDS = st.sampled_from(["flip", "flip", "cut", "end", "insert", "replace", "replace"])
DAMAGES = st.lists(
    st.tuples(st.floats(0, 1), KINDS, st.integers(0, 60), st.sampled_from(SIZES) | st.binary(max_size=6)),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module", autouse=True)
def little_memory():
    """Let this process ask for no more than ROOM beyond what it has, where the system can be told so."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(OSError, ValueError):  # elsewhere than on Linux
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def read_or_refuse(name, content, folder):
    """Read some content; what is raised is a ValueError that names the file."""
    shutil.rmtree(folder)
    folder.mkdir()
    reader = READERS[name]
    path = folder / f"mine{reader.ending}"
    path.write_bytes(content)
    try:
        reader.read(path)
    except ValueError as error:
        names = ["`parameters`", *(found.name for found in folder.rglob("*") if found.is_file())]
        assert any(each in str(error) for each in names), error
        return str(error)
    return "read"


@every_reader
def test_a_good_file_is_read(name, tmp_path):
    assert read_or_refuse(name, READERS[name].good, tmp_path) == "read"


@every_reader
@given(places=DAMAGES)
@FUZZED
def test_a_damaged_file_is_read_or_refused_by_its_name(name, places, tmp_path):
    read_or_refuse(name, damaged(READERS[name].good, places), tmp_path)


@every_reader
@given(head=st.integers(0, 40), content=st.binary(max_size=200) | st.text(max_size=80).map(str.encode))
@FUZZED
def test_a_file_that_goes_on_at_random_is_read_or_refused_by_its_name(name, head, content, tmp_path):
    read_or_refuse(name, READERS[name].good[:head] + content, tmp_path)


# --- what a header may claim ------------------------------------------------------------------------------------------


def many_numbers(kind):
    """An .npz that claims to hold 10¹² numbers, and holds none."""
    stream, header = io.BytesIO(), io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("h.npy", header.getvalue())
        for name, text in (("format", kind), ("description", "{}")):
            written = io.BytesIO()
            np.save(written, np.array(text))
            file.writestr(f"{name}.npy", written.getvalue())
    return stream.getvalue()


def wide_gif():
    """A GIF of 65,535 × 65,535 pixels, by its own account."""
    content = bytearray(READERS["clips .gif"].good)
    content[6:10] = b"\xff" * 4
    return bytes(content)


CLAIMS = {
    "a state": ("state", many_numbers(STATE_FORMAT), "is no whole .npz"),
    "weights": ("weights", many_numbers(WEIGHTS_FORMAT), "is no whole .npz"),
    "features": ("features", many_numbers(""), "cannot be read"),
    "a GIF": ("clips .gif", wide_gif(), "is no video, or a broken one"),
    "a pickle": ("poses", READERS["poses"].good.replace(b"q\x01", b"r\xff\xff\xff\x7f", 1), "number 2,147,483,647"),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_file_that_claims_to_be_huge_is_refused_by_its_name(claim, tmp_path):
    name, content, said = CLAIMS[claim]
    assert said in read_or_refuse(name, content, tmp_path)
