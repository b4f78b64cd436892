"""Your own videos: a folder with a folder of video files for each class, read from disk clip by clip."""

import warnings
from collections.abc import Iterator, Sequence
from operator import index
from pathlib import Path

import numpy as np

from rnn_course.data.motions import Clips

MOST_PIXELS = 8_192 * 8_192  # of a frame; a broken file can claim any size, and would be given the memory
ENDINGS = (".mp4", ".gif", ".avi", ".mov", ".mkv", ".webm")


class ClipFiles:
    """Video files with one class each, opened only when a clip is asked for, and never two at once.

    `len` counts the files; `files[3]` reads one, `(frames, label)`. A loop over it and `batches` read one after
    another; with `on_error="skip"` they leave broken files out, warn once of each, and note it in `skipped`.

    Attributes:
        paths: the files, class by class, in the order of their names.
        labels: `(batch,)` int64, the class index of each.
        label_names: the names of the class folders, sorted.
        skipped: the files that turned out to be broken, by name, each with the reason.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        labels: Sequence[int],
        label_names: Sequence[str],
        *,
        frames: int,
        size: tuple[int, int],
        gray: bool,
        on_error: str,
    ):
        """Keep the paths and how to read them; nothing is opened."""
        self.paths, self.label_names = tuple(paths), tuple(label_names)
        self.labels = np.array(labels, np.int64)
        self.skipped: dict[str, str] = {}
        self._form = {"frames": frames, "size": size, "gray": gray}
        self._on_error = on_error

    def __repr__(self) -> str:
        """Return a short form that names the classes."""
        names = str(self.label_names) if len(self.label_names) <= 5 else f"({len(self.label_names)} classes)"
        return f"ClipFiles({len(self):,} files, label_names={names})"

    def __len__(self) -> int:
        """Count the files, broken ones included."""
        return len(self.paths)

    def __getitem__(self, place: int) -> tuple[np.ndarray, int]:
        """Read one file: `(time, height, width, channels)` uint8, and its label; ValueError where it is broken."""
        path = self.paths[index(place)]
        return _read_clip(path, f"{path.parent.name}/{path.name}", **self._form), int(self.labels[place])

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        """Read all files in order, a `(frames, label)` each; broken ones are left out where that was asked for."""
        yield from self._read(range(len(self)))

    def at(self, indices: Sequence[int]) -> Clips:
        """Read the files at some indices into memory.

        Args:
            indices: `(count,)` positions, in the order wanted.

        Returns:
            `Clips` without truth; fewer than were asked for where broken files are skipped.

        Raises:
            ValueError: where a file is broken; with "skip", where all of them are.
        """
        found = list(self._read(indices))
        if not found:
            raise ValueError(f"None of {len(indices)} files can be used. {self._first_reason(indices)}")
        return Clips(*_stack(found))

    def batches(
        self, size: int, *, rng: np.random.Generator | int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read all files once, a batch at a time; only one batch is in memory.

        Args:
            size: how many clips are in a batch, at least 1; the last one may be smaller.
            rng: shuffles the files, a generator or a seed for one; in the order of the files where it is `None`.

        Yields:
            Frames, `(batch, time, height, width, channels)` uint8, and labels, `(batch,)` int64.

        Raises:
            ValueError: where `size` is less than 1 or a file is broken; with "skip", where all of them are.
        """
        if size < 1:
            raise ValueError(f"A batch of {size} clips is none; pass a `size` of at least 1.")
        order = np.arange(len(self)) if rng is None else np.random.default_rng(rng).permutation(len(self))
        batch: list[tuple[np.ndarray, int]] = []
        found = 0
        for clip in self._read(order):
            batch.append(clip)
            if len(batch) == size:
                found += size
                yield _stack(batch)
                batch = []
        if batch:
            yield _stack(batch)
        elif not found:
            raise ValueError(f"None of {len(self)} files can be used. {self._first_reason(order)}")

    def split(
        self, *, dev: float = 0.1, test: float = 0.2, seed: int = 0
    ) -> tuple["ClipFiles", "ClipFiles", "ClipFiles"]:
        """Deal the files out to train, dev and test with the same share of every class; nothing is read.

        Clips that were cut from one recording look alike. Keep such files in a folder of their own for the test and
        read that folder by itself: this method cannot know.

        Args:
            dev: share of every class for dev, above 0; at least one file is taken.
            test: share of every class for test, likewise.
            seed: of the shuffle; the same seed gives the same splits with every version of NumPy.

        Returns:
            Train, dev and test.

        Raises:
            ValueError: where the shares leave nothing for train, or a class has fewer than three files.
        """
        if not (dev > 0 and test > 0 and dev + test < 1):
            raise ValueError(f"dev={dev} and test={test}; pass two shares above 0 whose sum is below 1, such as 0.1.")
        rng, parts = np.random.RandomState(seed), ([], [], [])  # its streams are frozen
        for label, name in enumerate(self.label_names):
            members = rng.permutation(np.flatnonzero(self.labels == label))
            if len(members) < 3:
                raise ValueError(
                    f"The class {name!r} has {len(members)} files; train, dev and test need one each. Add files."
                )
            for_test = min(max(1, round(test * len(members))), len(members) - 2)
            for_dev = min(max(1, round(dev * len(members))), len(members) - 1 - for_test)
            cuts = np.split(members, [len(members) - for_test - for_dev, len(members) - for_test])
            for part, chosen in zip(parts, cuts, strict=True):
                part += chosen.tolist()
        return tuple(self._only(sorted(part)) for part in parts)

    def _only(self, indices: Sequence[int]) -> "ClipFiles":
        paths, labels = [self.paths[place] for place in indices], self.labels[list(indices)]
        return ClipFiles(paths, labels, self.label_names, on_error=self._on_error, **self._form)

    def _read(self, indices: Sequence[int]) -> Iterator[tuple[np.ndarray, int]]:
        """Read files one by one."""
        for place in indices:
            try:
                clip = self[place]
            except ValueError as error:
                if self._on_error == "raise":
                    raise
                self._note(self.paths[place], str(error))
            else:
                yield clip

    def _note(self, path: Path, reason: str) -> None:
        name = f"{path.parent.name}/{path.name}"
        if name not in self.skipped:
            self.skipped[name] = reason
            warnings.warn(f"Skipped {name}: {reason}", stacklevel=4)

    def _first_reason(self, indices: Sequence[int]) -> str:
        reasons = [self.skipped.get(f"{path.parent.name}/{path.name}") for path in (self.paths[i] for i in indices)]
        return next((f"The first: {reason}" for reason in reasons if reason), "Pass at least one index.")


