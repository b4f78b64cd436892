"""Translations from an archive of the real format, written here; and from the real one where it is cached."""

import hashlib
import zipfile
from itertools import combinations

import pytest

from rnn_course.data import cache, load_translation, registry
from rnn_course.data.sentence_pairs import bare_words

PAIRS = [(f"I see {i}.", f"Veo {i}.") for i in range(200)]
PAIRS += [("I see 7.", "Yo veo 7."), ("I look at 7!", "¡Yo veo 7!"), ("I see 9.", "Veo 9.")]


@pytest.fixture
def real_file(tmp_path, monkeypatch):
    """A cache with a small archive in the format of the real one, and the registry that goes with it."""
    path = tmp_path / "tatoeba_spa_eng" / "spa-eng.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_about.txt", "About.\n")
        archive.writestr("spa.txt", "".join(f"{english}\t{spanish}\n" for english, spanish in PAIRS))
    content = path.read_bytes()
    digest, url = hashlib.sha256(content).hexdigest(), "http://127.0.0.1:1/spa-eng.zip"
    row = f'{{ path = "spa-eng.zip", bytes = {len(content)}, sha256 = "{digest}", url = "{url}" }}'
    table = f'[tatoeba_spa_eng]\nlicense = "none"\ncitation = "none"\nfiles = [\n{row},\n]\n'
    (tmp_path / "registry.toml").write_text(table)
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return path


def pairs_of(loaded):
    return [pair for split in loaded[:3] for pair in zip(split.sources, split.targets, strict=True)]


def test_spanish_is_the_source_and_repeated_pairs_are_left_out(real_file):
    loaded = load_translation("tatoeba_spa_eng")
    assert sorted(pairs_of(loaded)) == sorted({(spanish, english) for english, spanish in PAIRS})
    assert [len(split.sources) for split in loaded[:3]] == [192, 5, 5]  # 2.5 % of 202
    assert (loaded.languages, loaded.source) == (("Spanish", "English"), "tatoeba_spa_eng")
    assert loaded.train.alignments is None
    assert "CC BY 2.0" in loaded.card


def test_pairs_that_share_a_sentence_stay_together(real_file):
    for split in load_translation("tatoeba_spa_eng")[:3]:
        assert len({"Veo 7.", "Yo veo 7.", "¡Yo veo 7!"} & set(split.sources)) in (0, 3)


def test_auto_takes_the_cached_real_set_and_says_so_in_one_line(real_file, capsys):
    assert load_translation().source == "tatoeba_spa_eng"
    assert capsys.readouterr().out == (
        "Data: tatoeba_spa_eng, real sentences with their translations, found in the cache.\n"
    )


def test_auto_without_a_network_takes_the_sample_and_says_why_in_one_line(real_file, capsys):
    real_file.unlink()
    assert load_translation("auto").source == "sample"
    assert capsys.readouterr().out == (
        "Data: the bundled sample, written by the course's grammar, because the server 127.0.0.1:1 cannot be reached.\n"
    )


def test_auto_downloads_what_is_missing_and_says_so(real_file, monkeypatch, capsys):
    def fetch(name):
        real_file.write_bytes(content)
        return {"spa-eng.zip": real_file}

    content = real_file.read_bytes()
    real_file.unlink()
    monkeypatch.setattr("rnn_course.data.translation.fetch", fetch)
    assert load_translation().source == "tatoeba_spa_eng"
    assert capsys.readouterr().out == (
        "Data: tatoeba_spa_eng, real sentences with their translations, downloaded just now.\n"
    )


def test_the_real_set_asked_for_by_name_is_never_replaced_by_the_sample(real_file):
    real_file.write_text("damaged")
    with pytest.raises(cache.DataError, match=r"cached spa-eng\.zip is damaged"):
        load_translation("tatoeba_spa_eng")


def test_an_unknown_source_lists_the_three():
    with pytest.raises(
        ValueError, match=r"no source 'opus' of translation. Pass one of: 'auto', 'sample', 'tatoeba_spa_eng'"
    ):
        load_translation("opus")


# The sample everywhere; the real set on machines whose cache holds it.
CACHED = [name for name in ("tatoeba_spa_eng",) if all(file.state == "cached" for file in cache.status(name))]


@pytest.mark.parametrize("source", ["sample", *CACHED])
def test_no_sentence_is_in_two_splits_also_without_case_and_signs_and_a_second_time_all_is_the_same(source):
    loaded = load_translation(source)
    for left, right in combinations(loaded[:3], 2):
        for side in (0, 1):
            assert not set(left[side]) & set(right[side])
            assert not {bare_words(text) for text in left[side]} & {bare_words(text) for text in right[side]}
            plain = [{"".join(filter(str.isalnum, text)).lower() for text in part[side]} for part in (left, right)]
            assert not plain[0] & plain[1]
    assert pairs_of(load_translation(source)) == pairs_of(loaded)


@pytest.mark.parametrize("source", ["sample", *CACHED])
def test_the_splits_have_the_sizes_that_their_cards_say(source):
    loaded = load_translation(source)
    for name, split in zip(("train", "dev", "test"), loaded[:3], strict=True):
        row = next(line for line in loaded.card.splitlines() if line.startswith(f"| {name} |"))
        assert row == f"| {name} | {len(split.sources):,} | {len(set(split.sources)):,} |"


def test_enough_short_sentences_are_left_to_report_on():
    for source in CACHED:
        loaded = load_translation(source)
        short = [split.at_most(10) for split in loaded[:3]]
        sizes = " / ".join(f"{len(split.sources):,}" for split in short)
        distinct = " / ".join(f"{len(split.references()[0]):,}" for split in short)
        assert len(short[2].references()[0]) >= 2_000
        assert f"{sizes} pairs, {distinct} different sources" in loaded.card
