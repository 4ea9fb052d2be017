"""Files that are there whole or not at all: checkpoints, weights and the tables of a run."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

FilePath: TypeAlias = str | os.PathLike[str]  # as `open` takes it
LEFT_OVER = re.compile(r"(.+?)(\.[0-9a-f]{8})?\.(new|old)")  # once there was no mark in between


@contextlib.contextmanager
def whole_file(path: FilePath, previous: FilePath | None = None) -> Iterator[BinaryIO]:
    """A file to write into, which takes the name `path` once it is complete on the disk.

    At any moment, a killed process and a power cut included, the old file or the new one is
    there. What had the name before is kept as `previous`, if that is given. Where writing fails
    the old file stays, nothing is left behind and the error goes on, an OSError as a rule. Until
    then it has a name of its own, so that two who write one file cannot mix what they write.
    """
    path, mark = Path(path), secrets.token_hex(4)
    fresh, link = (path.with_name(f"{path.name}.{mark}.{word}") for word in ("new", "old"))
    try:
        with open(fresh, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if previous is not None and path.exists():
            _name_twice(path, link)
            os.replace(link, previous)
        os.replace(fresh, path)
        _fsync_folder(path.parent)
    except BaseException:  # Ctrl-C among them
        for left in (fresh, link):
            with contextlib.suppress(OSError):
                left.unlink()
        raise


def write_whole(path: FilePath, text: str) -> None:
    """Write a text as a whole file. Raises OSError."""
    with whole_file(path) as file:
        file.write(text.encode())


def sweep(folder: FilePath, names: Collection[str]) -> None:
    """Remove what writers of files of these names left in a folder when they were killed.

    Nobody may be writing them now.
    """
    for path in Path(folder).iterdir():
        found = LEFT_OVER.fullmatch(path.name)
        if found and found[1] in names:
            with contextlib.suppress(OSError):
                path.unlink()


def _name_twice(path: Path, link: Path) -> None:
    """Give a file a second name; where the file system has no links, a copy."""
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:
        shutil.copyfile(path, link)


def _fsync_folder(folder: Path) -> None:
    """Make the new names themselves survive a power cut; not every system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
