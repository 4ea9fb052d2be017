"""Shape arrays: arrays with a shape and no values, on which a module by hand runs its own forward.

`armlab.cost.dry_run` puts them in the place of a module's weights and inputs. The functions of
`armlab.hand` are then replaced by their rules, so a shape array meets only what a composite does
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
class ShapeArray:
    """An array without values, which knows the ones that it was made from.

    It equals itself alone, as an array is a place in memory and not only a shape.
    """

    shape: tuple[int, ...]
    dtype: str
    xp: ShapeNamespace
    sources: tuple[ShapeArray, ...] = ()
    device: str = "no device"

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.size * ITEM_BYTES[self.dtype]

    def ancestry(self) -> set[ShapeArray]:
        """This array and all that it was made from, directly or not."""
        found, waiting = set[ShapeArray](), [self]
        while waiting:
            array = waiting.pop()
            if array not in found:
                found.add(array)
                waiting += array.sources
        return found

    def __array_namespace__(self, *, api_version: str | None = None) -> ShapeNamespace:
        return self.xp

    def __add__(self, other: ShapeArray | float) -> ShapeArray:
        return self.xp.record("add", self, other)

    def __mul__(self, other: ShapeArray | float) -> ShapeArray:
        return self.xp.record("multiply", self, other)

    __radd__ = __sub__ = __rsub__ = __add__  # a difference is as much work as a sum
    __rmul__ = __mul__

    def __getitem__(self, key: tuple[slice, ...]) -> ShapeArray:
        ranges = (range(n)[part] for n, part in zip(self.shape, key, strict=True))
        return ShapeArray(tuple(map(len, ranges)), self.dtype, self.xp, (self,))


class ShapeNamespace:
    """The namespace of shape arrays, which records what they go through. Views of them are free.

    calls  every call so far: of a function, as `armlab.watch` records it, or of a name below
    path   of the module that is at work
    """

    float32, float64, int64 = "float32", "float64", "int64"

    def __init__(self) -> None:
        self.__name__ = "shape arrays"  # the array API asks a namespace for it
        self.calls: list[Call] = []
        self.path = ""

    def record(self, name: str, *operands: Any, **options: Any) -> ShapeArray:
        """The result of an operation on shape arrays and numbers; on features it is recorded."""
        arrays = tuple(x for x in operands if isinstance(x, ShapeArray))
        shape = rules.work(name, *arrays, **options).shape
        y = ShapeArray(shape, arrays[0].dtype, self, arrays)
        if len(shape) == 4:  # not the running statistics, a few numbers per channel
            inputs: dict[str, Any] = {f"x{i}": x for i, x in enumerate(arrays, 1)}
            self.calls.append(Call(name, self.path, "", inputs, options, {"y": y}))
        return y

    def asarray(self, x: ShapeArray) -> ShapeArray:
        return x

    def concat(self, arrays: list[ShapeArray], axis: int) -> ShapeArray:
        return self.record("concat", *arrays, axis=axis)

    def matrix_transpose(self, x: ShapeArray) -> ShapeArray:
        *outer, rows, columns = x.shape
        return ShapeArray((*outer, columns, rows), x.dtype, self, (x,))

    def __getattr__(self, name: str) -> NoReturn:
        raise NotImplementedError(
            f"a module calls xp.{name} itself, which shape arrays do not have: "
            "add it to armlab/cost/shape_array.py, with its rule in armlab/cost/rules.py"
        )
