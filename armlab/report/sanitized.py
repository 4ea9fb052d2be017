"""What compute-sanitizer watches: every kernel once, or by examples, without CuPy's memory pool.

Within a pool an access beyond the end of an array still meets memory that is the program's. So here
each array is an allocation of its own.

    compute-sanitizer --tool memcheck python -m armlab.report.sanitized
    compute-sanitizer --tool memcheck python -m armlab.report.sanitized relu conv2d
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from armlab.bench import kernel_calls
from armlab.bench.on_cupy import at_place
from armlab.places import Place
from armlab.terminal import at_terminal

SIZE = (2, 5, 7, 3)  # of one call of every row: not each has a case
EXAMPLES = 10


def names() -> list[str]:
    """Functions and modules whose examples call all rows of the table that have a case."""
    from armlab.check.cases import FUNCTIONS

    return [case.name for case in FUNCTIONS] + ["BatchNorm2d", "CBAMSpatial"]


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a result is beyond its bound; the sanitizer says what it saw by itself."""
    parser = argparse.ArgumentParser(prog="python -m armlab.report.sanitized")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or emulated")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="of each, in each dtype")
    parser.add_argument("names", nargs="*", help="of functions; without, one call of every kernel")
    args = parser.parse_args(arguments)
    watched = lambda where: _watched(args, where)  # noqa: E731
    return at_place("sanitized", args.device, watched, judges=bool(args.names))


def _watched(args: argparse.Namespace, where: Place) -> int:
    with where.device, importlib.import_module("cupy").cuda.using_allocator(None):
        return _examples(args.names, args.examples, where) if args.names else _calls(where)


def _calls(where: Place) -> int:
    calls = [call for each in kernel_calls.asked(where, SIZE) for call in each.parts()]
    calls += kernel_calls.of_state(where, SIZE)
    for call in calls:
        call.run()
    importlib.import_module("cupy").cuda.Device().synchronize()
    print(f"{len(calls)} calls")
    return 0


def _examples(names: list[str], examples: int, where: Place) -> int:
    from armlab.check import table

    rows = list(table.rows(examples, place=where, names=names))
    held = sum(row.holds for row in rows)
    judged = sum(row.judged for row in rows)
    print(f"{held} of {len(rows)} results within their bounds, {judged} judged")
    return int(held < len(rows))


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
