"""The tracer: silent where all agrees, and pointing at the right place where it does not."""

# ruff: noqa: E501  (a table with one fault a line)

import contextlib
import copy
import io
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from torch import nn
from torch.nn import functional as F

import armlab.torch
from armlab import check, hand
from armlab.check import faults
from armlab.check.cases import MODULES
from armlab.hand import global_avg_pool, sigmoid_gate  # by name, as a script has them
from armlab.hand.backward import join

BUILT = {
    "ARM": ("AttentionRefinementModule", (3, 4), (3, 3, 5, 6)),
    "SAR": ("SAR", (5, 3, 4), (2, 5, 6, 7)),
    "CBAM": ("CBAM", (6, 2), (2, 6, 4, 5)),
    "SE": ("SqueezeExcitation", (6, 2), (4, 6, 3, 5)),
    "ToyNet": ("ToyNet", (4, "arm", 8), (2, 3, 8, 9)),
}


def pair(which, training=True, seed=0):
    """A module by hand with random weights and statistics, its twin with the same, and an x."""
    name, args, shape = BUILT[which]
    rng = np.random.default_rng(seed)
    mine = getattr(hand, name)(*args, rng=rng).train(training)
    state = {}
    for key, a in mine.state_dict().items():
        drawn = rng.standard_normal(a.shape).astype(a.dtype)
        state[key] = 0.5 + abs(drawn) if key.endswith("running_var") else drawn
    mine.load_state_dict(state)
    twin = getattr(armlab.torch, name)(*args).train(training)
    twin.load_state_dict({k: torch.tensor(a) for k, a in mine.state_dict().items()})
    return mine, twin, rng.standard_normal(shape)


X = np.random.default_rng(5).standard_normal((2, 3, 4, 5))


def quietly(*args, **kwargs):
    return check.trace(*args, verbose=False, **kwargs)


# -- agreement ------------------------------------------------------------------------------


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("case", MODULES, ids=lambda case: case.name)
def test_every_module_agrees_with_its_twin(case, training):
    @settings(max_examples=3, phases=(Phase.generate,))
    @given(case.examples())
    def agrees(e):
        mine = getattr(hand, case.name)(**e.options).load_state_dict(e.state).train(training)
        twin = getattr(armlab.torch, case.name)(**e.options)
        found = quietly(mine, twin, *(x.astype("float32") for x in e.inputs.values()))
        assert found.agrees, str(found)
        whole = [row.name for row in found.rows if row.where == "" and " " not in row.name]
        assert whole[0] in ("y", "y[0]")
        assert sum(name.startswith("d") for name in whole) == len(e.inputs)

    agrees()


@pytest.mark.parametrize("which", BUILT)
def test_each_function_parameter_and_buffer_has_its_row(which):
    mine, twin, x = pair(which)
    found = quietly(mine, twin, x)
    assert found.agrees
    assert all(np.isfinite(row.error) and 0 < row.bound < 1e-6 for row in found.rows if row.shape)
    names = {(row.where, row.name) for row in found.rows}
    assert {("", "y"), ("", "dx")} <= names
    called_once = {"ARM", "SAR", "SE", "ToyNet"}
    for key in mine.parameters() if which in called_once else ():
        where, _, name = key.rpartition(".")
        function = "batch_norm" if key.removesuffix(name) + "running_var" in mine.buffers() else ""
        assert (where, f"{function or 'conv2d'} d{name[0]}") in names
    for key in mine.buffers():
        where, _, name = key.rpartition(".")
        assert (where, name) in names
    shares = {"conv2d dw", "conv2d db"} if which == "CBAM" else set()  # of weights used twice
    assert {row.name for row in found.rows if row.alone} == {"sigmoid y"} | shares


def test_the_rows_come_in_the_order_of_the_computation():
    mine, twin, x = pair("ARM")
    rows = [(row.phase, row.where, row.name) for row in quietly(mine, twin, x).rows]
    assert rows[:3] == [
        ("forward", "conv.conv", "conv2d y"),
        ("forward", "conv.bn", "batch_norm y"),
        ("forward", "conv", "leaky_relu y"),
    ]
    backwards = [(where, name) for phase, where, name in rows if phase == "gradients"]
    assert backwards.index(("bn_atten", "batch_norm dx")) < backwards.index(("conv", "dy"))
    assert backwards[-1] == ("", "dx")
    assert rows[-1] == ("buffers", "bn_atten", "num_batches_tracked")


# -- faults ---------------------------------------------------------------------------------

