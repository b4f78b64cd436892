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
# # 12. Video: what does it take to see a motion, and what to remember one?
#
# A handwritten seven stands in a black square. Is it going to the left or to the right? Nobody can say: it is one frame. Ten
# motions are possible, and every frame of every clip could be from each of them.
#
# The textbook's answer is a division of labor. A convolutional network sees, the same one in every frame; a recurrent network
# watches what it sees. We shall build that in two ways, and three rivals which lack one thing each: the comparison of frames,
# their order, or a memory.
#
# **Write down** a guess for each, a share of the clips that it will name correctly: (a) every frame votes by itself; (b) all
# frames are pooled, their order is lost; (c) convolutions on single frames, then a GRU; (d) convolutions on *pairs* of
# neighboring frames, then a GRU; (e) such pairs, and no GRU: every pair votes.
#
# **You will**
#
# - see that single frames know next to nothing, and what the best network that forgets order can reach;
# - compute a motion by hand in a recurrent layer of two units;
# - find out which of the five win, and what question makes one of these lose;
# - watch a network make up its mind, frame by frame, and shuffle the frames under it;
# - tell a clip from the same clip played backwards in the plane of its states;
# - recognize what people do from fifteen joints, against baselines that are hard to beat;
# - let a network say in a sentence what it saw.
#
# Minutes on two CPU cores: about eight to run, an hour to read.

# %% [markdown]
# ## Set-up
#
# In Colab the first cell installs the course beside the TensorFlow that is already there; on your own machine it only imports.

# %%
import keras

try:
    import rnn_course
except ImportError:
    # %pip install -q --no-deps "git+https://github.com/rnn-course/rnn_course@v0.1.0" av sacrebleu portalocker colorama
    import rnn_course
print(f"rnn_course {rnn_course.__version__}, Keras {keras.__version__}")

# %% [markdown]
# `SOURCE` names the data: `"auto"` takes handwritten digits and real people where they can be had, `"sample"` shapes and stick
# figures that come with the course and need no network. `FAST` shrinks the run for tests.

# %% tags=["parameters"]
SOURCE = "auto"
FAST = False
SEEDS = (0, 1, 2)
SIZES = {"filters": (12, 24, 32), "features": 64}
UNITS = 64
TRAINING = {"epochs": 10, "batch": 64, "rate": 3e-3}
CAPTIONS = {"epochs": 18, "rate": 3e-3}
DIGIT_EYES = {"filters": (16, 32, 64), "features": 128}
POSES = {"epochs": 60, "batch": 32, "rate": 2e-3}
POSE_FRAMES = 20

# %% [markdown]
# ## Every frame is innocent
#
# Real digits of MNIST move over a black square: 16 frames of 32 by 32 pixels, with noise. Digit, speed, size, angle and place
# are drawn for each clip, and the label is the motion. What leaves the square at one edge comes in at the other, so that all
# places are equally likely in every frame. Digits of the test clips occur in no training clip.

# %%
import time

import numpy as np

from rnn_course.data import load_clips
from rnn_course.plots import figure_grid, plot_frames

began = time.perf_counter()
data = load_clips(SOURCE if SOURCE in ("auto", "sample") else "moving_digits")
if FAST:
    SEEDS, CAPTIONS, POSES = SEEDS[:1], CAPTIONS | {"epochs": 1}, POSES | {"epochs": 1}
    SIZES, UNITS, TRAINING = {"filters": (4, 8), "features": 16}, 16, TRAINING | {"epochs": 1}
    DIGIT_EYES, POSE_FRAMES = SIZES, 8
print(data)

# %% [markdown]
# Four clips, from left to right, of each motion the one whose digit stays nearest to the middle:

# %%
names = data.label_names


def central(clips, label):
    """The clip of a class, by its index, whose digit is never far from the middle of the frame."""
    off = np.hypot(clips.truth.rows - 16, clips.truth.columns - 16).max(axis=1)
    return int(np.where(clips.labels == label, off, np.inf).argmin())


_, axes = figure_grid(4, 1, row_height=0.8)
for ax, motion in zip(axes[:, 0], ("moves left", "turns right", "grows", "sways"), strict=True):
    plot_frames(data.train.frames[central(data.train, names.index(motion))], title=motion, ax=ax)
    ax.label_outer()

# %% [markdown]
# A clip that is played backwards is a clip, too, but of another motion: what moved left moves right. Only what goes to and fro
# is its own reverse. This costs nothing and doubles the training clips, and below it will explain a figure.

# %%
from rnn_course.data import reverse_of

backwards = np.array([names.index(reverse_of(name)) for name in names])  # (classes,)
for name, other in zip(names, backwards, strict=True):
    print(f"{name:12} ↔ {names[other]}")

# %% [markdown]
# ## A motion on three numbers
#
# A bright spot is at the places 2, 3, 4 of a line; in another clip at 4, 3, 2. Their means are the same. A recurrent layer of
# two units without a nonlinearity tells them apart: one unit keeps the place until the next step, the other takes what was kept
# off the new place. With $x_t$ the place and $h_t = x_t W + h_{t-1} U$ as in Keras:

# %%
kernel = np.array([[1.0, 1.0]])  # W: the place goes to both units
recurrent = np.array([[0.0, -1.0], [0.0, 0.0]])  # U: what the first unit kept is taken off in the second
line = keras.layers.SimpleRNN(2, activation=None, return_sequences=True)
line.build((None, None, 1))
line.set_weights([kernel, recurrent, np.zeros(2)])
for places in ([2, 3, 4], [4, 3, 2]):
    states = keras.ops.convert_to_numpy(line(np.array(places, "float32")[None, :, None]))[0]  # (time, units)
    print(f"places {places}, mean {np.mean(places):g}: the first unit {states[:, 0]}, the second {states[:, 1]}")

# %% [markdown]
# From the second step on the second unit says +1 for the one and −1 for the other. So a recurrent layer *can* compare neighbors,
# if training finds these weights. In a video there is not one place but 64 features, none of which is a place to begin with.
#
# ## Five networks
#
# All five look with the same three convolutions. This is the package's own code: what looks at the frames, and what watches.

# %%
import inspect

from IPython.display import Markdown

from rnn_course.models import video

look, watch = (
    inspect.getsource(each).replace(f'"""{each.__doc__}"""\n    ', "") for each in (video.look, video._watch)
)
Markdown(f"```python\n{look}\n\n{watch}```")

# %% [markdown]
# With `pairs` a frame is stacked on the one before it, as two channels of one picture, so that the first convolution can take
# differences. Here are the five, from (a) to (e):

# %%
from rnn_course.models import build_clip_model, build_frame_average_model, build_late_fusion_model

form = {"height": 32, "width": 32, "classes": len(names), **SIZES}
builders = {
    "frames vote": lambda: build_frame_average_model(**form),
    "frames pooled": lambda: build_late_fusion_model(**form, hidden=UNITS),
    "frames, GRU": lambda: build_clip_model(**form, units=UNITS),
    "pairs, GRU": lambda: build_clip_model(**form, units=UNITS, pairs=True),
    "pairs vote": lambda: build_frame_average_model(**form, pairs=True),
}
for name, build in builders.items():
    print(f"{name:14} {build().count_params():,} weights")

