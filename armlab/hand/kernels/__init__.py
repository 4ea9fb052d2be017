"""Fast versions of the functions by hand, and the one table that says which of them runs.

The rest of `armlab.hand` is the specification: each function is its equation, plain, out of place,
for every array library. A kernel computes the same by another way that one library does faster, in
a file of its own that says what the way is. It may name that library; it is held to the bound of
its specification and, where nothing rounds, to its very bits. The specification asks the table
once its arguments are checked:

    if kernel := kernels.choose("relu", x):
        return kernel(x)

so deleting a row changes speeds and nothing else. To switch every row off and run what is read,

    with kernels.specification():
        y, backward = hand.relu(x)

or ARMLAB_KERNELS=reference in the environment, which is read once. The block holds for what is
called within it, by workers of `parts` as well; a backward stays what its forward chose.

A kernel takes what the specification hands it and returns what the specification returns. Those of
conv2d leave the bias to it, unless there is one that takes it too, conv2d_with_bias:

    conv2d(x, w, window, groups)    (y, backward)
    backward(dy, input_grad)        (dx, dw), dx None where input_grad is False
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

from array_api_compat import is_cupy_namespace, is_numpy_namespace

from armlab.arrays import array_namespace
from armlab.hand.kernels import (
    activations_at_once,
    add_unbuffered,
    arrays_at_once,
    arrays_in_one,
    batch_norm_by_channel,
    batch_norm_eval_by_channel,
    batch_norm_eval_slices,
    batch_norm_slices,
    channel_conv1d_slide,
    channel_max_ranks,
    channel_mean_product,
    channel_sum_slices,
    concat_at_once,
    conv2d_columns,
    conv2d_gather,
    conv2d_linear,
    conv2d_linear_bias,
    conv2d_pointwise,
    conv2d_rows,
    conv2d_winograd,
    cross_entropy_of_label,
    cross_entropy_of_pixel,
    global_max_put,
    hard_swish_bits,
    largest_in_tiles,
    leaky_relu_factor,
    max_pool2d_gather,
    max_pool2d_rows_columns,
    means_in_tiles,
    packed,
    relu_bits,
    resize_bands,
    resize_gather,
    sigmoid_gate_dot,
    sigmoid_gate_in_tiles,
    sigmoid_in_place,
    simam_in_place,
    simam_in_tiles,
    statistics_at_once,
    strip_mean_product,
)
from armlab.hand.kernels.kernel import Kernel, as_kept, has_axes, keeps

numpy, cupy = is_numpy_namespace, is_cupy_namespace

TABLE = [  # of the rows of a function, the first that fits runs
    Kernel("conv2d", numpy, conv2d_pointwise.conv2d, conv2d_pointwise.fits),
    Kernel("conv2d", numpy, conv2d_winograd.conv2d, conv2d_winograd.fits),
    Kernel("conv2d", numpy, conv2d_rows.conv2d, conv2d_rows.fits),
    Kernel("conv2d", numpy, conv2d_columns.conv2d),
    Kernel("add", numpy, add_unbuffered.add, add_unbuffered.fits),
    Kernel("batch_norm", numpy, batch_norm_by_channel.batch_norm),
    Kernel("batch_norm_activated", numpy, batch_norm_by_channel.batch_norm_activated),
    Kernel("batch_norm_and_keep", numpy, batch_norm_by_channel.batch_norm_and_keep, keeps),
    Kernel("batch_norm_eval", numpy, batch_norm_eval_by_channel.batch_norm_eval),
    Kernel(
        "batch_norm_eval_activated", numpy, batch_norm_eval_by_channel.batch_norm_eval_activated
    ),
    Kernel("batch_norm_as_kept", numpy, batch_norm_eval_by_channel.batch_norm_as_kept, as_kept),
    Kernel("relu", numpy, relu_bits.relu),
    Kernel("leaky_relu", numpy, leaky_relu_factor.leaky_relu, has_axes),
    Kernel("hard_swish", numpy, hard_swish_bits.hard_swish, has_axes),
    Kernel("sigmoid", numpy, sigmoid_in_place.sigmoid, has_axes),
    Kernel("sigmoid_gate", numpy, sigmoid_gate_dot.sigmoid_gate, sigmoid_gate_dot.fits),
    Kernel("simam_logits", numpy, simam_in_place.simam_logits),
    Kernel("channel_mean", numpy, channel_mean_product.channel_mean),
    Kernel("channel_max", numpy, channel_max_ranks.channel_max),
    Kernel("strip_mean", numpy, strip_mean_product.strip_mean),
    Kernel("global_max_pool", numpy, global_max_put.global_max_pool),
    Kernel("max_pool2d", numpy, max_pool2d_rows_columns.max_pool2d),
    Kernel("resize", numpy, resize_bands.resize),
    Kernel("cross_entropy", numpy, cross_entropy_of_label.cross_entropy),
    Kernel("conv2d", cupy, conv2d_linear.conv2d, conv2d_linear.fits),
    Kernel("conv2d_with_bias", cupy, conv2d_linear_bias.conv2d_with_bias, conv2d_linear_bias.fits),
    Kernel("conv2d_with_bias", cupy, conv2d_gather.conv2d_with_bias, conv2d_gather.has_columns),
    Kernel("conv2d", cupy, conv2d_gather.conv2d),
    Kernel("batch_norm", cupy, batch_norm_slices.batch_norm),
    Kernel("batch_norm_activated", cupy, batch_norm_slices.batch_norm_activated),
    Kernel("batch_norm_and_keep", cupy, batch_norm_slices.batch_norm_and_keep, keeps),
    Kernel("batch_norm_eval", cupy, batch_norm_eval_slices.batch_norm_eval),
    Kernel("batch_norm_eval_activated", cupy, batch_norm_eval_slices.batch_norm_eval_activated),
    Kernel("batch_norm_as_kept", cupy, batch_norm_eval_slices.batch_norm_as_kept, as_kept),
    Kernel("relu", cupy, activations_at_once.relu),
    Kernel("add_relu", cupy, activations_at_once.add_relu, activations_at_once.adds),
    Kernel("leaky_relu", cupy, activations_at_once.leaky_relu),
    Kernel("hard_swish", cupy, activations_at_once.hard_swish),
    Kernel("sigmoid", cupy, activations_at_once.sigmoid),
    Kernel("channel_sum", cupy, channel_sum_slices.channel_sum),
    Kernel("global_avg_pool", cupy, means_in_tiles.global_avg_pool),
    Kernel("channel_mean", cupy, means_in_tiles.channel_mean),
    Kernel("strip_mean", cupy, means_in_tiles.strip_mean),
    Kernel("global_max_pool", cupy, largest_in_tiles.global_max_pool),
    Kernel("channel_max", cupy, largest_in_tiles.channel_max),
    Kernel("stack_statistics", cupy, statistics_at_once.stack_statistics, statistics_at_once.fits),
    Kernel("sigmoid_gate", cupy, sigmoid_gate_in_tiles.sigmoid_gate, sigmoid_gate_in_tiles.fits),
    Kernel("simam_logits", cupy, simam_in_tiles.simam_logits),
    Kernel("max_pool2d", cupy, max_pool2d_gather.max_pool2d),
    Kernel("resize_bilinear", cupy, resize_gather.resize_bilinear),
    Kernel("resize_nearest", cupy, resize_gather.resize_nearest),
    Kernel("concat_channels", cupy, concat_at_once.concat_channels),
    Kernel("join_strips", cupy, concat_at_once.join_strips),
    Kernel("split_strips", cupy, concat_at_once.split_strips),
    Kernel("channel_conv1d", cupy, channel_conv1d_slide.channel_conv1d),
    Kernel("cross_entropy", cupy, cross_entropy_of_pixel.cross_entropy),
]

OF_TRAINING = [  # what `armlab.training` asks for
    Kernel("joint_loss", cupy, cross_entropy_of_pixel.joint_loss, cross_entropy_of_pixel.fits),
    Kernel("step", numpy, arrays_in_one.step, packed.fits),
    Kernel("with_finite", numpy, arrays_in_one.with_finite),
    Kernel("step", cupy, arrays_at_once.step, packed.fits),
    Kernel("with_finite", cupy, arrays_at_once.with_finite),
]

_BY_FUNCTION: tuple[list[Kernel], dict[str, list[Kernel]]] = [], {}
_SPECIFICATION: ContextVar[bool] = ContextVar("specification", default=False)


def choose(function: str, *arguments: Any) -> Callable[..., Any] | None:
    """The first kernel that fits this call, the first argument of which is an array.

    None where the specification is to run.
    """
    if _SPECIFICATION.get() or _only_the_specification():
        return None
    if not (rows := _rows(function)):
        return None
    xp = array_namespace(arguments[0])
    for kernel in rows:
        if kernel.library(xp) and kernel.fits(*arguments):
            return kernel.run
    return None


def _rows(function: str) -> list[Kernel]:
    """Those of this function, in their order. Found again where TABLE is another list."""
    global _BY_FUNCTION
    table, rows = _BY_FUNCTION
    if table is not TABLE:
        rows = defaultdict(list)
        for kernel in (*TABLE, *OF_TRAINING):
            rows[kernel.function].append(kernel)
        _BY_FUNCTION = TABLE, dict(rows)
    return rows.get(function, [])


@contextmanager
def specification() -> Iterator[None]:
    """Within this block no kernel is chosen."""
    token = _SPECIFICATION.set(True)
    try:
        yield
    finally:
        _SPECIFICATION.reset(token)


@cache
def _only_the_specification() -> bool:
    wanted = os.environ.get("ARMLAB_KERNELS", "")
    if wanted not in ("", "reference"):
        raise ValueError(
            f"expected ARMLAB_KERNELS to be reference or not set, got {wanted!r}: unset it"
        )
    return wanted == "reference"
