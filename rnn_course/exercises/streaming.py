"""Exercises of lesson 16: a chunk by hand, two futures of a state, Welford, what a step costs, a break-even."""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def run_chunk(chunk, state, w, u):
    """All states of h_t = tanh(w h_{t-1} + u x_t) over a chunk, `(time,)`, and the last of them, a scalar."""
    states = []
    for x in chunk:
        state = np.tanh(w * state + u * x)
        states.append(state)
    return np.array(states), state


def _draw_chunk(rng):
    return rng.normal(size=rng.integers(2, 6)), rng.uniform(0.2, 0.9), rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5)


q1 = Exercise(
    asks="Write `run_chunk(chunk, state, w, u)`: all states over the chunk, `(time,)`, and the state to hand over.",
    starter="def run_chunk(chunk, state, w, u): ...",
    reference=run_chunk,
    draw=_draw_chunk,
    mistakes=(
        Mistake(
            lambda chunk, state, w, u: run_chunk(chunk, 0.0, w, u),
            "every chunk starts at zero: the state that was handed in is never read, and is forgotten at each cut.",
        ),
        Mistake(
            lambda chunk, state, w, u: (run_chunk(chunk, state, w, u)[0], state),
            "the state handed over is the one that came in: the next chunk would begin where this one began.",
        ),
        Mistake(
            lambda chunk, state, w, u: (run_chunk(chunk, state, w, u)[0], chunk[-1]),
            "the last INPUT was handed over; what the next chunk needs is the last state.",
        ),
        Mistake(
            lambda chunk, state, w, u: (
                np.append(state, run_chunk(chunk, state, w, u)[0][:-1]),
                run_chunk(chunk, state, w, u)[1],
            ),
            "the states are shifted: the first one belongs after the first value, not before it.",
        ),
        Mistake(
            lambda chunk, state, w, u: (np.tanh(w * state + u * chunk), np.tanh(w * state + u * chunk[-1])),
            "every step was computed from the state that came in: within the chunk, too, each step reads the last one.",
        ),
        Mistake(
            lambda chunk, state, w, u: run_chunk(chunk, state, w, u)[0],
            "the states are right, but nothing is handed over: return two things.",
        ),
    ),
    hints=(
        "Write the loop of lesson 00. Two things change: where it begins, and what else it returns.",
        "Begin with `state` instead of 0; after the loop `state` is what the next chunk must be given.",
    ),
    why="If the function reads nothing but its arguments and hands over what it knows, it cannot matter where the "
    "stream is cut. Everything in the lesson follows from this signature.",
)


def branch(state, first, second, decay):
    """Final states of s = decay s + x after `first` and after `second`, `(time, units)` each: `(2, units)`."""
    finals = []
    for inputs in (first, second):
        now = state.copy()
        for x in inputs:
            now *= decay
            now += x
        finals.append(now)
    return np.array(finals)


def _branch_as_handed_out(state, first, second, decay):
    finals = []
    for inputs in (first, second):
        for x in inputs:
            state *= decay
            state += x
        finals.append(state)
    return np.array(finals)


def _branch_results_copied(state, first, second, decay):
    finals = []
    for inputs in (first, second):
        for x in inputs:
            state = decay * state + x
        finals.append(state)
    return np.array(finals)


def _branch_one_copy(state, first, second, decay):
    return np.array([branch(state, first, second, decay)[1]] * 2)


