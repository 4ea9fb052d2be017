"""Networks with any attention by its name: the same network, the same keys, in both libraries."""

import runpy

import numpy as np
import pytest
import torch
from test_contracts import BUILT, inputs_of
from test_networks import expect_twins, pair

import armlab.torch
from armlab import hand
from armlab.check.cases import MODULES
from armlab.hand.conv_attention import attention_names, attentions, refinement
from armlab.torch.conv_attention import attentions as twins_attentions
from armlab.training import settings

NETWORKS = {"ToyNet": {"channels": 6}, "ToyBiSeNet": {"width": 2}}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("attention", attention_names())
@pytest.mark.parametrize("name", NETWORKS)
def test_hand_and_twin_agree(name, attention, training):
    by_hand, twin = pair(name, classes=4, attention=attention, **NETWORKS[name])
    assert list(by_hand.state_dict()) == list(twin.state_dict())
    expect_twins(by_hand.train(training), twin.train(training), (2, 3, 37, 46))


@pytest.mark.parametrize("attention", attention_names())
@pytest.mark.parametrize("name", NETWORKS)
def test_gates_of_hand_and_twin_agree_and_looking_changes_nothing(name, attention):
    by_hand, twin = pair(name, classes=4, attention=attention, **NETWORKS[name])
    x = np.random.default_rng(0).standard_normal((3, 3, 65, 40))
    before = by_hand.state_dict()
    ours, theirs = gates_of(by_hand, x), gates_of(twin, torch.tensor(x))
    assert list(ours) == list(theirs)
    assert len(ours) == (attention != "none") * (1 if name == "ToyNet" else 2)
    for key, s in ours.items():
        np.testing.assert_allclose(s, theirs[key].numpy(), rtol=0, atol=1e-9)
        assert s.shape[0] == 3
    for key, a in before.items():
        np.testing.assert_array_equal(by_hand.state_dict()[key], a)
        np.testing.assert_array_equal(twin.state_dict()[key].numpy(), a)


def gates_of(net, x):
    if hasattr(net, "gates"):
        return net.gates(x)
    gate = net.gate(x)
    return {} if gate is None else {"refine": gate}


def test_the_training_knows_every_attention():
    assert settings.ABOUT["attention"].choices == attention_names()


def test_every_attention_that_keeps_the_shape_of_its_features_has_a_name():
    named = {*attentions().values(), hand.ConvAttention}
    gated = {
        getattr(hand, case.name)
        for case in MODULES
        if case.gate and len(case.built.takes(4, 4)) == 1  # a fusion has two
    }
    assert gated == named


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_differ_by_their_attention_alone(name):
    """All but the refinements have the same keys, and each refinement has one 3×3 of its own."""
    plain = set(getattr(hand, name)(attention="none").state_dict())
    common = {key for key in plain if not key.startswith(("refine", "cp.arm"))}
    for attention in attention_names():
        state = getattr(hand, name)(attention=attention).state_dict()
        rest = state.keys() - common
        assert common <= state.keys()
        assert all(key.startswith(("refine.", "cp.arm16.", "cp.arm32.")) for key in rest)
        wide = [key for key in rest if state[key].shape[2:] == (3, 3) and state[key].shape[0] > 1]
        assert len(wide) == (1 if name == "ToyNet" else 2), attention


@pytest.mark.parametrize(("channels", "within"), [(1, 1), (2, 1), (3, 1), (8, 4)])
def test_sar_works_on_half_the_channels_and_on_one_at_least(channels, within):
    state = refinement("sar", channels, 5, "relu").state_dict()
    assert state["conv_reduce.conv.weight"].shape == (within, channels, 1, 1)


def test_behind_a_convolution_the_papers_module_is_the_articles():
    arm, paper = (refinement(a, 5, 6, "leaky_relu", rng=3) for a in ("arm", "paper-arm"))
    rng = np.random.default_rng(0)
    x, dy = (rng.standard_normal((3, c, 4, 7)).astype("f4") for c in (5, 6))
    (y, back), (same, same_back) = arm(x), paper(x)
    np.testing.assert_array_equal(y, same)
    (dx, grads), (same_dx, same_grads) = back(dy), same_back(dy)
    np.testing.assert_array_equal(dx, same_dx)
    for g, same_g in zip(grads.values(), same_grads.values(), strict=True):
        np.testing.assert_array_equal(g, same_g)


@pytest.mark.parametrize("attention", attention_names())
def test_a_refinement_is_drawn_from_its_seed_in_its_dtype(attention):
    first, again, other = (
        refinement(attention, 3, 4, "relu", rng=seed, dtype="float64").parameters()
        for seed in (5, 5, 6)
    )
    assert {a.dtype.name for a in first.values()} == {"float64"}
    for key, a in first.items():
        np.testing.assert_array_equal(again[key], a)
    assert any((other[key] != a).any() for key, a in first.items())


def test_a_module_that_is_exported_with_a_name_is_an_attention_everywhere(monkeypatch):
    class Halving(hand.SimAM):
        """A gate of 1/2 in the place of SimAM's."""

        attention_name = "halving"

    class Unnamed(hand.SimAM):
        """Has SimAM's name from SimAM, and so none of its own."""

    class HalvingTwin(armlab.torch.SimAM):
        attention_name = "halving"

    for room, kinds in ((hand, (Unnamed, Halving)), (armlab.torch, (HalvingTwin,))):
        for kind in kinds:
            monkeypatch.setattr(room, kind.__name__, kind, raising=False)
        monkeypatch.setattr(room, "__all__", [*room.__all__, *(kind.__name__ for kind in kinds)])
    assert attention_names()[-1] == "halving"
    assert attentions()["simam"] is hand.SimAM
    about = runpy.run_path(settings.__file__)["ABOUT"]  # as the commands read it, from its start
    assert about["attention"].choices == attention_names()
    for build in (hand.ToyNet, hand.ToyBiSeNet):
        parts = [type(m) for _, m in build(attention="halving").named_modules()]
        assert Halving in parts
    for build in (armlab.torch.ToyNet, armlab.torch.ToyBiSeNet):
        assert HalvingTwin in [type(m) for m in build(attention="halving").modules()]


def test_the_twins_have_the_same_names_in_the_same_order():
    ours, theirs = attentions(), twins_attentions()
    assert [(k, kind.__name__) for k, kind in ours.items()] == [
        (k, kind.__name__) for k, kind in theirs.items()
    ]
    assert attention_names()[:4] == ("none", "arm", "paper-arm", "se")
    assert len(ours) == 15


@pytest.mark.parametrize("name", BUILT)
def test_a_module_says_whether_it_normalises_what_it_pooled(name):
    """Then one image is refused in training mode, however large it is."""
    module = getattr(hand, name)(**BUILT[name].options)
    inputs = [x[:1] for x in inputs_of(module, (64, 70))]
    if any(m.pooled_norm for _, m in module.named_modules()):
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            module(*inputs)
    else:
        module(*inputs)


@pytest.mark.parametrize("attention", attention_names())
def test_a_network_says_whether_its_attention_normalises_what_it_pooled(attention):
    net, x = hand.ToyNet(attention=attention), np.zeros((1, 3, 8, 8), "f4")
    assert any(m.pooled_norm for _, m in net.named_modules()) == (attention in ("arm", "paper-arm"))
    if attention in ("arm", "paper-arm"):
        with pytest.raises(ValueError, match="Expected more than 1 value per channel"):
            net(x)
    else:
        net(x)
