"""The play: its probabilities are true, its truth is true, and the bundled sample is what the grammar writes."""

import random
import re
from fractions import Fraction
from itertools import pairwise
from math import log, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.data import load_text, make_play, plays, sample_play
from rnn_course.data.grammars import CharacterGrammar
from rnn_course.data.registry import shipped

# "ab" can be read as a b, as ab, or as the beginning of abb; a space after three characters breaks the line.
AMBIGUOUS = {
    "row": [(2, ["a", "{row}"]), (1, ["ab", "{row}"]), (3, ["{Word}", " ", "{row}"])],
    "word": [(1, ["b"]), (3, ["ba", "{rest}"]), (1, ["{rest}", "abb"])],
    "rest": [(1, []), (1, ["b"])],
}
ONE, MANY = {"is", "was", "seems", "has"}, {"are", "were", "seem", "have"}
STEMS = set(plays.RULES["does"].split("|"))


def write_rules(rules):
    """Write rules in the notation of the grammar."""
    return {name: "|".join(f"{n}*{''.join(items)}" for n, items in options) for name, options in rules.items()}


def break_lines(text, width):
    """Break a text without line breaks: the first space behind `width` characters or more of a line."""
    lines = [""]
    for character in text:
        if character == " " and len(lines[-1]) >= width:
            lines.append("")
        else:
            lines[-1] += character
    return "\n".join(lines)


def beginnings(items, count, probability=Fraction(1), text=""):
    """Yield the first `count` characters of every derivation of AMBIGUOUS with its probability, one by one."""
    if len(text) >= count:
        yield text[:count], probability
    elif items[0][0] != "{":
        yield from beginnings(items[1:], count, probability, text + items[0])
    else:
        name = items[0].strip("{}")
        options = AMBIGUOUS[name.lower()]
        for weight, chosen in options:
            if name[0].isupper() and chosen:  # a capital rule: its first item gets the capital
                chosen = [chosen[0][:2].title() + chosen[0][2:], *chosen[1:]]
            share = Fraction(weight, sum(n for n, _ in options))
            yield from beginnings([*chosen, *items[1:]], count, probability * share, text)


def read_with(grammar, text, width):
    """Follow a text from its beginning: the distribution before each character, {character: probability}."""
    situation, column, distributions = grammar.start, 0, []
    for character in text:
        following = grammar.following(situation, column)
        distributions.append({each: share for each, (share, _) in following.items()})
        situation = following[character][1]
        column = 0 if character == "\n" else column + 1
    return distributions


def derive(rules, characters, rng):
    """Write a play from the rules alone, by choosing rule after rule, without a thought of characters."""
    options = {
        name: [re.fullmatch(r"(?:(\d+)\*)?(.*)", each, re.DOTALL).groups() for each in text.split("|")]
        for name, text in rules.items()
    }
    waiting, text, size = ["{play}"], [], 0
    while size < characters:
        item = waiting.pop()
        if not item.startswith("{"):
            text.append(item)
            size += len(item)
            continue
        name = item[1:-1]
        capital = name[0].isupper()
        choices = options[name[0].lower() + name[1:]]
        (chosen,) = rng.choices([each for _, each in choices], [int(weight or 1) for weight, _ in choices])
        items = re.findall(r"\{[^}]+\}|[^{}]+", chosen)
        if capital and items:
            items[0] = re.sub(r"[a-z]", lambda letter: letter[0].upper(), items[0], count=1)
        waiting += reversed(items)
    lines = "".join(text).split("\n")  # the breaks that the rules write themselves
    return "\n".join(break_lines(line, plays.WIDTH) for line in lines)[:characters]


@pytest.fixture(scope="module")
def play():
    return make_play(60_000, rng=np.random.default_rng(3))


# --- the probabilities ------------------------------------------------------------------------------------------------


def test_the_probability_of_every_text_is_the_sum_over_all_its_derivations():
    expected = {}
    for text, probability in beginnings(["{row}"], 7):
        broken = break_lines(text, 3)
        expected[broken] = expected.get(broken, 0) + probability
    assert sum(expected.values()) == 1 and len(expected) > 50
    grammar = CharacterGrammar(write_rules(AMBIGUOUS), start="row", width=3)
    for text, probability in expected.items():
        distributions = read_with(grammar, text, 3)
        assert prod(each[character] for each, character in zip(distributions, text, strict=True)) == probability


