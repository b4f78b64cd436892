"""Exercises of lesson 01: weights that are shared, states that are stored, gradients that are checked."""

from dataclasses import dataclass

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def count_weights(kind, features, units):
    """Weights of a Keras layer, an integer; `kind` is "simple_rnn", "lstm" or "gru"."""
    blocks = {"simple_rnn": 1, "lstm": 4, "gru": 3}[kind]
    biases = 2 if kind == "gru" else 1  # Keras' GRU adds one to the input's side and one to the state's
    return blocks * units * (features + units + biases)


def _blocks(kind):
    return {"simple_rnn": 1, "lstm": 4, "gru": 3}[kind]


q1 = Exercise(
    asks="Write `count_weights(kind, features, units)`: weights and biases of a Keras layer, as `count_params` says.",
    starter="def count_weights(kind, features, units): ...",
    reference=count_weights,
    draw=lambda rng: (
        rng.choice(["simple_rnn", "lstm", "gru"]).item(),
        int(rng.integers(2, 9)),
        int(rng.integers(2, 9)),
    ),
    mistakes=(
        Mistake(
            lambda kind, features, units: _blocks(kind) * units * (features + units + 1),
            "every unit has one bias; Keras' GRU with `reset_after` has two. Look at the shape of its bias.",
        ),
        Mistake(
            lambda kind, features, units: _blocks(kind) * units * (features + units),
            "the biases were left out.",
        ),
        Mistake(
            lambda kind, features, units: units * (features + units + 1 + (kind == "gru")),
            "an LSTM and a GRU hold one such block for each gate and one for the candidate.",
        ),
        Mistake(
            lambda kind, features, units: _blocks(kind) * units * (features + 1 + (kind == "gru")),
            "the recurrent kernel is missing: every unit also reads every unit.",
        ),
        Mistake(
            lambda kind, features, units: (
                {"simple_rnn": 1, "lstm": 3, "gru": 2}[kind] * units * (features + units + 1 + (kind == "gru"))
            ),
            "the gates were counted, but not the candidate, which has weights like a gate.",
        ),
    ),
    hints=(
        "Write down the shapes of the kernel, the recurrent kernel and the bias of one layer, then add up.",
        "`keras.layers.GRU(5)`, built on `(None, None, 3)`: what is the shape of its last weight?",
    ),
    why="Each gate and the candidate read `features` inputs and `units` states, for every unit, and add a bias. The "
    "GRU of Keras resets after the product, so that the state's side has a bias of its own. The number of steps "
    "appears nowhere.",
)


def megabytes():
    """Of 500 steps of an LSTM with 128 units, batch 64, float32: states and gates that wait for the way back."""
    batch, time, units, bytes_each = 64, 500, 128, 4
    states_and_gates = 2 + 4  # hidden and cell; input, forget, candidate, output
    return batch * time * states_and_gates * units * bytes_each / 1e6


q2 = Exercise(
    asks="Predict the megabytes (millions of bytes) that states and gates of the LSTM take until the way back.",
    starter="my_prediction = ...",
    reference=megabytes,
    tolerance=0.02,
    mistakes=(
        Mistake(megabytes() / 500, "that is one step. The way back needs all of them."),
        Mistake(megabytes() / 64, "that is one row of the batch."),
        Mistake(megabytes() / 3, "the states are counted, the gates are not: their slopes need them, too."),
        Mistake(megabytes() * 2 / 3, "the gates are counted, the states h and c are not."),
        Mistake(megabytes() / 6, "that is the hidden state alone."),
        Mistake(megabytes() * 5 / 6, "one of the two states was left out; an LSTM carries h and c."),
        Mistake(megabytes() * 2, "that is float64, with eight bytes a number."),
        Mistake(megabytes() / 4, "those are millions of numbers; a float32 takes four bytes."),
        Mistake(megabytes() * 1e6, "those are bytes; a megabyte is a million of them."),
    ),
    hints=(
        "How many numbers of one unit must be remembered from one step?",
        "Two states and four gates, for each of the units, the steps and the rows; four bytes each.",
    ),
    why="The gradient at a step is a product with slopes that are taken at that step's states and gates, so they all "
    "wait until the way back comes by. This grows with the time, the weights do not.",
)


def numerical_gradient(loss, weights, step):
    """Central differences, in the shape of `weights` `(…)`; the weights end as they began."""
    found = np.empty_like(weights)
    for place in np.ndindex(weights.shape):
        kept = weights[place]
        weights[place] = kept + step
        above = loss(weights)
        weights[place] = kept - step
        below = loss(weights)
        weights[place] = kept
        found[place] = (above - below) / (2 * step)
    return found


