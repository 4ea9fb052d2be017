"""`armlab predict`: the network of a run on images of your own."""

from __future__ import annotations

import argparse
from pathlib import Path

from armlab.commands import BAD, GOOD, Commands, add_command, fail
from armlab.json_text import as_json


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "predict",
        "Write what a trained network says of images: a mask, an overlay and the gates of each.",
        "armlab predict runs/scenes-arm-seed0 photo.jpg",
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of a run")
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="PNG or JPEG")
    parser.add_argument("--out", type=Path, help="default DIR/predictions")
    parser.add_argument("--json", action="store_true", help="print shares and files as JSON alone")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """A bad image is one line on standard error, and the others are still done."""
    from armlab.training.prediction import Trained, predict, write
    from armlab.training.run_files import cannot_write

    trained, out = Trained.load(args.folder), args.out or args.folder / "predictions"
    done, code = [], GOOD
    for path, name in zip(args.images, _names(args.images), strict=True):
        try:
            prediction = predict(trained, path)
        except ValueError as error:
            code = fail(str(error), BAD)
            continue
        try:
            files = write(prediction, trained.classes, out / name)
        except OSError as error:
            raise cannot_write(out, error) from error
        shares = prediction.shares(trained.classes)
        done.append({"image": str(path), "shares": shares, "files": [str(f) for f in files]})
        if not args.json:
            height, width = prediction.classes.shape
            words = ", ".join(f"{c} {100 * share:.1f} %" for c, share in shares.items())
            print(f"{path}, {height}x{width}: {words}", flush=True)
    if args.json:
        print(as_json({"out": str(out), "images": done}))
    elif done:
        print(f"\nwritten to {out}")
    return code


def _names(paths: list[Path]) -> list[str]:
    """What the files of each image begin with: its name, with -2, -3, … where it comes again."""
    seen, names = dict[str, int](), []
    for path in paths:
        seen[path.stem] = seen.get(path.stem, 0) + 1
        names.append(path.stem if seen[path.stem] == 1 else f"{path.stem}-{seen[path.stem]}")
    return names
