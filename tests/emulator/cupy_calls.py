"""A call of an array library, drawn once and made at two places: NumPy's and the device's."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from cupy_usage import form

from armlab.arrays import Array
from armlab.check.layouts import LAYOUTS
from armlab.places import Place

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Operand:
    """An array of a call: its values, and the layout they get."""

    values: np.ndarray
    layout: str = "C"

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.values.dtype

    @property
    def shape(self) -> Shape:
        return self.values.shape

    def at(self, where: Place) -> Array:
        """The array at this place. Integers are laid out as floats of their size, bit for bit."""
        if self.values.ndim == 0:  # CuPy loses the sign of −0 where it moves one number
            return where.xp.reshape(where.asarray(self.values.reshape(1)), ())
        if self.layout == "tap":
            return _tap(self.values, where)
        alias = {"i": f"f{self.dtype.itemsize}"}.get(self.dtype.kind, self.dtype)
        laid = LAYOUTS[self.layout](self.values.view(alias), where)
        return laid if alias is self.dtype else laid.view(self.dtype)


def _tap(values: np.ndarray, where: Place) -> Array:
    """One tap of a convolution's weight: the others, between the elements, are NaN."""
    taps = np.full((*values.shape, 2, 3), np.nan, values.dtype)
    taps[..., 1, 2] = values
    return where.asarray(taps)[..., 1, 2]


@dataclass(frozen=True)
class Made:
    """What a call gave at one place, and the arrays that it got, each once."""

    result: Any
    operands: list[Array]


@dataclass(frozen=True)
class Call:
    """A function or an operator by name, with operands, numbers, dtypes of NumPy and indices.

    device  whether the function is told the device, as those are that make an array of nothing
    """

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    device: bool = False

    def form(self) -> str:
        return form(self.name, self.args, self.options)

    def operands(self) -> list[Operand]:
        """All operands, those in a list as well, each once."""
        flat = [b for a in self.args for b in (a if isinstance(a, list) else [a])]
        return list(dict.fromkeys(a for a in flat if isinstance(a, Operand)))

    def with_each(self, change: Callable[[Any], Any]) -> "Call":
        """The call with each operand, number and dtype replaced by what `change` makes of it."""

        def changed(a: Any) -> Any:
            return [change(i) for i in a] if isinstance(a, list) else change(a)

        options = {key: change(a) for key, a in self.options.items()}
        return replace(self, args=tuple(map(changed, self.args)), options=options)

    def at(self, where: Place) -> Made:
        """Make the call at this place."""
        arrays = {a: a.at(where) for a in self.operands()}

        def there(a: Any) -> Any:
            if isinstance(a, Operand):
                return arrays[a]
            return getattr(where.xp, a.name) if isinstance(a, np.dtype) else a

        call = self.with_each(there)
        device = {"device": where.device} if self.device else {}
        result = function(self.name, where.xp)(*call.args, **call.options, **device)
        return Made(result, list(arrays.values()))


def function(name: str, xp: Any) -> Any:
    """An operator by the name of its method, or a function of the library."""
    if name == ADD_THROUGH:
        return add_through
    return getattr(operator, name) if name.startswith("__") else getattr(xp, name)


ADD_THROUGH = "add_through"


def add_through(x: Array, index: Any, y: Array) -> None:
    """A view is read, added to in place, and written over itself."""
    x[index] += y
