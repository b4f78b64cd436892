"""Which layers may stand in a stream: those that treat each step alone. All others are refused, with the reason."""

import keras
from keras import layers, tree

from rnn_course.probes.layers import find_rnn_layers

EACH_STEP = (
    *(layers.InputLayer, layers.Embedding, layers.Dense, layers.TimeDistributed, layers.Rescaling, layers.Identity),
    *(layers.Dropout, layers.SpatialDropout1D, layers.GaussianDropout, layers.GaussianNoise, layers.AlphaDropout),
    *(layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.ActivityRegularization),
    *(layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum),
)
ALONG_AN_AXIS = (
    *(layers.LayerNormalization, layers.BatchNormalization, layers.UnitNormalization, layers.Normalization),
    *(layers.Softmax, layers.Concatenate),
)
FORWARD_READERS = {layers.RNN.call, layers.SimpleRNN.call, layers.LSTM.call, layers.GRU.call}

BACKWARD = (
    "needs the end of the sequence before it can say anything about its beginning, and a stream has no end. Train a "
    "model that reads forward only"
)
WINDOW = "looks at several steps at once. Put it before the stream, on windows of your own, or leave it out"
WHOLE = (
    "sums up or rearranges the whole sequence, and a stream is never whole. Let the recurrent layer speak for what "
    "came before: return_sequences=False gives its last output, at every step of a stream"
)
REASONS = {
    (layers.Bidirectional,): BACKWARD,
    (layers.Conv1D, layers.SeparableConv1D, layers.DepthwiseConv1D, layers.Conv1DTranspose): WINDOW,
    (
        layers.MaxPooling1D,
        layers.AveragePooling1D,
        layers.UpSampling1D,
        layers.ZeroPadding1D,
        layers.Cropping1D,
    ): WINDOW,
    (layers.GlobalMaxPooling1D, layers.GlobalAveragePooling1D, layers.Flatten, layers.Reshape, layers.Permute): WHOLE,
    (layers.RepeatVector,): WHOLE,
    (layers.Attention, layers.AdditiveAttention, layers.MultiHeadAttention, layers.GroupQueryAttention): (
        "looks at all steps at once. Over a stream it would have to keep every step it has seen: that is a key-value "
        "cache, and no constant memory"
    ),
    (layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D): (
        "holds images as its state, and a stream here carries states of shape (batch, units)"
    ),
}
NO_PADDING = (
    "A stream has no padding, every step is real. Build the same model without masks, take the weights over with "
    "new.set_weights(model.get_weights()), and feed it real steps only"
)


def refuse_model(model, path=""):
    """Raise ValueError unless a model can be taken apart and carries a state; takes and returns no arrays.

    Args:
        model: a Keras model, functional or sequential, and built.
        path: what stands before its name, where it is a layer itself.
    """
    name = f"{path}{getattr(model, 'name', type(model).__name__)}"
    if not isinstance(model, keras.Model):
        raise ValueError(f"A stream needs a Keras model, and got {type(model).__name__}. Pass the trained keras.Model.")
    if not model.built:
        raise ValueError(f"Model {name!r} has no weights yet. Call it once on a batch, or give it a keras.Input.")
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ValueError(
            f"Model {name!r} ({type(model).__name__}) computes in a method of its own, which cannot be taken apart. "
            "Build it from a keras.Input and layers: keras.Model(inputs, outputs) or keras.Sequential."
        )
    counts = len(model.inputs), len(model.outputs)
    if counts != (1, 1):
        raise ValueError(
            f"Model {name!r} has {counts[0]} inputs and {counts[1]} outputs; a stream has one of each. "
            "Cut the part out: keras.Model(one_input, one_output)."
        )


def refuse_stateless(model):
    """Raise ValueError for a model without a recurrent layer; takes and returns no arrays."""
    if isinstance(model, keras.Model) and not find_rnn_layers(model):
        raise ValueError(
            f"Model {model.name!r} has no recurrent layer, so there is no state to hand over: call it on each step."
        )


