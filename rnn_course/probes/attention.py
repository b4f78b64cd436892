"""Where an attention layer looks, what the model answers when it looks elsewhere, and if it follows true links."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops, tree

from rnn_course.feeding import in_batches
from rnn_course.layers import CrossAttention
from rnn_course.probes import autodiff
from rnn_course.probes.inputs import refuse_no_model
from rnn_course.probes.layers import find_rnn_layers, walk
from rnn_course.probes.replay import keeping_failure, swapped_calls, unchanged
from rnn_course.probes.stand_ins import TOLERANCE, ReplayError


@dataclass(frozen=True)
class AttentionWeights:
    """What share of each source step every target step read.

    Attributes:
        weights: `(batch, target, source)`; each row sums to 1 over the real source steps and is 0 at padding.
        source_mask: `(batch, source)` bool, True at the real steps of the memory.
        target_mask: `(batch, target)` bool, True at the real queries.
    """

    weights: np.ndarray
    source_mask: np.ndarray
    target_mask: np.ndarray


@dataclass(frozen=True)
class AlignmentAgreement:
    """How often the source step that a target step reads most is one that belongs to it.

    Attributes:
        share: agreed over counted, of all examples together; 0 to 1.
        agreed: `(batch,)` int, target steps whose most-read source step is among their links.
        counted: `(batch,)` int, target steps that have a link at all.
    """

    share: float
    agreed: np.ndarray
    counted: np.ndarray


@dataclass
class Look:
    """What an attention layer did during one call of its model.

    Attributes:
        weights: `(batch, target, source)`, the layer's own; None until it is called.
        source_mask: `(batch, source)` bool.
        target_mask: `(batch, target)` bool.
        failure: the error that the stand-in raised, if it did.
    """

    weights: np.ndarray | None = None
    source_mask: np.ndarray | None = None
    target_mask: np.ndarray | None = None
    failure: Exception | None = None


def attention_weights(model, inputs, layer=None, *, batch_size=256):
    """Read off where a model's attention looks.

    Args:
        model: a built Keras model; read, never changed.
        inputs: what `model` takes, `(batch, …)`: an array, or a list, tuple or dict of them.
        layer: a name or path of a `CrossAttention`, or the layer; the only one when None.
        batch_size: how many examples are read at once.

    Returns:
        An `AttentionWeights`; its weights are `(batch, target, source)`.

    Raises:
        ValueError: no such layer, or one that is called more than once, or not at all; inputs of different numbers.
        ReplayError: the weighted mean of the memory is not the layer's own context.
    """
    path, attention = find_attention(model, layer)
    looks = [look_of(model, part, path, attention)[1] for part in in_batches(inputs, size=batch_size)]
    return AttentionWeights(
        *(np.concatenate([getattr(look, name) for look in looks]) for name in AttentionWeights.__dataclass_fields__)
    )


def ablate_attention(model, inputs, replace, layer=None, *, batch_size=256):
    """Let a model's attention look elsewhere, and see what the model answers.

    To let it read all real steps alike, for example, `replace` is
    `lambda weights, real: np.ones_like(weights) * real[:, None] / real.sum(-1)[:, None, None]`.

    Args:
        model: a built Keras model; read, never changed.
        inputs: what `model` takes, `(batch, …)`: an array, or a list, tuple or dict of them.
        replace: a function of the weights `(batch, target, source)` and the source mask `(batch, source)` of one
            batch that returns the weights to use in their place; nothing else sees to padding then.
        layer: a name or path of a `CrossAttention`, or the layer; the only one when None.
        batch_size: how many examples are read at once.

    Returns:
        The model's outputs, `(batch, …)`, in the structure in which the model puts them out.

    Raises:
        ValueError: as `attention_weights`, or `replace` returns weights of another shape.
        ReplayError: as `attention_weights`.
    """
    path, attention = find_attention(model, layer)
    outputs = [look_of(model, part, path, attention, replace)[0] for part in in_batches(inputs, size=batch_size)]
    return tree.map_structure(lambda *parts: np.concatenate([ops.convert_to_numpy(part) for part in parts]), *outputs)


def alignment_agreement(weights, links):
    """Count how often attention looks at the word that a word was made from.

    A target step counts when it has a link; it agrees when the source step of its largest weight (of equal ones the
    first) is among its links (compare the alignment error rate of Och & Ney 2003). Hand in other weights, such as a
    diagonal's, to see what the order of words alone would give.

    Args:
        weights: `(batch, target, source)`, such as `AttentionWeights.weights`.
        links: for each example `(links, 2)` int, pairs of a source and a target step; empty where there are none.

    Returns:
        An `AlignmentAgreement`; its counts are `(batch,)`.

    Raises:
        ValueError: shapes that do not fit, a link beyond the steps there are, or no link in all examples.

    Example:
        >>> alignment_agreement(np.array([[[0.9, 0.1], [0.6, 0.4]]]), [[(0, 0), (1, 1)]]).share
        0.5
    """
    weights = np.asarray(weights)
    if weights.ndim != 3 or len(weights) != len(links):
        raise ValueError(
            f"weights has shape {weights.shape} and there are links of {len(links)} examples; expected (batch, target, "
            "source) and one (links, 2) array for each example."
        )
    true = np.stack([link_image(pairs, weights.shape[1:], number) for number, pairs in enumerate(links)])
    linked = true.any(-1)  # (batch, target)
    if not linked.any():
        raise ValueError("No target step has a link, so there is nothing to agree with. Pass examples with links.")
    agreed = np.take_along_axis(true, weights.argmax(-1)[..., None], axis=-1)[..., 0].sum(-1)
    return AlignmentAgreement(float(agreed.sum() / linked.sum()), agreed, linked.sum(-1))


def link_image(pairs, shape, example):
    """Mark links as an image.

    Args:
        pairs: `(links, 2)` int, source and target step.
        shape: no array: the numbers of target and source steps.
        example: an int that names the example in the message.

    Returns:
        `(target, source)` bool, True at the links.

    Raises:
        ValueError: the pairs have another shape, or a link lies beyond the steps.
    """
    pairs = np.asarray(pairs)
    pairs = pairs.reshape(0, 2).astype(int) if pairs.size == 0 else pairs
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise ValueError(
            f"The links of example {example} have shape {pairs.shape} and type {pairs.dtype}; expected (links, 2) "
            "integers, a source and a target step each."
        )
    source, target = pairs.T
    beyond = (pairs < 0).any(1) | (source >= shape[1]) | (target >= shape[0])
    if beyond.any():
        raise ValueError(
            f"Example {example} has the link {tuple(pairs[beyond][0].tolist())}; there are {shape[1]} source and "
            f"{shape[0]} target steps, counted from 0. Leave out the links of words that were cut off."
        )
    image = np.zeros(shape, bool)
    image[target, source] = True
    return image


# ------------------------------------------------------------------------------------------------------ under the hood


def find_attention(model, layer=None):
    """Look one `CrossAttention` up; takes and returns no arrays.

    Args:
        model: a built Keras model.
        layer: its path or name, the layer object itself, or None where the model has only one.

    Returns:
        A tuple of its path and the layer.

    Raises:
        ValueError: no such layer, or several and none named.
    """
    refuse_no_model(model)
    found = list(walk(model, CrossAttention))
    if not found:
        raise ValueError(
            f"Model {model.name!r} has no attention to look at: nothing here is a CrossAttention. Build it with "
            "rnn_course.layers.CrossAttention, whose weights can be read and replaced."
        )
    matches = [(path, one) for path, one in found if layer is None or path == layer or one is layer]
    matches = matches or [(path, one) for path, one in found if one.name == layer or path.endswith(f"/{layer}")]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(repr(path) for path, _ in found)
    if layer is None or matches:
        called = "" if layer is None else f" called {layer!r}"
        raise ValueError(f"Model {model.name!r} has several attention layers{called}; pass one of {known} as `layer`.")
    name = layer.name if isinstance(layer, keras.layers.Layer) else layer
    raise ValueError(f"Model {model.name!r} has no attention layer {name!r}; it has {known}. Pass one of these.")


def look_of(model, inputs, path, attention, replace=None):
    """Call a model while one attention layer is watched; afterwards everything is as it was.

    Args:
        model: a built Keras model.
        inputs: what `model` takes, `(batch, …)`.
        path: str, what the layer is called in messages.
        attention: the `CrossAttention`.
        replace: a function of weights `(batch, target, source)` and mask `(batch, source)`, or None.

    Returns:
        The model's outputs `(batch, …)`, and a `Look` whose arrays are `(batch, target, source)` and the masks.
    """
    look = Look()
    stand_in = keeping_failure(look, watched_call(look, path, attention, replace))
    with unchanged(find_rnn_layers(model)), swapped_calls({attention: stand_in}):
        try:
            outputs = model(inputs, training=False)
        except Exception:
            if look.failure is not None:  # Keras has wrapped its own words round it
                raise look.failure from None
            raise
    if look.weights is None:
        raise ValueError(
            f"Calling model {model.name!r} never reached attention layer {path!r} as Keras code: is its call a "
            "compiled function? Probe the part that calls it."
        )
    return outputs, look


def watched_call(look, path, attention, replace):
    """Make the stand-in for `attention.call` that keeps its weights `(batch, target, source)`, and may replace them."""
    own_call = attention.call

    def call(queries, memory, memory_mask=None):
        refuse_call(look, path, queries)
        context, weights = own_call(queries, memory, memory_mask=memory_mask)
        look.weights = ops.convert_to_numpy(weights)
        look.source_mask = mask_or_all(memory_mask, memory)
        look.target_mask = mask_or_all(getattr(queries, "_keras_mask", None), queries)
        refuse_other_context(path, attention, look.weights, memory, context)
        if replace is None:
            return context, weights
        weights = ops.cast(replaced(look, replace), attention.compute_dtype)
        return ops.matmul(weights, ops.cast(memory, attention.compute_dtype)), weights

    return call


def mask_or_all(mask, sequences):
    """A Keras mask as a bool array `(batch, time)`, all True for `sequences` `(batch, time, …)` that have none."""
    if mask is None:
        return np.ones(tuple(sequences.shape[:2]), bool)
    return ops.convert_to_numpy(mask).astype(bool)


def replaced(look, replace):
    """What `replace` makes of a copy of the weights, `(batch, target, source)`; ValueError for another shape."""
    weights = np.asarray(replace(look.weights.copy(), look.source_mask.copy()))
    if weights.shape != look.weights.shape:
        raise ValueError(
            f"`replace` returned weights of shape {weights.shape}; expected {look.weights.shape}, the (batch, target, "
            "source) that it was given."
        )
    return weights


def refuse_call(look, path, queries):
    """Raise ValueError unless a call on `(batch, target, query_features)` has numbers and is the first one."""
    if not autodiff.is_eager(queries):
        raise ValueError(
            f"Attention layer {path!r} is called inside a function that is being compiled, where there are no numbers "
            "to read. Take the tf.function off the code that calls it, or probe the part inside."
        )
    if look.weights is not None:
        raise ValueError(
            f"Attention layer {path!r} is called more than once in this model, so it looks more than once. Probe a "
            "model that reads all targets in one call."
        )


def refuse_other_context(path, attention, weights, memory, context):
    """Raise ReplayError unless weights `(batch, target, source)` times memory `(batch, source, features)` is read."""
    mean = np.matmul(weights.astype("float64"), np.asarray(ops.convert_to_numpy(memory), "float64"))
    own = np.asarray(ops.convert_to_numpy(context), "float64")
    tolerance = TOLERANCE.get(attention.compute_dtype, 5e-2)
    if mean.shape != own.shape or not np.allclose(mean, own, rtol=tolerance, atol=tolerance, equal_nan=True):
        raise ReplayError(
            f"The memory under the weights of attention layer {path!r} ({type(attention).__name__}) is not the layer's "
            "own context: it does something else with the memory than a weighted mean, and its weights do not say "
            "what was read."
        )
