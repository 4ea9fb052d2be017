"""What readers do first, one file for each chapter, beside the faults of the cases.

MISTAKES  of each exercise {hint: the function of whoever needs it}
STEPS     of each exercise what the derivation computes on its way, by what a hint calls it
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from armlab.exercises.mistakes import (
    arm,
    arrays,
    batch_norm,
    claims,
    context,
    convolution,
    evening,
    gate,
    gpu,
    networks,
    pooling,
    power_mean,
    ranks,
    relatives,
    ring,
    shared_step,
    spatial,
)

FILES = (arm, arrays, batch_norm, claims, context, convolution, evening, gate, gpu, networks)
FILES += (pooling, power_mean, ranks, relatives, ring, shared_step, spatial)  # type: ignore[assignment]

MISTAKES: dict[str, dict[str, Callable[..., Any]]] = {}
STEPS: dict[str, Callable[..., dict[str, Any]]] = {}
for file in FILES:
    MISTAKES |= file.MISTAKES
    STEPS |= file.STEPS
