"""The bilingual grammar: both sides are well formed, its truth is true, its sample is its output."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.data import load_translation, make_sentence_pairs
from rnn_course.data.bilingual import (
    ADJECTIVES,
    ADVERBS,
    BEINGS,
    CONJUNCTIONS,
    DETERMINERS,
    PREPOSITIONS,
    THINGS,
    VERBS_ALONE,
    VERBS_WITH_OBJECT,
    read_aligned_pairs,
    write_sentence_pairs,
)
from rnn_course.data.registry import shipped
from rnn_course.words import split_words

# What a speaker knows, written down here once more.
FEMININE = ["niña", "mujer", "reina", "maestra", "casa", "mesa", "carta", "puerta", "silla", "flor", "llave"]
FORMS = {  # gender and number of the determiners; "." is either gender
    "el": "m1 the", "la": "f1 the", "los": "m2 the", "las": "f2 the",
    "un": "m1 a", "una": "f1 a", "unos": "m2 some", "unas": "f2 some",
    "este": "m1 this", "esta": "f1 this", "estos": "m2 these", "estas": "f2 these",
    "cada": ".1 every", "muchos": "m2 many", "muchas": "f2 many",
    "nuestro": "m1 our", "nuestra": "f1 our", "nuestros": "m2 our", "nuestras": "f2 our",
}  # fmt: skip
WORDS = """
    perro dog|gato cat|caballo horse|pájaro bird|niño boy|niña girl|hombre man|mujer woman|rey king|reina queen|
    maestra teacher|médico doctor|casa house|mesa table|libro book|carta letter|puerta door|silla chair|árbol tree|
    jardín garden|río river|flor flower|llave key|coche car|barco boat|
    rojo red|pequeño small|nuevo new|blanco white|negro black|rico rich|alto tall|grande big|verde green|triste sad|
    fuerte strong|azul blue|
    duerme sleep|canta sing|corre run|baila dance|salta jump|cae fall|ve see|compra buy|vende sell|pinta paint|
    busca seek|rompe break|lleva carry|encuentra find|
    siempre always|también also|todavía still|lentamente slowly|tranquilamente quietly|raramente rarely|
    con with|sin without|bajo under|tras behind|en in|y and|porque because|mientras while|pero but
