"""What a change of one letter does, and what a filter looks for, against models whose answers are known."""

import keras
import numpy as np
import pytest
from keras import layers
from small_models import as_custom, fill

from rnn_course.probes import filter_matrix, in_silico_mutagenesis, motif_position

TIME = 5
WEIGHTS = np.random.default_rng(3).normal(size=(TIME, 4, 3))  # of each letter at each place for each class
LENGTHS = np.array([5, 3, 1])


def one_hot(*texts, letters="ACGT", time=None):
    """Encode texts, `(batch, time, letters)`: a star is an even spread over the letters, a dot is padding."""
    time = time or max(map(len, texts))
    rows = {letter: np.eye(len(letters))[place] for place, letter in enumerate(letters)}
    rows |= {"*": np.full(len(letters), 1 / len(letters)), ".": np.zeros(len(letters))}
    return np.array([[rows[letter] for letter in text.ljust(time, ".")] for text in texts])


def linear(*, classes=3, activation=None):
    """A model that adds up a weight for each letter at each place."""
    inputs = keras.Input((TIME, 4))
    head = layers.Dense(classes, activation=activation, name="head")
    model = keras.Model(inputs, head(layers.Flatten()(inputs)), name="linear")
    head.set_weights([WEIGHTS.reshape(-1, 3)[:, :classes], np.array([0.5, -0.25, 0.0])[:classes]])
    return model


def reader(*, letters=4, outputs=3, cell=layers.LSTM):
    """Convolution and a bidirectional layer that pass over padding, for sequences of any length."""
    inputs = keras.Input((None, letters))
    states = layers.Bidirectional(cell(6))(layers.Masking()(inputs))
    return fill(keras.Model(inputs, layers.Dense(outputs)(states), name="reader"), scale=1.0)


def drawn(letters=4, lengths=LENGTHS, seed=0):
    """One-hot sequences of the given lengths, padded, `(batch, time, letters)`."""
    places = np.random.default_rng(seed).integers(letters, size=(len(lengths), max(lengths)))
    return np.eye(letters)[places] * (np.arange(max(lengths)) < np.asarray(lengths)[:, None])[..., None]


def log_odds_of(logits, column):
    """The definition, by way of the softmax: log p / (1 - p)."""
    chances = np.exp(logits) / np.exp(logits).sum()
    return np.log(chances[column]) - np.log(np.delete(chances, column).sum())


def one_by_one(model, sequences, column):
    """The effects the slow way: one call a mutant."""
    effect = np.zeros(sequences.shape)
    for i, sequence in enumerate(sequences):
        reference = log_odds_of(model(sequence[None]).numpy()[0].astype("float64"), column[i])
        for t, letter in np.ndindex(sequence.shape):
            if sequence[t].any():
                mutant = sequence.copy()
                mutant[t] = np.eye(sequence.shape[1])[letter]
                effect[i, t, letter] = log_odds_of(model(mutant[None]).numpy()[0].astype("float64"), column[i])
                effect[i, t, letter] -= reference
    return effect


# --- effects that are known -------------------------------------------------------------------------------------------


def test_in_a_linear_model_a_change_is_worth_the_new_letter_less_the_old():
    sequences = drawn(lengths=[TIME] * 3)
    found = in_silico_mutagenesis(linear(classes=1), sequences)
    own = (WEIGHTS[..., 0] * sequences).sum(-1)  # (batch, time)
    np.testing.assert_allclose(found.effect, WEIGHTS[..., 0] - own[..., None], atol=1e-6)
    np.testing.assert_allclose(found.reference, own.sum(1) + 0.5, atol=1e-6)
    np.testing.assert_array_equal(found.effect[sequences == 1], 0)
    assert found.output.tolist() == [0, 0, 0] and found.unit == "log-odds (nats)"


