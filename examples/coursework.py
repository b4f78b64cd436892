"""Open models that this course has never seen, trained on files of your own: every probe and every picture once.

    uv run python examples/coursework.py pictures              about a minute; the pictures go to the folder "pictures"
    uv run python examples/coursework.py pictures --epochs 2   quicker, and less is learned

Copy what you need. Each part takes its own kind of model: `open_reviews` a functional one, `open_clips` a subclassed
one, `open_sites` one inside another, `open_tune` one with a cell of its own, `open_pairs` one with two inputs and
attention. `write_files` writes the files that they read, so that the script runs anywhere; put yours in their place.
"""

import argparse
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from matplotlib import pyplot
from PIL import Image

from rnn_course import plots, probes
from rnn_course.biosequences import DNA, encode
from rnn_course.data import read_clips, read_fasta, read_labelled_text, read_midi
from rnn_course.layers import CrossAttention
from rnn_course.music import note_name, write_midi
from rnn_course.sequences import Vocabulary, mask_of, pad, tokenize, windows

FILLERS = tokenize("the film and its plot were here to see with a cast that we all knew from last year")
VERDICTS = ("dreadful", "boring", "clumsy"), ("superb", "lovely", "clever")
MOTIF = "TATAAT"
FIGURES = [60, 64, 67, 72, 67, 64], [62, 65, 69, 65], [59, 62, 67, 71]  # of the tune, MIDI numbers
START, LONGEST = 1, 6  # of the pairs: the token that begins a translation, and words in a sentence
EDGES = [(0, 1), (1, 2), (2, 3), (3, 0)]  # of the square in the clips, corner to corner


# --- files of your own ------------------------------------------------------------------------------------------------


def write_files(folder, rng):
    """Write the files that the parts read: reviews.csv, sites.fasta, tune.mid, and the folder clips."""
    rows = ["text,label"]
    for number in range(480):
        words = list(rng.choice(FILLERS, rng.integers(3, 9)))
        words.insert(rng.integers(len(words) + 1), rng.choice(VERDICTS[number % 2]))
        rows.append(f"{' '.join(words)},{('bad', 'good')[number % 2]}")
    (folder / "reviews.csv").write_text("\n".join(rows), encoding="utf-8")

    records = []
    for number in range(400):
        letters = "".join(rng.choice(list("ACGT"), 30))
        place = rng.integers(4, 20)
        planted = letters[:place] + MOTIF + letters[place + len(MOTIF) :]
        records.append(f">s{number} class={('none', 'site')[number % 2]}\n{planted if number % 2 else letters}")
    (folder / "sites.fasta").write_text("\n".join(records), encoding="utf-8")

    upper = np.concatenate([FIGURES[which] for which in rng.integers(len(FIGURES), size=60)])
    lower = np.repeat(upper[::4] - 24, 4)[: len(upper)]
    write_midi(np.stack([upper, lower], axis=1), folder / "tune.mid", step=0.5)

    for name in ("left", "right"):
        (folder / "clips" / name).mkdir(parents=True)
        for number in range(12):
            x = rng.integers(8, 13) + 2 * np.arange(-4, 4) * (1 if name == "right" else -1)
            frames = [square(place, rng.integers(7, 10), rng) for place in x]
            frames[0].save(folder / "clips" / name / f"{number}.gif", save_all=True, append_images=frames[1:])


def square(x, y, rng):
    """One frame, 24 × 24 noisy pixels, with a bright square whose upper left corner is at (x, y)."""
    pixels = rng.integers(0, 60, (24, 24), "uint8")
    pixels[y : y + 6, max(x, 0) : x + 6] = 230
    return Image.fromarray(pixels)


# --- what all parts share ---------------------------------------------------------------------------------------------


