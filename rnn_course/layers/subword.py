"""Word vectors that words of one family share."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="rnn_course")
class SubwordEmbedding(keras.layers.Embedding):
    """A word's vector is its own and those of its parts, added up (Bojanowski et al. 2017).

    "Dullness" shares `dul-` and `dull-` with "dull" and `-ness` with "sadness", so a word that was read once is no
    stranger. The sum of n vectors is divided by √n: words of many parts are not louder than others. Word 0 is padding
    and masked; it has no parts.

    Input:  (batch, time) int token ids.
    Output: (batch, time, output_dim).

    Args:
        input_dim: number of token ids, the vocabulary.
        output_dim: length of a vector.
        parts: `(input_dim, parts)` int, which parts each word has: numbers from 1 on, 0 where it has fewer.

    Raises:
        ValueError: where `parts` has another number of rows than there are words, or gives parts to the padding.
    """

    def __init__(self, input_dim, output_dim, *, parts, **options):
        """Check and keep the table of parts."""
        super().__init__(input_dim, output_dim, **{"mask_zero": True, **options})
        self.parts = np.asarray(parts, "int32")
        if self.parts.ndim != 2 or len(self.parts) != input_dim:
            raise ValueError(
                f"parts has shape {self.parts.shape}; expected ({input_dim}, parts), a row for every word."
            )
        if self.parts[0].any():
            raise ValueError(f"Word 0 is padding and has parts {self.parts[0].tolist()}. Pass a first row of zeros.")

    def build(self, input_shape=None):
        """Make the vectors of words `(input_dim, output_dim)` and parts `(1 + parts, output_dim)`, 0 being no part."""
        super().build(input_shape)
        self.part_vectors = self.add_weight(
            shape=(int(self.parts.max(initial=0)) + 1, self.output_dim),
            initializer=self.embeddings_initializer,
            name="part_vectors",
        )

    def call(self, inputs):
        """Return the vectors `(batch, time, output_dim)` of tokens `(batch, time)`."""
        parts = ops.take(ops.convert_to_tensor(self.parts), inputs, axis=0)  # (batch, time, parts)
        there = ops.expand_dims(ops.cast(parts > 0, self.compute_dtype), -1)
        vectors = ops.take(self.part_vectors, parts, axis=0) * there  # (batch, time, parts, output_dim)
        added = super().call(inputs) + ops.sum(vectors, axis=-2)
        return added / ops.sqrt(1 + ops.sum(there, axis=-2))

    def save_own_variables(self, store):
        """Keep the vectors of words `(input_dim, output_dim)` and parts; Keras keeps only the first."""
        super().save_own_variables(store)
        store["part_vectors"] = self.part_vectors

    def load_own_variables(self, store):
        """Take back the vectors of words `(input_dim, output_dim)` and parts `(parts, output_dim)`."""
        super().load_own_variables(store)
        self.part_vectors.assign(store["part_vectors"])

    def get_config(self):
        """Return the arguments, the table `(input_dim, parts)` as lists."""
        return {**super().get_config(), "parts": self.parts.tolist()}
