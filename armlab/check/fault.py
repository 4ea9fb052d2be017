"""One fault: a wrong statement of a source file, run in place of the right one for a while.

It is put into a copy in memory and never left behind.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from armlab.check.kinds import for_some_calls
from armlab.check.statements import replaced
from armlab.hand import kernels
from armlab.swap import swapped


@dataclass(frozen=True)
class Fault:
    """A mistake in one statement; tests of `case` must fail with it.

    file       of armlab/hand, without its ending
    function   the path of the function, "batch_norm.backward"
    statement  by its equation, "(3)", by what it assigns, "dx, dw", or "return"
    put        what stands in its place, at indentation 0
    hint       what the mistake is, for whoever makes it
    nth        which of several such statements, from 1; 0 where there is only one
    kind       for which calls alone it is wrong, one of `kinds.KINDS`; "" for all
    """

    name: str
    case: str
    file: str
    function: str
    statement: str
    put: str
    hint: str
    nth: int = 0
    kind: str = ""


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Within this block, armlab runs with the fault.

    Raises LookupError where its statement is not in the file just once.
    """
    right = importlib.import_module(f"armlab.hand.{fault.file.replace('/', '.')}")
    wrong = _edited(right, fault)
    pairs = {
        old: vars(wrong)[name]
        for name, old in vars(right).items()
        if isinstance(old, type | FunctionType) and old.__module__ == right.__name__
    }
    new = for_some_calls(pairs, fault.kind) if fault.kind else pairs
    within = {pairs[old]: new[old] for old in pairs}  # by name in its own file
    # A fault in a specification shows where no fast version runs instead.
    in_a_kernel = fault.file.startswith("kernels/")
    alone = nullcontext() if in_a_kernel else kernels.specification()
    with _loaded(wrong, fault.name), swapped(new | within), alone:
        yield


@contextmanager
def _loaded(wrong: ModuleType, name: str) -> Iterator[None]:
    """Among the modules, so that whoever watches calls sees those of the wrong file as well."""
    key = f"armlab.hand.<{name}>"
    sys.modules[key] = wrong
    try:
        yield
    finally:
        del sys.modules[key]


def _edited(right: ModuleType, fault: Fault) -> ModuleType:
    source = Path(str(right.__file__)).read_text(encoding="utf-8")
    try:
        source = replaced(source, fault.function, fault.statement, fault.put, fault.nth)
    except LookupError as error:
        raise LookupError(
            f"fault {fault.name!r} expects one statement in armlab/hand/{fault.file}.py, but "
            f"{error}: update the catalogue"
        ) from None
    wrong = ModuleType(right.__name__)
    wrong.__file__, wrong.__package__ = f"<{fault.name}>", right.__package__
    exec(compile(source, wrong.__file__, "exec"), vars(wrong))
    return wrong
