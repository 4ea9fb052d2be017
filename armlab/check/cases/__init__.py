"""The cases: one for each function and each module of `armlab.hand`, found by name.

What `armlab/hand/simam.py` defines is described in `armlab/check/cases/simam.py`, which ends in a
list CASES. So to add a module to the proof is to write that file; tests, `armlab check`, the
faults, the exercises and `armlab bench` read all of them from here.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import NoReturn

from armlab import hand
from armlab.check.case import Case


class Cases(dict[str, Case]):
    """Cases by name, which say of a missing one where it belongs."""

    def __missing__(self, name: str) -> NoReturn:
        if name in hand.__all__:
            raise LookupError(f"{name} has no case: write {case_file(name)}")
        raise LookupError(f"no case {name!r}: choose from {', '.join(self)}")


def case_file(name: str) -> str:
    """The file of the case of what `armlab.hand` exports under this name."""
    module: str = getattr(hand, name).__module__
    return f"armlab/check/cases/{module.rpartition('.')[2]}.py"


_FILES = [import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__)]
_ALL = [case for file in _FILES for case in file.CASES]
FUNCTIONS = [case for case in _ALL if case.is_function]
MODULES = [case for case in _ALL if not case.is_function]
CASES = Cases({case.name: case for case in FUNCTIONS + MODULES})

__all__ = ["CASES", "FUNCTIONS", "MODULES", "Case", "case_file"]
