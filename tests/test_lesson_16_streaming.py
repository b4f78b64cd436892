"""What lesson 16 says in words, held against the figures of its last full run; and its exercises' answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_course import reference
from rnn_course.exercises import streaming as exercises

RESULTS = Path(__file__).parents[1] / "results" / "16_streaming.json"


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_run_was_full_and_short(results):
    assert results["source"] == "generated"
    assert results["minutes"] <= 6
    assert results["training_minutes"] <= 2.5


# --- what a step is and costs -----------------------------------------------------------------------------------------


def test_chunks_and_the_device_say_what_the_whole_says_and_a_restart_changes_no_bit(results):
    assert results["chunked_difference"] <= 1e-6
    assert results["device_difference"] <= 1e-6
    assert results["restart_difference"] == 0


def test_a_step_in_numpy_keeps_to_its_goal_and_is_a_thousand_times_faster_than_predict(results):
    assert results["step_microseconds"] <= 30
    assert results["step_microseconds_predict"] > 1_000 * results["step_microseconds"]


def test_the_ways_come_in_the_order_of_the_picture(results):
    keys = ("_predict", "_model_call", "_tf_function", "", "_line")
    times = [results[f"step_microseconds{key}"] for key in keys]
    assert times == sorted(times, reverse=True)


def test_at_this_size_a_step_is_administration(results):
    assert results["bare_product_microseconds"] < 0.6 * results["step_microseconds"]
    assert results["bare_product_microseconds"] < 0.1 * results["step_microseconds_tf_function"]


def test_the_lstm_has_a_flat_time_and_a_constant_state(results):
    assert results["late_step_microseconds"] == pytest.approx(results["early_step_microseconds"], rel=0.15)
    assert results["state_bytes_least"] == results["state_bytes_most"] == 2 * 128 * 4


def test_the_transformer_of_equal_size_is_slower_from_the_first_step_and_far_slower_at_the_end(results):
    assert results["transformer_weights_ratio"] == pytest.approx(1, abs=0.01)
    assert results["transformer_ratio_shortest"] > 1
    assert 50 < results["transformer_ratio_longest"] < 2_000  # far more would say that other programs were timed
    assert results["cache_bytes"] > 10_000 * results["state_bytes_most"]


def test_a_window_read_at_once_costs_the_transformer_less_than_step_by_step_costs_the_lstm(results):
    assert results["transformer_together_microseconds"] < results["one_by_one_microseconds"]


def test_side_by_side_the_lead_of_numpy_melts(results):
    alone, many = (
        results[f"microseconds_for_each_of_{batch}_stream"] / results[f"microseconds_for_each_of_{batch}_numpystream"]
        for batch in (1, 1_024)
    )
    assert alone > 10
    assert many < alone / 5


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_network_lies_between_the_best_line_and_the_floor(results):
    assert results["floor_nats"] < results["nats_per_step"] < results["baseline_nats_per_step"] - 0.1
    assert results["baseline_nats_per_step"] < results["baseline_nats_constant_spread"] - 0.1


def test_there_is_no_trend_over_a_hundred_thousand_steps(results):
    assert abs(results["trend_nats"]) < max(2 * results["trend_nats_error"], 0.03)


def test_a_dropped_state_costs_most_right_after_the_cut_and_nothing_later(results):
    assert results["dropped_first_step"] > 0.5
    assert results["dropped_last_half"] < 0.01
    assert results["dropped_nats"] > results["nats_per_step"]


def test_a_shift_puts_the_network_behind_the_last_value_and_the_line_hardly_notices_it(results):
    assert results["shifted_nats"] > results["baseline_last_value_nats"] + 0.05 > results["nats_per_step"] + 0.5
    assert results["baseline_shifted_nats"] == pytest.approx(results["baseline_nats_per_step"], abs=0.1)


def test_the_network_hears_more_changes_than_the_lines_at_about_as_many_false_alarms(results):
    assert results["found_line"] < 0.1 < results["found_line_moving"] < results["found_lstm"] - 0.1
    for listener in ("line_moving", "lstm", "line_two_ears", "lstm_two_ears"):
        assert results[f"false_alarms_{listener}"] == pytest.approx(5, abs=3), listener


def test_surprise_is_deaf_to_silence_and_the_second_ear_is_not(results):
    assert results["found_lstm_rough_ended"] < 0.3
    assert results["found_lstm_two_ears_rough_ended"] > 0.8
    assert results["found_lstm_two_ears"] > results["found_lstm"] + 0.1


def test_with_a_second_ear_the_line_comes_close_and_takes_longer(results):
    assert 0 < results["found_lstm_two_ears"] - results["found_line_two_ears"] < 0.15
    assert results["delay_line_two_ears"] > 2 * results["delay_lstm_two_ears"]


def test_the_network_grows_sure_within_a_couple_of_dozen_steps(results):
    assert 5 < results["spread_halved_after"] < 30


def test_at_a_change_an_empty_state_beats_the_old_one_and_anywhere_else_it_loses(results):
    assert results["first_step_at_change_wiped"] < results["first_step_at_change_kept"] - 1
    assert results["first_step_anywhere_wiped"] > results["first_step_anywhere_kept"] + 0.5


def test_wiping_at_alarms_gains_next_to_nothing_and_at_doubts_it_loses(results):
    assert results["wiped_at_alarms_nats"] == pytest.approx(results["wiped_never_nats"], abs=0.01)
    assert results["wiped_at_the_faintest_doubt_nats"] > results["wiped_never_nats"] + 0.03


def test_the_forget_gates_do_not_close_at_a_change(results):
    before, after = results["forget_gate_before_change"], results["forget_gate_after_change"]
    assert before == pytest.approx(after, abs=0.01)
    assert 0.5 < before < 0.85


def test_one_unit_is_not_obeyed_and_the_right_half_is(results):
    assert results["rough_unit_correlation"] > 0.8
    assert results["spread_most_1"] == pytest.approx(results["spread_most_0"], rel=0.25)
    assert results["spread_least_64"] == pytest.approx(results["spread_least_0"], rel=0.25)
    assert results["spread_most_64"] < results["spread_most_0"] / 2


# --- the answers of the exercises, against the package ----------------------------------------------------------------


def test_chunks_of_the_exercise_are_the_packages_simple_rnn_however_cut():
    rng = np.random.default_rng(0)
    x, w, u = rng.normal(size=9), 0.8, 1.3
    cell = reference.Cell("simple_rnn", reference.Weights(np.array([[u]]), np.array([[w]]), np.zeros(1)))
    whole = reference.forward(cell, x[None, :, None]).hidden[0, 1:, 0]
    for cut in range(10):
        first, state = exercises.run_chunk(x[:cut], 0.0, w, u)
        second, last = exercises.run_chunk(x[cut:], state, w, u)
        np.testing.assert_allclose(np.concatenate([first, second]), whole, rtol=1e-12)
        assert last == pytest.approx(whole[-1])


def test_both_futures_begin_at_the_state_that_was_given_which_stays_as_it_was():
    # s = s/2 + x by hand: 4 -> 3 -> 2.5, and 4 -> 2.
    state = np.array([4.0])
    finals = exercises.branch(state, np.array([[1.0], [1.0]]), np.array([[0.0]]), 0.5)
    assert finals.tolist() == [[2.5], [2.0]]
    assert state.tolist() == [4.0]


def test_welford_ends_at_numpys_mean_and_variance_far_from_zero():
    values = 1e6 + np.random.default_rng(1).normal(size=1_000)
    count, mean, squares = 0, 0.0, 0.0
    for value in values:
        count, mean, squares = exercises.welford(count, mean, squares, value)
    assert (count, mean, squares / count) == pytest.approx((1_000, values.mean(), values.var()), rel=1e-9)


def test_a_step_of_the_lessons_lstm_reads_66560_weights():
    # 4 · 128 · (1 + 128) products; 4 · 128 biases more, at four bytes each.
    assert exercises.step_cost(1, 128) == (66_048, 4 * 66_560)


def test_at_the_break_even_both_steps_cost_the_same():
    features, units, width, layers = 3, 300, 24, 2
    steps = exercises.break_even(features, units, width, layers)
    lstm, _ = exercises.step_cost(features, units)
    assert layers * (12 * width**2 + 2 * width * steps) == pytest.approx(lstm)
