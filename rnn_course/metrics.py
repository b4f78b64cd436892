"""How good an answer is. NumPy, sacrebleu for the scores of translations, scikit-learn for those of classes.

A model of sequences is judged by the probability it gave to what really came next: the mean of -log p over the steps,
in nats (natural logarithm) or bits (base 2), or its exponential, the perplexity. Where it must decide, the share of
right decisions is its accuracy. A translation may be right in many ways: it is held against what people wrote. Where
classes are not equally frequent, each of them gets its own score (`macro_f1`, the areas under two curves); and whether
the probabilities of a classifier mean what they say is its calibration.
"""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class CorpusScore:
    """How well the translations of a whole corpus agree with their references; `float` of it is the score.

    Attributes:
        score: a number from 0 to 100.
        signature: what was counted and by which version, to be quoted beside the score (Post 2018).
        precisions: four numbers from 0 to 100: which share of the n-grams of 1, 2, 3 and 4 words is in a reference
            (BLEU; none for chrF).
        brevity_penalty: a number from 0 to 1 that the score was multiplied by for being too short (BLEU; None for
            chrF).
    """

    score: float
    signature: str
    precisions: tuple[float, ...] = ()
    brevity_penalty: float | None = None

    def __float__(self):
        """Return the score, a number from 0 to 100."""
        return self.score


def surprisal(logits, targets):
    """Give -log of the probability of every target, in nats (Shannon 1948: the information in seeing it).

    Args:
        logits: `(…, size)` numbers of any magnitude; -inf is probability 0.
        targets: `(…)` integers, each from 0 to `size - 1`.

    Returns:
        `(…)` float64, 0 or more; inf where the target had probability 0.

    Raises:
        ValueError: shapes that do not fit; targets that are no index; logits that are NaN, +inf, or all -inf.

    Example:
        >>> surprisal(np.log([[0.5, 0.5], [0.1, 0.9]]), [0, 0]).round(3)
        array([0.693, 2.303])
    """
    logits, targets = np.asarray(logits), np.asarray(targets)
    _refuse_unfitting(logits, targets)
    highest = logits.max(axis=-1, keepdims=True)
    if not np.isfinite(highest).all():
        raise ValueError("The logits of a step are NaN, +inf, or all -inf, expected finite numbers or -inf.")
    shifted = np.subtract(logits, highest, dtype="float64")
    chosen = np.take_along_axis(shifted, targets[..., np.newaxis], axis=-1)[..., 0]
    return np.log(np.exp(shifted).sum(axis=-1)) - chosen


def cross_entropy(logits, targets, *, mask=None):
    """Average the surprisal of the targets over the real steps: nats per step.

    Every real step counts the same, whichever sequence it is in. A uniform guess over `size` choices scores log(size).

    Args:
        logits: `(…, size)` numbers, such as `(batch, time, vocabulary)`.
        targets: `(…)` integers, each from 0 to `size - 1` at the real steps.
        mask: `(…)` bool, True at the real steps; all when None. What the logits and targets are at the others does not
            matter.

    Returns:
        A float, nats per real step; inf where a target had probability 0.

    Raises:
        ValueError: shapes that do not fit, targets that are no index, logits that are NaN, or a mask without a real
            step.

    Example:
        >>> nats = cross_entropy(np.zeros((1, 3, 8)), [[2, 5, 0]], mask=[[True, True, False]])
        >>> print(round(nats / np.log(8), 6))
        1.0
    """
    logits, targets = np.asarray(logits), np.asarray(targets)
    mask = np.ones(targets.shape, bool) if mask is None else np.asarray(mask, bool)
    if not mask.shape == targets.shape == logits.shape[:-1]:
        raise ValueError(
            f"logits {logits.shape}, targets {targets.shape} and mask {mask.shape} do not fit; "
            "expected (…, size), (…) and (…)."
        )
    if not mask.any():
        raise ValueError("There is no real step to average over. Pass a mask that is True somewhere.")
    return float(surprisal(logits[mask], targets[mask]).mean())


def perplexity(nats):
    """Turn nats per step into perplexity, exp(nats): how many equally likely choices are as hard as this.

    Args:
        nats: scalar, or `(…)`: what `cross_entropy` returns, 0 or more.

    Returns:
        A scalar, or `(…)`; inf where it is too large for a float.

    Example:
        >>> print(round(perplexity(np.log(67)), 6))
        67.0
    """
    with np.errstate(over="ignore"):
        return np.exp(nats)


def bits(nats):
    """Turn nats into bits: nats / log(2).

    Args:
        nats: scalar, or `(…)`: what `cross_entropy` returns.

    Returns:
        A scalar, or `(…)`.

    Example:
        >>> print(bits(np.log(8)))
        3.0
    """
    return nats / math.log(2)


