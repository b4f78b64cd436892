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
# # 05. A language model: what must you know to guess the next letter?
#
# A network reads plays, one character after another. After every character it is asked one thing only: which comes next? It
# gets no dictionary and no grammar. Nobody tells it what a word is, or a line, a name, a quotation.
#
# Beside it sits a clerk with a very large table. The clerk looks at the last few characters, finds the page for exactly these,
# and reads off what followed them before. No learning, only counting: the clerk is done before the network has properly begun.
#
# **Write down** three guesses. Who guesses the next character better? How many characters back does the network's memory still
# pay? And when a quotation was opened three lines ago, does anything in the network know that it is still open?
#
# **You will**
#
# - meet the clerk, and find out that published networks have lost to such clerks;
# - train a network across the whole text without ever letting go of its state, and see what each character of memory is worth;
# - find out where the network wins, and how sure one can be about a third decimal;
# - let it write, watch it fall into a loop, and measure which temperature writes like the original;
# - train a second network on a text whose true probabilities are known, see what it never learns, and give it a better birth;
# - find the clock that counts the line and turn it; find the unit that knows of an open quotation, and shut it.
#
# Minutes on two CPU cores: four to run, an hour to read.

# %% [markdown]
# ## Set-up
#
# In Colab the first cell installs the course beside the TensorFlow that is already there; on your own machine it only imports.

# %%
import keras

try:
    import rnn_course
except ImportError:
    # %pip install -q --no-deps "git+https://github.com/rnn-course/rnn_course@v0.1.0"
    import rnn_course
print(f"rnn_course {rnn_course.__version__}, Keras {keras.__version__}")

# %% [markdown]
# `SOURCE` names the text: `"tinyshakespeare"` is real, `"sample"` comes with the course and needs no network, `"auto"` takes
# the real one where it can be had. `FAST` shrinks the run for tests.

# %% tags=["parameters"]
SOURCE = "auto"
FAST = False
SEEDS = (0, 1, 2)
CELL, UNITS, EMBEDDING, DROPOUT = "gru", (256,), 64, 0.1
BATCH, STEPS = 64, 32  # rows that are read side by side, and characters between two cuts of the gradient
EPOCHS, LEARNING_RATE, WEIGHT_DECAY = 4, 5e-3, 1e-4
ORDERS = (1, 2, 3, 4, 5, 6, 7, 8)  # characters that the clerk looks at, the one to tell included
ROWS, LEAD = 128, 200  # rows in which a text is read for measuring, and characters of running start
WRITTEN = 2_000  # characters that are written at every temperature
PLAY = {"cell": "gru", "units": (128,), "embedding": 32, "dropout": 0.0}  # the network that reads our own play
PLAY_TRAINING = {"batch": 16, "steps": 64, "epochs": 8, "rate": 1e-2}
LONGEST = 128  # steps that the slowest unit of the network that reads our own play begins with
PLAY_CHARACTERS, PLAY_ASKED, SHUFFLES = 340_000, 40_000, 100  # of it, the last ones are for measuring

# %% [markdown]
# ## The text, looked at from above
#
# A text is one long row of symbols. What there is to know about it before any modeling: how long it is, how many different
# characters it has, and how long its lines are.

# %%
import re
import time
from itertools import pairwise

import numpy as np

from rnn_course.data import load_text
from rnn_course.sequences import Vocabulary, contiguous_batches, windows

began = time.perf_counter()
if FAST:
    SEEDS, UNITS, EPOCHS, ROWS, ORDERS, WRITTEN = SEEDS[:1], (32,), 1, 16, (1, 2, 5), 300
    PLAY, PLAY_TRAINING = PLAY | {"units": (24,)}, PLAY_TRAINING | {"batch": 32, "epochs": 1}
    PLAY_CHARACTERS, PLAY_ASKED, SHUFFLES = 30_000, 13_000, 20
text = load_text(SOURCE)
vocabulary = Vocabulary.from_texts([list(text.train)])
train_ids, valid_ids = (np.array(vocabulary.encode(list(part))) for part in (text.train, text.valid))

# %% [markdown]
# (Two of the ids in the vocabulary are nobody's: padding and unknown. They stay, so that the same vocabulary serves
# everywhere.)

# %%
lengths = [len(line) for line in text.train.split("\n") if line]
words = re.findall(r"[a-z']+", text.train.lower())
print(f"{len(text.train):,} characters to learn from, {len(text.valid):,} to be tested on")
print(f"{len(vocabulary) - 2} different characters, {len(vocabulary)} ids; {len(set(words)):,} different words")
print(f"{len(lengths):,} lines that are not empty, median {np.median(lengths):.0f} characters, longest {max(lengths)}")
common = [vocabulary.tokens[index] for index in range(2, 12)]
print("the ten most frequent:", *(repr(each) for each in common))

# %% [markdown]
# ## Cut by position: a shuffled cut flatters
#
# The last tenth of the text is for validation. Why not pick every tenth piece at random, as one does with sentences? Because a
# scene goes on: its names, its subject and its turns of phrase would stand on both sides of the cut. The clerk shows what that
# is worth. An `NGram` of order 5 looks at five characters, the one to tell and four before it; we fit and test it twice, once
# for each cut. The unit, nats per character, is explained in the next section: lower is better.

# %%
from rnn_course.ngrams import NGram


