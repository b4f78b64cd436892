"""Splice sites and promoters from their grammars: the truth is where it says, and nothing simpler tells the classes."""

from itertools import combinations

import numpy as np
import pytest

from rnn_course.biosequences import DNA, encode, letter_probabilities, log_odds, scan
from rnn_course.data import load_splice_sites, make_promoters, make_splice_sites, overlap_groups
from rnn_course.data.planted_motifs import (
    ACCEPTOR,
    DONOR,
    INITIATOR,
    PROMOTER_MOTIFS,
    SPLICE_MOTIFS,
    TATA,
    TRACT,
    write_splice_sites,
)
from rnn_course.data.registry import shipped


@pytest.fixture(scope="module")
def sites():
    return make_splice_sites(3_000, seed=5)


@pytest.fixture(scope="module")
def promoters():
    return make_promoters(3_000, seed=5)


def planted(data, name):
    """The letters at the places where a motif was planted, one string each."""
    column = data.truth.names.index(name)
    starts, width = data.truth.starts[:, column], data.truth.widths[column]
    pairs = zip(data.sequences, starts.tolist(), strict=True)
    return [sequence[start : start + width] for sequence, start in pairs if start >= 0]


def texts_of(data, label):
    return data.at(np.flatnonzero(data.labels == label)).sequences


def shares(data, label):
    rows = [[text.count(letter) / len(text) for letter in "ACGT"] for text in texts_of(data, label)]
    return np.mean(rows, axis=0)


def by_rule(sequences):
    return np.array([0 if text[30:32] == "GT" else 1 if text[28:30] == "AG" else 2 for text in sequences])


@pytest.mark.parametrize("motif", [DONOR, ACCEPTOR, TRACT, TATA, INITIATOR])
def test_the_chances_of_a_motifs_letters_sum_to_one(motif):
    np.testing.assert_allclose(motif.sum(axis=1), 1)
    assert (motif >= 0).all()


@pytest.mark.parametrize("name", SPLICE_MOTIFS)
def test_where_the_truth_says_a_splice_motif_is_its_letters_have_its_chances(sites, name):
    letters = encode(planted(sites, name), DNA).mean(axis=0)
    np.testing.assert_allclose(
        letters, SPLICE_MOTIFS[name], atol=0.08
    )  # 700 windows: four standard deviations of 0.019


@pytest.mark.parametrize("name", PROMOTER_MOTIFS)
def test_where_the_truth_says_a_promoters_motif_is_its_letters_have_its_chances(promoters, name):
    np.testing.assert_allclose(encode(planted(promoters, name), DNA).mean(axis=0), PROMOTER_MOTIFS[name], atol=0.06)


def test_donors_and_acceptors_stand_at_their_places_and_the_rest_has_none(sites):
    starts = [sites.truth.starts[sites.labels == label] for label in range(3)]
    assert set(map(tuple, starts[0])) == {(27, -1, -1)}
    assert {tuple(row[:2]) for row in starts[1]} == {(-1, 26)}
    assert set(starts[1][:, 2]) == set(range(6, 15))
    assert set(map(tuple, starts[2])) == {(-1, -1, -1)}
    np.testing.assert_allclose(np.bincount(sites.labels) / 3_000, [0.25, 0.25, 0.5], atol=0.03)
    assert all(text[30:32] == "GT" for text, label in zip(sites.sequences, sites.labels, strict=True) if label == 0)
    assert all(text[28:30] == "AG" for text, label in zip(sites.sequences, sites.labels, strict=True) if label == 1)


def test_letter_counts_do_not_tell_sites_from_the_rest(sites):
    both = (shares(sites, 0) + shares(sites, 1)) / 2
    np.testing.assert_allclose(shares(sites, 2), both, atol=0.01)


def test_the_bare_rule_errs_where_decoys_were_planted(sites):
    right = by_rule(sites.sequences) == sites.labels
    assert right[sites.labels == 0].all()
    # Of the rest, 1/4 are decoys; of the others 1/16 each hold GT or AG by chance: 0.75 (1 - 2/16 + 1/256) = 0.66.
    assert abs(right[sites.labels == 2].mean() - 0.66) < 0.04
    assert 0.75 < right.mean() < 0.9


