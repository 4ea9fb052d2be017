"""A published network from its file alone: what it computes, what it is fed, what it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from armlab import hand
from armlab.weights.files import load
from armlab.weights.fitting import fitted
from armlab.weights.networks import Architecture, architecture, with_heads
from armlab.weights.publishers import PUBLISHERS, Input, Labels
from armlab.weights.renaming import rename


@dataclass(frozen=True)
class Published:
    """
    net           by hand, on the host, with the weights of the file, in evaluation mode
    architecture  what it is, for its twin
    prepare       what its images go through first
    labels        names and colours of its classes
    """

    net: Any
    architecture: Architecture
    prepare: Input
    labels: Labels


def published_network(path: Path, repository: str) -> Published:
    """From a file with the keys of this repository, or with ours after `convert`.

    Auxiliary heads may be missing, as nothing here runs them. Raises OSError or ValueError that
    names the file.
    """
    if repository not in PUBLISHERS:
        raise ValueError(
            f"it is not known what a network of {repository!r} is fed, and of which classes it "
            f"speaks: the known ones are {', '.join(PUBLISHERS)}"
        )
    state = load(path)
    try:
        if _has_our_keys(state):
            rename(state, to=repository)  # refuses what no network of theirs has
        else:
            state = rename(state, repository)
        built = architecture(repository, state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    net = getattr(hand, built.network)(**built.options, rng=0)
    drawn = net.state_dict()
    whole = with_heads(state, drawn)
    remedy = f"check that it is a whole network of {repository}"
    net.load_state_dict(fitted(path, whole, drawn, remedy))
    publisher = PUBLISHERS[repository]
    labels = publisher.labels_of(built.options["classes"])
    return Published(net.eval(), built, publisher.input, labels)


def _has_our_keys(state: dict[str, Any]) -> bool:
    """None of the repositories with keys of their own has a "cp"."""
    return any(key.startswith("cp.") for key in state)
