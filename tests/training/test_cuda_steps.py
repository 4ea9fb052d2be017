"""The optimisers and the look for NaN on CuPy: one launch for all arrays, every bit as before."""

import sys
from pathlib import Path

import numpy as np
import pytest

from armlab import hand
from armlab.arrays import to_host
from armlab.hand import kernels
from armlab.hand.kernels import arrays_at_once, cuda
from armlab.hand.kernels.packed import fits
from armlab.places import place
from armlab.training import Config
from armlab.training.finite import NotFinite, with_finite
from armlab.training.optimisers import Adam
from armlab.training.start import make_dataset, make_learner

sys.path.append(str(Path(__file__).parents[1] / "hand"))
from cuda_faults import planted
from cuda_faults.arrays_at_once import FAULTS
from drawn_steps import RULES, SHAPES, Arrays, bits, expect_same_bits, gradients, rate, trained

pytestmark = pytest.mark.emulated


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", RULES)
def test_every_bit_is_that_of_the_array_code(name, dtype):
    """Each operation rounds once, in either: so it is also what NumPy computes on the host."""
    where = place("emulated")
    at_once = bits(*trained(name, dtype, where))
    with kernels.specification():
        expect_same_bits(at_once, bits(*trained(name, dtype, where)))
    expect_same_bits(at_once, bits(*trained(name, dtype, place("cpu"))))
    assert np.abs(at_once["weight"] - to_host(Arrays(dtype, where).weight)).max() > 0.01


@pytest.mark.parametrize("few", [1, 4])
@pytest.mark.parametrize("name", ["sgd decay", "adam decay"])
def test_more_arrays_than_a_launch_takes(name, few, monkeypatch):
    where = place("emulated")
    want = bits(*trained(name, "float32", where, range(3)))
    monkeypatch.setattr(arrays_at_once, "MOST", few)
    expect_same_bits(bits(*trained(name, "float32", where, range(3))), want)


def launches(work):
    """What a call launches, by name; it has to be compiled before."""
    from armlab import emulator

    with emulator.counting() as counts:
        work()
    return {name: c.calls for name, c in counts.items()}


