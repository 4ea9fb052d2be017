"""What a function or a module of `armlab.hand` still lacks, in sentences that name the file."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator

from armlab import hand
from armlab.check.case import Case
from armlab.check.cases import CASES, case_file
from armlab.check.faults import of_case
from armlab.cost import rules


def lacks(name: str) -> Iterator[str]:
    """A sentence for each file that is missing, or that does not yet say what it should."""
    twins = importlib.import_module("armlab.torch")
    if name not in twins.__all__:
        file = case_file(name).replace("check/cases", "torch")
        yield f"{name} has no twin: write {file}, and name it in armlab/torch/__init__.py"
    if name not in CASES:
        yield f"{name} has no case: write {case_file(name)}"
    else:
        yield from _lacks(CASES[name])


def _lacks(case: Case) -> Iterator[str]:
    file = case_file(case.name)
    if not of_case(case.name):
        yield f"{case.name} has no fault that a test must catch: add one to FAULTS in {file}"
    if case.is_function:
        if case.bound is None:
            yield f"{case.name} has no bound: give its case one, with its argument, in {file}"
        if "" not in case.calls:
            yield f'{case.name} has no call: give its case calls={{"": …}} in {file}'
        if case.cost is None and not case.loss:
            yield f"{case.name} has no cost: count it, and give its case cost=(…, …) in {file}"
        if not case.loss and case.name not in rules.RULES:
            yield f"{case.name} has no rule of cost: add it to RULES in armlab/cost/rules.py"
    else:
        if case.built is None:
            yield f"{case.name} is built nowhere: give its case built=Built(…) in {file}"
        if not (case.formula or case.held_by):
            yield f"{case.name} has no formula: give its case one, or held_by=…, in {file}"


def expect_complete(names: Iterable[str] = ()) -> None:
    """Raise ValueError for a name that is no function or module, or that lacks something.

    Without names all are asked, and a case of something that `armlab.hand` does not export is
    refused as well.
    """
    wanted = list(names)
    exported = [name for name in hand.__all__ if name != "Module"]
    known = dict.fromkeys([*CASES, *exported])
    for name in wanted:
        if name not in known:
            raise ValueError(f"no module {name!r}: choose from {', '.join(CASES)}")
    for name in wanted or known:
        if name not in exported:
            remedy = "name it in its __init__.py"
            raise ValueError(f"{name} has a case and is not in armlab.hand: {remedy}")
        for sentence in lacks(name):
            raise ValueError(sentence)
