"""What the training loop talks to: a network and its optimiser, by hand or in PyTorch.

Host arrays go in and come out, so the loop is the same on every backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from armlab.arrays import Array, to_host
from armlab.hand.expect import wrong_labels

State = dict[str, np.ndarray]


class Learner(Protocol):
    """images (N, 3, H, W) float, labels (N, H, W) int64, logits (N, K, H, W): on the host."""

    net: Any  # the network itself
    parameter_count: int

    def step(self, images: np.ndarray, labels: np.ndarray, learning_rate: float) -> float | None:
        """One update of the weights; the loss before it.

        None where no pixel counts: there is no loss, and nothing has changed. Raises ValueError
        for a label that is no class. Raises NotFinite where the loss or anything that the next
        step goes on from is NaN or infinite, and names the first value of the step that was; then
        the weights are spoiled.
        """

    def logits(self, images: np.ndarray) -> np.ndarray:
        """In evaluation mode, so that looking changes nothing."""

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The class of each pixel, (N, H, W) int64."""

    def gate(self, images: np.ndarray) -> np.ndarray | None:
        """What the attention multiplies its features by; None without attention.

        (N, C) of a gate per channel, as ARM's; (N, 1, H', W') of one per position; (N, C, H', W')
        of one per element. Of a BiSeNet, that of the refinement at 1/16.
        """

    def state_dict(self) -> State:
        """Copies of weights and buffers ("net.…") and of the optimiser's state ("optimiser.…")."""

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue exactly where the state was taken."""


def counted_weight(
    labels: np.ndarray, classes: int, ignore_index: int, class_weights: np.ndarray | None = None
) -> float:
    """How much the pixels of these labels on the host weigh in the loss; 0 where none counts.

    Raises ValueError for a label that is no class, in the names that the settings have.
    """
    counted = labels != ignore_index
    wrong = wrong_labels(labels, counted, classes)
    if wrong.size:
        raise ValueError(
            f"expected labels 0 to {classes - 1}, and {ignore_index} where a pixel does not count, "
            f"got {wrong[0]}: correct the masks, or set --classes or --ignore"
        )
    if class_weights is None:
        return float(np.count_nonzero(counted))
    return float(class_weights[labels[counted]].sum())


def join_state(net: Mapping[str, Array], optimiser: Mapping[str, Array]) -> State:
    """One flat state of both, each under its prefix, as copies on the host."""
    both = {f"net.{key}": a for key, a in net.items()}
    both |= {f"optimiser.{key}": a for key, a in optimiser.items()}
    return {k: np.array(a if isinstance(a, int) else to_host(a)) for k, a in both.items()}


def split_state(state: Mapping[str, np.ndarray]) -> tuple[State, State]:
    """The network's part and the optimiser's part, without their prefixes."""
    parts: dict[str, State] = {"net": {}, "optimiser": {}}
    for key, a in state.items():
        part, _, name = key.partition(".")
        parts[part][name] = a
    return parts["net"], parts["optimiser"]
