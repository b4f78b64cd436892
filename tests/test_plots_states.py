"""Pictures of hidden states hold the numbers they were handed, in the right place."""

import io
import time

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import box_of

from rnn_course.plots import plot_states, plot_trajectories, plot_unit_over_time
from rnn_course.plots.states import symmetric_limit
from rnn_course.plots.style import DIVERGING

HIDDEN = np.arange(2 * 4 * 3).reshape(2, 4, 3) / 10 - 1.0
MASK = np.array([[True, True, True, False], [True, True, True, True]])


def new_axes(width=7.0):
    return Figure(figsize=(width, 3), dpi=110, layout="constrained").subplots()


def colorbar_of(ax):
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    return bar


def test_the_image_has_a_row_for_each_unit_and_a_column_for_each_step():
    ax = plot_states(HIDDEN, example=1, ax=new_axes())
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), HIDDEN[1].T)


def test_the_scale_is_symmetric_and_says_what_it_measures():
    ax = plot_states(HIDDEN, example=1, quantity="cell state", ax=new_axes())
    assert ax.images[0].get_clim() == pytest.approx((-1.3, 1.3))
    assert ax.images[0].get_cmap() is DIVERGING
    assert colorbar_of(ax).get_ylabel() == "cell state"
    assert ax.get_ylabel() == "unit"
    assert ax.get_xlabel() == "time step"


def test_the_limit_can_be_shared_between_pictures():
    ax = plot_states(HIDDEN, limit=2.5, ax=new_axes())
    assert ax.images[0].get_clim() == (-2.5, 2.5)


def test_masked_steps_are_absent_and_hatched_never_zero():
    ax = plot_states(HIDDEN, example=0, mask=MASK, ax=new_axes())
    shown = ax.images[0].get_array()
    assert np.ma.getmaskarray(shown)[:, 3].all()
    assert not np.ma.getmaskarray(shown)[:, :3].any()
    (patch,) = [patch for patch in ax.patches if patch.get_hatch()]
    assert box_of(patch)[::2] == (2.5, 3.5)


def test_a_step_of_nothing_but_nan_is_masked_too():
    hidden = HIDDEN[0].copy()
    hidden[3] = np.nan
    ax = plot_states(hidden, tokens=["not", "very", "good"], ax=new_axes())
    assert [box_of(patch)[0] for patch in ax.patches if patch.get_hatch()] == [2.5]
    ax = plot_unit_over_time(hidden, ax=new_axes())
    assert {text.get_text() for text in ax.texts} >= {"unit 0", "unit 1", "unit 2"}


def test_a_masked_step_does_not_stretch_the_scale():
    hidden = HIDDEN.copy()
    hidden[0, 3] = 50.0
    assert plot_states(hidden, mask=MASK, ax=new_axes()).images[0].get_clim() == (-1.0, 1.0)


def test_units_are_drawn_in_the_order_that_is_asked_for():
    ax = plot_states(HIDDEN, order=[2, 0], ax=new_axes())
    np.testing.assert_array_equal(ax.images[0].get_array(), HIDDEN[0].T[[2, 0]])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2", "0"]


def test_many_reordered_units_get_no_row_numbers_that_would_be_taken_for_units():
    ax = plot_states(np.zeros((5, 40)), order=np.arange(40)[::-1], ax=new_axes())
    assert len(ax.get_yticks()) == 0
    assert ax.get_ylabel() == "40 units, in the order given"


@pytest.mark.parametrize("words", [["not", "very", "good"], ["not", "very", "good", ""]])
def test_words_stand_under_their_real_steps(words):
    ax = plot_states(HIDDEN, mask=MASK, tokens=words, ax=new_axes())
    assert ax.get_xticks().tolist() == [0, 1, 2]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["not", "very", "good"]


def test_words_follow_left_padding():
    ax = plot_states(HIDDEN, mask=MASK[:, ::-1], tokens=["not", "very", "good"], ax=new_axes())
    assert ax.get_xticks().tolist() == [1, 2, 3]


def test_words_that_look_like_formulas_or_line_breaks_are_shown_as_they_are():
    ax = plot_states(HIDDEN, example=1, tokens=["$x_1$", "\n", " ", "a" * 40], ax=new_axes())
    ax.figure.draw_without_rendering()
    labels = ax.get_xticklabels()
    assert [label.get_text() for label in labels] == ["$x_1$", "↵", "␣", "a" * 13 + "…"]
    assert not any(label.get_parse_math() for label in labels)


def test_too_many_words_are_thinned_and_the_axis_says_so():
    ax = plot_states(np.zeros((100, 2)), tokens=["word"] * 100, ax=new_axes())
    every = int(np.diff(ax.get_xticks())[0])
    assert every > 1
    assert "every" in ax.get_xlabel()


def seconds_and_bytes(draw):
    """Processor seconds to draw into a new Axes and save it, the bytes of the file, and the Axes."""
    start, page = time.process_time(), io.BytesIO()
    ax = new_axes()
    draw(ax)
    ax.figure.savefig(page, format="png")
    return time.process_time() - start, len(page.getvalue()), ax