def read_clips(
    folder: str | Path,
    *,
    frames: int = 16,
    size: tuple[int, int] = (32, 32),
    gray: bool = False,
    on_error: str = "raise",
) -> ClipFiles:
    """Find your own videos, a folder with a folder of files for each class; a file is opened only when it is asked for.

    Every clip becomes as long as the others: `frames` of its frames are taken, evenly spread from the first to the
    last, some of them several times where it has fewer. Each is scaled until it covers `size`, and what is left over is
    cut off at both sides, or above and below, so that nothing is squeezed. Sound is left out.

    Args:
        folder: such as "videos", with videos/clap/a.mp4, videos/wave/b.gif. Files whose names do not end in .mp4, .gif,
            .avi, .mov, .mkv or .webm, and those that begin with a dot, are left out.
        frames: how many frames a clip has.
        size: their height and width in pixels.
        gray: whether colors become one gray channel instead of three (red, green, blue).
        on_error: what a loop, `batches` and `at` do with a broken file: "raise", or "skip" it with a warning.

    Returns:
        A `ClipFiles`: `len(files)`, `files[index]`, `files.batches(32)`, `files.split()`.

    Raises:
        FileNotFoundError: where there is no such folder, no class folder in it, or no video in a class folder.
        ValueError: where there is only one class, or an option makes no sense.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name, light in (("dark", 20), ("light", 220)):
        ...         Path(folder, name).mkdir()
        ...         Image.new("L", (64, 48), light).save(Path(folder, name, "mine.gif"))
        ...     files = read_clips(folder, frames=4, size=(24, 24), gray=True)
        ...     clip, label = files[1]
        >>> files, clip.shape, files.label_names[label]
        (ClipFiles(2 files, label_names=('dark', 'light')), (4, 24, 24, 1), 'light')
    """
    sizes = (frames, *size) if isinstance(size, tuple | list) and len(size) == 2 else (0,)
    if min(sizes) < 1 or on_error not in ("raise", "skip"):
        raise ValueError(
            f"frames={frames}, size={size}, on_error={on_error!r}; pass at least 1 frame, a height and a width of at "
            "least 1 pixel, and 'raise' or 'skip'."
        )
    found = _class_folders(Path(folder))
    paths = [path for files in found.values() for path in files]
    labels = [label for label, files in enumerate(found.values()) for _ in files]
    return ClipFiles(paths, labels, tuple(found), frames=frames, size=tuple(size), gray=gray, on_error=on_error)


