"""Key maps: each repository's keys onto ours and back.

A map that swaps two layers of one shape would still fit, but compute something else:
test_families.py runs what the maps make of each family.
"""

import re

import numpy as np
import pytest
import torch
from public_networks import MMSeg, TorchSeg
from torch import nn

import armlab.torch as twins
from armlab import hand, weights

BN = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
CLASSES, WIDTH = 3, 2


def bn(name):
    return [f"{name}.{p}" for p in BN]


def conv_bn(name):
    return [f"{name}.conv.weight", *bn(f"{name}.bn")]


def arm(name):
    return [*conv_bn(f"{name}.conv"), f"{name}.conv_atten.weight", *bn(f"{name}.bn_atten")]


def head(name, bias=True):
    return [*conv_bn(f"{name}.conv"), f"{name}.conv_out.weight", *[f"{name}.conv_out.bias"] * bias]


def resnet(name):
    keys = [f"{name}.conv1.weight", *bn(f"{name}.bn1")]
    for block in (f"{name}.layer{i}.{j}" for i in (1, 2, 3, 4) for j in (0, 1)):
        for i in (1, 2):
            keys += [f"{block}.conv{i}.weight", *bn(f"{block}.bn{i}")]
        if re.search(r"layer[234]\.0", block):
            keys += [f"{block}.downsample.0.weight", *bn(f"{block}.downsample.1")]
    return keys


CONTEXT = [*arm("cp.arm16"), *arm("cp.arm32")]
CONTEXT += [k for n in ("conv_head32", "conv_head16", "conv_avg") for k in conv_bn(f"cp.{n}")]
SPATIAL = [k for n in ("conv1", "conv2", "conv3", "conv_out") for k in conv_bn(f"sp.{n}")]
TWO_LAYERS = [*conv_bn("ffm.convblk"), "ffm.conv1.weight", "ffm.conv2.weight"]
ONE_LAYER = [*conv_bn("ffm.convblk"), "ffm.conv.weight", *bn("ffm.bn")]


def heads(*names, bias):
    return [key for name in names for key in head(name, bias)]


THREE = ("conv_out", "conv_out16", "conv_out32")
COINCHEUNG = resnet("cp.resnet") + CONTEXT + SPATIAL + ONE_LAYER + heads(*THREE, bias=True)
COINCHEUNG_2020 = resnet("cp.resnet") + CONTEXT + SPATIAL + TWO_LAYERS + heads(*THREE, bias=False)
FACE_PARSING = resnet("cp.resnet") + CONTEXT + TWO_LAYERS + heads(*THREE, bias=False)
STDC = ["cp.backbone.features.0.conv.weight", *CONTEXT, *TWO_LAYERS]
STDC += heads(*THREE, "conv_out_sp16", "conv_out_sp8", "conv_out_sp4", "conv_out_sp2", bias=False)
SEAFUSION = resnet("cp.resnet") + arm("cp.arm32") + arm("cp.arm16") + arm("cp.arm8")
for name in ("sp16", "sp8", "conv_head32", "conv_head16", "conv_fuse1", "conv_fuse2", "conv_fuse"):
    SEAFUSION += conv_bn(f"cp.{name}")
SEAFUSION += heads("conv_out", "conv_out16", bias=False)


# -- keys --------------------------------------------------------------------------------------


def ours(network="BiSeNet", **options):
    return getattr(hand, network)(CLASSES, width=WIDTH, **options).state_dict()


def named(keys):
    """A state with these keys and an array of its own under each."""
    return {key: np.full(2, float(i)) for i, key in enumerate(keys)}


def same_states(a, b):
    assert list(a) == list(b)
    for key in a:
        np.testing.assert_array_equal(a[key], b[key], strict=True)


@pytest.mark.parametrize(
    ("keys", "network", "options"),
    [
        (COINCHEUNG, "BiSeNet", {}),
        (SEAFUSION, "ThreeScaleBiSeNet", {}),
    ],
    ids=["coincheung", "seafusion"],
)
def test_our_networks_have_the_keys_of_their_origin(keys, network, options):
    assert sorted(ours(network, **options)) == sorted(keys)
    assert len(set(keys)) == len(keys)


WHOLE = {
    "coincheung": (COINCHEUNG, ours()),
    "coincheung before 2021": (COINCHEUNG_2020, ours(reduction=4, bias=False)),
    "seafusion": (SEAFUSION, ours("ThreeScaleBiSeNet")),
    "torchseg": (
        list(TorchSeg(WIDTH, CLASSES).state_dict()),
        ours(reduction=1, mid_channels=(3, 5)),
    ),
    "mmseg": (
        list(MMSeg(WIDTH, CLASSES).state_dict()),
        ours("RectifiedBiSeNet", mid_channels=(3, 5)),
    ),
    "face-parsing": (FACE_PARSING, ours("SinglePathBiSeNet")),
}


