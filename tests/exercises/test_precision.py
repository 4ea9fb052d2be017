"""Hints for answers that are right in one precision and not in the other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from armlab import hand
from armlab.arrays import array_namespace
from armlab.exercises.gpu import clip_gradient
from armlab.exercises.grade import grade

FLOAT64 = "its numbers are right, and float64"
ROOM = "right in float64, wrong in float32"
DIGITS = "right to 7 digits: something in it is float32"


def in_float64(g: Any, limit: float) -> Any:
    xp = array_namespace(g)
    return clip_gradient(xp.astype(g, xp.float64), limit)


def too_large(g: Any, limit: float) -> Any:
    xp = array_namespace(g)
    norm = xp.sqrt(xp.sum((1e25 * g) * (1e25 * g))) / 1e25
    return g * (limit / xp.maximum(norm, limit))


def lost(s: Any) -> Any:
    xp = array_namespace(s)
    rows = xp.arange(s.shape[2], dtype=s.dtype, device=s.device) + 1e6
    weight = xp.sum(s, axis=(1, 3))
    return xp.sum(weight * rows, axis=1) / xp.sum(weight, axis=1) - 1e6


def narrow(dy: Any, x: Any, s: Any) -> Any:
    dx, da = hand.sigmoid_gate(x.astype("float32"), np.log(s / (1 - s)).astype("float32"))[1](
        dy.astype("float32")
    )
    return dx, da


def narrow_inside(a: Any) -> Any:
    return hand.sigmoid(a.astype("float32"))[0].astype("float64")


@pytest.mark.parametrize(
    ("name", "answer", "hint"),
    [
        ("clip_gradient", in_float64, FLOAT64),
        ("clip_gradient", too_large, ROOM),
        ("attended_row", lost, ROOM),
        ("sigmoid", narrow_inside, DIGITS),
        ("sigmoid", lambda a: hand.sigmoid(a)[0].astype("float32"), DIGITS),
    ],
    ids=["float64", "too large", "lost", "narrow inside", "narrow result"],
)
def test_precision_is_told(name: str, answer: Callable[..., Any], hint: str) -> None:
    outcome = grade(name, answer)
    assert not outcome.passed
    assert outcome.hint.startswith(hint), outcome.text


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("clip_gradient", lambda g, limit: -in_float64(g, limit)),
        ("attended_row", lambda s: 1 + lost(s)),
        ("sigmoid", lambda a: hand.sigmoid(a)[0] * (1 + 1e-7)),
        ("sigmoid", lambda a: 2 * narrow_inside(a)),
    ],
    ids=["float64 and the sign", "lost and one more", "nearly right", "narrow and twice"],
)
def test_what_is_wrong_in_both_is_not_said_to_be_right(
    name: str, answer: Callable[..., Any]
) -> None:
    outcome = grade(name, answer)
    assert not outcome.passed
    assert not outcome.hint.startswith((FLOAT64, ROOM, DIGITS)), outcome.text
