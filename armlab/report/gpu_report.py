"""`make gpu` and `make emulated`: all that a device can show, part by part, in a report.

A part that fails says so in its place and in the title, and the others are written all the same.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from armlab.places import Place, place
from armlab.report.device import DEVICES, EMULATED, Device
from armlab.report.parts import PARTS, TESTS, Part
from armlab.terminal import at_terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything on the device and write the report. 1 where that cannot be or a part fails."""
    args = _parser().parse_args(arguments)
    device: Device = DEVICES[args.device]
    if not Path(TESTS).is_dir():
        print(f"no report: no {TESTS} here, use a clone of the repository", file=sys.stderr)
        return 1
    try:
        where = place(args.device)
    except RuntimeError as error:
        print(f"no report: {error}", file=sys.stderr)
        return 1
    out, done = args.out or device.file, dict[str, Part]()
    for name, part in PARTS.items():
        done[name] = _made(part, device, where)
        out.write_text(_page(device, done), encoding="utf-8")  # what is there, should the next die
    good = all(part.good for part in done.values())
    print(f"written to {out}: {'all well' if good else 'FAILED'}")
    return 0 if good else 1


def _made(part: Callable[[Device, Place], Part], device: Device, where: Place) -> Part:
    """The part, or that it failed, whatever was raised."""
    try:
        return part(device, where)
    except Exception as error:
        said = (str(error).splitlines() or ["without a word"])[0]
        return Part(False, [f"This part failed: {type(error).__name__}: {said}"])


def _page(device: Device, done: Mapping[str, Part]) -> str:
    failed = [name for name, part in done.items() if not part.good]
    words = "FAILED" if failed else "all well" if len(done) == len(PARTS) else "not finished"
    page = [f"# Run on {device.title}: {words}", ""]
    page += [f"{datetime.date.today()}, made by `{device.command}`.", ""]
    page += [f"Failed: {', '.join(failed)}.", ""] if failed else []
    if missing := [name for name in PARTS if name not in done]:
        page += [f"Not run yet: {', '.join(missing)}.", ""]
    page += [_device_line(device), *_versions()]
    for name, part in done.items():
        page += ["", f"## {name[0].upper()}{name[1:]}", "", *part.lines]
    return "\n".join(page) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m armlab.report.gpu_report", description=__doc__)
    parser.add_argument(
        "--device",
        choices=list(DEVICES),
        default="cuda",
        help="a GPU, which is the default, or the emulated device, with less of everything",
    )
    files = " or ".join(str(device.file) for device in DEVICES.values())
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"default {files}")
    return parser


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


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
