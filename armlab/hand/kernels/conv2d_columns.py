"""Any convolution, by columns: lay the pixels under the kernel side by side, multiply once.

im2col, but for a few rows of y at a time: the columns of a whole batch are R·S times the size of
the image and go through memory three times, those of a block stay in cache.

    cols[c, r, s; n, i, j] = padded x[n, c, t i + d r, t j + d s]                           (1)
    y  = w cols                      (K/g, C/g R S) times (C/g R S, pixels), for each group
    dw = dy colsᵀ,   dcols = wᵀ dy,   and dx collects dcols from where (1) took cols        (2)

Nothing is kept but x and w; the backward lays out the columns again.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from armlab.arrays import pad
from armlab.hand.kernels.blocks import blocks
from armlab.hand.kernels.kernel import KernelBackward, products, sum_of
from armlab.hand.kernels.parts import in_parts
from armlab.hand.window import Window

BLOCK = 2**15  # numbers in the columns of a block: 128 KiB in float32
NARROWEST = 640  # columns in a block, at the least


def conv2d(
    x: np.ndarray, w: np.ndarray, window: Window, groups: int = 1
) -> tuple[np.ndarray, KernelBackward]:
    """Equals `conv2d_by_taps` to the order of its sums.

    x  (N, C, H, W)    w  (K, C/g, R, S)    y  (N, K, OH, OW)
    """
    n, k, g = len(x), len(w), groups
    oh, ow = window.output_size("conv2d kernel", x.shape[2:])
    matrix = w.reshape(g, k // g, -1)
    crs = matrix.shape[2]
    each = max(NARROWEST, BLOCK // (g * crs))

    y = np.empty((n, k, oh, ow), x.dtype)

    def forward_part(part: slice) -> None:
        seen, out = _windows(pad(x[part], window.padding), window), y[part]
        for images, rows in blocks(len(out), oh, ow, each):
            cols = seen[:, :, :, images, rows].reshape(g, crs, -1)  # (1)
            ys = out[images, :, rows].swapaxes(0, 1)
            ys[...] = (matrix @ cols).reshape(ys.shape)

    in_parts(n, forward_part, products(y, w))

    def backward(dy: np.ndarray, input_grad: bool) -> tuple[np.ndarray | None, np.ndarray]:
        dx = np.empty(x.shape, x.dtype) if input_grad else None

        def backward_part(part: slice) -> np.ndarray:
            padded, dwt = pad(x[part], window.padding), np.zeros((g, crs, k // g), x.dtype)
            seen, dpadded = _windows(padded, window), np.zeros_like(padded) if input_grad else None
            for images, rows in blocks(len(padded), oh, ow, each):
                dys = dy[part][images, :, rows].swapaxes(0, 1).reshape(g, k // g, -1)
                cols = seen[:, :, :, images, rows]
                dwt += cols.reshape(g, crs, -1) @ dys.transpose(0, 2, 1)  # (2), faster as dwᵀ
                if dpadded is not None:
                    dcols = (matrix.transpose(0, 2, 1) @ dys).reshape(cols.shape)
                    for r, s, tap in window.taps((oh, ow)):
                        dpadded[tap][images, :, rows] += dcols[:, r, s].swapaxes(0, 1)
            if dx is not None:
                dx[part] = window.crop(dpadded)
            return dwt

        dwt = sum_of(in_parts(n, backward_part, products(dy, w)))
        return dx, dwt.transpose(0, 2, 1).reshape(w.shape)

    return y, backward


def _windows(padded: np.ndarray, window: Window) -> np.ndarray:
    """The pixels under the kernel, for each pixel of y: a view.  -> (C, R, S, N, OH, OW)"""
    (down, right), (t, u) = window.dilation, window.stride
    span = [d * (k - 1) + 1 for k, d in zip(window.kernel, window.dilation, strict=True)]
    seen = sliding_window_view(padded, span, axis=(2, 3))[:, :, ::t, ::u, ::down, ::right]
    return seen.transpose(1, 4, 5, 0, 2, 3)
