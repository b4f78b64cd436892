"""Exercises of lesson 03: one LSTM step, a pinned GRU, blocks in another order, half-lives, and a counter by hand."""

import numpy as np

from rnn_course import reference
from rnn_course.exercises.exercise import Exercise, Mistake


def sigmoid(x):
    """Logistic function of an array `(…)`."""
    return 1 / (1 + np.exp(-x))


def lstm_step(x, hidden, memory, kernel, recurrent_kernel, bias):
    """One LSTM step, from x_t, h_{t-1} and c_{t-1} to (h_t, c_t), in Keras' layout: blocks i, f, candidate, o."""
    i, f, candidate, o = np.split(x @ kernel + hidden @ recurrent_kernel + bias, 4)
    memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(memory), memory


def _draw_step(rng):
    features, units = rng.integers(2, 4), rng.integers(2, 4)
    x, hidden, memory = rng.normal(size=features), rng.uniform(-0.9, 0.9, size=units), rng.normal(size=units)
    kernel, recurrent = rng.normal(size=(features, 4 * units)), rng.normal(size=(units, 4 * units))
    return x, hidden, memory, kernel, recurrent, rng.normal(size=4 * units)


def _step_with(order="ifco", squash=np.tanh, bound=np.tanh, remembers=True):
    """An LSTM step with something wrong: the blocks' order, an activation, or no recurrent connection."""

    def step(x, hidden, memory, kernel, recurrent_kernel, bias):
        sums = x @ kernel + bias + (hidden @ recurrent_kernel if remembers else 0)
        blocks = dict(zip(order, np.split(sums, 4), strict=True))
        memory = sigmoid(blocks["f"]) * memory + sigmoid(blocks["i"]) * squash(blocks["c"])
        return sigmoid(blocks["o"]) * bound(memory), memory

    return step


def _interleaved(x, hidden, memory, kernel, recurrent_kernel, bias):
    sums = x @ kernel + hidden @ recurrent_kernel + bias
    i, f, candidate, o = (sums[k::4] for k in range(4))
    memory = sigmoid(f) * memory + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(memory), memory


def _from_the_old_memory(x, hidden, memory, *weights):
    o = sigmoid(np.split(x @ weights[0] + hidden @ weights[1] + weights[2], 4)[3])
    return o * np.tanh(memory), lstm_step(x, hidden, memory, *weights)[1]


q1 = Exercise(
    asks="Write `lstm_step(x, hidden, memory, kernel, recurrent_kernel, bias)`: one step, returning (h_t, c_t).",
    starter="def lstm_step(x, hidden, memory, kernel, recurrent_kernel, bias): ...",
    reference=lstm_step,
    draw=_draw_step,
    mistakes=(
        Mistake(_step_with("ifoc"), "the third block of Keras is the candidate and the fourth the output gate."),
        Mistake(_step_with("fico"), "the input gate comes first in Keras, then the forget gate."),
        Mistake(_step_with(squash=sigmoid), "the candidate is a proposal between -1 and 1: tanh, not a sigmoid."),
        Mistake(_step_with(bound=lambda c: c), "tanh is missing between the memory and the state: h = o tanh(c)."),
        Mistake(_step_with(remembers=False), "the gates must also see the state before: hidden @ recurrent_kernel."),
        Mistake(_from_the_old_memory, "h_t shows the NEW memory: compute c_t first."),
        Mistake(_interleaved, "each gate is one block of neighboring columns, not every fourth column."),
        Mistake(lambda *inputs: lstm_step(*inputs)[::-1], "the order is (h_t, c_t): the state first, then the memory."),
    ),
    hints=(
        "One sum, x W + h U + b, holds all four blocks side by side. Cut it in four.",
        "The blocks are i, f, candidate, o. Sigmoids for i, f, o; tanh for the candidate and for c_t on its way out.",
    ),
    why="The blocks lie side by side so that one matrix product serves all gates. The memory is the only line without "
    "a matrix in it, and that is the point of the cell.",
)


def pinned_gru(start, z, candidate, steps):
    """State of a GRU unit after `steps` steps with its update gate pinned at z and its candidate fixed; a scalar."""
    left = z**steps
    return left * start + (1 - left) * candidate