def test_promoters_hold_their_motifs_in_order_and_distance_and_decoys_break_it(promoters):
    starts = promoters.truth.starts
    gaps = starts[:, 1] - starts[:, 0] - 8
    good, there = promoters.labels == 1, starts[:, 0] >= 0
    assert set(gaps[good]) == set(range(18, 25))
    decoys = ~good & there
    assert (starts[there] >= 0).all() and (starts[~there] == -1).all()
    assert abs(decoys.sum() / (~good).sum() - 0.5) < 0.05
    swapped, far = decoys & (gaps < 0), decoys & (gaps >= 44)
    assert (swapped | far)[decoys].all()
    assert min(swapped.sum(), far.sum()) > 0.3 * decoys.sum()
    backwards = starts[:, 0] - starts[:, 1] - 7
    assert set(backwards[swapped]) == set(range(18, 25))


def test_motifs_lie_within_sequences_of_all_lengths(promoters):
    lengths = np.array([len(sequence) for sequence in promoters.sequences])
    assert (lengths.min(), lengths.max()) == (80, 400)
    assert (promoters.truth.starts + promoters.truth.widths <= lengths[:, None])[
        promoters.truth.starts[:, 0] >= 0
    ].all()
    assert {len(sequence) for sequence in make_promoters(9, seed=0, length=(90, 90)).sequences} == {90}


def test_letter_counts_and_lengths_do_not_tell_promoters_from_the_rest(promoters):
    np.testing.assert_allclose(shares(promoters, 0), shares(promoters, 1), atol=0.006)
    lengths = np.array([len(sequence) for sequence in promoters.sequences])
    assert abs(lengths[promoters.labels == 0].mean() - lengths[promoters.labels == 1].mean()) < 14  # four errors of 3.4


def test_scanning_finds_the_planted_box_in_most_promoters(promoters):
    chosen = promoters.at(np.flatnonzero(promoters.labels == 1)[:400])
    found = scan(encode(chosen.sequences, DNA), log_odds(TATA)).argmax(axis=1)
    assert (found == chosen.truth.starts[:, 0]).mean() > 0.7  # by chance 1 in 225


def test_own_motifs_are_planted_in_their_order():
    motifs = {"first": np.eye(4)[[2, 0]], "second": np.eye(4)[[3, 3, 3]], "third": np.eye(4)[[1]]}
    made = make_promoters(200, seed=1, length=(60, 70), motifs=motifs, gap=(2, 4), decoys=0)
    assert made.truth.names == ("first", "second", "third") and made.truth.widths == (2, 3, 1)
    assert set(planted(made, "first")) == {"GA"} and set(planted(made, "second")) == {"TTT"}
    starts = made.truth.starts[made.labels == 1]
    assert set(starts[:, 1] - starts[:, 0] - 2) == set(starts[:, 2] - starts[:, 1] - 3) == {2, 3, 4}
    alone = make_promoters(50, seed=1, motifs={"only": np.eye(4)[[2, 0]]})  # no decoys: order and distance say nothing
    np.testing.assert_array_equal(alone.truth.starts[:, 0] >= 0, alone.labels == 1)


@pytest.mark.parametrize("make", [make_splice_sites, make_promoters])
def test_the_seed_decides_and_fewer_are_the_beginning_of_more(make):
    few, more, other = make(5, seed=3), make(9, seed=3), make(5, seed=4)
    assert few.sequences == more.sequences[:5] != other.sequences
    np.testing.assert_array_equal(few.truth.starts, more.truth.starts[:5])
    with pytest.raises(ValueError, match="Cannot write 0 sequences; pass a `count` of at least 1"):
        make(0, seed=0)


@pytest.mark.parametrize(
    "motif", [np.ones((3, 4)), np.ones((3, 5)) / 5, np.zeros((0, 4)), [[2, -1, 0, 0]], [1, 0, 0, 0]]
)
def test_a_motif_that_is_no_probabilities_is_named(motif):
    with pytest.raises(ValueError, match=r"The motif 'box' has the shape .*; pass \(width, 4\) probabilities"):
        make_promoters(1, seed=0, motifs={"box": motif})


