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
# # 20. Appendix: where do the milliseconds of a training step go?
#
# An LSTM reads a batch of sequences, a loss is taken, gradients come back: one training step. Keras' own layer takes some
# milliseconds for it. The multiplications it needs can be counted, and one large matrix product on the same machine says how quick
# they could be: they would be done in a fraction of the step. Who has the rest?
#
# Four suspects. The products are many and small, not one and large. Between them stand the element-wise functions, sigmoids and
# tanhs. The loop itself has a hundred turns. And the way back is written by a machine. Before anything runs: put them in order, and
# write down which one you would go after first, and what you expect to gain.
#
# **You will**
#
# - count what a training step has to compute, and take the step apart with a clock;
# - write the loop of an LSTM by hand, and give it four ideas that everybody would call improvements;
# - find that none of them helps alone, find out why, and what they do together;
# - derive a gradient in which a hundred small products and their sum are one product, and let TensorFlow use it;
# - see what learning curves say about two wrong gradients, and the one line that says the truth;
# - know at which sizes the result pays, at which it does not, and where it steps aside.
#
# Minutes on two CPU cores: four to run, fifty to read. The data are generated: nothing is downloaded. The ideas end in layers that
# you can use in place of Keras' own: `FusedLSTM`, `FusedGRU` and `FusedSimpleRNN`.

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
# The first row of sizes is that of the step that is taken apart; `SECONDS` is how long things that are compared take turns; `SIZES`
# are (units, time, batch) at which the result is tried at the end. `FAST` shrinks the run for tests.

# %% tags=["parameters"]
SOURCE = "auto"  # nothing is loaded here: the numbers are noise, the text is the course's own
FAST = False
SEED = 0
BATCH, TIME, FEATURES, UNITS = 64, 100, 64, 128
SECONDS = 5.0
SIZES = ((32, 20, 16), (64, 100, 16), (128, 100, 16), (128, 100, 64), (128, 400, 64), (256, 100, 64), (512, 100, 64))
CHARACTERS, EPOCHS, RATE = 200_000, 24, 3e-3

# %% [markdown]
# ## What is timed: a batch of noise
#
# No time below depends on what the numbers are, so they are drawn: `BATCH` sequences of `TIME` steps with `FEATURES` numbers each. The
# loss is the mean square of all outputs. Gradients are taken of the inputs, which a layer below would want, and of the three weights:
# kernel W, recurrent kernel U, bias b.

# %%
import time
from functools import partial

import numpy as np
import tensorflow as tf

began = time.perf_counter()
if FAST:
    BATCH, TIME, FEATURES, UNITS, SECONDS, SIZES = 8, 10, 6, 8, 0.1, ((8, 10, 4),)
    CHARACTERS, EPOCHS = 6_000, 6
keras.utils.set_random_seed(SEED)
x = tf.random.normal((BATCH, TIME, FEATURES))
layer = keras.layers.LSTM(UNITS, return_sequences=True)
layer.build(x.shape)
weights = [variable.value for variable in layer.trainable_variables]
print("x", x.shape, " W", weights[0].shape, " U", weights[1].shape, " b", weights[2].shape)

# %% [markdown]
# A *way* to read the batch is a function of x, W, U and b (small letters in code) that returns the hidden states. `training_step` makes
# a whole step of it: outputs, loss, gradients. TensorFlow compiles the step into a graph of operations; with `jit_compile=True` another
# compiler, XLA, turns the graph into one program.


# %%
def training_step(read, x=x, weights=weights, *, spec=None, **options):
    """A function without arguments: the outputs (batch, time, units) and the gradients of x and of all weights."""

    @tf.function(autograph=False, **options)
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch([x, *weights])
            hidden = read(x, *map(tf.convert_to_tensor, weights))
            loss = tf.reduce_mean(tf.square(hidden))
        return [hidden, *tape.gradient(loss, [x, *weights])]

    graph = step.get_concrete_function(x if spec is None else spec)
    return lambda: graph(x)


# %% [markdown]
# Keras' layer as such a way (it has its weights in itself), and the step of any layer, with or without a mask:


# %%
def by_keras(x, *_):
    """What Keras' own layer puts out, whose weights are those in `weights`."""
    return layer(x, training=True)


def step_of(layer, x=x, mask=None, **options):
    """`training_step` of a layer with its own weights."""
    own = [variable.value for variable in layer.trainable_variables]
    return training_step(lambda x, *_: layer(x, mask=mask, training=True), x, own, **options)


# %% [markdown]
# Timing has three traps. The first calls compile, so they do not count. The machine has busy moments, so the ways take turns, and a
# moment hits them all. And one interrupted step spoils a mean, so we take medians. Beside the milliseconds on the clock we read those that
# the processor's cores have spent, all cores together: the *work*. Two cores that share their work well need half of it on the clock.


# %%
def take_turns(ways, seconds=SECONDS):
    """Median milliseconds of each way, name -> function without arguments: on the clock, and of work; two dicts."""
    for way in [*ways.values()] * 2:
        way()
    seen, until = {name: [] for name in ways}, time.perf_counter() + seconds
    while time.perf_counter() < until or min(map(len, seen.values())) < 3:
        for name, way in ways.items():
            before = time.perf_counter(), time.process_time()
            way()
            after = time.perf_counter(), time.process_time()
            seen[name].append([1e3 * (end - start) for start, end in zip(before, after, strict=True)])
    medians = {name: np.median(taken, axis=0).tolist() for name, taken in seen.items()}
    return tuple({name: both[i] for name, both in medians.items()} for i in (0, 1))


# %% [markdown]
# ## The honest baseline: the better of two
#
# Keras' layer can be run as it is (*stock*) or compiled by XLA as a whole (*jit*; `model.compile(jit_compile=True)` does that). Which of
# them is quicker depends on the machine and on the sizes. **The better one is what has to be beaten**, here and everywhere below.

# %%
keras_ways = {"stock": training_step(by_keras), "jit": training_step(by_keras, jit_compile=True)}
clock, work = take_turns(keras_ways)
better = min(clock, key=clock.get)
for name in keras_ways:
    mark = "   <- the baseline" if name == better else ""
    print(f"{name:6} {clock[name]:6.1f} ms a step, {work[name]:6.1f} ms of work{mark}")

# %% [markdown]
# ## Three numbers: what a product costs, there and back
#
# A row of two numbers times a matrix of 2 × 3 takes 2 · 3 multiplications, each followed by an addition. On the way back the product
# gives two gradients, one for each of its factors, and each is a product with as many multiplications. Count them:

# %%
row, matrix, back = np.array([[2.0, 1.0]]), np.arange(6.0).reshape(2, 3), np.array([[1.0, 0.0, -1.0]])
for name, left, right in (("row @ M", row, matrix), ("for the row", back, matrix.T), ("for M", row.T, back)):
    count = left.shape[0] * left.shape[1] * right.shape[1]
    print(f"{name:12} {left.shape} times {right.shape}: {count} multiplications, {(left @ right).tolist()}")

