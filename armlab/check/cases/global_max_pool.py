"""Global max pooling."""

from armlab.check.bounds import nothing_rounds
from armlab.check.case import Case
from armlab.check.fault import Fault
from armlab.check.record import Timed
from armlab.check.smooth import apart, of_x
from armlab.check.strategies import pooled

CASES = [
    Case(
        "global_max_pool",
        pooled,
        nothing_rounds,
        pooled,
        calls={"": of_x(apart)},
        cost=(0, 420),
        timed=(Timed({"x": (8, 32, 64, 64)}),),
    )
]

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
