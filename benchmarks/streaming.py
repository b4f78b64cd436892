"""What one step of a stream costs, and what it costs after 100,000 steps: everything compared in one run.

    uv run python benchmarks/streaming.py [--repeats 20] [--steps 100000]

The model: LSTM(128) on eight numbers a step, Dense(1), one stream, NumPy arrays in and out. The ways to take a step
take turns, a burst of calls each, so that a busy moment of the machine hits them all; medians over all calls are
printed. The other stream is a causal Transformer of as many weights, with a key-value cache, in NumPy as well.

NumPy's products get one thread: at this size a second one has nothing to do but wait. OPENBLAS_NUM_THREADS, if set, is
left as it is.
"""

import argparse
import os
import platform
import resource
import tempfile
import time
from pathlib import Path
from statistics import median

from quiet import without_stderr

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


with without_stderr():
    import keras
    import numpy as np
    import tensorflow as tf

    from rnn_course.streaming import CausalTransformer, NumpyStream, Stream, export_weights

UNITS, FEATURES = 128, 8
SLOW, QUICK = 2, 50  # calls in a burst
RNG = np.random.default_rng(0)


def build(*, stateful):
    keras.utils.set_random_seed(0)
    recurrent = keras.layers.LSTM(UNITS, return_sequences=True, stateful=stateful)
    return keras.Sequential(
        [keras.Input(batch_shape=(1 if stateful else None, None, FEATURES)), recurrent, keras.layers.Dense(1)]
    )


def on_device(model):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        export_weights(model, path)
        return NumpyStream.load(path)


def going_on(stream):
    """A function of x that takes one step and keeps the state, as a program that listens would."""
    state = stream.initial_state()

    def step(x):
        nonlocal state
        y, state = stream.step(x, state)
        return y

    return step


def ways_of_one_step():
    """Name -> (function of one step's numbers, calls in a burst); all have the same weights and carry a state."""
    stateful, model = build(stateful=True), build(stateful=False)
    model.set_weights(stateful.get_weights())
    quick, jitted = tf.function(stateful), tf.function(stateful, jit_compile=True)
    return {
        "model.predict, stateful": (lambda x: stateful.predict(x[None, None], verbose=0), SLOW),
        "model(x), stateful": (lambda x: stateful(x[None, None]).numpy(), SLOW),
        "model.predict_on_batch, stateful": (lambda x: stateful.predict_on_batch(x[None, None]), QUICK),
        "tf.function, stateful": (lambda x: quick(tf.constant(x[None, None])).numpy(), QUICK),
        "tf.function, jitted, stateful": (lambda x: jitted(tf.constant(x[None, None])).numpy(), QUICK),
        "Stream.step": (going_on(Stream(model)), QUICK),
        "NumpyStream.step": (going_on(on_device(model)), QUICK),
    }


def microseconds(functions, x, repeats):
    """Name -> the median of all calls; each turn is a burst of each function, the first of which is not counted."""
    took = {name: [] for name in functions}
    for turn in range(1 + repeats):
        for name, (function, burst) in functions.items():
            for _ in range(burst):
                begin = time.perf_counter()
                function(x)
                if turn:
                    took[name].append(time.perf_counter() - begin)
    return {name: 1e6 * median(values) for name, values in took.items()}


def compare_ways(repeats):
    took = microseconds(ways_of_one_step(), RNG.normal(size=FEATURES).astype("float32"), repeats)
    quickest = took["NumpyStream.step"]
    print(f"{'one step of LSTM(128)':<40} {'µs':>10} {'× NumpyStream':>14}")
    for name, micros in took.items():
        print(f"{name:<40} {micros:>10.1f} {micros / quickest:>14.1f}")
    verdict = "pass" if quickest <= 30 else "miss"
    print(f"{'target: NumpyStream.step':<40} {'≤ 30':>10} {verdict:>14}\n", flush=True)


def in_chunks(stream, pieces):
    """What a stream says about some pieces, one after the other."""
    state, said = stream.initial_state(), []
    for piece in pieces:
        y, state = stream.run(piece, state)
        said.append(y)
    return np.concatenate(said)


