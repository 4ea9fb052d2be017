"""How many calls of a form are drawn, and of which classes of values."""

import itertools
import zlib
from collections.abc import Callable

import cupy_products  # noqa: F401  enters its forms
import numpy as np
from cupy_calls import Call
from cupy_draws import Source
from cupy_forms import FORMS, name_of
from cupy_rules import RULES, sums
from hypothesis import given, settings
from hypothesis import strategies as st

SUMMED = ("floats", "integers", "offset", "near-constant", "large", "special")
OTHERS = ("floats", "ties", "special", "subnormal", "wide")
DTYPES = ("float32", "float64")


@st.composite
def calls(draw: st.DrawFn, form: str, kind: str, dtype: str, turn: int) -> Call:
    return FORMS[form](Source(draw, kind, np.dtype(dtype), turn))


def for_all_calls(
    form: str, check: Callable[[Call], None], share: float = 0.2, using: settings | None = None
) -> None:
    """check(call) on this share of the profile's examples, as many of each class and dtype."""
    kinds = SUMMED if RULES[name_of(form)] is sums else OTHERS
    strata = list(itertools.product(kinds, DTYPES))
    each = max(1, round(share * settings().max_examples / len(strata)))
    for turn, (kind, dtype) in enumerate(strata):

        def holds(call: Call) -> None:
            check(call)

        test = given(calls(form, kind, dtype, zlib.crc32(f"{form} {turn}".encode())))(holds)
        settings(using or settings(), max_examples=each)(test)()
