"""Global max pooling."""

from armlab.check.bounds import nothing_rounds
from armlab.check.case import Case
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
