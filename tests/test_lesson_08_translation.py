"""What lesson 08 says in words, held against the figures of its last full run."""

import json
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[1] / "results" / "08_translation.json"


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_run_was_full_and_short(results):
    assert results["source"] == "tatoeba_spa_eng"
    assert results["seeds"] == 3
    assert results["sentences"] >= 2_000
    assert results["minutes"] <= 10
    assert results["minutes_per_model"] <= 2


def test_the_network_reaches_its_goal_in_bleu_and_beats_the_published_accuracy(results):
    assert results["token_accuracy"] >= 0.80
    assert results["token_accuracy"] > results["published_token_accuracy"]
    assert results["bleu"] >= 42
    assert results["bleu_std"] < 1
    assert results["seeds_without_attention"] == 2  # enough, as long as the two differ by little of the lead
    assert results["bleu_without_attention_std"] < (results["bleu"] - results["bleu_without_attention"]) / 10


def test_attention_is_worth_three_points_and_more_on_long_sentences(results):
    assert results["bleu"] - results["bleu_without_attention"] >= 3
    assert results["bleu_gap_longest"] > results["bleu_gap_shortest"] + 3


def test_the_network_beats_every_baseline_and_so_does_the_one_without_attention(results):
    assert results["baseline_bleu"] == max(results["bleu_dictionary"], results["bleu_nearest"])
    assert results["bleu_without_attention"] > results["baseline_bleu"]


def test_a_cut_by_row_leaks_and_flatters_a_translator_that_only_remembers(results):
    assert results["leak_by_row"] > 0.2
    assert results["bleu_nearest_cut_by_row"] > results["bleu_nearest"] + 3


def on_dev(results, name, width, penalty=0):
    return results[f"bleu_dev_{name}_beam_{width}_penalty_{penalty}"]


def test_a_beam_is_better_than_greedy_search_from_every_start_and_soon_stops_to_pay(results):
    assert results["bleu"] > results["bleu_greedy"]
    assert min(results[f"bleu_beam_adds_at_least_{name}"] for name in ("with_attention", "without")) > 0
    assert min(on_dev(results, name, 4) - on_dev(results, name, 1) for name in ("with_attention", "without")) > 0
    assert abs(on_dev(results, "with_attention", 16) - on_dev(results, "with_attention", 4)) < 0.5
    assert results["log_probability_dev_beam_16"] > results["log_probability_dev_beam_1"]


def test_whether_to_divide_by_the_length_is_chosen_on_dev_and_hardly_matters_for_short_sentences(results):
    divided, as_it_is = (on_dev(results, "with_attention", 4, penalty=penalty) for penalty in (1, 0))
    assert results["length_penalty"] == (1 if divided > as_it_is else 0)
    assert abs(divided - as_it_is) < 1


def test_attention_finds_the_true_alignment_of_nine_words_in_ten(results):
    assert results["alignment_agreement"] >= 0.9
    assert results["alignment_agreement_diagonal"] < 0.6


def test_the_single_vector_loses_the_middle_and_is_no_fuller_where_all_depends_on_it(results):
    assert results["recalled_middle"] < results["recalled_first"] - 0.1
    assert abs(results["recalled_without"] - results["recalled_with_attention"]) < 0.03


def test_without_its_own_look_the_network_falls_below_the_one_that_never_had_any(results):
    own = results["accuracy_attention_its_own"]
    assert own - results["accuracy_attention_only_the_most_read"] < 0.1
    assert results["accuracy_attention_all_alike"] < results["accuracy_no_attention"]
    assert results["accuracy_attention_all_alike"] < results["accuracy_attention_only_the_most_read"]
