"""Sketches: arrays with a shape and no values, on which a module by hand runs its own forward.

`armlab.cost.dry_run` puts them in the place of a module's weights and inputs. The functions of
`armlab.hand` are then replaced by their rules, so a sketch meets only what a composite does
itself: sums and products of features, parts of them, and the few names of the array API below.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NoReturn

from armlab.cost import rules
from armlab.watch import Call

ITEM_BYTES = {"float32": 4, "float64": 8, "int64": 8}


@dataclass(frozen=True, eq=False)
class Sketch:
    """An array without values, which knows the sketches that it was made from.

    A sketch equals itself alone, as an array is a place in memory and not only a shape.
    """

    shape: tuple[int, ...]
    dtype: str
    xp: Paper
    sources: tuple[Sketch, ...] = ()
    device: str = "no device"

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * ITEM_BYTES[self.dtype]

    def ancestry(self) -> set[Sketch]:
        """This sketch and all that it was made from, directly or not."""
        found, waiting = set[Sketch](), [self]
        while waiting:
            sketch = waiting.pop()
            if sketch not in found:
                found.add(sketch)
                waiting += sketch.sources
        return found

    def __array_namespace__(self, *, api_version: str | None = None) -> Paper:
        return self.xp

    def __add__(self, other: Sketch | float) -> Sketch:
        return self.xp.draw("add", self, other)

    def __mul__(self, other: Sketch | float) -> Sketch:
        return self.xp.draw("multiply", self, other)

    __radd__ = __sub__ = __rsub__ = __add__  # a difference is as much work as a sum
    __rmul__ = __mul__

    def __getitem__(self, key: tuple[slice, ...]) -> Sketch:
        ranges = (range(n)[part] for n, part in zip(self.shape, key, strict=True))
        return Sketch(tuple(map(len, ranges)), self.dtype, self.xp, (self,))


class Paper:
    """The namespace of sketches, which records what they go through. Views of them are free.

    calls  every call so far: of a function, as `armlab.watch` records it, or of a name below
    path   of the module that is at work
    """

    float32, float64, int64 = "float32", "float64", "int64"

    def __init__(self) -> None:
        self.__name__ = "sketches"  # the array API asks a namespace for it
        self.calls: list[Call] = []
        self.path = ""

    def draw(self, name: str, *operands: Any, **options: Any) -> Sketch:
        """The result of an operation on sketches and numbers, recorded where it is on features."""
        sketches = tuple(x for x in operands if isinstance(x, Sketch))
        shape = rules.work(name, *sketches, **options).shape
        y = Sketch(shape, sketches[0].dtype, self, sketches)
        if len(shape) == 4:  # not the running statistics, a few numbers per channel
            inputs: dict[str, Any] = {f"x{i}": x for i, x in enumerate(sketches, 1)}
            self.calls.append(Call(name, self.path, "", inputs, options, {"y": y}))
        return y

    def asarray(self, x: Sketch) -> Sketch:
        return x

    def concat(self, arrays: list[Sketch], axis: int) -> Sketch:
        return self.draw("concat", *arrays, axis=axis)

    def matrix_transpose(self, x: Sketch) -> Sketch:
        *outer, rows, columns = x.shape
        return Sketch((*outer, columns, rows), x.dtype, self, (x,))

    def __getattr__(self, name: str) -> NoReturn:
        raise NotImplementedError(
            f"a module calls xp.{name} itself, which sketches do not have: "
            "add it to armlab/cost/sketch.py, with its rule in armlab/cost/rules.py"
        )
