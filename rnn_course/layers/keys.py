"""Keys that are chosen one after the other, from the highest to the lowest."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="rnn_course")
class PressedKeys(keras.layers.Layer):
    """The keys that the slots before have chosen, as each slot sees them.

    Choice 0 says "no further key", choice k + 1 says key k, as in `rnn_course.frames.list_choices`.

    Input:  (batch, time, slots) int choices.
    Output: (batch, time, slots, keys), 1 at the keys of the slots before; a slot never sees its own choice.

    Args:
        keys: how many keys there are.
    """

    def __init__(self, keys, **options):
        """Keep the number of keys; there are no weights."""
        super().__init__(**options)
        self.keys = keys

    def call(self, choices):
        """Return what each slot of `(batch, time, slots)` is given, `(batch, time, slots, keys)`."""
        chosen = ops.one_hot(choices, self.keys + 1, dtype=self.compute_dtype)[..., 1:]
        return ops.cumsum(chosen, axis=2) - chosen

    def compute_output_shape(self, choices_shape):
        """Return `(batch, time, slots, keys)`."""
        return (*choices_shape, self.keys)

    def get_config(self):
        """Return what `from_config` needs; there are no arrays in it."""
        return super().get_config() | {"keys": self.keys}


@keras.saving.register_keras_serializable(package="rnn_course")
class FallingChoices(keras.layers.Layer):
    """Rules out what may not follow, so that every set of keys is one list of choices and all lists sum to 1.

    A key must lie below all that are pressed, and after "no further key" nothing else follows. Without this layer a
    network would waste probability on lists that mean the same set, and its likelihood of a set would be too low.

    Input:  (batch, time, slots, 1 + keys) logits, (batch, time, slots) int choices.
    Output: (batch, time, slots, 1 + keys) logits, -1e9 for what is ruled out.
    """

    def call(self, logits, choices):
        """Return the logits of `(batch, time, slots)` choices, `(batch, time, slots, 1 + keys)`, with the rules."""
        size = logits.shape[-1]
        before = ops.pad(choices[..., :-1], [[0, 0], [0, 0], [1, 0]], constant_values=size)  # the last slot's choice
        possible = ops.arange(size, dtype=choices.dtype) < ops.expand_dims(before, -1)
        end = ops.arange(size, dtype=choices.dtype) == 0
        return ops.where(ops.logical_or(possible, end), logits, ops.full_like(logits, -1e9))

    def compute_output_shape(self, logits_shape, choices_shape):
        """Return `(batch, time, slots, 1 + keys)`."""
        return logits_shape
