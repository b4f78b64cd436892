"""Whatever takes a generator also takes a seed for one, and draws the same; what is neither is refused."""

import numpy as np
import pytest

from rnn_course.candidates import sample_candidates
from rnn_course.data import (
    make_adding_problem,
    make_brackets,
    make_copy_memory,
    make_play,
    make_sensor_stream,
)
from rnn_course.decoding import sample
from rnn_course.probes import unit_concept_correlation
from rnn_course.sequences import bucketed_batches
from rnn_course.streaming import CausalTransformer

STATES = np.random.default_rng(0).normal(size=(6, 4, 2))
TRANSFORMER = {"features": 2, "width": 8, "heads": 2, "hidden": 4, "outputs": 3}
CHANCE = {
    "adding problem": lambda rng: make_adding_problem(3, time=4, rng=rng).inputs,
    "copy memory": lambda rng: make_copy_memory(3, delay=2, rng=rng).inputs,
    "brackets": lambda rng: make_brackets(3, time=8, rng=rng).tokens,
    "play": lambda rng: list(make_play(30, rng=rng).text),
    "sensor stream": lambda rng: make_sensor_stream(50, rng=rng).values,
    "batches": lambda rng: np.concatenate(bucketed_batches(range(1, 20), size=3, rng=rng)),
    "candidates": lambda rng: sample_candidates(np.array([3]), vocabulary=99, size=9, rng=rng).ids,
    "choices": lambda rng: sample(np.zeros((20, 9)), rng=rng),
    "null of correlations": lambda rng: (
        unit_concept_correlation(STATES, STATES[..., 0] + 1, permutations=20, rng=rng).null
    ),
    "weights": lambda rng: CausalTransformer(**TRANSFORMER, rng=rng).embed,
}
every_chance = pytest.mark.parametrize("draw", CHANCE.values(), ids=CHANCE)


@every_chance
def test_a_seed_draws_what_its_generator_draws_and_another_one_something_else(draw):
    np.testing.assert_array_equal(draw(3), draw(np.random.default_rng(3)))
    assert not np.array_equal(draw(3), draw(4))


@every_chance
def test_a_generator_goes_on_where_it_was(draw):
    rng = np.random.default_rng(3)
    assert not np.array_equal(draw(rng), draw(rng))


@every_chance
def test_what_is_no_seed_is_refused_by_name(draw):
    with pytest.raises((TypeError, ValueError), match=r"SeedSequence|seed|integer"):
        draw("tomorrow")
