"""Wrong versions of `hand/hard_swish.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "hard_swish: slope of the gate without that of x",
        "hard_swish",
        "hard_swish",
        "hard_swish.backward",
        "dx +=",
        "dx += u - 0.5 * u * xp.astype(xp.abs(u) < 1.0, x.dtype)",
        "x stands in y = x h(x) twice: the slope is h + x h' = (2 x + 3) / 6",
        nth=1,
    ),
    Fault(
        "hard_swish: slope at the upper kink",
        "hard_swish",
        "hard_swish",
        "hard_swish.backward",
        "dx",
        "dx = xp.trunc(u) * xp.astype(x != 3.0, x.dtype)",
        "at x = 3 the convention is the slope of what follows, 1, not the parabola's 3/2",
    ),
]