ARM_ = "AttentionRefinementModule"
EXPECTED = [
    # fault, traced module, phase, where, value, where to look
    ("conv2d_winograd: kernel columns in reverse", "ToyNet", "forward", "conv3.conv", "conv2d y", "forward of conv2d"),
    ("conv2d_pointwise: dw keeps the last image", "ARM", "gradients", "conv_atten", "conv2d dw", "backward of conv2d"),
    ("conv2d_rows: dw keeps the last image", "ARM", "gradients", "conv.conv", "conv2d dw", "backward of conv2d"),
    ("conv2d_rows: dx off by a factor of 1.00001", "SAR", "gradients", "conv1.conv", "conv2d dx", "backward of conv2d"),
    ("conv2d: db as a mean", "SE", "gradients", "fc2", "conv2d db", "of conv2d"),
    ("Conv2d: a gradient under the wrong name", "SE", "gradients", "fc2", "d weight", "Conv2d at fc2"),
    ("batch_norm: eps outside the root", "ARM", "forward", "conv.bn", "batch_norm y", "of batch_norm"),
    ("batch_norm: unbiased variance", "SAR", "forward", "conv_reduce.bn", "batch_norm y", "of batch_norm"),
    ("batch_norm: 1/m missing before dw", "ARM", "gradients", "bn_atten", "batch_norm dx", "of batch_norm"),
    ("batch_norm: gradient through the mean forgotten", "SAR", "gradients", "conv1.bn", "batch_norm dx", "of batch_norm"),
    ("BatchNorm2d: running variance biased", "SAR", "buffers", "conv1.bn", "running_var", "BatchNorm2d at conv1.bn"),
    ("BatchNorm2d: momentum on the wrong side", "ARM", "buffers", "conv.bn", "running_mean", "BatchNorm2d at conv.bn"),
    ("relu: gradient of the output", "SE", "gradients", "", "relu dx", "backward of relu"),
    ("leaky_relu: slope on the wrong side", "SAR", "gradients", "conv1", "leaky_relu dx", "backward of leaky_relu"),
    ("leaky_relu: no leak backward", "ToyNet", "gradients", "head", "leaky_relu dx", "backward of leaky_relu"),
    ("sigmoid: 1 - s forgotten", "ARM", "gradients", "", "sigmoid da", "backward of sigmoid"),
    ("sigmoid_gate: mean for sum", "ARM", "gradients", "", "sigmoid_gate da", "backward of sigmoid_gate"),
    ("sigmoid_gate: gradient of a repeated gate not summed", "SAR", "gradients", "", "sigmoid_gate da", "backward of sigmoid_gate"),
    ("sigmoid_gate: residual added", "CBAM", "forward", "ch_gate", "sigmoid_gate y", "forward of sigmoid_gate"),
    ("sigmoid_gate: dx not gated", "ToyNet", "gradients", "refine", "sigmoid_gate dx", "backward of sigmoid_gate"),
    ("global_avg_pool: 1/HW forgotten backward", "ARM", "gradients", "", "global_avg_pool dx", "backward of global_avg_pool"),
    ("global_avg_pool: divided by H only", "CBAM", "forward", "ch_gate", "global_avg_pool y", "forward of global_avg_pool"),
    ("channel_mean: sum for mean", "SAR", "gradients", "", "channel_mean dx", "backward of channel_mean"),
    ("SAR: only the first statistic goes back", "SAR", "gradients", "conv_reduce", "dy", "backward of SAR hands"),
    ("ListedSAR: max first", "SAR", "forward", "conv_atten", "x", "forward of SAR hands to conv_atten"),
    ("CBAMSpatial: mean first", "CBAM", "forward", "sp_gate.conv", "x", "CBAMSpatial at sp_gate hands"),
    ("CBAMChannel: max path lost", "CBAM", "gradients", "ch_gate", "dx", "CBAMChannel at ch_gate returns"),
    ("CBAMChannel: shared weights, one gradient", "CBAM", "gradients", "ch_gate", "d fc1.weight", "CBAMChannel at ch_gate returns"),
    ("ConvBNAct: activation forgotten backward", "ARM", "gradients", "conv.bn", "dy", "ConvBNAct at conv hands to that of conv.bn"),
    ("AttentionRefinementModule: context path lost", "ARM", "gradients", "conv", "dy", f"{ARM_} hands to that of conv"),
    ("AttentionRefinementModule: gate upside down", "ARM", "forward", "", "sigmoid_gate a", f"{ARM_} hands to sigmoid_gate"),
    ("SqueezeExcitation: ReLU forgotten backward", "SE", "gradients", "fc1", "dy", "SqueezeExcitation hands to that of fc1"),
    ("EffectiveSE: context path lost", "SE", "gradients", "", "dx", "backward of SqueezeExcitation returns"),
    ("ConvBN: read forwards again", "ARM", "gradients", "conv.conv", "dy", "ConvBNAct at conv hands to that of conv.conv"),
    ("resize_bilinear: corners aligned", "ToyNet", "forward", "", "resize_bilinear y", "forward of resize_bilinear"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "which", "phase", "where", "name", "look"), EXPECTED, ids=lambda v: v.split(" at ")[0]
)
def test_a_fault_is_traced_to_its_place(fault, which, phase, where, name, look):
    (planted,) = [f for f in faults.FAULTS if f.name == fault]
    with faults.planted(planted):
        mine, twin, x = pair(which)
        found = quietly(mine, twin, x)
    assert not found.agrees
    assert (found.first.phase, found.first.where, found.first.name) == (phase, where, name)
    assert look in found.first.source
    assert found.sentence.count(found.first.source) == 1
    mine, twin, x = pair(which)
    assert quietly(mine, twin, x).agrees  # nothing of it is left behind


