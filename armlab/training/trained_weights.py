"""Weights to begin with: those of a run, or of a file."""

from __future__ import annotations

from pathlib import Path

from armlab import weights
from armlab.training import checkpoint
from armlab.training.config import Config
from armlab.training.learner import State
from armlab.training.networks import DESIGNS
from armlab.weights.fitting import fitted, with_own_head

REMEDY = "choose the --model and --attention that it was trained with"


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


def first_weights(config: Config, net: State) -> tuple[State, list[str]]:
    """What `config.weights` has, in the dtypes of the network whose state `net` was drawn.

    A head for another number of classes, or one that is missing as a whole, stays as it was drawn:
    its keys are the second value. Raises ValueError that names the file and all else that does not
    fit.
    """
    path = Path(config.weights)
    state = weights.rename(trained_state(path), config.weights_from)
    other = DESIGNS[config.model].draw(
        config.classes + 1, config.attention, config.channels, config.seed, config.dtype
    )
    state, drawn = with_own_head(state, net, other.state_dict())
    return fitted(path, state, net, REMEDY), drawn
