"""The two devices that a report is made of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

SMALL = ("--images", "2", "3", "32", "32")


@dataclass(frozen=True)
class Device:
    """What a report of this device says and runs.

    title     where it ran, in the title
    command   that makes it
    file      where it is written to
    tests     options of pytest
    table     what `table.rows` is asked for; without networks where `parts`
    training  options of `armlab train`
    steps     options of `armlab.bench.card_steps`
    """

    title: str
    command: str
    file: Path
    tests: tuple[str, ...]
    table: dict[str, Any]
    training: tuple[str, ...]
    steps: tuple[str, ...] = ()
    parts: bool = False


GPU = Device(
    title="a GPU",
    command="make gpu",
    file=Path("gpu-report.md"),
    tests=("-m", "gpu", "--device", "cuda"),
    table={"examples": 100},
    training=("--device", "cuda"),
)
EMULATED = Device(  # with less of everything
    title="the emulated device, not a GPU",
    command="make emulated",
    file=Path("emulated-report.md"),
    tests=("-m", "emulated", "--device", "emulated", "-n", "auto", "--maxprocesses", "4"),
    table={"examples": 10, "dtypes": ("float32",)},
    training=("--device", "emulated", "--steps", "10", "--batch", "4", "--size", "48"),
    steps=SMALL,
    parts=True,
)
DEVICES = {"cuda": GPU, "emulated": EMULATED}
