"""What a model of sequences would answer if a letter were another one, and what its filters look for."""

import math
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from rnn_course.probes.inputs import refuse_no_model, refuse_not_finite
from rnn_course.probes.layers import find_rnn_layers, walk
from rnn_course.probes.replay import swapped_calls

OUTPUT_KINDS = ("logits", "probabilities")
LEAST = 1e-30  # probability that a softmax in float32 can still put out
LEAST_DOUBT = 3e-8  # half of what separates 1 from the number below it in float32
PROOF = 4  # sequences on which it is checked what a convolution reads


@dataclass(frozen=True)
class Mutagenesis:
    """What every change of one letter does to a model's answer.

    Attributes:
        effect: `(batch, time, letters)`, the score when that position becomes that letter, minus `reference`; 0 at the
            letter that stands there, and at padding.
        reference: `(batch,)`, the score of the sequences as they are.
        sequences: `(batch, time, letters)`, as they were given.
        mask: `(batch, time)` bool, True at the letters.
        output: `(batch,)` int, the output that is scored; None where a function made the score.
        unit: what the score is measured in, a string: "log-odds (nats)" or "output".
    """

    effect: np.ndarray
    reference: np.ndarray
    sequences: np.ndarray
    mask: np.ndarray
    output: np.ndarray | None
    unit: str

    def importance(self):
        """How much the score falls on average when a letter is lost to another one, `(batch, time)`.

        Every letter that does not stand there counts the same; of an ambiguous letter, each by how much it does not. 0
        at padding; negative where others would score higher.
        """
        others = (1 - self.sequences) / (self.sequences.shape[-1] - 1)
        return -(self.effect * others).sum(-1)

    def heights(self):
        """The importance written on the letters that stand there, `(batch, time, letters)`, as a logo shows it."""
        return self.importance()[..., None] * self.sequences


@dataclass(frozen=True)
class FilterMatrices:
    """What the filters of a convolution look for.

    Attributes:
        probabilities: `(filters, width, letters)`, how often each letter stands at each place of the windows that a
            filter answers to; 0 for a filter that answers to none.
        counts: `(filters,)` int, how many windows these are.
        highest: `(filters,)`, the largest activation over all windows; -inf where there is no window.
    """

    probabilities: np.ndarray
    counts: np.ndarray
    highest: np.ndarray


