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
# # 04. Variable length: what does a network read after the last word?
#
# Sentences are of different lengths, arrays are not. So a batch is filled up: a review of six words becomes a row of six words and
# fifty zeros. One argument, `mask_zero=True`, tells the network which is which.
#
# Take a network that was trained with that argument, and forget it at test time. Same weights, same sentences, and behind each
# sentence a few dozen steps of nothing. It answered four sentences out of five rightly. What does it answer now: the same, a
# little worse, or like a coin? And what if you forget it in training as well, so that the network can get used to it?
# **Write down** two guesses in percent.
#
# **You will**
#
# - prove that with a mask the length and the side of the padding do not matter, and watch the last state being washed away
#   where there is none;
# - count what padding costs in seconds, and get part of it back;
# - see what each half of a bidirectional layer has read, and which half reads the padding first;
# - drop inputs, drop states, clip gradients, normalize inside and outside the cell, and measure what each does, and what
#   dropout costs;
# - cut a long sequence into windows, meet a gradient that is exactly zero where the influence is not, and find out whether a
#   network can learn what its gradient cannot see.
#
# Minutes on two CPU cores: about five to run, an hour to read.

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
# `SOURCE` names the data: `"sst2"` is real, `"sample"` comes with the course and needs no network, `"auto"` takes the real
# reviews where they can be had. `FAST` shrinks the run for tests. Sizes, rates and epochs were chosen on the dev split.

# %% tags=["parameters"]
SOURCE = "auto"
FAST = False
SEEDS = (0, 1, 2)
UNITS, EMBEDDING, BATCH = 32, 64, 64
EPOCHS, RATE, MOST = 2, 2e-3, None  # MOST: sentences of a split that are taken, all of them where None
ROUNDS = 20  # training steps of each kind that are timed; half as many draws of each kind of dropout
DROPPED = 0.5  # share of what each kind of dropout sets to zero
FACTORS = (1, 2, 5)  # how many times as long as the longest sentence the padded ones are
SYMBOLS, WINDOW, SPAN, ROWS = 2, 10, 20, 32  # of the echo task: symbols, steps in a window, windows and streams
ALONE, DELAYS, ECHO_STEPS = (8, 12), tuple(range(1, 16)), 800  # and training steps of each network
HELPERS = (1, 5)  # delays that a network is asked for beside the last of ALONE
CLIFF_RATE = 1e-3  # of the one weight that clipping rescues

# %% [markdown]
# ## The data: two thirds of a batch would be filling
#
# Film reviews, one sentence and one label each; lesson 06 is about what they say, this one about how long they are. A token is
# a word or a sign.

# %%
import time

import numpy as np

from rnn_course.data import load_sentiment
from rnn_course.sequences import Vocabulary, bucketed_batches, mask_of, pad, tokenize

began = time.perf_counter()
if FAST:
    SEEDS, EPOCHS, ECHO_STEPS, SPAN, ROUNDS, MOST = SEEDS[:1], 1, 8, 4, 2, 64
data = load_sentiment(SOURCE)
splits = dict(zip(("train", "dev", "test"), data[:3], strict=True))
words = Vocabulary.from_texts(data.train.texts)
ids = {name: [words.encode(tokenize(text)) for text in split.texts[:MOST]] for name, split in splits.items()}
labels = {name: split.labels[:MOST] for name, split in splits.items()}  # each (batch,)
lengths = {name: np.array([len(each) for each in split]) for name, split in ids.items()}

# %% [markdown]
# How much of an array is filling when all sentences of all splits are padded to the longest of them?

# %%
from rnn_course.plots import axes_or_new
from rnn_course.plots.style import SERIES_COLORS, label_axes

longest = int(max(each.max() for each in lengths.values()))
filling = 1 - lengths["train"].mean() / longest
ax = axes_or_new(height=2.6)
ax.hist(lengths["train"], bins=np.arange(0.5, longest + 1), color=SERIES_COLORS[0])
label_axes(
    ax, x="tokens in a sentence", y="training sentences", title=f"Padded to the longest, {filling:.0%} is filling"
)
for name, each in lengths.items():
    print(f"{name:5} {len(each):5,} sentences, {each.min()} to {each.max()} tokens, median {np.median(each):.0f}")

# %% [markdown]
# ## The baseline cannot be padded
#
# A bag of words has no steps, so there is nothing to fill up: it counts words and pairs of words, weighs them, and adds. How
# strongly its weights are held back is chosen on the dev split.

# %%
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

counter = {"tokenizer": tokenize, "token_pattern": None, "ngram_range": (1, 2), "sublinear_tf": True}
bags = [
    make_pipeline(TfidfVectorizer(**counter), LogisticRegression(C=strength, max_iter=2_000)) for strength in (1, 3, 10)
]
for bag in bags:
    bag.fit(data.train.texts, data.train.labels)
bag = max(bags, key=lambda each: each.score(data.dev.texts, data.dev.labels))
baseline_accuracy = bag.score(data.test.texts, data.test.labels)
print(f"words and pairs: dev {bag.score(data.dev.texts, data.dev.labels):.1%}, test {baseline_accuracy:.1%}")

# %% [markdown]
# ## Three numbers: what padding does to a state
#
# One unit without a squash, $h_t = 0.5\,h_{t-1} + x_t$, reads 1, 2, 3. Then the same with four steps of padding, on either side. A
# step of padding is not nothing: it is a step with $x = 0$, or, since index 0 has an embedding vector like every other index, with
# some $x$ that training has put there. Here that is 1.


# %%
def read(inputs, state=0.0):
    """Last state of h_t = 0.5 h_{t-1} + x_t."""
    for x in inputs:
        state = 0.5 * state + x
    return state


print(f"no padding: {read([1, 2, 3])}")
for value in (0, 1):
    right, left = [1, 2, 3] + 4 * [value], 4 * [value] + [1, 2, 3]
    print(f"four times x = {value} on the right: {read(right):.3f}, on the left: {read(left):.3f}")

# %% [markdown]
# On the right, padding is read last, and it wipes the state out or pulls it toward a value of its own. On the left it is read first,
# and the sentence does the wiping. A mask is a third thing: at a masked step the state is handed on as it is, whatever $x$ holds.
# That is all a mask does, and it is one `where`: `state = where(real, new_state, state)`.
#
# ## The model
#
# The smallest network that does the job: word vectors, a GRU, one logit read off its *last state*. That state is what padding
# threatens. `reader` makes another recurrent layer, `noise` a layer before it and `behind` one after it; they, `optimizer` and `jit`
# are for later.