# %% [markdown]
# So a training step costs three times what the way there costs: for each sequence and each step, $x_t W$ and $h_{t-1} U$, both into four
# gates. How quick could this machine be with that? Its best is one large product of square matrices.

# %%
side = 256 if FAST else 2_048
square = tf.random.normal((side, side))
large = tf.function(lambda: tf.matmul(square, square), autograph=False)
there = BATCH * TIME * 4 * UNITS * (FEATURES + UNITS)
clock, _ = take_turns({"large": large, "baseline": keras_ways[better]}, SECONDS / 2)
rate = side**3 / clock["large"]  # multiplications in a millisecond
floor, floor_share = 3 * there / rate, 3 * there / rate / clock["baseline"]
print(f"{3 * there:,} multiplications a step; one large product does {rate * 1e3:,.0f} in a second")
print(f"the floor: {floor:.1f} ms, {floor_share:.0%} of the step")

# %% [markdown]
# That is the floor, and the question: who has the rest? If you have not put the suspects in order yet, do it now.
#
# ## Taking the step apart
#
# Two cuts. First along the way: what does the way there cost alone, so what is left for the way back? Then across it: run `TIME` turns of a
# loop that does nothing, one that does nothing but the small products, one that does nothing but the element-wise functions. The
# loop and its shelves (arrays that are read and written step by step) are the package's own; two of them in full:

# %%
import inspect
import re

from IPython.display import Markdown

from rnn_course.layers.recurrent_loops import flat, loop_in_graph, room_for, steps_of


def show(*functions):
    """Display the package's own code; its docstrings stay in the file."""
    sources = [re.sub(r'\n    """.*?"""', "", inspect.getsource(each), count=1, flags=re.S) for each in functions]
    return Markdown("```python\n" + "\n\n".join(sources) + "```")


show(loop_in_graph, steps_of)

# %% [markdown]
# One step of the LSTM, from what its gates add up, z, to its new states. These are the equations of lesson 03, in Keras' order of
# gates: input, forget, candidate, output.


# %%
def lstm_step(z, c):
    """Hidden state and cell after a step, (batch, units), and the open gates (batch, 4 * units)."""
    i, f, g, o = tf.split(z, 4, axis=1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    c = f * c + i * g
    return o * tf.tanh(c), c, tf.concat([i, f, g, o], axis=1)


def lstm_step_back(dh, dc, gates, before, after):
    """Gradients of z, (batch, 4 * units), and of the cell before the step, from those of the states after it."""
    i, f, g, o = tf.split(gates, 4, axis=1)
    squashed = tf.tanh(after)
    dc = dc + dh * o * (1 - squashed * squashed)
    slopes = [dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g), dh * squashed * o * (1 - o)]
    return tf.concat(slopes, axis=1), dc * f


# %% [markdown]
# `lstm_step_back` is the chain rule, line by line. c is reached from h through $o \tanh c$, and from the cell after it; a sigmoid has the
# slope $i (1 - i)$, tanh has $1 - g^2$. It will be needed later; here it stands for the element-wise work of the way back. Each part now
# gets `TIME` turns of its own, on zeros of the right shapes.


# %%
def turns(step, *begin):
    """A function without arguments: TIME turns of `step(*now)`, first with `begin`, then with what it returned."""
    loop = tf.function(lambda: loop_in_graph(lambda t, *now: step(*now), begin, TIME), autograph=False)
    return loop.get_concrete_function()


def products_there(a, h):
    """What a step multiplies on the way there; a stands for its input, (batch, features)."""
    z = a @ w + h @ u
    return z[:, :FEATURES], z[:, :UNITS]


def products_back(delta, a, h, dw, du):
    """What a step multiplies on the way back, and adds to the gradients of W and U."""
    dw, du = dw + tf.matmul(a, delta, transpose_a=True), du + tf.matmul(h, delta, transpose_a=True)
    return delta, tf.matmul(delta, w, transpose_b=True), tf.matmul(delta, u, transpose_b=True), dw, du


# %% [markdown]
# Beside the products, the element-wise functions between them, there and back, and a loop that does nothing but count:

# %%
w, u, _ = map(tf.convert_to_tensor, weights)
a, h, delta = tf.zeros((BATCH, FEATURES)), tf.zeros((BATCH, UNITS)), tf.zeros((BATCH, 4 * UNITS))
parts = {
    "products there": turns(products_there, a, h),
    "products back": turns(products_back, delta, a, h, tf.zeros_like(w), tf.zeros_like(u)),
    "element-wise there": turns(lambda z, c: (z + lstm_step(z, c)[2], c), delta, h),
    "element-wise back": turns(lambda z, c: lstm_step_back(z[:, :UNITS], c, z, c, c), delta, h),
}
count = turns(lambda n: (n + 1,), tf.constant(0))
there_only = tf.function(lambda: by_keras(x), autograph=False, jit_compile=better == "jit").get_concrete_function()

# %% [markdown]
# The empty loop is taken off the others. What is left of the step when the way there is taken off is the way back.

# %%
clock, _ = take_turns({"the step": keras_ways[better], "the way there": there_only, "the empty loop": count, **parts})
apart = clock | {name: clock[name] - clock["the empty loop"] for name in parts}
apart["the way back"] = apart["the step"] - apart["the way there"]
apart["all products"] = apart["products there"] + apart["products back"]
apart["all element-wise"] = apart["element-wise there"] + apart["element-wise back"]
named = apart["all products"] + apart["all element-wise"] + 2 * apart["the empty loop"]  # a loop there, a loop back
apart["none of these"] = apart["the step"] - named

# %% [markdown]
# The bars need not add up. On two cores some parts run side by side, and what no loop of ours does has no bar: keeping what the way back
# will need, handing it back, and sending each operation to a core.

# %%
from rnn_course.plots.style import BASELINE_STYLE, CELL_COLORS, TEXT_SIZE, axes_or_new, label_axes


def draw_bars(rows, *, floor, colors, title):
    """Draw a bar for each of some milliseconds (name -> a number), the first on top, and the floor as a dashed line."""
    ax = axes_or_new(height=0.85 + 0.265 * len(rows))
    ax.barh(range(len(rows)), list(rows.values()), color=colors, height=0.65)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 1.15 * max(rows.values())))
    ax.set_yticks(range(len(rows)), list(rows))
    for place, value in enumerate(rows.values()):
        ax.annotate(f"{value:.1f}", (value, place), (4, 0), textcoords="offset points", va="center", size=TEXT_SIZE)
    ax.axvline(floor, **BASELINE_STYLE)
    label_axes(ax, x="ms; dashed: all multiplications in one large product", title=title)


# %% [markdown]
# The step, its two halves, and its parts:

