"""The fused recurrent layers against numbers worked out by hand and against Keras' own layers, gradients included."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_course.layers import FusedGRU, FusedLSTM, FusedSimpleRNN, fused
from rnn_course.probes import gradient_flow, trace
from rnn_course.streaming import NumpyStream, Stream, export_weights

KINDS = {
    "lstm": (keras.layers.LSTM, FusedLSTM, {}),
    "gru": (keras.layers.GRU, FusedGRU, {}),
    "early gru": (keras.layers.GRU, FusedGRU, {"reset_after": False}),
    "simple rnn": (keras.layers.SimpleRNN, FusedSimpleRNN, {}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
FEATURES, UNITS = 3, 2


def pair(kind, *, units=UNITS, features=FEATURES, **options):
    """Keras' layer and the fused one, built, with the same weights, all of them different."""
    *classes, own = KINDS[kind]
    layers = [layer(units, seed=5, **{"name": "recurrent", **own, **options}) for layer in classes]
    for layer in layers:
        layer.build((2, None, features))
        rng = np.random.default_rng(1)
        layer.set_weights([rng.normal(size=weight.shape) for weight in layer.get_weights()])
    return layers


def numbers(shape, dtype="float64", *, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), dtype)


def starting_states(kind, batch, dtype="float64", *, units=UNITS):
    return [numbers((batch, units), dtype, seed=seed) for seed in range(7, 9 if kind == "lstm" else 8)]


def outputs_and_gradients(layer, x, states=(), *, mask=None, training=True):
    """What a layer gives back, and the gradients of a sum of it, every number with another weight."""
    with tf.GradientTape() as tape:
        tape.watch([x, *states])
        outputs = tf.nest.flatten(layer(x, initial_state=list(states) or None, mask=mask, training=training))
        total = sum(tf.reduce_sum(out * weights_like(out)) for out in outputs)
    weights = [variable.value for variable in layer.trainable_variables]
    return outputs + tape.gradient(total, [x, *states, *weights], unconnected_gradients="zero")


def weights_like(out):
    return tf.cast(tf.reshape(tf.cos(tf.range(tf.size(out), dtype="float64")), tf.shape(out)), out.dtype)


def assert_equal(found, expected, tolerance=1e-10):
    assert len(found) == len(expected)
    for own, known in zip(found, expected, strict=True):
        np.testing.assert_allclose(np.asarray(own, "float64"), np.asarray(known, "float64"), atol=tolerance, rtol=0)


# --------------------------------------------------------------------------------------------------- known by hand


def without_weights(kind):
    _, layer = pair(kind, units=1, features=1, dtype="float64", return_state=True)
    layer.set_weights([np.zeros(weight.shape) for weight in layer.get_weights()])
    return layer


def test_an_lstm_that_forgets_half_and_adds_nothing_halves_its_cell():
    # All weights zero: every gate is 1/2 and the candidate 0, so c = 4/2 and h = tanh(2)/2, dh/dc_0 = (1 - tanh(2)²)/4.
    layer, cell = without_weights("lstm"), tf.constant([[4.0]], "float64")
    with tf.GradientTape() as tape:
        tape.watch(cell)
        output, hidden, last = layer(tf.ones((1, 1, 1), "float64"), initial_state=[tf.zeros_like(cell), cell])
    assert_equal([output, hidden, last], [[[np.tanh(2) / 2]], [[np.tanh(2) / 2]], [[2]]])
    assert_equal([tape.gradient(output, cell)], [[[(1 - np.tanh(2) ** 2) / 4]]])


@pytest.mark.parametrize("kind", ["gru", "early gru"])
def test_a_gru_that_keeps_half_and_adds_nothing_halves_its_state_at_every_step(kind):
    # All weights zero: z = 1/2 and the candidate 0. After three steps h = 8/8, and dh/dh_0 = 1/8.
    layer, state = without_weights(kind), tf.constant([[8.0]], "float64")
    with tf.GradientTape() as tape:
        tape.watch(state)
        output, _ = layer(tf.ones((1, 3, 1), "float64"), initial_state=[state])
    assert_equal([output, tape.gradient(output, state)], [[[1]], [[0.125]]])


