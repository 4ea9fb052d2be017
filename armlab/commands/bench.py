"""`armlab bench`: the time of the code by hand next to PyTorch's, on the same cores."""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from typing import Any

from armlab.bench import GROUPS
from armlab.commands import BAD, GOOD, Commands, add_command, fail
from armlab.extras import expect_packages
from armlab.json_text import as_json

BUSY = 0.5  # processes besides this one, above which figures are noise


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "bench",
        "Time the modules by hand against PyTorch, each in its own process, taking turns.",
        "armlab bench conv3x3 arm32 --threads 1 2 --compare before.json",
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="some, by name; they stand first")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    parser.add_argument("--group", choices=GROUPS, help="the rows of one group")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[1], metavar="N", help="default 1; as in 1 2"
    )
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="of turns, default 15")
    parser.add_argument(
        "--best", action="store_true", help="also torch channels-last and compiled: slow"
    )
    parser.add_argument(
        "--avx2", action="store_true", help="neither side uses AVX-512, as where there is none"
    )
    parser.add_argument("--memory", action="store_true", help="also the peak memory of each row")
    parser.add_argument(
        "--read", type=Path, metavar="FILE", help="an earlier run's JSON, instead of a new run"
    )
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the ratios, as in r.png")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print as JSON")
    what.add_argument(
        "--compare", type=Path, metavar="OLD", help="print what changed since this JSON"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from armlab.bench import bench_tables, changes

    expect_packages({"hypothesis": "hypothesis"}, extra="test")  # the rows stand in the cases

    if args.list:
        print(bench_tables.catalogue())
        return GOOD
    if args.figure:
        expect_packages({"matplotlib": "matplotlib"})
    before = changes.read(args.compare) if args.compare else None  # refused before hours of work
    document = _read(args) if args.read else _measured(args)
    if args.json:
        print(as_json(document))
    else:
        print(changes.compared(before, document) if before else bench_tables.as_text(document))
    if args.figure:
        from armlab.plots.bench import ratios

        ratios(document["rows"], args.figure, before["rows"] if before else ())
    wrong = bench_tables.not_timed(document["rows"])
    return fail(wrong, BAD) if wrong else GOOD


def _read(args: argparse.Namespace) -> dict[str, Any]:
    """An earlier run, or the rows of it that are asked for."""
    from armlab.bench import catalogue, changes, whole_run

    document = changes.read(args.read)
    if args.rows or args.group:
        names = catalogue.chosen(args.rows, args.group)
        rows = [row for row in document["rows"] if row["name"] in names]
        document |= {"rows": rows, "series": whole_run.series(rows)}
    return document


def _measured(args: argparse.Namespace) -> dict[str, Any]:
    from armlab.bench import catalogue, machine, race, whole_run

    names = catalogue.chosen(args.rows, args.group)
    if any(name in catalogue.timed_calls() for name in names):
        expect_packages({"torch": "torch"}, extra="torch")
    available = len(machine.cores())
    for threads in args.threads:
        if not 1 <= threads <= available:
            raise ValueError(
                f"expected --threads of 1 to {available}, the cores here, got {threads}: "
                "a core has one thread"
            )
    if args.rounds < 1:
        raise ValueError(f"expected --rounds of at least 1, got {args.rounds}: give more")
    if args.avx2 and platform.machine().lower() not in ("x86_64", "amd64"):
        raise ValueError(
            f"--avx2 is for processors of x86-64, and this is {platform.machine()}: leave it out"
        )
    if machine.load() > BUSY:
        _tell(f"other programs are busy here (load {machine.load():.1f}): expect noise")
    return whole_run.measure(
        race.Plan(names, args.threads, args.rounds, args.best, args.memory, args.avx2, _tell)
    )


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
