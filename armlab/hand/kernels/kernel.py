"""What a kernel is: a row of the table, and the names that kernels share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Backward: TypeAlias = Callable[..., Any]  # of `armlab.hand.backward`, which asks the table itself
KernelBackward = Callable[[np.ndarray, bool], tuple[np.ndarray | None, np.ndarray]]


def always(*arguments: Any) -> bool:
    """It fits whatever the function takes."""
    return True


def has_axes(x: np.ndarray, *rest: Any) -> bool:
    """An array without axes becomes a number on arithmetic, and a number has no memory to reuse."""
    return x.ndim > 0


def watched(function: Callable[..., Any]) -> bool:
    """Whether another one stands in the place of this function of `armlab.hand`, see `armlab.swap`.

    Who looks at the parts of a whole wants to see them run.
    """
    return not function.__module__.startswith("armlab.hand.")


def keeps(x: Any, bn: Any, norm: Callable[..., Any], *act: Callable[..., Any]) -> bool:
    """`hand.batch_norm` and an activation or none, and nobody who watches either of them.

    With one value a channel nothing can be normalised; an empty batch only counts.
    """
    return x.shape[0] * x.shape[2] * x.shape[3] > 1 and as_kept(x, bn, norm, *act)


def as_kept(x: Any, bn: Any, norm: Callable[..., Any], *act: Callable[..., Any]) -> bool:
    """A normalisation of `armlab.hand` and an activation, and nobody who watches either of them."""
    known = {"batch_norm", "batch_norm_eval", "relu", "leaky_relu"}
    return all(part.__name__ in known and not watched(part) for part in (norm, *act))


def of_layer(back: Backward) -> Backward:
    """The backward of a normalisation, which gives (dx, dw, db), with the gradients by name."""

    def backward(dy: Any) -> tuple[Any, dict[str, Any]]:
        dx, dw, db = back(dy)
        return dx, {"weight": dw, "bias": db}

    return backward


@dataclass(frozen=True)
class Kernel:
    """A fast version of one function, for the arrays of one library.

    function  the name that the specification asks for
    library   whether it is for this array namespace
    run       the fast version
    fits      whether it can do this call and is worth it; has the arguments of `run`
    """

    function: str
    library: Callable[[Any], bool]
    run: Callable[..., Any]
    fits: Callable[..., bool] = always


def sum_of(parts: list[np.ndarray]) -> np.ndarray:
    """What the parts of a batch give dw together. The first one is added to."""
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def clear_unmet(dw: np.ndarray, rows: Iterable[slice], columns: Iterable[slice]) -> None:
    """0 for the taps (R, S, …) of dw under which there was padding alone: no row or no column of y.

    Where dy is moved out of sight by 0, an infinity in x would make a product with it NaN.
    """
    for r, met in enumerate(rows):
        if met.start == met.stop:
            dw[r] = 0.0
    for s, met in enumerate(columns):
        if met.start == met.stop:
            dw[:, s] = 0.0


def clear_unmet_columns(dx: np.ndarray, columns: Iterable[slice]) -> None:
    """0 for the columns of dx that no tap met: there an infinity in w would become NaN likewise."""
    unmet = np.ones(dx.shape[-1], bool)
    for met in columns:
        unmet[met] = False
    if unmet.any():
        dx[..., unmet] = 0.0


def products(y: np.ndarray, w: np.ndarray) -> int:
    """Multiply-adds of a convolution with this y and w: how much there is to share out."""
    return y.size * (w.size // len(w))
