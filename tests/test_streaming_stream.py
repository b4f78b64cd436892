"""However the input is cut, and wherever the stream is stopped and started again, it says what the whole says."""

import functools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from small_models import fill
from streaming_models import BATCH, FEATURES, MODELS, NUMBERS, TIME, inputs_of, model, reads_numbers, whole

from rnn_course.streaming import State, Stream, load_state, save_state


@functools.cache
def stream(name):
    """One stream of each model, so that each is compiled once; blocks so short that chunks are longer and shorter."""
    return Stream(model(name), block=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("states")


CUTS = st.lists(st.tuples(st.integers(0, TIME), st.booleans()), max_size=5)


@pytest.mark.parametrize("name", MODELS)
def test_any_cutting_gives_what_the_whole_gives(name, folder):
    # A cut may fall on another one or on an end: then a chunk is empty. Behind some cuts the state goes through a file.
    @given(CUTS)
    @settings(max_examples=20, deadline=None, derandomize=True)
    def cut(cuts):
        state, begin, said = stream(name).initial_state(BATCH), 0, []
        for end, restart in [*sorted(cuts), (TIME, False)]:
            y, state = stream(name).run(inputs_of(name)[:, begin:end], state)
            said.append(y)
            begin = end
            if restart:
                save_state(folder / "state.npz", state)
                state = load_state(folder / "state.npz")
        np.testing.assert_allclose(np.concatenate(said, axis=1), whole(name), rtol=0, atol=1e-6)

    cut()


@pytest.mark.parametrize("name", MODELS)
def test_one_step_after_the_other_gives_what_the_whole_gives(name):
    state, said = stream(name).initial_state(BATCH), []
    for t in range(TIME):
        y, state = stream(name).step(inputs_of(name)[:, t], state)
        said.append(y)
    np.testing.assert_allclose(np.stack(said, axis=1), whole(name), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["lstm", "stacked_ids", "last_output"])
def test_a_single_stream_needs_no_batch_axis(name):
    inputs, one = inputs_of(name)[1], stream(name)
    first, state = one.step(inputs[0], one.initial_state())
    rest, _ = one.run(inputs[1:], state)
    np.testing.assert_allclose(np.vstack([first[None], rest]), whole(name)[1], rtol=0, atol=1e-6)


def test_a_linear_rnn_that_keeps_half_says_one_half_quarter():
    one = reads_numbers(layers.SimpleRNN(1, activation="linear", return_sequences=True))
    one.set_weights([np.ones((FEATURES, 1)), np.array([[0.5]]), np.zeros(1)])
    reader = Stream(one)
    y, state = reader.step(np.array([1.0, 0, 0]), reader.initial_state())
    z, _ = reader.run(np.zeros((2, FEATURES)), state)
    assert [*y, *z[:, 0]] == [1, 0.5, 0.25]


@pytest.mark.parametrize(
    "take", [lambda one, state: one.step(NUMBERS[:, 0], state), lambda one, state: one.run(NUMBERS, state)]
)
def test_a_step_changes_no_state_but_returns_a_new_one(take):
    one = stream("lstm")
    _, state = one.run(NUMBERS, one.initial_state(BATCH))
    kept = [array.copy() for array in state.arrays]
    first, after = take(one, state)
    for array in after.arrays:
        array[:] = 9.0
    again, _ = take(one, state)
    assert all(map(np.array_equal, state.arrays, kept))
    np.testing.assert_array_equal(first, again)


def test_no_steps_say_nothing_and_leave_the_state():
    for name, words in (("lstm", (BATCH, 0, 2)), ("last_output", (BATCH, 0, 2))):
        state = stream(name).initial_state(BATCH)
        y, after = stream(name).run(NUMBERS[:, :0], state)
        assert y.shape == words and y.dtype == np.float32
        assert all(map(np.array_equal, after.arrays, state.arrays))


def test_the_stream_follows_the_weights_of_its_model():
    one = fill(MODELS["gru"](), seed=3)
    reader = Stream(one)
    before, _ = reader.step(NUMBERS[:, 0], reader.initial_state(BATCH))
    fill(one, seed=4)
    after, _ = reader.step(NUMBERS[:, 0], reader.initial_state(BATCH))
    assert np.abs(before - after).max() > 0.1
    np.testing.assert_allclose(after, one.predict(NUMBERS[:, :1], verbose=0)[:, 0], atol=1e-6)


class Trusting(keras.layers.SimpleRNNCell):
    """A cell that does not begin at zero."""

    def get_initial_state(self, batch_size=None):
        return [keras.ops.full((batch_size, self.units), 0.25)]


def test_a_cell_of_ones_own_begins_where_it_says():
    one = fill(reads_numbers(layers.RNN(Trusting(4), return_sequences=True)))
    reader = Stream(one, block=TIME)
    state = reader.initial_state(BATCH)
    assert np.array_equal(state.arrays[0], np.full((BATCH, 4), 0.25, np.float32))
    np.testing.assert_allclose(reader.run(NUMBERS, state)[0], one.predict(NUMBERS, verbose=0), atol=1e-6)


WRONG = {
    "features": (
        lambda one: one.step(np.zeros((BATCH, 5)), one.initial_state(BATCH)),
        r"step got x of shape \(2, 5\); expected \(batch, 3\), or \(3,\) for a single stream",
    ),
    "a step to run": (
        lambda one: one.run(np.zeros(3), one.initial_state()),
        r"run got x of shape \(3,\); expected \(batch, time, 3\), or \(time, 3\) for a single stream",
    ),
    "a chunk to step": (
        lambda one: one.step(NUMBERS, one.initial_state(BATCH)),
        r"step got x of shape \(2, 9, 3\); expected \(batch, 3\)",
    ),
    "another batch": (
        lambda one: one.step(NUMBERS[:, 0], one.initial_state(3)),
        r"The state holds rnn_hidden \(3, 5\) float32, rnn_cell \(3, 5\) float32; for 2 stream\(s\) at once this one "
        r"expected rnn_hidden \(2, 5\) float32, rnn_cell \(2, 5\) float32\. Begin with initial_state\(batch\)",
    ),
    "another model": (
        lambda one: one.step(NUMBERS[:, 0], stream("gru").initial_state(BATCH)),
        r"The state holds rnn_hidden \(2, 5\) float32; for 2 stream",
    ),
    "another dtype": (
        lambda one: one.step(NUMBERS[:, 0], State(one.ports.names, (np.zeros((BATCH, 5)), np.zeros((BATCH, 5))))),
        r"The state holds rnn_hidden \(2, 5\) float64",
    ),
    "numbers for ids": (
        lambda _: stream("stacked_ids").step(np.zeros(BATCH), stream("stacked_ids").initial_state(BATCH)),
        "takes token ids, and float64 came. Pass whole numbers of an int dtype",
    ),
    "no block": (lambda _: Stream(model("lstm"), block=0), "block is 0; pass a number of steps, 1 or more"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_does_not_fit_is_refused(wrong):
    use, words = WRONG[wrong]
    with pytest.raises(ValueError, match=words):
        use(stream("lstm"))
