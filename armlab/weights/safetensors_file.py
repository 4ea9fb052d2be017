"""The format .safetensors, with the floats of 8 and 16 bits that NumPy lacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.weights.contents import NoWeights
from armlab.weights.small_floats import bfloat16, float8
from armlab.weights.states import State

RESERVED = "__metadata__"


def decode_safetensors(data: bytes) -> State:
    from safetensors import deserialize

    untyped: Callable[[bytes], list[tuple[str, dict[str, Any]]]] = deserialize
    return {key: _array(key, **tensor) for key, tensor in untyped(data)}


def _array(key: str, data: bytes, dtype: str, shape: list[int]) -> np.ndarray:
    """A tensor of a safetensors file; dtype is "F32", "I64", "BOOL", "F8_E4M3", …"""
    if dtype == "BF16":
        return bfloat16(data).reshape(shape)
    if dtype.startswith("F8_"):
        return float8(data, dtype).reshape(shape)
    if dtype == "BOOL":
        return np.frombuffer(data, "?").reshape(shape)
    if number := re.fullmatch(r"([FIU])(8|16|32|64)", dtype):
        return np.frombuffer(data, f"<{number[1].lower()}{int(number[2]) // 8}").reshape(shape)
    raise NoWeights(f"holds {dtype} under {key!r}, and no real numbers: leave it out")


def encode_safetensors(state: State) -> bytes:
    from safetensors.numpy import save as to_bytes

    if RESERVED in state:
        raise ValueError(f"the key {RESERVED!r} is safetensors' own: write .npz or .pth")
    return to_bytes(state)
