"""A character model that writes: the compiled loop against a plain one, and what it must leave alone."""

import functools
import time

import keras
import numpy as np
import pytest

from rnn_course.decoding import distribution, greedy, log_softmax, sample
from rnn_course.generation import BLOCK, Sampler, SamplingLoop, first_beyond, weights_of
from rnn_course.models.language_model import build_language_model
from rnn_course.sequences import Vocabulary
from rnn_course.streaming import build_step_model

CHARACTERS = "abcdefghijklmnop ,.\n"
VOCABULARY = Vocabulary.from_texts([list(CHARACTERS)])
SIZE = len(VOCABULARY)
SETTINGS = {
    "plain": {},
    "cold": {"temperature": 0.4},
    "hot": {"temperature": 1.8},
    "top-k": {"top_k": 3},
    "top-p": {"top_p": 0.7},
    "all of them": {"temperature": 0.8, "top_k": 8, "top_p": 0.9},
    "nothing left out": {"top_k": 500, "top_p": 1},
    "greedy": {"greedy": True},
}


def build(cell="lstm", *, units=(12, 9), batch=None, seed=1):
    model = build_language_model(vocabulary=SIZE, embedding=6, units=units, cell=cell, batch=batch)
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.7, weight.shape) for weight in model.get_weights()])
    return model


@functools.cache
def trained(cell):
    """Give a model that no test changes, the compiled sampler and the step that the plain loop calls."""
    model = build(cell)
    step = build_step_model(model)
    step.compile(jit_compile=True)
    return model, Sampler(model, VOCABULARY), step


def write_plainly(step, prompt, *, length, rng=None, greedy_choice=False, **options):
    """The loop as one would write it in NumPy: returns text, probabilities and the model's own ones."""
    ids, chances, own = VOCABULARY.encode(list(prompt)), [], []
    states = [np.zeros((1, state.shape[1]), "float32") for state in step.inputs[1:]]
    for t in range(len(ids) + length - 1):
        logits, *states = step.predict_on_batch([np.array([[ids[t]]], "int32"), *states])
        logits = logits[0, 0].astype("float64")
        if t < len(prompt) - 1:
            continue
        own.append(np.exp(log_softmax(logits)))
        logits[:2] = -np.inf  # padding and unknown
        choice = greedy(logits) if greedy_choice else sample(logits, rng=rng, **options)
        chances.append(1.0 if greedy_choice else distribution(logits, **options)[choice])
        own[-1] = own[-1][choice]
        ids.append(int(choice))
    return "".join(VOCABULARY.decode(ids[len(prompt) :])), np.array(chances), np.array(own)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_compiled_loop_writes_what_a_plain_loop_writes(cell, setting):
    _, sampler, step = trained(cell)
    options = dict(SETTINGS[setting])
    greedy_choice = options.pop("greedy", False)
    for seed in range(3):
        prompt = "ab, a\ncad"[: 2 * seed + 1]
        written = sampler.generate(prompt, length=60, greedy=greedy_choice, rng=np.random.default_rng(seed), **options)
        text, chances, own = write_plainly(
            step, prompt, length=60, rng=np.random.default_rng(seed), greedy_choice=greedy_choice, **options
        )
        assert written.text == text
        np.testing.assert_allclose(written.probabilities, chances, rtol=1e-4)
        np.testing.assert_allclose(written.model_probabilities, own, rtol=1e-4)
        assert len(set(text)) > 1  # a model that says one thing only would prove nothing


@pytest.mark.parametrize(
    ("before", "length"), [(1, BLOCK), (1, BLOCK + 1), (BLOCK, 1), (BLOCK + 1, 1), (BLOCK + 5, 520)]
)
def test_texts_longer_than_one_block_go_on_where_the_block_stopped(before, length):
    _, sampler, step = trained("gru")
    prompt = ("abc, de.\n" * 100)[:before]
    written = sampler.generate(prompt, length=length, top_k=6, rng=np.random.default_rng(3))
    text, _, own = write_plainly(step, prompt, length=length, top_k=6, rng=np.random.default_rng(3))
    assert (written.text, len(written.text)) == (text, length)
    assert written.probabilities.shape == written.model_probabilities.shape == (length,)
    np.testing.assert_allclose(written.model_probabilities, own, rtol=1e-3)


