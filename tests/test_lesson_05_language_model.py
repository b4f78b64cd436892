"""What lesson 05 says in words, held against the figures of its last full run."""

import json
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[1] / "results" / "05_language_model.json"


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_run_was_full_and_short(results):
    assert results["source"] == "tinyshakespeare"
    assert results["seeds"] == 3
    assert results["minutes"] <= 10


def test_the_network_reaches_its_goal(results):
    assert results["valid_nats_per_char"] <= 1.6
    assert results["valid_nats_per_char_std"] < 0.02


def test_a_cut_by_chance_flatters_the_clerk_by_more_than_the_models_differ(results):
    flattery = results["five_gram_nats_per_char"] - results["cut_by_chance_nats_per_char"]
    assert flattery > 0.1
    assert flattery > abs(results["valid_nats_per_char"] - results["baseline_valid_nats_per_char"])


def test_the_clerk_beats_published_networks(results):
    assert results["baseline_valid_nats_per_char"] < results["published_valid_nats_per_char"]
    assert results["baseline_valid_nats_per_char"] < results["five_gram_nats_per_char"] < 1.88
    assert results["five_gram_nats_per_char"] < results["unigram_nats_per_char"] / 2


def test_the_average_is_better_than_its_parts_and_the_clerk_helps_it(results):
    parts = results["valid_nats_per_char"], results["baseline_valid_nats_per_char"]
    assert results["with_clerk_nats_per_char"] < results["averaged_nats_per_char"] < results["valid_nats_per_char"]
    assert results["with_clerk_nats_per_char"] < min(parts) - 0.05
    assert results["averaged_nats_per_char"] < results["baseline_valid_nats_per_char"]


def test_neighbors_depend_so_the_naive_error_is_several_times_too_small(results):
    assert results["standard_error_of_blocks"] > 3 * results["standard_error_naive"]
    assert results["lead_standard_error"] < results["standard_error_of_blocks"] / 2


def test_a_carried_state_says_the_same_as_one_long_reading(results):
    assert results["carried_difference"] < 1e-5


def test_a_single_network_does_not_take_the_lead_from_the_clerk(results):
    assert results["valid_nats_per_char"] > results["baseline_valid_nats_per_char"] - 0.01


def test_the_network_wins_at_borders_and_the_clerk_inside_words(results):
    assert results["gain_1st_letter"] > 0.005
    assert results["gain_line_break"] > 0.005
    assert results["gain_later_letters"] < -0.02


def test_memory_pays_beyond_what_the_clerk_sees_and_ends_with_the_line(results):
    assert results["price_with_1_character"] > 0.5
    assert results["price_beyond_the_clerk"] > 0.02
    assert abs(results["price_beyond_the_cut"]) < 0.01
    assert results["price_of_emptying"] > 0.1


def test_the_gradient_agrees_that_the_past_is_short(results):
    assert results["gradient_at_32"] < 0.02


def test_the_likeliest_text_is_a_loop_that_its_writer_finds_all_too_likely(results):
    assert results["greedy_loop_characters"] > 0
    assert results["greedy_nats_per_char"] < 0.75 * results["valid_nats_per_char"]


def test_at_one_temperature_known_words_are_as_common_as_with_people(results):
    shares = [results[f"known_words_at_{temperature}"] for temperature in (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)]
    assert shares == sorted(shares, reverse=True)
    assert results["known_words_at_1.0"] < results["known_words_people"] < results["known_words_at_0.5"]


def test_one_compiled_loop_writes_a_hundred_times_as_fast_as_calls_of_predict(results):
    assert results["characters_per_second"] > 100 * results["characters_per_second_predict"]


def test_a_unit_follows_speakers_names_far_above_chance(results):
    assert results["name_unit_correlation"] > 2 * results["name_unit_null_95"]


def test_no_model_of_the_play_is_better_than_its_truth_and_slow_units_come_nearest(results):
    losses = [results[f"play_{name}"] for name in ("entropy", "nats_per_char", "ordinary_nats_per_char")]
    losses.append(results["baseline_play_nats_per_char"])
    assert losses == sorted(losses)
    lacking = [loss - losses[0] for loss in losses]
    assert lacking[1] < 0.75 * lacking[2]


def test_only_the_network_born_slow_counts_the_line(results):
    assert results["break_probability_full_line"] > 0.7
    assert results["break_probability_full_line_ordinary"] < 0.35


def test_the_unit_that_follows_the_column_best_is_not_the_one_that_is_asked(results):
    assert results["clock_correlation"] > 3 * results["clock_null_95"]
    assert results["break_probability_clock_turned"] > 0.5
    assert results["break_probability_best_unit_turned"] < 0.2
    assert results["break_probability_others_turned"] < 0.2
    assert results["break_probability_asked_unit_turned"] > 0.4


def test_a_unit_knows_of_an_open_quotation(results):
    assert results["quote_correlation"] > 3 * results["quote_null_95"]


def test_one_unit_closes_and_opens_the_quotation(results):
    assert results["closing_probability"] == pytest.approx(results["closing_probability_in_truth"], abs=0.12)
    assert results["closing_probability_shut"] < 0.1
    assert results["closing_probability_outside"] < 0.1
    assert results["closing_probability_opened"] > 0.4
    assert results["closing_probability_other_unit_set"] == pytest.approx(results["closing_probability"], abs=0.1)


def test_the_matches_of_marked_quotations_lie_in_quotations_more_often_than_the_text_does(results):
    assert results["matches_quoted"] > 1.6 * results["share_quoted"]
