"""Chapter 7: spatial attention."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise
from armlab.hand.channel_stats import stack_statistics


def _listed_sar(e: Example) -> tuple[np.ndarray, hand.ListedSAR]:
    """The input and the module of an example, in float64."""
    assert e.state is not None
    sar = hand.ListedSAR(**e.options, dtype="float64", rng=0)
    return np.asarray(e.inputs["x"]), sar.load_state_dict(e.state).train(e.training)


def layers_of_sar(e: Example) -> Arguments:
    """The three layers of SAR, each as a function of its input alone."""
    x, sar = _listed_sar(e)

    def alone(layer: hand.Module) -> Callable[[Any], Any]:
        return lambda value: layer(value)[0]

    names = ("conv_reduce", "conv_atten", "bn_atten")
    return {"x": x} | {name: alone(getattr(sar, name)) for name in names}


def around_the_statistics(e: Example) -> Arguments:
    """The backwards of SAR behind its statistics and before them, and what the statistics saw."""
    x, sar = _listed_sar(e)
    r, below = sar.conv_reduce(x)
    m, _ = stack_statistics(r, hand.channel_mean, hand.channel_max)
    u, conv_back = sar.conv_atten(m)
    a, bn_back = sar.bn_atten(u)
    _, gate_back = hand.sigmoid_gate(x, a)

    def above(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dx, da = gate_back(dy)
        du, _ = bn_back(da)
        dm, _ = conv_back(du)
        return dx, dm

    return {"dy": e.dy, "above": above, "r": r, "below": lambda dr: below(dr)[0]}


def with_ties(e: Example) -> Example:
    """The same where reduced channels are equal in pairs, by another weighted sum of equal inputs.

    Small integers and kept statistics: no sum rounds, so they are equal to the last bit.
    """
    assert e.state is not None
    x = np.rint(2 * np.asarray(e.inputs["x"]))
    first, other = (np.arange(x.shape[1]) // 2 * 2, np.arange(x.shape[1]) ^ 1)
    state = dict(e.state)
    for key in (key for key, a in state.items() if key.startswith("conv_reduce.") and a.ndim):
        state[key] = state[key][np.arange(len(state[key])) // 2 * 2]
    w = np.rint(2 * state["conv_reduce.conv.weight"])
    w[1::2] = w[1::2, np.minimum(other, x.shape[1] - 1)]
    state["conv_reduce.conv.weight"] = w
    return replace(e, inputs={"x": x[:, first]}, state=state, training=False)


def published_backward(e: Example) -> Arguments:
    """The backward of the module that the article publishes, which drops the residual."""
    assert e.state is not None
    x = np.asarray(e.inputs["x"])
    module = hand.Attentionout(x.shape[1], dtype="float64", rng=0)
    _, published_back = module.load_state_dict(e.state).train(e.training)(x)
    return {"dy": e.dy, "published_back": published_back}


EXERCISES: dict[str, Asked] = {
    "listed_sar": Exercise(
        "listed_sar(x, conv_reduce, conv_atten, bn_atten) -> y",
        "ListedSAR",
        ("y",),
        layers_of_sar,
    ),
    "listed_sar_backward": Exercise(
        "listed_sar_backward(dy, above, r, below) -> dx",
        "ListedSAR",
        ("dx",),
        around_the_statistics,
        tied=with_ties,
    ),
    "residual_attentionout_backward": Exercise(
        "residual_attentionout_backward(dy, published_back) -> dx",
        "ResidualAttentionout",
        ("dx",),
        published_backward,
    ),
}
