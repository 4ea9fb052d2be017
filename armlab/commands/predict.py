"""`armlab predict`: the network of a run, or of published weights, on images of your own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from armlab.commands import BAD, GOOD, Commands, add_command, fail, tell
from armlab.json_text import as_json


def add(commands: Commands) -> None:
    parser = add_command(
        commands,
        "predict",
        "Write what a trained network says of images: a mask, an overlay and the gates of each.",
        "armlab predict runs/scenes-arm-seed0 photo.jpg",
    )
    parser.add_argument(
        "network",
        type=Path,
        metavar="NETWORK",
        help="the folder of a run; or a file of published weights, with --from",
    )
    parser.add_argument(
        "images", nargs="+", metavar="IMAGE", help="PNG, JPEG or TIFF, a folder of them, or '*.png'"
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="KEYS",
        help="whose weights NETWORK has, as for convert: coincheung, seafusion, torchseg …",
    )
    parser.add_argument(
        "--device", default="cpu", help="cpu, cuda, cuda:N or emulated; default cpu"
    )
    parser.add_argument(
        "--out", type=Path, help="default NETWORK/predictions, of a file predictions beside it"
    )
    parser.add_argument("--json", action="store_true", help="print shares and files as JSON alone")
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """What is no image is one line on standard error, and the others are still done."""
    from armlab.data.given_images import given_images
    from armlab.training.prediction_names import starts
    from armlab.training.trained import trained_network
    from armlab.weights.renaming import OURS

    if args.source and args.network.is_dir():
        args.usage_error("--from is for a file of weights, and a run says itself: leave it out")
    trained = trained_network(args.network, args.source or OURS, args.device)
    out = (
        args.out or (args.network if args.network.is_dir() else args.network.parent) / "predictions"
    )
    given = given_images(args.images)
    for sentence in given.left_out:
        tell(sentence)
    code = max((fail(sentence, BAD) for sentence in given.wrong), default=GOOD)
    done = list[dict[str, Any]]()
    for path, start in zip(given.paths, starts(given.paths, out), strict=True):
        try:
            done.append(_predicted(trained, path, start, out))
        except ValueError as error:
            code = fail(str(error), BAD)
            continue
        if not args.json:
            print(_words(done[-1]), flush=True)
    if args.json:
        print(as_json({"out": str(out), "images": done}))
    elif done:
        print(f"\nwritten to {out}")
    return code


def _predicted(trained: Any, path: Path, start: Path, out: Path) -> dict[str, Any]:
    """One image done: its name, its size, the share of each class and the files."""
    from armlab.training.prediction import predict, write
    from armlab.training.run_files import cannot_write

    prediction = predict(trained, path, tell)
    try:
        files = write(prediction, trained.labels, start, path, trained.values)
    except OSError as error:
        raise cannot_write(out, error) from error
    shares = prediction.shares(trained.classes)
    size = list(prediction.classes.shape)
    return {"image": str(path), "size": size, "shares": shares, "files": [str(f) for f in files]}


def _words(image: dict[str, Any]) -> str:
    """photo.png, 48x64: road 60.1 %, sky 39.9 %; of many classes only those that are there."""
    height, width = image["size"]
    there = {name: share for name, share in image["shares"].items() if share > 0}
    words = ", ".join(f"{name} {100 * share:.1f} %" for name, share in there.items())
    return f"{image['image']}, {height}x{width}: {words}"
