"""`armlab cost`: parameters, multiply-adds and bytes of a module, which is not run for it."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
from typing import Any

from armlab.commands import GOOD, Commands, add_command

CHANNEL_COUNTS = ("in_channels", "channels", "num_features")
IMAGE_CHANNELS = 3


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "cost",
        "Count parameters, multiply-adds and bytes of a module, per part and per branch.",
        "armlab cost AttentionRefinementModule in_channels=512 out_channels=128 --size 32x64",
    )
    parser.add_argument("module", metavar="MODULE", help="such as BiSeNet")
    parser.add_argument(
        "arguments", nargs="*", metavar="ARG=VALUE", help="what to build it with: classes=19"
    )
    parser.add_argument("--size", required=True, metavar="HxW", help="of the input, in pixels")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="images, default 1")
    parser.add_argument(
        "--channels",
        metavar="C",
        help="of the input, with commas where there are several; "
        "default what the module is built for, or 3, an image",
    )
    parser.add_argument("--heads", action="store_true", help="run the auxiliary heads as well")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from armlab.cost.cost_table import as_dict, as_text

    given = _given(args.arguments)
    module = _built(args.module, given)
    cost = _report(module, _shapes(args, type(module), given), args.heads)
    if args.json:
        print(json.dumps(as_dict(cost) | {"arguments": given, "heads": args.heads}))
    else:
        print(as_text(cost))
    return GOOD


def _given(words: list[str]) -> dict[str, Any]:
    """["classes=19", "activation=relu"] is {"classes": 19, "activation": "relu"}."""
    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ValueError(f"expected ARG=VALUE, got {word!r}: write it as in classes=19")
        try:
            given[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):  # a word
            given[name] = value
    return given


def _built(name: str, given: dict[str, Any]) -> Any:
    from armlab import hand

    kinds = [n for n in hand.__all__ if n[0].isupper() and n != "Module"]
    if name not in kinds:
        raise ValueError(f"no module {name!r}: choose from {', '.join(kinds)}")
    kind = getattr(hand, name)
    try:
        return kind(**given)
    except (TypeError, MemoryError) as error:
        why = str(error).removeprefix(f"{name}.__init__() ")
        typed = ", ".join(f"{key}={value}" for key, value in given.items()) or "no arguments"
        raise ValueError(f"{name}{_arguments(kind)} cannot be built with {typed}: {why}") from None


def _arguments(kind: type) -> str:
    """(in_channels, out_channels, activation='leaky_relu'), without what is by keyword only."""
    found = inspect.signature(kind).parameters.values()
    shown = [p.replace(annotation=p.empty) for p in found if p.kind == p.POSITIONAL_OR_KEYWORD]
    return f"({', '.join(map(str, shown))})"


def _shapes(
    args: argparse.Namespace, kind: Any, given: dict[str, Any]
) -> list[tuple[int, int, int, int]]:
    """One shape for each input of the module."""
    size = re.fullmatch(r"([1-9]\d*)[x×]([1-9]\d*)", args.size)
    if size is None:
        raise ValueError(
            f"expected --size as HEIGHTxWIDTH in pixels, got {args.size!r}: write 1024x2048"
        )
    if args.batch < 1:
        raise ValueError(f"expected --batch of at least 1, got {args.batch}: give more")
    height, width = (int(n) for n in size.groups())
    return [(args.batch, c, height, width) for c in _channels(args.channels, kind, given)]


def _channels(typed: str | None, kind: Any, given: dict[str, Any]) -> list[int]:
    """Channels of each input: as typed, else from the first argument if it counts them, else 3."""
    inputs = list(inspect.signature(kind.forward).parameters)[1:]
    if typed is None and len(inputs) == 1:
        first = next(iter(inspect.signature(kind).parameters))
        return [given.get(first, IMAGE_CHANNELS) if first in CHANNEL_COUNTS else IMAGE_CHANNELS]
    numbers = (typed or "").split(",")
    if len(numbers) != len(inputs) or not all(re.fullmatch(r"[1-9]\d*", n) for n in numbers):
        raise ValueError(
            f"{kind.__name__} expected --channels of {' and '.join(inputs)}, got "
            f"{typed or 'none'}: give {len(inputs)}, as in {','.join(['64'] * len(inputs))}"
        )
    return [int(n) for n in numbers]


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
