"""The calls whose bandwidth is measured: each CuPy row of `armlab.hand.kernels` once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from armlab import hand
from armlab.arrays import Array
from armlab.bench.kernel_call import Asked, KernelCall
from armlab.hand.batch_norm_activated import activated
from armlab.hand.window import Window
from armlab.places import Place
from armlab.training.finite import with_finite
from armlab.training.optimisers import Adam

SIZE = (8, 64, 64, 64)  # N, C, H, W
SEED = 0
Size = tuple[int, int, int, int]


def asked(place: Place, size: Size = SIZE) -> list[Asked]:
    """Every other row for CuPy, on float32 arrays of this size or pooled ones."""
    n, c, h, w = size
    a = _Drawn(place)
    x, other, kernel = a.normal(*size), a.normal(*size), a.normal(c, c, 3, 3)
    scale, shift, mean, var = a.normal(c), a.normal(c), a.normal(c), a.positive(c)
    pooled, pixel, slide = a.normal(n, c, 1, 1), a.normal(c, c, 1, 1), a.normal(1, 1, 3)
    rows, columns, strips = a.normal(n, c, h, 1), a.normal(n, c, 1, w), a.normal(n, c, h + w, 1)
    labels, few = a.integers(c, n, h, w), a.normal(2, c, 1, 1)
    window = Window.of(3, 2, 1)
    out = window.output_size("max_pool2d", (h, w))
    same, single = Window.of(3, 1, 1), Window.of(1)
    pooling = hand.channel_mean, hand.channel_max
    return [
        Asked("conv2d", (pooled, pixel, single, 1), (pooled, pixel), (True,)),
        Asked("conv2d_with_bias", (pooled, pixel, shift, single, 1), (pooled, pixel), (True,)),
        Asked("conv2d_with_bias", (x, few, shift[:2], single, 1), (x, few), (True,)),
        Asked("conv2d", (x, pixel, single, 1), (x, pixel), (True,)),
        Asked("conv2d", (x, kernel, same, 1), (x, kernel), (True,)),
        Asked("conv2d_with_bias", (x, kernel, shift, same, 1), (x, kernel), (True,)),
        Asked("batch_norm", (x, scale, shift, 1e-5), (x, scale, mean, var)),
        Asked(
            "batch_norm_activated",
            (x, scale, shift, "relu", 1e-5),
            (x, scale, shift, mean, var),
        ),
        Asked("batch_norm_eval", (x, scale, shift, mean, var, 1e-5), (x, scale, mean, var)),
        Asked(
            "batch_norm_eval_activated",
            (x, scale, shift, mean, var, "relu", 1e-5),
            (x, scale, shift, mean, var),
        ),
        Asked("relu", (x,), (x,)),
        Asked("add_relu", (x, other, hand.add, hand.relu), (x,)),
        Asked("leaky_relu", (x, 0.01), (x,)),
        Asked("hard_swish", (x,), (x,)),
        Asked("sigmoid", (x,), (x,)),
        Asked("channel_sum", (x,), None),
        Asked("global_avg_pool", (x,)),
        Asked("channel_mean", (x,)),
        Asked("strip_mean", (x, 3)),
        Asked("global_max_pool", (x,), (a.integers(9, n, c),)),
        Asked("channel_max", (x,), (a.integers(9, n, h, w),)),
        Asked("stack_statistics", (x, *pooling), (a.integers(9, n, h, w),)),
        Asked("sigmoid_gate", (x, pooled, hand.sigmoid), (x, pooled)),
        Asked("simam_logits", (x, 1e-4), (x,)),
        Asked("max_pool2d", (x, window, out), (a.integers(9, n, c, *out).astype("int32"),)),
        Asked("resize_bilinear", (x, (2 * h, 2 * w))),
        Asked("resize_nearest", (x, (2 * h, 2 * w))),
        Asked("concat_channels", (x, other)),
        Asked("join_strips", (rows, columns)),
        Asked("split_strips", (strips, h)),
        Asked("channel_conv1d", (pooled, slide), (pooled, slide)),
        Asked("cross_entropy", (x, labels, None, 255), (x, labels)),
        Asked("joint_loss", (x, (x, other), labels, None, 255), (x, other, labels)),
    ]


def of_state(place: Place, size: Size = SIZE) -> list[KernelCall]:
    """Rows that change what a module or an optimiser keeps, and the finite check of all that.

    A step is one of Adam, on one array of this size.
    """
    drawn, adam = _Drawn(place), Adam()
    weights: Any = _Weights(drawn.normal(*size))
    grads, loss = {"w": drawn.normal(*size)}, drawn.positive()
    bn, x = hand.BatchNorm2d(size[1]).to(place), drawn.normal(*size)
    settled = bn.copy().eval()

    def keep() -> Any:
        return bn(x)[0], bn.buffers()

    def step() -> Any:
        adam.step(weights, grads)
        return weights.w, list(adam.arrays())

    step()  # makes the moments
    as_kept = lambda: activated(settled, x, "relu")  # noqa: E731
    kept, moved = (x, *bn.state_dict().values()), (weights.w, grads["w"], *adam.arrays())
    finite = lambda: with_finite(loss, [grads["w"]])  # noqa: E731
    return [
        KernelCall("batch_norm_and_keep", "forward", size, keep, kept),
        KernelCall("batch_norm_as_kept", "forward", size, as_kept, kept[:-1]),
        KernelCall("step", "forward", size, step, moved),
        KernelCall("with_finite", "forward", size, finite, (loss, grads["w"])),
    ]


class _Weights:
    """A module of one array, as the optimiser sees it."""

    def __init__(self, w: Array) -> None:
        self.parts: Mapping[str, Array] = {"w": w}

    @property
    def w(self) -> Array:
        return self.parts["w"]

    def parameters(self) -> Mapping[str, Array]:
        return self.parts

    def assign(self, new: Mapping[str, Array]) -> None:
        self.parts = new


class _Drawn:
    """Arrays at a place, from one seed."""

    def __init__(self, place: Place) -> None:
        self.place, self.rng = place, np.random.default_rng(SEED)

    def normal(self, *shape: int) -> Array:
        return self.place.asarray(self.rng.standard_normal(shape, np.float32))

    def positive(self, *shape: int) -> Array:
        return self.place.asarray(self.rng.random(shape) + 0.5, "float32")

    def integers(self, below: int, *shape: int) -> Array:
        return self.place.asarray(self.rng.integers(0, below, shape))