def test_the_gradient_of_a_simple_rnn_shrinks_by_its_weight_and_the_slope_of_tanh_at_every_step():
    # W = 1, U = 1/2, b = 0 and inputs 1, 0: h_1 = tanh(1), h_2 = tanh(h_1 / 2). With s = 1 - h² at each step,
    # dh_2/dx_2 = s_2, dh_2/dx_1 = s_2 s_1 / 2, and dh_2/dU = s_2 h_1.
    _, layer = pair("simple rnn", units=1, features=1, dtype="float64")
    layer.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
    first, x = np.tanh(1), tf.constant([[[1.0], [0.0]]], "float64")
    second = np.tanh(first / 2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x)
    by_input, by_kernel = tape.gradient(output, [x, layer.cell.recurrent_kernel.value])
    slopes = 1 - first**2, 1 - second**2
    assert_equal([output], [[[second]]])
    assert_equal([by_input], [[[[slopes[1] * slopes[0] / 2], [slopes[1]]]]])
    assert_equal([by_kernel], [[[slopes[1] * first]]])


# ----------------------------------------------------------------------------------------------- equal to Keras' own

SWITCHES = ("go_backwards", "return_sequences", "return_state", "zero_output_for_mask", "use_bias")


@st.composite
def cases(draw):
    """Options of a layer, a batch, a mask of any pattern or none, and whether there are initial states."""
    options = {switch: draw(st.booleans()) for switch in SWITCHES}
    options |= {rate: draw(st.sampled_from([0.0, 0.4])) for rate in ("dropout", "recurrent_dropout")}
    batch, time = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    masks = st.lists(st.booleans(), min_size=batch * time, max_size=batch * time)
    mask = draw(st.none() | masks)
    mask = None if mask is None else np.reshape(mask, (batch, time))
    return options, batch, time, mask, draw(st.booleans()), draw(st.sampled_from(["float64", "float32"]))


@every_kind
@settings(derandomize=True, deadline=None, max_examples=25, database=None)
@given(case=cases())
def test_outputs_and_all_gradients_are_those_of_keras(kind, case):
    options, batch, time, mask, with_states, dtype = case
    x = numbers((batch, time, FEATURES), dtype)
    states = starting_states(kind, batch, dtype) if with_states else []
    expected, found = (
        outputs_and_gradients(layer, x, states, mask=mask) for layer in pair(kind, dtype=dtype, **options)
    )
    assert_equal(found, expected, TOLERANCE[dtype])


ALL_AT_ONCE = {"go_backwards": True, "return_sequences": True, "return_state": True}
MASK = np.array([[True, True, False, True], [False, True, True, False], [True, False, False, False]])


def in_function(layer, *, length, jit=None, batch=None, mask=MASK):
    """The outputs and gradients of a layer inside a `tf.function`, for a batch of three and four steps."""
    x = numbers((3, 4, FEATURES))
    states = starting_states("lstm" if isinstance(layer, keras.layers.LSTM) else "gru", 3)
    specs = [tf.TensorSpec((batch, length, FEATURES), "float64")] + [tf.TensorSpec((batch, UNITS), "float64")] * len(
        states
    )

    @tf.function(input_signature=specs, jit_compile=jit)
    def run(x, *states):
        return outputs_and_gradients(layer, x, states, mask=mask)

    return run(x, *states)


@every_kind
@pytest.mark.parametrize(("batch", "length"), [(None, 4), (None, None), (3, None)])
def test_a_graph_gives_the_numbers_of_keras_whatever_it_knows_of_the_shape(kind, batch, length):
    expected, found = pair(kind, dtype="float64", dropout=0.4, recurrent_dropout=0.4, **ALL_AT_ONCE)
    x, states = numbers((3, 4, FEATURES)), starting_states(kind, 3)
    assert_equal(in_function(found, length=length, batch=batch), outputs_and_gradients(expected, x, states, mask=MASK))


