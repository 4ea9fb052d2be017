"""The loss of a network with auxiliary heads beside its output."""

from __future__ import annotations

from armlab.arrays import Array
from armlab.hand import cross_entropy, kernels
from armlab.hand.backward import Backward
from armlab.hand.cross_entropy import checked


def joint_loss(
    outputs: tuple[Array, ...],
    labels: Array,
    *,
    weight: Array | None = None,
    ignore_index: int = 255,
) -> tuple[Array, Backward]:
    """The sum of the cross-entropies of all outputs, auxiliary ones with weight 1 as in BiSeNet.

    outputs  each (N, K, H, W) logits
    labels   (N, H, W);  weight and ignore_index as in `cross_entropy`
    loss     ()

        loss = Σ_i cross_entropy(outputs_i, labels)                     (1)

    backward(1.0) gives a gradient for each output.
    """
    labels = checked(outputs[0], labels, weight, ignore_index)  # and moved, once for all
    if kernel := kernels.choose("joint_loss", outputs[0], outputs, labels, weight, ignore_index):
        at_once: tuple[Array, Backward] = kernel(outputs[0], outputs, labels, weight, ignore_index)
        return at_once
    each = [cross_entropy(y, labels, weight=weight, ignore_index=ignore_index) for y in outputs]
    loss = each[0][0]
    for auxiliary, _ in each[1:]:
        loss = loss + auxiliary  # (1)

    def backward(dloss: Array | float) -> tuple[Array, ...]:
        return tuple(back(dloss) for _, back in each)  # a sum hands its gradient to every term

    return loss, backward
