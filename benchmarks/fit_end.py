"""How long `fit` goes on after its last batch, by what it is given: arrays, a generator, or `dataset_of` the generator.

    uv run python benchmarks/fit_end.py [--fits 30] [--batches 100]

The ways take turns, so that a busy moment of the machine hits them all. What is counted is the time from the end of
training, as a callback is told of it, to the return of `fit`. `rnn_course/feeding.py` says where it comes from.
"""

import argparse
import time

from quiet import without_stderr

with without_stderr():
    import keras
    import numpy as np
    import tensorflow as tf

    from rnn_course.feeding import dataset_of

BATCH, LATE = 64, 0.05  # seconds from which on an end is late
ROWS = np.random.default_rng(0).random((100 * BATCH, 20, 8), "float32")
SUMS = ROWS.sum(axis=(1, 2))


class End(keras.callbacks.Callback):
    """Notes when training begins and ends."""

    def on_train_begin(self, logs=None):
        """Note the time."""
        self.began = time.perf_counter()

    def on_train_end(self, logs=None):
        """Note the time."""
        self.ended = time.perf_counter()


def endless():
    """Yield batches, (batch, 20, 8) and (batch,), in order, for ever."""
    while True:
        for start in range(0, len(ROWS), BATCH):
            yield ROWS[start : start + BATCH], SUMS[start : start + BATCH]


def ways(batches):
    """What `fit` is given in each way."""
    rows = batches * BATCH
    return {
        "arrays": lambda: {"x": np.resize(ROWS, (rows, 20, 8)), "y": np.resize(SUMS, rows), "batch_size": BATCH},
        "generator": lambda: {"x": endless(), "steps_per_epoch": batches},
        "dataset_of": lambda: {"x": dataset_of(endless()), "steps_per_epoch": batches},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=30, help="how often each way is taken")
    parser.add_argument("--batches", type=int, default=100, help="batches of one training")
    arguments = parser.parse_args()
    model = keras.Sequential([keras.Input((20, 8)), keras.layers.GRU(64), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    given = ways(arguments.batches)
    seconds = {name: [] for name in given}  # of training, and after it
    for _ in range(arguments.fits + 1):
        for name, arrays in given.items():
            end = End()
            model.fit(**arrays(), shuffle=False, verbose=0, callbacks=[end])
            seconds[name].append((end.ended - end.began, time.perf_counter() - end.ended))
    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, {arguments.batches} batches a fit")
    for name, rows in seconds.items():
        training, after = np.array(rows[1:]).T
        print(
            f"{name:10} training {training.mean():.2f} s, late in {np.sum(after > LATE)} of {len(after)} fits, "
            f"by {after.mean():.2f} s on average and {after.max():.2f} s at most"
        )


if __name__ == "__main__":
    main()
