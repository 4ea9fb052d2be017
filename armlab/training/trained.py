"""A trained network and what its numbers mean: from a run's folder, or from published weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from armlab.arrays import Array
from armlab.data.colours import palette
from armlab.data.digits_and_photographs import MEAN, STD
from armlab.data.label_values import NO_CLASS, LabelValues
from armlab.places import Device, place
from armlab.training import checkpoint
from armlab.training.checkpoint import CHECKPOINT
from armlab.training.config import Config
from armlab.training.looking import gate_of, logits_of
from armlab.training.networks import BISENET, DESIGNS
from armlab.training.run_files import expect_run
from armlab.training.start import make_net
from armlab.weights import Architecture, select
from armlab.weights.published import published_network
from armlab.weights.publishers import PUBLISHERS, Input, Labels
from armlab.weights.renaming import OURS

AS_IN_TRAINING = Input((MEAN,) * 3, (STD,) * 3)  # `to_network` of the generated sets and folders
ShownGate = Callable[[Any, Array], np.ndarray | None]


@dataclass(frozen=True)
class Trained:
    """A network by hand, on any device, whatever it was trained with.

    architecture  what the network is, for its twin
    prepare  an image (H, W, 3) uint8 as the network was trained on, (3, H, W)
    labels   names and colours of its classes
    values   the labels that they have in masks
    shown_gate  (network, images on its device) -> the gate on the host, None where there is none
    """

    net: Any
    architecture: Architecture
    prepare: Input
    labels: Labels
    values: LabelValues
    shown_gate: ShownGate

    @classmethod
    def load(cls, folder: Path, device: Device = "cpu") -> Trained:
        """The network of a run: from its checkpoint alone, the data are not asked for.

        Raises CheckpointError; RuntimeError for a device that is not there.
        """
        path, where = folder / CHECKPOINT, place(device)
        arrays, kept = checkpoint.load(path)
        with expect_run(path):
            classes = tuple(kept["classes"])
            config = replace(Config(**kept["config"]), backend="numpy", device="cpu")
        net = make_net(config)
        with expect_run(path):
            net.load_state_dict(select(arrays, "net"))
        design, labels = DESIGNS[config.model], Labels(classes, palette(len(classes)))
        built = Architecture(type(net).__name__, design.twin_arguments(net))
        values, gate = config.label_values, design.shown_gate
        return cls(net.to(where), built, AS_IN_TRAINING, labels, values, gate)

    @classmethod
    def published(cls, path: Path, repository: str, device: Device = "cpu") -> Trained:
        """The network of a file of weights of this repository, with its input and its classes.

        Raises OSError or ValueError that names the file; RuntimeError for a device.
        """
        where = place(device)
        found = published_network(path, repository)
        gate = BISENET.shown_gate if hasattr(found.net, "gates") else _no_gate
        net = found.net.to(where)
        values = LabelValues.of(len(found.labels.names), NO_CLASS)
        return cls(net, found.architecture, found.prepare, found.labels, values, gate)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labels.names

    def logits(self, images: np.ndarray) -> np.ndarray:
        """(N, 3, H, W) as `prepare` gives them -> (N, K, H, W)."""
        return logits_of(self.net, images)

    def twin(self) -> Any:
        """The same network in PyTorch, on the host."""
        from armlab.training.torch_twin import twin_with

        return twin_with(*self.architecture, self.net.state_dict())

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        """As `Learner.gate` says it."""
        return gate_of(self.net, self.shown_gate, images)


def trained_network(path: Path, source: str = OURS, device: Device = "cpu") -> Trained:
    """Of a run's folder, or of a file of weights published by `source`. Raises as both do."""
    if path.is_dir() or not (path.exists() or source != OURS):
        return Trained.load(path, device)  # which says that there is none
    if source == OURS:
        raise ValueError(
            f"{path} is no folder of a run, and weights alone do not say what their network is "
            "fed: name a run, or say whose network it is with --from, "
            f"one of {', '.join(PUBLISHERS)}"
        )
    return Trained.published(path, source, device)


def _no_gate(net: Any, x: Array) -> None:
    return None
