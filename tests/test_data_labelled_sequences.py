"""Sequences with classes, groups of near copies, and splits that no near copy crosses."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.data import LabelledSequences, PlantedMotifs, SequenceSplits, overlap_groups, split_sequences

NAMES = ("a", "b")


def stretches(sequences, length):
    return {text[start : start + length] for text in sequences for start in range(len(text) - length + 1)}


def random_sequences(count, *, length=30, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(row) for row in rng.choice(list("ACGT"), (count, length))]


def test_sequences_are_chosen_with_labels_and_truth_and_shown_without_their_letters():
    truth = PlantedMotifs(("tata",), (2,), np.array([[4], [-1], [0]]))
    data = LabelledSequences(["AC", "GTT", "A"], np.array([0, 1, 0]), truth)
    chosen = data.at([2, 1])
    assert (chosen.sequences, chosen.labels.tolist()) == (["A", "GTT"], [0, 1])
    assert (chosen.truth.names, chosen.truth.starts.tolist()) == (("tata",), [[0], [-1]])
    assert repr(data) == "LabelledSequences(3 sequences of 1 to 3 letters, motifs known)"
    assert repr(data._replace(truth=None).at([0])) == "LabelledSequences(1 sequences of 2 letters)"
    assert data._replace(truth=None).at([]).sequences == []
    splits = SequenceSplits(data, data, chosen, tuple("abcdefg"), "sample", "# card")
    assert repr(splits) == "SequenceSplits(source='sample', label_names=(7 classes), train / dev / test = 3 / 3 / 2)"


def test_sequences_with_a_stretch_in_common_are_one_group_and_so_are_those_that_others_link():
    # The first and the third share nothing, but the second shares CCCC with the one and GGGG with the other.
    sequences = ["AAACCCC", "CCCCGGGG", "GGGGTTT", "TTTTTTT", "ACGTACG", "AAACCCC"]
    assert overlap_groups(sequences, shared=4).tolist() == [0, 0, 0, 1, 2, 0]
    assert overlap_groups(sequences, shared=3).tolist() == [0, 0, 0, 0, 1, 0]
    assert overlap_groups(sequences, shared=5).tolist() == [0, 1, 2, 3, 4, 0]
    assert overlap_groups(sequences, shared=None).tolist() == [0, 1, 2, 3, 4, 0]


def test_a_stretch_does_not_reach_from_one_sequence_into_the_next():
    assert overlap_groups(["AC", "GT", "ACGT"], shared=3).tolist() == [0, 1, 2]
    assert overlap_groups(["AC", "GT", "AC"], shared=9).tolist() == [0, 1, 0]
    assert overlap_groups([], shared=3).tolist() == []


@given(st.lists(st.text("ACé😀", max_size=7), max_size=8), st.integers(1, 5))
def test_groups_are_those_that_comparing_all_pairs_gives(sequences, shared):
    numbers = overlap_groups(sequences, shared=shared)
    reached = np.eye(len(sequences), dtype=int)
    for left, right in combinations(range(len(sequences)), 2):
        both = sequences[left], sequences[right]
        if both[0] == both[1] or stretches(both[:1], shared) & stretches(both[1:], shared):
            reached[left, right] = reached[right, left] = 1
    reached = np.linalg.matrix_power(reached, 8) > 0 if len(sequences) else reached
    np.testing.assert_array_equal(numbers[:, None] == numbers, reached)


def test_a_stretch_of_no_letters_is_refused():
    with pytest.raises(ValueError, match="shared=0; pass a number of letters of at least 1, or None"):
        overlap_groups(["A"], shared=0)


def test_shifted_windows_of_one_gene_never_cross_a_split():
    genes = random_sequences(60, length=50)
    sequences = [gene[start : start + 40] for gene in genes for start in (0, 4, 10)]
    data = LabelledSequences(sequences, np.repeat(np.arange(60) % 2, 3))
    parts = split_sequences(data, NAMES, shared=30)
    shared = [stretches(part.sequences, 30) for part in parts]
    assert not any(left & right for left, right in combinations(shared, 2))
    assert [np.bincount(part.labels).tolist() for part in parts] == [[63, 63], [9, 9], [18, 18]]
    naive = [stretches(part.sequences, 30) for part in split_sequences(data, NAMES)]
    assert all(left & right for left, right in combinations(naive, 2))  # what the groups are for


@given(st.lists(st.integers(3, 40), min_size=2, max_size=4), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_split_keeps_every_sequence_once_with_its_label_and_every_share(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    data = LabelledSequences([f"{place}:{label}" for place, label in enumerate(labels)], labels)
    parts = split_sequences(data, [str(label) for label in range(len(counts))], seed=seed)
    assert sorted(text for part in parts for text in part.sequences) == sorted(data.sequences)
    for part in parts:
        assert [text.split(":")[1] for text in part.sequences] == [str(label) for label in part.labels]
    for share, part in zip((0.7, 0.1, 0.2), parts, strict=True):
        assert np.abs(np.bincount(part.labels) - share * np.array(counts)).max() <= 1.5


def test_the_seed_decides_the_split_and_the_shares_can_be_chosen():
    data = LabelledSequences(random_sequences(40), np.arange(40) % 2)
    tests = [split_sequences(data, NAMES, dev=0.25, test=0.25, seed=seed)[2].sequences for seed in (0, 0, 1)]
    assert tests[0] == tests[1] != tests[2]
    assert [len(part) for part in tests] == [10] * 3


@pytest.mark.parametrize("shares", [(0, 0.1), (0.1, -1), (0.5, 0.5)])
def test_shares_that_leave_nothing_are_refused(shares):
    data = LabelledSequences(random_sequences(20), np.arange(20) % 2)
    with pytest.raises(ValueError, match="pass two shares above 0 whose sum is below 1"):
        split_sequences(data, NAMES, dev=shares[0], test=shares[1])


def test_classes_that_cannot_be_split_are_named():
    sequences = random_sequences(8)
    with pytest.raises(ValueError, match=r"fewer than 3 different sequences and cannot be split: 'b' \(2\)\. A class"):
        split_sequences(LabelledSequences(sequences, np.array([0] * 6 + [1] * 2)), NAMES)
    with pytest.raises(ValueError, match="All sequences are of the class 'a'; a classifier needs at least two"):
        split_sequences(LabelledSequences(sequences, np.zeros(8, int)), ("a",))


def test_a_class_whose_sequences_are_all_near_copies_is_named():
    sequences = [*random_sequences(10), *("A" * (20 + more) for more in range(5))]
    data = LabelledSequences(sequences, np.array([0] * 10 + [1] * 5))
    with pytest.raises(
        ValueError, match=r"No sequence of \['b'\] is left for test: .* share 15 letters .* larger `shared`"
    ):
        split_sequences(data, NAMES, shared=15)
    assert len(split_sequences(data, NAMES)[2].sequences) == 3
