"""Pools and resizing over any number of planes: threads that have several, one, or none."""

from functools import partial

import numpy as np
import pytest
from cuda_faults import planted

from armlab import emulator, hand
from armlab.arrays import to_host
from armlab.check.functions import ROUNDOFF
from armlab.hand.kernels import planes
from armlab.places import place

pytestmark = pytest.mark.emulated
CALLS = {
    "max_pool2d": partial(hand.max_pool2d, kernel_size=3, stride=2, padding=1),
    "windows_apart": partial(hand.max_pool2d, kernel_size=2, stride=3),
    "resize_nearest": lambda x: hand.resize_nearest(x, size=(2 * x.shape[2], 3)),
    "resize_bilinear": lambda x: hand.resize_bilinear(x, size=(2 * x.shape[2], 2 * x.shape[3])),
}
SHAPES = [
    *((1, 1, 5, 7), (1, 3, 5, 7), (2, 4, 5, 7)),
    *((1, 9, 2, 3), (1, 301, 3, 3), (1, 2100, 2, 2)),  # several groups of planes
    *((2, 9, 17, 17), (1, 13, 13, 20)),  # more positions than a block has threads
]
WRONG = {
    "a group begins among the planes of another": ("share() * (most * step)", "share() * most"),
    "the last planes left out": ("int(left + step - 1) / step", "int(left) / step"),
    "planes there are not": ("left >= most * step", "true"),
    "positions there are not": ("position < positions ? planes - plane : 0", "planes - plane"),
    "groups along z are those along y": ("blockIdx.z * gridDim.y", "0"),
}


def expect_planes(function, shape, dtype):
    """Of whole numbers, which are exact, in strict mode."""
    rng = np.random.default_rng(0)
    x = rng.integers(-8, 9, shape) * 1.0
    y, backward = CALLS[function](x)
    dy = rng.integers(-8, 9, y.shape) * 1.0
    where = place("emulated")
    with emulator.strict():
        got, got_back = CALLS[function](where.asarray(x, dtype))
        results = got, got_back(where.asarray(dy, dtype))
        for a, b in zip(results, (y, backward(dy)), strict=True):
            np.testing.assert_array_equal(to_host(a), b.astype(dtype), strict=True)


@pytest.fixture
def few_along_y(monkeypatch):
    monkeypatch.setattr(planes.cuda, "ALONG_Y", 2)


@pytest.mark.usefixtures("few_along_y")
@pytest.mark.parametrize("dtype", ROUNDOFF)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("function", CALLS)
def test_every_plane_has_its_results(function, shape, dtype):
    expect_planes(function, shape, dtype)


@pytest.mark.usefixtures("few_along_y")
@pytest.mark.parametrize("page", ["pool", "resize"])
@pytest.mark.parametrize("wrong", WRONG)
def test_planes_that_are_missed_are_seen(page, wrong):
    expect_seen(page, *WRONG[wrong])


@pytest.mark.parametrize(
    ("page", "right", "wrong"),
    [
        ("pool", "pixel += at.step * v.h * v.w", "pixel += v.h * v.w"),
        ("pool", "further = at.step * v.oh * v.ow", "further = v.oh * v.ow"),
        ("pool", "spot<planes>(", "spot<planes + 1>("),
        ("resize", "from += at.step * v.oh * v.ow", "from += v.oh * v.ow"),
        ("resize", "x += at.step * v.h * v.w", "x += v.h * v.w"),
    ],
)
def test_planes_of_another_thread_are_seen(page, right, wrong):
    expect_seen(page, right, wrong, everywhere=True)


def expect_seen(page, right, wrong, everywhere=False):
    from cupy_backends.cuda.api.driver import CUDADriverError

    function = "max_pool2d" if page == "pool" else "resize_nearest"
    seen = pytest.raises((AssertionError, CUDADriverError))
    with planted(page, right, wrong, everywhere), seen:
        for shape in SHAPES:
            expect_planes(function, shape, "float32")


def test_a_block_is_full_where_planes_are_small(monkeypatch):
    """And rows of a large plane are shared out evenly."""
    x = place("emulated").xp.empty(1, dtype="float32")
    assert blocks(monkeypatch, x, 100, 49) == ((1, 3, 1), (49, 5))
    assert blocks(monkeypatch, x, 100, 257) == ((2, 13, 1), (129, 1))
    assert blocks(monkeypatch, x, 1 << 20, 256) == ((1, 65535, 3), (256, 1))
    assert blocks(monkeypatch, x.astype("float64"), 100, 256) == ((1, 25, 1), (256, 1))
    assert not all(blocks(monkeypatch, x, 0, 256)[0])


def blocks(monkeypatch, like, count, positions):
    """Grid and block of a launch."""
    launched = []
    monkeypatch.setattr(planes.cuda, "launch_blocks", lambda *given: launched.append(given[3:5]))
    planes.launch("pool", "unpool", like, planes.of_thread(like), count, positions)
    return launched[0]
