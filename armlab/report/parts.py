"""The parts of a report: of each what it runs, what it says, and whether all is well."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from armlab.places import Place
from armlab.report import gpu_tables, sanitizer
from armlab.report.command import Ran, last, run
from armlab.report.device import DEVICES, EMULATED, Device

TESTS = "tests"
PATIENCE = 3600.0  # seconds that one tool of the sanitizer may take


@dataclass(frozen=True)
class Part:
    """One part of the page, and whether all is well there."""

    good: bool
    lines: Sequence[str]


def _tests(device: Device, where: Place) -> Part:
    ran = run([sys.executable, "-m", "pytest", "-q", *device.tests, TESTS])
    said = last(ran.output if ran.output.strip() else ran.errors)
    line = f"- `pytest {' '.join(device.tests)}`: {said}, {ran.seconds:.0f} s"
    return Part(ran.code == 0, [line])


def _training(device: Device, where: Place) -> Part:
    train = ["train", "--backend", "cupy", *device.training, "--json"]
    ran = run([sys.executable, "-m", "armlab", *train])
    lines = [f"- `armlab {' '.join(train)}`: exit {ran.code}, {ran.seconds:.0f} s", ""]
    if ran.code:
        return Part(False, [*lines, f"The training failed: {last(ran.errors)}"])
    return Part(True, [*lines, *gpu_tables.training(json.loads(ran.output)["runs"])])


def _errors(device: Device, where: Place) -> Part:
    from armlab.check import table
    from armlab.check.cases import CASES

    options = dict(device.table)
    if device.parts:
        options["names"] = [case.name for case in CASES.values() if case.share == 1]
    rows = list(table.rows(place=where, **options))
    lines = ["Largest error over its bound, by hand on CuPy against float64,"]
    lines += [f"{options['examples']} examples each, or as many as bring up every kind:", ""]
    good = bool(rows) and all(row.holds for row in rows)
    return Part(good, [*lines, *gpu_tables.errors(rows)])


def _bandwidth(device: Device, where: Place) -> Part:
    found, ran = _measured("bandwidth", device)
    counted = _counted("bandwidth", found, device)
    launches = {gpu_tables.key(row): row.get("launches") for row in (counted or found)["rows"]}
    return Part(ran.code == 0, [*gpu_tables.bandwidth(found, launches), *_why_dashes(counted)])


def _steps(device: Device, where: Place) -> Part:
    found, ran = _measured("card_steps", device, *device.steps)
    counted = _counted("card_steps", found, device)
    launches = {row["net"]: row.get("launches") for row in counted or found}
    return Part(ran.code == 0, [*gpu_tables.steps(found, launches), *_why_dashes(counted)])


def _measured(module: str, device: Device, *options: str) -> tuple[Any, Ran]:
    """What a module of `armlab.bench` prints. RuntimeError where it prints nothing."""
    name = next(name for name, each in DEVICES.items() if each is device)
    ran = run([sys.executable, "-m", f"armlab.bench.{module}", "--device", name, *options])
    if not ran.output.strip():
        raise RuntimeError(f"exit {ran.code}: {last(ran.errors)}")
    return json.loads(last(ran.output)), ran


def _counted(module: str, found: Any, device: Device) -> Any:
    """The same on the emulated device, as a card does not count; None where that cannot be."""
    if device is EMULATED:
        return found
    try:
        return _measured(module, EMULATED)[0]
    except (RuntimeError, ValueError):
        return None


def _why_dashes(counted: Any) -> list[str]:
    if counted is not None:
        return ["", "Launches are those that the emulated device counts."]
    return ["", "Launches were not counted: the emulated device, which counts, does not run here."]


def _sanitizer(device: Device, where: Place) -> Part:
    program = None if device is EMULATED else sanitizer.found()
    if program is None:
        return Part(True, [sanitizer.NO_CARD if device is EMULATED else sanitizer.ABSENT])
    verdicts = []
    for tool in sanitizer.TOOLS:
        try:
            ran = run(sanitizer.command(program, tool), PATIENCE)
            verdicts.append(sanitizer.verdict(tool, ran.code, ran.output + ran.errors))
        except subprocess.TimeoutExpired:
            verdicts.append((False, f"- {tool}: not done after {PATIENCE:.0f} s"))
    return Part(all(good for good, _ in verdicts), [line for _, line in verdicts])


PARTS: dict[str, Callable[[Device, Place], Part]] = {
    "tests": _tests,
    "training": _training,
    "errors": _errors,
    "bandwidth of the kernels": _bandwidth,
    "steps of training": _steps,
    "compute-sanitizer": _sanitizer,
}
