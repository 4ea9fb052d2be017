"""A run of several ranks: rank 0 has the run, and all others follow it step by step."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from armlab import __version__
from armlab.data import Dataset
from armlab.hand.group import Group, RankError
from armlab.parallel.shares import share_of
from armlab.training.config import Config
from armlab.training.evaluation import evaluate
from armlab.training.finite import NotFinite
from armlab.training.learner import Learner
from armlab.training.start import loss_weights, make_dataset, make_learner
from armlab.training.threads import threads


def batch_of(dataset: Dataset, whole: range, group: Group | None) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a step: those of this rank's part, which may be none."""
    if group is None:
        return dataset.training(whole)
    part = share_of(whole, group.rank, group.size)
    images, labels = dataset.training(part or whole[:1])
    return images[: len(part)], labels[: len(part)]


def expect_alike(group: Group, what: str, mine: Any) -> None:
    """Raise RankError on every rank where not all say the same of something."""
    digest = hashlib.sha256(json.dumps(mine, sort_keys=True).encode()).digest()
    digests = group.gather(np.frombuffer(digest, np.uint8))
    other = [rank for rank in range(group.size) if (digests[rank] != digests[0]).any()]
    if other:
        raise RankError(
            f"rank {', '.join(map(str, other))} has {what} that differ from those of rank 0: "
            "start all ranks alike"
        )


def lead(group: Group, config: Config, step: int, dataset: Dataset, learner: Learner) -> None:
    """What rank 0 does before its first step: tell the others where the run stands."""
    state = learner.state_dict()
    arrays = {key: (a.dtype.str, a.shape) for key, a in state.items()}
    tell(group, {"config": config.to_dict(), "step": step, "arrays": arrays})
    _expect_same_ground(group, dataset)
    for a in state.values():
        group.gather(a)


def dismiss(group: Group) -> None:
    """What rank 0 does behind its last run: the others may go."""
    tell(group, {})


def follow(group: Group) -> None:
    """What every other rank does: its part of each step and evaluation of each run of rank 0.

    Raises RankError where the ranks cannot go on, and where a value is not finite, as rank 0 says.
    """
    while told := tell(group):
        config = Config(**told["config"])
        dataset = make_dataset(config)
        learner = make_learner(config, loss_weights(config, dataset), group)
        _expect_same_ground(group, dataset)
        arrays = told["arrays"].items()
        zeros = {key: np.zeros(shape, dtype) for key, (dtype, shape) in arrays}
        learner.load_state_dict({key: group.gather(a)[0] for key, a in zeros.items()})
        with threads(config.threads), np.errstate(all="ignore"):
            for step in range(told["step"], config.steps):
                try:
                    learner.step(*batch_of(dataset, config.samples(step), group), config.rate(step))
                except NotFinite as found:
                    raise RankError(f"{found} is not finite", said=True) from found
                if config.ends_epoch(step + 1):
                    evaluate(learner, dataset)


def tell(group: Group, words: Any = None) -> Any:
    """What rank 0 says, on every rank."""
    said = np.frombuffer(json.dumps(words).encode(), np.uint8)
    length = int(group.gather(np.asarray([said.size]))[0, 0])
    said = said if group.rank == 0 else np.zeros(length, np.uint8)
    return json.loads(group.gather(said)[0].tobytes())


def _expect_same_ground(group: Group, dataset: Dataset) -> None:
    """All ranks run one version on the same data."""
    expect_alike(group, "versions of armlab or NumPy", [__version__, np.__version__])
    expect_alike(group, "data", dataset.fingerprint)
