"""What people's files are, told by their content: what holds no weights is called by its name."""

import argparse
import bz2
import collections
import datetime
import gzip
import io
import lzma
import pathlib
import pickle
import random
import sys
import tarfile
import types
import warnings
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from armlab import weights

W = np.random.default_rng(0).normal(size=(3, 2)).astype("f4")
T = torch.from_numpy(W)
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 51934285\n"


def sentence(path, data=None, **how):
    """What `load` says of a file; one line that begins with its name and ends in a remedy."""
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        weights.load(path, **how)
    said = str(caught.value)
    assert said.startswith((f"{path} ", f"{path}: "))
    assert "\n" not in said
    assert ": " in said.removeprefix(f"{path}: ")
    return said


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(**members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
    return file.getvalue()


def one_array():
    file = io.BytesIO()
    np.save(file, W)
    return file.getvalue()


def script():
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would have it forgotten, but people have such files
        torch.jit.save(torch.jit.trace(nn.Linear(2, 3), torch.ones(1, 2)), file)
    return file.getvalue()


# The beginning of what torch.onnx.export writes: ir_version 10, producer_name "pytorch".
ONNX = b"\x08\x0a\x12\x07pytorch\x1a\x052.9.0:\xb1\x02\n\x1b\n\x01x\x12\x01y"

NO_WEIGHTS = {
    "empty": (b"", "is empty: copy or download it again"),
    "zeros": (bytes(4096), "holds nothing but zeros: fetch it again"),
    "pointer": (LFS, "is a pointer of Git LFS: fetch the file itself with  git lfs pull"),
    "page": (b"\n<!DOCTYPE html><html>Sign in</html>", "is a web page: download the file itself"),
    "page, bare": (b"<HTML><body>404</body></HTML>", "is a web page: "),
    "page with a mark": (b"\xef\xbb\xbf<!doctype html>", "is a web page: "),
    "xml": (
        b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
        "is an XML or SVG document: give weights, which are .npz, .sa",
    ),
    "an answer": (b"Not Found", "is text that begins with 'Not Found': fetch the file itself"),
    "json": (b'{"message":\n "rate limit"}', "is text that begins with '{\"message\":'"),
    "gzip": (gzip.compress(W.tobytes()), "is packed with gzip: unpack it"),
    "bzip2": (bz2.compress(W.tobytes()), "is packed with bzip2: unpack it"),
    "xz": (lzma.compress(W.tobytes()), "is packed with xz: unpack it"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(9), "is an HDF5 file: give weights, which are"),
    "array": (one_array(), "is one array without a key: ", "numpy.savez(path, key=array)"),
    "zip": (zipped(**{"bisenet.pth": b"x", "README": b""}), "of bisenet.pth and 1 more", "unpack"),
    "empty zip": (zipped(), "is a zip archive of nothing"),
    "half a zip": (zipped(a=bytes(99))[:80], "is truncated or damaged (BadZipFile): fetch it"),
    "tar": (tarred(**{"model.npz": b"x"}), "is a tar archive of model.npz", "unpack it"),
    "old tar": (tarred(pickle=b"", storages=b"", tensors=b""), "before torch 0.2", "torch.save("),
    "pickle": (pickle.dumps({"w": W}), "is a plain pickle", "nothing of it was run", "numpy.savez"),
    "script": (script(), "is a TorchScript archive", "torch.jit.load(path).state_dict()"),
    "onnx": (ONNX, "looks like an ONNX model: "),
    "unknown": (b"\x00\x01\x02\xff" * 20, "is of no known format, or damaged at its start"),
}


@pytest.mark.parametrize("suffix", [".pth", ".npz", ".safetensors"])
@pytest.mark.parametrize("kind", NO_WEIGHTS)
def test_what_is_no_weights_is_called_what_it_is(tmp_path, kind, suffix):
    data, *words = NO_WEIGHTS[kind]
    said = sentence(tmp_path / f"bisenet{suffix}", data)
    for word in words:
        assert word in said, said


def test_the_length_of_a_header_is_no_beginning_of_another_format(tmp_path):
    """A safetensors file begins with it: 0x8b1f bytes look like gzip."""
    for length in (0x8B1F, 0x4D42):
        empty = safetensors.torch.save({"w": T}, metadata={"x": ""})
        more = length - int.from_bytes(empty[:8], "little")
        data = safetensors.torch.save({"w": T}, metadata={"x": "a" * more})
        assert int.from_bytes(data[:8], "little") in range(length - 8, length + 9)
        header = data[8 : 8 + int.from_bytes(data[:8], "little")].rstrip(b" ")
        rest = data[8 + int.from_bytes(data[:8], "little") :]
        path = tmp_path / "a.safetensors"
        path.write_bytes(length.to_bytes(8, "little") + header.ljust(length) + rest)
        np.testing.assert_array_equal(weights.load(path)["w"], W)


# -- what torch.save writes ---------------------------------------------------------------------


def saved(path, found, old=False, **how):
    torch.save(found, path, _use_new_zipfile_serialization=not old, **how)
    return path


class Schedule:
    """A class of somebody's own code."""


HARMLESS = {
    "numbers of NumPy": {"loss": np.float64(0.5), "step": np.int64(3), "best": np.bool_(True)},
    "an array of NumPy": {"scores": np.arange(3.0), "names": np.array(["a", "b"])},
    "options": {"args": argparse.Namespace(lr=0.1, out=pathlib.Path("runs/a"), n=np.float32(1))},
    "a namespace": {"args": types.SimpleNamespace(lr=0.1)},
    "dates": {"at": datetime.datetime(2024, 5, 1), "took": datetime.timedelta(1)},
    "containers": {
        "a": collections.defaultdict(int, a=1),
        "b": collections.OrderedDict(a=[1]),
        "c": collections.deque([1, 2], maxlen=3),
        "d": collections.Counter("aab"),
        "e": frozenset({1}),
        "f": slice(3),
    },
    "of torch": {"shape": torch.Size([1, 2]), "device": torch.device("cpu"), "d": torch.half},
    "of Windows": {"path": pathlib.PureWindowsPath("C:/a")},
    "types of numbers": {"dtype": np.dtype("f4"), "type": np.float32},
}


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("kind", HARMLESS)
def test_values_beside_the_state_do_no_harm(tmp_path, kind, old):
    path = saved(tmp_path / "a.pth", {"model": {"w.weight": T}, **HARMLESS[kind]}, old)
    found = weights.load(path)
    assert list(found) == ["w.weight"]
    np.testing.assert_array_equal(found["w.weight"], W)


def test_a_defaultdict_or_arrays_of_numpy_are_a_state_too(tmp_path):
    state = collections.defaultdict(list, {"a.weight": T, "b.weight": T.numpy()})
    found = weights.load(saved(tmp_path / "a.pth", state))
    np.testing.assert_array_equal(found["a.weight"], W)
    np.testing.assert_array_equal(found["b.weight"], W)


@pytest.mark.parametrize("old", [False, True])
def test_what_is_refused_is_called_by_its_name(tmp_path, old):
    path = saved(tmp_path / "a.pth", {"w": T, "schedule": Schedule()}, old)
    said = sentence(path)
    assert f"holds {__name__}.Schedule beside tensors" in said
    assert "nothing of it was run" in said
    path = saved(tmp_path / "a.pth", {"w": T, "rng": random.Random(1)}, old)
    assert "random.Random" in sentence(path)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: {"model": m, "epoch": 3}])
