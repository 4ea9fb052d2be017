"""Where CuPy is not NumPy, although armlab says the same to both: each stands here until it ends.

The judges allow for these and for nothing else.
"""

import numpy as np
import pytest

from armlab.arrays import to_host

pytestmark = pytest.mark.cupy
TINY = float(np.finfo("f4").smallest_subnormal)


def test_argmax_of_several_nan_is_not_the_first(cupy_place):
    """NumPy and torch give the first; CuPy's tree of comparisons keeps another."""
    x = np.array([0.0, np.nan, np.nan])
    assert np.argmax(x) == 1
    assert int(cupy_place.xp.argmax(cupy_place.asarray(x), axis=0)) == 2


def test_minus_zero_is_lost_in_an_array_without_axes(cupy_place):
    assert np.signbit(to_host(cupy_place.asarray(np.array([-0.0])))).all()
    assert not np.signbit(to_host(cupy_place.asarray(np.array(-0.0)))).any()


def test_matmul_of_a_reversed_axis_of_one(cupy_place):
    """CuPy takes the stride of a repeated axis for an unsigned number, where matrices lie tight."""
    x, y = cupy_place.asarray(np.ones((1, 2, 3)))[::-1], cupy_place.asarray(np.ones((2, 1, 3, 4)))
    with pytest.raises(OverflowError):
        x @ y


@pytest.mark.parametrize(
    "call",
    [lambda x: x + x, lambda x: x * 1.0, lambda x: x / 1.0, lambda x: x > 0],
    ids=["add", "mul", "div", "gt"],
)
def test_numbers_below_the_normal_ones_are_0_in_float32_alone(cupy_place, call):
    """-ftz=true is CuPy's own flag, and of float32 only."""
    for dtype in ("f4", "f8"):
        x = np.array([4, -4], dtype) * np.finfo(dtype).smallest_subnormal
        got, want = to_host(call(cupy_place.asarray(x))), call(x)
        kept = np.zeros_like(want) if dtype == "f4" else want
        np.testing.assert_array_equal(got, kept)
        if want.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(got), np.signbit(x))


def test_numbers_below_the_normal_ones_are_kept_where_they_only_move(cupy_place):
    x = np.array([TINY, -TINY, 0.0, -0.0], "f4")
    there, xp = cupy_place.asarray(x), cupy_place.xp
    moves = [there[::2], xp.concat([there, there]), xp.where(xp.asarray(True), there, 1.0)]
    wanted = [x[::2], np.concat([x, x]), x]
    for got, want in zip(moves, wanted, strict=True):
        np.testing.assert_array_equal(to_host(got).view("i4"), want.view("i4"))


def test_what_is_next_to_nothing_is_no_tie_for_the_host(cupy_place):
    """The larger of 0 and a number below the normal ones: NumPy sees it, CuPy a tie."""
    x = np.array([0.0, TINY], "f4")
    assert np.argmax(x) == 1
    assert int(cupy_place.xp.argmax(cupy_place.asarray(x), axis=0)) == 0
