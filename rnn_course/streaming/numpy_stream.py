"""A recurrent network on a device without TensorFlow: one step at a time, with NumPy alone.

This one file is all that the device needs besides NumPy and the .npz that `export_weights` wrote; copy it there.

    device = NumpyStream.load("weights.npz")
    state = device.initial_state()
    y, state = device.step(x, state)

Each step of a layer is one product of `[x, h, 1]` with all its weights stacked. At this size a step costs what its
calls cost, not what it computes, so calls are saved: the bias is a row of the matrix; a sigmoid is a tanh,
σ(a) = (1 + tanh(a / 2)) / 2, its halving done once in the weights, so that one tanh serves all gates; what is needed
on the way is written into arrays that are kept.
"""

import contextlib
import glob
import json
import os
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import numpy as np

STATE_FORMAT = "rnn_course state 1"
WEIGHTS_FORMAT = "rnn_course weights 1"


class State(NamedTuple):
    """What a stream knows of all it has read: as much after a million steps as after one.

    Attributes:
        names: the name of each array: `"lstm_1_hidden"`, `"lstm_1_cell"`, …
        arrays: a tuple of arrays, each `(batch, units)`.
    """

    names: tuple
    arrays: tuple

    @property
    def nbytes(self):
        """Bytes of all arrays `(batch, units)` together, an int."""
        return sum(array.nbytes for array in self.arrays)


# --- what goes in -----------------------------------------------------------------------------------------------------


class Ports(NamedTuple):
    """What a stream takes at each step; holds no arrays.

    Attributes:
        names: the name of each state.
        sizes: the units of each state.
        dtype: of the states and of the numbers that come in.
        features: the shape of one step of one stream: `()` for a token id, `(8,)` for eight sensors.
        ids: whether token ids come in.
    """

    names: tuple
    sizes: tuple
    dtype: np.dtype
    features: tuple
    ids: bool

    def incoming(self, x, state, axes):
        """Check what comes in, and give it a batch axis where there is none.

        Args:
            x: `(batch, *features)` with `axes` 1 or `(batch, time, *features)` with `axes` 2; or without the batch.
            state: the `State` it comes with, arrays `(batch, units)`.
            axes: a scalar, how many axes stand before the features: 1 or 2.

        Returns:
            The array with a batch axis, `(batch, …)`, and whether it had none.

        Raises:
            ValueError: x has another shape or kind, or the state is that of another stream.
        """
        x = np.asarray(x, None if self.ids else self.dtype)
        single = x.ndim - len(self.features) == axes - 1
        if single:
            x = x[None]
        if x.shape[axes:] != self.features or x.ndim != axes + len(self.features):
            raise ValueError(self.wrong_shape(x[0] if single else x, axes))
        if self.ids and x.dtype.kind not in "iu":
            raise ValueError(f"This stream takes token ids, and {x.dtype} came. Pass whole numbers of an int dtype.")
        self.refuse_state(state, len(x))
        return x, single

    def refuse_state(self, state, batch):
        """Raise ValueError unless a `State` is one of this stream, its arrays `(batch, units)`."""
        if not (hasattr(state, "names") and hasattr(state, "arrays")):  # a copy of this file has a State of its own
            raise ValueError(
                f"state is {type(state).__name__}; pass the State that initial_state({batch}) makes or that the step "
                "before gave back."
            )
        if state.names == self.names:
            pairs = zip(state.arrays, self.sizes, strict=True)
            if all([array.shape == (batch, size) and array.dtype == self.dtype for array, size in pairs]):
                return
        raise ValueError(self.wrong_state(state, batch))

    def wrong_shape(self, x, axes):
        """Say which shape came, `(…)`, and which were expected."""
        words = ("batch", "time")[:axes] + tuple(map(str, self.features))
        wanted = [f"({', '.join(part)}{',' * (len(part) == 1)})" for part in (words, words[1:])]
        function = ("step", "run")[axes - 1]
        return f"{function} got x of shape {x.shape}; expected {wanted[0]}, or {wanted[1]} for a single stream."

    def wrong_state(self, state, batch):
        """Say which arrays `(batch, units)` came in a `State`, and which were expected."""
        came = [f"{name} {array.shape} {array.dtype}" for name, array in zip(state.names, state.arrays, strict=True)]
        wanted = [f"{name} {(batch, size)} {self.dtype}" for name, size in zip(self.names, self.sizes, strict=True)]
        return (
            f"The state holds {', '.join(came)}; for {batch} stream(s) at once this one expected {', '.join(wanted)}. "
            "Begin with initial_state(batch), or go on with the state that the same model left."
        )


# --- files ------------------------------------------------------------------------------------------------------------


