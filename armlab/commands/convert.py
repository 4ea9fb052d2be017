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
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    from armlab import weights
    from armlab.training.trained_weights import trained_state
    from armlab.weights.formats import file_format
    from armlab.weights.onnx_file import is_onnx

    if is_onnx(args.output):
        return _to_onnx(args)
    file_format(args.output)  # before the work
    state = trained_state(args.input)
    state = weights.rename(state, args.source, args.to, args.module, args.part)
    weights.save(args.output, state)
    print(
        f"{args.input} (keys of {args.source}) -> {args.output} (keys of {args.to}): "
        f"{len(state)} arrays, {weights.parameter_count(state):,} parameters"
    )
    return GOOD


def _to_onnx(args: argparse.Namespace) -> int:
    """The whole network in evaluation mode, from a run or from published weights."""
    from armlab.training.trained import trained_network
    from armlab.weights.onnx_file import expect_exporter, save_onnx

    for option in ("part", "module"):
        if getattr(args, option):
            args.usage_error(f"an ONNX file holds the whole network: leave out --{option}")
    if args.to != "armlab":
        args.usage_error("an ONNX file has no keys of others: leave out --to")
    expect_exporter()
    trained = trained_network(args.input, args.source)
    save_onnx(args.output, trained.twin(), trained.classes, trained.prepare)
    print(f"{args.input} -> {args.output}: {len(trained.classes)} classes, any size and batch")
    return GOOD
