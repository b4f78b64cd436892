"""What lesson 20 says in words, held against the figures of its last full run; and its exercises' answers.

Times are compared within one run, and the bounds leave room for a machine that others use, too.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rnn_course.exercises import fast_layers as exercises

RESULTS = Path(__file__).parents[1] / "results" / "20_fast_layers.json"
IDEAS = ("one_product_before", "own_gradient", "loops_compiled", "two_halves")


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_run_was_full_and_short(results):
    assert results["source"] == "generated"
    assert results["minutes"] <= 6


# --- where the time goes ----------------------------------------------------------------------------------------------


def test_the_multiplications_are_three_times_those_of_the_way_there(results):
    # 64 sequences, 100 steps, 4 gates of 128 units, each of which reads 64 inputs and 128 states.
    assert results["multiplications"] == 3 * 64 * 100 * 4 * 128 * (64 + 128)


def test_at_the_rate_of_a_large_product_they_would_take_a_fraction_of_the_step(results):
    assert results["floor_share"] < 0.5


def test_the_loop_is_acquitted_and_small_products_take_more_than_the_floor_but_not_many_times_more(results):
    assert results["loop_share"] < 0.08
    assert results["loop_share"] < results["elementwise_share"] < results["products_share"]
    assert results["floor_share"] < results["products_share"] < 4 * results["floor_share"]


def test_the_way_back_takes_more_than_half(results):
    assert results["back_share"] > 0.5


# --- the ladder -------------------------------------------------------------------------------------------------------


def test_the_loop_by_hand_takes_no_more_time_than_keras(results):
    assert results["by_hand_milliseconds"] < 1.1 * results["stock_milliseconds"]


def test_the_famous_product_before_the_loop_and_the_gradient_gain_nothing_by_themselves(results):
    assert results["product_before_milliseconds"] > 0.95 * results["by_hand_milliseconds"]
    assert results["own_gradient_milliseconds"] > 0.9 * results["by_hand_milliseconds"]
    assert results["own_gradient_work_milliseconds"] > 0.9 * results["by_hand_work_milliseconds"]


def test_a_large_product_that_goes_through_memory_is_no_quicker_than_the_small_ones(results):
    assert results["large_product_alone_milliseconds"] < results["small_products_there_milliseconds"]
    assert results["large_product_there_milliseconds"] > 0.95 * results["small_products_there_milliseconds"]


def test_compiling_brings_the_work_down_and_two_halves_bring_it_to_the_clock(results):
    assert results["loops_compiled_work_milliseconds"] < 0.95 * results["own_gradient_work_milliseconds"]
    assert results["two_halves_milliseconds"] < 0.95 * results["loops_compiled_milliseconds"]
    assert results["two_halves_milliseconds"] < 0.95 * results["baseline_step_milliseconds"]


def test_no_idea_helps_alone_and_none_can_be_spared(results):
    for idea in IDEAS:
        assert results[f"{idea}_alone"] > 0.95, idea
        assert results[f"{idea}_missing"] > 1.02 * results["all_four_together"], idea
        assert 1 - results[f"{idea}_missing"] < (1 - results["all_four_together"]) / 2, (
            f"{idea}: most of the gain is gone"
        )
    assert results["all_four_together"] < 0.95
    assert results["many_products_after"] > 1.02 * results["all_four_together"]


# --- the check, and what a curve would have said ----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["all_four_ideas", "fusedlstm"])
def test_outputs_and_gradients_are_those_of_keras(results, way):
    assert results[f"apart_{way}_float32"] <= 1e-5
    assert results[f"apart_{way}_float64"] <= 1e-10


def test_under_a_mask_too(results):
    assert results["apart_fusedlstm_float32_masked"] <= 1e-5
    assert results["apart_fusedlstm_float64_masked"] <= 1e-10


def test_the_check_tells_a_wrong_gradient_by_four_orders_of_magnitude(results):
    for mistake in ("off_by_one", "cell_forgotten"):
        assert results[f"wrong_apart_{mistake}"] > 1e4 * results["apart_fusedlstm_float32"], mistake


def test_a_wrong_gradient_is_ahead_of_the_right_one_and_another_behind(results):
    ahead, right, behind = (results[f"third_nats_{name}"] for name in ("cell_forgotten", "fusedlstm", "off_by_one"))
    assert results["letter_floor_nats"] < ahead < right - 0.05 < behind - 0.1
    assert results["last_nats_cell_forgotten"] == pytest.approx(results["last_nats_fusedlstm"], abs=0.05)
    assert results["last_nats_off_by_one"] > results["last_nats_fusedlstm"] + 0.02


def test_both_wrong_gradients_point_about_the_right_way(results):
    assert results["wrong_cosine_off_by_one"] > 0.95
    assert 0.8 < results["wrong_cosine_cell_forgotten"] < 0.97


# --- the gain ---------------------------------------------------------------------------------------------------------


def test_the_fused_layer_is_quicker_than_the_better_of_keras_two(results):
    assert results["baseline_step_milliseconds"] == min(results["stock_milliseconds"], results["jit_milliseconds"])
    assert results["gain"] == pytest.approx(results["baseline_step_milliseconds"] / results["step_milliseconds"])
    assert results["gain"] > 1.15


def test_the_gain_is_largest_with_small_batches_and_none_at_the_smallest_size(results):
    gains = {key: value for key, value in results.items() if key.startswith("gain_")}
    assert len(gains) == 7
    assert max(gains, key=gains.get).endswith("_100_16")
    assert gains["gain_32_20_16"] == min(gains.values()) < 1.1
    assert 1.1 < gains["gain_128_100_64"] < gains["gain_128_100_16"]


def test_the_fused_layer_keeps_the_learning_curve_of_keras_and_shortens_the_training(results):
    assert results["curve_apart_fusedlstm"] < 1e-4
    assert results["training_gain"] > 1.05


def test_compiling_is_paid_back_soon_and_for_any_length_the_time_is_that_of_keras(results):
    extra = 1e3 * (results["first_call_seconds_fusedlstm"] - results["first_call_seconds_stock"])
    assert extra / (results["later_milliseconds_stock"] - results["later_milliseconds_fusedlstm"]) < 300
    stock = results["later_milliseconds_stock"]
    assert results["later_milliseconds_fusedlstm_any_length"] == pytest.approx(stock, rel=0.15)


# --- the answers of the exercises, against Keras and the lesson -------------------------------------------------------


def test_the_cost_of_a_gru_is_three_quarters_of_the_lessons_lstm(results):
    assert exercises.gru_training_cost(64, 100, 64, 128) == 0.75 * results["multiplications"]


def test_one_product_is_the_gradient_that_tensorflow_adds_up_step_by_step():
    rng = np.random.default_rng(0)
    kernel = tf.constant(rng.normal(size=(2, 2)))
    first, rows = rng.normal(size=(3, 2)), rng.normal(size=(4, 3, 2))  # (batch, units), (time, batch, units)
    states, sums = [tf.constant(first)], []
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(kernel)
        for row in rows:
            sums.append(row + states[-1] @ kernel)
            states.append(tf.tanh(sums[-1]))
        loss = tf.add_n([tf.reduce_sum(state**2) for state in states[1:]])
    deltas, expected = tape.gradient(loss, sums), tape.gradient(loss, kernel)
    found = exercises.kernel_gradient(first, np.stack(states[1:]), np.stack(deltas))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_third_of_the_time_made_twice_as_fast_makes_the_whole_six_fifths_as_fast():
    # 2/3 + 1/6 = 5/6 of the time is left.
    assert exercises.whole_speedup(1 / 3, 2) == pytest.approx(6 / 5)


def test_of_the_lessons_multiplications_four_ninths_stay_in_the_loops():
    # Two of six products, and those of the state are twice as large as those of the input: 2 · 128 / (3 · 192).
    assert exercises.stays_in_the_loops(64, 128) == pytest.approx(4 / 9)
