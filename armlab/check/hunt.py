"""Hunting faults: plant one, run the property of its case, and see whether that notices.

A property that no wrong version fails proves nothing. `armlab check --faults` prints the outcome
for the whole catalogue, and the tests hold that none is missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import Phase, settings

from armlab.check.agreement import Verdict, judge
from armlab.check.cases import CASES
from armlab.check.devices import torch_tensors
from armlab.check.example import Example
from armlab.check.fault import Fault, planted
from armlab.check.faults import FAULTS, OF_KINDS
from armlab.check.missing import expect_complete
from armlab.check.strata import QUIET, Stratum, for_all
from armlab.places import HOST, Place

EXAMPLES = 400


@dataclass(frozen=True)
class Catch:
    """What became of one planted fault.

    by       the result that was over its bound, on which side and in which dtype; "" if missed
    example  the smallest example on which it was seen
    """

    fault: Fault
    by: str = ""
    example: Example | None = None

    @property
    def caught(self) -> bool:
        return self.example is not None

    def example_in_a_line(self, limit: int = 160) -> str:
        """Its values where there are few of them; a long one is cut."""
        text = repr(self.example).removeprefix("Example(").removesuffix(")") if self.caught else ""
        return _cut(" ".join(text.split()), limit)

    def __str__(self) -> str:
        verdict = f"caught  {self.by}  {self.example_in_a_line()}" if self.caught else "MISSED"
        return f"{self.fault.name:<58}  {verdict}"


def hunt(fault: Fault, shrink: bool = True, place: Place | None = None) -> Catch:
    """Plant the fault and look for an example that shows it.

    place  of the code by hand; None: the host, and torch tensors for what is wrong off the host

    To shrink, it looks first among small examples, which end as something one can read; where
    those do not show it, and without shrinking, among all that the tests draw.
    """
    case = CASES[fault.case]
    if place is None:
        place = torch_tensors() if fault.kind.startswith("off the host") else HOST
    with planted(fault):
        if shrink:
            readable = Stratum("readable", case.readable_examples(), 50)
            small = _search(fault, [readable], (Phase.generate, Phase.shrink), place)
            if small.caught:
                return small
        return _search(fault, case.strata(EXAMPLES), (Phase.generate,), place)


def chosen(names: Iterable[str]) -> list[Fault]:
    """The faults of the cases with these names; of all without any.

    Raises ValueError for a name that is no case or lacks something.
    """
    expect_complete(names)
    return [fault for fault in FAULTS + OF_KINDS if not names or fault.case in names]


def print_as_text(catches: Iterable[Catch]) -> int:
    """A line for each fault, as it comes. 0 where each is caught, else 1."""
    count = missed = 0
    for catch in catches:
        print(catch, flush=True)
        count, missed = count + 1, missed + (not catch.caught)
    print(f"{count} faults, {missed} missed" if missed else f"{count} faults, each caught")
    return 1 if missed else 0


def print_as_json(catches: Iterable[Catch]) -> int:
    """All of them at once. 0 where each is caught, else 1."""
    found = list(catches)
    rows = [
        {"fault": c.fault.name, "case": c.fault.case, "caught": c.caught, "by": c.by}
        | {"example": c.example_in_a_line(), "hint": c.fault.hint}
        for c in found
    ]
    print(json.dumps(rows, ensure_ascii=False))
    return 0 if all(c.caught for c in found) else 1


def _search(fault: Fault, strata: list[Stratum], phases: tuple[Phase, ...], place: Place) -> Catch:
    found = [Catch(fault)]

    def holds(e: Example) -> None:
        by = _broken(fault.case, e, place)
        if by:
            found.append(Catch(fault, by, e))
            raise AssertionError(by)

    always_alike = settings(QUIET, phases=phases, derandomize=True, report_multiple_bugs=False)
    try:
        for_all(strata, holds, using=always_alike)
    except AssertionError:
        return found[-1]  # Hypothesis ends on the smallest
    return found[0]


def _broken(case: str, e: Example, place: Place) -> str:
    """The first result by hand that is over its bound, in words; "" where all hold."""
    for dtype in ("float64", "float32"):
        try:
            verdicts = judge(case, e, dtype, place)
        except AssertionError as error:  # a wrong shape, dtype or name, which no bound measures
            return _cut(f"{dtype}: {error}", 100) if str(error).startswith("hand: ") else ""
        over = [v for v in verdicts if v.side == "hand" and not v.ratio <= 1]
        if over:
            return f"{dtype}: {_words(over[0])}"
    return ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 2]} …"


def _words(v: Verdict) -> str:
    return f"{v.result} is off by {v.error:.2g}, {v.ratio:.2g} times its bound"
