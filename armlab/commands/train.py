"""`armlab train`: the toy training, one run or the comparison of two."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Any

from armlab.commands import BAD, GOOD, INTERRUPTED, Commands, add_command, expect_processes, fail
from armlab.json_text import as_json

PROCESSES = "share each batch out among N processes of this machine; more machines: torchrun"
LONGEST = 1e7  # seconds that a process may wait: torch counts them in nanoseconds
RESUME = "go on with the {} in DIR; with --data, its folder of images has moved there"


def add(commands: Commands) -> None:
    add_command(
        commands,
        "train",
        "Train a network of hand-derived modules on scenes made of real digits, or on your images.",
        "armlab train --attention arm --seed 1 --out runs/arm-seed1",
        declare,
    )


def declare(parser: argparse.ArgumentParser) -> None:
    from armlab.training.setting_options import add_settings

    add_settings(parser, defaults={"attention": "none, then arm, in two runs"})
    parser.add_argument("--out", type=Path, help="the run's folder; default an unused one in runs/")
    parser.add_argument("--resume", type=Path, metavar="DIR", help=RESUME.format("run"))
    parser.add_argument("--json", action="store_true", help="print the results as JSON alone")
    parser.add_argument("--processes", type=int, metavar="N", help=PROCESSES)
    parser.add_argument(
        "--patience",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="that one of several processes waits for the others; default 600",
    )
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    from armlab.hand.group import RankError
    from armlab.parallel.launch import launch
    from armlab.parallel.processes import ProcessGroup, launched

    expect_processes(args)
    if not 0 < args.patience < LONGEST:
        args.usage_error(f"--patience expected seconds of 0 to {LONGEST:.0e}, got {args.patience}")
    if not launched():
        if args.processes is None:
            return train(args)
        return launch(args.processes, with_out(args))
    try:
        with ProcessGroup(args.patience) as group:
            return as_rank(args, group)
    except RankError as error:
        return BAD if error.said else fail(str(error), BAD)


def with_out(args: argparse.Namespace) -> list[str]:
    """What was typed, and the run's folder, so that all processes mean the same one."""
    from armlab.training.setting_options import given_options

    named = args.out or args.resume
    typed: list[str] = args.typed
    return typed + ([] if named else ["--out", str(unused_folder(given_options(args)))])


def as_rank(args: argparse.Namespace, group: Any) -> int:
    """The run, of rank 0; the work of a follower, of all others."""
    from armlab.training.ranks import dismiss, expect_alike, follow

    expect_alike(group, "options", args.typed)
    if group.rank:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # rank 0 takes it, and ends behind a step
        follow(group)
        return GOOD
    code = train(args, group)
    if code == GOOD:
        dismiss(group)
    return code


def train(args: argparse.Namespace, group: Any = None) -> int:
    from armlab.parallel.processes import restarts
    from armlab.training import comparison, loop
    from armlab.training.checkpoint import CHECKPOINT
    from armlab.training.run_progress import TerminalRunProgress, comparison_text, skipped_text
    from armlab.training.setting_options import config_of, given_options, refuse_options

    given = given_options(args, "out")
    refuse_options(args, [name for name in given if name != "data"], "run")
    if given.get("weights") and not args.attention:
        args.usage_error("--weights are those of one network: give its --attention")
    progress = TerminalRunProgress(rows=not args.json)
    out = args.resume or args.out or unused_folder(given)
    goes_on = args.resume or (group and restarts() and any(out.rglob(CHECKPOINT)))
    try:
        if goes_on and (out / CHECKPOINT).exists():
            results = _only(loop.resume(out, progress, args.data, group))
        elif goes_on:
            results = comparison.resume_comparison(out, progress, args.data, group)
        elif args.attention:
            results = _only(loop.train(config_of(given), out, progress, group))
        else:
            results = comparison.compare(config_of(given), out, progress, group)
    except KeyboardInterrupt:
        if not any(out.rglob(CHECKPOINT)):
            raise
        return fail(
            f"interrupted, the checkpoint is kept: go on with  armlab train --resume {out}",
            INTERRUPTED,
        )
    if args.json:
        print(as_json({"out": str(out), "runs": results}))
    else:
        table = comparison_text(results, progress.context)
        print("\n".join(["", table, *skipped_text(results), "", f"written to {out}"]))
    return GOOD


def _only(run: Any) -> dict[str, Any]:
    return {run.config.attention: run.result()}


def unused_folder(given: dict[str, Any]) -> Path:
    """runs/scenes-seed0, runs/scenes-arm-seed0, …; with -2, -3, … behind it where that is used."""
    words = [
        Path(given.get("data", "scenes")).name,
        given.get("attention"),
        f"seed{given.get('seed', 0)}",
    ]
    name, number = "-".join(word for word in words if word), 1
    folder = Path("runs", name)
    while folder.exists():
        number += 1
        folder = Path("runs", f"{name}-{number}")
    return folder