@pytest.mark.parametrize("name", WHOLE)
def test_there_and_back_is_the_identity_on_whole_networks(name):
    theirs, state = WHOLE[name]
    repository = name.split()[0]
    there = weights.rename(named(theirs), repository)
    assert set(there) == set(state)
    assert set(weights.rename(state, to=repository)) == set(theirs)
    same_states(weights.rename(there, to=repository), named(theirs))
    back = weights.rename(weights.rename(state, to=repository), repository)
    same_states(back, state)


PARTS = ("cp.arm16", "cp.arm32", "cp.conv_head16", "cp.conv_head32", "cp.conv_avg")
PARTIAL = {
    "stdc": (STDC, (*PARTS, "ffm", *THREE)),
    "face-parsing": (FACE_PARSING, ("cp", *PARTS, "cp.resnet", "ffm", *THREE)),
    "mmseg": (list(MMSeg(WIDTH, CLASSES).state_dict()), ("cp", *PARTS, "cp.resnet", "sp", *THREE)),
}


@pytest.mark.parametrize(("name", "part"), [(n, p) for n, (_, ps) in PARTIAL.items() for p in ps])
def test_parts_have_our_keys_and_go_back_under_theirs(name, part):
    theirs = named(PARTIAL[name][0])
    found = weights.rename(theirs, name, part=part)
    full = ours(reduction=4)
    expected = {key for key in full if key.startswith(f"{part}.")}
    if name != "mmseg":
        expected -= {f"{h}.conv_out.bias" for h in THREE}
    assert {f"{part}.{key}" for key in found} == expected
    back = weights.rename({f"{part}.{key}": a for key, a in found.items()}, to=name)
    assert back
    for key, a in back.items():
        np.testing.assert_array_equal(a, theirs[key])
    same_states(
        weights.rename(weights.rename(theirs, name, name, part=part), name, part=part), found
    )


MODULES = {
    ("AttentionRefinementModule", "coincheung"): (8, 4),
    ("AttentionRefinementModule", "seafusion"): (8, 4),
    ("AttentionRefinementModule", "stdc"): (8, 4),
    ("AttentionRefinementModule", "face-parsing"): (8, 4),
    ("AttentionRefinementModule", "torchseg"): (8, 4),
    ("AttentionRefinementModule", "mmseg"): (8, 4),
    ("AttentionRefinementModule", "pytorchcv"): (8, 4),
    ("FeatureFusionModule", "coincheung"): (8, 4),
    ("FeatureFusionModule", "stdc"): (8, 4),
    ("FeatureFusionModule", "face-parsing"): (8, 4),
    ("FeatureFusionModule", "torchseg"): (8, 4),
    ("FeatureFusionModule", "pytorchcv"): (8, 4),
    ("RectifiedFeatureFusion", "mmseg"): (8, 4),
    ("SingleLayerFeatureFusion", "coincheung"): (8, 4),
    ("Attentionout", "seafusion"): (4,),
    ("SAR", "seafusion"): (6, 4, 5),
    ("SqueezeExcitation", "pytorchcv"): (8, 2),
    ("CBAM", "pytorchcv"): (8, 2),
}


@pytest.mark.parametrize(("module", "repository"), MODULES)
def test_modules_alone_go_there_and_back(module, repository):
    by_hand = getattr(hand, module)(*MODULES[module, repository], rng=1)
    state = by_hand.state_dict()
    there = weights.rename(state, to=repository, module=module)
    assert len(there) == len(state)
    same_states(weights.rename(there, repository, module=module), state)


def test_every_table_is_tested_and_invertible():
    tables = {(m, r) for r, found in weights.REPOSITORIES.items() for m in found}
    networks = {(m, r) for m, r in tables if m.endswith("BiSeNet")}
    assert tables - networks == set(MODULES)
    assert {r for _, r in networks} == {n.split()[0] for n in WHOLE} | set(PARTIAL) | {"pytorchcv"}
    for found in weights.REPOSITORIES.values():
        for table in found.values():
            assert len(set(table.values())) == len(table)


def test_the_longest_entry_counts(monkeypatch):
    monkeypatch.setitem(weights.REPOSITORIES, "new", {"Net": {"a": "x", "a.b": "y.z", "ab": "w"}})
    keys = ["a.weight", "a.b.weight", "a.bc.weight", "ab.weight", "a.b"]
    found = weights.rename(named(keys), "new")
    assert list(found) == ["x.weight", "y.z.weight", "x.bc.weight", "w.weight", "y.z"]
    assert list(weights.rename(found, to="new")) == keys


