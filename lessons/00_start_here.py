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
# # 00. One neuron remembering
#
# Below is a single neuron. It reads a long row of numbers, one at a time, and all it may carry from one number to the
# next is one number of its own. When the row ends it is asked: was the very first number positive?
#
# Two copies of it train on the same rows with the same optimizer. They differ in one weight, which starts below 1 in
# one copy and above 1 in the other. One copy will answer almost without a fault; the other will toss a coin. Before
# anything runs: which is which, and where would you look for the reason?
#
# **You will**
#
# - see that this machine can train a Keras model, and how a lesson and its checks work;
# - compute a recurrent neuron by hand and get the same numbers from `keras.layers.SimpleRNN`;
# - find out which weights forget, which remember, and what remembering costs;
# - train the two copies, open them, and cut the memory to prove that it was there.
#
# Minutes on two CPU cores: one to run, thirty to read. The data are generated: nothing is downloaded.

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

# %% [markdown]
# Every lesson has one cell of parameters. Change a value, run the lesson again from the top, and see what moves.
# `FAST` shrinks the run for tests.

# %% tags=["parameters"]
SOURCE = "auto"  # nothing is loaded here: this lesson makes its own numbers
FAST = False
SEEDS = (0, 1, 2)
STARTS = (0.8, 1.2)  # the recurrent weight w of the two copies, before training
STEPS = 50  # T, how many numbers one row holds
ROWS = 2_000  # rows to train on
NOISE = 0.2  # standard deviation of every number after the first
EPOCHS = 10

# %% [markdown]
# ## The machine is ready
#
# A straight line has one weight and one bias. If Keras can move them toward the truth, so that the loss falls, then
# everything in this course runs here.

# %%
import time

from rnn_course.plots.style import NEGATIVE, POSITIVE, SERIES_COLORS, figure_grid, label_axes, label_lines

began = time.perf_counter()
if FAST:
    SEEDS, ROWS, EPOCHS = SEEDS[:1], 500, 5
keras.utils.set_random_seed(SEEDS[0])
inputs = np.linspace(-1, 1, 64)[:, None]  # (batch, features)
line = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
line.compile(optimizer="sgd", loss="mse")
losses = line.fit(inputs, 3 * inputs + 1, epochs=20, verbose=0).history["loss"]
print(f"rnn_course {rnn_course.__version__}, NumPy {np.__version__}")
print(f"Keras {keras.__version__} on {keras.backend.backend()}")
print(f"the loss of a straight line fell from {losses[0]:.2f} to {losses[-1]:.2f} in {len(losses)} epochs")

# %% [markdown]
# ## Three numbers through one neuron
#
# A recurrent neuron mixes two things at every step: what it has just read, $x_t$, and what it was a step ago, $h_{t-1}$.
#
# $$h_t = \tanh(w \, h_{t-1} + u \, x_t), \qquad h_0 = 0$$
#
# The weight $u$ (Keras: the *kernel*) multiplies the input, the weight $w$ (the *recurrent kernel*) the neuron's own past.
# Here it reads a pulse: one 1, then nothing.

# %%
w, u = 0.5, 1.0
row = [1.0, 0.0, 0.0]
by_hand = []
hidden = 0.0
for t, x in enumerate(row, start=1):
    before, hidden = hidden, np.tanh(w * hidden + u * x)
    by_hand.append(hidden)
    print(f"h_{t} = tanh({w} × {before:.4f} + {u} × {x}) = {hidden:.4f}")

# %% [markdown]
# The second and third inputs are zero, yet the state is not: that is the whole of recurrence. `SimpleRNN(1)` is the
# same neuron. With the same two weights it has to give the same three numbers, up to the last digit that 32 bits hold.

# %%
layer = keras.layers.SimpleRNN(1, use_bias=False, return_sequences=True)
layer.build((None, None, 1))  # (batch, time, features)
layer.set_weights([np.array([[u]]), np.array([[w]])])
by_keras = keras.ops.convert_to_numpy(layer(np.array(row, "float32")[None, :, None]))[0, :, 0]  # (time,)
print("by hand ", np.round(by_hand, 4))
print("by Keras", np.round(by_keras, 4))
print(f"largest difference: {np.abs(by_hand - by_keras).max():.1e}")

# %% [markdown]
# ## What does w = 1 keep?
#
# After the pulse only $w$ is at work. Without tanh the state would be $w^{t}$: gone for $w = 0.5$, kept for ever at
# $w = 1$, exploding above. **Write down a guess:** with tanh and $w = 1$ exactly, how much of the pulse is left after a
# hundred steps? And with $w = 1.1$?


