"""What a file is, told by its first bytes and never by its name; what is no weights is named."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Iterable

from armlab.looks_like import looks_like

READ = "give weights, which are .npz, .safetensors or what torch.save writes"
AGAIN = "fetch it again"
TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save before 1.6 begins with this number
NPY = b"\x93NUMPY"
LONGEST_HEADER = 100_000_000  # of a safetensors file; its length is the first 8 bytes
ONNX = re.compile(rb"\x08[\x01-\x14](\x12.[\x20-\x7e]|:|B)", re.DOTALL)  # ir_version, then a name


class NoWeights(ValueError):
    """A file that holds no weights as it is; the text goes on where the file's name stands."""


def damaged(error: BaseException | None = None) -> NoWeights:
    told = f" ({type(error).__name__})" if error else ""
    return NoWeights(f"is truncated or damaged{told}: {AGAIN}")


def format_of(data: bytes) -> str:
    """ "npz", "safetensors" or "torch"; NoWeights that says what else these bytes are."""
    if data and not data.strip(b"\0"):
        raise NoWeights(f"holds nothing but zeros: {AGAIN}")
    if data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= LONGEST_HEADER:
        return "safetensors"
    if data.startswith(b"PK"):
        return _of_zip(data)
    if data[257:262] == b"ustar":
        raise _of_tar(data)
    if data[:1] == b"\x80" and TORCH_MAGIC in data[:64]:
        return "torch"
    raise _other(data)


def _of_zip(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except Exception as error:  # damage shows in any of a dozen ways
        raise damaged(error) from None
    if any(re.fullmatch(r"[^/]*/(constants\.pkl|code/.*)", name) for name in names):
        raise NoWeights(
            "is a TorchScript archive, which is code: where that may run, write its weights with  "
            "torch.save(torch.jit.load(path).state_dict(), other_path)"
        )
    if any(re.fullmatch(r"[^/]*/data\.pkl", name) for name in names):
        return "torch"
    if any(name.endswith(".npy") for name in names):
        return "npz"
    raise NoWeights(f"is a zip archive {_of(names)} and no file of weights: unpack it")


def _of_tar(data: bytes) -> NoWeights:
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            names = archive.getnames()
    except Exception as error:
        return damaged(error)
    if {"pickle", "storages", "tensors"} <= set(names):
        return NoWeights(
            "is of torch.save before torch 0.2, a tar that can be code: where that may run, write "
            "it anew with  torch.save(torch.load(path, weights_only=False), other_path)"
        )
    return NoWeights(f"is a tar archive {_of(names)} and no file of weights: unpack it")


def _of(names: Iterable[str]) -> str:
    first, *others = [*names] or ["nothing"]
    return f"of {first} and {len(others)} more" if others else f"of {first}"


def _other(data: bytes) -> NoWeights:
    if data.startswith(NPY):
        return NoWeights("is one array without a key: write it with  numpy.savez(path, key=array)")
    if data[:1] == b"\x80" and data[1:2] <= b"\x05":
        return NoWeights(
            "is a plain pickle, which can be code, so nothing of it was run: where it was made, "
            "write its arrays with torch.save or numpy.savez"
        )
    if ONNX.match(data):
        return NoWeights(f"looks like an ONNX model: convert what it was exported from; {READ}")
    words = looks_like(data)
    if words == "text":
        line = data.decode(errors="replace").strip().partition("\n")[0][:40].strip()
        return NoWeights(f"is text that begins with {line!r}: fetch the file itself")
    if words:
        return NoWeights(f"is {words}" if ": " in words else f"is {words}: {READ}")
    return NoWeights(f"is of no known format, or damaged at its start: {AGAIN}; {READ}")
