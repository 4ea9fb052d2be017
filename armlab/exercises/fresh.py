"""Fresh examples for hints, and what a reader's function makes of them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from armlab.exercises.exercise import Answer, Arguments, Asked, CannotTry, Expected, as_tuple

DRAWN, PLAIN, OTHERS = 100, 16, 16
SECONDS = 3.0  # of the processor that an answer may take for all of them

Call = Callable[[Arguments], Any]


@dataclass(frozen=True)
class Tried:
    """What came back on one example: results of numbers, or an error.

    got    None where there are none, and on a question that was not asked yet
    plain  whether the example's numbers are ordinary: few of them equal, none large or tiny
    fresh  whether it was drawn for the hint, and not while a counterexample was looked for
    """

    example: Any
    arguments: Arguments
    expected: Expected
    got: Answer | None
    error: BaseException | None
    plain: bool = False
    fresh: bool = True

    @property
    def wrong(self) -> bool:
        return self.got is None or not is_right(self.got, self.expected)


def is_right(got: Answer, expected: Expected) -> bool:
    return len(got) == len(expected) and all(
        same(value, want, limit) for value, (want, limit) in zip(got, expected, strict=True)
    )


def same(a: Any, b: Any, limit: Any = 0.0) -> bool:
    """Whether two results have one shape, and numbers so near to each other, or both NaN."""
    if np.shape(a) != np.shape(b):
        return False
    with np.errstate(invalid="ignore"):
        near = (a == b) | (np.abs(np.subtract(a, b)) <= limit)
    return bool((near | (np.isnan(a) & np.isnan(b))).all())


def alike(a: Any, b: Any, limit: Any = 0.0) -> bool:
    """The same for two wrong results, which rounding may drive further apart."""
    largest = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
    return same(a, b, limit + 1e-9 * largest)


def tries(asked: Asked, call: Call, failing: list[Any]) -> list[Tried]:
    """What the function gives on fresh examples, and on those on which it is known to fail."""
    began = time.process_time()
    tried: list[Tried] = []
    rounds = list(fresh_examples(asked))
    rounds[3:3] = [_question(asked, e, fresh=False) for e in failing[:-9:-1]]  # the smallest first
    for question in rounds:
        if time.process_time() - began > SECONDS:
            break
        got, error = attempt(call, question.arguments)
        tried.append(replace(question, got=got, error=error))
    return tried


def _question(asked: Asked, e: Any, fresh: bool = True) -> Tried:
    arguments = asked.arguments_of(e)
    return Tried(e, arguments, asked.expected(e), None, None, _is_plain(arguments), fresh)


def attempt(call: Call, arguments: Arguments) -> tuple[Answer | None, BaseException | None]:
    """The results as numbers, or what was raised. The arguments stay as they are."""
    given = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    try:
        values = as_tuple(call(given))
        got = tuple(np.asarray(value) for value in values)
    except (CannotTry, KeyboardInterrupt):
        raise
    except BaseException as error:  # of exit() too
        return None, error
    if all(value.dtype.kind in "iuf" for value in got):
        return got, None
    return None, TypeError("no numbers")


_KEPT: dict[str, list[Tried]] = {}


def fresh_examples(asked: Asked) -> list[Tried]:
    """The same few examples whenever they are asked for, plain ones first; not answered yet."""
    if asked.call not in _KEPT:
        plain, others = _drawn(asked)
        _KEPT[asked.call] = [_question(asked, e) for e in plain + others]
    return _KEPT[asked.call]


class _Enough(BaseException):
    """Ends the drawing. No Exception, which Hypothesis would take for a failure."""


def _drawn(asked: Asked) -> tuple[list[Any], list[Any]]:
    """Plain examples, and others."""
    kinds: tuple[list[Any], list[Any]] = ([], [])

    @settings(
        max_examples=DRAWN,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @given(asked.examples())
    def collect(e: Any) -> None:
        is_plain = _is_plain(asked.arguments_of(e))
        kinds[not is_plain].append(e)
        if len(kinds[0]) >= PLAIN and len(kinds[1]) >= OTHERS:
            raise _Enough

    with contextlib.suppress(_Enough):
        collect()
    return kinds[0][:PLAIN], kinds[1][:OTHERS]


def _is_plain(arguments: Arguments) -> bool:
    """Several images, H and W apart, and numbers of about one size."""
    for value in arguments.values():
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            continue
        if not np.isfinite(value).all() or np.abs(value).max(initial=0) > 100:
            return False
        if value.ndim == 4 and (len(value) < 2 or 1 < value.shape[2] == value.shape[3]):
            return False
        if value.size > 3 and np.ptp(value) < 0.1:
            return False
    return True
