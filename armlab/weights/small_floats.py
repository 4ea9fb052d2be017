"""Floats of 8 and of 16 bits that NumPy lacks, as float32, which holds each of them exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Layout(NamedTuple):
    """How 8 bits are shared out: sign, exponent, fraction.

    A value is (-1)^sign · 2^(exponent - bias) · (1 + fraction), and below the least exponent
    (-1)^sign · 2^(1 - bias) · fraction. `specials` says what stands for NaN and infinity.
    """

    fraction_bits: int
    bias: int
    specials: str  # "finite": all ones is NaN; "unsigned zero": -0 is NaN; "ieee"


LAYOUTS = {
    "F8_E4M3": Layout(3, 7, "finite"),
    "F8_E5M2": Layout(2, 15, "ieee"),
    "F8_E4M3FNUZ": Layout(3, 8, "unsigned zero"),
    "F8_E5M2FNUZ": Layout(2, 16, "unsigned zero"),
}


def bfloat16(data: bytes) -> np.ndarray:
    """The upper half of a float32."""
    wide: np.ndarray = np.frombuffer(data, "<u2").astype("<u4") << 16
    return wide.view("<f4")


def float8(data: bytes, name: str) -> np.ndarray:
    """Bytes of one of the LAYOUTS, or of F8_E8M0, a power of two alone: 2^(byte - 127)."""
    if name == "F8_E8M0":
        values = np.ldexp(np.float32(1), np.minimum(np.arange(256), 254) - 127)
        values[255] = np.nan
    else:
        values = _values(LAYOUTS[name])
    return np.take(values, np.frombuffer(data, "u1"))


def _values(layout: Layout) -> np.ndarray:
    """What each of the 256 bytes stands for."""
    byte = np.arange(256)
    ones = 1 << layout.fraction_bits
    exponent, fraction = (byte & 127) // ones, byte % ones
    size: np.ndarray = np.where(exponent > 0, ones + fraction, fraction).astype("f4")
    size = np.ldexp(size, np.maximum(exponent, 1) - layout.bias - layout.fraction_bits)
    if layout.specials == "finite":
        size[byte & 127 == 127] = np.nan
    elif layout.specials == "ieee":
        last = exponent == exponent.max()
        size[last] = np.where(fraction[last] == 0, np.inf, np.nan)
    else:
        size[byte == 128] = np.nan
    return np.where(byte < 128, size, -size)