class Album:
    """A folder of pictures; call it with a name and what a plot returned, and the picture is saved and closed."""

    def __init__(self, folder):
        """Make the folder where it is not there."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, name, drawn):
        """Save the figure of an Axes, or of an array of them, as a PNG."""
        figure = np.ravel(drawn)[0].figure
        figure.savefig(self.folder / f"{name}.png", dpi=110)
        pyplot.close(figure)


class Minutes(keras.callbacks.Callback):
    """Notes how many minutes of training had passed after each epoch."""

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self.start, self.passed = time.perf_counter(), []

    def on_epoch_end(self, epoch, logs=None):
        """Read it."""
        self.passed.append((time.perf_counter() - self.start) / 60)


def softmax(logits):
    """Probabilities of classes from their logits, both `(…, classes)`."""
    return ops.convert_to_numpy(ops.softmax(ops.convert_to_tensor(logits), axis=-1))


# --- text: a functional model -----------------------------------------------------------------------------------------


def build_text_model(cell, vocabulary):
    """Word ids, a recurrent layer of 16 units, one logit."""
    tokens = keras.Input((None,), dtype="int32")
    vectors = layers.Embedding(vocabulary, 8, mask_zero=True)(tokens)
    model = keras.Model(tokens, layers.Dense(1)(cell(16, name="reader")(vectors)), name=f"text_{cell.__name__.lower()}")
    model.compile(keras.optimizers.Adam(0.02), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def open_reviews(album, files, epochs):
    """Train an LSTM and a GRU on labelled texts, and open them."""
    data = read_labelled_text(files / "reviews.csv")
    vocabulary = Vocabulary.from_texts(data.train.texts)
    train, dev, test = (
        (pad([vocabulary.encode(tokenize(text)) for text in part.texts], length=9), part.labels[:, None])
        for part in (data.train, data.dev, data.test)
    )
    models = {"LSTM": build_text_model(layers.LSTM, len(vocabulary))}
    models["GRU"] = build_text_model(layers.GRU, len(vocabulary))
    histories, watches, clocks = {}, {}, {}
    for name, model in models.items():
        watches[name], clocks[name] = probes.GradientFlowCallback(dev[0][:16], dev[1][:16]), Minutes()
        fit = {"epochs": epochs, "verbose": 0, "validation_data": dev, "callbacks": [watches[name], clocks[name]]}
        histories[name] = model.fit(*train, **fit).history
    accuracy = {name: model.evaluate(*test, verbose=0)[1] for name, model in models.items()}
    show_training(album, histories, watches, clocks)
    majority = max(test[1].mean(), 1 - test[1].mean())
    album("scores", plots.plot_scores(accuracy, baseline={"majority": majority}))
    show_gradients(album, models, *test)
    show_states(album, models["LSTM"], vocabulary, *test)
    show_costs(album, models, *test)
    found = show_answers(album, models["LSTM"], vocabulary, *test, data.labels)
    return {"text_accuracy": accuracy["LSTM"], **found}


def show_training(album, histories, watches, clocks):
    """Learning curves, and how far back the gradient reached while the models learned."""
    album("history", plots.plot_history(histories))
    curves = {name: (clocks[name].passed, history["val_loss"]) for name, history in histories.items()}
    album("minutes", plots.plot_against_minutes(curves, quantity="dev loss (nats)"))
    records = {name: watch.history for name, watch in watches.items()}
    norms, when = {name: record["norm"] for name, record in records.items()}, records["LSTM"]["epoch"]
    album("gradient_history", plots.plot_gradient_history(norms["LSTM"], epochs=when))
    album("gradient_stage", plots.plot_gradient_stage(norms, epochs=when))
    losses = {name: record["loss"] for name, record in records.items()}
    plots.animate_gradient_flow(norms, epochs=when, scores=losses).save(album.folder / "gradients.gif")


def show_answers(album, model, vocabulary, tokens, labels, names):
    """What the model answers, how sure it is, and which words moved it."""
    logits = model.predict(tokens, verbose=0)[:, 0]
    counts = np.zeros((2, 2), int)
    np.add.at(counts, (labels[:, 0], (logits > 0).astype(int)), 1)
    album("confusion", plots.plot_confusion(counts, names))
    album("calibration", plots.plot_calibration(softmax(np.stack([0 * logits, logits], axis=1)), labels[:, 0]))
    by_word = probes.input_attribution(model, tokens)
    words = [vocabulary.decode(row) for row in tokens]
    shown = [(text, values[: len(text)]) for text, values in zip(words, by_word.values, strict=True)]
    album("attribution", plots.plot_attribution(*shown[0]))
    album("highlighted_text", plots.plot_highlighted_text(*shown[0]))
    album("highlighted_texts", plots.plot_highlighted_texts(shown[:4]))
    plots.highlight_texts(shown).save(album.folder / "texts.html")
    verdicts = set(sum(VERDICTS, ()))
    hits = [text[np.abs(values).argmax()] in verdicts for text, values in shown]
    return {"verdict_found": np.mean(hits)}


def show_gradients(album, models, tokens, labels):
    """How far back the loss, the states and the Jacobians of both models reach."""
    few, targets = tokens[:16], labels[:16]
    total = {name: probes.gradient_flow(model, few, targets) for name, model in models.items()}
    direct = probes.gradient_flow(models["LSTM"], few, targets, kind="direct")
    norms = {f"{name}, total": flow.norm() for name, flow in total.items()} | {"LSTM, direct": direct.norm()}
    album("gradient_flow", plots.plot_gradient_flow(norms, against="lag"))
    profiles = {name: probes.lag_profile(flow.norm()) for name, flow in total.items()}
    album("lag_profile", plots.plot_lag_profile(profiles))
    spectra = {name: probes.jacobian_spectrum(model, few[:2]).singular_values for name, model in models.items()}
    album("spectrum", plots.plot_spectrum(spectra))
    album("connectivity", plots.plot_connectivity(probes.connectivity(models["LSTM"], few[:1]).values))


def show_states(album, model, vocabulary, tokens, labels):
    """What the units and gates of an LSTM did, and which unit holds the verdict."""
    seen = probes.trace(model, tokens, "reader")
    words = {"mask": seen.mask, "tokens": vocabulary.decode(tokens[0])}
    album("states", plots.plot_states(seen.hidden, **words))
    album("unit_over_time", plots.plot_unit_over_time(seen.hidden[:, :, :3], **words))
    album("gates", plots.plot_gates(seen.gates, **words))
    album("gate_image", plots.plot_gate_image(seen.gates["forget"], gate="forget", **words))
    saturation = probes.gate_saturation(seen)
    album("gate_saturation", plots.plot_gate_saturation(saturation.shut, saturation.open))
    parts = {name: part.recurrent_kernel for name, part in probes.gate_weights(model).items()}
    album("gate_weights", plots.plot_gate_weights(parts))
    album("eigenvalues", plots.plot_eigenvalues(probes.recurrent_spectral_radius(model).eigenvalues))
    kept = probes.memory_retention(model, tokens, step=0)
    album("retention", plots.plot_retention({"LSTM": kept.measured}, predicted={"LSTM": kept.predicted}))
    print(f"  half of what the gates hold is left after {np.median(probes.memory_half_life(seen).steps):.1f} words")
    points = probes.project_states(seen.hidden[:4], mask=seen.mask[:4]).points
    album("trajectories", plots.plot_trajectories(points, labels=[f"text {number}" for number in range(4)]))
    show_unit(album, model, vocabulary, seen, tokens, labels)


def show_unit(album, model, vocabulary, seen, tokens, labels):
    """Find the unit that follows the verdict, see where it is on, and take it away."""
    verdict = np.isin(tokens, vocabulary.encode([word for side in VERDICTS for word in side]))
    concept = np.cumsum(verdict, axis=1) * (2 * labels - 1)  # -1 or +1 from the verdict on, 0 before it
    units = probes.unit_concept_correlation(
        seen.hidden, concept, mask=seen.mask, permutations=200, rng=np.random.default_rng(0)
    )
    album("unit_concept", plots.plot_unit_concept(units.correlation, units.null, concept="the verdict so far"))
    for place in probes.top_activating_contexts(seen.hidden, units.best, mask=seen.mask, count=2, before=3, after=1):
        print(f"  unit {units.best} at {place.value:+.2f}: {vocabulary.decode(tokens[place.example])[: place.stop]}")
    asked = {"example": 0, "start": 1, "stop": 3, "threshold": 0.0, "mask": seen.mask, "count": 1}
    print(f"  the states look alike in {probes.match_state_pattern(seen.hidden, **asked)}")

    def score(held):
        answers = probes.ablate_units(model, tokens, held)
        return np.mean((answers > 0) == labels)

    others = [score([unit]) for unit in range(16) if unit != units.best]
    scores = {f"without unit {units.best}": score([units.best]), "without another": others}
    album("ablation", plots.plot_ablation(scores, baseline={"whole": score([])}))


def show_costs(album, models, tokens, labels):
    """How long the probes take, and how that grows with the length."""

    def milliseconds(act):
        start = time.perf_counter()
        act()
        return 1000 * (time.perf_counter() - start)

    model = models["LSTM"]
    acts = {
        "trace": lambda: probes.trace(model, tokens),
        "gradient_flow": lambda: probes.gradient_flow(model, tokens, labels),
    }
    times = {name: [milliseconds(act) for _ in range(3)] for name, act in acts.items()}
    album("latency", plots.plot_latency(times, unit="ms"))
    lengths = 9 * np.array([1, 2, 4, 8])
    costs = {
        name: (lengths, [milliseconds(lambda n=n, m=model: probes.trace(m, np.tile(tokens, n // 9))) for n in lengths])
        for name, model in models.items()
    }
    album("cost", plots.plot_cost(costs, quantity="a trace (ms)"))


# --- clips: a subclassed model ----------------------------------------------------------------------------------------


class ClipModel(keras.Model):
    """A small convolution on every frame, a GRU over the frames, one logit for each class."""

    def __init__(self, classes):
        """Make the layers; Keras builds them at the first call."""
        super().__init__(name="clip_model")
        self.scale = layers.Rescaling(1 / 255)
        self.eye = layers.TimeDistributed(layers.Conv2D(4, 5, strides=3, activation="relu"))
        self.flat = layers.TimeDistributed(layers.Flatten())
        self.watcher = layers.GRU(12, name="watcher")
        self.head = layers.Dense(classes)

    def call(self, frames):
        """Logits `(batch, classes)` of frames `(batch, time, height, width, channels)`."""
        return self.head(self.watcher(self.flat(self.eye(self.scale(frames)))))


def corners(frame):
    """The four corners of the bright square in a frame `(height, width)`: `(4, 2)`, x before y."""
    y, x = np.nonzero(frame > 100)
    return np.array([(x.min(), y.min()), (x.max(), y.min()), (x.max(), y.max()), (x.min(), y.max())], float)


def open_clips(album, files, epochs):
    """Train a subclassed model on a folder of videos, and open it."""
    clips = read_clips(files / "clips", frames=8, size=(24, 24), gray=True)
    train, _, test = (part.at(range(len(part))) for part in clips.split())
    model = ClipModel(len(clips.label_names))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    model.fit(train.frames, train.labels, batch_size=4, epochs=epochs, verbose=0)
    accuracy = model.evaluate(test.frames, test.labels, verbose=0)[1]

    frames, label = test.frames[0], int(test.labels[0])
    counted = probes.input_attribution(model, test.frames, output=label).values[0]
    states = probes.trace(model, test.frames).hidden[0]
    known = {
        "probabilities": softmax(model.head(states)),  # what it would answer if the clip ended here
        "label_names": clips.label_names,
        "truth": label,
        "activity": states,
    }
    album("frames", plots.plot_frames(frames, saliency=counted))
    album("frame_strip", plots.plot_frame_strip(frames, **known))
    album("recognition", plots.plot_recognition(known["probabilities"], labels=clips.label_names, truth=label))
    body = np.stack([corners(frame[..., 0]) for frame in frames])
    album("poses", plots.plot_poses(body, EDGES))
    album("pose_strip", plots.plot_pose_strip(body, EDGES, **known))
    on_square = frames[..., 0] > 100
    return {"clip_accuracy": accuracy, "saliency_on_square": np.abs(counted[on_square]).sum() / np.abs(counted).sum()}


# --- DNA: a model inside another --------------------------------------------------------------------------------------


def build_site_model():
    """Letters, a convolution in a model of its own, a bidirectional GRU, two logits."""
    scanner = keras.Sequential(
        [keras.Input((None, 4)), layers.Conv1D(8, len(MOTIF), activation="relu", name="motifs")], name="scanner"
    )
    letters = keras.Input((None, 4))
    states = layers.Bidirectional(layers.GRU(8), name="reader")(scanner(letters))
    model = keras.Model(letters, layers.Dense(2)(states), name="site_model")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    return model


def open_sites(album, files, epochs):
    """Train a nested model on a FASTA file, and find what it looks for."""
    data = read_fasta(files / "sites.fasta", labels=r"class=(\w+)")
    model = build_site_model()
    model.fit(encode(data.train.sequences, DNA), data.train.labels, epochs=2 * epochs, verbose=0)
    accuracy = model.evaluate(encode(data.test.sequences, DNA), data.test.labels, verbose=0)[1]
    sites = [text for text, label in zip(data.test.sequences, data.test.labels, strict=True) if label == 1][:20]
    print(f"  recurrent layers: {[ref.path for ref in probes.find_rnn_layers(model)]}")

    changed = probes.in_silico_mutagenesis(model, encode(sites, DNA), output=1)
    where = probes.motif_position(changed.importance(), len(MOTIF), mask=changed.mask)
    planted = sites[0].find(MOTIF) + 1, sites[0].find(MOTIF) + len(MOTIF)  # positions counted from 1
    album("mutagenesis", plots.plot_mutagenesis(changed.effect[0], "ACGT", sites[0], highlight=[planted]))
    heights = changed.heights()[0]
    album("logo", plots.plot_sequence_logo(heights, "ACGT", highlight=[planted], quantity="importance (nats)"))
    filters = probes.filter_matrix(model, encode(data.train.sequences, DNA))
    busiest = filters.probabilities[filters.highest.argmax()]
    album("filter", plots.plot_sequence_logo(busiest, "ACGT", quantity="share of the windows"))
    hits = [abs(place - text.find(MOTIF)) <= 1 for place, text in zip(where, sites, strict=True)]
    return {"site_accuracy": accuracy, "motif_found": np.mean(hits)}


# --- a tune: a cell of your own ---------------------------------------------------------------------------------------


@keras.saving.register_keras_serializable("coursework")
class LeakyCell(keras.layers.Layer):
    """A leaky integrator: each unit moves by a learned share r of the way: h' = (1 - r) h + r tanh(x W + h U + b)."""

    def __init__(self, units, **options):
        """Keep the number of units."""
        super().__init__(**options)
        self.state_size = units

    def build(self, shape):
        """Make the weights for inputs `(batch, features)`."""
        self.kernel = self.add_weight(shape=(shape[-1], self.state_size), name="kernel")
        self.recurrent = self.add_weight(shape=(self.state_size, self.state_size), name="recurrent")
        self.bias = self.add_weight(shape=(self.state_size,), initializer="zeros", name="bias")
        self.rate = self.add_weight(shape=(self.state_size,), initializer="zeros", name="rate")

    def call(self, inputs, states):
        """One step: the new hidden state `(batch, units)`, and it again as the list of states."""
        target = ops.tanh(ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent) + self.bias)
        hidden = states[0] + ops.sigmoid(self.rate) * (target - states[0])
        return hidden, [hidden]

    def get_config(self):
        """The argument, so that a model with this cell can be saved."""
        return {**super().get_config(), "units": self.state_size}


