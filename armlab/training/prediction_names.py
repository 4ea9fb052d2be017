"""What the files of each prediction begin with, so that none is written over another file.

A mask carries the path of its image, so that an earlier prediction of the same image is known, and
is replaced; every other file stays, and the new ones get a number.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from itertools import chain, count
from pathlib import Path

from armlab.data.listing import composed

PARTS = ("mask", "overlay", "gates")  # NAME-mask.png, NAME-overlay.png, NAME-gates.png
IMAGE = "armlab image"  # the key in a mask's text under which its image is


def prediction_file(start: Path, part: str) -> Path:
    """Of out/NAME and "mask", out/NAME-mask.png."""
    return start.with_name(f"{start.name}-{part}.png")


def image_seen_from(folder: Path, image: Path) -> str:
    """The path of an image as a mask in the folder carries it: both may move together.

    In UTF-8, as a PNG has its text: bytes of a name that are not are written as escapes.
    """
    try:
        path = Path(os.path.relpath(image, folder))
    except ValueError:  # on another drive
        path = image.absolute()
    return path.as_posix().encode("utf-8", "backslashreplace").decode("utf-8")


def starts(images: Sequence[Path], out: Path) -> list[Path]:
    """out/NAME for each image: its name without suffix, else with -2, -3, … behind it.

    A name is free where no other image here has it, whatever its case, and no file that is there
    would be lost. The first image of a name keeps it: x.png, x-2.png, x.jpg are x, x-2, x-3.
    """
    owners = dict[str, Path]()
    for image in images:
        owners.setdefault(_spelled(image.stem), image)
    there = _names_in(out)
    chosen, used = list[Path](), set[str]()
    for image in images:
        for name in _candidates(image.stem):
            spelled = _spelled(name)
            mine = owners.get(spelled, image) is image and spelled not in used
            if mine and _would_lose_nothing(out / name, image, there):
                break
        used.add(spelled)
        chosen.append(out / name)
    return chosen


def _candidates(stem: str) -> Iterator[str]:
    return chain([stem], (f"{stem}-{number}" for number in count(2)))


def _spelled(name: str) -> str:
    """One spelling for what some file systems take for one name: upper case, split accents."""
    return composed(name).casefold()


def _names_in(folder: Path) -> set[str]:
    try:
        return {_spelled(name) for name in os.listdir(folder)}
    except OSError:
        return set()  # none yet; or writing will say what is wrong


def _would_lose_nothing(start: Path, image: Path, there: set[str]) -> bool:
    """None of the files is there, or they are of an earlier prediction of this image."""
    if not any(_spelled(prediction_file(start, part).name) in there for part in PARTS):
        return True
    return _image_of(prediction_file(start, "mask")) == image_seen_from(start.parent, image)


def _image_of(mask: Path) -> str | None:
    """What a mask that a prediction wrote carries; None of any other file."""
    from PIL import Image

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(mask) as picture:
            found: str | None = picture.info.get(IMAGE)
            return found
    except Exception:  # whatever it is, it is no mask that a prediction wrote
        return None