# %%
rows = (
    "the step",
    "the way there",
    "the way back",
    "all products",
    "all element-wise",
    "the empty loop",
    "none of these",
)
for name in dict.fromkeys((*rows[3:], *parts)):
    print(f"{name:20} {apart[name]:6.1f} ms, {apart[name] / apart['the step']:4.0%} of the step")
colors = [CELL_COLORS["lstm"]] * 3 + ["#8FB8DE"] * 4
title = f"As small products, the multiplications take {apart['all products'] / floor:.1f} times the floor"
draw_bars({name: apart[name] for name in rows}, floor=floor, colors=colors, title=title)

# %% [markdown]
# The loop is acquitted. The element-wise functions have their share, and it is not the largest. The products take more than they would in
# one piece, but not many times more. What is left belongs to none of them, and it is on the way back that it piles up. So the plan is
# clear, is it not? Take products out of the loop, and write a better way back.
#
# ## The loop by hand, in a dozen lines
#
# To change anything we need a loop of our own. `run` walks over the steps; what the gates add up is handed in as a function, because that
# is what will change first. The gradient is TensorFlow's affair: it keeps every intermediate result of every step, and on the way back
# applies the rule of every operation.


# %%
def run(rows, add_up, units):
    """Hidden states (batch, time, units); rows (time, batch, …) are what `add_up(row, h)` makes z of."""
    steps, batch = rows.shape[:2]
    shelf, nothing = steps_of(rows), tf.zeros((batch, units), rows.dtype)

    def step(t, h, c, states):
        h, c, _ = lstm_step(add_up(shelf.read(t), h), c)
        return h, c, states.write(t, h)

    *_, states = loop_in_graph(step, (nothing, nothing, room_for(steps, units, rows.dtype)), steps)
    return tf.transpose(states.stack(), (1, 0, 2))


def by_hand(x, w, u, b):
    return run(tf.transpose(x, (1, 0, 2)), lambda x_t, h: x_t @ w + h @ u + b, u.shape[0])


# %% [markdown]
# Is it Keras' layer? `apart_from` holds outputs and all gradients of a way against Keras': the largest difference in each array, in units of
# that array's largest entry; the worst of the five.


# %%
def apart_from(found, expected):
    """The largest difference of two lists of arrays, each relative to the largest entry of what was expected."""
    pairs = zip(found, expected, strict=True)
    return max(float(tf.reduce_max(tf.abs(f - e)) / tf.reduce_max(tf.abs(e))) for f, e in pairs)


expected = keras_ways["stock"]()
ladder = {"by hand": training_step(by_hand)}
clock, _ = take_turns({"stock": keras_ways["stock"], **ladder}, SECONDS / 2)
print(f"Keras' {clock['stock']:.1f} ms, by hand {clock['by hand']:.1f} ms", end="; ")
print(f"apart by {apart_from(ladder['by hand'](), expected):.0e}")

# %% [markdown]
# A dozen lines, the same numbers, no more time than Keras' layer: now there is something that can be changed.
#
# ## First idea: what the input adds needs no state
#
# $z_t = x_t W + h_{t-1} U + b$, and only the middle term has to wait for the step before. The products $x_t W$ of all steps can be one
# large product before the loop. This is the best-known trick there is, and on paper it takes a third of the multiplications out of the
# loop. **Guess** what it saves, in percent of the step.


# %%
def project(x, w, b):
    """What the input adds to the gates, (time, batch, 4 * units), as one product."""
    rows = tf.transpose(x, (1, 0, 2))  # (time, batch, features)
    return tf.reshape(flat(rows) @ w + b, (*rows.shape[:2], w.shape[1]))


def hoisted(x, w, u, b):
    return run(project(x, w, b), lambda added, h: added + h @ u, u.shape[0])


ladder["+ one product before"] = training_step(hoisted)
clock, work = take_turns({"baseline": keras_ways[better], **ladder})
for name in clock:
    print(f"{name:22} {clock[name]:6.1f} ms, {work[name]:6.1f} ms of work")

# %% [markdown]
# Less than nothing. The same multiplications in a better order, and the step takes longer. Where does it lose? Take the product alone:
# once at every step, its result added to a row and forgotten; once before the loop, its result read back row by row.


# %%
def small_ones():
    """Add x_t W to a row, a product at every step."""
    rows, total = steps_of(tf.transpose(x, (1, 0, 2))), tf.zeros((BATCH, 4 * UNITS))
    return loop_in_graph(lambda t, total: (total + rows.read(t) @ w,), (total,), TIME)


def a_large_one():
    """Add x_t W to a row, which one product for all steps has left in memory."""
    rows, total = steps_of(project(x, w, 0.0)), tf.zeros((BATCH, 4 * UNITS))
    return loop_in_graph(lambda t, total: (total + rows.read(t),), (total,), TIME)


both = {each.__name__: tf.function(each, autograph=False).get_concrete_function() for each in (small_ones, a_large_one)}
both["the product alone"] = tf.function(lambda: flat(x) @ w, autograph=False).get_concrete_function()
detour, _ = take_turns(both, SECONDS / 2)
print(", ".join(f"{name.replace('_', ' ')}: {ms:.1f} ms" for name, ms in detour.items()))
print(
    f"the numbers between: {4 * BATCH * TIME * 4 * UNITS / 2**20:.0f} MiB; of one step: {16 * BATCH * UNITS / 2**10:.0f} KiB"
)

# %% [markdown]
# The large product is quick, as promised. But its result has to go to memory and come back, on the way there, and as
# gradient on the way back once more; the result of a small one is still in the core's own cache when it is needed. A
# product of these sizes was not so small after all. (What this pair loses is the way there alone, and a small part of what
# the step lost; the way back we have not taken apart like this.) We keep the idea for now: it will turn out to be worth
# something in other company.

# %% [markdown]
# ## Second idea: a hundred small products are one
#
# On the way back, step t finds $\delta_t$, the gradient of what its gates added up. U was used at every step, so (lesson 01) its
# gradient is a sum of shares: $\partial L / \partial U = \sum_t h_{t-1}^\top \delta_t$. Three steps, a state of two numbers, a δ of three:

# %%
before = np.array([[0.0, 0.0], [1.0, 2.0], [3.0, -1.0]])  # h_0, h_1, h_2: one row a step
after = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0], [2.0, 0.0, -1.0]])  # δ_1, δ_2, δ_3
shares = [np.outer(h, delta) for h, delta in zip(before, after, strict=True)]
print("three products and a sum:", sum(shares).tolist())
print("H transposed times Δ:    ", (before.T @ after).tolist())

# %% [markdown]
# That is what a matrix product is: row times column, added up over what they have in common, which here is time. (With a batch: over time
# and sequences.) Nobody needs the sum before the loop is over, so write down the δ on the way, and take **one** product after it:
# $H^\top \Delta$. TensorFlow does not see that; it differentiates step by step, and adds up a matrix of the size of U at every one.
#
# So we write the way back ourselves. The way there has to leave behind what it needs: states, cells, gates.