# %%
def fade(w, *, start=1.0, steps=1_000, squash=np.tanh):
    """States of a unit that starts at `start` and then reads zeros: (steps,)."""
    states = [start]
    while len(states) < steps:
        states.append(squash(w * states[-1]))
    return np.array(states)


for steps in (10, 100, 1_000):
    left = fade(1.0, steps=steps + 1)[-1]
    print(f"w = 1, after {steps:5} steps: {left:.4f} is left;  √(3 / 2t) = {np.sqrt(3 / (2 * steps)):.4f}")
print(f"w = 1.1, after 100 and after 1,000 steps: {fade(1.1)[100]:.4f} and {fade(1.1)[-1]:.4f}")

# %% [markdown]
# For a small state $\tanh(h) \approx h - h^3/3$: every step takes a bite that shrinks with the cube of what is left. The
# differential equation $\dot h = -h^3/3$ has the solution $\sqrt{3/2t}$ for late $t$, the second column. So $w = 1$ forgets, but
# without a half-life: on the double logarithmic axes below it is a straight line, while every $w < 1$ bends and drops.

# %%
figure, axes = figure_grid(1, 2, row_height=3.0, sharey=True)
drawn = (lambda a: a, "No tanh: keep or explode"), (np.tanh, "With tanh: fade or latch")
for ax, (squash, title) in zip(axes[0], drawn, strict=True):
    ends = []
    for w, color in zip((0.5, 0.9, 1.0, 1.1, 1.5), SERIES_COLORS, strict=True):
        states = fade(w, squash=squash)
        ax.loglog(np.arange(1, 1_001), np.clip(states, 1e-9, 1e9), color=color)
        ends.append((np.clip(states[-1], 2e-3, 8), f"w = {w}", color))
    ax.set(ylim=(1e-3, 10), xlim=(1, 1_000))
    label_axes(ax, x="steps after the pulse", title=title)
label_lines(axes[0, 1], ends)
label_axes(axes[0, 0], y="state $h_t$")

# %% [markdown]
# ## Above 1 the neuron latches
#
# With $w > 1$ the small state grows and the large one is squashed, and they meet where $h = \tanh(w h)$. Apart from 0, which
# the slightest pulse leaves, there are two such places, one of each sign: whatever the pulse was, its *size* is forgotten and
# its *sign* is kept for ever. What would it take to turn the sign? One push $p$ turns it if it outweighs what the neuron hands
# itself, $|p| > w h$. **Guess** before you run: which of the pushes below succeed?

# %%
w = 1.5
for start in (0.9, 0.001, -0.001):
    print(f"pulse {start:6}: after 1,000 steps the state is {fade(w, start=start)[-1]:+.4f}")
latched = fade(w)[-1]
print(f"theory: a push must outweigh w h = {w * latched:.4f}")
for push in (-0.5, -1.2, -1.3, -2.0):
    after = fade(w, start=np.tanh(w * latched + push))[-1]
    print(f"push {push}: a thousand steps later {after:+.4f}, {'turned' if after < 0 else 'as before'}")

# %% [markdown]
# ## A check tells you which mistake it looks like
#
# Exercises stand at the end of a lesson, and nothing after them depends on your answer. You hand your answer to `check`; it
# compares it with the solution on random inputs, fresh ones every time. Say the question is after how many steps a linear
# memory $h_t = w h_{t-1}$ has lost half, and somebody answers $1 / (1 - w)$. (`seed` is here only to keep this page the
# same from run to run; leave it out.)

# %%
from rnn_course.exercises import start_here as exercises

exercises.q1.check(lambda w: 1 / (1 - w), seed=1)

# %% [markdown]
# `hint()` nudges; called again it shows where to look (a number asks for one of the two). `solution()` shows code and says why
# it is right.

# %%
exercises.q1.hint(1)

# %% [markdown]
# ## Now with noise: was the first number positive?
#
# A row begins with 1 or −1, and everything after it is noise that means nothing. The neuron must carry one bit across all of
# it. Look at the rows before you model them: the first number stands out, and it stands there only once.


# %%
def make_rows(count, rng):
    """Rows, (batch, time, 1), and 1 where their first number is positive, (batch, 1)."""
    rows = rng.normal(scale=NOISE, size=(count, STEPS, 1))
    rows[:, 0, 0] = rng.choice([-1, 1], size=count)
    return rows.astype("float32"), (rows[:, 0] > 0).astype("float32")


