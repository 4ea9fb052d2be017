"""One function on one example: each side against float64, under the bound of its case."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from armlab.check.cases import CASES
from armlab.check.example import Example, by_name
from armlab.check.sides import Results, run_torch
from armlab.check.verdict import Verdict, compare

ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}  # the largest relative error of one rounding


def judge_function(
    name: str, e: Example, dtype: str, by_hand: Results, forward_alone: bool = False
) -> Iterator[Verdict]:
    """A verdict for each result; in float64 the bound is doubled, as torch rounds too.

    forward_alone  the backward did not run, so there are no gradients

    Of an example with special values, results are judged where these cannot reach: as they are
    without them.
    """
    case = CASES[name]
    assert case.bound is not None, f"{name} is a module, and has no bound of its own"
    clean = e if e.clean is None else e.clean
    exact = run_torch(name, clean, "float64")
    limits = case.bound(clean, exact, ROUNDOFF[dtype])
    exact = _asked(exact, forward_alone)
    within = None if e.clean is None else _unreached(e, exact, run_torch(name, e, "float64"))
    if dtype == "float64":
        doubled = {key: None if limits[key] is None else 2 * limits[key] for key in exact}
        yield from compare("hand", by_hand, exact, doubled, dtype, within)
    else:
        yield from compare("hand", by_hand, exact, limits, dtype, within)
        by_torch = _asked(run_torch(name, e, dtype), forward_alone)
        yield from compare("torch", by_torch, exact, limits, dtype, within)


def _asked(results: Results, forward_alone: bool) -> Results:
    return {k: a for k, a in results.items() if not (forward_alone and k.startswith("d"))}


def _unreached(e: Example, exact: Results, spoiled: Results) -> dict[str, np.ndarray | None]:
    """Where a result is the same to the last bit with the special values and without them.

    Not where they stand themselves: a NaN there may be passed by, where dy is 0 or the slope 1.
    """
    given = [a for a in (*e.inputs.values(), *by_name("dy", e.dy).values()) if a is not None]
    found: dict[str, np.ndarray | None] = {}
    for key, a in exact.items():
        same = None if a is None else np.asarray(a == spoiled[key])
        for b in given:
            same = same & np.isfinite(b) if same is not None and same.shape == b.shape else same
        found[key] = same
    return found
