"""The table of kernels: each row keeps the bound of its leaf, and each can be switched off.

The rows of NumPy, that is: those of CuPy are judged in test_cuda_kernels.py, where it has a device.
"""

import inspect
import threading
from dataclasses import replace

import numpy as np
import pytest

from armlab import hand
from armlab.check.agreement import expect_agreement, expect_equal
from armlab.check.cases import CASES
from armlab.check.devices import torch_tensors
from armlab.check.strata import for_all
from armlab.hand import kernels
from armlab.hand.kernels import (
    activations_at_once,
    add_unbuffered,
    batch_norm_by_channel,
    batch_norm_eval_by_channel,
    batch_norm_eval_slices,
    batch_norm_slices,
    conv2d_gather,
    conv2d_linear,
    conv2d_linear_bias,
    conv2d_pointwise,
    conv2d_rows,
    conv2d_winograd,
    hard_swish_bits,
    leaky_relu_factor,
    parts,
    sigmoid_gate_dot,
    sigmoid_gate_in_tiles,
    sigmoid_in_place,
    statistics_at_once,
)
from armlab.hand.kernels.kernel import Kernel, always
from armlab.hand.window import Window

CASES_OF = {
    "resize": ("resize_bilinear", "resize_nearest"),
    "batch_norm_and_keep": (),  # nobody may watch it, as a case does: see test_passes.py
    "batch_norm_as_kept": (),
}  # else the case of the same name
ON_NUMPY = [row for row in kernels.TABLE if row.library is kernels.numpy]
ON_CUPY = [row for row in kernels.TABLE if row.library is kernels.cupy]
BY_ROW = [(row, case) for row in ON_NUMPY for case in CASES_OF.get(row.function, (row.function,))]
INEXACT = {conv2d_winograd.conv2d}


def name(value):
    return value if isinstance(value, str) else value.run.__module__.rpartition(".")[2]


@pytest.fixture
def alone(monkeypatch):
    """Leaves one row in the table, and counts how often it was asked and fitted."""

    def leave(row):
        fitted = []

        def fits(*arguments):
            answer = row.fits(*arguments)
            fitted.extend([row] * answer)
            return answer

        monkeypatch.setattr(kernels, "TABLE", [replace(row, fits=fits)])
        return fitted

    return leave


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("row", "case"), BY_ROW, ids=name)
def test_each_row_keeps_the_bound_of_its_leaf(row, case, dtype, alone):
    fitted = alone(row)
    for_all(CASES[case].strata(50), lambda e: expect_agreement(case, e, dtype))
    assert len(fitted) >= 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("row", "case"),
    [(row, case) for row, case in BY_ROW if CASES[case].exact and row.run not in INEXACT],
    ids=name,
)
def test_each_row_is_its_leaf_where_nothing_rounds(row, case, dtype, alone):
    fitted = alone(row)
    for_all(CASES[case].exact_strata(50), lambda e: expect_equal(case, e, dtype))
    assert len(fitted) >= 3


def test_no_row_is_missed():
    judged_elsewhere = [row for row in ON_NUMPY if CASES_OF.get(row.function) == ()]
    names = [row.function for row in judged_elsewhere]
    assert names == ["batch_norm_and_keep", "batch_norm_as_kept"]
    assert len({id(row) for row, _ in BY_ROW}) == len(ON_NUMPY) - 2 >= 22
    assert len(ON_CUPY) >= 19
    assert len(ON_NUMPY) + len(ON_CUPY) == len(kernels.TABLE)
    assert {row.function for row in ON_NUMPY} <= set(CASES) | set(CASES_OF)


# -- where a kernel fits ------------------------------------------------------------------------


