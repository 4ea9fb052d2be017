"""Agreement: each side is judged alone against float64, under a bound that was known beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from armlab.arrays import HOST, Place, to_host
from armlab.check import bounds
from armlab.check.cases import CASES, Case, batch_norm
from armlab.check.example import Example
from armlab.check.sides import Results, run_hand, run_hand_arrays, run_torch
from armlab.check.stages import as_example
from armlab.watch import Call, watched

ROUNDOFF = {"float32": 2.0**-24, "float64": 2.0**-53}


@dataclass(frozen=True)
class Verdict:
    """The largest error of one result on one side, next to the bound at that place."""

    result: str
    side: str
    error: float
    bound: float
    ratio: float
    place: tuple[int, ...] = ()
    stage: str = ""
    inner: bool = False  # a value between two stages of a module, not a result of it

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place else ""
        stage = f" (in {self.stage})" if self.stage else ""
        return (
            f"{self.side}: {self.result}{stage}{where} is off by {self.error:.3g}, "
            f"{self.ratio:.3g} times its bound {self.bound:.3g}"
        )


def judge(name: str, e: Example, dtype: str, place: Place = HOST) -> list[Verdict]:
    """Both sides of one case on one example, every result of each.

    A function is judged under its bound. A module is judged stage by stage in float32 and as a
    whole in float64. In float64 torch is what hand is compared with, so it has no row of its own
    and the bound is doubled, for torch rounds as well.
    """
    case = CASES[name]
    if case.bound is not None:
        return list(_judge_function(case, e, dtype, run_hand(name, e, dtype, place)))
    if dtype == "float64":
        exact = run_torch(name, e, dtype)
        limits = {key: bounds.whole(value) for key, value in exact.items()}
        return list(_compare("hand", run_hand(name, e, dtype, place), exact, limits, dtype))
    return list(_judge_stages(name, e, dtype, place))


def _judge_function(case: Case, e: Example, dtype: str, by_hand: Results) -> Iterator[Verdict]:
    assert case.bound is not None
    u = ROUNDOFF[dtype]
    exact = run_torch(case.name, e, "float64")
    limits = case.bound(e, exact, u)
    if dtype == "float64":
        doubled = {k: None if b is None else 2 * b for k, b in limits.items()}
        yield from _compare("hand", by_hand, exact, doubled, dtype)
    else:
        yield from _compare("hand", by_hand, exact, limits, dtype)
        yield from _compare("torch", run_torch(case.name, e, dtype), exact, limits, dtype)


def _judge_stages(name: str, e: Example, dtype: str, place: Place) -> Iterator[Verdict]:
    """Each stage on its own inputs; a result of the module is named as the module names it."""
    with watched() as calls:
        results, _ = run_hand_arrays(name, e, dtype, place)
    names = {id(a): key for key, a in results.items()}
    for stage in calls:
        if stage.dy is None:
            continue
        example, found = as_example(stage), stage.values | stage.grads
        by_hand = {k: None if a is None else to_host(a) for k, a in found.items()}
        known = {k: names.get(id(a), "") for k, a in found.items()}
        for v in _judge_function(CASES[stage.name], example, dtype, by_hand):
            result = known.get(v.result) or v.result
            yield replace(v, result=result, stage=stage.name, inner=not known.get(v.result))
        if stage.name == "batch_norm":
            yield from _judge_running(stage, example, known["dw"], e, results, dtype)


def _judge_running(
    stage: Call, example: Example, weight_key: str, e: Example, results: Results, dtype: str
) -> Iterator[Verdict]:
    """Running statistics: the old ones and those of the batch, mixed; three roundings more."""
    u, prefix = ROUNDOFF[dtype], weight_key.removesuffix("weight")
    exact = run_torch("batch_norm", example, "float64")
    in_torch = run_torch("batch_norm", example, dtype)
    limits = batch_norm.bound(example, exact, u)
    n, _, h, w = example.dy.shape
    new = e.options.get("momentum", 0.1)
    for key, unbiased in (("mean", 1.0), ("var", n * h * w / max(n * h * w - 1, 1))):
        assert e.state is not None
        old = (1 - new) * e.state[f"{prefix}running_{key}"]
        want = old + new * unbiased * exact[key]
        limit = new * unbiased * limits[key] + 4 * u * (np.abs(old) + np.abs(want))
        result = f"{prefix}running_{key}"
        got = {
            "hand": to_host(results[result]),
            "torch": (old.astype(dtype) + np.asarray(new * unbiased, dtype) * in_torch[key]),
        }
        for side, value in got.items():
            yield from _compare(side, {result: value}, {result: want}, {result: limit}, dtype)


def _compare(
    side: str, got: Results, want: Results, limits: dict[str, Any], dtype: str
) -> Iterator[Verdict]:
    assert list(got) == list(want), f"{side}: gave {list(got)}, expected {list(want)}"
    for key, exact in want.items():
        value, limit = got[key], limits[key]
        if exact is None:
            assert value is None, f"{side}: {key} of an absent input is not None"
            continue
        assert value.shape == exact.shape, f"{side}: {key} is {value.shape}, not {exact.shape}"
        kind = "int64" if key.endswith("num_batches_tracked") else dtype
        assert str(value.dtype) == kind, f"{side}: {key} is {value.dtype}, not {kind}"
        yield _worst(side, key, value, exact, np.broadcast_to(limit, exact.shape))


def _worst(side: str, key: str, value: Any, exact: Any, limit: np.ndarray) -> Verdict:
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(value.astype(np.float64) - exact)
        error = np.where(np.isnan(error), np.inf, error)
        ratio = np.where(error == 0, 0.0, error / limit)
    if ratio.size == 0:
        return Verdict(key, side, 0.0, 0.0, 0.0)
    at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    place = tuple(int(i) for i in at)
    return Verdict(key, side, float(error[at]), float(limit[at]), float(ratio[at]), place)


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
    verdicts = [*_compare("hand", by_hand, exact, zero, dtype)]
    verdicts += _compare("torch", by_torch, exact, zero, dtype)
    broken = [v for v in verdicts if v.error != 0]
    assert not broken, f"{name}, {dtype}, exact\n" + "\n".join(map(str, broken)) + f"\n{e!r}"
