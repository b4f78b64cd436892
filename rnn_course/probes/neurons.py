"""Single units: which of them follows a concept, and what the model loses without it."""

from dataclasses import dataclass

import numpy as np
from keras import ops, tree

from rnn_course.probes.inputs import as_numbers, fitting_inputs, refuse_not_finite
from rnn_course.probes.layers import ACTIVATION_NAMES, find_rnn_layer
from rnn_course.probes.replay import replay
from rnn_course.probes.stand_ins import in_reading_order
from rnn_course.reference import ACTIVATIONS


@dataclass(frozen=True)
class UnitConcept:
    """How closely each unit follows a concept, beside what chance gives.

    Attributes:
        correlation: `(units,)`, Pearson's r between the unit's state and the concept, over all real steps.
        null: `(permutations,)`, the largest `|r|` of all units when the concept's sequences are dealt out anew: what
            the best of so many units reaches by chance.
        p_values: `(units,)`, share of the null at or above the unit's `|r|`; corrected for the number of units.
        best: index of the unit with the largest `|r|`.
    """

    correlation: np.ndarray
    null: np.ndarray
    p_values: np.ndarray
    best: int


def unit_concept_correlation(states, concept, *, mask=None, permutations=1000, rng):
    """Search the units for one that follows a concept, with a permutation null.

    States within a sequence depend on one another, so single steps must not be shuffled: the null deals whole sequences
    of the concept to other examples (Ernst 2004 on permutation tests; Westfall and Young 1993 on the maximum).

    Args:
        states: `(batch, time, units)`, such as `Trace.hidden` or `.cell`.
        concept: `(batch, time)` numbers or bool, such as "inside a quotation".
        mask: `(batch, time)` bool; padding takes no part. All steps when None.
        permutations: how many times the sequences are dealt out.
        rng: a `numpy.random.Generator`, or a seed for one.

    Returns:
        A `UnitConcept`.

    Raises:
        ValueError: shapes that do not fit, a single sequence, NaN at a real step, or a concept that never changes.
    """
    states, concept = as_numbers(states, "states"), as_numbers(concept, "concept")
    mask = np.ones(states.shape[:2], bool) if mask is None else np.asarray(mask, bool)
    if not states.shape[:2] == concept.shape == mask.shape:
        raise ValueError(
            f"states {states.shape}, concept {concept.shape} and mask {mask.shape} do not fit; "
            "expected (batch, time, units), (batch, time) and (batch, time)."
        )
    if len(states) < 2:
        raise ValueError("One sequence alone cannot be dealt anew: there is no chance to compare with. Pass several.")
    if not mask.any():
        raise ValueError("No step is real: states have no time step, or the mask is False everywhere. Pass real ones.")
    refuse_not_finite(states, mask, "states")
    refuse_not_finite(concept, mask, "concept")
    if np.ptp(concept[mask]) == 0:
        raise ValueError(f"The concept is {concept[mask][0]:g} at every real step: nothing can follow it.")
    correlation = correlations(states, concept, mask)
    rng = np.random.default_rng(rng)
    orders = (rng.permutation(len(states)) for _ in range(permutations))
    null = np.array([np.abs(correlations(states, concept[deal], mask & mask[deal])).max() for deal in orders])
    p_values = (1 + (null[:, None] >= np.abs(correlation)).sum(0)) / (1 + permutations)
    return UnitConcept(correlation, null, p_values, int(np.abs(correlation).argmax()))


def correlations(states, concept, mask):
    """Pearson's r `(units,)` between states `(batch, time, units)` and concept `(batch, time)` where `mask` is True.

    A unit, or a concept, that never changes correlates with nothing: 0.
    """
    chosen, wanted = states[mask], concept[mask]
    chosen, wanted = chosen - chosen.mean(0), wanted - wanted.mean()
    spread = np.sqrt((chosen**2).sum(0) * (wanted**2).sum())
    return np.divide(wanted @ chosen, spread, out=np.zeros(states.shape[2]), where=spread > 0)


