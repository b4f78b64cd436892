"""What is planted in a vector is read back, what is not stays at chance, and the readout is ridge regression."""

import time

import numpy as np
import pytest

from rnn_course.probes import read_back

BATCH, TIME, WORDS = 400, 3, 6
RNG = np.random.default_rng(0)
SKEWED = np.array([0.1, 0.1, 0.1, 0.4, 0.2, 0.1])
TOKENS = 2 + RNG.choice(WORDS, size=(BATCH, TIME), p=SKEWED)
FIT = np.arange(BATCH) % 4 != 0
HELD = np.eye(WORDS)[TOKENS[:, 1] - 2]  # the word at position 1, and nothing else


def usual_share(tokens, fit, asked):
    """How often the most frequent word of the fit stands among the asked, one position."""
    words, counts = np.unique(tokens[fit], return_counts=True)
    return (tokens[asked] == words[counts.argmax()]).mean()


def test_the_word_that_a_state_holds_is_read_back_and_the_others_stay_at_chance():
    found = read_back(HELD, TOKENS, fit=FIT)
    assert found.accuracy[1] == 1
    expected = [usual_share(TOKENS[:, t], FIT, ~FIT) for t in range(TIME)]
    np.testing.assert_allclose(found.chance, expected)
    np.testing.assert_allclose(found.accuracy[[0, 2]], found.chance[[0, 2]], atol=0.07)
    assert found.count.tolist() == [100] * TIME
    assert (found.predicted[~FIT, 1] == TOKENS[~FIT, 1]).all()


def test_the_asked_examples_and_what_they_got_right_can_be_recovered():
    found = read_back(HELD + 0.7 * RNG.normal(size=HELD.shape), TOKENS, fit=FIT)
    np.testing.assert_array_equal(found.asked, np.repeat(~FIT[:, None], TIME, axis=1))
    assert not found.predicted[FIT].any() and not found.correct[FIT].any()
    np.testing.assert_array_equal(found.correct[~FIT], (found.predicted == TOKENS)[~FIT])
    np.testing.assert_allclose(found.correct[~FIT].mean(0), found.accuracy)
    assert 0.5 < found.accuracy[1] < 1


def test_states_of_other_examples_fall_to_chance():
    found = read_back(HELD[RNG.permutation(BATCH)], TOKENS, fit=FIT)
    assert abs(found.accuracy[1] - found.chance[1]) < 0.07


def test_a_state_that_never_moves_gives_the_usual_word():
    found = read_back(np.full((BATCH, 3), 0.1), TOKENS, fit=FIT)
    np.testing.assert_array_equal(found.accuracy, found.chance)


def test_a_unit_that_never_moves_in_the_fit_says_nothing():
    unmoved = np.where(FIT[:, None], 0.0, RNG.normal(size=(BATCH, 2)))
    plain, more = (read_back(one, TOKENS, fit=FIT) for one in (HELD, np.concatenate([HELD, unmoved], axis=1)))
    np.testing.assert_array_equal(more.predicted, plain.predicted)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
def test_it_is_ridge_regression_to_one_hot_words(penalty):
    # The same least squares written with extra rows: √penalty · weight = 0 for every weight but the intercept's.
    states = np.concatenate([HELD + RNG.normal(size=HELD.shape), 50 * RNG.normal(size=(BATCH, 2))], axis=1)
    states[:, -1] += TOKENS[:, 2]
    found = read_back(states, TOKENS, fit=FIT, penalty=penalty)
    scaled = (states - states[FIT].mean(0)) / states[FIT].std(0)
    rows = np.concatenate([np.insert(scaled[FIT], 0, 1, axis=1), np.eye(9)[1:] * np.sqrt(penalty)])
    for t in range(TIME):
        one_hot = np.concatenate([np.eye(WORDS)[TOKENS[FIT, t] - 2], np.zeros((8, WORDS))])
        weights = np.linalg.lstsq(rows, one_hot, rcond=None)[0]
        expected = 2 + (np.insert(scaled[~FIT], 0, 1, axis=1) @ weights).argmax(1)
        np.testing.assert_array_equal(found.predicted[~FIT, t], expected)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_and_the_place_of_the_states_do_not_matter(scale):
    states = HELD + 0.7 * RNG.normal(size=HELD.shape)
    plain, moved = (read_back(one, TOKENS, fit=FIT) for one in (states, 3 * scale + scale * states))
    np.testing.assert_array_equal(moved.predicted, plain.predicted)


