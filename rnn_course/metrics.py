"""How good an answer is. NumPy, and sacrebleu for the scores of translations.

A model of sequences is judged by the probability it gave to what really came next: the mean of -log p over the steps,
in nats (natural logarithm) or bits (base 2), or its exponential, the perplexity. Where it must decide, the share of
right decisions is its accuracy. A translation may be right in many ways: it is held against what people wrote.
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
