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
# # 02. Where the gradient ends
#
# Three networks read two hundred numbers, one after another. Two of the numbers are marked, and when the row is over the
# network must say what these two add up to. The networks have the same number of units, the same data, the same optimizer
# and the same patience. They differ in their cell: SimpleRNN, LSTM, GRU.
#
# Before anything is trained we measure, for each of them, how much of the error at the end reaches a number that stood a
# hundred steps back. Two of the three measurements will be alike, and the third will be worse by ten orders of magnitude
# and more. **Write it down before you go on:** which cell has the worst gradient to begin with, and which one learns first?
#
# **You will**
#
# - take a gradient back through three steps by hand, and see why the usual code says it is zero;
# - measure $\partial L / \partial h_t$ against the lag while three cells learn, or do not;
# - watch a gradient open up by many orders of magnitude, and see when the loss falls;
# - look at the same thing as singular values of a Jacobian and as eigenvalues on the unit circle;
# - choose starting values that open the gradient by hand, and clip one that explodes;
# - cut the gradient and leave the numbers as they are: the test of whether any of it matters.
#
# Minutes on two CPU cores: five to run, fifty to read. The data are generated: nothing is downloaded.

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
# Two hundred steps is a length at which the three cells part, and shorter rows come at the end. `FAST` shrinks the run for
# tests.

# %% tags=["parameters"]
SOURCE = "auto"  # nothing is loaded here: the tasks are generated
FAST = False
SEEDS = (0, 1, 2)
STEPS = 200  # T, how many numbers a row holds
ROWS = 20_000  # rows to train on
UNITS = 32
RATE = 0.005  # of Adam
EPOCHS = 10  # at most: training stops when the task is solved
SOLVED = 0.004  # mean squared error over an epoch
LENGTHS = (25, 50)
DELAYS = (1, 10)

# %% [markdown]
# ## The task: two marks in two hundred numbers
#
# The adding problem is as old as the LSTM (Hochreiter and Schmidhuber 1997). Each step holds a number between 0 and 1 and a mark
# that is 1 at two places: one in the first half of the row, one in the second. The target is the sum of the two marked numbers.

# %%
import time

import numpy as np

from rnn_course.data import make_adding_problem

began = time.perf_counter()
if FAST:
    SEEDS, STEPS, ROWS, EPOCHS, LENGTHS, DELAYS = SEEDS[:1], 24, 300, 1, LENGTHS[:1], DELAYS[:1]
train_rows = make_adding_problem(ROWS, time=STEPS, rng=np.random.default_rng(1))
test_rows = make_adding_problem(2_000, time=STEPS, rng=np.random.default_rng(2))
watched = make_adding_problem(32, time=STEPS, rng=np.random.default_rng(3))  # the gradient is measured on these
for numbers, target in zip(test_rows.inputs[:3], test_rows.targets[:3, 0], strict=True):
    first, second = np.flatnonzero(numbers[:, 1])
    print(f"steps {first:3} and {second:3}: {numbers[first, 0]:.3f} + {numbers[second, 0]:.3f} = {target:.3f}")

# %% [markdown]
# ## The honest baselines: always 1, and a line
#
# Whoever has understood nothing answers 1, the mean of a sum of two such numbers. Linear regression sees all the numbers and
# all the marks at once, four hundred columns, and needs no memory.

# %%
from sklearn.linear_model import Ridge

always_one = float(np.mean((test_rows.targets - 1) ** 2))
line = Ridge(alpha=10.0).fit(train_rows.inputs.reshape(ROWS, -1), train_rows.targets)
line_mse = float(np.mean((line.predict(test_rows.inputs.reshape(len(test_rows.inputs), -1)) - test_rows.targets) ** 2))
print(f"mean squared error: always 1 {always_one:.4f} (theory 1/6 = {1 / 6:.4f}), a line {line_mse:.4f}")

# %% [markdown]
# The line gains nothing: which number counts depends on where the mark is, and a product of number and mark is no line. To answer
# better than 1, a model must notice a mark and keep a number. How long must it keep it? From the mark to the end of the row.
#
# ## Three steps by hand
#
# Take away everything that is not needed: two units, no tanh, $h_t = h_{t-1} U + x_t W$, and an answer $L = h_3 \cdot v$ after
# three steps. What is $\partial L / \partial h_1$? From the end: $\partial L / \partial h_3 = v$. A change of $h_2$ passes
# through $U$ once, so $\partial L / \partial h_2 = U v$, and a change of $h_1$ passes twice. `gradient_flow` measures the same
# in a Keras model.

# %%
from rnn_course.probes import gradient_flow

U, W, v = np.array([[0.6, 0.9], [0.0, 0.6]]), np.eye(2), np.array([0.0, 1.0])
layer = keras.layers.SimpleRNN(2, activation="linear", use_bias=False, return_sequences=True, name="memory")
tiny = keras.Sequential([keras.Input((3, 2)), layer])
layer.set_weights([W, U])
row = np.random.default_rng(0).normal(size=(1, 3, 2)).astype("float32")


def answer(targets, states):
    """L = h_3 · v, a scalar, from states (batch, time, units)."""
    return keras.ops.sum(states[:, -1] * v.astype("float32"))


# %% [markdown]
# By hand on the left, measured on the right. How *long* do you expect the three vectors to be?

# %%
measured = gradient_flow(tiny, row, row, loss=answer).values[0]  # (time, units)
for t, by_hand in enumerate((U @ U @ v, U @ v, v)):
    print(
        f"∂L/∂h_{t + 1}: by hand {by_hand.round(4)}, length {np.linalg.norm(by_hand):.3f}; measured {measured[t].round(4)}"
    )

