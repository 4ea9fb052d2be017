"""One look at every file of a folder before training starts: is it whole, and what is in it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from armlab.data.fitting_pair import decoded_pair
from armlab.data.label_values import LabelValues
from armlab.data.mask_names import Pair
from armlab.data.survey import Part
from armlab.read_file import file_bytes
from armlab.whole_file import FilePath

Colour = tuple[int, ...]  # of three, 0 to 255


class Palettes:
    """The colours that palettes give to the numbers of masks.

    A mask saved as "the fewest colours that this picture needs" numbers them in its own order, so
    that one number has two colours in two masks, and is not a class.

    clash  the first such number, in words; "" while there is none
    """

    def __init__(self) -> None:
        self.clash = ""
        self._seen: dict[int, tuple[Colour, Path]] = {}

    def add(self, path: Path, data: bytes, mask: np.ndarray) -> None:
        """One more mask: the bytes of its file, and what is in it."""
        from PIL import Image

        with Image.open(io.BytesIO(data)) as picture:  # of the file's head alone
            palette = picture.getpalette("RGB") or []
        for value in np.unique(mask).tolist() if palette and not self.clash else ():
            colour = tuple(palette[3 * value : 3 * value + 3])
            before, where = self._seen.setdefault(value, (colour, path))
            if before != colour and not self.clash:
                self.clash = f"{value} is the colour {before} in {where} and {colour} in {path}"


def look_at(
    folder: FilePath, pairs: Sequence[Pair], labels: LabelValues, palettes: Palettes
) -> Part:
    """Read every pair once, one at a time.

    Raises ValueError for a file that cannot be read, a mask with several channels, and a mask of
    another size than its image; what labels there are is for `label_doubts` to judge.
    """
    part, digest = Part(labels, pairs), hashlib.sha256()
    for image_path, mask_path in pairs:
        data = file_bytes(image_path), file_bytes(mask_path)
        _, mask = decoded_pair(image_path, data[0], mask_path, data[1])
        part.add(str(mask_path), mask)
        palettes.add(mask_path, data[1], mask)
        for path, content in zip((image_path, mask_path), data, strict=True):
            digest.update(
                path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0"
            )
            digest.update(hashlib.sha256(content).digest())
    part.digest = digest.hexdigest()
    return part
