"""Running text: where it is cut, what a user's own file may be, and which source is taken."""

import codecs
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_course.data import cache, load_text, read_text, registry
from rnn_course.sequences import Vocabulary

SCENE = "".join(f"FIRST:\nSay {i}.\n\n" for i in range(10))


@pytest.fixture
def real_file(tmp_path, monkeypatch):
    """A cache with a small tinyshakespeare, and the registry that goes with it."""
    path = tmp_path / "tinyshakespeare" / "input.txt"
    path.parent.mkdir()
    path.write_bytes(SCENE.encode())
    digest = hashlib.sha256(SCENE.encode()).hexdigest()
    row = f'{{ path = "input.txt", bytes = {len(SCENE)}, sha256 = "{digest}", url = "http://127.0.0.1:1/input.txt" }}'
    table = f'[tinyshakespeare]\nlicense = "none"\ncitation = "none"\nfiles = [\n{row},\n]\n'
    (tmp_path / "registry.toml").write_text(table)
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return path


@pytest.fixture
def write(tmp_path):
    """Write bytes into a file of the user's and return its path."""

    def write(content, name="mine.txt"):
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / name

    return write


# --- the course's texts -----------------------------------------------------------------------------------------------


def test_the_real_text_is_cut_after_nine_tenths_and_nothing_is_lost(real_file):
    loaded = load_text("tinyshakespeare")
    assert loaded.train + loaded.valid == SCENE
    assert (len(SCENE), len(loaded.train), len(loaded.valid)) == (150, 135, 15)
    assert loaded.source == "tinyshakespeare"
    assert "Karpathy" in loaded.card


def test_auto_takes_the_cached_real_text_and_says_so_in_one_line(real_file, capsys):
    assert load_text().source == "tinyshakespeare"
    assert capsys.readouterr().out == "Data: tinyshakespeare, scenes of real plays, found in the cache.\n"


def test_auto_without_a_network_takes_the_sample_and_says_why_in_one_line(real_file, capsys):
    real_file.unlink()
    assert load_text("auto").source == "sample"
    assert capsys.readouterr().out == (
        "Data: the bundled sample, a play written by the course's grammar, because the server 127.0.0.1:1 cannot be "
        "reached.\n"
    )


def test_auto_downloads_what_is_missing_and_says_so(real_file, monkeypatch, capsys):
    def fetch(name):
        real_file.write_bytes(SCENE.encode())
        return {"input.txt": real_file}

    real_file.unlink()
    monkeypatch.setattr("rnn_course.data.text.fetch", fetch)
    assert load_text().source == "tinyshakespeare"
    assert capsys.readouterr().out == "Data: tinyshakespeare, scenes of real plays, downloaded just now.\n"


def test_the_real_text_asked_for_by_name_is_never_replaced_by_the_sample(real_file):
    real_file.write_text("damaged")
    with pytest.raises(cache.DataError, match=r"cached input\.txt is damaged"):
        load_text("tinyshakespeare")


def test_an_unknown_source_lists_the_three():
    with pytest.raises(
        ValueError, match=r"no source 'novel' of text. Pass one of: 'auto', 'sample', 'tinyshakespeare'"
    ):
        load_text("novel")


def test_the_parts_have_the_sizes_that_their_cards_say():
    # The sample everywhere; the real text on machines whose cache holds it.
    cached = all(file.state == "cached" for file in cache.status("tinyshakespeare"))
    for source in ("sample", "tinyshakespeare") if cached else ("sample",):
        loaded = load_text(source)
        for name, part in (("train", loaded.train), ("valid", loaded.valid)):
            assert re.search(rf"^\| {name} \| {len(part):,} \|", loaded.card, re.MULTILINE)
        assert set(loaded.valid) <= set(loaded.train)
        assert f"{len(set(loaded.train))} different characters" in loaded.card
        if source == "tinyshakespeare":
            assert (len(loaded.train), len(loaded.valid)) == (1_003_854, 111_540)
            assert len(Vocabulary.from_texts([list(loaded.train)])) == 67
            assert '"' not in loaded.train + loaded.valid


def test_a_text_is_shown_without_its_characters():
    assert repr(load_text("sample")) == "Text(source='sample', train / valid = 126,000 / 14,000 characters)"


# --- your own file ----------------------------------------------------------------------------------------------------


@given(st.text(min_size=2, max_size=60), st.floats(0.01, 0.99))
def test_a_text_is_cut_by_position_and_both_parts_can_be_read_and_foretold(tmp_path_factory, text, share):
    path = tmp_path_factory.getbasetemp() / "any.txt"
    path.write_bytes(("ab" + text).encode("utf-8"))
    try:
        cut = read_text(path, valid_share=share)
    except ValueError as error:
        assert "too few to cut" in str(error)
        return
    whole = ("ab" + text).replace("\r\n", "\n").replace("\r", "\n")
    assert cut.train + cut.valid == whole
    assert min(len(cut.train), len(cut.valid)) >= 2
    assert abs(len(cut.valid) - share * len(whole)) <= 1