# %% [markdown]
# Both eigenvalues of this $U$ are 0.6, and yet the gradient one step back is *longer* than at the end. Eigenvalues rule
# the long run; the next few steps depend on the direction. Keep that in mind for the unit circle below.
#
# ## The trap: a derivative that is zero by construction
#
# There is a shorter way to write this, and you will meet it in other people's code: let the layer return all its states, and
# ask the tape for the derivative of the answer with respect to them. **Guess** the three rows before you run it.

# %%
import tensorflow as tf

with tf.GradientTape() as tape:
    stacked = layer(row)  # (1, 3, 2): all states in one tensor
    tape.watch(stacked)
    value = answer(None, stacked)
wrong = tape.gradient(value, stacked).numpy()[0]
direct = gradient_flow(tiny, row, row, loss=answer, kind="direct").values[0]
for t in range(3):
    print(f"step {t + 1}: stacked outputs {wrong[t]}, kind='direct' {direct[t]}, total {measured[t].round(4)}")

# %% [markdown]
# The first two rows are exactly zero: not small, not vanished, zero for every recurrent network whose answer reads the last
# state alone. The stacked tensor is a *copy* of the states. The way from $h_1$ to $h_2$ runs inside the layer, and nudging the
# copy moves nothing there. This is the *direct* gradient. The one that training uses is the *total* gradient, through every
# later step: $\delta_t = g_t + J_t^\top \delta_{t+1}$ with $J_t = \partial h_{t+1} / \partial h_t$. From here on, gradient
# means total.
#
# ## Before training: which cell has the worst gradient?
#
# Now the real task. The model is a recurrent layer and a dense readout of its last state.


# %%
def build_adder(layer, rate=RATE):
    """A recurrent layer and a readout of its last state: (batch, time, 2) to (batch, 1)."""
    model = keras.Sequential([keras.Input((None, 2)), layer, keras.layers.Dense(1, name="sum")])
    compiled = {"run_eagerly": True} if FAST else {"jit_compile": True}
    model.compile(optimizer=keras.optimizers.Adam(rate, clipnorm=1.0), loss="mse", **compiled)
    return model


CELLS = {"SimpleRNN": keras.layers.SimpleRNN, "LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU}
LAG = STEPS // 2  # the lag at which we will ask what arrives
untrained = {}
for name, cell in CELLS.items():
    keras.utils.set_random_seed(SEEDS[0])
    model = build_adder(cell(UNITS, name="memory"))
    untrained[name] = gradient_flow(model, watched.inputs, watched.targets, "memory").norm()  # (batch, time)

# %% [markdown]
# Time runs to the right and the loss is at the right end. Each line is the median of the watched rows, on a log scale: from one
# number on the axis to the next it is a factor of ten million.

# %%
from rnn_course.plots import plot_gradient_flow

_ = plot_gradient_flow(untrained, against="lag", title="Untrained: the GRU's gradient vanishes first")
for name, norm in untrained.items():
    print(f"{name:10} lag 1: {np.median(norm[:, -2]):.0e}   lag {LAG}: {np.median(norm[:, -1 - LAG]):.0e}")

# %% [markdown]
# From this start the SimpleRNN and the LSTM are alike (other starts of the SimpleRNN let more through; a table further down has
# the median of all seeds), and the GRU, which is sold as a cure, is worst by far. The reason is arithmetic. A GRU's update gate
# starts half open and multiplies by about $1/2$ a step; Keras starts an LSTM's forget gate at a bias of 1, so it multiplies by
# about $\sigma(1) = 0.73$; and Keras gives the SimpleRNN an orthogonal $U$, which loses only what tanh takes away. (The gated
# cells' lines fall a little less steeply than that: what passes through the candidate and the other gates comes on top.) If the
# gradient before training decided, the GRU would be the hopeless case.
#
# ## Training: who learns?
#
# `GradientFlowCallback` measures the same gradient on the same watched rows every hundred batches while `fit` goes on. It touches
# nothing: with or without it the weights come out the same. Training stops when the error of an epoch says that the task is
# solved.

# %%
from rnn_course.probes import GradientFlowCallback


def stop_when_solved(model):
    """A callback that ends training once an epoch's loss is below SOLVED; no arrays."""

    def look(epoch, logs):
        model.stop_training = logs["loss"] < SOLVED

    return keras.callbacks.LambdaCallback(on_epoch_end=look)


# %% [markdown]
# `fit` stays visible; what it is handed is the batch to measure on and the limit at which to stop.


# %%
def train(model, rows=train_rows, probe=watched, epochs=EPOCHS, every=100):
    """Fit a model and return what the callback saw: loss (records,), norm (records, batch, time)."""
    watch = GradientFlowCallback(probe.inputs, probe.targets, "memory", every=every, unit="batch")
    callbacks = [watch, stop_when_solved(model)]
    model.fit(rows.inputs, rows.targets, batch_size=50, epochs=epochs, verbose=0, callbacks=callbacks)
    return watch.history


def test_error(model, rows=test_rows):
    """Mean squared error on rows, a scalar."""
    return float(np.mean((keras.ops.convert_to_numpy(model(rows.inputs)) - rows.targets) ** 2))


# %% [markdown]
# Three cells, three seeds each, and for all of them the same budget. This is the longest cell of the lesson: each line below
# appears when its network is done.

# %%
models, histories, errors = {}, {}, {name: [] for name in CELLS}
for name, cell in CELLS.items():
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        start = time.perf_counter()
        models[name, seed] = build_adder(cell(UNITS, name="memory"))
        histories[name, seed] = train(models[name, seed])
        errors[name].append(test_error(models[name, seed]))
        spent, batches = time.perf_counter() - start, histories[name, seed]["batch"][-1]
        print(f"{name:10} seed {seed}: test error {errors[name][-1]:.4f} after {batches:5,} batches, {spent:3.0f} s")

# %% [markdown]
# The loss of the watched rows on the way. The dashed line is the answer 1.

# %%
from rnn_course.plots.style import BASELINE_STYLE, CELL_COLORS, axes_or_new, label_axes

CELL_OF = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}
ax = axes_or_new()
for (name, seed), history in histories.items():
    label = name if seed == SEEDS[0] else None
    ax.plot(history["batch"], history["loss"], color=CELL_COLORS[CELL_OF[name]], label=label, linewidth=1.5)