test_rows, test_labels = make_rows(10_000, np.random.default_rng(12_345))
print(f"{len(test_rows):,} test rows of {STEPS} numbers, {test_labels.mean():.1%} of them begin with 1")
for row, label in zip(test_rows[:4, :, 0], test_labels[:4, 0], strict=True):
    print("positive" if label else "negative", np.round(row[:8], 1), "…")

# %% [markdown]
# ## The honest baselines: the last number, and the sum
#
# A model without any memory sees the last number alone. A neuron with $w = 1$ and no tanh has, on paper, the *perfect* memory:
# it forgets nothing, and ends as the sum of the row. One with $w = 1.5$ and no tanh explodes, which is not always bad. (A model
# that sees all numbers at once need only look at the first. The rule of this game is one number read, one number kept.)


# %%
def share_right(scores):
    """Share of the test rows whose score, (batch, 1), has the sign of their first number."""
    return float(np.mean((scores > 0) == (test_labels > 0)))


last_value_accuracy = share_right(test_rows[:, -1])
baseline_accuracy = share_right(test_rows.sum(axis=1))
growth = 1.5 ** np.arange(STEPS)[::-1]  # (time,)
exploded = np.tensordot(test_rows, growth, axes=(1, 0))  # (batch, 1)
exploding_accuracy = share_right(exploded)
overflow = np.log(np.finfo("float32").max) / np.log(1.5)
print(f"the last number: {last_value_accuracy:.1%}")
print(f"the sum, w = 1 without tanh: {baseline_accuracy:.1%}")
print(f"w = 1.5 without tanh: {exploding_accuracy:.1%}, with states as large as {np.abs(exploded).max():.0e};")
print(f"after {overflow:.0f} steps they would be too large for 32 bits")

# %% [markdown]
# The sum beats the coin, but not by as much as "perfect memory" promised: it remembers the noise perfectly too. Forgetting
# nothing is not the same as remembering something. The third neuron magnifies its past at every step, so that the first number
# outgrows all that follow. Its answers are right, and its state grows until the computer has no number for it. What is wanted
# is a neuron that does the same and stays between −1 and 1.
#
# ## Two copies of one neuron
#
# The whole model is four numbers: $w$ and $u$, and a readout that turns the last state into a logit, a score that says positive
# where it is above 0. All start at the same values in both copies, except $w$.


# %%
def build_unit(w):
    """One recurrent neuron with weight w, and a readout: (batch, time, 1) to a logit, (batch, 1)."""
    memory = keras.layers.SimpleRNN(1, use_bias=False, name="memory")
    readout = keras.layers.Dense(1, name="readout")
    model = keras.Sequential([keras.Input((None, 1)), memory, readout])
    memory.set_weights([np.ones((1, 1)), np.full((1, 1), w)])  # u, w
    readout.set_weights([np.ones((1, 1)), np.zeros(1)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=loss)
    return model


def accuracy(model, rows=test_rows):
    """Share of rows, (batch, time, 1), that the model answers rightly."""
    return share_right(model.predict(rows, batch_size=1_000, verbose=0))


# %% [markdown]
# **Write it down:** which copy learns, the one that starts below 1 or the one that starts above? `fit` does the work; the
# callback notes $w$ after every epoch. Each copy is trained once for every seed. A seed brings rows of its own, the same ones
# for both copies.


# %%
def train(start, seed):
    """Train one copy; return it and the value of w at the start and after every epoch."""
    keras.utils.set_random_seed(seed)
    model = build_unit(start)
    course = [start]
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: course.append(float(model.get_layer("memory").get_weights()[1][0, 0]))
    )
    rows, labels = make_rows(ROWS, np.random.default_rng(seed))
    model.fit(rows, labels, batch_size=100, epochs=EPOCHS, verbose=0, callbacks=[note])
    return model, course


# %% [markdown]
# The first percentage is the accuracy before any training, the second the one after it.

# %%
models, courses, accuracies = {}, {}, {}
for start in STARTS:
    untrained = accuracy(build_unit(start))
    for seed in SEEDS:
        models[start, seed], courses[start, seed] = train(start, seed)
        accuracies[start, seed] = accuracy(models[start, seed])
        found = f"{untrained:.1%} → {accuracies[start, seed]:.1%}"
        print(f"w from {start} to {courses[start, seed][-1]:5.2f}, seed {seed}: {found}")
low, high = ([accuracies[start, seed] for seed in SEEDS] for start in STARTS)
for start, shares in zip(STARTS, (low, high), strict=True):
    print(f"start {start}: {np.mean(shares):.1%} ± {np.std(shares):.1%} over {len(SEEDS)} seeds")
