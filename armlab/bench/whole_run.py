"""The whole run as one document, of what JSON has."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from armlab.bench import machine, without_opponent
from armlab.bench.catalogue import timed_calls
from armlab.bench.race import JsonObject, Plan, head, race
from armlab.bench.rounds import SIDES, exponent


def measure(plan: Plan) -> JsonObject:
    """Machine, versions, peaks, rows, and what series of rows say together.

    A row whose sides disagree, or one of which fails, has "not_timed", a sentence, and no times.
    """
    document: JsonObject = {**machine.facts(), "peaks": [], "rows": []}
    if plan.avx2:
        document["machine"]["instructions"] = "AVX2"
    timed = [name for name in plan.names if name in timed_calls()]
    for threads in plan.threads if timed else ():
        race(threads, timed, plan, document)
    for name in plan.names:
        if name not in timed_calls():
            plan.tell(name)
            document["rows"].append(head(name, 1) | without_opponent.measure(name, plan.rounds))
    return document | {"series": series(document["rows"])}


def series(rows: Iterable[JsonObject]) -> list[JsonObject]:
    """Rows that belong together: the geometric mean of their ratios, or how time grows with size.

    Each {"series", "threads", "rows"} and "mean", or "exponents" by side.
    """
    together: dict[tuple[str, int], list[JsonObject]] = {}
    for row in rows:
        call = timed_calls().get(row["name"])
        if call and call.series and "ms" in row:
            together.setdefault((call.series, row["threads"]), []).append(row)
    found = []
    for (name, threads), members in together.items():
        if len(members) == 1:
            continue
        sizes = [timed_calls()[row["name"]].size for row in members]
        entry: JsonObject = {"series": name, "threads": threads, "rows": len(members)}
        if not any(sizes):
            medians = [row["ratio"]["both"]["median"] for row in members]
            entry["mean"] = statistics.geometric_mean(medians)
        else:
            entry["exponents"] = {
                side: exponent(sizes, [row["ms"][side]["both"] for row in members])
                for side in SIDES
            }
        found.append(entry)
    return found
