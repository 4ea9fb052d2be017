"""The contracts of design: what a call returns, what it may touch, and what the twins share."""

import copy
import inspect
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

import armlab.torch
from armlab import hand
from armlab.arrays import dtype_name, to_host
from armlab.check.cases import CASES, MODULES
from armlab.check.devices import HostSynchronisation, strict_device, torch_tensors
from armlab.check.sides import run_hand_arrays
from armlab.check.special import without_warnings
from armlab.check.strata import for_all
from armlab.places import place_of

BUILT = {case.name: case.built for case in MODULES}


def both(name):
    options = BUILT[name].options
    return getattr(hand, name)(**options), getattr(armlab.torch, name)(**options)


def every(value):
    return list(value) if isinstance(value, tuple | list) else [value]


def arrays_of(results):
    return {k: a for k, a in results.items() if a is not None}


@pytest.mark.parametrize("name", CASES)
def test_backward_is_pure(name):
    """Called twice it gives the same, inputs stay as they are, and nothing aliases them."""

    def holds(e, dtype):
        before = copy.deepcopy(e)
        with without_warnings(e):
            run = run_hand_arrays(name, e, dtype)
            again = run_hand_arrays(name, e, dtype).results
        sources = list(arrays_of(run.inputs).values())
        sources += (
            [] if name in ("add", "subtract") else run.dy.values()
        )  # they hand dy on as it is
        for key, a in arrays_of(run.results).items():
            np.testing.assert_array_equal(a, again[key], strict=True)
            for source in sources:
                assert not np.shares_memory(a, source), f"{key} aliases an input"
        for key, value in arrays_of(e.inputs).items():
            np.testing.assert_array_equal(value, before.inputs[key])
            np.testing.assert_array_equal(run.inputs[key], value.astype(dtype))
        for drawn, used in zip(every(e.dy), run.dy.values(), strict=True):
            np.testing.assert_array_equal(used, drawn.astype(dtype))

    for_all(CASES[name].strata(25), holds, st.sampled_from(["float32", "float64"]))


@pytest.mark.parametrize("name", BUILT)
def test_backward_may_be_called_twice_and_after_a_second_forward(name):
    module, _ = both(name)
    given, other = (inputs_of(module, seed=seed) for seed in (0, 1))
    y, backward = module(*given)
    dy = like(y, np.random.default_rng(2))
    *dinputs, grads = backward(dy)
    module(*other)
    module.assign({k: a + 1 for k, a in module.parameters().items()})
    *again_dinputs, again = backward(dy)
    for dx, again_dx in zip(dinputs, again_dinputs, strict=True):
        np.testing.assert_array_equal(dx, again_dx)
    for key, g in grads.items():
        np.testing.assert_array_equal(g, again[key])


def inputs_of(module, size=(8, 7), seed=0):
    """Features that this module, built as its case says, accepts."""
    rng = np.random.default_rng(seed)
    shapes = BUILT[type(module).__name__].takes(*size)
    return [rng.standard_normal((3, *shape)).astype("f4") for shape in shapes]


def like(y, rng):
    """A random gradient in the shape of one or several outputs."""
    drawn = tuple(rng.standard_normal(a.shape).astype("f4") for a in every(y))
    return drawn if isinstance(y, tuple) else drawn[0]


def test_every_function_and_module_has_a_twin_and_a_case():
    twins = set(armlab.torch.__all__) - {"by_hand", "by_autograd"}  # the bridge between the two
    assert set(hand.__all__) - {"Module"} == twins == set(CASES)


@pytest.mark.parametrize("name", BUILT)
def test_keys_shapes_order_and_repr_are_those_of_the_twin(name):
    by_hand, twin = both(name)
    ours, theirs = by_hand.state_dict(), twin.state_dict()
    assert list(ours) == list(theirs)
    assert [a.shape for a in ours.values()] == [tuple(t.shape) for t in theirs.values()]
    assert list(by_hand.parameters()) == [k for k, _ in twin.named_parameters()]
    assert sorted([*by_hand.parameters(), *by_hand.buffers()]) == sorted(ours)
    assert repr(by_hand) == repr(twin)


@pytest.mark.parametrize("name", BUILT)
def test_state_dicts_load_strictly_both_ways(name):
    by_hand, twin = both(name)
    by_hand.load_state_dict(twin.state_dict())
    for key, t in twin.state_dict().items():
        np.testing.assert_array_equal(by_hand.state_dict()[key], t.numpy())
    other, _ = both(name)
    twin.load_state_dict({k: torch.tensor(a) for k, a in other.state_dict().items()}, strict=True)
    for key, a in other.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[key].numpy(), a)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", BUILT)
def test_grads_have_the_keys_and_shapes_of_the_parameters(name, training):
    module = both(name)[0].train(training)
    y, backward = module(*inputs_of(module, (9, 6)))
    *_, grads = backward(like(y, np.random.default_rng(1)))
    assert list(grads) == list(module.parameters())
    assert [g.shape for g in grads.values()] == [p.shape for p in module.parameters().values()]
    assert all(g.dtype == np.float32 for g in grads.values())


