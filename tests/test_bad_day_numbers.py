"""A bad day for numbers: what is empty, endless, not finite, too large or of another kind is said, or is right."""

import time

import keras
import numpy as np
import pytest
from keras import layers
from matplotlib.figure import Figure

from rnn_course import plots, probes
from rnn_course.candidates import sample_candidates
from rnn_course.decoding import distribution
from rnn_course.frames import choice_nats, key_nats, list_choices, press_choices
from rnn_course.layers import FoldedTimeDistributed, FusedLSTM
from rnn_course.metrics import macro_f1
from rnn_course.ngrams import NGram
from rnn_course.sequences import Vocabulary
from rnn_course.streaming import NumpyStream, Stream, export_weights

X = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
Y = np.zeros((3, 1), "float32")


class OwnRNN(layers.SimpleRNN):
    """A layer for which a probe has no closed form."""


def model_of(cell=layers.LSTM, name="reader", **options):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, 2))
    return keras.Model(inputs, layers.Dense(1, name="head")(cell(3, name="rnn", **options)(inputs)), name=name)


@pytest.fixture(scope="module")
def model():
    return model_of()


@pytest.fixture(scope="module")
def tokens():
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(4, 2, mask_zero=True),
            layers.LSTM(3, name="rnn"),
            layers.Dense(1),
        ]
    )


def flow(model, inputs, *layer):
    return probes.gradient_flow(model, inputs, np.zeros((1, 1)), *layer, loss="mse")


def retention(model, inputs, *layer):
    return probes.memory_retention(model, inputs, *layer, step=0)


def ablation(model, inputs, *layer):
    return probes.ablate_units(model, inputs, [0], *layer)


def attribution(model, inputs):
    return probes.input_attribution(model, inputs, steps=2)


OF_A_LAYER = {
    "trace": probes.trace,
    "gradient_flow": flow,
    "jacobian_spectrum": probes.jacobian_spectrum,
    "connectivity": probes.connectivity,
    "memory_retention": retention,
    "ablate_units": ablation,
}
OF_INPUTS = OF_A_LAYER | {"input_attribution": attribution}
NUMBERS = {
    "trace": lambda found: found.hidden,
    "gradient_flow": lambda found: found.values,
    "jacobian_spectrum": lambda found: found.singular_values,
    "connectivity": lambda found: found.values,
    "memory_retention": lambda found: found.by_example,
    "ablate_units": lambda found: found,
    "input_attribution": lambda found: found.values,
}
every_probe = pytest.mark.parametrize("name", OF_INPUTS)
every_probe_of_a_layer = pytest.mark.parametrize("name", OF_A_LAYER)

# ---------------------------------------------------------------------------------------------------- inputs and models

WRONG_INPUTS = {
    "nothing": (None, r"inputs is None; pass what model 'reader' takes, \(batch, time, …\)"),
    "no step": (X[:, :0], r"inputs have shape \(3, 0, 2\): not one time step.*Pass at least one"),
    "one sequence": (X[0], r"inputs have shape \(5, 2\); model 'reader' takes \(batch, any, 2\).*inputs\[None\]"),
    "another axis": (X[None], r"inputs have shape \(1, 3, 5, 2\); model 'reader' takes \(batch, any, 2\)"),
    "other features": (X[:, :, :1], r"inputs have shape \(3, 5, 1\); model 'reader' takes \(batch, any, 2\)"),
    "unequal rows": ([[[1.0, 2.0]], [[1.0, 2.0]] * 2], r"inputs are 2 rows of unequal length.*Pad them to one length"),
}


@every_probe
@pytest.mark.parametrize("case", WRONG_INPUTS)
def test_inputs_that_do_not_fit_are_refused_before_keras_sees_them(name, case, model):
    inputs, message = WRONG_INPUTS[case]
    with pytest.raises(ValueError, match=message):
        OF_INPUTS[name](model, inputs)


@every_probe
def test_what_is_no_model_is_refused(name):
    with pytest.raises(ValueError, match="model is str 'reader'; pass the built Keras model itself"):
        OF_INPUTS[name]("reader", X)


