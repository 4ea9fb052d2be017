"""States: flat dicts {key: NumPy array}, to and from PyTorch, and held against a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from armlab.arrays import Array, to_host
from armlab.extras import expect_packages
from armlab.hand.module import Module

State = dict[str, np.ndarray]

NESTS = ("state_dict", "model", "model_state_dict")  # checkpoints put the state_dict under these
WRAPPERS = ("module.", "_orig_mod.")  # nn.DataParallel and torch.compile put these before all keys
REMEDY = "save module.state_dict() alone"
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def from_torch(state_dict: Mapping[str, Any]) -> State:
    """A plain state from what people save: a state_dict of tensors, or a checkpoint around one.

    The prefixes of DataParallel and of torch.compile are taken away. Where a running_var has no
    num_batches_tracked beside it (old PyTorch, InPlaceABN), one of 0 is added; only a momentum of
    None would use it. bfloat16 and float8, which NumPy lacks, become float32. The arrays are
    contiguous copies.
    """
    state = host_copies(_plain(state_dict))
    counted = {}
    for key, a in state.items():
        counted[key] = a
        count = f"{key.removesuffix('running_var')}num_batches_tracked"
        if key.endswith("running_var") and count not in state:
            counted[count] = np.array(0, "int64")
    return counted


def _plain(found: Any) -> dict[str, Any]:
    """The state_dict in a checkpoint, its keys without what wrappers put before them."""
    while isinstance(found, Mapping) and (nest := _nest(found)):
        found = found[nest]
    if not isinstance(found, Mapping) or not found:
        raise ValueError(f"expected a state_dict of arrays by key, got {_kind(found)}: {REMEDY}")
    for key, value in found.items():
        if not isinstance(key, str) or not hasattr(value, "shape"):
            raise ValueError(f"expected an array for {key!r}, got {_kind(value)}: {REMEDY}")
    state_dict = dict(found)
    while all(key.startswith(WRAPPERS) for key in state_dict):
        state_dict = {key.partition(".")[2]: a for key, a in state_dict.items()}
    return state_dict


def _kind(value: Any) -> str:
    return "an empty one" if value == {} else type(value).__name__


def _nest(found: Mapping[str, Any]) -> str | None:
    return next((name for name in NESTS if isinstance(found.get(name), Mapping)), None)


def host_copies(arrays: Mapping[str, Array]) -> State:
    """Copies as contiguous NumPy arrays of the machine's byte order; numbers alone."""
    return {key: _host_copy(key, a) for key, a in arrays.items()}


def _host_copy(key: str, value: Array) -> np.ndarray:
    try:
        host = to_host(value)
    except TypeError:  # a dtype that NumPy has not
        host = to_host(value.float())
    if host.dtype.kind not in "biuf":
        raise ValueError(f"expected numbers under {key!r}, got dtype {host.dtype}: leave it out")
    return np.array(host, dtype=host.dtype.newbyteorder("="), order="C")


def to_torch(state: Mapping[str, Array]) -> dict[str, Any]:
    """The same as PyTorch tensors, for `twin.load_state_dict(…)`; they share no memory with it."""
    expect_packages({"torch": "torch"}, extra="torch")
    import torch

    return {key: torch.from_numpy(a) for key, a in host_copies(state).items()}


def check(state: Mapping[str, Array], module: Module) -> None:
    """Raise ValueError that lists every missing, unexpected and mis-shaped key; load nothing."""
    module.copy().load_state_dict(state)


def parameter_count(state: Mapping[str, Array]) -> int:
    """How many numbers are trained: all but the statistics of batch normalisation."""
    return sum(int(a.size) for key, a in state.items() if not key.endswith(STATISTICS))
