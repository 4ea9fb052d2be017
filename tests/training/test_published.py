"""`armlab predict WEIGHTS --from …`: a public network's file becomes a picture, as by its own code.

The networks are transcribed here in PyTorch, from the equations of the repositories, with their own
input; nothing is shared with the project but the keys.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from armlab import cli, hand, weights
from armlab.places import place
from armlab.training import loop
from armlab.training.config import Config
from armlab.training.trained import Trained
from armlab.weights.networks import SAID
from armlab.weights.publishers import CITYSCAPES, FACES, MSRS, PUBLISHERS

# -- the networks, as CoinCheung/BiSeNet and zllrunning/face-parsing.PyTorch have them -------------


class Conv(nn.Module):
    def __init__(self, i, o, k=3, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, stride, k // 2, bias=False)
        self.bn = nn.BatchNorm2d(o)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Refinement(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv, self.conv_atten = Conv(i, o), nn.Conv2d(o, o, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(o)

    def forward(self, x):
        f = self.conv(x)
        return f * torch.sigmoid(self.bn_atten(self.conv_atten(f.mean((2, 3), keepdim=True))))


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.downsample = None
        if i != o or stride != 1:
            down = nn.Conv2d(i, o, 1, stride, bias=False)
            self.downsample = nn.Sequential(down, nn.BatchNorm2d(o))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Trunk(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, w, 7, 2, 3, bias=False), nn.BatchNorm2d(w)
        for n, (i, o) in enumerate(((w, w), (w, 2 * w), (2 * w, 4 * w), (4 * w, 8 * w)), 1):
            pair = nn.Sequential(Block(i, o, 1 if n == 1 else 2), Block(o, o, 1))
            self.add_module(f"layer{n}", pair)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        f8 = self.layer2(self.layer1(x))
        f16 = self.layer3(f8)
        return f8, f16, self.layer4(f16)


class Context(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.resnet = Trunk(w)
        self.arm16, self.arm32 = Refinement(4 * w, 2 * w), Refinement(8 * w, 2 * w)
        self.conv_head32, self.conv_head16 = Conv(2 * w, 2 * w), Conv(2 * w, 2 * w)
        self.conv_avg = Conv(8 * w, 2 * w, 1)

    def forward(self, x):
        f8, f16, f32 = self.resnet(x)
        y = self.arm32(f32) + self.conv_avg(f32.mean((2, 3), keepdim=True))
        y16 = self.conv_head32(F.interpolate(y, f16.shape[2:], mode="nearest"))
        y = self.arm16(f16) + y16
        return f8, self.conv_head16(F.interpolate(y, f8.shape[2:], mode="nearest")), y16


class Spatial(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = Conv(3, w, 7, 2), Conv(w, w, 3, 2), Conv(w, w, 3, 2)
        self.conv_out = Conv(w, 2 * w, 1)

    def forward(self, x):
        return self.conv_out(self.conv3(self.conv2(self.conv1(x))))


class OneLayer(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.convblk, self.conv = Conv(4 * w, 4 * w, 1), nn.Conv2d(4 * w, 4 * w, 1, bias=False)
        self.bn = nn.BatchNorm2d(4 * w)

    def forward(self, s, y):
        f = self.convblk(torch.cat([s, y], 1))
        return f + f * torch.sigmoid(self.bn(self.conv(f.mean((2, 3), keepdim=True))))


class TwoLayers(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.convblk, self.conv1 = Conv(4 * w, 4 * w, 1), nn.Conv2d(4 * w, w, 1, bias=False)
        self.conv2 = nn.Conv2d(w, 4 * w, 1, bias=False)

    def forward(self, s, y):
        f = self.convblk(torch.cat([s, y], 1))
        z = F.relu(self.conv1(f.mean((2, 3), keepdim=True)))
        return f + f * torch.sigmoid(self.conv2(z))


class Head(nn.Module):
    def __init__(self, i, m, classes, bias):
        super().__init__()
        self.conv, self.conv_out = Conv(i, m), nn.Conv2d(m, classes, 1, bias=bias)

    def forward(self, x):
        return self.conv_out(self.conv(x))


class CoinCheung(nn.Module):
    """lib/models/bisenetv1.py, since 2021."""

    aligned, bias, spatial, fusion = False, True, True, OneLayer

    def __init__(self, classes, w, auxiliary=True):
        super().__init__()
        self.cp = Context(w)
        if self.spatial:
            self.sp = Spatial(w)
        self.ffm = self.fusion(w)
        self.conv_out = Head(4 * w, 4 * w, classes, self.bias)
        if auxiliary:
            self.conv_out16 = Head(2 * w, w, classes, self.bias)
            self.conv_out32 = Head(2 * w, w, classes, self.bias)

    def forward(self, x):
        f8, y8, _ = self.cp(x)
        y = self.conv_out(self.ffm(self.sp(x) if self.spatial else f8, y8))
        return F.interpolate(y, x.shape[2:], mode="bilinear", align_corners=self.aligned)


class FaceParsing(CoinCheung):
    """model.py: what the trunk has at 1/8 stands in the place of a spatial path."""

    aligned, bias, spatial, fusion = True, False, False, TwoLayers


IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CITY = (0.3257, 0.3690, 0.3223), (0.2112, 0.2148, 0.2115)
KINDS = {"coincheung": (CoinCheung, CITY), "face-parsing": (FaceParsing, IMAGENET)}


def drawn(kind, classes, w=8, seed=0, **options):
    """In evaluation mode, random everywhere, alive to its last layer, and no two layers alike."""
    torch.manual_seed(seed)
    net = kind(classes, w, **options).eval()
    for key, t in net.state_dict().items():
        if t.is_floating_point() and t.ndim == 1:
            t.copy_(torch.rand_like(t) + (0.5 if key.endswith(("weight", "var")) else -0.5))
    return net


def balanced(net, image, mean, std):
    """The same, so that it tells pixels of this photograph apart: no class is the best everywhere.

    Statistics become those of the photograph, and the mean of the last features says nothing.
    """
    half = image.shape[1] // 2
    halves = [prepared(part, mean, std) for part in (image[:, :half], image[:, half : 2 * half])]
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        net.train()(torch.stack(halves))
        seen = []
        hook = net.conv_out.conv.register_forward_hook(lambda m, x, y: seen.append(y))
        net.eval()(torch.stack(halves))
        hook.remove()
        m = seen[0].mean((0, 2, 3))
        w = net.conv_out.conv_out.weight
        w -= (w[:, :, 0, 0] @ m / (m @ m))[:, None, None, None] * m[None, :, None, None]
    return net


def prepared(image, mean, std):
    x = torch.from_numpy(image.copy()).permute(2, 0, 1).float().div(255)
    mean, std = (torch.tensor(v)[:, None, None] for v in (mean, std))
    return (x - mean) / std


def said_by(net, image, mean, std):
    """Logits (K, H, W) of an image (H, W, 3) uint8."""
    with torch.no_grad():
        return net(prepared(image, mean, std)[None])[0].numpy()


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def photograph():
    from sklearn.datasets import load_sample_image

    return load_sample_image("china.jpg")


def expect_mask(path, logits):
    """The argmax, wherever float32 can tell: where the best is ahead by 1e-4 of the largest."""
    with Image.open(path) as picture:
        mask = np.asarray(picture)
    ordered = np.sort(logits, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-4 * np.abs(logits).max()
    assert clear.mean() > 0.99
    assert len(np.unique(mask)) > 9
    np.testing.assert_array_equal(mask[clear], logits.argmax(axis=0)[clear])


@pytest.mark.parametrize("auxiliary", [True, False], ids=["all heads", "no auxiliary heads"])
@pytest.mark.parametrize("repository", KINDS)
def test_the_mask_of_a_photograph_is_what_their_own_code_says(
    repository, auxiliary, photograph, capsys
):
    kind, (mean, std) = KINDS[repository]
    net = balanced(drawn(kind, 19, auxiliary=auxiliary), photograph, mean, std)
    torch.save({"state_dict": net.state_dict()}, "public.pth")
    Image.fromarray(photograph).save("china.png")
    assert cli.main(["predict", "public.pth", "china.png", "--from", repository, "--json"]) == 0
    (image,) = json.loads(capsys.readouterr().out)["images"]
    assert image["files"] == [f"predictions/china-{p}.png" for p in ("mask", "overlay", "gates")]
    expect_mask("predictions/china-mask.png", said_by(net, photograph, mean, std))
    names = CITYSCAPES.names if repository == "coincheung" else FACES.names
    assert tuple(image["shares"]) == names


OTHERS = {
    "torchseg": hand.BiSeNet(19, 1, (5, 7), 4, mode="bilinear", align_corners=True, rng=0),
    "seafusion": hand.ThreeScaleBiSeNet(9, 4, align_corners=True, rng=0),
    "mmseg": hand.RectifiedBiSeNet(19, (5, 7), 4, rng=0),
}


@pytest.mark.parametrize("repository", OTHERS)
def test_the_others_are_fed_as_they_were_trained(repository, photograph):
    """That these networks compute what theirs do is held elsewhere."""
    net = OTHERS[repository]
    torch.save(weights.to_torch(weights.rename(net.state_dict(), to=repository)), "public.pth")
    image = photograph[:60, :90]
    x = image.transpose(2, 0, 1) / np.float32(255)
    if repository != "seafusion":
        x = (x - np.float32(IMAGENET[0])[:, None, None]) / np.float32(IMAGENET[1])[:, None, None]
    found = Trained.published(Path("public.pth"), repository)
    logits = found.logits(found.prepare(image)[None])
    np.testing.assert_array_equal(logits, net.copy().eval()(x[None])[0])
    assert len(found.classes) == logits.shape[1]
    assert found.classes[1] == ("car" if repository == "seafusion" else "sidewalk")


def test_a_converted_file_says_the_same(photograph, capsys):
    net = drawn(CoinCheung, 19)
    torch.save(net.state_dict(), "public.pth")
    Image.fromarray(photograph[:60, :90]).save("x.png")
    assert cli.main(["convert", "public.pth", "ours.safetensors", "--from", "coincheung"]) == 0
    for name in ("public.pth", "ours.safetensors"):
        assert cli.main(["predict", name, "x.png", "--from", "coincheung", "--out", name[:4]]) == 0
    assert Path("publ/x-mask.png").read_bytes() == Path("ours/x-mask.png").read_bytes()


def test_other_classes_have_numbers_for_names(photograph, capsys):
    torch.save(drawn(CoinCheung, 7).state_dict(), "public.pth")
    found = Trained.published(Path("public.pth"), "coincheung")
    assert found.classes == tuple(f"class {k}" for k in range(7))
    assert found.labels.colours.shape == (7, 3)


def test_in_an_overlay_of_a_street_every_class_has_its_colour(photograph):
    """Class 0 is road there, and no background."""
    net = drawn(CoinCheung, 19)
    torch.save(net.state_dict(), "public.pth")
    Image.fromarray(photograph[:60, :90]).save("x.png")
    assert cli.main(["predict", "public.pth", "x.png", "--from", "coincheung"]) == 0
    with Image.open("predictions/x-mask.png") as mask, Image.open("predictions/x-overlay.png") as o:
        colours, mixed = np.asarray(mask.convert("RGB")), np.asarray(o)
    expected = 0.4 * photograph[:60, :90] + 0.6 * colours
    assert np.abs(mixed - expected).max() <= 0.5 + 1e-9


# -- facts -----------------------------------------------------------------------------------------


def test_names_and_colours():
    """Some by hand, from the files that `publishers` names."""
    known = [
        (CITYSCAPES, 0, "road", (128, 64, 128)),
        (CITYSCAPES, 6, "traffic light", (250, 170, 30)),
        (CITYSCAPES, 10, "sky", (70, 130, 180)),
        (CITYSCAPES, 18, "bicycle", (119, 11, 32)),
        (FACES, 1, "skin", (0, 85, 255)),  # (255, 85, 0) there, in the order of cv2
        (FACES, 17, "hair", (170, 255, 255)),
        (MSRS, 2, "person", (64, 64, 0)),
        (MSRS, 8, "bump", (192, 64, 0)),
    ]
    for labels, number, name, colour in known:
        assert labels.names.index(name) == number
        np.testing.assert_array_equal(labels.colours[number] * 255, colour)
    assert [len(labels.names) for labels in (CITYSCAPES, FACES, MSRS)] == [19, 19, 9]
    for labels in (CITYSCAPES, FACES, MSRS):
        assert labels.colours.shape == (len(labels.names), 3)
        assert len(set(labels.names)) == len(labels.names)


def test_an_image_becomes_what_the_networks_are_fed():
    image = np.array([[[255, 0, 51]]], np.uint8)  # 1, 0 and 0.2
    fed = {name: publisher.input(image)[:, 0, 0] for name, publisher in PUBLISHERS.items()}
    assert all(x.dtype == np.float32 for x in fed.values())
    np.testing.assert_allclose(fed["seafusion"], [1, 0, 0.2], rtol=1e-6)
    imagenet = [0.515 / 0.229, -0.456 / 0.224, -0.206 / 0.225]
    np.testing.assert_allclose(fed["torchseg"], imagenet, rtol=1e-6)
    scaled = [(255 - 123.675) / 58.395, -116.28 / 57.12, (51 - 103.53) / 57.375]
    np.testing.assert_allclose(fed["mmseg"], scaled, rtol=1e-6)
    np.testing.assert_allclose(fed["face-parsing"], imagenet, rtol=1e-6)
    city = [0.6743 / 0.2112, -0.3690 / 0.2148, -0.1223 / 0.2115]
    np.testing.assert_allclose(fed["coincheung"], city, rtol=1e-6)


def test_what_is_known_to_be_fed_can_be_built():
    assert set(PUBLISHERS) <= set(SAID)


# -- on CuPy ---------------------------------------------------------------------------------------


@pytest.mark.cupy
def test_on_cupy_the_mask_is_the_same(photograph, cupy_device):
    net = drawn(CoinCheung, 19, w=2)
    torch.save(net.state_dict(), "public.pth")
    image = photograph[100:140, 200:260]
    found = Trained.published(Path("public.pth"), "coincheung", cupy_device)
    assert next(iter(found.net.parameters().values())).device == place(cupy_device).device
    logits = found.logits(found.prepare(image)[None])[0]
    want = said_by(net, image, *CITY)
    np.testing.assert_allclose(logits, want, atol=1e-4 * np.abs(want).max())


# -- refusals --------------------------------------------------------------------------------------


def refused(capsys, *arguments):
    assert cli.main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("armlab: ")
    return line


@pytest.mark.parametrize(
    ("change", "source", "words"),
    [
        ({}, None, "public.pth is no folder of a run"),
        ({}, "nobody", "what a network of 'nobody' is fed"),
        ({}, "pytorchcv", "what a network of 'pytorchcv' is fed"),
        ({}, "face-parsing", "public.pth: the key map face-parsing has no place for 24 of"),
        ({}, "torchseg", "public.pth: the key map torchseg has no place for 6 of"),
        ({"cp.conv_avg.conv.weight": None}, "coincheung", "missing cp.conv_avg.conv.weight"),
        ({"conv_out.conv_out.weight": None}, "coincheung", "public.pth: expected the weights of a"),
        ({"criterion": torch.ones(2)}, "coincheung", "no place for 1 of"),
        ({"sp.conv1.bn.bias": torch.full((8,), torch.nan)}, "coincheung", "is not finite"),
        ({"sp.conv1.bn.bias": torch.ones(9)}, "coincheung", "sp.conv1.bn.bias is (9,), not (8,)"),
    ],
)
def test_what_does_not_fit_is_one_line(capsys, change, source, words):
    state = dict(drawn(CoinCheung, 19).state_dict()) | change
    torch.save({k: t for k, t in state.items() if t is not None}, "public.pth")
    Image.new("RGB", (9, 7)).save("x.png")
    given = ["--from", source] if source else []
    assert words in refused(capsys, "predict", "public.pth", "x.png", *given)
    assert not Path("predictions").exists()


def test_files_that_are_not_there(capsys):
    Image.new("RGB", (9, 7)).save("x.png")
    line = refused(capsys, "predict", "nowhere.pth", "x.png", "--from", "coincheung")
    assert "cannot read nowhere.pth: No such file" in line


def test_a_run_says_itself_whose_it_is(capsys):
    Path("run").mkdir()
    with pytest.raises(SystemExit) as caught:
        cli.main(["predict", "run", "x.png", "--from", "coincheung"])
    assert caught.value.code == 2
    assert "a run says itself" in capsys.readouterr().err


# -- and out again ---------------------------------------------------------------------------------


def test_a_run_loads_strictly_into_their_network_and_says_the_same(photograph, capsys):
    """Trained here, evaluated there: as CoinCheung's own code loads it."""
    settings = {"steps": 2, "batch": 2, "size": 48, "model": "toy-bisenet", "channels": 8}
    loop.train(Config(**settings), "run")
    assert cli.main(["convert", "run", "theirs.pth", "--to", "coincheung"]) == 0
    found = torch.load("theirs.pth", weights_only=True)
    net = CoinCheung(3, 8).eval()
    net.conv_out = Head(32, 32, 3, True)
    net.load_state_dict(found, strict=True)
    Image.fromarray(photograph[:64, :96]).save("x.png")
    trained = Trained.load(Path("run"))
    ours = trained.logits(trained.prepare(photograph[:64, :96])[None])[0]
    theirs = said_by(net.eval(), photograph[:64, :96], (0.37,) * 3, (0.28,) * 3)
    np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())


@pytest.mark.parametrize("repository", KINDS)
def test_weights_go_there_and_load_strictly(repository):
    net = drawn(KINDS[repository][0], 5)
    found = weights.network(repository, weights.from_torch(net.state_dict()))
    back = weights.rename(found.state_dict(), to=repository)
    other = drawn(KINDS[repository][0], 5, seed=1)
    other.load_state_dict(weights.to_torch(back), strict=True)
    for key, t in net.state_dict().items():
        assert torch.equal(other.state_dict()[key], t), key