def cut_by_chance(piece, rng):
    """Fit and test the clerk on pieces of `piece` characters, dealt to both sides at random; mean nats."""
    ids = np.concatenate([train_ids, valid_ids])
    pieces = ids[: len(ids) // piece * piece].reshape(-1, piece)  # (pieces, piece)
    pieces, most = rng.permutation(pieces), round(0.9 * len(pieces))
    return NGram.fit(pieces[:most].ravel(), order=5, size=len(vocabulary)).nats(pieces[most:].ravel()).mean()


by_position = NGram.fit(train_ids, order=5, size=len(vocabulary)).nats(valid_ids, context=train_ids).mean()
by_chance = cut_by_chance(1_000, np.random.default_rng(0))
print(f"cut by position: {by_position:.3f} nats per character")
print(f"cut by chance:   {by_chance:.3f}, with pieces of a thousand characters")

# %% [markdown]
# The same clerk, the same text, the same share held back. By chance it looks better, and would be no better at a new scene.
# The differences that this lesson is about are smaller than that.
#
# ## Three numbers: nats, bits, perplexity
#
# A model gives every character that may come a probability. All that counts is the one it gave to the character that did come.
# Say three characters came, and had been given 1/2, 1/4 and 1/8. Their product is the probability of the whole text; since
# products of a million numbers cannot be written down, we add their logarithms.

# %%
from rnn_course.metrics import bits, perplexity, surprisal

given = np.array([1 / 2, 1 / 4, 1 / 8])
nats = -np.log(given)
print("surprise of each, in nats:", np.round(nats, 3), " in bits:", bits(nats))
print(f"probability of all three: {given.prod():.4f} = exp(-{nats.sum():.4f})")
print(f"mean: {nats.mean():.4f} nats = {bits(nats.mean()):.1f} bits per character")
print(f"perplexity: exp({nats.mean():.4f}) = {perplexity(nats.mean()):.1f}")

# %% [markdown]
# A *bit* is one question with two equally likely answers, a *nat* the same with the natural logarithm (that is what training
# minimizes), and the *perplexity* says among how many equally likely characters one would have to guess to be as surprised.
# Someone who knows nothing at all about a text of so many characters has:

# %%
ignorant = np.log(len(vocabulary) - 2)
print(f"{ignorant:.3f} nats, {bits(ignorant):.3f} bits, perplexity {perplexity(ignorant):.1f}")

# %% [markdown]
# ## The clerk
#
# For every run of characters the clerk keeps a page: what came next, how often. A page for a long run is precise and rarely
# there, a page for a short one is always there and vague. So the clerk mixes them, from long to short, taking a little off each
# count to leave room for what was never seen (Kneser-Ney smoothing, in Chen and Goodman's form). **Guess** the best number of
# characters, and its nats.

# %%
clerks, clerk_nats = {}, {}
for order in ORDERS:
    started = time.perf_counter()
    clerks[order] = NGram.fit(train_ids, order=order, size=len(vocabulary))
    clerk_nats[order] = clerks[order].nats(valid_ids, context=train_ids)  # (time,)
    took, mean = time.perf_counter() - started, clerk_nats[order].mean()
    known_text = clerks[order].nats(train_ids).mean()
    print(f"order {order}: {mean:.3f} nats, {bits(mean):.3f} bits, perplexity {perplexity(mean):5.2f}", end="; ")
    print(f"text it counted {known_text:.3f} nats; {took:.1f} seconds")
best_order = min(ORDERS, key=lambda order: clerk_nats[order].mean())
counted = clerk_nats[best_order]

# %% [markdown]
# The last column but one tells why more is not always better: the text it has counted the clerk soon knows by heart, and that
# helps nobody. What is left is a formidable opponent. nanoGPT, a well-known small Transformer, is published with two figures on
# these very data and this very cut: after three minutes of training on a CPU, and after three minutes on a large GPU. Feng et
# al. (2024) give one for their minimal recurrent network. Compare the seconds in the table above. (That the clerk's best order
# is chosen on the validation text itself is a favor to the clerk. The network's size, stretches and rate were chosen on the last
# tenth of the *training* text; how long it is trained, and that it is this one and not a slower one that scores a little better,
# was decided by the clock when validation figures were known.)

# %%
PUBLISHED = {"nanoGPT, CPU": (3, 1.88), "minGRU": 1.548, "nanoGPT, A100 GPU": (3, 1.4697)}
real = text.source == "tinyshakespeare"
for name, figure in PUBLISHED.items() if real else ():
    minutes, loss = figure if isinstance(figure, tuple) else ("?", figure)
    print(f"{name:18} {loss:.3f} nats after {minutes} minutes; the clerk, order {best_order}: {counted.mean():.3f}")

# %% [markdown]
# In the end we shall want to know three things: can a recurrent network beat the clerk, where, and what does it know that the
# clerk cannot?
#
# ## The model
#
# Characters become vectors, a recurrent layer reads them, and from its state at every step a `Dense` layer gives one logit for
# each character that may come next. This is the package's own function, shown in full. (`recurrent_layer("lstm", …)` is
# `keras.layers.LSTM` with a loop that trains faster on a CPU and gives the same numbers; lesson 20 takes it apart.)

# %%
import inspect

from IPython.display import Markdown

from rnn_course.models import build_language_model

code = inspect.getsource(build_language_model).replace(f'"""{build_language_model.__doc__}"""\n    ', "")
Markdown(f"```python\n{code}```")

# %% [markdown]
# ## One text, many rows, and a state that is never let go
#
# The gradient cannot be carried back through a million steps, so the text is read in short stretches and the gradient is cut
# between them. The *state* need not be cut: if row 1 of the next batch goes on where row 1 of this batch stopped, a *stateful*
# layer keeps its state from batch to batch, and with it whatever it has kept of the beginning (truncated back-propagation
# through time). On the numbers 0 to 12, with two rows of three steps:

# %%
inputs, targets = contiguous_batches(np.arange(13), batch=2, length=3)
for number, (batch, following) in enumerate(zip(inputs.reshape(-1, 2, 3), targets.reshape(-1, 2, 3), strict=True)):
    for row in range(2):
        print(f"batch {number}, row {row}: reads {batch[row]}, is asked for {following[row]}")

# %% [markdown]
# Two rows, each of which goes on from batch to batch. The proof that a carried state does what it should: a stateful network
# that reads stretch by stretch must say the same as its stateless twin that reads the whole at once. **Guess** the size of the
# largest difference, and what it is when the state is thrown away in between.

# %%
small = {"vocabulary": len(vocabulary), "embedding": 8, "units": (16,), "cell": CELL}
keras.utils.set_random_seed(0)
carrying, whole = build_language_model(**small, batch=1), build_language_model(**small)
whole.set_weights(carrying.get_weights())
some = valid_ids[None, :60]  # (1, time)
at_once = np.asarray(whole(some))
in_parts = np.concatenate([carrying(part) for part in np.split(some, 6, axis=1)], axis=1)
forgetting = np.concatenate([whole(part) for part in np.split(some, 6, axis=1)], axis=1)
carried_difference = float(np.abs(in_parts - at_once).max())
print(f"state carried: logits differ by {carried_difference:.0e} at most")
print(f"state thrown away: by {np.abs(forgetting - at_once).max():.2f}")

# %% [markdown]
# ## How a network is measured
#
# The validation text is one long row. Reading it in one row takes long; cut into many, each row would begin with nothing
# remembered. So each row first reads the characters before it, for a running start, and is judged on its own part only.
# (TensorFlow warns about networks that meet many shapes; here they are meant to, so we ask it to be quiet.)


# %%
import logging

logging.getLogger("tensorflow").setLevel("ERROR")


def read(model, ids, before):
    """Nats of each of `ids`, (time,), read in ROWS rows; what fills no full row at the end is left out."""
    steps = len(ids) // ROWS
    ids = np.concatenate([before[-LEAD:], ids])[: LEAD + ROWS * steps]
    rows = windows(ids, length=LEAD + steps, step=steps)  # (rows, lead + steps)
    logits = model.predict(rows[:, :-1], batch_size=ROWS, verbose=0)  # (rows, lead + steps - 1, vocabulary)
    return surprisal(logits[:, LEAD - 1 :], rows[:, LEAD:]).ravel()


# %% [markdown]
# Two callbacks. One empties the states before each epoch, when the rows go back to their beginnings. The other asks a stateless
# twin after each epoch how it does on new text.


# %%
class EmptyStates(keras.callbacks.Callback):
    """Let every epoch begin with nothing remembered."""

    def on_epoch_begin(self, epoch, logs=None):
        """Empty the states of all recurrent layers."""
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.RNN):
                layer.reset_state()


# %% [markdown]
# The clock stands still while the twin is asked.


