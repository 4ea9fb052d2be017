"""The convolution over channels of ECA."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import TINY, Bounds, Exact, absolute, float64_inputs
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Inputs, Options, Shape, Timed
from armlab.check.smooth import smooth
from armlab.check.strategies import Source


def channel_conv1d(s: Source) -> Example:
    n, c, _, _ = s.features(large=(3, 401, 1, 1))
    shape = (n, c, 1, 1)
    inputs = {"z": s.array("z", shape), "w": s.array("w", (1, 1, s.pick(1, 3, 5)))}
    return Example(inputs, {}, s.array("dy", shape), layouts=s.layouts)


def bound(e: Example, exact: Exact, u: float) -> Bounds:
    """Sums of products: R of them for a and dz, N C for dw."""
    size = absolute("channel_conv1d", e)
    r, pixels = float64_inputs(e)["w"].shape[2], e.dy.size
    return {
        "y": r * u * size["y"] + r * TINY,
        "dz": r * u * size["dz"] + r * TINY,
        "dw": pixels * u * size["dw"] + pixels * TINY,
    }


def _call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    return {"z": smooth(rng, *shape[:2], 1, 1), "w": smooth(rng, 1, 1, 3)}, {}


CASES = [
    Case(
        "channel_conv1d",
        channel_conv1d,
        bound,
        channel_conv1d,
        calls={"": _call},
        cost=(36, 0),
        timed=(Timed({"z": (8, 256, 1, 1), "w": (1, 1, 5)}),),
    )
]

FAULTS = [
    Fault(
        "ECA: kernel flipped backward",
        "channel_conv1d",
        "channel_conv1d",
        "channel_conv1d.backward",
        "return",
        "dw = xp.reshape(dkernel, (1, 1, size))\n"
        "return xp.reshape(dcolumn, (n, c, 1, 1)), xp.flip(dw, axis=2)",
        "the kernel is not flipped: its gradient is in its own order",
    ),
    Fault(
        "ECA: kernel not turned backward",
        "channel_conv1d",
        "channel_conv1d",
        "channel_conv1d.backward",
        "return",
        "dcolumn, _ = conv2d(xp.reshape(da, (n, 1, c, 1)), kernel, padding=(size // 2, 0))\n"
        "return xp.reshape(dcolumn, (n, c, 1, 1)), xp.reshape(dkernel, (1, 1, size))",
        "z[c + 1] fed a[c] by the weight behind the middle: backward, the kernel is turned around",
    ),
]
