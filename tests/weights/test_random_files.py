"""Checkpoints as people make them, by chance: each loads with the right values or is one sentence.

The right values are those that the test itself put in; torch, safetensors and NumPy write them.
"""

import argparse
import io
import re
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from armlab import cli, weights

EXAMPLES = 300
DTYPES = ["float32", "float64", "float16", "bfloat16", "int64", "bool"]
DTYPES += ["float8_e4m3fn", "float8_e5m2", "complex64"]
NEWER = (torch.float8_e4m3fn, torch.float8_e5m2)
SHAPES = [(), (1,), (3,), (0, 4), (2, 3), (4, 3, 2, 2)]
NAMES = ["weight", "conv.weight", "conv.bias", "bn.running_mean", "file", "a/b", "Conv.weight"]
SUFFIXES = ["pth", "pt", "ckpt", "pth.tar", "bin", "safetensors", "npz", "PTH"]
PREFIXES = ["", "module.", "net.module.", "_orig_mod.", "segmentor.", *["model."] * 3]
AUTOMATIC = {"module.", "model.", "net.module.", "_orig_mod."}
NESTS = [(), ("state_dict",), ("model",), ("params_ema",), ("ema", "module"), ("anything",)]
HARMLESS = {
    "epoch": 3,
    "args": argparse.Namespace(lr=0.1),
    "best": np.float64(0.5),
    "shape": torch.Size([2]),
    "arch": "bisenet",
}


class Schedule:
    """A class of somebody's own code."""


@st.composite
def tensors(draw):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    state = OrderedDict()
    for name in names:
        dtype = getattr(torch, draw(st.sampled_from(DTYPES)))
        values = torch.from_numpy(np.asarray(rng.normal(size=draw(st.sampled_from(SHAPES)))))
        state[name] = values.round() > 0 if dtype == torch.bool else values.to(dtype)
    if len(names) > 1 and draw(st.booleans()):  # one storage for two
        a, b = list(state)[:2]
        state[b] = state[a].reshape(-1)
    return state


DAMAGES = ["none"] * 6 + ["cut", "emptied", "zeroed", "page", "pointer", "beginning"]


def damaged(data, damage, share):
    """The bytes after what happened to them; the numbers of an npz or a pth have checksums."""
    at = int(share * (len(data) - 1))
    return {
        "none": data,
        "cut": data[:at],
        "emptied": b"",
        "zeroed": bytes(len(data)),
        "page": b"<!DOCTYPE html><html><body>Sign in</body></html>",
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "beginning": b"\xff" * 16 + data[16:],
    }[damage]


@st.composite
def files(draw):
    """(its format, its bytes, {key: array} that is meant, the causes for which it is refused)"""
    state, prefix = draw(tensors()), draw(st.sampled_from(PREFIXES))
    kind = draw(st.sampled_from(["torch", "torch", "old", "old", "safetensors", "npz"]))
    flat = OrderedDict((f"{prefix}{key}", t) for key, t in state.items())
    meant, why = expected(state if prefix in AUTOMATIC else flat), set()
    if any(t.dtype == torch.complex64 for t in state.values()):
        why.add("complex")
    if prefix == "model.":
        why |= others_beside(draw, flat, state)
    newer = any(t.dtype in NEWER for t in flat.values())
    if kind == "safetensors":
        data = safetensors.torch.save({key: t.clone() for key, t in flat.items()})
    elif kind == "npz":
        data = written_by_numpy({k: t if is_known(t) else t.float() for k, t in flat.items()})
    else:
        found, more = wrapped(draw, flat)
        why |= more
        why |= {"newer"} if kind == "old" and newer else set()
        data = written_by_torch(found, kind == "old")
    damage = draw(st.sampled_from(DAMAGES))
    if damage != "none":
        data = damaged(data, damage, draw(st.floats(0, 1, exclude_max=True)))
        why.add(damage)
    return kind, data, meant, why


def others_beside(draw, flat, state):
    """Put beside the keys under "model." what makes that prefix ambiguous, at times."""
    other = draw(st.integers(0, 2))
    if other == 0:
        flat.update({f"model_ema.module.{key}": t for key, t in state.items()})
        return {"average"}
    if other == 1 and len(flat) > 1:
        flat["criterion.weight"] = torch.ones(2)
        return {"one more"}
    return set()


def is_known(tensor):
    """Whether NumPy has the dtype."""
    return tensor.dtype not in (torch.bfloat16, *NEWER)


def expected(state):
    """The arrays by key, in torch's own words: what NumPy lacks as float32."""
    numbers = {key: t for key, t in state.items() if t.dtype != torch.complex64}
    return {key: (t if is_known(t) else t.float()).numpy() for key, t in numbers.items()}


