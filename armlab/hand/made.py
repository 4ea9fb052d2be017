"""How the arrays of a module are made: from which draws, in which dtype, on which device."""

from __future__ import annotations

from typing import TypedDict

from armlab.arrays import DType, Rng, dtype_of, generator
from armlab.places import Device, place


class Made(TypedDict, total=False):
    """What every module takes by keyword beside its own arguments, and hands on to its parts.

    rng     draws the weights: a seed, a `numpy.random.Generator`, or None for other weights each
            time; parts that share a generator draw one after the other
    dtype   "float32", which is the default, or "float64", as NumPy, CuPy or PyTorch write it
    device  "cpu", which is the default and means NumPy, or "cuda", "cuda:1" or "emulated", which
            mean CuPy, on a GPU or on a CUDA device in software
    """

    rng: Rng
    dtype: DType
    device: Device


def settled(module: object, made: Made) -> Made:
    """The same with a generator in the place of a seed, so that all parts draw one stream.

    Raises TypeError for any other keyword, and as `dtype_of` and `place` do.
    """
    for unknown in made.keys() - Made.__annotations__.keys():
        raise TypeError(
            f"{type(module).__name__}.__init__() got an unexpected keyword argument {unknown!r}: "
            "beside its own arguments it takes rng, dtype and device"
        )
    same: Made = {"rng": generator(made.get("rng"))}
    if "dtype" in made:
        same["dtype"] = dtype_of(made["dtype"])
    if "device" in made:
        same["device"] = place(made["device"])
    return same
