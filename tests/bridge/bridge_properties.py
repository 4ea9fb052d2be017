"""What has to hold of by_hand and by_autograd: each a function that fails where it does not.

Where the bridge only hands on, it is held to the module by hand or to PyTorch without a tolerance.
"""

import copy
import pickle
import weakref

import numpy as np
import pytest
import torch

import armlab.torch as twins
from armlab import hand
from armlab.check.cases import CASES
from armlab.training.hand_learner import HandLearner
from armlab.training.optimisers import SGD, Adam

LAYOUTS = ("plain", "transposed", "channels last", "every second", "repeated")


def laid(a, layout):
    """A tensor with these values, the first image for all where it is repeated."""
    t = torch.from_numpy(a.copy())
    if layout == "transposed":
        return t.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)
    if layout == "channels last":
        return t.contiguous(memory_format=torch.channels_last)
    if layout == "every second":
        room = torch.full((*a.shape[:3], 2 * a.shape[3]), torch.nan, dtype=t.dtype)
        room[..., 1::2] = t
        return room[..., 1::2]
    return t[:1].expand(a.shape) if layout == "repeated" else t


def every(y):
    return y if isinstance(y, tuple) else (y,)


def unsettled(module, rng):
    """The module with random values for all that is 0 or 1 when it is new."""
    new = {}
    for key, a in (module.parameters() | module.buffers()).items():
        if a.ndim == 1:
            low = 0.5 if key.endswith(("running_var", "weight")) else -1.0
            new[key] = rng.uniform(low, 2.0, a.shape).astype(a.dtype)
    return module.assign(new)


def made(name, rng, dtype="float64", **options):
    return unsettled(
        getattr(hand, name)(**CASES[name].built.options | options, rng=1, dtype=dtype), rng
    )


def inputs_of(name, rng, dtype="float64", layout="plain", batch=4, size=(9, 17)):
    shapes = CASES[name].built.takes(*size)
    drawn = [rng.standard_normal((batch, *shape)).astype(dtype) for shape in shapes]
    return [laid(x, layout) for x in drawn]


def same(ours, theirs):
    """Arrays or tensors that agree to the last bit, in dtype and shape. How many."""
    ours, theirs = list(ours), list(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b), strict=True)
    return len(ours)


def detached(tensors):
    return [t.detach() for t in tensors]


def same_states(ours, theirs):
    assert list(ours) == list(theirs)
    return same(ours.values(), theirs.values())


def gradients(ys, wanted, dys, **options):
    return torch.autograd.grad(every(ys), wanted, every(dys), **options)


def upstream(ys, rng, layout="plain"):
    return tuple(
        laid(rng.standard_normal(y.shape).astype(str(y.dtype)[6:]), layout) for y in every(ys)
    )


# -- by_hand ----------------------------------------------------------------------------------


def is_the_module(name, training=True, dtype="float64", layout="plain"):
    """Outputs, gradients of all inputs and weights, statistics: those by hand, bit for bit."""
    rng = np.random.default_rng(0)
    module = made(name, rng, dtype).train(training)
    alone, layer = module.copy(), twins.by_hand(module)
    xs = [x.requires_grad_() for x in inputs_of(name, rng, dtype, layout)]
    ys = layer(*xs)
    dys = upstream(ys, rng, layout)
    found = gradients(ys, [*xs, *layer.parameters()], dys)
    want, backward = alone(*(x.detach().numpy() for x in xs))
    given = tuple(dy.numpy() for dy in dys)
    *dxs, grads = backward(given if isinstance(want, tuple) else given[0])
    assert isinstance(ys, tuple) == isinstance(want, tuple)
    count = same(detached(every(ys)), every(want))
    count += same(found, [*dxs, *grads.values()])
    count += same_states(layer.state_dict(), alone.state_dict())
    return count