def in_silico_mutagenesis(model, sequences, *, output=None, output_kind=None, batch_size=512):
    """Put every other letter at every position of sequences, one at a time, and see how a model's answer changes.

    The score is the log-odds of a class against all others, log p / (1 - p), in nats: a logit has no ceiling, while a
    probability near 1 hardly moves. With two or more logits it is the logit minus the log of the summed exponentials of
    the others; one logit is taken as it is. Outputs of other kinds, such as logits of classes that do not exclude each
    other, need a function for `output`. Only mutants are run that differ from their sequence, and never those of
    padding; the model's own compiled prediction runs them, in batches. For a recurrent network the time grows with the
    square of the length: twice as many mutants, each twice as long.

    Source: Zhou & Troyanskaya (2015), Nature Methods 12; Alipanahi et al. (2015), Nature Biotechnology 33.

    Args:
        model: a built Keras model of one input; read, never changed, but that it compiles its prediction as `predict`
            does.
        sequences: `(batch, time, letters)`, each row sums to 1, or is all 0 where there is padding.
        output: index of the class that is scored; or a function from outputs `(batch, …)` to scores `(batch,)`. When
            None, the class that is predicted for the sequence as it is, or the only output there is.
        output_kind: `"logits"` or `"probabilities"`; when None, probabilities where every row of outputs sums to 1 or
            the last layer is a sigmoid or softmax. A subclassed model hides its last layer: where it puts out numbers
            from 0 to 1, say which they are.
        batch_size: how many mutants run at once.

    Returns:
        A `Mutagenesis`; its effect is `(batch, time, letters)`.

    Raises:
        ValueError: sequences of another shape or whose rows are no probabilities, a stateful model, outputs that are
            not `(batch, classes)` without a function, an output that is not there, outputs that may be logits or
            probabilities, or scores that are not finite or of another shape.

    Example:
        >>> letters = keras.Input((2, 4))
        >>> model = keras.Model(letters, keras.layers.Dense(1)(keras.layers.Flatten()(letters)))
        >>> model.layers[-1].set_weights([np.arange(8.0)[:, None], np.zeros(1)])
        >>> in_silico_mutagenesis(model, np.eye(4)[[[0, 3]]]).effect.tolist()
        [[[0.0, 1.0, 2.0, 3.0], [-3.0, -2.0, -1.0, 0.0]]]
    """
    refuse_options(model, output_kind, batch_size)
    sequences = checked_sequences(sequences)
    mask = (sequences != 0).any(-1)
    parts = parts_of(len(sequences), batch_size)
    outputs = [model.predict_on_batch(sequences[part]) for part in parts]
    score, column = scorer(model, outputs, output, output_kind)
    reference = np.concatenate([score(*each) for each in zip(outputs, parts, strict=True)])
    if not np.isfinite(reference).all():
        raise ValueError(
            f"Model {model.name!r} gives sequence {int((~np.isfinite(reference)).argmax())} no finite score, so that "
            "no effect can be told from it. Look for NaN in its weights."
        )
    which, where, letter = np.nonzero(mask[..., None] & (sequences != 1))  # `(mutants,)` each
    effect, letters = np.zeros(sequences.shape), np.eye(sequences.shape[-1], dtype=sequences.dtype)
    for part in parts_of(len(which), batch_size):
        rows = which[part]
        mutants = sequences[rows]  # a copy
        mutants[np.arange(len(rows)), where[part]] = letters[letter[part]]
        changed = score(model.predict_on_batch(mutants), rows)
        effect[rows, where[part], letter[part]] = changed - reference[rows]
    return Mutagenesis(effect, reference, sequences, mask, column, "output" if column is None else "log-odds (nats)")


def motif_position(importance, width, *, mask=None):
    """Find the window of a given width in which most importance lies.

    Args:
        importance: `(batch, time)`, such as `Mutagenesis.importance()`; NaN is padding.
        width: an int, how many positions the window has.
        mask: `(batch, time)` bool, True at the letters; where `importance` is not NaN when None.

    Returns:
        `(batch,)` int, the first position of the window with the largest sum; of equal ones the first. Windows that
        reach into padding do not count.

    Raises:
        ValueError: arrays of another shape, NaN at a letter, or a sequence with fewer letters than the window has.

    Example:
        >>> motif_position([[0.0, 1.0, 3.0, 2.0, 0.5]], 2).tolist()
        [2]
    """
    importance = np.asarray(importance, "float64")
    mask = ~np.isnan(importance) if mask is None else np.asarray(mask, bool)
    fits = importance.ndim == 2 and mask.shape == importance.shape
    if not fits or width != int(width) or not 1 <= width <= importance.shape[1]:
        raise ValueError(
            f"importance has shape {importance.shape}, mask {mask.shape} and width is {width}; expected (batch, time) "
            "twice, and a whole width from 1 to time."
        )
    width = int(width)
    refuse_not_finite(importance, mask, "importance")
    real = windows_of(mask, width).all(-1)  # `(batch, time - width + 1)`
    if not real.any(-1).all():
        raise ValueError(
            f"Sequence {int((~real.any(-1)).argmax())} has no {width} letters in a row. Pass a smaller width, or leave "
            "the sequence out."
        )
    sums = windows_of(np.where(mask, importance, 0), width).sum(-1)
    return np.where(real, sums, -np.inf).argmax(-1)


