"""The calls of a module on shapes alone: its own forward runs, and no value is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn
from unittest.mock import patch

from armlab import hand
from armlab.arrays import dtype_name
from armlab.cost import rules
from armlab.cost.sketch import Paper, Sketch
from armlab.watch import Call, functions, watched


@dataclass(frozen=True)
class DryRun:
    """What a module did on sketches: its calls in order, its weights, what it returned."""

    calls: list[Call]
    weights: set[Sketch]
    value: Any


def dry_run(module: hand.Module, *shapes: tuple[int, ...]) -> DryRun:
    """Run the module on inputs of these shapes, in the mode that it is in.

    The module itself is left as it is: a copy runs, with sketches in the place of its arrays.
    Inputs have the dtype of its weights, or float32 where it has none.
    """
    paper = Paper()
    twin = module.copy()
    arrays = twin.parameters() | twin.buffers()
    twin.assign({k: Sketch(tuple(a.shape), dtype_name(a), paper) for k, a in arrays.items()})
    weights = twin.parameters()
    dtype = next((w.dtype for w in weights.values()), paper.float32)
    inputs = [Sketch(tuple(shape), dtype, paper) for shape in shapes]
    rules_instead = {name: _by_its_rule(name) for name in functions()}
    with watched(twin, instead=rules_instead) as paper.calls, _path_on(paper, twin):
        value, _ = twin(*inputs)
    return DryRun(paper.calls, set(weights.values()), value)


def _by_its_rule(name: str) -> Callable[..., Any]:
    """A function that has the shapes and the work of the one of this name, and no values."""

    def function(*inputs: Sketch | None, **options: Any) -> Any:
        work = rules.work(name, *inputs, **options)
        sources = tuple(x for x in inputs if x is not None)
        dtype, paper = sources[0].dtype, sources[0].xp
        values = tuple(Sketch(shape, dtype, paper, sources) for shape in (work.shape, *work.also))
        return values if work.also else values[0], _no_backward

    return function


def _no_backward(dy: Any) -> NoReturn:
    raise RuntimeError("sketches have no values to send back: the cost is that of the forward")


@contextmanager
def _path_on(paper: Paper, twin: hand.Module) -> Iterator[None]:
    """Within this block, `paper.path` names the module at work, for sums that it writes itself."""
    paths = {id(part): path for path, part in twin.named_modules()}
    call = hand.Module.__call__  # that of `watched`

    def enter(part: hand.Module, *inputs: Sketch) -> Any:
        outside, paper.path = paper.path, paths.get(id(part), paper.path)
        try:
            return call(part, *inputs)
        finally:
            paper.path = outside

    with patch.object(hand.Module, "__call__", enter):
        yield
