"""Passes over memory in blocks and by several workers: every number once, and the same bits."""

import numpy as np
import pytest

from armlab import hand
from armlab.check.agreement import expect_agreement
from armlab.check.cases import CASES
from armlab.check.strata import for_all
from armlab.hand import kernels
from armlab.hand.batch_norm_activated import activated
from armlab.hand.kernels import (
    batch_norm_by_channel,
    batch_norm_eval_by_channel,
    hard_swish_bits,
    leaky_relu_factor,
    parts,
    passes,
    relu_bits,
    sigmoid_in_place,
)
from armlab.hand.kernels.passes import elementwise, in_blocks

PAGES = (
    batch_norm_by_channel,
    batch_norm_eval_by_channel,
    hard_swish_bits,
    leaky_relu_factor,
    relu_bits,
    sigmoid_in_place,
)
ROWS = {
    row.function: row
    for row in kernels.TABLE
    if row.run.__module__ in {page.__name__ for page in PAGES} and row.function in CASES
}
SHAPE = (17, 7, 5, 6)


@pytest.fixture(params=[1, 2, 3])
def cut(request, monkeypatch):
    """Blocks of a few numbers, and workers that share out even these."""
    monkeypatch.setattr(passes, "BLOCK", 37)
    monkeypatch.setattr(parts, "FEW", 0)
    with parts.workers(request.param):
        yield request.param


@pytest.mark.parametrize("count", [0, 1, 2, 5, 64])
@pytest.mark.parametrize("numbers", [0, 1, 37, 64, 1000])
def test_every_index_is_in_one_block(count, numbers, cut):
    met = []
    in_blocks(met.append, count, numbers, passes=1)
    found = sorted(i for block in met for i in range(count)[block])
    assert found == list(range(count))
    most = max((block.stop - block.start for block in met), default=0)
    assert most <= max(1, 37 * count // max(numbers, 1))


def test_a_little_is_one_block_and_stays_with_its_caller():
    met = []
    with parts.workers(2):
        in_blocks(met.append, 8, passes.BLOCK // 1000, passes=1)
        assert met == [slice(0, 8)]
        met.clear()
        in_blocks(met.append, 8, 2 * passes.BLOCK, passes=3)
    assert sorted((m.start, m.stop) for m in met) == [(0, 4), (4, 8)]


@pytest.mark.parametrize("layout", ["C", "F", "steps", "no axes", "empty"])
def test_each_element_is_met_once_in_every_layout(layout, cut):
    x = np.arange(12.0).reshape(3, 4)
    x = {"F": np.asfortranarray(x), "steps": x[:, ::2], "no axes": x[1, 1], "empty": x[:0]}.get(
        layout, x
    )
    x = np.asarray(x)
    calls = []

    def copy(x, y):
        calls.append(x.size)
        y[...] = x

    y = elementwise(copy, x, passes=1)
    np.testing.assert_array_equal(y, x)
    assert sum(calls) == x.size


def results(function, rng):
    """y of one call, and dx of its backward twice."""
    x, dy = (rng.standard_normal(SHAPE).astype("f4") * 3 for _ in range(2))
    y, backward = getattr(hand, function)(x)
    return y, backward(dy), backward(dy)


ELEMENTWISE = [name for name in ROWS if not name.startswith("batch_norm")]


@pytest.mark.parametrize("function", ELEMENTWISE)
def test_neither_blocks_nor_workers_change_a_bit(function, cut):
    in_pieces = results(function, np.random.default_rng(cut))
    with pytest.MonkeyPatch.context() as whole:
        whole.setattr(passes, "BLOCK", 2**30)
        whole.setattr(parts, "FEW", 2**60)
        at_once = results(function, np.random.default_rng(cut))
    assert len(ELEMENTWISE) == 4
    for a, b in zip(in_pieces, at_once, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", ROWS)
def test_in_blocks_each_keeps_its_bound(function, dtype, cut):
    for_all(CASES[function].strata(20), lambda e: expect_agreement(function, e, dtype))


def test_no_page_is_missed():
    assert {page.__name__ for page in PAGES} == {row.run.__module__ for row in ROWS.values()}


# -- batch normalisation with its activation ----------------------------------------------------


@pytest.mark.parametrize("activation", [None, "relu", "leaky_relu"])
def test_an_activation_goes_along_to_the_last_bit(activation):
    rng = np.random.default_rng(1)
    x, dy = (rng.standard_normal(SHAPE).astype("f4") for _ in range(2))
    one, two = hand.BatchNorm2d(7), hand.BatchNorm2d(7)
    for bn in (one, two):
        bn.assign(
            {"weight": rng.standard_normal(7).astype("f4")} if bn is one else one.parameters()
        )
    assert kernels.choose("batch_norm_and_keep", x, one, hand.batch_norm) is not None
    y, back = activated(one, x, activation) if activation else one(x)
    dx, grads = back(dy)

    (v, mean, var), norm_back = hand.batch_norm(x, two.weight, two.bias)
    two.keep(mean, var, m=17 * 5 * 6)
    act = getattr(hand, activation) if activation else lambda v: (v, lambda dv: dv)
    z, act_back = act(v)
    wanted = norm_back(act_back(dy))
    np.testing.assert_array_equal(y, z, strict=True)
    for got, want in zip((dx, grads["weight"], grads["bias"]), wanted, strict=True):
        np.testing.assert_array_equal(got, want, strict=True)
    for key, array in two.buffers().items():
        np.testing.assert_array_equal(one.buffers()[key], array, strict=True)


@pytest.mark.usefixtures("cut")
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_an_activation_goes_along_in_evaluation_too(activation):
    rng = np.random.default_rng(3)
    x, dy = (rng.standard_normal(SHAPE).astype("f4") for _ in range(2))
    bn = hand.BatchNorm2d(7).eval()
    arrays = rng.uniform(0.5, 2, (4, 7)).astype("f4")
    bn.assign(dict(zip(("weight", "bias", "running_mean", "running_var"), arrays, strict=True)))
    act = getattr(hand, activation)
    assert kernels.choose("batch_norm_as_kept", x, bn, hand.batch_norm_eval, act) is not None
    y, back = activated(bn, x, activation)
    dx, grads = back(dy)

    v, norm_back = bn(x)
    z, act_back = act(v)
    dx_apart, grads_apart = norm_back(act_back(dy))
    np.testing.assert_array_equal(y, z, strict=True)
    np.testing.assert_array_equal(dx, dx_apart, strict=True)
    for key, g in grads_apart.items():
        np.testing.assert_array_equal(grads[key], g, strict=True)
    assert bn.num_batches_tracked == 0


def test_what_a_layer_was_not_built_for_is_refused_before_a_kernel_reads_it():
    for training in (True, False):
        bn = hand.BatchNorm2d(7).train(training)
        with pytest.raises(
            ValueError, match=r"BatchNorm2d expected .* axis 1 is 3, .*num_features=7"
        ):
            activated(bn, np.zeros((2, 3, 5, 6), "f4"), "relu")
        with pytest.raises(TypeError, match="BatchNorm2d holds float32 arrays"):
            activated(bn, np.zeros(SHAPE), "relu")


def test_a_normalisation_with_a_forward_of_its_own_runs_it():
    class Shifted(hand.BatchNorm2d):
        def forward(self, x):
            y, back = super().forward(x)
            return y + 100, back

    x = np.random.default_rng(2).standard_normal(SHAPE).astype("f4")
    for training in (True, False):
        y, _ = activated(Shifted(7).train(training), x, "relu")
        assert (y > 50).all()
