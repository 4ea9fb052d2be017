"""The lesson "ARM in one evening": the gate, and the module with a bias in the place of its BN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Answer, Arguments, Asked, Exercise, Expected

Gradients = Callable[..., Answer]


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

    def _by_hand(self, e: Example) -> Answer:
        found = zip(self.results, super()._by_hand(e), strict=True)
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


def arm_backward(
    dy: np.ndarray, x: np.ndarray, W: np.ndarray, z: np.ndarray, s: np.ndarray,
    *, pool: float | None = None, slope: bool = True, turned: bool = False,
) -> Answer:  # fmt: skip
    """The gradients of y = x σ(W z + b) with z the means of x, or those of a known mistake.

    pool    the share of a pixel in the mean, if it is not 1 / HW
    slope   whether the sigmoid's s (1 − s) is there
    turned  whether W is taken for its transpose on the way back
    """
    ds = np.sum(dy * x, axis=(2, 3), keepdims=True)
    da = (ds * s * (1 - s) if slope else ds)[:, :, 0, 0]
    dz = da @ (W.T if turned else W)
    share = 1 / (x.shape[2] * x.shape[3]) if pool is None else pool
    return dy * s + share * dz[:, :, np.newaxis, np.newaxis], da.T @ z, da.sum(axis=0)


def _with(**mistake: Any) -> Gradients:
    return partial(arm_backward, **mistake)


def _other_dW(change: Callable[[np.ndarray], np.ndarray]) -> Gradients:
    def wrong(**given: Any) -> Answer:
        dx, dW, db = arm_backward(**given)
        return dx, change(dW), db

    return wrong


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
        wrong={
            "x is used twice: the gradient through the pool is missing in dx": _with(pool=0.0),
            "each pixel has a share of 1 / HW in the mean, and dx gets all of dz": _with(pool=1.0),
            "da = ds s (1 − s): the slope of the sigmoid is missing": _with(slope=False),
            "dz = da W: z[c] is multiplied by the column c of W, and this took a row": _with(
                turned=True
            ),
            "dW[k, c] = Σ da[k] z[c]: this is its transpose": _other_dW(np.transpose),
        },
    ),
}
