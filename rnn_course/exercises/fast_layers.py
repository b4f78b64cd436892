"""Exercises of lesson 20: counting products, one product for all steps, Amdahl's law, what must stay in a loop."""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def gru_training_cost(batch, time, features, units):
    """Multiply-adds in the matrix products of one training step of a GRU: an int."""
    forward = batch * time * 3 * units * (features + units)
    return 3 * forward


def _cost_with(passes=3, gates=3, inner=lambda features, units: features + units):
    """The count when passes, gates or what each gate reads are another."""
    return lambda batch, time, features, units: passes * batch * time * gates * units * inner(features, units)


q1 = Exercise(
    asks="Write `gru_training_cost(batch, time, features, units)`: multiply-adds of one training step of a GRU.",
    starter="def gru_training_cost(batch, time, features, units): ...",
    reference=gru_training_cost,
    draw=lambda rng: tuple(int(size) for size in rng.integers((2, 5, 5, 5), (9, 50, 40, 40))),
    mistakes=(
        Mistake(_cost_with(passes=1), "that is the way there alone; on the way back every product has two gradients."),
        Mistake(
            _cost_with(passes=2),
            "the way back costs twice the way there: a product has two factors, and each of them wants its gradient.",
        ),
        Mistake(_cost_with(gates=4), "four blocks make an LSTM; a GRU has two gates and a candidate."),
        Mistake(
            _cost_with(inner=lambda features, units: units),
            "the input has a kernel as well: each block reads x_t and h_{t-1}.",
        ),
        Mistake(
            lambda batch, time, features, units: gru_training_cost(batch, 1, features, units),
            "that is one time step; the sequence has `time` of them.",
        ),
        Mistake(
            lambda batch, time, features, units: gru_training_cost(1, time, features, units),
            "that is one sequence; the batch has `batch` of them.",
        ),
    ),
    hints=(
        "First the way there, for one sequence and one time step: three blocks, each reads x_t and h_{t-1}.",
        "A product A B has the gradients D Bᵀ and Aᵀ D, and each of them has as many multiply-adds as A B itself.",
    ),
    why="Three passes of the same size: the product, the gradient of what it multiplied, the gradient of the kernel. "
    "That a training step costs three times what a forward pass costs holds for every network of matrix products.",
)


def kernel_gradient(first, hidden, deltas):
    """Gradient of the recurrent kernel as one product.

    `first` is `(batch, units)`, `hidden` `(time, batch, units)`, `deltas` `(time, batch, gates * units)`; the result
    is `(units, gates * units)`.
    """
    before = np.concatenate([first[None], hidden[:-1]])  # (time, batch, units): h_0 … h_{T-1}
    return before.reshape(-1, first.shape[1]).T @ deltas.reshape(-1, deltas.shape[2])


def _draw_states(rng):
    time, batch, units = rng.integers(2, 5, size=3)
    shapes = (batch, units), (time, batch, units), (time, batch, 4 * units)
    return tuple(rng.normal(size=shape) for shape in shapes)


def _product_over_steps(hidden, deltas):
    return np.einsum("tbu,tbg->ug", hidden, deltas)


q2 = Exercise(
    asks="Write `kernel_gradient(first, hidden, deltas)`: the gradient of U, `(units, gates * units)`, in one product.",
    starter="def kernel_gradient(first, hidden, deltas): ...",
    reference=kernel_gradient,
    draw=_draw_states,
    mistakes=(
        Mistake(
            lambda first, hidden, deltas: _product_over_steps(hidden, deltas),
            "step t was paired with the state AFTER it; U multiplied the state before it, h_{t-1}.",
        ),
        Mistake(
            lambda first, hidden, deltas: _product_over_steps(hidden[:-1], deltas[1:]),
            "the first step is missing: it read the initial state, which need not be zero.",
        ),
        Mistake(
            lambda first, hidden, deltas: _product_over_steps(hidden[:-1], deltas[:-1]),
            "the lengths fit because the LAST step was cut off; the first state is what is missing.",
        ),
        Mistake(
            lambda first, hidden, deltas: _product_over_steps(np.concatenate([hidden[1:], first[None]]), deltas),
            "the states are shifted the wrong way: step t has met h_{t+1}.",
        ),
        Mistake(
            lambda first, hidden, deltas: kernel_gradient(first, hidden, deltas).T,
            "it is transposed: U is (units, gates * units), and its gradient has the shape of U.",
        ),
        Mistake(
            lambda first, hidden, deltas: kernel_gradient(first, hidden, deltas) / first.shape[0],
            "that is a mean over the batch; whether the loss is one, the deltas know already. Add up.",
        ),
        Mistake(
            lambda first, hidden, deltas: np.concatenate([first[None], hidden[:-1]]).transpose(0, 2, 1) @ deltas,
            "these are the shares of the single steps, (time, …); one product adds them up as well.",
        ),
    ),
    hints=(
        "Which state did U multiply at step t? Which one at the first step?",
        "Put `first` before `hidden` and drop the last state; then make (time, batch, …) into (time · batch, …).",
    ),
    why="A row of Hᵀ Δ adds up over all sequences and all steps: T small products and T sums are one product, in which "
    "nobody has to wait for anybody.",
)


