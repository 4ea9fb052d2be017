"""What holds of every attention module whatever its weights: random ones here, in float64."""

import numpy as np
import pytest
from test_formulas import assert_same, randomised

from armlab import hand
from armlab.check.cases import CASES, MODULES

ATTENTIONS = {case.name: case.gate for case in MODULES if case.gate}


@pytest.fixture(params=["train", "eval"])
def mode(request):
    return request.param


@pytest.fixture(params=range(3))
def seed(request):
    return request.param


def drawn(name, seed, mode):
    """The module with random weights, its input or inputs, and the generator.

    Weights are small enough that no gate rounds to 1, as it does from a logit of 37 on.
    """
    rng = np.random.default_rng(seed)
    built, square = CASES[name].built, ATTENTIONS[name].square
    options = built.options if square is None else square
    module = getattr(hand, name)(**options, rng=0, dtype="float64")
    module = randomised(module, rng).train(mode == "train")
    module.assign({key: a / 2 for key, a in module.parameters().items()})
    shapes = [(c if square is None else 4, 5, 6) for c, _, _ in built.takes(5, 6)]
    return module, [rng.standard_normal((3, *shape)) for shape in shapes], rng


def output(module, *inputs):
    """y, with the running statistics left as they are."""
    return module.copy()(*inputs)[0]


def assert_differs(y, other):
    assert np.abs(y - other).max() > 1e-6


# -- between shut and open --------------------------------------------------------------------


def shut_and_open(name, module, *inputs):
    """What comes out where every gate is 0, and where every gate is 1."""
    return [ATTENTIONS[name].makes(module.copy(), gate, *inputs) for gate in (0.0, 1.0)]


@pytest.mark.parametrize("name", ATTENTIONS)
def test_gates_are_between_0_and_1_and_y_between_shut_and_open(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    gate = module.gate(*inputs)
    assert ((gate > 0) & (gate < 1)).all()
    if name != "SAR":  # which has a convolution behind its gate
        ends = np.sort(shut_and_open(name, module, *inputs), axis=0)
        y = output(module, *inputs)
        assert ((ends[0] - 1e-12 <= y) & (y <= ends[1] + 1e-12)).all()


@pytest.mark.parametrize("name", [name for name, gate in ATTENTIONS.items() if gate.biases])
def test_far_out_logits_shut_and_open_every_gate(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    for sign, want in zip((-1, 1), shut_and_open(name, module, *inputs), strict=True):
        arrays = module.parameters()
        module.assign(
            {key: np.full_like(arrays[key], sign * 1e4) for key in ATTENTIONS[name].biases}
        )
        assert_same(output(module, *inputs), want)


# -- permuted positions -----------------------------------------------------------------------


def shuffled(x, order):
    return x.reshape(*x.shape[:2], -1)[:, :, order].reshape(x.shape)


@pytest.mark.parametrize("name", ATTENTIONS)
def test_shuffled_pixels_give_shuffled_pixels_unless_neighbours_count(name, seed, mode):
    module, inputs, rng = drawn(name, seed, mode)
    order = rng.permutation(inputs[0][0, 0].size)
    y = output(module, *(shuffled(x, order) for x in inputs))
    want = shuffled(output(module, *inputs), order)
    if ATTENTIONS[name].pointwise:
        assert_same(y, want)
    else:
        assert_differs(y, want)


def test_coordinate_attention_commutes_with_shuffled_rows_and_columns(seed, mode):
    module, (x,), rng = drawn("CoordinateAttention", seed, mode)
    n, c, h, w = x.shape
    at = np.ix_(range(n), range(c), rng.permutation(h), rng.permutation(w))
    assert_same(output(module, x[at]), output(module, x)[at])


def test_coordinate_attention_of_a_transposed_image_has_its_convolutions_swapped(seed, mode):
    module, (x,), _ = drawn("CoordinateAttention", seed, mode)
    y, state = output(module, x), module.state_dict()
    for p in ("weight", "bias"):
        state[f"conv_h.{p}"], state[f"conv_w.{p}"] = state[f"conv_w.{p}"], state[f"conv_h.{p}"]
    module.load_state_dict(state)
    assert_same(output(module, np.swapaxes(x, 2, 3)), np.swapaxes(y, 2, 3))


# -- permuted channels ------------------------------------------------------------------------


def swapped(count):
    """An order of the channels: the first four change places."""
    return np.array([2, 0, 3, 1, *range(4, count)])


def permuted(a, order, axes):
    """Along each axis, which holds the channels once or several times, one set after another."""
    for axis in axes:
        sets = range(a.shape[axis] // len(order))
        a = np.take(a, np.concatenate([i * len(order) + order for i in sets]), axis=axis)
    return a


@pytest.mark.parametrize(
    "name", [name for name, gate in ATTENTIONS.items() if gate.channels is not None]
)
def test_the_order_of_the_channels_has_no_meaning_but_by_the_weights(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    order = swapped(inputs[0].shape[1])
    want = permuted(output(module, *inputs), order, (1,))
    inputs = [permuted(x, order, (1,)) for x in inputs]
    axes, state = ATTENTIONS[name].channels, module.state_dict()
    if axes:
        assert_differs(output(module, *inputs), want)
    module.load_state_dict({k: permuted(a, order, axes.get(k, ())) for k, a in state.items()})
    assert_same(output(module, *inputs), want)


def test_eca_knows_the_order_of_the_channels_and_only_its_direction_is_free(seed, mode):
    module, (x,), _ = drawn("ECA", seed, mode)
    y = output(module, x)
    order = swapped(x.shape[1])
    assert_differs(output(module, x[:, order]), y[:, order])
    assert_differs(output(module, x[:, ::-1]), y[:, ::-1])
    module.assign({"conv.weight": module.parameters()["conv.weight"][:, :, ::-1]})
    assert_same(output(module, x[:, ::-1]), y[:, ::-1])


# -- images, and SimAM's own ------------------------------------------------------------------


@pytest.mark.parametrize("name", ATTENTIONS)
def test_images_of_a_batch_meet_only_in_the_statistics_of_bn(name, seed, mode):
    module, inputs, _ = drawn(name, seed, mode)
    y = output(module, *inputs)
    fewer = output(module, *(x[:2] for x in inputs))
    if mode == "eval" or not module.buffers():  # without batch normalisation
        assert_same(fewer, y[:2])
    else:
        assert_differs(fewer, y[:2])


def test_simam_sees_distances_alone(seed):
    """Not where a channel lies, nor its sign; nor its scale, if λ has the same."""
    module, (x,), rng = drawn("SimAM", seed, "eval")
    gate = module.gate(x)
    assert gate.min() >= hand.sigmoid(np.array(0.5))[0]
    assert_same(module.gate(x + rng.standard_normal((1, x.shape[1], 1, 1))), gate)
    assert_same(module.gate(-x), gate)
    assert_same(hand.SimAM(lambda_=9 * module.lambda_).gate(3 * x), gate)
    assert_differs(module.gate(np.abs(x)), gate)
