"""Max pooling over windows that may overlap: the second step of ResNet's stem."""

from __future__ import annotations

from array_api_compat import device

from armlab.arrays import Array, array_namespace, pad
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features
from armlab.hand.window import Pair, Window


def max_pool2d(
    x: Array, *, kernel_size: int | Pair, stride: int | Pair | None = None, padding: int | Pair = 0
) -> tuple[Array, Backward]:
    """Largest value of each window; the stride is the kernel size unless given.

    x  (N, C, H, W)
    y  (N, C, OH, OW)     y[n,c,i,j] = max_{r,s} x[n, c, t i + r - p, t j + s - p]     (1)

    Padding never wins. Where values tie, the first one of the window, row by row, is the maximum
    and alone receives the gradient; a NaN wins over numbers, and the last NaN over others, as
    in torch. Raises ValueError for a padding of more than half the kernel, which would make
    windows without a single pixel of x.
    """
    expect_features("max_pool2d", x)
    xp = array_namespace(x)
    window = Window.of(kernel_size, kernel_size if stride is None else stride, padding)
    if any(2 * p > k for p, k in zip(window.padding, window.kernel, strict=True)):
        raise ValueError(
            f"max_pool2d expected padding of at most half of kernel_size={window.kernel}, "
            f"got {window.padding}: pad less"
        )
    out = window.output_size("max_pool2d window", x.shape[2:])
    padded = pad(x, window.padding, -float("inf"))
    y = xp.full((*x.shape[:2], *out), -float("inf"), dtype=x.dtype, device=device(x))
    for _, _, tap in window.taps(out):
        y = xp.maximum(y, padded[tap])

    def backward(dy: Array) -> Array:
        # (1) each y passed one x on, and that x receives its dy. Windows overlap, so one x may
        #     have been passed on several times: += adds them up.
        winner = _winning_tap(x, window, out)
        dpadded = xp.zeros_like(pad(x, window.padding))
        for t, (_, _, tap) in enumerate(window.taps(out)):
            dpadded[tap] += xp.where(winner == t, dy, 0.0)
        return window.crop(dpadded)

    return y, backward


def _winning_tap(x: Array, window: Window, out: Pair) -> Array:
    """For each window, the number of the tap that holds its maximum."""
    xp = array_namespace(x)
    padded = pad(x, window.padding)
    real = xp.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=device(x))
    inside = pad(real, window.padding) > 0  # pixels that are not padding
    best = xp.full((*x.shape[:2], *out), -float("inf"), dtype=x.dtype, device=device(x))
    winner = xp.full(best.shape, -1, dtype=xp.int64, device=device(x))
    for t, (_, _, tap) in enumerate(window.taps(out)):
        candidate = padded[tap]
        better = (winner < 0) | (candidate > best) | xp.isnan(candidate)
        better = better & inside[tap]
        best = xp.where(better, candidate, best)
        winner = xp.where(better, t, winner)
    return winner
