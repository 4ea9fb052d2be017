"""The rows of `armlab check`, one line of JSON each as it comes: what is there when it is stopped.

python -m armlab.report.error_rows --device cuda --examples 100
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from armlab.bench.on_cupy import Row, at_place, print_rows
from armlab.places import Place
from armlab.terminal import at_terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rows. 1 where a result is beyond its bound, or there is no such device."""
    parser = argparse.ArgumentParser(prog="python -m armlab.report.error_rows")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or emulated")
    parser.add_argument("--examples", type=int, default=30, help="of each, default 30")
    parser.add_argument("--dtype", choices=["float32", "float64"], help="default both")
    parser.add_argument("--without-networks", action="store_true", help="functions and modules")
    args = parser.parse_args(arguments)
    rows = lambda where: print_rows(_rows(args, where))  # noqa: E731
    return at_place("error_rows", args.device, rows, judges=True)


def _rows(args: argparse.Namespace, where: Place) -> Iterator[Row]:
    from armlab.check import table
    from armlab.check.cases import CASES

    names = [case.name for case in CASES.values() if case.share == 1 or not args.without_networks]
    dtypes = (args.dtype,) if args.dtype else ("float32", "float64")
    for row in table.rows(args.examples, place=where, names=names, dtypes=dtypes):
        yield asdict(row) | {"holds": row.holds}


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
