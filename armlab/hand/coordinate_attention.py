"""Coordinate attention: each element gated twice, by its row and by its column."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.add import collect
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.conv2d import Conv2d
from armlab.hand.expect import whole
from armlab.hand.hard_swish import hard_swish
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.sigmoid import sigmoid
from armlab.hand.sigmoid_gate import sigmoid_gate
from armlab.hand.strip_mean import strip_mean
from armlab.hand.strips import join_strips, split_strips


class CoordinateAttention(Module):
    """SE that keeps the place: instead of one mean of the image, one of each row and each column.

    x, y  (N, C, H, W);   mid = max(8, C // reduction) channels between

        z = [rows' means ; columns' means]    (N, C, H + W, 1)          (1)
        f = hard_swish(BN(conv1(z)))          (N, mid, H + W, 1)        (2)
        a_h = conv_h(f's first H)             (N, C, H, 1)              (3)
        a_w = conv_w(f's last W)              (N, C, 1, W)              (4)
        y = x σ(a_w) σ(a_h)                                             (5)

    All three convolutions are 1×1 with a bias, so rows and columns meet only in BN's statistics.
    Source: Hou et al. 2021; keys and mid are those of `CoordAtt` of houqb/CoordAttention.
    """

    attention_name = "coordinate"

    def __init__(self, channels: int, reduction: int = 32, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        channels, reduction = whole(type(self).__name__, channels=channels, reduction=reduction)
        mid = max(8, channels // reduction)
        self.channels = channels
        self.conv1 = Conv2d(channels, mid, 1, **made)
        self.bn1 = BatchNorm2d(mid, **made)
        self.conv_h = Conv2d(mid, channels, 1, **made)
        self.conv_w = Conv2d(mid, channels, 1, **made)

    def forward(self, x: Array) -> tuple[Array, Backward]:
        self.expect_features(x, self.channels, "channels")
        (a_h, a_w), logits_back = self._logits(x)
        by_column, w_back = sigmoid_gate(x, a_w)
        y, h_back = sigmoid_gate(by_column, a_h)  # (5)

        def backward(dy: Array) -> tuple[Array, Grads]:
            dby_column, da_h = h_back(dy)
            dx, da_w = w_back(dby_column)
            dx_logits, grads = logits_back((da_h, da_w))
            return collect(dx, dx_logits), grads  # x is used twice: its gradients add up

        return y, backward

    def _logits(self, x: Array) -> tuple[tuple[Array, Array], Backward]:
        f, strips_back = self._strips(x)  # (1, 2)
        (f_h, f_w), split_back = split_strips(f, height=x.shape[2])
        a_h, h_back = self.conv_h(f_h)  # (3)
        a_w, w_back = self.conv_w(f_w)  # (4)

        def backward(da: tuple[Array, Array]) -> tuple[Array, Grads]:
            df_h, d_conv_h = h_back(da[0])
            df_w, d_conv_w = w_back(da[1])
            dx, grads = strips_back(split_back((df_h, df_w)))
            return dx, grads | join(conv_h=d_conv_h, conv_w=d_conv_w)

        return (a_h, a_w), backward

    def _strips(self, x: Array) -> tuple[Array, Backward]:
        rows, rows_back = strip_mean(x, axis=3)
        columns, columns_back = strip_mean(x, axis=2)
        z, join_back = join_strips(rows, columns)  # (1)
        u, conv_back = self.conv1(z)
        v, bn_back = self.bn1(u)
        f, act_back = hard_swish(v)  # (2)

        def backward(df: Array) -> tuple[Array, Grads]:
            du, d_bn = bn_back(act_back(df))
            dz, d_conv = conv_back(du)
            drows, dcolumns = join_back(dz)
            dx = collect(rows_back(drows), columns_back(dcolumns))  # x is used by both means
            return dx, join(conv1=d_conv, bn1=d_bn)

        return f, backward

    def gate(self, x: Array) -> Array:
        """What `forward` multiplies x by in all: row gate times column gate.  (N, C, H, W)

        Keeps running statistics as they are.
        """
        (a_h, a_w), _ = self.copy()._logits(x)
        return sigmoid(a_h)[0] * sigmoid(a_w)[0]
