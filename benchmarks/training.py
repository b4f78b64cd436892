"""What a training step of a recurrent layer costs: Keras' own layer, the fused one and PyTorch's, side by side.

    uv run python benchmarks/training.py [--cells LSTM GRU] [--units 64 128 256 512] [--times 20 100 400]
                                         [--batches 16 64 256] [--seconds 4] [--picture training.png]

A step: a layer reads (batch, time, 64) random numbers, the mean square of all its outputs is the loss, and gradients
are taken of the input and of all weights.

    stock      the Keras layer in a `tf.function`
    jit        the same, compiled by XLA
    fused      `rnn_course.layers.Fused…` in a `tf.function`
    torch      `torch.nn.LSTM` or `GRU`, where PyTorch is installed, in a process of its own
    floor      the multiplications of the step at the rate of one large matrix product on this machine

The ways take turns, so that a busy moment of the machine hits them all. A turn is as many steps as fit into 50 ms, at
least one; where there are several, as in training, the first does not count, because it finds the cores as another way
left them. Each way is warmed up before. Milliseconds are medians. The last lines are geometric means of ratios: how
many times as long as the fused layer the others take.

PyTorch without CUDA is installed by `uv pip install --torch-backend cpu -e ".[torch]"`. Let nothing else run beside it.
"""

import argparse
import importlib.util
import itertools
import multiprocessing
import os
import time
from statistics import geometric_mean, median

from quiet import without_stderr

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # XLA tells of itself when it is used first
FEATURES = 64
GATES = {"LSTM": 4, "GRU": 3}
WAYS = ("stock", "jit", "fused", "torch")
TURN = 0.05  # seconds


