"""1×1 convolution: a matrix product at every pixel, with nothing to copy.

    y[n] = w x[n],   dx[n] = wᵀ dy[n],   dw = Σ_n dy[n] x[n]ᵀ               (1)

with x[n] as (C, H W). A stride leaves pixels out, before the product and behind it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from armlab.hand.kernels.kernel import KernelBackward
from armlab.hand.window import Window


def fits(window: Window, groups: int) -> bool:
    """One pixel under the kernel, and no padding."""
    return (window.kernel, window.padding, groups) == ((1, 1), (0, 0), 1)


def conv2d(
    x: NDArray, w: NDArray, window: Window, groups: int = 1
) -> tuple[NDArray, KernelBackward]:
    """Equals `conv2d_by_taps` to the order of its sums.

    x  (N, C, H, W)    w  (K, C, 1, 1)    y  (N, K, OH, OW)
    """
    n, (k, c), (t, u) = len(x), w.shape[:2], window.stride
    seen, matrix = x[:, :, ::t, ::u], w.reshape(k, c)
    pixels = seen.shape[2] * seen.shape[3]
    y = (matrix @ seen.reshape(n, c, pixels)).reshape(n, k, *seen.shape[2:])  # (1)

    def backward(dy: NDArray, input_grad: bool) -> tuple[NDArray | None, NDArray]:
        dys, xs = dy.reshape(n, k, pixels), seen.reshape(n, c, pixels)
        dw = np.zeros((k, c), x.dtype)
        for dy_n, x_n in zip(dys, xs, strict=True):
            dw += dy_n @ x_n.T
        if not input_grad:
            return None, dw.reshape(w.shape)
        dx = dseen = (matrix.T @ dys).reshape(seen.shape)
        if seen.shape != x.shape:
            dx = np.zeros(x.shape, x.dtype)
            dx[:, :, ::t, ::u] = dseen
        return dx, dw.reshape(w.shape)

    return y, backward
