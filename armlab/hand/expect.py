"""Bad input, refused in one sentence: what was expected, what came, what to do."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TypeGuard

from armlab.arrays import Array, array_namespace

MOST = 2**20  # far more channels than any network has: arrays of them would fill the memory


def expect_features(
    name: str, x: Array, channels: int | None = None, built_with: str | None = None
) -> None:
    """Refuse anything but (N, C, H, W) of float32 or float64; only the batch may be empty.

    built_with  the argument that fixed the channels; None where they are those of an image
    """
    array_namespace(x)
    shape = tuple(x.shape)
    expected = f"{name} expected (N, {channels or 'C'}, H, W), got {shape}"
    if len(shape) != 4:
        raise ValueError(f"{expected}: x has {len(shape)} axes, give it 4, the batch first")
    if channels is not None and shape[1] != channels:
        why = (
            f"the module was built with {built_with}={channels}"
            if built_with
            else f"give it images of {channels} channels"
        )
        raise ValueError(f"{expected}: axis 1 is {shape[1]}, {why}")
    if 0 in shape[1:]:
        raise ValueError(f"{expected}: only the batch may be empty, give C, H and W at least 1")


def expect_vectors(name: str, channels: int, **vectors: Array) -> None:
    """Refuse parameters that are not one number per channel."""
    for key, v in vectors.items():
        shape = None if v is None else tuple(v.shape)
        if shape != (channels,):
            raise ValueError(
                f"{name} expected {key} as ({channels},), one number per channel, "
                f"got {shape}: give it {channels} values"
            )


def whole(name: str, **counts: object) -> tuple[int, ...]:
    """These arguments as Python's integers. Refuses what counts nothing: 0, fractions, True, words.

    An integer of NumPy is taken, and would overflow later: 8 * int8(64).
    """
    found = []
    for key, value in counts.items():
        if is_whole(value, 1) and value > MOST:
            raise ValueError(f"{name} expected {key} of at most {MOST}, got {value}: give less")
        if not is_whole(value, 1):
            raise ValueError(
                f"{name} expected {key} as a whole number of at least 1, got {value!r}: "
                "give 1 or more"
            )
        found.append(int(value))
    return tuple(found)


def is_whole(value: object, least: int) -> TypeGuard[int]:
    """Whether this is an integer of at least that, of Python or NumPy. True is none."""
    if type(value) is int:
        return value >= least
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is a finite number, of Python or NumPy. True is none."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def expect_between(name: str, least: float, most: float, **values: object) -> None:
    """Refuse arguments that are no finite numbers, and those outside least ... most."""
    for key, value in values.items():
        if not is_number(value) or not least <= float(value) <= most:
            within = f"from {least} to {most}" if most < math.inf else f"finite, from {least} on"
            raise ValueError(f"{name} expected {key} {within}, got {value!r}: give a number within")


def expect_flags(name: str, **flags: object) -> None:
    """Refuse what is neither True nor False: the word "no" would count as yes."""
    for key, value in flags.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} expected {key} True or False, got {value!r}: choose one")


def expect_labels(labels: Array, classes: int, ignore_index: int) -> None:
    """Refuse labels on the host that are not classes, before they reach a device."""
    if labels.dtype.kind not in "iu":
        raise TypeError(f"expected labels of an integer dtype, got {labels.dtype}: convert them")
    counted = labels != ignore_index
    if not counted.any():
        raise ValueError(
            f"every one of the {labels.size} pixels is ignored (label {ignore_index}), so the "
            "mean loss is undefined: leave this batch out or check ignore_index"
        )
    wrong = wrong_labels(labels, counted, classes)
    if wrong.size > 0:
        raise ValueError(
            f"expected labels 0 to {classes - 1} or {ignore_index} (ignored), got {wrong[0]}: "
            "check the number of classes and ignore_index"
        )


def wrong_labels(labels: Array, counted: Array, classes: int) -> Array:
    """Of these labels on the host, those that count and are no class."""
    if labels.size == 0 or (labels.min() >= 0 and labels.max() < classes):  # the usual case
        return labels[:0]
    return labels[counted & ((labels < 0) | (labels >= classes))]
