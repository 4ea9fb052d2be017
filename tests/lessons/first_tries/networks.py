"""Of chapter 8."""

from typing import Any

import numpy as np

from armlab.arrays import unbroadcast
from first_tries.answer import Tries


def rows(size: int, out: int) -> Any:
    return np.arange(out) * size // out


def up(x: Any, out: Any, of: Any = rows) -> Any:
    i, j = (of(a, b) for a, b in zip(x.shape[2:], out, strict=True))
    return x[:, :, i[:, None], j]


def nearest_back(dy: Any, shape: Any, **other: Any) -> Any:
    dx = np.zeros(shape)
    of = other.get("of", rows)
    i, j = (of(a, b) for a, b in zip(shape[2:], dy.shape[2:], strict=True))
    every = (slice(None), slice(None), i[:, None], j)
    if other.get("adds", True):
        np.add.at(dx, every, dy)
    else:
        dx[every] += dy
    return dx


def block_means(dy: Any, shape: Any) -> Any:
    counts = np.maximum(nearest_back(np.ones_like(dy), shape), 1)
    return nearest_back(dy, shape) / counts


def fusion(dy: Any, f: Any, s: Any, logits_back: Any, mix_back: Any, **other: Any) -> Any:
    ds = other.get("ds", unbroadcast(dy * f, s.shape))
    da = ds * other.get("slope", s * (1 - s))
    df = other.get("df", lambda dy, gated, pooled: dy + gated + pooled)
    return mix_back(df(dy, dy * s, logits_back(da)))


def path(
    dy8: Any, dy16: Any, sum16_back: Any, sum32_back: Any, arm16_back: Any, arm32_back: Any,
    context_back: Any, **other: Any,
) -> Any:  # fmt: skip
    dsum16 = sum16_back(dy8)
    dsum32 = sum32_back(other.get("into", lambda dy16, dsum16: dy16 + dsum16)(dy16, dsum16))
    dg = other.get("dg", lambda d: d.sum(axis=(2, 3), keepdims=True))(dsum32)
    end = other.get("end", lambda arm, context: arm + context)
    return arm16_back(dsum16), end(arm32_back(dsum32), context_back(dg))


TRIES: Tries = {
    "upsample_to": {
        "twice": lambda x, like: np.kron(x, np.ones((2, 2))),
        "rounded": lambda x, like: up(
            x,
            like.shape[2:],
            lambda a, b: np.minimum(np.rint(np.arange(b) * a / b).astype(int), a - 1),
        ),
        "tiled": lambda x, like: up(x, like.shape[2:], lambda a, b: np.arange(b) % a),
        "clipped halves": lambda x, like: up(
            x, like.shape[2:], lambda a, b: np.minimum(np.arange(b) // 2, a - 1)
        ),
        "times like": lambda x, like: np.zeros(like.shape),
        "x as it came": lambda x, like: x.copy(),
        "from the end": lambda x, like: up(x, like.shape[2:], lambda a, b: a - 1 - rows(a, b)),
    },
    "resize_nearest_backward": {
        "only the last": lambda dy, shape: nearest_back(dy, shape, adds=False),
        "their mean": block_means,
        "sampled": lambda dy, shape: dy[
            :,
            :,
            (np.arange(shape[2]) * dy.shape[2] // shape[2])[:, None],
            np.arange(shape[3]) * dy.shape[3] // shape[3],
        ],
        "a share of the whole": lambda dy, shape: (
            nearest_back(dy, shape) * (shape[2] * shape[3]) / dy[0, 0].size
        ),
        "rounded": lambda dy, shape: nearest_back(
            dy, shape, of=lambda a, b: np.minimum(np.rint(np.arange(b) * a / b).astype(int), a - 1)
        ),
        "dy as it came": lambda dy, shape: dy.copy(),
        "a forward": lambda dy, shape: up(dy, shape[2:]),
    },
    "feature_fusion_backward": {
        "no direct way": lambda **given: fusion(
            **given, df=lambda dy, gated, pooled: gated + pooled
        ),
        "no pool": lambda **given: fusion(**given, df=lambda dy, gated, pooled: dy + gated),
        "no gate": lambda **given: fusion(**given, df=lambda dy, gated, pooled: dy + pooled),
        "no slope": lambda **given: fusion(**given, slope=1),
        "dy for dy f": lambda **given: fusion(
            **given, ds=given["dy"].sum(axis=(2, 3), keepdims=True)
        ),
        "a mean for ds": lambda **given: fusion(
            **given, ds=(given["dy"] * given["f"]).mean(axis=(2, 3), keepdims=True)
        ),
        "exchanged": lambda **given: fusion(**given)[::-1],
        "dy alone": lambda **given: fusion(**given, df=lambda dy, gated, pooled: dy),
        "twice the gate": lambda **given: fusion(
            **given, df=lambda dy, gated, pooled: 2 * gated + pooled
        ),
        "half a slope": lambda **given: fusion(**given, slope=1 - given["s"]),
        "s not multiplied": lambda **given: fusion(
            **given, df=lambda dy, gated, pooled: 2 * dy + pooled
        ),
    },
    "context_path_backward": {
        "y16 into y8 only": lambda **given: path(**given, into=lambda dy16, dsum16: dsum16),
        "y16 the output only": lambda **given: path(**given, into=lambda dy16, dsum16: dy16),
        "no context": lambda **given: path(**given, end=lambda arm, context: arm),
        "the context alone": lambda **given: path(**given, end=lambda arm, context: context),
        "a mean": lambda **given: path(**given, dg=lambda d: d.mean(axis=(2, 3), keepdims=True)),
        "the first position": lambda **given: path(**given, dg=lambda d: d[:, :, :1, :1]),
        "exchanged": lambda **given: path(**given)[::-1],
        "not summed": lambda **given: path(**given, dg=lambda d: d),
        "the arms exchanged": lambda **given: path(
            **given | {"arm16_back": given["arm32_back"], "arm32_back": given["arm16_back"]}
        ),
    },
}
