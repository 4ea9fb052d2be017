"""Max pooling over windows that may overlap: the second step of ResNet's stem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from array_api_compat import device

from armlab.arrays import Array, array_namespace, in_place, keep_where
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features
from armlab.hand.window import Pair, Window, overlap

Part = tuple[Any, ...]  # a slice for one axis, as an index


def max_pool2d(
    x: Array, *, kernel_size: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0
) -> tuple[Array, Backward]:
    """Largest value of each window; the stride is the kernel size unless given.

    x  (N, C, H, W)
    y  (N, C, OH, OW)     u[n,c,h,j] = max_s x[n, c, h, t j + s - p]    (1)  of each row
                          y[n,c,i,j] = max_r u[n, c, t i + r - p, j]    (2)  of these, each column

    Padding never wins. Where values tie, the first one of the window, row by row, is the maximum
    and alone receives the gradient; a NaN wins over numbers, and the last NaN over others, as
    in torch. Raises ValueError for a padding of more than half the kernel, which would make
    windows without a single pixel of x.
    """
    expect_features("max_pool2d", x)
    window = Window.of(kernel_size, kernel_size if stride is None else stride, padding)
    if any(2 * p > k for p, k in zip(window.padding, window.kernel, strict=True)):
        raise ValueError(
            f"max_pool2d expected padding of at most half of kernel_size={window.kernel}, "
            f"got {window.padding}: pad less"
        )
    out = window.output_size("max_pool2d window", x.shape[2:])
    u, rows_back = max_along(3, x, window, out)  # (1)
    y, columns_back = max_along(2, u, window, out)  # (2)

    def backward(dy: Array) -> Array:
        return rows_back(columns_back(dy))

    return y, backward


def max_along(axis: int, x: Array, window: Window, out: Pair) -> tuple[Array, Backward]:
    """The maxima of windows along one axis of the image, each with `kernel` taps."""
    xp, kernel = array_namespace(x), window.kernel[axis - 2]
    shape = (*x.shape[:axis], out[axis - 2], *x.shape[axis + 1 :])
    taps = list(_taps(axis, x.shape[axis], window, out))
    y = xp.full(shape, -float("inf"), dtype=x.dtype, device=device(x))
    for _, windows, met in taps:
        y[windows] = in_place(xp.maximum, y[windows], x[met])

    def backward(dy: Array) -> Array:
        # Each y passed one x on, and that x receives its dy. Windows overlap, so one x may have
        # been passed on several times: += adds them up. Of several taps that hold the maximum,
        # the one of the highest rank won: the first of equals, but the last of NaNs.
        nan = xp.astype(xp.isnan(y), xp.int16)

        def rank(tap: int) -> Array:
            return nan * (2 * tap + 1 - kernel) + (kernel - tap)  # kernel - tap; NaN: tap + 1

        best = xp.zeros_like(nan)
        for tap, windows, met in taps:
            holds = xp.astype((x[met] == y[windows]) | xp.isnan(x[met]), xp.int16)
            ranked = holds * rank(tap)[windows]
            best[windows] = in_place(xp.maximum, best[windows], ranked)
        dx = xp.zeros_like(x)
        for tap, windows, met in taps:
            dx[met] += keep_where((best == rank(tap))[windows], dy[windows])
        return dx

    return y, backward


def _taps(axis: int, size: int, window: Window, out: Pair) -> Iterator[tuple[int, Part, Part]]:
    """Each tap, the windows in which it is no padding, and the pixels that it is there."""
    kernel, stride, padding, count = (
        pair[axis - 2] for pair in (window.kernel, window.stride, window.padding, out)
    )
    before = (slice(None),) * axis
    for tap in range(kernel):
        windows, met = overlap(tap - padding, count, size, stride)
        if windows.start < windows.stop:
            met = slice(met.start, min(met.stop, size), stride)
            yield tap, (*before, windows, ...), (*before, met, ...)
