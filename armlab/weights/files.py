"""Files of weights: what a file is, its content says; what is written, the suffix."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from armlab.arrays import Array
from armlab.weights.contents import NoWeights
from armlab.weights.formats import decoded, file_format
from armlab.weights.states import State, from_torch, host_copies
from armlab.whole_file import FilePath, whole_file


def load(path: FilePath, nest: str | None = None, strip: str | None = None) -> State:
    """The state in a file, made plain as by `from_torch`, which says what nest and strip are.

    .npz, .safetensors and what torch.save writes are told by their content, whatever the name. The
    last is a pickle, which can carry code: torch's `weights_only` knows tensors alone and runs
    nothing. Raises OSError or ValueError with the file's name where it cannot be read, is damaged,
    or holds something other than a state.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror}; check the path") from error
    try:
        return from_torch(decoded(data), nest, strip)
    except NoWeights as what:
        raise ValueError(f"{path} {what}") from what
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def save(path: FilePath, state: Mapping[str, Array]) -> None:
    """Write a state in the format of the suffix; at any moment the old file or the new is there.

    .pth and .pt hold a plain state_dict of tensors. Raises ValueError with the key of what is no
    array of real numbers, OSError where it cannot be written.
    """
    path = Path(path)
    encode = file_format(path).encode
    write_bytes(path, encode(_writable(host_copies(state))))


def write_bytes(path: FilePath, data: bytes) -> None:
    """At any moment the old file or the new is there. Raises OSError where it cannot be written."""
    try:
        with whole_file(path) as file:
            file.write(data)
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror}; nothing there has changed, choose another path"
        ) from error


def _writable(state: State) -> State:
    """A zip ends a name at a zero byte, and no format can write half of a surrogate pair."""
    for key in state:
        if re.search("[\0\ud800-\udfff]", key):
            raise ValueError(f"no file can hold the key {key!r}: rename it")
    return state
