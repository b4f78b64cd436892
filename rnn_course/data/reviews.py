"""Short reviews written by a seeded grammar, with the truth about every word.

Whether a review is positive is decided by its words *and their order*: a polar word may stand in the
scope of a negator ("this is not at all the moving story i expected"), and of two clauses that disagree one
decides ("the plot is dull , but the cast is superb").

    meaning of a clause = polarity of its polar word, turned round where a negator stands before it
    label               = meaning of the clause that decides

Each polar word is almost as frequent in positive as in negative reviews, and negators and connectors are
exactly as likely in both, so counting words helps little.
"""

import random
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.chance import choose
from rnn_course.data.labelled_text import LabelledText

NEGATED_SHARE = 0.25  # of the clauses that hold a polar word
LENGTHS = range(4, 26)  # words of a review, punctuation counted

# Words with a polarity, the positive ones before the bar. A word has the same polarity wherever it stands.
POLAR = {
    "adjective": (
        "beautiful brilliant charming clever delightful elegant excellent fascinating fresh good graceful great "
        "gripping inspired likable lively lovely memorable moving original powerful satisfying smart splendid "
        "superb tender thrilling touching warm wise witty wonderful"
        "|annoying awful awkward bad bland boring careless clumsy confusing dreadful dreary dull empty flat "
        "forgettable hollow lazy lifeless messy pointless predictable pretentious shallow silly sloppy stale "
        "tedious terrible tiresome trite ugly weak"
    ),
    "noun": (
        "delight gem joy marvel masterpiece pleasure success treat triumph wonder"
        "|bore chore disappointment disaster failure flop letdown mess mistake ordeal"
    ),
    "loved": (
        "admired adored applauded cherished enjoyed liked loved praised"
        "|deplored despised detested disliked hated loathed regretted resented"
    ),
    "finely": (
        "beautifully brilliantly cleverly elegantly gracefully smartly superbly wonderfully"
        "|awkwardly badly carelessly clumsily lazily poorly sloppily terribly"
    ),
}

# What fills the other slots: no word of it has a polarity.
NEUTRAL = {
    "part": (
        "the film|this movie|the story|its plot|the script|the cast|the ending|the music|its dialogue|the acting|"
        "the humor|the romance|the camera work|the opening scene|the first half|the last hour|the lead actor|"
        "its final chapter|the voice of the narrator|the second act"
    ),
    "work": "film|movie|story|picture|comedy|drama|thriller|tale|debut|sequel|adventure|western",
    "so": "really|truly|especially|particularly|very|quite|entirely|unusually",
    "fairly": "very|quite|so|truly",
    "made": "written|filmed|acted|told|edited|lit|staged",
    "done": "done|handled|put together|brought off",
    "here": "in the room|in my family|i know|at the festival|over thirty|i asked",
    "minute": "minute|scene|line|shot|second|moment",
    "expected": "expected|was promised|had read about|had heard about|was told about",
    "throughout": "from start to finish|to the end|the second time|to watch|to look at|on a big screen",
    "town": "town|village|harbor|hotel|castle|desert",
    "spring": "spring|friday|christmas|next week|may",
    "brother": "brother|sister|cousin|neighbor|class|parents",
    "director": "director|writer|producer|composer|novel|studio",
    "trailer": "trailer|cartoon|short film",
    "two": "two|three|about three",
}

