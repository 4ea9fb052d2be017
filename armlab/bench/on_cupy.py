"""What the programs have in common that measure on a card: their device, and rows as they come."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from armlab.extras import expect_packages
from armlab.places import HOST, Place, place

Row = dict[str, Any]


def at_place(
    program: str, device: str, run: Callable[[Place], int], *, judges: bool = False
) -> int:
    """What this returns at CuPy's place. 1, and one line on standard error, where there is none.

    judges  whether it needs what draws examples and what judges them
    """
    try:
        if judges:
            expect_packages({"hypothesis": "hypothesis", "torch": "torch"}, extra="torch,test")
        where = place(device)
        if where == HOST:
            raise ValueError(
                "expected device 'cuda', 'cuda:N' or 'emulated', got 'cpu': choose one"
            )
    except (RuntimeError, ValueError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    return run(where)


def print_rows(rows: Iterable[Row]) -> int:
    """A line of JSON for each as it comes. 1 where one has "failed", or does not hold."""
    good = True
    for row in rows:
        print(json.dumps(row), flush=True)
        good = good and "failed" not in row and row.get("holds", True)
    return int(not good)


def said(error: Exception) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
