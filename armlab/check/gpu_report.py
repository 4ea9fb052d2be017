"""`make gpu` and `make emulated`: the tests, the table and the training on CuPy, in a report."""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlab.arrays import Place, place
from armlab.check import table
from armlab.check.cases import CASES

TESTS = Path("tests")


@dataclass(frozen=True)
class Device:
    """What a report of this device says and runs.

    title     where it ran, in the title
    command   that makes it
    file      where it is written to
    tests     options of pytest
    table     what `table.rows` is asked for
    training  options of `armlab train`
    """

    title: str
    command: str
    file: Path
    tests: tuple[str, ...]
    table: dict[str, Any]
    training: tuple[str, ...]


GPU = Device(
    title="a GPU",
    command="make gpu",
    file=Path("gpu-report.md"),
    tests=("-m", "gpu", "--device", "cuda"),
    table={"examples": 100},
    training=("--device", "cuda"),
)
PARTS = [case.name for case in CASES.values() if case.share == 1]  # but no whole network
EMULATED = Device(  # with less of everything
    title="the emulated device, not a GPU",
    command="make emulated",
    file=Path("emulated-report.md"),
    tests=("-m", "emulated", "--device", "emulated", "-n", "auto", "--maxprocesses", "4"),
    table={"examples": 10, "dtypes": ("float32",), "names": PARTS},
    training=("--device", "emulated", "--steps", "10", "--batch", "4", "--size", "48"),
)
DEVICES = {"cuda": GPU, "emulated": EMULATED}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything on the device and write the report. 1 where that cannot be or a part fails."""
    args = _parser().parse_args(arguments)
    device: Device = DEVICES[args.device]
    if not TESTS.is_dir():
        print(f"no report: no {TESTS} here, use a clone of the repository", file=sys.stderr)
        return 1
    try:
        where = place(args.device)
    except RuntimeError as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    good, page = _report(device, where)
    out = args.out or device.file
    out.write_text(page, encoding="utf-8")
    print(f"written to {out}: {'all well' if good else 'FAILED'}")
    return 0 if good else 1


def _report(device: Device, where: Place) -> tuple[bool, str]:
    """Whether all is well there, and the page that says so."""
    tests = _run([sys.executable, "-m", "pytest", "-q", *device.tests, str(TESTS)])
    rows = list(table.rows(place=where, **device.table))
    train = ["train", "--backend", "cupy", *device.training, "--json"]
    trained = _run([sys.executable, "-m", "armlab", *train])
    good = tests.code == trained.code == 0 and all(row.holds for row in rows)
    page = [f"# Run on {device.title}: {'all well' if good else 'FAILED'}", ""]
    page += [f"{datetime.date.today()}, made by `{device.command}`.", ""]
    page += [_device_line(device), *_versions(), ""]
    page += [f"- `pytest {' '.join(device.tests)}`: {_last(tests.output)}, {tests.seconds:.0f} s"]
    page += [f"- `armlab {' '.join(train)}`: exit {trained.code}, {trained.seconds:.0f} s", ""]
    page += [*_training(trained), ""]
    page += ["Largest error over its bound, by hand on CuPy against float64,"]
    page += [f"{device.table['examples']} examples each, or as many as bring up every kind:", ""]
    return good, "\n".join([*page, *_errors(rows)]) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m armlab.check.gpu_report", description=__doc__)
    parser.add_argument(
        "--device",
        choices=list(DEVICES),
        default="cuda",
        help="a GPU, which is the default, or the emulated device, with less of everything",
    )
    files = " or ".join(str(device.file) for device in DEVICES.values())
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"default {files}")
    return parser


@dataclass(frozen=True)
class Ran:
    """What a command gave, and how long it took."""

    code: int
    output: str
    errors: str
    seconds: float


def _last(text: str) -> str:
    """The last line that is not empty."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


def _run(command: list[str]) -> Ran:
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return Ran(done.returncode, done.stdout, done.stderr, time.perf_counter() - started)


def _device_line(device: Device) -> str:
    if device is EMULATED:
        return "- device: emulated, CuPy's kernels ran on the CPU; no time here is that of a card"
    import cupy

    name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return f"- device: {name}, CUDA runtime {cupy.cuda.runtime.runtimeGetVersion()}"


def _versions() -> Iterator[str]:
    for name in ("armlab", "numpy", "cupy-cuda12x", "torch", "array-api-compat"):
        try:
            yield f"- {name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"- {name}: not under this name"


def _training(trained: Ran) -> list[str]:
    if trained.code:
        return [f"The training failed: {_last(trained.errors)}"]
    runs = json.loads(trained.output)["runs"]
    lines = ["| attention | mIoU | A against B | parameters | seconds |", "|---|---|---|---|---|"]
    return lines + [
        f"| {name} | {r['miou']:.3f} | {r['told_apart']:.3f} | {r['parameters']} "
        f"| {r['seconds']:.1f} |"
        for name, r in runs.items()
    ]


def _errors(rows: list[table.ResultRow]) -> list[str]:
    worst: dict[tuple[str, str], table.ResultRow] = {}
    for row in rows:
        key = (row.module, row.dtype)
        if key not in worst or row.hand_ratio >= worst[key].hand_ratio:
            worst[key] = row
    lines = ["| module | dtype | result | error / bound |", "|---|---|---|---|"]
    return lines + [
        f"| {r.module} | {r.dtype} | {r.result} | {r.hand_ratio:.2f} |" for r in worst.values()
    ]


if __name__ == "__main__":
    sys.exit(main())