q2 = Exercise(
    asks="Write `branch(state, first, second, decay)`: the final states of both futures of one state, `(2, units)`.",
    starter="def branch(state, first, second, decay): ...",
    reference=branch,
    draw=lambda rng: (
        rng.normal(size=3),
        rng.normal(size=(rng.integers(2, 5), 3)),
        rng.normal(size=(rng.integers(2, 5), 3)),
        rng.uniform(0.5, 0.9),
    ),
    mistakes=(
        Mistake(_branch_as_handed_out, "this is still the code as it was handed out: both rows are the same array."),
        Mistake(
            _branch_results_copied,
            "the rows differ now, but the second future still begins where the first one ended.",
        ),
        Mistake(
            _branch_one_copy,
            "there is a copy, but only one for both futures: the second row overwrites the first.",
        ),
        Mistake(
            lambda state, first, second, decay: branch(np.zeros_like(state), first, second, decay),
            "both futures begin at zero: the state that was handed in is lost.",
        ),
        Mistake(
            lambda state, first, second, decay: branch(state, first, second, decay)[0],
            "one final state came back; two were asked for, one row for each future.",
        ),
    ),
    hints=(
        "Print both rows. Where does the second future begin, and who else holds what `state *= decay` changes?",
        "`state *= decay` changes the array, `state = decay * state` makes a new one; each future needs its own.",
    ),
    why="A state that a step changes in place has no past: whoever kept it for a restart, or to try two futures, "
    "holds the newest one. `Stream.step` returns new arrays for that reason.",
)


def welford(count, mean, squares, value):
    """Count, mean and sum of squared distances from the mean after one more value; three scalars."""
    count = count + 1
    before = value - mean
    mean = mean + before / count
    return count, mean, squares + before * (value - mean)


def _welford_with(pick):
    """The update of `squares` with other distances than it should have."""

    def update(count, mean, squares, value):
        after = mean + (value - mean) / (count + 1)
        return count + 1, after, pick(count, squares, value - mean, value - after)

    return update


def _draw_welford(rng):
    seen = rng.normal(rng.uniform(1, 3), 1, size=rng.integers(2, 9))
    return len(seen), seen.mean(), np.sum((seen - seen.mean()) ** 2), rng.normal(2, 2)


q3 = Exercise(
    asks="Write `welford(count, mean, squares, value)`: the three numbers after one more value.",
    starter="def welford(count, mean, squares, value): ...",
    reference=welford,
    draw=_draw_welford,
    mistakes=(
        Mistake(
            _welford_with(lambda count, squares, before, after: squares + before**2),
            "both distances were taken from the OLD mean; the sum then counts the move of the mean as well.",
        ),
        Mistake(
            _welford_with(lambda count, squares, before, after: squares + after**2),
            "both distances were taken from the NEW mean; the values seen before have moved away from it too.",
        ),
        Mistake(
            lambda count, mean, squares, value: (
                count + 1,
                mean + (value - mean) / count,
                squares + (value - mean) * (value - mean - (value - mean) / count),
            ),
            "the new value has a share of 1 / (count + 1) in the mean: it counts itself.",
        ),
        Mistake(
            _welford_with(lambda count, squares, before, after: (squares + before * after) / (count + 1)),
            "that is the variance; hand over the sum, or the next update will not know how many it stands for.",
        ),
        Mistake(
            lambda count, mean, squares, value: (
                count + 1,
                (mean + value) / 2,
                squares + (value - mean) * (value - (mean + value) / 2),
            ),
            "the mean of two numbers is not the mean of all: the old mean stands for `count` values.",
        ),
        Mistake(
            lambda count, mean, squares, value: welford(count, mean, squares, value)[1:],
            "the count must be handed over, too: without it the next step cannot weigh the old mean.",
        ),
    ),
    hints=(
        "The mean moves toward the value by 1 / (count + 1) of the way. How far off was the value, how far is it now?",
        "squares grows by the product of the two distances: from the old mean and from the new one.",
    ),
    why="Σ(x - m)² around the new mean is the old sum + count · (move)² + (last distance)², and these two are together "
    "(x - old)(x - new). No value is kept and nothing large is subtracted from something large (Welford 1962).",
)


def step_cost(features, units):
    """Multiply-adds of one LSTM step in its matrix products, and bytes of its float32 weights; two ints."""
    products = 4 * units * (features + units)
    return products, 4 * (products + 4 * units)


