"""What a device's result may be, next to NumPy's: for each function one rule, with its argument.

moves   copies, indices, masks, new arrays: the very bits, a NaN for a NaN. `handed_over`, of
        asarray: but for the sign of −0 in an array without axes, which CuPy loses.
rounds  one operation that IEEE 754 determines. CuPy compiles with -ftz=true, so in float32, and
        there alone, an operand or a result below 2⁻¹²⁶ may count as 0 of its sign.
ties    as `rounds`, and of 0 and −0 either is the larger: IEEE leaves it open.
near    exp, log and powers: so many neighbours from the right value, rounded. CUDA's guide names
        1 for expf, exp, logf and log, 4 for powf and 2 for pow; glibc's are within 1.
sums    n terms in an order that nobody knows, products of them perhaps fused with the addition,
        which is one rounding less: n u Σ|terms|, and 0 where all are integers with an exact sum.
        A NaN or an infinity comes out of a sum in every order alike.
first   argmax: the first index of the largest, float32 flushed as above or not; of several NaN,
        that of any.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from cupy_calls import ADD_THROUGH, Call, Made, Operand, function

from armlab.places import HOST

Look = Callable[[Made], np.ndarray]  # what is compared: the result, or an operand afterwards
Rule = Callable[[Call, np.ndarray, Look], str]  # what is wrong with an array of the device, or ""


def _unless(right: np.ndarray, got: np.ndarray, want: np.ndarray) -> str:
    """A sentence about the first element that is not right."""
    if right.all():
        return ""
    at = tuple(int(i) for i in np.argwhere(~right)[0])
    return f"expected {want[at]!r}, got {got[at]!r} at {at} of {got.shape}"


def same(a: np.ndarray, b: np.ndarray, signed: bool = True) -> np.ndarray:
    """Where two arrays hold the same value, a NaN being one value, 0 and −0 two."""
    if a.dtype.kind != "f":
        return np.asarray(a == b)
    alike = (a == b) & ((np.signbit(a) == np.signbit(b)) | (not signed))
    return np.asarray(alike | (np.isnan(a) & np.isnan(b)))


def moves(call: Call, got: np.ndarray, look: Look) -> str:
    want = look(call.at(HOST))
    return _unless(same(want, got), got, want)


def handed_over(call: Call, got: np.ndarray, look: Look) -> str:
    want = look(call.at(HOST))
    return _unless(same(want, got, signed=want.ndim > 0), got, want)


def rounds(call: Call, got: np.ndarray, look: Look, signed: bool = True) -> str:
    plain = look(call.at(HOST))
    right = same(plain, got, signed)
    if not right.all():  # perhaps because float32 was flushed
        from_flushed = look(_flushed_call(call).at(HOST))
        for want in (flushed(plain), from_flushed, flushed(from_flushed)):
            right |= same(want, got, signed)
    return _unless(right, got, plain)


def ties(call: Call, got: np.ndarray, look: Look) -> str:
    return rounds(call, got, look, signed=False)


def flushed(a: np.ndarray) -> np.ndarray:
    """With 0 of its sign for each float32 below the smallest normal one."""
    if a.dtype != np.float32:
        return a
    return np.where(np.abs(a) < np.finfo(a.dtype).tiny, np.copysign(a.dtype.type(0), a), a)


def _flushed_call(call: Call) -> Call:
    """With operands flushed, and numbers that become float32 next to such an operand."""
    single = any(a.dtype == np.float32 for a in call.operands())

    def change(a: Any) -> Any:
        if isinstance(a, Operand):
            return replace(a, values=flushed(a.values))
        return float(flushed(np.float32(a))) if single and isinstance(a, float) else a

    return call.with_each(change)


NEIGHBOURS = {"exp": (1, 1), "log": (1, 1), "__pow__": (4, 2)}  # in float32 and in float64


def near(call: Call, got: np.ndarray, look: Look) -> str:
    single = got.dtype == np.float32
    wide = np.float64 if single else np.longdouble
    right = np.zeros(got.shape, bool)
    for c in (call, _flushed_call(call)):
        x, *rest = (a.values.astype(wide) if isinstance(a, Operand) else a for a in c.args)
        want = np.asarray({"exp": np.exp, "log": np.log, "__pow__": np.power}[c.name](x, *rest))
        want = want.astype(got.dtype)
        low = high = want
        for _ in range(NEIGHBOURS[c.name][0 if single else 1]):
            low, high = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
        right |= same(want, got) | ((low <= got) & (got <= high)) | same(flushed(want), got)
    return _unless(right, got, want)


def sums(call: Call, got: np.ndarray, look: Look) -> str:
    unit = np.finfo(got.dtype).eps / 2
    value, size, terms = _sum(call, lambda v: v), _sum(call, np.abs), _terms(call)
    bound = (terms + (call.name == "mean")) * unit * size
    integers = all((np.rint(a.values) == a.values).all() for a in call.operands())
    if integers and call.name != "mean":
        bound = np.where(size * unit <= 0.5, 0.0, bound)  # every partial sum is an exact number
    right = same(value.astype(got.dtype), got, signed=False) | (np.abs(got - value) <= bound)
    return _unless(right, got, value.astype(got.dtype))


def _sum(call: Call, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The sum in NumPy's widest type, of the operands or of their absolute values."""
    operands = [of(a.values.astype(np.longdouble)) for a in call.operands()]
    if call.name in ("sum", "mean"):
        return np.asarray(getattr(np, call.name)(*operands, **call.options))
    x, y = operands if len(operands) > 1 else operands * 2
    if call.name == "vecdot":
        return np.asarray(np.sum(x * y, axis=-1))
    return np.asarray(function(call.name, np)(x, y, **call.options))