def test_after_a_text_with_two_readings_both_are_weighed():
    # a|b… with 1/2 · 1/2, ab|… with 1/2: after "a", "b" has 3/4 and "a" 1/4.
    grammar = CharacterGrammar({"s": "a{t}|ab{t}", "t": "b{t}|a{t}"}, start="s", width=9)
    situation = grammar.following(grammar.start, 0)["a"][1]
    after_a = grammar.following(situation, 1)
    assert {character: share for character, (share, _) in after_a.items()} == {"a": Fraction(1, 4), "b": Fraction(3, 4)}
    # After "ab" the readings are a|b with 1/3 and ab| with 2/3; both go on alike.
    after_ab = grammar.following(after_a["b"][1], 2)
    assert [share for share, _ in after_ab.values()] == [Fraction(1, 2)] * 2


def test_the_play_walked_through_its_grammar_has_the_same_nats_and_every_distribution_sums_to_one(play):
    text = play.text[:6_000]
    distributions = read_with(plays.play_grammar(), text, plays.WIDTH)
    assert {sum(each.values()) for each in distributions} == {1}
    expected = [-log(each[character]) for each, character in zip(distributions, text, strict=True)]
    np.testing.assert_allclose(play.nats[:6_000], expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("writer", ["rules", "make_play"])
def test_a_text_surprises_by_as_much_as_the_probabilities_expect_whoever_wrote_it(play, writer):
    derived = derive(plays.play_rules(), 30_000, random.Random(1)) if writer == "rules" else play.text[:30_000]
    shares = read_with(plays.play_grammar(), derived, plays.WIDTH)
    nats = np.array([-log(each[character]) for each, character in zip(shares, derived, strict=True)])
    moments = [[sum(share * (-log(share)) ** n for share in each.values()) for each in shares] for n in (1, 2)]
    entropy, second = np.array(moments, float)
    # What each character costs beyond the entropy before it has mean 0, so the sum is 0 within its own spread.
    assert abs((nats - entropy).sum()) < 3.5 * np.sqrt((second - entropy**2).sum())
    for sign in '".,\n!?TH':  # and each character comes as often as its probabilities say
        expected = np.array([float(each.get(sign, 0)) for each in shares])
        spread = np.sqrt((expected * (1 - expected)).sum())
        assert abs(derived.count(sign) - expected.sum()) < 4 * spread, sign


def test_two_plays_cost_the_same_within_their_error_and_between_a_half_and_one_nat(play):
    other = make_play(30_000, rng=np.random.default_rng(4))
    means = [each.nats.reshape(-1, 1_000).mean(axis=1) for each in (play, other)]
    error = np.hypot(*(part.std(ddof=1) / np.sqrt(len(part)) for part in means))
    assert error < 0.005
    assert abs(means[0].mean() - means[1].mean()) < 4 * error
    assert 0.49 < play.nats.mean() < 1


def test_nothing_that_is_impossible_was_written_and_certain_characters_cost_nothing(play):
    assert np.isfinite(play.nats).all() and play.nats.min() == 0
    assert not np.signbit(play.nats).any()
    assert play.nats[0] == pytest.approx(log(6))  # one of six names
    begins = [match.end() for match in re.finditer(r"\n\n", play.text[:-1])]
    np.testing.assert_allclose(play.nats[begins], log(5))  # not the one who spoke last


def test_only_an_open_quotation_can_be_closed():
    grammar = plays.play_grammar()
    text = 'TOBIN:\nShe said, "Nobody hums.'
    after = read_with(grammar, text + '"', plays.WIDTH)[-1]
    assert after == {'"': Fraction(3, 5), " ": Fraction(2, 5)}
    outside = read_with(grammar, "TOBIN:\nNobody hums. ", plays.WIDTH)[-1]
    assert outside == {" ": Fraction(2, 3), "\n": Fraction(1, 3)}


def test_the_number_of_the_subject_decides_the_verb_over_a_noun_of_the_other_number():
    grammar = plays.play_grammar()
    after = {
        subject: set(read_with(grammar, f"TOBIN:\n{subject} i", plays.WIDTH)[-1])
        for subject in ("The bell by the gates", "One bell by the gates")
    }
    assert all("i" in each and "a" not in each for each in after.values())  # is, never are
    many = set(read_with(grammar, "TOBIN:\nThe bells by the gate a", plays.WIDTH)[-1])
    assert "a" in many and "i" not in many


def test_a_space_becomes_a_line_break_once_the_line_is_full():
    grammar = CharacterGrammar({"row": "a {row}"}, start="row", width=3)
    assert "".join(next(iter(each)) for each in read_with(grammar, "a a\na a\n"[:3], 3)) == "a a"
    situation = grammar.following(grammar.start, 0)["a"][1]
    assert list(grammar.following(situation, 2)) == [" "]
    assert list(grammar.following(situation, 3)) == ["\n"]


# --- the text ---------------------------------------------------------------------------------------------------------


def test_speeches_stand_below_names_and_lines_break_at_the_first_space_behind_the_width(play):
    for speech in play.text.split("\n\n")[:-1]:
        name, *lines = speech.split("\n")
        assert name.removesuffix(":") in plays.SPEAKERS
        assert all(len(line) >= plays.WIDTH for line in lines[:-1])
        assert all(" " not in line[plays.WIDTH :] for line in lines)
        assert lines[-1][-1] in '.!?"'


def test_every_quotation_is_closed_within_its_speech_and_holds_whole_sentences(play):
    sizes = []
    for speech in play.text.split("\n\n")[:-1]:
        between = speech.split('"')
        assert len(between) % 2 == 1
        for quotation in between[1::2]:
            assert quotation[0].isupper() and quotation[-1] in ".!?"
        sizes += map(len, between[1::2])
    assert np.mean(sizes) > 50 and max(sizes) > 200 and len(sizes) > 100


def test_nobody_speaks_twice_in_a_row_calls_himself_or_swears_the_oath_of_another(play):
    speeches = [speech.split(":\n", 1) for speech in play.text.split("\n\n")[:-1]]
    assert all(before != after for (before, _), (after, _) in pairwise(speeches))
    names = "|".join(map(str.title, plays.SPEAKERS))
    called, sworn = 0, 0
    for name, spoken in speeches:
        spoken = spoken.replace("\n", " ")
        others, oaths = re.findall(rf"\b({names}),", spoken), re.findall(r"\bBy ([a-z' ]+),", spoken)
        assert name.title() not in others
        assert set(oaths) <= {plays.OATHS[name]}
        called, sworn = called + len(others), sworn + len(oaths)
    assert called > 20 and sworn > 20


def test_sentences_begin_with_capitals_and_words_vary(play):
    spoken = " ".join(speech.split(":\n", 1)[-1] for speech in play.text.split("\n\n")[:-1]).replace("\n", " ")
    assert {begin for begin in re.findall(r'[.!?]"? "?(\S)', spoken) if not begin.isupper()} == set()
    assert "  " not in spoken
    assert 150 < len(set(re.findall(r"[a-z']+", spoken.lower()))) < 300


# --- the truth --------------------------------------------------------------------------------------------------------


def test_the_truth_is_what_a_reader_notes_character_by_character(play):
    quoted, column, name, voice = False, 0, "", -1
    above = True  # the line of a name
    for i, character in enumerate(play.text[:20_000]):
        quoted ^= character == '"'
        column = 0 if character == "\n" else column + 1
        if above and character == ":":
            voice, name, above = plays.SPEAKERS.index(name), "", False
        elif above:
            name += character
        noted = quoted, column, above, character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ", voice
        assert noted == tuple(play.truth[key][i] for key in ("quoted", "column", "speaker", "capital", "voice")), i
        above = above or play.text[i - 1 : i + 1] == "\n\n"


def test_where_a_verb_is_due_the_next_to_come_has_its_number(play):
    due = play.truth["agreement"].tolist()
    numbers = {-1: 0, 1: 0}
    for i in (i for i in range(1, len(due) - 20) if due[i - 1] and not due[i]):
        begins = max(play.text.rfind(space, 0, i) for space in " \n") + 1
        verb = re.match("[a-z]+", play.text[begins:]).group()
        assert verb in (MANY | STEMS if due[i - 1] == 1 else ONE | {f"{stem}s" for stem in STEMS}), verb
        numbers[due[i - 1]] += 1
    assert min(numbers.values()) > 400
    assert not [i for i in range(1, len(due)) if due[i] * due[i - 1] == -1]  # never from one number to the other


def test_the_number_is_due_from_where_the_text_tells_it_up_to_the_verb(play):
    # "The bell" may still become "The bells"; then it is due over "by the gates", a noun of the other number too.
    text, due = play.text, play.truth["agreement"]
    things, adjectives, places = (plays.RULES[each] for each in ("thing", "adjective", "place"))
    subjects = (
        rf"\bThe (?:(?:{adjectives}) )?({things})(s?) (near|by|under|past|over|in) the (?:{places})(s?) (?=[a-z])"
    )
    crossed = 0
    for found in re.finditer(subjects, text[:-20]):
        number = 1 if found[2] else -1
        assert not due[found.start() : found.end(1)].any()
        assert set(due[found.end(1) : found.end()].tolist()) == {number}
        crossed += bool(found[2]) != bool(found[4])
    assert crossed > 20
    for word, number in (("These ", 1), ("Those ", 1), ("This ", -1), ("Every ", -1), ("The ", 0), ("Who ", 0)):
        ends = [found.end() - 1 for found in re.finditer(rf"(?<=[.!?] ){word}", text)]
        assert len(ends) > 5 and set(due[ends].tolist()) == {number}


@given(st.integers(1, 400))
@settings(max_examples=10, deadline=None)
def test_fewer_characters_are_the_beginning_of_more_truth_and_nats_included(characters):
    fewer, more = (make_play(count, rng=np.random.default_rng(8)) for count in (characters, 400))
    assert fewer.text == more.text[:characters]
    np.testing.assert_array_equal(fewer.nats, more.nats[:characters])
    for name, values in fewer.truth.items():
        np.testing.assert_array_equal(values, more.truth[name][:characters], strict=True)


def test_arrays_have_one_value_a_character_and_their_types(play):
    kinds = {
        "quoted": bool,
        "column": np.int32,
        "speaker": bool,
        "capital": bool,
        "voice": np.int8,
        "agreement": np.int8,
    }
    assert {name: values.dtype for name, values in play.truth.items()} == kinds
    assert {values.shape for values in (play.nats, *play.truth.values())} == {(60_000,)}
    assert play.nats.dtype == np.float64
    assert repr(play).startswith("Play(60,000 characters, 0.") and len(repr(play)) < 120


def test_another_generator_writes_another_play():
    texts = [make_play(100, rng=np.random.default_rng(seed)).text for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("characters", [0, -3])
def test_a_play_without_characters_is_refused(characters):
    with pytest.raises(ValueError, match=f"Cannot write a play of {characters} characters; pass at least 1"):
        make_play(characters, rng=np.random.default_rng(0))


# --- the sample -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sample():
    return sample_play()


def test_the_committed_sample_is_what_the_grammar_writes_today_byte_for_byte(sample):
    committed = shipped("data", "samples", "play.txt").read_bytes()
    assert committed == sample.text.encode("ascii")
    assert len(committed) <= 150_000


def test_the_two_parts_of_the_sample_are_the_play(sample):
    loaded = load_text("sample")
    assert loaded.train + loaded.valid == sample.text


def test_the_card_describes_the_sample(sample):
    card, text, cut = load_text("sample").card.replace("\n", " "), sample.text, 126_000
    quotations = re.findall(r'"[^"]*"', text)
    sizes, words = list(map(len, quotations)), set(re.findall(r"[a-z']+", text.lower()))
    for said in (
        f"| train | 126,000 | {sample.nats[:cut].mean():.4f} |",
        f"| valid | 14,000 | {sample.nats[cut:].mean():.4f} |",
        f"{len(set(text))} different characters",
        f"{text.count(':')} speeches, {len(quotations)} closed quotations of {np.mean(sizes):.0f} characters",
        f"({max(sizes)} at most",
        f"{len(words)} different words",
        f"{(sample.nats == 0).mean():.0%}".replace("%", " %") + " of the characters are certain",
    ):
        assert said in card, said
