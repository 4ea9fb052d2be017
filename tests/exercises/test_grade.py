"""The grader: what it holds against an answer, and how it says so."""

import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest

from armlab import check, hand
from armlab.arrays import to_host
from armlab.exercises import EXERCISES
from armlab.exercises.channel_dot import RIGHT
from armlab.exercises.cuda import cuda_place
from armlab.exercises.grade import grade


def test_a_lesson_prints_the_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    def mine(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * (x > 0)

    check.exercise("relu_backward", mine)
    assert capsys.readouterr().out == grade("relu_backward", mine).text + "\n"
    assert grade("relu_backward", mine).passed


def test_a_counterexample_says_what_its_function_is() -> None:
    text = grade("adjoint_sides", lambda f, x, v, dy, h: (0.0, 0.0)).text
    assert "f = A @ x³ with A = [[1.0]]; its backward gives what is right" in text
    assert "0x" not in grade("arm_forward", lambda x, conv, conv_atten, bn_atten: x).text


def test_a_name_that_is_no_exercise_is_told_those_that_are() -> None:
    with pytest.raises(KeyError, match=r"no exercise 'rleu'; there are .*relu_backward"):
        check.exercise("rleu", hand.relu)


@pytest.mark.parametrize("first", ["armlab.check", "armlab.exercises", "armlab.exercises.grade"])
def test_the_two_rooms_can_be_imported_in_either_order(first: str) -> None:
    code = f"import {first}; from armlab import check, exercises; print(len(exercises.EXERCISES))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == len(EXERCISES) > 40


def test_a_false_alarm_of_the_matrix_library_is_not_held_against_an_answer() -> None:
    def answer(a: np.ndarray) -> np.ndarray:
        warnings.warn("invalid value encountered in matmul", RuntimeWarning, stacklevel=1)
        return hand.sigmoid(a)[0]

    outcome = grade("sigmoid", answer)
    assert outcome.passed, outcome.text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda g, limit: 1.0, "clipped is a float on the host, expected an array"),
        (lambda g, limit: to_host(g), "clipped does not lie where its inputs do, on the device"),
        (lambda g, limit: g.astype("float64"), "clipped is float64 on the host, expected float32"),
    ],
    ids=["a number", "elsewhere", "another dtype"],
)
def test_portable_answer_that_breaks_a_rule_is_told_which(
    answer: Callable[..., Any], words: str
) -> None:
    outcome = grade("clip_gradient", answer)
    assert not outcome.passed
    assert words in outcome.text


def test_a_kernel_is_not_tried_where_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> NoReturn:
        raise RuntimeError("there is none in this test")

    monkeypatch.setattr("armlab.exercises.kernel.cuda_place", none)
    outcome = grade("channel_dot", lambda: RIGHT)
    assert not outcome.passed
    assert not outcome.tried
    assert outcome.text == "– channel_dot: not tried: there is none in this test"
    assert "expected the text of a kernel" in grade("channel_dot", lambda: None).text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RIGHT.replace("pixels; i +=", "pixel; i +="), "it does not compile: .*pixel.* declared"),
        (RIGHT.replace("channel_dot", "dot"), "there is no kernel channel_dot"),
        (RIGHT.replace("first + i]", "first + i + 1]"), r"reads just behind .* of argument [12]"),
    ],
)
def test_a_kernel_that_fails_is_told_where(text: str, words: str) -> None:
    outcome = grade("channel_dot", lambda: text)
    if not outcome.tried:
        pytest.skip(outcome.text)
    assert not outcome.passed
    assert re.search(words, outcome.text)


def test_a_device_is_looked_for_once_a_card_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("armlab.exercises.cuda.card_answers", lambda: False)
    monkeypatch.setattr("armlab.emulator.why_not", lambda: "there is none in this test")
    with pytest.raises(RuntimeError, match="there is none in this test"):
        cuda_place()
