# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 16. The network that never stops listening
#
# A network was trained on windows of two hundred values from a machine's sensor. Now it is to listen to the machine for a year.
# A value arrives; before the next one comes, an answer must be out: what do you expect, how sure are you, and did what came
# surprise you? There is no last value, and nobody will ever hand the network "the sequence".
#
# Three guesses, in writing, before anything runs. How long does one step take, in microseconds, if you call `model.predict` for
# it, and how long if you write the step out in NumPy? What does step 100,000 cost, compared with step 10? And does a network that
# never saw more than two hundred steps in a row still work there, or has its state drifted off by then?
#
# **You will**
#
# - turn a trained model into a function `y, state = step(x, state)`, and cut a stream anywhere without changing what is said;
# - make one step more than a thousand times faster without changing what it computes;
# - run it where TensorFlow cannot be imported, pull the plug in the middle, and go on as if nothing had happened;
# - measure 100,000 steps against a Transformer of equal size: time, memory, and from which length it matters;
# - watch it raise alarms at changes nobody told it about, and find the kind of change that it cannot hear;
# - wipe its memory at a change, and see when a memory is a burden.
#
# Minutes on two CPU cores: one to run, forty-five to read. The data are generated: nothing is downloaded.

# %% [markdown]
# ## Set-up
#
# In Colab the first cell installs the course beside the TensorFlow that is already there; on your own machine it only
# imports.

# %%
import keras

try:
    import rnn_course
except ImportError:
    # %pip install -q --no-deps "git+https://github.com/rnn-course/rnn_course@v0.1.0"
    import rnn_course
print(f"rnn_course {rnn_course.__version__}, Keras {keras.__version__}")

# %% [markdown]
# `WINDOW` is all the network ever sees at once in training, `LONG` is how far it must go afterwards. `FAST` shrinks the run for
# tests.

# %% tags=["parameters"]
SOURCE = "auto"  # nothing is loaded here: the sensor is the course's own
FAST = False
SEED = 0
UNITS = 128
WINDOW, WINDOWS = 200, 1_500  # steps of one training window, and how many windows
EPOCHS, BATCH, RATE = 16, 32, 5e-3
LONG = 100_000  # steps of the stream that is listened to
LAGS = 32  # values that the baseline looks back

# %% [markdown]
# ## A sensor that changes its manner without saying so
#
# The sensor is ours, so that the truth is known. It stands still, swings, drifts or turns rough; each of these *regimes* lasts some
# hundred steps, then another begins, at a *change point* that the data do not mark. Now and then a single value is a spike that
# means nothing. Three streams are drawn: one to train on, one to set thresholds by, one to report on.

# %%
import time

import numpy as np

from rnn_course.data import make_sensor_stream

began = time.perf_counter()
if FAST:
    WINDOW, WINDOWS, EPOCHS, LONG = 100, 64, 1, 6_000
SIZES = (WINDOWS * WINDOW + 1, LONG, LONG + 1)
train, tune, test = (make_sensor_stream(steps, rng=np.random.default_rng([SEED, i])) for i, steps in enumerate(SIZES))
for name, stream in (("train", train), ("tune", tune), ("test", test)):
    print(f"{name:5} {len(stream.values):7,} steps, {len(stream.changes):5,} changes, {stream.spikes.sum():4} spikes")
print(f"a regime of the test stream lasts {np.diff(test.changes).mean():.0f} steps on average")

# %% [markdown]
# Look at it before you model it: a stretch of the test stream in which all four kinds occur. Dashed lines are the change points; the
# names above them are the truth, which no forecast below is told. **Cover the names** and find the changes by eye: which kind of change
# do you find at once, and which do you miss?

# %%
from itertools import pairwise

from rnn_course.plots.style import axes_or_new, label_axes

kinds_after = [len(set(test.regime[test.changes[i : i + 5]])) for i in range(len(test.changes) - 5)]
first = test.changes[int(np.argmax(kinds_after))]  # five regimes, all four kinds among them
stretch = slice(max(0, int(first) - 100), int(first) + 1_200)
ax = axes_or_new(height=2.8)
ax.plot(np.arange(stretch.start, stretch.stop), test.values[stretch], color="#222222", linewidth=0.6)
edges = [stretch.start, *test.changes[(test.changes > stretch.start) & (test.changes < stretch.stop)], stretch.stop]
for start, stop in pairwise(edges):
    ax.axvline(start, color="#555555", linestyle="--", linewidth=0.9)
    ax.text((start + stop) / 2, 1.02, test.regimes[test.regime[start]], transform=ax.get_xaxis_transform(), ha="center")
ax.set_xlim(stretch.start, stretch.stop)
label_axes(ax, x="time step", y="sensor")

# %% [markdown]
# ## The honest baselines: the last value, a line, and a line that watches its own errors
#
# A forecast here is a mean and a spread, and its cost is the *surprise* at what then came, $-\ln p$ in nats: a forecast pays for
# being wrong, and for being unsure when it need not be. The last value is the simplest forecast. Better: a weighted sum of the last
# values, the weights by least squares (an autoregressive model, AR). Its spread is constant, or else it follows the last errors,
# which costs one more line and is a strong idea.


# %%
def nats(values, mean, spread):
    """Surprise at values under normal forecasts, in nats; all of the same shape."""
    return 0.5 * ((values - mean) / spread) ** 2 + np.log(spread) + 0.5 * np.log(2 * np.pi)


def fit_line(values, lags):
    """Weights of the `lags` values before, the oldest first, and a constant: (lags + 1,)."""
    past = np.lib.stride_tricks.sliding_window_view(values[:-1], lags)  # (steps - lags, lags)
    return np.linalg.lstsq(np.column_stack([past, np.ones(len(past))]), values[lags:], rcond=None)[0]


def follow_line(values, line):
    """Means for every value but the first `lags`, which stand for themselves: (steps,)."""
    lags = len(line) - 1
    past = np.lib.stride_tricks.sliding_window_view(values[:-1], lags)
    return np.concatenate([values[:lags], past @ line[:-1] + line[-1]])


# %% [markdown]
# The spread that follows: a running mean of the squared errors, in which each error counts a little less with every step. How
# much less is chosen on the stream for tuning.


# %%
def moving_spread(errors, start, keep):
    """Root of the running mean of squared errors, before each of them is seen: (steps,)."""
    variances, variance = np.empty(len(errors)), start**2
    for t, error in enumerate(errors):
        variances[t] = variance
        variance = keep * variance + (1 - keep) * error**2
    return np.sqrt(variances)


line = fit_line(train.values, LAGS)
line_spread = (train.values - follow_line(train.values, line))[LAGS:].std()
tune_errors = tune.values - follow_line(tune.values, line)
costs = {keep: nats(tune_errors, 0, moving_spread(tune_errors, line_spread, keep)).mean() for keep in (0.8, 0.9, 0.95)}
KEEP = min(costs, key=costs.get)
print("tuning:", *(f"keep {keep}: {found:+.3f} nats;" for keep, found in costs.items()), f"so {KEEP}")

# %% [markdown]
# All forecasts are judged on the same test values. The last row is no forecast but the floor: the surprise of somebody who is told the
# regime, its mean and its spread. Nobody who has to find them out can reach it.


# %%
def baselines(values):
    """Mean and spread of each baseline for every value: name -> two arrays (steps,) or a scalar spread."""
    last, mean = np.concatenate([values[:1], values[:-1]]), follow_line(values, line)
    return {
        "last value": (last, np.diff(train.values).std()),
        f"AR({LAGS})": (mean, line_spread),
        f"AR({LAGS}), moving spread": (mean, moving_spread(values - mean, line_spread, KEEP)),
    }


judged = slice(LAGS, None)
forecasts = {name: (mean, spread * np.ones_like(mean)) for name, (mean, spread) in baselines(test.values).items()}
costs = {name: nats(test.values, *forecast)[judged].mean() for name, forecast in forecasts.items()}
for name, (mean, _) in forecasts.items():
    print(f"{name:22} {costs[name]:6.3f} nats a step, typical error {np.std((test.values - mean)[judged]):.3f}")
floor = test.nats[judged].mean()
print(f"{'told the truth':22} {floor:6.3f} nats a step, typical error {np.sqrt(np.mean(test.spread[judged] ** 2)):.3f}")

