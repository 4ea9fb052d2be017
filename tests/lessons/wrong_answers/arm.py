"""Of chapter 5."""

from collections.abc import Callable
from typing import Any

import numpy as np

from wrong_answers.answer import Wrong


def gated(f: Any, a: Any) -> Any:
    return f / (1 + np.exp(-a))


def without_bn(x: Any, conv: Any, conv_atten: Any, bn_atten: Any) -> Any:
    f = conv(x)
    return gated(f, conv_atten(f.mean(axis=(2, 3), keepdims=True)))


def relu_before_sigmoid(x: Any, conv: Any, conv_atten: Any, bn_atten: Any) -> Any:
    f = conv(x)
    return gated(f, np.maximum(bn_atten(conv_atten(f.mean(axis=(2, 3), keepdims=True))), 0))


def windows_of_one_pixel(x: Any, conv: Any, conv_atten: Any, bn_atten: Any) -> Any:
    f = conv(x)
    return gated(f, bn_atten(conv_atten(f)))


def residual(x: Any, conv: Any, conv_atten: Any, bn_atten: Any) -> Any:
    f = conv(x)
    return f + gated(f, bn_atten(conv_atten(f.mean(axis=(2, 3), keepdims=True))))


def backward(df: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """ARM's backward with another df, from those of the gate and of the pool."""

    def answer(dy: Any, gate_back: Any, logits_back: Any, conv_back: Any) -> Any:
        df_gate, da = gate_back(dy)
        df_pooled, _ = logits_back(da)
        return conv_back(df(df_gate, df_pooled))[0]

    return answer


def per_channel(v: Any) -> Any:
    return v.reshape(1, -1, 1, 1)


def unit(df: Any, p: Any, q_hat: Any, w: Any, rho: Any, slope: float = 0.01, m: Any = 0) -> Any:
    """Right, or with another slope or number of values."""
    dp = df * np.where(p > 0, 1.0, slope)
    dw, db = (dp * q_hat).sum(axis=(0, 2, 3)), dp.sum(axis=(0, 2, 3))
    m = m or df.size / len(w)
    left = dp - per_channel(db) / m - q_hat * per_channel(dw) / m
    return per_channel(w * rho) * left, dw, db


WRONG: Wrong = {
    "arm_forward": [
        (without_bn, "built and never used"),
        (relu_before_sigmoid, "no gate falls below 1/2"),
        (windows_of_one_pixel, "nothing was pooled"),
        (residual, "adds nothing"),
    ],
    "unit_backward": [
        (lambda **given: unit(**given, slope=1.0), "has not been through the LeakyReLU"),
        (lambda **given: unit(**given, slope=0.0), "a hundredth where p is negative"),
        (lambda **given: unit(**given, m=len(given["df"])), "this counted the images"),
        (
            lambda **given: (given["df"] * unit(**given)[0], *unit(**given)[1:]),
            "dq: this is the right value times df",
        ),
    ],
    "arm_backward": [
        (backward(lambda df_gate, df_pooled: df_gate), "by the gate and by the pool"),
        (backward(lambda df_gate, df_pooled: df_pooled), "by the gate itself"),
    ],
}
