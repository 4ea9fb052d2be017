"""Wrong versions of CuPy's functions and operators are caught, by the form that they are of."""

import re

import cupy_calls
import pytest
from cupy_examples import for_all_calls
from cupy_faults import FAULTS, one_element_wrong
from cupy_forms import FORMS, name_of
from cupy_judges import judge
from cupy_rules import RULES
from hypothesis import Phase, settings

pytestmark = pytest.mark.cupy
FIRST = settings(phases=[Phase.generate])  # the first example that shows it, not the smallest


def expect_caught(form, wrong, where, monkeypatch):
    """The property of this form fails and names it, where `wrong` stands for the function."""
    right = cupy_calls.function

    def planted(called, xp):
        function = right(called, xp)
        if xp is not where.xp:
            return function
        return lambda *args, **options: wrong(function, *args, **options)

    monkeypatch.setattr(cupy_calls, "function", planted)
    with pytest.raises(AssertionError, match=re.escape(form)):
        for_all_calls(form, lambda call: judge(call, where), using=FIRST)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught_by_the_name_of_its_form(name, cupy_place, monkeypatch):
    expect_caught(*FAULTS[name], cupy_place, monkeypatch)


@pytest.mark.parametrize("form", FORMS)
def test_one_wrong_element_is_noticed(form, cupy_place, monkeypatch):
    expect_caught(form, one_element_wrong, cupy_place, monkeypatch)


def test_every_judge_has_a_fault():
    judges = {RULES[name_of(form)] for form, _ in FAULTS.values()}
    assert judges == set(RULES.values())