@every_probe_of_a_layer
def test_layers_that_are_not_there_or_there_twice_are_named(name, model):
    def inner(name):
        reader = layers.LSTM(2, return_sequences=True, name="rnn")
        return keras.Sequential([keras.Input((None, 2)), reader], name=name)

    pooled = layers.GlobalAveragePooling1D()
    twice = keras.Sequential([keras.Input((None, 2)), inner("a"), inner("b"), pooled], name="twice")
    flat = keras.Sequential([keras.Input((5, 2)), layers.Flatten()], name="flat")
    unbuilt = keras.Sequential([layers.LSTM(2)], name="unbuilt")
    for asked, message in (
        ((model, X, "no"), "has no recurrent layer 'no'; it has 'rnn'. Pass one of these"),
        ((twice, X, "rnn"), "several layers called 'rnn': 'a/rnn', 'b/rnn'. Pass the full path"),
        ((twice, X), "has 2 recurrent layers: 'a/rnn', 'b/rnn'. Pass one of these"),
        ((flat, X), "Model 'flat' has no recurrent layer"),
        ((unbuilt, X[:0]), "Model 'unbuilt' has no weights yet. Call it once"),
    ):
        with pytest.raises(ValueError, match=message):
            OF_A_LAYER[name](*asked)


# ------------------------------------------------------------------------------------------ other kinds and few of them

SAME_NUMBERS = {
    "int64": (np.array([[[1, 2], [0, -1]]]), float),
    "bool": (np.array([[[True, False], [False, True]]]), float),
    "object": (np.array([[[1, 2.5], [0.5, -1]]], dtype=object), float),
    "float16": (np.array([[[1, 2.5], [0.5, -1]]], "float16"), float),
    "rows": ([[[1.0, 2.5], [0.5, -1.0]]], float),
}


@every_probe
def test_inputs_of_another_type_give_the_numbers_of_the_same_floats(name, model):
    for inputs, plain in SAME_NUMBERS.values():
        found, expected = (NUMBERS[name](OF_INPUTS[name](model, each)) for each in (inputs, np.array(inputs, plain)))
        np.testing.assert_array_equal(found, expected)


@every_probe
def test_one_example_of_one_step_is_what_the_first_of_many_is_after_its_first(name, model):
    one = NUMBERS[name](OF_INPUTS[name](model, X[:1, :1]))
    assert len(one) == 1
    if name in ("trace", "ablate_units"):
        assert one.ravel() == pytest.approx(NUMBERS[name](OF_INPUTS[name](model, X[:, :1]))[0].ravel(), abs=1e-7)
    if name == "jacobian_spectrum":
        assert one.tolist() == [[[1, 1, 1]]]  # a state is its own Jacobian


@every_probe
@pytest.mark.parametrize("cell", [layers.LSTM, layers.GRU, OwnRNN])
def test_no_example_gives_no_number_or_is_said(name, cell):
    if name == "memory_retention":
        with pytest.raises(ValueError, match=r"padding in every example|is a custom cell"):
            retention(model_of(cell), X[:0])
    else:
        assert len(NUMBERS[name](OF_INPUTS[name](model_of(cell), X[:0]))) == 0


@every_probe
def test_an_example_of_nothing_but_padding_has_no_number_and_changes_none(name, tokens):
    found = NUMBERS[name](OF_INPUTS[name](tokens, np.array([[1, 2, 3], [0, 0, 0]])))
    alone = NUMBERS[name](OF_INPUTS[name](tokens, np.array([[1, 2, 3]])))
    share = 0.5 if name == "gradient_flow" else 1  # a mean over two examples instead of one
    empty = 0.0 if name in ("trace", "ablate_units") else np.nan
    assert found[0] == pytest.approx(share * alone[0], abs=1e-7)
    np.testing.assert_array_equal(found[1], np.full(found[1].shape, empty))


@pytest.mark.parametrize(
    ("cell", "policy", "tolerance"),
    [
        (layers.LSTM, "float16", 0.02),
        (layers.LSTM, "mixed_bfloat16", 0.1),
        (FusedLSTM, "mixed_float16", 0.02),
        (FusedLSTM, "float64", 1e-5),
    ],
)
def test_every_precision_gives_the_numbers_of_single_precision_as_near_as_it_can(cell, policy, tolerance, model):
    other = model_of(cell, dtype=policy)
    other.set_weights(model.get_weights())
    for name, probe in OF_INPUTS.items():
        found, expected = (NUMBERS[name](probe(each, X)) for each in (other, model))
        assert np.abs(np.asarray(found, float) - expected).max() < tolerance, name


