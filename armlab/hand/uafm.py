"""UAFM, the fusion of PP-LiteSeg: one gate says how much of each of two maps goes on.

The paper (Peng et al. 2022, arXiv 2204.02681), as reported in transcriptions, and super-gradients'
`UAFM` give the gate to the resized high-level map, as here. PaddleSeg's `UAFM_SpAtten` and
`UAFM_ChAtten` give it to the low-level map. Since 1 - σ(a) = σ(-a) this is another meaning of the
same weights: negate the last BN's weight and bias, and reorder the input of the first layer. Both
repositories have 3×3 layers around the fusion, which are not part of it here.
"""

from __future__ import annotations

from typing import Unpack

from armlab.arrays import Array
from armlab.hand.add import add, collect, subtract
from armlab.hand.backward import Backward, Grads, join
from armlab.hand.bottleneck import hidden_channels
from armlab.hand.channel_stats import channel_max, channel_mean, stack_statistics
from armlab.hand.concat_channels import concat_channels
from armlab.hand.conv_bn_act import ConvBN, ConvBNAct
from armlab.hand.expect import expect_features, whole
from armlab.hand.global_avg_pool import global_avg_pool
from armlab.hand.global_max_pool import global_max_pool
from armlab.hand.made import Made, settled
from armlab.hand.module import Module
from armlab.hand.resize import resize_bilinear
from armlab.hand.sequential import Sequential
from armlab.hand.sigmoid import sigmoid
from armlab.hand.sigmoid_gate import sigmoid_gate


class UAFMSpatial(Module):
    """Fuse two maps position by position, by the means and maxima over their channels.

    high    (N, C, H', W')   of a deeper layer, for any C and any size
    low, y  (N, C, H, W)     of a shallower one

        up = resize_bilinear(high)                 (N, C, H, W)         (1)
        m = [mean up ; max up ; mean low ; max low]                     (2)  (N, 4, H, W), over C
        a = BN(conv3×3(ReLU(BN(conv3×3(m)))))      (N, 1, H, W)         (3)  4 -> 2 -> 1 channels
        y = up s + low (1 - s),   s = σ(a)                              (4)
          = low + (up - low) s

    Raises ValueError where the two maps differ in batch or channels.
    """

    def __init__(self, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        self.conv_atten = Sequential(ConvBNAct(4, 2, **made), ConvBN(2, 1, **made))

    def forward(self, high: Array, low: Array) -> tuple[Array, Backward]:
        up, resize_back = self._resized(high, low)  # (1)
        a, logits_back = self._logits(up, low)  # (2, 3)
        apart, subtract_back = subtract(up, low)
        gated, gate_back = sigmoid_gate(apart, a)
        y, add_back = add(low, gated)  # (4)

        def backward(dy: Array) -> tuple[Array, Array, Grads]:
            dlow_kept, dgated = add_back(dy)
            dapart, da = gate_back(dgated)
            dup, dlow_taken = subtract_back(dapart)
            dup_seen, dlow_seen, grads = logits_back(da)
            dhigh = resize_back(collect(dup, dup_seen))  # up is used twice, and low three times:
            return dhigh, collect(dlow_kept, dlow_taken, dlow_seen), grads  # gradients add up

        return y, backward

    def _resized(self, high: Array, low: Array) -> tuple[Array, Backward]:
        name = type(self).__name__
        expect_features(name, high)
        expect_features(name, low)
        if tuple(high.shape[:2]) != tuple(low.shape[:2]):
            raise ValueError(
                f"{name} expected high and low of one batch and as many channels, got "
                f"{tuple(high.shape)} and {tuple(low.shape)}: project one to the other's channels"
            )
        return resize_bilinear(high, size=(low.shape[2], low.shape[3]))

    def _logits(self, up: Array, low: Array) -> tuple[Array, Backward]:
        m_up, up_back = self._statistics(up)
        m_low, low_back = self._statistics(low)
        m, concat_back = concat_channels(m_up, m_low)  # (2)
        a, atten_back = self.conv_atten(m)  # (3)

        def backward(da: Array) -> tuple[Array, Array, Grads]:
            dm, d_atten = atten_back(da)
            dm_up, dm_low = concat_back(dm)
            return up_back(dm_up), low_back(dm_low), join(conv_atten=d_atten)

        return a, backward

    def _statistics(self, x: Array) -> tuple[Array, Backward]:
        return stack_statistics(x, channel_mean, channel_max)

    def gate(self, high: Array, low: Array) -> Array:
        """s, the share of the high map: one per position, or per channel in `UAFMChannel`.

        Keeps running statistics as they are.
        """
        look = self.copy()
        up, _ = look._resized(high, low)
        return sigmoid(look._logits(up, low)[0])[0]


class UAFMChannel(UAFMSpatial):
    """Fuse two maps channel by channel, by their means and maxima over all positions.

    high    (N, C, H', W')
    low, y  (N, C, H, W)

        m = [GAP up ; GMP up ; GAP low ; GMP low]           (N, 4C, 1, 1)       (5)
        a = BN(conv1×1(LReLU(BN(conv1×1(m)))))              (N, C, 1, 1)        (6)

    in the place of (2) and (3), with 4C -> C/r -> C channels; r = 2 is PaddleSeg's, and its order
    in (5) is GAP low, GAP up, GMP low, GMP up. Raises ValueError where reduction leaves no
    channel, and for a batch of 1 in training mode: BN (6) needs two values per channel.
    """

    pooled_norm = True

    def __init__(self, channels: int, reduction: int = 2, **made: Unpack[Made]) -> None:
        made = settled(self, made)
        (channels,) = whole(type(self).__name__, channels=channels)
        hidden = hidden_channels(type(self).__name__, channels, reduction)
        self.channels = channels
        self.conv_atten = Sequential(
            ConvBNAct(4 * channels, hidden, 1, padding=0, activation="leaky_relu", **made),
            ConvBN(hidden, channels, 1, padding=0, **made),
        )

    def forward(self, high: Array, low: Array) -> tuple[Array, Backward]:
        self.expect_features(high, self.channels, "channels")
        return super().forward(high, low)

    def _statistics(self, x: Array) -> tuple[Array, Backward]:
        return stack_statistics(x, global_avg_pool, global_max_pool)  # (5)
