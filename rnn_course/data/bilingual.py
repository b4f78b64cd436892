"""Spanish sentences with their English translations, written by a seeded grammar, with the truth about every word.

    La niña alta no canta siempre.   ->   The tall girl does not always sing.

A lexicon of one English word for each Spanish one, and rules that put them in another order: an adjective stands after
its noun in Spanish and before it in English, an adverb after the verb and before it; "no" becomes "does not" or "do
not". Articles and adjectives agree with their noun in gender and number, the verb with its subject, so that a word of
the translation can be told from the one Spanish word it is aligned with and, where English shows the number, from its
neighbors.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnn_course.data.chance import choose, happens
from rnn_course.data.sentence_pairs import SentencePairs, bare_words
from rnn_course.words import JOINER, join_words


def _rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.strip().splitlines()]


# One row a word. Spanish: masculine and feminine singular, then plural; English: singular, plural; "-" where there is
# none.
DETERMINERS = _rows("""
    el la los las         the the
    un una unos unas      a some
    este esta estos estas this these
    cada cada - -         every -
    - - muchos muchas     - many
    nuestro nuestra nuestros nuestras  our our
""")

# Spanish: singular, plural and gender; English: singular, plural. Only things are objects: of persons Spanish has "a".
BEINGS = _rows("""
    perro perros m dog dogs
    gato gatos m cat cats
    caballo caballos m horse horses
    pájaro pájaros m bird birds
    niño niños m boy boys
    niña niñas f girl girls
    hombre hombres m man men
    mujer mujeres f woman women
    rey reyes m king kings
    reina reinas f queen queens
    maestra maestras f teacher teachers
    médico médicos m doctor doctors
""")
THINGS = _rows("""
    casa casas f house houses
    mesa mesas f table tables
    libro libros m book books
    carta cartas f letter letters
    puerta puertas f door doors
    silla sillas f chair chairs
    árbol árboles m tree trees
    jardín jardines m garden gardens
    río ríos m river rivers
    flor flores f flower flowers
    llave llaves f key keys
    coche coches m car cars
    barco barcos m boat boats
""")

# Spanish: masculine and feminine singular, then plural; English.
ADJECTIVES = _rows("""
    rojo roja rojos rojas red
    pequeño pequeña pequeños pequeñas small
    nuevo nueva nuevos nuevas new
    blanco blanca blancos blancas white
    negro negra negros negras black
    rico rica ricos ricas rich
    alto alta altos altas tall
    grande grande grandes grandes big
    verde verde verdes verdes green
    triste triste tristes tristes sad
    fuerte fuerte fuertes fuertes strong
    azul azul azules azules blue
""")

# Spanish: singular, plural; English: singular, plural.
VERBS_ALONE = _rows("""
    duerme duermen sleeps sleep
    canta cantan sings sing
    corre corren runs run
    baila bailan dances dance
    salta saltan jumps jump
    cae caen falls fall
""")
VERBS_WITH_OBJECT = _rows("""
    ve ven sees see
    compra compran buys buy
    vende venden sells sell
    pinta pintan paints paint
    busca buscan seeks seek
    rompe rompen breaks break
    lleva llevan carries carry
    encuentra encuentran finds find
""")

ADVERBS = _rows("""
    siempre always
    también also
    todavía still
    lentamente slowly
    tranquilamente quietly
    raramente rarely
""")
PREPOSITIONS = _rows("""
    con with
    sin without
    bajo under
    tras behind
    en in
""")
CONJUNCTIONS = _rows("""
    y and
    porque because
    mientras while
    pero but
