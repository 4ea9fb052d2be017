"""Exercises: a reader's function under the same property that the tests run.

The reader's function is called on 50 examples, drawn as in the tests, and its results are held
to the same bounds. Where it fails, the smallest counterexample is shown, and if its answer is
that of a known mistake, the hint for it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from armlab.exercises import EXERCISES
from armlab.exercises.exercise import (
    Answer,
    Asked,
    CannotTry,
    Expected,
    RuleBroken,
    as_tuple,
)

EXAMPLES = 50

# Of OpenBLAS on AVX-512, by chance, where a float32 matrix meets a vector of 5. The product is
# right: the kernel computes lanes beyond it as well, of whatever lies on the stack.
FALSE_ALARM = "invalid value encountered in matmul"


@dataclass(frozen=True)
class Grade:
    """The outcome for one function, and the text that says it.

    tried  False where this machine cannot try it, which is neither passed nor wrong
    """

    passed: bool
    text: str
    hint: str = ""
    tried: bool = True


@dataclass
class _Failure:
    example: Any
    text: str
    rule: str
    got: Answer | None = None


def grade(name: str, function: Callable[..., Any]) -> Grade:
    """The outcome for the reader's function. Never raises for a wrong answer.

    Raises KeyError for a name that is no exercise, with the names that are.
    """
    if name not in EXERCISES:
        raise KeyError(f"no exercise {name!r}; there are {', '.join(EXERCISES)}")
    asked = EXERCISES[name]
    failures: list[_Failure] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(asked.examples())
    def holds(e: Any) -> None:
        failure = _try(asked, function, e)
        if failure:
            failures.append(failure)
            raise AssertionError(failure.text)

    try:
        holds()
    except NotImplementedError:
        return Grade(False, f"○ {name}: not written yet. Fill in {asked.call}")
    except CannotTry as reason:
        return Grade(False, f"– {name}: not tried: {reason}", tried=False)
    except AssertionError:
        return _explain(name, asked, failures)
    return Grade(True, f"✓ {name}: right on {EXAMPLES} examples")


def _try(asked: Asked, function: Callable[..., Any], e: Any) -> _Failure | None:
    arguments = asked.arguments_of(e)
    kept = {k: np.copy(v) for k, v in arguments.items() if isinstance(v, np.ndarray)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", FALSE_ALARM, RuntimeWarning)
            value = asked.run(function, arguments)
    except (NotImplementedError, CannotTry):
        raise
    except Exception as error:
        return _Failure(e, _told(error), _rule(error))
    for key, before in kept.items():
        if not np.array_equal(before, arguments[key], equal_nan=True):
            text = f"it wrote to {key}, which belongs to the caller"
            return _Failure(e, text, text)
    got = as_tuple(value)
    wrong = _compare(asked, got, e)
    return _Failure(e, wrong, wrong, got) if wrong else None


def _told(error: Exception) -> str:
    if isinstance(error, RuleBroken):
        return str(error)
    return f"it raised {type(error).__name__}: {error}"


def _rule(error: Exception) -> str:
    return error.rule if isinstance(error, RuleBroken) else _told(error)


def _compare(asked: Asked, got: Answer, e: Any) -> str:
    """What is wrong with an answer, in words; empty where nothing is."""
    names = asked.names()
    if len(got) != len(names):
        return f"it returned {len(got)} values, expected {', '.join(names)}"
    for name, value, (want, limit) in zip(names, got, asked.expected(e), strict=True):
        if not isinstance(value, np.ndarray | np.generic | float | int):
            kind = f"an array of shape {want.shape}" if want.shape else "a number"
            return f"{name} is {type(value).__name__}, expected {kind}"
        value = np.asarray(value)
        if value.shape != want.shape:
            return f"{name} has shape {value.shape}, expected {want.shape}"
        with np.errstate(invalid="ignore"):
            over = ~(np.abs(value - want) <= limit)
        if over.any():
            at = tuple(int(i) for i in np.argwhere(over)[0])
            where = f"[{', '.join(map(str, at))}]" if at else ""
            off = abs(float(value[at]) - float(want[at]))
            return (
                f"{name}{where} is {value[at]:.6g}, expected {want[at]:.6g} "
                f"(off by {off:.2g}, allowed {limit[at]:.2g})"
            )
    return ""


def _explain(name: str, asked: Asked, failures: list[_Failure]) -> Grade:
    failure = failures[-1]  # Hypothesis ends on the smallest
    arguments = asked.arguments_of(failure.example)
    shown = [_show(k, v) for k, v in arguments.items() if not callable(v)]
    lines = [f"✗ {name}: {failure.text}", "  the smallest counterexample found:", *shown]
    if failure.got is not None:
        expected = asked.expected(failure.example)
        for result, value, (want, _) in zip(asked.names(), failure.got, expected, strict=False):
            lines += [_show(f"{result} expected", want)]
            lines += [_show(f"{result} got", value)]
    last = failures[-20:]
    hint = _hint(asked, [f for f in last if f.got is not None] or last)
    return Grade(False, "\n".join(lines + [f"  hint: {hint}"] * bool(hint)), hint)


def _show(name: str, value: Any) -> str:
    if isinstance(value, np.ndarray) and value.shape:
        text = np.array2string(value, threshold=24, edgeitems=2, precision=6)
        return f"    {name} {value.shape} = {' '.join(text.split())}"
    return f"    {name} = {value}"


def _hint(asked: Asked, failures: list[_Failure]) -> str:
    """The hint of the mistake that fails as the reader does, wherever the reader failed."""
    with contextlib.closing(asked.mistakes()) as mistakes:  # type: ignore[type-var]
        for hint, wrong_answer in mistakes:
            if all(_fails_alike(failure, wrong_answer, asked) for failure in failures):
                return hint
    return ""


def _fails_alike(failure: _Failure, wrong_answer: Callable[[Any], Answer], asked: Asked) -> bool:
    """Whether the mistake gives the reader's answer, or raises what the reader's function did."""
    try:
        mistaken = wrong_answer(failure.example)
    except Exception as error:
        return failure.rule == _rule(error)
    if failure.got is None:
        return False
    return _is_mistake(failure.got, mistaken, asked.expected(failure.example))


def _is_mistake(got: Answer, mistaken: Answer, expected: Expected) -> bool:
    """Whether the mistake is wrong here in just the way in which the reader is."""
    wrong = False
    for mine, theirs, (want, limit) in zip(got, mistaken, expected, strict=True):
        faulty = np.asarray(theirs)
        if np.shape(faulty) != np.shape(mine):
            return False
        if faulty.shape != want.shape:
            wrong = True
        elif not _within(faulty, mine, limit):
            return False
        else:
            wrong = wrong or not _within(faulty, want, limit)
    return wrong


def _within(a: np.ndarray, b: np.ndarray, limit: np.ndarray) -> bool:
    """Whether they are so near to each other everywhere, or both NaN."""
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= limit
    return bool((near | (np.isnan(a) & np.isnan(b))).all())