# %%
class Progress(keras.callbacks.Callback):
    """Minutes of training, and nats on new text, after every epoch."""

    def __init__(self, reader, asked, before):
        """Keep a stateless twin, the ids it is asked for, (time,), and those before them, (time,)."""
        super().__init__()
        self.question, self.minutes, self.nats, self.resumed = (reader, asked, before), [], [], time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Note both, and print the nats."""
        self.minutes.append(sum(self.minutes[-1:]) + (time.perf_counter() - self.resumed) / 60)
        self.question[0].set_weights(self.model.get_weights())
        self.nats.append(float(read(*self.question).mean()))
        print(f"{self.nats[-1]:.3f}", end=" ", flush=True)
        self.resumed = time.perf_counter()


# %% [markdown]
# The learning rate rises for a few steps and then falls along a cosine; long gradients are cut down to length 1 (lesson 04).


# %%
def optimizer_for(rate, updates, warm=50):
    """AdamW whose learning rate rises to `rate` in `warm` steps and has fallen to a fiftieth after `updates`."""
    options = {"alpha": 0.02, "warmup_target": rate, "warmup_steps": warm}
    falling = keras.optimizers.schedules.CosineDecay(rate / warm, max(1, updates - warm), **options)
    return keras.optimizers.AdamW(falling, weight_decay=WEIGHT_DECAY, beta_2=0.99, global_clipnorm=1.0)


# %% [markdown]
# All networks of this lesson are trained by this one function. (`prepare` may change a model before its training; it is for
# later.)


# %%
def train(seed, ids, asked, *, batch, steps, epochs, rate, prepare=lambda model: None, **sizes):
    """Train on `ids`, (time,), with the carried state; return a stateless reader and its `Progress` on `asked`, (time,)."""
    keras.utils.set_random_seed(seed)
    model, reader = build_language_model(**sizes, batch=batch), build_language_model(**sizes)
    prepare(model)
    inputs, targets = contiguous_batches(ids, batch=batch, length=steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer_for(rate, epochs * len(inputs) // batch), loss)
    callbacks = [EmptyStates(), Progress(reader, asked, ids)]
    model.fit(inputs, targets, batch_size=batch, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return reader, callbacks[1]


# %% [markdown]
# Three networks that differ in nothing but chance. One line for each, one number for each epoch: nats per character on the
# validation text.

# %%
readers, courses = [], []
TRAINING = {"batch": BATCH, "steps": STEPS, "epochs": EPOCHS, "rate": LEARNING_RATE}
sizes = {"cell": CELL, "units": UNITS, "embedding": EMBEDDING, "dropout": DROPOUT, "vocabulary": len(vocabulary)}
for seed in SEEDS:
    print(f"seed {seed}, nats after each epoch:", end=" ")
    reader, progress = train(seed, train_ids, valid_ids, **TRAINING, **sizes)
    readers.append(reader)
    courses.append(progress)
    print(f"in {progress.minutes[-1]:.1f} minutes")
runs = len({text.train[at : at + best_order] for at in range(len(text.train))})
print(f"each has {reader.count_params():,} weights; the clerk's longest page alone knows {runs:,} different runs")

# %% [markdown]
# The published points were measured on other machines, and on windows that begin with nothing remembered, so they are marks on
# the way and no race.

# %%
from rnn_course.plots import axes_or_new, plot_against_minutes
from rnn_course.plots.style import SERIES_COLORS, label_axes, label_lines

curve = np.array([course.minutes for course in courses]), np.array([course.nats for course in courses])
_ = plot_against_minutes(
    {CELL.upper(): curve},
    marks=PUBLISHED if real else None,
    levels={f"clerk, order {best_order}": float(counted.mean())},
    title="Minutes of training against seconds of counting",
)

# %% [markdown]
# ## The result, and how sure it is
#
# Two kinds of chance are in a figure like this. Another *seed* gives another network; three of them show how much that moves.
# Another *text* would give other characters to guess, and for this the usual recipe (standard deviation over the square root of
# the number of characters) is badly wrong: neighbors depend on one another. A hard passage is hard for thousands of characters.
# So we take the means of blocks, and treat only the blocks as independent.


# %%
def standard_error(nats, block):
    """Standard error of the mean of `nats`, (time,), from the means of blocks of `block` characters."""
    means = nats[: len(nats) // block * block].reshape(-1, block).mean(axis=1)
    return means.std(ddof=1) / np.sqrt(len(means))


seen = np.array([read(reader, valid_ids, train_ids) for reader in readers])  # (seeds, time)
counted = counted[: seen.shape[1]]
BLOCKS = (1, 100, 1_000, len(counted) // 20)
for block in BLOCKS:
    print(
        f"blocks of {block:5,} characters: network ± {standard_error(seen[0], block):.3f}, "
        f"network - clerk ± {standard_error(seen[0] - counted, block):.3f}"
    )

# %% [markdown]
# The first line is what one would report without thinking. The last is several times as wide: with so little validation text,
# the second decimal of *any* figure on it depends on which scenes fell into the last tenth. The right column is the way out.
# Both models read the same characters, and what is hard for one is hard for the other, so their *difference* is known far
# better than either.

# %%
names = {"unigram": clerk_nats[1], "clerk, order 5": clerk_nats[5], f"clerk, order {best_order}": counted}
names["network, mean of seeds"] = seen.mean(axis=0)
blend = -np.log(np.exp(-seen).mean(axis=0))  # (time,): the mean of the probabilities
both = -np.log((np.exp(-blend) + np.exp(-counted)) / 2)
names |= {"networks' probabilities, averaged": blend, "half networks, half clerk": both}
for name, nats in names.items():
    mean = nats[: seen.shape[1]].mean()
    print(f"{name:34} {mean:.3f} nats  {bits(mean):.3f} bits  perplexity {perplexity(mean):.2f}")
means, margin = seen.mean(axis=1), standard_error(seen[0] - counted, BLOCKS[-1])
print(f"seeds: ± {means.std():.3f};  network - clerk: {means.mean() - counted.mean():+.3f} ± {margin:.3f}")

# %% [markdown]
# Compare your first guess. For all its training, a single network has not taken the lead from a table that was made in less
# than a second. But the last two lines of the table cost no further training, and they change the picture. Averaging the
# *probabilities* of networks is never worse than averaging their nats, and here it is enough to pass the clerk, by little. And
# to give the clerk half the vote, with nothing tuned, helps far more than its own score suggests. So the two must be wrong
# about different characters.
#
# ## A model that predicts is a model that compresses
#
# A character that was given the probability $p$ can be written down in $-\log_2 p$ bits (arithmetic coding comes within two
# bits of this for the whole text). So nats are bytes. Beside it stands `lzma`, a compressor without any model of language,
# which may read the training text first, as our models did. **Guess** how much smaller the network's file would be.

# %%
import lzma


def packed(characters):
    """Bytes that lzma makes of a text."""
    return len(lzma.compress(characters.encode(), preset=9))


asked = text.valid[: seen.shape[1]]
plain, squeezed = len(asked.encode()), packed(text.train + asked) - packed(text.train)
coded = {name: bits(nats[: len(asked)].sum()) / 8 for name, nats in names.items()}
print(f"plain {plain:,} bytes, lzma {squeezed:,}")
for name in (f"clerk, order {best_order}", "networks' probabilities, averaged", "half networks, half clerk"):
    print(f"{name:34} {coded[name]:8,.0f} bytes, {plain / coded[name]:.1f} times smaller than plain")

# %% [markdown]
# ## The network wins at the borders, the clerk inside words
#
# A mean hides where it comes from. So we sort the validation characters by what they are, and ask for each kind: how surprised
# was the clerk, how surprised the network? **Guess** where the network is ahead: at the first letter of a word, or inside
# words?


# %%
def place_in_word(characters):
    """1 at the first letter of a word, 2 at the second, …, 0 at what is no letter: (time,)."""
    letter, places = np.array([each.isalpha() or each == "'" for each in characters]), np.arange(len(characters))
    return places - np.maximum.accumulate(np.where(letter, -1, places))


def inside_name(characters):
    """True inside the name of a speaker, which stands after an empty line and ends in a colon: (time,) bool."""
    inside = np.zeros(len(characters), bool)
    for name in re.finditer(r"(?:\A|(?<=\n\n))[^\n]+:$", characters, re.MULTILINE):
        inside[name.start() : name.end()] = True
    return inside


# %% [markdown]
# Kinds are decided by the character that is to be told; a speaker's name, from its first letter to its colon, is a kind of its
# own.

# %%
place, named, letters = place_in_word(asked), inside_name(asked), np.array(list(asked))
kinds = {
    "speaker's name": named,
    "line break": (letters == "\n") & ~named,
    "space": (letters == " ") & ~named,
    "other sign": (place == 0) & (letters != " ") & (letters != "\n") & ~named,
    "1st letter": (place == 1) & ~named,
    "2nd letter": (place == 2) & ~named,
    "3rd letter": (place == 3) & ~named,
    "later letters": (place > 3) & ~named,
}
lead = counted - seen.mean(axis=0)  # (time,): above 0 where the network is less surprised
parts = {kind: float(lead[there].sum() / len(lead)) for kind, there in kinds.items()}  # of the whole difference

# %% [markdown]
# Left: nats of both at each kind. Right: what a kind adds to the difference of the means, that is, its gain times how common it
# is. The right bars together are the difference in the table above.

# %%
from rnn_course.plots import figure_grid
from rnn_course.plots.style import CELL_COLORS, NEGATIVE, POSITIVE

_, (panels,) = figure_grid(1, 2, row_height=3.3, sharey=True)
heights = np.arange(len(kinds))
looks = {"clerk": (counted, "D", "black"), "network": (seen.mean(axis=0), "o", CELL_COLORS[CELL])}
for name, (nats, marker, color) in looks.items():
    panels[0].plot([nats[there].mean() for there in kinds.values()], heights, marker, color=color, label=name)
panels[0].set_yticks(heights, kinds)
panels[0].invert_yaxis()
panels[0].legend(frameon=False, loc="upper left", borderaxespad=0)
panels[1].barh(heights, list(parts.values()), color=[POSITIVE if part > 0 else NEGATIVE for part in parts.values()])
panels[1].axvline(0, color="black", linewidth=0.8)
label_axes(panels[0], x="nats per character", title="Where each is surprised …")
label_axes(panels[1], x="network's gain, nats per\ncharacter of the whole text", title="… and where it counts")

# %% [markdown]
# Once a word has begun, the clerk knows how it goes on: such runs of letters it has seen. Where the word ends, where the line
# ends, and what may begin after it, is decided by what stands further back, and there the network is ahead. Each has what the
# other lacks, which is what the last line of the table lives on.
#
# ## Memory pays beyond the clerk's page, and ends with the line
#
# The clerk sees a handful of characters by construction. The network has carried its state through the whole text. Does it use
# it? We make it forget: same weights, but every window of the validation text is read from an empty state. At the j-th
# character of a window the network remembers exactly j characters, and we know what it would have said with everything it had
# ever read. The difference, for the very same characters, is the price of having forgotten. **Guess** where the price falls
# below a hundredth of a nat.

# %%
MEMORY = 32 if FAST else 512  # characters in a window
starts = windows(np.arange(len(asked)), length=MEMORY + 1, step=MEMORY // 8)  # (windows, memory + 1)
batches = np.array_split(valid_ids[starts], 1 + len(starts) // 256)
forgetful = [surprisal(readers[0].predict(part[:, :-1], verbose=0), part[:, 1:]) for part in batches]
price = np.concatenate(forgetful) - seen[0][starts[:, 1:]]  # (windows, memory); column j - 1: j characters remembered

# %% [markdown]
# Averaged over stretches of memory, with the standard error over windows as a band:

# %%
edges = np.unique(np.round(np.geomspace(1, MEMORY + 1, 14)).astype(int))
spans = [price[:, start - 1 : stop - 1].mean(axis=1) for start, stop in pairwise(edges)]  # each (windows,)
remembered = np.sqrt(edges[:-1] * (edges[1:] - 1))
prices = np.array([span.mean() for span in spans])
errors = np.array([span.std() / np.sqrt(len(span) / 8) for span in spans])  # eight windows overlap
for (start, stop), cost, error in zip(pairwise(edges), prices, errors, strict=True):
    print(f"{start:3} to {stop - 1:3} characters remembered: {cost:+.4f} ± {error:.4f} nats")
thrown_away = float(price[:, :STEPS].mean())
print(f"mean price if the state were emptied at every cut, each {STEPS} characters: {thrown_away:+.4f} nats")

# %% [markdown]
# Left of the dashed line is what the clerk sees. The dotted line is where training cut its gradient.

# %%
ax = axes_or_new()
ax.plot(remembered, prices, color=CELL_COLORS[CELL], marker="o", markersize=4)
ax.fill_between(remembered, prices - 2 * errors, prices + 2 * errors, color=CELL_COLORS[CELL], alpha=0.25, linewidth=0)
ax.set(xscale="log", ylim=(-0.002, 4))
ax.set_yscale("symlog", linthresh=0.01, linscale=0.6)
ax.axhline(0, color="black", linewidth=0.8)
for border, style, note in ((best_order - 0.5, "--", "the clerk\nsees this"), (STEPS, ":", "gradient\nis cut")):
    ax.axvline(border, color="black", linestyle=style, linewidth=1)
    ax.text(border * 0.95, 2, note, ha="right", va="center")
label_axes(ax, x="characters remembered", y="price of forgetting the\nrest (nats per character)")
ax.set_title("What is worth remembering is about one line", loc="left", fontsize=12)
beyond_clerk, beyond_cut = (float(price[:, far - 1 : 2 * far].mean()) for far in (best_order, min(STEPS, MEMORY // 2)))
print(f"price with {best_order} to {2 * best_order} characters remembered: {beyond_clerk:+.4f} nats")
print(f"price with {STEPS} to {2 * STEPS} characters remembered: {beyond_cut:+.4f} nats")

# %% [markdown]
# Two things in one picture. To carry the state is worth a lot: emptied at every cut, it would have to begin anew for every
# short stretch, at the mean price below the table. And the state is carried through whole scenes, yet what it holds beyond
# about a line of text buys nothing. It runs out close to where training cut the gradient. Is that the reason? One run cannot
# tell; set `STEPS` higher and see.
#
# ## It writes: the likeliest text is a loop
#
# To write, the network is asked for a distribution, one character is chosen, and the network reads what it wrote. The whole
# loop runs inside one compiled function (`Sampler`). We begin with a speaker of the course's own; what he says is the network's
# own. First the obvious choice: always the likeliest character. **Guess** what the most probable play looks like.

# %%
from rnn_course.generation import Sampler

PROMPT = "TOBIN:\n"
writer = Sampler(readers[0], vocabulary)
chance = np.random.default_rng(0)
likeliest = writer.generate(PROMPT, length=WRITTEN, greedy=True, rng=chance)
print(PROMPT + likeliest.text[:400])

# %% [markdown]
# How soon does it repeat itself, and how probable does it find what it writes, compared with what people wrote?


# %%
def loop_of(written):
    """Length of the piece that a text ends in repeating, three times or more; 0 where there is none."""
    periods = range(1, len(written) // 3 + 1)
    return next((size for size in periods if written[-size:] * 3 == written[-3 * size :]), 0)


loop = loop_of(likeliest.text)
loop_start = likeliest.text.find(likeliest.text[-loop:]) if loop else len(likeliest.text)
greedy_nats = -np.log(likeliest.model_probabilities).mean()
print(f"from character {loop_start:,} on it repeats a piece of {loop} characters")
print(f"its own text surprises it by {greedy_nats:.3f} nats per character, the plays by {seen[0].mean():.3f}")

# %% [markdown]
# People do not write the likeliest text; they say what is not known yet. Each choice of the greedy writer is defensible, and
# the whole is something no one would write. So the character must be *drawn*. A temperature $T$ divides the logits first: below
# 1 the likely becomes likelier, above 1 all come closer to each other. Here the same seed at three temperatures:

# %%
shown = {}
for temperature in (0.5, 1.0, 1.5):
    chance = np.random.default_rng(1)
    shown[temperature] = writer.generate(PROMPT, length=300, temperature=temperature, rng=chance)
    print(f"--- temperature {temperature}\n{PROMPT}{shown[temperature].text}\n")

# %% [markdown]
# At 0.5 nearly everything is a word and little happens; at 1.5 something new happens in every word. Which is right? A measure that
# needs no taste: the share of written words that occur in the training text. What people wrote has a share of its own, because
# any new scene brings new words. **Guess** whether the network at temperature 1 lies above or below it.

# %%
known = set(words)


def known_share(written):
    """Share of a text's words that occur in the training text."""
    return np.mean([word in known for word in re.findall(r"[a-z']+", written.lower())])


