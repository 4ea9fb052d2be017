"""On CuPy, on a GPU or on the emulated device: every case under its bounds, in every layout.

These are the properties of the other files of this folder, with the code by hand on the real CuPy.
The emulated device takes its time, so there each stratum has few examples; none is left out.
"""

import copy
from collections import Counter
from dataclasses import replace
from operator import attrgetter

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from test_adjoint import CALLS, LAYERS, NETWORKS, SHAPES, as_function, built, drawn, outputs_of
from test_adjoint import end_to_end as in_one_vector

from armlab import hand
from armlab.arrays import to_host
from armlab.check import adjoint, faults, hunt
from armlab.check.agreement import expect_agreement, expect_equal
from armlab.check.cases import CASES, FUNCTIONS
from armlab.check.example import by_name
from armlab.check.layouts import LAYOUTS
from armlab.check.sides import run_hand_arrays
from armlab.check.special import without_warnings
from armlab.check.strata import for_all
from armlab.hand import resnet18
from armlab.hand.batch_norm_activated import ACTIVATIONS
from armlab.places import HOST, device_name, place, place_of

pytestmark = pytest.mark.cupy
DTYPES = ("float32", "float64")
HANDED_ON = ("add", "subtract")  # they hand dy on as it is
EMULATED = 10  # examples of a case there, rounded up in each stratum


@pytest.fixture(scope="session")
def few(cupy_device):
    """The strata of a case with as many examples as its device has time for, none left out."""

    def few(case, exact=False):
        draw = case.exact_strata if exact else case.strata
        if cupy_device == "cuda":
            return draw(settings().max_examples)
        strata = draw(min(EMULATED, settings().max_examples))
        assert [s.name for s in strata] == [s.name for s in draw(100)]
        return [replace(s, count=1) for s in strata] if case.share < 1 else strata  # networks: 5

    return few


# -- values -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_every_case_keeps_its_bounds(name, dtype, few, cupy_place):
    """Large arrays, which fill many blocks, are among them, and so is the empty batch."""
    sizes = []

    def agrees(e):
        assert expect_agreement(name, e, dtype, cupy_place)
        sizes.append(max(a.size for a in e.inputs.values() if a is not None))

    for_all(few(CASES[name]), agrees)
    assert max(sizes) > 1000  # CuPy has 128 threads in a block
    assert len(sizes) >= 5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [case.name for case in FUNCTIONS if case.exact])
def test_integers_agree_to_the_last_bit(name, dtype, few, cupy_place):
    def agrees(e):
        expect_equal(name, e, dtype, cupy_place)

    for_all(few(CASES[name], exact=True), agrees)


@pytest.mark.parametrize(
    "fault",
    [f for f in faults.OF_KINDS if f.kind.startswith("off the host")],
    ids=attrgetter("name"),
)
def test_what_is_wrong_off_the_host_alone_is_caught_here(fault, cupy_place, monkeypatch):
    monkeypatch.setattr(hunt, "EXAMPLES", 80)
    caught = hunt.hunt(fault, shrink=False, place=cupy_place)
    assert caught.caught
    assert caught.by


# -- layouts, and what a call may touch -------------------------------------------------------


