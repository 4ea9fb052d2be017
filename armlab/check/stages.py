"""The stages of a composite: every call that it makes to a function, and the backward of each.

A bound for a whole network would be loose beyond use. So while a module runs by hand, each
function it calls is recorded with its inputs, its value, the gradient that came back and the
gradients it gave. Each stage is then judged alone, on the inputs that it really had.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from armlab import hand
from armlab.arrays import Array, to_host
from armlab.check.cases import FUNCTIONS
from armlab.check.example import Example
from armlab.check.swap import swapped


@dataclass
class Stage:
    """One call of a function and of its backward; arrays are those of the module itself."""

    name: str
    inputs: dict[str, Array | None]
    options: dict[str, Any]
    results: dict[str, Array | None]
    dy: Array | None = None

    def example(self) -> Example:
        """The same call on its own, with its float32 inputs taken as they are."""
        options = {k: _host(v) for k, v in self.options.items()}
        inputs = {k: _host(v) for k, v in self.inputs.items()}
        return Example(inputs, options, np.asarray(_host(self.dy), np.float64))


def _host(value: Any) -> Any:
    if value is None or not hasattr(value, "shape"):
        return value
    a = np.asarray(to_host(value))
    return a if a.dtype.kind == "i" else a.astype(np.float64)


@contextmanager
def recorded() -> Iterator[list[Stage]]:
    """Within this block, the list grows by a stage for each call to a function of `armlab.hand`."""
    stages: list[Stage] = []
    functions = {getattr(hand, case.name): case.name for case in FUNCTIONS}
    with swapped({f: _recorder(name, f, stages) for f, name in functions.items()}):
        yield stages


def _recorder(name: str, function: Callable[..., Any], stages: list[Stage]) -> Callable[..., Any]:
    signature = inspect.signature(function)
    constants = [k for k, p in signature.parameters.items() if p.kind == p.KEYWORD_ONLY]

    def call(*args: Any, **kwargs: Any) -> tuple[Any, Callable[[Array], Any]]:
        value, backward = function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        inputs = {k: v for k, v in bound.arguments.items() if k not in constants}
        options = {k: v for k, v in bound.arguments.items() if k in constants}
        values = value if isinstance(value, tuple) else (value,)
        stage = Stage(name, inputs, options, dict(zip(("y", "mean", "var"), values, strict=False)))
        stages.append(stage)

        def backward_too(dy: Array) -> Any:
            stage.dy = dy
            grads = backward(dy)
            each = grads if isinstance(grads, tuple) else (grads,)
            stage.results |= {f"d{k}": g for k, g in zip(inputs, each, strict=True)}
            return grads

        return value, backward_too

    return call