temperatures, long = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5), 10 * WRITTEN
drafts = {
    temperature: writer.generate(PROMPT, length=long, temperature=temperature, rng=np.random.default_rng(2)).text
    for temperature in temperatures
}
nucleus = writer.generate(PROMPT, length=long, top_p=0.9, rng=np.random.default_rng(2)).text
shares = {temperature: known_share(draft) for temperature, draft in drafts.items()}
people, nucleus_share = known_share(text.valid), known_share(nucleus)

# %% [markdown]
# And how much of it is copied: the longest stretch of each draft that stands letter for letter in the training text.


# %%
def longest_copy(written, source):
    """Length of the longest stretch of `written` that `source` holds too."""
    longest = 0
    for start in range(len(written)):
        while start + longest < len(written) and written[start : start + longest + 1] in source:
            longest += 1
    return longest


drafts |= {"top-p 0.9": nucleus, "people": text.valid}
for name, draft in drafts.items():
    copied = longest_copy(draft[:WRITTEN], text.train)
    print(f"{name!s:>9}: {known_share(draft):.1%} of the words are known, longest copied stretch {copied} characters")

# %% [markdown]
# Top-p is the other remedy: keep the smallest set of characters that together hold 90 % of the probability, and draw from it.
# It cuts off the tail where the misspellings live, and leaves the choice among the likely ones alone. (Nothing here is copied
# at length: the new scenes by people share stretches about as long with the old ones.)

# %%
ax = axes_or_new()
ax.plot(temperatures, list(shares.values()), color=CELL_COLORS[CELL], marker="o")
ax.axhline(people, color="black", linestyle="--", linewidth=1.2)
ax.plot(1, nucleus_share, "D", color=SERIES_COLORS[1])
ax.annotate("top-p 0.9", (1, nucleus_share), (7, -12), textcoords="offset points")
label_axes(
    ax,
    x="temperature",
    y="share of words that\noccur in training",
    title="At one temperature it misspells as often as people are new",
)
_ = label_lines(ax, [(people, "people", "black")])

# %% [markdown]
# What is written can be read with the writer's own doubt. Orange marks the characters that surprised it, in bits, while it
# chose them. (The text below stays text: it can be selected and copied.)

# %%
from rnn_course.plots import highlight_text

chosen = shown[1.0]
doubt = bits(-np.log(chosen.model_probabilities))  # (time,)
within = place_in_word(chosen.text)
doubts = {"first letters": within == 1, "later letters": within > 1, "all else": within == 0}
print(", ".join(f"{name} {doubt[there].mean():.1f} bits" for name, there in doubts.items()))
highlight_text(list(chosen.text), doubt, limit=6, separator="", title="Where the writer hesitates: bits per character")

# %% [markdown]
# Doubt is largest where a word begins. One line about speed, because a loop that calls `predict` for each character is what one
# often finds:

# %%
started = time.perf_counter()
writer.generate(PROMPT, length=WRITTEN, rng=chance)
compiled_speed = WRITTEN / (time.perf_counter() - started)
one = build_language_model(**sizes, batch=1)
one.set_weights(readers[0].get_weights())
one.predict(valid_ids[None, :1], verbose=0)  # not timed: the first call compiles
started = time.perf_counter()
for index in valid_ids[:20]:
    one.predict(index.reshape(1, 1), verbose=0)
loop_speed = 20 / (time.perf_counter() - started)
print(f"Sampler: {compiled_speed:,.0f} characters a second; a loop over predict: {loop_speed:,.0f}")

# %% [markdown]
# ## Does any unit know it is in a name?
#
# Now open it. What should one expect to find? To predict well, it pays to know whether one is inside a speaker's name, how long
# the line has become, whether a capital is due. We ask every unit about each of these, over pieces of the validation text. With
# so many units some will follow anything, so beside each stands what the *best* unit reaches when the pieces' truths are dealt
# to other pieces: the null.

# %%
from rnn_course.probes import trace, unit_concept_correlation

PIECES, SPAN = 32, 250
layer = f"{CELL}_{len(UNITS)}"
pieces = valid_ids[: PIECES * SPAN].reshape(PIECES, SPAN)
states = trace(readers[0], pieces, layer).hidden  # (batch, time, units)


