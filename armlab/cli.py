"""The command line: `armlab` and `python -m armlab`.

To add a command: one function `add_<name>(commands)` that declares its options and sets
`run=<name>`, one function `<name>(args) -> int`, and a line in `_parser`. What a command needs
it imports itself, so that every other command works without it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GOOD, BAD, USAGE, INTERRUPTED = 0, 1, 2, 130
Commands = Any  # argparse gives the type of add_subparsers() no public name


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. 0 good, 1 bad input or failed check, 2 wrong usage, 130 interrupted."""
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except (ValueError, RuntimeError, OSError) as error:
        return _fail(" ".join(str(error).split()), BAD)


def _fail(sentence: str, code: int) -> int:
    print(f"armlab: {sentence}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="armlab", description="Attention refinement, by hand and in PyTorch."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_train(commands)
    add_check(commands)
    add_lessons(commands)
    add_info(commands)
    return parser


def add_command(commands: Commands, name: str, summary: str, example: str) -> Any:
    """A subparser whose help ends in an example."""
    return commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


# -- train ----------------------------------------------------------------------------------

# Not given is None: then Config has the value, and --resume can tell what was given.
TRAIN_OPTIONS: dict[str, dict[str, Any]] = {
    "attention": {"choices": ["none", "arm"], "help": "one run; without it none, then arm"},
    "backend": {"choices": ["numpy", "cupy", "torch"], "help": "default numpy"},
    "device": {"help": "cpu, cuda or cuda:N; default cpu, with --backend cupy cuda"},
    "dtype": {"choices": ["float32", "float64"], "help": "default float32"},
    "steps": {"type": int, "help": "default 600"},
    "batch": {"type": int, "help": "scenes a step, default 8"},
    "size": {"type": int, "help": "pixels along a scene's side, 48 to 160, default 64"},
    "seed": {"type": int, "help": "of the weights and the scenes, default 0"},
    "optimiser": {"choices": ["adam", "sgd"], "help": "default adam"},
    "learning-rate": {"type": float, "help": "at its peak, default 0.006, with sgd 0.1"},
    "schedule": {"choices": ["one_cycle", "poly", "constant"], "help": "default one_cycle"},
    "out": {"type": Path, "help": "the run's folder; default an unused one in runs/"},
}


def add_train(commands: Commands) -> None:
    parser = add_command(
        commands,
        "train",
        "Train a small network of hand-derived modules on scenes made of real digits.",
        "armlab train --attention arm --seed 1 --out runs/arm-seed1",
    )
    for name, option in TRAIN_OPTIONS.items():
        parser.add_argument(f"--{name}", **option)
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in DIR")
    parser.add_argument("--json", action="store_true", help="print the results as JSON alone")
    parser.set_defaults(run=train, usage_error=parser.error)


def train(args: argparse.Namespace) -> int:
    from armlab.training import comparison, loop
    from armlab.training.report import TerminalReport, comparison_text
    from armlab.training.run import CHECKPOINT

    given = _given(args)
    if args.resume and given:
        args.usage_error(
            f"--resume goes on with the run's own settings: leave out --{next(iter(given))}"
        )
    report = TerminalReport(rows=not args.json)
    out = args.resume or args.out or unused_folder(given)
    try:
        if args.resume and (out / CHECKPOINT).exists():
            results = _only(loop.resume(out, report))
        elif args.resume:
            results = comparison.resume_comparison(out, report)
        elif args.attention:
            results = _only(loop.train(_config(given), out, report))
        else:
            results = comparison.compare(_config(given), out, report)
    except KeyboardInterrupt:
        if not any(out.rglob(CHECKPOINT)):
            raise
        return _fail(
            f"interrupted, the checkpoint is kept: go on with  armlab train --resume {out}",
            INTERRUPTED,
        )
    if args.json:
        print(json.dumps({"out": str(out), "runs": results}))
    else:
        print(f"\n{comparison_text(results)}\n\nwritten to {out}")
    return GOOD


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """The options that the user typed."""
    names = [name.replace("-", "_") for name in TRAIN_OPTIONS]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def _config(given: dict[str, Any]) -> Any:
    from armlab.training.config import Config

    settings = {name: value for name, value in given.items() if name != "out"}
    if settings.get("backend") == "cupy":
        settings.setdefault("device", "cuda")
    if settings.get("optimiser") == "sgd":
        settings.setdefault("learning_rate", 0.1)
    return Config(**settings)


def _only(run: Any) -> dict[str, Any]:
    return {run.config.attention: run.result()}


def unused_folder(given: dict[str, Any]) -> Path:
    """runs/scenes-seed0, runs/scenes-arm-seed0, …; with -2, -3, … behind it where that is used."""
    words = ["scenes", given.get("attention"), f"seed{given.get('seed', 0)}"]
    name, number = "-".join(word for word in words if word), 1
    folder = Path("runs", name)
    while folder.exists():
        number += 1
        folder = Path("runs", f"{name}-{number}")
    return folder


# -- check ----------------------------------------------------------------------------------


def add_check(commands: Commands) -> None:
    parser = add_command(
        commands,
        "check",
        "Hold every module by hand, and its PyTorch twin, to float64 under known error bounds.",
        "armlab check conv2d AttentionRefinementModule --examples 200 --seed 1",
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="default all")
    parser.add_argument("--examples", type=int, default=30, help="of each module, default 30")
    parser.add_argument("--seed", type=int, default=0, help="of the examples, default 0")
    parser.add_argument("--device", default="cpu", help="of the code by hand: cpu, cuda or cuda:N")
    parser.add_argument("--dtype", choices=["float32", "float64"], help="default both")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.set_defaults(run=check)


def check(args: argparse.Namespace) -> int:
    if args.examples < 1:
        raise ValueError(f"expected --examples of at least 1, got {args.examples}: give more")
    for library in ("OPENBLAS", "OMP"):  # before they load: on small arrays the waiting threads
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # of two libraries starve each other
    try:
        from armlab.check import table
    except ImportError as error:
        raise RuntimeError(
            f"armlab check needs {error.name}, which is not installed: "
            "install it with  pip install 'armlab[torch,test]'"
        ) from None
    from armlab.arrays import place

    rows = table.rows(
        examples=args.examples,
        seed=args.seed,
        place=place(args.device),
        names=args.modules,
        dtypes=(args.dtype,) if args.dtype else ("float32", "float64"),
    )
    return table.print_as_json(rows) if args.json else table.print_as_text(rows)


# -- lessons --------------------------------------------------------------------------------


def add_lessons(commands: Commands) -> None:
    parser = add_command(
        commands, "lessons", "Open JupyterLab on the lessons.", "armlab lessons --no-browser"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the URL, open nothing")
    parser.add_argument("--port", type=int, help="default the first free one from 8888")
    parser.set_defaults(run=lessons)


def lessons(args: argparse.Namespace) -> int:
    import subprocess

    folder = Path(__file__).parents[1] / "lessons"
    if not (folder / "index.ipynb").exists():
        raise ValueError(f"no lessons in {folder}: run this from a clone of the repository")
    if not _version("jupyterlab"):
        raise RuntimeError(
            "armlab lessons needs JupyterLab, which is not installed: "
            "install it with  pip install 'armlab[lessons]'"
        )
    command = [sys.executable, "-m", "jupyter", "lab", *JUPYTER]
    command += ["--no-browser"] * args.no_browser + [f"--port={args.port}"] * bool(args.port)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command += ["--allow-root"]  # Jupyter refuses to run as root in a container without it
    return subprocess.call(command, cwd=folder.parent)  # links lead to the sources as well


JUPYTER = (  # begins at the contents, and looks for no news or newer versions on the network
    "--LabApp.default_url=/lab/tree/lessons/index.ipynb",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)


# -- info -----------------------------------------------------------------------------------


def add_info(commands: Commands) -> None:
    parser = add_command(
        commands, "info", "Print versions and the devices found.", "armlab info --json"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=info)


def info(args: argparse.Namespace) -> int:
    found = {"armlab": _version("armlab"), "python": platform.python_version()}
    found |= {name: _version(name) for name in ("numpy", "array-api-compat", "torch")}
    found["cupy"] = _version("cupy-cuda12x") or _version("cupy")
    devices = {"numpy": ["cpu"], "torch": _torch_devices(), "cupy": _cupy_devices()}
    if args.json:
        print(json.dumps({"versions": found, "devices": devices}))
        return GOOD
    for name, version in found.items():
        print(f"{name:<18}{version or 'not installed'}")
    for name, names in devices.items():
        print(f"{'devices of ' + name:<18}{', '.join(names) or 'none'}")
    return GOOD


def _version(package: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _torch_devices() -> list[str]:
    try:
        import torch
    except ImportError:
        return []
    cuda = range(torch.cuda.device_count())
    return ["cpu", *(f"cuda:{i} {torch.cuda.get_device_name(i)}" for i in cuda)]


def _cupy_devices() -> list[str]:
    try:
        import cupy

        count = cupy.cuda.runtime.getDeviceCount()
    except Exception:  # not installed, or no driver: its error type cannot be named without it
        return []
    runtime = cupy.cuda.runtime
    return [f"cuda:{i} {runtime.getDeviceProperties(i)['name'].decode()}" for i in range(count)]
