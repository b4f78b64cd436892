"""Sequences of letters, DNA or protein: as arrays and back, their other strand, what their letters tell. NumPy only.

An encoded sequence has one row a letter and one column for each letter of the alphabet. The rows of known letters are
one-hot; an ambiguous letter, such as N for any base, is spread evenly over what it may stand for, so that every row
sums to 1. Rows of padding are all 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Alphabet:
    """The letters that sequences are written with.

    Lower-case letters are read as their capitals, but where the alphabet has them as letters of their own.

    Attributes:
        letters: one character each, in the order of the columns of an encoded sequence.
        ambiguous: for other characters the letters each may stand for.

    Example:
        >>> rna = Alphabet("ACGU", {"N": "ACGU", "Y": "CU"})
        >>> encode(["uy"], rna)[0].tolist()
        [[0.0, 0.0, 0.0, 1.0], [0.0, 0.5, 0.0, 0.5]]
    """

    letters: str
    ambiguous: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        """Refuse letters that could not be told apart or stand for nothing."""
        symbols = [*self.letters, *self.ambiguous]
        plain = all(len(symbol) == 1 and symbol.isascii() and symbol.isprintable() for symbol in symbols)
        if not self.letters or not plain or " " in symbols or len(set(symbols)) < len(symbols):
            raise ValueError(
                f"An alphabet of {self.letters!r} with {sorted(self.ambiguous)!r}; pass at least one letter, each of "
                "them once, and all of them single printable ASCII characters."
            )
        for symbol, meant in self.ambiguous.items():
            if not meant or set(meant) - set(self.letters) or len(set(meant)) < len(meant):
                raise ValueError(
                    f"{symbol!r} stands for {meant!r}; pass at least one of the letters {self.letters!r}, each once."
                )

    def __len__(self) -> int:
        """Return the number of letters, without the ambiguous ones: the columns of an encoded sequence."""
        return len(self.letters)

    def __hash__(self) -> int:
        """Let alphabets be keys, although `ambiguous` is a dict."""
        return hash((self.letters, tuple(sorted(self.ambiguous.items()))))

    def capitals(self, sequence: str) -> str:
        """Return a sequence with its lower-case letters raised, but for letters that are the alphabet's own.

        Only the letters a to z change, each to one letter; all else stays, to be refused where it is no letter.

        Args:
            sequence: a string.

        Returns:
            A string of the same length.
        """
        return sequence.translate(self._raised)

    def checked(self, sequence: str, *, where: str = "The sequence") -> str:
        """Return a sequence with its lower-case letters raised, or refuse it.

        Args:
            sequence: a string.
            where: what an error calls the sequence, such as the file and the record that it is from.

        Returns:
            A string of the same length, all of whose characters are letters of the alphabet.

        Raises:
            ValueError: where a character is none; it is named with its position, counted from 1.

        Example:
            >>> DNA.checked("acgn")
            'ACGN'
        """
        raised = self.capitals(sequence)
        wrong = set(raised) - self._places.keys()
        if wrong:
            at = next(place for place, character in enumerate(raised) if character in wrong)
            known = f"{self.letters} or one of {''.join(self.ambiguous)}" if self.ambiguous else self.letters
            raise ValueError(
                f"{where}: {sequence[at]!r} at position {at + 1:,} is no letter of this alphabet; expected {known}. "
                "Correct it, leave the sequence out, or pass another `Alphabet`."
            )
        return raised

    @cached_property
    def rows(self) -> np.ndarray:
        """The row of every letter and then of every ambiguous one, `(letters + ambiguous, letters)` float32."""
        rows = np.zeros((len(self._places), len(self)), np.float32)
        for symbol, place in self._places.items():
            meant = self.ambiguous.get(symbol, symbol)
            rows[place, [self.letters.index(letter) for letter in meant]] = 1 / len(meant)
        return rows

    @cached_property
    def _places(self) -> dict[str, int]:
        return {symbol: place for place, symbol in enumerate([*self.letters, *self.ambiguous])}

    @cached_property
    def _raised(self) -> dict[int, int]:
        small = (chr(code) for code in range(ord("a"), ord("z") + 1))
        return {ord(letter): ord(letter.upper()) for letter in small if letter not in self._places}

    @cached_property
    def _rows_of_codes(self) -> np.ndarray:
        """The row of every ASCII character, `(128, letters)`; all 0 for those that are no letters."""
        table = np.zeros((128, len(self)), np.float32)
        table[[ord(symbol) for symbol in self._places]] = self.rows
        return table


# The nucleotide codes of the IUPAC-IUB (Cornish-Bowden 1985).
DNA = Alphabet(
    "ACGT",
    {
        "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
        "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
    },
)  # fmt: skip

# The amino acids. Selenocysteine (U) is read as cysteine, its twin with sulfur, pyrrolysine (O) as the lysine it is
# made of: both are too rare for a column of their own.
PROTEIN = Alphabet(
    "ACDEFGHIKLMNPQRSTVWY",
    {"B": "DN", "Z": "EQ", "J": "IL", "X": "ACDEFGHIKLMNPQRSTVWY", "U": "C", "O": "K"},
)

_COMPLEMENT = str.maketrans("ACGTRYSWKMBDHVN", "TGCAYRSWMKVHDBN")


def encode(sequences: Sequence[str], alphabet: Alphabet, *, length: int | None = None) -> np.ndarray:
    """Turn sequences into arrays, the shorter ones padded at their end.

    Args:
        sequences: `batch` strings, none of them empty, such as those of `LabelledSequences.sequences`.
        alphabet: the `Alphabet` that they are written with, such as `DNA` or `PROTEIN`.
        length: the number of rows, an int; that of the longest sequence when `None`. No sequence is ever cut.

    Returns:
        `(batch, time, letters)` float32: each row sums to 1, those of padding are all 0.

    Raises:
        TypeError: where one string comes instead of a list of them.
        ValueError: where a sequence is empty, longer than `length`, or holds a character that is no letter.

    Example:
        >>> encode(["AC", "N"], DNA).tolist()
        [[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]], [[0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.0, 0.0]]]
    """
    if isinstance(sequences, str):
        raise TypeError(f"encode got the string {sequences[:40]!r}, expected a list of them. Pass [sequence].")
    lengths = np.array([len(sequence) for sequence in sequences], int)
    longest = int(lengths.max(initial=0))
    length = longest if length is None else length
    if longest > length or not lengths.all():
        _refuse_length(lengths, length)
    encoded = np.zeros((len(lengths), length, len(alphabet)), np.float32)
    for number, sequence in enumerate(sequences):
        letters = alphabet.checked(sequence, where=f"Sequence {number}").encode("ascii")
        encoded[number, : len(letters)] = alphabet._rows_of_codes[np.frombuffer(letters, np.uint8)]
    return encoded


def decode(encoded: np.ndarray, alphabet: Alphabet) -> list[str]:
    """Turn arrays into sequences; padding is left out.

    Args:
        encoded: `(batch, time, letters)`, rows that `encode` wrote or probabilities.
        alphabet: the `Alphabet` of its columns.

    Returns:
        A list of `batch` strings. Each row becomes the letter, ambiguous ones included, whose row is nearest.

    Raises:
        ValueError: where the array has another shape.

    Example:
        >>> decode(encode(["ACGT", "NY"], DNA), DNA)
        ['ACGT', 'NY']
    """
    encoded = _three_axes(encoded, columns=len(alphabet))
    # |row - symbol|^2 without |row|^2, which is the same for every symbol; the first of equal ones is a plain letter.
    distance = (alphabet.rows**2).sum(axis=1) - 2 * encoded @ alphabet.rows.T  # (batch, time, symbols)
    symbols = np.array([*alphabet.letters, *alphabet.ambiguous])[distance.argmin(axis=-1)]
    return ["".join(row[real]) for row, real in zip(symbols, letter_mask(encoded), strict=True)]


def letter_mask(encoded: np.ndarray) -> np.ndarray:
    """Tell the letters of encoded sequences from the padding, as `keras.layers.Masking` does.

    Args:
        encoded: `(batch, time, letters)`.

    Returns:
        `(batch, time)` bool, True at the letters.
    """
    return (np.asarray(encoded) != 0).any(axis=-1)


def reverse_complement(sequence: str) -> str:
    """Return the other strand of a piece of DNA, read in its own direction.

    Args:
        sequence: a string of DNA, ambiguous letters included; lower-case ones are raised.

    Returns:
        A string of the same length.

    Raises:
        ValueError: where a character is no letter of DNA.

    Example:
        >>> reverse_complement("GGTAAGN")
        'NCTTACC'
    """
    return DNA.checked(sequence)[::-1].translate(_COMPLEMENT)


def reverse_complement_encoded(encoded: np.ndarray) -> np.ndarray:
    """Return the other strands of encoded DNA, each read in its own direction; padding stays at the end.

    Args:
        encoded: `(batch, time, 4)` with the columns A, C, G, T and all padding behind the letters.

    Returns:
        `(batch, time, 4)`.

    Raises:
        ValueError: where the array has another shape, or letters stand behind padding.

    Example:
        >>> decode(reverse_complement_encoded(encode(["AAC", "GT"], DNA)), DNA)
        ['GTT', 'AC']
    """
    encoded = _three_axes(encoded, columns=4)
    mask = letter_mask(encoded)
    if (mask[:, 1:] > mask[:, :-1]).any():
        bad = int((mask[:, 1:] > mask[:, :-1]).any(axis=1).argmax())
        raise ValueError(f"Sequence {bad} has letters behind padding. Pass sequences that are padded at their end.")
    places = np.arange(mask.shape[1])
    back = np.where(mask, mask.sum(axis=1, keepdims=True) - 1 - places, places)  # (batch, time)
    return np.take_along_axis(encoded, back[..., None], axis=1)[..., ::-1]  # A, C, G, T backwards is T, G, C, A


def letter_probabilities(sequences: Sequence[str], alphabet: Alphabet, *, pseudocount: float = 1.0) -> np.ndarray:
    """Estimate how likely each letter is at each place of sequences that stand below one another.

    Args:
        sequences: `batch` strings of equal length, such as the sites that a protein binds to.
        alphabet: the `Alphabet` that they are written with; an ambiguous letter counts in parts.
        pseudocount: added to every place, spread evenly over the letters: no letter is impossible because it has not
            been seen.

    Returns:
        `(width, letters)`, each row sums to 1.

    Raises:
        ValueError: where there is no sequence, their lengths differ, or the pseudocount is negative.

    Example:
        >>> letter_probabilities(["GT", "GT", "GC"], DNA).tolist()
        [[0.0625, 0.0625, 0.8125, 0.0625], [0.0625, 0.3125, 0.0625, 0.5625]]
    """
    lengths = {len(sequence) for sequence in sequences}
    if len(lengths) != 1 or not pseudocount >= 0:
        raise ValueError(
            f"{len(sequences)} sequences of the lengths {sorted(lengths)[:5]} with a pseudocount of {pseudocount}; "
            "pass at least one, all of one length, and a pseudocount of at least 0."
        )
    counts = encode(sequences, alphabet).sum(axis=0, dtype=np.float64) + pseudocount / len(alphabet)
    return counts / counts.sum(axis=1, keepdims=True)


def position_weight_matrix(
    sequences: Sequence[str],
    alphabet: Alphabet,
    *,
    pseudocount: float = 1.0,
    background: np.ndarray | None = None,
) -> np.ndarray:
    """Weigh each letter at each place of a motif: how many times likelier than in the background, in bits.

        weight = log2(probability at this place / probability in the background)

    Args:
        sequences: `batch` strings of equal length, the motif's known examples.
        alphabet: the `Alphabet` that they are written with.
        pseudocount: as in `letter_probabilities`.
        background: `(letters,)` probabilities; all equal when `None`.

    Returns:
        `(width, letters)`, for `scan`. Without a pseudocount, letters that were not seen weigh -inf.

    Raises:
        ValueError: as `letter_probabilities` and `log_odds` do.

    Source: Stormo (2000), DNA binding sites: representation and discovery. Bioinformatics 16.

    Example:
        >>> position_weight_matrix(["GT", "GT", "GC"], DNA).round(2).tolist()
        [[-2.0, -2.0, 1.7, -2.0], [-2.0, 0.32, -2.0, 1.17]]
    """
    return log_odds(letter_probabilities(sequences, alphabet, pseudocount=pseudocount), background=background)


def log_odds(probabilities: np.ndarray, *, background: np.ndarray | None = None) -> np.ndarray:
    """Compare probabilities of letters with those in the background.

    Args:
        probabilities: `(…, letters)`.
        background: `(letters,)` probabilities, all above 0; all equal when `None`.

    Returns:
        `(…, letters)` bits; -inf where a probability is 0.

    Raises:
        ValueError: where `background` has another shape, a letter that never comes, or a sum other than 1.
    """
    probabilities = np.asarray(probabilities, np.float64)
    with np.errstate(divide="ignore"):
        return np.log2(probabilities) - np.log2(_background(background, probabilities.shape[-1]))


def scan(encoded: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Hold a motif against every place of sequences, and add up the weights of the letters that stand there.

    Args:
        encoded: `(batch, time, letters)`; an ambiguous letter gets the mean weight of what it may stand for.
        log_odds: `(width, letters)` finite weights, such as those of `position_weight_matrix`.

    Returns:
        `(batch, time - width + 1)`: the score of the motif that starts at each place, in the weights' unit (bits); -inf
        where it would reach into padding.

    Raises:
        ValueError: where the columns differ, a weight is not finite, or the motif is wider than `time`.

    Example:
        >>> scan(encode(["AGTA"], DNA), position_weight_matrix(["GT", "GT", "GC"], DNA)).round(2).tolist()
        [[-4.0, 2.87, -4.0]]
    """
    weights = np.asarray(log_odds, np.float64)
    if weights.ndim != 2 or not len(weights) or not np.isfinite(weights).all():
        raise ValueError(
            f"Came weights of shape {weights.shape}, {int((~np.isfinite(weights)).sum())} of them not finite; pass "
            "(width, letters), finite: `position_weight_matrix` gives such with a pseudocount above 0."
        )
    encoded = _three_axes(encoded, columns=weights.shape[1])
    count = encoded.shape[1] - len(weights) + 1
    if count < 1:
        raise ValueError(
            f"The motif is {len(weights)} wide, the sequences are {encoded.shape[1]} long. Pass a narrower motif, or "
            f"encode with length={len(weights)} or more."
        )
    # One product a row of the motif: (batch, time - width + 1, letters) @ (letters,).
    scores = sum(encoded[:, place : place + count] @ row for place, row in enumerate(weights))
    real = np.lib.stride_tricks.sliding_window_view(letter_mask(encoded), len(weights), axis=1).all(axis=-1)
    return np.where(real, scores, -np.inf)


