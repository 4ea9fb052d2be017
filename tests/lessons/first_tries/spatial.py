"""Of chapter 7."""

from typing import Any

import numpy as np

from first_tries.answer import Tries


def forward(x: Any, conv_reduce: Any, conv_atten: Any, bn_atten: Any, **other: Any) -> Any:
    r = other.get("reduced", lambda x: conv_reduce(x))(x)
    mean, largest = r.mean(axis=1, keepdims=True), r.max(axis=1, keepdims=True)
    m = np.concatenate(other.get("stack", lambda a, b: [a, b])(mean, largest), axis=1)
    s = other.get("gate", lambda a: 1 / (1 + np.exp(-a)))(bn_atten(conv_atten(m)))
    return other.get("end", lambda x, r, s: x * s)(x, r, s)


def backward(dy: Any, above: Any, r: Any, below: Any, **other: Any) -> Any:
    dx, dm = above(dy)
    won = other.get("won", lambda r: r.argmax(axis=1))(r)[:, None]
    channels = np.arange(r.shape[1]).reshape(1, -1, 1, 1)
    dr = dm[:, :1] / other.get("share", r.shape[1]) + dm[:, 1:] * (channels == won)
    dr = other.get("dr", lambda dr, dm: dr)(dr, dm)
    return other.get("end", lambda dx, below, dr: dx + below(dr))(dx, below, dr)


TRIES: Tries = {
    "listed_sar": {
        "the max first": lambda **given: forward(**given, stack=lambda a, b: [b, a]),
        "r is gated": lambda **given: forward(**given, end=lambda x, r, s: r * s),
        "no reduction": lambda **given: forward(**given, reduced=lambda x: x),
        "no sigmoid": lambda **given: forward(**given, gate=lambda a: a),
        "a residual": lambda **given: forward(**given, end=lambda x, r, s: x + x * s),
        "the mean twice": lambda **given: forward(**given, stack=lambda a, b: [a, a]),
        "the max twice": lambda **given: forward(**given, stack=lambda a, b: [b, b]),
        "the gate alone": lambda **given: forward(**given, end=lambda x, r, s: s),
        "1 - s": lambda **given: forward(**given, end=lambda x, r, s: x * (1 - s)),
        "no BN": lambda **given: forward(**given | {"bn_atten": lambda u: u}),
        "tanh": lambda **given: forward(**given, gate=np.tanh),
        "ReLU first": lambda **given: forward(
            **given, gate=lambda a: 1 / (1 + np.exp(-np.maximum(a, 0)))
        ),
    },
    "listed_sar_backward": {
        "the gate alone": lambda **given: backward(**given, end=lambda dx, below, dr: dx),
        "the statistics alone": lambda **given: backward(
            **given, end=lambda dx, below, dr: below(dr)
        ),
        "no share": lambda **given: backward(**given, share=1),
        "the last winner": lambda **given: backward(
            **given, won=lambda r: r.shape[1] - 1 - r[:, ::-1].argmax(axis=1)
        ),
        "the order of m": lambda dy, above, r, below: backward(
            dy, lambda dy: (above(dy)[0], above(dy)[1][:, ::-1]), r, below
        ),
        "no max": lambda **given: backward(
            **given, dr=lambda dr, dm: dm[:, :1] / given["r"].shape[1] + 0 * dr
        ),
        "no mean": lambda **given: backward(
            **given, dr=lambda dr, dm: dr - dm[:, :1] / given["r"].shape[1]
        ),
        "not below": lambda **given: backward(
            **given, end=lambda dx, below, dr: dx + dr.sum(axis=1, keepdims=True)
        ),
        "all winners": lambda **given: backward(
            **given,
            dr=lambda dr, dm: (
                dm[:, :1] / given["r"].shape[1]
                + dm[:, 1:] * (given["r"] == given["r"].max(axis=1, keepdims=True))
            ),
        ),
        "dx through below": lambda **given: backward(
            **given, end=lambda dx, below, dr: dx + 2 * below(dr)
        ),
    },
    "residual_attentionout_backward": {
        "no direct way": lambda dy, published_back: published_back(dy)[0],
        "dy alone": lambda dy, published_back: dy.copy(),
        "twice": lambda dy, published_back: 2 * published_back(dy)[0],
        "the pair": lambda dy, published_back: published_back(dy),
        "a half": lambda dy, published_back: (dy + published_back(dy)[0]) / 2,
        "a difference": lambda dy, published_back: published_back(dy)[0] - dy,
        "published_back twice": lambda dy, published_back: (
            published_back(dy)[0] + published_back(published_back(dy)[0])[0]
        ),
        "published_back of the sum": lambda dy, published_back: published_back(
            dy + published_back(dy)[0]
        )[0],
        "times": lambda dy, published_back: dy * published_back(dy)[0],
    },
}
