"""Max pooling over windows that may overlap: the second step of ResNet's stem."""

from __future__ import annotations

from array_api_compat import device

from armlab.arrays import Array, array_namespace, pad
from armlab.hand import kernels
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
    window = Window.of(kernel_size, kernel_size if stride is None else stride, padding)
    if any(2 * p > k for p, k in zip(window.padding, window.kernel, strict=True)):
        raise ValueError(
            f"max_pool2d expected padding of at most half of kernel_size={window.kernel}, "
            f"got {window.padding}: pad less"
        )
    out = window.output_size("max_pool2d window", x.shape[2:])
    if kernel := kernels.choose("max_pool2d", x, window, out):
        return kernel(x, window, out)
    xp = array_namespace(x)
    taps = [tap for _, _, tap in window.taps(out)]  # (r, s), row by row
    padded, inside = pad(x, window.padding), pad(xp.ones_like(x), window.padding) > 0

    y = xp.full((*x.shape[:2], *out), -float("inf"), dtype=x.dtype, device=device(x))
    winner = xp.full(y.shape, -1, dtype=xp.int32, device=device(x))  # -1: nobody so far
    for k, tap in enumerate(taps):
        wins = (winner < 0) | (padded[tap] > y) | xp.isnan(padded[tap])
        wins = wins & inside[tap]
        y = xp.where(wins, padded[tap], y)  # (1)
        winner = xp.where(wins, k, winner)

    def backward(dy: Array) -> Array:
        # (1) each y passed one x on, and that x receives its dy. Windows overlap, so one x may
        #     have been passed on several times: its gradients add up.
        dpadded = xp.zeros_like(padded)
        for k, tap in enumerate(taps):
            dpadded[tap] += xp.where(winner == k, dy, 0.0)  # (2)
        return window.crop(dpadded)

    return y, backward
