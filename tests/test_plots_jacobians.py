"""Spectra, connectivity and lag profiles: the artists hold the numbers, and zero and absent look different."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import same_color
from pictures import box_of, line_of, new_axes

from rnn_course.plots import plot_connectivity, plot_lag_profile, plot_spectrum
from rnn_course.plots.style import CELL_COLORS

# A linear network with the singular values 1, 1/2 and 1/10: at lag k these to the power of k.
POWERS = np.array([1.0, 0.5, 0.1]) ** np.arange(4, -1, -1)[:, None]
ONLY_LAST = np.where(np.arange(5)[:, None] == 4, 1.0, 0.0) * np.ones(3)
HALVING = np.tril(0.5 ** np.maximum(np.arange(6)[:, None] - np.arange(6), 0.0))
PROFILE = SimpleNamespace(
    lag=np.arange(4), median=0.1 ** np.arange(4.0), low=0.05 * 0.1 ** np.arange(4), high=3 * 0.1 ** np.arange(4)
)


def edges_of(band, at):
    vertices = band.get_paths()[0].vertices
    heights = vertices[vertices[:, 0] == at, 1]
    return heights.min(), heights.max()


def names_from_below(ax):
    """The direct labels, lowest first, as they stand on the page."""
    ax.figure.draw_without_rendering()
    return [text.get_text() for text in sorted(ax.texts, key=lambda text: text.get_window_extent().y0)]


# ----------------------------------------------------------------------------------------------------------- spectrum


def test_the_lines_are_the_largest_and_the_median_and_the_band_goes_down_to_the_smallest():
    ax = plot_spectrum({"GRU": POWERS}, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "GRU").get_ydata(), 1)
    np.testing.assert_allclose(line_of(ax, "GRU, median").get_ydata(), [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1])
    assert [line_of(ax, name).get_linestyle() for name in ("GRU", "GRU, median")] == ["-", "--"]
    assert edges_of(ax.collections[0], 1) == pytest.approx((1e-3, 1))
    assert ax.get_yscale() == "log"
    assert "solid: largest of 3, dashed: median, band: to the smallest" in ax.get_xlabel()
    assert same_color(line_of(ax, "GRU").get_color(), CELL_COLORS["gru"])


def test_a_line_marks_where_a_change_arrives_as_large_as_it_set_out():
    ax = plot_spectrum({"GRU": 0.1 * POWERS}, ax=new_axes())
    assert list(ax.lines[0].get_ydata()) == [1, 1]
    assert ax.get_ylim()[1] > 1


def test_masked_steps_are_hatched_and_the_lag_counts_from_the_last_real_one():
    batch = np.stack([POWERS, np.roll(POWERS, -2, axis=0)])
    mask = np.array([[True] * 5, [True, True, True, False, False]])
    ax = plot_spectrum({"GRU": batch}, example=1, mask=mask, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "GRU, median").get_ydata(), [0.25, 0.5, 1, np.nan, np.nan])
    assert len([patch for patch in ax.patches if patch.get_hatch()]) == 1
    ax = plot_spectrum({"GRU": batch, "LSTM": batch}, example=1, mask=mask, against="lag", ax=new_axes())
    line = line_of(ax, "GRU, median")
    real = ~np.isnan(line.get_ydata())
    assert line.get_xdata()[real].tolist() == [2, 1, 0]
    left, right = ax.get_xlim()
    assert left > right, "time runs from left to right, so lag 0 stands at the right"


def test_what_is_exactly_zero_is_marked_on_a_line_of_its_own():
    # Gates that do not look at the hidden state: nothing but the last step itself is left.
    ax = plot_spectrum({"LSTM": ONLY_LAST, "GRU": POWERS}, ax=new_axes())
    crosses = line_of(ax, "LSTM: exactly 0")
    assert crosses.get_xdata().tolist() == [0, 1, 2, 3] and crosses.get_marker() == "x"
    assert (crosses.get_ydata() < POWERS.min() / 5).all()
    assert line_of(ax, "LSTM").get_markevery() == [4], "a line of one point would not be seen"
    assert ax.get_yticklabels()[0].get_text() == "exactly 0"
    assert not [line for line in ax.lines if line.get_label() == "GRU: exactly 0"]


def test_a_smallest_value_of_zero_takes_the_band_to_the_floor():
    ax = plot_spectrum({"GRU": POWERS * [1, 1, 0]}, ax=new_axes())
    assert ax.get_yticklabels()[0].get_text() == "exactly 0"
    assert edges_of(ax.collections[0], 2)[0] == ax.get_yticks()[0] < POWERS[:, 1].min()


def test_curves_that_end_together_are_named_in_the_order_in_which_they_set_out():
    ax = plot_spectrum({"SimpleRNN": 1e-3**LAG, "LSTM": 0.9**LAG, "GRU": 0.1**LAG}, ax=new_axes())
    assert names_from_below(ax) == ["SimpleRNN", "GRU", "LSTM"]


LAG = np.arange(4, -1, -1.0)[:, None]


@pytest.mark.parametrize(
    ("values", "change", "message"),
    [
        (POWERS, {}, "must be a dict such as"),
        ({}, {}, "must be a dict such as"),
        ({"GRU": np.ones(3)}, {}, r"`singular_values\['GRU'\]` has shape \(3,\); expected \(time, units\)"),
        ({"GRU": -POWERS}, {}, "finite and never negative; got -1.0 to -0.0001"),
        ({"GRU": POWERS}, {"against": "time"}, '`against` must be "step" or "lag"; got \'time\''),
        ({"GRU": np.full((2, 3), np.nan)}, {}, "No step is real"),
        ({"GRU": POWERS}, {"mask": [True] * 4}, "`mask` has 4 steps, the values have 5"),
    ],
)
def test_wrong_spectra_are_refused_with_what_to_do(values, change, message):
    with pytest.raises(ValueError, match=message):
        plot_spectrum(values, **change, ax=new_axes())


# ------------------------------------------------------------------------------------------------------- connectivity


def test_the_image_holds_the_connectivity_and_leaves_out_what_is_read_later():
    ax = plot_connectivity(HALVING, ax=new_axes())
    shown = ax.images[-1].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), HALVING == 0)
    np.testing.assert_allclose(shown.compressed(), HALVING[HALVING > 0])
    assert ax.images[-1].norm.vmin == HALVING[5, 0] and ax.images[-1].norm.vmax == 1
    assert ax.get_ylabel() == "state after step s" and ax.get_xlabel() == "time step t"
    assert len(ax.images) == 1


@pytest.mark.parametrize("turned", [False, True], ids=["forward", "backward"])
def test_a_zero_that_could_have_been_something_is_gray(turned):
    values = HALVING.copy()
    values[3:, 1] = 0
    ax = plot_connectivity(values[::-1, ::-1] if turned else values, ax=new_axes())
    gray = ax.images[0].get_array()[..., 3] == 1
    expected = (values == 0) & np.tri(6, dtype=bool)
    np.testing.assert_array_equal(gray, expected[::-1, ::-1] if turned else expected)
    assert "gray: exactly 0" in ax.get_xlabel()


def test_masked_steps_are_absent_and_hatched_in_both_directions():
    mask = np.arange(6) < 4
    ax = plot_connectivity(np.stack([HALVING, 2 * HALVING]), example=1, mask=mask, ax=new_axes())
    shown = ax.images[-1].get_array()
    assert np.ma.getmaskarray(shown)[4:].all() and np.ma.getmaskarray(shown)[:, 4:].all()
    assert shown.max() == 2
    boxes = sorted(box_of(patch)[:2] for patch in ax.patches if patch.get_hatch())
    assert boxes == [(0.0, 3.5), (3.5, 0.0)]


def test_the_scale_covers_so_many_decades_and_says_that_there_is_less():
    small = np.tril(10.0 ** -(3 * np.maximum(np.arange(6)[:, None] - np.arange(6), 0.0)))
    image = plot_connectivity(small, decades=4, ax=new_axes()).images[-1]
    assert image.norm.vmin == pytest.approx(1e-4) and image.norm.vmax == 1
    assert image.colorbar.extend == "min"


@pytest.mark.parametrize(
    ("scale", "limit", "extend"),
    [(1, 8, "neither"), (1, 0.5, "max"), (1e-3, 8, "min"), ([[1]] * 5 + [[1e-4]], 0.5, "both")],
)
def test_with_a_limit_two_pictures_have_one_scale(scale, limit, extend):
    image = plot_connectivity(HALVING * scale, decades=3, limit=limit, ax=new_axes()).images[-1]
    assert image.norm.vmax == limit and image.norm.vmin == pytest.approx(limit / 1000)
    assert image.colorbar.extend == extend


def test_words_stand_along_both_axes():
    words = ["not", "a", "good", "film"]
    ax = plot_connectivity(HALVING, mask=np.arange(6) < 4, tokens=words, ax=new_axes())
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels] == words
    assert ax.get_xlabel() == "token at each time step t"


def test_one_single_value_can_be_drawn():
    plot_connectivity([[3.0]], ax=new_axes()).figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("values", "change", "message"),
    [
        (np.ones((2, 3)), {}, r"`values` has shape \(2, 3\); expected \(time, time\): states s by steps t"),
        (np.ones(3), {}, r"`values` has shape \(3,\); expected \(time, time\)"),
        (-HALVING, {}, "finite and never negative; got -1.0 to"),
        (np.zeros((3, 3)), {}, "No value is above zero"),
        (HALVING, {"decades": 0}, "`decades` must be above zero; got 0"),
        (HALVING, {"limit": 0}, "`limit` must be a number above zero, such as the largest of all values; got 0"),
        (HALVING, {"limit": np.inf}, "`limit` must be a number above zero"),
        (HALVING, {"tokens": ["a"]}, "1 tokens do not fit 6 steps"),
    ],
)
def test_a_wrong_connectivity_is_refused_with_what_to_do(values, change, message):
    with pytest.raises(ValueError, match=message):
        plot_connectivity(values, **change, ax=new_axes())


# -------------------------------------------------------------------------------------------------------- lag profile


@pytest.mark.parametrize("profile", [PROFILE, vars(PROFILE)], ids=["attributes", "keys"])
def test_the_line_is_the_median_and_the_band_the_middle_half(profile):
    ax = plot_lag_profile({"LSTM": profile}, ax=new_axes())
    line = line_of(ax, "LSTM")
    np.testing.assert_array_equal(line.get_xdata(), PROFILE.lag)
    np.testing.assert_array_equal(line.get_ydata(), PROFILE.median)
    assert edges_of(ax.collections[0], 2) == pytest.approx((0.0005, 0.03))
    assert same_color(line.get_color(), CELL_COLORS["lstm"])
    left, right = ax.get_xlim()
    assert left > right and ax.get_yscale() == "log"
    assert "line: median, band: the middle half" in ax.get_xlabel()


def test_a_median_of_exactly_zero_is_marked_and_a_missing_one_is_not():
    holed = SimpleNamespace(**vars(PROFILE) | {"median": np.array([1.0, 0.0, np.nan, 0.0])})
    ax = plot_lag_profile({"LSTM": holed, "GRU": PROFILE}, ax=new_axes())
    assert line_of(ax, "LSTM: exactly 0").get_xdata().tolist() == [1, 3]
    np.testing.assert_array_equal(line_of(ax, "LSTM").get_ydata(), [1, np.nan, np.nan, np.nan])
    assert names_from_below(ax) == ["LSTM", "GRU"]


@pytest.mark.parametrize(
    ("profiles", "message"),
    [
        (PROFILE, "must be a dict such as"),
        ({"LSTM": SimpleNamespace(lag=[0], median=[1])}, r"`profiles\['LSTM'\]` has no low, high; pass a `LagProfile`"),
        ({"LSTM": {"lag": [0, 1], "median": [1], "low": [1], "high": [1]}}, r"must be \(lag,\); got"),
        ({"LSTM": {"lag": [0], "median": [-1], "low": [-1], "high": [1]}}, "finite and never negative"),
    ],
)
def test_wrong_profiles_are_refused_with_what_to_do(profiles, message):
    with pytest.raises(ValueError, match=message):
        plot_lag_profile(profiles, ax=new_axes())
