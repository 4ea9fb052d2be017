"""Float64 values at which derivatives exist: what the adjoint identity is asked about."""

from __future__ import annotations

from typing import Any

import numpy as np

from armlab.check.record import Call, Inputs, Options, Shape


def smooth(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Normal values, for what has no kink."""
    return rng.standard_normal(shape)


def apart(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Odd multiples of 1/16, each once, in random order.

    They are further from each other and from 0, that is from ties and kinks, than the steps of
    the difference reach.
    """
    size = int(np.prod(shape))
    values = (np.arange(size) - size // 2 + 0.5) / 8
    return rng.permutation(values).reshape(shape)


def of_x(values: Any, **options: Any) -> Call:
    """A call with one input x in the shape that is asked for."""

    def call(rng: np.random.Generator, shape: Shape) -> tuple[Inputs, Options]:
        return {"x": values(rng, *shape)}, options

    return call
