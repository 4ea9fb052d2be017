"""A case: all that is known of one function or one module of `armlab.hand`, once.

It stands in `armlab/check/cases/` in the file that has the name of the one in `armlab/hand/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hypothesis import strategies as st

from armlab.check.bounds import Bounds
from armlab.check.example import Example
from armlab.check.record import Built, Call, Formula, Gate, Timed
from armlab.check.special import Special, slabs
from armlab.check.strata import Stratum
from armlab.check.strategies import BOUNDED, Source

Draw = Callable[[Source], Example]
SPECIAL = "special"  # the stratum of NaN and infinities


@dataclass(frozen=True)
class Case:
    """How one function or module is sampled and judged, and what else the tests ask of it.

    draw     a valid example from a source
    bound    the error bound of a function, its argument beside it; None for a module, which is
             judged stage by stage and as a whole
    exact    how to draw examples that have no rounding at all; None where there are none
    empty    whether an empty batch makes sense
    share    of the examples that this case gets: a whole network is slow, and its parts are cases
    special  of a function: where NaN and infinities are put that must not count

    calls    of a function: float64 inputs away from kinks, and options, by label; the one of
             label "" has no option that has a default
    any_shape  whether a function treats each element alike, and so takes arrays of any shape
    cost     multiply-adds and elementwise operations of that call on (2, 6, 5, 7), counted by
             hand; its rule is in `armlab/cost/rules.py`
    loss     whether it is a loss, which no module calls, so that it has no cost
    built    of a module: how it is built small
    gate     of a module that shows one; None: it gates nothing
    formula  of a module: its published formula in plain Python
    held_by  of a module without a formula: what else holds it, beside its twin and its parts

    timed    what `armlab bench` times
    """

    name: str
    draw: Draw
    bound: Callable[..., Bounds] | None = None
    exact: Draw | None = None
    empty: bool = True
    share: float = 1.0
    special: Special = slabs
    calls: Mapping[str, Call] = field(default_factory=dict)
    any_shape: bool = False
    cost: tuple[int, int] | None = None
    loss: bool = False
    built: Built | None = None
    gate: Gate | None = None
    formula: Formula | None = None
    held_by: str = ""
    timed: tuple[Timed, ...] = ()

    @property
    def is_function(self) -> bool:
        return self.name.islower()

    def strata(self, examples: int) -> list[Stratum]:
        """So many examples, or the share of this case, in parts that each come up for sure."""
        if self.bound is None:
            return self._strata(self.draw, ("floats",) * 4, examples, large=0.1)
        strata = self._strata(self.draw, BOUNDED, examples, large=0.05, empty=0.05 * self.empty)
        return [*strata, self._special(examples)]

    def _special(self, examples: int) -> Stratum:
        def draw(s: Source) -> Example:
            return self.special(s, self.draw(s))

        count = max(round(0.15 * examples * self.share), 4)
        return Stratum(SPECIAL, _strategy(draw, "floats", "small"), count)

    def exact_strata(self, examples: int) -> list[Stratum]:
        """The same of small integers, whose results have no rounding in any order of sums."""
        assert self.exact is not None, f"{self.name} has no exact examples"
        return self._strata(self.exact, ("integers",) * len(BOUNDED), examples, large=0.05)

    def examples(self) -> st.SearchStrategy[Example]:
        """Examples of all strata but that of special values, which not everything takes."""
        strata = self.strata(100)
        return st.one_of([stratum.examples for stratum in strata if stratum.name != SPECIAL])

    def exact_examples(self) -> st.SearchStrategy[Example]:
        """Examples of all exact strata."""
        return st.one_of([stratum.examples for stratum in self.exact_strata(100)])

    def readable_examples(self) -> st.SearchStrategy[Example]:
        """Small examples that shrink to a pixel or two, for people to read."""
        return st.one_of([_strategy(self.draw, kind, "readable") for kind in BOUNDED])

    def _strata(
        self, make: Draw, kinds: tuple[str, ...], examples: int, large: float, empty: float = 0
    ) -> list[Stratum]:
        total = examples * self.share
        small = (1 - large - empty) / len(kinds)
        parts = [(kind, "small", small) for kind in kinds]
        parts += [(kinds[0], size, x) for size, x in (("large", large), ("empty", empty)) if x]
        return [
            Stratum(
                kind if size == "small" else size,
                _strategy(make, kind, size, turn),
                max(round(total * part), 2),
            )
            for turn, (kind, size, part) in enumerate(parts)
        ]


def _strategy(make: Draw, kind: str, size: str, turn: int = 0) -> st.SearchStrategy[Example]:
    @st.composite
    def examples(draw: Callable[..., object]) -> Example:
        return make(Source(draw, kind, size, turn))

    return examples()
