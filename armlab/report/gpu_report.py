"""`make gpu` and `make emulated`: all that a device can show, part by part, in a report.

A part that fails says so in its place and in the title, and the others are written all the same.
The page is written after each, so one that is cut off holds what there was by then.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from armlab.places import place
from armlab.report.device import DEVICES, Device
from armlab.report.page import facts, page, words
from armlab.report.part import NO_TIME, Part, Time
from armlab.report.parts import PARTS, TESTS
from armlab.terminal import at_terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for and write the report. 1 where that cannot be, or not all is well."""
    parser = _parser()
    args = parser.parse_args(arguments)
    device: Device = DEVICES[args.device]
    if args.minutes is not None and args.minutes <= 0:
        parser.error(f"--minutes expected more than 0, got {args.minutes:g}: give more")
    asked = [name for name in device.parts if name in (args.parts or device.parts)]
    if unknown := set(args.parts or ()) - set(device.parts):
        parser.error(f"{device.command} has no part {min(unknown)}: {', '.join(device.parts)}")
    if not Path(TESTS).is_dir():
        print(f"no report: no {TESTS} here, use a clone of the repository", file=sys.stderr)
        return 1
    try:
        place(device.name)
    except RuntimeError as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    out = args.out or _file(device, asked)
    return _made(device, asked, Time(args.minutes), out)


def _made(device: Device, asked: Sequence[str], budget: Time, out: Path) -> int:
    said, done = facts(device), dict[str, Part]()
    print("\n".join(said), flush=True)
    for number, name in enumerate(asked, start=1):
        print(f"\n[{number} of {len(asked)}] {name}", flush=True)
        started = time.perf_counter()
        part = _part(name, device, budget)
        done[name] = replace(part, seconds=time.perf_counter() - started)
        out.write_text(page(device, asked, done, said), encoding="utf-8")
        print("\n".join(part.lines), flush=True)
        how = words([name], done | {name: part}) if part.good else "FAILED"
        print(f"[{number} of {len(asked)}] {name}: {how}, {done[name].seconds:.0f} s", flush=True)
    how = words(asked, done)
    print(f"written to {out}: {how}")
    return 0 if how == "all well" else 1


def _part(name: str, device: Device, budget: Time) -> Part:
    """The part, or that there was no time, or that it failed, whatever was raised."""
    if not budget.left():
        return Part(True, [NO_TIME], whole=False)
    try:
        return PARTS[name][1](device, budget)
    except Exception as error:
        said = (str(error).splitlines() or ["without a word"])[0]
        return Part(False, [f"This part failed: {type(error).__name__}: {said}"])


def _file(device: Device, asked: Sequence[str]) -> Path:
    """Some parts alone have a file of their own, and do not take the place of all."""
    some = [] if len(asked) == len(device.parts) else asked
    return device.file.with_stem("-".join([device.file.stem, *some]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m armlab.report.gpu_report", description=__doc__)
    parser.add_argument(
        "--device",
        choices=list(DEVICES),
        default="cuda",
        help="a GPU, which is the default, or the emulated device, with less of everything",
    )
    words = f"only these of {', '.join(PARTS)}; they run in this order"
    parser.add_argument("--parts", nargs="+", metavar="NAME", help=words)
    words = "for all of it: a part that takes longer is stopped, what it showed by then is kept"
    parser.add_argument("--minutes", type=float, metavar="M", help=words)
    files = " or ".join(str(device.file) for device in DEVICES.values())
    words = f"default {files}, with the names of the parts where not all are asked for"
    parser.add_argument("--out", type=Path, metavar="FILE", help=words)
    return parser


if __name__ == "__main__":
    with at_terminal():
        signal.signal(
            signal.SIGTERM, lambda *_: sys.exit(143)
        )  # so that what runs is ended as well
        sys.exit(main())
