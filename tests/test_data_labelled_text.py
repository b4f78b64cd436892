"""A user's own file of labelled texts: every way it can be written, and every way it can be wrong."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.data import LabelledText, read_labelled_text
from rnn_course.data.labelled_text import split_by_label

ROWS = [(f"film number {i}", "good" if i % 3 else "bad") for i in range(30)]
LINES = ["text,label", *(",".join(row) for row in ROWS)]


def write(folder, name, lines, encoding="utf-8"):
    path = folder / name
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def pairs_of(loaded):
    columns = [zip(split.texts, split.labels, strict=True) for split in loaded[:3]]
    return {(text, loaded.labels[label]) for rows in columns for text, label in rows}


@pytest.mark.parametrize(
    ("name", "delimiter", "encoding"),
    [("a.csv", ",", "utf-8"), ("b.csv", ";", "utf-8-sig"), ("c.tsv", "\t", "utf-8"), ("d.txt", "\t", "utf-8")],
)
def test_the_delimiter_is_found_and_a_byte_order_mark_dropped(tmp_path, name, delimiter, encoding):
    lines = [f"text{delimiter}label", *(delimiter.join(row) for row in ROWS)]
    loaded = read_labelled_text(write(tmp_path, name, lines, encoding))
    assert pairs_of(loaded) == set(ROWS)
    assert (loaded.labels, loaded.source) == (("bad", "good"), name)
    assert [np.bincount(split.labels).tolist() for split in loaded[:3]] == [[8, 16], [1, 2], [1, 2]]


def test_columns_go_by_any_name_or_without_a_heading_by_number(tmp_path):
    lines = [f"{i},{label},{text}" for i, (text, label) in enumerate(ROWS)]
    headed = write(tmp_path, "headed.csv", ["id,stars,review", *lines])
    bare = write(tmp_path, "bare.csv", lines)
    assert pairs_of(read_labelled_text(headed, text="review", label="stars")) == set(ROWS)
    assert pairs_of(read_labelled_text(bare, text=2, label=1)) == set(ROWS)


def test_quoted_texts_of_a_csv_may_hold_commas_quotes_and_line_breaks(tmp_path):
    odd = '"well, ""well""\nwell",good'
    loaded = read_labelled_text(write(tmp_path, "a.csv", ["text,label", odd, *LINES[1:]]))
    assert ('well, "well"\nwell', "good") in pairs_of(loaded)


def test_quotes_in_a_tab_separated_file_are_part_of_the_text(tmp_path):
    lines = ["text\tlabel", '"unbalanced\tgood', *("\t".join(row) for row in ROWS)]
    loaded = read_labelled_text(write(tmp_path, "a.tsv", lines))
    assert pairs_of(loaded) == {*ROWS, ('"unbalanced', "good")}


def test_a_given_delimiter_is_used(tmp_path):
    path = write(tmp_path, "a.csv", ["text|label", *("|".join(row) for row in ROWS)])
    assert pairs_of(read_labelled_text(path, delimiter="|")) == set(ROWS)


def test_repeated_texts_are_kept_once_and_counted(tmp_path):
    lines = [*LINES, "film number 0,good", "film number 4,good"]
    loaded = read_labelled_text(write(tmp_path, "a.csv", lines))
    assert pairs_of(loaded) == set(ROWS)  # the first label of a text stays
    assert sum(len(split.texts) for split in loaded[:3]) == 30
    assert "30 different texts; 2 repeated ones were left out" in loaded.card


def test_blank_lines_and_white_space_around_cells_are_dropped(tmp_path):
    lines = ["text,label", "", *(f"  {text} , {label} " for text, label in ROWS), "", " "]
    assert pairs_of(read_labelled_text(write(tmp_path, "a.csv", lines))) == set(ROWS)


def test_another_seed_gives_another_split(tmp_path):
    path = write(tmp_path, "a.csv", LINES)
    tests = [read_labelled_text(path, seed=seed).test.texts for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]


def refused(path, **options):
    with pytest.raises(ValueError) as caught:
        read_labelled_text(path, **options)
    return str(caught.value)


def test_a_file_that_is_not_there_is_named_with_the_folder_that_was_looked_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no file mine\.csv \(looked in .*\)\. Pass the path of a CSV or TSV"):
        read_labelled_text("mine.csv")
    with pytest.raises(FileNotFoundError, match=r"is a folder\. Pass the path of a CSV or TSV file"):
        read_labelled_text(tmp_path)


def test_a_file_in_another_encoding_names_the_byte_and_what_to_pass(tmp_path):
    path = write(tmp_path, "a.csv", ["text,label", "caf\u00e9,good", *LINES[1:]], "latin-1")
    message = refused(path)
    assert "a.csv is not utf-8: byte 0xe9 at position 14 (line 2)" in message
    assert 'encoding="latin-1"' in message
    assert ("café", "good") in pairs_of(read_labelled_text(path, encoding="latin-1"))


def test_the_position_counts_a_byte_order_mark_and_curly_quotes_show_windows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\n\x93good\x94,1\n")
    message = refused(path)
    assert "byte 0x93 at position 14 (line 2)" in message
    assert 'encoding="cp1252"' in message


def test_a_utf_16_file_is_recognized(tmp_path):
    path = write(tmp_path, "a.csv", LINES, "utf-16")
    assert 'encoding="utf-16"' in refused(path)
    assert pairs_of(read_labelled_text(path, encoding="utf-16")) == set(ROWS)


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_said_to_be_empty(tmp_path, content):
    assert f"a.csv is empty ({len(content)} bytes)" in refused(write(tmp_path, "a.csv", [content]))
    assert "a.csv is empty but for ','" in refused(write(tmp_path, "a.csv", [",,", " , ,"]))


def test_a_heading_alone_is_no_data(tmp_path):
    assert "no row below its heading ['text', 'label']" in refused(write(tmp_path, "a.csv", ["text,label"]))


def test_a_label_that_appears_once_is_named(tmp_path):
    path = write(tmp_path, "a.csv", [*LINES, "odd,so so", "odder,fair", "x,fair"])
    message = refused(path)
    assert "fewer than 3 texts and cannot be split: 'fair' (2), 'so so' (1)" in message
    assert "add texts, or leave the label out" in message


def test_a_heading_taken_for_data_shows_as_a_label_that_appears_once(tmp_path):
    path = write(tmp_path, "a.csv", LINES)
    message = refused(path, text=0, label=1)
    assert "'label' (1)" in message
    assert "give the columns by name" in message


def test_one_label_is_no_task(tmp_path):
    path = write(tmp_path, "a.csv", ["text,label", "a,x", "b,x", "c,x"])
    assert "All texts carry the label 'x'" in refused(path)


@pytest.mark.parametrize(
    "wanted", [{"text": "review"}, {"label": "stars"}, {"text": 0, "label": 2}, {"text": -1, "label": 1}]
)
def test_a_missing_column_shows_what_is_there(tmp_path, wanted):
    path = write(tmp_path, "a.csv", LINES)
    message = refused(path, **wanted)
    assert "has no column" in message
    assert "text=0, label=1" in message
    assert "a line of it gives ['text', 'label']" in message


def test_a_row_with_too_few_columns_is_named_by_its_line(tmp_path):
    path = write(tmp_path, "a.csv", [*LINES[:5], "no label here", *LINES[5:]])
    assert "a.csv, line 6 has 1 columns, expected at least 2: ['no label here']" in refused(path)


@pytest.mark.parametrize("row", [",good", "a film,", "  ,good"])
def test_an_empty_cell_shows_its_line(tmp_path, row):
    path = write(tmp_path, "a.csv", ["text,label", row, *LINES[1:]])
    assert "line 2 has an empty text or label" in refused(path)


def test_an_open_quotation_mark_does_not_swallow_the_rest_of_the_file(tmp_path):
    path = write(tmp_path, "a.csv", [*LINES[:9], '"open,good', *LINES[9:]])
    assert "A quotation mark inside a text must be doubled" in refused(path, delimiter=",")


def test_a_tsv_is_cut_at_tabs_even_where_its_rows_differ_in_width(tmp_path):
    path = write(tmp_path, "a.tsv", ["text\tlabel\tnote, if any", *("\t".join(row) for row in ROWS)])
    assert pairs_of(read_labelled_text(path)) == set(ROWS)


def test_a_delimiter_that_cannot_be_found_is_asked_for(tmp_path):
    path = write(tmp_path, "a.csv", ["text|label", *("|".join(row) for row in ROWS)])
    message = refused(path)
    assert "'text|label'" in message
    assert "Pass `delimiter`" in message


@given(st.lists(st.integers(3, 40), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_split_keeps_every_text_once_with_its_label_and_every_share(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    names = [str(i) for i in range(len(counts))]
    if len(counts) == 1:
        with pytest.raises(ValueError, match="at least two labels"):
            split_by_label(LabelledText(["x"] * len(labels), labels), names, seed=seed)
        return
    data = LabelledText([f"{i} {label}" for i, label in enumerate(labels)], labels)
    splits = split_by_label(data, names, seed=seed)
    assert sorted(text for split in splits for text in split.texts) == sorted(data.texts)
    assert all(not set(left.texts) & set(right.texts) for left, right in combinations(splits, 2))
    for split in splits:
        assert [text.split()[1] for text in split.texts] == [str(label) for label in split.labels]
    for share, split in zip((0.8, 0.1, 0.1), splits, strict=True):
        assert np.abs(np.bincount(split.labels) - share * np.array(counts)).max() <= 1.5


def test_truth_goes_with_its_text():
    truth = tuple(np.array([i, i + 1]) for i in range(9))
    data = LabelledText([f"text {i}" for i in range(9)], np.array([0, 1, 0, 1, 0, 1, 0, 1, 0]), truth, truth, truth)
    for split in split_by_label(data, ("a", "b")):
        assert [int(each[0]) for each in split.polarity] == [int(text.split()[1]) for text in split.texts]
