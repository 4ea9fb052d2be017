"""Files of weights and `armlab convert`: bit for bit, never half-written, and no code is run."""

import contextlib
import errno
import os
import pickle
import pickletools
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

import armlab.torch as twins
from armlab import cli, hand, weights
from armlab.weights import formats

SUFFIXES = [".npz", ".safetensors", ".pth", ".pt"]
RNG = np.random.default_rng(0)
STATE = {
    "cp.arm32.conv.conv.weight": RNG.normal(size=(4, 3, 3, 3)).astype("f4"),
    "double/with a slash": RNG.normal(size=(2, 5)),
    "half": RNG.normal(size=7).astype("f2"),
    "cp.arm32.conv.bn.num_batches_tracked": np.array(7),
    "mask": np.array([True, False]),
    "special": np.array([np.nan, np.inf, -0.0], "f4"),
    "empty": np.zeros((0, 4), "f4"),
}


def same_states(a, b):
    assert sorted(a) == sorted(b)
    for key in a:
        assert a[key].dtype == b[key].dtype
        assert a[key].shape == b[key].shape
        assert a[key].tobytes() == b[key].tobytes()


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"weights{request.param}"


def refused(path, *words, error=ValueError):
    with pytest.raises(error) as caught:
        weights.load(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    for word in words:
        assert word in sentence, sentence
    return sentence


# -- whole files -------------------------------------------------------------------------------


def test_a_state_comes_back_bit_for_bit(path):
    weights.save(path, STATE)
    found = weights.load(str(path))
    same_states(found, STATE)
    assert all(a.flags.writeable for a in found.values())
    assert os.listdir(path.parent) == [path.name]  # nothing left over


def test_any_layout_in_memory_is_written_right(path):
    views = {
        "fortran": np.asfortranarray(RNG.normal(size=(3, 4))),
        "reversed": RNG.normal(size=5)[::-1],
        "step": RNG.normal(size=(4, 6))[::2, 1::3],
        "transposed": RNG.normal(size=(2, 3, 4)).T,
        "broadcast": np.broadcast_to(np.float32(2.5), (3, 2)),
        "big_endian": np.arange(3.0).astype(">f8"),
        "tensor": torch.arange(6.0).reshape(2, 3).T,
    }
    weights.save(path, views)
    for key, a in weights.load(path).items():
        np.testing.assert_array_equal(a, views[key], err_msg=key)


def test_others_can_read_what_is_written(tmp_path):
    for name in ("a.npz", "a.safetensors", "a.pth"):
        weights.save(tmp_path / name, STATE)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        same_states(dict(file), STATE)
    tensors = [safetensors.torch.load_file(tmp_path / "a.safetensors")]
    tensors.append(torch.load(tmp_path / "a.pth", weights_only=True))
    for found in tensors:
        same_states({key: t.numpy() for key, t in found.items()}, STATE)


def test_what_others_write_is_read(tmp_path):
    twin = twins.AttentionRefinementModule(5, 3).double()
    state = twin.state_dict()
    expected = {key: t.numpy() for key, t in state.items()}
    np.savez_compressed(tmp_path / "a.npz", **{f"module.{k}": a for k, a in expected.items()})
    safetensors.torch.save_file(state, tmp_path / "a.safetensors", metadata={"by": "another"})
    torch.save({"model": state, "epoch": 3, "lr": [0.1]}, tmp_path / "a.pth")
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name in ("a.npz", "a.safetensors", "a.pth", "old.pt"):
        found = weights.load(tmp_path / name)
        same_states(found, expected)
        hand.AttentionRefinementModule(5, 3, dtype="float64").load_state_dict(found)


def test_bfloat16_is_read_as_float32(tmp_path):
    values = torch.tensor([1.0, -2.5, 3.140625, 1e-20, float("inf")]).to(torch.bfloat16)
    torch.save({"w": values}, tmp_path / "a.pth")
    safetensors.torch.save_file({"w": values}, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        found = weights.load(tmp_path / name)["w"]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, values.float().numpy())


def test_tensors_of_a_device_that_is_not_here_are_read(tmp_path):
    if torch.backends.mps.is_available():
        pytest.skip("this machine has that device")
    path = tmp_path / "a.pth"
    weights.save(path, STATE)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            if name.endswith("data.pkl"):
                assert b"cpu" in data
                data = data.replace(b"cpu", b"mps")
            archive.writestr(name, data)
    same_states(weights.load(path), STATE)


# -- bad files ---------------------------------------------------------------------------------


def test_truncations_are_never_silent(path):
    weights.save(path, STATE)
    data, rng = path.read_bytes(), random.Random(1)
    for length in [0, 1, 2, *rng.sample(range(3, len(data)), 60), len(data) - 1]:
        path.write_bytes(data[:length])
        refused(path)


def test_a_file_is_read_for_what_it_is_whatever_its_name(tmp_path):
    for suffix in SUFFIXES[:3]:
        weights.save(tmp_path / f"a{suffix}", STATE)
        for name in [f"foreign{other}" for other in SUFFIXES] + ["a.ckpt", "a.pth.tar", "a.PTH"]:
            (tmp_path / name).write_bytes((tmp_path / f"a{suffix}").read_bytes())
            same_states(weights.load(tmp_path / name), STATE)


def test_files_that_cannot_be_read_are_named(path):
    refused(path, "No such file", "check the path", error=OSError)
    path.mkdir()
    refused(path, "cannot read", error=OSError)


def test_an_unknown_suffix_is_answered_with_the_known_ones(tmp_path):
    for name in ("a.ckpt", "a", "a.npz.bak"):
        known = r"expected a file name ending in \.npz, \.safetensors, \.pth, \.pt, got .*/a"
        with pytest.raises(ValueError, match=known):
            weights.save(tmp_path / name, STATE)
    assert list(tmp_path.iterdir()) == []
    weights.save(tmp_path / "A.NPZ", STATE)
    same_states(weights.load(tmp_path / "A.NPZ"), STATE)


def test_what_holds_no_state_is_refused_by_name(tmp_path):
    path = tmp_path / "a.pth"
    for found in ([torch.ones(2)], {"epoch": 3}, {}, torch.ones(2)):
        torch.save(found, path)
        refused(path, "save module.state_dict() alone")


# -- code in files -----------------------------------------------------------------------------


class Trap:
    """Unpickled by pickle itself, it makes a file."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def written(kind, path, mark):
    harmless = {"weight": torch.ones(2)}
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(mark)))
    elif kind == "pickled tensors":
        path.write_bytes(pickle.dumps({"weight": np.ones(2), "x": Trap(mark)}, protocol=2))
    elif kind == "torch zip":
        torch.save(harmless | {"x": Trap(mark)}, path)
    elif kind == "torch legacy":
        torch.save({"x": Trap(mark)} | harmless, path, _use_new_zipfile_serialization=False)
    elif kind == "nested":
        torch.save({"state_dict": harmless, "hyper_parameters": Trap(mark)}, path)
    else:
        np.savez(path, weight=np.ones(2), x=np.array([Trap(mark)], dtype=object))


def spring(path):
    """What a reader that trusts the file does."""
    with contextlib.suppress(Exception):
        if path.suffix == ".npz":
            dict(np.load(path, allow_pickle=True))
        else:
            torch.load(path, weights_only=False)


KINDS = ["pickle", "pickled tensors", "torch zip", "torch legacy", "nested"]


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [*((kind, suffix) for kind in KINDS for suffix in (".pth", ".pt")), ("objects", ".npz")],
)
def test_code_in_a_file_is_refused_and_not_run(tmp_path, kind, suffix):
    path, mark = tmp_path / f"trap{suffix}", tmp_path / "sprung"
    written(kind, path, mark)
    sentence = refused(path)
    assert suffix == ".npz" or "nothing of it was run" in sentence
    assert not mark.exists()
    spring(path)
    assert mark.exists()  # the trap was a real one


def test_a_whole_module_is_refused(tmp_path):
    torch.save(twins.AttentionRefinementModule(4, 2), tmp_path / "module.pth")
    refused(tmp_path / "module.pth", "save module.state_dict() alone")


def test_pth_holds_tensors_alone(tmp_path):
    weights.save(tmp_path / "a.pth", STATE)
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        (name,) = (n for n in archive.namelist() if n.endswith("data.pkl"))
        text = archive.read(name)
    named = {what for op, what, _ in pickletools.genops(text) if "GLOBAL" in op.name}
    assert {what.split()[0] for what in named} == {"torch._utils", "torch", "collections"}


# -- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_full_disk_leaves_the_old_file(path, monkeypatch, broken):
    weights.save(path, STATE)
    before = path.read_bytes()

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, broken, full)
    with pytest.raises(OSError, match=f"cannot write {path}: No space left on device"):
        weights.save(path, {"x": np.ones(3)})
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*nowhere/a\.npz: No such file or directory"):
        weights.save(tmp_path / "nowhere" / "a.npz", STATE)


def test_what_is_not_numbers_is_not_written(path):
    for value in (np.array([{"a": 1}], dtype=object), np.array(["text"])):
        with pytest.raises(ValueError, match="expected real numbers under 'x', got dtype"):
            weights.save(path, {"x": value})
    assert list(path.parent.iterdir()) == []


# -- the command -------------------------------------------------------------------------------


@pytest.fixture
def bisenet(tmp_path, monkeypatch):
    """A checkpoint under CoinCheung's keys, as DataParallel saves it, and what it holds."""
    monkeypatch.chdir(tmp_path)
    net = twins.BiSeNet(3, reduction=1, mid_channels=(3, 5), width=2)
    torch.save({f"module.{k}": t for k, t in net.state_dict().items()}, "in.pth")
    return {key: t.numpy() for key, t in net.state_dict().items()}


def convert(capsys, *arguments):
    assert cli.main(["convert", *arguments]) == 0
    output = capsys.readouterr()
    assert output.err == ""
    (line,) = output.out.splitlines()
    return line


def complaint(capsys, *arguments):
    assert cli.main(["convert", *arguments]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith("armlab: ")
    return line


def test_convert_a_network(capsys, bisenet):
    line = convert(capsys, "in.pth", "ours.safetensors", "--from", "coincheung")
    total = sum(p.numel() for p in twins.BiSeNet(3, 1, (3, 5), 2).parameters())
    assert line == (
        "in.pth (keys of coincheung) -> ours.safetensors (keys of armlab): "
        f"{len(bisenet)} arrays, {total:,} parameters"
    )
    same_states(weights.load("ours.safetensors"), bisenet)
    hand.BiSeNet(3, 1, (3, 5), 2).load_state_dict(weights.load("ours.safetensors"))
    convert(capsys, "ours.safetensors", "theirs.npz", "--to", "torchseg")
    assert "arms.0.conv_3x3.conv.weight" in weights.load("theirs.npz")
    convert(capsys, "theirs.npz", "back.pt", "--from", "torchseg", "--to", "coincheung")
    same_states(weights.load("back.pt"), bisenet)


def test_convert_a_part(capsys, bisenet):
    arguments = ["in.pth", "arm.npz", "--from", "coincheung", "--part", "cp.arm32"]
    convert(capsys, *arguments)
    state = weights.load("arm.npz")
    hand.AttentionRefinementModule(16, 4, "relu").load_state_dict(state)
    np.testing.assert_array_equal(state["conv_atten.weight"], bisenet["cp.arm32.conv_atten.weight"])
    convert(capsys, "arm.npz", "arm.pth", "--to", "mmseg", "--module", "AttentionRefinementModule")
    assert "atten_conv_layer.1.conv.weight" in weights.load("arm.pth")
    convert(capsys, *arguments, "--to", "torchseg")  # a part keeps the names of the network there
    assert all(key.startswith("arms.0.") for key in weights.load("arm.npz"))


def test_convert_onto_itself(capsys, bisenet):
    convert(capsys, "in.pth", "in.pth", "--from", "coincheung", "--part", "ffm")
    assert set(weights.load("in.pth")) == {k[4:] for k in bisenet if k.startswith("ffm.")}
    assert os.listdir() == ["in.pth"]


def test_convert_a_run(capsys, tmp_path, monkeypatch):
    from armlab.training import checkpoint

    monkeypatch.chdir(tmp_path)
    net = hand.ToyNet(3, "se", 4, rng=0)
    arrays = {f"net.{key}": a for key, a in net.state_dict().items()}
    Path("run").mkdir()
    checkpoint.save(
        Path("run/checkpoint.npz"), arrays | {"optimiser.steps": np.array(3)}, {"step": 3}
    )
    for name in ("toy.pth", "toy.safetensors"):
        convert(capsys, "run", name)
        twin = twins.ToyNet(3, "se", 4)
        twin.load_state_dict(weights.to_torch(weights.load(name)), strict=True)
        np.testing.assert_array_equal(twin.classify.weight.detach(), net.classify.weight)
    Path("run/checkpoint.npz").unlink()
    assert "there is no checkpoint run/checkpoint.npz" in complaint(capsys, "run", "toy.npz")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.pth", "out.npz"], "cannot read nowhere.pth: No such file or directory"),
        (["in.pth", "out.h5"], "expected a file name ending in .npz, .safetensors, .pth, .pt"),
        (["nowhere.pth", "out.h5"], "expected a file name ending in"),  # before any work
        (["in.pth", "out.npz", "--from", "paddle"], "the known ones are armlab, coincheung"),
        (["in.pth", "out.npz", "--to", "mmseg"], "mmseg has no place for 2 of"),
        (["in.pth", "out.npz", "--from", "torchseg"], "torchseg has no place for"),
        (["in.pth", "out.npz", "--part", "cp.arm64"], "expected a part of the state"),
        (["in.pth", "no/out.npz"], "cannot write no/out.npz: No such file or directory"),
        (["text.pth", "out.npz"], "text.pth is text that begins with 'hello': fetch"),
    ],
)
def test_convert_says_on_one_line_what_is_wrong(capsys, bisenet, arguments, words):
    Path("text.pth").write_text("hello", encoding="utf-8")
    assert words in complaint(capsys, *arguments)
    assert sorted(os.listdir()) == ["in.pth", "text.pth"]


