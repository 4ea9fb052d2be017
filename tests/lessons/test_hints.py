"""Hints: how many wrong answers get one, that it names their mistake, and that none is false.

`first_tries/hints.md` has what each first try is told, read and found true of it by a person.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from first_tries import TRIES

from armlab.exercises import EXERCISES
from armlab.exercises.exercise import Puzzle, as_tuple
from armlab.exercises.fresh import alike, fresh_examples
from armlab.exercises.grade import grade
from armlab.exercises.hints import hint
from armlab.exercises.mistakes import MISTAKES

TABLE = Path(__file__).with_name("first_tries") / "hints.md"
LEAST, SHARE, OTHERS = 150, 0.9, 0.04
NUMPY = sorted(set(MISTAKES) - {"channel_dot"})  # whose answers are functions of arrays


@contextmanager
def as_the_grader() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.filterwarnings("ignore", "invalid value encountered in matmul", RuntimeWarning)
        yield


@cache
def told(name: str, what: str) -> str:
    """The hint of a first try, on fresh examples; where it is right on all of them, the grader's,
    which looks for others."""
    answer = TRIES[name][what]
    with as_the_grader():
        text = hint(EXERCISES[name], partial(EXERCISES[name].run, answer), [])
    return text or grade(name, answer).hint


def expected() -> dict[tuple[str, str], str]:
    rows = [line[2:-2].split(" | ") for line in TABLE.read_text("utf-8").splitlines()[4:]]
    return {(name, what): text for name, what, text in rows}


def table() -> str:
    """What `hints.md` has to be."""
    head = ["# What first tries are told", "", "| exercise | the mistake | hint |", "|---|---|---|"]
    tries = [(name, what) for name, answers in TRIES.items() for what in answers]
    return "\n".join(head + [f"| {a} | {b} | {told(a, b) or '—'} |" for a, b in tries]) + "\n"


def test_every_exercise_has_first_tries() -> None:
    assert set(TRIES) == set(EXERCISES)
    assert sum(map(len, TRIES.values())) >= LEAST


def test_nine_of_ten_first_tries_get_a_hint_and_nearly_all_the_one_that_was_read() -> None:
    """Hypothesis takes constants from the modules that are loaded, so which examples are drawn
    is not the same in every process, and an answer at the margin may be told something else."""
    read = expected()
    assert set(read) == {(name, what) for name in TRIES for what in TRIES[name]}
    now = {(name, what): told(name, what) for name, what in read}
    other = [key for key, text in now.items() if (text or "—") != read[key]]
    without = sum(not text for text in now.values())
    print(f"{len(now) - without} first tries with a hint, {without} without, {len(other)} others")
    assert without <= (1 - SHARE) * len(now)
    assert len(other) <= OTHERS * len(now), other


@pytest.mark.parametrize(
    "name", [k for k, v in EXERCISES.items() if isinstance(v, Puzzle) and k != "channel_dot"]
)
def test_right_answer_gets_no_hint(name: str) -> None:
    asked: Any = EXERCISES[name]
    assert hint(asked, partial(asked.run, asked.answer), []) == ""


def answers(name: str, function: Callable[..., Any]) -> list[Any]:
    """What a function gives on each of the fresh examples; None where it raises."""
    asked, found = EXERCISES[name], []
    for question in fresh_examples(asked):
        try:
            with as_the_grader():
                found.append(as_tuple(asked.run(function, question.arguments)))
        except Exception:
            found.append(None)
    return found


def same_answers(name: str, one: Callable[..., Any], other: Callable[..., Any]) -> bool:
    return all(
        a is b or (a is not None and b is not None and len(a) == len(b) and all(map(alike, a, b)))
        for a, b in zip(answers(name, one), answers(name, other), strict=True)
    )


@pytest.mark.parametrize("name", NUMPY)
def test_mistake_gets_its_own_hint_and_no_other_does(name: str) -> None:
    asked: Any = EXERCISES[name]
    for text, function in asked.wrong.items():
        with as_the_grader():
            found = hint(asked, partial(asked.run, function), [])
        if found != text and found in asked.wrong:
            assert same_answers(name, function, asked.wrong[found]), (text, found)
        elif found != text:  # it is wrong on rarer examples than these
            assert found == "", (text, found)
            assert same_answers(name, function, asked.answer) if isinstance(asked, Puzzle) else True


def by_turns(one: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    """Now one, now the other, as the arguments have it."""

    def answer(**given: Any) -> Any:
        seen = sum(np.asarray(v).size for v in given.values() if not callable(v))
        whole = sum(v for v in given.values() if isinstance(v, int))
        return (one, other)[int(seen + whole) % 2](**given)

    return answer


@pytest.mark.parametrize("name", NUMPY)
def test_an_answer_that_is_a_mistake_by_chance_does_not_get_its_hint(name: str) -> None:
    asked: Any = EXERCISES[name]
    for (text, one), (other_text, other) in pairwise(asked.wrong.items()):
        mixed = by_turns(one, other)
        with as_the_grader():
            found = hint(asked, partial(asked.run, mixed), [])
        for said, function in ((text, one), (other_text, other)):
            assert found != said or same_answers(name, mixed, function), said