def filter_matrix(model, sequences, layer=None, *, threshold=0.5, batch_size=256):
    """Collect what the filters of a model's convolution answer to: their motifs, as probabilities of letters.

    For each filter, all windows of the sequences whose activation exceeds half of the filter's largest are laid below
    one another, and the letters at each place counted. Windows that reach into padding, or over an end of the sequence,
    never count. A filter whose largest activation is not above 0 answers to nothing.

    Source: Alipanahi et al. (2015), Nature Biotechnology 33; all windows instead of one a sequence as in Kelley et al.
    (2016), Genome Research 26.

    Args:
        model: a built Keras model whose convolution reads the letters themselves; read, never changed.
        sequences: `(batch, time, letters)`, each row sums to 1, or is all 0 where there is padding.
        layer: a name or path of a `Conv1D`, or the layer; the first one when None.
        threshold: share of the largest activation, from 0 to 1, that a window must exceed.
        batch_size: how many sequences are read at once.

    Returns:
        A `FilterMatrices`; its probabilities are `(filters, width, letters)`.

    Raises:
        ValueError: no such layer, one that reads something else than the letters, sequences as for
            `in_silico_mutagenesis`, or a threshold that is not from 0 to 1.
    """
    if not 0 <= threshold < 1:
        raise ValueError(f"threshold is {threshold}; pass a share of the largest activation, from 0 to below 1.")
    sequences = checked_sequences(sequences)
    path, convolution = find_convolution(model, layer)
    refuse_other_reading(model, path, convolution, sequences)
    parts = [sequences[part] for part in parts_of(len(sequences), batch_size)]
    highest = np.full(convolution.filters, -np.inf)
    for part in parts:
        highest = np.maximum(highest, activations(convolution, part)[0].max((0, 1), initial=-np.inf))
    least = threshold * np.maximum(highest, 0)
    found = [counted(convolution, part, least) for part in parts]
    sums, counts = (sum(each) for each in zip(*found, strict=True))
    return FilterMatrices(sums / np.maximum(counts, 1)[:, None, None], counts, highest)


# ------------------------------------------------------------------------------------------------------ under the hood


def parts_of(count, size):
    """Cut `count` examples into slices of at most `size`; takes and returns no arrays."""
    return [slice(start, start + size) for start in range(0, count, size)]


def windows_of(values, width):
    """Every window of `(batch, time)` values, `(batch, time - width + 1, width)`; a view."""
    return np.lib.stride_tricks.sliding_window_view(values, width, axis=1)


def refuse_options(model, output_kind, batch_size):
    """Raise ValueError for an unknown kind, an empty batch, or a model with a memory of earlier calls; no arrays."""
    refuse_no_model(model)
    if output_kind not in (None, *OUTPUT_KINDS):
        raise ValueError(f"output_kind is {output_kind!r}; pass 'logits', 'probabilities', or None to have it found.")
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; pass 1 or more.")
    stateful = [ref.path for ref in find_rnn_layers(model) if ref.layer.stateful]
    if stateful:
        raise ValueError(
            f"Layer {stateful[0]!r} is stateful: each mutant would go on from the one before. Build the model with "
            "stateful=False and give it the weights of this one."
        )


def checked_sequences(sequences):
    """Encoded sequences `(batch, time, letters)` in Keras' float type, a copy.

    Raises:
        ValueError: another shape, fewer than two letters, nothing in it, or rows that are neither probabilities nor 0.
    """
    sequences = np.array(sequences, keras.config.floatx())
    if sequences.ndim != 3 or 0 in sequences.shape or sequences.shape[2] < 2:
        raise ValueError(
            f"sequences has shape {sequences.shape}; expected (batch, time, letters) with two letters or more. Encode "
            "text first, and pass one sequence as sequences[None]."
        )
    sums = sequences.sum(-1)
    wrong = ~((sequences >= 0).all(-1) & (np.isclose(sums, 1, atol=1e-4) | (sums == 0)))  # NaN is wrong, too
    if wrong.any():
        which, where = np.argwhere(wrong)[0]
        raise ValueError(
            f"Row {where} of sequence {which} is {sequences[which, where].round(3).tolist()}; expected probabilities "
            "with the sum 1 (one letter is one 1), or all 0 at padding."
        )
    return sequences