q2 = Exercise(
    asks="Write `pinned_gru(start, z, candidate, steps)`: the state after `steps` steps with both fixed.",
    starter="def pinned_gru(start, z, candidate, steps): ...",
    reference=pinned_gru,
    draw=lambda rng: (
        rng.uniform(-0.9, -0.1),
        rng.uniform(0.55, 0.95),
        rng.uniform(0.2, 0.9),
        int(rng.integers(3, 12)),
    ),
    mistakes=(
        Mistake(
            lambda start, z, candidate, steps: pinned_gru(start, 1 - z, candidate, steps),
            "in Keras z = 1 KEEPS the old state; this is the convention in which it replaces it.",
        ),
        Mistake(
            lambda start, z, candidate, steps: z**steps * start,
            "the old state fades like this, but at every step a share of 1 - z of the candidate comes in.",
        ),
        Mistake(
            lambda start, z, candidate, steps: z * start + (1 - z) * candidate,
            "that is one step; the next one starts from its result.",
        ),
        Mistake(
            lambda start, z, candidate, steps: z**steps * start + steps * (1 - z) * candidate,
            "what came in at one step fades at the next ones too: it does not add up.",
        ),
        Mistake(
            lambda start, z, candidate, steps: pinned_gru(start, z, candidate, steps - 1),
            "that is one step too few.",
        ),
        Mistake(
            lambda start, z, candidate, steps: start + (1 - z**steps) * candidate,
            "what comes in takes the place of what was there: both shares add up to one.",
        ),
    ),
    hints=(
        "Write down two steps of h = z h + (1 - z) h̃ and collect what stands before the start.",
        "What stands before the start is z to the power of the steps; all weights together are 1.",
    ),
    why="The state lies between where it was and the candidate, and the distance shrinks by z at every step. So a "
    "GRU's state is bounded by its candidates, whatever it reads: it cannot add one for ever.",
)


def to_keras_order(kernel):
    """Put the columns of an LSTM kernel `(features, 4 * units)` from i, o, f, candidate into i, f, candidate, o."""
    i, o, f, candidate = np.split(kernel, 4, axis=1)
    return np.concatenate([i, f, candidate, o], axis=1)


def _reordered(*places):
    return lambda kernel: np.concatenate([np.split(kernel, 4, axis=1)[place] for place in places], axis=1)


q3 = Exercise(
    asks="Write `to_keras_order(kernel)`: the same kernel, its blocks i, o, f, candidate put into Keras' order.",
    starter="def to_keras_order(kernel): ...",
    reference=to_keras_order,
    draw=lambda rng: (rng.normal(size=(rng.integers(2, 4), 4 * rng.integers(2, 4))),),
    mistakes=(
        Mistake(lambda kernel: kernel, "nothing has moved: Keras would take the output gate for the forget gate."),
        Mistake(
            _reordered(0, 3, 1, 2),
            "this is the way back, from Keras' order to theirs: the second block must be the one that was third.",
        ),
        Mistake(_reordered(0, 2, 1, 3), "f is in its place now, but the candidate and the output gate are not."),
        Mistake(_reordered(0, 1, 3, 2), "the last two have changed places, but o still stands where f belongs."),
        Mistake(_reordered(2, 0, 3, 1), "the input gate comes first in both orders."),
        Mistake(
            lambda kernel: np.concatenate(np.split(kernel, 4)),
            "`np.split` cuts rows unless told otherwise; the blocks lie side by side, along axis 1.",
        ),
    ),
    hints=(
        "Cut the columns into four blocks of equal width and name them in the order they have in the file.",
        "np.split(kernel, 4, axis=1) gives i, o, f, candidate; np.concatenate puts them together again, along axis 1.",
    ),
    why="Every order has the same shape, so no program can tell that blocks were swapped: it runs, and is wrong. "
    "Only a comparison of numbers, as in the lesson, finds it.",
)


def half_life(forget):
    """Steps until a memory has lost half, a scalar, from the openings of its forget gate `(time,)`."""
    return np.log(0.5) / np.mean(np.log(forget))


q4 = Exercise(
    asks="Write `half_life(forget)`: steps until half is left, from the openings of a forget gate, `(time,)`.",
    starter="def half_life(forget): ...",
    reference=half_life,
    draw=lambda rng: (rng.uniform(0.2, 0.999, size=rng.integers(5, 9)),),
    mistakes=(
        Mistake(
            lambda forget: np.log(0.5) / np.log(np.mean(forget)),
            "the mean was taken before the logarithm. Openings multiply: one shut gate outweighs many open ones.",
        ),
        Mistake(
            lambda forget: np.log(0.5) / np.sum(np.log(forget)),
            "that counts in whole sequences: the sum of the logarithms is what ALL steps keep together.",
        ),
        Mistake(
            lambda forget: np.mean(np.log(0.5) / np.log(forget)),
            "these are the half-lives of the single steps, averaged; the widest open one dominates it.",
        ),
        Mistake(lambda forget: -1 / np.mean(np.log(forget)), "that is the time to fall to 1/e, not to one half."),
        Mistake(lambda forget: np.mean(np.log(forget)) / np.log(0.5), "the fraction is upside down."),
        Mistake(
            lambda forget: np.log(0.5) / np.log(np.median(forget)),
            "the median forgets what the few nearly shut steps destroy.",
        ),
    ),
    hints=(
        "After all the steps the product of the openings is left. Which constant opening would leave as much?",
        "Its logarithm is the mean of the logarithms; then one half is ln ½ divided by it, in steps.",
    ),
    why="What is left is a product, so the fitting mean is the geometric one: exp of the mean logarithm. One step at "
    "0.2 costs as much as thirty-one at 0.95.",
)

