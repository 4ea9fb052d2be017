"""Wrong versions of `hand/global_max_pool.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "global_max_pool: every tie gets the gradient",
        "global_max_pool",
        "global_max_pool",
        "global_max_pool.backward",
        "won",
        "won = flat == xp.reshape(z, (n, c, 1))",
        "where positions tie, the first alone receives the gradient",
    ),
    Fault(
        "global_max_pool: ties share",
        "global_max_pool",
        "global_max_pool",
        "global_max_pool.backward",
        "dflat",
        "won = xp.astype(flat == xp.reshape(z, (n, c, 1)), x.dtype)\n"
        "dflat = xp.reshape(dz, (n, c, 1)) * won / xp.sum(won, axis=2, keepdims=True)",
        "here the ties share the gradient, as with torch.amax; the convention is the first alone",
    ),
]
