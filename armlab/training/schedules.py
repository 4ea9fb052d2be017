"""Learning-rate schedules: pure functions of the step, so a resumed run needs no state of them."""

from __future__ import annotations

import math
from collections.abc import Callable


def constant(step: int, steps: int, base: float) -> float:
    """The same learning rate throughout."""
    return float(base)


def poly(step: int, steps: int, base: float, power: float = 0.9) -> float:
    """base (1 - step / steps)^power: falls to 0, almost straight. The schedule of BiSeNet."""
    return float(base * (1 - step / steps) ** power)


def one_cycle(
    step: int,
    steps: int,
    peak: float,
    warm_up: float = 0.3,
    start_divisor: float = 25.0,
    end_divisor: float = 1e4,
) -> float:
    """From peak / start_divisor up to peak, then down to that start / end_divisor, on cosines.

    The peak is at step p = warm_up · steps - 1, the end at step e = steps - 1:

        rate = start + (peak - start) (1 - cos(π step / p)) / 2            step <= p        (1)
        rate = peak + (end - peak) (1 - cos(π (step - p) / (e - p))) / 2   afterwards       (2)

    Equals torch.optim.lr_scheduler.OneCycleLR(peak, total_steps=steps).
    Source: Smith and Topin 2017.
    """
    start = peak / start_divisor
    p, e = warm_up * steps - 1, steps - 1
    if step <= p:
        return _between(start, peak, step / p if p > 0 else 1.0)  # (1)
    return _between(peak, start / end_divisor, (step - p) / (e - p))  # (2)


def _between(a: float, b: float, share: float) -> float:
    """From a to b as share goes from 0 to 1, level at both ends."""
    return float(a + (b - a) * (1 - math.cos(math.pi * share)) / 2)


SCHEDULES: dict[str, Callable[[int, int, float], float]] = {
    "constant": constant,
    "poly": poly,
    "one_cycle": one_cycle,
}
