"""Wrong versions of `hand/global_max_pool.py` and of its kernels."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "global_max_pool: every tie gets the gradient",
        "global_max_pool",
        "global_max_pool",
        "global_max_pool.backward",
        "(2)",
        "return xp.where(x == z, dz, 0.0)",
        "where positions tie, the first alone receives the gradient",
    ),
    Fault(
        "global_max_pool: ties share",
        "global_max_pool",
        "global_max_pool",
        "global_max_pool.backward",
        "(2)",
        "won = xp.astype(x == z, x.dtype)\n"
        "return dz * won / xp.sum(won, axis=(2, 3), keepdims=True)",
        "here the ties share the gradient, as with torch.amax; the convention is the first alone",
    ),
    Fault(
        "global_max_put: last of equals",
        "global_max_pool",
        "kernels/global_max_put",
        "global_max_pool.backward",
        "winner",
        "backwards = x.reshape(n, c, h * w)[:, :, ::-1]\n"
        "winner = h * w - 1 - np.argmax(backwards, axis=2, keepdims=True)",
        "where positions tie, the first alone receives the gradient",
    ),
]