def test_a_longer_text_begins_with_the_shorter_one():
    _, sampler, _ = trained("lstm")
    short, long = (sampler.generate("a", length=length, rng=np.random.default_rng(4)) for length in (20, 700))
    assert long.text.startswith(short.text)
    np.testing.assert_array_equal(long.probabilities[:20], short.probabilities)


def test_nothing_is_compiled_a_second_time_whatever_changes(monkeypatch):
    traces, read = [], SamplingLoop.read
    monkeypatch.setattr(SamplingLoop, "read", lambda *given: traces.append(1) or read(*given))
    sampler = Sampler(build("gru", units=(8,)), VOCABULARY)

    def seconds(prompt, length, seed, options):
        begin = time.perf_counter()
        sampler.generate(prompt, length=length, rng=np.random.default_rng(seed), **options)
        return time.perf_counter() - begin

    first, traced = seconds("a", 5, 0, {}), len(traces)
    changes = [("abc" * 40, 7, 1, {}), ("b", 3 * BLOCK, 1, {}), ("c", 1, 2, {"temperature": 0.1})]
    took = [seconds(*change) for change in [*changes, *(("a", 9, 3, options) for options in SETTINGS.values())]]
    assert len(traces) == traced >= 1
    # XLA compiles without a trace where it takes a number for a constant: then every text lasts as long as the first.
    assert np.median(took) < first / 5


def test_further_training_is_heard_at_once():
    model = build("lstm", units=(8,))
    sampler = Sampler(model, VOCABULARY)
    before = sampler.generate("a", length=50, greedy=True)
    model.compile(optimizer=keras.optimizers.Adam(0.1), loss=keras.losses.SparseCategoricalCrossentropy(True))
    ids = np.array([VOCABULARY.encode(list("bcabcabcabca"))] * 4)
    model.fit(ids[:, :-1], ids[:, 1:], epochs=30, verbose=0)
    assert sampler.generate("a", length=9, greedy=True).text == "bcabcabca" != before.text[:9]
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    np.testing.assert_allclose(
        sampler.generate("a", length=4, rng=np.random.default_rng(0)).model_probabilities, 1 / SIZE, rtol=1e-6
    )


def test_the_states_of_a_stateful_model_are_neither_read_nor_touched():
    stateful, twin = build("lstm", batch=2), build("lstm")
    rng = np.random.default_rng(0)
    for layer in stateful.layers[2:5:2]:
        for state in layer.states:
            state.assign(rng.normal(size=state.shape))
    before = [keras.ops.convert_to_numpy(state) for layer in stateful.layers[2:5:2] for state in layer.states]
    written = Sampler(stateful, VOCABULARY).generate("abc", length=80, rng=np.random.default_rng(1))
    after = [keras.ops.convert_to_numpy(state) for layer in stateful.layers[2:5:2] for state in layer.states]
    assert len(before) == 4
    for state, same in zip(before, after, strict=True):
        np.testing.assert_array_equal(state, same)
    assert written.text == Sampler(twin, VOCABULARY).generate("abc", length=80, rng=np.random.default_rng(1)).text


@functools.cache
def speaker():
    """Give a small model and its sampler, compiled once for all tests that set its weights."""
    model = build("gru", units=(4,))
    return model, Sampler(model, VOCABULARY)


def saying(logits):
    """Give the sampler of a model that has these logits whatever it reads; a model's new weights are heard at once."""
    model, sampler = speaker()
    *rest, kernel, _ = model.get_weights()
    model.set_weights([*rest, np.zeros_like(kernel), logits])
    return sampler


