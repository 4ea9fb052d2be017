"""Key maps: each repository's keys onto ours and back, held to stand-ins built from its keys.

TorchSeg and mmsegmentation have other names than ours, so their stand-ins also run: a map that
swaps two layers of one shape would still fit, but its outputs would differ.
"""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

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


# -- the two repositories with names of their own, to be run ----------------------------------


def net(**children):
    module = nn.Module()
    for name, child in children.items():
        module.add_module(name, child)
    return module


class ConvBNReLU(nn.Module):
    def __init__(self, i, o, k=3, stride=1, relu=True):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, stride, k // 2, bias=False)
        self.bn = nn.BatchNorm2d(o)
        self.relu = relu

    def forward(self, x):
        y = self.bn(self.conv(x))
        return F.relu(y) if self.relu else y


def pooled(i, o, relu=True):
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), ConvBNReLU(i, o, 1, relu=relu))


def bare(i, o, **kwargs):
    """A 1×1 convolution in a module of its own, under "conv"."""
    return net(conv=nn.Conv2d(i, o, 1, bias=False))


def like(x, other):
    return F.interpolate(x, size=other.shape[2:], mode="nearest")


def torchseg(w, main=3, auxiliary=5):
    def refinement(i):
        return net(conv_3x3=ConvBNReLU(i, 2 * w), channel_attention=pooled(2 * w, 2 * w, False))

    def output(i, m):
        return net(conv_3x3=ConvBNReLU(i, m), conv_1x1=nn.Conv2d(m, CLASSES, 1))

    squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), bare(4 * w, 4 * w), bare(4 * w, 4 * w))
    return net(
        context_path=twins.ResNet18(w),
        spatial_path=net(
            conv_7x7=ConvBNReLU(3, w, 7, 2),
            conv_3x3_1=ConvBNReLU(w, w, 3, 2),
            conv_3x3_2=ConvBNReLU(w, w, 3, 2),
            conv_1x1=ConvBNReLU(w, 2 * w, 1),
        ),
        global_context=pooled(8 * w, 2 * w),
        arms=nn.ModuleList([refinement(8 * w), refinement(4 * w)]),
        refines=nn.ModuleList([ConvBNReLU(2 * w, 2 * w), ConvBNReLU(2 * w, 2 * w)]),
        heads=nn.ModuleList(
            [output(2 * w, auxiliary), output(2 * w, auxiliary), output(4 * w, main)]
        ),
        ffm=net(conv_1x1=ConvBNReLU(4 * w, 4 * w, 1), channel_attention=squeeze),
    )


def run_torchseg(m, x):
    """From 1/32 to 1/8 through the lists, then the fusion; resized as ours resizes."""
    f8, f16, f32 = m.context_path(x)
    y, maps = like(m.global_context(f32), f32), []
    for f, refinement, refine, finer in zip((f32, f16), m.arms, m.refines, (f16, f8), strict=True):
        f = refinement.conv_3x3(f)
        y = refine(like(f * refinement.channel_attention(f).sigmoid() + y, finer))
        maps.append(y)
    s = m.spatial_path
    s = s.conv_1x1(s.conv_3x3_2(s.conv_3x3_1(s.conv_7x7(x))))
    f = m.ffm.conv_1x1(torch.cat([s, y], 1))
    pool, first, second = m.ffm.channel_attention
    maps.append(f + f * second.conv(first.conv(pool(f)).relu()).sigmoid())
    ys = [h.conv_1x1(h.conv_3x3(f)) for h, f in zip(m.heads, maps, strict=True)]
    ys = [F.interpolate(y, size=x.shape[2:], mode="bilinear") for y in ys]
    return ys[2], ys[1], ys[0]


def mmseg(w):
    def refinement(i):
        return net(conv_layer=ConvBNReLU(i, 2 * w), atten_conv_layer=pooled(2 * w, 2 * w, False))

    def output(i, m):
        return net(convs=nn.Sequential(ConvBNReLU(i, m)), conv_seg=nn.Conv2d(m, CLASSES, 1))

    context = net(
        backbone=twins.ResNet18(w),
        arm16=refinement(4 * w),
        arm32=refinement(8 * w),
        conv_head32=ConvBNReLU(2 * w, 2 * w),
        conv_head16=ConvBNReLU(2 * w, 2 * w),
        gap_conv=pooled(8 * w, 2 * w),
    )
    spatial = net(
        layer1=ConvBNReLU(3, w, 7, 2),
        layer2=ConvBNReLU(w, w, 3, 2),
        layer3=ConvBNReLU(w, w, 3, 2),
        layer4=ConvBNReLU(w, 2 * w, 1),
    )
    fusion = net(
        conv1=ConvBNReLU(4 * w, 4 * w, 1), conv_atten=nn.Sequential(ConvBNReLU(4 * w, 4 * w, 1))
    )
    return net(
        backbone=net(context_path=context, spatial_path=spatial, ffm=fusion),
        decode_head=output(4 * w, 3),
        auxiliary_head=nn.ModuleList([output(2 * w, 5), output(2 * w, 5)]),
    )


