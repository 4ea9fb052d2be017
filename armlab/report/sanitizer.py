"""What compute-sanitizer says of the kernels, where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

NAME = "compute-sanitizer"
TOOLS = ("memcheck", "racecheck")  # accesses outside of arrays; races within shared memory
SUMMARY = re.compile(r"=+ (?:ERROR|RACECHECK) SUMMARY: .*")
CLEAN = re.compile(r"SUMMARY: 0 (?:errors|hazards)\b")
WRONG = 86  # what it exits with where it found something; the program itself never does
ABSENT = f"{NAME} is not installed here, so memcheck and racecheck did not run."
NO_CARD = f"{NAME} watches cards, and here is none."


def found() -> str | None:
    """The path of the program: on PATH, or within the toolkit that CUDA_HOME or CUDA_PATH names."""
    folders = [os.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    places = [str(Path(folder, "bin")) for folder in [*folders, "/usr/local/cuda"]]
    return shutil.which(NAME) or shutil.which(NAME, path=os.pathsep.join(places))


def command(program: str, tool: str) -> list[str]:
    """The kernels by their examples, watched by this tool."""
    watched = [sys.executable, "-m", "armlab.report.sanitized"]
    return [program, "--tool", tool, "--error-exitcode", str(WRONG), *watched]


def verdict(tool: str, code: int, output: str) -> tuple[bool, str]:
    """Whether it saw nothing wrong, and that in one line.

    Without a summary it has looked at nothing, which is no good verdict.
    """
    summaries = SUMMARY.findall(output)
    if not summaries:
        return False, f"- {tool}: exit {code} without a summary, so it says nothing"
    good = code == 0 and all(map(CLEAN.search, summaries))
    said = summaries[-1].lstrip("= ")
    return good, f"- {tool}: {said}" + ("" if code in (0, WRONG) else f", exit {code}")
