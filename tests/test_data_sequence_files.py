"""A user's own sequences, DNA and protein: every way they can be written, and every way they can be wrong."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.biosequences import PROTEIN, Alphabet
from rnn_course.data import read_fasta, read_sequences

BASES = np.random.default_rng(1).choice(list("ACGT"), (30, 70))
TEXTS = ["".join(row[: 50 + place % 21]) for place, row in enumerate(BASES)]
ROWS = [(text, "promoter" if place % 3 else "other") for place, text in enumerate(TEXTS)]
SIZES = [[7, 14], [1, 2], [2, 4]]  # 70 / 10 / 20 % of 10 and of 20


def write(folder, name, lines, encoding="utf-8", newline="\n"):
    path = folder / name
    path.write_bytes((newline.join(lines) + newline).encode(encoding))
    return path


def fasta_of(rows, *, width=30):
    """Lines of a FASTA file, the sequences broken after so many letters."""
    lines = []
    for number, (text, label) in enumerate(rows):
        lines += [f">s{number} class={label} of mine", *(text[at : at + width] for at in range(0, len(text), width))]
    return lines


def pairs_of(loaded):
    return {
        (text, loaded.label_names[label])
        for part in loaded[:3]
        for text, label in zip(part.sequences, part.labels, strict=True)
    }


@pytest.fixture
def by_class(tmp_path):
    """One FASTA file for each class."""
    return {
        label: write(tmp_path, f"{label}.fa", fasta_of(row for row in ROWS if row[1] == label))
        for label in ("promoter", "other")
    }


def refused(read, *arguments, **options):
    with pytest.raises(ValueError) as caught:
        read(*arguments, **options)
    return str(caught.value)


# --- FASTA ------------------------------------------------------------------------------------------------------------


def test_a_file_for_each_class_is_read_with_lines_joined_and_split_by_class(by_class):
    loaded = read_fasta(by_class)
    assert pairs_of(loaded) == set(ROWS)
    assert (loaded.label_names, loaded.source) == (("other", "promoter"), "promoter.fa, other.fa")
    assert [np.bincount(part.labels).tolist() for part in loaded[:3]] == SIZES
    assert loaded.train.truth is None
    assert "30 sequences were read, 30 different ones kept" in loaded.card and "- promoter: 20" in loaded.card


def test_a_list_of_files_gives_the_classes_their_names_and_a_class_may_have_several(by_class, tmp_path):
    assert pairs_of(read_fasta(list(by_class.values()))) == set(ROWS)
    more = write(tmp_path, "more.fa", [">x", "ACGTTGCA" * 5])
    loaded = read_fasta({**by_class, "other": [by_class["other"], more]})
    assert pairs_of(loaded) == {*ROWS, ("ACGTTGCA" * 5, "other")}


@pytest.mark.parametrize(
    "labels", [r"class=(\w+)", "promoter|other", lambda header: header.split("class=")[1].split()[0]]
)
def test_headers_give_the_class_by_a_pattern_or_a_function(tmp_path, labels):
    loaded = read_fasta(write(tmp_path, "mine.fasta", fasta_of(ROWS)), labels=labels)
    assert pairs_of(loaded) == set(ROWS)
    assert loaded.source == "mine.fasta"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_small_letters_blank_lines_and_any_line_break_are_read(tmp_path, newline):
    lines = [line if line.startswith(">") else line.lower() for line in fasta_of(ROWS)]
    path = write(tmp_path, "a.fa", ["", *lines[:2], " ", *lines[2:], ""], "utf-8-sig", newline)
    assert pairs_of(read_fasta(path, labels=r"class=(\w+)")) == set(ROWS)


def test_proteins_and_any_other_alphabet_are_read_as_well(tmp_path):
    rng = np.random.default_rng(2)
    rows = [("".join(rng.choice(list(PROTEIN.letters + "XBU"), 300)), "ab"[place % 2]) for place in range(20)]
    path = write(tmp_path, "a.fa", fasta_of(rows))
    assert pairs_of(read_fasta(path, labels=r"class=(\w+)", alphabet=PROTEIN)) == set(rows)
    steps = [(f"{place:05b}".replace("0", "U").replace("1", "D") + "U", "ab"[place % 2]) for place in range(20)]
    path = write(tmp_path, "b.fa", fasta_of(steps))
    assert pairs_of(read_fasta(path, labels=r"class=(\w+)", alphabet=Alphabet("UD"))) == set(steps)


@pytest.mark.parametrize(("wrong", "character", "position"), [("ACGTX", "X", 5), ("AC-GT", "-", 3), ("ACé", "é", 3)])
def test_a_wrong_letter_is_named_by_file_record_and_position(tmp_path, wrong, character, position):
    path = write(tmp_path, "bad.fa", [*fasta_of(ROWS[:3]), ">odd|one with more", "ACGT", wrong])
    message = refused(read_fasta, {"bad": path})
    said = (
        f"bad.fa, record odd|one: {character!r} at position {4 + position} is no letter of this alphabet; expected ACGT"
    )
    assert message.startswith(said)
    assert "leave the sequence out, or pass another `Alphabet`" in message


def test_copies_are_kept_once_and_counted(by_class, tmp_path):
    more = write(tmp_path, "more.fa", [">a", TEXTS[0].lower(), ">b", TEXTS[3]])
    loaded = read_fasta({**by_class, "other": [by_class["other"], more]})
    assert pairs_of(loaded) == set(ROWS)
    assert "32 sequences were read, 30 different ones kept. 0 were there with two classes" in loaded.card


def test_a_sequence_of_two_classes_is_refused_or_dropped(by_class, tmp_path):
    more = write(tmp_path, "more.fa", [">mine", TEXTS[0]])
    paths = {**by_class, "promoter": [by_class["promoter"], more]}
    message = refused(read_fasta, paths)
    assert (
        "other.fa, record s0 has the same sequence as more.fa, record mine, but the class 'other' instead of" in message
    )
    assert "conflicts='drop'" in message
    loaded = read_fasta(paths, conflicts="drop")
    assert pairs_of(loaded) == set(ROWS[1:])
    assert "31 sequences were read, 29 different ones kept. 1 were there with two classes" in loaded.card
    assert "conflicts='keep'; pass 'raise' or 'drop'" in refused(read_fasta, paths, conflicts="keep")


def test_near_copies_stay_in_one_split(tmp_path):
    rows = [(text[start : start + 45], label) for text, label in ROWS for start in (0, 5)]
    path = write(tmp_path, "a.fa", fasta_of(rows))

    def crossing(**options):
        parts = read_fasta(path, labels=r"class=(\w+)", **options)[:3]
        runs = [{text[at : at + 40] for text in part.sequences for at in range(6)} for part in parts]
        return [bool(left & right) for left, right in combinations(runs, 2)]

    assert not any(crossing())
    assert any(crossing(shared=None))


def test_the_seed_decides_the_split(by_class):
    tests = [read_fasta(by_class, seed=seed).test.sequences for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", r"a\.fa is empty \(0 bytes\); a FASTA file begins with '>'"),
        ("ACGT\n>x\nACGT", r"a\.fa begins with 'ACGT'; a FASTA file begins with '>'"),
        (">x\n>y\nACGT", r"a\.fa, record x: the sequence is empty\. Fill it, or leave it out"),
        (">\nACQT", r"a\.fa, record number 1: 'Q' at position 3"),
    ],
)
def test_what_is_no_fasta_is_refused(tmp_path, content, said):
    path = tmp_path / "a.fa"
    path.write_text(content)
    assert re.match(said, refused(read_fasta, {"a": path}))


def test_a_file_in_another_encoding_names_the_byte(tmp_path):
    path = write(tmp_path, "a.fa", [">caf\u00e9", "ACGT"], "latin-1")
    assert "a.fa is not utf-8: byte 0xe9 at position 4 (line 1)" in refused(read_fasta, {"a": path})


def test_a_header_without_a_class_is_named(tmp_path):
    path = write(tmp_path, "a.fa", [*fasta_of(ROWS), ">odd", "ACGT"])
    for labels in (r"class=(\w+)", lambda header: None if header == "odd" else "a"):
        message = refused(read_fasta, path, labels=labels)
        assert "a.fa, record 'odd': `labels` gives None for its class, expected a string" in message


def test_a_pattern_that_is_none_is_refused(tmp_path):
    path = write(tmp_path, "a.fa", fasta_of(ROWS))
    assert "labels='class=(' is no regular expression: missing )" in refused(read_fasta, path, labels="class=(")


def test_files_without_classes_are_refused(by_class, tmp_path):
    path = by_class["other"]
    assert "Came one file, other.fa, and no `labels`. Pass {class: path}" in refused(read_fasta, path)
    assert "All sequences are of the class 'other'" in refused(read_fasta, [path])
    assert "There is no file to read; pass at least one" in refused(read_fasta, [])
    (tmp_path / "twin").mkdir()
    twin = write(tmp_path / "twin", "other.fa", fasta_of(ROWS))
    assert "have the same name, which would be their class. Pass {class: path}" in refused(read_fasta, [path, twin])


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    for call in (lambda path: read_fasta({"a": path}), read_sequences):
        with pytest.raises(FileNotFoundError, match=r"There is no file .*nowhere.* Pass the path of a file"):
            call(tmp_path / "nowhere")
        with pytest.raises(FileNotFoundError, match=r"is a folder\. Pass the path of a file"):
            call(tmp_path)


# --- tables -----------------------------------------------------------------------------------------------------------

LINES = ["sequence,label", *(",".join(row) for row in ROWS)]


@pytest.mark.parametrize(
    ("name", "delimiter", "encoding"),
    [("a.csv", ",", "utf-8"), ("b.csv", ";", "utf-8-sig"), ("c.tsv", "\t", "utf-8"), ("d.txt", "\t", "utf-8")],
)
def test_the_delimiter_is_found_and_a_byte_order_mark_dropped(tmp_path, name, delimiter, encoding):
    lines = [f"sequence{delimiter}label", *(delimiter.join(row) for row in ROWS)]
    loaded = read_sequences(write(tmp_path, name, lines, encoding))
    assert pairs_of(loaded) == set(ROWS)
    assert (loaded.label_names, loaded.source) == (("other", "promoter"), name)
    assert [np.bincount(part.labels).tolist() for part in loaded[:3]] == SIZES


def test_columns_go_by_any_name_or_without_a_heading_by_number(tmp_path):
    lines = [f'{place},"{label}", {text.lower()} ' for place, (text, label) in enumerate(ROWS)]
    headed = write(tmp_path, "headed.csv", ["id,family,residues", "", *lines])
    bare = write(tmp_path, "bare.csv", lines)
    assert pairs_of(read_sequences(headed, sequence="residues", label="family")) == set(ROWS)
    assert pairs_of(read_sequences(bare, sequence=2, label=1)) == set(ROWS)


def test_a_given_delimiter_is_used_and_must_be_one_character(tmp_path):
    path = write(tmp_path, "a.csv", [line.replace(",", "|") for line in LINES])
    assert pairs_of(read_sequences(path, delimiter="|")) == set(ROWS)
    assert "delimiter='||'; pass a single character" in refused(read_sequences, path, delimiter="||")


def test_a_table_and_a_fasta_file_of_the_same_sequences_are_split_alike(tmp_path):
    table = read_sequences(write(tmp_path, "a.csv", LINES), seed=3)
    fasta = read_fasta(write(tmp_path, "a.fa", fasta_of(ROWS)), labels=r"class=(\w+)", seed=3)
    for left, right in zip(table[:3], fasta[:3], strict=True):
        assert left.sequences == right.sequences
        np.testing.assert_array_equal(left.labels, right.labels)


def test_a_wrong_letter_is_named_by_file_line_and_position(tmp_path):
    path = write(tmp_path, "a.csv", [*LINES[:5], "ACGZ,other", *LINES[5:]])
    assert refused(read_sequences, path).startswith("a.csv, line 6: 'Z' at position 4 is no letter of this alphabet")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([""], r"a\.csv is empty \(1 bytes\)"),
        ([",", " , "], r"a\.csv is empty \(6 bytes\)"),
        (LINES[:1], r"a\.csv has no row below its heading \['sequence', 'label'\]"),
        ([*LINES, ",other"], r"a\.csv, line 32: the sequence is empty"),
        ([*LINES, "ACGT,"], r"a\.csv, line 32 has an empty class"),
        ([*LINES, "ACGT"], r"a\.csv, line 32 has 1 columns, expected at least 2"),
        ([*LINES, '"ACGT,other'], r"a\.csv, line 32: unexpected end of data\. Pass another `delimiter`, or mend"),
        (
            [*LINES, "AC,x", "GT,x"],
            r"a\.csv: These classes have fewer than 3 different sequences and cannot be split: 'x' \(2\)",
        ),
        ([*LINES, f"{TEXTS[1]},other"], r"a\.csv, line 32 has the same sequence as a\.csv, line 3, but the class"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path, lines, said):
    assert re.match(said, refused(read_sequences, write(tmp_path, "a.csv", lines)))


@pytest.mark.parametrize("wanted", [{"sequence": "dna"}, {"label": "y"}, {"sequence": 0, "label": 2}, {"sequence": -1}])
def test_a_missing_column_shows_what_is_there(tmp_path, wanted):
    message = refused(read_sequences, write(tmp_path, "a.csv", LINES), **wanted)
    assert "a.csv has no column" in message and "a line of it gives ['sequence', 'label']" in message
    assert "sequence=0, label=1" in message


# --- whatever comes ---------------------------------------------------------------------------------------------------

GOOD = ("\n".join(fasta_of(ROWS)).encode(), "\n".join(LINES).encode())


def read_or_refuse(path, content, read):
    path.write_bytes(content)
    try:
        loaded = read(path)
    except ValueError as error:
        assert path.name in str(error) and not isinstance(error, UnicodeError)
    else:
        assert all(set(text) <= set("ACGTRYSWKMBDHVN") and text for text, _ in pairs_of(loaded))


@given(st.lists(st.tuples(st.integers(0, 1_500), st.binary(min_size=1, max_size=3)), max_size=4), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused_with_a_value_error(tmp_path_factory, damages, table):
    content = bytearray(GOOD[table])
    for place, new in damages:
        content[place : place + len(new)] = new
    read = read_sequences if table else lambda path: read_fasta(path, labels=r"class=(\w+)")
    read_or_refuse(tmp_path_factory.getbasetemp() / "damaged.csv", bytes(content), read)


@given(st.one_of(st.binary(max_size=120), st.text(">ACGTacgt,\n\r\t ;\"'xé", max_size=120).map(str.encode)))
@settings(max_examples=200, deadline=None)
def test_random_bytes_are_read_or_refused_with_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "random.csv"
    read_or_refuse(path, b">" + content, lambda path: read_fasta(path, labels="."))
    read_or_refuse(path, content, lambda path: read_sequences(path, sequence=0, label=1))
    read_or_refuse(path, b"sequence,label\n" + content, read_sequences)
