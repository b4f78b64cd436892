"""Strips of frames and of stick figures: what is shown where, and that everything under them lies frame under frame."""

import io
import time
from itertools import pairwise

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from pictures import line_of, new_axes, texts_of

from rnn_course.plots import figure_grid, plot_frame_strip, plot_frames, plot_pose_strip, plot_poses, plot_recognition
from rnn_course.plots.recognition import OTHERS
from rnn_course.plots.strips import GAP, MOST
from rnn_course.plots.style import DIVERGING, MAGNITUDE, SERIES_COLORS

RNG = np.random.default_rng(4)
CLIP = RNG.integers(0, 256, size=(5, 6, 4), dtype="uint8")  # (time, height, width)
CHANCES = np.array([[0.4, 0.3, 0.3], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.0, 0.9, 0.1]])
STATES = np.tanh(RNG.normal(size=(5, 3)))
BONES = [(0, 1), (1, 2)]
BODY = np.array([[[0.0, 0.0], [1.0, 2.0], [1.0, 4.0]]] * 5) + np.arange(5)[:, None, None] * [3.0, 0.0]  # walks right


def cells_of(image, count):
    """The pictures of a strip, (count, height, width, …), without what is between them, and where each is centered."""
    strip = image.get_array()
    cells = np.split(np.ma.getdata(strip), count, axis=1)
    seen = [~np.ma.getmaskarray(part).all(axis=0) for part in np.split(strip, count, axis=1)]
    left, right = image.get_extent()[:2]
    centers = left + (np.arange(count) + 0.5) * (right - left) / count
    shown = [cell[:, keep] for cell, keep in zip(cells, seen, strict=True)]
    return np.array(shown), centers.tolist()


# --- frames -----------------------------------------------------------------------------------------------------------


def test_frames_stand_side_by_side_each_above_its_number():
    ax = plot_frames(CLIP, ax=new_axes())
    (image,) = ax.images
    frames, centers = cells_of(image, 5)
    np.testing.assert_allclose(frames, CLIP / 255)
    assert centers == pytest.approx([0, 1, 2, 3, 4])
    assert ax.get_xticks().tolist() == [0, 1, 2, 3, 4] and ax.get_xlabel() == "frame"
    assert image.get_clim() == (0, 1) and image.get_cmap().name == "gray" and image.origin == "upper"


def test_pixels_are_square_whatever_the_axes():
    # 5 cells of 4 + 2 pixels each (one white at either side): 6 / 30 of the strip's width is its height.
    for size in ((7, 3), (3.5, 3), (14, 2)):
        ax = plot_frames(CLIP, ax=new_axes(*size))
        ax.figure.draw_without_rendering()
        box = ax.get_window_extent()
        left, right, bottom, top = ax.images[0].get_extent()
        wide, tall = abs(right - left) / np.ptp(ax.get_xlim()), abs(top - bottom) / np.ptp(ax.get_ylim())
        rows, columns = ax.images[0].get_array().shape[:2]
        pixel = np.array([box.width * wide / columns, box.height * tall / rows])
        assert pixel[0] / pixel[1] == pytest.approx(1, rel=0.6)
    assert GAP < 0.05


def test_bytes_fractions_and_a_channel_of_one_are_the_same_picture():
    images = [
        np.ma.getdata(plot_frames(clip, ax=new_axes()).images[0].get_array())
        for clip in (CLIP, CLIP / 255, CLIP[..., None], CLIP.astype(float))
    ]
    for other in images[1:]:
        np.testing.assert_allclose(other, images[0])
    dark = np.zeros((2, 3, 3), "uint8")
    dark[0, 0, 0] = 1  # a byte of 1 is nearly black, not white
    assert np.ma.getdata(plot_frames(dark, ax=new_axes()).images[0].get_array()).max() == pytest.approx(1 / 255)


def test_colored_frames_keep_their_colors_between_white():
    clip = RNG.integers(0, 256, size=(3, 6, 4, 3), dtype="uint8")
    strip = plot_frames(clip, ax=new_axes()).images[0].get_array()
    assert strip.shape == (6, 18, 3)
    np.testing.assert_allclose(strip[:, 1:5], clip[0] / 255)
    np.testing.assert_allclose(strip[:, 7:11], clip[1] / 255)
    assert (strip[:, [0, 5, 6, 11, 12, 17]] == 1).all()


