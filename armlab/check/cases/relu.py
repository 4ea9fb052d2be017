"""ReLU."""

from armlab.check.bounds import nothing_rounds
from armlab.check.case import Case
from armlab.check.fault import Fault
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

FAULTS = [
    Fault(
        "relu: gradient at the kink",
        "relu",
        "relu",
        "relu.backward",
        "(2)",
        "return xp.where(x >= 0, dy, 0.0)",
        "at x = 0 the convention is a gradient of 0",
    ),
    Fault(
        "relu: gradient of the output",
        "relu",
        "relu",
        "relu.backward",
        "(2)",
        "return xp.where(dy > 0, dy, 0.0)",
        "what decides is the sign of x, not that of dy",
    ),
    Fault(
        "relu_bits: gradient at the kink",
        "relu",
        "kernels/relu_bits",
        "backward",
        "(2)",
        "keep_where(y >= 0, dy, out=dx)",
        "at x = 0 the convention is a gradient of 0",
    ),
]
