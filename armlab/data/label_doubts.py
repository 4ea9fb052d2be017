"""Labels that cannot be meant: what is refused before training, and what is only said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from armlab.data.label_remedies import remedy_of_silence, remedy_of_unknown
from armlab.data.survey import Survey
from armlab.listed import listed
from armlab.number_lists import written
from armlab.shares import percent

MUCH = 0.5  # ignored pixels
NEARLY_ALL = 0.99  # of the pixels that count, in one class
NAMES_SHOWN = 6


def refusal(survey: Survey) -> str:
    """Why nothing can be learnt from these labels, in a sentence; "" where something can."""
    labels = survey.labels
    for part in survey.parts.values():
        if part.unknown:
            value = part.unknown[0]
            return (
                f"{part.first[value]} has a pixel with label {value}, and the labels are "
                f"{_allowed(survey)}: {remedy_of_unknown(survey)}"
            )
    there = np.flatnonzero(survey.training.of_class)
    if len(there) > 1:
        return ""
    if not len(there):
        return (
            f"every pixel of the training masks in {survey.data} has label {labels.ignored}, which "
            "does not count: correct the masks, or set --ignore"
        )
    beside = f", beside {labels.ignored} that does not count" if survey.training.ignored else ""
    return (
        f"the training masks of {survey.data} hold nothing but {_class_words(survey, there)}"
        f"{beside}: {remedy_of_silence(survey)}"
    )


def doubts(survey: Survey) -> list[str]:
    """What should be known before training starts, a sentence each; [] where nothing is odd."""
    of_classes = [
        _begins_at_one(survey) or _never_seen(survey),
        _only_in_test(survey),
        *(_mostly_ignored(survey, name) for name in survey.parts),
        _one_class(survey),
    ]
    of_files = [
        *(_void(survey, name) for name in survey.parts),
        _palettes(survey),
        _no_names(survey),
    ]
    said = of_files if refusal(survey) else of_classes + of_files
    return [sentence for sentence in said if sentence]


def _begins_at_one(survey: Survey) -> str:
    values = survey.values
    if survey.labels.named or survey.labels.ignored == 0:
        return ""
    above = [v for v in values if 0 < v <= len(survey.classes)]
    option = f"--labels {written(above)}"
    if 0 not in values and 1 in values:
        return f"no mask holds a 0: if the labels begin at 1, give {option}"
    if survey.is_border and len(above) > 1:
        return (
            f"{_class_word(survey, 0)} is nowhere more than a line: if it is the border between "
            f"objects, give {option} --ignore 0"
        )
    return ""


def _never_seen(survey: Survey) -> str:
    seen = survey.training.of_class + survey.test.of_class > 0
    missing = [k for k in survey.labels.counted if not seen[k]]
    if not missing:
        return ""
    return f"no mask has a pixel of {_class_words(survey, missing)}: {remedy_of_silence(survey)}"


def _only_in_test(survey: Survey) -> str:
    only = np.flatnonzero((survey.training.of_class == 0) & (survey.test.of_class > 0))
    if not only.size:
        return ""
    return (
        f"only the test has pixels of {_class_words(survey, only)}, which cannot be learnt then: "
        "put some of its images into the training part"
    )


def _mostly_ignored(survey: Survey, name: str) -> str:
    part, ignored = survey.parts[name], survey.labels.ignored
    if part.ignored <= MUCH:
        return ""
    return (
        f"{percent(part.ignored)} % of the {name} pixels have label {ignored} and do not count: "
        f"if it is a class, give --labels {written(survey.values)}"
    )


def _void(survey: Survey, name: str) -> str:
    part = survey.parts[name]
    if not part.voids:
        return ""
    more = f" and {part.voids - len(part.void)} more" if part.voids > len(part.void) else ""
    masks = "masks have" if part.voids > 1 else "mask has"
    return (
        f"{part.voids} {name} {masks} no pixel that counts, {', '.join(part.void)}{more}: "
        "draw them anew or remove them, with their images"
    )


def _one_class(survey: Survey) -> str:
    counts = survey.training.of_class
    largest = int(counts.argmax())
    share = float(counts[largest] / max(counts.sum(), 1))
    if share <= NEARLY_ALL:
        return ""
    return (
        f"{percent(share)} % of the training pixels that count are {_class_word(survey, largest)}, "
        "and to answer that everywhere is nearly right: give --class-weights median-frequency"
    )


def _palettes(survey: Survey) -> str:
    if not survey.clash:
        return ""
    return (
        f"a mask is read by its numbers and not by its colours, and {survey.clash}: save all masks "
        "with one palette"
    )


def _no_names(survey: Survey) -> str:
    if survey.named:
        return ""
    return (
        f"the classes have no names: write them into {survey.data}/classes.txt, one a line, in "
        "the order of their numbers"
    )


def _class_words(survey: Survey, classes: Sequence[int] | np.ndarray) -> str:
    """Their names with their labels, the first of many."""
    return listed((_class_word(survey, int(k)) for k in classes), NAMES_SHOWN)


def _class_word(survey: Survey, k: int) -> str:
    name, label = survey.classes[k], survey.labels.values[k]
    return name if name == f"class {label}" else f"{name} ({label})"


def _allowed(survey: Survey) -> str:
    """0 to 2, and 255 where a pixel does not count."""
    labels = survey.labels
    known = written(labels.values) if labels.named else f"0 to {len(labels.values) - 1}"
    if labels.ignored is None:
        return known
    return f"{known}, and {labels.ignored} where a pixel does not count"
