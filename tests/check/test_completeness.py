"""Nothing is left out in silence: what the judge judged is what the code by hand returned."""

from dataclasses import replace

import pytest
from hypothesis import settings

from armlab import hand
from armlab.check.agreement import judge
from armlab.check.cases import CASES
from armlab.check.devices import strict_device, torch_tensors
from armlab.check.faults import FAULTS
from armlab.check.hunt import hunt
from armlab.check.sides import run_hand
from armlab.check.special import without_warnings
from armlab.check.strata import GENERATE, for_all
from armlab.check.table import rows
from armlab.hand.add import collect
from armlab.places import HOST


def results_of(name, e, dtype, place):
    with without_warnings(e):
        results = run_hand(name, e, dtype, place)
    return {key for key, a in results.items() if a is not None}


def expect_all_judged(name, e, dtype, place):
    judged = {v.result for v in judge(name, e, dtype, place) if v.side == "hand" and not v.inner}
    assert judged == results_of(name, e, dtype, place)


def few(name):
    """Enough for both modes and each stratum of a function."""
    return CASES[name].strata(min(settings().max_examples // 12, 50))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_every_result_is_judged_on_the_host(name, dtype):
    for_all(few(name), lambda e: expect_all_judged(name, e, dtype, HOST))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_every_result_is_judged_elsewhere(name, dtype):
    def complete(e):
        expect_all_judged(name, e, dtype, torch_tensors())
        with strict_device() as where:
            expect_all_judged(name, e, dtype, where)

    for_all(few(name), complete)


def own_arithmetic(x, logits):
    """`self_gate` with a sum that it writes out itself, right to the last bit."""
    a, logits_back = logits(x)
    y, gate_back = hand.sigmoid_gate(x, a)

    def backward(dy):
        dx, da = gate_back(dy)
        dx_logits, grads = logits_back(da)
        return dx + dx_logits, grads

    return y, backward


def test_what_a_module_computes_by_itself_is_refused(monkeypatch):
    """Even where it is right: no bound would see it if it were not."""
    monkeypatch.setattr("armlab.hand.eca.self_gate", own_arithmetic)
    with pytest.raises(AssertionError, match=r"dx.* result of no judged call"):
        for_all(few("ECA"), lambda e: judge("ECA", e, "float32"), using=GENERATE)


def test_a_value_that_goes_to_the_wrong_place_is_refused(monkeypatch):
    """In float32 each stage alone is right; the wiring is not that of float64."""

    def gates_its_gate(x, logits):
        a, logits_back = logits(x)
        y, gate_back = hand.sigmoid_gate(x, a)

        def backward(dy):
            dx, da = gate_back(dy)
            dx_logits, grads = logits_back(da)
            wrong = str(dx.dtype) == "float32"
            return collect(dx, dx if wrong else dx_logits), grads

        return y, backward

    monkeypatch.setattr("armlab.hand.eca.self_gate", gates_its_gate)
    with pytest.raises(AssertionError, match="; in float64 "):
        for_all(few("ECA"), lambda e: judge("ECA", e, "float32"), using=GENERATE)


def test_a_constant_that_is_lost_in_float32_alone_is_refused():
    """The stage is right with the constant that it got; only the wiring tells it apart."""
    (fault,) = [f for f in FAULTS if f.name == "SimAM: lambda_ not handed on"]
    found = hunt(replace(fault, kind="in float32 alone"), shrink=False)
    assert found.caught
    assert "lambda_ of call" in found.by


def test_the_table_counts_what_was_judged():
    found = list(rows(10, names=["ECA"]))
    strata = sum(stratum.count for stratum in CASES["ECA"].strata(10))
    assert {row.result for row in found} >= {"y", "dx", "conv.weight"}
    for row in found:
        assert row.judged >= strata or row.result == "stages inside"