def _class_folders(folder: Path) -> dict[str, list[Path]]:
    """Return the video files of each class folder, both in the order of their names."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"There is no folder {folder} (looked in {Path.cwd()}). Pass a folder that holds a folder for each class."
        )
    inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not inside:
        raise FileNotFoundError(
            f"The folder {folder} holds no class folder. Put the videos of each class into a folder of its own, such "
            f"as {folder.name}/clap and {folder.name}/wave."
        )
    found = {path.name: _videos(path) for path in inside}
    empty = [name for name, files in found.items() if not files]
    if empty:
        raise FileNotFoundError(
            f"The class folder {empty[0]!r} in {folder} holds no file that ends in {', '.join(ENDINGS)}. Add one, or "
            "remove the folder."
        )
    if len(found) == 1:
        raise ValueError(
            f"The folder {folder} holds one class only, {inside[0].name!r}. Add a folder for a second class: there is "
            "nothing to tell apart."
        )
    return found


def _videos(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    )


def _read_clip(path: Path, name: str, *, frames: int, size: tuple[int, int], gray: bool) -> np.ndarray:
    """Read some frames of a video, `(frames, height, width, channels)` uint8, or raise a ValueError that names it."""
    import av

    try:
        count, taken = _count_packets(path), {}
        while not taken:
            wanted = np.linspace(0, max(count - 1, 0), frames).round().astype(int).tolist()
            taken, seen = _take(path, set(wanted), size, gray)
            if seen <= wanted[-1]:  # fewer pictures than packets: spread anew over those that there are
                count, taken = seen, {}
            if not seen:
                raise ValueError("it holds no picture")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ValueError(
            f"{name} is no video, or a broken one ({error}). Export it again, or pass on_error='skip'."
        ) from error
    return np.stack([taken[place] for place in wanted])


def _count_packets(path: Path) -> int:
    """Count the packets of the first video stream; nothing is decoded. As a rule there is one for each frame."""
    import av

    with av.open(str(path)) as file:
        if not file.streams.video:
            raise ValueError("it holds no pictures, sound alone perhaps")
        stream = file.streams.video[0]
        if stream.codec_context is None:
            raise ValueError("its pictures are packed in a way that nobody here knows")
        if stream.width * stream.height > MOST_PIXELS:
            raise ValueError(f"its frames would be of {stream.width:,} x {stream.height:,} pixels")
        return sum(packet.size > 0 for packet in file.demux(stream))


def _take(path: Path, wanted: set[int], size: tuple[int, int], gray: bool) -> tuple[dict[int, np.ndarray], int]:
    """Decode up to the last frame that is wanted; return these by their numbers, and how many were decoded."""
    import av

    taken, seen = {}, 0
    with av.open(str(path)) as file:
        for seen, frame in enumerate(file.decode(file.streams.video[0]), start=1):
            if seen - 1 in wanted:
                taken[seen - 1] = _fit(frame, size, gray)
            if seen > max(wanted):
                break
    return taken, seen


def _fit(frame, size: tuple[int, int], gray: bool) -> np.ndarray:
    """Scale a frame until it covers `size` and cut its middle out: `(height, width, channels)` uint8."""
    quarters = round(frame.rotation / 90)  # counterclockwise: what a telephone that was held upright asks for
    height, width = size if quarters % 2 == 0 else size[::-1]
    scale = max(height / frame.height, width / frame.width)
    high, wide = max(height, round(frame.height * scale)), max(width, round(frame.width * scale))
    scaled = frame.reformat(width=wide, height=high, format="gray" if gray else "rgb24", interpolation="AREA")
    pixels = scaled.to_ndarray().reshape(high, wide, -1)
    top, left = (high - height) // 2, (wide - width) // 2
    return np.rot90(pixels[top : top + height, left : left + width], quarters).copy()


def _stack(batch: list[tuple[np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray]:
    frames, labels = zip(*batch, strict=True)
    return np.stack(frames), np.array(labels, np.int64)