# Clauses with one polar word: affirmed, and negated. `>` opens the scope of the negator before it; the
# scope ends with the clause.
FRAMES = (
    ("{part} is {so} {adjective}", "{part} is not > {so} {adjective}"),
    ("{part} is {adjective} {throughout}", "{part} is never > {adjective} {throughout}"),
    ("this is a {so} {adjective} {work}", "this is hardly > a {so} {adjective} {work}"),
    ("this is the {adjective} {work} i {expected}", "this is not > at all the {adjective} {work} i {expected}"),
    ("i would call {part} {so} {adjective}", "i would n't > call {part} {so} {adjective}"),
    ("everybody {here} would call it {adjective}", "nobody > {here} would call it {adjective}"),
    ("everything about {part} is {adjective}", "nothing > about {part} is {adjective}"),
    ("there is more than one {adjective} {minute} in it", "there is not > one {adjective} {minute} in it"),
    ("{part} turned out to be {so} {adjective}", "{part} did n't > turn out to be {so} {adjective}"),
    ("{part} comes with many a {adjective} {minute}", "{part} comes without > a single {adjective} {minute}"),
    ("{part} has room for many a {adjective} {minute}", "{part} has no > room for a {adjective} {minute}"),
    ("i always found {part} {so} {adjective}", "i never > found {part} {so} {adjective}"),
    ("one could say that {part} is {adjective}", "nobody > could say that {part} is {adjective}"),
    ("{part} is what i would call a {noun}", "{part} is hardly > what i would call a {noun}"),
    ("it is by all accounts a {noun}", "it is by no > means a {noun}"),
    ("{part} is close to the {noun} i {expected}", "{part} is nowhere > near the {noun} i {expected}"),
    ("everybody {here} {loved} it", "nobody > {here} {loved} it"),
    ("all of us {loved} {part}", "not > one of us {loved} {part}"),
    ("{part} is {fairly} {finely} {done}", "{part} is not > {fairly} {finely} {done}"),
    ("everything in it is {finely} {made}", "nothing > in it is {fairly} {finely} {made}"),
)

# Clauses without a polar word. Some hold a negator, so that its mere presence tells nothing.
FILLERS = (
    "{part} runs for {two} hours",
    "it was shot in a small {town}",
    "it is set in a {town}",
    "i saw it with my {brother}",
    "we went with my {brother}",
    "the {director} was new to me",
    "it opens before {spring}",
    "we talked about {part} on the way home",
    "it does n't > open before {spring}",
    "i had never > heard of the {director}",
    "nobody > told me about the {director}",
    "there is hardly > any snow in the {town}",
    "nothing > in it is set in a {town}",
    "i did not > go with my {brother}",
    "we came without > my {brother}",
    "no > {trailer} was shown before it",
    "the {town} is nowhere > near the sea",
)

# How a review is put together, and how often out of 100: `+` is a clause that decides, `-` one that says the
# opposite and does not decide, `~` a filler.
PLANS = (
    (29, "+ ."),
    (5, "~ , and + ."),
    (5, "~ , but + ."),
    (6, "+ , and ~ ."),
    (15, "+ , and + ."),
    (25, "- , but + ."),
    (7, "although - , + ."),
    (8, "+ , even though - ."),
)

_PLANS_BY_WEIGHT = [plan for weight, plan in PLANS for _ in range(weight)]
HEADING = ("split", "label", "text", "polarity", "negated", "decides")
SPLITS = {"train": 3_200, "dev": 600, "test": 1_000}  # texts of the bundled sample
LABELS = ("negative", "positive")


class _Word(NamedTuple):
    text: str
    polarity: int = 0
    negated: bool = False
    decides: bool = False


def make_reviews(count: int, *, seed: int = 0) -> LabelledText:
    """Write short reviews, half of them positive, with the known truth about every word.

    The label (0 negative, 1 positive) follows from the truth: it is the sign of the sum of `polarity` over
    the words that decide, with the sign of `negated` words turned round.

    Args:
        count: how many; no text comes twice.
        seed: of the grammar's choices; the same seed gives the same reviews with every version of Python and
            NumPy, and fewer reviews are the beginning of more.

    Returns:
        A `LabelledText`: `texts` of 4 to 25 lower-case words separated by spaces, `labels` `(count,)`, and for
        each text `negated`, `polarity` and `decides`, each `(time,)`, aligned with `text.split()`.

    Raises:
        ValueError: where `count` is less than one.

    Example:
        >>> reviews = make_reviews(2)
        >>> len(reviews.texts[0].split()) == len(reviews.negated[0])
        True
    """
    if count < 1:
        raise ValueError(f"Cannot write {count} reviews; pass a `count` of at least 1.")
    rng = random.Random(seed)
    reviews: dict[str, tuple[int, list[_Word]]] = {}
    while len(reviews) < count:
        first = choose(rng, (-1, 1))  # the two of a pair differ, so every even number of reviews is balanced
        for meaning in (first, -first):
            words = _new_review(rng, meaning, reviews)
            reviews[" ".join(word.text for word in words)] = (meaning, words)
    return _as_labelled_text(list(reviews.values())[:count])


