"""The settings of a training run, checked before anything is computed or written."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import Any

from armlab.arrays import place
from armlab.data.scenes import CLASSES, expect_size
from armlab.extras import expect_packages
from armlab.hand import ToyNet
from armlab.training.learner import HandLearner, Learner
from armlab.training.optimisers import SGD, Adam
from armlab.training.schedules import SCHEDULES

CHOICES = {
    "attention": ("none", "arm"),
    "backend": ("numpy", "cupy", "torch"),
    "dtype": ("float32", "float64"),
    "optimiser": ("adam", "sgd"),
    "schedule": tuple(SCHEDULES),
}
NEEDED = {"sklearn": "scikit-learn", "PIL": "Pillow", "tqdm": "tqdm", "matplotlib": "matplotlib"}


@dataclass(frozen=True)
class Config:
    """A run is a function of these: the same settings give the same weights on the CPU.

    Raises ValueError that names the setting, the value and what is allowed.
    """

    attention: str = "arm"
    backend: str = "numpy"
    device: str = "cpu"
    dtype: str = "float32"
    steps: int = 600
    batch: int = 8
    size: int = 64
    seed: int = 0
    optimiser: str = "adam"
    learning_rate: float = 6e-3  # the peak of the schedule
    schedule: str = "one_cycle"
    channels: int = 32

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"expected {name} {' or '.join(allowed)}, got {getattr(self, name)!r}"
                )
        for name, least in {"steps": 1, "batch": 1, "seed": 0, "channels": 2}.items():
            if getattr(self, name) < least:
                raise ValueError(f"expected {name} of at least {least}, got {getattr(self, name)}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"expected a learning_rate above 0, got {self.learning_rate}")
        expect_size(self.size)
        if not re.fullmatch(r"cpu|cuda(:\d+)?", self.device):
            raise ValueError(f"expected device 'cpu', 'cuda' or 'cuda:N', got {self.device!r}")
        if self.attention == "arm" and self.batch < 2:
            raise ValueError(
                "expected a batch of at least 2 with attention arm, got 1: it normalises one "
                "pooled value per channel and image over the batch"
            )
        if (self.backend == "numpy") != (self.device == "cpu") and self.backend != "torch":
            raise ValueError(
                f"backend {self.backend} does not run on device {self.device!r}: "
                "numpy runs on 'cpu', cupy on 'cuda' or 'cuda:N', torch on either"
            )

    @property
    def epoch(self) -> int:
        """Steps in an epoch: a tenth of the run."""
        return math.ceil(self.steps / 10)

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return SCHEDULES[self.schedule](step, self.steps, self.learning_rate)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def make_net(config: Config) -> ToyNet:
    """The network of a run by hand, on the host."""
    return ToyNet(
        len(CLASSES), config.attention, config.channels, rng=config.seed, dtype=config.dtype
    )


def make_learner(config: Config) -> Learner:
    """The network and optimiser of a run, drawn from its seed alike for every backend.

    Raises RuntimeError where a package or the device is missing.
    """
    expect_packages(NEEDED)
    where = place("cpu" if config.backend == "torch" else config.device)
    net = make_net(config).to(where)
    rate = config.learning_rate
    optimiser = Adam(rate) if config.optimiser == "adam" else SGD(rate)
    if config.backend != "torch":
        return HandLearner(net, optimiser)
    expect_packages({"torch": "torch"}, extra="torch")
    from armlab.training.torch_learner import TorchLearner

    return TorchLearner(net, optimiser, config.device)
