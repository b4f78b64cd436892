"""An exercise is a reference answer, the mistakes people make on the way to it, two hints and a reason.

Every mistake is written down once, as the wrong answer itself. `check` compares a learner's answer with the reference
on fresh random inputs; where they differ, it looks for the mistake that gives the learner's results and says so. The
same list is the test: `tests/test_exercises.py` finds every exercise and hands in its starter, its solution and each of
its mistakes. Writing one takes a function and a call (in a lesson's module, `rnn_course/exercises/<slug>.py`):

>>> def half_life(weight):
...     '''Steps after which a linear memory has lost half: weight**steps = 1/2.'''
...     return np.log(0.5) / np.log(weight)
>>> q1 = Exercise(
...     asks="Write `half_life(weight)`: after how many steps has a linear memory lost half?",
...     starter="def half_life(weight): ...",
...     reference=half_life,
...     draw=lambda rng: (rng.uniform(0.1, 0.9),),
...     mistakes=(
...         Mistake(lambda weight: 1 / (1 - weight), "that is the time constant, not the half-life."),
...         Mistake(lambda weight: np.log(weight) / np.log(0.5), "the fraction is upside down."),
...         Mistake(lambda weight: np.log(0.5) / weight, "you divided by the weight, not by its logarithm."),
...     ),
...     hints=("After t steps weight**t is left.", "Take the logarithm of both sides of weight**t = 1/2."),
...     why="The logarithm turns the power into a product, which can be divided.",
... )

The learner hands in a function, or hears what is wrong with it:

>>> q1.check(lambda weight: np.log2(0.5) / np.log2(weight))
Right: the same results as the solution on 20 random inputs.
>>> q1.check(lambda weight: 1 / (1 - weight), seed=1)
Not yet: the number is too large.
  for       weight = 0.509457
  seen      2.03856
  expected  1.02778
It looks like this: that is the time constant, not the half-life.

Leave `draw` out where the answer is a value instead of a function: `reference` is then called without arguments and its
result is what the learner must find (`check` never prints it). Where many answers are right ("a sentence that fools the
model"), pass `accept(answer, *inputs) -> bool`, and give a mistake its own `when(answer, *inputs) -> bool`.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn_course.exercises.differences import difference, kind, raised, shown


@dataclass(frozen=True)
class Mistake:
    """A typical wrong answer, and what to say to whoever gives it.

    Attributes:
        answer: what the learner hands in: a function called like the reference, or a value.
        says: one sentence about the misunderstanding, to follow "It looks like this: ".
        when: `(seen, *inputs) -> bool`, true where a result makes this mistake. Left out, a learner makes the mistake
            whose `answer` gives the learner's results on every input.
    """

    answer: Any
    says: str
    when: Callable[..., bool] | None = None


@dataclass(frozen=True)
class Verdict:
    """What `Exercise.check` found; true if the answer passed, and shown as its message.

    Attributes:
        passed: whether the answer is right.
        message: what was seen, what was expected, and which mistake it looks like.
        seed: `check(answer, seed=verdict.seed)` draws the same inputs again.
    """

    passed: bool
    message: str
    seed: int

    def __bool__(self) -> bool:
        """Whether the answer is right."""
        return self.passed

    def __repr__(self) -> str:
        """Return the message, so that a notebook shows it as it is."""
        return self.message


class Note(str):
    """Text that a notebook shows without quotes and with its line breaks."""

    def __repr__(self) -> str:
        """Return the text itself."""
        return str(self)


@dataclass(kw_only=True)
class Exercise:
    """One question to the learner.

    Attributes:
        asks: the question in one sentence.
        starter: the code the learner begins with, word for word as in the lesson; it binds the answer to a name.
        reference: the right answer, a function; its source is what `solution` shows.
        mistakes: at least three typical wrong answers, each with its own message.
        hints: the first nudges, the second shows where to look.
        why: the reason, shown below the solution.
        draw: `(rng) -> tuple` of random inputs for the function; `None` where the answer is a value.
        accept: `(seen, *inputs) -> bool` where many answers are right; `None` to compare with the reference.
        draws: how many random inputs a function must answer.
        tolerance: how far a number may lie from the reference, relative and absolute.
    """

    asks: str
    starter: str
    reference: Callable[..., Any]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, str]
    why: str
    draw: Callable[[np.random.Generator], tuple] | None = None
    accept: Callable[..., bool] | None = None
    draws: int = 20
    tolerance: float = 1e-5
    _hints_given: int = field(default=0, init=False, repr=False)

    def check(self, answer: Any, *, seed: int | None = None) -> Verdict:
        """Hold an answer against the reference; whatever the answer does, it is reported and not thrown.

        Args:
            answer: a function called with the inputs of `draw`, or a value where there is no `draw`.
            seed: draws the same inputs again; fresh ones when `None`.

        Returns:
            A `Verdict` with a message for the learner.
        """
        seed = np.random.SeedSequence().entropy if seed is None else seed
        trouble = self._trouble(answer, seed)
        return Verdict(trouble is None, self._praise() if trouble is None else trouble, seed)

    def hint(self, number: int | None = None) -> Note:
        """Show a hint: the next one at every call, or the one asked for.

        Args:
            number: 1 for the nudge, 2 for where to look.

        Returns:
            The hint, shown by a notebook as plain text.

        Raises:
            ValueError: if there is no hint of this number.
        """
        if number is None:
            self._hints_given = number = min(self._hints_given + 1, len(self.hints))
        if number not in range(1, len(self.hints) + 1):
            raise ValueError(f"There is no hint {number!r}; ask for 1 to {len(self.hints)}, or for the next: `hint()`.")
        return Note(f"Hint {number} of {len(self.hints)}: {self.hints[number - 1]}")

    def solution(self) -> Note:
        """Show the reference as code, and why it is right."""
        return Note(f"{inspect.getsource(self.reference)}\nWhy: {self.why}")

    def _trouble(self, answer: Any, seed: int) -> str | None:
        """Say what is wrong with an answer, or return `None` where nothing is."""
        if answer is None or answer is ...:
            return self._nothing_yet()
        if self.draw is not None and not callable(answer):
            return f"Not yet: hand in the function itself, not a result of it. Seen: {shown(answer)}."
        seen = self._results(answer, seed)
        if all(result is None or result is ... for result in seen):
            return self._nothing_yet(" (The function returns nothing.)")
        for inputs, result in zip(self._inputs(seed), seen, strict=True):
            problem = self._problem(result, inputs)
            if problem is not None:
                return self._report(problem, result, inputs, self._mistake_in(seen, seed))
        return None

    def _inputs(self, seed: int) -> list[tuple]:
        """Draw the inputs of one check, always anew: an answer may have changed the arrays it was handed."""
        if self.draw is None:
            return [()]
        rng = np.random.default_rng(seed)
        return [self.draw(rng) for _ in range(self.draws)]

    def _results(self, answer: Any, seed: int) -> list:
        """Collect an answer's result for every input; an exception counts as a result."""
        return [answer] if self.draw is None else [attempt(answer, inputs) for inputs in self._inputs(seed)]

    def _problem(self, seen: Any, inputs: tuple) -> str | None:
        """Say what separates one result from what was asked."""
        if self.accept is None:
            return difference(seen, self.reference(*inputs), tolerance=self.tolerance)
        if isinstance(seen, Exception):
            return raised(seen)
        return None if accepts(self.accept, seen, inputs) else "this does not do what was asked"

    def _mistake_in(self, seen: list, seed: int) -> Mistake | None:
        """Find the typical mistake that gives these results."""
        return next((mistake for mistake in self.mistakes if self._makes(mistake, seen, seed)), None)

    def _makes(self, mistake: Mistake, seen: list, seed: int) -> bool:
        """Tell whether all results show one mistake."""
        if mistake.when is not None:
            trials = zip(seen, self._inputs(seed), strict=True)
            return all(accepts(mistake.when, result, inputs) for result, inputs in trials)
        pairs = zip(seen, self._results(mistake.answer, seed), strict=True)
        return all(difference(result, wrong, tolerance=self.tolerance) is None for result, wrong in pairs)

    def _nothing_yet(self, remark: str = "") -> str:
        return f"Nothing yet.{remark} {self.asks} If you are stuck, ask for `.hint()`."

    def _praise(self) -> str:
        if self.draw is None:
            return "Right."
        if self.accept is not None:
            return f"Right: it does what was asked on {self.draws} random inputs."
        return f"Right: the same results as the solution on {self.draws} random inputs."

    def _report(self, problem: str, seen: Any, inputs: tuple, mistake: Mistake | None) -> str:
        """Put the whole message of a wrong answer together."""
        lines = [f"Not yet: {problem}."]
        if inputs:
            names = inspect.signature(self.reference).parameters
            given = ", ".join(f"{name} = {shown(value)}" for name, value in zip(names, inputs, strict=True))
            lines.append(f"  for       {given}")
        lines.append(f"  seen      {shown(seen)}")
        lines.append(f"  expected  {self._expectation(inputs)}")
        if mistake is not None:
            lines.append(f"It looks like this: {mistake.says}")
        return "\n".join(lines)

    def _expectation(self, inputs: tuple) -> str:
        """Show the expected result of a function; of a value only its kind, since it is the answer."""
        if self.accept is not None:
            return self.asks
        expected = self.reference(*inputs)
        return kind(expected) if self.draw is None else shown(expected)


def attempt(function: Callable, inputs: tuple) -> Any:
    """Call a learner's function; what it raises is handed back as its result."""
    with np.errstate(all="ignore"):
        try:
            return function(*inputs)
        except Exception as error:
            return error


def accepts(judge: Callable[..., bool], seen: Any, inputs: tuple) -> bool:
    """Tell whether a judge says yes; one that trips over a strange result says no."""
    verdict = attempt(judge, (seen, *inputs))
    return not isinstance(verdict, Exception) and bool(verdict)
