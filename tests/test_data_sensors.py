"""The sensor's stream: every regime does what its name says, and the truth that comes with it is the truth."""

from itertools import pairwise

import numpy as np
import pytest

from rnn_course.data import make_sensor_stream
from rnn_course.data.sensors import AMPLITUDES, CALM, LEVELS, PERIODS, REGIMES, ROUGH


def stream(steps=20_000, seed=0, **options):
    return make_sensor_stream(steps, rng=np.random.default_rng(seed), **options)


@pytest.fixture(scope="module")
def long():
    return stream(200_000)


def parts(made):
    """Yield (name, slice) for every regime of a stream, the last one left out: it is cut."""
    edges = [0, *made.changes]
    for start, stop in pairwise(edges):
        yield made.regimes[made.regime[start]], slice(start, stop)


def test_shapes_and_types():
    made = stream(1_234)
    for name in ("values", "mean", "spread", "nats"):
        assert (getattr(made, name).shape, getattr(made, name).dtype) == ((1_234,), np.float64), name
    assert (made.regime.shape, made.regime.dtype) == ((1_234,), np.int64)
    assert (made.spikes.shape, made.spikes.dtype) == ((1_234,), bool)
    assert made.changes.dtype == np.int64
    assert made.regimes == REGIMES == ("level", "oscillation", "drift", "rough")


def test_the_regime_changes_exactly_at_the_changes_and_always_to_another_kind(long):
    np.testing.assert_array_equal(np.flatnonzero(np.diff(long.regime)) + 1, long.changes)


def test_a_regime_lasts_from_shortest_to_longest_steps_all_lengths_alike():
    lengths = np.diff(stream(100_000, shortest=3, longest=7).changes)
    counts = np.bincount(lengths, minlength=9)
    assert counts[:3].sum() == counts[8:].sum() == 0
    np.testing.assert_allclose(counts[3:8] / len(lengths), 1 / 5, atol=0.015)


def test_every_kind_follows_every_other_about_equally_often():
    made = stream(200_000, shortest=5, longest=10)
    before, after = made.regime[made.changes - 1], made.regime[made.changes]
    pairs = np.zeros((4, 4))
    np.add.at(pairs, (before, after), 1)
    assert np.trace(pairs) == 0
    np.testing.assert_allclose(pairs[~np.eye(4, dtype=bool)] / pairs.sum(), 1 / 12, atol=0.01)


@pytest.mark.parametrize("steps", [1, 2, 99, 100, 101])
def test_a_stream_that_ends_within_the_first_regime_has_no_change(steps):
    made = stream(steps, shortest=101, longest=200)
    assert made.values.shape == (steps,) and made.changes.size == 0


def test_a_change_lies_inside_the_stream_also_where_a_regime_ends_with_it():
    made = stream(30, shortest=10, longest=10)
    assert made.changes.tolist() == [10, 20]


def test_level_and_rough_stand_still_drift_is_a_straight_line_oscillation_swings(long):
    for name, here in parts(long):
        mean = long.mean[here]
        if name in ("level", "rough"):
            assert np.ptp(mean) == 0
        elif name == "drift":
            np.testing.assert_allclose(np.diff(mean, n=2), 0, atol=1e-12)
        else:
            assert AMPLITUDES[0] * 0.9 < np.ptp(mean) / 2 <= AMPLITUDES[1] + 1e-9


def test_only_a_level_begins_with_a_jump_unless_a_swing_was_cut(long):
    before, after = long.regime[long.changes - 1], long.regime[long.changes]
    jumps = np.abs(long.mean[long.changes] - long.mean[long.changes - 1])
    swing, level, drift = (REGIMES.index(name) for name in ("oscillation", "level", "drift"))
    calm = (before != swing) & (after != level)
    assert jumps[calm & (before != drift)].max() < 1e-9
    assert jumps[calm].max() < 0.031  # a drift ends one of its steps, at most 3/100, before its goal
    assert np.median(jumps[after == level]) > 0.3