def token_accuracy(predictions, targets, *, mask=None):
    """Give the share of the real steps that are predicted right.

    Every real step counts the same, whichever sequence it is in.

    Args:
        predictions: `(…)` integers, such as `logits.argmax(axis=-1)`.
        targets: `(…)` integers.
        mask: `(…)` bool, True at the real steps; all when None.

    Returns:
        A float from 0 to 1.

    Raises:
        ValueError: shapes that do not fit, predictions or targets that are no integers, or no real step.

    Example:
        >>> token_accuracy([[5, 7, 0]], [[5, 6, 0]], mask=[[True, True, False]])
        0.5
    """
    predictions, targets = np.asarray(predictions), np.asarray(targets)
    mask = np.ones(targets.shape, bool) if mask is None else np.asarray(mask, bool)
    if not predictions.shape == targets.shape == mask.shape:
        raise ValueError(
            f"predictions {predictions.shape}, targets {targets.shape} and mask {mask.shape} do not fit; "
            "expected the same shape for all. Take `argmax(axis=-1)` of logits first."
        )
    if not mask.any():
        raise ValueError("There is no real step to count. Pass a mask that is True somewhere.")
    if predictions.dtype.kind not in "iu" or targets.dtype.kind not in "iu":
        raise ValueError(
            f"The predictions are of type {predictions.dtype} and the targets of type {targets.dtype}, expected "
            "integers. Take `argmax(axis=-1)` of logits or one-hot vectors first."
        )
    return float((predictions == targets)[mask].mean())


def macro_f1(predictions, targets, *, classes=None):
    """Average the F1 scores of the classes, each counting the same however rare it is; by scikit-learn.

    F1 of a class is the harmonic mean of precision (which share of what was called so is so) and recall (which share of
    what is so was called so): 2 * right / (called so + so). A class that is never predicted has an F1 of 0.

    Args:
        predictions: `(batch,)` integers, such as `logits.argmax(axis=-1)`.
        targets: `(batch,)` integers from 0 to `classes - 1`; every class must occur.
        classes: how many classes there are; as many as the highest number says when None.

    Returns:
        A float from 0 to 1.

    Raises:
        ValueError: shapes that do not fit, numbers that are no classes, or a class that does not occur.

    Example:
        >>> round(macro_f1([0, 0, 1, 1], [0, 0, 0, 1]), 4)
        0.7333
    """
    from sklearn.metrics import f1_score

    predictions, targets = np.asarray(predictions), np.asarray(targets)
    if predictions.shape != targets.shape or predictions.dtype.kind not in "iu":
        raise ValueError(
            f"predictions {predictions.shape} of type {predictions.dtype} and targets {targets.shape} do not fit; "
            "expected (batch,) integers twice. Take `argmax(axis=-1)` of logits or probabilities first."
        )
    if classes is None:
        classes = 1 + max(int(each.max(initial=0)) for each in (predictions, targets) if each.dtype.kind in "iu")
    _refuse_classes(targets, classes)
    if predictions.min() < 0 or predictions.max() >= classes:
        raise ValueError(
            f"The predictions run from {predictions.min()} to {predictions.max()}; expected 0 to {classes - 1}."
        )
    return float(f1_score(targets, predictions, average="macro", zero_division=0))


def area_under_roc(probabilities, targets):
    """Give, class by class, the chance that an example of it gets more probability than one of another; scikit-learn.

    This is the area under the curve of hits against false alarms (Hanley & McNeil 1982): 0.5 is chance, whatever the
    share of the class. Examples with equal probabilities count one half.

    Args:
        probabilities: `(batch, classes)`, rows that sum to 1; of two classes pass both.
        targets: `(batch,)` integers from 0 to `classes - 1`; every class must occur.

    Returns:
        `(classes,)` float64 from 0 to 1.

    Raises:
        ValueError: shapes that do not fit, rows that are no probabilities, or a class that does not occur.

    Example:
        >>> area_under_roc([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.2, 0.8]], [0, 0, 1, 1]).tolist()
        [0.75, 0.75]
    """
    from sklearn.metrics import roc_auc_score

    return _each_class(roc_auc_score, probabilities, targets)


def area_under_precision_recall(probabilities, targets):
    """Give, class by class, the mean precision over all recalls: the average precision of scikit-learn.

    The examples are ranked by the probability of the class. At each example of the class, the share of the class among
    all down to it is taken; the mean of these is the area, without interpolation, which would flatter (Davis &
    Goadrich 2006). Chance is the share of the class, so that a rare one cannot hide behind its many negatives.

    Args:
        probabilities: `(batch, classes)`, rows that sum to 1; of two classes pass both.
        targets: `(batch,)` integers from 0 to `classes - 1`; every class must occur.

    Returns:
        `(classes,)` float64 from 0 to 1.

    Raises:
        ValueError: as `area_under_roc`.

    Example:
        >>> chances = [[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.2, 0.8]]
        >>> area_under_precision_recall(chances, [0, 0, 1, 1]).round(4).tolist()
        [0.8333, 0.8333]
    """
    from sklearn.metrics import average_precision_score

    return _each_class(average_precision_score, probabilities, targets)


