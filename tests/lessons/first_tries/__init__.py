"""First tries: wrong answers written with no hint in mind, one file for each lesson.

They say what a reader does before the catalogue of mistakes is asked. `hints.md` is what each of
them is told.
"""

from first_tries import (
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
from first_tries.answer import Tries

TRIES: Tries = {
    **evening.TRIES,
    **arrays.TRIES,
    **convolution.TRIES,
    **batch_norm.TRIES,
    **pooling.TRIES,
    **gate.TRIES,
    **arm.TRIES,
    **relatives.TRIES,
    **spatial.TRIES,
    **networks.TRIES,
    **context.TRIES,
    **claims.TRIES,
    **gpu.TRIES,
    **ranks.TRIES,
    **shared_step.TRIES,
}
