"""Chapter 0: what a backward is, and the test of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from armlab.exercises.exercise import Arguments, Asked, Exercise, Puzzle


@dataclass(frozen=True)
class Cubes:
    """y = A x³ with its backward, which another factor than 1 makes wrong.

    mixed  (K, R), A    x  (R, S)    y  (K, S)
    """

    mixed: np.ndarray
    factor: int

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
        slope = 3 * x * x
        return self.mixed @ (x * x * x), lambda dy: self.factor * slope * (self.mixed.T @ dy)

    def __str__(self) -> str:
        backward = "what is right" if self.factor == 1 else f"{self.factor} times what is right"
        return f"A @ x³ with A = {self.mixed.tolist()}; its backward gives {backward}"


def adjoint_sides(
    f: Cubes, x: np.ndarray, v: np.ndarray, dy: np.ndarray, h: float
) -> tuple[Any, Any]:
    """Both sides of the adjoint identity, the left one by a step ahead and one behind."""
    moved = (f(x + h * v)[0] - f(x - h * v)[0]) / (2 * h)
    return np.sum(moved * dy), np.sum(v * f(x)[1](dy))


@st.composite
def backwards(draw: st.DrawFn) -> Arguments:
    """A function whose backward may be wrong, in whole numbers, and a step that rounds nothing."""
    rows, columns, out = (draw(st.integers(1, 3)) for _ in range(3))

    def whole(*shape: int) -> np.ndarray:
        elements = st.sampled_from([1.0, 2.0, 3.0, -1.0, -2.0, -3.0])
        array: np.ndarray = draw(hnp.arrays(float, shape, elements=elements, fill=st.nothing()))
        return array

    f = Cubes(whole(out, rows), draw(st.sampled_from([1, 2, -1])))
    given = {"x": whole(rows, columns), "v": whole(rows, columns), "dy": whole(out, columns)}
    return {"f": f, **given, "h": draw(st.sampled_from([0.5, 0.25, 0.125]))}


EXERCISES: dict[str, Asked] = {
    "relu_backward": Exercise(
        "relu_backward(dy, x) -> dx",
        "relu",
        ("dx",),
        lambda e: {"dy": e.dy, "x": e.inputs["x"]},
    ),
    "bias_backward": Exercise(
        "bias_backward(dy) -> db",
        "conv2d",
        ("db",),
        lambda e: {"dy": e.dy},
        fits=lambda e: e.inputs["b"] is not None,
    ),
    "global_avg_pool_backward": Exercise(
        "global_avg_pool_backward(dz, shape) -> dx",
        "global_avg_pool",
        ("dx",),
        lambda e: {"dz": e.dy, "shape": np.asarray(e.inputs["x"]).shape},
    ),
    "adjoint_sides": Puzzle(
        "adjoint_sides(f, x, v, dy, h) -> left, right",
        backwards(),
        adjoint_sides,
        relative=1e-9,
    ),
}
