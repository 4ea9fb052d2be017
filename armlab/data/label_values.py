"""Which number in the file of a mask stands for which class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any

import numpy as np

from armlab.number_lists import parse_numbers, written

NO_CLASS = 255  # after reading, where the values of the classes are named: no class has it


@dataclass(frozen=True)
class LabelValues:
    """Masks as files have them, and as a training sees them: class k is k.

    values   (K,) what a mask holds for each class, in order
    ignored  what it holds where a pixel does not count; None where all of its pixels do
    named    whether the values are other than 0 to K - 1
    """

    values: tuple[int, ...]
    ignored: int | None
    named: bool

    @classmethod
    def of(cls, classes: int, ignore: int, labels: Sequence[int] = ()) -> LabelValues:
        """The settings classes, ignore and labels; a value that is a class counts."""
        if not labels:
            return cls(tuple(range(classes)), ignore, False)
        return cls(tuple(labels), None if ignore in labels else ignore, True)

    @property
    def ignore_index(self) -> int:
        """What stands for pixels that do not count once a mask is read."""
        return NO_CLASS if self.named or self.ignored is None else self.ignored

    @property
    def counted(self) -> list[int]:
        """The classes whose pixels count: all, unless the value of one is ignored."""
        return [k for k, value in enumerate(self.values) if value != self.ignored]

    @cached_property
    def known(self) -> np.ndarray:
        """(256,) bool: the values that a mask may hold."""
        known = np.zeros(256, bool)
        known[[*self.values, *([] if self.ignored is None else [self.ignored])]] = True
        return known

    def read(self, mask: np.ndarray) -> np.ndarray:
        """A mask as the file has it -> the class of each pixel, or ignore_index; both uint8."""
        if not self.named:
            return mask
        table = np.full(256, NO_CLASS, np.uint8)
        table[list(self.values)] = range(len(self.values))
        read: np.ndarray = table[mask]
        return read

    def shown(self, mask: np.ndarray) -> np.ndarray:
        """The same for a picture: K where a pixel is ignored, K + 1 where its label is no class."""
        size = len(self.values)
        table = np.full(256, size + 1)
        table[list(self.values)] = range(size)
        if self.ignored is not None:
            table[self.ignored] = size
        found: np.ndarray = table[mask]
        return found

    def write(self, classes: np.ndarray) -> np.ndarray:
        """The way back, of pixels that all have a class."""
        found: np.ndarray = np.array(self.values, np.uint8)[classes]
        return found

    def palette(self, colours: np.ndarray) -> np.ndarray:
        """The colours of the classes, (K, 3), where what is written has them; black between."""
        found = np.zeros((max(self.values) + 1, 3))
        found[list(self.values)] = colours
        return found


def parse_labels(labels: Any) -> tuple[int, ...]:
    """(0, 255) of "0,255" or [0, 255]; () where none are named.

    Raises ValueError for a number twice, one above 255, a single one, and what is no list.
    """
    try:
        found = (
            parse_numbers(labels)
            if isinstance(labels, str) and labels
            else tuple(index(value) for value in labels)
        )
    except (TypeError, ValueError):
        found = (-1,)
    if found and (len(found) < 2 or not 0 <= min(found) <= max(found) <= 255):
        raise ValueError(
            f"expected labels such as 0,255 or 1-19, what the masks hold for each class, got "
            f"{labels!r}: write two or more numbers of 0 to 255"
        )
    if len(set(found)) < len(found):
        raise ValueError(f"labels {labels!r} has a number twice: a number belongs to one class")
    return found


def expect_fitting(labels: tuple[int, ...], classes: int, ignore: int) -> None:
    """Labels, where they are given, are one for each class, and none of them is ignored."""
    if labels and classes != len(labels):
        raise ValueError(
            f"labels {written(labels)} are of {len(labels)} classes, got classes {classes}: "
            "leave out the number of classes"
        )
    if ignore in labels and ignore != NO_CLASS:
        raise ValueError(
            f"labels {written(labels)} have a class {ignore}, and ignore is {ignore}: "
            "leave out one of the two"
        )
