"""`rnn-course doctor`: check this machine, with one small training step."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rnn_course.cli.data import cached_data
from rnn_course.cli.messages import FAILED


def examine(arguments: argparse.Namespace) -> int:
    """Run every check, and print what is well and what to do about what is not."""
    checks = {
        "packages": (check_packages, 'Install again: `pip install "rnn-course"`, or `uv run rnn-course doctor`.'),
        "lessons": (check_lessons, "Install the package again, or clone the repository again."),
        "keras": (check_keras, "Install again; if a GPU driver is in the way, set CUDA_VISIBLE_DEVICES=-1."),
        "cache": (check_cache, "Set RNN_COURSE_DATA to a folder that you may write to."),
        "training": (check_training, "Keras starts but cannot train; install tensorflow and keras again."),
    }
    broken = 0
    for name, (check, advice) in checks.items():
        try:
            print(f"ok      {name:9} {check()}", flush=True)
        except Exception as error:  # whatever is broken is what the doctor is to report
            broken += 1
            print(f"BROKEN  {name:9} {type(error).__name__}: {error}\n{'':18}{advice}", flush=True)
    print("All is well." if not broken else f"{broken} of {len(checks)} checks failed.")
    return FAILED if broken else 0


def check_packages() -> str:
    """Hold the installed versions against what the package asks for."""
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement

    wanted = [Requirement(line) for line in requires("rnn-course") or []]
    for requirement in wanted:
        if requirement.marker is None and version(requirement.name) not in requirement.specifier:
            raise RuntimeError(f"{requirement.name} is {version(requirement.name)}, needed is {requirement.specifier}")
    shown = ("tensorflow", "keras", "numpy", "matplotlib", "rnn-course")
    return ", ".join([f"python {sys.version.split()[0]}", *(f"{name} {version(name)}" for name in shown)])


def check_lessons() -> str:
    """Count the lessons."""
    from rnn_course.lessons import course_folder, find_lessons

    lessons = find_lessons()
    if not lessons:
        raise RuntimeError(f"{course_folder() / 'lessons'} holds no lesson")
    return f"{len(lessons)} in {course_folder() / 'lessons'}"


def check_keras() -> str:
    """Import Keras, and name its backend, its devices and the size of the machine."""
    from rnn_course.lessons import machine_size

    with quiet_stderr():
        import keras

        devices = ", ".join(keras.distribution.list_devices())
    backend = keras.backend.backend()
    tested = "" if backend == "tensorflow" else " (the course is tested on tensorflow)"
    machine = machine_size()
    return f"backend {backend}{tested} on {devices}; {machine['cores']} cores, {machine['memory_gib']} GiB memory"


def check_cache() -> str:
    """See whether data can be stored, or is there already."""
    from rnn_course.data.cache import cache_directory

    folder = cache_directory()
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    cached = cached_data()
    if not writable and not cached:
        raise RuntimeError(f"{folder} cannot be written and holds no data set")
    return f"{folder}, {'writable' if writable else 'read-only'}; cached: {', '.join(cached) or 'nothing yet'}"


def check_training() -> str:
    """Train a small LSTM for one step, and see whether its weights move."""
    import numpy as np

    start = time.perf_counter()
    with quiet_stderr():
        from keras import Sequential, layers

        model = Sequential([layers.Input((10, 3)), layers.LSTM(8), layers.Dense(1)])
        model.compile(optimizer="adam", loss="mse")
        before = [weight.copy() for weight in model.get_weights()]
        loss = model.train_on_batch(np.ones((4, 10, 3), "float32"), np.ones((4, 1), "float32"))
    changed = any((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
    if not (np.isfinite(loss) and changed):
        raise RuntimeError(f"one step gave the loss {loss} and {'changed' if changed else 'left'} the weights")
    return f"one step of a small LSTM, compiled and run in {time.perf_counter() - start:.1f} s"


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what compiled code logs away from the terminal, and show it if the block fails.

    TensorFlow writes its start-up lines past Python, to file descriptor 2, and has no switch for all of them.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as log:
        terminal = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(terminal, log.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
