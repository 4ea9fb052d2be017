"""The table of `armlab check`: the largest error of each result on each side, next to its bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from armlab.check.agreement import Verdict, judge
from armlab.check.cases import CASES
from armlab.check.example import Example
from armlab.check.missing import expect_complete
from armlab.check.strata import GENERATE, for_all
from armlab.json_text import as_json
from armlab.places import HOST, Place

WHERE = {"cpu": "the CPU", "emulated": "the emulated device, which is CuPy without a GPU"}
STAGES = "stages inside"  # of a module: the worst of the values that are no result of it


@dataclass(frozen=True)
class ResultRow:
    """One result of one module in one dtype: the largest error of each side."""

    module: str
    dtype: str
    result: str
    hand_error: float
    hand_ratio: float
    torch_error: float | None
    torch_ratio: float | None
    bound: float
    judged: int  # by hand, over all examples: so often this result, or so many of this part

    @property
    def holds(self) -> bool:
        return self.hand_ratio <= 1 and (self.torch_ratio or 0) <= 1


def rows(
    examples: int = 30,
    seed: int = 0,
    place: Place = HOST,
    names: list[str] | None = None,
    dtypes: tuple[str, ...] = ("float32", "float64"),
) -> Iterator[ResultRow]:
    """The rows of every case, judged on so many examples of each.

    Raises ValueError for a name that is no case or lacks something, AssertionError where a result
    has a wrong shape, dtype or name, which no bound can measure, and where one was left out.
    """
    expect_complete(names or ())
    for name in names or CASES:
        for dtype in dtypes:
            yield from _rows_of(name, dtype, examples, seed, place)


def _rows_of(name: str, dtype: str, examples: int, seed: int, place: Place) -> Iterator[ResultRow]:
    worst: dict[tuple[str, str], Verdict] = {}
    judged: Counter[str] = Counter()

    def sample(e: Example) -> None:
        for v in judge(name, e, dtype, place):
            key = (STAGES if v.inner else _grouped(v.result), v.side)
            if key not in worst or v.ratio >= worst[key].ratio:
                worst[key] = replace(v, result=key[0])
            judged[key[0]] += v.side == "hand"

    for_all(CASES[name].strata(examples), sample, using=GENERATE, seed=seed)
    results = dict.fromkeys(v.result for v in worst.values())
    for result in results:
        by_hand, by_torch = worst[result, "hand"], worst.get((result, "torch"))
        yield _row(name, dtype, by_hand, by_torch, judged[result])


def _grouped(result: str) -> str:
    """One row for each part of a network: "cp.resnet.layer1.0.bn1.bias" is in "cp.resnet.…"."""
    parts = result.split(".")
    return result if len(parts) <= 3 else ".".join(parts[:2]) + ".…"


def _row(
    name: str, dtype: str, by_hand: Verdict, by_torch: Verdict | None, judged: int
) -> ResultRow:
    return ResultRow(
        name,
        dtype,
        by_hand.result,
        by_hand.error,
        by_hand.ratio,
        by_torch.error if by_torch else None,
        by_torch.ratio if by_torch else None,
        by_hand.bound,
        judged,
    )


def as_text(row: ResultRow) -> str:
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


def print_as_text(rows: Iterable[ResultRow], device: str = "cpu") -> int:
    """Print the table as it comes. 0 where every error keeps its bound, else 1.

    device  where the code by hand ran, by name
    """
    print("float32 is held to float64 in PyTorch; float64 by hand to float64 in PyTorch")
    print(f"by hand on {WHERE.get(device, device)}\n")
    print(HEADER)
    over = count = judged = 0
    for row in rows:
        print(as_text(row), flush=True)
        over, count, judged = over + (not row.holds), count + 1, judged + row.judged
    print(f"{count} results, {over} over their bound" if over else f"{count} results, all within")
    print(f"{judged:,} times a result by hand was judged, and none was left out")
    return 1 if over else 0


def print_as_json(rows: Iterable[ResultRow], device: str = "cpu") -> int:
    """Print all rows at once as JSON. 0 where every error keeps its bound, else 1."""
    found = list(rows)
    print(as_json([asdict(row) | {"device": device, "holds": row.holds} for row in found]))
    return 0 if all(row.holds for row in found) else 1
