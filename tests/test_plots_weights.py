"""Eigenvalues lie where they are in the plane, and the weights of all gates share one scale."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from pictures import new_axes

from rnn_course.plots import plot_eigenvalues, plot_gate_weights
from rnn_course.plots.style import CELL_COLORS, DIVERGING, GATE_COLORS, ink

TURN = np.array([0.8j, -0.8j, 0.5])
WEIGHTS = {
    name: np.arange(6.0).reshape(2, 3) + 10 * place for place, name in enumerate(("update", "reset", "candidate"))
}


def line_of(ax, start):
    (line,) = [line for line in ax.lines if str(line.get_label()).startswith(start)]
    return line


def test_each_eigenvalue_is_a_point_at_its_real_and_imaginary_part():
    ax = plot_eigenvalues({"before": TURN, "after": 1.5 * TURN}, ax=new_axes())
    for label, values in {"before": TURN, "after": 1.5 * TURN}.items():
        points = line_of(ax, label).get_xydata()
        np.testing.assert_array_equal(points, np.stack([values.real, values.imag], axis=1))
        assert line_of(ax, label).get_linestyle() == "None"
    assert line_of(ax, "before").get_marker() != line_of(ax, "after").get_marker()
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["unit circle", "before: radius 0.80", "after: radius 1.20"]


def test_the_unit_circle_is_a_circle_and_all_is_inside_the_picture():
    ax = plot_eigenvalues({"state": 2 * TURN}, ax=new_axes())
    np.testing.assert_allclose(np.hypot(*line_of(ax, "unit circle").get_xydata().T), 1)
    assert ax.get_aspect() == 1
    assert ax.get_xlim() == ax.get_ylim() == pytest.approx((-1.728, 1.728))
    assert plot_eigenvalues({"state": 0.1 * TURN}, ax=new_axes()).get_xlim()[1] > 1


def test_gates_and_cells_have_their_colors_and_a_caller_may_choose_others():
    ax = plot_eigenvalues({"forget": TURN, "LSTM": TURN, "mine": TURN}, colors={"mine": "red"}, ax=new_axes())
    expected = {"forget": GATE_COLORS["forget"], "LSTM": CELL_COLORS["lstm"], "mine": "red"}
    for label, color in expected.items():
        assert same_color(line_of(ax, label).get_color(), color)


@pytest.mark.parametrize(("columns", "side"), [(1, "right"), (2, "below")])
def test_the_names_stand_beside_the_circle_or_below_it_where_that_is_too_narrow(columns, side):
    figure = Figure(figsize=(7, 3), layout="constrained")
    ax = plot_eigenvalues({"before": TURN}, ax=figure.subplots(1, columns, squeeze=False)[0, 0])
    figure.draw_without_rendering()
    circle, names = ax.get_window_extent(), ax.get_legend().get_window_extent()
    assert names.x0 > circle.x1 if side == "right" else names.y1 < circle.y0 and names.x1 < figure.bbox.width / 2
    assert circle.height > 0.4 * figure.bbox.height


@pytest.mark.parametrize(
    ("eigenvalues", "message"),
    [
        (TURN, "`eigenvalues` must be a dict such as .* got ndarray"),
        ({}, "`eigenvalues` must be a dict"),
        (
            {"a": np.zeros((2, 2))},
            r"`eigenvalues\['a'\]` must be \(units,\) finite complex .* shape \(2, 2\)",
        ),
        ({"a": [np.nan]}, "finite complex numbers"),
    ],
)
def test_wrong_eigenvalues_are_refused_with_what_to_do(eigenvalues, message):
    with pytest.raises(ValueError, match=message):
        plot_eigenvalues(eigenvalues, ax=new_axes())


def test_the_gates_stand_side_by_side_in_one_image_on_one_scale():
    ax = plot_gate_weights(WEIGHTS, rows="feature", ax=new_axes())
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), np.concatenate(list(WEIGHTS.values()), axis=1))
    assert image.get_clim() == (-25, 25)
    assert image.get_cmap() is DIVERGING
    assert ax.get_ylabel() == "feature"
    assert "units 0 to 2" in ax.get_xlabel()


def test_each_gate_is_named_in_its_color_below_its_own_part_and_set_apart():
    ax = plot_gate_weights(WEIGHTS, ax=new_axes())
    assert ax.get_xticks().tolist() == [1, 4, 7]
    assert [label.get_text() for label in ax.get_xticklabels()] == list(WEIGHTS)
    for label in ax.get_xticklabels():
        assert same_color(label.get_color(), ink(GATE_COLORS[label.get_text()]))
    assert [line.get_xdata()[0] for line in ax.lines] == [2.5, 5.5]


def test_a_limit_is_heeded_and_a_simple_rnn_has_one_part():
    ax = plot_gate_weights({"state": np.eye(4)}, limit=0.5, ax=new_axes())
    assert ax.images[0].get_clim() == (-0.5, 0.5)
    assert len(ax.lines) == 0
    assert [label.get_text() for label in ax.get_xticklabels()] == ["state"]


@pytest.mark.parametrize(
    ("weights", "change", "message"),
    [
        (np.eye(2), {}, r"`weights` must be a dict of name -> \(rows, units\); got ndarray"),
        ({}, {}, "`weights` must be a dict"),
        ({"input": np.eye(2), "forget": np.eye(3)}, {}, r"\(rows, units\) of one shape; got .*\(2, 2\).*\(3, 3\)"),
        ({"input": np.zeros(2)}, {}, r"got .*\(2,\)"),
        ({"input": np.eye(2)}, {"limit": 0}, "`limit` must be above zero"),
    ],
)
def test_wrong_weights_are_refused_with_what_to_do(weights, change, message):
    with pytest.raises(ValueError, match=message):
        plot_gate_weights(weights, **change, ax=new_axes())
