"""What compute-sanitizer watches: every kernel by its examples, without CuPy's memory pool.

Within a pool an access beyond the end of an array still meets memory that is the program's. So here
each array is an allocation of its own.

    compute-sanitizer --tool memcheck python -m armlab.report.sanitized
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from armlab.bench import kernel_calls
from armlab.check import table
from armlab.check.cases import FUNCTIONS
from armlab.places import place
from armlab.terminal import at_terminal

NAMES = [case.name for case in FUNCTIONS] + ["BatchNorm2d", "CBAMSpatial"]  # all rows of the table
SIZE = (2, 5, 7, 3)  # of one call of every row: not each has a case
EXAMPLES = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a result is beyond its bound; the sanitizer says what it saw by itself."""
    parser = argparse.ArgumentParser(prog="python -m armlab.report.sanitized")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or emulated")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="of each, in each dtype")
    parser.add_argument("names", nargs="*", help="functions and modules, default all with kernels")
    args = parser.parse_args(arguments)
    where = place(args.device)
    with importlib.import_module("cupy").cuda.using_allocator(None):
        calls = [call for each in kernel_calls.asked(where, SIZE) for call in each.parts()]
        for call in (*calls, *kernel_calls.of_state(where, SIZE)):
            call.run()
        rows = list(table.rows(args.examples, place=where, names=args.names or NAMES))
    held = sum(row.holds for row in rows)
    print(
        f"{held} of {len(rows)} results within their bounds, {sum(r.judged for r in rows)} judged"
    )
    return int(held < len(rows))


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