def whole_speedup(share, factor):
    """How many times as fast the whole is when a share of its time is made `factor` times as fast; a scalar."""
    return 1 / (1 - share + share / factor)


q3 = Exercise(
    asks="Write `whole_speedup(share, factor)`: how many times as fast the whole becomes.",
    starter="def whole_speedup(share, factor): ...",
    reference=whole_speedup,
    draw=lambda rng: (rng.uniform(0.2, 0.8), rng.uniform(2.5, 9)),
    mistakes=(
        Mistake(
            lambda share, factor: 1 - share + share * factor,
            "times add up, speeds do not: the share has to be DIVIDED by the factor, and the sum is a time.",
        ),
        Mistake(
            lambda share, factor: 1 - share + share / factor,
            "that is the time that is left; how many times as fast is its reciprocal.",
        ),
        Mistake(
            lambda share, factor: 1 / (1 - share),
            "that is the limit: the part would have to take no time at all.",
        ),
        Mistake(lambda share, factor: factor, "the rest of the time stays as it was: only a share is made faster."),
        Mistake(lambda share, factor: factor / share, "the part that is NOT made faster counts as well."),
        Mistake(
            lambda share, factor: 1 / (share + (1 - share) / factor),
            "the shares are swapped: `share` is the part that is made faster.",
        ),
    ),
    hints=(
        "Let the whole take 1 before. How long does each of the two parts take afterwards?",
        "Afterwards: 1 - share, and share / factor. Divide the time before by the time after.",
    ),
    why="Amdahl (1967). Make a third of the time infinitely fast, and the whole is half as fast again: before "
    "anything is made faster, somebody has to measure the shares.",
)


def stays_in_the_loops(features, units):
    """Share of an LSTM's multiply-adds that no order of summation can take out of the loops; a scalar."""
    there, back = units, units  # for each gate's unit: h_{t-1} U on the way there, δ_t Uᵀ on the way back
    return (there + back) / (3 * (features + units))


q4 = Exercise(
    asks="Write `stays_in_the_loops(features, units)`: the share of the multiply-adds that must stay in the loops.",
    starter="def stays_in_the_loops(features, units): ...",
    reference=stays_in_the_loops,
    draw=lambda rng: (int(rng.integers(2, 40)), int(rng.integers(41, 90))),
    mistakes=(
        Mistake(
            lambda features, units: units / (features + units),
            "this counts the gradient of U as well, or the way there alone; Hᵀ Δ waits until the loop is over.",
        ),
        Mistake(
            lambda features, units: units / (3 * (features + units)),
            "there are two loops: on the way back δ_t Uᵀ is needed before the step before can be taken.",
        ),
        Mistake(
            lambda features, units: 1 - stays_in_the_loops(features, units),
            "that is the share that can leave.",
        ),
        Mistake(
            lambda features, units: 2 * features / (3 * (features + units)),
            "features and units are swapped: nothing of the input's products needs a state.",
        ),
        Mistake(
            lambda features, units: 2 / 3,
            "the products of the input leave the loops altogether, so the share depends on the sizes.",
        ),
    ),
    hints=(
        "Six products: x W, h U, and the gradients of x, W, h and U. Which of them must know the step before?",
        "Two of the six: h_{t-1} U and δ_t Uᵀ. The others can wait for all steps, or never needed the state.",
    ),
    why="h_{t-1} U needs the state before, δ_t Uᵀ hands on the gradient to it: two of six products are the recurrence. "
    "With many features and few units nearly everything can leave, with few features two thirds stay.",
)