def statistics_are_kept():
    """In the layer's state_dict, in its tensors as they were, and in the module by hand."""
    rng = np.random.default_rng(0)
    module = made("AttentionRefinementModule", rng)
    alone, layer = module.copy(), twins.by_hand(module)
    mean, key = layer.bn_atten.running_mean, "bn_atten.running_mean"
    for batch in range(3):
        (x,) = inputs_of("AttentionRefinementModule", rng)
        layer(x)
        alone(x.numpy())
        assert same(
            [mean, layer.state_dict()[key], module.buffers()[key]], [alone.buffers()[key]] * 3
        )
        assert layer.bn_atten.num_batches_tracked == batch + 1
        assert layer.bn_atten.running_mean is mean


def modes_reach_the_module():
    """Those of the whole, and that of one part, as where a batch normalisation is frozen."""
    rng = np.random.default_rng(0)
    module = made("AttentionRefinementModule", rng)
    layer = twins.by_hand(module).eval()
    (x,) = inputs_of("AttentionRefinementModule", rng)
    before = copy.deepcopy(layer.state_dict())
    layer(x)
    same_states(layer.state_dict(), before)
    assert not module.bn_atten.training
    layer.train()
    layer.conv.bn.eval()
    layer(x)
    moved = {k for k, t in layer.state_dict().items() if not torch.equal(t, before[k])}
    assert moved == {f"bn_atten.{n}" for n in CASES_OF_BN}
    assert [m.training for m in (module, module.conv.bn, module.bn_atten)] == [True, False, True]


CASES_OF_BN = ("running_mean", "running_var", "num_batches_tracked")


def weights_are_one_memory():
    """A write on either side is there on the other, and nothing was copied on the way."""
    rng = np.random.default_rng(0)
    module = made("AttentionRefinementModule", rng)
    arrays = module.parameters() | module.buffers()
    layer = twins.by_hand(module)
    for key, t in layer.state_dict().items():
        assert t.data_ptr() == arrays[key].__array_interface__["data"][0], key
    (x,) = inputs_of("AttentionRefinementModule", rng)
    layer(x).square().mean().backward()
    torch.optim.SGD(layer.parameters(), 0.1).step()
    same_states(layer.state_dict(), module.state_dict())
    new = {key: a + 1 for key, a in module.parameters().items()}
    parameter = layer.conv_atten.weight
    module.assign(new)
    y = layer.eval()(x)
    same(detached(layer.parameters()), new.values())
    assert layer.conv_atten.weight is parameter
    same([y.detach()], [module.copy()(x.numpy())[0]])


def what_pytorch_replaces_is_taken_over():
    """.to(dtype), assign=True in load_state_dict, new parameters, a call with other weights."""
    rng = np.random.default_rng(0)
    name = "AttentionRefinementModule"
    layer = twins.by_hand(made(name, rng)).eval()
    (x,) = inputs_of(name, rng)

    def is_itself(y, x):
        same([y.detach()], [layer.module.copy()(x.detach().numpy())[0]])
        same_states(layer.state_dict(), layer.module.state_dict())

    wide = layer(x)
    layer.float()
    narrow = layer(x.float())
    assert narrow.dtype == torch.float32
    is_itself(narrow, x.float())
    np.testing.assert_allclose(narrow.detach(), wide.detach(), rtol=0, atol=1e-4)
    other = made(name, np.random.default_rng(1), "float32").state_dict()
    layer.load_state_dict({k: torch.from_numpy(a) for k, a in other.items()}, assign=True)
    y = layer(x.float())
    is_itself(y, x.float())
    assert not torch.equal(y, narrow)
    twice = {k: 2 * t.detach() for k, t in layer.named_parameters()}
    called = torch.func.functional_call(layer, twice, (x.float(),))
    module = layer.module.copy()
    module.assign({k: t.numpy() for k, t in twice.items()})
    same([called.detach()], [module(x.float().numpy())[0]])
    same([layer(x.float()).detach()], [y.detach()])


def forwards_come_before_backwards():
    """In any order, in other modes, with new weights in between: each backward is its own."""
    rng = np.random.default_rng(0)
    name = "AttentionRefinementModule"
    module = made(name, rng)
    alone, layer = module.copy(), twins.by_hand(module)
    calls = []
    for training in (False, True, True, False):
        (x,) = inputs_of(name, rng)
        y = layer.train(training)(x.requires_grad_())
        calls.append((x, y, alone.train(training)(x.detach().numpy())[1], list(layer.parameters())))
    module.assign({key: a + 1 for key, a in module.parameters().items()})
    layer(x)
    for x, y, backward, weights in calls[::-1]:
        (dy,) = upstream(y, rng)
        dx, grads = backward(dy.numpy())
        same(gradients(y, [x, *weights], dy), [dx, *grads.values()])


