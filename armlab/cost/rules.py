"""Rules: for each function of `armlab.hand`, the shape of its result and the work behind it.

A rule has the arguments of its function and reads nothing of them but their shapes. What is
counted, and what is not, is said in `armlab.cost`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from armlab.arrays import Array
from armlab.hand.window import Pair, Window, pair

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Work:
    """What one call does.

    kind           the row of a table that it belongs to
    shape          of y
    multiply_adds  products that are added to a sum, of convolutions
    elementwise    operations on single elements
    also           shapes of further values: mean and var of batch_norm
    """

    kind: str
    shape: Shape
    multiply_adds: int = 0
    elementwise: int = 0
    also: tuple[Shape, ...] = ()


def work(name: str, *inputs: Array, **options: Any) -> Work:
    """The work of the function of this name. Raises NotImplementedError where it has no rule."""
    if name not in RULES:
        raise NotImplementedError(
            f"the cost of {name} is not known: add its rule to armlab/cost/rules.py"
        )
    return RULES[name](*inputs, **options)


def conv2d(
    x: Array,
    w: Array,
    b: Array | None = None,
    *,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    dilation: int | Pair = 1,
    groups: int = 1,
) -> Work:
    """C/g R S products for each element of y, those with the padding included; one sum for b."""
    window = Window.of(tuple(w.shape[2:]), stride, padding, dilation)
    y = (x.shape[0], w.shape[0], *window.output_size("conv2d kernel", x.shape[2:]))
    kind = "{}×{} convolution".format(*window.kernel)
    return Work(kind, y, prod(y) * prod(w.shape[1:]), prod(y) * (b is not None))


def channel_conv1d(z: Array, w: Array) -> Work:
    """R products for each channel."""
    return Work("convolution over channels", z.shape, prod(z.shape) * w.shape[2])


def batch_norm(x: Array, w: Array, b: Array, *, eps: float) -> Work:
    """Four for each element: summed, centred, its square summed, scaled and shifted."""
    return Work(NORMALISE, x.shape, elementwise=4 * prod(x.shape), also=(w.shape, w.shape))


def batch_norm_activated(x: Array, w: Array, b: Array, *, activation: str, eps: float) -> Work:
    """As `batch_norm`, and the activation."""
    return Work(NORMALISE, x.shape, elementwise=5 * prod(x.shape), also=(w.shape, w.shape))


def batch_norm_eval(x: Array, w: Array, b: Array, *, mean: Array, var: Array, eps: float) -> Work:
    """One for each element: scaled and shifted, by numbers that each channel has once."""
    return Work(NORMALISE, x.shape, elementwise=prod(x.shape))


def batch_norm_eval_activated(
    x: Array, w: Array, b: Array, *, mean: Array, var: Array, activation: str, eps: float
) -> Work:
    """As `batch_norm_eval`, and the activation."""
    return Work(NORMALISE, x.shape, elementwise=2 * prod(x.shape))


def simam_logits(x: Array, *, lambda_: float) -> Work:
    """As `batch_norm`, with squares in the place of the scaled elements."""
    return Work("logits", x.shape, elementwise=4 * prod(x.shape))


def activation(x: Array, **options: Any) -> Work:
    return Work(NORMALISE, x.shape, elementwise=prod(x.shape))


def sigmoid_gate(x: Array, a: Array) -> Work:
    """One product for each element of x, one sigmoid for each of a."""
    return Work("multiply", x.shape, elementwise=prod(x.shape) + prod(a.shape))


def global_pool(x: Array) -> Work:
    """One sum or comparison for each element of x."""
    return Work("pooling", (*x.shape[:2], 1, 1), elementwise=prod(x.shape))


def channel_statistic(x: Array) -> Work:
    n, _, h, w = x.shape
    return Work("pooling", (n, 1, h, w), elementwise=prod(x.shape))


def strip_mean(x: Array, *, axis: int) -> Work:
    shape = tuple(1 if i == axis else n for i, n in enumerate(x.shape))
    return Work("pooling", shape, elementwise=prod(x.shape))


def max_pool2d(
    x: Array, *, kernel_size: int | Pair, stride: int | Pair | None, padding: int | Pair
) -> Work:
    """R S comparisons for each element of y."""
    window = Window.of(kernel_size, kernel_size if stride is None else stride, padding)
    y = (*x.shape[:2], *window.output_size("max_pool2d window", x.shape[2:]))
    return Work("pooling", y, elementwise=prod(y) * prod(window.kernel))


def resize_bilinear(x: Array, *, size: int | Pair, align_corners: bool = False) -> Work:
    """Four products for each element of y, wherever it lies: one with each pixel around it."""
    y = (*x.shape[:2], *pair(size, "size", 1))
    return Work("resizing", y, elementwise=4 * prod(y))


def resize_nearest(x: Array, *, size: int | Pair) -> Work:
    """Elements are moved, nothing is computed."""
    return Work("resizing", (*x.shape[:2], *pair(size, "size", 1)))


def concat(*arrays: Array, axis: int = 1) -> Work:
    shape = list(arrays[0].shape)
    shape[axis] = sum(a.shape[axis] for a in arrays)
    return Work("concatenation", tuple(shape))


def join_strips(rows: Array, columns: Array) -> Work:
    n, c, h, _ = rows.shape
    return Work("concatenation", (n, c, h + columns.shape[3], 1))


def split_strips(x: Array, *, height: int) -> Work:
    n, c, both, _ = x.shape
    return Work("concatenation", (n, c, height, 1), also=((n, c, 1, both - height),))


def add(*operands: Array) -> Work:
    shape = _broadcast(operands)
    return Work("addition", shape, elementwise=prod(shape))


def multiply(*operands: Array) -> Work:
    shape = _broadcast(operands)
    return Work("multiply", shape, elementwise=prod(shape))


def _broadcast(arrays: tuple[Array, ...]) -> Shape:
    """The common shape of arrays with equal numbers of axes, each of one length or 1."""
    return tuple(max(lengths) for lengths in zip(*(a.shape for a in arrays), strict=True))


NORMALISE = "BN, activation"

RULES: dict[str, Callable[..., Work]] = {
    "conv2d": conv2d,
    "channel_conv1d": channel_conv1d,
    "batch_norm": batch_norm,
    "batch_norm_activated": batch_norm_activated,
    "batch_norm_eval": batch_norm_eval,
    "batch_norm_eval_activated": batch_norm_eval_activated,
    "simam_logits": simam_logits,
    "relu": activation,
    "leaky_relu": activation,
    "hard_swish": activation,
    "sigmoid": activation,
    "sigmoid_gate": sigmoid_gate,
    "global_avg_pool": global_pool,
    "global_max_pool": global_pool,
    "channel_mean": channel_statistic,
    "channel_max": channel_statistic,
    "strip_mean": strip_mean,
    "max_pool2d": max_pool2d,
    "resize_bilinear": resize_bilinear,
    "resize_nearest": resize_nearest,
    "concat_channels": concat,
    "add": add,
    "subtract": add,
    "join_strips": join_strips,
    "split_strips": split_strips,
    # what composites write out themselves
    "concat": concat,
    "multiply": multiply,
}