@pytest.mark.parametrize("name", BUILT)
def test_only_what_spares_a_convolution_may_leave_out_the_gradient_of_its_input(name):
    module, _ = both(name)
    _, backward = module(*inputs_of(module, (9, 6)))
    assert ("input_grad" in inspect.signature(backward).parameters) == (BUILT[name].spares > 0)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", [name for name, built in BUILT.items() if built.spares])
def test_without_the_gradient_of_the_input_the_others_are_the_same(name, training, monkeypatch):
    spared_at = []

    def counted(*args, **kwargs):
        y, backward = hand.conv2d(*args, **kwargs)

        def counted_backward(dy, input_grad=True):
            spared_at.append(not input_grad)
            return backward(dy, input_grad=input_grad)

        return y, counted_backward

    monkeypatch.setattr(sys.modules["armlab.hand.conv2d"], "conv2d", counted)
    module = both(name)[0].train(training)
    y, backward = module(*inputs_of(module, (9, 6)))
    dy = like(y, np.random.default_rng(1))
    dx, grads = backward(dy)
    assert not any(spared_at)
    spared, same = backward(dy, input_grad=False)
    assert sum(spared_at) == BUILT[name].spares  # those that meet the input
    assert dx is not None
    assert spared is None
    assert list(same) == list(grads)
    for key, g in grads.items():
        np.testing.assert_array_equal(same[key], g)


def test_state_dict_is_a_copy_and_assign_replaces():
    conv = hand.Conv2d(2, 3, 1, rng=0)
    state = conv.state_dict()
    state["weight"][...] = 7
    assert not (conv.weight == 7).any()
    held = conv.weight
    conv.assign({"weight": held + 1})
    assert conv.weight is not held


def test_a_weight_loaded_from_torch_shares_no_memory_with_it():
    by_hand, twin = both("Conv2d")
    by_hand.load_state_dict(twin.state_dict())
    with torch.no_grad():
        twin.weight.zero_()
    assert (by_hand.weight != 0).all()


def test_seeds_decide_the_weights_and_no_global_generator_is_touched():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    a, b, c = (hand.ToyNet(attention="arm", rng=seed) for seed in (0, 0, 1))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    for key, value in a.parameters().items():
        np.testing.assert_array_equal(value, b.parameters()[key])
    assert any((v != c.parameters()[k]).any() for k, v in a.parameters().items())
    shared = np.random.default_rng(0)
    first, second = hand.Conv2d(2, 2, 1, rng=shared), hand.Conv2d(2, 2, 1, rng=shared)
    assert (first.weight != second.weight).any()


def made(name, **more):
    """The module by hand, with rng, dtype and device."""
    return getattr(hand, name)(**BUILT[name].options, **more)


@pytest.mark.parametrize("name", BUILT)
def test_weights_are_one_stream_of_draws_with_variance_one_over_fan_in(name):
    """So the seed decides every layer, and no two layers draw the same."""
    stream = np.random.default_rng(5)
    for key, a in made(name, rng=5, dtype="float64").state_dict().items():
        if a.ndim > 1:
            want = stream.standard_normal(a.shape) / math.prod(a.shape[1:]) ** 0.5
            np.testing.assert_allclose(a, want, rtol=1e-12, err_msg=key)
        else:  # of batch normalisation, and biases
            assert (a == key.endswith(("weight", "running_var"))).all(), key


def test_the_twin_draws_with_variance_one_over_fan_in():
    t = armlab.torch.Conv2d(40, 50, 3).weight.detach().numpy()
    assert abs(t.std() * (40 * 9) ** 0.5 - 1) < 0.02


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BUILT)
def test_every_array_is_made_at_the_place_and_in_the_dtype_asked_for(name, dtype):
    with strict_device() as where:
        module = made(name, dtype=dtype, device=where)
        for key, a in (module.parameters() | module.buffers()).items():
            assert place_of(a) == where, key
            assert dtype_name(a) == ("int64" if key.endswith("num_batches_tracked") else dtype), key


ATTENTIONS = [case.name for case in MODULES if case.gate]


def test_every_module_with_a_gate_says_what_its_forward_makes_of_it():
    shown = {name for name in BUILT if hasattr(getattr(hand, name), "gate")}
    assert shown - {"ToyNet"} == set(ATTENTIONS)  # which shows the gate of its refinement


@pytest.mark.parametrize("name", ATTENTIONS)
@pytest.mark.parametrize("training", [True, False])
def test_gate_is_what_the_forward_multiplies_by(name, training):
    module, twin = both(name)
    twin.load_state_dict({k: torch.tensor(a) for k, a in module.state_dict().items()})
    module.train(training)
    twin.train(training)
    inputs = inputs_of(module, (5, 4))
    before = module.state_dict()
    gate = module.gate(*inputs)
    for key, a in module.state_dict().items():  # looking does not count as a batch
        np.testing.assert_array_equal(a, before[key])
    want = CASES[name].gate.makes(module.copy(), gate, *inputs)
    y, _ = module(*inputs)
    np.testing.assert_allclose(y, want, rtol=1e-6, atol=0)  # products may be grouped otherwise
    twin_before = copy.deepcopy(twin.state_dict())
    twin_gate = twin.gate(*(torch.tensor(x) for x in inputs)).numpy()
    assert all(torch.equal(t, twin_before[k]) for k, t in twin.state_dict().items())
    np.testing.assert_allclose(gate, twin_gate, rtol=0, atol=2e-5)
    assert ((gate > 0) & (gate < 1)).all()