def unused_outputs_have_no_part():
    rng = np.random.default_rng(0)
    module = made("ToyBiSeNet", rng)
    alone, layer = module.copy(), twins.by_hand(module)
    (x,) = inputs_of("ToyBiSeNet", rng, size=(32, 33))
    ys = layer(x.requires_grad_())
    (dy,) = upstream(ys[0], rng)
    (found, *found_grads) = gradients(ys[0], [x, *layer.parameters()], dy)
    _, backward = alone(x.detach().numpy())
    dx, grads = backward((dy.numpy(), None, None))
    assert len(ys) == 3
    same([found, *found_grads], [dx, *grads.values()])
    assert isinstance(layer.eval()(x), torch.Tensor)


def writes_are_noticed():
    """What is written to between forward and backward is an error, as anywhere in PyTorch."""
    rng = np.random.default_rng(0)
    name = "SqueezeExcitation"
    for what in ("input", "output", "weight"):
        layer = twins.by_hand(made(name, rng))
        x = inputs_of(name, rng)[0].requires_grad_()
        inner = x * 1
        y = layer(inner)
        with torch.no_grad():
            {"input": inner, "output": y, "weight": layer.fc1.weight}[what].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward(torch.tensor(rng.standard_normal(y.shape)))


def what_forward_kept_is_let_go():
    """By the first backward, though the graph is still there."""
    rng = np.random.default_rng(0)
    layer = twins.by_hand(made("SqueezeExcitation", rng))
    y = layer(inputs_of("SqueezeExcitation", rng)[0])
    kept = weakref.ref(y.grad_fn.hand_backward)
    assert kept() is not None
    y.backward(torch.tensor(rng.standard_normal(y.shape)))
    assert kept() is None
    assert y.grad_fn is not None


def a_second_backward_is_the_first():
    """Though weights, statistics and mode have changed, and moves none of them."""
    rng = np.random.default_rng(0)
    name = "AttentionRefinementModule"
    for training in (True, False):
        module = made(name, rng).train(training)
        layer = twins.by_hand(module)
        x = inputs_of(name, rng)[0].requires_grad_()
        y = layer(x)
        (dy,) = upstream(y, rng)
        wanted = [x, *layer.parameters()]
        first = gradients(y, wanted, dy, retain_graph=True)
        module.assign({key: a + 1 for key, a in module.parameters().items()})
        layer.train(not training)(x)
        before = copy.deepcopy(layer.state_dict())
        same(gradients(y, wanted, dy), first)
        same_states(layer.state_dict(), before)


class Sum(hand.Module):
    """y = high + low: both gradients are dy itself, as `hand.add` has it."""

    def forward(self, high, low):
        y, backward = hand.add(high, low)
        return y, lambda dy: (*backward(dy), {})


class Same(hand.Module):
    def forward(self, x):
        return x, lambda dy: (dy, {})


def results_are_apart():
    """No two results begin at one place, nor a result where an input or a dy does."""
    x, z = (torch.randn(2, 3, generator=torch.Generator().manual_seed(n)) for n in (0, 1))
    x.requires_grad_()
    z.requires_grad_()
    dy = torch.full((2, 3), 0.5)
    twins.by_hand(Sum())(x, z).backward(dy)
    same([x.grad, z.grad], [dy, dy])
    x.grad.zero_()
    same([z.grad, dy], [torch.full((2, 3), 0.5)] * 2)
    y = twins.by_hand(Same())(x)
    assert y.data_ptr() != x.data_ptr()
    same([y.detach()], [x.detach()])


