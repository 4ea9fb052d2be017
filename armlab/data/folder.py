"""A folder of photographs and masks as a `Dataset`: read from disk as it is asked for.

In memory are the paths, the batch in hand, the one behind it, which is read while the network is
busy, and the order of one epoch, however many files there are. Sample i is a function of the files,
the seed and i, so a run that goes on needs no state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np

from armlab.data.augmentation import as_float, augmented, centred
from armlab.data.colours import palette
from armlab.data.dataset import Batch
from armlab.data.digits_and_photographs import to_network, to_rgb
from armlab.data.fitting_pair import read_pair
from armlab.data.folder_layouts import layout_of
from armlab.data.folder_survey import survey
from armlab.data.mask_names import Pair
from armlab.data.size import Size, parse_size
from armlab.read_file import file_lines
from armlab.whole_file import FilePath

SEGNET_CLASSES = 11  # of CamVid as SegNet has it, where label 11 does not count
NAMES = "classes.txt"
SHOWN = 4
Sample = tuple[np.ndarray, np.ndarray]  # an image (3, H, W) and its labels (H, W)


class Folder:
    """See `Dataset`, and `folder_layouts` for how the files are arranged.

    Training images are crops of `size`, augmented or from the middle; test images are whole.
    Every file is read once before anything else; `left_out` says which files of the folder are not
    read, and why. Raises ValueError for what will not do.
    """

    told_apart: tuple[int, ...] = ()

    def __init__(
        self,
        path: FilePath,
        *,
        seed: int = 0,
        size: Size = (64, 64),
        classes: int = SEGNET_CLASSES,
        ignore_index: int = SEGNET_CLASSES,
        augment: bool = True,
    ) -> None:
        path, size = Path(path), parse_size(size)
        self.classes = _names(path, classes)
        self.ignore_index, self.colours = ignore_index, palette(classes)
        self.seed, self.size, self.augment = seed, size, augment
        layout = layout_of(path)
        self.training_pairs, self.test_pairs = layout.training, layout.test
        self.left_out = layout.left_out
        train, test = (
            survey(path, pairs, classes, ignore_index)
            for pairs in (self.training_pairs, self.test_pairs)
        )
        self.fingerprint = train.digest + test.digest
        self._counts, self._test_sizes = train.counts, test.sizes
        self._threads = ThreadPoolExecutor(os.cpu_count())  # Pillow decodes without Python's lock
        self._ahead: dict[range, list[Future[Sample]]] = {}  # of the batch that is likely next

    def training(self, indices: range) -> Batch:
        reading = self._ahead.pop(indices, None) or self._read(indices)
        self._stop_reading()
        images, labels = zip(*(sample.result() for sample in reading), strict=True)
        following = range(indices.stop, indices.stop + len(indices))
        self._ahead[following] = self._read(following)
        return np.stack(images), np.stack(labels)

    def _read(self, indices: range) -> list[Future[Sample]]:
        return [self._threads.submit(self._sample, index) for index in indices]

    def _stop_reading(self) -> None:
        """Of a batch that nobody has asked for."""
        for sample in chain(*self._ahead.values()):
            sample.cancel()
        self._ahead.clear()

    def testing(self) -> Iterator[Batch]:
        for pair in self.test_pairs:
            yield _whole([pair])

    def shown(self) -> Batch:
        same = [n for n, size in enumerate(self._test_sizes) if size == self._test_sizes[0]]
        spread = np.linspace(0, len(same) - 1, min(SHOWN, len(same))).round().astype(int)
        return _whole([self.test_pairs[same[n]] for n in spread])

    def class_counts(self) -> np.ndarray:
        return self._counts

    def picture(self, image: np.ndarray) -> np.ndarray:
        return to_rgb(image)

    def _sample(self, index: int) -> Sample:
        """The epochs are permutations of the pairs, one after the other."""
        epoch, place = divmod(index, len(self.training_pairs))
        pair = self.training_pairs[_order(self.seed, epoch, len(self.training_pairs))[place]]
        image, mask = read_pair(*pair)
        if self.augment:
            rng = np.random.default_rng([self.seed, index])
            image, mask = augmented(image, mask, self.size, self.ignore_index, rng)
        else:
            image, mask = centred(image, mask, self.size, self.ignore_index)
            image = as_float(image)
        return to_network(image), mask.astype(np.int64)


def names_of(path: FilePath) -> tuple[str, ...]:
    """The lines of a folder's classes.txt; () where it has none."""
    listed = Path(path, NAMES)
    if not listed.is_file():
        return ()
    return tuple(line for line in file_lines(listed) if line)


def _names(path: Path, classes: int) -> tuple[str, ...]:
    names = names_of(path) or tuple(f"class {k}" for k in range(classes))
    if len(names) != classes:
        raise ValueError(
            f"{path / NAMES} names {len(names)} classes and the run has {classes}: "
            "leave out --classes, or correct the file"
        )
    return names


def _whole(pairs: list[Pair]) -> Batch:
    images, masks = zip(*(read_pair(*pair) for pair in pairs), strict=True)
    return (
        np.stack([to_network(as_float(image)) for image in images]),
        np.stack([mask.astype(np.int64) for mask in masks]),
    )


@lru_cache(maxsize=2)  # a batch may reach from one epoch into the next
def _order(seed: int, epoch: int, samples: int) -> np.ndarray:
    """A permutation, from a generator that no sample has: theirs are made of two numbers."""
    return np.random.default_rng([seed, epoch, 1]).permutation(samples)
