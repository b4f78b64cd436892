"""A trained translator writes: the compiled search against the same search in NumPy, its options and its answers."""

import keras
import numpy as np
import pytest

from rnn_course.decoding import beam_search, log_softmax
from rnn_course.models import build_translator
from rnn_course.sequences import Vocabulary
from rnn_course.translation import Translator, translate
from rnn_course.words import END, START

SOURCE = Vocabulary(("", "<unk>", "uno", "dos", "tres", "gato", "￭."))
TARGET = Vocabulary(("", "<unk>", START, END, "one", "two", "three", "cat", "￭."))
BEGIN, STOP = TARGET.encode([START, END])
SENTENCES = ["Uno dos gato.", "Tres.", "Gato gato dos uno tres dos.", "Dos perro."]


def small_model(*, cell="gru", attention="dot", seed=0, sharpness=8.0):
    """A translator with random weights whose logits are far enough apart that rounding decides nothing."""
    keras.utils.set_random_seed(seed)
    model = build_translator(
        source_vocabulary=len(SOURCE), target_vocabulary=len(TARGET), embedding=6, units=8, cell=cell,
        attention=attention,
    )  # fmt: skip
    vectors, bias = model.get_layer("target_embedding").get_weights()
    bias[STOP] += 1.0  # so that some sentences end early
    model.get_layer("target_embedding").set_weights([sharpness * vectors, bias])
    return model


def biased(**biases):
    """A small translator with other biases for some tokens of the target."""
    model = small_model()
    vectors, bias = model.get_layer("target_embedding").get_weights()
    for token, value in biases.items():
        bias[TARGET.tokens.index(token)] = value
    model.get_layer("target_embedding").set_weights([vectors, bias])
    return model


def step_of(model, source):
    """The model as a step for `beam_search`: it reads anew all that was written, and never writes padding or start."""

    def step(tokens, written):
        written = np.concatenate([written, np.asarray(tokens)[:, None]], axis=1)  # (beams, time)
        logits = np.array(model([np.repeat(source, len(written), axis=0), written]), "float64")[:, -1]
        logits[:, [0, BEGIN]] = -np.inf
        return log_softmax(logits), written

    return step


@pytest.mark.parametrize(
    ("cell", "attention", "width", "penalty"),
    [("gru", "dot", 1, 1.0), ("gru", "additive", 4, 1.0), ("gru", None, 3, 0.0), ("lstm", "dot", 3, 0.7)],
)
def test_the_compiled_search_finds_what_the_search_in_numpy_finds(cell, attention, width, penalty):
    model = small_model(cell=cell, attention=attention, seed=width)
    found = Translator(model, SOURCE, TARGET).translate_all(SENTENCES, width=width, length_penalty=penalty, longest=7)
    for each in found:
        source = np.array([SOURCE.encode(each.source_tokens)])
        options = {"start": BEGIN, "end": STOP, "width": width, "longest": 7, "length_penalty": penalty}
        best = beam_search(step_of(model, source), np.zeros((1, 0), int), **options)[0]
        assert TARGET.encode(each.tokens) == list(best.tokens)
        np.testing.assert_allclose(each.log_probability, best.log_probability, rtol=1e-4)
        np.testing.assert_allclose(each.score, best.score, rtol=1e-4)


def test_a_sentence_is_translated_alike_alone_and_beside_longer_ones():
    translator = Translator(small_model(), SOURCE, TARGET)
    together = translator.translate_all(SENTENCES, batch_size=4)
    for text, each in zip(SENTENCES, together, strict=True):
        alone = translator.translate(text)
        assert alone.tokens == each.tokens
        np.testing.assert_allclose(alone.alignment, each.alignment, atol=1e-6)


def test_the_alignment_is_the_attention_that_the_model_pays_when_it_reads_the_translation():
    model = small_model(seed=3)
    found = Translator(model, SOURCE, TARGET).translate("Gato gato dos uno.", width=3, longest=8)
    source = np.array([SOURCE.encode(found.source_tokens)])
    read = np.array([[BEGIN, *TARGET.encode(found.tokens)]])[:, : len(found.tokens)]
    paid = keras.Model(model.inputs, model.get_layer("attention").output[1])([source, read])
    assert found.alignment.shape == (len(found.tokens), len(found.source_tokens))
    np.testing.assert_allclose(found.alignment, paid[0], atol=1e-5)
    np.testing.assert_allclose(found.alignment.sum(axis=1), 1, rtol=1e-5)


