"""Pairs of sentences: what belongs together is never cut, and a user's own file is read or its fault is named."""

import codecs
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnn_course.data import SentencePairs, Translation, read_sentence_pairs, split_pairs
from rnn_course.data.sentence_pairs import bare_words

LINES = [f"frase {i}\tsentence {i}" for i in range(100)]
words = st.sampled_from(["a", "A!", "b", "c", " d", "e", "f.", "g", "h", "i", "j", "k", "l", "m", "n"])


@pytest.fixture
def write(tmp_path):
    """Write lines or bytes into a file of the user's and return its path."""

    def write(content, name="mine.tsv", encoding="utf-8"):
        text = content if isinstance(content, str | bytes) else "".join(f"{line}\n" for line in content)
        (tmp_path / name).write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return tmp_path / name

    return write


def pairs_of(loaded):
    return [pair for split in loaded[:3] for pair in zip(split.sources, split.targets, strict=True)]


def sides_of(split):
    return {("source", bare_words(text)) for text in split.sources} | {
        ("target", bare_words(text)) for text in split.targets
    }


# --- the type ---------------------------------------------------------------------------------------------------------


def test_truth_goes_with_its_pair():
    links = tuple(np.array([[i, i + 1]]) for i in range(4))
    pairs = SentencePairs(["a", "b", "c", "d"], ["A", "B", "C", "D"], links).at([2, 0])
    assert pairs[:2] == (["c", "a"], ["C", "A"])
    assert [part.tolist() for part in pairs.alignments] == [[[2, 3]], [[0, 1]]]
    assert SentencePairs(["a"], ["A"]).at([0]).alignments is None


def test_both_sides_of_a_pair_must_be_short_enough():
    pairs = SentencePairs(["one", "one two", "one two three"], ["1 2", "1", "1"])
    assert pairs.at_most(1).sources == []
    assert pairs.at_most(2).sources == ["one", "one two"]
    assert pairs.at_most(3).targets == ["1 2", "1", "1"]


def test_references_are_all_different_targets_of_a_source_in_the_order_they_came():
    pairs = SentencePairs(["b", "a", "b", "b", "B"], ["2", "1", "3", "2", "4"])
    assert pairs.references() == (["b", "a", "B"], [["2", "3"], ["1"], ["4"]])


def test_pairs_are_shown_without_their_sentences():
    pairs = SentencePairs(["a" * 999] * 1_000, ["b"] * 1_000)
    assert repr(pairs) == "SentencePairs(1,000 pairs)"
    assert repr(pairs._replace(alignments=())) == "SentencePairs(1,000 pairs, alignments known)"
    assert repr(Translation(pairs, pairs, pairs, ("Dutch", "English"), "x", "# y")) == (
        "Translation(source='x', languages=('Dutch', 'English'), train / dev / test = 1,000 / 1,000 / 1,000 pairs)"
    )


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("¡No, él  NO!", "no él no", True),
        ("ice cream", "icecream", True),
        ("STRASSE", "Straße", True),
        ("cafe\u0301", "café", True),
        ("él", "el", False),
        ("की", "का", False),
        ("3.", "4.", False),
        ("?!", "?", False),
        ("? !", "?!", True),
    ],
)
def test_sentences_are_compared_by_letters_and_digits(left, right, same):
    assert (bare_words(left) == bare_words(right)) is same


# --- the splits -------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(words, words), min_size=3, max_size=60), st.integers(0, 2**32 - 1), st.floats(0.01, 0.45))
def test_no_sentence_is_in_two_splits_and_no_pair_is_lost(pairs, seed, share):
    sources, targets = [source for source, _ in pairs], [target for _, target in pairs]
    try:
        splits = split_pairs(SentencePairs(sources, targets), dev=share, test=share, seed=seed)
    except ValueError as error:
        assert "too few to split" in str(error)
        return
    assert sorted(pairs_of(splits)) == sorted(pairs)
    assert all(not sides_of(left) & sides_of(right) for left, right in combinations(splits, 2))
    assert all(len(split.sources) <= max(1, round(share * len(pairs))) for split in splits[1:])


def test_a_chain_of_shared_sentences_is_one_group():
    # a–1, b–1, b–2, c–2 hang together although a and c share nothing; x, y and z stand alone.
    pairs = SentencePairs(["a", "B!", "x", "b", "c", "y", "z"], ["1", "1.", "5", "2", "2", "6", "7"])
    for seed in range(20):
        train, dev, test = split_pairs(pairs, dev=0.15, test=0.15, seed=seed)
        assert {"a", "B!", "b", "c"} < set(train.sources)
        assert len(dev.sources) == len(test.sources) == 1


