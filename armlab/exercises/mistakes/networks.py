"""Of chapter 8."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.exercises.mistakes.given import POSITIONS, Mistakes, Steps, over


def floor_of(size: int, out: int) -> Any:
    return np.arange(out) * size // out


def rounded(size: int, out: int) -> Any:
    return np.minimum(np.rint(np.arange(out) * size / out).astype(int), size - 1)


def taken(x: Any, size: Any, of: Any = floor_of) -> Any:
    i, j = (of(a, b) for a, b in zip(x.shape[2:], size, strict=True))
    return x[:, :, i[:, None], j]


def as_like(of: Any) -> Any:
    return lambda x, like: taken(x, like.shape[2:], of)


def collected(dy: Any, shape: Any, of: Any = floor_of) -> Any:
    dx = np.zeros(shape)
    i, j = (of(a, b) for a, b in zip(shape[2:], dy.shape[2:], strict=True))
    every: Any = (slice(None), slice(None), i[:, None], j)
    np.add.at(dx, every, dy)
    return dx


def share(dy: Any, shape: Any) -> Any:
    return collected(dy, shape) * (shape[2] * shape[3] / dy[0, 0].size)


def fusion(dy: Any, f: Any, s: Any, logits_back: Any, mix_back: Any, **other: Any) -> Any:
    ds = other.get("ds", over(POSITIONS, dy * f))
    pooled = logits_back(ds * other.get("slope", s * (1 - s)))
    return mix_back(
        other.get("df", lambda dy, gated, pooled: dy + gated + pooled)(dy, dy * s, pooled)
    )


def df_is(df: Any) -> Any:
    return lambda **given: fusion(**given, df=df)


def fusion_steps(mix_back: Any, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, part in {
        "the direct way": lambda dy, gated, pooled: dy,
        "the gate": lambda dy, gated, pooled: gated,
        "the pool": lambda dy, gated, pooled: pooled,
    }.items():
        sp, cp = fusion(**given, mix_back=mix_back, df=part)
        found |= {f"dsp through {name}": sp, f"dcp through {name}": cp}
    return found


def path(
    dy8: Any, dy16: Any, sum16_back: Any, sum32_back: Any, arm16_back: Any, arm32_back: Any,
    context_back: Any, into: Any = None, dg: Any = None,
) -> Any:  # fmt: skip
    dsum16 = sum16_back(dy8)
    dsum32 = sum32_back(dy16 + dsum16 if into is None else into(dy16, dsum16))
    context = context_back(over(POSITIONS, dsum32) if dg is None else dg(dsum32))
    return arm16_back(dsum16), arm32_back(dsum32) + context


def path_steps(**given: Any) -> dict[str, Any]:
    dsum16 = given["sum16_back"](given["dy8"])
    dsum32 = given["sum32_back"](given["dy16"] + dsum16)
    context = given["context_back"](over(POSITIONS, dsum32))
    return {
        "the part of ARM32": given["arm32_back"](dsum32),
        "the part of the global context": context,
        "dsum16": dsum16,
        "dsum32": dsum32,
    }


MISTAKES: Mistakes = {
    "upsample_to": {
        "nearest rounds down here: row i comes from row floor(i H / OH), and this rounds": (
            as_like(rounded)
        ),
        "rows are repeated one after the other: this starts again from the first": (
            as_like(lambda size, out: np.arange(out) % size)
        ),
        "this always halves, and a map at 1/8 has four rows for one: take the size of `like`": (
            as_like(lambda size, out: np.minimum(np.arange(out) // 2, size - 1))
        ),
        "this runs through x backwards: row 0 of y is row 0 of x": (
            as_like(lambda size, out: size - 1 - floor_of(size, out))
        ),
        "nothing was enlarged: y has the size of `like`": lambda x, like: x.copy(),
        "y has the channels of x: only its height and width are those of `like`": (
            lambda x, like: np.zeros(like.shape)
        ),
    },
    "resize_nearest_backward": {
        "a pixel that was repeated collects all of its gradients: this is one of them": (
            lambda dy, shape: taken(dy, shape[2:])
        ),
        "no mean was taken in the forward: there is no share in the backward": share,
        "row i came from row floor(i H / OH), and this rounds to the nearest": (
            lambda dy, shape: collected(dy, shape, rounded)
        ),
    },
    "feature_fusion_backward": {
        "the slope of the sigmoid is s (1 − s): the factor s is missing": (
            lambda **given: fusion(**given, slope=1 - given["s"])
        ),
        "ds sums dy f, and f is not in this: a pixel moves y by as much as it is large": (
            lambda **given: fusion(**given, ds=over(POSITIONS, given["dy"]))
        ),
        "this is a mean: one gate feeds all pixels, and their gradients add up in ds": (
            lambda **given: fusion(
                **given, ds=over(POSITIONS, given["dy"] * given["f"]) / given["f"][0, 0].size
            )
        ),
        "y = f + f s: the way through the gate is missing, dy s": (
            df_is(lambda dy, gated, pooled: dy + pooled)
        ),
        "f reaches y on the direct way alone here: its gate and its pool are missing": (
            df_is(lambda dy, gated, pooled: dy)
        ),
        "on the direct way dy comes as it is: the gate scales the other way alone": (
            df_is(lambda dy, gated, pooled: 2 * gated + pooled)
        ),
        "the gate's way is dy s: s is not in this": (
            df_is(lambda dy, gated, pooled: 2 * dy + pooled)
        ),
    },
    "context_path_backward": {
        "y16 is an output itself: dy16 is missing": (
            lambda **given: path(**given, into=lambda dy16, dsum16: dsum16)
        ),
        "this is a mean: one g was added at every position, and their gradients add up": (
            lambda **given: path(**given, dg=lambda d: d.mean(axis=POSITIONS, keepdims=True))
        ),
        "g is one pixel for each channel: sum over the positions where it was added": (
            lambda **given: path(**given, dg=lambda d: d)
        ),
        "each ARM has its own backward: arm16_back and arm32_back have changed places": (
            lambda arm16_back, arm32_back, **given: path(
                arm16_back=arm32_back, arm32_back=arm16_back, **given
            )
        ),
    },
}
STEPS: Steps = {"feature_fusion_backward": fusion_steps, "context_path_backward": path_steps}
