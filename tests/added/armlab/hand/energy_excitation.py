"""Energy excitation: effective squeeze and excitation that pools the square of its features."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.conv2d import Conv2d
from armlab.hand.made import Made, settled
from armlab.hand.mean_square import mean_square
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid


class EnergyExcitation(Module):
    """Gate each channel by how strong the channels are.

    x, y  (N, C, H, W);   W (C, C)

        a = W mean_square(x) + b                                        (1)
        y = x σ(a)                                                      (2)
    """

    attention_name = "energy"

    def __init__(self, channels: int, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self.channels = channels
        self.fc = Conv2d(channels, channels, 1, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        return self_gate(x, self._logits)  # (2)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        z, square_back = mean_square(x)
        a, fc_back = self.fc(z)  # (1)

        def backward(da: Array) -> tuple[Array, Grads]:
            dz, d_fc = fc_back(da)
            return square_back(dz), join(fc=d_fc)

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, 1, 1)"""
        return sigmoid(self._logits(x)[0])[0]
