"""Gates are drawn with their own colors, between shut and open."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from pictures import line_of, new_axes

from rnn_course.plots import plot_gate_image, plot_gate_saturation, plot_gates
from rnn_course.plots.style import DIVERGING, GATE_COLORS, MAGNITUDE

RNG = np.random.default_rng(1)
GATES = {name: RNG.uniform(size=(2, 5, 4)) for name in ("input", "forget", "output")}
MASK = np.array([[True] * 5, [True, True, True, False, False]])


def test_each_gate_of_a_unit_is_a_line_in_its_color():
    ax = plot_gates(GATES, example=1, unit=2, mask=MASK, ax=new_axes())
    for name, gate in GATES.items():
        np.testing.assert_array_equal(line_of(ax, name).get_ydata(), [*gate[1, :3, 2], np.nan, np.nan])
        assert same_color(line_of(ax, name).get_color(), GATE_COLORS[name])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0 shut", "0.5", "1 open"]
    assert {text.get_text() for text in ax.texts} >= set(GATES)


def test_without_a_unit_the_line_is_the_mean_and_the_band_the_middle_half():
    ax = plot_gates(GATES, ax=new_axes())
    np.testing.assert_allclose(line_of(ax, "forget").get_ydata(), GATES["forget"][0].mean(axis=1))
    assert len(ax.collections) == 3
    low, high = np.percentile(GATES["input"][0], (25, 75), axis=1)
    vertices = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (vertices.min(), vertices.max()) == pytest.approx((low.min(), high.max()))
    assert "mean of 4 units, band: the middle half" in ax.get_xlabel()


def test_the_candidate_is_dashed_and_may_be_negative():
    gates = {"update": GATES["input"], "reset": GATES["forget"], "candidate": 2 * GATES["output"] - 1}
    ax = plot_gates(gates, unit=0, ax=new_axes())
    assert line_of(ax, "candidate").get_linestyle() == "--"
    assert line_of(ax, "update").get_linestyle() == "-"
    assert ax.get_ylim()[0] < -1
    assert plot_gates(GATES, unit=0, ax=new_axes()).get_ylim()[0] > -0.1


def test_one_gate_of_all_units_is_an_image_from_shut_to_open():
    ax = plot_gate_image(GATES["forget"], gate="forget", example=1, mask=MASK, order=[3, 0], ax=new_axes())
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array()[:, :3], GATES["forget"][1].T[[3, 0], :3])
    assert np.ma.getmaskarray(image.get_array())[:, 3:].all()
    assert image.get_clim() == (0, 1)
    assert image.get_cmap() is MAGNITUDE
    assert "forget gate" in ax.figure.axes[1].get_ylabel()


def test_the_candidate_image_is_centered_at_zero():
    (image,) = plot_gate_image(GATES["input"], gate="candidate", ax=new_axes()).images
    assert image.get_clim() == (-1, 1)
    assert image.get_cmap() is DIVERGING


@pytest.mark.parametrize(
    ("gates", "change", "message"),
    [
        ({}, {}, "A SimpleRNN has no gates: trace an LSTM or a GRU"),
        (np.zeros((1, 2, 3)), {}, "must be a dict"),
        ({"forgot": np.zeros((2, 3))}, {}, "'forgot' is not the name of a gate; the names are input, reset"),
        ({"input": np.zeros(3)}, {}, r"`gates\['input'\]` has shape \(3,\)"),
        ({"input": np.zeros((2, 3)), "forget": np.zeros((2, 4))}, {}, "All gates of one cell have the same shape"),
        (GATES, {"unit": 4}, "no unit 4; the gates have units 0 to 3"),
        (GATES, {"example": 5}, "no example 5"),
        (GATES, {"mask": [True]}, "`mask` has 1 steps, the values have 5"),
    ],
)
def test_wrong_gates_are_refused_with_what_to_do(gates, change, message):
    with pytest.raises(ValueError, match=message):
        plot_gates(gates, **change, ax=new_axes())


def test_an_unknown_gate_has_no_image():
    with pytest.raises(ValueError, match="'forgot' is not the name of a gate"):
        plot_gate_image(GATES["input"], gate="forgot", ax=new_axes())


SHUT = {"input": np.array([0.0, 0.5, 0.25]), "forget": np.array([1.0, 0.0, 0.1])}
OPEN = {"input": np.array([0.0, 0.5, 0.5]), "forget": np.array([0.0, 1.0, 0.1])}


def test_each_unit_of_a_gate_is_a_point_at_its_two_shares_in_the_gate_s_color():
    ax = plot_gate_saturation(SHUT, OPEN, thresholds=(0.2, 0.8), ax=new_axes())
    assert [dots.get_label() for dots in ax.collections] == ["input", "forget"]
    for dots, name in zip(ax.collections, SHUT, strict=True):
        np.testing.assert_array_equal(dots.get_offsets(), np.stack([SHUT[name], OPEN[name]], axis=1))
        assert same_color(dots.get_facecolor()[0, :3], GATE_COLORS[name])
    assert "nearly shut (below 0.2)" in ax.get_xlabel()
    assert "open (above 0.8)" in ax.get_ylabel().replace("\n", " ")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["input", "forget"]


def test_the_line_that_no_unit_can_pass_is_drawn():
    ax = plot_gate_saturation(SHUT, OPEN, ax=new_axes())
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 1], [1, 0]])
    for limits in (ax.get_xlim(), ax.get_ylim()):
        assert limits[0] < 0 and limits[1] > 1


def test_half_as_wide_the_label_is_broken_before_its_bracket():
    ax = plot_gate_saturation(SHUT, OPEN, ax=Figure(figsize=(7, 3), layout="constrained").subplots(1, 2)[1])
    assert ax.get_xlabel() == "share of steps nearly shut\n(below 0.1)"


def test_gates_that_look_alike_in_gray_have_different_markers():
    shares = {"input": np.array([0.2]), "forget": np.array([0.2]), "output": np.array([0.2])}
    ax = plot_gate_saturation(shares, shares, ax=new_axes())
    assert len({len(dots.get_paths()[0].vertices) for dots in ax.collections}) == 3


@pytest.mark.parametrize(
    ("shut", "open", "message"),
    [
        (SHUT["input"], OPEN["input"], "must be dicts with the same gates, name -> .* got ndarray and ndarray"),
        (SHUT, {"input": OPEN["input"]}, r"got \['input', 'forget'\] and \['input'\]"),
        ({}, {}, r"must be dicts with the same gates, .* got \[\] and \[\]"),
        ({"forgot": [0.1]}, {"forgot": [0.1]}, "'forgot' is not the name of a gate"),
        ({"input": [0.1]}, {"input": [0.1, 0.2]}, r"The shares of 'input' must be \(units,\); got \(1,\) and \(2,\)"),
        ({"input": [0.6]}, {"input": [0.6]}, "The shares of 'input' must be from 0 to 1, .* together at most 1"),
        ({"input": [-0.1]}, {"input": [0.6]}, "must be from 0 to 1"),
        ({"input": [np.nan]}, {"input": [0.6]}, "must be from 0 to 1"),
    ],
)
def test_wrong_shares_are_refused_with_what_to_do(shut, open, message):
    with pytest.raises(ValueError, match=message):
        plot_gate_saturation(shut, open, ax=new_axes())
