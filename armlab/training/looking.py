"""What a network by hand says of images: on the device where it lives, and changing nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

from armlab.arrays import Array, dtype_name, to_host
from armlab.places import Place, place_of


def home_of(net: Any) -> tuple[Place, str]:
    """Where the arrays of a network are, and their dtype."""
    first = next(iter(net.parameters().values()))
    return place_of(first), dtype_name(first)


def on_device(place: Place) -> contextlib.AbstractContextManager[Any]:
    """CuPy computes on its current device, so that is made the network's."""
    device = place.device
    return device if hasattr(device, "__enter__") else contextlib.nullcontext()


def logits_of(net: Any, images: np.ndarray) -> np.ndarray:
    """(N, 3, H, W) -> (N, K, H, W), both on the host, in evaluation mode."""
    place, dtype = home_of(net)
    with on_device(place):
        a, _ = net.copy().eval()(place.asarray(images, dtype))
        host: np.ndarray = to_host(a)
        return host


def gate_of(
    net: Any, shown: Callable[[Any, Array], np.ndarray | None], images: np.ndarray
) -> np.ndarray | None:
    """What the attention multiplies by for these images, as `Learner.gate` says it."""
    place, dtype = home_of(net)
    with on_device(place):
        return shown(net.copy().eval(), place.asarray(images, dtype))
