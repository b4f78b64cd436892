"""What a character costs while a model writes: three ways to drive the same network, side by side in one run.

    uv run python benchmarks/generation.py [--repeats 7] [--characters 512]

The models: Embedding(67, 64), one or two recurrent layers of 256 units, Dense(67); one text at a time.

    predict   the loop that most code has: a stateful model, `model.predict` on one character, softmax and choice in
              NumPy. This is its fair form. Reading the whole text again for every character (`reread`) costs more the
              longer the text is, on top of that.
    one step  TensorFlow's tutorial on text generation: a `tf.function` that takes one character and the states, masks
              what must not be drawn, divides by the temperature and draws; Python calls it for every character. Also
              with `jit_compile=True`, which the tutorial does not use.
    sampler   `rnn_course.generation.Sampler`: all of that inside one compiled loop.

The ways take turns, so that a busy moment of the machine hits them all. Each is warmed up, so compiling is not in
these figures; it is printed by itself. `predict` writes fewer characters a turn, for it would take minutes.
"""

import argparse
import os
import platform
import time
from functools import partial
from statistics import median

import numpy as np
from quiet import without_stderr

VOCABULARY, EMBEDDING, TEMPERATURE = 67, 64, 0.8
FILTERS = {"none": {}, "top-k 20": {"top_k": 20}, "top-p 0.9": {"top_p": 0.9}, "both": {"top_k": 20, "top_p": 0.9}}


with without_stderr():
    import keras
    import tensorflow as tf

    from rnn_course.decoding import sample
    from rnn_course.generation import Sampler
    from rnn_course.models.language_model import build_language_model
    from rnn_course.sequences import Vocabulary
    from rnn_course.streaming import build_step_model

CHARACTERS = Vocabulary.from_texts([[chr(33 + index) for index in range(VOCABULARY - 2)]])
PROMPT = CHARACTERS.tokens[2]
FIRST = CHARACTERS.encode([PROMPT])[0]


def build(cell, layers, *, batch=None):
    keras.utils.set_random_seed(0)
    return build_language_model(
        vocabulary=VOCABULARY, embedding=EMBEDDING, units=(256,) * layers, cell=cell, batch=batch
    )


def draw(logits, rng):
    """Temperature, mask and choice in NumPy, `(vocabulary,)` -> id."""
    return int(sample(np.where(np.arange(VOCABULARY) < 2, -np.inf, logits), temperature=TEMPERATURE, rng=rng))


def write_by_predict(stateful, characters):
    rng, drawn = np.random.default_rng(0), FIRST
    for _ in range(characters):
        logits = stateful.predict(np.array([[drawn]], "int32"), verbose=0)
        drawn = draw(logits[0, -1], rng)


def write_by_reading_again(model, before, characters):
    rng, ids = np.random.default_rng(0), [FIRST] * before
    for _ in range(characters):
        logits = model.predict(np.array([ids], "int32"), verbose=0)
        ids = [*ids[1:], draw(logits[0, -1], rng)]  # kept at one length: growing, every call would be traced anew


class OneStep(tf.Module):
    """The tutorial's class of that name around a Keras model of one step, without its table of strings."""

    def __init__(self, model, *, jit_compile):
        super().__init__()
        self.step = build_step_model(model)
        self.compiled = tf.function(self.generate_one_step, jit_compile=jit_compile)
        self.mask = tf.constant([[-np.inf] * 2 + [0.0] * (VOCABULARY - 2)])

    def generate_one_step(self, ids, states):
        logits, *states = self.step([ids, *states])
        logits = logits[:, -1] / TEMPERATURE + self.mask
        return tf.random.categorical(logits, 1, dtype=tf.int32), states


def write_step_by_step(one_step, characters):
    ids = tf.constant([[FIRST]])
    states = [tf.zeros((1, state.shape[1])) for state in one_step.step.inputs[1:]]
    written = []
    for _ in range(characters):
        ids, states = one_step.compiled(ids, states)
        written.append(ids)
    return tf.concat(written, axis=1).numpy()


