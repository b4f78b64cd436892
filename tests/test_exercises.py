"""Every exercise of every lesson, found by walking the package; and the checker itself."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import rnn_course.exercises
from rnn_course.exercises.differences import difference, kind, shown
from rnn_course.exercises.exercise import Exercise, Mistake

LESSONS = Path(__file__).parents[1] / "lessons"


def find_exercises():
    """Return {"module.name": exercise} for every exercise in `rnn_course.exercises`."""
    paths = pkgutil.iter_modules(rnn_course.exercises.__path__)
    modules = [importlib.import_module(f"rnn_course.exercises.{path.name}") for path in paths]
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, Exercise)
    }


EXERCISES = find_exercises()
every_exercise = pytest.mark.parametrize("name", EXERCISES)


def run(code, around=()):
    """Execute an answer's code and return what its last statement binds."""
    scope = dict(around)
    before = set(scope)
    exec(code, scope)
    return [value for name, value in scope.items() if name not in before | {"__builtins__"}][-1]


# --- every exercise ---------------------------------------------------------------------------------------------------


@every_exercise
def test_the_starter_has_nothing_yet(name):
    verdict = EXERCISES[name].check(run(EXERCISES[name].starter))
    assert not verdict
    assert verdict.message.startswith("Nothing yet")
    assert EXERCISES[name].asks in verdict.message


@every_exercise
def test_the_solution_that_is_shown_passes(name):
    exercise = EXERCISES[name]
    code, _, reason = exercise.solution().partition("\nWhy: ")
    scope = {key: value for key, value in exercise.reference.__globals__.items() if value is not exercise.reference}
    answer = run(code, scope)
    verdict = exercise.check(answer if exercise.draw else answer())
    assert verdict, verdict.message
    assert verdict.message.startswith("Right")
    assert len(reason) > 40


@every_exercise
def test_each_typical_mistake_fails_with_its_own_message(name):
    exercise = EXERCISES[name]
    says = [mistake.says for mistake in exercise.mistakes]
    assert len(set(says)) == len(says) >= 3
    for seed in range(5):
        for mistake in exercise.mistakes:
            verdict = exercise.check(mistake.answer, seed=seed)
            assert not verdict, f"the mistake {mistake.says!r} passed"
            named = [words for words in says if words in verdict.message]
            assert named == [mistake.says], verdict.message


def give_an_object(*inputs):
    return object()


def give_nan(*inputs):
    return float("nan")


def give_a_strange_shape(*inputs):
    return np.zeros((7, 3, 2))


@every_exercise
@pytest.mark.parametrize("give", [give_an_object, give_nan, give_a_strange_shape])
def test_a_strange_answer_is_reported(name, give):
    exercise = EXERCISES[name]
    verdict = exercise.check(give if exercise.draw else give())
    assert not verdict
    assert verdict.message.startswith("Not yet: ")
    assert "\n  seen      " in verdict.message
    assert "\n  expected  " in verdict.message


@every_exercise
def test_an_answer_that_raises_is_reported(name):
    def answer(*inputs):
        raise LookupError("no such gate")

    exercise = EXERCISES[name]
    verdict = exercise.check(answer)
    assert not verdict
    assert "LookupError: no such gate" in verdict.message or exercise.draw is None


@every_exercise
def test_the_first_hint_and_the_second_differ(name):
    first, second = EXERCISES[name].hints
    assert first != second
    assert min(len(first), len(second)) > 20


@pytest.mark.parametrize("module", sorted({name.partition(".")[0] for name in EXERCISES}))
def test_the_lesson_of_a_module_hands_out_every_starter_and_checks_it(module):
    (lesson,) = LESSONS.glob(f"[0-9][0-9]_{module}.py")
    text = lesson.read_text(encoding="utf-8")
    names = [name.partition(".")[2] for name in EXERCISES if name.startswith(f"{module}.")]
    assert names == [f"q{number}" for number in range(1, len(names) + 1)]
    for name in names:
        exercise = EXERCISES[f"{module}.{name}"]
        assert exercise.starter in text, f"{lesson.name} does not hold the starter of {name}"
        answer = exercise.starter.removeprefix("def ").partition("(" if exercise.draw else " =")[0]
        assert f"exercises.{name}.check({answer})" in text


