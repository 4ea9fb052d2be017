"""Which image of a folder belongs to which mask, and to which split.

Two layouts are known. That of SegNet's CamVid:

    train/a.png  trainannot/a.png     val/ valannot/     test/ testannot/

and one with split files, one name a line, with or without its suffix:

    images/a.jpg  masks/a.png     train.txt  test.txt  and perhaps val.txt

Training reads train and is judged on test. A val split may be there and is not read: CamVid's
comes from a sequence that is in its train split as well.
"""

from __future__ import annotations

from pathlib import Path

from armlab.data.image_files import SUFFIXES
from armlab.whole_file import FilePath

Pair = tuple[Path, Path]  # an image and its mask


def pairs_of(folder: FilePath, split: str) -> list[Pair]:
    """The pairs of a split, sorted or as the split file has them.

    Raises ValueError for a folder in neither layout, an empty split, a name without an image or
    with two, and an image without a mask.
    """
    folder = Path(folder)
    if (folder / "train").is_dir():
        pairs = _pairs_in(folder / split, folder / f"{split}annot")
    elif (folder / "images").is_dir():
        pairs = _pairs_named(folder, folder / f"{split}.txt")
    elif folder.is_dir():
        raise ValueError(
            f"{folder} has neither train/ and trainannot/ nor images/ and masks/: "
            "arrange its files in one of these ways"
        )
    else:
        raise ValueError(
            f"there is no folder {folder}: give the path of one, or one of the generated sets "
            "scenes, scenes-hard and digits"
        )
    for image, mask in pairs:
        if not mask.is_file():
            raise ValueError(f"{image} has no mask {mask}: add it, or remove the image")
    return pairs


def expect_disjoint(training: list[Pair], test: list[Pair]) -> None:
    """Refuse a file that is in both splits."""
    learnt = {image for image, _ in training}
    for image, _ in test:
        if image in learnt:
            raise ValueError(
                f"{image} is in train.txt and in test.txt: remove it from one, or the test counts "
                "what was learnt by heart"
            )


def _pairs_in(images: Path, masks: Path) -> list[Pair]:
    found = sorted(images.iterdir()) if images.is_dir() else []
    paths = [p for p in found if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    if not paths:
        raise ValueError(f"{images} holds no image: put PNG or JPEG files there")
    by_name: dict[str, Path] = {}
    for path in paths:
        if by_name.setdefault(path.stem, path) != path:
            raise ValueError(_same_name(by_name[path.stem], path))
    return [(path, masks / f"{name}.png") for name, path in by_name.items()]


def _pairs_named(folder: Path, listed: Path) -> list[Pair]:
    try:
        names = [line.strip() for line in listed.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        raise ValueError(f"cannot read {listed}: write it, with one name a line") from None
    names = [name for name in names if name]
    if not names:
        raise ValueError(f"{listed} names no image: write one name a line")
    pairs: dict[Path, Path] = {}
    for name in names:
        image = _image_named(folder / "images", name, listed)
        if image in pairs:
            raise ValueError(f"{listed} names {name} twice: remove one")
        pairs[image] = folder / "masks" / image.relative_to(folder / "images").with_suffix(".png")
    return list(pairs.items())


def _image_named(images: Path, name: str, listed: Path) -> Path:
    if Path(name).suffix.lower() in SUFFIXES:
        found = [images / name]
    else:
        endings = [*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)]
        found = [images / f"{name}{ending}" for ending in endings]
    found = [path for path in found if path.is_file()]
    if not found:
        raise ValueError(
            f"{listed} names {name}, which is not in {images}: add it, or remove the line"
        )
    if len(found) > 1:
        raise ValueError(_same_name(found[0], found[1]))
    return found[0]


def _same_name(one: Path, other: Path) -> str:
    return f"{one} and {other} have the same name: rename one, with its mask"
