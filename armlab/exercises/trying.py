"""Trying an answer on an example: it is run, its arguments are looked after, and it is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.exercises.clock import TooLong
from armlab.exercises.exercise import Asked, CannotTry, as_tuple
from armlab.exercises.failure import Failure
from armlab.exercises.judging import wrong_form, wrong_values
from armlab.exercises.running import Runner
from armlab.exercises.telling import line_of, rule, told

HASTE = 0.3  # seconds for a smaller example, once one did not end
LOOPS = 5  # examples that do not end, until the last one is small enough
ENDLESS = "it does not end on this example"
UNSTEADY = (
    "it gave different results for the same arguments: "
    "it keeps something from call to call, or draws at random"
)


class Trial:
    """A reader's function, tried on one example after the other."""

    def __init__(self, asked: Asked, function: Callable[..., Any]) -> None:
        self.asked, self.function = asked, function
        self.run = Runner(asked, function, asked.seconds)
        self._failed, self._endless = False, 0

    def __call__(self, e: Any) -> Failure | None:
        """How the answer fails on this example. The first failure has to happen twice.

        Raises NotImplementedError of an answer that is not written yet, and CannotTry.
        """
        failure = self._once(e)
        if failure is None or failure.rule == ENDLESS or self._failed:
            return failure
        self._failed = True
        again = self._once(e)
        same = again is not None and again.rule == failure.rule
        return failure if same else unsteady(failure)

    def _once(self, e: Any) -> Failure | None:
        arguments = self.asked.arguments_of(e)
        kept = {k: np.copy(v) for k, v in arguments.items() if isinstance(v, np.ndarray)}
        try:
            value = self.run(arguments)
        except (NotImplementedError, CannotTry, KeyboardInterrupt):
            raise
        except TooLong as error:
            self.run.seconds = min(HASTE, self.run.seconds)
            self._endless += 1
            line = line_of(error, self.function)
            text = ENDLESS + f": it was at `{line}`" * bool(line)
            return Failure(e, text, ENDLESS, final=self._endless == LOOPS)
        except BaseException as error:  # of exit() too
            return Failure(e, told(error, self.function, self.asked.call), rule(error))
        for key, before in kept.items():
            if not np.array_equal(before, arguments[key], equal_nan=True):
                text = f"it wrote to {key}, which belongs to the caller"
                return Failure(e, text, text)
        return self._judged(e, value)

    def _judged(self, e: Any, value: Any) -> Failure | None:
        expected = self.asked.expected(e)
        if wrong := wrong_form(self.asked, value, expected):
            return Failure(e, wrong, wrong)
        if wrong := wrong_values(self.asked, value, expected):
            return Failure(e, wrong, wrong, as_tuple(value))
        return None


def unsteady(failure: Failure) -> Failure:
    """The failure of an answer whose next call is another one."""
    return Failure(failure.example, UNSTEADY, UNSTEADY, final=True)