# %%
def forward(added, u):
    """Hidden states and cells, (1 + time, batch, units) with those at the start, and gates (time, batch, 4 * units)."""
    steps, batch, width = added.shape
    shelf, nothing = steps_of(added), tf.zeros((batch, u.shape[0]), u.dtype)

    def step(t, h, c, states, cells, gates):
        h, c, opened = lstm_step(shelf.read(t) + h @ u, c)
        return h, c, states.write(t + 1, h), cells.write(t + 1, c), gates.write(t, opened)

    states, cells = (room_for(steps + 1, u.shape[0], u.dtype).write(0, nothing) for _ in range(2))
    _, _, *kept = loop_in_graph(step, (nothing, nothing, states, cells, room_for(steps, width, u.dtype)), steps)
    return [each.stack() for each in kept]


# %% [markdown]
# The way back walks from the last step to the first. At each it adds the gradient that came from outside, takes `lstm_step_back`, writes
# δ down, and hands $\delta_t U^\top$ to the step before.


# %%
def backward(upstream, cells, gates, u, step_back=lstm_step_back):
    """δ of every step, (time, batch, 4 * units), from the gradients of all hidden states."""
    steps, turned = gates.shape[0], tf.transpose(u)
    upstream, cells, gates = (steps_of(array) for array in (upstream, cells, gates))

    def step(done, dh, dc, deltas):
        t = steps - 1 - done
        delta, dc = step_back(dh + upstream.read(t), dc, gates.read(t), cells.read(t), cells.read(t + 1))
        return delta @ turned, dc, deltas.write(t, delta)

    nothing = tf.zeros_like(cells.read(0))
    *_, deltas = loop_in_graph(step, (nothing, nothing, room_for(steps, u.shape[1], u.dtype)), steps)
    return deltas.stack()


# %% [markdown]
# `tf.custom_gradient` ties them together: a function that returns a result and a function, and the latter turns the result's gradient into
# those of the arguments. What becomes of δ in W, b and x is TensorFlow's affair again: there, one product is one product.


# %%
def one_product(states, deltas):
    """The gradient of U: every δ with the state before it, all steps and sequences at once."""
    return tf.matmul(flat(states[:-1]), flat(deltas), transpose_a=True)


def with_own_gradient(forward, backward, kernel_gradient=one_product, project=project):
    """A way to read that uses a loop there, a loop back, and what makes the gradient of U of their results."""

    def read(x, w, u, b):
        @tf.custom_gradient
        def loops(added, u):
            states, cells, gates = forward(added, u)

            def way_back(upstream):
                deltas = backward(upstream, cells, gates, u)
                return deltas, kernel_gradient(states, deltas)

            return states[1:], way_back

        return tf.transpose(loops(project(x, w, b), u), (1, 0, 2))

    return read


# %% [markdown]
# Two things have changed at once: gates are kept in place of every intermediate result, and the sum over time is one product. **Guess**
# again.

# %%
ladder["+ own gradient"] = training_step(with_own_gradient(forward, backward))
clock, work = take_turns({"baseline": keras_ways[better], **ladder})
for name in clock:
    print(f"{name:22} {clock[name]:6.1f} ms, {work[name]:6.1f} ms of work")
print(f"apart from Keras by {apart_from(ladder['+ own gradient'](), expected):.0e}")

# %% [markdown]
# Two ideas that are right on paper, and we are still not ahead of the loop of a dozen lines. The table has two hints. The work has not become
# less, although there is less to add up and less to keep: so it is not computing that fills it. And work divided by clock says how many
# cores were busy. Nobody on the way back waits for the gradients of W and U, so automatic differentiation can have one core see to them
# while the other one walks on. What we took out of the loop had been done on the side.
#
# ## Third idea: compile the two loops
#
# If not computing, what? A graph is a list of operations, a dozen or two for every step of ours. Each is handed to a core by itself, reads its
# numbers from memory and writes its result back for the next. XLA makes one program of a loop, and one pass over the numbers of all
# that stands between two products. At the beginning, compiling the whole step of Keras' layer did not help. What if only
# the loop is compiled, and TensorFlow differentiates it?

# %%
compiled_by_hand = training_step(tf.function(by_hand, jit_compile=True, autograph=False))
try:
    compiled_by_hand()
except tf.errors.UnimplementedError as refusal:
    print(next(line for line in str(refusal).splitlines() if "XLA" in line).strip())

# %% [markdown]
# It refuses: the lists in which automatic differentiation puts things aside at every step cannot leave the compiled program. With a
# gradient of our own there are no such lists, only three arrays. The second idea gained nothing by itself, but it **makes the third
# one possible**.

# %%
compiled = [tf.function(loop, jit_compile=True, autograph=False) for loop in (forward, backward)]
ladder["+ loops compiled"] = training_step(with_own_gradient(*compiled))

# %% [markdown]
# ## Fourth idea: two halves of a batch need not wait for one another
#
# A compiled loop is one program, and most of it runs on one core; where a small product is split among two, they meet again a few millionths
# of a second later. But the sequences of a batch have nothing to do with one another until the loss. So each core gets half of the batch, and
# walks through all of time by itself. **Guess**, once more, before you run it.


# %%
def in_halves(read):
    """The same way, for two halves of the batch that share nothing but the weights."""
    return lambda x, *weights: tf.concat([read(half, *weights) for half in tf.split(x, 2)], axis=0)


ladder["+ two halves"] = training_step(in_halves(with_own_gradient(*compiled)))
rungs, rungs_work = take_turns({**keras_ways, **ladder}, 2 * SECONDS)
for name in rungs:
    print(f"{name:22} {rungs[name]:6.1f} ms, {rungs_work[name]:6.1f} ms of work,", end=" ")
    print(f"{rungs_work[name] / rungs[name]:.1f} cores busy")
print("apart from Keras by", *(f"{apart_from(step(), expected):.0e}" for step in ladder.values()))

# %% [markdown]
# There it is, and all at once. Compiling had brought the work down, and nobody could see it, because the second core was idle; with two
# halves both are busy, and with nothing that need not be done.
#
# ## Which of the four did it?
#
# On a ladder the credit goes to the rung that comes last. Two fairer questions: what does each idea give Keras' layer when it comes
# **alone**, and what is lost when it **alone is missing** among the four? For that we need the small products back, those before the loop and
# those after it, each in a loop of its own.


# %%
def many_products(states, deltas):
    """The gradient of U as automatic differentiation takes it: a product at every step, and a sum."""
    states, steps = steps_of(states), deltas.shape[0]
    nothing, deltas = tf.zeros((UNITS, 4 * UNITS), deltas.dtype), steps_of(deltas)

    def add(t, total):
        return (total + tf.matmul(states.read(t), deltas.read(t), transpose_a=True),)

    return loop_in_graph(add, (nothing,), steps)[0]