# %% [markdown]
# Half of the clips of each batch run backwards, with the label of what they then show.


# %%
def whole(clips, rng):
    """Show the clips as they are."""
    return clips


def batches(ahead, back, answers, turned, rng, *, size, show=whole):
    """Yield clips and answers for ever, shuffled in each epoch; half of them `back` to front, with `turned` as answer."""
    while True:
        for rows in rng.permutation(len(ahead))[: len(ahead) // size * size].reshape(-1, size):
            flip = rng.random(size) < 0.5
            clips, right = (
                np.where(flip.reshape(-1, *[1] * (one.ndim - 1)), other[rows], one[rows])
                for one, other in ((ahead, back), (answers, turned))
            )
            yield show(clips, rng), right


# %% [markdown]
# One recipe for all: the learning rate rises and then falls along a cosine. (Given a generator as it is, `fit` can go on waiting
# after its last batch, for up to as long again as it has trained; given `dataset_of` it, it returns. `rnn_course.feeding` says why.)


# %%
from rnn_course.feeding import dataset_of, in_batches


def learn(model, dealt, steps, validation, *, epochs, rate):
    """Compile and train a model on what is dealt, `steps` batches an epoch; return the curves."""
    updates = epochs * steps
    rise = {"warmup_target": rate, "warmup_steps": updates // 10}
    falling = keras.optimizers.schedules.CosineDecay(rate / 10, updates - updates // 10, alpha=0.1, **rise)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(falling, global_clipnorm=1.0)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False, run_eagerly=FAST)
    options = {"steps_per_epoch": steps, "epochs": epochs, "verbose": 0, "shuffle": False}
    held_out = dataset_of(in_batches(validation, size=250))
    return model.fit(dataset_of(dealt), validation_data=held_out, **options).history


# %% [markdown]
# The first network is trained so that every frame has to answer by itself: sixteen answers that were trained together could
# learn to agree or not, and that is more than a frame knows. All others are asked for one answer a clip.


# %%
def watch_clips(model, seed, *, show=whole, alone=False):
    """Train a model on the moving digits, shown in some way, or with an answer for each frame `alone`; the curves."""
    train, size, wanted = data.train, TRAINING["batch"], (data.train.labels, backwards[data.train.labels])
    held_out = data.dev.labels
    if alone:
        model = keras.Model(model.inputs, model.get_layer("frame_logits").output)  # (batch, time, classes)
        *wanted, held_out = (np.repeat(each[:, None], train.frames.shape[1], axis=1) for each in (*wanted, held_out))
    films = train.frames, train.frames[:, ::-1]
    dealt = batches(*films, *wanted, np.random.default_rng(seed), size=size, show=show)
    validation = show(data.dev.frames, np.random.default_rng(0)), held_out
    steps = len(train.labels) // size
    return learn(model, dealt, steps, validation, epochs=TRAINING["epochs"], rate=TRAINING["rate"])


# %% [markdown]
# The last two are trained from three starts each, the others from one.

# %%
models, curves, minutes = ({name: [] for name in builders} for _ in range(3))
for name, build in builders.items():
    for seed in SEEDS if "pairs" in name else SEEDS[:1]:
        started = time.perf_counter()
        keras.utils.set_random_seed(seed)
        models[name].append(build())
        history = watch_clips(models[name][-1], seed, alone=name == "frames vote")
        curves[name].append(history)
        minutes[name].append((time.perf_counter() - started) / 60)
        print(f"{name}, seed {seed}: dev {history['val_accuracy'][-1]:.1%} in {minutes[name][-1]:.2f} minutes")

# %% [markdown]
# The curves, on training clips (dashed) and on dev clips:

# %%
from rnn_course.plots import plot_history

_ = plot_history(
    curves, metric="accuracy", best=None, quantity="accuracy", title="Two frames at a time, and the motion is seen"
)

# %% [markdown]
# ## The result, held out
#
# **Look at your five guesses.** The dashed lines are chance, and a ceiling that needs no network to find: whoever loses the
# order of the frames cannot tell a clip from its reverse. Two of the ten motions are their own reverse and can be known; for
# the other eight a coin has to be thrown, so 6 clips in 10 are the most that can be expected.

# %%
import logging

from rnn_course.plots import plot_scores

logging.getLogger("tensorflow").setLevel("ERROR")  # it warns of every new model that is asked for predictions


def chances(model, clips):
    """Probabilities of the classes, (batch, classes), or after every frame (batch, time, classes)."""
    return keras.ops.convert_to_numpy(keras.ops.softmax(model.predict(clips, verbose=0, batch_size=250)))


def accuracy(model, clips, labels=data.test.labels):
    """Share of the clips that are named right."""
    return float((chances(model, clips).argmax(-1) == labels).mean())


right = {name: np.array([accuracy(model, data.test.frames) for model in several]) for name, several in models.items()}
ceiling = float(np.mean(np.where(backwards == np.arange(len(names)), 1, 0.5)))
baseline = {"chance": 1 / len(names), "without order": ceiling}
_ = plot_scores(right, baseline=baseline, value_format=".1%", title="The pairs need no memory to name the motion")

# %% [markdown]
# The mean and the standard deviation over the seeds:

# %%
error = np.sqrt(0.1 * 0.9 / len(data.test.labels))
for name, scores in right.items():
    spread = f" ± {scores.std():.1%}" if len(scores) > 1 else ""
    print(f"{name:14} {scores.mean():.1%}{spread}")
print(f"one standard error of chance: {error:.1%}")

# %% [markdown]
# Frames that vote are near chance, about two standard errors above it. Pooled frames come to the ceiling (a point or two
# beyond it is luck with the coin): they know *that* a digit was here and there, and not which came first. The GRU on single
# frames has all that it needs and is still far from using it when the pairs have long finished: it has to find out by
# itself that features of neighboring frames are to be subtracted. (Its curve has left chance, and not come far. Slow need
# not mean unable: the three numbers above show what a recurrent layer can do.)
#
# And where two frames are seen at a time, the network without a memory is as good as the one with it, give or take a clip in a
# hundred. So was the question ever about memory? It was about *seeing two frames at once*; after that, adding votes is enough.
# Before you build a recurrent network for a video, let the pairs vote.
#
# What is left? Here are the digits that the GRU of the first seed names wrong most often.

# %%
watcher = models["pairs, GRU"][0]
test, labels = data.test.frames, data.test.labels
found = chances(watcher, test)  # (batch, classes)
wrong = np.flatnonzero(found.argmax(-1) != labels)
kinds = data.test.truth.kinds
missed = np.bincount(kinds[wrong], minlength=len(data.kind_names))
for kind in np.argsort(-missed)[:3]:
    said = ", ".join(f"{names[labels[row]]} → {names[found[row].argmax()]}" for row in wrong[kinds[wrong] == kind][:4])
    print(f"{data.kind_names[kind]:8} {missed[kind]} of {(kinds == kind).sum()}: {said}")

# %% [markdown]
# ## There and back: a question that needs a memory?
#
# We ask something else of the same digits. The first eight frames of a clip are shown, and then the same eight backwards. The
# question stays: what did it do *first*? Now every clip holds a motion and its reverse, as many pairs of the one as of the
# other, and only their order tells. **Guess** what becomes of the vote, and of the GRU.

# %%
half = data.test.frames.shape[1] // 2


def there_and_back(clips, rng):
    """The first half of each clip, then the same frames in reverse."""
    return np.concatenate([clips[:, :half], clips[:, half - 1 :: -1]], axis=1)


returning, returned = {}, {}
for name in ("pairs vote", "pairs, GRU"):
    keras.utils.set_random_seed(0)
    returning[name] = builders[name]()
    _ = watch_clips(returning[name], 0, show=there_and_back)
    returned[name] = accuracy(returning[name], there_and_back(test, rng=None))
    print(f"{name}: there and back {returned[name]:.1%}, one way {right[name][0]:.1%}")

# %% [markdown]
# The vote is below the ceiling of all that have no order. The GRU is right nearly always. So it has kept for eight frames what
# it saw first, against everything that it saw since. Has it? That can be put to the proof. We show it the way back alone, so
# that it comes to the turn with an empty memory, and count two answers: the motion that was asked for, which it has not seen,
# and the reverse, which it has. **Guess.**

# %%
paired = backwards[labels] != labels  # clips whose reverse is another motion
journey = there_and_back(test[paired], rng=None)
asked, opposite = labels[paired], backwards[labels[paired]]
emptied = {}
for name, part in (
    ("both ways", journey),
    ("way there alone", journey[:, :half]),
    ("way back alone", journey[:, half:]),
):
    said = chances(returning["pairs, GRU"], part).argmax(-1)
    emptied[name] = float(np.mean(said == asked))
    print(f"{name:16} answers what was first {emptied[name]:.1%}, its reverse {np.mean(said == opposite):.1%}")

# %% [markdown]
# It has kept less than it seemed to. With an empty memory, from the way back alone, it still names what was first in about
# eight of ten clips; and shown the way there, which *is* what was asked for, it says the reverse as often. Training has
# found that what comes last is the reverse of the answer: it looks at the end and says the opposite. That takes order, so
# the vote cannot do it; but for most clips it takes no memory of eight frames. Nobody had told it to remember. The question
# allowed an easier way, and training takes the easier way.
#
# So we close that way out. First eight frames of one clip, then eight of any other, another digit, another motion; the question
# is what the first one did. What comes last says nothing about it now.


# %%
def one_after_another(clips, rng):
    """The first half of each clip, then the first half of any other one."""
    return np.concatenate([clips[:, :half], clips[rng.permutation(len(clips)), :half]], axis=1)


keras.utils.set_random_seed(0)
keeper = builders["pairs, GRU"]()
keeper.set_weights(watcher.get_weights())  # eyes that see motions; what is to be learned is to keep one
_ = watch_clips(keeper, 0, show=one_after_another)
in_a_row = one_after_another(test, np.random.default_rng(1))
kept = {
    "both clips": accuracy(keeper, in_a_row),
    "second clip alone": accuracy(keeper, in_a_row[:, half:]),
}
_ = plot_scores(
    kept, baseline={"chance": 1 / len(names)}, value_format=".1%", title="What was first is in the memory, or nowhere"
)

# %% [markdown]
# Now the answer is carried through eight frames of something else, by the 64 numbers of the state and by nothing else: without
# the first clip little more than chance is left. *This* is what a recurrent network can do and a vote cannot. Neither the question what moves nor
# there and back had asked for it.
#
# ## Shuffle the frames
#
# The same question for the networks of the one-way clips. We shuffle the frames of every test clip; then, instead, we leave
# every frame with the one before it and shuffle the pairs, behind the convolutions. **Guess** both accuracies of the GRU. (The
# vote does not change in the second case, whatever the clips: a mean has no order.)

# %%
rng = np.random.default_rng(0)
order = rng.random(test.shape[:2]).argsort(axis=1)  # (batch, time): another order for each clip
shuffled = np.take_along_axis(test, order[..., None, None, None], axis=1)
seen = keras.Model(watcher.inputs, watcher.get_layer("norm").output).predict(test, verbose=0)
seen = np.take_along_axis(seen, order[..., None], axis=1)  # (batch, time, features): pairs, shuffled
of_pairs = watcher.get_layer("logits")(watcher.get_layer("gru")(seen))

# %% [markdown]
# Beside them the clips backwards, held against the motion that they then show, and against the old one:

# %%
shuffling = {
    "as they are": accuracy(watcher, test),
    "backwards, new label": accuracy(watcher, test[:, ::-1], backwards[labels]),
    "backwards, old label": accuracy(watcher, test[:, ::-1]),
    "pairs shuffled": float((keras.ops.convert_to_numpy(of_pairs).argmax(-1) == labels).mean()),
    "frames shuffled": accuracy(watcher, shuffled),
}
_ = plot_scores(
    shuffling,
    baseline=baseline,
    value_format=".1%",
    title="Order counts inside a pair more than among pairs",
)

# %% [markdown]
# With shuffled pairs nine clips in ten are still right, so most of what the GRU does with the order of the pairs could be done
# without. With shuffled frames most is lost, but it does not come down to chance: a digit that turns stays where it is in any
# order, and so on. That is what rivals without order live on. What *must* be lost is the direction, so we look at it alone:

# %%
guess = chances(watcher, shuffled).argmax(-1)[paired]
either = (guess == asked) | (guess == opposite)
direction = float(np.mean(guess[either] == asked[either]))
print(f"shuffled: of clips called by their motion or its reverse, {direction:.1%} get the right one of the two")

# %% [markdown]
# A coin. Which of two opposite motions it was stands in the order of the frames and nowhere else, and this part of the accuracy
# has fallen to chance. (Backwards, held against the old label, it is right where a motion is its own reverse.)
#
# ## When did it know?
#
# A model that answers after every frame has the same weights in the same order, so what was trained at the last frame can be
# asked at each. First for all test clips: accuracy against the number of frames seen, by the kind of motion.

# %%
from rnn_course.plots import plot_breakdown

each_frame = build_clip_model(**form, units=UNITS, pairs=True, every_frame=True)
each_frame.set_weights(watcher.get_weights())
knew = chances(each_frame, test)  # (batch, time, classes)
groups = {
    "moves one way": ("moves left", "moves right", "moves up", "moves down"),
    "turns": ("turns left", "turns right"),
    "grows or shrinks": ("grows", "shrinks"),
    "to and fro": ("sways", "bounces"),
}
early = {}
for group, motions in groups.items():
    rows = np.isin(labels, [names.index(motion) for motion in motions])
    early[group] = (knew[rows].argmax(-1) == labels[rows, None]).mean(axis=0)  # (time,)

# %% [markdown]
# The curves start at the first frame, which is its own neighbor and shows no motion:

# %%
_ = plot_breakdown(
    early,
    groups=range(1, test.shape[1] + 1),
    x="frames seen",
    y="test accuracy",
    baseline=1 / len(names),
    title="Moving is known after three frames, to and fro when it turns",
)

# %% [markdown]
# Three frames show which way a digit moves. Turning takes longest. That something will go back, nobody can know before it does:
# until then a clip that sways *is* a clip that moves. (At the first frame, which shows no motion, the network has one answer for
# all; where that happens to be right says nothing.)
#
# One such clip in full: of those that sway and are named right at the end, the one that the network was most sure of as a move.
# Under every frame stands what it held for probable, and below that the eight units that changed most.

# %%
from rnn_course.plots import plot_frame_strip
from rnn_course.probes import trace

calm = np.hypot(data.test.truth.rows - 16, data.test.truth.columns - 16).max(axis=1) < 10
swaying = np.flatnonzero((labels == names.index("sways")) & calm)
right_at_last = knew[swaying, -1].argmax(-1) == labels[swaying]
sideways = [names.index("moves left"), names.index("moves right")]
mistaken = knew[swaying][:, :half, sideways].max(axis=(1, 2))  # how sure it was of a move in the first half
example = int(swaying[np.where(right_at_last, mistaken, 0).argmax()])

# %% [markdown]
# Its frames and all that was held of them:

# %%
states = trace(each_frame, test[example : example + 1], "gru").hidden[0]  # (time, units)
liveliest = np.argsort(-np.ptp(states, axis=0))[:8]
_ = plot_frame_strip(
    test[example],
    probabilities=knew[example],
    label_names=names,
    truth=int(labels[example]),
    activity=states[:, liveliest],
    unit_labels=liveliest,
    title="Swaying is taken for moving until it turns",
)

# %% [markdown]
# ## Where it looked
#
# Which pixels made the answer? Integrated gradients divide the logit of the named motion among all pixels of all frames, from a
# black clip to this one: orange speaks for the motion, blue against it.

# %%
from rnn_course.probes import input_attribution

mover = central(data.test, names.index("moves right"))
shares = input_attribution(watcher, test[mover : mover + 1], output=int(labels[mover]))
saliency = shares.values[0]  # (time, height, width)
limit = float(np.quantile(np.abs(saliency), 0.999))
title = f"{names[labels[mover]]}: the last frames count most"
_ = plot_frames(test[mover], saliency=saliency, limit=limit, every=2, title=title)
explained = float(saliency.sum() / (shares.score - shares.baseline_score)[0])
print(f"the shares of all pixels add up to {explained:.1%} of the difference in the logit")

# %% [markdown]
# How much of it lies on the digit? We know where each digit is and how large, so the square around it can be drawn, in all
# clips that move left or right. Beside it the share of the area that this square has.


# %%
def inside(truth, rows, side):
    """Which pixels lie in the square around the digit, (batch, time, side, side) bool; squares go round the edges."""
    pixels = np.arange(side) + 0.5
    across, down = (
        np.abs((pixels - part[rows][..., None] + side / 2) % side - side / 2) <= truth.sizes[rows][..., None] * side / 2
        for part in (truth.columns, truth.rows)
    )
    return down[..., :, None] & across[..., None, :]


rows = np.flatnonzero(np.isin(labels, [names.index("moves left"), names.index("moves right")]))[: 2 if FAST else 16]
squares = inside(data.test.truth, rows, test.shape[2])
sizes_of = [np.abs(input_attribution(watcher, test[row : row + 1], output=int(labels[row])).values[0]) for row in rows]
on_digit = float(np.mean([size[square].sum() / size.sum() for size, square in zip(sizes_of, squares, strict=True)]))
last_quarter = float(np.mean([size[-(size.shape[0] // 4) :].sum() / size.sum() for size in sizes_of]))
print(f"on the digit's square: {on_digit:.0%} of the attribution, {squares.mean():.0%} of the area")
print(f"in the last quarter of the frames: {last_quarter:.0%} of the attribution")

# %% [markdown]
# Do not make too much of the first line: a pixel that is black in both clips gets no share, whatever the network does, and
# off the digit there is only faint noise. A share can be large only where the input is. The second line is a finding: all
# frames show the digit alike, and the last ones count most. They have come through the fewest steps. In a clip that goes
# one way any two frames would do; it takes those that are nearest.
#
# ## A film and its reverse part ways
#
# The same frames forward and backward: do the states keep them apart? We take two clips and their reverses, and draw the states
# of the GRU in the plane that holds most of the spread of all test clips' states.

# %%
from rnn_course.plots import plot_trajectories
from rnn_course.probes import project_states

chosen = [central(data.test, names.index(name)) for name in ("moves up", "grows")]
films = np.concatenate([test[chosen], test[chosen][:, ::-1], test[: 20 if FAST else 200]])
forward = trace(each_frame, films, "gru").hidden  # (batch, time, units)
plane = project_states(forward)
_ = plot_trajectories(
    plane.points[:4],
    labels=["moves up", "grows", "moves up, reversed", "grows, reversed"],
    axis_labels=[f"component {part} ({share:.0%})" for part, share in enumerate(plane.explained, 1)],
    title="The same frames, another way through them",
)

# %% [markdown]
# In all of the 64 units, and not in one picture: how far are the states of a film and of its reverse apart after as many frames,
# measured in units of the distance between two films of one motion?

# %%
one_way = np.flatnonzero(paired)[: 40 if FAST else 300]
ahead, back = (trace(each_frame, test[one_way][:, way], "gru").hidden for way in (slice(None), slice(None, None, -1)))
apart = np.linalg.norm(ahead - back, axis=-1).mean(axis=0)  # (time,)
same = labels[one_way][:, None] == labels[one_way][None, :]
np.fill_diagonal(same, False)
mates = [
    np.linalg.norm(ahead[same.nonzero()[0], at] - ahead[same.nonzero()[1], at], axis=-1).mean()
    for at in range(test.shape[1])
]
parting = apart / np.array(mates)
print("after frames 1, 2, 4, 8, 16:", np.round(parting[[0, 1, 3, 7, -1]], 2))

# %% [markdown]
# After the first frame, which shows a place and no motion, a film and its reverse lie closer together than two films of one
# motion do. With the second they are farther apart, and the distance grows to the end.

# %% [markdown]
# ## Real people, fifteen joints
#
# Now clips of J-HMDB: people in real videos catch, stand up from chairs, play golf. In each frame somebody marked 15 joints. The
# test clips are those of the official split 1, and there are few to learn from.

# %%
from rnn_course.data import BONES, load_poses
from rnn_course.plots import plot_poses

people = load_poses("jhmdb_poses" if data.source != "sample" else "sample")
bones = [[people.joint_names.index(joint) for joint in bone] for bone in BONES]
actions = people.label_names
print(people)
shown = ("catch", "throw", "sit") if people.source != "sample" else actions[:3]
_, axes = figure_grid(3, 1, row_height=1.5)
for ax, action in zip(axes[:, 0], shown, strict=True):
    row = people.train.labels.tolist().index(actions.index(action))
    plot_poses(people.train.clips[row], bones, title=action, ax=ax)
    ax.label_outer()

# %% [markdown]
# What a person does should not depend on where in the picture they do it, and how near to the camera. So the belly's mean place
# becomes 0 and the spread of the joints 1. How a body travels stays in. All clips are read at 20 evenly spaced moments, so that
# their length, which tells something by itself, is gone.


# %%
def normalized(clip):
    """A clip (time, joints, 2) with the belly's mean place at 0 and one spread of the joints around the body."""
    clip = clip - clip[:, people.joint_names.index("belly")].mean(axis=0)
    return clip / (clip - clip.mean(axis=1, keepdims=True)).std()


def spread_out(clip, start=0.0, stop=1.0):
    """Evenly spaced poses between two shares of a clip, (POSE_FRAMES, joints, 2); between frames on a straight line."""
    at = np.linspace(start, stop, POSE_FRAMES) * (len(clip) - 1)
    before = np.minimum(at.astype(int), len(clip) - 2)
    share = (at - before)[:, None, None]
    return (1 - share) * clip[before] + share * clip[before + 1]


# %% [markdown]
# In a mirror a clip shows the same action, done with the other hand. Left joints have to become right ones as well.

# %%
sides = {"left": "right", "right": "left"}
other_side = [" ".join(sides.get(word, word) for word in joint.split()) for joint in people.joint_names]
other_side = [people.joint_names.index(joint) for joint in other_side]


def mirrored(poses):
    """Poses (…, joints, 2) as a mirror shows them."""
    return poses[..., other_side, :] * (-1, 1)


clips_of = {part: [normalized(clip) for clip in getattr(people, part).clips] for part in ("train", "dev", "test")}
poses_of = {part: np.stack([spread_out(clip) for clip in clips]) for part, clips in clips_of.items()}
action_of = {part: getattr(people, part).labels for part in clips_of}
print(poses_of["train"].shape)

# %% [markdown]
# ## Three baselines without a network
#
# The first takes the mean pose of a clip and looks for the action whose own mean is nearest. The second gives every coordinate
# of every moment a weight. The third copies the answer of the nearest training clip, and allows time to be stretched where
# that brings two clips closer: *dynamic time warping*. All three see every training clip also in the mirror, as the network
# will.


# %%
def warped_distances(poses, others):
    """Squared distance of a clip (time, joints, 2) from each of (batch, time, joints, 2), where time may be stretched."""
    apart = np.square(poses[:, None] - others[:, None]).sum((-1, -2))  # (batch, time, time)
    best = np.full(np.add(apart.shape, (0, 1, 1)), np.inf)
    best[:, 0, 0] = 0
    for row, column in np.ndindex(apart.shape[1:]):
        ways = best[:, row, column], best[:, row + 1, column], best[:, row, column + 1]
        best[:, row + 1, column + 1] = apart[:, row, column] + np.minimum.reduce(ways)
    return best[:, -1, -1]


known = np.concatenate([poses_of["train"], mirrored(poses_of["train"])])
known_actions = np.tile(action_of["train"], 2)
flat = {name: each.reshape(len(each), -1) for name, each in (("known", known), ("test", poses_of["test"]))}

# %% [markdown]
# **Guess** the order of the three.

# %%
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid

nearest = [known_actions[warped_distances(poses, known).argmin()] for poses in poses_of["test"]]
by_mean = NearestCentroid().fit(known.mean(axis=1).reshape(len(known), -1), known_actions)
by_weights = LogisticRegression(C=1.0, solver="newton-cg").fit(flat["known"], known_actions)
answers = {
    "commonest action": np.full(len(nearest), np.bincount(known_actions).argmax()),
    "mean pose": by_mean.predict(poses_of["test"].mean(axis=1).reshape(len(nearest), -1)),
    "nearest clip": np.array(nearest),
    "logistic regression": by_weights.predict(flat["test"]),
}
pose_baselines = {name: float(np.mean(answer == action_of["test"])) for name, answer in answers.items()}
for name, share in pose_baselines.items():
    print(f"{name:20} {share:.1%}")

# %% [markdown]
# Without any motion, the mean pose is right in four of ten clips: much of an action is in how one stands.
#
# ## The network reads joints and their motion
#
# It is given what the digits have taught us: beside the positions stands how far each joint has moved in one frame, and in two.
# A GRU reads them forward, another one backward. And no clip is seen twice: each time it is cut, mirrored, turned, stretched,
# and marked by an unsteady hand. (How the network is built and what is varied was chosen by four-fold cross-validation on train and
# dev. The test clips had no part in it.)


# %%
def varied(clip, rng):
    """Film a clip again: shorter by up to a fifth, perhaps mirrored, turned by up to 15°, stretched by up to a tenth."""
    length = rng.uniform(0.8, 1)
    start = rng.uniform(0, 1 - length)
    poses = spread_out(clip, start, start + length)
    poses = mirrored(poses) if rng.random() < 0.5 else poses
    angle = np.radians(rng.uniform(-15, 15))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    poses = poses @ (turn * rng.uniform(0.9, 1.1, 2))
    return poses + rng.normal(0, 0.02, poses.shape) + rng.normal(0, 0.02, poses.shape[1:])


def varied_batches(clips, labels, rng, size):
    """Yield batches of clips, each in a new version (size, time, joints, 2), and their labels, for ever."""
    while True:
        for rows in rng.permutation(len(clips))[: len(clips) // size * size].reshape(-1, size):
            yield np.stack([varied(clips[row], rng) for row in rows]).astype("float32"), labels[rows]


# %% [markdown]
# Three starts, the same recipe of learning as above:

# %%
from rnn_course.models import build_pose_model

readers, pose_curves, pose_minutes = [], [], []
for seed in SEEDS:
    started = time.perf_counter()
    keras.utils.set_random_seed(seed)
    readers.append(build_pose_model(joints=len(people.joint_names), classes=len(actions), bidirectional=True))
    dealt = varied_batches(clips_of["train"], action_of["train"], np.random.default_rng(seed), POSES["batch"])
    options = {"epochs": POSES["epochs"], "rate": POSES["rate"]}
    held_out = poses_of["dev"], action_of["dev"]
    pose_curves.append(learn(readers[-1], dealt, len(action_of["train"]) // POSES["batch"], held_out, **options))
    pose_minutes.append((time.perf_counter() - started) / 60)
    print(f"seed {seed}: dev {pose_curves[-1]['val_accuracy'][-1]:.1%} in {pose_minutes[-1]:.2f} minutes")

# %% [markdown]
# The curves, on training clips (dashed, each in a new version every time) and on the 56 dev clips:

# %%
_ = plot_history(
    {"GRU on joints": pose_curves},
    metric="accuracy",
    best=None,
    quantity="accuracy",
    title="The dev accuracy rises little after twenty epochs",
)

# %% [markdown]
# Held out:

# %%
said_of = np.array([chances(reader, poses_of["test"]).argmax(-1) for reader in readers])  # (seeds, batch)
pose_scores = (said_of == action_of["test"]).mean(axis=1)
lead = pose_scores.mean() - max(pose_baselines.values())
_ = plot_scores(
    {"GRU on joints": pose_scores},
    baseline={name: share for name, share in pose_baselines.items() if name != "commonest action"},
    value_format=".1%",
    title=f"The network is {100 * lead:.0f} points ahead of the best baseline",
)
error = np.sqrt(pose_scores.mean() * (1 - pose_scores.mean()) / len(action_of["test"]))
print(
    f"{pose_scores.mean():.1%} ± {pose_scores.std():.1%}; one test clip is {1 / len(action_of['test']):.2%}, one standard error {error:.1%}"
)

# %% [markdown]
# Which actions are mixed up? Rows are the truth, summed over the seeds.

# %%
from sklearn.metrics import confusion_matrix

from rnn_course.plots import plot_confusion

confused = sum(confusion_matrix(action_of["test"], said, labels=range(len(actions))) for said in said_of)
_ = plot_confusion(confused, actions, title="Catch is called throw, hardly ever the other way round")
mistakes = confused - np.diag(np.diag(confused))
for place in np.argsort(-mistakes, axis=None)[:3]:
    truth, guess = divmod(int(place), len(actions))
    print(f"{actions[truth]} taken for {actions[guess]}: {mistakes[truth, guess]} of {confused[truth].sum()}")

# %% [markdown]
# One pair stands out: more than half of the catches are called throws, and hardly a throw a catch. Somebody's arms go up, meet
# a ball, and come down. From the joints alone, without the ball, it may not be possible to say who has it at which end.
#
# ## Do people need an order?
#
# The same intervention as with the digits: all test clips backwards, and with their frames shuffled. **Guess.**

# %%
mixed = np.take_along_axis(poses_of["test"], rng.random(poses_of["test"].shape[:2]).argsort(1)[..., None, None], axis=1)
pose_order = {
    name: np.array([accuracy(reader, poses, action_of["test"]) for reader in readers])
    for name, poses in (("as filmed", poses_of["test"]), ("backwards", poses_of["test"][:, ::-1]), ("shuffled", mixed))
}
_ = plot_scores(
    pose_order,
    baseline={"mean pose": pose_baselines["mean pose"]},
    value_format=".1%",
    title="Without their order the poses of a clip tell much less",
)

# %% [markdown]
# People need an order, too: backwards or shuffled, more than twenty clips in a hundred are lost. What remains is what the
# poses tell by themselves, more than the mean of them tells. And where an action is another one's reverse, does the network
# say so?

# %%
reversals = {}
for action, other in (("sit", "stand"), ("stand", "sit"), ("catch", "throw"), ("throw", "catch")):
    if action in actions and other in actions:
        films_back = poses_of["test"][action_of["test"] == actions.index(action)][:, ::-1]
        called = np.array([chances(reader, films_back).argmax(-1) for reader in readers]) == actions.index(other)
        reversals[f"{action}_backwards_is_{other}"] = float(called.mean())
        print(f"{action:5} played backwards is called {other} in {called.mean():.0%} of {called.size} answers")

# %% [markdown]
# Of sitting down and standing up it does, about three times in four; of catching and throwing less often. So an answer
# about people, too, can be an answer about a direction.
#
# ## Say what you saw
#
# Now a digit moves in one of four directions and also grows or shrinks, and the network has to say so: "the seven moves left
# and grows". A recurrent network watches and hands its last state to an LSTM that writes, word after word.
#
# The eyes are there: those of the network above. They were trained to see motions. **Guess**: will they know a seven from a
# two? To compare, we train eyes for that and nothing else, the same pairs, now voting for the digit.

# %%
told = load_clips(data.source, facts=2)
kinds_of = {part: getattr(told, part).truth.kinds for part in ("train", "dev", "test")}
keras.utils.set_random_seed(0)
digit_eyes = build_frame_average_model(height=32, width=32, classes=len(told.kind_names), **DIGIT_EYES, pairs=True)
films = told.train.frames, told.train.frames[:, ::-1]
steps = len(told.train.labels) // TRAINING["batch"]
dealt = batches(*films, kinds_of["train"], kinds_of["train"], np.random.default_rng(0), size=TRAINING["batch"])
options = {"epochs": 1 if FAST else 8, "rate": TRAINING["rate"]}
_ = learn(digit_eyes, dealt, steps, (told.dev.frames, kinds_of["dev"]), **options)
digit_accuracy = accuracy(digit_eyes, told.test.frames, kinds_of["test"])
print(f"which digit it is, test: {digit_accuracy:.1%}")

# %% [markdown]
# Neither pair of eyes is trained any further. Each looks at all clips once, forward and backward, and what it sees of every
# frame is kept: the *frozen features* that one uses where videos are few or long.

# %%
eyes = {
    which: keras.Model(model.inputs, model.get_layer("norm").output)
    for which, model in (("motion", watcher), ("digit", digit_eyes))
}
seen_of = {
    (which, part): eye.predict(clips, verbose=0, batch_size=250)  # (batch, time, features)
    for which, eye in eyes.items()
    for part, clips in (("ahead", films[0]), ("back", films[1]), ("dev", told.dev.frames), ("test", told.test.frames))
}
for part in ("ahead", "back", "dev", "test"):
    seen_of["both", part] = np.concatenate([seen_of["motion", part], seen_of["digit", part]], axis=-1)
print({which: seen_of[which, "test"].shape for which in ("motion", "digit", "both")})

# %% [markdown]
# The sentences as numbers, for each clip and for the clip played backwards:

# %%
from rnn_course.sequences import Vocabulary


def sentences(part, labels):
    """The captions of some clips, as lists of words between a start and an end."""
    return [["<start>", *caption.split(), "<end>"] for caption in told.captions(part._replace(labels=labels))]


turned_labels = np.array([told.label_names.index(reverse_of(name)) for name in told.label_names])[told.train.labels]
captions = {part: sentences(getattr(told, part), getattr(told, part).labels) for part in ("train", "dev", "test")}
captions["turned"] = sentences(told.train, turned_labels)
vocabulary = Vocabulary.from_texts(captions["train"])
ids = {
    part: np.array([vocabulary.encode(words) for words in each]) for part, each in captions.items()
}  # all of one length
print(*captions["train"][0], "↔", *captions["turned"][0])
print(ids["train"][0], vocabulary)

# %% [markdown]
# The writer reads the right words while it is trained (teacher forcing), and its own when it writes:


# %%
from rnn_course.models import build_feature_caption_model


def dealt_captions(which, rng):
    """Yield what was seen with the words that the writer reads, and the words that follow them."""
    sides = seen_of[which, "ahead"], seen_of[which, "back"]
    for seen, tokens in batches(*sides, ids["train"], ids["turned"], rng, size=TRAINING["batch"]):
        yield (seen, tokens[:, :-1]), tokens[:, 1:]


def write(model, seen):
    """Put the likeliest word in the next place until a caption is full, (batch, words); 0 stands where none is yet."""
    tokens = np.zeros((len(seen), ids["train"].shape[1]), int)
    tokens[:, 0] = vocabulary.encode(["<start>"])[0]
    for place in range(1, tokens.shape[1]):
        following = model.predict([seen, tokens], verbose=0, batch_size=250)[:, place - 1]
        tokens[:, place] = following.argmax(-1)
    return tokens


# %% [markdown]
# Three writers, the first with the eyes for motion, the second with those for digits, the third with both:

# %%
said_by = {}
for which in ("motion", "digit", "both"):
    keras.utils.set_random_seed(0)
    sizes = {"features": seen_of[which, "test"].shape[-1], "vocabulary": len(vocabulary)}
    teller = build_feature_caption_model(**sizes)
    held_out = (seen_of[which, "dev"], ids["dev"][:, :-1]), ids["dev"][:, 1:]
    telling = learn(teller, dealt_captions(which, np.random.default_rng(0)), steps, held_out, **CAPTIONS)
    said_by[which] = [" ".join(vocabulary.decode(row[1:-1])) for row in write(teller, seen_of[which, "test"])]
    print(f"eyes for {which}: a word after the right words, dev {telling['val_accuracy'][-1]:.1%}")

# %% [markdown]
# Held out: which share of the captions is right word for word, and what BLEU says. Beside them stands one caption for all
# clips, the most frequent one of the training clips. **Guess** its BLEU.

# %%
from collections import Counter

from rnn_course.metrics import bleu

given, learned = told.captions(told.test), told.captions(told.train)
usual, _ = Counter(learned).most_common(1)[0]
said_by["one for all"] = [usual] * len(given)
words_of = {
    name: np.array([caption.split() for caption in each]) for name, each in (said_by | {"given": given}).items()
}
told_facts, told_right, told_bleu = {}, {}, {}
for name, each in said_by.items():
    agree = words_of[name] == words_of["given"]  # (batch, words)
    told_right[name], told_bleu[name] = float(agree.all(axis=1).mean()), float(bleu(each, [[text] for text in given]))
    told_facts[name] = dict(zip(("digit", "direction", "size"), agree.mean(axis=0)[[1, 3, 5]].tolist(), strict=True))
    facts = ", ".join(f"{fact} {share:.0%}" for fact, share in told_facts[name].items())
    print(f"{name:12} word for word {told_right[name]:5.1%}, BLEU {told_bleu[name]:4.1f}; {facts}")

# %% [markdown]
# Eyes see what they were trained to see. Those that name nearly every motion hardly know a seven from a two, and those that know the
# digits cannot say whether one goes left or right, although both were shown the very same pairs of frames. Side by side they
# are enough: the writer takes the digit from the one and the motion from the other.
#
# And the one caption for all is right for hardly any clip, yet BLEU gives it marks: half of every sentence is the same in all
# of them. Where sentences are made after a pattern, count what they were asked to say.
#
# Six captions of the third:

# %%
for mine, truth in list(zip(said_by["both"], given, strict=True))[:6]:
    print(f"{mine:40} {'' if mine == truth else 'WRONG: ' + truth}")

# %% [markdown]
# ## Your own clips
#
# A folder with a folder of videos for each class is all that `read_clips` wants: mp4, gif and others, read one at a time, made
# as long and as large as you say. We write six small films, and one file that is no film.

# %%
import tempfile
from pathlib import Path

from PIL import Image

from rnn_course.data import read_clips

folder = Path(tempfile.mkdtemp())
for motion in ("moves left", "grows"):
    (folder / motion).mkdir()
    for number, row in enumerate(np.flatnonzero(labels == names.index(motion))[:3]):
        first, *others = [Image.fromarray(frame[..., 0]).resize((96, 96)) for frame in test[row]]
        first.save(folder / motion / f"{number}.gif", save_all=True, append_images=others, duration=80)
(folder / "grows" / "broken.mp4").write_bytes(b"no film")
own = read_clips(folder, frames=12, size=(64, 64), on_error="skip")
print(own)

# %% [markdown]
# Real videos are few, and to learn to see from a few films is hopeless. So a network that has already learned to see, from a
# million photographs, looks at each frame once; its features are kept in a file, and only a small GRU is trained. (Here its
# weights are random, to spare you a download; write `weights="imagenet"` for those that see.)

# %%
import warnings

from rnn_course.features import extract_features
from rnn_course.models import build_feature_model

with warnings.catch_warnings(record=True) as told_of:
    warnings.simplefilter("always")
    clips, answers = zip(*own, strict=True)
for warning in told_of:
    print(f"told: {warning.message}")
seer = keras.applications.MobileNetV2(weights=None, include_top=False, pooling="avg", input_shape=(64, 64, 3))
prepare = keras.applications.mobilenet_v2.preprocess_input
features = extract_features(seer, clips, preprocess=prepare, cache=folder / "features")
small = build_feature_model(features=features.shape[-1], classes=len(own.label_names), units=32)
print(np.shape(clips), "→", features.shape, "→", small(features).shape)

# %% [markdown]
# ## Exercises
#
# Everything below stands on its own; a wrong answer breaks nothing. `check` looks at your answer, `exercises.q1.hint()` helps,
# `exercises.q1.solution()` shows one and says why.
#
# ### Exercise 1 · 10 minutes
#
# Played backwards, a clip of one class is a clip of another. Write `reversed_labels(names, opposites)`: for each class the
# index of the class that its clips show when they run backwards, int `(classes,)`. `opposites` is a dict that holds each pair
# of opposite words once; a class without such a word is its own reverse.


# %%
from rnn_course.exercises import video as exercises


def reversed_labels(names, opposites): ...


exercises.q1.check(reversed_labels)

# %% [markdown]
# ### Exercise 2 · 5 minutes
#
# Write `frame_differences(clips)`: how each frame of uint8 clips `(batch, time, height, width, channels)` differs from the one
# before it, as float of the same shape. What has become darker is negative; the first frame gets 0.


# %%
def frame_differences(clips): ...


exercises.q2.check(frame_differences)

# %% [markdown]
# ### Exercise 3 · 10 minutes
#
# Write `motion(poses, real)`: how far each joint of `(batch, time, joints, 2)` has moved since the frame before, where both
# frames are real, and 0 elsewhere. `real` is bool `(batch, time)`; frames that are not real hold zeros or NaN and may lie
# anywhere, in the middle too.


# %%
def motion(poses, real): ...


exercises.q3.check(motion)

# %% [markdown]
# ### Exercise 4 · 10 minutes
#
# The curve of accuracy against frames seen is a mean over clips. Write `decided_at(probabilities, labels)`: for each clip the
# first frame from which on the right class stays the likeliest until the end, int `(batch,)`, and `time` where the last answer
# is wrong. `probabilities` is `(batch, time, classes)`.


# %%
def decided_at(probabilities, labels): ...


exercises.q4.check(decided_at)

# %% [markdown]
# ### Exercise 5 · 5 minutes
#
# Predict `shares`, a tuple of two numbers from 0 to 1. Somebody gets the frames of a clip as loose prints, mixed up. They can
# always restore the row, but no print says which end came first. At best, which share of the clips do they name rightly if
# there are three motions (left, right, swaying), and which of the eight pairs (left, right, up or down, and growing or
# shrinking)?

# %%
shares = ...

exercises.q5.check(shares)

# %% [markdown]
# ## You have seen
#
# - No frame says what moves how, and a network of single frames stays near chance. All frames without their order tell a
#   motion and its reverse from all others, and not from one another: there is a ceiling, and it can be computed before
#   training.
# - A recurrent layer on features of single frames has to discover subtraction, and takes long. Shown two frames at once, the
#   first convolution finds it in a few epochs.
# - With pairs, votes without any memory are as good as a GRU. Asked what came first, there and back, the GRU looks at the end
#   and says the opposite. Only where the end tells nothing does it learn to remember; without the first clip it is near chance.
# - Shuffled frames leave the direction to chance, shuffled pairs change little: an intervention says *which* order is used.
# - Asked after every frame, the network knows a move after two or three, and one that turns back when it turns.
# - Of real people, a single mean pose tells a lot, and a network that reads joints and their motion more.
# - Eyes trained for motions know no digits, and the other way round; side by side they write captions. One caption for all has
#   a BLEU that is not nothing. Count facts.
#
# ## What is not known from this
#
# - Digits on black are no world. Nothing else moves, the camera stands still, and one thing is in the picture; in real videos
#   the background alone often gives the class away, so that votes of single frames are hard to beat.
# - That the GRU on single frames is slow was seen in one recipe, of this size and length. It may catch up.
# - One clip after another was made so that the vote must fail. How many questions about real videos are of that kind is another
#   matter.
# - One start each for the single frames, there and back, one after another and the captions; three for pairs and poses.
# - 176 test clips of people: one of them is more than half a point, and clips of one recording may lie on one side of the split only
#   because the official split says so.
# - Joints were marked by hand. What a detector finds in a dark video is another matter.
#
# ## References
#
# - LeCun, Bottou, Bengio and Haffner (1998), *Gradient-based learning applied to document recognition*, Proceedings of the
#   IEEE 86: the digits. Srivastava, Mansimov and Salakhutdinov (2015), *Unsupervised learning of video representations using
#   LSTMs*, ICML: digits that move.
# - Karpathy et al. (2014), *Large-scale video classification with convolutional neural networks*, CVPR: single frames, early and
#   late fusion, and how little motion added.
# - Donahue et al. (2015), *Long-term recurrent convolutional networks for visual recognition and description*, CVPR; Ng et al.
#   (2015), *Beyond short snippets*, CVPR: convolutions see, an LSTM watches.
# - Simonyan and Zisserman (2014), *Two-stream convolutional networks for action recognition in videos*, NIPS: give the network
#   the motion, and it need not find it.
# - Jhuang, Gall, Zuffi, Schmid and Black (2013), *Towards understanding action recognition*, ICCV: J-HMDB, the joints.
# - Yang, Wu, Sakti and Nakamura (2019), *Make skeleton-based action recognition model smaller, faster and better*, ACM
#   Multimedia Asia: DD-Net, joints and their motion at two speeds.
# - Venugopalan et al. (2015), *Sequence to sequence – video to text*, ICCV: a recurrent network watches, another one writes.
# - Sundararajan, Taly and Yan (2017), *Axiomatic attribution for deep networks*, ICML: integrated gradients.
#
# ## The figures of this run
#
# The last cells collect them, first of the five networks.

# %%
of_networks = {
    "test_accuracy": float(right["pairs, GRU"].mean()),
    "test_accuracy_std": float(right["pairs, GRU"].std()),
    "frame_only_accuracy": float(right["frames vote"].mean()),
    "late_fusion_accuracy": float(right["frames pooled"].mean()),
    "single_frames_gru_accuracy": float(right["frames, GRU"].mean()),
    "baseline_accuracy": float(right["pairs vote"].mean()),
    "baseline_accuracy_std": float(right["pairs vote"].std()),
    "chance": 1 / len(names),
    "ceiling_without_order": ceiling,
    "minutes_per_model": float(np.mean(minutes["pairs, GRU"])),
}

# %% [markdown]
# When it knew:

# %%
known_early = {
    f"known_after_{frames}_{group.replace(' ', '_')}": float(early[group][frames - 1])
    for group in early
    for frames in (2, 4, 16)
}

# %% [markdown]
# Of there and back, of the shuffled clips, and of what was opened:

# %%
of_order = known_early | {
    "there_and_back_gru": returned["pairs, GRU"],
    "there_and_back_vote": returned["pairs vote"],
    **{f"first_by_{name.replace(' ', '_')}": share for name, share in emptied.items()},
    **{f"in_a_row_{name.replace(' ', '_')}": share for name, share in kept.items()},
    "shuffled_direction": direction,
    **{f"shuffling_{name.replace(',', '').replace(' ', '_')}": score for name, score in shuffling.items()},
    "attribution_on_digit": on_digit,
    "attribution_in_last_quarter": last_quarter,
    "area_of_digit": float(squares.mean()),
    "parting_after_1": float(parting[0]),
    "parting_after_16": float(parting[-1]),
}

# %% [markdown]
# Of the captions:

# %%
of_captions = {
    "caption_exact": told_right["both"],
    "caption_bleu": told_bleu["both"],
    "usual_caption_bleu": told_bleu["one for all"],
    "digit_eyes_accuracy": digit_accuracy,
    **{f"caption_exact_{name.replace(' ', '_')}_eyes": told_right[name] for name in ("motion", "digit")},
    **{
        f"caption_{fact}_{name}_eyes": told_facts[name][fact]
        for name in ("motion", "digit", "both")
        for fact in told_facts[name]
    },
}

# %% [markdown]
# Of the people:

# %%
of_people = {
    "poses_test_accuracy": float(pose_scores.mean()),
    "poses_test_accuracy_std": float(pose_scores.std()),
    "poses_baseline_accuracy": max(pose_baselines.values()),
    **{f"poses_{name.replace(' ', '_')}_accuracy": share for name, share in pose_baselines.items()},
    **{f"poses_{name.replace(' ', '_')}": float(scores.mean()) for name, scores in pose_order.items()},
    **reversals,
    "poses_minutes_per_model": float(np.mean(pose_minutes)),
}

# %% [markdown]
# `rnn-course run` reads `results`.

# %%
results = {
    "minutes": (time.perf_counter() - began) / 60,
    "source": data.source,
    "seeds": len(SEEDS),
    **(of_networks | of_order | of_people | of_captions),
}
results
