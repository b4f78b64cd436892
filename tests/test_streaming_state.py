"""A state goes to a file and comes back bit for bit; whatever happens on the way, no half file is taken for a whole."""

import os

import numpy as np
import pytest

from rnn_course.streaming import State, load_state, save_state

STATE = State(
    ("lstm_hidden", "lstm_cell", "gru_hidden"),
    (
        np.array([[-0.0, np.nan, np.inf]], np.float32),
        np.array([[1e-45, 1 / 3, -1.0]], np.float32),
        np.array([[np.pi]], np.float64),
    ),
)


def test_a_state_comes_back_bit_for_bit(tmp_path):
    save_state(tmp_path / "state", STATE)
    found = load_state(tmp_path / "state")
    assert found.names == STATE.names
    assert [(array.dtype, array.tobytes()) for array in found.arrays] == [
        (array.dtype, array.tobytes()) for array in STATE.arrays
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["state"]


def test_a_state_knows_its_bytes():
    assert STATE.nbytes == 3 * 4 + 3 * 4 + 8


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    save_state(path, STATE)
    whole = path.read_bytes()

    def broken(file, **arrays):
        file.write(whole[: len(whole) // 2])
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", broken)
    with pytest.raises(OSError, match="No space left"):
        save_state(path, State(("h",), (np.zeros((1, 1)),)))
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_finds_the_old_file_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path, replace, seen = tmp_path / "state.npz", os.replace, []
    save_state(path, STATE)

    def watched(part, target):
        seen.append(load_state(path).names)
        replace(part, target)
        seen.append(load_state(path).names)

    monkeypatch.setattr(os, "replace", watched)
    save_state(path, State(("h",), (np.zeros((1, 1)),)))
    assert seen == [STATE.names, ("h",)]
    assert load_state(path).names == ("h",)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.97])
def test_half_a_file_is_refused(tmp_path, share):
    path = tmp_path / "state.npz"
    save_state(path, STATE)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"state\.npz is no whole \.npz of arrays: .*Write it with save_state"):
        load_state(path)


def test_a_bit_that_flipped_is_noticed(tmp_path):
    path = tmp_path / "state.npz"
    save_state(path, STATE)
    found = bytearray(path.read_bytes())
    found[found.index(STATE.arrays[1].tobytes())] ^= 1
    path.write_bytes(found)
    with pytest.raises(ValueError, match="is no whole"):
        load_state(path)


def test_a_file_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(
        ValueError, match=r"other\.npz holds 'nothing that says what it is'; expected 'rnn_course state 1'"
    ):
        load_state(tmp_path / "other.npz")
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"array\.npy is no whole \.npz"):
        load_state(tmp_path / "array.npy")


def test_pickled_objects_are_refused(tmp_path):
    np.savez(tmp_path / "pickled.npz", format="rnn_course state 1", h=np.array([{"a": 1}], object))
    with pytest.raises(ValueError, match=r"pickled\.npz is no whole"):
        load_state(tmp_path / "pickled.npz")


def test_no_file_is_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_state(tmp_path / "state.npz")
