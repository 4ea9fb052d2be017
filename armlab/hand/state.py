"""Arrays by key, as people hand them to a module: what is none, and what does not fit, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from armlab.arrays import Array, dtype_name


def expect_arrays(name: str, values: object) -> None:
    """Refuse anything but a flat dict of arrays. Raises TypeError that names the key."""
    if not isinstance(values, Mapping):
        raise TypeError(
            f"{name} expected a dict of arrays by key, got {type(values).__qualname__}: "
            "give it what state_dict() returns"
        )
    for key, a in values.items():
        if hasattr(a, "shape"):  # without a longer search: optimisers assign at every step
            continue
        remedy = "wrap it, for example with numpy.asarray(values, dtype='float32')"
        if isinstance(a, Mapping):
            remedy = f"put its entries beside it, each with '{key}.' before its key"
        raise TypeError(
            f"{name} expected an array for key {key!r}, got {type(a).__qualname__}: {remedy}"
        )


def expect_real(name: str, state: Mapping[str, Array]) -> None:
    """Refuse arrays that would lose something as float32: complex ones, texts, objects."""
    for key, a in state.items():
        if not re.fullmatch(r"u?int\d+|float(16|32|64)", dtype_name(a)):
            raise TypeError(
                f"{name} expected real numbers for key {key!r}, got {dtype_name(a)}: "
                "convert them to float32 first"
            )


def misfits(state: Mapping[str, Array], current: Mapping[str, Array]) -> list[str]:
    """Words for each key of a state that is missing, unexpected or of another shape."""
    wrong = [f"missing {key}" for key in current if key not in state]
    wrong += [f"unexpected {key}" for key in state if key not in current]
    return wrong + [
        f"{key} is {tuple(state[key].shape)}, not {tuple(a.shape)}"
        for key, a in current.items()
        if key in state and tuple(state[key].shape) != tuple(a.shape)
    ]


def described(a: Array) -> str:
    """Its dtype and shape: float32 (4, 3, 1, 1)."""
    return f"{dtype_name(a)} {tuple(a.shape)}"
