"""The optimisers by hand against torch.optim, over many steps with changing learning rates."""

import numpy as np
import pytest
import torch

from armlab.arrays import to_host
from armlab.hand import Module
from armlab.places import Place
from armlab.training.optimisers import SGD, Adam

STEPS = 200


def kernels_decay(parameters, decay):
    """Two groups: arrays of one axis, as biases are, do not decay."""
    kernels, others = ([p for p in parameters if (p.ndim > 1) == wide] for wide in (True, False))
    return [{"params": kernels, "weight_decay": decay}, {"params": others}]


RULES = {
    "sgd": (lambda: SGD(0.05), lambda p: torch.optim.SGD(p, 0.05, momentum=0.9)),
    "sgd plain": (lambda: SGD(0.05, momentum=0.0), lambda p: torch.optim.SGD(p, 0.05)),
    "sgd decay": (
        lambda: SGD(0.05, 0.8, weight_decay=0.03),
        lambda p: torch.optim.SGD(kernels_decay(p, 0.03), 0.05, momentum=0.8),
    ),
    "adam": (lambda: Adam(0.01), lambda p: torch.optim.Adam(p, 0.01)),
    "adam decay": (
        lambda: Adam(0.01, (0.8, 0.95), 1e-6, weight_decay=0.03),
        lambda p: torch.optim.Adam(kernels_decay(p, 0.03), 0.01, (0.8, 0.95), 1e-6),
    ),
}


class Pair(Module):
    """Two arrays to train; no forward, as gradients are drawn."""

    parameter_names = ("weight", "bias")

    def __init__(self, dtype: str) -> None:
        rng = np.random.default_rng(11)
        self.weight, self.bias = rng.normal(size=(3, 5)).astype(dtype), np.zeros(4, dtype)


def gradients(step: int, dtype: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([12, step])
    scale = 10.0 ** rng.integers(-3, 2)  # moments have to follow sudden changes
    weight, bias = scale * rng.normal(size=(3, 5)), scale * np.array([1.0, -0.5, 0.0, 3.0])
    return {"weight": weight.astype(dtype), "bias": bias.astype(dtype)}


def rate(step: int) -> float:
    return 0.02 * (1 + step % 7) / 7


def train_ours(name: str, dtype: str, steps: range = range(STEPS), module=None, optimiser=None):
    module, optimiser = module or Pair(dtype), optimiser or RULES[name][0]()
    for step in steps:
        optimiser.step(module, gradients(step, dtype), rate(step))
    return module, optimiser


def train_torch(name: str, dtype: str) -> dict[str, np.ndarray]:
    parameters = {
        k: torch.tensor(a, requires_grad=True) for k, a in Pair(dtype).parameters().items()
    }
    optimiser = RULES[name][1](list(parameters.values()))
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = rate(step)
        for key, g in gradients(step, dtype).items():
            parameters[key].grad = torch.tensor(g)
        optimiser.step()
    return {key: p.detach().numpy() for key, p in parameters.items()}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", RULES)
def test_equals_torch(name, dtype):
    ours, theirs = train_ours(name, dtype)[0].parameters(), train_torch(name, dtype)
    # A step rounds about ten times on either side, each time by u of what it handles: the weight
    # and its change. No weight here exceeds `largest`, and errors of the steps add up at most.
    u = 2.0**-53 if dtype == "float64" else 2.0**-24
    largest = max(np.abs(theirs[key]).max() for key in theirs)
    for key in theirs:
        assert ours[key].dtype == dtype
        assert np.abs(ours[key] - theirs[key]).max() <= STEPS * 20 * u * max(largest, 1.0)
        assert np.abs(theirs[key] - Pair(dtype).parameters()[key]).max() > 0.01  # it did move


@pytest.mark.parametrize("name", RULES)
def test_arrays_are_replaced_and_never_written_to(name):
    module = Pair("float32")
    module.bias.flags.writeable = module.weight.flags.writeable = False
    grads = gradients(0, "float32")
    for g in grads.values():
        g.flags.writeable = False
    before = dict(module.parameters())
    copies = {key: a.copy() for key, a in before.items()}
    optimiser = RULES[name][0]()
    optimiser.step(module, grads)
    optimiser.step(module, grads)
    assert all(np.array_equal(before[key], copies[key]) for key in before)
    assert all(module.parameters()[key] is not before[key] for key in before)
    assert not any(
        np.shares_memory(a, g) for a in module.parameters().values() for g in grads.values()
    )


@pytest.mark.parametrize("name", RULES)
def test_state_continues_bit_for_bit(name):
    whole, _ = train_ours(name, "float32")
    module, optimiser = train_ours(name, "float32", range(80))
    fresh = RULES[name][0]()
    fresh.load_state_dict(dict(optimiser.state_dict()))
    train_ours(name, "float32", range(80, STEPS), module, fresh)
    assert all(np.array_equal(a, module.parameters()[k]) for k, a in whole.parameters().items())


@pytest.mark.parametrize("name", RULES)
def test_runs_on_another_device(name):
    strict = pytest.importorskip("array_api_strict")
    device = Place(strict, strict.Device("device1"))
    host, there = Pair("float64"), Pair("float64").to(device)
    ours, theirs = RULES[name][0](), RULES[name][0]()
    for step in range(3):
        grads = gradients(step, "float64")
        ours.step(host, grads)
        theirs.step(there, {key: device.asarray(g) for key, g in grads.items()})
    for key, a in there.parameters().items():
        np.testing.assert_allclose(to_host(a), host.parameters()[key], rtol=1e-14)
    assert all(a.device == device.device for k, a in theirs.state_dict().items() if k != "steps")


@pytest.mark.parametrize("optimiser", [SGD(0.1), Adam(0.1)])
def test_a_missing_gradient_is_named(optimiser):
    with pytest.raises(KeyError, match="bias is in one of the two only"):
        optimiser.step(Pair("float32"), {"weight": gradients(0, "float32")["weight"]})