@pytest.mark.parametrize(
    ("count", "every", "shown", "label"),
    [
        (16, None, [*range(16)], "frame"),
        (17, None, [0, 2, 4, 6, 8, 10, 12, 14], "frame, every second is shown"),
        (40, None, [1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34, 37], "frame, every third is shown"),
        (10, 4, [1, 5], "frame, every 4th is shown"),
    ],
)
def test_of_many_frames_the_middle_one_of_each_run_is_shown(count, every, shown, label):
    clip = np.arange(count)[:, None, None] / 100 * np.ones((1, 5, 5))
    ax = plot_frames(clip, every=every, ax=new_axes())
    frames, centers = cells_of(ax.images[0], len(shown))
    np.testing.assert_allclose(frames[:, 0, 0] * 100, shown)
    assert np.abs(np.array(centers) - shown).max() <= 0.5
    assert ax.get_xlim() == (-0.5, count - 0.5) and ax.get_xlabel() == label
    assert set(ax.get_xticks()) <= set(shown) and len(shown) <= MOST


def test_numbers_are_thinned_where_they_would_touch():
    ax = plot_frames(np.zeros((16, 8, 8)), ax=new_axes(2.5))
    ax.figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert 3 <= len(boxes) < 16
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


# --- saliency ---------------------------------------------------------------------------------------------------------


def test_saliency_is_a_second_strip_centered_at_zero():
    counted = RNG.normal(size=CLIP.shape)
    counted[0, 0, 0] = -7
    ax = plot_frames(CLIP, saliency=counted, quantity="gradient", ax=new_axes())
    frames, below = ax.images
    found, centers = cells_of(below, 5)
    np.testing.assert_allclose(found, counted)
    assert centers == pytest.approx(cells_of(frames, 5)[1])
    assert below.get_clim() == (-7, 7) and below.get_cmap() == DIVERGING
    assert [text.get_text() for text in ax.get_yticklabels()] == ["frame", "gradient"]
    assert [text.get_text() for text in below.colorbar.ax.get_yticklabels()] == ["−7", "7"]
    assert frames.get_extent()[2] < below.get_extent()[3]  # counted downward: one ends before the other begins


def test_sizes_go_from_zero_up_and_a_limit_is_shared():
    sizes = np.abs(RNG.normal(size=CLIP.shape))
    below = plot_frames(CLIP, saliency=sizes, ax=new_axes()).images[1]
    assert below.get_clim() == (0, sizes.max()) and below.get_cmap() == MAGNITUDE
    assert plot_frames(CLIP, saliency=sizes, limit=9, ax=new_axes()).images[1].get_clim() == (0, 9)


@pytest.mark.parametrize("every", [None, 2])
def test_a_saliency_that_is_no_number_is_hatched_and_told_where_it_is_shown(every):
    sizes = np.abs(RNG.normal(size=CLIP.shape))
    sizes[1, 2, 3] = np.nan
    ax = plot_frames(CLIP, saliency=sizes, every=every, ax=new_axes())
    shown = every is None
    assert [patch.get_center()[0] for patch in ax.patches if patch.get_hatch()] == [pytest.approx(1)] * shown
    assert ("\nhatched in its frame: not finite" in ax.get_xlabel()) == shown
    assert np.isnan(cells_of(ax.images[1], 5 if shown else 2)[0]).sum() == shown
    assert ax.images[1].get_clim() == (0, np.nanmax(sizes))


# --- poses ------------------------------------------------------------------------------------------------------------


def bones_of(ax, count):
    """The bones that are drawn, (poses, bones, 2 ends, 2)."""
    return np.array(ax.collections[0].get_segments()).reshape(count, -1, 2, 2)