def project_slowly(x, w, b):
    """What the input adds to the gates, (time, batch, 4 * units), a product at every step."""
    shelf, steps = steps_of(tf.transpose(x, (1, 0, 2))), x.shape[1]

    def write(t, added):
        return (added.write(t, shelf.read(t) @ w + b),)

    return loop_in_graph(write, (room_for(steps, 4 * UNITS, x.dtype),), steps)[0].stack()


# %% [markdown]
# Both sides of each idea. Alone, compiling means Keras' whole step (*jit*), and a gradient of our own brings the product before with it.
# Without such a gradient, only the whole step can be compiled.

# %%
last = partial(with_own_gradient, *compiled)
ideas = {  # alone; and the other three without it
    "one product before": (ladder["+ one product before"], training_step(in_halves(last(project=project_slowly)))),
    "own gradient": (ladder["+ own gradient"], training_step(in_halves(hoisted), jit_compile=True)),
    "loops compiled": (keras_ways["jit"], training_step(in_halves(with_own_gradient(forward, backward)))),
    "two halves": (training_step(in_halves(by_keras)), ladder["+ loops compiled"]),
}
ways = {"baseline": keras_ways[better], "all four": ladder["+ two halves"]}
ways |= {f"{idea}, alone": alone for idea, (alone, _) in ideas.items()}
ways |= {f"{idea}, missing": missing for idea, (_, missing) in ideas.items()}
ways["many products after"] = training_step(in_halves(last(many_products)))
credit, credit_work = take_turns(ways, 2 * SECONDS)

# %% [markdown]
# Left, an idea alone; right, the three others without it. Dashed is Keras' layer, dotted are all four ideas together; less than three
# percent is not called quicker.

# %%
from rnn_course.plots.style import PUBLISHED_STYLE, figure_grid

figure, axes = figure_grid(1, 2, row_height=2.3, sharey=True)
for ax, place, title in zip(axes[0], ("alone", "missing"), ("This idea alone", "All but this idea"), strict=True):
    bars = [credit[f"{idea}, {place}"] for idea in ideas]
    ax.barh(list(ideas), bars, color=CELL_COLORS["lstm"], height=0.65)
    ax.axvline(credit["baseline"], **BASELINE_STYLE)
    ax.axvline(credit["all four"], **PUBLISHED_STYLE)
    ax.set_xlim(0, 1.1 * max(credit.values()))
    quicker = sum(bar < 0.97 * credit["baseline"] for bar in bars)
    label_axes(ax, x="ms a step", title=f"{title}: {quicker} of 4 quicker")
_ = axes[0, 0].invert_yaxis()

# %% [markdown]
# The figures, and one more: the end of the ladder with the sum over time taken step by step, in a loop after the loop.

# %%
for name, ms in credit.items():
    print(f"{name:28} {ms:6.1f} ms, {credit_work[name]:6.1f} ms of work, {ms / credit['baseline']:.2f} of the baseline")

# %% [markdown]
# None of the four makes Keras' layer quicker when it comes alone. And none can be spared: take any one away, and most of
# the gain is gone. (The last row is why the sum over time is one product: as a hundred products it costs more, now that nothing else
# hides it.) Whoever had tried the ideas one by one, and kept only what helps, would have kept none.
#
# ## The check, before the gain is believed
#
# A program that skips work is quick, too. In 32 bits two right programs differ in the last digits, and a small mistake could hide there. So
# the check is made in 64 bits as well, where right programs agree to ten digits and more. On trial are the end of our ladder and `FusedLSTM`,
# the layer of the package, which is the same four ideas with everything a layer must be able to do: masks, initial states, dropout,
# reading backward. It is checked under a mask that leaves out every fifth step or so, too.

# %%
from rnn_course.layers import FusedLSTM


def pair_of_layers(dtype, units=UNITS):
    """Keras' layer and the package's with the same weights."""
    pair = [kind(units, return_sequences=True, dtype=dtype) for kind in (keras.layers.LSTM, FusedLSTM)]
    for each in pair:
        each.build((None, None, FEATURES))
        rng = np.random.default_rng(SEED)
        each.set_weights([rng.normal(0, 0.1, weight.shape) for weight in each.get_weights()])
    return pair


# %% [markdown]
# Outputs and gradients of x, W, U and b; the worst of the five arrays each time:

# %%
real, differences = np.random.default_rng(SEED).random((BATCH, TIME)) < 0.8, {}
for dtype in ("float32", "float64"):
    own, fused = pair_of_layers(dtype)
    rows, own_weights = tf.cast(x, dtype), [variable.value for variable in own.trainable_variables]
    known = step_of(own, rows)()
    differences[f"all four ideas, {dtype}"] = apart_from(training_step(in_halves(last()), rows, own_weights)(), known)
    differences[f"FusedLSTM, {dtype}"] = apart_from(step_of(fused, rows)(), known)
    masked = [step_of(each, rows, real)() for each in (fused, own)]
    differences[f"FusedLSTM, {dtype}, masked"] = apart_from(*masked)
for name, difference in differences.items():
    print(f"{name:28} {difference:.0e}")

# %% [markdown]
# ## What the learning curve says about a wrong gradient
#
# Why so strict, when the loss goes down anyway? In lesson 01 curves did not tell a right program from a wrong one. Here are two
# mistakes that are easily made in what you have just read. Both run, and all shapes fit.


# %%
def off_by_one(states, deltas):
    """A gradient of U: every δ with the state AFTER its step, `states[1:]` for `states[:-1]`."""
    return tf.matmul(flat(states[1:]), flat(deltas), transpose_a=True)


def cell_forgotten(dh, dc, gates, before, after):
    """`lstm_step_back` without what reaches the cell from the cell of the step after it."""
    return lstm_step_back(dh, 0 * dc, gates, before, after)


back_without_cell = tf.function(partial(backward, step_back=cell_forgotten), jit_compile=True, autograph=False)

# %% [markdown]
# A task on which to see them: the next letter of a play that the course's grammar writes, the surprise in nats. The grammar itself says what
# the best possible reader of the whole play so far would pay; ours reads rows of `TIME` letters, each from an empty state.

# %%
from rnn_course.data import make_play
from rnn_course.sequences import contiguous_batches

