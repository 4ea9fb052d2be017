"""Files of weights: .npz, .safetensors, .pth and .pt by suffix; no code in them is ever run."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

from armlab.arrays import Array
from armlab.weights.formats import file_format
from armlab.weights.states import State, from_torch, host_copies
from armlab.whole_file import FilePath, whole_file


def load(path: FilePath) -> State:
    """The state in a file, made plain as by `from_torch`.

    .pth and .pt are pickles, which can carry code: torch's `weights_only` knows tensors alone and
    runs nothing. Raises OSError or ValueError with the file's name where it cannot be read, is
    damaged, or holds something other than a state.
    """
    path = Path(path)
    decode = file_format(path).decode
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror}; check the path") from error
    try:
        found = decode(data)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path} is damaged or holds more than tensors, which can be code, so nothing of it "
            "was run: where it was made, save module.state_dict() alone"
        ) from None
    except Exception as error:  # damage shows in any of a dozen ways
        raise ValueError(
            f"{path} is no whole {path.suffix} file of arrays ({type(error).__name__}): "
            "it is truncated, damaged or of another format, so fetch it again or check its suffix"
        ) from error
    try:
        return from_torch(found)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def save(path: FilePath, state: Mapping[str, Array]) -> None:
    """Write a state in the format of the suffix; at any moment the old file or the new is there.

    .pth and .pt hold a plain state_dict of tensors. Raises OSError where it cannot be written.
    """
    path = Path(path)
    data = file_format(path).encode(host_copies(state))
    try:
        with whole_file(path) as file:
            file.write(data)
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror}; nothing there has changed, choose another path"
        ) from error