def test_each_pose_is_in_the_middle_of_its_cell_at_one_scale():
    # 1 wide and 4 high: as wide as it may, 0.88 of the cell, it would be 3.5 high; 2.5 cells are the most.
    ax = plot_poses(BODY, BONES, ax=new_axes())
    bones = bones_of(ax, 5)
    scale = 2.5 * 0.88 / 4
    wanted = BODY[0][np.array(BONES)] * scale - [0.5 * scale, 0]
    for pose in range(5):
        np.testing.assert_allclose(bones[pose] - [pose, 0], wanted + np.array([0, 0.06]), atol=1e-9)
    assert ax.get_ylim() == pytest.approx((2.5 * 0.88 + 0.12, 0))  # downward, as in pictures
    assert ax.get_aspect() == 1


def test_a_jump_leaves_the_ground_and_up_can_be_up():
    points = np.zeros((2, 2, 2))
    points[0, :, 1], points[1, :, 1] = [0, 1], [3, 4]
    points[:, 1, 0] = 1
    down, up = (bones_of(plot_poses(points, [(0, 1)], downward=way, ax=new_axes()), 2) for way in (True, False))
    assert down[0, 0, :, 1].max() < down[1, 0, :, 1].min()
    assert up[0, 0, :, 1].min() > up[1, 0, :, 1].max()
    assert down[0, 0, 0, 1] < down[0, 0, 1, 1] and up[0, 0, 0, 1] > up[0, 0, 1, 1]


def test_a_joint_that_was_not_seen_has_no_bones():
    points = BODY.copy()
    points[2, 2] = np.nan
    points[3] = np.nan
    segments = plot_poses(points, BONES, ax=new_axes()).collections[0].get_segments()
    assert len(segments) == 2 + 2 + 1 + 0 + 2 and np.isfinite(segments).all()


def test_what_counts_is_a_dot_on_each_joint_that_is_shown():
    counted = np.arange(15.0).reshape(5, 3) - 7
    ax = plot_poses(BODY, BONES, saliency=counted, quantity="gradient", every=2, ax=new_axes())
    lines, dots = ax.collections
    np.testing.assert_array_equal(dots.get_array(), counted[[0, 2]].ravel())
    joints = bones_of(ax, 2)
    np.testing.assert_allclose(dots.get_offsets()[[0, 1, 3, 4]], joints[:, 0].reshape(4, 2))
    assert dots.get_clim() == (-7, 7) and dots.get_cmap() == DIVERGING
    assert dots.colorbar.ax.get_ylabel() == "gradient"
    assert not same_color(lines.get_color()[0], SERIES_COLORS[0])


def test_a_joint_whose_saliency_is_no_number_has_no_dot_and_the_axis_says_so():
    counted = np.arange(15.0).reshape(5, 3)
    counted[2, 1] = np.nan
    ax = plot_poses(BODY, BONES, saliency=counted, ax=new_axes())
    assert "no dot: not finite" in ax.get_xlabel() and not ax.patch.get_hatch()
    assert np.ma.getmaskarray(ax.collections[1].get_array()).sum() == 1
    elsewhere = plot_poses(BODY, BONES, saliency=counted, every=5, limit=9, ax=new_axes())
    assert "not finite" in elsewhere.get_xlabel()  # the middle one of five is shown
    body = BODY.copy()
    body[2, 1] = np.nan  # where no joint was seen, no dot is missed
    assert "not finite" not in plot_poses(body, BONES, saliency=counted, ax=new_axes()).get_xlabel()


# --- when did it know? ------------------------------------------------------------------------------------------------


def test_every_class_is_a_line_over_frames():
    ax = plot_recognition(CHANCES, labels=["left", "right", "up"], truth=1, ax=new_axes())
    for index, label in enumerate(["left", "right", "up"]):
        line = line_of(ax, label)
        assert line.get_xdata().tolist() == [0, 1, 2, 3, 4]
        np.testing.assert_array_equal(line.get_ydata(), CHANCES[:, index])
    assert ax.get_xlim() == (-0.5, 4.5) and ax.get_ylim()[1] > 1
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("frame", "probability")


