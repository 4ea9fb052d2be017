"""A run's settings with nothing left open, checked before anything is computed or written."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from numbers import Integral, Real
from typing import Any

import numpy as np

from armlab.arrays import dtype_of
from armlab.data import GENERATED
from armlab.data.folder import SEGNET_CLASSES, names_of
from armlab.data.label_values import LabelValues, expect_fitting, parse_labels
from armlab.data.size import expect_scene_size, parse_size
from armlab.hand.conv_attention import attentions
from armlab.number_lists import written
from armlab.places import device_name
from armlab.training.networks import DESIGNS
from armlab.training.schedules import SCHEDULES
from armlab.training.settings import ABOUT, DEFAULTS, TYPES, By, ByData, Settings

SPELLINGS: dict[str, Callable[[Any], str]] = {
    "device": device_name,
    "dtype": dtype_of,
    "data": os.fsdecode,
    "weights": os.fsdecode,
}
ACCEPTED: dict[Any, Any] = {int: Integral, float: Real, bool: (bool, np.bool_)}
DEVICES = {"numpy": ("cpu",), "torch": ("cpu", "cuda"), "cupy": ("cuda", "emulated")}


class Config(Settings):
    """A run is a function of these: the same settings give the same weights on the CPU.

    Takes any of `Settings` by its name. What is not given is the default of the table, or is
    settled by the model, the optimiser or the data.
    Raises ValueError that names the setting, the value and what is allowed.
    """

    __signature__ = inspect.signature(Settings)  # for help() and notebooks

    def __init__(self, **given: Any) -> None:
        super().__init__(**settled(given))
        expect_trainable(self)

    @property
    def label_values(self) -> LabelValues:
        """What the masks of its data hold, and what of them counts."""
        return LabelValues.of(self.classes, self.ignore, self.labels)

    @property
    def tells_apart(self) -> bool:
        """Whether the data have classes that context alone tells apart."""
        return self.data in GENERATED and bool(GENERATED[self.data].told_apart)

    @property
    def epoch(self) -> int:
        """Steps in an epoch: a tenth of the run."""
        return -(-self.steps // 10)  # rounded up, exactly

    def samples(self, step: int) -> range:
        """Those of a step, shared out or not: no other step has them."""
        return range(step * self.batch, (step + 1) * self.batch)

    def ends_epoch(self, steps: int) -> bool:
        """Whether an evaluation comes behind so many steps."""
        return steps % self.epoch == 0 or steps == self.steps

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return SCHEDULES[self.schedule](step, self.steps, self.learning_rate, self.warm_up)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def settled(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, and for all else the default; each of them is one that the table allows."""
    found = DEFAULTS | {name: _plain(name, value) for name, value in given.items()}
    for name, about in ABOUT.items():
        if about.choices and found[name] not in about.choices:
            raise ValueError(f"expected {name} {' or '.join(about.choices)}, got {found[name]!r}")
    for name, value in found.items():
        if isinstance(value, By):
            found[name] = value.values[found[value.other]]
    of_data = ("data", "size", "classes", "ignore", "labels")
    found |= _of_the_data(*(found[name] for name in of_data))
    for name, about in ABOUT.items():
        _expect_between(name, found[name], *about.between)
    return found


def _plain(name: str, value: Any) -> Any:
    """As JSON can hold it: the number of a NumPy number, the name of a path, device or dtype."""
    wanted: Any = TYPES.get(name)  # None for what is no setting: the dataclass refuses it
    if wanted in ACCEPTED and not _is_one(value, wanted):
        raise ValueError(f"expected {name} of type {wanted.__name__}, got {value!r}")
    if SPELLINGS.get(name) is os.fsdecode and not isinstance(value, (str, bytes, os.PathLike)):
        raise ValueError(f"expected {name} as a path, got {value!r}")
    make = SPELLINGS.get(name) or (wanted if wanted in ACCEPTED else None)
    try:
        return make(value) if make else value
    except OverflowError:
        raise ValueError(f"expected {name} of type float, got an integer beyond it") from None


def _is_one(value: Any, wanted: type) -> bool:
    """Whether a value is a number of this type, of whatever library. True is no number."""
    is_bool = isinstance(value, ACCEPTED[bool])
    return isinstance(value, ACCEPTED[wanted]) and is_bool == (wanted is bool)


def _expect_between(name: str, value: Any, least: float, most: float) -> None:
    if math.isinf(least):
        return
    if value == math.inf or not least <= value <= most:  # JSON knows no infinity
        allowed = f"of at least {least}" if math.isinf(most) else f"of {least} to {most}"
        raise ValueError(f"expected {name} {allowed}, got {value}")


def _of_the_data(data: str, size: Any, classes: Any, ignore: Any, labels: Any) -> dict[str, Any]:
    """The size as two numbers; classes and ignore as the data have them, where not given."""
    generated = GENERATED.get(data)
    size = (expect_scene_size if generated else parse_size)(size)
    labels = () if isinstance(labels, ByData) else parse_labels(labels)
    own = len(generated.classes) if generated else None
    if isinstance(classes, ByData):  # else a run that has them need not ask a folder
        classes = len(labels) or own or len(names_of(data)) or SEGNET_CLASSES
    of_segnet = not generated and not labels and classes == SEGNET_CLASSES
    no_class = SEGNET_CLASSES if of_segnet else 255
    ignore = no_class if isinstance(ignore, ByData) else ignore
    if generated and labels:
        raise ValueError(
            f"{data} has no masks in files, got labels {written(labels)}: leave them out"
        )
    expect_fitting(labels, classes, ignore)
    if generated and (classes, ignore) != (own, no_class):
        raise ValueError(
            f"{data} has {own} classes and ignores {no_class}, "
            f"got classes {classes} and ignore {ignore}: leave both out"
        )
    if not 2 <= classes <= 255:
        raise ValueError(f"expected 2 to 255 classes, got {classes}: masks have 8 bits")
    if not 0 <= ignore <= 255:
        raise ValueError(f"expected an ignore label of 0 to 255, got {ignore}: masks have 8 bits")
    return {"size": size, "classes": classes, "ignore": ignore, "labels": labels}


def expect_trainable(config: Config) -> None:
    """Refuse settings that do not go together."""
    if not (math.isfinite(config.learning_rate) and config.learning_rate > 0):
        raise ValueError(f"expected a learning_rate above 0, got {config.learning_rate}")
    if config.device.partition(":")[0] not in DEVICES[config.backend]:
        raise ValueError(
            f"backend {config.backend} does not run on device {config.device!r}: numpy runs on "
            "'cpu', torch on that, 'cuda' or 'cuda:N', cupy on 'cuda', 'cuda:N' or 'emulated'"
        )
    if config.optimiser == "adam" and config.momentum != DEFAULTS["momentum"]:
        raise ValueError(
            f"adam has no momentum, got {config.momentum}: leave it out, or take optimiser sgd"
        )
    if config.weights_from != DEFAULTS["weights_from"] and not config.weights:
        raise ValueError(
            f"weights_from {config.weights_from} says whose keys the weights have, and there are "
            "none: give weights as well"
        )
    if config.batch < 2 and (what := normalises_pooled(config)):
        raise ValueError(
            f"expected a batch of at least 2 with {what}, got 1: it normalises one "
            "pooled value per channel and image over the batch"
        )


def normalises_pooled(config: Config) -> str:
    """What of a network normalises pooled values, and so trains on two images; "" for nothing."""
    if DESIGNS[config.model].pools:
        return f"model {config.model}"
    if config.attention != "none" and attentions()[config.attention].pooled_norm:
        return f"attention {config.attention}"
    return ""
