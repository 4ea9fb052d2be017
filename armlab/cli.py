"""The command line: `armlab` and `python -m armlab`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from armlab.commands import (
    BAD,
    INTERRUPTED,
    CommandParser,
    ablate,
    bench,
    check,
    convert,
    cost,
    data,
    fail,
    info,
    launches,
    lessons,
    predict,
    train,
)
from armlab.terminal import at_terminal, leave_if_unread


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    0 good, 1 bad input or failed check, 2 wrong usage, 130 interrupted; SystemExit with 141 where
    nobody reads what it prints.
    """
    with at_terminal():
        args = _parser().parse_args(argv)
        args.typed = list(sys.argv[1:] if argv is None else argv)
        try:
            code: int = args.run(args)
            return code
        except KeyboardInterrupt:
            return fail("interrupted", INTERRUPTED)
        except MemoryError as error:  # of the host or, from CuPy, of a card
            words = str(error) or "no more is to be had"
            return fail(f"memory ran out: {words}: give a smaller batch, size or width", BAD)
        except (ValueError, RuntimeError, OSError) as error:
            leave_if_unread()
            return fail(" ".join(str(error).split()), BAD)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="armlab", description="Attention refinement, by hand and in PyTorch."
    )
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
    )
    every = (train, ablate, predict, data, check, bench, cost, launches, lessons, convert, info)
    for command in every:
        command.add(commands)
    return parser