def test_toy_net_has_a_gate_only_with_arm():
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype("f4")
    for net in (hand.ToyNet(attention="arm", rng=0), armlab.torch.ToyNet(attention="arm")):
        given = x if isinstance(net, hand.Module) else torch.tensor(x)
        assert net.gate(given).shape == (2, 32, 1, 1)
    assert hand.ToyNet(rng=0).gate(x) is None
    assert armlab.torch.ToyNet().gate(torch.tensor(x)) is None


def test_toy_net_says_which_attention_it_has():
    assert [hand.ToyNet(attention=a).attention for a in ("none", "arm")] == ["none", "arm"]


def test_modes_reach_every_module_below():
    net = hand.ToyNet(attention="arm", rng=0)
    assert all(m.training for _, m in net.named_modules())
    assert net.eval() is net
    assert all(m.training is False for _, m in net.named_modules())
    assert net.train() is net
    assert all(m.training is True for _, m in net.named_modules())


def test_a_convolution_module_is_the_function_with_its_arguments():
    rng = np.random.default_rng(0)
    options = {"stride": (2, 1), "padding": (1, 3), "dilation": (1, 2), "groups": 2}
    conv = hand.Conv2d(4, 6, (3, 2), **options, rng=rng)
    conv.assign({"bias": rng.standard_normal(6).astype("f4")})
    x = rng.standard_normal((2, 4, 5, 7)).astype("f4")
    want, _ = hand.conv2d(x, conv.weight, conv.bias, **options)
    np.testing.assert_array_equal(conv(x)[0], want)


def test_batch_normalisation_divides_by_its_own_eps_in_both_modes():
    bn = hand.BatchNorm2d(1, eps=3.0, dtype="float64")
    x = np.array([-1.0, 1.0]).reshape(2, 1, 1, 1)  # mean 0 and variance 1, as it keeps at first
    for mode in (False, True):
        np.testing.assert_array_equal(bn.train(mode)(x)[0], x / 2)


def test_eval_mode_leaves_the_statistics_alone():
    module, _ = both("BatchNorm2d")
    before = module.eval().state_dict()
    module(np.random.default_rng(0).standard_normal((2, 5, 3, 3)).astype("f4"))
    for key, a in module.state_dict().items():
        np.testing.assert_array_equal(a, before[key])


def test_an_empty_batch_only_counts():
    by_hand, twin = both("BatchNorm2d")
    y, backward = by_hand(np.zeros((0, 5, 3, 2), "f4"))
    twin(torch.zeros((0, 5, 3, 2)))
    assert y.shape == backward(y)[0].shape == (0, 5, 3, 2)
    for key, t in twin.state_dict().items():
        np.testing.assert_array_equal(by_hand.state_dict()[key], t.numpy())
    assert by_hand.num_batches_tracked == 1


def test_two_values_are_enough_to_move_the_running_statistics():
    bn = hand.BatchNorm2d(1, momentum=0.5, dtype="float64")
    bn(np.array([3.0, 7.0]).reshape(2, 1, 1, 1))  # mean 5, unbiased variance 8
    assert bn.running_mean == 0.5 * 0 + 0.5 * 5
    assert bn.running_var == 0.5 * 1 + 0.5 * 8


def test_moving_a_module_there_and_back():
    x = np.random.default_rng(0).standard_normal((2, 8, 3, 5)).astype("f4")
    module, _ = both("AttentionRefinementModule")
    want, _ = module.eval()(x)
    for where in (torch_tensors(),):
        moved = module.copy().to(where)
        got, _ = moved(where.asarray(x))
        np.testing.assert_allclose(to_host(got), want, rtol=0, atol=1e-5)
        assert moved.to("cpu").state_dict().keys() == module.state_dict().keys()
        np.testing.assert_array_equal(moved(x)[0], want)


def test_the_stand_in_refuses_what_a_device_would():
    with strict_device() as where:
        a = where.asarray([1.0, 2.0], "float32")
        with pytest.raises(HostSynchronisation):
            float(a[0])
        with pytest.raises(HostSynchronisation):
            bool(a[0] > 1)
        with pytest.raises(ValueError, match="device"):
            a + where.xp.asarray([1.0, 2.0], dtype=where.xp.float32)
        with pytest.raises((RuntimeError, TypeError)):
            np.asarray(a)
        with pytest.raises(RuntimeError):
            where.xp.unique_values(a)
    assert float(where.xp.asarray(1.5)) == 1.5  # and all is put back
