"""Which image of a folder belongs to which mask, to which split, and what belongs to none.

Two layouts are known. That of SegNet's CamVid:

    train/a.png  trainannot/a.png     val/ valannot/     test/ testannot/

and one with split files, one name a line (`split_files` says in which ways):

    images/a.jpg  masks/a.png     train.txt  test.txt  and perhaps val.txt

`mask_names` says which mask an image has. Training reads train and is judged on test. A val split
may be there and is not read: CamVid's comes from a sequence that is in its train split as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from armlab.data.image_files import MASK_SUFFIXES, SUFFIXES
from armlab.data.left_out import (
    PICTURES,
    LeftOut,
    files_in,
    left_out,
    unread_beside,
    unread_files,
)
from armlab.data.mask_names import key, masks_of, names_for
from armlab.data.split_files import Listing, Named, named_images
from armlab.whole_file import FilePath

Pair = tuple[Path, Path]  # an image and its mask
SPLITS = ("train", "test")


@dataclass(frozen=True)
class Layout:
    """The pairs to learn from and to be judged on, and the files that are neither.

    Pairs are sorted, or in the order of the split file.
    """

    training: list[Pair]
    test: list[Pair]
    left_out: list[LeftOut]


def layout_of(folder: FilePath) -> Layout:
    """Raises ValueError for a folder in neither layout, an empty split, a name without an image or
    with two, an image without a mask or with two, and an image in both splits.
    """
    folder = Path(folder)
    if (folder / "train").is_dir():
        return _in_folders(folder)
    if (folder / "images").is_dir():
        return _in_split_files(folder)
    if folder.is_dir():
        raise ValueError(
            f"{folder} has neither train/ and trainannot/ nor images/ and masks/: "
            "arrange its files in one of these ways"
        )
    raise ValueError(
        f"there is no folder {folder}: give the path of one, or one of the generated sets "
        "scenes, scenes-hard and digits"
    )


def _in_folders(folder: Path) -> Layout:
    pairs, unread = dict[str, list[Pair]](), list[LeftOut]()
    for split in SPLITS:
        images, masks = folder / split, folder / f"{split}annot"
        inside = [path for path in files_in(images) if path.parent == images]
        mask_files = [path for path in files_in(masks) if path.parent == masks]
        found = [path for path in inside if path.suffix.lower() in SUFFIXES]
        if not found:
            raise ValueError(_holds_no_image(images))
        _expect_own_names(found)
        pairs[split] = _paired(dict.fromkeys(found), images, mask_files, masks)
        used = {*found, *(mask for _, mask in pairs[split])}
        unread += unread_files(folder, inside, SUFFIXES, used)
        unread += unread_files(folder, mask_files, MASK_SUFFIXES, used)
        deep = [p for top in (images, masks) for p in files_in(top) if p.parent != top]
        unread += left_out(folder, deep, "in sub-folders", "move them up to have them read")
    read = [name for split in SPLITS for name in (split, f"{split}annot")]
    return Layout(pairs["train"], pairs["test"], [*unread, *unread_beside(folder, read)])


def _in_split_files(folder: Path) -> Layout:
    images, masks = folder / "images", folder / "masks"
    image_files, mask_files = files_in(images), files_in(masks)
    listings = Listing(images, image_files, SUFFIXES), Listing(masks, mask_files, MASK_SUFFIXES)
    named = {split: named_images(folder / f"{split}.txt", *listings) for split in SPLITS}
    for image in named["test"]:
        if image in named["train"]:
            raise ValueError(
                f"{image} is in train.txt and in test.txt: remove it from one, or the test counts "
                "what was learnt by heart"
            )
    pairs = {split: _paired(named[split], images, mask_files, masks) for split in SPLITS}
    used = {path for split in SPLITS for pair in pairs[split] for path in pair}
    spare = [p for p in image_files if p not in used and p.suffix.lower() in SUFFIXES]
    theirs = {name for image in spare for name in names_for(key(image.relative_to(images)))}
    rest = [p for p in mask_files if key(p.relative_to(masks)) not in theirs]
    unread = [
        *left_out(folder, spare, "in neither train.txt nor test.txt", "write each into one"),
        *unread_files(folder, image_files, SUFFIXES, {*used, *spare}),
        *unread_files(folder, rest, MASK_SUFFIXES, used),
    ]
    read = ["images", "masks", *(f"{split}.txt" for split in SPLITS)]
    return Layout(pairs["train"], pairs["test"], [*unread, *unread_beside(folder, read)])


def _paired(named: Named, images: Path, mask_files: Sequence[Path], masks: Path) -> list[Pair]:
    """Each image with the mask that its line gives, or else with the one of its name."""
    unpaired = [image for image, mask in named.items() if mask is None]
    found = masks_of(unpaired, images, mask_files, masks)
    pairs = []
    for image, given in named.items():
        mask = given or found.get(image)
        if mask is None:
            raise ValueError(_has_no_mask(image, images, mask_files, masks))
        pairs.append((image, mask))
    return pairs


def _expect_own_names(images: Sequence[Path]) -> None:
    by_name: dict[str, Path] = {}
    for path in images:
        if by_name.setdefault(key(path), path) != path:
            raise ValueError(
                f"{by_name[key(path)]} and {path} have the same name: rename one, with its mask"
            )


def _holds_no_image(images: Path) -> str:
    for path in files_in(images):
        if path.suffix.lower() in SUFFIXES:
            return f"{images} holds images in sub-folders alone, as {path}: move them up"
        if path.suffix.lower() in PICTURES:
            return f"{images} holds no image that is read, but {path.name}: save it as PNG or JPEG"
    return f"{images} holds no image: put PNG or JPEG files there"


def _has_no_mask(image: Path, images: Path, mask_files: Sequence[Path], masks: Path) -> str:
    name = image.relative_to(images)
    for path in mask_files:
        if (
            key(path.relative_to(masks)) in names_for(key(name))
            and path.suffix.lower() not in MASK_SUFFIXES
        ):
            return (
                f"{path} is no mask for {image}, since masks are read from PNG and TIFF alone: "
                "save the numbers of its classes as a PNG"
            )
    return f"{image} has no mask {(masks / name).with_suffix('.png')}: add it, or remove the image"