"""
LEXICON = dict(pair.split() for pair in WORDS.split("|"))
NOUNS, QUALITIES = list(LEXICON)[:25], list(LEXICON)[25:37]
ACTIONS = list(LEXICON)[37:51]
JOINING = ["y", "porque", "mientras", "pero"]
BASES = [LEXICON[verb] for verb in ACTIONS]


def spanish_plural(word):
    accents = str.maketrans("áéíóú", "aeiou")
    return word + "s" if word[-1] in "aeo" else (word if word == "árbol" else word.translate(accents)) + "es"


def english_plural(word):
    return {"man": "men", "woman": "women"}.get(word, word + "s")


def third_person(verb):
    return verb[:-1] + "ies" if verb.endswith("ry") else verb + "s"


def noun_forms():
    """Return {a noun's form: (gender, number, English)}."""
    forms = {}
    for noun in NOUNS:
        gender = "f" if noun in FEMININE else "m"
        forms[noun] = (gender, "1", LEXICON[noun])
        forms[spanish_plural(noun)] = (gender, "2", english_plural(LEXICON[noun]))
    return forms


def quality_forms():
    """Return {an adjective's form: (gender, number, English)}, the gender "." where it has one form for both."""
    forms = {}
    for quality in QUALITIES:
        for gender, form in (("m", quality), ("f", quality[:-1] + "a")) if quality[-1] == "o" else ((".", quality),):
            forms[form] = (gender, "1", LEXICON[quality])
            forms[spanish_plural(form)] = (gender, "2", LEXICON[quality])
    return forms


NOUN, QUALITY = noun_forms(), quality_forms()
ENGLISH_NOUN = {english: number for _, number, english in NOUN.values()}
VERB = {verb: ("1", verb) for verb in ACTIONS} | {f"{verb}n": ("2", verb) for verb in ACTIONS}


def clauses_of(tokens, joining):
    """Cut tokens into clauses, without signs."""
    clauses = [[]]
    for token in tokens:
        if token in joining:
            clauses.append([])
        elif token.strip("￭").isalpha():
            clauses[-1].append(token)
    return clauses


@pytest.fixture(scope="module")
def pairs():
    return make_sentence_pairs(2_000, seed=5)


@pytest.fixture(scope="module")
def tokens(pairs):
    return [(split_words(source), split_words(target), links) for source, target, links in zip(*pairs, strict=True)]


# --- well formed ------------------------------------------------------------------------------------------------------


def test_the_tables_hold_what_a_speaker_knows():
    nouns = {
        form: (row[2], str(1 + index), row[3 + index]) for row in BEINGS + THINGS for index, form in enumerate(row[:2])
    }
    assert nouns == NOUN
    adjectives = {form: row[4] for row in ADJECTIVES for form in row[:4]}
    assert adjectives == {form: english for form, (*_, english) in QUALITY.items()}
    verbs = {tuple(row) for row in VERBS_ALONE + VERBS_WITH_OBJECT}
    assert verbs == {(verb, f"{verb}n", third_person(LEXICON[verb]), LEXICON[verb]) for verb in ACTIONS}
    single = dict(map(tuple, ADVERBS + PREPOSITIONS + CONJUNCTIONS))
    assert single == {word: LEXICON[word] for word in list(LEXICON)[51:]}
    determiners = {
        form: row[4 + index // 2] for row in DETERMINERS for index, form in enumerate(row[:4]) if form != "-"
    }
    assert determiners == {form: told.split()[1] for form, told in FORMS.items()}


def test_every_spanish_form_has_one_meaning_and_every_meaning_one_word():
    kinds = (set(FORMS), set(NOUN), set(QUALITY), set(VERB), set(list(LEXICON)[51:]), {"no"})
    assert sum(map(len, kinds)) == len(set.union(*kinds))
    assert len(set(LEXICON.values())) == len(LEXICON) == 66


def test_determiners_and_adjectives_agree_with_their_noun(tokens):
    seen = Counter()
    for spanish, _, _ in tokens:
        for before, noun, after in zip(spanish, spanish[1:], spanish[2:], strict=False):
            if noun not in NOUN:
                continue
            gender, number, _ = NOUN[noun]
            assert re.fullmatch(f"[{gender}.]{number}", FORMS[before].split()[0]), (before, noun)
            if after in QUALITY:
                assert QUALITY[after][0] in (gender, ".") and QUALITY[after][1] == number, (noun, after)
            seen[gender + number, after in QUALITY] += 1
    assert len(seen) == 8 and min(seen.values()) > 100


def test_the_verb_agrees_with_its_subject_in_both_languages(tokens):
    seen = Counter()
    for spanish, english, _ in tokens:
        for clause in clauses_of(spanish, JOINING):
            subject = next(token for token in clause if token in NOUN)
            (verb,) = (token for token in clause if token in VERB)
            assert VERB[verb][0] == NOUN[subject][1], clause
        for clause in clauses_of(english, [LEXICON[word] for word in JOINING]):
            number = next(ENGLISH_NOUN[token] for token in clause if token in ENGLISH_NOUN)
            verbs = [token for token in clause if token in BASES or token in map(third_person, BASES)]
            helper = [token for token in clause if token in ("do", "does")]
            assert helper in ([], ["does" if number == "1" else "do"]), clause
            assert (verbs[0] in BASES) == bool(helper or number == "2") and len(verbs) == 1, clause
            seen[number, bool(helper)] += 1
    assert len(seen) == 4 and min(seen.values()) > 100


def test_no_word_after_a_begins_with_a_vowel(tokens):
    followers = {after for _, english, _ in tokens for before, after in pairwise(english) if before == "a"}
    assert followers and not [word for word in followers if word[0] in "aeiou"]


def test_sentences_begin_with_a_capital_and_end_with_a_sign(pairs):
    for source, target in zip(pairs.sources, pairs.targets, strict=True):
        sign = source[-1]
        assert target[-1] == sign in ".!?"
        assert source[0] == {".": source[0], "!": "¡", "?": "¿"}[sign]
        assert source.strip("¿¡")[0].isupper() and target[0].isupper()
        assert len(re.findall(r"[¿¡.!?]", source)) == (1 if sign == "." else 2)
    assert {source[-1] for source in pairs.sources} == set(".!?")


# --- the truth --------------------------------------------------------------------------------------------------------


def meaning(spanish):
    """Return every English word that one Spanish token may become."""
    if spanish in VERB:
        base = LEXICON[VERB[spanish][1]]
        return {base, third_person(base)} if VERB[spanish][0] == "1" else {base}
    if spanish in NOUN or spanish in QUALITY:
        return {{**NOUN, **QUALITY}[spanish][2]}
    if spanish in FORMS:
        return {FORMS[spanish].split()[1]}
    signs = {"￭.": {"￭."}, "￭,": {"￭,"}, "no": {"do", "does", "not"}}
    signs |= {"¿￭": {"￭?"}, "￭?": {"￭?"}, "¡￭": {"￭!"}, "￭!": {"￭!"}}
    return signs[spanish] if spanish in signs else {LEXICON[spanish]}


def test_every_link_pairs_a_word_with_its_translation(tokens):
    for spanish, english, links in tokens:
        assert (links.dtype, links.shape[1]) == (np.int64, 2)
        assert all(english[there] in meaning(spanish[here]) for here, there in links)


def test_every_token_of_both_sides_has_its_links(tokens):
    for spanish, english, links in tokens:
        assert Counter(links[:, 1].tolist()) == {
            there: 2 if token in ("￭?", "￭!") else 1 for there, token in enumerate(english)
        }
        assert Counter(links[:, 0].tolist()) == {here: 2 if token == "no" else 1 for here, token in enumerate(spanish)}


def test_adjectives_and_adverbs_change_places_and_nothing_else_does(tokens):
    crossed = Counter()
    for spanish, _, links in tokens:
        order = [here for here, _ in links.tolist() if spanish[here] not in ("¿￭", "¡￭")]  # in that of English
        for first, second in pairwise(order):
            if second < first:
                assert first == second + 1
                crossed[kind_of(spanish[first]), kind_of(spanish[second])] += 1
        order = set(pairwise(order))
        for here, (before, after) in enumerate(pairwise(spanish)):
            if (kind_of(before), kind_of(after)) in (("noun", "adjective"), ("verb", "adverb")):
                assert (here + 1, here) in order
    assert set(crossed) == {("adjective", "noun"), ("adverb", "verb")}
    assert min(crossed.values()) > 500


def kind_of(spanish):
    kinds = {"noun": NOUN, "adjective": QUALITY, "verb": VERB, "adverb": list(LEXICON)[51:57]}
    return next((kind for kind, words in kinds.items() if spanish in words), "other")


@pytest.mark.parametrize(
    ("source", "target", "links"),
    [
        ("La mujer roja baila.", "The red woman dances.", "0-0 2-1 1-2 3-3 4-4"),
        ("Un hombre no pinta nuestros barcos.", "A man does not paint our boats.", "0-0 1-1 2-2 2-3 3-4 4-5 5-6 6-7"),
        ("¿Nuestra reina duerme?", "Our queen sleeps?", "1-0 2-1 3-2 4-3 0-3"),
        (
            "¡Los niños en una flor alta no corren raramente!",
            "The boys in a tall flower do not rarely run!",
            "1-0 2-1 3-2 4-3 6-4 5-5 7-6 7-7 9-8 8-9 10-10 0-10",
        ),
    ],
)
def test_some_sentences_read_as_a_reader_would_align_them(source, target, links):
    found = [make_sentence_pairs(1, seed=seed) for seed in (12, 10, 5, 4)]
    pairs = {pair.sources[0]: (pair.targets[0], pair.alignments[0].tolist()) for pair in found}
    assert pairs[source] == (target, [[int(place) for place in link.split("-")] for link in links.split()])


# --- many of them -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_a_sentence_has_at_most_as_many_clauses_as_asked_for(seed, longest):
    made = make_sentence_pairs(60, seed=seed, longest_clauses=longest)
    clauses = [len(clauses_of(split_words(source), JOINING)) for source in made.sources]
    assert max(clauses) <= longest
    assert min(clauses) == 1


def test_lengths_go_from_three_words_to_more_than_twenty_five(pairs):
    lengths = [len(source.split()) for source in pairs.sources]
    assert min(lengths) == 3
    assert max(lengths) > 25
    assert all(lengths.count(length) > 10 for length in range(3, 25))


def test_pairs_are_distinct_by_their_words_and_the_beginning_of_more():
    made = make_sentence_pairs(500, seed=1)
    assert len({source.strip("¿¡.!?") for source in made.sources}) == len(made.sources) == 500
    fewer = make_sentence_pairs(101, seed=1)
    assert (fewer.sources, fewer.targets) == (made.sources[:101], made.targets[:101])
    assert make_sentence_pairs(101, seed=2).sources != fewer.sources


@pytest.mark.parametrize("sizes", [{"count": 0}, {"count": 1, "longest_clauses": 0}])
def test_nothing_cannot_be_written(sizes):
    with pytest.raises(ValueError, match="pass a `count` and `longest_clauses` of at least 1"):
        make_sentence_pairs(seed=0, **sizes)


# --- the sample -------------------------------------------------------------------------------------------------------


def test_the_sample_reads_back_with_its_truth():
    loaded, made, first = load_translation("sample"), make_sentence_pairs(3_800, seed=0), 0
    for split, size in zip(loaded[:3], (3_000, 300, 500), strict=True):
        last = first + size
        assert (split.sources, split.targets) == (made.sources[first:last], made.targets[first:last])
        for left, right in zip(split.alignments, made.alignments[first:last], strict=True):
            np.testing.assert_array_equal(left, right, strict=True)
        first = last


def test_the_committed_sample_is_what_the_grammar_writes_today(tmp_path):
    write_sentence_pairs(tmp_path / "again.tsv")
    committed = shipped("data", "samples", "sentence_pairs.tsv")
    assert (tmp_path / "again.tsv").read_bytes() == committed.read_bytes()
    assert committed.stat().st_size < 720_000
    assert set(read_aligned_pairs(committed)) == {"train", "dev", "test"}


def test_no_sentence_of_the_sample_is_in_two_splits():
    for side in (0, 1):
        sides = [text.strip("¿¡.!?") for split in load_translation("sample")[:3] for text in split[side]]
        assert len(set(sides)) == len(sides) == 3_800


def test_the_card_describes_the_sample():
    loaded = load_translation("sample")
    everything = [pair for split in loaded[:3] for pair in zip(*split, strict=True)]
    lengths = [len(source.split()) for source, _, _ in everything]
    spanish, english = ({token for pair in everything for token in split_words(pair[side])} for side in (0, 1))
    clauses = Counter(len(clauses_of(split_words(source), JOINING)) for source, _, _ in everything)
    back = np.concatenate([links[1:, 0] < links[:-1, 0] for *_, links in everything])
    card = " ".join(loaded.card.split())
    assert f"{np.mean(lengths):.1f} words on average ({min(lengths)} to {max(lengths)})" in card
    assert f"{len(spanish)} different Spanish tokens and {len(english)} different English ones" in card
    assert " / ".join(f"{clauses[count]:,}" for count in (1, 2, 3, 4)) + " sentences" in card
    assert f"{np.mean([(np.diff(links[:, 0]) < 0).any() for *_, links in everything]):.0%}".replace("%", " %") in card
    assert f"at {back.mean():.0%}".replace("%", " %") + " of the links the source position steps back" in card
