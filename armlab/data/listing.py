"""The files of one folder, found by the names that people give them.

The same letters may be stored composed or, as a Mac does, each accent on its own: names are
compared in the composed form, NFC.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path


class Listing:
    """Of images, or of masks: what has another suffix is known, but is none.

    files   all of them
    chosen  those with one of the suffixes
    """

    def __init__(self, folder: Path, files: Sequence[Path], suffixes: Sequence[str]) -> None:
        self.folder, self.files, self.suffixes = folder, files, suffixes
        self.chosen = [path for path in files if path.suffix.lower() in suffixes]
        self._by_name: dict[str, list[Path]] = {}
        self._by_stem: dict[str, list[Path]] = {}
        for path in files:
            name = composed(path.relative_to(folder).as_posix())
            for spelling in dict.fromkeys((name, _with_small_suffix(name))):
                self._by_name.setdefault(spelling, []).append(path)
        for path in self.chosen:
            self._by_stem.setdefault(self.stem(path), []).append(path)

    def stem(self, path: Path) -> str:
        """The name of one of the files, in the folder and without its suffix, to be compared."""
        return composed(path.relative_to(self.folder).with_suffix("").as_posix())

    def with_stem(self, stem: str) -> list[Path]:
        return self._by_stem.get(stem, [])

    def named(self, text: str) -> list[Path]:
        """What a name may mean: relative to the folder, or to the one that holds it."""
        for name in self._inside(text):
            found = self._by_name.get(name) or self._by_name.get(_with_small_suffix(name))
            if found := found or self.with_stem(name):
                return found
        return []

    def is_outside(self, text: str) -> bool:
        """Whether a name can only be of a file elsewhere."""
        return next(self._inside(text), None) is None

    def _inside(self, text: str) -> Iterator[str]:
        """The name relative to the folder, in each way that it can be read."""
        text = text.replace("\\", "/")
        if re.match("[A-Za-z]:/", text):
            return  # of a disk of Windows, which says nothing here
        here = os.path.abspath(self.folder)
        tops = dict.fromkeys(composed(top) for top in (here, os.path.realpath(here)))
        for start in (here, os.path.dirname(here)):
            whole = composed(os.path.normpath(os.path.join(start, text)))
            for top in tops:
                if whole.startswith(top + os.sep):
                    yield Path(os.path.relpath(whole, top)).as_posix()


def composed(name: str) -> str:
    """The one form in which names are compared."""
    return unicodedata.normalize("NFC", name)


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


def _with_small_suffix(name: str) -> str:
    stem, suffix = os.path.splitext(name)
    return stem + suffix.lower()
