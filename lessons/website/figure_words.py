"""A figure in words, for who hears a page: its panels, what each shows, and between which values."""

import re
from itertools import groupby

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from website.panel_words import kinds, shown, title

LONGEST = 400  # characters
Panel = tuple[tuple[str, ...], str, str]  # its kinds, its title, what it shows


def words(figure: Figure) -> str:
    """What a figure shows: its label, where its author gave it one, or else what its panels hold."""
    if label := str(figure.get_label()):
        return _cut(plain(label))
    panels = [(kinds(ax), title(ax), "; ".join(shown(ax))) for ax in _with_content(figure)]
    alike = [[*same] for _, same in groupby(panels, key=lambda one: (one[0], one[2]))]
    told = [f"{len(panels)} panels"] if len(panels) > 1 else []
    told += _written(figure)
    for at, group in enumerate(alike):
        rest = [one for later in alike[at:] for one in later]
        more = f"and {len(rest)} more" + " alike" * (at > 0 and _same_kinds(alike[at - 1] + rest))
        text = plain(_group(group))
        if at and len(". ".join([*told, text, more])) > LONGEST:
            told.append(more)
            break
        told.append(text)
    return _cut(". ".join(told) or "an empty figure")


def _group(panels: list[Panel]) -> str:
    """ "left", "right": what each of them shows."""
    titles = [f"“{title}”" for _, title, _ in panels if title]
    many = f"{len(panels)} times " if len(panels) > 1 and not titles else ""
    each = ", each" if len(titles) > 1 else ""
    return many + (", ".join(titles) + f"{each}: " if titles else "") + panels[0][2]


def _same_kinds(panels: list[Panel]) -> bool:
    return len({kinds for kinds, _, _ in panels}) == 1


def plain(text: str) -> str:
    """A text as it is read aloud: in one line, formulas without TeX's signs."""
    text = re.sub(r"\$([^$]*)\$", lambda found: re.sub(r"\\(\w+) *", r" \1 ", found[1]), text)
    text = re.sub(r"[{}]", "", text)
    return " ".join(text.split())


def _written(figure: Figure) -> list[str]:
    """What is written outside of the panels, but for signs."""
    texts = dict.fromkeys(plain(text.get_text()) for text in figure.texts)
    said = [text for text in texts if re.search(r"\w", text)]
    return [", ".join(said)] if said else []


def _with_content(figure: Figure) -> list[Axes]:
    """The panels, without scales of colours and without places where nothing is drawn."""
    drawn = [thing for ax in figure.axes for thing in (*ax.images, *ax.collections)]
    scales = {thing.colorbar.ax for thing in drawn if thing.colorbar}
    return [ax for ax in figure.axes if ax.get_visible() and ax not in scales and kinds(ax)]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"
