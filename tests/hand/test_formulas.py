"""Modules that no installed package has, held to their published formulas in plain Python."""

import math
from functools import partial

import numpy as np
import plain_formulas as formulas
import pytest

from armlab import hand
from armlab.check import adjoint, bounds

X = (2, 3, 4, 5)
HIGH = (2, 3, 2, 7)
CASES = {  # the module by hand, its formula, the shapes of its inputs
    "EffectiveSE": (
        lambda: hand.EffectiveSE(3, rng=0, dtype="float64"),
        formulas.effective_se,
        [X],
    ),
    "ECA": (lambda: hand.ECA(5, rng=0, dtype="float64"), formulas.eca, [(2, 5, 4, 3)]),
    "ECA, kernel of 5": (lambda: hand.ECA(3, 5, rng=0, dtype="float64"), formulas.eca, [X]),
    "SimAM": (hand.SimAM, formulas.simam, [X]),
    "SimAM, a large λ": (lambda: hand.SimAM(0.5), partial(formulas.simam, lambda_=0.5), [X]),
    "CoordinateAttention": (
        lambda: hand.CoordinateAttention(3, rng=0, dtype="float64"),
        formulas.coordinate_attention,
        [X],
    ),
    "UAFMSpatial": (
        lambda: hand.UAFMSpatial(rng=0, dtype="float64"),
        formulas.uafm_spatial,
        [HIGH, X],
    ),
    "UAFMChannel": (
        lambda: hand.UAFMChannel(3, 1, rng=0, dtype="float64"),
        formulas.uafm_channel,
        [(4, 3, 2, 7), (4, 3, 4, 5)],
    ),
    "Attentionout": (
        lambda: hand.Attentionout(3, rng=0, dtype="float64"),
        formulas.attentionout,
        [X],
    ),
    "ListedSAR": (lambda: hand.ListedSAR(3, 2, rng=0, dtype="float64"), formulas.listed_sar, [X]),
    "SAR": (lambda: hand.SAR(3, 2, 4, rng=0, dtype="float64"), formulas.sar, [X]),
}


def randomised(module, rng):
    """The module with random values in every array, so that no weight of 1 or bias of 0 hides."""
    state = module.state_dict()
    for key, a in state.items():
        if not key.endswith("num_batches_tracked"):
            drawn = rng.standard_normal(a.shape)
            state[key] = 0.5 + np.abs(drawn) if key.endswith("running_var") else drawn
    return module.load_state_dict(state)


def drawn(name, seed, training):
    rng = np.random.default_rng(seed)
    make, formula, shapes = CASES[name]
    module = randomised(make(), rng).train(training)
    return module, formula, [rng.standard_normal(s) for s in shapes], rng


def by_formula(formula, module, inputs):
    p = {key: a.tolist() for key, a in module.state_dict().items()}
    return np.array(formula(p, module.training, *(x.tolist() for x in inputs)))


def assert_same(y, want):
    assert y.shape == want.shape
    error, allowed = np.abs(y - want).max(), bounds.whole(want).max()
    print(f"largest difference {error:.1e}, allowed {allowed:.1e}")  # pytest -rP shows it
    assert error <= allowed, f"off by {error:.3g}, allowed {allowed:.3g}"


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", CASES)
def test_forward_is_the_formula(name, training):
    for seed in range(3):
        module, formula, inputs, _ = drawn(name, seed, training)
        want = by_formula(formula, module, inputs)
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
@pytest.mark.parametrize("name", CASES)
def test_backward_is_the_derivative_of_the_formula(name, training):
    """The adjoint identity: differences of the formula on the left, the backward on the right."""
    counted = 0
    for seed in range(40):
        module, formula, inputs, rng = drawn(name, seed, training)
        call = mixed(formula, module, len(inputs))
        found = adjoint(call, *inputs, *module.parameters().values(), rng=rng)
        if found.smooth:  # else a kink lies between the steps, and the draw does not count
            counted += 1
            assert found.holds, f"{name}: {found}"
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


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("name", "theirs", "block"),  # block i of our first layer's input is block[i] of theirs
    [
        ("UAFMSpatial", formulas.paddle_spatial, [2, 3, 0, 1]),
        ("UAFMChannel", formulas.paddle_channel, [1, 3, 0, 2]),
    ],
)
def test_uafm_has_another_meaning_in_paddleseg(name, theirs, block, training):
    """1 - σ(a) = σ(-a): negated logits and a reordered input turn one into the other."""
    module, _, inputs, _ = drawn(name, 0, training)
    want = by_formula(theirs, module, inputs)
    assert np.abs(module.copy()(*inputs)[0] - want).max() > 0.1
    state = module.state_dict()
    blocks = np.split(state["conv_atten.0.conv.weight"], 4, axis=1)
    state["conv_atten.0.conv.weight"] = np.concatenate([blocks[i] for i in block], axis=1)
    for key in ("conv_atten.1.bn.weight", "conv_atten.1.bn.bias"):
        state[key] = -state[key]
    assert_same(module.load_state_dict(state)(*inputs)[0], want)
