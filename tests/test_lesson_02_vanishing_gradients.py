"""What lesson 02 says, held against the committed figures of its last full run."""

import json
from pathlib import Path

import pytest

FIGURES = json.loads(
    (Path(__file__).parents[1] / "results" / "02_vanishing_gradients.json").read_text(encoding="utf-8")
)
GATED = ("lstm", "gru")


def test_the_baselines_gain_nothing():
    assert FIGURES["baseline_adding_mse"] == pytest.approx(1 / 6, abs=0.01)
    assert FIGURES["adding_mse_of_a_line"] >= FIGURES["baseline_adding_mse"] - 0.005


@pytest.mark.parametrize("cell", GATED)
def test_a_gated_cell_solves_the_adding_problem_with_every_seed(cell):
    assert FIGURES["seeds"] == 3
    assert FIGURES[f"adding_mse_{cell}_worst"] <= 0.01


def test_a_simple_rnn_stays_with_the_answer_one():
    assert FIGURES["adding_mse_simple_rnn"] >= 0.15


@pytest.mark.parametrize("cell", GATED)
def test_five_orders_of_magnitude_more_gradient_arrive_in_a_gated_cell(cell):
    assert FIGURES[f"orders_of_magnitude_{cell}"] >= 5
    assert FIGURES[f"gradient_after_{cell}"] >= 1e5 * FIGURES["gradient_after_simple_rnn"]
    assert FIGURES[f"share_after_{cell}"] >= 1e5 * FIGURES["share_after_simple_rnn"]


def test_before_training_the_gru_is_the_worst_by_far_and_the_others_are_alike():
    gru, lstm, simple = (FIGURES[f"untrained_gradient_{cell}"] for cell in ("gru", "lstm", "simple_rnn"))
    assert gru <= 1e-10 * min(lstm, simple)
    assert 0.1 <= lstm / simple <= 10


def test_the_gradient_opens_in_every_gated_run_and_no_later_than_the_loss_falls():
    assert FIGURES["opened_gru"] == FIGURES["gru_opened_first"] == 3
    assert FIGURES["opened_lstm"] == FIGURES["lstm_opened_not_later"] == 3
    assert FIGURES["opened_and_learned_simple_rnn"] == 0


def test_while_the_lstm_waits_its_far_gradient_shrinks():
    assert FIGURES["lstm_lowest_before"] <= 0.2


def test_the_simple_rnns_eigenvalues_leave_the_circle_and_its_gradient_vanishes():
    assert FIGURES["spectral_radius_before"] == pytest.approx(1, abs=1e-3)
    assert FIGURES["spectral_radius_after"] > 1.5
    assert FIGURES["share_after_simple_rnn"] < 1e-6


@pytest.mark.parametrize("cell", GATED)
def test_a_gate_learns_to_keep_once_there_is_something_to_keep(cell):
    untrained, trained = (FIGURES[f"half_life_{cell}_{when}_after_the_second"] for when in ("before", "after"))
    assert trained >= 20 * untrained
    assert trained >= 1.5 * FIGURES[f"half_life_{cell}_after_before_the_first_mark"]


def test_the_lstm_hears_the_marks_and_the_simple_rnn_does_not():
    assert FIGURES["heard_lstm"] >= 10
    assert FIGURES["heard_simple_rnn"] <= 10


def test_a_better_start_spares_the_plateau_and_a_worse_one_never_ends_it():
    assert FIGURES["plateau_lstm_chrono"] <= 0.5 * FIGURES["plateau_lstm_keras'_own"]
    assert {"plateau_lstm_forget_bias_0", "plateau_simplernn_identity"}.isdisjoint(FIGURES)  # never left


def test_clipping_keeps_the_loss_a_number_and_teaches_nothing():
    assert FIGURES["free_loss_is_finite"] is False
    assert 0.15 <= FIGURES["clipped_loss"] <= 1


def test_cutting_the_gradient_matters_where_no_mark_is_near():
    assert FIGURES["cut_mse_marks_in_the_first_half_whole_gradient"] <= 0.01
    assert FIGURES["cut_mse_marks_in_the_first_half_gradient_cut"] >= 0.15
    assert FIGURES["cut_mse_marks_in_both_halves_gradient_cut"] <= 0.03


def test_the_simple_rnn_learns_the_short_row_and_not_the_longer_ones():
    assert FIGURES["adding_mse_simple_rnn_25_steps"] <= 0.05
    assert FIGURES["adding_mse_simple_rnn_50_steps"] >= 0.1


def test_the_simple_rnn_copies_best_at_the_shortest_wait():
    assert FIGURES["copied_simple_rnn_delay_1"] >= 0.99
    assert max(FIGURES[f"copied_{cell}_delay_1"] for cell in GATED) <= 0.8


def test_the_simple_rnns_gradient_flares_up_now_and_then():
    assert 0.01 <= FIGURES["simple_rnn_flares"] <= 0.5
