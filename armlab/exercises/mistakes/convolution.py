"""Of chapter 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from armlab.arrays import pad
from armlab.exercises.mistakes.given import Mistakes, Steps

ONE = (1, 1)


def taps(kernel: Any, out: Any, stride: Any, dilation: Any) -> Iterator[tuple[int, int, Any]]:
    for r, s in np.ndindex(*kernel):
        i, j = (d * k + t * np.arange(n)
                for k, n, t, d in zip((r, s), out, stride, dilation, strict=True))  # fmt: skip
        yield r, s, (slice(None), slice(None), i[:, None], j)


def forward(
    x: Any, w: Any, stride: Any, padding: Any, dilation: Any, moved: Any = None, last: bool = False
) -> Any:
    """Right, or with windows that move by another step, or with the last tap alone."""
    image, kernel = pad(x, padding), w.shape[2:]
    axes = zip(image.shape[2:], kernel, stride, dilation, strict=True)
    out = [(n - d * (k - 1) - 1) // t + 1 for n, k, t, d in axes]
    y = np.zeros((len(x), len(w), *out))
    for r, s, tap in taps(kernel, out, moved or stride, dilation):
        y = (0 if last else y) + np.einsum("kc,ncij->nkij", w[:, :, r, s], image[tap])
    return y


def crossed(x: Any, w: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return forward(x, w, stride[::-1], padding[::-1], dilation[::-1])


def dw_of(dy: Any, padded: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    dw = np.zeros((dy.shape[1], padded.shape[1], *kernel))
    for r, s, tap in taps(kernel, dy.shape[2:], stride, dilation):
        dw[:, :, r, s] = np.einsum("nkij,ncij->kc", dy, padded[tap])
    return dw


def first_dw(dy: Any, padded: Any, **window: Any) -> Any:
    return dw_of(dy[:1], padded[:1], **window)


def dx_of(
    dy: Any, w: Any, shape: Any, stride: Any, padding: Any, dilation: Any, at: Any = None
) -> Any:
    """Right, or cut out at another place than behind the border."""
    dx = pad(np.zeros(shape), padding)
    for r, s, tap in taps(w.shape[2:], dy.shape[2:], stride, dilation):
        dx[tap] += np.einsum("nkij,kc->ncij", dy, w[:, :, r, s])
    (p, q), (h, width) = padding if at is None else at, shape[2:]
    return dx[:, :, p : p + h, q : q + width]


def _with_border(shape: Any, padding: Any, **given: Any) -> Any:
    larger = *shape[:2], *(n + 2 * p for n, p in zip(shape[2:], padding, strict=True))
    return dx_of(shape=larger, padding=(0, 0), **given)


def columns(
    x: Any, kernel: Any, order: str = "crsij", step: Any = ONE, size: Any = None, turned: int = 1
) -> Any:
    """Right, or with another order of rows and columns, or with windows at other places."""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))  # (C, OH, OW, R, S)
    windows = windows[:, :: step[0], :: step[1], ::turned, ::turned]
    windows = windows if size is None else windows[:, : size[0], : size[1]]
    rows = x.shape[0] * kernel[0] * kernel[1]
    return np.einsum(f"cijrs->{order}", windows).reshape(rows, -1)


def _last_ones_missing(x: Any, kernel: Any) -> Any:
    return columns(x, kernel, size=[n - k for n, k in zip(x.shape[1:], kernel, strict=True)])


MISTAKES: Mistakes = {
    "columns_of": {
        "rows follow the axes of w, (C, R, S): here the taps come first, and the channels last": (
            lambda x, kernel: columns(x, kernel, "rscij")
        ),
        "columns follow y in reading order: this goes down the rows of y first": (
            lambda x, kernel: columns(x, kernel, "crsji")
        ),
        "rows follow the axes of w, (C, R, S): here r and s have changed places": (
            lambda x, kernel: columns(x, kernel, "csrij")
        ),
        "the kernel is not flipped: the first tap of a window is its upper left pixel": (
            lambda x, kernel: columns(x, kernel, turned=-1)
        ),
        "windows overlap: the next one begins a pixel further, not behind this one": (
            lambda x, kernel: columns(x, kernel, step=kernel)
        ),
        "H − R + 1 windows fit, and W − S + 1: the last ones are missing": _last_ones_missing,
        "each channel keeps rows of its own: this is the first channel alone": (
            lambda x, kernel: columns(x[:1], kernel)
        ),
        "each channel keeps rows of its own: the product with w adds them up, and not this": (
            lambda x, kernel: columns(x.sum(axis=0, keepdims=True), kernel)
        ),
    },
    "output_size": {
        "divide first and add 1 then: (… − 1) // stride + 1": (
            lambda size, kernel, stride, padding, dilation: (
                (size + 2 * padding - dilation * (kernel - 1)) // stride
            )
        ),
        "a window that no longer fits is left out: the division rounds down, not to the nearest": (
            lambda size, kernel, stride, padding, dilation: round(
                (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
            )
        ),
        "a dilated kernel spans d (R − 1) + 1 pixels: dilation is not in this": (
            lambda size, kernel, stride, padding, dilation: (
                (size + 2 * padding - kernel) // stride + 1
            )
        ),
        "size / stride is right for one padding alone: kernel and padding are not in this": (
            lambda size, kernel, stride, padding, dilation: -(-size // stride)
        ),
    },
    "conv2d_forward": {
        "each tap replaces what the others gave: y is the sum over all taps": (
            lambda **given: forward(**given, last=True)
        ),
        "windows move by the stride, and these lie one pixel apart": (
            lambda **given: forward(**given, moved=ONE)
        ),
        "stride, padding and dilation are (rows, columns): these were exchanged": crossed,
        "y sums over all channels of x: this is the first one alone": (
            lambda x, w, **window: forward(x[:, :1], w[:, :1], **window)
        ),
    },
    "conv_dw": {
        "windows move by the stride, and these lie one pixel apart": (
            lambda stride, **given: dw_of(stride=ONE, **given)
        ),
        "dilated taps lie apart: tap (r, s) meets the pixel d r rows down": (
            lambda dilation, **given: dw_of(dilation=ONE, **given)
        ),
        "one kernel serves every image of the batch: this is the first image alone": first_dw,
    },
    "conv_dx": {
        "the padding is no part of x: cut its border off, on all sides": _with_border,
        "x begins behind the border, at (p, q): this is cut out from the corner": (
            lambda **given: dx_of(**given, at=(0, 0))
        ),
        "windows move by the stride, and these lie one pixel apart": (
            lambda stride, **given: dx_of(stride=ONE, **given)
        ),
        "dilated taps lie apart: tap (r, s) met the pixel d r rows down": (
            lambda dilation, **given: dx_of(dilation=ONE, **given)
        ),
    },
}
STEPS: Steps = {}
