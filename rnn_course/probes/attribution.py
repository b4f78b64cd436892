"""How much each step of the input moved the model's answer."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from keras.config import floatx

from rnn_course.probes import autodiff
from rnn_course.probes.inputs import fitting_inputs, refuse_no_model, refuse_not_finite
from rnn_course.probes.layers import walk
from rnn_course.probes.replay import replayed_layers, swapped_calls

METHODS = ("gradient", "gradient_x_input", "integrated_gradients")
NEXT_TO_NOTHING = 1e-9  # share of the inputs in place of zeros, which a `Masking` layer would take for padding


@dataclass(frozen=True)
class Attribution:
    """The share of each input step in one number that the model puts out.

    Attributes:
        values: `(batch, time)`, or `(batch, time, …)`, a number for each place in a step that has features of its own;
            signed but for `"gradient"`, which is a length. NaN at padding.
        score: `(batch,)`, the number that is explained.
        baseline_score: `(batch,)`, the same number for an input of zeros with the padding that the model saw. With
            integrated gradients `values` sum to `score - baseline_score` (completeness), as well as `steps` allows.
        method: which of the methods.
    """

    values: np.ndarray
    score: np.ndarray
    baseline_score: np.ndarray
    method: str


def input_attribution(model, inputs, *, method="integrated_gradients", output=None, steps=32, mask=None):
    """Attribute a model's output to the steps of its input.

    Token models are explained at their `Embedding` layers (all of them together, each step's share summed over the
    vector), others at the input itself: frames at each pixel, poses at each joint. Recurrent layers run in closed form,
    so that this takes milliseconds a step.

    Args:
        model: a built Keras model; read, never changed.
        inputs: `(batch, time)` int token ids; or `(batch, time, features)`; or with places in each step, such as frames
            `(batch, time, height, width, channels)`.
        method: `"gradient"`, the length of ∂score/∂x_t (Simonyan et al. 2014); `"gradient_x_input"`, x_t · ∂score/∂x_t;
            `"integrated_gradients"`, the same with the gradient averaged on the way from zero to x (Sundararajan et al.
            2017).
        output: which of the model's outputs `(batch, outputs)` is explained; may be left out when there is one.
        steps: how many points of the way integrated gradients takes the mean over.
        mask: `(batch, time)` bool, True at real steps. When None, token 0 is padding and everything else is real: where
            0 is a token like the others, pass `np.ones(tokens.shape, bool)`.

    Returns:
        An `Attribution`; its `values` have the shape of the inputs without their features, `(batch, time)` or `(batch,
        time, …)`.

    Raises:
        ValueError: an unknown method, an output that is not there, a mask of another shape, numbers that are not
            finite, or a model that is not a single sequence in, one vector out.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; pass one of {', '.join(map(repr, METHODS))}.")
    if steps < 1 or steps != int(steps):
        raise ValueError(f"steps is {steps}; pass how many points the way has, a whole number from 1 on.")
    refuse_no_model(model)
    refuse_several(model, inputs)
    inputs = np.asarray(fitting_inputs(model, inputs))
    real = real_steps(inputs, mask)
    if inputs.dtype.kind == "f":
        refuse_not_finite(inputs, np.ones(inputs.shape[:2], bool), "inputs")
    vectors = embedded(model, inputs) if inputs.ndim == 2 else {None: ops.convert_to_tensor(inputs, floatx())}
    padding = ~seen_as_real(model, vectors[None])[..., None] if None in vectors else False

    def at(share):
        on_the_way = {
            entrance: vector * ops.cast(np.where(padding, 1.0, share), vector.dtype)
            for entrance, vector in vectors.items()
        }
        return score_and_gradients(model, inputs, on_the_way, output)

    score, gradients = at(1.0)
    refuse_no_answer(model, score)
    masking = any(walk(model, keras.layers.Masking))
    baseline_score, _ = at(NEXT_TO_NOTHING if masking else 0.0)
    if method == "integrated_gradients":
        way = (np.arange(int(steps)) + 0.5) / steps  # midpoints: the error falls with 1 / steps²
        gradients = [np.mean(parts, axis=0) for parts in zip(*(at(share)[1] for share in way), strict=True)]
    if method == "gradient":
        values = np.sqrt(sum((gradient**2).sum(-1) for gradient in gradients))
    else:
        pairs = zip(vectors.values(), gradients, strict=True)
        values = sum((ops.convert_to_numpy(vector) * gradient).sum(-1) for vector, gradient in pairs)
    return Attribution(np.where(real, values, np.nan), score, baseline_score, method)


