"""Word dropout: which tokens go, how many, and when none does."""

import keras
import numpy as np
import pytest

from rnn_course.layers import WordDropout

TOKENS = np.tile([5, 9, 2, 0, 0], (2000, 1)).astype("int32")


def test_at_inference_every_token_stays():
    np.testing.assert_array_equal(WordDropout(0.9)(TOKENS), TOKENS)
    np.testing.assert_array_equal(WordDropout(0.9)(TOKENS, training=False), TOKENS)


def test_a_rate_of_zero_replaces_nothing_while_training():
    np.testing.assert_array_equal(WordDropout(0.0)(TOKENS, training=True), TOKENS)


def test_while_training_a_token_is_either_itself_or_the_unknown_one():
    dropped = np.asarray(WordDropout(0.4, unknown=7)(TOKENS, training=True))
    real = TOKENS != 0
    assert set(np.unique(dropped[real])) == {2, 5, 7, 9}
    assert np.all((dropped == TOKENS) | (dropped == 7))
    assert dropped.dtype == TOKENS.dtype


def test_padding_is_never_replaced():
    dropped = np.asarray(WordDropout(0.9)(TOKENS, training=True))
    assert not dropped[:, 3:].any()


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_as_many_tokens_go_as_the_rate_says(rate):
    # 6,000 real tokens: the share that goes has a standard deviation of sqrt(rate (1 - rate) / 6000) <= 0.0065.
    dropped = np.asarray(WordDropout(rate, seed=1)(TOKENS, training=True))
    assert np.mean(dropped[:, :3] == 1) == pytest.approx(rate, abs=0.026)


def test_two_calls_replace_different_tokens_and_two_layers_of_one_seed_the_same():
    first, second = WordDropout(0.5, seed=3), WordDropout(0.5, seed=3)
    once = np.asarray(first(TOKENS, training=True))
    np.testing.assert_array_equal(once, second(TOKENS, training=True))
    assert np.any(once != np.asarray(first(TOKENS, training=True)))


def test_it_is_built_anew_from_its_config():
    layer = WordDropout(0.3, unknown=4, seed=5, name="words")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.rate, again.unknown, again.seed, again.name) == (0.3, 4, 5, "words")


@pytest.mark.parametrize("rate", [-0.1, 1.0, 20])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match=f"rate is {rate}; pass a share of tokens"):
        WordDropout(rate)


def test_the_padding_cannot_be_the_unknown_token():
    with pytest.raises(ValueError, match="unknown is 0, which is padding"):
        WordDropout(0.1, unknown=0)
