"""Every form of call that is judged, by name: how its arguments are drawn.

`FORMS` maps a form, spelled as `cupy_usage.form` spells it, to what draws a call of it. A form that
armlab uses and that is not here fails `test_every_form_is_judged`.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from cupy_calls import ADD_THROUGH, Call, Operand
from cupy_draws import Source

Drawn = Callable[[Source], Call]
FORMS: dict[str, Drawn] = {}


def forms(*names: str) -> Callable[[Callable[..., Call]], Callable[..., Call]]:
    """Enter a function that draws calls of these forms; it is told the form."""

    def enter(draws: Callable[..., Call]) -> Callable[..., Call]:
        FORMS.update({name: partial(draws, name) for name in names})
        return draws

    return enter


def name_of(form: str) -> str:
    return form.partition("(")[0]


@forms(
    *(f"__{name}__(floats, floats)" for name in ("add", "sub", "mul", "truediv", "gt")),
    *(f"__{name}__(floats, float)" for name in ("add", "sub", "mul", "truediv", "ge", "le")),
    *(f"__{name}__(float, floats)" for name in ("add", "sub", "mul", "truediv")),
    *(f"__{name}__(floats, int)" for name in ("truediv", "gt", "ne")),
    *(f"__{name}__(ints, int)" for name in ("add", "mul", "floordiv", "eq", "lt", "ne")),
    *("__eq__(ints, ints)", "__and__(bools, bools)", "__or__(bools, bools)", "__neg__(floats)"),
    *(f"{name}(floats, float)" for name in ("maximum", "minimum")),
    *("maximum(floats, floats)", "__pow__(floats, int)"),
    *(f"{name}(floats)" for name in ("abs", "exp", "isnan", "log", "sqrt")),
    *(f"where(bools, {rest})" for rest in ("floats, floats", "floats, float", "float, floats")),
    "where(bools, int, ints)",
)
def elementwise(form: str, s: Source) -> Call:
    """Operands that NumPy repeats to the shape of one of them; sometimes one array twice."""
    shape, args = s.shape(), []
    kinds = form.partition("(")[2].rstrip(")").split(", ")
    full = s.pick(*(i for i, kind in enumerate(kinds) if kind.endswith("s")))
    for i, kind in enumerate(kinds):
        if kind in ("float", "int"):
            args.append(scalar(form, kind, s))
        elif (
            kind == "floats"
            and args
            and kind in kinds[: len(args)]
            and s.pick(False, edges=(True,))
        ):
            args.append(next(a for a in args if isinstance(a, Operand) and a.dtype == s.dtype))
        else:
            args.append(getattr(s, kind)(shape if i == full else s.broadcast(shape)))
    return Call(name_of(form), tuple(args))


def scalar(form: str, kind: str, s: Source) -> float | int:
    if kind == "float":
        return s.number()
    if form.startswith("__pow__"):
        return 2
    if form.startswith(("__floordiv__", "__truediv__")):
        return s.pick(7, 2, 3, edges=(1, 1000))
    return s.pick(5, 255, -1, 1, edges=(0,))


@forms("__iadd__(floats, floats)", "__imul__(floats, floats)")
@forms(*(f"__{name}__(floats, float)" for name in ("iadd", "imul", "itruediv")))
def in_place(form: str, s: Source) -> Call:
    shape = s.shape(least=1)
    other = s.number() if form.endswith("float)") else s.floats(s.broadcast(shape))
    return Call(name_of(form), (s.floats(shape, written=True), other))


REDUCED = ((2, 3, 5, 7), (3, 5, 7), (5, 1031), (1, 2, 1, 3), (2, 1031, 3))


@forms(
    *(f"sum(floats, axis={axes})" for axes in ("int", "tuple")),
    *(f"sum(floats, axis={axes}, keepdims=bool)" for axes in ("int", "tuple")),
    *(f"max(floats, axis={axes}, keepdims=bool)" for axes in ("int", "tuple")),
    *("mean(floats, axis=int, keepdims=bool)", "sum(floats)"),
    *("argmax(floats, axis=int)", "argmax(floats, axis=int, keepdims=bool)"),
)
def reduction(form: str, s: Source) -> Call:
    """Over one axis or several; over an empty one only where it has a value, in a sum."""
    empty = ((3, 0, 2), (0, 3, 5)) if form.startswith("sum") else ()
    shape, options = s.pick(*REDUCED, edges=empty), {}
    if "axis=int" in form:
        options["axis"] = s.whole(0, len(shape) - 1)
    elif "axis=tuple" in form:
        axes = [i for i in range(len(shape)) if s.pick(True, False)]
        options["axis"] = tuple(axes or [0])
    if "keepdims" in form:
        options["keepdims"] = s.pick(True, False)
    return Call(name_of(form), (s.floats(shape),), options)


@forms(f"{ADD_THROUGH}(floats, [slice step], floats)", f"{ADD_THROUGH}(floats, [slice], floats)")
@forms(*(f"__getitem__(floats, [{i}])" for i in ("slice", "slice step", "int slice")))
@forms(*(f"__setitem__(floats, [{i}], floats)" for i in ("slice", "slice step", "int slice")))
@forms("__getitem__(bools, [slice step])")
def indexed(form: str, s: Source) -> Call:
    """All axes indexed; at least one by each kind of index that the form names."""
    shape = s.pick((2, 3, 5, 7), (2, 1, 7, 3, 5), (5, 11), edges=((3, 0, 5, 7),))
    kinds = form.partition("[")[2].partition("]")[0].split()
    order = [*kinds, *(s.pick(*kinds) for _ in shape[len(kinds) :])]
    axes = [n if n else 1 for n in shape]  # an int needs a place to point at
    shape = tuple(n if order[i] != "int" else axes[i] for i, n in enumerate(shape))
    index = tuple(INDICES[kind](s, n) for kind, n in zip(order, shape, strict=True))
    writes = "get" not in form
    x = s.bools(shape) if "bools" in form else s.floats(shape, written=writes)
    rest = [s.floats(x.values[index].shape)] if writes else []
    return Call(name_of(form), (x, index, *rest))


def stretch(s: Source, n: int) -> slice:
    start = s.whole(0, n)
    return s.pick(slice(start, s.whole(start, n)), slice(None), slice(0, n), slice(start, None))


INDICES: dict[str, Callable[[Source, int], Any]] = {
    "slice": stretch,
    "step": lambda s, n: slice(s.whole(0, min(n, 2)), n, s.whole(2, 3)),
    "int": lambda s, n: s.whole(0, n - 1),
}


@forms("reshape(floats, tuple)", "reshape(ints, tuple)")
def reshaped(form: str, s: Source) -> Call:
    shape = s.shape()
    new = [n for n in shape if n != 1]
    if len(new) > 1 and s.pick(True, False):
        at = s.whole(0, len(new) - 2)
        new[at : at + 2] = [new[at] * new[at + 1]]
    for _ in range(s.whole(0, 4 - min(len(new), 4))):
        new.insert(s.whole(0, len(new)), 1)
    if new and math.prod(shape) and s.pick(True, False):
        new[s.whole(0, len(new) - 1)] = -1
    return Call("reshape", (s.ints(shape) if "ints" in form else s.floats(shape), tuple(new)))


@forms("expand_dims(floats, axis=int)", "expand_dims(ints, axis=int)")
@forms("matrix_transpose(floats)", "broadcast_to(floats, tuple)", "take(floats, ints, axis=int)")
def moved(form: str, s: Source) -> Call:
    name, shape = name_of(form), s.shape(least=2)
    if name == "broadcast_to":
        return Call(name, (s.floats(s.broadcast(shape)), shape))
    if name == "matrix_transpose":
        return Call(name, (s.floats(shape),))
    if name == "expand_dims":
        x = s.ints(shape) if "ints" in form else s.floats(shape)
        return Call(name, (x,), {"axis": s.whole(0, len(shape))})
    axis = s.pick(*(i for i, n in enumerate(shape) if n))
    indices = s.ints((s.pick(5, 11, edges=(1, 0)),), below=shape[axis])
    return Call(name, (s.floats(shape), indices), {"axis": axis})


@forms("concat([floats], axis=int)", "concat([floats])", "stack([floats])")
def joined(form: str, s: Source) -> Call:
    shape = s.shape(least=1) if "concat" in form else s.shape()
    options = {"axis": s.whole(0, len(shape) - 1)} if "axis" in form else {}
    along, parts = options.get("axis", 0), []
    for _ in range(s.pick(2, 3, edges=(1,))):
        length = (s.pick(1, 2, 3, edges=(0,)),) if "concat" in form else ()
        parts.append(s.floats((*shape[:along], *length, *shape[along + len(length) :])))
    return Call(name_of(form), (parts,), options)


@forms("zeros_like(floats)", "ones_like(floats)", "asarray(floats, copy=bool)")
@forms(*(f"astype({kind}, dtype)" for kind in ("floats", "bools", "ints")))
@forms("asarray(ints)")
def copied(form: str, s: Source) -> Call:
    name, shape = name_of(form), s.shape()
    if "ints" in form:
        x = s.ints(shape)
        return Call(name, (x, np.dtype("int32")) if name == "astype" else (x,))
    x = s.bools(shape) if "bools" in form else s.floats(shape)
    other = "float32" if s.dtype == np.float64 else "float64"
    to = (np.dtype(s.dtype if s.kind == "ties" else other),) if name == "astype" else ()
    return Call(name, (x, *to), {"copy": True} if "copy" in form else {})


@forms("asarray(host)", "arange(int)", "arange(int, dtype=dtype)")
@forms("full(tuple, float, dtype=dtype)", "full(tuple, int, dtype=dtype)")
@forms("zeros(tuple, dtype=dtype)", "ones(tuple, dtype=dtype)")
def created(form: str, s: Source) -> Call:
    name, options = name_of(form), {}
    if name == "asarray":
        given = np.asarray(s.pick(s.floats, s.ints, s.bools)(s.shape()).values)
        given = given[::-1].T if given.ndim else given
        return Call(name, (given,), device=True)
    if "dtype" in form:
        dtypes = ("int32", "int64", "float64") if name == "arange" else (s.dtype.name,)
        options["dtype"] = np.dtype(
            "int32" if "int, d" in form and name == "full" else s.pick(*dtypes)
        )
    if name == "arange":
        return Call(name, (s.pick(7, 1031, edges=(0, 1)),), options, device=True)
    value = {"full(tuple, f": (s.number(),), "full(tuple, i": (s.whole(-9, 9),)}.get(form[:13], ())
    return Call(name, (s.shape(), *value), options, device=True)