def trains_as_its_twin(optimiser):
    """Between other layers of PyTorch, with torch.optim, in float64: 1e-9 over 30 steps.

    A step rounds by about 1e-16 and the recursion makes that grow; a wrong rule breaks 1e-9 in its
    first steps.
    """
    rng = np.random.default_rng(3)
    module = made("AttentionRefinementModule", rng)
    twin = twins.AttentionRefinementModule(**CASES["AttentionRefinementModule"].built.options)
    twin.double().load_state_dict({k: torch.tensor(a) for k, a in module.state_dict().items()})
    channels = next(iter(module.bn_atten.parameters().values())).shape[0]
    nets = []
    for middle in (twins.by_hand(module), twin):
        torch.manual_seed(0)
        first = torch.nn.Conv2d(3, module.conv.conv.in_channels, 3, padding=1)
        last = torch.nn.Conv2d(channels, 5, 1)
        net = torch.nn.Sequential(first, torch.nn.Tanh()).double()
        nets.append(torch.nn.Sequential(*net, middle, last.double()))
    same_states(nets[0].state_dict(), nets[1].state_dict())
    start = copy.deepcopy(nets[0].state_dict())
    rules = [optimiser(net.parameters()) for net in nets]
    for _ in range(30):
        x, labels = (
            torch.tensor(rng.standard_normal((4, 3, 8, 7))),
            torch.tensor(rng.integers(0, 5, (4, 8, 7))),
        )
        for net, rule in zip(nets, rules, strict=True):
            rule.zero_grad()
            torch.nn.functional.cross_entropy(net(x), labels).backward()
            rule.step()
    ours, theirs = (net.state_dict() for net in nets)
    for key, t in ours.items():
        np.testing.assert_allclose(t, theirs[key], rtol=1e-9, atol=1e-9, err_msg=key)
        assert (t != start[key]).any(), key
    same_states(
        {k: torch.tensor(a) for k, a in module.state_dict().items()}, nets[0][2].state_dict()
    )


def copies_are_their_own():
    """deepcopy, pickle: equal, and apart from then on, each with its own module."""
    rng = np.random.default_rng(0)
    name = "AttentionRefinementModule"
    layer = twins.by_hand(made(name, rng))
    (x,) = inputs_of(name, rng)
    layer(x)
    before = copy.deepcopy(layer.state_dict())
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        same_states(other.state_dict(), layer.state_dict())
        with torch.no_grad():
            for p in other.parameters():
                p.add_(1)
        other(x)
        same_states(other.state_dict(), other.module.state_dict())
        same_states(layer.state_dict(), before)
        want = made(name, np.random.default_rng(5)).load_state_dict(other.state_dict()).eval()
        same([other.eval()(x).detach()], [want(x.numpy())[0]])


# -- by_autograd ------------------------------------------------------------------------------


def torch_module(name, training=True, seed=1):
    """The twin in float64 with unsettled weights."""
    state = made(name, np.random.default_rng(seed)).state_dict()
    twin = getattr(twins, name)(**CASES[name].built.options).double().train(training)
    twin.load_state_dict({key: torch.tensor(a) for key, a in state.items()})
    return twin


def is_the_torch_module(name, training=True):
    """Outputs, gradients and statistics of PyTorch, bit for bit."""
    rng = np.random.default_rng(0)
    twin = torch_module(name, training)
    layer = twins.by_autograd(copy.deepcopy(twin))
    xs = [x.requires_grad_() for x in inputs_of(name, rng)]
    ys, backward = layer(*(x.detach().numpy() for x in xs))
    want = twin(*xs)
    dys = upstream(want, rng)
    weights = dict(twin.named_parameters())
    wanted = gradients(
        want, [*xs, *weights.values()], dys, allow_unused=True, materialize_grads=True
    )
    given = tuple(dy.numpy() for dy in dys)
    *dxs, grads = backward(given if isinstance(want, tuple) else given[0])
    assert list(grads) == list(layer.parameters()) == list(weights)
    assert all(type(a) is np.ndarray for a in (*every(ys), *dxs, *grads.values()))
    count = same(every(ys), detached(every(want)))
    count += same([*dxs, *grads.values()], wanted)
    count += same_states(layer.state_dict(), twin.state_dict())
    return count


