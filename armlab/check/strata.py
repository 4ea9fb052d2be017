"""Strata: the examples of a case in parts, of which each comes up for sure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st

from armlab.check.example import Example

QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
GENERATE = settings(QUIET, phases=(Phase.generate,))


@dataclass(frozen=True)
class Stratum:
    """Examples of one class of values or of one size, and how many of them are to be drawn.

    Drawn from one mixture, in a hundred examples some classes would never come up.
    name is that of the class of values, or "large", or "empty".
    """

    name: str
    examples: st.SearchStrategy[Example]
    count: int


def for_all(
    strata: Iterable[Stratum],
    check: Callable[..., None],
    *more: st.SearchStrategy[Any],
    using: settings | None = None,
    seed: int | None = None,
) -> None:
    """Call check(example, …) on each stratum's number of examples.

    more   strategies of the further arguments
    using  Hypothesis's settings, by default those of the profile
    seed   of the draws, by default as the settings say
    """
    for stratum in strata:

        def holds(drawn: tuple[Any, ...]) -> None:
            check(*drawn)

        test = given(st.tuples(stratum.examples, *more))(holds)
        test = settings(using or settings(), max_examples=stratum.count)(test)
        (test if seed is None else with_seed(seed)(test))()
