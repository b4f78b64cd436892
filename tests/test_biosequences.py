"""Letters as arrays and back, the other strand, and motifs: every number worked out by hand."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_course.biosequences import (
    DNA,
    PROTEIN,
    Alphabet,
    decode,
    encode,
    information,
    letter_mask,
    letter_probabilities,
    log_odds,
    position_weight_matrix,
    reverse_complement,
    reverse_complement_encoded,
    scan,
)

dna = st.text("ACGTRYSWKMBDHVN", min_size=1, max_size=12)
batches = st.lists(dna, min_size=1, max_size=5)

# --- alphabets --------------------------------------------------------------------------------------------------------


def test_the_ambiguous_bases_stand_for_those_of_the_iupac_table():
    expected = {
        "R": [0.5, 0, 0.5, 0], "Y": [0, 0.5, 0, 0.5], "S": [0, 0.5, 0.5, 0], "W": [0.5, 0, 0, 0.5],
        "K": [0, 0, 0.5, 0.5], "M": [0.5, 0.5, 0, 0], "B": [0, 1 / 3, 1 / 3, 1 / 3], "D": [1 / 3, 0, 1 / 3, 1 / 3],
        "H": [1 / 3, 1 / 3, 0, 1 / 3], "V": [1 / 3, 1 / 3, 1 / 3, 0], "N": [0.25] * 4,
    }  # fmt: skip
    assert set(DNA.ambiguous) == set(expected)
    np.testing.assert_allclose(encode(["".join(expected)], DNA)[0], list(expected.values()), rtol=1e-6)


def test_a_protein_has_twenty_letters_and_its_rare_ones_are_read_as_their_nearest():
    assert len(PROTEIN) == 20
    row = dict(zip("BZJXUO", encode(["BZJXUO"], PROTEIN)[0], strict=True))
    means = {letter: {PROTEIN.letters[at] for at in np.flatnonzero(row[letter])} for letter in row}
    assert means == {
        "B": set("DN"), "Z": set("EQ"), "J": set("IL"), "X": set(PROTEIN.letters), "U": {"C"}, "O": {"K"},
    }  # fmt: skip


def test_an_alphabet_of_ones_own_may_tell_small_letters_from_capitals():
    folds = Alphabet("hHe")
    assert encode(["hHeE"[:3]], folds)[0].tolist() == np.eye(3).tolist()
    assert folds.capitals("hHea") == "hHeA"


@pytest.mark.parametrize(
    ("letters", "ambiguous"),
    [("", {}), ("AA", {}), ("A ", {}), ("Aé", {}), ("AC", {"A": "C"}), ("AC", {"NN": "AC"}), ("A\n", {})],
)
def test_letters_that_cannot_be_told_apart_are_refused(letters, ambiguous):
    with pytest.raises(
        ValueError, match="pass at least one letter, each of them once, and all of them single printable"
    ):
        Alphabet(letters, ambiguous)


@pytest.mark.parametrize("meant", ["", "ACT", "AA"])
def test_an_ambiguous_letter_stands_for_letters(meant):
    with pytest.raises(ValueError, match=f"'N' stands for '{meant}'; pass at least one of the letters 'AC', each once"):
        Alphabet("AC", {"N": meant})


def test_alphabets_can_be_keys_and_be_pickled():
    assert {DNA: 1}[Alphabet(DNA.letters, dict(DNA.ambiguous))] == 1
    assert pickle.loads(pickle.dumps(PROTEIN)) == PROTEIN != DNA


# --- encode, decode ---------------------------------------------------------------------------------------------------


def test_letters_become_rows_in_the_order_of_the_alphabet_and_padding_stands_behind_them():
    encoded = encode(["GAT", "c"], DNA, length=4)
    assert encoded.tolist() == [
        [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]],
        [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    ]
    assert encoded.dtype == np.float32
    assert letter_mask(encoded).tolist() == [[True, True, True, False], [True, False, False, False]]


@given(st.lists(st.text(PROTEIN.letters + "BZJXUO", min_size=1, max_size=9), min_size=1, max_size=4), st.integers(0, 3))
def test_every_row_of_a_letter_sums_to_one_and_of_padding_to_zero(sequences, more):
    encoded = encode(sequences, PROTEIN, length=max(map(len, sequences)) + more)
    expected = np.arange(encoded.shape[1]) < np.array([len(sequence) for sequence in sequences])[:, None]
    np.testing.assert_allclose(encoded.sum(axis=-1), expected, atol=1e-6)


@given(batches)
def test_decoding_gives_back_what_was_encoded(sequences):
    assert decode(encode(sequences, DNA), DNA) == sequences


def test_probabilities_become_the_nearest_symbol():
    assert decode([[[0.9, 0.1, 0, 0], [0.3, 0.2, 0.25, 0.25], [0.45, 0.02, 0.5, 0.03]]], DNA) == ["ANR"]
    assert decode(encode(["MUO"], PROTEIN), PROTEIN) == ["MCK"]  # what has no column of its own


def test_no_sequences_are_an_empty_batch():
    assert encode([], DNA).shape == (0, 0, 4)
    assert encode([], DNA, length=7).shape == (0, 7, 4)
    assert decode(encode([], PROTEIN, length=3), PROTEIN) == []


@pytest.mark.parametrize(
    ("sequence", "position", "character"), [("ACGX", 4, "X"), ("AC GT", 3, " "), ("acß", 3, "ß"), ("ſ", 1, "ſ")]
)
def test_a_wrong_letter_is_named_with_its_position(sequence, position, character):
    said = f"{character!r} at position {position} is no letter of this alphabet; expected ACGT or one of RYSWKMBDHVN"
    with pytest.raises(ValueError, match=rf"^Sequence 1: {said}\. Correct it, leave"):
        encode(["A", sequence], DNA)
    with pytest.raises(ValueError, match=f"^The sequence: {said}"):
        reverse_complement(sequence)


def test_letters_outside_ascii_are_never_raised_to_ones_inside():
    # In Python "ß".upper() is "SS" and "ſ".upper() is "S", both of them amino acids.
    for letter in "ßſı":
        with pytest.raises(ValueError, match="at position 1 is no letter"):
            encode([letter], PROTEIN)


def test_a_single_string_an_empty_sequence_and_a_long_one_are_refused():
    with pytest.raises(TypeError, match=r"encode got the string 'ACGT', expected a list of them. Pass \[sequence\]"):
        encode("ACGT", DNA)
    with pytest.raises(ValueError, match="Sequence 1 is empty; leave it out"):
        encode(["A", "", "C"], DNA)
    with pytest.raises(
        ValueError, match=r"Sequence 1 has 4 letters, more than length=3\. Pass a larger length, or cut"
    ):
        encode(["A", "ACGT"], DNA, length=3)


def test_an_array_of_another_shape_is_refused():
    for change in (lambda array: decode(array, DNA), reverse_complement_encoded):
        with pytest.raises(ValueError, match=r"shape \(2, 3, 5\); pass \(batch, time, 4\)"):
            change(np.zeros((2, 3, 5)))
        with pytest.raises(ValueError, match=r"shape \(3, 4\)"):
            change(np.zeros((3, 4)))


# --- the other strand -------------------------------------------------------------------------------------------------


def test_the_other_strand_is_read_backwards_with_a_for_t_and_c_for_g():
    assert reverse_complement("GATTACA") == "TGTAATC"
    assert reverse_complement("aacN") == "NGTT"
    assert reverse_complement("RYSWKMBDHV") == "BDHVKMWSRY"  # a purine for a pyrimidine, not-A for not-T, …
    assert reverse_complement("") == ""


@given(batches)
def test_text_and_array_agree_on_the_other_strand_and_twice_is_once_more_the_first(sequences):
    encoded = encode(sequences, DNA)
    other = reverse_complement_encoded(encoded)
    np.testing.assert_array_equal(other, encode([reverse_complement(sequence) for sequence in sequences], DNA))
    np.testing.assert_array_equal(reverse_complement_encoded(other), encoded)
    np.testing.assert_array_equal(letter_mask(other), letter_mask(encoded))


def test_padding_before_letters_is_refused():
    encoded = encode(["AC", "GT"], DNA, length=3)
    encoded[1] = np.roll(encoded[1], 1, axis=0)
    with pytest.raises(ValueError, match="Sequence 1 has letters behind padding"):
        reverse_complement_encoded(encoded)


# --- motifs -----------------------------------------------------------------------------------------------------------


def test_letters_are_counted_by_place_and_ambiguous_ones_in_parts():
    # First column: A, A, and half of A or G; with 1 added to all four together, 0.25 each: 2.75, 0.25, 0.75, 0.25 of 4.
    counted = letter_probabilities(["AC", "AC", "RG"], DNA)
    np.testing.assert_allclose(counted, [[2.75 / 4, 0.25 / 4, 0.75 / 4, 0.25 / 4], [0.0625, 0.5625, 0.3125, 0.0625]])
    assert letter_probabilities(["AC", "AG"], DNA, pseudocount=0).tolist() == [[1, 0, 0, 0], [0, 0.5, 0.5, 0]]
    assert letter_probabilities(["WW"], PROTEIN).shape == (2, 20)


def test_a_weight_is_the_binary_logarithm_of_how_much_likelier_a_letter_is():
    assert log_odds([[1, 0.5, 0.25, 0.125]]).tolist() == [[2, 1, 0, -1]]
    assert log_odds([0.5, 0.5, 0, 0], background=[0.125, 0.25, 0.125, 0.5]).tolist() == [2, 1, -np.inf, -np.inf]
    weights = position_weight_matrix(["A"] * 3, DNA, pseudocount=5, background=[0.5, 0.25, 0.125, 0.125])
    np.testing.assert_allclose(weights, np.log2([[(3 + 1.25) / 8 / 0.5, 1.25 / 8 / 0.25, 1.25, 1.25]]))


def test_the_score_of_a_place_is_the_sum_of_the_weights_of_its_letters():
    weights = [[1, 2, 3, 4], [10, 20, 30, 40]]
    # A C: 1 + 20, C T: 2 + 40, T N: 4 + 25.
    assert scan(encode(["ACTN"], DNA), weights).tolist() == [[21, 42, 29]]


def test_a_motif_is_never_found_in_padding():
    scores = scan(encode(["ACTN", "AC", "T"], DNA), [[-1.0] * 4] * 2)
    assert scores.tolist() == [[-2, -2, -2], [-2, -np.inf, -np.inf], [-np.inf] * 3]


@given(batches, st.integers(1, 4), st.integers(0, 99))
def test_a_scan_equals_the_sum_over_every_window(sequences, width, seed):
    encoded = encode(sequences, DNA, length=12)
    weights = np.random.default_rng(seed).normal(size=(width, 4))
    expected = np.full((len(sequences), 13 - width), -np.inf)
    for number, sequence in enumerate(sequences):
        for start in range(len(sequence) - width + 1):
            expected[number, start] = (encoded[number, start : start + width] * weights).sum()
    np.testing.assert_allclose(scan(encoded, weights), expected, atol=1e-5)


def test_certainty_tells_two_bits_of_four_letters_and_equal_chances_tell_nothing():
    rows = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4, [0.5, 0.25, 0.125, 0.125], [0, 0, 0, 0]]
    assert information(rows).tolist() == [2, 1, 0, 0.25, 0]  # 2 - 1.75 bits of entropy
    np.testing.assert_allclose(information(np.eye(20)), np.log2(20))


def test_against_a_background_a_rare_letter_tells_more():
    background = [0.125, 0.125, 0.25, 0.5]
    assert information([[1, 0, 0, 0], [0, 0, 0, 1], background], background=background).tolist() == [3, 1, 0]


@pytest.mark.parametrize("rows", [[[0.5, 0.6, 0, 0]], [[1.5, -0.5, 0, 0]], [[np.nan, 1, 0, 0]]])
def test_what_is_no_probabilities_tells_nothing(rows):
    with pytest.raises(ValueError, match="Pass probabilities: none negative, and each row with the sum 1"):
        information(rows)


@pytest.mark.parametrize("background", [[0.5, 0.5], [1, 0, 0, 0], [0.5] * 4])
def test_a_background_of_another_kind_is_refused(background):
    for function in (information, log_odds):
        with pytest.raises(ValueError, match=r"pass \(4,\) probabilities, all above 0, with the sum 1"):
            function([[0.25] * 4], background=background)


@pytest.mark.parametrize(("sequences", "pseudocount"), [([], 1), (["A", "AC"], 1), (["A"], -1), (["A"], np.nan)])
def test_what_cannot_be_counted_by_place_is_refused(sequences, pseudocount):
    with pytest.raises(ValueError, match="pass at least one, all of one length, and a pseudocount of at least 0"):
        letter_probabilities(sequences, DNA, pseudocount=pseudocount)


def test_weights_that_cannot_be_added_are_refused():
    encoded = encode(["ACGT"], DNA)
    with pytest.raises(ValueError, match=r"shape \(2, 4\), 5 of them not finite; pass \(width, letters\), finite"):
        scan(encoded, position_weight_matrix(["AC", "AG"], DNA, pseudocount=0))  # C, G, T; A and T
    with pytest.raises(ValueError, match=r"shape \(0, 4\)"):
        scan(encoded, np.zeros((0, 4)))
    with pytest.raises(ValueError, match=r"shape \(1, 4, 4\); pass \(batch, time, 20\)"):
        scan(encoded, np.zeros((2, 20)))
    with pytest.raises(ValueError, match=r"The motif is 5 wide, the sequences are 4 long\. .* length=5 or more"):
        scan(encoded, np.zeros((5, 4)))