def test_the_same_text_in_both_languages_binds_nothing():
    pairs = SentencePairs(["no", "a", "b"], ["a", "no", "c"])
    assert sorted(len(split.sources) for split in split_pairs(pairs)) == [1, 1, 1]


def test_a_seed_gives_one_split_and_another_seed_another():
    pairs = SentencePairs([f"s {i}" for i in range(40)], [f"t {i}" for i in range(40)])
    tests = [split_pairs(pairs, test=0.1, seed=seed)[2].sources for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]
    # RandomState(0).permutation(40)[:4] is 22, 20, 25, 4, with every version of NumPy.
    assert sorted(tests[0]) == ["s 20", "s 22", "s 25", "s 4"]


def test_shares_are_of_the_pairs_and_truth_goes_along():
    links = tuple(np.array([[i, i]]) for i in range(200))
    pairs = SentencePairs([f"s {i}" for i in range(200)], [f"t {i}" for i in range(200)], links)
    splits = split_pairs(pairs, dev=0.1, test=0.2)
    assert [len(split.sources) for split in splits] == [140, 20, 40]
    for split in splits:
        assert [f"s {part[0, 0]}" for part in split.alignments] == split.sources
    assert [len(split.sources) for split in split_pairs(pairs)] == [190, 5, 5]  # 2.5 %


@pytest.mark.parametrize("shares", [(0, 0.1), (0.1, -1), (0.5, 0.5), (float("nan"), 0.1), (3, 4)])
def test_shares_that_leave_nothing_are_refused(shares):
    pairs = SentencePairs(["a", "b", "c"], ["1", "2", "3"])
    with pytest.raises(ValueError, match=rf"dev={shares[0]} and test={shares[1]}; pass two shares above 0 whose sum"):
        split_pairs(pairs, dev=shares[0], test=shares[1])


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (
            SentencePairs(["a", "a", "b"], ["1", "2", "3"]),
            "3 pairs are too few .* make 2 groups, the largest of 2 pairs",
        ),
        (SentencePairs([], []), "0 pairs are too few .* make 0 groups, the largest of 0 pairs"),
        (SentencePairs(["a", "a"] * 3, ["1", "2", "3"] * 2), "6 pairs .* make 1 groups, the largest of 6 pairs"),
    ],
)
def test_too_few_groups_are_refused(pairs, said):
    with pytest.raises(ValueError, match=said):
        split_pairs(pairs)


# --- your own file ----------------------------------------------------------------------------------------------------


def test_a_file_of_pairs_is_read_and_split(write):
    loaded = read_sentence_pairs(write(LINES), languages=("Spanish", "English"))
    assert sorted(pairs_of(loaded)) == sorted(tuple(line.split("\t")) for line in LINES)
    assert [len(split.sources) for split in loaded[:3]] == [96, 2, 2]
    assert (loaded.languages, loaded.source) == (("Spanish", "English"), "mine.tsv")
    assert loaded.train.alignments is None
    assert read_sentence_pairs(str(write(LINES))).languages == ("source", "target")


def test_columns_are_chosen_by_number_and_others_may_hold_anything(write):
    lines = [f"{line}\tCC-BY 2.0 (France), #{i}\t" for i, line in enumerate(LINES)]
    loaded = read_sentence_pairs(write(lines), source=1, target=0)
    assert ("sentence 7", "frase 7") in pairs_of(loaded)
    assert sorted(loaded.test.sources) == sorted(loaded.test.at_most(2).sources)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_line_breaks_marks_and_white_space_around_sentences_are_no_part_of_them(write, end, mark):
    content = mark + end.join(["", " \t ", *(f" {line} " for line in LINES), ""]).encode()
    assert sorted(pairs_of(read_sentence_pairs(write(content)))) == sorted(tuple(line.split("\t")) for line in LINES)


def test_quotation_marks_between_tabs_are_part_of_a_sentence_and_elsewhere_enclose_it(write):
    loaded = read_sentence_pairs(write(['"Sí\t"Yes', *LINES]))
    assert ('"Sí', '"Yes') in pairs_of(loaded)
    lines = ['"Sí, ""hoy""",Yes', *(line.replace("\t", ",") for line in LINES)]
    assert ('Sí, "hoy"', "Yes") in pairs_of(read_sentence_pairs(write(lines, "mine.csv"), delimiter=","))


def test_repeated_pairs_are_kept_once_and_counted(write):
    loaded = read_sentence_pairs(write([*LINES, LINES[3], LINES[4], "frase 3\tanother"]))
    assert len(pairs_of(loaded)) == len(set(pairs_of(loaded))) == 101
    assert loaded.card.startswith("# mine.tsv\n\n101 different pairs; 2 repeated ones were left out.\n")
    assert "- 100 different sources\n- 101 different targets\n" in loaded.card


