"""The two devices that a report is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SMALL = ("--images", "2", "3", "32", "32")


@dataclass(frozen=True)
class Device:
    """What a report of this device says and runs.

    name      as `--device` has it
    title     where it ran, in the title
    command   that makes it
    file      where it is written to
    parts     by name, those that tell most in a minute first
    tests     options of pytest
    errors    options of `armlab.report.error_rows`
    training  options of `armlab train`
    steps     options of `armlab.bench.card_steps`
    """

    name: str
    title: str
    command: str
    file: Path
    parts: tuple[str, ...]
    tests: tuple[str, ...]
    errors: tuple[str, ...]
    training: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


GPU = Device(
    name="cuda",
    title="a GPU",
    command="make gpu",
    file=Path("gpu-report.md"),
    parts=(
        *("steps", "bandwidth", "sanitizer", "training"),
        *("tests", "errors", "sanitizer-examples", "launches"),
    ),
    tests=("-m", "gpu"),
    errors=("--examples", "30"),
)
EMULATED = Device(  # with less of everything
    name="emulated",
    title="the emulated device, not a GPU",
    command="make emulated",
    file=Path("emulated-report.md"),
    parts=("steps", "bandwidth", "sanitizer", "training", "tests", "errors"),
    tests=("-m", "emulated"),
    errors=("--examples", "10", "--dtype", "float32", "--without-networks"),
    training=("--steps", "10", "--batch", "4", "--size", "48"),
    steps=SMALL,
)
DEVICES = {device.name: device for device in (GPU, EMULATED)}
