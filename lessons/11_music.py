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
# # 11. Music: right about the notes, wrong about the chords
#
# Two networks listen to Bach's chorales, one chord after the other. Before each chord, the first says of every key of the piano
# how probable it is. The second says which is the highest note; once it knows that one, which is the next below; and so on down
# to the bass. Both are then allowed to write.
#
# **Write down** three guesses. Which of the two finds Bach's next chord less surprising, and by how much? Of a hundred
# chords that each of them writes, how many did Bach ever write? And when the second one writes a tune of its own: does it
# break the rules of part writing, of which nobody ever told it, more often than Bach?
#
# **You will**
#
# - turn music into numbers, and see what a frame costs three players that know no music;
# - work out on two chords why a network that decides key by key cannot write either of them;
# - train both networks, and compare them in a currency in which they may be compared;
# - let the second one go on from an opening, and put three voices under a tune that you know;
# - hear what it wrote, save it as MIDI, and count its mistakes beside Bach's;
# - find units that follow the bass and the end of a phrase, in tunes of which every harmony is known, and hold one still.
#
# Minutes on two CPU cores: about five to run, an hour to read and listen.

# %% [markdown]
# ## Set-up
#
# In Colab the first cell installs the course beside the TensorFlow that is already there; on your own machine it only imports.

# %%
import keras

try:
    import rnn_course
except ImportError:
    # %pip install -q --no-deps "git+https://github.com/rnn-course/rnn_course@v0.1.0" mido
    import rnn_course
print(f"rnn_course {rnn_course.__version__}, Keras {keras.__version__}")

# %% [markdown]
# `SOURCE` names the tunes: `"jsb_chorales"` are Bach's, `"sample"` comes with the course and needs no network, `"auto"` takes
# the real ones where they can be had. `FAST` shrinks the run for tests.

# %% tags=["parameters"]
SOURCE = "auto"
FAST = False
SEEDS = (0, 1, 2)
SIZES = {"embedding": 256, "units": 256, "cell": "gru", "dropout": (0.1, 0.5)}
EPOCHS = {"key by key": 80, "note after note": 40}
TRAINING = {"batch": 16, "rate": 3e-3}
WRITTEN = 40  # tunes of each kind that are counted
FRAMES = 64  # their length
SMALL = {"embedding": 128, "units": 96, "hidden": 128}  # the network for the tunes of known harmony
SMALL_EPOCHS = 20

# %% [markdown]
# ## A chorale is a stack of four tunes
#
# The chorales have four voices, and one frame a quarter note. All of them were moved to one key, C major or C minor. A *roll* says
# which keys sound in a frame, a *voice* what one singer sings.

# %%
import time
from itertools import pairwise

import numpy as np

from rnn_course.data import load_chorales
from rnn_course.plots import plot_piano_roll

began = time.perf_counter()
data = load_chorales(SOURCE)
if FAST:
    SEEDS, WRITTEN, FRAMES, EPOCHS, SMALL_EPOCHS = SEEDS[:1], 2, 12, dict.fromkeys(EPOCHS, 1), 2
print(data)
shortest = int(np.argmin([len(roll) for roll in data.test.rolls]))
_ = plot_piano_roll(data.test.voices[shortest], title="Four tunes at once, and together they are chords")

# %% [markdown]
# Its first chord as numbers: keys of the piano, numbered as in MIDI, where 60 is the C in the middle. (These chorales are written
# higher than a choir sings; what we listen to below is moved down by an octave.)

# %%
from rnn_course.music import note_name

print("keys   ", np.flatnonzero(data.test.rolls[shortest][0]) + 21)
print("voices ", data.test.voices[shortest][0], *map(note_name, data.test.voices[shortest][0]))
sounding = np.concatenate([roll.sum(axis=1) for roll in data.train.rolls])  # (frames,)
for count in range(5):
    print(f"{count} keys sound in {np.mean(sounding == count):6.1%} of the frames")

# %% [markdown]
# ## What a chord costs
#
# Before each frame, a player says how probable every possible set of keys is; then the frame sounds, and the player pays the
# negative logarithm of what it gave to this one set. The unit is the nat. One who knows nothing and gives all sets of 88 keys the
# same pays 88 ln 2 = 61 nats. Everything below is this one number, on average over all frames of the test chorales.
#
# Two conventions are in use. The first frame of a tune can be foretold only from the frames of others, and some count it,
# some do not. We train on all, print both, and compare with published figures without it, as they were measured.

# %%
from rnn_course.frames import key_nats, pad_rolls, previous_frames

test_frames, test_mask = pad_rolls(data.test.rolls)  # (batch, time, keys), (batch, time)
without_first = test_mask & (np.arange(test_mask.shape[1]) > 0)


def nats_of(nats):
    """Nats a frame `(batch, time)`, averaged over the test: all frames, and all but the first of each tune."""
    return float(nats[test_mask].mean()), float(nats[without_first].mean())


print("coins:", nats_of(key_nats(np.zeros_like(test_frames), test_frames)))

# %% [markdown]
# ## Three players that know no music
#
# The first knows how often each key sounds. The second also knows whether it sounded a frame ago. The third expects every chord once more. **Guess** what they pay, and how often a chord of Bach's does stay.


# %%
def logit_table(train):
    """Logits `(2, keys)` of each key, by whether it sounded in the frame before; counts begin at one."""
    before, after = (np.concatenate([roll[part] for roll in train.rolls]) for part in (np.s_[:-1], np.s_[1:]))
    played = np.array([((before == was) & after).sum(axis=0) for was in (0, 1)]) + 1
    silent = np.array([((before == was) & ~after).sum(axis=0) for was in (0, 1)]) + 1
    return np.log(played / silent)


def logits_of_often(train):
    """Logits `(keys,)` of each key from how often it sounds."""
    often = np.concatenate(train.rolls)
    return np.log((often.sum(axis=0) + 1) / ((~often).sum(axis=0) + 1))


# %% [markdown]
# The third cannot be paid in nats: it is certain, and the first change would cost it infinitely much. What it gets is a share.

# %%
table, heard = logit_table(data.train), previous_frames(test_frames)
markov = np.where(heard > 0, table[1], table[0])  # (batch, time, keys)
markov[:, 0] = logits_of_often(data.train)
baselines = {
    "how often each key sounds": nats_of(key_nats(logits_of_often(data.train), test_frames)),
    "whether it sounded before": nats_of(key_nats(markov, test_frames)),
}
repeated = float((heard == test_frames).all(axis=-1)[without_first].mean())
for name, (every, later) in baselines.items():
    print(f"{name}: {every:.2f} nats a frame, {later:.2f} without first frames")