def save_state(path, state):
    """Write a state to a file, so that the stream survives a restart.

    Whoever reads the path at any moment, a power cut included, finds the old file or the new one, never half of one.

    Args:
        path: path of the file; an .npz file without pickled objects.
        state: a `State`, arrays `(batch, units)`.
    """
    write_arrays(path, {"format": STATE_FORMAT} | dict(zip(state.names, state.arrays, strict=True)))


def load_state(path):
    """Read what `save_state` wrote: a `State`, arrays `(batch, units)`, bit for bit.

    Args:
        path: path of the file.

    Raises:
        ValueError: the file holds something else, or is damaged.
        FileNotFoundError: there is none.
    """
    found = read_arrays(path, STATE_FORMAT, "save_state")
    return State(tuple(found), tuple(found.values()))


def write_arrays(path, arrays):
    """Write named arrays of any shape `(…)` to an .npz beside `path`, and move it there when it is complete.

    Args:
        path: path of the file.
        arrays: a dict of names and arrays, any shape `(…)`; `"format"` says what they are.
    """
    path = Path(path)
    remove_abandoned(path)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # `rnn_course.whole_files` does so, but is not here
    try:
        with open(part, "xb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def remove_abandoned(path):
    """Remove what `write_arrays` had begun beside a path when the power failed; takes and returns no arrays.

    What is younger than an hour may be another process's, which still writes.
    """
    for part in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * 32}"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > 3600:
                part.unlink()


def read_arrays(path, kind, writer):
    """Read what `write_arrays` wrote.

    Args:
        path: path of the file.
        kind: the `"format"` that it must have.
        writer: name of the function that writes such files.

    Returns:
        A dict of names and arrays, any shape `(…)`, without `"format"`.
    """
    with open(path, "rb") as raw:
        try:
            with np.load(raw, allow_pickle=False) as file:
                found = dict(file)
        except Exception as failure:  # a damaged file can raise anything, from zlib's errors to a lack of memory
            raise ValueError(f"{path} is no whole .npz of arrays: {failure}. Write it with {writer}.") from None
    came = str(found.pop("format", "nothing that says what it is"))
    if came != kind:
        raise ValueError(f"{path} holds {came!r}; expected {kind!r}. Write it with {writer}.")
    return found


# --- layers: (batch, features) in, (batch, units) out -----------------------------------------------------------------


