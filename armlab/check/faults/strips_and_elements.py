"""Wrong versions of the relatives that keep the place: strips, and SimAM's gate per element."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "strip_mean: sum for mean",
        "strip_mean",
        "strip_mean",
        "xp.broadcast_to(dy / shape[axis], shape)",
        "xp.broadcast_to(dy, shape)",
        "each element had a share of 1 / W in its row's mean, so it receives that share of dy",
    ),
    Fault(
        "strip_mean: divided by the length of the other axis",
        "strip_mean",
        "strip_mean",
        "xp.broadcast_to(dy / shape[axis], shape)",
        "xp.broadcast_to(dy / shape[5 - axis], shape)",
        "a row has W elements and a column H: divide by the axis that was averaged away",
    ),
    Fault(
        "hard_swish: slope of the gate without that of x",
        "hard_swish",
        "hard_swish",
        "dx += u\n",
        "dx += u - 0.5 * u * xp.astype(xp.abs(u) < 1.0, x.dtype)\n",
        "x stands in y = x h(x) twice: the slope is h + x h' = (2 x + 3) / 6",
    ),
    Fault(
        "hard_swish: slope at the upper kink",
        "hard_swish",
        "hard_swish",
        "dx = xp.trunc(u)",
        "dx = xp.trunc(u) * xp.astype(x != 3.0, x.dtype)",
        "at x = 3 the convention is the slope of what follows, 1, not the parabola's 3/2",
    ),
    Fault(
        "simam_logits: variance by H W",
        "simam_logits",
        "simam",
        "v = position_dot(d, d) / (m - 1)  # (2)",
        "v = position_dot(d, d) / m  # (2)",
        "this variance is the unbiased one: divide by H W - 1",
    ),
    Fault(
        "simam_logits: one half forgotten",
        "simam_logits",
        "simam",
        "a = e + 0.5  # (5)",
        "a = e + 0.0  # (5)",
        "SimAM's logits begin at 1/2: equation (5)",
    ),
    Fault(
        "simam_logits: gradient through the variance forgotten",
        "simam_logits",
        "simam",
        "dd = da - position_dot(da, e) * (4.0 / (m - 1))",
        "dd = da + 0.0",
        "the variance moves with every x: its path takes 4 Σ da e / (m - 1) away",
    ),
    Fault(
        "simam_logits: gradient through the mean forgotten",
        "simam_logits",
        "simam",
        "dd -= position_sum(dd) / m  # (7)",
        "pass  # (7)",
        "the mean moves with every x: subtract the mean of dL/dd",
    ),
    Fault(
        "SimAM: lambda_ not handed on",
        "SimAM",
        "simam",
        "simam_logits(x, lambda_=self.lambda_)",
        "simam_logits(x)",
        "the module was built with a lambda_ of its own",
    ),
    Fault(
        "CoordinateAttention: columns lost backward",
        "CoordinateAttention",
        "coordinate_attention",
        "rows_back(drows) + columns_back(dcolumns)",
        "rows_back(drows) + 0 * columns_back(dcolumns)",
        "x is used by the means of the rows and of the columns: both gradients belong to it",
    ),
    Fault(
        "CoordinateAttention: one gate passed by",
        "CoordinateAttention",
        "coordinate_attention",
        "dx, da_w = w_back(dby_column)",
        "dx, da_w = w_back(dy)",
        "y = x σ(a_w) σ(a_h): dy reaches the column gate through the row gate",
    ),
]