def refuse_recurrent(layer, tensors, options, path, *, again):
    """Raise ValueError unless a recurrent layer can read a stream.

    Args:
        layer: a `keras.layers.RNN`, or a model with one inside.
        tensors: a list of the symbolic tensors that it is called on, the first `(batch, time, features)`.
        options: a dict of names and values, the rest of its call.
        path: a string, what stands before its name.
        again: whether it has been called before in this model.
    """
    if again:
        raise refusal(layer, path, "is called more than once, so it would need two states. Build a layer for each call")
    if len(tensors) > 1 or options.get("initial_state") is not None:
        raise refusal(
            layer, path, "starts from states that the model computes. A stream hands its states over from step to step"
        )
    refuse_mask(layer, options, path)


def refuse_at_sight(layer, path):
    """Raise ValueError where a layer masks, or reads in a way that a stream cannot; takes and returns no arrays.

    Args:
        layer: a layer of the model.
        path: a string, what stands before its name.
    """
    refuse_mask(layer, {}, path)
    if not isinstance(layer, layers.RNN):
        return
    if type(layer).call not in FORWARD_READERS or "call" in vars(layer):
        raise refusal(layer, path, reason_of(layer) or "reads in a way of its own. Put what is special into a cell")
    if layer.go_backwards:
        raise refusal(layer, path, f"reads from the last step to the first (go_backwards=True): it {BACKWARD}")
    if layer.return_state:
        raise refusal(
            layer, path, "hands its final states to the model (return_state=True). Build it with return_state=False"
        )


def refuse_layer(layer, inputs, options, path, *, each_step, mixed=False):
    """Raise ValueError unless a layer without a state treats each step alone.

    Args:
        layer: the layer or operation.
        inputs: what it is called on: symbolic tensors `(batch, time, …)`, nested as the layer wants them.
        options: a dict of names and values, the rest of its call.
        path: a string, what stands before its name.
        each_step: a tuple of further layer classes that treat each step alone.
        mixed: whether some inputs are about every step and some about the last one only.
    """
    if isinstance(layer, keras.Model):
        refuse_model(layer, path)
        for part in layer.layers:
            refuse_layer(part, [part.input], {}, f"{path}{layer.name}_", each_step=each_step)
        return
    refuse_mask(layer, options, path)
    if mixed:
        raise refusal(layer, path, "joins the last step with all steps before it, and in a stream those are gone")
    if isinstance(layer, each_step) or type(layer) in EACH_STEP:
        return
    if type(layer) not in ALONG_AN_AXIS:
        raise refusal(layer, path, reason_of(layer) or unknown(layer))
    rank = len(tree.flatten(inputs)[0].shape)
    if any(axis % rank != rank - 1 for axis in axes_of(layer)):
        raise refusal(layer, path, f"works along axis {layer.axis} of {rank}: other steps take part. Let it be axis -1")


def refuse_mask(layer, options, path):
    """Raise ValueError where a layer makes a mask, or is handed one `(batch, time)` among its options."""
    if isinstance(layer, layers.Masking):
        raise refusal(layer, path, f"masks steps. {NO_PADDING}")
    if getattr(layer, "mask_zero", False):
        raise refusal(layer, path, f"masks token 0 (mask_zero=True). {NO_PADDING}")
    if any(mask is not None for mask in tree.flatten(options.get("mask"))):  # Keras 3.8 hands over [None, None]
        raise refusal(layer, path, f"is given a mask. {NO_PADDING}")


def axes_of(layer):
    """List the axes that a layer works along, as ints; takes and returns no arrays."""
    axis = layer.axis
    return [axis] if isinstance(axis, int) else list(axis or ())


def reason_of(layer):
    """Say why a layer that Keras has cannot stand in a stream, or return None; takes and returns no arrays."""
    return next((reason for kinds, reason in REASONS.items() if isinstance(layer, kinds)), None)


def unknown(layer):
    """Say what to do with a layer or an operation nobody knows; takes and returns no arrays."""
    if isinstance(layer, layers.Layer):
        return f"is not known to treat each step alone. If it does, say so: each_step=({type(layer).__name__},)"
    return (
        "is an operation on tensors, which may mix steps. Put it into a layer of your own and pass that layer's class "
        "in each_step; for x[:, -1], build the recurrent layer with return_sequences=False"
    )


def refusal(layer, path, reason):
    """Make the ValueError that names a layer and the reason why it cannot stand in a stream; no arrays."""
    return ValueError(f"Layer {path + layer.name!r} ({type(layer).__name__}) {reason}.")
