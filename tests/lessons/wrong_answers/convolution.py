"""Of chapter 1."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from wrong_answers.answer import Wrong

Taps = Iterator[tuple[int, int, tuple[slice, ...]]]


def taps(kernel: Any, out: Any, stride: Any, dilation: Any) -> Taps:
    """What each tap of a right answer meets."""
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            rows, cols = (
                slice(k * d, k * d + t * (n - 1) + 1, t)
                for k, d, t, n in zip((r, s), dilation, stride, out, strict=True)
            )
            yield r, s, (slice(None), slice(None), rows, cols)


def sized(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def padded(x: Any, padding: Any) -> Any:
    return np.pad(x, ((0, 0), (0, 0), *((p, p) for p in padding)))


def forward(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, apart: bool = True) -> Any:
    """Right, or with taps that lie side by side whatever the dilation."""
    given = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    out = tuple(sized(*numbers) for numbers in given)
    y, image = np.zeros((len(x), len(w), *out)), padded(x, padding)
    for r, s, tap in taps(w.shape[2:], out, stride, dilation if apart else (1, 1)):
        y += np.einsum("kc,ncij->nkij", w[:, :, r, s], image[tap])
    return y


def dw_of(dy: Any, padded: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    dw = np.zeros((dy.shape[1], padded.shape[1], *kernel))
    for r, s, tap in taps(kernel, dy.shape[2:], stride, dilation):
        dw[:, :, r, s] = np.einsum("nkij,ncij->kc", dy, padded[tap])
    return dw


def dx_of(
    dy: Any, w: Any, shape: Any, stride: Any, padding: Any, dilation: Any, adds: bool = True
) -> Any:
    """Right, or with windows that overwrite each other."""
    dpadded = padded(np.zeros(shape), padding)
    for r, s, tap in taps(w.shape[2:], dy.shape[2:], stride, dilation):
        sent = np.einsum("kc,nkij->ncij", w[:, :, r, s], dy)
        dpadded[tap] = dpadded[tap] + sent if adds else sent
    (p, q), (h, width) = padding, shape[2:]
    return dpadded[:, :, p : p + h, q : q + width]


def dx_flipped(dy: Any, w: Any, **window: Any) -> Any:
    return dx_of(dy, w[:, :, ::-1, ::-1], **window)


def columns(x: Any, kernel: Any, taps_first: bool = False) -> Any:
    """Right, or with the channels of a tap below each other."""
    rows, wide = (n - k + 1 for n, k in zip(x.shape[1:], kernel, strict=True))
    found = np.stack([
        np.stack([channel[r : r + rows, s : s + wide].ravel() for r, s in np.ndindex(*kernel)])
        for channel in x
    ])  # fmt: skip
    found = found.swapaxes(0, 1) if taps_first else found
    return found.reshape(-1, rows * wide)


WRONG: Wrong = {
    "output_size": [
        (lambda **a: sized(**a) - 1, "the first window counts as well"),
        (
            lambda size, kernel, stride, padding, dilation: int(
                np.ceil((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1
            ),
            "the division rounds down",
        ),
        (
            lambda size, kernel, stride, padding, dilation: sized(
                size - padding, kernel, stride, padding, dilation
            ),
            "on both sides",
        ),
        (
            lambda size, kernel, stride, padding, dilation: (
                (size + 2 * padding - dilation * kernel) // stride + 1
            ),
            "R - 1 gaps",
        ),
    ],
    "conv2d_forward": [
        (lambda x, w, **window: forward(x, w[..., ::-1], **window), "s columns to the right"),
        (lambda x, w, **window: forward(x, w[:, :, ::-1], **window), "r rows down"),
        (
            lambda x, w, **window: forward(x, w[:, :, ::-1, ::-1], **window),
            "r rows down, s to the right",
        ),
        (lambda x, w, **window: forward(x, w, **window, apart=False), "dilated taps lie apart"),
    ],
    "conv_dw": [
        (lambda dy, padded, **window: dw_of(dy[-1:], padded[-1:], **window), "sum over N"),
        (
            lambda dy, padded, **window: dw_of(dy / len(dy), padded, **window),
            "their sum, not their mean",
        ),
    ],
    "conv_dx": [
        (lambda **given: dx_of(**given, adds=False), "their gradients add up"),
        (dx_flipped, "goes to the pixel that it met"),
    ],
    "columns_of": [
        (lambda x, kernel: columns(x, kernel).T, "transposed"),
        (lambda x, kernel: columns(x, kernel, taps_first=True), "the channels last"),
        (lambda x, kernel: columns(x[::-1], kernel)[::-1], "kernel is not flipped"),
    ],
}
