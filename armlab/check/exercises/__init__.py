"""The exercises of the lessons, one file for each lesson: what is given, what must come back."""

from __future__ import annotations

from armlab.check.exercises import (
    arm,
    arrays,
    batch_norm,
    claims,
    context,
    convolution,
    gate,
    gpu,
    networks,
    pooling,
    relatives,
    spatial,
)
from armlab.check.exercises.exercise import Asked

EXERCISES: dict[str, Asked] = {
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
