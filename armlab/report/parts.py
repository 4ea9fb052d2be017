"""The parts of a report by name: of each what it runs, what it says, and whether all is well."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec

from armlab.report import gpu_tables, measured, sanitizer
from armlab.report.command import last, run
from armlab.report.device import EMULATED, Device
from armlab.report.part import Part, Time

TESTS = "tests"
PROCESSES = 4  # that share a card
WITHOUT = (  # the lessons need a kernel of Jupyter; a file without its packages stops no other
    *("--ignore", f"{TESTS}/lessons", "--continue-on-collection-errors"),
    # what the next NumPy or PyTorch will do without is no matter of this device
    *("-W", "default::DeprecationWarning", "-W", "default::FutureWarning"),
)
SHARE = {"CUPY_GPU_MEMORY_LIMIT": f"{80 // PROCESSES}%"}  # of the memory, for each process
NAMED = 20  # tests that failed


def _tests(device: Device, time: Time) -> Part:
    options = [*device.tests, "--device", device.name, *WITHOUT, *_at_once(device)]
    share = {} if device is EMULATED or "-n" not in options else SHARE
    command = [sys.executable, "-m", "pytest", "-q", *options, TESTS]
    ran = run(command, time.left(), share | os.environ)
    said = last(ran.output if ran.output.strip() else ran.errors)
    lines = [f"- `pytest {' '.join(options)}`: {said}"]
    failed = [f for f in ran.output.splitlines() if f.startswith(("FAILED ", "ERROR "))]
    lines += [f"- `{f}`" for f in failed[:NAMED]]
    return Part(not failed and (ran.stopped or ran.code == 0), lines).after(ran)


def _at_once(device: Device) -> list[str]:
    """How many processes run the tests: one where pytest-xdist is not here or a card wants that."""
    if find_spec("xdist") is None or (device is not EMULATED and _is_exclusive()):
        return []
    return ["-n", "auto", "--maxprocesses", str(PROCESSES), "--dist", "worksteal"]


def _is_exclusive() -> bool:
    """Whether the card takes one process at a time, as its administrator may have told it to."""
    import cupy

    runtime = cupy.cuda.runtime
    return bool(runtime.deviceGetAttribute(runtime.cudaDevAttrComputeMode, 0))


def _training(device: Device, time: Time) -> Part:
    train = ["train", "--backend", "cupy", "--device", device.name, *device.training, "--json"]
    ran = run([sys.executable, "-m", "armlab", *train], time.left(), aloud=False)
    lines = [f"- `armlab {' '.join(train)}`: exit {ran.code}", ""]
    if ran.stopped:
        return Part(True, [*lines, f"It last said: {last(ran.errors)}"]).after(ran)
    if ran.code:
        return Part(False, [*lines, f"The training failed: {last(ran.errors)}"])
    return Part(True, [*lines, *gpu_tables.training(json.loads(ran.output)["runs"])])


PARTS: dict[str, tuple[str, Callable[[Device, Time], Part]]] = {  # by name: title, what makes it
    "steps": ("Steps of training", measured.steps),
    "bandwidth": ("Bandwidth of the kernels", measured.bandwidth),
    "sanitizer": ("compute-sanitizer", sanitizer.of_calls),
    "training": ("Training", _training),
    "tests": ("Tests", _tests),
    "errors": ("Errors", measured.errors),
    "sanitizer-examples": ("compute-sanitizer by examples", sanitizer.of_examples),
    "launches": ("Launches", measured.launches),
}