def wrapped(draw, flat):
    """The state as it lies in a checkpoint, and why that may be refused."""
    nest, why, found = draw(st.sampled_from(NESTS)), set(), flat
    for name in reversed(nest):
        found = {name: found}
    if not nest:
        if draw(st.integers(0, 4)) == 0:
            return OrderedDict(flat, **{"epoch": 3}), {"extra"}
        return flat, why
    if draw(st.booleans()):
        found = {**found, **HARMLESS}
    parameter = torch.nn.Parameter(torch.ones(2))
    found = {**found, "optimizer": torch.optim.SGD([parameter], 0.1).state_dict()}
    other = draw(st.integers(0, 9))
    if other == 0:
        found, why = {**found, "scheduler": Schedule()}, {"class"}
    elif other == 1:
        found, why = {**found, "other": flat}, {"two"}
    return found, why


def written_by_torch(found, old):
    file = io.BytesIO()
    torch.save(found, file, _use_new_zipfile_serialization=not old)
    return file.getvalue()


def written_by_numpy(state):
    """An .npz of numpy.save's own arrays: numpy.savez has no place for the key "file"."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for key, t in state.items():
            with archive.open(f"{key}.npy", "w") as member:
                np.save(member, t.numpy())
    return file.getvalue()


REMEDIES = re.compile(
    r"(fetch|download) (it again|the file itself)|save module\.state_dict\(\) alone|leave it out"
    r"|--nest \S+ to armlab convert|--strip \S+ to armlab convert|git lfs pull"
)
WORDS = {
    "complex": "real numbers",
    "extra": "expected an array for 'epoch', got int",
    "class": "Schedule beside tensors",
    "newer": "newer than its form",
    "two": "2 states of one kind",
    "page": "is a web page",
    "pointer": "is a pointer of Git LFS",
    "emptied": "is empty: copy or download it again",
    "zeroed": "holds nothing but zeros",
    "beginning": "is ",
    "cut": "damaged|is empty|is text|nothing but zeros",
    "average": "'model' and 'model_ema', two versions of one network",
    "one more": "'model' stands before . of its . keys, not before criterion.weight",
}


@pytest.fixture(scope="module")
def seen_in(tmp_path_factory):
    """The folder of the files, and how often each outcome was seen.

    Formats have to load and causes to be met, all but a few rare ones: which are drawn differs from
    process to process.
    """
    seen = Counter()
    yield tmp_path_factory.mktemp("files"), seen
    print(dict(seen))
    loads = {f"{kind} loads" for kind in ("torch", "old", "safetensors", "npz")}
    assert len(loads - seen.keys()) <= 1, seen
    assert len({*WORDS} - seen.keys()) <= len(WORDS) // 3, seen
    assert seen["files"] >= EXAMPLES


@settings(max_examples=EXAMPLES)
@given(file=files(), suffix=st.sampled_from(SUFFIXES))
def test_each_file_loads_with_the_right_values_or_is_one_sentence(seen_in, file, suffix):
    (folder, seen), (kind, data, meant, why) = seen_in, file
    path = folder / f"weights.{suffix}"
    path.write_bytes(data)
    if not why:
        found = weights.load(path)
        assert sorted(found) == sorted(meant)
        for key, a in meant.items():
            np.testing.assert_array_equal(found[key], a, strict=True)
        outcomes = [f"{kind} loads"]
    else:
        outcomes = refused(path, why)
    seen.update(["files", *outcomes])


def refused(path, why):
    """One sentence with the file, the cause and a remedy, in Python and on the command line."""
    with pytest.raises(ValueError) as caught:
        weights.load(path)
    said = str(caught.value)
    assert said.startswith((f"{path} ", f"{path}: "))
    assert "\n" not in said
    assert REMEDIES.search(said), said
    told = [cause for cause in why if re.search(WORDS[cause], said)]
    assert told, (said, why)
    return told


@settings(max_examples=40)
@given(file=files())
def test_convert_does_the_same_on_one_line(tmp_path_factory, file):
    _, data, meant, why = file
    folder = tmp_path_factory.mktemp("convert")
    (folder / "in.pth").write_bytes(data)
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", output)
        patch.setattr("sys.stderr", errors)
        code = cli.main(["convert", str(folder / "in.pth"), str(folder / "out.npz")])
    said = (errors if why else output).getvalue()
    assert code == bool(why), said
    assert len(said.splitlines()) == 1
    assert (output if why else errors).getvalue() == ""
    if not why:
        found = weights.load(folder / "out.npz", strip="")
        assert sorted(found) == sorted(meant)
