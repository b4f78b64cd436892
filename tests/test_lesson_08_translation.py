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


def test_the_network_reaches_its_goals(results):
    assert results["token_accuracy"] >= 0.80
    assert results["token_accuracy"] > results["published_token_accuracy"]
    assert results["bleu"] >= 42
    assert results["bleu_std"] < 1


def test_attention_is_worth_three_points_and_more_on_long_sentences(results):
    assert results["bleu"] - results["bleu_without_attention"] >= 3
    assert results["bleu_gap_longest"] > results["bleu_gap_shortest"] + 3


def test_the_network_beats_every_baseline_and_so_does_the_one_without_attention(results):
    assert results["baseline_bleu"] == max(results["bleu_dictionary"], results["bleu_nearest"])
    assert results["bleu_without_attention"] > results["baseline_bleu"]


def test_a_cut_by_row_leaks_and_flatters_a_translator_that_only_remembers(results):
    assert results["leak_by_row"] > 0.2
    assert results["bleu_nearest_cut_by_row"] > results["bleu_nearest"] + 3


def test_a_beam_is_at_least_as_good_as_greedy_search(results):
    assert results["bleu"] >= results["bleu_greedy"]
    assert results["bleu_beam_4_dev"] >= results["bleu_beam_1_dev"]


def test_the_widest_beam_without_the_remedy_writes_too_little_and_loses(results):
    assert results["bleu_widest_beam_without_penalty_dev"] < results["bleu_beam_4_dev"] - 1
    assert results["too_short_widest_beam_without_penalty"] > 0.02


def test_attention_finds_the_true_alignment_of_nine_words_in_ten(results):
    assert results["alignment_agreement"] >= 0.9
    assert results["alignment_agreement_diagonal"] < 0.6


def test_the_single_vector_loses_the_middle_and_keeps_more_than_one_that_is_not_needed(results):
    assert results["recalled_middle"] < results["recalled_first"] - 0.1
    assert results["recalled_without"] > results["recalled_with_attention"]


def test_without_its_own_look_the_network_falls_below_the_one_that_never_had_any(results):
    own = results["accuracy_attention_its_own"]
    assert own - results["accuracy_attention_only_the_most_read"] < 0.1
    assert results["accuracy_attention_all_alike"] < results["token_accuracy_without_attention"]
    assert results["accuracy_attention_all_alike"] < results["accuracy_attention_only_the_most_read"]