play = make_play(CHARACTERS, rng=np.random.default_rng(SEED))
letters = sorted(set(play.text))
ids = [letters.index(letter) for letter in play.text]
held = max(1, len(ids) // 10 // (BATCH * TIME)) * BATCH * TIME + 1  # letters that are held out
train, valid = (contiguous_batches(part, batch=BATCH, length=TIME) for part in (ids[:-held], ids[-held:]))
letter_floor = float(play.nats[-held:].mean())
print(play.text[:150], "…")
print(f"{len(letters)} letters; {len(train[0]):,} rows to learn from, {len(valid[0])} to report on")

# %% [markdown]
# Our ladder becomes a layer of Keras by overriding `call`; the two mistakes are two more.


# %%
class LadderLSTM(keras.layers.LSTM):
    """Keras' LSTM that reads in one of our ways, in halves."""

    way = staticmethod(last())

    def call(self, sequences, initial_state=None, mask=None, training=False):
        own = [tf.convert_to_tensor(variable.value) for variable in self.trainable_variables]
        return in_halves(self.way)(sequences, *own)


class OffByOneLSTM(LadderLSTM):
    way = staticmethod(last(off_by_one))


class CellForgottenLSTM(LadderLSTM):
    way = staticmethod(with_own_gradient(compiled[0], back_without_cell))


# %% [markdown]
# The same start and the same batches in the same order for all of them. The models take turns, an epoch each, so that their times can be
# compared, too.


# %%
def reader_of(kind, **options):
    """A compiled model that foretells letters with a layer of some kind."""
    keras.utils.set_random_seed(SEED)
    tokens = keras.Input((TIME,), batch_size=BATCH, dtype="int32")
    hidden = kind(UNITS, return_sequences=True)(keras.layers.Embedding(len(letters), FEATURES)(tokens))
    model = keras.Model(tokens, keras.layers.Dense(len(letters))(hidden))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss=loss, **options)
    return model


def one_epoch(model):
    """Train a model for an epoch; its loss on the held-out rows, and the seconds it took."""
    started = time.perf_counter()
    found = model.fit(*train, batch_size=BATCH, validation_data=valid, shuffle=False, verbose=0).history
    return found["val_loss"][0], time.perf_counter() - started


# %% [markdown]
# Five readers. Keras' two are here for the clock, and stop after a third of the epochs.

# %%
readers = {
    "stock": reader_of(keras.layers.LSTM),
    "jit": reader_of(keras.layers.LSTM, jit_compile=True),
    "FusedLSTM": reader_of(FusedLSTM),
    "off by one": reader_of(OffByOneLSTM),
    "cell forgotten": reader_of(CellForgottenLSTM),
}
third, epochs = EPOCHS // 3, {name: [] for name in readers}
for epoch in range(EPOCHS):
    for name, model in readers.items():
        if epoch < third or name not in ("stock", "jit"):
            epochs[name].append(one_epoch(model))
curves, seconds = ({name: [each[i] for each in found] for name, found in epochs.items()} for i in (0, 1))

# %% [markdown]
# The first third of the way, without names. One of the three has the right gradient. **Which one?** Write it down, with a reason.

# %%
from rnn_course.plots.style import SERIES_COLORS, label_lines


def draw_curves(names, epochs, title):
    """Draw how far the losses of some readers (name -> label) are above the grammar's."""
    ax, ends = axes_or_new(height=2.7), []
    for color, (name, label) in zip(SERIES_COLORS, names.items(), strict=False):
        above = np.array(curves[name][:epochs]) - letter_floor
        ax.semilogy(range(1, epochs + 1), above, color=color, marker="o", markersize=3)
        ends.append((above[-1], label, color))
    ax.set_yticks((0.2, 0.5, 1, 2), ("0.2", "0.5", "1", "2"), minor=False)
    ax.minorticks_off()
    label_axes(ax, x="epoch", y="above the\ngrammar (nats)", title=title)
    label_lines(ax, ends)


draw_curves({"off by one": "A", "FusedLSTM": "B", "cell forgotten": "C"}, third, "One of these has the right gradient")

# %% [markdown]
# Here are the names, and the rest of the way:

# %%
names = ("off by one", "FusedLSTM", "cell forgotten")
lowest = min(names, key=lambda name: curves[name][third - 1])
title = f"After {third} epochs, the lowest curve belongs to: {lowest}"
draw_curves({name: name for name in names}, EPOCHS, title)
for name in names:
    print(f"{name:16} after {third} epochs {curves[name][third - 1]:.4f} nats, after {EPOCHS} {curves[name][-1]:.4f}")
print(f"{'the grammar':16} {letter_floor:.4f}")

# %% [markdown]
# Whoever had chosen by the curve would have kept a wrong gradient. With the way through the cell forgotten, the network learns *faster* than
# with the right one; only late do the two meet. The other mistake is behind, and who would not have blamed the learning rate? Why should
# a wrong gradient be ahead? Perhaps what it leaves out is mostly noise, as long as the short words are still to be learned: a guess,
# which this lesson does not test. What it shows is enough: a curve that goes down, or even goes down faster, says nothing about
# the gradient.
#
# The line that tells needs no training and no second guess:

# %%
wrong, apart_wrong, cosines = {"off by one": OffByOneLSTM, "cell forgotten": CellForgottenLSTM}, {}, {}
print(f"{'apart from Keras by':20}" + "".join(f"{array:>10}" for array in ("outputs", "x", "W", "U", "b")))
for name, kind in wrong.items():
    found = training_step(in_halves(kind.way))()
    each = [apart_from([one], [known]) for one, known in zip(found, expected, strict=True)]
    apart_wrong[name] = max(each)
    one, known = (tf.concat([tf.reshape(array, -1) for array in arrays[2:]], 0) for arrays in (found, expected))
    cosines[name] = float(tf.reduce_sum(one * known) / tf.norm(one) / tf.norm(known))
    print(f"{name:20}" + "".join(f"{value:10.0e}" for value in each), end="")
    print(f"   {np.degrees(np.arccos(cosines[name])):.0f}° from the right direction")

# %% [markdown]
# ## The gain, step by step
#
# The numbers are right, so the gain may be believed. Once more the whole ladder in one run, and at its end the layer of the package. In two
# details it does something else than our last rung: it adds the bias inside the loop, so that the large product has one trip less to
# memory, and one tanh does for all four gates, since $\sigma(x) = \frac{1}{2} \tanh \frac{x}{2} + \frac{1}{2}$. Can you see them in
# the last two bars?

# %%
own, fused = pair_of_layers("float32")
ways = {"Keras' layer": keras_ways["stock"], "the same, jit": keras_ways["jit"], **ladder, "FusedLSTM": step_of(fused)}
rungs, rungs_work = take_turns({**ways, "large": large}, 2 * SECONDS)
floor = 3 * there / side**3 * rungs.pop("large")
best_of_keras = min(("Keras' layer", "the same, jit"), key=rungs.get)
gain, floor_share = rungs[best_of_keras] / rungs["FusedLSTM"], floor / rungs[best_of_keras]

# %% [markdown]
# Gray is Keras, light are our rungs, dark is the layer of the package.

