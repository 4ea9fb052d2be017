"""A folder of photographs and masks as a `Dataset`: read from disk as it is asked for.

In memory are the paths, the batch in hand, the one behind it, which is read while the network is
busy, and the order of one epoch, however many files there are. Sample i is a function of the files,
the seed and i, so a run that goes on needs no state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
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
from armlab.data.folder_survey import Palettes, look_at
from armlab.data.label_doubts import refusal
from armlab.data.label_values import LabelValues
from armlab.data.mask_names import Pair
from armlab.data.samples import spread
from armlab.data.size import Size, parse_size
from armlab.data.survey import Survey
from armlab.read_file import file_lines
from armlab.whole_file import FilePath

SEGNET_CLASSES = 11  # of CamVid as SegNet has it, where label 11 does not count
NAMES = "classes.txt"
SHOWN = 4
Sample = tuple[np.ndarray, np.ndarray]  # an image (3, H, W) and its labels (H, W)


class Folder:
    """See `Dataset`, and `folder_layouts` for how the files are arranged.

    Training images are crops of `size`, augmented or from the middle; test images are whole.
    Every file is read once before anything else; `survey` says what was found, and `left_out` which
    files of the folder are not read, and why. Raises ValueError for what will not do.

    labels  what the masks hold for each class, in order, where that is not 0, 1, 2, …
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
        labels: Sequence[int] = (),
    ) -> None:
        self.survey = look_around(path, classes, ignore_index, labels)
        if why := refusal(self.survey):
            raise ValueError(why)
        self.training_pairs, self.test_pairs = self.survey.training.pairs, self.survey.test.pairs
        self.left_out = self.survey.left_out
        self.fingerprint = self.survey.training.digest + self.survey.test.digest
        self.classes, self._labels = self.survey.classes, self.survey.labels
        self.ignore_index, self.colours = self._labels.ignore_index, palette(classes)
        self.seed, self.size, self.augment = seed, parse_size(size), augment
        self._threads = ThreadPoolExecutor(os.cpu_count())  # Pillow decodes without Python's lock
        self._last = range(0)  # that was asked for
        self._ahead: dict[range, list[Future[Sample]]] = {}  # of the batch that is likely next

    def training(self, indices: range) -> Batch:
        reading = self._ahead.pop(indices, None) or self._read(indices)
        self._stop_reading()
        images, labels = zip(*(sample.result() for sample in reading), strict=True)
        following = self._after(indices)
        self._ahead[following] = self._read(following)
        return np.stack(images), np.stack(labels)

    def _after(self, indices: range) -> range:
        """What is likely next: as far ahead as this is of the last, where both are as long.

        So it is for a rank as well, whose parts lie a whole batch apart.
        """
        step, same = indices.start - self._last.start, len(indices) == len(self._last)
        self._last = indices
        step = step if same and step > 0 else len(indices)
        return range(indices.start + step, indices.stop + step)

    def _read(self, indices: range) -> list[Future[Sample]]:
        return [self._threads.submit(self._sample, index) for index in indices]

    def _stop_reading(self) -> None:
        """Of a batch that nobody has asked for."""
        for sample in chain(*self._ahead.values()):
            sample.cancel()
        self._ahead.clear()

    def testing(self, rank: int = 0, ranks: int = 1) -> Iterator[Batch]:
        for pair in self.test_pairs[rank::ranks]:
            yield self._whole([pair])

    def shown(self) -> Batch:
        sizes = self.survey.test.sizes
        same = [n for n, size in enumerate(sizes) if size == sizes[0]]
        return self._whole([self.test_pairs[same[n]] for n in spread(len(same), SHOWN)])

    def class_counts(self) -> np.ndarray:
        return self.survey.training.of_class

    def picture(self, image: np.ndarray) -> np.ndarray:
        return to_rgb(image)

    def _sample(self, index: int) -> Sample:
        """The epochs are permutations of the pairs, one after the other."""
        epoch, place = divmod(index, len(self.training_pairs))
        pair = self.training_pairs[_order(self.seed, epoch, len(self.training_pairs))[place]]
        image, mask = self._read_pair(pair)
        if self.augment:
            rng = np.random.default_rng([self.seed, index])
            image, mask = augmented(image, mask, self.size, self.ignore_index, rng)
        else:
            image, mask = centred(image, mask, self.size, self.ignore_index)
            image = as_float(image)
        return to_network(image), mask.astype(np.int64)

    def _read_pair(self, pair: Pair) -> Sample:
        """An image and the class of each of its pixels, both uint8."""
        image, mask = read_pair(*pair)
        return image, self._labels.read(mask)

    def _whole(self, pairs: list[Pair]) -> Batch:
        images, masks = zip(*(self._read_pair(pair) for pair in pairs), strict=True)
        return (
            np.stack([to_network(as_float(image)) for image in images]),
            np.stack([mask.astype(np.int64) for mask in masks]),
        )


def look_around(
    path: FilePath, classes: int, ignore_index: int, labels: Sequence[int] = ()
) -> Survey:
    """Read every file once.

    Raises ValueError for a file that will not do; of the labels nothing is refused here.
    """
    path, names = Path(path), _names(Path(path), classes)
    layout = layout_of(path)
    values, palettes = LabelValues.of(classes, ignore_index, labels), Palettes()
    learnt = look_at(path, layout.training, values, palettes)
    judged = look_at(path, layout.test, values, palettes)
    named, clash = bool(names_of(path)), palettes.clash
    return Survey(str(path), names, named, values, learnt, judged, clash, layout.left_out)


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
            "leave out --classes or name as many --labels, or correct the file"
        )
    return names


@lru_cache(maxsize=2)  # a batch may reach from one epoch into the next
def _order(seed: int, epoch: int, samples: int) -> np.ndarray:
    """A permutation, from a generator that no sample has: theirs are made of two numbers."""
    return np.random.default_rng([seed, epoch, 1]).permutation(samples)