def in_pieces(truth):
    """Cut a truth about every character, (time,), as the ids were cut: (batch, time)."""
    return truth[: PIECES * SPAN].reshape(PIECES, SPAN)


starts_of_lines = np.maximum.accumulate(np.where(letters == "\n", np.arange(len(letters)), -1))
truths = {
    "inside a speaker's name": named,
    "characters of the line so far": np.arange(len(letters)) - starts_of_lines,
    "capital letter comes next": np.roll(np.char.isupper(letters), -1),
    "letters of the word so far": place,
}

# %% [markdown]
# One line for each truth: the unit that follows it best, its correlation, and the level that the best unit stays below in 95 of
# 100 deals.

# %%
found = {}
for name, truth in truths.items():
    chance = np.random.default_rng(0)
    found[name] = unit_concept_correlation(states, in_pieces(truth), permutations=SHUFFLES, rng=chance)
    result = found[name]
    strength, level = result.correlation[result.best], np.percentile(result.null, 95)
    print(f"{name:30} unit {result.best:3}, r = {strength:+.2f}; chance stays below {level:.2f}")

# %% [markdown]
# Each of them has a unit that follows it far better than chance, and none has one that follows it closely. To see such a unit
# at work we need a text that may be shown, and the network has written one. Each character stands on the state of the unit
# after it was read.

# %%
from rnn_course.plots.style import DIVERGING, text_on


def show_page(characters, values, *, quantity, title):
    """Draw a text line by line, each character on the color of its value, (time,)."""
    lines, limit, shades = characters.split("\n"), np.abs(values).max(), iter(values)
    page = np.full((len(lines), 1 + max(map(len, lines))), np.nan)
    ax, cell = axes_or_new(height=0.9 + 0.21 * len(lines)), {"ha": "center", "va": "center_baseline"}
    for row, line in enumerate(lines):
        for column, (character, shade) in enumerate(zip(line + "\n", shades, strict=False)):  # a line break has one too
            page[row, column] = shade
            color = text_on(DIVERGING(0.5 + 0.5 * shade / limit))
            ax.text(column, row, character.strip(), color=color, family="monospace", size=9, **cell)
    image = ax.imshow(page, cmap=DIVERGING, vmin=-limit, vmax=limit, aspect="auto")
    ax.figure.colorbar(image, ax=ax, label=quantity, aspect=12, pad=0.01)
    ax.axis("off")
    ax.set_title(title, loc="left", fontsize=12)


# %% [markdown]
# The unit that follows speakers' names, on the stretch of its own writing (at temperature 0.75) that has most of them. Its
# correlation is negative: look for blue.

# %%
draft = drafts[0.75]
begins = [found_at.end() for found_at in re.finditer("\n\n", draft[:-300])] or [0]
begin = max(begins, key=lambda at: inside_name(draft[at : at + 260]).sum())
characters = draft[begin : begin + 260]
own = trace(readers[0], np.array([vocabulary.encode(list(characters))]), layer).hidden[0]  # (time, units)
name_unit = found["inside a speaker's name"].best
show_page(characters, own[:, name_unit], quantity="hidden state", title=f"Unit {name_unit} on the network's own play")
name_correlation = float(np.corrcoef(own[:, name_unit], inside_name(characters))[0, 1])
print(f"r with 'inside a speaker's name' on this page: {name_correlation:+.2f}")

# %% [markdown]
# No one ever told the network that plays have speakers.
#
# ## A text of which everything is known
#
# Two questions stay open on real text. How good could a model be at all? Shannon asked people to guess letters in 1951 to find
# out, and got a range. And what is true about a character: is a quotation open here, is a plural verb due? So the course wrote
# a play by the rules of a grammar, and kept the books: for each character the exact probability given all before it, and what
# holds there. It begins like this:

# %%
from rnn_course.data import make_play

play = make_play(PLAY_CHARACTERS, rng=np.random.default_rng(0))
print(play.text[:420])
entropy = play.nats.mean()
print(f"…\ntrue probabilities: {entropy:.4f} nats per character, {bits(entropy):.3f} bits")

# %% [markdown]
# No model can do better than that figure, but for luck. Here is another clerk, given all but the last part of the play, and
# another, smaller network. **Guess** how close to the best possible each will come.

# %%
play_vocabulary = Vocabulary.from_texts([list(play.text)])
play_ids, cut = np.array(play_vocabulary.encode(list(play.text))), len(play.text) - PLAY_ASKED
heard, unheard, PLAY["vocabulary"] = play_ids[:cut], play_ids[cut:], len(play_vocabulary)
play_clerks = [NGram.fit(heard, order=order, size=len(play_vocabulary)) for order in ORDERS]
play_clerk = min(play_clerks, key=lambda each: each.nats(unheard, context=heard).mean())
print("nats after each epoch:", end=" ")
players, guesses, play_courses = {}, {}, {}
players["ordinary start"], play_courses["ordinary start"] = train(0, heard, unheard, **PLAY_TRAINING, **PLAY)
guesses["ordinary start"] = read(players["ordinary start"], unheard, heard)  # (time,)
tallied = play_clerk.nats(unheard, context=heard)[: len(guesses["ordinary start"])]
best_possible = play.nats[cut:][: len(tallied)]

# %% [markdown]
# Each of them beside the truth, and what it lacks in percent:


# %%
def beside_truth(name, nats):
    """Print a mean of nats, (time,), and by how much it exceeds the least possible."""
    print(f"{name:20} {nats.mean():.3f} nats, {nats.mean() / best_possible.mean() - 1:+.0%}")


beside_truth("best possible", best_possible)
beside_truth(f"clerk, order {play_clerk.order}", tallied)
beside_truth("network", guesses["ordinary start"])

# %% [markdown]
# What do they not know? In this play a gap between two words is a space, unless the line already holds a certain number of
# characters: then it is a line break, always. A quotation opens and closes with the same mark, sometimes sentences apart. And a
# subject decides its verb across the words between. We sort what is missing by what was to be told.

# %%
held = {name: truth[cut:][: len(tallied)] for name, truth in play.truth.items()}
told = np.array(list(play.text[cut:]))[: len(tallied)]
after_end = np.isin(np.roll(told, 1), list(".!?"))
due = (np.roll(held["agreement"], 1) != 0) & (held["agreement"] == 0)
gaps = np.isin(told, [" ", "\n"]) & ~after_end
play_kinds = {"space or line break": gaps, "after a sentence": after_end, "a verb's first letter": due}
play_kinds["all else"] = ~(after_end | due | gaps)


def missing(nats, kind):
    """What a model lacks at one kind of character, in nats per character of the whole text; nats are (time,)."""
    return float(np.sum((nats - best_possible)[play_kinds[kind]]) / len(nats))


for kind in play_kinds:
    clerks_part, networks_part = missing(tallied, kind), missing(guesses["ordinary start"], kind)
    print(f"{kind:22} clerk {clerks_part:+.3f}, network {networks_part:+.3f} nats per character of the text")

# %% [markdown]
# ## It never learned to count, because it forgets too fast to find out
#
# The words are nearly learned, and the largest part of what the network lacks lies in the gaps: it does not know how long the
# line is.  A clerk cannot know. A network could count, but it must first notice that something a line's length ago matters. At
# its start it cannot: a GRU's update gate keeps the share $z = \sigma(b)$ of a state at every step, and Keras starts with $b =
# 0$. After how many steps is half of a state gone? On four numbers:

# %%
for bias in (0.0, 1.0, 3.0, np.log(LONGEST - 1)):
    kept = 1 / (1 + np.exp(-bias))
    print(f"b = {bias:.2f}: z = {kept:.3f}, half is gone after {np.log(0.5) / np.log(kept):5.1f} steps")

# %% [markdown]
# So we let some units *begin* slow: biases drawn so that memories of all lengths, from one step to `LONGEST`, are there before
# training (chrono initialization, Tallec and Ollivier 2018). Nothing else changes: the same size, seed, text, number of
# updates. **Guess** what that does to the figure above, which the network reached after seeing the play several times.


# %%
def start_slow(model):
    """Draw every update gate's bias so that its unit remembers for 1 to LONGEST steps."""
    gru, chance = model.get_layer("gru_1"), np.random.default_rng(0)
    kernel, recurrent_kernel, bias = gru.get_weights()  # bias: (2, 3 * units), the update gate's first
    bias[0, : gru.units] = np.log(chance.uniform(1, LONGEST, gru.units))
    gru.set_weights([kernel, recurrent_kernel, bias])


