"""Lesson 5: ARM in its versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle
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


def arm_parameters(in_channels: int, out_channels: int) -> tuple[int, int]:
    """Trained numbers of the 3×3 with its BN, and of the attention branch."""
    c, k = in_channels, out_channels
    return 9 * c * k + 2 * k, k * k + 2 * k


def _counted(count: Callable[[int, int], tuple[int, int]]) -> Callable[[int, int], tuple[int, int]]:
    """The same with another count, from C and K."""
    return lambda in_channels, out_channels: count(in_channels, out_channels)


def usable_batches(images: int, batch_size: int) -> tuple[int, int]:
    """Batches of an epoch that batch normalisation behind a pool can take, and images left out."""
    full, rest = divmod(images, batch_size)
    return full + (rest > 1), int(rest == 1)


EXERCISES: dict[str, Asked] = {
    "arm_parameters": Puzzle(
        "arm_parameters(in_channels, out_channels) -> of_features, of_attention",
        st.fixed_dictionaries(
            {"in_channels": st.integers(1, 512), "out_channels": st.integers(1, 256)}
        ),
        arm_parameters,
        wrong={
            "batch normalisation trains a scale and a shift for each channel": _counted(
                lambda c, k: (9 * c * k, k * k)
            ),
            "the running mean and variance are kept, not trained: they are no parameters": _counted(
                lambda c, k: (9 * c * k + 4 * k, k * k + 4 * k)
            ),
            "a convolution before batch normalisation has no bias: BN's shift takes its place": (
                _counted(lambda c, k: (9 * c * k + 3 * k, k * k + 3 * k))
            ),
            "the attention branch sees f, which has out_channels: its 1×1 is square": _counted(
                lambda c, k: (9 * c * k + 2 * k, c * k + 2 * k)
            ),
        },
    ),
    "arm_forward": Exercise(
        "arm_forward(x, conv, conv_atten, bn_atten) -> y",
        "AttentionRefinementModule",
        ("y",),
        layers_of_arm,
    ),
    "arm_backward": Exercise(
        "arm_backward(dy, gate_back, logits_back, conv_back) -> dx",
        "AttentionRefinementModule",
        ("dx",),
        backwards_of_arm,
    ),
    "usable_batches": Puzzle(
        "usable_batches(images, batch_size) -> batches, left_out",
        st.fixed_dictionaries({"images": st.integers(0, 99), "batch_size": st.integers(2, 16)}),
        usable_batches,
        wrong={
            "the last batch may hold a single image, and BN of one value is refused": (
                lambda images, batch_size: (-(-images // batch_size), 0)
            ),
            "this is drop_last: it leaves out every incomplete batch, and two images would do": (
                lambda images, batch_size: divmod(images, batch_size)
            ),
        },
    ),
}
