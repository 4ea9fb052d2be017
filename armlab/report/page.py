"""The page of a report: its title, what it ran on, and its parts."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Iterator, Mapping, Sequence

import armlab
from armlab.installed import packages_with, version
from armlab.report.device import EMULATED, Device
from armlab.report.part import Part
from armlab.report.parts import PARTS


def page(device: Device, asked: Sequence[str], done: Mapping[str, Part], facts: list[str]) -> str:
    """In Markdown; of the parts that were asked for those that are done."""
    page = [f"# Run on {device.title}: {words(asked, done)}", ""]
    page += [f"{datetime.date.today()}, made by `{device.command}`.", ""]
    named = {
        "Failed": [name for name, part in done.items() if not part.good],
        "Not finished": [name for name, part in done.items() if not part.whole],
        "Not run yet": [name for name in asked if name not in done],
        "Not asked for": [name for name in device.parts if name not in asked],
    }
    for what, names in named.items():
        page += [f"{what}: {', '.join(names)}.", ""] if names else []
    page += facts
    for name, part in done.items():
        took = "" if part.seconds is None else f", {part.seconds:.0f} s"
        page += ["", f"## {PARTS[name][0]}{took}", "", *part.lines]
    return "\n".join(page) + "\n"


def words(asked: Sequence[str], done: Mapping[str, Part]) -> str:
    """How it went, in two words at most."""
    if not all(part.good for part in done.values()):
        return "FAILED"
    whole = all(name in done and done[name].whole for name in asked)
    return "all well" if whole else "not finished"


def facts(device: Device) -> list[str]:
    """The device, the system and the versions."""
    return [_device_line(device), f"- Python {platform.python_version()}", *_versions()]


def _device_line(device: Device) -> str:
    if device is EMULATED:
        return "- device: emulated, CuPy's kernels ran on the CPU; no time here is that of a card"
    import cupy

    runtime = cupy.cuda.runtime
    found = runtime.getDeviceProperties(0)
    return (
        f"- device: {found['name'].decode()}, compute capability {found['major']}.{found['minor']},"
        f" {found['totalGlobalMem'] / 2**30:.0f} GiB, {found['multiProcessorCount']} "
        f"multiprocessors; CUDA {_dotted(runtime.driverGetVersion())} of its driver, "
        f"{_dotted(runtime.runtimeGetVersion())} of CuPy"
    )


def _dotted(version: int) -> str:
    """13000 is CUDA 13.0."""
    return f"{version // 1000}.{version % 1000 // 10}"


def _versions() -> Iterator[str]:
    yield f"- armlab {armlab.__version__}"
    found = [(name, version(name)) for name in ("numpy", "torch", "array-api-compat")]
    cupy = packages_with("cupy") or dict.fromkeys(["cupy"])
    for name, number in [*cupy.items(), *found]:
        yield f"- {name} {number}" if number else f"- {name}: not under this name"
