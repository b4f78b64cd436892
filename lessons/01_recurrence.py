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
# # 01. Recurrence: one of these two programs computes a wrong gradient
#
# A network reads bits, one at a time, and after each it must say whether the number of ones so far is odd. Two programs train
# it: A and B. They start from the same weights, read the same rows and use the same optimizer. In one of them the gradient is
# wrong: at every step a term is missing. A coin has decided which one that is.
#
# You will see both learning curves. Before anything runs: would you be able to tell from them which program is the wrong one?
# Write down what you expect to see, and what else you would look at.
#
# **You will**
#
# - compute a recurrent neuron and its gradient by hand, forward and back, on three numbers;
# - read the course's own simple RNN, LSTM and GRU, forward and backward, in plain NumPy;
# - prove these gradients twice: by nudging every weight, and against Keras;
# - measure what back-propagation through time costs in seconds and in bytes, and what the alternatives cost;
# - train with A and with B, be misled by the learning curves, and find out why;
# - wipe and exchange the memory of a trained network, and predict what it will say.
#
# Minutes on two CPU cores: one to run, fifty to read. The data are generated: nothing is downloaded.

# %% [markdown]
# ## Set-up
#
# In Colab the first cell installs the course beside the TensorFlow that is already there; on your own machine it only
# imports.

# %%
import keras
import numpy as np

try:
    import rnn_course
except ImportError:
    # %pip install -q --no-deps "git+https://github.com/rnn-course/rnn_course@v0.1.0"
    import rnn_course
print(f"rnn_course {rnn_course.__version__}, NumPy {np.__version__}, Keras {keras.__version__}")

# %% [markdown]
# `SEEDS` are the starts that each program is given, `DELAYS` how many steps late the answer may be asked for; the rest are
# sizes. `FAST` shrinks the run for tests.

# %% tags=["parameters"]
SOURCE = "auto"  # nothing is loaded here: this lesson makes its own numbers
FAST = False
SEEDS = tuple(range(12))
STEPS = 20  # T, the bits of a row in training
LONG = 1_000  # the bits of a row in the last test
UNITS = 16
UPDATES, BATCH, RATE = 1_000, 32, 5e-3
DELAYS = (0, 1, 2, 3)
TIMES = (100, 200, 400, 800, 1_600)  # lengths at which the cost is measured

# %% [markdown]
# ## One bit turns every later answer
#
# The answer after step t is the parity of the bits so far: odd or even. Change a single bit, and all answers after it turn.
# That is what makes the task hard for whoever forgets: there is no bit that does not matter, however long ago it came.

# %%
import time

began = time.perf_counter()
if FAST:
    SEEDS, LONG, UPDATES, DELAYS, TIMES = SEEDS[:2], 200, 200, (0, 3), (50, 100, 200)


def make_rows(count, rng, steps=STEPS):
    """Bits and their running parity, each (batch, time, 1)."""
    bits = rng.integers(2, size=(count, steps, 1))
    return bits, np.cumsum(bits, axis=1) % 2


test_bits, test_parity = make_rows(2_000, np.random.default_rng(12_345))
print("bits", *test_bits[0, :, 0], "\nodd ", *test_parity[0, :, 0])

# %% [markdown]
# ## The honest baseline: a table of the last five bits
#
# Counting needs no learning at all: `np.cumsum(bits) % 2` is perfect. Among the models that must *learn* the rule, the simplest
# is a table: for every pattern of the last few bits, the answer that was most common in training. A table of one bit is a model
# without memory. **Guess** what five bits are worth.


# %%
def patterns(bits, width):
    """The last `width` bits at every step as one number, (batch, time); before the row begins there is a third kind, 2."""
    padded = np.pad(bits[:, :, 0], ((0, 0), (width - 1, 0)), constant_values=2)
    return sum(3**k * padded[:, k : k + bits.shape[1]] for k in range(width))


def table_accuracy(width):
    """Share of right answers of a table that was filled from rows of its own."""
    bits, parity = make_rows(5_000, np.random.default_rng(54_321))
    seen = patterns(bits, width)
    seen, counts = seen.ravel(), 3**width
    odd = 2 * np.bincount(seen, parity.ravel(), counts) > np.bincount(seen, minlength=counts)  # (patterns,)
    return np.mean(odd[patterns(test_bits, width)] == test_parity[:, :, 0])


memoryless_accuracy, table_of_five = table_accuracy(1), table_accuracy(5)
print(f"table of the last bit {memoryless_accuracy:.1%}, of the last five bits {table_of_five:.1%}")

# %% [markdown]
# The table is right as long as the whole row fits into it, and tosses a coin after that. A dense layer on a window has the
# same limit, and every further step needs further weights. We want a machine that reads one bit at a time and keeps what it needs.
#
# ## Three numbers forward
#
# One recurrent neuron without a bias, as in lesson 00: $h_t = \tanh(w \, h_{t-1} + u \, x_t)$. We write the loop once, and for
# later give it an unusual freedom: step t may have its own copy of w.

# %%
w, u = 0.8, 1.0
x = [1.0, 0.5, -1.0]  # x_1, x_2, x_3


def read(copies):
    """States h_0 … h_3 when step t uses `copies[t - 1]` for w."""
    h = [0.0]
    for w_t, x_t in zip(copies, x, strict=True):
        h.append(np.tanh(w_t * h[-1] + u * x_t))
    return np.array(h)


h = read([w, w, w])
for t in (1, 2, 3):
    print(f"h_{t} = tanh({w} × {h[t - 1]:.4f} + {u} × {x[t - 1]}) = {h[t]:.4f}")

# %% [markdown]
# ## Three numbers back
#
# Take as loss the sum of the states, $L = h_1 + h_2 + h_3$. If a step's state grows by a little, L grows by that little
# directly: $g_t = 1$. But the state is also read by the next step, and there its effect is multiplied by $J_t = \partial
# h_{t+1} / \partial h_t = w (1 - h_{t+1}^2)$, since the slope of tanh is $1 - \tanh^2$. Together, from the last step to the
# first:
#
# $$\delta_t = \frac{\partial L}{\partial h_t} = g_t + J_t \, \delta_{t+1}, \qquad \delta_4 = 0$$
#
# Step t hands $\delta_t$ through its own tanh to the product $w h_{t-1}$, so its share of $\partial L / \partial w$ is
# $\delta_t (1 - h_t^2) \, h_{t-1}$.

