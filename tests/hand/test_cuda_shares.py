"""Tiles whose terms blocks share: gates and ways back, where a thread has several terms or one."""

import numpy as np
import pytest
from cuda_faults import planted

from armlab import emulator, hand
from armlab.arrays import to_host
from armlab.check.functions import ROUNDOFF
from armlab.hand.channel_stats import stack_statistics
from armlab.hand.kernels import cuda, tiles
from armlab.hand.kernels.tiles import EACH, Along
from armlab.places import place

pytestmark = pytest.mark.emulated
SHAPES = [  # before, count, after
    *((1, 1, 1), (3, 2, 1), (2, 31, 1), (3, 49, 1), (5, 256, 1), (2, 2049, 1), (1, 4999, 1)),
    *((1, 2, 3), (2, 8, 5), (3, 33, 31), (1, 67, 64), (2, 128, 33), (2, 9, 257), (1, 613, 2)),
]
WRONG = {
    "gate": {
        "terms of another thread": ("y += of.further", "y += v.after"),
        "s of the next result": ("  const real s = gate_of(a[t.result]);", "  const real s = 1;"),
    },
    "largest": {
        "the winner looked for in other terms": ("left -= t.rows", "left--"),
        "terms counted from the first": ("winner[t.result] - of.q", "winner[t.result] - t.row"),
    },
    "statistics": {
        "the winner looked for in other terms": ("left -= t.rows", "left--"),
        "terms counted from the first": ("winner[t.result] - of.q", "winner[t.result] - t.row"),
    },
}
WRONG_SHARES = {
    "shares overlap": ("share() * (v.terms * t.rows)", "share() * v.terms"),
    "the last terms left out": ("int(left + step - 1) / step", "int(left) / step"),
    "terms there are not": ("left >= most * step", "true"),
    "results there are not": ("t.there ? v.count - q : 0", "v.count - q"),
    "shares along z are those along y": ("blockIdx.z * gridDim.y", "0"),
}


def gate(x, rng):
    """1 and 1/2, so that nothing rounds."""
    a = rng.choice([0.0, 100.0], (x.shape[0], 1, *x.shape[2:]))
    return lambda there: hand.sigmoid_gate(there(x), there(a))


def largest(x, rng):
    return lambda there: hand.channel_max(there(x))


def statistics(x, rng):
    """A mean without rounding is one of as many terms as a power of two."""
    return lambda there: stack_statistics(there(x), hand.channel_max, hand.channel_mean)


CALLS = {"gate": gate, "largest": largest, "statistics": statistics}


def expect_terms(page, shape, dtype):
    """Those of the specification, of whole numbers, in strict mode."""
    rng, (before, count, after) = np.random.default_rng(0), shape
    x = rng.integers(-8, 9, (before, count, 1, after)) * 1.0
    call = CALLS[page](x, rng)
    y, backward = call(lambda array: array)
    dy = rng.integers(-8, 9, y.shape) * 1.0
    where = place("emulated")
    with emulator.strict():
        got, got_back = call(lambda array: where.asarray(array, dtype))
        grads = got_back(where.asarray(dy, dtype))
    wanted = backward(dy)
    if page != "gate":
        grads, wanted = (grads,), (wanted,)
    rounded = 0 if page != "statistics" else 4 * ROUNDOFF[dtype]
    for a, b in zip((got, *grads), (y, *wanted), strict=True):
        np.testing.assert_allclose(to_host(a), b, rtol=rounded, atol=8 * rounded)


@pytest.fixture
def few_along_y(monkeypatch):
    monkeypatch.setattr(cuda, "ALONG_Y", 2)


@pytest.mark.usefixtures("few_along_y")
@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("page", CALLS)
@pytest.mark.parametrize("full", [1, tiles.FULL])
def test_every_term_has_its_result(page, shape, dtype, full, monkeypatch):
    """Also where results are taken to fill a card."""
    monkeypatch.setattr(tiles, "FULL", full)
    expect_terms(page, shape, dtype)


@pytest.mark.usefixtures("few_along_y")
@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        (page, wrong)
        for page in CALLS
        for wrong in (WRONG[page] | (WRONG_SHARES if page == "gate" else {})).values()
    ],
)
def test_terms_that_are_missed_are_seen(page, wrong):
    from cupy_backends.cuda.api.driver import CUDADriverError

    seen = pytest.raises((AssertionError, CUDADriverError))
    with planted(page, *wrong), seen:
        for shape in SHAPES:
            expect_terms(page, shape, "float32")


def test_a_thread_has_several_terms_and_neighbours_are_read_together():
    assert (Along(6, 4096, 1).few_rows, Along(6, 4096, 1).terms) == (256, EACH)
    assert (Along(6, 49, 1).few_rows, Along(6, 49, 1).terms) == (32, 2)
    assert (Along(6, 64, 4096).few_rows, Along(6, 64, 4096).terms) == (8, EACH)
    assert (Along(6, 5, 4096).few_rows, Along(6, 5, 4096).terms) == (1, 5)
    assert (Along(6, 1, 1).few_rows, Along(6, 1, 1).terms) == (1, 1)
