"""The gradient through time: how strongly the loss depends on what a recurrent layer held at each step."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops, tree

from rnn_course.probes import autodiff
from rnn_course.probes.layers import find_rnn_layer
from rnn_course.probes.replay import replay
from rnn_course.probes.stand_ins import back_through, in_reading_order


@dataclass(frozen=True)
class GradientFlow:
    """Gradient of a loss with respect to a recurrent layer at every step of the input.

    Attributes:
        values: `(batch, time, units)`, or `(batch, time, features)` for inputs; NaN at masked steps.
        mask: `(batch, time)` bool, True at real steps.
        wrt: `"hidden"`, `"cell"` or `"inputs"`.
        kind: `"total"` or `"direct"`.
        cell_type: `"simple_rnn"`, `"lstm"`, `"gru"` or `"custom"`.
    """

    values: np.ndarray
    mask: np.ndarray
    wrt: str
    kind: str
    cell_type: str

    def norm(self):
        """Length of the gradient vector at each step, `(batch, time)`; NaN at masked steps."""
        return np.linalg.norm(self.values.astype("float64"), axis=-1)  # squares of a vanished gradient leave float32


def gradient_flow(
    model, inputs, targets, layer=None, *, direction="forward", loss=None, wrt="hidden", kind="total", loss_step=None
):
    """Measure ∂L/∂h_t at every step, through every later step of the recurrence.

    The *total* gradient follows every way from h_t to the loss: δ_t = g_t + J_tᵀ δ_{t+1}, back-propagation through time
    (Werbos 1990; Bengio et al. 1994 for why it vanishes). The *direct* one, g_t, follows only the ways that pass
    through no later step; it is what differentiating the loss with respect to a layer's stacked output gives, and
    with a loss on the last step it is exactly zero everywhere else.

    Nothing is clipped and no optimizer takes part. A loss that is a mean over the batch, as Keras' are, divides every
    gradient by the batch size: compare sizes only between equal batches.

    Args:
        model: a built Keras model; read, never changed. It runs in inference mode: dropout is off.
        inputs: what `model` takes, `(batch, time, …)`.
        targets: what `loss` takes, `(batch, …)`.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`.
        loss: a Keras loss, its name, or a function of (targets, outputs); the compiled loss when `None`.
        wrt: `"hidden"` state, LSTM `"cell"` state, or the layer's `"inputs"`.
        kind: `"total"` or `"direct"`.
        loss_step: take the loss at this step alone; for models with an output at every step.

    Returns:
        A `GradientFlow`; `values` are `(batch, time, units)`, `norm()` is `(batch, time)`.

    Raises:
        ValueError: an unknown name, no loss to take, or a loss that does not depend on the layer.
        ReplayError: the replay does not equal the layer's own steps.
    """
    ref = find_rnn_layer(model, layer, direction=direction)
    refuse_unknown(ref, wrt, kind)
    loss = loss_function(model, loss)
    with autodiff.recorder() as tape:
        outputs, record = replay(model, inputs, ref, tape=tape, through_time=kind == "total")
        refuse_number_of_targets(targets, record.unrolled.outputs.shape[0])
        targets, outputs = at_step(targets, outputs, loss_step, record.unrolled.outputs.shape[1])
        refuse_several_outputs(loss, targets, outputs)
        value = loss(targets, outputs)
    if record.cell:
        found = gradients_in_closed_form(tape, value, record, wrt, kind)
    else:
        found = nudged_gradients(tape, value, record, wrt)
    if found is None:
        raise ValueError(
            f"The loss does not depend on layer {ref.path!r}: its output is cut off or unused. "
            "Check loss_step, and that no stop_gradient lies between them."
        )
    mask = in_reading_order(ref.layer, record.unrolled.mask)
    if mask is None:
        return GradientFlow(found, np.ones(found.shape[:2], bool), wrt, kind, ref.cell_type)
    values = np.where(mask[:, :, None], found, np.nan).astype(found.dtype)
    return GradientFlow(values, mask, wrt, kind, ref.cell_type)


def gradients_in_closed_form(tape, value, record, wrt, kind):
    """∂L/∂`wrt` `(batch, time, …)`: by tape to the layer's results, on in closed form; None if L does not see them."""
    upstream = tape.gradient(value, record.results)
    if all(gradient is None for gradient in upstream):
        return None
    upstream = [
        np.zeros(result.shape) if gradient is None else ops.convert_to_numpy(gradient)
        for gradient, result in zip(upstream, record.results, strict=True)
    ]
    layer = record.ref.layer
    found = back_through(layer, record.cell, record.unrolled, upstream, through_time=kind == "total")
    return in_reading_order(layer, getattr(found, wrt))


def nudged_gradients(tape, value, record, wrt):
    """∂L/∂(a zero added at each step), `(batch, time, …)`, where there is no closed form; None if L does not see it."""
    found = tape.gradient(value, record.nudges[wrt])
    return None if found is None else ops.convert_to_numpy(found)


def refuse_unknown(ref, wrt, kind):
    """Raise ValueError for a `wrt` or `kind` that this layer does not have; takes no arrays."""
    if kind not in ("total", "direct"):
        raise ValueError(f"kind is {kind!r}; pass 'total' or 'direct'.")
    if wrt not in ("hidden", "cell", "inputs"):
        raise ValueError(f"wrt is {wrt!r}; pass 'hidden', 'cell' or 'inputs'.")
    if wrt == "cell" and ref.cell_type != "lstm":
        raise ValueError(
            f"Layer {ref.path!r} is a {ref.cell_type} and keeps no cell state. Pass wrt='hidden', or name an LSTM."
        )


class WholeLoss(keras.losses.Loss):
    """A per-example loss function turned into Keras' mean over batch and real steps; the result is a scalar."""

    def __init__(self, function):
        """Wrap `function` of (targets, outputs) that returns `(batch, …)`."""
        super().__init__(name="whole_loss")
        self.function = function

    def call(self, y_true, y_pred):
        """The wrapped function's values, `(batch, …)`; the base class takes their mean and heeds the mask."""
        return self.function(y_true, y_pred)


def loss_function(model, loss):
    """Find the loss as a function of (targets, outputs) `(batch, …)` with a scalar result.

    Raises:
        ValueError: none was given and the model is not compiled with one.
    """
    loss = getattr(model, "loss", None) if loss is None else loss
    if loss is None:
        raise ValueError(
            f"Model {model.name!r} is not compiled with a loss and none was passed. "
            "Pass loss='mse', a keras.losses object, or a function of (targets, outputs)."
        )
    if isinstance(loss, str):
        loss = keras.losses.get(loss)
    if isinstance(loss, type):
        raise ValueError(f"loss is the class {loss.__name__}; pass one of its kind: {loss.__name__}().")
    if not callable(loss):
        raise ValueError(f"loss is {loss!r}; for several outputs pass a function of (targets, outputs).")
    return loss if isinstance(loss, keras.losses.Loss) else WholeLoss(loss)


def refuse_number_of_targets(targets, batch):
    """Raise ValueError for targets, arrays `(batch, …)` in any structure, of another number of examples."""
    counts = {np.shape(each)[0] for each in tree.flatten(targets) if np.ndim(each)}
    if counts - {batch, 1}:
        raise ValueError(f"targets are for {sorted(counts)} examples and inputs for {batch}; pass one target for each.")


def refuse_several_outputs(loss, targets, outputs):
    """Raise ValueError where one of Keras' losses is to compare structures of arrays `(batch, …)` that differ."""
    counts = len(tree.flatten(targets)), len(tree.flatten(outputs))
    source = loss.function if isinstance(loss, WholeLoss) else type(loss)
    if counts[1] > 1 and counts[0] != counts[1] and getattr(source, "__module__", "").startswith("keras."):
        raise ValueError(
            f"The model puts out {counts[1]} things and targets are {counts[0]}; a Keras loss compares one with one. "
            "Pass a function of (targets, outputs) that picks the output it needs."
        )


def at_step(targets, outputs, loss_step, time):
    """Pick targets and outputs `(batch, …)` of one step from `(batch, time, …)`; all of them when `loss_step` is None.

    Raises:
        ValueError: the model has no output at every step, or not so many steps.
    """
    if loss_step is None:
        return targets, outputs
    if not hasattr(outputs, "shape"):
        raise ValueError(
            f"loss_step={loss_step} needs one output at every step; this model puts out several things. Leave "
            "loss_step out, and pass a loss, a function of (targets, outputs), that picks one of them and its step."
        )
    if len(outputs.shape) < 2 or outputs.shape[1] != time:
        raise ValueError(
            f"loss_step={loss_step} needs an output at every step, (batch, {time}, …); this model's is "
            f"{tuple(outputs.shape)}. Leave loss_step out."
        )
    if not -time <= loss_step < time:
        raise ValueError(f"loss_step is {loss_step}; the sequences have steps 0 to {time - 1}.")
    return ops.convert_to_tensor(targets)[:, loss_step], outputs[:, loss_step]