# %%
delta, share, later = np.zeros(4), np.zeros(4), 0.0
for t in (3, 2, 1):
    slope = 1 - h[t] ** 2
    delta[t] = 1 + later
    share[t] = delta[t] * slope * h[t - 1]
    print(f"δ_{t} = 1 + {later:.4f} = {delta[t]:.4f}   share of step {t}: {share[t]:.4f}")
    later = w * slope * delta[t]
print(f"∂L/∂w = {share.sum():.4f}")

# %% [markdown]
# The same as a graph. Every circle is one step of the loop, so three steps make three circles: that is all that *unrolling* means.
# Black is the way forward, red the way back.

# %%
from rnn_course.plots.style import BASELINE_STYLE, SERIES_COLORS, axes_or_new, figure_grid, label_axes, label_lines

BACK, ROUGH, FINE = SERIES_COLORS[1], SERIES_COLORS[3], SERIES_COLORS[0]


def draw_unrolled(ax):
    """Draw the three steps: numbers forward in black, gradients back in red."""
    arrow = {"arrowstyle": "-|>", "shrinkA": 24, "shrinkB": 24, "color": "black"}
    for t in (1, 2, 3):
        circle = {"boxstyle": "circle,pad=0.35", "facecolor": "#EFEFEF", "edgecolor": "#7A7A7A"}
        ax.text(t, 1, f"$h_{t}$\n{h[t]:.3f}", ha="center", va="center", bbox=circle)
        ax.annotate(f"$x_{t}$ = {x[t - 1]}", (t, 1), (t, -0.05), ha="center", arrowprops=arrow | {"shrinkA": 2})
        ax.text(t, 1.85, f"$δ_{t}$ = {delta[t]:.3f}\nshare {share[t]:.3f}", color=BACK, ha="center", va="center")
    for t in (1, 2):
        ax.annotate("", (t + 1, 1.1), (t, 1.1), arrowprops=arrow)
        ax.annotate("", (t, 0.9), (t + 1, 0.9), arrowprops=arrow | {"color": BACK})
        ax.text(t + 0.5, 1.22, f"w = {w}", ha="center")
        ax.text(t + 0.5, 0.55, f"$J_{t}$ = {w * (1 - h[t + 1] ** 2):.3f}", color=BACK, ha="center")


# %% [markdown]
# Follow one red arrow: δ on its right, times J below it, plus 1, is δ on its left.

# %%
ax = axes_or_new(width=7.0, height=2.9)
draw_unrolled(ax)
ax.set(xlim=(0.5, 3.5), ylim=(-0.3, 2.2))
label_axes(ax, title="The loop unrolled: numbers forward, gradients back")
_ = ax.axis("off")

# %% [markdown]
# ## A shared weight collects a share from every step
#
# Is it right that the shares add up? Here the three copies of w earn their keep. We nudge one copy at a time and watch the loss;
# then all three together. **Guess** the four numbers before you run it.

# %%
nudge = 1e-6
for name, moved in {"first": [1, 0, 0], "second": [0, 1, 0], "third": [0, 0, 1], "all": [1, 1, 1]}.items():
    above, below = (read(w + sign * nudge * np.array(moved)).sum() for sign in (1, -1))
    print(f"{name:6} copy of w nudged: the loss moves by {(above - below) / (2 * nudge):.4f} for each unit of nudge")

# %% [markdown]
# The shares of the table above, one by one, and their sum. (The first is zero: at step 1 there is no earlier state for w to
# multiply.) This holds for every shared weight: **its gradient is the sum of the gradients its copies would have.** The number of
# copies grows with the row, the number of weights does not. Keras counts them:

# %%
for steps in (3, 300, 3_000):
    shared, window = keras.layers.SimpleRNN(32), keras.layers.Dense(32)
    shared.build((None, steps, 1))  # (batch, time, features)
    window.build((None, steps))  # the whole row at once
    print(f"{steps:5,} steps: SimpleRNN {shared.count_params():6,} weights, dense layer {window.count_params():6,}")

# %% [markdown]
# ## The whole of it in NumPy: forward
#
# From here on h is a row of `units` numbers, w a matrix U (Keras: *recurrent kernel*), u a matrix W (*kernel*), and there is a
# bias b. The course has this written out in `rnn_course.reference`, without any framework, and the probes of all later lessons
# stand on it. You are about to read it, all but a few one-liners and what padding needs. First one step, then the loop. Of its
# options, `mask` is for padding (lesson 04 is about that), and `adjust` waits for the end of this lesson.

# %%
import inspect
import re

from IPython.display import Markdown

from rnn_course import reference
from rnn_course.reference import Cell, Weights, backward, forward, sigmoid, weight_gradients


def show(*functions):
    """Display the package's own code; its docstrings, longer than the code, stay in the file."""
    sources = [
        re.sub(r'\n    """.*?"""', "", inspect.getsource(function), count=1, flags=re.S) for function in functions
    ]
    return Markdown("```python\n" + "\n\n".join(sources) + "```")


show(reference.simple_rnn_step, forward, reference.project)

# %% [markdown]
# `project` computes $x_t W + b$ for all steps at once, since no state is needed for that; the loop only adds $h_{t-1} U$. Do our three
# numbers come out?

# %%
neuron = Cell("simple_rnn", Weights(np.array([[u]]), np.array([[w]])))
unrolled = forward(neuron, np.array(x)[None, :, None])  # (batch, time, features)
print("by hand", h[1:], "\nin NumPy", unrolled.outputs[0, :, 0])

# %% [markdown]
# ## The whole of it in NumPy: backward
#
# Nothing new happens with matrices. $J_t$ becomes the matrix of all $\partial h_{t+1} / \partial h_t$, and on the way back it
# is transposed:
#
# $$\delta_t = g_t + J_t^{\top} \delta_{t+1}$$
#
# The loop is the same for all cells. What a cell adds is `step`: it multiplies by $J_t^{\top}$ without ever writing that matrix
# down. Look for the line that carries the gradient to the step before, and for the option that cuts it.

# %%
show(backward)

# %% [markdown]
# The step of the simple RNN is one line for the slope and one product with U transposed. The weights then collect their shares
# from all steps, which is a sum over batch and time.

