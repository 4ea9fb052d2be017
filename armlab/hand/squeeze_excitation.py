"""Squeeze and excitation (SE): ARM's older relative, whose logits come from two small layers."""

from __future__ import annotations

from armlab.arrays import Array, Place, Rng, generator
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.conv2d import Conv2d
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.module import Module
from armlab.hand.relu import relu
from armlab.hand.sigmoid import sigmoid
from armlab.hand.sigmoid_gate import sigmoid_gate


class SqueezeExcitation(Module):
    """Scale each channel by a gate from all channels' means, through a bottleneck.

    x, y  (N, C, H, W);   W₁ (C/r, C), W₂ (C, C/r), with biases and without batch normalisation

        z = GAP(x)                                                      (1)
        h = ReLU(W₁ z + b₁)                                             (2)
        a = W₂ h + b₂                                                   (3)
        y = x σ(a)                                                      (4)

    ARM has one C × C layer, no bias, and batch normalisation instead of (2) and (3); so SE takes a
    batch of 1 in training. Raises ValueError where reduction leaves no channel between them.
    """

    def __init__(
        self,
        channels: int,
        reduction: int = 16,
        *,
        rng: Rng = None,
        dtype: str = "float32",
        device: str | Place = "cpu",
    ) -> None:
        if not 1 <= reduction <= channels:
            raise ValueError(
                f"SqueezeExcitation expected a reduction of 1 to {channels} (its channels), "
                f"got {reduction}: reduce less"
            )
        rng, hidden = generator(rng), channels // reduction
        self.channels = channels
        self.fc1 = Conv2d(channels, hidden, 1, rng=rng, dtype=dtype, device=device)
        self.fc2 = Conv2d(hidden, channels, 1, rng=rng, dtype=dtype, device=device)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        a, logits_back = self._logits(x)
        y, gate_back = sigmoid_gate(x, a)  # (4)

        def backward(dy: Array) -> tuple[Array, Grads]:
            dx, da = gate_back(dy)
            dx_pooled, grads = logits_back(da)
            return dx + dx_pooled, grads  # x is used twice: its gradients add up

        return y, backward

    def _logits(self, x: Array) -> tuple[Array, Backward]:
        z, pool_back = global_avg_pool(x)  # (1)
        u, fc1_back = self.fc1(z)
        h, relu_back = relu(u)  # (2)
        a, fc2_back = self.fc2(h)  # (3)

        def backward(da: Array) -> tuple[Array, Grads]:
            dh, d_fc2 = fc2_back(da)
            du = relu_back(dh)
            dz, d_fc1 = fc1_back(du)
            return pool_back(dz), join(fc1=d_fc1, fc2=d_fc2)

        return a, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by.  (N, C, 1, 1)"""
        return sigmoid(self._logits(x)[0])[0]
