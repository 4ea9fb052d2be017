"""What goes wrong in the article's listings, shown on small modules with the same defect.

Each test builds a module of our own that has the defect, shows what it does, and that the module
of this project does what the article's text says. Numbers are those of the table of defects.
"""

import numpy as np
import pytest
import torch
from torch import nn

import armlab.torch as twins
from armlab import hand
from armlab.cost import ATTENTION, FEATURES, GATE, ModuleCost

X = np.random.default_rng(0).standard_normal((3, 4, 6, 5))
T = torch.tensor(X)


def loaded(by_hand, twin):
    twin = twin.double()
    twin.load_state_dict({k: torch.tensor(a) for k, a in by_hand.state_dict().items()})
    return twin


class NoSuper(nn.Module):
    def __init__(self):
        self.conv_atten = nn.Conv2d(4, 4, 1, bias=False)


def test_1_without_super_init_nothing_can_be_built():
    with pytest.raises(AttributeError, match=r"before Module\.__init__\(\) call"):
        NoSuper()
    for module in (twins.Attentionout(4), twins.SAR(4, 3, 5), twins.ListedSAR(4, 3)):
        assert list(module.state_dict())


class LostResidual(twins.Attentionout):
    def forward(self, x):
        out = super().forward(x)
        x = x + out
        return out


def test_2_the_residual_is_computed_and_lost():
    published = hand.Attentionout(4, rng=0, dtype="float64")
    described = hand.ResidualAttentionout(4, rng=0, dtype="float64")
    listing = loaded(published, LostResidual(4))(T).detach().numpy()
    y, _ = published(X)
    with_residual, _ = described(X)
    np.testing.assert_allclose(listing, y, rtol=0, atol=1e-9)
    np.testing.assert_allclose(with_residual, X + y, rtol=0, atol=1e-9)
    assert np.abs(with_residual - listing).max() > 1


def test_3_the_map_is_one_gate_per_element_and_sees_no_neighbour():
    module = hand.Attentionout(4, rng=0, dtype="float64").eval()
    gate = module.gate(X)
    assert gate.shape == X.shape
    moved = X.copy()
    moved[1, :, 2, 3] += 1
    changed = module.gate(moved) != gate
    assert changed[1, :, 2, 3].all()
    assert changed.sum() == 4  # that pixel's channels and no other


def test_3_a_gate_per_position_that_sees_its_neighbours_is_sar():
    module = hand.ListedSAR(4, 3, rng=0, dtype="float64").eval()
    gate = module.gate(X)
    assert gate.shape == (3, 1, 6, 5)
    moved = X.copy()
    moved[1, :, 2, 3] += 1
    rows, cols = np.nonzero((module.gate(moved) != gate)[1, 0])
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (1, 3, 2, 4)


class UndefinedBN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_atten = nn.Conv2d(2, 1, 3, padding=1, bias=False)

    def forward(self, x):
        return self.bn_atten(self.conv_atten(x))


def test_4_the_batch_normalisation_of_sar_is_used_and_never_defined():
    with pytest.raises(AttributeError, match="bn_atten"):
        UndefinedBN()(torch.zeros(2, 2, 3, 3))
    for module in (hand.ListedSAR(4, 3, rng=0), hand.SAR(4, 3, 5, rng=0)):
        assert module.bn_atten.num_features == 1


def test_5_only_the_origin_has_a_use_for_out_chan():
    assert hand.ListedSAR(4, 3, rng=0, dtype="float64")(X)[0].shape == (3, 4, 6, 5)
    whole = hand.SAR(4, 3, 7, rng=0, dtype="float64")
    assert whole(X)[0].shape == (3, 7, 6, 5)
    assert whole.conv1.conv.weight.shape == (7, 4, 3, 3)


def test_6_the_activation_is_a_choice_with_a_name():
    leaky, plain = (
        hand.AttentionRefinementModule(4, 5, name, rng=0, dtype="float64").eval()
        for name in ("leaky_relu", "relu")
    )
    assert (leaky(X)[0] < 0).any()
    assert (plain(X)[0] >= 0).all()


def test_7_few_parameters_is_true_of_the_branch_only():
    arm32 = hand.AttentionRefinementModule(512, 128, rng=0)
    sizes = {key: a.size for key, a in arm32.parameters().items()}
    branch = sum(n for key, n in sizes.items() if "atten" in key)
    assert (sum(sizes.values()), branch) == (606_720, 16_640)


def test_8_pooling_is_most_of_the_branch_and_nothing_of_the_class():
    arm32 = hand.AttentionRefinementModule(512, 128, rng=0).eval()
    report = ModuleCost(arm32, (1, 512, 32, 64))  # at 1/32 of 1024 × 2048
    work = {row: c.multiply_adds + c.elementwise for row, c in report.branches("").items()}
    assert work[FEATURES, "3×3 convolution"] / sum(work.values()) > 0.999
    branch = {row: n for row, n in work.items() if row[0] != FEATURES}
    pooled_and_scaled = branch[ATTENTION, "pooling"] + branch[GATE, "multiply"]
    assert 0.96 < pooled_and_scaled / sum(branch.values()) < 0.98


def test_9_se_and_arm_differ_in_layers_biases_and_normalisation():
    se, arm = hand.SqueezeExcitation(32, rng=0), hand.PaperAttentionRefinement(32, rng=0)
    assert {k: a.shape for k, a in se.parameters().items()} == {
        "fc1.weight": (2, 32, 1, 1),
        "fc1.bias": (2,),
        "fc2.weight": (32, 2, 1, 1),
        "fc2.bias": (32,),
    }
    assert {k: a.shape for k, a in arm.parameters().items()} == {
        "conv_atten.weight": (32, 32, 1, 1),
        "bn_atten.weight": (32,),
        "bn_atten.bias": (32,),
    }
    one_image = np.zeros((1, 32, 3, 3), "f4")
    assert se(one_image)[0].shape == one_image.shape
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        arm(one_image)


@pytest.mark.parametrize(
    "module",
    [
        hand.PaperAttentionRefinement(4, rng=0, dtype="float64"),
        hand.SqueezeExcitation(4, 2, rng=0, dtype="float64"),
        hand.Attentionout(4, rng=0, dtype="float64"),
        hand.ListedSAR(4, 3, rng=0, dtype="float64"),
    ],
    ids=lambda module: type(module).__name__,
)
def test_10_gates_are_between_0_and_1_each_alone(module):
    gate = module.gate(X)
    assert ((gate > 0) & (gate < 1)).all()
    assert np.abs(gate.sum(axis=1) - 1).max() > 0.1  # no softmax: they share nothing


def test_11_the_share_of_compute_is_3_percent_with_the_3x3_and_next_to_nothing_without():
    """Not "< 1 %": that holds for the attention branch alone. The paper gives no such figure."""
    report = ModuleCost(hand.BiSeNet(rng=0).eval(), (1, 3, 1024, 2048))
    total = report.total.multiply_adds
    assert round(100 * report.of(*report.arms).multiply_adds / total, 2) == 3.06
    branch = report.without_features(*report.arms)
    assert (branch.multiply_adds + branch.elementwise) / total < 0.0001  # < 0.01 %