def test_the_true_class_and_those_that_were_ahead_are_named():
    ax = plot_recognition(CHANCES, labels=["left", "right", "up"], truth=1, ax=new_axes())
    assert sorted(texts_of(ax)) == ["left", "right (true)"]  # "up" was never ahead
    assert same_color(line_of(ax, "up").get_color(), OTHERS)
    assert line_of(ax, "right").get_linewidth() > line_of(ax, "left").get_linewidth()
    assert sorted(texts_of(plot_recognition(CHANCES, truth=2, ax=new_axes()))) == [
        "class 0",
        "class 1",
        "class 2 (true)",
    ]


def test_five_classes_are_named_at_most_and_the_truth_is_one_of_them():
    chances = np.full((10, 10), 0.04) + 0.6 * np.eye(10)
    texts = texts_of(plot_recognition(chances, truth=9, ax=new_axes()))
    assert len(texts) == 5 and "class 9 (true)" in texts
    colors = [line.get_color() for line in plot_recognition(chances, truth=9, ax=new_axes()).lines]
    assert colors.count(OTHERS) == 5 and len(set(colors)) == 6


# --- strip and panels -------------------------------------------------------------------------------------------------

STRIPS = {
    "frames": lambda count=5, **options: plot_frame_strip(CLIP[np.arange(count) % 5], **options),
    "frames and saliency": lambda count=5, **options: plot_frame_strip(
        CLIP[np.arange(count) % 5], saliency=CLIP[np.arange(count) % 5] - 99.0, **options
    ),
    "poses": lambda count=5, **options: plot_pose_strip(BODY[np.arange(count) % 5], BONES, **options),
}


@pytest.mark.parametrize("draw", STRIPS.values(), ids=STRIPS)
@pytest.mark.parametrize("count", [5, 40])
def test_what_the_network_knew_and_did_lies_frame_under_frame(draw, count):
    knew = {"probabilities": CHANCES[np.arange(count) % 5], "label_names": ["left", "right", "up"], "truth": 1}
    axes = draw(count, **knew, activity=STATES[np.arange(count) % 5], title="Why")
    figure = axes[0].figure
    try:
        figure.draw_without_rendering()
        boxes = [ax.get_window_extent() for ax in axes]
        for ax, box in zip(axes, boxes, strict=True):
            assert (box.x0, box.x1) == pytest.approx((boxes[0].x0, boxes[0].x1), abs=0.5)
            assert ax.get_xlim() == (-0.5, count - 0.5)
        assert boxes[0].y0 > boxes[1].y1 and boxes[1].y0 > boxes[2].y1
        assert [ax.get_xlabel() for ax in axes] == ["", "", "frame"]
        assert [ax.get_title(loc="left") for ax in axes] == ["Why", "", ""]
        assert figure.get_figwidth() == 7 and figure.get_figheight() <= (7.5 if count == 5 else 5)
    finally:
        pyplot.close(figure)


@pytest.mark.parametrize("draw", STRIPS.values(), ids=STRIPS)
def test_a_panel_comes_with_what_it_shows_alone(draw):
    knew, did, alone = Figure().subplots(2), Figure().subplots(2), Figure().subplots()
    assert list(draw(probabilities=CHANCES, label_names=["a", "b", "c"], axes=knew)) == list(knew)
    assert [line.get_label() for line in knew[1].lines] == ["a", "b", "c"]
    assert list(draw(activity=STATES, unit_labels=["unit 3", "unit 5", "unit 8"], axes=did)) == list(did)
    np.testing.assert_allclose(did[1].images[0].get_array(), STATES.T)
    assert [text.get_text() for text in did[1].get_yticklabels()] == ["unit 3", "unit 5", "unit 8"]
    assert did[1].images[0].colorbar.ax.get_ylabel() == "hidden state"
    assert list(draw(axes=alone)) == [alone] and alone.get_xlabel() == "frame"


def test_a_strip_can_be_drawn_beside_another():
    figure, axes = figure_grid(2, 2)
    try:
        plot_frame_strip(CLIP, probabilities=CHANCES, axes=axes[:, 1])
        assert not any(ax.has_data() for ax in axes[:, 0])
    finally:
        pyplot.close(figure)


