"""NaN and infinity: noticed in the step in which they appear, and named by the first place.

In every step the learners add up all that the step computed: the outputs of all layers, the
gradients, the weights, the statistics and the optimiser's state. The sum stays on the device and
is read together with the loss, and no value that is not finite can hide in it. Only if it is not
finite is the step run again, value by value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from armlab.arrays import Array, to_host
from armlab.hand import Module
from armlab.hand.backward import Backward

Note = Callable[[str, Module, Any], None]


class NotFinite(ArithmeticError):
    """A value of a step is NaN or infinite; the message is its name."""


def expect_finite(named: Iterable[tuple[str, Array]]) -> None:
    """Raise NotFinite with the first name whose array holds a NaN or an infinity."""
    for name, a in named:
        if not np.isfinite(to_host(a)).all():
            raise NotFinite(name)


@contextmanager
def listening(net: Module, note: Note) -> Iterator[None]:
    """Within this block, note(name, module, y) hears every output; inner modules come first."""
    modules = list(net.named_modules())
    for name, module in modules:
        module.forward = _noting(module, name or type(net).__name__, note)
    try:
        yield
    finally:
        for _, module in modules:
            del module.forward  # the instance's own, so that of the class is back


def _noting(module: Module, name: str, note: Note) -> Callable[..., tuple[Any, Backward]]:
    forward = module.forward

    def noted(*inputs: Array) -> tuple[Any, Backward]:
        y, backward = forward(*inputs)
        note(name, module, y)
        return y, backward

    return noted
