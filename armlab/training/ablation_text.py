"""The findings of a grid in words: tables for people, and rows for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from armlab.cost.cost_table import scaled
from armlab.training.ablation import Grid
from armlab.training.findings import MEASURES, Finding, verdict
from armlab.training.grid_run import Record
from armlab.training.intervals import Interval
from armlab.training.run_files import write_json
from armlab.whole_file import write_whole

Table = list[list[str]]  # the first row is the header, the first column a name

NOTES = (
    "Mean ± half of its 95 % interval, Student's t over the seeds.",
    "Multiply-adds are of one image, forward.",
    "Each interval stands for itself: of twenty, one misses by chance.",
)


def as_text(grid: Grid, found: Sequence[Finding]) -> str:
    """Both tables in columns, for a terminal."""
    parts = [_columns(means(found))]
    if len(found) > 1:
        parts += [_title(grid), _columns(differences(found))]
    return "\n\n".join([*parts, "\n".join(NOTES)])


def as_markdown(grid: Grid, found: Sequence[Finding]) -> str:
    """The same, for a page, with the settings."""
    settings = ", ".join(f"{name} {x}" for name, x in grid.settings.items())
    seeds = ", ".join(map(str, grid.seeds))
    parts = ["# Ablation of the attention", f"Seeds {seeds}; {settings}.", _markdown(means(found))]
    if len(found) > 1:
        parts += [_title(grid), _markdown(differences(found))]
    return "\n\n".join([*parts, " ".join(NOTES)]) + "\n"


def as_dict(grid: Grid, found: Sequence[Finding], records: Sequence[Record]) -> dict[str, Any]:
    return {
        "settings": grid.settings,
        "seeds": list(grid.seeds),
        "first": grid.attentions[0],
        "attentions": {f.attention: f.to_dict() for f in found},
        "runs": list(records),
    }


def write(grid: Grid, found: Sequence[Finding], records: Sequence[Record], out: Path) -> None:
    """ablation.md, ablation.json and, one line a run, ablation.csv. Raises OSError."""
    costs = {f.attention: {"multiply_adds": f.multiply_adds} for f in found}
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, [*records[0], "multiply_adds"])
    writer.writeheader()
    writer.writerows(record | costs[record["attention"]] for record in records)
    write_whole(out / "ablation.csv", table.getvalue())
    write_whole(out / "ablation.md", as_markdown(grid, found))
    write_json(out / "ablation.json", as_dict(grid, found, records))


def means(found: Sequence[Finding]) -> Table:
    """A row for each attention: what it reached and what it costs."""
    measures = list(found[0].means)
    header = ["attention", "seeds", *(MEASURES[m] for m in measures)]
    header += ["parameters", "multiply-adds", "ms a step"]
    return [header] + [
        [
            f.attention,
            str(len(next(iter(f.values.values())))),
            *(_mean(f.means[m]) for m in measures),
            f"{f.parameters:,}",
            scaled(f.multiply_adds).strip(),
            milliseconds(f.seconds_per_step),
        ]
        for f in found
    ]


def differences(found: Sequence[Finding]) -> Table:
    """A row for each attention but the first and each measure."""
    header = ["attention", "measure", "difference", "pairs", "verdict"]
    return [header] + [
        [f.attention, MEASURES[m], _difference(i), str(i.n), verdict(i)]
        for f in found
        for m, i in f.differences.items()
    ]


def milliseconds(seconds: float | None) -> str:
    """Of a step; None, where no batch had a counted pixel, is -."""
    return "-" if seconds is None else f"{1000 * seconds:.1f}"


def _mean(i: Interval) -> str:
    if i.mean is None:
        return "none found"
    return f"{i.mean:.3f}{_width(i)}"


def _difference(i: Interval) -> str:
    if i.mean is None:
        return "none"
    return f"{i.mean:+.3f}{_width(i)}"


def _width(i: Interval) -> str:
    """Three decimals, as the mean has; 0 is said of equal values alone."""
    if i.half_width is None:
        return ""
    if i.half_width == 0:
        return " in each"
    return f" ± {i.half_width:.3f}" if i.half_width >= 0.0005 else " ± <0.001"


def _title(grid: Grid) -> str:
    return f"Against {grid.attentions[0]}, seed by seed:"


def _columns(table: Table) -> str:
    """The name to the left, everything else to the right of its column."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rows = [
        "   ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    return "\n".join(rows)


def _markdown(table: Table) -> str:
    header, *rows = table
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
