"""What a translator costs: a step of training with all words or with candidates, and a sentence written in two ways.

    uv run python benchmarks/translation.py [--repeats 15] [--sentences 64]

The model: 12,000 source and 6,000 target words, embeddings of 128, 192 units, attention by products; random weights.

    whole        a step of training with the softmax over the whole vocabulary
    candidates   the same with `build_candidate_twin` and 1,024 candidates, drawing them included
    predict      greedy search as most code has it: for every word `model.predict` on all that is written so far
    Translator   `rnn_course.translation.Translator`, greedy and with a beam of 4, all sentences side by side

The ways take turns, so that a busy moment of the machine hits them all; each is warmed up before.
"""

import argparse
import time
from statistics import median

import numpy as np
from quiet import without_stderr

with without_stderr():
    import keras

    from rnn_course.candidates import sample_candidates
    from rnn_course.models import build_candidate_twin, build_translator
    from rnn_course.sequences import Vocabulary
    from rnn_course.translation import Translator
    from rnn_course.words import END, START

SOURCE, TARGET, CANDIDATES = 12_000, 6_000, 1_024
BATCH, WIDTH, LONGEST = 256, 9, 12


def build():
    keras.utils.set_random_seed(0)
    return build_translator(source_vocabulary=SOURCE, target_vocabulary=TARGET, embedding=128, units=192)


def ready(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0)
    model.compile(keras.optimizers.AdamW(1e-3, global_clipnorm=1.0), loss, jit_compile=True)
    return model


def seconds(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compare(ways, repeats):
    """Let the ways take turns; return the median seconds of each."""
    for work in ways.values():
        work()
        work()
    times = {name: [] for name in ways}
    for _ in range(repeats):
        for name, work in ways.items():
            times[name].append(seconds(work))
    return {name: median(taken) for name, taken in times.items()}


def training_ways():
    rng = np.random.default_rng(0)
    source = rng.integers(1, SOURCE, size=(BATCH, WIDTH))
    target = 1 + np.minimum(rng.zipf(1.4, size=(BATCH, WIDTH)), TARGET - 2)  # common words are common
    whole, twin = ready(build()), ready(build_candidate_twin(build()))

    def with_candidates():
        some = sample_candidates(target, vocabulary=TARGET, size=CANDIDATES, rng=rng)
        twin.train_on_batch([source, target, some.ids, some.correction], some.places)

    return {"whole": lambda: whole.train_on_batch([source, target], target), "candidates": with_candidates}


def writing_ways(sentences):
    source_words = Vocabulary(("", "<unk>", *(f"s{index}" for index in range(SOURCE - 2))))
    target_words = Vocabulary(("", "<unk>", START, END, *(f"t{index}" for index in range(TARGET - 4))))
    model, rng = build(), np.random.default_rng(0)
    texts = [" ".join(f"s{index}" for index in rng.integers(0, 5_000, size=8)) for _ in range(sentences)]
    translator = Translator(model, source_words, target_words, split=str.split, join=" ".join)

    def by_predict():
        source = np.array([source_words.encode(texts[0].split())])
        written = np.array([target_words.encode([START])])
        for _ in range(LONGEST):
            logits = model.predict([source, written], verbose=0)
            written = np.concatenate([written, logits[:, -1:].argmax(-1)], axis=1)

    def by_translator(width):
        return lambda: translator.translate_all(texts, width=width, longest=LONGEST)

    return {"predict": by_predict, "greedy": by_translator(1), "beam of 4": by_translator(4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--sentences", type=int, default=64)
    given = parser.parse_args()
    found = compare(training_ways(), given.repeats)
    for name, taken in found.items():
        print(f"training step, {name:10} {1_000 * taken:7.1f} ms")
    print(f"whole / candidates {found['whole'] / found['candidates']:.2f}")
    found = compare(writing_ways(given.sentences), max(3, given.repeats // 5))
    each = {name: taken / (1 if name == "predict" else given.sentences) for name, taken in found.items()}
    for name, taken in each.items():
        print(f"a sentence of {LONGEST} words, {name:10} {1_000 * taken:8.2f} ms")
    for name in ("greedy", "beam of 4"):
        print(f"predict / {name} {each['predict'] / each[name]:.0f}")


if __name__ == "__main__":
    main()
