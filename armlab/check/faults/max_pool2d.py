"""Wrong versions of `hand/max_pool2d.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "max_pool2d: last of equals",
        "max_pool2d",
        "max_pool2d",
        "max_along.backward.rank",
        "return",
        "return 0 * nan + (tap + 1)",
        "where values tie, the first of the window wins",
    ),
    Fault(
        "max_pool2d: overlapping windows overwrite",
        "max_pool2d",
        "max_pool2d",
        "max_along.backward",
        "dx[met] +=",
        "dx[met] = keep_where((best == rank(tap))[windows], dy[windows])",
        "one x may win several windows: their gradients add up",
    ),
    Fault(
        "max_pool2d: the last window alone is heard",
        "max_pool2d",
        "max_pool2d",
        "max_pool2d.backward",
        "return",
        "dx = 0.0 * x\n"
        "for i, j in ((i, j) for i in range(out[0]) for j in range(out[1])):\n"
        "    window = 0.0 * dy\n"
        "    window[:, :, i, j] = 1.0\n"
        "    won = rows_back(columns_back(window))\n"
        "    dx = dx * (won == 0) + rows_back(columns_back(window * dy))\n"
        "return dx",
        "an index that stands twice is written twice, and only the last value stays, with += "
        "too: where one x wins several windows, their gradients add up",
    ),
    Fault(
        "max_pool2d: padding with zeros",
        "max_pool2d",
        "max_pool2d",
        "max_pool2d",
        "(1)",
        "from armlab.arrays import pad\n"
        "padded, crop = pad(x, window.padding), window.crop\n"
        "window = Window.of(window.kernel, window.stride)\n"
        "u, padded_back = max_along(3, padded, window, out)\n"
        "rows_back = lambda du: crop(padded_back(du))",
        "padding never wins: it is -inf, not 0",
    ),
]
