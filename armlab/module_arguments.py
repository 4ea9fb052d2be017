"""A module on the command line: its name, what to build it with, and the size of its input."""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHANNEL_COUNTS = ("in_channels", "channels", "num_features")
IMAGE_CHANNELS = 3


@dataclass(frozen=True)
class AskedModule:
    """As it was typed.

    given   arguments of the class by name
    module  built with them, by hand
    shapes  (N, C, H, W) of each input
    """

    given: dict[str, Any]
    module: Any
    shapes: list[tuple[int, int, int, int]]


def add_module_arguments(parser: argparse.ArgumentParser, size: str = "", batch: int = 1) -> None:
    """MODULE, ARG=VALUE, --size, --batch, --channels. With a default size, all may be left out."""
    default = f", default {size}" if size else ""
    parser.add_argument(
        "module", metavar="MODULE", nargs="?" if size else None, help="such as BiSeNet"
    )
    parser.add_argument(
        "arguments", nargs="*", metavar="ARG=VALUE", help="what to build it with: classes=19"
    )
    parser.add_argument(
        "--size",
        required=not size,
        default=size or None,
        metavar="HxW",
        help=f"of the input, in pixels{default}",
    )
    parser.add_argument(
        "--batch", type=int, default=batch, metavar="N", help=f"images, default {batch}"
    )
    parser.add_argument(
        "--channels",
        metavar="C",
        help="of the input, with commas where there are several; "
        "default what the module is built for, or 3, an image",
    )


def asked_module(args: argparse.Namespace, untold: Mapping[str, Any] | None = None) -> AskedModule:
    """Raises ValueError for what is no module, cannot be built, or has other inputs.

    untold  arguments that a class may need and that were not typed
    """
    typed, kind = _given(args.arguments), _kind(args.module)
    given = {k: v for k, v in (untold or {}).items() if k in _needed(kind)} | typed
    return AskedModule(given, _built(kind, given), _shapes(args, kind, given))


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


def _kind(name: str) -> Any:
    from armlab import hand

    kinds = [n for n in hand.__all__ if n[0].isupper() and n != "Module"]
    if name not in kinds:
        raise ValueError(f"no module {name!r}: choose from {', '.join(kinds)}")
    return getattr(hand, name)


def _needed(kind: type) -> list[str]:
    """The arguments without a default."""
    return [p.name for p in inspect.signature(kind).parameters.values() if p.default is p.empty]


def _built(kind: Any, given: dict[str, Any]) -> Any:
    name = kind.__name__
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
