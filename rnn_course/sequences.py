"""From texts to arrays: tokens, vocabularies, padding, masks, batches, one-hot vectors and windows. NumPy only.

Index 0 is padding everywhere, index 1 a token that the vocabulary does not know.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PADDING = ""
UNKNOWN = "<unk>"

# What stays one token: signs alone, initials and titles with their dots, what tokenized corpora write for a
# bracket, an apostrophe for letters left out.
_WHOLE = re.compile(
    r"[^\w]+|(?:[a-z]\.)+|(?:mrs?|ms|dr|jr|sr|st|vs|etc|prof|inc|bros|co|al)\.|-[lr][rsc]b-"
    r"|ol'|'(?:s|m|re|ve|ll|d|em|til|tis|twas|n'?|\d+s?)"
)
# Where a piece that is not whole is cut, the first that fits: signs before it, signs after it, a dash or an
# ellipsis inside, a clitic.
_CUTS = (
    re.compile(r"([\"'`“‘«(\[{<$£€#]+)(.+)"),
    re.compile(r"(.+?)(\.{2,}|[!?]+|[.,;:\"'”»)\]}>%…])"),
    re.compile(r"(.+?)(\.{2,}|…|--+|—)(.*)"),
    re.compile(r"(.+)(n't|'(?:s|m|re|ve|ll|d))"),
)


def tokenize(text: str) -> list[str]:
    """Cut a text into lower-case words and signs.

    Text that is tokenized already, with spaces between all words and signs as in treebanks, stays as it is
    but for capital letters.

    Args:
        text: any string.

    Returns:
        Its tokens, none of them empty or with white space in it.

    Example:
        >>> tokenize("Mr. Lee isn't (quite) funny...")
        ['mr.', 'lee', 'is', "n't", '(', 'quite', ')', 'funny', '...']
    """
    return [token for piece in text.lower().replace("’", "'").split() for token in _cut(piece)]


@dataclass(frozen=True)
class Vocabulary:
    """The tokens a model knows, by their index.

    Attributes:
        tokens: `(vocabulary,)` strings; the first two are "" (padding) and "<unk>" (unknown).
    """

    tokens: tuple[str, ...]

    def __post_init__(self):
        """Refuse tokens that could not be told apart."""
        if self.tokens[:2] != (PADDING, UNKNOWN):
            raise ValueError(
                f"The first two tokens are {self.tokens[:2]}, expected {(PADDING, UNKNOWN)}. Build vocabularies with "
                "`Vocabulary.from_texts`, which puts them there."
            )
        repeated = [token for token, count in Counter(self.tokens).items() if count > 1]
        if repeated:
            raise ValueError(f"These tokens are there more than once: {repeated[:5]}. Pass each of them once.")

    @classmethod
    def from_texts(
        cls, texts: Iterable[str | Sequence[str]], *, minimum_count: int = 1, maximum_size: int | None = None
    ) -> "Vocabulary":
        """Collect the tokens of texts, the most frequent first and equally frequent ones by the alphabet.

        Args:
            texts: strings, which `tokenize` cuts, or lists of tokens (`list(text)` for characters).
            minimum_count: tokens that are rarer are left out.
            maximum_size: the most entries the vocabulary may have, padding and unknown included; `None`: any.

        Returns:
            The `Vocabulary`.

        Raises:
            ValueError: where `maximum_size` leaves no room for padding and unknown.

        Example:
            >>> Vocabulary.from_texts(["a good film", "a bad film"], minimum_count=2).tokens
            ('', '<unk>', 'a', 'film')
        """
        if maximum_size is not None and maximum_size < 2:
            raise ValueError(f"maximum_size is {maximum_size}; pass at least 2, for padding and unknown.")
        counts = Counter(token for text in texts for token in (tokenize(text) if isinstance(text, str) else text))
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        frequent = [each for each in ranked if counts[each] >= minimum_count and each not in (PADDING, UNKNOWN)]
        return cls((PADDING, UNKNOWN, *frequent)[:maximum_size])

    def __len__(self) -> int:
        """Return the number of entries, padding and unknown included: an embedding's `input_dim`."""
        return len(self.tokens)

    def __repr__(self) -> str:
        """Return a short form that does not print thousands of tokens."""
        shown = ", ".join(repr(token) for token in self.tokens[:6])
        return f"Vocabulary({len(self):,} tokens: {shown}{', …' if len(self) > 6 else ''})"

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Return the index of every token, 1 for those that are not known.

        Args:
            tokens: `time` strings, as `tokenize` returns them.

        Returns:
            `time` integers.

        Raises:
            TypeError: where a string comes instead of its tokens.

        Example:
            >>> Vocabulary.from_texts(["a good film"]).encode(tokenize("A dull film"))
            [2, 1, 3]
        """
        if isinstance(tokens, str):
            raise TypeError(
                f"encode got the string {tokens[:40]!r}, expected its tokens. Pass `tokenize(text)` for words or "
                "`list(text)` for characters."
            )
        return [self._index.get(token, 1) for token in tokens]

    def decode(self, indices: Sequence[int]) -> list[str]:
        """Return the tokens at some indices; padding is left out.

        Args:
            indices: `time` integers, such as one row of what `pad` returns.

        Returns:
            Up to `time` strings.

        Raises:
            ValueError: where an index is not in the vocabulary.
        """
        outside = [int(index) for index in indices if not 0 <= index < len(self)]
        if outside:
            raise ValueError(f"Indices {outside[:5]} are outside a vocabulary of {len(self)} (0 to {len(self) - 1}).")
        return [self.tokens[index] for index in indices if index != 0]

    @cached_property
    def _index(self) -> dict[str, int]:
        # Without padding: a token "" in a text is unknown, never a masked step.
        return {token: index for index, token in enumerate(self.tokens) if index}


def affixes(
    tokens: Sequence[str],
    *,
    prefixes: Sequence[int] = (3, 4, 5),
    suffixes: Sequence[int] = (3, 4),
    minimum_words: int = 2,
) -> np.ndarray:
    """List the beginnings and endings that words share, so that a rare word can be known by its family.

    "Dullness" begins like "dull" and ends like "sadness". Bojanowski et al. (2017) take all runs of letters of a word;
    its two ends are fewer, and did better where there was little text (lesson 06's reviews, by dev accuracy).

    Args:
        tokens: `(vocabulary,)` strings, such as `Vocabulary.tokens`; the first two (padding, unknown) have no parts.
        prefixes: how many letters a beginning has; a word that is shorter has none of that length.
        suffixes: how many letters an ending has.
        minimum_words: how many words must share a part for it to count.

    Returns:
        `(vocabulary, parts)` int32: for each word the numbers of its parts, from 1 on; 0 where it has fewer.

    Example:
        >>> affixes(["", "<unk>", "duller", "dullest", "tallest"], prefixes=[4], suffixes=[4])
        array([[0, 0],
               [0, 0],
               [2, 0],
               [2, 1],
               [1, 0]], dtype=int32)
    """
    parts = [_affixes_of(token, prefixes, suffixes) if index > 1 else [] for index, token in enumerate(tokens)]
    counts = Counter(part for word in parts for part in word)
    shared = sorted(part for part, count in counts.items() if count >= minimum_words)
    number = {part: index for index, part in enumerate(shared, start=1)}
    rows = [[number[part] for part in word if part in number] for word in parts]
    return pad(rows, length=len(prefixes) + len(suffixes))


def _affixes_of(word: str, prefixes: Sequence[int], suffixes: Sequence[int]) -> list[tuple[int, str]]:
    """Name the parts of one word: (length, letters) of a beginning, (-length, letters) of an ending."""
    beginnings = [(size, word[:size]) for size in prefixes if len(word) >= size]
    return beginnings + [(-size, word[-size:]) for size in suffixes if len(word) >= size]


def pad(
    sequences: Sequence[Sequence[int]], *, length: int | None = None, side: str = "right", dtype: str = "int32"
) -> np.ndarray:
    """Make one array of sequences of different lengths, filled up with 0.

    Args:
        sequences: `batch` sequences of numbers.
        length: steps of the result; `None`: those of the longest sequence. Longer ones lose their last steps.
        side: where the filling goes: "right" (after the steps) or "left" (before them).
        dtype: of the result.

    Returns:
        `(batch, time)`.

    Raises:
        ValueError: where `side` is another word, `length` is no whole number from 0 up, or `dtype` cannot hold a value
            (0.5 or 300 in "int8").

    Example:
        >>> pad([[5, 6, 7], [8]])
        array([[5, 6, 7],
               [8, 0, 0]], dtype=int32)
    """
    if side not in ("right", "left"):
        raise ValueError(f"side is {side!r}; pass 'right' (filling after the steps) or 'left' (before them).")
    if length is not None and (length < 0 or length != int(length)):
        raise ValueError(f"length is {length}; pass a whole number from 0 up, or None for the longest sequence.")
    steps = max(map(len, sequences), default=0) if length is None else int(length)
    padded = np.zeros((len(sequences), steps), dtype)
    for row, sequence in zip(padded, sequences, strict=True):
        kept = _as_dtype(sequence[:steps], padded.dtype)
        start = 0 if side == "right" else steps - len(kept)
        row[start : start + len(kept)] = kept
    return padded


def mask_of(padded: np.ndarray) -> np.ndarray:
    """Tell the real steps of padded indices from the filling, as `Embedding(mask_zero=True)` does.

    Args:
        padded: `(batch, time)` indices, 0 where a step is filling.

    Returns:
        `(batch, time)` bool, `True` at the real steps.

    Example:
        >>> mask_of(np.array([[8, 0, 0]]))
        array([[ True, False, False]])
    """
    return np.asarray(padded) != 0


def bucketed_batches(lengths: Sequence[int], *, size: int, rng: np.random.Generator | int) -> list[np.ndarray]:
    """Put sequences of similar length into one batch, so that little of it is padding.

    Every sequence is in exactly one batch. Which of the equally long ones share a batch, and the order of the batches,
    is chance: draw again for every epoch. The price is that a batch is no longer a fair sample of the lengths
    (Khomenko et al. 2016 measure what it saves).

    Args:
        lengths: `(sequences,)` steps of each sequence, such as `[len(each) for each in sequences]`.
        size: sequences in a batch; one batch holds what is left over.
        rng: draws the order; a generator, or a seed for one, which deals the same batches each time.

    Returns:
        A list of `(batch,)` arrays of indices into `lengths`.

    Raises:
        ValueError: where `size` is not positive, or `lengths` are not whole numbers in one row.

    Example:
        >>> lengths = np.array([9, 2, 8, 1])
        >>> batches = bucketed_batches(lengths, size=2, rng=np.random.default_rng(0))
        >>> sorted(sorted(lengths[batch].tolist()) for batch in batches)
        [[1, 2], [8, 9]]
    """
    lengths = np.asarray(lengths)
    if size < 1:
        raise ValueError(f"size is {size}; pass how many sequences a batch holds, 1 or more.")
    if lengths.ndim != 1 or (lengths.size and lengths.dtype.kind not in "iu"):
        raise ValueError(
            f"lengths are {lengths.dtype} of shape {lengths.shape}, expected whole numbers in one row. "
            "Pass `[len(each) for each in sequences]`."
        )
    rng = np.random.default_rng(rng)
    shuffled = rng.permutation(len(lengths))
    by_length = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    batches = [by_length[start : start + size] for start in range(0, len(lengths), size)]
    return [batches[index] for index in rng.permutation(len(batches))]


def contiguous_batches(ids: Sequence[int], *, batch: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut one long text into batches that go on where the batch before stopped, for layers that keep their state.

    The text becomes `batch` streams that are read side by side, `length` steps at a time: row b of one batch follows
    row b of the batch before. The gradient is cut between batches, the state is not (truncated backpropagation through
    time, Williams and Peng 1990). For `fit(inputs, targets, batch_size=batch, shuffle=False)` with stateful layers;
    reset their states before every epoch.

    Args:
        ids: `(time,)` whole numbers, such as what `Vocabulary.encode` returns.
        batch: rows of a batch, the number of streams.
        length: steps of a row. The last ids, fewer than `batch * length`, that fill no further batch are left out.

    Returns:
        The inputs and the targets, the next id of each: both `(batches * batch, length)` int32, batch below batch.

    Raises:
        ValueError: where `ids` are not whole numbers in one row or too few for one batch and the id after it, or where
            `batch` or `length` is not positive.

    Example:
        >>> inputs, targets = contiguous_batches(range(14), batch=2, length=3)
        >>> inputs
        array([[ 0,  1,  2],
               [ 6,  7,  8],
               [ 3,  4,  5],
               [ 9, 10, 11]], dtype=int32)
        >>> targets[0]
        array([1, 2, 3], dtype=int32)
    """
    ids = np.asarray(ids)
    _refuse_other_than_ids(ids, batch, length)
    batches = (len(ids) - 1) // (batch * length)
    used = batches * batch * length
    streams = (ids[:used].reshape(batch, batches, length), ids[1 : used + 1].reshape(batch, batches, length))
    inputs, targets = (each.swapaxes(0, 1).reshape(-1, length).astype(np.int32) for each in streams)
    return inputs, targets


def one_hot(indices: np.ndarray, *, size: int, dtype: str = "float32") -> np.ndarray:
    """Write every index as a vector of zeros with a one at its place.

    Args:
        indices: integers of any shape, each from 0 to `size - 1`.
        size: length of the vectors.
        dtype: of the result.

    Returns:
        `(*indices.shape, size)`.

    Raises:
        ValueError: where an index is outside, or is not an integer.

    Example:
        >>> one_hot(np.array([2, 0]), size=3)
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """
    indices = np.asarray(indices)
    if indices.size and indices.dtype.kind not in "iu":
        raise ValueError(f"The indices are of type {indices.dtype}, expected integers. Convert them first.")
    outside = indices[(indices < 0) | (indices >= size)]
    if outside.size:
        raise ValueError(
            f"Indices {outside[:5].tolist()} have no place in vectors of size {size} (0 to {size - 1}). "
            "Pass a larger `size`, or check the vocabulary."
        )
    return (np.arange(size) == indices[..., np.newaxis]).astype(dtype)


def windows(sequence: np.ndarray, *, length: int, step: int = 1) -> np.ndarray:
    """Cut a long sequence into windows of equal length; what is left over at its end is dropped.

    Args:
        sequence: `(time,)` or `(time, features)`.
        length: steps of a window.
        step: steps from the start of one window to the start of the next.

    Returns:
        `(windows, length)` or `(windows, length, features)`: a read-only view that takes no memory of its own.

    Raises:
        ValueError: where the sequence is shorter than one window, or `length` or `step` is not positive.

    Example:
        >>> windows(np.arange(6), length=3, step=2)
        array([[0, 1, 2],
               [2, 3, 4]])
    """
    sequence = np.asarray(sequence)
    if length < 1 or step < 1:
        raise ValueError(f"length is {length} and step is {step}; pass 1 or more for both.")
    if len(sequence) < length:
        raise ValueError(
            f"The sequence has {len(sequence)} steps, fewer than one window of {length}. Pass a shorter `length`."
        )
    view = np.lib.stride_tricks.sliding_window_view(sequence, length, axis=0)[::step]
    return np.moveaxis(view, -1, 1)


def _refuse_other_than_ids(ids: np.ndarray, batch: int, length: int) -> None:
    """Raise ValueError for what cannot be cut into contiguous batches."""
    if batch < 1 or length < 1:
        raise ValueError(f"batch is {batch} and length is {length}; pass 1 or more for both.")
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise ValueError(
            f"ids are {ids.dtype} of shape {ids.shape}, expected whole numbers in one row. "
            "Pass what `vocabulary.encode(list(text))` returns."
        )
    needed = batch * length + 1
    if len(ids) < needed:
        raise ValueError(
            f"{len(ids)} ids are too few: one batch of {batch} rows of {length} and the id after it take {needed}. "
            "Pass a longer text, or a smaller `batch` or `length`."
        )


def _cut(piece: str) -> list[str]:
    """Cut a piece until every part of it is whole or has nothing left to cut."""
    tokens, waiting = [], [piece]
    while waiting:
        part = waiting.pop()
        parts = _cut_once(part)
        if parts == [part]:
            tokens.append(part)
        else:
            waiting += reversed(parts)
    return tokens


def _cut_once(piece: str) -> list[str]:
    if not _WHOLE.fullmatch(piece):
        for cut in _CUTS:
            found = cut.fullmatch(piece)
            if found:
                return [part for part in found.groups() if part]
    return [piece]


def _as_dtype(values: Sequence[int], dtype: np.dtype) -> np.ndarray:
    given = np.asarray(values) if len(values) else np.zeros(0, dtype)
    held = given.astype(dtype)
    if given.ndim != 1 or not np.array_equal(held, given):
        raise ValueError(f"{given.tolist()!r:.60} cannot be kept as a sequence of {dtype}. Pass a fitting `dtype`.")
    return held
