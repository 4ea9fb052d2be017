"""Telling a reader: what was raised and where, what came back, and numbers that differ."""

from __future__ import annotations

import linecache
import re
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.exercises.exercise import RuleBroken

LONGEST = 160  # characters of a message or a line
FEW: Any = {"threshold": 24, "edgeitems": 2}  # numbers of an array that are shown
NUMBER = re.compile(r"-?(?:[\d.]+(?:e[-+]\d+)?|inf|nan)")  # as NumPy prints it
LEFT, RIGHT = "»", "«"  # of a number that differs
ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # of an object: another one each time


def rule(error: BaseException) -> str:
    """What an answer raised, without the place."""
    if isinstance(error, RuleBroken):
        return error.rule
    if isinstance(error, SystemExit):
        return "it called exit(), which ends Python"
    message = _message(error)
    if isinstance(error, Warning):
        return f"NumPy warned: {message}"
    return f"it raised {type(error).__name__}" + f": {message}" * bool(message)


def told(error: BaseException, function: Callable[..., Any], call: str) -> str:
    """What an answer raised, and the line of it that did.

    call  how it is to be called, which is said where it was not entered at all
    """
    if isinstance(error, RuleBroken):
        return str(error)
    if line := line_of(error, function):
        return f"{rule(error)}, at `{line}`"
    outside = isinstance(error, TypeError) and hasattr(function, "__code__")
    return rule(error) + f"; it is called as {call.partition(' -> ')[0]}" * outside


def line_of(error: BaseException, function: Callable[..., Any]) -> str:
    """The last line of the reader's own file that an error went through; empty if there is none."""
    code = getattr(function, "__code__", None)
    own = [
        number
        for frame, number in traceback.walk_tb(error.__traceback__)
        if code is not None and frame.f_code.co_filename == code.co_filename
    ]
    return _short(linecache.getline(code.co_filename, own[-1])) if code and own else ""


def _message(error: BaseException) -> str:
    try:
        return ADDRESS.sub("", _short(str(error)))
    except Exception:  # its own class may be wrong as well
        return ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def a_kind(value: Any) -> str:
    """What a value is, with its article."""
    kind = type(value)
    if kind is np.ndarray:
        return f"an array of shape {value.shape}"
    if kind.__module__.partition(".")[0] == "torch":
        return "a torch tensor"
    if value is None or kind.__name__ == "NoneType":
        return "None"
    return f"{'an' if kind.__name__[0] in 'aeiouAEIOU' else 'a'} {kind.__name__}"


def numbers(*values: Any) -> list[str]:
    """Whole numbers as they are, others with six digits, or with as many as tell them apart."""
    if all(isinstance(value, np.integer) for value in values):
        return [str(value) for value in values]
    for digits in range(6, 18):
        shown = [f"{value:.{digits}g}" for value in values]
        if len(set(shown)) == len(shown):
            break
    return shown


def at_place(at: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, at))}]" if at else ""


def show(name: str, value: Any, digits: int = 6) -> str:
    """A line for what an example has or an answer gave."""
    is_array = type(value) is np.ndarray and value.shape
    try:
        text = np.array2string(value, **FEW, precision=digits) if is_array else str(value)
    except Exception:  # of an object of the reader's own
        text = f"({a_kind(value)})"
    if is_array:
        return f"    {name} {value.shape} = {' '.join(text.split())}"
    return f"    {name} = {_short(text)}"


def show_both(name: str, want: np.ndarray, got: Any, off: np.ndarray | None) -> list[str]:
    """A result as it is expected and as it came, with as many digits as tell them apart.

    off  which of its numbers are wrong, and are marked if the others are right
    """
    right = off is not None and not off.any()
    told_apart = (d for d in range(6, 18, 2) if show("", want, d) != show("", got, d))
    digits = 6 if right else next(told_apart, 6)
    lines = [show(f"{name} expected", want, digits), show(f"{name} got", got, digits)]
    apart = off is not None and off.any() and not off.all()
    return [_marked(line, off) for line in lines] if apart and off is not None else lines


def _marked(line: str, off: np.ndarray) -> str:
    """A line of `show`, with marks at these places; as it is where not all numbers are shown."""
    head, equals, body = line.partition(" = ")
    places = iter(off.ravel())
    if len(NUMBER.findall(body)) != off.size:
        return line
    return (
        head + equals + NUMBER.sub(lambda n: f"{LEFT}{n[0]}{RIGHT}" if next(places) else n[0], body)
    )