ax.axhline(always_one, label="always 1", **BASELINE_STYLE)
ax.set(yscale="log", ylim=(5e-4, 0.5))
ax.legend(frameon=False, loc="lower left")
title = "Nothing happens for a long time, and then everything does"
label_axes(ax, x=f"batches of 50 rows, {len(SEEDS)} seeds", y="mean squared error", title=title)

# %% [markdown]
# The GRU, the hopeless case, learns first. The LSTM waits on a plateau whose length is a matter of luck. The SimpleRNN stays
# with the answer 1. On held-out rows, and below the picture what Bai, Kolter and Koltun (2018) report for rows of 600 steps:

# %%
from rnn_course.plots import plot_scores

_ = plot_scores(
    errors,
    baseline={"always 1": always_one},
    quantity="test mean squared error",
    value_format=".4f",
    title="Two cells remember for two hundred steps, one does not",
)
published = {"SimpleRNN": 0.177, "LSTM": 0.164, "GRU": 5.3e-5}
print("published for 600 steps:", ", ".join(f"{name} {error:g}" for name, error in published.items()))

# %% [markdown]
# Theirs is the order in which our cells arrived, on a row three times as long: the GRU is there, the LSTM still near the answer
# 1, and so is the SimpleRNN.
#
# ## The gradient opens, and the loss falls
#
# Why? Here is every measurement of one run of each cell: batches to the right, the lag upward, bright where the gradient is large.
# The loss sits at lag 0, at the bottom. All pictures share one scale, so brightness can be compared.

# %% tags=["picture"]
from rnn_course.plots import figure_grid, plot_gradient_history

shown = {name: histories[name, SEEDS[0]] for name in CELLS}
figure, axes = figure_grid(1, 3, row_height=3.2, sharey=True)
for ax, (name, history) in zip(axes[0], shown.items(), strict=True):
    last = ax is axes[0, -1]
    plot_gradient_history(
        history["norm"], epochs=history["batch"], unit="batch", limits=(1e-12, 1e-2), color_bar=last, title=name, ax=ax
    )
    ax.set(xlabel="batch", ylabel="lag, steps before the loss" if ax is axes[0, 0] else "")
    ax.locator_params(axis="x", nbins=3)

# %% [markdown]
# The gated cells change from dark to bright across the whole picture: they *open*. Look at the LSTM before it does: while it waits,
# its far gradient gets smaller still. The SimpleRNN flares up now and then, and falls back. (Gray, if you find some, is exactly
# zero: a number too small for 32 bits.)
#
# Does the gradient open because the task is solved, or is the task solved because it opened? The order can be read off the record,
# to the hundred batches that lie between two measurements: the first batch at which the gradient at the chosen lag is a thousand
# times what it was at the start, and the first at which the loss has left the plateau by a tenth.


# %%
def first_batch(history, when):
    """Batch of the first record where `when` (records,) holds; None if there is none."""
    return int(history["batch"][np.argmax(when)]) if np.any(when) else None


def course(history):
    """Batches at which the gradient at LAG opened and at which the loss fell, and the lowest it went before: a tuple."""
    far = np.median(history["norm"][:, :, -1 - LAG], axis=1)  # (records,)
    opened, fell = first_batch(history, far > 1_000 * far[0]), first_batch(history, history["loss"] < 0.9 * always_one)
    return opened, fell, float(far.min() / far[0])


courses = {key: course(history) for key, history in histories.items()}
for (name, seed), (opened, fell, lowest) in courses.items():
    print(f"{name:10} seed {seed}: opened at batch {opened}, loss fell at {fell}; lowest {lowest:.0e} of the start")

# %% [markdown]
# In the GRU the order is plain: the gradient opens within the first hundred batches, long before the loss leaves its plateau.
# In the LSTM the two come in one and the same interval, after a plateau on which the far gradient sank below its start. (In the
# picture it begins to rise two measurements earlier, while the loss still stands.) And a gradient that flares up, as it may in
# a SimpleRNN, is not yet a network that learns.
#
# The same in motion: the curve of the gradient against the lag, and the loss beside it. Runs that have finished stand
# still.

# %%
from rnn_course.plots import animate_gradient_flow

longest = max(len(history["batch"]) for history in shown.values())
records = np.unique(np.linspace(0, longest - 1, 30).astype(int))


def at_records(values):
    """Values (records, …) at the frames of the animation; a run that has ended repeats its last one."""
    return values[np.minimum(records, len(values) - 1)]


# %% [markdown]
# Thirty records at most, one frame each.

# %%
batches = max((history["batch"] for history in shown.values()), key=len)[records]
film = animate_gradient_flow(
    {name: at_records(history["norm"]) for name, history in shown.items()},
    epochs=batches,
    unit="batch",
    scores={name: at_records(history["loss"]) for name, history in shown.items()},
    score_name="mean squared error",
    baseline=always_one,
)
film

# %% [markdown]
# And as three stills: before, when the GRU's loss falls, and at the end. (A line that ends in the middle has not reached zero;
# it has left the picture at the bottom.)

# %%
from rnn_course.plots import plot_gradient_stage

norms = {name: at_records(history["norm"]) for name, history in shown.items()}
fall = courses["GRU", SEEDS[0]][1] or 0
stages = (0, int(np.argmax(batches >= fall)), len(records) - 1)
figure, axes = figure_grid(1, 3, row_height=3.0, sharey=True)
for ax, record in zip(axes[0], stages, strict=True):
    plot_gradient_stage(norms, record=record, epochs=batches, unit="batch", named=record == stages[-1], ax=ax)
    ax.set_ylabel(ax.get_ylabel() if record == stages[0] else "")