@pytest.mark.parametrize("name", RULES)
def test_launches(name):
    where, kernel = place("emulated"), name.split()[0]
    trained(name, "float32", where, range(2))  # compiles
    module, optimiser = Arrays("float32", where), RULES[name]()
    grads = gradients(0, "float32", where)

    def step():
        optimiser.step(module, grads)

    assert launches(step) == {"pack": 1, kernel: 1}  # the weights lay here and there
    assert launches(step) == launches(step) == {kernel: 1}
    loaded = {key: place("cpu").asarray(to_host(a)) if key != "steps" else a
              for key, a in optimiser.state_dict().items()}  # fmt: skip
    optimiser.load_state_dict(
        {key: a if key == "steps" else where.asarray(a) for key, a in loaded.items()}
    )
    assert launches(step) == {"pack": len(loaded) // len(SHAPES), kernel: 1}
    assert launches(step) == {kernel: 1}


@pytest.mark.parametrize("name", RULES)
def test_state_continues_bit_for_bit(name):
    where = place("emulated")
    whole = bits(*trained(name, "float32", where, range(20)))
    module, optimiser = trained(name, "float32", where, range(8))
    fresh = RULES[name]()
    state = optimiser.state_dict()
    fresh.load_state_dict(dict(reversed(state.items())))  # in whatever order a file has it
    expect_same_bits(bits(*trained(name, "float32", where, range(8, 20), module, fresh)), whole)


def test_switched_off_in_the_middle():
    where = place("emulated")
    whole = bits(*trained("adam decay", "float32", where, range(9)))
    found = trained("adam decay", "float32", where, range(3))
    with kernels.specification():
        trained("adam decay", "float32", where, range(3, 6), *found)
    trained("adam decay", "float32", where, range(6, 9), *found)
    expect_same_bits(bits(*found), whole)


@pytest.mark.parametrize("name", RULES)
def test_arrays_are_replaced_and_never_written_to(name):
    where = place("emulated")
    module, optimiser = trained(name, "float32", where, range(2))
    grads = gradients(2, "float32", where)
    before = [*module.parameters().values(), *grads.values(), *optimiser.arrays()]
    state = {key: a for key, a in optimiser.state_dict().items() if key != "steps"}
    before += state.values()
    copies = [to_host(a).copy() for a in before]
    for _ in range(3):
        optimiser.step(module, grads)
    for a, copy in zip(before, copies, strict=True):
        np.testing.assert_array_equal(to_host(a), copy)
    starts = {a.data.mem.ptr for a in before}
    after = [*module.parameters().values(), *optimiser.arrays()]
    assert not starts & {a.data.mem.ptr for a in after}
    for a in module.parameters().values():
        assert a.data.ptr % 256 == 0 or not a.size  # where CuPy's own arrays begin


def test_an_earlier_backward_keeps_its_weights():
    where = place("emulated")
    conv = hand.Conv2d(3, 5, 3, rng=0).to(where)
    rng, optimiser = np.random.default_rng(1), Adam(0.1)
    x = where.asarray(rng.standard_normal((2, 3, 6, 7)), "float32")
    for _ in range(2):  # the second time its weights are views of a buffer
        y, backward = conv(x)
        dy = where.asarray(rng.standard_normal(y.shape), "float32")
        dx, grads = backward(dy)
        want = to_host(dx)
        optimiser.step(conv, grads)
        optimiser.step(conv, grads)
        np.testing.assert_array_equal(to_host(backward(dy)[0]), want)


def test_gradients_that_are_views():
    where = place("emulated")
    want, got = (RULES["adam decay"]() for _ in range(2))
    modules = [Arrays("float32", where) for _ in range(2)]
    flip, pad = where.xp.flip, np.pad
    for step in range(3):
        grads = gradients(step, "float32", where)
        host = {key: to_host(g) for key, g in grads.items()}
        views = {key: flip(where.asarray(np.flip(g).copy())) for key, g in host.items()}
        views |= {
            key: where.asarray(pad(host[key], 3))[(slice(3, -3),) * host[key].ndim]
            for key in ("bias", "many")
        }
        want.step(modules[0], grads, rate(step))
        got.step(modules[1], views, rate(step))
    expect_same_bits(bits(modules[1], got), bits(modules[0], want))


def test_another_stream():
    where = place("emulated")
    import cupy

    want = bits(*trained("adam", "float32", where, range(3)))
    with cupy.cuda.Stream(non_blocking=True) as stream:
        found = trained("adam", "float32", where, range(3))
        stream.synchronize()
    expect_same_bits(bits(*found), want)


def test_what_does_not_fit_runs_as_array_code():
    where = place("emulated")
    module, optimiser = trained("sgd", "float32", where, range(1))
    weights, grads = module.parameters(), gradients(1, "float32", where)
    like, velocity = module.weight, optimiser._velocity
    assert fits(like, weights, grads)
    assert fits(like, weights, grads, velocity)
    assert fits(like, weights, grads, dict(velocity))
    assert not fits(like, weights, grads | {"one": grads["bias"]})
    assert not fits(like, weights, grads | {"one": where.asarray([1.0], "float64")})
    assert not fits(like, weights, grads, {key: velocity[key] for key in ("one", "bias")})
    double = {key: a.astype("float64") for key, a in velocity.items()}
    assert not fits(like, weights, grads, double)
    optimiser._velocity = {key: velocity[key] for key in ("one", "bias")}
    optimiser.step(module, grads, 0.1)
    assert type(optimiser._velocity) is dict
    assert set(optimiser.state_dict()) == {f"velocity.{key}" for key in SHAPES}


def end_of_a_large_step(kernel, *states, **rule):
    """The last two of more than 2³¹ weights after a step, where w = 1, 2 and g = 4, 8."""
    from armlab import emulator

    xp = place("emulated").xp
    w, g = (xp.empty(((1 << 31) + 512,), dtype=xp.float32) for _ in range(2))
    w[-2:], g[-2:] = xp.asarray([[1.0, 2.0], [4.0, 8.0]], dtype=xp.float32)
    last = w.size // cuda.THREADS - 1
    with emulator.only_blocks([last]):
        new, *_ = arrays_at_once.step(w, {"w": w}, {"w": g}, *states, kernel=kernel, **rule)
    return to_host(new["w"][-2:])


def test_indices_beyond_2_to_the_31():
    sgd = {"rate": -0.5, "momentum": 0.0, "decay": 0.0}
    np.testing.assert_array_equal(end_of_a_large_step("sgd", {}, **sgd), [-1, -2])
    moments = {"b1": 0.0, "rest1": 1.0, "b2": 0.0, "rest2": 1.0}
    adam = {"rate": -0.5} | moments | {"root": 1.0, "eps": 0.0, "decay": 0.0}
    np.testing.assert_array_equal(end_of_a_large_step("adam", {}, {}, **adam), [0.5, 1.5])


def test_the_table_fits_into_the_arguments_of_a_launch():
    """4 KB, whatever the driver: three buffers read and three written, and Adam's eight numbers."""
    assert arrays_at_once.PARTS.itemsize + 6 * 8 + 8 * 8 <= 4096
    assert f"Part part[{arrays_at_once.MOST}];" in cuda.source("arrays_at_once")
    assert len(hand.BiSeNet(19).parameters()) <= arrays_at_once.MOST


# -- the look for NaN ------------------------------------------------------------------------------


def values(where, dtype="float32"):
    """A loss, arrays here and there, arrays packed, and one that counts."""
    optimiser = trained("adam", dtype, where, range(2))[1]
    loose = [where.asarray(np.full(size, 3.0), dtype) for size in (1, 255, 256, 257, 1000)]
    return where.asarray(0.5, dtype), [*loose, *optimiser.arrays(), where.xp.asarray(7)]


@pytest.mark.parametrize("blocks", [1, 2, 1024])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_place_is_looked_at(dtype, blocks, monkeypatch):
    monkeypatch.setattr(arrays_at_once, "MOST_BLOCKS", blocks)
    monkeypatch.setattr(arrays_at_once, "MOST", 3)
    loss, arrays = values(place("emulated"), dtype)
    found = to_host(with_finite(loss, arrays))
    assert found[0] == 0.5
    assert found.dtype == dtype
    assert not found[1:].any()
    assert np.isfinite(found).all()
    looked = 0
    for a in arrays[:-1]:
        for at in {0, a.size // 2, a.size - 1}:
            kept = float(a[at])
            for value in (np.nan, np.inf, -np.inf):
                a[at] = value
                got = to_host(with_finite(loss, arrays))
                assert got[0] == 0.5
                assert np.isnan(got[1:]).sum() == 1
                looked += 1
            a[at] = kept
    assert looked >= 50
    for value in (np.nan, np.inf, -np.inf):
        assert not np.isfinite(to_host(with_finite(loss * value, arrays))).all()


def test_numbers_whose_sum_is_not_finite_are():
    where = place("emulated")
    arrays = [where.asarray(np.full(1000, 3e38), "float32")]
    assert np.isfinite(to_host(with_finite(where.asarray(1.0, "float32"), arrays))).all()


def test_arrays_packed_behind_each_other_are_one():
    where = place("emulated")
    module, optimiser = trained("adam", "float32", where, range(1))
    filled = [a for a in module.parameters().values() if a.size]
    assert len(arrays_at_once._spans(filled)) == 1
    assert len(arrays_at_once._spans([*filled[1:], filled[0]])) == 2
    assert len(arrays_at_once._spans([filled[0], *filled[2:]])) == 2
    copies = [a.copy() for a in filled]
    assert len(arrays_at_once._spans(copies)) == len(filled)
    assert len(arrays_at_once._spans([*optimiser.arrays()])) == 2


# -- in a training ---------------------------------------------------------------------------------

SMALL = {"batch": 2, "size": 48, "channels": 4, "backend": "cupy", "device": "emulated"}


def learner(**settings):
    config = Config(**SMALL | settings)
    return make_learner(config), make_dataset(config)


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("model", ["toy", "toy-bisenet"])
def test_a_step_copies_images_and_labels_and_waits_for_its_loss(model, optimiser):
    from armlab import emulator

    found, dataset = learner(model=model, optimiser=optimiser, class_weights="median-frequency")
    batch = dataset.training(range(2))
    found.step(*batch, 1e-3)
    with emulator.counting() as counts:
        found.step(*batch, 1e-3)
    copies = {name: c.calls for name, c in counts.items() if c.kind in ("copy", "wait")}
    assert copies.pop("host to device") == 2
    assert copies.pop("device to host") == 1
    assert list(copies.values()) == [1]  # the wait
    assert counts[optimiser].calls == counts["with_finite"].calls == 1
    assert "pack" not in counts


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_a_resumed_run_goes_on_bit_for_bit(optimiser):
    found, dataset = learner(optimiser=optimiser)
    batches = [dataset.training(range(2 * i, 2 * i + 2)) for i in range(4)]
    for batch in batches[:2]:
        found.step(*batch, 1e-2)
    other, _ = learner(optimiser=optimiser)
    other.load_state_dict(found.state_dict())
    for batch in batches[2:]:
        assert found.step(*batch, 1e-2) == other.step(*batch, 1e-2)
    want = found.state_dict()
    for key, a in other.state_dict().items():
        np.testing.assert_array_equal(a, want[key], err_msg=key)


def test_what_is_not_finite_is_named():
    found, dataset = learner(optimiser="sgd", weight_decay=1e6)
    images, labels = dataset.training(range(2))
    state = found.state_dict()
    spoilt = images.copy()
    spoilt[1, 2, 3, 4] = np.nan
    with pytest.raises(NotFinite, match=r"^an image$"):
        found.step(spoilt, labels, 1e-2)
    found.load_state_dict(state)
    with pytest.raises(NotFinite, match=r"^the updated .*weight$"):
        found.step(images, labels, 1e38)


# -- strict, and wrong versions --------------------------------------------------------------------


def judged_steps():
    """Some steps in strict mode against the array code on the host, bit for bit."""
    from armlab import emulator

    where = place("emulated")
    for name in RULES:
        want = bits(*trained(name, "float32", place("cpu"), range(3)))
        with emulator.strict():
            module, optimiser = trained(name, "float32", where, range(2))
            before = [*optimiser.arrays()]
            copies = [to_host(a) for a in before]
            found = trained(name, "float32", where, range(2, 3), module, optimiser)
            for a, copy in zip(before, copies, strict=True):
                np.testing.assert_array_equal(to_host(a), copy, err_msg="the step before")
            expect_same_bits(bits(*found), want)


def judged_looks():
    """Looks in strict mode: at finite arrays, and at one with an infinity in some place."""
    from armlab import emulator

    where = place("emulated")
    with emulator.strict():
        loss, arrays = where.asarray(0.5, "float32"), []
        for size in (1, 257, 700, 90):
            arrays.append(where.asarray(np.ones(size), "float32"))
        np.testing.assert_array_equal(to_host(with_finite(loss, arrays))[:1], [0.5])
        assert np.isfinite(to_host(with_finite(loss, arrays))).all()
        for a in arrays:
            for at in range(0, a.size, 89):
                a[at] = np.inf
                assert not np.isfinite(to_host(with_finite(loss, arrays))).all()
                a[at] = 1.0


JUDGED = {"step": judged_steps, "with_finite": judged_looks}


@pytest.fixture
def few(monkeypatch):
    """Several launches and few blocks, so that small arrays meet every way."""
    monkeypatch.setattr(arrays_at_once, "MOST", 4)
    monkeypatch.setattr(arrays_at_once, "MOST_BLOCKS", 2)


@pytest.mark.parametrize("kernel", JUDGED)
def test_kernels_in_strict_mode(kernel, few):
    JUDGED[kernel]()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault[3]}-{fault[4]}")
def test_a_wrong_kernel_is_caught(fault, few):
    from cupy_backends.cuda.api.driver import CUDADriverError

    page, right, wrong, kernel, _ = fault
    with planted(page, right, wrong), pytest.raises((AssertionError, CUDADriverError)):
        JUDGED[kernel]()
