"""Global max pooling: the strongest response of each channel, wherever it is."""

from __future__ import annotations

from array_api_compat import device

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features


def global_max_pool(x: Array) -> tuple[Array, Backward]:
    """Largest value over all positions.

    x  (N, C, H, W)
    z  (N, C, 1, 1)       z[n,c] = max_{i,j} x[n,c,i,j]                 (1)

    Where positions tie, the first one, row by row, is the maximum and alone receives the
    gradient, as with torch.max over a flattened axis; torch.amax would share it among them.
    """
    expect_features("global_max_pool", x)
    xp = array_namespace(x)
    if kernel := kernels.choose("global_max_pool", x):
        return kernel(x)
    z = xp.max(x, axis=(2, 3), keepdims=True)  # (1)

    def backward(dz: Array) -> Array:
        # (1) only the winner was passed on, the first of equals.
        n, c, h, w = x.shape
        winner = xp.argmax(xp.reshape(x, (n, c, h * w)), axis=2)
        position = xp.reshape(xp.arange(h * w, device=device(x)), (h, w))
        return xp.where(position == xp.reshape(winner, (n, c, 1, 1)), dz, 0.0)  # (2)

    return z, backward
