"""Which mask belongs to an image, by the names that people and their data sets give.

a.jpg               a.png, a.PNG, a.tif
a.png               a_L.png                       CamVid
a_leftImg8bit.png   a_gtFine_labelTrainIds.png    Cityscapes, its numbers for training
                    a_labelTrainIds.png
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from armlab.data.listing import Listing

PHOTO = "_leftImg8bit"  # the end of Cityscapes' images
MASK_ENDS = ("_L", "_labelTrainIds", "_gtFine_labelTrainIds")
Pair = tuple[Path, Path]  # an image and its mask
Named = dict[Path, Path | None]  # each image, and its mask where that is given


def paired(named: Named, images: Listing, masks: Listing) -> list[Pair]:
    """Each image with the mask that is given, or else with the one of its name.

    Raises ValueError, which names them, for an image without a mask or with two, and for a mask
    of two images.
    """
    owners = dict[Path, Path]()
    for image, given in named.items():
        mask = given or _mask_of(image, images, masks)
        if mask in owners:
            raise ValueError(
                f"{mask} is the mask of two images, {owners[mask]} and {image}: "
                "rename one, and give it a mask of its own"
            )
        owners[mask] = image
    return [(image, mask) for mask, image in owners.items()]


def names_for(stem: str) -> Iterator[str]:
    """What the mask of this image may be called, its own name first."""
    yield stem
    for end in MASK_ENDS:
        yield stem.removesuffix(PHOTO) + end


def _mask_of(image: Path, images: Listing, masks: Listing) -> Path:
    stem = images.stem(image)
    # a_L may be an image too, of the left camera: then that mask is not the one of a
    names = [name for name in names_for(stem) if name == stem or not images.with_stem(name)]
    fitting = [path for name in names for path in masks.with_stem(name)]
    if len(fitting) > 1:
        raise ValueError(f"{fitting[0]} and {fitting[1]} both fit {image}: remove one")
    if fitting:
        return fitting[0]
    for path in masks.files:
        if masks.stem(path) in names:
            raise ValueError(
                f"{path} is no mask for {image}, since masks are read from PNG and TIFF alone: "
                "save the numbers of its classes as a PNG"
            )
    expected = (masks.folder / image.relative_to(images.folder)).with_suffix(".png")
    raise ValueError(f"{image} has no mask {expected}: add it, or remove the image")
