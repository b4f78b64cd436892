"""One table of word vectors for reading words and for choosing them."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="rnn_course")
class TiedEmbedding(keras.layers.Embedding):
    """An embedding that also gives the logits: how well a vector fits each word's own vector, plus a bias.

    What is learned of a word when it is read then helps when it is to be written, and the reverse, and the largest
    matrix of a small model is saved (Press and Wolf 2017; Inan, Khosravi and Socher 2017). The vectors start with a
    length of about 1, so that the logits of a normalized vector start with a spread of about 1.

    Input:  (batch, time) int token ids; with `reverse=True` vectors (batch, time, output_dim).
    Output: (batch, time, output_dim); with `reverse=True` logits (batch, time, input_dim).

    Args:
        input_dim: number of token ids, the vocabulary.
        output_dim: length of a vector.

    Example:
        >>> import numpy as np
        >>> layer = TiedEmbedding(5, 3)
        >>> vectors = layer(np.array([[4, 2]]))
        >>> tuple(vectors.shape), tuple(layer(vectors, reverse=True).shape)
        ((1, 2, 3), (1, 2, 5))
    """

    def __init__(self, input_dim, output_dim, **options):
        """Keep the arguments."""
        start = keras.initializers.RandomNormal(stddev=output_dim**-0.5)
        super().__init__(input_dim, output_dim, **{"embeddings_initializer": start, **options})

    def build(self, input_shape=None):
        """Make the vectors `(input_dim, output_dim)` and the biases `(input_dim,)`."""
        super().build(input_shape)
        self.bias = self.add_weight(shape=(self.input_dim,), initializer="zeros", name="bias")

    def call(self, inputs, reverse=False):
        """Return vectors of ids `(batch, time)`, or the logits of vectors `(batch, time, output_dim)`."""
        if not reverse:
            return super().call(inputs)
        inputs, vectors, bias = (ops.cast(each, self.compute_dtype) for each in (inputs, self.embeddings, self.bias))
        return ops.matmul(inputs, ops.transpose(vectors)) + bias

    def compute_mask(self, inputs, mask=None, reverse=False):
        """Return the mask `(batch, time)` of ids as any embedding does, and for vectors the one that came with them."""
        return mask if reverse else super().compute_mask(inputs)

    def compute_output_shape(self, input_shape, reverse=False):
        """Return `(batch, time, output_dim)`, or `(batch, time, input_dim)` for logits."""
        return (*input_shape[:-1], self.input_dim) if reverse else (*input_shape, self.output_dim)

    def compute_output_spec(self, inputs, reverse=False):
        """Return a placeholder of the output's shape, `(batch, time, output_dim)` or `(batch, time, input_dim)`."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape, reverse), dtype=self.compute_dtype)

    def save_own_variables(self, store):
        """Keep the vectors `(input_dim, output_dim)` and the biases `(input_dim,)`; Keras keeps only the first."""
        super().save_own_variables(store)
        store["bias"] = self.bias

    def load_own_variables(self, store):
        """Take back the vectors `(input_dim, output_dim)` and the biases `(input_dim,)`."""
        super().load_own_variables(store)
        self.bias.assign(store["bias"])