def refuse_no_answer(model, score):
    """Raise ValueError for a score `(batch,)` that is not finite."""
    if not np.isfinite(score).all():
        raise ValueError(
            f"Model {model.name!r} answers example {int((~np.isfinite(score)).argmax())} with a number that is not "
            "finite, so there is nothing to share out. Look for NaN in its weights."
        )


def refuse_several(model, inputs):
    """Raise ValueError for a model of several inputs, or for a dict of them, each `(batch, time, …)`."""
    count = len(getattr(model, "inputs", None) or ())
    if count > 1 or isinstance(inputs, dict):
        raise ValueError(
            f"Model {model.name!r} takes {count} inputs; attribution explains one. Make a model of that one which "
            "holds the others fixed, such as a keras.Model with a constant in their place, and pass its array."
        )


def embedded(model, inputs):
    """What the network is told of each step: {`Embedding` layer: `(batch, time, features)`}, nested ones too.

    Embeddings of something else than the tokens, such as positions, belong to the model, not to its input: what they
    are given is the same for other tokens.

    Args:
        model: a built Keras model.
        inputs: `(batch, time)` int token ids.

    Raises:
        ValueError: there is none, and token ids have no gradient; or one is called twice, and has two inputs.
    """
    seen, elsewhere = (ids_and_vectors(model, tokens) for tokens in (inputs, np.where(inputs == 0, 1, 0)))
    found = {
        layer: vectors
        for layer, [(ids, vectors), *_] in seen.items()
        if tuple(vectors.shape[:-1]) == inputs.shape and not np.array_equal(ids, elsewhere[layer][0][0])
    }
    if not found:
        raise ValueError(
            f"Model {model.name!r} takes (batch, time) and has no keras.layers.Embedding to explain it at. Numbers: "
            "let the model begin with keras.Input((None, 1)) and pass inputs[..., None]. Token ids that it turns into "
            "one-hot vectors itself: make a model of what follows, and pass it the vectors, (batch, time, vocabulary)."
        )
    for layer in found:
        if len(seen[layer]) > 1:
            raise ValueError(
                f"Model {model.name!r} calls Embedding {layer.name!r} more than once; attribution needs one input."
            )
    return found


def ids_and_vectors(model, inputs):
    """What the `Embedding` layers are given and say, call by call.

    Args:
        model: a built Keras model.
        inputs: `(batch, time)` int token ids.

    Returns:
        {`Embedding` layer: a list of pairs, ids `(…)` as an array and vectors `(…, features)`}, of those called.
    """
    seen = {}
    layers = [layer for _, layer in walk(model, keras.layers.Embedding)]
    with swapped_calls({layer: keeping(layer, seen) for layer in layers}), replayed_layers(model):
        model(inputs, training=False)
    return seen


def keeping(layer, seen):
    """A stand-in for `layer.call` that keeps ids `(batch, time)` and vectors `(batch, time, features)` in `seen`."""
    own_call = layer.call

    def call(ids):
        vectors = own_call(ids)
        seen.setdefault(layer, []).append((ops.convert_to_numpy(ids), vectors))
        return vectors

    return call