def test_with_several_logits_the_score_is_the_log_odds_of_the_predicted_class():
    # Logits log 6, log 1, log 3 on letter A and log 2, log 1, log 3 on B: the class is 0, its odds are 6/4, then 2/4.
    inputs = keras.Input((1, 2))
    model = keras.Model(inputs, layers.Dense(3, use_bias=False, name="head")(layers.Flatten()(inputs)))
    model.get_layer("head").set_weights([np.log([[6.0, 1.0, 3.0], [2.0, 1.0, 3.0]])])
    found = in_silico_mutagenesis(model, [[[1, 0]], [[0, 1]]])
    assert found.output.tolist() == [0, 2]
    np.testing.assert_allclose(found.reference, np.log([6 / 4, 3 / 3]), atol=1e-6)
    np.testing.assert_allclose(found.effect[:, 0], np.log([[1, 2 / 6], [3 / 7, 1]]), atol=1e-6)


@pytest.mark.parametrize("output", [None, 0, -1])
def test_probabilities_and_logits_of_one_model_have_the_same_effects(output):
    sequences = drawn(lengths=[TIME, TIME])
    logits = in_silico_mutagenesis(linear(), sequences, output=output)
    softmax = in_silico_mutagenesis(linear(activation="softmax"), sequences, output=output)
    np.testing.assert_allclose(softmax.effect, logits.effect, atol=1e-4)
    np.testing.assert_array_equal(softmax.output, logits.output)
    assert output is None or logits.output.tolist() == [output % 3] * 2
    logit = in_silico_mutagenesis(linear(classes=1), sequences)
    sigmoid = in_silico_mutagenesis(linear(classes=1, activation="sigmoid"), sequences)
    np.testing.assert_allclose(sigmoid.effect, logit.effect, atol=1e-4)


def test_a_near_certain_softmax_keeps_its_effects():
    # 1 - p is below what float32 can tell from 0, the other probabilities are not: odds of e^20, one letter less 3.
    inputs = keras.Input((1, 2))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax", name="head")(layers.Flatten()(inputs)))
    model.get_layer("head").set_weights([np.array([[20.0, 0.0], [17.0, 0.0]]), np.zeros(2)])
    found = in_silico_mutagenesis(model, [[[1.0, 0.0]]])
    np.testing.assert_allclose(found.effect, [[[0, -3]]], atol=1e-4)


def test_a_sigmoid_is_seen_wherever_a_functional_model_ends_with_it():
    inputs = keras.Input((TIME, 4))
    logit = linear(classes=1)
    known = in_silico_mutagenesis(logit, drawn()).effect
    ends = {
        "operation": keras.ops.sigmoid,
        "activation": layers.Activation("sigmoid"),
        "inner model": keras.Sequential([keras.Input((1,)), layers.Activation("sigmoid")]),
    }
    for name, end in ends.items():
        found = in_silico_mutagenesis(keras.Model(inputs, end(logit(inputs))), drawn()).effect
        np.testing.assert_allclose(found, known, atol=1e-4, err_msg=name)


def test_a_subclassed_model_says_whether_its_numbers_from_0_to_1_are_probabilities():
    # Its layers are listed as they were made: here the head, which is no last layer, before the one that reads.
    class Hidden(keras.Model):
        def __init__(self):
            super().__init__(name="hidden")
            self.logit = linear(classes=1)
            self.reader = layers.Flatten()

        def call(self, letters):
            return self.reader(keras.ops.sigmoid(self.logit(letters)))

    with pytest.raises(
        ValueError, match=r"Model 'hidden' puts out numbers from 0 to 1 .* Pass output_kind='probabilit"
    ):
        in_silico_mutagenesis(Hidden(), drawn())
    found = in_silico_mutagenesis(Hidden(), drawn(), output_kind="probabilities")
    np.testing.assert_allclose(found.effect, in_silico_mutagenesis(linear(classes=1), drawn()).effect, atol=1e-4)
    raw = in_silico_mutagenesis(Hidden(), drawn(), output_kind="logits")
    np.testing.assert_allclose(raw.reference, Hidden()(drawn())[:, 0], atol=1e-6)


