"""Kinds of faults: wrong in one dtype alone, in one mode, on one layout, or at one place.

A test that tries one of two dtypes, or judges some of the results in one of them, sees every fault
of the catalogue and none of these. So a wrong version can be planted for some calls only, and the
right one runs for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any

from array_api_compat import is_numpy_array

from armlab import hand
from armlab.arrays import Array, dtype_name

if TYPE_CHECKING:
    from armlab.check.fault import Fault

WITHOUT_ARRAYS = ("window",)  # its functions see sizes alone
AUXILIARY = ("bisenet", "three_scale_bisenet")  # their faults are in heads that training alone has
STATISTICS = "BatchNorm2d.keep"  # which training alone keeps
Applies = Callable[[Any, Array], bool]  # (the module or None, the first array of the call)


def _in_rows(x: Array) -> bool:
    """Whether a NumPy array lies in memory in the order of its axes."""
    return not is_numpy_array(x) or bool(x.flags["C_CONTIGUOUS"])


KINDS: dict[str, Applies] = {
    "in float32 alone": lambda module, x: dtype_name(x) == "float32",
    "in float64 alone": lambda module, x: dtype_name(x) == "float64",
    "in training alone": lambda module, x: module is not None and module.training,
    "in evaluation alone": lambda module, x: module is not None and not module.training,
    "on other layouts alone": lambda module, x: not _in_rows(x),
    "off the host alone": lambda module, x: not is_numpy_array(x),
}


def applies_to(kind: str, fault: Fault) -> bool:
    """Whether a fault can be of this kind.

    A constructor sees no array, a function by itself has no mode, a kernel never runs on a device,
    and what only other functions call is handed what they made, in rows.
    """
    if "__init__" in fault.function or fault.file in WITHOUT_ARRAYS:
        return False
    if kind.startswith("in training"):
        return fault.function[0].isupper()
    if kind.startswith("in evaluation"):
        runs = fault.file not in AUXILIARY and fault.function != STATISTICS
        return fault.function[0].isupper() and runs
    if kind.startswith("on other layouts"):
        first, *methods = fault.function.split(".")
        return first in hand.__all__ and not any(name.startswith("_") for name in methods)
    return not (kind.startswith("off the host") and fault.file.startswith("kernels/"))


def for_some_calls(replacements: Mapping[Any, Any], kind: str) -> dict[Any, Any]:
    """From right to wrong functions and classes, to those that are wrong for some calls alone."""
    applies = KINDS[kind]
    return {
        right: _function(right, wrong, applies)
        if isinstance(right, FunctionType)
        else _class(right, wrong, applies)
        for right, wrong in replacements.items()
    }


def _function(right: Any, wrong: Any, applies: Applies) -> Any:
    @wraps(right)
    def either(*args: Any, **kwargs: Any) -> Any:
        arrays = _arrays(args, kwargs)
        run = wrong if arrays and applies(None, arrays[0]) else right
        return run(*args, **kwargs)

    return either


def _class(right: type, wrong: type, applies: Applies) -> type:
    """A subclass of both, each method of which is that of one or of the other."""
    methods = {
        name: _method(method, vars(wrong)[name], applies)
        for name, method in vars(right).items()
        if isinstance(method, FunctionType) and name != "__init__"
    }
    return type(right.__name__, (wrong, right), methods)


def _method(right: Any, wrong: Any, applies: Applies) -> Any:
    @wraps(right)
    def either(self: Any, *args: Any, **kwargs: Any) -> Any:
        arrays = _arrays(args, kwargs)
        run = wrong if arrays and applies(self, arrays[0]) else right
        return run(self, *args, **kwargs)

    return either


def _arrays(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Array]:
    return [a for a in (*args, *kwargs.values()) if hasattr(a, "dtype")]
