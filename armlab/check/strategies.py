"""What Hypothesis draws: shapes, values, layouts, and an upstream gradient that is never ones.

Small arrays are drawn element by element, so a failure shrinks to a few readable numbers; large
ones from a seed. All values are exact in float32, so that both dtypes see the same numbers, and
none is so small that a product of a few of them underflows: the error bounds assume that it does
not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from armlab.check.example import Example
from armlab.check.layouts import LAYOUTS

Shape = tuple[int, ...]


SMALLEST = 2.0**-16


def _floats(low: float, high: float) -> st.SearchStrategy[float]:
    """Floats between the two, and 0 for what is smaller than SMALLEST."""
    drawn = st.floats(low, high, width=32, allow_subnormal=False)
    return drawn.map(lambda v: v if abs(v) >= SMALLEST else 0.0)


def _rounded(scale: float, offset: float = 0.0) -> st.SearchStrategy[float]:
    return _floats(-4, 4).map(lambda v: float(np.float32(offset + scale * v)))


VALUES: dict[str, st.SearchStrategy[float]] = {
    "integers": st.integers(-8, 8).map(float),
    "floats": _floats(-4, 4),
    "ties": st.sampled_from([-1.0, -0.0, 0.0, 1.0, 2.0]),
    "offset": _rounded(1, offset=1000),
    "near-constant": st.integers(0, 8).map(lambda i: 1 + i * 2.0**-20),
    "large": _rounded(1e15),
    "small": _rounded(1e-5),
    "wide": _floats(-1000, 1000),
    "positive": _floats(0.125, 4),
}
BOUNDED = ("integers", "floats", "ties", "offset", "near-constant", "large", "small")


class Source:
    """Draws the parts of one example, and remembers how each of them is to lie in memory.

    kind  the class of its values, of VALUES
    size  "small", "large", "empty" (a batch of none), or "readable" (shrinks to one pixel)
    turn  by how much each list of choices is turned. Hypothesis always tries the first choices,
          so as many turns as there are choices bring up every one of them.
    """

    def __init__(
        self, draw: Callable[..., Any], kind: str, size: str = "small", turn: int = 0
    ) -> None:
        self.draw, self.kind, self.turn = draw, kind, turn
        self.readable, self.large, self.empty = (
            size == name for name in ("readable", "large", "empty")
        )
        self.rng = np.random.default_rng(self.seed() if self.large else 0)
        self.layouts: dict[str, str] = {}
        self.note(f"values: {'large shape' if self.large else kind}")
        if self.empty:
            self.note("layout: zero-size")

    def note(self, text: str) -> None:
        """What was drawn, in a few words: for Hypothesis's statistics, and for a test of them."""
        event(text)

    def seed(self) -> int:
        drawn: int = self.draw(st.integers(0, 2**31))
        return drawn

    def pick(self, *choices: Any) -> Any:
        first = self.turn % len(choices)
        return self.draw(st.sampled_from(choices[first:] + choices[:first]))

    def features(self, least: Shape = (1, 1, 1, 1), large: Shape = (3, 17, 40, 41)) -> Shape:
        """A shape (N, C, H, W): axes of different length, so that no swapped pair goes unseen."""
        if self.large:
            return large
        if self.readable:  # shrinks to one pixel
            sizes = [self.draw(st.integers(1, 3)) for _ in range(4)]
        else:
            sizes = self.draw(st.permutations(range(1, 6)))[:4]
        n, *rest = (max(a, b) for a, b in zip(sizes, least, strict=True))
        return (0 if self.empty else n, *rest)

    def lay_out(self, name: str) -> str:
        """How the array of this name is to lie in memory."""
        layout: str = self.pick(*(k for k in LAYOUTS if k != "zero-size"))
        self.layouts[name] = layout
        self.note(f"layout: {layout}")
        return layout

    def array(self, name: str, shape: Shape, kind: str | None = None) -> np.ndarray:
        """A float64 array of this example's class of values, or of another by name."""
        layout = self.lay_out(name)
        if self.large and (kind or self.kind) == "integers":
            return self.rng.integers(-8, 9, shape).astype(np.float64)
        if self.large and kind != "positive":
            return self.rng.standard_normal(shape).astype(np.float32).astype(np.float64)
        alike = layout == "broadcast" and len(shape) > 1 and kind is None
        drawn = (shape[0], 1, *shape[2:]) if alike else shape
        elements = VALUES[kind or self.kind]
        return np.broadcast_to(self._values(drawn, elements), shape).copy()

    def _values(self, shape: Shape, elements: st.SearchStrategy[float]) -> np.ndarray:
        """Each element drawn where there are few; else a few drawn and scattered by a seed."""
        if np.prod(shape) <= 100:
            each = hnp.arrays(np.float64, shape, elements=elements, fill=st.nothing())
            drawn: np.ndarray = self.draw(each)
            return drawn
        pool = np.array(self.draw(st.lists(elements, min_size=30, max_size=30)))
        return pool[np.random.default_rng(self.seed()).integers(0, len(pool), shape)]


def one_number_per_channel(source: Source, name: str, channels: int) -> np.ndarray:
    """A scale or a shift: not at the extremes that the features may have."""
    return source.array(name, (channels,), "floats" if source.kind != "integers" else "integers")


def elementwise(s: Source, name: str = "x", kind: str | None = None, **options: float) -> Example:
    """An example of a function that treats each element alike."""
    shape = s.features()
    inputs = {name: s.array(name, shape, kind)}
    return Example(inputs, dict(options), s.array("dy", shape), layouts=s.layouts)


def pooled(s: Source) -> Example:
    """An example of a function of each channel, (N, C, H, W) -> (N, C, 1, 1)."""
    n, c, h, w = s.features()
    x = s.array("x", (n, c, h, w))
    return Example({"x": x}, {}, s.array("dy", (n, c, 1, 1)), layouts=s.layouts)