def open_tune(album, files, epochs):
    """Train a model with a cell of its own to foretell a tune's next note, and open it."""
    tunes = read_midi(files / "tune.mid", step=0.5, voices=2).tunes
    roll, voices = tunes.rolls[0], tunes.voices[0]
    keys, notes = np.unique(voices[:, 0], return_inverse=True)  # MIDI numbers, and which of them each frame has
    cut = np.array(windows(notes, length=33, step=8))
    inputs, targets = cut[:, :-1], cut[:, 1:]
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(len(keys), 8),
            layers.RNN(LeakyCell(24), return_sequences=True, name="leaky"),
            layers.Dense(len(keys)),
        ],
        name="tune_model",
    )
    model.compile(keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(inputs, targets, epochs=4 * epochs, batch_size=8, verbose=0)

    chances = softmax(model.predict(inputs[:1], verbose=0)[0])
    seen = probes.trace(model, inputs[:1])
    show_tune(album, roll[:32], voices[:32], seen.hidden[0])
    album("next_token", plots.plot_next_token(chances, [note_name(key) for key in keys], chosen=targets[0], top=4))
    mean = chances @ keys
    spread = np.sqrt(chances @ keys**2 - mean**2)
    surprise = -np.log(chances[np.arange(32), targets[0]])
    album("forecast", plots.plot_forecast(keys[targets[0]], mean, spread, start=1, quantity="MIDI number"))
    album("surprise", plots.plot_surprise(surprise, start=1, threshold=np.log(len(keys))))

    flow = probes.gradient_flow(model, inputs[:4], targets[:4], "leaky", loss_step=-1)
    album("own_cell_gradient", plots.plot_gradient_flow({"leaky": flow.norm()}))
    spectrum = probes.jacobian_spectrum(model, inputs[:1])
    album("own_cell_spectrum", plots.plot_spectrum({"leaky": spectrum.singular_values}))
    show_refusal()
    return {"tune_surprise": surprise[8:].mean(), "tune_chance": np.log(len(keys))}


def show_tune(album, roll, voices, states):
    """The tune as bars and as an image, and what the units did meanwhile."""
    album("piano_roll", plots.plot_piano_roll(voices, labels=["upper", "lower"], step=0.5))
    album("activity", plots.plot_activity(states, step=0.5))
    album("roll_with_activity", plots.plot_roll_with_activity(roll, states[:, 0], step=0.5))


def show_refusal():
    """Where a probe cannot open a layer, it says why and what to do."""
    cells = [layers.LSTMCell(4), layers.LSTMCell(4)]
    model = keras.Sequential([keras.Input((5, 3)), layers.RNN(cells, name="tower")], name="stacked")
    try:
        probes.trace(model, np.ones((1, 5, 3)))
    except probes.ReplayError as error:
        print(f"  refused: {error}")


# --- pairs: two inputs and attention ----------------------------------------------------------------------------------


def build_pair_model(words):
    """Word ids of a sentence and of its translation so far, attention between them, logits of the next word."""
    source, target = (keras.Input((None,), dtype="int32", name=name) for name in ("source", "target"))
    memory, state = layers.GRU(32, return_sequences=True, return_state=True, name="encoder")(
        layers.Embedding(words, 16, mask_zero=True)(source)
    )
    queries = layers.GRU(32, return_sequences=True, name="decoder")(
        layers.Embedding(words, 16, mask_zero=True)(target), initial_state=state
    )
    context, _ = CrossAttention(32, name="look")(queries, memory)
    model = keras.Model([source, target], layers.Dense(words)(layers.Concatenate()([queries, context])), name="pairs")
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def open_pairs(album, files, epochs):
    """Train a model to say sentences backwards, see where it looks, and what its encoder still knows."""
    rng = np.random.default_rng(1)
    sentences = [rng.integers(2, 12, rng.integers(3, LONGEST + 1)) for _ in range(800)]
    source, answer = pad(sentences), pad([sentence[::-1] for sentence in sentences])
    so_far = np.where(answer != 0, np.pad(answer, [(0, 0), (1, 0)], constant_values=START)[:, :-1], 0)
    model = build_pair_model(12)
    model.fit([source, so_far], answer, sample_weight=mask_of(answer).astype("float32"), epochs=2 * epochs, verbose=0)

    few = [source[:100], so_far[:100]]
    look = probes.attention_weights(model, few)
    links = [[(len(each) - 1 - place, place) for place in range(len(each))] for each in sentences[:100]]
    agreement = probes.alignment_agreement(look.weights, links)
    words = [f"w{index}" for index in range(12)]
    read, made = ([words[index] for index in ids[0] if index] for ids in (source, answer))
    album("alignment", plots.plot_alignment(look.weights[0], source=read, target=made, truth=links[0]))

    def score(logits):
        return np.mean(logits.argmax(-1)[look.target_mask] == answer[:100][look.target_mask])

    alike = probes.ablate_attention(
        model, few, lambda weights, real: np.ones_like(weights) * real[:, None] / real.sum(-1)[:, None, None]
    )
    scores = {"where it looks": score(model.predict(few, verbose=0)), "everywhere alike": score(alike)}
    album("attention_ablation", plots.plot_ablation(scores, quantity="share of words that are right"))
    last = probes.trace(model, few, "encoder").hidden[:, -1]
    known = probes.read_back(last, source[:100], fit=np.arange(100) < 70)
    curves = {"read off the last state": known.accuracy}
    groups = range(1, LONGEST + 1)
    album(
        "read_back",
        plots.plot_breakdown(
            curves, groups=groups, counts=known.count, x="word", y="share read back", baseline=known.chance
        ),
    )
    return {"alignment": agreement.share, "pair_accuracy": scores["where it looks"]}


PARTS = {"reviews": open_reviews, "clips": open_clips, "sites": open_sites, "tune": open_tune, "pairs": open_pairs}


def main(argv=None):
    """Run all parts, or those that are named; return what was found, name -> number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="where the pictures go")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    arguments = parser.parse_args(argv)
    keras.utils.set_random_seed(0)
    album, found = Album(arguments.folder), {}
    with tempfile.TemporaryDirectory() as files:
        write_files(Path(files), np.random.default_rng(0))
        for name in arguments.parts:
            print(f"{name} …", flush=True)
            start = time.perf_counter()
            found |= PARTS[name](album, Path(files), arguments.epochs)
            print(f"  {time.perf_counter() - start:.0f} s")
    for name, value in found.items():
        print(f"{name:>20}  {value:.3f}")
    print(f"{len(list(album.folder.iterdir()))} files in {album.folder}")
    return {name: float(value) for name, value in found.items()}


if __name__ == "__main__":
    main()
