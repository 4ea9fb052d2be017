"""The hand side of a trace: what each module and function takes and returns, one after the other.

`armlab.watch` says which function runs in which module; this adds the modules themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np

from armlab import hand
from armlab.check.example import by_name
from armlab.check.tracing.events import (
    Key,
    Notes,
    Problem,
    expect_gradients,
    expect_pair,
    outputs,
    wrong_keys,
)
from armlab.watch import Call, Function, functions, named_values, watched


class HandRun:
    """One run of a module by hand, forwards and backwards.

    shared  the module paths that the twin has as well
    calls   of functions, in the order in which they began
    value   the outputs, with their backward; None where the run did not get that far
    given   by phase, the arrays that come from outside: inputs, parameters, upstream gradients
    """

    def __init__(self, module: hand.Module, shared: Collection[str]) -> None:
        self.module = module
        self.notes = Notes(shared)
        self.calls: list[Call] = []
        self.value: tuple[Any, ...] = ()
        self.backward: Function | None = None
        self.went_back = False
        self.given: dict[str, list[Any]] = {"forward": list(module.parameters().values())}
        self._parts = dict(module.named_modules())
        self._paths = {id(part): path for path, part in self._parts.items()}
        self._stacks = {"forward": [""], "gradients": [""]}  # modules at work, innermost last

    def run_forward(self, inputs: list[Any]) -> None:
        """Where this fails, the last event says why."""
        self.given["forward"] += inputs
        noted = {name: partial(self._function, name, f) for name, f in functions().items()}
        with self.notes.ending(), watched(self.module, instead=noted) as self.calls:
            with patch.object(hand.Module, "__call__", self._entered(hand.Module.__call__)):
                value, self.backward = self.module(*inputs)
            self.value = value if isinstance(value, tuple) else (value,)

    def run_backward(self, dys: list[np.ndarray]) -> None:
        """One gradient for each output. Where this fails, the last event says why."""
        assert self.backward is not None
        self.given["gradients"] = [*dys]
        with self.notes.ending():
            self.backward(tuple(dys) if len(self.value) > 1 else dys[0])
            self.went_back = True

    def never_back(self) -> list[Call]:
        """The calls whose backward did not run, though that of the module went through."""
        return [call for call in self.calls if call.dy is None] if self.went_back else []

    def words(self, path: str) -> str:
        """The class of a part and its path, to speak of it in a sentence."""
        return type(self._parts[path]).__name__ + (f" at {path}" if path else "")

    # -- modules ----------------------------------------------------------------------------

    def _entered(self, inner: Function) -> Function:
        def enter(part: hand.Module, *inputs: Any) -> Any:
            path = self._paths.get(id(part))
            if path is None:  # a copy at work, or a module made on the way
                return inner(part, *inputs)
            place, phase = self.notes.place(path, ""), "forward"
            names, source = _input_names(part, len(inputs)), f"the forward of {self.words(path)}"
            handed = self._handed(phase, path or self.words(path))
            self._add(phase, path, names, inputs, (*place, "in"), handed)
            with self.notes.at_work(phase, path, "", source, self._stacks[phase]):
                value, backward = expect_pair(inner(part, *inputs))
            self._add(phase, path, *_each("y", value), (*place, "out"), f"what {source} returns")
            return value, partial(self._module_back, path, place, names, backward)

        return enter

    def _module_back(
        self,
        path: str,
        place: Key,
        names: list[str],
        backward: Function,
        dy: Any,
        **options: bool,
    ) -> Any:
        phase, source = "gradients", f"the backward of {self.words(path)}"
        handed, made = self._handed(phase, path or self.words(path)), f"what {source} returns"
        self._add(phase, path, *_each("dy", dy), (*place, "out"), handed)
        with self.notes.at_work(phase, path, "", source, self._stacks[phase]):
            result = backward(dy, **options)
            *dxs, grads = expect_gradients(result, len(names))
        self._add(phase, path, [f"d{name}" for name in names], dxs, (*place, "in"), made)
        if self.notes.counts[place[:2]] == 1:  # else they are shares, which the twin does not know
            for key, g in grads.items():
                full = f"{path}.{key}".lstrip(".")
                self._add(phase, path, [f"d {key}"], [g], (*place[:2], full), made)
        wrong = wrong_keys(list(grads), list(self._parts[path].parameters()))
        if wrong:
            self.notes.events.append(Problem(phase, path, "", wrong, made))
        return result

    # -- functions --------------------------------------------------------------------------

    def _function(self, name: str, function: Function, *args: Any, **kwargs: Any) -> Any:
        call = self.calls[-1]  # the watch has just begun it
        place, phase, path = self.notes.place(call.module, name), "forward", call.module
        arrays, names = list(call.inputs.values()), [f"{name} {k}" for k in call.inputs]
        handed, made = self._handed(phase, name, call.inside), f"the forward of {name}"
        self._add(phase, path, names, arrays, (*place, "in"), handed)
        with self.notes.at_work(phase, path, name, made):
            value, backward = function(*args, **kwargs)
        ys = outputs(named_values(name, value))
        self._add(
            phase, path, [f"{name} {k}" for k in ys], ys.values(), (*place, "out"), made, call
        )
        return value, partial(self._function_back, call, place, backward)

    def _function_back(
        self, call: Call, place: Key, backward: Function, dy: Any, **options: bool
    ) -> Any:
        phase, path, name = "gradients", call.module, call.name
        handed, made = self._handed(phase, name, call.inside), f"the backward of {name}"
        dys = by_name("dy", dy)
        self._add(phase, path, [f"{name} {k}" for k in dys], dys.values(), (*place, "out"), handed)
        with self.notes.at_work(phase, path, name, made):
            grads = backward(dy, **options)
        each = grads if isinstance(grads, tuple) else (grads,)
        names = [f"{name} d{k}" for k in call.inputs]
        self._add(phase, path, names, each, (*place, "in"), made, call)
        return grads

    # -- notes ------------------------------------------------------------------------------

    def _add(
        self,
        phase: str,
        path: str,
        names: list[str],
        arrays: Any,
        key: Key,
        source: str,
        call: Call | None = None,
    ) -> None:
        self.notes.add(phase, path, zip(names, arrays, strict=True), key, source, call)

    def _handed(self, phase: str, to: str, inside: str = "") -> str:
        """Where to look for what a module or a function is given, by the one that it runs in."""
        backward = phase == "gradients"
        giver = inside or self.words(self._stacks[phase][-1])
        given = f"that of {to}" if backward else to
        return f"what the {'backward' if backward else 'forward'} of {giver} hands to {given}"


def _input_names(part: hand.Module, count: int) -> list[str]:
    kinds = inspect.signature(part.forward).parameters.values()
    names = [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD][:count]
    return names + [f"x{i}" for i in range(len(names), count)]


def _each(name: str, value: Any) -> tuple[list[str], tuple[Any, ...]]:
    """Several outputs are a tuple, and so are their gradients."""
    if not isinstance(value, tuple):
        return [name], (value,)
    return [f"{name}[{i}]" for i in range(len(value))], value