# ------------------------------------------------------------------------------------------------------- not finite


def with_nan(array, place, value=np.nan):
    array = np.array(array, "float64")
    array[place] = value
    return array


def test_a_trace_shows_at_which_step_a_nan_came_in(model):
    hidden = probes.trace(model, with_nan(X, (1, 2, 0))).hidden
    assert np.isnan(hidden).any(-1).tolist() == [[False] * 5, [False, False, True, True, True], [False] * 5]


def test_a_nan_is_the_reason_why_there_is_no_number(model):
    bad = with_nan(X, (1, 2, 0))
    seen = probes.trace(model, bad)
    at = r"NaN or infinity at 3 real steps, first at step 2 of example 1"
    for probe in (probes.jacobian_spectrum, retention):
        with pytest.raises(ValueError, match=rf"The states hold {at}"):
            probe(model, bad)
    for probe, gate in ((probes.memory_half_life, "forget"), (probes.gate_saturation, "input")):
        with pytest.raises(ValueError, match=rf"The openings of the {gate} gate hold {at}"):
            probe(seen)
    with pytest.raises(ValueError, match=rf"states hold {at}"):
        probes.unit_concept_correlation(seen.hidden, np.arange(15).reshape(3, 5), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"concept hold NaN or infinity at 1 real steps"):
        probes.unit_concept_correlation(X, with_nan(np.arange(15).reshape(3, 5), (0, 0)), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=rf"The states hold {at}"):
        probes.project_states(seen.hidden)
    with pytest.raises(ValueError, match=r"importance hold NaN or infinity at 1 real steps"):
        probes.motif_position(with_nan(X[:, :, 0], (0, 0)), 2, mask=np.ones((3, 5), bool))
    for value in (np.nan, np.inf):
        with pytest.raises(
            ValueError, match=r"inputs hold NaN or infinity at 1 real steps, first at step 2 of example 1"
        ):
            probes.input_attribution(model, with_nan(X, (1, 2, 0), value))


def test_weights_that_have_run_away_are_named():
    lost = model_of(name="lost")
    for variable in lost.weights:
        variable.assign(np.full(variable.shape, np.nan))
    with pytest.raises(ValueError, match="recurrent weights hold NaN or infinity"):
        probes.recurrent_spectral_radius(lost)
    with pytest.raises(ValueError, match="Model 'lost' answers example 0 with a number that is not finite"):
        probes.input_attribution(lost, X)
    with pytest.raises(ValueError, match="Model 'lost' gives sequence 0 no finite score"):
        probes.in_silico_mutagenesis(lost, np.eye(2)[None])
    assert np.isnan(flow(lost, X).values).all()  # in a callback, training goes on and the history tells


# ------------------------------------------------------------------------------------------------ other things, options


def test_a_whole_result_is_refused_with_the_names_of_its_parts(model):
    seen, gradients = probes.trace(model, X), flow(model, X)
    for probe, given, message in (
        (probes.lag_profile, gradients, r"norms is a whole GradientFlow; pass one of its parts: \.norm\(\), \.values"),
        (probes.project_states, seen, r"states is a whole Trace; pass one of its parts: \.hidden, \.cell"),
        (probes.memory_half_life, gradients, r"trace is a GradientFlow; pass what rnn_course\.probes\.trace"),
        (probes.gate_saturation, seen.hidden, r"trace is a ndarray; pass what rnn_course\.probes\.trace"),
        (probes.lag_profile, [[1.0], [1.0, 2.0]], r"norms must hold numbers in equally long rows"),
        (probes.lag_profile, [[np.inf, 1.0]], r"norms hold infinity 1 times"),
    ):
        with pytest.raises(ValueError, match=message):
            probe(given)


