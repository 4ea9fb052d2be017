"""Each family's weights, renamed by the key map, in the network that `weights.network` builds.

Held to the family's own forward in `public_networks`, from random weights: outputs, and in training
mode every gradient for random upstream ones and the statistics that are kept. Both are float64, so
they may differ by rounding alone: some 60 layers in a row, each with sums of n ≤ 9 · 8 w terms that
are off by about √n u = 2e-15 of their size, in all √60 times as much, which a BN over few values
passes on up to a hundredfold: 2e-12 of the largest value. Another resize changes a tenth of it.
"""

import numpy as np
import pytest
import torch
from public_networks import (
    CoinCheung,
    FaceParsing,
    MMSeg,
    SeAFusion,
    StdcDecoder,
    TorchSeg,
    aligned,
    drawn,
    drawn_wide,
)

import armlab.torch as twins
from armlab import hand, weights
from armlab.hand.bisenet_output import run_heads

CLASSES, W = 5, 4
RELATIVE = 2e-12
FAMILIES = {  # (how it is built, its key map, a size that it allows)
    "coincheung": (lambda: CoinCheung(W, CLASSES), "coincheung", (64, 96)),
    "coincheung of 2020": (lambda: CoinCheung(W, CLASSES, 4), "coincheung", (75, 101)),
    "seafusion": (lambda: SeAFusion(W, CLASSES), "seafusion", (75, 101)),
    "face-parsing": (lambda: FaceParsing(W, CLASSES), "face-parsing", (75, 101)),
    "torchseg": (lambda: TorchSeg(W, CLASSES), "torchseg", (80, 112)),
    "mmseg": (lambda: MMSeg(W, CLASSES), "mmseg", (75, 101)),
}
# What aligned corners change in the first output: |y - y'| / |y|, and the share of classes.
SWITCHED = {
    "coincheung of 2020": (0.145, 0.047),
    "seafusion": (0.423, 0.167),
    "face-parsing": (0.112, 0.017),
    "torchseg": (0.267, 0.058),
    "pytorchcv": (0.181, 0.025),
}


def theirs_of_pytorchcv(size=(64, 96)):
    bisenet = pytest.importorskip(
        "pytorchcv.models.bisenet", reason="install it with  pip install --no-deps pytorchcv"
    )
    return bisenet.bisenet_resnet18_celebamaskhq(num_classes=CLASSES, in_size=size)


def family(name, draw=drawn):
    """Theirs, its key map, and the size of an image that it allows."""
    if name == "pytorchcv":
        return draw(theirs_of_pytorchcv()), name, (64, 96)
    build, repository, size = FAMILIES[name]
    return draw(build()), repository, size


def state_of(module):
    return weights.from_torch(module.state_dict())


def images(size, batch=3):
    return np.random.default_rng(1).standard_normal((batch, 3, *size))


def close(ours, theirs, what):
    theirs = theirs.detach().numpy()
    error = np.abs(ours - theirs).max() / max(np.abs(theirs).max(), 1e-3)
    assert error <= RELATIVE, f"{what} is off by {error:.1e} of its largest value"


@pytest.mark.parametrize("name", [*FAMILIES, "pytorchcv"])
def test_a_family_computes_what_it_computed(name):
    theirs, repository, size = family(name)
    net = weights.network(repository, state_of(theirs), dtype="float64")
    x = images(size)
    y, _ = net(x)
    close(y, theirs.eval()(torch.tensor(x))[0], "y")


@pytest.mark.parametrize("name", [*FAMILIES, "pytorchcv"])
def test_a_family_trains_as_it_trained(name):
    theirs, repository, size = family(name)
    net = weights.network(repository, state_of(theirs), dtype="float64").train()
    x = images(size)
    t = torch.tensor(x, requires_grad=True)
    ys, backward = net(x)
    ts = theirs.train()(t)
    rng = np.random.default_rng(2)
    dys = tuple(rng.standard_normal(y.shape) for y in ys)
    dx, grads = backward(dys)
    names, parameters = zip(*theirs.named_parameters(), strict=True)
    found = torch.autograd.grad(ts, [t, *parameters], [torch.tensor(dy) for dy in dys])
    for i, (y, ty) in enumerate(zip(ys, ts, strict=True)):
        close(y, ty, f"output {i}")
    close(dx, found[0], "dx")
    expected = dict(zip(names, found[1:], strict=True))
    renamed = weights.rename(expected, repository)
    assert set(renamed) == set(grads)
    for key, g in renamed.items():
        close(grads[key], g, f"gradient of {key}")
    for key, a in weights.rename(theirs.state_dict(), repository).items():
        close(net.state_dict()[key], a, key)


