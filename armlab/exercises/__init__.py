"""The exercises of the lessons, one file for each lesson: what is given, what must come back.

`grade` holds a reader's function to the examples and bounds of `armlab.check`, and knows the
faults there by their hints. The lessons call it as `check.exercise("relu_backward", mine)`.
"""

from __future__ import annotations

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
    relatives,
    spatial,
)
from armlab.exercises.exercise import Asked

EXERCISES: dict[str, Asked] = {
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
}
