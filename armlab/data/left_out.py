"""What lies in a data folder and is not read: said before a training, not found out after."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from armlab.data.image_files import SUFFIXES

NAMED = 3  # files; the others are counted
PICTURES = (*SUFFIXES, ".bmp", ".webp", ".gif", ".jp2", ".heic", ".avif", ".npy", ".ppm", ".pgm")

SPLIT_FILES = ("train", "val", "valid", "validation", "trainval", "test")


@dataclass(frozen=True)
class LeftOut:
    """Files or folders that are not read, all for one reason.

    names   relative to the data folder, sorted
    why     where they lie, or what they are
    remedy  what to do to have them read
    """

    names: tuple[str, ...]
    why: str
    remedy: str

    def __str__(self) -> str:
        more = len(self.names) - NAMED
        words = [*self.names[:NAMED], *([f"{more} more"] if more > 0 else [])]
        listed = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
        return f"{len(self.names)} left out, {self.why}: {listed}; {self.remedy}"


def left_out(folder: Path, paths: Iterable[Path], why: str, remedy: str) -> list[LeftOut]:
    """One entry, or none where there are no such files."""
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return [LeftOut(tuple(names), why, remedy)] if names else []


def unread_files(
    folder: Path, files: Iterable[Path], suffixes: Sequence[str], used: Collection[Path]
) -> list[LeftOut]:
    """Of files among images or masks: those with another suffix, and masks that no image has."""
    rest = [path for path in files if path not in used]
    fit = [path for path in rest if path.suffix.lower() in suffixes]
    other = [path for path in rest if path.suffix.lower() not in suffixes]
    why = f"not of {', '.join(suffixes)}"
    return [
        *left_out(folder, fit, "masks of no image", "name each as its image, or add the image"),
        *left_out(folder, other, why, "save pictures as PNG to have them read"),
    ]


def unread_beside(folder: Path, read: Sequence[str]) -> list[LeftOut]:
    """What a layout has no place for: other splits, their files, and pictures that lie about."""
    beside = [
        path
        for path in folder.iterdir()
        if path.name not in read and not path.name.startswith(".")
        if path.suffix.lower() in PICTURES or _is_split_file(path) or path.is_dir()
    ]
    why = f"beside {', '.join(read)}"
    return left_out(folder, beside, why, "only these are read in this layout")


def files_in(folder: Path) -> list[Path]:
    """All files of a folder and its sub-folders, sorted; hidden ones are nobody's images."""
    found = []
    for where, folders, names in os.walk(folder, followlinks=True):
        above = {Path(where).resolve(), *Path(where).resolve().parents}  # a link may lead back
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and Path(where, name).resolve() not in above
        ]
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _is_split_file(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and path.stem.lower() in SPLIT_FILES
