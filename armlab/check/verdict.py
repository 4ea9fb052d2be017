"""A verdict: the largest error of one result on one side, next to its bound at that place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from armlab.check.sides import Results


@dataclass(frozen=True)
class Verdict:
    """The largest error of one result on one side, next to the bound at that place."""

    result: str
    side: str
    error: float
    bound: float
    ratio: float
    place: tuple[int, ...] = ()
    stage: str = ""
    inner: bool = False  # a value between two stages of a module, not a result of it

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place else ""
        stage = f" (in {self.stage})" if self.stage else ""
        return (
            f"{self.side}: {self.result}{stage}{where} is off by {self.error:.3g}, "
            f"{self.ratio:.3g} times its bound {self.bound:.3g}"
        )


def compare(
    side: str,
    got: Results,
    want: Results,
    limits: Mapping[str, Any],
    dtype: str,
    within: Mapping[str, np.ndarray | None] | None = None,
) -> Iterator[Verdict]:
    """A verdict for each result. Raises AssertionError where names, shapes or dtypes are wrong.

    within  of each result, the places that count; all of them by default
    """
    assert list(got) == list(want), f"{side}: gave {list(got)}, expected {list(want)}"
    for key, exact in want.items():
        value, limit = got[key], limits[key]
        if exact is None:
            assert value is None, f"{side}: {key} of an absent input is not None"
            continue
        assert value is not None, f"{side}: {key} is None, expected {exact.shape}"
        assert value.shape == exact.shape, f"{side}: {key} is {value.shape}, not {exact.shape}"
        kind = "int64" if key.endswith("num_batches_tracked") else dtype
        assert str(value.dtype) == kind, f"{side}: {key} is {value.dtype}, not {kind}"
        counts = None if within is None else within[key]
        yield _worst(side, key, value, exact, np.broadcast_to(limit, exact.shape), counts)


def _worst(
    side: str, key: str, value: Any, exact: Any, limit: np.ndarray, counts: np.ndarray | None
) -> Verdict:
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.abs(value.astype(np.float64) - exact)
        error = np.where(np.isnan(error), np.inf, error)
        error = error if counts is None else np.where(counts, error, 0.0)
        ratio = np.where(error == 0, 0.0, error / limit)
    if ratio.size == 0:
        return Verdict(key, side, 0.0, 0.0, 0.0)
    at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    place = tuple(int(i) for i in at)
    return Verdict(key, side, float(error[at]), float(limit[at]), float(ratio[at]), place)
