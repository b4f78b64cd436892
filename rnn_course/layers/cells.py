"""The recurrent layers that a model can be built of, by name: the one place that says which they are."""

from rnn_course.layers.fused import FusedGRU, FusedLSTM, FusedSimpleRNN

CELLS = {"lstm": FusedLSTM, "gru": FusedGRU, "simple_rnn": FusedSimpleRNN}


def recurrent_layer(cell, units, **options):
    """Make a recurrent layer: one of Keras, in the form that trains faster on a CPU (`FusedLSTM` and so on).

    Args:
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        units: an int, how many it has.
        options: whatever else the layer of Keras takes, such as `return_sequences`.

    Returns:
        A `keras.layers.LSTM`, `GRU` or `SimpleRNN`, from (batch, time, features) to (batch, units), or as options say.

    Raises:
        ValueError: another `cell`.
    """
    if cell not in CELLS:
        raise ValueError(f"cell is {cell!r}; pass one of: {', '.join(map(repr, CELLS))}.")
    return CELLS[cell](units, **options)
