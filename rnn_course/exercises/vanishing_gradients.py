"""Exercises of lesson 02: gradients along a chain of steps, biases that remember, and clipping."""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def gradient_at_lag(recurrent_kernel, readout, lag):
    """∂L/∂h_{T-lag} `(units,)` of h_t = h_{t-1} U + x_t W with L = h_T · v; U `(units, units)`, v `(units,)`."""
    gradient = readout
    for _ in range(lag):
        gradient = recurrent_kernel @ gradient
    return gradient


def _draw_linear(rng):
    return rng.normal(scale=0.7, size=(3, 3)), rng.normal(size=3), int(rng.integers(2, 6))


q1 = Exercise(
    asks="Write `gradient_at_lag(recurrent_kernel, readout, lag)`: ∂L/∂h_{T-lag}, `(units,)`, of the linear network.",
    starter="def gradient_at_lag(recurrent_kernel, readout, lag): ...",
    reference=gradient_at_lag,
    draw=_draw_linear,
    mistakes=(
        Mistake(
            lambda kernel, v, lag: kernel**lag @ v,
            "`kernel**lag` raises each entry on its own; a matrix power is wanted.",
        ),
        Mistake(
            lambda kernel, v, lag: np.linalg.matrix_power(kernel.T, lag) @ v,
            "U is the wrong way round. In Keras' layout the state stands left of U, h U: which side does v come from?",
        ),
        Mistake(
            lambda kernel, v, lag: np.linalg.matrix_power(kernel, lag - 1) @ v, "one step too few: lag 0 is h_T itself."
        ),
        Mistake(
            lambda kernel, v, lag: np.linalg.matrix_power(kernel, lag + 1) @ v,
            "one step too many: lag 0 is h_T itself.",
        ),
        Mistake(
            lambda kernel, v, lag: np.abs(np.linalg.eigvals(kernel)).max() ** lag * v,
            "the spectral radius says how fast the size goes in the long run; the direction changes at every step.",
        ),
        Mistake(
            lambda kernel, v, lag: v, "that is the gradient at h_T; nothing has been taken back through a step yet."
        ),
    ),
    hints=(
        "Write h_T as h_{T-1} U + …, then L as h_{T-1} times something. What stands behind h_{T-1}?",
        "L = h_{T-1} U v + …, so the gradient at lag 1 is U v. And at lag 2?",
    ),
    why="Going forward the state is multiplied by U from the right; going back the gradient is multiplied by U from "
    "the left, once a step: U^lag v. How long that vector is depends on v too, unless U is orthogonal.",
)


def total_gradient(direct, jacobians):
    """δ_t = g_t + J_tᵀ δ_{t+1} `(time, units)` from g `(time, units)` and J `(time - 1, units, units)`."""
    total = direct.copy()
    for t in reversed(range(len(direct) - 1)):
        total[t] += jacobians[t].T @ total[t + 1]
    return total


def _total_with(step):
    """The same way back, but with `total[t] = step(direct, jacobians, total, t)`; shapes as in `total_gradient`."""

    def total_gradient(direct, jacobians):
        total = direct.copy()
        for t in reversed(range(len(direct) - 1)):
            total[t] = step(direct, jacobians, total, t)
        return total

    return total_gradient


q2 = Exercise(
    asks="Write `total_gradient(direct, jacobians)`: δ_t for all t, `(time, units)`, with the faults repaired.",
    starter="def total_gradient(direct, jacobians): ...",
    reference=total_gradient,
    draw=lambda rng: (rng.normal(size=(5, 2)), rng.normal(size=(4, 2, 2))),
    mistakes=(
        Mistake(
            _total_with(lambda g, jacobians, total, t: g[t] + jacobians[t].T @ g[t + 1]),
            "the way back still ends after one step. From the right must come a finished δ_{t+1}, not g_{t+1}: "
            "that asks for another array and for another order of the loop.",
        ),
        Mistake(
            _total_with(lambda g, jacobians, total, t: g[t] + jacobians[t] @ total[t + 1]),
            "J is not transposed: J[t][i, j] = ∂h_{t+1, i} / ∂h_{t, j} sums over i.",
        ),
        Mistake(
            _total_with(lambda g, jacobians, total, t: jacobians[t].T @ total[t + 1]),
            "g_t is lost: the loss may see h_t at once, as well as through later steps.",
        ),
        Mistake(lambda direct, jacobians: direct, "that is the direct gradient: no way through a later step is in it."),
    ),
    hints=(
        "Let the loss see the last step alone. Which δ_t does the code leave at zero, and which should be zero?",
        "There are two faults: the direction in which the loop runs, and what is multiplied by the Jacobian.",
    ),
    why="δ_{t+1} holds everything the loss knows about h_{t+1}, so one product more gives all ways through step "
    "t + 1. The loop must come from the end, where δ_T = g_T is known.",
)