def test_a_whole_module_is_called_by_its_class(tmp_path, wrap, old):
    said = sentence(saved(tmp_path / "a.pth", wrap(nn.Sequential(nn.Linear(2, 3))), old))
    assert "is a whole module of class torch.nn.modules.container.Sequential" in said
    assert "save module.state_dict() alone" in said


def test_another_protocol_of_pickle_is_named(tmp_path):
    for old in (False, True):
        said = sentence(saved(tmp_path / "a.pth", {"w": T}, old, pickle_protocol=4))
        assert "is pickled by protocol 4" in said
        assert "without pickle_protocol" in said


def test_a_zip_packed_anew_is_read(tmp_path):
    path = saved(tmp_path / "a.pth", {"w": T})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    np.testing.assert_array_equal(weights.load(path)["w"], W)


def test_a_damaged_number_in_a_zip_of_torch_is_noticed(tmp_path):
    """Torch itself reads on: it leaves the checksums alone."""
    path = saved(tmp_path / "a.pth", {"w": T})
    data = bytearray(path.read_bytes())
    data[data.index(W.tobytes()) + 3] ^= 0x40
    path.write_bytes(data)
    assert not torch.equal(torch.load(path, weights_only=True)["w"], T)
    assert "is truncated or damaged: fetch it again" in sentence(path)


def test_a_zip_of_torch_that_was_told_to_leave_checksums_out_is_read(tmp_path):
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    try:
        path = saved(tmp_path / "a.pth", {"w": T})
        module = saved(tmp_path / "b.pth", nn.Linear(2, 2))
    finally:
        torch.serialization.set_crc32_options(before)
    np.testing.assert_array_equal(weights.load(path)["w"], W)
    assert "whole module of class torch.nn.modules.linear.Linear" in sentence(module)


