"""Pictures that move: as many frames as records, small enough for a notebook, and nothing left behind."""

import base64
import re

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from PIL import Image

from rnn_course.plots import AnimatedPicture, animate_gradient_flow
from rnn_course.plots.style import CELL_COLORS

# One cell whose gradient is the same at each lag, a decade larger at each record; the score halves meanwhile.
RISING = {"LSTM": np.repeat(10.0 ** np.arange(-3, 1), 5).reshape(4, 5)}
SCORES = {"LSTM": [0.8, 0.4, 0.2, 0.1]}


@pytest.fixture(scope="module")
def rising():
    """The picture of the two above; making one takes seconds."""
    return animate_gradient_flow(RISING, scores=SCORES, baseline=0.8, title="a < b")


def frames_of(picture, folder):
    """The frames as arrays (frames, height, width, 3), and how long each is shown, in milliseconds."""
    with Image.open(picture.save(folder / "picture.gif")) as image:
        frames, times = [], []
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")))
            times.append(image.info["duration"])
        assert image.info["loop"] == 0
    return np.array(frames), times


def height_of(color, frame, columns):
    """Mean row of the pixels of a color within some columns, counted from the foot of the picture."""
    near = np.abs(frame[:, columns] / 255 - to_rgb(color)).max(axis=2) < 0.06
    return len(frame) - np.nonzero(near)[0].mean()


def test_each_record_is_a_frame_and_the_last_stays_for_two_seconds(rising, tmp_path):
    frames, times = frames_of(rising, tmp_path)
    assert rising.frames == len(frames) == 4
    assert times == [250, 250, 250, 2000]
    assert frames.shape[1:] == (276, 644, 3)


def test_the_line_rises_by_the_same_height_for_every_decade(rising, tmp_path):
    frames, _ = frames_of(rising, tmp_path)
    heights = [height_of(CELL_COLORS["lstm"], frame, slice(100, 300)) for frame in frames]
    rises = np.diff(heights)
    assert (rises > 30).all() and np.ptp(rises) < 2


def test_the_score_falls_to_the_right_while_the_axes_stay(rising, tmp_path):
    frames, _ = frames_of(rising, tmp_path)
    near = [np.abs(frame[:, 460:] / 255 - to_rgb(CELL_COLORS["lstm"])).max(axis=2) < 0.06 for frame in frames]
    assert (np.diff([np.nonzero(pixels)[1].max() for pixels in near]) > 20).all()
    lowest = [np.nonzero(pixels)[0].max() for pixels in near]
    assert lowest == sorted(lowest) and lowest[0] < lowest[-1] - 30
    changed = (np.ptp(frames.astype(int), axis=0) > 60).any(axis=2)  # less comes from each frame's own 256 colors
    assert changed.any()
    assert not changed[-20:].any() and not changed[:, :30].any()  # the labels of the axes


def test_a_notebook_shows_the_picture_no_wider_than_its_page(rising):
    shown = rising._repr_html_()
    alt, data = re.fullmatch(
        r'<img alt="(.*)" style="width:644px;max-width:100%" src="data:image/gif;base64,(.*)">', shown
    ).groups()
    assert alt == "a &lt; b (LSTM; epoch 0 to 3)"
    assert base64.b64decode(data) == rising.gif
    assert repr(rising) == "AnimatedPicture(frames=4, alt='a < b (LSTM; epoch 0 to 3)')"


def test_thirty_frames_of_three_cells_and_two_hundred_steps_fit_into_a_notebook(tmp_path):
    rng = np.random.default_rng(0)
    weights = np.linspace([0.7, 0.8, 0.85], [0.8, 0.99, 1.0], 30).T[:, :, None, None]
    norms = weights ** np.arange(200)[::-1] * np.exp(rng.normal(0, 0.5, (3, 30, 16, 200)))
    names = ("SimpleRNN", "GRU", "LSTM")
    scores = {name: np.exp(-np.arange(30) / 10) + rng.normal(0, 0.01, 30) for name in names}
    picture = animate_gradient_flow(dict(zip(names, norms, strict=True)), scores=scores, baseline=1.0, title="Opening")
    assert len(picture.gif) < 600_000
    assert len(frames_of(picture, tmp_path)[0]) == 30


def test_nothing_is_left_behind_and_no_setting_changed():
    settings, figures = dict(matplotlib.rcParams), pyplot.get_fignums()
    animate_gradient_flow({"LSTM": RISING["LSTM"][:2]})
    assert dict(matplotlib.rcParams) == settings and pyplot.get_fignums() == figures


def test_one_record_and_scores_that_are_not_all_finite_are_drawn(tmp_path):
    one = animate_gradient_flow({"LSTM": RISING["LSTM"][:1]}, scores={"LSTM": [2.0]}, unit="batch")
    assert one.frames == 1 and "batch 0 to 0" in one.alt
    norms = np.where(np.arange(3)[:, None] < 2, RISING["LSTM"][:3], np.nan)
    lost = animate_gradient_flow({"LSTM": norms}, scores={"LSTM": [1.0, np.nan, np.inf]})
    assert lost.frames == len(frames_of(lost, tmp_path)[0]) == 3


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"scores": {"GRU": [1] * 4}}, r"`scores` has the labels \['GRU'\], `histories` has \['LSTM'\]; pass the same"),
        ({"scores": {"LSTM": [1, 2]}}, r"`scores\['LSTM'\]` has shape \(2,\); expected \(4,\), one number for each"),
        ({"scores": {"LSTM": [np.nan] * 4}}, "None of the `scores` is finite"),
        ({"epochs": [3, 2, 1, 0]}, "`epochs` must be 4 growing numbers"),
    ],
)
def test_wrong_scores_are_refused_with_what_to_do(asked, message):
    with pytest.raises(ValueError, match=message):
        animate_gradient_flow(RISING, **asked)


def test_a_picture_is_saved_as_what_it_is(tmp_path):
    picture = AnimatedPicture(b"GIF89a", frames=1, alt="nothing")
    assert picture.save(tmp_path / "a.gif").read_bytes() == b"GIF89a"
    with pytest.raises(ValueError, match=r"ends in \.gif, not 'a\.png'"):
        picture.save(tmp_path / "a.png")
