"""A user's own videos: which frames of them, cut how, opened when, and what is said about a broken one."""

import contextlib
import tracemalloc

import av
import numpy as np
import pytest

from rnn_course.data import clip_files, read_clips


def save(path, lights, height=48, width=64):
    """Write a video whose frames are of one gray each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return save_frames(path, [np.full((height, width, 3), light, np.uint8) for light in lights])


def save_frames(path, frames):
    is_gif = path.suffix == ".gif"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("gif" if is_gif else "mpeg4", rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "rgb8" if is_gif else "yuv420p"
        if not is_gif:
            stream.bit_rate = 4_000_000
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    return path


@pytest.fixture
def folder(tmp_path):
    """Three files of "wave" and two of "clap", with something else beside them."""
    for name in ("wave/c.mp4", "wave/a.mp4", "wave/b.GIF", "clap/z.mp4", "clap/y.gif"):
        save((tmp_path / name).with_suffix((tmp_path / name).suffix.lower()), range(20, 220, 10))
    (tmp_path / "wave" / "b.gif").rename(tmp_path / "wave" / "b.GIF")
    (tmp_path / "wave" / "notes.txt").write_text("no video")
    (tmp_path / "wave" / "._a.mp4").write_text("no video")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "readme.md").write_text("no video")
    return tmp_path


def broken(folder):
    (folder / "wave" / "b.GIF").write_bytes(b"GIF89a, and then nothing")


# --- what is found and what is read -----------------------------------------------------------------------------------


def test_classes_and_files_come_in_the_order_of_their_names(folder):
    files = read_clips(folder)
    assert files.label_names == ("clap", "wave")
    assert [path.name for path in files.paths] == ["y.gif", "z.mp4", "a.mp4", "b.GIF", "c.mp4"]
    assert files.labels.tolist() == [0, 0, 1, 1, 1] and len(files) == 5
    assert repr(files) == "ClipFiles(5 files, label_names=('clap', 'wave'))"
    assert [path.name for path in read_clips(str(folder)).paths] == [path.name for path in files.paths]


@pytest.mark.parametrize("name", ["a.mp4", "a.gif"])
def test_frames_are_taken_evenly_from_the_first_to_the_last(tmp_path, name):
    save(tmp_path / "one" / name, range(20, 230, 10))  # 21 frames of 20, 30, … 220
    save(tmp_path / "two" / name, [100])
    clip, label = read_clips(tmp_path, frames=5, size=(16, 16), gray=True)[0]
    assert (clip.shape, clip.dtype, label) == ((5, 16, 16, 1), np.uint8, 0)
    np.testing.assert_allclose(clip.mean(axis=(1, 2, 3)), [20, 70, 120, 170, 220], atol=20 if name == "a.gif" else 4)
    assert clip.std(axis=(1, 2, 3)).max() < 15


def test_a_clip_with_fewer_frames_than_asked_for_shows_some_of_them_again(tmp_path):
    save(tmp_path / "one" / "a.mp4", [50, 100, 200])
    save(tmp_path / "two" / "a.mp4", [100])
    files = read_clips(tmp_path, frames=5)
    np.testing.assert_allclose(files[0][0].mean(axis=(1, 2, 3)), [50, 50, 100, 200, 200], atol=5)
    np.testing.assert_allclose(files[1][0].mean(axis=(1, 2, 3)), [100] * 5, atol=5)


@pytest.mark.parametrize(("height", "width"), [(48, 96), (96, 48)])
def test_what_is_left_over_is_cut_off_and_nothing_is_squeezed(tmp_path, height, width):
    # A red bar in the middle half of the longer side, blue outside of it: the middle square is red alone.
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 2] = 250
    middle = (slice(None), slice(24, 72)) if width > height else (slice(24, 72), slice(None))
    picture[middle] = (250, 0, 0)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_frames(tmp_path / name / "a.mp4", [picture] * 3)
    clip, _ = read_clips(tmp_path, frames=2, size=(24, 24))[0]
    assert clip.shape == (2, 24, 24, 3)
    inner = clip[:, 3:-3, 3:-3].astype(int)
    assert inner[..., 0].min() > 215 and inner[..., 2].max() < 40  # red comes first
    wide, _ = read_clips(tmp_path, frames=2, size=(height // 2, width // 2))[0]
    assert wide.shape == (2, height // 2, width // 2, 3)
    assert (wide[0, 0, 0, 2], wide[0, -1, -1, 2]) > (200, 200) and wide[0, 0, 0, 0] < 40


def test_a_video_that_was_filmed_with_the_telephone_held_upright_is_turned(tmp_path):
    # The file says how it is to be turned, in a matrix: here x = -y, y = x, a quarter clockwise.
    picture = np.full((48, 96, 3), 20, np.uint8)
    picture[:, :24] = 230  # at the left of what is stored, so at the top of what is shown
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = save_frames(tmp_path / name / "a.mp4", [picture] * 3)
    upright, quarter = (b"".join(number.to_bytes(4, "big", signed=True) for number in matrix) for matrix in (
        (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30), (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30),
    ))  # fmt: skip
    content = path.read_bytes()
    place = content.index(upright, content.index(b"tkhd"))
    path.write_bytes(content[:place] + quarter + content[place + len(upright) :])
    files = read_clips(tmp_path, frames=2, size=(64, 32), gray=True)
    shown = files[1][0][0, ..., 0]
    assert shown[:12].min() > 190 and shown[20:].max() < 60
    assert files[0][0].shape == (2, 64, 32, 1) and files[0][0].max() < 60  # not turned: its left is cut off


def test_packets_that_hold_no_picture_do_not_shift_the_choice(folder, monkeypatch):
    # Some formats have more packets than pictures: 25 are counted here, and there are 20.
    expected = read_clips(folder, frames=4)[1][0]
    monkeypatch.setattr(clip_files, "_count_packets", lambda path: 25)
    np.testing.assert_array_equal(read_clips(folder, frames=4)[1][0], expected)


# --- opened only when asked for ---------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """The names of the files in the order in which they are opened."""
    names, truly = [], av.open

    def open_and_note(path, *arguments, **options):
        names.append(str(path).rpartition("/")[2])
        return truly(path, *arguments, **options)

    monkeypatch.setattr(av, "open", open_and_note)
    return names


def test_no_file_is_opened_before_it_is_asked_for(folder, opened):
    files = read_clips(folder)
    assert len(files) == 5 and opened == []
    files[3]
    assert set(opened) == {"b.GIF"}
    batches = files.batches(2)
    assert set(opened) == {"b.GIF"}
    next(batches)
    assert set(opened) == {"b.GIF", "y.gif", "z.mp4"}
    next(batches)
    assert "c.mp4" not in opened and "a.mp4" in opened


def test_no_memory_is_kept_from_batch_to_batch(tmp_path):
    for name in ("one", "two"):
        save(tmp_path / name / "00.mp4", [50, 200])
        content = (tmp_path / name / "00.mp4").read_bytes()
        for number in range(1, 20):
            (tmp_path / name / f"{number:02}.mp4").write_bytes(content)
    files = read_clips(tmp_path, frames=16, size=(64, 64))
    clip = 16 * 64 * 64 * 3  # bytes; all 40 together are 40 times that
    tracemalloc.start()
    for frames, labels in files.batches(2):
        assert (frames.nbytes, len(labels)) == (2 * clip, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 2 * clip < peak < 10 * clip


def test_a_long_video_costs_no_more_memory_than_a_short_one(tmp_path):
    peaks = []
    for number, length in enumerate((20, 400)):
        save(tmp_path / str(number) / "a.mp4", np.linspace(20, 220, length).astype(int).tolist())
    save(tmp_path / "2" / "a.mp4", [20])
    files = read_clips(tmp_path, frames=4, size=(64, 64))
    for number in range(2):
        tracemalloc.start()
        files[number]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_batches_hold_every_file_once_in_order_or_shuffled(folder):
    files = read_clips(folder, frames=3)
    batches = list(files.batches(2))
    assert [len(labels) for _, labels in batches] == [2, 2, 1]
    assert [labels.dtype for _, labels in batches] == [np.int64] * 3
    frames, labels = (np.concatenate(part) for part in zip(*batches, strict=True))
    assert frames.shape == (5, 3, 32, 32, 3) and labels.tolist() == [0, 0, 1, 1, 1]
    for (one, label), other, again in zip(files, frames, labels, strict=True):
        np.testing.assert_array_equal(one, other)
        assert label == again
    orders = [
        np.concatenate([labels for _, labels in files.batches(2, rng=rng)]).tolist()
        for rng in (*range(8), *map(np.random.default_rng, range(8)))
    ]
    assert orders[:8] == orders[8:]  # a seed or its generator
    assert all(sorted(order) == [0, 0, 1, 1, 1] for order in orders) and len(set(map(tuple, orders))) > 2


def test_chosen_files_come_into_memory_as_clips(folder):
    files = read_clips(folder, frames=3)
    clips = files.at([4, 0])
    np.testing.assert_array_equal(clips.frames[1], files[0][0])
    assert clips.labels.tolist() == [1, 0] and clips.truth is None
    assert repr(clips) == "Clips(2 clips of 3 frames, 32 x 32 pixels)"


# --- broken files -----------------------------------------------------------------------------------------------------


BROKEN = {"empty": b"", "words": b"no video", "a huge frame": b"GIF89a, and then nothing", "zeros": b"\0" * 3_000}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named(folder, content):
    (folder / "wave" / "b.GIF").write_bytes(content)
    files = read_clips(folder)
    assert len(files[2]) == 2
    for read in (lambda: files[3], lambda: list(files), lambda: list(files.batches(2)), lambda: files.at([3])):
        with pytest.raises(ValueError, match=r"wave/b\.GIF is no video, or a broken one .*on_error='skip'"):
            read()


def test_a_video_that_is_cut_in_the_middle_is_named(folder):
    content = (folder / "wave" / "a.mp4").read_bytes()
    (folder / "wave" / "a.mp4").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"wave/a\.mp4 is no video, or a broken one"):
        read_clips(folder)[2]


def test_a_sound_file_in_disguise_is_named(folder):
    with av.open(str(folder / "wave" / "a.mp4"), "w") as file:
        stream = file.add_stream("aac", rate=8_000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8_000
        file.mux(stream.encode(sound))
        file.mux(stream.encode())
    with pytest.raises(ValueError, match=r"wave/a\.mp4 is no video, .*it holds no pictures, sound alone perhaps"):
        read_clips(folder)[2]


def test_a_broken_file_is_skipped_with_one_warning_where_that_is_asked_for(folder):
    broken(folder)
    files = read_clips(folder, frames=3, on_error="skip")
    with pytest.warns(UserWarning, match=r"Skipped wave/b\.GIF: wave/b\.GIF is no video") as said:
        batches = list(files.batches(2))
        assert [label for _, label in files] == [0, 0, 1, 1]
        assert len(files.at([2, 3, 4]).labels) == 2
    assert len(said) == 1 and said[0].filename == __file__
    assert [labels.tolist() for _, labels in batches] == [[0, 0], [1, 1]]
    assert list(files.skipped) == ["wave/b.GIF"] and "no video" in files.skipped["wave/b.GIF"]
    with pytest.raises(ValueError, match=r"wave/b\.GIF"):
        files[3]  # asked for by itself, it is never passed over


def test_files_that_are_all_broken_are_an_error_even_where_they_are_skipped(folder):
    for path in read_clips(folder).paths:
        path.write_bytes(b"nothing")
    files = read_clips(folder, on_error="skip")
    for read, count in ((lambda: list(files.batches(2)), 5), (lambda: files.at([1, 2]), 2)):
        said = pytest.warns(UserWarning, match="Skipped") if count == 5 else contextlib.nullcontext()
        with said, pytest.raises(ValueError, match=rf"None of {count} files can be used. The first: .* is no video"):
            read()


# --- folders ----------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*nowhere \(looked in .*holds a folder for each"):
        read_clips(tmp_path / "nowhere")


def test_a_folder_without_class_folders_is_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no class folder. Put the videos of each class into a folder"):
        read_clips(tmp_path)
    save(tmp_path / "a.mp4", [20])
    with pytest.raises(FileNotFoundError, match=r"such as .*/clap and .*/wave"):
        read_clips(tmp_path)


def test_an_empty_class_folder_is_named(folder):
    (folder / "run").mkdir()
    (folder / "run" / "notes.txt").write_text("no video")
    with pytest.raises(FileNotFoundError, match=r"class folder 'run' in .* holds no file that ends in \.mp4, \.gif"):
        read_clips(folder)


def test_one_class_alone_is_refused(tmp_path):
    save(tmp_path / "wave" / "a.mp4", [20])
    with pytest.raises(ValueError, match=r"holds one class only, 'wave'\. Add a folder for a second class"):
        read_clips(tmp_path)


@pytest.mark.parametrize("wrong", [{"frames": 0}, {"size": (0, 32)}, {"size": 32}, {"on_error": "ignore"}])
def test_options_that_make_no_sense_are_refused(folder, wrong):
    with pytest.raises(
        ValueError, match="pass at least 1 frame, a height and a width of at least 1 pixel, and 'raise'"
    ):
        read_clips(folder, **wrong)


def test_an_empty_batch_is_refused(folder):
    with pytest.raises(ValueError, match="A batch of 0 clips is none"):
        next(read_clips(folder).batches(0))


# --- splits -----------------------------------------------------------------------------------------------------------


def test_files_are_split_with_the_same_share_of_every_class_and_none_is_lost(tmp_path):
    for name, count in (("one", 20), ("two", 10), ("three", 3)):
        (tmp_path / name).mkdir()
        for number in range(count):
            (tmp_path / name / f"{number}.mp4").write_bytes(b"")  # nothing is opened
    files = read_clips(tmp_path)
    parts = files.split(seed=1)
    assert files.label_names == ("one", "three", "two")
    assert [np.bincount(part.labels).tolist() for part in parts] == [[14, 1, 7], [2, 1, 1], [4, 1, 2]]
    assert sorted(path for part in parts for path in part.paths) == sorted(files.paths)
    assert all(
        path.parent.name == part.label_names[label]
        for part in parts
        for path, label in zip(part.paths, part.labels, strict=True)
    )
    assert parts[0].paths == files.split(seed=1)[0].paths != files.split(seed=2)[0].paths


def test_shares_and_classes_that_cannot_be_split_are_refused(folder):
    files = read_clips(folder)
    with pytest.raises(ValueError, match="The class 'clap' has 2 files; train, dev and test need one each"):
        files.split()
    with pytest.raises(ValueError, match="pass two shares above 0 whose sum is below 1"):
        files.split(dev=0.5, test=0.5)
