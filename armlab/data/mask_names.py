"""Which mask belongs to an image, by the names that people and their data sets give.

    a.jpg             a.png, a.PNG, a.tif
    a.png             a_L.png                        CamVid
    a_leftImg8bit.png a_gtFine_labelTrainIds.png     Cityscapes, its numbers for training
                      a_labelTrainIds.png

The same letters may be stored composed or, as a Mac does, each accent on its own: names are
compared in the composed form, NFC.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from armlab.data.image_files import MASK_SUFFIXES

PHOTO = "_leftImg8bit"  # the end of Cityscapes' images
MASK_ENDS = ("_L", "_labelTrainIds", "_gtFine_labelTrainIds")


def composed(name: str) -> str:
    """The one form in which names are compared."""
    return unicodedata.normalize("NFC", name)


def key(path: Path) -> str:
    """A path without its suffix, to be compared with others; / between folders everywhere."""
    return composed(path.with_suffix("").as_posix())


def masks_of(
    images: Sequence[Path], image_folder: Path, masks: Sequence[Path], mask_folder: Path
) -> dict[Path, Path]:
    """The mask of each image that has one.

    Raises ValueError, which names both, for an image with two masks and a mask with two images.
    """
    of_key: dict[str, list[Path]] = {}
    for path in masks:
        if path.suffix.lower() in MASK_SUFFIXES:
            of_key.setdefault(key(path.relative_to(mask_folder)), []).append(path)
    keys = {image: key(image.relative_to(image_folder)) for image in images}
    found, owner, own = dict[Path, Path](), dict[Path, Path](), set(keys.values())
    for image, name in keys.items():
        # a_L may be an image too, of the left camera: then that mask is not the one of a
        names = [other for other in names_for(name) if other == name or other not in own]
        fitting = [path for other in names for path in of_key.get(other, [])]
        if len(fitting) > 1:
            raise ValueError(f"{fitting[0]} and {fitting[1]} both fit {image}: remove one")
        for path in fitting:
            if path in owner:
                raise ValueError(
                    f"{path} is the mask of two images, {owner[path]} and {image}: "
                    "rename one, and give it a mask of its own"
                )
            found[image], owner[path] = path, image
    return found


def names_for(name: str) -> Iterator[str]:
    """The keys that the mask of this image may have, its own first."""
    yield name
    for end in MASK_ENDS:
        yield name.removesuffix(PHOTO) + end
