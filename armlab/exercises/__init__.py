"""The exercises of the lessons, one file for each chapter: what is given, what must come back.

`grade` holds a reader's function to the examples and bounds of `armlab.check`, and knows the
faults there by their hints. The lessons call it as `check.exercise("relu_backward", mine)`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from armlab.exercises import (
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
    ranks,
    relatives,
    shared_step,
    spatial,
)
from armlab.exercises.exercise import Asked
from armlab.exercises.mistakes import MISTAKES, STEPS

ASKED: dict[str, Any] = {
    **evening.EXERCISES,
    **arrays.EXERCISES,
    **convolution.EXERCISES,
    **batch_norm.EXERCISES,
    **pooling.EXERCISES,
    **gate.EXERCISES,
    **arm.EXERCISES,
    **relatives.EXERCISES,
    **spatial.EXERCISES,
    **networks.EXERCISES,
    **context.EXERCISES,
    **claims.EXERCISES,
    **gpu.EXERCISES,
    **ranks.EXERCISES,
    **shared_step.EXERCISES,
}
EXERCISES: dict[str, Asked] = {
    name: replace(
        asked,
        wrong={**asked.wrong, **MISTAKES.get(name, {})},
        parts=STEPS.get(name, asked.parts),
    )
    for name, asked in ASKED.items()
}