def test_an_oscillation_obeys_its_own_equation_and_no_other_regime_does():
    # m_{t+1} + m_{t-1} - 2 level = 2 cos(2π / period) (m_t - level), so with its level known the ratio is constant.
    made = stream(50_000)
    swings = [here for name, here in parts(made) if name == "oscillation"]
    assert len(swings) > 20
    for here in swings:
        mean = made.mean[here] - made.mean[here][0]
        ratio = (mean[2:] + mean[:-2])[np.abs(mean[1:-1]) > 0.1] / mean[1:-1][np.abs(mean[1:-1]) > 0.1]
        assert np.ptp(ratio) < 1e-6
        assert PERIODS[0] - 1e-6 <= 2 * np.pi / np.arccos(ratio.mean() / 2) <= PERIODS[1] + 1e-6


def test_levels_stay_where_they_may():
    made = stream(200_000)
    still = np.isin(made.regime, [REGIMES.index("level"), REGIMES.index("drift")])
    assert LEVELS[0] <= made.mean[still].min() < -1.4 and 1.4 < made.mean[still].max() <= LEVELS[1]


def test_the_noise_has_the_spread_that_is_told(long):
    standing = ((long.values - long.mean) / long.spread)[~long.spikes]
    assert standing.std() == pytest.approx(1, abs=0.01)
    assert np.mean(standing**4) == pytest.approx(3, abs=0.1)  # normal
    rough = long.regime == REGIMES.index("rough")
    assert ROUGH[0] <= long.spread[rough].min() and long.spread[rough].max() <= ROUGH[1]
    assert CALM[0] <= long.spread[~rough].min() and long.spread[~rough].max() <= CALM[1]


def test_spikes_are_as_many_as_asked_five_to_eight_spreads_away_on_either_side(long):
    far = ((long.values - long.mean) / long.spread)[long.spikes]
    assert len(far) / 200_000 == pytest.approx(0.002, rel=0.2)
    assert np.abs(far).min() >= 5 and np.abs(far).max() <= 8
    assert np.mean(far > 0) == pytest.approx(0.5, abs=0.1)
    assert not stream(spikes=0).spikes.any()


def test_the_nats_are_those_of_the_density_that_the_values_come_from():
    # By hand: without spikes, ln(spread sqrt(2π)) + z²/2; for a spike of share s, -ln(s / 2 / 3 / spread).
    plain, spiky = stream(spikes=0), stream(spikes=0.01)
    z = (plain.values - plain.mean) / plain.spread
    np.testing.assert_allclose(plain.nats, np.log(plain.spread * np.sqrt(2 * np.pi)) + z**2 / 2, atol=1e-12)
    expected = -np.log(0.01 / 6 / spiky.spread[spiky.spikes])
    np.testing.assert_allclose(spiky.nats[spiky.spikes], expected, atol=1e-3)


def test_no_other_spread_costs_fewer_nats_on_average(long):
    # Gibbs: the density that was drawn from is the cheapest; 2% too wide or too narrow, or an offset, costs more.
    z = (long.values - long.mean) / long.spread

    def cost(offset, width):
        normal = np.exp(-0.5 * ((z - offset) / width) ** 2) / np.sqrt(2 * np.pi) / width
        return np.mean(np.log(long.spread) - np.log(0.998 * normal + 0.002 * (np.abs(z) >= 5) / 6))

    best = np.mean(long.nats)
    assert cost(0, 1) == pytest.approx(best, abs=1e-9)
    assert min(cost(0, 1.1), cost(0, 0.9), cost(0.1, 1), cost(-0.1, 1)) > best


def test_the_same_generator_makes_the_same_stream_and_another_one_another():
    once, again, other = stream(seed=1), stream(seed=1), stream(seed=2)
    for left, right in zip(once, again, strict=True):
        np.testing.assert_array_equal(left, right)
    assert not np.array_equal(once.values, other.values)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "steps is 0; pass at least 1."),
        ({"shortest": 0}, "A regime cannot last from 0 to 400 steps; pass 1 or more"),
        ({"shortest": 9, "longest": 8}, "from 9 to 8 steps; pass 1 or more, and longest not below shortest."),
        ({"spikes": 1}, "spikes is 1; pass a share from 0 to below 1"),
        ({"spikes": -0.1}, "spikes is -0.1; pass a share from 0 to below 1"),
    ],
)
def test_a_stream_that_cannot_be_is_refused(options, said):
    with pytest.raises(ValueError) as error:
        stream(**options)
    assert said in str(error.value)
