"""Plain Python: published formulas in its own floats and loops, for modules that no package has.

A value x[n][c][i][j] is a list of lists of lists of lists, and every sum is written out, so that
no mistake about an axis can be made twice. p holds a module's weights by key. The formula of a
module is in its case, `armlab/check/cases/`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

Value = list[list[list[list[float]]]]  # (N, C, H, W)
Weights = dict[str, Any]


def shape(x: Value) -> tuple[int, int, int, int]:
    return len(x), len(x[0]), len(x[0][0]), len(x[0][0][0])


def build(sizes: Sequence[int], element: Callable[[int, int, int, int], float]) -> Value:
    """The value whose element (n, c, i, j) is element(n, c, i, j)."""
    count, channels, height, width = map(range, sizes)
    return [
        [[[element(n, c, i, j) for j in width] for i in height] for c in channels] for n in count
    ]


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


def relu(a: float) -> float:
    return max(a, 0.0)


def leaky_relu(a: float) -> float:
    return a if a > 0 else 0.01 * a


def hard_swish(a: float) -> float:
    return a * min(max(a + 3, 0), 6) / 6


def each(function: Callable[[float], float], x: Value) -> Value:
    return build(shape(x), lambda n, c, i, j: function(x[n][c][i][j]))


def conv(x: Value, w: Value, bias: list[float] | None = None) -> Value:
    """Stride 1, and as many zeros around x as keep its size."""
    (count, channels, height, width), (out, _, rows, cols) = shape(x), shape(w)

    def element(n: int, k: int, i: int, j: int) -> float:
        total = bias[k] if bias else 0.0
        for c, r, s in product(range(channels), range(rows), range(cols)):
            y, z = i + r - rows // 2, j + s - cols // 2
            if 0 <= y < height and 0 <= z < width:
                total += w[k][c][r][s] * x[n][c][y][z]
        return total

    return build((count, out, height, width), element)


def batch_norm(x: Value, p: Weights, name: str, training: bool) -> Value:
    count, channels, height, width = shape(x)
    mean: list[float] = p[f"{name}.running_mean"]
    var: list[float] = p[f"{name}.running_var"]
    if training:
        places = list(product(range(count), range(height), range(width)))
        m, cs = len(places), range(channels)
        mean = [sum(x[n][c][i][j] for n, i, j in places) / m for c in cs]
        var = [sum((x[n][c][i][j] - mean[c]) ** 2 for n, i, j in places) / m for c in cs]
    w: list[float] = p[f"{name}.weight"]
    b: list[float] = p[f"{name}.bias"]

    def element(n: int, c: int, i: int, j: int) -> float:
        return w[c] * (x[n][c][i][j] - mean[c]) / math.sqrt(var[c] + 1e-5) + b[c]

    return build(shape(x), element)


def over_positions(function: Callable[[list[float]], float], x: Value) -> Value:
    """function of all values of each channel: (N, C, 1, 1)."""
    count, channels, height, width = shape(x)
    places = list(product(range(height), range(width)))
    return [
        [[[function([x[n][c][i][j] for i, j in places])]] for c in range(channels)]
        for n in range(count)
    ]


def over_channels(function: Callable[[list[float]], float], x: Value) -> Value:
    """function of all channels of each position: (N, 1, H, W)."""
    count, channels, height, width = shape(x)
    return build(
        (count, 1, height, width),
        lambda n, _, i, j: function([x[n][c][i][j] for c in range(channels)]),
    )


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def stacked(*maps: Value) -> Value:
    """One behind the other along the channels."""
    return [[channel for m in maps for channel in m[n]] for n in range(len(maps[0]))]


def bilinear(x: Value, height: int, width: int) -> Value:
    """Between the two nearest rows and columns, pixel centres half a pixel in."""

    def between(k: int, out: int, size: int) -> tuple[int, int, float]:
        at = min(max((k + 0.5) * size / out - 0.5, 0.0), size - 1.0)
        low = min(int(at), max(size - 2, 0))
        return low, min(low + 1, size - 1), at - low

    def element(n: int, c: int, i: int, j: int) -> float:
        (top, bottom, v), (left, right, h) = (
            between(i, height, shape(x)[2]),
            between(j, width, shape(x)[3]),
        )
        above = (1 - h) * x[n][c][top][left] + h * x[n][c][top][right]
        below = (1 - h) * x[n][c][bottom][left] + h * x[n][c][bottom][right]
        return (1 - v) * above + v * below

    return build((*shape(x)[:2], height, width), element)


def shared_out(s: Value, one: Value, other: Value) -> Value:
    """one s + other (1 - s), where s has one value for each position or for each channel."""
    _, channels, height, width = shape(s)

    def element(n: int, c: int, i: int, j: int) -> float:
        here = s[n][c % channels][i % height][j % width]
        return one[n][c][i][j] * here + other[n][c][i][j] * (1 - here)

    return build(shape(one), element)
