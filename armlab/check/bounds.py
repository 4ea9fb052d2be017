"""Error bounds: how far a correct float32 (or float64) result may be from the exact one.

The bound of a function stands in its case, `armlab/check/cases/`; here is what they share. Each
takes an example, its exact results and the unit roundoff u, and returns a bound for each result,
element by element. The arguments use two facts. A sum of n rounded products, in any order, is off
by at most n u Σ|terms|. And a function of a rounded value is off by its slope times the rounding.
`TINY` allows for results below the smallest normal number. Terms of order u² are left out; n u
stays below 0.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.check.example import Example
from armlab.check.sides import run_torch

Bounds = dict[str, Any]
Exact = dict[str, np.ndarray]
TINY = 2.0**-126  # smallest normal float32; harmless for float64, where values are O(1)


def float64_inputs(e: Example) -> dict[str, Any]:
    return {k: None if v is None else np.asarray(v, np.float64) for k, v in e.inputs.items()}


def absolute(name: str, e: Example) -> Exact:
    """The same operation on absolute values, in float64."""
    inputs = {k: None if v is None else np.abs(v) for k, v in e.inputs.items()}
    return run_torch(name, Example(inputs, e.options, np.abs(e.dy)), "float64")


def sum_nhw(a: np.ndarray) -> np.ndarray:
    total: np.ndarray = a.sum(axis=(0, 2, 3))
    return total


def line_up(v: np.ndarray) -> np.ndarray:
    """A number per channel as (1, C, 1, 1)."""
    return v.reshape(1, -1, 1, 1)


def product(a: Any, da: Any, b: Any, db: Any, u: float) -> tuple[Any, Any]:
    """The product of two values that are off by da and db, and how far off it is itself."""
    error = np.abs(a) * db + np.abs(b) * da + da * db
    return a * b, error + u * (np.abs(a * b) + error)


def nothing_rounds(e: Example, exact: Exact, u: float) -> Bounds:
    """A choice among values, each passed on as it is."""
    return {name: 0 * np.abs(value) for name, value in exact.items()}


def whole(value: np.ndarray) -> np.ndarray:
    """What two correct float64 composites may differ by: 2⁻³⁰ of the largest value, at least 2⁻³⁰.

    The stages are judged one by one under bounds of their own; the whole only has to show that
    they are wired rightly, and a wrong wire changes values by as much as they are. Rounding is
    u = 1.1e-16 times a few hundred terms, amplified by at most 1 / sqrt(eps) = 316 in each of two
    batch normalisations over almost equal values: below 1e-9. Integers, which count batches, are
    exact.
    """
    if value.dtype.kind == "i":
        return np.zeros(value.shape)
    return np.full(np.shape(value), 2.0**-30 * max(1.0, float(np.max(np.abs(value), initial=0))))
