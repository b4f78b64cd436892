"""A twin of a model with a large vocabulary that is quicker to train."""

import keras

from rnn_course.layers import CandidateLogits


def build_candidate_twin(model, *, vectors="dropout", logits="target_embedding"):
    """The same model with the same weights, which gives the logits of some candidates only: train it in their place.

    For a model whose last layer asks for every word of a large vocabulary (Jean et al. 2015). The candidates of a batch
    come from `rnn_course.candidates.sample_candidates`; its `places` are the targets. What the twin learns, the model
    knows: they share all weights. For a model of `build_language_model` with one recurrent layer, `vectors` is
    "dropout_1" and `logits` is "logits".

    Input:  the inputs of the model, then ids (candidates,) int and corrections (candidates,).
    Output: (batch, time, candidates) logits.

    Args:
        model: a Keras model, functional.
        vectors: name of the layer whose output the logits are made from.
        logits: name of the layer that makes them, a `TiedEmbedding` or a `Dense` without activation.

    Returns:
        An uncompiled `keras.Model`.

    Raises:
        ValueError: where the model has no such layers, or the logits are made in another way.
    """
    ids = keras.Input((), dtype="int32", name="candidates")
    correction = keras.Input((), dtype="float32", name="correction")
    chosen = CandidateLogits(model.get_layer(logits), name="candidate_logits")
    scores = chosen(model.get_layer(vectors).output, ids, correction)
    return keras.Model([*model.inputs, ids, correction], scores, name=f"{model.name}_twin")
