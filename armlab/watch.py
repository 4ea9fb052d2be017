"""Watch a module by hand at work: every function it calls, in which module, and what came back.

The judge of agreement, the tracer, the cost table and the figures all look inside a network this
way, so no module carries a hook or a switch for them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from armlab import hand
from armlab.arrays import Array
from armlab.hand.upstream import WITH_STATISTICS
from armlab.swap import swapped

Function = Callable[..., Any]


@dataclass
class Call:
    """One call of a function of `armlab.hand`, and of its backward once that has run.

    module   path of the module that called: "cp.arm32.conv"; "" for the watched module itself
    inside   name of the function that called it, "" where a module did: sigmoid in sigmoid_gate
    inputs   by argument name, in the order of their gradients; None: absent
    options  constants by name
    values   "y"; see `named_values`
    dy       the upstream gradient, of several outputs a tuple; None before the backward has run
    grads    "dx", "dw", …, by input
    """

    name: str
    module: str
    inside: str
    inputs: dict[str, Array | None]
    options: dict[str, Any]
    values: dict[str, Array]
    dy: Any = None
    grads: dict[str, Array | None] = field(default_factory=dict)


def functions() -> dict[str, Function]:
    """The functions of `armlab.hand` by name."""
    return {name: getattr(hand, name) for name in hand.__all__ if name.islower()}


def named_values(name: str, value: Any) -> dict[str, Array]:
    """What a function returned: y; of several outputs y, y2, …; of batch_norm y, mean, var."""
    values = value if isinstance(value, tuple) else (value,)
    if name in WITH_STATISTICS:
        return dict(zip(("y", "mean", "var"), values, strict=True))
    return outputs_by_name(values)


def outputs_by_name(outputs: Iterable[Any]) -> dict[str, Any]:
    """As y; of several outputs y, y2, …"""
    return {"y" if i == 1 else f"y{i}": y for i, y in enumerate(outputs, start=1)}


@contextmanager
def watched(
    module: hand.Module | None = None, instead: Mapping[str, Function] | None = None
) -> Iterator[list[Call]]:
    """Within this block, the list grows by a `Call` for each call of a function.

    module   the one whose parts give the calls their path
    instead  functions to run in place of the project's own, by name
    """
    calls: list[Call] = []
    paths = {id(part): path for path, part in module.named_modules()} if module else {}
    modules, running = [""], [""]

    def enter(part: hand.Module, *inputs: Array) -> Any:
        modules.append(paths.get(id(part), modules[-1]))
        try:
            return part.forward(*inputs)
        finally:
            modules.pop()

    def watch(name: str, function: Function, original: Function) -> Function:
        signature = inspect.signature(original)

        def call(*args: Any, **kwargs: Any) -> Any:
            inputs, options = _arguments(signature, args, kwargs)
            made = Call(name, modules[-1], running[-1], inputs, options, {})
            calls.append(made)
            running.append(name)
            try:
                value, backward = function(*args, **kwargs)
            finally:
                running.pop()
            made.values = named_values(name, value)
            return value, _watched_backward(made, backward, running)

        return call

    own = functions()
    run = own | dict(instead or {})
    replacements = {f: watch(name, run[name], f) for name, f in own.items()}
    classes = {type(part) for _, part in module.named_modules()} if module else set()
    with swapped(replacements, around=classes), patch.object(hand.Module, "__call__", enter):
        yield calls


def _arguments(
    signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs, which have gradients and are positional, and constants, which are by keyword."""
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    constants = [k for k, p in signature.parameters.items() if p.kind == p.KEYWORD_ONLY]
    inputs = {k: v for k, v in bound.arguments.items() if k not in constants}
    return inputs, {k: v for k, v in bound.arguments.items() if k in constants}


def _watched_backward(call: Call, backward: Function, running: list[str]) -> Function:
    def watched_backward(dy: Any, **options: bool) -> Any:
        call.dy = dy
        running.append(call.name)
        try:
            grads = backward(dy, **options)
        finally:
            running.pop()
        each = grads if isinstance(grads, tuple) else (grads,)
        call.grads = {f"d{k}": g for k, g in zip(call.inputs, each, strict=True)}
        return grads

    return watched_backward