# %%
def build(*, mask=True, reader=None, noise=None, behind=None, optimizer=None, jit=False):
    """Token ids (batch, time) to a logit (batch, 1), read off the last state by layers that can be chosen."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    vectors = keras.layers.Embedding(len(words), EMBEDDING, mask_zero=mask, name="embedding")(tokens)
    vectors = noise()(vectors) if noise else vectors  # (batch, time, features)
    state = (reader() if reader else keras.layers.GRU(UNITS, name="reader"))(vectors)  # (batch, units)
    state = behind()(state) if behind else state
    model = keras.Model(tokens, keras.layers.Dense(1, name="logit")(state))
    accuracy = keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizer = optimizer() if optimizer else keras.optimizers.Adam(RATE)
    model.compile(optimizer, loss=loss, metrics=[accuracy], jit_compile=jit, run_eagerly=FAST)
    return model


# %% [markdown]
# `run_epoch` shows a network all training sentences once. Every choice of this lesson about padding is one of its arguments; as it
# stands, batches are drawn at random and each is padded on the right to its own longest sentence.


# %%
def run_epoch(model, rng, *, buckets=False, length=None, side="right"):
    """Train on every sentence once; `length=None` pads each batch to its own longest sentence."""
    size, shuffled = BATCH, rng.permutation(len(lengths["train"]))
    batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    for batch in bucketed_batches(lengths["train"], size=size, rng=rng) if buckets else batches:
        chosen = pad([ids["train"][index] for index in batch], length=length, side=side)  # (batch, time)
        model.train_on_batch(chosen, labels["train"][batch])


def train(seed, *, padding=None, **options):
    """Train one classifier; `options` are those of `build`, `padding` those of `run_epoch`."""
    keras.utils.set_random_seed(seed)
    model, rng = build(**options), np.random.default_rng(seed)
    for _ in range(EPOCHS):
        run_epoch(model, rng, **(padding or {}))
    return model


# %% [markdown]
# And how it is tested: how long the test sentences are padded, and on which side, is ours to choose. (TensorFlow warns about networks
# that meet many lengths, since each makes it build its graph anew; here they are meant to, so we ask it to be quiet.)


# %%
import logging

logging.getLogger("tensorflow").setLevel("ERROR")


def answer(model, *, split="test", factor=1, side="right"):
    """Logits (batch,) for a split that is padded to `factor` times the longest sentence."""
    return np.asarray(model(pad(ids[split], length=factor * longest, side=side)))[:, 0]


def accuracy(model, **padding):
    """Share of the test sentences answered rightly; `padding` are options of `answer`."""
    return float(np.mean((answer(model, **padding) > 0) == labels["test"]))


# %% [markdown]
# Three seeds, with the mask. The margin below is the width of the test itself, 95 %: we make nothing of a difference that is
# smaller.

# %%
networks = [train(seed) for seed in SEEDS]
accuracies = np.array([accuracy(model) for model in networks])
count = len(labels["test"])
margin = 1.96 * np.sqrt(accuracies.mean() * (1 - accuracies.mean()) / count)
print(f"GRU with a mask {accuracies.mean():.1%} ± {accuracies.std():.1%} over {len(SEEDS)} seeds")
print(f"bag of words and pairs {baseline_accuracy:.1%}; margin of {count:,} test sentences ± {margin:.1%}")

# %% [markdown]
# The test cannot tell the two apart, and this lesson will not change that: lesson 06 is about the race. Here we want a network small
# enough to see what each choice about length does to it.
#
# ## With a mask, longer padding changes nothing
#
# The proof is short. We pad the test sentences to once, twice and five times the length of the longest, right and left, and look at
# the largest change of any logit. **Guess** its order of magnitude.

# %%
network = networks[0]
reference = answer(network)  # (batch,)
padding_difference = 0.0
for side in ("right", "left"):
    for factor in FACTORS:
        change = np.abs(answer(network, factor=factor, side=side) - reference).max()
        padding_difference = max(padding_difference, change)
        print(f"padded to {factor} × {longest} steps on the {side:5}: largest change of a logit {change:.1e}")
print(f"(logits reach from {reference.min():.1f} to {reference.max():.1f})")

# %% [markdown]
# Not a digit changes, and not even the side matters: before the first real step a masked state waits at zero, after the last it waits
# at its value. With a mask, *where* the padding goes is a question of speed (some GPU kernels want it on the right), not of
# meaning.
#
# ## Without it, padding poisons the last state
#
# Now the experiment from the top. `twin` has the same weights; it takes padding for words. We let it read on after the end of each
# test sentence and look at the state after every further step: how far has it moved, in units of its own length, and what would
# the network answer there?

# %%
from rnn_course.probes import trace

beyond = 51 if FAST else 250  # steps of padding after the last real one
twin = build(mask=False)
twin.set_weights(network.get_weights())
seen = trace(twin, pad(ids["test"], length=longest + beyond), "reader").hidden  # (batch, time, units)
after = lengths["test"][:, None] - 1 + np.arange(beyond + 1)  # (batch, steps): where to look
drifting = np.take_along_axis(seen, after[:, :, None], axis=1)  # (batch, steps, units)
moved = np.linalg.norm(drifting - drifting[:, :1], axis=2) / np.linalg.norm(drifting[:, :1], axis=2)
kernel, bias = twin.get_layer("logit").get_weights()
drifting_logits = (drifting @ kernel + bias)[:, :, 0]  # (batch, steps)
drifting_accuracy = np.mean((drifting_logits > 0) == labels["test"][:, None], axis=0)  # (steps,)

# %% [markdown]
# Left: the median sentence, with the middle half as a band. Right: the accuracy if the network were asked after so many steps of
# padding.

# %% tags=["picture"]
from rnn_course.plots import figure_grid
from rnn_course.plots.style import BASELINE_STYLE, CELL_COLORS

_, (panels,) = figure_grid(1, 2, row_height=3.0)
steps, gru = np.arange(beyond + 1), {"color": CELL_COLORS["gru"]}
panels[0].plot(steps, np.median(moved, axis=0), **gru)
panels[0].fill_between(steps, *np.percentile(moved, (25, 75), axis=0), **gru, alpha=0.25, linewidth=0)
panels[1].plot(steps, drifting_accuracy, **gru)
for height, name in ((baseline_accuracy, "words and pairs"), (0.5, "coin")):
    panels[1].axhline(height, **BASELINE_STYLE)
    panels[1].text(beyond, height - 0.005, name, ha="right", va="top")
panels[1].set_ylim(bottom=0.45)
label_axes(
    panels[0], x="steps of padding", y="distance from the last\nreal state (relative)", title="The state drifts …"
)
label_axes(panels[1], x="steps of padding", y="test accuracy", title="… and takes the answer along")

# %% [markdown]
# The first steps of padding do little. But the state goes on sliding, wherever it came from, toward a place where a step of padding
# leaves it as it is, and nothing pulls it back. How different are the test sentences still for the network? The spread of their
# logits, as a share of the spread at the last real step, tells. Below it stands the accuracy of all seeds when the mask is forgotten
# and everything is padded to one length: the question at the top.

# %%
spread = drifting_logits.std(axis=0) / drifting_logits[:, 0].std()  # (steps,)
for step in (1, 10, 50, beyond):
    print(f"after {step:3} steps: accuracy {drifting_accuracy[step]:.1%}, spread of the logits {spread[step]:.2%}")
forgotten = np.empty((len(SEEDS), len(FACTORS)))
for row, model in zip(forgotten, networks, strict=True):
    twin.set_weights(model.get_weights())
    row[:] = [accuracy(twin, factor=factor) for factor in FACTORS]
for factor, shares in zip(FACTORS, forgotten.T, strict=True):
    print(f"padded to {factor} × {longest}, mask forgotten: {shares.mean():.1%} ± {shares.std():.1%}")

# %% [markdown]
# So the first guess has three answers. How soon a network is lost is a matter of luck: nothing in its training said anything about
# padding, and the seeds differ widely at the smallest amount. Padded far enough, every one of them is a coin.
#
# ## Can a network get used to padding?
#
# So far the mask was taken from a network that had always had one. What if there never was one? The same network, the same seeds,
# the same number of epochs, four ways: padded on the right or the left, with a mask or without. Without a mask the length is part of
# what is read, so there all training sentences are padded to one length. **Guess** the order of the four.

# %%
kinds = {
    "right, mask": {},
    "left, mask": {"padding": {"side": "left"}},
    "right, no mask": {"mask": False, "padding": {"length": longest}},
    "left, no mask": {"mask": False, "padding": {"length": longest, "side": "left"}},
}
shares = {}  # kind -> (seeds, factors)
for kind, options in kinds.items():
    side = kind.partition(",")[0]
    models = networks if kind == "right, mask" else [train(seed, **options) for seed in SEEDS]
    shares[kind] = np.array([[accuracy(model, factor=factor, side=side) for factor in FACTORS] for model in models])
    means = "   ".join(
        f"{factor} ×: {share:.1%}" for factor, share in zip(FACTORS, shares[kind].mean(axis=0), strict=True)
    )
    print(f"{kind:15} {means}   (± {shares[kind][:, 0].std():.1%} over seeds at 1 ×)")

# %% [markdown]
# With a mask the side makes no difference in training either. Without one the two sides are worlds apart. On the left, padding is over
# before the first word, and there was nothing yet to wash out: this network needs no mask, at any length of padding. On the right, the
# network answers like a coin, on the very lengths that it was trained on. It did not get used to padding. Compare your second guess.

# %%
from rnn_course.plots.style import label_lines

ax, ends = axes_or_new(), []
for color, (kind, found) in zip(SERIES_COLORS, shares.items(), strict=False):
    ax.plot(FACTORS, found.mean(axis=0), color=color, marker="o", linestyle="-" if "no" in kind else "--")
    ax.fill_between(FACTORS, found.min(axis=0), found.max(axis=0), color=color, alpha=0.2, linewidth=0)
    ends.append((found[:, -1].mean(), kind, color))
ax.axhline(baseline_accuracy, **BASELINE_STYLE)
ax.set_xticks(FACTORS, [f"{factor} × {longest}" for factor in FACTORS])
label_axes(
    ax,
    x="steps that the test sentences are padded to",
    y="test accuracy",
    title="Without a mask, the side of the padding decides",
)
_ = label_lines(ax, [*ends, (baseline_accuracy, "words and pairs", "black")])

# %% [markdown]
# Why does it not learn? Ask an untrained network how much of the gradient at the end of the row reaches the last word. **Guess** a power
# of ten. (`gradient_flow` follows the gradient through time; lesson 02 is about it.)

# %%
from rnn_course.probes import gradient_flow

beginner, ends_at = build(mask=False), lengths["test"][:200] - 1  # (batch,): place of the last word
some_ids, some_labels = pad(ids["test"][:200], length=longest), labels["test"][:200, None]
norms = gradient_flow(beginner, some_ids, some_labels, "reader").norm()  # (batch, time)
at_the_word = norms[np.arange(len(norms)), ends_at]
padding_gradient = float(np.median(at_the_word / norms[:, -1]))
print(f"gradient at the last word as a share of that at the end of the row: median {padding_gradient:.1e}")

# %% [markdown]
# The sentence is washed out on the way to the answer, and the blame on the way back. A network could learn to ignore padding only
# from examples in which a word makes itself heard through it, and at the start there are hardly any.

# %% [markdown]
# ## The same trap without a recurrence: the mean over time
#
# A plain Keras layer fills the masked steps of its output by repeating its last real state. Whoever takes a mean over all steps counts the
# last state again and again; `GlobalAveragePooling1D` reads the mask and does not. By hand on three states, 2, 4 and 9, and two
# steps of padding:

# %%
states = np.array([2.0, 4.0, 9.0, 9.0, 9.0])[None, :, None]  # (batch, time, units)
real = np.array([[True, True, True, False, False]])  # (batch, time)
pooled = keras.layers.GlobalAveragePooling1D()(states, mask=real)
print(f"mean over all steps {states.mean():.1f}, GlobalAveragePooling1D with the mask {float(pooled[0, 0]):.1f}")
print(f"states times mask, then the mean: {(states * real[:, :, None]).mean():.1f}")

# %% [markdown]
# The third number is a common repair, and it is wrong too: the padding is out of the sum and still in the divisor. The first
# exercise is about that one.
#
# ## Batches of similar length: a saving, and its price
#
# Correct is not free: a masked step is computed like any other and then thrown away. The cure is to put sentences of similar length
# into one batch. This is the package's function, shown in full:

# %%
import inspect

from IPython.display import Markdown

code = inspect.getsource(bucketed_batches).replace(f'"""{bucketed_batches.__doc__}"""\n    ', "")
Markdown(f"```python\n{code}```")

# %% [markdown]
# Three ways to fill batches, the same network, the same sentences: one length for all, each batch to its own longest sentence, and
# batches of similar length. **Guess** the share of padding in each, and how much time is saved. Seconds are those of one
# epoch, taken in turns after one that does not count.

# %%
ways = {
    "one length for all": {"length": longest},
    "each batch to its longest": {},
    "batches of similar length": {"buckets": True},
}
model, chance = build(), np.random.default_rng(0)
passes = {name: [] for name in ways}
for _ in range(2):
    for name, padding in ways.items():
        started = time.perf_counter()
        run_epoch(model, chance, **padding)
        passes[name].append(time.perf_counter() - started)
seconds = {name: each[-1] for name, each in passes.items()}

# %% [markdown]
# The share of padding can be counted without training anything.

# %%
train_lengths, chance = lengths["train"], np.random.default_rng(0)
shuffled = chance.permutation(len(train_lengths))
drawn = [shuffled[start : start + BATCH] for start in range(0, len(shuffled), BATCH)]
bucketed = bucketed_batches(train_lengths, size=BATCH, rng=chance)
cells = [sum(len(batch) * train_lengths[batch].max() for batch in batches) for batches in (drawn, bucketed)]
cells = [longest * len(train_lengths), *cells]
padded_share = {name: 1 - train_lengths.sum() / each for name, each in zip(ways, cells, strict=True)}
for name in ways:
    print(f"{name:26} {padded_share[name]:5.1%} padding, {seconds[name]:.2f} seconds an epoch")
bucket_speedup = seconds["one length for all"] / seconds["batches of similar length"]
print(f"batches of similar length are {bucket_speedup:.1f} times as fast as one length for all")

# %% [markdown]
# Nearly all padding is gone, and a good part of the time; not more, because what a batch costs besides its steps (the optimizer
# goes through all word vectors, for one) is left. Padding each batch to its own longest gains little or nothing: among so many
# sentences drawn at random there is nearly always a long one, and a single epoch is a rough clock. And the price? A batch is no
# longer a fair sample: one has only one-liners, the next only long sentences. Whether that costs accuracy can be asked; the
# answer is one more row of seeds.

# %%
BUCKETS = {"buckets": True}
bucketed_networks = [train(seed, padding=BUCKETS) for seed in SEEDS]
bucketed_accuracy = np.array([accuracy(model) for model in bucketed_networks])
print(f"batches drawn at random   {accuracies.mean():.1%} ± {accuracies.std():.1%}")
print(f"batches of similar length {bucketed_accuracy.mean():.1%} ± {bucketed_accuracy.std():.1%}")

# %% [markdown]
# The printed difference is not larger than the margin of the test, and still worth a note: what saves time may cost accuracy, and only a
# measurement tells (sorting within larger random pools is the usual compromise). From here on networks are compared with one
# another and not with the bag, and all of them are trained on buckets, for the sake of your time.
#
# ## Bidirectional: the half that meets the padding first
#
# A `Bidirectional` layer reads each sentence twice, once from either end. With right padding the backward half starts *in* the
# padding. We train one with a mask, then take the mask away and trace both halves, word by word, in the order in which the words
# stand. **Guess**: at which words is which half wrong?


# %%
def both_ways(**options):
    """Half of the units read from the left, half from the right."""
    return keras.layers.Bidirectional(keras.layers.GRU(UNITS // 2, **options), name="reader")


double = train(SEEDS[0], reader=both_ways, padding=BUCKETS)
deaf = build(mask=False, reader=both_ways)
deaf.set_weights(double.get_weights())
test_ids = pad(ids["test"], length=longest)
error = {}
for direction in ("forward", "backward"):
    true, wrong = (trace(each, test_ids, "reader", direction=direction).hidden for each in (double, deaf))
    error[direction] = np.linalg.norm(wrong - true, axis=2) / np.linalg.norm(true, axis=2).clip(1e-6)  # (batch, time)

# %% [markdown]
# Steps are counted back from the last real word of each sentence, at the right.

# %%
ax, ends, lags = axes_or_new(), [], np.arange(15)
last = lengths["test"] - 1
for color, (direction, each) in zip(SERIES_COLORS, error.items(), strict=False):
    medians = [np.median(each[last >= lag, last[last >= lag] - lag]) for lag in lags]
    ax.plot(-lags, medians, color=color, marker="o", markersize=4)
    ends.append((medians[0], direction, color))
title = "Only the half that reads from the right has read the padding"
label_axes(ax, x="word, counted from the last", y="relative error of the state\nwithout a mask", title=title)
_ = label_lines(ax, ends)
forward_error, backward_error = error["forward"][mask_of(test_ids)].max(), ends[1][0]
print(f"forward: {forward_error:.1e} at most")
print(f"backward: {backward_error:.2f} at the last word, {medians[-1]:.3f} fourteen words before")

# %% [markdown]
# The forward half has not seen the padding yet when it reads a real word, and its error is exactly zero there. The backward half
# comes out of the padding with a state full of it and needs the better part of the sentence to wash it out.
#
# ## Two reading orders, two traps
#
# The backward half writes its states down in the order in which it reads. `Bidirectional` turns them round; whoever calls the half
# itself gets them reversed. And with `return_sequences=True` the last step of the output is *not* the layer's answer:

# %%
reader, embedded = double.get_layer("reader"), double.get_layer("embedding")(test_ids)  # (batch, time, features)
real, half = mask_of(test_ids), UNITS // 2
state = np.asarray(reader(embedded, mask=real))  # (batch, units): forward half, backward half
at_each = both_ways(return_sequences=True)
at_each.build(embedded.shape)
at_each.set_weights(reader.get_weights())
outputs = np.asarray(at_each(embedded, mask=real))  # (batch, time, units)
own = np.asarray(at_each.backward_layer(embedded, mask=real))  # (batch, time, units / 2)
reversed_gap = np.abs(own[:, ::-1] - outputs[:, :, half:]).max()
print(f"backward half, called by itself and then reversed: {reversed_gap:.0e} from the outputs")
for name, step in {"first": 0, "last": -1}.items():
    gaps = [np.abs(outputs[:, step, part] - state[:, part]).max() for part in (slice(half), slice(half, None))]
    print(f"outputs at the {name:5} step: forward half {gaps[0]:.0e}, backward half {gaps[1]:.0e} from the last state")

# %% [markdown]
# The answer of the backward half stands at the *first* step, that of the forward half at the last *real* one. Neither stands at the last
# step of the array: there a `Bidirectional` layer with a mask writes zeros in both halves (a plain layer would repeat its last
# state), and even in the longest sentence the backward half has read one word there. Reading the logit off `outputs[:, -1]` is a
# common mistake with this layer. What does it cost the network we have?

# %%
kernel, bias = double.get_layer("logit").get_weights()
double_accuracy, half_blind_accuracy = (
    float(np.mean(((each @ kernel + bias)[:, 0] > 0) == labels["test"])) for each in (state, outputs[:, -1])
)
idle = np.mean(~outputs[:, -1].any(axis=1))
print(f"last state of each half {double_accuracy:.1%}, outputs[:, -1] {half_blind_accuracy:.1%}")
print(f"the mask forgotten {accuracy(deaf):.1%}; all zeros in {idle:.1%} of outputs[:, -1]")

# %% [markdown]
# ## Dropout: one error fades, another builds up
#
# Dropout sets a random half of some numbers to zero while training and doubles the rest. In a recurrent network there are three
# places to do it: a `Dropout` layer in front draws anew at *every step*; `GRU(dropout=…)` draws once and drops the same inputs at
# *all* steps; `GRU(recurrent_dropout=…)` does that to the state on its way to the next step (Gal and Ghahramani 2016). To see what Keras
# does, take four linear units: first they copy an input of 1 and keep nothing, then they hear a single 1 and are built to keep it
# for good. **Guess** the last block.

# %%
linear = {"activation": None, "use_bias": False, "return_sequences": True, "kernel_initializer": "identity", "seed": 1}
copying = {"recurrent_initializer": "zeros", "dropout": 0.5}
keeping = {"recurrent_initializer": "identity", "recurrent_dropout": 0.5}
ones = np.ones((1, 5, 4), "float32")  # (batch, time, units)
pulse = ones * (np.arange(5) == 0)[:, None]
shown = {
    "Dropout in front": keras.layers.Dropout(0.5, seed=1)(ones, training=True),
    "dropout=0.5": keras.layers.SimpleRNN(4, **linear, **copying)(ones, training=True),
    "recurrent_dropout=0.5": keras.layers.SimpleRNN(4, **linear, **keeping)(pulse, training=True),
}
for name, each in shown.items():
    print(f"{name}, one row a unit, time to the right\n{np.asarray(each)[0].T}")

# %% [markdown]
# A unit whose state is dropped forgets at the first step and at every step; one that is spared is *doubled at every step*, since
# the same factor of two comes round again and again. A perfect linear memory explodes under recurrent dropout. A GRU does not: the
# dropped state goes into its gates and its candidate, while the old state itself is mixed in undropped.
#
# Here is the question that the three raise: does the noise average out over the steps? **Draw** three lines before you go on. We hand
# the trained network the same sentences again and again under each kind of dropout and measure how far its state is from the quiet one.

# %%
read_on = int(np.median(lengths["test"]))
some = np.array([each[:read_on] for each in ids["test"] if len(each) >= read_on][:200])  # (batch, time)
vectors = network.get_layer("embedding")(some)  # (batch, time, features)
kinds_of_dropout = {
    "inputs, anew at every step": ({}, DROPPED),
    "inputs, the same at all steps": ({"dropout": DROPPED}, 0.0),
    "states, the same at all steps": ({"recurrent_dropout": DROPPED}, 0.0),
}


def noisy_states(options, in_front, times=ROUNDS // 2):
    """States (batch, time, units) of the trained reader under dropout, `times` times; the first ones are quiet."""
    noisy, drop = keras.layers.GRU(UNITS, return_sequences=True, **options), keras.layers.Dropout(in_front)
    noisy.build(vectors.shape)
    noisy.set_weights(network.get_layer("reader").get_weights())
    return [np.asarray(noisy(drop(vectors, training=n > 0), training=n > 0)) for n in range(times + 1)]


# %% [markdown]
# The error is relative to the length of the quiet state, and its mean is taken over sentences and draws.

# %%
deviation = {}
for kind, choices in kinds_of_dropout.items():
    quiet, *loud = noisy_states(*choices)
    off = [np.linalg.norm(each - quiet, axis=2) / np.linalg.norm(quiet, axis=2) for each in loud]
    deviation[kind] = np.mean(off, axis=(0, 1))  # (time,)
ax, ends = axes_or_new(), []
for color, (kind, each) in zip(SERIES_COLORS, deviation.items(), strict=False):
    ax.plot(np.arange(1, read_on + 1), each, color=color)
    ends.append((each[-1], kind, color))
ax.xaxis.get_major_locator().set_params(integer=True)
label_axes(
    ax, x="words read", y="relative error of the state", title="Dropped inputs are forgotten, dropped states add up"
)
_ = label_lines(ax, ends)

# %% [markdown]
# Whether the inputs are dropped anew or the same ones again makes next to no difference to the *size* of the error; a network that
# takes in more and more words drowns both. An error in the state is fed back into the next step, where the same units are missing again,
# and it grows with the length of the sentence. On a sentence of one word, recurrent dropout does nothing at all: there is no
# earlier state to drop.
#
# ## What dropout brings
#
# Each kind in training, three seeds, the same rate. What is dropped in training is all there in testing.

# %%
dropout_accuracy = {"none": bucketed_accuracy}
for kind, (options, in_front) in kinds_of_dropout.items():
    parts = {"reader": lambda options=options: keras.layers.GRU(UNITS, name="reader", **options)}
    parts |= {"noise": lambda in_front=in_front: keras.layers.Dropout(in_front)} if in_front else {}
    dropout_accuracy[kind] = np.array([accuracy(train(seed, padding=BUCKETS, **parts)) for seed in SEEDS])
for kind, each in dropout_accuracy.items():
    print(f"{kind:30} {each.mean():.1%} ± {each.std():.1%}")

# %% [markdown]
# Against the margin printed at the beginning these are small steps, and three seeds are few. What the run supports is modest: on these
# sentences dropping inputs did no harm and recurrent dropout at this share did no good. Gal and Ghahramani dropped inputs and
# states together, in larger networks and for longer.
#
# ## What dropout costs
#
# Time of one training step on a full batch, in turns, so that a busy machine is busy for all of them; then the same with the step
# compiled by XLA (`jit_compile=True`). The mask is on the bill too.


# %%
def step_time(models, rounds=ROUNDS):
    """Median milliseconds of one training step of each model, taken in turns."""
    batch = pad(ids["train"][:BATCH], length=longest), labels["train"][:BATCH]
    spent = {name: [] for name in models}
    for _ in range(rounds + 2):
        for name, model in models.items():
            started = time.perf_counter()
            model.train_on_batch(*batch)
            spent[name].append(1e3 * (time.perf_counter() - started))
    return {name: float(np.median(each[2:])) for name, each in spent.items()}


# %% [markdown]
# All of them are divided by the time of the masked network without dropout.

# %%
variants = {"no mask": {"mask": False}, "mask": {}}
variants |= {"mask, dropout": {"reader": lambda: keras.layers.GRU(UNITS, dropout=DROPPED)}}
RECURRENT = "mask, recurrent dropout"
variants |= {RECURRENT: {"reader": lambda: keras.layers.GRU(UNITS, recurrent_dropout=DROPPED)}}
times = {}
for jit in (False,) if FAST else (False, True):
    times[jit] = step_time({name: build(**options, jit=jit) for name, options in variants.items()})
    print("compiled by XLA" if jit else "as it comes")
    for name, each in times[jit].items():
        print(f"  {name:24} {each:5.1f} ms, {each / times[jit]['mask']:.2f} × the masked network")

# %% [markdown]
# A mask costs something, one `where` a step, and not much; the price of padding is paid in steps. Dropping inputs is cheap too:
# the mask is drawn once, outside the loop. Recurrent dropout takes longer in every step, because each gate gets a dropped state
# of its own and Keras then multiplies gate by gate instead of once for all; compiled by XLA that costs little or nothing. (On a
# GPU it also rules out the fused kernel.)
#
# ## Clip the length, not the numbers
#
# Long sequences make large gradients (lesson 02 shows why), and one of them can throw a network out of everything it has learned.
# Clipping shortens it. Keras has three ways, and only one keeps the direction: `clipvalue` cuts each number, `clipnorm` shortens
# each *weight array* by itself, `global_clipnorm` shortens the whole gradient, $g \leftarrow g \cdot \min(1, c / \lVert g \rVert)$
# (Pascanu et al. 2013). On two weights in two arrays, with the gradient (3, 4) and the limit 1, this is what SGD at rate 1 takes:


# %%
def step_taken(gradients, **clipping):
    """What Keras' SGD at rate 1 subtracts for a list of gradients, one flat vector."""
    weights = [keras.Variable(np.zeros(each.shape)) for each in gradients]
    optimizer = keras.optimizers.SGD(1.0, **clipping)
    optimizer.apply([keras.ops.convert_to_tensor(each) for each in gradients], weights)
    return -np.concatenate([np.ravel(each) for each in weights])


