"""Planted patterns are found where they were planted, and nothing is listed twice."""

import numpy as np
import pytest

from rnn_course.probes.patterns import Context, match_state_pattern, top_activating_contexts

# ---------------------------------------------------------------------------------------------------- strong contexts

RISING = np.array([[0.1, 0.9, 0.8, 0.2, 0.3, 0.0], [0.5, -0.7, 0.0, 0.4, 0.6, 0.7]])
STATES = np.stack([np.zeros_like(RISING), RISING], axis=2)  # unit 1 is the one to look at


def test_the_strongest_steps_come_first_with_their_windows():
    # 0.9 at step 1; 0.8 beside it is in its window; then 0.7 at the end; 0.5 at the beginning; 0.3.
    found = top_activating_contexts(STATES, 1, before=1, after=1, count=4)
    assert found == [
        Context(example=0, step=1, start=0, stop=3, value=0.9),
        Context(example=1, step=5, start=4, stop=6, value=0.7),
        Context(example=1, step=0, start=0, stop=2, value=0.5),
        Context(example=0, step=4, start=3, stop=6, value=0.3),
    ]


def test_windows_never_overlap_and_miss_nothing_that_is_left():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(4, 50, 1))
    found = top_activating_contexts(states, 0, before=3, after=2, count=1000)
    values = [context.value for context in found]
    assert values == sorted(values, reverse=True)
    covered = np.zeros((4, 50), int)
    for example, _, start, stop, _ in found:
        covered[example, start:stop] += 1
    assert covered.max() == 1
    for example in range(4):  # a step that could still be listed would be more than five steps from all that are
        steps = np.array([context.step for context in found if context.example == example])
        assert np.abs(np.arange(50)[:, None] - steps).min(axis=1).max() <= 5


def test_a_window_of_one_step_lists_neighbors_apart():
    found = top_activating_contexts(STATES, 1, before=0, after=0, count=2)
    assert [(context.step, context.start, context.stop) for context in found] == [(1, 1, 2), (2, 2, 3)]


def test_the_lowest_values_are_found_with_the_other_sign_and_keep_their_own():
    (found,) = top_activating_contexts(STATES, 1, before=1, after=0, count=1, sign=-1)
    assert found == Context(example=1, step=1, start=0, stop=2, value=-0.7)


def test_a_sequence_is_listed_once_where_that_is_asked_for():
    found = top_activating_contexts(STATES, 1, before=0, after=0, one_per_sequence=True)
    assert [(context.example, context.step) for context in found] == [(0, 1), (1, 5)]


@pytest.mark.parametrize("how", ["mask", "nan"])
def test_padding_is_neither_listed_nor_in_a_window(how):
    mask = np.array([[False, False, True, True, True, True], [True] * 4 + [False] * 2])
    states = STATES if how == "mask" else np.where(mask[:, :, None], STATES, np.nan)
    found = top_activating_contexts(states, 1, mask=mask if how == "mask" else None, before=2, after=5, count=9)
    assert found == [Context(0, 2, 2, 6, 0.8), Context(1, 0, 0, 4, 0.5)]


def test_of_equal_steps_the_earlier_comes_first():
    found = top_activating_contexts(np.ones((2, 4, 1)), 0, before=1, after=0, count=9)
    assert [(context.example, context.step) for context in found] == [(0, 0), (0, 2), (1, 0), (1, 2)]


@pytest.mark.parametrize(
    ("states", "asked", "message"),
    [
        (RISING, {}, r"states have shape \(2, 6\); expected \(batch, time, units\), such as trace"),
        (STATES, {"unit": 2}, "There is no unit 2; the states have units 0 to 1"),
        (STATES, {"mask": np.ones((2, 5), bool)}, r"mask has shape \(2, 5\); expected \(2, 6\), the states'"),
        (STATES, {"mask": np.zeros((2, 6), bool)}, "No step is real: at each one mask is False or a state is NaN"),
        (STATES, {"sign": 0}, r"sign is 0; pass \+1 for the highest values or -1 for the lowest"),
        (STATES, {"count": 0}, "count is 0, before 10, after 5; expected count >= 1, the others >= 0"),
        (STATES, {"before": -1}, "before -1"),
    ],
)
def test_contexts_that_cannot_be_found_are_refused(states, asked, message):
    with pytest.raises(ValueError, match=message):
        top_activating_contexts(states, **({"unit": 0} | asked))


# ------------------------------------------------------------------------------------------- ranges that look alike


def planted(*ranges, batch=4, time=20, units=6):
    """States of -0.5, but 0.8 in the units of each (example, start, stop, units)."""
    states = np.full((batch, time, units), -0.5)
    for example, start, stop, on in ranges:
        states[example, start:stop, on] = 0.8
    return states


def found_ranges(matches):
    return [(match.example, match.start, match.stop) for match in matches]


def test_a_planted_pattern_is_found_wherever_it_was_planted_and_ranked_by_overlap():
    states = planted(
        (1, 4, 7, [0, 2, 5]),  # the marked one
        (0, 10, 13, [0, 2, 5]),  # the same: 3/3
        (2, 0, 3, [0, 2]),  # one is missing: 2/3
        (3, 5, 8, [0, 1, 2, 3, 4, 5]),  # three too many: 3/6
        (3, 15, 18, [1, 3]),  # none of them
    )
    found = match_state_pattern(states, example=1, start=4, stop=7)
    assert found_ranges(found) == [(0, 10, 13), (2, 0, 3), (3, 5, 8)]
    assert [match.score for match in found] == pytest.approx([1, 2 / 3, 1 / 2])
    assert [match.units.tolist() for match in found] == [[0, 2, 5], [0, 2], [0, 2, 5]]


