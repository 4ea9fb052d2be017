"""Channel mean and channel max: what spatial attention knows of each position."""

from __future__ import annotations

from collections.abc import Callable

from array_api_compat import device

from armlab.arrays import Array, array_namespace, keep_where, unbuffered
from armlab.hand.add import collect
from armlab.hand.backward import Backward
from armlab.hand.concat_channels import concat_channels
from armlab.hand.expect import expect_features

Statistic = Callable[[Array], tuple[Array, Backward]]


def channel_mean(x: Array) -> tuple[Array, Backward]:
    """Mean over the channels of each position.

    x  (N, C, H, W)
    y  (N, 1, H, W)       y[n,i,j] = Σ_c x[n,c,i,j] / C                 (1)
    """
    expect_features("channel_mean", x)
    xp = array_namespace(x)
    n, c, h, w = shape = x.shape
    share = xp.full((1, c), 1.0 / c, dtype=x.dtype, device=device(x))
    y = xp.reshape(share @ xp.reshape(x, (n, c, h * w)), (n, 1, h, w))

    def backward(dy: Array) -> Array:
        return xp.broadcast_to(dy / c, shape)  # (1) every channel had the same share, 1 / C

    return y, backward


def channel_max(x: Array) -> tuple[Array, Backward]:
    """Largest channel of each position.

    x  (N, C, H, W)
    y  (N, 1, H, W)       y[n,i,j] = max_c x[n,c,i,j]                   (1)

    Where channels tie, the first one is the maximum and alone receives the gradient, as with
    torch.max(x, 1); torch.amax would share it among them.
    """
    expect_features("channel_max", x)
    xp = array_namespace(x)
    y = xp.max(x, axis=1, keepdims=True)

    def backward(dy: Array) -> Array:
        # (1) only the winner was passed on. Of the channels that hold the maximum, it is the one
        #     of the highest rank, which falls from C to 1; argmax over axis 1 takes ten times as
        #     long.
        c = x.shape[1]
        rank = xp.reshape(xp.arange(c, 0, -1, dtype=xp.int32, device=device(x)), (1, c, 1, 1))
        with unbuffered():
            holds = (x == y) | xp.isnan(x)
            ranks = xp.astype(holds, xp.int32)
            ranks *= rank
            won = ranks == xp.max(ranks, axis=1, keepdims=True)
        return keep_where(won, dy)

    return y, backward


def stack_statistics(x: Array, first: Statistic, second: Statistic) -> tuple[Array, Backward]:
    """Two statistics of x, one behind the other along the channels.

    x  (N, C, H, W)
    m  (N, 2, H, W)     of channel_mean and channel_max, or
       (N, 2C, 1, 1)    of global_avg_pool and global_max_pool
    """
    z1, first_back = first(x)
    z2, second_back = second(x)
    m, concat_back = concat_channels(z1, z2)

    def backward(dm: Array) -> Array:
        dz1, dz2 = concat_back(dm)
        return collect(first_back(dz1), second_back(dz2))  # x is used twice: its gradients add up

    return m, backward
