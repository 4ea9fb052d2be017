"""Of chapter 4."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.arrays import unbroadcast
from armlab.exercises.mistakes.given import POSITIONS, Mistakes, Steps, over


def gate(dy: Any, x: Any, s: Any, dx: Any = None, ds: Any = None) -> Any:
    ds = unbroadcast(dy * x, s.shape) if ds is None else ds
    return dy * s if dx is None else dx, ds * s * (1 - s)


def with_ds(dy: Any, x: Any, s: Any) -> dict[str, Any]:
    ds = unbroadcast(dy * x, s.shape)
    return {
        "ds": ds,
        "x s, the forward": x * s,
        "dy x": dy * x,
        "Σ dy x²": unbroadcast(dy * x * x, s.shape),
        "ds + s (1 − s)": ds + s * (1 - s),
    }


def branch(dy: Any, gate_back: Any, logits_back: Any) -> Any:
    dx, da = gate_back(dy)
    return dx, da, logits_back(da)[0]


def two_ways(dy: Any, gate_back: Any, logits_back: Any) -> dict[str, Any]:
    dx, da, pooled = branch(dy, gate_back, logits_back)
    return {"the gate's gradient of x": dx, "the branch's gradient of x": pooled, "da": da}


OF_THE_GATE = {
    "the slope s (1 − s) lies between s and a: it is no part of dx = dy s": (
        lambda dy, x, s: gate(dy, x, s, dx=dy * s * (1 - s))
    ),
    "y = x s, so dx = dy s: this is dy x, which belongs to s": (
        lambda dy, x, s: gate(dy, x, s, dx=dy * x)
    ),
    "dx has the gradient from above in it: dx = dy s, not x s": (
        lambda dy, x, s: gate(dy, x, s, dx=x * s)
    ),
    "ds sums dy x, and dy is not in this: what reaches s comes from above": (
        lambda dy, x, s: gate(dy, x, s, ds=unbroadcast(x, s.shape))
    ),
    "ds sums dy x, and x is not in this: a pixel moves y by as much as it is large": (
        lambda dy, x, s: gate(dy, x, s, ds=unbroadcast(dy, s.shape))
    ),
    "a gate is shared by positions of one channel: channels have their own, and stay apart": (
        lambda dy, x, s: gate(dy, x, s, ds=over(1, dy * x))
    ),
    "each image has its own gates: nothing is summed over N": (
        lambda dy, x, s: gate(dy, x, s, ds=over((0, 2, 3), dy * x) + 0 * s)
    ),
}
MISTAKES: Mistakes = {
    "sigmoid": {
        "exp(−a) overflows where a is very negative: take exp of −|a|, which is at most 1": (
            lambda a: 1 / (1 + np.exp(-a))
        ),
        "exp(a) overflows where a is large: take exp of −|a|, which is at most 1": (
            lambda a: np.exp(a) / (1 + np.exp(a))
        ),
        "this is the slope s (1 − s), not s": lambda a: (
            1 / (2 + np.exp(np.minimum(a, 700)) + np.exp(np.minimum(-a, 700)))
        ),
        "tanh runs from −1 to 1: the sigmoid is (1 + tanh(a / 2)) / 2": lambda a: np.tanh(a),
        "(1 + tanh(a)) / 2 is the sigmoid of 2 a: halve a first": lambda a: (1 + np.tanh(a)) / 2,
        "σ(−a) is 1 − σ(a): with exp(−|a|) alone both signs give the value of |a|": (
            lambda a: 1 / (1 + np.exp(-np.abs(a)))
        ),
        "there is no exponential in this: s = 1 / (1 + exp(−a))": lambda a: 1 / (1 + np.abs(a)),
        "a softmax shares 1 among all elements: a sigmoid looks at each alone": (
            lambda a: np.exp(a - a.max()) / np.exp(a - a.max()).sum()
        ),
        "the numerator alone: divide by 1 + exp(−|a|)": (
            lambda a: np.where(a >= 0, 1.0, np.exp(-np.abs(a)))
        ),
        **{
            f"clipping a at ±{most} keeps exp from overflowing and changes what lies beyond": (
                lambda a, most=most: 1 / (1 + np.exp(-np.clip(a, -most, most)))
            )
            for most in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 88, 100)
        },
    },
    "sigmoid_gate_backward": {
        "this sums over positions, whatever s was repeated along: sum to the shape of s": (
            lambda dy, x, s: gate(dy, x, s, ds=over(POSITIONS, dy * x))
        ),
        "this sums over channels, whatever s was repeated along: sum to the shape of s": (
            lambda dy, x, s: gate(dy, x, s, ds=over(1, dy * x))
        ),
        **OF_THE_GATE,
    },
    "channel_gate_backward": OF_THE_GATE,
    "paper_arm_backward": {
        "logits_back wants da, which gate_back returns beside dx: dy was not through the gate": (
            lambda dy, gate_back, logits_back: (
                gate_back(dy)[0] + logits_back(dy.mean(axis=POSITIONS, keepdims=True))[0]
            )
        ),
        "logits_back wants da, which gate_back returns beside dx, and this summed dy": (
            lambda dy, gate_back, logits_back: (
                gate_back(dy)[0] + logits_back(over(POSITIONS, dy))[0]
            )
        ),
        "x is used twice: its gradients add up, and are not multiplied": (
            lambda dy, gate_back, logits_back: np.multiply(*branch(dy, gate_back, logits_back)[::2])
        ),
    },
    "usable_batches": {
        "where no image is left over, there is no batch more": lambda images, batch_size: (
            images // batch_size + 1,
            int(images % batch_size == 1),
        ),
        "only a rest of one image is left out: two images or more are a batch": (
            lambda images, batch_size: (
                images // batch_size + (images % batch_size > 1),
                images % batch_size,
            )
        ),
    },
}
STEPS: Steps = {
    "sigmoid_gate_backward": with_ds,
    "channel_gate_backward": with_ds,
    "paper_arm_backward": two_ways,
}
