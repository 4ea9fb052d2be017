"""Where a run begins: from its config to its data, its network and the learner that trains it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from armlab.data import GENERATED, Dataset, Folder, Generated
from armlab.extras import expect_packages
from armlab.hand.group import Group
from armlab.places import place
from armlab.training.class_weights import median_frequency
from armlab.training.config import Config, normalises_pooled
from armlab.training.hand_learner import HandLearner
from armlab.training.learner import Learner
from armlab.training.networks import DESIGNS, Network
from armlab.training.optimisers import SGD, Adam
from armlab.training.rank_learner import RankLearner
from armlab.whole_file import FilePath

NEEDED = {"sklearn": "scikit-learn", "PIL": "Pillow", "tqdm": "tqdm", "matplotlib": "matplotlib"}


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
        labels=config.labels,
    )


def expect_installed(config: Config) -> None:
    """Raise RuntimeError that names a package which a run needs and this machine lacks."""
    expect_packages(NEEDED)
    if config.backend == "torch":
        expect_packages({"torch": "torch"}, extra="torch")


def moved(config: Config, data: FilePath) -> Config:
    """The settings of a run whose folder of images lies at `data` now.

    Raises RuntimeError for a run of a generated set, which lies nowhere.
    """
    for name in (config.data, os.fspath(data)):
        if name in GENERATED:
            raise RuntimeError(
                f"expected the folder to which the data of this run, {config.data}, have moved, "
                f"got {os.fspath(data)}: {name} is generated, leave out --data"
            )
    return replace(config, data=str(Path(data).absolute()))


def make_net(config: Config) -> Network:
    """The network of a run by hand, on the host, drawn from its seed."""
    design, seed = DESIGNS[config.model], config.seed
    return design.draw(config.classes, config.attention, config.channels, seed, config.dtype)


def loss_weights(config: Config, dataset: Dataset) -> np.ndarray | None:
    """How much a pixel of each class counts in the loss, (K,); None where all count alike."""
    if config.class_weights == "median-frequency":
        return median_frequency(dataset.class_counts())
    return None


def make_learner(
    config: Config, class_weights: np.ndarray | None = None, group: Group | None = None
) -> Learner:
    """The network and optimiser of a run, drawn from its seed alike for every backend.

    class_weights  see `loss_weights`; a network that learns nothing more needs none, nor the data
    group          of the ranks that train it together; None: this process does so alone

    Raises RuntimeError where a package or the device is missing, ValueError for a batch with too
    few images for the ranks.
    """
    expect_installed(config)
    if group:
        expect_parts(config, group.size)
    device = device_of(config.device, group)
    where = place("cpu" if config.backend == "torch" else device)
    net, optimiser = make_net(config), _optimiser(config)
    ignored = config.label_values.ignore_index
    loss: dict[str, Any] = {"ignore_index": ignored, "class_weights": class_weights}
    if group:
        loss |= {"group": group, "sync_batch_norm": config.sync_batch_norm}
    if config.backend != "torch":
        by_hand = RankLearner if group else HandLearner
        return by_hand(net.to(where), optimiser, **loss)
    from armlab.training.torch_learner import TorchLearner
    from armlab.training.torch_rank_learner import TorchRankLearner

    twin = TorchRankLearner if group else TorchLearner
    return twin(net, optimiser, device, **loss)


def expect_parts(config: Config, ranks: int) -> None:
    """Refuse parts too small for what is done with them."""
    least = config.batch // ranks
    if not least and config.backend == "torch":
        raise ValueError(
            f"expected a batch of at least {ranks}, an image for each process, got "
            f"{config.batch}: backend numpy takes empty parts"
        )
    if least < 2 and normalises_pooled(config) and not config.sync_batch_norm:
        raise ValueError(
            f"expected a batch of at least {2 * ranks}, two images for each of {ranks} "
            f"processes, got {config.batch}: {normalises_pooled(config)} normalises one pooled "
            "value per channel and image; give more images, or --sync-batch-norm"
        )


def device_of(device: str, group: Group | None) -> str:
    """Of ranks that have cards, each its own: torchrun numbers those of a machine."""
    return f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if group and device == "cuda" else device


def _optimiser(config: Config) -> SGD | Adam:
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "sgd":
        return SGD(rate, config.momentum, decay)
    return Adam(rate, weight_decay=decay)