ALPHABET = "()a"


def counting_weights():
    """Weights of an LSTM with one unit whose cell is the number of open brackets; inputs one-hot in "(", ")", "a"."""
    sure = 30.0  # sigmoid(30) is 1 to thirteen digits, tanh(30) to all sixteen
    kernel = np.zeros((3, 4))  # columns i, f, candidate, o
    kernel[:, 2] = (sure, -sure, 0.0)  # the candidate: one up, one down, nothing
    return kernel, np.zeros((1, 4)), np.array([sure, sure, 0.0, sure])


def cell_after(weights, text):
    """Cell state after each symbol, `(time,)`, of a one-unit LSTM; weights as in `reference.Weights`."""
    kernel, recurrent, bias = (np.asarray(part, float) for part in weights)
    one_hot = np.eye(len(ALPHABET))[[ALPHABET.index(symbol) for symbol in text]]
    cell = reference.Cell("lstm", reference.Weights(kernel, recurrent, bias))
    return reference.forward(cell, one_hot[None]).cell[0, 1:, 0]


def _counts(weights, text=10 * "(a((a)(" + 10 * "a)a)())a" + 20 * "a"):
    depth = np.cumsum([{"(": 1, ")": -1}.get(symbol, 0) for symbol in text])
    return np.allclose(cell_after(weights, text), depth, atol=0.01)


def _with(kernel=None, bias=None, recurrent=None):
    """The solution with another part."""
    right, changed = counting_weights(), (kernel, recurrent, bias)
    return tuple(part if new is None else np.array(new, float) for part, new in zip(right, changed, strict=True))


_UP_ONLY = [[0, 0, 30, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
_TIMID = [[0, 0, 1, 0], [0, 0, -1, 0], [0, 0, 0, 0]]

q5 = Exercise(
    asks="Give `(kernel, recurrent_kernel, bias)`, shapes (3, 4), (1, 4) and (4,): an LSTM unit whose cell is the "
    "depth, within 0.01 after every symbol, whatever the row of (, ) and a.",
    starter="my_weights = ...",
    reference=counting_weights,
    accept=_counts,
    mistakes=(
        Mistake(
            _with(recurrent=[[0, 0, -30, 0]]),
            "the recurrent kernel spoils it: the state moves a gate or the candidate. This counter needs no state.",
            when=lambda weights: np.any(weights[1]) and _counts((weights[0], np.zeros((1, 4)), weights[2])),
        ),
        Mistake(
            tuple(np.zeros(shape) for shape in ((3, 4), (1, 4), (4,))),
            "an opening bracket leaves no trace in the cell.",
            when=lambda weights: cell_after(weights, "(")[0] == 0,
        ),
        Mistake(
            _with(bias=[30, 0, 0, 30]),
            "it forgets while it reads letters. A sigmoid of 0 is one half: the forget gate needs a large sum.",
            when=lambda weights: abs(cell_after(weights, "(a")[1]) < 0.99 * abs(cell_after(weights, "(a")[0]),
        ),
        Mistake(
            _with(_UP_ONLY),
            "a closing bracket does not take back what an opening one put in: the candidate must be -1 there.",
            when=lambda weights: abs(cell_after(weights, "()")[1]) > 0.5 * abs(cell_after(weights, "(")[0]) > 0,
        ),
        Mistake(
            _with(bias=[30, 30, 1, 30]),
            "letters are counted too: at a letter the candidate must be 0, or the input gate shut.",
            when=lambda weights: abs(cell_after(weights, "aaaa")[3]) > 0.01,
        ),
        Mistake(
            _with(_TIMID),
            "it counts in steps other than 1. tanh of a small number is smaller still; make the candidate's sum large.",
            when=lambda weights: np.isclose(cell_after(weights, "(((")[2], 3 * cell_after(weights, "(")[0], rtol=0.02),
        ),
    ),
    hints=(
        "c_t = f c_{t-1} + i c̃. What should f, i and c̃ be at each of the three symbols?",
        "f = 1 always, i = 1 always, c̃ = +1, -1 and 0: a large bias makes a sigmoid 1, and each row of the kernel is a "
        "symbol.",
    ),
    why="With sums as large as 30 the gates are open to the last digits and the candidate is +1, -1 or 0: the cell "
    "counts without a single recurrent weight. No GRU can do this: its state is a mean of its candidates.",
)
