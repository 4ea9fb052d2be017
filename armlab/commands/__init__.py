"""The commands of `armlab`, one file each: `add` declares the options, `run` does the work.

What a command needs it imports inside `run`, so that every other command works without it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

GOOD, BAD, INTERRUPTED = 0, 1, 130  # 2, wrong usage, is argparse's own
Commands = Any  # argparse gives the type of add_subparsers() no public name
Declare = Callable[[argparse.ArgumentParser], None]


class CommandParser(argparse.ArgumentParser):
    """A parser of one command. `declare` adds what it takes some time to import the options from.

    It runs once the command is asked for, so that `armlab --help` need not wait.
    """

    declare: Declare | None = None

    def parse_known_args(  # type: ignore[override]  # argparse's own is overloaded
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        if self.declare:
            declare, self.declare = self.declare, None
            declare(self)
        return super().parse_known_args(args, namespace)


def add_command(
    commands: Commands, name: str, summary: str, example: str, declare: Declare | None = None
) -> Any:
    """A subparser whose help ends in an example."""
    parser = commands.add_parser(
        name,
        help=summary.replace("%", "%%"),  # argparse formats this one, and not the description
        description=summary,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.declare = declare
    return parser


def expect_processes(args: argparse.Namespace) -> None:
    """Refuse --processes of less than one, as wrong usage."""
    if args.processes is not None and args.processes < 1:
        args.usage_error(f"--processes expected at least 1, got {args.processes}")


def fail(sentence: str, code: int) -> int:
    """Say what went wrong; the exit code is handed on."""
    tell(sentence)
    return code


def tell(sentence: str) -> None:
    """One line of standard error, at once."""
    print(f"armlab: {sentence}", file=sys.stderr, flush=True)
