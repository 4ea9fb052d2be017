"""ReLU."""

from armlab.check.bounds import nothing_rounds
from armlab.check.case import Case
from armlab.check.record import Timed
from armlab.check.smooth import apart, of_x
from armlab.check.strategies import elementwise

CASES = [
    Case(
        "relu",
        elementwise,
        nothing_rounds,
        elementwise,
        calls={"": of_x(apart)},
        any_shape=True,
        cost=(0, 420),
        timed=(Timed({"x": (8, 32, 64, 64)}),),
    )
]
