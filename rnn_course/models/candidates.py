"""A twin of a model with a large vocabulary that is quicker to train."""

import keras

from rnn_course.layers import CandidateLogits


def build_candidate_twin(model):
    """The same model with the same weights, which gives the logits of some candidates only: train it in their place.

    For a model whose last layer asks for every word of a large vocabulary (Jean et al. 2015). The candidates of a batch
    come from `rnn_course.candidates.sample_candidates`; its `places` are the targets. What the twin learns, the model
    knows: they share all weights.

    Input:  the inputs of the model, then ids (candidates,) int and corrections (candidates,).
    Output: (batch, time, candidates) logits.

    Args:
        model: a Keras model, functional, that ends in a `Dense` layer of logits.

    Returns:
        An uncompiled `keras.Model`.

    Raises:
        ValueError: where the model does not end in such a layer.
    """
    ids = keras.Input((), dtype="int32", name="candidates")
    correction = keras.Input((), dtype="float32", name="correction")
    logits = CandidateLogits(model.layers[-1], name="candidate_logits")(model.layers[-1].input, ids, correction)
    return keras.Model([*model.inputs, ids, correction], logits, name=f"{model.name}_twin")