print(f"the chord stays: {repeated:.1%} of the frames")

# %% [markdown]
# ## Two chords, and six coins
#
# Before the networks, the whole problem on six keys. At some place in the music two chords are equally likely, C–E–G and D–F–A,
# and no other. A player that decides key by key can do no better than to give each of the six keys one half. **Guess** what it
# pays for the chord that comes, and how many of the chords that it draws are one of the two.

# %%
two = np.array([[1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1]])  # C D E F G A
coins = key_nats(np.zeros(6), two)  # (chords,)
drawn = np.random.default_rng(0).random((100_000, 6)) < 0.5
right = (drawn[:, None] == two).all(axis=-1).any(axis=-1)
print(f"key by key: {coins[0]:.2f} nats; of what it draws, {right.mean():.1%} is one of the two chords")
print(f"the top note first: {np.log(2):.2f} nats for it, 0 for the others, which follow from it")

# %% [markdown]
# Right about every note, and of thirty-two chords that it draws thirty-one are ones that nobody plays. No training can mend
# that: the best numbers for single keys *are* one half. The other way is the chain rule of probability. Choose the highest
# key first; given that one, choose the next; and multiply:
#
# p(G, E, C) = p(G) · p(E | G) · p(C | G, E)
#
# Nothing is assumed here, so the product is the probability of the whole chord, and its negative logarithm is in the same
# currency as before: both say what one set of keys costs. (For that, each set must have exactly one list: from above, ended by "no
# further key". The layer `FallingChoices` rules out all others.)

# %%
from rnn_course.frames import choice_nats, list_choices

SLOTS = int(max(frame.sum(axis=1).max() for split in data[:3] for frame in split.rolls))  # keys in the fullest frame
print("a frame as choices:", list_choices(data.test.rolls[shortest][0], slots=SLOTS), "(0 says: no further key)")

# %% [markdown]
# ## Two networks with the same memory
#
# Both listen with the same recurrent layer. The first has a logit for each key. The second adds to its memory the keys that were
# chosen already, and asks the same small network for each choice.

# %%
from functools import partial

from rnn_course.models import build_frame_model, build_voice_model

builders = {
    "key by key": partial(build_frame_model, **SIZES),
    "note after note": partial(build_voice_model, slots=SLOTS, **SIZES),
}
for name, build in builders.items():
    print(f"{name:16} {build().count_params():9,} weights")

# %% [markdown]
# ## Training
#
# Tunes of similar length share a batch, so that little is padding. What a network is asked for in a frame is what follows; what
# it has heard is one frame less.


# %%
def arrays_of(rolls, slots=None, length=None):
    """What a network is given, what it is asked for, and the mask (batch, time); choices where there are slots."""
    frames, mask = pad_rolls(rolls, length=length)
    heard = previous_frames(frames)
    if slots is None:
        return heard, frames, mask
    choices = list_choices(frames, slots=slots)
    return [heard, choices], choices, mask


# %% [markdown]
# A batch that is not full takes some of its tunes twice, so that all batches have one size.


