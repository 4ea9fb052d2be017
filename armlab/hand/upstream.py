"""The gradient that a backward is given: refused where it is none of its y.

A dy of another shape would be repeated and one of another dtype would widen float32, in silence:
the gradients would be wrong. Every module asks here when it is called, and every function as
`armlab.hand` exports it. Within `armlab.hand` functions call each other as they stand, since
there each dy comes from a backward that returned the shape of its own input.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import Any

from array_api_compat import is_array_api_obj

from armlab.arrays import dtype_name
from armlab.hand.backward import Backward

WITH_STATISTICS = ("batch_norm", "batch_norm_activated")  # their value is (y, mean, var)
Like = tuple[Any, tuple[int, ...], Any]  # class, shape and dtype of a y: not its values


def from_outside(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose backward refuses what is no gradient of its y."""
    name = function.__name__

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> tuple[Any, Backward]:
        value, backward = function(*args, **kwargs)
        return value, judging(name, value[0] if name in WITH_STATISTICS else value, backward)

    return call


def judging(name: str, y: Any, backward: Backward, unused: bool = False) -> Backward:
    """The same backward, which first raises ValueError or TypeError for what is no gradient of y.

    unused  whether dy may have None for one of several outputs
    """
    several = isinstance(y, tuple)
    likes: list[Like] = [(type(a), tuple(a.shape), a.dtype) for a in (y if several else (y,))]

    def judged(dy: Any, **options: bool) -> Any:
        given: tuple[Any, ...] = _each(name, dy, len(likes)) if several else (dy,)
        for d, like in zip(given, likes, strict=True):
            kind, shape, dtype = like
            if type(d) is kind and d.dtype == dtype and tuple(d.shape) == shape:
                continue  # the usual case: this is asked at every step
            if not (d is None and unused and several):
                _expect_like(name, d, like)
        return backward(dy, **options)

    judged.__wrapped__ = backward  # type: ignore[attr-defined]  # its signature is the same
    return judged


def _each(name: str, dy: Any, count: int) -> Any:
    none = sum(d is None for d in dy) if isinstance(dy, tuple) else 0
    if not isinstance(dy, tuple) or len(dy) != count or none == count:
        what = f"{len(dy)}, {none} of them None" if isinstance(dy, tuple) else type(dy).__name__
        raise ValueError(
            f"{name}'s backward expected a tuple of {count} gradients, at least one of them not "
            f"None, got {what}: give one for each output"
        )
    return dy


def _expect_like(name: str, dy: Any, like: Like) -> None:
    kind, shape, dtype = like
    if shape == () and isinstance(dy, Real) and not hasattr(dy, "dtype"):
        return  # of a loss: backward(1.0)
    library, got = (k.__module__.partition(".")[0] for k in (kind, type(dy)))
    if not is_array_api_obj(dy) or not (got == library or isinstance(dy, kind)):
        got = f"an array of {got}" if is_array_api_obj(dy) else type(dy).__qualname__
        raise TypeError(
            f"{name}'s backward expected dy as an array of {library} like its y, got {got}: "
            "give it the gradient of y"
        )
    if dy.dtype != dtype:
        wanted = str(dtype).rpartition(".")[2]
        raise TypeError(
            f"{name}'s backward expected dy in {wanted} like its y, got {dtype_name(dy)}: "
            "convert it first, for example dy.astype(y.dtype)"
        )
    if tuple(dy.shape) != shape:
        raise ValueError(
            f"{name}'s backward expected dy as {shape} like its y, got {tuple(dy.shape)}: "
            "give one number for each of y"
        )
