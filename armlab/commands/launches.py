"""`armlab launches`: what a module or a step of training launches on a device, next to PyTorch."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from armlab.commands import GOOD, Commands, add_command
from armlab.extras import expect_packages
from armlab.json_text import as_json
from armlab.machine_memory import expect_room
from armlab.module_arguments import AskedModule, add_module_arguments, asked_module

if TYPE_CHECKING:
    from armlab.bench.launches import Launches

SIZE, BATCH, OPTIMISER = "64x64", 2, "adam"
FLOAT64 = 8  # bytes: images are drawn so
UNTOLD = {"in_channels": 64, "channels": 64, "num_features": 64}
FLOAT64 = 8  # bytes: images are drawn so
UNTOLD |= {"mid_channels": 32, "out_channels": 32}
ABOUT = """\
Count what a module launches on a device, kernel by kernel, next to PyTorch's operators.

It runs in training mode on the emulated device, also where a card answers: a card does not count.
Beside it stand the operators of the PyTorch twin that would launch something;
armlab/bench/operators.py says which do. Channels that are not told are 64 in and 32 out."""
JSON = """\
--json prints one object, --all --json a list of them:
  module, arguments, inputs, dtype, device, optimiser    the last null without --step
  parts   for each part, such as "forward":
            kernels    [{name, calls, threads}]       products  [{name, calls, multiply_adds}]
            copies     [{name, calls, bytes}]         fills     [{name, calls, bytes}]
            waits      [{name, calls}]                operators {name: calls}, of PyTorch
  read    the same lists but operators: reading the loss after a step; null without --step
  total   of all parts: kernels, products, copies, fills, waits, operators,
          pointer_tables    kernels that write pointers for broadcast products
          launches          kernels, products, copies and fills
          ratio             launches over operators
"""


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "launches",
        ABOUT.partition("\n")[0],
        "armlab launches ToyNet attention=arm channels=16 --step",
    )
    parser.description, parser.epilog = ABOUT, f"{JSON}\n{parser.epilog}"
    add_module_arguments(parser, SIZE, BATCH)
    parser.add_argument("--all", action="store_true", help="the yardstick's rows, as Markdown")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--backward", action="store_true", help="the backward as well")
    part.add_argument(
        "--step",
        action="store_true",
        help="a step of training of a network: forward, loss, backward, optimiser",
    )
    parser.add_argument(
        "--optimiser", choices=("adam", "sgd"), help=f"of the step, default {OPTIMISER}"
    )
    parser.add_argument(
        "--device", default="emulated", metavar="NAME", help="emulated, the only one that counts"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    _expect_fitting(args)
    expect_packages({"torch": "torch"}, extra="torch")
    from armlab.bench import launch_tables, yardstick
    from armlab.places import place

    asked = None if args.all else _asked(args)
    place(args.device)
    if asked is None:
        every = yardstick.counted()
        dicts = [launch_tables.as_dict(found) for found in every]
        print(as_json(dicts) if args.json else yardstick.as_markdown(every))
        return GOOD
    found = _counted(args, asked)
    print(as_json(launch_tables.as_dict(found)) if args.json else launch_tables.as_text(found))
    return GOOD


def _asked(args: argparse.Namespace) -> AskedModule:
    """The module, whose input fits into memory: refused before CuPy is there, which takes time."""
    asked = asked_module(args, UNTOLD)
    needed = sum(FLOAT64 * math.prod(shape) for shape in asked.shapes)
    expect_room(needed, f"an input of --size {args.size} and --batch {args.batch}", "give less")
    return asked


def _counted(args: argparse.Namespace, asked: AskedModule) -> Launches:
    from armlab.bench import count_launches

    try:
        if args.step:
            optimiser = args.optimiser or OPTIMISER
            return count_launches.of_step(asked.module, asked.given, asked.shapes[0], optimiser)
        return count_launches.of_module(asked.module, asked.given, asked.shapes, args.backward)
    except MemoryError as error:
        raise ValueError(
            f"expected a --size and --batch for which memory suffices, got {args.size} and "
            f"{args.batch}: give less ({error})"
        ) from None


def _expect_fitting(args: argparse.Namespace) -> None:
    """Refuse options that mean nothing together."""
    if args.device != "emulated":
        raise ValueError(
            f"expected --device emulated, got {args.device!r}: "
            "a card does not count its launches, so leave --device out"
        )
    if args.all == bool(args.module):
        got = f"{args.module} and --all" if args.all else "neither"
        raise ValueError(f"expected a module or --all, got {got}: give one, such as ToyNet")
    if args.all and (args.backward or args.step or args.optimiser):
        raise ValueError(
            "expected --all alone, got --backward, --step or --optimiser: "
            "its rows are what they are, so leave that out"
        )
    if args.optimiser and not args.step:
        raise ValueError(
            f"expected --step with --optimiser, got --optimiser {args.optimiser} alone: "
            "add --step, or leave it out"
        )