def seen_as_real(model, inputs):
    """Where a model's `Masking` layers that read its inputs see no padding.

    Args:
        model: a built Keras model.
        inputs: what it takes, a tensor `(batch, time, …)`.

    Returns:
        `(batch, time, …)` bool, without the inputs' features; True everywhere where there is no such layer.
    """
    seen = [ops.ones(inputs.shape[:-1], "bool")]
    layers = [layer for _, layer in walk(model, keras.layers.Masking)]
    if layers:
        with swapped_calls({layer: noting(layer, inputs, seen) for layer in layers}), replayed_layers(model):
            model(inputs, training=False)
    return np.logical_and.reduce([ops.convert_to_numpy(mask) for mask in seen])


def noting(layer, inputs, seen):
    """A stand-in for a `Masking` layer's `call` that adds its mask `(batch, time)` of the model's inputs to `seen`."""
    own_call = layer.call

    def call(sequences):
        if sequences.shape == inputs.shape and np.array_equal(sequences, inputs, equal_nan=True):
            seen.append(layer.compute_mask(sequences))
        return own_call(sequences)

    return call


def score_and_gradients(model, inputs, vectors, output):
    """The explained number, and its gradient at every entrance.

    Args:
        model: a built Keras model.
        inputs: what it takes, `(batch, time, …)`.
        vectors: {`Embedding` layer: what it is to say, `(batch, time, features)`}; the model's input itself under None.
        output: the index of an output, as in `input_attribution`, or None.

    Returns:
        The number `(batch,)`, and one array `(batch, time, features)` for each of `vectors`.
    """
    with autodiff.recorder() as tape:
        for vector in vectors.values():
            tape.watch(vector)
        calls = {layer: (lambda ids, vector=vector: vector) for layer, vector in vectors.items() if layer is not None}
        with swapped_calls(calls), replayed_layers(model, tape):
            outputs = model(vectors.get(None, inputs), training=False)
        score = pick_output(model, outputs, output)
    gradients = tape.gradient(score, list(vectors.values()))
    found = [
        np.zeros(vector.shape) if gradient is None else ops.convert_to_numpy(gradient)
        for vector, gradient in zip(vectors.values(), gradients, strict=True)
    ]
    return ops.convert_to_numpy(score), found


def pick_output(model, outputs, output):
    """One number an example, `(batch,)`, from the model's outputs `(batch, outputs)`.

    Raises:
        ValueError: the outputs have another shape, or several numbers and none was chosen.
    """
    outputs = outputs[:, None] if hasattr(outputs, "shape") and len(outputs.shape) == 1 else outputs
    shape = tuple(outputs.shape) if hasattr(outputs, "shape") else "several outputs"
    if len(shape) != 2:
        raise ValueError(
            f"Model {model.name!r} puts out {shape}; attribution needs (batch, outputs). Pass a model that ends in "
            "what is to be explained, such as keras.Model(model.input, model.output[:, -1]) for the last step."
        )
    if output is None and shape[1] != 1:
        raise ValueError(f"Model {model.name!r} has {shape[1]} outputs; pass output=0 … {shape[1] - 1}.")
    if output is not None and output not in range(-shape[1], shape[1]):
        raise ValueError(f"output is {output!r}; model {model.name!r} has {shape[1]} outputs, counted from 0.")
    return outputs[:, int(output or 0)]


def real_steps(inputs, mask):
    """True where there is something to explain, `(batch, time, …)`.

    Args:
        inputs: `(batch, time)` int token ids, or `(batch, time, …, features)`.
        mask: `(batch, time)` bool, or None: everywhere but at token 0, which is padding.

    Returns:
        bool, of the shape of the inputs without their features.

    Raises:
        ValueError: the mask has another shape.
    """
    if mask is None:
        return inputs != 0 if inputs.ndim == 2 else np.ones(inputs.shape[:-1], bool)
    mask = np.asarray(mask, bool)
    if mask.shape != inputs.shape[:2]:
        raise ValueError(f"mask has shape {mask.shape}; expected {inputs.shape[:2]}, the inputs' (batch, time).")
    places = inputs.shape[2:-1]
    return np.broadcast_to(mask.reshape(*mask.shape, *[1] * len(places)), (*mask.shape, *places))