def test_padding_is_neither_fitted_nor_asked():
    tokens = TOKENS.copy()
    tokens[::2, 2] = 0  # all asked examples among them, but for position 2 nobody is asked
    tokens[::3, 1] = 0
    found = read_back(np.concatenate([HELD, RNG.normal(size=(BATCH, 2))], axis=1), tokens, fit=FIT)
    assert found.count.tolist() == [100, (tokens[~FIT, 1] != 0).sum(), 0]
    assert found.accuracy[1] == 1
    assert np.isnan(found.accuracy[2]) and np.isnan(found.chance[2])
    assert not found.predicted[tokens == 0].any()


def test_a_mask_says_which_words_are_real_whatever_stands_there():
    mask = np.ones((BATCH, TIME), bool)
    mask[::3, 1] = False
    spoiled = np.where(mask, TOKENS, 7)
    found = read_back(HELD, spoiled, fit=FIT, mask=mask)
    assert found.accuracy[1] == 1
    np.testing.assert_array_equal(found.asked, mask & ~FIT[:, None])
    own = usual_share(TOKENS[:, 1], FIT & mask[:, 1], ~FIT & mask[:, 1])
    assert found.chance[1] == pytest.approx(own)


def test_a_position_that_the_fit_never_saw_is_not_read_back():
    tokens = np.where(FIT[:, None], np.insert(TOKENS[:, :2], 2, 0, axis=1), TOKENS)
    found = read_back(HELD, tokens, fit=FIT)
    assert found.count[2] == 100
    assert found.accuracy[2] == found.chance[2] == 0
    from_zero = read_back(HELD, 0 * tokens, fit=FIT, mask=tokens != 0)  # a mask may call id 0 a word
    assert from_zero.accuracy.tolist() == [1, 1, 0]


def test_a_vocabulary_of_thousands_takes_seconds():
    # Zipf's law over 8,000 ids, 12 positions: the states hold no word but the first one's, turned into a random code.
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 8001)
    tokens = rng.choice(8000, size=(6000, 12), p=shares / shares.sum()) + 1
    states = rng.normal(size=(8001, 256)).astype("float32")[tokens[:, 0]]
    began = time.perf_counter()
    found = read_back(states, tokens, fit=np.arange(6000) < 4500)
    assert time.perf_counter() - began < 20
    assert found.accuracy[0] > 3 * found.chance[0]
    assert (found.accuracy[1:] < 1.5 * found.chance[1:]).all()


GOOD = {"states": HELD, "tokens": TOKENS, "fit": FIT}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"states": HELD[:9]}, r"states \(9, 6\), tokens \(400, 3\), fit \(400,\) and mask \(400, 3\) do not fit; exp"),
        ({"states": HELD[:, 0]}, r"states \(400,\), .* expected \(batch, units\), \(batch, time\), \(batch,\) and \("),
        ({"fit": FIT[:9]}, r"fit \(9,\)"),
        ({"mask": FIT}, r"mask \(400,\) do not fit"),
        ({"tokens": TOKENS / 1.0}, "tokens are float64, fit bool and mask bool; expected integers, bool and bool"),
        ({"fit": FIT.astype(int)}, "fit int64"),
        ({"fit": FIT | True}, "400 of 400 examples are for the fit; some must be fitted on and others asked"),
        ({"fit": FIT & False}, "0 of 400 examples are for the fit"),
        ({"states": HELD * np.nan}, "states must be finite"),
        ({"penalty": 0}, "penalty is 0; pass a number above 0"),
    ],
)
def test_data_that_cannot_answer_is_refused(changed, message):
    data = GOOD | changed
    with pytest.raises(ValueError, match=message):
        read_back(data.pop("states"), data.pop("tokens"), **data)
