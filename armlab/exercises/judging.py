"""Judging an answer: how many results there are, of which type and shape, and their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.exercise import Asked, Expected, as_tuple
from armlab.exercises.telling import a_kind, at_place, numbers

HOLDS = {
    "b": "truth values",
    "c": "complex numbers",
    "O": "Python objects",
    "U": "text",
    "S": "text",
}


def wrong_form(asked: Asked, value: Any, expected: Expected) -> str:
    """What is wrong with the number or the types of results, in a sentence; empty if nothing is."""
    names = asked.names()
    if wrong := wrong_count(names, value):
        return wrong
    results = zip(names, as_tuple(value), expected, strict=True)
    told = (_wrong_type(name, got, want, asked.dtype) for name, got, (want, _) in results)
    return next(filter(None, told), "")


def wrong_values(asked: Asked, value: Any, expected: Expected) -> str:
    """What is wrong with a shape, or else with a number, in a sentence; empty if nothing is.

    value  what was returned, of the right form
    """
    results = list(zip(asked.names(), as_tuple(value), expected, strict=True))
    shapes = (_wrong_shape(name, got, want) for name, got, (want, _) in results)
    told = (
        _wrong_numbers(name, np.asarray(got), want, limit) for name, got, (want, limit) in results
    )
    return next(filter(None, shapes), "") or next(filter(None, told), "")


def wrong_count(names: list[str], value: Any) -> str:
    """What is wrong with the number of results, in a sentence; empty where nothing is."""
    if value is None:
        return "it returned None: did you forget `return`?"
    count, listed = len(names), ", ".join(names)
    if isinstance(value, tuple):
        if len(value) == count:
            return ""
        wanted = f"{count}: {listed}" if count > 1 else f"{listed} alone"
        results = "1 result" if len(value) == 1 else f"{len(value)} results"
        return f"it returned {results}, expected {wanted}"
    if count > 1:
        return f"it returned {a_kind(value)}, expected {count} results: return {listed}"
    return ""


def _wrong_type(name: str, got: Any, want: np.ndarray, dtype: str) -> str:
    wanted = f"a NumPy array of shape {want.shape}" if want.shape else "a number"
    if isinstance(got, bool) or not (
        type(got) is np.ndarray or isinstance(got, np.generic | int | float | complex)
    ):
        return f"{name} is {a_kind(got)}, expected {wanted}"
    given = np.asarray(got).dtype
    if given.kind not in "iuf":
        wanted = dtype if want.dtype.kind == "f" else "whole numbers"
        return f"{name} holds {HOLDS.get(given.kind, given)}, expected {wanted}"
    precise = isinstance(got, np.ndarray) or given.kind == "f"  # a Python number fits anywhere
    if want.dtype.kind == "f" and precise and given != dtype:
        return f"{name} is {given}, expected {dtype}, as its inputs are"
    return ""


def _wrong_shape(name: str, got: Any, want: np.ndarray) -> str:
    shape = np.shape(got)
    if shape == want.shape:
        return ""
    if not isinstance(got, np.ndarray):
        return f"{name} is a number, expected an array of shape {want.shape}"
    return f"{name} has shape {shape}, expected {want.shape or 'a number'}"


def too_far(got: Any, want: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Which of the numbers are further off than they may be."""
    with np.errstate(invalid="ignore"):
        over: np.ndarray = ~((got == want) | (np.abs(got - want) <= limit))
    return over


def _wrong_numbers(name: str, got: np.ndarray, want: np.ndarray, limit: np.ndarray) -> str:
    over = too_far(got, want, limit)
    if not over.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(over)[0])
    shown, expected = numbers(got[at], want[at])
    text = f"{name}{at_place(at)} is {shown}, expected {expected}"
    off = abs(float(got[at]) - float(want[at]))
    return f"{text} (off by {off:.2g}, allowed {limit[at]:.2g})" if np.isfinite(off) else text