# %% [markdown]
# ## A hundred steps back, in numbers
#
# A gradient shrinks when a network has little left to learn, whatever its memory. So the fair number is a ratio: what arrives at the
# chosen lag, as a share of what there is one step before the loss. Median over the watched rows, then over the seeds.


# %%
def share_arriving(norm):
    """Median over rows of the gradient at LAG over that at lag 1, a scalar, from norms (batch, time)."""
    return float(np.median(norm[:, -1 - LAG] / norm[:, -2]))


before = {name: np.median([share_arriving(histories[name, s]["norm"][0]) for s in SEEDS]) for name in CELLS}
after = {name: np.median([share_arriving(histories[name, s]["norm"][-1]) for s in SEEDS]) for name in CELLS}
for name in CELLS:
    print(f"{name:10} share at lag {LAG}: before training {before[name]:.0e}, after {after[name]:.0e}")
far = [np.median(histories["SimpleRNN", seed]["norm"], axis=1) for seed in SEEDS]  # each (records, time)
flares = float(np.mean([norms[:, -1 - LAG] > 1e-5 * norms[:, -2] for norms in far]))
orders_lstm, orders_gru = (np.log10(after[name] / after["SimpleRNN"]) for name in ("LSTM", "GRU"))
print(f"orders of magnitude above the SimpleRNN: LSTM {orders_lstm:.1f}, GRU {orders_gru:.1f}")
print(f"measurements in which the SimpleRNN's share was above 1e-5: {flares:.0%}")

# %% [markdown]
# "After" is the last measurement, and for the SimpleRNN that is a matter of luck: its far gradient goes up and down by many
# orders of magnitude as long as it trains. Had we caught it in one of its flares, the pictures below would be brighter, and its
# answers no better. The gated cells above opened once and stayed open.
#
# ## What opened: a gate, once there is something to keep
#
# A gated cell multiplies what it holds by a gate, step after step. If the gate's typical opening is $f$, half is left after
# $\ln \tfrac12 / \ln f$ steps. `memory_half_life` reads that off a trace, one number for each unit, over the steps that a mask
# selects. We look at three parts of each row: before its first mark, between the marks, and after the second.

# %%
first = watched.inputs[:, :, 1].argmax(axis=1)  # (batch,), the step of the first mark
second = STEPS - 1 - watched.inputs[:, ::-1, 1].argmax(axis=1)
at = np.arange(STEPS)
parts = {
    "before the first mark": at < first[:, None],  # each (batch, time)
    "between the marks": (at > first[:, None]) & (at < second[:, None]),
    "after the second": at > second[:, None],
}

# %% [markdown]
# **Guess** in which part a network that remembers keeps its gates open. The table gives the half-life of the unit that keeps
# longest.

# %%
from dataclasses import replace

from rnn_course.probes import memory_half_life, trace

half_lives = {}
for name in ("LSTM", "GRU"):
    keras.utils.set_random_seed(SEEDS[0])
    fresh = build_adder(CELLS[name](UNITS, name="memory"))
    for when, model in (("before", fresh), ("after", models[name, SEEDS[0]])):
        seen = trace(model, watched.inputs, "memory")
        for part, mask in parts.items():
            half_lives[name, when, part] = float(memory_half_life(replace(seen, mask=mask)).steps.max())
            print(f"{name:4} {when:6} training, {part:21} {half_lives[name, when, part]:6.1f} steps")

# %% [markdown]
# Nobody told the network to remember for two hundred steps. It found the gate, and it found *when*: with two marks read and
# nothing more to come it holds on far longer than before the first, when there is nothing to keep. A SimpleRNN has no such
# gate. To hold a number it would have to give its matrix $U$ a direction along which it neither grows nor shrinks, stay in the
# narrow range in which tanh is a line, and do so at every step alike.
#
# ## It listens to two numbers in two hundred
#
# The same derivative can be asked of the inputs: how much would the answer change if step $t$ of the input were another?
# `connectivity` asks it for every length of the row at once. Each line of the picture is the network after step $s$, each column
# a step of the input; brightness is $\lVert \partial (v \cdot h_s) / \partial x_t \rVert$, with $v$ the weights of the readout.
# Both scales end at 1: so much the right sum changes with a marked number.

# %%
from rnn_course.plots import plot_connectivity
from rnn_course.probes import connectivity

figure, axes = figure_grid(1, 2, row_height=3.4)
heard, marked = {}, watched.inputs[0, :, 1] > 0
findings = {"LSTM": "the marks stay", "SimpleRNN": "the last steps"}
for ax, (name, finding) in zip(axes[0], findings.items(), strict=True):
    readout = models[name, SEEDS[0]].get_layer("sum").get_weights()[0][:, 0]  # v, (units,)
    found = connectivity(models[name, SEEDS[0]], watched.inputs[:1], "memory", readout=readout).values  # (1, s, t)
    plot_connectivity(found, limit=1, quantity="‖∂(v·h)/∂x‖", title=f"{name}: {finding}", ax=ax)
    weaker, rest = found[0, -1, marked].min(), np.median(found[0, -1, ~marked])
    heard[name] = float(weaker / rest)
    print(f"{name:10} at the end: the weaker mark {weaker:.0e}, median of the other steps {rest:.0e}")

# %% [markdown]
# The trained LSTM draws two bright columns, one from each mark down to the last line: whatever it reads later, these two steps
# stay in what it would say. The SimpleRNN draws a band along the diagonal. It always listens to the last few dozen steps, and it
# cannot tell a number worth keeping from one that is not.
#
# ## All directions at once: singular values of the Jacobian
#
# A gradient is one direction, that of one loss. How about the others? $\partial h_T / \partial h_t$ is a matrix of 32 by 32
# numbers, and its singular values say by how much the way from step $t$ to the end stretches each direction. A network can learn
# from step $t$ only along directions that survive. For the LSTM we ask for the cell state, on which its memory travels.