# %%
show(reference.simple_rnn_step_backward, weight_gradients)

# %% [markdown]
# Our three numbers once more: δ and ∂L/∂w as by hand?

# %%
found = backward(neuron, unrolled, np.ones((1, 3, 1)))  # g_t = 1
print("δ by hand ", delta[1:], "\nδ in NumPy", found.hidden[0, :, 0])
print(
    f"∂L/∂w by hand {share.sum():.12f}, in NumPy {weight_gradients(neuron, unrolled, found).recurrent_kernel.item():.12f}"
)

# %% [markdown]
# ## LSTM and GRU: other steps, the same loop
#
# Both keep the loop and replace the step. Lesson 03 takes these cells apart, gate by gate; here they only have to be right.
# Read them as formulas: `c_t = f c_{t-1} + i c̃` is the line that begins with `memory =`, and `z h_{t-1} + (1 - z) h̃` the last
# of the GRU.

# %%
show(reference.lstm_step, reference.gru_step, reference.split_gates)

# %% [markdown]
# On the way back everything that needs no δ, the slopes, is computed for all steps at once before the loop begins. This is
# the densest code of the lesson, and the one that you should believe least without a check.

# %%
show(reference.lstm_step_backward, reference.gru_step_backward)

# %% [markdown]
# ## Nudge every weight: the check that needs no theory
#
# What we did to w can be done to any weight of any program: up by ε, down by ε, and the difference of the losses divided by 2ε
# is the gradient, whatever the code says. As loss we take the sum of all outputs, each with a random factor, so that
# $g_t$ is that factor and no output is left out.


# %%
def central_differences(loss, weights, step):
    """Gradient of `loss()` by nudging each entry of `weights`, any shape, in place."""
    found = np.empty_like(weights)
    for place in np.ndindex(weights.shape):
        kept = weights[place]
        weights[place] = kept + step
        above = loss()
        weights[place] = kept - step
        below = loss()
        weights[place] = kept
        found[place] = (above - below) / (2 * step)
    return found


def relative_error(seen, expected):
    """Length of the difference over the length of the longer of two arrays of one shape: 0 equal, 1 unrelated."""
    return np.linalg.norm(seen - expected) / max(np.linalg.norm(seen), np.linalg.norm(expected))


# %% [markdown]
# A cell with random weights, biases included: a check with zeros in it is blind to whatever they multiply. (The weights shrink with
# the number of units. With larger ones a tanh network is chaotic: it blows up the last digit's rounding at every step, and no two
# programs agree.)

# %%
SIZES = {"simple_rnn": 1, "lstm": 4, "gru": 3}  # blocks of the kernels


def random_cell(kind, rng, *, features=3, units=5, dtype="float64"):
    """A cell with random weights in the layout of Keras."""
    width = SIZES[kind] * units
    shapes = (features, width), (units, width), ((2, width) if kind == "gru" else (width,))
    return Cell(kind, Weights(*(rng.normal(scale=units**-0.5, size=shape).astype(dtype) for shape in shapes)))


def weight_errors(cell, inputs, factors, step, *, through_time=True):
    """Relative error of each weight's gradient, in the order kernel, recurrent kernel, bias."""
    unrolled = forward(cell, inputs)
    analytic = weight_gradients(cell, unrolled, backward(cell, unrolled, factors, through_time=through_time))
    numeric = [
        central_differences(lambda: np.sum(forward(cell, inputs).outputs * factors), weight, step)
        for weight in cell.weights
    ]
    return [relative_error(*pair) for pair in zip(analytic, numeric, strict=True)]


# %% [markdown]
# Below 1e-7 in 64 bits a gradient passes; that is the customary bar.

# %%
checks = {}
print(f"{'relative error':14} {'kernel':>8} {'recurrent':>10} {'bias':>8}")
for kind in SIZES:
    rng = np.random.default_rng(7)
    cell, inputs, factors = random_cell(kind, rng), rng.normal(size=(4, 12, 3)), rng.normal(size=(4, 12, 5))
    errors = weight_errors(cell, inputs, factors, 1e-5)
    checks[kind] = max(errors)
    print(f"{kind:14} {errors[0]:8.0e} {errors[1]:10.0e} {errors[2]:8.0e}")

# %% [markdown]
# ## Too small a nudge is as bad as too large a one
#
# We used ε = 1e-5 without a reason. **Draw, before you run:** the error of the check against ε, from 0.1 down to 1e-12. And then
# two more curves: the same in 32 bits, in which most networks are trained, and the same with a backward pass that has lost the
# term from the later steps (`through_time=False`).

# %%
nudges = 10.0 ** -np.arange(1, 12.5, 0.5)


def check_curve(dtype, *, through_time=True):
    """Worst relative error of an LSTM's gradients at each of the nudges: a list of numbers."""
    rng = np.random.default_rng(7)
    cell = random_cell("lstm", rng, units=3, dtype=dtype)
    inputs, factors = (rng.normal(size=(2, 12, 3)).astype(dtype) for _ in range(2))
    return [max(weight_errors(cell, inputs, factors, step, through_time=through_time)) for step in nudges]


curves = {
    "wrong gradient": (check_curve("float64", through_time=False), BACK),
    "32 bits": (check_curve("float32"), ROUGH),
    "64 bits": (check_curve("float64"), FINE),
}

# %% [markdown]
# Read the picture from left to right: the nudge gets smaller.

# %%
ax = axes_or_new(height=3.2)
for curve, color in curves.values():
    ax.loglog(nudges, curve, color=color)
ax.axhline(1e-7, **BASELINE_STYLE)
ax.text(nudges[0], 1.5e-7, "the bar", va="bottom")
ax.invert_xaxis()
label_lines(ax, [(curve[-1], name, color) for name, (curve, color) in curves.items()])
label_axes(ax, x="nudge ε", y="worst relative error", title="A right gradient has a valley, a wrong one is flat")

