"""Named faults: wrong versions of the code by hand, each of which the tests must catch.

They stand in the case of what they spoil, `armlab/check/cases/NAME.py`; a fast version's are with
those of the function that it must equal. Here are those of files that have no case of their own,
and those of conv2d and batch_norm, which are many. The hint says what the mistake is; the
exercises show it to whoever makes the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

from armlab.check import cases
from armlab.check.fault import Fault, planted
from armlab.check.kinds import KINDS, applies_to

__all__ = ["FAULTS", "OF_KINDS", "Fault", "of_case", "planted"]

FAULTS: list[Fault] = [
    fault
    for room in (cases, import_module(__name__))
    for file in iter_modules(room.__path__)
    for fault in getattr(import_module(f"{room.__name__}.{file.name}"), "FAULTS", ())
]
FILES_OF_A_KIND = 12


def _of_kind(kind: str) -> Iterator[Fault]:
    """The first fault of a dozen files, from all over the catalogue, wrong for some calls alone."""
    first = {fault.file: fault for fault in reversed(FAULTS) if applies_to(kind, fault)}
    found = [first[file] for file in sorted(first)]
    for i in range(FILES_OF_A_KIND):
        fault = found[i * len(found) // FILES_OF_A_KIND]
        yield replace(fault, name=f"{fault.name}, {kind}", kind=kind)


OF_KINDS: list[Fault] = [fault for kind in KINDS for fault in _of_kind(kind)]


def of_case(case: str) -> list[Fault]:
    """The faults that the tests of one case must catch."""
    return [fault for fault in FAULTS if fault.case == case]
