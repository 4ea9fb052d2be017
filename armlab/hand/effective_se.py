"""Effective squeeze and excitation (eSE): one layer, as in ARM, with a bias instead of BN."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.conv2d import Conv2d
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import self_gate
from armlab.hand.sigmoid import sigmoid


class EffectiveSE(Module):
    """ARM's nearest relative: take the paper's ARM, and put a bias in the place of its BN.

    x, y  (N, C, H, W);   W (C, C)

        a = W GAP(x) + b                                                (1)
        y = x σ(a)                                                      (2)

    timm's `EffectiveSEModule` is this with gate_layer="sigmoid"; by default its gate is the hard
    sigmoid, min(max(a / 6 + 1/2, 0), 1), another function of the same weights.
    """

    attention_name = "ese"

    def __init__(self, channels: int, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self.channels = channels
        self.fc = Conv2d(channels, channels, 1, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        return self_gate(x, self._logits)  # (2)

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        z, pool_back = global_avg_pool(x)
        a, fc_back = self.fc(z)  # (1)

        def backward(da: Array) -> tuple[Array, Grads]:
            dz, d_fc = fc_back(da)
            return pool_back(dz), join(fc=d_fc)

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, 1, 1)"""
        return sigmoid(self._logits(x)[0])[0]