# %%
from rnn_course.plots import plot_spectrum
from rnn_course.probes import jacobian_spectrum

spectra = {}
for name in CELLS:
    wrt = "cell" if name == "LSTM" else "hidden"
    found = jacobian_spectrum(models[name, SEEDS[0]], watched.inputs[:1], "memory", wrt=wrt)
    spectra[name] = found.singular_values  # (1, time, units)
    values = spectra[name][0, -1 - LAG]
    alive = (values > values[0] / 1_000).sum()
    print(f"{name:10} lag {LAG}: largest singular value {values[0]:.0e}, {alive} of {UNITS} above a thousandth of it")
_ = plot_spectrum(spectra, against="lag", title="After training: few directions survive")

# %% [markdown]
# Solid is the largest singular value, dashed the median. The cells that learned keep some directions alive across the whole
# row, the LSTM a few and the GRU more, while most fall away: the task needs one number remembered, not thirty-two. (What lies more than some
# fifteen powers of ten below its solid line is the rounding of 64 bits, and its height means nothing: the dashed lines of the
# LSTM and the SimpleRNN end there.)
#
# ## The unit circle does not tell
#
# The textbook looks at the eigenvalues of $U$: inside the unit circle the gradient vanishes, outside it explodes. For a network
# without tanh that is the whole truth in the long run. **Guess** where the SimpleRNN's eigenvalues lie, before and after.

# %%
from rnn_course.plots import plot_eigenvalues
from rnn_course.probes import recurrent_spectral_radius

keras.utils.set_random_seed(SEEDS[0])
fresh = build_adder(keras.layers.SimpleRNN(UNITS, name="memory"))
circles = {"before": fresh, "after": models["SimpleRNN", SEEDS[0]]}
radii = {when: recurrent_spectral_radius(model, "memory") for when, model in circles.items()}
title = "SimpleRNN: eigenvalues outside the circle, gradient gone"
_ = plot_eigenvalues({when: found.eigenvalues["state"] for when, found in radii.items()}, title=title)
for when, model in circles.items():
    hidden = trace(model, watched.inputs, "memory").hidden
    print(f"{when:6}: radius {radii[when].radius['state']:.2f}, mean slope of tanh {np.mean(1 - hidden**2):.2f}")

# %% [markdown]
# They start *on* the circle: the orthogonal start is made so. After training the farthest lies well outside, which by the
# textbook means explosion, and the measured gradient has vanished all the more. What kills it is the slope of tanh, which
# multiplies every step by a number below 1, and the larger the weights the flatter the tanh. The eigenvalues of $U$ are half of
# the story; the Jacobian, $\mathrm{diag}(1 - h_{t+1}^2)\,U^\top$, is the whole one, and it changes from row to row. That is why
# this lesson measures it.
#
# ## Opening the gate by hand
#
# If the plateau is the time a network needs to find its gate, a better start should shorten it. Three for the LSTM: a
# forget bias of 0 (the gate half open), Keras' 1, and the *chrono* start of Tallec and Ollivier (2018): biases $b = \ln u$ with
# $u$ between 1 and $T - 1$, so that the units' memories have lengths from a step to the whole row. And one for the
# SimpleRNN: identity matrix and ReLU instead of tanh (Le, Jaitly and Hinton 2015), so that at the start it keeps everything.

# %%
chrono = np.log(np.random.default_rng(0).uniform(1, STEPS - 1, size=UNITS)).astype("float32")
four_biases = np.concatenate([-chrono, chrono, np.zeros(2 * UNITS, "float32")])  # input, forget, candidate, output
identity = {
    "activation": "relu",
    "recurrent_initializer": "identity",
    "kernel_initializer": keras.initializers.RandomNormal(stddev=0.001, seed=0),
}
by_hand = {"unit_forget_bias": False, "name": "memory"}  # without this, Keras puts 1 on the forget gate
starts = {
    "LSTM, forget bias 0": build_adder(keras.layers.LSTM(UNITS, **by_hand)),
    "LSTM, chrono": build_adder(keras.layers.LSTM(UNITS, bias_initializer=lambda *_, **__: four_biases, **by_hand)),
    "SimpleRNN, identity": build_adder(keras.layers.SimpleRNN(2 * UNITS, name="memory", **identity), rate=3e-4),
}

# %% [markdown]
# Each gets three epochs, one seed. The two starts that you know are read off the runs above. The ReLU network gets a smaller learning
# rate and twice the units, without which it runs away. The question: at which batch does the loss leave the plateau?

# %%
started = {f"{name}, Keras' own": histories[name, SEEDS[0]] for name in ("LSTM", "SimpleRNN")}
for name, model in starts.items():
    started[name] = train(model, epochs=min(EPOCHS, 3))
left_plateau, open_at_start = {}, {}
for name, history in sorted(started.items()):
    left_plateau[name], open_at_start[name] = course(history)[1], share_arriving(history["norm"][0])
    print(
        f"{name:21} share at lag {LAG} at the start {open_at_start[name]:.0e}, leaves the plateau: {left_plateau[name]}"
    )

# %% [markdown]
# One line of code, a bias, and the plateau shrinks to about a quarter: with the chrono start the far gradient is there before
# the first batch. With a half open gate the plateau outlasts the three epochs; but Keras' own start, which took longer than
# that too, would not have left it either. The identity start teaches the opposite: its gradient arrives whole from the
# beginning, and the loss stays where it was. An open gradient is not yet a memory that can choose. (Le, Jaitly and Hinton
# trained theirs far longer, and it did learn.)
#
# ## The other end: explosion
#
# With $U$ a little outside the circle the product grows instead. We take the SimpleRNN with an orthogonal start stretched by
# a half and plain gradient descent, and look at the gradient before training; then we train it twice, as it is and with the
# gradient clipped to length 1 (Pascanu, Mikolov and Bengio 2013): a longer one is shortened, its direction kept. And a third
# time, free, but with the weights of the readout held, so that only the memory can run away.

