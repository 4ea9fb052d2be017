"""`armlab cost`: parameters, multiply-adds and bytes of a module, which is not run for it."""

from __future__ import annotations

import argparse
from typing import Any

from armlab.commands import GOOD, Commands, add_command
from armlab.json_text import as_json
from armlab.module_arguments import add_module_arguments, asked_module


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "cost",
        "Count parameters, multiply-adds and bytes of a module, per part and per branch.",
        "armlab cost AttentionRefinementModule in_channels=512 out_channels=128 --size 32x64",
    )
    add_module_arguments(parser)
    parser.add_argument("--heads", action="store_true", help="run the auxiliary heads as well")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from armlab.cost.cost_table import as_dict, as_text

    asked = asked_module(args)
    cost = _report(asked.module, asked.shapes, args.heads)
    if args.json:
        print(as_json(as_dict(cost) | {"arguments": asked.given, "heads": args.heads}))
    else:
        print(as_text(cost))
    return GOOD


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