def scorer(model, outputs, output, output_kind):
    """Decide how outputs become scores.

    Args:
        model: a Keras model, to be named and to be looked at.
        outputs: a list of what it puts out for the sequences as they are, `(…, classes)` each.
        output: an index, a function, or None, as in `in_silico_mutagenesis`.
        output_kind: `"logits"`, `"probabilities"` or None.

    Returns:
        A function of outputs `(mutants, classes)` and of the sequences that they belong to, a slice or `(mutants,)`,
        that gives `(mutants,)`; and the class of each sequence, `(batch,)`, or None.
    """
    if callable(output):
        return (lambda found, rows: own_scores(output, found)), None
    outputs = np.concatenate([as_classes(model, part) for part in outputs])
    column = columns(model, outputs, output)
    kind = output_kind or kind_of(model, outputs)
    return (lambda found, rows: class_log_odds(as_classes(model, found), column[rows], kind)), column


def own_scores(output, found):
    """What a user's function makes of outputs `(mutants, …)`, checked to be `(mutants,)`."""
    scores = np.asarray(output(found), "float64")
    expected = (len(keras.tree.flatten(found)[0]),)
    if scores.shape != expected:
        raise ValueError(f"`output` returned scores of shape {scores.shape}; expected {expected}, one an example.")
    return scores


def as_classes(model, outputs):
    """Outputs `(batch, classes)` in float64; ValueError for any other shape or several outputs."""
    shape = "several outputs" if isinstance(outputs, dict | list | tuple) else np.shape(outputs)
    if isinstance(shape, str) or len(shape) != 2:
        raise ValueError(
            f"Model {model.name!r} puts out {shape}; expected (batch, classes). Pass as `output` a function from what "
            "the model puts out to (batch,) scores."
        )
    return np.asarray(outputs, "float64")


def columns(model, outputs, output):
    """The class that is scored for each sequence, `(batch,)` int, from outputs `(batch, classes)`."""
    count = outputs.shape[1]
    if output is None:
        return outputs.argmax(1)
    if not -count <= output < count:
        raise ValueError(f"output is {output}; model {model.name!r} has {count} outputs, counted from 0.")
    return np.full(len(outputs), output % count)


def kind_of(model, outputs):
    """Tell `"probabilities"` from `"logits"`, by the outputs `(batch, classes)` and by what the model ends with.

    Raises:
        ValueError: the outputs may be either, and the model does not show how it makes them.
    """
    if not ((outputs >= 0) & (outputs <= 1)).all():
        return "logits"
    if outputs.shape[1] > 1 and np.allclose(outputs.sum(1), 1, atol=1e-3):
        return "probabilities"
    last = last_operation(model)
    if type(last).__name__ in ("Sigmoid", "Softmax"):  # of keras.ops, or a layer
        return "probabilities"
    if not hasattr(last, "activation"):
        raise ValueError(
            f"Model {model.name!r} puts out numbers from 0 to 1 and does not show whether a sigmoid made them. Pass "
            "output_kind='probabilities' or output_kind='logits'."
        )
    return "probabilities" if last.activation in (keras.activations.sigmoid, keras.activations.softmax) else "logits"


def last_operation(model):
    """What a model ends with: a layer or an operation; the model where it is subclassed and hides it; no arrays."""
    while isinstance(model, keras.Sequential) or hasattr(model, "operations"):
        model = (model.layers if isinstance(model, keras.Sequential) else model.operations)[-1]
    return model


def class_log_odds(outputs, column, kind):
    """Log-odds of a class against all others, in nats.

    Args:
        outputs: `(batch, classes)`.
        column: `(batch,)` int, the class of each row.
        kind: `"logits"` or `"probabilities"`.

    Returns:
        `(batch,)`.

    Example:
        >>> class_log_odds(np.array([[0.2, 0.8]]), np.array([1]), "probabilities").round(3).tolist()
        [1.386]
    """
    rows, others = np.arange(len(outputs)), outputs.copy()
    chosen = outputs[rows, column]
    others[rows, column] = -np.inf if kind == "logits" else 0
    if kind == "logits":
        return chosen if outputs.shape[1] == 1 else chosen - np.logaddexp.reduce(others, axis=1)
    shared = (outputs.shape[1] > 1) & np.isclose(outputs.sum(1), 1, atol=1e-3)
    rest = np.where(shared, np.maximum(others.sum(1), LEAST), np.maximum(1 - chosen, LEAST_DOUBT))
    return np.log(np.maximum(chosen, LEAST)) - np.log(rest)


