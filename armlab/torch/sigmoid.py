"""Sigmoid: turns a logit of any size into a gate between 0 and 1."""

import torch
from torch import Tensor


def sigmoid(a: Tensor) -> Tensor:
    """s = 1 / (1 + exp(-a)), any shape."""
    return torch.sigmoid(a)
