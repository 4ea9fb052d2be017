"""Wrong versions of `hand/batch_norm.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "batch_norm: eps outside the root",
        "batch_norm",
        "batch_norm",
        "batch_norm",
        "(3)",
        "r = 1.0 / (xp.sqrt(var) + eps)",
        "eps stands inside the root, with the variance",
    ),
    Fault(
        "batch_norm: unbiased variance",
        "batch_norm",
        "batch_norm",
        "batch_norm",
        "(2)",
        "var = channel_dot(y, y) / max(m - 1, 1)",
        "the batch is divided by m; only the running variance is unbiased",
    ),
    Fault(
        "batch_norm: variance as E[x²] - mean²",
        "batch_norm",
        "batch_norm",
        "batch_norm",
        "(2)",
        "var = xp.maximum(channel_dot(x, x) / m - mean * mean, 0.0)",
        "E[x²] - mean² subtracts two large, nearly equal numbers: what is left is rounding",
    ),
    Fault(
        "batch_norm: 1/m missing before dw",
        "batch_norm",
        "batch_norm",
        "batch_norm.backward",
        "(5)",
        "dx *= per_channel(-(r * dw))",
        "the share of each x in the variance is 1/m",
    ),
    Fault(
        "batch_norm: gradient through the mean forgotten",
        "batch_norm",
        "batch_norm",
        "batch_norm.backward",
        "dx -=",
        "dx -= per_channel(0 * db)",
        "the mean moves with every x: subtract db / m",
    ),
    Fault(
        "batch_norm: gradient through the variance forgotten",
        "batch_norm",
        "batch_norm",
        "batch_norm.backward",
        "(5)",
        "dx *= 0.0",
        "the variance moves with every x: subtract x̂ dw / m",
    ),
    Fault(
        "batch_norm_eval: statistics treated as those of the batch",
        "batch_norm_eval",
        "batch_norm",
        "batch_norm_eval.backward",
        "return",
        "m = max(dy.shape[0] * dy.shape[2] * dy.shape[3], 1)\n"
        "dcentred = dy - per_channel(channel_sum(dy)) / m\n"
        "return dcentred * per_channel(w * r), dw, channel_sum(dy)",
        "in evaluation mode the mean is a constant and no gradient flows through it",
    ),
    Fault(
        "BatchNorm2d: running variance biased",
        "BatchNorm2d",
        "batch_norm",
        "BatchNorm2d._keep",
        "self.running_var",
        "self.running_var = old * self.running_var + new * var",
        "the running variance is the unbiased one: times m / (m - 1)",
    ),
    Fault(
        "BatchNorm2d: momentum on the wrong side",
        "BatchNorm2d",
        "batch_norm",
        "BatchNorm2d._keep",
        "new, old",
        "old, new = self.momentum, 1 - self.momentum",
        "momentum is the share of the new batch",
    ),
]
