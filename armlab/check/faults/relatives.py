"""Wrong versions of ARM's relatives with a gate per channel."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "SqueezeExcitation: ReLU forgotten backward",
        "SqueezeExcitation",
        "bottleneck",
        "du = relu_back(dh)",
        "du = dh",
        "a backward reads its forward upwards, every line of it",
    ),
    Fault(
        "SqueezeExcitation: context path lost",
        "SqueezeExcitation",
        "self_gate",
        "return dx + dx_logits, grads",
        "return dx, grads",
        "x is used twice, by the gate and by its logits: both gradients belong to it",
    ),
    Fault(
        "SqueezeExcitation: pool forgotten backward",
        "SqueezeExcitation",
        "squeeze_excitation",
        "return pool_back(dz), grads",
        "return dz + 0 * pool_back(dz), grads",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
    Fault(
        "EffectiveSE: context path lost",
        "EffectiveSE",
        "self_gate",
        "return dx + dx_logits, grads",
        "return dx, grads",
        "x is used twice, by the gate and by its logits: both gradients belong to it",
    ),
    Fault(
        "ECA: kernel flipped backward",
        "channel_conv1d",
        "channel_conv1d",
        "xp.reshape(dkernel, (1, 1, size))",
        "xp.flip(xp.reshape(dkernel, (1, 1, size)), axis=2)",
        "the kernel is not flipped: its gradient is in its own order",
    ),
    Fault(
        "ECA: kernel not turned backward",
        "channel_conv1d",
        "channel_conv1d",
        "return xp.reshape(dcolumn, (n, c, 1, 1)),",
        "dcolumn, _ = conv2d(xp.reshape(da, (n, 1, c, 1)), kernel, padding=(size // 2, 0))\n"
        "        return xp.reshape(dcolumn, (n, c, 1, 1)),",
        "z[c + 1] fed a[c] by the weight behind the middle: backward, the kernel is turned around",
    ),
    Fault(
        "ChannelConv1d: weight gradient halved",
        "ChannelConv1d",
        "eca",
        'return dz, {"weight": dw}',
        'return dz, {"weight": 0.5 * dw}',
        "a factor crept in",
    ),
    Fault(
        "ECA: pool forgotten backward",
        "ECA",
        "eca",
        "return pool_back(dz), join(conv=d_conv)",
        "return dz + 0 * pool_back(dz), join(conv=d_conv)",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
    Fault(
        "CBAMChannel: shared weights, one gradient",
        "CBAMChannel",
        "cbam",
        "g + of_max[key] for key, g",
        "g for key, g",
        "the bottleneck is used twice: its weights collect both gradients",
    ),
    Fault(
        "CBAMChannel: shared weights, the second gradient replaces the first",
        "CBAMChannel",
        "cbam",
        "g + of_max[key] for key, g",
        "of_max[key] for key, g",
        "the second gradient of the shared weights has replaced the first: they add up",
    ),
    Fault(
        "CBAMChannel: max path lost backward",
        "CBAMChannel",
        "cbam",
        "return mean_back(dmean) + max_back(dmax), grads",
        "return mean_back(dmean), grads",
        "x is used by both pools: both gradients belong to it",
    ),
    Fault(
        "CBAMChannel: max path lost",
        "CBAM",
        "cbam",
        "return mean_back(dmean) + max_back(dmax), grads",
        "return mean_back(dmean), grads",
        "x is used by both pools: both gradients belong to it",
    ),
]
