"""The proof: that what is derived by hand and what PyTorch computes agree.

    check.exercise("relu_backward", mine)      grade an answer of a lesson
    check.adjoint(function, *inputs)           is this backward the transpose of its derivative?
    check.judge("conv2d", example, "float32")  both sides against float64, under known bounds
    check.trace(mine, twin, x)                 where do this module and its twin part first?

Needs Hypothesis, and PyTorch for everything but `adjoint`.
"""

from armlab.check.adjoint import Adjoint, adjoint
from armlab.check.agreement import Verdict, expect_agreement, judge
from armlab.check.example import Example
from armlab.check.grade import Grade, exercise, grade
from armlab.check.tracing.trace import Trace, trace

__all__ = [
    "Adjoint",
    "Example",
    "Grade",
    "Trace",
    "Verdict",
    "adjoint",
    "exercise",
    "expect_agreement",
    "grade",
    "judge",
    "trace",
]
