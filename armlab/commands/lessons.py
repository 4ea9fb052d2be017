"""`armlab lessons`: JupyterLab on the lessons."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from armlab.commands import Commands, add_command
from armlab.extras import expect_packages

JUPYTER = (  # begins at the contents, and looks for no news or newer versions on the network
    "--LabApp.default_url=/lab/tree/lessons/index.ipynb",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)


def add(commands: Commands) -> None:
    parser = add_command(
        commands, "lessons", "Open JupyterLab on the lessons.", "armlab lessons --no-browser"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the URL, open nothing")
    parser.add_argument("--port", type=int, help="default the first free one from 8888")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    folder = Path(__file__).parents[2] / "lessons"
    if not (folder / "index.ipynb").exists():
        raise ValueError(
            f"no lessons in {folder}, as they are not part of the installed package: "
            "run  make lessons  in a clone of the repository"
        )
    expect_packages({"jupyterlab": "jupyter"}, extra="lessons")
    command = [sys.executable, "-m", "jupyter", "lab", *JUPYTER]
    command += ["--no-browser"] * args.no_browser + [f"--port={args.port}"] * bool(args.port)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command += ["--allow-root"]  # Jupyter refuses to run as root in a container without it
    return subprocess.call(command, cwd=folder.parent)  # links lead to the sources as well