def test_options_that_are_no_whole_number_or_fit_nothing_are_refused(model):
    several = keras.Model(model.input, [model.output, model.output])
    states = np.zeros((2, 3, 4))
    for call, message in (
        (lambda: probes.input_attribution(model, X, steps=0), "steps is 0; pass how many points"),
        (lambda: probes.input_attribution(model, X, steps=1.5), "steps is 1.5; pass how many points"),
        (lambda: probes.input_attribution(model, X, output="first"), "output is 'first'; model 'reader' has 1 outputs"),
        (lambda: probes.memory_retention(model, X, step=1.5), "step is 1.5; the sequences have steps 0 to 4"),
        (lambda: probes.memory_retention(model, X, step=0, lags=1.5), "lags is 1.5; pass a whole number"),
        (lambda: probes.ablate_units(model, X, [0], batch_size=0), "batch_size is 0; pass 1 or more"),
        (lambda: probes.jacobian_spectrum(model, X, method="hutchinson", probes=2.5), "probes is 2.5"),
        (lambda: probes.top_activating_contexts(states, 0.5), "There is no unit 0.5"),
        (lambda: probes.motif_position(np.zeros((1, 4)), 1.5), "width is 1.5"),
        (
            lambda: probes.gradient_flow(model, X, np.zeros((7, 1)), loss="mse"),
            r"targets are for \[7\] examples.*for 3",
        ),
        (lambda: probes.gradient_flow(several, X, Y, loss="mse"), "puts out 2 things and targets are 1"),
        (lambda: probes.gradient_flow(several, X, Y, loss=keras.losses.MeanSquaredError()), "puts out 2 things"),
        (
            lambda: probes.gradient_flow(model, X, Y, loss=keras.losses.MeanSquaredError),
            "loss is the class MeanSquared",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_of_several_outputs_a_function_picks_the_one_that_is_meant(model):
    several = keras.Model(model.input, [model.output, model.output])
    picked = probes.gradient_flow(several, X, Y, loss=lambda targets, outputs: (targets - outputs[1]) ** 2)
    np.testing.assert_allclose(picked.values, flow(model, X).values, atol=1e-7)


def test_numbers_that_a_model_embeds_in_no_way_are_refused_with_what_to_build():
    inputs = keras.Input((None,))
    flat = keras.Model(inputs, layers.Dense(1)(layers.LSTM(2)(layers.Reshape((-1, 1))(inputs))), name="flat")
    with pytest.raises(ValueError, match=r"'flat' takes \(batch, time\) and has no keras\.layers\.Embedding.*one-hot"):
        probes.input_attribution(flat, X[:, :, 0])


# --------------------------------------------------------------------------------------------------------- large things


def test_ten_thousand_steps_are_traced_and_their_pairs_refused_before_memory_is_taken():
    small, long = model_of(layers.SimpleRNN), np.zeros((1, 10_000, 2), "float32")
    begin = time.perf_counter()
    assert probes.trace(small, long).hidden.shape == (1, 10_000, 3)
    assert flow(small, long).norm().shape == (1, 10_000)
    with pytest.raises(
        ValueError, match=r"array \(1, 10000, 10000\) of float64, 0\.7 GiB, more than 0\.5\. Pass fewer"
    ):
        probes.connectivity(small, long)
    assert probes.jacobian_spectrum(small, long, method="hutchinson", probes=2).frobenius.shape == (1, 10_000)
    assert time.perf_counter() - begin < 60


def test_a_spectrum_too_large_for_the_memory_is_refused():
    wide = keras.Sequential([keras.Input((None, 1)), layers.SimpleRNN(600)])
    with pytest.raises(ValueError, match=r"\(800, 600, 600\) of float64, 2\.1 GiB, more than 2\. .*hutchinson"):
        probes.jacobian_spectrum(wide, np.zeros((1, 800, 1)))


def test_a_million_words_have_their_places_chances_and_candidates():
    words = Vocabulary(("", "<unk>", *(f"word {number}" for number in range(1_000_000))))
    assert words.encode(["word 999999", "nobody"]) == [1_000_001, 1]
    assert words.decode([1_000_001]) == ["word 999999"]
    chances = distribution(np.arange(1_000_000.0), top_k=2)
    assert np.flatnonzero(chances).tolist() == [999_998, 999_999]
    assert chances[-1] == pytest.approx(1 / (1 + np.exp(-1)))
    found = sample_candidates(np.array([[0, 999_999]]), vocabulary=1_000_000, size=50, rng=np.random.default_rng(0))
    assert len(found.ids) == 50 and found.ids[found.places].tolist() == [[0, 999_999]]


def test_numbers_beyond_their_type_are_no_other_numbers():
    every = np.arange(256).astype("uint8")
    assert macro_f1(every, every) == 1
    with pytest.raises(ValueError, match="too many to be numbered in 64 bits"):
        NGram.fit([0, 1, 2], order=2, size=2**62)


# ------------------------------------------------------------------------------------- frames, layers and streams


def test_frames_that_are_neither_on_nor_off_and_choices_that_are_no_key_are_refused():
    logits, choices = np.zeros((1, 2, 4)), np.array([[3, 0]])
    for call, message in (
        (lambda: list_choices([[np.nan, 1]], slots=2), "1 keys are NaN, neither on nor off"),
        (lambda: press_choices([[-1]], keys=4), "from -1 to -1; expected integers from 0, no further key, to 4"),
        (lambda: press_choices([[9]], keys=4), "from 9 to 9; expected integers"),
        (lambda: press_choices([[1.0]], keys=4), "are of type float64"),
        (lambda: choice_nats(logits, choices - 1), "from -1 to 2; expected integers from 0, no further key, to 3"),
        (lambda: choice_nats(logits, choices + 1), "from 1 to 4; expected integers"),
        (lambda: choice_nats(logits, choices[0]), r"logits \(1, 2, 4\) and choices \(2,\) do not fit"),
        (lambda: choice_nats(logits * np.nan, choices), "8 logits are NaN or infinite"),
        (lambda: key_nats(logits, np.ones((1, 2, 1))), r"logits \(1, 2, 4\) and frames \(1, 2, 1\)"),
        (lambda: key_nats(logits, logits + 0.5), "1 where a key sounds, else 0"),
        (lambda: key_nats(logits + np.inf, logits), "8 logits are NaN or infinite"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_clips_of_no_frame_keep_their_batch():
    assert FoldedTimeDistributed(layers.Dense(4))(X[:, :0]).shape == (3, 0, 4)


def test_a_stream_refuses_ids_without_a_vector_which_compiled_code_would_take_for_the_last_one(tokens, tmp_path):
    reader = keras.Sequential(
        [keras.Input((None,), dtype="int32"), layers.Embedding(4, 2), layers.LSTM(3, name="rnn"), layers.Dense(1)]
    )
    export_weights(reader, tmp_path / "weights.npz")
    for stream in (Stream(reader, block=2), NumpyStream.load(tmp_path / "weights.npz")):
        begin = stream.initial_state(1)
        for wrong in (4, -1, 2**40):
            with pytest.raises(ValueError, match=rf"Token ids \[{wrong}\] came; the model has vectors for 0 to 3"):
                stream.step(np.array([wrong]), begin)
            with pytest.raises(ValueError, match=rf"Token ids \[{wrong}\] came"):
                stream.run(np.array([[0, wrong]]), begin)
        with pytest.raises(ValueError, match=r"state is NoneType; pass the State that initial_state\(1\) makes"):
            stream.step(np.array([3]), None)


def test_a_stream_goes_on_from_a_nan_as_the_model_does_and_other_streams_beside_it_are_untouched():
    sensor = model_of(return_sequences=True)
    stream = Stream(sensor)
    bad = with_nan(X, (1, 2, 0)).astype("float32")
    y, _ = stream.run(bad, stream.initial_state(3))
    np.testing.assert_allclose(y, sensor.predict_on_batch(bad), atol=1e-6)
    assert np.isnan(y).any(-1).sum(axis=1).tolist() == [0, 3, 0]


# ------------------------------------------------------------------------------------------------------------ pictures

STATES = np.tanh(np.random.default_rng(1).normal(size=(6, 4)))
NORMS = np.exp(np.random.default_rng(2).normal(size=(3, 6)))
CONNECTED = np.tril(np.ones((6, 6)))
ROW = np.arange(6.0)
IMAGES = {
    "states": lambda values, ax: plots.plot_states(values, ax=ax),
    "gate image": lambda values, ax: plots.plot_gate_image(values, gate="candidate", ax=ax),
    "gate weights": lambda values, ax: plots.plot_gate_weights({"forget": values}, ax=ax),
    "activity": lambda values, ax: plots.plot_activity(values, ax=ax),
    "mutagenesis": lambda values, ax: plots.plot_mutagenesis(values, "ACGT", "ACGTAC", ax=ax),
}
LINES = {
    "units": lambda values, ax: plots.plot_unit_over_time(values[:, :2], ax=ax),
    "gates": lambda values, ax: plots.plot_gates({"forget": np.abs(values)}, ax=ax),
    "one gate": lambda values, ax: plots.plot_gates({"forget": np.abs(values)}, unit=1, ax=ax),
    "activity of a unit": lambda values, ax: plots.plot_activity(values[:, 1], ax=ax),
    "history": lambda values, ax: plots.plot_history({"loss": values[:, 1]}, ax=ax),
}


def new_axes():
    return Figure(figsize=(7, 3), layout="constrained").subplots()


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_cell_of_an_image_that_is_not_finite_is_hatched_and_not_the_color_of_zero(name, value):
    ax = IMAGES[name](with_nan(STATES, (2, 1), value), new_axes()) if (name, value) != ("mutagenesis", np.inf) else None
    if ax is None:
        with pytest.raises(ValueError, match="Row 2 holds an infinite number"):
            IMAGES[name](with_nan(STATES, (2, 1), value), new_axes())
        return
    shown = ax.images[0].get_array()
    assert np.ma.getmaskarray(shown).sum() == 1
    assert ax.patch.get_hatch() and ax.get_xlabel().endswith("hatched: not finite")
    assert IMAGES[name](STATES, new_axes()).patch.get_hatch() is None


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_line_has_a_gap_where_it_is_not_finite_and_says_so(name, value):
    ax = LINES[name](with_nan(STATES, (2, 1), value), new_axes())
    assert ax.get_xlabel().endswith("gap: not finite")
    assert "not finite" not in LINES[name](STATES, new_axes()).get_xlabel()
    assert not any(np.isinf(line.get_ydata()).any() and name == "gates" for line in ax.lines)


def test_a_line_that_ends_in_nan_keeps_its_name():
    for draw, name in (
        (lambda ax: plots.plot_unit_over_time(with_nan(STATES[:, :1], (5, 0)), labels=["unit 7"], ax=ax), "unit 7"),
        (lambda ax: plots.plot_gates({"forget": with_nan(np.abs(STATES), (5, 0))}, ax=ax), "forget"),
        (lambda ax: plots.plot_history({"loss": [2.0, 1.0, np.nan], "val_loss": [2.0, 1.5, 1.5]}, ax=ax), "training"),
    ):
        assert name in [text.get_text() for text in draw(new_axes()).texts]


def test_an_epoch_between_two_lost_ones_is_a_dot():
    ax = plots.plot_history({"loss": [1.0, np.nan, 2.0, np.nan, 3.0, 4.0]}, best=None, ax=new_axes())
    assert ax.lines[0].get_markevery() == [0, 2]


def test_sequences_without_a_number_are_not_counted():
    lost = with_nan(NORMS, 1)
    assert "n = 2 sequences" in plots.plot_gradient_flow({"LSTM": lost}, ax=new_axes()).get_xlabel()
    assert "n = 3 sequences" in plots.plot_gradient_flow({"LSTM": NORMS}, ax=new_axes()).get_xlabel()


def test_a_pair_of_steps_that_is_not_finite_is_no_pair_that_cannot_be():
    ax = plots.plot_connectivity(with_nan(CONNECTED, (3, 1)), ax=new_axes())
    (cell,) = ax.patches
    assert cell.get_xy() == (0.5, 2.5) and cell.get_hatch()
    assert ax.get_xlabel().endswith("hatched: not finite")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_steps_of_a_stream_without_a_number_are_hatched(value):
    lost = with_nan(ROW, 2, value)
    for ax in (
        plots.plot_surprise(lost, ax=new_axes()),
        plots.plot_forecast(lost, ROW, ROW, ax=new_axes()),
        plots.plot_forecast(ROW, lost, ROW, ax=new_axes()),
    ):
        (span,) = ax.patches
        assert (span.get_x(), span.get_width()) == (1.5, 1)
        assert ax.get_xlabel().endswith("hatched: not finite")
    assert not plots.plot_surprise(ROW, ax=new_axes()).patches


NOTHING = {
    "forecast": (lambda ax: plots.plot_forecast(ROW * np.nan, ROW, ROW, ax=ax), "No number of `values` is finite"),
    "surprise": (lambda ax: plots.plot_surprise(ROW * np.nan, ax=ax), "No number of `surprise` is finite"),
    "logo": (lambda ax: plots.plot_sequence_logo(STATES * np.nan, "ACGT", ax=ax), "Every number is NaN"),
    "mutagenesis": (lambda ax: plots.plot_mutagenesis(STATES * np.nan, "ACGT", "ACGTAC", ax=ax), "Every number is NaN"),
    "trajectories": (lambda ax: plots.plot_trajectories([], labels=[], ax=ax), "`points` holds no path"),
    "no trajectories": (lambda ax: plots.plot_trajectories(None, labels=[], ax=ax), "`points` holds no path"),
    "breakdown": (
        lambda ax: plots.plot_breakdown({"LSTM": [[1, 2], [np.nan] * 2]}, groups="ab", x="x", y="y", ax=ax),
        "no group with a number from every seed",
    ),
    "colors": (lambda ax: plots.plot_unit_over_time(np.zeros((3, 9)), ax=ax), "9 lines are more than the 5 colors"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_what_would_be_a_blank_picture_is_refused(name):
    draw, message = NOTHING[name]
    with pytest.raises(ValueError, match=message):
        draw(new_axes())


def test_the_gates_weights_are_drawn_part_by_part(model):
    weights = probes.gate_weights(model)
    with pytest.raises(ValueError, match=r"`weights\['input'\]` holds all weights of its gate; pass one part of each"):
        plots.plot_gate_weights(weights, ax=new_axes())
    kernels = {name: part.recurrent_kernel for name, part in weights.items()}
    assert plots.plot_gate_weights(kernels, ax=new_axes()).images[0].get_array().shape == (3, 12)


ONE_STEP = {
    "states": lambda ax: plots.plot_states(STATES[:1], ax=ax),
    "units": lambda ax: plots.plot_unit_over_time(STATES[:1], ax=ax),
    "gates": lambda ax: plots.plot_gates({"forget": np.abs(STATES[:1])}, ax=ax),
    "gradient flow": lambda ax: plots.plot_gradient_flow({"LSTM": NORMS[:, :1]}, against="lag", ax=ax),
    "connectivity": lambda ax: plots.plot_connectivity([[1.0]], ax=ax),
    "recognition": lambda ax: plots.plot_recognition([[0.3, 0.7]], ax=ax),
    "forecast": lambda ax: plots.plot_forecast([1.0], [1.0], [0.5], ax=ax),
    "surprise": lambda ax: plots.plot_surprise([1.0], ax=ax),
    "history": lambda ax: plots.plot_history({"loss": [1.0]}, ax=ax),
}


@pytest.mark.parametrize("name", ONE_STEP)
def test_one_single_step_stands_at_a_whole_number(name):
    ax = ONE_STEP[name](new_axes())
    ax.figure.draw_without_rendering()
    low, high = sorted(ax.get_xlim())
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert ticks and all(tick == int(tick) for tick in ticks)
    assert low < ticks[0] < high


def test_the_first_unit_stays_on_top_also_where_there_is_one_step_or_one_unit():
    for values in (STATES, STATES[:1], STATES[:, :1]):
        for draw in (IMAGES["states"], IMAGES["gate image"], IMAGES["activity"]):
            ax = draw(values, new_axes())
            bottom, top = ax.get_ylim()
            assert (bottom, top) == (values.shape[1] - 0.5, -0.5)
            np.testing.assert_array_equal(ax.images[0].get_array(), values.T)
