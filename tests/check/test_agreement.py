"""Hand and torch agree: each alone against float64, under bounds known beforehand."""

import pytest
from hypothesis import settings, target
from hypothesis import strategies as st

from armlab.check.agreement import expect_agreement, expect_equal
from armlab.check.cases import CASES, FUNCTIONS
from armlab.check.devices import strict_device, torch_tensors
from armlab.check.strata import for_all
from armlab.hand import kernels

DTYPES = ("float32", "float64")
EXACT = [case.name for case in FUNCTIONS if case.exact]


def profile_examples():
    return settings().max_examples


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_both_sides_keep_their_bounds(name, dtype):
    def agrees(e):
        verdicts = expect_agreement(name, e, dtype)
        if thorough:  # in a few examples the search would only repeat itself
            target(max(v.ratio for v in verdicts))

    thorough = profile_examples() >= 1000
    for_all(CASES[name].strata(profile_examples()), agrees)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_integers_agree_to_the_last_bit(name, dtype):
    def agrees(e):
        expect_equal(name, e, dtype)

    for_all(CASES[name].exact_strata(profile_examples()), agrees)


@pytest.mark.parametrize("name", [case.name for case in FUNCTIONS])
def test_the_specification_keeps_its_bounds_on_numpy_too(name):
    def agrees(e, dtype):
        with kernels.specification():
            expect_agreement(name, e, dtype)

    strata = CASES[name].strata(profile_examples() // 4)
    for_all(strata, agrees, st.sampled_from(DTYPES))


@pytest.mark.parametrize("name", CASES)
def test_on_torch_tensors(name):
    def agrees(e, dtype):
        expect_agreement(name, e, dtype, torch_tensors())

    strata = CASES[name].strata(profile_examples() // 4)
    for_all(strata, agrees, st.sampled_from(DTYPES))


@pytest.mark.parametrize("name", CASES)
def test_on_the_stand_in_for_a_device(name):
    def agrees(e, dtype):
        with strict_device() as where:
            expect_agreement(name, e, dtype, where)

    strata = CASES[name].strata(profile_examples() // 4)
    for_all(strata, agrees, st.sampled_from(DTYPES))
