"""What Hypothesis draws for a call: shapes, layouts, and values of one class in one dtype."""

import math
from typing import Any

import numpy as np
from cupy_calls import Operand, Shape
from hypothesis import strategies as st

from armlab.check.layouts import LAYOUTS

# Lengths are mostly primes that differ, so that no axis is taken for another; more elements than
# eight blocks have threads are among them. The edges are drawn as well, but not first.
SHAPES: tuple[Shape, ...] = ((2, 3, 5, 7), (5, 3), (7,), (1031,), (3, 5, 2), (2, 1, 7, 3), (11, 2))
SHAPES += ((7, 2, 3, 5), (5, 1, 2, 3))
EDGES: tuple[Shape, ...] = ((), (1, 1, 1, 1), (3, 0, 2, 5), (0,), (1,))


def usual(dtype: np.dtype[Any], kind: str) -> list[Any]:
    """Values that stand in every array of this class, as far as there is room."""
    if dtype.kind != "f":
        near = [0, 1, -1, 5, 255, 256, -256, 257, 3 * 2**16, 2**31 - 1, -(2**31)]
        return near if dtype.kind == "i" else [True, False]
    limit, rng = np.finfo(dtype), np.random.default_rng(0)
    tiny, largest = float(limit.tiny), float(limit.max)
    plain, whole = rng.uniform(-4, 4, 12), rng.integers(-8, 9, 12)
    return {
        "floats": list(plain),
        "integers": list(whole.astype(float)),
        "ties": [1.0, -1.0, -0.0, 0.0, 2.0],
        "offset": list(1000 + plain),
        "near-constant": list(1 + whole * 2.0**-20),
        "large": list(1e15 * plain),
        "special": [math.nan, math.inf, -math.inf, -0.0, 0.0, 1.0, -3.0],
        "subnormal": [tiny / 2, -tiny / 4, float(limit.smallest_subnormal), 1.5 * tiny, tiny]
        + [1.0, -2.0, 0.0, -0.0],
        "wide": [*plain, largest, -largest / 2, 1e-20, 3e30, -1e-30, 1.0],
    }[kind]


def unusual(dtype: np.dtype[Any], kind: str) -> st.SearchStrategy[Any]:
    """Any value of this class."""
    if dtype.kind == "b":
        return st.booleans()
    if dtype.kind == "i":
        return st.integers(-(2**31), 2**31 - 1)
    largest = float(np.finfo(dtype).max)
    within = {"width": dtype.itemsize * 8, "allow_subnormal": False}
    if kind == "wide":
        return st.floats(-largest, largest, **within)
    if kind == "floats":
        return st.floats(-4, 4, **within).map(lambda v: v if abs(v) >= 2.0**-16 else 0.0)
    return st.sampled_from(usual(dtype, kind))


class Source:
    """Draws the parts of one call: arrays of one dtype and of one class of values.

    turn  each list of choices is turned by a number that depends on it alone: Hypothesis tries the
          first choices first, so one call of each of a few turns meets all of them
    """

    def __init__(self, draw: Any, kind: str, dtype: np.dtype[Any], turn: int) -> None:
        self.draw, self.kind, self.dtype = draw, kind, dtype
        self._turns = np.random.default_rng(turn)

    def pick(self, *choices: Any, edges: tuple[Any, ...] = ()) -> Any:
        first = int(self._turns.integers(len(choices)))
        return self.draw(st.sampled_from(choices[first:] + choices[:first] + edges))

    def whole(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def shape(self, least: int = 0) -> Shape:
        """One of at least so many axes."""
        usual, edges = (tuple(s for s in of if len(s) >= least) for of in (SHAPES, EDGES))
        picked: Shape = self.pick(*usual, edges=edges)
        return picked

    def number(self) -> float:
        number = self.dtype.type(self.pick(*usual(self.dtype, self.kind)))
        return float(number)

    def floats(self, shape: Shape, *, written: bool = False) -> Operand:
        return self._operand(shape, self.dtype, written)

    def ints(self, shape: Shape, below: int | None = None) -> Operand:
        """Of either size; from 0 up to `below`, where that is given."""
        drawn = self._operand(shape, np.dtype(self.pick("int64", "int32")), False)
        return drawn if below is None else Operand(drawn.values % below, drawn.layout)

    def bools(self, shape: Shape) -> Operand:
        return self._operand(shape, np.dtype(bool), False)

    def layout(self, written: bool, kind: str) -> str:
        left_out = {"zero-size"}
        left_out |= {"broadcast"} if written else set()
        left_out |= {"step two"} if kind == "b" else set()  # no NaN stands between booleans
        picked: str = self.pick(*(name for name in LAYOUTS if name not in left_out))
        return picked

    def _operand(self, shape: Shape, dtype: np.dtype[Any], written: bool) -> Operand:
        layout = self.layout(written, dtype.kind) if shape else "C"
        drawn = (shape[0], 1, *shape[2:]) if layout == "broadcast" and len(shape) > 1 else shape
        values = self._values(drawn, dtype)
        if drawn != shape:
            values = np.broadcast_to(values[:, : shape[1]], shape).copy()
        return Operand(values, layout)

    def _values(self, shape: Shape, dtype: np.dtype[Any]) -> np.ndarray:
        """The usual values and a few others, scattered: no two arrays of a call are alike."""
        others = self.draw(st.lists(unusual(dtype, self.kind), max_size=8))
        pool = np.array(usual(dtype, self.kind) + others, dtype)
        seeds = [int(self._turns.integers(2**31)), self.whole(0, 2**31)]
        rng = np.random.default_rng(seeds)
        return pool[rng.integers(0, len(pool), shape)]

    def broadcast(self, shape: Shape) -> Shape:
        """A shape that NumPy repeats to this one: some axes of length 1, or fewer axes."""
        if self.pick(True, False):
            return shape
        lengths = [n if self.pick(True, False) else 1 for n in shape]
        return tuple(lengths[self.whole(0, len(lengths)) :])