def _terms(call: Call) -> int:
    """How many terms each sum has."""
    x = call.operands()[0].values
    if call.name in ("sum", "mean"):
        axis = call.options.get("axis", tuple(range(x.ndim)))
        return math.prod(x.shape[i] for i in ((axis,) if isinstance(axis, int) else axis))
    return math.prod(x.shape[x.ndim - call.options.get("axes", 1) :])


def first(call: Call, got: np.ndarray, look: Look) -> str:
    x, axis = call.operands()[0].values, call.options["axis"]
    want, as_flushed = look(call.at(HOST)), look(_flushed_call(call).at(HOST))
    if not ((got >= 0) & (got < x.shape[axis])).all():
        return f"expected indices within {x.shape[axis]}, got {got.min()} to {got.max()}"
    index = got if call.options.get("keepdims") else np.expand_dims(got, axis)
    a_nan = np.isnan(np.take_along_axis(x, index, axis)).reshape(got.shape)
    return _unless((got == want) | (got == as_flushed) | a_nan, got, want)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("sum", "mean", "__matmul__", "vecdot", "dot", "tensordot"), sums),
    **dict.fromkeys(NEIGHBOURS, near),
    **dict.fromkeys(("maximum", "minimum", "max"), ties),
    **dict.fromkeys((f"__{n}__" for n in ("add", "sub", "mul", "truediv", "neg")), rounds),
    **dict.fromkeys((f"__{n}__" for n in ("iadd", "imul", "itruediv")), rounds),
    **dict.fromkeys((f"__{n}__" for n in ("eq", "ne", "lt", "le", "gt", "ge")), rounds),
    **dict.fromkeys((f"__{n}__" for n in ("and", "or", "floordiv", "getitem", "setitem")), moves),
    **dict.fromkeys(("abs", "sqrt", "astype", ADD_THROUGH), rounds),
    **dict.fromkeys(("concat", "stack", "take", "reshape", "expand_dims"), moves),
    **dict.fromkeys(("broadcast_to", "matrix_transpose", "where", "isnan", "arange"), moves),
    **dict.fromkeys(("full", "zeros", "ones", "zeros_like", "ones_like"), moves),
    "asarray": handed_over,
    "argmax": first,
}
