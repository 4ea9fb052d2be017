"""The settings of a training run, each once: type, default, what it may be, and what it means.

`Config` is made from this table, and so are the options of `armlab train` and `armlab ablate`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from armlab.data import GENERATED
from armlab.hand.conv_attention import attention_names
from armlab.training.networks import DESIGNS
from armlab.training.schedules import SCHEDULES
from armlab.weights.key_maps import REPOSITORIES
from armlab.weights.renaming import OURS


@dataclass(frozen=True)
class By:
    """A default that another setting decides: of each of its values, what it is there."""

    other: str
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        """ "0.006, with sgd 0.1" """
        first, *others = self.values.items()
        return ", with ".join(
            [str(first[1]), *(f"{name} {x}" for name, x in others if x != first[1])]
        )


@dataclass(frozen=True)
class ByData:
    """A default that the data decide, see `config`; in words."""

    words: str

    def __repr__(self) -> str:
        return self.words


@dataclass(frozen=True)
class About:
    """What the table says of a setting beside its type and its default.

    between  the least and the most that a number may be
    shown    what stands for the value in the usage of a command
    """

    words: str
    choices: tuple[str, ...] = ()
    between: tuple[float, float] = (-math.inf, math.inf)
    shown: str | None = None


def setting(default: Any, words: str = "", **more: Any) -> Any:
    return dataclasses.field(default=default, metadata={"about": About(words, **more)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The table. `Config` is one with a value in each place, none left to another setting."""

    model: str = setting("toy", choices=tuple(DESIGNS))
    attention: str = setting(
        "arm", ", ".join(attention_names()), choices=attention_names(), shown="NAME"
    )
    backend: str = setting("numpy", choices=("numpy", "cupy", "torch"))
    device: str = setting(
        By("backend", {"numpy": "cpu", "torch": "cpu", "cupy": "cuda"}),
        "cpu, cuda, cuda:N, or emulated: cupy without a GPU, slowly",
    )
    threads: int = setting(
        1,
        "cores to use, not for cupy; with more, sums over a batch differ in their last digits",
        between=(1, math.inf),
    )
    dtype: str = setting("float32", choices=("float32", "float64"))
    sync_batch_norm: bool = setting(
        False, "of several processes: statistics of the whole batch, and not of each one's part"
    )
    steps: int = setting(600, between=(1, math.inf))
    batch: int = setting(8, "images a step", between=(1, math.inf))
    data: str = setting(
        "scenes", f"{', '.join(GENERATED)}, or a folder of images and masks", shown="DATA"
    )
    size: tuple[int, int] = setting(
        "64x64",
        "pixels of a scene, 48 to 160 each, or of the crops of a folder's images; one number is "
        "a square",
        shown="HxW",
    )
    classes: int = setting(ByData("the lines of classes.txt, or 11"), "of a folder's masks")
    ignore: int = setting(ByData("11 of 11 classes, else 255"), "label that does not count")
    labels: tuple[int, ...] = setting(
        ByData("the numbers of the classes"),
        "what a folder's masks hold for each class, in order, such as 0,255 or 1-19",
        shown="LIST",
    )
    augment: bool = setting(True, "flip, scale, crop and recolour a folder's images")
    seed: int = setting(0, "of the weights and the data", between=(0, math.inf))
    optimiser: str = setting("adam", choices=("adam", "sgd"))
    learning_rate: float = setting(By("optimiser", {"adam": 0.006, "sgd": 0.1}), "at its peak")
    schedule: str = setting("one_cycle", choices=tuple(SCHEDULES))
    warm_up: float = setting(
        By("schedule", {"one_cycle": 0.3, "poly": 0.0, "constant": 0.0}),
        "share of the steps",
        between=(0.0, 1.0),
    )
    weight_decay: float = setting(0.0, "of kernels, not of BN and biases", between=(0.0, math.inf))
    momentum: float = setting(0.9, "of sgd", between=(0.0, 0.999))
    class_weights: str = setting("none", choices=("none", "median-frequency"))
    channels: int = setting(
        By("model", {name: design.channels for name, design in DESIGNS.items()}),
        "width",
        between=(2, math.inf),
    )
    weights: str = setting(
        "",
        "begin with this state_dict, or with this run's weights; a head for other classes is "
        "drawn anew",
        shown="PATH",
    )
    weights_from: str = setting(OURS, "whose keys they have", choices=(OURS, *REPOSITORIES))


TYPES: dict[str, Any] = get_type_hints(Settings)
DEFAULTS: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(Settings)}
ABOUT: dict[str, About] = {f.name: f.metadata["about"] for f in dataclasses.fields(Settings)}
