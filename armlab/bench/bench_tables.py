"""The tables that `armlab bench` prints of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from armlab.bench.catalogue import about, groups
from armlab.bench.race import JsonObject
from armlab.bench.rounds import PARTS, SIDES

NOTE = """\
ratio: hand over torch, median over the rounds and quartiles; below 1 hand is faster
f, b: forward and backward apart; peak: GFLOP/s of the forward over the best of NumPy's matmul"""
NAME = 26  # characters of a row's name, and a blank
MEMORY = "MiB held at most beyond inputs, weights and dy; over: that over inputs and output"


def catalogue() -> str:
    """Every row by its group."""
    return "\n".join(f"{name:{NAME}}{group:14}{about(name)}" for name, group in groups().items())


def as_text(document: JsonObject) -> str:
    """Machine, one table for each number of threads, memory, series, and what has no opponent."""
    found, versions = document["machine"], document["versions"]
    words = [f"{name} {version}" for name, version in versions.items() if version]
    lines = [
        f"{found['processor']}, {found['cores']} cores, load {found['load']}"
        + ", both sides held to AVX2" * ("instructions" in found),
        ", ".join(words),
    ]
    raced = [row for row in document["rows"] if "torch" in row.get("ms", {})]
    for threads in dict.fromkeys(row["threads"] for row in raced):
        here = [row for row in raced if row["threads"] == threads]
        lines += ["", f"{threads} thread{'s' * (threads > 1)}: {_peaks(document, threads)}"]
        for part in (_table(here), _memory_table(here), _series(document, threads)):
            words = list(part)
            lines += ["", *words] if words else []
    lines += ["", NOTE] if raced else []
    others = [row for row in document["rows"] if row not in raced and "not_timed" not in row]
    return "\n".join([*lines, "", *map(_without_opponent, others)] if others else lines)


def _peaks(document: JsonObject, threads: int) -> str:
    return "; ".join(
        f"{p['side']} {p['gflops']:.0f} GFLOP/s, {p['gbps']:.0f} GB/s"
        for p in document["peaks"]
        if p["threads"] == threads
    )


def _table(rows: list[JsonObject]) -> Iterator[str]:
    best = any("best" in row or row["skipped"] for row in rows)
    columns = f"{'hand ms':>9}{'torch ms':>10}{'ratio':>8}   {'quartiles':13}{'f':>6}{'b':>7}"
    yield f"{'':{NAME}}{columns}{'peak':>7}{'   over the best of torch' * best}"
    for row in rows:
        hand, torch = (row["ms"][side]["both"] for side in SIDES)
        both, forward, backward = (row["ratio"][part] for part in PARTS)
        spread = f"{both['low']:.2f} - {both['high']:.2f}"
        share = f"{row['peak_share']['hand']:.0%}" if "peak_share" in row else ""
        line = f"{row['name']:{NAME}}{hand:9.3f}{torch:10.3f}{both['median']:8.2f}   {spread:13}"
        line += f"{forward['median']:6.2f}{backward['median']:7.2f}{share:>7}   {_best(row)}"
        yield line.rstrip()


def _best(row: JsonObject) -> str:
    words = [f"{row['best']['ratio']['median']:.2f} {row['best']['side']}"] if "best" in row else []
    return "; ".join(words + [f"{side} left out: {why}" for side, why in row["skipped"].items()])


def _memory_table(rows: list[JsonObject]) -> Iterator[str]:
    measured = [row for row in rows if all(row.get("memory", {}).get(side) for side in SIDES)]
    if not measured:
        return
    columns = f"{'hand MiB':>9}{'torch MiB':>10}{'ratio':>8}{'hand over':>12}{'torch over':>12}"
    yield f"{'':{NAME}}{columns}"
    for row in measured:
        hand, torch = (row["memory"][side] for side in SIDES)
        ratio = f"{hand['mib'] / torch['mib']:.2f}" if torch["mib"] else ""
        over = "".join(f"{m['over']:12.2f}" for m in (hand, torch) if "over" in m)
        yield f"{row['name']:{NAME}}{hand['mib']:9.1f}{torch['mib']:10.1f}{ratio:>8}{over}"
    yield MEMORY


def _series(document: JsonObject, threads: int) -> Iterator[str]:
    for entry in document["series"]:
        if entry["threads"] != threads:
            continue
        if "mean" in entry:
            words = f"geometric mean of {entry['rows']} ratios {entry['mean']:.2f}"
        else:
            words = ", ".join(f"{s} size^{p:.2f}" for s, p in entry["exponents"].items())
        yield f"{entry['series']:{NAME}}{words}"


def _without_opponent(row: JsonObject) -> str:
    if "ratio" in row:
        ratio, ms = row["ratio"]["both"], row["ms"]
        words = (
            f"{ratio['median']:.2f} ({ratio['low']:.2f} - {ratio['high']:.2f}) times as long: "
            f"{ms['together']['both']:.1f} ms a step, alone {ms['alone']['both']:.1f}"
        )
    elif "ms" in row:
        words = f"{row['ms']['hand']['both']:.0f} ms, target {row['target_ms']}"
    else:
        words = f"left out: {row['skipped']['hand']}"
    return f"{row['name']:{NAME}}{words} ({row['about']})"


def not_timed(rows: Iterable[JsonObject]) -> str:
    """One sentence of the rows that were not timed; empty where there are none."""
    return "; ".join(row["not_timed"] for row in rows if "not_timed" in row)
