"""What the machine of a run is: its folders, which no notebook may show, and its size."""

import os
import sys
import tempfile
from pathlib import Path

from rnn_course.lessons.find import course_folder


def machine_places() -> dict[str, str]:
    """Return this machine's own folders and the words that stand for them in a notebook.

    Returns:
        Absolute paths to `.` (the course), `<data>`, `<python>`, `<temporary>` and `~`.
    """
    named = [
        (Path.home(), "~"),
        (Path(tempfile.gettempdir()), "<temporary>"),
        (Path(sys.base_prefix), "<python>"),
        (Path(sys.prefix), "<python>"),
        (course_folder(), "."),
    ]
    if os.environ.get("RNN_COURSE_DATA"):
        named.append((Path(os.environ["RNN_COURSE_DATA"]).expanduser().absolute(), "<data>"))
    named = [(path, word) for path, word in named if len(path.parts) > 1]  # never the root itself
    return {str(spelling): word for path, word in named for spelling in (path, path.resolve())}


def machine_size() -> dict[str, int]:
    """Measure the machine that a run's minutes belong to.

    Returns:
        `cores` that this process may use, and `memory_gib`, the memory in GiB (0 where the system does not tell).
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    known = hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if known else 0
    return {"cores": cores, "memory_gib": round(memory / 2**30)}
