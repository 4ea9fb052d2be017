"""The fusions of PP-LiteSeg, with a gate for each position and for each channel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from armlab import hand
from armlab.check import plain
from armlab.check.case import Case
from armlab.check.example import Example
from armlab.check.fault import Fault
from armlab.check.modules import module_example
from armlab.check.record import Built, Gate, Shape, conv_bn_axes
from armlab.check.strategies import Source

Activation = Callable[[float], float]


def spatial(s: Source) -> Example:
    shapes = _high_and_low(s)
    return module_example(s, "UAFMSpatial", {}, shapes, shapes["low"])


def channel(s: Source) -> Example:
    shapes = _high_and_low(s)
    options = {"channels": shapes["low"][1], "reduction": s.pick(1, 2, 3)}
    return module_example(s, "UAFMChannel", options, shapes, shapes["low"])


def _high_and_low(s: Source) -> dict[str, Shape]:
    """Two maps of one batch and as many channels; the high one smaller, larger, or as large."""
    n, c, h, w = low = s.features((2, 3, 1, 1))
    high = (n, c, s.pick(h, 1, 2, 7), s.pick(w, 3, 1, 8))
    return {"high": high, "low": low}


def makes(module: hand.Module, gate: Any, high: Any, low: Any) -> Any:
    up, _ = hand.resize_bilinear(high, size=low.shape[2:])
    return low + (up - low) * gate


def fused(
    p: plain.Weights,
    training: bool,
    m: plain.Value,
    activation: Activation,
    up: plain.Value,
    low: plain.Value,
) -> plain.Value:
    """up s + low (1 - s), where s has one value for each position or for each channel."""
    u = plain.conv(m, p["conv_atten.0.conv.weight"])
    v = plain.each(activation, plain.batch_norm(u, p, "conv_atten.0.bn", training))
    a = plain.conv(v, p["conv_atten.1.conv.weight"])
    s = plain.each(plain.sigmoid, plain.batch_norm(a, p, "conv_atten.1.bn", training))
    return plain.shared_out(s, up, low)


def spatial_formula(
    p: plain.Weights, training: bool, high: plain.Value, low: plain.Value
) -> plain.Value:
    up = plain.bilinear(high, *plain.shape(low)[2:])
    m = [plain.over_channels(f, x) for x in (up, low) for f in (plain.mean, max)]
    return fused(p, training, plain.stacked(*m), plain.relu, up, low)


def channel_formula(
    p: plain.Weights, training: bool, high: plain.Value, low: plain.Value
) -> plain.Value:
    up = plain.bilinear(high, *plain.shape(low)[2:])
    m = [plain.over_positions(f, x) for x in (up, low) for f in (plain.mean, max)]
    return fused(p, training, plain.stacked(*m), plain.leaky_relu, up, low)


def _takes(channels: int) -> Any:
    """low of the size that is asked for, and high a little smaller."""
    return lambda h, w: [(channels, (h + 1) // 2, w - 1), (channels, h, w)]


CASES = [
    Case(
        "UAFMSpatial",
        spatial,
        built=Built({}, _takes(5), kinks="few", any_channels=True),
        gate=Gate(makes, biases=("conv_atten.1.bn.bias",)),
        formula=spatial_formula,
    ),
    Case(
        "UAFMChannel",
        channel,
        built=Built({"channels": 6, "reduction": 3}, _takes(6), kinks="few"),
        gate=Gate(
            makes,
            biases=("conv_atten.1.bn.bias",),
            pointwise=True,
            channels={"conv_atten.0.conv.weight": (1,)}
            | conv_bn_axes("conv_atten.1.conv", "conv_atten.1.bn"),
        ),
        formula=channel_formula,
    ),
]

FAULTS = [
    Fault(
        "UAFMSpatial: low keeps its whole gradient",
        "UAFMSpatial",
        "uafm",
        "UAFMSpatial.forward.backward",
        "return",
        "return dhigh, collect(dlow_kept, dlow_seen), grads",
        "low has the share 1 - s of y, so it receives that share of dy",
    ),
    Fault(
        "UAFMSpatial: shares swapped",
        "UAFMSpatial",
        "uafm",
        "UAFMSpatial.forward",
        "gated, gate_back",
        "gated, gate_back = sigmoid_gate(apart, -a)",
        "s is the share of the resized high map; in PaddleSeg it is that of the low one",
    ),
    Fault(
        "UAFMChannel: max first",
        "UAFMChannel",
        "uafm",
        "UAFMChannel._statistics",
        "(5)",
        "return stack_statistics(x, global_max_pool, global_avg_pool)",
        "the mean comes first, then the max",
    ),
]
