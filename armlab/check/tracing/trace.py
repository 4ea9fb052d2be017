"""Trace a module by hand beside its twin, value by value, to the first one that parts."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import array_api_compat
import numpy as np

from armlab import hand
from armlab.arrays import Rng, generator, to_host
from armlab.check.tracing.events import Problem
from armlab.check.tracing.hand_run import HandRun
from armlab.check.tracing.trace_words import WIDTH, mode, sentence, table, weights
from armlab.check.tracing.traced_values import TracedValue, compared
from armlab.terminal import print_anything

if TYPE_CHECKING:
    from torch import nn

    from armlab.check.tracing.twin_run import TwinRun


@dataclass(frozen=True, repr=False)
class Trace:
    """What `trace` found; printed, it is the table.

    heading   what ran, and where weights or modes were not the same
    rows      the values in the order in which they were computed
    sentence  that all agree, or which parts first and where to look
    """

    heading: list[str]
    rows: list[TracedValue]
    sentence: str

    @property
    def first(self) -> TracedValue | None:
        """The first row that parts."""
        return next((row for row in self.rows if row.parts), None)

    @property
    def agrees(self) -> bool:
        return self.first is None

    def __str__(self) -> str:
        heading = [line for text in self.heading for line in textwrap.wrap(text, WIDTH)]
        last = textwrap.wrap(self.sentence, WIDTH)
        return "\n".join([*heading, "", *table(self.rows), "", *last])

    def __repr__(self) -> str:
        return f"Trace: {self.sentence}"


def trace(
    hand_module: hand.Module,
    torch_module: nn.Module,
    *inputs: Any,
    rng: Rng = 0,
    verbose: bool = True,
) -> Trace:
    """Print each value and gradient of `hand_module` with its distance from the twin's.

        check.trace(mine, twin, x)

    inputs   NumPy arrays or torch tensors, of any floating dtype
    rng      seed or generator of the upstream gradient, which is random, never ones
    verbose  False: print nothing

    The twin is one of `armlab.torch`, or any nn.Module whose children have the names of the
    children by hand. Both run in float64 on copies, with the weights and in the modes of
    `hand_module`; the modules given stay as they are. A value is compared where the twin has it
    too: what goes in and out of modules of the same path and functions of the same name, and
    parameters and buffers by key. A function that only the hand side calls is held to PyTorch's
    on the same inputs; its row says "alone". Where "(top)" stands, it is the module itself.

    Allowed is what `bounds.whole` argues for: 2⁻³⁰ of the largest value, at least 2⁻³⁰. What the
    code by hand raises, or returns in a wrong shape or under wrong keys, is reported as the place
    where it parts.
    """
    from armlab.check.tracing import twin_run as pytorch

    if not isinstance(hand_module, hand.Module) or not hasattr(torch_module, "named_modules"):
        got = f"{type(hand_module).__name__} and {type(torch_module).__name__}"
        raise TypeError(f"trace expected a hand.Module, then an nn.Module, got {got}: swap them")
    heading = _heading(hand_module, torch_module)
    mine, values = _in_float64(hand_module), [_host_float64(x) for x in inputs]
    twin = pytorch.in_float64(torch_module, mine)
    pytorch.load(twin, mine.state_dict())
    shared = dict(mine.named_modules()).keys() & dict(twin.named_modules()).keys()
    ours, theirs = HandRun(mine, shared), pytorch.TwinRun(twin, shared)
    theirs.run_forward(values)
    ours.run_forward(values)
    if ours.backward is not None and not theirs.error:
        _run_backward(ours, theirs, generator(rng))
    rows = compared(ours, theirs)
    found = Trace(heading, rows, sentence(rows, ours.never_back()))
    if verbose:
        print_anything()
        print(found)
    return found


def _run_backward(ours: HandRun, theirs: TwinRun, draw: np.random.Generator) -> None:
    """Both from the same random gradients, where the outputs have the same shapes."""
    shapes = [tuple(y.shape) for y in theirs.outputs]
    if len(ours.value) != len(shapes):
        text = f"returned {len(ours.value)} outputs, PyTorch's {len(shapes)}"
        source = f"the forward of {ours.words('')}"
        ours.notes.events.append(Problem("forward", "", "", text, source))
    elif shapes == [np.shape(y) for y in ours.value]:
        dys = [draw.standard_normal(shape) for shape in shapes]
        theirs.run_backward(dys)
        ours.run_backward(dys)


def _in_float64(module: hand.Module) -> hand.Module:
    """A copy on the host; every array that a part holds is converted, constants as well."""
    made = module.copy()
    for _, part in made.named_modules():
        for name, value in vars(part).items():
            if array_api_compat.is_array_api_obj(value):
                setattr(part, name, _host_float64(value))
    return made


def _host_float64(value: Any) -> np.ndarray:
    """On the host; integers stay integers."""
    a = np.array(to_host(value) if array_api_compat.is_array_api_obj(value) else value)
    return a.astype(np.float64) if a.dtype.kind == "f" else a


def _heading(module: hand.Module, twin: nn.Module) -> list[str]:
    mine, theirs = type(module).__name__, type(twin).__name__
    names = f"{mine} by hand and {theirs}" if mine != theirs else f"{mine} by hand and"
    lines = [f"{names} in PyTorch: float64, {mode(module.training)}."]
    state = {key: to_host(a) for key, a in module.state_dict().items()}
    lines.append(weights(state, {key: to_host(t) for key, t in twin.state_dict().items()}))
    parts = dict(module.named_modules())
    other = [k for k, t in twin.named_modules() if k in parts and t.training != parts[k].training]
    if other:
        where = "" if "" in other else f" at {', '.join(other)}"
        lines.append(
            f"PyTorch's module was in another mode{where}; it ran in that of the hand side."
        )
    return lines