def certain_of(index):
    """Give the sampler of a model that is sure of one id, and to which all others are alike."""
    return saying(np.where(np.arange(SIZE) == index, 50.0, 0.0))


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("options", [{"greedy": True}, {}, {"top_k": 2}, {"top_p": 0.5}, {"temperature": 9.0}])
def test_padding_and_unknown_are_never_drawn_even_where_the_model_is_sure_of_them(index, options):
    sampler = certain_of(index)
    written = sampler.generate("a", length=40, rng=np.random.default_rng(0), **options)
    assert set(written.text) <= set(CHARACTERS) and len(written.text) == 40
    # Without them all 20 characters are equally likely; the model itself gives each of them exp(-50).
    expected = {"greedy": 1, "top_k": 1 / 2, "top_p": 1 / 10}.get(next(iter(options), ""), 1 / 20)
    np.testing.assert_allclose(written.probabilities, expected, rtol=1e-5)
    np.testing.assert_allclose(written.model_probabilities, np.exp(-50), rtol=1e-4)


def test_of_equally_likely_characters_the_first_ids_stay():
    first = VOCABULARY.tokens[2:12]
    sampler = certain_of(0)
    rng = np.random.default_rng(0)
    assert set(sampler.generate("a", length=300, top_k=3, rng=rng).text) == set(first[:3])
    assert set(sampler.generate("a", length=300, top_p=0.5, rng=rng).text) == set(first)
    assert set(sampler.generate("a", length=30, greedy=True).text) == set(first[:1])


@pytest.mark.parametrize("options", [{}, {"top_k": 4}, {"top_p": 0.6}, {"temperature": 1e-45}, {"temperature": 30.0}])
@pytest.mark.parametrize("scale", [1.0, 2000.0])
def test_compiled_weights_are_the_distribution_of_the_decoding_room(options, scale):
    rng = np.random.default_rng(7)
    for logits in (rng.normal(0, scale, SIZE), scale * rng.integers(-1, 2, SIZE)):
        given = [options.get("temperature", 1.0), options.get("top_k", np.inf), options.get("top_p", 1.0)]
        given[0] = max(given[0], np.finfo("float32").tiny)
        found = keras.ops.convert_to_numpy(weights_of(logits.astype("float32"), np.array(given, "float32")))
        allowed = np.where(np.arange(SIZE) < 2, -np.inf, logits.astype("float32"))
        np.testing.assert_allclose(found / found.sum(), distribution(allowed, **options), atol=2e-6)


def test_a_number_that_float32_rounds_up_to_one_still_chooses_something_possible():
    weights = np.array([0, 0, 0.3, 0.5, 0, 0.2, 0], "float32")
    assert np.float32(np.nextafter(1, 0)) == 1
    assert [int(first_beyond(weights, np.float32(number))) for number in (0, 0.31, 0.79, 0.81, 1)] == [2, 3, 3, 5, 5]


def test_every_character_is_drawn_as_often_as_the_model_says():
    # Probabilities in proportion to 3, 4, …, 22, for the first two ids are not drawn.
    drawn = saying(np.log(np.arange(1.0, SIZE + 1))).generate("a", length=20_000, rng=np.random.default_rng(2)).text
    expected = np.arange(3, SIZE + 1) / np.arange(3, SIZE + 1).sum()
    counts = np.array([drawn.count(token) for token in VOCABULARY.tokens[2:]])
    assert counts.sum() == 20_000
    assert (np.abs(counts - 20_000 * expected) <= 4 * np.sqrt(20_000 * expected * (1 - expected))).all()


def test_a_model_that_gives_one_answer_for_a_sequence_writes_too():
    tokens = keras.Input((None,), dtype="int32")
    last = keras.layers.GRU(7)(keras.layers.Embedding(SIZE, 5)(tokens))
    model = keras.Model(tokens, keras.layers.Dense(SIZE)(last))
    written = Sampler(model, VOCABULARY).generate("ab", length=12, greedy=True)
    for place in range(12):
        read = np.array([VOCABULARY.encode(list("ab" + written.text[:place]))])
        logits = keras.ops.convert_to_numpy(model(read))[0]
        assert VOCABULARY.tokens[2 + greedy(logits[2:])] == written.text[place]