clippings = ("clipvalue", "clipnorm", "global_clipnorm")
for clipping in clippings:
    taken = step_taken([np.array([3.0], "float32"), np.array([4.0], "float32")], **{clipping: 1.0})
    print(f"{clipping:16} {taken.round(2)}, length {np.linalg.norm(taken):.2f}")

# %% [markdown]
# Now real gradients, of the trained network, on batches of its training sentences.

# %%
import tensorflow as tf


def gradients_of(model, batch):
    """Gradients of the loss on some training sentences, one array for each weight array."""
    inputs = pad([ids["train"][index] for index in batch])
    with tf.GradientTape() as tape:
        logits = model(inputs, training=True)[:, 0]
        value = keras.losses.binary_crossentropy(labels["train"][batch], logits, from_logits=True)
    found = tape.gradient(value, model.trainable_weights)
    return [np.asarray(tf.convert_to_tensor(each)) for each in found]


batches = bucketed_batches(lengths["train"], size=BATCH, rng=np.random.default_rng(0))[:20]
found = [gradients_of(network, batch) for batch in batches]
lengths_found = np.array([np.linalg.norm(np.concatenate([each.ravel() for each in one])) for one in found])

# %% [markdown]
# The limit is half their median length, so that most of them are clipped (for single numbers, a hundredth of that). A cosine of 1
# means: same direction, shorter step.

