"""Find the recurrent layers of a model, wherever they hide, and give each a stable path."""

from typing import NamedTuple

import keras

from rnn_course import reference
from rnn_course.layers import FusedGRU, FusedLSTM, FusedSimpleRNN
from rnn_course.probes.inputs import refuse_no_model

CELL_TYPES = {keras.layers.SimpleRNNCell: "simple_rnn", keras.layers.LSTMCell: "lstm", keras.layers.GRUCell: "gru"}
RECURRENT = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU, FusedSimpleRNN, FusedLSTM, FusedGRU)
KNOWN_LAYERS = (keras.layers.RNN, *RECURRENT)
ACTIVATION_NAMES = {keras.activations.get(name): name for name in reference.ACTIVATIONS}
HALVES = (("forward", "forward_layer"), ("backward", "backward_layer"))


class LayerRef(NamedTuple):
    """One recurrent layer of a model; holds no arrays.

    Attributes:
        path: names from the model down, joined by "/": `"encoder/lstm"`, `"bidirectional/backward"`.
        layer: the `keras.layers.RNN` itself.
        cell_type: `"simple_rnn"`, `"lstm"`, `"gru"`, or `"custom"` for any other cell or an overridden layer.
        direction: `"backward"` when the layer reads from the last step to the first, else `"forward"`.
    """

    path: str
    layer: keras.layers.RNN
    cell_type: str
    direction: str


def find_rnn_layers(model):
    """List the recurrent layers of a model in the order they were added; takes and returns no arrays.

    Nested and subclassed models and wrappers are searched too. A `Bidirectional` layer counts as two: `name/forward`
    and `name/backward`.

    Args:
        model: a Keras model, or any layer that holds others.

    Returns:
        A list of `LayerRef`; empty when there is none.

    Raises:
        ValueError: something else than a model came.
    """
    refuse_no_model(model)
    return [describe(path, layer) for path, layer in walk(model)]


def walk(parent, kind=keras.layers.RNN, path="", seen=None):
    """Yield `(path, layer)` for each layer of a kind below `parent`, each once; takes and returns no arrays."""
    seen = set() if seen is None else seen
    for child in sublayers(parent):
        if id(child) in seen:
            continue
        seen.add(id(child))
        here = f"{path}/{child.name}" if path else child.name
        if isinstance(child, kind):
            yield here, child
        elif isinstance(child, keras.layers.Bidirectional) and kind is keras.layers.RNN:
            yield from ((f"{here}/{half}", getattr(child, attribute)) for half, attribute in HALVES)
        else:
            yield from walk(child, kind, here, seen)


def sublayers(parent):
    """List the layers right below one layer; takes and returns no arrays. A plain layer keeps its own in `_layers`."""
    return parent.layers if isinstance(parent, keras.Model) else getattr(parent, "_layers", [])


def describe(path, layer):
    """Tell what kind of recurrent layer stands at a path, as a `LayerRef`; takes and returns no arrays."""
    direction = "backward" if layer.go_backwards else "forward"
    return LayerRef(path, layer, cell_type_of(layer), direction)


def cell_type_of(layer):
    """Name the cell of a layer; takes and returns no arrays.

    `"custom"` unless layer and cell are Keras' own classes (fused layers count as such) and `reference` knows their
    activations.
    """
    cell = layer.cell
    if type(layer) not in KNOWN_LAYERS or type(cell) not in CELL_TYPES or "call" in vars(layer):
        return "custom"
    used = [getattr(cell, name) for name in ("activation", "recurrent_activation") if hasattr(cell, name)]
    return CELL_TYPES[type(cell)] if all(function in ACTIVATION_NAMES for function in used) else "custom"


def find_rnn_layer(model, layer=None, *, direction="forward"):
    """Look one recurrent layer up; takes and returns no arrays.

    Args:
        model: a built Keras model.
        layer: its path or name, the layer object itself, or None where the model has only one.
        direction: which half, `"forward"` or `"backward"`, when `layer` is a `Bidirectional`.

    Returns:
        A `LayerRef`.

    Raises:
        ValueError: no such layer, or several and none named, or a model without weights yet.
    """
    if direction not in ("forward", "backward"):
        raise ValueError(f"direction is {direction!r}; pass 'forward' or 'backward'.")
    refuse_no_model(model)
    if not model.built:
        raise ValueError(f"Model {model.name!r} has no weights yet. Call it once on a batch, or give it a keras.Input.")
    refs = find_rnn_layers(model)
    if not refs:
        raise ValueError(f"Model {model.name!r} has no recurrent layer: nothing here is a keras.layers.RNN.")
    matches = [ref for ref in refs if ref.path == layer] or [ref for ref in refs if is_named(ref, layer, direction)]
    if len(matches) != 1:
        raise ValueError(no_single_match(model, refs, layer, matches))
    return matches[0]


def is_named(ref, layer, direction):
    """Whether a `LayerRef` is what `layer` (path, name, object or None) asks for; takes and returns no arrays."""
    if layer is None:
        parent, _, half = ref.path.rpartition("/")
        return half not in ("forward", "backward") or not parent or half == direction
    if isinstance(layer, keras.layers.Bidirectional):
        return ref.layer is getattr(layer, f"{direction}_layer")
    if isinstance(layer, keras.layers.Layer):
        return ref.layer is layer
    wanted = (str(layer), f"{layer}/{direction}")
    return ref.layer.name == layer or any(ref.path == name or ref.path.endswith(f"/{name}") for name in wanted)


def no_single_match(model, refs, layer, matches):
    """Say which layers there are when a name fits none or several; takes and returns no arrays."""
    known = ", ".join(repr(ref.path) for ref in refs)
    if layer is None:
        return f"Model {model.name!r} has {len(refs)} recurrent layers: {known}. Pass one of these as `layer`."
    if matches:
        several = ", ".join(repr(ref.path) for ref in matches)
        return f"Model {model.name!r} has several layers called {layer!r}: {several}. Pass the full path."
    name = layer.name if isinstance(layer, keras.layers.Layer) else layer
    return (
        f"Model {model.name!r} has no recurrent layer {name!r}; it has {known}. "
        "Pass one of these, or leave `layer` out where there is only one."
    )
