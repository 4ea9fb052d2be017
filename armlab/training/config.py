"""The settings of a training run, checked before anything is computed or written."""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from armlab.arrays import device_name, dtype_of, place
from armlab.data import GENERATED, Dataset, Folder, Generated
from armlab.data.folder import SEGNET_CLASSES, names_of
from armlab.data.size import Size, expect_scene_size, parse_size
from armlab.extras import expect_packages
from armlab.hand.conv_attention import attention_names, attentions
from armlab.training.class_weights import median_frequency
from armlab.training.learner import HandLearner, Learner, Network
from armlab.training.optimisers import SGD, Adam
from armlab.training.schedules import SCHEDULES
from armlab.training.start import CHANNELS, draw_network

CHOICES = {
    "model": tuple(CHANNELS),
    "attention": attention_names(),
    "backend": ("numpy", "cupy", "torch"),
    "dtype": ("float32", "float64"),
    "optimiser": ("adam", "sgd"),
    "schedule": tuple(SCHEDULES),
    "class_weights": ("none", "median-frequency"),
}
POOLED_BN = {name for name, kind in attentions().items() if kind.pooled_norm}
NEEDED = {"sklearn": "scikit-learn", "PIL": "Pillow", "tqdm": "tqdm", "matplotlib": "matplotlib"}


@dataclass(frozen=True)
class Config:
    """A run is a function of these: the same settings give the same weights on the CPU.

    Raises ValueError that names the setting, the value and what is allowed.
    """

    model: str = "toy"
    attention: str = "arm"
    backend: str = "numpy"
    device: str = "cpu"
    threads: int = 1  # cores to use; with more, sums over a batch differ in their last digits
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
    warm_up: float = -1.0  # share of the steps; -1: the schedule's own, 0.3 of one_cycle, else 0
    weight_decay: float = 0.0  # of kernels alone
    momentum: float = 0.9  # of sgd
    class_weights: str = "none"
    channels: int = 0  # 0: the model's own, see CHANNELS
    weights: str = ""  # a file or a run's folder to begin with; "": drawn from the seed

    def __post_init__(self) -> None:
        _settle_spellings(self)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"expected {name} {' or '.join(allowed)}, got {getattr(self, name)!r}"
                )
        for name, least in {"steps": 1, "batch": 1, "seed": 0, "threads": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"expected {name} of at least {least}, got {getattr(self, name)}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"expected a learning_rate above 0, got {self.learning_rate}")
        _settle_data(self)
        _settle_network(self)
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
        return SCHEDULES[self.schedule](step, self.steps, self.learning_rate, self.warm_up)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _settle_network(config: Config) -> None:
    """Put numbers in place of what is left to the model, and refuse what cannot be trained."""
    if config.warm_up == -1:
        _settle(config, warm_up=0.3 if config.schedule == "one_cycle" else 0.0)
    if config.channels == 0:
        _settle(config, channels=CHANNELS[config.model])
    if config.channels < 2:
        raise ValueError(f"expected channels of at least 2, got {config.channels}")
    for name in ("warm_up", "weight_decay", "momentum"):
        most = 1.0 if name == "warm_up" else math.inf if name == "weight_decay" else 0.999
        if not 0 <= getattr(config, name) <= most:
            raise ValueError(f"expected {name} of 0 to {most}, got {getattr(config, name)}")
    if config.optimiser == "adam" and config.momentum != Config.momentum:
        raise ValueError(
            f"adam has no momentum, got {config.momentum}: leave it out, or take optimiser sgd"
        )
    if config.batch < 2 and (config.model != "toy" or config.attention in POOLED_BN):
        what = f"attention {config.attention}" if config.model == "toy" else f"model {config.model}"
        raise ValueError(
            f"expected a batch of at least 2 with {what}, got 1: it normalises one "
            "pooled value per channel and image over the batch"
        )


def _settle_spellings(config: Config) -> None:
    """Plain Python in place of torch.device, Path, a dtype and the numbers of NumPy: for JSON."""
    numbers = {k: v.item() for k, v in vars(config).items() if isinstance(v, np.generic)}
    _settle(config, **numbers)
    _settle(config, device=device_name(config.device), dtype=dtype_of(config.dtype))
    _settle(config, data=os.fspath(config.data), weights=os.fspath(config.weights))


def _settle(config: Config, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(config, name, value)  # the dataclass is frozen for everyone else


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
    _settle(config, size=size, classes=classes, ignore=ignore)


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


def make_net(config: Config) -> Network:
    """The network of a run by hand, on the host, drawn from its seed."""
    drawn = config.model, config.classes, config.attention, config.channels
    return draw_network(*drawn, config.seed, config.dtype)


def make_learner(config: Config, dataset: Dataset | None = None) -> Learner:
    """The network and optimiser of a run, drawn from its seed alike for every backend.

    dataset  asked for its class counts where the loss weights classes; made where it is not given

    Raises RuntimeError where a package or the device is missing.
    """
    expect_packages(NEEDED)
    where = place("cpu" if config.backend == "torch" else config.device)
    net, rate, decay = make_net(config), config.learning_rate, config.weight_decay
    adam = config.optimiser == "adam"
    optimiser = Adam(rate, weight_decay=decay) if adam else SGD(rate, config.momentum, decay)
    loss: dict[str, Any] = {"ignore_index": config.ignore}
    if config.class_weights == "median-frequency":
        counts = (dataset or make_dataset(config)).class_counts()
        loss["class_weights"] = median_frequency(counts)
    if config.backend != "torch":
        return HandLearner(net.to(where), optimiser, **loss)
    expect_packages({"torch": "torch"}, extra="torch")
    from armlab.training.torch_learner import TorchLearner

    return TorchLearner(net, optimiser, config.device, **loss)