# %% [markdown]
# Down the left side of the valley the error falls with ε²: that is what the difference of two sides neglects. On the right it
# grows with 1/ε: two losses that are nearly equal are subtracted, and what is left of them is rounding. In 64 bits there
# is room for a deep valley between the two; in 32 bits there is almost none, so check gradients in 64 bits even if you train in 32.
#
# The wrong gradient has no valley at all. No nudge makes it better, because it is not a matter of rounding. That shape, not a
# single number, tells a bug from bad luck. Keep the picture in mind for A and B.
#
# ## Keras computes the same numbers
#
# A check by nudges proves that the backward pass belongs to the forward pass. It cannot prove that the forward pass is that of an
# LSTM: two wrongs would pass. So we hand the same weights to Keras, read the same inputs, and compare outputs and
# gradients. Keras gets its gradients from TensorFlow's tape, which shares no line with ours.

# %%
import tensorflow as tf

LAYERS = {"simple_rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def keras_numbers(cell, inputs, factors):
    """Outputs of the Keras layer with these weights, and its gradients for kernel, recurrent kernel, bias, inputs."""
    layer = LAYERS[cell.kind](factors.shape[-1], return_sequences=True, dtype=str(inputs.dtype))
    layer.build(inputs.shape)
    layer.set_weights(cell.weights)
    watched = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        outputs = layer(watched)
        loss = tf.reduce_sum(outputs * factors)
    return [outputs.numpy(), *(found.numpy() for found in tape.gradient(loss, [*layer.trainable_weights, watched]))]


# %% [markdown]
# Ours, in the same order.


# %%
def our_numbers(cell, inputs, factors):
    """The same five arrays from the course's own code."""
    unrolled = forward(cell, inputs)
    found = backward(cell, unrolled, factors)
    return [unrolled.outputs, *weight_gradients(cell, unrolled, found), found.inputs]


def compare(kind, dtype, *, units=32):
    """Largest difference of the outputs, then relative errors of the four gradients."""
    rng = np.random.default_rng(11)
    cell = random_cell(kind, rng, features=8, units=units, dtype=dtype)
    inputs, factors = (rng.normal(size=(4, 30, size)).astype(dtype) for size in (8, units))
    ours, theirs = our_numbers(cell, inputs, factors), keras_numbers(cell, inputs, factors)
    return [np.abs(ours[0] - theirs[0]).max(), *map(relative_error, ours[1:], theirs[1:])]


# %% [markdown]
# First in the 32 bits in which Keras works, then in 64.

# %%
compared = {(kind, dtype): compare(kind, dtype) for dtype in ("float32", "float64") for kind in LAYERS}
print(f"{'':21} {'outputs':>8} {'kernel':>8} {'recurrent':>10} {'bias':>8} {'inputs':>8}")
for (kind, dtype), (outputs, kernel, recurrent, bias, inputs) in compared.items():
    print(f"{kind:12} {dtype:8} {outputs:8.0e} {kernel:8.0e} {recurrent:10.0e} {bias:8.0e} {inputs:8.0e}")

# %% [markdown]
# In 32 bits the two agree to the digits that 32 bits have. That the rest is rounding and nothing else shows in 64 bits, where
# it shrinks to their last digits. From now on "an LSTM" means the same thing in Keras, in the course's probes, and in the code
# above.
#
# ## What the way back costs
#
# On the way back every step needs the state and the gates it had on the way forward, so all of them must be kept (or computed
# once more). Seconds and bytes should both grow like T, no faster. There is another way that keeps none of them: carry the
# gradient *forward*. Next to the state it carries a table of how each unit depends on each weight of U so far,
# $\partial h_k / \partial U_{ij}$, and updates it at every step (real-time recurrent learning, Williams and Zipser 1989).


# %%
def forward_mode(cell, inputs, output_gradients):
    """∂L/∂U of a simple RNN without a way back; inputs (time, features), output gradients (time, units)."""
    kernel, recurrent, bias = cell.weights
    units = np.arange(len(recurrent))
    hidden, total = np.zeros(len(units)), np.zeros_like(recurrent)
    table = np.zeros((len(units), *recurrent.shape))  # [i, k, j]: ∂h_k / ∂U_ij
    for x_t, g_t in zip(inputs, output_gradients, strict=True):
        table = recurrent.T @ table  # what the state before passes on, for every i
        table[:, units, units] += hidden[:, None]  # the share of this step: h_i, where k = j
        hidden = np.tanh(x_t @ kernel + hidden @ recurrent + bias)
        table *= (1 - hidden**2)[:, None]
        total += g_t @ table
    return total


# %% [markdown]
# Seconds are those of the fastest of some runs; bytes are the largest amount that NumPy held at once, counted by Python.

# %%
import tracemalloc


def way_back(cell, inputs, factors):
    """∂L/∂U by back-propagation through time; inputs (time, features), factors (time, units)."""
    unrolled = forward(cell, inputs[None])
    return weight_gradients(cell, unrolled, backward(cell, unrolled, factors[None])).recurrent_kernel


# %% [markdown]
# Counting bytes slows NumPy down, so the clock and the counter have runs of their own.


# %%
def cost(run, *arguments, repeats=15):
    """Milliseconds and megabytes of `run(*arguments)`."""
    clock = []
    for _ in range(repeats):
        started = time.perf_counter()
        run(*arguments)
        clock.append(time.perf_counter() - started)
    tracemalloc.start()
    run(*arguments)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return 1e3 * min(clock), peak / 1e6


# %% [markdown]
# A third way is the check itself: two forward passes for each weight. How do the three compare when the network grows? The rows
# have the same length throughout. **Guess** how much dearer the forward mode is with the most units.


# %%
def problem(units, steps, *, seed=0):
    """A simple RNN, inputs (time, features) and factors (time, units)."""
    rng = np.random.default_rng(seed)
    cell = random_cell("simple_rnn", rng, units=units)
    return cell, rng.normal(size=(steps, 3)), rng.normal(size=(steps, units))


print(f"{TIMES[0]} steps   way back   forward mode        nudges: ms for all of U")
ways = {}
for units in (8, 16, 32) if FAST else (8, 16, 32, 64):
    task = problem(units, TIMES[0])
    assert relative_error(forward_mode(*task), way_back(*task)) < 1e-12
    (back_ms, _), (table_ms, _) = cost(way_back, *task), cost(forward_mode, *task)
    pass_ms, _ = cost(forward, task[0], task[1][None])
    ways[units] = back_ms, table_ms, 2 * units**2 * pass_ms
    print(f"{units:3} units {back_ms:9.2f} {table_ms:14.2f} {ways[units][2]:13,.0f}")

# %% [markdown]
# The first two give the same gradient, or the cell would have stopped. What each step of the way back does with
# a product of a row and a matrix, the forward mode does with a product of a matrix and a table, `units²` times as much
# arithmetic; small networks hide it behind the cost of calling NumPy at all. Now let the row grow and watch the bytes.

# %%
costs = []
for steps in TIMES:
    task = problem(16, steps)
    pass_ms, _ = cost(forward, task[0], task[1][None])
    costs.append((*cost(way_back, *task), *cost(forward_mode, *task), pass_ms))
back_ms, back_mb, table_ms, table_mb, pass_ms = np.array(costs).T
figure, axes = figure_grid(1, 2, row_height=3.0)
for ax, back, table in zip(axes[0], (back_ms, back_mb), (table_ms, table_mb), strict=True):
    ax.loglog(TIMES, back, "o-", color=BACK)
    ax.loglog(TIMES, table, "o-", color=FINE)
    ax.set_ylim(*(10.0**limit for limit in (np.floor(np.log10(min(back))), np.ceil(np.log10(max(*back, *table))))))
    label_lines(ax, [(back[-1], "way back", BACK), (table[-1], "forward\nmode", FINE)])
label_axes(axes[0, 0], x="steps T", y="milliseconds", title="Time grows like T for both")
label_axes(axes[0, 1], x="steps T", y="megabytes", title="Memory grows for one")

# %% [markdown]
# The picture in numbers, from the shortest to the longest row.

# %%
longer, time_ratio, memory_ratio = (each[-1] / each[0] for each in (TIMES, back_ms, back_mb))
table_ratio, forward_share = table_mb[-1] / table_mb[0], np.median(pass_ms / back_ms)
Markdown(
    f"{longer:.0f} times as many steps take the way back {time_ratio:.1f} times as long and {memory_ratio:.1f} times the memory; the "
    f"forward mode needs {table_ratio:.2f} times the memory. At {TIMES[-1]:,} steps it holds {table_mb[-1]:.2f} MB where the way back "
    f"holds {back_mb[-1]:.2f} MB. Of the time of the way back, {forward_share:.0%} is the forward pass that it needs first."
)

# %% [markdown]
# So the way back is the cheap one in time, at every size and length that we tried, and pays for it with memory that grows with
# the row. Wherever rows have no end, that bill cannot be paid; lesson 04 cuts it by cutting the way back.
#
# ## A and B train
#
# Now the two programs. One batch: forward, loss, back. The loss is the cross-entropy of a logit at every step; its gradient with
# respect to the logit is (probability − answer), and with that and one product we have the g_t that `backward` wants.


# %%
def loss_and_gradients(weights, bits, answers, delay, *, through_time):
    """Mean cross-entropy over the steps that are asked, and its gradient for every weight."""
    cell = Cell("simple_rnn", Weights(*weights[:3]))
    unrolled = forward(cell, 2.0 * bits - 1)
    logits = unrolled.outputs @ weights[3] + weights[4]  # (batch, time, 1)
    asked = np.arange(bits.shape[1])[:, None] >= delay  # (time, 1)
    share = asked / (len(bits) * asked.sum())
    loss = np.sum(share * (np.logaddexp(0, logits) - answers * logits))
    d_logits = share * (sigmoid(logits) - answers)
    found = backward(cell, unrolled, d_logits @ weights[3].T, through_time=through_time)
    d_readout = np.tensordot(unrolled.outputs, d_logits, ((0, 1), (0, 1)))
    return loss, [*weight_gradients(cell, unrolled, found), d_readout, d_logits.sum((0, 1))]


# %% [markdown]
# `through_time` is the whole difference between A and B. `delay` stays 0 for now: the answer is asked for at once. The
# optimizer is Adam (Kingma and Ba 2015), which takes three lines of arithmetic.


# %%
def starting_weights(rng):
    """Kernel, recurrent kernel (a random rotation), bias; readout kernel and bias."""
    rotation = np.linalg.qr(rng.normal(size=(UNITS, UNITS)))[0]
    readout = rng.normal(scale=UNITS**-0.5, size=(UNITS, 1))
    return [rng.normal(scale=0.5, size=(1, UNITS)), rotation, np.zeros(UNITS), readout, np.zeros(1)]


def adam(weights, gradients, means, squares, count):
    """One step of Adam, in place, on lists of arrays."""
    for weight, gradient, mean, square in zip(weights, gradients, means, squares, strict=True):
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        weight -= RATE * (mean / (1 - 0.9**count)) / (np.sqrt(square / (1 - 0.999**count)) + 1e-8)


# %% [markdown]
# The coin is tossed here, out of sight.


# %%
def late(parity, delay):
    """The parity as it was `delay` steps ago, (batch, time, 1); zero before that is known."""
    return np.pad(parity, ((0, 0), (delay, 0), (0, 0)))[:, : parity.shape[1]]


def train(program, seed, *, delay=0):
    """Train one copy on fresh rows; return its weights and the loss of every update."""
    rng = np.random.default_rng(seed)
    weights, losses = starting_weights(rng), []
    means, squares = ([np.zeros_like(weight) for weight in weights] for _ in range(2))
    for count in range(1, UPDATES + 1):
        bits, parity = make_rows(BATCH, rng)
        loss, gradients = loss_and_gradients(weights, bits, late(parity, delay), delay, through_time=PROGRAMS[program])
        adam(weights, gradients, means, squares, count)
        losses.append(loss)
    return weights, losses


PROGRAMS = dict(zip("AB", np.random.default_rng(1_990).permutation([True, False]), strict=True))

# %% [markdown]
# Look at what you wrote down at the top. Then run both programs from several starts; a start gives both the same weights and
# the same rows.

# %% tags=["picture"]
trained = {program: [train(program, seed) for seed in SEEDS] for program in PROGRAMS}
smooth = np.ones(20) / 20
ax, ends = axes_or_new(height=3.2), []
for (program, runs), color in zip(trained.items(), (SERIES_COLORS[2], SERIES_COLORS[0]), strict=True):
    losses = np.array([np.convolve(losses, smooth, "valid") for _, losses in runs])  # (seeds, updates)
    ax.fill_between(np.arange(losses.shape[1]), losses.min(axis=0), losses.max(axis=0), color=color, alpha=0.2)
    ax.plot(losses.mean(axis=0), color=color)
    ends.append((losses.mean(axis=0)[-1], program, color))
ax.axhline(np.log(2), **BASELINE_STYLE)
ax.text(UPDATES, np.log(2), "coin", ha="right", va="bottom")
label_lines(ax, ends)
label_axes(ax, x="update", y="loss in nats a step", title="Both programs learn; which one is wrong?")

# %% [markdown]
# Band: from the lowest to the highest of the starts, averaged over twenty updates. Decide now, A or B, and write down why.
#
# ## One of them counts far beyond its training, from nearly every start
#
# Held-out rows of the length of training first. Then rows that are far longer than any row in training: the weights are the
# same at every step, so nothing stops us. A program that has learned the rule itself should not care.


# %%
def accuracy(weights, bits, answers, *, delay=0):
    """Share of right answers, over the steps that are asked."""
    cell = Cell("simple_rnn", Weights(*weights[:3]))
    logits = forward(cell, 2.0 * bits - 1).outputs @ weights[3] + weights[4]
    return np.mean((logits > 0)[:, delay:] == (answers > 0)[:, delay:])


long_rows = make_rows(200, np.random.default_rng(99), LONG)
short, long = (
    {name: np.array([accuracy(weights, *rows) for weights, _ in runs]) for name, runs in trained.items()}
    for rows in ((test_bits, test_parity), long_rows)
)
for name in PROGRAMS:
    print(f"program {name}, {STEPS} steps: {short[name].mean():.1%} ± {short[name].std():.1%} over {len(SEEDS)} starts")
    print(f"program {name}, {LONG:,} steps, start by start:", *(f"{share:.0%}" for share in long[name]))
print(f"table of five bits {table_of_five:.1%}, of one bit {memoryless_accuracy:.1%}")

# %% [markdown]
# ## The check names the culprit
#
# Learning curves did not settle it. The nudges do, in a second: the whole network, all five arrays of weights, at the
# weights with which both programs started.

# %%
rng = np.random.default_rng(3)
weights, (bits, parity) = starting_weights(rng), make_rows(8, rng)
print(f"{'relative error':14} {'kernel':>8} {'recurrent':>10} {'bias':>8} {'readout':>8} {'its bias':>9}")
program_errors = {}
for name, kept in PROGRAMS.items():
    _, found = loss_and_gradients(weights, bits, parity, 0, through_time=kept)
    numeric = [
        central_differences(lambda: loss_and_gradients(weights, bits, parity, 0, through_time=True)[0], weight, 1e-5)
        for weight in weights
    ]
    errors = program_errors[name] = [relative_error(*pair) for pair in zip(found, numeric, strict=True)]
    print(f"program {name:6} {errors[0]:8.0e} {errors[1]:10.0e} {errors[2]:8.0e} {errors[3]:8.0e} {errors[4]:9.0e}")
RIGHT, WRONG = sorted(PROGRAMS, key=PROGRAMS.get, reverse=True)

# %% [markdown]
# The readout is right in both, since nothing of it comes from a later step. Let us put the evidence together.

# %%
early = {name: np.mean([losses[100:200] for _, losses in runs]) for name, runs in trained.items()}
counters = {name: int(np.sum(long[name] > 0.999)) for name in PROGRAMS}
Markdown(
    f"**Program {WRONG} is the wrong one.** Between updates 100 and 200 its loss was {early[WRONG]:.3f} against {early[RIGHT]:.3f}. "
    f"At the end it was right on {short[WRONG].mean():.1%} of the test answers, the right program on {short[RIGHT].mean():.1%}. "
    f"And at {LONG:,} steps, from {counters[WRONG]} of {len(SEEDS)} starts the wrong program was right on more than 99.9 % of the "
    f"answers; the right program from {counters[RIGHT]}."
)

# %% [markdown]
# ## Why the missing term was not missed
#
# That a network learns says nothing about its gradient. But how can a wrong gradient do *better*? Look at the task. What the
# state must hold for the next step is the parity, and the parity is what is asked at this very step. So $g_t$ alone already
# tells every step what to keep, and whoever does that at every step counts for ever. The right gradient also listens to all
# later answers, and is free to find other ways that are good for the length of a training row and no longer. (Elman trained his
# networks in 1990 with the direct gradient: the last state was handed in as if it were one more input. They learned.)
#
# If this is the reason, we can take the favor away. We ask for each answer a few steps *late*. Then the state must hold what nobody
# asks for at this step, and only the gradient from later steps can say so. **Predict** for each program what happens with one step,
# two steps, three.

# %%
late_accuracy = {name: [short[name]] for name in PROGRAMS}
for delay in DELAYS[1:]:
    for name in PROGRAMS:
        runs = [train(name, seed, delay=delay)[0] for seed in SEEDS]
        answers = late(test_parity, delay)
        late_accuracy[name].append(np.array([accuracy(run, test_bits, answers, delay=delay) for run in runs]))
        print(f"{delay} late, program {name}: {late_accuracy[name][-1].mean():.1%}")

# %% [markdown]
# A dot is one start, a line the mean of a program.

# %%
ax, ends = axes_or_new(height=3.2), []
for name, color in ((RIGHT, FINE), (WRONG, BACK)):
    shares = 100 * np.array(late_accuracy[name])  # (delays, seeds)
    ax.plot(DELAYS, shares, "o", color=color, markersize=4, alpha=0.5)
    ax.plot(DELAYS, shares.mean(axis=1), color=color)
    ends.append((shares[-1].mean(), f"{'right' if name == RIGHT else 'wrong'} gradient", color))
ax.axhline(50, **BASELINE_STYLE)
ax.set_xticks(DELAYS)
ax.text(DELAYS[0], 51, "coin", va="bottom")
label_lines(ax, ends)
label_axes(ax, x="answer asked for so many steps late", y="test accuracy, %")
label_axes(ax, title="Two steps late, and only the right gradient learns")

# %% [markdown]
# Same network, same bits, same optimizer: now the wrong program falls, and the right one keeps going from nearly every start. (One
# step late most copies still get by: the bits just read are somewhere in every state, asked for or not.) Whether a wrong gradient
# shows in the learning curve depends on the task. Whether it shows in the check does not.
#
# ## Open it: what does a state hold that counts?
#
# One number for each unit: a state could hold a lot. To count, it needs one bit, the parity. It also sees the last bits it
# read, whether it needs them or not. So we ask of every copy: how much of what its states do, step by step over the long rows,
# is accounted for by the parity and the last five bits? What is left must come from somewhere further back.


# %%
def explained(states, kinds):
    """Share of the variance of states, (steps, units), that lies between the kinds of steps, (steps,)."""
    _, kinds, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    centers = np.zeros((len(counts), states.shape[1]))
    np.add.at(centers, kinds, states)
    centers /= counts[:, None]
    return 1 - np.sum((states - centers[kinds]) ** 2) / np.sum((states - states.mean(axis=0)) ** 2)


# %% [markdown]
# In each line, the starts in their order.

# %%
bits, parity = (array[:100] for array in long_rows)
kinds = (2 * patterns(bits, 5) + parity[:, :, 0]).ravel()
tidy, states = {}, {}
for name, runs in trained.items():
    states[name] = [forward(Cell("simple_rnn", Weights(*run[:3])), 2.0 * bits - 1).outputs for run, _ in runs]
    tidy[name] = np.array([explained(each.reshape(-1, UNITS), kinds) for each in states[name]])
    for what, shares in (("explained", tidy[name]), ("long rows", long[name])):
        print("right" if name == RIGHT else "wrong", f"gradient, {what}:", *(f"{share:4.0%}" for share in shares))

# %% [markdown]
# Read each pair of lists together: the copies that lose count are those whose states the parity and the last bits do not explain.
# (The one that is right in nine answers of ten is explained by less than a half, more than any that lost count.)
# Of each program we draw the copy that does worst on the long rows. Each dot is a state after some step, in the plane in which the
# states spread most (principal components). **Guess** before you look: one cloud, two, or many?

# %%
from rnn_course.plots.style import NEGATIVE, POSITIVE
from rnn_course.probes import project_states

figure, axes = figure_grid(1, 2, row_height=3.4)
for ax, name in zip(axes[0], (WRONG, RIGHT), strict=True):
    worst = int(np.argmin(long[name]))
    points = project_states(states[name][worst][:20]).points  # (batch, time, 2)
    colors = np.where(parity[:20, :, 0] == 1, POSITIVE, NEGATIVE).ravel()
    ax.scatter(*points.reshape(-1, 2).T, c=colors, s=3, alpha=0.5, linewidths=0, rasterized=True)
    which = "Right" if name == RIGHT else "Wrong"
    label_axes(ax, x="first component", title=f"{which} gradient: {long[name][worst]:.0%} at {LONG:,} steps")
label_axes(axes[0, 0], y="second component")

# %% [markdown]
# Orange is odd, blue is even. On the left the states keep to a few places, and nearly every place has one color: the network
# works like a machine with a handful of states, in which every bit leads from one place to another. On the right odd and even
# lie on top of each other in this plane. That copy has found some other way, and far beyond the training length it has lost
# count.
#
# ## Exchange two memories, and each answers for the other
#
# A picture is not a proof. If the count is in the state and nowhere else, we can say beforehand what an intervention in the
# middle of the row will do to every single answer after it. **Wiped** to zero, the network must count the second half alone.
# **Exchanged** with another row's state, it must answer with the other row's first half and its own second half.


# %%
def read_on(weights, bits, change):
    """Answers after the middle, (batch, time), of a network whose state `change` replaces there."""
    middle = bits.shape[1] // 2

    def adjust(t, states, gates):
        return change(states) if t == middle - 1 else states

    network = Cell("simple_rnn", Weights(*weights[:3]))
    outputs = forward(network, 2.0 * bits - 1, adjust=adjust).outputs[:, middle:]
    return (outputs @ weights[3] + weights[4] > 0)[:, :, 0]


middle = STEPS // 2
before, after = test_parity[:, middle - 1 : middle, 0], np.cumsum(test_bits[:, middle:, 0], axis=1) % 2
cases = {
    "untouched": (lambda states: states, before),
    "wiped": (lambda states: tuple(np.zeros_like(state) for state in states), 0),
    "exchanged": (lambda states: tuple(state[::-1] for state in states), before[::-1]),
}

# %% [markdown]
# The first row against the last, the second against the last but one, and so on: `[::-1]`.

# %%
opened = trained[RIGHT][0][0]  # the right program's first copy
interventions = {}
for name, (change, held) in cases.items():
    answers = read_on(opened, test_bits, change)
    own, predicted = (np.mean(answers == (bit + after) % 2) for bit in (before, held))
    interventions[name] = own, predicted
    print(f"{name:10} right about its own row {own:6.1%}   as predicted {predicted:6.1%}")

# %% [markdown]
# A wiped network does not toss a coin. It is right about exactly those rows whose first half happened to be even. An exchanged
# one answers for the row whose state it was given. The count was in the state, all of it, and nowhere else.
#
# ## Exercises
#
# Nothing below depends on them. Fill in the function and run the cell; ask for `exercises.q1.hint()` when you are stuck.
#
# ### Exercise 1 · 5 minutes
#
# How many weights, biases included, has a Keras layer? Write `count_weights(kind, features, units)` for `kind` `"simple_rnn"`,
# `"lstm"` and `"gru"`, as they come, without building the layer. One of the three holds a surprise.

# %%
from rnn_course.exercises import recurrence as exercises


def count_weights(kind, features, units): ...


exercises.q1.check(count_weights)

# %% [markdown]
# ### Exercise 2 · 5 minutes
#
# Predict, do not run: an LSTM with 128 units reads a batch of 64 rows of 500 steps in float32. How many megabytes (millions of
# bytes) do its states and gates take, until the way back has come by? An answer within two percent passes.

# %%
my_prediction = ...

exercises.q2.check(my_prediction)

# %% [markdown]
# ### Exercise 3 · 10 minutes
#
# A colleague checks her gradients with the function below and has been hunting a bug in her LSTM for two days. There is none.
# Find out what her check measures, and write `numerical_gradient(loss, weights, step)`, which calls `loss(weights)` and leaves
# the weights as they were.


# %%
def broken_check(loss, weights, step):
    found = np.empty_like(weights)
    for place in np.ndindex(weights.shape):
        weights[place] += step
        above = loss(weights)
        weights[place] -= step
        below = loss(weights)
        found[place] = (above - below) / (2 * step)
    return found


def numerical_gradient(loss, weights, step): ...


exercises.q3.check(numerical_gradient)

# %% [markdown]
# ### Exercise 4 · 15 minutes
#
# Back-propagation through time in your own words. Write `recurrent_kernel_gradient(hidden, output_gradients, recurrent_kernel)`
# for one row and a simple RNN: states `(1 + time, units)` with $h_0$ first, the $g_t$ `(time, units)`, U `(units, units)`; it
# returns ∂L/∂U, `(units, units)`.


# %%
def recurrent_kernel_gradient(hidden, output_gradients, recurrent_kernel): ...


exercises.q4.check(recurrent_kernel_gradient)

# %% [markdown]
# ### Exercise 5 · 10 minutes
#
# A check without the right branch of the valley: nudge a weight by an *imaginary* number, w + iε. Where does the derivative
# appear, and what is no longer subtracted? Write `complex_step_gradient(loss, weights)`, right to twelve digits. `loss` takes
# complex weights.


# %%
def complex_step_gradient(loss, weights): ...


exercises.q5.check(complex_step_gradient)

# %% [markdown]
# ## You have seen
#
# - A recurrent network is one step, repeated; unrolled it is a deep network with the same weights in every layer, and their gradient
#   is the sum of what each copy would get.
# - $\delta_t = g_t + J_t^{\top} \delta_{t+1}$ is all of back-propagation through time. The cells differ in J alone.
# - Nudging every weight proves a backward pass; in 64 bits, and with a look at the whole valley. Keras proves the forward pass.
# - The way back costs time and memory in proportion to the row. Forward mode needs no memory of the row and much more time.
# - A program with a wrong gradient learned, and counted further than the right one. Ask late, and it fails. A learning
#   curve cannot tell you that a gradient is right.
# - A state can be exchanged like a note: the network answers for whoever wrote it.
#
# ## What is not known from this
#
# - One task, one small cell, a handful of starts. How often a direct gradient suffices elsewhere, and on which tasks a longer one
#   does harm, is not settled by this.
# - We saw that some copies of the right program hold more than the parity and a few bits. What that is, and whether more
#   training would tidy it up, we did not ask.
# - Adam rescales every gradient. With plain gradient descent the order of A and B could be another one. `RATE` and `UPDATES` are yours
#   to change.
# - The gradient was right at every step and still may have been useless: how much of it arrives from far back is the
#   subject of lesson 02.
#
# ## References
#
# - Elman (1990), *Finding structure in time*, Cognitive Science 14: the simple RNN, trained with the direct gradient; read it for what
#   that could learn.
# - Werbos (1990), *Backpropagation through time: what it does and how to do it*, Proceedings of the IEEE 78: the recursion of this
#   lesson, for any ordered system of equations.
# - Williams and Zipser (1989), *A learning algorithm for continually running fully recurrent neural networks*, Neural Computation 1:
#   the forward mode, and learning without a way back.
# - Williams and Zipser (1995), *Gradient-based learning algorithms for recurrent networks and their computational complexity*: the
#   costs of both, counted.
# - Griewank and Walther (2008), *Evaluating derivatives*, SIAM: forward, backward, and everything between them.
# - Squire and Trapp (1998), *Using complex variables to estimate derivatives of real functions*, SIAM Review 40: exercise 5, in
#   three pages.
# - Kingma and Ba (2015), *Adam: a method for stochastic optimization*, ICLR.
# - Giles et al. (1992), *Learning and extracting finite state automata with second-order recurrent neural networks*, Neural
#   Computation 4: places in state space as the states of a machine.
#
# ## The figures of this run
#
# The last three cells collect them: those of the proofs and costs, those of the two programs, then all.

# %%
proofs = {
    **{f"gradient_check_{kind}": float(error) for kind, error in checks.items()},
    **{f"keras_output_error_{kind}": float(compared[kind, "float32"][0]) for kind in LAYERS},
    **{f"keras_gradient_error_{kind}": float(max(compared[kind, "float32"][1:])) for kind in LAYERS},
    "keras_error_in_64_bits": float(max(max(compared[kind, "float64"]) for kind in LAYERS)),
    **{f"check_lowest_{name.replace(' ', '_')}": float(min(curve)) for name, (curve, _) in curves.items()},
    "longer": longer,
    "time_ratio": float(time_ratio),
    "memory_ratio": float(memory_ratio),
    "forward_mode_memory_ratio": float(table_ratio),
    "forward_mode_time_ratio_units": float(ways[max(ways)][1] / ways[max(ways)][0]),
    "nudges_time_ratio_units": float(ways[max(ways)][2] / ways[max(ways)][0]),
}

# %% [markdown]
# The copies that lose count are those below nine tenths on the long rows, if there are any.

# %%
all_tidy, all_long = (np.concatenate(list(each.values())) for each in (tidy, long))
losing = all_long < 0.9
sides = {}
for side, name in (("right", RIGHT), ("wrong", WRONG)):
    sides[f"check_of_{side}_program"] = float(max(program_errors[name]))
    sides[f"early_loss_{side}"] = float(early[name])
    sides[f"counting_copies_{side}"] = counters[name]
    sides[f"long_accuracy_{side}"] = float(long[name].mean())
    sides[f"late_accuracy_{side}"] = float(late_accuracy[name][-1].mean())
sides |= {"explained_least_of_counting_copies": float(all_tidy[~losing].min())} if not losing.all() else {}
sides |= {"explained_most_of_losing_copies": float(all_tidy[losing].max())} if losing.any() else {}

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    **{"minutes": (time.perf_counter() - began) / 60, "source": "generated"},
    "test_accuracy": float(short[RIGHT].mean()),
    "test_accuracy_std": float(short[RIGHT].std()),
    "baseline_accuracy": float(table_of_five),
    "memoryless_accuracy": float(memoryless_accuracy),
    "wrong_gradient_accuracy": float(short[WRONG].mean()),
    "wrong_gradient_accuracy_std": float(short[WRONG].std()),
    **{
        f"{name}_{what}": float(interventions[name][i]) for name in cases for i, what in enumerate(("own", "predicted"))
    },
    **proofs,
    **sides,
}
results