@every_kind
def test_a_compiled_model_gives_the_numbers_of_keras(kind):
    expected, found = pair(kind, dtype="float64", **ALL_AT_ONCE)
    x, states = numbers((3, 4, FEATURES)), starting_states(kind, 3)
    compiled = in_function(found, length=4, batch=3, jit=True)
    assert_equal(compiled, outputs_and_gradients(expected, x, states, mask=MASK))


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_batch_is_read_in_two_halves_of_any_size(batch):
    expected, found = pair("gru", dtype="float64")
    function = tf.function(found, input_signature=[tf.TensorSpec((None, 4, FEATURES), "float64")])
    x = numbers((batch, 4, FEATURES))
    assert_equal([function(x)], [expected(x)])


@every_kind
def test_a_stateful_layer_goes_on_where_it_stopped(kind):
    _, whole = pair(kind, dtype="float64", return_sequences=True)
    _, layer = pair(kind, dtype="float64", return_sequences=True, stateful=True)
    x = numbers((2, 6, FEATURES))
    chunks = [layer(x[:, :2]), layer(x[:, 2:])]
    assert_equal([tf.concat(chunks, axis=1)], [whole(x)])
    layer.reset_state()
    assert_equal([layer(x)], [whole(x)])


@every_kind
def test_bidirectional_reads_both_ways_as_with_keras(kind):
    both = [keras.layers.Bidirectional(layer) for layer in pair(kind, dtype="float64", return_sequences=True)]
    for wrapper in both:
        wrapper.build((3, 4, FEATURES))
    both[1].set_weights([np.random.default_rng(3).normal(size=weight.shape) for weight in both[0].get_weights()])
    both[0].set_weights(both[1].get_weights())
    x = numbers((3, 4, FEATURES))
    expected, found = (outputs_of_wrapper(wrapper, x) for wrapper in both)
    assert_equal(found, expected)


def outputs_of_wrapper(wrapper, x):
    with tf.GradientTape() as tape:
        outputs = wrapper(x, mask=tf.constant(MASK))
        total = tf.reduce_sum(outputs * weights_like(outputs))
    return [outputs, *tape.gradient(total, [variable.value for variable in wrapper.trainable_variables])]


@every_kind
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_computes_in_half_and_learns_in_full(kind, policy):
    half = policy.removeprefix("mixed_")
    layers = pair(kind, dtype=policy, return_sequences=True)
    expected, found = (outputs_and_gradients(layer, numbers((3, 4, FEATURES), half)) for layer in layers)
    assert found[0].dtype == half and found[-1].dtype == "float32"
    scale = max(np.abs(np.asarray(gradient, "float64")).max() for gradient in expected)
    assert_equal(found, expected, scale * (0.005 if half == "float16" else 0.04))  # a few steps of 2**-10 and of 2**-7


def test_training_goes_the_way_of_keras(double_precision):
    tokens = np.random.default_rng(0).integers(0, 5, (10, 6))  # 0 is padding, in any place
    trained = []
    for kind in (keras.layers.LSTM, FusedLSTM):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.layers.Embedding(5, 4, mask_zero=True), kind(3), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(tokens, tokens.mean(axis=1), batch_size=4, epochs=2, verbose=0)
        trained.append(model.get_weights())
    assert_equal(trained[1], trained[0])


# ------------------------------------------------------------------------------------------- derivatives of derivatives


