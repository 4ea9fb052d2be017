"""One call held to NumPy's: the result by the rule of its function, and its operands afterwards."""

import numpy as np
from cupy_calls import ADD_THROUGH, Call, Made
from cupy_rules import RULES, moves

from armlab.arrays import Array, to_host
from armlab.places import HOST, Place

WRITING = ("__iadd__", "__imul__", "__itruediv__", "__setitem__", ADD_THROUGH)
COPIES = ("astype", "concat", "stack", "take", "zeros_like", "ones_like")


def judge(call: Call, where: Place) -> None:
    """Hold a call at this place to NumPy's: result, dtype, shape, and what is left of operands.

    Raises AssertionError, which opens with the form of the call.
    """
    with np.errstate(all="ignore"):
        made = call.at(where)
        wrong = next(filter(None, (*_operands(call, made), *_result(call, made))), "")
    layouts = ", ".join(f"{a.dtype} {a.shape} {a.layout}" for a in call.operands())
    assert not wrong, f"{call.form()}: {wrong}; operands {layouts}"


def _operands(call: Call, made: Made) -> list[str]:
    """Of each operand: all of its memory is as NumPy leaves it, and a copy is not in it."""
    wrong = []
    new = call.name in COPIES or "copy" in call.options
    for i, (operand, array) in enumerate(zip(call.operands(), made.operands, strict=True)):

        def memory(made: Made, i: int = i) -> np.ndarray:
            return to_host(_root(made.operands[i]))

        written = call.name in WRITING and operand is call.args[0]
        found = (RULES[call.name] if written else moves)(call, memory(made), memory)
        wrong += [f"in the memory of operand {i}, {found}" if found else ""]
        if new and _root(made.result) is _root(array):
            wrong += [f"expected new memory, got that of operand {i}"]
    return wrong


def _root(a: Array) -> Array:
    """The array that owns the memory of this one."""
    return a if a.base is None else _root(a.base)


def _result(call: Call, made: Made) -> list[str]:
    if call.name in WRITING:
        other = call.name.startswith("__i") and made.result is not made.operands[0]
        return ["expected the array itself as the result, got another"] * other
    got, want = to_host(made.result), _look_at_result(call.at(HOST))
    if (want.dtype, want.shape) != (got.dtype, got.shape):
        return [f"expected {want.dtype} {want.shape}, got {got.dtype} {got.shape}"]
    return [RULES[call.name](call, got, _look_at_result)]


def _look_at_result(made: Made) -> np.ndarray:
    return np.asarray(made.result)
