"""What lesson 11 says in words, held against the figures of its last full run."""

import json
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[1] / "results" / "11_music.json"


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_run_was_full_and_short(results):
    assert results["source"] == "jsb_chorales"
    assert results["seeds"] == 3
    assert results["minutes"] <= 10


def test_key_by_key_reaches_its_goal_and_is_ahead_of_the_published_gru(results):
    assert results["test_nll_per_frame"] <= 8.43 == results["published_nll_per_frame"]
    assert results["test_nll_per_frame"] > 8.10  # the text says that the TCN stays ahead
    assert results["test_nll_per_frame_std"] < 0.1


def test_note_after_note_reaches_its_goal_and_is_ahead_of_the_published_figure(results):
    assert results["joint_nll_per_frame"] <= 6.2
    assert results["joint_nll_per_frame_with_first"] < results["published_joint_nll_per_frame"] == 5.56


def test_the_baselines_are_those_of_the_card(results):
    assert results["baseline_nll_per_frame"] == pytest.approx(10.49, abs=0.005)
    assert results["baseline_nll_per_frame_marginal"] == pytest.approx(11.09, abs=0.005)
    assert results["share_repeated"] == pytest.approx(0.107, abs=0.001)


def test_the_notes_above_are_worth_three_nats_and_the_memory_two(results):
    assert results["test_nll_per_frame"] - results["joint_nll_per_frame"] == pytest.approx(3, abs=0.3)
    assert results["baseline_nll_per_frame"] - results["test_nll_per_frame"] == pytest.approx(2.2, abs=0.3)


def test_the_more_a_network_knows_of_a_chord_the_more_notes_it_guesses(results):
    shares = [results[f"note_accuracy_{name}"] for name in ("the_chord_once_more", "key_by_key", "note_after_note")]
    assert shares == sorted(shares)


def test_the_highest_note_is_dear_and_the_bass_cheap(results):
    nats = [results[f"nats_slot_{slot}"] for slot in range(4)]
    assert max(nats) == nats[0] and min(nats) == nats[3]
    assert sum(nats) == pytest.approx(results["joint_nll_per_frame_with_first"], abs=0.01)


def test_coins_make_chords_that_bach_never_wrote(results):
    assert results["known_key_by_key"] == pytest.approx(1 / 5, abs=0.05)
    assert results["known_note_after_note"] == pytest.approx(2 / 3, abs=0.05)
    assert results["known_Bach"] > 0.85
    assert results["harsh_key_by_key"] > 0.5


def parallels(results, name):
    return results[f"fifths_{name}"] + results[f"octaves_{name}"]


def test_the_network_that_foretells_bach_best_breaks_his_rule_far_more_often(results):
    ratio = parallels(results, "note_after_note") / parallels(results, "Bach_test")
    assert ratio == pytest.approx(6, abs=0.3)
    assert parallels(results, "Bach_test") == pytest.approx(100 / 40, abs=0.5)
    assert results["parallels_after_bach_note_after_note"] > 4 * results["parallels_after_bach_Bach"]
    assert results["fifths_and_octaves_error_note_after_note"] < 2


def test_a_sharper_draw_mends_the_dissonances_and_not_the_parallels(results):
    assert results["dissonances_top_p_0_9"] < results["dissonances_note_after_note"]
    assert abs(results["dissonances_top_p_0_9"] - results["dissonances_Bach_test"]) < 4
    assert parallels(results, "top_p_0_9") > 0.9 * parallels(results, "note_after_note")  # no fewer, within chance


def test_the_past_pays_for_eight_frames_and_hardly_beyond_sixteen(results):
    worth = {length: results[f"nats_past_{length}"] for length in (1, 2, 4, 8, 16, 32)}
    assert worth[1] - worth[2] == pytest.approx(1 / 3, abs=0.06)
    assert worth[1] - worth[8] > 0.85 * (worth[1] - worth[32])
    assert 0 < worth[16] - worth[32] < 0.04


def test_at_the_last_chord_the_gradient_falls_more_slowly(results):
    assert results["gradient_left_at_the_last_chord"] == pytest.approx(7 / 10, abs=0.05)
    assert results["gradient_left_in_the_middle"] < 0.5


@pytest.mark.parametrize("concept", ["the_last_bass_note", "a_cadence_comes", "a_minor_key"])
def test_units_follow_harmony_far_above_chance(results, concept):
    assert results[f"unit_{concept}"] > 2 * results[f"chance_{concept}"]


def test_a_few_units_held_turn_major_into_minor_and_others_do_not(results):
    shares = [results[f"flats_{count}_of_mode"] for count in (0, 1, 2, 4, 8)]
    assert shares == sorted(shares)
    assert shares[0] < 0.1 and shares[1] < 0.4 and shares[4] > 0.8
    assert max(results[f"flats_{count}_of_others"] for count in (0, 1, 2, 4, 8)) < 0.1


def test_so_they_do_in_the_network_that_learned_from_bach(results):
    shares = [results[f"flats_{count}_of_bach_units"] for count in (0, 4, 16, 64)]
    assert shares[0] < 0.1 and shares[-1] > 0.8
    assert shares == sorted(shares)
    assert max(results[f"flats_{count}_of_bach_other"] for count in (4, 16, 64)) < shares[2]
