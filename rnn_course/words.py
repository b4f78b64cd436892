"""A text as words and signs, and the same text again: what a translation model reads and writes.

    "¿Qué tal, Tom?"  ->  ["¿￭", "qué", "tal", "￭,", "Tom", "￭?"]

A sign (or a clitic such as "￭'t") carries the mark "￭" on each side on which no space stands between it and its
neighbor, so a model that writes tokens also writes where the spaces go. Nothing here knows a language: what is a letter
and what is a capital, Unicode says. Writing without spaces between words (Chinese, Thai) is not cut inside a run of
letters. The standard library only.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

JOINER = "￭"
"""Stands on the side of a token on which it touches its neighbor (U+FFED)."""

START = "<start>"
"""The token a decoder reads first: nothing is written yet."""

END = "<end>"
"""The token a decoder writes last: the sentence is finished."""

# In these patterns \u0300 stands for every character that rests on the one before it: see `_with_one_mark`.
_TOKEN = re.compile(
    r"""
    (?<=[\w\u0300]) ['’] (?:\w\u0300*){1,2} (?![\w\u0300]) (?:['’](?=(?:\w\u0300*){3}))?  # a clitic: 't, 'm, 've
    | \w[\w\u0300]* (?:(?<=\d)[.,](?=\d)[\w\u0300]+)* (?:['’](?=(?:\w\u0300*){3}))?       # a word, a number, l'
    | ([^\w\s]\u0300*)\1*                                                             # a sign, or a run of it
    """,
    re.VERBOSE,
)
_RESTING = re.compile(r"[^\w\s\x00-\x7f]")  # what can be one
_RESTS = {"Mn", "Mc", "Me", "Cf"}  # Unicode's categories of combining marks and of what is not seen
_SPECIAL = re.compile(r"<[a-z]+>")


def split_words(text: str) -> list[str]:
    """Cut a text of any language into words and signs, with a mark where no space stands between two of them.

    A word is a run of letters, digits, combining marks and underscores; a point or comma between digits belongs to the
    number. Every sign is a token, and so is a run of the same sign. An apostrophe between letters begins a token of its
    own with the one or two letters that follow it ("don", "￭'t"), or ends the token before it where more follow ("l'￭",
    "homme"). Of two tokens that touch, one carries the mark: the sign or the clitic, and the second where both could.
    The first letter of a text says nothing about its word and becomes small, unless another capital follows in the
    word: "The" and "I" are lowered, "USA" is not.

    Args:
        text: any string without `JOINER`.

    Returns:
        Its tokens, none of them empty or with white space in it; `join_words` puts them together again.

    Raises:
        ValueError: where the text holds `JOINER` itself.

    Example:
        >>> split_words("The well-known L'Oréal costs 3.5 euros... I don't!")
        ['the', 'well', '￭-￭', 'known', "L'￭", 'Oréal', 'costs', '3.5', 'euros', '￭...', 'I', 'don', "￭'t", '￭!']
    """
    if JOINER in text:
        raise ValueError(
            f"The text holds {JOINER!r} (position {text.index(JOINER)}), the mark with which tokens are joined: "
            f"{text[:60]!r}. Replace it by another sign first."
        )
    spans = [found.span() for found in _TOKEN.finditer(_with_one_mark(text))]
    tokens = [text[start:end] for start, end in spans]
    for here, ((_, end), (start, _)) in enumerate(pairwise(spans)):
        if end == start and _is_word(text[start]):
            tokens[here] += JOINER
        elif end == start:
            tokens[here + 1] = JOINER + tokens[here + 1]
    first = next((index for index, token in enumerate(tokens) if _first_letter(token) is not None), None)
    return tokens if first is None else [*tokens[:first], _lowered(tokens[first]), *tokens[first + 1 :]]


def join_words(tokens: Iterable[str]) -> str:
    """Put words and signs together to the text from which `split_words` cut them.

    White space comes back as one space, and the first letter of the first word as a capital. So one thing is not kept:
    a text that began with a small letter begins with a capital now. Where the first word is a name in angle brackets,
    such as "<unk>" for a word that a vocabulary does not know, it stays as it is.

    Args:
        tokens: strings, as `split_words` returns them or as a model writes them; empty ones (padding) are left out.

    Returns:
        The text.

    Example:
        >>> join_words(["¿￭", "qué", "<unk>", "￭,", "Tom", "￭?"])
        '¿Qué <unk>, Tom?'
    """
    tokens = [token for token in tokens if token]
    pieces, touching = [], True
    for token in tokens:
        pieces += [] if touching or token.startswith(JOINER) else [" "]
        pieces.append(token.replace(JOINER, ""))
        touching = token.endswith(JOINER)
    text = "".join(pieces)
    first = next((token for token in tokens if _first_letter(token) is not None), "")
    return text if _SPECIAL.fullmatch(first) else _raised(text)


def _with_one_mark(text: str) -> str:
    """Write U+0300 for every combining mark and invisible sign; the text stays as long as it was."""
    return _RESTING.sub(lambda found: "\u0300" if unicodedata.category(found[0]) in _RESTS else found[0], text)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _first_letter(text: str) -> int | None:
    """Return the position of the first character that can begin a word, or None."""
    return next((index for index, character in enumerate(text) if _is_word(character)), None)


def _lowered(word: str) -> str:
    """Make the first letter small, unless another capital follows or the way back would lead elsewhere."""
    capital, rest = word[0], word[1:]
    small = capital.lower()
    if small == capital or _raised(small) != capital or any(map(str.isupper, rest)):
        return word
    return small + rest


def _raised(text: str) -> str:
    """Make the first letter of the first word a capital, where one character can be."""
    first = _first_letter(text)
    if first is None or not text[first].islower() or len(text[first].title()) > 1:
        return text
    return text[:first] + text[first].title() + text[first + 1 :]