def is_trained_by_hand(optimiser):
    """In a network by hand, with our optimisers: the curve of the network that is all by hand."""
    curves, nets, rate = [], [], {"sgd": 0.1, "adam": 0.02}[optimiser]
    for bridged in (False, True):
        net = hand.ToyNet(3, "arm", 4, rng=0, dtype="float64")
        if bridged:
            twin = twins.ToyNet(3, "arm", 4).double()
            twin.load_state_dict({k: torch.tensor(a) for k, a in net.state_dict().items()})
            net.conv1, net.refine = map(twins.by_autograd, (twin.conv1, twin.refine))
        rng = np.random.default_rng(7)
        learner = HandLearner(net, SGD(rate) if optimiser == "sgd" else Adam(rate))
        steps = []
        for _ in range(30):
            images = rng.standard_normal((4, 3, 12, 10))
            steps.append(learner.step(images, (images[:, 0] > 0).astype(int), rate))
        curves.append(steps)
        nets.append(net)
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-9)
    assert curves[0][-1] < 0.7 * curves[0][0]
    ours, theirs = (net.state_dict() for net in nets)
    assert ours.keys() == theirs.keys()
    for key, a in ours.items():
        np.testing.assert_allclose(theirs[key], a, rtol=1e-8, atol=1e-8, err_msg=key)
    return nets[1]


def nothing_is_written_to():
    """No array of a module, no input, no dy; and an earlier backward stays as it was."""
    rng = np.random.default_rng(0)
    name = "AttentionRefinementModule"
    layer = twins.by_autograd(torch_module(name))
    (x,) = (t.numpy() for t in inputs_of(name, rng))
    arrays = layer.parameters() | layer.buffers()
    before, x_before = copy.deepcopy(arrays), x.copy()
    look = layer.copy()
    y, backward = layer(x)
    (dy,) = (t.numpy() for t in upstream(torch.from_numpy(y), rng))
    dx, grads = backward(dy)
    layer.assign({key: a + 1 for key, a in layer.parameters().items()})
    layer(x)
    again, grads_again = backward(dy)
    same([again, *grads_again.values()], [dx, *grads.values()])
    same_states(arrays, before)
    same([x], [x_before])
    assert list(look.state_dict()) == list(layer.state_dict())
    same_states(look.parameters() | look.buffers(), before)
    same([look(x)[0]], [y])


def modes_reach_the_torch_module():
    rng = np.random.default_rng(0)
    name = "AttentionRefinementModule"
    layer = twins.by_autograd(torch_module(name))
    (x,) = (t.numpy() for t in inputs_of(name, rng))
    layer.eval()
    before = layer.state_dict()
    y, _ = layer(x)
    same_states(layer.state_dict(), before)
    same([y], [torch_module(name, False)(torch.from_numpy(x)).detach()])
    layer.train()
    layer.conv.bn.eval()
    layer(x)
    moved = {k for k, a in layer.state_dict().items() if (a != before[k]).any()}
    assert moved == {f"bn_atten.{n}" for n in CASES_OF_BN}


def unused_outputs_of_pytorch_have_no_part():
    rng = np.random.default_rng(0)
    twin = torch_module("ToyBiSeNet")
    layer = twins.by_autograd(copy.deepcopy(twin))
    x = inputs_of("ToyBiSeNet", rng, size=(32, 33))[0].requires_grad_()
    ys, backward = layer(x.detach().numpy())
    want = twin(x)
    (dy,) = upstream(want[0], rng)
    dx, grads = backward((dy.numpy(), None, None))
    wanted = gradients(
        want[0], [x, *twin.parameters()], dy, allow_unused=True, materialize_grads=True
    )
    assert len(ys) == 3
    assert not grads["conv_out16.conv_out.weight"].any()
    for a, t in zip([dx, *grads.values()], wanted, strict=True):  # zeros are added in another order
        np.testing.assert_allclose(a, t, rtol=1e-9, atol=1e-12)
    spared, grads_alone = backward((dy.numpy(), None, None), input_grad=False)
    assert spared is None
    same(grads_alone.values(), grads.values())
