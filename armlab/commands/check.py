"""`armlab check`: the table of errors and bounds."""

from __future__ import annotations

import argparse
import os

from armlab.commands import Commands, add_command
from armlab.extras import expect_packages


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "check",
        "Hold every module by hand, and its PyTorch twin, to float64 under known error bounds.",
        "armlab check conv2d AttentionRefinementModule --examples 200 --seed 1",
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="some, by name")
    parser.add_argument("--all", action="store_true", help="every module, as without names")
    parser.add_argument("--examples", type=int, default=30, help="of each module, default 30")
    parser.add_argument("--seed", type=int, default=0, help="of the examples, default 0")
    parser.add_argument("--device", default="cpu", help="of the code by hand: cpu, cuda or cuda:N")
    parser.add_argument("--dtype", choices=["float32", "float64"], help="default both")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.examples < 1:
        raise ValueError(f"expected --examples of at least 1, got {args.examples}: give more")
    for library in ("OPENBLAS", "OMP"):  # before they load: on small arrays the waiting threads
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # of two libraries starve each other
    if args.all and args.modules:
        raise ValueError(f"expected modules or --all, got {args.modules[0]} and --all: give one")
    expect_packages({"hypothesis": "hypothesis", "torch": "torch"}, extra="torch,test")

    from armlab.arrays import place
    from armlab.check import table

    rows = table.rows(
        examples=args.examples,
        seed=args.seed,
        place=place(args.device),
        names=args.modules,
        dtypes=(args.dtype,) if args.dtype else ("float32", "float64"),
    )
    return table.print_as_json(rows) if args.json else table.print_as_text(rows)
