"""2-D convolution: each output pixel is a weighted sum of the window under it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv2d(
    x: Tensor,
    w: Tensor,
    b: Tensor | None = None,
    *,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
) -> Tensor:
    """x (N, C, H, W), w (K, C/g, R, S), b (K,) or None  ->  y (N, K, OH, OW)"""
    return F.conv2d(x, w, b, stride, padding, dilation, groups)


class Conv2d(nn.Conv2d):
    """torch.nn.Conv2d with weights of variance 1 / fan_in and a bias of 0."""

    def reset_parameters(self) -> None:
        nn.init.kaiming_normal_(self.weight, a=1)
        if self.bias is not None:
            with torch.no_grad():
                self.bias.zero_()
