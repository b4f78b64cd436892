"""The same layer at every step, for sequences of any length."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="rnn_course")
class FoldedTimeDistributed(keras.layers.TimeDistributed):
    """`keras.layers.TimeDistributed` that looks at all steps at once: time is folded into the batch and out again.

    Weights, config and answers are those of the Keras layer, whose TensorFlow path takes the number of rows for the
    number of steps as soon as lengths differ from call to call (Keras 3.15): `predict` on clips of 16 frames and then
    of 8 fails, or gives as many steps as the batch has rows.

    Input:  (batch, time, …).
    Output: (batch, time, …), what the wrapped layer makes of each step.
    """

    def call(self, inputs, training=None, mask=None):
        """Apply the wrapped layer to each step of `(batch, time, …)`; it is handed no mask."""
        time = ops.shape(inputs)[1]
        steps = ops.reshape(inputs, (-1, *inputs.shape[2:]))  # (batch * time, …)
        seen = self.layer(steps, training=training) if self.layer._call_has_training_arg else self.layer(steps)
        return ops.reshape(seen, (ops.shape(inputs)[0], time, *seen.shape[1:]))
