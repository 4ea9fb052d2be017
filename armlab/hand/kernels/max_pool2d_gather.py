"""Max pooling on CuPy: the winner of each window in the read that finds the maximum.

The specification goes over x once for each tap of the window. In `cuda/pool.cu` a thread looks at
one window of several planes, and keeps which tap won; backward, a thread gathers what its pixel
won. Launches: 1 forward, 1 backward.
"""

from __future__ import annotations

from math import prod
from typing import Any

from armlab.arrays import Array
from armlab.hand.kernels import cuda, planes
from armlab.hand.kernels.kernel import Backward
from armlab.hand.window import Pair, Window


def max_pool2d(x: Array, window: Window, out: Pair) -> tuple[Array, Backward]:
    """Equals `hand.max_pool2d`."""
    (n, c, h, w), each = x.shape, planes.of_thread(x)
    numbers = _numbers(x.shape, window, out)
    y = cuda.empty(x, (n, c, *out))
    winner = cuda.empty(x, y.shape, "int32")
    given = cuda.contiguous(x), y, winner, numbers
    planes.launch("pool", "pool", x, each // 2, n * c, prod(out), *given)  # (1)

    def backward(dy: Array) -> Array:
        dx = cuda.empty(dy, (n, c, h, w))
        given = cuda.contiguous(dy), winner, dx, numbers
        planes.launch("pool", "unpool", dy, each, n * c, h * w, *given)  # (2)
        return dx

    return y, backward


def _numbers(shape: tuple[int, ...], window: Window, out: Pair) -> Any:
    n, c, h, w = shape
    (r, s), (t, u), (p, q) = window.kernel, window.stride, window.padding
    sizes = {"planes": n * c, "h": h, "w": w, "oh": out[0], "ow": out[1]}
    return cuda.structure(**sizes, r=r, s=s, t=t, u=u, p=p, q=q)
