"""From a vector at every step to one vector for the sequence."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="rnn_course")
class MaskedPooling(keras.layers.Layer):
    """The largest and the mean value of every feature over the real steps, side by side.

    The maximum keeps the strongest sign of each feature wherever it was (Collobert et al. 2011), the mean how common
    it is; Howard & Ruder (2018) join the two. Keras' own `GlobalMaxPooling1D` knows no masks and lets padding win
    wherever all real values are negative.

    Input:  (batch, time, features), and a mask `(batch, time)` when there is one.
    Output: (batch, 2 * features), the maxima before the means; zeros for a sequence without a real step.
    """

    def call(self, inputs, mask=None):
        """Pool `(batch, time, features)` over the steps where `mask` `(batch, time)` is True, or over all of them."""
        if mask is None:
            mask = ops.ones(ops.shape(inputs)[:2], "bool")
        real = ops.expand_dims(mask, -1)  # (batch, time, 1)
        steps = ops.sum(ops.cast(real, inputs.dtype), axis=1)  # (batch, 1)
        largest = ops.max(ops.where(real, inputs, ops.full_like(inputs, -1e9)), axis=1)
        mean = ops.sum(ops.where(real, inputs, ops.zeros_like(inputs)), axis=1) / ops.maximum(steps, 1)
        return ops.concatenate([ops.where(steps > 0, largest, ops.zeros_like(largest)), mean], axis=-1)

    def compute_mask(self, inputs, mask=None):
        """Return None: time is gone, `(batch, time)` says nothing about `(batch, features)`."""
        return None

    def compute_output_shape(self, input_shape):
        """Return `(batch, 2 * features)` for `(batch, time, features)`."""
        batch, _, features = input_shape
        return batch, 2 * features
