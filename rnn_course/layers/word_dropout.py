"""Words that go missing while a network learns."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="rnn_course")
class WordDropout(keras.layers.Layer):
    """Replaces random tokens by the unknown one while training (Iyyer et al. 2015; Bowman et al. 2016).

    The network learns not to hang on one word, and it learns a vector for unknown words even where the training
    texts hold none. Padding is never replaced, so that masks stay as they are. Not active at inference.

    Input and output: `(batch, time)` int token ids, 0 is padding.

    Args:
        rate: share of the tokens that is replaced, from 0 to below 1.
        unknown: the token id they are replaced by.
        seed: of the layer's own random stream; `None`: a random one, or Keras' where `set_random_seed` was called.

    Raises:
        ValueError: where `rate` is outside 0 ≤ rate < 1, or `unknown` is the padding.
    """

    def __init__(self, rate, *, unknown=1, seed=None, **options):
        """Check and keep the arguments; there are no weights."""
        super().__init__(**options)
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate}; pass a share of tokens, 0 <= rate < 1.")
        if unknown == 0:
            raise ValueError("unknown is 0, which is padding. Pass the token id of unknown words, 1 in `Vocabulary`.")
        self.rate, self.unknown, self.seed = rate, unknown, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, tokens, training=False):
        """Return the tokens `(batch, time)`, some of them replaced when `training`."""
        if not training or self.rate == 0:
            return tokens
        drawn = keras.random.uniform(ops.shape(tokens), seed=self.seed_generator)
        dropped = ops.logical_and(drawn < self.rate, ops.not_equal(tokens, 0))
        return ops.where(dropped, ops.full_like(tokens, self.unknown), tokens)

    def compute_output_shape(self, input_shape):
        """Return the shape of the tokens, `(batch, time)`, which does not change."""
        return input_shape

    def get_config(self):
        """Return the arguments; no arrays."""
        return {**super().get_config(), "rate": self.rate, "unknown": self.unknown, "seed": self.seed}
