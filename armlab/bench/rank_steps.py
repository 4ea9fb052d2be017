"""What `armlab.bench.ranks` starts in every process: steps of training by one of its ranks, timed.

    python -m armlab.bench.rank_steps SETTINGS STEPS FILE    under torchrun, or alone

SETTINGS are a run's in JSON. Rank 0 writes FILE: seconds of a step, and of exchanges alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from armlab.bench.machine import seconds_of
from armlab.hand.group import Group
from armlab.parallel.processes import ProcessGroup, launched
from armlab.terminal import at_terminal
from armlab.training.config import Config
from armlab.training.ranks import batch_of
from armlab.training.start import loss_weights, make_dataset, make_learner
from armlab.training.threads import threads

WARM_UP = 5
EXCHANGES, LARGE = 50, 2**24  # repeats, and bytes of a large array


def measure(config: Config, steps: int, group: Group | None) -> dict[str, Any]:
    """{"step", "small", "large"}, in seconds.

    small, large  a gather of one number, a sum of LARGE bytes; None for one process
    """
    dataset = make_dataset(config)
    learner = make_learner(config, loss_weights(config, dataset), group)
    found: dict[str, Any] = {"small": None, "large": None}
    with threads(config.threads), np.errstate(all="ignore"):
        for step in range(WARM_UP + steps):
            if step == WARM_UP:
                start = time.perf_counter()
            learner.step(*batch_of(dataset, config.samples(step), group), config.rate(0))
        found["step"] = (time.perf_counter() - start) / steps
        if group:
            small, large = np.zeros(1), np.zeros(LARGE // 4, np.float32)
            found["small"] = median(seconds_of(lambda: group.gather(small), EXCHANGES))
            found["large"] = median(seconds_of(lambda: group.sum(large), EXCHANGES))
    return found


def main(settings: str, steps: str, file: str) -> None:
    config = Config(**json.loads(settings))
    if not launched():
        found, rank = measure(config, int(steps), None), 0
    else:
        with ProcessGroup() as group:
            found, rank = measure(config, int(steps), group), group.rank
    if rank == 0:
        Path(file).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    with at_terminal():
        main(*sys.argv[1:])
