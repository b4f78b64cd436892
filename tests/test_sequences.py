"""Tokens, vocabularies, padding, masks, batches, one-hot vectors and windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rnn_course.data import load_sentiment
from rnn_course.sequences import (
    Vocabulary,
    affixes,
    bucketed_batches,
    contiguous_batches,
    mask_of,
    one_hot,
    pad,
    tokenize,
    windows,
)

BATCHES = st.lists(st.lists(st.integers(1, 1_000), max_size=9), max_size=6)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It isn't good.", "it is n't good ."),
        ("We can't, they won't, I'd've!", "we ca n't , they wo n't , i 'd 've !"),
        ("The actors' skill is Lee's", "the actors ' skill is lee 's"),
        ("Isn\u2019t it?!", "is n't it ?!"),
        ('"Dull," (he said)...', '" dull , " ( he said ) ...'),
        ("ok...see you..", "ok ... see you .."),
        ("a film\u2014no, a triumph--really", "a film \u2014 no , a triumph -- really"),
        ("Dr. No vs. the U.S. in 1.8 hours", "dr. no vs. the u.s. in 1.8 hours"),
        ("a well-made 90-minute comedy/drama", "a well-made 90-minute comedy/drama"),
        ("100% of $5, 'tis", "100 % of $ 5 , 'tis"),
        (" \t\n", ""),
    ],
)
def test_text_is_cut_into_words_and_signs(text, tokens):
    assert tokenize(text) == tokens.split()


@pytest.mark.parametrize(
    "text",
    [
        "it 's n't -lrb- not at all -rrb- a `` comedy '' , mr. k-19 ...",
        "the '70s rock 'n' roll of j.r.r. o'fallon , s&m and 2,500 others ; d'etre !?",
        "writer\\/director \\*\\*\\* i 've , you 'll , they 'd , we 're , i 'm -- ol' 'em",
    ],
)
def test_tokenized_text_stays_as_it_is(text):
    assert tokenize(text) == text.split()


def test_every_text_of_the_sample_stays_as_it_is():
    for split in load_sentiment("sample")[:3]:
        assert all(tokenize(text) == text.split() for text in split.texts)


@given(st.text() | st.text(alphabet="ab.,!?'\"-n't(s) $%\u2014\u2019", max_size=30))
@settings(max_examples=150, deadline=None)
def test_tokens_are_cut_no_further_and_lose_nothing(text):
    tokens = tokenize(text)
    assert tokenize(" ".join(tokens)) == tokens
    assert "".join(tokens) == "".join(text.lower().replace("\u2019", "'").split())
    assert all(token and not any(map(str.isspace, token)) for token in tokens)


def test_a_text_of_many_signs_is_cut_too():
    # 1,200 cuts one after the other: more than the interpreter would nest.
    assert tokenize("a" + ")," * 600) == ["a", *[")", ","] * 600]
    assert tokenize("a--" * 600 + "a") == [*["a", "--"] * 600, "a"]


def test_a_vocabulary_ranks_by_count_and_then_by_the_alphabet():
    vocabulary = Vocabulary.from_texts(["b b c", "a B d", ["d", "e f"]])
    assert vocabulary.tokens == ("", "<unk>", "b", "d", "a", "c", "e f")
    assert len(vocabulary) == 7


def test_rare_tokens_and_those_beyond_the_size_are_left_out():
    texts = ["a a a b b c"]
    assert Vocabulary.from_texts(texts, minimum_count=2).tokens == ("", "<unk>", "a", "b")
    assert Vocabulary.from_texts(texts, maximum_size=3).tokens == ("", "<unk>", "a")
    assert Vocabulary.from_texts(texts, maximum_size=2).tokens == ("", "<unk>")
    with pytest.raises(ValueError, match="maximum_size is 1; pass at least 2"):
        Vocabulary.from_texts(texts, maximum_size=1)


def test_the_reserved_tokens_in_a_text_take_no_second_place():
    vocabulary = Vocabulary.from_texts([["", "<unk>", "x", ""]])
    assert vocabulary.tokens == ("", "<unk>", "x")
    assert vocabulary.encode(["", "<unk>", "x", "y"]) == [1, 1, 2, 1]  # never 0: a step of a text is not masked


@given(st.lists(st.text(min_size=1, max_size=4), max_size=20))
def test_known_tokens_survive_the_way_there_and_back_through_padding(tokens):
    vocabulary = Vocabulary.from_texts([tokens])
    for side in ("left", "right"):
        padded = pad([vocabulary.encode(tokens)], length=25, side=side)
        assert vocabulary.decode(padded[0]) == tokens


def test_a_string_is_not_taken_for_its_tokens():
    with pytest.raises(TypeError, match=r"got the string 'good', expected its tokens. Pass `tokenize\(text\)`"):
        Vocabulary.from_texts(["good"]).encode("good")


@pytest.mark.parametrize("index", [3, -1])
def test_an_index_outside_the_vocabulary_cannot_be_decoded(index):
    with pytest.raises(ValueError, match=rf"Indices \[{index}\] are outside a vocabulary of 3 \(0 to 2\)"):
        Vocabulary.from_texts(["good"]).decode([2, index])


def test_a_vocabulary_without_its_reserved_tokens_or_with_a_repeated_one_is_refused():
    with pytest.raises(ValueError, match="Build vocabularies with `Vocabulary"):
        Vocabulary(("good", "bad"))
    with pytest.raises(ValueError, match=r"more than once: \['good'\]"):
        Vocabulary(("", "<unk>", "good", "good"))


def test_vocabularies_are_compared_by_their_tokens_and_cannot_be_changed():
    vocabulary = Vocabulary.from_texts(["good film"])
    assert vocabulary == Vocabulary(("", "<unk>", "film", "good"))
    assert repr(vocabulary) == "Vocabulary(4 tokens: '', '<unk>', 'film', 'good')"
    with pytest.raises(AttributeError):
        vocabulary.tokens = ()


def test_padding_fills_the_chosen_side():
    np.testing.assert_array_equal(pad([[1, 2], [3]], length=3), [[1, 2, 0], [3, 0, 0]])
    np.testing.assert_array_equal(pad([[1, 2], [3]], length=3, side="left"), [[0, 1, 2], [0, 0, 3]])


def test_sequences_that_are_too_long_lose_their_last_steps_on_both_sides():
    np.testing.assert_array_equal(pad([[1, 2, 3], [4]], length=2), [[1, 2], [4, 0]])
    np.testing.assert_array_equal(pad([[1, 2, 3], [4]], length=2, side="left"), [[1, 2], [0, 4]])


@given(BATCHES)
def test_the_mask_counts_the_steps_of_every_sequence(batch):
    for side in ("left", "right"):
        padded = pad(batch, side=side)
        assert padded.shape == (len(batch), max(map(len, batch), default=0))
        assert padded.dtype == np.int32
        assert [row[kept].tolist() for row, kept in zip(padded, mask_of(padded), strict=True)] == batch


@given(BATCHES)
def test_left_padding_is_right_padding_in_a_mirror(batch):
    mirrored = pad([sequence[::-1] for sequence in batch])[:, ::-1]
    np.testing.assert_array_equal(pad(batch, side="left"), mirrored)


def test_the_mask_is_true_at_real_steps():
    mask = mask_of([[7, 1, 0], [0, 0, 3]])
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, [[True, True, False], [False, False, True]])


def test_padding_refuses_a_side_it_does_not_know():
    with pytest.raises(ValueError, match=r"side is 'pre'; pass 'right' .* or 'left'"):
        pad([[1]], side="pre")


@pytest.mark.parametrize("length", [-1, 2.5])
def test_padding_refuses_a_length_that_is_none(length):
    with pytest.raises(ValueError, match=f"length is {length}; pass a whole number from 0 up, or None"):
        pad([[1]], length=length)


@pytest.mark.parametrize(("values", "dtype"), [([0.5, 1.0], "int32"), ([300], "int8"), ([[1], [2]], "int32")])
def test_padding_refuses_numbers_that_its_type_cannot_hold(values, dtype):
    with pytest.raises(ValueError, match=f"cannot be kept as a sequence of {dtype}"):
        pad([values], dtype=dtype)


def test_numbers_of_any_type_that_holds_them_can_be_padded():
    np.testing.assert_array_equal(pad([[0.5], []], length=2, dtype="float32"), [[0.5, 0], [0, 0]])
    np.testing.assert_array_equal(pad([np.array([5, 6])], dtype="int8"), [[5, 6]])


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 12), st.integers(0, 99))
def test_bucketed_batches_hold_every_sequence_once_and_never_mix_what_sorting_keeps_apart(lengths, size, seed):
    lengths = np.array(lengths, int)
    batches = bucketed_batches(lengths, size=size, rng=np.random.default_rng(seed))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert sorted(map(len, batches))[1:] == [size] * (len(batches) - 1)
    longest_first = sorted((lengths[batch] for batch in batches), key=lambda each: (each.min(), each.max()))
    np.testing.assert_array_equal(np.sort(lengths), [x for batch in longest_first for x in np.sort(batch)])


def test_buckets_of_two_pad_nothing_where_every_length_comes_twice():
    # 1 to 50 steps, each twice: batches of two can be padded without a single filled cell; in one order of chance not.
    lengths = np.tile(np.arange(1, 51), 2)
    batches = bucketed_batches(lengths, size=2, rng=np.random.default_rng(0))
    assert sum(len(batch) * lengths[batch].max() for batch in batches) == lengths.sum() == 2550


def test_both_the_company_and_the_order_of_batches_are_drawn_by_rng():
    lengths = [7] * 4 + [1] * 4
    draws = [bucketed_batches(lengths, size=2, rng=np.random.default_rng(seed)) for seed in range(20)]
    again = bucketed_batches(lengths, size=2, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(again, draws[3])
    assert {frozenset(batch.tolist()) for draw in draws for batch in draw} >= {frozenset({0, k}) for k in (1, 2, 3)}
    assert {lengths[draw[0][0]] for draw in draws} == {1, 7}


@pytest.mark.parametrize("lengths", [[1.5, 2.0], [[1, 2]], 3])
def test_buckets_need_one_row_of_whole_numbers(lengths):
    with pytest.raises(ValueError, match=r"expected whole numbers in one row. Pass `\[len\(each\) for each"):
        bucketed_batches(lengths, size=2, rng=np.random.default_rng(0))


def test_no_sequences_make_no_batches():
    assert bucketed_batches([], size=2, rng=np.random.default_rng(0)) == []


def test_buckets_need_room_for_a_sequence():
    with pytest.raises(ValueError, match="size is 0; pass how many sequences a batch holds"):
        bucketed_batches([1, 2], size=0, rng=np.random.default_rng(0))


@given(st.integers(2, 300), st.integers(1, 8), st.integers(1, 9))
def test_every_row_goes_on_where_the_same_row_of_the_batch_before_stopped(time, batch, length):
    ids = 1_000 + np.arange(time)  # each once, so that a number tells its place
    if time < batch * length + 1:
        with pytest.raises(ValueError, match=f"{time} ids are too few: .* take {batch * length + 1}"):
            contiguous_batches(ids, batch=batch, length=length)
        return
    inputs, targets = contiguous_batches(ids, batch=batch, length=length)
    np.testing.assert_array_equal(targets, inputs + 1)
    steps = inputs.reshape(-1, batch, length)
    for b in range(batch):
        np.testing.assert_array_equal(np.diff(steps[:, b].ravel()), 1)
    assert len(set(inputs.ravel().tolist())) == inputs.size
    assert inputs.min() == 1_000
    assert time - (targets.max() - 1_000 + 1) < batch * length  # what is left out at the end
    assert targets.max() - 1_000 == inputs.size  # and nowhere else


def test_two_streams_of_twelve_ids_are_read_side_by_side():
    # Streams 0…5 and 6…11, three steps at a time; 12 is the target of 11 alone, 13 is left out.
    inputs, targets = contiguous_batches(list(range(14)), batch=2, length=3)
    assert inputs.tolist() == [[0, 1, 2], [6, 7, 8], [3, 4, 5], [9, 10, 11]]
    assert targets.tolist() == [[1, 2, 3], [7, 8, 9], [4, 5, 6], [10, 11, 12]]
    assert (inputs.dtype, targets.dtype) == (np.int32, np.int32)


def test_contiguous_batches_are_a_copy_that_may_be_changed():
    ids = np.arange(7, dtype=np.int32)
    inputs, targets = contiguous_batches(ids, batch=1, length=6)
    inputs[0, 1] = 99
    assert ids[1] == targets[0, 0] == 1


@pytest.mark.parametrize("ids", [[0.5, 1.0], [[1, 2], [3, 4]], 5, ["a", "b"]])
def test_contiguous_batches_need_one_row_of_whole_numbers(ids):
    with pytest.raises(ValueError, match=r"expected whole numbers in one row. Pass what `vocabulary.encode\(list"):
        contiguous_batches(ids, batch=1, length=1)


@pytest.mark.parametrize(("batch", "length"), [(0, 5), (2, 0), (-1, 5)])
def test_contiguous_batches_need_a_positive_batch_and_length(batch, length):
    with pytest.raises(ValueError, match=f"batch is {batch} and length is {length}; pass 1 or more for both"):
        contiguous_batches(np.arange(50), batch=batch, length=length)


def test_too_few_ids_say_how_many_it_takes():
    expected = "12 ids are too few: one batch of 3 rows of 4 and the id after it take 13. Pass a longer text, or a"
    with pytest.raises(ValueError, match=expected):
        contiguous_batches(np.arange(12), batch=3, length=4)
    assert contiguous_batches(np.arange(13), batch=3, length=4)[0].shape == (3, 4)
    with pytest.raises(ValueError, match="0 ids are too few"):
        contiguous_batches([], batch=3, length=4)


@given(arrays.arrays(np.int64, arrays.array_shapes(max_dims=3, min_side=0), elements=st.integers(0, 6)))
def test_one_hot_has_a_single_one_at_the_index(indices):
    vectors = one_hot(indices, size=7)
    assert vectors.shape == (*indices.shape, 7)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors.sum(-1), np.ones(indices.shape))
    np.testing.assert_array_equal(vectors.argmax(-1), indices)


@pytest.mark.parametrize("index", [-1, 4])
def test_one_hot_refuses_an_index_without_a_place(index):
    with pytest.raises(ValueError, match=rf"Indices \[{index}\] have no place in vectors of size 4 \(0 to 3\)"):
        one_hot(np.array([0, index]), size=4)


def test_one_hot_refuses_what_is_not_an_index():
    with pytest.raises(ValueError, match="of type float64, expected integers"):
        one_hot(np.array([0.0]), size=4)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(1, 10))
def test_windows_are_slices_and_the_rest_is_dropped(time, length, step):
    sequence = np.arange(time)
    if length > time:
        with pytest.raises(ValueError, match=rf"has {time} steps, fewer than one window of {length}"):
            windows(sequence, length=length, step=step)
        return
    expected = [sequence[start : start + length] for start in range(0, time - length + 1, step)]
    np.testing.assert_array_equal(windows(sequence, length=length, step=step), expected)


def test_windows_of_vectors_keep_time_before_features():
    frames = np.arange(10).reshape(5, 2)
    cut = windows(frames, length=3, step=2)
    assert cut.shape == (2, 3, 2)
    np.testing.assert_array_equal(cut[1], frames[2:5])


def test_windows_share_the_memory_of_the_sequence_and_cannot_change_it():
    sequence = np.arange(6)
    cut = windows(sequence, length=3)
    assert np.shares_memory(cut, sequence)
    with pytest.raises(ValueError, match="read-only"):
        cut[0, 0] = 9


@pytest.mark.parametrize(("length", "step"), [(0, 1), (2, 0), (-1, 1)])
def test_windows_need_a_positive_length_and_step(length, step):
    with pytest.raises(ValueError, match=f"length is {length} and step is {step}; pass 1 or more"):
        windows(np.arange(5), length=length, step=step)


def test_words_share_a_part_where_they_begin_or_end_alike():
    # "duller" and "dullest" share "dull-", "dullest" and "tallest" share "-lest"; "-ller" belongs to one word alone.
    table = affixes(["", "<unk>", "duller", "dullest", "tallest"], prefixes=[4], suffixes=[4])
    assert table.tolist() == [[0, 0], [0, 0], [2, 0], [2, 1], [1, 0]]


def test_a_beginning_is_another_part_than_the_same_letters_at_the_end():
    table = affixes(["", "<unk>", "ness", "nessie", "loch ness"], prefixes=[4], suffixes=[4])
    begins, ends = table[3, 0], table[4, 0]
    assert begins and ends and begins != ends
    assert set(table[2]) == {begins, ends}


def test_padding_the_unknown_word_and_short_words_have_no_parts():
    table = affixes(["", "<unk>", "of", "off", "offer"], prefixes=[3], suffixes=[])
    assert table[:, 0].tolist() == [0, 0, 0, 1, 1]


def test_a_part_must_be_shared_by_enough_words():
    tokens = ["", "<unk>", "aaa1", "aaa2", "aaa3", "bbb1", "bbb2"]
    assert affixes(tokens, prefixes=[3], suffixes=[], minimum_words=3)[:, 0].tolist() == [0, 0, 1, 1, 1, 0, 0]