def forget_bias(half_life):
    """Bias b with sigmoid(b)**half_life = 1/2; a scalar from a scalar."""
    keep = 0.5 ** (1 / half_life)
    return np.log(keep / (1 - keep))


q3 = Exercise(
    asks="Write `forget_bias(half_life)`: the bias at which an LSTM's cell, fed nothing, halves in `half_life` steps.",
    starter="def forget_bias(half_life): ...",
    reference=forget_bias,
    draw=lambda rng: (rng.uniform(2, 500),),
    mistakes=(
        Mistake(lambda n: 0.5 ** (1 / n), "that is the opening f of the gate; which bias puts the sigmoid there?"),
        Mistake(lambda n: -forget_bias(n), "the sign is turned: a gate that keeps for long must be open, b > 0."),
        Mistake(
            lambda n: np.log(np.exp(-1 / n) / (1 - np.exp(-1 / n))), "that is the time to fall to 1/e, not to one half."
        ),
        Mistake(lambda n: np.log(n - 1), "close for long memories: f = 1 - 1/n falls to 1/e in n steps, not to 1/2."),
        Mistake(lambda n: np.log(n), "the right order of size; now solve sigmoid(b)**half_life = 1/2 exactly."),
    ),
    hints=(
        "With zeros coming in, c_t = f c_{t-1}. Which f leaves one half after `half_life` steps?",
        "f = 0.5**(1 / half_life). The sigmoid's inverse is log(f / (1 - f)).",
    ),
    why="f**n = 1/2 gives f, and the logit of f is the bias. For n steps it is close to log(n / log 2): ten times the "
    "memory costs only 2.3 more of bias, which is why a small shift opens a gate over hundreds of steps.",
)


def clip_together(gradients, limit):
    """Scale a list of arrays `(…)` so that their common Euclidean norm is at most `limit`; shorter ones stay."""
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return [gradient * min(1, limit / norm) for gradient in gradients]


def _clip_each(gradients, limit):
    return [gradient * min(1, limit / np.linalg.norm(gradient)) for gradient in gradients]


def _clip_always(gradients, limit):
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    return [gradient * limit / norm for gradient in gradients]


def _clip_by_sum_of_norms(gradients, limit):
    norm = sum(np.linalg.norm(gradient) for gradient in gradients)
    return [gradient * min(1, limit / norm) for gradient in gradients]


def _clip_by_square(gradients, limit):
    square = sum((gradient**2).sum() for gradient in gradients)
    return [gradient * min(1, limit / square) for gradient in gradients]


def _draw_gradients(rng):
    size = rng.choice([0.1, 3.0])
    return [rng.normal(scale=size, size=shape) for shape in ((2, 3), (3, 3), (3,))], 1.5


q4 = Exercise(
    asks="Write `clip_together(gradients, limit)`: a list of arrays whose common norm is at most `limit`.",
    starter="def clip_together(gradients, limit): ...",
    reference=clip_together,
    draw=_draw_gradients,
    mistakes=(
        Mistake(_clip_each, "each array was clipped on its own (Keras' `clipnorm`), which turns the whole step aside."),
        Mistake(
            lambda gradients, limit: [np.clip(gradient, -limit, limit) for gradient in gradients],
            "that clips every number (Keras' `clipvalue`): the direction changes.",
        ),
        Mistake(_clip_always, "gradients below the limit were stretched up to it; they are to stay as they are."),
        Mistake(_clip_by_sum_of_norms, "norms do not add: square all numbers, add, and take one root."),
        Mistake(_clip_by_square, "the root is missing: the scale is limit over the norm, not over its square."),
    ),
    hints=(
        "Think of all arrays laid end to end as one long vector. How long is it?",
        "One factor for all: min(1, limit / norm).",
    ),
    why="One factor for all arrays keeps the direction of the step and bounds its length (Pascanu, Mikolov and Bengio "
    "2013). Keras calls it `global_clipnorm`; its `clipnorm` clips each weight array on its own.",
)