# %% [markdown]
# The moving spread gains more than any better mean: most of what there is to know about this sensor is *how sure one may be right
# now*. That is a memory of errors, one number long, carried from step to step.
#
# ## What a state is: everything that the next step needs
#
# One recurrent neuron, $h_t = \tanh(w\,h_{t-1} + u\,x_t)$, and three values. Read in one go, or cut after the second: if the number
# $h$ is handed over at the cut, the third step cannot know that there was one.


# %%
def step(x, state, w=0.9, u=1.0):
    """One step of one neuron: what it says, and what it must be given next time (here the same number)."""
    state = np.tanh(w * state + u * x)
    return state, state


states = [0.0]
for x in (1.0, 0.5, -1.0):
    y, state = step(x, states[-1])
    states.append(state)
    print(f"whole:  x = {x:4}  state {states[-2]:+.6f} -> y = {y:+.6f}")
print(f"cut before the third value, the state handed over:  y = {step(-1.0, states[2])[0]:+.6f}")
print(f"cut before the third value, the state dropped:      y = {step(-1.0, 0.0)[0]:+.6f}")

# %% [markdown]
# That is the whole lesson in one signature: `y, state = step(x, state)`. A function that reads nothing but its arguments and hands
# over all it knows can be stopped, moved, saved, run twice from the same point. In Keras the state is hidden inside the layer's loop;
# we will take it out.
#
# ## The model: a mean and a spread for what comes next
#
# One LSTM and a linear readout of its state: the mean of the next value, and the logarithm of its spread. (`recurrent_layer("lstm", …)`
# is `keras.layers.LSTM` with a loop that trains faster on a CPU; the numbers are the same.)

# %%
import inspect

from IPython.display import Markdown

from rnn_course.models import build_forecaster

code = inspect.getsource(build_forecaster)
code = code.replace(f'"""{build_forecaster.__doc__}"""\n    ', "")
Markdown(f"```python\n{code}```")

# %% [markdown]
# The loss is the surprise itself. Each window begins with an empty state: the network never learns from more than `WINDOW` steps in a
# row.

# %%
from rnn_course.plots import plot_history


def gaussian_nats(values, forecast):
    """Surprise at values (batch, time, 1) under a forecast (batch, time, 2) of means and logarithms of spreads."""
    mean, log_spread = keras.ops.split(forecast, 2, axis=-1)
    standing = (values - mean) * keras.ops.exp(-log_spread)
    return 0.5 * standing**2 + log_spread + 0.5 * np.log(2 * np.pi)


def windows_of(values):
    """Inputs and targets, (windows, WINDOW, 1) each: every target is the value after its input."""
    count = (len(values) - 1) // WINDOW
    pairs = values[:-1][: count * WINDOW], values[1:][: count * WINDOW]
    return tuple(part.reshape(count, WINDOW, 1).astype("float32") for part in pairs)


# %% [markdown]
# The learning rate falls along half a cosine; gradients longer than 1 are shortened, those of each weight matrix by
# themselves (lesson 02).

# %%
keras.utils.set_random_seed(SEED)
model = build_forecaster(units=UNITS)
rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * WINDOWS // BATCH)
model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss=gaussian_nats)
started = time.perf_counter()
inputs, targets = windows_of(train.values)
held_out = tuple(part[: WINDOWS // 10] for part in windows_of(tune.values))
history = model.fit(inputs, targets, batch_size=BATCH, epochs=EPOCHS, validation_data=held_out, verbose=0).history
training_minutes = (time.perf_counter() - started) / 60
print(f"{model.count_params():,} weights, {EPOCHS} epochs, {training_minutes:.1f} minutes")
_ = plot_history(history, best=None, quantity="nats a step", title="The network learns what it may be sure of")

# %% [markdown]
# Now the stream of `LONG` steps that it has never seen, read in one piece, by Keras, from the first value to the last. **Guess**
# where between the best baseline and the floor it comes out.


# %%
def split_forecast(output):
    """Mean and spread, (steps,) each, aligned with values 1, 2, …, from a forecast (steps, 2)."""
    return output[:, 0].astype(float), np.exp(output[:, 1].astype(float))


whole = model.predict(test.values[None, :-1, None], verbose=0)[0]  # (LONG, 2)
mean, spread = split_forecast(whole)
surprise = nats(test.values[1:], mean, spread)  # (LONG,), at values 1, 2, …
network = f"LSTM({UNITS})"
costs[network] = surprise[LAGS - 1 :].mean()
error = np.sqrt(np.mean((test.values[1:] - mean)[LAGS - 1 :] ** 2))
print(f"{network}: {costs[network]:.3f} nats a step, typical error {error:.3f}")

# %% [markdown]
# Regime by regime, beside the line that watches its errors:

# %%
adaptive = f"AR({LAGS}), moving spread"
adaptive_surprise = nats(test.values, *forecasts[adaptive])[1:]
print(f"{'':12} {'AR, moving':>11} {network:>10} {'floor':>8}   nats a step")
by_regime = {}
for index, name in enumerate(test.regimes):
    here = test.regime[1:] == index
    by_regime[name] = [part[here].mean() for part in (adaptive_surprise, surprise, test.nats[1:])]
    print(f"{name:12} {by_regime[name][0]:11.3f} {by_regime[name][1]:10.3f} {by_regime[name][2]:8.3f}")

# %% [markdown]
# The network does what the moving spread does, and something no line can: it knows *which* regime it is in, and forecasts a swing as
# a swing. That is its memory at work. Now take that memory out and hold it in your hand.
#
# ## Cut anywhere: chunked equals whole, to the last digits
#
# `Stream` takes the trained model apart, layer by layer, around states that are arguments and results. It shares the weights and
# changes nothing in the model. Here is its state, and what two steps do to it.

# %%
from rnn_course.streaming import Stream

stream = Stream(model)
state = stream.initial_state()
for x in test.values[:2, None]:  # each (features,)
    y, state = stream.step(x, state)
    print(f"x = {x[0]:+.4f}   expects {y[0]:+.4f} ± {np.exp(y[1]):.4f}   state of {state.nbytes:,} bytes")
print("the state is:", *(f"{name} {array.shape}" for name, array in zip(state.names, state.arrays, strict=True)))

# %% [markdown]
# `run` takes a chunk of any length and hands the state over. We cut the test stream at random places, more and more
# often, and compare with what Keras said about the whole. The chunks may be empty, or one step long.


# %%
def in_chunks(stream, values, cuts, *, hand_over=True):
    """Forecasts (steps, 2), the stream cut before the steps `cuts`; the state dropped there if not handed over."""
    state, found = stream.initial_state(), []
    for chunk in np.split(values[:, None], cuts):
        output, state = stream.run(chunk, state if hand_over else stream.initial_state())
        found.append(output)
    return np.concatenate(found)


rng, largest_output = np.random.default_rng(SEED), np.abs(whole).max()
for count in (0, 1, 10, 100):
    cuts = np.sort(rng.integers(0, LONG, size=count))
    difference = np.abs(in_chunks(stream, test.values[:-1], cuts) - whole).max() / largest_output
    print(f"{count:4} cuts: largest difference from the whole {difference:.1e} of the largest output")
chunked_difference = float(difference)

# %% [markdown]
# The differences are those of 32-bit rounding: sums taken in another order. Now the most common bug of streaming code, and the
# quietest: the state is dropped at every chunk, since that is what `model.predict(chunk)` does. Nothing crashes. **Guess** how many
# steps after a cut the damage lasts.

# %%
cuts = np.arange(WINDOW, LONG, WINDOW)
dropped = in_chunks(stream, test.values[:-1], cuts, hand_over=False)
dropped_surprise = nats(test.values[1:], *split_forecast(dropped))
by_step = [part[: len(cuts) * WINDOW].reshape(-1, WINDOW) for part in (surprise, dropped_surprise)]
extra = (by_step[1] - by_step[0]).mean(axis=0)  # (WINDOW,)
print(
    f"first step {extra[0]:.2f}, steps 2 to 10 {extra[1:10].mean():.3f}, last half {extra[WINDOW // 2 :].mean():.5f} nats"
)
print(f"whole {surprise.mean():.3f}, dropped every {WINDOW} steps {dropped_surprise.mean():.3f} nats a step")

# %% [markdown]
# The extra surprise against the steps since the cut, the mean over all cuts (beyond the picture it stays at zero):

# %%
ax = axes_or_new(height=2.8)
ax.plot(np.arange(1, 61), extra[:60], color="#005AA3")
ax.axhline(0, color="black", linestyle="--", linewidth=1.2)
ax.set_xlim(1, 60)
label_axes(ax, x="steps since the cut", y="extra surprise (nats)", title="A dropped state is paid for at every cut")

# %% [markdown]
# The damage lasts about two dozen steps. Zero is not "no knowledge". It is the state in which training windows began, and
# the network has learned to be unsure there; then it finds its way. With chunks of a few steps the network would never be
# anything but a beginner:

# %%
lengths = (1, 10, 100)
some = test.values[: min(LONG, 20_000) + 1]
dropped_nats = {}
for length in lengths:
    count = (len(some) - 1) // length
    pieces = some[: count * length].reshape(count, length, 1)  # chunks side by side: each begins with nothing
    output, _ = stream.run(pieces, stream.initial_state(count))
    found = nats(some[1 : count * length + 1], *split_forecast(output.reshape(-1, 2)))
    dropped_nats[length] = float(found.mean())
    print(f"state dropped every {length:5} steps: {dropped_nats[length]:6.3f} nats a step")
print(f"state handed over:              {surprise[: len(some) - 1].mean():6.3f} nats a step")

# %% [markdown]
# ## What cannot be streamed, and why
#
# A bidirectional layer must see the end before it says anything about the beginning. A masked input says "this step is padding", and
# in a stream no step is. Both would run on a single step and give wrong answers in silence; so they are refused, and told apart.

# %%
values = keras.Input((None, 1))
both_ways = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True), name="both_ways")(values)
masked = keras.layers.LSTM(4, name="reader")(keras.layers.Masking(name="padding")(values))
for output in (both_ways, masked):
    try:
        Stream(keras.Model(values, output))
    except ValueError as refusal:
        print(refusal, end="\n\n")

