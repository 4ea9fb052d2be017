"""The table of settings as options of a command: `armlab train` and `armlab ablate` have them."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from armlab.data import GENERATED
from armlab.training.config import Config
from armlab.training.settings import ABOUT, DEFAULTS, TYPES


def add_settings(
    parser: argparse.ArgumentParser,
    leave_out: Collection[str] = (),
    defaults: Mapping[str, str] | None = None,
) -> None:
    """An option for each setting; one that is not typed is None, and is left to `Config`.

    defaults  in words, by setting, where the command does something else than `Config`
    """
    shown = DEFAULTS | dict(defaults or {})
    for name in ABOUT:
        if name not in leave_out:
            parser.add_argument(f"--{name.replace('_', '-')}", **_option(name, shown[name]))


def _option(name: str, default: Any) -> dict[str, Any]:
    about, kind = ABOUT[name], TYPES[name]
    words = [about.words] if about.words else []
    words += [f"default {'yes' if default is True else default}"] if default != "" else []
    option: dict[str, Any] = {"help": "; ".join(words)}
    if kind is bool:
        return option | {"action": argparse.BooleanOptionalAction}
    if kind in (int, float):
        option["type"] = kind
    if about.choices:
        option["choices"] = about.choices
    return option | ({"metavar": about.shown} if about.shown else {})


def given_options(args: argparse.Namespace, *more: str) -> dict[str, Any]:
    """What the user typed of the settings, and of these options beside them."""
    typed = {name: getattr(args, name, None) for name in (*ABOUT, *more)}
    return {name: value for name, value in typed.items() if value is not None}


def refuse_options(args: argparse.Namespace, given: Collection[str], what: str) -> None:
    """With --resume the settings are those that the run or the grid began with."""
    if args.resume and given:
        first = next(iter(given)).replace("_", "-")
        args.usage_error(f"--resume goes on with the {what}'s own settings: leave out --{first}")


def config_of(given: Mapping[str, Any]) -> Config:
    """The Config of what was typed; of a folder the whole path, so --resume works anywhere."""
    settings = {name: value for name, value in given.items() if name in ABOUT}
    if settings.get("data", "scenes") not in GENERATED:
        settings["data"] = str(Path(settings["data"]).absolute())
    return Config(**settings)
