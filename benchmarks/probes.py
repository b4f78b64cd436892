"""What the probes cost, beside one compiled pass of the same model: every ratio measured side by side in one run.

    uv run python benchmarks/probes.py [--repeats 30] [--cold]

The model: Embedding(1000, 64), one recurrent layer of 64 units, Dense(1); a batch holds 32 sequences, where Jacobians
are asked for one. The things that are compared take turns, so that a busy moment of the machine hits them all, and
their medians are printed.

A process that has held one larger array, such as any data set, keeps its pages, and the probes' fresh arrays of a few
megabytes cost nothing to come by; so the benchmark holds one first. In a process that has not (`--cold`) every such
array is new to the operating system, and the probes pay for its page faults.
"""

import argparse
import os
import platform
import time
from functools import partial
from statistics import median

import numpy as np
from quiet import without_stderr

BATCH, TIME, UNITS, VOCABULARY = 32, 100, 64, 1000


with without_stderr():
    import keras
    import tensorflow as tf

    from rnn_course.probes import connectivity, gradient_flow, jacobian_spectrum, trace

LAYERS = {
    "LSTM": lambda: keras.layers.LSTM(UNITS),
    "GRU": lambda: keras.layers.GRU(UNITS),
    "SimpleRNN": lambda: keras.layers.SimpleRNN(UNITS),
    "Bidirectional LSTM": lambda: keras.layers.Bidirectional(keras.layers.LSTM(UNITS)),
}


def build_classifier(name):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(VOCABULARY, UNITS),
            LAYERS[name](),
            keras.layers.Dense(1),
        ]
    )
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def batch_of(steps):
    rng = np.random.default_rng(0)
    return rng.integers(1, VOCABULARY, (BATCH, steps)), rng.integers(0, 2, (BATCH, 1)).astype("float32")


def compiled_passes(model, tokens, targets):
    """The model's own forward pass, and forward with backward over its weights, compiled, as functions of nothing."""
    tokens, targets = tf.constant(tokens), tf.constant(targets)

    @tf.function
    def forward():
        return model(tokens, training=False)

    @tf.function
    def forward_backward():
        with tf.GradientTape() as tape:
            loss = model.loss(targets, model(tokens, training=False))
        return tape.gradient(loss, model.trainable_variables)

    return forward, forward_backward


def naive_gradients(model, tokens, targets):
    """∂L/∂h_t the slow way: unroll the layer's cell under one tape, then ask it once for every step."""
    embedding, layer, head = model.layers
    with tf.GradientTape(persistent=True) as tape:
        vectors = embedding(tokens)
        states, hidden = layer.get_initial_state(len(tokens)), []
        for t in range(vectors.shape[1]):
            output, states = layer.cell(vectors[:, t], states)
            hidden.append(output)
        loss = model.loss(targets, head(output))
    return np.stack([tape.gradient(loss, state) for state in hidden], axis=1)


def naive_spectrum(model, tokens):
    """Singular values of ∂h_T/∂h_t the slow way: unroll the cell under one tape, then ask it once for every unit."""
    embedding, layer, _ = model.layers
    with tf.GradientTape(persistent=True) as tape:
        vectors = embedding(tokens)
        states, hidden = layer.get_initial_state(1), []
        for t in range(vectors.shape[1]):
            output, states = layer.cell(vectors[:, t], states)
            hidden.append(output)
        last = [output[0, unit] for unit in range(UNITS)]
    rows = np.array([[gradient[0] for gradient in tape.gradient(unit, hidden)] for unit in last], "float64")
    return np.linalg.svd(rows.swapaxes(0, 1), compute_uv=False)  # of (time, units, units)


def naive_connectivity(model, tokens, unit):
    """‖∂h_s/∂x_t‖ of one unit the slow way: call Keras' layer under one tape, then ask it once for every s."""
    embedding, layer, _ = model.layers
    every_step = type(layer).from_config(layer.get_config() | {"return_sequences": True})
    vectors = embedding(tokens)
    every_step.build(vectors.shape)
    every_step.set_weights(layer.get_weights())
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(vectors)
        states = every_step(vectors)
        read = [states[0, s, unit] for s in range(tokens.shape[1])]
    return np.linalg.norm([tape.gradient(one, vectors)[0] for one in read], axis=-1)


def medians(functions, repeats, *, warm_up=2):
    """Milliseconds of each function, the median of `repeats` turns after some to warm up."""
    seconds = {name: [] for name in functions}
    for turn in range(warm_up + repeats):
        for name, function in functions.items():
            begin = time.perf_counter()
            function()
            if turn >= warm_up:
                seconds[name].append(time.perf_counter() - begin)
    return {name: 1e3 * median(values) for name, values in seconds.items()}


def row(what, probe, own, target=None):
    verdict = "" if target is None else "pass" if probe / own <= target else "miss"
    asked = "" if target is None else f"≤ {target:g}"
    print(f"{what:<62} {probe:>9.1f} {own:>8.1f} {probe / own:>7.2f}  {asked:<6} {verdict}".rstrip(), flush=True)


