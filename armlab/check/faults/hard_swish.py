"""Wrong versions of `hand/hard_swish.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "hard_swish: slope of the gate without that of x",
        "hard_swish",
        "hard_swish",
        "hard_swish.backward",
        "(3)",
        "slope = h",
        "x stands in y = x h(x) twice: the slope is h + x h' = (2 x + 3) / 6",
    ),
    Fault(
        "hard_swish: slope at the upper kink",
        "hard_swish",
        "hard_swish",
        "hard_swish.backward",
        "(3)",
        "slope = xp.where(x > 3.0, 1.0, xp.maximum(x, -3.0) / 3.0 + 0.5)",
        "at x = 3 the convention is the slope of what follows, 1, not the parabola's 3/2",
    ),
    Fault(
        "hard_swish_bits: slope at the upper kink",
        "hard_swish",
        "kernels/hard_swish_bits",
        "hard_swish.backward",
        "dx",
        "dx = np.trunc(u) * (x != 3.0)",
        "at x = 3 the convention is the slope of what follows, 1, not the parabola's 3/2",
    ),
]
