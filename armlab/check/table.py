"""The table of `armlab check`: the largest error of each result on each side, next to its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed

from armlab.arrays import HOST, Place
from armlab.check.agreement import Verdict, judge
from armlab.check.cases import CASES
from armlab.check.example import Example


@dataclass(frozen=True)
class Row:
    """One result of one module in one dtype: the largest error of each side."""

    module: str
    dtype: str
    result: str
    hand_error: float
    hand_ratio: float
    torch_error: float | None
    torch_ratio: float | None
    bound: float

    @property
    def holds(self) -> bool:
        return self.hand_ratio <= 1 and (self.torch_ratio or 0) <= 1


def rows(
    examples: int = 30,
    seed: int = 0,
    place: Place = HOST,
    names: list[str] | None = None,
    dtypes: tuple[str, ...] = ("float32", "float64"),
    progress: Callable[[str], None] = lambda name: None,
) -> Iterator[Row]:
    """The rows of every case, judged on so many examples of each.

    Raises KeyError for a name that is no case, AssertionError where a result has a wrong shape,
    dtype or name, which no bound can measure.
    """
    for name in names or list(CASES):
        if name not in CASES:
            raise KeyError(f"no module {name!r}; there are {', '.join(CASES)}")
        progress(name)
        for dtype in dtypes:
            yield from _rows_of(name, dtype, examples, seed, place)


def _rows_of(name: str, dtype: str, examples: int, seed: int, place: Place) -> Iterator[Row]:
    worst: dict[tuple[str, str], Verdict] = {}

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    @with_seed(seed)
    @given(CASES[name].examples())
    def sample(e: Example) -> None:
        for v in judge(name, e, dtype, place):
            key = (v.result, v.side)
            if key not in worst or v.ratio >= worst[key].ratio:
                worst[key] = v

    sample()
    inner = f"{name}."  # stages of a module that are no result of it are named stage.result
    for result in dict.fromkeys(result for result, _ in worst):
        by_hand, by_torch = worst[result, "hand"], worst.get((result, "torch"))
        yield Row(
            name,
            dtype,
            result.removeprefix(inner),
            by_hand.error,
            by_hand.ratio,
            by_torch.error if by_torch else None,
            by_torch.ratio if by_torch else None,
            by_hand.bound,
        )


def as_text(row: Row) -> str:
    """One line, aligned with `HEADER`."""
    torch = "       –        –" if row.torch_error is None else ""
    if row.torch_error is not None and row.torch_ratio is not None:
        torch = f"{row.torch_error:9.2g} {row.torch_ratio:7.2f}"
    verdict = "ok" if row.holds else "OVER"
    return (
        f"{row.module:26}{row.dtype:9}{row.result:32}{row.bound:9.2g} "
        f"{row.hand_error:9.2g} {row.hand_ratio:7.2f} {torch:>17} {verdict}"
    )


HEADER = (
    f"{'module':26}{'dtype':9}{'result':32}{'bound':>9} {'hand':>9} {'/bound':>7} "
    f"{'torch':>9} {'/bound':>7}"
)


def as_dict(row: Row) -> dict[str, Any]:
    return asdict(row) | {"holds": row.holds}
