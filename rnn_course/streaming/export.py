"""Write a trained model's weights so that `NumpyStream` can run them where there is no TensorFlow."""

import json

import keras
import numpy as np

from rnn_course.probes.layers import RECURRENT
from rnn_course.streaming.each_step import refusal
from rnn_course.streaming.numpy_stream import ACTIVATIONS, WEIGHTS_FORMAT, write_arrays
from rnn_course.streaming.step_model import build_step_model

DROPPED = (
    *(keras.layers.InputLayer, keras.layers.Identity, keras.layers.Dropout, keras.layers.SpatialDropout1D),
    *(keras.layers.GaussianDropout, keras.layers.GaussianNoise, keras.layers.AlphaDropout),
    keras.layers.ActivityRegularization,
)
KINDS = (keras.layers.Embedding, keras.layers.Dense, keras.layers.Activation, *RECURRENT)
GATED = (keras.layers.LSTM, keras.layers.GRU)
NAMES = {keras.activations.get(name): name for name in ACTIVATIONS}


def export_weights(model, path):
    """Write a model's weights and a description of its layers to one .npz file, without pickled objects.

    The arrays are Keras' own, `"1_recurrent_kernel"` being that of layer 1; the description is JSON.

    Args:
        model: a built Keras model: a chain of Embedding, SimpleRNN, LSTM, GRU, Dense, Activation and dropout layers.
        path: path of the file; written beside it first, and moved there when complete.

    Raises:
        ValueError: the model cannot be streamed, or `NumpyStream` does not know a layer or an activation; names it.
    """
    step = build_step_model(model)
    chain = [entry for entry in chain_of(model) if not isinstance(entry[1], DROPPED)]
    states = step.inputs[1:]
    description = {
        "layers": [describe(layer, path_of_layer) for path_of_layer, layer in chain],
        "states": [state.name for state in states],
        "sizes": [int(state.shape[-1]) for state in states],
        "dtype": dtype_of(states),
        "features": list(step.inputs[0].shape[2:]),
        "ids": len(step.inputs[0].shape) == 2,
    }
    arrays = {
        f"{number}_{name}": value
        for number, (_, layer) in enumerate(chain)
        for name, value in weights_of_layer(layer).items()
    }
    write_arrays(path, {"format": WEIGHTS_FORMAT, "description": json.dumps(description)} | arrays)


def chain_of(model, path=""):
    """List `(path, layer)` of a model whose layers each read what the one before wrote; takes and returns no arrays.

    Raises:
        ValueError: the layers branch or join.
    """
    found, last = [], [model.inputs[0]]

    def call(layer, *inputs, **options):
        if len(inputs) != 1 or inputs[0] is not last[-1]:
            raise refusal(layer, path, "does not read the layer right before it, and only a chain can be exported")
        inner = isinstance(layer, keras.Model)
        found.extend(chain_of(layer, f"{path}{layer.name}_") if inner else [(path, layer)])
        last.append(layer(*inputs, **options))
        return last[-1]

    chain = keras.Model(model.inputs[0], model.outputs[0])
    keras.models.clone_model(chain, input_tensors=chain.input, clone_function=lambda layer: layer, call_function=call)
    return found


def describe(layer, path):
    """Say what `NumpyStream` must know of a layer besides its weights, as a dict; takes and returns no arrays.

    Raises:
        ValueError: it does not know such a layer.
    """
    if type(layer) not in KINDS:
        known = ", ".join(dict.fromkeys(kind.__name__ for kind in KINDS))
        raise refusal(layer, path, f"has no NumPy form here; there are {known}, and dropout is left out")
    described = {"kind": type(layer).__name__, "name": path + layer.name, "units": int(layer.output.shape[-1])}
    if isinstance(layer, GATED):
        used = layer.activation, layer.recurrent_activation
        if used != (keras.activations.tanh, keras.activations.sigmoid):
            names = " and ".join(getattr(function, "__name__", repr(function)) for function in used)
            raise refusal(layer, path, f"computes with {names}; its NumPy form knows tanh and sigmoid")
        return described | {"reset_after": getattr(layer, "reset_after", False)}
    if isinstance(layer, keras.layers.Embedding):
        return described
    if layer.activation not in NAMES:
        known = ", ".join(ACTIVATIONS)
        raise refusal(layer, path, f"has the activation {layer.activation!r}, with no NumPy form; there are {known}")
    return described | {"activation": NAMES[layer.activation]}


def weights_of_layer(layer):
    """Name the arrays of a layer, in Keras' shapes `(…)`; a missing bias is zeros."""
    if isinstance(layer, keras.layers.Embedding):
        return {"embeddings": keras.ops.convert_to_numpy(layer.embeddings)}
    if isinstance(layer, keras.layers.Activation):
        return {}
    owner = layer.cell if isinstance(layer, keras.layers.RNN) else layer
    names = ("kernel", "recurrent_kernel") if isinstance(layer, keras.layers.RNN) else ("kernel",)
    found = {name: keras.ops.convert_to_numpy(getattr(owner, name)) for name in names}
    zeros = np.zeros(found["kernel"].shape[1], found["kernel"].dtype)
    bias = owner.bias if owner.use_bias else None
    return found | {"bias": zeros if bias is None else keras.ops.convert_to_numpy(bias)}


def dtype_of(states):
    """Name the one dtype of all states `(batch, units)`, float32 or float64.

    Raises:
        ValueError: they have others, as under mixed precision.
    """
    found = {keras.backend.standardize_dtype(state.dtype) for state in states}
    if len(found) != 1 or not found <= {"float32", "float64"}:
        raise ValueError(
            f"The model computes in {', '.join(sorted(found))}; NumpyStream computes in float32 or float64. "
            "Build it without mixed precision and take the weights over with new.set_weights(model.get_weights())."
        )
    return found.pop()