# %% tags=["picture"]
colors = ["#9A9A9A"] * 2 + ["#8FB8DE"] * len(ladder) + [CELL_COLORS["lstm"]]
title = f"{gain:.1f} times as quick as Keras' layer, and only the whole ladder is quicker"
draw_bars(rungs, floor=floor, colors=colors, title=title)

# %% [markdown]
# As figures, with the share of the baseline, the work, and the cores that were busy on average:

# %%
for name, ms in rungs.items():
    print(f"{name:22} {ms:6.1f} ms, {ms / rungs[best_of_keras]:5.0%} of the baseline,", end="")
    print(f" {rungs_work[name]:6.1f} ms of work, {rungs_work[name] / ms:.1f} cores busy")
print(f"the floor is {floor_share:.0%} of Keras' layer, and {floor / rungs['FusedLSTM']:.0%} of FusedLSTM")

# %% [markdown]
# ## Other sizes
#
# A step of one size is one step. **Guess**: where is the gain larger, with few units or with many, with short sequences or long ones, with
# small batches or large? `(units, time, batch)` below the axis; the line at 1 is `FusedLSTM`.


# %%
def milliseconds_at(units, steps, batch):
    """Medians of a training step of Keras' layer, stock and jit, and of the package's, at other sizes."""
    rows, (own, fused) = tf.random.normal((batch, steps, FEATURES)), pair_of_layers("float32", units)
    ways = {"stock": step_of(own, rows), "jit": step_of(own, rows, jit_compile=True), "fused": step_of(fused, rows)}
    return take_turns(ways, SECONDS / 2)[0]


at_size = {size: milliseconds_at(*size) for size in SIZES}
gains = {size: min(found["stock"], found["jit"]) / found["fused"] for size, found in at_size.items()}
for size, found in at_size.items():
    print(f"{size!s:16}", ", ".join(f"{way} {ms:.1f} ms" for way, ms in found.items()), f" gain {gains[size]:.2f}")

# %% [markdown]
# The same as a picture:

# %%
from rnn_course.plots import plot_breakdown

ratios = {way: [found[way] / found["fused"] for found in at_size.values()] for way in ("stock", "jit")}
groups = ["\n".join(map(str, size)) for size in SIZES]
title = f"Against the better of the two: {min(gains.values()):.1f} to {max(gains.values()):.1f} times as quick"
labels = {"x": "units, time, batch", "y": "ratio to FusedLSTM"}
_ = plot_breakdown(ratios, groups=groups, baseline={"FusedLSTM": 1}, title=title, **labels)

# %% [markdown]
# At the smallest size there is nothing to gain: a step that short is over before a second core is of use, and compiled as a
# whole it is quicker than in parts. The largest gain is at a small batch, and the step that we have taken apart belongs to
# those where least is won. Look at *jit*, too: at some sizes the better of the two, at another more than twice as long;
# nobody would know beforehand.
#
# ## A whole training
#
# The layer is not all there is in a model. The five readers above trained in turns; here are the times of their epochs, the first of
# which has to compile, and how far their losses are from those of Keras' layer.

# %%
epoch_seconds = {name: float(np.median(taken[1:])) for name, taken in seconds.items()}
curve_apart = {}
for name in ("stock", "jit", "FusedLSTM"):
    pairs = zip(curves[name], curves["stock"], strict=False)  # as many epochs as both have
    curve_apart[name] = max(abs(one - known) / known for one, known in pairs)
    print(f"{name:10} first epoch {seconds[name][0]:.1f} s, the others {epoch_seconds[name]:.2f} s;", end=" ")
    print(f"losses differ from stock by at most {curve_apart[name]:.0e}")
training_gain = min(epoch_seconds["stock"], epoch_seconds["jit"]) / epoch_seconds["FusedLSTM"]
print(f"a whole training, compiling aside: {training_gain:.2f} times as quick")

# %% [markdown]
# The same curve, to the digits that 32 bits have left after so many updates. Do not expect a layer's gain of a whole training: embedding,
# logits, optimizer and the rows held out take the time they took before. That is Amdahl's law, and exercise 3.
#
# ## Where it steps aside, and where it does not pay
#
# A compiled loop is made for one length. If batches had every length, it would be compiled again and again, so where the length is not
# known when the graph is made (batches of several lengths in one `fit`), `FusedLSTM` takes Keras' own loop: without the third idea the
# other three are worth nothing, or less. What does a first call cost, and when is it paid back?

# %%
unknown = tf.TensorSpec((BATCH, None, FEATURES))
makers = {
    "stock": partial(step_of, own),
    "jit": partial(step_of, own, jit_compile=True),
    "FusedLSTM": partial(step_of, fused),
    "FusedLSTM, any length": partial(step_of, fused, spec=unknown),
}
made, first_calls = {}, {}
for name, make in makers.items():
    started = time.perf_counter()
    made[name] = make()
    made[name]()
    first_calls[name] = time.perf_counter() - started
later, _ = take_turns(made)

# %% [markdown]
# Seconds until the first step is done, milliseconds of each later step, and after how many steps a way has caught up with *stock*:

# %%
for name, ms in later.items():
    behind, won = 1e3 * (first_calls[name] - first_calls["stock"]), later["stock"] - ms
    catches_up = f", level with stock after {max(0, behind) / won:.0f} steps" if won > 0 and name != "stock" else ""
    print(f"{name:22} first step {first_calls[name]:.2f} s, then {ms:.1f} ms each{catches_up}")

# %% [markdown]
# Compiling is paid back early in any training; for a handful of steps it is not worth it. For any length the time is Keras' own. So pad to
# one length where you can.
#
# Other cases get Keras' own loop, and the package asks for them in one function:

# %%
from rnn_course.layers.fused import is_covered

show(is_covered)

# %% [markdown]
# On a GPU, cuDNN has kernels of its own for these cells, by people who had most of these ideas years before (see the references).
# Activations other than tanh and sigmoid would need another `lstm_step_back`. And `unroll=True` asks for a graph without a loop.
#
# What of PyTorch? Its LSTM for the CPU is a program of its own as well. `benchmarks/training.py` in the repository sets it beside these
# layers, where it is installed, at three dozen sizes for the LSTM and as many for the GRU, and prints the table; no claim about it is
# made here.

# %% [markdown]
# ## Exercises
#
# Nothing below depends on them. Fill in the function and run the cell; ask for `exercises.q1.hint()` when you are stuck.
#
# ### Exercise 1 · 5 minutes
#
# Count a GRU: two gates and a candidate, with Keras' `reset_after=True`. Write `gru_training_cost(batch, time, features, units)`, the
# multiplications (each with its addition) in the matrix products of one whole training step.

# %%
from rnn_course.exercises import fast_layers as exercises


def gru_training_cost(batch, time, features, units): ...


exercises.q1.check(gru_training_cost)