# -- tensors of another kind ---------------------------------------------------------------------

SPECIAL = {
    "sparse": (lambda: T.to_sparse(), "a sparse one: save tensor.to_dense()"),
    "sparse rows": (lambda: T.to_sparse_csr(), "a sparse one: save tensor.to_dense()"),
    "quantised": (
        lambda: torch.quantize_per_tensor(T, 0.1, 0, torch.quint8),
        "a quantised one: save",
    ),
    "meta": (lambda: torch.ones(2, device="meta"), "one on the device 'meta', which has none"),
    "nested": (lambda: torch.nested.nested_tensor([T, T[:2]]), "a nested one: save"),
    "complex": (lambda: T + 1j, "got dtype complex64: leave it out"),
    "four bits": (
        lambda: torch.zeros(2, dtype=torch.uint8).view(torch.float4_e2m1fn_x2),
        "got float4",
    ),
}


@pytest.mark.filterwarnings("ignore")  # prototypes, says torch
@pytest.mark.parametrize("kind", SPECIAL)
def test_a_tensor_without_plain_values_is_named_by_its_key(tmp_path, kind, monkeypatch):
    # pickle names a thing by the first module that has it, which is torch but for other tests
    monkeypatch.delitem(sys.modules, "array_api_compat.torch", raising=False)
    made, words = SPECIAL[kind]
    said = sentence(saved(tmp_path / "a.pth", {"first.weight": T, "odd.weight": made()}))
    assert words in said
    assert "'odd.weight'" in said


def test_views_that_torch_flips_lazily_are_read(tmp_path):
    value = (T + 2j).conj().imag
    assert value.is_neg()
    found = weights.from_torch({"w": value})["w"]
    np.testing.assert_array_equal(found, np.full((3, 2), -2, "f4"))


EIGHT = [n for n in dir(torch) if n.startswith("float8_")]


@pytest.mark.parametrize("name", EIGHT)
def test_all_values_of_eight_bits_are_read_alike_from_both_formats(tmp_path, name):
    every = torch.arange(256, dtype=torch.uint8).view(getattr(torch, name))
    saved(tmp_path / "a.pth", {"w": every})
    safetensors.torch.save_file({"w": every}, tmp_path / "a.safetensors")
    for file in ("a.pth", "a.safetensors"):
        found = weights.load(tmp_path / file)["w"]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, every.float().numpy())


def test_all_dtypes_of_safetensors_are_read_or_named(tmp_path):
    path = tmp_path / "a.safetensors"
    for dtype in ("float16", "float64", "int8", "int64", "uint8", "uint16", "uint64", "bool"):
        values = torch.tensor([0, 1, 1]).to(getattr(torch, dtype))
        safetensors.torch.save_file({"w": values}, path)
        found = weights.load(path)["w"]
        assert found.dtype.name == dtype
        np.testing.assert_array_equal(found, [0, 1, 1])
    safetensors.torch.save_file({"odd": T + 1j}, path)
    assert "holds C64 under 'odd', and no real numbers: leave it out" in sentence(path)


def test_a_tensor_too_large_for_memory_is_named(tmp_path):
    huge = torch.ones(1).expand(1 << 40, 1 << 10)  # one number in the file, 4 PiB out of it
    said = sentence(saved(tmp_path / "a.pth", {"w.weight": T, "huge": huge}))
    assert "'huge' needs more memory than there is here" in said


# -- .npz ---------------------------------------------------------------------------------------


def test_objects_in_an_npz_are_named_by_their_key(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, good=W, bad=np.array([{"a": 1}], dtype=object))
    assert "holds Python objects under 'bad'" in sentence(path)
    np.savez(path, good=W, bad=np.array(["text"]))
    assert "expected real numbers under 'bad', got dtype <U4: leave it out" in sentence(path)


def test_a_key_that_a_zip_has_twice_is_named(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w.npy", one_array())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("w.npy", one_array())
    assert "holds 'w' 2 times: write it anew, with one array a key" in sentence(path)


def test_what_lies_beside_the_arrays_of_an_npz_is_left(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(zipped(**{"w.npy": one_array(), "README.txt": b"hello"}))
    np.testing.assert_array_equal(weights.load(path)["w"], W)


def test_a_checkpoint_of_a_run_is_asked_for_by_its_folder(tmp_path):
    from armlab.training import checkpoint

    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, {"net.w": W, "optimiser.mean.w": W}, {"step": 3})
    assert "got the checkpoint of a run: give the run's folder" in sentence(path)
