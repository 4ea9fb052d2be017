"""Chapter 1: convolution."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

from armlab.arrays import pad
from armlab.check.example import Example
from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle


def output_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many places a window has along one axis."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


@st.composite
def axes(draw: st.DrawFn) -> Arguments:
    """An axis of an image, and a window that fits into it at least once."""
    kernel, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    stride, padding = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    size = least + draw(st.integers(0, 9))
    return {
        "size": size,
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
    }


def columns_of(x: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    """The windows of one image as columns.  x (C, H, W)  ->  (C R S, OH OW)"""
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(1, 2))  # (C, OH, OW, R, S)
    rows = len(x) * kernel[0] * kernel[1]
    return windows.transpose(0, 3, 4, 1, 2).reshape(rows, -1)


@st.composite
def images(draw: st.DrawFn) -> Arguments:
    """An image of pixels that are all different, and a kernel that fits into it."""
    kernel = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    height, width = (k + draw(st.integers(0, 3)) for k in kernel)
    shape = draw(st.integers(1, 3)), height, width
    pixels = draw(st.permutations(range(1, 1 + math.prod(shape))))
    return {"x": np.asarray(pixels, float).reshape(shape), "kernel": kernel}


def without_groups(e: Example) -> bool:
    return bool(e.options["groups"] == 1)


def of_window(e: Example, *names: str) -> Arguments:
    """Stride, padding and dilation, each as (rows, columns)."""
    return {name: e.options[name] for name in names}


def forward(e: Example) -> Arguments:
    given = {"x": e.inputs["x"], "w": e.inputs["w"]}
    return given | of_window(e, "stride", "padding", "dilation")


def for_dw(e: Example) -> Arguments:
    """The padded input, so that the exercise is about the sum alone."""
    padded = pad(np.asarray(e.inputs["x"]), e.options["padding"])
    kernel = np.asarray(e.inputs["w"]).shape[2:]
    given = {"dy": e.dy, "padded": padded, "kernel": kernel}
    return given | of_window(e, "stride", "dilation")


def for_dx(e: Example) -> Arguments:
    given = {"dy": e.dy, "w": e.inputs["w"], "shape": np.asarray(e.inputs["x"]).shape}
    return given | of_window(e, "stride", "padding", "dilation")


EXERCISES: dict[str, Asked] = {
    "output_size": Puzzle(
        "output_size(size, kernel, stride, padding, dilation) -> the size of y",
        axes(),
        output_size,
        {
            "the border is added on both sides: 2 p": (
                lambda size, kernel, stride, padding, dilation: (
                    (size + padding - dilation * (kernel - 1) - 1) // stride + 1
                )
            ),
            "the first window counts as well: + 1, behind the division": (
                lambda **a: output_size(**a) - 1
            ),
            "a window that no longer fits is left out: the division rounds down": (
                lambda size, kernel, stride, padding, dilation: (
                    -(-(size + 2 * padding - dilation * (kernel - 1) - 1) // stride) + 1
                )
            ),
            "R taps have R - 1 gaps between them: the window spans d (R - 1) + 1 pixels": (
                lambda size, kernel, stride, padding, dilation: (
                    (size + 2 * padding - dilation * kernel) // stride + 1
                )
            ),
        },
    ),
    "conv2d_forward": Exercise(
        "conv2d_forward(x, w, stride, padding, dilation) -> y",
        "conv2d",
        ("y",),
        forward,
        fits=lambda e: without_groups(e) and e.inputs["b"] is None,
    ),
    "conv_dw": Exercise(
        "conv_dw(dy, padded, kernel, stride, dilation) -> dw",
        "conv2d",
        ("dw",),
        for_dw,
        fits=without_groups,
    ),
    "conv_dx": Exercise(
        "conv_dx(dy, w, shape, stride, padding, dilation) -> dx",
        "conv2d",
        ("dx",),
        for_dx,
        fits=without_groups,
    ),
    "columns_of": Puzzle("columns_of(x, kernel) -> columns", images(), columns_of),
}
