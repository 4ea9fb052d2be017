"""The bottleneck of SE, CBAM and FFM: pooled channels through a smaller layer and back."""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.conv2d import Conv2d
from armlab.hand.expect import whole
from armlab.hand.relu import relu


def bottleneck(z: Array, **layers: Conv2d) -> tuple[Array, Backward]:
    """a = W₂ ReLU(W₁ z + b₁) + b₂.  z, a (N, C, 1, 1); W₁ (C/r, C), W₂ (C, C/r)

    layers  the two, under the names that their gradients are to have
    """
    (name1, layer1), (name2, layer2) = layers.items()
    u, layer1_back = layer1(z)
    h, relu_back = relu(u)
    a, layer2_back = layer2(h)

    def backward(da: Array) -> tuple[Array, Grads]:
        dh, d2 = layer2_back(da)
        du = relu_back(dh)
        dz, d1 = layer1_back(du)
        return dz, join(**{name1: d1, name2: d2})

    return a, backward


def hidden_channels(name: str, channels: int, reduction: int) -> int:
    """C / r. Raises ValueError where no channel would be left."""
    channels, reduction = whole(name, channels=channels, reduction=reduction)
    if reduction > channels:
        raise ValueError(
            f"{name} expected a reduction of 1 to {channels} (its channels), "
            f"got {reduction}: reduce less"
        )
    return channels // reduction
