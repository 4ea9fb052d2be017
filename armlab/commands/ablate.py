"""`armlab ablate`: a grid of attentions and seeds, and what the attentions differ in."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from armlab.commands import GOOD, INTERRUPTED, Commands, add_command, fail
from armlab.commands.train import RESUME
from armlab.json_text import as_json
from armlab.number_lists import parse_numbers


def add(commands: Commands) -> None:
    add_command(
        commands,
        "ablate",
        "Train every attention with every seed, and compare them with 95 % intervals.",
        "armlab ablate --attention none,arm --seeds 0-4 --out runs/ablation",
        declare,
    )


def declare(parser: argparse.ArgumentParser) -> None:
    from armlab.training.setting_options import add_settings

    parser.add_argument("--attention", type=_names, help="names with commas; default none,arm")
    parser.add_argument("--seeds", type=_seeds, help="such as 0-4 or 0,3,7; default 0-4")
    add_settings(parser, leave_out=["attention", "seed"])
    parser.add_argument("--out", type=Path, help="the grid's folder; default runs/ablation")
    parser.add_argument("--resume", type=Path, metavar="DIR", help=RESUME.format("grid"))
    parser.add_argument("--jobs", type=_count, default=1, help="runs side by side, default 1")
    parser.add_argument("--json", action="store_true", help="print the results as JSON alone")
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    from armlab.training import ablation, ablation_text
    from armlab.training.findings import findings
    from armlab.training.grid_progress import TerminalGridProgress, draw
    from armlab.training.run_files import cannot_write
    from armlab.training.run_progress import skipped_text
    from armlab.training.setting_options import given_options, refuse_options

    given = given_options(args, "seeds", "out")
    refuse_options(args, [name for name in given if name != "data"], "grid")
    out = args.resume or args.out or Path("runs", "ablation")
    if args.resume and args.data:
        ablation.move_data(out, args.data)
    grid = ablation.load_grid(out) if args.resume else _grid(given)
    progress = TerminalGridProgress(len(grid), not args.json, grid.config.tells_apart)
    try:
        records = ablation.run_grid(grid, out, progress, args.jobs)
        found = findings(grid, records)
        try:
            ablation_text.write(grid, found, records, out)
            draw(found, out / "ablation.png")
        except OSError as error:
            raise cannot_write(out, error) from error
    except KeyboardInterrupt:
        return fail(
            f"interrupted, {progress.finished} of {len(grid)} runs are finished and all is kept: "
            f"go on with  armlab ablate --resume {out}",
            INTERRUPTED,
        )
    if args.json:
        print(as_json(ablation_text.as_dict(grid, found, records) | {"out": str(out)}))
    else:
        print(f"\n{ablation_text.as_text(grid, found)}")
        named = {f"{r['attention']} seed {r['seed']}": r for r in records}
        for sentence in skipped_text(named):
            print(sentence)
        if args.jobs > 1:
            print("The runs stood side by side, so their times are those of a shared machine.")
        print(f"\nwritten to {out}")
    return GOOD


def _grid(given: dict[str, Any]) -> Any:
    from armlab.training.ablation import Grid
    from armlab.training.setting_options import config_of

    config = config_of({name: value for name, value in given.items() if name != "attention"})
    return Grid(
        config, given.get("attention", ("none", "arm")), given.get("seeds", tuple(range(5)))
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, text.split(","))))


def _seeds(text: str) -> tuple[int, ...]:
    """ "0-2,7" is 0, 1, 2 and 7."""
    try:
        return tuple(dict.fromkeys(parse_numbers(text)))
    except ValueError:
        words = f"expected seeds such as 0-4 or 0,3,7, got {text!r}"
        raise argparse.ArgumentTypeError(words) from None


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)
