"""From logits to choices: known answers, what must hold for any logits, and how often each choice is drawn."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnn_course.decoding import (
    ROUNDING,
    beam_search,
    choose,
    distribution,
    greedy,
    log_softmax,
    sample,
    top_k,
    top_p,
)

FINITE = arrays.arrays("float64", st.integers(1, 12), elements=st.floats(-1e4, 1e4))
TIED = arrays.arrays("float64", st.integers(1, 12), elements=st.integers(-2, 2).map(float))
LOGITS = (FINITE | TIED).flatmap(
    lambda logits: st.sets(st.integers(1, 12), max_size=6).map(
        lambda ruled_out: np.where(np.isin(np.arange(len(logits)), list(ruled_out)), -np.inf, logits)
    )
)  # index 0 always stays
QUIET = settings(deadline=None, max_examples=150)


def test_probabilities_of_four_to_one_become_two_to_one_at_temperature_two():
    # A temperature T raises every probability to the power 1/T: 4:1 becomes 2:1, and 16:1 at T = 1/2.
    logits = np.log([4.0, 1.0]) + 7
    np.testing.assert_allclose(np.exp(log_softmax(logits)), [4 / 5, 1 / 5])
    np.testing.assert_allclose(np.exp(log_softmax(logits, 2.0)), [2 / 3, 1 / 3])
    np.testing.assert_allclose(np.exp(log_softmax(logits, temperature=0.5)), [16 / 17, 1 / 17])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_huge_logits_neither_overflow_nor_lose_their_differences(dtype):
    logits = np.array([[1e4, 1e4 - 8, -1e4], [-1e4, -1e4, -np.inf]], dtype)
    found = log_softmax(logits)
    assert found.dtype == np.float64
    np.testing.assert_allclose(
        found[0], [-np.log1p(np.exp(-8)), -8 - np.log1p(np.exp(-8)), -2e4 - np.log1p(np.exp(-8))], rtol=1e-12
    )
    np.testing.assert_allclose(found[1], [-np.log(2), -np.log(2), -np.inf])


def test_the_smallest_temperature_is_greedy_and_a_large_one_uniform():
    logits = np.array([3.0, -1e4, 3.001, -np.inf])
    np.testing.assert_array_equal(distribution(logits, temperature=1e-308), [0, 0, 1, 0])
    np.testing.assert_allclose(distribution(logits, temperature=1e12), [1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-7)


@given(LOGITS, st.floats(0.01, 100))
@QUIET
def test_probabilities_sum_to_one_and_keep_the_order(logits, temperature):
    chances = np.exp(log_softmax(logits, temperature))
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    assert (np.diff(chances[np.argsort(logits)]) >= 0).all()
    assert (chances[logits == -np.inf] == 0).all()


def test_top_k_keeps_the_largest_and_of_equal_ones_the_first():
    logits = np.array([[1.0, 2.0, 2.0, 2.0], [4.0, 3.0, -np.inf, 5.0]])
    keep, out = True, False
    np.testing.assert_array_equal(np.isfinite(top_k(logits, 2)), [[out, keep, keep, out], [keep, out, out, keep]])
    np.testing.assert_array_equal(top_k(logits, 1), [[-np.inf, 2, -np.inf, -np.inf], [-np.inf, -np.inf, -np.inf, 5]])
    np.testing.assert_array_equal(top_k(logits, 9), logits)


@given(LOGITS, st.integers(1, 15))
@QUIET
def test_top_k_keeps_k_values_and_none_that_is_less_than_one_it_drops(logits, k):
    filtered = top_k(logits, k)
    kept = np.isfinite(filtered)
    assert kept.sum() == min(k, np.isfinite(logits).sum())
    np.testing.assert_array_equal(filtered[kept], logits[kept])
    assert logits[kept].min() >= logits[~kept].max(initial=-np.inf)


@pytest.mark.parametrize(
    ("p", "kept"),
    [
        (1e-9, [1]),
        (0.5, [1]),
        (0.50001, [1, 3]),
        (0.8, [1, 3]),  # 0.5 + 0.3 reaches 0.8, whatever its last binary digit
        (0.81, [0, 1, 3]),
        (0.95, [0, 1, 3]),
        (0.9500011, [0, 1, 2, 3]),
        (1, [0, 1, 2, 3]),
    ],
)
def test_top_p_keeps_the_smallest_set_that_reaches_p(p, kept):
    logits = np.log([0.15, 0.5, 0.05, 0.3])
    assert np.flatnonzero(np.isfinite(top_p(logits, p))).tolist() == kept
    assert np.flatnonzero(np.isfinite(top_p(np.stack([logits[::-1], logits]), p)[1])).tolist() == kept


def test_top_p_of_equal_choices_keeps_the_first():
    assert np.flatnonzero(np.isfinite(top_p(np.zeros(10), 0.9))).tolist() == list(range(9))
    assert np.flatnonzero(np.isfinite(top_p(np.zeros(10), 0.91))).tolist() == list(range(10))


def test_all_of_the_probability_keeps_even_what_is_nearly_impossible():
    np.testing.assert_array_equal(top_p([0.0, -40.0, -1e4, -np.inf], 1.0), [0.0, -40.0, -1e4, -np.inf])


@given(LOGITS, st.floats(0.01, 1))
@QUIET
def test_top_p_is_a_set_that_reaches_p_and_is_not_one_without_its_least_likely(logits, p):
    filtered, chances = top_p(logits, p), np.exp(log_softmax(logits))
    kept = np.isfinite(filtered)
    np.testing.assert_array_equal(filtered[kept], logits[kept])
    assert kept[greedy(logits)]
    assert chances[kept].sum() >= p - 2 * ROUNDING
    if p < 1:
        assert chances[kept].sum() - chances[kept].min() < p
    assert chances[kept].min() >= chances[~kept].max(initial=0)


def test_greedy_takes_the_first_of_the_most_likely():
    np.testing.assert_array_equal(greedy([[0.0, 2.0, 2.0], [-np.inf, -1e4, -np.inf]]), [1, 1])


def test_the_temperature_comes_first_then_top_k_then_top_p_of_what_is_left():
    logits = np.log([0.4, 0.3, 0.2, 0.1])
    # top-k leaves 4/9, 3/9, 2/9; 7/9 of that is more than 0.75. Of all four it would take 0.9 to pass 0.75.
    np.testing.assert_allclose(distribution(logits, top_k=3, top_p=0.75), [4 / 7, 3 / 7, 0, 0])
    np.testing.assert_allclose(distribution(logits, top_p=0.75), [4 / 9, 3 / 9, 2 / 9, 0])
    # At temperature 1/2 the probabilities are as 16 : 9 : 4 : 1, and 25/30 passes 0.75.
    np.testing.assert_allclose(distribution(logits, temperature=0.5, top_p=0.75), [16 / 25, 9 / 25, 0, 0])
    np.testing.assert_allclose(distribution(logits, temperature=0.5), np.array([16, 9, 4, 1]) / 30)


def test_a_number_is_looked_up_in_the_cumulative_distribution():
    chances = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    numbers = [0.0, 0.2499, 0.25, 0.7499, 0.75, np.nextafter(1, 0)]
    np.testing.assert_array_equal(choose(np.tile(chances, (6, 1)), numbers), [1, 1, 3, 3, 4, 4])
    np.testing.assert_array_equal(choose(np.tile(8 * chances, (6, 1)), numbers), [1, 1, 3, 3, 4, 4])


@given(LOGITS, st.floats(0, 1, exclude_max=True))
@QUIET
def test_what_is_ruled_out_is_never_chosen(logits, uniform):
    chances = np.exp(log_softmax(logits))
    chosen = choose(chances, uniform)
    assert chances[chosen] > 0
    assert chances[:chosen].sum() <= uniform + 1e-12
    assert uniform < chances[: chosen + 1].sum() + 1e-12


@given(arrays.arrays("float64", (3, 2, 5), elements=st.floats(-5, 5)), st.integers(0, 2**32))
@QUIET
def test_a_batch_draws_what_its_rows_draw_one_after_the_other(logits, seed):
    options = {"temperature": 0.7, "top_k": 4, "top_p": 0.9}
    together = sample(logits, rng=np.random.default_rng(seed), **options)
    rng = np.random.default_rng(seed)
    one_by_one = [int(sample(row, rng=rng, **options)) for row in logits.reshape(-1, 5)]
    assert together.shape == (3, 2)
    assert together.ravel().tolist() == one_by_one
    assert rng.random() == np.random.default_rng(seed).random(7)[-1]  # six numbers were taken, not more


@given(LOGITS, st.integers(0, 2**32))
@QUIET
def test_sampling_one_of_the_most_likely_is_greedy(logits, seed):
    rng = np.random.default_rng(seed)
    assert sample(logits, top_k=1, rng=rng) == greedy(logits)
    assume((np.exp(log_softmax(logits)) == np.exp(log_softmax(logits)).max()).sum() == 1)  # not equal to the last digit
    assert sample(logits, top_p=1e-9, rng=rng) == greedy(logits)


@pytest.mark.parametrize("options", [{}, {"temperature": 1.7}, {"top_k": 3}, {"top_p": 0.8}])
def test_every_choice_is_drawn_as_often_as_its_probability_says(options):
    logits, draws = np.array([0.3, -1.0, 2.0, -np.inf, 1.0, 1.0]), 200_000
    drawn = sample(np.tile(logits, (draws, 1)), rng=np.random.default_rng(5), **options)
    expected = distribution(logits, **options)
    counts = np.bincount(drawn, minlength=6)
    spread = np.sqrt(draws * expected * (1 - expected))
    assert (np.abs(counts - draws * expected) <= 4 * spread).all()  # exactly 0 where the probability is


@pytest.mark.parametrize("temperature", [0, -1.0, np.inf, np.nan])
def test_a_temperature_that_is_none_is_refused_and_greedy_named(temperature):
    with pytest.raises(ValueError, match=rf"temperature is {temperature}; pass a number above 0.*use `greedy`"):
        sample([0.0, 1.0], temperature=temperature, rng=np.random.default_rng(0))


@pytest.mark.parametrize("k", [0, -3, 1.5])
def test_a_k_that_leaves_nothing_is_refused(k):
    with pytest.raises(ValueError, match=rf"k is {k}; pass how many choices stay, a whole number from 1 on"):
        top_k([0.0, 1.0], k)


@pytest.mark.parametrize("p", [0, -0.1, 1.01, np.nan])
def test_a_p_that_is_no_share_is_refused(p):
    with pytest.raises(ValueError, match=rf"p is {p}; pass the probability to keep, above 0 and at most 1"):
        top_p([0.0, 1.0], p)


@pytest.mark.parametrize("function", [greedy, log_softmax, lambda x: top_k(x, 1), lambda x: top_p(x, 0.5)])
@pytest.mark.parametrize(
    ("logits", "complaint"),
    [
        ([0.0, np.nan], r"hold NaN or \+inf"),
        ([[0.0, 1.0], [0.0, np.inf]], r"hold NaN or \+inf"),
        ([[0.0, 1.0], [-np.inf, -np.inf]], "everything is ruled out. Leave at least one finite"),
        (1.0, r"shape \(\), expected \(…, size\)"),
        (np.zeros((3, 0)), r"shape \(3, 0\), expected \(…, size\)"),
    ],
)
def test_logits_without_a_distribution_are_refused(function, logits, complaint):
    with pytest.raises(ValueError, match=complaint):
        function(logits)


def test_uniform_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"probabilities \(2, 3\) and uniforms \(3,\) do not fit"):
        choose(np.ones((2, 3)), np.zeros(3))
    with pytest.raises(ValueError, match=r"outside \[0, 1\)\. Draw them with `rng.random`"):
        choose(np.ones((2, 3)), [0.5, 1.0])


@pytest.mark.parametrize("row", [[0.0, 0.0], [1.5, -0.5], [np.nan, 1.0], [np.inf, 1.0]])
def test_a_row_that_is_no_distribution_is_refused(row):
    with pytest.raises(ValueError, match=r"negative, NaN or infinite, or a row holds only 0\. Pass such as"):
        choose([[0.5, 0.5], row], [0.1, 0.1])


def test_nothing_is_written_into_the_logits():
    logits = np.array([1.0, 3.0, 2.0])
    logits.flags.writeable = False
    sample(logits, temperature=0.5, top_k=2, top_p=0.5, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(logits, [1.0, 3.0, 2.0])


# --- beam search ------------------------------------------------------------------------------------------------------


def table_step(chances):
    """Make a step that knows the last token only: row i of `chances` is what follows token i."""
    with np.errstate(divide="ignore"):
        log_chances = np.log(chances)
    return lambda tokens, state: (log_chances[tokens], state)


def network_step(seed, vocabulary=3, units=4):
    """Make a step of a small recurrent network with two states, and its first state: it remembers all that it read."""
    rng = np.random.default_rng(seed)
    reads, turns = rng.normal(size=(vocabulary, units)), rng.normal(size=(units, units))
    writes = rng.normal(size=(units, vocabulary), scale=1.5)

    def step(tokens, state):
        hidden, count = state
        hidden = np.tanh(hidden @ turns + reads[tokens] + 0.1 * count)
        return log_softmax(hidden @ writes), [hidden, count + 1]

    return step, [np.zeros((1, units)), np.zeros((1, 1))]


def log_probability_of(written, step, state, start):
    """Add up the log probabilities of one sequence, read token by token."""
    total, last = 0.0, start
    for token in written:
        log_probabilities, state = step(np.array([last]), state)
        total, last = total + log_probabilities[0, token], token
    return total


def every_sequence(vocabulary, end, longest):
    """List every way to write tokens until the end, or `longest` tokens without it."""
    others = [token for token in range(vocabulary) if token != end]
    ended = [(*body, end) for size in range(longest) for body in itertools.product(others, repeat=size)]
    return ended + list(itertools.product(others, repeat=longest))


# After 3 (the start): 0 (the end) 0.1, 1 0.5, 2 0.4. After 1 nothing is likely, after 2 the end is.
MISLEADING = np.array([[1, 0, 0, 0], [0.4, 0.3, 0.3, 0], [0.9, 0.05, 0.05, 0], [0.1, 0.5, 0.4, 0]])


def test_two_beams_find_what_greedy_misses():
    # Greedy: 1, then the end: 0.5 * 0.4. Two beams keep 2 as well, and 0.4 * 0.9 is more.
    options = {"start": 3, "end": 0, "longest": 4, "length_penalty": 0}
    (alone,) = beam_search(table_step(MISLEADING), (), width=1, **options)
    assert alone.tokens == (1,)
    assert alone.log_probability == pytest.approx(np.log(0.2))
    pair = beam_search(table_step(MISLEADING), (), width=2, **options)
    assert [found.tokens for found in pair] == [(2,), (1,)]
    np.testing.assert_allclose([found.log_probability for found in pair], np.log([0.36, 0.2]))
    assert [found.score for found in pair] == [found.log_probability for found in pair]


def test_a_beginning_that_has_ended_stays_and_takes_a_place():
    # With three beams the end at once, 0.1, stays at first. Then come 0.36, 0.2 and twice 0.15: it is out.
    short, long = (
        beam_search(table_step(MISLEADING), (), start=3, end=0, width=3, longest=longest, length_penalty=0)
        for longest in (1, 2)
    )
    assert [found.tokens for found in short] == [(1,), (2,), ()]
    np.testing.assert_allclose([found.log_probability for found in short], np.log([0.5, 0.4, 0.1]))
    assert [found.tokens for found in long] == [(2,), (1,), (1, 1)]  # of 1 1 and 1 2, both 0.15, the lower token
    np.testing.assert_allclose([found.log_probability for found in long], np.log([0.36, 0.2, 0.15]))


def test_of_equally_likely_beginnings_the_better_one_stays_and_then_the_lower_token():
    # All chances are powers of 1/2, so that sums of logarithms are equal to the last digit. First 1 and 2 with 1/4 each
    # (and 3 with 1/2, the best beam); after 3: 1 and 2 with 1/2 each, so 3 1 and 3 2 with 1/4; after 1 surely 2.
    chances = np.array([[0, 1 / 4, 1 / 4, 1 / 2], [0, 0, 1, 0], [0, 1, 0, 0], [0, 1 / 2, 1 / 2, 0]])
    options = {"start": 0, "end": 0, "width": 3, "longest": 2, "length_penalty": 0}
    found = beam_search(table_step(chances), (), **options)
    assert [each.tokens for each in found] == [(3, 1), (3, 2), (1, 2)]  # not (2, 1), from the beam after it


@pytest.mark.parametrize(
    ("length_penalty", "order"), [(0, [(), (1,), (2,)]), (0.39, [(), (1,), (2,)]), (0.4, [(1,), (2,), ()])]
)
def test_the_length_penalty_divides_by_a_power_of_the_length_with_the_end(length_penalty, order):
    # The end at once: 0.4, one token. 1 or 2 and then surely the end: 0.3 each, two tokens. They change places where
    # log 0.3 / 2**a = log 0.4: at a = 0.394.
    step = table_step([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0.4, 0.3, 0.3, 0]])
    found = beam_search(step, (), start=3, end=0, width=3, longest=5, length_penalty=length_penalty)
    assert [each.tokens for each in found] == order
    expected = {(): np.log(0.4), (1,): np.log(0.3) / 2**length_penalty, (2,): np.log(0.3) / 2**length_penalty}
    assert {each.tokens: each.score for each in found} == pytest.approx(expected)


def test_without_being_told_sequences_are_ranked_by_the_mean_log_probability_of_a_token():
    step = table_step([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0.4, 0.3, 0.3, 0]])
    found = beam_search(step, (), start=3, end=0, width=3, longest=5)
    np.testing.assert_allclose([each.score for each in found], [np.log(0.3) / 2, np.log(0.3) / 2, np.log(0.4)])


def test_what_has_not_ended_is_ranked_along():
    # Three tokens at most: 1 1 1 with 0.9 ** 3 has no end and is likeliest; the end comes with 0.1 after each.
    chances = np.array([[0.1, 0.9], [0.1, 0.9]])
    found = beam_search(table_step(chances), (), start=0, end=0, width=9, longest=3, length_penalty=0)
    assert [each.tokens for each in found] == [(1, 1, 1), (), (1,), (1, 1)]
    np.testing.assert_allclose(np.exp([each.log_probability for each in found]), [0.9**3, 0.1, 0.9 * 0.1, 0.9**2 * 0.1])


@pytest.mark.parametrize("length_penalty", [0, 0.7, 1])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_as_wide_as_all_sequences_finds_what_trying_them_all_finds(seed, length_penalty):
    step, state = network_step(seed)
    known = {
        written: log_probability_of(written, step, state, start=2) for written in every_sequence(3, end=0, longest=4)
    }
    found = beam_search(step, state, start=2, end=0, width=200, longest=4, length_penalty=length_penalty)
    ranked = sorted(known, key=lambda written: -known[written] / len(written) ** length_penalty)
    assert len(known) == 1 + 2 + 4 + 8 + 16
    assert [each.tokens for each in found] == [tuple(token for token in written if token) for written in ranked]
    np.testing.assert_allclose([each.log_probability for each in found], [known[written] for written in ranked])


@given(st.integers(0, 2**32), st.integers(1, 6))
@QUIET
def test_one_beam_is_greedy(seed, longest):
    step, state = network_step(seed, vocabulary=5)
    (found,) = beam_search(step, state, start=1, end=0, width=1, longest=longest)
    written, last = [], 1
    while len(written) < longest and 0 not in written:
        log_probabilities, state = step(np.array([last]), state)
        last = int(greedy(log_probabilities[0]))
        written.append(last)
    assert found.tokens == tuple(token for token in written if token)


@given(st.integers(0, 2**32), st.integers(1, 7))
@QUIET
def test_every_log_probability_is_that_of_its_own_sequence(seed, width):
    # A state that goes to the wrong beam would give the probability of another sequence.
    step, state = network_step(seed, vocabulary=4)
    for found in beam_search(step, state, start=3, end=0, width=width, longest=5):
        written = found.tokens if len(found.tokens) == 5 else (*found.tokens, 0)
        assert found.log_probability == pytest.approx(log_probability_of(written, step, state, start=3))


def test_the_step_reads_the_beginnings_that_have_not_ended():
    seen = []
    step = table_step(MISLEADING)

    def watched(tokens, state):
        seen.append(tokens.tolist())
        return step(tokens, state)

    beam_search(watched, (), start=3, end=0, width=2, longest=9)
    assert seen == [[3], [1, 2]]  # then both have ended, long before nine tokens
    seen.clear()
    beam_search(watched, (), start=3, end=0, width=3, longest=3)
    assert seen == [[3], [1, 2], [1]]  # the end, which was third, is not read; nor what ended as 2 and as 1


def test_states_are_handed_on_as_they_came():
    def step(tokens, state):
        (hidden, (cell,)) = state
        assert isinstance(state, tuple)
        assert isinstance(state[1], list)
        assert hidden.shape == (len(tokens), 2) and cell.shape == (len(tokens), 3, 1)
        return np.log(MISLEADING[tokens] + 1e-9), state

    found = beam_search(step, (np.zeros((1, 2)), [np.ones((1, 3, 1))]), start=3, end=0, width=3, longest=4)
    assert found[0].tokens == (2,)


def test_what_is_impossible_is_not_found():
    # Only 1 and then the end: one sequence, however wide the beam.
    (found,) = beam_search(table_step([[0, 1], [1, 0]]), (), start=0, end=0, width=5, longest=4)
    assert (found.tokens, found.log_probability) == ((1,), 0)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"width": 0}, "width is 0 and longest is 4; pass whole numbers from 1 on"),
        ({"width": 1.5}, "width is 1.5"),
        ({"longest": 0}, "longest is 0; pass whole numbers from 1 on"),
        ({"length_penalty": -1}, "length_penalty is -1; pass a number from 0"),
        ({"length_penalty": np.nan}, "length_penalty is nan"),
        ({"end": 4}, r"end is 4, which is no token of a vocabulary of 4 \(0 to 3\)"),
        ({"end": -1}, "end is -1, which is no token"),
        ({"state": np.zeros((2, 3))}, r"state of shape \(2, 3\) for 1 tokens, expected \(1, …\)"),
        ({"state": None}, r"state of shape \(\) for 1 tokens.*or \(\) where there is no state"),
        (
            {"step": lambda tokens, state: (np.zeros(4), state)},
            r"shape \(4,\) for 1 tokens, expected \(1, vocabulary\)",
        ),
        ({"step": lambda tokens, state: (np.zeros((3, 4)), state)}, r"shape \(3, 4\) for 1 tokens"),
        ({"step": lambda tokens, state: (MISLEADING[tokens], state)}, "log probability of 0.5, expected 0 or less"),
        ({"step": lambda tokens, state: (np.full((1, 4), np.nan), state)}, r"hold NaN or \+inf"),
    ],
)
def test_a_search_that_cannot_be_done_is_refused(changed, complaint):
    options = {"step": table_step(MISLEADING), "state": (), "start": 3, "end": 0, "width": 2, "longest": 4}
    with pytest.raises(ValueError, match=complaint):
        beam_search(**options | changed)
