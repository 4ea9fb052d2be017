"""What an exercise of the lessons is: a question about a case, or a puzzle of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np
from hypothesis import strategies as st

from armlab.check import faults
from armlab.check.bounds import whole
from armlab.check.cases import CASES
from armlab.check.example import Example
from armlab.check.functions import ROUNDOFF
from armlab.check.sides import run_hand, run_torch

Arguments = dict[str, Any]
Answer = tuple[Any, ...]
Expected = list[tuple[np.ndarray, np.ndarray]]  # each result, and how far off it may be
Mistake = tuple[str, Callable[[Any], Answer]]  # a hint, and the answer of whoever needs it
Parts = Callable[..., Arguments]  # what the derivation computes on its way, by name

SECONDS = 1.5  # on arrays of a few pixels an answer takes a thousandth of that


class RuleBroken(Exception):
    """An answer breaks a rule that its exercise sets beside the numbers; the text says which.

    rule  the same in short, where the text has details in which two such answers may differ
    """

    def __init__(self, text: str, rule: str = "") -> None:
        super().__init__(text)
        self.rule = rule or text


class CannotTry(Exception):
    """An answer cannot be tried on this machine; the text says why."""


class Asked(Protocol):
    """What the grader asks of an exercise; `e` is what one of its examples is drawn as.

    dtype    of its results, where they are no whole numbers
    seconds  that an answer may take on one example, of the processor
    """

    dtype: ClassVar[str]
    seconds: ClassVar[float]

    @property
    def call(self) -> str:
        """How the reader's function is called, as text."""

    def names(self) -> list[str]:
        """What the results are called."""

    def examples(self) -> st.SearchStrategy[Any]:
        """What the reader's function is tried on."""

    def arguments_of(self, e: Any) -> Arguments:
        """What the reader's function is given."""

    def run(self, function: Callable[..., Any], arguments: Arguments) -> Any:
        """What the reader's function returns.

        Raises RuleBroken, CannotTry, and what the function raises.
        """

    def expected(self, e: Any) -> Expected:
        """What it has to return."""

    def mistakes(self) -> Iterator[Mistake]:
        """Known wrong answers; each holds until the next is asked for."""

    def parts_of(self, arguments: Arguments) -> Arguments:
        """Steps of the derivation, by what a hint calls them."""


def no_parts(**arguments: Any) -> Arguments:
    return {}


@dataclass(frozen=True)
class Exercise:
    """A question about a module or a function that the tests know.

    call       how the reader's function is called, as text
    case       the case whose examples, bounds and faults it uses
    results    which results of the case it has to return, in their order
    arguments  what it is given, from an example
    fits       which examples it can be asked about
    tied       the same example with ties, where a maximum is taken of what is not drawn itself
    wrong      {hint: the function of whoever needs it}, beside the faults of the case
    parts      steps of the derivation from the arguments, by what a hint calls them
    """

    dtype: ClassVar[str] = "float64"
    seconds: ClassVar[float] = SECONDS

    call: str
    case: str
    results: tuple[str, ...]
    arguments: Callable[[Example], Arguments]
    fits: Callable[[Example], bool] = lambda e: True
    tied: Callable[[Example], Example] | None = None
    wrong: dict[str, Callable[..., Any]] = field(default_factory=dict)
    parts: Parts = no_parts

    def names(self) -> list[str]:
        return ["the value" if result == "y" else result for result in self.results]

    def examples(self) -> st.SearchStrategy[Example]:
        drawn = CASES[self.case].readable_examples().filter(self.fits)
        return drawn if self.tied is None else drawn | drawn.map(self.tied)

    def arguments_of(self, e: Example) -> Arguments:
        return self.arguments(e)

    def run(self, function: Callable[..., Any], arguments: Arguments) -> Any:
        return function(**arguments)

    def expected(self, e: Example) -> Expected:
        """Each result in float64 by PyTorch, and how far a right answer may be from it."""
        exact = run_torch(self.case, e, "float64")
        bound = CASES[self.case].bound
        if bound is None:
            limits = {key: whole(value) for key, value in exact.items()}
        else:
            bounds = bound(e, exact, ROUNDOFF["float64"])
            limits = {r: 4 * np.asarray(bounds[r]) for r in self.results}
        return [(exact[r], np.broadcast_to(limits[r], exact[r].shape)) for r in self.results]

    def parts_of(self, arguments: Arguments) -> Arguments:
        return self.parts(**arguments)

    def mistakes(self) -> Iterator[Mistake]:
        """Its own, and the faults of the case, each planted while it is looked at."""
        for hint, function in self.wrong.items():
            yield hint, partial(self._answered, function)
        for fault in faults.of_case(self.case):
            with faults.planted(fault):
                yield fault.hint, self.by_hand

    def _answered(self, function: Callable[..., Any], e: Example) -> Answer:
        return as_tuple(function(**self.arguments(e)))

    def by_hand(self, e: Example) -> Answer:
        """Each result in float64 by the code of `armlab.hand`."""
        by_hand = run_hand(self.case, e, "float64")
        return tuple(by_hand[result] for result in self.results)


@dataclass(frozen=True)
class Puzzle:
    """A question with an answer of its own: a count, a size, a plan.

    call       how the reader's function is called, as text, with its results behind an arrow
    questions  the arguments that it is given, a dict with its parameters' names
    answer     a right function
    wrong      {hint: the function of whoever needs it}
    relative   how far off a right answer may be, relative to its size; 0 where it is whole
    parts      steps on the way to it from the arguments, by what a hint calls them
    """

    dtype: ClassVar[str] = "float64"
    seconds: ClassVar[float] = SECONDS

    call: str
    questions: st.SearchStrategy[Arguments]
    answer: Callable[..., Any]
    wrong: dict[str, Callable[..., Any]] = field(default_factory=dict)
    relative: float = 0.0
    parts: Parts = no_parts

    def names(self) -> list[str]:
        return self.call.partition(" -> ")[2].split(", ")

    def examples(self) -> st.SearchStrategy[Arguments]:
        return self.questions

    def arguments_of(self, e: Arguments) -> Arguments:
        return e

    def run(self, function: Callable[..., Any], arguments: Arguments) -> Any:
        return function(**arguments)

    def expected(self, e: Arguments) -> Expected:
        values = [np.asarray(value) for value in as_tuple(self.answer(**e))]
        return [(v, self.relative * np.abs(v.astype(np.float64))) for v in values]

    def parts_of(self, arguments: Arguments) -> Arguments:
        return self.parts(**arguments)

    def mistakes(self) -> Iterator[Mistake]:
        for hint, function in self.wrong.items():
            yield hint, partial(_answer, function)


def _answer(function: Callable[..., Any], arguments: Arguments) -> Answer:
    return as_tuple(function(**arguments))


def as_tuple(value: Any) -> Answer:
    """Several results as they are, one as the only one."""
    return value if isinstance(value, tuple) else (value,)
