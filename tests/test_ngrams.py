"""The n-gram baseline: by hand, against a slow second implementation, and on a source whose entropy is known."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.ngrams import NGram

A, B, C = range(3)
TEXTS = st.integers(1, 5).flatmap(
    lambda size: st.tuples(st.just(size), st.lists(st.integers(0, size - 1), min_size=1, max_size=40))
)


def test_abab_by_hand():
    # No count of counts 3 or 4, so counts of 1 and 2 give away 0.5 and 1. Unigram, by neighbors on the left: a follows
    # b and the beginning, b follows a alone. p(a) = (2 - 1) / 3 + 1.5 / 3 · 1/3 = 1/2, p(b) = 0.5 / 3 + 1/6 = 1/3.
    # After a: b twice. p(b | a) = (2 - 1) / 2 + 1/2 · 1/3 = 2/3. After b: a once. p(a | b) = 1/2 + 1/2 · 1/2 = 3/4.
    model = NGram.fit([A, B, A, B], order=2, size=3)
    np.testing.assert_allclose(model.distribution([]), [1 / 2, 1 / 3, 1 / 6])
    np.testing.assert_allclose(model.distribution([A]), [1 / 4, 2 / 3, 1 / 12])
    np.testing.assert_allclose(model.distribution([B]), [3 / 4, 1 / 6, 1 / 12])
    np.testing.assert_allclose(model.nats([A, B, C]), -np.log([1 / 2, 2 / 3, 1 / 12]))


def test_the_discounts_by_hand():
    # Four symbols occur once, two twice, one three times, one four times: Y = 4 / (4 + 2 · 2) = 1/2, and counts of
    # 1, 2, 3+ give away 1 - 2 Y 2/4 = 0.5, 2 - 3 Y 1/2 = 1.25 and 3 - 4 Y 1/1 = 1: together 6.5 of 15.
    text = [0, 1, 2, 3] + 2 * [4, 5] + 3 * [6] + 4 * [7]
    left = 6.5 / 15 / 9
    expected = left + np.array([0.5, 0.5, 0.5, 0.5, 0.75, 0.75, 2, 3, 0]) / 15
    np.testing.assert_allclose(NGram.fit(text, order=1, size=9).distribution([]), expected)


def test_order_one_does_not_look_back():
    model = NGram.fit([A, B, A, B, B], order=1, size=3)
    np.testing.assert_array_equal(model.distribution([A]), model.distribution([B, C]))
    np.testing.assert_allclose(model.nats([B, A], context=[A]), -np.log(model.distribution([])[[B, A]]))


def test_a_shorter_context_counts_neighbors_and_not_occurrences():
    # b stands only after a, however often; c after a, b and c.
    model = NGram.fit(10 * [A, B] + [A, C, B, C, C], order=2, size=4)
    unknown = model.distribution([3])
    assert unknown[C] > unknown[B]


def test_an_unseen_context_is_shortened_until_it_is_known():
    model = NGram.fit([A, B, A, B, A, A], order=3, size=3)
    np.testing.assert_array_equal(model.distribution([C, A]), model.distribution([A]))
    np.testing.assert_array_equal(model.distribution([C, C]), model.distribution([]))
    np.testing.assert_array_equal(model.distribution([C, C, B, A]), model.distribution([B, A]))


def slow_probability(text, order, size, context, symbol):
    """Modified Kneser-Ney over dicts and sets, by recursion, as Chen and Goodman write it."""
    start = [-1] * (order - 1) + list(text)
    grams = [tuple(start[place : place + order]) for place in range(len(text))]
    counts = Counter(grams)
    for _ in range(order - 1 - len(context)):
        counts = Counter(gram[1:] for gram in counts)  # one for each different symbol in front
    often = Counter(counts.values())
    n1, n2, n3, n4 = (often[times] for times in (1, 2, 3, 4))
    discounts = (0.5, 1.0, 1.5)
    if n1 * n2 * n3 * n4:
        y = n1 / (n1 + 2 * n2)
        estimates = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
        discounts = estimates if min(estimates) > 0 else discounts
    shorter = slow_probability(text, order, size, context[1:], symbol) if context else 1 / size
    here = {gram[-1]: count for gram, count in counts.items() if gram[:-1] == tuple(context)}
    if not here:
        return shorter
    saved = sum(discounts[min(count, 3) - 1] for count in here.values())
    kept = here[symbol] - discounts[min(here[symbol], 3) - 1] if symbol in here else 0
    return (kept + saved * shorter) / sum(here.values())


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(1, 4), st.data())
def test_it_gives_the_probabilities_of_a_slow_second_implementation(text, order, data):
    size, ids = text
    context = data.draw(st.lists(st.integers(0, size - 1), max_size=order - 1))
    expected = [slow_probability(ids, order, size, context, symbol) for symbol in range(size)]
    np.testing.assert_allclose(NGram.fit(ids, order=order, size=size).distribution(context), expected, rtol=1e-9)


def test_a_text_with_enough_counts_gives_the_same_with_estimated_discounts():
    ids = np.random.default_rng(3).choice(6, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01], size=300).tolist()
    model = NGram.fit(ids, order=3, size=7)
    for context in ([], [0], [5], [0, 1], [2, 4]):
        expected = [slow_probability(ids, 3, 7, context, symbol) for symbol in range(7)]
        np.testing.assert_allclose(model.distribution(context), expected, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 7), st.data())
def test_every_context_has_a_distribution_and_nats_are_its_logarithms(text, order, data):
    size, ids = text
    model = NGram.fit(ids, order=order, size=size)
    before = data.draw(st.lists(st.integers(0, size - 1), max_size=5))
    new = data.draw(st.lists(st.integers(0, size - 1), max_size=12))
    distributions = [model.distribution(before + new[:place]) for place in range(len(new))]
    for distribution in (model.distribution(before), *distributions):
        assert distribution.shape == (size,) and (distribution > 0).all()
        assert distribution.sum() == pytest.approx(1, abs=1e-12)
    expected = [-np.log(row[symbol]) for row, symbol in zip(distributions, new, strict=True)]
    np.testing.assert_allclose(model.nats(new, context=before), expected, atol=1e-12)


def test_a_source_of_order_three_is_known_by_order_three_and_is_noise_to_order_two():
    # The next bit is the exclusive or of the last two, in nine cases of ten: -0.9 ln 0.9 - 0.1 ln 0.1 = 0.325 nats.
    rng = np.random.default_rng(0)
    bits = [0, 1]
    for wrong in rng.random(60_000) < 0.1:
        bits.append((bits[-1] ^ bits[-2]) ^ int(wrong))
    train, valid = bits[:50_000], bits[50_000:]
    nats = {order: NGram.fit(train, order=order, size=2).nats(valid).mean() for order in (2, 3, 5)}
    entropy = -0.9 * np.log(0.9) - 0.1 * np.log(0.1)
    assert nats[3] == pytest.approx(entropy, abs=0.01)
    assert nats[5] == pytest.approx(entropy, abs=0.012)
    assert nats[2] > 0.6


def test_what_the_model_was_given_stays_as_it_was():
    ids = np.array([0, 1, 0, 2], np.int32)
    model = NGram.fit(ids, order=3, size=3)
    first = model.nats(ids)
    model.distribution(ids)
    np.testing.assert_array_equal(ids, [0, 1, 0, 2])
    np.testing.assert_array_equal(model.nats(ids), first)
    assert (model.order, model.size) == (3, 3)


@pytest.mark.parametrize(
    ("ids", "options", "message"),
    [
        ([0, 3], {}, r"`ids` holds \[3\], but a model of size 3 knows 0 to 2. Pass `size=len\(vocabulary\)`"),
        ([-1, 0], {}, r"`ids` holds \[-1\]"),
        ([0.0, 1.0], {}, r"`ids` must be \(time,\) integers; got float64 of shape \(2,\)"),
        ([[0, 1]], {}, r"got int64 of shape \(1, 2\)"),
        ([], {}, "the text has 0 symbols; pass 1 or more"),
        ([0], {"order": 0}, "order is 0"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_what_to_do(ids, options, message):
    with pytest.raises(ValueError, match=message):
        NGram.fit(ids, **{"size": 3} | options)


def test_what_cannot_be_scored_is_refused():
    model = NGram.fit([0, 1], order=2, size=2)
    with pytest.raises(ValueError, match=r"`context` holds \[2\]"):
        model.distribution([2])
    with pytest.raises(ValueError, match=r"`context` holds \[7\]"):
        model.nats([0], context=[7])
