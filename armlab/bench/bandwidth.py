"""The bandwidth that each CUDA kernel reaches on a card, next to a copy on the same card.

    python -m armlab.bench.bandwidth --device cuda

The bytes are the floor of a `kernel_call`, so a kernel that reads twice has a low figure. The time
is that of the device alone, for arrays that are in no cache: see `card_clock`. "copy_gbps" is that
of its copies. The row "copy" is a copy of one array of the kernels' size: so much less is in reach
of a short launch.

The emulated device has no times that mean anything: there `launches` are counted, and the rest
is null. A call that fails has "failed", a sentence, and the others are measured still. It prints a
line of JSON for what is true of all, and then one for each row as it comes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from armlab.bench.card_clock import MOST, ROUNDS, Clock
from armlab.bench.kernel_call import KernelCall
from armlab.bench.kernel_calls import SIZE, Size, asked, of_state
from armlab.bench.launches import queued_by
from armlab.bench.on_cupy import Row, at_place, print_rows, said
from armlab.places import Place, device_name
from armlab.terminal import at_terminal


def measure(
    where: Place, size: Size = SIZE, most: int = MOST, rounds: int = ROUNDS
) -> Iterator[Row]:
    """{"device", "size", "copy_gbps"}, then each row of the table, forward and backward."""
    with where.device:
        clock = None if device_name(where.device) == "emulated" else Clock(where, most, rounds)
        copy = None if clock is None else clock.copy_gbps()
        yield {"device": device_name(where.device), "size": [*size], "copy_gbps": copy}
        for call in _calls(where, size):
            yield _row(call, clock, copy)


def _calls(where: Place, size: Size) -> Iterator[KernelCall | Row]:
    """Every call, and for what cannot even be prepared the row that says so."""
    yield _copied(where, size)
    for each in asked(where, size):
        try:
            yield from each.parts()
        except Exception as error:
            on = list(each.arguments[0].shape)
            yield {"function": each.name, "part": "both", "on": on, "failed": said(error)}
    try:
        yield from of_state(where, size)
    except Exception as error:
        yield {"function": "of state", "part": "all", "on": [*size], "failed": said(error)}


def _copied(where: Place, size: Size) -> KernelCall:
    """A copy of an array as large as those of the kernels."""
    x = where.xp.ones(size, dtype="float32")
    y = where.xp.empty_like(x)

    def copy() -> Any:
        y.data.copy_from_device_async(x.data, x.nbytes)
        return y

    return KernelCall("copy", "forward", size, copy, (x,))


def _row(call: KernelCall | Row, clock: Clock | None, copy: float | None) -> Row:
    if isinstance(call, dict):
        return call
    row: Row = {"function": call.function, "part": call.part, "on": [*call.on]}
    try:
        read, written = call.floor()
        row |= {"read": read, "written": written}
        if clock is None or copy is None:
            launches = queued_by(call.run)  # of a second run: `floor` was the first
            return row | {"launches": launches, "us": None, "gbps": None, "share": None}
        seconds = clock.seconds(call.run)
    except Exception as error:  # whatever a kernel or a driver may raise: the next row follows
        return row | {"failed": said(error)}
    gbps = (read + written) / seconds / 1e9
    return row | {"launches": None, "us": 1e6 * seconds, "gbps": gbps, "share": gbps / copy}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the rows. 1 where a call failed, or there is no such device."""
    parser = argparse.ArgumentParser(prog="python -m armlab.bench.bandwidth")
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 or emulated")
    parser.add_argument("--size", type=int, nargs=4, default=SIZE, metavar=("N", "C", "H", "W"))
    args = parser.parse_args(arguments)
    rows = lambda where: print_rows(measure(where, tuple(args.size)))  # noqa: E731
    return at_place("bandwidth", args.device, rows)


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
