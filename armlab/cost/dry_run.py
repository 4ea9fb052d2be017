"""The calls of a module on shapes alone: its own forward runs, and no value is computed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from unittest.mock import patch

from armlab import hand
from armlab.arrays import dtype_name
from armlab.cost import rules
from armlab.cost.shape_array import ShapeArray, ShapeNamespace
from armlab.watch import Call, functions, watched

ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class DryRun:
    """What a module did on shape arrays: its calls in order, its weights, what it returned."""

    calls: list[Call]
    weights: set[ShapeArray]
    value: Any


def dry_run(module: hand.Module, *shapes: tuple[int, ...]) -> DryRun:
    """Run the module on inputs of these shapes, in the mode that it is in.

    The module itself is left as it is: a copy runs, with shape arrays in the place of its arrays.
    Inputs have the dtype of its weights, or float32 where it has none. Another thread may compute
    with modules by hand meanwhile; only one may run dry at a time.
    """
    with ONE_AT_A_TIME:
        return _run(module, *shapes)


def _run(module: hand.Module, *shapes: tuple[int, ...]) -> DryRun:
    xp = ShapeNamespace()
    twin = module.copy()
    arrays = twin.parameters() | twin.buffers()
    twin.assign({k: ShapeArray(tuple(a.shape), dtype_name(a), xp) for k, a in arrays.items()})
    weights = twin.parameters()
    dtype = next((w.dtype for w in weights.values()), xp.float32)
    inputs = [ShapeArray(tuple(shape), dtype, xp) for shape in shapes]
    rules_instead = {name: _by_its_rule(name) for name in functions()}
    with watched(twin, instead=rules_instead) as xp.calls, _path_on(xp, twin):
        value, _ = twin(*inputs)
    own = [call for call in xp.calls if isinstance(call.values.get("y"), ShapeArray)]
    return DryRun(own, set(weights.values()), value)


def _by_its_rule(name: str) -> Callable[..., Any]:
    """A function that has the shapes and the work of the one of this name, and no values.

    On arrays of values, which are another thread's, it is that function.
    """
    itself = functions()[name]

    def function(*inputs: ShapeArray | None, **options: Any) -> Any:
        if not any(isinstance(x, ShapeArray) for x in inputs):
            return itself(*inputs, **options)
        work = rules.work(name, *inputs, **options)
        sources = tuple(x for x in inputs if x is not None)
        dtype, xp = sources[0].dtype, sources[0].xp
        values = tuple(ShapeArray(shape, dtype, xp, sources) for shape in (work.shape, *work.also))
        return values if work.also else values[0], _no_backward

    return function


def _no_backward(dy: Any) -> NoReturn:
    raise RuntimeError("shape arrays have no values to send back: the cost is that of the forward")


@contextmanager
def _path_on(xp: ShapeNamespace, twin: hand.Module) -> Iterator[None]:
    """Within this block, `xp.path` names the module at work, for sums that it writes itself."""
    paths = {id(part): path for path, part in twin.named_modules()}
    call = hand.Module.__call__  # that of `watched`

    def enter(part: hand.Module, *inputs: ShapeArray) -> Any:
        outside, xp.path = xp.path, paths.get(id(part), xp.path)
        try:
            return call(part, *inputs)
        finally:
            xp.path = outside

    with patch.object(hand.Module, "__call__", enter):
        yield
