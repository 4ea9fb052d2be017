"""The formats of weights: .npz, .safetensors and .pth, from and to bytes; no code is ever run."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from armlab.extras import expect_packages
from armlab.weights.states import State, to_torch
from armlab.whole_file import FilePath


class Format(NamedTuple):
    """How a suffix is read and written, from and to bytes, and the packages that this needs."""

    decode: Callable[[bytes], Any]
    encode: Callable[[State], bytes]
    needs: dict[str, str]
    extra: str


def file_format(path: FilePath) -> Format:
    """The format of a file's name; ValueError for an unknown suffix, else what is missing."""
    suffix = Path(path).suffix
    if suffix not in FORMATS:
        raise ValueError(
            f"expected a file name ending in {', '.join(FORMATS)}, got {path}: "
            "rename it to what it is"
        )
    chosen = FORMATS[suffix]
    expect_packages(chosen.needs, chosen.extra)
    return chosen


def _decode_npz(data: bytes) -> State:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


def _encode_npz(state: State) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **state)
    return file.getvalue()


def _decode_safetensors(data: bytes) -> State:
    from safetensors import deserialize

    untyped: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = deserialize
    return {key: _array(t["data"], t["dtype"], t["shape"]) for key, t in untyped(data)}


def _array(data: bytes, dtype: str, shape: list[int]) -> np.ndarray:
    """A tensor of a safetensors file; dtype is "F32", "I64", "BOOL", …"""
    if dtype == "BF16":  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    kind = "?" if dtype == "BOOL" else f"<{dtype[0].lower()}{int(dtype[1:]) // 8}"
    return np.frombuffer(data, kind).reshape(shape)


def _encode_safetensors(state: State) -> bytes:
    from safetensors.numpy import save as to_bytes

    return to_bytes(state)


def _decode_torch(data: bytes) -> Any:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a refusal says it all
        return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _encode_torch(state: State) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save(to_torch(state), file)
    return file.getvalue()


_TORCH = Format(_decode_torch, _encode_torch, {"torch": "torch"}, "torch")
FORMATS = {
    ".npz": Format(_decode_npz, _encode_npz, {}, ""),
    ".safetensors": Format(
        _decode_safetensors, _encode_safetensors, {"safetensors": "safetensors"}, "train"
    ),
    ".pth": _TORCH,
    ".pt": _TORCH,
}
