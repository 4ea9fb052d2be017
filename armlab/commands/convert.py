"""`armlab convert`: weights from one file format and one code's keys to another's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from armlab.commands import GOOD, Commands, add_command

OURS = "armlab"
KEYS = "armlab (default), coincheung, seafusion, stdc, face-parsing, torchseg, mmseg or pytorchcv"


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "convert",
        "Convert weights between .npz, .safetensors and .pth, and between our keys and others', "
        "or a network to .onnx.",
        "armlab convert stdc.pth arm32.safetensors --from stdc --part cp.arm32",
    )
    parser.add_argument(
        "input",
        type=Path,
        metavar="IN",
        help="a state_dict, or a run's folder",
    )
    parser.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="written whole or not at all; net.onnx is the network itself, for any size and batch",
    )
    parser.add_argument("--from", dest="source", metavar="KEYS", help=f"whose keys IN has: {KEYS}")
    parser.add_argument("--to", metavar="KEYS", help="whose keys OUT gets, likewise")
    parser.add_argument(
        "--part", metavar="PREFIX", help="only this module of ours: cp.arm32, ffm …"
    )
    parser.add_argument(
        "--module", metavar="NAME", help="what IN holds: CBAM, …; default the whole network"
    )
    parser.add_argument(
        "--nest", metavar="NAME", help="of a checkpoint with several states, this one: ema …"
    )
    parser.add_argument(
        "--strip", metavar="PREFIX", help="of the keys in IN, these, without it; '' keeps all"
    )
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    from armlab import weights
    from armlab.training.trained_weights import trained_state
    from armlab.weights.formats import file_format
    from armlab.weights.onnx_file import is_onnx

    if is_onnx(args.output):
        return _to_onnx(args)
    file_format(args.output)  # before the work
    found = trained_state(args.input, args.nest, args.strip)
    state = weights.rename(found, args.source or OURS, args.to or OURS, args.module, args.part)
    weights.save(args.output, state)
    before, after = _whose(args, found)
    print(
        f"{args.input} ({before}) -> {args.output} ({after}): "
        f"{len(state)} arrays, {weights.parameter_count(state):,} parameters"
    )
    return GOOD


def _to_onnx(args: argparse.Namespace) -> int:
    """The whole network in evaluation mode, from a run or from published weights."""
    from armlab.training.trained import trained_network
    from armlab.weights.onnx_file import expect_exporter, save_onnx

    for option in ("part", "module", "nest", "strip"):
        if getattr(args, option) is not None:
            args.usage_error(f"an ONNX file is a whole network: leave out --{option}")
    if (args.to or OURS) != OURS:
        args.usage_error("an ONNX file has no keys of others: leave out --to")
    expect_exporter()
    trained = trained_network(args.input, args.source or OURS)
    save_onnx(args.output, trained.twin(), trained.classes, trained.prepare)
    print(f"{args.input} -> {args.output}: {len(trained.classes)} classes, any size and batch")
    return GOOD


def _whose(args: argparse.Namespace, found: Any) -> tuple[str, str]:
    """Words for the keys of IN and of OUT: a repository's where that is said or can be seen."""
    from armlab import weights

    known = args.source or args.to or args.input.is_dir()  # else nothing was renamed
    likely = OURS if known else weights.likely_source(found)
    if likely == OURS:
        return f"keys of {args.source or OURS}", f"keys of {args.to or OURS}"
    if likely is None:
        return "keys as they were", "the same keys"
    return f"keys that look like those of {likely}: give --from {likely}", "the same keys"