def ablate_units(
    model, inputs, units, layer=None, *, direction="forward", state="hidden", value=0.0, steps=None, batch_size=256
):
    """Hold units of a recurrent layer at a value while the model reads, and see what it answers.

    The value is put in at every step before the next one is computed: the layer reads on with it.

    Args:
        model: a built Keras model; read, never changed.
        inputs: what `model` takes, `(batch, time, …)`; a list, tuple or dict of such arrays where it takes several.
        units: `(units,)` indices of those to hold.
        layer: a name or path from `find_rnn_layers`, or a layer; the only one when `None`.
        direction: which half when `layer` is a `Bidirectional`.
        state: `"hidden"`, or an LSTM's `"cell"` (h_t follows from it).
        value: scalar, or `(units,)` one for each of `units`, such as their means.
        steps: `(batch, time)` bool, where to hold them, time being that of the layer's own input; at all real steps
            when None. Padding is never touched.
        batch_size: how many examples are read at once.

    Returns:
        The model's outputs, `(batch, …)`, in the structure in which the model puts them out.

    Raises:
        ValueError: units that the layer does not have, a state it does not have, values or steps of another shape.
    """
    ref = find_rnn_layer(model, layer, direction=direction)
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; pass 1 or more.")
    units = np.atleast_1d(units)
    refuse_missing(ref, units, state)
    units = units.astype(int)  # an empty list is float
    if np.shape(value) not in ((), units.shape):
        raise ValueError(f"value has shape {np.shape(value)}; pass a number, or one for each of {len(units)} units.")
    arrays = arrays_of(model, fitting_inputs(model, inputs))
    steps = None if steps is None else np.asarray(steps, bool)
    if steps is not None and steps.ndim != 2:
        raise ValueError(f"steps has shape {steps.shape}; expected (batch, time), True where the units are held.")
    outputs, batch = [], len(tree.flatten(arrays)[0])
    for start in range(0, max(batch, 1), batch_size):
        part = slice(start, start + batch_size)
        here = None if steps is None else in_reading_order(ref.layer, steps[part])
        hold = holding(ref, units, value, state=state, steps=here)
        given = tree.map_structure(lambda array, part=part: array[part], arrays)
        found, record = replay(model, given, ref, adjust=hold)
        refuse_other_steps(ref, steps, (batch, record.unrolled.outputs.shape[1]))
        outputs.append(found)
    return tree.map_structure(lambda *parts: np.concatenate([ops.convert_to_numpy(part) for part in parts]), *outputs)


def arrays_of(model, inputs):
    """What a model takes, in arrays: one `(batch, time, …)`, or several in a list, tuple or dict.

    Args:
        model: a built Keras model; a subclassed one does not say how many inputs it has.
        inputs: one array `(batch, time, …)`, its rows in a list, or a list, tuple or dict of several arrays.

    Returns:
        An array, or the same structure of arrays, each `(batch, …)`.
    """
    known = len(getattr(model, "inputs", None) or ())
    listed = isinstance(inputs, list | tuple) and known != 1 and all(hasattr(each, "shape") for each in inputs)
    several = known > 1 or isinstance(inputs, dict) or listed
    return tree.map_structure(np.asarray, inputs) if several else np.asarray(inputs)


def refuse_other_steps(ref, steps, shape):
    """Raise ValueError unless steps are None, or `(batch, time)` as the layer reads them, which is `shape`."""
    if steps is not None and steps.shape != shape:
        raise ValueError(
            f"steps has shape {steps.shape}; expected {shape}, the inputs' (batch, time) where they reach layer "
            f"{ref.path!r}. Name the steps that the layer itself reads."
        )


def holding(ref, units, value, *, state, steps):
    """Make the intervention for `replay`: hold `units` at `value` where `steps` `(batch, time)` is True, or None."""

    def held(states, t):
        array = np.array(ops.convert_to_numpy(states))  # (batch, units)
        if steps is not None and (len(steps) != len(array) or t >= steps.shape[1]):
            return array  # steps of another shape, which are refused when the layer has told its own
        array[:, units] = value if steps is None else np.where(steps[:, t, None], value, array[:, units])
        return array

    def hold_hidden(t, states, gates):
        return held(states[0], t), *states[1:]

    def hold_cell(t, states, gates):
        memory = held(states[1], t)
        output_gate = gates[:, -memory.shape[1] :]
        bounded = ACTIVATIONS[ACTIVATION_NAMES[ref.layer.cell.activation]].value(memory)
        return np.where(memory == states[1], states[0], output_gate * bounded), memory

    return hold_hidden if state == "hidden" else hold_cell


def refuse_missing(ref, units, state):
    """Raise ValueError for units or a state that the layer does not have; `units` are indices `(units,)`.

    A convolution's cell gives no number of units: -1. The replay says why it has none.
    """
    size = tree.flatten(ref.layer.cell.state_size)[0]
    if units.size and size > 0 and (units.dtype.kind not in "iu" or units.min() < 0 or units.max() >= size):
        raise ValueError(f"Layer {ref.path!r} has units 0 to {size - 1}; got {units.tolist()}. Pass their indices.")
    if state not in ("hidden", "cell"):
        raise ValueError(f"state is {state!r}; pass 'hidden' or 'cell'.")
    if state == "cell" and ref.cell_type != "lstm":
        raise ValueError(f"Layer {ref.path!r} is a {ref.cell_type} and keeps no cell state. Pass state='hidden'.")