# %%
cosine = {}
for clipping in clippings:
    limit = float(np.median(lengths_found)) / 2
    limit = limit / 100 if clipping == "clipvalue" else limit
    kept = []
    for one in found:
        raw, taken = step_taken(one), step_taken(one, **{clipping: limit})
        kept.append(raw @ taken / np.linalg.norm(raw) / np.linalg.norm(taken))
    cosine[clipping] = float(np.median(kept))
    print(f"{clipping:16} limit {limit:.4f}: cosine with the unclipped gradient {cosine[clipping]:.4f}")

# %% [markdown]
# Only `global_clipnorm` keeps the direction exactly, so it is the one that the formula above describes. `clipnorm`, whose name sounds
# like it, does not.
#
# ## One weight on a cliff: what clipping is for
#
# Whom does it rescue? One linear unit, $h_T = w^{T} h_0$, shall still be at 1 after thirty steps; it starts at $w = 1.2$ and has to come
# down to 1. **Guess** where the first step of plain gradient descent takes it.

# %%
cliff = {}
for limit in (np.inf, 1.0):
    w, course = 1.2, []
    for _ in range(500):
        gradient = 2 * (w**30 - 1) * 30 * w**29  # of (w**30 - 1)**2
        w -= CLIFF_RATE * gradient * min(1, limit / abs(gradient)) if gradient else 0
        course.append(w)
        if abs(w) > 1e6:
            break
    cliff[limit] = course
    print(f"limit {limit}: w after one step {course[0]:.3g}, after {len(course)} steps {course[-1]:.3g}")

