"""Self-gating: features scaled by a gate that is computed from the same features."""

from __future__ import annotations

from collections.abc import Callable

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads
from armlab.hand.sigmoid_gate import sigmoid_gate


def self_gate(
    x: Array, logits: Callable[[Array], tuple[Array, Backward]]
) -> tuple[Array, Backward]:
    """y = x σ(a) with a = logits(x), where logits' backward gives (dx, grads).

    x, y  (N, C, H, W);  a broadcasts to x
    """
    a, logits_back = logits(x)
    y, gate_back = sigmoid_gate(x, a)

    def backward(dy: Array) -> tuple[Array, Grads]:
        dx, da = gate_back(dy)
        dx_logits, grads = logits_back(da)
        return dx + dx_logits, grads  # x is used twice: its gradients add up

    return y, backward
