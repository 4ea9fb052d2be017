"""Every named fault is caught by the property of its case; none is ever left behind."""

from dataclasses import replace

import pytest

from armlab import hand
from armlab.check import faults
from armlab.check.cases import CASES
from armlab.check.hunt import hunt
from armlab.hand import kernels


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name)
def test_fault_is_caught(fault):
    assert hunt(fault, shrink=False).caught


def test_the_catalogue_is_large_enough_and_covers_every_case_with_a_backward():
    assert len(faults.FAULTS) >= 40
    names = [fault.name for fault in faults.FAULTS]
    assert len(names) == len(set(names))
    assert {fault.case for fault in faults.FAULTS} == set(CASES)


def test_every_kernel_has_a_fault_of_its_own():
    """A fault in a specification is planted with the kernels off, so it proves nothing of them."""
    files = {row.run.__module__.rpartition(".")[2] for row in kernels.TABLE}
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


def test_planting_the_same_statement_changes_nothing():
    """The mechanism itself is not what the properties catch."""
    same = faults.Fault("same", "relu", "relu", "relu", "(1)", "y = xp.maximum(x, 0.0)", "")

    assert not hunt(same).caught
