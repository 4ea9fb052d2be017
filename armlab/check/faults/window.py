"""Wrong versions of `hand/window.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "conv2d: dilated taps off by one",
        "conv2d",
        "window",
        "Window.taps",
        "rows, cols",
        "rows, cols = (\n"
        "    slice(k * d - (k > 0 and d > 1), k * d - (k > 0 and d > 1) + t * (n - 1) + 1, t)\n"
        "    for k, d, t, n in zip((r, s), self.dilation, self.stride, out, strict=True)\n"
        ")",
        "each tap has to start at its own dilated offset",
    ),
    Fault(
        "conv2d: dilation forgotten where the taps start",
        "conv2d",
        "window",
        "Window.taps",
        "rows, cols",
        "rows, cols = (\n"
        "    slice(k, k + t * (n - 1) + 1, t)\n"
        "    for k, d, t, n in zip((r, s), self.dilation, self.stride, out, strict=True)\n"
        ")",
        "dilated taps lie apart: tap (r, s) meets the pixel d r rows down and d s columns right",
    ),
]
