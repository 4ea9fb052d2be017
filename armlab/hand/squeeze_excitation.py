"""Squeeze and excitation (SE): ARM's older relative, whose logits come from two small layers."""

from __future__ import annotations

from typing import Self, Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads
from armlab.hand.bottleneck import bottleneck, hidden_channels
from armlab.hand.conv2d import Conv2d
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid


class SqueezeExcitation(Module):
    """Scale each channel by a gate from all channels' means, through a bottleneck.

    x, y  (N, C, H, W);   W₁ (C/r, C), W₂ (C, C/r), with biases and without batch normalisation

        z = GAP(x)                                                      (1)
        a = W₂ ReLU(W₁ z + b₁) + b₂                                     (2)
        y = x σ(a)                                                      (3)

    Where ARM has one C × C layer, no bias and batch normalisation, SE has (2); so it takes a batch
    of 1 in training. Raises ValueError where reduction leaves no channel between the layers.
    """

    attention_name = "se"

    def __init__(self, channels: int, reduction: int = 16, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        hidden = hidden_channels(type(self).__name__, channels, reduction)
        self.channels = channels
        self.fc1 = Conv2d(channels, hidden, 1, **made)
        self.fc2 = Conv2d(hidden, channels, 1, **made)

    @classmethod
    def for_channels(cls, channels: int, **made: Unpack[Made]) -> Self:
        """In a network: with a reduction of 16, or to one channel where there are fewer."""
        return cls(channels, min(16, channels), **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        return self_gate(x, self._logits)  # (3)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        z, pool_back = global_avg_pool(x)  # (1)
        a, mlp_back = bottleneck(z, fc1=self.fc1, fc2=self.fc2)  # (2)

        def backward(da: Array) -> tuple[Array, Grads]:
            dz, grads = mlp_back(da)
            return pool_back(dz), grads

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, 1, 1)"""
        return sigmoid(self._logits(x)[0])[0]
