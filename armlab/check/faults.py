"""Named faults: wrong versions of the code by hand, each of which the tests must catch.

A fault is a small edit of one source file: the text to find and what stands there instead. It is
applied to a copy in memory, run in place of the original for a while, and never left behind. The
hint says what the mistake is; the exercises show it to whoever makes the same one.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

from armlab.check.swap import swapped


@dataclass(frozen=True)
class Fault:
    """`find` stands once in armlab/hand/`file`.py and becomes `put`; tests of `case` must fail."""

    name: str
    case: str
    file: str
    find: str
    put: str
    hint: str


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """Within this block, armlab runs with the fault."""
    right = importlib.import_module(f"armlab.hand.{fault.file.replace('/', '.')}")
    wrong = _edited(right, fault)
    replaced = {
        old: vars(wrong)[name]
        for name, old in vars(right).items()
        if isinstance(old, type | FunctionType) and old.__module__ == right.__name__
    }
    with swapped(replaced):
        yield


def _edited(right: ModuleType, fault: Fault) -> ModuleType:
    source = Path(str(right.__file__)).read_text(encoding="utf-8")
    if source.count(fault.find) != 1:
        raise LookupError(
            f"fault {fault.name!r} expects {fault.find!r} once in {fault.file}.py, "
            f"found it {source.count(fault.find)} times: update the catalogue"
        )
    wrong = ModuleType(right.__name__)
    wrong.__file__, wrong.__package__ = f"<{fault.name}>", right.__package__
    code = compile(source.replace(fault.find, fault.put), f"<{fault.name}>", "exec")
    exec(code, vars(wrong))
    return wrong


def of_case(case: str) -> list[Fault]:
    """The faults that the tests of one case must catch."""
    return [fault for fault in FAULTS if fault.case == case]


FAULTS = [
    # -- convolution ----------------------------------------------------------------------------
    Fault(
        "conv2d: dilated taps off by one",
        "conv2d",
        "window",
        "slice(k * d, k * d + t * (n - 1) + 1, t)",
        "slice(k * d - (k > 0 and d > 1), k * d - (k > 0 and d > 1) + t * (n - 1) + 1, t)",
        "each tap has to start at its own dilated offset",
    ),
    Fault(
        "conv2d: kernel flipped",
        "conv2d",
        "conv2d",
        "y += wg[:, :, :, r, s] @ pixels(padded, tap)",
        "y += wg[:, :, :, -1 - r, s] @ pixels(padded, tap)",
        "the kernel is not flipped: tap (r, s) meets the pixel r rows down",
    ),
    Fault(
        "conv2d: dx overwrites instead of adding",
        "conv2d",
        "conv2d",
        "dpadded[tap] += xp.reshape",
        "dpadded[tap] = xp.reshape",
        "a pixel lies under many windows: their gradients add up",
    ),
    Fault(
        "conv2d: dw of the last image only",
        "conv2d",
        "conv2d",
        "xp.sum(dtap, axis=0)",
        "dtap[-1, ...]",
        "one kernel serves every image of the batch: sum over N",
    ),
    Fault(
        "conv2d: db as a mean",
        "conv2d",
        "conv2d",
        "else channel_sum(dy)",
        "else channel_sum(dy) / dy.shape[0]",
        "one b[k] feeds every pixel of every image: its gradient is their sum, not their mean",
    ),
    Fault(
        "conv2d: db as a mean over all pixels",
        "conv2d",
        "conv2d",
        "else channel_sum(dy)",
        "else channel_sum(dy) * (dy.shape[1] / max(dy.size, 1))",
        "one b[k] feeds every pixel of every image: its gradient is their sum, not their mean",
    ),
    Fault(
        "conv2d_rows: rows shifted by one",
        "conv2d",
        "kernels/conv2d_rows",
        "row_shift = [down * r - top for r in range(kr)]",
        "row_shift = [down * r - top + (top == 0 and r > 0) for r in range(kr)]",
        "kernel row r lies d r - p rows below the output row",
    ),
    Fault(
        "conv2d_rows: dw keeps the last image",
        "conv2d",
        "kernels/conv2d_rows",
        "dw[r] += dy_met",
        "dw[r] = dy_met",
        "one kernel serves every image of the batch: sum over N",
    ),
    Fault(
        "conv2d_rows: dx off by a factor of 1.00001",
        "conv2d",
        "kernels/conv2d_rows",
        "dimage[:, x_rows] += parts[r][:, y_rows]",
        "dimage[:, x_rows] += parts[r][:, y_rows] * x.dtype.type(1.00001)",
        "a factor crept in",
    ),
    Fault(
        "Conv2d: a gradient under the wrong name",
        "Conv2d",
        "conv2d",
        "return dx, dict(zip(names, grads, strict=False))",
        "return dx, dict(zip(names, grads[::-1] if len(names) > 1 else grads, strict=False))",
        "grads come in the order of the inputs: weight, then bias",
    ),
    # -- batch normalisation --------------------------------------------------------------------
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
        "var = channel_dot(centred, centred) / m  # (2)",
        "var = channel_dot(centred, centred) / max(m - 1, 1)  # (2)",
        "the batch is divided by m; only the running variance is unbiased",
    ),
    Fault(
        "batch_norm: variance as E[x²] - mean²",
        "batch_norm",
        "batch_norm",
        "var = channel_dot(centred, centred) / m  # (2)",
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
        "dx = centred * per_channel(-(r * dw / m))",
        "dx = xp.zeros_like(centred)",
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
    # -- activations ----------------------------------------------------------------------------
    Fault(
        "relu: gradient at the kink",
        "relu",
        "relu",
        "xp.where(x <= 0, 0.0, dy)",
        "xp.where(x < 0, 0.0, dy)",
        "at x = 0 the convention is a gradient of 0",
    ),
    Fault(
        "relu: gradient of the output",
        "relu",
        "relu",
        "xp.where(x <= 0, 0.0, dy)",
        "xp.where(dy <= 0, 0.0, dy)",
        "what decides is the sign of x, not that of dy",
    ),
    Fault(
        "leaky_relu: slope on the wrong side",
        "leaky_relu",
        "leaky_relu",
        "xp.astype(x > 0, x.dtype)",
        "xp.astype(x < 0, x.dtype)",
        "the slope belongs to x <= 0",
    ),
    Fault(
        "leaky_relu: no leak backward",
        "leaky_relu",
        "leaky_relu",
        "return dy * xp.maximum(xp.astype(x > 0, x.dtype), slope)",
        "return dy * xp.astype(x > 0, x.dtype)",
        "what leaks forward leaks backward: slope dy where x <= 0",
    ),
    Fault(
        "sigmoid: 1 - s forgotten",
        "sigmoid",
        "sigmoid",
        "return ds * s * (1.0 - s)",
        "return ds * s",
        "the slope of the sigmoid is s (1 - s), not s",
    ),
    Fault(
        "sigmoid: by tanh, which loses small gates",
        "sigmoid",
        "sigmoid",
        "s = xp.where(a >= 0, 1.0, e) / (1.0 + e)",
        "s = 0.5 + 0.5 * xp.tanh(0.5 * a)",
        "0.5 + 0.5 tanh(a / 2) cancels where s is small",
    ),
    # -- gate -----------------------------------------------------------------------------------
    Fault(
        "sigmoid_gate: mean for sum",
        "sigmoid_gate",
        "sigmoid_gate",
        "ds = unbroadcast(dy * x, s.shape)",
        "ds = unbroadcast(dy * x, s.shape) * (s.size / x.size if x.size else 1.0)",
        "this is what comes out when the gradients of a repeated gate are averaged: "
        "one s feeds many y, and their gradients add up",
    ),
    Fault(
        "sigmoid_gate: gradient of a repeated gate not summed",
        "sigmoid_gate",
        "sigmoid_gate",
        "return dx, sigmoid_back(ds)",
        "return dx, dy * x * s * (1.0 - s)",
        "this is what comes out when the gradient of a broadcast gate is not summed: "
        "da must have the shape of a",
    ),
    Fault(
        "sigmoid_gate: 1 - s forgotten",
        "sigmoid_gate",
        "sigmoid_gate",
        "return dx, sigmoid_back(ds)",
        "return dx, ds * s",
        "ds/da is s (1 - s): the factor 1 - s is missing",
    ),
    Fault(
        "sigmoid_gate: gradient at the logit is that of the gate",
        "sigmoid_gate",
        "sigmoid_gate",
        "return dx, sigmoid_back(ds)",
        "return dx, ds",
        "this is ds; the sigmoid still lies between s and a",
    ),
    Fault(
        "sigmoid_gate: residual added",
        "sigmoid_gate",
        "sigmoid_gate",
        "y = x * s  # (2)",
        "y = x + x * s  # (2)",
        "this gate multiplies and adds nothing; with a residual, dx would be dy (1 + s)",
    ),
    Fault(
        "sigmoid_gate: residual added backward",
        "sigmoid_gate",
        "sigmoid_gate",
        "dx = dy * s",
        "dx = dy * (1.0 + s)",
        "dy (1 + s) belongs to y = x + x s; here there is no residual, so dx = dy s",
    ),
    Fault(
        "sigmoid_gate: dx not gated",
        "sigmoid_gate",
        "sigmoid_gate",
        "dx = dy * s",
        "dx = dy",
        "y = x s, so dy reaches x through the gate: dx = dy s",
    ),
    # -- pooling and channel statistics ---------------------------------------------------------
    Fault(
        "global_avg_pool: 1/HW forgotten backward",
        "global_avg_pool",
        "global_avg_pool",
        "xp.broadcast_to(dz / (h * w), shape)",
        "xp.broadcast_to(dz, shape)",
        "each pixel had a share of 1 / HW in the mean, so it receives that share of dz",
    ),
    Fault(
        "global_avg_pool: divided by H only",
        "global_avg_pool",
        "global_avg_pool",
        "position_sum(x) / (h * w)",
        "position_sum(x) / h",
        "a mean over all positions divides by H W",
    ),
    Fault(
        "channel_mean: sum for mean",
        "channel_mean",
        "channel_stats",
        "xp.broadcast_to(dy / c, shape)",
        "xp.broadcast_to(dy, shape)",
        "each channel had a share of 1 / C in the mean, so it receives that share of dy",
    ),
    Fault(
        "channel_max: ties share",
        "channel_max",
        "channel_stats",
        "return xp.where(channels == winner, dy, 0.0)",
        "won = xp.astype(x == y, x.dtype); return dy * won / xp.sum(won, axis=1, keepdims=True)",
        "where channels tie, the first alone receives the gradient (torch.amax would share it)",
    ),
    Fault(
        "max_pool2d: last of equals",
        "max_pool2d",
        "max_pool2d",
        "(candidate > best)",
        "(candidate >= best)",
        "where values tie, the first of the window wins",
    ),
    Fault(
        "max_pool2d: overlapping windows overwrite",
        "max_pool2d",
        "max_pool2d",
        "dpadded[tap] += xp.where",
        "dpadded[tap] = xp.where",
        "one x may win several windows: their gradients add up",
    ),
    Fault(
        "max_pool2d: padding with zeros",
        "max_pool2d",
        "max_pool2d",
        'padded = pad(x, window.padding, -float("inf"))',
        "padded = pad(x, window.padding)",
        "padding never wins: it is -inf, not 0",
    ),
    # -- resizing -------------------------------------------------------------------------------
    Fault(
        "resize_bilinear: corners aligned",
        "resize_bilinear",
        "resize",
        "(i + 0.5) * (size / out) - 0.5",
        "i * ((size - 1) / max(out - 1, 1))",
        "pixel centres lie half a pixel in (align_corners=False)",
    ),
    Fault(
        "resize_nearest: mean for sum",
        "resize_nearest",
        "resize",
        "return xp.matrix_transpose(a) @ dy @ b",
        "return xp.matrix_transpose(a) @ dy @ b * (a.shape[1] / a.shape[0])",
        "one pixel repeated several times collects the sum of its gradients",
    ),
    # -- loss -----------------------------------------------------------------------------------
    Fault(
        "cross_entropy: class weights not in the denominator",
        "cross_entropy",
        "cross_entropy",
        "total = xp.sum(q)",
        "total = xp.sum(xp.astype(hot, a.dtype))",
        "the mean is weighted: divide by the sum of the weights, not by the number of pixels",
    ),
    Fault(
        "cross_entropy: ignored pixels get a gradient",
        "cross_entropy",
        "cross_entropy",
        "e / z * xp.sum(q, axis=1, keepdims=True) - q",
        "e / z - q",
        "an ignored pixel has no loss, so softmax minus one-hot must be 0 there",
    ),
    Fault(
        "cross_entropy: an ignored class still counts",
        "cross_entropy",
        "cross_entropy",
        "(labels == classes) & (labels != ignore_index)",
        "labels == classes",
        "ignore_index may be the number of a class, and then that class is left out",
    ),
    # -- composites -----------------------------------------------------------------------------
    Fault(
        "ConvBNAct: activation forgotten backward",
        "ConvBNAct",
        "conv_bn_act",
        "dv = act_back(dy)",
        "dv = dy",
        "a backward reads its forward upwards, every line of it",
    ),
    Fault(
        "PaperAttentionRefinement: context path lost",
        "PaperAttentionRefinement",
        "attention_refinement",
        "return dx + dx_pooled, grads",
        "return dx, grads",
        "x is used twice, by the gate and by the pool: both gradients belong to it",
    ),
    Fault(
        "AttentionRefinementModule: context path lost",
        "AttentionRefinementModule",
        "attention_refinement",
        "df = df + df_pooled  # f is used twice",
        "df = df + 0 * df_pooled  # f is used twice",
        "f is used twice, by the gate and by the pool: both gradients belong to it",
    ),
    Fault(
        "AttentionRefinementModule: gate upside down",
        "AttentionRefinementModule",
        "attention_refinement",
        "y, gate_back = sigmoid_gate(f, a)  # (3)",
        "y, gate_back = sigmoid_gate(f, -a)  # (3)",
        "the gate opens where the logit is positive",
    ),
    Fault(
        "ToyNet: layers read forwards again",
        "ToyNet",
        "toy_net",
        "return dh, join(**{name: grads[name] for name in layers})",
        "return dh, join(**grads)",
        "gradients are handed over in the order of the parameters",
    ),
]
