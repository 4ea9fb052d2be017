"""Two maps, one behind the other along the channels."""

from __future__ import annotations

import numpy as np

from armlab.check.bounds import nothing_rounds
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.record import Inputs, Options, Shape, Timed
from armlab.check.smooth import smooth
from armlab.check.strategies import Source


def concat_channels(s: Source) -> Example:
    n, c, h, w = s.features()
    inputs = {"x1": s.array("x1", (n, c, h, w)), "x2": s.array("x2", (n, s.pick(1, 2, 6), h, w))}
    channels = sum(x.shape[1] for x in inputs.values())
    return Example(inputs, {}, s.array("dy", (n, channels, h, w)), layouts=s.layouts)


def _call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
    n, _, h, w = shape
    return {"x1": smooth(rng, *shape), "x2": smooth(rng, n, 6, h, w)}, {}


CASES = [
    Case(
        "concat_channels",
        concat_channels,
        nothing_rounds,
        concat_channels,
        calls={"": _call},
        cost=(0, 0),
        timed=(Timed({"x1": (8, 32, 64, 64), "x2": (8, 32, 64, 64)}),),
    )
]

FAULTS = [
    Fault(
        "concat_channels: gradients swapped",
        "concat_channels",
        "concat_channels",
        "concat_channels.backward",
        "return",
        "dx1 = xp.asarray(dy[:, -c:, :, :], copy=True)\n"
        "dx2 = xp.asarray(dy[:, : dy.shape[1] - c, :, :], copy=True)\n"
        "return dx1, dx2",
        "the first c channels of dy belong to x1, the rest to x2",
    ),
]
