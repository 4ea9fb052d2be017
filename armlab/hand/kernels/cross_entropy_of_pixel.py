"""Cross-entropy on CuPy: a thread for each pixel, two launches forward and one backward.

The kernels are in `cuda/cross_entropy.cu`. Nothing of the size of the logits is kept but the logits
themselves: the backward forms the probabilities again, from what it has to read anyway. Outputs
that share their labels, as those of a network with auxiliary heads, share the launches.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from array_api_compat import is_cupy_array

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.kernel import Backward

PAGE = "cross_entropy"
MOST = 8  # outputs


def cross_entropy(
    a: Array, labels: Array, weight: Array | None, ignore_index: int
) -> tuple[Array, Backward]:
    """Equals `hand.cross_entropy` to the order of its sums and products.

    a  (N, K, H, W)    labels  (N, H, W) integers on the device    weight  (K,) or None
    """
    loss, joint_back = joint_loss(a, (a,), labels, weight, ignore_index)

    def backward(dloss: Array | float) -> Array:
        return joint_back(dloss)[0]

    return loss, backward


def fits(like: Array, outputs: Sequence[Array], *rest: object) -> bool:
    """Outputs of one shape and dtype, as many as a launch takes."""
    return len(outputs) <= MOST and all(
        a.shape == like.shape and a.dtype == like.dtype for a in outputs
    )


def joint_loss(
    like: Array, outputs: Sequence[Array], labels: Array, weight: Array | None, ignore_index: int
) -> tuple[Array, Backward]:
    """The sum of the cross-entropies of all outputs; its backward gives a gradient for each."""
    n, k, h, w = like.shape
    each = [cuda.contiguous(a) for a in outputs]
    table = np.zeros((), [("a", "u8", MOST)])
    table["a"][: len(each)] = [a.data.ptr for a in each]
    labels = cuda.contiguous(labels.astype("int64", copy=False))
    given = (table, labels, cuda.NOTHING if weight is None else cuda.contiguous(weight))
    blocks = -(-n * h * w // cuda.THREADS)
    sizes = cuda.structure(
        **{"images": n, "classes": k, "pixels": h * w, "ignored": ignore_index},
        **{"outputs": len(each), "blocks": blocks},
    )
    grid = len(each) * blocks, cuda.THREADS
    sums, loss_and_total = cuda.empty(like, (grid[0], 2)), cuda.empty(like, (2,))
    cuda.launch_blocks(PAGE, "loss_of_pixels", like, *grid, *given, sums, sizes)
    cuda.launch_blocks(PAGE, "loss_mean", like, 1, cuda.THREADS, sums, loss_and_total, sizes)

    def backward(dloss: Array | float) -> tuple[Array, ...]:
        da = cuda.empty(each[0], (len(each), n, k, h, w))
        known = not is_cupy_array(dloss)
        upstream = (cuda.NOTHING, like.dtype.type(dloss)) if known else (dloss, like.dtype.type(0))
        cuda.launch_blocks(
            PAGE, "loss_back", like, *grid, *given, loss_and_total, *upstream, da, sizes
        )
        return tuple(da)

    return loss_and_total[0], backward
