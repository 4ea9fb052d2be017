"""Softmax cross-entropy over pixels: the loss that segmentation is trained with."""

from torch import Tensor
from torch.nn import functional as F


def cross_entropy(
    a: Tensor, labels: Tensor, *, weight: Tensor | None = None, ignore_index: int = 255
) -> Tensor:
    """a (N, K, H, W) logits, labels (N, H, W) int64, weight (K,) or None  ->  loss ()"""
    return F.cross_entropy(a, labels, weight, ignore_index=ignore_index)
