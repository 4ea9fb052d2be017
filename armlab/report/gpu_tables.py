"""The tables of the report of a device, in Markdown, from what each part of it gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from armlab.check.table import ResultRow

Row = Mapping[str, Any]
NO_TIMES = "No time of the emulated device is that of a card, so none stands here."
IN_TURNS = "Milliseconds of a step with Adam, medians in turns, float32 without TF32."


def training(runs: Mapping[str, Row]) -> Iterator[str]:
    yield from _head("attention", "mIoU", "A against B", "parameters", "seconds")
    for name, r in runs.items():
        told_apart, seconds = f"{r['told_apart']:.3f}", f"{r['seconds']:.1f}"
        yield _line(name, f"{r['miou']:.3f}", told_apart, r["parameters"], seconds)


def errors(rows: Iterable[ResultRow]) -> Iterator[str]:
    """Of each module the result that is nearest to its bound."""
    worst: dict[tuple[str, str], ResultRow] = {}
    for row in rows:
        of = (row.module, row.dtype)
        if of not in worst or row.hand_ratio >= worst[of].hand_ratio:
            worst[of] = row
    yield from _head("module", "dtype", "result", "error / bound")
    for r in worst.values():
        yield _line(r.module, r.dtype, r.result, f"{r.hand_ratio:.2f}")


def key(row: Row) -> str:
    """What a row of the kernels is about."""
    return f"{row['function']}, {row['part']} | {_sizes(row['on'])}"


def bandwidth(found: Row, launches: Mapping[str, int | None]) -> Iterator[str]:
    """Of each kernel; `launches` of each by its `key`."""
    copy = found["copy_gbps"]
    if copy is None:
        yield NO_TIMES
    else:
        yield f"A copy on the device reads and writes {copy:.0f} GB/s. Times are medians, between"
        yield "events, of calls whose arrays are in no cache; bytes are each input and output once."
    yield ""
    times = () if copy is None else ("µs", "GB/s", "of the copy")
    yield from _head("call", "on", "launches", "bytes read", "bytes written", *times)
    for row in found["rows"]:
        if "failed" in row:
            yield _line(key(row), f"failed: {row['failed']}", *[""] * (2 + len(times)))
            continue
        measured = times and (f"{row['us']:.1f}", f"{row['gbps']:.0f}", f"{row['share']:.0%}")
        bytes_ = f"{row['read']:,}", f"{row['written']:,}"
        yield _line(key(row), _or_dash(launches.get(key(row))), *bytes_, *measured)


def steps(rows: Sequence[Row], launches: Mapping[str, Row | None]) -> Iterator[str]:
    """Of each network: by hand, by hand without kernels, in PyTorch; `launches` of each by name."""
    timed = not any(row["launches"] for row in rows)  # a card counts none
    sides = {"hand": "by hand", "reference": "ARMLAB_KERNELS=reference", "torch": "PyTorch"}
    yield IN_TURNS if timed else NO_TIMES
    yield ""
    columns = [f"launches {words}" for words in sides.values()]
    columns[-1] = "operators of PyTorch"
    times = [f"ms {words}" for words in sides.values()] * timed
    yield from _head("step of", "on", *columns, *times)
    for row in rows:
        counts = launches.get(row["net"])
        if "failed" in row:
            blank = [""] * (len(columns) + len(times) - 1)
            yield _line(row["net"], _sizes(row["on"]), f"failed: {row['failed']}", *blank)
            continue
        counted = [_or_dash(counts[side] if counts else None) for side in sides]
        measured = [f"{row['ms'][side]:.2f}" for side in sides] if timed else []
        yield _line(row["net"], _sizes(row["on"]), *counted, *measured)


def _or_dash(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"


def _sizes(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _head(*columns: str) -> list[str]:
    return [_line(*columns), "|" + "---|" * len(columns)]


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