STRIDES = {  # of each layout, for the shape (3, 4, 2, 5), in elements
    "C": (40, 10, 5, 1),
    "Fortran": (1, 3, 12, 24),
    "negative strides": (-40, -10, -5, -1),
    "step two": (640, 80, 20, 2),
    "transposed": (40, 10, 1, 2),
    "channels last": (40, 1, 20, 4),
    "broadcast": (10, 0, 5, 1),
    "zero-size": (40, 10, 5, 1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_made_on_the_device(layout, cupy_place):
    import cupy

    one = np.random.default_rng(0).standard_normal((3, 1, 2, 5))
    a = np.ascontiguousarray(np.broadcast_to(one, (3, 4, 2, 5)))
    there = LAYOUTS[layout](a, cupy_place)
    assert isinstance(there, cupy.ndarray)
    assert tuple(step // 8 for step in there.strides) == STRIDES[layout]
    np.testing.assert_array_equal(to_host(there), a)


def stretched(a):
    """The strides of the axes that are longer than 1, in elements; no others mean anything."""
    return [step // a.itemsize for n, step in zip(a.shape, a.strides, strict=True) if n > 1]


@pytest.mark.parametrize("name", CASES)
def test_backward_is_pure_in_every_layout(name, few, cupy_device, cupy_place):
    """Called twice it gives the same, there, and inputs stay as they are, and where they are."""
    import cupy

    seen = Counter()

    def holds(e, dtype):
        before = copy.deepcopy(e)
        with without_warnings(e):
            run = run_hand_arrays(name, e, dtype, cupy_place)
            again = run_hand_arrays(name, e, dtype, cupy_place).on_host()
        given = {k: a for k, a in (run.inputs | run.dy).items() if a is not None}
        values = before.inputs | by_name("dy", before.dy)
        for key, a in given.items():
            want = values[key].astype(dtype)
            np.testing.assert_array_equal(to_host(a), want)
            if a.ndim and a.size:
                layout = e.layouts.get(key, "C")
                assert stretched(a) == stretched(LAYOUTS[layout](want, HOST)), layout
                seen[layout] += 1
        sources = [a for k, a in given.items() if k in run.inputs or name not in HANDED_ON]
        for key, a in run.results.items():
            if a is None:
                continue
            assert isinstance(a, cupy.ndarray), f"{key} is no array of CuPy"
            assert device_name(a.device) in (cupy_device, f"{cupy_device}:0")
            np.testing.assert_array_equal(to_host(a), again[key], strict=True)
            assert not any(cupy.may_share_memory(a, b) for b in sources), f"{key} aliases an input"

    for_all(few(CASES[name]), holds, st.sampled_from(DTYPES))
    if CASES[name].is_function:
        assert set(seen) == set(LAYOUTS) - {"zero-size"}, seen
    print(f"{name}: {seen.total()} arrays, {dict(seen)}")


# -- a known defect of CuPy -------------------------------------------------------------------


@pytest.mark.parametrize("groups", [1, 2])
def test_a_reversed_kernel_of_one_channel(groups, cupy_place):
    """CuPy's matmul raises OverflowError where it repeats an axis with a negative stride."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, groups, 5, 4))
    w = rng.standard_normal((groups, 1, 3, 1))
    y, backward = hand.conv2d(x, np.flip(w), groups=groups, padding=(1, 0))
    x_there, w_there, dy_there = (cupy_place.asarray(a) for a in (x, w, dy))
    w_there = cupy_place.xp.flip(w_there)
    y_there, backward_there = hand.conv2d(x_there, w_there, groups=groups, padding=(1, 0))
    np.testing.assert_allclose(to_host(y_there), y, rtol=1e-13, atol=1e-14)
    for mine, want in zip(backward_there(dy_there)[:2], backward(dy)[:2], strict=True):
        np.testing.assert_allclose(to_host(mine), want, rtol=1e-12, atol=1e-14)


# -- derivatives ------------------------------------------------------------------------------


def on_cupy(function, where):
    """The function of host arrays, each call and each gradient of which is computed there."""

    def call(*inputs):
        y, backward = function(*(where.asarray(a, "float64") for a in inputs))

        def backward_there(dy):
            grads = backward(where.asarray(dy, "float64"))
            return tuple(map(to_host, grads if isinstance(grads, tuple) else (grads,)))

        return to_host(y), backward_there

    return call


def moved(options, where):
    """Arrays among the options of a call, but for labels, live where the function runs."""
    floating = {k for k, a in options.items() if getattr(a, "dtype", np.dtype("O")).kind == "f"}
    return {k: where.asarray(a) if k in floating else a for k, a in options.items()}


@pytest.mark.parametrize("name", CALLS)
def test_backward_of_a_function_is_the_transpose_of_its_derivative(name, cupy_place):
    case, call = CALLS[name]
    rng = np.random.default_rng([0, *SHAPES[0]])
    inputs, options = call(rng, SHAPES[0])
    function = in_one_vector(outputs_of(case.name, **moved(options, cupy_place)))
    found = adjoint(on_cupy(function, cupy_place), *inputs.values(), rng=rng)
    assert found.smooth, f"{name}: a kink lies between the steps: {found}"
    assert found.holds, f"{name}: {found}"


def expect_derivative(case, training, sizes, where):
    """Of the first smooth draw; the module's own inputs and all its parameters are varied."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        module = built(case, training)
        inputs = drawn(case, rng, *sizes)
        function, parameters = as_function(module.to(where))
        host = [to_host(a) for a in parameters]
        found = adjoint(on_cupy(in_one_vector(function), where), *inputs, *host, rng=rng)
        if found.smooth:
            assert found.holds, f"{case.name}: {found}"
            return
    pytest.fail("none of 30 draws is smooth")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", LAYERS, ids=attrgetter("name"))
def test_backward_of_a_module(case, training, cupy_place):
    expect_derivative(case, training, (4, 6, 5), cupy_place)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", NETWORKS, ids=attrgetter("name"))
def test_backward_of_a_network(case, training, monkeypatch, cupy_place):
    """With a sigmoid for each ReLU, all outputs together."""
    monkeypatch.setattr(resnet18, "relu", hand.sigmoid)
    for activation in ACTIVATIONS:
        monkeypatch.setitem(ACTIVATIONS, activation, hand.sigmoid)
    expect_derivative(case, training, (3, 9, 17), cupy_place)


def test_a_backward_that_is_a_little_wrong_is_seen(cupy_place):
    def nearly(x):
        y, backward = hand.sigmoid(x)
        return y, lambda dy: backward(dy) * 1.000001

    found = adjoint(on_cupy(nearly, cupy_place), np.random.default_rng(0).standard_normal((2, 3)))
    assert found.smooth
    assert not found.holds


# -- places and streams -----------------------------------------------------------------------


def test_every_value_of_a_state_goes_there_and_back(cupy_place):
    """For each module: its arrays on CuPy, their copies, and the twin that loads them strictly."""
    import cupy
    import torch

    import armlab.torch as twins

    judged = 0
    for case in LAYERS + NETWORKS:
        module = built(case, True)
        want = module.state_dict()
        there = module.copy().to(cupy_place)
        state = there.state_dict()
        assert list(state) == list(want)
        for key, a in state.items():
            assert isinstance(a, cupy.ndarray)
            assert not cupy.may_share_memory(a, attribute(there, key))
            np.testing.assert_array_equal(to_host(a), want[key], strict=True)
            judged += 1
        twin = getattr(twins, case.name)(**case.built.options).double()
        twin.load_state_dict({k: torch.tensor(to_host(a)) for k, a in state.items()}, strict=True)
        back = built(case, True).load_state_dict(state)
        for key, a in back.state_dict().items():
            np.testing.assert_array_equal(a, want[key], strict=True)
        for a in there.to("cpu").state_dict().values():
            assert isinstance(a, np.ndarray)
    assert judged > 1000


def attribute(module, key):
    """The array itself that a module holds under a key of its state_dict."""
    for name in key.split("."):
        module = getattr(module, name)
    return module


def test_work_goes_to_the_current_stream(cupy_place):
    import cupy

    arm = hand.AttentionRefinementModule(8, 6, rng=0).to(cupy_place)
    x = cupy_place.asarray(np.random.default_rng(0).standard_normal((2, 8, 64, 96)), "float32")
    want, _ = arm.copy()(x)
    stream = cupy.cuda.Stream(non_blocking=True)
    cupy.cuda.Device().synchronize()
    before, after = cupy.cuda.Event(), cupy.cuda.Event()
    with stream:
        before.record()
        got, _ = arm.copy()(x)
        after.record()
    stream.synchronize()
    np.testing.assert_array_equal(to_host(got), to_host(want))
    assert cupy.cuda.get_elapsed_time(before, after) > 0  # the work lies between the two events


# -- names ------------------------------------------------------------------------------------


def test_the_device_is_named_and_the_other_is_refused(cupy_device, cupy_place):
    """The emulated device is never taken for a GPU, nor a GPU for the emulated device."""
    x = cupy_place.asarray(np.zeros((1, 3, 2, 2)), "float32")
    assert place_of(x) == cupy_place == place(cupy_device)
    name = device_name(cupy_place.device)
    assert name == ("emulated" if cupy_device == "emulated" else "cuda:0")
    with pytest.raises(TypeError, match=f"of cupy on {name}, got float32 arrays of numpy on cpu"):
        hand.Conv2d(3, 4, 1, rng=0, device=cupy_device)(to_host(x))
    other, words = {
        "emulated": ("cuda", "^device 'cuda' needs an NVIDIA GPU and its driver, .* nvidia-smi"),
        "cuda": ("emulated", "^device 'emulated' "),
    }[cupy_device]
    with pytest.raises(RuntimeError, match=words):
        place(other)