def softmax(sums):
    """Probabilities `(batch, units)` of sums `(batch, units)`."""
    powers = np.exp(sums - sums.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


ACTIVATIONS = {
    "linear": lambda a: a,
    "tanh": np.tanh,
    "sigmoid": lambda a: 0.5 * np.tanh(0.5 * a) + 0.5,
    "relu": lambda a: np.maximum(a, 0),
    "softmax": softmax,
    "softplus": lambda a: np.logaddexp(a, np.zeros((), a.dtype)),
    "elu": lambda a: np.where(a > 0, a, np.expm1(np.minimum(a, 0))),
    "silu": lambda a: a * (0.5 * np.tanh(0.5 * a) + 0.5),
    "hard_sigmoid": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "exponential": np.exp,
}


def stack(kernel, recurrent_kernel, bias, gates, halved):
    """Put the weights of a cell into one matrix, for one product with `[x, h, 1]`.

    Args:
        kernel: `(features, gates * units)`.
        recurrent_kernel: `(units, gates * units)`.
        bias: `(gates * units,)`.
        gates: a list of numbers of gates, no array: the order in which they are wanted.
        halved: a scalar, how many of the first ones are sigmoids.

    Returns:
        `(features + units + 1, gates * units)`, contiguous by rows: the order in which a row vector times a matrix
        reads it.
    """
    units = len(recurrent_kernel)
    columns = np.concatenate([np.arange(gate * units, (gate + 1) * units) for gate in gates])
    matrix = np.vstack([kernel, recurrent_kernel, bias])[:, columns]
    matrix[:, : halved * units] *= 0.5
    return np.ascontiguousarray(matrix)


class Cell:
    """What the recurrent layers share: a stacked matrix, and kept arrays with their parts, one set a batch size."""

    def __init__(self, matrix, units):
        """Keep the stacked weights, `(features + units + 1, gates * units)`."""
        self.matrix = matrix
        self.units = units
        self.kept = {}

    def parts(self, batch):
        """The kept arrays: a row `[x, h, 1]`, its x and its h; the sums; and each gate's part, all `(batch, …)`."""
        if batch not in self.kept:
            rows, columns = self.matrix.shape
            row = np.ones((batch, rows), self.matrix.dtype)
            sums = np.empty((batch, columns), self.matrix.dtype)
            bounds = range(0, columns, self.units)
            gates = [sums[:, begin : begin + self.units] for begin in bounds]
            hidden = rows - 1 - self.units
            self.kept[batch] = row, row[:, :hidden], row[:, hidden:-1], sums, gates
        return self.kept[batch]


class LSTM(Cell):
    """Hochreiter & Schmidhuber (1997) with forget gates (Gers et al. 2000): states h and c, each `(batch, units)`."""

    def __init__(self, weights, **_):
        """Stack the weights of a Keras LSTM, `(features, 4 * units)` and so on."""
        super().__init__(stack(**weights, gates=[0, 1, 3, 2], halved=3), len(weights["recurrent_kernel"]))

    def __call__(self, x, old, new):
        """Take `(batch, features)` and two states `(batch, units)` from `old`; return h `(batch, units)`."""
        hidden, cell = next(old), next(old)
        row, row_x, row_hidden, sums, (put, keep, show, candidate) = self.parts(len(x))
        row_x[...] = x
        row_hidden[...] = hidden
        row.dot(self.matrix, sums)
        np.tanh(sums, sums)
        squashed = sums[:, : 3 * self.units]
        squashed *= 0.5
        squashed += 0.5
        put *= candidate
        cell = keep * cell
        cell += put  # c_t = f c_{t-1} + i g
        hidden = np.tanh(cell)
        hidden *= show  # h_t = o tanh(c_t)
        new += (hidden, cell)
        return hidden


class GRU(Cell):
    """Cho et al. (2014), the reset gate after the product (Keras' default) or before it: one state `(batch, units)`."""

    def __init__(self, weights, reset_after, **_):
        """Stack the weights of a Keras GRU, `(features, 3 * units)` and so on; h's part of the candidate stays out."""
        recurrent, bias = weights["recurrent_kernel"].copy(), np.atleast_2d(weights["bias"])
        units = len(recurrent)
        self.candidate_kernel = np.ascontiguousarray(recurrent[:, 2 * units :])
        recurrent[:, 2 * units :] = 0
        bias = np.vstack([bias, np.zeros_like(bias)])[:2]
        self.candidate_bias = bias[1, 2 * units :].copy()
        bias[1, 2 * units :] = 0
        self.reset_after = reset_after
        super().__init__(stack(weights["kernel"], recurrent, bias.sum(0), gates=[0, 1, 2], halved=2), units)

    def __call__(self, x, old, new):
        """Take `(batch, features)` and one state `(batch, units)` from `old`; return h `(batch, units)`."""
        hidden = next(old)
        row, row_x, row_hidden, sums, (keep, reset, candidate) = self.parts(len(x))
        row_x[...] = x
        row_hidden[...] = hidden
        row.dot(self.matrix, sums)
        squashed = sums[:, : 2 * self.units]
        np.tanh(squashed, squashed)
        squashed *= 0.5
        squashed += 0.5
        if self.reset_after:
            gated = hidden.dot(self.candidate_kernel)
            gated += self.candidate_bias
            gated *= reset
        else:
            gated = (hidden * reset).dot(self.candidate_kernel)
        candidate += gated
        np.tanh(candidate, candidate)
        hidden = hidden - candidate
        hidden *= keep
        hidden += candidate  # h_t = z h_{t-1} + (1 - z) g
        new.append(hidden)
        return hidden


class SimpleRNN(Cell):
    """Elman (1990): one state `(batch, units)`."""

    def __init__(self, weights, activation, **_):
        """Stack the weights of a Keras SimpleRNN, `(features, units)` and so on."""
        super().__init__(stack(**weights, gates=[0], halved=0), len(weights["recurrent_kernel"]))
        self.activation = ACTIVATIONS[activation]

    def __call__(self, x, old, new):
        """Take `(batch, features)` and one state `(batch, units)` from `old`; return h `(batch, units)`."""
        row, row_x, row_hidden, _, _ = self.parts(len(x))
        row_x[...] = x
        row_hidden[...] = next(old)
        hidden = self.activation(row.dot(self.matrix))
        new.append(hidden)
        return hidden


class Dense:
    """A product, a bias and an activation at each step."""

    def __init__(self, weights, activation, **_):
        """Keep a kernel `(features, units)` and a bias `(units,)`."""
        self.kernel, self.bias, self.units = weights["kernel"], weights["bias"], weights["kernel"].shape[1]
        self.activation = ACTIVATIONS[activation]

    def __call__(self, x, old, new):
        """Return `(batch, units)` for `(batch, features)`; there is no state."""
        sums = x.dot(self.kernel)
        sums += self.bias
        return self.activation(sums)


class Activation:
    """An activation by itself."""

    def __init__(self, weights, activation, units, **_):
        """Keep the function; there are no weights, so no arrays."""
        self.activation, self.units = ACTIVATIONS[activation], units

    def __call__(self, x, old, new):
        """Return `(batch, units)` for `(batch, units)`; there is no state."""
        return self.activation(x)


class Embedding:
    """A vector for each token id."""

    def __init__(self, weights, **_):
        """Keep the vectors `(vocabulary, units)`."""
        self.vectors = weights["embeddings"]
        self.vocabulary, self.units = self.vectors.shape

    def __call__(self, x, old, new):
        """Return `(batch, units)` for ids `(batch,)`; there is no state."""
        if x.min() < 0 or x.max() >= self.vocabulary:
            raise ValueError(f"Token ids {x.tolist()} came; the model has vectors for 0 to {self.vocabulary - 1}.")
        return self.vectors[x]


LAYERS = {kind.__name__: kind for kind in (Embedding, SimpleRNN, LSTM, GRU, Dense, Activation)}


# --- the stream -------------------------------------------------------------------------------------------------------


class NumpyStream:
    """A trained recurrent network that takes one step at a time, with NumPy alone.

    It says what the Keras model says, and takes the same states as `Stream`. The states it returns are new arrays: the
    one it was given can be kept, and gone back to. One object serves one thread: its arrays for sums are its own.
    """

    def __init__(self, description, weights):
        """Build the layers; `NumpyStream.load` does it from a file.

        Args:
            description: what `export_weights` says about the model, a dict.
            weights: a dict of arrays in Keras' shapes `(…)`, named `"0_kernel"`: the layer's number and the weight.
        """
        self.layers = [
            LAYERS[layer["kind"]](weights=weights_of(weights, number), **layer)
            for number, layer in enumerate(description["layers"])
        ]
        names, sizes = tuple(description["states"]), tuple(description["sizes"])
        dtype, features = np.dtype(description["dtype"]), tuple(description["features"])
        self.ports = Ports(names, sizes, dtype, features, description["ids"])
        self.copies = isinstance(self.layers[-1], Cell)

    @classmethod
    def load(cls, path):
        """Read what `export_weights` wrote at `path`; takes and returns no arrays: a `NumpyStream`.

        Raises:
            ValueError: the file holds something else, or is damaged.
            FileNotFoundError: there is none.
        """
        found = read_arrays(path, WEIGHTS_FORMAT, "export_weights")
        try:
            return cls(json.loads(str(found.pop("description"))), found)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as failure:
            raise ValueError(
                f"{path} describes no network that NumpyStream knows ({failure!r}). Write it with export_weights."
            ) from failure

    def initial_state(self, batch=1):
        """The `State` before the first step, zeros `(batch, units)`, for that many streams side by side."""
        return State(self.ports.names, tuple(np.zeros((batch, size), self.ports.dtype) for size in self.ports.sizes))

    def step(self, x, state):
        """Take one step.

        Args:
            x: `(batch, features)` numbers or `(batch,)` token ids; `(features,)` or one id for a single stream.
            state: the `State` after the steps before, arrays `(batch, units)`; it is not changed.

        Returns:
            What the model says after this step, `(batch, …)`, or `(…)` for a single stream; and the new `State`.

        Raises:
            ValueError: x has another shape, an id is unknown, or the state is that of another stream.
        """
        x, single = self.ports.incoming(x, state, 1)
        y, arrays = self.advance(x, state.arrays)
        return (y[0] if single else y), State(self.ports.names, arrays)

    def run(self, chunk, state):
        """Take any number of steps, also none.

        Args:
            chunk: `(batch, time, features)` numbers or `(batch, time)` ids; without the batch for a single stream.
            state: the `State` after the steps before, arrays `(batch, units)`; it is not changed.

        Returns:
            What the model says after each step, `(batch, time, …)`, or `(time, …)`; and the `State` after the last.

        Raises:
            ValueError: as in `step`.
        """
        chunk, single = self.ports.incoming(chunk, state, 2)
        batch, time = chunk.shape[:2]
        y, arrays = np.empty((batch, time, self.layers[-1].units), self.ports.dtype), state.arrays
        for t in range(time):
            y[:, t], arrays = self.advance(chunk[:, t], arrays)
        return (y[0] if single else y), State(self.ports.names, arrays)

    def advance(self, x, arrays):
        """Let all layers take one step: `(batch, features)` and states `(batch, units)` to `(batch, …)` and states."""
        old, new = iter(arrays), []
        for layer in self.layers:
            x = layer(x, old, new)
        return (x.copy() if self.copies else x), tuple(new)


def weights_of(weights, number):
    """Pick one layer's arrays `(…)` out of those of a file: a dict without the layer's number in its names."""
    prefix = f"{number}_"
    return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}
