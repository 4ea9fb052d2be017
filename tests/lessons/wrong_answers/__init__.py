"""Wrong answers to the exercises, one file for each lesson, as armlab/exercises has them."""

from wrong_answers import (
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
from wrong_answers.answer import Wrong

WRONG: Wrong = {
    **evening.WRONG,
    **arrays.WRONG,
    **convolution.WRONG,
    **batch_norm.WRONG,
    **pooling.WRONG,
    **gate.WRONG,
    **arm.WRONG,
    **relatives.WRONG,
    **spatial.WRONG,
    **networks.WRONG,
    **context.WRONG,
    **claims.WRONG,
    **gpu.WRONG,
    **ranks.WRONG,
    **shared_step.WRONG,
}
