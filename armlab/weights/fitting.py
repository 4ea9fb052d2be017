"""Whether a state fits a network, and what of it does where only the number of classes differs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from armlab.arrays import Array
from armlab.hand.state import misfits
from armlab.listed import listed
from armlab.weights.prefixes import strip_hint
from armlab.weights.states import State

SAID = 6  # of the keys that do not fit, in an error


def fitted(path: Path, state: State, net: Mapping[str, Array], remedy: str) -> State:
    """The state in the order and the dtypes of the network's own state `net`.

    Raises ValueError that names the file and every key that is missing, unexpected or of another
    shape, and where a number is not finite; the remedy says what else to do.
    """
    wrong = misfits(state, net)
    wrong += [f"{key} is not finite" for key, a in state.items() if not np.isfinite(a).all()]
    if wrong:
        remedy = strip_hint(state.keys() - net.keys(), net.__contains__) or remedy
        raise ValueError(f"{path} does not fit this network: {listed(wrong, SAID, '; ')}: {remedy}")
    return {key: state[key].astype(a.dtype) for key, a in net.items()}


def with_own_head(
    state: State, net: Mapping[str, Array], other: Mapping[str, Array]
) -> tuple[State, list[str]]:
    """The state with arrays of the network in the place of a head for other classes.

    net    what the network has, as it was drawn
    other  the same network's with another number of classes: what is shaped otherwise there
           depends on the classes, and the child that it belongs to is a head

    Also the keys that are the network's own: those of another number of classes in the state, and
    all of a head that the state lacks. Every other misfit stays.
    """
    by_classes = [key for key, a in net.items() if a.shape != other[key].shape]
    heads = {key.partition(".")[0] for key in by_classes}
    lacking = {head for head in heads if not any(key.startswith(f"{head}.") for key in state)}
    own = [key for key in by_classes if key in state and _differ_in_classes(state[key], net[key])]
    own += [key for key in net if key.partition(".")[0] in lacking]
    return state | {key: np.asarray(net[key]) for key in own}, own


def _differ_in_classes(a: Array, b: Array) -> bool:
    """Shapes of two heads: (K, …), and the same for every class."""
    return tuple(a.shape[1:]) == tuple(b.shape[1:]) and bool(a.shape != b.shape)
