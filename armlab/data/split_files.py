"""The lines of a split file, as people and tools write them, each one image and perhaps its mask.

a   a.png   sub/a.png   images/a.png   ../images/a.png   images\\a.png   /home/me/data/images/a.png
images/a.png masks/a.png      two columns, with spaces, a tab, a comma or a semicolon between
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from armlab.data.mask_names import composed, key
from armlab.read_file import file_lines

COLUMNS = re.compile(r"\s*[,;\t]\s*|\s+")  # what may stand between two
Named = dict[Path, Path | None]  # each image, and its mask where the line gives one


class Listing:
    """The files of one folder, found by their names as a split file has them."""

    def __init__(self, folder: Path, files: Sequence[Path], suffixes: Sequence[str]) -> None:
        self.folder, self.suffixes = folder, suffixes
        self._found: dict[str, list[Path]] = {}
        for path in files:
            name = path.relative_to(folder)
            spellings = [composed(name.as_posix()), _with_small_suffix(name.as_posix())]
            if path.suffix.lower() in suffixes:
                spellings.append(key(name))
            for spelling in dict.fromkeys(spellings):
                self._found.setdefault(spelling, []).append(path)

    def named(self, text: str) -> list[Path]:
        """What a name may mean: relative to the folder, or to the one that holds it."""
        for name in self._inside(text):
            for spelling in (name, _with_small_suffix(name)):
                if spelling in self._found:
                    return self._found[spelling]
        return []

    def is_outside(self, text: str) -> bool:
        """Whether a name can only be of a file elsewhere."""
        return next(self._inside(text), None) is None

    def _inside(self, text: str) -> Iterator[str]:
        """The name relative to the folder, in each way that it can be read."""
        text = composed(text).replace("\\", "/")
        if re.match("[A-Za-z]:/", text):
            return  # of a disk of Windows, which says nothing here
        here = os.path.abspath(self.folder)
        tops = [composed(top) for top in (here, os.path.realpath(here))]
        for start in (here, os.path.dirname(here)):
            whole = composed(os.path.normpath(os.path.join(start, text)))
            for top in tops:
                if whole.startswith(top + os.sep):
                    yield Path(os.path.relpath(whole, top)).as_posix()


def _with_small_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(composed(name))
    return stem + suffix.lower()


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
