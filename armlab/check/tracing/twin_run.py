"""The PyTorch side of a trace: the same values and gradients, under the names of the hand side.

A module is watched through forward hooks, a function of `armlab.torch` through a stand-in. What
goes into a module and what leaves it are views: the gradient of a view is that of its own uses,
where the value behind it may have others. So are dx and dy by hand.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import armlab.torch as twins
from armlab import hand
from armlab.check.tracing.events import Key
from armlab.swap import swapped


def in_float64(twin: nn.Module, module: hand.Module) -> nn.Module:
    """A copy on the host, in the modes of the module by hand, where every parameter is trained."""
    made = copy.deepcopy(twin).cpu().double().requires_grad_()
    parts = dict(module.named_modules())
    for path, part in made.named_modules():
        part.training = parts.get(path, module).training
    return made


def load(twin: nn.Module, state: Mapping[str, np.ndarray]) -> None:
    """Take over the arrays that this module has as well, in the same shape."""
    with torch.no_grad():
        for key, t in twin.state_dict().items():
            if key in state and state[key].shape == tuple(t.shape):
                t.copy_(torch.tensor(state[key]))


class TwinRun:
    """One run of a twin, forwards and backwards.

    shared  the module paths that the hand side has as well: only these are watched
    found   by phase and key: values, gradients, and the buffers afterwards
    """

    def __init__(self, twin: nn.Module, shared: Collection[str]) -> None:
        self.twin = twin
        self.found: dict[Key, np.ndarray] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.outputs: tuple[Tensor, ...] = ()
        self.error = ""
        self._inputs: list[Tensor] = []
        self._running: list[tuple[Key, list[tuple[Any, Any, int]]]] = []
        for path, part in twin.named_modules():
            if path in shared:
                part.register_forward_pre_hook(partial(self._enter, path))
                part.register_forward_hook(self._leave)

    def run_forward(self, inputs: list[np.ndarray]) -> None:
        """Run forwards; where that fails, `error` says why."""
        self._inputs = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
        stand_ins = {f: partial(self._function, name, f) for name, f in _functions().items()}
        try:
            with swapped(stand_ins), torch.enable_grad():
                # clones, for a twin may work in place, and a leaf forbids it
                value = self.twin(*(x.clone() for x in self._inputs))
        except Exception as error:
            self.error = f"raised {type(error).__name__}: {error}"
        else:
            outputs = tuple(value) if isinstance(value, tuple | list) else (value,)
            if all(isinstance(y, Tensor) for y in outputs):
                self.outputs = outputs
            else:
                kinds = ", ".join(type(y).__name__ for y in outputs)
                self.error = f"returned {kinds}, expected a tensor or a tuple of them"

    def run_backward(self, dys: list[np.ndarray]) -> None:
        """Run backwards; the gradients of inputs and parameters that were not used are zeros."""
        try:
            torch.autograd.backward(self.outputs, [torch.tensor(dy) for dy in dys])
        except Exception as error:
            self.error = f"raised {type(error).__name__}: {error}"
            return
        leaves: dict[Key, Tensor] = {(k, 0): p for k, p in self.twin.named_parameters()}
        leaves |= {("", "", 1, "in", i): x for i, x in enumerate(self._inputs) if x.requires_grad}
        for key, leaf in leaves.items():
            grad = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            self._keep("gradients", key, grad)
        for name, buffer in self.twin.named_buffers():
            self._keep("buffers", (name, 0), buffer)

    # -- modules and functions --------------------------------------------------------------

    def _enter(self, path: str, part: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        place = self._place(path, "")
        used = tuple(self._view((*place, "in", i), x) for i, x in enumerate(inputs))
        versions = map(_version, inputs)
        self._running.append((place, list(zip(inputs, used, versions, strict=True))))
        return used

    def _leave(self, part: nn.Module, _: Any, value: Any) -> Any:
        place, inputs = self._running.pop()
        for x, view, version in inputs:
            if value is view and _version(view) != version:  # it worked in place on its input
                self._watch((*place, "out", 0), x)
                return x
        if not isinstance(value, tuple | list):
            return self._view((*place, "out", 0), value)
        made = getattr(value, "_make", type(value))  # a named tuple is made in its own way
        return made([self._view((*place, "out", i), y) for i, y in enumerate(value)])

    def _function(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        place = self._place(self._running[-1][0][0], name)
        used = (self._view((*place, "in", i), a) for i, a in enumerate(args))
        value = function(*used, **kwargs)
        for i, y in enumerate(value if isinstance(value, tuple) else (value,)):
            self._watch((*place, "out", i), y)
        return value

    def _place(self, path: str, name: str) -> Key:
        self.counts[path, name] += 1
        return path, name, self.counts[path, name]

    def _view(self, key: Key, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return x
        view, version = x.view_as(x), _version(x)
        self._watch(key, view)

        def behind(g: Tensor) -> None:  # a view that is written to never hears of its gradient
            if _version(view) != version and ("gradients", *key) not in self.found:
                self._keep("gradients", key, g)

        if x.requires_grad and "out" in key:
            _on_gradient(x, behind)
        return view

    def _watch(self, key: Key, t: Tensor) -> None:
        self._keep("forward", key, t)
        if t.requires_grad:
            _ = t.grad_fn  # a view that was written to renews its node only when asked for it
            _on_gradient(t, partial(self._keep, "gradients", key))

    def _keep(self, phase: str, key: Key, t: Tensor) -> None:
        self.found[(phase, *key)] = t.detach().cpu().numpy().copy()


def _on_gradient(t: Tensor, call: Callable[[Tensor], None]) -> None:
    """Call this with the gradient of t, once it is there; PyTorch gives its own method no types."""
    register: Callable[[Callable[[Tensor], None]], object] = t.register_hook
    register(call)


def _version(x: Any) -> int:
    """How often this tensor was written to in place."""
    return x._version if isinstance(x, Tensor) else 0


def _functions() -> dict[str, Callable[..., Any]]:
    return {name: getattr(twins, name) for name in twins.__all__ if name.islower()}
