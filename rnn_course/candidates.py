"""Which words of a large vocabulary to ask for in one batch of training. NumPy only.

`rnn_course.layers.CandidateLogits` gives the logits of these alone, `rnn_course.models.build_candidate_twin` the model
that is trained with them.
"""

from typing import NamedTuple

import numpy as np


class Candidates(NamedTuple):
    """Some entries of a vocabulary that stand for all of it in one batch.

    Attributes:
        ids: `(candidates,)` int32, rising: every target of the batch, padding, and others drawn by chance.
        correction: `(candidates,)` float32, the logarithm of how many entries each stands for: 0 for the targets.
        places: the targets' shape `(…)`, int32: where in `ids` each target stands; 0 is padding.
    """

    ids: np.ndarray
    correction: np.ndarray
    places: np.ndarray


def sample_candidates(targets: np.ndarray, *, vocabulary: int, size: int, rng: np.random.Generator | int) -> Candidates:
    """Choose the words over which a softmax is taken in one batch: those that occur, and a sample of all others.

    The others are drawn without preference and each stands for equally many. Adding the correction to their logits
    keeps the expected sum of exponentials what it is over the whole vocabulary (Bengio and Senécal 2008; Jean et al.
    2015 leave it out).

    Args:
        targets: integers of any shape `(…)`, 0 is padding.
        vocabulary: how many entries there are, padding and unknown included.
        size: how many candidates; all entries where the vocabulary has no more.
        rng: draws the others; a generator, or a seed for one, which draws the same ones each time.

    Returns:
        The `Candidates`.

    Raises:
        ValueError: where a target is not in the vocabulary, or the batch alone has more different ones than `size`.

    Example:
        >>> chosen = sample_candidates(np.array([[3, 7, 0]]), vocabulary=20, size=6, rng=np.random.default_rng(0))
        >>> len(chosen.ids), chosen.ids[chosen.places].tolist()
        (6, [[3, 7, 0]])
    """
    targets, size = np.asarray(targets), min(size, vocabulary)
    there = np.union1d([0], targets)
    if targets.dtype.kind not in "iu" or there[0] < 0 or there[-1] >= vocabulary:
        raise ValueError(
            f"The targets are {targets.dtype} from {there[0]} to {there[-1]}; expected integers from 0 to "
            f"{vocabulary - 1}. Check the vocabulary that made them."
        )
    if len(there) > size:
        raise ValueError(
            f"The batch alone has {len(there)} different targets, padding included, more than size={size} candidates. "
            "Pass a larger `size`, or smaller batches."
        )
    rest = np.setdiff1d(np.arange(vocabulary), there, assume_unique=True)
    drawn = np.random.default_rng(rng).choice(rest, size - len(there), replace=False)
    standing = np.log(len(rest) / len(drawn)) if len(drawn) else 0.0
    ids = np.concatenate([there, drawn])
    correction = np.repeat([0.0, standing], [len(there), len(drawn)])
    order = np.argsort(ids)
    ids = ids[order].astype(np.int32)
    return Candidates(ids, correction[order].astype(np.float32), np.searchsorted(ids, targets).astype(np.int32))
