"""Cross-entropy on CuPy: a thread for each pixel, two launches forward and one backward.

The kernels are in `cuda/cross_entropy.cu`. Nothing of the size of the logits is kept but the logits
themselves: the backward forms the probabilities again, from what it has to read anyway.
"""

from __future__ import annotations

from array_api_compat import is_cupy_array

from armlab.arrays import Array
from armlab.hand.kernels import cuda
from armlab.hand.kernels.kernel import Backward

PAGE = "cross_entropy"
NOTHING = 0  # a pointer to no array


def cross_entropy(
    a: Array, labels: Array, weight: Array | None, ignore_index: int
) -> tuple[Array, Backward]:
    """Equals `hand.cross_entropy` to the order of its sums and products.

    a  (N, K, H, W)    labels  (N, H, W) integers on the device    weight  (K,) or None
    """
    n, k, h, w = a.shape
    a, labels = cuda.contiguous(a), cuda.contiguous(labels.astype("int64", copy=False))
    given = (a, labels, NOTHING if weight is None else cuda.contiguous(weight))
    sizes = cuda.structure(images=n, classes=k, pixels=h * w, ignored=ignore_index)
    blocks = -(-n * h * w // cuda.THREADS)
    sums, loss_and_total = cuda.empty(a, (blocks, 2)), cuda.empty(a, (2,))
    cuda.launch_blocks(PAGE, "of_pixels", a, blocks, cuda.THREADS, *given, sums, sizes)
    cuda.launch_blocks(PAGE, "mean", a, 1, cuda.THREADS, sums, loss_and_total, blocks)

    def backward(dloss: Array | float) -> Array:
        da = cuda.empty(a, a.shape)
        known = not is_cupy_array(dloss)
        dloss, number = (NOTHING, dloss) if known else (dloss, 0.0)
        upstream = (dloss, a.dtype.type(number))
        cuda.launch(PAGE, "gradient", a, n * h * w, *given, loss_and_total, *upstream, da, sizes)
        return da

    return loss_and_total[0], backward
