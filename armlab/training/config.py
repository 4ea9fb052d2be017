"""The settings of a training run, checked before anything is computed or written."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from armlab.arrays import place
from armlab.data import GENERATED, Dataset, Folder, Generated
from armlab.data.folder import SEGNET_CLASSES, names_of
from armlab.data.size import Size, expect_scene_size, parse_size
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
    data: str = "scenes"  # or another of GENERATED, or the path of a folder
    size: Size = (64, 64)  # also given as 64 or "48x64"; of a scene, or of the crops of a folder
    classes: int = 0  # 0: as many as the data have
    ignore: int = -1  # the label that does not count; -1: 11 for a folder's 11 classes, else 255
    augment: bool = True  # of a folder's images
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
        _settle_data(self)
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


def _settle_data(config: Config) -> None:
    """Put numbers in place of what is left to the data, and refuse what they do not have."""
    generated = GENERATED.get(config.data)
    size = (expect_scene_size if generated else parse_size)(config.size)
    if generated:
        own, no_class = len(generated.classes), Generated.ignore_index
    else:
        own = len(names_of(config.data)) or SEGNET_CLASSES
        no_class = SEGNET_CLASSES if (config.classes or own) == SEGNET_CLASSES else 255
    classes = config.classes or own
    ignore = no_class if config.ignore == -1 else config.ignore
    if generated and (classes, ignore) != (own, no_class):
        raise ValueError(
            f"{config.data} has {own} classes and ignores {no_class}, "
            f"got classes {classes} and ignore {ignore}: leave both out"
        )
    if not 2 <= classes <= 255:
        raise ValueError(f"expected 2 to 255 classes, got {classes}: masks have 8 bits")
    if not 0 <= ignore <= 255:
        raise ValueError(f"expected an ignore label of 0 to 255, got {ignore}: masks have 8 bits")
    for name, value in {"size": size, "classes": classes, "ignore": ignore}.items():
        object.__setattr__(config, name, value)  # the dataclass is frozen for everyone else


def make_dataset(config: Config) -> Dataset:
    """The data of a run: a generated set, or the folder of that path, which is checked whole.

    Raises ValueError that names the file for a folder that will not do.
    """
    if config.data in GENERATED:
        return Generated(GENERATED[config.data], config.seed, config.size)
    return Folder(
        Path(config.data),
        seed=config.seed,
        size=config.size,
        classes=config.classes,
        ignore_index=config.ignore,
        augment=config.augment,
    )


def make_net(config: Config) -> ToyNet:
    """The network of a run by hand, on the host."""
    return ToyNet(
        config.classes, config.attention, config.channels, rng=config.seed, dtype=config.dtype
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
