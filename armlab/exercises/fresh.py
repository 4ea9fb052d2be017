"""Fresh examples for hints, and what a reader's function makes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from armlab.exercises.exercise import Answer, Arguments, Asked, CannotTry, Expected, as_tuple

DRAWN, ORDINARY, OTHERS = 120, 16, 16
SECONDS = 0.8  # of the processor, after which a few trials have to do
FEW = 6

Call = Callable[[Arguments], Any]


@dataclass(frozen=True)
class Tried:
    """What came back on one example: results of numbers, or an error.

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
    began, tried = time.process_time(), []
    rounds = [(e, True, plain) for e, plain in fresh_examples(asked)]
    rounds[3:3] = [(e, False, False) for e in failing[:-9:-1]]  # the smallest first
    for e, is_fresh, plain in rounds:
        if len(tried) >= FEW and time.process_time() - began > SECONDS:
            break
        tried.append(_tried(asked, call, e, plain, is_fresh))
    return tried


def _tried(asked: Asked, call: Call, e: Any, plain: bool, is_fresh: bool) -> Tried:
    arguments, expected = asked.arguments_of(e), asked.expected(e)
    got, error = attempt(call, arguments)
    return Tried(e, arguments, expected, got, error, plain, is_fresh)


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
    if all(value.dtype.kind in "biuf" for value in got):
        return got, None
    return None, TypeError("no numbers")


_KEPT: dict[str, list[tuple[Any, bool]]] = {}


def fresh_examples(asked: Asked) -> list[tuple[Any, bool]]:
    """The same few examples whenever they are asked for, each with whether it is plain."""
    if asked.call not in _KEPT:
        drawn: list[Any] = []

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
            drawn.append(e)

        collect()
        judged = [(e, _is_plain(asked.arguments_of(e))) for e in drawn]
        plain = [pair for pair in judged if pair[1]][:ORDINARY]
        _KEPT[asked.call] = plain + [pair for pair in judged if not pair[1]][:OTHERS]
    return _KEPT[asked.call]


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