def test_a_linear_layer_is_a_convolution_here():
    pytest.importorskip("pytorchcv", reason="install it with  pip install --no-deps pytorchcv")
    from pytorchcv.models.cbamresnet import CbamBlock

    theirs = CbamBlock(channels=8, reduction_ratio=2).state_dict()
    there = weights.rename(weights.from_torch(theirs), "pytorchcv", module="CBAM")
    assert there["ch_gate.fc1.weight"].shape == (4, 8, 1, 1)
    back = weights.to_torch(weights.rename(there, to="pytorchcv", module="CBAM"))
    assert {k: t.shape for k, t in back.items()} == {k: t.shape for k, t in theirs.items()}


# -- refusals ----------------------------------------------------------------------------------


def refused(call, *words):
    with pytest.raises(ValueError) as caught:
        call()
    sentence = str(caught.value)
    assert "\n" not in sentence
    for word in words:
        assert word in sentence, sentence
    return sentence


def test_what_has_no_counterpart_is_listed():
    state = named([*COINCHEUNG, "criterion.weight", "fc.weight"])
    refused(
        lambda: weights.rename(state, "coincheung"),
        f"coincheung has no place for 2 of {len(state)} keys: criterion.weight, fc.weight;",
    )
    single = ours(mid_channels=(3, 5))  # TorchSeg has no fusion with a single layer
    refused(
        lambda: weights.rename(single, to="torchseg"),
        f"torchseg has no place for 6 of {len(single)} keys: ffm.conv.weight, ffm.bn.weight",
    )
    refused(lambda: weights.rename(named(STDC), "stdc"), "cp.backbone.features.0", "cp.arm16, ")
    refused(
        lambda: weights.rename(named(COINCHEUNG), "mmseg"),
        f"for {len(COINCHEUNG)} of {len(COINCHEUNG)} keys",
    )


def test_unknown_names_are_answered_with_the_known_ones():
    state = named(COINCHEUNG)
    every = "armlab, coincheung, seafusion, stdc, face-parsing, torchseg, mmseg, pytorchcv"
    refused(lambda: weights.rename(state, "paddleseg"), "got 'paddleseg'", every)
    refused(lambda: weights.rename(state, to="paddleseg"), "got 'paddleseg'", every)
    refused(lambda: weights.rename(state, "mmseg", module="CBAM"), "no module 'CBAM'", "BiSeNet, ")
    refused(
        lambda: weights.rename(state, part="cp.arm64"),
        "got 'cp.arm64'",
        "cp.resnet, cp.arm16, cp.arm32, ",
    )
    refused(lambda: weights.select(state, "cp.arm1"), "got 'cp.arm1'")  # a prefix of whole names


def test_what_does_not_fit_a_module_is_listed_and_nothing_is_loaded():
    net = hand.BiSeNet(CLASSES, width=WIDTH)
    before = net.state_dict()
    old = weights.rename(ours(reduction=4) | {"extra": np.ones(1)})
    old["sp.conv1.conv.weight"] = np.ones((2, 3, 5, 5))
    for load in (lambda: weights.check(old, net), lambda: net.load_state_dict(old)):
        refused(
            load,
            "missing ffm.conv.weight",
            "missing ffm.bn.num_batches_tracked",
            "unexpected ffm.conv1.weight",
            "unexpected extra",
            "sp.conv1.conv.weight is (2, 3, 5, 5), not (2, 3, 7, 7)",
        )
    same_states(net.state_dict(), before)
    weights.check({key: a + 1 for key, a in before.items()}, net)
    same_states(net.state_dict(), before)
    head = {k: a for k, a in before.items() if k != "conv_out.conv_out.bias"}
    refused(lambda: weights.check(head, net), "missing conv_out.conv_out.bias")


def test_a_deep_stem_is_unexpected_in_our_resnet():
    deep = named(["backbone.context_path.backbone.stem.0.weight"])
    part = weights.rename(deep, "mmseg", part="cp.resnet")
    refused(
        lambda: weights.check(part, hand.ResNet18(WIDTH)),
        "missing conv1.weight",
        "unexpected stem.0.weight",
    )


# -- to and from PyTorch -----------------------------------------------------------------------


def test_to_the_twin_and_back_strictly():
    net = hand.BiSeNet(CLASSES, width=WIDTH, rng=3)
    twin = twins.BiSeNet(CLASSES, width=WIDTH)
    tensors = weights.to_torch(net.state_dict())
    twin.load_state_dict(tensors, strict=True)
    back = weights.from_torch(twin.state_dict())
    same_states(back, net.state_dict())
    tensors["sp.conv1.conv.weight"].zero_()  # no memory is shared, either way
    back["sp.conv1.conv.weight"][:] = 0
    assert twin.sp.conv1.conv.weight.abs().min() > 0
    assert np.abs(net.sp.conv1.conv.weight).min() > 0


