"""Of chapter 5."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def forward(x: Any, conv: Any, conv_atten: Any, bn_atten: Any, **other: Any) -> Any:
    """Right, but for what is given by name."""
    f = conv(x)
    z = other.get("pool", lambda f: f.mean(axis=(2, 3), keepdims=True))(f)
    s = other.get("gate", lambda a: 1 / (1 + np.exp(-a)))(bn_atten(conv_atten(z)))
    return other.get("end", lambda x, f, s: f * s)(x, f, s)


def backward(dy: Any, gate_back: Any, logits_back: Any, conv_back: Any, **other: Any) -> Any:
    df, da = gate_back(dy)
    into = other.get("into", lambda dy, df, da: da)(dy, df, da)
    pooled, _ = logits_back(into)
    total = other.get("total", lambda dy, df, pooled: df + pooled)(dy, df, pooled)
    return conv_back(total)[0]


def unit(df: Any, p: Any, q_hat: Any, w: Any, rho: Any, **other: Any) -> Any:
    dp = other.get("dp", lambda df, p: np.where(p > 0, df, 0.01 * df))(df, p)
    dw, db = (dp * q_hat).sum(axis=(0, 2, 3)), dp.sum(axis=(0, 2, 3))
    m = other.get("m", df.size / df.shape[1])
    centre = other.get("centre", 1) * db[:, None, None] / m
    along = other.get("along", 1) * q_hat * dw[:, None, None] / m
    scale = other.get("scale", lambda w, rho: w * rho)(w, rho)
    return scale[:, None, None] * (dp - centre - along), dw, db


TRIES: Tries = {
    "arm_forward": {
        "x is gated": lambda **given: forward(**given, end=lambda x, f, s: x * s),
        "no sigmoid": lambda **given: forward(**given, gate=lambda a: a),
        "the sum": lambda **given: forward(
            **given, pool=lambda f: f.sum(axis=(2, 3), keepdims=True)
        ),
        "the maximum": lambda **given: forward(
            **given, pool=lambda f: f.max(axis=(2, 3), keepdims=True)
        ),
        "no 3×3 before the gate": lambda x, conv, conv_atten, bn_atten: x * x.mean(),
        "f + s": lambda **given: forward(**given, end=lambda x, f, s: f + s),
        "the gate alone": lambda **given: forward(**given, end=lambda x, f, s: s),
        "f alone": lambda **given: forward(**given, end=lambda x, f, s: f),
        "1 - s": lambda **given: forward(**given, end=lambda x, f, s: f * (1 - s)),
        "a residual": lambda **given: forward(**given, end=lambda x, f, s: f + f * s),
        "BN before the 1×1": lambda x, conv, conv_atten, bn_atten: forward(
            x, conv, bn_atten, conv_atten
        ),
        "tanh": lambda **given: forward(**given, gate=np.tanh),
        "the batch pooled too": lambda **given: forward(
            **given, pool=lambda f: f.mean(axis=(0, 2, 3), keepdims=True) + 0 * f[:, :, :1, :1]
        ),
    },
    "unit_backward": {
        "no activation": lambda **given: unit(**given, dp=lambda df, p: df),
        "a ReLU": lambda **given: unit(**given, dp=lambda df, p: df * (p > 0)),
        "the sign of df": lambda **given: unit(
            **given, dp=lambda df, p: np.where(df > 0, df, 0.01 * df)
        ),
        "times p": lambda **given: unit(**given, dp=lambda df, p: df * np.maximum(p, 0.01 * p)),
        "a tenth": lambda **given: unit(**given, dp=lambda df, p: np.where(p > 0, df, 0.1 * df)),
        "statistics as constants": lambda **given: unit(**given, centre=0, along=0),
        "the mean alone": lambda **given: unit(**given, along=0),
        "the variance alone": lambda **given: unit(**given, centre=0),
        "m is N": lambda **given: unit(**given, m=len(given["df"])),
        "m is H W": lambda **given: unit(**given, m=given["df"][0, 0].size),
        "m forgotten": lambda **given: unit(**given, m=1),
        "no w": lambda **given: unit(**given, scale=lambda w, rho: rho),
        "no rho": lambda **given: unit(**given, scale=lambda w, rho: w),
        "divided by rho": lambda **given: unit(**given, scale=lambda w, rho: w / rho),
        "dw and db exchanged": lambda **given: tuple(unit(**given)[i] for i in (0, 2, 1)),
        "dp handed on": lambda **given: (
            np.where(given["p"] > 0, given["df"], 0.01 * given["df"]),
            *unit(**given)[1:],
        ),
        "means of dw and db": lambda **given: (
            unit(**given)[0],
            *(v * given["df"].shape[1] / given["df"].size for v in unit(**given)[1:]),
        ),
    },
    "arm_backward": {
        "no pool": lambda **given: backward(**given, total=lambda dy, df, pooled: df),
        "no gate": lambda **given: backward(**given, total=lambda dy, df, pooled: pooled),
        "dy for df": lambda **given: backward(**given, total=lambda dy, df, pooled: dy + pooled),
        "dy alone": lambda **given: backward(**given, total=lambda dy, df, pooled: dy),
        "df not through the 3×3": lambda dy, gate_back, logits_back, conv_back: (
            gate_back(dy)[0] + logits_back(gate_back(dy)[1])[0]
        ),
        "a product": lambda **given: backward(**given, total=lambda dy, df, pooled: df * pooled),
        "a difference": lambda **given: backward(**given, total=lambda dy, df, pooled: df - pooled),
        "a mean of both": lambda **given: backward(
            **given, total=lambda dy, df, pooled: (df + pooled) / 2
        ),
        "logits of dy": lambda **given: backward(
            **given, into=lambda dy, df, da: dy.mean(axis=(2, 3), keepdims=True)
        ),
        "logits of df": lambda **given: backward(
            **given, into=lambda dy, df, da: df.sum(axis=(2, 3), keepdims=True)
        ),
        "the pair": lambda dy, gate_back, logits_back, conv_back: conv_back(
            gate_back(dy)[0] + logits_back(gate_back(dy)[1])[0]
        ),
    },
}
