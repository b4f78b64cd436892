"""The last layer of a language model or translator, asked for some words of its vocabulary only."""

import keras
from keras import ops

from rnn_course.layers.tied import TiedEmbedding


class CandidateLogits(keras.layers.Layer):
    """Logits of some candidates of a vocabulary, with the weights of the layer that gives all of them.

    Most of the work of a small translator is its last layer, which asks of every word whether it comes next. While it
    is trained, it need not: the softmax over the words that do occur in a batch and a random sample of the others,
    their scores corrected for how many they stand for, has nearly the same gradient (Jean et al. 2015; Bengio and
    Senécal 2008 for the correction). `rnn_course.candidates.sample_candidates` draws them.

    Input:  vectors (batch, time, features), ids (candidates,) int, and corrections (candidates,).
    Output: (batch, time, candidates).

    Args:
        logits: the layer of all logits, a `Dense` without activation or a `TiedEmbedding`; its weights are used, and
            trained.

    Raises:
        ValueError: where `logits` is another layer, is not built, or has an activation.
    """

    def __init__(self, logits, **options):
        """Check and keep the layer."""
        super().__init__(**options)
        linear = getattr(logits, "activation", None) in (None, keras.activations.linear)
        if not isinstance(logits, keras.layers.Dense | TiedEmbedding) or not logits.built or not linear:
            raise ValueError(
                f"logits is {logits!r}; pass the built layer of all logits, "
                "a TiedEmbedding or a Dense without activation."
            )
        self.logits = logits

    def call(self, vectors, ids, correction):
        """Return the logits `(batch, time, candidates)` of the candidates `(candidates,)`, corrected."""
        if isinstance(self.logits, TiedEmbedding):
            kernel = ops.transpose(ops.take(self.logits.embeddings, ids, axis=0))  # (features, candidates)
        else:
            kernel = ops.take(self.logits.kernel, ids, axis=1)
        scores = ops.matmul(vectors, ops.cast(kernel, vectors.dtype))
        bias = 0 if self.logits.bias is None else ops.take(self.logits.bias, ids)
        return scores + ops.cast(bias + correction, scores.dtype)

    def compute_output_shape(self, vectors_shape, ids_shape, correction_shape):
        """Return `(batch, time, candidates)`."""
        return (*vectors_shape[:-1], ids_shape[0])