""")
AFTER_COMMA = {"pero"}

# How often out of 100.
PLURAL, ADJECTIVE, PLACE, NEGATED, ADVERB, ANOTHER_CLAUSE = 40, 40, 12, 25, 25, 40
ENDS = "........!?"
OPENINGS = {"!": "¡", "?": "¿"}

HEADING = ("split", "source", "target", "alignment")
SPLITS = {"train": 3_000, "dev": 300, "test": 500}  # pairs of the bundled sample


@dataclass(frozen=True, eq=False)
class _Word:
    """One Spanish token and the English ones that it stands for; equal words in two places are two words."""

    spanish: str
    english: tuple[str, ...]


Phrase = tuple[list[_Word], list[_Word]]  # the same words in the order of Spanish and in that of English


def make_sentence_pairs(count: int, *, seed: int, longest_clauses: int = 4) -> SentencePairs:
    """Write Spanish sentences with their English translations, and say which word stands for which.

    More than half of the sentences have one clause; another one follows with the same chance each time.

    Args:
        count: how many; no two sources have the same words.
        seed: of the grammar's choices; the same seed gives the same pairs with every version of Python and NumPy, and
            fewer pairs are the beginning of more.
        longest_clauses: the most clauses that a sentence has, at least 1.

    Returns:
        `SentencePairs` with `alignments`: every English token has a link, "does" and "not" have the same one to "no",
        and "?" and "!" are linked with both of their Spanish signs.

    Raises:
        ValueError: where `count` or `longest_clauses` is less than 1.

    Example:
        >>> pairs = make_sentence_pairs(1, seed=12)
        >>> pairs.sources[0], pairs.targets[0]
        ('La mujer roja baila.', 'The red woman dances.')
        >>> pairs.alignments[0].tolist()
        [[0, 0], [2, 1], [1, 2], [3, 3], [4, 4]]
    """
    if count < 1 or longest_clauses < 1:
        raise ValueError(
            f"Cannot write {count} pairs of up to {longest_clauses} clauses; pass a `count` and `longest_clauses` of "
            "at least 1."
        )
    rng = random.Random(seed)
    pairs: dict[str, tuple[str, str, np.ndarray]] = {}
    while len(pairs) < count:
        spanish, english = _sentence(rng, longest_clauses)
        source = join_words(word.spanish for word in spanish)
        target = join_words(token for word in english for token in word.english)
        pairs.setdefault(bare_words(source), (source, target, _links(spanish, english)))
    sources, targets, alignments = zip(*pairs.values(), strict=True)
    return SentencePairs(list(sources), list(targets), alignments)


def write_sentence_pairs(path: Path) -> None:
    """Write the bundled sample, one pair a row, tab-separated.

    Args:
        path: the file to write. Its columns are split, source, target and alignment, the links in the manner of
            Pharaoh: "1-2" says that token 1 of the source stands for token 2 of the target, both counted from 0.
    """
    pairs = make_sentence_pairs(sum(SPLITS.values()), seed=0)
    splits = [split for split, size in SPLITS.items() for _ in range(size)]
    rows = [HEADING]
    for split, source, target, links in zip(splits, *pairs, strict=True):
        rows.append((split, source, target, " ".join(f"{here}-{there}" for here, there in links)))
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def read_aligned_pairs(path: Path) -> dict[str, SentencePairs]:
    """Read the bundled sample.

    Args:
        path: a file that `write_sentence_pairs` wrote.

    Returns:
        The `SentencePairs` of each split ("train", "dev" and "test"), alignments included.
    """
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {split: _parse([row for row in rows if row[0] == split]) for split in SPLITS}


def _sentence(rng: random.Random, longest: int) -> Phrase:
    phrases = [_clause(rng)]
    while len(phrases) < 2 * longest - 1 and happens(rng, ANOTHER_CLAUSE):
        phrases += [_conjunction(rng), _clause(rng)]
    sign = choose(rng, ENDS)
    opening = [_Word(OPENINGS[sign] + JOINER, ())] if sign in OPENINGS else []
    return _joined((opening, []), *phrases, _same(JOINER + sign, JOINER + sign))


def _clause(rng: random.Random) -> Phrase:
    """Write subject and verb, with an object where the verb takes one."""
    plural = happens(rng, PLURAL)
    subject = _noun_phrase(rng, BEINGS, plural=plural, place=happens(rng, PLACE))
    verb = choose(rng, VERBS_ALONE + VERBS_WITH_OBJECT)
    predicate = _predicate(rng, verb, plural=plural)
    if verb in VERBS_ALONE:
        return _joined(subject, predicate)
    thing = _noun_phrase(rng, THINGS, plural=happens(rng, PLURAL), place=happens(rng, PLACE))
    return _joined(subject, predicate, thing)


def _predicate(rng: random.Random, forms: list[str], *, plural: bool) -> Phrase:
    """Write a verb; Spanish puts an adverb after it, English before it and below "does not"."""
    negation = [_Word("no", ("do" if plural else "does", "not"))] if happens(rng, NEGATED) else []
    verb = _Word(forms[plural], (forms[3 if plural or negation else 2],))
    adverb = [_one_to_one(rng, ADVERBS)] if happens(rng, ADVERB) else []
    return [*negation, verb, *adverb], [*negation, *adverb, verb]


def _noun_phrase(rng: random.Random, nouns: list[list[str]], *, plural: bool, place: bool) -> Phrase:
    """Write determiner, noun and perhaps an adjective in agreement, and where it is."""
    *forms, gender, english, english_plural = choose(rng, nouns)
    form = 2 * plural + (gender == "f")  # column of the tables of determiners and adjectives
    row = choose(rng, [row for row in DETERMINERS if row[form] != "-"])
    determiner = _Word(row[form], (row[4 + plural],))
    noun = _Word(forms[plural], (english_plural if plural else english,))
    row = choose(rng, ADJECTIVES)
    adjective = [_Word(row[form], (row[4],))] if happens(rng, ADJECTIVE) else []
    phrase = [determiner, noun, *adjective], [determiner, *adjective, noun]
    if not place:
        return phrase
    preposition = _one_to_one(rng, PREPOSITIONS)
    where = _noun_phrase(rng, THINGS, plural=happens(rng, PLURAL), place=False)
    return _joined(phrase, ([preposition], [preposition]), where)


def _conjunction(rng: random.Random) -> Phrase:
    conjunction = _one_to_one(rng, CONJUNCTIONS)
    comma = _same(JOINER + ",", JOINER + ",") if conjunction.spanish in AFTER_COMMA else ([], [])
    return _joined(comma, ([conjunction], [conjunction]))


def _one_to_one(rng: random.Random, table: list[list[str]]) -> _Word:
    spanish, english = choose(rng, table)
    return _Word(spanish, (english,))


def _same(spanish: str, english: str) -> Phrase:
    word = _Word(spanish, (english,))
    return [word], [word]


def _joined(*phrases: Phrase) -> Phrase:
    spanish, english = ([word for phrase in phrases for word in phrase[side]] for side in (0, 1))
    return spanish, english


def _links(spanish: list[_Word], english: list[_Word]) -> np.ndarray:
    """Return which token stands for which, `(links, 2)`, in the order of the English ones."""
    place = {word: index for index, word in enumerate(spanish)}
    links = [place[word] for word in english for _ in word.english]
    pairs = [(here, there) for there, here in enumerate(links)]
    opening = [] if spanish[0].english else [(0, len(links) - 1)]  # "¿" and "¡" belong to the last sign
    return np.array(pairs + opening, np.int64)


def _parse(rows: list[list[str]]) -> SentencePairs:
    _, sources, targets, alignments = zip(*rows, strict=True)
    links = tuple(np.array([link.split("-") for link in row.split()]).astype(np.int64) for row in alignments)
    return SentencePairs(list(sources), list(targets), links)
