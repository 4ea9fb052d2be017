"""Chapter 8: ARM in a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from armlab import hand
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle


def halved(size: tuple[int, int]) -> tuple[int, int]:
    """The size behind a step of stride 2."""
    return -(-size[0] // 2), -(-size[1] // 2)


@st.composite
def maps_that_meet(draw: Any) -> Arguments:
    """A map at 1/32 of an image, and one of other channels at 1/16 or at 1/8 of it."""
    size = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    small = halved(size) if draw(st.booleans()) else halved(halved(size))
    n, c = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.integers(-8, 9, (n, c, *small)).astype(float)
    return {"x": x, "like": np.zeros((n, 2 * c + 1, *size))}


def upsample_to(x: np.ndarray, like: np.ndarray) -> np.ndarray:
    y: np.ndarray = hand.resize_nearest(x, size=like.shape[2:])[0]
    return y


def upsample_by_factor(x: np.ndarray, like: np.ndarray) -> np.ndarray:
    return np.repeat(np.repeat(x, 2, axis=2), 2, axis=3)


def upsample_by_corners(x: np.ndarray, like: np.ndarray) -> np.ndarray:
    rows, columns = (
        np.round(np.arange(out) * (size - 1) / max(out - 1, 1)).astype(int)
        for size, out in zip(x.shape[2:], like.shape[2:], strict=True)
    )
    return x[:, :, rows[:, np.newaxis], columns]


def around_the_fusion(e: Example) -> Arguments:
    """What the backward of a fusion has kept: its features, its gate, and two backwards."""
    assert e.state is not None
    ffm = hand.SingleLayerFeatureFusion(**e.options, dtype="float64", rng=0)
    ffm.load_state_dict(e.state).train(e.training)
    f, mix_back = ffm._mixed(np.asarray(e.inputs["sp"]), np.asarray(e.inputs["cp"]))
    a, logits_back = ffm._logits(f)
    return {
        "dy": e.dy,
        "f": f,
        "s": hand.sigmoid(a)[0],
        "logits_back": lambda da: logits_back(da)[0],
        "mix_back": lambda df: mix_back(df)[:2],
    }


@st.composite
def context_paths(draw: Any) -> Arguments:
    """The backwards of a context path behind its trunk, and gradients for its two outputs."""
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    size8 = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    large = halved(size8)
    small = halved(large)
    path = hand.ContextPath(1, rng=rng, dtype="float64")
    f16, f32 = rng.standard_normal((2, 4, *large)), rng.standard_normal((2, 8, *small))
    z, pool_back = hand.global_avg_pool(f32)
    g, avg_back = path.conv_avg(z)
    r32, arm32_back = path.arm32(f32)
    up32, up32_back = hand.resize_nearest(r32 + g, size=large)
    y16, head32_back = path.conv_head32(up32)
    r16, arm16_back = path.arm16(f16)
    up16, up16_back = hand.resize_nearest(r16 + y16, size=size8)
    y8, head16_back = path.conv_head16(up16)
    return {
        "dy8": rng.standard_normal(y8.shape),
        "dy16": rng.standard_normal(y16.shape),
        "sum16_back": lambda dy: up16_back(head16_back(dy)[0]),
        "sum32_back": lambda dy: up32_back(head32_back(dy)[0]),
        "arm16_back": lambda dr: arm16_back(dr)[0],
        "arm32_back": lambda dr: arm32_back(dr)[0],
        "context_back": lambda dg: pool_back(avg_back(dg)[0]),
    }


def context_path_backward(
    dy8: Any,
    dy16: Any,
    sum16_back: Any,
    sum32_back: Any,
    arm16_back: Any,
    arm32_back: Any,
    context_back: Any,
    to_16: float = 1.0,
    to_context: float = 1.0,
    one_position: bool = False,
) -> tuple[Any, Any]:
    dsum16 = sum16_back(dy8)
    dsum32 = sum32_back(dy16 + to_16 * dsum16)
    part = dsum32[:, :, :1, :1] if one_position else dsum32
    dg = part.sum(axis=(2, 3), keepdims=True)
    return arm16_back(dsum16), arm32_back(dsum32) + to_context * context_back(dg)


def without(**changed: Any) -> Any:
    return lambda **arguments: context_path_backward(**arguments, **changed)


EXERCISES: dict[str, Asked] = {
    "upsample_to": Puzzle(
        "upsample_to(x, like) -> y",
        maps_that_meet(),
        upsample_to,
        {
            "sizes are rounded up at every halving, so twice is not always the way back: "
            "take the size of `like`": upsample_by_factor,
            "nearest repeats pixels from the first on: row i comes from row floor(i H / OH)": (
                upsample_by_corners
            ),
        },
    ),
    "resize_nearest_backward": Exercise(
        "resize_nearest_backward(dy, shape) -> dx",
        "resize_nearest",
        ("dx",),
        lambda e: {"dy": e.dy, "shape": np.asarray(e.inputs["x"]).shape},
    ),
    "feature_fusion_backward": Exercise(
        "feature_fusion_backward(dy, f, s, logits_back, mix_back) -> dsp, dcp",
        "SingleLayerFeatureFusion",
        ("dsp", "dcp"),
        around_the_fusion,
    ),
    "context_path_backward": Puzzle(
        "context_path_backward(dy8, dy16, sum16_back, sum32_back, arm16_back, arm32_back, "
        "context_back) -> df16, df32",
        context_paths(),
        context_path_backward,
        {
            "y16 is an output, and goes into y8: both gradients belong to it": without(to_16=0.0),
            "f32 feeds ARM32 and the global context: both gradients belong to it": (
                without(to_context=0.0)
            ),
            "one g was added at every position: it collects the gradients of all": (
                without(one_position=True)
            ),
        },
        relative=1e-9,
    ),
}