@dataclass(frozen=True)
class CubeOfSum:
    """A loss whose slope along each weight depends on all of them: (Σ a_i w_i)³, with `factors` a `(…)`.

    Attributes:
        factors: a, `(…)`, as the weights.
    """

    factors: np.ndarray

    def __call__(self, weights):
        """The loss, a scalar, of weights `(…)`."""
        return np.sum(self.factors * weights) ** 3

    def __repr__(self):
        """How a check shows it."""
        return "a loss"


def _as_it_was(loss, weights, step):
    found = np.empty_like(weights)
    for place in np.ndindex(weights.shape):
        weights[place] += step
        above = loss(weights)
        weights[place] -= step
        below = loss(weights)
        found[place] = (above - below) / (2 * step)
    return found


def _left_behind(loss, weights, step):
    found = np.empty_like(weights)
    for place in np.ndindex(weights.shape):
        weights[place] += step
        above = loss(weights)
        weights[place] -= 2 * step
        below = loss(weights)
        found[place] = (above - below) / (2 * step)
    return found


q3 = Exercise(
    asks="Write `numerical_gradient(loss, weights, step)`: repaired central differences, in the shape of `weights`.",
    starter="def numerical_gradient(loss, weights, step): ...",
    reference=numerical_gradient,
    draw=lambda rng: (CubeOfSum(rng.uniform(0.5, 1.5, size=(2, 2))), rng.uniform(0.5, 1.5, size=(2, 2)), 0.1),
    mistakes=(
        Mistake(
            _as_it_was,
            "`weights[place] -= step` only takes the nudge back: `below` is not below, and the factor 2 "
            "halves what is left.",
        ),
        Mistake(
            lambda loss, weights, step: 2 * _as_it_was(loss, weights, step),
            "that is the one-sided difference. Its error shrinks with the step, that of two sides with its square.",
        ),
        Mistake(_left_behind, "after its turn a weight stays below: the next ones are measured somewhere else."),
        Mistake(
            lambda loss, weights, step: 2 * numerical_gradient(loss, weights, step),
            "twice too large: above and below lie two steps apart.",
        ),
        Mistake(
            lambda loss, weights, step: -numerical_gradient(loss, weights, step),
            "the sign is turned: above minus below.",
        ),
        Mistake(
            lambda loss, weights, step: np.full_like(
                weights, (loss(weights + step) - loss(weights - step)) / (2 * step)
            ),
            "all weights were nudged together; a gradient asks for one at a time.",
        ),
    ),
    hints=(
        "Print the weight before and after each line. Where does `below` look?",
        "Keep the weight in a variable; set it to kept + step, to kept - step, and to kept again.",
    ),
    why="(L(w + ε) - L(w - ε)) / 2ε errs by a multiple of ε², one side alone by a multiple of ε. The version "
    "handed to you gives half of the gradient: such a check sends you hunting through code that is right.",
)


def recurrent_kernel_gradient(hidden, output_gradients, recurrent_kernel):
    """∂L/∂U, `(units, units)`, of h_t = tanh(x_t W + h_{t-1} U + b), from states `(1 + time, units)`, h_0 first."""
    total = np.zeros_like(recurrent_kernel)
    later = np.zeros(len(recurrent_kernel))
    for t in reversed(range(len(output_gradients))):
        before, after = hidden[t], hidden[t + 1]
        delta = output_gradients[t] + later  # ∂L/∂h_t
        d_sum = delta * (1 - after**2)  # before the tanh
        total += np.outer(before, d_sum)
        later = recurrent_kernel @ d_sum
    return total


def _gradient(hidden, output_gradients, recurrent_kernel, *, back=None, slope=None, before=None, steps=None):
    """Back-propagation with one part exchanged for a mistake."""
    back = recurrent_kernel if back is None else back
    slope = 1 - hidden[1:] ** 2 if slope is None else slope
    before = hidden[:-1] if before is None else before
    total, later = np.zeros_like(recurrent_kernel), np.zeros(len(recurrent_kernel))
    for t in reversed(range(len(output_gradients))):
        d_sum = (output_gradients[t] + later) * slope[t]
        if steps is None or t >= len(output_gradients) - steps:
            total += np.outer(before[t], d_sum)
        later = back @ d_sum
    return total


def _draw_states(rng):
    time, units = int(rng.integers(3, 6)), 3
    return rng.uniform(-0.9, 0.9, (1 + time, units)), rng.normal(size=(time, units)), rng.normal(size=(units, units))


