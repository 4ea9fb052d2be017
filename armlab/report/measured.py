"""The parts that come out of programs which print one line of JSON for each row."""

from __future__ import annotations

import json
import sys
from typing import Any

from armlab.report import gpu_tables
from armlab.report.command import Ran, last, run
from armlab.report.device import EMULATED, Device
from armlab.report.part import Part, Time

Rows = list[dict[str, Any]]


def rows_of(module: str, *options: str, time: Time) -> tuple[Rows, Ran]:
    """What it printed. RuntimeError where that is nothing and it was not stopped."""
    ran = run([sys.executable, "-m", module, *options], time.left(), aloud=False)
    lines = ran.output.splitlines(keepends=True)
    if ran.stopped and lines and not lines[-1].endswith("\n"):
        lines.pop()  # cut off
    if not lines and not ran.stopped:
        raise RuntimeError(f"exit {ran.code}: {last(ran.errors)}")
    return [json.loads(line) for line in lines], ran


def bandwidth(device: Device, time: Time) -> Part:
    rows, ran = rows_of("armlab.bench.bandwidth", "--device", device.name, time=time)
    return _part(list(gpu_tables.bandwidth(rows)), rows, ran)


def steps(device: Device, time: Time) -> Part:
    options = "--device", device.name, *device.steps
    rows, ran = rows_of("armlab.bench.card_steps", *options, time=time)
    return _part(list(gpu_tables.steps(rows)), rows, ran)


def errors(device: Device, time: Time) -> Part:
    options = "--device", device.name, *device.errors
    rows, ran = rows_of("armlab.report.error_rows", *options, time=time)
    lines = ["Largest error over its bound, by hand on CuPy against float64,"]
    lines += [f"{device.errors[1]} examples each, or as many as bring up every kind:", ""]
    return _part([*lines, *gpu_tables.errors(rows)], rows, ran)


def launches(device: Device, time: Time) -> Part:
    """Counted on the emulated device, as a card does not count."""
    where = "--device", EMULATED.name
    of_steps, ran = rows_of("armlab.bench.card_steps", *where, time=time)
    lines = ["Counted on the emulated device.", "", *gpu_tables.steps(of_steps)]
    of_calls, ran_too = rows_of("armlab.bench.bandwidth", *where, time=time)
    lines += ["", *gpu_tables.bandwidth(of_calls)]
    first = _part([], of_steps, ran)
    second = _part([*lines, *first.lines], of_calls, ran_too)
    return Part(first.good and second.good, second.lines).after(ran, ran_too)


def _part(lines: list[str], rows: Rows, ran: Ran) -> Part:
    """What is well, and why it ended where that is no row's fault."""
    failed = any("failed" in row or row.get("holds") is False for row in rows)
    if ran.code and not ran.stopped and not failed:
        lines += ["", f"It ended too early, with exit {ran.code}: {last(ran.errors)}"]
    return Part(not failed and (ran.stopped or not ran.code), lines).after(ran)