def without(options):
    """The same network with the other kind of bilinear resize."""
    return options | {"align_corners": not options["align_corners"]}


@pytest.mark.parametrize("name", SWITCHED)
def test_the_switch_is_no_matter_of_taste(name):
    """Keys fit either way. The numbers are those of key_maps.py."""
    theirs, repository, size = family(name, drawn_wide)
    state = weights.rename(state_of(theirs), repository)
    network, options = weights.architecture(repository, state)
    x = images(size, batch=2)
    right, wrong = (
        getattr(hand, network)(**chosen, dtype="float64").load_state_dict(state).eval()(x)[0]
        for chosen in (options, without(options))
    )
    apart = np.linalg.norm(right - wrong) / np.linalg.norm(right)
    moved = (right.argmax(axis=1) != wrong.argmax(axis=1)).mean()
    assert apart > 0.1
    np.testing.assert_allclose((apart, moved), SWITCHED[name], atol=0.001)


def test_parts_of_stdc_compute_what_they_computed():
    """All but its backbone: from three maps to logits, with aligned corners behind the heads."""
    theirs = drawn(StdcDecoder(W, CLASSES))
    state, made = state_of(theirs), {"dtype": "float64"}

    def part(module, name):
        return module.load_state_dict(weights.rename(state, "stdc", part=name)).eval()

    arm16 = part(hand.AttentionRefinementModule(8 * W, 2 * W, "relu", **made), "cp.arm16")
    arm32 = part(hand.AttentionRefinementModule(16 * W, 2 * W, "relu", **made), "cp.arm32")
    head32 = part(hand.ConvBNAct(2 * W, 2 * W, **made), "cp.conv_head32")
    head16 = part(hand.ConvBNAct(2 * W, 2 * W, **made), "cp.conv_head16")
    average = part(hand.ConvBNAct(16 * W, 2 * W, 1, padding=0, **made), "cp.conv_avg")
    ffm = part(hand.FeatureFusionModule(6 * W, 4 * W, 4, **made), "ffm")
    sizes = {"conv_out": (4 * W, 4 * W), "conv_out16": (2 * W, W), "conv_out32": (2 * W, W)}
    heads = {
        name: part(hand.BiSeNetOutput(*channels, CLASSES, bias=False, **made), name)
        for name, channels in sizes.items()
    }
    rng, size = np.random.default_rng(1), (75, 101)
    f8, f16, f32 = (
        rng.standard_normal((2, c, -(-size[0] // s), -(-size[1] // s)))
        for c, s in ((4 * W, 8), (8 * W, 16), (16 * W, 32))
    )
    g, _ = average(hand.global_avg_pool(f32)[0])
    up, _ = hand.resize_nearest(arm32(f32)[0] + g, size=f16.shape[2:])
    y16, _ = head32(up)
    up, _ = hand.resize_nearest(arm16(f16)[0] + y16, size=f8.shape[2:])
    y8, _ = head16(up)
    f, ffm_back = ffm(f8, y8)
    features = {"conv_out": f, "conv_out16": y8, "conv_out32": y16}
    ys, heads_back = run_heads(heads, features, size, align_corners=True)

    maps = [torch.tensor(a, requires_grad=True) for a in (f8, f16, f32)]
    expected = theirs.eval()(*maps, size)
    for y, want in zip(ys, expected, strict=True):
        close(y, want, "logits")
    dys = tuple(rng.standard_normal(y.shape) for y in ys)
    df, d_heads = heads_back(dys)
    df8, _, d_ffm = ffm_back(df["conv_out"])
    names, parameters = zip(*theirs.named_parameters(), strict=True)
    tdf8, *found = torch.autograd.grad(
        expected, [maps[0], *parameters], [torch.tensor(dy) for dy in dys]
    )
    want = dict(zip(names, found, strict=True))
    close(df8, tdf8, "df8")
    for key, d in (d_heads | {f"ffm.{key}": d for key, d in d_ffm.items()}).items():
        close(d, want[key], key)


# -- what to build ----------------------------------------------------------------------------


ASKED = {
    "coincheung": "BiSeNet(classes=5, width=4, reduction=None, mid_channels=(16, 4), bias=True, "
    "align_corners=False)",
    "coincheung of 2020": "BiSeNet(classes=5, width=4, reduction=4, mid_channels=(16, 4), "
    "bias=False, align_corners=True)",
    "seafusion": "ThreeScaleBiSeNet(classes=5, width=4, align_corners=True)",
    "face-parsing": "SinglePathBiSeNet(classes=5, width=4, align_corners=True, reduction=4, "
    "mid_channels=(16, 4), bias=False)",
    "torchseg": "BiSeNet(classes=5, width=4, mode='bilinear', align_corners=True, reduction=1, "
    "mid_channels=(3, 5), bias=True)",
    "mmseg": "RectifiedBiSeNet(classes=5, width=4, mid_channels=(3, 5))",
}


@pytest.mark.parametrize("name", ASKED)
def test_an_architecture_is_said_and_builds_both_sides(name):
    theirs, repository, _ = family(name)
    state = weights.rename(state_of(theirs), repository)
    asked = weights.architecture(repository, state)
    assert str(asked) == ASKED[name]
    twin = getattr(twins, asked.network)(**asked.options)
    twin.load_state_dict(weights.to_torch(state), strict=True)
    back = weights.rename(weights.network(repository, state_of(theirs)).state_dict(), to=repository)
    theirs.load_state_dict(weights.to_torch(back), strict=True)  # and out again


def test_a_file_without_auxiliary_heads_is_enough():
    theirs = drawn(CoinCheung(W, CLASSES))
    whole = state_of(theirs)
    state = {key: a for key, a in whole.items() if not key.startswith(("conv_out16", "conv_out32"))}
    x = images((64, 96))
    y, _ = weights.network("coincheung", state, dtype="float64")(x)
    close(y, theirs.eval()(torch.tensor(x))[0], "y")
    missing = {key: a for key, a in whole.items() if key != "conv_out16.conv_out.bias"}
    with pytest.raises(ValueError, match=r"missing conv_out16\.conv_out\.bias"):
        weights.network("coincheung", missing)


def test_what_no_network_computes_is_refused_by_its_cause():
    theirs = CoinCheung(W, CLASSES, 4)
    state = state_of(drawn(theirs))
    uncounted = {k: a * 0 if k.endswith("batches_tracked") else a for k, a in state.items()}
    rng = np.random.default_rng(0)
    shuffled = dict(state)
    for head, times in (("conv_out", 64), ("conv_out16", 64), ("conv_out32", 256)):
        mid = state[f"{head}.conv_out.weight"].shape[1]
        shuffled[f"{head}.conv_out.weight"] = rng.random((times * CLASSES, mid, 1, 1))
        shuffled[f"{head}.conv_out.bias"] = rng.random(times * CLASSES)
    alone = {k: a for k, a in shuffled.items() if not k.startswith(("conv_out16", "conv_out32"))}
    parts = {k: a for k, a in state.items() if not k.startswith("conv_out.")}
    for repository, wrong, words in (
        ("coincheung", uncounted, "InPlaceABN"),
        ("coincheung", shuffled, "320 logits for a pixel, 64 for each of 5 classes"),
        ("coincheung", alone, "320 logits for a pixel, 64 for each of 5 classes"),
        ("coincheung", parts, "got none for conv_out.conv_out.weight"),
        ("stdc", state, "no network of ours computes what stdc's does"),
        ("paddleseg", state, "the known ones are armlab, coincheung"),
        ("armlab", state, "armlab"),
    ):
        with pytest.raises(ValueError, match=words) as caught:
            weights.network(repository, wrong)
        assert "\n" not in str(caught.value)


def test_the_transcriptions_resize_as_their_names_say():
    """By hand, for what all of this rests on: three pixels become five."""
    x = torch.tensor([0.0, 4.0, 8.0]).reshape(1, 1, 1, 3)
    assert aligned(x, (1, 5)).ravel().tolist() == [0, 2, 4, 6, 8]
    y, _ = hand.resize_bilinear(x.numpy(), size=(1, 5), align_corners=True)
    assert y.ravel().tolist() == [0, 2, 4, 6, 8]
