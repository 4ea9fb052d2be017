"""Of lesson 11c: rounding to TF32, whose factors keep 10 of float32's 23 bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from hypothesis import strategies as st

from armlab.exercises.exercise import Arguments, Puzzle

BITS, DROPPED = 10, 13  # behind the leading one: those that stay, and those that do not
HALF = 1 << (DROPPED - 1)  # of the last bit that stays
EXPONENTS = [0, 1, -1, 3, -3, 5, 17]  # 2**17 is more than float16 can hold
BEHIND = [HALF, 0, HALF - 1, HALF + 1, 1, 2 * HALF - 1, 2500, 6100]  # a tie first


@dataclass(frozen=True)
class Float32Puzzle(Puzzle):
    """A puzzle of float32 arrays, whose results are float32 too."""

    dtype: ClassVar[str] = "float32"


def keep_bits(x: np.ndarray, bits: int) -> np.ndarray:
    """float32 values to the nearest with so many bits behind the leading one, ties to even."""
    mantissa, exponent = np.frexp(x)  # x = mantissa 2^exponent, 1/2 <= |mantissa| < 1
    rounded: np.ndarray = np.ldexp(np.rint(np.ldexp(mantissa, bits + 1)), exponent - bits - 1)
    return rounded


def round_to_tf32(x: np.ndarray) -> np.ndarray:
    return keep_bits(x, BITS)


def with_mantissa(change: Any, bits: int = BITS) -> Any:
    """The answer of who rounds m 2^bits by `change`, with 1 <= |m| < 2."""

    def answer(x: np.ndarray) -> np.ndarray:
        mantissa, exponent = np.frexp(x)
        rounded: np.ndarray = np.ldexp(change(np.ldexp(mantissa, bits + 1)), exponent - bits - 1)
        return rounded

    return answer


def away_from_zero(m: np.ndarray) -> np.ndarray:
    """To the nearest whole number; of two that are as near, the one farther from 0."""
    nearest: np.ndarray = np.copysign(np.floor(np.abs(m) + np.float32(0.5)), m)
    return nearest


def by_integer(add: int, mask: int = -1 << DROPPED) -> Any:
    """The answer of who adds to the bits, as a whole number, and keeps those of a mask."""
    return lambda x: ((x.view(np.int32) + np.int32(add)) & np.int32(mask)).view(np.float32)


@st.composite
def values(draw: Any) -> Arguments:
    """Up to four numbers of either sign; what is to be rounded is often a tie, or nearly one."""
    one = st.tuples(
        st.sampled_from([1, -1]),
        st.sampled_from(EXPONENTS),
        st.one_of(st.just((1 << BITS) - 1), st.integers(0, (1 << BITS) - 1)),  # rounds to 2
        st.sampled_from(BEHIND),
    )
    drawn = draw(st.lists(one, min_size=1, max_size=4))
    exact = [
        sign * 2.0**exponent * (1 + kept / 2**BITS + behind / 2**23)
        for sign, exponent, kept, behind in drawn
    ]
    return {"x": np.array(exact, np.float32)}


ROUND_TO_TF32 = Float32Puzzle(
    "round_to_tf32(x) -> rounded",
    values(),
    round_to_tf32,
    {
        "this cuts off, always towards 0: what is dropped may be more than half, "
        "and then the next one is nearer": by_integer(0),
        "two neighbours may be as near: then the one whose last bit is 0 is taken, "
        "and this takes the one farther from 0": with_mantissa(away_from_zero),
        "the exponent is left out: the 10 bits are counted from the leading one, "
        "so the step grows with the number": lambda x: np.rint(x * 1024) / np.float32(1024),
        "float16 keeps 10 bits too, but few exponents: 2^17 is inf there, and TF32 has float32's": (
            lambda x: x.astype(np.float16).astype(np.float32)
        ),
        "13 bits are dropped, and 10 stay: this is the other way round": with_mantissa(np.rint, 13),
        "the leading one is not among the 10: this keeps 9 behind it": with_mantissa(np.rint, 9),
        "this keeps 11 bits behind the leading one, and TF32 has 11 with it": (
            with_mantissa(np.rint, 11)
        ),
        "half of the last bit that stays is 2^12: this adds all of it, 2^13": by_integer(2 * HALF),
        "half was added, but the 13 bits behind are still there: cut them off": by_integer(
            HALF, -1
        ),
    },
)
