"""What lies in a data folder and is not read: said before a training, not found out after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from armlab.data.image_files import SUFFIXES
from armlab.data.listing import Listing

NAMED = 5  # files; the others are counted
PICTURES = (*SUFFIXES, ".bmp", ".webp", ".gif", ".jp2", ".heic", ".avif", ".npy", ".ppm", ".pgm")
SPLIT_FILES = ("train", "val", "valid", "validation", "trainval", "test")


@dataclass(frozen=True)
class LeftOut:
    """Files or folders that are not read, all for one reason.

    names   relative to the data folder, sorted; folders end in a slash
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
    ends = {path: "/" if path.is_dir() else "" for path in paths}
    names = sorted(path.relative_to(folder).as_posix() + end for path, end in ends.items())
    return [LeftOut(tuple(names), why, remedy)] if names else []


def unread_files(folder: Path, listing: Listing, used: Collection[Path]) -> list[LeftOut]:
    """Of images or of masks: files with another suffix, and masks that no image has."""
    spare = [path for path in listing.chosen if path not in used]
    other = sorted({*listing.files} - {*listing.chosen})
    why = f"not of {', '.join(listing.suffixes)}"
    return [
        *left_out(folder, spare, "masks of no image", "name each as its image, or add the image"),
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


def _is_split_file(path: Path) -> bool:
    return path.suffix.lower() == ".txt" and path.stem.lower() in SPLIT_FILES
