"""Call a model while its recurrent layers are replayed step by step, so that every state can be seen and moved.

A Keras model hides what happens between a recurrent layer's input and its output. For the time of one call, the layers'
`call` is swapped for a replay that keeps everything (`stand_ins` in closed form, `custom_cells` for cells without one).
Afterwards every layer is as it was.
"""

import contextlib

from keras import tree

from rnn_course.probes.custom_cells import custom_call
from rnn_course.probes.inputs import fitting_inputs
from rnn_course.probes.layers import find_rnn_layers
from rnn_course.probes.stand_ins import Record, ReplayError, passing_call, recorded_call


def replay(model, inputs, target, *, tape=None, through_time=True, adjust=None):
    """Call a model with its recurrent layers replayed.

    Args:
        model: a built Keras model; the same afterwards as before.
        inputs: what `model` takes, `(batch, time, …)`.
        target: the `LayerRef` to keep a record of.
        tape: an open `autodiff.recorder()`, to differentiate what follows from the target layer; or None.
        through_time: False cuts the gradient between the steps of a custom cell; the closed form is asked later.
        adjust: a function of t and the target's states, each `(batch, units)`, as in `reference.forward`; or None.

    Returns:
        The model's outputs, and the `Record` of the target.

    Raises:
        ValueError: inputs that the model does not take; or it calls the target more than once, or not at all.
        ReplayError: the replay does not equal the layer's own steps.
    """
    inputs = fitting_inputs(model, inputs)
    record = Record(target)
    if target.cell_type == "custom":
        call = custom_call(record, tape, through_time=through_time, adjust=adjust)
    else:
        call = recorded_call(record, tape, adjust=adjust)
    with replayed_layers(model, tape, calls={target.layer: keeping_failure(record, call)}):
        try:
            outputs = model(inputs, training=False)
        except Exception:
            if record.failure is not None:  # Keras has wrapped its own words round it
                raise record.failure from None
            raise
    if record.unrolled is None:
        raise ValueError(
            f"Calling model {model.name!r} never reached layer {target.path!r} as Keras code: is its call a compiled "
            "function, or the layer left out at inference? Probe the part that calls it."
        )
    return outputs, record


@contextlib.contextmanager
def replayed_layers(model, tape=None, *, calls=None):
    """Replay the recurrent layers of a model in closed form, where there is one, while the context is open.

    That is the quick way: called eagerly, Keras walks through an LSTM operation by operation. Takes and returns no
    arrays: the model is called inside.

    Args:
        model: a built Keras model.
        tape: an open `autodiff.recorder()`, or None.
        calls: layer -> stand-in for its `call`, for those that are to do something else.
    """
    refs = find_rnn_layers(model)
    stand_ins = {ref.layer: passing_call(ref, tape) for ref in refs if ref.cell_type != "custom"}
    with unchanged(refs), swapped_calls(stand_ins | (calls or {})):
        yield


@contextlib.contextmanager
def swapped_calls(calls):
    """Give layers another `call` while the context is open, and their own back, whatever happens; takes no arrays.

    Args:
        calls: layer -> function that takes what its `call` takes.
    """
    own = {layer: vars(layer)["call"] for layer in calls if "call" in vars(layer)}
    try:
        for layer, call in calls.items():
            vars(layer)["call"] = call
        yield
    finally:
        for layer in calls:
            vars(layer).pop("call", None)
            vars(layer).update({"call": own[layer]} if layer in own else {})


@contextlib.contextmanager
def unchanged(refs):
    """Keep the states of stateful layers, and fused kernels out of the way, while the context is open; no arrays."""
    states = [[variable.numpy() for variable in tree.flatten(ref.layer.states or [])] for ref in refs]
    fused = {ref.layer: ref.layer.use_cudnn for ref in refs if hasattr(ref.layer, "use_cudnn")}
    try:
        for layer in fused:
            layer.use_cudnn = False  # its kernel would go round the replay
        yield
    finally:
        for layer, choice in fused.items():
            layer.use_cudnn = choice
        for ref, values in zip(refs, states, strict=True):
            for variable, value in zip(tree.flatten(ref.layer.states or []), values, strict=True):
                variable.assign(value)


def keeping_failure(record, call):
    """Wrap a stand-in for `layer.call`, any shapes `(…)`: what it raises is kept in `record.failure`, word for word."""

    def kept(*args, **options):
        try:
            return call(*args, **options)
        except (ReplayError, ValueError) as failure:
            record.failure = failure
            raise

    return kept
