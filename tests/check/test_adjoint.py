"""Derivatives have an oracle of their own, without torch: ⟨J v, dy⟩ = ⟨v, Jᵀ dy⟩ in float64.

Which inputs are far enough from kinks and ties, and which module has some, is in the cases.
"""

from operator import attrgetter

import numpy as np
import pytest

from armlab import hand
from armlab.check import adjoint
from armlab.check.cases import FUNCTIONS, MODULES
from armlab.check.smooth import smooth
from armlab.hand import resnet18
from armlab.hand.batch_norm_activated import ACTIVATIONS
from armlab.hand.upstream import WITH_STATISTICS

SHAPES = [(2, 3, 4, 5), (3, 1, 5, 2), (1, 4, 2, 3)]
CALLS = {  # each call of each function, by name and label
    f"{case.name}, {label}" if label else case.name: (case, call)
    for case in FUNCTIONS
    for label, call in case.calls.items()
}


def called(name, rng, shape):
    """The function with the options of this call, and its inputs."""
    case, call = CALLS[name]
    inputs, options = call(rng, shape)
    return outputs_of(case.name, **options), tuple(inputs.values())


def outputs_of(name, **options):
    """Without what has no gradient: the statistics of batch_norm, the input that is absent."""

    def call(*inputs):
        value, backward = getattr(hand, name)(*inputs, **options)
        y = value[0] if name in WITH_STATISTICS else value

        def present(dy):
            grads = backward(dy)
            grads = grads if isinstance(grads, tuple) else (grads,)
            return tuple(g for g in grads if g is not None)

        return y, present

    return call


@pytest.mark.usefixtures("fast_and_plain")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_backward_is_the_transpose_of_the_derivative(name, shape, seed):
    rng = np.random.default_rng([seed, *shape])
    function, inputs = called(name, rng, shape)
    found = adjoint(end_to_end(function), *inputs, rng=rng)
    assert found.smooth, f"{name}: a kink lies between the steps: {found}"
    assert found.holds, f"{name}: {found}"


def test_every_function_and_every_module_is_asked():
    asked = {case.name for case, _ in CALLS.values()} | {case.name for case in LAYERS + NETWORKS}
    assert asked == set(hand.__all__) - {"Module"}


LAYERS = [case for case in MODULES if case.built.kinks != "many"]
NETWORKS = [case for case in MODULES if case.built.kinks == "many"]


def built(case, training):
    module = getattr(hand, case.name)(**case.built.options, rng=1, dtype="float64")
    return module.train(training)


def drawn(case, rng, batch, height, width):
    return [smooth(rng, batch, *shape) for shape in case.built.takes(height, width)]


def as_function(module):
    """A module as a function of its inputs and all its parameters, each of which is varied."""
    keys = list(module.parameters())

    def call(*arrays):
        split = len(arrays) - len(keys)
        module.assign(dict(zip(keys, arrays[split:], strict=True)))
        y, backward = module(*arrays[:split])

        def all_gradients(dy):
            *dinputs, grads = backward(dy)
            return (*dinputs, *(grads[key] for key in keys))

        return y, all_gradients

    return call, tuple(module.parameters().values())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", LAYERS, ids=attrgetter("name"))
def test_backward_of_a_module(case, training):
    """A kink inside a module cannot be avoided by construction: such a draw does not count."""
    counted, some = 0, case.built.kinks == "few"
    for seed in range(120 if some else 60):
        rng = np.random.default_rng(seed)
        function, parameters = as_function(built(case, training))
        found = adjoint(function, *drawn(case, rng, 4, 6, 5), *parameters, rng=rng)
        if found.smooth:
            counted += 1
            assert found.holds, f"{case.name}: {found}"
        if some and counted == 40:
            return
    assert counted >= (5 if some else 60)


def end_to_end(function, used=None):
    """Of several outputs those in `used`, or all, as one vector; nobody used the others."""

    def call(*inputs):
        ys, backward = function(*inputs)
        if not isinstance(ys, tuple):
            return ys, backward
        chosen = range(len(ys)) if used is None else used

        def apart(dy):
            dys = [None] * len(ys)
            for i in chosen:
                part, dy = dy[: ys[i].size], dy[ys[i].size :]
                dys[i] = part.reshape(ys[i].shape)
            return backward(tuple(dys))

        return np.concatenate([ys[i].ravel() for i in chosen]), apart

    return call


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", NETWORKS, ids=attrgetter("name"))
def test_backward_of_a_network(case, training, monkeypatch):
    """With a sigmoid for each ReLU; each output alone, then all of them together."""
    monkeypatch.setattr(resnet18, "relu", hand.sigmoid)
    for activation in ACTIVATIONS:
        monkeypatch.setitem(ACTIVATIONS, activation, hand.sigmoid)
    y, _ = built(case, training)(*drawn(case, np.random.default_rng(0), 3, 9, 17))
    outputs = range(len(y)) if isinstance(y, tuple) else range(1)
    for used in [[i] for i in outputs] + [[*outputs]] * (len(outputs) > 1):
        expect_derivative(case, used, training)


def expect_derivative(case, used, training):
    counted = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        function, parameters = as_function(built(case, training))
        inputs = drawn(case, rng, 3, 9, 17)
        found = adjoint(end_to_end(function, used), *inputs, *parameters, rng=rng)
        if found.smooth:  # else two pixels change places in a max pooling
            counted += 1
            assert found.holds, f"{case.name}, outputs {used}: {found}"
        if counted == 2:
            return
    pytest.fail(f"outputs {used}: only {counted} of 12 draws are smooth")


def test_a_backward_that_is_a_little_wrong_is_seen():
    def nearly(x):
        y, backward = hand.sigmoid(x)
        return y, lambda dy: backward(dy) * 1.000001

    found = adjoint(nearly, smooth(np.random.default_rng(0), 2, 3, 4, 5))
    assert found.smooth
    assert not found.holds


def test_a_kink_is_seen():
    x = np.full((1, 1, 1, 1), 1e-6)
    assert not adjoint(hand.relu, x).smooth
