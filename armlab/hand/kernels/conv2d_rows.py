"""Convolution at stride 1, rows by addition: copy S column shifts, multiply once, add R rows.

im2col copies all R·S shifts of the image. Here only the S column shifts are copied, one matrix
product computes every kernel row at every image row, and the R row shifts are free: they are
views of the product, added into place.

    cols[s]  = x shifted by d s - p columns                      (S C, H)  per image and column
    parts[r] = Σ_{c,s} w[:, c, r, s] cols[s, c]                  one product for all r      (1)
    y[i]     = Σ_r parts[r][i + d r - p]                         R added views              (2)

The copies are S times the image, not R·S times, and nothing is kept but x and w.
"""

from __future__ import annotations

import numpy as np

from armlab.hand.kernels.kernel import (
    KernelBackward,
    clear_unmet,
    clear_unmet_columns,
    products,
    sum_of,
)
from armlab.hand.kernels.parts import in_parts
from armlab.hand.window import Window, overlap


def fits(x: np.ndarray, w: np.ndarray, window: Window, groups: int) -> bool:
    """At stride 1 without groups; a 1×1 kernel has no rows to add.

    Not from few channels to many: rows would be added up in the many, columns copied in the few.
    """
    k, c = w.shape[:2]
    a_stem = k >= 4 * c
    return window.stride == (1, 1) and groups == 1 and window.kernel != (1, 1) and not a_stem


def conv2d(
    x: np.ndarray, w: np.ndarray, window: Window, groups: int = 1
) -> tuple[np.ndarray, KernelBackward]:
    """Equals `conv2d_by_taps` up to the order of its sums.

    x  (N, C, H, W)    w  (K, C, R, S)    y  (N, K, OH, OW)
    """
    (n, c, h, width), (k, _, kr, ks) = x.shape, w.shape
    oh, ow = window.output_size("conv2d kernel", (h, width))
    (down, right), (top, left) = window.dilation, window.padding
    col_shift = [right * s - left for s in range(ks)]  # x column under y column 0
    row_shift = [down * r - top for r in range(kr)]
    met = [overlap(shift, oh, h) for shift in row_shift]  # for each r: rows of y, rows of x

    y = np.zeros((n, k, oh, ow), x.dtype)
    w_rows = w.transpose(2, 0, 3, 1).reshape(kr * k, ks * c)

    def forward_part(images: slice) -> None:
        cols = np.zeros((ks, c, h, ow), x.dtype)
        for image, out in zip(x[images], y[images], strict=True):
            _shift_columns(cols, image, col_shift)
            parts = (w_rows @ cols.reshape(ks * c, h * ow)).reshape(kr, k, h, ow)  # (1)
            for part, (y_rows, x_rows) in zip(parts, met, strict=True):
                out[:, y_rows] += part[:, x_rows]  # (2)

    in_parts(n, forward_part, products(y, w))

    def backward(dy: np.ndarray, input_grad: bool) -> tuple[np.ndarray | None, np.ndarray]:
        # dy shifted the other way meets x where x fed y: its columns give dx through the same
        # two steps, and its row shifts, again free views, multiply x to give dw.
        dx = np.zeros(x.shape, x.dtype) if input_grad else None
        w_rows = w.transpose(2, 1, 3, 0).reshape(kr * c, ks * k)

        def backward_part(images: slice) -> np.ndarray:
            dw = np.zeros((kr, ks * k, c), x.dtype)
            cols = np.zeros((ks, k, oh, width), x.dtype)
            for i in range(images.start, images.stop):
                _shift_columns(cols, dy[i], [-shift for shift in col_shift])
                for r, (y_rows, x_rows) in enumerate(met):
                    dy_met = cols[:, :, y_rows].reshape(ks * k, -1)
                    dw[r] += dy_met @ x[i, :, x_rows].reshape(c, -1).T
                if dx is not None:
                    parts = (w_rows @ cols.reshape(ks * k, oh * width)).reshape(kr, c, oh, width)
                    for part, (y_rows, x_rows) in zip(parts, met, strict=True):
                        dx[i, :, x_rows] += part[:, y_rows]
            return dw

        dw = sum_of(in_parts(n, backward_part, products(dy, w))).reshape(kr, ks, k, c)
        y_columns, x_columns = zip(*(overlap(s, ow, width) for s in col_shift), strict=True)
        clear_unmet(dw, [y_rows for y_rows, _ in met], y_columns)
        if dx is not None:
            clear_unmet_columns(dx, x_columns)
        return dx, np.ascontiguousarray(dw.transpose(2, 3, 0, 1))

    return y, backward


def _shift_columns(cols: np.ndarray, image: np.ndarray, shifts: list[int]) -> None:
    """cols[s, :, :, j] = image[:, :, j + shifts[s]], and 0 outside (where cols is 0 already)."""
    for col, shift in zip(cols, shifts, strict=True):
        to, met = overlap(shift, col.shape[-1], image.shape[-1])
        col[..., to] = image[..., met]