def test_sixty_four_units_over_two_hundred_steps_are_one_small_quick_image():
    # A state keeps nine tenths of itself at every step, as a trained network's roughly does.
    rng, states = np.random.default_rng(3), np.zeros((200, 64))
    for step in range(1, 200):
        states[step] = 0.9 * states[step - 1] + 0.3 * rng.normal(size=64)
    states = np.tanh(states)

    def plainly(ax):
        ax.set(xlabel="time step", ylabel="unit", title="Sixty-four units")
        ax.figure.colorbar(ax.imshow(states.T, aspect="auto"), ax=ax, label="hidden state")

    ours, plain = [], []
    for _ in range(5):
        ours.append(seconds_and_bytes(lambda ax: plot_states(states, title="Sixty-four units", ax=ax)))
        plain.append(seconds_and_bytes(plainly))
    # A fifth of a second; on a busy machine no more than matplotlib needs for the same picture in the same run.
    assert min(cost[0] for cost in ours) <= max(0.2, min(cost[0] for cost in plain))
    assert max(cost[1] for cost in ours) <= 60_000
    ax = ours[-1][2]
    assert len(ax.images) == 1 and len(ax.figure.axes) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": np.zeros(4)}, r"`hidden` has shape \(4,\); expected \(time, units\).*\(batch, time, units\)"),
        ({"hidden": np.zeros((0, 3))}, "no empty axis"),
        ({"hidden": [[1.0], [1.0, 2.0]]}, "`hidden` must hold numbers in equally long rows"),
        ({"example": 2}, "There is no example 2: `hidden` holds 2 sequences"),
        ({"mask": [True, False]}, "`mask` has 2 steps, the values have 4"),
        ({"mask": np.zeros((2, 4), dtype=bool)}, "No step is real"),
        ({"tokens": ["a", "b"]}, "2 tokens do not fit 4 steps, 4 of them real"),
        ({"order": [0, 3]}, "unit indices from 0 to 2"),
        ({"order": [0.5]}, "unit indices from 0 to 2"),
        ({"limit": 0}, "`limit` must be above zero"),
        ({"hidden": np.full((4, 3), np.nan)}, "No step is real: at each one `mask` is False or every value NaN"),
        ({"hidden": np.full((4, 3), np.inf)}, "None of the values is finite"),
    ],
)
def test_a_wrong_state_picture_is_refused_with_what_to_do(change, message):
    arguments = {"hidden": HIDDEN} | change
    with pytest.raises(ValueError, match=message):
        plot_states(arguments.pop("hidden"), **arguments, ax=new_axes())


def test_a_state_of_zeros_still_has_a_scale():
    assert symmetric_limit(np.zeros(3)) == 1.0


def test_units_over_time_are_lines_that_stop_at_the_mask():
    ax = plot_unit_over_time(HIDDEN[..., :2], mask=MASK, labels=["unit 7", "unit 9"], ax=new_axes())
    lines = [line for line in ax.lines if line.get_label() in ("unit 7", "unit 9")]
    for unit, line in enumerate(lines):
        np.testing.assert_array_equal(line.get_ydata(), [*HIDDEN[0, :3, unit], np.nan])
    assert {text.get_text() for text in ax.texts} >= {"unit 7", "unit 9"}
    assert ax.get_ylabel() == "hidden state"


def test_one_unit_may_be_a_plain_row_of_numbers():
    ax = plot_unit_over_time([0.1, -0.2, 0.3], ax=new_axes())
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [0.1, -0.2, 0.3])


def test_units_and_names_must_be_as_many():
    with pytest.raises(ValueError, match="`labels` has 1 entries for 3 lines"):
        plot_unit_over_time(HIDDEN[0], labels=["unit 7"], ax=new_axes())
    with pytest.raises(ValueError, match="6 lines are more than the 5 colors that can be told apart; draw fewer"):
        plot_unit_over_time(np.zeros((4, 6)), ax=new_axes())


PATHS = [np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]]), np.array([[0.0, 0.0], [-1.0, 0.0], [-1.0, -1.0], [0.0, -3.0]])]


def path_lines(ax):
    return [line for line in ax.lines if line.get_linestyle() == "-"]


def test_a_path_goes_through_its_points_from_a_hollow_to_a_full_circle():
    ax = plot_trajectories(PATHS, labels=["good", "not good"], ax=new_axes())
    for path, line in zip(PATHS, path_lines(ax), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), path)
    circles = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xydata()) == 1]
    starts = [line for line in circles if line.get_markerfacecolor() == "white"]
    ends = [line for line in circles if line.get_markerfacecolor() != "white"]
    assert [line.get_xydata().tolist() for line in starts] == [[[0.0, 0.0]]] * 2
    assert [line.get_xydata().tolist() for line in ends] == [[[1.0, 2.0]], [[0.0, -3.0]]]