print(f"the last number {last_value_accuracy:.1%}, the sum {baseline_accuracy:.1%}; {len(test_rows):,} test rows")

# %% [markdown]
# The copy that started above 1 beats the "perfect" memory and answers like the exploding one, with a state that cannot even
# hold the size of what it read. Where the weights went shows the dividing line of the theory: above 1 there is a latch, and
# training strengthens it; below 1 there is none to strengthen, and the seeds do not agree on where to go.

# %%
figure, axes = figure_grid(1, 1, row_height=3.0)
ends = []
for start, color in zip(STARTS, SERIES_COLORS[:2], strict=True):
    for seed in SEEDS:
        axes[0, 0].plot(courses[start, seed], color=color)
    ends.append((courses[start, SEEDS[0]][-1], f"start {start}", color))
axes[0, 0].axhline(1, color="#555555", linewidth=0.8)
axes[0, 0].text(EPOCHS, 1.02, "above: latches", ha="right", va="bottom")
label_lines(axes[0, 0], ends)
label_axes(
    axes[0, 0], x="epoch", y="recurrent weight w", title="Above 1 training strengthens the latch; below 1 it finds none"
)

# %% [markdown]
# ## Open it: does the state hold the bit?
#
# `trace` replays a layer and hands back what it computed at every step. If the neuron remembers, rows that began with 1
# (orange) and rows that began with −1 (blue) must still be apart at the end.

# %%
from rnn_course.probes import trace

seed = SEEDS[0]
figure, axes = figure_grid(1, 2, row_height=3.0, sharey=True)
for ax, start in zip(axes[0], STARTS, strict=True):
    hidden = trace(models[start, seed], test_rows[:40], "memory").hidden[:, :, 0]  # (batch, time)
    for states, label in zip(hidden, test_labels[:40, 0], strict=True):
        ax.plot(states, color=POSITIVE if label else NEGATIVE, linewidth=0.8, alpha=0.7)
    label_axes(ax, x="step t", title=f"Start {start}: {accuracies[start, seed]:.0%} right")
label_axes(axes[0, 0], y="state $h_t$")

# %% [markdown]
# ## Cut the memory, and the answer is gone
#
# A picture of a state proves little; an intervention does. We let the trained copy begin in the middle of the row with an
# empty state, which is the same as wiping its state there. For comparison, we keep the state and wipe the *inputs* of the
# second half instead.

# %%
model = models[STARTS[1], seed]
half = STEPS // 2
quiet = test_rows.copy()
quiet[:, half:] = 0
state_wiped, inputs_wiped = accuracy(model, test_rows[:, half:]), accuracy(model, quiet)
print(f"untouched {accuracy(model):.1%}   state wiped {state_wiped:.1%}   inputs wiped {inputs_wiped:.1%}")

# %% [markdown]
# With the state gone the answer is a coin toss; with half of the inputs gone it is not. The bit was in the state, and nowhere
# else.
#
# ## What remembers best teaches least
#
# Training works by asking how the loss would change if an earlier state were a little different: the gradient $\partial L / \partial h_t$,
# followed back through every step. **Guess** where it reaches the first number most strongly: in the copy that has forgotten,
# in the one that is about to learn, or in the one that already remembers?

# %%
from rnn_course.plots import plot_gradient_flow
from rnn_course.probes import gradient_flow

opened = {
    f"{STARTS[0]}, untrained": build_unit(STARTS[0]),
    f"{STARTS[1]}, untrained": build_unit(STARTS[1]),
    f"{STARTS[1]}, trained": model,
}
norms = {}
for name, unit in opened.items():
    flow = gradient_flow(unit, test_rows[:1_000], test_labels[:1_000], "memory")
    norms[name] = np.abs(flow.values[:, :, 0])  # (batch, time): with one unit, the length is the absolute value
    left = norms[name][:, 0] / norms[name][:, -1]
    print(f"w {name:14} median {np.median(left):.0e}   mean {np.mean(left):.0e}   best row {left.max():.0e}")
ax = plot_gradient_flow(norms, title="The latch lets almost no gradient through")

# %% [markdown]
# The table says what part of the gradient at the last step arrives at the first; in the best row of all it has even grown. The
# two untrained copies look alike in the median row. They differ in the mean: in a few rows of the copy above 1 the noise keeps
# the state close to zero, undecided, where a step multiplies by almost $w$ itself. Those rows carry the gradient back to the
# beginning. Little more is needed: this copy answered most rows rightly before training began.
#
# The trained copy is the surprise. It remembers best, and its gradient is the first to vanish: each step multiplies by
# $w (1 - h_t^2)$, and a latched state sits where $1 - h_t^2$ is almost nothing. What shields the memory from the noise shields it
# from the training as well. Bengio, Simard and Frasconi proved in 1994 that this is no accident of one neuron.

