"""A cache on disk for arrays that cost more to make than to read.

It is a convenience and never a reason to fail: what is missing, damaged or unreadable is made
anew, and where nothing can be written nothing is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

VERSION = 1  # goes up when the arrays of a name change
Arrays = dict[str, np.ndarray]


def cache_folder() -> Path:
    """ARMLAB_CACHE, else armlab in XDG_CACHE_HOME, else ~/.cache/armlab.

    Raises RuntimeError where the user has no home.
    """
    if own := os.environ.get("ARMLAB_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "armlab"


def cached(name: str, make: Callable[[], Arrays]) -> Arrays:
    """The arrays of this name from the cache, else made and kept there."""
    try:
        path = cache_folder() / f"{name}-{VERSION}.arrays"
    except RuntimeError:
        return make()
    arrays = _read(path)
    if arrays is None:
        arrays = make()
        with contextlib.suppress(OSError):
            _write(path, arrays)
    return arrays


def _read(path: Path) -> Arrays | None:
    """The arrays of a file that is whole: SHA-256 first, then an npz; None of any other."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if data[:32] != hashlib.sha256(data[32:]).digest():
        return None
    with np.load(io.BytesIO(data[32:]), allow_pickle=False) as members:
        return dict(members)


def _write(path: Path, arrays: Arrays) -> None:
    """Complete under a name of its own before it takes the name, so two processes may write."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    data = packed.getvalue()
    descriptor, fresh = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(data).digest() + data)
        os.replace(fresh, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise
