"""Agreement: each side is judged alone against float64, under a bound that was known beforehand.

Every result is judged: an output, gradient or statistic that nobody claimed is an AssertionError,
as is a wrong name, shape or dtype, which no bound can measure.
"""

from __future__ import annotations

import numpy as np

from armlab.check import bounds
from armlab.check.cases import CASES
from armlab.check.example import Example
from armlab.check.functions import judge_function
from armlab.check.sides import run_hand, run_torch
from armlab.check.special import without_warnings
from armlab.check.stages import judge_stages
from armlab.check.verdict import Verdict, compare
from armlab.places import HOST, Place

__all__ = ["Verdict", "expect_agreement", "expect_equal", "judge"]


def judge(name: str, e: Example, dtype: str, place: Place = HOST) -> list[Verdict]:
    """Both sides of one case on one example, every result of each.

    A function is judged under its bound. A module is judged stage by stage in float32, where its
    wiring has to be that of float64, and as a whole in float64. In float64 torch is what hand is
    compared with, so it has no row of its own and the bound is doubled, for torch rounds as well.
    """
    with without_warnings(e):
        if CASES[name].bound is not None:
            return list(judge_function(name, e, dtype, run_hand(name, e, dtype, place)))
        if dtype == "float32":
            return list(judge_stages(name, e, dtype, place))
        exact = run_torch(name, e, dtype)
        limits = {key: bounds.whole(value) for key, value in exact.items()}
        return list(compare("hand", run_hand(name, e, dtype, place), exact, limits, dtype))


def expect_agreement(name: str, e: Example, dtype: str, place: Place = HOST) -> list[Verdict]:
    """Raise AssertionError that names the side, the result and the place of a broken bound."""
    verdicts = judge(name, e, dtype, place)
    broken = [v for v in verdicts if not v.ratio <= 1]
    assert not broken, f"{name}, {dtype}\n" + "\n".join(map(str, broken)) + f"\n{e!r}"
    return verdicts


def expect_equal(name: str, e: Example, dtype: str, place: Place = HOST) -> None:
    """Both sides on an example without rounding: not one bit apart."""
    by_hand, by_torch = run_hand(name, e, dtype, place), run_torch(name, e, dtype)
    exact = run_torch(name, e, "float64")
    zero = {k: np.zeros(()) for k in exact}
    verdicts = [*compare("hand", by_hand, exact, zero, dtype)]
    verdicts += compare("torch", by_torch, exact, zero, dtype)
    broken = [v for v in verdicts if v.error != 0]
    assert not broken, f"{name}, {dtype}, exact\n" + "\n".join(map(str, broken)) + f"\n{e!r}"
