"""Where a run begins: its network drawn from the seed, or given the weights of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from armlab import hand, weights
from armlab.training import checkpoint
from armlab.training.learner import Network, State, split_state

SAID = 6  # of the keys that do not fit, in an error
CHANNELS = {"toy": 32, "toy-bisenet": 8, "bisenet": 64}  # of each model, unless told


def draw_network(
    model: str, classes: int, attention: str, channels: int, seed: int, dtype: str
) -> Network:
    """A network by hand on the host; channels are those of `ToyNet`, and the width of BiSeNet."""
    made: dict[str, Any] = {"attention": attention, "rng": seed, "dtype": dtype}
    if model == "toy":
        return hand.ToyNet(classes, channels=channels, **made)
    if model == "toy-bisenet":
        return hand.ToyBiSeNet(classes, width=channels, **made)
    return hand.BiSeNet(classes, width=channels, **made)


def trained_state(path: Path) -> State:
    """The state_dict of a network: from the checkpoint of a run's folder, or from a file of it.

    Raises CheckpointError, OSError or ValueError that names the file.
    """
    if path.is_dir():
        arrays, _ = checkpoint.load(path / checkpoint.CHECKPOINT)
        return weights.select(arrays, "net")
    return weights.load(path)


def strict_state(path: Path, current: State) -> State:
    """What `trained_state` finds, as the "net.…" part of a learner's state `current`.

    Raises ValueError that names the file and every key that is missing, unexpected or of another
    shape, and where a number is not finite.
    """
    net = split_state(current)[0]
    state = trained_state(path)
    wrong = [f"missing {key}" for key in net if key not in state]
    wrong += [f"unexpected {key}" for key in state if key not in net]
    wrong += [
        f"{key} is {state[key].shape}, not {a.shape}"
        for key, a in net.items()
        if key in state and state[key].shape != a.shape
    ]
    wrong += [f"{key} is not finite" for key, a in state.items() if not np.isfinite(a).all()]
    if wrong:
        more = f" and {len(wrong) - SAID} more" if len(wrong) > SAID else ""
        raise ValueError(
            f"{path} does not fit this network: {'; '.join(wrong[:SAID])}{more}. Choose the "
            "--model, --attention and number of classes that it was trained with"
        )
    return {f"net.{key}": state[key].astype(a.dtype) for key, a in net.items()}
