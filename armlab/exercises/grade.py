"""Exercises: a reader's function under the same property that the tests run.

The reader's function is called on 50 examples, drawn as in the tests, and its results are held
to the same bounds. Where it fails, the smallest counterexample is shown, and if its answer is
that of a known mistake, the hint for it. `trying.py` is one example of it: `running.py` calls the
function, `judging.py` looks at what comes back, `telling.py` puts it into words.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from inspect import isroutine
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky

from armlab.exercises import EXERCISES
from armlab.exercises.called import called, told
from armlab.exercises.exercise import CannotTry, Exercise
from armlab.exercises.failure import Failure
from armlab.exercises.hints import hint
from armlab.exercises.judging import too_far
from armlab.exercises.running import one_thread, warnings_raised
from armlab.exercises.telling import LEFT, RIGHT, show, show_both
from armlab.exercises.trying import Trial, unsteady
from armlab.exercises.whole_numbers import on_whole_numbers

EXAMPLES = 50
SHRINKING = 3.5  # seconds of the processor in which a smaller counterexample is looked for


@dataclass(frozen=True)
class Grade:
    """The outcome for one function, and the text that says it.

    tried  False where this machine cannot try it, which is neither passed nor wrong
    """

    passed: bool
    text: str
    hint: str = ""
    tried: bool = True


def grade(name: str, function: Callable[..., Any]) -> Grade:
    """The outcome for the reader's function. Never raises for a wrong answer.

    What the function raises is told, exit() too; a call that does not end is ended, where `clock`
    can. The reader's own interrupt goes through.

    Raises KeyError for a name that is no exercise, with the names that are.
    """
    if name not in EXERCISES:
        raise KeyError(f"no exercise {name!r}; there are {', '.join(EXERCISES)}")
    asked = EXERCISES[name]
    oracle = ["torch"] if isinstance(asked, Exercise) else []
    try:
        with one_thread(*oracle):
            trial = Trial(asked, function)
            failures = _failures(trial)
            if failures:
                return _explain(name, trial, failures)
    except NotImplementedError:
        return Grade(False, f"○ {name}: not written yet. Fill in {asked.call}")
    except CannotTry as reason:
        return Grade(False, f"– {name}: not tried: {reason}", tried=False)
    return Grade(True, f"✓ {name}: right on {EXAMPLES} examples")


class _Enough(BaseException):
    """Ends the search. No Exception, which Hypothesis would take for another failure."""


def _failures(trial: Trial) -> list[Failure]:
    """How the answer fails, on smaller and smaller examples; none where it is right.

    Raises NotImplementedError and CannotTry as soon as one call does.
    """
    failures: list[Failure] = []
    ended: list[Exception] = []
    until = math.inf

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(trial.asked.examples())
    def holds(e: Any) -> None:
        nonlocal until
        try:
            failure = trial(e)
        except (NotImplementedError, CannotTry) as reason:
            ended.append(reason)
            raise _Enough from None
        if failure:
            failures.append(failure)
            until = min(until, time.process_time() + SHRINKING)
        if time.process_time() > until or (failure and failure.final):
            raise _Enough
        assert not failure

    try:
        holds()
    except Flaky:
        failures.append(unsteady(failures[-1]))
    except (AssertionError, _Enough):
        pass
    if ended:
        raise ended[0]
    return failures


def _explain(name: str, trial: Trial, failures: list[Failure]) -> Grade:
    failure = on_whole_numbers(trial, failures[-1])  # Hypothesis ends on the smallest
    lines = [f"✗ {name}: {failure.text}", *_shown(name, trial, failure)]
    text = "" if failure.final else _hint(trial, failures)
    return Grade(False, "\n".join(lines + [f"  hint: {text}"] * bool(text)), text)


def _shown(name: str, trial: Trial, failure: Failure) -> list[str]:
    """The counterexample: what was given, what the answer called, what it should have returned."""
    asked = trial.asked
    given = asked.arguments_of(failure.example)
    arguments = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in given.items()}
    lines = [show(k, v) for k, v in arguments.items() if not isroutine(v)]
    if any(map(isroutine, arguments.values())):
        lines += told(name, called(trial.run, arguments), arguments)
    if failure.got is not None:
        expected = asked.expected(failure.example)
        for result, value, (want, limit) in zip(asked.names(), failure.got, expected, strict=False):
            off = too_far(value, want, limit) if np.shape(value) == want.shape else None
            lines += show_both(result, want, value, off)
    marked = f", differing places in {LEFT}{RIGHT}" * any(LEFT in line for line in lines)
    return [f"  the smallest counterexample found{marked}:", *lines]


def _hint(trial: Trial, failures: list[Failure]) -> str:
    """Empty too where an answer is of a kind that the search for hints cannot cope with."""
    with warnings_raised(), contextlib.suppress(Exception):
        return hint(trial.asked, trial.run, [f.example for f in failures])
    return ""