# %% [markdown]
# Without a limit the first step is so long that the weight never comes back. With one it walks down the cliff in small steps and
# settles, at the same rate. And our sentences? Their gradients are no cliff: most lengths lie within a factor of a few of one
# another, and Adam divides by a running length anyway.

# %%
limit = float(np.median(lengths_found)) / 2
clipped = {"optimizer": lambda: keras.optimizers.Adam(RATE, global_clipnorm=limit), "padding": BUCKETS}
clipped_accuracy = np.array([accuracy(train(seed, **clipped)) for seed in SEEDS])
low, middle, high = np.percentile(lengths_found, (0, 50, 100))
print(f"lengths of {len(lengths_found)} gradients: {low:.2f} to {high:.2f}, median {middle:.2f}")
print(f"not clipped {bucketed_accuracy.mean():.1%} ± {bucketed_accuracy.std():.1%}")
print(f"clipped to {limit:.2f} {clipped_accuracy.mean():.1%} ± {clipped_accuracy.std():.1%}")

# %% [markdown]
# Clipping is an insurance. On data like these it pays nothing out and costs next to nothing; on long sequences and with a recurrent
# kernel that stretches, lesson 02 shows what it insures against.
#
# ## Layer normalization: inside the cell it makes another cell
#
# Layer normalization shifts and scales the numbers of *one* vector to mean 0 and standard deviation 1 (Ba et al. 2016); batch size and
# sentence length do not enter. Keras has it as a layer, which one can put behind the last state. Ba et al. put it *inside* the
# step, before the tanh, and no layer behind can do what that does:


