"""The recurrent layers that a model can be built of, by name: the one place that says which they are."""

from keras import layers

CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}


def recurrent_layer(cell, units, **options):
    """Make a recurrent layer.

    Args:
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        units: an int, how many it has.
        options: whatever else the Keras layer takes, such as `return_sequences`.

    Returns:
        The Keras layer, from (batch, time, features) to (batch, units), or as the options say.

    Raises:
        ValueError: another `cell`.
    """
    if cell not in CELLS:
        raise ValueError(f"cell is {cell!r}; pass one of: {', '.join(map(repr, CELLS))}.")
    return CELLS[cell](units, **options)
