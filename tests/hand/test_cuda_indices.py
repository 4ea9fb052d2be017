"""Indices of gates, pools and resizing beyond 2³¹: the last block of arrays that nobody fills.

Memory is taken where it is touched, and `only_blocks` runs the blocks at the end.
"""

import re

import numpy as np
import pytest
from cuda_faults import planted

from armlab.arrays import to_host
from armlab.hand.kernels import cuda, planes, tiles
from armlab.hand.kernels.tiles import Along
from armlab.places import place

pytestmark = pytest.mark.emulated
FAR = (1 << 31) + 512  # elements of float32 that lie where they are touched


def far(*shape):
    """Memory that is touched at its end alone, where it is -1."""
    flat = place("emulated").xp.empty(FAR if len(shape) > 1 else shape[0], dtype="float32")
    flat[-512:] = -1.0
    return flat.reshape(shape)


def the_last_block_of_a_gate():
    """A gate per element."""
    from armlab import emulator

    x, a, y = (far(1, 1, 2, FAR // 2) for _ in range(3))
    for v, value in ((x, 3.0), (a, 100.0)):
        v[..., -512:] = value
    along = Along(FAR, 1, 1)
    with emulator.only_blocks([FAR // cuda.THREADS - 1]):
        tiles.launch_shared("gate", "gate", x, along, x, a, y, along.numbers())
    return to_host(y[0, 0, -1, -cuda.THREADS :])


def the_last_tile_of_means():
    """The mean of the last rows of two numbers."""
    from armlab import emulator

    along = Along(FAR // 2, 2, 1)
    x, y = far(FAR // 2, 2), far(FAR // 2)
    x[-cuda.THREADS :] = place("emulated").asarray([2.0, 4.0], "float32")
    lanes = cuda.THREADS // along.rows
    with emulator.only_blocks([along.before // lanes - 1]):
        tiles.launch("means", "mean", x, along, x, y, along.numbers(), np.float32(2))
    return to_host(y[-lanes:])


def the_last_block_of_a_resizing():
    """Each pixel of y is one of x, the last of them."""
    from armlab import emulator

    x, y = far(FAR // 512, 2, 256), far(FAR // 512, 2, 256)
    x[-1] = 3.0
    sizes = cuda.structure(planes=len(x), h=2, w=256, oh=2, ow=256, aligned=0)
    with emulator.only_blocks([last_of_planes(len(x), 8)]):
        planes.launch("resize", "bilinear", x, 8, len(x), 512, x, y, sizes)
    return to_host(y[-1, -1])


def last_of_planes(count, each):
    """The block with the second half of the last planes, each of 512 positions."""
    return -(-count // each) * 2 - 1


def the_last_block_of_a_pooling():
    from armlab import emulator

    x, y = far(FAR // 512, 2, 256), far(FAR // 512, 2, 256)
    winner = cuda.empty(x, x.shape, "int32")
    x[-1] = 3.0
    sizes = {"planes": len(x), "h": 2, "w": 256, "oh": 2, "ow": 256}
    window = cuda.structure(**sizes, r=1, s=1, t=1, u=1, p=0, q=0)
    with emulator.only_blocks([last_of_planes(len(x), 4)]):
        planes.launch("pool", "pool", x, 4, len(x), 512, x, y, winner, window)
    return to_host(y[-1, -1])


def the_last_block_of_a_concatenation():
    from armlab import emulator

    half = FAR // 2
    x1, x2, y = far(half), far(half), far(FAR)
    x2[-512:] = 3.0
    with emulator.only_blocks([FAR // cuda.THREADS - 1]):
        planes.launch("concat", "concat", y, 8, 1, FAR, x1, x2, y, 1, half, half)
    return to_host(y[-cuda.THREADS :])


def the_last_block_behind_a_maximum():
    """Rows of two numbers, of which the second was the largest everywhere."""
    from armlab import emulator

    along = Along(FAR // 2, 2, 1)
    dy, winner, dx = far(FAR // 2), cuda.empty(far(1), (FAR // 2,), "int64"), far(FAR // 2, 2)
    dy[-512:], winner[-512:] = 3.0, 1
    lanes = cuda.THREADS // along.few_rows
    with emulator.only_blocks([along.before // lanes - 1]):
        given = dy, winner, dx, along.numbers()
        tiles.launch_shared("largest", "only_the_first", dy, along, *given)
    return to_host(dx[-lanes:, 1])


def the_last_tile_of_a_linear_layer():
    """One channel, one output, and many pixels."""
    from armlab import emulator

    x, y, along = far(1, 1, 2, FAR // 2), far(1, 1, 2, FAR // 2), Along(1, 1, FAR)
    x[..., -512:] = 2.0
    w = b = place("emulated").xp.ones(1, dtype="float32")
    lanes = cuda.THREADS // along.rows
    with emulator.only_blocks([FAR // lanes - 1]):
        tiles.launch("linear", "apply", x, along, x, w, b, y, along.numbers(), 1)
    return to_host(y[0, 0, -1, -lanes:])


OF_X = {  # where a thread begins in x
    page: (f"x += {where};", f"x += int({where});")
    for page, where in {
        "resize": "(at.plane * v.h + h) * v.w + w",
        "pool": "(at.plane * v.h + top) * v.w + left",
    }.items()
}
ENDS = {  # page: (what runs at the end, what is 32 bits wide in a wrong version)
    "gate": (the_last_block_of_a_gate, ("y += of.at", "y += int(of.at)"), "gate"),
    "means": (
        the_last_tile_of_means,
        ("const long long first = before *", "const int first = before *"),
        "mean",
    ),
    "linear": (
        the_last_tile_of_a_linear_layer,
        ("p = t.result - t.before * v.after", "p = int(t.result)"),
        "apply",
    ),
    "resize": (the_last_block_of_a_resizing, OF_X["resize"], "bilinear"),
    "pool": (the_last_block_of_a_pooling, OF_X["pool"], "pool"),
    "concat": (
        the_last_block_of_a_concatenation,
        ("long long position = (long long)", "int position = (int)"),
        "concat",
    ),
    "largest": (
        the_last_block_behind_a_maximum,
        ("dx += of.at", "dx += int(of.at)"),
        "only_the_first",
    ),
}


@pytest.mark.parametrize("page", ENDS)
def test_indices_beyond_2_to_the_31(page):
    run, _, _ = ENDS[page]
    found = run()
    assert len(found) > 0
    np.testing.assert_array_equal(found, np.full_like(found, 3.0))


@pytest.mark.parametrize("page", ENDS)
def test_indices_of_32_bits_would_be_seen(page):
    """As an access where no memory is, or as results that are not there."""
    run, (right, wrong), kernel = ENDS[page]
    with planted(page, right, wrong, everywhere=True):
        found = results_or_error(run)
    if isinstance(found, str):
        assert re.search(rf"kernel {kernel} (reads|writes)", found)
    else:
        assert (found != 3.0).any()


def results_or_error(run):
    from cupy_backends.cuda.api.driver import CUDADriverError

    try:
        return run()
    except CUDADriverError as error:
        return str(error)
