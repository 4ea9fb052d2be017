"""How calls of products are drawn: matrices, stacks of them, vectors."""

import numpy as np
from cupy_calls import Call, Operand, Shape
from cupy_draws import Source
from cupy_forms import forms, name_of

BATCHES: tuple[tuple[Shape, Shape], ...] = (
    *(((3, 2), (3, 2)), ((), ()), ((2,), (3, 2)), ((3, 2), ()), ((), (3,)), ((3, 1), (1, 2))),
    *(((1, 2), (3, 2)), ((0, 2), (2,)), ((5,), (5,)), ((1,), (4,)), ((2, 1, 3), (3,))),
)
INNER = (3, 7, 67)
SIDES = (5, 2, 11)
SHORT = (1, 0)


@forms("__matmul__(floats, floats)")
def matmul(form: str, s: Source) -> Call:
    """Matrices and stacks of them, repeated or not; a vector on either side or on both."""
    (batch, other), k = s.pick(*BATCHES), s.pick(*INNER, edges=SHORT)
    rows, columns = (s.pick(*SIDES, edges=SHORT) for _ in range(2))
    x, y = (*batch, rows, k), (*other, k, columns)
    vector = s.pick("", "y", "", "x", "", "both")
    x = (k,) if vector in ("x", "both") else x
    y = (k,) if vector in ("y", "both") else y
    whole = np.broadcast_shapes(x[:-2], y[:-2])
    return Call("__matmul__", (factor(s, x, whole), factor(s, y, whole)))


def factor(s: Source, shape: Shape, batch: Shape) -> Operand:
    """An operand whose stack of matrices is repeated to `batch`."""
    x = s.floats(shape)
    repeated = x.shape[:-2] != batch
    if repeated and x.layout == "negative strides":  # see test_matmul_of_a_reversed_axis_of_one
        return Operand(x.values, "tap")
    return Operand(x.values, s.pick(x.layout, "tap")) if len(shape) > 1 else x


@forms("vecdot(floats, floats)", "dot(floats, floats)", "tensordot(floats, floats, axes=int)")
def dots(form: str, s: Source) -> Call:
    k, name = s.pick(*INNER, edges=SHORT), name_of(form)
    if name == "vecdot":
        shape = (*s.pick((3, 2), (), (5,), (0, 2)), k)
        x = s.floats(shape)
        return Call(name, (x, x if s.pick(False, edges=(True,)) else s.floats(shape)))
    if name == "dot":
        x, y = s.pick(((k,), (k,)), ((5, k), (k,)), ((k,), (k, 3)), ((5, k), (k, 3)))
        return Call(name, (s.floats(x), s.floats(y)))
    inner = s.pick((k,), (k, 2), (2, 1, k))
    x, y = (*s.pick((5,), (), (3, 2)), *inner), (*inner, *s.pick((2, 5), (), (3,)))
    return Call(name, (s.floats(x), s.floats(y)), {"axes": len(inner)})
