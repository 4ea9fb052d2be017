"""`armlab convert`: weights from one file format and one code's keys to another's."""

from __future__ import annotations

import argparse
from pathlib import Path

from armlab.commands import GOOD, Commands, add_command

KEYS = "armlab (default), coincheung, seafusion, stdc, face-parsing, torchseg, mmseg or pytorchcv"


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "convert",
        "Convert weights between .npz, .safetensors and .pth, and between our keys and others'.",
        "armlab convert stdc.pth arm32.safetensors --from stdc --part cp.arm32",
    )
    parser.add_argument(
        "input",
        type=Path,
        metavar="IN",
        help="a state_dict, or a run's folder",
    )
    parser.add_argument("output", type=Path, metavar="OUT", help="written whole or not at all")
    parser.add_argument(
        "--from", dest="source", default="armlab", metavar="KEYS", help=f"whose keys IN has: {KEYS}"
    )
    parser.add_argument("--to", default="armlab", metavar="KEYS", help="whose keys OUT gets")
    parser.add_argument(
        "--part", metavar="PREFIX", help="only this module of ours: cp.arm32, ffm …"
    )
    parser.add_argument(
        "--module", metavar="NAME", help="what IN holds: CBAM, …; default the whole network"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from armlab import weights
    from armlab.training.trained_weights import trained_state
    from armlab.weights.formats import file_format

    file_format(args.output)  # before the work
    state = trained_state(args.input)
    state = weights.rename(state, args.source, args.to, args.module, args.part)
    weights.save(args.output, state)
    print(
        f"{args.input} (keys of {args.source}) -> {args.output} (keys of {args.to}): "
        f"{len(state)} arrays, {weights.parameter_count(state):,} parameters"
    )
    return GOOD
