"""Every named fault is caught by the property of its case; none is ever left behind."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from armlab import hand
from armlab.check import faults, hunt
from armlab.check.cases import CASES
from armlab.check.kinds import KINDS
from armlab.check.statements import found
from armlab.hand import kernels


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught(fault):
    assert hunt.hunt(fault, shrink=False).caught


@pytest.mark.parametrize("fault", faults.OF_KINDS, ids=lambda fault: fault.name)
def test_fault_of_some_calls_alone_is_caught(fault):
    assert hunt.hunt(fault, shrink=False).caught


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_planted_in_many_files(kind):
    assert len({fault.file for fault in faults.OF_KINDS if fault.kind == kind}) >= 10


def test_a_fault_of_a_kind_is_right_for_the_other_calls():
    fault = next(f for f in faults.FAULTS if f.case == "global_avg_pool")
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    right, _ = hand.global_avg_pool(x)
    with faults.planted(replace(fault, kind="in float32 alone")):
        same, _ = hand.global_avg_pool(x)
        wrong, backward = hand.global_avg_pool(x.astype("f4"))
        dx = backward(wrong)
    np.testing.assert_array_equal(same, right)
    with faults.planted(fault):
        planted, planted_back = hand.global_avg_pool(x.astype("f4"))
        np.testing.assert_array_equal(planted, wrong)
        np.testing.assert_array_equal(planted_back(planted), dx)


def test_the_catalogue_is_large_enough_and_covers_every_case_with_a_backward():
    assert len(faults.FAULTS) >= 40
    names = [fault.name for fault in faults.FAULTS]
    assert len(names) == len(set(names))
    assert {fault.case for fault in faults.FAULTS} == set(CASES)


def test_every_kernel_has_a_fault_of_its_own():
    """A fault in a specification is planted with the kernels off, so it proves nothing of them.

    Those of CuPy have theirs in tests/hand/cuda_faults/.
    """
    of_numpy = [row for row in kernels.TABLE if row.library is kernels.numpy]
    files = {row.run.__module__.rpartition(".")[2] for row in of_numpy}
    assert len(files) > 10
    assert files <= {fault.file.removeprefix("kernels/") for fault in faults.FAULTS}


def test_a_fault_is_gone_after_its_block():
    before = hand.relu
    fault = next(f for f in faults.FAULTS if f.case == "relu")
    with faults.planted(fault):
        assert hand.relu is not before
    assert hand.relu is before


LOST = faults.Fault("lost", "relu", "relu", "relu", "(1)", "y = x", "")


@pytest.mark.parametrize(
    "lost",
    [
        replace(LOST, function="prelu"),
        replace(LOST, function="relu.forward"),
        replace(LOST, statement="(99)"),
        replace(LOST, statement="dz"),
        replace(LOST, nth=9),
    ],
    ids=lambda fault: f"{fault.function} {fault.statement}",
)
def test_a_fault_whose_statement_is_gone_says_so(lost):
    told = rf"'lost'.* armlab/hand/relu.py, .* in {lost.function}: update the catalogue"
    with pytest.raises(LookupError, match=told), faults.planted(lost):
        pass


def right_again(fault):
    """The fault with the right statement put in the place of the right statement."""
    source = (Path(hand.__file__).parent / f"{fault.file}.py").read_text(encoding="utf-8")
    node = found(source, fault.function, fault.statement, fault.nth)
    return replace(fault, put=ast.unparse(node))


EVERY = faults.FAULTS + faults.OF_KINDS
BY_FILE = {(f.file, f.case, f.kind): f for f in EVERY if CASES[f.case].share == 1}  # not networks


@pytest.mark.parametrize("fault", BY_FILE.values(), ids=lambda f: f"{f.file} {f.case} {f.kind}")
def test_planting_the_right_statement_changes_nothing(fault, monkeypatch):
    """The mechanism itself is not what the properties catch, in either dtype."""
    monkeypatch.setattr(hunt, "EXAMPLES", 8)
    assert hunt.hunt(right_again(fault), shrink=False).by == ""
