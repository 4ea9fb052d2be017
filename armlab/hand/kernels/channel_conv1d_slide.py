"""ECA's convolution on CuPy as what it is, a few taps along the channels; see `cuda/conv1d.cu`.

The specification calls conv2d, with columns and products. Launches: 1 forward, 2 backward.
"""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.kernels import cuda, tiles
from armlab.hand.kernels.kernel import Backward
from armlab.hand.kernels.tiles import Along


def channel_conv1d(z: Array, w: Array) -> tuple[Array, Backward]:
    """Equals `hand.channel_conv1d` to the order of its sums."""
    z, w = cuda.contiguous(z), cuda.contiguous(w)
    a, (n, c, *_), r = cuda.empty(z, z.shape), z.shape, w.size
    cuda.launch("conv1d", "slide", z, a.size, z, w, a, n, c, r, 1)  # (1)

    def backward(da: Array) -> tuple[Array, Array]:
        da = cuda.contiguous(da)
        dz, dw = cuda.empty(z, z.shape), cuda.empty(w, w.shape)
        cuda.launch("conv1d", "slide", z, dz.size, da, w, dz, n, c, r, -1)  # (2)
        along = Along(r, n * c, 1)
        tiles.launch("conv1d", "weigh", z, along, z, da, dw, along.numbers(), c)  # (3)
        return dz, dw

    return a, backward
