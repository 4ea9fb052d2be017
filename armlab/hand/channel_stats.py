"""Channel mean and channel max: what spatial attention knows of each position."""

from __future__ import annotations

from collections.abc import Callable

from array_api_compat import device

from armlab.arrays import Array, array_namespace
from armlab.hand import kernels
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
    xp, shape = array_namespace(x), x.shape
    if kernel := kernels.choose("channel_mean", x):
        return kernel(x)
    y = xp.mean(x, axis=1, keepdims=True)  # (1)

    def backward(dy: Array) -> Array:
        # (1) every channel had the same share, 1 / C.
        return xp.broadcast_to(dy / shape[1], shape)  # (2)

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
    if kernel := kernels.choose("channel_max", x):
        return kernel(x)
    y = xp.max(x, axis=1, keepdims=True)  # (1)

    def backward(dy: Array) -> Array:
        # (1) only the winner was passed on, the first of equals.
        winner = xp.argmax(x, axis=1, keepdims=True)
        channel = xp.reshape(xp.arange(x.shape[1], device=device(x)), (1, -1, 1, 1))
        return xp.where(channel == winner, dy, 0.0)  # (2)

    return y, backward


def stack_statistics(x: Array, first: Statistic, second: Statistic) -> tuple[Array, Backward]:
    """Two statistics of x, one behind the other along the channels.

    x  (N, C, H, W)
    m  (N, 2, H, W)     of channel_mean and channel_max, or
       (N, 2C, 1, 1)    of global_avg_pool and global_max_pool
    """
    if kernel := kernels.choose("stack_statistics", x, first, second):
        return kernel(x, first, second)
    z1, first_back = first(x)
    z2, second_back = second(x)
    m, concat_back = concat_channels(z1, z2)

    def backward(dm: Array) -> Array:
        dz1, dz2 = concat_back(dm)
        return collect(first_back(dz1), second_back(dz2))  # x is used twice: its gradients add up

    return m, backward