# -- other twins ----------------------------------------------------------------------------


class ForeignARM(nn.Module):
    """As one finds it in a repository: torch's own functions, and activations in place."""

    def __init__(self, channels, out, last="mul"):
        super().__init__()
        self.conv = nn.Module()
        self.conv.conv = nn.Conv2d(channels, out, 3, padding=1, bias=False)
        self.conv.bn = nn.BatchNorm2d(out)
        self.conv.forward = self.unit
        self.conv_atten = nn.Conv2d(out, out, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(out)
        self.sigmoid = nn.Sigmoid()
        self.relu = nn.ReLU(inplace=True)
        self.last = last

    def unit(self, x):
        return F.leaky_relu_(self.conv.bn(self.conv.conv(x)))

    def forward(self, x):
        feat = self.conv(x)
        atten = F.avg_pool2d(feat, feat.shape[2:])
        atten = self.sigmoid(self.bn_atten(self.conv_atten(atten)))
        if self.last == "rebound":  # in place, and the result goes on under both names
            gated = torch.mul(feat, atten)
            again = self.relu(gated)
            return gated + again
        return torch.mul(feat, atten)


def test_a_foreign_twin_agrees_in_modules_parameters_and_results():
    mine, _, x = pair("ARM")
    found = quietly(mine, ForeignARM(3, 4), x)
    assert found.agrees, str(found)
    rows = {(row.phase, row.where, row.name): row for row in found.rows}
    for where, name in [("conv.conv", "conv2d dw"), ("conv.bn", "batch_norm dx"), ("conv", "dy")]:
        assert not rows["gradients", where, name].alone
    assert rows["gradients", "", "global_avg_pool dx"].alone  # a share of df that no module sees
    assert not rows["gradients", "conv", "leaky_relu dx"].alone  # though it worked in place on bn's
    assert not rows["forward", "", "global_avg_pool y"].alone  # conv_atten's input


@pytest.mark.parametrize(
    ("fault", "where", "name"),
    [
        ("global_avg_pool: 1/HW forgotten backward", "", "global_avg_pool dx"),
        ("sigmoid_gate: dx not gated", "", "sigmoid_gate dx"),
        ("batch_norm: 1/m missing before dw", "bn_atten", "batch_norm dx"),
        ("AttentionRefinementModule: context path lost", "conv", "dy"),
        ("AttentionRefinementModule: gate upside down", "", "y"),
    ],
)
def test_a_fault_is_found_beside_a_foreign_twin(fault, where, name):
    (planted,) = [f for f in faults.FAULTS if f.name == fault]
    with faults.planted(planted):
        mine, _, x = pair("ARM")
        found = quietly(mine, ForeignARM(3, 4), x)
    assert (found.first.where, found.first.name) == (where, name)


class InPlace(nn.Module):
    """A child that writes to its input, whose result is used under both of its names."""

    def __init__(self, channels):
        super().__init__()
        self.conv_atten = nn.Conv2d(channels, channels, 1, bias=False)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        u = self.conv_atten(x)
        v = self.act(u)
        return u * v


class Act(hand.Module):
    def forward(self, x):
        return hand.relu(x)[0], lambda dy: (hand.relu(x)[1](dy), {})


class SquaredAct(hand.Module):
    """y = relu(conv(x))²."""

    def __init__(self, channels, factor=2.0):
        self.conv_atten = hand.Conv2d(channels, channels, 1, bias=False, rng=0)
        self.act, self.factor = Act(), factor

    def forward(self, x):
        u, conv_back = self.conv_atten(x)
        v, act_back = self.act(u)

        def backward(dy):
            du, _ = act_back(self.factor * v * dy)
            dx, grads = conv_back(du)
            return dx, join(conv_atten=grads)

        return v * v, backward


class InPlaceBeside(nn.Module):
    """The same child, on a value that was used before it is written to."""

    def __init__(self):
        super().__init__()
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        u = 2 * x
        return (u + 1) + self.act(u)


class ActBeside(hand.Module):
    def __init__(self):
        self.act = Act()

    def forward(self, x):
        v, act_back = self.act(2 * x)
        return 2 * x + 1 + v, lambda dy: (2 * (dy + act_back(dy)[0]), {})


class InPlaceOnInput(nn.Module):
    def forward(self, x):
        return F.relu_(x)


def test_work_in_place_breaks_neither_values_nor_gradients():
    assert quietly(Act(), InPlaceOnInput(), X).agrees
    assert quietly(ActBeside(), InPlaceBeside(), X).agrees
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    twin = InPlace(3)
    assert quietly(SquaredAct(3), twin, x).agrees
    found = quietly(SquaredAct(3, factor=2.5), twin, x)
    assert (found.first.where, found.first.name) == ("act", "dy")
    assert quietly(*pair("ARM")[:1], ForeignARM(3, 4), pair("ARM")[2]).agrees
    rebound = quietly(pair("ARM")[0], ForeignARM(3, 4, "rebound"), pair("ARM")[2])
    assert (rebound.first.phase, rebound.first.name) == ("forward", "y")


class Same(hand.Module):
    def forward(self, x):
        return x, lambda dy: (dy, {})


class Squared(hand.Module):
    def __init__(self):
        self.same = Same()

    def forward(self, x):
        y, same_back = self.same(x)
        return x * y, lambda dy: (y * dy + same_back(x * dy)[0], {})


class TorchSquared(nn.Module):
    def __init__(self):
        super().__init__()
        self.same = nn.Identity()

    def forward(self, x):
        return x * self.same(x)


def test_a_module_that_hands_its_input_on_has_the_gradient_of_its_own_uses():
    assert quietly(Squared(), TorchSquared(), X).agrees


class Pool(hand.Module):
    def forward(self, x):
        z, pool_back = hand.global_avg_pool(x)
        return z, lambda dz: (pool_back(dz), {})


class Pooled(hand.Module):
    """Parts that the twin does not have, and one that it has and does not use."""

    def __init__(self):
        self.pool, self.unused = Pool(), hand.Conv2d(2, 2, 1, bias=False, rng=0)

    def forward(self, x):
        z, pool_back = self.pool(x)
        y, relu_back = hand.relu(z)

        def backward(dy):
            dx, _ = pool_back(relu_back(dy))
            return dx, {"unused.weight": 0 * self.unused.weight}

        return y, backward


class TorchPooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.unused = nn.Conv2d(2, 2, 1, bias=False)

    def forward(self, x):
        z = armlab.torch.global_avg_pool(x)
        return 0 * armlab.torch.relu(-z) + armlab.torch.relu(z)  # once more than by hand


def test_calls_are_lined_up_only_where_they_correspond():
    with torch.no_grad():  # as a notebook may run: the trace needs gradients all the same
        found = quietly(Pooled(), TorchPooled(), X)
    assert found.agrees
    rows = {(row.phase, row.where, row.name): row for row in found.rows}
    assert not rows["forward", "pool", "global_avg_pool y"].alone
    assert {("forward", "", "y"), ("gradients", "", "dx")} <= set(rows)
    assert ("gradients", "", "d unused.weight") in rows


# -- modules of the reader's own ------------------------------------------------------------


TABLE = {"gate": sigmoid_gate}


class Mine(hand.Module):
    """The paper's ARM as a reader writes it, one method for each mistake to make."""

    def __init__(self, channels):
        self.conv_atten = hand.Conv2d(channels, channels, 1, bias=False, rng=0)
        self.bn_atten = hand.BatchNorm2d(channels)

    def forward(self, x):
        z, pool_back = global_avg_pool(x)
        u, conv_back = self.conv_atten(z)
        a, bn_back = self.bn_atten(u)
        y, gate_back = TABLE["gate"](x, a)

        def backward(dy):
            dx, da = gate_back(dy)
            du, d_bn = bn_back(da)
            dz, d_conv = conv_back(du)
            return self.results(dx, pool_back(dz), join(conv_atten=d_conv, bn_atten=d_bn))

        return self.value(y), backward

    def value(self, y):
        return y

    def results(self, dx, dx_pooled, grads):
        return dx + dx_pooled, grads


def papers(channels=3):
    return armlab.torch.PaperAttentionRefinement(channels)


def test_a_module_of_the_readers_own_is_watched_function_by_function():
    found = quietly(Mine(3), papers(), X)
    assert found.agrees
    names = {row.name for row in found.rows if not row.alone}
    assert {"global_avg_pool y", "global_avg_pool dx", "sigmoid_gate dx", "sigmoid da"} <= names
    assert global_avg_pool is hand.global_avg_pool  # the names around the class are put back
    assert TABLE["gate"] is hand.sigmoid_gate


def raising(*_):
    raise RuntimeError("matmul: 3 is not 4")


MISTAKES = [
    # method, what it does, phase, where, value, in the sentence
    ("results", lambda dx, pooled, grads: (dx, grads), "gradients", "", "dx", "backward of Mine returns"),
    ("results", lambda dx, pooled, grads: dx + pooled, "gradients", "", "", "returned ndarray, expected (dx, grads)"),
    ("results", lambda dx, pooled, grads: (dx, pooled, grads), "gradients", "", "", "returned (ndarray, ndarray, dict), expected (dx, grads)"),
    ("results", lambda dx, pooled, grads: (None, grads), "gradients", "", "dx", "NoneType"),
    ("results", lambda dx, pooled, grads: ((dx + pooled)[:, :2], grads), "gradients", "", "dx", "of shape (2, 2, 4, 5), not (2, 3, 4, 5)"),
    ("results", lambda dx, pooled, grads: ((dx + pooled) * np.nan, grads), "gradients", "", "dx", "off by nan"),
    ("results", lambda dx, pooled, grads: (dx + pooled, dict(reversed(grads.items()))), "gradients", "", "", "in another order"),
    ("results", lambda dx, pooled, grads: (dx + pooled, {k: g for k, g in grads.items() if "bn" in k}), "gradients", "", "", "no gradient for conv_atten.weight"),
    ("results", lambda dx, pooled, grads: (dx + pooled, grads | {"bias": dx}), "gradients", "", "", "a gradient for bias, which"),
    ("results", lambda dx, pooled, grads: (dx + pooled, grads | {"bn_atten.bias": 2 * grads["bn_atten.bias"]}), "gradients", "", "d bn_atten.bias", "backward of Mine returns"),
    ("results", raising, "gradients", "", "", "raised RuntimeError: matmul: 3 is not 4"),
    ("value", raising, "forward", "", "", "raised RuntimeError: matmul: 3 is not 4"),
    ("value", lambda y: y[:, :, :2], "forward", "", "y", "of shape (2, 3, 2, 5), not (2, 3, 4, 5)"),
    ("value", lambda y: (y, y), "forward", "", "", "returned 2 outputs, PyTorch's 1"),
    ("value", lambda y: y.tolist(), "forward", "", "y", "list, not an array"),
    ("value", lambda y: np.where(y > y.min(), y, np.nan), "forward", "", "y", "off by nan"),
    ("value", lambda y: np.where(y > y.min(), y, np.inf), "forward", "", "y", "off by inf"),
    ("value", lambda y: y.astype("float32"), "forward", "", "y", "forward of Mine returns"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "mistake", "phase", "where", "name", "said"),
    MISTAKES,
    ids=[said for *_, said in MISTAKES],  # the address of a function differs among processes
)
def test_a_mistake_is_the_place_where_they_part(method, mistake, phase, where, name, said):
    mine = Mine(3)
    setattr(mine, method, mistake)
    found = quietly(mine, papers(), X)
    assert (found.first.phase, found.first.where, found.first.name) == (phase, where, name)
    assert said in found.sentence
    assert str(found).count("<-- first to part") == 1


def test_infinities_that_differ_are_shown_as_numbers():
    mine, twin = Mine(3), papers()
    mine.value = lambda y: np.where(y > y.min(), y, np.inf)
    (marked,) = [line for line in str(quietly(mine, twin, X)).splitlines() if "first to" in line]
    assert "inf" in marked.split()
    twin.register_forward_hook(lambda module, x, y: torch.where(y > y.min(), y, torch.inf))
    assert quietly(mine, twin, X).first is None or quietly(mine, twin, X).first.phase == "gradients"
    mine.value = lambda y: y
    assert quietly(mine, twin, X).first.name == "y"


def test_arrays_that_are_written_to_are_traced_as_they_were():
    mine = Mine(3)

    def in_place(dx, dx_pooled, grads):
        dx += dx_pooled
        return dx, grads

    mine.results = in_place
    assert quietly(mine, papers(), X).agrees

    class Careless(hand.Module):
        def forward(self, x):
            y = 2 * x
            x[...] = 0

            def backward(dy):
                dx = 2 * dy
                dy[...] = 0
                return dx, {}

            return y, backward

    class Doubling(nn.Module):
        def forward(self, x):
            return x + x

    assert quietly(Careless(), Doubling(), X.copy()).agrees
    assert quietly(Careless(), Doubling(), X).agrees
    assert (X != 0).any()


def test_a_module_made_on_the_way_counts_for_its_maker():
    class Renewed(hand.Module):
        def __init__(self):
            self.conv = hand.Conv2d(3, 4, 1, rng=0)

        def forward(self, x):
            y, conv_back = self.conv.copy()(x)

            def backward(dy):
                dx, grads = conv_back(dy)
                return dx, join(conv=grads)

            return y, backward

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return self.conv(x)

    found = quietly(Renewed(), Plain(), X)
    assert found.agrees
    assert ("", "conv2d dw") in {(row.where, row.name) for row in found.rows}


def test_a_part_that_raises_is_named():
    mine = Mine(3)
    mine.bn_atten.forward = lambda x: raising()
    found = quietly(mine, papers(), X)
    assert (found.first.where, found.first.name) == ("bn_atten", "")
    assert "bn_atten, raised RuntimeError" in found.sentence
    assert sum("raised" in row.note for row in found.rows) == 1  # not by those around it as well
    mine.bn_atten.forward = lambda x: x
    found = quietly(mine, papers(), X)
    assert "bn_atten, returned ndarray, expected (y, backward)" in found.sentence


def test_what_came_before_a_part_that_raises_is_compared():
    mine, twin, x = pair("CBAM")

    def fails(*_):
        raise RuntimeError("a long story, " * 20)

    mine.ch_gate.fc2.forward = fails
    found = quietly(mine, twin, x)
    assert (found.first.where, found.first.name) == ("ch_gate.fc2", "")
    assert {(r.where, r.name): r.alone for r in found.rows}["ch_gate.fc1", "conv2d y"] is False
    assert max(map(len, str(found).splitlines())) <= 100
    assert found.sentence.count("a long story") == 20


def test_a_backward_that_is_never_called_is_named():
    class Forgetful(hand.Module):
        def __init__(self):
            self.conv = hand.Conv2d(3, 4, 1, rng=0)

        def forward(self, x):
            u, conv_back = self.conv(x)
            y, _ = hand.relu(u)
            return y, lambda dy: (conv_back(dy)[0], join(conv=conv_back(dy)[1]))

    class Right(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return F.relu(self.conv(x))

    wrong_shape = "sigmoid_gate: gradient of a repeated gate not summed"
    with faults.planted(next(f for f in faults.FAULTS if f.name == wrong_shape)):
        found = quietly(*pair("SAR"))
    assert any("raised" in row.note for row in found.rows)  # so the rest never had its turn
    assert "never ran" not in found.sentence
    found = quietly(Forgetful(), Right(), X)
    assert (found.first.where, found.first.name) == ("conv", "dy")
    assert found.sentence.endswith("These backwards never ran: relu at (top).")


def test_a_part_that_is_right_for_what_it_was_handed_is_not_blamed():
    class Doubled(hand.Module):
        def __init__(self):
            self.conv = hand.Conv2d(3, 4, 1, rng=0)

        def forward(self, x):
            u, conv_back = self.conv(x)

            def backward(dy):
                dx, grads = conv_back(dy)  # forgets that y = 2 u
                return 2 * dx, join(conv=grads)

            return 2 * u, backward

    class Twice(nn.Module):  # called more often than by hand: which call is which is not known
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return self.conv(x) + self.conv(x)

    found = quietly(Doubled(), Twice(), X)
    assert (found.first.where, found.first.name) == ("", "d conv.weight")
    assert found.first.source == "what the backward of Doubled returns"


def test_a_weight_that_is_also_used_beside_the_functions():
    class Tied(hand.Module):
        parameter_names = ("weight",)

        def __init__(self, factor):
            self.weight, self.factor = np.full((3, 3, 1, 1), 0.5), factor

        def forward(self, x):
            y, conv_back = hand.conv2d(x, self.weight)

            def backward(dy):
                dx, dw, _ = conv_back(dy)
                return dx, {"weight": dw + self.factor * self.weight * dy.sum()}

            return y + (self.weight**2).sum(), backward

    class TorchTied(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(3, 3, 1, 1))

        def forward(self, x):
            return F.conv2d(x, self.weight) + (self.weight**2).sum()

    assert quietly(Tied(2.0), TorchTied(), X).agrees
    found = quietly(Tied(1.0), TorchTied(), X)
    assert (found.first.phase, found.first.name) == ("gradients", "d weight")


class Sum(hand.Module):
    """Two inputs and two outputs: (w ∗ x + skip, w ∗ x - skip)."""

    def __init__(self, sign=1.0):
        self.conv, self.sign = hand.Conv2d(3, 3, 1, rng=0), sign

    def forward(self, x, skip):
        u, conv_back = self.conv(x)

        def backward(dy):
            plus, minus = dy
            dx, grads = conv_back(plus + minus)
            return dx, plus - self.sign * minus, join(conv=grads)

        return (u + skip, u - skip), backward


class Both(NamedTuple):
    plus: torch.Tensor
    minus: torch.Tensor


class TorchSum(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x, skip):
        u = self.conv(x)
        return Both(u + skip, u - skip)


def test_several_inputs_and_outputs():
    skip = np.random.default_rng(6).standard_normal((1, 3, 4, 5)).repeat(2, axis=0)
    found = quietly(Sum(), TorchSum(), X, torch.tensor(skip))
    assert found.agrees
    assert {"y[0]", "y[1]", "dx", "dskip"} <= {row.name for row in found.rows}
    found = quietly(Sum(sign=-1.0), TorchSum(), X, skip)
    assert (found.first.phase, found.first.name) == ("gradients", "dskip")


# -- what is said and what is left alone ----------------------------------------------------


def test_weights_that_differ_are_named_and_those_by_hand_used():
    mine, twin, x = pair("ARM")
    with torch.no_grad():
        twin.conv_atten.weight += 0.25
        twin.bn_atten.running_mean += 2
    found = quietly(mine, twin, x)
    assert found.agrees
    assert found.heading[1] == (
        "Weights differ: conv_atten.weight by up to 0.25, bn_atten.running_mean by up to 2. "
        "Both sides ran with those by hand."
    )
    assert quietly(*pair("ARM")).heading[1] == "Weights: the same in all 12 keys."


def test_keys_and_shapes_that_differ_are_named():
    mine, twin, x = pair("SE")
    twin.fc1 = nn.Conv2d(6, 3, 1, bias=False)
    twin.fc2 = nn.Conv2d(3, 6, 3, padding=1)
    found = quietly(mine, twin, x)
    assert "fc1.bias is only by hand" in found.heading[1]
    assert "fc2.weight is (6, 3, 1, 1) by hand and (6, 3, 3, 3) in PyTorch" in found.heading[1]
    assert (found.first.where, found.first.name) == ("fc1", "y")


def test_float64_by_hand_and_float32_in_torch_are_the_same_weights():
    mine, twin, x = pair("SE")
    wide = hand.SqueezeExcitation(6, 2, dtype="float64", rng=0).load_state_dict(mine.state_dict())
    wide.assign({"fc1.bias": wide.fc1.bias + 1e-12})
    assert "the same" in quietly(wide, twin, x).heading[1]
    wide.assign({"fc1.bias": wide.fc1.bias + 1e-5})
    assert "fc1.bias by up to 1e-05" in quietly(wide, twin, x).heading[1]


def test_modes_are_those_of_the_hand_side_and_a_difference_is_said():
    mine, twin, x = pair("ARM", training=False)
    found = quietly(mine, twin, x)
    assert found.agrees
    assert "evaluation mode" in found.heading[0]
    assert len(found.heading) == 2
    twin.train()
    found = quietly(mine, twin, x)
    assert found.agrees
    assert "another mode" in found.heading[2]
    assert twin.training
    twin.eval()
    twin.bn_atten.train()
    assert "another mode at bn_atten;" in quietly(mine, twin, x).heading[2]


@pytest.mark.parametrize("which", BUILT)
def test_the_modules_and_the_input_stay_as_they_are(which):
    mine, twin, x = pair(which)
    next(twin.parameters()).requires_grad_(False)
    last = list(twin.parameters())[-1]
    last.grad = torch.full_like(last, 7.0)
    twin.register_forward_hook(lambda *_: None)
    x = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    before, arrays = mine.state_dict(), {k: id(a) for k, a in mine.parameters().items()}
    theirs, given_x = copy.deepcopy(twin.state_dict()), x.detach().clone()
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in twin.modules()]
    assert quietly(mine, twin, x).agrees
    for key, a in mine.state_dict().items():
        np.testing.assert_array_equal(a, before[key], strict=True)
    assert {k: id(a) for k, a in mine.parameters().items()} == arrays
    for key, t in twin.state_dict().items():
        assert torch.equal(t, theirs[key])
        assert t.dtype == theirs[key].dtype
    assert [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in twin.modules()] == hooks
    assert mine.training
    assert twin.training
    assert [p.requires_grad for p in twin.parameters()] == [False, *[True] * (len(arrays) - 1)]
    assert (last.grad == 7).all()
    assert [p.grad for p in twin.parameters()][:-1] == [None] * (len(arrays) - 1)
    assert torch.equal(x.detach(), given_x)
    assert x.grad is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_inputs_and_modules_of_either_dtype(dtype, kind):
    _, twin, x = pair("ARM")
    mine = hand.AttentionRefinementModule(3, 4, rng=0, dtype=dtype)
    found = quietly(mine, twin.double() if dtype == "float64" else twin, kind(x.astype(dtype)))
    assert found.agrees
    assert max(row.error for row in found.rows) < 1e-11


def test_the_upstream_gradient_comes_from_rng():
    mine, twin, x = pair("SE")
    one, same, other = (quietly(mine, twin, x, rng=seed) for seed in (3, 3, 4))
    bounds = [[row.bound for row in found.rows] for found in (one, same, other)]
    assert bounds[0] == bounds[1] != bounds[2]


def test_a_twin_that_raises_is_said():
    mine, twin, x = pair("SE")
    twin.fc2 = nn.Conv2d(4, 6, 1)
    found = quietly(mine, twin, x)
    assert (found.first.phase, found.first.name) == ("forward", "in PyTorch")
    assert "raised RuntimeError" in found.sentence
    assert [row.name for row in found.rows if row.where == "fc1"] == ["conv2d y"]
    twin.forward = lambda x: {"out": x}
    assert "returned dict, expected a tensor" in quietly(mine, twin, x).sentence


def test_where_both_raise_both_are_said():
    mine, twin, x = pair("ARM")
    found = quietly(mine, twin, x[:1])
    assert (found.first.where, found.first.name) == ("bn_atten", "batch_norm")
    assert found.sentence.count("Expected more than 1 value per channel") == 2


def test_modules_in_the_wrong_order_are_refused():
    mine, twin, x = pair("SE")
    with pytest.raises(TypeError, match="got SqueezeExcitation and SqueezeExcitation: swap"):
        quietly(twin, mine, x)


def test_the_table_is_printed():
    with faults.planted(next(f for f in faults.FAULTS if f.name == "sigmoid: 1 - s forgotten")):
        mine, twin, x = pair("ARM")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            found = check.trace(mine, twin, x)
    lines = out.getvalue().splitlines()
    assert out.getvalue() == f"{found}\n"
    assert max(map(len, lines)) <= 100
    (header,) = [line for line in lines if line.split()[:3] == ["where", "value", "shape"]]
    assert header.split()[3:] == ["max", "error", "bound"]
    assert [line for line in lines if line in ("forward", "gradients", "buffers")] == [
        "forward",
        "gradients",
        "buffers",
    ]
    (marked,) = [line for line in lines if line.endswith("<-- first to part")]
    assert marked.split()[:3] == ["(top)", "sigmoid", "da"]
    assert len(found.rows) == len(quietly(*pair("ARM")).rows)  # one a value, parted or not
    assert header.index("shape") == marked.index("(3, 4, 1, 1)")
    assert " ".join(lines[-2:]).startswith(
        "The forward agrees; the gradients part first at (top): "
    )
    assert found.sentence.endswith("Look at the backward of sigmoid.")
    assert repr(found) == f"Trace: {found.sentence}"


def test_nothing_is_printed_on_demand(capsys):
    assert quietly(*pair("SE")).sentence == "All 18 values agree: forward and gradients."
    assert quietly(*pair("ARM")).sentence.endswith("values agree: forward, gradients and buffers.")
    assert capsys.readouterr().out == ""


def test_a_large_network_keeps_its_lines_short():
    found = quietly(*pair("ToyNet"))
    assert max(map(len, str(found).splitlines())) <= 100
    assert len(found.rows) > 60