def tensorflow_step(way, cell, units, steps, batch):
    """A function without arguments that takes one training step."""
    with without_stderr():
        import keras
        import tensorflow as tf

        from rnn_course import layers
    kind = getattr(layers, f"Fused{cell}") if way == "fused" else getattr(keras.layers, cell)
    keras.utils.set_random_seed(0)
    layer, inputs = kind(units, return_sequences=True), tf.random.normal((batch, steps, FEATURES))
    layer.build(inputs.shape)
    weights = [variable.value for variable in layer.trainable_variables]

    @tf.function(jit_compile=way == "jit")
    def step(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_mean(tf.square(layer(inputs, training=True)))
        return [loss, *tape.gradient(loss, [inputs, *weights])]

    return lambda: step(inputs)[0].numpy()


def answer_with_torch(pipe, cell, units, steps, batch):
    """Take a training step with PyTorch whenever something comes through the pipe, and send back its seconds."""
    import torch

    layer = getattr(torch.nn, cell)(FEATURES, units, batch_first=True)
    inputs = torch.randn(batch, steps, FEATURES, requires_grad=True)
    while pipe.recv():
        started = time.perf_counter()
        layer(inputs)[0].square().mean().backward()
        layer.zero_grad()
        inputs.grad = None
        pipe.send(time.perf_counter() - started)


def torch_seconds(cell, *sizes):
    """A function that has PyTorch take one step and returns its seconds, and one that ends it."""
    ours, theirs = multiprocessing.Pipe()
    worker = multiprocessing.get_context("spawn").Process(target=answer_with_torch, args=(theirs, cell, *sizes))
    worker.start()

    def once():
        ours.send(True)
        return ours.recv()

    return once, lambda: ours.send(False)


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def turn(once):
    """Call what returns the seconds of a step until a turn is over; return those that count."""
    taken, started = [once()], time.perf_counter()
    while time.perf_counter() - started < TURN:
        taken.append(once())
    return taken[1:] or taken


def compare(cell, units, steps, batch, longest):
    """Let the ways take turns for some seconds; return the median milliseconds of each."""
    ways, ends = {}, []
    for way in WAYS[:3]:
        step = tensorflow_step(way, cell, units, steps, batch)
        ways[way] = lambda step=step: seconds(step)
    if importlib.util.find_spec("torch"):
        ways["torch"], end = torch_seconds(cell, units, steps, batch)
        ends.append(end)
    for once in ways.values():
        once()
        once()
    times, started = {way: [] for way in ways}, time.perf_counter()
    while len(times["fused"]) < 3 or time.perf_counter() - started < longest:
        for way, once in ways.items():
            times[way] += turn(once)
    for end in ends:
        end()
    return {way: 1e3 * median(taken) for way, taken in times.items()}


def multiplications_a_second(size=2_048):
    """The rate of one large matrix product on this machine."""
    with without_stderr():
        import tensorflow as tf
    square = tf.random.normal((size, size))
    work = tf.function(lambda: tf.matmul(square, square))
    work()
    return size**3 / median(seconds(work) for _ in range(15))


def floor_of(cell, units, steps, batch, rate):
    """Milliseconds that the multiplications of a step take at a rate: each kernel there, and twice on the way back."""
    return 1e3 * 3 * batch * steps * GATES[cell] * units * (FEATURES + units) / rate


def shown(milliseconds):
    """Milliseconds as text, with three digits or more."""
    return f"{milliseconds:.2f}" if milliseconds < 10 else f"{milliseconds:.1f}"


def picture(rows, rate, path):
    """Draw how much of the rate of one large product each way reaches, one panel a cell, one point a size."""
    from rnn_course.plots import figure_grid
    from rnn_course.plots.style import BASELINE_STYLE, SERIES_COLORS

    cells = list(dict.fromkeys(size[0] for size, _ in rows))
    figure, axes = figure_grid(1, len(cells), width=3.6 * len(cells), row_height=3.0, sharey=True)
    for ax, cell in zip(axes.flat, cells, strict=True):
        sizes = [(floor_of(*size, rate), found) for size, found in rows if size[0] == cell]
        for way, color, mark in zip(WAYS, SERIES_COLORS, "os^D", strict=False):
            points = [(floor * rate / 1e12, 100 * floor / found[way]) for floor, found in sizes if way in found]
            ax.scatter(*zip(*points, strict=True), s=16, color=color, marker=mark, alpha=0.8, label=way)
        best = max(floor / found["fused"] for floor, found in sizes)
        ax.axhline(100, **BASELINE_STYLE)
        ax.set_title(f"{cell}: fused reaches up to {best:.0%}")
        ax.set(xscale="log", xlabel="multiplications of a step (billions)", ylim=(0, 105))
    axes.flat[0].set_ylabel("% of the rate of one large product")
    axes.flat[-1].legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=110, bbox_inches="tight")


def summary(name, rows):
    """One line on how many times as long as the fused layer the others take."""
    keras = [min(found["stock"], found["jit"]) / found["fused"] for found in rows]
    torch = [found["torch"] / found["fused"] for found in rows if "torch" in found]
    line = f"{name}: the better of stock and jit {geometric_mean(keras):.2f} times as long, at least {min(keras):.2f}"
    return line + (f"; torch {geometric_mean(torch):.2f}, at least {min(torch):.2f}" if torch else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=list(GATES), choices=list(GATES))
    for name, sizes in (("units", [64, 128, 256, 512]), ("times", [20, 100, 400]), ("batches", [16, 64, 256])):
        parser.add_argument(f"--{name}", nargs="+", type=int, default=sizes)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--picture")
    options = parser.parse_args()
    rate, rows = multiplications_a_second(), []
    print("| cell | units | time | batch | stock ms | jit ms | fused ms | torch ms | floor ms |\n" + "|---" * 9 + "|")
    for size in itertools.product(options.cells, options.units, options.times, options.batches):
        found = compare(*size, longest=options.seconds)
        rows.append((size, found))
        cells = [*map(str, size), *(shown(found[way]) if way in found else "–" for way in WAYS)]
        print("| " + " | ".join([*cells, shown(floor_of(*size, rate))]) + " |", flush=True)
    print()
    for cell in (*options.cells, "all"):
        print(summary(cell, [found for size, found in rows if cell in ("all", size[0])]))
    if options.picture:
        picture(rows, rate, options.picture)


if __name__ == "__main__":
    main()