# --- the checker ------------------------------------------------------------------------------------------------------


def twice(number, rows):
    """Twice the sum of the rows."""
    return 2 * number * rows.sum(axis=0)


def make_exercise(**changed):
    question = dict(
        asks="Write `twice(number, rows)`.",
        starter="def twice(number, rows): ...",
        reference=twice,
        draw=lambda rng: (rng.uniform(1, 2), rng.normal(size=(3, 2))),
        mistakes=(Mistake(lambda number, rows: number * rows.sum(axis=0), "the factor two is missing."),),
        hints=("First hint.", "Second hint."),
        why="two times.",
    )
    return Exercise(**question | changed)


def make_value_question(**changed):
    return make_exercise(
        **{"reference": lambda: 0.125, "draw": None, "mistakes": (Mistake(8, "that is 2**3."),)} | changed
    )


def test_every_check_draws_other_inputs_and_its_seed_draws_them_again():
    seen = []
    exercise = make_exercise()
    verdict = exercise.check(lambda number, rows: seen.append(number))
    exercise.check(lambda number, rows: seen.append(number))
    exercise.check(lambda number, rows: seen.append(number), seed=verdict.seed)
    assert len(set(seen[:40])) == 40
    assert seen[40:] == seen[:20]


def test_an_answer_right_on_most_inputs_fails():
    verdict = make_exercise().check(lambda number, rows: twice(number, rows) if number < 1.8 else rows[0], seed=0)
    assert not verdict


def test_the_message_shows_inputs_seen_and_expected():
    exercise = make_exercise(draw=lambda rng: (1.5, np.array([[1.0, 2.0]])))
    assert exercise.check(lambda number, rows: number * rows.sum(axis=0)).message == (
        "Not yet: 2 of 2 numbers differ, the first at index (0,).\n"
        "  for       number = 1.5, rows = [[1., 2.]]\n"
        "  seen      [1.5, 3. ]\n"
        "  expected  [3., 6.]\n"
        "It looks like this: the factor two is missing."
    )


def test_an_answer_that_overwrites_its_inputs_is_compared_on_clean_ones():
    def answer(number, rows):
        result = twice(number, rows)
        rows.fill(0)
        return result

    assert make_exercise().check(answer)


def test_an_answer_that_divides_by_zero_is_reported_without_a_warning():
    verdict = make_exercise().check(lambda number, rows: rows.sum(axis=0) / np.zeros(2) * 0)
    assert "2 of 2 numbers are NaN" in verdict.message


def test_an_answer_with_too_few_arguments_is_reported():
    assert "raised TypeError" in make_exercise().check(lambda number: number).message


def test_a_result_in_place_of_the_function_is_reported():
    assert "hand in the function itself" in make_exercise().check(3.0).message


def test_a_mistake_may_be_an_error():
    slip = Mistake(lambda number, rows: number @ rows, "`@` multiplies arrays, not a number.")
    assert slip.says in make_exercise(mistakes=(slip,)).check(slip.answer).message


def test_an_answer_that_errs_like_a_mistake_on_some_inputs_only_is_not_accused_of_it():
    def answer(number, rows):
        return number * rows.sum(axis=0) * (1 if number < 1.5 else 3)

    assert "It looks like" not in make_exercise().check(answer).message


def test_nothing_handed_in_is_nothing_yet():
    assert make_exercise().check(None).message.startswith("Nothing yet. Write")
    assert make_value_question().check(...).message.startswith("Nothing yet. Write")


