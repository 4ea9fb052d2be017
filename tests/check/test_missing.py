"""What is missing is said in one sentence that names the file to write."""

from dataclasses import replace

import pytest

import armlab.torch
from armlab import hand
from armlab.check import faults
from armlab.check.cases import CASES
from armlab.check.missing import expect_complete, lacks
from armlab.cli import main
from armlab.cost import rules


def context_block(x):
    return x, lambda dy: dy


@pytest.fixture
def add(monkeypatch):
    """Export a name, as if armlab/hand/context_block.py had it; with what it is given."""
    monkeypatch.setattr(context_block, "__module__", "armlab.hand.context_block", raising=False)

    def added(name, twin=True, case=None):
        monkeypatch.setattr(hand, name, context_block, raising=False)
        monkeypatch.setattr(hand, "__all__", [*hand.__all__, name])
        if twin:
            monkeypatch.setattr(armlab.torch, "__all__", [*armlab.torch.__all__, name])
        if case is not None:
            monkeypatch.setitem(CASES, name, replace(CASES[case], name=name))
            fault = replace(faults.of_case(case)[0], case=name)
            monkeypatch.setattr(faults, "FAULTS", [*faults.FAULTS, fault])

    return added


def test_nothing_is_missing():
    expect_complete()
    assert [sentence for name in CASES for sentence in lacks(name)] == []


NO_TWIN = (
    "ContextBlock has no twin: write armlab/torch/context_block.py, "
    "and name it in armlab/torch/__init__.py"
)
NO_CASE = "ContextBlock has no case: write armlab/check/cases/context_block.py"


@pytest.mark.parametrize("options", [[], ["--faults"]])
def test_a_missing_twin_and_a_missing_case_are_a_sentence(options, add, capsys):
    add("ContextBlock", twin=False)
    assert list(lacks("ContextBlock")) == [NO_TWIN, NO_CASE]
    for names in (["ContextBlock"], []):
        assert main(["check", *names, *options]) == 1
        assert capsys.readouterr().err == f"armlab: {NO_TWIN}\n"


def test_a_case_that_is_asked_for_says_where_it_belongs(add, capsys):
    add("ContextBlock")
    with pytest.raises(LookupError, match=NO_CASE):
        CASES["ContextBlock"]
    with pytest.raises(LookupError, match="no case 'ContextBlok': choose from add, "):
        CASES["ContextBlok"]
    assert main(["check", "ContextBlock"]) == 1
    assert capsys.readouterr().err == f"armlab: {NO_CASE}\n"


CASE = "in armlab/check/cases/context_block.py"


@pytest.mark.parametrize(
    ("case", "without", "sentence"),
    [
        ("relu", {"bound": None}, f"has no bound: give its case one, with its argument, {CASE}"),
        ("relu", {"calls": {}}, f'has no call: give its case calls={{"": …}} {CASE}'),
        ("relu", {"cost": None}, f"has no cost: count it, and give its case cost=(…, …) {CASE}"),
        ("relu", {}, "has no rule of cost: add it to RULES in armlab/cost/rules.py"),
        ("ECA", {}, f"has no fault that a test must catch: add one to FAULTS {CASE}"),
        ("ECA", {"built": None}, f"is built nowhere: give its case built=Built(…) {CASE}"),
        ("ECA", {"formula": None}, f"has no formula: give its case one, or held_by=…, {CASE}"),
    ],
)
def test_what_a_case_leaves_out_is_a_sentence(case, without, sentence, add, monkeypatch, capsys):
    name = "context_block" if case.islower() else "ContextBlock"
    add(name, case=case)
    monkeypatch.setitem(CASES, name, replace(CASES[name], **without))
    if "has no fault" in sentence:
        monkeypatch.setattr(faults, "FAULTS", faults.FAULTS[:-1])
    assert main(["check", name]) == 1
    assert capsys.readouterr().err == f"armlab: {name} {sentence}\n"


def test_an_operation_with_a_rule_of_cost_lacks_nothing(add, monkeypatch):
    add("context_block", case="relu")
    monkeypatch.setitem(rules.RULES, "context_block", rules.activation)
    expect_complete(["context_block"])


def test_a_case_of_what_is_not_exported_is_a_sentence(monkeypatch, capsys):
    monkeypatch.setitem(CASES, "ContextBlock", replace(CASES["ECA"], name="ContextBlock"))
    for names in (["ContextBlock"], []):
        assert main(["check", *names]) == 1
        words = "ContextBlock has a case and is not in armlab.hand: name it in its __init__.py"
        assert capsys.readouterr().err == f"armlab: {words}\n"
