"""The cost of a module as a table for people, and as a dict for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from armlab import machine_memory
from armlab.cost.module_cost import Cost, ModuleCost

HEADER = (
    f"{'':41}{'parameters':>11}{'%':>7}{'multiply-adds':>15}{'%':>9}{'element-wise':>13}{'MiB':>11}"
)
UNITS = (("E", 10**18), ("P", 10**15), ("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3))
NOTE = (
    "multiply-adds: in convolutions, 2 flops each; %: of the whole; MiB: read and written, unfused"
)


def as_dict(report: ModuleCost) -> dict[str, Any]:
    """All counts as integers: of the whole, of all ARMs together, of each part and branch."""
    arms = asdict(report.of(*report.arms))
    return {
        "module": type(report.modules[""]).__name__,
        "inputs": report.inputs,
        "outputs": report.outputs,
        "total": asdict(report.total),
        "arms": arms | {"attention": asdict(report.without_features(*report.arms))},
        "modules": {
            path: {"module": type(part).__name__, **asdict(report.of(path))}
            for path, part in report.modules.items()
            if path
        },
        "attention": {
            path: [
                {"branch": branch, "kind": kind, **asdict(cost)}
                for (branch, kind), cost in report.branches(path).items()
            ]
            for path in report.attention
        },
    }


def as_text(report: ModuleCost) -> str:
    """A table of the parts, one of each attention module's branches, and the ARMs together."""
    whole = report.total
    lines = [f"{_name(report, '')} on {_sizes(report.inputs)}, gives {_sizes(report.outputs)}"]
    lines += ["", HEADER]
    for path in _parts(report):
        depth = "  " * path.count(".")
        part = f"{depth}{path.rpartition('.')[2]}"
        lines.append(_row(f"{part:14} {_name(report, path)}", report.of(path), whole))
    lines.append(_row("total", whole, whole))
    for path in report.attention:
        lines += ["", f"{path} {_name(report, path)}".strip()]
        for (branch, kind), cost in report.branches(path).items():
            lines.append(_row(f"  {branch:11}{kind}", cost, whole))
    if report.arms:
        lines += ["", f"attention refinement modules: {len(report.arms)}"]
        lines.append(_row("  with all features", report.of(*report.arms), whole))
        lines.append(_row("  attention and gate", report.without_features(*report.arms), whole))
    return "\n".join([*lines, "", NOTE, *_too_large(report)])


def _too_large(report: ModuleCost) -> list[str]:
    """A sentence, where what goes in or comes out alone is more than this machine could hold."""
    largest = 4 * max(map(math.prod, report.inputs + report.outputs))
    there = machine_memory.machine_memory()
    if there is None or largest <= there:
        return []
    return [
        "This input is beyond this machine: one map of it has "
        f"{machine_memory.in_words(largest)} in float32, and the memory "
        f"{machine_memory.in_words(there)}."
    ]


def _name(report: ModuleCost, path: str) -> str:
    return type(report.modules[path]).__name__


def _sizes(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join("×".join(map(str, shape)) for shape in shapes)


def _parts(report: ModuleCost, path: str = "") -> Iterator[str]:
    """The children of a part, and below a child those that lead to an attention module."""
    start = f"{path}." if path else ""
    for below in report.modules:
        if below != path and below.startswith(start) and "." not in below.removeprefix(start):
            yield below
            if any(gating.startswith(f"{below}.") for gating in report.attention):
                yield from _parts(report, below)


def _row(label: str, cost: Cost, whole: Cost) -> str:
    return (
        f"{label:41}{cost.parameters:11,d}{percent(cost.parameters, whole.parameters):>7}"
        f"{scaled(cost.multiply_adds):>15}{percent(cost.multiply_adds, whole.multiply_adds):>9}"
        f"{scaled(cost.elementwise):>13}{_mebibytes(cost.bytes):>11}"
    )


def _mebibytes(count: int) -> str:
    """Three decimals, as long as the column has room for them."""
    return f"{count / 2**20:.3f}" if count < 2**20 * 10**6 else f"{count / 2**20:.3g}"


def scaled(count: int) -> str:
    """118338224128 is "118.338 G"; below a thousand two spaces stand for the unit."""
    for letter, unit in UNITS:
        if count >= unit:
            return f"{count / unit:,.3f} {letter}"
    return f"{count}  "


def percent(part: int, whole: int) -> str:
    """Two decimals, or two digits where that shows nothing: "3.06", "0.000028"."""
    share = 100 * part / whole if whole else 0
    if share == 0:
        return "0"
    return f"{share:.{max(2, 1 - math.floor(math.log10(share)))}f}"
