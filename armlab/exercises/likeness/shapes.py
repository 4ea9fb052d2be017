"""Right numbers in another shape, in another order, or under another name."""

from __future__ import annotations

from itertools import chain, combinations, permutations

import numpy as np

from armlab.exercises.exercise import Asked
from armlab.exercises.fresh import Tried, alike
from armlab.exercises.likeness.result import Result, Seen

LETTERS = "NCHW"


def exchanged(asked: Asked, wrong: list[Tried]) -> str:
    """All results are there, in another order."""
    names = asked.names()
    for order in permutations(range(len(names))):
        if list(order) == sorted(order):
            continue
        if all(
            t.got is not None
            and len(t.got) == len(names)
            and all(
                alike(t.got[i], t.expected[j][0], t.expected[j][1]) for i, j in enumerate(order)
            )
            for t in wrong
        ):
            return f"these are {', '.join(names[j] for j in order)}: return {', '.join(names)}"
    return ""


def another_result(result: Result) -> str:
    """It is what another result has to be."""
    for name in result.names():
        if name.startswith("the right ") and result.everywhere(
            lambda s: s.is_got(s.named[name])  # noqa: B023
        ):
            return f"this is {name.removeprefix('the right ')}"
    return ""


def _subsets(ndim: int) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(ndim), k) for k in range(1, ndim + 1)))


def _named(axes: tuple[int, ...], ndim: int) -> str:
    if ndim == 4:
        return "over " + " and ".join(LETTERS[a] for a in axes)
    return f"over axis {axes[0]}" if len(axes) == 1 else f"over axes {', '.join(map(str, axes))}"


def axes(result: Result) -> str:
    """Axes that were summed and should not be, or the other way round; or only the shape is off."""
    first = result.seen[0]
    if all(s.got.shape == s.want.shape for s in result.seen):
        return ""
    if result.everywhere(lambda s: _flat_alike(s.got, s)):
        return "its numbers are right, and its shape is not: " + (
            "it has more axes than it should (no keepdims here?)"
            if first.got.ndim > first.want.ndim
            else "an axis is missing (keepdims=True leaves it there with length 1)"
            if first.got.ndim < first.want.ndim
            else "its axes have changed places"
        )
    for s_axes in _subsets(first.got.ndim):
        for how in ("sum", "mean"):
            if result.everywhere(lambda s: _reduced(s.got, s_axes, s, how)):  # noqa: B023
                return f"not collected yet: its {how} {_named(s_axes, first.got.ndim)} is right"
    for s_axes in _subsets(first.want.ndim):
        if result.everywhere(lambda s: _too_far(s, s_axes)):  # noqa: B023
            return f"this is the sum of the right one {_named(s_axes, first.want.ndim)}"
    if result.everywhere(_spread):
        return "its numbers are right, and it is too small: spread them over all places"
    return ""


def _flat_alike(got: np.ndarray, s: Seen) -> bool:
    return got.size == s.want.size and alike(got.ravel(), s.want.ravel(), s.limit.ravel())


def _reduced(got: np.ndarray, over: tuple[int, ...], s: Seen, how: str) -> bool:
    if got.ndim <= max(over) or not got.size:
        return False
    return _flat_alike(getattr(got, how)(axis=over), s)


def _too_far(s: Seen, over: tuple[int, ...]) -> bool:
    total = s.want.sum(axis=over)
    return total.size == s.got.size and alike(s.got.ravel(), total.ravel())


def _spread(s: Seen) -> bool:
    try:
        return alike(np.broadcast_to(s.got, s.want.shape), s.want, s.limit)
    except ValueError:
        return False


def turned(result: Result) -> str:
    """Transposed, or counted from the other end."""
    ndim = result.seen[0].want.ndim
    for a, b in combinations(range(ndim), 2):
        if result.everywhere(lambda s: s.is_got(s.want.swapaxes(a, b))):  # noqa: B023
            return f"it is transposed: axes {a} and {b} have changed places"
    for over in _subsets(ndim):
        if result.everywhere(lambda s: s.is_got(np.flip(s.want, over))):  # noqa: B023
            return f"it is turned around: right when read backwards {_along(over, ndim)}"
    return ""


def _along(over: tuple[int, ...], ndim: int) -> str:
    return _named(over, ndim).replace("over", "along")
