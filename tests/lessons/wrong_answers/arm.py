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


WRONG: Wrong = {
    "arm_forward": [
        (without_bn, "built and never used"),
        (relu_before_sigmoid, "no gate falls below 1/2"),
        (windows_of_one_pixel, "nothing was pooled"),
        (residual, "adds nothing"),
    ],
    "arm_backward": [
        (backward(lambda df_gate, df_pooled: df_gate), "by the gate and by the pool"),
        (backward(lambda df_gate, df_pooled: df_pooled), "by the gate itself"),
    ],
}
