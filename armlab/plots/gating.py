"""What an attention module did to its input: features, statistics, gate and gated features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from armlab import hand
from armlab.arrays import Array, to_host
from armlab.watch import Call, watched

STATISTICS = {  # the functions that pool, and over what
    "global_avg_pool": ("mean", "the positions"),
    "global_max_pool": ("max", "the positions"),
    "channel_mean": ("mean", "the channels"),
    "channel_max": ("max", "the channels"),
}
STRIPS = {3: "each row", 2: "each column"}  # of strip_mean, by its axis


@dataclass(frozen=True)
class Statistic:
    """What one call pooled: "mean" or "max", over what, and the values, on the host."""

    word: str
    over: str
    values: np.ndarray


@dataclass(frozen=True)
class Gating:
    """One gate at work, on the host.

    features, gated  (N, C, H, W)
    statistics       what was pooled since the last gate, in the order of the calls
    gate             broadcasts to the features
    """

    features: np.ndarray
    statistics: list[Statistic]
    gate: np.ndarray
    gated: np.ndarray


def gatings(module: hand.Module, *inputs: Array) -> list[Gating]:
    """Each gate of the module at work on these inputs, in order.

    Looks at a copy, so that the running statistics of the module stay as they are. Raises
    TypeError for what is no module by hand, and ValueError where nothing is gated.
    """
    if not isinstance(module, hand.Module):
        raise TypeError(
            f"expected a module of armlab.hand, got {type(module).__module__}."
            f"{type(module).__qualname__}: build the one by hand and load its state_dict"
        )
    look = module.copy()
    with watched(look) as calls:
        look(*inputs)
    found: list[Gating] = []
    pooled: list[Statistic] = []
    for call in calls:
        pooled += _pooled(call)
        if call.name == "sigmoid_gate":
            x, s, y = call.inputs["x"], hand.sigmoid(call.inputs["a"])[0], call.values["y"]
            found.append(Gating(to_host(x), pooled, to_host(s), to_host(y)))
            pooled = []
    if not found:
        raise ValueError(f"{type(module).__name__} gates nothing: choose a module with attention")
    return found


def _pooled(call: Call) -> list[Statistic]:
    """The statistic of a call that pools; nothing of another."""
    if call.name == "strip_mean":
        return [Statistic("mean", STRIPS[call.options["axis"]], to_host(call.values["y"]))]
    if call.name not in STATISTICS:
        return []
    return [Statistic(*STATISTICS[call.name], to_host(call.values["y"]))]