def test_a_model_without_attention_gives_no_alignment():
    assert Translator(small_model(attention=None), SOURCE, TARGET).translate("Uno.").alignment is None


def test_padding_and_start_are_never_written_and_the_end_closes_a_sentence():
    model = biased(**{"": 100.0, START: 100.0})
    for each in Translator(model, SOURCE, TARGET).translate_all(SENTENCES, longest=6):
        assert not {"", START, END} & set(each.tokens)
        assert each.finished or len(each.tokens) == 6


def test_a_model_that_ends_at_once_writes_nothing():
    found = Translator(biased(**{END: 1000.0}), SOURCE, TARGET).translate("Uno dos.")
    assert (found.text, found.tokens, found.finished, found.log_probability) == ("", (), True, 0.0)
    assert found.alignment.shape == (0, 3)


def test_words_that_the_model_does_not_know_are_named():
    found = Translator(small_model(), SOURCE, TARGET).translate("Dos perros y un gato.")
    assert found.unknown == ("perros", "y", "un")
    assert "unknown: perros, y, un" in repr(found)
    assert str(found) == found.text


def test_an_unknown_word_of_the_target_is_shown_as_such():
    assert Translator(biased(**{"<unk>": 1000.0}), SOURCE, TARGET).translate("Uno.", longest=2).text == "<unk> <unk>"


def test_weights_that_change_are_used_at_once():
    model = small_model()
    translator = Translator(model, SOURCE, TARGET)
    before = translator.translate("Uno dos.").log_probability
    model.set_weights(small_model(seed=7).get_weights())
    assert translator.translate("Uno dos.").log_probability != before


def test_one_sentence_needs_no_translator():
    model = small_model()
    assert translate(model, "Uno dos.", (SOURCE, TARGET), width=2).tokens == (
        Translator(model, SOURCE, TARGET).translate("Uno dos.", width=2).tokens
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing to translate in ''"),
        (" \n", "nothing to translate in "),
        ("uno " * 101, r"has 101 tokens, more than the 100 allowed: 'uno uno .*Cut it into sentences"),
    ],
)
def test_a_sentence_that_cannot_be_translated_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Translator(small_model(), SOURCE, TARGET).translate(text)


@pytest.mark.parametrize(
    "options", [{"width": 0}, {"width": 8}, {"width": 1.5}, {"longest": 0}, {"length_penalty": -1}, {"batch_size": 0}]
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValueError, match=r"is not possible; pass whole numbers from 1 on \(width at most 7\)"):
        Translator(small_model(), SOURCE, TARGET).translate("Uno.", **options)


def test_a_string_is_no_list_of_sentences():
    with pytest.raises(ValueError, match=r"texts is the string 'Uno\.'; pass a list of sentences"):
        Translator(small_model(), SOURCE, TARGET).translate_all("Uno.")


def test_nothing_in_nothing_out():
    assert Translator(small_model(), SOURCE, TARGET).translate_all([]) == []


def test_a_model_of_another_make_is_refused():
    model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(2)])
    with pytest.raises(ValueError, match=r"has no layers called source, encoder.* Pass a model of `build_translator`"):
        Translator(model, SOURCE, TARGET)


def test_vocabularies_of_another_model_are_refused():
    with pytest.raises(ValueError, match=r"knows 7 source tokens and the source vocabulary has 9"):
        Translator(small_model(), TARGET, SOURCE)
    without = Vocabulary(("", "<unk>", *"abcdefg"))
    with pytest.raises(ValueError, match="target vocabulary lacks '<start>' or '<end>'"):
        Translator(small_model(), SOURCE, without)


def test_weights_that_ran_away_are_reported():
    with pytest.raises(ValueError, match="logits are not finite"):
        Translator(biased(cat=np.nan), SOURCE, TARGET).translate("Uno.")


def test_any_way_of_cutting_will_do():
    source = Vocabulary(("", "<unk>", *"abcde"))
    translator = Translator(small_model(), source, TARGET, split=list, join=" ".join)
    found = translator.translate("abca", longest=3)
    assert found.source_tokens == tuple("abca")
    assert found.text == " ".join(found.tokens)
