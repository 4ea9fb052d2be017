"""What changed since an earlier run."""

from __future__ import annotations

import json
from pathlib import Path

from armlab.bench.bench_tables import NAME
from armlab.bench.race import JsonObject
from armlab.whole_file import FilePath


def read(path: FilePath) -> JsonObject:
    """A document that --json wrote. Raises ValueError where the file holds none."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        complete = isinstance(found, dict) and {"machine", "rows", "series"} <= found.keys()
    except (UnicodeDecodeError, json.JSONDecodeError):
        complete = False
    if not complete:
        raise ValueError(f"{path} is no run of armlab bench: write one with  armlab bench --json")
    document: JsonObject = found
    return document


def compared(before: JsonObject, after: JsonObject) -> str:
    """Rows that both runs have: the figure of each and their quotient; below 1 it got better."""
    lines = [f"{'':{NAME}}{'threads':>8}{'before':>10}{'after':>10}{'after/before':>14}   figure"]
    old = {_key(row): row for row in before["rows"]}
    for row in after["rows"]:
        earlier, later = _figure(old.get(_key(row), {})), _figure(row)
        if earlier is None or later is None:
            continue
        (was, _), (now, unit) = earlier, later
        digits = 0 if unit == "ms" else 2
        lines.append(
            f"{row['name']:{NAME}}{row['threads']:8d}{was:10.{digits}f}{now:10.{digits}f}"
            f"{now / was:14.2f}   {unit}"
        )
    if len(lines) == 1:
        raise ValueError("the two runs have no row in common: measure the same rows again")
    return "\n".join(lines)


def _key(row: JsonObject) -> tuple[str, int]:
    return row["name"], row["threads"]


def _figure(row: JsonObject) -> tuple[float, str] | None:
    """What a row is judged by: its ratio, or its milliseconds where it has no opponent."""
    if "ratio" in row:
        against = "together/alone" if "alone" in row["ms"] else "hand/torch"
        return row["ratio"]["both"]["median"], against
    return (row["ms"]["hand"]["both"], "ms") if "ms" in row else None