# %%
class NormalizedCell(keras.layers.SimpleRNNCell):
    """h_t = tanh(LayerNorm(W x_t + U h_{t-1})), Ba et al. (2016), equation 4; the bias is the normalization's own."""

    def build(self, input_shape):
        """Make the kernels and the normalization."""
        super().build(input_shape)
        self.norm = keras.layers.LayerNormalization(epsilon=1e-6)
        self.norm.build((None, self.units))

    def call(self, sequence, states, training=False):
        """One step: inputs (batch, features) and the last state (batch, units)."""
        sums = keras.ops.matmul(sequence, self.kernel) + keras.ops.matmul(states[0], self.recurrent_kernel)
        hidden = self.activation(self.norm(sums))
        return hidden, [hidden]


# %% [markdown]
# What it changes can be seen without training: a state that no longer knows how large the weights are. We multiply all weights by 10
# and look at how far the states of a test batch move; **guess** the second number.

# %%
cells = {
    "SimpleRNN": lambda: keras.layers.SimpleRNN(UNITS, name="reader"),
    "normalized inside": lambda: keras.layers.RNN(NormalizedCell(UNITS, use_bias=False), name="reader"),
}
scale_change = {}
for name, make in cells.items():
    layer = make()
    before = np.asarray(layer(vectors))  # (batch, units)
    layer.set_weights([10 * each if each.ndim == 2 else each for each in layer.get_weights()])
    scale_change[name] = np.linalg.norm(np.asarray(layer(vectors)) - before) / np.linalg.norm(before)
    print(f"{name:18} all kernels × 10: the states move by {scale_change[name]:.1e} of their length")

# %% [markdown]
# The simple cell, the same with a normalization behind its last state, and the normalized cell. **Guess** the order.

# %%
makers = {name: {"reader": make} for name, make in cells.items()}
makers["normalized behind"] = {**makers["SimpleRNN"], "behind": keras.layers.LayerNormalization}
normalized = {}
for name, parts in makers.items():
    normalized[name] = np.array([accuracy(train(seed, padding=BUCKETS, **parts)) for seed in SEEDS])
    print(f"{name:18} {normalized[name].mean():.1%} ± {normalized[name].std():.1%}")

# %% [markdown]
# Normalization is recommended often, and here it hurts in both places, most of all where Ba et al. put it. Why? Exchange the
# first word of each sentence for that of another one and read on with *untrained* cells: how different is the last state? Two
# states that have nothing to do with each other are about $\sqrt 2$ of their length apart.

# %%
first_word = {}
exchanged = np.concatenate([np.roll(vectors, 1, axis=0)[:, :1], vectors[:, 1:]], axis=1)  # (batch, time, features)
for name, make in cells.items():
    layer = make()
    before, after = (np.asarray(layer(each)) for each in (vectors, exchanged))  # each (batch, units)
    change = np.linalg.norm(after - before, axis=1) / np.linalg.norm(before, axis=1)
    first_word[name] = float(np.median(change))
    print(
        f"{name:18} {read_on} words, the first exchanged: the last state moves by {first_word[name]:.2f} of its length"
    )

# %% [markdown]
# In the plain cell the first word of many has a small say in the end, one among others, as it should. Inside the normalized one, small
# sums are blown up to the same length at every step, and differences with them: the exchange of one word still resounds when the
# sentence is over, and training starts from a state that mixes everything with everything. This says nothing against layer
# normalization in deep networks, or with other initial weights. It says: measure.
#
# ## Endless sequences: cut them, carry the state
#
# A sensor or a book has no end to pad to. Truncated back-propagation through time (Williams and Peng 1990) cuts the sequence into
# windows, trains on one after the other, and carries the *state* from each to the next (`stateful=True`); the *gradient* stops at the
# cut. Our sequence is a stream of random symbols, and the task is an echo: say at every step which symbol came `delay` steps ago. Its
# truth is known, and the delay is ours to choose. A network can be asked for several delays at once.


# %%
def make_echo(delays, rng, *, windows=SPAN):
    """Random symbols (rows, time) and, for each delay, those of so many steps before; -1 where there were none."""
    symbols = rng.integers(SYMBOLS, size=(ROWS, windows * WINDOW))
    echo = np.full((*symbols.shape, len(delays)), -1)  # (rows, time, delays)
    for place, delay in enumerate(delays):
        echo[:, delay:, place] = symbols[:, :-delay]
    return symbols, echo


