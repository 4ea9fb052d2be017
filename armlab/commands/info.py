"""`armlab info`: versions and devices, for a report of a problem."""

from __future__ import annotations

import argparse
import platform

from armlab import __version__
from armlab.commands import GOOD, Commands, add_command
from armlab.installed import packages_with, version
from armlab.json_text import as_json


def add(commands: Commands) -> None:
    parser = add_command(
        commands, "info", "Print versions and the devices found.", "armlab info --json"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    found: dict[str, str | None] = {"armlab": __version__, "python": platform.python_version()}
    found |= {name: version(name) for name in ("numpy", "array-api-compat", "torch")}
    found.update(packages_with("cupy") or dict.fromkeys(["cupy"]))
    why_not = _why_not_emulated()
    cupy = _cupy_devices() + ([] if why_not else ["emulated"])
    devices = {"numpy": ["cpu"], "torch": _torch_devices(), "cupy": cupy}
    if args.json:
        known = {"versions": found, "devices": devices, "why_not_emulated": why_not or None}
        print(as_json(known))
        return GOOD
    for name, number in found.items():
        print(f"{name:<18}{number or 'not installed'}")
    for name, names in devices.items():
        print(f"{'devices of ' + name:<18}{', '.join(names) or 'none'}")
    if why_not:
        print(f"{'not emulated':<18}{why_not}")
    return GOOD


def _torch_devices() -> list[str]:
    try:
        import torch
    except ImportError:
        return []
    cuda = range(torch.cuda.device_count())
    return ["cpu", *(f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in cuda)]


def _cupy_devices() -> list[str]:
    from armlab.places import emulated

    if emulated():
        return []
    try:
        import cupy

        count = cupy.cuda.runtime.getDeviceCount()
    except Exception:  # not installed, or no driver: its error type cannot be named without it
        return []
    runtime = cupy.cuda.runtime
    return [f"cuda:{i} {runtime.getDeviceProperties(i)['name'].decode()}" for i in range(count)]


def _why_not_emulated() -> str:
    """Why CuPy cannot run on a CUDA device in software here; empty where it can."""
    from armlab import emulator

    return emulator.why_not()