# %% [markdown]
# ## One step, five ways, a factor of a thousand
#
# The same weights, the same state, the same numbers: only the way there differs. `predict` is made for data sets; `model(x)` runs
# every operation by itself; `Stream.step` runs a compiled graph, checks what comes in, and gives NumPy back; `tf.function` runs the
# compiled graph alone; `NumpyStream` is the LSTM's equations in NumPy, in one file. **Write down your order** and your largest factor.

# %%
from pathlib import Path
from tempfile import mkdtemp

import tensorflow as tf

from rnn_course.streaming import NumpyStream, build_step_model, export_weights

folder = Path(mkdtemp())
export_weights(model, folder / "weights.npz")
device = NumpyStream.load(folder / "weights.npz")
one_step = build_step_model(model)  # [x (1, 1, 1), hidden, cell] to [y, hidden, cell]
graph = tf.function(one_step, reduce_retracing=True)

# %% [markdown]
# Each way takes a state and returns what it says, followed by the state it hands on. The baseline takes part, too: the line's step is
# a product of two short rows.

# %%
x = test.values[:1].astype("float32")  # (features,)
cube, zeros = x.reshape(1, 1, 1), np.zeros((1, UNITS), "float32")
tensor, tensors = tf.constant(cube), [tf.constant(zeros)] * 2
few = 10 if FAST else 1  # of which repeats are left
ways = {  # name: (step, the state it begins with, repeats)
    "model.predict": (lambda s: one_step.predict([cube, *s], verbose=0), [zeros, zeros], 60 // few),
    "model(x)": (lambda s: one_step([tensor, *s]), tensors, 300 // few),
    "Stream.step": (lambda s: stream.step(x, *s), [stream.initial_state()], 1_000 // few),
    "tf.function": (lambda s: graph([tensor, *s]), tensors, 1_000 // few),
    "NumpyStream.step": (lambda s: device.step(x, *s), [device.initial_state()], 10_000 // few),
    f"AR({LAGS})": (lambda s: (s[0] @ line[:-1] + line[-1], np.append(s[0][1:], x)), [np.zeros(LAGS)], 10_000 // few),
}

# %% [markdown]
# All in one run, one after the other, each feeding its new state to its next step; the first steps, which compile, do not count.


# %%
def microseconds(way, state, repeats, warm_up=3):
    """Time of each of `repeats` steps, (repeats,)."""
    ticks = []
    for _ in range(warm_up + repeats + 1):
        ticks.append(time.perf_counter())
        _, *state = way(state)
    return np.diff(ticks)[warm_up:] * 1e6


times = {name: microseconds(*way) for name, way in ways.items()}
medians = {name: float(np.median(taken)) for name, taken in times.items()}

# %% [markdown]
# The line's step stands as the dashed mark: what the least demanding sensible thing costs.

# %%
from rnn_course.plots import plot_latency
from rnn_course.plots.style import CELL_COLORS

line_time = {f"AR({LAGS})": medians[f"AR({LAGS})"]}
rows = {name: taken for name, taken in times.items() if name not in line_time}
colors = dict.fromkeys(rows, CELL_COLORS["lstm"])
_ = plot_latency(rows, baseline=line_time, colors=colors, title="The same step: what differs is what stands around it")
print(f"from predict to NumPy: {medians['model.predict'] / medians['NumpyStream.step']:,.0f} times faster")

# %% [markdown]
# Why? Count what a step has to do: one multiply-add for each weight of the kernels, and every weight read once. Then time that bare
# product, a row times a matrix of the LSTM's shape, and hold it against the step.

# %%
multiply_adds = 4 * UNITS * (1 + UNITS) + 2 * UNITS
weight_bytes = 4 * model.count_params()
row, matrix = np.ones((1, UNITS + 2), "float32"), np.ones((UNITS + 2, 4 * UNITS), "float32")
sums = np.empty((1, 4 * UNITS), "float32")
product = float(np.median(microseconds(lambda s: (row.dot(matrix, *s), *s), [sums], 5_000)))
print(f"{multiply_adds:,} multiply-adds and {weight_bytes / 1e3:.0f} kB of weights a step")
print(f"the bare product: {product:.1f} µs")
for name in rows:
    print(f"{name:17} {medians[name]:10,.1f} µs, of which the product would be {product / medians[name]:6.1%}")

# %% [markdown]
# The arithmetic is the same in every row (the gates' sigmoids and tanhs, not counted here, included). The rest is
# administration: building a data set of one value, looking up kernels, dispatching a handful of operations, copying in and
# out. At this size a step costs what its calls cost, and NumPy has the cheapest calls. What if many machines are heard at
# once, side by side in one batch?

# %%
from functools import partial


def one_of_many(engine, inputs, state):
    """A step of all streams at once, in the form that `microseconds` wants."""
    return engine.step(inputs, *state)


per_stream = {}
for batch in (1, 1_024):
    inputs = np.repeat(x[None], batch, axis=0)  # (batch, features)
    for name, engine in (("Stream", stream), ("NumpyStream", device)):
        found = microseconds(partial(one_of_many, engine, inputs), [engine.initial_state(batch)], 100 // few)
        per_stream[name, batch] = float(np.median(found)) / batch
    said = "   ".join(f"{name} {per_stream[name, batch]:7.2f} µs" for name in ("Stream", "NumpyStream"))
    print(f"{batch:5,} at once, for each: {said}")

# %% [markdown]
# Side by side, streams share the administration, and NumPy's lead melts. One machine on a small device, and a data center that listens to
# a thousand, are two different problems with the same equations.
#
# ## On a device without TensorFlow: two files and NumPy
#
# What the device needs is `weights.npz` and one Python file, `numpy_stream.py`. We copy both to an empty folder and run them in another
# process, in which importing TensorFlow, Keras or this course fails. It goes on from a saved state if there is one.

# %%
PROGRAM = """
import sys
for missing in ("tensorflow", "keras", "rnn_course"):
    sys.modules[missing] = None  # from here on, importing it raises ImportError
from pathlib import Path
import numpy as np
from numpy_stream import NumpyStream, load_state, save_state

device, kept = NumpyStream.load("weights.npz"), Path("state.npz")
state = load_state(kept) if kept.exists() else device.initial_state()
forecasts, state = device.run(np.load("values.npy"), state)
np.save("forecasts.npy", forecasts)
save_state(kept, state)
print(*(name for name in ("numpy", "tensorflow", "keras", "rnn_course") if sys.modules.get(name)))
"""

# %% [markdown]
# `power_up` starts the device, lets it read some values (steps, 1), and returns its forecasts (steps, 2) and what it could import.

# %%
import shutil
import subprocess
import sys

import rnn_course.streaming.numpy_stream as numpy_stream

shutil.copy(numpy_stream.__file__, folder / "numpy_stream.py")
(folder / "main.py").write_text(PROGRAM)


def power_up(values):
    """Run the device's program in a process of its own."""
    np.save(folder / "values.npy", values.astype("float32"))
    process = [sys.executable, "main.py"]
    answer = subprocess.run(process, cwd=folder, capture_output=True, text=True, check=True)
    return np.load(folder / "forecasts.npy"), answer.stdout.strip()


# %% [markdown]
# The same values as above, in the other process:

# %%
some = min(LONG - 200, 10_000)
(folder / "state.npz").unlink(missing_ok=True)
on_device, imported = power_up(test.values[:some, None])
device_difference = float(np.abs(on_device - whole[:some]).max() / largest_output)
kilobytes = (folder / "weights.npz").stat().st_size / 1e3
print(f"what could be imported: {imported}")
print(f"weights.npz: {kilobytes:.0f} kB; numpy_stream.py: {(folder / 'numpy_stream.py').stat().st_size / 1e3:.0f} kB")
print(f"largest difference from Keras over {some:,} steps: {device_difference:.1e} of the largest output")

# %% [markdown]
# ## Pull the plug, and go on
#
# The state is all that the device knows. So a file that holds it is all that a restart needs. Half of the values, then the process
# ends; a new one finds `state.npz` and reads the rest. (`save_state` writes beside the old file and moves the new one into its
# place: whenever the power fails, a whole file is there.) How large may the difference be?

# %%
(folder / "state.npz").unlink()
half = some // 2
before, _ = power_up(test.values[:half, None])
after, _ = power_up(test.values[half:some, None])
restart_difference = float(np.abs(np.concatenate([before, after]) - on_device).max())
print(f"state.npz: {(folder / 'state.npz').stat().st_size:,} bytes")
print(f"largest difference from the run without a restart: {restart_difference}")

# %% [markdown]
# Not close: the same bits. And since names and shapes are Keras' own, the state that the device left can be picked up by Keras, in
# this process:

# %%
from rnn_course.streaming import load_state

state, following = load_state(folder / "state.npz"), slice(some, some + 200)
moved, _ = stream.run(test.values[following, None], state)
difference = np.abs(moved - whole[following]).max(initial=0) / largest_output
print(f"NumPy until step {some:,}, then Keras: largest difference {difference:.1e} of the largest output")

# %% [markdown]
# ## Step 100,000 costs what step 10 cost
#
# Now all of it, one step at a time, every step timed, as on the machine. The state is measured on the way.

# %%
lengths = [length for length in (1, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, LONG) if length <= LONG]
state, listened, state_at = device.initial_state(), np.empty((LONG, 2), "float32"), {}
taken, largest = np.empty(LONG), np.empty(LONG)
incoming = test.values[:-1, None].astype("float32")
for t in range(LONG):
    before = time.perf_counter()
    listened[t], state = device.step(incoming[t], state)
    taken[t] = (time.perf_counter() - before) * 1e6
    largest[t] = np.abs(state.arrays[1]).max()
    if t + 1 in lengths:
        state_at[t + 1] = state

# %% [markdown]
# By tenths of the way, and by thousands of steps:

# %%
tenths, thousands = taken.reshape(10, -1), taken.reshape(-1, 1_000)
for name, part in (("first", tenths[0]), ("last", tenths[-1])):
    print(f"{name:5} tenth: median {np.median(part):.1f} µs, 99th percentile {np.percentile(part, 99):.1f} µs")
typical, slow = np.median(thousands, axis=1), np.percentile(thousands, 99, axis=1)
print(
    f"by thousands: medians from {typical.min():.1f} to {typical.max():.1f} µs, 99th percentiles up to {slow.max():.0f} µs"
)
print(
    f"bytes of the state at {', '.join(f'{at:,}' for at in lengths)}: {sorted({s.nbytes for s in state_at.values()})}"
)

# %% [markdown]
# Medians of whole thousands move with whatever else the machine had to do in those seconds. So ask once more, fairly: steps from the
# state early in the stream and steps from the state at its end, in turns, some hundred at a time.

# %%
turns = {at: [] for at in (lengths[1], LONG)}
for _ in range(5 if FAST else 50):
    for at, found in turns.items():
        found.append(microseconds(partial(one_of_many, device, x), [state_at[at]], 100))
early, late = (float(np.median(found)) for found in turns.values())
print(f"a step after {lengths[1]} steps: {early:.1f} µs; after {LONG:,} steps: {late:.1f} µs")

# %% [markdown]
# The rival is a causal Transformer with as many weights, one layer deep, in NumPy as well and written for speed. Its state is a
# *cache*: a key and a value for every step it has read. A new step is compared with all of them. We fill the cache to a length, time
# some steps there, and right after them some of the LSTM's, from the state it had at the same step of its long run.

# %%
from rnn_course.streaming import CausalTransformer

width = UNITS // 2
hidden = (model.count_params() - 4 * width**2 - 3 * width - 2) // (2 * width)  # as many weights in all
rival = CausalTransformer(features=1, width=width, heads=4, hidden=hidden, outputs=2, rng=np.random.default_rng(SEED))
print(f"weights: LSTM {model.count_params():,}, Transformer {rival.parameters:,}")
cache_bytes, found = [], {"LSTM": [], "Transformer": []}
for length in lengths:
    cache = rival.prefill(incoming[:length], rival.initial_cache())
    cache_bytes.append(cache.nbytes)
    found["Transformer"].append(microseconds(partial(one_of_many, rival, x), [cache], 60))
    found["LSTM"].append(microseconds(partial(one_of_many, device, x), [state_at[length]], 300))
step_times = {name: np.percentile(np.array(rows), (10, 0, 50), axis=1) for name, rows in found.items()}  # (3, lengths)
kept = {"LSTM": [state_at[length].nbytes for length in lengths], "Transformer": cache_bytes}

# %% [markdown]
# Two panels, the same horizontal axis: the time of a step, and the bytes kept. A level line does not know how long it has been running.
# A point is the time that one step in ten keeps below, which is what the step needs when nothing else runs; the band reaches up to the
# median.

# %% tags=["picture"]
from rnn_course.plots import plot_cost
from rnn_course.plots.style import figure_grid

figure, axes = figure_grid(1, 2, row_height=3.1)
lines = {name: (lengths, found[0]) for name, found in step_times.items()}
bands = {name: found[1:] for name, found in step_times.items()}
plot_cost(lines, quantity="time of a step (µs)", bands=bands, title="Time: the LSTM's step stays level", ax=axes[0, 0])
lines = {name: (lengths, found) for name, found in kept.items()}
_ = plot_cost(lines, quantity="bytes kept", title="Memory: only the cache grows", ax=axes[0, 1])

# %% [markdown]
# Is there a length below which the Transformer is the cheaper one? From which length does it matter? The ratio of the two, point by point:

# %%
ratio = step_times["Transformer"][0] / step_times["LSTM"][0]
for length, factor, size in zip(lengths, ratio, cache_bytes, strict=True):
    print(f"after {length:7,} steps: Transformer's step {factor:6.1f} times the LSTM's, cache {size / 1e3:10,.1f} kB")
year = 365 * 24 * 3_600 * cache_bytes[-1] / LONG
print(f"a value a second for a year: LSTM {state.nbytes / 1e3:.1f} kB, cache {year / 1e9:.0f} GB")

# %% [markdown]
# Not even with a short cache: with as many weights it has as many multiply-adds to do before it looks at anything, and more calls to make.
# From there its time grows first slowly, then with every step, once reading the cache is most of the work.
#
# What does the Transformer get for it? It *looks at everything, exactly*: a value of step 7 is still there at step 100,000, while the
# LSTM has had to decide at once what to keep in a thousand bytes. And it can read a sequence that is already there all at once, in a
# few large products, which is why it trains so well on large machines. Here is the second point as a number, on a window like those of
# training, the best of many tries for both:

# %%
window = incoming[:WINDOW]
together = microseconds(lambda s: (rival.whole(window),), [], 20 if FAST else 200).min() / WINDOW
one_by_one = taken.reshape(-1, 200).mean(axis=1).min()
print(f"Transformer, {WINDOW} steps at once: {together:.1f} µs a step")
print(f"LSTM, one after the other: {one_by_one:.1f} µs a step")

# %% [markdown]
# A Transformer that looks back no further than `WINDOW` steps has a level cost, too (between the points at 100 and 300
# steps, above): constant memory is a decision, not a privilege of recurrence. But the level at which it is level is set by
# how far back it looks.
#
# ## Does it still work at step 100,000?
#
# Time and memory are flat. The answers need not be: the network was trained on windows of `WINDOW` steps, each from an empty state, and
# has now gone hundreds of times as far. **Your guess**, from the beginning? The surprise, by thousands of steps, less the floor of
# the same steps (some thousands hold more rough patches than others, and the sensor is to blame for that).

# %%
after_floor = {
    network: nats(test.values[1:], *split_forecast(listened)) - test.nats[1:],
    f"{network}, started afresh every {WINDOW}": dropped_surprise - test.nats[1:],
    adaptive: adaptive_surprise - test.nats[1:],
}
by_thousand = {name: part.reshape(-1, 1_000).mean(axis=1) for name, part in after_floor.items()}
thousands_read = np.arange(len(by_thousand[network])) + 0.5
trends = {}
for name, part in by_thousand.items():
    slope, error = np.polyfit(thousands_read, part, 1)[0], part.std() / np.sqrt(len(part) * thousands_read.var())
    trends[name] = float(slope * len(part)), float(error * len(part))
    print(f"{name:38} {part.mean():.3f} above the floor, {trends[name][0]:+.3f} ± {trends[name][1]:.3f} over the whole")

# %% [markdown]
# The last figure is what a straight line through the thousands gains or loses from one end to the other, with its standard error:
# under twice that error it cannot be told from none. The picture shows means over some thousands each.

# %%
from rnn_course.plots.style import BASELINE_STYLE, label_lines

ax, ends, block = axes_or_new(height=3.0), [], max(1, LONG // 20_000)  # thousands to a point
styles = ({"color": CELL_COLORS["lstm"]}, {"color": "#8FB8DE"}, BASELINE_STYLE)
for part, style, label in zip(by_thousand.values(), styles, ("LSTM", "afresh", "AR, moving"), strict=True):
    points = part.reshape(-1, block).mean(axis=1)
    ax.plot(thousands_read.reshape(-1, block).mean(axis=1), points, **style)
    ends.append((points[-1], label, style["color"]))
ax.set_ylim(bottom=0)
label_axes(
    ax, x="thousand steps", y="surprise above\nthe floor (nats)", title="The last thousands are as good as the first"
)
label_lines(ax, ends)
print(
    f"largest memory cell: {largest[:1_000].max():.2f} early on, {largest[-1_000:].max():.2f} in the last thousand steps"
)

# %% [markdown]
# Started afresh, the network pays at every beginning and is no better afterwards: nothing has to be cleaned out of the state, since its
# forget gates clean it all the time. That is a measurement on this network and this sensor, and no law. What did *not* change in 100,000
# steps is the sensor. Suppose somebody turns a screw, and from now on every value is 3 higher:

# %%
moved = slice(0, min(LONG, 20_000) + 1)
shifted = test.values[moved] + 3
far, _ = device.run(shifted[:-1, None], device.initial_state())
shifted_nats = {
    network: nats(shifted[1:], *split_forecast(far))[LAGS:].mean(),
    adaptive: nats(shifted, *baselines(shifted)[adaptive])[LAGS:].mean(),
}
for name, found in shifted_nats.items():
    print(f"{name:22} {costs[name]:6.3f} nats a step as trained, {found:6.3f} three higher")
print(f"{'last value':22} {costs['last value']:6.3f} nats a step, wherever it is")

# %% [markdown]
# The line shrugs: it must have weights that add up to nearly one, and then it takes a new level for the old one. The
# network has never been there, and falls behind the last value. Time is not what wears a trained network out; a world it
# was not trained on is.
#
# ## Surprise as an alarm, and a whole kind of change that it cannot hear
#
# A change should be a surprise. But a rough regime is surprising at every step, to somebody who knows that it is rough: so count only
# the surprise *beyond what the forecast itself expected*, $(z^2 - 1)/2$ with $z$ in units of the forecast's own spread, and let no
# single value (a spike) say more than $z = 3$ would. Page (1954) says how to collect such evidence: add it up less an allowance,
# never below zero, and give an alarm when the sum passes a threshold.


# %%
def excess(values, mean, spread):
    """Surprise beyond the expected one, in nats, bounded from above: the shape of `values`."""
    return (np.minimum(((values - mean) / spread) ** 2, 9) - 1) / 2


def page(evidence, threshold, allowance=0.25):
    """Steps at which Page's sum of evidence (steps,) passes the threshold; it begins anew after each."""
    found, total = [], 0.0
    for t, new in enumerate(evidence):
        total = max(0.0, total + new - allowance)
        if total > threshold:
            found.append(t)
            total = 0.0
    return np.array(found, int)


# %% [markdown]
# An alarm within 100 steps after a change has found it; what is left counts as false. Every method may have the same number of false
# alarms: its threshold is the lowest that gives no more than 5 in 10,000 steps of the tuning stream.


# %%
def judge(alarms, stream, within=100):
    """Delay until the first alarm after each change (changes,), NaN where there is none; false alarms in 10,000 steps."""
    which = np.searchsorted(stream.changes, alarms, side="right") - 1
    since = np.where(which < 0, within, alarms - stream.changes[which])
    delays = np.full(len(stream.changes), np.nan)
    found = since < within
    delays[which[found][::-1]] = since[found][::-1]  # the first alarm is written last
    return delays, 1e4 * np.sum(~found) / len(stream.values)


def threshold_for(alarms_above, allowed, low=0.01, high=1_000.0):
    """The lowest threshold with no more than so many false alarms on the tuning stream, by halving."""
    for _ in range(16):
        middle = np.sqrt(low * high)
        too_many = judge(alarms_above(middle), tune)[1] > allowed
        low, high = (middle, high) if too_many else (low, middle)
    return high


# %% [markdown]
# Three listeners: the line with its constant spread (the textbook's control chart), the line that watches its errors, and the network.
# **Guess** what share of the changes each finds.


# %%
def all_forecasts(values):
    """Mean and spread of each listener for every value, (steps,): name -> two arrays; the first value has no forecast."""
    output, _ = device.run(values[:-1, None], device.initial_state())
    mean, spread = split_forecast(output)
    return baselines(values) | {network: (np.append(0.0, mean), np.append(1.0, spread))}


on_tune, on_test = all_forecasts(tune.values), all_forecasts(test.values)
ALLOWED, delays, false_alarms = 5.0, {}, {}
for name in (f"AR({LAGS})", adaptive, network):
    evidence = excess(tune.values, *on_tune[name])
    threshold = threshold_for(partial(page, evidence), ALLOWED)
    delays[name], false_alarms[name] = judge(page(excess(test.values, *on_test[name]), threshold), test)

# %% [markdown]
# The share of the changes found, by the regime that begins, and by the one that ends:


# %%
def typical_delay(delays, within=100):
    """Median steps from a change to its alarm, over the changes found; a scalar."""
    found = delays[np.isfinite(delays)]
    return float(np.median(found)) if len(found) else float(within)


def report(name, delays, false):
    """Print one row: all changes, by the regime that begins, and those at which a rough one ends."""
    begins, ends = test.regime[test.changes], test.regime[test.changes - 1]
    shares = [np.isfinite(delays[begins == kind]).mean() for kind in range(4)]
    after_rough = np.isfinite(delays[ends == test.regimes.index("rough")]).mean()
    cells = "".join(f"{share:>12.0%}" for share in (np.isfinite(delays).mean(), *shares, after_rough))
    print(f"{name:24}{cells}{typical_delay(delays):>8.0f}{false:>8.1f}")


print(f"{'':24}{'all':>12}" + "".join(f"{name:>12}" for name in test.regimes) + f"{'rough ends':>12}   delay   false")
for name in delays:
    report(name, delays[name], false_alarms[name])

# %% [markdown]
# The control chart is useless here: it takes a whole rough regime for one alarm after another, and its threshold has to be
# set so high that hardly anything is heard. The network leads. But look at the last column of shares: when a rough regime
# *ends* and the sensor grows quiet, nobody hears much. (Some regimes begin with a jump, and that can be heard; below, these
# are left out.)
#
# ## Nothing is as unsurprising as silence, and yet the network has noticed
#
# A quiet value lies where a loud one was allowed to lie, in the middle of the band. It is *less* surprising than expected, so no sum of
# surprises will rise. Has the network missed the change, then? Open it: look at what it forecasts, around the steps where a rough
# regime ends.

# %%
rough = test.regimes.index("rough")
after_rough = test.changes[test.regime[test.changes - 1] == rough]
no_jump = test.regime[after_rough] != test.regimes.index("level")
ends = after_rough[no_jump & (after_rough >= 150) & (after_rough <= LONG - 100)]
lags = np.arange(-20, 60)
around = ends[:, None] + lags  # (changes, lags)
at_ends = excess(test.values, *on_test[network])[around].mean(axis=0)
spread_at_ends, true_spread = (np.median(part[around], axis=0) for part in (on_test[network][1], test.spread))
halved = int(np.argmax(spread_at_ends[20:] < spread_at_ends[:20].mean() / 2))
print(f"{len(ends)} such changes without a jump")
print(f"unexpected surprise at the ten values after: {at_ends[20:30].mean():+.2f} nats each")
print(f"after {halved} quiet values the spread it forecasts has halved")

# %% [markdown]
# Left, the surprise that the alarm listens to; right, the spread of the forecast, and dashed the truth.

# %%
figure, axes = figure_grid(1, 2, row_height=2.8, sharex=True)
axes[0, 0].plot(lags, at_ends, color="#3F8AC4")
axes[0, 0].axhline(0, color="black", linestyle="--", linewidth=1)
axes[0, 1].plot(lags, spread_at_ends, color=CELL_COLORS["lstm"])
axes[0, 1].plot(lags, true_spread, color="black", linestyle="--", linewidth=1.4)
axes[0, 1].set_ylim(bottom=0)
label_axes(axes[0, 0], x="steps since the rough regime ended", y="unexpected surprise (nats)", title="Not surprised")
label_axes(axes[0, 1], x="steps since the rough regime ended", y="spread forecast", title="But it grows sure")

# %% [markdown]
# It has noticed; we asked the wrong quantity. The step at which it *grows sure* is in the open: the logarithm of its spread now, against
# twenty steps before. The two alarms share the allowance, half of the false alarms each. The line with the moving spread gets the same
# second ear.

# %%
BACK, REST = 20, 50


def grown_sure(spread, threshold):
    """Steps at which ln spread (steps,) has fallen by more than the threshold since BACK steps ago; then a rest."""
    fallen = np.concatenate([np.zeros(BACK), np.log(spread[:-BACK] / spread[BACK:])])
    found = [-REST]
    for t in np.flatnonzero(fallen > threshold):
        if t - found[-1] >= REST:
            found.append(int(t))
    return np.array(found[1:], int)


# %% [markdown]
# Both ears, for both listeners:

# %%
ears = {}
for name in (adaptive, network):
    loud = threshold_for(partial(page, excess(tune.values, *on_tune[name])), ALLOWED / 2)
    sure = threshold_for(partial(grown_sure, on_tune[name][1]), ALLOWED / 2)
    ears[name] = loud, sure
    heard = page(excess(test.values, *on_test[name]), loud), grown_sure(on_test[name][1], sure)
    both = f"{name.replace(', moving spread', ', moving')}, both ears"
    delays[both], false_alarms[both] = judge(np.sort(np.concatenate(heard)), test)
    report(both, delays[both], false_alarms[both])

# %% [markdown]
# Nothing was trained for this. A forecast that states its own spread says something about a change that its errors do not.
# And the line, with a second ear of one number, comes close: it finds more of the drifts, gives a few more false alarms,
# and needs about three times as long. Much of what looked like the network's lead was the wrong question, put to both.
#
# ## Live: expectation, surprise and alarms, as they come
#
# Now everything runs one step at a time, as on the machine: a value comes in, its surprise is weighed, an alarm is given or not, the
# next forecast goes out. This generator is all of it. What it knows is a state, a sum, and the last few spreads.


# %%
def listen(values, loud, sure):
    """Yield for each value but the first: the mean and spread it was expected with, the sum of surprise, the alarm."""
    state, total, rest, past = device.initial_state(), 0.0, 0, []
    forecast = None
    for value in values:
        if forecast is not None:
            mean, spread = float(forecast[0]), float(np.exp(forecast[1]))
            total = max(0.0, total + excess(value, mean, spread) - 0.25)
            fallen = np.log(past[0] / spread) if len(past) == BACK else 0.0
            past, rest = [*past, spread][-BACK:], rest - 1
            alarm = "loud" if total > loud else "sure" if fallen > sure and rest <= 0 else ""
            total, rest = (0.0 if alarm == "loud" else total), (REST if alarm == "sure" else rest)
            yield mean, spread, total, alarm
        forecast, state = device.step(np.array([value]), state)


# %% [markdown]
# `show` draws what has been heard so far: above, what was expected and what came; below, the sum of unexpected surprise, which begins
# anew after each alarm (triangles).

# %%
from rnn_course.plots import plot_forecast, plot_surprise


def show(axes, heard):
    """Draw a list of (mean, spread, sum, alarm), of the steps so far, into two Axes."""
    mean, spread, total = np.array([step[:3] for step in heard]).T
    marks = {"changes": test.changes, "start": stretch.start + 1}
    alarms = [marks["start"] + t for t, step in enumerate(heard) if step[3]]
    for ax in axes:
        ax.clear()
    came = test.values[stretch][1 : len(heard) + 1]
    plot_forecast(came, mean, spread, **marks, title="It expects, hears, and is surprised", ax=axes[0])
    quantity = "sum of unexpected\nsurprise (nats)"
    plot_surprise(total, threshold=ears[network][0], alarms=alarms, quantity=quantity, **marks, ax=axes[1])
    axes[0].set_xlabel("")


# %% [markdown]
# Run this cell and watch: every fifty steps the picture is drawn anew in the same place. On a page that does not run, you see how it
# ended. It is the stretch that you looked at in the beginning; compare the triangles with your own eyes.

# %%
from IPython.display import display
from matplotlib import pyplot

figure, axes = figure_grid(2, 1, row_height=2.2, sharex=True)
picture, heard = display(figure, display_id=True), []
for heard_now in listen(test.values[stretch], *ears[network]):
    heard.append(heard_now)
    if len(heard) % (400 if FAST else 50) == 0:
        show(axes[:, 0], heard)
        picture.update(figure)
show(axes[:, 0], heard)
picture.update(figure)
pyplot.close(figure)

# %% [markdown]
# The alarms in words, beside the truth:

# %%
for t, (*_, alarm) in enumerate(heard, start=stretch.start + 1):
    if alarm:
        last = test.changes[test.changes <= t].max(initial=0)
        kind = {"loud": "surprised", "sure": "grown sure"}[alarm]
        print(f"step {t:,}: {kind}, {t - last} steps after a change to {test.regimes[test.regime[t]]}")

# %% [markdown]
# Each alarm came out before the next value came in, from a state of a thousand bytes, a sum, and twenty spreads. It is an ear, and no
# oracle: count the triangles far from any dashed line, and the dashed lines without a triangle. The table above says how often either
# happens.
#
# ## At a change, memory is a burden
#
# What would the ideal listener do at a change? Everything it remembers is about a sensor that is no more. So we intervene: right after
# the last value of the old regime we wipe the state, and compare with letting it be. Both then read the first value of the new regime,
# and forecast the second. For control, the same at random steps. **Write down** which of the two recovers faster, and by how much.


# %%
def windows_at(steps, before=150, after=100):
    """Values from 150 steps before to 100 steps after each of `steps`: (steps, time, 1)."""
    return np.stack([test.values[step - before : step + after] for step in steps])[..., None]


def after_edit(windows, edit, before=150):
    """Surprise and forecast spread after the middle of each window, the state edited there: (steps, time) each."""
    _, state = device.run(windows[:, :before], device.initial_state(len(windows)))
    arrays = tuple(edit(name, array) for name, array in zip(state.names, state.arrays, strict=True))
    output, _ = device.run(windows[:, before:-1], state._replace(arrays=arrays))
    spread = np.exp(output[..., 1])
    return nats(windows[:, before + 1 :, 0], output[..., 0], spread), spread


def wipe_parts(wiped, name, array):
    """An edit: zeros for the arrays whose names are in `wiped`."""
    return 0 * array if name in wiped else array


HIDDEN, CELL = device.initial_state().names

# %% [markdown]
# A state wiped at a change begins as a training window does. The two parts of the state are also wiped one by one: the memory cells
# alone, or the hidden state alone.

# %%
inside = test.changes[(test.changes >= 150) & (test.changes <= LONG - 100)]
anywhere = np.random.default_rng(SEED).integers(150, LONG - 100, size=len(inside))
wipes = {"kept": (), "wiped": (HIDDEN, CELL), "cells wiped": (CELL,), "hidden wiped": (HIDDEN,)}
after_wipe = {}
print(f"{'':26}" + "".join(f"{name:>8}" for name in ("2nd", "3rd", "5th", "12th", "32nd")) + "   value on, nats each")
for place, steps in (("at a change", inside), ("anywhere", anywhere)):
    for name, wiped in wipes.items():
        found, _ = after_edit(windows_at(steps), partial(wipe_parts, wiped))
        found = after_wipe[place, name] = found.mean(axis=0)
        parts = (found[:1], found[1:3], found[3:10], found[10:30], found[30:])
        print(f"{place:12} {name:13}" + "".join(f"{part.mean():8.2f}" for part in parts))

# %% [markdown]
# Knowing nothing beats knowing the wrong thing. At a change the network is *surer* than it should be, because it has
# listened to the old regime for so long; an empty state is modest, and one value tells it roughly where it is. It is the
# cells that hold on: wiping them alone does most of it, wiping the hidden state alone makes the next value worse. Anywhere
# else, the same wipe is what it looks like: a loss.

# %%
figure, axes = figure_grid(1, 2, row_height=2.8, sharey=True)
for ax, place in zip(axes[0], ("at a change", "anywhere"), strict=True):
    for name, color in (("kept", CELL_COLORS["lstm"]), ("wiped", "#C4566A")):
        ax.plot(np.arange(2, 42), after_wipe[place, name][:40], color=color, label=name)
    label_axes(ax, x="values since", title=f"State wiped {place}")
axes[0, 0].legend(frameon=False)
label_axes(axes[0, 0], y="surprise (nats)")

# %% [markdown]
# So let the network wipe its own state when its own alarm sounds. It should gain. **Does it?**


# %%
def with_alarms(values, loud, *, wipe):
    """Mean surprise at values (steps,) when the state is wiped, or not, at each loud alarm; and how many there were."""
    state, total, count, paid = device.initial_state(), 0.0, 0, 0.0
    for value, following in zip(values[:-1, None], values[1:], strict=True):
        (mean, log_spread), state = device.step(value, state)
        paid += nats(following, mean, np.exp(log_spread))
        total = max(0.0, total + excess(following, mean, np.exp(log_spread)) - 0.25)
        if total > loud:
            total, count = 0.0, count + 1
            state = device.initial_state() if wipe else state
    return float(paid / (len(values) - 1)), count


# %% [markdown]
# Never, at the alarms of the section before, or at the faintest doubt:

# %%
part, wiped_nats = test.values[: min(LONG, 30_000) + 1], {}
choices = {"never": (6.0, False), "at alarms": (ears[network][0], True), "at the faintest doubt": (2.0, True)}
for name, (loud, wipe) in choices.items():
    wiped_nats[name], count = with_alarms(part, loud, wipe=wipe)
    print(f"wiped {name:22} {wiped_nats[name]:.4f} nats a step, {count if wipe else 0:5} wipes")

# %% [markdown]
# Almost nothing. The alarm does not hear every change, and by the time it is sure of itself the dearest values have gone
# by; wiping on fainter doubts throws away more than it saves. The gain above needed somebody who knew.
#
# ## Inside: no gate slams shut, and the state needs a dozen steps to turn over
#
# How does the network let go of the old regime? The obvious guess is that forget gates close at a change. `trace` replays the layer and
# hands out what every gate did, here in the windows around changes and around random steps.

# %%
from rnn_course.probes import trace

at = {"at a change": inside[:200], "anywhere": anywhere[:200]}
seen = {place: trace(model, windows_at(steps).astype("float32")) for place, steps in at.items()}
moved_by, kept_open = {}, {}
for place, replayed in seen.items():
    moves = np.abs(np.diff(replayed.cell, axis=1)).mean(axis=(0, 2))  # (time - 1,): move i is made at step i + 1
    moved_by[place] = moves[[139, 149, 150, 154, 164, 189]]
    kept_open[place] = replayed.gates["forget"].mean(axis=(0, 2))[[140, 150, 151, 155, 165, 190]]
print(f"{'steps since the change':36}" + "".join(f"{name:>8}" for name in ("-10", "1st", "2nd", "6th", "16th", "41st")))
for place in at:
    print(f"{place:12} the cells move by     " + "".join(f"{value:8.3f}" for value in moved_by[place]))
    print(f"{place:12} forget gates are open " + "".join(f"{value:8.3f}" for value in kept_open[place]))

# %% [markdown]
# The state moves nearly twice as far as usual, for about a dozen steps, but on the whole the forget gates stay as they are,
# to within a hundredth. They stand about two thirds open all the time: the network forgets steadily and keeps writing down
# what still holds. That fits what we saw: nothing is left of a cut after some two dozen steps, and the state does not drift
# off in 100,000.
#
# ## A state in your hand can be edited
#
# Which units know that the sensor is rough? The search of lesson 06: each unit's state against the truth, with a null that says
# how well the best of so many units would do by chance.

# %%
from rnn_course.plots import plot_unit_concept
from rnn_course.probes import unit_concept_correlation

is_rough = test.regime[anywhere[:200, None] + np.arange(100)] == rough  # (windows, time)
states = {HIDDEN: seen["anywhere"].hidden[:, 150:], CELL: seen["anywhere"].cell[:, 150:]}
follow = unit_concept_correlation(states[HIDDEN], is_rough, rng=np.random.default_rng(SEED), permutations=200)
by_strength = np.argsort(-np.abs(follow.correlation))
print(f"unit {follow.best}: r = {follow.correlation[follow.best]:+.2f}")
print(f"units beyond ±0.5: {np.sum(np.abs(follow.correlation) > 0.5)} of {UNITS}")
title = "Dozens of units know how rough it is"
_ = plot_unit_concept(follow.correlation, follow.null, concept="a rough regime", title=title)

# %% [markdown]
# Now the intervention that a stream makes easy. When a rough regime ends, the network needs a dozen steps to believe it. We write *quiet*
# into its state at that step: some units are set to the mean they have when the sensor is not rough, first the best follower alone, then
# more; as control, the same number of those that follow it least. **Guess** how many units it takes.

# %%
calm_means = {name: values[~is_rough].mean(axis=0) for name, values in states.items()}  # (units,) each


def write_calm(units):
    """An edit that sets some units to their mean in calm regimes."""
    chosen = np.isin(np.arange(UNITS), units)
    return lambda name, array: np.where(chosen, calm_means[name], array).astype("float32")


counts, rough_ends, written = (0, 1, 4, 16, 32, 64), windows_at(ends), {}
orders = {"follow it most": by_strength, "follow it least": by_strength[::-1]}
for kind, order in orders.items():
    for count in counts:
        found, spread_after = after_edit(rough_ends, write_calm(order[:count]))
        written[kind, count] = float(np.median(spread_after[:, 0])), float(found[:, :10].mean())

# %% [markdown]
# The spread of the next forecast, and the mean surprise in the ten steps that follow, for either kind of unit.

# %%
print(f"{'units set':>10}  " + "".join(f"{kind:>28}" for kind in orders))
for count in counts:
    pairs = (written[kind, count] for kind in orders)
    print(f"{count:10}  " + "".join(f"   spread {spread:.3f}, {found:5.2f} nats" for spread, found in pairs))
print(f"truth: a spread of {np.median(test.spread[ends]):.3f}")

# %% [markdown]
# The best follower alone is hardly obeyed. With half of the units, the right half, the network believes at once what it would have taken a
# dozen steps to find out, and forecasts better for it; the other half does nothing of the kind. How rough the world is lies in
# a direction that many units share, and a state that is an argument can be turned in that direction by hand.

# %% [markdown]
# ## Exercises
#
# Nothing below depends on them. Fill in the function and run the cell; ask for `exercises.q1.hint()` when you are stuck.
#
# ### Exercise 1 · 5 minutes
#
# The neuron of the three numbers, over a chunk. Write `run_chunk(chunk, state, w, u)`: all states of $h_t = \tanh(w\,h_{t-1} + u\,x_t)$ over
# the chunk, `(time,)`, and the state to hand over.

# %%
from rnn_course.exercises import streaming as exercises


def run_chunk(chunk, state, w, u): ...


exercises.q1.check(run_chunk)

# %% [markdown]
# ### Exercise 2 · 10 minutes
#
# A colleague wants to try two futures of one moment: go on from `state` with the inputs `first`, and from the same `state` with the inputs
# `second`, `(time, units)` each. The code below runs, and its two answers are always equal. There are two faults with one cause. Find
# it, and write `branch(state, first, second, decay)`, which returns both final states, `(2, units)`.


# %%
def broken_branch(state, first, second, decay):
    finals = []
    for inputs in (first, second):
        for x in inputs:
            state *= decay
            state += x
        finals.append(state)
    return np.array(finals)


def branch(state, first, second, decay): ...


exercises.q2.check(branch)

# %% [markdown]
# ### Exercise 3 · 10 minutes
#
# The machine's values should be standardized by their mean and variance *so far*, and none may be kept. Write `welford(count, mean, squares,
# value)`: the number of values, their mean and the sum of their squared distances from it, after one more value.


# %%
def welford(count, mean, squares, value): ...


exercises.q3.check(welford)

# %% [markdown]
# ### Exercise 4 · 5 minutes
#
# Write `step_cost(features, units)`: the multiply-adds of one LSTM step in its matrix products, and the bytes of its 32-bit weights, biases
# included.


# %%
def step_cost(features, units): ...


exercises.q4.check(step_cost)

# %% [markdown]
# ### Exercise 5 · 10 minutes
#
# A Transformer's step costs about $12\,d^2$ multiply-adds a layer for its weights ($d$ is its width), and two for each number of width
# in each cached step of each layer: one for the key, one for the value. After how many steps does it cost as much as an LSTM? Write
# `break_even(features, units, width, layers)`, not rounded.


# %%
def break_even(features, units, width, layers): ...


exercises.q5.check(break_even)

# %% [markdown]
# ## You have seen
#
# - A recurrent model is a function `y, state = step(x, state)`. Taken out of Keras like that it can be cut anywhere, saved, moved to
#   another machine and another library, and it says the same, to the digits of 32 bits; a restart in the middle changes not one bit.
# - The quietest bug of streaming: a state dropped at every chunk crashes nothing and costs most just after each cut.
# - A step of this size is administration, not arithmetic. The fastest way to take it is the plainest.
# - Time and memory of a step do not depend on how many came before it; a Transformer's do, and in return it forgets nothing. At equal
#   weights its step was the slower one even with a short cache.
# - Trained on windows of two hundred steps, the network was as good at the end of a hundred thousand as at the beginning. A shift of the
#   sensor, which a line hardly notices, put it behind the last value.
# - Surprise hears what grows loud and is deaf to what grows quiet. The network had noticed that, too: it had grown sure. With that second
#   ear, the line came close.
# - At a change, knowing nothing beats knowing the wrong thing. Wiping the state on its own alarm does not bring the gain
#   in: the alarm comes after the dearest values, or not at all.
#
# ## What is not known from this
#
# - One seed, one network, one sensor, and the sensor is ours: its regimes last a few hundred steps, so a memory of that length is enough.
#   Nothing here says that an LSTM would carry something across 100,000 steps; it was never asked to.
# - The times are those of one machine, in one run. Their order has a reason; their size is the machine's.
# - The Transformer was not trained, only timed: what it would forecast is not known here. One with a window of a few
#   hundred steps would have a level cost as well. To set them against each other at equal size and minutes is another
#   lesson, which is not written yet.
# - Thresholds were set on a stream of the same kind. A real machine's ordinary day has to be heard first, and false alarms counted there.
#
# ## References
#
# - Hochreiter and Schmidhuber (1997), *Long short-term memory*, Neural Computation 9: the cell whose state is kept here.
# - Vaswani et al. (2017), *Attention is all you need*, NeurIPS: table 1, the cost of a layer against the length.
# - Shazeer (2019), *Fast Transformer decoding: one write-head is all you need*, arXiv: why reading the cache, not arithmetic, sets the
#   time of a step; and Pope et al. (2022), *Efficiently scaling Transformer inference*, arXiv, for what is done about it.
# - Nix and Weigend (1994), *Estimating the mean and variance of the target probability distribution*, ICNN: a network that says how
#   sure it is.
# - Page (1954), *Continuous inspection schemes*, Biometrika 41: the sum that gives the alarm.
# - Welford (1962), *Note on a method for calculating corrected sums of squares and products*, Technometrics 4: exercise 3.
# - Adams and MacKay (2007), *Bayesian online changepoint detection*, arXiv: what the ideal listener does at a change, when its model
#   of the world is right.
#
# ## The figures of this run
#
# The last cells collect them: first those of time and memory, then those of the forecasts, then all.

# %%
names = {"": "NumpyStream.step", "_predict": "model.predict", "_model_call": "model(x)"}
names |= {"_tf_function": "tf.function", "_stream": "Stream.step", "_line": f"AR({LAGS})"}
time_figures = {
    **{f"step_microseconds{key}": medians[name] for key, name in names.items()},
    "baseline_step_microseconds": medians["model.predict"],
    "bare_product_microseconds": product,
    "early_step_microseconds": early,
    "late_step_microseconds": late,
    "transformer_weights_ratio": rival.parameters / model.count_params(),
    "transformer_ratio_shortest": float(ratio[0]),
    "transformer_ratio_longest": float(ratio[-1]),
    "transformer_together_microseconds": float(together),
    "one_by_one_microseconds": float(one_by_one),
    "cache_bytes": int(cache_bytes[-1]),
}

# %% [markdown]
# Bytes, and many streams side by side:

# %%
sizes = [found.nbytes for found in state_at.values()]
time_figures |= {"state_bytes_least": min(sizes), "state_bytes_most": max(sizes)}
for name in ("Stream", "NumpyStream"):
    for batch in (1, 1_024):
        time_figures[f"microseconds_for_each_of_{batch}_{name.lower()}"] = per_stream[name, batch]

# %% [markdown]
# What the network said, and how it is with the baselines:

# %%
whole_trend, trend_error = trends[network]
forecast_figures = {
    "chunked_difference": chunked_difference,
    "device_difference": device_difference,
    "largest_output": float(largest_output),
    "restart_difference": restart_difference,
    "weights_kilobytes": kilobytes,
    "nats_per_step": float(costs[network]),
    "baseline_nats_per_step": float(costs[adaptive]),
    "baseline_nats_constant_spread": float(costs[f"AR({LAGS})"]),
    "floor_nats": float(floor),
    "trend_nats": whole_trend,
    "trend_nats_error": trend_error,
    "dropped_nats": float(dropped_surprise.mean()),
}

# %% [markdown]
# What was heard, by which listener:

# %%
listeners = dict(zip(("line", "line_moving", "lstm", "line_two_ears", "lstm_two_ears"), delays, strict=True))
rough_ended = test.regime[test.changes - 1] == rough
alarm_figures = {}
for key, name in listeners.items():
    alarm_figures[f"found_{key}"] = float(np.isfinite(delays[name]).mean())
    alarm_figures[f"found_{key}_rough_ended"] = float(np.isfinite(delays[name][rough_ended]).mean())
    alarm_figures[f"false_alarms_{key}"] = float(false_alarms[name])
    alarm_figures[f"delay_{key}"] = typical_delay(delays[name])

# %% [markdown]
# Cuts, shifts, wipes and edits:

# %%
edit_figures = {
    "dropped_first_step": float(extra[0]),
    "dropped_last_half": float(np.abs(extra[WINDOW // 2 :].mean())),
    "shifted_nats": float(shifted_nats[network]),
    "baseline_shifted_nats": float(shifted_nats[adaptive]),
    "baseline_last_value_nats": float(costs["last value"]),
    "spread_halved_after": halved,
    "forget_gate_before_change": float(kept_open["at a change"][0]),
    "forget_gate_after_change": float(kept_open["at a change"][2]),
    "rough_unit_correlation": float(np.abs(follow.correlation).max()),
}
for place, key in (("at a change", "at_change"), ("anywhere", "anywhere")):
    edit_figures |= {f"first_step_{key}_{name}": float(after_wipe[place, name][0]) for name in ("kept", "wiped")}
edit_figures |= {f"wiped_{name.replace(' ', '_')}_nats": found for name, found in wiped_nats.items()}
edit_figures |= {f"spread_{key.split()[-1]}_{count}": found for (key, count), (found, _) in written.items()}

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "training_minutes": training_minutes,
    "source": "generated",
    "seed": SEED,
    **time_figures,
    **forecast_figures,
    **alarm_figures,
    **edit_figures,
}
results