# %%
def batches_of(rolls, slots, size, rng):
    """Deal tunes to batches of similar length; yield these in random order, as `arrays_of` makes them."""
    lengths = np.array([len(roll) for roll in rolls])
    widths, parts = np.unique(np.quantile(lengths, [0.25, 0.5, 0.75, 1], method="higher")), []
    for shorter, width in pairwise((0, *widths)):
        rows = rng.permutation(np.flatnonzero((lengths > shorter) & (lengths <= width)))
        rows = np.resize(rows, -(-len(rows) // size) * size)
        parts += [(rows[at : at + size], width) for at in range(0, len(rows), size)]
    for place in rng.permutation(len(parts)):
        rows, width = parts[place]
        yield arrays_of([rolls[row] for row in rows], slots, width)


# %% [markdown]
# The loss is what a frame costs.


# %%
from keras import ops


def cost_of_keys(frames, logits):
    """What each frame costs, (batch, time), in nats; both are (batch, time, keys)."""
    return ops.sum(ops.softplus(logits) - ops.cast(frames, logits.dtype) * logits, axis=-1)


def cost_of_choices(choices, logits):
    """The same for choices (batch, time, slots) and logits (batch, time, slots, 1 + keys)."""
    return ops.sum(keras.losses.sparse_categorical_crossentropy(choices, logits, from_logits=True), axis=-1)


# %% [markdown]
# One recipe for both: the learning rate rises for a while and falls along a cosine.


# %%
def compiled(model, updates, rate):
    """The model, ready for so many updates."""
    rise = min(100, updates // 5)
    options = {"alpha": 0.02, "warmup_target": rate, "warmup_steps": rise}
    falling = keras.optimizers.schedules.CosineDecay(rate / 20, updates - rise, **options)
    optimizer = keras.optimizers.AdamW(falling, weight_decay=1e-3, beta_2=0.98, global_clipnorm=1.0)
    loss = cost_of_choices if len(model.inputs) == 2 else cost_of_keys
    model.compile(optimizer, loss, jit_compile=False)  # compiled, drawing the dropout takes several times as long
    return model


# %% [markdown]
# What a network pays for tunes that it does not learn from:


# %%
def paid(model, rolls):
    """What each frame of some tunes costs a network, (batch, time), and the mask."""
    slots = model.inputs[1].shape[-1] if len(model.inputs) == 2 else None
    given, asked, mask = arrays_of(rolls, slots)
    logits = model.predict_on_batch(given)
    return (key_nats if slots is None else choice_nats)(logits, asked), mask


# %% [markdown]
# Each kind is trained from several starts. For another seed the same compiled network is given new weights.


# %%
def start_anew(model, build, seed):
    """Give the model new weights, and let its optimizer forget."""
    keras.utils.set_random_seed(seed)
    model.set_weights(build().get_weights())
    for variable in model.optimizer.variables:
        variable.assign(ops.zeros_like(variable))


# %% [markdown]
# And a line of progress. The clock stands still while the network is asked what it pays for tunes that it does not learn from.


# %%
def learn(model, tunes, asked, *, seed, epochs, batch):
    """Train; return minutes and nats a frame on the tunes `asked`, at every tenth of the way, (points,) each."""
    minutes, course, rng = 0.0, [], np.random.default_rng(seed)
    slots = model.inputs[1].shape[-1] if len(model.inputs) == 2 else None
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        for given, wanted, mask in batches_of(tunes.rolls, slots, batch, rng):
            model.train_on_batch(given, wanted, sample_weight=mask.astype("float32"))
        minutes += (time.perf_counter() - started) / 60
        if epoch % max(1, epochs // 10) == 0:
            nats, mask = paid(model, asked.rolls)
            course.append((minutes, nats[mask].mean()))
    print(f"seed {seed}: {course[0][1]:.2f} → {course[-1][1]:.2f} nats a frame on valid, {minutes:.1f} minutes")
    return np.transpose(course)


# %% [markdown]
# Six networks, three of each kind:

# %%
models, trained, courses = {}, {}, {}
per_epoch = sum(1 for _ in batches_of(data.train.rolls, None, TRAINING["batch"], np.random.default_rng(0)))
for name, build in builders.items():
    print(name)
    keras.utils.set_random_seed(SEEDS[0])  # the model keeps a seed for its dropout
    models[name] = compiled(build(), EPOCHS[name] * per_epoch, TRAINING["rate"])
    courses[name], trained[name] = [], []
    for seed in SEEDS:
        start_anew(models[name], build, seed)
        options = {"seed": seed, "epochs": EPOCHS[name], "batch": TRAINING["batch"]}
        courses[name].append(learn(models[name], data.train, data.valid, **options))
        trained[name].append(models[name].get_weights())

# %% [markdown]
# Both curves are in nats a frame of the same chorales.

# %%
from rnn_course.plots import plot_against_minutes

_ = plot_against_minutes(
    {name: tuple(np.stack(several, axis=1)) for name, several in courses.items()},
    quantity="nats a frame (valid)",
    title="Note after note begins below where key by key ends",
)

# %% [markdown]
# ## The result, held out
#
# **Look at your first guess.** The published figures were measured on the same chorales, in the same split: for single keys by
# Bai et al. (2018), without first frames; note after note by Boulanger-Lewandowski et al. (2012), with them.

# %%
from rnn_course.plots import plot_scores

PUBLISHED = {"LSTM": 8.45, "GRU": 8.43, "TCN": 8.10}
PUBLISHED_JOINT = 5.56  # RNN-NADE
spent = {name: [] for name in models}
for name, several in trained.items():
    for weights in several:
        models[name].set_weights(weights)
        spent[name].append(nats_of(paid(models[name], data.test.rolls)[0]))
spent = {name: np.array(several) for name, several in spent.items()}  # (seeds, 2)
for name, several in spent.items():
    (every, later), (_, spread) = several.mean(axis=0), several.std(axis=0)
    print(f"{name:16} {later:.2f} ± {spread:.2f} nats a frame without first frames, {every:.2f} with them")

# %% [markdown]
# Every dot is a seed; the dotted lines are the published figures.

# %%
_ = plot_scores(
    {name: several[:, 1] for name, several in spent.items()},
    baseline={name: later for name, (_, later) in baselines.items()},
    published={"GRU": PUBLISHED["GRU"], "RNN-NADE, with them": PUBLISHED_JOINT} if data.source != "sample" else None,
    quantity="nats a frame on test chorales, without first frames",
    value_format=".2f",
    title="The same memory, and a chord for three nats less",
)

# %% [markdown]
# Nats say how surprised a network is. How often is it right? We let each of them name the keys that it finds likeliest, and count
# the notes: of those that it named or Bach wrote, which share is in both (Bay et al. 2009)? The first one names the keys above one
# half; the second names its likeliest note, and goes on from that one, right or wrong.


# %%
def guess_of(model, given):
    """The keys that a network finds likeliest, (batch, time, keys) bool."""
    if len(model.inputs) == 1:
        return model.predict_on_batch(given) > 0
    heard, choices = given[0], np.zeros_like(given[1])
    for slot in range(choices.shape[-1]):
        choices[..., slot] = model.predict_on_batch([heard, choices])[..., slot, :].argmax(axis=-1)
    return press_choices(choices, keys=heard.shape[-1])


def accuracy_of(guess):
    """Notes in both, as a share of the notes in either, over the test without first frames."""
    wanted = test_frames[without_first] > 0
    return float((guess[without_first] & wanted).sum() / (guess[without_first] | wanted).sum())


# %% [markdown]
# The chord once more, our third player, is asked as well.

# %%
from rnn_course.frames import press_choices

accuracies = {"the chord once more": accuracy_of(heard > 0)}
for name, model in models.items():
    model.set_weights(trained[name][0])
    accuracies[name] = accuracy_of(
        guess_of(model, arrays_of(data.test.rolls, SLOTS if len(model.inputs) == 2 else None)[0])
    )
for name, share in accuracies.items():
    print(f"{name:20} {share:.1%} of the notes")

# %% [markdown]
# ## The highest note is dearest, the lowest cheapest, and none is free
#
# What the second network pays can be taken apart, note by note from above. **Guess** which of the four notes costs most, and
# what the alto costs once the soprano is known.

# %%
from rnn_course.plots import plot_breakdown

by_slot = []
given, asked, mask = arrays_of(data.test.rolls, SLOTS)
for weights in trained["note after note"]:
    models["note after note"].set_weights(weights)
    logits = models["note after note"].predict_on_batch(given)
    each = [choice_nats(logits[..., [slot], :], asked[..., [slot]])[mask].mean() for slot in range(SLOTS)]
    by_slot.append(each)
_ = plot_breakdown(
    {"note after note": np.array(by_slot)},
    groups=["highest", "second", "third", "lowest"] if SLOTS == 4 else range(1, SLOTS + 1),
    x="note of the chord, from above",
    y="nats a frame",
    title="The highest note is dearest, the lowest cheapest, none is free",
)

# %% [markdown]
# The lowest note costs three quarters of what the highest does. So the notes above tell something about the bass, and by far
# not all: it does not follow from them.
#
# ## Ask both for one chord
#
# Now they must choose. Before every frame of the test chorales, with all of Bach's frames before it in memory, each network
# draws the next chord: the first throws a coin for each key, the second draws note after note. **Look at your second
# guess.** A chord counts as known if Bach wrote the very same keys anywhere in train. (Bach's own test chords are counted
# in the same way.)

# %%
from rnn_course.decoding import sample


def drawn_keys(model, heard, rng):
    """A frame for each that is to come, drawn key by key: (batch, time, keys) bool."""
    return rng.random(heard.shape) < 1 / (1 + np.exp(-model.predict_on_batch(heard)))


def drawn_notes(model, heard, rng):
    """The same, drawn note after note from above."""
    choices = np.zeros((*heard.shape[:2], SLOTS), "int32")
    for slot in range(SLOTS):
        logits = model.predict_on_batch([heard, choices])[..., slot, :]
        choices[..., slot] = sample(logits, rng=rng)
    return press_choices(choices, keys=heard.shape[-1])


# %% [markdown]
# We also count frames with a dissonance (a second, a seventh or a tritone between any two notes): Bach uses them with care.

# %%
from rnn_course.data import to_voices
from rnn_course.music import part_writing

rng = np.random.default_rng(0)
chords = {
    "Bach": test_frames[without_first] > 0,
    "key by key": drawn_keys(models["key by key"], heard, rng)[without_first],
    "note after note": drawn_notes(models["note after note"], heard, rng)[without_first],
}
bach_wrote = {frame.tobytes() for roll in data.train.rolls for frame in roll}
known, full, harsh = ({} for _ in range(3))
for name, frames in chords.items():  # (frames, keys)
    known[name] = float(np.mean([frame.tobytes() in bach_wrote for frame in frames]))
    full[name] = float(np.mean(frames.sum(axis=1) == SLOTS))
    harsh[name] = part_writing(to_voices(frames, voices=SLOTS)).dissonances / 100
    print(f"{name:16} known {known[name]:.0%}  of four keys {full[name]:.0%}  with a dissonance {harsh[name]:.0%}")

# %% [markdown]
# A picture of what the first one is asked to do: the probabilities that it gives to the keys of one chorale, and white dots on the keys
# that Bach chose.

# %%
frames = len(data.test.rolls[shortest])
chances = 1 / (1 + np.exp(-models["key by key"].predict_on_batch(heard[shortest : shortest + 1])[0, :frames]))
_ = plot_piano_roll(
    data.test.rolls[shortest], probabilities=chances, title="Many keys are possible, and a coin decides on each"
)

# %% [markdown]
# Right about every note, wrong about most chords: of those that the coins make, four in five are in none of the training
# chorales, three in four do not have four notes, and more than half clash. This network is no failure. It foretells Bach's
# notes better than the published GRU of its kind, and the numbers in the picture are good numbers. What is missing is not
# in any of them: that C goes with E and with G, and not with D. The second network has the same memory, but each note knows
# those above it, and two of its chords in three are known.
#
# ## It goes on by itself
#
# `Composer` writes with the second network. We give it an opening of our own, four chords, and the ranges that the voices keep
# in Bach's chorales; it draws note after note, and hears what it drew. A *temperature* below 1 makes the likely likelier, and *top-p* draws
# only from the smallest set of notes that holds the share p of the probability (lesson 05).

# %%
from rnn_course.composition import Composer
from rnn_course.data import to_roll

everything = np.concatenate(data.train.voices)  # (frames, voices)
ranges = [(voice[voice > 0].min(), voice[voice > 0].max()) for voice in everything.T]
OPENING = to_roll(np.array([[76, 72, 67, 60], [77, 72, 69, 65], [74, 71, 67, 55], [76, 72, 67, 60]]))
print("voices from", *(f"{note_name(low)} to {note_name(high)}" for low, high in ranges))
composer = Composer(models["note after note"])
tunes = {}
for name, options in (("note after note", {}), ("… top-p 0.9", {"top_p": 0.9})):
    tunes[name] = composer.compose(
        OPENING, frames=FRAMES, count=WRITTEN, ranges=ranges, rng=np.random.default_rng(1), **options
    )

# %% [markdown]
# One of the tunes, drawn with top-p. Do not take the best of many; take the first.

# %%
from rnn_course.music import listen

piece = to_voices(tunes["… top-p 0.9"][0].roll[:32], unisons=True)
_ = plot_piano_roll(piece, title="After four given chords the network writes on its own")
listen(piece - 12 * (piece > 0), rate=4000, title="A tune that nobody wrote (an octave lower)")

# %% [markdown]
# ## Its mistakes, and Bach's
#
# Students of part writing learn what not to do: two voices that move from a fifth to a fifth, or from an octave to an octave, melt
# into one. Nobody told the network. **Look at your third guess**, then at the table. For the first network we let it write, too: it
# throws its coins, hears what fell, and goes on.

# %%
from rnn_course.streaming import Stream


def written_by_coins(model, frames, count, rng):
    """Tunes of the key-by-key network, which hears what it drew: (count, frames, keys) bool."""
    stream = Stream(model)
    state, heard, rolls = stream.initial_state(count), np.zeros((count, model.input_shape[-1]), "float32"), []
    for frame in range(frames):
        logits, state = stream.step(heard, state)
        drawn = rng.random(heard.shape) < 1 / (1 + np.exp(-logits))
        drawn = np.broadcast_to(OPENING[frame], drawn.shape) if frame < len(OPENING) else drawn
        rolls.append(drawn)
        heard = drawn.astype("float32")
    return np.stack(rolls, axis=1)


# %% [markdown]
# All are counted in the same way: the keys dealt out to voices from above, without the opening.

# %%
coins = written_by_coins(models["key by key"], FRAMES, WRITTEN, np.random.default_rng(1))
written = {
    "Bach (test)": data.test.voices,
    **{
        name: [to_voices(tune.roll[len(OPENING) :], unisons=True) for tune in several]
        for name, several in tunes.items()
    },
    "key by key": [to_voices(roll[len(OPENING) :], unisons=True) for roll in coins],
}

# %% [markdown]
# Fifths and octaves are pairs of voices per hundred frames; dissonances are frames in a hundred.

# %%
counted = {name: part_writing(voices) for name, voices in written.items()}
print(f"{'per 100 frames':18} fifths  octaves  dissonances  frames")
for name, found in counted.items():
    print(
        f"{name:18} {found.parallel_fifths:6.2f}  {found.parallel_octaves:7.2f}  {found.dissonances:11.1f}"
        f"  {found.frames:6,}"
    )

# %% [markdown]
# How large is chance here? The standard error of each rate, the tunes being independent draws. And is it that the network, left alone, strays
# from what it has learned? For that we also count the chords that it drew one by one, each after Bach's own.

# %%
errors = {}
for name, voices in written.items():
    rates = np.array([part_writing(tune).parallel_fifths + part_writing(tune).parallel_octaves for tune in voices])
    weights = np.array([len(tune) for tune in voices]) / np.mean([len(tune) for tune in voices])
    errors[name] = float(np.std(weights * (rates - np.average(rates, weights=weights))) / np.sqrt(len(rates)))
    print(f"{name:18} fifths and octaves together {np.average(rates, weights=weights):.2f} ± {errors[name]:.2f}")

# %% [markdown]
# Of the chords after Bach's own (each pair of frames a tune of two):

# %%
after_bach = {}
for name, frames in chords.items():
    pairs = np.stack([heard[without_first] > 0, frames], axis=1)  # (frames, 2, keys)
    found = part_writing([to_voices(pair, unisons=True) for pair in pairs])
    after_bach[name] = 2 * (found.parallel_fifths + found.parallel_octaves)  # a pair has two frames, one of them new
    print(f"{name:16} fifths and octaves together {after_bach[name]:.2f}")

# %% [markdown]
# Now look at what likelihood hides. The second network foretells Bach's chords better than any published figure in this
# lesson, and it moves in parallel fifths and octaves about six times as often as he does. It does not stray into them:
# right after a chord of Bach's own it does the same. Drawing only the likely notes (top-p) brings the dissonances down to
# Bach's; the parallels become no fewer. The rule is about two voices and two frames at once, four notes, and Bach breaks it
# fewer than three times in a hundred frames: to ignore it may cost the network little in nats. (That the first network has
# fewer is no merit: most of what it writes is no chord.) A figure of likelihood says how surprised a network is by Bach.
# Whether you would let it write is another question, and wants a count of its own.
#
# ## Three voices under a tune that you know
#
# The network chooses from above, so the highest voice can be given and the other three asked for. The melody is Beethoven's, from the
# Ninth Symphony; each number is a quarter note. We let it write twenty harmonies and keep the one that it finds likeliest.

# %%
E, F, G, D, C = 76, 77, 79, 74, 72
JOY = [E, E, F, G, G, F, E, D, C, C, D, E, E, D, D, D, E, E, F, G, G, F, E, D, C, C, D, E, D, C, C, C]
several = composer.compose(
    frames=len(JOY), melody=JOY, count=20, top_p=0.9, ranges=ranges, rng=np.random.default_rng(2)
)
best = min(several, key=lambda tune: tune.nats.sum())
print(
    "nats a frame of the twenty:",
    *(f"{tune.nats.mean():.1f}" for tune in sorted(several, key=lambda tune: tune.nats.sum())),
)
harmony = to_voices(best.roll, unisons=True)
_ = plot_piano_roll(harmony, title="Given the soprano, the network adds alto, tenor and bass")

# %% [markdown]
# Listen before you read on.

# %%
listen(harmony - 12 * (harmony > 0), rate=4000, title="Beethoven's melody, the network's harmony")

# %% [markdown]
# We find the harmony plausible: it moves from chord to chord as chorales do, and closes. Whether you do is for your ears to
# say. It is also one of twenty, the one that the network itself finds likeliest. Change the random numbers, or write down a
# melody that you like; in the range of a soprano of this collection, 67 to 96, and in C.
#
# Both are files as well, for a program that prints notes or for a better instrument than ours. `read_midi` reads them back, and reads
# yours: give it a folder.

# %%
from rnn_course.data import read_midi
from rnn_course.music import write_midi

write_midi(harmony, "joy.mid", beats_per_minute=100)
again = read_midi("joy.mid", step=1, unisons=True)
print(again, "the same keys:", bool((again.tunes.rolls[0] == best.roll).all()))

# %% [markdown]
# ## How much of the past is a chord worth?
#
# Bach's phrases are eight or so chords long. How far back does a network listen? Two answers that need not agree. First an
# intervention: forget all but the last few frames, and see what a chord costs. **Guess** from which number on more past does not
# help.


# %%
PASTS = (1, 2, 4, 8) if data.source == "sample" else (1, 2, 4, 8, 16, 32)
choose = models["note after note"]


def paid_with_past(length):
    """Nats a frame of test frames with at least PASTS[-1] before them, of which `length` are known."""
    places = [(roll, frame) for roll in data.test.rolls for frame in range(PASTS[-1], len(roll))]
    heard = np.stack([roll[frame - length : frame] for roll, frame in places]).astype("float32")
    wanted = list_choices(np.stack([roll[frame] for roll, frame in places]), slots=SLOTS)  # (frames, slots)
    logits = choose.predict([heard, np.repeat(wanted[:, None], length, axis=1)], batch_size=256, verbose=0)
    return float(choice_nats(logits[:, -1], wanted).mean())


# %% [markdown]
# The test frames that have enough past for all of these:

# %%
worth = [paid_with_past(length) for length in PASTS]
_ = plot_breakdown(
    {"note after note": worth},
    groups=PASTS,
    x="frames known",
    y="nats a frame (test)",
    title="Most of what the past is worth lies in the last eight chords",
)

# %% [markdown]
# One frame more than the last is worth a third of a nat; after sixteen there is nearly nothing to be gained. (The network
# has never begun in the middle of a tune, so a part of the cost may be that it does not know how far the tune has come.)
#
# Then the gradient, through every later step of the recurrence: how strongly does what a chord costs depend on the state so many frames
# before? At the last chord of each chorale, the one cadence of which we can be sure, and at the chord in its middle.

# %%
from rnn_course.plots import plot_gradient_flow
from rnn_course.probes import gradient_flow

given, asked, mask = arrays_of(data.test.rolls, SLOTS)
lengths, steps = mask.sum(axis=1), np.arange(mask.shape[1])
REACH = min(24, int(lengths.max()) // 3)  # frames


def norms_before(place):
    """Size of the gradient at every frame, the loss being what the frame at `place` (batch,) costs: (batch, time)."""
    here = (steps == place[:, None]).astype("float32")  # (batch, time)

    def cost(choices, logits):
        return cost_of_choices(choices, logits) * here

    return gradient_flow(choose, given, asked, SIZES["cell"], loss=cost).norm()


# %% [markdown]
# Chorales in which there are so many frames before the one that is asked about; the band holds eight tenths of them.

# %%
norms = {}
for name, place in (("at the last chord", lengths - 1), ("in the middle", lengths // 2)):
    rows = zip(norms_before(place), place, strict=True)
    norms[name] = np.array([row[end - REACH : end + 1] for row, end in rows if end >= REACH])  # (tunes, 1 + REACH)
axes = plot_gradient_flow(norms, against="lag", title="At the last chord the gradient falls more slowly")
axes.set_xlabel("frames before the chord asked about")
profiles = {name: np.median(rows, axis=0)[::-1] for name, rows in norms.items()}
for name, median in profiles.items():
    print(f"{name}: of the gradient one frame back, {median[8] / median[1]:.1%} are left eight frames back")

# %% [markdown]
# At the last chord the gradient falls more slowly: eight frames back it is still seven tenths of what it is one frame back, in the
# middle of a tune less than half. That would fit a network that must know how far the phrase has come to know that this is its end; we
# have not tested it. And in both the gradient reaches further than the intervention says it pays: that the network *could* be moved by a frame long ago does not mean that
# it foretells better for it.
#
# ## Does a unit know major from minor?
#
# Bach left no notes about his harmony. So we turn to chorales of which everything is known: the course's own grammar writes as many as
# we like, with key, chord and phrase of every frame. A smaller network learns them, all moved to C as Bach's were, from the
# keys alone.

# %%
from rnn_course.data import Tunes, make_chorales


def in_c(tunes):
    """The same tunes, each moved by at most six semitones so that it begins in C."""
    moved = [tunes.at([i]).transposed(-((truth.tonic[0] + 5) % 12 - 5)) for i, truth in enumerate(tunes.truth)]
    return Tunes(*(sum(parts, ()) for parts in zip(*moved, strict=True)))


sample_tunes = load_chorales("sample")
known_train, known_valid, known_test = map(in_c, (make_chorales(40 if FAST else 800, seed=1), *sample_tunes[1:3]))
voices = known_test.voices[0].shape[1]
build_small = partial(build_voice_model, slots=voices, **SMALL)
per_epoch = sum(1 for _ in batches_of(known_train.rolls, voices, TRAINING["batch"], np.random.default_rng(0)))
small = compiled(build_small(), SMALL_EPOCHS * per_epoch, TRAINING["rate"])
start_anew(small, build_small, 0)
_ = learn(small, known_train, known_valid, seed=0, epochs=SMALL_EPOCHS, batch=TRAINING["batch"])

# %% [markdown]
# Then we ask each unit how closely it follows a concept on test tunes, and how closely the best of so many units would by chance (the
# concept of another tune). The state before a frame has heard the frames up to the one before: we ask about what it has heard
# (the last bass note), and about what it can only foresee (whether the next frame belongs to a cadence, dominant and tonic).

# %%
from rnn_course.probes import trace, unit_concept_correlation

given, asked, mask = arrays_of(known_test.rolls, voices)
states, truth = trace(small, given, "gru").hidden, known_test.truth  # (batch, time, units)


def in_time(rows):
    """One number a frame for each tune, as an array (batch, time)."""
    return np.array([np.pad(np.asarray(row, float), (0, mask.shape[1] - len(row))) for row in rows])


concepts = {
    "the last bass note": in_time([np.r_[tune[0, -1], tune[:-1, -1]] for tune in known_test.voices]),
    "a cadence comes": in_time([each.cadence for each in truth]),
    "a minor key": in_time([each.minor for each in truth]),
}

# %% [markdown]
# Correlations of the best unit, and what the best would reach by chance (in 95 of 100 shuffles):

# %%
follow = {}
for name, concept in concepts.items():
    follow[name] = unit_concept_correlation(states, concept, mask=mask, permutations=200, rng=np.random.default_rng(0))
    found, chance = follow[name], np.percentile(np.abs(follow[name].null), 95)
    print(f"{name:20} unit {found.best:3}: r = {found.correlation[found.best]:+.2f}, by chance up to {chance:.2f}")

# %% [markdown]
# Nobody told it about basses, cadences or keys, and there are units that follow each, more than twice as closely as chance
# would. One test tune, with three of them under it; gray frames are cadences, the black line at the foot is minor; it was told of neither:

# %%
from rnn_course.plots import plot_roll_with_activity

tune = max(range(len(truth)), key=lambda index: (len(set(truth[index].minor)), truth[index].cadence.sum()))
length = len(truth[tune].minor)
shown = ("the last bass note", "a cadence comes", "a minor key")
axes = plot_roll_with_activity(
    known_test.voices[tune],
    states[tune, :length][:, [follow[name].best for name in shown]],
    unit_labels=[f"{follow[name].best}: {word}" for name, word in zip(shown, ("bass", "cadence", "mode"), strict=True)],
    title="Three units: the bass, the coming cadence, major or minor",
)
for frame in range(length):
    if truth[tune].cadence[frame]:
        axes[0].axvspan(frame, frame + 1, color="0.9", zorder=0)
    if truth[tune].minor[frame]:
        axes[1].axvspan(frame, frame + 1, ymax=0.03, color="black", zorder=3)

# %% [markdown]
# Look at the third unit where the black line is broken. There the tune has gone from C minor to E flat major, which has the same three
# flats; and the unit does not turn round, it goes further the same way. What it follows may be the flats, which in these tunes
# nearly always mean minor. A correlation does not tell the two apart.
#
# ## Hold a few units, and major turns into minor
#
# That a unit follows something does not mean that it is used. So we let the small network write from a chord of C major, and hold
# the units that follow the mode at the values that they have, on average, in minor; all else is free, and the random numbers are
# the same. In C minor there is an E flat where C major has an E, so we count: of all E and E flat, which share is flat? **Guess** how many of
# the 96 units must be held. As a control, as many units that do not follow the mode are held in the same way.

# %%
minor = concepts["a minor key"].astype(bool)
in_minor = states[mask & minor].mean(axis=0)  # (units,)
by_strength = np.argsort(-np.abs(follow["a minor key"].correlation))
small_composer, COUNTS = Composer(small), (0, 1, 2, 4, 8)
major_chord = to_roll(np.array([[72, 67, 64, 48]] * 2))

# %% [markdown]
# What is written while units are held, and how to count it:


# %%
def held_tunes(composer, opening, units, values, count=WRITTEN):
    """Tunes of 34 frames, written while some units are held at values (units,)."""
    hold = {int(unit): float(values[unit]) for unit in units}
    return composer.compose(opening, frames=34, count=count, hold=hold, rng=np.random.default_rng(0))


def flat_and_natural(roll):
    """How often E flat and E sound in a roll (time, keys), in any octave: two numbers."""
    pitch_class = (21 + np.arange(roll.shape[1])) % 12  # 0 is C
    return np.array([roll[:, pitch_class == 3].sum(), roll[:, pitch_class == 4].sum()])


def share_of_flats(several):
    """Of all E and E flat that were written, the share that is flat."""
    flat, natural = sum(flat_and_natural(tune.roll[tune.opening :]) for tune in several)
    return float(flat / max(1, flat + natural))


# %% [markdown]
# The network's units, most faithful to the mode first; and others, from the thirty that follow it least.

# %%
by_units = {}
for name, order in (("units of the mode", by_strength), ("other units", by_strength[-30:])):
    several = [held_tunes(small_composer, major_chord, order[:count], in_minor) for count in COUNTS]
    by_units[name] = list(map(share_of_flats, several))
_ = plot_breakdown(
    by_units,
    groups=COUNTS,
    x=f"units held at their value in minor, of {SMALL['units']}",
    y="share of E that is flat",
    title="A few units decide between major and minor",
)

# %% [markdown]
# Hear it: the same opening, the same random numbers. Sixteen beats free, then sixteen with the first four units held.

# %%
free, turned = (
    to_voices(held_tunes(small_composer, major_chord, by_strength[:count], in_minor, 1)[0].roll[:16])
    for count in (0, 4)
)
listen(np.concatenate([free, turned]), rate=4000, title="Free, in major; then with four units held")

# %% [markdown]
# Four or eight units of 96, held, and the network that began in C major writes E flat far more often than E. It is not that
# anything held would do it: as many other units, held at *their* values in minor, change next to nothing. One unit alone,
# however well it follows the mode, is not enough; the mode is carried by several.
#
# ## And in the network that learned from Bach?
#
# There, nobody says which frame is in minor. But a chorale that has more E flat than E is; that is enough of a label to look for
# units, on chorales that the network has not learned from, and to try whether they decide.

# %%
given, asked, mask = arrays_of(data.test.rolls, SLOTS)
hidden = trace(choose, given, SIZES["cell"]).hidden  # (batch, time, units)
flats = np.array([(flat_and_natural(roll) @ [1, -1]) > 0 for roll in data.test.rolls])
dark = np.broadcast_to(flats[:, None], mask.shape)
of_bach = unit_concept_correlation(hidden, dark, mask=mask, permutations=200, rng=np.random.default_rng(0))
bach_minor = hidden[mask & dark].mean(axis=0)
strongest = np.argsort(-np.abs(of_bach.correlation))
found, chance = of_bach.correlation[of_bach.best], np.percentile(np.abs(of_bach.null), 95)
print(
    f"{flats.sum()} of {len(flats)} test chorales in minor; unit {of_bach.best}: r = {found:+.2f}, by chance {chance:.2f}"
)

# %% [markdown]
# Held, from the opening of before; as a control, units from the half that follows the mode least:

# %%
bach_shares = {}
for name, order in (("units of the mode", strongest), ("other units", strongest[len(strongest) // 2 :])):
    for count in (0, 4, 16, 64):
        bach_shares[name, count] = share_of_flats(held_tunes(composer, OPENING, order[:count], bach_minor))
        print(f"{count:2} {name} of {hidden.shape[-1]} held: {bach_shares[name, count]:.0%} of E are flat")

# %% [markdown]
# A unit that tells minor from major is here, too, and units that, held, turn C major into C minor in the middle of a tune.
# But it takes more of them: with four, most of the E are still natural.
#
# ## Your own tunes
#
# A folder of MIDI files becomes tunes with `read_midi`, and `split_tunes` deals them out so that no tune is in two splits, not even in
# another key. What the networks need to know about a collection is how many keys sound at once; ranges and lengths may be any.

# %%
from pathlib import Path

from rnn_course.data import split_tunes

Path("mine").mkdir(exist_ok=True)
for number, tune in enumerate(tunes["… top-p 0.9"][:10]):
    write_midi(to_voices(tune.roll, unisons=True), f"mine/{number}.mid")
mine = read_midi("mine", step=1, unisons=True).tunes
parts = split_tunes(mine, valid=0.2, test=0.2) if len(mine.rolls) > 2 else (mine,)
print("train, valid and test:", *parts)

# %% [markdown]
# ## Exercises
#
# Everything below stands on its own; a wrong answer breaks nothing. `check` looks at your answer, `exercises.q1.hint()` helps,
# `exercises.q1.solution()` shows one and says why.
#
# ### Exercise 1 · 10 minutes
#
# Write `frame_nll(logits, targets)`: one number, the negative log-likelihood in nats, summed over the keys of a frame and averaged
# over the frames. Both are `(time, keys)`; a target is 1 where the key sounds, else 0. Logits may be as large as 5000.


# %%
from rnn_course.exercises import music as exercises


def frame_nll(logits, targets): ...


exercises.q1.check(frame_nll)

# %% [markdown]
# ### Exercise 2 · 10 minutes
#
# A tune in another key is another true example. Write `transpositions(roll, shifts)`: the list of the tunes that you get by moving
# `roll`, `(time, keys)` bool, up by each shift, without those that would move a note off the keyboard. (For these chorales it does
# not pay: all are in C, and so is the test. For yours it may.)


# %%
def transpositions(roll, shifts): ...


exercises.q2.check(transpositions)

# %% [markdown]
# ### Exercise 3 · 5 minutes
#
# The chain rule on three voices: write `chord_probability(soprano, alto, bass, chord)` for a chord of three note indices.
# `soprano[i]` is the probability of note i, `alto[i, j]` that of note j given i, `bass[i, j, k]` that of note k given both.


# %%
def chord_probability(soprano, alto, bass, chord): ...


exercises.q3.check(chord_probability)

# %% [markdown]
# ### Exercise 4 · 10 minutes
#
# Write `fifths_in_parallel(upper, lower)`: the frames at which a parallel fifth ends, a list of ints. Both voices are `(time,)`
# arrays of MIDI numbers, 0 for a rest.


# %%
def fifths_in_parallel(upper, lower): ...


exercises.q4.check(fifths_in_parallel)

# %% [markdown]
# ### Exercise 5 · 5 minutes
#
# Predict before you compute: six frames in ten are the chord C–E–G and four are D–F–A. A network has learned exactly how often
# each of the six keys sounds, and draws each by itself. Which `share` of its frames is one of the two chords?

# %%
share = ...
exercises.q5.check(share)

# %% [markdown]
# ## You have seen
#
# - A chord is a set of keys. To decide key by key can be right about each of them and wrong about all together; the chain rule mends that
#   without assuming anything, and both are paid in the same currency.
# - With equal memory, a network that knows the notes above pays three nats less for a chord. All that the first network
#   knows beyond a table of single keys is worth two.
# - Likelihood is one thing. The network that foretells Bach best breaks a rule of his about six times as often as he does,
#   and a sharper draw does not mend it. Count what you care about.
# - What the past is worth and how far back the gradient reaches are two questions with two answers.
# - There are units for the bass, the cadence and the mode. Held, those of the mode turn major into minor: a few in the
#   network of the grammar, some more in the one of Bach.
#
# ## What is not known from this
#
# - Sizes and dropout were chosen on the valid part, from one seed each. A layer that reads the frame before the recurrent one does was worth
#   more to the first network than anything else we tried; the published networks have none, so the comparison is not one of cells. The
#   TCN of Bai et al. (8.10) is ahead of our key-by-key network.
# - The second network also has a layer of 512 units in which memory, last frame and chosen notes meet. In one trial such a layer made the
#   first network worse, not better; how the three nats divide between the notes above and that layer was not measured.
# - The published figures were not measured again here, and were not looked up for this page.
# - *Who sings what is not in the data.* Voices are dealt out from above, for Bach and for the networks alike, and a crossing of voices
#   may look like a parallel, or hide one. Nobody was asked whether the tunes are beautiful.
# - 29 of the 77 test chorales begin with a melody that also occurs in train (the card tells more). What that is worth was not measured.
# - Which units carry the mode, and how many it takes, differs from seed to seed; one seed of each network was opened.
#
# ## References
#
# - Boulanger-Lewandowski, Bengio and Vincent (2012), *Modeling temporal dependencies in high-dimensional sequences*, ICML: the task, the split, and
#   the step from single keys to whole chords (RNN-RBM, RNN-NADE).
# - Larochelle and Murray (2011), *The neural autoregressive distribution estimator*, AISTATS: the chain rule as a network.
# - Bai, Kolter and Koltun (2018), *An empirical evaluation of generic convolutional and recurrent networks for sequence modeling*,
#   arXiv:1803.01271: the figures for LSTM, GRU and TCN.
# - Hadjeres, Pachet and Nielsen (2017), *DeepBach*, ICML; Huang et al. (2017), *Counterpoint by convolution*, ISMIR: chorales that
#   are written in any order, and people who could not tell.
# - Bay, Ehmann and Downie (2009), *Evaluation of multiple-F0 estimation and tracking systems*, ISMIR: the share of notes.
# - Holtzman et al. (2020), *The curious case of neural text degeneration*, ICLR: top-p.
# - Karpathy, Johnson and Fei-Fei (2016), *Visualizing and understanding recurrent networks*, ICLR workshop: units that mean something.
#
# ## The figures of this run
#
# The last cells collect them, first those of the two networks.

# %%
keywise, notewise = spent["key by key"], spent["note after note"]  # (seeds, 2): with first frames, without
of_networks = {
    "test_nll_per_frame": float(keywise[:, 1].mean()),
    "test_nll_per_frame_std": float(keywise[:, 1].std()),
    "test_nll_per_frame_with_first": float(keywise[:, 0].mean()),
    "joint_nll_per_frame": float(notewise[:, 1].mean()),
    "joint_nll_per_frame_std": float(notewise[:, 1].std()),
    "joint_nll_per_frame_with_first": float(notewise[:, 0].mean()),
    "minutes_per_model": float(np.mean([course[0][-1] for several in courses.values() for course in several])),
}

# %% [markdown]
# Of those to compare with:

# %%
of_others = {
    "baseline_nll_per_frame": baselines["whether it sounded before"][1],
    "baseline_nll_per_frame_marginal": baselines["how often each key sounds"][1],
    "share_repeated": repeated,
}
if data.source != "sample":
    of_others |= {"published_nll_per_frame": PUBLISHED["GRU"], "published_joint_nll_per_frame": PUBLISHED_JOINT}

# %% [markdown]
# Of what they wrote:

# %%
import re

keys_of = {name: re.sub(r"\W+", "_", name).strip("_") for name in [*counted, *known, *accuracies]}
of_writing = {
    **{f"note_accuracy_{keys_of[name]}": value for name, value in accuracies.items()},
    **{f"known_{keys_of[name]}": value for name, value in known.items()},
    **{f"harsh_{keys_of[name]}": value for name, value in harsh.items()},
    **{f"fifths_{keys_of[name]}": found.parallel_fifths for name, found in counted.items()},
    **{f"octaves_{keys_of[name]}": found.parallel_octaves for name, found in counted.items()},
    **{f"dissonances_{keys_of[name]}": found.dissonances for name, found in counted.items()},
    **{f"parallels_after_bach_{keys_of[name]}": value for name, value in after_bach.items()},
    **{f"fifths_and_octaves_error_{keys_of[name]}": error for name, error in errors.items()},
}

# %% [markdown]
# And of what was opened:

# %%
opened = {
    **{f"nats_slot_{slot}": float(value) for slot, value in enumerate(np.mean(by_slot, axis=0))},
    **{f"nats_past_{length}": value for length, value in zip(PASTS, worth, strict=True)},
    **{f"gradient_left_{name.replace(' ', '_')}": float(median[8] / median[1]) for name, median in profiles.items()},
    **{f"unit_{name.replace(' ', '_')}": float(abs(found.correlation[found.best])) for name, found in follow.items()},
    **{f"flats_{count}_of_mode": share for count, share in zip(COUNTS, by_units["units of the mode"], strict=True)},
    **{f"flats_{count}_of_others": share for count, share in zip(COUNTS, by_units["other units"], strict=True)},
    **{f"flats_{count}_of_bach_{name.split()[0]}": share for (name, count), share in bach_shares.items()},
    **{
        f"chance_{name.replace(' ', '_')}": float(np.percentile(np.abs(found.null), 95))
        for name, found in follow.items()
    },
}

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "source": data.source,
    "seeds": len(SEEDS),
    **(of_networks | of_others | of_writing | opened),
}
results
