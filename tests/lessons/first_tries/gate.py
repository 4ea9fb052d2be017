"""Of chapter 4."""

from typing import Any

import numpy as np

from armlab.arrays import unbroadcast
from first_tries.answer import Tries


def gate(dy: Any, x: Any, s: Any, ds: Any = None, slope: Any = None) -> Any:
    """Right, or with another ds or slope."""
    ds = unbroadcast(dy * x, s.shape) if ds is None else ds
    return dy * s, ds * (s * (1 - s) if slope is None else slope)


def summed(dy: Any, x: Any, s: Any, axes: Any) -> Any:
    return (dy * x).sum(axis=axes, keepdims=True)


TRIES: Tries = {
    "sigmoid": {
        "the plain formula": lambda a: 1 / (1 + np.exp(-a)),
        "the other plain formula": lambda a: np.exp(a) / (1 + np.exp(a)),
        "the sign": lambda a: 1 / (1 + np.exp(np.minimum(a, 700))),
        "its slope": lambda a: 1 / (4 * np.cosh(np.clip(a, -300, 300) / 2) ** 2),
        "tanh": lambda a: np.tanh(a),
        "tanh of a": lambda a: (1 + np.tanh(a)) / 2,
        "clipped": lambda a: 1 / (1 + np.exp(-np.clip(a, -4, 4))),
        "no exponential": lambda a: 1 / (1 + np.abs(a)),
        "both signs alike": lambda a: 1 / (1 + np.exp(-np.abs(a))),
        "softmax": lambda a: np.exp(a - a.max()) / np.exp(a - a.max()).sum(),
        "the exponent forgotten": lambda a: np.where(a >= 0, 1.0, np.exp(-np.abs(a))),
    },
    "sigmoid_gate_backward": {
        "no slope": lambda dy, x, s: gate(dy, x, s, slope=1),
        "the slope is s": lambda dy, x, s: gate(dy, x, s, slope=s),
        "the slope is 1 - s": lambda dy, x, s: gate(dy, x, s, slope=1 - s),
        "positions, whatever was repeated": lambda dy, x, s: gate(
            dy, x, s, ds=summed(dy, x, s, (2, 3))
        ),
        "channels, whatever was repeated": lambda dy, x, s: gate(dy, x, s, ds=summed(dy, x, s, 1)),
        "no sum": lambda dy, x, s: gate(dy, x, s, ds=dy * x),
        "a mean": lambda dy, x, s: gate(
            dy, x, s, ds=unbroadcast(dy * x, s.shape) * (s.size / x.size)
        ),
        "x is forgotten": lambda dy, x, s: gate(dy, x, s, ds=unbroadcast(dy, s.shape)),
        "dy is forgotten": lambda dy, x, s: gate(dy, x, s, ds=unbroadcast(x, s.shape)),
        "y for x": lambda dy, x, s: gate(dy, x, s, ds=unbroadcast(dy * x * s, s.shape)),
        "dx is dy": lambda dy, x, s: (dy, gate(dy, x, s)[1]),
        "dx is dy x": lambda dy, x, s: (dy * x, gate(dy, x, s)[1]),
        "dx with the slope": lambda dy, x, s: (dy * s * (1 - s), gate(dy, x, s)[1]),
        "the two changed places": lambda dy, x, s: gate(dy, x, s)[::-1],
        "s + (1 - s)": lambda dy, x, s: gate(dy, x, s, slope=s + (1 - s)),
        "the other sign": lambda dy, x, s: gate(dy, x, s, slope=s * (s - 1)),
    },
    "paper_arm_backward": {
        "the gate alone": lambda dy, gate_back, logits_back: gate_back(dy)[0],
        "the branch alone": lambda dy, gate_back, logits_back: logits_back(gate_back(dy)[1])[0],
        "twice the gate": lambda dy, gate_back, logits_back: 2 * gate_back(dy)[0],
        "a product": lambda dy, gate_back, logits_back: (
            gate_back(dy)[0] * logits_back(gate_back(dy)[1])[0]
        ),
        "dy into the branch": lambda dy, gate_back, logits_back: (
            gate_back(dy)[0] + logits_back(dy.mean(axis=(2, 3), keepdims=True))[0]
        ),
        "a difference": lambda dy, gate_back, logits_back: (
            gate_back(dy)[0] - logits_back(gate_back(dy)[1])[0]
        ),
        "dy as well": lambda dy, gate_back, logits_back: (
            dy + gate_back(dy)[0] + logits_back(gate_back(dy)[1])[0]
        ),
        "dy in place of the gate": lambda dy, gate_back, logits_back: (
            dy + logits_back(gate_back(dy)[1])[0]
        ),
        "the pair is returned": lambda dy, gate_back, logits_back: gate_back(dy),
        "a half": lambda dy, gate_back, logits_back: (
            (gate_back(dy)[0] + logits_back(gate_back(dy)[1])[0]) / 2
        ),
    },
    "usable_batches": {
        "full ones": lambda images, batch_size: (images // batch_size, images % batch_size),
        "all": lambda images, batch_size: (-(-images // batch_size), 0),
        "the rest is left out": lambda images, batch_size: (
            images // batch_size + (images % batch_size > 1),
            images % batch_size,
        ),
        "a fraction": lambda images, batch_size: (images / batch_size, 0),
        "one more": lambda images, batch_size: (
            images // batch_size + 1,
            int(images % batch_size == 1),
        ),
        "exchanged": lambda images, batch_size: (
            int(images % batch_size == 1),
            images // batch_size + (images % batch_size > 1),
        ),
    },
}
