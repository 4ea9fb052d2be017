"""Learning-rate schedules: pure functions of the step, so a resumed run needs no state of them."""

from __future__ import annotations

import math
from collections.abc import Callable


def constant(step: int, steps: int, base: float, warm_up: float = 0.0) -> float:
    """The same learning rate throughout, behind the warm-up (2) of `poly`."""
    return float(base * _risen(step, steps, warm_up))


def poly(step: int, steps: int, base: float, warm_up: float = 0.0, power: float = 0.9) -> float:
    """Falls to 0, almost straight: the schedule of BiSeNet, behind a linear warm-up.

        rate = base (1 - step / steps)^power · risen                    (1)
        risen = min(1, (step + 1) / (warm_up · steps))                  (2)

    warm_up is the share of the steps in which the rate rises to its full height. Without it (1)
    equals torch.optim.lr_scheduler.PolynomialLR; (2) is LinearLR from 1 / (warm_up · steps) on.
    """
    return float(base * (1 - step / steps) ** power * _risen(step, steps, warm_up))


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


def _risen(step: int, steps: int, warm_up: float) -> float:
    rising = warm_up * steps
    return min(1.0, (step + 1) / rising) if rising > 0 else 1.0


def _between(a: float, b: float, share: float) -> float:
    """From a to b as share goes from 0 to 1, level at both ends."""
    return float(a + (b - a) * (1 - math.cos(math.pi * share)) / 2)


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "poly": poly,
    "one_cycle": one_cycle,
}