def find_convolution(model, layer=None):
    """Look a `Conv1D` up; takes and returns no arrays.

    Args:
        model: a built Keras model.
        layer: its path or name, the layer object, or None for the first.

    Returns:
        A tuple of its path and the layer.

    Raises:
        ValueError: no such layer, or several of that name.
    """
    refuse_no_model(model)
    found = list(walk(model, keras.layers.Conv1D))
    if not found:
        raise ValueError(f"Model {model.name!r} has no filters to look at: nothing here is a keras.layers.Conv1D.")
    matches = found[:1] if layer is None else [(path, one) for path, one in found if layer in (path, one)]
    matches = matches or [(path, one) for path, one in found if one.name == layer]
    if len(matches) != 1:
        known = ", ".join(repr(path) for path, _ in found)
        raise ValueError(
            f"Model {model.name!r} has {len(matches)} Conv1D {layer!r}; it has {known}. Pass one of these."
        )
    return matches[0]


def refuse_other_reading(model, path, convolution, sequences):
    """Raise ValueError unless the layer reads the sequences `(batch, time, letters)` themselves in the model."""
    read, own_call = [], convolution.call
    few = sequences[:PROOF]

    def call(inputs):
        read.append(ops.convert_to_numpy(inputs))
        return own_call(inputs)

    with swapped_calls({convolution: call}):
        model(few, training=False)
    if len(read) != 1 or read[0].shape != few.shape or not np.allclose(read[0], few, atol=1e-6):
        seen = f"an input of shape {read[0].shape}" if read else "nothing"
        raise ValueError(
            f"Conv1D {path!r} reads {seen} in {len(read)} calls, not the sequences {few.shape} themselves, so that its "
            "filters are no motifs of letters. Pass the convolution that reads the letters."
        )


def activations(convolution, sequences):
    """What every filter answers to every window.

    Args:
        convolution: a `Conv1D` layer.
        sequences: `(batch, time, letters)`.

    Returns:
        `(batch, windows, filters)`, -inf for windows that are not all letters; and the position of each place of each
        window, `(windows, width)` int, cut to the sequence where the window is not all letters.
    """
    answers = np.array(ops.convert_to_numpy(convolution(sequences)), "float64")
    positions = window_positions(convolution, sequences.shape[1], answers.shape[1])
    inside = ((positions >= 0) & (positions < sequences.shape[1])).all(1)
    positions = positions.clip(0, sequences.shape[1] - 1)
    real = (sequences != 0).any(-1)[:, positions].all(-1) & inside  # `(batch, windows)`
    return np.where(real[..., None], answers, -np.inf), positions


def window_positions(convolution, time, windows):
    """Which position each place of each window of a `Conv1D` reads, `(windows, width)` int; beyond the ends, too."""
    (width,), (stride,), (dilation,) = convolution.kernel_size, convolution.strides, convolution.dilation_rate
    span = dilation * (width - 1)
    before = {
        "valid": 0,
        "causal": span,
        "same": max((math.ceil(time / stride) - 1) * stride + span + 1 - time, 0) // 2,
    }
    return stride * np.arange(windows)[:, None] - before[convolution.padding] + dilation * np.arange(width)


def counted(convolution, sequences, least):
    """Count the letters in the windows that the filters answer to.

    Args:
        convolution: a `Conv1D` layer.
        sequences: `(batch, time, letters)`.
        least: `(filters,)`, what an activation must exceed.

    Returns:
        Sums of letters `(filters, width, letters)`, and numbers of windows `(filters,)` int.
    """
    answers, positions = activations(convolution, sequences)
    active = (answers > least).reshape(-1, len(least))  # `(batch * windows, filters)`
    letters = sequences[:, positions]  # `(batch, windows, width, letters)`
    sums = active.T.astype("float64") @ letters.reshape(len(active), -1)
    return sums.reshape(len(least), *letters.shape[2:]), active.sum(0)
