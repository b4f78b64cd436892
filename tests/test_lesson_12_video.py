"""What lesson 12 says in words, held against the figures of its last full run."""

import json
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[1] / "results" / "12_video.json"
CHANCE_ERROR = (0.1 * 0.9 / 1_000) ** 0.5  # standard error of chance over 1,000 test clips


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_run_was_full_and_short(results):
    assert results["source"] == "moving_digits"
    assert results["seeds"] == 3
    assert results["minutes"] <= 10


def test_the_motion_is_named_where_single_frames_are_at_chance(results):
    assert results["test_accuracy"] >= 0.97
    assert results["chance"] == pytest.approx(0.1)
    assert abs(results["frame_only_accuracy"] - 0.1) < 3 * CHANCE_ERROR


def test_pairs_that_vote_need_no_memory_for_it(results):
    assert results["baseline_accuracy"] >= 0.97
    assert abs(results["baseline_accuracy"] - results["test_accuracy"]) < 0.012


def test_pooled_frames_come_to_the_ceiling_of_those_that_have_no_order(results):
    assert results["ceiling_without_order"] == pytest.approx(0.6)
    assert abs(results["late_fusion_accuracy"] - 0.6) < 0.035


def test_a_gru_on_single_frames_is_on_its_way_and_slow(results):
    assert 0.15 < results["single_frames_gru_accuracy"] < 0.75


def test_there_and_back_the_gru_looks_at_the_end_and_says_the_opposite(results):
    assert results["there_and_back_vote"] < results["ceiling_without_order"]
    assert results["there_and_back_gru"] > 0.9
    assert results["first_by_way_back_alone"] > 0.6 > 0.2 > results["first_by_way_there_alone"]


def test_one_after_another_the_answer_was_in_the_memory(results):
    assert results["in_a_row_both_clips"] > 0.9
    assert results["in_a_row_second_clip_alone"] < 0.15


def test_shuffled_pairs_cost_little_and_shuffled_frames_the_direction(results):
    assert results["shuffling_backwards_new_label"] > 0.97
    assert results["shuffling_pairs_shuffled"] > 0.8
    assert results["shuffling_frames_shuffled"] < results["ceiling_without_order"]
    assert abs(results["shuffled_direction"] - 0.5) < 0.08


def test_a_move_is_known_at_once_and_what_goes_to_and_fro_when_it_turns(results):
    assert results["known_after_4_moves_one_way"] > 0.9
    assert results["known_after_4_turns"] < results["known_after_4_moves_one_way"] - 0.2
    assert results["known_after_2_to_and_fro"] < 0.5 < 0.95 < results["known_after_16_to_and_fro"]


def test_the_network_looks_at_the_digit_and_most_at_the_last_frames(results):
    assert results["attribution_on_digit"] > 0.9 > results["area_of_digit"] + 0.3
    assert results["attribution_in_last_quarter"] > 0.4


def test_a_film_and_its_reverse_part_ways(results):
    assert results["parting_after_1"] < 1.1 and results["parting_after_16"] > 2


def test_the_poses_beat_every_baseline_by_five_points(results):
    names = ("commonest_action", "mean_pose", "nearest_clip", "logistic_regression")
    assert results["poses_baseline_accuracy"] == max(results[f"poses_{name}_accuracy"] for name in names)
    assert (
        results["poses_test_accuracy"] - results["poses_test_accuracy_std"] > results["poses_baseline_accuracy"] + 0.05
    )
    assert 0.35 < results["poses_mean_pose_accuracy"] < 0.45  # the text says: four of ten


def test_without_their_order_poses_tell_less_and_still_more_than_their_mean(results):
    for way in ("backwards", "shuffled"):
        assert results["poses_mean_pose_accuracy"] + 0.1 < results[f"poses_{way}"] < results["poses_as_filmed"] - 0.2


def test_eyes_see_what_they_were_trained_to_see(results):
    assert results["caption_direction_motion_eyes"] > 0.95 and results["caption_digit_motion_eyes"] < 0.4
    assert results["caption_digit_digit_eyes"] > 0.8 and results["caption_direction_digit_eyes"] < 0.4
    assert results["caption_exact"] > 0.8 > 0.4 > results["caption_exact_motion_eyes"]


def test_one_caption_for_all_is_given_marks_by_bleu(results):
    assert 10 < results["usual_caption_bleu"] < results["caption_bleu"] / 3
