"""The stages of a composite: each function that it calls, judged alone on the inputs it really had.

A bound for a whole network would be loose beyond use. So a module runs by hand while it is
watched, and every call becomes an example of its own. A result that no call made was moved,
counted or left as it was, and has to be what PyTorch has to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from armlab.arrays import to_host
from armlab.check.cases import batch_norm
from armlab.check.example import Example
from armlab.check.functions import ROUNDOFF, judge_function
from armlab.check.sides import HandRun, run_hand_arrays, run_torch
from armlab.check.verdict import Verdict, compare
from armlab.check.wiring import expect_same_wiring, wiring
from armlab.hand.upstream import WITH_STATISTICS
from armlab.places import Place
from armlab.watch import Call, watched


def judge_stages(name: str, e: Example, dtype: str, place: Place) -> Iterator[Verdict]:
    """Each stage on its own inputs; a result of the module is named as the module names it.

    Raises AssertionError where the stages are wired otherwise than in float64 at this place, which
    is judged as a whole, and where a result comes from no stage.
    """
    run, calls = _watched_run(name, e, dtype, place)
    names = {id(a): key for key, a in run.results.items()}
    found: list[Verdict] = []
    for call in calls:
        found += _judge_call(call, names, dtype)
        if call.name in WITH_STATISTICS and call.dy is not None and not call.inside:
            found += _judge_running(call, names, e, run, dtype)
    claimed = {v.result for v in found if not v.inner}
    found += _judge_unclaimed(name, e, dtype, run, claimed)
    expect_same_wiring(wiring(run, calls), wiring(*_watched_run(name, e, "float64", place)))
    left_out = run.results.keys() - {v.result for v in found if v.side == "hand"}
    assert not left_out, f"hand: {', '.join(sorted(left_out))} of {name} was judged by nobody"
    yield from found


def _watched_run(name: str, e: Example, dtype: str, place: Place) -> tuple[HandRun, list[Call]]:
    with watched() as calls:
        run = run_hand_arrays(name, e, dtype, place)
    return run, calls


def as_example(call: Call) -> Example:
    """The same call on its own, with its inputs taken as they are.

    Of a call whose backward did not run, the upstream gradient is zero.
    """
    options = {k: _host(v) for k, v in call.options.items()}
    inputs = {k: _host(v) for k, v in call.inputs.items()}
    if call.dy is None:
        return Example(inputs, options, np.zeros(call.values["y"].shape))
    several = isinstance(call.dy, tuple)
    dy = tuple(_host(d) for d in call.dy) if several else np.asarray(_host(call.dy), np.float64)
    return Example(inputs, options, dy)


def _judge_call(call: Call, names: dict[int, str], dtype: str) -> Iterator[Verdict]:
    """What the call gave: its values, and its gradients where its backward ran."""
    arrays = call.values | call.grads
    by_hand = {k: None if a is None else to_host(a) for k, a in arrays.items()}
    forward_alone = call.dy is None
    for v in judge_function(call.name, as_example(call), dtype, by_hand, forward_alone):
        a = arrays[v.result]
        known = names.get(id(a), "")
        yield replace(v, result=known or v.result, stage=call.name, inner=not known)


def _judge_running(
    call: Call, names: dict[int, str], e: Example, run: HandRun, dtype: str
) -> Iterator[Verdict]:
    """Running statistics: the old ones and those of the batch, mixed; three roundings more."""
    u, prefix = ROUNDOFF[dtype], names[id(call.grads["dw"])].removesuffix("weight")
    example = replace(as_example(call), options={"eps": call.options["eps"]})
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
            "hand": to_host(run.results[result]),
            "torch": (old.astype(dtype) + np.asarray(new * unbiased, dtype) * in_torch[key]),
        }
        for side, value in got.items():
            yield from compare(side, {result: value}, {result: want}, {result: limit}, dtype)


def _judge_unclaimed(
    name: str, e: Example, dtype: str, run: HandRun, claimed: set[str]
) -> Iterator[Verdict]:
    """Counters, statistics in evaluation mode, zeros of a head without a part in the output."""
    results, exact = run.on_host(), run_torch(name, e, "float64")
    assert list(results) == list(exact), f"hand: gave {list(results)}, expected {list(exact)}"
    for key in (key for key in results if key not in claimed):
        for v in compare("hand", {key: results[key]}, {key: exact[key]}, {key: 0.0}, dtype):
            assert v.error == 0, f"{v}: it is the result of no judged call"
            yield v


def _host(value: Any) -> Any:
    if value is None or not hasattr(value, "shape"):
        return value
    a = np.asarray(to_host(value))
    return a if a.dtype.kind == "i" else a.astype(np.float64)