def test_outputs_that_look_like_probabilities_can_be_declared_logits():
    # Logits 0.25 and 0.75 sum to 1; as logits their log-odds are -0.5, as probabilities log(1/3).
    inputs = keras.Input((1, 2))
    model = keras.Model(inputs, layers.Dense(2, name="head")(layers.Flatten()(inputs)))
    model.get_layer("head").set_weights([np.full((2, 2), [0.25, 0.75]), np.zeros(2)])
    for kind, known in (("logits", -0.5), ("probabilities", np.log(1 / 3)), (None, np.log(1 / 3))):
        found = in_silico_mutagenesis(model, [[[1, 0]]], output=0, output_kind=kind)
        np.testing.assert_allclose(found.reference, [known], atol=1e-6)


def test_a_function_makes_the_score_of_whatever_the_model_puts_out():
    inputs = keras.Input((TIME, 4))
    flat = layers.Flatten()(inputs)
    model = keras.Model(inputs, {"a": layers.Dense(1, name="a")(flat), "b": layers.Dense(1, name="b")(flat)})
    model.get_layer("a").set_weights([WEIGHTS[..., 0].reshape(-1, 1), np.zeros(1)])
    model.get_layer("b").set_weights([WEIGHTS[..., 1].reshape(-1, 1), np.zeros(1)])
    sequences = drawn(lengths=[TIME, TIME])
    found = in_silico_mutagenesis(model, sequences, output=lambda out: (out["a"] - 2 * out["b"])[:, 0], batch_size=7)
    weights = WEIGHTS[..., 0] - 2 * WEIGHTS[..., 1]
    own = (weights * sequences).sum(-1)
    np.testing.assert_allclose(found.effect, weights - own[..., None], atol=1e-5)
    assert found.output is None and found.unit == "output"


# --- equality with one call a mutant ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("letters", "batch_size"), [(4, 1), (4, 7), (4, 512), (20, 7)])
def test_batches_give_what_one_call_for_each_mutant_gives(letters, batch_size):
    model, sequences = reader(letters=letters), drawn(letters)
    found = in_silico_mutagenesis(model, sequences, batch_size=batch_size)
    np.testing.assert_allclose(found.effect, one_by_one(model, sequences, found.output), atol=2e-5)
    np.testing.assert_array_equal(found.mask, np.arange(5) < LENGTHS[:, None])
    assert np.abs(found.effect).max() > 0.5


def test_one_sequence_of_one_letter_is_enough():
    model, sequences = reader(), one_hot("G")
    found = in_silico_mutagenesis(model, sequences)
    assert found.effect.shape == (1, 1, 4)
    np.testing.assert_allclose(found.effect, one_by_one(model, sequences, found.output), atol=1e-5)


def test_padding_has_no_effect_and_more_of_it_changes_nothing():
    model, sequences = reader(), drawn()
    found = in_silico_mutagenesis(model, sequences)
    longer = in_silico_mutagenesis(model, np.pad(sequences, [(0, 0), (0, 4), (0, 0)]))
    np.testing.assert_array_equal(found.effect[~found.mask], 0)
    np.testing.assert_array_equal(longer.effect[:, TIME:], 0)
    np.testing.assert_allclose(longer.effect[:, :TIME], found.effect, atol=1e-5)


def test_a_sequence_alone_is_as_good_as_in_a_batch():
    model, sequences = reader(cell=layers.GRU), drawn()
    together = in_silico_mutagenesis(model, sequences)
    alone = in_silico_mutagenesis(model, sequences[1:2, :3])
    np.testing.assert_allclose(alone.effect[0], together.effect[1, :3], atol=1e-5)


def test_at_an_ambiguous_letter_every_letter_is_a_change():
    # The row is 1/4 everywhere, worth the mean weight; each letter brings its own weight instead.
    sequences = one_hot("AC*GT")
    found = in_silico_mutagenesis(linear(classes=1), sequences)
    weights = WEIGHTS[2, :, 0]
    np.testing.assert_allclose(found.effect[0, 2], weights - weights.mean(), atol=1e-6)
    np.testing.assert_allclose(found.importance()[0, 2], 0, atol=1e-6)  # all four lie around their own mean


