"""Weights to begin with: those of a run, or of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from armlab import weights
from armlab.hand.module import misfits
from armlab.training import checkpoint
from armlab.training.learner import State
from armlab.weights.prefixes import strip_hint

SAID = 6  # of the keys that do not fit, in an error


def trained_state(path: Path, nest: str | None = None, strip: str | None = None) -> State:
    """The state_dict of a network: from the checkpoint of a run's folder, or from a file of it.

    nest, strip  of a file, as in `weights.load`

    Raises CheckpointError, OSError or ValueError that names the file.
    """
    if not path.is_dir():
        return weights.load(path, nest, strip)
    if nest is not None or strip is not None:
        raise ValueError(f"{path} is a run, whose state is one alone: leave out nest and strip")
    arrays, _ = checkpoint.load(path / checkpoint.CHECKPOINT)
    return weights.select(arrays, "net")


def fitting_state(path: Path, net: State) -> State:
    """What `trained_state` finds, in the dtypes of the network whose state `net` is.

    Raises ValueError that names the file and every key that is missing, unexpected or of another
    shape, and where a number is not finite.
    """
    state = trained_state(path)
    wrong = misfits(state, net)
    wrong += [f"{key} is not finite" for key, a in state.items() if not np.isfinite(a).all()]
    if wrong:
        more = f" and {len(wrong) - SAID} more" if len(wrong) > SAID else ""
        remedy = strip_hint(state.keys() - net.keys(), net.__contains__) or (
            "choose the --model, --attention and number of classes that it was trained with"
        )
        raise ValueError(
            f"{path} does not fit this network: {'; '.join(wrong[:SAID])}{more}: {remedy}"
        )
    return {key: state[key].astype(a.dtype) for key, a in net.items()}
