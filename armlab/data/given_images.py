"""The images that a command was given: files, folders of them, and patterns such as "*.png"."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from armlab.data.image_files import SUFFIXES
from armlab.listed import listed

SAID = 4  # names of what a folder has beside images


@dataclass
class GivenImages:
    """In the order in which they were given, those of a folder or a pattern by name.

    left_out  a sentence for each folder that has something else, and for images given again
    wrong     a sentence for each argument that names no image at all
    """

    paths: list[Path] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def given_images(arguments: Iterable[str]) -> GivenImages:
    """What the arguments name, each image once; a file is taken at its word, whatever its suffix.

    A pattern that the shell left as it is, in quotes or on Windows, is expanded as a shell would.
    """
    given = GivenImages()
    for argument in arguments:
        if not _is_pattern(argument):
            _add(given, Path(argument))
            continue
        found = sorted(glob.glob(argument, recursive=True))
        if not found:
            given.wrong.append(
                f"no file fits the pattern {argument!r}: check its folder and its suffix"
            )
        for name in found:
            _add(given, Path(name))
    _each_once(given)
    return given


def _each_once(given: GivenImages) -> None:
    counts = Counter(os.path.abspath(path) for path in given.paths)
    first = dict[str, Path]()
    for path in given.paths:
        first.setdefault(os.path.abspath(path), path)
    given.paths = list(first.values())
    for name, path in first.items():
        if counts[name] > 1:
            given.left_out.append(f"{path} was given {counts[name]} times and is done once")


def _is_pattern(argument: str) -> bool:
    return glob.has_magic(argument) and not os.path.lexists(argument)


def _add(given: GivenImages, path: Path) -> None:
    """A file as it is; of a folder its images."""
    if not path.is_dir():
        given.paths.append(path)
        return
    try:
        inside = sorted(p for p in path.iterdir() if not p.name.startswith("."))
    except OSError as error:
        given.wrong.append(f"cannot read {path}: {error.strerror}; make it readable")
        return
    images = [p for p in inside if p.suffix.lower() in SUFFIXES and p.is_file()]
    others = [p.name for p in inside if p not in set(images)]
    given.paths += images
    if not images:
        given.wrong.append(f"{path} has no image ({', '.join(SUFFIXES)}): name a folder with some")
    elif others:
        given.left_out.append(
            f"{path}: {len(others)} of {len(inside)} are no images and were left out: "
            f"{listed(others, SAID)}"
        )