print("nats after each epoch:", end=" ")
trained = train(0, heard, unheard, **PLAY_TRAINING, **PLAY, prepare=start_slow)
players["slow start"], play_courses["slow start"] = trained
guesses["slow start"] = read(players["slow start"], unheard, heard)
print()
for name, nats in {"best possible": best_possible, f"clerk, order {play_clerk.order}": tallied, **guesses}.items():
    beside_truth(name, nats)

# %% [markdown]
# Where a gap is due, how probable does each find that it is a line break? The rule is a step: never before, always after.

# %%
from rnn_course.data.plays import WIDTH
from rnn_course.decoding import log_softmax

READ = 400  # characters in a row; the first hundred are a running start
settled = np.arange(READ) >= 100  # (time,)
play_rows = unheard[: PIECES * READ].reshape(PIECES, READ)  # (batch, time)
facts = {name: truth[cut:][: PIECES * READ].reshape(PIECES, READ) for name, truth in play.truth.items()}
came = np.array(list(play.text[cut:]))[: PIECES * READ].reshape(PIECES, READ)
mark, space, line_break = (play_vocabulary.encode([each])[0] for each in '" \n')


def chances_of(model):
    """Probability of every character that may come next: (batch, time, vocabulary)."""
    return np.exp(log_softmax(model.predict(play_rows, verbose=0)))


# %% [markdown]
# At every column, over all gaps that are due there:

# %%
columns = np.arange(4, 48)
gap_next = np.isin(np.roll(came, -1, axis=1), [" ", "\n"]) & ~np.isin(came, list(".!?\n:")) & settled
at_column = [gap_next & (facts["column"] == column) for column in columns]


def break_by_column(model):
    """Mean probability that a gap is a line break, at every column: (columns,)."""
    chances = chances_of(model)
    breaks = chances[:, :, line_break] / (chances[:, :, line_break] + chances[:, :, space])  # (batch, time)
    return np.array([breaks[there].mean() if there.any() else np.nan for there in at_column])


# %% [markdown]
# One line for each network, the truth dashed.

# %%
counting, ends, ax = {name: break_by_column(model) for name, model in players.items()}, [], axes_or_new()
for (name, course), color in zip(counting.items(), (SERIES_COLORS[1], CELL_COLORS["gru"]), strict=True):
    ax.plot(columns, course, color=color, marker="o", markersize=4)
    ends.append((course[np.isfinite(course)][-1], name, color))
ax.step(columns, columns >= WIDTH, where="mid", color="black", linestyle="--", linewidth=1.2)
label_axes(ax, x="characters that the line holds", y="probability that the gap\nis a line break")
ax.set_title("Born with slow units, it counts the line", loc="left", fontsize=12)
_ = label_lines(ax, ends)

# %% [markdown]
# The same network, the same number of updates: what it learned in them depended on what it could remember before it had learned
# anything. One way to read it: a unit that leaks slowly is a clock that starts at every line break, and once there is a clock, the
# gradient finds a use for it.
#
# ## Which unit is the clock?
#
# A question about the inside, then: does a unit follow the column? And does one follow a speaker's name, the number of a
# subject whose verb is still to come, an open quotation? All are known here for every character. The search, with its null:

# %%
from rnn_course.plots import plot_unit_concept

STATE = "cell" if PLAY["cell"] == "lstm" else "hidden"
player, play_layer = players["slow start"], f"{PLAY['cell']}_1"
play_states = getattr(trace(player, play_rows, play_layer), STATE)  # (batch, time, units)
sought = {}
for name in ("column", "speaker", "agreement", "quoted"):
    concept, chance = facts[name][:, settled][:, ::2], np.random.default_rng(0)  # every second step
    sought[name] = unit_concept_correlation(play_states[:, settled][:, ::2], concept, permutations=SHUFFLES, rng=chance)
    strength, level = sought[name].correlation[sought[name].best], np.percentile(sought[name].null, 95)
    print(f"{name:10} unit {sought[name].best:3}, r = {strength:+.2f}; chance stays below {level:.2f}")
clock = sought["column"]
_ = plot_unit_concept(clock.correlation, clock.null, concept="the column", title="Several units are clocks")

# %% [markdown]
# Here is the best of them at work, on a piece of the play that the network never saw in training. The text is the course's own,
# so it may be shown.

# %%
example, begin = 0, 101 + int(np.argmax(came[0, 100:] == "\n"))
passage = slice(begin, begin + 200)
shade = play_states[example, passage, clock.best]
show_page(
    "".join(came[example, passage]),
    shade - (shade.max() + shade.min()) / 2,
    quantity=f"{STATE} state, centered",
    title=f"Unit {clock.best} runs down the line and starts again",
)

# %% [markdown]
# ## Turn the clock, and the line breaks early
#
# A unit may follow the column and not matter (lesson 06 has a surprise of that kind). So we turn the clock. Early in a line, at
# the gap between two words, the units are set to the mean they have at gaps of another column, in this one moment, and we read
# what the network then thinks of a line break. If it believes the clock, the curve of the slow start must come out again, drawn
# by our hand. **Write down** how many units it takes.

# %%
from rnn_course.probes import ablate_units

early = gap_next & (facts["column"] >= 10) & (facts["column"] <= 20)


def believed(units, column):
    """Probability that a gap early in a line is a line break, `units` set to their mean at gaps near `column`."""
    usual = play_states[gap_next & (np.abs(facts["column"] - column) <= 1)].mean(axis=0)[units]
    logits = ablate_units(player, play_rows, units, play_layer, state=STATE, value=usual, steps=early)[early]
    chances = np.exp(log_softmax(logits))  # (gaps, vocabulary)
    return float(np.mean(chances[:, line_break] / (chances[:, line_break] + chances[:, space])))


# %% [markdown]
# One line for each number of units set, the best followers of the column first, and one for many of the worst. Dashed is what
# the network says when the line really is as long.

# %%
turned_to, order = (15, 30, 36, 39, 42, 45), np.argsort(-np.abs(clock.correlation))
most = len(order) // 4
settings = {"1 unit": order[:1], "8 units": order[:8], f"{most} others": order[-most:]}
turned, ends, ax = (
    {name: [believed(units, to) for to in turned_to] for name, units in settings.items()},
    [],
    axes_or_new(),
)
for (name, course), color in zip(turned.items(), (SERIES_COLORS[1], POSITIVE, "#777777"), strict=True):
    ax.plot(turned_to, course, color=color, marker="o", markersize=4)
    ends.append((course[-1], name, color))
ax.plot(columns, counting["slow start"], color="black", linestyle="--", linewidth=1.2)
label_axes(ax, x="column that the clock was set to, early in the line", y="probability that the gap\nis a line break")
ax.set_title("The network believes the clock, but not its best hand", loc="left", fontsize=12)
_ = label_lines(ax, ends)

# %% [markdown]
# Eight units are enough to make the network believe that a line of ten to twenty characters is full. But the unit that follows
# the column best, turned alone, changes next to nothing. A correlation shows what a unit knows, not who asks it. Which of the
# eight is asked? Each alone, set to the end of a line:

# %%
alone = {int(unit): believed(np.array([unit]), 45) for unit in order[:8]}
for unit, share in alone.items():
    print(f"unit {unit:3}, r = {clock.correlation[unit]:+.2f}: a line break with probability {share:.2f}")
hand = max(alone, key=alone.get)

# %% [markdown]
# Here is the one that has most effect alone, over a few lines, beside the one that follows the column best.

# %%
from rnn_course.plots import plot_unit_over_time

few = slice(100, 220)
ax = plot_unit_over_time(
    play_states[0, few][:, [clock.best, hand]],
    labels=[f"unit {clock.best}", f"unit {hand}"],
    quantity=f"{STATE} state",
    title="One measures the line, the other waits for its end",
)
for at in np.flatnonzero(came[0, few] == "\n"):
    ax.axvline(at, color="black", linestyle=":", linewidth=0.8)

# %% [markdown]
# (Dotted: the line breaks.) The best follower measures from the first character on. The one that is asked stays high at first
# and falls as the end comes near: for the question at hand, "is it time?", that is the better hand, though not the best
# follower.
#
# ## A unit that knows the quotation is open
#
# A quotation in the play opens with a mark and closes with the very same mark, one to many sentences later. After the full stop
# of a sentence the mark may close it, or the speaker goes on; outside a quotation it cannot come. So whoever would foretell the
# mark must remember whether it was there before, over a distance that no page of the clerk covers. The search has found a
# candidate:

# %%
quote = sought["quoted"]
ranked = np.argsort(-np.abs(quote.correlation))[:4]
print("an open quotation:", ", ".join(f"unit {unit}: r = {quote.correlation[unit]:+.2f}" for unit in ranked))

# %% [markdown]
# At work, on a page with many quotations:

