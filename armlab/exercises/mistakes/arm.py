"""Of chapter 5."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import BATCH, POSITIONS, Mistakes, Steps, over, sigma


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


def behind(df: Any, p: Any, slope: float = 0.01) -> Any:
    """dp: what LeakyReLU passes on."""
    return np.where(p > 0, df, slope * df)


def unit(
    df: Any, p: Any, q_hat: Any, w: Any, rho: Any, *,
    dp: Any = None, scale: Any = None, m: Any = None,
) -> Any:  # fmt: skip
    """The right gradients, but for what a mistake has in the place of a step of theirs."""
    dp = behind(df, p) if dp is None else dp
    dw, db = over(BATCH, dp * q_hat), over(BATCH, dp)
    m = dp.size / len(w) if m is None else m
    scale = w * rho if scale is None else scale
    dq = scale[:, np.newaxis, np.newaxis] * (dp - db / m - q_hat * dw / m)
    return dq, dw.ravel(), db.ravel()


def unit_steps(df: Any, p: Any, q_hat: Any, w: Any, rho: Any) -> dict[str, Any]:
    dp, scale = behind(df, p), (w * rho)[:, np.newaxis, np.newaxis]
    dw, db, m = over(BATCH, dp * q_hat), over(BATCH, dp), dp.size / len(w)
    return {
        "dp": dp,
        "w rho dp, the direct way": scale * dp,
        "w rho db / m, the way through the mean": scale * db / m + 0 * dp,
        "w rho q_hat dw / m, the way through the variance": scale * q_hat * dw / m,
    }


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
    "unit_backward": {
        "the mean and the variance move with every q: dq is not w rho dp alone": (
            lambda **given: unit(**given, m=np.inf)
        ),
        "LeakyReLU passes a hundredth where p is negative: this passes nothing, as ReLU": (
            lambda **given: unit(**given, dp=behind(given["df"], given["p"], 0.0))
        ),
        "the slope is 1 where p is positive and 0.01 elsewhere: the two sides are exchanged": (
            lambda **given: unit(**given, dp=behind(given["df"], -given["p"]))
        ),
        "what decides is the sign of p, which the activation was given, not that of df": (
            lambda **given: unit(**given, dp=behind(given["df"], given["df"]))
        ),
        "what decides is the sign of p, with its scale and shift, not that of q_hat": (
            lambda **given: unit(**given, dp=behind(given["df"], given["q_hat"]))
        ),
        "df has not been through the LeakyReLU: where p is negative, dp is a hundredth of it": (
            lambda **given: unit(**given, dp=given["df"])
        ),
        "where p is negative the slope is 0.01, and this took 0.1": (
            lambda **given: unit(**given, dp=behind(given["df"], given["p"], 0.1))
        ),
        "m counts the pixels of all images, N H W: this counted the images": (
            lambda **given: unit(**given, m=len(given["df"]))
        ),
        "m counts the pixels of all images, N H W: this counted those of one": (
            lambda **given: unit(**given, m=given["df"][0, 0].size)
        ),
        "the sums are divided by m in dq: they are taken as they are here": (
            lambda **given: unit(**given, m=1)
        ),
        "multiply by rho, which is 1 / root already: this divides by it": (
            lambda **given: unit(**given, scale=given["w"] / given["rho"])
        ),
        "q_hat is made with rho and p with w: dq has both factors, and rho is missing": (
            lambda **given: unit(**given, scale=given["w"])
        ),
        "q_hat is made with rho and p with w: dq has both factors, and w is missing": (
            lambda **given: unit(**given, scale=given["rho"])
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
STEPS: Steps = {
    "arm_forward": forward_steps,
    "unit_backward": unit_steps,
    "arm_backward": backward_steps,
}
