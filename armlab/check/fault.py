"""One fault: a small edit of a source file, run in place of the original for a while.

It is applied to a copy in memory and never left behind.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from armlab.hand import kernels
from armlab.swap import swapped


@dataclass(frozen=True)
class Fault:
    """`find` stands once in armlab/hand/`file`.py and becomes `put`; tests of `case` must fail."""

    name: str
    case: str
    file: str
    find: str
    put: str
    hint: str


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Within this block, armlab runs with the fault."""
    right = importlib.import_module(f"armlab.hand.{fault.file.replace('/', '.')}")
    wrong = _edited(right, fault)
    replaced = {
        old: vars(wrong)[name]
        for name, old in vars(right).items()
        if isinstance(old, type | FunctionType) and old.__module__ == right.__name__
    }
    # A fault in a specification shows where no fast version runs instead.
    in_a_kernel = fault.file.startswith("kernels/")
    with swapped(replaced), nullcontext() if in_a_kernel else kernels.specification():
        yield


def _edited(right: ModuleType, fault: Fault) -> ModuleType:
    source = Path(str(right.__file__)).read_text(encoding="utf-8")
    if source.count(fault.find) != 1:
        raise LookupError(
            f"fault {fault.name!r} expects {fault.find!r} once in {fault.file}.py, "
            f"found it {source.count(fault.find)} times: update the catalogue"
        )
    wrong = ModuleType(right.__name__)
    wrong.__file__, wrong.__package__ = f"<{fault.name}>", right.__package__
    code = compile(source.replace(fault.find, fault.put), f"<{fault.name}>", "exec")
    exec(code, vars(wrong))
    return wrong
