"""What the hand side of a trace notes: arrays that come and go, and contracts that are broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from armlab.watch import Call, Function

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Event:
    """An array at the moment at which it is handed over or comes back.

    phase   "forward" or "gradients"
    where   path of the module, "" for the traced one
    name    "x", "dy"; of a function "conv2d x", "conv2d dw"; of a parameter "d weight"
    array   the object: the same one may come under several names
    value   its values at that moment
    key     what the twin's record calls the same value: (path, function, which call, "in" or "out",
            number); of the gradient of a parameter (path, "", its key, 0)
    source  where to look if this is the first value that parts
    call    the call whose result this is; None for what is handed over, and for modules
    """

    phase: str
    where: str
    name: str
    array: Any
    value: Any
    key: Key
    source: str
    call: Call | None = None

    @property
    def is_result(self) -> bool:
        """Whether this is what the traced module itself returns: its y or its dx."""
        side = {"forward": "out", "gradients": "in"}[self.phase]
        return self.key[:2] == ("", "") and self.key[3] == side


@dataclass(frozen=True)
class Problem:
    """What the code by hand did instead: it raised, or returned something of another kind."""

    phase: str
    where: str
    name: str
    text: str
    source: str


class BrokenContractError(Exception):
    """What a module returned is of the wrong kind, so the run cannot go on."""


class Notes:
    """The events of one run, in order.

    shared  the module paths that both sides have: functions in another part count for its parent
    counts  how often each function ran, by path and name; a module itself has the name ""
    """

    def __init__(self, shared: Collection[str]) -> None:
        self.shared = shared
        self.events: list[Event | Problem] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self._error: Exception | None = None

    def place(self, path: str, name: str) -> Key:
        """The key of one more call."""
        while name and path not in self.shared:
            path = path.rpartition(".")[0]
        self.counts[path, name] += 1
        return path, name, self.counts[path, name]

    def add(
        self,
        phase: str,
        where: str,
        arrays: Iterable[tuple[str, Any]],
        key: Key,
        source: str,
        call: Call | None = None,
    ) -> None:
        """Arrays by name; the last part of their key is their number."""
        for i, (name, array) in enumerate(arrays):
            value = array.copy() if isinstance(array, np.ndarray) else array
            self.events.append(Event(phase, where, name, array, value, (*key, i), source, call))

    @contextmanager
    def at_work(
        self, phase: str, where: str, name: str, source: str, stack: list[str] | None = None
    ) -> Iterator[None]:
        """Within this block a module, on its stack, or a function runs.

        An exception belongs to the innermost of them.
        """
        stack = [] if stack is None else stack
        stack.append(where)
        try:
            yield
        except Exception as error:
            if error is not self._error:
                broken = isinstance(error, BrokenContractError)
                text = str(error) if broken else f"raised {type(error).__name__}: {error}"
                self.events.append(Problem(phase, where, name, text, source))
                self._error = error
            raise
        finally:
            stack.pop()

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Within this block, an exception that is noted already ends the run, and no more."""
        try:
            yield
        except Exception as error:
            if error is not self._error:
                raise


def outputs(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a function's values that are handed on: not the statistics of batch_norm."""
    return {name: a for name, a in values.items() if name not in ("mean", "var")}


def expect_pair(result: Any) -> tuple[Any, Function]:
    """A forward returns (y, backward)."""
    if not (isinstance(result, tuple) and len(result) == 2 and callable(result[1])):
        raise BrokenContractError(f"returned {_kind(result)}, expected (y, backward)")
    return result


def expect_gradients(result: Any, inputs: int) -> tuple[Any, ...]:
    """A backward returns a gradient for each input, and the dict of those of the parameters."""
    full = isinstance(result, tuple) and len(result) == inputs + 1
    if not (full and isinstance(result[-1], Mapping)):
        expected = ", ".join(["dx"] * inputs)
        raise BrokenContractError(
            f"returned {_kind(result)}, expected ({expected}, grads) with a dict of grads"
        )
    gradients: tuple[Any, ...] = result
    return gradients


def wrong_keys(got: list[str], expected: list[str]) -> str:
    """What is wrong with the keys of such a dict; empty where nothing is."""
    missing = [key for key in expected if key not in got]
    unknown = [key for key in got if key not in expected]
    if missing:
        return f"gave no gradient for {', '.join(missing)}"
    if unknown:
        return f"gave a gradient for {', '.join(unknown)}, which parameters() does not have"
    return "" if got == expected else "gave its gradients in another order than parameters()"


def _kind(result: Any) -> str:
    if isinstance(result, tuple):
        return f"({', '.join(_kind(r) for r in result)})"
    return "a function" if callable(result) else type(result).__name__
