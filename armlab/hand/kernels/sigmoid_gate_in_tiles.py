"""Sigmoid gating on CuPy, from the logits: the gate is made where it is used, and not kept.

In `cuda/gate.cu` the backward reads x and dy once, for dx and for the sum that is da. Launches: 1
forward, 1 backward.
"""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.kernels import cuda, tiles
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.tiles import Along


def sigmoid_gate(x: Array, a: Array, sigmoid: object) -> tuple[Array, Backward]:
    """Equals `hand.sigmoid_gate` to the order of its sums.

    sigmoid  that of `armlab.hand`, which is not called
    """
    x, a, along = cuda.contiguous(x), cuda.contiguous(a), repeats(x, a)
    assert along is not None  # it fits
    y, numbers, single = cuda.empty(x, x.shape), along.numbers(), along.count == 1
    if single:
        cuda.launch("gate", "each", x, x.size, x, a, y, x.size)  # (1, 2)
    else:
        tiles.launch_shared("gate", "gate", x, along, x, a, y, numbers)  # (1, 2)

    def backward(dy: Array) -> tuple[Array, Array]:
        dx, da = cuda.empty(x, x.shape), cuda.empty(x, a.shape)
        given = x, a, cuda.contiguous(dy), dx, da
        if single:
            cuda.launch("gate", "each_back", x, x.size, *given, x.size)  # (3, 4)
        else:
            tiles.launch("gate", "gate_back", x, along, *given, numbers)  # (3, 4)
        return dx, da

    return y, backward


def fits(x: Array, a: Array, sigmoid: object) -> bool:
    """Where a gate is repeated along neighbouring axes: per channel, position, strip or element."""
    return repeats(x, a) is not None


def repeats(x: Array, a: Array) -> Along | None:
    """x along the axes that a gate is repeated along; None where there is another one between."""
    repeated = [i for i in range(4) if a.shape[i] == 1 != x.shape[i]]
    if not repeated:
        return Along(x.size, 1, 1)
    first, stop = repeated[0], repeated[-1] + 1
    between = any(x.shape[i] != 1 and i not in repeated for i in range(first, stop))
    return None if between else Along.axes(x.shape, first, stop)
