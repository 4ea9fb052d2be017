"""One look at every file of a folder before training starts: is it whole, and what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from armlab.data.fitting_pair import decoded_pair
from armlab.data.mask_names import Pair
from armlab.data.size import Size
from armlab.read_file import file_bytes
from armlab.whole_file import FilePath


@dataclass(frozen=True)
class Survey:
    """What is known of some pairs without keeping any of them in memory.

    counts  (K,) int64  pixels of each class
    sizes               (height, width) of each image
    digest              SHA-256 of all names and bytes
    """

    counts: np.ndarray
    sizes: list[Size]
    digest: str


def survey(folder: FilePath, pairs: Sequence[Pair], classes: int, ignore_index: int) -> Survey:
    """Read every pair once, one at a time.

    Raises ValueError for a file that cannot be read, a mask with several channels, a mask of
    another size than its image, and a label that is neither a class nor ignore_index.
    """
    counts, sizes, digest = np.zeros(256, np.int64), list[Size](), hashlib.sha256()
    for image_path, mask_path in pairs:
        data = file_bytes(image_path), file_bytes(mask_path)
        image, mask = decoded_pair(image_path, data[0], mask_path, data[1])
        found = np.bincount(mask.ravel(), minlength=256)
        _expect_classes(mask_path, found, classes, ignore_index)
        counts += found
        sizes.append(image.shape[:2])
        for path, content in zip((image_path, mask_path), data, strict=True):
            digest.update(
                path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0"
            )
            digest.update(hashlib.sha256(content).digest())
    counts[ignore_index] = 0
    return Survey(counts[:classes], sizes, digest.hexdigest())


def _expect_classes(path: Path, found: np.ndarray, classes: int, ignore_index: int) -> None:
    allowed = (np.arange(256) < classes) | (np.arange(256) == ignore_index)
    wrong = np.flatnonzero(found * ~allowed)
    if wrong.size:
        raise ValueError(
            f"{path} has a pixel with label {wrong[0]}, and the labels are 0 to {classes - 1}, and "
            f"{ignore_index} where a pixel does not count: correct it, or set --classes or --ignore"
        )
