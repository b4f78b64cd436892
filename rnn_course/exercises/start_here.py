"""Exercises of lesson 00: one neuron, its memory, and what reaches back through it."""

import numpy as np

from rnn_course.exercises.exercise import Exercise, Mistake


def half_life(w):
    """Steps until a linear memory h_t = w h_{t-1} has lost half of what it held; a scalar, not rounded."""
    return np.log(0.5) / np.log(w)


q1 = Exercise(
    asks="Write `half_life(w)`: the number of steps (not rounded) after which h_t = w h_{t-1} has lost half.",
    starter="def half_life(w): ...",
    reference=half_life,
    draw=lambda rng: (rng.uniform(0.05, 0.99),),
    mistakes=(
        Mistake(lambda w: 1 / (1 - w), "that sums up what is left over all steps, 1 + w + w² + …, and halves nothing."),
        Mistake(lambda w: -1 / np.log(w), "that is the time to fall to 1/e (the time constant), not to one half."),
        Mistake(
            lambda w: np.log(w) / np.log(0.5), "the fraction is upside down: slow forgetting must give MORE steps."
        ),
        Mistake(
            lambda w: np.log(2) / (1 - w),
            "that holds where w is close to 1 and -log w close to 1 - w; take log w itself.",
        ),
        Mistake(lambda w: 0.5 / w, "one division undoes one step; w acts again at every step, so it is a power."),
        Mistake(lambda w: np.ceil(np.log(0.5) / np.log(w)), "the count was rounded up to whole steps."),
    ),
    hints=(
        "After one step w is left of every 1, after two steps w². What is left after t steps?",
        "Set w**t equal to 1/2 and take the logarithm of both sides.",
    ),
    why="w**t = 1/2 means t log w = log 1/2. At w = 1 the denominator is 0: nothing is ever lost.",
)


def settled_state():
    """State after 1,001 steps of h_t = tanh(-1.5 h_{t-1}) from h_0 = 0.2; a scalar."""
    hidden = 0.2
    for _ in range(1001):
        hidden = np.tanh(-1.5 * hidden)
    return hidden


q2 = Exercise(
    asks="Predict h after 1,001 steps of h_t = tanh(-1.5 h_{t-1}), starting from h = 0.2 (to three decimals).",
    starter="my_prediction = ...",
    reference=settled_state,
    tolerance=1e-3,
    mistakes=(
        Mistake(-settled_state(), "the size is right. Now count how often the sign has turned."),
        Mistake(0.0, "a negative weight does not mean forgetting; how large it is decides that."),
        Mistake(-1.0, "tanh never reaches -1, and it need not come close: where does tanh(1.5 h) equal h?"),
        Mistake(0.2 * (-1.5) ** 1001, "that is the unit without its tanh, which holds every state between -1 and 1."),
        Mistake(0.2, "the start is not a resting place: after one step the state is already another."),
    ),
    hints=(
        "Compute the first three steps on paper. What does each step do to the sign, and what to the size?",
        "The size settles where tanh(1.5 h) = h, as in the section on latching; 1,001 is odd.",
    ),
    why="tanh is odd, so a step with weight -1.5 is a step with weight 1.5 and a change of sign. The size latches, the "
    "sign alternates: a neuron with a negative weight is a clock of period two.",
)


def run_unit(inputs, w, u):
    """States h_t = tanh(w h_{t-1} + u x_t) of one unit that starts at zero, `(time,)` from inputs `(time,)`."""
    states = []
    hidden = 0.0
    for x in inputs:
        hidden = np.tanh(w * hidden + u * x)
        states.append(hidden)
    return np.array(states)


def _as_it_was(inputs, w, u):
    hidden = np.zeros(len(inputs))
    for t in range(1, len(inputs)):
        hidden[t] = np.tanh(w * inputs[t - 1] + u * inputs[t])
    return hidden


