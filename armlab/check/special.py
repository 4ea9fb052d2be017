"""Special values where they must not count: NaN and infinities, and the results they cannot reach.

An ignored pixel, another image, a channel of another group, a border that no window covers: what
stands there has no part in a result, so the result has to be what it is without it, even if a
product with 0 or a mask in the wrong place would make it NaN. Which results these are is asked of
PyTorch in float64: those that the special values do not change by one bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import assume, event

from armlab.check.example import Example, by_name
from armlab.check.strategies import Source

Special = Callable[[Source, Example], Example]
VALUES = (math.nan, math.inf, -math.inf)


def without_warnings(e: Example) -> AbstractContextManager[Any]:
    """Within this block, NumPy is silent about the special values of an example that has some."""
    return nullcontext() if e.clean is None else np.errstate(all="ignore")


def slabs(s: Source, e: Example) -> Example:
    """One image or one channel, first or last, of an input or of the upstream gradient."""
    arrays = {**e.inputs, **by_name("dy", e.dy)}
    places = [
        (name, axis)
        for name, a in arrays.items()
        for axis in (0, 1)
        if a is not None and axis < a.ndim and a.shape[axis] > 1
    ]
    assume(places)
    name, axis = s.pick(*places)
    event(f"special: {name}, axis {axis}")
    end = s.pick(0, -1)
    return spoil(e, name, (end,) if axis == 0 else (slice(None), end), s.pick(*VALUES))


def one_of(*ways: Special) -> Special:
    """One of these ways, by chance; an example in which it finds no place is not counted."""

    def draw(s: Source, e: Example) -> Example:
        way: Special = s.pick(*ways)
        return way(s, e)

    return draw


def spoil(e: Example, name: str, where: Any, value: float) -> Example:
    """The example with this value at these places of an input or of dy, dy2, …"""

    def spoiled(a: np.ndarray) -> np.ndarray:
        a = a.copy()
        a[where] = value
        return a

    if name in e.inputs:
        inputs = dict(e.inputs)
        a = inputs[name]
        assert a is not None
        return replace(e, inputs=inputs | {name: spoiled(a)}, clean=e)
    if not isinstance(e.dy, tuple):
        return replace(e, dy=spoiled(e.dy), clean=e)
    names = by_name("dy", e.dy)
    return replace(e, dy=tuple((names | {name: spoiled(names[name])}).values()), clean=e)


def covered(e: Example) -> tuple[int, int]:
    """How many rows and columns of x the windows of a convolution or of a pooling reach."""
    w = e.inputs.get("w")
    window = e.options["kernel_size"] if w is None else w.shape[2:]
    dilation = e.options.get("dilation", (1, 1))
    last = [
        (out - 1) * t - p + d * (k - 1)
        for out, t, p, d, k in zip(
            e.dy.shape[2:], e.options["stride"], e.options["padding"], dilation, window, strict=True
        )
    ]
    return max(last[0] + 1, 0), max(last[1] + 1, 0)


def border(s: Source, e: Example) -> Example:
    """Rows below and columns right of all that the windows of `covered` reach."""
    x, (rows, columns) = e.inputs["x"], covered(e)
    assert x is not None
    edges = [(0, slice(rows, None))] * (rows < x.shape[2])
    edges += [(1, slice(columns, None))] * (columns < x.shape[3])
    assume(edges)
    axis, beyond = s.pick(*edges)
    event("special: a border that no window covers")
    rows_and_columns = (beyond, slice(None)) if axis == 0 else (slice(None), beyond)
    return spoil(e, "x", (slice(None), slice(None), *rows_and_columns), s.pick(*VALUES))


def where_no_pixel_is_passed_over(s: Source, e: Example) -> Example:
    """`slabs`, of a map that grows: where one shrinks, products with 0 spread a NaN in its slab."""
    x = e.inputs["x"]
    assert x is not None
    assume(all(out >= size for out, size in zip(e.options["size"], x.shape[2:], strict=True)))
    return slabs(s, e)


def ignored_pixels(s: Source, e: Example) -> Example:
    """Logits of pixels that do not count, of which there is at least one."""
    ignored = e.options["labels"] == e.options["ignore_index"]
    assume(ignored.any())
    event("special: ignored pixels")
    a = e.inputs["a"]
    assert a is not None
    return spoil(e, "a", np.broadcast_to(ignored[:, None], a.shape), s.pick(*VALUES))