def test_an_interrupt_is_not_swallowed():
    def answer(number, rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_exercise().check(answer)


def test_a_value_question_never_prints_its_answer():
    verdict = make_value_question().check(8)
    assert verdict.message == (
        "Not yet: the number is too large.\n  seen      8\n  expected  a number\nIt looks like this: that is 2**3."
    )
    assert make_value_question().check(1 / 8).message == "Right."


def test_where_many_answers_are_right_a_judge_decides():
    exercise = make_value_question(
        asks="Name an even number.",
        reference=lambda: 4,
        accept=lambda seen: seen % 2 == 0,
        mistakes=(Mistake(3, "odd numbers leave a rest.", when=lambda seen: seen % 2 == 1),),
    )
    assert exercise.check(10)
    assert exercise.check(7).message.endswith("odd numbers leave a rest.")
    assert "does not do what was asked" in exercise.check("ten").message


def test_an_answer_that_raises_before_a_judge_is_reported_as_raising():
    exercise = make_exercise(accept=lambda seen, number, rows: True)
    assert "raised ZeroDivisionError" in exercise.check(lambda number, rows: 1 / 0).message
    assert exercise.check(twice).message == "Right: it does what was asked on 20 random inputs."


def test_hints_come_one_by_one_and_stay_at_the_last():
    exercise = make_exercise()
    assert [exercise.hint() for _ in range(3)] == ["Hint 1 of 2: First hint."] + 2 * ["Hint 2 of 2: Second hint."]
    assert repr(exercise.hint(1)) == "Hint 1 of 2: First hint."
    with pytest.raises(ValueError, match=r"no hint 3; ask for 1 to 2"):
        exercise.hint(3)


def test_the_solution_is_the_source_of_the_reference_with_its_reason():
    assert make_exercise().solution() == inspect.getsource(twice) + "\nWhy: two times."


@pytest.mark.parametrize(
    ("seen", "expected", "clause"),
    [
        (1.0, 2.0, "the number is too small"),
        (np.float32(2.000001), 2.0, None),
        (float("nan"), 2.0, "the result is NaN"),
        (float("nan"), float("nan"), None),
        (float("inf"), 2.0, "the number is too large"),
        ("2", 2.0, "a text came instead of a number"),
        (True, 1.0, "True or False came instead of a number"),
        (1, True, "a number came instead of True or False"),
        (np.ones(2), np.ones(2, bool), "numbers of shape (2,) came instead of truth values of shape (2,)"),
        ([1.0], 1.0, "the shape is (1,) instead of ()"),
        ([[1], [1, 2]], np.ones(2), "a list of 2 came instead of numbers of shape (2,)"),
        (np.array([True, True]), np.array([True, False]), "1 of 2 truth values are the other way round"),
        ([0.0, 1.0], np.array([0.0, 2.0]), "1 of 2 numbers differ, the first at index (1,)"),
        (" Yes", "yes", None),
        ("no", "yes", "the text is another one"),
        (1, "yes", "a number came instead of a text"),
        (("a", 1), ["a", 2], "at entry 1, the number is too small"),
        (np.array([1.0, 2.0]), (1.0, 2.0), None),
        ([1], [1, 2], "there are 1 entries instead of 2"),
        (1, [1], "a number came instead of a list of 1"),
        ({"h": 1}, {"h": 1}, None),
        ({"h": 1}, {"h": 2}, "at 'h', the number is too small"),
        ({"c": 1}, {"h": 1}, "keys ['c'] came instead of a dict with the keys ['h']"),
        (ValueError("bad"), 1, "your answer raised ValueError: bad"),
        (1, ValueError("bad"), "an error was expected"),
    ],
)
def test_a_difference_is_said_in_words(seen, expected, clause):
    assert difference(seen, expected) == clause


def test_long_values_are_shown_by_their_kind():
    assert shown(list(range(100))) == kind(list(range(100))) == "a list of 100"
    assert shown("word " * 30).endswith("…")
    assert shown(ValueError("bad")) == "ValueError: bad"
