"""A puzzle whose answer has to run on a device, unchanged, as the code by hand does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import array_api_compat
import numpy as np

from armlab.arrays import dtype_name, to_host
from armlab.check.devices import strict_device
from armlab.exercises.exercise import (
    Answer,
    Arguments,
    Expected,
    Mistake,
    Puzzle,
    RuleBroken,
    as_tuple,
)
from armlab.exercises.judging import wrong_count
from armlab.exercises.telling import a_kind
from armlab.places import HOST, Place, place_of


@dataclass(frozen=True)
class Portable(Puzzle):
    """A puzzle in float32, run on the host and then on the stand-in for a device.

    In both places it is given arrays that lie there, and must return arrays of their dtype that
    lie there; a hint may ask for float64. `answer` runs in NumPy and float64; `relative` is
    relative to the largest value.
    """

    dtype: ClassVar[str] = "float32"

    def run(self, function: Callable[..., Any], arguments: Arguments) -> Answer:
        self._run_at(HOST, function, arguments)
        with strict_device() as where:
            return self._run_at(where, function, arguments)

    def _run_at(self, where: Place, function: Callable[..., Any], given: Arguments) -> Answer:
        arrays = {k: v for k, v in given.items() if isinstance(v, np.ndarray)}
        placed = given | {k: where.asarray(v, str(v.dtype)) for k, v in arrays.items()}
        dtype = str(np.result_type(*arrays.values()))
        value = function(**placed)
        if wrong := wrong_count(self.names(), value):
            raise RuleBroken(wrong)
        results = as_tuple(value)
        for name, result in zip(self.names(), results, strict=True):
            self._expect(dtype, name, result, where)
        return tuple(to_host(result) for result in results)

    def _expect(self, dtype: str, name: str, result: Any, where: Place) -> None:
        side = "on the host" if where == HOST else "on the device"
        if not array_api_compat.is_array_api_obj(result):
            raise RuleBroken(f"{name} is {a_kind(result)} {side}, expected an array")
        if place_of(result) != where:
            raise RuleBroken(f"{name} does not lie where its inputs do, {side}")
        if dtype_name(result) != dtype:
            raise RuleBroken(
                f"{name} is {dtype_name(result)} {side}, expected {dtype} as its inputs are"
            )

    def expected(self, e: Arguments) -> Expected:
        wide = {k: v.astype(np.float64) if isinstance(v, np.ndarray) else v for k, v in e.items()}
        values = [np.asarray(value) for value in as_tuple(self.answer(**wide))]
        return [(v, np.full(v.shape, self.relative * np.abs(v).max(initial=0))) for v in values]

    def mistakes(self) -> Iterator[Mistake]:
        for hint, function in self.wrong.items():
            yield hint, partial(self.run, function)
