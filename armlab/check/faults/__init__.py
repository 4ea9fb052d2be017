"""Named faults: wrong versions of the code by hand, each of which the tests must catch.

One file for each file of `armlab.hand` that they are in; a fast version's are with those of the
function that it must equal. The hint says what the mistake is; the exercises show it to whoever
makes the same one.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from armlab.check.fault import Fault, planted

__all__ = ["FAULTS", "Fault", "of_case", "planted"]

FAULTS: list[Fault] = [
    fault
    for file in iter_modules(__path__)
    for fault in import_module(f"{__name__}.{file.name}").FAULTS
]


def of_case(case: str) -> list[Fault]:
    """The faults that the tests of one case must catch."""
    return [fault for fault in FAULTS if fault.case == case]