@pytest.mark.parametrize(
    ("module", "name", "words"),
    [
        ("torch", "out.pth", "pip install 'armlab[torch]'"),
        ("safetensors", "out.safetensors", "pip install 'armlab[train]'"),
    ],
)
def test_a_missing_package_is_one_line_before_any_work(tmp_path, module, name, words):
    weights.save(tmp_path / "in.npz", {"weight": np.ones(3)})
    start = f"import sys; sys.modules[{module!r}] = None; from armlab.cli import main"
    done = subprocess.run(
        [sys.executable, "-c", f"{start}; sys.exit(main())", "convert", "in.npz", name],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert os.listdir(tmp_path) == ["in.npz"]


def test_numpy_alone_converts_npz(tmp_path):
    weights.save(tmp_path / "in.npz", {"module.weight": np.ones(3)})
    missing = "import sys; sys.modules['torch'] = sys.modules['safetensors'] = None"
    start = f"{missing}; from armlab.cli import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", start, "convert", "in.npz", "out.npz"], check=True, cwd=tmp_path
    )
    assert list(weights.load(tmp_path / "out.npz")) == ["weight"]


def test_help_names_every_map_and_ends_in_an_example_that_parses(capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["convert", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for name in weights.REPOSITORIES:
        assert name in text
    example = text.rstrip().splitlines()[-1].split()
    arguments = vars(cli._parser().parse_args(example[1:]))
    assert arguments["source"] in weights.REPOSITORIES
    assert arguments["part"] in weights.REPOSITORIES[arguments["source"]]["BiSeNet"].values()
    for file in (arguments["input"], arguments["output"]):
        formats.file_format(file)
