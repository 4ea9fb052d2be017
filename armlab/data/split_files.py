"""The lines of a split file, as people and tools write them, each one image and perhaps its mask.

a   a.png   sub/a.png   images/a.png   images\\a.png   ../images/a.png   /data/images/a.png
images/a.png masks/a.png      two columns, with spaces, a tab, a comma or a semicolon between
"""

from __future__ import annotations

import re
from pathlib import Path

from armlab.data.listing import Listing
from armlab.data.mask_names import Named
from armlab.read_file import file_lines

COLUMNS = re.compile(r"\s*[,;\t]\s*|\s+")  # what may stand between two


def named_images(listed: Path, images: Listing, masks: Listing) -> Named:
    """What a split file names, in its order. Raises ValueError with the file and the line."""
    if not listed.exists():
        raise ValueError(f"there is no {listed}: write it, with the name of one image a line")
    found: Named = {}
    for number, text in enumerate(file_lines(listed), start=1):
        if not text:
            continue
        try:
            image, mask = _read(text, images, masks)
        except ValueError as error:
            raise ValueError(f"{listed} names {text} in line {number}, {error}") from None
        if image in found:
            raise ValueError(f"{listed} names {text} twice, again in line {number}: remove one")
        found[image] = mask
    if not found:
        raise ValueError(f"{listed} names no image: write one name a line")
    return found


def _read(text: str, images: Listing, masks: Listing) -> tuple[Path, Path | None]:
    """One line. Raises ValueError with the end of a sentence."""
    whole = images.named(text)
    if len(whole) > 1:
        raise ValueError(f"which may be {whole[0]} or {whole[1]}: rename one, with its mask")
    if whole and whole[0].suffix.lower() not in images.suffixes:
        raise ValueError(
            f"of which the suffix is none of {', '.join(images.suffixes)}: save it as PNG"
        )
    if whole:
        return whole[0], None
    cuts = [(text[: at.start()], text[at.end() :]) for at in COLUMNS.finditer(text)]
    pairs = [(i, m) for one, other in cuts for i in images.named(one) for m in masks.named(other)]
    if len(pairs) == 1:
        return pairs[0]
    if pairs:
        raise ValueError(f"which may be {pairs[0][1]} or {pairs[1][1]}: rename one")
    for one, other in cuts:
        if images.named(one):
            raise ValueError(
                f"of which {other} is no mask in {masks.folder}: correct it, or leave the image's "
                "name alone"
            )
    if images.is_outside(text):
        raise ValueError(
            f"which is outside of {images.folder}: copy it there and write its name alone"
        )
    raise ValueError(f"which is not in {images.folder}: add it, or remove the line")
