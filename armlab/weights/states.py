"""States: flat dicts {key: NumPy array}, to and from PyTorch, and held against a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import array_api_compat
import numpy as np

from armlab.arrays import Array, to_host
from armlab.extras import expect_packages
from armlab.hand.module import Module
from armlab.weights.checkpoints import expect_array, state_dict_in
from armlab.weights.prefixes import bare_keys

State = dict[str, np.ndarray]

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def from_torch(
    state_dict: Mapping[str, Any], nest: str | None = None, strip: str | None = None
) -> State:
    """A plain state from what people save: a state_dict of tensors, or a checkpoint around one.

    nest   where in a checkpoint the state lies, needed where it holds several: "ema"
    strip  a prefix whose keys alone are meant, which goes; "" keeps all keys as they are

    What wrappers put before keys (DataParallel, torch.compile, Lightning) is taken away where it is
    before all of them. Where a running_var has no num_batches_tracked beside it (old PyTorch,
    InPlaceABN), one of 0 is added; only a momentum of None would use it. bfloat16 and float8, which
    NumPy lacks, become float32. The arrays are contiguous copies.
    """
    state = host_copies(bare_keys(state_dict_in(state_dict, nest), strip))
    counted = {}
    for key, a in state.items():
        counted[key] = a
        count = f"{key.removesuffix('running_var')}num_batches_tracked"
        if key.endswith("running_var") and count not in state:
            counted[count] = np.array(0, "int64")
    return counted


def host_copies(arrays: Mapping[str, Array]) -> State:
    """Copies as contiguous NumPy arrays of the machine's byte order; real numbers alone.

    Raises ValueError with the key of what is none.
    """
    if not isinstance(arrays, Mapping):
        raise ValueError(
            f"expected a state, a dict of arrays by key, got {type(arrays).__name__}: "
            "take module.state_dict()"
        )
    return {key: _host_copy(key, a) for key, a in arrays.items()}


def _host_copy(key: str, value: Array) -> np.ndarray:
    expect_array(key, value)
    try:
        host = _host(key, value)
        if host.dtype.kind in "biuf":
            return np.array(host, dtype=host.dtype.newbyteorder("="), order="C")
    except MemoryError:
        raise ValueError(f"{key!r} needs more memory than there is here: leave it out") from None
    raise ValueError(f"expected real numbers under {key!r}, got dtype {host.dtype}: leave it out")


def _host(key: str, value: Array) -> np.ndarray:
    if isinstance(value, np.ndarray | np.generic) or not array_api_compat.is_torch_array(value):
        return to_host(value)
    if kind := _special(value):
        raise ValueError(f"expected a dense tensor with values under {key!r}, got {kind}")
    value = value.detach().resolve_neg()
    try:
        return to_host(value)
    except TypeError:  # a dtype that NumPy has not
        pass
    try:
        return to_host(value.float())
    except (TypeError, RuntimeError):  # of 4 bits, of which torch itself knows the name alone
        name = str(value.dtype).removeprefix("torch.")
        raise ValueError(f"expected numbers under {key!r}, got {name}: leave it out") from None


def _special(tensor: Any) -> str:
    """What a tensor is that has no values of its own at each place, and what to do about it."""
    if tensor.is_meta:
        return "one on the device 'meta', which has none: save it from where it has values"
    if tensor.is_quantized:
        return "a quantised one: save tensor.dequantize()"
    if tensor.is_nested:
        return "a nested one: save tensor.to_padded_tensor(0.0), or its parts"
    return "" if str(tensor.layout) == "torch.strided" else "a sparse one: save tensor.to_dense()"


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
