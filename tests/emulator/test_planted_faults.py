"""Right kernels pass the strict mode, and each planted fault is caught there, by name."""

import re

import pytest
from faults import FAULTS, Way
from hypothesis import given, settings
from hypothesis import strategies as st
from programs import PROGRAMS

pytestmark = pytest.mark.emulated


@pytest.mark.parametrize("name", PROGRAMS)
def test_right_kernels_pass(name, cp):
    program = PROGRAMS[name]

    @settings(max_examples=program.examples)
    @given(n=st.integers(1, 700), seed=st.integers(0, 2**32))
    def passes(n, seed):
        program.run(cp, program.cuda, seed, n=n)

    passes()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.program}: {f.name}")
def test_faults_are_caught(fault, cp):
    with pytest.raises(Exception) as caught:
        fault.run(cp, seed=3)
    assert Way.of(caught.value) == fault.way, caught.value
    assert re.search(fault.says, str(caught.value))
    assert f"kernel {fault.program} " in str(caught.value)
