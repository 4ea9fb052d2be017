"""Which packages are installed, and in which version; of a module that has several names, which.

CuPy is cupy-cuda12x, cupy-cuda13x or cupy, after the CUDA that it was built for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import metadata


def version(package: str) -> str | None:
    """Of this package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def packages_with(module: str) -> dict[str, str]:
    """The versions, by name, of the packages that this module came with; usually one."""
    names = sorted(set(packages_by_module().get(module, [])))
    return {name: metadata.version(name) for name in names}


@cache
def packages_by_module() -> Mapping[str, list[str]]:
    """The names of the packages of each module: to read them takes a tenth of a second."""
    return metadata.packages_distributions()
