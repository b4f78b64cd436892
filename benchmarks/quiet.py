"""What the benchmarks share: TensorFlow imported without its greeting."""

import contextlib
import os


@contextlib.contextmanager
def without_stderr():
    """TensorFlow's greeting goes round sys.stderr, so the file descriptor itself is turned away."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
