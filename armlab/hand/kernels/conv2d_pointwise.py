"""1×1 convolution: a matrix product at every pixel, with nothing to copy.

    y[n] = w x[n],   dx[n] = wᵀ dy[n],   dw = Σ_n dy[n] x[n]ᵀ               (1)

with x[n] as (C, H W). A stride leaves pixels out, before the product and behind it.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.kernel import KernelBackward, products, sum_of
from armlab.hand.kernels.parts import in_parts
from armlab.hand.window import Window


def fits(x: np.ndarray, w: np.ndarray, window: Window, groups: int) -> bool:
    """One pixel under the kernel, and no padding."""
    return (window.kernel, window.padding, groups) == ((1, 1), (0, 0), 1)


def conv2d(
    x: np.ndarray, w: np.ndarray, window: Window, groups: int = 1
) -> tuple[np.ndarray, KernelBackward]:
    """Equals `conv2d_by_taps` to the order of its sums.

    x  (N, C, H, W)    w  (K, C, 1, 1)    y  (N, K, OH, OW)
    """
    n, (k, c), (t, u) = len(x), w.shape[:2], window.stride
    seen, matrix = x[:, :, ::t, ::u], w.reshape(k, c)
    pixels = seen.shape[2] * seen.shape[3]
    xs, y = seen.reshape(n, c, pixels), np.empty((n, k, pixels), x.dtype)

    def forward_part(images: slice) -> None:
        np.matmul(matrix, xs[images], out=y[images])  # (1)

    in_parts(n, forward_part, products(y, w))

    def backward(dy: np.ndarray, input_grad: bool) -> tuple[np.ndarray | None, np.ndarray]:
        dys, xs = dy.reshape(n, k, pixels), seen.reshape(n, c, pixels)
        dxs = np.empty(xs.shape, x.dtype) if input_grad else None

        def backward_part(images: slice) -> np.ndarray:
            dw = np.zeros((k, c), x.dtype)
            for dy_n, x_n in zip(dys[images], xs[images], strict=True):
                dw += dy_n @ x_n.T
            if dxs is not None:
                np.matmul(matrix.T, dys[images], out=dxs[images])
            return dw

        dw = sum_of(in_parts(n, backward_part, products(dy, w))).reshape(w.shape)
        if dxs is None or seen.shape == x.shape:
            return None if dxs is None else dxs.reshape(x.shape), dw
        dx = np.zeros(x.shape, x.dtype)
        dx[:, :, ::t, ::u] = dxs.reshape(seen.shape)
        return dx, dw

    return y.reshape(n, k, *seen.shape[2:]), backward