def compare_chunks(steps, repeats):
    model = build(stateful=False)
    x = RNG.normal(size=(steps, FEATURES)).astype("float32")
    whole = model.predict(x[None], verbose=0)[0]
    ways = {"model.predict of the whole": lambda _: model.predict(x[None], verbose=0)[0]}
    for name, stream in (("Stream.run", Stream(model)), ("NumpyStream.run", on_device(model))):
        for chunk in (10, 100, 1000, steps):
            pieces = np.split(x, range(chunk, steps, chunk))
            ways[f"{name}, {chunk:,}"] = lambda _, stream=stream, pieces=pieces: in_chunks(stream, pieces)
    apart = {name: np.abs(way(x) - whole).max() for name, way in ways.items()}  # and compiled, before the clock runs
    took = microseconds({name: (way, 1) for name, way in ways.items()}, x, repeats)
    print(f"{f'{steps:,} steps in chunks of':<40} {'µs a step':>10} {'apart from whole':>17}")
    for name, micros in took.items():
        print(f"{name:<40} {micros / steps:>10.1f} {apart[name]:>17.0e}")
    verdict = "pass" if max(apart.values()) <= 1e-6 else "miss"
    print(f"{'target: apart from the whole by':<40} {'':>10} {'≤ 1e-6':>17} {verdict}\n", flush=True)


def listen_long(stream, lengths, window=100):
    """Length -> (microseconds, bytes) of a recurrent stream, and by how much the process grew on the way."""
    state, took = stream.initial_state(), np.ones(max(lengths))
    inputs = RNG.normal(size=(len(took), FEATURES)).astype("float32")
    found, before = {}, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for t, x in enumerate(inputs):
        begin = time.perf_counter()
        _, state = stream.step(x, state)
        took[t] = time.perf_counter() - begin
        if t + 1 in lengths:
            found[t + 1] = 1e6 * median(took[max(0, t + 1 - window) : t + 1]), state.nbytes
    return found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before


def look_back_far(net, lengths, window=50):
    """Length -> (microseconds, bytes of the cache) of the Transformer; it comes to each length in blocks."""
    cache, found = net.initial_cache(), {}
    for length in lengths:
        window = min(window, length - cache.length)
        net.prefill(RNG.normal(size=(length - cache.length - window, FEATURES)), cache)
        took = []
        for x in RNG.normal(size=(window, FEATURES)):
            begin = time.perf_counter()
            net.step(x, cache)
            took.append(time.perf_counter() - begin)
        found[length] = 1e6 * median(took), cache.nbytes
    return found


def compare_lengths(steps):
    model = build(stateful=False)
    net = CausalTransformer(features=FEATURES, width=64, heads=4, hidden=416, outputs=1, rng=RNG)
    lengths = [length for length in (100, 1_000, 10_000, 100_000) if length < steps] + [steps]
    recurrent, grown = listen_long(on_device(model), lengths)
    attention = look_back_far(net, lengths)
    print(
        f"LSTM(128): {model.count_params():,} weights; Transformer, 1 layer of 64, 4 heads: {net.parameters:,} weights"
    )
    print(
        f"{'at step':<12} {'LSTM µs':>10} {'bytes':>8} {'Transformer µs':>16} {'bytes':>12} {'µs / µs':>9} {'bytes':>9}"
    )
    for length in lengths:
        (one, little), (other, much) = recurrent[length], attention[length]
        print(f"{length:<12,} {one:>10.1f} {little:>8,} {other:>16.1f} {much:>12,}", end="")
        print(f" {other / one:>9.1f} {much / little:>9,.0f}")
    flat = recurrent[lengths[-1]][0] / recurrent[lengths[0]][0]
    print(f"LSTM: a step at {lengths[-1]:,} / at {lengths[0]:,}: {flat:.2f}; the process grew by {grown:,} (ru_maxrss)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20, help="turns that the medians are taken over")
    parser.add_argument("--steps", type=int, default=100_000, help="how long the longest stream is")
    arguments = parser.parse_args()
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, TensorFlow {tf.__version__}"
    print(f"{os.cpu_count()} cores, {versions}, NumPy's threads: {os.environ['OPENBLAS_NUM_THREADS']}\n")
    compare_ways(arguments.repeats)
    compare_chunks(min(3_000, arguments.steps), max(1, arguments.repeats // 5))
    compare_lengths(arguments.steps)


if __name__ == "__main__":
    main()