def convolution(kernel, stride=1, padding=0, dilation=1, groups=1, c=16, k=16):
    w = np.zeros((k, c // groups, *np.broadcast_to(kernel, 2)))
    return np.zeros((1, c, 9, 9)), w, Window.of(kernel, stride, padding, dilation), groups


X = np.linspace(-1, 1, 24, dtype="f4").reshape(1, 2, 3, 4)
ONE_PIXEL = np.zeros((2, 16, 1, 1))
MANY = np.zeros((99_999, 2, 1, 1))


def maps(*shape):
    return np.zeros((2, 3, 4, 5)), np.zeros(shape)


POOLED = np.broadcast_to(np.zeros((2, 3, 1, 1)), (2, 3, 4, 5))
ROWS = np.broadcast_to(np.zeros((2, 3, 4, 1)), (2, 3, 4, 5))
batch_norm = hand.batch_norm


def watched_add(x1, x2):
    """Another function of that name."""


watched_add.__name__ = "add"
WITH_AXES = ([(np.ones(1, "f4"),), (np.ones((0, 2)),)], [(np.float32(1),), (np.ones(()),)])
KEEPS = (
    [(X, None, batch_norm), (X, None, batch_norm, hand.leaky_relu)],
    [(X[:0], None, batch_norm), (X[:, :, :1, :1], None, batch_norm)]
    + [(X, None, lambda x: batch_norm(x)), (X, None, batch_norm, hand.sigmoid)],
)
AS_KEPT = (
    [(X, None, hand.batch_norm_eval, hand.relu), (X[:0], None, hand.batch_norm_eval, hand.relu)],
    [(X, None, lambda x: batch_norm(x), hand.relu), (X, None, hand.batch_norm_eval, hand.sigmoid)],
)


def biased(*arguments, **options):
    x, w, *rest = convolution(*arguments, **options)
    return x, w, np.zeros(len(w)), *rest


FITS = {  # run: arguments that it fits, arguments that it does not fit
    conv2d_pointwise.conv2d: (
        [convolution(1), convolution(1, 2), convolution(1, c=1)],
        [convolution((1, 3)), convolution(1, padding=1), convolution(1, groups=2)],
    ),
    conv2d_winograd.conv2d: (
        [convolution(3, padding=1), convolution((3, 1)), convolution(3, 1, 2, (1, 2))]
        + [convolution(3, padding=1, c=8, k=8)],
        [convolution(3), convolution(5, padding=2), convolution(3, 2, 1)]
        + [convolution(3, 1, 1, (2, 1)), convolution(3, padding=1, groups=2)]
        + [convolution(3, padding=1, c=7), convolution(3, padding=1, k=7)],
    ),
    conv2d_rows.conv2d: (
        [convolution(3), convolution((1, 2)), convolution(3, 1, 5, 2), convolution(3, c=5, k=19)],
        [convolution(1), convolution(3, 2), convolution(3, groups=2), convolution(3, c=5, k=20)],
    ),
    add_unbuffered.add: (
        [maps(2, 3, 1, 1), maps(1, 3, 1, 1), (POOLED, POOLED)],
        [maps(2, 3, 4, 5), maps(2, 1, 4, 5), maps(2, 3, 4, 1), maps(2, 3, 1, 5), (POOLED, ROWS)],
    ),
    sigmoid_gate_dot.sigmoid_gate: (
        [(*maps(2, 3, 1, 1), None), (*maps(2, 1, 4, 5), None), (*maps(2, 3, 4, 5), None)],
        [(*maps(2, 3, 4, 1), None), (*maps(2, 3, 1, 5), None)],
    ),
    leaky_relu_factor.leaky_relu: WITH_AXES,
    hard_swish_bits.hard_swish: WITH_AXES,
    sigmoid_in_place.sigmoid: WITH_AXES,
    conv2d_linear.conv2d: (
        [(ONE_PIXEL, *convolution(1)[1:])],
        [convolution(1), (ONE_PIXEL, *convolution(1, groups=2)[1:])]
        + [(ONE_PIXEL, *convolution(3, padding=1)[1:]), (ONE_PIXEL, *convolution(1, 2)[1:])],
    ),
    conv2d_linear_bias.conv2d_with_bias: (
        [(ONE_PIXEL, convolution(1)[1], np.zeros(16), *convolution(1)[2:])]
        + [(np.zeros((2, 1, 1, 1)), MANY, np.zeros(99_999), Window.of(1), 1)]
        + [(X, np.zeros((3, 2, 1, 1)), np.zeros(3), Window.of(1), 1)],
        [(ONE_PIXEL, convolution(3)[1], np.zeros(16), *convolution(3)[2:])]
        + [(X, np.zeros((2, 1, 1, 1)), np.zeros(2), Window.of(1), 2)]
        + [(np.broadcast_to(X, (8, 2, 3, 4)), MANY, np.zeros(99_999), Window.of(1), 1)],
    ),
    conv2d_gather.conv2d_with_bias: (
        [biased(3), biased(1, 2), biased(1, padding=1), biased(1, groups=2)],
        [biased(1), biased(1, c=1)],
    ),
    activations_at_once.add_relu: (
        [(X, X, hand.add, hand.relu)],
        [(X, X[..., :1], hand.add, hand.relu), (X, X, hand.add, hand.sigmoid)]
        + [(X, X, watched_add, hand.relu)],
    ),
    batch_norm_by_channel.batch_norm_and_keep: KEEPS,
    batch_norm_slices.batch_norm_and_keep: KEEPS,
    batch_norm_eval_by_channel.batch_norm_as_kept: AS_KEPT,
    batch_norm_eval_slices.batch_norm_as_kept: AS_KEPT,
    sigmoid_gate_in_tiles.sigmoid_gate: (
        [
            (*maps(*shape), None)
            for shape in [(2, 3, 1, 1), (2, 1, 4, 5), (2, 3, 4, 1), (1, 1, 1, 1)]
        ],
        [(*maps(*shape), None) for shape in [(1, 3, 1, 1), (2, 1, 4, 1), (1, 3, 4, 1)]],
    ),
    statistics_at_once.stack_statistics: (
        [(X, hand.channel_mean, hand.channel_max), (X, hand.channel_max, hand.channel_mean)]
        + [(X, hand.global_avg_pool, hand.global_max_pool)],
        [(X, hand.channel_mean, hand.global_max_pool), (X, hand.channel_max, hand.channel_max)]
        + [(X, lambda x: hand.channel_mean(x), hand.channel_max)],
    ),
}


def test_every_condition_is_tested():
    assert set(FITS) == {row.run for row in kernels.TABLE if row.fits is not always}


@pytest.mark.parametrize("row", [row for row in kernels.TABLE if row.run in FITS], ids=name)
def test_where_a_row_fits_and_where_it_does_not(row):
    yes, no = FITS[row.run]
    assert [row.fits(*arguments) for arguments in yes] == [True] * len(yes)
    assert [row.fits(*arguments) for arguments in no] == [False] * len(no)


@pytest.mark.parametrize("function", ["leaky_relu", "hard_swish", "sigmoid", "relu"])
@pytest.mark.parametrize("number", [np.float32(-1.5), np.asarray(0.75, "f4")])
def test_arrays_without_axes(function, number):
    y, backward = getattr(hand, function)(number)
    row, row_back = getattr(hand, function)(np.full(3, number))
    np.testing.assert_array_equal(row, np.full(3, y), strict=True)
    np.testing.assert_array_equal(row_back(np.full(3, number)), np.full(3, backward(number)))


# -- which one runs -----------------------------------------------------------------------------


def test_the_first_row_that_fits_runs(monkeypatch):
    def one(x):
        raise NotImplementedError

    two, three, other = (lambda x: None for _ in range(3))
    numpy, nobody = (lambda xp: "numpy" in xp.__name__), (lambda xp: False)
    rows = [
        Kernel("other", numpy, other),
        Kernel("f", nobody, one),
        Kernel("f", numpy, two, lambda x: len(x) > 2),
        Kernel("f", numpy, three),
    ]
    monkeypatch.setattr(kernels, "TABLE", rows)
    assert kernels.choose("f", np.zeros(3)) is two
    assert kernels.choose("f", np.zeros(2)) is three
    assert kernels.choose("g", np.zeros(2)) is None


class NamedCuPy:
    """Stands in for the namespace of CuPy, which is known by its name."""

    __name__ = "cupy"


@pytest.mark.parametrize("row", kernels.TABLE, ids=name)
def test_a_row_is_for_one_library(row):
    assert row.library(np) == (row in ON_NUMPY)
    assert row.library(NamedCuPy()) == (row in ON_CUPY)
    assert not row.library(torch_tensors().xp)


def test_within_a_block_the_specification_runs():
    assert kernels.choose("relu", X) is not None
    with kernels.specification():
        assert kernels.choose("relu", X) is None
        with kernels.specification():
            pass
        assert kernels.choose("relu", X) is None
    with pytest.raises(ZeroDivisionError), kernels.specification():
        1 / 0  # noqa: B018
    assert kernels.choose("relu", X) is not None


@pytest.mark.parametrize("function", sorted({row.function for row in ON_NUMPY}))
def test_no_row_is_left_within_a_block(function, monkeypatch):
    always_fits = [replace(r, fits=always) for r in kernels.TABLE if r.function == function]
    monkeypatch.setattr(kernels, "TABLE", always_fits)
    assert kernels.choose(function, X) is not None
    with kernels.specification():
        assert kernels.choose(function, X) is None


def test_workers_run_the_specification_too_and_other_threads_what_they_like():
    found = []

    def look(part=None):
        found.append((threading.get_ident(), kernels.choose("relu", X) is None))

    with kernels.specification(), parts.workers(2):
        parts.in_parts(2, look, parts.FEW)
        other = threading.Thread(target=look)
        other.start()
        other.join()
    assert [off for _, off in found] == [True, True, False]
    assert len({thread for thread, _ in found}) == 3


@pytest.fixture
def environment(monkeypatch):
    """Sets ARMLAB_KERNELS, as if for a new process: within one it is read once."""
    forget = kernels._only_the_specification.cache_clear
    yield lambda value: (forget(), monkeypatch.setenv("ARMLAB_KERNELS", value))
    forget()


def test_a_variable_switches_every_row_off(environment):
    environment("reference")
    assert kernels.choose("relu", X) is None
    environment("")
    assert kernels.choose("relu", X) is not None
    environment("fast")
    with pytest.raises(ValueError, match="ARMLAB_KERNELS to be reference or not set, got 'fast'"):
        hand.relu(X)


def test_a_backward_stays_what_its_forward_chose():
    _, fast_back = hand.relu(X)
    with kernels.specification():
        _, plain_back = hand.relu(X)
        of_fast = fast_back(X)
    np.testing.assert_array_equal(of_fast, plain_back(X), strict=True)
    chosen = [inspect.unwrap(back).__module__ for back in (fast_back, plain_back)]
    assert chosen == ["armlab.hand.kernels.relu_bits", "armlab.hand.relu"]
