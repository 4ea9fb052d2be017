"""Both sides have to do the same before it is worth knowing which is faster."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def errors(mine: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> dict[str, float]:
    """‖mine - other‖ / ‖other‖ of each result; infinite for what is missing, misshapen, NaN."""
    found = {}
    for key in {**mine, **others}:
        if key not in mine or key not in others or mine[key].shape != others[key].shape:
            found[key] = float("inf")
            continue
        want = others[key].astype(np.float64)
        off, size = _norm(mine[key] - want), _norm(want)
        error = off / size if size else float(off > 0)
        found[key] = float("inf") if np.isnan(error) else error
    return found


def _norm(a: np.ndarray) -> float:
    return float(np.sqrt(np.sum(a * a)))