def run_mmseg(m, x):
    """Each part but the fusion, by our name of it."""
    p = m.backbone.context_path
    f8, f16, f32 = p.backbone(x)
    r32, r16 = p.arm32.conv_layer(f32), p.arm16.conv_layer(f16)
    r32 = r32 * p.arm32.atten_conv_layer(r32).sigmoid() + p.gap_conv(f32)
    y16 = p.conv_head32(like(r32, f16))
    r16 = r16 * p.arm16.atten_conv_layer(r16).sigmoid() + y16
    y8 = p.conv_head16(like(r16, f8))
    s = m.backbone.spatial_path
    s = s.layer4(s.layer3(s.layer2(s.layer1(x))))
    fused = torch.cat([s, y8], 1)
    first, second = m.auxiliary_head
    logits = [
        h.conv_seg(h.convs(f)) for h, f in ((m.decode_head, fused), (first, y8), (second, y16))
    ]
    return {"cp": (y8, y16), "sp": s, **dict(zip(THREE, logits, strict=True))}


def drawn(module):
    """In double precision with random values everywhere, so that no two layers are alike."""
    module, rng = module.double(), np.random.default_rng(0)
    for key, t in module.state_dict().items():
        if t.is_floating_point():
            a = rng.normal(size=t.shape)
            t.copy_(torch.tensor(np.abs(a) if key.endswith("running_var") else a))
    return module


def same(ours, theirs):
    ours, theirs = (y if isinstance(y, tuple) else (y,) for y in (ours, theirs))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), rtol=0, atol=1e-9)  # bounds.whole


def test_torchseg_is_our_bisenet_with_other_names():
    theirs = drawn(torchseg(WIDTH))
    net = hand.BiSeNet(CLASSES, reduction=1, mid_channels=(3, 5), width=WIDTH, dtype="float64")
    state = weights.rename(weights.from_torch(theirs.state_dict()), "torchseg")
    weights.check(state, net)
    x = np.random.default_rng(1).standard_normal((3, 3, 64, 96))
    same(net.load_state_dict(state)(x)[0], run_torchseg(theirs, torch.tensor(x)))
    after = weights.rename(weights.from_torch(theirs.state_dict()), "torchseg")
    for key, a in net.state_dict().items():  # the statistics as well
        np.testing.assert_allclose(a, after[key], rtol=0, atol=1e-9)


def test_mmseg_is_our_bisenet_but_for_the_fusion():
    theirs = drawn(mmseg(WIDTH))
    state = weights.from_torch(theirs.state_dict())
    net = hand.BiSeNet(CLASSES, mid_channels=(3, 5), width=WIDTH, dtype="float64")
    for name in ("cp", "sp", *THREE):
        getattr(net, name).load_state_dict(weights.rename(state, "mmseg", part=name))
    x = np.random.default_rng(1).standard_normal((3, 3, 64, 96))
    expected = run_mmseg(theirs, torch.tensor(x))
    (y8, y16), _ = net.cp(x)
    spatial, _ = net.sp(x)
    same((y8, y16), expected["cp"])
    same(spatial, expected["sp"])
    features = {
        "conv_out": np.concatenate([spatial, y8], 1),
        "conv_out16": y8,
        "conv_out32": y16,
    }
    for name, f in features.items():
        same(getattr(net, name)(f)[0], expected[name])
    with pytest.raises(ValueError, match=r"mmseg has no place for 12 of \d+ keys: backbone\.ffm"):
        weights.rename(state, "mmseg")


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
    "coincheung before 2021": (COINCHEUNG_2020, ours(reduction=4)),
    "seafusion": (SEAFUSION, ours("ThreeScaleBiSeNet")),
    "torchseg": (
        list(torchseg(WIDTH).state_dict()),
        ours(reduction=1, mid_channels=(3, 5)),
    ),
}


@pytest.mark.parametrize("name", WHOLE)
def test_there_and_back_is_the_identity_on_whole_networks(name):
    theirs, state = WHOLE[name]
    repository = name.split()[0]
    there = weights.rename(named(theirs), repository)
    assert set(there) <= set(state)
    same_states(weights.rename(there, to=repository), named(theirs))
    if "before" not in name:  # the heads had no bias then
        assert set(there) == set(state)
        assert set(weights.rename(state, to=repository)) == set(theirs)
    back = weights.rename(weights.rename(state, to=repository), repository)
    same_states(back, state)


PARTS = ("cp.arm16", "cp.arm32", "cp.conv_head16", "cp.conv_head32", "cp.conv_avg")
PARTIAL = {
    "stdc": (STDC, (*PARTS, "ffm", *THREE)),
    "face-parsing": (FACE_PARSING, ("cp", *PARTS, "cp.resnet", "ffm", *THREE)),
    "mmseg": (list(mmseg(WIDTH).state_dict()), ("cp", *PARTS, "cp.resnet", "sp", *THREE)),
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
