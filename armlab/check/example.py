"""One example: the inputs of a function or a module, and the gradient that arrives from above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Example:
    """Values on the host in float64; each side converts them to the dtype under test.

    inputs   by argument name, in the order in which backward returns their gradients; None: absent
    options  constants by name; arrays among them (labels, statistics) are converted as well
    dy       the upstream gradient, random, drawn after the inputs; of several outputs, a tuple
    state    of a module: its parameters and buffers by key
    layouts  how inputs and dy lie in memory, by name; see `armlab.check.layouts`
    clean    the same example without the special values that this one has; None: it has none
    """

    inputs: Mapping[str, np.ndarray | None]
    options: Mapping[str, Any]
    dy: Any
    state: Mapping[str, np.ndarray] | None = None
    training: bool = True
    layouts: dict[str, str] = field(default_factory=dict)
    clean: Example | None = None

    def __repr__(self) -> str:
        parts = [_show(k, v) for k, v in self.inputs.items()]
        parts += [_show(k, v) for k, v in self.options.items()]
        state = self.state or {}
        whole = len(state) <= 12  # of a network the keys and values fill pages
        parts += [_show(k, v) for k, v in state.items()] if whole else [f"{len(state)} arrays"]
        parts += [_show(*named) for named in by_name("dy", self.dy).items()]
        parts.append(f"layouts={self.layouts}")
        if self.state is not None:
            parts.append(f"training={self.training}")
        return "Example(\n    " + ",\n    ".join(parts) + ")"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def by_name(name: str, value: Any) -> dict[str, Any]:
    """Arrays of one or several outputs: {"y": …}, or {"y": …, "y2": …, "y3": …}."""
    values = value if isinstance(value, tuple) else (value,)
    return {name if i == 1 else f"{name}{i}": v for i, v in enumerate(values, start=1)}


def _show(name: str, value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return f"{name}={value!r}"
    body = np.array2string(value, threshold=60, edgeitems=2, separator=", ")
    return f"{name} {value.shape} = {' '.join(body.split())}"
