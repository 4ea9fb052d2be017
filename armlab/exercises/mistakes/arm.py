"""Of chapter 5."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import POSITIONS, Mistakes, Steps, over, sigma


def mean(f: Any) -> Any:
    return f.mean(axis=POSITIONS, keepdims=True)


def logits(x: Any, conv: Any, conv_atten: Any, bn_atten: Any, pool: Any = mean) -> Any:
    f = conv(x)
    return f, bn_atten(conv_atten(pool(f)))


def gated(pool: Any) -> Any:
    """ARM with another pool."""

    def forward(**layers: Any) -> Any:
        f, a = logits(**layers, pool=pool)
        return f * sigma(a)

    return forward


def ending(end: Any) -> Any:
    """ARM with another last line, of (x, f, a)."""

    def forward(x: Any, **layers: Any) -> Any:
        return end(x, *logits(x, **layers))

    return forward


def forward_steps(**layers: Any) -> dict[str, Any]:
    f, a = logits(**layers)
    return {"f": f, "a, the logits": a, "σ(a), the gate": sigma(a)}


def branches(dy: Any, gate_back: Any, logits_back: Any, conv_back: Any) -> Any:
    df, da = gate_back(dy)
    return df, logits_back(da)[0], da


def backward_steps(dy: Any, gate_back: Any, logits_back: Any, conv_back: Any) -> dict[str, Any]:
    df, pooled, da = branches(dy, gate_back, logits_back, conv_back)
    return {
        "the gate's part of df": df,
        "the pool's part of df": pooled,
        "conv_back of the gate's part of df": conv_back(df)[0],
        "conv_back of the pool's part of df": conv_back(pooled)[0],
        "conv_back of dy": conv_back(dy)[0],
        "da": da,
    }


def back_from(into: Any) -> Any:
    """The backward with another gradient for the logits, of (dy, df)."""

    def backward(dy: Any, gate_back: Any, logits_back: Any, conv_back: Any) -> Any:
        df, _ = gate_back(dy)
        return conv_back(df + logits_back(into(dy, df))[0])[0]

    return backward


def multiplied(conv_back: Any, **given: Any) -> Any:
    df, pooled, _ = branches(conv_back=conv_back, **given)
    return conv_back(df * pooled)[0]


NOT_DY = "logits_back wants da, which gate_back returns beside df: "
MISTAKES: Mistakes = {
    "arm_forward": {
        "the gate scales f, what the 3×3 has made of x, and not x": (
            ending(lambda x, f, a: x * sigma(a))
        ),
        "the logits scale f before they are a gate: σ is missing": ending(lambda x, f, a: f * a),
        "a gate multiplies: this adds it to f": ending(lambda x, f, a: f + sigma(a)),
        "tanh runs from −1 to 1: the gate is a sigmoid": ending(lambda x, f, a: f * np.tanh(a)),
        "this pools with the sum, which grows with the image: take the mean": (
            gated(lambda f: over(POSITIONS, f))
        ),
        "this pools with the maximum: ARM takes the mean": (
            gated(lambda f: f.max(axis=POSITIONS, keepdims=True))
        ),
        "each image is pooled alone: this is one mean for the whole batch": (
            gated(lambda f: mean(f).mean(axis=0, keepdims=True) + 0 * mean(f))
        ),
        "a = BN(W z): the 1×1 comes first, then batch normalisation": (
            lambda x, conv, conv_atten, bn_atten: gated(mean)(
                x=x, conv=conv, conv_atten=bn_atten, bn_atten=conv_atten
            )
        ),
    },
    "arm_backward": {
        "f is used twice: its gradients add up, and are not multiplied": multiplied,
        NOT_DY + "dy has not been through the gate": back_from(lambda dy, df: mean(dy)),
        NOT_DY + "this is the sum of dy": back_from(lambda dy, df: over(POSITIONS, dy)),
        NOT_DY + "this is the sum of df": back_from(lambda dy, df: over(POSITIONS, df)),
        NOT_DY + "this is the mean of df": back_from(lambda dy, df: mean(df)),
    },
}
STEPS: Steps = {"arm_forward": forward_steps, "arm_backward": backward_steps}
