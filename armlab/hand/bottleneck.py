"""The bottleneck of SE and CBAM: pooled channels through a smaller layer and back."""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.conv2d import Conv2d
from armlab.hand.relu import relu


def bottleneck(z: Array, fc1: Conv2d, fc2: Conv2d) -> tuple[Array, Backward]:
    """a = W₂ ReLU(W₁ z + b₁) + b₂.  z, a (N, C, 1, 1); W₁ (C/r, C), W₂ (C, C/r)"""
    u, fc1_back = fc1(z)
    h, relu_back = relu(u)
    a, fc2_back = fc2(h)

    def backward(da: Array) -> tuple[Array, Grads]:
        dh, d_fc2 = fc2_back(da)
        du = relu_back(dh)
        dz, d_fc1 = fc1_back(du)
        return dz, join(fc1=d_fc1, fc2=d_fc2)

    return a, backward


def hidden_channels(name: str, channels: int, reduction: int) -> int:
    """C / r. Raises ValueError where no channel would be left."""
    if not 1 <= reduction <= channels:
        raise ValueError(
            f"{name} expected a reduction of 1 to {channels} (its channels), "
            f"got {reduction}: reduce less"
        )
    return channels // reduction
