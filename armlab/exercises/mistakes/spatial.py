"""Of chapter 7."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import Mistakes, Steps, largest, sigma


def logits(x: Any, conv_reduce: Any, conv_atten: Any, bn_atten: Any, stacked: Any = None) -> Any:
    r = conv_reduce(x)
    both = [r.mean(axis=1, keepdims=True), r.max(axis=1, keepdims=True)]
    m = np.concatenate(stacked(*both) if stacked else both, axis=1)
    return r, bn_atten(conv_atten(m))


def ending(end: Any, stacked: Any = None) -> Any:
    """SAR with another last line, of (x, r, a), or of other statistics."""

    def forward(x: Any, **layers: Any) -> Any:
        return end(x, *logits(x, **layers, stacked=stacked))

    return forward


def gated(x: Any, r: Any, a: Any) -> Any:
    return x * sigma(a)


def forward_steps(x: Any, **layers: Any) -> dict[str, Any]:
    r, a = logits(x, **layers)
    return {"r": r, "a, the logits": a, "σ(a), the gate": sigma(a), "x (1 − σ(a))": x * sigma(-a)}


def of_mean(r: Any, dm: Any) -> Any:
    return dm[:, :1] / r.shape[1] + 0 * r


def of_max(r: Any, dm: Any, last: bool = False) -> Any:
    c = r.shape[1]
    won = c - 1 - r[:, ::-1].argmax(axis=1) if last else r.argmax(axis=1)
    return dm[:, 1:] * (np.arange(c).reshape(1, -1, 1, 1) == won[:, None])


def backward(dr: Any) -> Any:
    """SAR's backward with another dr, of (r, dm)."""

    def answer(dy: Any, above: Any, r: Any, below: Any) -> Any:
        dx, dm = above(dy)
        return dx + below(dr(r, dm))

    return answer


def backward_steps(dy: Any, above: Any, r: Any, below: Any) -> dict[str, Any]:
    dx, dm = above(dy)
    return {
        "the gate's gradient of x": dx,
        "below of the mean's part": below(of_mean(r, dm)),
        "below of the max's part": below(of_max(r, dm)),
        "below of both parts": below(of_mean(r, dm) + of_max(r, dm)),
        "the mean's part of dr": of_mean(r, dm),
        "the max's part of dr": of_max(r, dm),
    }


def published(dy: Any, published_back: Any) -> dict[str, Any]:
    once = published_back(dy)[0]
    return {
        "published_back(dy)": once,
        "published_back(published_back(dy))": published_back(once)[0],
    }


MISTAKES: Mistakes = {
    "listed_sar": {
        "the gate scales x: r is only what it is made from": (ending(lambda x, r, a: r * sigma(a))),
        "the logits scale x before they are a gate: σ is missing": ending(lambda x, r, a: x * a),
        "tanh runs from −1 to 1: the gate is a sigmoid": ending(lambda x, r, a: x * np.tanh(a)),
        "a ReLU before the sigmoid: no gate falls below 1/2": (
            ending(lambda x, r, a: x * sigma(np.maximum(a, 0)))
        ),
        "both statistics are the mean: the second is the max over channels": (
            ending(gated, lambda mean, most: [mean, mean])
        ),
        "both statistics are the max: the first is the mean over channels": (
            ending(gated, lambda mean, most: [most, most])
        ),
    },
    "listed_sar_backward": {
        "where channels tie, the first alone receives the gradient of the max": (
            backward(lambda r, dm: of_mean(r, dm) + of_max(r, dm, last=True))
        ),
        "where channels tie, each of them gets the whole gradient here: the first alone does": (
            backward(lambda r, dm: of_mean(r, dm) + dm[:, 1:] * largest(r, 1))
        ),
        "r is used by both statistics: the gradient of the mean is missing": backward(of_max),
        "dr is the gradient of r, and x came before it: below(dr) leads there": (
            lambda dy, above, r, below: (
                above(dy)[0]
                + (of_mean(r, above(dy)[1]) + of_max(r, above(dy)[1])).sum(axis=1, keepdims=True)
            )
        ),
    },
    "residual_attentionout_backward": {
        "the residual is beside the module: published_back is given dy alone": (
            lambda dy, published_back: published_back(dy + published_back(dy)[0])[0]
        ),
        "both ways lead to x: their gradients add up, and are not multiplied": (
            lambda dy, published_back: dy * published_back(dy)[0]
        ),
    },
}
STEPS: Steps = {
    "listed_sar": forward_steps,
    "listed_sar_backward": backward_steps,
    "residual_attentionout_backward": published,
}
