"""Lesson 4: the sigmoid gate."""

from __future__ import annotations

import numpy as np

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise
from armlab.hand.attention_refinement import attention_logits


def two_ways_back(e: Example) -> Arguments:
    """The two backwards inside the paper's ARM, and the gradient that reaches both."""
    assert e.state is not None
    x = np.asarray(e.inputs["x"])
    arm = hand.PaperAttentionRefinement(x.shape[1], dtype="float64", rng=0)
    arm.load_state_dict(e.state).train(e.training)
    a, logits_back = attention_logits(x, arm.conv_atten, arm.bn_atten)
    _, gate_back = hand.sigmoid_gate(x, a)
    return {"dy": e.dy, "gate_back": gate_back, "logits_back": logits_back}


EXERCISES: dict[str, Asked] = {
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
        two_ways_back,
    ),
}
