"""Splice sites from a file of the real format, written here, and from the real one where it is cached."""

import hashlib
from itertools import combinations

import numpy as np
import pytest

from rnn_course.biosequences import DNA, encode, letter_probabilities
from rnn_course.data import cache, load_splice_sites, overlap_groups, registry, splice_sites

CODES = ("EI", "IE", "N")


def window_of(rng, length=60):
    return "".join(rng.choice(list("ACGT"), length))


def table():
    """Rows of the real format: 60 windows of 60 bases, then longer ones with commas in their names."""
    rng = np.random.default_rng(0)
    rows = [(CODES[row % 3], f"HUMA-{row}", window_of(rng)) for row in range(60)]
    rows[57:60] = [("EI", "TWICE", rows[0][2]), ("N", "BOTH", rows[1][2]), ("N", "SHIFTED", rows[2][2][5:] + "ACGTA")]
    rows += [(CODES[row % 3], f'"AB{row} 1,2,{row}"', window_of(rng, 140)) for row in range(30)]
    return rows


@pytest.fixture
def real_file(tmp_path, monkeypatch):
    """A cache with a small file in the format of the real one, and the registry that goes with it."""
    path = tmp_path / "splice_junctions" / "full_data.csv"
    path.parent.mkdir()
    lines = [f"{number},{code},{name},{text}" for number, (code, name, text) in enumerate(table(), start=1)]
    path.write_text("\n".join(["Row,Class,Name,Sequence", *lines]) + "\n")
    content = path.read_bytes()
    digest, url = hashlib.sha256(content).hexdigest(), f"http://127.0.0.1:1/{path.name}"
    row = f'{{ path = "{path.name}", bytes = {len(content)}, sha256 = "{digest}", url = "{url}" }}'
    text = f'[splice_junctions]\nlicense = "none"\ncitation = "none"\nfiles = [\n{row},\n]\n'
    (tmp_path / "registry.toml").write_text(text)
    monkeypatch.setattr(registry, "REGISTRY", tmp_path / "registry.toml")
    monkeypatch.setattr(splice_sites, "UCI_ROWS", 60)
    monkeypatch.setenv("RNN_COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return path


def classes_of(loaded):
    rows = [pair for part in loaded[:3] for pair in zip(part.sequences, part.labels, strict=True)]
    return {text: loaded.label_names[label] for text, label in rows}


def test_windows_are_kept_once_and_those_of_two_classes_not_at_all(real_file):
    loaded = load_splice_sites("splice_junctions")
    names = dict(zip(CODES, ("donor", "acceptor", "neither"), strict=True))
    rows = table()[:60]
    expected = {text: names[code] for code, _, text in rows if text != rows[1][2]}
    assert classes_of(loaded) == expected
    # Of 60 rows one repeats another, and two are the same window with two classes.
    assert sum(len(part.sequences) for part in loaded[:3]) == 60 - 1 - 2
    assert loaded.train.truth is None
    assert (loaded.source, loaded.label_names) == ("splice_junctions", ("donor", "acceptor", "neither"))


def test_the_whole_file_goes_on_with_the_middles_of_longer_windows(real_file):
    few, everything = (classes_of(load_splice_sites(source)) for source in ("splice_junctions", "splice_junctions_all"))
    middles = [text[40:100] for _, _, text in table()[60:]]
    assert set(everything) == set(few) | set(middles)
    assert {everything[text] for text in middles[::3]} == {"donor"}


def test_shifted_windows_stay_in_one_split_unless_that_is_given_up(real_file):
    rows = table()
    pair = {rows[2][2], rows[59][2]}  # 55 bases in common
    assert sum(bool(pair & set(part.sequences)) for part in load_splice_sites("splice_junctions")[:3]) == 1
    assert pair <= set(classes_of(load_splice_sites("splice_junctions", shared=None)))


def test_auto_takes_the_cached_real_set_and_says_so_in_one_line(real_file, capsys):
    assert load_splice_sites().source == "splice_junctions"
    assert capsys.readouterr().out == "Data: splice_junctions, splice sites of primate genes, found in the cache.\n"


def test_auto_downloads_what_is_missing_and_says_so(real_file, monkeypatch, capsys):
    def fetch(name):
        real_file.write_bytes(content)
        return {real_file.name: real_file}

    content = real_file.read_bytes()
    real_file.unlink()
    monkeypatch.setattr("rnn_course.data.splice_sites.fetch", fetch)
    assert load_splice_sites().source == "splice_junctions"
    assert capsys.readouterr().out.endswith(", downloaded just now.\n")


def test_auto_without_a_network_takes_the_sample_and_says_why_in_one_line(real_file, capsys):
    real_file.unlink()
    assert load_splice_sites("auto").source == "sample"
    assert capsys.readouterr().out == (
        "Data: the bundled sample, windows written by the course's grammar, because the server 127.0.0.1:1 cannot be "
        "reached.\n"
    )


def test_the_real_set_asked_for_by_name_is_never_replaced_by_the_sample(real_file):
    real_file.write_text("damaged")
    for source in ("splice_junctions", "splice_junctions_all"):
        with pytest.raises(cache.DataError, match=r"cached full_data\.csv is damaged"):
            load_splice_sites(source)


def test_an_unknown_source_lists_the_four():
    with pytest.raises(ValueError, match="'auto', 'sample', 'splice_junctions', 'splice_junctions_all'"):
        load_splice_sites("hs3d")


# --- the real sets, on machines whose cache holds them ----------------------------------------------------------------

CACHED = all(file.state == "cached" for file in cache.status("splice_junctions"))
REAL = ("splice_junctions", "splice_junctions_all") if CACHED else ()


@pytest.fixture(scope="module")
def real():
    return {(name, shared): load_splice_sites(name, shared=shared) for name in REAL for shared in (20, None)}


def stretches(sequences, length):
    return {text[start : start + length] for text in sequences for start in range(len(text) - length + 1)}


def copies(loaded, length):
    """How many test windows have so many bases in a row in common with a training window."""
    seen = stretches(loaded.train.sequences, length)
    return sum(bool(stretches([text], length) & seen) for text in loaded.test.sequences)


def by_rule(sequences):
    return np.array([0 if text[30:32] == "GT" else 1 if text[28:30] == "AG" else 2 for text in sequences])


def by_place(train, test):
    """Naive Bayes: the chances of each class's letters at each place, and of the class."""
    scores = []
    for label in range(3):
        chosen = train.at(np.flatnonzero(train.labels == label))
        chances = np.log(letter_probabilities(chosen.sequences, DNA))
        scores.append((encode(test.sequences, DNA) * chances).sum((1, 2)) + np.log(len(chosen.sequences)))
    return np.argmax(scores, axis=0)


def percent(share):
    return f"{share:.1%}".replace("%", " %")


def test_no_window_is_in_two_splits_nor_any_twenty_bases_in_a_row(real):
    for (_, shared), loaded in real.items():
        texts = [set(part.sequences) for part in loaded[:3]]
        assert all(not left & right for left, right in combinations(texts, 2))
        assert [len(part) for part in texts] == [len(part.sequences) for part in loaded[:3]]
        runs = [stretches(part, 20) for part in texts]
        assert all(bool(left & right) == (shared is None) for left, right in combinations(runs, 2))


def test_every_class_has_its_share_of_every_split(real):
    for loaded in real.values():
        counts = np.array([np.bincount(part.labels) for part in loaded[:3]])
        expected = np.array([[0.7], [0.1], [0.2]]) * counts.sum(axis=0)
        assert np.abs(counts - expected).max() <= 1.5


def test_the_card_counts_windows_and_near_copies(real):
    for name in REAL:
        loaded, naive = real[name, 20], real[name, None]
        sizes = [len(part.sequences) for part in loaded[:3]]
        card = " ".join(loaded.card.split())
        assert f"| `{name}` | {' | '.join(f'{size:,}' for size in sizes)} |" in card
        counts = sum(np.bincount(part.labels) for part in loaded[:3])
        assert f"| {counts.sum():,} | {' | '.join(f'{count:,}' for count in counts)} |" in card
        found = [copies(naive, length) for length in (20, 30, 40, 50)]
        told = f"{found[0]} of {sizes[2]:,} | {found[1]} | {found[2]} | {found[3]} |"
        assert f"| `{name}`, `shared=None` | {told}" in card
        assert [copies(loaded, length) for length in (20, 30, 40, 50)] == [0] * 4
        groups = np.bincount(overlap_groups([text for part in loaded[:3] for text in part.sequences], shared=20))
        more = groups[groups > 1]
        words = "such groups" if name == "splice_junctions" else "groups"
        assert f"in {len(more)} {words} of up to {more.max()}" in card and f"{more.sum():,}" in card


def test_the_baselines_score_what_the_card_says(real):
    for name in REAL:
        loaded, naive = real[name, 20], real[name, None]
        figures = [
            (loaded.test.labels == 2).mean(),
            (by_rule(loaded.test.sequences) == loaded.test.labels).mean(),
            (by_place(loaded.train, loaded.test) == loaded.test.labels).mean(),
            (by_place(naive.train, naive.test) == naive.test.labels).mean(),
        ]
        assert f"| `{name}` | {' | '.join(map(percent, figures))} |" in loaded.card


def test_the_card_tells_what_the_file_holds(real):
    for _ in REAL[:1]:
        path = cache.fetch("splice_junctions")["full_data.csv"]
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        card = " ".join(real["splice_junctions", 20].card.split())
        assert f"all {len(rows):,}" in card and {len(row[-1]) for row in rows[:2990]} == {60}
        assert set("".join(row[-1] for row in rows)) == set("ACGT")
        windows = [row[-1] if len(row[-1]) == 60 else row[-1][40:100] for row in rows]
        right = by_rule(windows) == np.array([CODES.index(row[1]) for row in rows])
        assert f"gets {percent(right[:2990].mean())} of all 2,990 windows right" in card
        assert f"and {percent(right[2990:].mean())} of the other 10,676" in card
        assert f"{len(set(windows)):,} are different" in card and len(set(windows[:2990])) == 2990
        assert len(set(windows)) - sum(len(part.sequences) for part in real["splice_junctions_all", 20][:3]) == 5
        train, test = (encode(part.sequences, DNA).reshape(-1, 240) for part in real["splice_junctions", 20][::2][:2])
        assert f"{((test @ train.T).max(axis=1) >= 48).sum()} of the 598 test windows equal" in card