def test_a_strip_with_both_panels_takes_little_room_and_time():
    clip = np.clip(RNG.normal(8, 8, size=(16, 32, 32)), 0, 255)
    clip[:, 8:24, 14:18] = 240
    chances = RNG.dirichlet(np.ones(10), size=16)
    began = time.process_time()
    axes = plot_frame_strip(clip, probabilities=chances, activity=np.tanh(RNG.normal(size=(16, 32))))
    stream = io.BytesIO()
    try:
        axes[0].figure.savefig(stream, format="png", dpi=110)
    finally:
        pyplot.close(axes[0].figure)
    assert time.process_time() - began < 3
    assert len(stream.getvalue()) < 90_000


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: plot_frames(CLIP[None, ..., None], ax=ax), r"has shape \(1, 5, 6, 4, 1\); .* such as clips\[0\]"),
        (lambda ax: plot_frames(CLIP[..., None] * [1, 1], ax=ax), r"with 1 or 3 channels"),
        (lambda ax: plot_frames(CLIP[:0], ax=ax), "no empty axis"),
        (lambda ax: plot_frames(CLIP - 300.0, ax=ax), "`frames` goes from -.*; expected pixels from 0 to 1, or to 255"),
        (lambda ax: plot_frames(CLIP * np.nan, ax=ax), "`frames` goes from nan"),
        (lambda ax: plot_frames(CLIP, every=6, ax=ax), "`every` is 6; pass a whole number from 1 to the 5 frames"),
        (lambda ax: plot_frames(CLIP, every=0, ax=ax), "`every` is 0"),
        (lambda ax: plot_frames(CLIP, every=1.5, ax=ax), "`every` is 1.5"),
        (lambda ax: plot_frames(CLIP, saliency=CLIP[None], ax=ax), r"has shape \(1, 5, 6, 4\); expected \(5, 6, 4\)"),
        (lambda ax: plot_frames(CLIP, saliency=CLIP * np.nan, ax=ax), "None of the values is finite"),
        (lambda ax: plot_poses(BODY[None], BONES, ax=ax), r"shape \(1, 5, 3, 2\); expected \(time, joints, 2\)"),
        (lambda ax: plot_poses(BODY * np.nan, BONES, ax=ax), "with joints that were seen"),
        (lambda ax: plot_poses(np.where(BODY > 9, np.inf, BODY), BONES, ax=ax), "an infinite place; pass NaN"),
        (lambda ax: plot_poses(BODY, [(0, 3)], ax=ax), r"pairs of joints from 0 to 2; got \[\[0, 3\]\]"),
        (lambda ax: plot_poses(BODY, [0, 1], ax=ax), r"`bones` must be \(bones, 2\)"),
        (lambda ax: plot_poses(BODY, BONES, saliency=CHANCES[:4], ax=ax), r"expected \(5, 3\), a number for each"),
        (lambda ax: plot_recognition(CHANCES * 9 - 4, ax=ax), r"got shape \(5, 3\), .* need a softmax first"),
        (lambda ax: plot_recognition(CHANCES[None], ax=ax), r"\(1, 5, 3\), .* of a batch, pick one example"),
        (lambda ax: plot_recognition(CHANCES, labels=["a"], ax=ax), "There are 3 classes, 1 labels"),
        (lambda ax: plot_recognition(CHANCES, truth=3, ax=ax), "the truth is 3; .* an index from 0 to 2"),
        (lambda ax: plot_frame_strip(CLIP, probabilities=CHANCES[1:], axes=ax), "has 5 frames, `probabilities` has 4"),
        (lambda ax: plot_pose_strip(BODY, BONES, activity=STATES[1:], axes=ax), "has 5 frames, `activity` has 4"),
        (lambda ax: plot_frame_strip(CLIP, activity=STATES, axes=ax), "`axes` holds 1 Axes; pass 2, one for the strip"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_what_to_do(draw, message):
    with pytest.raises(ValueError, match=message):
        draw(new_axes())


def test_units_without_a_name_each_are_refused():
    with pytest.raises(ValueError, match="There are 1 labels for 3 units; pass one for each of them"):
        plot_frame_strip(CLIP, activity=STATES, unit_labels=["a"], axes=Figure().subplots(2))
