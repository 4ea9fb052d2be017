"""`armlab convert RUN net.onnx`: ONNX Runtime computes what the modules by hand compute."""

import json
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from armlab import cli, hand, weights
from armlab.training import loop
from armlab.training.config import Config
from armlab.training.trained import Trained
from armlab.weights import onnx_file

onnx = pytest.importorskip("onnx", reason="install it with  pip install 'armlab[onnx]'")
pytest.importorskip("onnxscript", reason="install it with  pip install 'armlab[onnx]'")
runtime = pytest.importorskip("onnxruntime", reason="install it with  pip install 'armlab[onnx]'")

SHAPES = [(1, 64, 96), (2, 64, 96), (3, 37, 53), (1, 1, 1), (1, 33, 31), (2, 5, 200), (1, 100, 82)]
SMALL = {"steps": 2, "batch": 2, "size": 48, "channels": 4}


pytestmark = pytest.mark.usefixtures("small_and_without_pictures")


def session(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    return runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


def drawn(net):
    """Random values everywhere, of a size that keeps them alive from layer to layer."""
    rng = np.random.default_rng(0)
    state = {}
    for key, a in net.state_dict().items():
        b = a if a.ndim > 1 or a.dtype.kind == "i" else rng.uniform(0.5, 1.5, a.shape)
        state[key] = np.asarray(b, a.dtype)
    return net.load_state_dict(state).eval()


def expect_same_logits(session, net, shapes=SHAPES, layers=22):
    """Both in float32 against the specification in float64.

    The bound: 17 convolutions of ResNet-18 and 5 behind them lie in a row. A sum of n = 9 · 64
    products with roundings of both signs is off by (4 sqrt(n) + 4) u = 100 u of what it adds up,
    u = 2^-24, and normalisation keeps the maps of one size: 22 · 100 u = 1.3e-4 of the largest
    logit. Another resize, slope or padding is off by 1e-2 and more.
    """
    exact = net.copy()
    for key, a in net.state_dict().items():
        if a.dtype.kind == "f":
            prefix, _, name = key.rpartition(".")
            setattr(dict(exact.named_modules())[prefix], name, a.astype("f8"))
    for batch, height, width in shapes:
        x = np.random.default_rng(1).standard_normal((batch, 3, height, width), dtype="f4")
        (y,) = session.run(None, {"image": x})
        want = exact(x.astype("f8"))[0]
        assert y.dtype == np.float32
        assert y.shape == want.shape == (batch, want.shape[1], height, width)
        error = np.abs(y - want).max() / np.abs(want).max()
        assert error <= layers * 100 * 2**-24, (batch, height, width, error)


@pytest.mark.parametrize(
    ("model", "attention", "backend"),
    [("toy", "sar", "torch"), ("toy-bisenet", "arm", "numpy")],
)
def test_a_run_of_any_size_and_batch(capsys, model, attention, backend):
    settings = SMALL | {"model": model, "attention": attention, "backend": backend}
    loop.train(Config(**settings), "run")
    assert cli.main(["convert", "run", "net.onnx"]) == 0
    assert capsys.readouterr().out == "run -> net.onnx: 3 classes, any size and batch\n"
    trained = Trained.load(Path("run"))
    found = session("net.onnx")
    expect_same_logits(found, trained.net.eval())
    given = found.get_modelmeta().custom_metadata_map
    assert json.loads(given["classes"]) == ["background", "A", "B"]
    image = np.random.default_rng(2).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    mean, std = (np.array(json.loads(given[key])) for key in ("mean", "std"))
    x = ((image / 255 - mean) / std).transpose(2, 0, 1)
    np.testing.assert_allclose(trained.prepare(image), x, rtol=1e-5, atol=1e-6)
    assert [p.name for p in Path().iterdir() if "onnx" in p.name] == ["net.onnx"]


@pytest.mark.parametrize(
    ("repository", "net"),
    [
        ("torchseg", hand.BiSeNet(5, 1, (6, 7), 4, mode="bilinear", align_corners=True, rng=0)),
        ("seafusion", hand.ThreeScaleBiSeNet(5, 4, align_corners=True, rng=0)),
        (
            "face-parsing",
            hand.SinglePathBiSeNet(5, 4, width=4, align_corners=True, bias=False, rng=0),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_published_network(repository, net):
    state = weights.rename(drawn(net).state_dict(), to=repository)
    auxiliary = ("conv_out16.", "conv_out32.", "heads.0.", "heads.1.")
    state = {key: a for key, a in state.items() if not key.startswith(auxiliary)}
    torch.save(weights.to_torch(state), "public.pth")
    assert cli.main(["convert", "public.pth", "net.onnx", "--from", repository]) == 0
    expect_same_logits(session("net.onnx"), net, SHAPES[2:5])


def test_a_place_that_cannot_be_written_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr(onnx_file, "_exported", lambda twin: MagicMock())
    weights.save("a.npz", drawn(hand.BiSeNet(5, width=4, rng=0)).state_dict())
    assert cli.main(["convert", "a.npz", "nowhere/net.onnx", "--from", "coincheung"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("armlab: cannot write nowhere/net.onnx: No such file")


def test_weights_alone_do_not_say_what_the_network_is_fed(capsys):
    weights.save("a.npz", hand.BiSeNet(5, width=4, rng=0).state_dict())
    assert cli.main(["convert", "a.npz", "net.onnx"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "a.npz is no folder of a run" in line
    assert "--from, one of coincheung, " in line


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--part", "cp"], "leave out --part"),
        (["--module", "CBAM"], "leave out --module"),
        (["--to", "torchseg"], "leave out --to"),
    ],
)
def test_options_for_keys_are_wrong_usage(capsys, option, words):
    with pytest.raises(SystemExit) as caught:
        cli.main(["convert", "run", "net.ONNX", *option])
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("module", ["onnx", "onnxscript", "torch"])
def test_a_missing_package_is_one_line_before_any_work(module):
    code = f"import sys; sys.modules[{module!r}] = None; from armlab.cli import main; "
    code += "sys.exit(main(['convert', 'run', 'net.onnx']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"needs {module}, not installed here" in line
    assert "pip install 'armlab[torch,onnx]'" in line
