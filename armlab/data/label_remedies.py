"""Which option or action mends labels that do not fit: it depends on the values that occur."""

from __future__ import annotations

from armlab.data.survey import Survey
from armlab.number_lists import written

VOID = 255  # what most tools write where a pixel does not count
MANY, DENSE = 32, 0.6  # more values than that with more gaps than that are greys of a picture,
NEARLY_WHITE = {253, 254}  # and so are those that reach as far as this


def remedy_of_unknown(survey: Survey) -> str:
    """For values that are neither a class nor ignored."""
    labels, found = survey.labels, survey.values
    unknown = [v for v in found if not labels.known[v]]
    likely = likely_classes(survey)
    if len(found) > MANY and (NEARLY_WHITE & {*found} or len(likely) < DENSE * likely[-1]):
        return (
            f"the masks hold {len(found)} different values, as after smoothing or packing with "
            "loss: save the numbers of the classes, and resize masks by their nearest pixel"
        )
    if len(found) == 2:
        return f"the masks hold {found[0]} and {found[1]} alone: give --labels {written(found)}"
    if len(unknown) == 1 and unknown[0] not in likely:
        return f"give --ignore {unknown[0]} if it does not count, or correct it"
    if likely == list(range(1, len(likely) + 1)):
        return f"the labels seem to begin at 1: give --labels {written(likely)}"
    if likely == list(range(len(likely))):
        return _more_classes(survey, likely)
    if len(unknown) == 1 and labels.ignored not in found:
        return (
            f"correct it, or give --ignore {unknown[0]} if it does not count, "
            f"or --labels {written(likely)} if it is a class"
        )
    return f"correct it, or give --labels {written(likely)}, what the masks hold for each class"


def remedy_of_silence(survey: Survey) -> str:
    """For classes without a pixel, or with one class alone that has any."""
    found, likely = survey.values, likely_classes(survey)
    used = [v for v in found if v in survey.labels.values and v != survey.labels.ignored]
    if len(used) < 2 and len(found) > 1:
        return f"if each value is a class, give --labels {written(found)}"
    if len(used) < 2:
        return "draw masks that have another class as well"
    if likely == list(range(len(likely))) and len(likely) < len(survey.classes):
        if survey.named or survey.labels.named:
            return f"add images that have them, or leave them out of {_where_named(survey)}"
        return f"the highest label is {likely[-1]}: give --classes {len(likely)}"
    names = f", with as many names in {survey.data}/classes.txt" if survey.named else ""
    return f"add images that have them, or leave them out by --labels {written(used)}{names}"


def likely_classes(survey: Survey) -> list[int]:
    """The values that look like classes: without gaps from 0 or 1 on, if some choice of void is.

    Where there are gaps, the ignored label is no class if it stands at an end of them.
    """
    ignored = survey.labels.ignored
    for ends in ((), (ignored,), (VOID,), (ignored, VOID)):
        likely = [v for v in survey.values if v not in ends]
        if likely and not _gaps(likely):
            return likely
    inner = [v for v in survey.values if v != VOID]
    void = {ignored} if ignored == VOID or ignored in (inner[:1] + inner[-1:]) else set()
    if len(survey.values) > MANY:  # of a few greys, 255 may well be one
        void.add(VOID)
    return [v for v in survey.values if v not in void]


def _more_classes(survey: Survey, likely: list[int]) -> str:
    more = f"correct it, or give --classes {len(likely)}"
    if survey.named or survey.labels.named:
        more = f"correct it, or name {len(likely)} classes in {_where_named(survey)}"
    if survey.is_border:
        more += (
            f"; if 0 is the border between objects, give --labels {written(likely[1:])} --ignore 0"
        )
    return more


def _where_named(survey: Survey) -> str:
    return "--labels" if survey.labels.named else f"{survey.data}/classes.txt"


def _gaps(values: list[int]) -> bool:
    return values[0] > 1 or values[-1] - values[0] >= len(values)
