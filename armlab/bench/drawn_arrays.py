"""The arrays of a row: the same values for every side, from one seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from armlab.bench.timed_call import Shape, TimedCall

SEED = 0
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class DrawnArrays:
    """inputs and constants by name, and the generator from which dy comes, once y is known."""

    inputs: Arrays
    constants: Arrays
    rng: np.random.Generator

    def bytes(self, *dy: np.ndarray) -> int:
        """Of the inputs and of y, which has the size of dy; of several outputs, of each."""
        return sum(a.nbytes for a in (*self.inputs.values(), *dy))

    def like(self, shape: Shape) -> np.ndarray:
        """An upstream gradient, random, drawn after the inputs."""
        return np.asarray(self.rng.standard_normal(shape), np.float32)


def draw(row: TimedCall) -> DrawnArrays:
    """Normal values of order 1, of kernels too small to let a sum of their products grow.

    Variances are positive, labels are classes: of the logits `a`, or of the module.
    """
    rng = np.random.default_rng(SEED)
    inputs = {name: _normal(rng, name, shape) for name, shape in row.inputs.items()}
    constants = {}
    for name, shape in row.constants.items():
        if name == "labels":
            constants[name] = rng.integers(0, row.inputs["a"][1], shape)
        else:
            constants[name] = np.abs(_normal(rng, name, shape)) + np.float32(0.5)
    return DrawnArrays(inputs, constants, rng)


def labels(drawn: DrawnArrays, row: TimedCall) -> np.ndarray:
    """A class for each pixel of the images x (N, 3, H, W)."""
    n, _, h, w = row.inputs["x"]
    return drawn.rng.integers(0, row.options["classes"], (n, h, w))


def _normal(rng: np.random.Generator, name: str, shape: Shape) -> np.ndarray:
    fan_in = math.prod(shape[1:]) if name == "w" and len(shape) > 1 else 1
    return (rng.standard_normal(shape) * math.pow(fan_in, -0.5)).astype(np.float32)
