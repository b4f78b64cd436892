"""Sentiment and spam from files of the real format, written here; and from the real files where they are cached."""

import hashlib
from itertools import combinations

import numpy as np
import pytest

from rnn_course.data import cache, load_sentiment, registry

SST2 = {
    "train": "1 a fine film .\n0 no cliché is left out , not one .\n1 it is 2\u00a01\\/2 hours of joy .\n",
    "dev": "0 dull .\n",
    "test": "1 good .\n0 bad .\n",
}
HAM = [f'ham\t"Are you there, no. {i}"' for i in range(20)]
SPAM = [f"spam\tWin prize {i} NOW" for i in range(10)]
SIZES = {"sample": (3_200, 600, 1_000), "sst2": (6_920, 872, 1_821), "sms_spam": (4_137, 517, 517)}


@pytest.fixture
def real_files(tmp_path, monkeypatch):
    """A cache with two small data sets in the format of the real ones, and the registry that goes with it."""
    contents = {
        "sst2": {f"stsa.binary.{split}": text for split, text in SST2.items()},
        "sms_spam": {"sms.tsv": "\n".join([*HAM, *SPAM, *HAM[:7], *SPAM[:4]]) + "\n"},
    }
    rows = []
    for name, files in contents.items():
        rows += [f"[{name}]", 'license = "none"', 'citation = "none"', "files = ["]
        for file, text in files.items():
            path = tmp_path / name / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
            digest = hashlib.sha256(text.encode()).hexdigest()
            url = "http://127.0.0.1:1/"
            rows.append(
                f'{{ path = "{file}", bytes = {len(text.encode())}, sha256 = "{digest}", url = "{url}{file}" }},'
            )
        rows.append("]")
    (tmp_path / "registry.toml").write_text("\n".join(rows))
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path


def test_sst2_keeps_its_official_splits_and_its_accents(real_files):
    loaded = load_sentiment("sst2")
    assert loaded.train.texts == [
        "a fine film .",
        "no cliché is left out , not one .",
        "it is 2\u00a01\\/2 hours of joy .",
    ]
    assert loaded.train.labels.tolist() == [1, 0, 1]
    assert (loaded.dev.texts, loaded.dev.labels.tolist()) == (["dull ."], [0])
    assert (loaded.test.texts, loaded.test.labels.tolist()) == (["good .", "bad ."], [1, 0])
    assert (loaded.labels, loaded.source) == (("negative", "positive"), "sst2")
    assert loaded.train.negated is None
    assert "Socher" in loaded.card


def test_spam_is_split_after_repeated_messages_are_removed(real_files):
    loaded = load_sentiment("sms_spam")
    splits = [set(split.texts) for split in loaded[:3]]
    assert [len(split.texts) for split in loaded[:3]] == [24, 3, 3]
    assert all(not left & right for left, right in combinations(splits, 2))
    assert set.union(*splits) == {row.split("\t")[1] for row in HAM + SPAM}  # quotation marks and all


def test_every_split_of_spam_has_its_share_and_every_text_its_label(real_files):
    loaded = load_sentiment("sms_spam")
    assert loaded.labels == ("ham", "spam")
    assert [np.bincount(split.labels).tolist() for split in loaded[:3]] == [[16, 8], [2, 1], [2, 1]]
    for split in loaded[:3]:
        assert [text.startswith("Win") for text in split.texts] == [label == 1 for label in split.labels]


def test_spam_is_split_the_same_way_every_time(real_files):
    assert load_sentiment("sms_spam").test.texts == load_sentiment("sms_spam").test.texts


def test_auto_takes_the_cached_real_set_and_says_so_in_one_line(real_files, capsys):
    assert load_sentiment().source == "sst2"
    assert capsys.readouterr().out == "Data: sst2, real film reviews, found in the cache.\n"


def test_auto_without_a_network_takes_the_sample_and_says_why_in_one_line(real_files, capsys):
    (real_files / "sst2" / "stsa.binary.dev").unlink()
    assert load_sentiment("auto").source == "sample"
    said = capsys.readouterr().out
    assert said == (
        "Data: the bundled sample, written by the course's grammar, because the server 127.0.0.1:1 cannot be reached.\n"
    )


def test_auto_downloads_what_is_missing_and_says_so(real_files, monkeypatch, capsys):
    def fetch(name):
        path.write_bytes(content)
        return {f"stsa.binary.{split}": real_files / "sst2" / f"stsa.binary.{split}" for split in SST2}

    path = real_files / "sst2" / "stsa.binary.dev"
    content = path.read_bytes()
    path.unlink()
    monkeypatch.setattr("rnn_course.data.sentiment.fetch", fetch)
    assert load_sentiment().source == "sst2"
    assert capsys.readouterr().out == "Data: sst2, real film reviews, downloaded just now.\n"


def test_a_real_set_that_is_asked_for_by_name_is_never_replaced_by_the_sample(real_files):
    (real_files / "sms_spam" / "sms.tsv").write_text("damaged")
    with pytest.raises(cache.DataError, match=r"cached sms\.tsv is damaged"):
        load_sentiment("sms_spam")


def test_an_unknown_source_lists_the_four():
    with pytest.raises(ValueError, match="Pass one of: 'auto', 'sample', 'sst2', 'sms_spam'"):
        load_sentiment("imdb")


def test_the_splits_have_the_sizes_that_their_cards_say():
    # The sample everywhere; the real sets on machines whose cache holds them.
    cached = [name for name in ("sst2", "sms_spam") if all(each.state == "cached" for each in cache.status(name))]
    for source in ("sample", *cached):
        loaded = load_sentiment(source)
        for name, split, size in zip(("train", "dev", "test"), loaded[:3], SIZES[source], strict=True):
            assert len(split.texts) == len(split.labels) == size
            row = next(line for line in loaded.card.splitlines() if line.startswith(f"| {name} |"))
            assert row == f"| {name} | {size:,} | {np.sum(split.labels):,} |"
