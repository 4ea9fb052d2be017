"""The lesson "ARM in one evening": the gate, and the module with a bias in the place of its BN."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Answer, Arguments, Asked, Exercise, Expected


@dataclass(frozen=True)
class InOneFunction(Exercise):
    """A module as one function of its weights, each with the shape that its equation gives it.

    letters  of each result of the case the name that the reader knows, and its number of axes
    """

    letters: dict[str, tuple[str, int]] = field(default_factory=dict)

    def names(self) -> list[str]:
        return [self.letters[result][0] for result in self.results]

    def expected(self, e: Example) -> Expected:
        found = zip(self.results, super().expected(e), strict=True)
        return [(self._shaped(r, want), self._shaped(r, limit)) for r, (want, limit) in found]

    def by_hand(self, e: Example) -> Answer:
        found = zip(self.results, super().by_hand(e), strict=True)
        return tuple(self._shaped(result, a) for result, a in found)

    def _shaped(self, result: str, a: np.ndarray) -> np.ndarray:
        return a.reshape(a.shape[: self.letters[result][1]])


def kept_by_arm(e: Example) -> Arguments:
    """What a forward without batch normalisation keeps: its input, its matrix, means and gates."""
    assert e.state is not None
    x, W = np.asarray(e.inputs["x"]), e.state["fc.weight"][:, :, 0, 0]
    z = x.mean(axis=(2, 3))
    s, _ = hand.sigmoid(z @ W.T + e.state["fc.bias"])
    return {"dy": e.dy, "x": x, "W": W, "z": z, "s": s[:, :, np.newaxis, np.newaxis]}


def one_gate_per_channel(e: Example) -> bool:
    x, a = (np.asarray(e.inputs[name]) for name in ("x", "a"))
    return a.shape == (*x.shape[:2], 1, 1)


EXERCISES: dict[str, Asked] = {
    "channel_gate_backward": Exercise(
        "channel_gate_backward(dy, x, s) -> dx, da",
        "sigmoid_gate",
        ("dx", "da"),
        lambda e: {"dy": e.dy, "x": e.inputs["x"], "s": hand.sigmoid(e.inputs["a"])[0]},
        one_gate_per_channel,
    ),
    "arm_backward_in_numpy": InOneFunction(
        "arm_backward_in_numpy(dy, x, W, z, s) -> dx, dW, db",
        "EffectiveSE",
        ("dx", "fc.weight", "fc.bias"),
        kept_by_arm,
        letters={"dx": ("dx", 4), "fc.weight": ("dW", 2), "fc.bias": ("db", 1)},
    ),
}
