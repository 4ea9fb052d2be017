"""The form of an answer is judged before its numbers: how many results, of which type and shape."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from armlab import hand
from armlab.arrays import unbroadcast
from armlab.exercises.context import adam_step, iou
from armlab.exercises.grade import grade

ONE: dict[str, tuple[str, Callable[..., Any]]] = {  # what its result is called, and a right answer
    "relu_backward": ("dx", lambda dy, x: dy * (x > 0)),
    "global_avg_pool": ("the value", lambda x: x.mean(axis=(2, 3), keepdims=True)),
    "simam_logits": ("the value", lambda x, lambda_: hand.simam_logits(x, lambda_=lambda_)[0]),
    "iou": ("iou", iou),
}
SEVERAL: dict[str, tuple[str, Callable[..., Any]]] = {
    "sigmoid_gate_backward": (
        "dx, da",
        lambda dy, x, s: (dy * s, unbroadcast(dy * x, s.shape) * s * (1 - s)),
    ),
    "batch_norm_forward": (
        "the value, mean, var",
        lambda x, w, b, eps: hand.batch_norm(x, w, b, eps=eps)[0],
    ),
    "adam_step": ("w, m, s", adam_step),
}


def changed(answer: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda **given: change(answer(**given))


@pytest.mark.parametrize(("name", "answer"), [(k, a) for k, (_, a) in (ONE | SEVERAL).items()])
def test_right_answers_of_this_file_pass(name: str, answer: Callable[..., Any]) -> None:
    outcome = grade(name, answer)
    assert outcome.passed, outcome.text


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: None, "it returned None: did you forget `return`?"),
        (lambda a: (a, a), "it returned 2 results, expected {name} alone"),
        (lambda a: a.tolist(), "{name} is a list, expected a NumPy array of shape"),
        (lambda a: {"a": a}, "{name} is a dict, expected a NumPy array of shape"),
        (torch.tensor, "{name} is a torch tensor, expected a NumPy array of shape"),
        (np.ma.masked_array, "{name} is a MaskedArray, expected a NumPy array of shape"),
        (lambda a: a.astype(np.float32), "{name} is float32, expected float64"),
        (lambda a: np.rint(a).astype(int), "{name} is int64, expected float64"),
        (lambda a: a.astype(complex), "{name} holds complex numbers, expected float64"),
        (lambda a: a.astype(object), "{name} holds Python objects, expected float64"),
        (lambda a: a > 0, "{name} holds truth values, expected float64"),
        (lambda a: a.astype(str), "{name} holds text, expected float64"),
        (lambda a: a * np.nan, "is nan, expected "),
        (lambda a: 1.0, "{name} is a number, expected an array of shape"),
        (lambda a: True, "{name} is a bool, expected a NumPy array of shape"),
        (lambda a: a[..., np.newaxis], "{name} has shape"),
    ],
)
def test_one_result_of_another_form(name: str, change: Callable[[Any], Any], words: str) -> None:
    called, answer = ONE[name]
    outcome = grade(name, changed(answer, change))
    assert not outcome.passed
    assert words.format(name=called) in outcome.text.partition("\n")[0]
    assert "the smallest counterexample found:" in outcome.text


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: None, "it returned None: did you forget `return`?"),
        (list, "it returned a list, expected {count} results: return {names}"),
        (lambda a: a[0], "it returned an array of shape"),
        (lambda a: a[:1], "it returned 1 result, expected {count}: {names}"),
        (lambda a: (*a, *a), "results, expected {count}: {names}"),
        (lambda a: (*a[:-1], None), "{last} is None, expected a NumPy array of shape"),
        (lambda a: (*a[:-1], torch.tensor(a[-1])), "{last} is a torch tensor, expected"),
        (lambda a: (*a[:-1], "as before"), "{last} is a str, expected a NumPy array of shape"),
        (lambda a: (a[0] + 1, *a[1:-1], a[-1] * 1j), "{last} holds complex numbers"),
    ],
)
def test_several_results_of_another_form(
    name: str, change: Callable[[Any], Any], words: str
) -> None:
    names, answer = SEVERAL[name]
    outcome = grade(name, changed(answer, change))
    assert not outcome.passed
    results = names.split(", ")
    expected = words.format(names=names, count=len(results), last=results[-1])
    assert expected in outcome.text.partition("\n")[0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda values, t: [values.mean(), 0.0], "it returned a list, expected 2 results"),
        (lambda values, t: (values, 0.0), "mean has shape (2,), expected a number"),
        (lambda values, t: (values.mean(), "wide"), "half_width is a str, expected a number"),
        (lambda values, t: (values.mean(), 1j), "half_width holds complex numbers"),
        (lambda values, t: (values.mean(), True), "half_width is a bool, expected a number"),
        (lambda values, t: (10**400, 1.0), "mean "),
    ],
)
def test_numbers_of_another_form(answer: Callable[..., Any], words: str) -> None:
    outcome = grade("t_interval", answer)
    assert not outcome.passed
    assert words in outcome.text.partition("\n")[0]


@pytest.mark.parametrize("factor", [1 + 1e-6, 1 + 1e-9, 1 - 1e-12])
def test_numbers_are_shown_with_the_digits_in_which_they_differ(factor: float) -> None:
    outcome = grade("global_avg_pool", lambda x: x.mean(axis=(2, 3), keepdims=True) * factor)
    first = outcome.text.partition("\n")[0]
    shown, expected = first.partition(" is ")[2].partition(" (off")[0].split(", expected ")
    assert shown != expected
    lines = [line.partition(" = ")[2] for line in outcome.text.splitlines()]
    assert lines[-2] != lines[-1]  # what was expected, and what came


def test_a_result_that_may_be_infinite_is_right_where_it_is() -> None:
    from armlab.exercises.context import EXERCISES
    from armlab.exercises.judging import wrong_values  # no exercise draws one

    infinite = np.array([np.inf, 1.0])
    zeros = np.zeros(2)
    assert wrong_values(EXERCISES["iou"], infinite, [(infinite, zeros)]) == ""
    assert "is inf" in wrong_values(EXERCISES["iou"], infinite, [(np.ones(2), zeros)])
