"""by_autograd: a module of PyTorch as a layer of a network by hand."""

import copy
import importlib
import pickle
from contextlib import contextmanager

import bridge_properties as properties
import numpy as np
import pytest
import torch
from bridge_properties import inputs_of, made, same, same_states, torch_module, upstream
from torch import nn

import armlab.torch as twins
from armlab import hand
from armlab.check.cases import MODULES
from armlab.check.devices import strict_device
from armlab.torch.bridge import sharing

by_autograd = importlib.import_module(
    "armlab.torch.bridge.by_autograd"
)  # the file, not the function

NAMES = [case.name for case in MODULES]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_module_of_pytorch_bit_for_bit(name, training):
    assert properties.is_the_torch_module(name, training) >= 2


PROPERTIES = ["nothing_is_written_to", "modes_reach_the_torch_module"]
PROPERTIES += ["unused_outputs_of_pytorch_have_no_part"]


@pytest.mark.parametrize("name", PROPERTIES)
def test_it_holds_that(name):
    getattr(properties, name)()


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_it_is_trained_as_a_module_by_hand(optimiser):
    net = properties.is_trained_by_hand(optimiser)
    trained = net.refine.module
    same_states(trained.state_dict(), net.refine.state_dict())
    twins.ToyNet(3, "arm", 4).double().load_state_dict(
        {key: torch.tensor(a) for key, a in net.state_dict().items()}, strict=True
    )


def test_a_module_by_hand_goes_there_and_back():
    rng = np.random.default_rng(0)
    name = "AttentionRefinementModule"
    module = made(name, rng)
    alone, round_trip = module.copy(), twins.by_autograd(twins.by_hand(module))
    (x,) = (t.numpy() for t in inputs_of(name, rng))
    (y, backward), (want, alone_back) = round_trip(x), alone(x)
    (dy,) = (t.numpy() for t in upstream(torch.from_numpy(y), rng))
    (dx, grads), (want_dx, want_grads) = backward(dy), alone_back(dy)
    same([y, dx], [want, want_dx])
    same_states(grads, want_grads)
    same_states(round_trip.state_dict(), alone.state_dict())


class Frozen(nn.Module):
    """Four ways to be kept or trained, and a layer that nobody calls."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 4, 1)
        self.frozen = nn.Conv2d(4, 4, 3, padding=1).requires_grad_(False)
        self.idle = nn.Conv2d(2, 2, 1)
        self.register_buffer("scale", torch.tensor(2.0))
        self.register_buffer("table", torch.tensor(3.0), persistent=False)

    def forward(self, x):
        return self.scale * self.frozen(self.mix(x)) * self.table


def test_what_is_frozen_is_kept_and_what_is_idle_has_zeros():
    torch.manual_seed(0)
    module = Frozen()
    layer = twins.by_autograd(module)
    trained = [key for key, p in module.named_parameters() if p.requires_grad]
    assert list(layer.parameters()) == trained
    assert set(layer.buffers()) == {"scale", "frozen.weight", "frozen.bias"}
    assert layer.state_dict().keys() == module.state_dict().keys()
    x = torch.randn(2, 3, 5, 4)
    y, backward = layer(x.numpy())
    same([y], [module(x).detach()])
    dx, grads = backward(torch.randn(y.shape).numpy())
    assert dx.shape == x.shape
    assert not grads["idle.weight"].any()
    assert not grads["idle.bias"].any()
    assert grads["mix.weight"].any()


def test_a_copy_or_a_file_has_weights_of_its_own():
    name = "ConvBNAct"
    layer = twins.by_autograd(torch_module(name))
    (x,) = (t.numpy() for t in inputs_of(name, np.random.default_rng(0)))
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        same_states(other.state_dict(), layer.state_dict())
        same([other.eval()(x)[0]], [layer.copy().eval()(x)[0]])


def test_random_layers_are_differentiated_as_they_were_drawn():
    layer = twins.by_autograd(nn.Dropout(0.5))
    x = np.ones((2, 3, 5, 4))
    torch.manual_seed(0)
    y, backward = layer(x)
    dx, grads = backward(np.full_like(y, 3.0))
    same([dx], [3 * y])
    assert set(np.unique(y)) == {0.0, 2.0}
    assert grads == {}
    assert backward(y, input_grad=False) == (None, {})
    same([layer.eval()(x)[0]], [x])


def test_a_train_of_its_own_is_respected():
    class Stays(nn.BatchNorm2d):
        def train(self, mode=True):
            return super().train(False)

    layer = twins.by_autograd(nn.Sequential(Stays(3)).double()).train()
    before = layer.state_dict()
    layer(np.random.default_rng(0).standard_normal((2, 3, 4, 5)))
    same_states(layer.state_dict(), before)


def test_its_gradients_have_no_graph_though_gradients_are_off():
    layer = twins.by_autograd(nn.Conv2d(3, 2, 1))
    with torch.no_grad():
        y, backward = layer(np.ones((1, 3, 2, 2), "f4"))
    assert backward(y)[1]["weight"].any()


def test_its_results_become_arrays_on_the_stream_that_cupy_is_on(monkeypatch):
    """And not on that of PyTorch: so CuPy's waits for what PyTorch has yet to do."""
    within, made_within = [False], []

    @contextmanager
    def running_at(t):
        within[0] = True
        yield
        within[0] = False

    def array_of(t):
        made_within.append(within[0])
        return sharing.array_of(t)

    layer = twins.by_autograd(nn.BatchNorm2d(3).double())
    monkeypatch.setattr(by_autograd, "running_at", running_at)
    monkeypatch.setattr(by_autograd, "array_of", array_of)
    rng = np.random.default_rng(0)
    y, backward = layer(rng.standard_normal((2, 3, 4, 5)))
    assert len(made_within) == 4  # two statistics and their count; y
    backward(rng.standard_normal(y.shape))
    assert made_within == [False] * 7


