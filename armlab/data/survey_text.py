"""A survey in words, for a terminal, and in numbers, for other programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from armlab.data.label_doubts import doubts, refusal
from armlab.data.survey import Part, Survey
from armlab.shares import percent

SHOWN = 10  # labels that are no class


def before_training(survey: Survey) -> list[str]:
    """What is said of the data before a run starts: lines of one sentence each."""
    training, test = survey.training, survey.test
    head = (
        f"{len(training.sizes)} training and {len(test.sizes)} test images, "
        f"{len(survey.classes)} classes"
    )
    if survey.labels.ignored is not None:
        head += (
            f"; label {survey.labels.ignored} does not count: {percent(training.ignored)} % of the "
            f"training pixels, {percent(test.ignored)} % of the test's"
        )
    return [head, *map(str, survey.left_out), *doubts(survey)]


def as_text(survey: Survey) -> str:
    """The parts, a row for each class, and what is odd."""
    lines = [f"{name:<10}{_sizes(part)}" for name, part in survey.parts.items()]
    lines += ["", *_table(survey)]
    odd = [*map(str, survey.left_out), *doubts(survey)]
    return "\n".join([*lines, *([""] if odd else []), *odd])


def as_dict(survey: Survey) -> dict[str, Any]:
    """As JSON can hold it."""
    labels = survey.labels
    return {
        "data": survey.data,
        "labels": list(labels.values),
        "ignored": labels.ignored,
        "parts": {name: _part(part) for name, part in survey.parts.items()},
        "classes": [
            {"label": labels.values[k], "name": name}
            | {part_name: _of_class(part, k) for part_name, part in survey.parts.items()}
            for k, name in enumerate(survey.classes)
        ],
        "left_out": [asdict(left) for left in survey.left_out],
        "doubts": doubts(survey),
        "refused": refusal(survey) or None,
    }


def _table(survey: Survey) -> list[str]:
    """Of each class its share of the pixels that are not ignored, and the images that have it."""
    width = max(len("ignored"), *map(len, survey.classes))
    lines = [f"label  {'class':<{width}}  training pixels   images     test pixels   images"]
    parts = list(survey.parts.values())
    for k, name in enumerate(survey.classes):
        cells = [
            _cells(part.of_class[k], part.of_class.sum(), part.images_with[k]) for part in parts
        ]
        lines.append(f"{survey.labels.values[k]:5d}  {name:<{width}}{''.join(cells)}")
    unknown = sorted({*parts[0].unknown, *parts[1].unknown})
    others = dict.fromkeys(unknown[:SHOWN], "no class")
    if survey.labels.ignored is not None:
        others[survey.labels.ignored] = "ignored"
    for value, name in others.items():
        cells = [
            _cells(part.pixels[value], part.pixels.sum(), part.images[value]) for part in parts
        ]
        lines.append(f"{value:5d}  {name:<{width}}{''.join(cells)}")
    more = len(unknown) - SHOWN
    return lines + ([f"       and {more} more that are no class"] if more > 0 else [])


def _cells(pixels: int, of: int, images: int) -> str:
    share = f"{percent(float(pixels / of))} %" if pixels else "none"
    return f"{share:>17}{images:>9,}"


def _sizes(part: Part) -> str:
    """64 images of 48x64, or their span."""
    smallest, middle, largest = ("x".join(map(str, size)) for size in part.size_span)
    span = f"{smallest} to {largest}, the median {middle}" if smallest != largest else smallest
    return f"{len(part.sizes):,} images of {span}"


def _part(part: Part) -> dict[str, Any]:
    return {
        "images": len(part.sizes),
        "sizes": dict(zip(("smallest", "median", "largest"), part.size_span, strict=True)),
        "ignored": part.ignored,
        "no_class": {str(v): int(part.pixels[v]) for v in part.unknown},
        "void_masks": part.voids,
        "first_void_masks": part.void,
    }


def _of_class(part: Part, k: int) -> dict[str, int]:
    found: dict[str, np.ndarray] = {"pixels": part.of_class, "images": part.images_with}
    return {name: int(counts[k]) for name, counts in found.items()}
