"""A trained Keras model as a stream: it takes what comes, one step or many, and holds its state in your hands."""

import keras
import numpy as np

from rnn_course.probes.layers import walk
from rnn_course.streaming.numpy_stream import Ports, State
from rnn_course.streaming.step_model import build_chunk_model, rebuild_stream


class Stream:
    """A trained recurrent Keras model that goes on where it stopped.

    The weights are the model's own: training it further changes what the stream says next. A step is a function of
    what comes in and of the state, and changes neither; so a state can be kept, saved, gone back to, or continued
    twice.

    Three models are compiled, each when it is first needed for a number of streams side by side: one takes a step, one
    a fixed block of steps as one XLA loop, one the rest of a chunk, whatever its length, without being compiled anew.
    """

    def __init__(self, model, *, block=256, each_step=()):
        """Take a model apart; there are no arrays yet.

        Args:
            model: a built Keras model; see `build_step_model`.
            block: how many steps of a long chunk are taken in one compiled loop.
            each_step: layer classes of your own that treat each step alone.

        Raises:
            ValueError: the model cannot be streamed, or block is not positive; says why.
        """
        if block < 1:
            raise ValueError(f"block is {block}; pass a number of steps, 1 or more.")
        rebuilt = rebuild_stream(model, 1, each_step)
        chunks = build_chunk_model(model, each_step=each_step)
        self.layers = list(dict.fromkeys(rebuilt.layers))
        self.block = block
        self.ports = ports_of(rebuilt.model)
        self.squeezes = not rebuilt.flat
        self.vectors = number_of_vectors(model) if self.ports.ids else None
        self.one_step = compiled(rebuilt.model, jit=True)
        self.one_block = compiled(chunks, jit=True)
        self.any_steps = compiled(keras.Model(chunks.inputs, chunks.outputs), jit=False)

    def initial_state(self, batch=1):
        """The `State` before the first step, `(batch, units)`, for `batch` streams side by side."""
        states = keras.tree.flatten([layer.get_initial_state(batch) for layer in self.layers])
        return State(self.ports.names, tuple(np.array(keras.ops.convert_to_numpy(state)) for state in states))

    def step(self, x, state):
        """Take one step.

        Args:
            x: `(batch, features)` numbers or `(batch,)` token ids; `(features,)` or one id for a single stream.
            state: the `State` after the steps before, arrays `(batch, units)`; it is not changed.

        Returns:
            What the model says after this step, `(batch, …)`, or `(…)` for a single stream; and the new `State`.

        Raises:
            ValueError: x has another shape or an id without a vector, or the state is that of another stream.
        """
        x, single = self.incoming(x, state, 1)
        y, state = self.call(self.one_step, x[:, None], state)
        y = y[:, 0] if self.squeezes else y
        return (y[0] if single else y), state

    def run(self, chunk, state):
        """Take any number of steps, also none.

        However a sequence is cut into chunks, the outputs are those of the whole, up to rounding.

        Args:
            chunk: `(batch, time, features)` numbers or `(batch, time)` ids; without the batch for a single stream.
            state: the `State` after the steps before, arrays `(batch, units)`; it is not changed.

        Returns:
            What the model says after each step, `(batch, time, …)`, or `(time, …)`; and the `State` after the last.

        Raises:
            ValueError: as in `step`.
        """
        chunk, single = self.incoming(chunk, state, 2)
        batch, time = chunk.shape[:2]
        _, _, *sizes = self.any_steps.outputs[0].shape
        found = [np.empty((batch, 0, *sizes), self.any_steps.outputs[0].dtype)]
        for begin in range(0, time, self.block):
            piece = chunk[:, begin : begin + self.block]
            model = self.one_block if piece.shape[1] == self.block else self.any_steps
            y, state = self.call(model, piece, state)
            found.append(y)
        y = np.concatenate(found, axis=1)
        return (y[0] if single else y), state

    def incoming(self, x, state, axes):
        """Check what comes in as `Ports.incoming` does, `(batch, …)`; refuse ids without a vector, too.

        Compiled code takes the nearest vector for them, and says nothing.
        """
        x, single = self.ports.incoming(x, state, axes)
        if self.vectors is not None and x.size and not 0 <= x.min() <= x.max() < self.vectors:
            wrong = np.unique(x[(x < 0) | (x >= self.vectors)])[:5].tolist()
            raise ValueError(f"Token ids {wrong} came; the model has vectors for 0 to {self.vectors - 1}.")
        return x, single

    def call(self, model, x, state):
        """Call a model on `(batch, time, …)` and a `State`, arrays `(batch, units)`; return its outputs likewise."""
        y, *arrays = model.predict_on_batch([x, *state.arrays])
        return y, State(self.ports.names, tuple(arrays))


def number_of_vectors(model):
    """How many ids the first `Embedding` of a model has vectors for; None where it has none; no arrays."""
    first = next((layer for _, layer in walk(model, keras.layers.Embedding)), None)
    return None if first is None else first.input_dim


def compiled(model, *, jit):
    """Compile a model for predictions, with XLA or without, and return it; takes and returns no arrays."""
    model.compile(jit_compile=jit)
    return model


def ports_of(step_model):
    """Read off a step model what it takes, as `Ports`; takes and returns no arrays."""
    x, *states = step_model.inputs
    names, sizes = [state.name for state in states], [state.shape[-1] for state in states]
    features = tuple(x.shape[2:])
    return Ports(tuple(names), tuple(sizes), np.dtype(states[0].dtype), features, not features)
