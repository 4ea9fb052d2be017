"""Global max pooling: the strongest response of each channel, wherever it is."""

from __future__ import annotations

from array_api_compat import device

from armlab.arrays import Array, array_namespace, keep_where, unbuffered
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
    n, c, h, w = shape = x.shape
    flat = xp.reshape(x, (n, c, h * w))
    z = xp.reshape(xp.max(flat, axis=2), (n, c, 1, 1))

    def backward(dz: Array) -> Array:
        flat = xp.reshape(x, (n, c, h * w))
        winner = xp.argmax(flat, axis=2, keepdims=True)  # the first of equals
        positions = xp.reshape(xp.arange(h * w, device=device(x)), (1, 1, h * w))
        with unbuffered():
            won = positions == winner
        dflat = keep_where(won, xp.reshape(dz, (n, c, 1)))
        return xp.reshape(dflat, shape)  # (1) only the winner was passed on

    return z, backward
