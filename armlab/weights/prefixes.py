"""What wrappers put before keys: taken off where one reading is possible, else asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from armlab.listed import listed

# Attributes under which wrappers keep the whole network: DataParallel and AveragedModel, Lightning.
WHOLE = ("module", "model", "net", "network")
# torch.compile, FSDP and activation checkpointing put these before what they wrap, wherever.
WITHIN = {"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
COUNTS = {"n_averaged"}  # of AveragedModel, no parameter
AVERAGES = {"ema", "swa", "teacher", "student"}  # words in the names of a network's other version


def bare_keys(state: Mapping[str, Any], strip: str | None = None) -> dict[str, Any]:
    """The state with the keys of the network itself.

    strip  the prefix whose keys are meant, which goes; the others are left out. "" keeps all keys
           as they are. None takes off what is before all keys and only a wrapper has.

    Raises ValueError that names the prefix where there are several readings.
    """
    if strip == "":
        return dict(state)
    if strip is not None:
        state = select(state, strip.removesuffix("."))
    state = _renamed(state, {key: _without(key) for key in state})
    while (whole := _wrapper(state)) is not None:
        state = select(state, whole)
    return dict(state)


def select(state: Mapping[str, Any], part: str) -> dict[str, Any]:
    """What stands under a prefix, without it: of a network's state, that of one of its modules."""
    prefix = f"{part}."
    selected = {key.removeprefix(prefix): a for key, a in state.items() if key.startswith(prefix)}
    if not selected:
        depth = len(part.split("."))
        parts = dict.fromkeys(".".join(key.split(".")[:depth]) for key in state)
        raise ValueError(f"expected a part of the state, got {part!r}: it has {listed(parts)}")
    return selected


def give(option: str, value: str) -> str:
    """How one chooses: weights.load(…, strip="model"), armlab convert … --strip model."""
    return (
        f"give {option}={value!r} in Python, or --{option} {value or repr(value)} to armlab convert"
    )


def strip_hint(keys: Iterable[str], fits: Callable[[str], bool]) -> str:
    """How to choose a prefix without which keys would fit that do not; empty if there is none."""
    keys = list(keys)
    prefix = ""
    while keys:
        head, count = Counter(key.partition(".")[0] for key in keys).most_common(1)[0]
        under = [key.removeprefix(f"{head}.") for key in keys if key.startswith(f"{head}.")]
        prefix = f"{prefix}.{head}".removeprefix(".")
        if under and all(fits(key) for key in under):
            return f"{count} of them fit without {prefix!r}: {give('strip', prefix)}"
        keys = under
    return ""


def _without(key: str) -> str:
    return ".".join(name for name in key.split(".") if name not in WITHIN)


def _renamed(state: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    renamed: dict[str, Any] = {}
    for key, name in names.items():
        if name in renamed:
            first = next(k for k, n in names.items() if n == name)
            raise ValueError(
                f"{first!r} and {key!r} are both {name!r} without what wrappers put before keys: "
                f"{give('strip', '')} to keep all keys as they are"
            )
        renamed[name] = state[key]
    return renamed


def _wrapper(state: Mapping[str, Any]) -> str | None:
    """The wrapper whose network this state is, if it is one's; ValueError where that is unsure."""
    heads = Counter(key.partition(".")[0] for key in state if "." in key)
    for whole in sorted(heads.keys() & WHOLE, key=lambda name: -heads[name]):
        rest = [key for key in state if not key.startswith(f"{whole}.")]
        if not set(rest) - COUNTS:
            return whole
        if _other_version(whole, heads):
            raise ValueError(
                f"it holds {whole!r} and {_other_version(whole, heads)!r}, two versions of one "
                f"network: {give('strip', whole)}, or the other"
            )
        if len(rest) * 10 <= len(state) or (len(rest) == 1 and len(state) > 2):
            raise ValueError(
                f"{whole!r} stands before {len(state) - len(rest)} of its {len(state)} keys, not "
                f"before {listed(rest, 2)}: {give('strip', whole)} to take those alone, or "
                "'' to keep all keys as they are"
            )
    return None


def _other_version(whole: str, heads: Iterable[str]) -> str | None:
    """Beside "model" the name of its average, such as "model_ema" or "teacher"."""
    others = (head for head in heads if head != whole)
    return next((head for head in others if AVERAGES & set(head.split("_"))), None)