@pytest.mark.parametrize("wrong", [{"motifs": {}}, {"gap": (5, 4)}, {"length": (90, 80)}, {"decoys": 1.5}])
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="pass at least one motif, the fewest letters before the most, and a share"):
        make_promoters(1, seed=0, **wrong)


def test_motifs_that_do_not_fit_are_refused():
    assert make_promoters(20, seed=0, length=(39, 39)).sequences  # 8 + 24 + 7
    with pytest.raises(ValueError, match="take up to 39 letters, the shortest sequence has 38"):
        make_promoters(1, seed=0, length=(38, 90))


# --- the bundled sample -----------------------------------------------------------------------------------------------


def test_the_committed_sample_is_what_the_grammar_writes_today(tmp_path):
    write_splice_sites(tmp_path / "a.tsv")
    committed = shipped("data", "samples", "splice_sites.tsv").read_bytes()
    assert (tmp_path / "a.tsv").read_bytes() == committed
    assert len(committed) < 300_000


def test_the_sample_keeps_the_truth_of_the_grammar():
    sample, made = load_splice_sites("sample"), make_splice_sites(1_800, seed=0)
    assert [text for part in sample[:3] for text in part.sequences] == made.sequences
    np.testing.assert_array_equal(np.concatenate([part.truth.starts for part in sample[:3]]), made.truth.starts)
    assert {part.truth[:2] for part in sample[:3]} == {made.truth[:2]}


def test_no_two_windows_of_the_sample_are_near_copies():
    parts = load_splice_sites("sample")[:3]
    assert all(not set(left.sequences) & set(right.sequences) for left, right in combinations(parts, 2))
    everything = [text for part in parts for text in part.sequences]
    assert len(set(overlap_groups(everything, shared=20))) == 1_800


def test_the_card_of_the_sample_describes_it():
    loaded = load_splice_sites("sample")
    card = " ".join(loaded.card.split())
    for name, part in zip(("train", "dev", "test"), loaded[:3], strict=True):
        counts = " | ".join(str(count) for count in np.bincount(part.labels))
        assert f"| {name} | {len(part.sequences):,} | {counts} |" in card
    test = loaded.test
    assert f"neither, always {(test.labels == 2).mean():.1%};".replace("%", " %") in card
    chances = [letter_probabilities(texts_of(loaded.train, label), DNA) for label in range(3)]
    scores = [(encode(test.sequences, DNA) * np.log(rows)).sum((1, 2)) for rows in chances]
    scores = np.stack(scores, axis=1) + np.log(np.bincount(loaded.train.labels))
    share = f"{(scores.argmax(axis=1) == test.labels).mean():.1%}".replace("%", " %")
    assert f"letters by place (naive Bayes) {share}." in card
    assert f"GT or AG {(by_rule(test.sequences) == test.labels).mean():.1%};".replace("%", " %") in card


def test_whoever_knows_the_grammar_gets_as_many_right_as_the_card_says():
    parts = load_splice_sites("sample")[:3]
    sequences, labels = (
        [text for part in parts for text in part.sequences],
        np.concatenate([part.labels for part in parts]),
    )
    encoded = encode(sequences, DNA)

    def likelihood(motif, first, last):  # against letters that are all equally likely
        scores = scan(encoded, np.maximum(log_odds(motif), -40))[:, first : last + 1]
        return (2.0**scores).mean(axis=1)

    gt = np.array([text[30:32] == "GT" for text in sequences])
    ag = np.array([text[28:30] == "AG" for text in sequences])
    donor = likelihood(DONOR, 27, 27) / 4
    acceptor = likelihood(ACCEPTOR, 26, 26) * likelihood(TRACT, 6, 14) / 4
    neither = (0.75 + 0.25 * 16 * (gt / 2 + ag / 2)) / 2
    right = np.stack([donor, acceptor, neither]).argmax(axis=0) == labels
    card = " ".join(load_splice_sites("sample").card.split())
    assert f"knows the grammar gets {right.mean():.1%} of all windows right".replace("%", " %") in card
