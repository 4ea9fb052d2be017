"""The commands of `armlab`, one file each: `add` declares the options, `run` does the work.

What a command needs it imports inside `run`, so that every other command works without it.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

GOOD, BAD, INTERRUPTED = 0, 1, 130  # 2, wrong usage, is argparse's own
Commands = Any  # argparse gives the type of add_subparsers() no public name


def add_command(commands: Commands, name: str, summary: str, example: str) -> Any:
    """A subparser whose help ends in an example."""
    return commands.add_parser(
        name,
        help=summary.replace("%", "%%"),  # argparse formats this one, and not the description
        description=summary,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def fail(sentence: str, code: int) -> int:
    """Say on one line of standard error what went wrong; the exit code is handed on."""
    print(f"armlab: {sentence}", file=sys.stderr)
    return code