# %% tags=["picture"]
opened = (np.diff(facts["quoted"][:, 100:360].astype(int)) == 1).sum(axis=1)
example = int(np.argmax(opened))
begin = 101 + int(np.argmax(came[example, 100:] == "\n"))
passage = slice(begin, begin + 240)
shade = play_states[example, passage, quote.best]
shade = shade * np.sign(quote.correlation[quote.best])
show_page(
    "".join(came[example, passage]),
    shade - (shade.max() + shade.min()) / 2,
    quantity=f"{STATE} state, signed, centered",
    title=f"Unit {quote.best} is on while a quotation is open",
)

# %% [markdown]
# ## Shut it, and the closing mark disappears
#
# The best follower alone did not turn the clock. Is it enough here? At the full stop, in this one moment, it is set to the mean
# it has at full stops outside quotations; and the other way round, outside, as if a quotation were open. As controls, other
# units one at a time. **Write down** what becomes of the closing mark.

# %%
stops = np.isin(came, list(".!?")) & settled
inside, outside = stops & facts["quoted"], stops & ~facts["quoted"]


def closing(units, where, like):
    """Mean probability of the mark after the sentences `where`, units set to their mean in `like`; both (batch, time)."""
    usual = play_states[like].mean(axis=0)[units]
    logits = ablate_units(player, play_rows, units, play_layer, state=STATE, value=usual, steps=where)[where]
    return float(np.exp(-surprisal(logits, np.full(len(logits), mark))).mean())


# %% [markdown]
# The dashed line is how often the mark really came.

# %%
from rnn_course.plots import plot_ablation

followers, none = np.argsort(-np.abs(quote.correlation)), []
others = np.random.default_rng(0).choice(followers[1:], 4, replace=False)
marks_given = {
    "open, left alone": closing(none, inside, outside),
    f"open, unit {quote.best} shut": closing([quote.best], inside, outside),
    "open, another unit set": [closing([unit], inside, outside) for unit in others],
    "not open, left alone": closing(none, outside, inside),
    f"not open, unit {quote.best} opened": closing([quote.best], outside, inside),
}
truth_inside = float(np.mean(np.roll(came, -1, axis=1)[inside] == '"'))
title, quantity = "One number closes the quotation, or opens it", "probability of the closing mark"
_ = plot_ablation(marks_given, baseline={"came": truth_inside}, quantity=quantity, value_format=".2f", title=title)
marks = [float(np.mean(given)) for given in marks_given.values()]

# %% [markdown]
# One number of the state, set for one step: the network has no second opinion. Here the unit that follows best is also the one
# that is asked. With the clock it was not, and lesson 06 finds a *not* that many units share. Which way a network goes is not
# known beforehand; only a hand on the state tells.
#
# ## Mark a range: where else are the same units on?
#
# So far we knew what to look for. LSTMVis (Strobelt et al. 2018) asks the other way round: mark a stretch of text, take the
# units that are on all through it, and let the machine find the stretches where the same units stay on. What these share, one
# then has to see for oneself; here we can count it. The stretch below lies inside a quotation. **Guess** what its matches will
# share: the quotation, or the place in the line?

# %%
from rnn_course.probes import match_state_pattern

hidden = trace(player, play_rows, play_layer).hidden  # (batch, time, units)
both_ways = np.concatenate([hidden, -hidden], axis=2)  # a unit may also speak by being low
on, inner, size = np.quantile(np.abs(hidden), 0.35), facts["quoted"] & settled, 12 if FAST else 24
places = range(110, READ - size - 4)
firsts = [next((at for at in places if row[at - 4 : at + size + 4].all()), None) for row in inner]
marked = [(row, at) for row, at in enumerate(firsts) if at is not None][:10]
all_matches = [
    match_state_pattern(both_ways, example=row, start=at, stop=at + size, threshold=on, count=20) for row, at in marked
]
print(f"marked: {''.join(came[marked[0][0], marked[0][1] : marked[0][1] + size])!r}")
for match in all_matches[0][:5]:
    print(f"score {match.score:.2f}: {''.join(came[match.example, match.start : match.stop])!r}")

# %% [markdown]
# One mark proves little, so ten were made, each inside a quotation of another row. What their matches share, beside the same
# share in the whole text:


# %%
def share_of_matches(truth_at):
    """Mean share of the matched steps at which a truth holds; `truth_at(row, step)` gives it for each mark, (batch, time)."""
    shares = [
        truth_at(row, at)[match.example, match.start : match.stop].mean()
        for (row, at), matches in zip(marked, all_matches, strict=True)
        for match in matches
    ]
    return float(np.mean(shares))