def test_the_importance_is_the_mean_loss_over_the_other_letters():
    sequences = drawn(lengths=[TIME, TIME])
    found = in_silico_mutagenesis(linear(classes=1), sequences)
    own = (WEIGHTS[..., 0] * sequences).sum(-1)
    expected = own - (WEIGHTS[..., 0].sum(-1) - own) / 3
    np.testing.assert_allclose(found.importance(), expected, atol=1e-6)
    np.testing.assert_allclose(found.heights(), expected[..., None] * sequences, atol=1e-6)
    padded = in_silico_mutagenesis(reader(), drawn())
    np.testing.assert_array_equal(padded.importance()[~padded.mask], 0)


def test_the_model_and_the_sequences_stay_as_they_are():
    model, sequences = reader(cell=as_custom(layers.LSTM)), drawn().astype("float32")
    before = [weight.copy() for weight in model.get_weights()], sequences.copy(), model(sequences).numpy()
    found = in_silico_mutagenesis(model, sequences)
    assert not np.shares_memory(found.sequences, sequences)
    for weight, kept in zip(model.get_weights(), before[0], strict=True):
        np.testing.assert_array_equal(weight, kept)
    np.testing.assert_array_equal(sequences, before[1])
    np.testing.assert_array_equal(model(sequences).numpy(), before[2])
    assert not model.compiled


