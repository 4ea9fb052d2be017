"""CuPy's functions and operators as armlab uses them, on the emulated device, against NumPy.

Which these are is found (`cupy_usage`), how a call of each is drawn is in `cupy_forms` and
`cupy_products`, and how far its result may be from NumPy's, with the argument, in `cupy_judges`.
"""

import numpy as np
import pytest
from cupy_calls import Operand
from cupy_examples import for_all_calls
from cupy_forms import FORMS, name_of
from cupy_judges import judge
from cupy_rules import RULES
from cupy_usage import attributes, form, forms, names

from armlab import emulator

pytestmark = pytest.mark.cupy


@pytest.mark.parametrize("name", FORMS)
def test_as_numpy(name, cupy_place):
    judged = 0

    def agrees(call):
        nonlocal judged
        judged += 1
        assert call.form() == name
        judge(call, cupy_place)

    for_all_calls(name, agrees)
    print(f"{name}: {judged} calls as NumPy's")
    assert judged >= 10


@pytest.mark.emulated
@pytest.mark.parametrize("name", FORMS)
def test_strict_mode_finds_nothing_in_the_kernels_of_cupy(name, cupy_place):
    """No access outside an allocation, no memory that nobody wrote, no order that matters."""
    with emulator.strict():
        for_all_calls(name, lambda call: judge(call, cupy_place), share=0.1)


def missing(used, judged):
    """A sentence for each form or name that is used and not judged."""
    return [
        f"armlab calls {one} and nothing holds CuPy's to NumPy's: enter it in cupy_forms.py"
        for one in sorted(set(used) - set(judged))
    ]


def test_every_form_that_runs_is_judged():
    pytest.importorskip("array_api_strict")
    used = forms()
    assert len(used) > 80
    assert not missing(used, FORMS)


def test_every_function_in_the_source_is_judged():
    import array_api_compat.cupy as xp

    used = {name for name in names() if callable(getattr(xp, name, None))}
    used -= {name for name in used if isinstance(getattr(np, name), type)}  # dtypes
    assert len(used) > 25
    assert not missing(used, map(name_of, FORMS))


def test_every_form_has_a_judge():
    assert {name_of(one) for one in FORMS} == set(RULES)


def test_what_nobody_judges_is_missed():
    [sentence] = missing({"sum(floats)", "sum(floats, axis=int)"}, {"sum(floats)"})
    assert sentence.startswith("armlab calls sum(floats, axis=int) and nothing holds")


def test_forms_are_told_apart():
    x, mask = Operand(np.ones((2, 3), "f4")), Operand(np.ones(3, bool))
    assert form("__radd__", (x, 1.0), {"device": 0}) == "__add__(float, floats)"
    index = (slice(0, 2, 2), 1, None, ...)
    assert (
        form("__getitem__", (x, index), {}) == "__getitem__(floats, [NoneType ellipsis int step])"
    )
    assert form("__getitem__", (x, mask), {}) == "__getitem__(floats, bools)"
    assert form("sum", (x,), {"axis": (0, 1)}) == "sum(floats, axis=tuple)"
    source = "xp.sum(place_of(x).xp.abs(array_namespace(x, w).exp(np.log(x.get()))))"
    assert attributes(source) == {"sum", "abs", "exp"}