def test_the_text_reads_on_from_its_prompt():
    _, sampler, _ = trained("lstm")
    written = sampler.generate("abc", length=6, greedy=True)
    assert str(written) == "abc" + written.text == written.prompt + written.text
    assert repr(written) == f"Generated(6 characters after 'abc': {written.text!r})"
    with pytest.raises(AttributeError):
        written.text = ""


def test_exactly_as_many_numbers_are_drawn_as_characters():
    _, sampler, _ = trained("lstm")
    rng = np.random.default_rng(9)
    sampler.generate("abc", length=7, rng=rng)
    assert rng.random() == np.random.default_rng(9).random(8)[-1]


def test_a_seed_writes_what_its_generator_writes():
    _, sampler, _ = trained("lstm")
    one, two = (sampler.generate("abc", length=40, rng=rng).text for rng in (9, np.random.default_rng(9)))
    assert one == two != sampler.generate("abc", length=40, rng=8).text


@pytest.mark.parametrize(
    ("prompt", "options", "complaint"),
    [
        ("", {}, r"The prompt is empty.*Pass such as '\\n'"),
        ("abZc", {}, r"Character 'Z' at position 2 of the prompt is not in the vocabulary.*it knows '.*a.*'"),
        ("a", {"length": 0}, "length is 0; pass how many characters to write, a whole number from 1 on"),
        ("a", {"length": 2.5}, "length is 2.5; pass how many characters"),
        ("a", {"rng": None}, r"rng is missing\. Pass numpy\.random\.default_rng\(seed\)"),
        ("a", {"temperature": 0}, "temperature is 0; pass a number above 0.*use `greedy`"),
        ("a", {"top_k": 0}, "k is 0; pass how many choices stay"),
        ("a", {"top_p": 1.5}, "p is 1.5; pass the probability to keep"),
        ("a", {"top_p": 0}, "p is 0; pass the probability to keep"),
        ("a", {"greedy": True, "temperature": 0.5}, "greedy takes the most likely.*temperature=0.5.*leave greedy out"),
        ("a", {"greedy": True, "top_k": 5}, "greedy takes the most likely.*top_k=5"),
        ("a", {"greedy": True, "top_p": 0.5}, "greedy takes the most likely.*top_p=0.5"),
    ],
)
def test_what_cannot_be_written_is_refused(prompt, options, complaint):
    _, sampler, _ = trained("lstm")
    with pytest.raises(ValueError, match=complaint):
        sampler.generate(prompt, **{"length": 5, "rng": np.random.default_rng(0)} | options)


def test_a_model_that_has_run_away_is_named_as_such():
    with pytest.raises(ValueError, match=r"logits are not finite.*a lower learning rate or clipped gradients help"):
        saying(np.full(SIZE, np.nan)).generate("a", length=3, greedy=True)


def test_models_and_vocabularies_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"ends in \(None, None, 22\), expected \(…, 21\).*that it was trained with"):
        Sampler(build("gru"), Vocabulary(VOCABULARY.tokens[:-1]))
    with pytest.raises(ValueError, match=r"holds 'good', which is no single character.*from_texts\(\[list\(text\)\]\)"):
        Sampler(build("gru"), Vocabulary.from_texts(["good"]))
    vectors = keras.Input((None, 3))
    states = keras.layers.GRU(4, return_sequences=True)(vectors)
    with pytest.raises(ValueError, match=r"reads \(None, None, 3\), expected \(batch, time\) character ids"):
        Sampler(keras.Model(vectors, keras.layers.Dense(SIZE)(states)), VOCABULARY)
    for ending in ([keras.layers.Dense(SIZE, "softmax")], [keras.layers.Dense(SIZE), keras.layers.Softmax()]):
        tokens = [keras.Input((None,), dtype="int32"), keras.layers.Embedding(SIZE, 3)]
        model = keras.Sequential([*tokens, keras.layers.GRU(4, return_sequences=True), *ending])
        with pytest.raises(ValueError, match=r"ends in a softmax.*expected logits\. Build it without"):
            Sampler(model, VOCABULARY)
