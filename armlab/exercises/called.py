"""What an answer called of the functions that it was given: with what, and what came back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from inspect import isroutine
from typing import Any, NamedTuple

import numpy as np

from armlab.exercises.clock import TooLong
from armlab.exercises.exercise import Arguments, as_tuple
from armlab.exercises.telling import show

MOST = 8  # calls that are shown

# What each function returns, as the derivation calls it; a dict of gradients is not shown.
RETURNED: dict[str, dict[str, tuple[str, ...]]] = {
    "paper_arm_backward": {"gate_back": ("dx", "da"), "logits_back": ("dx_pooled", "grads")},
    "arm_forward": {"conv": ("f",), "conv_atten": ("u",), "bn_atten": ("a",)},
    "arm_backward": {
        "gate_back": ("df", "da"),
        "logits_back": ("df_pooled", "d_logits"),
        "conv_back": ("dx", "d_conv"),
    },
    "cbam_channel_backward": {
        "gate_back": ("dx", "da"),
        "mlp_mean_back": ("dmean", "of_mean"),
        "mlp_max_back": ("dmax", "of_max"),
        "mean_back": ("dx_mean",),
        "max_back": ("dx_max",),
    },
    "listed_sar": {"conv_reduce": ("r",), "conv_atten": ("u",), "bn_atten": ("a",)},
    "listed_sar_backward": {"above": ("dx", "dm"), "below": ("dx_below",)},
    "residual_attentionout_backward": {"published_back": ("dx", "grads")},
    "feature_fusion_backward": {"logits_back": ("df_logits",), "mix_back": ("dsp", "dcp")},
    "context_path_backward": {
        "sum16_back": ("dsum16",),
        "sum32_back": ("dsum32",),
        "arm16_back": ("df16",),
        "arm32_back": ("df32",),
        "context_back": ("df32_context",),
    },
}


class Called(NamedTuple):
    """One call of a function that was given; `returned` is None where it raised."""

    function: str
    given: tuple[Any, ...]
    returned: Any


def called(run: Callable[[Arguments], Any], arguments: Arguments) -> list[Called]:
    """What the answer calls on these arguments, one after the other, to its end or its error."""
    calls: list[Called] = []

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            at = len(calls)
            calls.append(Called(name, (*given, *named.values()), None))
            returned = function(*given, **named)
            calls[at] = calls[at]._replace(returned=returned)
            return returned

        return call

    with contextlib.suppress(Exception, SystemExit, TooLong):
        run({k: watched(k, v) if isroutine(v) else v for k, v in arguments.items()})
    return calls


def told(exercise: str, calls: list[Called], arguments: Arguments) -> list[str]:
    """Lines for the page: what each call was given, by its name where it has one, and returned."""
    known = {id(value): name for name, value in arguments.items()}
    lines = []
    for call in calls[:MOST]:
        names = [known.get(id(value), "…") for value in call.given]
        lines.append(f"    {call.function}({', '.join(names)})")
        unknown = [v for v, name in zip(call.given, names, strict=True) if name == "…"]
        lines += [_line("was given", value) for value in unknown]
        results = RETURNED.get(exercise, {}).get(call.function, ())
        for name, value in zip(results, as_tuple(call.returned), strict=False):
            if isinstance(value, np.ndarray):
                lines.append(_line(f"returned {name}", value))
                known[id(value)] = name
    more = len(calls) - MOST
    return lines + [f"    … and {more} calls more"] * (more > 0)


def _line(name: str, value: Any) -> str:
    return "  " + show(name, value)