q4 = Exercise(
    asks="Write `recurrent_kernel_gradient(hidden, output_gradients, recurrent_kernel)`: ∂L/∂U, `(units, units)`.",
    starter="def recurrent_kernel_gradient(hidden, output_gradients, recurrent_kernel): ...",
    reference=recurrent_kernel_gradient,
    draw=_draw_states,
    mistakes=(
        Mistake(
            lambda hidden, output_gradients, recurrent_kernel: _gradient(
                hidden, output_gradients, recurrent_kernel, back=np.zeros_like(recurrent_kernel)
            ),
            "nothing comes back from later steps: this is the direct gradient, the wrong program of the lesson.",
        ),
        Mistake(
            lambda hidden, output_gradients, recurrent_kernel: _gradient(
                hidden, output_gradients, recurrent_kernel, back=recurrent_kernel.T
            ),
            "on the way back U is transposed. With h_t as a row, h_{t-1} U goes forward and U @ d_sum back.",
        ),
        Mistake(
            lambda hidden, output_gradients, recurrent_kernel: _gradient(
                hidden, output_gradients, recurrent_kernel, slope=1 - hidden[:-1] ** 2
            ),
            "the slope of the tanh at step t is 1 - h_t², not 1 - h_{t-1}². `hidden[0]` is h_0.",
        ),
        Mistake(
            lambda hidden, output_gradients, recurrent_kernel: _gradient(
                hidden, output_gradients, recurrent_kernel, slope=np.ones_like(output_gradients)
            ),
            "the slope of the tanh is missing.",
        ),
        Mistake(
            lambda hidden, output_gradients, recurrent_kernel: _gradient(
                hidden, output_gradients, recurrent_kernel, before=hidden[1:]
            ),
            "U multiplies the state BEFORE the step, h_{t-1}, so that is what stands in its gradient.",
        ),
        Mistake(
            lambda hidden, output_gradients, recurrent_kernel: _gradient(
                hidden, output_gradients, recurrent_kernel, steps=1
            ),
            "that is the share of the last step. Every step used U: add up their shares.",
        ),
        Mistake(
            lambda hidden, output_gradients, recurrent_kernel: (
                recurrent_kernel_gradient(hidden, output_gradients, recurrent_kernel).T
            ),
            "transposed: row i of U belongs to the unit that is read, column j to the one that reads.",
        ),
    ),
    hints=(
        "Walk from the last step to the first and carry one vector along: what the later steps say about h_t.",
        "At each step: add g_t to what was carried, multiply by 1 - h_t², take the outer product with h_{t-1}, and "
        "send U @ d_sum on to the step before.",
    ),
    why="δ_t = g_t + J_t^T δ_{t+1}, and U's gradient is the sum over steps of h_{t-1} times what arrives at the sum "
    "before the tanh. Every other cell only changes what stands in J.",
)


def complex_step_gradient(loss, weights):
    """Gradient in the shape of `weights` `(…)`, to the last digit, of a loss that takes complex numbers."""
    found = np.empty_like(weights)
    for place in np.ndindex(weights.shape):
        nudged = weights.astype(complex)
        nudged[place] += 1e-30j
        found[place] = loss(nudged).imag / 1e-30
    return found


def _all_at_once(loss, weights):
    return np.full_like(weights, loss(weights + 1e-30j).imag / 1e-30)


def _close_but_rounded(seen, loss, weights):
    return np.allclose(seen, complex_step_gradient(loss, weights), rtol=1e-3, atol=1e-3)


q5 = Exercise(
    asks="Write `complex_step_gradient(loss, weights)`: the gradient by imaginary nudges, right to twelve digits.",
    starter="def complex_step_gradient(loss, weights): ...",
    reference=complex_step_gradient,
    draw=lambda rng: (CubeOfSum(rng.uniform(0.5, 1.5, size=(2, 2))), rng.uniform(0.5, 1.5, size=(2, 2))),
    tolerance=1e-12,
    mistakes=(
        Mistake(
            lambda loss, weights: np.zeros_like(weights),
            "all is zero. The answer is in the imaginary part, and it wants to be divided by the step.",
        ),
        Mistake(_all_at_once, "all weights were nudged together; a gradient asks for one at a time."),
        Mistake(
            lambda loss, weights: numerical_gradient(loss, weights, 1e-6),
            "nearly: a difference of two close numbers rounds some digits away. Use no difference at all.",
            when=_close_but_rounded,
        ),
        Mistake(
            lambda loss, weights: -complex_step_gradient(loss, weights),
            "the sign is turned: nudge by +iε.",
        ),
        Mistake(
            lambda loss, weights: np.full_like(weights, loss(weights) / 1e-30),
            "that divides the loss itself by the step; its size is in the real part, the slope in the imaginary one.",
        ),
    ),
    hints=(
        "Write down the Taylor series of L(w + iε) up to ε². Which part holds the first derivative?",
        "The imaginary part of L(w + iε) is ε L'(w), with an error of ε³. Nothing is subtracted, so ε can be 1e-30.",
    ),
    why="L(w + iε) = L(w) + iε L'(w) - ε² L''(w)/2 - …: the derivative stands alone in the imaginary part. Without a "
    "difference there is nothing to cancel, and the right branch of the valley is gone (Squire and Trapp 1998). It "
    "needs a loss that NumPy can compute with complex numbers: tanh can, a comparison such as in relu cannot.",
)