def cut(stream):
    """The windows of streams (rows, time, …), a list of (rows, window, …)."""
    return np.split(stream, stream.shape[1] // WINDOW, axis=1)


# %% [markdown]
# A GRU and one readout for each delay; `carried` keeps the state from call to call, otherwise every window starts from an empty one.


# %%
def build_echo(delays, *, time=WINDOW, carried=True):
    """Symbols (rows, time) to logits (rows, time, delays, symbols)."""
    symbols = keras.Input(batch_shape=(ROWS, time), dtype="int32", name="symbols")
    vectors = keras.layers.Embedding(SYMBOLS, 16, name="embedding")(symbols)
    states = keras.layers.GRU(UNITS, return_sequences=True, stateful=carried, name="reader")(vectors)
    logits = keras.layers.Dense(len(delays) * SYMBOLS, name="logits")(states)
    model = keras.Model(symbols, keras.layers.Reshape((time, len(delays), SYMBOLS))(logits))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(keras.optimizers.Adam(5e-3), loss=loss, jit_compile=not FAST, run_eagerly=FAST)
    return model


# %% [markdown]
# Training reads each stream window by window and then starts on new ones.


# %%
def train_echo(delays, seed, *, carried=True):
    """Train one echo network on ECHO_STEPS windows."""
    keras.utils.set_random_seed(seed)
    rng, model = np.random.default_rng(seed), build_echo(delays, carried=carried)
    for _ in range(ECHO_STEPS // SPAN):
        model.get_layer("reader").reset_state()
        for symbols, echo in zip(*map(cut, make_echo(delays, rng)), strict=True):
            if (echo >= 0).any():
                model.train_on_batch(symbols, echo)
    return model


def read_in_pieces(model, symbols):
    """Logits (rows, time, delays, symbols), window by window from an empty state."""
    model.get_layer("reader").reset_state()
    return np.concatenate([np.asarray(model(each)) for each in cut(symbols)], axis=1)


# %% [markdown]
# The first candidates are asked for *one* delay each, shorter than a window or longer, with the state carried over. **Guess** what share
# of their answers is right; guessing gives one half. They are tested on streams that no network has seen.


# %%
def echo_accuracy(model, delays):
    """Share of right answers for each delay, (delays,)."""
    symbols, echo = make_echo(delays, np.random.default_rng(99))
    right = read_in_pieces(model, symbols).argmax(axis=-1) == echo  # (rows, time, delays)
    return np.array([right[..., place][echo[..., place] >= 0].mean() for place in range(len(delays))])


alone = {}  # delay -> (seeds,)
for delay in ALONE:
    alone[delay] = np.array([echo_accuracy(train_echo((delay,), seed), (delay,))[0] for seed in SEEDS])
    print(
        f"window {WINDOW}, asked for a delay of {delay:2} alone: {', '.join(f'{share:.1%}' for share in alone[delay])}"
    )

# %% [markdown]
# ## The state crosses the cut, the gradient does not
#
# Forward, windows with a carried state are the whole sequence: the numbers are the same. Backward they are not. We read three windows
# in one piece and in three, and ask how the last answer depends on every step. `gradient_flow` measures the whole; for the pieces we
# let a tape watch all inputs while a stateful layer reads window after window.

# %%
one_delay = ALONE[:1]
pieces = train_echo(one_delay, SEEDS[0])
whole = build_echo(one_delay, time=3 * WINDOW, carried=False)
whole.set_weights(pieces.get_weights())
symbols, echo = make_echo(one_delay, np.random.default_rng(7), windows=3)
carried_difference = float(np.abs(read_in_pieces(pieces, symbols) - np.asarray(whole(symbols))).max())
print(f"largest difference of a logit, in pieces against whole: {carried_difference:.1e}")

# %% [markdown]
# The same number at every step, so far. Now the derivative of the summed last logits with respect to the input vector of each
# step.

# %%
vectors = pieces.get_layer("embedding")(symbols)  # (rows, time, features)
pieces.get_layer("reader").reset_state()
with tf.GradientTape() as tape:
    tape.watch(vectors)
    for each in tf.split(vectors, 3, axis=1):
        states = pieces.get_layer("reader")(each)
    value = tf.reduce_sum(pieces.get_layer("logits")(states)[:, -1])
in_pieces = np.linalg.norm(tape.gradient(value, vectors), axis=2)  # (rows, time)


def summed(targets, outputs):
    """The logits themselves, summed."""
    return keras.ops.sum(outputs)


flow = gradient_flow(whole, symbols, echo, "reader", loss=summed, wrt="inputs", loss_step=3 * WINDOW - 1).norm()

# %% [markdown]
# Medians over the streams, with a band from the 10th to the 90th percentile. Crosses are exact zeros.

# %%
from rnn_course.plots import plot_gradient_flow

same = np.abs(in_pieces - flow)[:, 2 * WINDOW :].max() / flow.max()
beyond_window = float(in_pieces[:, : 2 * WINDOW].max())
lost = float(np.median(flow[:, : 2 * WINDOW].sum(axis=1) / flow.sum(axis=1)))
title = "Beyond the window the gradient is exactly zero"
norms = {"whole sequence": flow, "in windows": in_pieces}
_ = plot_gradient_flow(norms, quantity="‖∂ logits / ∂x‖", title=title)
print(f"in the last window the two agree to {same:.0e}; before it the largest gradient in windows is {beyond_window}")
print(f"share of the whole gradient that the cut takes away: {lost:.2%}")

# %% [markdown]
# And the influence? We change one symbol in the second window, so before the cut, and read the pieces again.

# %%
changed = symbols.copy()
at = 2 * WINDOW - 1  # the last step before the cut
changed[:, at] = (changed[:, at] + 1) % SYMBOLS
moved_logits = np.abs(read_in_pieces(pieces, changed) - read_in_pieces(pieces, symbols))
influence = moved_logits[:, at:].max(axis=(0, 2, 3))  # (steps after the change,)
carried_influence = float(influence[1:].max())
print(f"one symbol changed {influence.size} steps before the end, before the cut:")
print(f"largest change of a logit in the last window {carried_influence:.2f}, at its last step {influence[-1]:.1e}")

# %% [markdown]
# ## And yet it can learn what its gradient cannot see
#
# So a delay beyond the window cannot be learned? Here is one more network: the same layer, the same windows, the same number of steps.
# It is asked for *all* delays at once. Its gradient cannot reach a symbol in an earlier window either. **Guess** where its line falls
# to one half. A second network is asked for all of them too, and starts every window from an empty state.

# %%
together, reset = (
    np.array([echo_accuracy(train_echo(DELAYS, seed, carried=carried), DELAYS) for seed in SEEDS])  # (seeds, delays)
    for carried in (True, False)
)
for name, found in {"state carried": together, "state reset": reset}.items():
    chosen = {delay: found[:, DELAYS.index(delay)].mean() for delay in ALONE}
    print(f"asked for all, {name:13}", "  ".join(f"delay {delay}: {share:.1%}" for delay, share in chosen.items()))

# %% [markdown]
# Lines are means over the seeds, bands run from the lowest to the highest. Dots are the networks from above that were asked for one
# delay alone.

# %%
ax, ends = axes_or_new(), []
for color, (name, found) in zip(SERIES_COLORS, {"all, carried": together, "all, reset": reset}.items(), strict=False):
    ax.plot(DELAYS, found.mean(axis=0), color=color)
    ax.fill_between(DELAYS, found.min(axis=0), found.max(axis=0), color=color, alpha=0.2, linewidth=0)
    ends.append((found[:, -1].mean(), name, color))
ax.plot(list(alone), [each.mean() for each in alone.values()], "o", color="black", label="one alone, carried")
ax.axhline(1 / SYMBOLS, **BASELINE_STYLE)
ax.axvline(WINDOW, color="#777777", linewidth=1)
ax.text(WINDOW, 0.82, " length of a window", color="#555555")
title = "Asked for every delay, it learns those beyond the window too"
label_axes(ax, x="delay of the echo, in steps", y="share of right answers", title=title)
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(0.0, 0.25))
_ = label_lines(ax, ends)

# %% [markdown]
# How? The gradient cannot reach the symbol, but it can reach the weights that work on the *carried state*, and perhaps the symbol is in
# there already, because another question has put it there. (The line of the network that is reset is what can be known inside a
# window: at a delay of $d$, a share of $d$ in ten answers lies before the cut, and of those one half is right by luck.)
#
# If that is the reason, one helper must be enough, and it must be long enough. A state that is asked for a delay of $h$ holds the last
# $h + 1$ symbols at the cut; within the next window the oldest of them is at most $h + 10$ steps old. So with a helper of 1 the delay
# of 12 stays out of reach, with a helper of 5 it does not. **Write down** whether you believe it.

# %%
helped = {}  # helper -> (seeds,)
for helper in HELPERS:
    asked = (helper, ALONE[-1])
    helped[helper] = np.array([echo_accuracy(train_echo(asked, seed), asked)[1] for seed in SEEDS])
    print(
        f"asked for {helper} and {ALONE[-1]}: {', '.join(f'{share:.1%}' for share in helped[helper])} right at {ALONE[-1]}"
    )

# %% [markdown]
# The short helper helps nobody; with the long one the network answers far beyond chance at a delay that its gradient never spans.
#
# So the rule to take along is not "nothing beyond the window can be learned". Truncation never teaches a network to *start* storing
# something for later than the window; it can teach it to go on.

# %% [markdown]
# ## Exercises
#
# Nothing below depends on them. Fill in the function and run the cell; ask for `exercises.q1.hint()` when you are stuck.
#
# ### Exercise 1 · 10 minutes
#
# Find the two bugs. A colleague takes the mean of the states over the real steps like this. It returns NaN for some sentences and
# values that are too small for others:
#
# ```python
# def broken_mean(states, mask):
#     return (states * mask[:, :, None]).mean(axis=1)
# ```
#
# Write `masked_mean(states, mask)`: from states `(batch, time, units)` and a mask `(batch, time)` the mean over each sequence's real
# steps, `(batch, units)`. What stands at the other steps may be a repeated state, as a plain Keras layer leaves it, or NaN.

# %%
from rnn_course.exercises import variable_length as exercises


def masked_mean(states, mask): ...


exercises.q1.check(masked_mean)

# %% [markdown]
# ### Exercise 2 · 5 minutes
#
# Predict. A unit $h_t = 0.5\,h_{t-1} + x_t$ reads 4, 2, 8 and then, without a mask, three steps of padding whose embedding gives
# $x = 1$. In which state does it end?

# %%
my_prediction = ...

exercises.q2.check(my_prediction)

# %% [markdown]
# ### Exercise 3 · 10 minutes
#
# Measurements have no index 0 to reserve: a temperature of 0 is as real as any other. Write `pad_left(sequences)`: from a list of
# sequences of numbers two arrays `(batch, time)`, the values with their padding on the left, and the bool mask that is True at the real
# steps.


# %%
def pad_left(sequences): ...


exercises.q3.check(pad_left)

# %% [markdown]
# ### Exercise 4 · 15 minutes
#
# A stateful layer hands the state of row 3 to row 3 of the next batch. Write `carried_windows(stream, rows, length)`: cut one long
# stream, `(time,)`, into batches `(windows, rows, length)` so that every row is one unbroken stretch of the stream, read window by
# window. What is left over at the end is dropped.


# %%
def carried_windows(stream, rows, length): ...


exercises.q4.check(carried_windows)

# %% [markdown]
# ### Exercise 5 · 10 minutes
#
# Build the backward reader's input yourself. Write `reverse_real(indices, mask)`: from right-padded indices `(batch, time)` and their
# mask the same sentences in reverse, with the padding still on the right.


# %%
def reverse_real(indices, mask): ...


exercises.q5.check(reverse_real)

# %% [markdown]
# ## You have seen
#
# - With a mask, padding changes no digit of the answer, at any length and on either side. Without one, the states slide away from what
#   was read, and a network that answers well at its last word answers like a coin after enough padding.
# - A network trained on unmasked padding on the right learned nothing at all; with the padding on the left it needed no mask.
# - Batches of similar length leave almost no padding, save a good part of the time, and are not the same training.
# - The forward half of a bidirectional layer is untouched by padding on the right, the backward half begins with it. The answer of the
#   backward half stands at the first step, and `outputs[:, -1]` does not hold it.
# - Dropped inputs are forgotten; dropped states are fed back. A linear memory explodes under recurrent dropout.
# - `global_clipnorm` keeps the direction of the gradient, Keras' `clipnorm` and `clipvalue` do not.
# - Layer normalization inside the cell makes another cell, which does not know the size of its weights; here it did not help.
# - Windows with a carried state compute the same as the whole sequence, and their gradient is exactly zero before the cut. What
#   the gradient cannot see can be learned all the same, where another question has put it into the state.
#
# ## What is not known from this
#
# - Three seeds of a small network on one data set. Every difference here that is smaller than the printed margin may turn round
#   on other sentences.
# - The unmasked network on right-padded sentences was given as many epochs as the others. Whether it would ever start to learn, and
#   after how many, was not asked. A cell with a longer memory, or shorter padding, may well cope.
# - Speeds are those of this machine's processor. On a GPU the masked kernels differ, and recurrent dropout rules out the fast one.
# - The echo's rule (a helper of $h$ makes $h$ + window learnable) was tried at a few points, not mapped.
#
# ## References
#
# - Pascanu, Mikolov and Bengio (2013), *On the difficulty of training recurrent neural networks*, ICML: clipping by norm, and why.
# - Schuster and Paliwal (1997), *Bidirectional recurrent neural networks*, IEEE Transactions on Signal Processing 45.
# - Gal and Ghahramani (2016), *A theoretically grounded application of dropout in recurrent neural networks*, NeurIPS: read for why
#   one mask serves all steps.
# - Ba, Kiros and Hinton (2016), *Layer normalization*: equation 4 is the cell above.
# - Williams and Peng (1990), *An efficient gradient-based algorithm for on-line training of recurrent network trajectories*, Neural
#   Computation 2: truncated back-propagation through time.
# - Khomenko et al. (2016), *Accelerating recurrent neural network training using sequence bucketing and multi-GPU data
#   parallelization*: what buckets save.
# - Keras' guide *Understanding masking and padding*: which layers pass a mask on, and which swallow it.
#
# ## The figures of this run
#
# The last cells collect them, by section.


# %%
def spread_of(name, shares):
    """Mean and standard deviation over the seeds, as two results."""
    return {f"{name}_accuracy": float(np.mean(shares)), f"{name}_accuracy_std": float(np.std(shares))}


padding_figures = {"padding_output_difference_masked": float(padding_difference)}
for kind, each in {**shares, "mask forgotten": forgotten}.items():
    for factor, share in zip(FACTORS, each.mean(axis=0), strict=True):
        padding_figures[f"{kind.replace(',', '').replace(' ', '_')}_accuracy_at_{factor}"] = float(share)
padding_figures["gradient_through_padding"] = padding_gradient
padding_figures["drift_last"] = float(np.median(moved[:, -1]))
padding_figures["logit_spread_last"] = float(spread[-1])
for way, each in zip(("longest", "random", "bucketed"), ways, strict=True):
    padding_figures[f"padded_share_{way}"] = float(padded_share[each])
    padding_figures[f"seconds_{way}"] = seconds[each]

# %% [markdown]
# Batches, directions and dropout:

# %%
reading_figures = {
    "bucket_speedup": bucket_speedup,
    **spread_of("bucketed", bucketed_accuracy),
    "bidirectional_accuracy": double_accuracy,
    "bidirectional_last_step_accuracy": half_blind_accuracy,
    "forward_error_without_mask": float(np.max(forward_error)),
    "backward_error_without_mask": backward_error,
}
for name, each in zip(("no", "fresh", "fixed", "recurrent"), dropout_accuracy.values(), strict=True):
    reading_figures |= spread_of(f"{name}_dropout", each)
for jit, each in times.items():
    for name, variant in {"mask": "mask", "dropout": "mask, dropout", "recurrent_dropout": RECURRENT}.items():
        other = each["no mask" if name == "mask" else "mask"]
        reading_figures[f"{name}_slowdown{'_jit' if jit else ''}"] = each[variant] / other

# %% [markdown]
# Clipping, normalization and windows:

# %%
training_figures = {f"{name}_cosine": each for name, each in cosine.items()}
training_figures |= spread_of("clipped", clipped_accuracy)
training_figures |= {"cliff_unclipped": float(cliff[np.inf][-1]), "cliff_clipped": float(cliff[1.0][-1])}
for name, each in normalized.items():
    training_figures |= spread_of(name.replace(" ", "_").lower(), each)

# %% [markdown]
# And the windows:

# %%
training_figures |= {
    "scale_change_inside": float(scale_change["normalized inside"]),
    "first_word_kept_inside": float(first_word["normalized inside"]),
    "first_word_kept": float(first_word["SimpleRNN"]),
    "carried_difference": carried_difference,
    "gradient_beyond_window": beyond_window,
    "gradient_lost": lost,
    "carried_influence": carried_influence,
}
for delay, each in alone.items():
    training_figures |= spread_of(f"echo_alone_delay_{delay}", each)
    training_figures |= spread_of(f"echo_together_delay_{delay}", together[:, DELAYS.index(delay)])
    training_figures |= spread_of(f"echo_reset_delay_{delay}", reset[:, DELAYS.index(delay)])
for helper, each in helped.items():
    training_figures |= spread_of(f"echo_helped_by_{helper}", each)

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "source": data.source,
    "seeds": len(SEEDS),
    "test_accuracy": float(accuracies.mean()),
    "test_accuracy_std": float(accuracies.std()),
    "baseline_accuracy": float(baseline_accuracy),
    **padding_figures,
    **reading_figures,
    **training_figures,
}
results
