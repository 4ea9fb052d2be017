"""Wrong versions of `hand/max_pool2d.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

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
