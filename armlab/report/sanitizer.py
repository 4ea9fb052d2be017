"""What compute-sanitizer says of the kernels, where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from armlab.report.command import Ran, last, run
from armlab.report.device import EMULATED, Device
from armlab.report.part import NO_TIME, Part, Time

NAME = "compute-sanitizer"
TOOLS = {  # what each is asked beyond its name
    # accesses outside of arrays; calls that CUDA's own libraries make in vain are nobody's fault
    "memcheck": ("--report-api-errors", "no"),
    "racecheck": (),  # races within shared memory
}
SUMMARY = re.compile(r"=+ (?:ERROR|RACECHECK) SUMMARY: .*")
CLEAN = re.compile(r"SUMMARY: 0 (?:errors|hazards)\b")
WRONG = 86  # what it exits with where it found something; the program itself never does
ABSENT = f"{NAME} is not installed here, so memcheck and racecheck did not run."
NO_CARD = f"{NAME} watches cards, and here is none."
REFUSED = "Device not supported"
REFUSES = f"{NAME} does not watch this card, it says: {REFUSED}."
GROUP, SHOWN = 8, 20  # functions that are watched in one run; lines of what it found


def of_calls(device: Device, time: Time) -> Part:
    """One call of every kernel under each tool."""
    return _watched(device, time, [()])


def of_examples(device: Device, time: Time) -> Part:
    """The examples of some functions at a time, so that a run that is stopped costs only these."""
    from armlab.report.sanitized import names

    every = names()
    return _watched(device, time, [every[i : i + GROUP] for i in range(0, len(every), GROUP)])


def _watched(device: Device, time: Time, groups: Sequence[Sequence[str]]) -> Part:
    program = None if device is EMULATED else found()
    if program is None:
        return Part(True, [NO_CARD if device is EMULATED else ABSENT])
    part, runs = Part(True, []), list[Ran]()
    for tool in TOOLS:
        for names in groups:
            about = f"- {tool}, {', '.join(names) or 'one call of every kernel'}"
            if not time.left():
                part = Part(part.good, [*part.lines, f"{about}: {NO_TIME.lower()}"], whole=False)
                continue
            ran = run(command(program, tool, names), time.left())
            if REFUSED in ran.output + ran.errors:
                return Part(True, [REFUSES])
            good, said = (True, "stopped") if ran.stopped else verdict(ran)
            part = Part(part.good and good, [*part.lines, f"{about}: {said}"], part.whole)
            runs.append(ran)
    return part.after(*runs)


def found() -> str | None:
    """The path of the program: on PATH, or within the toolkit that CUDA_HOME or CUDA_PATH names."""
    folders = [os.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    places = [str(Path(folder, "bin")) for folder in [*folders, "/usr/local/cuda"]]
    return shutil.which(NAME) or shutil.which(NAME, path=os.pathsep.join(places))


def command(program: str, tool: str, names: Sequence[str] = ()) -> list[str]:
    """The kernels by one call of each, or by the examples of these functions, under this tool."""
    watched = [sys.executable, "-m", "armlab.report.sanitized", *names]
    processes = ("--target-processes", "all")  # where python is a program that starts another
    options = ("--tool", tool, *TOOLS[tool], *processes, "--error-exitcode", str(WRONG))
    return [program, *options, *watched]


def verdict(ran: Ran) -> tuple[bool, str]:
    """Whether it saw nothing wrong, and that in a line, with the first of what it saw below.

    Without a summary it has looked at nothing, which is no good verdict.
    """
    output = ran.output + ran.errors
    summaries = SUMMARY.findall(output)
    if not summaries:
        return False, f"exit {ran.code} without a summary, so it says nothing: {last(output)}"
    good = ran.code == 0 and all(map(CLEAN.search, summaries))
    said = summaries[-1].lstrip("= ") + ("" if ran.code in (0, WRONG) else f", exit {ran.code}")
    return good, said if good else "\n".join([said, "", *_shown(output), ""])


def _shown(output: str) -> list[str]:
    lines = [line for line in output.splitlines() if line.startswith("=====")]
    return ["```", *lines[:SHOWN], "```"]
