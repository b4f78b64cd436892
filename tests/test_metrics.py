"""How good an answer is: known answers, and what must hold for any logits."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnn_course.metrics import (
    area_under_precision_recall,
    area_under_roc,
    bits,
    bleu,
    chrf,
    cross_entropy,
    expected_calibration_error,
    macro_f1,
    perplexity,
    surprisal,
    token_accuracy,
)

LOGITS = arrays.arrays("float64", (2, 3, 4), elements=st.floats(-1e4, 1e4))
TARGETS = arrays.arrays("int32", (2, 3), elements=st.integers(0, 3))
QUIET = settings(deadline=None, max_examples=100)


def test_the_surprisal_is_the_log_of_one_over_the_probability():
    chances = np.array([[0.5, 0.25, 0.25], [0.125, 0.875, 0.0]])
    with np.errstate(divide="ignore"):
        logits = np.log(chances) + 3
    np.testing.assert_allclose(surprisal(logits, [1, 0]), [np.log(4), np.log(8)])
    np.testing.assert_array_equal(surprisal(logits, [0, 2]), [np.log(2), np.inf])


def test_a_uniform_guess_costs_the_log_of_the_number_of_choices():
    nats = cross_entropy(np.full((4, 9, 67), -12.5, "float32"), np.arange(36).reshape(4, 9))
    assert isinstance(nats, float)
    assert nats == pytest.approx(np.log(67), rel=1e-12)
    assert perplexity(nats) == pytest.approx(67)
    assert bits(nats) == pytest.approx(np.log2(67))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_huge_logits_neither_overflow_nor_vanish(dtype):
    logits = np.array([[1e4, -1e4], [-1e4, -1e4], [1e4, 1e4 - 8]], dtype)
    np.testing.assert_allclose(surprisal(logits, [1, 0, 0]), [2e4, np.log(2), np.log1p(np.exp(-8))], rtol=1e-12)
    uneven = np.array([1e4, 0.3], dtype)  # their difference has more digits than either
    np.testing.assert_allclose(surprisal(uneven, 1), float(uneven[0]) - float(uneven[1]), rtol=1e-12)


def test_only_real_steps_count_and_each_of_them_once():
    # Surprisals log 2 and log 4 in a long sequence, log 16 in a short one: 7/3 log 2 on average over three steps.
    logits = np.zeros((2, 2, 16))
    logits[0, 0, 2:] = logits[0, 1, 4:] = -np.inf
    mask = [[True, True], [True, False]]
    assert cross_entropy(logits, np.ones((2, 2), int), mask=mask) == pytest.approx(7 / 3 * np.log(2))


def test_what_stands_at_masked_steps_does_not_matter():
    logits, targets, mask = np.zeros((1, 4, 5)), np.array([[1, 2, -1, 99]]), [[True, True, False, False]]
    logits[0, 2:] = np.nan
    assert cross_entropy(logits, targets, mask=mask) == pytest.approx(np.log(5))


@given(LOGITS, TARGETS, st.floats(-1e3, 1e3))
@QUIET
def test_a_constant_added_to_all_logits_changes_nothing(logits, targets, constant):
    np.testing.assert_allclose(surprisal(logits + constant, targets), surprisal(logits, targets), atol=1e-8)


@given(LOGITS)
@QUIET
def test_the_probabilities_of_all_targets_sum_to_one(logits):
    chances = [np.exp(-surprisal(logits, np.full((2, 3), target))) for target in range(4)]
    np.testing.assert_allclose(np.sum(chances, axis=0), 1)


@given(LOGITS, TARGETS, arrays.arrays(bool, (2, 3)))
@QUIET
def test_a_masked_mean_is_the_mean_of_the_steps_that_are_left(logits, targets, mask):
    mask[0, 0] = True
    chosen = [surprisal(logits, targets)[place] for place in zip(*np.nonzero(mask), strict=True)]
    assert cross_entropy(logits, targets, mask=mask) == pytest.approx(sum(chosen) / len(chosen))


def test_nats_bits_and_perplexity_of_a_coin():
    np.testing.assert_allclose(bits(np.log([2.0, 4.0])), [1, 2])
    np.testing.assert_allclose(perplexity(np.log([2.0, 4.0])), [2, 4])
    assert perplexity(0.0) == 1
    assert perplexity(np.inf) == np.inf == perplexity(1e4)


@pytest.mark.parametrize(
    ("logits", "targets", "complaint"),
    [
        (np.zeros((2, 3)), [0, 1, 2], r"logits \(2, 3\) and targets \(3,\) do not fit; expected \(…, size\) and \(…\)"),
        (np.zeros((2, 3)), [0.0, 1.0], "of type float64, expected integers: indices, not one-hot vectors"),
        (np.zeros((2, 3)), [0, 3], r"Targets \[3\] are outside the 3 choices of the logits \(0 to 2\)"),
        (np.zeros((2, 3)), [-1, 0], r"Targets \[-1\] are outside"),
        ([[np.nan, 0.0]], [0], "NaN"),
        ([[0.0, np.inf]], [0], r"\+inf"),
        ([[-np.inf, -np.inf]], [0], "all -inf"),
    ],
)
def test_what_has_no_surprisal_is_refused(logits, targets, complaint):
    with pytest.raises(ValueError, match=complaint):
        surprisal(logits, targets)


def test_a_mask_that_fits_nothing_or_hides_everything_is_refused():
    with pytest.raises(ValueError, match=r"targets \(3,\) and mask \(2,\) do not fit; expected \(…, size\), \(…\)"):
        cross_entropy(np.zeros((3, 4)), [0, 1, 2], mask=[True, True])
    with pytest.raises(ValueError, match=r"no real step to average over\. Pass a mask that is True somewhere"):
        cross_entropy(np.zeros((3, 4)), [0, 1, 2], mask=np.zeros(3, bool))


# --- decisions --------------------------------------------------------------------------------------------------------


def test_two_of_three_real_steps_are_right():
    # One wrong step in the long sequence, none in the short one: 2/3, where a mean of means would say (1/2 + 1) / 2.
    predictions = np.array([[5, 7], [4, 9]])
    found = token_accuracy(predictions, [[5, 6], [4, 0]], mask=[[True, True], [True, False]])
    assert isinstance(found, float)
    assert found == pytest.approx(2 / 3)
    assert token_accuracy(predictions, [[5, 6], [4, 0]]) == 2 / 4


def test_a_step_of_padding_that_agrees_earns_nothing():
    assert token_accuracy([3, 0, 0, 0], [2, 0, 0, 0], mask=[True, False, False, False]) == 0


@pytest.mark.parametrize(
    ("predictions", "targets", "mask", "complaint"),
    [
        (np.zeros((2, 3, 9)), np.zeros((2, 3), int), None, r"predictions \(2, 3, 9\), targets \(2, 3\).*Take `argmax"),
        ([1, 2], [1, 2], [True], r"mask \(1,\) do not fit; expected the same shape for all"),
        ([1.0, 2.0], [1, 2], None, "predictions are of type float64.*expected integers"),
        ([1, 2], [1, 2], [False, False], "no real step to count. Pass a mask that is True somewhere"),
        ([], [], None, "no real step to count"),
    ],
)
def test_predictions_that_cannot_be_counted_are_refused(predictions, targets, mask, complaint):
    with pytest.raises(ValueError, match=complaint):
        token_accuracy(predictions, targets, mask=mask)


# --- translations -----------------------------------------------------------------------------------------------------


def test_bleu_is_the_geometric_mean_of_four_precisions():
    # The last of five words is wrong: 4/5, 3/4, 2/3 and 1/2 of the n-grams are right. Their product is 1/5.
    found = bleu(["the old cat sleeps here"], [["the old cat sleeps there"]])
    np.testing.assert_allclose(found.precisions, [80, 75, 200 / 3, 50])
    assert found.brevity_penalty == 1
    assert float(found) == found.score == pytest.approx(100 * (1 / 5) ** (1 / 4))


def test_a_short_translation_pays_the_brevity_penalty():
    # Everything is right, but there are four words where the reference has five: exp(1 - 5/4).
    found = bleu(["the old cat sleeps"], [["the old cat sleeps here"]])
    np.testing.assert_allclose(found.precisions, [100, 100, 100, 100])
    assert found.brevity_penalty == pytest.approx(np.exp(-1 / 4))
    assert found.score == pytest.approx(100 * np.exp(-1 / 4))
    assert bleu(["the old cat sleeps here"], [["the old cat sleeps"]]).brevity_penalty == 1


def test_counts_and_lengths_are_added_up_over_the_corpus_before_anything_is_divided():
    # Right are 5 + 2 of 5 + 3 words, 4 + 1 of 4 + 2 pairs, 3 + 0 of 3 + 1 triples, 2 + 0 of 2 + 0 runs of four; the
    # lengths are 8 against 5 + 4. The second text by itself would score 0: it has no run of four.
    found = bleu(["a b c d e", "f g x"], [["a b c d e"], ["f g h i"]])
    np.testing.assert_allclose(found.precisions, [700 / 8, 500 / 6, 300 / 4, 100])
    assert found.score == pytest.approx(100 * (7 / 8 * 5 / 6 * 3 / 4) ** (1 / 4) * np.exp(1 - 9 / 8))
    assert float(bleu(["f g x"], [["f g h i"]])) == 0


def test_an_empty_translation_makes_the_corpus_too_short_and_is_no_error():
    # 4 words where the references have 4 + 4: exp(1 - 8/4).
    found = bleu(["the old cat sleeps", ""], [["the old cat sleeps"], ["a dog barks loudly"]])
    np.testing.assert_allclose(found.precisions, [100, 100, 100, 100])
    assert found.score == pytest.approx(100 * np.exp(-1))
    assert float(bleu([""], [["a dog barks loudly"]])) == 0 == float(chrf([""], [["a dog barks loudly"]]))


def test_a_run_of_words_may_be_in_any_of_the_references():
    # "sleeps now" and the runs through it are in the second reference, "the old cat" in the first; "cat sleeps" is in
    # neither. Right: 5/5, 3/4, 1/3 and 0/2; for the last, "exp" smoothing takes half of 1/2. The product is 1/16.
    references = [["the old cat yawns now", "dogs sleeps now", "no sleeps"]]
    found = bleu(["the old cat sleeps now"], references)
    np.testing.assert_allclose(found.precisions, [100, 75, 100 / 3, 25])
    assert found.score == pytest.approx(50)


def test_a_word_counts_as_often_as_in_the_reference_that_has_it_most():
    # "the" five times, at most two of them in one reference: 2/5 of the words.
    assert bleu(["the the the the the"], [["the cat and the", "one the more"]]).precisions[0] == pytest.approx(40)


def test_references_that_only_some_translations_have_change_nothing_for_the_others():
    # One word, whose one reference has four: the words are 4 + 1 against 4 + 4, so exp(1 - 8/5). Were the missing
    # reference an empty text, it would be closest to one word (0 is 1 away, 4 is 3 away), and there were no penalty.
    ragged = [["the old cat sleeps", "an old cat is asleep"], ["look at the dog"]]
    found = bleu(["the old cat sleeps", "look"], ragged)
    assert found.brevity_penalty == pytest.approx(np.exp(1 - 8 / 5))
    assert "nrefs:var" in found.signature
    turned = bleu(["look", "the old cat sleeps"], ragged[::-1])
    repeated = bleu(["the old cat sleeps", "look"], [ragged[0], 2 * ragged[1]])
    assert found.score == turned.score == repeated.score == pytest.approx(100 * np.exp(1 - 8 / 5))


def test_the_closest_reference_length_counts():
    # Four words; references of five and of seven: exp(1 - 5/4), in whichever order they come.
    references = ["the old cat sleeps on the mat", "the old cat sleeps here"]
    for order in (references, references[::-1]):
        assert bleu(["the old cat sleeps"], [order]).brevity_penalty == pytest.approx(np.exp(-1 / 4))


def test_capital_letters_count_unless_they_are_told_not_to():
    assert bleu(["The old cat sleeps"], [["the old cat sleeps"]]).precisions[0] == 75
    assert float(bleu(["The old cat sleeps"], [["the old cat sleeps"]], lowercase=True)) == pytest.approx(100)
    assert float(chrf(["THE CAT"], [["the cat"]])) == 0
    assert float(chrf(["THE CAT"], [["the cat"]], lowercase=True)) == pytest.approx(100)


def test_the_signature_says_how_it_was_counted():
    signature = bleu(["a b c d"], [["a b c d"]], lowercase=True).signature
    assert re.fullmatch(r"nrefs:1\|case:lc\|eff:no\|tok:13a\|smooth:exp\|version:[\d.]+", signature)
    assert re.fullmatch(
        r"nrefs:2\|case:mixed\|eff:yes\|nc:6\|nw:0\|space:no\|version:[\d.]+", chrf(["a"], [["a", "b"]]).signature
    )


def test_chrf_weighs_recall_twice_in_the_mean_of_its_runs():
    # "twocats" against "twocat": of its 7, 6, 5, 4, 3, 2 runs of 1 to 6 characters all but one are right, and all of
    # the reference's are found. F = 5 P R / (4 P + R); the other way round, P is 1 and R less.
    precision = np.mean([6 / 7, 5 / 6, 4 / 5, 3 / 4, 2 / 3, 1 / 2])
    found = chrf(["two cats"], [["two cat"]])
    assert found.score == float(found) == pytest.approx(100 * 5 * precision / (4 * precision + 1))
    assert float(chrf(["two cat"], [["two cats"]])) == pytest.approx(100 * 5 * precision / (4 + precision))
    assert (found.precisions, found.brevity_penalty) == ((), None)


def test_chrf_takes_the_best_of_the_references_that_are_there():
    alone = [float(chrf(["two cats", "one"], [[reference], ["one"]])) for reference in ("two cat", "dogs")]
    assert alone[0] > alone[1]
    for ragged in ([["dogs", "two cat"], ["one"]], [["two cat", "dogs"], ["one"]]):
        assert float(chrf(["two cats", "one"], ragged)) == pytest.approx(alone[0])


@pytest.mark.parametrize("score", [bleu, chrf])
@pytest.mark.parametrize(
    ("hypotheses", "references", "error", "complaint"),
    [
        (["a", "b"], [["a", "b"]], ValueError, "2 hypotheses and references for 1.*not one list for each translator"),
        ([], [], ValueError, "no hypotheses to score"),
        (["a", "b"], [["a"], []], ValueError, "Hypothesis 1 has no reference. Pass one or more, or leave"),
        (["a", "b"], [["a"], ["b", " "]], ValueError, "Hypothesis 1 has a blank reference.*Leave it out"),
        (["a", "b"], [["a"], "b"], TypeError, r"references of hypothesis 1 are 'b', expected a list.*Pass \[text\]"),
        (["a", "b"], [["a"], ["b", None]], TypeError, "references of hypothesis 1 are .*expected a list of strings"),
        ([["a"], "b"], [["a"], ["b"]], TypeError, r"Hypothesis 0 is \['a'\], expected a string. Join its tokens"),
        ("a", [["a"]], TypeError, "A string came as a whole corpus. Pass a list of hypotheses"),
        (["a"], "a", TypeError, "A string came as a whole corpus"),
    ],
)
def test_a_corpus_that_cannot_be_scored_is_refused(score, hypotheses, references, error, complaint):
    with pytest.raises(error, match=complaint):
        score(hypotheses, references)


# --- classes ----------------------------------------------------------------------------------------------------------

RANKED = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.3, 0.7]])
SCORES_OF_CLASSES = [area_under_roc, area_under_precision_recall, expected_calibration_error]


def test_each_class_counts_the_same_in_macro_f1_however_rare_it_is():
    # Class 0: 3 right, 4 called so, 4 so: 6/8. Class 1: 1 right, 2 called so, 1 so: 2/3. Class 2: never called so: 0.
    predictions, targets = [0, 0, 0, 1, 1, 0], [0, 0, 0, 0, 1, 2]
    assert macro_f1(predictions, targets) == pytest.approx((6 / 8 + 2 / 3 + 0) / 3)
    assert macro_f1([0, 1, 2], [0, 1, 2]) == 1
    assert isinstance(macro_f1([0, 1], [0, 1]), float)


def test_the_area_under_roc_counts_the_pairs_that_are_in_order():
    # Class 1 at 0.7, 0.3 and 0.2, class 0 at 0.6 and 0.1: of six pairs 0.7 wins both, 0.3 and 0.2 one each.
    targets = [0, 1, 1, 0, 1]
    np.testing.assert_allclose(area_under_roc(RANKED, targets), [4 / 6, 4 / 6])
    np.testing.assert_allclose(area_under_roc(np.full((4, 2), 0.5), [0, 1, 0, 1]), [0.5, 0.5])


def test_the_area_under_precision_recall_is_the_mean_precision_at_every_hit():
    # Ranked by class 1: hit, miss, hit, hit, miss: 1/1, 2/3, 3/4. By class 0: hit, miss, miss, hit, miss: 1/1, 2/4.
    targets = [0, 1, 1, 0, 1]
    found = area_under_precision_recall(RANKED, targets)
    np.testing.assert_allclose(found, [(1 + 2 / 4) / 2, (1 + 2 / 3 + 3 / 4) / 3])


def test_three_classes_are_each_held_against_the_rest():
    # Class 0, at 0.5 and 0.3, is in order with 0.1 and not with 0.6. Class 1, at 0.3, loses to 0.4, ties, and wins.
    chances = np.array([[0.5, 0.3, 0.2], [0.3, 0.4, 0.3], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    targets = [0, 0, 1, 2]
    np.testing.assert_allclose(area_under_roc(chances, targets), [2 / 4, 1.5 / 3, 1])
    np.testing.assert_allclose(area_under_precision_recall(chances, targets)[[0, 2]], [(1 / 2 + 2 / 3) / 2, 1])


def test_the_calibration_error_is_the_gap_of_each_bin_weighed_by_its_number():
    # Four bins: three predictions at 0.9, 0.8, 0.8 (mean 5/6, 2/3 right) and one at 0.6, wrong, in another bin.
    chances = np.array([[0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.6, 0.4]])
    targets = [0, 1, 1, 1]
    assert expected_calibration_error(chances, targets, bins=4) == pytest.approx(3 / 4 * (5 / 6 - 2 / 3) + 1 / 4 * 0.6)
    # One bin: 2 of 4 are right, the mean confidence is 3.1 / 4.
    assert expected_calibration_error(chances, targets, bins=1) == pytest.approx(3.1 / 4 - 2 / 4)


def test_a_confidence_on_the_edge_belongs_to_the_bin_below_it():
    # 0.75 and 0.7, one right, one wrong, lie in (0.5, 0.75]: |1/2 - 0.725|. Were 0.75 in the next: (0.25 + 0.7) / 2.
    chances = np.array([[0.75, 0.25], [0.7, 0.3]])
    assert expected_calibration_error(chances, [0, 1], bins=4) == pytest.approx(0.225)


def test_a_classifier_that_keeps_its_word_has_no_calibration_error():
    certain = np.eye(3)[[0, 1, 2, 1]]
    assert expected_calibration_error(certain, [0, 1, 2, 1]) == 0
    assert expected_calibration_error(certain, [1, 0, 1, 2]) == 1
    assert expected_calibration_error(np.full((4, 2), [0.75, 0.25]), [0, 0, 0, 1]) == pytest.approx(0)


@pytest.mark.parametrize("score", SCORES_OF_CLASSES)
@pytest.mark.parametrize(
    ("probabilities", "targets", "message"),
    [
        (RANKED[:, 0], [0, 1, 1, 0, 1], r"probabilities \(5,\) and targets \(5,\) do not fit; .*np\.stack"),
        (RANKED[:, :1], [0, 1, 1, 0, 1], r"probabilities \(5, 1\) .* One probability p becomes two"),
        (RANKED, [0, 1], r"probabilities \(5, 2\) and targets \(2,\) do not fit"),
        (np.log(RANKED), [0, 1, 1, 0, 1], r"The rows of `probabilities` sum to .*Take the softmax of logits first"),
        (RANKED, [0, 1, 1, 0, 2], r"Targets \[2\] are outside the 2 choices"),
        (RANKED, [0.0, 1.0, 1.0, 0.0, 1.0], "The targets are of type float64, expected integers"),
    ],
)
def test_what_is_no_classifier_is_refused_with_what_to_do(score, probabilities, targets, message):
    with pytest.raises(ValueError, match=message):
        score(probabilities, targets)


@pytest.mark.parametrize("score", SCORES_OF_CLASSES[:2])
def test_a_class_that_does_not_occur_is_named(score):
    with pytest.raises(ValueError, match=r"Of the 2 classes, \[1\] never occur in the targets, so they have no score"):
        score(RANKED, [0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("predictions", "targets", "classes", "message"),
    [
        ([0, 1], [0, 1], 3, r"Of the 3 classes, \[2\] never occur in the targets"),
        ([0, 2], [0, 1], None, r"Of the 3 classes, \[2\] never occur in the targets"),
        ([0, 2], [0, 1], 2, "The predictions run from 0 to 2; expected 0 to 1"),
        ([0, 1, 1], [0, 1], None, r"predictions \(3,\) of type int64 and targets \(2,\) do not fit"),
        ([0.1, 0.9], [0, 1], None, r"of type float64 .* Take `argmax\(axis=-1\)` of logits"),
        (
            [0, 1],
            [0, -1],
            None,
            r"targets \(2,\) of type int64 are no classes; expected \(batch,\) integers from 0 to 1",
        ),
        ([[0, 1]], [[0, 1]], None, r"targets \(1, 2\) of type int64 are no classes"),
    ],
)
def test_macro_f1_refuses_what_it_cannot_score(predictions, targets, classes, message):
    with pytest.raises(ValueError, match=message):
        macro_f1(predictions, targets, classes=classes)