def test_it_prints_as_pytorch_does():
    assert repr(twins.by_autograd(nn.ReLU())) == "ByAutograd(ReLU())"


# -- refused in a sentence ----------------------------------------------------------------------


def tied():
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    return net


def named(name):
    net = nn.Module()
    net.add_module(name, nn.Conv2d(3, 2, 1))
    return net


BAD = {
    "by hand": (lambda: hand.SimAM(), TypeError, "a module of PyTorch, got SimAM: .*by_hand"),
    "tied": (tied, ValueError, "one name for each weight, got 0.weight and 1.weight for one"),
    "a name": (lambda: named("copy"), ValueError, "that hand.Module does not have, got 'copy'"),
    "bfloat16": (
        lambda: nn.Linear(3, 3).bfloat16(),
        TypeError,
        "'float32' or 'float64', got torch.b",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_another_module_is_refused(name):
    build, error, words = BAD[name]
    with pytest.raises(error, match=words):
        twins.by_autograd(build())


def test_other_inputs_are_refused():
    layer = twins.by_autograd(nn.Conv2d(3, 2, 1))
    with pytest.raises(
        TypeError, match=r"expected arrays of one dtype, .* got float64 and float32"
    ):
        layer(np.ones((1, 3, 2, 2)))
    with pytest.raises(TypeError, match="expected an array, got list"):
        layer([1.0])
    with strict_device() as where, pytest.raises(TypeError, match="one library"):
        layer(where.asarray(np.ones((1, 3, 2, 2), "f4")))
    with (
        strict_device() as where,
        pytest.raises(TypeError, match="of NumPy or CuPy, got array_api"),
    ):
        twins.by_autograd(nn.ReLU())(where.asarray(np.ones((1, 3, 2, 2), "f4")))


def test_other_outputs_are_refused():
    class Named(nn.Module):
        def forward(self, x):
            return {"y": x}

    with pytest.raises(TypeError, match=r"^by_autograd\(Named\) expected a tensor or .*, got dict"):
        twins.by_autograd(Named())(np.ones((1, 3, 2, 2)))


def test_as_many_gradients_as_outputs():
    class Two(nn.Module):
        def forward(self, x):
            return x * 2, x * 3

    (y, _), backward = twins.by_autograd(Two())(np.ones((1, 3, 2, 2)))
    same([backward((y, None))[0]], [2 * y])
    with pytest.raises(ValueError, match="backward expected a tuple of 2 gradients"):
        backward((y,))
