"""Modules that no installed package has, held to their published formulas in plain Python."""

import math
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from armlab import hand
from armlab.check import adjoint, bounds, plain
from armlab.check.cases import CASES as BY_NAME
from armlab.check.cases import MODULES, uafm

CASES = [case for case in MODULES if case.formula]
OTHERS = [  # options with which a formula is another
    replace(
        BY_NAME["ECA"],
        built=replace(BY_NAME["ECA"].built, options={"channels": 5, "kernel_size": 5}),
    ),
    replace(
        BY_NAME["SimAM"],
        built=replace(BY_NAME["SimAM"].built, options={"lambda_": 0.5}),
        formula=partial(BY_NAME["SimAM"].formula, lambda_=0.5),
    ),
]
IDS = [case.name for case in CASES] + ["ECA, a kernel of 5", "SimAM, a large λ"]


def test_each_module_has_a_formula_or_says_what_else_holds_it():
    """Besides its twin. Where that is a test, the test names the module or its block there."""
    for case in MODULES:
        assert bool(case.formula) != bool(case.held_by), case.name
    oracles = {case.name: case.held_by for case in MODULES if "test_" in case.held_by}
    here = Path(__file__).parents[1]
    for name, words in oracles.items():
        (file,) = re.findall(r"test_\w+\.py", words)
        assert list(here.rglob(file)), f"{name} is held by {file}, which is not there"
    assert len(oracles) + len(CASES) >= 20


def randomised(module, rng):
    """The module with random values in every array, so that no weight of 1 or bias of 0 hides."""
    state = module.state_dict()
    for key, a in state.items():
        if not key.endswith("num_batches_tracked"):
            drawn = rng.standard_normal(a.shape)
            state[key] = 0.5 + np.abs(drawn) if key.endswith("running_var") else drawn
    return module.load_state_dict(state)


def drawn(case, seed, training):
    rng = np.random.default_rng(seed)
    module = getattr(hand, case.name)(**case.built.options, rng=0, dtype="float64")
    module = randomised(module, rng)
    inputs = [rng.standard_normal((3, *shape)) for shape in case.built.takes(4, 5)]
    return module.train(training), inputs, rng


def by_formula(formula, module, inputs):
    p = {key: a.tolist() for key, a in module.state_dict().items()}
    return np.array(formula(p, module.training, *(x.tolist() for x in inputs)))


def assert_same(y, want):
    assert y.shape == want.shape
    error, allowed = np.abs(y - want).max(), bounds.whole(want).max()
    print(f"largest difference {error:.1e}, allowed {allowed:.1e}")  # pytest -rP shows it
    assert error <= allowed, f"off by {error:.3g}, allowed {allowed:.3g}"


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", CASES + OTHERS, ids=IDS)
def test_forward_is_the_formula(case, training):
    for seed in range(3):
        module, inputs, _ = drawn(case, seed, training)
        want = by_formula(case.formula, module, inputs)
        assert_same(module(*inputs)[0], want)


def mixed(formula, module, count):
    """A function of the inputs and parameters: the formula forward, the module's own backward."""
    keys = list(module.parameters())

    def call(*arrays):
        module.assign(dict(zip(keys, arrays[count:], strict=True)))
        _, backward = module(*arrays[:count])

        def all_gradients(dy):
            *dinputs, grads = backward(dy)
            return (*dinputs, *(grads[key] for key in keys))

        return by_formula(formula, module, arrays[:count]), all_gradients

    return call


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", CASES + OTHERS, ids=IDS)
def test_backward_is_the_derivative_of_the_formula(case, training):
    """The adjoint identity: differences of the formula on the left, the backward on the right."""
    counted = 0
    for seed in range(40):
        module, inputs, rng = drawn(case, seed, training)
        call = mixed(case.formula, module, len(inputs))
        found = adjoint(call, *inputs, *module.parameters().values(), rng=rng)
        if found.smooth:  # else a kink lies between the steps, and the draw does not count
            counted += 1
            assert found.holds, f"{case.name}: {found}"
        if counted == 4:
            return
    pytest.fail(f"only {counted} of 40 draws are smooth")


@pytest.mark.parametrize(
    ("channels", "size"), [(1, 3), (16, 3), (64, 3), (128, 5), (256, 5), (512, 5), (2048, 7)]
)
def test_eca_has_the_kernel_size_of_its_paper(channels, size):
    assert hand.ECA(channels).conv.kernel_size == size


def test_hard_swish_stops_even_an_infinite_gradient_where_it_is_shut():
    _, backward = hand.hard_swish(np.array([-3.0, -3.5, -4.0, -1e30]))
    with np.errstate(invalid="ignore"):
        assert backward(np.full(4, np.inf)).tolist() == [0.0] * 4


def test_cross_entropy_is_a_weighted_mean_over_the_pixels_that_count():
    a = np.random.default_rng(0).standard_normal((2, 3, 2, 2))
    labels = np.array([[[0, 2], [255, 1]], [[2, 2], [0, 255]]])
    weight = [1.0, 0.5, 3.0]
    loss = total = 0.0
    for (n, i, j), k in np.ndenumerate(labels):
        if k != 255:
            p = math.exp(a[n, k, i, j]) / sum(math.exp(v) for v in a[n, :, i, j])
            loss -= weight[k] * math.log(p)
            total += weight[k]
    found, _ = hand.cross_entropy(a, labels, weight=np.array(weight))
    assert float(found) == pytest.approx(loss / total, rel=1e-12)


def paddle_spatial(p, training, high, low):
    """PaddleSeg's UAFM_SpAtten: low comes first, and s is its share."""
    up = plain.bilinear(high, *plain.shape(low)[2:])
    m = plain.stacked(*(plain.over_channels(f, x) for x in (low, up) for f in (plain.mean, max)))
    return uafm.fused(p, training, m, plain.relu, low, up)


def paddle_channel(p, training, high, low):
    """PaddleSeg's UAFM_ChAtten: both means first, low before up, and s is the share of low."""
    up = plain.bilinear(high, *plain.shape(low)[2:])
    m = plain.stacked(*(plain.over_positions(f, x) for f in (plain.mean, max) for x in (low, up)))
    return uafm.fused(p, training, m, plain.leaky_relu, low, up)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("name", "theirs", "block"),  # block i of our first layer's input is block[i] of theirs
    [
        ("UAFMSpatial", paddle_spatial, [2, 3, 0, 1]),
        ("UAFMChannel", paddle_channel, [1, 3, 0, 2]),
    ],
)
def test_uafm_has_another_meaning_in_paddleseg(name, theirs, block, training):
    """1 - σ(a) = σ(-a): negated logits and a reordered input turn one into the other."""
    module, inputs, _ = drawn(BY_NAME[name], 0, training)
    want = by_formula(theirs, module, inputs)
    assert np.abs(module.copy()(*inputs)[0] - want).max() > 0.1
    state = module.state_dict()
    blocks = np.split(state["conv_atten.0.conv.weight"], 4, axis=1)
    state["conv_atten.0.conv.weight"] = np.concatenate([blocks[i] for i in block], axis=1)
    for key in ("conv_atten.1.bn.weight", "conv_atten.1.bn.bias"):
        state[key] = -state[key]
    assert_same(module.load_state_dict(state)(*inputs)[0], want)
