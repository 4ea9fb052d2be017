"""Wrong versions of CuPy's functions and operators, each of which its property has to notice.

A fault is entered by its form; its name is that of the function below. It is handed the right
function and the arguments, and calls CuPy as a kernel with this mistake would.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

FAULTS: dict[str, tuple[str, Callable[..., Any]]] = {}


def fault(form: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def enter(wrong: Callable[..., Any]) -> Callable[..., Any]:
        FAULTS[wrong.__name__.replace("_", " ")] = (form, wrong)
        return wrong

    return enter


def scaled(right, *args, by=1.00001, **options):
    y = right(*args, **options)
    return y * y.dtype.type(by)


def in_float32(right, *args, **options):
    """Computed in float32, and handed over in the dtype that it should have."""

    def single(a):
        return a.astype("f4") if hasattr(a, "dtype") and a.dtype == "f8" else a

    y = right(*map(single, args), **options)
    return y.astype(args[0].dtype) if y.dtype.kind == "f" else y


def one_element_wrong(right, *args, **options):
    """The last element of the result, or of what is written, is off by 0.1 % and 2⁻¹⁰, or by 1."""
    import cupy

    y = right(*args, **options)
    target = args[0] if y is None else y if y is args[0] or y.base is None else y.copy()
    wrong = target.ravel()
    if wrong.size and wrong.dtype.kind == "b":
        wrong[-1] = ~wrong[-1]
    elif wrong.size:
        wrong[-1] = wrong[-1] + (1 if wrong.dtype.kind != "f" else abs(wrong[-1]) / 1024 + 2.0**-10)
    target[...] = cupy.reshape(wrong, target.shape)
    return None if y is None else target


# -- sums and products -----------------------------------------------------------------------


@fault("sum(floats, axis=int, keepdims=bool)")
def sum_over_the_wrong_axis(right, x, axis, keepdims):
    return right(x, axis=(axis + 1) % x.ndim, keepdims=keepdims)


@fault("sum(floats, axis=tuple)")
def sum_of_one_term_too_few(right, x, axis):
    index = [slice(None)] * x.ndim
    index[axis[0]] = slice(1, None)
    return right(x[tuple(index)], axis=axis)


@fault("sum(floats)")
def sum_in_float32(right, x):
    return in_float32(right, x)


@fault("sum(floats, axis=int)")
def sum_that_drops_nan(right, x, axis):
    import cupy

    return cupy.nansum(x, axis=axis)


@fault("mean(floats, axis=int, keepdims=bool)")
def mean_over_one_too_few(right, x, axis, keepdims):
    return right(x, axis=axis, keepdims=keepdims) * x.shape[axis] / max(x.shape[axis] - 1, 1)


@fault("__matmul__(floats, floats)")
def product_scaled_by_1_00001(right, x, y):
    return scaled(right, x, y)


@fault("__matmul__(floats, floats)")
def product_as_if_the_stack_were_not_repeated(right, x, y):
    return right(x[:1], y) if x.ndim > 2 else right(x, y)


@fault("vecdot(floats, floats)")
def dot_of_absolute_values(right, x, y):
    return right(abs(x), y)


# -- one operation each ----------------------------------------------------------------------


@fault("__add__(floats, floats)")
def sum_of_two_in_float32(right, x, y):
    return in_float32(right, x, y)


@fault("__sub__(floats, float)")
def a_difference_the_wrong_way_round(right, x, y):
    return -right(x, y)


@fault("__mul__(float, floats)")
def a_number_that_widens_the_array(right, x, y):
    return right(x, y).astype("f8")


@fault("__mul__(floats, floats)")
def double_numbers_flushed_as_well(right, x, y):
    z = right(x, y)
    return z * (abs(z) >= np.finfo(z.dtype).tiny)


@fault("__truediv__(floats, floats)")
def a_division_by_the_reciprocal(right, x, y):
    return x * right(1.0, y)


@fault("__neg__(floats)")
def zero_minus_x(right, x):
    return 0.0 - x


@fault("abs(floats)")
def absolute_value_in_place(right, x):
    x[...] = right(x)
    return x.copy()


@fault("sqrt(floats)")
def a_root_off_by_one_bit(right, x):
    y = right(x)
    return y * (1 + np.finfo(y.dtype).eps)


@fault("__floordiv__(ints, int)")
def division_that_truncates(right, x, y):
    return (x / y).astype(x.dtype)


@fault("__gt__(floats, floats)")
def greater_or_equal(right, x, y):
    return x >= y


@fault("__eq__(ints, ints)")
def equality_of_the_low_bytes(right, x, y):
    return right(x.astype("i1"), y.astype("i1"))


@fault("maximum(floats, floats)")
def maximum_without_nan(right, x, y):
    import cupy

    return cupy.fmax(x, y)


@fault("max(floats, axis=int, keepdims=bool)")
def the_largest_absolute_value(right, x, axis, keepdims):
    return right(abs(x), axis=axis, keepdims=keepdims)


@fault("argmax(floats, axis=int)")
def the_last_of_the_largest(right, x, axis):
    last = x.shape[axis] - 1
    return last - right(
        x[tuple(slice(None, None, -1 if i == axis else 1) for i in range(x.ndim))], axis=axis
    )


@fault("where(bools, floats, floats)")
def a_mask_that_multiplies(right, c, x, y):
    return c * x + (1 - c.astype(x.dtype)) * y


@fault("exp(floats)")
def exp_two_neighbours_off(right, x):
    import cupy

    y = right(x)
    return cupy.nextafter(cupy.nextafter(y, y * 2), y * 2)


@fault("__pow__(floats, int)")
def a_power_by_logarithms(right, x, n):
    import cupy

    return cupy.exp(n * cupy.log(x))


# -- what moves ------------------------------------------------------------------------------


@fault("astype(floats, dtype)")
def a_cast_that_truncates(right, x, dtype):
    import cupy

    y = right(x, dtype)
    return cupy.where(abs(y) > abs(x), cupy.nextafter(y, y.dtype.type(0)), y)


@fault("astype(ints, dtype)")
def a_cast_that_saturates(right, x, dtype):
    return right(x.clip(-100, 100), dtype)


@fault("asarray(floats, copy=bool)")
def no_copy(right, x, copy):
    return x


@fault("asarray(host)")
def a_copy_in_the_order_of_memory(right, x, device):
    return right(x.ravel("K").reshape(x.shape), device=device)


@fault("__getitem__(floats, [slice step])")
def steps_of_one(right, x, index):
    y = right(x, index)
    return right(x, tuple(slice(i.start, i.stop) for i in index))[tuple(map(slice, y.shape))]


@fault("__setitem__(floats, [slice], floats)")
def one_row_too_many(right, x, index, y):
    right(x, index, y)
    x[-1:] = y[-1:].sum()


@fault("add_through(floats, [slice step], floats)")
def an_addition_that_does_not_reach_the_array(right, x, index, y):
    x[index] + y


@fault("__iadd__(floats, floats)")
def an_addition_to_a_copy(right, x, y):
    return x + y


@fault("__imul__(floats, float)")
def a_product_that_ignores_strides(right, x, y):
    whole = x if x.base is None else x.base
    whole *= y
    whole[...] = whole + 0.0
    return x


@fault("take(floats, ints, axis=int)")
def indices_off_by_one(right, x, indices, axis):
    return right(x, indices + 1, axis=axis)


@fault("reshape(floats, tuple)")
def columns_first(right, x, shape):
    import cupy

    return cupy.reshape(x, shape, order="F")


@fault("concat([floats], axis=int)")
def the_last_part_first(right, parts, axis):
    return right(parts[::-1], axis=axis)


@fault("matrix_transpose(floats)")
def all_axes_turned(right, x):
    return x.T


@fault("zeros_like(floats)")
def memory_that_nobody_cleared(right, x):
    import cupy

    return cupy.full_like(x, np.nan)


@fault("arange(int)")
def a_range_of_int32(right, n, device):
    return right(n, dtype="i4")
