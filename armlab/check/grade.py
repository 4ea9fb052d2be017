"""Exercises: a reader's function under the same property that the tests run.

The reader's function is called on 50 examples, drawn as in the tests, and its results are held
to the same bounds. Where it fails, the smallest counterexample is shown, and if its answer is
what a fault of the catalogue gives, the hint of that fault.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from armlab.check import faults
from armlab.check.agreement import ROUNDOFF
from armlab.check.bounds import whole
from armlab.check.cases import CASES
from armlab.check.example import Example
from armlab.check.exercises import EXERCISES, Exercise
from armlab.check.sides import run_hand, run_torch

Answer = tuple[Any, ...]
EXAMPLES = 50


@dataclass(frozen=True)
class Grade:
    """The outcome for one function, and the text that says it."""

    passed: bool
    text: str
    hint: str = ""


@dataclass
class _Failure:
    example: Example
    text: str
    got: Answer | None = None


def exercise(name: str, function: Callable[..., Any]) -> None:
    """Grade the reader's function and print the outcome. Never raises for a wrong answer.

    Raises KeyError for a name that is no exercise, with the names that are.
    """
    print(grade(name, function).text)


def grade(name: str, function: Callable[..., Any]) -> Grade:
    """The outcome for the reader's function; see `exercise`."""
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
    @given(_examples(asked))
    def holds(e: Example) -> None:
        failure = _try(asked, function, e)
        if failure:
            failures.append(failure)
            raise AssertionError(failure.text)

    try:
        holds()
    except NotImplementedError:
        return Grade(False, f"○ {name}: not written yet. Fill in {asked.call}")
    except AssertionError:
        return _explain(name, asked, failures)
    return Grade(True, f"✓ {name}: right on {EXAMPLES} examples")


def _examples(asked: Exercise) -> st.SearchStrategy[Example]:
    return CASES[asked.case].readable_examples().filter(asked.fits)


def _try(asked: Exercise, function: Callable[..., Any], e: Example) -> _Failure | None:
    arguments = asked.arguments(e)
    kept = {k: np.copy(v) for k, v in arguments.items() if isinstance(v, np.ndarray)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value = function(**arguments)
    except NotImplementedError:
        raise
    except Exception as error:
        return _Failure(e, f"it raised {type(error).__name__}: {error}")
    for key, before in kept.items():
        if not np.array_equal(before, arguments[key], equal_nan=True):
            return _Failure(e, f"it wrote to {key}, which belongs to the caller")
    got = value if isinstance(value, tuple) else (value,)
    wrong = _compare(asked, got, e)
    return _Failure(e, wrong, got) if wrong else None


def _compare(asked: Exercise, got: Answer, e: Example) -> str:
    """What is wrong with an answer, in words; empty where nothing is."""
    names = [_reader_name(r) for r in asked.results]
    if len(got) != len(names):
        return f"it returned {len(got)} values, expected {', '.join(names)}"
    for name, value, (want, limit) in zip(names, got, _expected(asked, e), strict=True):
        if not isinstance(value, np.ndarray | np.generic | float):
            return f"{name} is {type(value).__name__}, expected an array of shape {want.shape}"
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


def _expected(asked: Exercise, e: Example) -> list[tuple[np.ndarray, np.ndarray]]:
    """Each result in float64 by PyTorch, and how far a right answer may be from it."""
    exact = run_torch(asked.case, e, "float64")
    bound = CASES[asked.case].bound
    if bound is None:
        limits = {key: whole(value) for key, value in exact.items()}
    else:
        limits = {k: 4 * np.asarray(b) for k, b in bound(e, exact, ROUNDOFF["float64"]).items()}
    return [(exact[r], np.broadcast_to(limits[r], exact[r].shape)) for r in asked.results]


def _explain(name: str, asked: Exercise, failures: list[_Failure]) -> Grade:
    failure = failures[-1]  # Hypothesis ends on the smallest
    arguments = asked.arguments(failure.example)
    shown = [_show(k, v) for k, v in arguments.items() if not callable(v)]
    lines = [f"✗ {name}: {failure.text}", "  the smallest counterexample found:", *shown]
    if failure.got is not None:
        for result, value, (want, _) in zip(
            asked.results, failure.got, _expected(asked, failure.example), strict=False
        ):
            lines += [_show(f"{_reader_name(result)} expected", want)]
            lines += [_show(f"{_reader_name(result)} got", value)]
    hint = _hint(asked, [f for f in failures[-20:] if f.got is not None])
    return Grade(False, "\n".join(lines + [f"  hint: {hint}"] * bool(hint)), hint)


def _show(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        return f"    {name} = {value}"
    text = np.array2string(np.asarray(value), threshold=24, edgeitems=2, precision=6)
    return f"    {name} {np.shape(value)} = {' '.join(text.split())}"


def _hint(asked: Exercise, failures: list[_Failure]) -> str:
    """The hint of the fault that gives the reader's answer, wherever that was wrong."""
    for fault in faults.of_case(asked.case) if failures else []:
        with faults.planted(fault), contextlib.suppress(Exception):  # a fault may break by itself
            if all(_is_fault(asked, failure) for failure in failures):
                return fault.hint
    return ""


def _is_fault(asked: Exercise, failure: _Failure) -> bool:
    """Whether the planted fault is wrong here in just the way in which the reader is."""
    by_hand = run_hand(asked.case, failure.example, "float64")
    got = failure.got or ()
    wrong = False
    for result, mine, (want, limit) in zip(
        asked.results, got, _expected(asked, failure.example), strict=True
    ):
        faulty = by_hand[result]
        if np.shape(faulty) != np.shape(mine):
            return False
        if faulty.shape != want.shape:
            wrong = True
        elif (np.abs(faulty - mine) > limit).any():
            return False
        else:
            wrong = wrong or bool((np.abs(faulty - want) > limit).any())
    return wrong


def _reader_name(result: str) -> str:
    return {"y": "the value"}.get(result, result)
