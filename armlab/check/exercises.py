"""The exercises of the lessons: what the reader's function is given, and what it must return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from armlab import hand
from armlab.check import exercise_arguments as arguments_of
from armlab.check.example import Example


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
    arguments: Callable[[Example], dict[str, Any]]
    fits: Callable[[Example], bool] = lambda e: True


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
    "global_avg_pool": Exercise(
        "global_avg_pool(x) -> z",
        "global_avg_pool",
        ("y",),
        lambda e: {"x": e.inputs["x"]},
    ),
    "global_max_pool_backward": Exercise(
        "global_max_pool_backward(dz, x) -> dx",
        "global_max_pool",
        ("dx",),
        lambda e: {"dz": e.dy, "x": e.inputs["x"]},
    ),
    "max_pool2d_backward": Exercise(
        "max_pool2d_backward(dy, winner, shape) -> dx",
        "max_pool2d",
        ("dx",),
        arguments_of.winning_pixels,
    ),
    "channel_max_backward": Exercise(
        "channel_max_backward(dy, x) -> dx",
        "channel_max",
        ("dx",),
        lambda e: {"dy": e.dy, "x": e.inputs["x"]},
    ),
    "listed_sar": Exercise(
        "listed_sar(x, conv_reduce, conv_atten, bn_atten) -> y",
        "ListedSAR",
        ("y",),
        arguments_of.layers_of_sar,
    ),
    "listed_sar_backward": Exercise(
        "listed_sar_backward(dy, above, r, below) -> dx",
        "ListedSAR",
        ("dx",),
        arguments_of.around_the_statistics,
    ),
    "residual_attentionout_backward": Exercise(
        "residual_attentionout_backward(dy, published_back) -> dx",
        "ResidualAttentionout",
        ("dx",),
        arguments_of.published_backward,
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
        arguments_of.two_ways_back,
    ),
}
