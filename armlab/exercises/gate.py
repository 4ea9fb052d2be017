"""Chapter 4: the sigmoid gate, ARM by hand, and the batch that it needs."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle
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


def usable_batches(images: int, batch_size: int) -> tuple[int, int]:
    """Batches of an epoch that batch normalisation behind a pool can take, and images left out."""
    full, rest = divmod(images, batch_size)
    return full + (rest > 1), int(rest == 1)


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
