"""A window that slides over an image: the geometry that convolution and max pooling share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from armlab.arrays import Array
from armlab.hand.expect import MOST, is_whole

Pair = tuple[int, int]


def pair(value: int | Pair, name: str, least: int) -> Pair:
    """One number stands for both axes: 3 -> (3, 3)."""
    both = _both(value)
    if len(both) != 2 or not all(is_whole(v, least) and v <= MOST for v in both):
        raise ValueError(
            f"expected {name} of at least {least}, an int or two, got {value!r}: "
            f"give {least} to {MOST}, once or for each axis"
        )
    return int(both[0]), int(both[1])


def _both(value: Any) -> tuple[Any, ...]:
    if type(value) is tuple:
        return value
    if type(value) is int or not isinstance(value, Iterable):
        return value, value
    try:
        return tuple(value)
    except TypeError:  # an array of no axes
        return ()


@dataclass(frozen=True)
class Window:
    """Kernel, stride, padding and dilation, each as (rows, columns)."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair

    @classmethod
    def of(
        cls,
        kernel: int | Pair,
        stride: int | Pair = 1,
        padding: int | Pair = 0,
        dilation: int | Pair = 1,
    ) -> Window:
        return cls(
            pair(kernel, "kernel_size", 1),
            pair(stride, "stride", 1),
            pair(padding, "padding", 0),
            pair(dilation, "dilation", 1),
        )

    def output_size(self, name: str, size: tuple[int, ...]) -> Pair:
        """Height and width of the result: floor((H + 2p - d(R - 1) - 1) / stride) + 1."""
        padded = [n + 2 * p for n, p in zip(size, self.padding, strict=True)]
        span = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        if 0 in size or span[0] > padded[0] or span[1] > padded[1]:
            raise ValueError(
                f"{name} spans {span[0]}×{span[1]} pixels and the padded input has "
                f"{padded[0]}×{padded[1]} (from H×W = {size[0]}×{size[1]}): "
                "use a larger input, a smaller kernel or more padding"
            )
        rows, cols = ((n - s) // t + 1 for n, s, t in zip(padded, span, self.stride, strict=True))
        return rows, cols

    def taps(self, out: Pair) -> Iterator[tuple[int, int, tuple[slice, ...]]]:
        """Each tap (r, s) of the kernel, and the pixels of the padded input that it meets."""
        for r in range(self.kernel[0]):
            for s in range(self.kernel[1]):
                rows, cols = (
                    slice(k * d, k * d + t * (n - 1) + 1, t)
                    for k, d, t, n in zip((r, s), self.dilation, self.stride, out, strict=True)
                )
                yield r, s, (slice(None), slice(None), rows, cols)

    def crop(self, padded: Array) -> Array:
        """Undo the padding: the backward of `pad`."""
        (top, left), (h, w) = self.padding, padded.shape[2:]
        return padded[:, :, top : h - top, left : w - left]


def overlap(first: int, count: int, size: int, step: int = 1) -> tuple[slice, slice]:
    """The i in 0 ... count with first + step i inside 0 ... size, and the places that they meet."""
    start = max(0, -(first // step))
    stop = max(start, min(count, -((first - size) // step)))
    return slice(start, stop), slice(first + step * start, first + step * stop, step)
