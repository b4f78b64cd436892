"""A look back at everything that was read, with the weights of the look in plain sight."""

import keras
from keras import ops

KINDS = ("dot", "additive")


@keras.saving.register_keras_serializable(package="rnn_course")
class CrossAttention(keras.layers.Layer):
    """Each query reads a weighted mean of a memory, such as a decoder's step the states of an encoder.

    The mean is taken over the memory itself, not over a projection of it: a weight says what share of a memory's
    vector was read. Kind `"dot"` scores query q and memory m by (q W_q) · (m W_k) / √units (Luong et al. 2015; the
    scale is that of Vaswani et al. 2017), kind `"additive"` by v · tanh(q W_q + m W_k + b) (Bahdanau et al. 2015). The
    weights are the softmax of the scores over the real steps of the memory. Padding has a weight of exactly 0; where
    all is padding, weights and context are zeros. The softmax is computed in float32 at least.

    Called, it projects the memory and attends to it. A loop that asks one query at a time calls `project` once and
    `attend` at every step. The context keeps the queries' mask; the memory's mask is found by itself.

    Input:  queries (batch, target, query_features), memory (batch, source, features), and the memory's mask
            (batch, source) when there is one.
    Output: context (batch, target, features), weights (batch, target, source).

    Args:
        units: length of the vectors in which queries and memory are compared.
        kind: `"dot"` or `"additive"`.

    Raises:
        ValueError: `units` below 1 or an unknown kind; when called, queries, memory or mask of another rank.

    Example:
        >>> import numpy as np
        >>> context, weights = CrossAttention(4)(np.ones((1, 2, 3)), np.ones((1, 5, 6)))
        >>> tuple(context.shape), tuple(weights.shape)
        ((1, 2, 6), (1, 2, 5))
    """

    def __init__(self, units, *, kind="dot", **options):
        """Check and keep the arguments."""
        super().__init__(**options)
        if units < 1:
            raise ValueError(f"units is {units}; pass a length of at least 1, in which queries and memory meet.")
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; pass one of {', '.join(map(repr, KINDS))}.")
        self.units, self.kind = int(units), kind
        self.supports_masking = True

    def build(self, queries_shape, memory_shape):
        """Make W_q `(query_features, units)` and W_k `(features, units)`; v and b `(units,)` where they add."""
        refuse_ranks(queries_shape, memory_shape)
        self.query_kernel = self.add_weight(shape=(queries_shape[-1], self.units), name="query_kernel")
        self.memory_kernel = self.add_weight(shape=(memory_shape[-1], self.units), name="memory_kernel")
        if self.kind == "additive":
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
            self.score_kernel = self.add_weight(shape=(self.units,), name="score_kernel")

    def call(self, queries, memory, memory_mask=None):
        """Return context `(batch, target, features)` and weights `(batch, target, source)`."""
        return self.attend(queries, self.project(memory), memory, memory_mask=memory_mask)

    def project(self, memory):
        """Return the keys `(batch, source, units)` of a memory `(batch, source, features)`: all that scores need."""
        return ops.matmul(self._own(memory), self._own(self.memory_kernel))

    def attend(self, queries, keys, memory, memory_mask=None):
        """Read a memory whose keys are known; the layer must have been built.

        Args:
            queries: `(batch, target, query_features)`.
            keys: `(batch, source, units)` from `project`.
            memory: `(batch, source, features)`.
            memory_mask: `(batch, source)` bool, True at the real steps; all of them when None.

        Returns:
            The context `(batch, target, features)` and the weights `(batch, target, source)`.
        """
        refuse_ranks(ops.shape(queries), ops.shape(memory), memory_mask)
        scores = self._scores(ops.matmul(self._own(queries), self._own(self.query_kernel)), keys)
        weights = self._own(masked_softmax(scores, memory_mask))
        return ops.matmul(weights, self._own(memory)), weights

    def _scores(self, queries, keys):
        """How well queries `(batch, target, units)` and keys `(batch, source, units)` fit: (batch, target, source)."""
        if self.kind == "dot":
            return ops.matmul(queries, ops.swapaxes(keys, 1, 2)) / self.units**0.5
        pairs = ops.expand_dims(queries, 2) + ops.expand_dims(keys, 1)  # (batch, target, source, units)
        return ops.matmul(ops.tanh(pairs + self._own(self.bias)), self._own(self.score_kernel))

    def _own(self, values):
        """Values `(…)` in the layer's precision, also where Keras does not see to it: outside a call of the layer."""
        return ops.cast(values, self.compute_dtype)

    def compute_mask(self, queries, previous_mask):
        """Return the queries' mask `(batch, target)` for the context, and None for the weights."""
        return previous_mask, None

    def compute_output_shape(self, queries_shape, memory_shape):
        """Return `(batch, target, features)` and `(batch, target, source)`."""
        batch, target, _ = queries_shape
        return (batch, target, memory_shape[-1]), (batch, target, memory_shape[1])

    def get_config(self):
        """Return the arguments; no arrays."""
        return {**super().get_config(), "units": self.units, "kind": self.kind}


def masked_softmax(scores, mask=None):
    """Turn scores into shares of the real steps: exactly 0 at padding, and zeros where all is padding.

    Args:
        scores: `(batch, target, source)`.
        mask: `(batch, source)` bool, True at the real steps; all of them when None.

    Returns:
        `(batch, target, source)` in float32 at least; each row sums to 1, or to 0 without a real step.
    """
    scores = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    real = ops.ones_like(scores, "bool") if mask is None else ops.expand_dims(ops.cast(mask, "bool"), 1)
    lowest = ops.min(scores, axis=-1, keepdims=True)  # padding must not be the largest
    largest = ops.stop_gradient(ops.max(ops.where(real, scores, lowest), axis=-1, keepdims=True))
    nothing = ops.zeros_like(scores)
    shares = ops.where(real, ops.exp(ops.where(real, scores - largest, nothing)), nothing)
    total = ops.sum(shares, axis=-1, keepdims=True)  # at least 1, or 0 where all is padding
    return shares / ops.where(total > 0, total, ops.ones_like(total))


def refuse_ranks(queries_shape, memory_shape, mask=None):
    """Raise ValueError unless shapes are those of `CrossAttention`, the mask's `(batch, source)`."""
    if len(queries_shape) != 3 or len(memory_shape) != 3:
        raise ValueError(
            f"Queries have shape {tuple(queries_shape)} and memory {tuple(memory_shape)}; expected (batch, target, "
            "query_features) and (batch, source, features). Give a single query an axis of 1."
        )
    if mask is not None and len(ops.shape(mask)) != 2:
        raise ValueError(
            f"The memory's mask has shape {tuple(ops.shape(mask))}; expected (batch, source), True at the real steps."
        )
