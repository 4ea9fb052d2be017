"""Answers that are wrong at a few places only: what these have in common."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from armlab.exercises.exercise import Asked
from armlab.exercises.fresh import Tried
from armlab.exercises.likeness.result import results_of


def _at(axis: int, index: int) -> Callable[[np.ndarray], np.ndarray]:
    def places(want: np.ndarray) -> np.ndarray:
        found = np.zeros(want.shape, bool)
        np.moveaxis(found, axis, 0)[index] = True
        return found

    return places


def _border(want: np.ndarray) -> np.ndarray:
    found = np.ones(want.shape, bool)
    found[:, :, 1:-1, 1:-1] = False
    return found


def _all_but(axis: int, index: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda want: ~_at(axis, index)(want)


REGIONS: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "right everywhere but in the last image": (4, _at(0, -1)),
    "right everywhere but in the first image": (4, _at(0, 0)),
    "right in the first image alone": (4, _all_but(0, 0)),
    "right in the last image alone": (4, _all_but(0, -1)),
    "right in the first channel alone": (4, _all_but(1, 0)),
    "right everywhere but in the last channel": (4, _at(1, -1)),
    "right everywhere but in the first channel": (4, _at(1, 0)),
    "right everywhere but in the last row": (4, _at(2, -1)),
    "right everywhere but in the last column": (4, _at(3, -1)),
    "right inside, wrong along the border": (4, _border),
    "right everywhere but in the first entry": (1, _at(0, 0)),
    "right everywhere but in the last entry": (1, _at(0, -1)),
}


def places(asked: Asked, tried: list[Tried]) -> str:
    """Where the wrong numbers lie, if that is the same on every example."""
    for result in results_of(asked, [t for t in tried if t.wrong and t.fresh]):
        seen = [s for s in result.seen if s.is_wrong]
        if any(s.got.shape != s.want.shape for s in seen):
            continue
        off = [~(np.abs(s.got - s.want) <= s.limit) for s in seen]
        for text, (ndim, where) in REGIONS.items():
            if all(mask.ndim == ndim and _tells(mask, where(mask)) for mask in off):
                return f"{result.name}: {text}" if result.count > 1 else text
        for name in result.names():
            zero = [np.asarray(s.named[name]) for s in seen]
            if all(
                z.shape == m.shape and _tells(m, z == 0) for z, m in zip(zero, off, strict=True)
            ):
                return f"right but where {name} is 0"
    return ""


def _tells(off: np.ndarray, region: np.ndarray) -> bool:
    """Whether what is wrong lies in the region, outside of which there is something too."""
    return bool(off.any() and not (off & ~region).any() and not region.all())
