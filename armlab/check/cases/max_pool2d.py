"""Max pooling in windows."""

from __future__ import annotations

import math

import numpy as np

from armlab.check.bounds import Bounds, Exact
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Timed
from armlab.check.sides import run_torch
from armlab.check.smooth import apart, of_x
from armlab.check.special import border, one_of, slabs
from armlab.check.strategies import Source
from armlab.hand.window import pair


def max_pool2d(s: Source) -> Example:
    kernel = (s.pick(1, 2, 3), s.pick(3, 2, 5))
    stride = (s.pick(1, 2, 3), s.pick(2, 1, 4))
    padding = (s.pick(0, kernel[0] // 2), s.pick(0, kernel[1] // 2))
    s.note(f"kernel: {kernel}")
    n, c, h, w = s.features((1, 1, *kernel))
    out = [
        (size + 2 * p - k) // t + 1
        for size, p, k, t in zip((h, w), padding, kernel, stride, strict=True)
    ]
    x = s.array("x", (n, c, h, w))
    options = {"kernel_size": kernel, "stride": stride, "padding": padding}
    return Example({"x": x}, options, s.array("dy", (n, c, *out)), layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """y is one of the x; dx adds up one dy for each of at most R S windows that x won."""
    e_abs = Example(e.inputs, e.options, np.abs(e.dy))
    dx = run_torch("max_pool2d", e_abs, "float64")["dx"]
    window = math.prod(pair(e.options["kernel_size"], "kernel_size", 1))
    return {"y": 0 * np.abs(exact["y"]), "dx": window * u * dx}


CASES = [
    Case(
        "max_pool2d",
        max_pool2d,
        bound,
        max_pool2d,
        special=one_of(slabs, border),
        calls={
            "": of_x(apart, kernel_size=2),
            "overlapping windows": of_x(apart, kernel_size=(2, 2), stride=1, padding=1),
            "tall windows": of_x(apart, kernel_size=(5, 2), stride=1, padding=(2, 0)),
        },
        cost=(0, 2 * 6 * 2 * 3 * 4),
        timed=(Timed({"x": (8, 32, 64, 64)}, {"kernel_size": 3, "stride": 2, "padding": 1}),),
    )
]

FAULTS = [
    Fault(
        "max_pool2d: last of equals",
        "max_pool2d",
        "max_pool2d",
        "max_pool2d",
        "wins",
        "wins = (winner < 0) | (padded[tap] >= y) | xp.isnan(padded[tap])",
        "where values tie, the first of the window wins",
        nth=1,
    ),
    Fault(
        "max_pool2d: overlapping windows overwrite",
        "max_pool2d",
        "max_pool2d",
        "max_pool2d.backward",
        "(2)",
        "dpadded[tap] = xp.where(winner == k, dy, 0.0)",
        "one x may win several windows: their gradients add up",
    ),
    Fault(
        "max_pool2d: the last window alone is heard",
        "max_pool2d",
        "max_pool2d",
        "max_pool2d.backward",
        "return",
        "dpadded = xp.zeros_like(padded)\n"
        "for i, j in ((i, j) for i in range(out[0]) for j in range(out[1])):\n"
        "    for k, (_, _, rows, columns) in enumerate(taps):\n"
        "        at = rows.start + i * rows.step, columns.start + j * columns.step\n"
        "        won = winner[:, :, i, j] == k\n"
        "        dpadded[:, :, *at] = xp.where(won, dy[:, :, i, j], dpadded[:, :, *at])\n"
        "return window.crop(dpadded)",
        "an index that stands twice is written twice, and only the last value stays, with += "
        "too: where one x wins several windows, their gradients add up",
    ),
    Fault(
        "max_pool2d: padding with zeros",
        "max_pool2d",
        "max_pool2d",
        "max_pool2d",
        "padded, inside",
        "padded, inside = pad(x, window.padding), pad(xp.ones_like(x), window.padding) >= 0",
        "padding never wins: it is -inf, not 0",
    ),
    Fault(
        "max_pool2d_rows_columns: last of equals",
        "max_pool2d",
        "kernels/max_pool2d_rows_columns",
        "max_along.backward.rank",
        "return",
        "return 0 * nan + (tap + 1)",
        "where values tie, the first of the window wins",
    ),
    Fault(
        "max_pool2d_rows_columns: overlapping windows overwrite",
        "max_pool2d",
        "kernels/max_pool2d_rows_columns",
        "max_along.backward",
        "dx[met] +=",
        "dx[met] = keep_where((best == rank(tap))[windows], dy[windows])",
        "one x may win several windows: their gradients add up",
    ),
]