def write_reviews(path: Path) -> None:
    """Write the bundled sample, one review a row, tab-separated.

    Args:
        path: the file to write. Its columns are split, label, text and the truth with one sign a word:
            `polarity` -, 0 or +, `negated` and `decides` 0 or 1.
    """
    reviews = make_reviews(sum(SPLITS.values()))
    splits = [split for split, size in SPLITS.items() for _ in range(size)]
    rows = [HEADING]
    for split, text, label, negated, polarity, decides in zip(splits, *reviews, strict=True):
        signs = ("".join("-0+"[value + 1] for value in polarity), *(_bits(part) for part in (negated, decides)))
        rows.append((split, LABELS[label], text, *signs))
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def read_reviews(path: Path) -> dict[str, LabelledText]:
    """Read the bundled sample.

    Args:
        path: a file that `write_reviews` wrote.

    Returns:
        The `LabelledText` of each split ("train", "dev" and "test"), truth included.
    """
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {split: _parse([row for row in rows if row[0] == split]) for split in SPLITS}


def _new_review(rng: random.Random, meaning: int, taken: dict) -> list[_Word]:
    """Draw reviews until one has a fitting length and is not there yet."""
    while True:
        words = _review(rng, meaning)
        if len(words) in LENGTHS and " ".join(word.text for word in words) not in taken:
            return words


def _review(rng: random.Random, meaning: int) -> list[_Word]:
    words: list[_Word] = []
    for piece in choose(rng, _PLANS_BY_WEIGHT).split():
        if piece in "+-":
            words += _clause(rng, meaning if piece == "+" else -meaning, decides=piece == "+")
        elif piece == "~":
            words += _fill(rng, choose(rng, FILLERS))
        else:
            words.append(_Word(piece))
    return _with_articles(words)


def _clause(rng: random.Random, meaning: int, *, decides: bool) -> list[_Word]:
    negated = rng.random() < NEGATED_SHARE
    frame = choose(rng, FRAMES)[negated]
    return _fill(rng, frame, polarity=-meaning if negated else meaning, decides=decides)


def _fill(rng: random.Random, frame: str, *, polarity: int = 0, decides: bool = False) -> list[_Word]:
    """Fill a frame's slots; words after its `>` are in the scope of the negator."""
    words: list[_Word] = []
    negated = False
    for piece in frame.split():
        if piece == ">":
            negated = True
            continue
        own = polarity if piece.startswith("{") and piece.strip("{}") in POLAR else 0
        words += [_Word(text, own, negated, decides) for text in _phrase(rng, piece, own).split()]
    return words


def _phrase(rng: random.Random, piece: str, polarity: int) -> str:
    """Return what stands in the place of a frame's piece: itself, or one filling of its slot."""
    slot = piece.strip("{}")
    if slot == piece:
        return piece
    if slot in NEUTRAL:
        return choose(rng, NEUTRAL[slot].split("|"))
    positive, negative = POLAR[slot].split("|")
    return choose(rng, (positive if polarity > 0 else negative).split())


def _with_articles(words: list[_Word]) -> list[_Word]:
    followers = [*words[1:], _Word("")]
    return [
        word._replace(text="an") if word.text == "a" and after.text[:1] in set("aeiou") else word
        for word, after in zip(words, followers, strict=True)
    ]


def _as_labelled_text(reviews: list[tuple[int, list[_Word]]]) -> LabelledText:
    texts = [" ".join(word.text for word in words) for _, words in reviews]
    labels = np.array([meaning > 0 for meaning, _ in reviews], np.int64)
    negated = tuple(np.array([word.negated for word in words]) for _, words in reviews)
    polarity = tuple(np.array([word.polarity for word in words], np.int8) for _, words in reviews)
    decides = tuple(np.array([word.decides for word in words]) for _, words in reviews)
    return LabelledText(texts, labels, negated, polarity, decides)


def _bits(values: np.ndarray) -> str:
    return "".join("01"[int(value)] for value in values)


def _parse(rows: list[list[str]]) -> LabelledText:
    _, labels, texts, *truth = zip(*rows, strict=True)
    # (time,) characters of each text
    polarity, negated, decides = ([np.frombuffer(signs.encode(), np.uint8) for signs in part] for part in truth)
    return LabelledText(
        list(texts),
        np.array([LABELS.index(label) for label in labels], np.int64),
        tuple(signs == ord("1") for signs in negated),
        tuple((signs == ord("+")).astype(np.int8) - (signs == ord("-")) for signs in polarity),
        tuple(signs == ord("1") for signs in decides),
    )
