"""Self-gating: features scaled by a gate from the same features, with or without a residual."""

from __future__ import annotations

from collections.abc import Callable

from armlab.arrays import Array
from armlab.hand.add import add, collect
from armlab.hand.backward import Backward, Grads
from armlab.hand.sigmoid_gate import sigmoid_gate

Logits = Callable[[Array], tuple[Array, Backward]]


def self_gate(x: Array, logits: Logits) -> tuple[Array, Backward]:
    """y = x σ(a) with a = logits(x), where logits' backward gives (dx, grads).

    x, y  (N, C, H, W);  a broadcasts to x
    """
    a, logits_back = logits(x)
    y, gate_back = sigmoid_gate(x, a)

    def backward(dy: Array) -> tuple[Array, Grads]:
        dx, da = gate_back(dy)
        dx_logits, grads = logits_back(da)
        return collect(dx, dx_logits), grads  # x is used twice: its gradients add up

    return y, backward


def residual_self_gate(x: Array, logits: Logits) -> tuple[Array, Backward]:
    """y = x + x σ(a) with a = logits(x): a factor between 1 and 2, so that x is always heard."""
    gated, gated_back = self_gate(x, logits)
    y, add_back = add(x, gated)

    def backward(dy: Array) -> tuple[Array, Grads]:
        dx_residual, dgated = add_back(dy)  # the residual hands dy on as it is
        dx, grads = gated_back(dgated)
        return collect(dx_residual, dx), grads

    return y, backward
