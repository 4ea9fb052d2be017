"""The cases: one for each function and each module of `armlab.hand`, found by name.

What `armlab/hand/simam.py` defines is described in `armlab/check/cases/simam.py`, which ends in a
list CASES. So to add a module to the proof is to write that file; tests, `armlab check`, the
faults and the exercises read all of them from here.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from armlab.check.case import Case

_FILES = [import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__)]
CASES: dict[str, Case] = {case.name: case for file in _FILES for case in file.CASES}
FUNCTIONS = [case for case in CASES.values() if case.name.islower()]
MODULES = [case for case in CASES.values() if not case.name.islower()]
CASES = {case.name: case for case in FUNCTIONS + MODULES}

__all__ = ["CASES", "FUNCTIONS", "MODULES", "Case"]
