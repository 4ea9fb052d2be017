"""The optimisers and the look for NaN on NumPy: all arrays as one, every bit as before."""

import numpy as np
import pytest
from drawn_steps import RULES, SHAPES, bits, expect_same_bits, gradients, rate, trained

from armlab import hand
from armlab.arrays import to_host
from armlab.check.fault import Fault, planted
from armlab.hand import kernels
from armlab.hand.kernels import arrays_in_one
from armlab.hand.kernels.packed import Packed
from armlab.places import HOST
from armlab.training.finite import with_finite
from armlab.training.optimisers import Adam

TWO_BLOCKS = 700  # of the 1,600 numbers of SHAPES, in three


@pytest.fixture(params=[arrays_in_one.BLOCK, TWO_BLOCKS, 1000, 1])
def block(request, monkeypatch):
    """All arrays in a block, several to one, and one to several."""
    monkeypatch.setattr(arrays_in_one, "BLOCK", request.param)


def plain(*arguments):
    with kernels.specification():
        return bits(*trained(*arguments))


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_every_bit_is_that_of_the_plain_code(name, dtype):
    steps = range(6)
    module, optimiser = trained(name, dtype, HOST, steps)
    expect_same_bits(bits(module, optimiser), plain(name, dtype, HOST, steps))
    assert all(type(a) is np.ndarray for a in optimiser.arrays())
    assert len([*optimiser.arrays()]) == len(optimiser.state_dict()) // len(SHAPES)  # flat


@pytest.mark.parametrize("name", RULES)
def test_state_continues_bit_for_bit_and_in_any_order(name):
    whole = bits(*trained(name, "float32", HOST, range(9)))
    module, optimiser = trained(name, "float32", HOST, range(4))
    fresh = RULES[name]()
    fresh.load_state_dict(dict(reversed(optimiser.state_dict().items())))
    with kernels.specification():  # switched off, and on again
        trained(name, "float32", HOST, range(4, 6), module, fresh)
    expect_same_bits(bits(*trained(name, "float32", HOST, range(6, 9), module, fresh)), whole)


@pytest.mark.parametrize("name", RULES)
def test_arrays_are_replaced_and_never_written_to(name):
    module, optimiser = trained(name, "float32", HOST, range(2))
    grads = gradients(2, "float32", HOST)
    before = [*module.parameters().values(), *grads.values(), *optimiser.arrays()]
    copies = [a.copy() for a in before]
    for _ in range(3):
        optimiser.step(module, grads)
    for a, copy in zip(before, copies, strict=True):
        np.testing.assert_array_equal(a, copy)


def test_gradients_that_are_views_and_an_earlier_backward():
    conv, rng, optimiser = hand.Conv2d(3, 5, 3, rng=0), np.random.default_rng(1), Adam(0.1)
    x = rng.standard_normal((2, 3, 6, 7), "float32")
    for _ in range(2):  # the second time its weights are views
        y, backward = conv(x)
        dy = rng.standard_normal(y.shape[::-1], "float32").T
        dx, grads = backward(dy)
        optimiser.step(conv, {key: np.flip(np.flip(g).copy()) for key, g in grads.items()})
        np.testing.assert_array_equal(backward(dy)[0], dx)


def filled(dtype="float32"):
    """A loss and finite arrays: views that fill a flat one, views that do not, and loose ones."""
    rng = np.random.default_rng(3)
    flat, part = rng.standard_normal(1000, dtype), rng.standard_normal((7, 9), dtype)
    views = Packed({"a": (31, 8), "b": (752,)}, flat).values()
    loose = [rng.standard_normal(5, dtype), np.array(2.0, dtype), np.zeros((0, 3), dtype)]
    return np.array(0.5, dtype), [*views, part[:, :8], *loose, np.array(4)]


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_place_is_looked_at(dtype):
    loss, arrays = filled(dtype)
    found = with_finite(loss, arrays)
    assert (found[0], found.dtype) == (0.5, dtype)
    assert np.isfinite(found).all()
    looked = 0
    for a in arrays[:-1]:
        for at in np.ndindex(a.shape):
            kept, a[at] = a[at], (np.nan, np.inf, -np.inf)[looked % 3]
            found = with_finite(loss, arrays)
            assert found[0] == 0.5
            assert not np.isfinite(found[1:]).all()
            a[at], looked = kept, looked + 1
    assert looked == 1000 + 56 + 6
    assert not np.isfinite(with_finite(loss * np.inf, arrays)).all()


def test_what_lies_beside_a_view_does_not_count():
    loss, arrays = filled()
    arrays[2].base[:, 8] = np.nan
    assert np.isfinite(with_finite(loss, arrays)).all()


def fault(function, statement, put, name):
    file = "kernels/arrays_in_one"
    return Fault(f"arrays_in_one: {name}", "Adam", file, function, statement, put, name)


FAULTS = [
    fault("_sgd", "to_v[:]", "to_v[:] = 0", "no first gradient"),
    fault("_sgd", "(2)", "pass", "the velocity without its gradient"),
    fault("_sgd", "(3)", "to_w -= w", "the other way"),
    fault("_adam", "(2)", "to_m += g", "β₁ m + g"),
    fault("_adam", "(3)", "pass", "forgets earlier squares"),
    fault("_adam", "(4)", "np.add(t, g, out=to_w)", "adds to the gradient"),
    fault("step", "part", "part = slice(start, start + 1000)", "the end of a block left out"),
    fault("_add_decay", "starts", "starts = [0] * (len(shapes) + 1)", "nothing decays"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_wrong_kernel_is_caught(fault, monkeypatch):
    monkeypatch.setattr(np, "empty_like", lambda a: np.full_like(a, np.nan))  # no lucky memory
    wanted = {name: plain(name, "float32", HOST, range(3)) for name in RULES}
    with planted(fault):
        found = {name: bits(*trained(name, "float32", HOST, range(3))) for name in RULES}
    same = [
        np.array_equal(found[name][key], to_host(a))
        for name in RULES
        for key, a in wanted[name].items()
    ]
    assert len(same) > 50
    assert not all(same)


def test_rates_differ_from_step_to_step():
    assert len({rate(step) for step in range(7)}) == 7
