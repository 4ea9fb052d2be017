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
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--bounds", action="store_true", help="search for the worst error over bound of functions"
    )
    what.add_argument(
        "--faults", action="store_true", help="plant each known fault and see whether it is caught"
    )
    parser.add_argument(
        "--examples", type=int, help="of each module, default 30; with --bounds 300"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the examples, default 0")
    parser.add_argument(
        "--device",
        default="cpu",
        help="of the code by hand: cpu, cuda, cuda:N, or emulated, which is CuPy without a GPU",
    )
    parser.add_argument("--dtype", choices=["float32", "float64"], help="default both")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.examples is not None and args.examples < 1:
        raise ValueError(f"expected --examples of at least 1, got {args.examples}: give more")
    for library in ("OPENBLAS", "OMP"):  # before they load: on small arrays the waiting threads
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # of two libraries starve each other
    if args.all and args.modules:
        raise ValueError(f"expected modules or --all, got {args.modules[0]} and --all: give one")
    expect_packages({"hypothesis": "hypothesis", "torch": "torch"}, extra="torch,test")

    if args.faults:
        return _faults(args)
    if args.bounds:
        return _bounds(args)
    return _table(args)


def _faults(args: argparse.Namespace) -> int:
    from armlab.check import hunt

    catches = map(hunt.hunt, hunt.chosen(args.modules))
    return hunt.print_as_json(catches) if args.json else hunt.print_as_text(catches)


def _bounds(args: argparse.Namespace) -> int:
    from armlab.check import worst_errors

    rows = worst_errors.worst_errors(args.examples or 300, args.seed, args.modules)
    return worst_errors.print_as_json(rows) if args.json else worst_errors.print_as_text(rows)


def _table(args: argparse.Namespace) -> int:
    from armlab.check import table
    from armlab.places import device_name, place

    rows = table.rows(
        examples=args.examples or 30,
        seed=args.seed,
        place=place(args.device),
        names=args.modules,
        dtypes=(args.dtype,) if args.dtype else ("float32", "float64"),
    )
    show = table.print_as_json if args.json else table.print_as_text
    return show(rows, device_name(args.device))