def information(probabilities: np.ndarray, *, background: np.ndarray | None = None) -> np.ndarray:
    """Say how much the letters at a place tell, in bits: the height of a stack in a sequence logo.

        information = sum over the letters of p log2(p / background)

    With an even background of four letters it is 2 bits less the entropy: 2 where one letter is certain, 0 where all
    are equally likely.

    Args:
        probabilities: `(…, letters)`, none negative; each row sums to 1, or is all 0 (padding) and tells 0.
        background: `(letters,)` probabilities, all above 0; all equal when `None`.

    Returns:
        `(…)` bits, without the correction for small samples.

    Raises:
        ValueError: where a row is no probabilities, or the background is none.

    Source: Schneider & Stephens (1990), Sequence logos. Nucleic Acids Research 18.

    Example:
        >>> information(np.array([[0, 0, 1, 0], [0, 0.5, 0, 0.5], [0.25, 0.25, 0.25, 0.25]])).tolist()
        [2.0, 1.0, 0.0]
    """
    probabilities = np.asarray(probabilities, np.float64)
    sums = probabilities.sum(axis=-1)
    if not (probabilities >= 0).all() or not (np.isclose(sums, 1, atol=1e-4) | (sums == 0)).all():
        raise ValueError(
            f"Came rows whose smallest value is {probabilities.min()} and whose sums lie from {sums.min()} to "
            f"{sums.max()}. Pass probabilities: none negative, and each row with the sum 1 (or 0, where it is padding)."
        )
    safe = np.where(probabilities > 0, probabilities, 1)  # 0 log 0 is 0
    expected = np.log2(_background(background, probabilities.shape[-1]))
    return (probabilities * (np.log2(safe) - expected)).sum(axis=-1)


def _refuse_length(lengths: np.ndarray, length: int) -> None:
    if not lengths.all():
        raise ValueError(f"Sequence {int(lengths.argmin())} is empty; leave it out.")
    raise ValueError(
        f"Sequence {int(lengths.argmax())} has {int(lengths.max()):,} letters, more than length={length:,}. Pass a "
        "larger length, or cut the sequence where you know what may go."
    )


def _three_axes(encoded: np.ndarray, *, columns: int) -> np.ndarray:
    encoded = np.asarray(encoded)
    if encoded.ndim != 3 or encoded.shape[2] != columns:
        raise ValueError(
            f"Came an array of shape {encoded.shape}; pass (batch, time, {columns}), as `encode` returns it."
        )
    return encoded


def _background(background: np.ndarray | None, letters: int) -> np.ndarray:
    if background is None:
        return np.full(letters, 1 / letters)
    background = np.asarray(background, np.float64)
    if background.shape != (letters,) or not (background > 0).all() or not np.isclose(background.sum(), 1, atol=1e-4):
        raise ValueError(
            f"The background has the shape {background.shape} and the sum {background.sum():g}; pass ({letters},) "
            "probabilities, all above 0, with the sum 1."
        )
    return background
