"""What checkpoints are full of beside tensors, and what only holds values: no code comes of it.

NumPy's numbers and arrays, argparse's options, paths, dates, and Python's own containers. Torch's
`weights_only` knows none of these until it is told.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import pathlib
import types
from typing import Any

import numpy as np


def harmless() -> list[Any]:
    """For `torch.serialization.safe_globals`: what may be made, where need be with its name."""
    made: list[Any] = [
        argparse.Namespace,
        types.SimpleNamespace,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        datetime.timezone,
        (_ordered, "collections.defaultdict"),
        (_listed, "collections.deque"),
        *(
            (kind, f"builtins.{kind.__name__}")
            for kind in (bool, int, float, str, list, tuple, dict, frozenset, slice)
        ),
    ]
    return made + _of_numpy() + _paths()


def _ordered(*factory: Any) -> collections.OrderedDict[Any, Any]:
    """A defaultdict, into which torch puts nothing, as the mapping that it holds."""
    return collections.OrderedDict()


def _listed(values: Any = (), *length: int) -> list[Any]:
    """A deque, likewise."""
    return list(values)


def _of_numpy() -> list[Any]:
    scalar, rebuilt = np.float64(0).__reduce__()[0], np.empty(0).__reduce__()[0]
    made: list[Any] = [np.ndarray, np.dtype, (np.bool_, "numpy.bool_")]
    made += [kind for kind in vars(np.dtypes).values() if isinstance(kind, type)]
    made += {kind for kind in np.sctypeDict.values() if kind is not np.object_}
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):  # before NumPy 2, and since
        made += [(scalar, f"{module}.scalar"), (rebuilt, f"{module}._reconstruct")]
    return made


def _paths() -> list[Any]:
    """Of either system, as those that touch no disk; Python 3.13 has them in another module."""
    posix, windows = pathlib.PurePosixPath, pathlib.PureWindowsPath
    kinds: dict[str, Any] = {"PosixPath": posix, "PurePosixPath": posix}
    kinds |= {"WindowsPath": windows, "PureWindowsPath": windows}
    return [
        (kind, f"{module}.{name}")
        for module in ("pathlib", "pathlib._local")
        for name, kind in kinds.items()
    ]
