"""What a convolution kernel is: three names that `kernels.CONV2D` calls.

fits(window, groups)            whether it can do this convolution at all
conv2d(x, w, window, groups)    (y, backward), without bias
backward(dy, input_grad)        (dx, dw), dx None where input_grad is False
"""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import NDArray

KernelBackward = Callable[[NDArray, bool], tuple[NDArray | None, NDArray]]


def sum_of(parts: list[NDArray]) -> NDArray:
    """What the parts of a batch give dw together. The first one is added to."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def products(y: NDArray, w: NDArray) -> int:
    """Multiply-adds of a convolution with this y and w: how much there is to share out."""
    return y.size * (w.size // len(w))