matches_quoted = share_of_matches(lambda row, at: facts["quoted"])
matches_near = share_of_matches(lambda row, at: np.abs(facts["column"] - facts["column"][row, at + size // 2]) <= 5)
near = np.mean([np.abs(facts["column"][:, 100:] - facts["column"][row, at + size // 2]) <= 5 for row, at in marked])
print(f"inside a quotation: {matches_quoted:.0%} of the matches, {facts['quoted'][:, 100:].mean():.0%} of the text")
print(f"within 5 columns of the marked place: {matches_near:.0%} of the matches, {near:.0%} of the text")

# %% [markdown]
# The matches share the quotation, nearly twice as often as the text does, and hardly the place in the line. But nearly half of
# them lie outside any quotation: a marked range gives a suspicion and not yet a meaning.
#
# ## What it knew, character by character
#
# One passage of the play, what came, and under it what the network held likeliest at every place. Look at the first letters,
# then at how fast a word is settled.

# %%
from rnn_course.plots import plot_next_token

closes = next(at for at in range(140, 380) if came[example, at] == '"' and facts["quoted"][example, at - 1])
stretch = slice(closes - 22, closes + 8)
asked_for = play_rows[example, stretch]
network_says = chances_of(player)[example, closes - 23 : closes + 7]  # said one step before
_ = plot_next_token(network_says, play_vocabulary.tokens, chosen=asked_for, top=4, title="The network, one step ahead")

# %% [markdown]
# The same passage as the clerk sees it.

# %%
clerk_says = np.array(
    [play_clerk.distribution(play_rows[example, at - play_clerk.order : at]) for at in range(closes - 22, closes + 8)]
)
_ = plot_next_token(clerk_says, play_vocabulary.tokens, chosen=asked_for, top=4, title="The clerk, on the same passage")
at_mark = {"network": network_says[22, mark], "clerk": clerk_says[22, mark]}
print("probability of the mark that came:", ", ".join(f"{name} {chance:.2f}" for name, chance in at_mark.items()))

# %% [markdown]
# At the mark itself the clerk is no worse here. But it says the same after these letters wherever they stand, outside a
# quotation too, where the mark cannot come; what the network says there was in the picture with the shut unit.
#
# ## The gradient agrees: the past is short
#
# Back to the real text and the large network. Forgetting told what memory is worth. The gradient tells something else: if the
# vector of the character t were nudged, how much would the surprise at s move? That is the total derivative through every step
# between (lesson 02), for all pairs s and t. **Guess** whether it falls off faster or slower than the price of forgetting.

# %%
from rnn_course.plots import plot_lag_profile
from rnn_course.probes import connectivity, lag_profile

probe = pieces[:8]
logits = readers[0].predict(probe, verbose=0)
pull = np.exp(log_softmax(logits))
pull[:, :-1][np.arange(8)[:, None], np.arange(SPAN - 1), probe[:, 1:]] -= 1  # of -log p by the logits: p - one-hot
readout = pull @ readers[0].get_layer("logits").get_weights()[0].T  # (batch, time, units)
pairs = connectivity(readers[0], probe, layer, readout=readout).values[
    :, :-1, :-1
]  # what follows the last is not known
reach = lag_profile(pairs)
_ = plot_lag_profile({CELL.upper(): reach}, quantity="‖∂(-log p)/∂x‖", title="By the gradient, too, the past is short")

# %% [markdown]
# Both in one table: the median gradient as a share of that at lag 1, and the price of forgetting all that lies further back.

# %%
for lag in (1, 2, 4, 8, 16, 32, 64, 128):
    if lag < min(len(reach.median), MEMORY):
        near_by = slice(lag - 1, min(2 * lag - 1, MEMORY))
        print(
            f"lag {lag:4}: gradient {reach.median[lag] / reach.median[1]:8.1e}, price {price[:, near_by].mean():+.4f} nats"
        )

# %% [markdown]
# The two measures have nothing in common but the network: one nudges, the other erases. They agree about where the past ends:
# at the length of a line either has lost more than ninety-nine parts in a hundred, and the price falls a little faster. No such
# agreement is guaranteed; lesson 04 met a gradient of exactly zero where the influence was not.
#
# ## Exercises
#
# Nothing below depends on them. Fill in the function and run the cell; ask for `exercises.q1.hint()` when you are stuck.
#
# ### Exercise 1 · 5 minutes
#
# A temperature by hand. Write `with_temperature(logits, temperature)`: the probabilities, `(batch, vocabulary)`, of the next
# character at a temperature, a number above 0, from logits of the same shape. Logits may be as large as 3000.

# %%
from rnn_course.exercises import language_model as exercises


def with_temperature(logits, temperature): ...


exercises.q1.check(with_temperature)

# %% [markdown]
# ### Exercise 2 · 10 minutes
#
# Write `perplexity(logits, targets, mask)`: one number, exp of the mean nats over the real steps. Logits are `(batch, time,
# vocabulary)`, targets `(batch, time)` indices, the mask `(batch, time)` bool, True at real steps.


# %%
def perplexity(logits, targets, mask): ...


exercises.q2.check(perplexity)

# %% [markdown]
# ### Exercise 3 · 10 minutes
#
# A colleague's writer, `exercises.forgetful`, writes pairs of letters that fit and words that do not. Print its source
# (`inspect.getsource`), find what it forgets, and write `next_characters(step, first, state, uniforms)`: the list of written
# indices, one for each number in `uniforms`, drawn where the cumulative probabilities pass that number.


# %%
def next_characters(step, first, state, uniforms): ...


exercises.q3.check(next_characters)

# %% [markdown]
# ### Exercise 4 · 10 minutes
#
# Write `keep_top_p(probabilities, p)`: of `(vocabulary,)` probabilities keep the fewest likeliest ones that hold p or more
# together, set the others to 0, and make the result sum to 1, each in its old place.


# %%
def keep_top_p(probabilities, p): ...


exercises.q4.check(keep_top_p)

# %% [markdown]
# ### Exercise 5 · 5 minutes
#
# Write `compressed_bytes(nats, characters)`: how many bytes a text of so many characters takes if an ideal arithmetic coder
# packs it with a model whose mean is `nats` per character. Fractions of a byte do not matter.


# %%
def compressed_bytes(nats, characters): ...


exercises.q5.check(compressed_bytes)

# %% [markdown]
# ## You have seen
#
# - A table of counts, made in less than a second, is a strong language model on a small text, and the half of an even better
#   one.
# - Nats, bits, perplexity and bytes are one quantity. Its error bar must come from blocks of text, and two models are best
#   compared character by character.
# - A carried state is used for several times the clerk's page, about a line, and the price of losing it can be measured without
#   any gradient.
# - The likeliest text is a loop. Drawn at the right temperature, the network misspells as often as people are new.
# - Where the truth is known, one sees what a loss hides: a network that knew the words could not count a line, because it was
#   born with a memory too short to find out that counting pays.
# - The unit that follows a concept best need not be the one that is asked. A hand on the state tells them apart; for the open
#   quotation they were the same, and one number closed it.
#
# ## What is not known from this
#
# - How good a model of the real text could be. The grammar's entropy is known because the grammar is ours; for plays by people
#   there are only upper bounds, and each better model is one.
# - Three seeds of one size on one text. With a hundred times the text the clerk's table grows without end, and the network's
#   weights need not: nothing here says who wins there.
# - The play was learned once from each start. That the ordinary start does not count the line within these minutes does not
#   mean that it never would. Whether a slow start helps on the real text was not asked here.
# - The play's grammar is small. That single units of its network can be read so plainly says little about the large one, where
#   only what could be told without a grammar was asked.
#
# ## References
#
# - Shannon (1951), *Prediction and entropy of printed English*, Bell System Technical Journal 30: people as language models.
# - Chen and Goodman (1999), *An empirical study of smoothing techniques for language modeling*, Computer Speech and Language
#   13: the clerk.
# - Williams and Peng (1990), *An efficient gradient-based algorithm for on-line training of recurrent network trajectories*,
#   Neural Computation 2: the gradient is cut, the state is not.
# - Mikolov et al. (2010), *Recurrent neural network based language model*, Interspeech: the network that beat the clerks of its
#   day, and the mixture of both that beat either.
# - Graves (2013), *Generating sequences with recurrent neural networks*: characters, and writing by drawing.
# - Karpathy (2015), *The unreasonable effectiveness of recurrent neural networks*: units colored on text, and the data of this
#   lesson. Karpathy, Johnson and Fei-Fei (2015), *Visualizing and understanding recurrent networks*: the same with
#   measurements.
# - Tallec and Ollivier (2018), *Can recurrent neural networks warp time?*, ICLR: why the bias of a gate is a length of memory.
# - Strobelt, Gehrmann, Pfister and Rush (2018), *LSTMVis*, IEEE TVCG 24: mark a range, find its like.
# - Holtzman et al. (2020), *The curious case of neural text degeneration*, ICLR: why the likeliest text is not the best, and
#   top-p.
# - Karpathy (2022), the nanoGPT repository: its README gives the two figures quoted above. Feng et al. (2024), *Were RNNs all
#   we needed?*: the figure of minGRU.
#
# ## The figures of this run
#
# The last cells collect them.

# %%
play_figures = {
    "play_entropy": float(best_possible.mean()),
    "play_nats_per_char": float(guesses["slow start"].mean()),
    "play_ordinary_nats_per_char": float(guesses["ordinary start"].mean()),
    "baseline_play_nats_per_char": float(tallied.mean()),
    "play_minutes": play_courses["slow start"].minutes[-1],
    "break_probability_full_line": float(np.nanmean(counting["slow start"][-5:])),
    "break_probability_full_line_ordinary": float(np.nanmean(counting["ordinary start"][-5:])),
    "break_probability_clock_turned": turned["8 units"][-1],
    "break_probability_best_unit_turned": turned["1 unit"][-1],
    "break_probability_asked_unit_turned": alone[hand],
    "break_probability_others_turned": turned[f"{most} others"][-1],
}

# %% [markdown]
# Of the units:

# %%
names_of_marks = ("", "_shut", "_other_unit_set", "_outside", "_opened")
unit_figures = {f"closing_probability{name}": share for name, share in zip(names_of_marks, marks, strict=True)}
unit_figures |= {
    "closing_probability_in_truth": truth_inside,
    "clock_correlation": float(np.abs(clock.correlation).max()),
    "clock_null_95": float(np.percentile(clock.null, 95)),
    "quote_correlation": float(np.abs(quote.correlation).max()),
    "quote_null_95": float(np.percentile(quote.null, 95)),
    "matches_quoted": matches_quoted,
    "share_quoted": float(facts["quoted"][:, 100:].mean()),
    "name_unit_correlation": float(np.abs(found["inside a speaker's name"].correlation).max()),
    "name_unit_null_95": float(np.percentile(found["inside a speaker's name"].null, 95)),
}

# %% [markdown]
# Of the writing:

# %%
writing_figures = {
    "greedy_loop_characters": loop,
    "greedy_loop_start": loop_start,
    "greedy_nats_per_char": float(greedy_nats),
    "known_words_people": float(people),
    **{f"known_words_at_{temperature}": float(share) for temperature, share in shares.items()},
    "characters_per_second": compiled_speed,
    "characters_per_second_predict": loop_speed,
}

# %% [markdown]
# Of the memory, and of where the network wins:

# %%
memory_figures = {
    "carried_difference": carried_difference,
    "price_with_1_character": float(prices[0]),
    "price_beyond_the_clerk": beyond_clerk,
    "price_beyond_the_cut": beyond_cut,
    "price_of_emptying": thrown_away,
    "gradient_at_32": float(reach.median[min(32, len(reach.median) - 1)] / reach.median[1]),
    **{f"gain_{kind.replace(' ', '_')}": parts[kind] for kind in ("1st letter", "later letters", "line break")},
}

# %% [markdown]
# Those of the large network beside the clerks:

# %%
text_figures = {
    "baseline_valid_nats_per_char": float(counted.mean()),
    "baseline_order": best_order,
    "five_gram_nats_per_char": float(clerk_nats[5].mean()),
    "unigram_nats_per_char": float(clerk_nats[1].mean()),
    "averaged_nats_per_char": float(blend.mean()),
    "with_clerk_nats_per_char": float(both.mean()),
    "standard_error_naive": float(standard_error(seen[0], 1)),
    "standard_error_of_blocks": float(standard_error(seen[0], BLOCKS[-1])),
    "lead_standard_error": float(margin),
    "cut_by_chance_nats_per_char": float(by_chance),
    **({"published_valid_nats_per_char": PUBLISHED["minGRU"]} if real else {}),
}

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "minutes_per_model": float(np.mean([course.minutes[-1] for course in courses])),
    "source": text.source,
    "seeds": len(SEEDS),
    "valid_nats_per_char": float(means.mean()),
    "valid_nats_per_char_std": float(means.std()),
    **text_figures,
    **play_figures,
    **unit_figures,
    **writing_figures,
    **memory_figures,
}
results
