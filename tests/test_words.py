"""Words and signs: where a text is cut, which token carries the mark, and that the same text comes back."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnn_course.words import END, JOINER, START, join_words, split_words

# Texts with what the rules are about in them, more often than chance alone would put it there.
PIECES = ["'", "’", "-", "--", "...", "?!", "3.5", "1,0", "n't", "l'", "The", "USA", "é", "e\u0301", "\u200d"]
texts = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*PIECES, " ", "  ", "ab", "abc", "I", "¿", "(", '"', "_", "❤\ufe0f", "नि"])).map("".join),
).filter(lambda text: JOINER not in text)


def with_capital(text):
    """Raise the first letter or digit of a text, if one character can be its capital."""
    for at, character in enumerate(text):
        if character.isalnum() or character == "_":
            big = character.title() if character.islower() else character
            return text[:at] + big + text[at + 1 :] if len(big) == 1 else text
    return text


# --- where a text is cut ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("¿Qué tal, Tom?", "¿￭ qué tal ￭, Tom ￭?"),
        ("Él es mi tío.", "él es mi tío ￭."),
        ("A well-known man - or not", "a well ￭-￭ known man - or not"),
        ("Costs 3.5 or 1,000, not 5.", "costs 3.5 or 1,000 ￭, not 5 ￭."),
        ("Wait... no -- yes!!", "wait ￭... no -- yes ￭!!"),
        ("What?! (Yes.)", "what ￭? ￭! (￭ Yes ￭. ￭)"),
        ('He said "no".', 'he said "￭ no ￭" ￭.'),
        ("1.5kg of snake_case", "1.5kg of snake_case"),
        ("Straße, naïve, señor", "straße ￭, naïve ￭, señor"),
        ("Πού είναι; Где он?", "πού είναι ￭; Где он ￭?"),
        ("  many \t\n spaces\u00a0here ", "many spaces here"),
        ("", ""),
    ],
)
def test_words_and_signs_are_cut_and_the_sign_carries_the_mark(text, tokens):
    assert split_words(text) == tokens.split()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Now I don't", "now I don ￭'t"),
        ("Now I’m", "now I ￭’m"),
        ("We'll see Tom's", "we ￭'ll see Tom ￭'s"),
        ("I'd've", "i ￭'d ￭'ve"),
        ("Un l'homme", "un l'￭ homme"),
        ("Aujourd'hui", "aujourd'￭ hui"),
        ("The rock'n'roll", "the rock ￭'n'￭ roll"),
        ("The boys' 'tis", "the boys ￭' '￭ tis"),
        ("Two''s", "two ￭''￭ s"),
        ("A ❤\ufe0f'abc ❤\ufe0f's", "a ❤\ufe0f ￭'￭ abc ❤\ufe0f ￭'s"),
    ],
)
def test_an_apostrophe_goes_with_the_two_letters_after_it_or_ends_the_word_before_it(text, tokens):
    assert split_words(text) == tokens.split()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        *(("The dog", "the"), ("I sleep", "i"), ("A dog", "a"), ("USA wins", "USA"), ("McDonald eats", "McDonald")),
        *(("Élan", "élan"), ("İstanbul", "İstanbul"), ("3 Men", "3"), ("It's", "it"), ("the dog", "the")),
    ],
)
def test_the_first_letter_is_lowered_where_it_says_nothing_about_its_word(text, first):
    assert split_words(text)[0] == first


def test_only_the_first_word_is_lowered_and_signs_before_it_do_not_hide_it():
    assert split_words("... (The Dog") == ["...", "(￭", "the", "Dog"]


def test_marks_that_rest_on_a_letter_or_a_sign_stay_with_it():
    for text in ("cafe\u0301", "हिन्दी", "می\u200cخواهم", "❤\ufe0f"):
        assert split_words(text) == [text]
    assert {unicodedata.category(character) for character in "\u0301\u093f\u200c\ufe0f"} == {"Mn", "Mc", "Cf"}


def test_what_stands_for_beginning_and_end_can_be_no_token_of_a_text():
    assert START not in split_words(START) and END not in split_words(END)


# --- and comes back ---------------------------------------------------------------------------------------------------


@given(texts)
@example("Ǆ ǅ ǆ").via("capitals in two forms")
@example("ßa").via("a small letter without a capital of one character")
@example("ϴ K ẞ ß İ ა").via("capitals without a way back")
def test_the_same_text_comes_back_but_for_white_space_and_a_small_first_letter(text):
    assert join_words(split_words(text)) == with_capital(" ".join(text.split()))


@given(st.lists(st.one_of(st.text(), st.sampled_from(["<unk>", "￭,", "¿￭", "￭", "'￭", "￭'t", "a", "Tom", ""]))))
def test_cutting_what_was_joined_changes_nothing_a_second_time(tokens):
    once = split_words(join_words(tokens))
    assert split_words(join_words(once)) == once


@given(texts)
def test_tokens_hold_no_white_space_and_one_mark_between_two_that_touch(text):
    tokens = split_words(text)
    assert all(token.strip(JOINER) and token.split() == [token] for token in tokens)
    assert not any(left.endswith(JOINER) and right.startswith(JOINER) for left, right in pairwise(tokens))
    assert not tokens or not (tokens[0].startswith(JOINER) or tokens[-1].endswith(JOINER))


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["¿￭", "<unk>", "tal", "￭?"], "¿<unk> tal?"),
        (["<unk>", "tal"], "<unk> tal"),
        (["", "hola", "￭,", "", "tú"], "Hola, tú"),
        (["￭,", "hola", "¿￭"], ", Hola ¿"),
        (["l'￭", "￭homme"], "L'homme"),
        (["a", "￭", "b"], "Ab"),
        (["iPhone"], "IPhone"),
        ([], ""),
    ],
)
def test_tokens_that_a_model_wrote_are_joined_whatever_they_are(tokens, text):
    assert join_words(tokens) == text
    assert join_words(iter(tokens)) == text


def test_a_text_that_holds_the_mark_is_refused_with_its_place():
    with pytest.raises(ValueError, match=r"holds '￭' \(position 2\), the mark .*: 'a ￭b'\. Replace it by another sign"):
        split_words("a ￭b")