# %%
stretched = keras.initializers.Orthogonal(gain=1.5, seed=0)
explosion = {}
for name, limit in {"free": None, "clipped": 1.0, "readout held": None}.items():
    keras.utils.set_random_seed(SEEDS[0])
    model = build_adder(keras.layers.SimpleRNN(UNITS, recurrent_initializer=stretched, name="memory"))
    model.get_layer("sum").trainable = name != "readout held"
    model.compile(optimizer=keras.optimizers.SGD(0.1, global_clipnorm=limit), loss="mse", run_eagerly=FAST)
    explosion[name] = train(model, epochs=1, every=max(1, ROWS // 2_000))
untrained_norm = explosion["free"]["norm"][0]
grown = np.median(untrained_norm[:, 0] / untrained_norm[:, -2])
print(f"before training the gradient at step 1 is {grown:.0e} times that one step before the loss (median row)")

# %% [markdown]
# And the losses on the way:

# %%
for name, history in explosion.items():
    values = ", ".join(f"{history['loss'][k]:.3g} after {history['batch'][k]}" for k in (0, 1, 2, -1))
    print(f"{name:12} loss, by batches: {values}")
held = np.mean(np.sum(trace(model, watched.inputs, "memory").hidden[:, -1] ** 2, axis=-1))
print(f"with the readout held, the last state has a squared length of {held:.1f}, where {UNITS} is the most")

# %% [markdown]
# Without the limit ten batches suffice to send the loss beyond a hundred million, and when the epoch is over no number is left
# (`nan`). But look at the third line: with the readout held the loss stays a number, without any clipping. The exploding gradient
# throws the units to the ends of tanh, where nothing more can happen to them; what then runs away is the readout, for which
# 32 units at their limits make a step of 0.1 far too long. One explosion sets off the other. With the limit there is neither. Note what clipping did *not* do: the loss is where the answer 1 is. A gradient that
# explodes seems to carry as little news about the first mark as one that vanishes; clipping bounds the step, it does not point
# it anywhere.
#
# ## Cut the gradient, keep the numbers
#
# So far we have watched. Does the far gradient *matter*? Here is a network whose forward pass is the GRU's, number for number, and
# whose gradient ends after a fifth of the row: it is read in pieces, and between two pieces the state is handed on but the derivative
# is not (`stop_gradient`).


# %%
class CutGradient(keras.layers.Layer):
    """A recurrent layer that reads (batch, STEPS, features) in pieces and lets no gradient through between them."""

    def __init__(self, layer, window, **options):
        super().__init__(**options)
        self.layer, self.window = layer, window

    def call(self, inputs):
        state = keras.ops.zeros((keras.ops.shape(inputs)[0], self.layer.units))
        for start in range(0, STEPS, self.window):
            piece = inputs[:, start : start + self.window]
            state = self.layer(piece, initial_state=keras.ops.stop_gradient(state))
        return state


# %% [markdown]
# And a task that needs the far gradient: both marks in the *first* half of the row, so that nothing within the last hundred steps
# helps. Here are both tasks and both networks.


# %%
def make_far_rows(count, seed):
    """The adding problem with both marks in the first half of the row: inputs (count, STEPS, 2), targets (count, 1)."""
    rng = np.random.default_rng(seed)
    rows = make_adding_problem(count, time=STEPS // 2, rng=rng)
    quiet = np.zeros((count, STEPS - STEPS // 2, 2), "float32")
    quiet[:, :, 0] = rng.random(quiet.shape[:2])  # numbers, and no mark
    return rows._replace(inputs=np.concatenate([rows.inputs, quiet], axis=1))


# %% [markdown]
# Both tasks, and both ways for the gradient:

# %%
tasks = {
    "marks in both halves": (train_rows, test_rows),
    "marks in the first half": (make_far_rows(ROWS, 4), make_far_rows(2_000, 5)),
}
paths = {
    "whole gradient": lambda: keras.layers.GRU(UNITS),
    "gradient cut": lambda: CutGradient(keras.layers.GRU(UNITS), window=STEPS // 5),
}

# %% [markdown]
# **Write down** which of the four learn: whole or cut gradient, marks in both halves or in the first alone.

# %%
cut = {("marks in both halves", "whole gradient"): errors["GRU"][0]}  # trained above
for task, path in ((task, path) for task in tasks for path in paths if (task, path) not in cut):
    rows, held_out = tasks[task]
    keras.utils.set_random_seed(SEEDS[0])
    model = build_adder(paths[path]())
    stop = [stop_when_solved(model)]
    model.fit(rows.inputs, rows.targets, batch_size=50, epochs=min(EPOCHS, 6), verbose=0, callbacks=stop)
    cut[task, path] = test_error(model, held_out)
for (task, path), error in cut.items():
    print(f"{task:23} {path:14} test error {error:.4f}")

# %% [markdown]
# With the marks far away, cutting the gradient is the end of it: the same network with the same forward pass still answers 1
# when its training is over. So the gradient is a cause.
#
# But the first two lines are the surprise. With marks anywhere, a network whose gradient never reaches further back than a
# fifth of the row learns to remember across all of it. Some rows have their second mark close to the end, within reach; from
# these it learns to take a marked number in and to hold it, and since the same weights serve every step, what holds for a few
# steps holds for two hundred. A network does not need a gradient from every lag. It needs one lesson from somewhere. That may
# also be how the GRU, with the worst gradient of all, came to be first.
#
# ## How long is too long? It depends on who reads
#
# The adding problem at shorter lengths, for six epochs at most. The table gives the epochs until one was below the limit, and
# the test error.

# %%
lengths = {}
for steps in LENGTHS:
    rows = make_adding_problem(ROWS, time=steps, rng=np.random.default_rng(6))
    held_out = make_adding_problem(2_000, time=steps, rng=np.random.default_rng(7))
    for name, cell in CELLS.items():
        keras.utils.set_random_seed(SEEDS[0])
        model = build_adder(cell(UNITS))
        stop = [stop_when_solved(model)]
        seen = model.fit(rows.inputs, rows.targets, batch_size=50, epochs=min(EPOCHS, 6), verbose=0, callbacks=stop)
        lengths[steps, name] = test_error(model, held_out)
        print(f"{steps:3} steps, {name:10} {len(seen.epoch)} epochs, test error {lengths[steps, name]:.4f}")

# %% [markdown]
# The SimpleRNN is not a bad cell; it is a cell with a short reach. Within it, it learns the same task.
#
# ## Copy memory: ten symbols instead of two numbers
#
# The second classic asks for more: read ten symbols, wait, and repeat them in order when a signal comes. To guess costs
# $10 \ln 8 / T$ nats a step. We report the share of the ten symbols that is repeated rightly (one in eight by chance), after one epoch.

# %%
from rnn_course.data import make_copy_memory
from rnn_course.sequences import one_hot


def copied_share(cell, rows, held_out):
    """Train a cell on copy memory; the share of the held-out symbols, (batch, 10), that it repeats rightly."""
    keras.utils.set_random_seed(SEEDS[0])
    layers = [keras.Input((None, 10)), cell(2 * UNITS, return_sequences=True), keras.layers.Dense(9)]
    model = keras.Sequential(layers)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE, clipnorm=1.0), loss, jit_compile=not FAST, run_eagerly=FAST)
    inputs = one_hot(rows.inputs, size=10)  # (batch, time, 10): eight symbols, blank, signal
    model.fit(inputs, rows.targets, batch_size=50, verbose=0)
    said = keras.ops.convert_to_numpy(model(one_hot(held_out.inputs, size=10))).argmax(axis=-1)  # (batch, time)
    return float(np.mean(said[:, -10:] == held_out.targets[:, -10:]))


# %% [markdown]
# **Guess** the order of the cells once more.

# %%
copied = {}
for delay in DELAYS:
    rows = make_copy_memory(ROWS, delay=delay, rng=np.random.default_rng(8))
    held_out = make_copy_memory(500, delay=delay, rng=np.random.default_rng(9))
    for name, cell in CELLS.items():
        copied[delay, name] = copied_share(cell, rows, held_out)
        print(f"{delay:3} steps to wait, {name:10} {copied[delay, name]:.1%}")

# %% [markdown]
# Look at the shortest wait. The SimpleRNN, which could not keep one number for fifty steps, repeats ten symbols all but without
# a fault before the gated cells have half of them. Its orthogonal start is the likely reason: such a matrix turns the state a
# little further at every step and loses nothing, a conveyor belt that carries everything, in order, and for a dozen steps tanh
# takes little away. What it cannot do is *choose*: keep this number and let two hundred others pass. That is what gates are
# for, and choosing is what the adding problem asks. With a longer wait nobody gets anywhere in one epoch, and published runs
# with a thousand steps (Bai et al. 2018) leave all three cells at the level of guessing. "Long memory" is more than one thing.
#
# ## Exercises
#
# Nothing below depends on them. Fill in the function and run the cell; ask for `exercises.q1.hint()` when you are stuck.
#
# ### Exercise 1 · 10 minutes
#
# Predict, then prove: for $h_t = h_{t-1} U + x_t W$ and $L = h_T \cdot v$, write `gradient_at_lag(recurrent_kernel, readout, lag)`,
# $\partial L / \partial h_{T - \text{lag}}$, `(units,)`. Lag 0 is $h_T$ itself.

# %%
from rnn_course.exercises import vanishing_gradients as exercises


def gradient_at_lag(recurrent_kernel, readout, lag): ...


exercises.q1.check(gradient_at_lag)

# %% [markdown]
# ### Exercise 2 · 15 minutes
#
# A colleague wrote the recursion $\delta_t = g_t + J_t^\top \delta_{t+1}$ and finds that gradients vanish after one step, in every
# network. There are two faults. `direct` is $g$, `(time, units)`; `jacobians[t][i, j]` is $\partial h_{t+1, i} / \partial h_{t, j}$,
# `(time - 1, units, units)`. Write `total_gradient(direct, jacobians)`.


# %%
def broken_total_gradient(direct, jacobians):
    total = direct.copy()
    for t in range(len(direct) - 1):
        total[t] += jacobians[t].T @ direct[t + 1]
    return total


def total_gradient(direct, jacobians): ...


exercises.q2.check(total_gradient)

# %% [markdown]
# ### Exercise 3 · 5 minutes
#
# You want an LSTM whose cell, reading nothing, has lost half of what it holds after `half_life` steps. Write
# `forget_bias(half_life)`: the bias of its forget gate, if nothing but the bias moves that gate.


# %%
def forget_bias(half_life): ...


exercises.q3.check(forget_bias)

# %% [markdown]
# ### Exercise 4 · 10 minutes
#
# Clip a whole network's gradient: write `clip_together(gradients, limit)`, which takes a list of arrays and returns a list whose
# *common* norm is at most `limit`, with the direction kept. Shorter gradients stay as they are.


# %%
def clip_together(gradients, limit): ...


exercises.q4.check(clip_together)

# %% [markdown]
# ## You have seen
#
# - Where the answer reads the last state alone, differentiating a layer's stacked output gives exactly zero for earlier steps.
#   The gradient through time is another number.
# - Before training, the gradient of all three cells is gone long before the row is over, and the one with the worst start learned first.
# - When a gated cell learns, its gradient opens by many orders of magnitude. The SimpleRNN's flares up at best.
# - Gates are what opens, and they open once there is something to keep. A bias at the start opens them by hand and spares the plateau.
# - Eigenvalues on the unit circle, or outside it, do not save a gradient that tanh flattens.
# - "Long memory" is more than one thing: the cell that cannot add is the best at copying without a wait.
# - Clipping bounds a step. It does not make an exploded gradient tell anything.
# - Cut the gradient and the far task is lost; but one near example is enough, because the weights are shared over time.
#
# ## What is not known from this
#
# - Three seeds, one size, one learning rate, one optimizer. The length of the LSTM's plateau differs between seeds by hundreds
#   of batches; that the GRU is the faster one was seen in these runs, at this one learning rate, and no more.
# - That the GRU's gradient rose before its loss fell is an order in time, not a proof of cause. The cut is the proof, for one
#   cell and one task. The LSTM's begins to rise a little before the loss falls, in the one picture that we have; a hundred
#   batches between two measurements are too many to say more.
# - A SimpleRNN with another start, another optimizer or far more patience may solve the task; Le, Jaitly and Hinton report that theirs did.
# - A gradient norm says how loudly the error is heard at a step, not whether what it says is of use.
#
# ## References
#
# - Hochreiter and Schmidhuber (1997), *Long short-term memory*, Neural Computation 9: the adding problem, and the cell made for it.
# - Bengio, Simard and Frasconi (1994), *Learning long-term dependencies with gradient descent is difficult*: why holding fast and
#   passing gradients are at odds.
# - Pascanu, Mikolov and Bengio (2013), *On the difficulty of training recurrent neural networks*, ICML: vanishing, explosion, clipping.
# - Le, Jaitly and Hinton (2015), *A simple way to initialize recurrent networks of rectified linear units*: the identity start.
# - Arjovsky, Shah and Bengio (2016), *Unitary evolution recurrent neural networks*, ICML: both tasks in today's form.
# - Tallec and Ollivier (2018), *Can recurrent neural networks warp time?*, ICLR: the chrono start, derived in a page.
# - Bai, Kolter and Koltun (2018), *An empirical evaluation of generic convolutional and recurrent networks for sequence modeling*: the
#   published figures on both tasks.
# - Werbos (1990), *Backpropagation through time*, Proceedings of the IEEE 78: the recursion of $\delta_t$.
#
# ## The figures of this run
#
# The last cells collect them: first those of the three cells, then those of the interventions, then all.

# %%
figures = {f"adding_mse_{CELL_OF[name]}": float(np.mean(errors[name])) for name in CELLS}
figures |= {f"adding_mse_{CELL_OF[name]}_std": float(np.std(errors[name])) for name in CELLS}
figures |= {f"adding_mse_{CELL_OF[name]}_worst": float(np.max(errors[name])) for name in CELLS}
figures |= {f"share_before_{CELL_OF[name]}": float(before[name]) for name in CELLS}
figures |= {f"share_after_{CELL_OF[name]}": float(after[name]) for name in CELLS}
at_end = {name: [np.median(histories[name, seed]["norm"][-1][:, -1 - LAG]) for seed in SEEDS] for name in CELLS}
figures |= {f"gradient_after_{CELL_OF[name]}": float(np.median(norms)) for name, norms in at_end.items()}
figures |= {f"half_life_{CELL_OF[n]}_{when}_{k}".replace(" ", "_"): x for (n, when, k), x in half_lives.items()}
figures |= {f"heard_{CELL_OF[name]}": ratio for name, ratio in heard.items()}
figures |= {"simple_rnn_flares": flares}
figures |= {"clipped_loss": float(explosion["clipped"]["loss"][-1])}
figures |= {"held_readout_loss": float(explosion["readout held"]["loss"][-1]), "held_readout_length": float(held)}
figures |= {"free_loss_is_finite": bool(np.isfinite(explosion["free"]["loss"][-1]))}
figures |= {f"spectral_radius_{when}": float(found.radius["state"]) for when, found in radii.items()}

# %% [markdown]
# What was never reached is left out.

# %%
figures |= {f"copied_{CELL_OF[name]}_delay_{delay}": share for (delay, name), share in copied.items()}
figures |= {f"adding_mse_{CELL_OF[name]}_{steps}_steps": error for (steps, name), error in lengths.items()}
figures |= {f"untrained_gradient_{CELL_OF[name]}": float(np.median(x[:, -1 - LAG])) for name, x in untrained.items()}
figures |= {
    f"plateau_{name}".lower().replace(", ", "_").replace(" ", "_"): at for name, at in left_plateau.items() if at
}
opened = {name: [courses[name, seed][:2] for seed in SEEDS if courses[name, seed][0]] for name in CELLS}
figures |= {f"opened_{CELL_OF[name]}": len(pairs) for name, pairs in opened.items()}
figures |= {f"opened_and_learned_{CELL_OF[name]}": sum(bool(b) for _, b in pairs) for name, pairs in opened.items()}
figures |= {"lstm_lowest_before": float(np.max([courses["LSTM", seed][2] for seed in SEEDS]))}
figures |= {f"cut_mse_{task} {path}".replace(" ", "_"): error for (task, path), error in cut.items()}

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "source": "generated",
    "seeds": len(SEEDS),
    "test_adding_mse": figures["adding_mse_lstm"],
    "test_adding_mse_std": figures["adding_mse_lstm_std"],
    "baseline_adding_mse": always_one,
    "adding_mse_of_a_line": line_mse,
    "orders_of_magnitude_lstm": float(orders_lstm),
    "orders_of_magnitude_gru": float(orders_gru),
    "gru_opened_first": sum(a < b for a, b in opened["GRU"] if b),
    "lstm_opened_not_later": sum(a <= b for a, b in opened["LSTM"] if b),
    **figures,
}
results
