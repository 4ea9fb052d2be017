"""Wrong batch normalisations."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "batch_norm: eps outside the root",
        "batch_norm",
        "batch_norm",
        "r = 1.0 / xp.sqrt(var + eps)  # (3)",
        "r = 1.0 / (xp.sqrt(var) + eps)  # (3)",
        "eps stands inside the root, with the variance",
    ),
    Fault(
        "batch_norm: unbiased variance",
        "batch_norm",
        "batch_norm",
        "var = channel_dot(y, y) / m  # (2)",
        "var = channel_dot(y, y) / max(m - 1, 1)  # (2)",
        "the batch is divided by m; only the running variance is unbiased",
    ),
    Fault(
        "batch_norm: variance as E[x²] - mean²",
        "batch_norm",
        "batch_norm",
        "var = channel_dot(y, y) / m  # (2)",
        "var = xp.maximum(channel_dot(x, x) / m - mean * mean, 0.0)  # (2)",
        "E[x²] - mean² subtracts two large, nearly equal numbers: what is left is rounding",
    ),
    Fault(
        "batch_norm: 1/m missing before dw",
        "batch_norm",
        "batch_norm",
        "per_channel(-(r * dw / m))",
        "per_channel(-(r * dw))",
        "the share of each x in the variance is 1/m",
    ),
    Fault(
        "batch_norm: gradient through the mean forgotten",
        "batch_norm",
        "batch_norm",
        "dx -= per_channel(db / m)",
        "dx -= per_channel(0 * db)",
        "the mean moves with every x: subtract db / m",
    ),
    Fault(
        "batch_norm: gradient through the variance forgotten",
        "batch_norm",
        "batch_norm",
        "dx *= per_channel(-(r * dw / m))",
        "dx *= 0.0",
        "the variance moves with every x: subtract x̂ dw / m",
    ),
    Fault(
        "batch_norm_eval: statistics treated as those of the batch",
        "batch_norm_eval",
        "batch_norm",
        "return dy * per_channel(w * r), dw, channel_sum(dy)",
        "return (dy - per_channel(channel_sum(dy)) / max(dy.shape[0] * dy.shape[2] * "
        "dy.shape[3], 1)) * per_channel(w * r), dw, channel_sum(dy)",
        "in evaluation mode the mean is a constant and no gradient flows through it",
    ),
    Fault(
        "BatchNorm2d: running variance biased",
        "BatchNorm2d",
        "batch_norm",
        "new * (m / (m - 1)) * var",
        "new * var",
        "the running variance is the unbiased one: times m / (m - 1)",
    ),
    Fault(
        "BatchNorm2d: momentum on the wrong side",
        "BatchNorm2d",
        "batch_norm",
        "new, old = self.momentum, 1 - self.momentum",
        "old, new = self.momentum, 1 - self.momentum",
        "momentum is the share of the new batch",
    ),
]