def test_arrowheads_stand_in_the_middle_of_each_step_and_point_along_time():
    ax = plot_trajectories(PATHS[:1], labels=["good"], ax=new_axes())
    (arrows,) = ax.collections
    np.testing.assert_array_equal(arrows.get_offsets(), [[0.5, 0.0], [1.0, 1.0]])
    np.testing.assert_array_equal(np.stack([arrows.U, arrows.V], axis=1), [[1, 0], [0, 1]])


def test_masked_steps_are_not_part_of_a_path():
    padded = np.stack([np.vstack([PATHS[0], [[0.0, 0.0]]]), PATHS[1]])
    mask = np.array([[True, True, True, False], [True] * 4])
    ax = plot_trajectories(padded, labels=["good", "not good"], mask=mask, ax=new_axes())
    np.testing.assert_array_equal(path_lines(ax)[0].get_xydata(), PATHS[0])
    padded[0, 3] = np.nan
    ax = plot_trajectories(padded, labels=["good", "not good"], ax=new_axes())
    np.testing.assert_array_equal(path_lines(ax)[0].get_xydata(), PATHS[0])


def test_words_stand_beside_their_steps_and_a_shared_one_is_written_once():
    words = [["a", "plot", "."], ["a", "bad", "plot", "."]]
    ax = plot_trajectories(PATHS, labels=["good", "not good"], tokens=words, ax=new_axes())
    written = {(text.get_text(), tuple(text.xy)) for text in ax.texts}
    assert {("a", (0.0, 0.0)), ("plot", (1.0, 0.0)), ("bad", (-1.0, 0.0)), ("“.”", (1.0, 2.0))} <= written
    assert [text.get_text() for text in ax.texts].count("a") == 1
    assert ("not good", (0.0, -3.0)) in written


def test_no_word_is_written_over_a_path():
    path = np.array([[0.0, 0.0], [1.0, 0.2], [2.0, 0.0], [2.0, 1.0], [1.0, 1.2], [0.0, 1.0]])
    words = [["the", "film", "is", "wonderful", "all", "along"]]
    ax = plot_trajectories([path], labels=["good"], tokens=words, ax=new_axes())
    ax.figure.draw_without_rendering()
    steps = np.linspace(0, 5, 500)
    points = np.stack([np.interp(steps, range(6), path[:, axis]) for axis in (0, 1)], axis=1)
    page = ax.transData.transform(points)
    for text in ax.texts:
        assert not text.get_window_extent().count_contains(page), text.get_text()


def test_a_crowd_of_words_is_thinned_rather_than_written_over_itself():
    rng = np.random.default_rng(0)
    crowd = rng.normal(size=(1, 60, 2)) * 0.01
    ax = plot_trajectories(crowd, labels=["crowd"], tokens=[[f"word{n}" for n in range(60)]], ax=new_axes())
    assert 1 <= len(ax.texts) < 40


def test_a_path_of_one_step_is_a_point():
    ax = plot_trajectories([[[0.5, 0.5]]], labels=["one word"], tokens=[["good"]], ax=new_axes())
    ax.figure.draw_without_rendering()
    assert path_lines(ax)[0].get_xydata().tolist() == [[0.5, 0.5]]


def test_both_axes_have_the_same_scale_and_their_names():
    ax = plot_trajectories(PATHS, labels=["a", "b"], axis_labels=("PC 1 (40 %)", "PC 2 (20 %)"), ax=new_axes())
    assert ax.get_aspect() == 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("PC 1 (40 %)", "PC 2 (20 %)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": np.zeros((2, 4, 3))}, r"must be \(time, 2\); got shape \(4, 3\).*project_states"),
        ({"points": [[[np.nan, 0.0]], [[0.0, 0.0]]]}, "not finite at a real step; only masked steps may hold NaN"),
        ({"labels": ["good"]}, "`labels` has 1 entries for 2 lines"),
        ({"tokens": [["a", "b", "c"]]}, "`tokens` has 1 entries for 2 lines"),
        ({"tokens": [["a"], ["a", "b", "c", "d"]]}, "1 tokens do not fit 3 steps"),
        ({"mask": [[True, True, True]]}, "`mask` has 1 entries for 2 lines"),
    ],
)
def test_wrong_paths_are_refused_with_what_to_do(change, message):
    arguments = {"points": PATHS, "labels": ["good", "not good"]} | change
    with pytest.raises(ValueError, match=message):
        plot_trajectories(arguments.pop("points"), **arguments, ax=new_axes())


def test_a_probe_s_whole_result_is_refused_with_the_names_of_its_parts():
    from rnn_course.probes import GradientFlow, Projection

    projection = Projection(np.zeros((1, 2, 2)), None, "pca")
    flow = GradientFlow(np.zeros((1, 2, 3)), np.ones((1, 2), bool), "hidden", "total", "lstm")
    with pytest.raises(ValueError, match=r"`hidden` is a whole Projection; pass the part .* drawn: \.points\.$"):
        plot_states(projection)
    with pytest.raises(ValueError, match=r"`hidden` is a whole GradientFlow; .*: \.values, \.mask, \.norm\(\)\.$"):
        plot_states(flow)
