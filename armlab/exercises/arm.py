"""Chapter 5: ARM in its versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.batch_norm import normalised
from armlab.exercises.evening import InOneFunction
from armlab.exercises.exercise import Arguments, Asked, Exercise
from armlab.hand.attention_refinement import attention_logits


def _arm(e: Example) -> tuple[np.ndarray, hand.AttentionRefinementModule]:
    """The input and the module of an example, in float64."""
    assert e.state is not None
    arm = hand.AttentionRefinementModule(**e.options, dtype="float64", rng=0)
    return np.asarray(e.inputs["x"]), arm.load_state_dict(e.state).train(e.training)


def layers_of_arm(e: Example) -> Arguments:
    """The three layers of ARM, each as a function of its input alone."""
    x, arm = _arm(e)

    def alone(layer: hand.Module) -> Callable[[Any], Any]:
        return lambda value: layer(value)[0]

    return {"x": x} | {name: alone(layer) for name, layer in arm.children().items()}


def backwards_of_arm(e: Example) -> Arguments:
    """The three backwards that ARM's forward keeps, and the gradient that reaches them."""
    x, arm = _arm(e)
    f, conv_back = arm.conv(x)
    a, logits_back = attention_logits(f, arm.conv_atten, arm.bn_atten)
    _, gate_back = hand.sigmoid_gate(f, a)
    return {"dy": e.dy, "gate_back": gate_back, "logits_back": logits_back, "conv_back": conv_back}


def kept_by_unit(e: Example) -> Arguments:
    """What batch normalisation and LeakyReLU keep between a 3×3 and ARM's pool."""
    kept = normalised(e)
    scale, shift = (np.asarray(e.inputs[name])[:, np.newaxis, np.newaxis] for name in ("w", "b"))
    p = scale * kept["x_hat"] + shift
    return {"df": e.dy, "p": p, "q_hat": kept["x_hat"], "w": kept["w"], "rho": kept["r"]}


EXERCISES: dict[str, Asked] = {
    "arm_forward": Exercise(
        "arm_forward(x, conv, conv_atten, bn_atten) -> y",
        "AttentionRefinementModule",
        ("y",),
        layers_of_arm,
    ),
    "unit_backward": InOneFunction(
        "unit_backward(df, p, q_hat, w, rho) -> dq, dw, db",
        "batch_norm_activated",
        ("dx", "dw", "db"),
        kept_by_unit,
        lambda e: e.options["activation"] == "leaky_relu",
        letters={"dx": ("dq", 4), "dw": ("dw", 1), "db": ("db", 1)},
    ),
    "arm_backward": Exercise(
        "arm_backward(dy, gate_back, logits_back, conv_back) -> dx",
        "AttentionRefinementModule",
        ("dx",),
        backwards_of_arm,
    ),
}