@pytest.mark.parametrize(
    "wrap",
    [
        lambda s: s,
        lambda s: {"state_dict": s, "meta": {"epoch": 3}, "optimizer": {"state": {}}},
        lambda s: {"model": s, "iteration": 80_000},
        lambda s: {"epoch": 3, "model_state_dict": s},
        lambda s: {f"module.{k}": t for k, t in s.items()},
        lambda s: {"model": {f"module.{k}": t for k, t in s.items()}},
        lambda s: {f"module._orig_mod.{k}": t for k, t in s.items()},
        lambda s: {f"_orig_mod.module.{k}": t for k, t in s.items()},
    ],
)
def test_wrappers_that_people_save_are_taken_off(wrap):
    state = twins.AttentionRefinementModule(6, 4).state_dict()
    same_states(weights.from_torch(wrap(state)), {key: t.numpy() for key, t in state.items()})


def test_a_module_called_module_keeps_its_name():
    state = {"module.weight": torch.ones(2), "bias": torch.ones(2)}
    assert list(weights.from_torch(state)) == list(state)


def test_missing_counts_of_batches_become_0():
    state = twins.AttentionRefinementModule(6, 4).state_dict()
    bare = {key: t for key, t in state.items() if not key.endswith("num_batches_tracked")}
    assert len(bare) == len(state) - 2
    found = weights.from_torch(bare)
    assert found["bn_atten.num_batches_tracked"] == 0
    hand.AttentionRefinementModule(6, 4).load_state_dict(found)
    state["bn_atten.num_batches_tracked"] += 7
    for order in (1, -1):  # safetensors sorts the keys: the count comes first
        found = weights.from_torch(dict(list(state.items())[::order]))
        assert found["bn_atten.num_batches_tracked"] == 7
    assert list(weights.from_torch(nn.BatchNorm2d(2).state_dict())) == list(BN)


def test_dtypes():
    values = torch.tensor([1.0, -2.5, 3.140625, 1e-20])
    dtypes = (torch.float16, torch.bfloat16, torch.float8_e5m2, torch.float64)
    tensors = {str(d): values.to(d) for d in dtypes}
    found = weights.from_torch(tensors)
    assert {key: a.dtype.name for key, a in found.items()} == {
        "torch.float16": "float16",
        "torch.bfloat16": "float32",  # NumPy has neither this
        "torch.float8_e5m2": "float32",  # nor this
        "torch.float64": "float64",
    }
    for key, a in found.items():  # and no value changes
        np.testing.assert_array_equal(a.astype("f8"), tensors[key].double().numpy())
    se = hand.SqueezeExcitation(4, 2)
    half = {key: t.half() for key, t in twins.SqueezeExcitation(4, 2).state_dict().items()}
    assert se.load_state_dict(weights.from_torch(half)).fc1.weight.dtype == np.float32


def test_strides_do_not_matter():
    t = torch.arange(24.0).reshape(2, 3, 2, 2)
    tensors = {
        "transposed": t.transpose(0, 1),
        "channels_last": t.to(memory_format=torch.channels_last),
        "expanded": torch.ones(1).expand(5),
        "scalar": torch.tensor(3),
        "parameter": nn.Parameter(t[:, 1]),
    }
    state = weights.from_torch(tensors)
    for key, a in state.items():
        assert a.flags.c_contiguous
        assert a.flags.writeable
        np.testing.assert_array_equal(a, tensors[key].detach().numpy(), strict=True)
    views = {"reversed": np.arange(6.0)[::-1], "fortran": np.asfortranarray(np.ones((2, 3)))}
    views["big_endian"] = np.arange(3.0).astype(">f4")
    for key, tensor in weights.to_torch(views).items():
        np.testing.assert_array_equal(tensor.numpy(), views[key])


@pytest.mark.parametrize(
    "found", [[torch.ones(2)], {}, {"epoch": 3}, {"a": torch.ones(2), "n": 1}, {"state_dict": {}}]
)
def test_what_is_no_state_is_refused(found):
    refused(lambda: weights.from_torch(found), "save module.state_dict() alone")


def test_parameters_are_counted_without_statistics():
    arm = twins.AttentionRefinementModule(6, 4)
    expected = sum(p.numel() for p in arm.parameters())
    assert weights.parameter_count(weights.from_torch(arm.state_dict())) == expected