def expected_calibration_error(probabilities, targets, *, bins=15):
    """Say how far the confidence of a classifier lies from its accuracy, on average.

    The confidence is the probability of the predicted class. Predictions are sorted by it into bins of equal width; the
    error is the mean of `|accuracy - confidence|` over the bins, weighted by how many predictions each holds (Guo et
    al. 2017, equation 3). It grows with the number of bins where these hold few predictions: compare only equal ones.

    Args:
        probabilities: `(batch, classes)`, rows that sum to 1; of two classes pass both.
        targets: `(batch,)` integers from 0 to `classes - 1`.
        bins: how many bins there are between 0 and 1; a bin holds its upper end.

    Returns:
        A float from 0 to 1; 0 where every confidence is kept.

    Raises:
        ValueError: shapes that do not fit, rows that are no probabilities, or fewer bins than 1.

    Example:
        >>> round(expected_calibration_error([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7]], [0, 1, 1]), 4)
        0.3667
    """
    probabilities, targets = _checked_probabilities(probabilities, targets)
    if bins < 1:
        raise ValueError(f"bins is {bins}; pass 1 or more.")
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    place = np.ceil(confidence * bins).astype(int).clip(1, bins) - 1
    gaps = np.bincount(place, weights=right - confidence)  # of each bin: its number times (accuracy - confidence)
    return float(np.abs(gaps).sum() / len(targets))


def _each_class(score, probabilities, targets):
    """Score each class against all others, (classes,)."""
    probabilities, targets = _checked_probabilities(probabilities, targets)
    _refuse_classes(targets, probabilities.shape[1])
    return np.array([score(targets == place, column) for place, column in enumerate(probabilities.T)])


def _checked_probabilities(probabilities, targets):
    """Return (batch, classes) float64 and (batch,) integers, or raise ValueError for anything else."""
    probabilities, targets = np.asarray(probabilities, "float64"), np.asarray(targets)
    if probabilities.ndim != 2 or probabilities.shape[1] < 2 or targets.shape != probabilities.shape[:1]:
        raise ValueError(
            f"probabilities {probabilities.shape} and targets {targets.shape} do not fit; expected (batch, classes) "
            "with two classes or more, and (batch,). One probability p becomes two: np.stack([1 - p, p], axis=-1)."
        )
    sums = probabilities.sum(axis=1)
    if not ((probabilities >= 0).all() and np.allclose(sums, 1, atol=1e-3)):
        raise ValueError(
            f"The rows of `probabilities` sum to {sums.min():g} at least and {sums.max():g} at most, and the smallest "
            f"number is {probabilities.min():g}; expected probabilities. Take the softmax of logits first."
        )
    _refuse_unfitting(probabilities, targets)
    return probabilities, targets


def _refuse_classes(targets, classes):
    """Raise ValueError unless `targets` are (batch,) integers in which every class from 0 to `classes - 1` occurs."""
    if targets.ndim != 1 or targets.dtype.kind not in "iu" or (targets < 0).any() or (targets >= classes).any():
        raise ValueError(
            f"targets {targets.shape} of type {targets.dtype} are no classes; expected (batch,) integers from 0 to "
            f"{classes - 1}."
        )
    missing = np.flatnonzero(np.bincount(targets, minlength=classes) == 0)
    if missing.size:
        raise ValueError(
            f"Of the {classes} classes, {missing[:5].tolist()} never occur in the targets, so they have no score. Pass "
            "more examples, split by class, or leave the class out."
        )


def bleu(hypotheses, references, *, lowercase=False):
    """Score translations by the runs of one to four words that they share with references: BLEU, by sacrebleu.

    The geometric mean of four precisions, counted over the whole corpus, times a penalty where the translations are
    shorter than the closest references (Papineni et al. 2002). sacrebleu cuts words and signs itself ("13a"), so pass
    texts as people write them. A corpus without any shared run of some length gets a small precision for it instead
    of 0 (its "exp" smoothing); one whose texts are all shorter than four words scores 0.

    Args:
        hypotheses: a list of strings, one translation each; an empty one is a translation without words.
        references: `(hypotheses,)` lists of strings: for each hypothesis all its references, one or more. How many may
            differ from hypothesis to hypothesis.
        lowercase: whether capital letters count as small ones.

    Returns:
        A `CorpusScore` with precisions and brevity penalty.

    Raises:
        TypeError: a string where a list is expected, or something else where a string is.
        ValueError: lengths that do not fit, no hypotheses, a hypothesis without reference, a blank reference.

    Example:
        >>> found = bleu(["one two three four ten"], [["one two three four five"]])
        >>> [round(precision, 1) for precision in found.precisions], round(float(found), 1)
        ([80.0, 75.0, 66.7, 50.0], 66.9)
    """
    from sacrebleu.metrics import BLEU

    streams = _streams(hypotheses, references)
    counter = BLEU(lowercase=lowercase)
    found = counter.corpus_score(list(hypotheses), streams)
    return CorpusScore(float(found.score), str(counter.get_signature()), tuple(found.precisions), float(found.bp))


