"""Where a run begins: from its config to its data, its network and the learner that trains it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from armlab.arrays import place
from armlab.data import GENERATED, Dataset, Folder, Generated
from armlab.extras import expect_packages
from armlab.training.class_weights import median_frequency
from armlab.training.config import Config
from armlab.training.hand_learner import HandLearner
from armlab.training.learner import Learner
from armlab.training.networks import DESIGNS, Network
from armlab.training.optimisers import SGD, Adam

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


def make_net(config: Config) -> Network:
    """The network of a run by hand, on the host, drawn from its seed."""
    design, seed = DESIGNS[config.model], config.seed
    return design.draw(config.classes, config.attention, config.channels, seed, config.dtype)


def make_learner(config: Config, dataset: Dataset | None = None) -> Learner:
    """The network and optimiser of a run, drawn from its seed alike for every backend.

    dataset  asked for its class counts where the loss weights classes; made where it is not given

    Raises RuntimeError where a package or the device is missing.
    """
    expect_packages(NEEDED)
    where = place("cpu" if config.backend == "torch" else config.device)
    net, optimiser = make_net(config), _optimiser(config)
    loss: dict[str, Any] = {"ignore_index": config.label_values.ignore_index}
    if config.class_weights == "median-frequency":
        counts = (dataset or make_dataset(config)).class_counts()
        loss["class_weights"] = median_frequency(counts)
    if config.backend != "torch":
        return HandLearner(net.to(where), optimiser, **loss)
    expect_packages({"torch": "torch"}, extra="torch")
    from armlab.training.torch_learner import TorchLearner

    return TorchLearner(net, optimiser, config.device, **loss)


def _optimiser(config: Config) -> SGD | Adam:
    rate, decay = config.learning_rate, config.weight_decay
    if config.optimiser == "sgd":
        return SGD(rate, config.momentum, decay)
    return Adam(rate, weight_decay=decay)
