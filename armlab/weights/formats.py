"""The formats of weights: .npz, .safetensors and .pth, from and to bytes; no code is ever run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from armlab.extras import expect_packages
from armlab.weights.contents import NoWeights, damaged, format_of
from armlab.weights.npz import decode_npz, encode_npz
from armlab.weights.safetensors_file import decode_safetensors, encode_safetensors
from armlab.weights.states import State
from armlab.weights.torch_file import decode_torch, encode_torch
from armlab.whole_file import FilePath


class Format(NamedTuple):
    """How a format is read and written, from and to bytes, and the packages that this needs."""

    decode: Callable[[bytes], Any]
    encode: Callable[[State], bytes]
    needs: dict[str, str]
    extra: str


FORMATS = {
    "npz": Format(decode_npz, encode_npz, {}, ""),
    "safetensors": Format(
        decode_safetensors, encode_safetensors, {"safetensors": "safetensors"}, "train"
    ),
    "torch": Format(decode_torch, encode_torch, {"torch": "torch"}, "torch"),
}
SUFFIXES = {".npz": "npz", ".safetensors": "safetensors", ".pth": "torch", ".pt": "torch"}


def file_format(path: FilePath) -> Format:
    """The format that a file is written in, by its name; ValueError for an unknown suffix.

    RuntimeError where a package is missing.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(
            f"expected a file name ending in {', '.join(SUFFIXES)}, got {path}: give it one of them"
        )
    return _usable(SUFFIXES[suffix])


def decoded(data: bytes) -> Any:
    """What the bytes of a file hold, whatever its name. NoWeights says what they are instead."""
    decode = _usable(format_of(data)).decode
    try:
        return decode(data)
    except NoWeights:
        raise
    except Exception as error:  # damage shows in any of a dozen ways
        raise damaged(error) from error


def _usable(name: str) -> Format:
    chosen = FORMATS[name]
    expect_packages(chosen.needs, chosen.extra)
    return chosen
