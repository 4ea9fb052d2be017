"""Of chapter 1."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def size(n: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    return (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def places(r: int, count: int, stride: int, dilation: int) -> Any:
    return r * dilation + stride * np.arange(count)


def forward(x: Any, w: Any, stride: Any, padding: Any, dilation: Any, **other: Any) -> Any:
    """Right, but for what is given by name."""
    image = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    given = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    oh, ow = (size(*numbers) for numbers in given)
    (t, u), (d, e) = other.get("step", stride), other.get("apart", dilation)
    y = np.zeros((len(x), len(w), oh, ow))
    for r in range(w.shape[2]):
        for s in range(w.shape[3]):
            rows, columns = places(r, oh, t, d), places(s, ow, u, e)
            part = image[:, :, rows[:, None], columns]
            tap = np.tensordot(w[:, :, r, s], part, axes=(1, 1)).swapaxes(0, 1)
            y = tap if other.get("replaced") else y + tap
    return y


def unpadded(x: Any, w: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return forward(x, w, stride, (0, 0), dilation)


def swapped(x: Any, w: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return forward(x, w, stride[::-1], padding[::-1], dilation[::-1])


def dw_of(dy: Any, padded: Any, kernel: Any, stride: Any, dilation: Any, **other: Any) -> Any:
    oh, ow = dy.shape[2:]
    dw = np.zeros((dy.shape[1], padded.shape[1], *kernel))
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            rows, columns = (
                places(r, oh, stride[0], dilation[0]),
                places(s, ow, stride[1], dilation[1]),
            )
            part = padded[:, :, rows[:, None], columns]
            dw[:, :, r, s] = np.einsum(other.get("sum", "nkij,ncij->kc"), dy, part)
    return dw


def without_stride(dy: Any, padded: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    return dw_of(dy, padded, kernel, (1, 1), dilation)


def without_dilation(dy: Any, padded: Any, kernel: Any, stride: Any, dilation: Any) -> Any:
    return dw_of(dy, padded, kernel, stride, (1, 1))


def dx_of(
    dy: Any, w: Any, shape: Any, stride: Any, padding: Any, dilation: Any, **other: Any
) -> Any:
    n, c, h, wide = shape
    p, q = padding
    dx = np.zeros((n, c, h + 2 * p, wide + 2 * q))
    for r in range(w.shape[2]):
        for s in range(w.shape[3]):
            rows = places(r, dy.shape[2], other.get("step", stride)[0], dilation[0])
            columns = places(s, dy.shape[3], other.get("step", stride)[1], dilation[1])
            part = np.einsum("nkij,kc->ncij", dy, w[:, :, r, s])
            if other.get("adds", True):
                dx[:, :, rows[:, None], columns] += part
            else:
                dx[:, :, rows[:, None], columns] = part
    if other.get("whole"):
        return dx
    start = (0, 0) if other.get("corner") else (p, q)
    return dx[:, :, start[0] : start[0] + h, start[1] : start[1] + wide]


def columns(x: Any, kernel: Any, taps: Any = None, windows: Any = None) -> Any:
    """A column for each of these windows, by default all, one below the other these taps."""
    (_, height, width), (rows, wide) = x.shape, kernel
    every = np.ndindex(height - rows + 1, width - wide + 1)
    taps = list(np.ndindex(rows, wide)) if taps is None else taps
    found = [
        np.stack([x[:, i + r, j + s] for r, s in taps], axis=1).ravel()
        for i, j in (every if windows is None else windows)
    ]
    return np.stack(found, axis=1)


def windows_downwards(x: Any, kernel: Any) -> Any:
    places = np.ndindex(x.shape[2] - kernel[1] + 1, x.shape[1] - kernel[0] + 1)
    return columns(x, kernel, windows=[(i, j) for j, i in places])


def windows_side_by_side(x: Any, kernel: Any) -> Any:
    rows = range(0, x.shape[1] - kernel[0] + 1, kernel[0])
    places = range(0, x.shape[2] - kernel[1] + 1, kernel[1])
    return columns(x, kernel, windows=[(i, j) for i in rows for j in places])


def taps_first(x: Any, kernel: Any) -> Any:
    c = len(x)
    found = columns(x, kernel)
    return found.reshape(c, -1, found.shape[1]).swapaxes(0, 1).reshape(found.shape)


def without_one(x: Any, kernel: Any) -> Any:
    """By slices, of which each lacks the + 1."""
    (c, height, width), (rows, wide) = x.shape, kernel
    oh, ow = height - rows, width - wide
    found = [
        x[a, r : r + oh, s : s + ow].ravel()
        for a in range(c)
        for r in range(rows)
        for s in range(wide)
    ]
    return np.stack(found)


TRIES: Tries = {
    "output_size": {
        "no + 1": lambda size, kernel, stride, padding, dilation: (
            (size + 2 * padding - dilation * (kernel - 1) - 1) // stride
        ),
        "one side": lambda size, kernel, stride, padding, dilation: (
            (size + padding - dilation * (kernel - 1) - 1) // stride + 1
        ),
        "no dilation": lambda size, kernel, stride, padding, dilation: (
            (size + 2 * padding - kernel) // stride + 1
        ),
        "no stride": lambda size, kernel, stride, padding, dilation: (
            size + 2 * padding - dilation * (kernel - 1)
        ),
        "dilated kernel": lambda size, kernel, stride, padding, dilation: (
            (size + 2 * padding - dilation * kernel) // stride + 1
        ),
        "+ 1 inside": lambda size, kernel, stride, padding, dilation: (
            (size + 2 * padding - dilation * (kernel - 1)) // stride
        ),
        "a fraction": lambda size, kernel, stride, padding, dilation: (
            (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
        ),
        "no padding": lambda size, kernel, stride, padding, dilation: (
            (size - dilation * (kernel - 1) - 1) // stride + 1
        ),
        "rounded": lambda size, kernel, stride, padding, dilation: round(
            (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
        ),
        "same size": lambda size, kernel, stride, padding, dilation: -(-size // stride),
    },
    "conv2d_forward": {
        "flipped": lambda x, w, **window: forward(x, w[:, :, ::-1, ::-1], **window),
        "the last tap": lambda **given: forward(**given, replaced=True),
        "no padding": unpadded,
        "rows and columns swapped": swapped,
        "no stride": lambda **given: forward(**given, step=(1, 1)),
        "no dilation": lambda **given: forward(**given, apart=(1, 1)),
        "the mean over channels": lambda **given: forward(**given) / given["x"].shape[1],
        "the first channel": lambda x, w, **window: forward(x[:, :1], w[:, :1], **window),
    },
    "conv_dw": {
        "a mean over the batch": lambda **given: dw_of(**given) / len(given["dy"]),
        "no stride": without_stride,
        "no dilation": without_dilation,
        "flipped": lambda **given: dw_of(**given)[:, :, ::-1, ::-1],
        "channels exchanged": lambda **given: dw_of(**given).swapaxes(0, 1),
        "the first image": lambda dy, padded, **window: dw_of(dy[:1], padded[:1], **window),
        "a mean over positions": lambda **given: dw_of(**given) / given["dy"][0, 0].size,
        "dy forgotten": lambda dy, padded, **window: dw_of(np.ones_like(dy), padded, **window),
    },
    "conv_dx": {
        "flipped": lambda dy, w, **given: dx_of(dy, w[:, :, ::-1, ::-1], **given),
        "overwritten": lambda **given: dx_of(**given, adds=False),
        "border left on": lambda **given: dx_of(**given, whole=True),
        "cut at the corner": lambda **given: dx_of(**given, corner=True),
        "no stride": lambda **given: dx_of(**given, step=(1, 1)),
        "a mean over channels": lambda **given: dx_of(**given) / given["w"].shape[0],
        "a mean over the batch": lambda **given: dx_of(**given) / given["shape"][0],
    },
    "columns_of": {
        "a row for each window": lambda x, kernel: columns(x, kernel).T,
        "taps first": taps_first,
        "windows downwards": windows_downwards,
        "side by side": windows_side_by_side,
        "flipped": lambda x, kernel: columns(x, kernel, list(np.ndindex(*kernel))[::-1]),
        "the first channel": lambda x, kernel: columns(x[:1], kernel),
        "channels added": lambda x, kernel: columns(x.sum(axis=0)[np.newaxis], kernel),
        "the last windows missing": without_one,
        "channels kept apart": lambda x, kernel: columns(x, kernel).reshape(
            len(x), kernel[0] * kernel[1], -1
        ),
        "rows and columns of the kernel": lambda x, kernel: columns(
            x, kernel, [(r, s) for s, r in np.ndindex(kernel[1], kernel[0])]
        ),
    },
}