# %% [markdown]
# ## Exercises
#
# Nothing below depends on them. Fill in the function and run the cell; ask for `exercises.q1.hint()` when you are stuck.
#
# ### Exercise 1 · 5 minutes
#
# A memory without tanh, $h_t = w h_{t-1}$ with $0 < w < 1$. After how many steps, not rounded, has it lost half of what it held?


# %%
def half_life(w): ...


exercises.q1.check(half_life)

# %% [markdown]
# ### Exercise 2 · 5 minutes
#
# Predict, do not run: $h_t = \tanh(-1.5\, h_{t-1})$ starts at $h_0 = 0.2$. Where is it after 1,001 steps, to three decimals? Everything
# you need was printed above.

# %%
my_prediction = ...

exercises.q2.check(my_prediction)

# %% [markdown]
# ### Exercise 3 · 10 minutes
#
# A colleague wrote the loop of $h_t = \tanh(w h_{t-1} + u x_t)$ and says that the neuron has no memory worth the name. Feed
# it a pulse, find both faults, and write `run_unit(inputs, w, u)`, which takes `(time,)` inputs and returns all states, `(time,)`.


# %%
def broken_unit(inputs, w, u):
    hidden = np.zeros(len(inputs))
    for t in range(1, len(inputs)):
        hidden[t] = np.tanh(w * inputs[t - 1] + u * inputs[t])
    return hidden


def run_unit(inputs, w, u): ...


exercises.q3.check(run_unit)

# %% [markdown]
# ### Exercise 4 · 10 minutes
#
# `gradient_flow` measured what reaches back to the first state. Derive it: write `gradient_to_first(hidden, w)`, which takes the
# states $h_1, \dots, h_T$, `(time,)`, of $h_t = \tanh(w h_{t-1} + u x_t)$ and returns the number $\partial h_T / \partial h_1$.


# %%
def gradient_to_first(hidden, w): ...


exercises.q4.check(gradient_to_first)

# %% [markdown]
# ## You have seen
#
# - A recurrent neuron is a formula applied to its own last result; `SimpleRNN` computes it to the last digit.
# - With tanh, $w < 1$ forgets with a half-life, $w = 1$ forgets without one, and $w > 1$ latches: it keeps a sign and nothing else.
# - A neuron that had a latch to begin with learned; one that had none did not, on the same rows and with the same optimizer.
# - Wiping the state took the answer away; wiping inputs did not. That is how this course tests what a picture suggests.
# - The better the latch, the smaller the gradient that passes through it.
#
# ## What is not known from this
#
# - One neuron, one task, and a handful of seeds. A copy that starts below 1 is not doomed: a drift may carry it across. Raise
#   `EPOCHS`, add seeds, and count how often.
# - This latch can be set once. Nothing here asks the neuron to *overwrite* what it holds at the right moment; lesson 03 builds
#   cells with gates that can.
# - With many neurons, $w$ becomes a matrix, and "above 1" becomes a question about its eigenvalues and about all directions at
#   once. Lesson 02 takes it up.
#
# ## References
#
# - Elman (1990), *Finding structure in time*, Cognitive Science 14: the recurrent network of this lesson, read for its examples.
# - Bengio, Simard and Frasconi (1994), *Learning long-term dependencies with gradient descent is difficult*, IEEE Transactions on
#   Neural Networks 5: the latch, and why a safe memory has a vanishing gradient.
# - Pascanu, Mikolov and Bengio (2013), *On the difficulty of training recurrent neural networks*, ICML: the same for matrices.
# - Sussillo and Barak (2013), *Opening the black box*, Neural Computation 25: finding resting places like $h = \tanh(w h)$ in large
#   trained networks.
#
# ## The figures of this run
#
# The last cell collects them.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "source": "generated",
    "seed": SEEDS[0],
    "test_accuracy": float(np.mean(high)),
    "test_accuracy_std": float(np.std(high)),
    "baseline_accuracy": baseline_accuracy,
    "last_value_accuracy": last_value_accuracy,
    "exploding_accuracy": exploding_accuracy,
    "forgetful_start_accuracy": float(np.mean(low)),
    "forgetful_start_accuracy_std": float(np.std(low)),
    "state_wiped_accuracy": state_wiped,
    "learned_weight": float(np.mean([courses[STARTS[1], seed][-1] for seed in SEEDS])),
}
results
