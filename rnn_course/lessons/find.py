"""Find the lessons: where they lie, what they are called, and which one a learner means."""

import difflib
import re
from pathlib import Path
from typing import NamedTuple

from rnn_course.lessons.sections import plain_text

_SCRIPT_NAME = re.compile(r"(\d\d)_([a-z0-9_]+)")


class Lesson(NamedTuple):
    """One lesson: its stable number, its slug, its title, and the percent script it is written in."""

    number: int
    slug: str
    title: str
    path: Path

    @property
    def name(self) -> str:
        """Number and slug as they stand in file names, such as `06_sentiment`."""
        return f"{self.number:02}_{self.slug}"

    @property
    def plain_title(self) -> str:
        """The title without Markdown's marks, for a terminal."""
        return plain_text(self.title)


def course_folder() -> Path:
    """Return the folder that holds `lessons/`: the clone, or what travels inside the installed wheel."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "shipped"
    return shipped if shipped.is_dir() else package.parent


def find_lessons(folder: Path | None = None) -> tuple[Lesson, ...]:
    """List the lessons in order of their numbers.

    Args:
        folder: where the percent scripts are; the course's own `lessons/` when `None`.

    Returns:
        One `Lesson` per file named `NN_slug.py`; other files are no lessons.
    """
    folder = folder or course_folder() / "lessons"
    scripts = sorted(path for path in folder.glob("*.py") if _SCRIPT_NAME.fullmatch(path.stem))
    return tuple(read_lesson(path) for path in scripts)


def read_lesson(path: Path) -> Lesson:
    """Read number and slug from a script's name, and the title from its first Markdown heading.

    Args:
        path: a percent script named `NN_slug.py`.

    Returns:
        The `Lesson`; a script without a heading takes its slug as its title.

    Raises:
        ValueError: the name is not of the form `NN_slug.py`, or the script is not UTF-8.
    """
    match = _SCRIPT_NAME.fullmatch(path.stem)
    if match is None:
        raise ValueError(f"{path.name!r} is not the name of a lesson; name it NN_slug.py, such as 42_my_text.py.")
    heading = re.search(r"^# # (?:\d+\. *)?(.+)$", script_text(path), re.MULTILINE)
    title = heading[1].strip() if heading else match[2].replace("_", " ")
    return Lesson(int(match[1]), match[2], title, path)


def script_text(path: Path) -> str:
    """Read a percent script.

    Args:
        path: the script.

    Returns:
        Its text, each line ending in a line feed.

    Raises:
        ValueError: its bytes are not UTF-8; names the file and the line.
    """
    content = Path(path).read_bytes()
    try:
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{Path(path).name} is not UTF-8 (line {line}: {error}); save it as UTF-8.") from error


def find_lesson(name: str, folder: Path | None = None) -> Lesson:
    """Find one lesson by what a learner would type.

    Args:
        name: a number (`"6"`, `"06"`), a slug (`"sentiment"`), both (`"06_sentiment"`), or the path of a script
            of your own that is named `NN_slug.py`.
        folder: where the percent scripts are; the course's own `lessons/` when `None`.

    Returns:
        The `Lesson`.

    Raises:
        ValueError: nothing has that name (the message lists the lessons and suggests the nearest), or your own script
            cannot be read.
    """
    if name.endswith(".py") and Path(name).is_file():
        return read_lesson(Path(name).resolve())
    lessons = find_lessons(folder)
    for lesson in lessons:
        if name in (lesson.slug, lesson.name) or (name.isdecimal() and int(name) == lesson.number):
            return lesson
    raise ValueError(_no_such_lesson(name, lessons))


def _no_such_lesson(name: str, lessons: tuple[Lesson, ...]) -> str:
    names = [spelling for lesson in lessons for spelling in (lesson.slug, lesson.name)]
    nearest = difflib.get_close_matches(name.lower().replace("-", "_"), names, n=1)
    suggestion = f"Did you mean {nearest[0]!r}? " if nearest else ""
    known = ", ".join(f"{lesson.number:02} {lesson.slug}" for lesson in lessons) or "none yet"
    return f"There is no lesson {name!r}. {suggestion}The lessons are: {known}."
