"""What lesson 04 says, held against the committed figures of its last full run."""

import json
from pathlib import Path

import pytest

FIGURES = json.loads((Path(__file__).parents[1] / "results" / "04_variable_length.json").read_text(encoding="utf-8"))
MARGIN = 0.02  # of the 1,821 test sentences, 95 %


def test_the_run_is_the_full_one_on_real_sentences():
    assert (FIGURES["source"], FIGURES["seeds"]) == ("sst2", 3)


def test_network_and_bag_cannot_be_told_apart():
    assert FIGURES["test_accuracy"] == pytest.approx(FIGURES["baseline_accuracy"], abs=MARGIN)
    assert FIGURES["baseline_accuracy"] >= 0.8


def test_with_a_mask_longer_padding_changes_nothing_on_either_side():
    assert FIGURES["padding_output_difference_masked"] <= 1e-6
    for side in ("right", "left"):
        shares = [FIGURES[f"{side}_mask_accuracy_at_{factor}"] for factor in (1, 2, 5)]
        assert min(shares) == max(shares) >= 0.77


def test_where_the_mask_is_forgotten_the_network_ends_as_a_coin():
    assert FIGURES["mask_forgotten_accuracy_at_1"] <= FIGURES["test_accuracy"] - 0.05
    assert FIGURES["mask_forgotten_accuracy_at_5"] == pytest.approx(0.5, abs=0.01)
    assert FIGURES["drift_last"] >= 0.5
    assert FIGURES["logit_spread_last"] <= 0.6


def test_without_a_mask_the_side_of_the_padding_decides():
    for factor in (1, 2, 5):
        assert FIGURES[f"right_no_mask_accuracy_at_{factor}"] == pytest.approx(0.5, abs=0.02)
        assert FIGURES[f"left_no_mask_accuracy_at_{factor}"] == pytest.approx(FIGURES["test_accuracy"], abs=MARGIN)


def test_buckets_leave_hardly_any_padding_and_save_a_good_part_of_the_time():
    assert FIGURES["padded_share_longest"] >= 0.6
    assert FIGURES["padded_share_random"] >= 0.5
    assert FIGURES["padded_share_bucketed"] <= 0.03
    assert FIGURES["bucket_speedup"] >= 1.2


def test_what_buckets_cost_in_accuracy_is_not_more_than_the_margin():
    assert FIGURES["bucketed_accuracy"] == pytest.approx(FIGURES["test_accuracy"], abs=MARGIN)


def test_the_backward_half_reads_the_padding_and_the_forward_half_does_not():
    assert FIGURES["forward_error_without_mask"] == 0
    assert FIGURES["backward_error_without_mask"] >= 1


def test_the_last_output_of_a_bidirectional_layer_is_not_its_answer():
    assert FIGURES["bidirectional_last_step_accuracy"] <= 0.6
    assert FIGURES["bidirectional_accuracy"] >= 0.77


def test_dropping_inputs_did_no_harm_and_dropping_states_did_no_good():
    quiet = FIGURES["no_dropout_accuracy"]
    assert FIGURES["fresh_dropout_accuracy"] >= quiet - 0.005
    assert FIGURES["fixed_dropout_accuracy"] >= quiet - 0.005
    assert FIGURES["recurrent_dropout_accuracy"] <= quiet + 0.005


def test_a_mask_is_all_but_free_and_dropping_states_is_not():
    assert FIGURES["mask_slowdown"] <= 1.25
    assert FIGURES["dropout_slowdown"] <= 1.25
    assert FIGURES["recurrent_dropout_slowdown"] >= 1.1
    assert FIGURES["recurrent_dropout_slowdown_jit"] <= FIGURES["recurrent_dropout_slowdown"]


def test_only_clipping_the_whole_gradient_keeps_its_direction():
    assert FIGURES["global_clipnorm_cosine"] == pytest.approx(1, abs=1e-5)
    assert FIGURES["clipnorm_cosine"] <= 0.999
    assert FIGURES["clipvalue_cosine"] <= 0.99


def test_clipping_brings_the_weight_down_the_cliff_and_our_sentences_do_not_need_it():
    assert abs(FIGURES["cliff_unclipped"]) > 1_000
    assert FIGURES["cliff_clipped"] == pytest.approx(1, abs=0.01)
    assert FIGURES["clipped_accuracy"] == pytest.approx(FIGURES["bucketed_accuracy"], abs=MARGIN)


def test_layer_normalization_hurt_most_inside_the_cell():
    assert FIGURES["normalized_inside_accuracy"] < FIGURES["normalized_behind_accuracy"]
    assert FIGURES["normalized_behind_accuracy"] < FIGURES["simplernn_accuracy"]
    assert FIGURES["scale_change_inside"] <= 0.01
    assert FIGURES["first_word_kept_inside"] >= 2 * FIGURES["first_word_kept"]


def test_the_gradient_does_not_come_back_through_the_padding():
    assert FIGURES["gradient_through_padding"] <= 1e-4


def test_the_state_crosses_the_cut_and_the_gradient_does_not():
    assert FIGURES["carried_difference"] <= 1e-5
    assert FIGURES["gradient_beyond_window"] == 0
    assert FIGURES["carried_influence"] >= 0.1


def test_alone_a_delay_is_learned_only_inside_the_window():
    assert FIGURES["echo_alone_delay_8_accuracy"] >= 0.9
    assert FIGURES["echo_alone_delay_12_accuracy"] == pytest.approx(0.5, abs=0.03)


def test_together_a_delay_beyond_the_window_is_learned_too():
    assert FIGURES["echo_together_delay_12_accuracy"] >= 0.9


def test_without_a_carried_state_the_answers_from_before_the_cut_are_luck():
    assert FIGURES["echo_reset_delay_8_accuracy"] == pytest.approx(1 - 8 / 20, abs=0.03)
    assert FIGURES["echo_reset_delay_12_accuracy"] == pytest.approx(0.5, abs=0.03)


def test_a_helper_is_enough_if_it_is_long_enough():
    assert FIGURES["echo_helped_by_1_accuracy"] <= 0.55
    assert FIGURES["echo_helped_by_5_accuracy"] >= 0.75