q4 = Exercise(
    asks="Write `step_cost(features, units)`: multiply-adds of an LSTM step, and bytes of its float32 weights.",
    starter="def step_cost(features, units): ...",
    reference=step_cost,
    draw=lambda rng: (int(rng.integers(1, 40)), int(rng.integers(2, 200))),
    mistakes=(
        Mistake(
            lambda features, units: (units * (features + units), 4 * units * (features + units + 1)),
            "that is one block; an LSTM has three gates and a candidate.",
        ),
        Mistake(
            lambda features, units: (4 * units * units, 16 * units * (units + 1)),
            "the input has a kernel as well: each block reads x_t and h_{t-1}.",
        ),
        Mistake(
            lambda features, units: (4 * units * features, 16 * units * (features + 1)),
            "the state has a kernel as well: each block reads x_t and h_{t-1}.",
        ),
        Mistake(
            lambda features, units: (step_cost(features, units)[0], step_cost(features, units)[1] // 4),
            "the second number counts weights; each of them has four bytes.",
        ),
        Mistake(
            lambda features, units: (step_cost(features, units)[0], 4 * step_cost(features, units)[0]),
            "a bias of 4 · units belongs to the weights, although it is added and not multiplied.",
        ),
        Mistake(
            lambda features, units: (2 * step_cost(features, units)[0], step_cost(features, units)[1]),
            "one multiplication with its addition counts as ONE multiply-add.",
        ),
    ),
    hints=(
        "Each of the four blocks has `units` rows that read x_t, (features,), and h_{t-1}, (units,).",
        "Every weight of the two kernels is used in exactly one multiply-add; biases are only added.",
    ),
    why="A step uses every weight once: so it can never be quicker than reading them, and no step depends on how many "
    "came before it. What a step of a small network takes beyond that is the price of its calls, as the lesson timed.",
)


def break_even(features, units, width, layers):
    """Steps in the cache at which a Transformer step costs as many multiply-adds as an LSTM step; a scalar."""
    lstm = 4 * units * (features + units)
    transformer = layers * 12 * width**2
    return (lstm - transformer) / (2 * layers * width)


def _crossing(lstm=lambda f, u: 4 * u * (f + u), fixed=lambda w, n: n * 12 * w**2, each=lambda w, n: 2 * n * w):
    """Where the two lines cross when one of the three counts is another."""
    return lambda features, units, width, layers: (lstm(features, units) - fixed(width, layers)) / each(width, layers)


q5 = Exercise(
    asks="Write `break_even(features, units, width, layers)`: the steps in the cache at which both cost the same.",
    starter="def break_even(features, units, width, layers): ...",
    reference=break_even,
    draw=lambda rng: (
        int(rng.integers(1, 9)),
        int(rng.integers(200, 400)),
        int(rng.integers(16, 40)),
        int(rng.integers(2, 5)),
    ),
    mistakes=(
        Mistake(
            _crossing(each=lambda width, layers: layers * width),
            "only the keys were counted; the values are read as well, one multiply-add for each number.",
        ),
        Mistake(_crossing(each=lambda width, layers: 2 * width), "every layer has a cache of its own to read."),
        Mistake(
            _crossing(fixed=lambda width, layers: 0),
            "the Transformer's own weights cost 12 · width² a layer before it has looked at a single step.",
        ),
        Mistake(
            _crossing(fixed=lambda width, layers: -layers * 12 * width**2),
            "the fixed cost makes the break-even EARLIER: it is subtracted from what the LSTM may spend.",
        ),
        Mistake(
            _crossing(lstm=lambda features, units: units * (features + units)),
            "an LSTM has four blocks, not one.",
        ),
        Mistake(
            lambda features, units, width, layers: 1 / break_even(features, units, width, layers),
            "the fraction is upside down.",
        ),
    ),
    hints=(
        "Set both costs equal. One is a constant, the other a constant plus so much for every step in the cache.",
        "LSTM: 4 · units · (features + units). Transformer: layers · (12 · width² + 2 · width · steps).",
    ),
    why="Both are straight lines over the steps, one of them level. At equal weights they cross at once: 12 · width² · "
    "layers is about the number of weights, and the LSTM uses each of its own once.",
)