def test_a_unit_counts_only_if_it_stays_on_at_every_step():
    # Unit 1 is on at two of the three steps of the marked range: the pattern is unit 0 alone.
    states = planted((0, 2, 5, [0]), (0, 2, 4, [1]), (1, 8, 11, [0]), (2, 8, 11, [0, 1]))
    found = match_state_pattern(states, example=0, start=2, stop=5)
    assert found_ranges(found) == [(1, 8, 11), (2, 8, 11)]
    assert [match.score for match in found] == pytest.approx([1, 1 / 2])


def test_the_threshold_decides_what_is_on_and_is_itself_on():
    states = planted((0, 2, 5, [0, 1]), (1, 2, 5, [0]), (2, 2, 5, [0, 1]))
    states[0, 2:5, 1] = 0.3
    first, second = match_state_pattern(states, example=0, start=2, stop=5, threshold=0.3)[:2]
    assert (first.example, second.example) == (2, 1)
    assert match_state_pattern(states, example=0, start=2, stop=5, threshold=0.31)[0].example == 1


def test_the_marked_range_and_all_that_overlap_it_are_left_out():
    states = planted((0, 2, 12, [0]))
    found = match_state_pattern(states, example=0, start=4, stop=7)
    assert found_ranges(found) == [(0, 7, 10)]  # 2 to 3 and 10 to 11 are too short, and no two overlap


def test_of_overlapping_matches_the_first_of_the_best_stands_for_all():
    states = planted((0, 0, 2, [0, 1]), (1, 0, 8, [0]), (1, 3, 5, [1]))
    found = match_state_pattern(states, example=0, start=0, stop=2)
    assert found_ranges(found) == [(1, 3, 5), (1, 0, 2), (1, 5, 7)]
    assert [match.score for match in found] == pytest.approx([1, 1 / 2, 1 / 2])
    assert len(match_state_pattern(states, example=0, start=0, stop=2, count=2)) == 2


def test_with_units_that_have_to_be_off_around_only_those_that_switch_with_the_range_count():
    # Unit 5 is on all the time. Unit 0 switches with the marked range and in example 1, but stays on in example 2.
    states = planted((0, 4, 7, [0]), (1, 4, 7, [0]), (2, 3, 12, [0]), *((e, 0, 20, [5]) for e in range(4)))
    found = match_state_pattern(states, example=0, start=4, stop=7, off_around=True)
    assert found_ranges(found) == [(1, 4, 7)]
    assert found[0].units.tolist() == [0]
    loose = match_state_pattern(states, example=0, start=4, stop=7)
    assert found_ranges(loose)[:3] == [(1, 4, 7), (2, 3, 6), (2, 6, 9)]


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (17, 20)])
def test_where_a_sequence_begins_or_ends_there_is_no_step_that_could_be_on(start, stop):
    states = planted((0, start, stop, [0]), (1, start, stop, [0]))
    found = match_state_pattern(states, example=0, start=start, stop=stop, off_around=True)
    assert found_ranges(found) == [(1, start, stop)]


def test_slack_lets_a_match_be_shorter_or_longer_and_the_same_length_goes_first():
    states = planted((0, 4, 7, [0]), (1, 4, 6, [0]), (2, 4, 8, [0]), (3, 4, 7, [0]))
    asked = {"example": 0, "start": 4, "stop": 7, "off_around": True}
    assert found_ranges(match_state_pattern(states, **asked)) == [(3, 4, 7)]
    assert found_ranges(match_state_pattern(states, slack=1, **asked)) == [(3, 4, 7), (1, 4, 6), (2, 4, 8)]


@pytest.mark.parametrize("how", ["mask", "nan"])
def test_no_match_holds_padding(how):
    states = planted((0, 4, 7, [0]), (1, 4, 7, [0]), (2, 4, 7, [0]))
    mask = np.ones((4, 20), bool)
    mask[1, 6:] = False
    given = states if how == "mask" else np.where(mask[:, :, None], states, np.nan)
    found = match_state_pattern(given, example=0, start=4, stop=7, mask=mask if how == "mask" else None)
    assert found_ranges(found) == [(2, 4, 7)]


def test_the_shares_are_those_that_a_slow_search_finds():
    rng = np.random.default_rng(3)
    states = rng.normal(size=(3, 12, 8)).cumsum(axis=1) / 3
    found = match_state_pattern(states, example=1, start=5, stop=7, count=100)
    pattern = {unit for unit in range(8) if (states[1, 5:7, unit] >= 0.3).all()}
    for match in found:
        on = {unit for unit in range(8) if (states[match.example, match.start : match.stop, unit] >= 0.3).all()}
        assert match.score == pytest.approx(len(on & pattern) / len(on | pattern))
        assert set(match.units.tolist()) == on & pattern
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)
    assert len(found) >= 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"start": 5, "stop": 5}, "There is no range from step 5 to before step 5 of example 0: the states have 4 ex"),
        ({"stop": 21}, "to before step 21 of example 0: the states have 4 examples of 20 steps, counted from 0"),
        ({"example": 4}, "of example 4"),
        ({"mask": np.arange(20) < np.full((4, 1), 6)}, "Example 0 has padding between step 4 and step 7"),
        ({"threshold": 0.9}, "No unit is at or above 0.9 at every step from 4 to 6 of example 0. Lower the threshold"),
        ({"stop": 6, "off_around": True}, "at every step from 4 to 5 of example 0 and below it right before and after"),
        ({"slack": -1}, "count is 10 and slack -1; expected count >= 1 and slack >= 0"),
        ({"count": 0}, "count is 0 and slack 0"),
    ],
)
def test_patterns_that_cannot_be_matched_are_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        match_state_pattern(planted((0, 4, 7, [0])), **({"example": 0, "start": 4, "stop": 7} | asked))
