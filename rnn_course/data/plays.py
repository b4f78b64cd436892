"""A play without end, written by a seeded grammar, with the truth about every character.

    CORWIN:
    Anselm, the hens past the old mill are cold,
    so that owl hums. ...

The best possible character model of this text is known: `nats` is the negative logarithm of every character's true
probability given all before it, so no model's cross-entropy on a long text is lower than their mean, but for luck. To
come near it, a model has to keep in mind

    who speaks        nobody speaks twice in a row, calls himself by name, or swears another's oath
    the column        a space becomes a line break once the line holds `WIDTH` characters
    a quotation       it opens and closes with the same sign, one to many sentences later
    the subject       its number decides the verb: "the bells near the gate are", also over nouns of the other number
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnn_course.data.grammars import CharacterGrammar, Situation

WIDTH = 40  # characters of a line from which on a space breaks it
SAMPLE_SEED, SAMPLE_CHARACTERS = 0, 140_000

# Who speaks, and what each of them swears by.
OATHS = {
    "ANSELM": "my lamp",
    "BRIDA": "my needle",
    "CORWIN": "my father's anchor",
    "MARTA": "the good bread",
    "TOBIN": "my fiddle",
    "YSOLDE": "the north wind",
}
SPEAKERS = tuple(OATHS)
VERBS = {"{verb.one}": -1, "{verb.many}": +1}

# See `CharacterGrammar` for the notation. ".one" and ".many" keep subject and verb together.
RULES = {
    "end": "8*.|4*, {and} {clause}.|2*!",
    "and": "and|but|for|so",
    "clause": "4*{anybody.one} {verb.one}|4*{anybody.many} {verb.many}|{person} {verb.one}",
    "anybody.one": "{which.one} {thing}{where}|2*{which.one} {adjective} {thing}{where}",
    "anybody.many": "{which.many} {thing}s{where}|2*{which.many} {adjective} {thing}s{where}",
    "which.one": "4*the|2*this|2*that|every|no|one",
    "which.many": "4*the|2*these|2*those|all|most|ten",
    "thing": "lamp|river|bell|boat|garden|candle|door|note|mirror|pot|ladder|cask|ribbon|hat|nail|drum|pear|rope|coin"
    "|owl|goat|cat|hen|king|maid|baker|sailor|piper|widow|cloud|star|bird|cup|key|ring|shoe|wheel|moth|crow",
    "adjective": "old|bright|cold|idle|crooked|golden|broken|heavy|lost|gentle|bitter|green|pale|red|wet|proud|quick"
    "|dark|kind|mad|lame|rich|poor|blue|sour|dull|fair|hollow",
    "where": "5*|3* {beside} the {place}|2* {beside} the {place}s| that {person} {made}",
    "beside": "near|by|under|past|over|in",
    "place": "gate|harbor|hill|mill|tower|inn|wall|bridge|well|wood|field|road",
    "made": "mended|painted|knew|sold|stole|wanted|lost|broke",
    "person": "2*she|2*he|my brother|my sister|the ferryman|old Marta|nobody",
    "verb.one": "2*{is.one} {how}{adjective}|2*{does}s{when}|has {done} {object}",
    "verb.many": "2*{is.many} {how}{adjective}|2*{does}{when}|have {done} {object}",
    "is.one": "2*is|2*was|seems",
    "is.many": "2*are|2*were|seem",
    "how": "3*|so |very |never |still ",
    "does": "wait|whisper|tremble|sing|sleep|fall|turn|wander|hum|gleam|grow|rest|hide|burn|laugh|dance|sink|wake",
    "when": "3*| at night| in the rain| till dawn| alone| again",
    "done": "found|forgotten|followed|kept|hidden|seen|lost",
    "object": "3*{which.one} {thing}|3*{which.many} {thing}s|him|her|nobody|the {place}",
    "question": "who {has}|where is {which.one} {thing}|where are {which.many} {thing}s|why {is} so {adjective}"
    "|have you {done} {object}",
    "has": "has {done} {object}|{does}s{when}",
    "is": "is {anybody.one}|are {anybody.many}",
    "said": "said|wrote|sang|answered|whispered",
    "quoted": "{spoken}{unquote}",
    "spoken": "4*{Clause}{end}|{Question}?",
    "unquote": '3*"|2* {quoted}',
    "play": "|".join(f"{{speech.{name}}}" for name in SPEAKERS),
}
OF_ONE_SPEAKER = {
    "speech": "NAME:\n{speaking.NAME}",
    "speaking": "{sentence.NAME}{next.NAME}",
    "next": "2* {speaking.NAME}|\n\n{after.NAME}",
    "sentence": '6*{Clause}{end}|2*{Question}?|4*{Person} {said}, "{quoted}|2*{aside.NAME}, {clause}{end}',
    "aside": "By OATH|{name.NAME}",
}


class Play(NamedTuple):
    """A text in the form of a play, with the known truth about every character.

    Each truth is what holds once the character has been read, so it can be held against a state after that step.

    Attributes:
        text: the play, `characters` long; its end is wherever the count ran out.
        truth: arrays `(characters,)`.
            "quoted" bool: a quotation is open.
            "column" int32: characters of the line so far, 0 at a line break.
            "speaker" bool: the character stands in a speaker's name above a speech.
            "capital" bool: it is a capital letter.
            "voice" int8: who speaks, an index into `SPEAKERS`, from the colon on; -1 before the first.
            "agreement" int8: +1 where a plural verb is due, -1 where a singular one is, 0 where none is or the text
            does not tell the number yet. It ends in the verb's first letters, where they can be no other word's.
        nats: `(characters,)` float64, the negative logarithm of each character's probability given all before it.
    """

    text: str
    truth: dict[str, np.ndarray]
    nats: np.ndarray

    def __repr__(self) -> str:
        """Return a short form that does not print the play."""
        return f"Play({len(self.text):,} characters, {self.nats.mean():.3f} nats each, truth: {', '.join(self.truth)})"


def make_play(characters: int, *, rng: np.random.Generator | int) -> Play:
    """Write a play of which every character's probability is known.

    Every character is drawn from its true distribution given all before it, so the sum of `nats` is the negative
    log-probability of the text, but for the rounding of the logarithms. The grammar may be ambiguous: where the text so
    far fits several derivations, all of them are weighed (see `CharacterGrammar`). All before it means from the first
    character of the play on; a model that starts in the middle knows less.

    Args:
        characters: how many.
        rng: draws one uniform number a character; the same generator gives the same play, and fewer characters are the
            beginning of more.

    Returns:
        A `Play`.

    Raises:
        ValueError: where `characters` is less than one.

    Example:
        >>> play = make_play(6, rng=np.random.default_rng(5))
        >>> print(*(f"{letter} {nats:.1f}" for letter, nats in zip(play.text, play.nats, strict=True)), sep=", ")
        T 1.8, O 0.0, B 0.0, I 0.0, N 0.0, : 0.0
    """
    if characters < 1:
        raise ValueError(f"Cannot write a play of {characters} characters; pass at least 1.")
    drawn = list(_write(np.random.default_rng(rng).random(characters)))
    text = "".join(character for character, _, _ in drawn)
    agreement = np.array([due for *_, due in drawn], np.int8)
    return Play(text, _truth_of(text) | {"agreement": agreement}, np.array([nats for _, nats, _ in drawn]))


def sample_play() -> Play:
    """Write the bundled sample again, for its truth: `data/samples/play.txt` holds the text alone.

    Returns:
        The `Play` whose text `load_text("sample")` returns in two parts: its first 90 % are `train`, the rest `valid`.
    """
    return make_play(SAMPLE_CHARACTERS, rng=np.random.Generator(np.random.PCG64(SAMPLE_SEED)))


def write_play(path: Path) -> None:
    """Write the bundled sample.

    Args:
        path: the file to write.
    """
    path.write_text(sample_play().text, encoding="utf-8", newline="\n")


def play_rules() -> dict[str, str]:
    """Return the rules of the play by their names, those of each speaker included, as `CharacterGrammar` takes them."""
    rules = dict(RULES)
    for name, oath in OATHS.items():
        for rule, text in OF_ONE_SPEAKER.items():
            rules[f"{rule}.{name}"] = text.replace("NAME", name).replace("OATH", oath)
        others = [other for other in SPEAKERS if other != name]
        rules[f"after.{name}"] = "|".join(f"{{speech.{other}}}" for other in others)
        rules[f"name.{name}"] = "|".join(map(str.title, others))
    return rules


def play_grammar() -> CharacterGrammar:
    """Return the play's grammar, ready to be asked for the distribution of the next character."""
    return CharacterGrammar(play_rules(), start="play", width=WIDTH)


