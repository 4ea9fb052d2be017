"""Write scenes as a folder of photographs and masks: python -m armlab.data.export FOLDER

The folder is in SegNet's layout, with the names of the classes in classes.txt, so that
`armlab train --data FOLDER --no-augment` runs on it: a mirrored 7 is another digit, and a crop may
lose the band. The pictures are made of scikit-learn's digits and
photographs under CC BY 2.0; the folder gets a LICENCE.txt that names the authors.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path

import numpy as np

from armlab.data import digits_and_photographs
from armlab.data.dataset import Dataset
from armlab.data.folder import NAMES
from armlab.data.generated import GENERATED, Generated
from armlab.data.size import parse_size
from armlab.terminal import at_terminal
from armlab.whole_file import FilePath


def export(dataset: Dataset, folder: FilePath, training: int = 64) -> int:
    """Write this many training images and all test images, and return how many.

    Raises ValueError for a folder that is not empty, OSError where it cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty: choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NAMES).write_text("\n".join(dataset.classes) + "\n", encoding="utf-8")
    (folder / "LICENCE.txt").write_text(
        f"{inspect.getdoc(digits_and_photographs)}\n", encoding="utf-8"
    )
    written = 0
    for split, batches in {
        "train": (dataset.training(range(i, i + 1)) for i in range(training)),
        "test": dataset.testing(),
    }.items():
        for name in (split, f"{split}annot"):
            (folder / name).mkdir()
        samples = (pair for batch in batches for pair in zip(*batch, strict=True))
        for number, (image, label) in enumerate(samples):
            _save(folder, split, f"{number:04d}.png", dataset.picture(image), label)
            written += 1
    return written


def _save(folder: Path, split: str, name: str, picture: np.ndarray, label: np.ndarray) -> None:
    from PIL import Image

    Image.fromarray((255 * picture).round().astype(np.uint8)).save(folder / split / name)
    Image.fromarray(label.astype(np.uint8)).save(folder / f"{split}annot" / name)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m armlab.data.export", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or an empty one")
    parser.add_argument("--data", choices=list(GENERATED), default="scenes")
    parser.add_argument("--size", default="64", metavar="HxW", help="default 64x64")
    parser.add_argument("--training", type=int, default=64, metavar="N", help="images, default 64")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    try:
        dataset = Generated(GENERATED[args.data], args.seed, parse_size(args.size))
        written = export(dataset, args.folder, args.training)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"armlab.data.export: {error}", file=sys.stderr)
        return 1
    print(f"{written} images and their masks in {args.folder}")
    return 0


if __name__ == "__main__":
    with at_terminal():
        sys.exit(main())