def test_the_end_that_is_set_aside_is_as_long_as_asked_for(write):
    path = write("0123456789" * 10)
    assert read_text(path).valid == "0123456789"
    assert len(read_text(path, valid_share=0.25).valid) == 25
    assert read_text(str(path)).source == "mine.txt"


@pytest.mark.parametrize(("foreign", "count"), [("\r\n", 20), ("\r", 20)])
def test_line_breaks_of_other_systems_are_made_one_and_the_card_says_how_many(write, foreign, count):
    loaded = read_text(write(f"one{foreign}two{foreign}" * 10))
    assert loaded.train + loaded.valid == "one\ntwo\n" * 10
    assert f"- {count} line breaks of another system were made \\n.\n" in loaded.card
    assert "- All line breaks are \\n.\n" in read_text(write("one\ntwo\n" * 10)).card


@pytest.mark.parametrize(
    ("mark", "encoding"), [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16")]
)
def test_a_byte_order_mark_is_no_character_of_the_text(write, mark, encoding):
    content = mark + ("Où? " * 10).encode("utf-16-le" if encoding == "utf-16" else "utf-8")
    loaded = read_text(write(content), encoding=encoding)
    assert loaded.train + loaded.valid == "Où? " * 10


def test_a_dropped_byte_order_mark_is_said(write):
    assert "A byte-order mark at the beginning was dropped." in read_text(write(codecs.BOM_UTF8 + b"abcd" * 9)).card
    assert "byte-order" not in read_text(write("abcd" * 9)).card


def test_characters_of_the_end_alone_are_named_and_become_unknown(write):
    loaded = read_text(write("abc" * 30 + "abcxyz?abc"))
    assert "- Only valid holds '?', 'x', 'y', 'z': a vocabulary of train gives them index 1, unknown.\n" in loaded.card
    ids = Vocabulary.from_texts([list(loaded.train)]).encode(list(loaded.valid))
    assert [character for character, index in zip(loaded.valid, ids, strict=True) if index == 1] == list("xyz?")
    assert "- Every character of valid is in train.\n" in read_text(write("abc" * 30)).card


def test_the_card_counts_the_characters(write):
    card = read_text(write("abcde" * 1_000)).card
    assert card.startswith(
        "# mine.txt\n\n- 5,000 characters, 5 different ones; cut by position into 4,500 (train) and 500"
    )


def test_a_missing_file_is_named_with_the_folder_that_was_looked_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=rf"no file novel\.txt \(looked in {re.escape(str(tmp_path))}\). Pass the"
    ):
        read_text("novel.txt")
    with pytest.raises(FileNotFoundError, match=r"is a folder\. Pass the path of a text file"):
        read_text(tmp_path)


@pytest.mark.parametrize("content", [b"", b" \n\t\n"])
def test_an_empty_file_is_refused(write, content):
    with pytest.raises(ValueError, match=r"mine\.txt is empty or all white space; expected a text"):
        read_text(write(content))


def test_white_space_in_an_encoding_of_two_bytes_is_empty_too(write):
    with pytest.raises(ValueError, match=r"mine\.txt is empty or all white space"):
        read_text(write(codecs.BOM_UTF16_LE + " \n ".encode("utf-16-le")), encoding="utf-16")


def test_a_text_that_is_too_short_to_cut_says_what_its_parts_would_be(write):
    with pytest.raises(ValueError, match=r"mine.txt has 10 characters, too few .* would have 9 and 1, and each needs"):
        read_text(write("0123456789"))
    assert len(read_text(write("0123456789"), valid_share=0.2).valid) == 2
    with pytest.raises(ValueError, match="its parts would have 1 and 9"):
        read_text(write("0123456789"), valid_share=0.9)


@pytest.mark.parametrize(
    ("content", "position", "likely"),
    [
        ("ab é".encode("cp1252"), "byte 0xe9 at position 3", "latin-1"),
        (codecs.BOM_UTF8 + "é".encode() + b"\x92", "byte 0x92 at position 5", "cp1252"),
        ("\ufeffabcdef".encode("utf-16-le"), "byte 0xff at position 0", "utf-16"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_in_another_encoding_says_where_and_what_to_pass(write, content, position, likely, encoding):
    with pytest.raises(ValueError, match=rf'mine.txt is not utf-8.*: {position} .* encoding="{likely}"'):
        read_text(write(content), encoding=encoding)


def test_the_encoding_that_is_passed_is_used(write):
    loaded = read_text(write(("café " * 10).encode("cp1252")), encoding="cp1252")
    assert loaded.train + loaded.valid == "café " * 10


def test_an_encoding_that_nobody_knows_is_refused(write):
    with pytest.raises(ValueError, match=r"There is no encoding 'utf-9'\. Pass one that Python knows"):
        read_text(write("abcd" * 9), encoding="utf-9")


@pytest.mark.parametrize("share", [0, 1, -0.1, 10, float("nan")])
def test_a_share_outside_zero_to_one_is_refused(write, share):
    with pytest.raises(ValueError, match=f"valid_share is {share}; pass a share between 0 and 1, such as 0.1"):
        read_text(write("abcd" * 9), valid_share=share)
