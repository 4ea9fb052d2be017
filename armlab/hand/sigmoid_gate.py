"""Sigmoid gating: the last step of ARM, of SE and of spatial attention."""

from __future__ import annotations

from armlab.arrays import Array, array_namespace, unbroadcast
from armlab.hand import kernels
from armlab.hand.backward import Backward
from armlab.hand.expect import expect_features
from armlab.hand.sigmoid import sigmoid


def sigmoid_gate(x: Array, a: Array) -> tuple[Array, Backward]:
    """Scale features by a gate between 0 and 1.

    x  (N, C, H, W)   features
    a  (N, C, 1, 1)   one logit per channel  (ARM, SE), or
       (N, 1, H, W)   one per position       (spatial attention), or
       (N, C, H, W)   one per element
    y  (N, C, H, W)

        s = 1 / (1 + exp(-a))                                           (1)
        y = x s                                                         (2)

    Raises ValueError where a does not broadcast to x.
    """
    array_namespace(x, a)
    expect_features("sigmoid_gate", x)
    if len(a.shape) != 4 or any(n not in (1, m) for n, m in zip(a.shape, x.shape, strict=True)):
        raise ValueError(
            f"sigmoid_gate expected logits a that broadcast to x {tuple(x.shape)}, got "
            f"{tuple(a.shape)}: give each axis the length of x or 1"
        )
    if kernel := kernels.choose("sigmoid_gate", x, a, sigmoid):
        return kernel(x, a, sigmoid)
    s, sigmoid_back = sigmoid(a)  # (1)
    y = x * s  # (2), s repeats along its axes of length 1

    def backward(dy: Array) -> tuple[Array, Array]:
        # (2) dL/dx = dy s;  dL/ds = dy x, summed over the axes along which s was repeated:
        #     one s feeds many y, and their gradients add up.
        dx = dy * s  # (3)
        ds = unbroadcast(dy * x, s.shape)  # (4)
        return dx, sigmoid_back(ds)  # (1)

    return y, backward