def _without_the_first(inputs, w, u):
    return np.concatenate([[0.0], run_unit(inputs[1:], w, u)])


def _from_the_end(inputs, w, u):
    return np.array([np.tanh(w * inputs[t - 1] + u * inputs[t]) for t in range(len(inputs))])


def _linear(inputs, w, u):
    return np.array([sum(w ** (t - s) * u * inputs[s] for s in range(t + 1)) for t in range(len(inputs))])


q3 = Exercise(
    asks="Write `run_unit(inputs, w, u)`: the repaired loop, which returns all states h_t, `(time,)`.",
    starter="def run_unit(inputs, w, u): ...",
    reference=run_unit,
    draw=lambda rng: (rng.normal(size=rng.integers(4, 9)), rng.uniform(0.3, 1.5), rng.uniform(0.5, 1.5)),
    mistakes=(
        Mistake(_as_it_was, "this is still the loop as it was handed to you, with both faults."),
        Mistake(_without_the_first, "the state is carried now, but the loop still never reads the first number."),
        Mistake(_from_the_end, "w multiplies the previous INPUT; and at t = 0, index -1 is Python's last number."),
        Mistake(_linear, "the state is carried, but tanh is missing."),
        Mistake(lambda inputs, w, u: np.tanh(u * inputs), "every state depends on its own input alone: no memory."),
        Mistake(lambda inputs, w, u: run_unit(inputs, w, u)[-1], "that is the last state; all of them were asked for."),
    ),
    hints=(
        "There are two faults. Feed it a pulse, [1, 0, 0, 0]: which states should be other than zero, and which are?",
        "One is in `range`, the other in what w multiplies: the formula says h_{t-1}.",
    ),
    why="A unit has a memory only if the line that computes the state also reads it. The first number is read like "
    "any other, with a state of zero before it.",
)


def gradient_to_first(hidden, w):
    """∂h_T/∂h_1 of h_t = tanh(w h_{t-1} + u x_t), a scalar, from its states `(time,)`."""
    slopes = w * (1 - hidden[1:] ** 2)
    return np.prod(slopes)


q4 = Exercise(
    asks="Write `gradient_to_first(hidden, w)`: ∂h_T/∂h_1, from the states h_1 … h_T, `(time,)`, and w.",
    starter="def gradient_to_first(hidden, w): ...",
    reference=gradient_to_first,
    draw=lambda rng: (rng.uniform(-0.8, 0.8, size=rng.integers(3, 7)), rng.uniform(0.5, 1.5)),
    mistakes=(
        Mistake(lambda hidden, w: w ** (len(hidden) - 1), "that is the linear unit; tanh flattens every step."),
        Mistake(lambda hidden, w: np.prod(w * (1 - hidden**2)), "one factor too many: h_1 itself is where you start."),
        Mistake(
            lambda hidden, w: np.prod(w * (1 - hidden[:-1] ** 2)), "the slope at step t is taken at h_t, not h_{t-1}."
        ),
        Mistake(
            lambda hidden, w: np.prod(w * (1 - np.tanh(hidden[1:]) ** 2)),
            "h is already a tanh: 1 - h², not 1 - tanh(h)².",
        ),
        Mistake(
            lambda hidden, w: np.sum(w * (1 - hidden[1:] ** 2)), "along one chain the slopes multiply; they do not add."
        ),
        Mistake(lambda hidden, w: np.prod(1 - hidden[1:] ** 2), "the weight w is missing from every step."),
    ),
    hints=(
        "How much does h_t change when h_{t-1} changes a little? Then chain the steps.",
        "The derivative of tanh(a) is 1 - tanh(a)², and tanh(a) is h_t itself. Which steps lie between h_1 and h_T?",
    ),
    why="∂h_t/∂h_{t-1} = w (1 - h_t²), and the chain rule multiplies these from t = 2 to T. Where |h| is close to 1 "
    "the factor is close to 0 whatever w is: a memory that holds fast lets no gradient through.",
)
