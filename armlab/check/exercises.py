"""The exercises of the lessons: what the reader's function is given, and what it must return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from armlab import hand
from armlab.check.example import Example
from armlab.hand.attention_refinement import attention_logits

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Exercise:
    """A question of a lesson.

    call       how the reader's function is called, as text
    case       the case whose examples, bounds and faults it uses
    results    which results of the case it has to return, in their order
    arguments  what it is given, from an example
    fits       which examples it can be asked about
    """

    call: str
    case: str
    results: tuple[str, ...]
    arguments: Callable[[Example], Arguments]
    fits: Callable[[Example], bool] = lambda e: True


def _two_ways_back(e: Example) -> Arguments:
    """The two backwards inside the paper's ARM, and the gradient that reaches both."""
    assert e.state is not None
    x = np.asarray(e.inputs["x"])
    arm = hand.PaperAttentionRefinement(x.shape[1], dtype="float64", rng=0)
    arm.load_state_dict(e.state).train(e.training)
    a, logits_back = attention_logits(x, arm.conv_atten, arm.bn_atten)
    _, gate_back = hand.sigmoid_gate(x, a)
    return {"dy": e.dy, "gate_back": gate_back, "logits_back": logits_back}


EXERCISES = {
    "relu_backward": Exercise(
        "relu_backward(dy, x) -> dx",
        "relu",
        ("dx",),
        lambda e: {"dy": e.dy, "x": e.inputs["x"]},
    ),
    "bias_backward": Exercise(
        "bias_backward(dy) -> db",
        "conv2d",
        ("db",),
        lambda e: {"dy": e.dy},
        fits=lambda e: e.inputs["b"] is not None,
    ),
    "global_avg_pool_backward": Exercise(
        "global_avg_pool_backward(dz, shape) -> dx",
        "global_avg_pool",
        ("dx",),
        lambda e: {"dz": e.dy, "shape": np.asarray(e.inputs["x"]).shape},
    ),
    "sigmoid": Exercise(
        "sigmoid(a) -> s",
        "sigmoid",
        ("y",),
        lambda e: {"a": e.inputs["a"]},
    ),
    "sigmoid_gate_backward": Exercise(
        "sigmoid_gate_backward(dy, x, s) -> dx, da",
        "sigmoid_gate",
        ("dx", "da"),
        lambda e: {"dy": e.dy, "x": e.inputs["x"], "s": hand.sigmoid(e.inputs["a"])[0]},
    ),
    "paper_arm_backward": Exercise(
        "paper_arm_backward(dy, gate_back, logits_back) -> dx",
        "PaperAttentionRefinement",
        ("dx",),
        _two_ways_back,
    ),
}
