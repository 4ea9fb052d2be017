"""Which image of a folder belongs to which mask, to which split, and what belongs to none.

Two layouts are known. That of SegNet's CamVid:

    train/a.png  trainannot/a.png     val/ valannot/     test/ testannot/

and one with split files, one name a line (`split_files` says in which ways):

    images/a.jpg  masks/a.png     train.txt  test.txt  and perhaps val.txt

`mask_names` says which mask an image has. Training reads train and is judged on test. A val split
may be there and is not read: CamVid's comes from a sequence that is in its train split as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from armlab.data.image_files import MASK_SUFFIXES, SUFFIXES
from armlab.data.left_out import PICTURES, LeftOut, left_out, unread_beside, unread_files
from armlab.data.listing import Listing, files_in
from armlab.data.mask_names import Pair, names_for, paired
from armlab.data.split_files import named_images
from armlab.whole_file import FilePath

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
        tops = folder / split, folder / f"{split}annot"
        everything = [path for top in tops for path in files_in(top)]
        flat = [[path for path in everything if path.parent == top] for top in tops]
        images = Listing(tops[0], flat[0], SUFFIXES)
        masks = Listing(tops[1], flat[1], MASK_SUFFIXES)
        _expect_images(images)
        pairs[split] = paired(dict.fromkeys(images.chosen), images, masks)
        deep = [path for path in everything if path.parent not in tops]
        unread += [
            *unread_files(folder, images, images.chosen),
            *unread_files(folder, masks, {mask for _, mask in pairs[split]}),
            *left_out(folder, deep, "in sub-folders", "move them up to have them read"),
        ]
    read = [name for split in SPLITS for name in (split, f"{split}annot")]
    return Layout(pairs["train"], pairs["test"], [*unread, *unread_beside(folder, read)])


def _in_split_files(folder: Path) -> Layout:
    tops = folder / "images", folder / "masks"
    images = Listing(tops[0], files_in(tops[0]), SUFFIXES)
    masks = Listing(tops[1], files_in(tops[1]), MASK_SUFFIXES)
    named = {split: named_images(folder / f"{split}.txt", images, masks) for split in SPLITS}
    for image in named["test"]:
        if image in named["train"]:
            raise ValueError(
                f"{image} is in train.txt and in test.txt: remove it from one, or the test counts "
                "what was learnt by heart"
            )
    pairs = {split: paired(named[split], images, masks) for split in SPLITS}
    used = {path for split in SPLITS for pair in pairs[split] for path in pair}
    spare = [path for path in images.chosen if path not in used]
    theirs = {name for image in spare for name in names_for(images.stem(image))}
    used.update(mask for mask in masks.chosen if masks.stem(mask) in theirs)
    unread = [
        *left_out(folder, spare, "in neither train.txt nor test.txt", "write each into one"),
        *unread_files(folder, images, images.chosen),
        *unread_files(folder, masks, used),
    ]
    read = ["images", "masks", *(f"{split}.txt" for split in SPLITS)]
    return Layout(pairs["train"], pairs["test"], [*unread, *unread_beside(folder, read)])


def _expect_images(images: Listing) -> None:
    """At least one, and none with the name of another."""
    if not images.chosen:
        raise ValueError(_holds_no_image(images.folder))
    for path in images.chosen:
        same = images.with_stem(images.stem(path))
        if len(same) > 1:
            raise ValueError(
                f"{same[0]} and {same[1]} have the same name: rename one, with its mask"
            )


def _holds_no_image(images: Path) -> str:
    for path in files_in(images):
        if path.suffix.lower() in SUFFIXES:
            return f"{images} holds images in sub-folders alone, as {path}: move them up"
        if path.suffix.lower() in PICTURES:
            return f"{images} holds no image that is read, but {path.name}: save it as PNG or JPEG"
    return f"{images} holds no image: put PNG or JPEG files there"