def chrf(hypotheses, references, *, lowercase=False):
    """Score translations by the runs of one to six characters that they share with references: chrF, by sacrebleu.

    Precision and recall of the runs, averaged over their lengths, make one F score in which recall counts twice
    (Popović 2015); white space does not count. A word with the wrong ending still earns something here, none in BLEU.
    Of several references, each translation is held against the one that it fits best.

    Args:
        hypotheses: a list of strings, one translation each.
        references: `(hypotheses,)` lists of strings: for each hypothesis all its references, one or more, as in `bleu`.
        lowercase: whether capital letters count as small ones.

    Returns:
        A `CorpusScore`.

    Raises:
        TypeError: a string where a list is expected, or something else where a string is.
        ValueError: lengths that do not fit, no hypotheses, a hypothesis without reference, a blank reference.

    Example:
        >>> [round(float(chrf(["two cats"], [[reference]])), 1) for reference in ("two dogs", "two cat")]
        [18.4, 93.3]
    """
    from sacrebleu.metrics import CHRF

    streams = _streams(hypotheses, references)
    counter = CHRF(lowercase=lowercase)
    found = counter.corpus_score(list(hypotheses), streams)
    return CorpusScore(float(found.score), str(counter.get_signature()))


def _streams(hypotheses, references):
    """Turn the references of each hypothesis into sacrebleu's streams, one text or None for every hypothesis.

    None is a reference that is not there. An empty text would be one of length 0, and closest to a short hypothesis.
    """
    _refuse_untranslated(hypotheses, references)
    most = max(map(len, references))
    filled = [[*each, *[None] * (most - len(each))] for each in references]
    return [list(stream) for stream in zip(*filled, strict=True)]


def _refuse_untranslated(hypotheses, references):
    """Raise TypeError or ValueError unless every hypothesis is a string with a list of references."""
    if isinstance(hypotheses, str) or isinstance(references, str):
        raise TypeError("A string came as a whole corpus. Pass a list of hypotheses and a list of lists of references.")
    if len(hypotheses) != len(references):
        raise ValueError(
            f"There are {len(hypotheses)} hypotheses and references for {len(references)}. Pass one list of "
            "references for each hypothesis, not one list for each translator."
        )
    if not len(hypotheses):
        raise ValueError("There are no hypotheses to score. Pass one or more.")
    for place, (hypothesis, known) in enumerate(zip(hypotheses, references, strict=True)):
        _refuse_hypothesis(place, hypothesis, known)


def _refuse_hypothesis(place, hypothesis, known):
    """Raise TypeError or ValueError unless one hypothesis is a string and its references a list of strings."""
    if not isinstance(hypothesis, str):
        raise TypeError(f"Hypothesis {place} is {hypothesis!r:.60}, expected a string. Join its tokens first.")
    if isinstance(known, str) or not all(isinstance(reference, str) for reference in known):
        raise TypeError(
            f"The references of hypothesis {place} are {known!r:.60}, expected a list of strings. "
            "Pass [text] where there is only one."
        )
    if not len(known):
        raise ValueError(f"Hypothesis {place} has no reference. Pass one or more, or leave the hypothesis out.")
    if not all(reference.strip() for reference in known):
        raise ValueError(f"Hypothesis {place} has a blank reference, {list(known)!r:.60}. Leave it out of its list.")


def _refuse_unfitting(logits, targets):
    """Raise ValueError unless `targets` are indices into the last axis of `logits`."""
    if not logits.ndim or logits.shape[:-1] != targets.shape:
        raise ValueError(f"logits {logits.shape} and targets {targets.shape} do not fit; expected (…, size) and (…).")
    if targets.dtype.kind not in "iu":
        raise ValueError(f"The targets are of type {targets.dtype}, expected integers: indices, not one-hot vectors.")
    outside = targets[(targets < 0) | (targets >= logits.shape[-1])]
    if outside.size:
        raise ValueError(
            f"Targets {outside[:5].tolist()} are outside the {logits.shape[-1]} choices of the logits "
            f"(0 to {logits.shape[-1] - 1}). Check the vocabulary that made them."
        )
