"""Wrong versions of `hand/batch_norm_activated.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "batch_norm_activated: activation forgotten backward",
        "batch_norm_activated",
        "batch_norm_activated",
        "batch_norm_activated.backward",
        "(2)",
        "dv = dy",
        "a backward reads its forward upwards, every line of it",
    ),
    Fault(
        "batch_norm_activated: activated before it is normalised",
        "batch_norm_activated",
        "batch_norm_activated",
        "batch_norm_activated",
        "(1)",
        "(v, mean, var), norm_back = batch_norm(ACTIVATIONS[activation](x)[0], w, b, eps=eps)",
        "the activation comes behind the normalisation",
    ),
    Fault(
        "batch_norm_eval_activated: activation forgotten backward",
        "batch_norm_eval_activated",
        "batch_norm_activated",
        "batch_norm_eval_activated.backward",
        "(2)",
        "dv = dy",
        "a backward reads its forward upwards, every line of it",
    ),
    Fault(
        "batch_norm_eval_activated: normalised by the batch",
        "batch_norm_eval_activated",
        "batch_norm_activated",
        "batch_norm_eval_activated",
        "(1)",
        "(v, _, _), norm_back = batch_norm(x, w, b, eps=eps)",
        "in evaluation mode the statistics are those that were kept",
    ),
    Fault(
        "batch_norm_eval_by_channel: activation forgotten in dx",
        "batch_norm_eval_activated",
        "kernels/batch_norm_eval_by_channel",
        "_by_kept.backward.backward_block",
        "(3)",
        "np.multiply(flat(dy)[:, block], lined_up(slope[block]), out=dx)",
        "a backward reads its forward upwards, every line of it",
    ),
]
