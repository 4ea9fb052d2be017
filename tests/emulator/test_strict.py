"""Strict mode has nothing against right code: armlab's cases, and with them CuPy's kernels."""

import pytest

from armlab import emulator
from armlab.check.agreement import expect_agreement
from armlab.check.cases import CASES
from armlab.check.strata import GENERATE, for_all
from armlab.places import place

pytestmark = pytest.mark.emulated
NAMES = ["conv2d", "batch_norm", "cross_entropy", "AttentionRefinementModule"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_a_case_keeps_its_bounds(name, dtype, cp):
    """Forward and backward, each launch in three orders of its threads."""
    gradients = []

    def agrees(e):
        with emulator.counting() as counts, emulator.strict(seed=1):
            verdicts = expect_agreement(name, e, dtype, place("emulated"))
        assert any(count.kind == "kernel" for count in counts.values())
        gradients.extend(v for v in verdicts if v.side == "hand" and v.result.startswith("d"))

    floats = next(s for s in CASES[name].strata(1) if s.name == "floats")
    for_all([floats], agrees, using=GENERATE, seed=1)
    assert gradients
