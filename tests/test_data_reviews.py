"""The grammar of reviews: its truth is true, its words alone do not give the label away, its sample is its output."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from rnn_course.data import load_sentiment, make_reviews, samples
from rnn_course.data.registry import shipped
from rnn_course.data.reviews import POLAR

SIDES = {slot: [set(side.split()) for side in words.split("|")] for slot, words in POLAR.items()}
POSITIVE, NEGATIVE = (set.union(*(sides[i] for sides in SIDES.values())) for i in (0, 1))
CONNECTORS = {"but", "although", "though"}
NEGATORS = {"not", "n't", "never", "hardly", "nothing", "nobody", "no", "without", "nowhere"}


@pytest.fixture(scope="module")
def sample():
    return load_sentiment("sample")


@pytest.fixture(scope="module")
def reviews():
    return make_reviews(2_000, seed=3)


def tokens_with_truth(reviews):
    for text, *truth in zip(reviews.texts, reviews.negated, reviews.polarity, reviews.decides, strict=True):
        yield list(zip(text.split(), *truth, strict=True))


def read(text):
    """Judge a review as a reader would who knows the words and the rules, without the truth arrays."""
    clauses = re.split(r" , but | , even though | , and | , ", text.removeprefix("although ").removesuffix(" ."))
    meanings = [meaning for meaning in map(meaning_of, clauses) if meaning]
    return meanings[0] if " , even though " in text else meanings[-1]


def meaning_of(clause):
    words = clause.split()
    polarity = sum((word in POSITIVE) - (word in NEGATIVE) for word in words)
    return -polarity if NEGATORS & set(words) else polarity


def test_a_reader_who_knows_the_rules_gets_every_label_right(reviews):
    assert [read(text) for text in reviews.texts] == [1 if label else -1 for label in reviews.labels]


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_the_label_is_the_sign_of_what_decides(seed):
    made = make_reviews(40, seed=seed)
    for label, words in zip(made.labels, tokens_with_truth(made), strict=True):
        meaning = sum(int(polarity) * (-1 if negated else 1) for _, negated, polarity, decides in words if decides)
        assert np.sign(meaning) == (1 if label else -1)


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_truth_stands_beside_every_word(seed):
    made = make_reviews(40, seed=seed)
    assert (len(made.labels), made.labels.dtype) == (40, np.int64)
    for text, negated, polarity, decides in zip(made.texts, *made[2:], strict=True):
        words = text.split()
        assert " ".join(words) == text.lower() == text
        assert 4 <= len(words) <= 25
        assert [part.shape for part in (negated, polarity, decides)] == [(len(words),)] * 3
        assert [part.dtype for part in (negated, polarity, decides)] == [bool, np.int8, bool]


def test_a_word_has_its_polarity_wherever_it_stands(reviews):
    assert not POSITIVE & NEGATIVE
    for words in tokens_with_truth(reviews):
        for word, _, polarity, _ in words:
            assert polarity == (word in POSITIVE) - (word in NEGATIVE)


def test_the_scope_of_a_negator_opens_after_it_and_ends_with_its_clause(reviews):
    ends = {",", ".", "and", "but", "although", "though", "even"}
    for words in tokens_with_truth(reviews):
        inside = False
        for word, negated, _, _ in words:
            inside = inside and word not in ends
            assert negated == inside
            inside = inside or word in NEGATORS


def test_the_clause_that_decides_is_the_right_one(reviews):
    seen = Counter()
    for words in tokens_with_truth(reviews):
        text = " ".join(word for word, *_ in words)
        for connector, first, second in ((" , but ", None, True), (" , even though ", True, False)):
            if connector in text:
                cut = len(text.split(connector)[0].split())
                rest = [decides for word, *_, decides in words[cut:] if word not in (",", ".", "but", "even", "though")]
                assert set(rest) == {second}
                assert first is None or {decides for *_, decides in words[:cut]} == {first}
                seen[connector] += 1
        if text.startswith("although"):
            cut = text.split().index(",")
            assert [decides for *_, decides in words] == [i > cut and i < len(words) - 1 for i in range(len(words))]
            seen["although"] += 1
    assert min(seen[each] for each in (" , but ", " , even though ", "although")) > 50


def test_reviews_are_balanced_distinct_and_the_beginning_of_more():
    made = make_reviews(500, seed=1)
    assert len(set(made.texts)) == 500
    assert all(made.labels[:even].sum() == even / 2 for even in range(0, 501, 2))
    fewer = make_reviews(101, seed=1)
    assert fewer.texts == made.texts[:101]
    assert make_reviews(101, seed=2).texts != fewer.texts


def test_a_stands_before_consonants_and_an_before_vowels(reviews):
    pairs = [pair for text in reviews.texts for pair in zip(text.split(), text.split()[1:], strict=False)]
    followers = {article: {after for before, after in pairs if before == article} for article in ("a", "an")}
    assert followers["a"] and not any(word[0] in "aeiou" for word in followers["a"])
    assert followers["an"] and all(word[0] in "aeiou" for word in followers["an"])


def test_neither_negators_nor_connectors_tell_the_label_and_polar_words_only_lean():
    made = make_reviews(6_000, seed=5)
    share = {word: [] for word in NEGATORS | CONNECTORS | POSITIVE | NEGATIVE}
    for text, label in zip(made.texts, made.labels, strict=True):
        for word in share.keys() & set(text.split()):
            share[word].append(label)
    for word in NEGATORS | CONNECTORS:
        assert abs(np.mean(share[word]) - 0.5) < 3.5 * 0.5 / np.sqrt(len(share[word])), word
    assert 0.5 < np.mean(np.concatenate([share[word] for word in POSITIVE])) < 0.68
    assert 0.32 < np.mean(np.concatenate([share[word] for word in NEGATIVE])) < 0.5


def test_negation_often_works_at_a_distance(reviews):
    distances = []
    for words in tokens_with_truth(reviews):
        for at, (_, negated, polarity, _) in enumerate(words):
            if negated and polarity:
                distances.append(at - max(i for i in range(at) if words[i][0] in NEGATORS))
    assert np.mean(np.array(distances) > 1) > 0.8  # "not good" side by side would be one word pair
    assert max(distances) >= 6


def test_fillers_hold_negators_too(reviews):
    hits = [
        sum(negated for _, negated, *_ in words) and not any(negated and polarity for _, negated, polarity, _ in words)
        for words in tokens_with_truth(reviews)
    ]
    assert sum(map(bool, hits)) > 50


@pytest.mark.parametrize(
    "counts",
    [CountVectorizer(token_pattern=r"\S+"), TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))],
    ids=["words", "word pairs"],
)
def test_counting_words_does_not_solve_the_sample(sample, counts):
    model = make_pipeline(counts, LogisticRegression(max_iter=2_000)).fit(sample.train.texts, sample.train.labels)
    assert 0.55 <= model.score(sample.test.texts, sample.test.labels) <= 0.70


def test_no_review_of_the_sample_is_in_two_splits(sample):
    texts = [text for split in sample[:3] for text in split.texts]
    assert len(set(texts)) == len(texts) == 4_800


def test_the_sample_reads_back_with_its_truth(sample):
    made = make_reviews(4_800)
    first = 0
    for split in sample[:3]:
        last = first + len(split.texts)
        assert split.texts == made.texts[first:last]
        np.testing.assert_array_equal(split.labels, made.labels[first:last])
        for read_back, written in zip(split[2:], made[2:], strict=True):
            for left, right in zip(read_back, written[first:last], strict=True):
                np.testing.assert_array_equal(left, right, strict=True)
        first = last


def test_the_committed_samples_are_what_the_generators_write_today(tmp_path):
    folder = shipped("data", "samples")
    written = samples.write_samples(tmp_path)
    assert {path.name for path in written} == {path.name for path in folder.iterdir()}
    for path in written:
        fresh, committed = (each.read_text(encoding="utf-8").splitlines() for each in (path, folder / path.name))
        assert len(fresh) == len(committed)
        assert [pair for pair in zip(fresh, committed, strict=True) if pair[0] != pair[1]][:2] == []
        assert path.stat().st_size < 1_000_000


def test_the_card_describes_the_sample(sample):
    words = [word for split in sample[:3] for text in split.texts for word in text.split()]
    assert f"{len(set(words))} different words, {len(words) / 4_800:.1f} words a review" in sample.card


def test_no_reviews_cannot_be_written():
    with pytest.raises(ValueError, match="Cannot write 0 reviews; pass a `count` of at least 1"):
        make_reviews(0)