# %% [markdown]
# ### Exercise 2 · 10 minutes
#
# In NumPy: `first` is the initial state, `(batch, units)`, `hidden` the states after each step, `(time, batch, units)`, `deltas` every
# $\delta_t$, `(time, batch, gates * units)`. Write `kernel_gradient(first, hidden, deltas)`, the gradient of U, without a loop. This
# time the initial state is not zero.


# %%
def kernel_gradient(first, hidden, deltas): ...


exercises.q2.check(kernel_gradient)

# %% [markdown]
# ### Exercise 3 · 5 minutes
#
# A layer takes `share` of the time of a training step, and you make it `factor` times as fast; the rest (embedding, softmax, optimizer)
# stays as it is. Write `whole_speedup(share, factor)`: how many times as fast does the whole step become? Hold it against the epochs above.


# %%
def whole_speedup(share, factor): ...


exercises.q3.check(whole_speedup)

# %% [markdown]
# ### Exercise 4 · 10 minutes
#
# Some products can be taken for all steps at once, before the loops or after them; others must wait for the step before. Write
# `stays_in_the_loops(features, units)`: the share of an LSTM's multiplications, of a whole training step, that no order of
# summation can take out of the loops. Then predict: what would `FEATURES = 1_000` and `UNITS = 16` change in this lesson?


# %%
def stays_in_the_loops(features, units): ...


exercises.q4.check(stays_in_the_loops)

# %% [markdown]
# ## You have seen
#
# - At the rate of one large product, the multiplications are the smaller part of a training step. As small products they take more, and
#   still not all of it. The loop as such costs next to nothing.
# - The best-known trick, one product before the loop, made the step slower here: its result has to go through memory.
# - One product after the loop, $H^\top \Delta$, is the same sum in another order. It needs a gradient of one's own, which gained nothing by itself
#   either. But only with it can the loops be compiled, and only compiled loops give each core something to do for itself.
# - Four ideas, none of which helps alone, and none of which can be spared. Measure combinations before you throw an idea away; and read the
#   clock and the work, since one can hide what happens to the other.
# - A wrong gradient can learn, and can even be ahead. Hold gradients against something that is known, in 64 bits.
# - The gain of a layer is not that of a training, and it depends on the sizes. At some there is none.
#
# ## What is not known from this
#
# - Two cores, one kind of processor, one version of each library, medians of one run on a machine that others may use. The order of the
#   rungs has reasons; their lengths are the machine's. With one core, or sixteen, two halves are another idea.
# - Where the work goes was found by taking things away and by a clock, not by counting trips to memory. That these trips are to blame
#   fits all that was measured, and was not proved. And *work* counts a core that is busy waiting, too.
# - One task and one seed for the wrong gradients. That a mistake did this to this curve says that curves are no proof, and nothing about
#   what it would do to another.
#
# ## References
#
# - Appleyard, Kočiský and Blunsom (2016), *Optimizing performance of recurrent neural networks on GPUs*, arXiv: the same hunt on another
#   machine, and the order in which their ideas paid.
# - Chetlur et al. (2014), *cuDNN: efficient primitives for deep learning*, arXiv: the library whose recurrent kernels Keras uses on a GPU.
# - Werbos (1990), *Backpropagation through time: what it does and how to do it*, Proceedings of the IEEE 78; and Williams and Zipser (1995),
#   *Gradient-based learning algorithms for recurrent networks and their computational complexity*: what the gradient costs, in time and memory.
# - Amdahl (1967), *Validity of the single processor approach to achieving large scale computing capabilities*, AFIPS: exercise 3, in
#   three pages.
# - Williams, Waterman and Patterson (2009), *Roofline: an insightful visual performance model for multicore architectures*,
#   Communications of the ACM 52: when it is memory and not arithmetic that sets the time.

# %% [markdown]
# ## The figures of this run
#
# The last cells collect them: milliseconds first, then shares and ratios, then what was checked and trained.

# %%
keys = {"Keras' layer": "stock", "the same, jit": "jit", "by hand": "by_hand", "+ one product before": "product_before"}
keys |= {"+ own gradient": "own_gradient", "+ loops compiled": "loops_compiled", "+ two halves": "two_halves"}
time_figures = {
    "step_milliseconds": rungs["FusedLSTM"],
    "baseline_step_milliseconds": rungs[best_of_keras],
    "step_work_milliseconds": rungs_work["FusedLSTM"],
    **{f"{key}_milliseconds": rungs[name] for name, key in keys.items()},
    **{f"{key}_work_milliseconds": rungs_work[name] for name, key in keys.items()},
    "floor_milliseconds": floor,
    "small_products_there_milliseconds": detour["small_ones"],
    "large_product_there_milliseconds": detour["a_large_one"],
    "large_product_alone_milliseconds": detour["the product alone"],
}

# %% [markdown]
# Shares of the step, what each idea does alone and what the others do without it, and the gain at other sizes:

# %%
shares = {
    "products": "all products",
    "elementwise": "all element-wise",
    "loop": "the empty loop",
    "back": "the way back",
}
share_figures = {"multiplications": 3 * there, "floor_share": floor_share, "gain": gain}
share_figures |= {f"{key}_share": apart[name] / apart["the step"] for key, name in shares.items()}
share_figures |= {f"gain_{'_'.join(map(str, size))}": ratio for size, ratio in gains.items()}
for idea in ideas:
    for place in ("alone", "missing"):
        share_figures[f"{idea.replace(' ', '_')}_{place}"] = credit[f"{idea}, {place}"] / credit["baseline"]
share_figures["all_four_together"] = credit["all four"] / credit["baseline"]
share_figures["many_products_after"] = credit["many products after"] / credit["baseline"]

# %% [markdown]
# Checks and trainings:

# %%
check_figures = {f"apart_{re.sub('[^a-z0-9]+', '_', name.lower())}": value for name, value in differences.items()}
check_figures |= {f"curve_apart_{name.lower()}": value for name, value in curve_apart.items() if name != "stock"}
for name, curve in curves.items():
    check_figures[f"third_nats_{name.replace(' ', '_').lower()}"] = curve[third - 1]
    check_figures[f"last_nats_{name.replace(' ', '_').lower()}"] = curve[-1]
    check_figures[f"epoch_seconds_{name.replace(' ', '_').lower()}"] = epoch_seconds[name]
for name in wrong:
    check_figures[f"wrong_apart_{name.replace(' ', '_')}"] = apart_wrong[name]
    check_figures[f"wrong_cosine_{name.replace(' ', '_')}"] = cosines[name]
for name, taken in first_calls.items():
    check_figures[f"first_call_seconds_{re.sub('[^a-z0-9]+', '_', name.lower())}"] = taken
    check_figures[f"later_milliseconds_{re.sub('[^a-z0-9]+', '_', name.lower())}"] = later[name]

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "source": "generated",
    "seed": SEED,
    **time_figures,
    **share_figures,
    **check_figures,
    "training_gain": training_gain,
    "letter_floor_nats": letter_floor,
}
results