def test_another_seed_splits_a_file_otherwise(write):
    path = write(LINES)
    tests = [read_sentence_pairs(path, seed=seed).test.sources for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]


def refused(path, **options):
    with pytest.raises(ValueError) as caught:
        read_sentence_pairs(path, **options)
    return str(caught.value)


@pytest.mark.parametrize("content", ["", " \n\t\n", "\ufeff\n"])
def test_an_empty_file_is_said_to_be_empty(write, content):
    assert "mine.tsv is empty or all white space; expected one pair" in refused(write(content))


def test_a_line_without_its_column_is_named(write):
    message = refused(write([*LINES[:4], "", "no translation", *LINES]))
    assert "mine.tsv, line 6 has 1 columns, expected at least 2: ['no translation']. Pass the numbers" in message
    assert "line 1 has 2 columns, expected at least 4" in refused(write(LINES), source=3)
    assert "line 1 has 1 columns" in refused(write(LINES), delimiter=";")


@pytest.mark.parametrize("line", ["frase\t", "\tsentence", "frase\t \tnote"])
def test_an_empty_sentence_is_named_by_its_line(write, line):
    assert "mine.tsv, line 3 has an empty sentence" in refused(write([*LINES[:2], line, *LINES]))


def test_the_mark_that_joins_tokens_is_named_by_its_line(write):
    assert "mine.tsv, line 2 holds '￭', the mark" in refused(write([LINES[0], "fra￭se\tsentence", *LINES]))


def test_too_few_pairs_to_split_are_refused_with_the_name_of_the_file(write):
    assert refused(write(LINES[:2])).startswith("mine.tsv: 2 pairs are too few to split")
    assert "make 1 groups, the largest of 50 pairs" in refused(write([f"igual\tsentence {i}" for i in range(50)]))


def test_a_file_in_another_encoding_says_where_and_what_to_pass(write):
    path = write([LINES[0], "año\tyear", *LINES], encoding="latin-1")
    assert "mine.tsv is not utf-8: byte 0xf1 at position 20 (line 2)" in refused(path)
    assert ("año", "year") in pairs_of(read_sentence_pairs(path, encoding="latin-1"))
    assert "There is no encoding 'utf-9'" in refused(path, encoding="utf-9")


@pytest.mark.parametrize("columns", [(0, 0), (-1, 0), (0, -1)])
def test_two_columns_are_needed(write, columns):
    message = refused(write(LINES), source=columns[0], target=columns[1])
    assert message == f"source={columns[0]} and target={columns[1]}; pass the numbers of two columns, from 0."


@pytest.mark.parametrize("delimiter", ["", "||", "\n", '"'])
def test_a_delimiter_is_one_character(write, delimiter):
    assert "pass one character that separates columns" in refused(write(LINES), delimiter=delimiter)


def test_an_open_quotation_mark_does_not_swallow_the_rest_of_the_file(write):
    message = refused(write(['"open,good', *(line.replace("\t", ",") for line in LINES)]), delimiter=",")
    assert "a quotation mark inside a sentence must be doubled" in message


def test_a_missing_file_is_named_with_the_folder_that_was_looked_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file pairs\.tsv \(looked in .*\)\. Pass the path of a text file"):
        read_sentence_pairs("pairs.tsv")
    with pytest.raises(FileNotFoundError, match=r"is a folder\. Pass the path of a text file, one pair a line"):
        read_sentence_pairs(tmp_path)


@given(
    st.one_of(st.binary(max_size=200), st.text(alphabet='ab\t\n\r",;\0\ufeff\u2028é￭ ').map(str.encode)),
    st.sampled_from(["\t", ",", ";", " ", "\0", "\r", "é"]),
    st.sampled_from(["utf-8-sig", "utf-16", "latin-1", "ascii", "idna", "rot13", "nothing"]),
)
@example(b"a\tb\n\xff", "\t", "utf-8-sig")
@example(b'a,"b' + b"c" * 140_000, ",", "latin-1")
@settings(max_examples=300, deadline=None)
def test_any_file_is_read_or_refused_with_a_value_error(tmp_path_factory, content, delimiter, encoding):
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_bytes(content)
    try:
        loaded = read_sentence_pairs(path, delimiter=delimiter, encoding=encoding)
    except ValueError:
        return
    assert all(source and target for source, target in pairs_of(loaded))
    assert all(not sides_of(left) & sides_of(right) for left, right in combinations(loaded[:3], 2))
