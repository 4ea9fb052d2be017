"""The proof: that what is derived by hand and what PyTorch computes agree.

    check.exercise("relu_backward", mine)      grade an answer of a lesson
    check.adjoint(function, *inputs)           is this backward the transpose of its derivative?
    check.judge("conv2d", example, "float32")  both sides against float64, under known bounds
    check.trace(mine, twin, x)                 where do this module and its twin part first?

README.md beside this file is a map: what a case, an example, a verdict, a fault and a trace are.
Needs Hypothesis, and PyTorch for everything but `adjoint`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from armlab.check.adjoint import Adjoint, adjoint
from armlab.check.agreement import Verdict, expect_agreement, judge
from armlab.check.example import Example
from armlab.check.tracing.trace import Trace, trace
from armlab.terminal import print_anything

__all__ = [
    "Adjoint",
    "Example",
    "Trace",
    "Verdict",
    "adjoint",
    "exercise",
    "expect_agreement",
    "judge",
    "trace",
]


def exercise(name: str, function: Callable[..., Any]) -> None:
    """Grade a reader's function and print the outcome. Never raises for a wrong answer.

    Raises KeyError for a name that is no exercise, with the names that are.
    """
    from armlab.exercises.grade import grade  # the exercises stand above what they are judged by

    print_anything()
    print(grade(name, function).text)