def within(what, took, limit):
    print(f"{what:<62} {took:>9.1f} {'':>8} {'':>7}  ≤ {limit:g} ms {'pass' if took <= limit else 'miss'}", flush=True)


def compare_with_compiled(name, repeats):
    model, (tokens, targets) = build_classifier(name), batch_of(TIME)
    forward, forward_backward = compiled_passes(model, tokens, targets)
    took = medians(
        {
            "forward": forward,
            "forward + backward": forward_backward,
            "trace": partial(trace, model, tokens),
            "gradient_flow": partial(gradient_flow, model, tokens, targets),
        },
        repeats,
    )
    row(f"{name}: gradient_flow(total) / forward + backward", took["gradient_flow"], took["forward + backward"], 1.5)
    row(f"{name}: trace with all gates / forward", took["trace"], took["forward"], 2)


def compare_lengths(short, long, repeats):
    model = build_classifier("LSTM")
    took = medians({steps: partial(gradient_flow, model, *batch_of(steps)) for steps in (short, long)}, repeats)
    growth = long / short
    row(f"LSTM: gradient_flow, T = {long} / T = {short}", took[long], took[short], growth)
    each = ", ".join(f"{1e3 * took[steps] / steps:.0f} µs at T = {steps}" for steps in (short, long))
    print(f"{'':<4}a step takes {each}")


def compare_with_naive(repeats):
    model, (tokens, targets) = build_classifier("LSTM"), batch_of(TIME)
    naive = partial(naive_gradients, model, tokens, targets)
    quick = partial(gradient_flow, model, tokens, targets)
    took = medians({"naive": naive, "quick": quick}, repeats, warm_up=1)
    row(f"LSTM: {TIME} tape gradients, one a step / gradient_flow", took["naive"], took["quick"])
    apart = np.abs(naive() - quick().values).max() / np.abs(quick().values).max()
    print(f"{'':<4}they differ by {apart:.0e} of the largest gradient")


def compare_jacobians(repeats):
    model, unit = build_classifier("LSTM"), 3
    one = batch_of(TIME)[0][:1]
    quick = {
        "jacobian_spectrum": partial(jacobian_spectrum, model, one),
        "hutchinson": partial(jacobian_spectrum, model, one, method="hutchinson"),
        "connectivity": partial(connectivity, model, one, readout=unit),
    }
    slow = {
        "jacobian_spectrum": partial(naive_spectrum, model, one),
        "connectivity": partial(naive_connectivity, model, one, unit),
    }
    took = medians(quick, repeats)
    within("LSTM: jacobian_spectrum of one sequence", took["jacobian_spectrum"], 25)
    within("LSTM: connectivity of one unit in one sequence", took["connectivity"], 30)
    row("LSTM: jacobian_spectrum, hutchinson / exact", took["hutchinson"], took["jacobian_spectrum"])
    for name, count in (
        ("jacobian_spectrum", f"{UNITS} tape gradients, one a unit"),
        ("connectivity", f"{TIME}, one a step"),
    ):
        turns = medians({"slow": slow[name], "quick": quick[name]}, max(1, repeats // 15), warm_up=1)
        row(f"LSTM: {count} / {name}", turns["slow"], turns["quick"])
    known = [quick["jacobian_spectrum"]().singular_values[0], quick["connectivity"]().values[0]]
    found = [slow["jacobian_spectrum"](), slow["connectivity"]()]
    apart = max(np.abs(one - other).max() / other.max() for one, other in zip(found, known, strict=True))
    print(f"{'':<4}they differ by {apart:.0e} of the largest value")


def compare_lengths_of_jacobians(short, long, repeats):
    model = build_classifier("LSTM")
    for name, probe, growth in (
        ("jacobian_spectrum", jacobian_spectrum, long / short),
        ("connectivity", partial(connectivity, readout=0), (long / short) ** 2),
    ):
        took = medians({steps: partial(probe, model, batch_of(steps)[0][:1]) for steps in (short, long)}, repeats)
        row(f"LSTM: {name}, T = {long} / T = {short}", took[long], took[short], growth)


def hold_one_large_array():
    """Take and give back 30 MB, after which the C library keeps the pages of smaller arrays."""
    np.ones(30_000_000, np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=30, help="turns that the medians are taken over")
    parser.add_argument("--cold", action="store_true", help="do not hold a large array first")
    arguments = parser.parse_args()
    repeats = arguments.repeats
    if not arguments.cold:
        hold_one_large_array()
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, TensorFlow {tf.__version__}"
    print(f"{os.cpu_count()} cores, {versions}")
    memory = "cold" if arguments.cold else "warm"
    print(f"batch {BATCH}, T = {TIME}, {UNITS} units; medians of {repeats} turns, {memory} memory\n")
    print(f"{'a / b':<62} {'a, ms':>9} {'b, ms':>8} {'ratio':>7}  target")
    for name in LAYERS:
        compare_with_compiled(name, repeats)
    compare_lengths(50, 400, max(3, repeats // 2))
    compare_with_naive(max(1, repeats // 15))
    compare_jacobians(repeats)
    compare_lengths_of_jacobians(100, 400, max(3, repeats // 2))


if __name__ == "__main__":
    main()
