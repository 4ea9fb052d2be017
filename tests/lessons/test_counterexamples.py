"""The counterexample that is shown: what was called, small whole numbers, marked places."""

import re
from inspect import isroutine
from typing import Any

import numpy as np
import pytest
from first_tries import TRIES
from hypothesis import Phase, given, settings
from lesson_tools import EXERCISES as ASKED
from lesson_tools import written

from armlab import hand
from armlab.exercises import EXERCISES
from armlab.exercises.called import MOST, RETURNED, called, told
from armlab.exercises.exercise import as_tuple
from armlab.exercises.grade import grade
from armlab.exercises.telling import show_both

ARRAY = re.compile(r"^ +(.*?) \((?:\d+, ?)*\d*\) = (\[.*\])$", re.M)  # a line of an array
SOLUTIONS = {asked.name: written(asked.solution, asked.function) for asked in ASKED}
WITH_FUNCTIONS = sorted(RETURNED)


def arrays(text: str) -> dict[str, np.ndarray]:
    """The arrays of a text by what stands before them; of one name the last."""
    return {
        name: np.array(re.findall(r"[-\d.]+(?:e[-+]\d+)?", body), dtype=float)
        for name, body in ARRAY.findall(text)
    }


def one_example(name: str) -> Any:
    """The arguments of the first that is drawn."""
    drawn = []

    @settings(max_examples=1, database=None, deadline=None, phases=(Phase.generate,))
    @given(EXERCISES[name].examples())
    def keep(e: Any) -> None:
        drawn.append(EXERCISES[name].arguments_of(e))

    keep()
    return drawn[0]


# -- what was called --------------------------------------------------------------------------


def test_all_exercises_with_functions_name_what_these_return() -> None:
    arguments = {name: one_example(name) for name in EXERCISES}
    functions = {n: [k for k, v in a.items() if isroutine(v)] for n, a in arguments.items()}
    assert {n: list(names) for n, names in RETURNED.items()} == {
        n: f for n, f in functions.items() if f
    }


@pytest.mark.parametrize("name", WITH_FUNCTIONS)
def test_calls_of_the_solution_are_told_by_name(name: str) -> None:
    arguments = one_example(name)
    calls = called(lambda given: EXERCISES[name].run(SOLUTIONS[name], given), arguments)
    assert {call.function for call in calls} == set(RETURNED[name])
    text = "\n".join(told(name, calls, arguments))
    for call in calls:
        values, names = as_tuple(call.returned), RETURNED[name][call.function]
        assert len(values) == len(names)
        for value, result in zip(values, names, strict=True):
            assert isinstance(value, dict) or f"returned {result} {value.shape} = [" in text


def test_a_call_is_told_with_the_names_of_what_it_was_given() -> None:
    dy, da = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    given = {
        "dy": dy,
        "gate_back": lambda dy: (2 * dy, da),
        "logits_back": lambda a: (a + 1, {"w": a}),
    }

    def answer(given: Any) -> None:
        dx, da = given["gate_back"](given["dy"])
        given["logits_back"](da)
        given["logits_back"](dx - 1)
        raise ValueError

    assert told("paper_arm_backward", called(answer, given), given) == [
        "    gate_back(dy)",
        "      returned dx (2,) = [2. 4.]",
        "      returned da (2,) = [3. 4.]",
        "    logits_back(da)",
        "      returned dx_pooled (2,) = [4. 5.]",
        "    logits_back(…)",
        "      was given (2,) = [1. 3.]",
        "      returned dx_pooled (2,) = [2. 4.]",
    ]


def test_a_call_that_raises_and_calls_without_end_are_told() -> None:
    def refuse(a: Any) -> Any:
        raise ValueError("not this")

    given = {"conv": refuse, "x": np.ones(1)}
    calls = called(lambda g: g["conv"](g["x"]), given)
    assert told("arm_forward", calls, given) == ["    conv(x)"]
    many = called(lambda g: [g["conv"](0) for _ in range(MOST + 3)], {"conv": lambda n: n})
    assert told("arm_forward", many, {})[-1] == "    … and 3 calls more"


def test_what_an_answer_forgot_can_be_worked_out_from_what_is_shown() -> None:
    text = grade("paper_arm_backward", TRIES["paper_arm_backward"]["the gate alone"]).text
    found = arrays(text)
    assert "    gate_back(dy)\n" in text
    assert "logits_back" not in text.partition("hint:")[0]
    assert np.array_equal(found["returned dx"], found["dx got"])
    assert found["returned da"].any()


