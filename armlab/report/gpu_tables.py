"""The tables of the report of a device, in Markdown, from what each part of it gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
NO_TIMES = "No time of the emulated device is that of a card, so none stands here."
IN_TURNS = "Milliseconds of a step with Adam, medians in turns, float32 without TF32."


def training(runs: Mapping[str, Row]) -> Iterator[str]:
    yield from _head("attention", "mIoU", "A against B", "parameters", "seconds")
    for name, r in runs.items():
        told_apart, seconds = f"{r['told_apart']:.3f}", f"{r['seconds']:.1f}"
        yield _line(name, f"{r['miou']:.3f}", told_apart, r["parameters"], seconds)


def errors(rows: Iterable[Row]) -> Iterator[str]:
    """Of each module the result that is nearest to its bound."""
    worst: dict[tuple[str, str], Row] = {}
    for row in rows:
        of = row["module"], row["dtype"]
        if of not in worst or row["hand_ratio"] >= worst[of]["hand_ratio"]:
            worst[of] = row
    yield from _head("module", "dtype", "result", "error / bound")
    for r in worst.values():
        yield _line(r["module"], r["dtype"], r["result"], f"{r['hand_ratio']:.2f}")


def bandwidth(found: Sequence[Row]) -> Iterator[str]:
    """Of each kernel; first stands what is true of all: see `armlab.bench.bandwidth`."""
    if not found:
        return
    head, *rows = found
    copy = head["copy_gbps"]
    if copy is None:
        yield NO_TIMES
    else:
        yield f"A copy on the device reads and writes {copy:.0f} GB/s. Times are medians, between"
        yield "events, of calls whose arrays are in no cache; bytes are each input and output once."
    yield ""
    own = ("launches",) if copy is None else ("µs", "GB/s", "of the copy")
    yield from _head("call", "on", "bytes read", "bytes written", *own)
    for row in rows:
        about = f"{row['function']}, {row['part']}", _sizes(row["on"])
        if "failed" in row:
            yield _line(*about, f"failed: {row['failed']}", *[""] * (1 + len(own)))
            continue
        bytes_ = f"{row['read']:,}", f"{row['written']:,}"
        if copy is None:
            yield _line(*about, *bytes_, row["launches"])
        else:
            measured = f"{row['us']:.1f}", f"{row['gbps']:.0f}", f"{row['share']:.0%}"
            yield _line(*about, *bytes_, *measured)


def steps(rows: Sequence[Row]) -> Iterator[str]:
    """Of each network: by hand, by hand without kernels, in PyTorch; launches, or milliseconds."""
    timed = not any(row["launches"] for row in rows)  # a card counts none
    yield IN_TURNS if timed else NO_TIMES
    yield ""
    sides = {"hand": "by hand", "reference": "ARMLAB_KERNELS=reference", "torch": "PyTorch"}
    what = "ms" if timed else "launches"
    columns = [f"{what} {side}" for side in sides.values()]
    columns[-1] = columns[-1] if timed else "operators of PyTorch"
    yield from _head("step of", "on", *columns)
    for row in rows:
        about = row["net"], _sizes(row["on"])
        if "failed" in row:
            yield _line(*about, f"failed: {row['failed']}", *[""] * (len(columns) - 1))
        elif timed:
            yield _line(*about, *(f"{row['ms'][side]:.2f}" for side in sides))
        else:
            yield _line(*about, *(f"{row['launches'][side]:,}" for side in sides))


def _sizes(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _head(*columns: str) -> list[str]:
    return [_line(*columns), "|" + "---|" * len(columns)]


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
