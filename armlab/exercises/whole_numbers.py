"""The same mistake on small whole numbers, for a reader who works it out by hand."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from inspect import isroutine
from itertools import cycle, islice
from typing import Any

import numpy as np

from armlab.check.example import Example
from armlab.exercises.called import called
from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle, as_tuple
from armlab.exercises.failure import Failure
from armlab.exercises.fresh import is_right, same
from armlab.exercises.trying import ENDLESS, Trial

NUMBERS = (1, 2, -1, 3, -2, 2, 1, -3)
WEIGHTS = (1, -1, 0, 1, 1, 0, -1)  # smaller, so that no gate is all but shut
STARTS = (0, 2, 3, 5)
EPS = 1e-5  # of batch normalisation: with a kept variance of 1 − EPS it divides by 1
LARGEST, SMALLEST = 100, 0.01  # of what a person likes to read
GIVEN = 4  # times what comes out of them, such are numbers that a reader is given
ZEROS = 12  # an array of nothing else costs as much as so many numbers


def on_whole_numbers(trial: Trial, failure: Failure) -> Failure:
    """How the answer fails in the same way on whole numbers; as it was where that reads better."""
    if failure.final or failure.rule == ENDLESS or _effort(trial, failure) == 0:
        return failure
    kind = _kind(trial.asked, failure)
    found = [failure]
    for e in _others(trial.asked, failure.example):
        with contextlib.suppress(Exception):  # of a question that cannot be asked so
            other = trial(e) if _can_be_shown(trial.asked, e) else None
            if other is not None and other.rule == ENDLESS:
                break
            if other is not None and _kind(trial.asked, other) == kind:
                found.append(other)
    return min(found, key=lambda one: _effort(trial, one))


def _can_be_shown(asked: Asked, e: Any) -> bool:
    """Whether the exercise can be asked so, and a right answer is right there."""
    with np.errstate(all="ignore"):
        if isinstance(asked, Exercise):
            return asked.fits(e) and is_right(asked.by_hand(e), asked.expected(e))
        return all(np.isfinite(want).all() for want, _ in asked.expected(e))


def _kind(asked: Asked, failure: Failure) -> Any:
    """What is wrong, without its numbers: the error, or which result is the first, and how."""
    if failure.got is None:
        return failure.rule
    results = zip(failure.got, asked.expected(failure.example), strict=False)
    for at, (got, (want, limit)) in enumerate(results):
        if np.shape(got) != want.shape:
            return at, "shape"
        if not same(got, want, limit):
            return at, "numbers"
    return None


def _effort(trial: Trial, failure: Failure) -> int:
    """How hard the numbers are to follow: those with many digits, the tiny and the large; zeros."""
    asked, e = trial.asked, failure.example
    arguments = asked.arguments_of(e)
    others: list[Any] = [want for want, _ in asked.expected(e)]
    if any(map(isroutine, arguments.values())):
        others += [a for call in called(trial.run, arguments) for a in as_tuple(call.returned)]
    return GIVEN * sum(map(_hard, arguments.values())) + sum(map(_hard, others))


def _hard(a: Any) -> int:
    if not isinstance(a, np.ndarray) or a.dtype.kind != "f" or not a.size:
        return 0
    size = np.abs(a)
    digits = np.count_nonzero(np.abs(a - np.rint(a)) > 1e-3 * SMALLEST)
    extreme = np.count_nonzero((size >= LARGEST) | ((size > 0) & (size < SMALLEST)))
    return int(digits + 4 * extreme) + ZEROS * (not a.any())


def _others(asked: Asked, e: Any) -> Iterator[Any]:
    """The example rounded, and with other numbers; of a module also with its kept statistics."""
    if isinstance(asked, Puzzle):
        # What is 0 may be part of the question, as the moments before a first step.
        nothing = {k: v for k, v in e.items() if isinstance(v, np.ndarray) and not v.any()}
        yield from (_changed(e, start) | nothing for start in (None, *STARTS))
    elif isinstance(e, Example):
        for start in (None, *STARTS):
            inputs, dy = _changed(e.inputs, start), _one_or_several(e.dy, start)
            options, state = _changed(e.options, start), e.state and _weights(e.state, start)
            changed = replace(e, inputs=inputs, options=options, dy=dy, state=state, clean=None)
            yield changed
            if state:
                yield replace(changed, state=state | _of_evaluation(state), training=False)


def _changed(arrays: Mapping[str, Any], start: int | None) -> Arguments:
    return {
        name: _whole(value, NUMBERS, start if start is None else start + turn)
        for turn, (name, value) in enumerate(arrays.items())
    }


def _one_or_several(dy: Any, start: int | None) -> Any:
    values = tuple(
        _whole(value, NUMBERS, start if start is None else start + 1) for value in as_tuple(dy)
    )
    return values if isinstance(dy, tuple) else values[0]


def _weights(state: Mapping[str, Any], start: int | None) -> Arguments:
    return {
        name: _whole(value, WEIGHTS, start if start is None else start + turn)
        for turn, (name, value) in enumerate(state.items())
    }


def _of_evaluation(state: Mapping[str, Any]) -> Arguments:
    """Kept statistics with which batch normalisation in evaluation changes nothing."""
    means = {n: np.zeros_like(v) for n, v in state.items() if n.endswith("running_mean")}
    spread = {n: np.full_like(v, 1 - EPS) for n, v in state.items() if n.endswith("running_var")}
    return means | spread


def _whole(value: Any, numbers: tuple[int, ...], start: int | None) -> Any:
    """Rounded, or these numbers from `start` on; what was of one sign stays so."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return value
    made = np.rint(value) + 0.0  # no −0
    if start is not None:
        found = list(islice(cycle(numbers), start, start + value.size))
        made = np.array(found, dtype=value.dtype).reshape(value.shape)
    return np.maximum(np.abs(made), 1) if value.size and (value > 0).all() else made
