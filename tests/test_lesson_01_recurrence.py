"""What lesson 01 says, held against the committed figures of its last full run; its solutions, against other ways."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_course.exercises import recurrence as exercises
from rnn_course.reference import Cell, Weights, backward, forward, weight_gradients

FIGURES = json.loads((Path(__file__).parents[1] / "results" / "01_recurrence.json").read_text(encoding="utf-8"))
CELLS = ("simple_rnn", "lstm", "gru")


@pytest.mark.parametrize("kind", CELLS)
def test_nudging_every_weight_confirms_the_gradient(kind):
    assert FIGURES[f"gradient_check_{kind}"] <= 1e-7


@pytest.mark.parametrize("kind", CELLS)
def test_keras_gives_the_same_outputs_and_gradients(kind):
    assert FIGURES[f"keras_output_error_{kind}"] <= 1e-6
    assert FIGURES[f"keras_gradient_error_{kind}"] <= 1e-6


def test_what_differs_from_keras_is_rounding():
    assert FIGURES["keras_error_in_64_bits"] <= 1e-13


def test_only_64_bits_have_a_valley_below_the_bar_and_a_wrong_gradient_has_none():
    assert FIGURES["check_lowest_64_bits"] <= 1e-8
    assert 1e-5 <= FIGURES["check_lowest_32_bits"] <= 1e-2
    assert FIGURES["check_lowest_wrong_gradient"] >= 0.3


def test_the_way_back_takes_time_and_memory_in_proportion_to_the_row():
    assert FIGURES["longer"] == 16
    assert 0.5 <= FIGURES["time_ratio"] / FIGURES["longer"] <= 1.6
    assert 0.8 <= FIGURES["memory_ratio"] / FIGURES["longer"] <= 1.1


def test_forward_mode_keeps_nothing_of_the_row_and_costs_far_more_time():
    assert FIGURES["forward_mode_memory_ratio"] == pytest.approx(1, abs=0.05)
    assert FIGURES["forward_mode_time_ratio_units"] >= 10
    assert FIGURES["nudges_time_ratio_units"] >= 100 * FIGURES["forward_mode_time_ratio_units"] / 10


def test_the_check_tells_the_two_programs_apart():
    assert FIGURES["check_of_right_program"] <= 1e-7
    assert FIGURES["check_of_wrong_program"] >= 0.3


def test_the_right_gradient_is_ahead_at_first_and_the_wrong_one_in_the_end():
    assert FIGURES["early_loss_right"] < FIGURES["early_loss_wrong"] - 0.05
    assert FIGURES["wrong_gradient_accuracy"] >= 0.995 > FIGURES["test_accuracy"]
    assert FIGURES["counting_copies_wrong"] > FIGURES["counting_copies_right"]
    assert FIGURES["long_accuracy_wrong"] > FIGURES["long_accuracy_right"] + 0.1


def test_both_beat_the_table_of_five_bits_which_beats_the_last_bit():
    # A table of k bits knows the first k of 20 answers and tosses a coin for the others: k/20 + (1 - k/20)/2.
    assert FIGURES["memoryless_accuracy"] == pytest.approx(0.525, abs=0.015)
    assert FIGURES["baseline_accuracy"] == pytest.approx(0.625, abs=0.015)
    assert FIGURES["test_accuracy"] > FIGURES["baseline_accuracy"] + 0.2


def test_when_answers_are_asked_late_only_the_right_gradient_learns():
    assert FIGURES["late_accuracy_right"] >= 0.9
    assert FIGURES["late_accuracy_wrong"] <= 0.65


def test_the_copies_that_lose_count_are_those_whose_states_the_last_bits_do_not_explain():
    assert FIGURES["explained_most_of_losing_copies"] < 0.4 < FIGURES["explained_least_of_counting_copies"]


def test_the_count_is_in_the_state_and_nowhere_else():
    assert FIGURES["untouched_own"] >= 0.99
    for name in ("wiped", "exchanged"):
        assert FIGURES[f"{name}_own"] == pytest.approx(0.5, abs=0.05)
        assert FIGURES[f"{name}_predicted"] >= 0.99


def test_the_lesson_keeps_to_its_minutes():
    assert FIGURES["minutes"] <= 5


# --- the solutions of the exercises -----------------------------------------------------------------------------------


def test_weights_are_counted_as_keras_counts_them():
    # 5 units that read 3 features: one block 5 * (3 + 5 + 1) = 45; a GRU's block has two biases, 5 * (3 + 5 + 2) = 50.
    counted = [exercises.count_weights(kind, 3, 5) for kind in CELLS]
    assert counted == [45, 180, 150]


def test_an_lstm_keeps_six_numbers_of_every_unit_and_step():
    assert exercises.megabytes() == pytest.approx(6 * 4 * 64 * 500 * 128 / 1_000_000)


def test_the_gradient_by_hand_is_that_of_the_reference():
    rng = np.random.default_rng(0)
    cell = Cell("simple_rnn", Weights(*(rng.normal(size=shape) for shape in ((2, 3), (3, 3), (3,)))))
    unrolled = forward(cell, rng.normal(size=(1, 6, 2)), initial_state=(rng.normal(size=(1, 3)),))
    factors = rng.normal(size=(1, 6, 3))
    expected = weight_gradients(cell, unrolled, backward(cell, unrolled, factors)).recurrent_kernel
    found = exercises.recurrent_kernel_gradient(unrolled.hidden[0], factors[0], cell.weights.recurrent_kernel)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_both_numerical_gradients_find_the_slope_of_a_cube():
    # L = (a·w)³ with a = (1, 2), w = (3, -1): a·w = 1, and dL/dw = 3 (a·w)² a = (3, 6). Central differences of a cube
    # are off by a³ ε²: 0.01 and 0.08 for ε = 0.1.
    loss, weights = exercises.CubeOfSum(np.array([1.0, 2.0])), np.array([3.0, -1.0])
    np.testing.assert_allclose(exercises.complex_step_gradient(loss, weights), [3, 6], rtol=1e-14)
    np.testing.assert_allclose(exercises.numerical_gradient(loss, weights, 0.1), [3.01, 6.08], rtol=1e-12)
    np.testing.assert_array_equal(weights, [3, -1])