def second_derivatives(layer, x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            total = tf.reduce_sum(layer(x) ** 2)
        weights = [variable.value for variable in layer.trainable_variables]
        cubes = sum(tf.reduce_sum(gradient**3) for gradient in inner.gradient(total, [x, *weights]))
    return outer.gradient(cubes, [x, *weights])


@every_kind
@pytest.mark.parametrize("wrap", [lambda function: function, tf.function], ids=["eager", "graph"])
def test_second_derivatives_are_those_of_keras(kind, wrap):
    expected, found = pair(kind, dtype="float64", return_sequences=True)
    x = numbers((2, 3, FEATURES))
    assert_equal(wrap(lambda x: second_derivatives(found, x))(x), second_derivatives(expected, x), 1e-8)


def jacobian(layer, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x)
    return tape.jacobian(output, x)


def hessian(layer, x):
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            total = tf.reduce_sum(layer(x) ** 2)
        gradient = inner.gradient(total, x)
    return outer.jacobian(gradient, x)


@every_kind
@pytest.mark.parametrize("derivative", [jacobian, hessian])
def test_vectorized_jacobians_and_hessians_are_those_of_keras(kind, derivative):
    expected, found = pair(kind, dtype="float64")
    x = numbers((1, 2, FEATURES))
    assert_equal([derivative(found, x)], [derivative(expected, x)])


def test_a_forward_accumulator_is_refused_in_words():
    _, layer = pair("lstm")
    x = numbers((1, 2, FEATURES), "float32")
    with (
        pytest.raises(NotImplementedError, match="none for a ForwardAccumulator"),
        tf.autodiff.ForwardAccumulator(x, tf.ones_like(x)),
    ):
        layer(x)


# --------------------------------------------------------------------------------------------- what is done how often


def products_in(nodes):
    return [node.op for node in nodes if "MatMul" in node.op]


def graph_of_a_step(layer, *, batch, length):
    spec = tf.TensorSpec((batch, length, FEATURES))
    return tf.function(lambda x: outputs_and_gradients(layer, x)).get_concrete_function(spec).graph.as_graph_def()


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple rnn"])
def test_a_step_takes_one_product_and_all_other_products_are_taken_once(kind):
    # There: the projection of the inputs. Back: the gradients of both kernels and of the inputs. A step: h U, or d Uᵀ.
    _, layer = pair(kind)
    graph = graph_of_a_step(layer, batch=1, length=5)  # a batch of one has no halves
    bodies = [function.node_def for function in graph.library.function if "while_body" in function.signature.name]
    assert [products_in(body) for body in bodies] == [["MatMul"], ["MatMul"]]
    assert products_in(graph.node) == ["MatMul"] * 4


@pytest.mark.parametrize(
    ("batch", "length", "loops"), [(4, 5, 4), (None, 5, 4), (1, 5, 2), (4, None, 0), (None, None, 0)]
)
def test_of_a_known_length_each_half_of_a_batch_has_compiled_loops_there_and_back(batch, length, loops):
    graph = graph_of_a_step(pair("gru")[1], batch=batch, length=length)
    compiled = {function.signature.name for function in graph.library.function if "_XlaMustCompile" in function.attr}
    called = [node.attr["f"].func.name for node in graph.node if "PartitionedCall" in node.op]
    assert len([name for name in called if name in compiled]) == loops


# ------------------------------------------------------------------------------------------------------ stepping aside


@pytest.fixture
def calls(monkeypatch):
    """Counts how often the quick way is taken."""
    taken = []
    own = fused.read
    monkeypatch.setattr(fused, "read", lambda *args, **options: taken.append(1) or own(*args, **options))
    return taken


@every_kind
def test_the_usual_options_take_the_quick_way(kind, calls):
    _, layer = pair(kind)
    layer(numbers((1, 2, FEATURES), "float32"))
    assert calls == [1]


ASIDE = [
    *itertools.product(KINDS, [{"activation": "relu"}, {"activation": None}, {"unroll": True}]),
    *itertools.product(("lstm", "gru", "early gru"), [{"recurrent_activation": "hard_sigmoid"}]),
]


@pytest.mark.parametrize(("kind", "options"), ASIDE)
def test_options_that_are_not_covered_get_the_loop_of_keras(kind, options, calls):
    expected, found = pair(kind, dtype="float64", **options)
    x = numbers((2, 3, FEATURES))
    assert_equal(outputs_and_gradients(found, x), outputs_and_gradients(expected, x))
    assert calls == []


@every_kind
def test_to_drop_everything_is_left_to_keras(kind):
    covered = [fused.is_covered(pair(kind, dropout=rate)[1], numbers((2, 3, FEATURES))) for rate in (0.9, 1.0)]
    assert covered == [True, False]


@pytest.mark.parametrize(("length", "taken"), [(3, 1), (None, 0)])
def test_in_a_graph_only_a_known_length_takes_the_quick_way(length, taken, calls):
    _, layer = pair("lstm")
    tf.function(layer).get_concrete_function(tf.TensorSpec((2, length, FEATURES)))
    assert len(calls) == taken


def test_a_gpu_is_left_to_cudnn(monkeypatch):
    _, layer = pair("lstm")
    assert fused.is_covered(layer, numbers((2, 3, FEATURES)))
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    assert not fused.is_covered(layer, numbers((2, 3, FEATURES)))


def test_another_backend_gets_the_loop_of_keras(monkeypatch):
    _, layer = pair("lstm")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert not fused.is_covered(layer, numbers((2, 3, FEATURES)))


def test_who_insists_on_cudnn_hears_from_keras_that_there_is_none():
    layer = FusedLSTM(2, use_cudnn=True)
    with pytest.raises(ValueError, match="use_cudnn=True was specified"):
        layer(numbers((1, 2, FEATURES), "float32"))


# ---------------------------------------------------------------------------------------------------- saved and loaded


@every_kind
def test_it_is_the_layer_of_keras_by_class_and_by_config(kind):
    stock, layer = pair(kind, dropout=0.2, go_backwards=True)
    assert isinstance(layer, type(stock))
    assert layer.get_config() == stock.get_config()
    assert [weight.path for weight in layer.weights] == [weight.path for weight in stock.weights]
    assert type(type(layer).from_config(stock.get_config())) is type(layer)


@every_kind
def test_a_saved_model_comes_back_with_its_fused_layer(kind, tmp_path):
    _, layer = pair(kind)
    model = keras.Sequential([keras.Input((None, FEATURES)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is type(layer)
    x = numbers((2, 3, FEATURES), "float32")
    assert_equal([loaded(x)], [model(x)])


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple rnn"])
@pytest.mark.parametrize("shape", [(2, 4), (3, 5), (2, 4, 1)])
def test_a_mask_of_another_shape_is_refused_eagerly_and_in_a_graph(kind, shape):
    _, layer = pair(kind)
    x, mask = numbers((2, 5, FEATURES), "float32"), tf.ones(shape, "bool")
    for call in (layer, tf.function(layer)):
        with pytest.raises(
            ValueError, match=r"The mask has shape \([23], [45].*, the sequences \(2, 5, 3\); pass a mask"
        ):
            call(x, mask=mask)


@every_kind
@pytest.mark.parametrize("way", [1, -1], ids=["from Keras", "to Keras"])
def test_weights_load_both_ways(kind, way, tmp_path):
    source, target = (keras.Sequential([keras.Input((None, FEATURES)), layer]) for layer in pair(kind)[::way])
    source.save_weights(tmp_path / "model.weights.h5")
    target.set_weights([np.zeros(weight.shape) for weight in target.get_weights()])
    target.load_weights(tmp_path / "model.weights.h5")
    assert_equal(target.get_weights(), source.get_weights(), 0)


# --------------------------------------------------------------------------------------------------- under the probes


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple rnn"])
def test_probes_see_a_fused_layer_as_the_layer_of_keras(kind):
    steps, targets = np.asarray(numbers((2, 5, FEATURES), "float32")), np.zeros((2, UNITS), "float32")
    found = []
    for layer in pair(kind, return_sequences=True):
        inputs = keras.Input((None, FEATURES))
        model = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(layer(inputs)))
        flow = gradient_flow(model, steps, targets, loss="mse")
        found.append((trace(model, steps), flow.values))
    (own, own_gradients), (known, known_gradients) = found
    assert own.cell_type == known.cell_type
    assert_equal([own.hidden, own_gradients], [known.hidden, known_gradients], 1e-6)


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple rnn"])
def test_a_fused_layer_streams_step_by_step_with_and_without_tensorflow(kind, tmp_path):
    steps = np.asarray(numbers((1, 5, FEATURES), "float32"))
    _, layer = pair(kind, return_sequences=True)
    inputs = keras.Input((None, FEATURES))
    model = keras.Model(inputs, layer(inputs))
    export_weights(model, tmp_path / "weights.npz")
    for stream in (Stream(model), NumpyStream.load(tmp_path / "weights.npz")):
        state, answers = stream.initial_state(1), []
        for t in range(5):
            answer, state = stream.step(steps[:, t], state)
            answers.append(np.asarray(answer))
        np.testing.assert_allclose(np.stack(answers, axis=1), model(steps), atol=1e-5)
