"""What lesson 03 says in words, held against the figures of its last full run; and its exercises' answers."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_course import reference
from rnn_course.data import make_brackets
from rnn_course.exercises import gates as exercises

RESULTS = Path(__file__).parents[1] / "results" / "03_gates.json"


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_run_was_full_and_short(results):
    assert results["source"] == "generated"
    assert results["seeds"] == 3
    assert results["minutes"] <= 10


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru_before"])
def test_the_packages_cells_give_keras_digits(results, cell):
    assert results[f"parity_{cell}"] <= 1e-6


@pytest.mark.parametrize("order", ["onnx", "tensorflow"])
def test_blocks_read_in_another_order_are_as_wrong_as_can_be(results, order):
    assert results[f"misread_{order}"] > 1


def test_the_place_in_the_row_tells_next_to_nothing_about_the_depth(results):
    assert abs(results["place_correlation"]) < 0.1


def test_no_window_is_enough_and_counting_is(results):
    assert results["baseline_accuracy"] < 0.9
    assert results["counted_accuracy"] == 1


@pytest.mark.parametrize("cell", ["", "_gru"])
def test_the_gated_cells_answer_like_a_counter(results, cell):
    assert results[f"test_accuracy{cell}"] > 0.995
    assert results[f"test_accuracy{cell}_std"] < 0.005


def test_without_gates_more_is_lost_than_with_them_and_still_less_than_by_a_window(results):
    with_gates = min(results["test_accuracy"], results["test_accuracy_gru"])
    assert results["baseline_accuracy"] < results["test_accuracy_simple_rnn"] < with_gates - 0.01


def test_one_cell_counts_in_every_seed_far_above_chance(results):
    assert results["counting_correlation_lowest"] > 0.97
    assert results["counting_null_95"] < 0.25
    assert results["brackets_reading_error"] < 0.6


def test_the_counting_unit_has_the_widest_forget_gate_in_every_seed(results):
    assert results["counting_forget_lead_lowest"] > 0


def test_without_the_counting_cell_the_network_guesses_and_without_another_it_mostly_knows(results):
    assert results["clamped_accuracy_highest"] < 0.6
    assert results["random_unit_clamped_accuracy"] > 0.8


def test_the_network_believes_a_number_that_was_written(results):
    # Nothing believed would be 5 closing brackets whatever was written: an error of 2.5 on average.
    assert results["written_error_all_cells"] < 0.3
    assert results["written_error_all_cells"] < results["written_error_one_cell"] < 1.5


def test_the_slate_is_wiped_when_nothing_is_open_and_held_when_much_is(results):
    assert results["forget_when_closed"] < 0.9 < 0.97 < results["forget_when_deep"]
    assert results["half_life"] < 15
    assert results["half_life_deep"] > 3 * results["half_life"]


def test_retention_follows_the_promise_over_all_rows_and_is_long_where_rows_stay_open(results):
    assert results["retention_measured"] == pytest.approx(results["retention_promised"], abs=0.15)
    assert results["retention_measured_open"] > 2 * results["retention_measured"]


def test_the_lstm_loses_nothing_with_its_recurrent_weights_and_the_gru_does(results):
    assert results["test_accuracy_symbols_only"] > results["test_accuracy"] - 0.002
    assert results["test_accuracy_gru_symbols_only"] < results["test_accuracy_gru"] - 0.03


def test_at_six_times_the_depth_lstm_and_gru_fail_alike_and_the_lstm_without_recurrent_weights_leads(results):
    assert max(results["deep_accuracy"], results["deep_accuracy_gru"]) < 0.85
    assert results["deep_accuracy"] == pytest.approx(results["deep_accuracy_gru"], abs=0.06)
    assert results["deep_accuracy_symbols_only"] > results["deep_accuracy"] + 0.05


def test_on_the_way_down_the_lstm_says_yes_too_soon_and_short_runs_do_not_help_it(results):
    assert results["first_yes"] > 5 > results["first_yes_symbols_only"]
    assert results["first_yes_gru"] > 5
    assert results["first_yes_short_runs"] == pytest.approx(results["first_yes"], abs=3)


# --- the answers of the exercises, against the package ----------------------------------------------------------------


def test_the_lstm_step_asked_for_is_the_packages():
    rng = np.random.default_rng(0)
    x, hidden, memory = rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    weights = reference.Weights(rng.normal(size=(3, 16)), rng.normal(size=(4, 16)), rng.normal(size=16))
    projected = x @ weights.kernel + weights.bias
    states, _ = reference.lstm_step(projected, (hidden, memory), reference.Cell("lstm", weights))
    for row in range(2):
        answer = exercises.lstm_step(x[row], hidden[row], memory[row], *weights)
        np.testing.assert_allclose(answer, [state[row] for state in states], rtol=1e-12)


def test_a_pinned_gru_is_the_packages_gru_with_gates_that_see_nothing():
    # Zero kernels: the biases alone say z = 0.8 and a candidate of tanh(1).
    bias = np.array([np.log(0.8 / 0.2), 0.0, 1.0])
    cell = reference.Cell("gru", reference.Weights(np.zeros((1, 3)), np.zeros((1, 3)), np.array([bias, np.zeros(3)])))
    start = (np.array([[-0.5]]),)
    hidden = reference.forward(cell, np.zeros((1, 7, 1)), initial_state=start).hidden[0, :, 0]
    answers = [exercises.pinned_gru(-0.5, 0.8, np.tanh(1), steps) for steps in range(8)]
    np.testing.assert_allclose(hidden, answers, rtol=1e-12)


def test_blocks_stored_as_i_o_f_candidate_come_back_in_keras_order():
    stored = np.array([[10, 11, 40, 41, 20, 21, 30, 31]])  # i 10, f 20, candidate 30, o 40
    assert exercises.to_keras_order(stored).tolist() == [[10, 11, 20, 21, 30, 31, 40, 41]]


def test_after_its_half_life_half_is_left():
    # ½ · 1 · ½ over three steps keeps a quarter: half of it is lost every 1.5 steps.
    assert exercises.half_life(np.array([0.5, 1.0, 0.5])) == pytest.approx(1.5)


def test_the_weights_set_by_hand_count_any_row_of_brackets():
    rows = make_brackets(5, time=300, deepest=60, rng=np.random.default_rng(0))
    for tokens, depth in zip(rows.tokens, rows.depth, strict=True):
        text = "".join("()a"[min(token, 2)] for token in tokens)
        np.testing.assert_allclose(exercises.cell_after(exercises.counting_weights(), text), depth, atol=1e-9)