# -- small whole numbers ----------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_FUNCTIONS)
def test_mistakes_with_functions_are_shown_on_whole_numbers(name: str) -> None:
    what = next(iter(TRIES[name]))
    found = arrays(grade(name, TRIES[name][what]).text)
    given_whole = {"dy", "dy8", "dy16", "x"} & set(found)
    assert given_whole
    for argument in given_whole:
        assert np.array_equal(found[argument], np.rint(found[argument])), argument
        assert np.abs(found[argument]).max() < 100
    assert any(a.any() for key, a in found.items() if "expected" in key)


@pytest.mark.parametrize(
    "name", ["relu_backward", "sigmoid_gate_backward", "running_statistics", "adam_step", "sigmoid"]
)
def test_what_fails_everywhere_is_not_shown_on_zeros(name: str) -> None:
    text = grade(name, lambda **given: None).text
    assert "it returned None" in text
    found = arrays(text)
    assert any(a.any() for a in found.values())
    assert all(
        np.array_equal(a, np.rint(a)) for key, a in found.items() if key not in ("s", "mean", "var")
    )


def test_a_mistake_on_rare_numbers_alone_stays_on_them() -> None:
    """Ties and large values are what it is about."""

    def last_of_ties(dz: np.ndarray, x: np.ndarray) -> np.ndarray:
        flat = x.reshape(*x.shape[:2], -1)
        last = flat.shape[2] - 1 - flat[:, :, ::-1].argmax(axis=2)
        won = np.arange(flat.shape[2]) == last[:, :, np.newaxis]
        return (won * dz[:, :, :, 0]).reshape(x.shape)

    outcome = grade("global_max_pool_backward", last_of_ties)
    x = arrays(outcome.text)["x"]
    assert not outcome.passed
    assert len(np.unique(x)) < x.size

    def overflows(a: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-a))

    text = grade("sigmoid", overflows).text
    assert "NumPy warned: overflow" in text
    assert arrays(text)["a"].min() < -700


def test_whole_numbers_are_no_counterexample_where_the_case_itself_is_not_right() -> None:
    def no_eps(x: np.ndarray, w: np.ndarray, b: np.ndarray, eps: float) -> Any:
        y, mean, var = hand.batch_norm(x, w, b, eps=eps)[0]
        return y * (1 + 1e-6), mean, var

    outcome = grade("batch_norm_forward", no_eps)
    assert not outcome.passed
    assert "expected" in outcome.text


# -- marked places ----------------------------------------------------------------------------

WANT = np.array([[1.0, -2.5], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("got", "off", "lines"),
    [
        (
            np.array([[1.0, 2.5], [3.0, np.inf]]),
            [[0, 1], [0, 1]],
            [
                "    y expected (2, 2) = [[ 1. »-2.5«] [ 3. »4.« ]]",
                "    y got (2, 2) = [[1. »2.5«] [3. »inf«]]",
            ],
        ),
        (
            WANT * 1e-7 + [[0, 0], [1e-12, 0]],
            [[0, 0], [1, 0]],
            [
                "    y expected (2, 2) = [[ 1. -2.5] [ »3.« 4. ]]",
                "    y got (2, 2) = [[ 1.00000e-07 -2.50000e-07] [ »3.00001e-07« 4.00000e-07]]",
            ],
        ),
        (
            -WANT,
            [[1, 1], [1, 1]],
            [
                "    y expected (2, 2) = [[ 1. -2.5] [ 3. 4. ]]",
                "    y got (2, 2) = [[-1. 2.5] [-3. -4. ]]",
            ],
        ),
        (
            WANT * (1 + 1e-15),
            [[0, 0], [0, 0]],
            [
                "    y expected (2, 2) = [[ 1. -2.5] [ 3. 4. ]]",
                "    y got (2, 2) = [[ 1. -2.5] [ 3. 4. ]]",
            ],
        ),
    ],
    ids=["some", "small", "all", "none"],
)
def test_places_that_differ_are_marked(got: np.ndarray, off: Any, lines: list[str]) -> None:
    assert show_both("y", WANT, got, np.array(off, bool)) == lines


def test_of_an_array_that_is_not_shown_whole_nothing_is_marked() -> None:
    want = np.zeros((5, 5))
    off = np.zeros((5, 5), bool)
    off[0, 0] = True
    assert not re.search("[»«]", "".join(show_both("y", want, want + off, off)))
    want, off = want[:4], off[:4]
    assert "»1.«" in show_both("y", want, want + off, off)[1]


def test_grader_says_how_places_are_marked() -> None:
    def forgets_one(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * (x > 0) + (x == x.max(initial=0)) * (x.size > 1)

    text = grade("relu_backward", forgets_one).text
    assert "the smallest counterexample found, differing places in »«:" in text
    got = re.search(r"dx got .*", text)
    assert got
    assert 1 <= got[0].count("»") < arrays(text)["x"].size
