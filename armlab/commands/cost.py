"""`armlab cost`: parameters, multiply-adds and bytes of a module, which is not run for it."""

from __future__ import annotations

import argparse
import math
from typing import Any

from armlab.commands import GOOD, Commands, add_command, expect_processes
from armlab.json_text import as_json
from armlab.module_arguments import AskedModule, add_module_arguments, asked_module

# What each of several processes reaches, unless told: the order of cards with a fast network.
RANK = {
    "tflops": (10.0, "10^12 flops a second, in the whole of a step"),
    "latency": (10.0, "microseconds of a message between two, however short"),
    "bandwidth": (10.0, "10^9 bytes that one sends in a second"),
}


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "cost",
        "Count parameters, multiply-adds and bytes of a module, per part and per branch.",
        "armlab cost AttentionRefinementModule in_channels=512 out_channels=128 --size 32x64",
    )
    add_module_arguments(parser)
    parser.add_argument("--heads", action="store_true", help="run the auxiliary heads as well")
    parser.add_argument(
        "--processes", type=int, metavar="N", help="also a step of training shared out among 1 to N"
    )
    for name, (default, about) in RANK.items():
        parser.add_argument(
            f"--{name}", type=float, metavar="X", help=f"{about}, default {default}"
        )
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    from armlab.cost import cost_table, scale_table

    _expect_options(args)
    asked = asked_module(args)
    cost = _report(asked.module, asked.shapes, args.heads)
    scale = _scale(args, asked) if args.processes else None
    if args.json:
        found = cost_table.as_dict(cost) | {"arguments": asked.given, "heads": args.heads}
        shared = {"processes": scale_table.as_dict(scale, args.processes)} if scale else {}
        print(as_json(found | shared))
    else:
        tables = [cost_table.as_text(cost)]
        tables += [scale_table.as_text(scale, args.processes)] if scale else []
        print("\n\n".join(tables))
    return GOOD


def _expect_options(args: argparse.Namespace) -> None:
    expect_processes(args)
    for name in RANK:
        value = getattr(args, name)
        if value is None:
            continue
        if args.processes is None:
            args.usage_error(f"--{name} is that of each of several processes: give --processes")
        if not 0 < value < math.inf:
            args.usage_error(f"--{name} expected a number above 0, got {value}")


def _scale(args: argparse.Namespace, asked: AskedModule) -> Any:
    from armlab.cost.scale import Rank, Scale

    flops, latency, bandwidth = (
        default if (given := getattr(args, name)) is None else given
        for name, (default, _) in RANK.items()
    )
    rank = Rank(flops * 1e12, latency * 1e-6, bandwidth * 1e9)
    return Scale(asked.module, asked.shapes, rank)


def _report(module: Any, shapes: list[tuple[int, int, int, int]], heads: bool) -> Any:
    """The cost in evaluation mode, with the auxiliary heads if they are asked for."""
    from armlab.cost import ModuleCost

    cost = ModuleCost(module.eval(), *shapes)
    if not heads:
        return cost
    module.training = True  # the network runs its heads; its parts stay in evaluation mode
    with_heads = ModuleCost(module, *shapes)
    if with_heads.modules.keys() == cost.modules.keys():
        raise ValueError(f"{type(module).__name__} has no auxiliary heads: leave out --heads")
    return with_heads
