"""`armlab train`: the toy training, one run or the comparison of two."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from armlab.commands import GOOD, INTERRUPTED, Commands, add_command, fail


class _AttentionNames:
    """Looked up where one is asked for, as `armlab.hand` exports them: `armlab --help` is fast."""

    def __iter__(self) -> Iterator[str]:
        from armlab.hand.conv_attention import attention_names

        return iter(attention_names())


# Not given is None: then Config has the value, and --resume can tell what was given.
TRAIN_OPTIONS: dict[str, dict[str, Any]] = {
    "model": {"choices": ["toy", "toy-bisenet", "bisenet"], "help": "default toy"},
    "attention": {
        "choices": _AttentionNames(),
        "metavar": "NAME",
        "help": "one run, with %(choices)s; without it none, then arm",
    },
    "backend": {"choices": ["numpy", "cupy", "torch"], "help": "default numpy"},
    "device": {"help": "cpu, cuda or cuda:N; default cpu, with --backend cupy cuda"},
    "threads": {"type": int, "help": "cores to use, default 1; not for cupy"},
    "dtype": {"choices": ["float32", "float64"], "help": "default float32"},
    "steps": {"type": int, "help": "default 600"},
    "batch": {"type": int, "help": "images a step, default 8"},
    "data": {
        "metavar": "DATA",
        "help": "scenes, scenes-hard, digits, or a folder of images and masks; default scenes",
    },
    "size": {
        "metavar": "HxW",
        "help": "pixels of a scene, 48 to 160 each, or of the crops of a folder's images; "
        "one number is a square; default 64x64",
    },
    "classes": {
        "type": int,
        "help": "of a folder's masks; default the lines of classes.txt, or 11",
    },
    "ignore": {
        "type": int,
        "help": "label that does not count; default 11 of 11 classes, else 255",
    },
    "augment": {
        "action": argparse.BooleanOptionalAction,
        "help": "flip, scale, crop and recolour a folder's images; default yes",
    },
    "seed": {"type": int, "help": "of the weights and the data, default 0"},
    "optimiser": {"choices": ["adam", "sgd"], "help": "default adam"},
    "learning-rate": {"type": float, "help": "at its peak, default 0.006, with sgd 0.1"},
    "schedule": {"choices": ["one_cycle", "poly", "constant"], "help": "default one_cycle"},
    "warm-up": {"type": float, "help": "share of the steps; default 0.3 of one_cycle, else 0"},
    "weight-decay": {"type": float, "help": "of kernels, not of BN and biases; default 0"},
    "momentum": {"type": float, "help": "of sgd, default 0.9"},
    "class-weights": {"choices": ["none", "median-frequency"], "help": "default none"},
    "channels": {"type": int, "help": "width; default 32, of toy-bisenet 8, of bisenet 64"},
    "weights": {
        "metavar": "PATH",
        "help": "begin with this state_dict, or this run's weights",
    },
    "out": {"type": Path, "help": "the run's folder; default an unused one in runs/"},
}


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "train",
        "Train a network of hand-derived modules on scenes made of real digits, or on your images.",
        "armlab train --attention arm --seed 1 --out runs/arm-seed1",
    )
    for name, option in TRAIN_OPTIONS.items():
        parser.add_argument(f"--{name}", **option)
    parser.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in DIR")
    parser.add_argument("--json", action="store_true", help="print the results as JSON alone")
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    from armlab.training import comparison, loop
    from armlab.training.report import TerminalReport, comparison_text
    from armlab.training.run_files import CHECKPOINT

    given = given_options(args, TRAIN_OPTIONS)
    if args.resume and given:
        args.usage_error(
            f"--resume goes on with the run's own settings: leave out --{next(iter(given))}"
        )
    if given.get("weights") and not args.attention:
        args.usage_error("--weights are those of one network: give its --attention")
    report = TerminalReport(rows=not args.json)
    out = args.resume or args.out or unused_folder(given)
    try:
        if args.resume and (out / CHECKPOINT).exists():
            results = _only(loop.resume(out, report))
        elif args.resume:
            results = comparison.resume_comparison(out, report)
        elif args.attention:
            results = _only(loop.train(make_config(given), out, report))
        else:
            results = comparison.compare(make_config(given), out, report)
    except KeyboardInterrupt:
        if not any(out.rglob(CHECKPOINT)):
            raise
        return fail(
            f"interrupted, the checkpoint is kept: go on with  armlab train --resume {out}",
            INTERRUPTED,
        )
    if args.json:
        print(json.dumps({"out": str(out), "runs": results}))
    else:
        print(f"\n{comparison_text(results)}\n\nwritten to {out}")
    return GOOD


def given_options(args: argparse.Namespace, options: Iterable[str]) -> dict[str, Any]:
    """Those of the options that the user typed."""
    names = [name.replace("-", "_") for name in options]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}


def make_config(given: dict[str, Any]) -> Any:
    """The Config of what was typed: some defaults depend on other options."""
    from armlab.data import GENERATED
    from armlab.training.config import Config

    settings = {name: value for name, value in given.items() if name != "out"}
    if settings.get("data", "scenes") not in GENERATED:
        settings["data"] = str(Path(settings["data"]).absolute())  # --resume works from anywhere
    if settings.get("backend") == "cupy":
        settings.setdefault("device", "cuda")
    if settings.get("optimiser") == "sgd":
        settings.setdefault("learning_rate", 0.1)
    return Config(**settings)


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