def _write(uniforms: np.ndarray) -> Iterator[tuple[str, float, int]]:
    """Yield a character, its nats and the number of the verb that is due after it, for each uniform number."""
    grammar = play_grammar()
    situation, column, due, tables = grammar.start, 0, 0, {}
    for uniform in uniforms.tolist():
        key = situation, column >= WIDTH
        if key not in tables:
            tables[key] = _table(grammar.following(situation, column))
        bounds, rows = tables[key]
        character, nats, numbers, situation = rows[bisect_right(bounds, uniform)]
        column = 0 if character == "\n" else column + 1
        # Once known, a number stays while a verb of it may still be to come: in "the bell b", "b" may begin "by".
        due = due if due in numbers else max(numbers) if len(numbers) == 1 else 0
        yield character, nats, due


def _table(following: dict[str, tuple]) -> tuple[list[float], list[tuple[str, float, set[int], Situation]]]:
    """Turn a distribution into the bounds of its cumulative sum, without the last, and a row for each character."""
    bounds = [float(bound) for bound in accumulate(share for share, _ in following.values())]
    rows = [(sign, -log(share) + 0.0, _numbers_due(after), after) for sign, (share, after) in following.items()]
    return bounds[:-1], rows


def _numbers_due(situation: Situation) -> set[int]:
    """Return which numbers the next verb may have: +1 plural, -1 singular, 0 where none may be due."""
    return {next((VERBS[item] for item in items if item in VERBS), 0) for items in situation.due()}


def _truth_of(text: str) -> dict[str, np.ndarray]:
    """Read off a text what it says of itself, each `(characters,)`."""
    letters, places = np.array(list(text)), np.arange(len(text))
    line_starts = np.maximum.accumulate(np.where(letters == "\n", places, -1))
    speaker, voice = np.zeros(len(text), bool), np.full(len(text), -1, np.int8)
    for name in re.finditer(r"(?:\A|(?<=\n\n))[A-Z]+", text):
        speaker[name.start() : name.end()] = True
        if name.end() < len(text):  # otherwise the text ends within the name
            voice[name.end() :] = SPEAKERS.index(name.group())
    return {
        "quoted": np.cumsum(letters == '"') % 2 == 1,
        "column": (places - line_starts).astype(np.int32),
        "speaker": speaker,
        "capital": np.char.isupper(letters),
        "voice": voice,
    }