def test_only_real_mutants_are_run():
    # Six letters of four kinds: 6 * 3 mutants and the two sequences themselves.
    rows = []

    class Counting(keras.Model):
        def predict_step(self, data):
            rows.append(len(data[0]))
            return super().predict_step(data)

    inputs = keras.Input((None, 4))
    model = Counting(inputs, layers.Dense(1)(layers.GlobalAveragePooling1D()(inputs)))
    model.run_eagerly = True
    in_silico_mutagenesis(model, one_hot("ACGT", "GT"), batch_size=10)
    assert rows == [2, 10, 8]


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        (np.eye(4)[[0, 1]], {}, r"sequences has shape \(2, 4\); expected \(batch, time, letters\).*sequences\[None\]"),
        (np.zeros((0, 5, 4)), {}, r"sequences has shape \(0, 5, 4\)"),
        (np.ones((2, 5, 1)), {}, "with two letters or more"),
        (one_hot("ACGTA") * 2, {}, r"Row 0 of sequence 0 is \[2.0, 0.0, 0.0, 0.0\]; expected probabilities with"),
        (one_hot("ACGTA") * np.nan, {}, "Row 0 of sequence 0 is .*nan"),
        (one_hot("ACGTA"), {"output": 3}, "output is 3; model 'linear' has 3 outputs, counted from 0"),
        (one_hot("ACGTA"), {"output_kind": "odds"}, "output_kind is 'odds'; pass 'logits', 'probabilities', or None"),
        (one_hot("ACGTA"), {"batch_size": 0}, "batch_size is 0; pass 1 or more"),
        (one_hot("ACGTA"), {"output": lambda out: out}, r"returned scores of shape \(1, 3\); expected \(1,\)"),
    ],
)
def test_what_cannot_be_mutated_is_refused_with_what_to_do(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        in_silico_mutagenesis(linear(), sequences, **options)


def test_outputs_at_every_step_need_a_function():
    inputs = keras.Input((TIME, 4))
    model = keras.Model(inputs, layers.Dense(2)(inputs), name="tagger")
    with pytest.raises(ValueError, match=r"Model 'tagger' puts out \(1, 5, 2\); expected \(batch, classes\)\. Pass as"):
        in_silico_mutagenesis(model, one_hot("ACGTA"))
    assert in_silico_mutagenesis(model, one_hot("ACGTA"), output=lambda out: out[:, 2, 0]).effect.shape == (1, 5, 4)
    two = keras.Model(inputs, [layers.Dense(2)(inputs)] * 2, name="two")
    with pytest.raises(ValueError, match="Model 'two' puts out several outputs"):
        in_silico_mutagenesis(two, one_hot("ACGTA"))


def test_a_model_that_remembers_the_mutant_before_is_refused():
    inputs = keras.Input(batch_shape=(1, TIME, 4))
    states = layers.Bidirectional(layers.LSTM(2, stateful=True), name="both")(inputs)
    model = keras.Model(inputs, layers.Dense(1)(states))
    with pytest.raises(ValueError, match="Layer 'both/forward' is stateful: each mutant would go on from the one"):
        in_silico_mutagenesis(model, one_hot("ACGTA"))


# --- where a motif lies -----------------------------------------------------------------------------------------------


def test_a_motif_lies_where_most_importance_is():
    # Sums of three: 3, 6, 7, 5 and 0, -1, ...; a single peak of 9 wins only where its window does.
    importance = [[1.0, 1.0, 1.0, 4.0, 2.0, -1.0], [9.0, -8.0, 0.5, 0.6, 0.6, 0.0]]
    assert motif_position(importance, 3).tolist() == [2, 2]
    assert motif_position(importance, 6).tolist() == [0, 0]
    assert motif_position(importance, 1).tolist() == [3, 0]


def test_a_window_never_reaches_into_padding():
    # All importance is negative, so that padding, which has 0, would win.
    importance = np.array([[-1.0, -2.0, -3.0, 0.0, 0.0]])
    mask = np.array([[True, True, True, False, False]])
    assert motif_position(importance, 2, mask=mask).tolist() == [0]
    assert motif_position(np.where(mask, importance, np.nan), 2).tolist() == [0]
    with pytest.raises(ValueError, match=r"Sequence 0 has no 4 letters in a row\. Pass a smaller width"):
        motif_position(importance, 4, mask=mask)


@pytest.mark.parametrize("width", [0, 6])
def test_a_window_that_fits_nowhere_is_refused(width):
    with pytest.raises(ValueError, match=rf"shape \(1, 5\), mask \(1, 5\) and width is {width}; expected"):
        motif_position(np.zeros((1, 5)), width)


# --- what a filter looks for ------------------------------------------------------------------------------------------


def convolution(kernel, *, letters=4, bias=0.0, **options):
    """A model whose one convolution, called "motifs", has the kernel `(width, letters, filters)`."""
    inputs = keras.Input((None, letters))
    layer = layers.Conv1D(kernel.shape[2], kernel.shape[0], name="motifs", **options)
    read = layer(layers.SpatialDropout1D(0.5)(inputs))
    model = keras.Model(inputs, layers.Dense(1)(layers.GlobalMaxPooling1D()(read)), name="scanner")
    layer.set_weights([kernel, np.full(kernel.shape[2], bias)])
    return model


def kernel_of(*texts, letters="ACGT"):
    """Filters that count how many letters agree with a text, `(width, letters, filters)`; a star agrees with none."""
    return np.stack([one_hot(text.replace("*", "."), letters=letters)[0] for text in texts], axis=-1)


def test_a_filter_is_the_mean_of_the_windows_that_pass_half_its_best():
    # Windows: CGG GGT GTA TAC, AGT GTC TCC. "GT*" agrees in 2 letters with GTA and GTC, its best, in 1 with GGT, which
    # is no more than half of it, and in none with the others.
    found = filter_matrix(convolution(kernel_of("GT*", "AAA")), one_hot("CGGTAC", "AGTCC"))
    np.testing.assert_allclose(found.probabilities[0], [[0, 0, 1, 0], [0, 0, 0, 1], [0.5, 0.5, 0, 0]])
    # "AAA" agrees in 1 letter at most, with GTA, TAC and AGT, and 1 exceeds half of itself.
    assert (found.counts.tolist(), found.highest.tolist()) == ([2, 3], [2, 1])
    third = 1 / 3
    rows = [[third, 0, third, third], [third, 0, third, third], [third, third, 0, third]]
    np.testing.assert_allclose(found.probabilities[1], rows)


def test_padding_and_ends_are_never_counted():
    # A filter that likes nothing so much as padding (its weights are all negative, its bias is not).
    kernel = -np.ones((2, 4, 1)) * np.array([0.1, 0.2, 0.3, 0.4])[:, None]
    sequences = one_hot("ACG", "AC", time=6)
    for options in ({}, {"padding": "same"}, {"padding": "causal"}):
        found = filter_matrix(convolution(kernel, bias=1.0, **options), sequences)
        np.testing.assert_allclose(found.highest, [0.7], atol=1e-6)  # 1 - 0.1 - 0.2 of AC; padding would give 1
        assert found.counts.tolist() == [3]  # AC, CG, AC
        np.testing.assert_allclose(found.probabilities[0], [[2 / 3, 1 / 3, 0, 0], [0, 2 / 3, 1 / 3, 0]], atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": "same"},
        {"padding": "causal"},
        {"padding": "same", "strides": 2},
        {"padding": "valid", "strides": 3},
        {"padding": "same", "dilation_rate": 2},
        {"padding": "causal", "dilation_rate": 3},
    ],
)
@pytest.mark.parametrize("time", [9, 10, 11])
def test_a_window_is_cut_out_where_the_filter_read_it(options, time):
    # All letters differ, so that the filter of one window answers to this one and the matrix must be its own text.
    letters = "ABCDEFGHIJKLMN"
    sequence = one_hot(letters[:time], letters=letters)
    dilation, stride = options.get("dilation_rate", 1), options.get("strides", 1)
    seen = []
    for start in range(time - 2 * dilation):
        window = letters[start : start + 2 * dilation + 1 : dilation]
        found = filter_matrix(convolution(kernel_of(window, letters=letters), letters=14, **options), sequence)
        if found.highest[0] == 3:
            assert found.counts.tolist() == [1]
            np.testing.assert_array_equal(found.probabilities[0], one_hot(window, letters=letters)[0])
            seen.append(start)
    assert len(seen) >= (time - 2 * dilation - stride) // stride + 1


