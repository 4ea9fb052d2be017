"""A puzzle whose answer is the text of a CUDA kernel."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import numpy as np

from armlab.arrays import to_host
from armlab.exercises.cuda import as_strict_as_can_be, cuda_place
from armlab.exercises.exercise import (
    Answer,
    Arguments,
    CannotTry,
    Expected,
    Mistake,
    Puzzle,
    RuleBroken,
)
from armlab.exercises.telling import a_kind

RULES = (  # the words in which the emulated device says that one is broken, whatever the names are
    r"gives another result when its threads run",
    r"(just|\d+ bytes) (behind|before) the",
    r"outside of every allocation",
    r"a barrier that only some threads",
)


@dataclass(frozen=True)
class Kernel(Puzzle):
    """A kernel, compiled and launched by CuPy: on the emulated device in strict mode, or on a card.

    call    how the reader's function is called, which takes nothing and returns the text
    answer  what the kernel has to compute, of the same arguments, in NumPy and float64
    wrong   {hint: a function that returns the text of whoever needs it}
    kernel  what it is called in the text
    launch  launch(kernel, **arguments) launches it and returns its result
    limit   how far off a right result may be, element by element, of the same arguments in float64
    """

    dtype: ClassVar[str] = "float32"
    seconds: ClassVar[float] = 60  # a compiler runs first

    kernel: str = ""
    launch: Callable[..., Any] = field(default=lambda kernel, **e: None)
    limit: Callable[..., Any] = field(default=lambda **e: 0.0)

    def names(self) -> list[str]:
        return [self.call.partition(" -> ")[2]]

    def run(self, function: Callable[..., Any], arguments: Arguments) -> Answer:
        text = function()
        if not isinstance(text, str):
            raise RuleBroken(f"it returned {a_kind(text)}, expected the text of a kernel")
        try:
            device = cuda_place().device
        except RuntimeError as reason:
            raise CannotTry(str(reason)) from None
        cupy = importlib.import_module("cupy")
        try:
            with device, as_strict_as_can_be():
                return (to_host(self.launch(cupy.RawKernel(text, self.kernel), **arguments)),)
        except cupy.cuda.compiler.CompileException as error:
            raise RuleBroken(f"it does not compile: {first_error(str(error))}") from None
        except cupy.cuda.driver.CUDADriverError as error:
            raise RuleBroken(*told(str(error))) from None

    def expected(self, e: Arguments) -> Expected:
        wide = {key: value.astype(np.float64) for key, value in e.items()}
        want = np.asarray(self.answer(**wide))
        return [(want, np.broadcast_to(self.limit(**wide), want.shape))]

    def mistakes(self) -> Iterator[Mistake]:
        for hint, function in self.wrong.items():
            yield hint, partial(self.run, function)


def told(error: str) -> tuple[str, str]:
    """What the device says of a failed launch, and in short which rule was broken."""
    sentence = error.partition(": ")[2] or error
    broken = re.search("|".join(RULES), sentence)
    return sentence, broken[0] if broken else ""


def first_error(log: str) -> str:
    """The line of a compiler's log that says what is wrong."""
    found = re.search(r"error:?\s*(.*)", log)
    return found[1] if found else log.strip().partition("\n")[0]
