"""How near correct code comes to each bound: the worst error over bound that a search can find.

A bound that nothing comes near hides small mistakes, and one that is passed is wrong. Hypothesis
looks for the worst with `target`; `armlab check --bounds` prints what it finds.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from hypothesis import Phase, settings, target

from armlab.check.agreement import judge
from armlab.check.cases import CASES, FUNCTIONS
from armlab.check.example import Example
from armlab.check.strata import QUIET, for_all
from armlab.json_text import as_json

WIDTH = max(len(case.name) for case in FUNCTIONS) + 1  # of the column of functions


@dataclass(frozen=True)
class WorstError:
    """The largest error over bound of one result of one function, by hand and in PyTorch."""

    function: str
    result: str
    hand: float
    torch: float
    examples: int

    @property
    def holds(self) -> bool:
        return max(self.hand, self.torch) <= 1


def worst_errors(
    examples: int, seed: int = 0, names: Iterable[str] | None = None
) -> Iterator[WorstError]:
    """The worst of each result in float32, over so many examples of each function.

    Raises ValueError for a name that is no function: modules are made of them.
    """
    functions = [case.name for case in FUNCTIONS]
    for name in names or functions:
        if name not in functions:
            raise ValueError(f"no function {name!r}: choose from {', '.join(functions)}")
        yield from _worst_of(name, examples, seed)


def _worst_of(name: str, examples: int, seed: int) -> Iterator[WorstError]:
    found: dict[str, dict[str, float]] = {}

    def search(e: Example) -> None:
        verdicts = judge(name, e, "float32")
        for v in verdicts:
            sides = found.setdefault(v.result, {"hand": 0.0, "torch": 0.0})
            sides[v.side] = max(sides[v.side], v.ratio)
        target(max((v.ratio for v in verdicts if v.ratio < float("inf")), default=0.0))

    targeted = settings(QUIET, phases=(Phase.generate, Phase.target))
    for_all(CASES[name].strata(examples), search, using=targeted, seed=seed)
    for result, sides in found.items():
        yield WorstError(name, result, sides["hand"], sides["torch"], examples)


def _argument(function: str) -> str:
    """Why the bound of a function is what it is: the words beside its code."""
    return inspect.cleandoc(CASES[function].bound.__doc__ or "")


def print_as_text(rows: Iterable[WorstError]) -> int:
    """The table, with the argument of each bound below its rows. 0 where all hold, else 1."""
    over, last = 0, ""
    print(
        f"{'function':{WIDTH}}{'result':8}{'hand':>6}{'torch':>7}   worst error over bound, float32"
    )
    for row in rows:
        if row.function != last:
            print(f"\n{_argument(row.function)}")
        verdict = "" if row.holds else "   OVER"
        print(
            f"{row.function:{WIDTH}}{row.result:8}{row.hand:6.2f}{row.torch:7.2f}{verdict}",
            flush=True,
        )
        over, last = over + (not row.holds), row.function
    return 1 if over else 0


def print_as_json(rows: Iterable[WorstError]) -> int:
    """All rows at once. 0 where all hold, else 1."""
    found = list(rows)
    print(as_json([asdict(row) | {"holds": row.holds} for row in found]))
    return 0 if all(row.holds for row in found) else 1
