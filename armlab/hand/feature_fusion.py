"""Feature fusion (FFM): BiSeNet's two paths side by side, mixed, and gated with a residual."""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.batch_norm import BatchNorm2d
from armlab.hand.batch_norm_activated import activated
from armlab.hand.bottleneck import bottleneck, hidden_channels
from armlab.hand.concat_channels import concat_channels
from armlab.hand.conv2d import Conv2d
from armlab.hand.conv_bn_act import ConvBNAct
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.self_gate import residual_self_gate
from armlab.hand.sequential import in_turn
from armlab.hand.sigmoid import sigmoid


class FeatureFusionModule(Module):
    """FFM with two layers in its gate, as in TorchSeg (reduction 1) and pytorchcv (reduction 4).

    sp  (N, C1, H, W)    of the spatial path;  in_channels = C1 + C2
    cp  (N, C2, H, W)    of the context path
    y   (N, K, H, W)

        f = ReLU(BN(conv1×1([sp ; cp])))                                (1)
        a = W₂ ReLU(W₁ GAP(f)),   W₁ (K/r, K), W₂ (K, K/r)              (2)
        y = f + f σ(a)                                                  (3)

    A gate that is shut leaves f as it was: where ARM suppresses, this one only adds weight.
    Raises ValueError where the two maps differ in size, or reduction leaves no channel.
    """

    def __init__(
        self, in_channels: int, out_channels: int, reduction: int = 1, **made: Unpack[Made]
    ) -> None:
        made = settled(self, made)
        hidden = hidden_channels(type(self).__name__, out_channels, reduction)
        self._add_mix(in_channels, out_channels, **made)
        self.conv1 = Conv2d(out_channels, hidden, 1, bias=False, **made)
        self.conv2 = Conv2d(hidden, out_channels, 1, bias=False, **made)

    def _add_mix(self, in_channels: int, out_channels: int, **made: Unpack[Made]) -> None:
        self.in_channels = in_channels
        self.convblk = ConvBNAct(in_channels, out_channels, 1, padding=0, **made)

    def forward(self, sp: Array, cp: Array) -> tuple[Array, Backward]:
        f, mix_back = self._mixed(sp, cp)  # (1)
        y, gate_back = residual_self_gate(f, self._logits)  # (2, 3)

        def backward(dy: Array) -> tuple[Array, Array, Grads]:
            df, d_gate = gate_back(dy)
            dsp, dcp, d_mix = mix_back(df)
            return dsp, dcp, d_mix | d_gate

        return y, backward

    def _mixed(self, sp: Array, cp: Array) -> tuple[Array, Backward]:
        x, concat_back = concat_channels(sp, cp)
        self.expect_features(x, self.in_channels, "in_channels")
        f, convblk_back = self.convblk(x)

        def backward(df: Array) -> tuple[Array, Array, Grads]:
            dx, d_convblk = convblk_back(df)
            dsp, dcp = concat_back(dx)
            return dsp, dcp, join(convblk=d_convblk)

        return f, backward

    def _logits(self, f: Array) -> tuple[Array, Backward]:
        z, pool_back = global_avg_pool(f)
        a, mlp_back = bottleneck(z, conv1=self.conv1, conv2=self.conv2)  # (2)

        def backward(da: Array) -> tuple[Array, Grads]:
            dz, grads = mlp_back(da)
            return pool_back(dz), grads

        return a, backward

    def gate(self, sp: Array, cp: Array) -> Array:
        """What `forward` multiplies f by, before it adds f.  (N, K, 1, 1).  Keeps statistics."""
        look = self.copy()
        f, _ = look._mixed(sp, cp)
        return sigmoid(look._logits(f)[0])[0]


class SingleLayerFeatureFusion(FeatureFusionModule):
    """FFM as in CoinCheung/BiSeNet since 2021: its gate is ARM's, one layer and BN.

        a = BN(W · GAP(f)),   W (K, K)                                  (4)

    in the place of (2). Checkpoints of the two kinds do not fit each other.
    Raises ValueError for a batch of 1 in training mode: BN (4) needs two values per channel.
    """

    pooled_norm = True

    def __init__(self, in_channels: int, out_channels: int, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self._add_mix(in_channels, out_channels, **made)
        self.conv = Conv2d(out_channels, out_channels, 1, bias=False, **made)
        self.bn = BatchNorm2d(out_channels, **made)

    def _logits(self, f: Array) -> tuple[Array, Backward]:
        z, pool_back = global_avg_pool(f)
        a, layers_back = in_turn({"conv": self.conv, "bn": self.bn}, z)  # (4)

        def backward(da: Array) -> tuple[Array, Grads]:
            dz, grads = layers_back(da)
            return pool_back(dz), grads

        return a, backward


class RectifiedFeatureFusion(FeatureFusionModule):
    """FFM as in mmsegmentation 1.2.2: a ReLU before the sigmoid, so its gate is at least 1/2.

        a = ReLU(BN(W · GAP(f))),   W (K, K)                            (5)

    in the place of (2): a logit below 0 counts as 0, and y ≥ 3/2 f. It is another function than
    (4), though its weights have the same shapes, and so it has keys of its own.
    Raises ValueError for a batch of 1 in training mode: BN (5) needs two values per channel.
    """

    pooled_norm = True

    def __init__(self, in_channels: int, out_channels: int, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self._add_mix(in_channels, out_channels, **made)
        self.conv_atten = Conv2d(out_channels, out_channels, 1, bias=False, **made)
        self.bn_atten = BatchNorm2d(out_channels, **made)

    def _logits(self, f: Array) -> tuple[Array, Backward]:
        z, pool_back = global_avg_pool(f)
        u, atten_back = self.conv_atten(z)
        a, bn_back = activated(self.bn_atten, u, "relu")  # (5)

        def backward(da: Array) -> tuple[Array, Grads]:
            du, d_bn = bn_back(da)
            dz, d_atten = atten_back(du)
            return pool_back(dz), join(conv_atten=d_atten, bn_atten=d_bn)

        return a, backward
