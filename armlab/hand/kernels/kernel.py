"""What a convolution kernel is: three names that `kernels.CONV2D` calls.

fits(window, groups)            whether it can do this convolution at all
conv2d(x, w, window, groups)    (y, backward), without bias
backward(dy, input_grad)        (dx, dw), dx None where input_grad is False
"""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import NDArray

KernelBackward = Callable[[NDArray, bool], tuple[NDArray | None, NDArray]]