def test_a_filter_that_never_answers_counts_nothing():
    found = filter_matrix(convolution(kernel_of("AC", "GG"), bias=-1.5, activation="relu"), one_hot("ACTT"))
    assert found.counts.tolist() == [1, 0]
    np.testing.assert_array_equal(found.probabilities[1], 0)
    low = filter_matrix(convolution(kernel_of("AC"), bias=-3.0), one_hot("ACAC"), threshold=0)
    assert (low.counts.tolist(), low.highest.tolist()) == ([0], [-1])
    short = filter_matrix(convolution(kernel_of("AC"), padding="same"), one_hot("A"), threshold=0)
    assert (short.counts.tolist(), short.highest.tolist()) == ([0], [-np.inf])


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_batches_of_any_size_count_the_same(batch_size):
    kernel = np.random.default_rng(0).normal(size=(4, 20, 5))
    model, sequences = convolution(kernel, letters=20), drawn(20, lengths=[30, 12, 4, 21, 17, 9, 30])
    whole = filter_matrix(model, sequences)
    found = filter_matrix(model, sequences, "motifs", batch_size=batch_size)
    np.testing.assert_allclose(found.probabilities, whole.probabilities, atol=1e-9)
    np.testing.assert_array_equal(found.counts, whole.counts)
    np.testing.assert_allclose(whole.probabilities.sum(-1), 1, atol=1e-9)
    strict = filter_matrix(model, sequences, threshold=0.9)
    assert (strict.counts < whole.counts).all() and (strict.counts > 0).all()


def test_a_convolution_that_does_not_read_letters_is_refused():
    inputs = keras.Input((None, 4))
    first = layers.Conv1D(4, 3, padding="same", name="first")(inputs)
    second = layers.Conv1D(2, 3, name="second")(first)
    model = fill(keras.Model(inputs, second, name="deep"))
    assert filter_matrix(model, one_hot("ACGTACGT")).probabilities.shape == (4, 3, 4)
    with pytest.raises(ValueError, match=r"Conv1D 'second' reads an input of shape .* not the sequences"):
        filter_matrix(model, one_hot("ACGTACGT"), "second")
    with pytest.raises(ValueError, match="Model 'deep' has 0 Conv1D 'third'; it has 'first', 'second'"):
        filter_matrix(model, one_hot("ACGTACGT"), "third")
    with pytest.raises(ValueError, match="Model 'reader' has no filters to look at"):
        filter_matrix(reader(), one_hot("ACGT"))
    with pytest.raises(ValueError, match=r"threshold is 1; pass a share"):
        filter_matrix(model, one_hot("ACGT"), threshold=1)


def test_the_filters_stay_as_they_are():
    model = convolution(kernel_of("GT*"))
    filter_matrix(model, one_hot("CGTAC"))
    assert "call" not in vars(model.get_layer("motifs"))