def write_by_sampler(sampler, characters, **filters):
    options = {"temperature": TEMPERATURE, **filters}
    return sampler.generate(PROMPT, length=characters, rng=np.random.default_rng(0), **options)


def microseconds(ways, repeats, *, warm_up=1):
    """Measure {name: (function of a number of characters, number)}: median microseconds a character, taking turns."""
    seconds = {name: [] for name in ways}
    for turn in range(warm_up + repeats):
        for name, (write, characters) in ways.items():
            begin = time.perf_counter()
            write(characters)
            if turn >= warm_up:
                seconds[name].append((time.perf_counter() - begin) / characters)
    return {name: 1e6 * median(values) for name, values in seconds.items()}


def row(what, slow, quick, target=None):
    verdict = "" if target is None else "pass" if slow / quick >= target else "miss"
    asked = "" if target is None else f"≥ {target:g}"
    print(f"{what:<50} {slow:>11,.1f} {quick:>9.1f} {slow / quick:>9.1f}  {asked:<6} {verdict}".rstrip(), flush=True)


def compare_ways(cell, layers, repeats, characters):
    name = f"{cell.upper()}(256) x {layers}"
    model, stateful = build(cell, layers), build(cell, layers, batch=1)
    sampler = Sampler(model, CHARACTERS)
    begin = time.perf_counter()
    write_by_sampler(sampler, 1)
    compiling = time.perf_counter() - begin
    took = microseconds(
        {
            "predict": (partial(write_by_predict, stateful), max(1, characters // 32)),
            "one step": (partial(write_step_by_step, OneStep(model, jit_compile=False)), characters),
            "jitted step": (partial(write_step_by_step, OneStep(model, jit_compile=True)), characters),
            "sampler": (partial(write_by_sampler, sampler), characters),
        },
        repeats,
    )
    row(f"{name}: predict / sampler", took["predict"], took["sampler"], 100)
    row(f"{name}: one compiled step a call / sampler", took["one step"], took["sampler"], 3)
    row(f"{name}: one step with jit_compile / sampler", took["jitted step"], took["sampler"])
    speeds = ", ".join(f"{way} {1e6 / each:,.0f}" for way, each in took.items())
    print(f"{'':<4}characters per second: {speeds}; the first call of the sampler took {compiling:.1f} s")


def compare_filters(cell, layers, repeats, characters):
    sampler = Sampler(build(cell, layers), CHARACTERS)
    ways = {name: (partial(write_by_sampler, sampler, **filters), characters) for name, filters in FILTERS.items()}
    each = ", ".join(f"{name} {took:.1f}" for name, took in microseconds(ways, repeats).items())
    print(f"{cell.upper()}(256) x {layers}: sampler, µs a character by filter: {each}", flush=True)


def show_reading_again(cell, layers, repeats):
    model = build(cell, layers)
    ways = {before: (partial(write_by_reading_again, model, before), 5) for before in (1, 100, 400)}
    each = ", ".join(f"{took / 1e3:.1f} after {before}" for before, took in microseconds(ways, repeats).items())
    print(f"{cell.upper()}(256) x {layers}: reread, ms a character: {each} characters", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7, help="turns that the medians are taken over")
    parser.add_argument("--characters", type=int, default=512, help="characters that the quick ways write a turn")
    arguments = parser.parse_args()
    repeats, characters = arguments.repeats, arguments.characters
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, TensorFlow {tf.__version__}"
    print(f"{os.cpu_count()} cores, {versions}")
    print(
        f"vocabulary {VOCABULARY}, embedding {EMBEDDING}, one text; medians of {repeats} turns, {characters} characters"
    )
    print(f"\n{'a / b':<50} {'a, µs':>11} {'b, µs':>9} {'ratio':>9}  target")
    for cell in ("lstm", "gru"):
        for layers in (1, 2):
            compare_ways(cell, layers, repeats, characters)
    for cell in ("lstm", "gru"):
        compare_filters(cell, 1, repeats, characters)
    show_reading_again("lstm", 1, max(1, repeats // 2))


if __name__ == "__main__":
    main()
